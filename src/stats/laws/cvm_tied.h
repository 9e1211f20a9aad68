/*
 * cvm_tied.h
 *		Exact p-values of the two-sample Cramer-von Mises test for data with
 *		ties.
 */
#ifndef MLMETA_CVM_TIED_H
#define MLMETA_CVM_TIED_H

#include "two_sample.h"

/*
 * Twelve times the sum of (rank among all - rank in the sample)^2 over the
 * rows of one sample in a tie group: own of them, other of the other sample,
 * of which other_below come before.  With midranks the differences are evenly
 * spaced around other_below + other / 2.  12 U of cvm_law.h is n times the
 * sums of the reference and m times those of the current sample.
 */
static inline int128
cvm_rank_distance(int64 own, int64 other, int64 other_below)
{
	int128		twice_middle = 2 * (int128) other_below + other;

	return own * (3 * twice_middle * twice_middle + (int128) own * own - 1);
}

/*
 * P(U >= that of the groups) conditional on the ties: every labelling of the
 * pooled rows is equally likely, midranks as they are.  False, with *p as it
 * was, where that would take more than about 0.3 s.  Relative error 1e-13.
 */
extern bool cvm_exact_tied(const TieGroup *groups, int64 ngroups, double *p);

#endif							/* MLMETA_CVM_TIED_H */
