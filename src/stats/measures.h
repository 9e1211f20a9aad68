/*-------------------------------------------------------------------------
 *
 * measures.h
 *		Distances and tests between two vectors of counts over the same k
 *		cells: bins of a histogram, categories, cells of a table.
 *
 * One implementation for histograms, frequency tables and rows, so that a name
 * means the same number everywhere. Definitions, defaults and sources:
 * doc/statistics.md. Shares are p = reference / n, q = current / m. All
 * functions return NaN when a side has no rows; none raises on counts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_MEASURES_H
#define MLMETA_STATS_MEASURES_H

#include "core/compat.h"
#include "stats/test_result.h"

/* What PSI does about cells that are empty on one side */
typedef enum EmptyRule
{
	EMPTY_FLOOR,				/* each share at least epsilon (default) */
	EMPTY_REPLACE,				/* shares of 0 become epsilon */
	EMPTY_SKIP,					/* the cell is left out */
	EMPTY_JEFFREYS,				/* (count + 1/2) / (n + k/2) */
	EMPTY_NONE					/* Infinity */
} EmptyRule;

extern const char *const empty_rule_names[];	/* ends with NULL */

#define PSI_DEFAULT_BINS		10
#define PSI_DEFAULT_EPSILON		1e-4

extern double measure_psi(const int64 *reference, const int64 *current,
						  int k, EmptyRule rule, double epsilon);
extern double measure_kl(const int64 *reference, const int64 *current, int k);
extern double measure_js(const int64 *reference, const int64 *current, int k);
extern double measure_hellinger(const int64 *reference, const int64 *current,
								int k);
extern double measure_total_variation(const int64 *reference,
									  const int64 *current, int k);
extern double measure_l_infinity(const int64 *reference,
								 const int64 *current, int k);

/*
 * Tests of homogeneity of the 2 x k table; cells empty on both sides do not
 * count. method names the test and its degrees of freedom ("chi2, 9 df"). With
 * yates, the continuity correction where there is one degree of freedom.
 * df, if not NULL, receives the degrees of freedom.
 */
extern TestResult measure_chi2_test(const int64 *reference,
									const int64 *current, int k, bool yates,
									int *df);
extern TestResult measure_g_test(const int64 *reference,
								 const int64 *current, int k, bool yates,
								 int *df);

#endif							/* MLMETA_STATS_MEASURES_H */
