/*-------------------------------------------------------------------------
 *
 * regression.c
 *		The type regression: aggregates, stored form, metrics.
 *
 * Formulas, conventions and sources: doc/statistics-quality.md.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <float.h>
#include <math.h>

#include "stats/quality/regression.h"
#include "stats/quality/weight.h"
#include "utils/float.h"

#define TYPE_NAME	"regression"

#define FORMAT_VERSION	1

/* Position of 1 in a sum */
#define UNIT_BIT	2148

PG_FUNCTION_INFO_V1(mlmeta_regression_in);
PG_FUNCTION_INFO_V1(mlmeta_regression_out);
PG_FUNCTION_INFO_V1(mlmeta_regression_recv);
PG_FUNCTION_INFO_V1(mlmeta_regression_send);
PG_FUNCTION_INFO_V1(mlmeta_regression_transition);
PG_FUNCTION_INFO_V1(mlmeta_regression_combine);
PG_FUNCTION_INFO_V1(mlmeta_regression_final);
PG_FUNCTION_INFO_V1(mlmeta_regression_plus);
PG_FUNCTION_INFO_V1(mlmeta_regression_n);
PG_FUNCTION_INFO_V1(mlmeta_regression_null_count);
PG_FUNCTION_INFO_V1(mlmeta_regression_nan_count);
PG_FUNCTION_INFO_V1(mlmeta_regression_zero_actuals);
PG_FUNCTION_INFO_V1(mlmeta_regression_total_weight);
PG_FUNCTION_INFO_V1(mlmeta_regression_mae);
PG_FUNCTION_INFO_V1(mlmeta_regression_mse);
PG_FUNCTION_INFO_V1(mlmeta_regression_rmse);
PG_FUNCTION_INFO_V1(mlmeta_regression_mape);
PG_FUNCTION_INFO_V1(mlmeta_regression_smape);
PG_FUNCTION_INFO_V1(mlmeta_regression_bias);
PG_FUNCTION_INFO_V1(mlmeta_regression_max_error);
PG_FUNCTION_INFO_V1(mlmeta_regression_r2);
PG_FUNCTION_INFO_V1(mlmeta_regression_explained_variance);
PG_FUNCTION_INFO_V1(mlmeta_regression_pearson);

static void archive_regression(Archive *ar, Summary *summary);

const SummaryType regression_type = {
	TYPE_NAME, sizeof(Regression), archive_regression
};

/* Names of the sums in the stored form */
static const char *const sum_names[N_REGRESSION_SUMS] = {
	"weight", "actual", "predicted", "actual_square", "product",
	"predicted_square", "absolute_error", "relative_error", "symmetric_error"
};

/* ----------
 * Sums
 * ----------
 */

/* value = mantissa * 2^(exponent - 1074), for its magnitude */
static inline void
split_float(double value, uint64 *mantissa, int *exponent)
{
	uint64		bits;

	memcpy(&bits, &value, sizeof(bits));
	*exponent = (int) ((bits >> 52) & 0x7FF);
	*mantissa = bits & UINT64CONST(0x000FFFFFFFFFFFFF);
	if (*exponent > 0)
	{
		*mantissa |= UINT64CONST(0x0010000000000000);
		(*exponent)--;
	}
}

/* sum += a * b, exactly; both are finite */
static void
add_product(ExactSum *sum, double a, double b, MemoryContext context)
{
	uint64		a_mantissa;
	uint64		b_mantissa;
	int			a_exponent;
	int			b_exponent;

	split_float(a, &a_mantissa, &a_exponent);
	split_float(b, &b_mantissa, &b_exponent);
	if (a_mantissa != 0 && b_mantissa != 0)
		exact_sum_add_integer(sum, (uint128) a_mantissa * b_mantissa,
							  a_exponent + b_exponent,
							  signbit(a) ? (signbit(b) ? 1 : -1) :
							  (signbit(b) ? -1 : 1), context);
}

/*
 * sum += factor * from, without rounding above 2^-2148. factor is finite.
 * Raises 22003 where no real data lead, but a forged summary might.
 */
static void
add_multiple(ExactSum *sum, const ExactSum *from, double factor)
{
	ExactSum	digits = {0};
	uint64		mantissa;
	int			exponent;

	exact_sum_combine(&digits, from, 1, CurrentMemoryContext);
	split_float(factor, &mantissa, &exponent);
	for (int i = 0; i < digits.n_cells; i++)
	{
		int64		cell = digits.cells[i];
		uint128		part = (uint128) mantissa * (uint64) (cell < 0 ? -cell :
														  cell);
		int			position = 32 * (digits.low + i) + exponent - 1074;

		if (part == 0)
			continue;
		if (position / 32 + 5 > EXACT_SUM_SQUARE_CELLS)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("sums of type %s are out of range", TYPE_NAME)));
		if (position < 0)
		{
			part = position > -128 ? part >> -position : 0;
			position = 0;
		}
		exact_sum_add_integer(sum, part, position,
							  (cell < 0) != (signbit(factor) != 0) ? -1 : 1,
							  CurrentMemoryContext);
	}
	if (digits.cells != NULL)
		pfree(digits.cells);
}

/* Adds a row of finite numbers; weight is from 0 to 2^40. Raises 22003. */
void
regression_add(Regression *r, double actual, double predicted, double weight)
{
	MemoryContext context = r->summary.context;
	ExactSum   *sums = r->sums;
	double		error;
	double		a = actual;
	double		p = predicted;
	double		heavy_a = weight * actual;
	double		heavy_p = weight * predicted;
	double		lost_a = 0;
	double		lost_p = 0;
	double		relative;
	int			sign = predicted < actual ? -1 : 1;

	if (unlikely(isinf(heavy_a) || isinf(heavy_p)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("weight times value of a row of type %s is out of "
						"range", TYPE_NAME),
				 errdetail("Actual %s, predicted %s, weight %s.",
						   float8out_internal(actual),
						   float8out_internal(predicted),
						   float8out_internal(weight))));
	row_count_add(&r->n, 1, TYPE_NAME);

	/* weight * value is heavy + lost, exactly */
	if (weight != 1)
	{
		lost_a = fma(weight, actual, -heavy_a);
		lost_p = fma(weight, predicted, -heavy_p);
	}
	add_product(&sums[SUM_WEIGHT], weight, 1, context);
	add_product(&sums[SUM_ACTUAL], weight, actual, context);
	add_product(&sums[SUM_PREDICTED], weight, predicted, context);
	add_product(&sums[SUM_ACTUAL_SQUARE], heavy_a, actual, context);
	add_product(&sums[SUM_PRODUCT], heavy_a, predicted, context);
	add_product(&sums[SUM_PREDICTED_SQUARE], heavy_p, predicted, context);
	if (weight != 1)
	{
		add_product(&sums[SUM_ACTUAL_SQUARE], lost_a, actual, context);
		add_product(&sums[SUM_PRODUCT], lost_a, predicted, context);
		add_product(&sums[SUM_PREDICTED_SQUARE], lost_p, predicted, context);
	}
	add_product(&sums[SUM_ABSOLUTE_ERROR], sign * weight, predicted, context);
	add_product(&sums[SUM_ABSOLUTE_ERROR], -sign * weight, actual, context);

	error = fabs(predicted - actual);
	r->max_error = Max(r->max_error, error);

	/* Ratios do not change with the scale; differences must not overflow. */
	if (unlikely(isinf(error) || isinf(fabs(actual) + fabs(predicted))))
	{
		a /= 4;
		p /= 4;
		error = fabs(p - a);
	}
	relative = a != 0 ? error / fabs(a) : get_float8_infinity();
	if (isinf(relative))
		r->zero_actuals++;
	else
		add_product(&sums[SUM_RELATIVE_ERROR], weight, relative, context);
	if (error != 0)
		add_product(&sums[SUM_SYMMETRIC_ERROR], weight,
					2 * (error / (fabs(a) + fabs(p))), context);
}

void
regression_merge(Regression *r, const Regression *other)
{
	row_count_add(&r->n, other->n, TYPE_NAME);
	row_count_add(&r->null_count, other->null_count, TYPE_NAME);
	row_count_add(&r->nan_count, other->nan_count, TYPE_NAME);
	r->zero_actuals += other->zero_actuals;
	r->max_error = Max(r->max_error, other->max_error);
	for (int i = 0; i < N_REGRESSION_SUMS; i++)
		exact_sum_combine(&r->sums[i], &other->sums[i], 1,
						  r->summary.context);
}

/* ----------
 * Stored form
 * ----------
 */

/* The sum of the weights of n rows of weight 1 */
static ExactSum
sum_of_ones(int64 n)
{
	ExactSum	sum = {0};

	if (n > 0)
		exact_sum_add_integer(&sum, (uint128) n, UNIT_BIT, 1,
							  CurrentMemoryContext);
	return sum;
}

static bool
is_zero(const ExactSum *sum)
{
	return exact_sum_square_value(sum) == 0;
}

/* Whether the weights add up to something else than the rows */
static bool
is_weighted(const Regression *r)
{
	ExactSum	difference = sum_of_ones(r->n);
	bool		result;

	exact_sum_combine(&difference, &r->sums[SUM_WEIGHT], -1,
					  CurrentMemoryContext);
	result = !is_zero(&difference);
	if (difference.cells != NULL)
		pfree(difference.cells);
	return result;
}

/* What was read must be what rows can add up to, as far as that shows. */
static void
check_sums(Archive *ar, const Regression *r, bool weighted)
{
	double		weight = exact_sum_square_value(&r->sums[SUM_WEIGHT]);
	static const RegressionSum never_negative[] = {SUM_WEIGHT,
		SUM_ACTUAL_SQUARE, SUM_PREDICTED_SQUARE, SUM_ABSOLUTE_ERROR,
	SUM_RELATIVE_ERROR, SUM_SYMMETRIC_ERROR};

	if (weighted && !is_weighted(r))
		archive_fail(ar, "Weights are given, but all are 1.");
	for (int i = 0; i < (int) lengthof(never_negative); i++)
		if (exact_sum_square_value(&r->sums[never_negative[i]]) < 0)
			archive_fail(ar, "The sum \"%s\" is negative.",
						 sum_names[never_negative[i]]);
	if (weight == 0)
		for (int i = 0; i < N_REGRESSION_SUMS; i++)
			if (!is_zero(&r->sums[i]))
				archive_fail(ar, "There are sums without weight.");
	if (r->zero_actuals > r->n || !(r->max_error >= 0) ||
		(r->n == 0 && (weight != 0 || r->max_error != 0)))
		archive_fail(ar, "The counts do not fit the rows.");
	if (weight > WEIGHT_MAX * (double) r->n)
		archive_fail(ar, "The weights are too large.");
}

static void
archive_regression(Archive *ar, Summary *summary)
{
	Regression *r = (Regression *) summary;
	int			version = FORMAT_VERSION;
	bool		weighted = !archive_reading(ar) && is_weighted(r);

	archive_open(ar);
	archive_version(ar, FORMAT_VERSION, &version);
	archive_count(ar, "n", &r->n);
	archive_count(ar, "null_count", &r->null_count);
	archive_count(ar, "nan_count", &r->nan_count);
	archive_count(ar, "zero_actuals", &r->zero_actuals);
	archive_float(ar, "max_error", &r->max_error);
	archive_bool(ar, "weighted", &weighted);
	for (int i = weighted ? SUM_WEIGHT : SUM_WEIGHT + 1;
		 i < N_REGRESSION_SUMS; i++)
		exact_sum_archive(ar, sum_names[i], &r->sums[i],
						  EXACT_SUM_SQUARE_CELLS);
	archive_close(ar);

	if (archive_reading(ar) && !ar->failed)
	{
		if (!weighted)
			r->sums[SUM_WEIGHT] = sum_of_ones(r->n);
		check_sums(ar, r, weighted);
	}
}

Datum
mlmeta_regression_in(PG_FUNCTION_ARGS)
{
	return summary_in(fcinfo, &regression_type);
}

Datum
mlmeta_regression_out(PG_FUNCTION_ARGS)
{
	return summary_out(fcinfo, &regression_type);
}

Datum
mlmeta_regression_recv(PG_FUNCTION_ARGS)
{
	return summary_recv(fcinfo, &regression_type);
}

Datum
mlmeta_regression_send(PG_FUNCTION_ARGS)
{
	return summary_send(fcinfo, &regression_type);
}

/* ----------
 * Aggregates
 * ----------
 */

/*
 * (state, actual, predicted [, weight]): a row with a NULL, or with a number
 * that is not finite, is counted as such and takes no part.
 */
Datum
mlmeta_regression_transition(PG_FUNCTION_ARGS)
{
	Regression *r = summary_state(fcinfo, &regression_type);
	bool		weighted = PG_NARGS() > 3;

	if (r == NULL)
		r = summary_new_state(fcinfo, &regression_type, NULL);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || (weighted && PG_ARGISNULL(3)))
		row_count_add(&r->null_count, 1, TYPE_NAME);
	else
	{
		double		actual = PG_GETARG_FLOAT8(1);
		double		predicted = PG_GETARG_FLOAT8(2);
		double		weight = weighted ? PG_GETARG_FLOAT8(3) : 1;

		if (weighted)
			(void) weight_from_float(weight, TYPE_NAME);
		if (isfinite(actual) && isfinite(predicted))
			regression_add(r, actual, predicted, weight);
		else
			row_count_add(&r->nan_count, 1, TYPE_NAME);
	}
	return summary_datum(r);
}

/* COMBINEFUNC of regression, and SFUNC of merge(regression) */
Datum
mlmeta_regression_combine(PG_FUNCTION_ARGS)
{
	Regression *r = summary_state(fcinfo, &regression_type);
	Regression *other;

	if (PG_ARGISNULL(1))
	{
		if (r == NULL)
			PG_RETURN_NULL();
		return summary_datum(r);
	}
	other = summary_read(PG_GETARG_DATUM(1), &regression_type);
	if (r == NULL)
		r = summary_new_state(fcinfo, &regression_type, &other->summary);
	else
		regression_merge(r, other);
	return summary_datum(r);
}

/* The state itself, for reading: windows and shared states ask repeatedly. */
Datum
mlmeta_regression_final(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(MakeExpandedObjectReadOnly(PG_GETARG_DATUM(0), false,
											   -1));
}

Datum
mlmeta_regression_plus(PG_FUNCTION_ARGS)
{
	Regression *a = summary_read(PG_GETARG_DATUM(0), &regression_type);
	Regression *b = summary_read(PG_GETARG_DATUM(1), &regression_type);
	Regression *sum = summary_make(&regression_type);

	regression_merge(sum, a);
	regression_merge(sum, b);
	return summary_datum(sum);
}

/* ----------
 * Counts
 * ----------
 */

static Regression *
argument(FunctionCallInfo fcinfo)
{
	return summary_read(PG_GETARG_DATUM(0), &regression_type);
}

static double
sum_value(const Regression *r, RegressionSum which)
{
	return exact_sum_square_value(&r->sums[which]);
}

Datum
mlmeta_regression_n(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(argument(fcinfo)->n);
}

Datum
mlmeta_regression_null_count(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(argument(fcinfo)->null_count);
}

Datum
mlmeta_regression_nan_count(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(argument(fcinfo)->nan_count);
}

Datum
mlmeta_regression_zero_actuals(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(argument(fcinfo)->zero_actuals);
}

Datum
mlmeta_regression_total_weight(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(sum_value(argument(fcinfo), SUM_WEIGHT));
}

/* ----------
 * Errors
 * ----------
 */

/*
 * value * 2^exponent: squares of tiny and of huge numbers are no float8, their
 * roots and ratios are
 */
typedef struct Scaled
{
	double		value;
	int			exponent;		/* even */
} Scaled;

#define TINY_SQUARE		1.1830521861667747e-271	/* 2^-900 */

static Scaled
scaled_value(const ExactSum *sum)
{
	Scaled		result = {exact_sum_square_value(sum), 0};

	if (fabs(result.value) < TINY_SQUARE)
		result.exponent = -1074;
	else if (isinf(result.value))
		result.exponent = 1200;
	if (result.exponent != 0)
		result.value = exact_sum_scaled_square(sum, result.exponent);
	return result;
}

/* sum (predicted - actual)^2 */
static ExactSum
squared_errors(const Regression *r)
{
	MemoryContext context = CurrentMemoryContext;
	ExactSum	sum = {0};

	exact_sum_combine(&sum, &r->sums[SUM_PREDICTED_SQUARE], 1, context);
	exact_sum_combine(&sum, &r->sums[SUM_PRODUCT], -1, context);
	exact_sum_combine(&sum, &r->sums[SUM_PRODUCT], -1, context);
	exact_sum_combine(&sum, &r->sums[SUM_ACTUAL_SQUARE], 1, context);
	return sum;
}

/* sum (predicted - actual) */
static ExactSum
errors(const Regression *r)
{
	ExactSum	sum = {0};

	exact_sum_combine(&sum, &r->sums[SUM_PREDICTED], 1, CurrentMemoryContext);
	exact_sum_combine(&sum, &r->sums[SUM_ACTUAL], -1, CurrentMemoryContext);
	return sum;
}

/* Values near 2^1024 have squares and sums that no float8 holds: 22003 */
static Datum
finite_datum(double value)
{
	if (unlikely(!isfinite(value)))
		float_overflow_error();
	return Float8GetDatum(value);
}

static Datum
weighted_mean(FunctionCallInfo fcinfo, RegressionSum which)
{
	Regression *r = argument(fcinfo);
	double		weight = sum_value(r, SUM_WEIGHT);

	if (weight == 0)
		PG_RETURN_NULL();
	return finite_datum(sum_value(r, which) / weight);
}

Datum
mlmeta_regression_mae(PG_FUNCTION_ARGS)
{
	return weighted_mean(fcinfo, SUM_ABSOLUTE_ERROR);
}

Datum
mlmeta_regression_smape(PG_FUNCTION_ARGS)
{
	return weighted_mean(fcinfo, SUM_SYMMETRIC_ERROR);
}

/* NULL if a row has no relative error */
Datum
mlmeta_regression_mape(PG_FUNCTION_ARGS)
{
	if (argument(fcinfo)->zero_actuals > 0)
		PG_RETURN_NULL();
	return weighted_mean(fcinfo, SUM_RELATIVE_ERROR);
}

Datum
mlmeta_regression_mse(PG_FUNCTION_ARGS)
{
	Regression *r = argument(fcinfo);
	ExactSum	squares = squared_errors(r);
	double		weight = sum_value(r, SUM_WEIGHT);

	if (weight == 0)
		PG_RETURN_NULL();
	return finite_datum(Max(exact_sum_square_value(&squares), 0) / weight);
}

Datum
mlmeta_regression_rmse(PG_FUNCTION_ARGS)
{
	Regression *r = argument(fcinfo);
	ExactSum	squares = squared_errors(r);
	Scaled		scaled = scaled_value(&squares);
	double		weight = sum_value(r, SUM_WEIGHT);

	if (weight == 0)
		PG_RETURN_NULL();
	return finite_datum(ldexp(sqrt(Max(scaled.value, 0) / weight),
							  scaled.exponent / 2));
}

Datum
mlmeta_regression_bias(PG_FUNCTION_ARGS)
{
	Regression *r = argument(fcinfo);
	ExactSum	sum = errors(r);
	double		weight = sum_value(r, SUM_WEIGHT);

	if (weight == 0)
		PG_RETURN_NULL();
	return finite_datum(exact_sum_square_value(&sum) / weight);
}

Datum
mlmeta_regression_max_error(PG_FUNCTION_ARGS)
{
	Regression *r = argument(fcinfo);

	if (r->n == 0)
		PG_RETURN_NULL();
	return finite_datum(r->max_error);
}

/* ----------
 * Explained variation
 * ----------
 */

/* A float close to a weighted mean, and how far the mean is from it */
typedef struct Center
{
	double		value;
	double		rest;
} Center;

/* (sum - value * weights) / weight */
static double
mean_minus(const ExactSum *sum, double value, const ExactSum *weights,
		   double weight)
{
	ExactSum	rest = {0};

	exact_sum_combine(&rest, sum, 1, CurrentMemoryContext);
	add_multiple(&rest, weights, -value);
	return exact_sum_square_value(&rest) / weight;
}

/*
 * The second step finds the mean itself where it is a float, so that nothing
 * is left of a constant.
 */
static Center
find_center(const ExactSum *sum, const ExactSum *weights)
{
	double		weight = exact_sum_square_value(weights);
	Center		center = {exact_sum_square_value(sum) / weight, 0};

	if (!isfinite(center.value))
		float_overflow_error();
	center.value += mean_minus(sum, center.value, weights, weight);
	center.rest = mean_minus(sum, center.value, weights, weight);
	return center;
}

/*
 * sum (x - mean x)(y - mean y), from the sums of x, y and x * y. The terms
 * that cancel are added exactly.
 */
static Scaled
deviation(const ExactSum *x, const ExactSum *y, const ExactSum *products,
		  const ExactSum *weights)
{
	Center		x_center = find_center(x, weights);
	Center		y_center = find_center(y, weights);
	ExactSum	sum = {0};
	ExactSum	shifted = {0};
	Scaled		result;

	/* sum (x - a)(y - b) = sum xy - b sum x - a (sum y - b sum 1) */
	exact_sum_combine(&sum, products, 1, CurrentMemoryContext);
	add_multiple(&sum, x, -y_center.value);
	exact_sum_combine(&shifted, y, 1, CurrentMemoryContext);
	add_multiple(&shifted, weights, -y_center.value);
	add_multiple(&sum, &shifted, -x_center.value);
	result = scaled_value(&sum);
	result.value -= exact_sum_square_value(weights) *
		ldexp(x_center.rest, -result.exponent / 2) *
		ldexp(y_center.rest, -result.exponent / 2);
	return result;
}

static Scaled
actual_deviation(const Regression *r)
{
	return deviation(&r->sums[SUM_ACTUAL], &r->sums[SUM_ACTUAL],
					 &r->sums[SUM_ACTUAL_SQUARE], &r->sums[SUM_WEIGHT]);
}

/* 1 - unexplained / total; a constant truth is explained fully or not at all */
static double
explained(Scaled unexplained, Scaled total)
{
	if (total.value > 0)
		return 1 - ldexp(unexplained.value / total.value,
						 unexplained.exponent - total.exponent);
	return unexplained.value > 0 ? 0 : 1;
}

Datum
mlmeta_regression_r2(PG_FUNCTION_ARGS)
{
	Regression *r = argument(fcinfo);
	ExactSum	squares;

	if (r->n < 2 || sum_value(r, SUM_WEIGHT) == 0)
		PG_RETURN_NULL();
	squares = squared_errors(r);
	return finite_datum(explained(scaled_value(&squares),
								  actual_deviation(r)));
}

Datum
mlmeta_regression_explained_variance(PG_FUNCTION_ARGS)
{
	Regression *r = argument(fcinfo);
	ExactSum	sum;
	ExactSum	squares;

	if (sum_value(r, SUM_WEIGHT) == 0)
		PG_RETURN_NULL();
	sum = errors(r);
	squares = squared_errors(r);
	return finite_datum(explained(deviation(&sum, &sum, &squares,
											&r->sums[SUM_WEIGHT]),
								  actual_deviation(r)));
}

/* Correlation of actual and predicted; NULL if one of them is constant */
Datum
mlmeta_regression_pearson(PG_FUNCTION_ARGS)
{
	Regression *r = argument(fcinfo);
	const ExactSum *sums = r->sums;
	Scaled		actual;
	Scaled		predicted;
	Scaled		common;
	double		correlation;

	if (sum_value(r, SUM_WEIGHT) == 0)
		PG_RETURN_NULL();
	actual = actual_deviation(r);
	predicted = deviation(&sums[SUM_PREDICTED], &sums[SUM_PREDICTED],
						  &sums[SUM_PREDICTED_SQUARE], &sums[SUM_WEIGHT]);
	if (!(actual.value > 0 && predicted.value > 0))
		PG_RETURN_NULL();
	common = deviation(&sums[SUM_ACTUAL], &sums[SUM_PREDICTED],
					   &sums[SUM_PRODUCT], &sums[SUM_WEIGHT]);
	correlation = ldexp(common.value / sqrt(actual.value) /
						sqrt(predicted.value), common.exponent -
						(actual.exponent + predicted.exponent) / 2);
	(void) finite_datum(correlation);
	PG_RETURN_FLOAT8(Max(Min(correlation, 1), -1));
}
