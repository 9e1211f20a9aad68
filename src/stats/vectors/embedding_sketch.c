/*-------------------------------------------------------------------------
 *
 * embedding_sketch.c
 *		The type embedding_sketch: aggregates, stored form, and the maximum
 *		mean discrepancy of two samples.
 *
 * Formulas, conventions and sources: doc/statistics-multivariate.md.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "stats/vectors/embedding_sketch.h"
#include "stats/vectors/float_array.h"
#include "stats/laws/distributions.h"
#include "stats/options.h"
#include "stats/quality/weight.h"
#include "utils/float.h"
#include "utils/lsyscache.h"

#define TYPE_NAME	"embedding_sketch"

#define FORMAT_VERSION	1

#define UNITS			4294967296.0	/* of a sum, in 1 */

/* Rounding to units moves the square of a distance by less than this. */
#define RESOLUTION		1e-9

#define DEFAULT_FEATURES	256
#define DEFAULT_SIGMA		1.0
#define DEFAULT_SEED		1

PG_FUNCTION_INFO_V1(mlmeta_embedding_sketch_in);
PG_FUNCTION_INFO_V1(mlmeta_embedding_sketch_out);
PG_FUNCTION_INFO_V1(mlmeta_embedding_sketch_recv);
PG_FUNCTION_INFO_V1(mlmeta_embedding_sketch_send);
PG_FUNCTION_INFO_V1(mlmeta_embedding_sketch_transition);
PG_FUNCTION_INFO_V1(mlmeta_embedding_sketch_add_pair);
PG_FUNCTION_INFO_V1(mlmeta_embedding_sketch_combine);
PG_FUNCTION_INFO_V1(mlmeta_embedding_sketch_final);
PG_FUNCTION_INFO_V1(mlmeta_embedding_sketch_plus);
PG_FUNCTION_INFO_V1(mlmeta_embedding_sketch_n);
PG_FUNCTION_INFO_V1(mlmeta_embedding_sketch_null_count);
PG_FUNCTION_INFO_V1(mlmeta_embedding_sketch_dimensions);
PG_FUNCTION_INFO_V1(mlmeta_embedding_sketch_mmd);
PG_FUNCTION_INFO_V1(mlmeta_embedding_sketch_mmd2);
PG_FUNCTION_INFO_V1(mlmeta_embedding_sketch_mmd_final);

static void archive_embedding_sketch(Archive *ar, Summary *summary);

const SummaryType embedding_sketch_type = {
	TYPE_NAME, sizeof(EmbeddingSketch), archive_embedding_sketch
};

static EmbeddingSketch *
argument(FunctionCallInfo fcinfo, int argno)
{
	return summary_read(PG_GETARG_DATUM(argno), &embedding_sketch_type);
}

/* Where the sums of a sample begin */
static inline int64 *
sample_sums(const EmbeddingSketch *s, int sample)
{
	return s->sums + (Size) sample * s->features * 2;
}

static void
make_sums(EmbeddingSketch *s)
{
	s->sums = MemoryContextAllocZero(s->summary.context,
									 (Size) s->features * 4 * sizeof(int64));
}

/* ----------
 * Frequencies
 * ----------
 */

/* The finalizer of S. Vigna's SplitMix64: a hash of a counter */
static uint64
mix(uint64 x)
{
	x += UINT64CONST(0x9E3779B97F4A7C15);
	x = (x ^ (x >> 30)) * UINT64CONST(0xBF58476D1CE4E5B9);
	x = (x ^ (x >> 27)) * UINT64CONST(0x94D049BB133111EB);
	return x ^ (x >> 31);
}

/*
 * Each frequency depends on the seed and its place alone, so that sketches
 * made anywhere are of one kind. Part of the storage format.
 */
static void
make_frequencies(EmbeddingSketch *s)
{
	uint64		base = mix((uint64) s->seed);

	if ((int64) s->features * s->dimensions > SKETCH_MAX_FREQUENCIES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%d features of embeddings of %d dimensions are too "
						"many", s->features, s->dimensions),
				 errdetail("Their product is limited to %d.",
						   SKETCH_MAX_FREQUENCIES)));
	s->frequencies = MemoryContextAlloc(s->summary.context,
										(Size) s->features * s->dimensions *
										sizeof(double));
	for (int f = 0; f < s->features; f++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < s->dimensions; j++)
		{
			uint64		bits = mix(base + (uint64) f *
								   EMBEDDING_MAX_DIMENSIONS + j);
			double		p = ((double) (bits >> 11) + 0.5) /
				9007199254740992.0;

			s->frequencies[(Size) f * s->dimensions + j] =
				normal_quantile(p) / s->sigma;
		}
	}
}

/* ----------
 * Rows
 * ----------
 */

static void
count_rows(int64 *count, int64 more)
{
	if (*count + more > SKETCH_MAX_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a count of a %s is out of range", TYPE_NAME),
				 errdetail("Counts go up to %lld.",
						   (long long) SKETCH_MAX_ROWS)));
	*count += more;
}

static void
check_dimensions(const EmbeddingSketch *s, int dimensions)
{
	if (s->dimensions != 0 && s->dimensions != dimensions)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("embeddings of a group have different dimensions"),
				 errdetail("They have %d and %d.", s->dimensions,
						   dimensions)));
}

static void
add_embedding(EmbeddingSketch *s, int sample, const double *embedding)
{
	int64	   *sums = sample_sums(s, sample);

	if (s->frequencies == NULL)
		make_frequencies(s);
	count_rows(&s->n[sample], 1);
	for (int f = 0; f < s->features; f++)
	{
		const double *w = s->frequencies + (Size) f * s->dimensions;
		double		angle = 0;

		for (int j = 0; j < s->dimensions; j++)
			angle += w[j] * embedding[j];
		if (unlikely(!isfinite(angle)))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("an embedding is out of range for sigma %s",
							float8out_internal(s->sigma))));
		sums[2 * f] += llrint(cos(angle) * UNITS);
		sums[2 * f + 1] += llrint(sin(angle) * UNITS);
	}
}

static void
check_same_kind(const EmbeddingSketch *a, const EmbeddingSketch *b)
{
	if (a->features != b->features || a->seed != b->seed ||
		a->sigma != b->sigma)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("values of type %s have different options",
						TYPE_NAME),
				 errdetail("They are features=%d sigma=%s seed=%lld and "
						   "features=%d sigma=%s seed=%lld.", a->features,
						   float8out_internal(a->sigma),
						   (long long) a->seed, b->features,
						   float8out_internal(b->sigma),
						   (long long) b->seed),
				 errhint("Build both with the options of the reference.")));
	if (a->dimensions != 0 && b->dimensions != 0)
		check_dimensions(a, b->dimensions);
}

static void
merge(EmbeddingSketch *s, const EmbeddingSketch *other)
{
	check_same_kind(s, other);
	if (s->dimensions == 0)
		s->dimensions = other->dimensions;
	row_count_add(&s->null_count, other->null_count, TYPE_NAME);
	count_rows(&s->n[0], other->n[0]);
	count_rows(&s->n[1], other->n[1]);
	for (int i = 0; i < 4 * s->features; i++)
		s->sums[i] += other->sums[i];
}

/* ----------
 * Stored form
 * ----------
 */

/*
 * The sums of a sample with rows, as counts: twice the magnitude, and one more
 * if negative.
 */
static void
archive_sample(Archive *ar, EmbeddingSketch *s, int sample)
{
	static const char *const names[] = {"reference_sums", "current_sums"};
	int64	   *sums = sample_sums(s, sample);
	int			n = 2 * s->features;
	int64	   *counts = NULL;

	if (s->n[sample] == 0)
		return;
	if (!archive_reading(ar))
	{
		counts = palloc(n * sizeof(int64));
		for (int i = 0; i < n; i++)
			counts[i] = sums[i] < 0 ? -2 * sums[i] - 1 : 2 * sums[i];
	}
	archive_counts(ar, names[sample], &counts, &n, 2 * SKETCH_MAX_FEATURES);
	if (archive_reading(ar) && !ar->failed)
	{
		if (n != 2 * s->features)
		{
			archive_fail(ar, "The field \"%s\" needs %d elements.",
						 names[sample], 2 * s->features);
			return;
		}
		for (int i = 0; i < n; i++)
		{
			sums[i] = counts[i] % 2 ? -(counts[i] / 2) - 1 : counts[i] / 2;
			if (fabs((double) sums[i]) > UNITS * (double) s->n[sample])
				archive_fail(ar, "A sum is too large for the rows.");
		}
	}
	if (counts != NULL)
		pfree(counts);
}

static void
archive_embedding_sketch(Archive *ar, Summary *summary)
{
	EmbeddingSketch *s = (EmbeddingSketch *) summary;
	int			version = FORMAT_VERSION;
	int64		features = s->features;
	int64		dimensions = s->dimensions;

	archive_open(ar);
	archive_version(ar, FORMAT_VERSION, &version);
	archive_count(ar, "features", &features);
	archive_float(ar, "sigma", &s->sigma);
	archive_count(ar, "seed", &s->seed);
	archive_count(ar, "dimensions", &dimensions);
	archive_count(ar, "null_count", &s->null_count);
	archive_count(ar, "n_reference", &s->n[0]);
	archive_count(ar, "n_current", &s->n[1]);
	if (archive_reading(ar) && !ar->failed)
	{
		if (features < SKETCH_MIN_FEATURES || features > SKETCH_MAX_FEATURES)
			archive_fail(ar, "The number of features is not from %d to %d.",
						 SKETCH_MIN_FEATURES, SKETCH_MAX_FEATURES);
		else if (dimensions > EMBEDDING_MAX_DIMENSIONS)
			archive_fail(ar, "There are more than %d dimensions.",
						 EMBEDDING_MAX_DIMENSIONS);
		else if (!(s->sigma > 0 && isfinite(s->sigma)))
			archive_fail(ar, "Sigma is not positive.");
		else if (s->n[0] > SKETCH_MAX_ROWS || s->n[1] > SKETCH_MAX_ROWS)
			archive_fail(ar, "There are more than %lld rows.",
						 (long long) SKETCH_MAX_ROWS);
		else if (dimensions == 0 && (s->n[0] > 0 || s->n[1] > 0))
			archive_fail(ar, "There are rows without dimensions.");
		else
		{
			s->features = (int) features;
			s->dimensions = (int) dimensions;
			make_sums(s);
		}
	}
	for (int sample = 0; sample < 2 && !ar->failed; sample++)
		archive_sample(ar, s, sample);
	archive_close(ar);
}

Datum
mlmeta_embedding_sketch_in(PG_FUNCTION_ARGS)
{
	return summary_in(fcinfo, &embedding_sketch_type);
}

Datum
mlmeta_embedding_sketch_out(PG_FUNCTION_ARGS)
{
	return summary_out(fcinfo, &embedding_sketch_type);
}

Datum
mlmeta_embedding_sketch_recv(PG_FUNCTION_ARGS)
{
	return summary_recv(fcinfo, &embedding_sketch_type);
}

Datum
mlmeta_embedding_sketch_send(PG_FUNCTION_ARGS)
{
	return summary_send(fcinfo, &embedding_sketch_type);
}

/* ----------
 * Aggregates
 * ----------
 */

/* Sets what options say; argno is theirs. */
static void
read_options(FunctionCallInfo fcinfo, int argno, EmbeddingSketch *s)
{
	int			seed = DEFAULT_SEED;
	const OptionSpec specs[] = {
		{"features", OPTION_INT, &s->features, SKETCH_MIN_FEATURES,
		SKETCH_MAX_FEATURES, NULL},
		{"sigma", OPTION_FLOAT, &s->sigma, 1e-100, 1e100, NULL},
		{"seed", OPTION_INT, &seed, 0, PG_INT32_MAX, NULL}
	};

	s->features = DEFAULT_FEATURES;
	s->sigma = DEFAULT_SIGMA;
	if (PG_NARGS() > argno && !PG_ARGISNULL(argno))
	{
		text	   *options = PG_GETARG_TEXT_PP(argno);
		Aggref	   *call = AggGetAggref(fcinfo);

		/* embeddings() or mmd() */
		options_parse(call != NULL ? get_func_name(call->aggfnoid) :
					  "embeddings", VARDATA_ANY(options),
					  VARSIZE_ANY_EXHDR(options), specs, lengthof(specs));
	}
	s->seed = seed;
}

/* The state, made by the first row; all rows have the same options. */
static EmbeddingSketch *
state_for(FunctionCallInfo fcinfo, int options_arg)
{
	EmbeddingSketch *s = summary_state(fcinfo, &embedding_sketch_type);

	if (s == NULL)
	{
		s = summary_new_state(fcinfo, &embedding_sketch_type, NULL);
		read_options(fcinfo, options_arg, s);
		make_sums(s);
		s->options_stable = PG_NARGS() <= options_arg ||
			aggregate_argument_is_stable(fcinfo, options_arg - 1);
	}
	else if (!s->options_stable)
	{
		EmbeddingSketch other = {0};

		read_options(fcinfo, options_arg, &other);
		check_same_kind(s, &other);
	}
	return s;
}

/* Adds argument 1; a row without a complete embedding is counted as such. */
static void
add_row(FunctionCallInfo fcinfo, EmbeddingSketch *s, int sample)
{
	ArrayType  *array;
	const double *embedding;
	int			dimensions;

	if (PG_ARGISNULL(1))
	{
		row_count_add(&s->null_count, 1, TYPE_NAME);
		return;
	}
	array = PG_GETARG_ARRAYTYPE_P(1);
	embedding = float_array_values(array, EMBEDDING_MAX_DIMENSIONS,
								   "embeddings", &dimensions);
	check_dimensions(s, dimensions);
	s->dimensions = dimensions;
	if (embedding == NULL || !floats_are_finite(embedding, dimensions))
		row_count_add(&s->null_count, 1, TYPE_NAME);
	else
		add_embedding(s, sample, embedding);
	PG_FREE_IF_COPY(array, 1);
}

/* (state, embedding float8[] [, options text]) */
Datum
mlmeta_embedding_sketch_transition(PG_FUNCTION_ARGS)
{
	EmbeddingSketch *s = state_for(fcinfo, 2);

	add_row(fcinfo, s, 0);
	return summary_datum(s);
}

/* (state, embedding float8[], is_current boolean [, options text]) */
Datum
mlmeta_embedding_sketch_add_pair(PG_FUNCTION_ARGS)
{
	EmbeddingSketch *s = state_for(fcinfo, 3);

	if (PG_ARGISNULL(2))
		row_count_add(&s->null_count, 1, TYPE_NAME);
	else
		add_row(fcinfo, s, PG_GETARG_BOOL(2));
	return summary_datum(s);
}

/* COMBINEFUNC of embeddings and mmd, and SFUNC of merge(embedding_sketch) */
Datum
mlmeta_embedding_sketch_combine(PG_FUNCTION_ARGS)
{
	EmbeddingSketch *s = summary_state(fcinfo, &embedding_sketch_type);
	EmbeddingSketch *other;

	if (PG_ARGISNULL(1))
	{
		if (s == NULL)
			PG_RETURN_NULL();
		return summary_datum(s);
	}
	other = argument(fcinfo, 1);
	if (s == NULL)
		s = summary_new_state(fcinfo, &embedding_sketch_type,
							  &other->summary);
	else
		merge(s, other);
	return summary_datum(s);
}

/* The state itself, for reading: windows and shared states ask repeatedly. */
Datum
mlmeta_embedding_sketch_final(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(MakeExpandedObjectReadOnly(PG_GETARG_DATUM(0), false,
											   -1));
}

Datum
mlmeta_embedding_sketch_plus(PG_FUNCTION_ARGS)
{
	EmbeddingSketch *a = argument(fcinfo, 0);
	EmbeddingSketch *sum = summary_copy(a);

	merge(sum, argument(fcinfo, 1));
	return summary_datum(sum);
}

Datum
mlmeta_embedding_sketch_n(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(argument(fcinfo, 0)->n[0]);
}

Datum
mlmeta_embedding_sketch_null_count(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(argument(fcinfo, 0)->null_count);
}

Datum
mlmeta_embedding_sketch_dimensions(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(argument(fcinfo, 0)->dimensions);
}

/* ----------
 * The maximum mean discrepancy
 * ----------
 */

/*
 * Its unbiased square between a sample of a and one of b; NaN if one has fewer
 * than two rows. A row compared with itself has the kernel 1 whatever the
 * frequencies, and is left out.
 */
static double
mmd_squared(const EmbeddingSketch *a, int a_sample,
			const EmbeddingSketch *b, int b_sample)
{
	const int64 *x = sample_sums(a, a_sample);
	const int64 *y = sample_sums(b, b_sample);
	double		n = (double) a->n[a_sample];
	double		m = (double) b->n[b_sample];
	double		xx = 0;
	double		yy = 0;
	double		xy = 0;

	if (n < 2 || m < 2)
		return NAN;
	for (int i = 0; i < 2 * a->features; i++)
	{
		double		u = (double) x[i] / UNITS;
		double		v = (double) y[i] / UNITS;

		xx += u * u;
		yy += v * v;
		xy += u * v;
	}
	return (xx / a->features - n) / (n * (n - 1)) +
		(yy / a->features - m) / (m * (m - 1)) -
		2 * (xy / a->features) / (n * m);
}

static Datum
float_or_null(FunctionCallInfo fcinfo, double value)
{
	if (isnan(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

/* The distance; 0 where the estimate of its square is negative, or rounding */
static double
root(double square)
{
	return square < RESOLUTION ? 0 : sqrt(square);
}

static double
mmd_squared_of_arguments(FunctionCallInfo fcinfo)
{
	EmbeddingSketch *r = argument(fcinfo, 0);
	EmbeddingSketch *c = argument(fcinfo, 1);

	check_same_kind(r, c);
	return mmd_squared(r, 0, c, 0);
}

Datum
mlmeta_embedding_sketch_mmd2(PG_FUNCTION_ARGS)
{
	return float_or_null(fcinfo, mmd_squared_of_arguments(fcinfo));
}

Datum
mlmeta_embedding_sketch_mmd(PG_FUNCTION_ARGS)
{
	return float_or_null(fcinfo, root(mmd_squared_of_arguments(fcinfo)));
}

/* Of the two samples of a state */
Datum
mlmeta_embedding_sketch_mmd_final(PG_FUNCTION_ARGS)
{
	EmbeddingSketch *s = argument(fcinfo, 0);

	return float_or_null(fcinfo, root(mmd_squared(s, 0, s, 1)));
}
