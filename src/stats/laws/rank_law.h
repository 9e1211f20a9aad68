/*
 * rank_law.h
 *		P-values of the Mann-Whitney (Wilcoxon rank sum) test.
 *
 * U is that of the reference sample: the number of pairs in which the
 * reference row is the larger, ties counting one half.  "less": the reference
 * is smaller, P(U <= u); "greater": P(U >= u); two-sided: twice the smaller of
 * the two, at most 1.
 */
#ifndef MLMETA_RANK_LAW_H
#define MLMETA_RANK_LAW_H

#include "two_sample.h"

/*
 * U of the groups.
 */
extern double mann_whitney_statistic(const TieGroup *groups, int64 ngroups);

/*
 * The sum of t^3 - t over the groups, t their sizes: what the variance of U
 * loses by ties.
 */
extern double mann_whitney_tie_sum(const TieGroup *groups, int64 ngroups);

/*
 * True where the exact laws take at most about 0.3 s.
 */
extern bool mann_whitney_exact_affordable(int64 n, int64 m);

/*
 * Raises 54000 where they take longer.
 */
extern void mann_whitney_check_exact(int64 n, int64 m);

/*
 * Exact p-value for data without ties.  A u that no such data has is taken to
 * the next that is not more extreme.
 */
extern double mann_whitney_exact_no_ties(double u, int64 n, int64 m,
										 Alternative alternative);

/*
 * Exact p-value conditional on the ties: every labelling of the pooled rows is
 * equally likely, midranks as they are.  Without ties it is the law above.
 *
 * Both count labellings in doubles, adding positive terms only: exact integers
 * up to 2^53, relative error 1e-13 beyond.  Memory 16 n m min(n, m) bytes at
 * most.
 */
extern double mann_whitney_exact_tied(const TieGroup *groups, int64 ngroups,
									  Alternative alternative);

/*
 * A p-value that is only known to lie between low and high.
 */
typedef struct PValueBounds
{
	double		low;
	double		high;
} PValueBounds;

/*
 * Bounds of the p-values of rows of which only groups are known: all rows of a
 * group with is_point tie, those of another group may lie in any order and tie
 * as they like. U of the rows is then between
 *
 *		low + half the ties of points, all other current rows of a group above
 *			the reference rows of the same group, and
 *		high, all of them below,
 *
 * which mann_whitney_bounds() gives in halves. The exact law holds for every
 * way to tie: each labelling has a U between its own low and high, so that
 * the laws of these two bound the tails from both sides. The normal law takes
 * the largest and the least variance, that without other ties and that with
 * groups that tie as a whole. Without other groups than points, low = high is
 * the p-value of the rows, to the bit.
 */
extern void mann_whitney_bounds(const TieGroup *groups, const bool *is_point,
								int64 ngroups, int128 *doubled_low,
								int128 *doubled_high);
extern PValueBounds mann_whitney_exact_bounds(const TieGroup *groups,
											  const bool *is_point,
											  int64 ngroups,
											  Alternative alternative);
extern PValueBounds mann_whitney_asymptotic_bounds(const TieGroup *groups,
												   const bool *is_point,
												   int64 ngroups,
												   bool continuity,
												   Alternative alternative);

/*
 * P-value from the normal law, with the variance corrected for ties
 * (tie_sum = 0 without), and 1/2 taken off the distance from the mean if
 * `continuity`.  1 where all rows tie.
 */
extern double mann_whitney_asymptotic(double u, int64 n, int64 m,
									  double tie_sum, bool continuity,
									  Alternative alternative);

#endif							/* MLMETA_RANK_LAW_H */
