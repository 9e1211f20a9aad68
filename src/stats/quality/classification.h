/*-------------------------------------------------------------------------
 *
 * classification.h
 *		The SQL type classification: how good the scores of a binary
 *		classifier were, as a mergeable summary of (label, score, weight).
 *
 * A table of score cells holds the rows of each label. While there are at
 * most CLASSIFICATION_CAPACITY distinct scores each cell is one score, and
 * everything is computed from the table. Beyond, scores are told apart by the
 * leading bits of their keys alone: as many bits as leave at most
 * CLASSIFICATION_CAPACITY cells. What a cell can no longer tell (on which side
 * of the threshold its rows are, their losses) is then kept apart, exactly.
 * So a summary depends on the rows, not on their order nor on how they were
 * split and merged.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_CLASSIFICATION_H
#define MLMETA_STATS_CLASSIFICATION_H

#include "core/compat.h"
#include "core/exact_sum.h"
#include "core/summary.h"
#include "stats/quality/weight.h"

#define CLASSIFICATION_CAPACITY		4096
#define CLASSIFICATION_THRESHOLD	0.5 /* the default */

/*
 * Keys of scores, in the order of the scores. Distance doubles with each
 * octave away from 0 and, mirrored, away from 1, so that cells are fine where
 * scores of rare classes crowd. 0 and 1 have cells of their own: they lie
 * 2^52 keys away from their neighbours, and no more than SCORE_MAX_SHIFT bits
 * are ever cut.
 */
#define SCORE_MAX_SHIFT		52
#define SCORE_KEY_GAP		(UINT64CONST(1) << SCORE_MAX_SHIFT)
#define SCORE_KEY_OF_ONE	(2 * (SCORE_KEY_GAP + \
								  UINT64CONST(0x3FE0000000000000)))

typedef struct ScoreCell
{
	uint64		key;			/* of the scores, without the bits cut off */
	int64		n[2];			/* rows, by label */
} ScoreCell;

typedef struct Classification
{
	Summary		summary;
	double		threshold;		/* predicted positive: score >= threshold */
	int64		null_count;		/* rows without label, score or weight */
	int64		n;				/* rows in the cells */
	Weight		weight;			/* of the rows in the cells */
	int			shift;			/* bits cut off the keys */

	int			n_cells;
	int			n_allocated;
	bool		is_sorted;		/* cells are in the order of their keys */
	ScoreCell  *cells;
	Weight		(*weights)[2];	/* of the rows of each cell by label, or NULL
								 * while all weights are 1 */
	uint16	   *slots;			/* hash table: 1 + index of a cell, or 0 */
	int			n_slots;

	/* Only once shift > 0 */
	Weight		confusion[2][2];	/* [predicted][label] */
	ExactSum	loss;			/* log loss times weight */
	ExactSum	brier;			/* squared error times weight */
} Classification;

extern const SummaryType classification_type;

extern uint64 score_key(double score);

/* The score of a key; for a key that no score has, the next one's */
extern double score_from_key(uint64 key);

extern void classification_init(Classification *c, double threshold);
extern void classification_add(Classification *c, double score, int label,
							   int64 n, Weight weight);
extern void classification_merge(Classification *c,
								 const Classification *other);

/*
 * For reading: brings the cells into the order of their keys, and forgets
 * weights that are all 1 again.
 */
extern void classification_settle(Classification *c);

static inline Weight
classification_cell_weight(const Classification *c, int i, int label)
{
	return c->weights ? c->weights[i][label] :
		weight_of_rows(c->cells[i].n[label]);
}

/* Whether all rows of a cell have one score */
static inline bool
classification_cell_is_point(const Classification *c, int i)
{
	return c->shift == 0 || c->cells[i].key == 0 ||
		c->cells[i].key == SCORE_KEY_OF_ONE >> c->shift;
}

/* The lowest score that a cell can hold */
static inline double
classification_cell_lower(const Classification *c, int i)
{
	return score_from_key(c->cells[i].key << c->shift);
}

/* What stands for the scores of a cell: itself, or the middle of its range */
extern double classification_cell_score(const Classification *c, int i);

/* Sums over all rows */
extern void classification_confusion(const Classification *c,
									 Weight confusion[2][2]);
extern void classification_losses(const Classification *c, double *log_loss,
								  double *brier);

#endif							/* MLMETA_STATS_CLASSIFICATION_H */
