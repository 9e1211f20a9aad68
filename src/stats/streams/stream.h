/*-------------------------------------------------------------------------
 *
 * stream.h
 *		Change detectors: aggregates that read a series in its order and tell
 *		at which rows it changed.
 *
 * A detector is a struct of its own, made when the first row arrives, and two
 * functions: begin() reads the options, step() takes a value and says whether
 * it reveals a change; after a change the detector has reset itself as its
 * method wants it. All else is here: options, rows without a value, bounds of
 * the input, and the list of change points, which is the result.
 *
 * The state is of bounded size but for the change points. It cannot be merged
 * (what a detector sees depends on all rows before), so that there is no
 * combine function; with ORDER BY in the call or an ordered window the result
 * is well defined.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STREAMS_STREAM_H
#define MLMETA_STREAMS_STREAM_H

#include "core/compat.h"
#include "stats/options.h"

/*
 * What a value may be. Another number raises 22003; NULL, NaN and, but for
 * ranks, infinities are passed over.
 */
typedef enum StreamInput
{
	STREAM_NUMBERS,				/* up to STREAM_MAX_NUMBER in magnitude */
	STREAM_RANKS,				/* any, infinities too: only order counts */
	STREAM_SHARES,				/* from 0 to 1 */
	STREAM_ERRORS				/* 0 or 1 */
} StreamInput;

/* Sums and squares of so many numbers stay finite. */
#define STREAM_MAX_NUMBER	1e100

/* Change points of one series; more mean that the threshold is senseless */
#define STREAM_MAX_POINTS	10000000

typedef struct Detector
{
	const char *name;			/* of the SQL aggregate */
	size_t		size;			/* of the detector's struct */
	StreamInput input;

	/*
	 * Initialises the zeroed struct from options (size bytes, none for the
	 * defaults). What it allocates goes to the current memory context, which
	 * lives as long as the struct; step() is called in the same.
	 */
	void		(*begin) (void *detector, const char *options, size_t size);

	/* Takes a value, never NaN; true if a change is seen here */
	bool		(*step) (void *detector, double value);
} Detector;

/*
 * Bodies of transition functions (state internal, value float8 or boolean
 * [, options text]).
 */
extern Datum stream_add(FunctionCallInfo fcinfo, const Detector *detector);
extern Datum stream_add_boolean(FunctionCallInfo fcinfo,
								const Detector *detector);

/* The option "direction": which changes count */
typedef enum Direction
{
	DIRECTION_UP,
	DIRECTION_DOWN,
	DIRECTION_BOTH
} Direction;

extern const char *const stream_directions[];

/*
 * Mean and sum of squared deviations from it, value by value: B. P. Welford,
 * "Note on a method for calculating corrected sums of squares and products",
 * 1962.
 */
typedef struct RunningMoments
{
	int64		n;
	double		mean;
	double		deviation;
} RunningMoments;

static inline void
running_moments_add(RunningMoments *moments, double value)
{
	double		before = value - moments->mean;

	moments->n++;
	moments->mean += before / (double) moments->n;
	moments->deviation += before * (value - moments->mean);
}

#endif							/* MLMETA_STREAMS_STREAM_H */
