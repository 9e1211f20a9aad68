/*-------------------------------------------------------------------------
 *
 * principal_components.c
 *		Principal components of a moment matrix, and how well they reconstruct
 *		rows and other moment matrices.
 *
 * Formulas, conventions and sources: doc/statistics-multivariate.md.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "stats/vectors/float_array.h"
#include "stats/vectors/linear_algebra.h"
#include "stats/vectors/moment_matrix.h"
#include "utils/array.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(mlmeta_principal_components);
PG_FUNCTION_INFO_V1(mlmeta_reconstruction_error);
PG_FUNCTION_INFO_V1(mlmeta_reconstruction_mse);

/* The space in which rows are looked at, and its axes */
typedef struct Components
{
	int			dimensions;
	double	   *center;
	double	   *scale;
	double	   *eigenvalues;	/* descending, of dimensions */
	double	   *axes;			/* as rows, dimensions of them */
} Components;

/*
 * Of the covariances of the features or, if standardize, of the features
 * divided by their standard deviation (with divisor n; a constant feature is
 * left as it is), which makes them correlations. m has at least two rows.
 */
static Components
components_of(const MomentMatrix *m, bool standardize)
{
	Components	result;
	int			d = m->dimensions;
	double	   *matrix = moment_matrix_deviations(m);
	double		divisor = standardize ? (double) m->n : (double) (m->n - 1);

	result.dimensions = d;
	result.center = palloc(d * sizeof(double));
	result.scale = palloc(d * sizeof(double));
	result.eigenvalues = palloc(d * sizeof(double));
	result.axes = palloc((Size) d * d * sizeof(double));
	for (int i = 0; i < d; i++)
	{
		double		sd = sqrt(matrix[(Size) i * d + i] / (double) m->n);

		result.center[i] = moment_matrix_mean(m, i);
		result.scale[i] = standardize && sd > 0 ? sd : 1;
	}
	for (int i = 0; i < d; i++)
		for (int j = 0; j < d; j++)
			matrix[(Size) i * d + j] = matrix[(Size) i * d + j] / divisor /
				result.scale[i] / result.scale[j];
	symmetric_eigen(matrix, d, result.eigenvalues, result.axes);
	for (int i = 0; i < d; i++)
		result.eigenvalues[i] = Max(0, result.eigenvalues[i]);
	pfree(matrix);
	return result;
}

static double
total_variance(const Components *components)
{
	double		total = 0;

	for (int i = 0; i < components->dimensions; i++)
		total += components->eigenvalues[i];
	return total;
}

/*
 * How many components are meant: a whole number of them, or, below 1, as many
 * as explain more than this share of the variance. Raises 22023.
 */
static int
n_components(const Components *components, double wanted)
{
	double		total = total_variance(components);
	double		explained = 0;
	int			n = 0;

	if (!(wanted > 0 && wanted <= components->dimensions) ||
		(wanted >= 1 && wanted != floor(wanted)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is no number of principal components",
						float8out_internal(wanted)),
				 errhint("It must be a whole number from 1 to %d, or a share "
						 "of the variance between 0 and 1.",
						 components->dimensions)));
	if (wanted >= 1)
		return (int) wanted;
	do
		explained += components->eigenvalues[n++];
	while (n < components->dimensions && explained <= wanted * total);
	return n;
}

/* Rows (component, eigenvalue, share, loadings) */
Datum
mlmeta_principal_components(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MomentMatrix *m;
	Components	components;
	Datum	   *loadings;
	double		total;
	int			d;
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
		return (Datum) 0;
	m = moment_matrix_argument(fcinfo, 0);
	d = m->dimensions;
	if (m->n < 2)
		return (Datum) 0;
	components = components_of(m, PG_GETARG_BOOL(2));
	total = total_variance(&components);
	n = PG_ARGISNULL(1) ? d :
		n_components(&components, PG_GETARG_FLOAT8(1));
	loadings = palloc(d * sizeof(Datum));
	for (int i = 0; i < n; i++)
	{
		Datum		values[4];
		bool		nulls[4] = {false};

		for (int j = 0; j < d; j++)
			loadings[j] =
				Float8GetDatum(components.axes[(Size) i * d + j]);
		values[0] = Int32GetDatum(i + 1);
		values[1] = Float8GetDatum(components.eigenvalues[i]);
		values[2] = Float8GetDatum(components.eigenvalues[i] / total);
		nulls[2] = total == 0;
		values[3] = PointerGetDatum(construct_array(loadings, d, FLOAT8OID,
													sizeof(float8),
													FLOAT8PASSBYVAL,
													TYPALIGN_DOUBLE));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}

/* ----------
 * Reconstruction of rows
 * ----------
 */

/* The components found for the arguments of an earlier call */
typedef struct Cache
{
	MemoryContext context;		/* holds what follows, emptied to refill */
	struct varlena *key;		/* the moment matrix, or its toast pointer */
	double		wanted;
	bool		standardize;
	bool		is_defined;		/* false: too few rows */
	Components	components;
	int			n;
	double	   *residual;		/* scratch for one row */
} Cache;

/*
 * The components for arguments 0, 2 and 3, which hardly ever change from one
 * row to the next.
 */
static Cache *
cached_components(FunctionCallInfo fcinfo)
{
	struct varlena *raw = (struct varlena *) PG_GETARG_POINTER(0);
	double		wanted = PG_GETARG_FLOAT8(2);
	bool		standardize = PG_GETARG_BOOL(3);
	Cache	   *cache = fcinfo->flinfo->fn_extra;
	MemoryContext old;
	MomentMatrix *m;

	/* stored bytes, or a toast pointer: equal ones mean one value */
	if (VARATT_IS_EXTERNAL_EXPANDED(raw))
		raw = PG_DETOAST_DATUM(PointerGetDatum(raw));
	if (cache != NULL && cache->key != NULL && cache->wanted == wanted &&
		cache->standardize == standardize &&
		VARSIZE_ANY(cache->key) == VARSIZE_ANY(raw) &&
		memcmp(cache->key, raw, VARSIZE_ANY(raw)) == 0)
		return cache;

	if (cache == NULL)
	{
		cache = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt,
									   sizeof(Cache));
		cache->context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt,
											   "mlmeta principal components",
											   ALLOCSET_DEFAULT_SIZES);
		fcinfo->flinfo->fn_extra = cache;
	}
	cache->key = NULL;
	MemoryContextReset(cache->context);
	m = summary_read(PointerGetDatum(raw), &moment_matrix_type);
	old = MemoryContextSwitchTo(cache->context);
	cache->is_defined = m->n >= 2;
	if (cache->is_defined)
	{
		cache->components = components_of(m, standardize);
		cache->n = n_components(&cache->components, wanted);
		cache->residual = palloc(m->dimensions * sizeof(double));
	}
	cache->wanted = wanted;
	cache->standardize = standardize;
	cache->key = memcpy(palloc(VARSIZE_ANY(raw)), raw, VARSIZE_ANY(raw));
	MemoryContextSwitchTo(old);
	return cache;
}

/*
 * (moments, features, components, standardize): the distance of a row from
 * what the components make of it. NULL for a row with a NULL or with a number
 * that is not finite, and if the moments are of fewer than two rows.
 */
Datum
mlmeta_reconstruction_error(PG_FUNCTION_ARGS)
{
	Cache	   *cache = cached_components(fcinfo);
	const Components *components = &cache->components;
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);
	double	   *residual = cache->residual;
	const double *features;
	double		square = 0;
	int			d;

	features = float_array_values(array, MOMENT_MATRIX_MAX_DIMENSIONS,
								  "features", &d);
	if (!cache->is_defined || features == NULL ||
		!floats_are_finite(features, d))
		PG_RETURN_NULL();
	if (d != components->dimensions)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("a row has not the features of the moment_matrix"),
				 errdetail("The row has %d, the moment_matrix %d.", d,
						   components->dimensions)));
	for (int i = 0; i < d; i++)
		residual[i] = (features[i] - components->center[i]) /
			components->scale[i];
	for (int k = 0; k < cache->n; k++)
	{
		const double *axis = components->axes + (Size) k * d;
		double		score = 0;

		for (int i = 0; i < d; i++)
			score += axis[i] * residual[i];
		for (int i = 0; i < d; i++)
			residual[i] -= score * axis[i];
	}
	for (int i = 0; i < d; i++)
		square += residual[i] * residual[i];
	PG_RETURN_FLOAT8(sqrt(square));
}

/*
 * (reference, current, components, standardize): the mean over the current
 * rows of the squared reconstruction error, from the moments alone.
 */
Datum
mlmeta_reconstruction_mse(PG_FUNCTION_ARGS)
{
	MomentMatrix *r = moment_matrix_argument(fcinfo, 0);
	MomentMatrix *c = moment_matrix_argument(fcinfo, 1);
	int			d = r->dimensions;
	double		result = 0;
	Components	components;
	double	   *deviations;
	double	   *shift;
	int			n;

	moment_matrix_check_same(r, c);
	if (r->n < 2 || c->n == 0)
		PG_RETURN_NULL();
	components = components_of(r, PG_GETARG_BOOL(3));
	n = n_components(&components, PG_GETARG_FLOAT8(2));
	deviations = moment_matrix_deviations(c);
	shift = palloc(d * sizeof(double));
	for (int i = 0; i < d; i++)
		shift[i] = (moment_matrix_mean(c, i) - components.center[i]) /
			components.scale[i];

	/* the second moment about the reference's mean, along what is left out */
	for (int k = n; k < d; k++)
	{
		const double *axis = components.axes + (Size) k * d;
		double		along = 0;

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < d; i++)
		{
			double		sum = 0;

			for (int j = 0; j < d; j++)
				sum += deviations[(Size) i * d + j] /
					components.scale[j] * axis[j];
			result += sum / components.scale[i] * axis[i] / (double) c->n;
			along += shift[i] * axis[i];
		}
		result += along * along;
	}
	PG_RETURN_FLOAT8(Max(0, result));
}
