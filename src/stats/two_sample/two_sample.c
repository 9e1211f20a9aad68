/*-------------------------------------------------------------------------
 *
 * two_sample.c
 *		The rows of two samples: collecting, spilling, reading.
 *
 * Where rows are kept: two_sample_state.h. In order: tie_scan.c.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "commands/tablespace.h"
#include "core/summary.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "stats/two_sample/two_sample.h"
#include "stats/two_sample/two_sample_state.h"
#include "storage/shmem.h"
#include "utils/float.h"
#include "utils/memutils.h"

#define CHUNK_MIN_KEYS		16

/* ----------
 * Files
 * ----------
 */

static void
close_files(Datum arg)
{
	Files	   *files = (Files *) DatumGetPointer(arg);

	for (int sample = 0; sample < 2; sample++)
		for (int role = 0; role < FILE_ROLES; role++)
			if (files->file[sample][role] != NULL)
			{
				BufFileClose(files->file[sample][role]);
				files->file[sample][role] = NULL;
			}
}

/*
 * Files are closed when the aggregate's group ends. A window has no such
 * moment to register for: there they are closed when the window's next state
 * is made, and at the end of the query.
 */
static Files *
make_files(FunctionCallInfo fcinfo, MemoryContext context)
{
	Files	   *files;
	WindowAggState *window;

	if (!IsA(fcinfo->context, WindowAggState))
	{
		files = MemoryContextAllocZero(context, sizeof(Files));
		files->context = context;
		AggRegisterCallback(fcinfo, close_files, PointerGetDatum(files));
		return files;
	}

	/* a window function of its own calls us, with one state at a time */
	if (fcinfo->flinfo->fn_extra != NULL)
	{
		close_files(PointerGetDatum(fcinfo->flinfo->fn_extra));
		return fcinfo->flinfo->fn_extra;
	}
	window = (WindowAggState *) fcinfo->context;
	context = window->ss.ps.state->es_query_cxt;
	files = MemoryContextAllocZero(context, sizeof(Files));
	files->context = context;
	RegisterExprContextCallback(window->ss.ps.ps_ExprContext, close_files,
								PointerGetDatum(files));
	fcinfo->flinfo->fn_extra = files;
	return files;
}

BufFile *
two_sample_file(TwoSample *state, int sample, FileRole role)
{
	BufFile   **file = &state->files->file[sample][role];

	if (*file == NULL)
	{
		MemoryContext previous = MemoryContextSwitchTo(state->files->context);

		PrepareTempTablespaces();
		*file = BufFileCreateTemp(false);
		MemoryContextSwitchTo(previous);
	}
	return *file;
}

void
close_two_sample_file(TwoSample *state, int sample, FileRole role)
{
	BufFileClose(state->files->file[sample][role]);
	state->files->file[sample][role] = NULL;
}

void
seek_key(BufFile *file, int64 position)
{
	if (BufFileSeek(file, 0, (off_t) (position * sizeof(uint64)),
					SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not seek in a temporary file of two samples")));
}

void
read_keys(BufFile *file, int64 position, uint64 *keys, size_t n)
{
	size_t		size = n * sizeof(uint64);

	seek_key(file, position);
	if (BufFileRead(file, keys, size) != size)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read a temporary file of two samples")));
}

/* ----------
 * Chunks
 * ----------
 */

int
chunk_max_keys(void)
{
	int			keys = CHUNK_MAX_KEYS;

	/* eight chunks fit into the smallest work_mem */
	while (keys > READ_MIN_KEYS &&
		   keys * sizeof(uint64) > work_mem * (Size) 1024 / 8)
		keys /= 2;
	return keys;
}

void
close_chunk(Sample *sample)
{
	Chunk	   *chunk;
	uint64		any = sample->any;
	uint64		all = sample->all;
	int			n;

	if (sample->n_chunks == 0)
		return;
	chunk = &sample->chunks[sample->n_chunks - 1];
	n = (int) (sample->next - chunk->keys);
	for (int i = chunk->n; i < n; i++)
	{
		any |= chunk->keys[i];
		all &= chunk->keys[i];
	}
	sample->any = any;
	sample->all = all;
	sample->n_closed += n - chunk->n;
	chunk->n = n;
}

void
add_chunk(TwoSample *state, Sample *sample, int capacity)
{
	Chunk	   *chunk;

	if (sample->n_chunks == sample->max_chunks)
	{
		int			max_chunks = Max(4, 2 * sample->max_chunks);
		Size		size = mul_size(max_chunks, sizeof(Chunk));

		sample->chunks = sample->chunks == NULL ?
			MemoryContextAlloc(state->context, size) :
			repalloc(sample->chunks, size);
		sample->max_chunks = max_chunks;
	}
	chunk = &sample->chunks[sample->n_chunks];
	chunk->keys = MemoryContextAlloc(state->context,
									 mul_size(capacity, sizeof(uint64)));
	chunk->capacity = capacity;
	chunk->n = 0;
	sample->n_chunks++;
	sample->next = chunk->keys;
	sample->end = chunk->keys + capacity;
	state->bytes += capacity * sizeof(uint64);
}

static Size
chunk_bytes(const Sample *sample)
{
	Size		keys = 0;

	for (int i = 0; i < sample->n_chunks; i++)
		keys += sample->chunks[i].capacity;
	return keys * sizeof(uint64);
}

void
free_chunks(TwoSample *state, Sample *sample)
{
	state->bytes -= chunk_bytes(sample);
	for (int i = 0; i < sample->n_chunks; i++)
		pfree(sample->chunks[i].keys);
	sample->n_chunks = 0;
	sample->next = sample->end = NULL;
}

/* Appends all chunks of a sample to its raw file */
static void
spill(TwoSample *state, int which)
{
	Sample	   *sample = &state->sample[which];
	BufFile    *file = two_sample_file(state, which, FILE_RAW);

	close_chunk(sample);
	seek_key(file, sample->n_raw);
	for (int i = 0; i < sample->n_chunks; i++)
	{
		Chunk	   *chunk = &sample->chunks[i];

		BufFileWrite(file, chunk->keys, chunk->n * sizeof(uint64));
		sample->n_raw += chunk->n;
	}
	free_chunks(state, sample);
}

/* Room for one more key at sample->next */
static void
make_room(TwoSample *state, int which)
{
	Sample	   *sample = &state->sample[which];
	int			capacity = CHUNK_MIN_KEYS;
	int			most = chunk_max_keys();

	CHECK_FOR_INTERRUPTS();
	close_chunk(sample);
	while (capacity < most && capacity < sample->n_closed)
		capacity *= 2;
	if (state->bytes + capacity * sizeof(uint64) > work_mem * (Size) 1024)
		spill(state, chunk_bytes(&state->sample[REFERENCE]) >=
			  chunk_bytes(&state->sample[CURRENT]) ? REFERENCE : CURRENT);
	add_chunk(state, sample, capacity);
}

/* ----------
 * Reading in any order
 * ----------
 */

void
key_reader_begin(KeyReader *reader, TwoSample *state, int sample)
{
	close_chunk(&state->sample[sample]);
	memset(reader, 0, sizeof(*reader));
	reader->state = state;
	reader->sample = sample;
}

size_t
key_reader_next(KeyReader *reader, const uint64 **keys)
{
	Sample	   *sample = &reader->state->sample[reader->sample];
	FileRole	role;
	int64		position = reader->position;
	int64		left;

	CHECK_FOR_INTERRUPTS();
	while (reader->chunk < sample->n_chunks)
	{
		Chunk	   *chunk = &sample->chunks[reader->chunk++];

		*keys = chunk->keys;
		if (chunk->n > 0)
			return chunk->n;
	}
	if (position < sample->n_raw)
	{
		role = FILE_RAW;
		left = sample->n_raw - position;
	}
	else
	{
		role = FILE_RUNS;
		position -= sample->n_raw;
		left = sample->n_sorted - position;
	}
	if (left == 0)
		return 0;
	if (reader->buffer == NULL)
		reader->buffer = palloc(READ_MAX_KEYS * sizeof(uint64));
	left = Min(left, READ_MAX_KEYS);
	read_keys(two_sample_file(reader->state, reader->sample, role), position,
			  reader->buffer, left);
	reader->position += left;
	*keys = reader->buffer;
	return left;
}

void
key_reader_end(KeyReader *reader)
{
	if (reader->buffer != NULL)
		pfree(reader->buffer);
	reader->buffer = NULL;
}

bool
two_sample_has_infinity(TwoSample *state)
{
	const uint64 least = float_key(-get_float8_infinity());
	const uint64 greatest = float_key(get_float8_infinity());
	bool		found = false;

	for (int which = 0; which < 2 && !found; which++)
	{
		KeyReader	reader;
		const uint64 *keys;
		size_t		n;

		key_reader_begin(&reader, state, which);
		while (!found && (n = key_reader_next(&reader, &keys)) > 0)
			for (size_t i = 0; i < n; i++)
				found |= keys[i] == least || keys[i] == greatest;
		key_reader_end(&reader);
	}
	return found;
}

uint64
two_sample_varying_bits(const TwoSample *state)
{
	uint64		any = 0;
	uint64		all = PG_UINT64_MAX;

	for (int i = 0; i < 2; i++)
	{
		const Sample *sample = &state->sample[i];

		any |= sample->any;
		all &= sample->all;
		if (sample->n_chunks > 0)
		{
			const Chunk *chunk = &sample->chunks[sample->n_chunks - 1];

			for (uint64 *key = chunk->keys; key < sample->next; key++)
			{
				any |= *key;
				all &= *key;
			}
		}
	}
	return any & ~all;
}

/* ----------
 * The aggregate
 * ----------
 */

PG_FUNCTION_INFO_V1(mlmeta_two_sample_transition);
PG_FUNCTION_INFO_V1(mlmeta_two_sample_accum_options);
PG_FUNCTION_INFO_V1(mlmeta_two_sample_accum_bins);
PG_FUNCTION_INFO_V1(mlmeta_two_sample_accum_bins_options);
PG_FUNCTION_INFO_V1(mlmeta_quantiles_transition);

static TwoSample *
make_state(FunctionCallInfo fcinfo)
{
	MemoryContext context;
	TwoSample  *state;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "two samples are collected outside of an aggregate");
	state = MemoryContextAllocZero(context, sizeof(TwoSample));
	state->context = context;
	state->files = make_files(fcinfo, context);
	state->sample[REFERENCE].all = PG_UINT64_MAX;
	state->sample[CURRENT].all = PG_UINT64_MAX;
	return state;
}

static inline TwoSample *
get_state(FunctionCallInfo fcinfo, bool *is_new)
{
	*is_new = PG_ARGISNULL(0);
	if (unlikely(*is_new))
		return make_state(fcinfo);
	return (TwoSample *) PG_GETARG_POINTER(0);
}

static inline void
add_value(TwoSample *state, int which, double value)
{
	Sample	   *sample = &state->sample[which];

	if (unlikely(isnan(value)))
	{
		sample->n_nan++;
		return;
	}
	if (unlikely(sample->next == sample->end))
		make_room(state, which);
	*sample->next++ = float_key(value);
}

/* The row of arguments 1 and 2 */
static inline void
add_row(TwoSample *state, FunctionCallInfo fcinfo)
{
	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
		add_value(state, PG_GETARG_BOOL(2) ? CURRENT : REFERENCE,
				  PG_GETARG_FLOAT8(1));
}

/*
 * The options of the first row, or whatever other varlena argno is, called
 * what; those of all others must be the same.
 */
static void
note_options(TwoSample *state, FunctionCallInfo fcinfo, int argno,
			 bool is_new, const char *what)
{
	bool		is_null = PG_ARGISNULL(argno);
	text	   *options;

	if (!is_new && state->options_stable)
		return;
	options = is_null ? NULL : PG_GETARG_TEXT_PP(argno);
	if (is_new)
	{
		/* the state is no argument of the SQL call */
		state->options_stable =
			aggregate_argument_is_stable(fcinfo, argno - 1);
		state->options_null = is_null;
		if (!is_null)
		{
			state->options_size = VARSIZE_ANY_EXHDR(options);
			state->options = MemoryContextAlloc(state->context,
												state->options_size + 1);
			memcpy(state->options, VARDATA_ANY(options),
				   state->options_size);
		}
	}
	else if (is_null != state->options_null ||
			 (!is_null &&
			  ((int) VARSIZE_ANY_EXHDR(options) != state->options_size ||
			   memcmp(VARDATA_ANY(options), state->options,
					  state->options_size) != 0)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the %s changed within a group", what)));
	if (!is_null)
		PG_FREE_IF_COPY(options, argno);
}

static void
note_bins(TwoSample *state, FunctionCallInfo fcinfo, int argno, bool is_new)
{
	int			bins = PG_ARGISNULL(argno) ? 0 : PG_GETARG_INT32(argno);

	if (likely(!is_new && bins == state->bins))
		return;
	if (!is_new)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the bins of a two-sample aggregate changed within a "
						"group"),
				 errdetail("There are %d and %d.", state->bins, bins)));
	if (!PG_ARGISNULL(argno) && (bins < 1 || bins > TWO_SAMPLE_MAX_BINS))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%d is no number of bins", bins),
				 errhint("It must be from 1 to %d.", TWO_SAMPLE_MAX_BINS)));
	state->bins = bins;
}

static const char two_sample_options_name[] =
	"options of a two-sample aggregate";

/* (state, value float8, is_current boolean) */
Datum
mlmeta_two_sample_transition(PG_FUNCTION_ARGS)
{
	bool		is_new;
	TwoSample  *state = get_state(fcinfo, &is_new);

	add_row(state, fcinfo);
	PG_RETURN_POINTER(state);
}

/* (state, value float8, is_current boolean, options text) */
Datum
mlmeta_two_sample_accum_options(PG_FUNCTION_ARGS)
{
	bool		is_new;
	TwoSample  *state = get_state(fcinfo, &is_new);

	note_options(state, fcinfo, 3, is_new, two_sample_options_name);
	add_row(state, fcinfo);
	PG_RETURN_POINTER(state);
}

/* (state, value float8, is_current boolean, bins int) */
Datum
mlmeta_two_sample_accum_bins(PG_FUNCTION_ARGS)
{
	bool		is_new;
	TwoSample  *state = get_state(fcinfo, &is_new);

	note_bins(state, fcinfo, 3, is_new);
	add_row(state, fcinfo);
	PG_RETURN_POINTER(state);
}

/* (state, value float8, is_current boolean, bins int, options text) */
Datum
mlmeta_two_sample_accum_bins_options(PG_FUNCTION_ARGS)
{
	bool		is_new;
	TwoSample  *state = get_state(fcinfo, &is_new);

	note_bins(state, fcinfo, 3, is_new);
	note_options(state, fcinfo, 4, is_new, two_sample_options_name);
	add_row(state, fcinfo);
	PG_RETURN_POINTER(state);
}

/* (state, value float8, probabilities float8[]): one sample, the reference */
Datum
mlmeta_quantiles_transition(PG_FUNCTION_ARGS)
{
	bool		is_new;
	TwoSample  *state = get_state(fcinfo, &is_new);

	note_options(state, fcinfo, 2, is_new, "probabilities of quantiles");
	if (!PG_ARGISNULL(1))
		add_value(state, REFERENCE, PG_GETARG_FLOAT8(1));
	PG_RETURN_POINTER(state);
}

struct varlena *
two_sample_options_bytes(const TwoSample *state)
{
	struct varlena *bytes;

	if (state->options == NULL)
		return NULL;
	bytes = palloc(VARHDRSZ + state->options_size);
	SET_VARSIZE(bytes, VARHDRSZ + state->options_size);
	memcpy(VARDATA(bytes), state->options, state->options_size);
	return bytes;
}

TwoSample *
two_sample_state(FunctionCallInfo fcinfo)
{
	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "two samples are compared outside of an aggregate");
	return PG_ARGISNULL(0) ? NULL : (TwoSample *) PG_GETARG_POINTER(0);
}

int64
two_sample_count(const TwoSample *state, int which)
{
	const Sample *sample = &state->sample[which];
	int64		n = sample->n_closed;

	if (sample->n_chunks > 0)
	{
		const Chunk *chunk = &sample->chunks[sample->n_chunks - 1];

		n += sample->next - chunk->keys - chunk->n;
	}
	return n;
}

int64
two_sample_nan_count(const TwoSample *state, int which)
{
	return state->sample[which].n_nan;
}

bool
two_sample_is_spilled(const TwoSample *state)
{
	for (int i = 0; i < 2; i++)
		if (state->sample[i].n_raw > 0 || state->sample[i].n_runs > 0)
			return true;
	return false;
}

int
two_sample_bins(const TwoSample *state, int otherwise)
{
	return state->bins > 0 ? state->bins : otherwise;
}

void
two_sample_options(const TwoSample *state, const char *function_name,
				   const OptionSpec *specs, int n_specs)
{
	if (state->options != NULL)
		options_parse(function_name, state->options, state->options_size,
					  specs, n_specs);
}

const char *
two_sample_missing(const TwoSample *state)
{
	return test_result_missing(two_sample_count(state, REFERENCE),
							   two_sample_count(state, CURRENT));
}
