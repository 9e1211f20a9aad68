/*-------------------------------------------------------------------------
 *
 * quantile.h
 *		Quantiles of type 7 (R. J. Hyndman and Y. Fan, "Sample quantiles in
 *		statistical packages", 1996), numpy's default.
 *
 * Of n sorted values, numbered from 0, the quantile at p lies at position
 * (n - 1) * p, interpolated between its two neighbours.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_QUANTILE_H
#define MLMETA_STATS_QUANTILE_H

#include "core/compat.h"

#include <math.h>

typedef struct QuantilePosition
{
	int64		rank;			/* of the lower neighbour */
	double		fraction;		/* of the way to the next, in [0, 1) */
} QuantilePosition;

/* n >= 1, p in [0, 1] */
static inline QuantilePosition
quantile_position(int64 n, double p)
{
	double		position = (double) (n - 1) * p;
	QuantilePosition result;

	result.rank = (int64) floor(position);
	result.fraction = position - (double) result.rank;
	if (result.rank >= n - 1)
	{
		result.rank = n - 1;
		result.fraction = 0;
	}
	return result;
}

/* Between neighbours low <= high, from the nearer; low if that is nowhere */
static inline double
quantile_between(double low, double high, double fraction)
{
	double		width = high - low;
	double		value;

	if (fraction == 0 || low == high)
		return low;
	if (!isfinite(width))
	{
		value = low * (1 - fraction) + high * fraction;
		return isnan(value) ? low : value;
	}
	if (fraction < 0.5)
		return low + width * fraction;
	return high - width * (1 - fraction);
}

#endif							/* MLMETA_STATS_QUANTILE_H */
