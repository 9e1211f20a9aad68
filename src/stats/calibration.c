/*-------------------------------------------------------------------------
 *
 * calibration.c
 *		Many tests at once, and thresholds with a known level.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "stats/alarms/takeover.h"
#include "stats/measures.h"
#include "stats/options.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(mlmeta_benjamini_hochberg);
PG_FUNCTION_INFO_V1(mlmeta_psi_threshold);
PG_FUNCTION_INFO_V1(mlmeta_psi_lower_bound);
PG_FUNCTION_INFO_V1(mlmeta_share_lower_bound);
PG_FUNCTION_INFO_V1(mlmeta_total_variation_lower_bound);

typedef struct RankedP
{
	double		p;
	int			position;
} RankedP;

static int
compare_ranked(const void *a, const void *b)
{
	double		x = ((const RankedP *) a)->p;
	double		y = ((const RankedP *) b)->p;

	return (x > y) - (x < y);
}

/*
 * benjamini_hochberg(p_values, method): adjusted p-values at the places of the
 * given ones; the i-th smallest of m becomes the least of m c p(j) / j over
 * j >= i. c is 1, or by Benjamini and Yekutieli 1 + 1/2 + ... + 1/m, which
 * holds under any dependence. NULLs stay and are not counted.
 */
Datum
mlmeta_benjamini_hochberg(PG_FUNCTION_ARGS)
{
	static const char *const methods[] = {"bh", "by", NULL};
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	int			method = choice_parse("benjamini_hochberg", "method",
									  text_to_cstring(PG_GETARG_TEXT_PP(1)),
									  methods);
	Datum	   *values;
	bool	   *nulls;
	RankedP    *ranked;
	int			n;
	int			m = 0;
	double		factor = 1;
	double		least = 1;
	int			dims[1];
	int			bounds[1];

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("benjamini_hochberg: p_values must have one "
						"dimension"),
				 errdetail("It has %d.", ARR_NDIM(array))));
	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &values, &nulls, &n);
	if (n == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(FLOAT8OID));

	ranked = palloc(n * sizeof(RankedP));
	for (int i = 0; i < n; i++)
	{
		double		p;

		if (nulls[i])
			continue;
		p = DatumGetFloat8(values[i]);
		if (!(p >= 0 && p <= 1))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("benjamini_hochberg: a p-value must be from 0 "
							"to 1"),
					 errdetail("Element %d is %g.", i + 1, p)));
		ranked[m].p = p;
		ranked[m].position = i;
		m++;
	}
	qsort(ranked, m, sizeof(RankedP), compare_ranked);
	if (method == 1)
		for (int j = 2; j <= m; j++)
			factor += 1.0 / j;
	for (int j = m; j >= 1; j--)
	{
		least = Min(least, ranked[j - 1].p * (factor * m / j));
		values[ranked[j - 1].position] = Float8GetDatum(least);
	}
	dims[0] = n;
	bounds[0] = ARR_LBOUND(array)[0];
	PG_RETURN_ARRAYTYPE_P(construct_md_array(values, nulls, 1, dims, bounds,
											 FLOAT8OID, sizeof(float8),
											 FLOAT8PASSBYVAL,
											 TYPALIGN_DOUBLE));
}

static EmptyRule
calibration_arguments(const char *function_name, int bins, int64 n, int64 m,
					  double alpha, text *rule)
{
	if (bins < 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s: bins must be at least 2", function_name),
				 errdetail("It is %d.", bins)));
	if (n < 0 || m < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s: a number of rows must not be negative",
						function_name)));
	measure_check_alpha(function_name, alpha);
	return (EmptyRule) choice_parse(function_name, "rule",
									text_to_cstring(rule), empty_rule_names);
}

static Datum
number_or_null(FunctionCallInfo fcinfo, double value)
{
	if (isnan(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

/* psi_threshold(bins, n_reference, n_current, alpha, rule) */
Datum
mlmeta_psi_threshold(PG_FUNCTION_ARGS)
{
	int			bins = PG_GETARG_INT32(0);
	int64		n = PG_GETARG_INT64(1);
	int64		m = PG_GETARG_INT64(2);
	double		alpha = PG_GETARG_FLOAT8(3);
	EmptyRule	rule = calibration_arguments("psi_threshold", bins, n, m,
											 alpha, PG_GETARG_TEXT_PP(4));

	return number_or_null(fcinfo, measure_psi_threshold(bins, n, m, alpha,
														rule));
}

/* psi_lower_bound(psi, bins, n_reference, n_current, alpha, rule) */
Datum
mlmeta_psi_lower_bound(PG_FUNCTION_ARGS)
{
	double		psi = PG_GETARG_FLOAT8(0);
	int			bins = PG_GETARG_INT32(1);
	int64		n = PG_GETARG_INT64(2);
	int64		m = PG_GETARG_INT64(3);
	double		alpha = PG_GETARG_FLOAT8(4);
	EmptyRule	rule = calibration_arguments("psi_lower_bound", bins, n, m,
											 alpha, PG_GETARG_TEXT_PP(5));

	if (!(psi >= 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("psi_lower_bound: psi must not be negative"),
				 errdetail("It is %g.", psi)));
	return number_or_null(fcinfo, measure_psi_lower_bound(psi, bins, n, m,
														  alpha, rule));
}

static void
check_samples(const char *function_name, int64 n, int64 m)
{
	if (n < 1 || m < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s: sample sizes must be positive", function_name)));
}

/*
 * share_lower_bound(share_reference, share_current, n_reference, n_current,
 * alpha): lower end of the interval for the absolute difference of two shares,
 * made of Wilson's score intervals (R. G. Newcombe, "Interval estimation for
 * the difference between independent proportions", 1998, method 10).
 */
Datum
mlmeta_share_lower_bound(PG_FUNCTION_ARGS)
{
	double		p = PG_GETARG_FLOAT8(0);
	double		q = PG_GETARG_FLOAT8(1);
	int64		n = PG_GETARG_INT64(2);
	int64		m = PG_GETARG_INT64(3);
	double		alpha = PG_GETARG_FLOAT8(4);

	check_samples("share_lower_bound", n, m);
	measure_check_alpha("share_lower_bound", alpha);
	measure_check_share("share_lower_bound", "share_reference", p);
	measure_check_share("share_lower_bound", "share_current", q);
	PG_RETURN_FLOAT8(share_difference_low(p, q, (double) n, (double) m,
										  alpha));
}

double
measure_total_variation_low(double distance, int64 categories, int64 n,
							int64 m, double alpha)
{
	double		scale = 1.0 / (double) n + 1.0 / (double) m;

	return Max(0, distance -
			   sqrt((double) Max(categories - 1, 0) * scale) / 2 -
			   sqrt(-log(alpha) / 2 * scale));
}

/* total_variation_lower_bound(distance, categories, n_reference, n_current, alpha) */
Datum
mlmeta_total_variation_lower_bound(PG_FUNCTION_ARGS)
{
	double		distance = PG_GETARG_FLOAT8(0);
	int64		categories = PG_GETARG_INT64(1);
	int64		n = PG_GETARG_INT64(2);
	int64		m = PG_GETARG_INT64(3);
	double		alpha = PG_GETARG_FLOAT8(4);

	check_samples("total_variation_lower_bound", n, m);
	measure_check_alpha("total_variation_lower_bound", alpha);
	measure_check_share("total_variation_lower_bound", "distance", distance);
	PG_RETURN_FLOAT8(measure_total_variation_low(distance, categories, n, m,
												 alpha));
}
