/*-------------------------------------------------------------------------
 *
 * ks.c
 *		The two-sample Kolmogorov-Smirnov distance and test over rows.
 *
 * With n reference and m current rows, of which i and j are at or below a
 * value, F - G = (i * m - j * n) / (n * m): everything is decided in integers,
 * and divided once.
 *
 * A large sample is not sorted. Its keys are counted on a grid first; at the
 * borders of the cells F - G is known, and inside a cell it lies between
 * bounds. Only the keys of cells that may hold the maximum are looked at:
 * of ten million rows usually some hundreds.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "core/radix_sort.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "stats/laws/ks_law.h"
#include "stats/two_sample/two_sample.h"
#include "utils/memutils.h"

/* From this many rows on, counting before sorting pays */
#define PRUNE_MIN_ROWS		65536

/*
 * Tie groups that are kept for the exact law: 64 MB. More than that is beyond
 * the law's budget unless one sample is tiny.
 */
#define KS_MAX_GROUPS		4194304

typedef enum KsMethod
{
	KS_AUTO,
	KS_EXACT,
	KS_EXACT_NO_TIES,
	KS_ASYMPTOTIC
} KsMethod;

static const char *const methods[] = {
	"auto", "exact", "exact_no_ties", "asymptotic", NULL
};

/* What of F - G the alternative looks at; scaled is (F - G) * n * m */
static inline int128
excess(int128 scaled, Alternative alternative)
{
	if (alternative == ALTERNATIVE_LESS ||
		(alternative == ALTERNATIVE_TWO_SIDED && scaled < 0))
		scaled = -scaled;
	return scaled;
}

/* ----------
 * By a scan of all tie groups
 * ----------
 */

/*
 * The largest excess. With groups, the tie groups too, unless there are more
 * than max_groups: then *groups is NULL.
 */
static int128
scan_excess(TieScan *scan, int64 n, int64 m, Alternative alternative,
			int64 max_groups, TieGroup **groups, int64 *n_groups)
{
	int128		scaled = 0;
	int128		best = 0;
	int64		count = 0;
	int64		room = 1024;
	TieGroup   *list = NULL;
	TieGroup	group;
	double		value;

	if (groups != NULL)
		list = palloc(room * sizeof(TieGroup));
	while (tie_scan_next(scan, &value, &group))
	{
		scaled += (int128) group.reference * m - (int128) group.current * n;
		best = Max(best, excess(scaled, alternative));
		if (list == NULL)
			continue;
		if (count == room)
		{
			if (room >= max_groups)
			{
				pfree(list);
				list = NULL;
				continue;
			}
			room *= 2;
			list = repalloc(list, room * sizeof(TieGroup));
		}
		list[count++] = group;
	}
	if (groups != NULL)
	{
		*groups = list;
		*n_groups = count;
	}
	return best;
}

/* ----------
 * By counting on a grid and looking into few cells
 *
 * The grid has two levels. The leading TOP_BITS bits of a key, after those
 * that all keys share, choose a coarse cell; it is divided further by the next
 * bits, into the more cells the more of the rows (of every eighth row, to be
 * quick) it holds. A cell that still is crowded gets a grid of its own: the
 * times of day of one day, beside a single zero.
 * ----------
 */

#define TOP_BITS		16
#define TOP_CELLS		(1 << TOP_BITS)
#define FINE_BITS		17		/* about 2^17 to 2^18 cells in all */
#define LAYOUT_STRIDE	8

/* Keys from least to least + span, and the rows below them */
typedef struct KeyRange
{
	uint64		least;
	uint64		span;
	int64		below[2];
} KeyRange;

typedef struct Grid
{
	KeyRange	range;			/* other keys are not looked at */
	int			common;			/* leading bits that all of its keys share */
	int			n_cells;
	uint32	   *layout;			/* of a coarse cell: first cell << 6 | shift */
	uint32	   *count[2];		/* by cell */
} Grid;

static inline bool
grid_has(const Grid *grid, uint64 key)
{
	return key - grid->range.least <= grid->range.span;
}

static inline uint32
grid_cell(const Grid *grid, uint64 key)
{
	uint64		bits = key << grid->common;
	uint32		layout = grid->layout[bits >> (64 - TOP_BITS)];

	return (layout >> 6) +
		(uint32) (((bits << TOP_BITS) >> 1) >> (layout & 63));
}

/* varying: bits that are not the same in all keys of the range; not 0 */
static void
grid_make(Grid *grid, TwoSample *state, const KeyRange *range,
		  uint64 varying)
{
	KeyReader	reader;
	const uint64 *keys;
	size_t		n;
	int64		total = 0;
	int			left;
	uint32		next = 0;

	grid->range = *range;
	grid->common = 63 - pg_leftmost_one_pos64(varying);
	left = Max(0, 64 - TOP_BITS - grid->common);
	grid->layout = palloc0(TOP_CELLS * sizeof(uint32));
	for (int which = 0; which < 2; which++)
	{
		key_reader_begin(&reader, state, which);
		while ((n = key_reader_next(&reader, &keys)) > 0)
			for (size_t i = 0; i < n; i += LAYOUT_STRIDE)
			{
				if (!grid_has(grid, keys[i]))
					continue;
				grid->layout[keys[i] << grid->common >> (64 - TOP_BITS)]++;
				total++;
			}
		key_reader_end(&reader);
	}
	for (int top = 0; top < TOP_CELLS; top++)
	{
		uint64		share = ((uint64) grid->layout[top] << FINE_BITS) /
			Max(total, 1);
		int			bits = 0;

		if (share > 0)
			bits = Min(left, pg_leftmost_one_pos64(share) + 1);
		grid->layout[top] = next << 6 | (uint32) (63 - bits);
		next += UINT32_C(1) << bits;
	}
	grid->n_cells = (int) next;
}

static void
grid_count(Grid *grid, TwoSample *state)
{
	for (int which = 0; which < 2; which++)
	{
		uint32	   *count = palloc0(grid->n_cells * sizeof(uint32));
		KeyReader	reader;
		const uint64 *keys;
		size_t		n;

		key_reader_begin(&reader, state, which);
		while ((n = key_reader_next(&reader, &keys)) > 0)
			for (size_t i = 0; i < n; i++)
				if (grid_has(grid, keys[i]))
					count[grid_cell(grid, keys[i])]++;
		key_reader_end(&reader);
		grid->count[which] = count;
	}
}

/* A cell that may hold the maximum */
typedef struct Candidate
{
	int			cell;
	int64		below[2];		/* rows in the cells before */
	int64		start[2];		/* its keys among those of all candidates */
	uint64		least;
	uint64		greatest;
} Candidate;

typedef struct Candidates
{
	int			n;
	Candidate  *list;
	int		   *of_cell;		/* index of a cell's candidate, or -1 */
	int64		n_keys[2];		/* in all candidates */
} Candidates;

/*
 * Finds the cells that may hold more than best; returns the larger of it and
 * the largest excess at the cells' borders.
 */
static int128
find_candidates(const Grid *grid, int64 n, int64 m, Alternative alternative,
				int128 best, Candidates *candidates)
{
	int64		i = grid->range.below[REFERENCE];
	int64		j = grid->range.below[CURRENT];
	int			room = 256;

	for (int cell = 0; cell < grid->n_cells; cell++)
	{
		i += grid->count[REFERENCE][cell];
		j += grid->count[CURRENT][cell];
		best = Max(best, excess((int128) i * m - (int128) j * n,
								alternative));
	}

	memset(candidates, 0, sizeof(*candidates));
	candidates->list = palloc(room * sizeof(Candidate));
	candidates->of_cell = palloc(grid->n_cells * sizeof(int));
	i = grid->range.below[REFERENCE];
	j = grid->range.below[CURRENT];
	for (int cell = 0; cell < grid->n_cells; cell++)
	{
		int64		p = grid->count[REFERENCE][cell];
		int64		q = grid->count[CURRENT][cell];
		int128		above = (int128) (i + p) * m - (int128) j * n;
		int128		under = (int128) (j + q) * n - (int128) i * m;

		candidates->of_cell[cell] = -1;
		if (p > 0 && q > 0 &&
			((alternative != ALTERNATIVE_LESS && above > best) ||
			 (alternative != ALTERNATIVE_GREATER && under > best)))
		{
			Candidate  *candidate;

			if (candidates->n == room)
			{
				room *= 2;
				candidates->list = repalloc(candidates->list,
											room * sizeof(Candidate));
			}
			candidates->of_cell[cell] = candidates->n;
			candidate = &candidates->list[candidates->n++];
			candidate->cell = cell;
			candidate->below[REFERENCE] = i;
			candidate->below[CURRENT] = j;
			candidate->least = PG_UINT64_MAX;
			candidate->greatest = 0;
			candidates->n_keys[REFERENCE] += p;
			candidates->n_keys[CURRENT] += q;
		}
		i += p;
		j += q;
	}
	return best;
}

static inline int64
candidate_size(const Grid *grid, const Candidate *candidate)
{
	return (int64) grid->count[REFERENCE][candidate->cell] +
		grid->count[CURRENT][candidate->cell];
}

/* Moves candidate c to place kept <= c of the list, or drops it for -1 */
static void
keep_candidate(const Grid *grid, Candidates *candidates, int kept, int c)
{
	Candidate	candidate = candidates->list[c];

	candidates->of_cell[candidate.cell] = kept;
	if (kept >= 0)
		candidates->list[kept] = candidate;
	else
		for (int which = 0; which < 2; which++)
			candidates->n_keys[which] -= grid->count[which][candidate.cell];
}

/* Inside a cell of one value there is nothing to find */
static void
drop_single_values(const Grid *grid, TwoSample *state, Candidates *candidates)
{
	int			kept = 0;

	for (int which = 0; which < 2; which++)
	{
		KeyReader	reader;
		const uint64 *keys;
		size_t		n;

		key_reader_begin(&reader, state, which);
		while ((n = key_reader_next(&reader, &keys)) > 0)
			for (size_t i = 0; i < n; i++)
			{
				int			c = -1;

				if (grid_has(grid, keys[i]))
					c = candidates->of_cell[grid_cell(grid, keys[i])];
				if (c >= 0)
				{
					Candidate  *candidate = &candidates->list[c];

					candidate->least = Min(candidate->least, keys[i]);
					candidate->greatest = Max(candidate->greatest, keys[i]);
				}
			}
		key_reader_end(&reader);
	}
	for (int c = 0; c < candidates->n; c++)
		if (candidates->list[c].least < candidates->list[c].greatest)
			keep_candidate(grid, candidates, kept++, c);
		else
			keep_candidate(grid, candidates, -1, c);
	candidates->n = kept;
}

/* The keys of all candidates, those of each together and sorted */
static uint64 *
collect_keys(const Grid *grid, TwoSample *state, int which,
			 Candidates *candidates)
{
	Size		most = 0;
	int64		start = 0;
	uint64	   *collected;
	uint64	   *scratch;
	int64	   *next = palloc(candidates->n * sizeof(int64));
	KeyReader	reader;
	const uint64 *keys;
	size_t		n;

	for (int c = 0; c < candidates->n; c++)
	{
		Size		size = grid->count[which][candidates->list[c].cell];

		candidates->list[c].start[which] = next[c] = start;
		start += size;
		most = Max(most, size);
	}
	collected = palloc(start * sizeof(uint64));
	scratch = palloc(most * sizeof(uint64));

	key_reader_begin(&reader, state, which);
	while ((n = key_reader_next(&reader, &keys)) > 0)
		for (size_t i = 0; i < n; i++)
		{
			int			c = -1;

			if (grid_has(grid, keys[i]))
				c = candidates->of_cell[grid_cell(grid, keys[i])];
			if (c >= 0)
				collected[next[c]++] = keys[i];
		}
	key_reader_end(&reader);

	for (int c = 0; c < candidates->n; c++)
	{
		CHECK_FOR_INTERRUPTS();
		start = candidates->list[c].start[which];
		radix_sort(collected + start, scratch, next[c] - start);
	}
	pfree(scratch);
	pfree(next);
	return collected;
}

static int128
candidate_excess(const Grid *grid, const Candidate *candidate,
				 uint64 *const collected[2], int64 n, int64 m,
				 Alternative alternative)
{
	int64		i = candidate->below[REFERENCE];
	int64		j = candidate->below[CURRENT];
	const uint64 *x = collected[REFERENCE] + candidate->start[REFERENCE];
	const uint64 *y = collected[CURRENT] + candidate->start[CURRENT];
	const uint64 *x_end = x + grid->count[REFERENCE][candidate->cell];
	const uint64 *y_end = y + grid->count[CURRENT][candidate->cell];
	int128		best = 0;

	CHECK_FOR_INTERRUPTS();
	while (x < x_end && y < y_end)
	{
		uint64		key = Min(*x, *y);

		for (; x < x_end && *x == key; x++)
			i++;
		for (; y < y_end && *y == key; y++)
			j++;
		best = Max(best, excess((int128) i * m - (int128) j * n,
								alternative));
	}
	return best;
}

/* Cells that are crowded get a grid of their own: so many, so deep */
#define MAX_CROWDED		8
#define MAX_DEPTH		3

/*
 * Raises *best to the largest excess in the range, if that is larger; false if
 * too many keys would have to be sorted.
 */
static bool
search_range(TwoSample *state, const KeyRange *range, uint64 varying,
			 int64 n, int64 m, Alternative alternative, int depth,
			 int128 *best)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "mlmeta ks grid",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext previous = MemoryContextSwitchTo(context);
	Grid		grid;
	Candidates	candidates;
	Candidate	crowded[MAX_CROWDED];
	int			n_crowded = 0;
	int64		most;
	bool		done;

	most = Min(work_mem * (int64) 1024, (int64) MaxAllocSize) / 16;
	most = Min(Max(most, PRUNE_MIN_ROWS), (n + m) / 4);

	grid_make(&grid, state, range, varying);
	grid_count(&grid, state);
	*best = find_candidates(&grid, n, m, alternative, *best, &candidates);
	if (candidates.n_keys[REFERENCE] + candidates.n_keys[CURRENT] > most / 4)
	{
		int			kept = 0;

		drop_single_values(&grid, state, &candidates);
		for (int c = 0; c < candidates.n; c++)
			if (candidate_size(&grid, &candidates.list[c]) > most / 4 &&
				n_crowded < MAX_CROWDED && depth < MAX_DEPTH)
			{
				crowded[n_crowded++] = candidates.list[c];
				keep_candidate(&grid, &candidates, -1, c);
			}
			else
				keep_candidate(&grid, &candidates, kept++, c);
		candidates.n = kept;
	}

	done = candidates.n_keys[REFERENCE] + candidates.n_keys[CURRENT] <= most;
	if (done && candidates.n > 0)
	{
		uint64	   *collected[2];

		for (int which = 0; which < 2; which++)
			collected[which] = collect_keys(&grid, state, which, &candidates);
		for (int c = 0; c < candidates.n; c++)
		{
			int128		inside = candidate_excess(&grid, &candidates.list[c],
												  collected, n, m,
												  alternative);

			*best = Max(*best, inside);
		}
	}
	MemoryContextSwitchTo(previous);
	MemoryContextDelete(context);

	/* at most MAX_DEPTH deep, whatever the data */
	for (int c = 0; c < n_crowded && done; c++)
	{
		KeyRange	inner;

		inner.least = crowded[c].least;
		inner.span = crowded[c].greatest - crowded[c].least;
		memcpy(inner.below, crowded[c].below, sizeof(inner.below));
		done = search_range(state, &inner,
							crowded[c].least ^ crowded[c].greatest,
							n, m, alternative, depth + 1, best);
	}
	return done;
}

/*
 * The largest excess, in *result; false if it takes a scan of all tie groups.
 */
static bool
pruned_excess(TwoSample *state, int64 n, int64 m, Alternative alternative,
			  int128 *result)
{
	const KeyRange everything = {0, PG_UINT64_MAX, {0, 0}};
	uint64		varying = two_sample_varying_bits(state);

	*result = 0;
	if (varying == 0)
		return true;
	if (n > PG_UINT32_MAX || m > PG_UINT32_MAX)
		return false;
	return search_range(state, &everything, varying, n, m, alternative, 1,
						result);
}

/* ----------
 * The aggregates ks and ks_test
 * ----------
 */

PG_FUNCTION_INFO_V1(mlmeta_ks_final);
PG_FUNCTION_INFO_V1(mlmeta_ks_test_final);

/*
 * The largest excess of two samples that are not empty. With groups, *groups
 * becomes their tie groups if they are wanted or few; NULL if there are too
 * many. (Whether they are had depends on the rows alone, never on memory.)
 */
static int128
ks_excess(TwoSample *state, Alternative alternative, bool want_groups,
		  TieGroup **groups, int64 *n_groups)
{
	int64		n = two_sample_count(state, REFERENCE);
	int64		m = two_sample_count(state, CURRENT);
	TieScan    *scan = NULL;
	int128		result;

	if (groups != NULL)
		*groups = NULL;
	if (!want_groups && n + m >= PRUNE_MIN_ROWS)
	{
		scan = tie_scan_begin_few(state);
		if (scan == NULL &&
			pruned_excess(state, n, m, alternative, &result))
			return result;
	}
	if (scan == NULL)
		scan = tie_scan_begin(state);
	result = scan_excess(scan, n, m, alternative,
						 want_groups ? KS_MAX_GROUPS : TWO_SAMPLE_FEW_VALUES,
						 groups, n_groups);
	tie_scan_end(scan);
	return result;
}

static double
ks_distance(int128 scaled, int64 n, int64 m)
{
	return (double) scaled / (double) ((int128) n * m);
}

Datum
mlmeta_ks_final(PG_FUNCTION_ARGS)
{
	TwoSample  *state = two_sample_state(fcinfo);
	int			alternative = ALTERNATIVE_TWO_SIDED;
	const OptionSpec specs[] = {
		{"alternative", OPTION_CHOICE, &alternative, 0, 0,
		alternative_names},
	};

	if (state == NULL)
		PG_RETURN_NULL();
	two_sample_options(state, "ks", specs, lengthof(specs));
	if (two_sample_missing(state) != NULL)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(ks_distance(ks_excess(state, alternative, false,
										   NULL, NULL),
								 two_sample_count(state, REFERENCE),
								 two_sample_count(state, CURRENT)));
}

Datum
mlmeta_ks_test_final(PG_FUNCTION_ARGS)
{
	TwoSample  *state = two_sample_state(fcinfo);
	int			alternative = ALTERNATIVE_TWO_SIDED;
	int			method = KS_AUTO;
	const OptionSpec specs[] = {
		{"alternative", OPTION_CHOICE, &alternative, 0, 0,
		alternative_names},
		{"method", OPTION_CHOICE, &method, 0, 0, methods},
	};
	const char *missing;
	int64		n;
	int64		m;
	bool		exact;
	int128		scaled;
	TieGroup   *groups = NULL;
	int64		n_groups = 0;
	TestResult	result;

	if (state == NULL)
		PG_RETURN_NULL();
	two_sample_options(state, "ks_test", specs, lengthof(specs));
	n = two_sample_count(state, REFERENCE);
	m = two_sample_count(state, CURRENT);
	missing = two_sample_missing(state);
	result = test_result_empty(n, m, missing);
	if (missing != NULL)
		return test_result_datum(fcinfo, &result);

	exact = method == KS_EXACT ||
		(method == KS_AUTO && ks_exact_affordable(n, m));
	if ((exact || method == KS_EXACT_NO_TIES) &&
		(int128) n * m > (INT64CONST(1) << 61))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("ks_test: too many rows for the exact law"),
				 errdetail("There are %lld reference and %lld current rows.",
						   (long long) n, (long long) m),
				 errhint("Use the method asymptotic.")));
	scaled = ks_excess(state, alternative, exact,
					   exact || method == KS_AUTO ? &groups : NULL,
					   &n_groups);
	result.statistic = ks_distance(scaled, n, m);
	if (method == KS_AUTO)
		exact = groups != NULL && ks_exact_affordable_tied(groups, n_groups);
	else if (exact && groups == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("ks_test: too many distinct values for the exact law"),
				 errdetail("There are more than %d.", KS_MAX_GROUPS),
				 errhint("Use the method asymptotic.")));

	if (exact)
	{
		result.method = "exact";
		result.p_value = ks_exact_pvalue(groups, n_groups, alternative);
	}
	else if (method == KS_EXACT_NO_TIES)
	{
		result.method = "exact_no_ties";
		result.p_value = ks_exact_no_ties_at((int64) scaled, n, m,
											 alternative);
	}
	else
	{
		result.method = "asymptotic";
		result.p_value = ks_asymptotic_pvalue(result.statistic, n, m,
											  alternative);
	}
	test_result_is_exact(&result);
	return test_result_datum(fcinfo, &result);
}
