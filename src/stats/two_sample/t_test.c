/*-------------------------------------------------------------------------
 *
 * t_test.c
 *		Student's and Welch's t test over rows.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "stats/laws/distributions.h"
#include "stats/two_sample/moments.h"
#include "stats/two_sample/two_sample.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(mlmeta_t_test_final);

static double
t_pvalue(double t, double df, Alternative alternative)
{
	switch (alternative)
	{
		case ALTERNATIVE_LESS:
			return student_sf(-t, df);
		case ALTERNATIVE_GREATER:
			return student_sf(t, df);
		case ALTERNATIVE_TWO_SIDED:
			break;
	}
	return student_two_sided(t, df);
}

Datum
mlmeta_t_test_final(PG_FUNCTION_ARGS)
{
	TwoSample  *state = two_sample_state(fcinfo);
	int			alternative = ALTERNATIVE_TWO_SIDED;
	bool		equal_variance = false;
	const OptionSpec specs[] = {
		{"alternative", OPTION_CHOICE, &alternative, 0, 0,
		alternative_names},
		{"equal_variance", OPTION_BOOL, &equal_variance, 0, 0, NULL},
	};
	int64		n;
	int64		m;
	int			exponent = 0;
	const char *missing;
	double		least = 0;
	Moments		x;
	Moments		y;
	double		v;				/* squared standard errors of the means */
	double		w;
	double		df;
	double		difference;
	TestResult	result;

	if (state == NULL)
		PG_RETURN_NULL();
	two_sample_options(state, "t_test", specs, lengthof(specs));
	n = two_sample_count(state, REFERENCE);
	m = two_sample_count(state, CURRENT);
	missing = two_sample_missing(state);
	if (missing == NULL && equal_variance && n + m < 3)
		missing = "too few values: both samples together need 3";
	if (missing == NULL && !equal_variance && Min(n, m) < 2)
		missing = "too few values: each sample needs 2";
	if (missing == NULL && !moments_unit(state, &exponent, &least))
		missing = "infinite values have no mean";
	result = test_result_empty(n, m, missing);
	if (missing != NULL)
		return test_result_datum(fcinfo, &result);

	x = sample_moments(state, REFERENCE, least, exponent);
	y = sample_moments(state, CURRENT, least, exponent);
	if (equal_variance)
	{
		double		variance = (x.deviation + y.deviation) /
			(double) (n + m - 2);

		v = variance / (double) n;
		w = variance / (double) m;
		df = (double) (n + m - 2);
	}
	else
	{
		v = x.deviation / ((double) n * (double) (n - 1));
		w = y.deviation / ((double) m * (double) (m - 1));
		df = (v + w) / (v * (v / (v + w)) / (double) (n - 1) +
						w * (w / (v + w)) / (double) (m - 1));
	}
	difference = x.mean - y.mean;
	if (v + w == 0)
	{
		/* no spread at all: certain, or nothing to tell apart */
		result.method = "all values of each sample are equal";
		if (difference == 0)
			return test_result_datum(fcinfo, &result);
		result.statistic = difference > 0 ? get_float8_infinity() :
			-get_float8_infinity();
		df = get_float8_infinity();
	}
	else
	{
		result.statistic = difference / sqrt(v + w);
		result.method = psprintf("%s, %.6g df",
								 equal_variance ? "pooled" : "welch", df);
	}
	result.p_value = t_pvalue(result.statistic, df, alternative);
	test_result_is_exact(&result);
	return test_result_datum(fcinfo, &result);
}
