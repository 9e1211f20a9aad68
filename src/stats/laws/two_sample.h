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

#endif							/* MLMETA_TWO_SAMPLE_H */
