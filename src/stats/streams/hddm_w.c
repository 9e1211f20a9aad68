/*-------------------------------------------------------------------------
 *
 * hddm_w.c
 *		HDDM_W: exponentially weighted means before and after a cut, by
 *		McDiarmid's inequality.
 *
 * Source: as that of hddm_a.c.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <float.h>
#include <math.h>

#include "stats/streams/stream.h"

PG_FUNCTION_INFO_V1(mlmeta_hddm_w_transition);
PG_FUNCTION_INFO_V1(mlmeta_hddm_w_add_boolean);

/* A weighted mean and the sum of the squared weights; 0 without values */
typedef struct Part
{
	double		mean;
	double		squares;
} Part;

/* The two parts of the values, cut where the bound of the mean was best */
typedef struct Cut
{
	Part		before;
	Part		after;
	double		best;
} Cut;

typedef struct HddmW
{
	double		delta;
	double		lambda;			/* weight of the latest value */
	int			direction;

	Part		all;
	Cut			lowest;			/* mean + bound was lowest */
	Cut			highest;		/* mean - bound was highest */
} HddmW;

static void
start_over(HddmW *hddm)
{
	memset(&hddm->all, 0, sizeof(Part));
	memset(&hddm->lowest, 0, sizeof(Cut));
	memset(&hddm->highest, 0, sizeof(Cut));
	hddm->lowest.best = DBL_MAX;
	hddm->highest.best = -DBL_MAX;
}

static void
hddm_w_begin(void *detector, const char *options, size_t size)
{
	HddmW	   *hddm = detector;
	const OptionSpec specs[] = {
		{"delta", OPTION_FLOAT, &hddm->delta, 1e-300, 1, NULL},
		{"lambda", OPTION_FLOAT, &hddm->lambda, 1e-6, 1, NULL},
		{"direction", OPTION_CHOICE, &hddm->direction, 0, 0,
		stream_directions}
	};

	hddm->delta = 0.001;
	hddm->lambda = 0.05;
	hddm->direction = DIRECTION_UP;
	options_parse("hddm_w", options, size, specs, lengthof(specs));
	start_over(hddm);
}

static void
part_add(const HddmW *hddm, Part *part, double value)
{
	double		keep = 1 - hddm->lambda;

	if (part->squares == 0)
	{
		part->mean = value;
		part->squares = 1;
		return;
	}
	part->mean = hddm->lambda * value + keep * part->mean;
	part->squares = hddm->lambda * hddm->lambda +
		keep * keep * part->squares;
}

/* How far means whose squared weights add up to this may stray */
static inline double
part_bound(const HddmW *hddm, double squares)
{
	return sqrt(squares * -log(hddm->delta) / 2);
}

/*
 * Moves the cut here if the bound is better than ever, else adds the value to
 * the part after it. sign: 1 if the mean is to be low before the cut, -1 if
 * high. Returns whether the parts differ by more than chance allows.
 */
static bool
look_at_cut(const HddmW *hddm, Cut *cut, int sign, double value)
{
	double		bound = hddm->all.mean +
		sign * part_bound(hddm, hddm->all.squares);

	if (sign * (bound - cut->best) < 0)
	{
		cut->best = bound;
		cut->before = hddm->all;
		memset(&cut->after, 0, sizeof(Part));
		return false;
	}
	part_add(hddm, &cut->after, value);
	return sign * (cut->after.mean - cut->before.mean) >
		part_bound(hddm, cut->before.squares + cut->after.squares);
}

static bool
hddm_w_step(void *detector, double value)
{
	HddmW	   *hddm = detector;
	bool		rose;
	bool		fell;

	part_add(hddm, &hddm->all, value);
	rose = look_at_cut(hddm, &hddm->lowest, 1, value);
	fell = look_at_cut(hddm, &hddm->highest, -1, value);
	if (!((hddm->direction != DIRECTION_DOWN && rose) ||
		  (hddm->direction != DIRECTION_UP && fell)))
		return false;
	start_over(hddm);
	return true;
}

static const Detector hddm_w = {
	"hddm_w", sizeof(HddmW), STREAM_SHARES, hddm_w_begin, hddm_w_step
};

Datum
mlmeta_hddm_w_transition(PG_FUNCTION_ARGS)
{
	return stream_add(fcinfo, &hddm_w);
}

Datum
mlmeta_hddm_w_add_boolean(PG_FUNCTION_ARGS)
{
	return stream_add_boolean(fcinfo, &hddm_w);
}
