/*-------------------------------------------------------------------------
 *
 * histogram.h
 *		The numeric summary: counts over a grid of bins, and what is exact
 *		beside them.
 *
 * The bins are those of a grid (histogram_grid.h). Infinities are counted in
 * the outer bins and also apart; NULL and NaN are counted apart and take no
 * part.
 *
 * Three forms of one type:
 *	- GRID: edges, counts and per-bin sums;
 *	- DETACHED: the grid's content hash and the counts, as monitoring stores
 *	  windows; attaching it to a histogram on that grid gives the edges back;
 *	- CELLS: the state of histogram(x, bins), which has not chosen its edges
 *	  yet: counts of order-preserving float keys (core/float_key.h) cut to
 *	  their leading prefix_bits bits, the longest prefix with at most
 *	  HISTOGRAM_MAX_CELLS occupied cells. It starts exact and depends on the
 *	  multiset of values alone.
 *
 * Sums of values and squares are exact (core/exact_sum.h), per-bin sums are
 * integers: counts of 1/HISTOGRAM_QUANTA of the bin's width from its left
 * edge, each value rounded. Hence adding, merging and subtracting are exact
 * and independent of order; minimum and maximum alone become covering bounds
 * when values are taken out (bounds_loose).
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_HISTOGRAM_H
#define MLMETA_STATS_HISTOGRAM_H

#include "core/compat.h"
#include "core/exact_sum.h"
#include "core/hash128.h"
#include "core/summary.h"
#include "stats/summaries/histogram_grid.h"

#define HISTOGRAM_MAX_CELLS		32768
#define HISTOGRAM_DEFAULT_BINS	240

/* Few, as there may be thousands of groups */
#define HISTOGRAM_MAX_WAITING	32

/* At least so many leading bits: a cell lies within one binade */
#define HISTOGRAM_MIN_PREFIX	15

typedef enum HistogramForm
{
	HISTOGRAM_GRID,
	HISTOGRAM_DETACHED,
	HISTOGRAM_CELLS
} HistogramForm;

typedef struct HistogramCell
{
	uint64		key;			/* of its one value, or of the cell's start */
	int64		count;
	uint128		offset;			/* several values: sum of keys less the start;
								 * 0: one value */
} HistogramCell;

typedef struct Histogram
{
	Summary		summary;
	int			form;
	int64		n;				/* values, infinities included */
	int64		null_count;
	int64		nan_count;
	int64		negative_infinities;
	int64		positive_infinities;
	double		minimum;		/* of the finite values; 0 if there are none */
	double		maximum;
	bool		bounds_loose;	/* minimum and maximum only cover the values */
	ExactMoments moments;		/* of the finite values */

	/* GRID and DETACHED */
	const HistogramGrid *grid;	/* NULL: detached */
	Hash128		grid_hash;		/* detached only */
	const struct GridSource *source;	/* the call site's, of a state */
	int			n_bins;			/* of counts and sums */
	int64	   *counts;
	int64	   *sums;			/* NULL: unknown, as once detached */

	/*
	 * Of a state: values that are not counted yet. Several at once take less
	 * time than one after the other, as none waits for the one before.
	 */
	int			n_waiting;
	double	   *waiting;		/* NULL, or room for HISTOGRAM_MAX_WAITING */

	/* CELLS */
	int			bins;			/* wanted */
	int			prefix_bits;
	int			n_cells;
	int			max_cells;		/* allocated, at least */
	HistogramCell *cells;		/* in ascending order */
	int			n_pending;
	int			max_pending;	/* allocated */
	uint64	   *pending;		/* keys that are not in the cells yet */
	int			n_weighted;
	int			max_weighted;
	HistogramCell *weighted;	/* nor these: values that came many times */
} Histogram;

extern const SummaryType histogram_type;

/* histogram.c */

/*
 * Makes an empty histogram one on the grid, which must live as long; with sums
 * per bin of its own, or in an array that it may share with others if nobody
 * looks at them.
 */
extern void histogram_set_grid(Histogram *histogram,
							   const HistogramGrid *grid);
extern void histogram_set_grid_and_sums(Histogram *histogram,
										const HistogramGrid *grid,
										int64 *sums);
extern void histogram_set_cells(Histogram *histogram, int bins);
extern void histogram_add(Histogram *histogram, double value);
extern void histogram_catch_up(Histogram *histogram);
extern void histogram_add_many(Histogram *histogram, const double *values,
							   int n);
extern void histogram_remove(Histogram *histogram, double value);

/*
 * Adds (sign 1) or takes out (sign -1, grids only) a value as often as times
 * says; 22003 when a count leaves its range.
 */
extern void histogram_add_times(Histogram *histogram, double value,
								int64 times, int sign);
extern bool histogram_same_grid(const Histogram *a, const Histogram *b);
extern void histogram_count_overflow(void);
extern void histogram_combine(Histogram *into, Histogram *from, int sign);
extern int64 histogram_finite_count(const Histogram *histogram);
extern double histogram_mean(const Histogram *histogram);
extern double histogram_spread(const Histogram *histogram);
extern double histogram_stddev(const Histogram *histogram);
extern double histogram_minimum(const Histogram *histogram);
extern double histogram_maximum(const Histogram *histogram);
extern double histogram_quantile(const Histogram *histogram, double p);
extern void histogram_bin_extent(const Histogram *histogram, int bin,
								 double *left, double *right);
extern Histogram *histogram_detached(Histogram *histogram);
extern Histogram *histogram_attached(Histogram *histogram,
									 const Histogram *baseline);
extern void histogram_archive(Archive *ar, Summary *summary);

/*
 * The histogram itself with all values counted, or, of the CELLS form, a new
 * one on the grid its data choose; in the current context.
 */
extern Histogram *histogram_settled(Histogram *histogram);

/* histogram_cells.c */
extern void histogram_cells_add(Histogram *histogram, double value);
extern void histogram_cells_add_times(Histogram *histogram, double value,
									  int64 times);
extern void histogram_cells_add_many(Histogram *histogram,
									 const double *values, int n);
extern void histogram_cells_combine(Histogram *into, const Histogram *from);
extern void histogram_cells_settle(Histogram *histogram);
extern Histogram *histogram_from_cells(Histogram *cells);

/*
 * histogram_cells.c: which bins of the grid form the cells of a coarser one
 * with about "cells" cells of equal share in the reference: cell_of[bin] for
 * each bin; returns the number of cells. See doc/statistics.md, "Coarsening".
 */
extern int	histogram_coarsen(const Histogram *reference, int cells,
							  int *cell_of);

#endif							/* MLMETA_STATS_HISTOGRAM_H */
