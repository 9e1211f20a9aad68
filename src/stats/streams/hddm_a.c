/*-------------------------------------------------------------------------
 *
 * hddm_a.c
 *		HDDM_A: the mean of all values against that of an earlier part, by
 *		Hoeffding's inequality.
 *
 * Source: I. Frias-Blanco, J. del Campo-Avila, G. Ramos-Jimenez, R.
 * Morales-Bueno, A. Ortiz-Diaz, Y. Caballero-Mota, "Online and non-parametric
 * drift detection methods based on Hoeffding's bounds", 2015.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "stats/streams/stream.h"

PG_FUNCTION_INFO_V1(mlmeta_hddm_a_transition);
PG_FUNCTION_INFO_V1(mlmeta_hddm_a_add_boolean);

/* The first n values since the last change; n = 0 for none */
typedef struct Part
{
	int64		n;
	double		sum;
} Part;

typedef struct HddmA
{
	double		delta;
	int			direction;

	Part		all;
	Part		lowest;			/* where mean + bound was lowest */
	Part		highest;		/* where mean - bound was highest */
} HddmA;

static void
start_over(HddmA *hddm)
{
	memset(&hddm->all, 0, sizeof(Part));
	memset(&hddm->lowest, 0, sizeof(Part));
	memset(&hddm->highest, 0, sizeof(Part));
}

static void
hddm_a_begin(void *detector, const char *options, size_t size)
{
	HddmA	   *hddm = detector;
	const OptionSpec specs[] = {
		{"delta", OPTION_FLOAT, &hddm->delta, 1e-300, 1, NULL},
		{"direction", OPTION_CHOICE, &hddm->direction, 0, 0,
		stream_directions}
	};

	hddm->delta = 0.001;
	hddm->direction = DIRECTION_UP;
	options_parse("hddm_a", options, size, specs, lengthof(specs));
}

static inline double
part_mean(const Part *part)
{
	return part->sum / (double) part->n;
}

/* How far the mean of a part may be from its expectation */
static inline double
part_bound(const HddmA *hddm, const Part *part)
{
	return sqrt(-log(hddm->delta) / (2 * (double) part->n));
}

/* Whether the mean rose (sign 1) or fell (-1) since an earlier part */
static bool
has_moved(const HddmA *hddm, const Part *part, int sign)
{
	double		n = (double) hddm->all.n;
	double		before = (double) part->n;
	double		bound;

	if (part->n == hddm->all.n)
		return false;
	bound = sqrt((n - before) / (before * n) / 2 * log(2 / hddm->delta));
	return sign * (part_mean(&hddm->all) - part_mean(part)) >= bound;
}

static bool
hddm_a_step(void *detector, double value)
{
	HddmA	   *hddm = detector;
	double		mean;
	double		bound;

	hddm->all.n++;
	hddm->all.sum += value;
	mean = part_mean(&hddm->all);
	bound = part_bound(hddm, &hddm->all);
	if (hddm->lowest.n == 0 ||
		mean + bound <= part_mean(&hddm->lowest) +
		part_bound(hddm, &hddm->lowest))
		hddm->lowest = hddm->all;
	if (hddm->highest.n == 0 ||
		mean - bound >= part_mean(&hddm->highest) -
		part_bound(hddm, &hddm->highest))
		hddm->highest = hddm->all;
	if (!((hddm->direction != DIRECTION_DOWN &&
		   has_moved(hddm, &hddm->lowest, 1)) ||
		  (hddm->direction != DIRECTION_UP &&
		   has_moved(hddm, &hddm->highest, -1))))
		return false;
	start_over(hddm);
	return true;
}

static const Detector hddm_a = {
	"hddm_a", sizeof(HddmA), STREAM_SHARES, hddm_a_begin, hddm_a_step
};

Datum
mlmeta_hddm_a_transition(PG_FUNCTION_ARGS)
{
	return stream_add(fcinfo, &hddm_a);
}

Datum
mlmeta_hddm_a_add_boolean(PG_FUNCTION_ARGS)
{
	return stream_add_boolean(fcinfo, &hddm_a);
}
