/*-------------------------------------------------------------------------
 *
 * isotonic.c
 *		Isotonic calibration of scores by what a classification has seen.
 *
 * The calibrated score is the isotonic regression of the labels on the scores
 * (pool adjacent violators; Ayer et al., 1955), linear between the scores seen
 * and constant outside of them.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "stats/quality/classification.h"
#include "utils/float.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(mlmeta_calibrate);

/* What a call site remembers from row to row */
typedef struct Calibrator
{
	MemoryContext context;
	struct varlena *source;		/* the classification it was made from */
	int			n;
	double	   *scores;			/* ascending */
	double	   *values;			/* not descending */
} Calibrator;

/* A run of scores with one calibrated value */
typedef struct Block
{
	double		positives;
	double		weight;
	int			end;			/* index after its last score */
} Block;

static void
fit(Calibrator *calibrator, Classification *c)
{
	Block	   *blocks = palloc(Max(c->n_cells, 1) * sizeof(Block));
	int			n_blocks = 0;
	int			n = 0;

	classification_settle(c);
	calibrator->scores = palloc(Max(c->n_cells, 1) * sizeof(double));
	calibrator->values = palloc(Max(c->n_cells, 1) * sizeof(double));
	for (int i = 0; i < c->n_cells; i++)
	{
		Weight		positives = classification_cell_weight(c, i, 1);
		Weight		weight = positives + classification_cell_weight(c, i, 0);
		Block		block = {weight_value(positives), weight_value(weight), 0};

		if (weight == 0)
			continue;
		calibrator->scores[n++] = classification_cell_score(c, i);
		/* joins those before it whose mean is not below its own */
		while (n_blocks > 0 &&
			   blocks[n_blocks - 1].positives * block.weight >=
			   block.positives * blocks[n_blocks - 1].weight)
		{
			n_blocks--;
			block.positives += blocks[n_blocks].positives;
			block.weight += blocks[n_blocks].weight;
		}
		block.end = n;
		blocks[n_blocks++] = block;
	}
	for (int i = 0, b = 0; i < n; i++)
	{
		if (i == blocks[b].end)
			b++;
		calibrator->values[i] = blocks[b].positives / blocks[b].weight;
	}
	calibrator->n = n;
	pfree(blocks);
}

/* The calibrator of this call's classification; made anew if it changed */
static Calibrator *
calibrator_for(FunctionCallInfo fcinfo)
{
	Calibrator *calibrator = fcinfo->flinfo->fn_extra;
	struct varlena *source = PG_GETARG_VARLENA_PP(0);
	Size		size = VARSIZE_ANY_EXHDR(source);
	MemoryContext old;

	if (calibrator != NULL && calibrator->source != NULL &&
		VARSIZE_ANY_EXHDR(calibrator->source) == size &&
		memcmp(VARDATA_ANY(calibrator->source), VARDATA_ANY(source),
			   size) == 0)
	{
		PG_FREE_IF_COPY(source, 0);
		return calibrator;
	}

	if (calibrator == NULL)
	{
		calibrator = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt,
											sizeof(Calibrator));
		calibrator->context =
			AllocSetContextCreate(fcinfo->flinfo->fn_mcxt,
								  "mlmeta calibrate", ALLOCSET_SMALL_SIZES);
		fcinfo->flinfo->fn_extra = calibrator;
	}
	calibrator->source = NULL;
	MemoryContextReset(calibrator->context);
	old = MemoryContextSwitchTo(calibrator->context);
	fit(calibrator, summary_read(PointerGetDatum(source),
								 &classification_type));
	calibrator->source = palloc(VARSIZE_ANY(source));
	memcpy(calibrator->source, source, VARSIZE_ANY(source));
	MemoryContextSwitchTo(old);
	return calibrator;
}

/*
 * (classification, score): the calibrated score; NULL if the classification
 * has no rows. Raises 22003 for scores outside of [0, 1].
 */
Datum
mlmeta_calibrate(PG_FUNCTION_ARGS)
{
	double		score = PG_GETARG_FLOAT8(1);
	Calibrator *calibrator = calibrator_for(fcinfo);
	const double *scores = calibrator->scores;
	const double *values = calibrator->values;
	int			low = 0;
	int			high = calibrator->n;
	double		lower;
	double		upper;

	if (!(score >= 0 && score <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("calibrate: score %s is outside of [0, 1]",
						float8out_internal(score))));
	if (calibrator->n == 0)
		PG_RETURN_NULL();

	/* the number of scores that are not above this one */
	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (scores[middle] <= score)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		PG_RETURN_FLOAT8(values[0]);
	lower = values[low - 1];
	if (low == calibrator->n || scores[low - 1] == score)
		PG_RETURN_FLOAT8(lower);
	upper = values[low];
	PG_RETURN_FLOAT8(Min(upper, lower + (upper - lower) *
						 ((score - scores[low - 1]) /
						  (scores[low] - scores[low - 1]))));
}
