/*-------------------------------------------------------------------------
 *
 * moments.h
 *		Mean and sum of squared deviations of a sample, without rounding on
 *		the way and without leaving the range of float8.
 *
 * Everything is relative to an origin and a unit that is a power of two:
 *
 *		mean of the sample = unit * (origin + mean),
 *		sum of (x - mean)^2 = unit^2 * deviation.
 *
 * With the largest magnitude as the unit, squares neither overflow nor vanish;
 * with an origin among the data, the difference of two means keeps its digits.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_MOMENTS_H
#define MLMETA_STATS_MOMENTS_H

#include "core/compat.h"

#include "stats/two_sample/two_sample.h"

typedef struct Moments
{
	double		mean;
	double		deviation;
} Moments;

/*
 * The exponent of the unit for both samples, of which at least one is not
 * empty, and the least value in units; false if there is an infinity.
 */
extern bool moments_unit(TwoSample *state, int *exponent, double *least);

/* ... for one sample alone, which is not empty */
extern bool sample_unit(TwoSample *state, int sample, int *exponent,
						double *least);

/*
 * The moments of a sample that is not empty and has no infinities; origin is
 * in units. Depends on the values alone, not on their order.
 */
extern Moments sample_moments(TwoSample *state, int sample, double origin,
							  int exponent);

#endif							/* MLMETA_STATS_MOMENTS_H */
