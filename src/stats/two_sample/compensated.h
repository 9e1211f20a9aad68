/*-------------------------------------------------------------------------
 *
 * compensated.h
 *		Sums of floats that carry their rounding error along.
 *
 * A. Neumaier's improvement of Kahan's summation (1974): the error of a sum of
 * n terms is a few units in the last place, whatever n, unless the terms
 * cancel to less than n * 2^-106 of their size. The sum still depends on the
 * order of its terms: take them in a defined one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_COMPENSATED_H
#define MLMETA_STATS_COMPENSATED_H

#include "core/compat.h"

#include <math.h>

typedef struct Compensated
{
	double		sum;
	double		error;
} Compensated;

static inline void
compensated_add(Compensated *total, double term)
{
	double		sum = total->sum + term;

	if (fabs(total->sum) >= fabs(term))
		total->error += (total->sum - sum) + term;
	else
		total->error += (term - sum) + total->sum;
	total->sum = sum;
}

static inline double
compensated_value(const Compensated *total)
{
	/* an infinite sum has no error to speak of */
	return isfinite(total->sum) ? total->sum + total->error : total->sum;
}

#endif							/* MLMETA_STATS_COMPENSATED_H */
