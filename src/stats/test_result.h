/*-------------------------------------------------------------------------
 *
 * test_result.h
 *		What every statistical test returns: the SQL type mlmeta.test_result.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_TEST_RESULT_H
#define MLMETA_STATS_TEST_RESULT_H

#include "core/compat.h"

/*
 * NaN in a float member stands for SQL NULL (no such number: too few values,
 * no p-value defined). Tests over rows have low = high = statistic; tests over
 * summaries bound the exact value of the rows; their p_value is the cautious
 * end, p_high, and their statistic statistic_low where it is a distance, the
 * middle where it is none.
 */
typedef struct TestResult
{
	double		statistic;
	double		statistic_low;
	double		statistic_high;
	double		p_value;
	double		p_low;
	double		p_high;
	int64		n_reference;
	int64		n_current;
	const char *method;			/* how the p-value was found, or why not */
} TestResult;

/* The composite Datum; fcinfo is the call whose result type it has */
extern Datum test_result_datum(FunctionCallInfo fcinfo,
							   const TestResult *result);

/* Which sample has no rows, as a method says it; NULL: both have some */
extern const char *test_result_missing(int64 n_reference, int64 n_current);

/* A result without numbers, whose method says why */
extern TestResult test_result_empty(int64 n_reference, int64 n_current,
									const char *reason);

#endif							/* MLMETA_STATS_TEST_RESULT_H */
