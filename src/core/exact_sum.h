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
 * the upper halves until exact_sum_settle(). The idea of small and large
 * superaccumulators is R. M. Neal's ("Fast exact summation using small and
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

extern void exact_sum_settle(ExactSum *sum, MemoryContext context);

/* sum += sign * other, in the same units */
extern void exact_sum_combine(ExactSum *sum, const ExactSum *other, int sign,
							  MemoryContext context);

/* Nearest float8, for sums of values and of squares */
extern double exact_sum_value(const ExactSum *sum);
extern double exact_sum_square_value(const ExactSum *sum);

/* Of squares, in units of 2^exponent: of sums that no float8 holds */
extern double exact_sum_scaled_square(const ExactSum *sum, int exponent);

/*
 * sum of (x - mean)^2 over n values, from the sum of values and of squares;
 * never negative, within two units in the last place of the true value.
 */
extern double exact_sum_deviation(const ExactSum *values,
								  const ExactSum *squares, int64 n);

/*
 * sum of (x - mean of x)(y - mean of y) over n pairs, from the sums of x and of
 * y and that of the products x y (in the units of squares); within two units
 * in the last place of the true value.
 */
extern double exact_sum_codeviation(const ExactSum *x, const ExactSum *y,
									const ExactSum *products, int64 n);

/* max_cells: one of the two constants above */
extern void exact_sum_archive(Archive *ar, const char *name, ExactSum *sum,
							  int max_cells);

/* sum += sign * m * 2^position units; m < 2^127, sign 1 or -1 */
extern void exact_sum_add_integer(ExactSum *sum, uint128 m, int position,
								  int sign, MemoryContext context);

/*
 * The parts of a finite value: it is sign * mantissa * 2^position units of a
 * sum of values, and products of such parts are units of a sum of squares.
 */
typedef struct FloatParts
{
	uint64		mantissa;		/* below 2^53; 0 for zero */
	int			position;
	int			sign;			/* 1 or -1 */
} FloatParts;

static inline FloatParts
float_parts(double value)
{
	FloatParts	parts;
	uint64		bits;

	memcpy(&bits, &value, sizeof(bits));
	parts.sign = (int64) bits < 0 ? -1 : 1;
	parts.mantissa = bits & UINT64CONST(0x000FFFFFFFFFFFFF);
	parts.position = (int) ((bits >> 52) & 0x7FF);
	if (parts.position > 0)
	{
		parts.mantissa |= UINT64CONST(0x0010000000000000);
		parts.position--;
	}
	return parts;
}

/*
 * Sums of values and of squares that grow together, one value at a time.
 *
 * A window of cells stands for as many neighbouring exponents: mantissas and
 * their squares are plain integers there, and adding one takes no shift. Every
 * EXACT_MOMENTS_MAX_PENDING values, before 2^106 * pending could overflow, and
 * before anybody looks, they are moved to the two sums. Values of exponents
 * below the window go to the sums at once; the window follows larger ones
 * right away, and smaller ones when they come often.
 */
#define EXACT_MOMENTS_MAX_PENDING	(1 << 20)
#define EXACT_MOMENTS_CELLS			16
#define EXACT_MOMENTS_MAX_MISSES	256

typedef struct ExponentCell
{
	int128		mantissas;
	int128		squares;
} ExponentCell;

typedef struct ExactMoments
{
	ExactSum	sum;
	ExactSum	squares;
	ExponentCell *cells;		/* cells[0] is exponent low; NULL at first */
	int			low;
	int			pending;
	int			misses;			/* values below the window since it moved */
} ExactMoments;

extern void exact_moments_settle(ExactMoments *moments,
								 MemoryContext context);

/* Adds what the window cannot take as it is; mantissa and square are signed */
extern void exact_moments_add_slowly(ExactMoments *moments, int exponent,
									 int64 mantissa, int128 square,
									 MemoryContext context);

/* Adds sign * value and sign * value^2; value is finite, sign 1 or -1 */
static inline void
exact_moments_add(ExactMoments *moments, double value, int sign,
				  MemoryContext context)
{
	uint64		bits;
	uint64		magnitude;
	int			exponent;
	ExponentCell *cell;
	int64		mantissa;
	int128		square;

	memcpy(&bits, &value, sizeof(bits));
	exponent = (int) ((bits >> 52) & 0x7FF);
	magnitude = bits & UINT64CONST(0x000FFFFFFFFFFFFF);
	if (likely(exponent > 0))
		magnitude |= UINT64CONST(0x0010000000000000);
	else
	{
		if (magnitude == 0)
			return;
		exponent = 1;
	}
	mantissa = (int64) bits < 0 ? -(int64) magnitude : (int64) magnitude;
	square = (int128) ((uint128) magnitude * magnitude);
	if (sign < 0)
	{
		mantissa = -mantissa;
		square = -square;
	}
	if (unlikely(moments->cells == NULL ||
				 (uint32) (exponent - moments->low) >= EXACT_MOMENTS_CELLS ||
				 moments->pending >= EXACT_MOMENTS_MAX_PENDING))
	{
		exact_moments_add_slowly(moments, exponent, mantissa, square,
								 context);
		return;
	}
	moments->pending++;
	cell = &moments->cells[exponent - moments->low];
	cell->mantissas += mantissa;
	cell->squares += square;
}

/* moments += sign * other */
extern void exact_moments_combine(ExactMoments *moments,
								  const ExactMoments *other, int sign,
								  MemoryContext context);

/* Fields "sum" and "squares" */
extern void exact_moments_archive(Archive *ar, ExactMoments *moments);

/* Sum of squared deviations from the mean, of n values */
extern double exact_moments_deviation(const ExactMoments *moments, int64 n);

/*
 * The mean of n >= 1 values, and the root of their squared deviations over the
 * divisor, n or n - 1: finite where the result is, though the sums overflow,
 * and not 0 where the squares are too small for a float8.
 */
extern double exact_moments_mean(const ExactMoments *moments, int64 n);
extern double exact_moments_spread(const ExactMoments *moments, int64 n,
								   int64 divisor);

/* The latter as a number times 2^*exponent, of full precision in any range */
extern double exact_moments_spread_parts(const ExactMoments *moments, int64 n,
										 int64 divisor, int *exponent);

/*
 * Adds n values and their squares, all finite. What a cell's sum does not
 * change is kept in registers, which a loop over the function above cannot.
 */
static inline void
exact_moments_add_many(ExactMoments *moments, const double *values, int n,
					   MemoryContext context)
{
	ExponentCell *cells = moments->cells;
	int			low = moments->low;
	uint32		n_cells = cells != NULL ? EXACT_MOMENTS_CELLS : 0;

	if (moments->pending > EXACT_MOMENTS_MAX_PENDING - n)
		exact_moments_settle(moments, context);
	for (int i = 0; i < n; i++)
	{
		uint64		bits;
		uint64		mantissa;
		uint32		at;
		int64		sign;

		memcpy(&bits, &values[i], sizeof(bits));
		at = (uint32) ((bits >> 52) & 0x7FF) - (uint32) low;
		if (unlikely(at >= n_cells || (bits << 1) >> 53 == 0))
		{
			/* an exponent outside the window, zeros, subnormal numbers */
			exact_moments_add(moments, values[i], 1, context);
			cells = moments->cells;
			low = moments->low;
			n_cells = cells != NULL ? EXACT_MOMENTS_CELLS : 0;
			continue;
		}
		mantissa = (bits & UINT64CONST(0x000FFFFFFFFFFFFF)) |
			UINT64CONST(0x0010000000000000);
		sign = (int64) bits >> 63;	/* 0 or -1 */
		cells[at].mantissas += ((int64) mantissa ^ sign) - sign;
		cells[at].squares += (int128) ((uint128) mantissa * mantissa);
		moments->pending++;
	}
}

#endif							/* MLMETA_CORE_EXACT_SUM_H */
