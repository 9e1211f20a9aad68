/*-------------------------------------------------------------------------
 *
 * ddm.c
 *		DDM: the error rate of a model against its best so far.
 *
 * Source: J. Gama, P. Medas, G. Castillo, P. Rodrigues, "Learning with drift
 * detection", 2004.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "stats/streams/stream.h"

PG_FUNCTION_INFO_V1(mlmeta_ddm_transition);
PG_FUNCTION_INFO_V1(mlmeta_ddm_add_boolean);

typedef struct Ddm
{
	int			min_instances;
	double		threshold;		/* in standard deviations of the best rate */

	int64		n;				/* values since the last change */
	double		rate;			/* their mean */
	bool		has_best;
	double		best_rate;		/* where rate + deviation was lowest */
	double		best_deviation;
} Ddm;

static void
ddm_begin(void *detector, const char *options, size_t size)
{
	Ddm		   *ddm = detector;
	const OptionSpec specs[] = {
		{"min_instances", OPTION_INT, &ddm->min_instances, 1, 1e9, NULL},
		{"threshold", OPTION_FLOAT, &ddm->threshold, 0, 1e9, NULL}
	};

	ddm->min_instances = 30;
	ddm->threshold = 3;
	options_parse("ddm", options, size, specs, lengthof(specs));
}

static bool
ddm_step(void *detector, double value)
{
	Ddm		   *ddm = detector;
	double		deviation;

	ddm->n++;
	ddm->rate += (value - ddm->rate) / (double) ddm->n;

	/*
	 * A rate of 0 has no deviation: taken for the best, it would make a
	 * change of the first error, however late and lonely.
	 */
	if (ddm->n < ddm->min_instances || ddm->rate <= 0)
		return false;
	deviation = sqrt(Max(0, ddm->rate * (1 - ddm->rate)) / (double) ddm->n);
	if (!ddm->has_best ||
		ddm->rate + deviation <= ddm->best_rate + ddm->best_deviation)
	{
		ddm->has_best = true;
		ddm->best_rate = ddm->rate;
		ddm->best_deviation = deviation;
	}
	if (ddm->rate + deviation <=
		ddm->best_rate + ddm->threshold * ddm->best_deviation)
		return false;
	ddm->n = 0;
	ddm->rate = 0;
	ddm->has_best = false;
	return true;
}

static const Detector ddm = {
	"ddm", sizeof(Ddm), STREAM_SHARES, ddm_begin, ddm_step
};

Datum
mlmeta_ddm_transition(PG_FUNCTION_ARGS)
{
	return stream_add(fcinfo, &ddm);
}

Datum
mlmeta_ddm_add_boolean(PG_FUNCTION_ARGS)
{
	return stream_add_boolean(fcinfo, &ddm);
}
