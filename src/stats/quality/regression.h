/*-------------------------------------------------------------------------
 *
 * regression.h
 *		The SQL type regression: how good the predictions of a number were,
 *		as a mergeable summary of (actual, predicted, weight).
 *
 * All sums are exact, so a summary depends on the rows, not on their order nor
 * on how they were split and merged; each metric is rounded once, at the end.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_REGRESSION_H
#define MLMETA_STATS_REGRESSION_H

#include "core/compat.h"
#include "core/exact_sum.h"
#include "core/summary.h"

typedef enum RegressionSum
{
	SUM_WEIGHT,
	SUM_ACTUAL,
	SUM_PREDICTED,
	SUM_ACTUAL_SQUARE,
	SUM_PRODUCT,				/* actual * predicted */
	SUM_PREDICTED_SQUARE,
	SUM_ABSOLUTE_ERROR,
	SUM_RELATIVE_ERROR,			/* |error| / |actual| */
	SUM_SYMMETRIC_ERROR,		/* 2 |error| / (|actual| + |predicted|) */
	N_REGRESSION_SUMS
} RegressionSum;

typedef struct Regression
{
	Summary		summary;
	int64		n;				/* rows in the sums */
	int64		null_count;		/* rows without one of the values */
	int64		nan_count;		/* rows with a NaN or an infinity */
	int64		zero_actuals;	/* rows in n that have no relative error */
	double		max_error;
	/* each times the row's weight, in units of 2^-2148 */
	ExactSum	sums[N_REGRESSION_SUMS];
} Regression;

extern const SummaryType regression_type;

extern void regression_add(Regression *r, double actual, double predicted,
						   double weight);
extern void regression_merge(Regression *r, const Regression *other);

#endif							/* MLMETA_STATS_REGRESSION_H */
