/*-------------------------------------------------------------------------
 *
 * multivariate.c
 *		Comparisons of two moment matrices: means and correlations.
 *
 * Formulas, conventions and sources: doc/statistics-multivariate.md.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "stats/laws/distributions.h"
#include "stats/vectors/linear_algebra.h"
#include "stats/vectors/moment_matrix.h"
#include "stats/test_result.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(mlmeta_hotelling_t2);
PG_FUNCTION_INFO_V1(mlmeta_correlation_drift);
PG_FUNCTION_INFO_V1(mlmeta_correlation_test);

/* What is left of a feature that others determine is rounding. */
#define SINGULAR	1e-12

static Datum
no_test(FunctionCallInfo fcinfo, const MomentMatrix *r,
		const MomentMatrix *c, const char *reason)
{
	TestResult	result = test_result_empty(r->n, c->n, reason);

	return test_result_datum(fcinfo, &result);
}

static Datum
exact_test(FunctionCallInfo fcinfo, const MomentMatrix *r,
		   const MomentMatrix *c, double statistic, double p_value,
		   const char *method)
{
	TestResult	result = {statistic, statistic, statistic,
		p_value, p_value, p_value, r->n, c->n, method};

	return test_result_datum(fcinfo, &result);
}

/*
 * Hotelling's two-sample test of equal means, with the pooled covariances:
 * statistic T^2, p-value by Fisher's F.
 */
Datum
mlmeta_hotelling_t2(PG_FUNCTION_ARGS)
{
	MomentMatrix *r = moment_matrix_argument(fcinfo, 0);
	MomentMatrix *c = moment_matrix_argument(fcinfo, 1);
	int			d = r->dimensions;
	double		n = (double) r->n;
	double		m = (double) c->n;
	double		df = n + m - 2;
	double		t2 = 0;
	double	   *pooled;
	double	   *other;
	double	   *difference;
	double	   *scale;
	double		f;

	moment_matrix_check_same(r, c);
	if (r->n == 0 || c->n == 0)
		return no_test(fcinfo, r, c, test_result_missing(r->n, c->n));
	if (df < d)
		return no_test(fcinfo, r, c, "too few rows for so many features");

	/* in units of the pooled deviations: the scales do not matter */
	pooled = moment_matrix_deviations(r);
	other = moment_matrix_deviations(c);
	difference = palloc(d * sizeof(double));
	scale = palloc(d * sizeof(double));
	for (int i = 0; i < d; i++)
	{
		scale[i] = sqrt((pooled[(Size) i * d + i] +
						 other[(Size) i * d + i]) / df);
		if (scale[i] == 0)
			return no_test(fcinfo, r, c, "a feature is constant");
		difference[i] = (moment_matrix_mean(c, i) -
						 moment_matrix_mean(r, i)) / scale[i];
	}
	for (int i = 0; i < d; i++)
		for (int j = 0; j < d; j++)
		{
			Size		k = (Size) i * d + j;

			pooled[k] = (pooled[k] + other[k]) / df / scale[i] / scale[j];
		}
	if (!cholesky(pooled, d, SINGULAR))
		return no_test(fcinfo, r, c,
					   "features determine each other linearly");
	solve_lower(pooled, d, difference);
	for (int i = 0; i < d; i++)
		t2 += difference[i] * difference[i];
	t2 *= n * m / (n + m);
	f = t2 * (df - d + 1) / (df * d);
	return exact_test(fcinfo, r, c, t2, fisher_f_sf(f, d, df - d + 1),
					  psprintf("hotelling, F with %d and %.0f df", d,
							   df - d + 1));
}

/*
 * Rows (i, j, r_reference, r_current, z, p_value) for i < j: the two
 * correlations compared by Fisher's transformation.
 */
Datum
mlmeta_correlation_drift(PG_FUNCTION_ARGS)
{
	MomentMatrix *r = moment_matrix_argument(fcinfo, 0);
	MomentMatrix *c = moment_matrix_argument(fcinfo, 1);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int			d = r->dimensions;
	bool		tested = r->n > 3 && c->n > 3;
	double		error = 0;
	double	   *before;
	double	   *after;

	moment_matrix_check_same(r, c);
	InitMaterializedSRF(fcinfo, 0);
	if (r->dimensions == 0 || c->dimensions == 0)
		return (Datum) 0;
	if (tested)
		error = sqrt(1.0 / (double) (r->n - 3) + 1.0 / (double) (c->n - 3));
	before = moment_matrix_correlations(r);
	after = moment_matrix_correlations(c);
	for (int i = 0; i < d; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int j = i + 1; j < d; j++)
		{
			double		r_before = before[(Size) i * d + j];
			double		r_after = after[(Size) i * d + j];
			double		z = NAN;
			Datum		values[6];
			bool		nulls[6] = {false};

			/* of features that go in lockstep in both samples, nothing */
			if (tested && r_before != r_after)
				z = (atanh(r_after) - atanh(r_before)) / error;
			else if (tested && !isnan(r_before))
				z = 0;
			values[0] = Int32GetDatum(i + 1);
			values[1] = Int32GetDatum(j + 1);
			values[2] = Float8GetDatum(r_before);
			nulls[2] = isnan(r_before);
			values[3] = Float8GetDatum(r_after);
			nulls[3] = isnan(r_after);
			values[4] = Float8GetDatum(z);
			values[5] = Float8GetDatum(2 * normal_sf(fabs(z)));
			nulls[4] = nulls[5] = isnan(z);
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
								 nulls);
		}
	}
	return (Datum) 0;
}

/* inverse := the inverse of a matrix whose factor is in its lower triangle */
static void
invert(const double *factor, int d, double *inverse)
{
	for (int i = 0; i < d; i++)
	{
		double	   *row = inverse + (Size) i * d;

		CHECK_FOR_INTERRUPTS();
		memset(row, 0, d * sizeof(double));
		row[i] = 1;
		solve_lower(factor, d, row);
		solve_upper(factor, d, row);
	}
}

/* Leaves the Cholesky factor in factor unless there is none */
static bool
is_singular(const double *matrix, double *factor, int d)
{
	memcpy(factor, matrix, (Size) d * d * sizeof(double));
	return !cholesky(factor, d, SINGULAR);
}

/*
 * Jennrich's test of equal correlation matrices: chi-squared with a degree of
 * freedom for each pair of features.
 */
Datum
mlmeta_correlation_test(PG_FUNCTION_ARGS)
{
	MomentMatrix *r = moment_matrix_argument(fcinfo, 0);
	MomentMatrix *c = moment_matrix_argument(fcinfo, 1);
	int			d = r->dimensions;
	Size		size = (Size) d * d * sizeof(double);
	double		n = (double) r->n;
	double		m = (double) c->n;
	double		root = sqrt(n * m / (n + m));
	double		statistic = 0;
	double		df = d * (d - 1) / 2.0;
	double	   *before;
	double	   *after;
	double	   *pooled;
	double	   *factor;
	double	   *inverse;
	double	   *z;
	double	   *diagonal;

	moment_matrix_check_same(r, c);
	if (r->n < 2 || c->n < 2)
		return no_test(fcinfo, r, c, "a sample has fewer than two rows");
	if (d < 2)
		return no_test(fcinfo, r, c, "one feature has no correlations");
	before = moment_matrix_correlations(r);
	after = moment_matrix_correlations(c);
	pooled = palloc(size);
	factor = palloc(size);
	for (int k = 0; k < d * d; k++)
	{
		if (isnan(before[k]) || isnan(after[k]))
			return no_test(fcinfo, r, c, "a feature is constant");
		pooled[k] = (n * before[k] + m * after[k]) / (n + m);
	}
	if (is_singular(before, factor, d) || is_singular(after, factor, d) ||
		is_singular(pooled, factor, d))
		return no_test(fcinfo, r, c,
					   "features determine each other linearly");
	inverse = palloc(size);
	invert(factor, d, inverse);

	/* z = root * inverse * (after - before), trace of its square / 2 */
	z = palloc0(size);
	for (int i = 0; i < d; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int k = 0; k < d; k++)
			for (int j = 0; j < d; j++)
				z[(Size) i * d + j] += root * inverse[(Size) i * d + k] *
					(after[(Size) k * d + j] - before[(Size) k * d + j]);
	}
	for (int i = 0; i < d; i++)
		for (int j = 0; j < d; j++)
			statistic += z[(Size) i * d + j] * z[(Size) j * d + i] / 2;

	/* less what the diagonals, which are 1, take from it */
	diagonal = palloc(d * sizeof(double));
	for (int i = 0; i < d; i++)
	{
		diagonal[i] = z[(Size) i * d + i];
		for (int j = 0; j < d; j++)
		{
			Size		k = (Size) i * d + j;

			factor[k] = pooled[k] * inverse[k] + (i == j);
		}
	}
	if (!cholesky(factor, d, SINGULAR))
		return no_test(fcinfo, r, c,
					   "features determine each other linearly");
	solve_lower(factor, d, diagonal);
	for (int i = 0; i < d; i++)
		statistic -= diagonal[i] * diagonal[i];
	statistic = Max(0, statistic);
	return exact_test(fcinfo, r, c, statistic, chi2_sf(statistic, df),
					  psprintf("jennrich, %.0f df", df));
}
