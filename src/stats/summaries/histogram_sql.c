/*-------------------------------------------------------------------------
 *
 * histogram_sql.c
 *		The type histogram in SQL: I/O, builders, merging, accessors.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/int.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "stats/summaries/histogram.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(mlmeta_histogram_in);
PG_FUNCTION_INFO_V1(mlmeta_histogram_out);
PG_FUNCTION_INFO_V1(mlmeta_histogram_recv);
PG_FUNCTION_INFO_V1(mlmeta_histogram_send);

PG_FUNCTION_INFO_V1(mlmeta_histogram_bins_transition);
PG_FUNCTION_INFO_V1(mlmeta_histogram_edges_transition);
PG_FUNCTION_INFO_V1(mlmeta_histogram_edges_inverse);
PG_FUNCTION_INFO_V1(mlmeta_histogram_range_transition);
PG_FUNCTION_INFO_V1(mlmeta_histogram_range_inverse);
PG_FUNCTION_INFO_V1(mlmeta_histogram_baseline_transition);
PG_FUNCTION_INFO_V1(mlmeta_histogram_baseline_inverse);
PG_FUNCTION_INFO_V1(mlmeta_histogram_bins_weighted_transition);
PG_FUNCTION_INFO_V1(mlmeta_histogram_edges_weighted_transition);
PG_FUNCTION_INFO_V1(mlmeta_histogram_edges_weighted_inverse);
PG_FUNCTION_INFO_V1(mlmeta_histogram_range_weighted_transition);
PG_FUNCTION_INFO_V1(mlmeta_histogram_range_weighted_inverse);
PG_FUNCTION_INFO_V1(mlmeta_histogram_baseline_weighted_transition);
PG_FUNCTION_INFO_V1(mlmeta_histogram_baseline_weighted_inverse);
PG_FUNCTION_INFO_V1(mlmeta_histogram_combine);
PG_FUNCTION_INFO_V1(mlmeta_histogram_final);
PG_FUNCTION_INFO_V1(mlmeta_histogram_plus);
PG_FUNCTION_INFO_V1(mlmeta_histogram_minus);

PG_FUNCTION_INFO_V1(mlmeta_histogram_n);
PG_FUNCTION_INFO_V1(mlmeta_histogram_null_count);
PG_FUNCTION_INFO_V1(mlmeta_histogram_nan_count);
PG_FUNCTION_INFO_V1(mlmeta_histogram_minimum);
PG_FUNCTION_INFO_V1(mlmeta_histogram_maximum);
PG_FUNCTION_INFO_V1(mlmeta_histogram_mean);
PG_FUNCTION_INFO_V1(mlmeta_histogram_stddev);
PG_FUNCTION_INFO_V1(mlmeta_histogram_quantile);
PG_FUNCTION_INFO_V1(mlmeta_histogram_cdf);
PG_FUNCTION_INFO_V1(mlmeta_histogram_edges);
PG_FUNCTION_INFO_V1(mlmeta_histogram_counts);
PG_FUNCTION_INFO_V1(mlmeta_histogram_detach);
PG_FUNCTION_INFO_V1(mlmeta_histogram_attach);
PG_FUNCTION_INFO_V1(mlmeta_histogram_rows);

#define HISTOGRAM_ARG(n) \
	histogram_settled(summary_read(PG_GETARG_DATUM(n), &histogram_type))

/* ----------
 * Text and binary I/O
 * ----------
 */

Datum
mlmeta_histogram_in(PG_FUNCTION_ARGS)
{
	return summary_in(fcinfo, &histogram_type);
}

Datum
mlmeta_histogram_out(PG_FUNCTION_ARGS)
{
	return summary_out(fcinfo, &histogram_type);
}

Datum
mlmeta_histogram_recv(PG_FUNCTION_ARGS)
{
	return summary_recv(fcinfo, &histogram_type);
}

Datum
mlmeta_histogram_send(PG_FUNCTION_ARGS)
{
	return summary_send(fcinfo, &histogram_type);
}

/* ----------
 * Where a state's grid comes from
 *
 * The grid of an aggregate call is decoded once and shared by the states of
 * all groups. Where the argument that names it is no constant, each row's
 * bytes are compared with those the state was made from: equal bytes, equal
 * grid. Different bytes must still mean the same edges.
 * ----------
 */

typedef struct GridSource
{
	struct GridSource *next;
	size_t		size;
	void	   *raw;			/* the argument's bytes */
	const HistogramGrid *grid;
	bool		stable;			/* the argument cannot change in a group */
} GridSource;

typedef struct CallSite
{
	bool		stable;			/* the argument cannot change in a group */
	GridSource *sources;
} CallSite;

/* Makes the grid from the call's arguments, in the current context */
typedef HistogramGrid *(*GridBuilder) (FunctionCallInfo fcinfo);

static const GridSource *
find_source(FunctionCallInfo fcinfo, const void *raw, size_t size,
			GridBuilder build)
{
	CallSite   *site = fcinfo->flinfo->fn_extra;
	GridSource *source;
	MemoryContext old;

	for (source = site->sources; source != NULL; source = source->next)
		if (source->size == size && memcmp(source->raw, raw, size) == 0)
			return source;

	old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	source = palloc(sizeof(GridSource));
	source->grid = build(fcinfo);
	source->raw = palloc(size);
	memcpy(source->raw, raw, size);
	source->size = size;
	source->stable = site->stable;
	source->next = site->sources;
	site->sources = source;
	MemoryContextSwitchTo(old);
	return source;
}

/*
 * The state of argument 0 where there is nothing to check: the usual case.
 */
static inline Histogram *
quick_state(FunctionCallInfo fcinfo)
{
	Histogram  *state = summary_quick_state(fcinfo);

	return state != NULL && state->source != NULL && state->source->stable ?
		state : NULL;
}

/*
 * The state of argument 0, made if it is NULL, on the grid that arguments from
 * 2 on name; raw are their bytes.
 */
static Histogram *
state_on_grid(FunctionCallInfo fcinfo, const void *raw, size_t size,
			  GridBuilder build)
{
	Histogram  *state = summary_state(fcinfo, &histogram_type);
	CallSite   *site = fcinfo->flinfo->fn_extra;
	const GridSource *source;

	if (unlikely(site == NULL))
	{
		site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt,
									  sizeof(CallSite));
		site->stable = true;
		/* a row's weight is one of these, too, and makes each row checked */
		for (int i = 2; i < PG_NARGS(); i++)
			if (!aggregate_argument_is_stable(fcinfo, i - 1))
				site->stable = false;
		fcinfo->flinfo->fn_extra = site;
	}
	if (likely(state != NULL && state->source != NULL &&
			   state->source->size == size &&
			   memcmp(state->source->raw, raw, size) == 0))
		return state;

	source = find_source(fcinfo, raw, size, build);
	if (state == NULL)
	{
		state = summary_new_state(fcinfo, &histogram_type, NULL);
		histogram_set_grid(state, source->grid);
	}
	else if (state->form != HISTOGRAM_GRID ||
			 !histogram_grid_equal(state->grid, source->grid))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the bins of a histogram changed within a group"),
				 errhint("All rows of a group must name the same edges or "
						 "baseline; add what distinguishes them to GROUP "
						 "BY.")));
	state->source = source;
	return state;
}

static void
require_argument(FunctionCallInfo fcinfo, int argno, const char *what)
{
	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s of a histogram must not be null", what),
				 errhint("Values may be null: they are counted.")));
}

/* Adds argument 1 to the state, or takes it out */
static inline Datum
count_value(FunctionCallInfo fcinfo, Histogram *state, bool remove)
{
	if (PG_ARGISNULL(1))
		state->null_count += remove ? -1 : 1;
	else if (remove)
		histogram_remove(state, PG_GETARG_FLOAT8(1));
	else
		histogram_add(state, PG_GETARG_FLOAT8(1));
	return EOHPGetRWDatum(&state->summary.header);
}

/* The bytes of a varlena argument; an expanded one is flattened */
static struct varlena *
raw_argument(FunctionCallInfo fcinfo, int argno)
{
	struct varlena *raw = (struct varlena *) PG_GETARG_POINTER(argno);

	if (VARATT_IS_EXTERNAL_EXPANDED(raw))
		raw = PG_DETOAST_DATUM(PointerGetDatum(raw));
	return raw;
}

/* ----------
 * Builders
 * ----------
 */

static void
check_bins(int bins)
{
	if (bins < 1 || bins > HISTOGRAM_MAX_BINS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a histogram cannot have %d bins", bins),
				 errhint("It must be from 1 to %d; %d serves drift measures "
						 "well.", HISTOGRAM_MAX_BINS,
						 HISTOGRAM_DEFAULT_BINS)));
}

/* The state of argument 0 for the number of bins in argument 2 */
static Histogram *
state_of_bins(FunctionCallInfo fcinfo)
{
	Histogram  *state = summary_state(fcinfo, &histogram_type);
	int			bins;

	require_argument(fcinfo, 2, "the number of bins");
	bins = PG_GETARG_INT32(2);
	if (state == NULL)
	{
		check_bins(bins);
		state = summary_new_state(fcinfo, &histogram_type, NULL);
		histogram_set_cells(state, bins);
	}
	else if (state->form != HISTOGRAM_CELLS || state->bins != bins)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the number of bins of a histogram changed within a "
						"group")));
	return state;
}

/* histogram(value, bins): equi-depth over its own data */
Datum
mlmeta_histogram_bins_transition(PG_FUNCTION_ARGS)
{
	return count_value(fcinfo, state_of_bins(fcinfo), false);
}

static HistogramGrid *
grid_from_edges(FunctionCallInfo fcinfo)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(2);
	Datum	   *values;
	bool	   *nulls;
	double	   *edges;
	int			n;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("edges of a histogram must have one dimension"),
				 errdetail("The array has %d.", ARR_NDIM(array))));
	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &values, &nulls, &n);
	if (n < 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a histogram needs at least two edges"),
				 errdetail("%d were given.", n),
				 errhint("Edges are inner ones: two of them make three bins, "
						 "the outer ones open. For a single split use "
						 "histogram(value, lo, hi, 2).")));
	edges = palloc(n * sizeof(double));
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("edges of a histogram must not be null")));
		edges[i] = DatumGetFloat8(values[i]);
	}
	return histogram_grid_make(edges, n);
}

static inline Datum
count_on_edges(FunctionCallInfo fcinfo, bool remove)
{
	Histogram  *state = quick_state(fcinfo);
	struct varlena *raw;

	if (likely(state != NULL))
		return count_value(fcinfo, state, remove);

	require_argument(fcinfo, 2, "the edges");
	raw = raw_argument(fcinfo, 2);
	return count_value(fcinfo, state_on_grid(fcinfo, raw, VARSIZE_ANY(raw),
											 grid_from_edges), remove);
}

Datum
mlmeta_histogram_edges_transition(PG_FUNCTION_ARGS)
{
	return count_on_edges(fcinfo, false);
}

Datum
mlmeta_histogram_edges_inverse(PG_FUNCTION_ARGS)
{
	return count_on_edges(fcinfo, true);
}

/* A unit in which the width of any range can be multiplied by bins */
#define RANGE_SHIFT		20

/* Equal width: inner edges lo + i * (hi - lo) / n, i = 1 .. n - 1 */
static HistogramGrid *
grid_from_range(FunctionCallInfo fcinfo)
{
	double		low = PG_GETARG_FLOAT8(2);
	double		high = PG_GETARG_FLOAT8(3);
	int			bins = PG_GETARG_INT32(4);
	int			shift = 0;
	double	   *edges;

	check_bins(bins);
	if (!(isfinite(low) && isfinite(high) && low < high))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the range of a histogram must be finite and not "
						"empty"),
				 errdetail("It is from %.17g to %.17g.", low, high),
				 errhint("Give the lower bound first.")));
	if (!isfinite(bins * (high - low)))
	{
		/* the width overflows, or its multiples: edges do not */
		shift = RANGE_SHIFT;
		low = ldexp(low, -shift);
		high = ldexp(high, -shift);
	}
	edges = palloc(bins * sizeof(double));
	for (int i = 1; i < bins; i++)
	{
		edges[i - 1] = ldexp(low + i * (high - low) / bins, shift);
		if (i > 1 && !(edges[i - 1] > edges[i - 2]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the range of a histogram is too narrow for %d "
							"bins", bins),
					 errdetail("Neighbouring edges from %.17g to %.17g are "
							   "the same number.", ldexp(low, shift),
							   ldexp(high, shift)),
					 errhint("Use fewer bins.")));
	}
	return histogram_grid_make(edges, bins - 1);
}

typedef struct RangeArguments
{
	double		low;
	double		high;
	int64		bins;
} RangeArguments;

static RangeArguments
range_arguments(FunctionCallInfo fcinfo)
{
	RangeArguments raw;

	require_argument(fcinfo, 2, "the lower bound");
	require_argument(fcinfo, 3, "the upper bound");
	require_argument(fcinfo, 4, "the number of bins");
	raw.low = PG_GETARG_FLOAT8(2);
	raw.high = PG_GETARG_FLOAT8(3);
	raw.bins = PG_GETARG_INT32(4);
	return raw;
}

static inline Datum
count_in_range(FunctionCallInfo fcinfo, bool remove)
{
	Histogram  *state = quick_state(fcinfo);
	RangeArguments raw;

	if (likely(state != NULL))
		return count_value(fcinfo, state, remove);
	raw = range_arguments(fcinfo);
	return count_value(fcinfo, state_on_grid(fcinfo, &raw, sizeof(raw),
											 grid_from_range), remove);
}

Datum
mlmeta_histogram_range_transition(PG_FUNCTION_ARGS)
{
	return count_in_range(fcinfo, false);
}

Datum
mlmeta_histogram_range_inverse(PG_FUNCTION_ARGS)
{
	return count_in_range(fcinfo, true);
}

static void
require_edges(const Histogram *histogram, const char *what)
{
	if (histogram->grid == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%s needs the edges of the histogram, which is "
						"detached", what),
				 errhint("Give it back its edges with attach(histogram, "
						 "baseline).")));
}

static HistogramGrid *
grid_from_baseline(FunctionCallInfo fcinfo)
{
	Histogram  *baseline = HISTOGRAM_ARG(2);
	HistogramGrid *grid;

	if (baseline->grid == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a detached histogram cannot be a baseline"),
				 errdetail("Its edges are with its own baseline."),
				 errhint("Use that one, or attach(histogram, baseline).")));
	grid = histogram_grid_make(baseline->grid->edges,
							   baseline->grid->n_edges);
	grid->n_quantiles = baseline->grid->n_quantiles;
	if (grid->n_quantiles > 0)
	{
		grid->quantile_edge = palloc(grid->n_quantiles * sizeof(int));
		memcpy(grid->quantile_edge, baseline->grid->quantile_edge,
			   grid->n_quantiles * sizeof(int));
	}
	return grid;
}

static inline Datum
count_on_baseline(FunctionCallInfo fcinfo, bool remove)
{
	Histogram  *state = quick_state(fcinfo);
	struct varlena *raw;

	if (likely(state != NULL))
		return count_value(fcinfo, state, remove);

	require_argument(fcinfo, 2, "the baseline");
	raw = raw_argument(fcinfo, 2);
	return count_value(fcinfo, state_on_grid(fcinfo, raw, VARSIZE_ANY(raw),
											 grid_from_baseline), remove);
}

Datum
mlmeta_histogram_baseline_transition(PG_FUNCTION_ARGS)
{
	return count_on_baseline(fcinfo, false);
}

Datum
mlmeta_histogram_baseline_inverse(PG_FUNCTION_ARGS)
{
	return count_on_baseline(fcinfo, true);
}

/* ----------
 * Rows that stand for several: the last argument is how many
 * ----------
 */

/* A row of weight 0 or NULL takes no part */
static Datum
count_weighted(FunctionCallInfo fcinfo, Histogram *state, bool remove)
{
	int			last = PG_NARGS() - 1;
	int			sign = remove ? -1 : 1;
	int64		weight = PG_ARGISNULL(last) ? 0 : PG_GETARG_INT64(last);

	if (weight < 0)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("weight " INT64_FORMAT " of a row of type histogram is "
						"out of range", weight),
				 errdetail("A weight is a whole number from 0 on: so many "
						   "rows.")));
	if (!PG_ARGISNULL(1))
		histogram_add_times(state, PG_GETARG_FLOAT8(1), weight, sign);
	else if (pg_add_s64_overflow(state->null_count, sign * weight,
								 &state->null_count))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a count of a histogram is out of range"),
				 errdetail("Counts go up to %lld.",
						   (long long) PG_INT64_MAX)));
	return EOHPGetRWDatum(&state->summary.header);
}

Datum
mlmeta_histogram_bins_weighted_transition(PG_FUNCTION_ARGS)
{
	return count_weighted(fcinfo, state_of_bins(fcinfo), false);
}

static Datum
count_weighted_on_edges(FunctionCallInfo fcinfo, bool remove)
{
	struct varlena *raw;

	require_argument(fcinfo, 2, "the edges");
	raw = raw_argument(fcinfo, 2);
	return count_weighted(fcinfo, state_on_grid(fcinfo, raw, VARSIZE_ANY(raw),
												grid_from_edges), remove);
}

Datum
mlmeta_histogram_edges_weighted_transition(PG_FUNCTION_ARGS)
{
	return count_weighted_on_edges(fcinfo, false);
}

Datum
mlmeta_histogram_edges_weighted_inverse(PG_FUNCTION_ARGS)
{
	return count_weighted_on_edges(fcinfo, true);
}

static Datum
count_weighted_in_range(FunctionCallInfo fcinfo, bool remove)
{
	RangeArguments raw = range_arguments(fcinfo);

	return count_weighted(fcinfo, state_on_grid(fcinfo, &raw, sizeof(raw),
												grid_from_range), remove);
}

Datum
mlmeta_histogram_range_weighted_transition(PG_FUNCTION_ARGS)
{
	return count_weighted_in_range(fcinfo, false);
}

Datum
mlmeta_histogram_range_weighted_inverse(PG_FUNCTION_ARGS)
{
	return count_weighted_in_range(fcinfo, true);
}

static Datum
count_weighted_on_baseline(FunctionCallInfo fcinfo, bool remove)
{
	struct varlena *raw;

	require_argument(fcinfo, 2, "the baseline");
	raw = raw_argument(fcinfo, 2);
	return count_weighted(fcinfo, state_on_grid(fcinfo, raw, VARSIZE_ANY(raw),
												grid_from_baseline), remove);
}

Datum
mlmeta_histogram_baseline_weighted_transition(PG_FUNCTION_ARGS)
{
	return count_weighted_on_baseline(fcinfo, false);
}

Datum
mlmeta_histogram_baseline_weighted_inverse(PG_FUNCTION_ARGS)
{
	return count_weighted_on_baseline(fcinfo, true);
}

/* ----------
 * Merging
 * ----------
 */

/*
 * Adds argument 1 to the state: combine function of the builders, transition
 * and combine function of merge(). NULL adds nothing.
 */
Datum
mlmeta_histogram_combine(PG_FUNCTION_ARGS)
{
	Histogram  *state = summary_state(fcinfo, &histogram_type);
	Histogram  *other;

	if (PG_ARGISNULL(1))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		return EOHPGetRWDatum(&state->summary.header);
	}
	other = summary_read(PG_GETARG_DATUM(1), &histogram_type);
	if (state == NULL)
		state = summary_new_state(fcinfo, &histogram_type, &other->summary);
	else
		histogram_combine(state, other, 1);
	return EOHPGetRWDatum(&state->summary.header);
}

Datum
mlmeta_histogram_final(PG_FUNCTION_ARGS)
{
	Histogram  *state;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = summary_read(PG_GETARG_DATUM(0), &histogram_type);
	histogram_catch_up(state);
	if (state->form != HISTOGRAM_CELLS)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	return summary_datum(histogram_from_cells(state));
}

static Datum
combined(FunctionCallInfo fcinfo, int sign)
{
	Histogram  *sum = summary_copy(HISTOGRAM_ARG(0));

	histogram_combine(sum, HISTOGRAM_ARG(1), sign);
	return summary_datum(sum);
}

Datum
mlmeta_histogram_plus(PG_FUNCTION_ARGS)
{
	return combined(fcinfo, 1);
}

Datum
mlmeta_histogram_minus(PG_FUNCTION_ARGS)
{
	return combined(fcinfo, -1);
}

Datum
mlmeta_histogram_detach(PG_FUNCTION_ARGS)
{
	return summary_datum(histogram_detached(HISTOGRAM_ARG(0)));
}

Datum
mlmeta_histogram_attach(PG_FUNCTION_ARGS)
{
	Histogram  *histogram = HISTOGRAM_ARG(0);
	Histogram  *baseline = HISTOGRAM_ARG(1);

	require_edges(baseline, "attaching");
	if (histogram->form != HISTOGRAM_DETACHED)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	if (!histogram_same_grid(histogram, baseline))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the histogram was not built on the bins of this "
						"baseline"),
				 errhint("Attach the baseline that it was built with.")));
	return summary_datum(histogram_attached(histogram, baseline));
}

/* ----------
 * Accessors
 * ----------
 */

Datum
mlmeta_histogram_n(PG_FUNCTION_ARGS)
{
	Histogram  *histogram = summary_read(PG_GETARG_DATUM(0), &histogram_type);

	PG_RETURN_INT64(histogram->n);
}

Datum
mlmeta_histogram_null_count(PG_FUNCTION_ARGS)
{
	Histogram  *histogram = summary_read(PG_GETARG_DATUM(0), &histogram_type);

	PG_RETURN_INT64(histogram->null_count);
}

Datum
mlmeta_histogram_nan_count(PG_FUNCTION_ARGS)
{
	Histogram  *histogram = summary_read(PG_GETARG_DATUM(0), &histogram_type);

	PG_RETURN_INT64(histogram->nan_count);
}

Datum
mlmeta_histogram_minimum(PG_FUNCTION_ARGS)
{
	Histogram  *histogram = summary_read(PG_GETARG_DATUM(0), &histogram_type);

	if (histogram->n == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(histogram_minimum(histogram));
}

Datum
mlmeta_histogram_maximum(PG_FUNCTION_ARGS)
{
	Histogram  *histogram = summary_read(PG_GETARG_DATUM(0), &histogram_type);

	if (histogram->n == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(histogram_maximum(histogram));
}

Datum
mlmeta_histogram_mean(PG_FUNCTION_ARGS)
{
	Histogram  *histogram = summary_read(PG_GETARG_DATUM(0), &histogram_type);

	if (histogram->n == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(histogram_mean(histogram));
}

Datum
mlmeta_histogram_stddev(PG_FUNCTION_ARGS)
{
	Histogram  *histogram = summary_read(PG_GETARG_DATUM(0), &histogram_type);

	if (histogram->n < 2)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(histogram_stddev(histogram));
}

Datum
mlmeta_histogram_quantile(PG_FUNCTION_ARGS)
{
	Histogram  *histogram = HISTOGRAM_ARG(0);
	double		p = PG_GETARG_FLOAT8(1);

	if (!(p >= 0 && p <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("quantile %g is not between 0 and 1", p)));
	require_edges(histogram, "a quantile");
	if (histogram->n == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(histogram_quantile(histogram, p));
}

/*
 * Share of the values at or below x; inside a bin as if its values were evenly
 * spread.
 */
Datum
mlmeta_histogram_cdf(PG_FUNCTION_ARGS)
{
	Histogram  *histogram = HISTOGRAM_ARG(0);
	double		x = PG_GETARG_FLOAT8(1);
	double		below = (double) histogram->negative_infinities;

	require_edges(histogram, "a distribution function");
	if (histogram->n == 0 || isnan(x))
		PG_RETURN_NULL();
	if (isinf(x))
		PG_RETURN_FLOAT8(x > 0 ? 1.0 : below / (double) histogram->n);
	for (int bin = 0; bin < histogram->n_bins; bin++)
	{
		int64		count = histogram->counts[bin];
		double		left;
		double		right;

		if (bin == 0)
			count -= histogram->negative_infinities;
		if (bin == histogram->n_bins - 1)
			count -= histogram->positive_infinities;
		if (count == 0)
			continue;
		histogram_bin_extent(histogram, bin, &left, &right);
		if (x >= right)
			below += (double) count;
		else
		{
			/* halves: the width of finite values may overflow */
			if (x > left)
				below += (double) count *
					(isfinite(right - left) ? (x - left) / (right - left) :
					 (x / 2 - left / 2) / (right / 2 - left / 2));
			break;
		}
	}
	PG_RETURN_FLOAT8(below / (double) histogram->n);
}

Datum
mlmeta_histogram_edges(PG_FUNCTION_ARGS)
{
	Histogram  *histogram = HISTOGRAM_ARG(0);
	Datum	   *values;

	require_edges(histogram, "the list of edges");
	values = palloc(Max(histogram->grid->n_edges, 1) * sizeof(Datum));
	for (int i = 0; i < histogram->grid->n_edges; i++)
		values[i] = Float8GetDatum(histogram->grid->edges[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(values, histogram->grid->n_edges,
										  FLOAT8OID, sizeof(float8),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

Datum
mlmeta_histogram_counts(PG_FUNCTION_ARGS)
{
	Histogram  *histogram = HISTOGRAM_ARG(0);
	Datum	   *values = palloc(histogram->n_bins * sizeof(Datum));

	for (int i = 0; i < histogram->n_bins; i++)
		values[i] = Int64GetDatum(histogram->counts[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(values, histogram->n_bins, INT8OID,
										  sizeof(int64), FLOAT8PASSBYVAL,
										  TYPALIGN_DOUBLE));
}

/* bins(histogram): bin from 1, lower, upper, count, share */
Datum
mlmeta_histogram_rows(PG_FUNCTION_ARGS)
{
	Histogram  *histogram = HISTOGRAM_ARG(0);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	require_edges(histogram, "a list of bins");
	InitMaterializedSRF(fcinfo, 0);
	for (int bin = 0; bin < histogram->n_bins; bin++)
	{
		Datum		values[5];
		bool		nulls[5] = {false};

		values[0] = Int32GetDatum(bin + 1);
		values[1] = Float8GetDatum(bin == 0 ? -get_float8_infinity() :
								   histogram->grid->edges[bin - 1]);
		values[2] = Float8GetDatum(bin == histogram->n_bins - 1 ?
								   get_float8_infinity() :
								   histogram->grid->edges[bin]);
		values[3] = Int64GetDatum(histogram->counts[bin]);
		nulls[4] = histogram->n == 0;
		values[4] = Float8GetDatum(histogram->n == 0 ? 0 :
								   (double) histogram->counts[bin] /
								   (double) histogram->n);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}
