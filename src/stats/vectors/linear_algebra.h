/*-------------------------------------------------------------------------
 *
 * linear_algebra.h
 *		What the multivariate measures need of symmetric matrices.
 *
 * Matrices are arrays of n * n numbers, row after row. Results depend on the
 * numbers alone; nothing here starts threads or chooses blocks.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_LINEAR_ALGEBRA_H
#define MLMETA_STATS_LINEAR_ALGEBRA_H

#include "core/compat.h"

/*
 * Eigenvalues of a symmetric matrix in descending order, and as rows of
 * vectors the eigenvectors, of length 1 and with the sign that makes the
 * element of largest magnitude positive. Destroys the matrix.
 *
 * Cyclic Jacobi rotations: absolute error of a few units in the last place of
 * the largest eigenvalue, O(n^3) for each of about ten sweeps.
 */
extern void symmetric_eigen(double *matrix, int n, double *values,
							double *vectors);

/*
 * Replaces the lower triangle of a symmetric matrix by its Cholesky factor.
 * False if a pivot is not above tolerance times its diagonal element: the
 * matrix is singular.
 */
extern bool cholesky(double *matrix, int n, double tolerance);

/* x := L^-1 x, and x := L^-T x, for the factor in the lower triangle */
extern void solve_lower(const double *factor, int n, double *x);
extern void solve_upper(const double *factor, int n, double *x);

#endif							/* MLMETA_STATS_LINEAR_ALGEBRA_H */
