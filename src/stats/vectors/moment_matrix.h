/*-------------------------------------------------------------------------
 *
 * moment_matrix.h
 *		The SQL type moment_matrix: means and covariances of several numeric
 *		features, as a mergeable summary.
 *
 * It holds the sums of the features and of their products without rounding,
 * so that it depends on the rows alone, and each mean and covariance is
 * rounded once, at the end. Everything multivariate is computed from it:
 * correlations, principal components, Hotelling's test.
 *
 * Rows with a NULL, or with a number that is not finite, are counted and take
 * no part: a covariance needs all features of a row.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_MOMENT_MATRIX_H
#define MLMETA_STATS_MOMENT_MATRIX_H

#include "core/compat.h"
#include "core/exact_sum.h"
#include "core/summary.h"

/* Features; a state takes about 100 bytes for each pair of them */
#define MOMENT_MATRIX_MAX_DIMENSIONS	512

typedef struct MomentMatrix
{
	Summary		summary;
	int			dimensions;		/* 0 until an array has come */
	int64		n;				/* rows that took part */
	int64		null_count;
	int64		nan_count;
	ExactSum   *sums;			/* of each feature */
	ExactSum   *products;		/* of features i <= j, row after row */

	/* Scratch for one row */
	FloatParts *parts;
} MomentMatrix;

extern const SummaryType moment_matrix_type;

static inline MomentMatrix *
moment_matrix_argument(FunctionCallInfo fcinfo, int argno)
{
	return summary_read(PG_GETARG_DATUM(argno), &moment_matrix_type);
}

/* The mean of a feature; there are rows */
extern double moment_matrix_mean(const MomentMatrix *m, int feature);

/*
 * Sums of (x_i - mean)(x_j - mean), an array of dimensions^2 numbers, in the
 * current context. Raises 22003 if one of them is not finite.
 */
extern double *moment_matrix_deviations(const MomentMatrix *m);

/*
 * Pearson's correlations, in the same form; NaN for those of a constant
 * feature, and 1 on the diagonal of the others.
 */
extern double *moment_matrix_correlations(const MomentMatrix *m);

/* Raises 22023 unless both have the same features, or none yet */
extern void moment_matrix_check_same(const MomentMatrix *a,
									 const MomentMatrix *b);

#endif							/* MLMETA_STATS_MOMENT_MATRIX_H */
