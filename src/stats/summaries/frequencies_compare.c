/*-------------------------------------------------------------------------
 *
 * frequencies_compare.c
 *		Comparisons of two frequency tables.
 *
 * The arguments that only matter for histograms (bins) are accepted, so that a
 * call written for one kind of summary works on the other.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "stats/summaries/frequencies.h"
#include "stats/summaries/frequencies_compare.h"
#include "stats/options.h"
#include "utils/builtins.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(mlmeta_frequencies_psi);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_kl);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_js);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_js_distance);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_hellinger);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_total_variation);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_l_infinity);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_chi2_test);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_g_test);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_cramers_v);

/* ----------
 * For the SQL functions and for aggregates over rows
 * ----------
 */

/*
 * The test over the cells, which it changes when it merges rare ones. What is
 * left must be two cells at least. Of tables beyond their capacity the
 * statistic belongs to the pooled cells, and nothing is claimed of the rows.
 */
TestResult
category_test(const char *function_name, CategoryTest test,
			  FrequencyCells *cells, double minimum_expected, bool yates,
			  Chi2Method method)
{
	TestResult	result;
	int			k = cells->k;

	measure_check_minimum(function_name, minimum_expected);
	if (minimum_expected > 0)
		k = measure_merge_rare(cells->reference, cells->current, k,
							   cells->has_new ? 1 : 0, minimum_expected);
	result = test(cells->reference, cells->current, k, yates, method);
	if (minimum_expected > 0 && k < 2 && result.n_reference > 0 &&
		result.n_current > 0)
		return test_result_empty(result.n_reference, result.n_current,
								 "too little data");
	if (!cells->is_exact && !isnan(result.statistic))
	{
		result.statistic_low = result.statistic_high = get_float8_nan();
		result.p_low = result.p_high = get_float8_nan();
		result.method = psprintf("%s, beyond capacity", result.method);
	}
	return result;
}

double
category_psi(const char *function_name, const FrequencyCells *cells,
			 EmptyRule rule, double epsilon)
{
	measure_check_epsilon(function_name, epsilon);
	return measure_psi(cells->reference, cells->current, cells->k, rule,
					   epsilon);
}

/* ----------
 * SQL functions
 * ----------
 */

static FrequencyCells
cells_arguments(FunctionCallInfo fcinfo)
{
	return frequency_cells(summary_read(PG_GETARG_DATUM(0),
										&frequency_table_type),
						   summary_read(PG_GETARG_DATUM(1),
										&frequency_table_type));
}

/* NaN, from an empty side, is NULL */
static Datum
measure_datum(FunctionCallInfo fcinfo, double value)
{
	if (isnan(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

/* (reference, current, bins, rule, epsilon) */
Datum
mlmeta_frequencies_psi(PG_FUNCTION_ARGS)
{
	FrequencyCells cells = cells_arguments(fcinfo);
	int			rule = choice_parse("psi", "rule",
									text_to_cstring(PG_GETARG_TEXT_PP(3)),
									empty_rule_names);

	return measure_datum(fcinfo, category_psi("psi", &cells,
											  (EmptyRule) rule,
											  PG_GETARG_FLOAT8(4)));
}

/* (reference, current, bins, base) */
Datum
mlmeta_frequencies_kl(PG_FUNCTION_ARGS)
{
	FrequencyCells cells = cells_arguments(fcinfo);
	double		nats = measure_kl(cells.reference, cells.current, cells.k);

	return measure_datum(fcinfo, measure_in_base("kl_divergence", nats,
												 PG_GETARG_FLOAT8(3)));
}

Datum
mlmeta_frequencies_js(PG_FUNCTION_ARGS)
{
	FrequencyCells cells = cells_arguments(fcinfo);
	double		nats = measure_js(cells.reference, cells.current, cells.k);

	return measure_datum(fcinfo, measure_in_base("js_divergence", nats,
												 PG_GETARG_FLOAT8(3)));
}

Datum
mlmeta_frequencies_js_distance(PG_FUNCTION_ARGS)
{
	FrequencyCells cells = cells_arguments(fcinfo);
	double		nats = measure_js(cells.reference, cells.current, cells.k);

	return measure_datum(fcinfo, sqrt(measure_in_base("js_distance", nats,
													  PG_GETARG_FLOAT8(3))));
}

/* (reference, current, bins) */
Datum
mlmeta_frequencies_hellinger(PG_FUNCTION_ARGS)
{
	FrequencyCells cells = cells_arguments(fcinfo);

	return measure_datum(fcinfo, measure_hellinger(cells.reference,
												   cells.current, cells.k));
}

Datum
mlmeta_frequencies_total_variation(PG_FUNCTION_ARGS)
{
	FrequencyCells cells = cells_arguments(fcinfo);

	return measure_datum(fcinfo, measure_total_variation(cells.reference,
														 cells.current,
														 cells.k));
}

Datum
mlmeta_frequencies_l_infinity(PG_FUNCTION_ARGS)
{
	FrequencyCells cells = cells_arguments(fcinfo);

	return measure_datum(fcinfo, measure_l_infinity(cells.reference,
													cells.current, cells.k));
}

/* (reference, current, bins, minimum_expected, yates, method) */
Datum
mlmeta_frequencies_chi2_test(PG_FUNCTION_ARGS)
{
	FrequencyCells cells = cells_arguments(fcinfo);
	Chi2Method	method = choice_parse("chi2_test", "method",
									  text_to_cstring(PG_GETARG_TEXT_PP(5)),
									  chi2_method_names);
	TestResult	result = category_test("chi2_test", measure_chi2_test, &cells,
									   PG_GETARG_FLOAT8(3),
									   PG_GETARG_BOOL(4), method);

	return test_result_datum(fcinfo, &result);
}

/* (reference, current, bins, minimum_expected, yates) */
Datum
mlmeta_frequencies_g_test(PG_FUNCTION_ARGS)
{
	FrequencyCells cells = cells_arguments(fcinfo);
	TestResult	result = category_test("g_test", measure_g_test, &cells,
									   PG_GETARG_FLOAT8(3),
									   PG_GETARG_BOOL(4), CHI2_ASYMPTOTIC);

	return test_result_datum(fcinfo, &result);
}

/* (reference, current, corrected) */
Datum
mlmeta_frequencies_cramers_v(PG_FUNCTION_ARGS)
{
	FrequencyCells cells = cells_arguments(fcinfo);

	return measure_datum(fcinfo, measure_cramers_v(cells.reference,
												   cells.current, cells.k,
												   PG_GETARG_BOOL(2)));
}
