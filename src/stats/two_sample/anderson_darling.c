/*-------------------------------------------------------------------------
 *
 * anderson_darling.c
 *		The two-sample Anderson-Darling test over rows.
 *
 * F. W. Scholz and M. A. Stephens, "K-sample Anderson-Darling tests", 1987,
 * for two samples: there the squared terms of both are the same up to a
 * factor, and with i of n and j of m rows below, N = n + m, B = i + j,
 *
 *		A^2 = 1 / (n m) * sum l (i m - j n)^2 / (B (N - B))
 *
 * over the tie groups, l their sizes: equation 6 with counts up to and
 * including the group ("right"), equation 7 with counts up to its middle and
 * N l / 4 off the denominator ("midrank"), times (N - 1) / N.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "miscadmin.h"
#include "stats/two_sample/compensated.h"
#include "stats/laws/ad_law.h"
#include "stats/two_sample/two_sample.h"

PG_FUNCTION_INFO_V1(mlmeta_ad_test_final);

static const char *const variants[] = {"midrank", "right", NULL};

/* The standard deviation of A^2 given n and m; equation 4 for k = 2 */
static double
ad_sigma(int64 n, int64 m)
{
	double		all = (double) n + (double) m;
	double		inverse = 1.0 / (double) n + 1.0 / (double) m;
	double		h = 0;
	double		g = 0;
	double		a,
				b,
				c,
				d;

	/* h = sum of 1/i below N; g = sum of 1/((N - i) j) over 1 <= i < j < N */
	for (int64 i = n + m - 1; i >= 1; i--)
	{
		if (i % 1048576 == 0)
			CHECK_FOR_INTERRUPTS();
		if (i < n + m - 1)
			g += h / (all - (double) i);
		h += 1.0 / (double) i;
	}
	a = (4 * g - 6) + (10 - 6 * g) * inverse;
	b = (2 * g - 4) * 4 + 16 * h + (2 * g - 14 * h - 4) * inverse -
		8 * h + 4 * g - 6;
	c = (6 * h + 2 * g - 2) * 4 + (4 * h - 4 * g + 6) * 2 +
		(2 * h - 6) * inverse + 4 * h;
	d = (2 * h + 6) * 4 - 8 * h;
	return sqrt((((a * all + b) * all + c) * all + d) /
				((all - 1) * (all - 2) * (all - 3)));
}

Datum
mlmeta_ad_test_final(PG_FUNCTION_ARGS)
{
	TwoSample  *state = two_sample_state(fcinfo);
	int			variant = 0;
	const OptionSpec specs[] = {
		{"variant", OPTION_CHOICE, &variant, 0, 0, variants},
	};
	int64		n;
	int64		m;
	double		all;
	int64		below = 0;
	int128		scaled = 0;		/* i m - j n */
	bool		constant = true;
	const char *missing;
	TieScan    *scan;
	TieGroup	group;
	double		value;
	Compensated sum = {0};
	TestResult	result;

	if (state == NULL)
		PG_RETURN_NULL();
	two_sample_options(state, "ad_test", specs, lengthof(specs));
	n = two_sample_count(state, REFERENCE);
	m = two_sample_count(state, CURRENT);
	missing = two_sample_missing(state);
	if (missing == NULL && n + m < 4)
		missing = "too few values: both samples together need 4";
	result = test_result_empty(n, m, missing);
	if (missing != NULL)
		return test_result_datum(fcinfo, &result);

	all = (double) n + (double) m;
	scan = tie_scan_begin(state);
	while (tie_scan_next(scan, &value, &group))
	{
		int64		size = group.reference + group.current;
		int128		step = (int128) group.reference * m -
			(int128) group.current * n;
		double		left;
		double		right;
		double		difference;

		if (size == n + m)
			break;
		constant = false;
		if (variant == 0)
		{
			/* B and N - B at the middle of the group; their product exact */
			left = (double) below + 0.5 * (double) size;
			right = (double) (n + m - below) - 0.5 * (double) size;
			difference = 0.5 * (double) (2 * scaled + step);
			compensated_add(&sum, (double) size *
							(difference / (left * right - 0.25 * all * size)) *
							difference);
		}
		else if (below + size < n + m)
		{
			left = (double) (below + size);
			right = (double) (n + m - below - size);
			difference = (double) (scaled + step);
			compensated_add(&sum, (double) size *
							(difference / (left * right)) * difference);
		}
		below += size;
		scaled += step;
	}
	tie_scan_end(scan);

	if (constant)
	{
		result.method = "all values are equal";
		return test_result_datum(fcinfo, &result);
	}
	result.statistic = compensated_value(&sum) / ((double) n * (double) m);
	if (variant == 0)
		result.statistic *= (all - 1) / all;
	result.statistic = (result.statistic - 1) / ad_sigma(n, m);
	result.method = variants[variant];
	result.p_value = anderson_darling_two_sample_pvalue(result.statistic);
	test_result_is_exact(&result);
	return test_result_datum(fcinfo, &result);
}
