/*-------------------------------------------------------------------------
 *
 * cusum.c
 *		The tabular CUSUM: sums of standardised deviations from a target.
 *
 * Sources: E. S. Page, "Continuous inspection schemes", 1954; D. C.
 * Montgomery, "Introduction to Statistical Quality Control", chapter 9.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <float.h>
#include <math.h>

#include "stats/streams/stream.h"

PG_FUNCTION_INFO_V1(mlmeta_cusum_transition);

typedef struct Cusum
{
	double		given_target;	/* NaN: estimated */
	double		given_sigma;	/* NaN: estimated */
	int			min_instances;	/* values to estimate from */
	double		slack;			/* in standard deviations, as the next */
	double		threshold;
	int			direction;

	RunningMoments start;		/* the first values since the last change */
	bool		is_ready;		/* target and sigma are known */
	double		target;
	double		sigma;
	double		up;				/* the two sums, never negative */
	double		down;
} Cusum;

static void
start_over(Cusum *cusum)
{
	memset(&cusum->start, 0, sizeof(cusum->start));
	cusum->target = cusum->given_target;
	cusum->sigma = cusum->given_sigma;
	cusum->is_ready = !isnan(cusum->target) && !isnan(cusum->sigma);
	cusum->up = cusum->down = 0;
}

static void
cusum_begin(void *detector, const char *options, size_t size)
{
	Cusum	   *cusum = detector;
	const OptionSpec specs[] = {
		{"target", OPTION_FLOAT, &cusum->given_target, -STREAM_MAX_NUMBER,
		STREAM_MAX_NUMBER, NULL},
		{"sigma", OPTION_FLOAT, &cusum->given_sigma, DBL_MIN,
		STREAM_MAX_NUMBER, NULL},
		{"slack", OPTION_FLOAT, &cusum->slack, 0, 1e6, NULL},
		{"threshold", OPTION_FLOAT, &cusum->threshold, 0, 1e9, NULL},
		{"min_instances", OPTION_INT, &cusum->min_instances, 2, 1e9, NULL},
		{"direction", OPTION_CHOICE, &cusum->direction, 0, 0,
		stream_directions}
	};

	cusum->given_target = cusum->given_sigma = NAN;
	cusum->slack = 0.5;
	cusum->threshold = 5;
	cusum->min_instances = 30;
	cusum->direction = DIRECTION_BOTH;
	options_parse("cusum", options, size, specs, lengthof(specs));
	start_over(cusum);
}

/* Takes one of the values that target and sigma are estimated from. */
static void
estimate(Cusum *cusum, double value)
{
	RunningMoments *start = &cusum->start;

	running_moments_add(start, value);
	if (start->n < cusum->min_instances)
		return;
	if (isnan(cusum->target))
		cusum->target = start->mean;
	if (isnan(cusum->sigma))
		cusum->sigma = sqrt(start->deviation / (double) (start->n - 1));
	cusum->is_ready = true;
}

static bool
cusum_step(void *detector, double value)
{
	Cusum	   *cusum = detector;
	double		z;

	if (!cusum->is_ready)
	{
		estimate(cusum, value);
		return false;
	}

	/* Where nothing ever varied, any other value is infinitely far away. */
	z = value - cusum->target;
	if (z != 0)
		z /= cusum->sigma;
	cusum->up = Max(0, cusum->up + z - cusum->slack);
	cusum->down = Max(0, cusum->down - z - cusum->slack);
	if (!((cusum->direction != DIRECTION_DOWN &&
		   cusum->up > cusum->threshold) ||
		  (cusum->direction != DIRECTION_UP &&
		   cusum->down > cusum->threshold)))
	{
		/* what cannot signal must not stay infinite: Inf - Inf is NaN */
		if (isinf(cusum->up))
			cusum->up = 0;
		if (isinf(cusum->down))
			cusum->down = 0;
		return false;
	}
	start_over(cusum);
	return true;
}

static const Detector cusum = {
	"cusum", sizeof(Cusum), STREAM_NUMBERS, cusum_begin, cusum_step
};

Datum
mlmeta_cusum_transition(PG_FUNCTION_ARGS)
{
	return stream_add(fcinfo, &cusum);
}
