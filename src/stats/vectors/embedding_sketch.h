/*-------------------------------------------------------------------------
 *
 * embedding_sketch.h
 *		The SQL type embedding_sketch: what the maximum mean discrepancy with
 *		a Gaussian kernel needs to know of embeddings, in bounded space.
 *
 * The kernel exp(-|x - y|^2 / (2 sigma^2)) is the mean of cos(w (x - y)) over
 * random frequencies w, which are normal with deviation 1 / sigma (A. Rahimi
 * and B. Recht, "Random features for large-scale kernel machines", 2007). So
 * sums of cos(w x) and sin(w x) over the rows, for a fixed set of frequencies,
 * replace the sums over pairs of rows. The frequencies follow from the seed.
 *
 * The sums count units of 2^-32: they are integers, so that a sketch depends
 * on the rows alone, not on their order nor on how they were split and merged.
 *
 * A sketch holds one sample or, as the state of an aggregate that compares
 * rows, two.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_EMBEDDING_SKETCH_H
#define MLMETA_STATS_EMBEDDING_SKETCH_H

#include "core/compat.h"
#include "core/summary.h"

#define EMBEDDING_MAX_DIMENSIONS	65536
#define SKETCH_MIN_FEATURES			8
#define SKETCH_MAX_FEATURES			8192

/* Features times dimensions: 128 MB of frequencies in a running aggregate */
#define SKETCH_MAX_FREQUENCIES		(1 << 24)

/* Rows of a sample: so many units of 2^-32 stay far from 2^63 */
#define SKETCH_MAX_ROWS				(INT64CONST(1) << 30)

typedef struct EmbeddingSketch
{
	Summary		summary;
	int			features;
	int64		seed;
	double		sigma;
	int			dimensions;		/* 0 until an embedding has come */
	int64		null_count;		/* rows that took no part */
	int64		n[2];			/* rows: reference, current */

	/* [sample][feature][cosines, sines] */
	int64	   *sums;

	/* Only in a running aggregate */
	bool		options_stable; /* the options are those of all rows */
	double	   *frequencies;	/* [feature][dimension] */
} EmbeddingSketch;

extern const SummaryType embedding_sketch_type;

#endif							/* MLMETA_STATS_EMBEDDING_SKETCH_H */
