/*-------------------------------------------------------------------------
 *
 * quantiles.c
 *		Exact quantiles of one sample, by selection.
 *
 * The keys of the rows are counted in up to 65,536 cells of their leading bits
 * that vary. Only the cells that hold a wanted rank are sorted: a few in a
 * hundred of the rows, unless values pile up.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "catalog/pg_type_d.h"
#include "core/radix_sort.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "stats/two_sample/quantile.h"
#include "stats/two_sample/two_sample.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(mlmeta_quantiles_final);

#define CELL_BITS		16
#define N_CELLS			(1 << CELL_BITS)

/* So many probabilities at once */
#define MAX_QUANTILES	10000

typedef struct Selection
{
	TwoSample  *state;
	int64		n;
	int			shift;			/* a key's cell: (key >> shift) & mask */
	uint64		mask;
	int64	   *below;			/* rows in the cells before */
	bool	   *wanted;
	int64	   *start;			/* of a wanted cell in keys */
	uint64	   *keys;			/* NULL: too many to be sorted here */
} Selection;

static inline uint32
key_cell(const Selection *s, uint64 key)
{
	return (uint32) ((key >> s->shift) & s->mask);
}

/* Rows in the cells before each; below[N_CELLS] is n */
static void
count_cells(Selection *s)
{
	int64	   *counts = s->below + 1;
	KeyReader	reader;
	const uint64 *keys;
	size_t		n;

	key_reader_begin(&reader, s->state, REFERENCE);
	while ((n = key_reader_next(&reader, &keys)) > 0)
		for (size_t i = 0; i < n; i++)
			counts[key_cell(s, keys[i])]++;
	key_reader_end(&reader);
	for (int cell = 0; cell < N_CELLS; cell++)
		counts[cell] += s->below[cell];
}

/* The cell of a rank: the last one with at most so many rows before it */
static int
rank_cell(const Selection *s, int64 rank)
{
	int			low = 0;
	int			high = N_CELLS;

	while (high - low > 1)
	{
		int			middle = (low + high) / 2;

		if (s->below[middle] <= rank)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Collects the keys of the wanted cells in ascending order, if they are few */
static void
gather(Selection *s)
{
	KeyReader	reader;
	const uint64 *keys;
	uint64	   *scratch;
	size_t		n;
	int64		total = 0;
	int64		gathered = 0;

	for (int cell = 0; cell < N_CELLS; cell++)
	{
		s->start[cell] = total;
		if (s->wanted[cell])
			total += s->below[cell + 1] - s->below[cell];
	}
	/* twice: radix_sort() needs scratch */
	if (total > Max((int64) work_mem * 1024 / (2 * (int64) sizeof(uint64)),
					TWO_SAMPLE_FEW_VALUES))
		return;
	s->keys = palloc_extended(total * sizeof(uint64), MCXT_ALLOC_HUGE);
	scratch = palloc_extended(total * sizeof(uint64), MCXT_ALLOC_HUGE);
	key_reader_begin(&reader, s->state, REFERENCE);
	while ((n = key_reader_next(&reader, &keys)) > 0)
		for (size_t i = 0; i < n; i++)
			if (s->wanted[key_cell(s, keys[i])])
				s->keys[gathered++] = keys[i];
	key_reader_end(&reader);
	radix_sort(s->keys, scratch, total);
	pfree(scratch);
}

static double
value_at(const Selection *s, int64 rank)
{
	int			cell = rank_cell(s, rank);

	return float_from_key(s->keys[s->start[cell] + rank - s->below[cell]]);
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Type-7 quantiles of the n >= 1 rows at k probabilities in ascending order */
static void
select_quantiles(TwoSample *state, int64 n, const double *p, int k,
				 double *quantiles)
{
	uint64		varying = two_sample_varying_bits(state);
	Selection	s = {.state = state,.n = n};
	int			bits = varying == 0 ? 1 :
		pg_leftmost_one_pos64(varying) + 1;

	s.shift = Max(bits - CELL_BITS, 0);
	s.mask = bits >= CELL_BITS ? N_CELLS - 1 : (UINT64CONST(1) << bits) - 1;
	s.below = palloc0((N_CELLS + 1) * sizeof(int64));
	s.wanted = palloc0(N_CELLS * sizeof(bool));
	s.start = palloc(N_CELLS * sizeof(int64));
	count_cells(&s);
	for (int i = 0; i < k; i++)
	{
		QuantilePosition position = quantile_position(n, p[i]);

		s.wanted[rank_cell(&s, position.rank)] = true;
		if (position.fraction > 0)
			s.wanted[rank_cell(&s, position.rank + 1)] = true;
	}
	gather(&s);
	if (s.keys == NULL)
	{
		TieScan    *scan = tie_scan_begin_one(state, REFERENCE);

		tie_scan_quantiles(scan, n, p, k, quantiles);
		tie_scan_end(scan);
	}
	for (int i = 0; s.keys != NULL && i < k; i++)
	{
		QuantilePosition position = quantile_position(n, p[i]);
		double		low = value_at(&s, position.rank);

		quantiles[i] = position.fraction == 0 ? low :
			quantile_between(low, value_at(&s, position.rank + 1),
							 position.fraction);
	}
	if (s.keys != NULL)
		pfree(s.keys);
	pfree(s.below);
	pfree(s.wanted);
	pfree(s.start);
}

/* Raises 22004 and 2202E */
static void
check_probabilities(ArrayType *array)
{
	if (array == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the probabilities of quantiles must not be null")));
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("the probabilities of quantiles must have one "
						"dimension"),
				 errdetail("The array has %d.", ARR_NDIM(array))));
}

/* quantiles(value, probabilities): NULL without values */
Datum
mlmeta_quantiles_final(PG_FUNCTION_ARGS)
{
	TwoSample  *state = two_sample_state(fcinfo);
	ArrayType  *array;
	Datum	   *values;
	bool	   *nulls;
	double	   *p;
	double	   *quantiles;
	int64		n;
	int			k;
	int			n_sorted = 0;
	int			dimension;
	int			lower_bound = 1;

	if (state == NULL)
		PG_RETURN_NULL();
	array = (ArrayType *) two_sample_options_bytes(state);
	check_probabilities(array);
	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &values, &nulls, &k);
	if (k > MAX_QUANTILES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("quantiles takes at most %d probabilities",
						MAX_QUANTILES)));
	p = palloc((k + 1) * sizeof(double));
	quantiles = palloc((k + 1) * sizeof(double));
	for (int i = 0; i < k; i++)
	{
		double		value = nulls[i] ? 0 : DatumGetFloat8(values[i]);

		if (!(value >= 0 && value <= 1))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("quantile %g is not between 0 and 1", value)));
		if (!nulls[i])
			p[n_sorted++] = value;
	}
	n = two_sample_count(state, REFERENCE);
	if (n == 0)
		PG_RETURN_NULL();
	qsort(p, n_sorted, sizeof(double), compare_doubles);
	if (n_sorted > 0)
		select_quantiles(state, n, p, n_sorted, quantiles);
	for (int i = 0; i < k; i++)
	{
		double		value;
		double	   *found;

		if (nulls[i])
			continue;
		value = DatumGetFloat8(values[i]);
		found = bsearch(&value, p, n_sorted, sizeof(double), compare_doubles);
		values[i] = Float8GetDatum(quantiles[found - p]);
	}
	dimension = k;
	if (k == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(FLOAT8OID));
	PG_RETURN_ARRAYTYPE_P(construct_md_array(values, nulls, 1, &dimension,
											 &lower_bound, FLOAT8OID,
											 sizeof(float8), FLOAT8PASSBYVAL,
											 TYPALIGN_DOUBLE));
}
