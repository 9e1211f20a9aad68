/*-------------------------------------------------------------------------
 *
 * mmd.c
 *		The exact maximum mean discrepancy of two samples of embeddings, with
 *		a permutation test, as aggregates over rows.
 *
 * The kernel is Gaussian, exp(-|x - y|^2 / (2 sigma^2)). All pairs of rows are
 * looked at, so that this is for small samples; embedding_sketch.c is for
 * large ones. Results depend on the rows, not on their order: kernels are
 * added as integers, and permutations are of sorted rows.
 *
 * Source: A. Gretton, K. M. Borgwardt, M. J. Rasch, B. Schoelkopf, A. Smola,
 * "A kernel two-sample test", 2012.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "core/summary.h"
#include "miscadmin.h"
#include "stats/vectors/embedding_sketch.h"
#include "stats/vectors/float_array.h"
#include "stats/options.h"
#include "stats/test_result.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(mlmeta_embedding_rows_transition);
PG_FUNCTION_INFO_V1(mlmeta_mmd2_final);
PG_FUNCTION_INFO_V1(mlmeta_mmd_test_final);

/* Numbers that are kept: 128 MB */
#define MAX_NUMBERS		(INT64CONST(1) << 24)

/* Rows of both samples where a distance or kernel for each pair is kept */
#define MAX_PAIRED_ROWS	3000

/* Kernels count units of 2^-50: exact integers, a row of them fits in 63 bits */
#define KERNEL_BITS		50

typedef struct EmbeddingRows
{
	MemoryContext context;
	int			dimensions;		/* 0 until an embedding has come */
	int64		n[2];
	int64		n_rows;
	int64		n_allocated;
	double	  **rows;			/* each of them of its own */
	bool	   *is_current;

	bool		options_stable; /* the options are those of all rows */
	char	   *options;		/* NULL for none */
	size_t		options_size;
} EmbeddingRows;

static const char *const kernels[] = {"rbf", NULL};
static const char *const methods[] = {"exact", NULL};

typedef struct MmdOptions
{
	double		sigma;			/* NaN: the median heuristic */
	int			kernel;
	int			method;
	int			permutations;
	int			seed;
} MmdOptions;

/* ----------
 * Rows
 * ----------
 */

/* Notes the options of the first row; those of all others must be the same. */
static void
note_options(EmbeddingRows *state, FunctionCallInfo fcinfo, bool is_new)
{
	text	   *options;
	bool		same;

	if (PG_NARGS() <= 3 || (!is_new && state->options_stable))
		return;
	options = PG_ARGISNULL(3) ? NULL : PG_GETARG_TEXT_PP(3);
	if (is_new)
	{
		state->options_stable = aggregate_argument_is_stable(fcinfo, 2);
		if (options != NULL)
		{
			MemoryContext old = MemoryContextSwitchTo(state->context);

			state->options_size = VARSIZE_ANY_EXHDR(options);
			state->options = pnstrdup(VARDATA_ANY(options),
									  state->options_size);
			MemoryContextSwitchTo(old);
		}
		return;
	}
	same = (options == NULL) == (state->options == NULL) &&
		(options == NULL ||
		 (VARSIZE_ANY_EXHDR(options) == state->options_size &&
		  memcmp(VARDATA_ANY(options), state->options,
				 state->options_size) == 0));
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the options of an aggregate over embeddings "
						"changed within a group")));
}

static void
keep_row(EmbeddingRows *state, const double *embedding, bool is_current)
{
	MemoryContext context = state->context;

	if ((state->n_rows + 1) * state->dimensions > MAX_NUMBERS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many embeddings for an exact comparison"),
				 errdetail("It keeps rows of at most %lld numbers in all.",
						   (long long) MAX_NUMBERS),
				 errhint("Use mmd(embedding, is_current), or take a sample "
						 "of the rows.")));
	if (state->n_rows == state->n_allocated)
	{
		int64		n = Max(64, 2 * state->n_allocated);

		if (state->n_allocated == 0)
		{
			state->rows = MemoryContextAllocHuge(context,
												 n * sizeof(double *));
			state->is_current = MemoryContextAlloc(context, n);
		}
		else
		{
			state->rows = repalloc_huge(state->rows, n * sizeof(double *));
			state->is_current = repalloc(state->is_current, n);
		}
		state->n_allocated = n;
	}
	state->rows[state->n_rows] =
		memcpy(MemoryContextAlloc(context,
								  state->dimensions * sizeof(double)),
			   embedding, state->dimensions * sizeof(double));
	state->is_current[state->n_rows++] = is_current;
	state->n[is_current]++;
}

/*
 * (state, embedding float8[], is_current boolean [, options text]); a row with
 * a NULL, or with a number that is not finite, takes no part.
 */
Datum
mlmeta_embedding_rows_transition(PG_FUNCTION_ARGS)
{
	EmbeddingRows *state;
	MemoryContext context;
	ArrayType  *array;
	const double *embedding;
	int			dimensions;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a support function of an aggregate over embeddings "
						"was called outside of one"),
				 errhint("Call the aggregate itself.")));
	if (PG_ARGISNULL(0))
	{
		state = MemoryContextAllocZero(context, sizeof(EmbeddingRows));
		state->context = context;
		note_options(state, fcinfo, true);
	}
	else
	{
		state = (EmbeddingRows *) PG_GETARG_POINTER(0);
		note_options(state, fcinfo, false);
	}
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_POINTER(state);

	array = PG_GETARG_ARRAYTYPE_P(1);
	embedding = float_array_values(array, EMBEDDING_MAX_DIMENSIONS,
								   "embeddings", &dimensions);
	if (state->dimensions != 0 && state->dimensions != dimensions)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("embeddings of a group have different dimensions"),
				 errdetail("They have %d and %d.", state->dimensions,
						   dimensions)));
	state->dimensions = dimensions;
	if (embedding != NULL && floats_are_finite(embedding, dimensions))
		keep_row(state, embedding, PG_GETARG_BOOL(2));
	PG_FREE_IF_COPY(array, 1);
	PG_RETURN_POINTER(state);
}

/* ----------
 * Distances and kernels
 * ----------
 */

static double
squared_distance(const EmbeddingRows *state, int64 i, int64 j)
{
	const double *x = state->rows[i];
	const double *y = state->rows[j];
	double		sum = 0;

	for (int k = 0; k < state->dimensions; k++)
		sum += (x[k] - y[k]) * (x[k] - y[k]);
	return sum;
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

static void
check_paired_rows(const EmbeddingRows *state, const char *hint)
{
	if (state->n_rows > MAX_PAIRED_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many embeddings to keep each pair of them"),
				 errdetail("They are %lld, the limit is %d.",
						   (long long) state->n_rows, MAX_PAIRED_ROWS),
				 errhint("%s", hint)));
}

/*
 * The deviation for which 2 sigma^2 is the median squared distance of two
 * rows, of both samples together; 1 if most rows are the same.
 */
static double
median_sigma(const EmbeddingRows *state)
{
	int64		n = state->n_rows;
	int64		n_pairs = n * (n - 1) / 2;
	double	   *distances;
	double		median;
	int64		k = 0;

	check_paired_rows(state, "Give the option sigma.");
	distances = palloc(n_pairs * sizeof(double));
	for (int64 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int64 j = 0; j < i; j++)
			distances[k++] = squared_distance(state, i, j);
	}
	qsort(distances, n_pairs, sizeof(double), compare_doubles);
	median = (distances[(n_pairs - 1) / 2] + distances[n_pairs / 2]) / 2;
	pfree(distances);
	return median > 0 ? sqrt(median / 2) : 1;
}

static inline int64
kernel_units(const EmbeddingRows *state, int64 i, int64 j, double sigma)
{
	double		z = squared_distance(state, i, j) / sigma / sigma;

	return llrint(ldexp(exp(-z / 2), KERNEL_BITS));
}

static double
mmd2_of_sums(const int128 *sums, double n, double m)
{
	/* of pairs i < j within a sample, and of all pairs between them */
	return 2 * ldexp((double) sums[0], -KERNEL_BITS) / (n * (n - 1)) +
		2 * ldexp((double) sums[1], -KERNEL_BITS) / (m * (m - 1)) -
		2 * ldexp((double) sums[2], -KERNEL_BITS) / (n * m);
}

/* The state and the options; NULL without an answer */
static EmbeddingRows *
rows_and_options(FunctionCallInfo fcinfo, const char *function_name,
				 MmdOptions *options, bool is_test)
{
	EmbeddingRows *state;
	const OptionSpec specs[] = {
		{"kernel", OPTION_CHOICE, &options->kernel, 0, 0, kernels},
		{"method", OPTION_CHOICE, &options->method, 0, 0, methods},
		{"sigma", OPTION_FLOAT, &options->sigma, 1e-100, 1e100, NULL},
		{"permutations", OPTION_INT, &options->permutations, 1, 1000000,
		NULL},
		{"seed", OPTION_INT, &options->seed, 0, PG_INT32_MAX, NULL}
	};

	if (PG_ARGISNULL(0))
		return NULL;
	state = (EmbeddingRows *) PG_GETARG_POINTER(0);
	memset(options, 0, sizeof(*options));
	options->sigma = NAN;
	options->permutations = 999;
	options->seed = 1;
	if (state->options != NULL)
		options_parse(function_name, state->options, state->options_size,
					  specs, is_test ? lengthof(specs) : 3);
	if (state->n[0] >= 2 && state->n[1] >= 2 && isnan(options->sigma))
		options->sigma = median_sigma(state);
	return state;
}

/* The unbiased square of the discrepancy; NULL with fewer than two rows */
Datum
mlmeta_mmd2_final(PG_FUNCTION_ARGS)
{
	MmdOptions	options;
	EmbeddingRows *state = rows_and_options(fcinfo, "mmd2", &options, false);
	int128		sums[3] = {0};

	if (state == NULL || state->n[0] < 2 || state->n[1] < 2)
		PG_RETURN_NULL();
	for (int64 i = 0; i < state->n_rows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int64 j = 0; j < i; j++)
			sums[state->is_current[i] != state->is_current[j] ? 2 :
				 state->is_current[i]] +=
				kernel_units(state, i, j, options.sigma);
	}
	PG_RETURN_FLOAT8(mmd2_of_sums(sums, (double) state->n[0],
								  (double) state->n[1]));
}

/* ----------
 * The permutation test
 * ----------
 */

typedef struct SortRow
{
	const double *row;
	int			dimensions;
	bool		is_current;
} SortRow;

static int
compare_rows(const void *a, const void *b)
{
	const SortRow *x = a;
	const SortRow *y = b;

	for (int k = 0; k < x->dimensions; k++)
		if (x->row[k] != y->row[k])
			return x->row[k] > y->row[k] ? 1 : -1;
	return x->is_current - y->is_current;
}

/* An ordered copy of the rows: what is random must not depend on their order */
static EmbeddingRows
sorted_rows(const EmbeddingRows *state)
{
	EmbeddingRows result = *state;
	SortRow    *sort = palloc(state->n_rows * sizeof(SortRow));

	for (int64 i = 0; i < state->n_rows; i++)
	{
		sort[i].row = state->rows[i];
		sort[i].dimensions = state->dimensions;
		sort[i].is_current = state->is_current[i];
	}
	qsort(sort, state->n_rows, sizeof(SortRow), compare_rows);
	result.rows = palloc(state->n_rows * sizeof(double *));
	result.is_current = palloc(state->n_rows);
	for (int64 i = 0; i < state->n_rows; i++)
	{
		result.rows[i] = unconstify(double *, sort[i].row);
		result.is_current[i] = sort[i].is_current;
	}
	pfree(sort);
	return result;
}

/* S. Vigna's SplitMix64 */
static uint64
next_random(uint64 *state)
{
	uint64		x = (*state += UINT64CONST(0x9E3779B97F4A7C15));

	x = (x ^ (x >> 30)) * UINT64CONST(0xBF58476D1CE4E5B9);
	x = (x ^ (x >> 27)) * UINT64CONST(0x94D049BB133111EB);
	return x ^ (x >> 31);
}

static void
shuffle(bool *labels, int64 n, uint64 *random)
{
	for (int64 i = n - 1; i > 0; i--)
	{
		/* n is small: the bias of the remainder is below 2^-51 */
		int64		j = (int64) (next_random(random) % (uint64) (i + 1));
		bool		label = labels[i];

		labels[i] = labels[j];
		labels[j] = label;
	}
}

/*
 * mmd2 for these labels, from the kernels of pairs j < i, row after row. masks
 * is scratch.
 */
static double
mmd2_of_labels(const int64 *kernel, const bool *labels, int64 *masks,
			   const EmbeddingRows *rows)
{
	int128		sums[3] = {0};

	for (int64 i = 0; i < rows->n_rows; i++)
		masks[i] = labels[i] ? -1 : 0;
	for (int64 i = 0; i < rows->n_rows; i++)
	{
		int64		all = 0;
		int64		current = 0;

		for (int64 j = 0; j < i; j++)
		{
			all += kernel[j];
			current += kernel[j] & masks[j];
		}
		kernel += i;
		sums[labels[i]] += labels[i] ? current : all - current;
		sums[2] += labels[i] ? all - current : current;
	}
	return mmd2_of_sums(sums, (double) rows->n[0], (double) rows->n[1]);
}

/*
 * The square of the discrepancy, and the share of label permutations, the
 * given one included, for which it is at least as large.
 */
Datum
mlmeta_mmd_test_final(PG_FUNCTION_ARGS)
{
	MmdOptions	options;
	EmbeddingRows *state = rows_and_options(fcinfo, "mmd_test", &options,
											true);
	EmbeddingRows rows;
	TestResult	result;
	int64	   *kernel;
	int64		k = 0;
	int64		n_above = 1;
	int64	   *masks;
	bool	   *labels;
	uint64		random;

	if (state == NULL)
		PG_RETURN_NULL();
	if (state->n[0] < 2 || state->n[1] < 2)
	{
		result = test_result_empty(state->n[0], state->n[1],
								   "a sample has fewer than two rows");
		return test_result_datum(fcinfo, &result);
	}
	check_paired_rows(state, "Take a sample of the rows.");
	rows = sorted_rows(state);
	kernel = palloc(rows.n_rows * (rows.n_rows - 1) / 2 * sizeof(int64));
	for (int64 i = 0; i < rows.n_rows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int64 j = 0; j < i; j++)
			kernel[k++] = kernel_units(&rows, i, j, options.sigma);
	}

	memset(&result, 0, sizeof(result));
	masks = palloc(rows.n_rows * sizeof(int64));
	result.statistic = mmd2_of_labels(kernel, rows.is_current, masks, &rows);
	labels = memcpy(palloc(rows.n_rows), rows.is_current, rows.n_rows);
	random = (uint64) options.seed;
	for (int i = 0; i < options.permutations; i++)
	{
		CHECK_FOR_INTERRUPTS();
		shuffle(labels, rows.n_rows, &random);
		if (mmd2_of_labels(kernel, labels, masks, &rows) >=
			result.statistic)
			n_above++;
	}
	result.p_value = (double) n_above / (options.permutations + 1);
	result.statistic_low = result.statistic_high = result.statistic;
	result.p_low = result.p_high = result.p_value;
	result.n_reference = state->n[0];
	result.n_current = state->n[1];
	result.method = psprintf("mmd, %d permutations", options.permutations);
	return test_result_datum(fcinfo, &result);
}
