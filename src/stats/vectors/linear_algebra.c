/*-------------------------------------------------------------------------
 *
 * linear_algebra.c
 *		Eigenvalues and Cholesky factors of symmetric matrices.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"
#include "stats/vectors/linear_algebra.h"

/* Ten are usual; convergence is quadratic in the end. */
#define MAX_SWEEPS	60

/* ----------
 * Eigenvalues
 * ----------
 */

/*
 * Rotates the axes p and q so that the element (p, q) vanishes. vectors holds
 * the axes so far as its rows.
 */
static void
rotate(double *matrix, int n, int p, int q, double *vectors)
{
	double		a_pq = matrix[(Size) p * n + q];
	double		theta = (matrix[(Size) q * n + q] -
						 matrix[(Size) p * n + p]) / (2 * a_pq);
	double		t = 1 / (fabs(theta) + sqrt(theta * theta + 1));
	double		c;
	double		s;

	/* the smaller of the two angles that will do */
	if (theta < 0)
		t = -t;
	c = 1 / sqrt(t * t + 1);
	s = t * c;

	matrix[(Size) p * n + p] -= t * a_pq;
	matrix[(Size) q * n + q] += t * a_pq;
	matrix[(Size) p * n + q] = matrix[(Size) q * n + p] = 0;
	for (int k = 0; k < n; k++)
	{
		double		a_p = matrix[(Size) p * n + k];
		double		a_q = matrix[(Size) q * n + k];

		if (k == p || k == q)
			continue;
		matrix[(Size) p * n + k] = matrix[(Size) k * n + p] =
			c * a_p - s * a_q;
		matrix[(Size) q * n + k] = matrix[(Size) k * n + q] =
			s * a_p + c * a_q;
	}
	for (int k = 0; k < n; k++)
	{
		double		v_p = vectors[(Size) p * n + k];
		double		v_q = vectors[(Size) q * n + k];

		vectors[(Size) p * n + k] = c * v_p - s * v_q;
		vectors[(Size) q * n + k] = s * v_p + c * v_q;
	}
}

static void
swap_rows(double *vectors, int n, int i, int j)
{
	for (int k = 0; k < n; k++)
	{
		double		v = vectors[(Size) i * n + k];

		vectors[(Size) i * n + k] = vectors[(Size) j * n + k];
		vectors[(Size) j * n + k] = v;
	}
}

/* Descending eigenvalues, and one sign for each eigenvector */
static void
normalize(int n, double *values, double *vectors)
{
	for (int i = 0; i < n; i++)
	{
		int			best = i;
		int			largest = 0;
		double	   *row = vectors + (Size) i * n;

		for (int j = i + 1; j < n; j++)
			if (values[j] > values[best])
				best = j;
		if (best != i)
		{
			double		value = values[i];

			values[i] = values[best];
			values[best] = value;
			swap_rows(vectors, n, i, best);
		}

		/* elements of one size but for rounding: the first of them */
		for (int k = 1; k < n; k++)
			if (fabs(row[k]) > fabs(row[largest]) * (1 + 1e-9))
				largest = k;
		if (row[largest] < 0)
			for (int k = 0; k < n; k++)
				row[k] = -row[k];
		for (int k = 0; k < n; k++)
			row[k] += 0.0;		/* no negative zeros */
	}
}

void
symmetric_eigen(double *matrix, int n, double *values, double *vectors)
{
	double		norm = 0;

	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
		{
			vectors[(Size) i * n + j] = i == j;
			norm = Max(norm, fabs(matrix[(Size) i * n + j]));
		}
	for (int sweep = 0; norm > 0 && sweep < MAX_SWEEPS; sweep++)
	{
		bool		rotated = false;

		for (int p = 0; p < n - 1; p++)
		{
			CHECK_FOR_INTERRUPTS();
			for (int q = p + 1; q < n; q++)
			{
				/* what rounding of the largest elements leaves */
				if (fabs(matrix[(Size) p * n + q]) <=
					norm * DBL_EPSILON / 16)
					continue;
				rotate(matrix, n, p, q, vectors);
				rotated = true;
			}
		}
		if (!rotated)
			break;
	}
	for (int i = 0; i < n; i++)
		values[i] = matrix[(Size) i * n + i];
	normalize(n, values, vectors);
}

/* ----------
 * Cholesky factors
 * ----------
 */

bool
cholesky(double *matrix, int n, double tolerance)
{
	for (int j = 0; j < n; j++)
	{
		double	   *row_j = matrix + (Size) j * n;
		double		pivot = row_j[j];
		double		root;

		CHECK_FOR_INTERRUPTS();
		for (int k = 0; k < j; k++)
			pivot -= row_j[k] * row_j[k];
		if (!(pivot > tolerance * row_j[j]))
			return false;
		root = sqrt(pivot);
		row_j[j] = root;
		for (int i = j + 1; i < n; i++)
		{
			double	   *row_i = matrix + (Size) i * n;
			double		sum = row_i[j];

			for (int k = 0; k < j; k++)
				sum -= row_i[k] * row_j[k];
			row_i[j] = sum / root;
		}
	}
	return true;
}

void
solve_lower(const double *factor, int n, double *x)
{
	for (int i = 0; i < n; i++)
	{
		const double *row = factor + (Size) i * n;

		for (int k = 0; k < i; k++)
			x[i] -= row[k] * x[k];
		x[i] /= row[i];
	}
}

void
solve_upper(const double *factor, int n, double *x)
{
	for (int i = n - 1; i >= 0; i--)
	{
		for (int k = i + 1; k < n; k++)
			x[i] -= factor[(Size) k * n + i] * x[k];
		x[i] /= factor[(Size) i * n + i];
	}
}
