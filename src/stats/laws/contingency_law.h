/*
 * contingency_law.h
 *		Exact p-value of a two by two table (Fisher's test).
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

#endif							/* MLMETA_CONTINGENCY_LAW_H */
