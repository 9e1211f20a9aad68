/*-------------------------------------------------------------------------
 *
 * histogram_cells.c
 *		Histograms that choose their own bins: collecting cells, choosing
 *		edges, and coarsening a grid to fewer cells.
 *
 * While a histogram collects, the cells are a hash table over the prefixes of
 * the values' keys. When more than HISTOGRAM_MAX_CELLS are occupied, the
 * prefix is cut by a bit until they fit again. The number of occupied cells
 * only grows with the data and only falls with the prefix, so the final prefix
 * is the longest that fits all data: no order of the values, no number of
 * workers and no split into parts can lead to another one.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "common/int.h"
#include "core/float_key.h"
#include "core/radix_sort.h"
#include "port/pg_bitutils.h"
#include "stats/summaries/histogram.h"
#include "utils/memutils.h"

#define CELLS_INITIAL_SLOTS		64

/* ----------
 * The hash table
 * ----------
 */

static inline uint64
cell_prefix(uint64 key, int prefix_bits)
{
	return key >> (64 - prefix_bits);
}

/* Multiplication by an odd constant spreads the high bits of neighbours */
static inline uint32
prefix_slot(uint64 prefix, int n_slots)
{
	return (uint32) ((prefix * UINT64CONST(0x9E3779B97F4A7C15)) >> 32) &
		(uint32) (n_slots - 1);
}

/* The cell of the prefix, or the free slot where it belongs */
static inline HistogramCell *
find_slot(HistogramCell *slots, int n_slots, int prefix_bits, uint64 key)
{
	uint64		prefix = cell_prefix(key, prefix_bits);
	uint32		slot = prefix_slot(prefix, n_slots);

	while (slots[slot].count != 0 &&
		   cell_prefix(slots[slot].key, prefix_bits) != prefix)
		slot = (slot + 1) & (uint32) (n_slots - 1);
	return &slots[slot];
}

static uint64
cell_start(uint64 key, int prefix_bits)
{
	return prefix_bits == 64 ? key :
		key & ~((UINT64CONST(1) << (64 - prefix_bits)) - 1);
}

static void
make_mixed(HistogramCell *cell, int prefix_bits)
{
	if (!cell->mixed)
	{
		uint64		start = cell_start(cell->key, prefix_bits);

		cell->offset = (uint128) (cell->key - start) * (uint128) cell->count;
		cell->key = start;
		cell->mixed = true;
	}
}

/*
 * Adds a cell, of which from_bits leading bits are the prefix, into a table
 * with prefix_bits <= from_bits.
 */
static bool
merge_cell(HistogramCell *slots, int n_slots, int prefix_bits,
		   const HistogramCell *from)
{
	HistogramCell *cell = find_slot(slots, n_slots, prefix_bits, from->key);

	if (cell->count == 0)
	{
		*cell = *from;
		if (from->mixed)
		{
			/* the start of the wider cell lies further left */
			cell->key = cell_start(from->key, prefix_bits);
			cell->offset += (uint128) (from->key - cell->key) *
				(uint128) from->count;
		}
		return true;
	}
	if (cell->mixed || from->mixed || cell->key != from->key)
	{
		make_mixed(cell, prefix_bits);
		cell->offset += (uint128) (from->key - cell->key) *
			(uint128) from->count + from->offset;
	}
	if (pg_add_s64_overflow(cell->count, from->count, &cell->count))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a count of a histogram is out of range")));
	return false;
}

/* Moves all cells to a new table */
static void
rebuild(Histogram *histogram, int n_slots, int prefix_bits)
{
	HistogramCell *old = histogram->slots;
	int			old_slots = histogram->n_slots;

	histogram->slots =
		MemoryContextAllocZero(histogram->summary.context,
							   n_slots * sizeof(HistogramCell));
	histogram->n_slots = n_slots;
	histogram->prefix_bits = prefix_bits;
	histogram->n_cells = 0;
	for (int i = 0; i < old_slots; i++)
		if (old[i].count != 0 &&
			merge_cell(histogram->slots, n_slots, prefix_bits, &old[i]))
			histogram->n_cells++;
	if (old != NULL)
		pfree(old);
}

/*
 * The longest prefix with at most HISTOGRAM_MAX_CELLS occupied cells. Of the
 * keys in order, neighbours share a cell while the prefix is no longer than
 * the bits that they begin with in common.
 */
static int
longest_prefix(const Histogram *histogram)
{
	uint64	   *keys = palloc(histogram->n_cells * sizeof(uint64));
	uint64	   *scratch = palloc(histogram->n_cells * sizeof(uint64));
	int			in_common[65] = {0};
	int			prefix_bits = 0;
	int			n_cells = 1;
	int			n = 0;

	for (int i = 0; i < histogram->n_slots; i++)
		if (histogram->slots[i].count != 0)
			keys[n++] = histogram->slots[i].key;
	radix_sort(keys, scratch, n);
	for (int i = 1; i < n; i++)
		in_common[63 - pg_leftmost_one_pos64(keys[i] ^ keys[i - 1])]++;
	while (prefix_bits < histogram->prefix_bits &&
		   n_cells + in_common[prefix_bits] <= HISTOGRAM_MAX_CELLS)
		n_cells += in_common[prefix_bits++];
	pfree(keys);
	pfree(scratch);
	return prefix_bits;
}

/*
 * While a histogram collects, half as many cells again may be occupied, so
 * that the prefix is not cut for every few of them. That leads to no other
 * prefix in the end: one that fits a part of the data is never shorter than
 * the one that fits all.
 */
#define CELLS_MAX_OCCUPIED	(HISTOGRAM_MAX_CELLS + HISTOGRAM_MAX_CELLS / 2)

void
histogram_cells_fit(Histogram *histogram)
{
	if (histogram->n_cells > HISTOGRAM_MAX_CELLS)
		rebuild(histogram, histogram->n_slots, longest_prefix(histogram));
}

/*
 * After a cell was added: keep the table at most half full, the largest one at
 * most three quarters.
 */
static void
after_growth(Histogram *histogram)
{
	if (histogram->n_cells > CELLS_MAX_OCCUPIED)
		histogram_cells_fit(histogram);
	else if (histogram->n_cells > histogram->n_slots / 2 &&
			 histogram->n_slots < 2 * HISTOGRAM_MAX_CELLS)
		rebuild(histogram, histogram->n_slots * 2, histogram->prefix_bits);
}

/* Fetches the cells of values that are about to be added */
void
histogram_cells_prefetch(const Histogram *histogram, const double *values,
						 int n)
{
	if (histogram->slots == NULL)
		return;
	for (int i = 0; i < n; i++)
	{
		uint64		prefix = cell_prefix(float_key(values[i]),
										 histogram->prefix_bits);

		__builtin_prefetch(&histogram->slots[prefix_slot(prefix,
														 histogram->n_slots)],
						   1);
	}
}

void
histogram_cells_add(Histogram *histogram, double value)
{
	uint64		key = float_key(value);
	HistogramCell *cell;

	if (unlikely(histogram->slots == NULL))
		rebuild(histogram, CELLS_INITIAL_SLOTS, histogram->prefix_bits);
	cell = find_slot(histogram->slots, histogram->n_slots,
					 histogram->prefix_bits, key);
	if (cell->count == 0)
	{
		cell->key = key;
		cell->count = 1;
		histogram->n_cells++;
		after_growth(histogram);
		return;
	}
	if (cell->mixed || cell->key != key)
	{
		make_mixed(cell, histogram->prefix_bits);
		cell->offset += key - cell->key;
	}
	cell->count++;
}

void
histogram_cells_combine(Histogram *into, const Histogram *from)
{
	if (from->n_cells == 0)
		return;
	if (into->slots == NULL)
		rebuild(into, CELLS_INITIAL_SLOTS, into->prefix_bits);
	if (from->prefix_bits < into->prefix_bits)
		rebuild(into, into->n_slots, from->prefix_bits);
	for (int i = 0; i < from->n_slots; i++)
	{
		if (from->slots[i].count == 0)
			continue;
		if (merge_cell(into->slots, into->n_slots, into->prefix_bits,
					   &from->slots[i]))
		{
			into->n_cells++;
			after_growth(into);
		}
	}
}

/* Fills an empty histogram of the CELLS form with distinct cells */
void
histogram_cells_load(Histogram *histogram, const HistogramCell *cells, int n)
{
	int			n_slots = CELLS_INITIAL_SLOTS;

	while (n > n_slots / 2)
		n_slots *= 2;
	rebuild(histogram, n_slots, histogram->prefix_bits);
	for (int i = 0; i < n; i++)
		(void) merge_cell(histogram->slots, n_slots, histogram->prefix_bits,
						  &cells[i]);
	histogram->n_cells = n;
}

static int
compare_cells(const void *a, const void *b)
{
	uint64		a_key = ((const HistogramCell *) a)->key;
	uint64		b_key = ((const HistogramCell *) b)->key;

	return (a_key > b_key) - (a_key < b_key);
}

/*
 * The occupied cells, at most HISTOGRAM_MAX_CELLS, in ascending order; at least
 * one element is allocated.
 */
HistogramCell *
histogram_cells_sorted(Histogram *histogram)
{
	HistogramCell *cells;
	int			n = 0;

	histogram_cells_fit(histogram);
	cells = palloc(Max(histogram->n_cells, 1) * sizeof(HistogramCell));
	for (int i = 0; i < histogram->n_slots; i++)
		if (histogram->slots[i].count != 0)
			cells[n++] = histogram->slots[i];
	Assert(n == histogram->n_cells);
	qsort(cells, n, sizeof(HistogramCell), compare_cells);
	return cells;
}

/* ----------
 * Choosing edges
 * ----------
 */

/* What the choice works on: the sorted cells with running counts */
typedef struct CellList
{
	HistogramCell *cells;
	int			n;
	int			prefix_bits;
	int64		total;
	int64	   *below;			/* values in cells before this one; n + 1 */
} CellList;

static double
cell_left(const CellList *list, int i)
{
	return float_from_key(cell_start(list->cells[i].key, list->prefix_bits));
}

/* Where the cell after cell i may begin: the end of its stretch of keys */
static double
cell_right(const CellList *list, int i)
{
	uint64		start = cell_start(list->cells[i].key, list->prefix_bits);

	if (list->prefix_bits == 64)
		return float_from_key(start + 1);
	return float_from_key(start +
						  (UINT64CONST(1) << (64 - list->prefix_bits)));
}

/* The cell that holds order statistic number rank, from 0 */
static int
cell_of_rank(const CellList *list, int64 rank)
{
	int			low = 0;
	int			high = list->n - 1;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (list->below[middle + 1] > rank)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/*
 * The type-7 quantile at i / bins. With exact cells the value itself,
 * interpolated as usual (Hyndman and Fan 1996); otherwise the border of cells
 * whose count below is nearest to that of the quantile.
 */
static double
choose_quantile(const CellList *list, int i, int bins)
{
	double		position = (double) (list->total - 1) * ((double) i / bins);
	int64		rank = (int64) floor(position);
	double		fraction = position - (double) rank;
	int			cell;

	rank = Min(rank, list->total - 1);
	cell = cell_of_rank(list, rank);
	if (list->prefix_bits == 64)
	{
		double		low = float_from_key(list->cells[cell].key);
		double		high;

		if (fraction == 0 || rank + 1 < list->below[cell + 1])
			return low;
		if (rank + 1 >= list->total)
			return low;
		high = float_from_key(list->cells[cell + 1].key);

		/* from the nearer end, as numpy does, so as never to fall outside */
		if (!isfinite(high - low))
			return low * (1 - fraction) + high * fraction;
		if (fraction < 0.5)
			return low + (high - low) * fraction;
		return high - (high - low) * (1 - fraction);
	}
	if (position - (double) list->below[cell] <=
		(double) list->below[cell + 1] - position ||
		!isfinite(cell_right(list, cell)))
		return cell_left(list, cell);
	return cell_right(list, cell);
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Sums per bin of the new grid, in its quanta, from the cells */
static void
fill_bins(Histogram *result, const CellList *list)
{
	const HistogramGrid *grid = result->grid;
	int			cell = 0;

	for (int bin = 0; bin < result->n_bins; bin++)
	{
		double		scale = grid->scale[bin];
		double		quanta = 0;

		for (; cell < list->n; cell++)
		{
			const HistogramCell *c = &list->cells[cell];
			double		left = float_from_key(c->key);

			if (bin < grid->n_edges && left >= grid->edges[bin])
				break;
			result->counts[bin] += c->count;
			if (scale == 0)
				continue;
			/* quanta at once: a sum of offsets may overflow */
			quanta += (left - grid->edges[bin - 1]) * scale *
				(double) c->count;
			if (c->mixed)
				quanta += (double) c->offset *
					((float_from_key(c->key + 1) - left) * scale);
		}
		if (scale != 0)
		{
			double		most = (double) result->counts[bin] *
				HISTOGRAM_QUANTA;

			result->sums[bin] = (int64) Max(0, Min(rint(quanta), most));
		}
	}
}

/*
 * A new histogram, in the current context, on the grid its data choose: the
 * quantiles at i / bins, and a point bin for each value that holds more than
 * 1 / (2 bins) of the values. Equal quantiles make one edge; one at the minimum
 * makes none, because nothing lies below it.
 */
Histogram *
histogram_from_cells(Histogram *from)
{
	Histogram  *result = summary_make(&histogram_type);
	int			bins = from->bins;
	CellList	list;
	double	   *quantiles;
	double	   *edges;
	HistogramGrid *grid;
	int			n = 0;
	int			unique = 0;

	list.cells = histogram_cells_sorted(from);
	list.n = from->n_cells;
	list.prefix_bits = from->prefix_bits;
	list.total = histogram_finite_count(from);
	list.below = palloc((list.n + 1) * sizeof(int64));
	list.below[0] = 0;
	for (int i = 0; i < list.n; i++)
		list.below[i + 1] = list.below[i] + list.cells[i].count;

	/* each heavy cell adds two edges, and at most 2 bins cells are heavy */
	quantiles = palloc(Max(bins, 1) * sizeof(double));
	edges = palloc((5 * (size_t) bins + 4) * sizeof(double));
	if (list.n > 0)
	{
		for (int i = 1; i < bins; i++)
		{
			quantiles[i - 1] = choose_quantile(&list, i, bins);
			if (quantiles[i - 1] > from->minimum)
				edges[n++] = quantiles[i - 1];
		}
		for (int i = 0; i < list.n; i++)
		{
			uint64		key = list.cells[i].key;

			if ((double) list.cells[i].count * 2 * bins <=
				(double) list.total)
				continue;
			if (!list.cells[i].mixed)
			{
				edges[n++] = float_from_key(key);
				edges[n++] = float_from_key(key + 1);
			}
			else
			{
				edges[n++] = cell_left(&list, i);
				edges[n++] = cell_right(&list, i);
			}
		}
	}
	qsort(edges, n, sizeof(double), compare_doubles);
	for (int i = 0; i < n; i++)
		if (isfinite(edges[i]) &&
			(unique == 0 || edges[i] > edges[unique - 1]))
			edges[unique++] = edges[i];

	grid = histogram_grid_make(edges, unique);
	if (list.n > 0 && bins > 1)
	{
		int			edge = 0;

		grid->n_quantiles = bins - 1;
		grid->quantile_edge = palloc((bins - 1) * sizeof(int));
		for (int i = 0; i < bins - 1; i++)
		{
			if (!(quantiles[i] > from->minimum))
			{
				grid->quantile_edge[i] = -1;
				continue;
			}
			while (grid->edges[edge] < quantiles[i])
				edge++;
			grid->quantile_edge[i] = edge;
		}
	}

	histogram_set_grid(result, grid);
	result->n = from->n;
	result->null_count = from->null_count;
	result->nan_count = from->nan_count;
	result->negative_infinities = from->negative_infinities;
	result->positive_infinities = from->positive_infinities;
	result->minimum = from->minimum;
	result->maximum = from->maximum;
	result->bounds_loose = from->bounds_loose;
	exact_moments_combine(&result->moments, &from->moments, 1,
						  result->summary.context);
	fill_bins(result, &list);
	result->counts[0] += from->negative_infinities;
	result->counts[result->n_bins - 1] += from->positive_infinities;

	pfree(quantiles);
	pfree(edges);
	pfree(list.below);
	pfree(list.cells);
	return result;
}

/* ----------
 * Coarsening
 * ----------
 */

/* The edge whose count below is nearest to i / cells of the values */
static int
nearest_edge(const Histogram *reference, const int64 *below, int i, int cells)
{
	double		wanted = (double) reference->n * ((double) i / cells);
	int			best = -1;
	double		distance = 0;

	for (int edge = 0; edge < reference->n_bins - 1; edge++)
	{
		double		d = fabs((double) below[edge] - wanted);

		if (below[edge] > 0 && (best < 0 || d < distance))
		{
			best = edge;
			distance = d;
		}
	}
	return best;
}

int
histogram_coarsen(const Histogram *reference, int cells, int *cell_of)
{
	int			n_bins = reference->n_bins;
	bool	   *starts;
	int			cell = 0;
	bool		has_quantiles = cells > 0 && reference->grid != NULL &&
		reference->grid->n_quantiles > 0 &&
		(reference->grid->n_quantiles + 1) % cells == 0;

	if (cells <= 0 || (n_bins <= cells && !has_quantiles))
	{
		for (int bin = 0; bin < n_bins; bin++)
			cell_of[bin] = bin;
		return n_bins;
	}

	/* starts[bin]: a cell begins with this bin, whose left edge is bin - 1 */
	starts = palloc0(n_bins * sizeof(bool));
	if (has_quantiles)
	{
		int			step = (reference->grid->n_quantiles + 1) / cells;

		for (int i = 1; i < cells; i++)
		{
			int			edge = reference->grid->quantile_edge[i * step - 1];

			if (edge >= 0)
				starts[edge + 1] = true;
		}
	}
	else
	{
		int64	   *below = palloc(n_bins * sizeof(int64));
		int64		running = 0;

		for (int bin = 0; bin < n_bins; bin++)
		{
			running += reference->counts[bin];
			below[bin] = running;
		}
		for (int i = 1; i < cells; i++)
		{
			int			edge = nearest_edge(reference, below, i, cells);

			if (edge >= 0)
				starts[edge + 1] = true;
		}
		pfree(below);
	}

	for (int bin = 0; bin < n_bins; bin++)
	{
		if (starts[bin])
			cell++;
		cell_of[bin] = cell;
	}
	pfree(starts);
	return cell + 1;
}
