/*-------------------------------------------------------------------------
 *
 * epps_singleton.c
 *		The Epps-Singleton test over rows: do the empirical characteristic
 *		functions of two samples agree at a few points?
 *
 * T. W. Epps and K. J. Singleton, "An omnibus test for the two-sample problem
 * using the empirical characteristic function", 1986; the small-sample factor
 * and the choice of the points are S. J. Goerg's and J. Kaiser's
 * ("Nonparametric testing of distributions - the Epps-Singleton two-sample
 * test", 2009).
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <float.h>
#include <math.h>

#include "stats/two_sample/compensated.h"
#include "stats/laws/distributions.h"
#include "stats/two_sample/two_sample.h"

PG_FUNCTION_INFO_V1(mlmeta_epps_singleton_test_final);

#define MAX_POINTS		OPTION_MAX_FLOATS
#define MAX_DIMENSION	(2 * MAX_POINTS)

/*
 * Eigenvalues below this part of the largest count as zero, and so do those
 * below what rounding leaves of waves that do not vary: these are about 1.
 */
#define RANK_TOLERANCE	1e-13
#define WAVE_NOISE		1e-14

/* Sums over one sample of cos and sin at each point, and their products */
typedef struct WaveSums
{
	Compensated sum[MAX_DIMENSION];
	Compensated product[MAX_DIMENSION][MAX_DIMENSION];	/* column <= row */
} WaveSums;

static void
add_wave(WaveSums *sums, const double *wave, int dimension, int64 count)
{
	if (count == 0)
		return;
	for (int i = 0; i < dimension; i++)
	{
		double		weighted = wave[i] * (double) count;

		compensated_add(&sums->sum[i], weighted);
		for (int j = 0; j <= i; j++)
			compensated_add(&sums->product[i][j], weighted * wave[j]);
	}
}

/* Covariance of cos and sin, n in the denominator, times weight, added */
static void
add_covariance(const WaveSums *sums, int64 n, double weight, int dimension,
			   double matrix[MAX_DIMENSION][MAX_DIMENSION])
{
	for (int i = 0; i < dimension; i++)
		for (int j = 0; j <= i; j++)
		{
			double		covariance =
				compensated_value(&sums->product[i][j]) / (double) n -
				(compensated_value(&sums->sum[i]) / (double) n) *
				(compensated_value(&sums->sum[j]) / (double) n);

			matrix[i][j] += weight * covariance;
			if (i != j)
				matrix[j][i] += weight * covariance;
		}
}

/*
 * Eigenvalues and eigenvectors (in columns) of a symmetric matrix by Jacobi's
 * rotations; on return the diagonal of matrix holds the eigenvalues.
 */
static void
diagonalise(double matrix[MAX_DIMENSION][MAX_DIMENSION],
			double vectors[MAX_DIMENSION][MAX_DIMENSION], int n)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			vectors[i][j] = i == j;
	for (int sweep = 0; sweep < 60; sweep++)
	{
		double		off = 0;
		double		diagonal = 0;

		for (int i = 0; i < n; i++)
		{
			diagonal += fabs(matrix[i][i]);
			for (int j = 0; j < i; j++)
				off += fabs(matrix[i][j]);
		}
		if (off <= DBL_MIN || off <= diagonal * DBL_EPSILON * DBL_EPSILON)
			return;
		for (int p = 0; p < n; p++)
			for (int q = p + 1; q < n; q++)
			{
				double		theta;
				double		t;
				double		c;
				double		s;

				if (matrix[p][q] == 0)
					continue;
				theta = (matrix[q][q] - matrix[p][p]) / (2 * matrix[p][q]);
				t = 1 / (fabs(theta) + hypot(1, theta));
				if (theta < 0)
					t = -t;
				c = 1 / hypot(1, t);
				s = t * c;
				for (int k = 0; k < n; k++)
				{
					double		kp = matrix[k][p];
					double		kq = matrix[k][q];

					matrix[k][p] = c * kp - s * kq;
					matrix[k][q] = s * kp + c * kq;
				}
				for (int k = 0; k < n; k++)
				{
					double		pk = matrix[p][k];
					double		qk = matrix[q][k];

					matrix[p][k] = c * pk - s * qk;
					matrix[q][k] = s * pk + c * qk;
				}
				for (int k = 0; k < n; k++)
				{
					double		kp = vectors[k][p];
					double		kq = vectors[k][q];

					vectors[k][p] = c * kp - s * kq;
					vectors[k][q] = s * kp + c * kq;
				}
			}
	}
}

/*
 * d' A+ d, A+ the pseudo-inverse of a covariance matrix, whose rank is
 * returned. Eigenvalues up to noise count as zero.
 */
static double
inverse_form(double matrix[MAX_DIMENSION][MAX_DIMENSION], const double *d,
			 int n, double noise, int *rank)
{
	double		vectors[MAX_DIMENSION][MAX_DIMENSION];
	double		largest = 0;
	double		form = 0;

	diagonalise(matrix, vectors, n);
	for (int k = 0; k < n; k++)
		largest = Max(largest, matrix[k][k]);
	*rank = 0;
	for (int k = 0; k < n; k++)
	{
		double		projection = 0;

		if (!(matrix[k][k] > Max(RANK_TOLERANCE * largest, noise)))
			continue;
		for (int i = 0; i < n; i++)
			projection += vectors[i][k] * d[i];
		form += projection * projection / matrix[k][k];
		(*rank)++;
	}
	return form;
}

Datum
mlmeta_epps_singleton_test_final(PG_FUNCTION_ARGS)
{
	TwoSample  *state = two_sample_state(fcinfo);
	OptionFloats points = {2, {0.4, 0.8}};
	const OptionSpec specs[] = {
		{"t", OPTION_FLOATS, &points, 1e-6, 1e6, NULL},
	};
	int64		n;
	int64		m;
	double		all;
	int			dimension;
	int			rank;
	const double quarters[] = {0.25, 0.75};
	double		quartiles[2];
	double		sigma = 0;
	double		centre = 0;
	const char *missing;
	WaveSums   *sums;
	double		matrix[MAX_DIMENSION][MAX_DIMENSION] = {0};
	double		difference[MAX_DIMENSION];
	TieScan    *scan;
	TieGroup	group;
	double		value;
	bool		far = false;
	TestResult	result;

	if (state == NULL)
		PG_RETURN_NULL();
	two_sample_options(state, "epps_singleton_test", specs, lengthof(specs));
	n = two_sample_count(state, REFERENCE);
	m = two_sample_count(state, CURRENT);
	missing = two_sample_missing(state);
	if (missing == NULL && Min(n, m) < 5)
		missing = "too few values: each sample needs 5";
	if (missing == NULL && two_sample_has_infinity(state))
		missing = "infinite values have no characteristic function";
	if (missing == NULL)
	{
		scan = tie_scan_begin(state);
		tie_scan_quantiles(scan, n + m, quarters, 2, quartiles);
		tie_scan_end(scan);
		sigma = (quartiles[1] - quartiles[0]) / 2;
		centre = quartiles[0] / 2 + quartiles[1] / 2;
		if (sigma == 0)
			missing = "the interquartile range is zero";
		else if (isinf(sigma))
			missing = "the interquartile range is out of range";
	}
	result = test_result_empty(n, m, missing);
	if (missing != NULL)
		return test_result_datum(fcinfo, &result);

	/*
	 * Moving the origin rotates the waves of each point, which leaves the
	 * statistic as it is, and keeps the arguments small.
	 */
	dimension = 2 * points.n;
	sums = palloc0(2 * sizeof(WaveSums));
	scan = tie_scan_begin(state);
	while (tie_scan_next(scan, &value, &group))
	{
		double		wave[MAX_DIMENSION];

		for (int i = 0; i < points.n; i++)
		{
			double		angle = points.values[i] * ((value - centre) / sigma);

			far |= !isfinite(angle);
			wave[i] = cos(angle);
			wave[points.n + i] = sin(angle);
		}
		add_wave(&sums[REFERENCE], wave, dimension, group.reference);
		add_wave(&sums[CURRENT], wave, dimension, group.current);
	}
	tie_scan_end(scan);

	all = (double) n + (double) m;
	add_covariance(&sums[REFERENCE], n, all / (double) n, dimension, matrix);
	add_covariance(&sums[CURRENT], m, all / (double) m, dimension, matrix);
	for (int i = 0; i < dimension; i++)
		difference[i] =
			compensated_value(&sums[REFERENCE].sum[i]) / (double) n -
			compensated_value(&sums[CURRENT].sum[i]) / (double) m;
	pfree(sums);
	if (far)
	{
		result.method = "the interquartile range is out of range";
		return test_result_datum(fcinfo, &result);
	}
	result.statistic = all *
		inverse_form(matrix, difference, dimension,
					 WAVE_NOISE * (all / (double) n + all / (double) m),
					 &rank);
	if (rank == 0)
	{
		result = test_result_empty(n, m,
								   "all values of each sample are equal");
		return test_result_datum(fcinfo, &result);
	}
	if (Max(n, m) < 25)
		result.statistic /= 1 + pow(all, -0.45) +
			10.1 * (pow((double) n, -1.7) + pow((double) m, -1.7));
	result.method = psprintf("epps_singleton, %d df", rank);
	result.p_value = chi2_sf(result.statistic, rank);
	test_result_is_exact(&result);
	return test_result_datum(fcinfo, &result);
}
