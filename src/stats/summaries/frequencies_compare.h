/*-------------------------------------------------------------------------
 *
 * frequencies_compare.h
 *		Measures and tests over the common cells of two frequency tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_FREQUENCIES_COMPARE_H
#define MLMETA_STATS_FREQUENCIES_COMPARE_H

#include "core/compat.h"
#include "stats/summaries/frequencies.h"
#include "stats/measures.h"

typedef TestResult (*CategoryTest) (const int64 *reference,
									const int64 *current, int k, bool yates,
									Chi2Method method);

/*
 * measure_chi2_test or measure_g_test; with minimum_expected > 0 rare cells
 * are merged first (see measure_merge_rare). Raises 22023 if that is negative.
 */
extern TestResult category_test(const char *function_name, CategoryTest test,
								FrequencyCells *cells,
								double minimum_expected, bool yates,
								Chi2Method method);

/* NaN when a side is empty; raises 22023 unless 0 < epsilon < 1 */
extern double category_psi(const char *function_name,
						   const FrequencyCells *cells, EmptyRule rule,
						   double epsilon);

#endif							/* MLMETA_STATS_FREQUENCIES_COMPARE_H */
