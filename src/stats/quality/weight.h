/*-------------------------------------------------------------------------
 *
 * weight.h
 *		Weights of rows as fixed-point numbers.
 *
 * A weight is a whole number of units of 2^-60. Sums of weights are integer
 * sums: they do not depend on the order of the rows. Every float8 weight from
 * 2^-8 to 2^40 is represented exactly, smaller ones to the nearest unit.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_WEIGHT_H
#define MLMETA_STATS_WEIGHT_H

#include "core/compat.h"

#include <math.h>

#include "core/archive.h"

typedef uint128 Weight;

#define WEIGHT_FRACTION_BITS	60
#define WEIGHT_ONE				((Weight) 1 << WEIGHT_FRACTION_BITS)

/* The largest weight of a row, and of all rows of a summary together */
#define WEIGHT_MAX				1099511627776.0 /* 2^40 */
#define WEIGHT_MAX_SUM			(((Weight) 1 << 123) - 1)

/* A row's weight; raises 22003, naming type_name, unless in [0, 2^40] */
extern Weight weight_from_float(double value, const char *type_name);

/* sum += weight; raises 22003 above WEIGHT_MAX_SUM */
extern void weight_add(Weight *sum, Weight weight, const char *type_name);

/* count += more rows; raises 22003 above 2^63 - 1 */
extern void row_count_add(int64 *count, int64 more, const char *type_name);

/* An array of weights: their whole parts, then their fractions */
extern void archive_weights(Archive *ar, const char *name, Weight **values,
							int *n, int max_n);

static inline double
weight_value(Weight weight)
{
	return ldexp((double) weight, -WEIGHT_FRACTION_BITS);
}

/* The weight of count rows of weight 1 */
static inline Weight
weight_of_rows(int64 count)
{
	return (Weight) count << WEIGHT_FRACTION_BITS;
}

#endif							/* MLMETA_STATS_WEIGHT_H */
