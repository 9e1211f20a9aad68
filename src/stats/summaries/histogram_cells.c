/*-------------------------------------------------------------------------
 *
 * histogram_cells.c
 *		Histograms that choose their own bins: collecting cells, choosing
 *		edges, and coarsening a grid to fewer cells.
 *
 * While a histogram collects, values wait in a list of keys. A full list is
 * sorted and folded into the cells, an ordered list by the prefixes of keys:
 * sorting stays in the cache where a table of so many cells would not. When too
 * many cells are occupied, the prefix is cut until they fit again. The number
 * of occupied cells only grows with the data and only falls with the prefix,
 * so the final prefix is the longest that fits all data: no order of the
 * values, no number of workers and no split into parts can lead to another one.
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

/*
 * While a histogram collects, half as many cells again may be occupied, so
 * that the prefix is not cut for every few of them. That leads to no other
 * prefix in the end: one that fits a part of the data is never shorter than
 * the one that fits all.
 */
#define CELLS_MAX_OCCUPIED	(HISTOGRAM_MAX_CELLS + HISTOGRAM_MAX_CELLS / 2)

/* Keys that wait: few at first, more when they do not share cells */
#define PENDING_FIRST		64
#define PENDING_MAX			65536

/* Values that come with a weight wait apart */
#define WEIGHTED_FIRST		16
#define WEIGHTED_MAX		4096

/* ----------
 * Cells
 * ----------
 */

static inline uint64
cell_prefix(uint64 key, int prefix_bits)
{
	return key >> (64 - prefix_bits);
}

static inline uint64
cell_start(uint64 key, int prefix_bits)
{
	return prefix_bits == 64 ? key :
		key & ~((UINT64CONST(1) << (64 - prefix_bits)) - 1);
}

/* Makes the offset one from the start of the cell of that prefix */
static void
rebase(HistogramCell *cell, int prefix_bits)
{
	uint64		start = cell_start(cell->key, prefix_bits);

	cell->offset += (uint128) (cell->key - start) * (uint128) cell->count;
	cell->key = start;
}

/* Adds a cell to another one of the same prefix */
static void
absorb(HistogramCell *into, HistogramCell from, int prefix_bits)
{
	/* two values in one cell: not both are its start, the offset is not 0 */
	if (into->offset != 0 || from.offset != 0 || into->key != from.key)
	{
		rebase(into, prefix_bits);
		rebase(&from, prefix_bits);
		into->offset += from.offset;
	}
	if (pg_add_s64_overflow(into->count, from.count, &into->count))
		histogram_count_overflow();
}

/* The first of n > 0 sorted keys and all that share its cell; their number */
static inline int
take_cell(const uint64 *keys, int n, int prefix_bits, HistogramCell *cell)
{
	uint64		first = keys[0];
	uint64		start = cell_start(first, prefix_bits);
	uint64		prefix = cell_prefix(first, prefix_bits);
	uint64		different = 0;
	uint128		offset = 0;
	int			i;

	for (i = 0; i < n && cell_prefix(keys[i], prefix_bits) == prefix; i++)
	{
		different |= keys[i] ^ first;
		offset += keys[i] - start;
	}
	cell->count = i;
	cell->key = different != 0 ? start : first;
	cell->offset = different != 0 ? offset : 0;
	return i;
}

/*
 * The longest prefix with at most HISTOGRAM_MAX_CELLS occupied cells. Of the
 * keys in order, neighbours share a cell while the prefix is no longer than
 * the bits that they begin with in common.
 */
static int
longest_prefix(const Histogram *histogram)
{
	const HistogramCell *cells = histogram->cells;
	int			in_common[65] = {0};
	int			prefix_bits = 0;
	int			n_cells = 1;

	for (int i = 1; i < histogram->n_cells; i++)
		in_common[63 - pg_leftmost_one_pos64(cells[i].key ^
											 cells[i - 1].key)]++;
	while (prefix_bits < histogram->prefix_bits &&
		   n_cells + in_common[prefix_bits] <= HISTOGRAM_MAX_CELLS)
		n_cells += in_common[prefix_bits++];
	return prefix_bits;
}

/* Neighbours that a shorter prefix puts together become one cell */
static void
cut_prefix(Histogram *histogram, int prefix_bits)
{
	HistogramCell *cells = histogram->cells;
	int			n = 0;

	for (int i = 0; i < histogram->n_cells; i++)
	{
		HistogramCell cell = cells[i];

		if (n > 0 && cell_prefix(cells[n - 1].key, prefix_bits) ==
			cell_prefix(cell.key, prefix_bits))
			absorb(&cells[n - 1], cell, prefix_bits);
		else
		{
			if (cell.offset != 0)
				rebase(&cell, prefix_bits);
			cells[n++] = cell;
		}
	}
	histogram->n_cells = n;
	histogram->prefix_bits = prefix_bits;
}

/*
 * The cells become those and cells of the list too, which are in order and of
 * the same prefix.
 */
static void
merge_cells(Histogram *histogram, const HistogramCell *list, int n)
{
	const HistogramCell *old = histogram->cells;
	int			n_old = histogram->n_cells;
	int			prefix_bits = histogram->prefix_bits;
	HistogramCell *merged =
		MemoryContextAlloc(histogram->summary.context,
						   Max(n_old + n, 1) * sizeof(HistogramCell));
	int			i = 0;
	int			j = 0;
	int			n_merged = 0;

	while (i < n_old && j < n)
	{
		uint64		a = cell_prefix(old[i].key, prefix_bits);
		uint64		b = cell_prefix(list[j].key, prefix_bits);

		merged[n_merged] = a <= b ? old[i++] : list[j++];
		if (a == b)
			absorb(&merged[n_merged], list[j++], prefix_bits);
		n_merged++;
	}
	while (i < n_old)
		merged[n_merged++] = old[i++];
	while (j < n)
		merged[n_merged++] = list[j++];
	if (histogram->cells != NULL)
		pfree(histogram->cells);
	histogram->cells = merged;
	histogram->n_cells = n_merged;
	histogram->max_cells = n_old + n;
	if (n_merged > CELLS_MAX_OCCUPIED)
		cut_prefix(histogram, longest_prefix(histogram));
}

/* ----------
 * Collecting
 * ----------
 */

/* So many cells at most are made of keys before they go to the others */
#define LIST_MAX			(PENDING_MAX / 4)

/*
 * Room for sorting n keys, and then for Min(n, LIST_MAX) cells. That for many
 * is kept for the session: a profile sorts list after list, and to get half a
 * megabyte from the system for each costs more than the sorting.
 */
static void *
sorting_room(int n)
{
	static void *room = NULL;

	if (n <= PENDING_MAX / 64)
		return palloc(n * sizeof(HistogramCell));
	StaticAssertStmt(LIST_MAX * sizeof(HistogramCell) <=
					 PENDING_MAX * sizeof(uint64), "no room for the list");
	if (room == NULL)
		room = MemoryContextAlloc(TopMemoryContext,
								  PENDING_MAX * sizeof(uint64));
	return room;
}

/* Puts cells among the others, of which none has the prefix of one of them */
static void
insert_cells(Histogram *histogram, const HistogramCell *list, int n)
{
	HistogramCell *cells = histogram->cells;
	int			prefix_bits = histogram->prefix_bits;
	int			n_old = histogram->n_cells;
	int			to = n_old + n;

	if (to > histogram->max_cells)
	{
		/* at most what is occupied and a list more: nothing grows after that */
		int			wanted = Max(to, Min(2 * to,
										 CELLS_MAX_OCCUPIED + LIST_MAX));

		cells = MemoryContextAlloc(histogram->summary.context,
								   wanted * sizeof(HistogramCell));
		if (n_old > 0)
			memcpy(cells, histogram->cells, n_old * sizeof(HistogramCell));
		if (histogram->cells != NULL)
			pfree(histogram->cells);
		histogram->cells = cells;
		histogram->max_cells = wanted;
	}
	histogram->n_cells = to;
	while (n > 0)
	{
		if (n_old > 0 && cell_prefix(cells[n_old - 1].key, prefix_bits) >
			cell_prefix(list[n - 1].key, prefix_bits))
			cells[--to] = cells[--n_old];
		else
			cells[--to] = list[--n];
	}
	if (histogram->n_cells > CELLS_MAX_OCCUPIED)
		cut_prefix(histogram, longest_prefix(histogram));
}

/*
 * Of n sorted keys, adds those whose cells are there to these, and brings the
 * others to the front, in their order; returns their number.
 */
static int
add_to_cells(Histogram *histogram, uint64 *keys, int n)
{
	HistogramCell *cells = histogram->cells;
	int			n_cells = histogram->n_cells;
	int			prefix_bits = histogram->prefix_bits;
	int			at = 0;
	int			n_left = 0;

	for (int i = 0; i < n;)
	{
		uint64		prefix = cell_prefix(keys[i], prefix_bits);

		while (at < n_cells &&
			   cell_prefix(cells[at].key, prefix_bits) < prefix)
			at++;
		if (at < n_cells && cell_prefix(cells[at].key, prefix_bits) == prefix)
		{
			HistogramCell cell;

			i += take_cell(keys + i, n - i, prefix_bits, &cell);
			absorb(&cells[at], cell, prefix_bits);
		}
		else
			do
				keys[n_left++] = keys[i++];
			while (i < n && cell_prefix(keys[i], prefix_bits) == prefix);
	}
	return n_left;
}

/* ----------
 * Many keys for many cells
 *
 * Once the prefix has been cut, most keys of a list belong to cells that exist,
 * and a map of prefixes finds these for less than sorting. It covers the
 * prefixes of the largest magnitudes of either sign, for one list; all other
 * keys are sorted.
 * ----------
 */

#define MAP_SIZE			65536	/* prefixes of one sign */
#define MAP_NONE			PG_UINT16_MAX
#define MAP_MIN_KEYS		8192
#define MAP_BLOCK			64

typedef struct CellMap
{
	uint64		outermost[2];	/* the prefix of that magnitude, by sign bit */
	uint16		cell[2][MAP_SIZE];	/* by the distance from it */
} CellMap;

/* How far a prefix lies inside of the outermost one of its sign */
static inline uint64
map_distance(const CellMap *map, uint64 prefix, int sign)
{
	return sign ? map->outermost[1] - prefix : prefix - map->outermost[0];
}

/* The map of the cells, which lasts until the next one is made */
static CellMap *
map_cells(const Histogram *histogram)
{
	static CellMap *map = NULL;
	const HistogramCell *cells = histogram->cells;
	int			n = histogram->n_cells;

	StaticAssertStmt(CELLS_MAX_OCCUPIED < MAP_NONE, "cells have no number");
	if (map == NULL)
		map = MemoryContextAlloc(TopMemoryContext, sizeof(CellMap));
	memset(map->cell, 0xFF, sizeof(map->cell));
	map->outermost[0] = cell_prefix(cells[0].key, histogram->prefix_bits);
	map->outermost[1] = cell_prefix(cells[n - 1].key, histogram->prefix_bits);
	for (int i = 0; i < n; i++)
	{
		int			sign = (int) (cells[i].key >> 63);
		uint64		prefix = cell_prefix(cells[i].key, histogram->prefix_bits);
		uint64		distance = map_distance(map, prefix, sign);

		if (distance < MAP_SIZE)
			map->cell[sign][distance] = (uint16) i;
	}
	return map;
}

static inline void
add_key(HistogramCell *cell, uint64 key, int prefix_bits)
{
	if (likely(cell->offset != 0))
	{
		cell->count++;
		cell->offset += key - cell->key;
	}
	else if (cell->key == key)
		cell->count++;
	else
		absorb(cell, (HistogramCell) {.key = key,.count = 1}, prefix_bits);
}

/*
 * Adds keys to their cells, and brings the others to the front; returns their
 * number. The cells of a block of keys are fetched together: they lie anywhere.
 */
static int
add_by_map(Histogram *histogram, uint64 *keys, int n)
{
	const CellMap *map = map_cells(histogram);
	HistogramCell *cells = histogram->cells;
	int			prefix_bits = histogram->prefix_bits;
	int			n_left = 0;

	for (int first = 0; first < n; first += MAP_BLOCK)
	{
		int			size = Min(MAP_BLOCK, n - first);
		uint16		at[MAP_BLOCK];

		for (int i = 0; i < size; i++)
		{
			uint64		key = keys[first + i];
			int			sign = (int) (key >> 63);
			uint64		distance =
				map_distance(map, cell_prefix(key, prefix_bits), sign);

			at[i] = distance < MAP_SIZE ? map->cell[sign][distance] :
				MAP_NONE;
			__builtin_prefetch(&cells[at[i] == MAP_NONE ? 0 : at[i]], 1);
		}
		for (int i = 0; i < size; i++)
		{
			uint64		key = keys[first + i];

			if (unlikely(at[i] == MAP_NONE ||
						 cells[at[i]].count == PG_INT64_MAX))
				keys[n_left++] = key;
			else
				add_key(&cells[at[i]], key, prefix_bits);
		}
	}
	return n_left;
}

/*
 * Where sorted keys need more cells than there can be, the prefix is cut before
 * cells are made of them.
 */
static void
cut_for_keys(Histogram *histogram, const uint64 *keys, int n)
{
	int			in_common[65] = {0};
	int			prefix_bits = 0;
	int			n_cells = 1;

	for (int i = 1; i < n; i++)
		if (keys[i] != keys[i - 1])
			in_common[63 - pg_leftmost_one_pos64(keys[i] ^ keys[i - 1])]++;
	while (prefix_bits < histogram->prefix_bits &&
		   n_cells + in_common[prefix_bits] <= HISTOGRAM_MAX_CELLS)
		n_cells += in_common[prefix_bits++];
	if (prefix_bits < histogram->prefix_bits)
		cut_prefix(histogram, prefix_bits);
}

/* Moves what waits to the cells */
static void
fold_pending(Histogram *histogram)
{
	int			n = histogram->n_pending;
	uint64	   *keys = histogram->pending;
	bool		few;
	HistogramCell *list;

	if (n >= MAP_MIN_KEYS && histogram->prefix_bits < 64)
		n = add_by_map(histogram, keys, n);
	histogram->n_pending = n;
	few = n <= PENDING_MAX / 64;
	if (n == 0)
		return;
	list = sorting_room(n);
	radix_sort_leading(keys, (uint64 *) list, n, histogram->prefix_bits);
	histogram->n_pending = 0;
	if (n > HISTOGRAM_MAX_CELLS)
		cut_for_keys(histogram, keys, n);
	while ((n = add_to_cells(histogram, keys, n)) > 0)
	{
		/* a list of new cells; the prefix may be shorter behind them */
		int			prefix_bits = histogram->prefix_bits;
		int			n_list = 0;
		int			taken = 0;

		while (taken < n && n_list < LIST_MAX)
			taken += take_cell(keys + taken, n - taken, prefix_bits,
							   &list[n_list++]);
		insert_cells(histogram, list, n_list);
		keys += taken;
		n -= taken;
	}
	if (few)
		pfree(list);
}

/* More keys may wait where they mostly make new cells */
static void
make_room(Histogram *histogram)
{
	if (histogram->pending == NULL)
	{
		histogram->max_pending = PENDING_FIRST;
		histogram->pending = MemoryContextAlloc(histogram->summary.context,
												PENDING_FIRST *
												sizeof(uint64));
		return;
	}
	fold_pending(histogram);
	if (histogram->n_cells > histogram->max_pending / 2 &&
		histogram->max_pending < PENDING_MAX)
	{
		histogram->max_pending *= 4;
		pfree(histogram->pending);
		histogram->pending = MemoryContextAlloc(histogram->summary.context,
												histogram->max_pending *
												sizeof(uint64));
	}
}

void
histogram_cells_add(Histogram *histogram, double value)
{
	if (unlikely(histogram->n_pending == histogram->max_pending))
		make_room(histogram);
	histogram->pending[histogram->n_pending++] = float_key(value);
}

/* Room for keys, of which n are to come: as many as there is */
static int
take_room(Histogram *histogram, int n)
{
	if (histogram->n_pending == histogram->max_pending)
		make_room(histogram);
	return Min(n, histogram->max_pending - histogram->n_pending);
}

void
histogram_cells_add_many(Histogram *histogram, const double *values, int n)
{
	while (n > 0)
	{
		int			taken = take_room(histogram, n);
		uint64	   *next = histogram->pending + histogram->n_pending;

		for (int i = 0; i < taken; i++)
			next[i] = float_key(values[i]);
		histogram->n_pending += taken;
		values += taken;
		n -= taken;
	}
}

static void
add_keys(Histogram *histogram, const uint64 *keys, int n)
{
	while (n > 0)
	{
		int			taken = take_room(histogram, n);

		memcpy(histogram->pending + histogram->n_pending, keys,
			   taken * sizeof(uint64));
		histogram->n_pending += taken;
		keys += taken;
		n -= taken;
	}
}

static int
compare_cells(const void *a, const void *b)
{
	uint64		a_key = ((const HistogramCell *) a)->key;
	uint64		b_key = ((const HistogramCell *) b)->key;

	return (a_key > b_key) - (a_key < b_key);
}

static void
fold_weighted(Histogram *histogram)
{
	HistogramCell *list = histogram->weighted;
	int			n = 0;

	if (histogram->n_weighted == 0)
		return;
	qsort(list, histogram->n_weighted, sizeof(HistogramCell), compare_cells);
	for (int i = 0; i < histogram->n_weighted; i++)
	{
		if (n > 0 && cell_prefix(list[n - 1].key, histogram->prefix_bits) ==
			cell_prefix(list[i].key, histogram->prefix_bits))
			absorb(&list[n - 1], list[i], histogram->prefix_bits);
		else
			list[n++] = list[i];
	}
	merge_cells(histogram, list, n);
	histogram->n_weighted = 0;
}

/* Adds a value so many times, which is more than none */
void
histogram_cells_add_times(Histogram *histogram, double value, int64 times)
{
	HistogramCell cell = {.key = float_key(value),.count = times};

	if (histogram->n_weighted == histogram->max_weighted)
	{
		if (histogram->max_weighted == WEIGHTED_MAX)
			fold_weighted(histogram);
		else
		{
			int			wanted = Max(WEIGHTED_FIRST,
									 4 * histogram->max_weighted);
			HistogramCell *list =
				MemoryContextAlloc(histogram->summary.context,
								   wanted * sizeof(HistogramCell));

			if (histogram->weighted != NULL)
			{
				memcpy(list, histogram->weighted,
					   histogram->n_weighted * sizeof(HistogramCell));
				pfree(histogram->weighted);
			}
			histogram->weighted = list;
			histogram->max_weighted = wanted;
		}
	}
	histogram->weighted[histogram->n_weighted++] = cell;
}

/*
 * Brings everything into the cells, at most HISTOGRAM_MAX_CELLS of them. The
 * histogram remains the same value.
 */
void
histogram_cells_settle(Histogram *histogram)
{
	fold_pending(histogram);
	fold_weighted(histogram);
	if (histogram->n_cells > HISTOGRAM_MAX_CELLS)
		cut_prefix(histogram, longest_prefix(histogram));
}

void
histogram_cells_combine(Histogram *into, const Histogram *from)
{
	Histogram	cut = *from;

	if (from->prefix_bits < into->prefix_bits)
		cut_prefix(into, from->prefix_bits);
	else if (from->prefix_bits > into->prefix_bits && from->n_cells > 0)
	{
		/* of a copy, as others may hold what is added */
		cut.cells = palloc(from->n_cells * sizeof(HistogramCell));
		memcpy(cut.cells, from->cells, from->n_cells * sizeof(HistogramCell));
		cut_prefix(&cut, into->prefix_bits);
	}
	if (cut.n_cells > 0)
		merge_cells(into, cut.cells, cut.n_cells);
	if (cut.cells != from->cells)
		pfree(cut.cells);
	add_keys(into, from->pending, from->n_pending);
	for (int i = 0; i < from->n_weighted; i++)
		histogram_cells_add_times(into,
								  float_from_key(from->weighted[i].key),
								  from->weighted[i].count);
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
			if (c->offset != 0)
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

	histogram_cells_settle(from);
	list.cells = from->cells;
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
			if (list.cells[i].offset == 0)
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
