/*-------------------------------------------------------------------------
 *
 * cvm.c
 *		The two-sample Cramer-von Mises test over rows.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "stats/laws/cvm_law.h"
#include "stats/two_sample.h"

PG_FUNCTION_INFO_V1(mlmeta_cvm_test_final);

typedef enum CvmMethod
{
	CVM_AUTO,
	CVM_EXACT,
	CVM_ASYMPTOTIC
} CvmMethod;

static const char *const methods[] = {"auto", "exact", "asymptotic", NULL};

/*
 * 12 times the sum of (rank among all - rank in the sample)^2 over the rows of
 * one sample in a tie group: own of them, after own_below of the sample and
 * other_below of the other one. With midranks the differences are evenly
 * spaced around other_below + other / 2.
 */
static inline int128
rank_distance(int64 own, int64 other, int64 other_below)
{
	int128		twice_middle = 2 * (int128) other_below + other;

	return own * (3 * twice_middle * twice_middle + (int128) own * own - 1);
}

/*
 * T = U / (n m N) - (4 n m - 1) / (6 N) of twelve_u = 12 U, in integers as
 * long as they fit: the two terms cancel almost completely.
 */
static double
cvm_statistic(int128 a, int128 b, int64 n, int64 m)
{
	int128		nm = (int128) n * m;
	double		scale = 12.0 * (double) nm * (double) (n + m);

	if (nm <= (int128) 1 << 59 && Max(n, m) <= INT64CONST(1) << 40)
		return (double) (n * a + m * b - 2 * nm * (4 * nm - 1)) / scale;
	return (double) (((long double) n * a + (long double) m * b -
					  2.0L * nm * (4.0L * nm - 1.0L)) / scale);
}

Datum
mlmeta_cvm_test_final(PG_FUNCTION_ARGS)
{
	TwoSample  *state = two_sample_state(fcinfo);
	int			method = CVM_AUTO;
	const OptionSpec specs[] = {
		{"method", OPTION_CHOICE, &method, 0, 0, methods},
	};
	int64		n;
	int64		m;
	int64		below[2] = {0, 0};
	int128		distance[2] = {0, 0};
	const char *missing;
	TieScan    *scan;
	TieGroup	group;
	double		value;
	TestResult	result;

	if (state == NULL)
		PG_RETURN_NULL();
	two_sample_options(state, "cvm_test", specs, lengthof(specs));
	n = two_sample_count(state, REFERENCE);
	m = two_sample_count(state, CURRENT);
	missing = two_sample_missing(state);
	if (missing == NULL && Min(n, m) < 2)
		missing = "too few values: each sample needs 2";
	result = test_result_empty(n, m, missing);
	if (missing != NULL)
		return test_result_datum(fcinfo, &result);
	if (method == CVM_AUTO)
		method = cvm_exact_affordable(n, m) ? CVM_EXACT : CVM_ASYMPTOTIC;
	else if (method == CVM_EXACT && !cvm_exact_affordable(n, m))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cvm_test: too many rows for the exact law"),
				 errdetail("There are %lld reference and %lld current rows.",
						   (long long) n, (long long) m),
				 errhint("Use the option method=asymptotic.")));

	scan = tie_scan_begin(state);
	while (tie_scan_next(scan, &value, &group))
	{
		distance[REFERENCE] += rank_distance(group.reference, group.current,
											 below[CURRENT]);
		distance[CURRENT] += rank_distance(group.current, group.reference,
										   below[REFERENCE]);
		below[REFERENCE] += group.reference;
		below[CURRENT] += group.current;
	}
	tie_scan_end(scan);

	result.statistic = cvm_statistic(distance[REFERENCE], distance[CURRENT],
									 n, m);
	result.method = methods[method];
	if (method == CVM_EXACT)
		result.p_value = cvm_exact_pvalue((double) (n * distance[REFERENCE] +
													m * distance[CURRENT]) /
										  12.0, n, m);
	else
		result.p_value = cvm_asymptotic_pvalue(result.statistic, n, m);
	test_result_is_exact(&result);
	return test_result_datum(fcinfo, &result);
}
