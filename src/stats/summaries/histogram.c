/*-------------------------------------------------------------------------
 *
 * histogram.c
 *		The histogram as a struct: adding, merging, subtracting, its fields.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "common/int.h"
#include "core/float_key.h"
#include "port/pg_bswap.h"
#include "stats/summaries/histogram.h"
#include "stats/two_sample/quantile.h"
#include "utils/float.h"
#include "utils/memutils.h"

#define HISTOGRAM_VERSION	1

const SummaryType histogram_type = {
	"histogram", sizeof(Histogram), histogram_archive
};

/* ----------
 * Building
 * ----------
 */

void
histogram_set_grid(Histogram *histogram, const HistogramGrid *grid)
{
	histogram_set_grid_and_sums(histogram, grid,
								MemoryContextAllocZero(histogram->summary.context,
													   (grid->n_edges + 1) *
													   sizeof(int64)));
}

void
histogram_set_grid_and_sums(Histogram *histogram, const HistogramGrid *grid,
							int64 *sums)
{
	/* now values will come; a grid that is only read or merged needs none */
	if (!grid->guesses_made)
		histogram_grid_make_guesses(unconstify(HistogramGrid *, grid));
	histogram->form = HISTOGRAM_GRID;
	histogram->grid = grid;
	histogram->n_bins = grid->n_edges + 1;
	histogram->counts = MemoryContextAllocZero(histogram->summary.context,
											   histogram->n_bins *
											   sizeof(int64));
	histogram->sums = sums;
}

/* Makes an empty histogram one that will choose its own bins */
void
histogram_set_cells(Histogram *histogram, int bins)
{
	histogram->form = HISTOGRAM_CELLS;
	histogram->bins = bins;
	histogram->prefix_bits = 64;
}

/* Counts one value, NaN and infinities included */
static void
count_one(Histogram *histogram, double value)
{
	if (likely(isfinite(value)))
	{
		value += 0.0;
		if (unlikely(histogram->n == histogram->negative_infinities +
					 histogram->positive_infinities))
			histogram->minimum = histogram->maximum = value;
		else if (value < histogram->minimum)
			histogram->minimum = value;
		else if (value > histogram->maximum)
			histogram->maximum = value;
		exact_moments_add(&histogram->moments, value, 1,
						  histogram->summary.context);
		if (histogram->form == HISTOGRAM_CELLS)
			histogram_cells_add(histogram, value);
		else
		{
			const HistogramGrid *grid = histogram->grid;
			int			bin = grid_find_bin(grid, value);

			histogram->counts[bin]++;
			if (grid->scale[bin] != 0 && histogram->sums != NULL)
				histogram->sums[bin] += (int64)
					((value - grid->edges[bin - 1]) * grid->scale[bin] + 0.5);
		}
	}
	else if (isnan(value))
	{
		histogram->nan_count++;
		return;
	}
	else if (value < 0)
	{
		histogram->negative_infinities++;
		if (histogram->form != HISTOGRAM_CELLS)
			histogram->counts[0]++;
	}
	else
	{
		histogram->positive_infinities++;
		if (histogram->form != HISTOGRAM_CELLS)
			histogram->counts[histogram->n_bins - 1]++;
	}
	histogram->n++;
}

/*
 * Counts values in their bins. The grid is copied, as a promise that counting
 * does not change it: its parts stay in registers.
 */
static inline void
count_values(Histogram *histogram, const double *values, int n,
			 int (*bin_of) (const HistogramGrid *, double))
{
	const HistogramGrid grid = *histogram->grid;
	int64	   *counts = histogram->counts;
	int64	   *sums = histogram->sums;

	for (int i = 0; i < n; i++)
	{
		int			bin = bin_of(&grid, values[i]);
		double		scale = grid.scale[bin];

		counts[bin]++;
		if (likely(scale != 0))
			sums[bin] += (int64)
				((values[i] - grid.edges[bin - 1]) * scale + 0.5);
	}
}

static void
count_many(Histogram *histogram, const double *values, int n)
{
	if (histogram->grid->guess != NULL)
		count_values(histogram, values, n, grid_guess_bin);
	else
		count_values(histogram, values, n, grid_find_bin);
}

/*
 * The least and the greatest of n > 0 values, and whether all are finite. Two
 * by two, because each comparison waits for the one before.
 */
static bool
find_bounds(const double *values, int n, double *low, double *high)
{
	double		low_even = values[0];
	double		low_odd = values[0];
	double		high_even = values[0];
	double		high_odd = values[0];
	double		zero_even = values[0] * 0.0;	/* NaN unless it is finite */
	double		zero_odd = 0;

	for (int i = n & 1; i < n; i += 2)
	{
		double		even = values[i];
		double		odd = values[i + 1];

		low_even = even < low_even ? even : low_even;
		low_odd = odd < low_odd ? odd : low_odd;
		high_even = even > high_even ? even : high_even;
		high_odd = odd > high_odd ? odd : high_odd;
		zero_even += even * 0.0;
		zero_odd += odd * 0.0;
	}
	*low = Min(low_even, low_odd) + 0.0;
	*high = Max(high_even, high_odd) + 0.0;
	return !isnan(zero_even + zero_odd);
}

/* Adds n values, NaN and infinities included */
void
histogram_add_many(Histogram *histogram, const double *values, int n)
{
	double		low;
	double		high;

	if (n == 0)
		return;
	if (!find_bounds(values, n, &low, &high) ||
		(histogram->form != HISTOGRAM_CELLS && histogram->sums == NULL))
	{
		for (int i = 0; i < n; i++)
			count_one(histogram, values[i]);
		return;
	}

	if (histogram_finite_count(histogram) == 0)
	{
		histogram->minimum = low;
		histogram->maximum = high;
	}
	else
	{
		histogram->minimum = Min(histogram->minimum, low);
		histogram->maximum = Max(histogram->maximum, high);
	}
	exact_moments_add_many(&histogram->moments, values, n,
						   histogram->summary.context);
	if (histogram->form == HISTOGRAM_CELLS)
		histogram_cells_add_many(histogram, values, n);
	else
		count_many(histogram, values, n);
	histogram->n += n;
}

/*
 * Adds one value, NaN and infinities included. It is counted by
 * histogram_catch_up(), which whoever looks at a state calls first.
 */
void
histogram_add(Histogram *histogram, double value)
{
	if (unlikely(histogram->waiting == NULL))
		histogram->waiting =
			MemoryContextAlloc(histogram->summary.context,
							   HISTOGRAM_MAX_WAITING * sizeof(double));
	histogram->waiting[histogram->n_waiting++] = value;
	if (histogram->n_waiting == HISTOGRAM_MAX_WAITING)
		histogram_catch_up(histogram);
}

void
histogram_catch_up(Histogram *histogram)
{
	int			n = histogram->n_waiting;

	histogram->n_waiting = 0;
	histogram_add_many(histogram, histogram->waiting, n);
}

/*
 * Takes out a value that was added before. Counts and sums stay exact;
 * minimum and maximum become covering bounds when one of them leaves.
 */
void
histogram_remove(Histogram *histogram, double value)
{
	Assert(histogram->form == HISTOGRAM_GRID);
	histogram_catch_up(histogram);
	if (isnan(value))
	{
		histogram->nan_count--;
		return;
	}
	histogram->n--;
	if (isinf(value))
	{
		if (value < 0)
		{
			histogram->negative_infinities--;
			histogram->counts[0]--;
		}
		else
		{
			histogram->positive_infinities--;
			histogram->counts[histogram->n_bins - 1]--;
		}
	}
	else
	{
		const HistogramGrid *grid = histogram->grid;
		int			bin = grid_find_bin(grid, value);

		value += 0.0;
		exact_moments_add(&histogram->moments, value, -1,
						  histogram->summary.context);
		histogram->counts[bin]--;
		if (grid->scale[bin] != 0 && histogram->sums != NULL)
			histogram->sums[bin] -= (int64)
				((value - grid->edges[bin - 1]) * grid->scale[bin] + 0.5);
		if (value == histogram->minimum || value == histogram->maximum)
			histogram->bounds_loose = true;
	}
	if (histogram_finite_count(histogram) == 0)
	{
		histogram->minimum = histogram->maximum = 0;
		histogram->bounds_loose = false;
	}
}

int64
histogram_finite_count(const Histogram *histogram)
{
	return histogram->n - histogram->negative_infinities -
		histogram->positive_infinities;
}

/* ----------
 * Merging and subtracting
 * ----------
 */

bool
histogram_same_grid(const Histogram *a, const Histogram *b)
{
	if (a->n_bins != b->n_bins)
		return false;
	if (a->grid != NULL && b->grid != NULL)
		return histogram_grid_equal(a->grid, b->grid);
	return hash128_equal(a->grid ? histogram_grid_hash(a->grid) : a->grid_hash,
						 b->grid ? histogram_grid_hash(b->grid) :
						 b->grid_hash);
}

void
histogram_count_overflow(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("a count of a histogram is out of range"),
			 errdetail("Counts go up to %lld.", (long long) PG_INT64_MAX)));
}

static void
not_contained(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("a histogram can only be subtracted from one that "
					"contains its rows"),
			 errdetail("A count would become negative."),
			 errhint("Subtract only what was added before, such as a window "
					 "from a total.")));
}

/*
 * n counts at once, none of them negative: a sum that overflows is negative,
 * and so is a difference of what was not contained.
 */
static void
add_counts(int64 *into, const int64 *from, int n, int sign)
{
	int64		any = 0;

	if (sign > 0)
	{
		for (int i = 0; i < n; i++)
		{
			into[i] = (int64) ((uint64) into[i] + (uint64) from[i]);
			any |= into[i];
		}
	}
	else
	{
		for (int i = 0; i < n; i++)
		{
			into[i] -= from[i];
			any |= into[i];
		}
	}
	if (any < 0 && sign > 0)
		histogram_count_overflow();
	if (any < 0)
		not_contained();
}

/*
 * into += sign * from. Both must be of one kind: on the same grid, or both
 * collecting cells for the same number of bins (22023 otherwise). Taking out
 * (sign -1) is for grids only. Per-bin sums are lost where one side has none,
 * as after detaching.
 */
void
histogram_combine(Histogram *into, Histogram *from, int sign)
{
	bool		into_empty;
	bool		from_empty;

	histogram_catch_up(into);
	histogram_catch_up(from);
	into_empty = histogram_finite_count(into) == 0;
	from_empty = histogram_finite_count(from) == 0;
	if ((into->form == HISTOGRAM_CELLS) != (from->form == HISTOGRAM_CELLS) ||
		(into->form == HISTOGRAM_CELLS && into->bins != from->bins) ||
		(into->form != HISTOGRAM_CELLS && !histogram_same_grid(into, from)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("histograms with different bins cannot be combined"),
				 errhint("Build them on the same bins: "
						 "histogram(value, baseline) uses those of the "
						 "baseline.")));

	add_counts(&into->n, &from->n, 1, sign);
	add_counts(&into->null_count, &from->null_count, 1, sign);
	add_counts(&into->nan_count, &from->nan_count, 1, sign);
	add_counts(&into->negative_infinities, &from->negative_infinities, 1,
			   sign);
	add_counts(&into->positive_infinities, &from->positive_infinities, 1,
			   sign);

	if (into->form == HISTOGRAM_CELLS)
	{
		Assert(sign > 0);
		histogram_cells_combine(into, from);
	}
	else
	{
		add_counts(into->counts, from->counts, into->n_bins, sign);
		if (into->sums != NULL && from->sums != NULL)
			add_counts(into->sums, from->sums, into->n_bins, sign);
		else
			into->sums = NULL;
	}

	exact_moments_combine(&into->moments, &from->moments, sign,
						  into->summary.context);

	if (sign > 0)
	{
		if (!from_empty && into_empty)
		{
			into->minimum = from->minimum;
			into->maximum = from->maximum;
		}
		else if (!from_empty)
		{
			into->minimum = Min(into->minimum, from->minimum);
			into->maximum = Max(into->maximum, from->maximum);
		}
		into->bounds_loose |= from->bounds_loose;
	}
	else if (!from_empty)
		into->bounds_loose = true;
	if (histogram_finite_count(into) == 0)
	{
		into->minimum = into->maximum = 0;
		into->bounds_loose = false;
	}
}

/* sum += sign * times * m * 2^position units; m < 2^107 */
static void
add_product(ExactSum *sum, uint128 m, uint64 times, int position, int sign,
			MemoryContext context)
{
	for (; times != 0; times >>= 20, position += 20)
		if ((times & 0xFFFFF) != 0)
			exact_sum_add_integer(sum, m * (times & 0xFFFFF), position, sign,
								  context);
}

static void
add_moments(Histogram *histogram, double value, int64 times, int sign)
{
	FloatParts	parts = float_parts(value);
	MemoryContext context = histogram->summary.context;

	if (parts.mantissa == 0)
		return;
	add_product(&histogram->moments.sum, parts.mantissa, (uint64) times,
				parts.position, sign * parts.sign, context);
	add_product(&histogram->moments.squares,
				(uint128) parts.mantissa * parts.mantissa, (uint64) times,
				2 * parts.position, sign, context);
}

void
histogram_add_times(Histogram *histogram, double value, int64 times, int sign)
{
	bool		has_grid = histogram->form != HISTOGRAM_CELLS;

	Assert(times >= 0 && (sign > 0 || histogram->form == HISTOGRAM_GRID));
	if (times == 0)
		return;
	histogram_catch_up(histogram);
	if (isnan(value))
	{
		add_counts(&histogram->nan_count, &times, 1, sign);
		return;
	}
	add_counts(&histogram->n, &times, 1, sign);
	if (isinf(value))
	{
		add_counts(value < 0 ? &histogram->negative_infinities :
				   &histogram->positive_infinities, &times, 1, sign);
		if (has_grid)
			add_counts(&histogram->counts[value < 0 ? 0 :
										  histogram->n_bins - 1], &times, 1,
					   sign);
	}
	else
	{
		bool		is_first = histogram_finite_count(histogram) == times;

		value += 0.0;
		if (sign < 0)
		{
			if (value == histogram->minimum || value == histogram->maximum)
				histogram->bounds_loose = true;
		}
		else
		{
			histogram->minimum = is_first ? value :
				Min(histogram->minimum, value);
			histogram->maximum = is_first ? value :
				Max(histogram->maximum, value);
		}
		add_moments(histogram, value, times, sign);
		if (!has_grid)
			histogram_cells_add_times(histogram, value, times);
		else
		{
			const HistogramGrid *grid = histogram->grid;
			int			bin = grid_find_bin(grid, value);

			add_counts(&histogram->counts[bin], &times, 1, sign);
			if (grid->scale[bin] != 0 && histogram->sums != NULL)
			{
				int64		quanta = (int64)
					((value - grid->edges[bin - 1]) * grid->scale[bin] + 0.5);

				if (pg_mul_s64_overflow(quanta, times, &quanta))
					histogram_count_overflow();
				add_counts(&histogram->sums[bin], &quanta, 1, sign);
			}
		}
	}
	if (histogram_finite_count(histogram) == 0)
	{
		histogram->minimum = histogram->maximum = 0;
		histogram->bounds_loose = false;
	}
}

/* ----------
 * Moments
 * ----------
 */

/* NaN for no values, and for infinities of both signs */
double
histogram_mean(const Histogram *histogram)
{
	if (histogram->n == 0 ||
		(histogram->negative_infinities > 0 &&
		 histogram->positive_infinities > 0))
		return get_float8_nan();
	if (histogram->negative_infinities > 0)
		return -get_float8_infinity();
	if (histogram->positive_infinities > 0)
		return get_float8_infinity();
	return exact_moments_mean(&histogram->moments, histogram->n);
}

/* With n in the denominator; NaN with infinities or no values */
double
histogram_spread(const Histogram *histogram)
{
	if (histogram->n == 0 || histogram_finite_count(histogram) < histogram->n)
		return get_float8_nan();
	return exact_moments_spread(&histogram->moments, histogram->n,
								histogram->n);
}

/* With n - 1 in the denominator; NaN with infinities or less than two values */
double
histogram_stddev(const Histogram *histogram)
{
	if (histogram->n < 2)
		return get_float8_nan();
	if (histogram_finite_count(histogram) < histogram->n)
		return get_float8_nan();
	return exact_moments_spread(&histogram->moments, histogram->n,
								histogram->n - 1);
}

/* The smallest and the largest value, infinities included; NaN for none */
double
histogram_minimum(const Histogram *histogram)
{
	if (histogram->n == 0)
		return get_float8_nan();
	if (histogram->negative_infinities > 0)
		return -get_float8_infinity();
	if (histogram_finite_count(histogram) == 0)
		return get_float8_infinity();
	return histogram->minimum;
}

double
histogram_maximum(const Histogram *histogram)
{
	if (histogram->n == 0)
		return get_float8_nan();
	if (histogram->positive_infinities > 0)
		return get_float8_infinity();
	if (histogram_finite_count(histogram) == 0)
		return -get_float8_infinity();
	return histogram->maximum;
}

/* The stretch of the line that the finite values of a bin lie in */
void
histogram_bin_extent(const Histogram *histogram, int bin, double *left,
					 double *right)
{
	const HistogramGrid *grid = histogram->grid;

	*left = bin == 0 ? histogram->minimum :
		Max(grid->edges[bin - 1], histogram->minimum);
	*right = bin == grid->n_edges ? histogram->maximum :
		Min(grid->edges[bin], histogram->maximum);
	if (histogram_bin_is_point(grid, bin))
		*right = *left;
}

/*
 * Where the first and the last of the finite values of a bin lie, of which
 * there are count > 0: at the borders of its extent, unless the bounds or the
 * sum of the bin know better. A single value is known to a quantum, and values
 * of no offset are all at the left edge.
 */
static void
bin_ends(const Histogram *histogram, int bin, int64 count, double *first,
		 double *last)
{
	const HistogramGrid *grid = histogram->grid;
	double		scale = grid->scale[bin];

	histogram_bin_extent(histogram, bin, first, last);
	if (*first == *last)
		return;
	if (count == 1 && !histogram->bounds_loose &&
		grid_find_bin(grid, histogram->minimum) == bin)
		*last = *first = histogram->minimum;
	else if (count == 1 && !histogram->bounds_loose &&
			 grid_find_bin(grid, histogram->maximum) == bin)
		*first = *last = histogram->maximum;
	else if (histogram->sums != NULL && scale != 0 &&
			 (count == 1 || histogram->sums[bin] == 0))
	{
		double		value = grid->edges[bin - 1] +
			(double) histogram->sums[bin] / scale;

		*last = *first = Max(*first, Min(value, *last));
	}
}

/*
 * Type-7 quantile, between the values of two bins too. Inside a bin the values
 * are taken as evenly spread between its edges (and the minimum and maximum),
 * so that it is exact to the width of a bin, and exact where the bins hold one
 * value each. The histogram has its edges, 0 <= p <= 1; NaN for no values.
 */
double
histogram_quantile(const Histogram *histogram, double p)
{
	QuantilePosition position;
	double		before = -get_float8_infinity();
	int64		below = histogram->negative_infinities;

	if (histogram->n == 0)
		return get_float8_nan();
	position = quantile_position(histogram->n, p);
	if (position.rank + (position.fraction > 0) < below)
		return before;
	for (int bin = 0; bin < histogram->n_bins; bin++)
	{
		int64		count = histogram->counts[bin];
		double		first;
		double		last;

		if (bin == 0)
			count -= histogram->negative_infinities;
		if (bin == histogram->n_bins - 1)
			count -= histogram->positive_infinities;
		if (count == 0)
			continue;
		if (position.rank < below + count)
		{
			bin_ends(histogram, bin, count, &first, &last);
			if (position.rank < below)
				return quantile_between(before, first, position.fraction);
			if (position.rank < below + count - 1)
				return quantile_between(first, last,
										((double) (position.rank - below) +
										 position.fraction) /
										(double) (count - 1));
			if (position.fraction == 0)
				return last;
			before = last;
		}
		below += count;
	}
	return position.rank < below ?
		quantile_between(before, get_float8_infinity(), position.fraction) :
		get_float8_infinity();
}

Histogram *
histogram_settled(Histogram *histogram)
{
	histogram_catch_up(histogram);
	if (histogram->form == HISTOGRAM_CELLS)
		return histogram_from_cells(histogram);
	return histogram;
}

/*
 * The histogram without its edges, or itself when it has none: the hash of the
 * grid stands for them, and the per-bin sums are dropped. Shares the rest.
 */
Histogram *
histogram_detached(Histogram *histogram)
{
	Histogram  *detached;

	Assert(histogram->form != HISTOGRAM_CELLS);
	if (histogram->form == HISTOGRAM_DETACHED)
		return histogram;
	detached = palloc(sizeof(Histogram));
	*detached = *histogram;
	detached->summary.is_expanded = false;
	detached->form = HISTOGRAM_DETACHED;
	detached->grid_hash = histogram_grid_hash(histogram->grid);
	detached->grid = NULL;
	detached->source = NULL;
	detached->sums = NULL;
	return detached;
}

/*
 * A detached histogram on the edges of the baseline, which must be of the same
 * grid; per-bin sums stay unknown. Shares the rest.
 */
Histogram *
histogram_attached(Histogram *histogram, const Histogram *baseline)
{
	Histogram  *attached = palloc(sizeof(Histogram));

	Assert(histogram->form == HISTOGRAM_DETACHED && baseline->grid != NULL);
	*attached = *histogram;
	attached->summary.is_expanded = false;
	attached->form = HISTOGRAM_GRID;
	attached->grid = baseline->grid;
	return attached;
}

/* ----------
 * Fields
 * ----------
 */

static void
check_counts(Archive *ar, const Histogram *histogram)
{
	uint128		total = 0;

	for (int i = 0; i < histogram->n_bins; i++)
		total += (uint64) histogram->counts[i];
	if (total > (uint128) PG_INT64_MAX)
		archive_fail(ar, "The counts add up to more than 2^63 - 1.");
	else if (total != (uint128) histogram->n)
		archive_fail(ar, "The counts add up to " INT64_FORMAT ", but n is "
					 INT64_FORMAT ".", (int64) total, histogram->n);
	else if (histogram->negative_infinities > histogram->counts[0] ||
			 histogram->positive_infinities >
			 histogram->counts[histogram->n_bins - 1])
		archive_fail(ar, "There are more infinities than values in the outer "
					 "bins.");
}

/* Finite values exist exactly in bins within the bounds */
static void
check_bounds(Archive *ar, const Histogram *histogram)
{
	const HistogramGrid *grid = histogram->grid;
	int			low = grid_find_bin(grid, histogram->minimum);
	int			high = grid_find_bin(grid, histogram->maximum);

	for (int i = 0; i < histogram->n_bins; i++)
	{
		int64		finite = histogram->counts[i];

		if (i == 0)
			finite -= histogram->negative_infinities;
		if (i == histogram->n_bins - 1)
			finite -= histogram->positive_infinities;
		if (finite > 0 && (i < low || i > high))
		{
			archive_fail(ar, "Bin %d has values outside of minimum and "
						 "maximum.", i + 1);
			return;
		}
		if (histogram->sums != NULL &&
			((uint128) histogram->sums[i] >
			 (uint128) histogram->counts[i] * (uint128) HISTOGRAM_QUANTA ||
			 (histogram->sums[i] != 0 && grid->scale[i] == 0)))
		{
			archive_fail(ar, "The sum of bin %d is out of range.", i + 1);
			return;
		}
	}
}

static void
archive_grid(Archive *ar, Histogram *histogram)
{
	HistogramGrid *grid = (HistogramGrid *) histogram->grid;
	double	   *edges = NULL;
	int64	   *quantiles = NULL;
	int			n_edges = 0;
	int			n_counts = histogram->n_bins;
	int			n_sums = histogram->sums ? histogram->n_bins : 0;
	int			n_quantiles = 0;

	if (!archive_reading(ar))
	{
		edges = grid->edges;
		n_edges = grid->n_edges;
		n_quantiles = grid->n_quantiles;
		if (n_quantiles > 0)
		{
			/* steps from one to the next: small, and never negative */
			quantiles = palloc(n_quantiles * sizeof(int64));
			for (int i = 0; i < n_quantiles; i++)
				quantiles[i] = grid->quantile_edge[i] -
					(i > 0 ? grid->quantile_edge[i - 1] : -1);
		}
	}

	archive_floats(ar, "edges", &edges, &n_edges, HISTOGRAM_MAX_BINS - 1);
	archive_counts(ar, "counts", &histogram->counts, &n_counts,
				   HISTOGRAM_MAX_BINS);
	archive_counts(ar, "sums", &histogram->sums, &n_sums, HISTOGRAM_MAX_BINS);
	archive_counts(ar, "quantiles", &quantiles, &n_quantiles,
				   HISTOGRAM_MAX_BINS - 1);

	if (!archive_reading(ar) || ar->failed)
		return;
	for (int i = 0; i < n_edges; i++)
	{
		if (!isfinite(edges[i]) || (i > 0 && !(edges[i] > edges[i - 1])))
		{
			archive_fail(ar, "The edges are not finite and strictly "
						 "increasing.");
			return;
		}
	}
	if (n_sums == 0)
		histogram->sums = NULL;
	if (n_counts != n_edges + 1 || (n_sums != 0 && n_sums != n_counts))
	{
		archive_fail(ar, "There are %d edges, %d counts and %d sums.",
					 n_edges, n_counts, n_sums);
		return;
	}
	grid = histogram_grid_make(edges, n_edges);
	if (n_quantiles > 0)
	{
		int64		edge = -1;

		grid->n_quantiles = n_quantiles;
		grid->quantile_edge = palloc(n_quantiles * sizeof(int));
		for (int i = 0; i < n_quantiles; i++)
		{
			if (quantiles[i] >= n_edges - edge)
			{
				archive_fail(ar, "A quantile lies beyond the last edge.");
				return;
			}
			edge += quantiles[i];
			grid->quantile_edge[i] = (int) edge;
		}
	}
	histogram->grid = grid;
	histogram->n_bins = n_counts;
	check_counts(ar, histogram);
	if (!ar->failed)
		check_bounds(ar, histogram);
}

static void
archive_detached(Archive *ar, Histogram *histogram)
{
	uint64		words[2];
	uint8	   *bytes = (uint8 *) words;
	int			size = sizeof(words);

	if (!archive_reading(ar))
	{
		words[0] = pg_hton64(histogram->grid_hash.high);
		words[1] = pg_hton64(histogram->grid_hash.low);
	}
	archive_bytes(ar, "grid", &bytes, &size, sizeof(words));
	archive_counts(ar, "counts", &histogram->counts, &histogram->n_bins,
				   HISTOGRAM_MAX_BINS);
	if (!archive_reading(ar) || ar->failed)
		return;
	if (size != sizeof(words) || histogram->n_bins == 0)
	{
		archive_fail(ar, "A detached histogram needs the hash of its grid and "
					 "at least one bin.");
		return;
	}
	memcpy(words, bytes, sizeof(words));
	histogram->grid_hash.high = pg_ntoh64(words[0]);
	histogram->grid_hash.low = pg_ntoh64(words[1]);
	check_counts(ar, histogram);
}

/* Offsets have up to 112 bits: two counts of 56 each */
#define OFFSET_BITS		56
#define OFFSET_MASK		((UINT64CONST(1) << OFFSET_BITS) - 1)

static void
archive_cells(Archive *ar, Histogram *histogram)
{
	HistogramCell *cells = NULL;
	double	   *values = NULL;
	int64	   *counts = NULL;
	int64	   *offsets = NULL;
	int64		bins = histogram->bins;
	int64		prefix_bits = histogram->prefix_bits;
	int64		total = 0;
	int			n = 0;
	int			n_counts = 0;
	int			n_offsets = 0;

	if (!archive_reading(ar))
	{
		histogram_cells_settle(histogram);
		cells = histogram->cells;
		n = n_counts = histogram->n_cells;
		prefix_bits = histogram->prefix_bits;
		values = palloc(Max(n, 1) * sizeof(double));
		counts = palloc(Max(n, 1) * sizeof(int64));

		/* an offset is written as its parts, the first plus one, none as 0 */
		if (prefix_bits < 64)
		{
			n_offsets = 2 * n;
			offsets = palloc0(Max(n_offsets, 1) * sizeof(int64));
		}
		for (int i = 0; i < n; i++)
		{
			values[i] = float_from_key(cells[i].key);
			counts[i] = cells[i].count;
			if (cells[i].offset != 0)
			{
				offsets[2 * i] = (int64) (cells[i].offset >> OFFSET_BITS) + 1;
				offsets[2 * i + 1] = (int64) (cells[i].offset & OFFSET_MASK);
			}
		}
	}

	archive_count(ar, "bins", &bins);
	archive_count(ar, "prefix_bits", &prefix_bits);
	archive_floats(ar, "values", &values, &n, HISTOGRAM_MAX_CELLS);
	archive_counts(ar, "counts", &counts, &n_counts, HISTOGRAM_MAX_CELLS);
	archive_counts(ar, "offsets", &offsets, &n_offsets,
				   2 * HISTOGRAM_MAX_CELLS);

	if (!archive_reading(ar) || ar->failed)
		return;
	if (bins < 1 || bins > HISTOGRAM_MAX_BINS ||
		prefix_bits < HISTOGRAM_MIN_PREFIX || prefix_bits > 64 ||
		n_counts != n || n_offsets != (prefix_bits < 64 ? 2 * n : 0))
	{
		archive_fail(ar, "The cells are inconsistent.");
		return;
	}
	cells = palloc0(Max(n, 1) * sizeof(HistogramCell));
	for (int i = 0; i < n; i++)
	{
		HistogramCell *cell = &cells[i];
		int			shift = 64 - (int) prefix_bits;
		uint64		low_bits = shift > 0 ?
			(UINT64CONST(1) << shift) - 1 : 0;

		cell->key = float_key(values[i]);
		cell->count = counts[i];
		if (!isfinite(values[i]) || cell->count == 0 ||
			pg_add_s64_overflow(total, cell->count, &total) ||
			(i > 0 && (cell->key >> shift) <= (cells[i - 1].key >> shift)))
		{
			archive_fail(ar, "Cell %d is out of order or empty.", i + 1);
			return;
		}
		if (n_offsets > 0 && offsets[2 * i] > 0)
		{
			cell->offset = ((uint128) (offsets[2 * i] - 1) << OFFSET_BITS) +
				(uint128) offsets[2 * i + 1];
			if ((uint64) offsets[2 * i + 1] > OFFSET_MASK ||
				(cell->key & low_bits) != 0 || cell->offset == 0 ||
				cell->offset > (uint128) low_bits * (uint128) cell->count)
			{
				archive_fail(ar, "The offset of cell %d is out of range.",
							 i + 1);
				return;
			}
		}
	}
	if (total != histogram_finite_count(histogram))
	{
		archive_fail(ar, "The counts do not add up to n.");
		return;
	}
	histogram->bins = (int) bins;
	histogram->prefix_bits = (int) prefix_bits;
	histogram->cells = cells;
	histogram->n_cells = n;
}

void
histogram_archive(Archive *ar, Summary *summary)
{
	static const char *const forms[] = {"grid", "detached", "cells"};
	Histogram  *histogram = (Histogram *) summary;
	int			version = HISTOGRAM_VERSION;

	histogram_catch_up(histogram);
	archive_open(ar);
	archive_version(ar, HISTOGRAM_VERSION, &version);
	archive_enum(ar, "form", &histogram->form, forms, lengthof(forms));
	archive_count(ar, "n", &histogram->n);
	archive_count(ar, "null_count", &histogram->null_count);
	archive_count(ar, "nan_count", &histogram->nan_count);
	archive_count(ar, "negative_infinities", &histogram->negative_infinities);
	archive_count(ar, "positive_infinities", &histogram->positive_infinities);
	archive_float(ar, "minimum", &histogram->minimum);
	archive_float(ar, "maximum", &histogram->maximum);
	archive_bool(ar, "bounds_loose", &histogram->bounds_loose);
	exact_moments_archive(ar, &histogram->moments);
	if (archive_reading(ar) && !ar->failed)
	{
		if (!(isfinite(histogram->minimum) && isfinite(histogram->maximum) &&
			  histogram->minimum <= histogram->maximum))
			archive_fail(ar, "Minimum and maximum are not finite and in "
						 "order.");
		else if (histogram->negative_infinities > histogram->n ||
				 histogram->positive_infinities > histogram->n -
				 histogram->negative_infinities)
			archive_fail(ar, "There are more infinities than values.");
		else if (histogram_finite_count(histogram) == 0 &&
				 (histogram->minimum != 0 || histogram->maximum != 0 ||
				  histogram->bounds_loose))
			archive_fail(ar, "There are bounds, but no finite values.");
	}
	if (!ar->failed)
	{
		switch ((HistogramForm) histogram->form)
		{
			case HISTOGRAM_GRID:
				archive_grid(ar, histogram);
				break;
			case HISTOGRAM_DETACHED:
				archive_detached(ar, histogram);
				break;
			case HISTOGRAM_CELLS:
				archive_cells(ar, histogram);
				break;
		}
	}
	archive_close(ar);
}
