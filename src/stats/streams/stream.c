/*-------------------------------------------------------------------------
 *
 * stream.c
 *		What all change detectors share: the state of the aggregates, and
 *		their final function.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "core/summary.h"
#include "stats/streams/stream.h"
#include "utils/array.h"
#include "utils/float.h"
#include "utils/memutils.h"

#define FIRST_POINTS	8

PG_FUNCTION_INFO_V1(mlmeta_change_points_final);

const char *const stream_directions[] = {"up", "down", "both", NULL};

typedef struct Stream
{
	MemoryContext context;		/* holds this and all it points to */
	const Detector *detector;
	void	   *state;			/* the detector's struct */
	int64		rows;			/* seen so far, those without a value too */

	int64	   *points;			/* row numbers of changes, from 1 */
	int			n_points;
	int			n_allocated;

	/* The options of the first row; those of all others must be the same */
	bool		options_stable; /* known to be */
	char	   *options;		/* NULL for none */
	size_t		options_size;
} Stream;

static Stream *
new_stream(FunctionCallInfo fcinfo, const Detector *detector)
{
	MemoryContext parent;
	MemoryContext context;
	MemoryContext old;
	Stream	   *stream;

	if (!AggCheckCallContext(fcinfo, &parent))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the transition function of %s was called outside of "
						"an aggregate", detector->name),
				 errhint("Call the aggregate itself.")));
	context = AllocSetContextCreate(parent, "mlmeta stream",
									ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	stream = palloc0(sizeof(Stream));
	stream->context = context;
	stream->detector = detector;
	stream->state = palloc0(detector->size);
	if (PG_NARGS() > 2)
	{
		stream->options_stable = aggregate_argument_is_stable(fcinfo, 1);
		if (!PG_ARGISNULL(2))
		{
			text	   *options = PG_GETARG_TEXT_PP(2);

			stream->options_size = VARSIZE_ANY_EXHDR(options);
			stream->options = pnstrdup(VARDATA_ANY(options),
									   stream->options_size);
		}
	}
	detector->begin(stream->state,
					stream->options != NULL ? stream->options : "",
					stream->options_size);
	MemoryContextSwitchTo(old);
	return stream;
}

/* Raises 22023 unless the options are those of the first row. */
static void
check_options(const Stream *stream, FunctionCallInfo fcinfo)
{
	bool		same = PG_ARGISNULL(2) == (stream->options == NULL);

	if (same && stream->options != NULL)
	{
		text	   *options = PG_GETARG_TEXT_PP(2);

		same = VARSIZE_ANY_EXHDR(options) == stream->options_size &&
			memcmp(VARDATA_ANY(options), stream->options,
				   stream->options_size) == 0;
		PG_FREE_IF_COPY(options, 2);
	}
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the options of %s changed within a group",
						stream->detector->name)));
}

/* The state in argument 0, made by the first row */
static Stream *
stream_state(FunctionCallInfo fcinfo, const Detector *detector)
{
	Stream	   *stream;

	if (unlikely(PG_ARGISNULL(0)))
		return new_stream(fcinfo, detector);
	stream = (Stream *) PG_GETARG_POINTER(0);
	Assert(stream->detector == detector);
	if (unlikely(PG_NARGS() > 2 && !stream->options_stable))
		check_options(stream, fcinfo);
	return stream;
}

static void
check_value(const Detector *detector, double value)
{
	const char *wanted = NULL;

	switch (detector->input)
	{
		case STREAM_NUMBERS:
			if (!(fabs(value) <= STREAM_MAX_NUMBER))
				wanted = "Values are from -1e100 to 1e100.";
			break;
		case STREAM_RANKS:
			break;
		case STREAM_SHARES:
			if (!(value >= 0 && value <= 1))
				wanted = "Values are errors, from 0 to 1.";
			break;
		case STREAM_ERRORS:
			if (value != 0 && value != 1)
				wanted = "Values are 1 for an error, otherwise 0.";
			break;
	}
	if (unlikely(wanted != NULL))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value %s is out of range for %s",
						float8out_internal(value), detector->name),
				 errdetail("%s", wanted)));
}

static void
note_point(Stream *stream)
{
	if (stream->n_points == STREAM_MAX_POINTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s finds more than %d changes",
						stream->detector->name, STREAM_MAX_POINTS),
				 errhint("Demand more evidence: see the options of the "
						 "detector.")));
	if (stream->n_points == stream->n_allocated)
	{
		int			n = Max(2 * stream->n_allocated, FIRST_POINTS);

		if (stream->points == NULL)
			stream->points = palloc(n * sizeof(int64));
		else
			stream->points = repalloc(stream->points, n * sizeof(int64));
		stream->n_allocated = n;
	}
	stream->points[stream->n_points++] = stream->rows;
}

static void
take_value(Stream *stream, double value)
{
	MemoryContext old = MemoryContextSwitchTo(stream->context);

	check_value(stream->detector, value);
	if (stream->detector->step(stream->state, value))
		note_point(stream);
	MemoryContextSwitchTo(old);
}

Datum
stream_add(FunctionCallInfo fcinfo, const Detector *detector)
{
	Stream	   *stream = stream_state(fcinfo, detector);

	stream->rows++;
	if (!PG_ARGISNULL(1))
	{
		double		value = PG_GETARG_FLOAT8(1);

		/* what is no number has a position and says nothing */
		if (isfinite(value) ||
			(isinf(value) && detector->input == STREAM_RANKS))
			take_value(stream, value);
	}
	PG_RETURN_POINTER(stream);
}

Datum
stream_add_boolean(FunctionCallInfo fcinfo, const Detector *detector)
{
	Stream	   *stream = stream_state(fcinfo, detector);

	stream->rows++;
	if (!PG_ARGISNULL(1))
		take_value(stream, PG_GETARG_BOOL(1) ? 1 : 0);
	PG_RETURN_POINTER(stream);
}

/* The change points so far, as bigint[]; leaves the state as it is */
Datum
mlmeta_change_points_final(PG_FUNCTION_ARGS)
{
	Stream	   *stream;
	Datum	   *points;

	if (!AggCheckCallContext(fcinfo, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the final function of change detectors was called "
						"outside of an aggregate"),
				 errhint("Call the aggregate itself.")));
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	stream = (Stream *) PG_GETARG_POINTER(0);
	points = palloc(stream->n_points * sizeof(Datum));
	for (int i = 0; i < stream->n_points; i++)
		points[i] = Int64GetDatum(stream->points[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(points, stream->n_points, INT8OID,
										  sizeof(int64), FLOAT8PASSBYVAL,
										  TYPALIGN_DOUBLE));
}
