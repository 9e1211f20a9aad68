/*-------------------------------------------------------------------------
 *
 * moment_matrix.c
 *		The type moment_matrix: aggregates, stored form, means, covariances.
 *
 * What compares two of them is in multivariate.c, principal components are in
 * principal_components.c.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "stats/vectors/float_array.h"
#include "stats/vectors/moment_matrix.h"
#include "stats/quality/weight.h"
#include "utils/array.h"

#define TYPE_NAME	"moment_matrix"

#define FORMAT_VERSION	1

PG_FUNCTION_INFO_V1(mlmeta_moment_matrix_in);
PG_FUNCTION_INFO_V1(mlmeta_moment_matrix_out);
PG_FUNCTION_INFO_V1(mlmeta_moment_matrix_recv);
PG_FUNCTION_INFO_V1(mlmeta_moment_matrix_send);
PG_FUNCTION_INFO_V1(mlmeta_moment_matrix_transition);
PG_FUNCTION_INFO_V1(mlmeta_moment_matrix_combine);
PG_FUNCTION_INFO_V1(mlmeta_moment_matrix_final);
PG_FUNCTION_INFO_V1(mlmeta_moment_matrix_plus);
PG_FUNCTION_INFO_V1(mlmeta_moment_matrix_n);
PG_FUNCTION_INFO_V1(mlmeta_moment_matrix_null_count);
PG_FUNCTION_INFO_V1(mlmeta_moment_matrix_nan_count);
PG_FUNCTION_INFO_V1(mlmeta_moment_matrix_dimensions);
PG_FUNCTION_INFO_V1(mlmeta_moment_matrix_means);
PG_FUNCTION_INFO_V1(mlmeta_moment_matrix_covariance);
PG_FUNCTION_INFO_V1(mlmeta_moment_matrix_correlation);

static void archive_moment_matrix(Archive *ar, Summary *summary);

const SummaryType moment_matrix_type = {
	TYPE_NAME, sizeof(MomentMatrix), archive_moment_matrix
};

static inline int
n_products(int dimensions)
{
	return dimensions * (dimensions + 1) / 2;
}

/* ----------
 * Rows
 * ----------
 */

/* From now on the features are so many. */
static void
set_dimensions(MomentMatrix *m, int dimensions)
{
	MemoryContext context = m->summary.context;

	m->dimensions = dimensions;
	m->sums = MemoryContextAllocZero(context, dimensions * sizeof(ExactSum));
	m->products = MemoryContextAllocZero(context, n_products(dimensions) *
										 sizeof(ExactSum));
}

void
moment_matrix_check_same(const MomentMatrix *a, const MomentMatrix *b)
{
	if (a->dimensions != b->dimensions &&
		a->dimensions != 0 && b->dimensions != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("values of type %s have different features",
						TYPE_NAME),
				 errdetail("They have %d and %d.", a->dimensions,
						   b->dimensions)));
}

static void
add_features(MomentMatrix *m, const double *features)
{
	MemoryContext context = m->summary.context;
	ExactSum   *product = m->products;
	FloatParts *parts;

	if (m->parts == NULL)
		m->parts = MemoryContextAlloc(context,
									  m->dimensions * sizeof(FloatParts));
	parts = m->parts;
	row_count_add(&m->n, 1, TYPE_NAME);
	for (int i = 0; i < m->dimensions; i++)
	{
		parts[i] = float_parts(features[i]);
		exact_sum_add_integer(&m->sums[i], parts[i].mantissa,
							  parts[i].position, parts[i].sign, context);
	}
	for (int i = 0; i < m->dimensions; i++)
		for (int j = i; j < m->dimensions; j++, product++)
			exact_sum_add_integer(product, (uint128) parts[i].mantissa *
								  parts[j].mantissa,
								  parts[i].position + parts[j].position,
								  parts[i].sign * parts[j].sign, context);
}

static void
merge(MomentMatrix *m, const MomentMatrix *other)
{
	MemoryContext context = m->summary.context;

	moment_matrix_check_same(m, other);
	if (m->dimensions == 0 && other->dimensions != 0)
		set_dimensions(m, other->dimensions);
	row_count_add(&m->n, other->n, TYPE_NAME);
	row_count_add(&m->null_count, other->null_count, TYPE_NAME);
	row_count_add(&m->nan_count, other->nan_count, TYPE_NAME);
	for (int i = 0; i < other->dimensions; i++)
		exact_sum_combine(&m->sums[i], &other->sums[i], 1, context);
	for (int i = 0; i < n_products(other->dimensions); i++)
		exact_sum_combine(&m->products[i], &other->products[i], 1, context);
}

/* ----------
 * Stored form
 * ----------
 */

static bool
is_zero(const ExactSum *sum, bool is_product)
{
	return (is_product ? exact_sum_square_value(sum) :
			exact_sum_value(sum)) == 0;
}

/* What was read must be what rows can add up to, as far as that shows. */
static void
check_sums(Archive *ar, const MomentMatrix *m)
{
	const ExactSum *product = m->products;

	for (int i = 0; i < m->dimensions; i++)
	{
		if (exact_sum_square_value(product) < 0)
			archive_fail(ar, "A sum of squares is negative.");
		product += m->dimensions - i;
	}
	if (m->n > 0)
		return;
	for (int i = 0; i < m->dimensions; i++)
		if (!is_zero(&m->sums[i], false))
			archive_fail(ar, "There are sums without rows.");
	for (int i = 0; i < n_products(m->dimensions); i++)
		if (!is_zero(&m->products[i], true))
			archive_fail(ar, "There are sums without rows.");
}

static void
archive_sums(Archive *ar, const char *list, ExactSum *sums, int n,
			 int max_cells)
{
	int			length = n;

	archive_list(ar, list, &length, n);
	if (archive_reading(ar) && !ar->failed && length != n)
		archive_fail(ar, "The field \"%s\" needs %d elements.", list, n);
	for (int i = 0; i < n && !ar->failed; i++)
	{
		CHECK_FOR_INTERRUPTS();
		archive_open(ar);
		exact_sum_archive(ar, "sum", &sums[i], max_cells);
		archive_close(ar);
	}
	archive_list_end(ar);
}

static void
archive_moment_matrix(Archive *ar, Summary *summary)
{
	MomentMatrix *m = (MomentMatrix *) summary;
	int			version = FORMAT_VERSION;
	int64		dimensions = m->dimensions;

	archive_open(ar);
	archive_version(ar, FORMAT_VERSION, &version);
	archive_count(ar, "n", &m->n);
	archive_count(ar, "null_count", &m->null_count);
	archive_count(ar, "nan_count", &m->nan_count);
	archive_count(ar, "dimensions", &dimensions);
	if (archive_reading(ar) && !ar->failed)
	{
		/* each sum takes several bytes: no more are allocated than come */
		if (dimensions > MOMENT_MATRIX_MAX_DIMENSIONS)
			archive_fail(ar, "There are more than %d features.",
						 MOMENT_MATRIX_MAX_DIMENSIONS);
		else if (n_products((int) dimensions) > ar->end - ar->cursor)
			archive_fail(ar, "The value is too short for %d features.",
						 (int) dimensions);
		else if (dimensions == 0 && m->n > 0)
			archive_fail(ar, "There are rows without features.");
		else if (dimensions > 0)
			set_dimensions(m, (int) dimensions);
	}
	if (ar->failed)
		return;
	archive_sums(ar, "sums", m->sums, m->dimensions, EXACT_SUM_VALUE_CELLS);
	archive_sums(ar, "products", m->products, n_products(m->dimensions),
				 EXACT_SUM_SQUARE_CELLS);
	archive_close(ar);
	if (archive_reading(ar) && !ar->failed)
		check_sums(ar, m);
}

Datum
mlmeta_moment_matrix_in(PG_FUNCTION_ARGS)
{
	return summary_in(fcinfo, &moment_matrix_type);
}

Datum
mlmeta_moment_matrix_out(PG_FUNCTION_ARGS)
{
	return summary_out(fcinfo, &moment_matrix_type);
}

Datum
mlmeta_moment_matrix_recv(PG_FUNCTION_ARGS)
{
	return summary_recv(fcinfo, &moment_matrix_type);
}

Datum
mlmeta_moment_matrix_send(PG_FUNCTION_ARGS)
{
	return summary_send(fcinfo, &moment_matrix_type);
}

/* ----------
 * Aggregates
 * ----------
 */

/* (state, features float8[]); all arrays of a group have one length */
Datum
mlmeta_moment_matrix_transition(PG_FUNCTION_ARGS)
{
	MomentMatrix *m = summary_state(fcinfo, &moment_matrix_type);
	ArrayType  *array;
	const double *features;
	int			dimensions;

	if (m == NULL)
		m = summary_new_state(fcinfo, &moment_matrix_type, NULL);
	if (PG_ARGISNULL(1))
	{
		row_count_add(&m->null_count, 1, TYPE_NAME);
		return summary_datum(m);
	}
	array = PG_GETARG_ARRAYTYPE_P(1);
	features = float_array_values(array, MOMENT_MATRIX_MAX_DIMENSIONS,
								  "features", &dimensions);
	if (m->dimensions == 0)
		set_dimensions(m, dimensions);
	if (unlikely(dimensions != m->dimensions))
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("rows of a %s have different numbers of features",
						TYPE_NAME),
				 errdetail("This row has %d, an earlier one had %d.",
						   dimensions, m->dimensions)));
	if (features == NULL)
		row_count_add(&m->null_count, 1, TYPE_NAME);
	else if (!floats_are_finite(features, dimensions))
		row_count_add(&m->nan_count, 1, TYPE_NAME);
	else
		add_features(m, features);
	PG_FREE_IF_COPY(array, 1);
	return summary_datum(m);
}

/* COMBINEFUNC of moments, and SFUNC of merge(moment_matrix) */
Datum
mlmeta_moment_matrix_combine(PG_FUNCTION_ARGS)
{
	MomentMatrix *m = summary_state(fcinfo, &moment_matrix_type);
	MomentMatrix *other;

	if (PG_ARGISNULL(1))
	{
		if (m == NULL)
			PG_RETURN_NULL();
		return summary_datum(m);
	}
	other = moment_matrix_argument(fcinfo, 1);
	if (m == NULL)
		m = summary_new_state(fcinfo, &moment_matrix_type, &other->summary);
	else
		merge(m, other);
	return summary_datum(m);
}

/* The state itself, for reading: windows and shared states ask repeatedly. */
Datum
mlmeta_moment_matrix_final(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(MakeExpandedObjectReadOnly(PG_GETARG_DATUM(0), false,
											   -1));
}

Datum
mlmeta_moment_matrix_plus(PG_FUNCTION_ARGS)
{
	MomentMatrix *sum = summary_make(&moment_matrix_type);

	merge(sum, moment_matrix_argument(fcinfo, 0));
	merge(sum, moment_matrix_argument(fcinfo, 1));
	return summary_datum(sum);
}

/* ----------
 * Means and covariances
 * ----------
 */

double
moment_matrix_mean(const MomentMatrix *m, int feature)
{
	return exact_sum_value(&m->sums[feature]) / (double) m->n;
}

double *
moment_matrix_deviations(const MomentMatrix *m)
{
	int			d = m->dimensions;
	double	   *result = palloc((Size) d * d * sizeof(double));
	const ExactSum *product = m->products;

	for (int i = 0; i < d; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int j = i; j < d; j++, product++)
		{
			double		sum = i == j ?
				exact_sum_deviation(&m->sums[i], product, m->n) :
				exact_sum_codeviation(&m->sums[i], &m->sums[j], product,
									  m->n);

			if (!isfinite(sum))
				ereport(ERROR,
						(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						 errmsg("covariances of a %s are out of range",
								TYPE_NAME),
						 errhint("Scale the features down.")));
			result[(Size) i * d + j] = result[(Size) j * d + i] = sum;
		}
	}
	return result;
}

double *
moment_matrix_correlations(const MomentMatrix *m)
{
	int			d = m->dimensions;
	double	   *matrix = moment_matrix_deviations(m);
	double	   *scale = palloc(d * sizeof(double));

	for (int i = 0; i < d; i++)
		scale[i] = sqrt(matrix[(Size) i * d + i]);
	for (int i = 0; i < d; i++)
		for (int j = i; j < d; j++)
		{
			double		r = matrix[(Size) i * d + j];

			if (scale[i] == 0 || scale[j] == 0)
				r = NAN;
			else
				r = i == j ? 1 : Max(-1, Min(1, r / scale[i] / scale[j]));
			/* which of two divisions comes first shows in the last bit */
			matrix[(Size) i * d + j] = matrix[(Size) j * d + i] = r;
		}
	pfree(scale);
	return matrix;
}

Datum
mlmeta_moment_matrix_n(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(moment_matrix_argument(fcinfo, 0)->n);
}

Datum
mlmeta_moment_matrix_null_count(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(moment_matrix_argument(fcinfo, 0)->null_count);
}

Datum
mlmeta_moment_matrix_nan_count(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(moment_matrix_argument(fcinfo, 0)->nan_count);
}

Datum
mlmeta_moment_matrix_dimensions(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(moment_matrix_argument(fcinfo, 0)->dimensions);
}

/* float8[], NULL without rows */
Datum
mlmeta_moment_matrix_means(PG_FUNCTION_ARGS)
{
	MomentMatrix *m = moment_matrix_argument(fcinfo, 0);
	Datum	   *values;

	if (m->n == 0)
		PG_RETURN_NULL();
	values = palloc(m->dimensions * sizeof(Datum));
	for (int i = 0; i < m->dimensions; i++)
		values[i] = Float8GetDatum(moment_matrix_mean(m, i));
	PG_RETURN_ARRAYTYPE_P(construct_array(values, m->dimensions, FLOAT8OID,
										  sizeof(float8), FLOAT8PASSBYVAL,
										  TYPALIGN_DOUBLE));
}

/* A square float8[][]; elements that are NaN become NULL */
static Datum
matrix_datum(const double *matrix, int d)
{
	Datum	   *values = palloc((Size) d * d * sizeof(Datum));
	bool	   *nulls = palloc((Size) d * d * sizeof(bool));
	int			dims[2] = {d, d};
	int			bounds[2] = {1, 1};

	for (int i = 0; i < d * d; i++)
	{
		values[i] = Float8GetDatum(matrix[i]);
		nulls[i] = isnan(matrix[i]);
	}
	PG_RETURN_ARRAYTYPE_P(construct_md_array(values, nulls, 2, dims, bounds,
											 FLOAT8OID, sizeof(float8),
											 FLOAT8PASSBYVAL,
											 TYPALIGN_DOUBLE));
}

/* Sample covariances, divisor n - 1; NULL with fewer than two rows */
Datum
mlmeta_moment_matrix_covariance(PG_FUNCTION_ARGS)
{
	MomentMatrix *m = moment_matrix_argument(fcinfo, 0);
	double	   *matrix;

	if (m->n < 2)
		PG_RETURN_NULL();
	matrix = moment_matrix_deviations(m);
	for (int i = 0; i < m->dimensions * m->dimensions; i++)
		matrix[i] /= (double) (m->n - 1);
	return matrix_datum(matrix, m->dimensions);
}

/*
 * Pearson's correlations; those of a constant feature are NULL. NULL with
 * fewer than two rows.
 */
Datum
mlmeta_moment_matrix_correlation(PG_FUNCTION_ARGS)
{
	MomentMatrix *m = moment_matrix_argument(fcinfo, 0);

	if (m->n < 2)
		PG_RETURN_NULL();
	return matrix_datum(moment_matrix_correlations(m), m->dimensions);
}
