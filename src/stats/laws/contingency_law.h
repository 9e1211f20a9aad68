/*
 * contingency_law.h
 *		Exact p-values of a two by two table: Fisher's test, and the
 *		chi-squared test given the margins.
 */
#ifndef MLMETA_CONTINGENCY_LAW_H
#define MLMETA_CONTINGENCY_LAW_H

#include "two_sample.h"

/*
 * Relative tolerance within which two tables count as equally probable: the
 * probabilities are computed, and equal ones must not differ by their
 * rounding.  R's fisher.test uses the same figure.
 */
#define FISHER_TOLERANCE	1e-7

/*
 * P-value of the table
 *
 *			a	b
 *			c	d
 *
 * given its margins: the hypergeometric law of a.  "less" is P(A <= a),
 * "greater" P(A >= a), two-sided the sum over all tables that are no more
 * probable than this one.  A table with an empty row or column gives 1.
 *
 * Counts from 0 to 2^52; terms are summed from the table outwards for as long
 * as they matter, at most about a hundred standard deviations of a.  Relative
 * error 1e-12, tails included.
 */
extern double fisher_pvalue(int64 a, int64 b, int64 c, int64 d,
							Alternative alternative);

/*
 * True where the exact law takes at most about a millisecond: the standard
 * deviation of a is below 1000. Beyond, a single table is so improbable that
 * the chi-squared law cannot miss by more than 0.0003.
 */
extern bool table_law_affordable(int64 a, int64 b, int64 c, int64 d);

/*
 * P-value of the chi-squared statistic of the table, given its margins: the
 * probability that a is at least as far from its expectation, on either side.
 * Compared in integers. Counts and accuracy as above.
 */
extern double table_chi2_pvalue(int64 a, int64 b, int64 c, int64 d);

#endif							/* MLMETA_CONTINGENCY_LAW_H */
