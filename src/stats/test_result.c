/*-------------------------------------------------------------------------
 *
 * test_result.c
 *		TestResult as a composite Datum.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "stats/test_result.h"
#include "utils/builtins.h"
#include "utils/float.h"

#define TEST_RESULT_COLUMNS	9

const char *
test_result_missing(int64 n_reference, int64 n_current)
{
	if (n_reference == 0 && n_current == 0)
		return "both samples are empty";
	if (n_reference == 0)
		return "the reference is empty";
	if (n_current == 0)
		return "the current sample is empty";
	return NULL;
}

TestResult
test_result_empty(int64 n_reference, int64 n_current, const char *reason)
{
	double		nan = get_float8_nan();
	TestResult	result = {nan, nan, nan, nan, nan, nan,
	n_reference, n_current, reason};

	return result;
}

Datum
test_result_datum(FunctionCallInfo fcinfo, const TestResult *result)
{
	const double numbers[] = {result->statistic, result->statistic_low,
		result->statistic_high, result->p_value, result->p_low,
	result->p_high};
	Datum		values[TEST_RESULT_COLUMNS];
	bool		nulls[TEST_RESULT_COLUMNS] = {false};
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE ||
		desc->natts != TEST_RESULT_COLUMNS)
		elog(ERROR, "a test does not return mlmeta.test_result");
	for (int i = 0; i < (int) lengthof(numbers); i++)
	{
		nulls[i] = isnan(numbers[i]);
		values[i] = Float8GetDatum(numbers[i]);
	}
	values[6] = Int64GetDatum(result->n_reference);
	values[7] = Int64GetDatum(result->n_current);
	values[8] = CStringGetTextDatum(result->method);
	desc = BlessTupleDesc(desc);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}
