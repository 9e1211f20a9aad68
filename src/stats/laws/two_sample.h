/*
 * two_sample.h
 *		What the laws of the two-sample tests share.
 */
#ifndef MLMETA_TWO_SAMPLE_H
#define MLMETA_TWO_SAMPLE_H

/*
 * The direction of a test.  What "less" means is the test's own matter: see
 * the header of each law.
 */
typedef enum Alternative
{
	ALTERNATIVE_TWO_SIDED,
	ALTERNATIVE_LESS,
	ALTERNATIVE_GREATER
} Alternative;

/* Their names in SQL, in this order; ends with NULL */
extern const char *const alternative_names[];

/*
 * The rows that share one value (or one bin): how many of each sample.  Arrays
 * of these are in ascending order of the value; groups without rows do no
 * harm.
 */
typedef struct TieGroup
{
	int64		reference;
	int64		current;
} TieGroup;

/*
 * The sizes of the two samples.  Raises an error for counts that are negative
 * or too large to add up.
 */
extern void sum_tie_groups(const TieGroup *groups, int64 ngroups,
						   int64 *n, int64 *m);

/*
 * Of a and b, neither negative; 0 when both are 0.
 */
extern int64 greatest_common_divisor(int64 a, int64 b);

#endif							/* MLMETA_TWO_SAMPLE_H */
