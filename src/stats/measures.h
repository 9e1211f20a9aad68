/*-------------------------------------------------------------------------
 *
 * measures.h
 *		Distances and tests between two vectors of counts over the same k
 *		cells: bins of a histogram, categories, cells of a table.
 *
 * One implementation for histograms, frequency tables and rows, so that a name
 * means the same number everywhere. Definitions, defaults and sources:
 * doc/statistics.md. Shares are p = reference / n, q = current / m.
 *
 * Counts are not negative and each side sums to less than 2^63. All functions
 * return NaN when a side has no rows; none raises on counts.
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

/* In nats; js is the divergence, its square root the distance */
extern double measure_kl(const int64 *reference, const int64 *current, int k);
extern double measure_js(const int64 *reference, const int64 *current, int k);

extern double measure_hellinger(const int64 *reference, const int64 *current,
								int k);
extern double measure_total_variation(const int64 *reference,
									  const int64 *current, int k);

/*
 * Lower confidence bound, at level 1 - alpha, of the total variation distance
 * of two populations over so many categories. The distance of two samples of
 * one population is at most sqrt((k - 1) (1/n + 1/m)) / 2 on average (Cauchy
 * and Schwarz over the standard deviations of the shares), and as no row moves
 * it by more than 1/n or 1/m, McDiarmid's inequality bounds what it exceeds
 * its mean by.
 */
extern double measure_total_variation_low(double distance, int64 categories,
										  int64 n, int64 m, double alpha);
extern double measure_l_infinity(const int64 *reference,
								 const int64 *current, int k);

/* How a p-value of chi2_test is found, in the order of the names */
typedef enum Chi2Method
{
	CHI2_ASYMPTOTIC,
	CHI2_CALIBRATED				/* measure_calibrated_pvalue() */
} Chi2Method;

extern const char *const chi2_method_names[];	/* ends with NULL */

/*
 * Tests of homogeneity of the 2 x k table; cells empty on both sides do not
 * count. The result's method names the test and its degrees of freedom ("chi2,
 * 9 df"). With yates, the continuity correction where there is one degree of
 * freedom; it says nothing to the calibrated p-value. The G test has the
 * asymptotic method alone.
 */
extern TestResult measure_chi2_test(const int64 *reference,
									const int64 *current, int k, bool yates,
									Chi2Method method);
extern TestResult measure_g_test(const int64 *reference,
								 const int64 *current, int k, bool yates,
								 Chi2Method method);

/*
 * The p-value of the chi-squared test that keeps its level with small counts
 * too: of two cells the exact one given the margins, as long as that is cheap;
 * of more the chi-squared law at (N - 1) / N times the statistic, N = n + m,
 * whose mean given the margins is then that of the law. 1 with one cell in
 * use.
 */
extern double measure_calibrated_pvalue(const int64 *reference,
										const int64 *current, int k);

/*
 * Cramer's V of the 2 x k table, from 0 (same shares) to 1 (no common cell);
 * corrected: with W. Bergsma's (2013) correction of its bias in small samples.
 * 0 when fewer than two cells are in use.
 */
extern double measure_cramers_v(const int64 *reference, const int64 *current,
								int k, bool corrected);

/*
 * Merge cells until min(n, m) * pooled share >= minimum in each, in place; the
 * new k. What is merged depends on the pooled counts alone, so that the test
 * that follows keeps its level. Cells of categories: the rare ones together,
 * as one cell at the end, and then the rarest of the others until that is
 * large enough. The last n_rare cells always are rare ones: those of many new
 * values, which one side had no chance to join. Cells in an order: each with its right neighbour, the last
 * with its left one. Cells that are empty on both sides go first.
 */
#define MEASURE_MIN_EXPECTED	5.0

extern int	measure_merge_rare(int64 *reference, int64 *current, int k,
							   int n_rare, double minimum);
extern int	measure_merge_adjacent(int64 *reference, int64 *current, int k,
								   double minimum);

/*
 * Calibration of PSI over k cells: PSI / (1/n + 1/m) follows a chi-squared
 * law with k - 1 degrees of freedom when nothing drifted, a noncentral one
 * otherwise. The threshold that is passed with probability alpha without
 * drift, and the lower confidence bound at level 1 - alpha of the PSI of the
 * populations. NaN where the law does not hold (min(n, m) / k < 100, unless
 * the empty rule is Jeffreys') or a side is empty.
 */
extern double measure_psi_threshold(int k, int64 n, int64 m, double alpha,
									EmptyRule rule);
extern double measure_psi_lower_bound(double psi, int k, int64 n, int64 m,
									  double alpha, EmptyRule rule);

/*
 * Arguments: a value in nats in the given base of the logarithm; epsilon of
 * PSI; the least expectation of a cell; a share or a distance of shares,
 * named what; a level. They raise 22023, naming
 * function_name, unless base > 1, 0 < epsilon < 1, minimum >= 0 (all finite),
 * 0 <= share <= 1, 0 < alpha < 1.
 */
extern double measure_in_base(const char *function_name, double nats,
							  double base);
extern void measure_check_epsilon(const char *function_name, double epsilon);
extern void measure_check_minimum(const char *function_name, double minimum);
extern void measure_check_share(const char *function_name, const char *what,
								double value);
extern void measure_check_alpha(const char *function_name, double alpha);

#endif							/* MLMETA_STATS_MEASURES_H */
