/*-------------------------------------------------------------------------
 *
 * distinct.h
 *		How many different values there were, from their hashes alone.
 *
 * A HyperLogLog sketch (P. Flajolet et al., 2007) read with O. Ertl's
 * estimator ("New cardinality estimation algorithms for HyperLogLog sketches",
 * 2017), which needs no tables and is unbiased from zero on. 2^bits registers
 * of one byte; the standard error is 1.04 / sqrt(2^bits). The registers depend
 * on the set of values alone, not on order, duplicates or merges.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_DISTINCT_H
#define MLMETA_STATS_DISTINCT_H

#include "core/compat.h"
#include "core/hash128.h"

/* The largest value of a register: 64 zero bits before the first one */
#define DISTINCT_MAX_RANK	65

extern void distinct_add(uint8 *registers, int bits, Hash128 hash);
extern void distinct_merge(uint8 *registers, const uint8 *other, int bits);
extern double distinct_estimate(const uint8 *registers, int bits);

#endif							/* MLMETA_STATS_DISTINCT_H */
