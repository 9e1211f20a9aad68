/*-------------------------------------------------------------------------
 *
 * eddm.c
 *		EDDM: the distance between two errors of a model against its largest
 *		so far.
 *
 * Source: M. Baena-Garcia, J. del Campo-Avila, R. Fidalgo, A. Bifet, R.
 * Gavalda, R. Morales-Bueno, "Early drift detection method", 2006.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "stats/streams/stream.h"

PG_FUNCTION_INFO_V1(mlmeta_eddm_transition);
PG_FUNCTION_INFO_V1(mlmeta_eddm_add_boolean);

typedef struct Eddm
{
	int			min_instances;
	double		beta;			/* the share of the largest that is left */

	int64		n;				/* values since the last change */
	int64		last_error;		/* which of them was the last error, or 0 */
	RunningMoments distances;	/* between errors */
	double		largest;		/* mean + 2 deviations was never above */
} Eddm;

static void
start_over(Eddm *eddm)
{
	eddm->n = 0;
	eddm->last_error = 0;
	memset(&eddm->distances, 0, sizeof(eddm->distances));
	eddm->largest = 0;
}

static void
eddm_begin(void *detector, const char *options, size_t size)
{
	Eddm	   *eddm = detector;
	const OptionSpec specs[] = {
		{"min_instances", OPTION_INT, &eddm->min_instances, 1, 1e9, NULL},
		{"beta", OPTION_FLOAT, &eddm->beta, 0, 1, NULL}
	};

	eddm->min_instances = 30;
	eddm->beta = 0.9;
	options_parse("eddm", options, size, specs, lengthof(specs));
	start_over(eddm);
}

static bool
eddm_step(void *detector, double value)
{
	Eddm	   *eddm = detector;
	RunningMoments *distances = &eddm->distances;
	double		reach;

	eddm->n++;
	if (value == 0)
		return false;
	running_moments_add(distances, (double) (eddm->n - eddm->last_error));
	eddm->last_error = eddm->n;

	/* Both the rows and the errors must be more than min_instances. */
	if (eddm->n <= eddm->min_instances)
		return false;
	reach = distances->mean +
		2 * sqrt(distances->deviation / (double) distances->n);
	eddm->largest = Max(eddm->largest, reach);
	if (distances->n <= eddm->min_instances ||
		reach >= eddm->beta * eddm->largest)
		return false;
	start_over(eddm);
	return true;
}

static const Detector eddm = {
	"eddm", sizeof(Eddm), STREAM_ERRORS, eddm_begin, eddm_step
};

Datum
mlmeta_eddm_transition(PG_FUNCTION_ARGS)
{
	return stream_add(fcinfo, &eddm);
}

Datum
mlmeta_eddm_add_boolean(PG_FUNCTION_ARGS)
{
	return stream_add_boolean(fcinfo, &eddm);
}
