/*-------------------------------------------------------------------------
 *
 * moments.c
 *		Mean and sum of squared deviations of a sample.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "core/exact_sum.h"
#include "stats/two_sample/moments.h"

/* Units from 2^-1000 to 2^1000 keep their inverses in range */
#define MAX_EXPONENT	1000

/* Widens the bounds to the keys of a sample */
static void
find_bounds(TwoSample *state, int sample, uint64 *lowest, uint64 *highest)
{
	KeyReader	reader;
	const uint64 *keys;
	size_t		n;

	key_reader_begin(&reader, state, sample);
	while ((n = key_reader_next(&reader, &keys)) > 0)
		for (size_t i = 0; i < n; i++)
		{
			*lowest = Min(*lowest, keys[i]);
			*highest = Max(*highest, keys[i]);
		}
	key_reader_end(&reader);
}

static bool
unit_of_bounds(uint64 lowest, uint64 highest, int *exponent, double *least)
{
	double		magnitude = Max(fabs(float_from_key(lowest)),
								fabs(float_from_key(highest)));

	if (isinf(magnitude))
		return false;
	*exponent = magnitude == 0 ? 0 :
		Max(-MAX_EXPONENT, Min(ilogb(magnitude), MAX_EXPONENT));
	*least = ldexp(float_from_key(lowest), -*exponent);
	return true;
}

bool
moments_unit(TwoSample *state, int *exponent, double *least)
{
	uint64		lowest = PG_UINT64_MAX;
	uint64		highest = 0;

	find_bounds(state, REFERENCE, &lowest, &highest);
	find_bounds(state, CURRENT, &lowest, &highest);
	return unit_of_bounds(lowest, highest, exponent, least);
}

bool
sample_unit(TwoSample *state, int sample, int *exponent, double *least)
{
	uint64		lowest = PG_UINT64_MAX;
	uint64		highest = 0;

	find_bounds(state, sample, &lowest, &highest);
	return unit_of_bounds(lowest, highest, exponent, least);
}

/*
 * sum - n * origin, exactly: what the sum would be of the values less origin.
 */
static void
subtract_origin(ExactSum *sum, double origin, int64 n)
{
	int			exponent;
	double		mantissa = frexp(fabs(origin), &exponent);
	uint64		digits = (uint64) ldexp(mantissa, 53);
	int			position = exponent - 53 + 1074;

	if (digits == 0)
		return;
	if (position < 0)
	{
		/* a subnormal: its last digits are zeros */
		digits >>= -position;
		position = 0;
	}
	exact_sum_add_integer(sum, (uint128) digits * (uint64) n, position,
						  origin < 0 ? 1 : -1, CurrentMemoryContext);
}

Moments
sample_moments(TwoSample *state, int sample, double origin, int exponent)
{
	int64		n = two_sample_count(state, sample);
	double		inverse = ldexp(1.0, -exponent);
	ExactMoments exact = {0};
	KeyReader	reader;
	const uint64 *keys;
	size_t		size;
	Moments		result;

	key_reader_begin(&reader, state, sample);
	while ((size = key_reader_next(&reader, &keys)) > 0)
		for (size_t i = 0; i < size; i++)
			exact_moments_add(&exact, float_from_key(keys[i]) * inverse, 1,
							  CurrentMemoryContext);
	key_reader_end(&reader);

	exact_moments_settle(&exact, CurrentMemoryContext);
	result.deviation = exact_moments_deviation(&exact, n);
	subtract_origin(&exact.sum, origin, n);
	result.mean = exact_sum_value(&exact.sum) / (double) n;
	return result;
}
