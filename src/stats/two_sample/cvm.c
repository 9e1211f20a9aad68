/*-------------------------------------------------------------------------
 *
 * cvm.c
 *		The two-sample Cramer-von Mises test over rows.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "stats/laws/cvm_law.h"
#include "stats/laws/cvm_tied.h"
#include "stats/two_sample/two_sample.h"
#include "storage/shmem.h"

PG_FUNCTION_INFO_V1(mlmeta_cvm_test_final);
PG_FUNCTION_INFO_V1(mlmeta_cvm_pvalue);

typedef enum CvmMethod
{
	CVM_AUTO,
	CVM_EXACT,
	CVM_EXACT_NO_TIES,
	CVM_ASYMPTOTIC
} CvmMethod;

static const char *const methods[] = {
	"auto", "exact", "exact_no_ties", "asymptotic", NULL
};

/*
 * T = U / (n m N) - (4 n m - 1) / (6 N), where 12 U = n a + m b, in integers
 * as long as they fit: the two terms cancel almost completely.
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

static void
too_many_rows(const char *function_name, int64 n, int64 m)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("%s: too many rows for the exact law", function_name),
			 errdetail("There are " INT64_FORMAT " reference and " INT64_FORMAT
					   " current rows.", n, m),
			 errhint("Use the method asymptotic.")));
}

/* cvm_pvalue(u, n, m): P(U >= u) without ties, as published tables have it */
Datum
mlmeta_cvm_pvalue(PG_FUNCTION_ARGS)
{
	double		u = PG_GETARG_FLOAT8(0);
	int64		n = PG_GETARG_INT64(1);
	int64		m = PG_GETARG_INT64(2);

	if (isnan(u))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cvm_pvalue: u must be a number")));
	if (n < 1 || m < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cvm_pvalue: sample sizes must be positive")));
	if (!cvm_exact_affordable(n, m))
		too_many_rows("cvm_pvalue", n, m);
	PG_RETURN_FLOAT8(cvm_exact_pvalue(u, n, m));
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
	bool		affordable;
	bool		ties = false;
	TieGroup   *groups = NULL;
	int64		n_groups = 0;
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
	affordable = cvm_exact_affordable(n, m);
	if (affordable && (method == CVM_AUTO || method == CVM_EXACT))
		groups = palloc(mul_size(n + m, sizeof(TieGroup)));

	scan = tie_scan_begin(state);
	while (tie_scan_next(scan, &value, &group))
	{
		distance[REFERENCE] += cvm_rank_distance(group.reference,
												 group.current,
												 below[CURRENT]);
		distance[CURRENT] += cvm_rank_distance(group.current,
											   group.reference,
											   below[REFERENCE]);
		ties |= group.reference + group.current > 1;
		if (groups != NULL)
			groups[n_groups++] = group;
		below[REFERENCE] += group.reference;
		below[CURRENT] += group.current;
	}
	tie_scan_end(scan);

	result.statistic = cvm_statistic(distance[REFERENCE], distance[CURRENT],
									 n, m);
	if (ties && groups != NULL)
		affordable = cvm_exact_tied(groups, n_groups, &result.p_value);
	if (method == CVM_AUTO)
		method = affordable ? CVM_EXACT : CVM_ASYMPTOTIC;
	else if (method != CVM_ASYMPTOTIC && !affordable)
		too_many_rows("cvm_test", n, m);
	result.method = methods[method];
	if (method == CVM_ASYMPTOTIC)
		result.p_value = cvm_asymptotic_pvalue(result.statistic, n, m);
	else if (method == CVM_EXACT_NO_TIES || !ties)
		result.p_value = cvm_exact_pvalue((double) (n * distance[REFERENCE] +
													m * distance[CURRENT]) /
										  12.0, n, m);
	test_result_is_exact(&result);
	return test_result_datum(fcinfo, &result);
}
