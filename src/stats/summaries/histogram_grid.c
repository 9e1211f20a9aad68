/*-------------------------------------------------------------------------
 *
 * histogram_grid.c
 *		Making and comparing grids.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "core/float_key.h"
#include "port/pg_bswap.h"
#include "stats/summaries/histogram_grid.h"
#include "utils/float.h"
#include "utils/memutils.h"

/*
 * The levels of the search tree; every level ends with an infinite value, the
 * lowest one with enough of them for the comparisons after a guess.
 */
static void
make_levels(HistogramGrid *grid)
{
	const double *below = grid->edges;
	int			n = grid->n_edges;
	int			step = 1;

	do
	{
		int			nodes = n / GRID_FANOUT + 1;
		int			size = nodes * GRID_FANOUT + GRID_GUESS_EDGES;
		double	   *level = palloc(size * sizeof(double));

		for (int i = 0; i < size; i++)
			level[i] = i < n ? below[i * step + step - 1] :
				get_float8_infinity();
		grid->level[grid->n_levels++] = level;
		below = level;
		step = GRID_FANOUT;
		n = nodes == 1 ? 0 : nodes;
	} while (n > 0);
}

/*
 * The guesses, unless a node of edges is as fast, or more than an eighth of the
 * edges lie too close together, as those of long tails do.
 */
void
histogram_grid_make_guesses(HistogramGrid *grid)
{
	int			n = grid->n_edges;
	int			crowded = 0;
	int			edge = 0;
	uint16	   *guess;

	grid->guesses_made = true;
	if (n <= GRID_FANOUT || n >= GRID_NO_GUESS)
		return;
	grid->guess_scale = GRID_GUESSES / (grid->edges[n - 1] - grid->edges[0]);
	if (!isfinite(grid->guess_scale) || grid->guess_scale <= 0)
		return;
	guess = MemoryContextAlloc(GetMemoryChunkContext(grid),
							   GRID_GUESSES * sizeof(uint16));
	for (int part = 0; part < GRID_GUESSES; part++)
	{
		int			first = edge;

		while (edge < n && grid_guess_part(grid, grid->edges[edge]) == part)
			edge++;
		guess[part] = (uint16) first;
		if (edge - first > GRID_GUESS_EDGES)
		{
			guess[part] = GRID_NO_GUESS;
			crowded += edge - first;
		}
	}
	if (crowded <= n / 8)
		grid->guess = guess;
	else
		pfree(guess);
}

/*
 * A grid over a copy of the edges, in the current context. Raises 22023 when
 * they are not finite and strictly increasing, or too many.
 */
HistogramGrid *
histogram_grid_make(const double *edges, int n_edges)
{
	HistogramGrid *grid;

	if (n_edges >= HISTOGRAM_MAX_BINS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a histogram can have at most %d bins",
						HISTOGRAM_MAX_BINS)));

	grid = palloc0(sizeof(HistogramGrid));
	grid->n_edges = n_edges;
	grid->edges = palloc(Max(n_edges, 1) * sizeof(double));
	grid->scale = palloc0((n_edges + 1) * sizeof(double));
	for (int i = 0; i < n_edges; i++)
	{
		double		edge = edges[i] + 0.0;

		if (!isfinite(edge))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("edges of a histogram must be finite"),
					 errdetail("Edge %d is %g.", i + 1, edge),
					 errhint("The outer bins reach to infinity by themselves; "
							 "give inner edges only.")));
		if (i > 0 && !(edge > grid->edges[i - 1]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("edges of a histogram must be strictly "
							"increasing"),
					 errdetail("Edge %d is %.17g, edge %d is %.17g.",
							   i, grid->edges[i - 1], i + 1, edge),
					 errhint("Sort the edges and drop duplicates.")));
		grid->edges[i] = edge;
		if (i > 0 && !histogram_bin_is_point(grid, i))
		{
			double		scale = HISTOGRAM_QUANTA /
				(edge - grid->edges[i - 1]);

			/* bins too wide or too narrow for a float keep no sum */
			if (isfinite(scale) && isfinite(edge - grid->edges[i - 1]))
				grid->scale[i] = scale;
		}
	}
	make_levels(grid);
	return grid;
}

bool
histogram_grid_equal(const HistogramGrid *a, const HistogramGrid *b)
{
	return a == b ||
		(a->n_edges == b->n_edges &&
		 memcmp(a->edges, b->edges, a->n_edges * sizeof(double)) == 0);
}

/* The content hash of a grid, over its edges in network order */
Hash128
histogram_grid_hash(const HistogramGrid *grid)
{
	uint64	   *words = palloc(Max(grid->n_edges, 1) * sizeof(uint64));
	Hash128		hash;

	for (int i = 0; i < grid->n_edges; i++)
	{
		memcpy(&words[i], &grid->edges[i], sizeof(uint64));
		words[i] = pg_hton64(words[i]);
	}
	hash = hash128(words, grid->n_edges * sizeof(uint64));
	pfree(words);
	return hash;
}

bool
histogram_bin_is_point(const HistogramGrid *grid, int bin)
{
	return bin > 0 && bin < grid->n_edges &&
		float_is_next(grid->edges[bin - 1], grid->edges[bin]);
}
