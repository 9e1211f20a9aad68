/*-------------------------------------------------------------------------
 *
 * classification.c
 *		The type classification: score cells, aggregates, stored form.
 *
 * What is computed from a classification is in classification_metrics.c.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <float.h>
#include <math.h>

#include "common/int.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "stats/quality/classification.h"
#include "utils/float.h"
#include "utils/memutils.h"

#define TYPE_NAME	"classification"

#define FORMAT_VERSION	1

/* One more than the capacity: the cell that makes the table too full */
#define MAX_CELLS	(CLASSIFICATION_CAPACITY + 1)

#define FIRST_CELLS	16

/* The loss of a score of the wrong 0 or 1 */
#define LOSS_CLIP	DBL_EPSILON
#define LOSS_MAX	37.0

PG_FUNCTION_INFO_V1(mlmeta_classification_in);
PG_FUNCTION_INFO_V1(mlmeta_classification_out);
PG_FUNCTION_INFO_V1(mlmeta_classification_recv);
PG_FUNCTION_INFO_V1(mlmeta_classification_send);
PG_FUNCTION_INFO_V1(mlmeta_classification_add_boolean);
PG_FUNCTION_INFO_V1(mlmeta_classification_add_integer);
PG_FUNCTION_INFO_V1(mlmeta_classification_expected_transition);
PG_FUNCTION_INFO_V1(mlmeta_classification_probability_transition);
PG_FUNCTION_INFO_V1(mlmeta_classification_combine);
PG_FUNCTION_INFO_V1(mlmeta_classification_final);
PG_FUNCTION_INFO_V1(mlmeta_classification_plus);

static void archive_classification(Archive *ar, Summary *summary);

const SummaryType classification_type = {
	TYPE_NAME, sizeof(Classification), archive_classification
};

/* ----------
 * Keys of scores
 * ----------
 */

uint64
score_key(double score)
{
	double		distance = score < 0.5 ? score : 1 - score; /* exact */
	uint64		bits;

	if (score == 0)
		return 0;
	if (score == 1)
		return SCORE_KEY_OF_ONE;
	memcpy(&bits, &distance, sizeof(bits));
	bits += SCORE_KEY_GAP;
	return score < 0.5 ? bits : SCORE_KEY_OF_ONE - bits;
}

double
score_from_key(uint64 key)
{
	bool		mirrored = key > SCORE_KEY_OF_ONE / 2;
	uint64		bits = mirrored ? SCORE_KEY_OF_ONE - key : key;
	double		distance;

	/*
	 * The keys in the gaps: no score is between 0 and the smallest float, nor
	 * between 1 and its neighbour below.
	 */
	if (bits == 0)
		return mirrored ? 1 : 0;
	if (bits <= SCORE_KEY_GAP)
		bits = mirrored ? 0 : 1;
	else
		bits -= SCORE_KEY_GAP;
	memcpy(&distance, &bits, sizeof(distance));
	return mirrored ? 1 - distance : distance;
}

double
classification_cell_score(const Classification *c, int i)
{
	double		lower = classification_cell_lower(c, i);
	double		upper;

	if (classification_cell_is_point(c, i))
		return lower;
	upper = score_from_key(((c->cells[i].key + 1) << c->shift) - 1);
	return lower + (upper - lower) / 2;
}

/* ----------
 * Sums that cells cannot tell
 * ----------
 */

/* sum += weight * value, exactly; value is finite and not negative */
static void
add_product(ExactSum *sum, Weight weight, double value, MemoryContext context)
{
	uint64		bits;
	uint64		mantissa;
	int			position;

	memcpy(&bits, &value, sizeof(bits));
	mantissa = bits & UINT64CONST(0x000FFFFFFFFFFFFF);
	position = (int) (bits >> 52);
	if (position > 0)
	{
		mantissa |= UINT64CONST(0x0010000000000000);
		position--;
	}

	/* value is mantissa * 2^(position - 1074), a weight counts 2^-60 */
	position += 2148 - 1074 - WEIGHT_FRACTION_BITS;
	for (; weight != 0 && mantissa != 0; weight >>= 32, position += 32)
		if ((uint32) weight != 0)
			exact_sum_add_integer(sum, (uint128) mantissa * (uint32) weight,
								  position, 1, context);
}

static void
add_losses(ExactSum *loss, ExactSum *brier, double score, int label,
		   Weight weight, MemoryContext context)
{
	double		clipped = Max(Min(score, 1 - LOSS_CLIP), LOSS_CLIP);
	double		error = score - label;

	add_product(loss, weight, label ? -log(clipped) : -log1p(-clipped),
				context);
	add_product(brier, weight, error * error, context);
}

void
classification_confusion(const Classification *c, Weight confusion[2][2])
{
	memcpy(confusion, c->confusion, sizeof(c->confusion));
	if (c->shift > 0)
		return;
	memset(confusion, 0, sizeof(c->confusion));
	for (int i = 0; i < c->n_cells; i++)
	{
		int			predicted = score_from_key(c->cells[i].key) >=
			c->threshold;

		for (int label = 0; label < 2; label++)
			confusion[predicted][label] +=
				classification_cell_weight(c, i, label);
	}
}

/* Adds the losses of all cells, each of which is one score */
static void
add_cell_losses(const Classification *c, ExactSum *loss, ExactSum *brier,
				MemoryContext context)
{
	for (int i = 0; i < c->n_cells; i++)
	{
		double		score = score_from_key(c->cells[i].key);

		for (int label = 0; label < 2; label++)
		{
			Weight		weight = classification_cell_weight(c, i, label);

			if (weight != 0)
				add_losses(loss, brier, score, label, weight, context);
		}
	}
}

void
classification_losses(const Classification *c, double *log_loss,
					  double *brier)
{
	ExactSum	loss_sum = {0};
	ExactSum	brier_sum = {0};

	if (c->shift > 0)
	{
		*log_loss = exact_sum_square_value(&c->loss);
		*brier = exact_sum_square_value(&c->brier);
		return;
	}
	add_cell_losses(c, &loss_sum, &brier_sum, CurrentMemoryContext);
	*log_loss = exact_sum_square_value(&loss_sum);
	*brier = exact_sum_square_value(&brier_sum);
}

/* ----------
 * Cells
 * ----------
 */

typedef struct KeyIndex
{
	uint64		key;
	int			index;
} KeyIndex;

static int
compare_keys(const void *a, const void *b)
{
	uint64		x = ((const KeyIndex *) a)->key;
	uint64		y = ((const KeyIndex *) b)->key;

	return (x > y) - (x < y);
}

static void
forget_slots(Classification *c)
{
	if (c->slots != NULL)
		pfree(c->slots);
	c->slots = NULL;
	c->n_slots = 0;
}

static void
sort_cells(Classification *c)
{
	KeyIndex   *order;
	ScoreCell  *cells;
	Weight		(*weights)[2] = NULL;

	if (c->is_sorted || c->n_cells == 0)
		return;
	order = palloc(c->n_cells * sizeof(KeyIndex));
	for (int i = 0; i < c->n_cells; i++)
	{
		order[i].key = c->cells[i].key;
		order[i].index = i;
	}
	qsort(order, c->n_cells, sizeof(KeyIndex), compare_keys);

	cells = MemoryContextAlloc(c->summary.context,
							   c->n_allocated * sizeof(ScoreCell));
	if (c->weights != NULL)
		weights = MemoryContextAlloc(c->summary.context,
									 c->n_allocated * sizeof(*weights));
	for (int i = 0; i < c->n_cells; i++)
	{
		cells[i] = c->cells[order[i].index];
		if (weights != NULL)
			memcpy(weights[i], c->weights[order[i].index],
				   sizeof(weights[i]));
	}
	pfree(order);
	pfree(c->cells);
	c->cells = cells;
	if (weights != NULL)
	{
		pfree(c->weights);
		c->weights = weights;
	}
	forget_slots(c);
	c->is_sorted = true;
}

void
classification_settle(Classification *c)
{
	bool		weighted = false;

	for (int i = 0; c->weights != NULL && i < c->n_cells; i++)
		for (int label = 0; label < 2; label++)
			weighted |= c->weights[i][label] !=
				weight_of_rows(c->cells[i].n[label]);
	if (c->weights != NULL && !weighted)
	{
		pfree(c->weights);
		c->weights = NULL;
	}
	sort_cells(c);
}

static inline uint32
slot_of(const Classification *c, uint64 key)
{
	/* the leading bits of a multiplicative hash */
	return (uint32) ((key * UINT64CONST(0x9E3779B97F4A7C15)) >> 32) &
		(uint32) (c->n_slots - 1);
}

/* The slot that holds key, or the free one where it belongs */
static inline uint32
probe(const Classification *c, uint64 key)
{
	uint32		slot = slot_of(c, key);

	while (c->slots[slot] != 0 && c->cells[c->slots[slot] - 1].key != key)
		slot = (slot + 1) & (uint32) (c->n_slots - 1);
	return slot;
}

static void
build_slots(Classification *c)
{
	forget_slots(c);
	c->n_slots = 2 * FIRST_CELLS;
	while (c->n_slots < 2 * c->n_allocated)
		c->n_slots *= 2;
	c->slots = MemoryContextAllocZero(c->summary.context,
									  c->n_slots * sizeof(uint16));
	for (int i = 0; i < c->n_cells; i++)
		c->slots[probe(c, c->cells[i].key)] = (uint16) (i + 1);
}

static void
allocate_cells(Classification *c, int n)
{
	MemoryContext context = c->summary.context;

	if (c->n_allocated == 0)
		c->cells = MemoryContextAlloc(context, n * sizeof(ScoreCell));
	else
		c->cells = repalloc(c->cells, n * sizeof(ScoreCell));
	if (c->weights != NULL)
		c->weights = repalloc(c->weights, n * sizeof(*c->weights));
	c->n_allocated = n;
}

/* From now on the weights of cells differ from their rows. */
static void
start_weights(Classification *c)
{
	if (c->n_allocated == 0)
		allocate_cells(c, FIRST_CELLS);
	c->weights = MemoryContextAlloc(c->summary.context,
									c->n_allocated * sizeof(*c->weights));
	for (int i = 0; i < c->n_cells; i++)
		for (int label = 0; label < 2; label++)
			c->weights[i][label] = weight_of_rows(c->cells[i].n[label]);
}

/* Cuts shift bits off all keys and joins the cells that become equal. */
static void
coarsen(Classification *c, int shift)
{
	int			last = -1;

	Assert(shift > c->shift && shift <= SCORE_MAX_SHIFT);
	if (c->shift == 0)
	{
		classification_confusion(c, c->confusion);
		add_cell_losses(c, &c->loss, &c->brier, c->summary.context);
	}

	sort_cells(c);
	for (int i = 0; i < c->n_cells; i++)
	{
		uint64		key = c->cells[i].key >> (shift - c->shift);

		if (last < 0 || c->cells[last].key != key)
		{
			last++;
			c->cells[last] = c->cells[i];
			c->cells[last].key = key;
			if (c->weights != NULL && last != i)
				memcpy(c->weights[last], c->weights[i],
					   sizeof(c->weights[i]));
			continue;
		}
		for (int label = 0; label < 2; label++)
		{
			c->cells[last].n[label] += c->cells[i].n[label];
			if (c->weights != NULL)
				c->weights[last][label] += c->weights[i][label];
		}
	}
	c->n_cells = last + 1;
	c->shift = shift;
	forget_slots(c);
}

/*
 * Cuts as few bits as leave CLASSIFICATION_CAPACITY cells. Neighbours whose
 * keys first differ in bit b stay apart as long as no more than b bits are
 * cut.
 */
static void
coarsen_to_capacity(Classification *c)
{
	int			borders[64] = {0};
	int			n_cells = c->n_cells;
	int			bits = 0;

	sort_cells(c);
	for (int i = 1; i < c->n_cells; i++)
		borders[pg_leftmost_one_pos64(c->cells[i].key ^
									  c->cells[i - 1].key)]++;
	while (n_cells > CLASSIFICATION_CAPACITY)
		n_cells -= borders[bits++];
	coarsen(c, c->shift + bits);
}

/* The index of the cell of a full key; makes it, and room for it, if needed */
static int
find_cell(Classification *c, uint64 key)
{
	for (;;)
	{
		uint64		cell_key = key >> c->shift;
		uint32		slot;

		if (unlikely(c->slots == NULL))
			build_slots(c);
		slot = probe(c, cell_key);
		if (likely(c->slots[slot] != 0))
			return c->slots[slot] - 1;

		if (c->n_cells == c->n_allocated)
		{
			allocate_cells(c, c->n_allocated == 0 ? FIRST_CELLS :
						   Min(2 * c->n_allocated, MAX_CELLS));
			build_slots(c);
			slot = probe(c, cell_key);
		}
		if (c->is_sorted && c->n_cells > 0 &&
			c->cells[c->n_cells - 1].key > cell_key)
			c->is_sorted = false;
		memset(&c->cells[c->n_cells], 0, sizeof(ScoreCell));
		c->cells[c->n_cells].key = cell_key;
		if (c->weights != NULL)
			memset(c->weights[c->n_cells], 0, sizeof(*c->weights));
		c->slots[slot] = (uint16) ++c->n_cells;
		if (c->n_cells <= CLASSIFICATION_CAPACITY)
			return c->n_cells - 1;

		coarsen_to_capacity(c);
	}
}

/* ----------
 * Rows
 * ----------
 */

void
classification_init(Classification *c, double threshold)
{
	c->threshold = threshold + 0.0; /* no negative zero in the stored form */
	c->is_sorted = true;
}

/*
 * Adds n rows of one score and label, which together weigh weight. The score
 * lies in [0, 1]; raises 22003 when the rows become too many or too heavy.
 */
void
classification_add(Classification *c, double score, int label, int64 n,
				   Weight weight)
{
	int			i;

	row_count_add(&c->n, n, TYPE_NAME);
	weight_add(&c->weight, weight, TYPE_NAME);
	if (unlikely(c->weights == NULL && weight != weight_of_rows(n)))
		start_weights(c);

	i = find_cell(c, score_key(score));
	c->cells[i].n[label] += n;
	if (c->weights != NULL)
		c->weights[i][label] += weight;
	if (c->shift > 0)
	{
		c->confusion[score >= c->threshold][label] += weight;
		add_losses(&c->loss, &c->brier, score, label, weight,
				   c->summary.context);
	}
}

/* Raises 22023 unless both have one threshold. */
static void
check_threshold(const Classification *c, double threshold)
{
	if (unlikely(c->threshold != threshold))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a classification has one threshold"),
				 errdetail("Thresholds are %s and %s.",
						   float8out_internal(c->threshold),
						   float8out_internal(threshold)),
				 errhint("Group by the threshold, or build one "
						 "classification for each.")));
}

void
classification_merge(Classification *c, const Classification *other)
{
	MemoryContext context = c->summary.context;

	check_threshold(c, other->threshold);
	row_count_add(&c->null_count, other->null_count, TYPE_NAME);
	if (other->shift > c->shift)
		coarsen(c, other->shift);
	for (int j = 0; j < other->n_cells; j++)
	{
		for (int label = 0; label < 2; label++)
		{
			int64		n = other->cells[j].n[label];
			uint64		key = other->cells[j].key << other->shift;
			Weight		weight = classification_cell_weight(other, j, label);
			int			i;

			if (n == 0)
				continue;
			if (other->shift == 0)
			{
				classification_add(c, score_from_key(key), label, n, weight);
				continue;
			}
			row_count_add(&c->n, n, TYPE_NAME);
			weight_add(&c->weight, weight, TYPE_NAME);
			if (c->weights == NULL && weight != weight_of_rows(n))
				start_weights(c);
			i = find_cell(c, key);
			c->cells[i].n[label] += n;
			if (c->weights != NULL)
				c->weights[i][label] += weight;
		}
	}
	if (other->shift > 0)
	{
		for (int predicted = 0; predicted < 2; predicted++)
			for (int label = 0; label < 2; label++)
				c->confusion[predicted][label] +=
					other->confusion[predicted][label];
		exact_sum_combine(&c->loss, &other->loss, 1, context);
		exact_sum_combine(&c->brier, &other->brier, 1, context);
	}
}

/* ----------
 * Stored form
 * ----------
 */

/* Cells and weights as the arrays of the stored form */
typedef struct CellArrays
{
	double	   *scores;			/* shift = 0: of each cell */
	int64	   *gaps;			/* shift > 0: keys, as steps from the last */
	int64	   *n[2];
	Weight	   *weights[2];
	int			n_scores;
	int			n_gaps;
	int			n_counts[2];
	int			n_weights[2];
} CellArrays;

static void
cells_to_arrays(const Classification *c, CellArrays *arrays)
{
	int			n = c->n_cells;
	uint64		next_key = 0;

	arrays->scores = palloc(n * sizeof(double));
	arrays->gaps = palloc(n * sizeof(int64));
	arrays->n_scores = arrays->n_gaps = n;
	for (int label = 0; label < 2; label++)
	{
		arrays->n[label] = palloc(n * sizeof(int64));
		arrays->weights[label] = palloc(n * sizeof(Weight));
		arrays->n_counts[label] = n;
		arrays->n_weights[label] = n;
	}
	for (int i = 0; i < n; i++)
	{
		uint64		key = c->cells[i].key;

		if (c->shift == 0)
			arrays->scores[i] = score_from_key(key);
		arrays->gaps[i] = (int64) (key - next_key);
		next_key = key + 1;
		for (int label = 0; label < 2; label++)
		{
			arrays->n[label][i] = c->cells[i].n[label];
			arrays->weights[label][i] =
				classification_cell_weight(c, i, label);
		}
	}
}

/* Checks the arrays and makes cells of them; false after archive_fail() */
static bool
cells_from_arrays(Archive *ar, Classification *c, bool weighted,
				  const CellArrays *arrays)
{
	int			n = c->shift == 0 ? arrays->n_scores : arrays->n_gaps;
	uint64		end_key = (SCORE_KEY_OF_ONE >> c->shift) + 1;
	uint64		next_key = 0;
	bool		differ = false;

	for (int label = 0; label < 2; label++)
	{
		if (arrays->n_counts[label] != n ||
			(weighted && arrays->n_weights[label] != n))
		{
			archive_fail(ar, "The arrays of cells differ in length.");
			return false;
		}
	}
	if (n == 0)
	{
		if (weighted)
			archive_fail(ar, "There are weights but no rows.");
		return !ar->failed;
	}

	allocate_cells(c, n);
	if (weighted)
		c->weights = palloc0(n * sizeof(*c->weights));
	c->n_cells = n;
	for (int i = 0; i < n; i++)
	{
		ScoreCell  *cell = &c->cells[i];

		if (c->shift == 0)
		{
			double		score = arrays->scores[i];

			if (!(score >= 0 && score <= 1))
			{
				archive_fail(ar, "The score %s is outside of [0, 1].",
							 float8out_internal(score));
				return false;
			}
			cell->key = score_key(score);
			if (cell->key < next_key)
			{
				archive_fail(ar, "The scores are not in ascending order.");
				return false;
			}
		}
		else
		{
			if ((uint64) arrays->gaps[i] >= end_key - next_key)
			{
				archive_fail(ar, "A cell lies beyond the score 1.");
				return false;
			}
			cell->key = next_key + (uint64) arrays->gaps[i];
		}
		next_key = cell->key + 1;

		for (int label = 0; label < 2; label++)
		{
			int64		rows = arrays->n[label][i];
			Weight		weight = weighted ? arrays->weights[label][i] :
				weight_of_rows(rows);

			cell->n[label] = rows;
			if (weighted)
				c->weights[i][label] = weight;
			if (pg_add_s64_overflow(c->n, rows, &c->n) ||
				c->weight + weight > WEIGHT_MAX_SUM)
			{
				archive_fail(ar, "The cells hold more than 2^63 - 1 rows.");
				return false;
			}
			c->weight += weight;
			if (rows == 0 && weight != 0)
			{
				archive_fail(ar, "A cell without rows has a weight.");
				return false;
			}
			differ |= weight != weight_of_rows(rows);
		}
		if (cell->n[0] == 0 && cell->n[1] == 0)
		{
			archive_fail(ar, "A cell is empty.");
			return false;
		}
	}
	if (weighted && !differ)
		archive_fail(ar, "Weights are given, but all are 1.");
	return !ar->failed;
}

/* What is kept apart must be what such rows can add up to. */
static void
check_sums(Archive *ar, const Classification *c)
{
	Weight		labels[2] = {0, 0};
	double		weight = weight_value(c->weight);
	double		loss = exact_sum_square_value(&c->loss);
	double		brier = exact_sum_square_value(&c->brier);

	for (int i = 0; i < c->n_cells; i++)
		for (int label = 0; label < 2; label++)
			labels[label] += classification_cell_weight(c, i, label);
	for (int label = 0; label < 2; label++)
		if (c->confusion[0][label] > labels[label] ||
			c->confusion[1][label] != labels[label] - c->confusion[0][label])
			archive_fail(ar, "The confusion matrix does not add up to the "
						 "rows of the cells.");
	if (!(loss >= 0 && loss <= LOSS_MAX * weight) ||
		!(brier >= 0 && brier <= weight * (1 + DBL_EPSILON)))
		archive_fail(ar, "The losses are not possible for these rows.");
}

static void
archive_classification(Archive *ar, Summary *summary)
{
	Classification *c = (Classification *) summary;
	CellArrays	arrays = {0};
	int			version = FORMAT_VERSION;
	int64		shift = c->shift;
	bool		weighted = false;

	if (!archive_reading(ar))
	{
		classification_settle(c);
		weighted = c->weights != NULL;
		cells_to_arrays(c, &arrays);
	}

	archive_open(ar);
	archive_version(ar, FORMAT_VERSION, &version);
	archive_float(ar, "threshold", &c->threshold);
	archive_count(ar, "null_count", &c->null_count);
	archive_count(ar, "shift", &shift);
	if (shift > SCORE_MAX_SHIFT)
	{
		archive_fail(ar, "The shift is greater than %d.", SCORE_MAX_SHIFT);
		return;
	}
	if (shift == 0)
		archive_floats(ar, "scores", &arrays.scores, &arrays.n_scores,
					   CLASSIFICATION_CAPACITY);
	else
		archive_counts(ar, "gaps", &arrays.gaps, &arrays.n_gaps,
					   CLASSIFICATION_CAPACITY);
	archive_counts(ar, "negatives", &arrays.n[0], &arrays.n_counts[0],
				   CLASSIFICATION_CAPACITY);
	archive_counts(ar, "positives", &arrays.n[1], &arrays.n_counts[1],
				   CLASSIFICATION_CAPACITY);
	archive_bool(ar, "weighted", &weighted);
	if (weighted)
	{
		archive_weights(ar, "negative_weights", &arrays.weights[0],
						&arrays.n_weights[0], CLASSIFICATION_CAPACITY);
		archive_weights(ar, "positive_weights", &arrays.weights[1],
						&arrays.n_weights[1], CLASSIFICATION_CAPACITY);
	}
	if (archive_reading(ar) && !ar->failed)
	{
		classification_init(c, c->threshold);
		c->shift = (int) shift;
		if (!(c->threshold >= 0 && c->threshold <= 1))
			archive_fail(ar, "The threshold is outside of [0, 1].");
		else
			cells_from_arrays(ar, c, weighted, &arrays);
	}
	if (shift > 0)
	{
		Weight	   *confusion = &c->confusion[0][0];
		int			n_confusion = 4;

		archive_weights(ar, "confusion", &confusion, &n_confusion, 4);
		exact_sum_archive(ar, "loss", &c->loss, EXACT_SUM_SQUARE_CELLS);
		exact_sum_archive(ar, "brier", &c->brier, EXACT_SUM_SQUARE_CELLS);
		if (archive_reading(ar) && !ar->failed)
		{
			if (n_confusion != 4)
				archive_fail(ar, "The confusion matrix needs 4 numbers.");
			else
			{
				memcpy(c->confusion, confusion, sizeof(c->confusion));
				check_sums(ar, c);
			}
		}
	}
	archive_close(ar);

	for (int label = 0; label < 2; label++)
	{
		if (arrays.n[label] != NULL)
			pfree(arrays.n[label]);
		if (arrays.weights[label] != NULL)
			pfree(arrays.weights[label]);
	}
	if (arrays.scores != NULL)
		pfree(arrays.scores);
	if (arrays.gaps != NULL)
		pfree(arrays.gaps);
}

Datum
mlmeta_classification_in(PG_FUNCTION_ARGS)
{
	return summary_in(fcinfo, &classification_type);
}

Datum
mlmeta_classification_out(PG_FUNCTION_ARGS)
{
	return summary_out(fcinfo, &classification_type);
}

Datum
mlmeta_classification_recv(PG_FUNCTION_ARGS)
{
	return summary_recv(fcinfo, &classification_type);
}

Datum
mlmeta_classification_send(PG_FUNCTION_ARGS)
{
	return summary_send(fcinfo, &classification_type);
}

/* ----------
 * Aggregates
 * ----------
 */

static double
checked_threshold(FunctionCallInfo fcinfo, int argno)
{
	double		threshold;

	if (PG_NARGS() <= argno)
		return CLASSIFICATION_THRESHOLD;
	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the threshold of a classification must not be null")));
	threshold = PG_GETARG_FLOAT8(argno);
	if (unlikely(!(threshold >= 0 && threshold <= 1)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("threshold %s of a classification is outside of "
						"[0, 1]", float8out_internal(threshold)),
				 errhint("Scores are compared with it: a score at or above "
						 "the threshold is a positive prediction.")));
	return threshold;
}

/* what: score or probability, for the message */
static double
checked_score(FunctionCallInfo fcinfo, int argno, const char *what)
{
	double		score = PG_GETARG_FLOAT8(argno);

	if (unlikely(!(score >= 0 && score <= 1)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s %s of a classification is outside of [0, 1]",
						what, float8out_internal(score)),
				 errhint("Scores are probabilities of the positive class; "
						 "map other scores to [0, 1] first.")));
	return score;
}

/* The state, made by the first row; all rows name one threshold. */
static Classification *
state_for(FunctionCallInfo fcinfo, double threshold)
{
	Classification *c = summary_state(fcinfo, &classification_type);

	if (c == NULL)
	{
		c = summary_new_state(fcinfo, &classification_type, NULL);
		classification_init(c, threshold);
	}
	check_threshold(c, threshold);
	return c;
}

/*
 * (state, label, score [, threshold [, weight]]): a row without label, score
 * or weight is counted as such. label is 0 or 1, and ignored if NULL.
 */
static Datum
add_row(FunctionCallInfo fcinfo, int label)
{
	Classification *c = state_for(fcinfo, checked_threshold(fcinfo, 3));

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) ||
		(PG_NARGS() > 4 && PG_ARGISNULL(4)))
		row_count_add(&c->null_count, 1, TYPE_NAME);
	else
		classification_add(c, checked_score(fcinfo, 2, "score"),
						   label, 1,
						   PG_NARGS() > 4 ?
						   weight_from_float(PG_GETARG_FLOAT8(4), TYPE_NAME) :
						   WEIGHT_ONE);
	return summary_datum(c);
}

Datum
mlmeta_classification_add_boolean(PG_FUNCTION_ARGS)
{
	return add_row(fcinfo, PG_ARGISNULL(1) ? 0 : PG_GETARG_BOOL(1));
}

/* The same for labels 0 and 1; raises 22023 for other labels */
Datum
mlmeta_classification_add_integer(PG_FUNCTION_ARGS)
{
	int32		label = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1);

	if (unlikely(label != 0 && label != 1))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("label %d of a classification is neither 0 nor 1",
						label),
				 errhint("For more than two classes see "
						 "confusion(actual, predicted).")));
	return add_row(fcinfo, label);
}

/*
 * Adds a row whose label is not known as its expectation: positive with weight
 * probability, negative with the rest. For estimates of quality without
 * labels; such a state counts each row twice and does not leave its aggregate.
 * probability_arg 0: the score is the probability.
 */
static Datum
add_expected(FunctionCallInfo fcinfo, double threshold, int probability_arg)
{
	Classification *c = state_for(fcinfo, threshold);

	if (PG_ARGISNULL(1) || (probability_arg && PG_ARGISNULL(probability_arg)))
		row_count_add(&c->null_count, 1, TYPE_NAME);
	else
	{
		double		score = checked_score(fcinfo, 1, "score");
		double		probability = probability_arg == 0 ? score :
			checked_score(fcinfo, probability_arg, "probability");
		Weight		positive = weight_from_float(probability, TYPE_NAME);

		classification_add(c, score, 1, 1, positive);
		classification_add(c, score, 0, 1, WEIGHT_ONE - positive);
	}
	return summary_datum(c);
}

/* (state, score [, threshold [, probability]]) */
Datum
mlmeta_classification_expected_transition(PG_FUNCTION_ARGS)
{
	return add_expected(fcinfo, checked_threshold(fcinfo, 2),
						PG_NARGS() > 3 ? 3 : 0);
}

/* (state, score, probability) */
Datum
mlmeta_classification_probability_transition(PG_FUNCTION_ARGS)
{
	return add_expected(fcinfo, CLASSIFICATION_THRESHOLD, 2);
}

/* COMBINEFUNC of all of these, and SFUNC of merge(classification) */
Datum
mlmeta_classification_combine(PG_FUNCTION_ARGS)
{
	Classification *c = summary_state(fcinfo, &classification_type);
	Classification *other;

	if (PG_ARGISNULL(1))
	{
		if (c == NULL)
			PG_RETURN_NULL();
		return summary_datum(c);
	}
	other = summary_read(PG_GETARG_DATUM(1), &classification_type);
	if (c == NULL)
		c = summary_new_state(fcinfo, &classification_type, &other->summary);
	else
		classification_merge(c, other);
	return summary_datum(c);
}

/* The state itself, for reading: windows and shared states ask repeatedly. */
Datum
mlmeta_classification_final(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(MakeExpandedObjectReadOnly(PG_GETARG_DATUM(0), false,
											   -1));
}

Datum
mlmeta_classification_plus(PG_FUNCTION_ARGS)
{
	Classification *a = summary_read(PG_GETARG_DATUM(0),
									 &classification_type);
	Classification *b = summary_read(PG_GETARG_DATUM(1),
									 &classification_type);
	Classification *sum = summary_make(&classification_type);

	classification_init(sum, a->threshold);
	classification_merge(sum, a);
	classification_merge(sum, b);
	return summary_datum(sum);
}
