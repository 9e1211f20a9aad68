/*-------------------------------------------------------------------------
 *
 * exact_sum.h
 *		Sums of floats without rounding.
 *
 * An ExactSum is a wide integer in units of 2^-1074 (sums of values) or
 * 2^-2148 (sums of squares): every finite float8, and every square of one, is
 * a whole number of units. Adding is integer arithmetic, so the result depends
 * on the values alone, not on their order, and values can be taken out again:
 * serial, parallel, merged and moving aggregates agree to the bit. The mean
 * and the variance are rounded once, at the end, however far the data lie
 * from zero.
 *
 * The integer is a window of 32-bit digits in 64-bit cells; carries wait in
 * the upper halves until exact_sum_settle(). The idea of a small
 * superaccumulator is R. M. Neal's ("Fast exact summation using small and
 * large superaccumulators", 2015).
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_CORE_EXACT_SUM_H
#define MLMETA_CORE_EXACT_SUM_H

#include "core/compat.h"
#include "core/archive.h"

/* Additions a cell can take before a carry could be lost: each is < 2^33 */
#define EXACT_SUM_MAX_PENDING	(1 << 29)

/* Digits of the widest sums: 2^63 values (or squares) of 2^1024, and a sign */
#define EXACT_SUM_VALUE_CELLS	70
#define EXACT_SUM_SQUARE_CELLS	138

typedef struct ExactSum
{
	int64	   *cells;			/* cells[0] is digit number low */
	int			low;
	int			n_cells;
	int			pending;		/* additions since the carries were settled */
} ExactSum;

/* Makes room for digits first .. first + 4; allocates in context */
extern void exact_sum_reach(ExactSum *sum, int first, MemoryContext context);
extern void exact_sum_settle(ExactSum *sum, MemoryContext context);

/* sum += sign * other, in the same units */
extern void exact_sum_combine(ExactSum *sum, const ExactSum *other, int sign,
							  MemoryContext context);

/* Nearest float8, for sums of values and of squares */
extern double exact_sum_value(const ExactSum *sum);
extern double exact_sum_square_value(const ExactSum *sum);

/*
 * sum of (x - mean)^2 over n values, from the sum of values and of squares;
 * never negative, within two units in the last place of the true value.
 */
extern double exact_sum_deviation(const ExactSum *values,
								  const ExactSum *squares, int64 n);

/* max_cells: one of the two constants above */
extern void exact_sum_archive(Archive *ar, const char *name, ExactSum *sum,
							  int max_cells);

/*
 * Adds sign * m * 2^e, m up to 128 bits wide and below 2^107, where position
 * is e in units of the sum.
 */
static inline void
exact_sum_add_integer(ExactSum *sum, uint128 m, int position, int sign,
					  MemoryContext context)
{
	int			first = position >> 5;
	int			shift = position & 31;
	uint64		low = (uint64) m;
	uint64		high = (uint64) (m >> 64);
	int64	   *cell;
	uint128		part;

	if (unlikely(first < sum->low || first + 5 > sum->low + sum->n_cells))
		exact_sum_reach(sum, first, context);
	if (unlikely(++sum->pending >= EXACT_SUM_MAX_PENDING))
	{
		exact_sum_settle(sum, context);
		exact_sum_reach(sum, first, context);
		sum->pending = 1;
	}
	cell = sum->cells + (first - sum->low);

	part = (uint128) low << shift;
	cell[0] += sign * (int64) (uint32) part;
	cell[1] += sign * (int64) (uint32) (part >> 32);
	cell[2] += sign * (int64) (uint32) (part >> 64);
	if (high != 0)
	{
		part = (uint128) high << shift;
		cell[2] += sign * (int64) (uint32) part;
		cell[3] += sign * (int64) (uint32) (part >> 32);
		cell[4] += sign * (int64) (uint32) (part >> 64);
	}
}

/*
 * Adds sign * value to values and sign * value^2 to squares; value is finite.
 */
static inline void
exact_sum_add(ExactSum *values, ExactSum *squares, double value, int sign,
			  MemoryContext context)
{
	uint64		bits;
	uint64		mantissa;
	int			exponent;

	memcpy(&bits, &value, sizeof(bits));
	exponent = (int) ((bits >> 52) & 0x7FF);
	mantissa = bits & UINT64CONST(0x000FFFFFFFFFFFFF);
	if (exponent > 0)
	{
		mantissa |= UINT64CONST(0x0010000000000000);
		exponent--;
	}
	if (mantissa == 0)
		return;
	exact_sum_add_integer(values, mantissa, exponent,
						  (bits >> 63) ? -sign : sign, context);
	exact_sum_add_integer(squares, (uint128) mantissa * mantissa,
						  2 * exponent, sign, context);
}

#endif							/* MLMETA_CORE_EXACT_SUM_H */
