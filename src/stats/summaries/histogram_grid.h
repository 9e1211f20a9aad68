/*-------------------------------------------------------------------------
 *
 * histogram_grid.h
 *		The bins of histograms: a grid of edges, and how values find theirs.
 *
 * A grid is a strictly increasing list of finite inner edges e_0 < ... < e_k-1.
 * Its k + 1 bins are left-closed: (-inf, e_0), [e_0, e_1), ..., [e_k-1, inf).
 * A point bin holds one value: its right edge is the next float after its left
 * one (0 after the largest negative number).
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_HISTOGRAM_GRID_H
#define MLMETA_STATS_HISTOGRAM_GRID_H

#include "core/compat.h"
#include "core/hash128.h"

#define HISTOGRAM_MAX_BINS		32768
#define HISTOGRAM_QUANTA		1048576.0
#define GRID_FANOUT				16
#define GRID_GUESSES			1024
#define GRID_GUESS_EDGES		3
#define GRID_NO_GUESS			65535

/* Read-only once made; the states of many groups share one */
typedef struct HistogramGrid
{
	int			n_edges;
	double	   *edges;
	double	   *scale;			/* per bin QUANTA / width, 0: no sum kept */

	/*
	 * A search tree over the edges: nodes of GRID_FANOUT values, padded with
	 * Infinity. The lowest level is the edges, each other one holds the last
	 * value of each node of the level below; the highest is one node.
	 */
	int			n_levels;
	double	   *level[4];

	/*
	 * A shorter way, where it leads somewhere: the stretch from the first edge
	 * to the last is cut into GRID_GUESSES equal parts, and guess[part] edges
	 * lie below the part; GRID_NO_GUESS if more than GRID_GUESS_EDGES lie
	 * within it. NULL if too many parts are like that, or while no histogram
	 * counts values on this grid.
	 */
	bool		guesses_made;
	uint16	   *guess;
	double		guess_scale;	/* parts per unit */

	/*
	 * Of a grid made from data: n_quantiles = bins - 1 entries, entry i - 1
	 * being the index of the edge at the type-7 quantile i / bins, or -1 where
	 * that is the minimum. Psi over ten bins finds its deciles here.
	 */
	int			n_quantiles;
	int		   *quantile_edge;
} HistogramGrid;

/*
 * A grid over a copy of the edges, in the current context. Raises 22023 when
 * they are not finite and strictly increasing, 54000 when they are too many.
 */
extern HistogramGrid *histogram_grid_make(const double *edges, int n_edges);

/* Prepares a grid for counting many values; once is enough */
extern void histogram_grid_make_guesses(HistogramGrid *grid);

extern bool histogram_grid_equal(const HistogramGrid *a,
								 const HistogramGrid *b);

/* The content hash of a grid, over its edges in network order */
extern Hash128 histogram_grid_hash(const HistogramGrid *grid);

extern bool histogram_bin_is_point(const HistogramGrid *grid, int bin);

/* Rounding keeps the order, so that parts grow with the values */
static inline int
grid_guess_part(const HistogramGrid *grid, double value)
{
	double		part = (value - grid->edges[0]) * grid->guess_scale;

	part = part > 0 ? part : 0;
	part = part < GRID_GUESSES - 1 ? part : GRID_GUESSES - 1;
	return (int) part;
}

/*
 * The bin of a value: the number of edges at or below it. All values of a node
 * are compared, without branches on the data: which way a search would turn
 * cannot be predicted, and a misprediction costs more than the comparisons.
 */
typedef double FloatPair __attribute__((vector_size(2 * sizeof(double))));
typedef int64 IntPair __attribute__((vector_size(2 * sizeof(int64))));

static inline int
grid_find_bin(const HistogramGrid *grid, double value)
{
	const FloatPair values = {value, value};
	int64		position = 0;

	for (int i = grid->n_levels - 1; i >= 0; i--)
	{
		const double *node = grid->level[i] + position * GRID_FANOUT;
		IntPair		n = {0, 0};

#pragma GCC unroll 8
		for (int j = 0; j < GRID_FANOUT; j += 2)
		{
			FloatPair	pair;

			memcpy(&pair, node + j, sizeof(pair));
			n -= (IntPair) (pair <= values);	/* true is -1 */
		}
		position = position * GRID_FANOUT + n[0] + n[1];
	}
	return (int) position;
}

/* The same, by the guesses, which the grid has */
static inline int
grid_guess_bin(const HistogramGrid *grid, double value)
{
	const double *edges = grid->level[0];
	int			guess = grid->guess[grid_guess_part(grid, value)];

	if (unlikely(guess == GRID_NO_GUESS))
		return grid_find_bin(grid, value);
	return guess + (edges[guess] <= value) + (edges[guess + 1] <= value) +
		(edges[guess + 2] <= value);
}

#endif							/* MLMETA_STATS_HISTOGRAM_GRID_H */
