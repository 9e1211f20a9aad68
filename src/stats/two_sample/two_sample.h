/*-------------------------------------------------------------------------
 *
 * two_sample.h
 *		The rows of two samples, collected by an aggregate: what every exact
 *		test and distance over rows stands on.
 *
 * The transition functions (value, is_current, ...) append the keys
 * (float_key.h) of each sample to chunks in memory, and beyond work_mem to
 * temporary files, in the order of arrival and unsorted. What a final function
 * may do with them:
 *
 *	- read the keys in any order, block by block (KeyReader);
 *	- scan tie groups in ascending order (TieScan): each distinct value with
 *	  the number of its rows in either sample. The first scan sorts.
 *
 * Both leave the multisets as they are, so that final functions can be called
 * again and again, share one state, and be followed by more rows. A result is
 * a fold over one or the other; since neither order of blocks nor of rows may
 * show in it, sums of floats are to be exact or taken over sorted values.
 *
 * A row whose value or flag is NULL takes no part; NaN takes no part and is
 * counted.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_TWO_SAMPLE_H
#define MLMETA_STATS_TWO_SAMPLE_H

#include "core/compat.h"

#include "core/float_key.h"
#include "stats/laws/two_sample.h"
#include "stats/options.h"
#include "stats/test_result.h"

/* The samples, as array indexes: is_current is one */
#define REFERENCE	0
#define CURRENT		1

#define TWO_SAMPLE_MAX_BINS	10000

/* Up to this many distinct values are few: counted and not sorted */
#define TWO_SAMPLE_FEW_VALUES	2048

typedef struct TwoSample TwoSample;

/*
 * The state in argument 0 of a final function; NULL if the group has no rows.
 * What a final function allocates goes to the current context.
 */
extern TwoSample *two_sample_state(FunctionCallInfo fcinfo);

extern int64 two_sample_count(const TwoSample *state, int sample);
extern int64 two_sample_nan_count(const TwoSample *state, int sample);
extern bool two_sample_is_spilled(const TwoSample *state);

/* The argument bins of the aggregate, or otherwise the default given */
extern int	two_sample_bins(const TwoSample *state, int otherwise);

/* Parses the argument options of the aggregate, if there is one */
extern void two_sample_options(const TwoSample *state,
							   const char *function_name,
							   const OptionSpec *specs, int n_specs);

/* A copy of that argument as it was given; NULL if it is NULL */
extern struct varlena *two_sample_options_bytes(const TwoSample *state);

extern bool two_sample_has_infinity(TwoSample *state);

/* Bits that are not the same in all keys of both samples */
extern uint64 two_sample_varying_bits(const TwoSample *state);

/*
 * Keys of one sample in any order. key_reader_next() returns how many there
 * are at *keys, 0 at the end; they are valid until the next call.
 */
typedef struct KeyReader
{
	TwoSample  *state;
	int			sample;
	int			chunk;			/* next chunk in memory */
	int64		position;		/* next key in the files */
	uint64	   *buffer;
} KeyReader;

extern void key_reader_begin(KeyReader *reader, TwoSample *state, int sample);
extern size_t key_reader_next(KeyReader *reader, const uint64 **keys);
extern void key_reader_end(KeyReader *reader);

/*
 * Tie groups of both samples in ascending order of the value. Few distinct
 * values are counted and not sorted; tie_scan_begin_few() returns NULL if they
 * are many. A sample can be left out: then its counts are zero and its values
 * do not appear.
 */
typedef struct TieScan TieScan;

extern TieScan *tie_scan_begin(TwoSample *state);
extern TieScan *tie_scan_begin_few(TwoSample *state);
extern TieScan *tie_scan_begin_one(TwoSample *state, int sample);
extern bool tie_scan_next(TieScan *scan, double *value, TieGroup *group);
extern void tie_scan_end(TieScan *scan);

/*
 * Type-7 quantiles of the rows of a new scan, n >= 1 in all, at k ascending
 * probabilities. Reads the scan as far as it needs.
 */
extern void tie_scan_quantiles(TieScan *scan, int64 n, const double *p,
							   int k, double *quantiles);

/* What a test says of samples that are empty, else NULL */
extern const char *two_sample_missing(const TwoSample *state);

/* Sets the bounds of a result to its statistic and p-value: rows are exact */
static inline void
test_result_is_exact(TestResult *result)
{
	result->statistic_low = result->statistic_high = result->statistic;
	result->p_low = result->p_high = result->p_value;
}

#endif							/* MLMETA_STATS_TWO_SAMPLE_H */
