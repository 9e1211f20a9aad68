/*-------------------------------------------------------------------------
 *
 * histogram_compare.h
 *		Comparisons of two histograms, for whoever compares many: profiles.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_HISTOGRAM_COMPARE_H
#define MLMETA_STATS_HISTOGRAM_COMPARE_H

#include "core/compat.h"
#include "stats/summaries/histogram.h"
#include "stats/laws/two_sample.h"
#include "stats/test_result.h"

/* How the p-value is found: methods of ks_test, in the order of its names */
typedef enum KsMethod
{
	KS_METHOD_AUTO,
	KS_METHOD_EXACT,
	KS_METHOD_EXACT_NO_TIES,
	KS_METHOD_ASYMPTOTIC,

	/* no name: for judging, only the upper p-value, whose law is cheap */
	KS_METHOD_QUICK
} KsMethod;

/* Both of any grids; detached ones must share one (22023) */
extern TestResult histogram_ks_test(const Histogram *reference,
									const Histogram *current,
									Alternative alternative, KsMethod method);

/* Bounds that hold for the rows; low = high = Infinity is possible */
typedef struct DistanceBounds
{
	double		low;
	double		high;
} DistanceBounds;

/*
 * Wasserstein-1 and energy distance. False when a side is empty. The edges
 * must be known on one side at least (22023).
 */
extern bool histogram_distances(const char *function_name,
								const Histogram *reference,
								const Histogram *current,
								DistanceBounds *wasserstein,
								DistanceBounds *energy);

/*
 * The counts of both over the same cells: the bins, or about "bins" cells of
 * equal share in the reference (0: as they are). 22023 for different grids,
 * naming function_name. What measures.h works on.
 */
typedef struct AlignedCounts
{
	int			k;
	int64	   *reference;
	int64	   *current;
} AlignedCounts;

extern void histogram_check_same_grid(const char *function_name,
									  const Histogram *reference,
									  const Histogram *current);
extern AlignedCounts histogram_align(const char *function_name,
									 const Histogram *reference,
									 const Histogram *current, int bins);

#endif							/* MLMETA_STATS_HISTOGRAM_COMPARE_H */
