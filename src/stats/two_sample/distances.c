/*-------------------------------------------------------------------------
 *
 * distances.c
 *		Wasserstein and energy distance of two samples over rows.
 *
 * Both are integrals over the real line of a function of F - G, which is
 * constant between neighbouring values. Where the samples hold different
 * shares of an infinity, that never ends: the distance is Infinity. Where the
 * shares are the same, nothing is to be moved there.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "stats/two_sample/difference_integral.h"
#include "stats/two_sample/moments.h"
#include "stats/two_sample/two_sample.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(mlmeta_wasserstein_final);
PG_FUNCTION_INFO_V1(mlmeta_energy_distance_final);

/* The integral of |F - G|, or of (F - G)^2; neither sample is empty */
static DifferenceIntegral
integrate_difference(TwoSample *state, bool square)
{
	int64		n = two_sample_count(state, REFERENCE);
	int64		m = two_sample_count(state, CURRENT);
	double		nm = (double) ((int128) n * m);
	int128		scaled = 0;		/* F - G to the left of value, times n m */
	double		value;
	DifferenceIntegral integral = {.square = square};
	TieScan    *scan = tie_scan_begin(state);
	TieGroup	group;

	while (tie_scan_next(scan, &value, &group))
	{
		difference_integral_step(&integral, value, (double) scaled / nm);
		scaled += (int128) group.reference * m - (int128) group.current * n;
	}
	tie_scan_end(scan);
	return integral;
}

/*
 * The standard deviation of the reference, n in the denominator, in units of
 * 2^*exponent, which are those of its own values however far the others are.
 */
static double
reference_deviation(TwoSample *state, int *exponent)
{
	double		least;
	Moments		moments;

	if (!sample_unit(state, REFERENCE, exponent, &least))
		return get_float8_nan();
	moments = sample_moments(state, REFERENCE, least, *exponent);
	return sqrt(moments.deviation /
				(double) two_sample_count(state, REFERENCE));
}

/*
 * Option normed: in standard deviations of the reference. NULL if that is zero
 * or not finite.
 */
Datum
mlmeta_wasserstein_final(PG_FUNCTION_ARGS)
{
	TwoSample  *state = two_sample_state(fcinfo);
	bool		normed = false;
	const OptionSpec specs[] = {
		{"normed", OPTION_BOOL, &normed, 0, 0, NULL},
	};
	DifferenceIntegral integral;
	double		result;

	if (state == NULL)
		PG_RETURN_NULL();
	two_sample_options(state, "wasserstein", specs, lengthof(specs));
	if (two_sample_missing(state) != NULL)
		PG_RETURN_NULL();
	integral = integrate_difference(state, false);
	result = difference_integral_value(&integral);
	if (normed)
	{
		int			exponent;
		int			unit;
		double		deviation = reference_deviation(state, &unit);

		if (!(deviation > 0))
			PG_RETURN_NULL();
		/* a quotient may have a float8 where one of its parts has none */
		result = difference_integral_parts(&integral, &exponent) / deviation;
		result = ldexp(result, exponent - unit);
	}
	PG_RETURN_FLOAT8(result);
}

Datum
mlmeta_energy_distance_final(PG_FUNCTION_ARGS)
{
	TwoSample  *state = two_sample_state(fcinfo);
	DifferenceIntegral integral;

	if (state == NULL)
		PG_RETURN_NULL();
	two_sample_options(state, "energy_distance", NULL, 0);
	if (two_sample_missing(state) != NULL)
		PG_RETURN_NULL();
	integral = integrate_difference(state, true);
	PG_RETURN_FLOAT8(difference_integral_energy(&integral));
}
