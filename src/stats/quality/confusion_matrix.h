/*-------------------------------------------------------------------------
 *
 * confusion_matrix.h
 *		The SQL type confusion_matrix: rows by actual and predicted class, for
 *		classifiers of any number of classes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_CONFUSION_MATRIX_H
#define MLMETA_STATS_CONFUSION_MATRIX_H

#include "core/compat.h"
#include "core/summary.h"
#include "stats/quality/weight.h"

#define CONFUSION_MAX_CLASSES		1024
#define CONFUSION_MAX_CLASS_BYTES	1024

typedef struct ConfusionClass
{
	char	   *name;			/* in the server's encoding, zero byte after */
	int			size;
	uint32		hash;
} ConfusionClass;

typedef struct ConfusionMatrix
{
	Summary		summary;
	int64		null_count;		/* rows without one of the classes or weight */
	int64		n;				/* rows in the cells */
	Weight		weight;			/* of the rows in the cells */
	int			n_classes;
	int			side;			/* allocated classes: rows and columns */
	ConfusionClass *classes;	/* in order of arrival */
	int64	   *counts;			/* [actual * side + predicted] */
	Weight	   *weights;		/* the same, or NULL while all weights are 1 */
	uint16	   *slots;			/* hash table: 1 + index of a class, or 0 */
	int			n_slots;
} ConfusionMatrix;

extern const SummaryType confusion_matrix_type;

extern void confusion_matrix_merge(ConfusionMatrix *m,
								   const ConfusionMatrix *other);

/* Indexes of the classes in the order of their bytes, in palloc'ed memory */
extern int *confusion_matrix_order(const ConfusionMatrix *m);

static inline int64
confusion_matrix_count(const ConfusionMatrix *m, int actual, int predicted)
{
	return m->counts[actual * m->side + predicted];
}

static inline Weight
confusion_matrix_weight(const ConfusionMatrix *m, int actual, int predicted)
{
	return m->weights ? m->weights[actual * m->side + predicted] :
		weight_of_rows(m->counts[actual * m->side + predicted]);
}

#endif							/* MLMETA_STATS_CONFUSION_MATRIX_H */
