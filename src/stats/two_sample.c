/*-------------------------------------------------------------------------
 *
 * two_sample.c
 *		The rows of two samples: collecting, spilling, sorting, merging.
 *
 * Each sample is a multiset of 64-bit keys, kept in up to three places:
 *
 *	- chunks in memory, to which rows are appended; they double in size up to
 *	  CHUNK_MAX_KEYS, so that a small group is small and no allocation is ever
 *	  huge;
 *	- a raw file, to which all chunks of the larger sample are appended when
 *	  both together reach work_mem: rows cost a copy, and what can do without
 *	  order never sorts;
 *	- a file of sorted runs, into which the first scan turns the raw file.
 *
 * A scan merges the sorted chunks and runs of each sample in a tournament.
 *
 * Chunks live in the aggregate's context, files belong to the resource owner
 * of the query, which removes them on error, and are closed at the end of the
 * group (of the query, in a window).
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "commands/tablespace.h"
#include "core/radix_sort.h"
#include "core/summary.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "stats/quantile.h"
#include "stats/two_sample.h"
#include "storage/shmem.h"
#include "storage/buffile.h"
#include "utils/float.h"
#include "utils/memutils.h"

#define CHUNK_MIN_KEYS		16
#define CHUNK_MAX_KEYS		32768	/* with its scratch, a level 2 cache */

/* Keys read from a file at once, and runs merged at once */
#define READ_MIN_KEYS		1024
#define READ_MAX_KEYS		32768
#define FAN_IN_MIN			16
#define FAN_IN_MAX			1024

/* No key is this: it would be a NaN */
#define NO_KEY				PG_UINT64_MAX

const char *const two_sample_alternatives[] = {
	"two-sided", "less", "greater", NULL
};

typedef struct Chunk
{
	uint64	   *keys;
	int			n;				/* of the last chunk only once it is closed */
	int			capacity;
} Chunk;

typedef struct Run
{
	int64		start;			/* in the file, in keys */
	int64		n;
} Run;

typedef struct Sample
{
	uint64	   *next;			/* in the last chunk */
	uint64	   *end;
	int64		n_closed;		/* keys in all other places */
	int64		n_nan;
	uint64		any;			/* OR of all keys in closed chunks ... */
	uint64		all;			/* ... and AND of them */
	Chunk	   *chunks;
	int			n_chunks;
	int			max_chunks;
	int64		n_raw;			/* keys in the raw file */
	Run		   *runs;
	int			n_runs;
	int			max_runs;
	int64		n_sorted;		/* keys in the file of runs */
} Sample;

/* Open files, by sample; closed by a callback of the executor */
typedef enum FileRole
{
	FILE_RAW,
	FILE_RUNS,
	FILE_MERGED,				/* the next file of runs, while it is written */
	FILE_ROLES
} FileRole;

typedef struct Files
{
	MemoryContext context;		/* holds this and lives until the callback */
	BufFile    *file[2][FILE_ROLES];
} Files;

struct TwoSample
{
	Sample		sample[2];
	MemoryContext context;
	Files	   *files;
	Size		bytes;			/* in chunks */
	int			bins;			/* 0: not given */
	bool		options_stable; /* the same for all rows, surely */
	bool		options_null;
	int			options_size;
	char	   *options;
};

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
 * moment to register for: there they live as long as the query.
 */
static Files *
make_files(FunctionCallInfo fcinfo, MemoryContext context)
{
	Files	   *files;
	WindowAggState *window = NULL;

	if (IsA(fcinfo->context, WindowAggState))
	{
		window = (WindowAggState *) fcinfo->context;
		context = window->ss.ps.state->es_query_cxt;
	}
	files = MemoryContextAllocZero(context, sizeof(Files));
	files->context = context;
	if (window != NULL)
		RegisterExprContextCallback(window->ss.ps.ps_ExprContext,
									close_files, PointerGetDatum(files));
	else
		AggRegisterCallback(fcinfo, close_files, PointerGetDatum(files));
	return files;
}

static BufFile *
get_file(TwoSample *state, int sample, FileRole role)
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

static void
seek_key(BufFile *file, int64 position)
{
	if (BufFileSeek(file, 0, (off_t) (position * sizeof(uint64)),
					SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not seek in a temporary file of two samples")));
}

static void
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

static int
chunk_max_keys(void)
{
	int			keys = CHUNK_MAX_KEYS;

	/* eight chunks fit into the smallest work_mem */
	while (keys > READ_MIN_KEYS &&
		   keys * sizeof(uint64) > work_mem * (Size) 1024 / 8)
		keys /= 2;
	return keys;
}

/* Notes what was appended to the last chunk */
static void
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

static void
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

static void
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
	BufFile    *file = get_file(state, which, FILE_RAW);

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
	read_keys(get_file(reader->state, reader->sample, role), position,
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
 * Merging: a tournament of losers. Leaf i of n stands at node n + i; inner
 * nodes 1 .. n - 1 hold the loser of their match, so that a replaced winner
 * meets one opponent on each level up.
 * ----------
 */

/* Sorted keys: a chunk, or a run that is read through a buffer */
typedef struct Source
{
	const uint64 *cursor;
	const uint64 *end;
	BufFile    *file;
	int64		position;
	int64		left;			/* in the file */
	uint64	   *buffer;
	int			buffer_keys;
} Source;

typedef struct Player
{
	uint64		key;			/* NO_KEY once the source is at its end */
	int			source;
} Player;

typedef struct Merge
{
	int			n_sources;
	Source	   *sources;
	Player	   *losers;
	Player		winner;
} Merge;

/* The next block of a source, where the last one is used up */
static bool
source_refill(Source *source)
{
	int64		n = Min(source->left, source->buffer_keys);

	CHECK_FOR_INTERRUPTS();
	if (n == 0)
		return false;
	read_keys(source->file, source->position, source->buffer, n);
	source->position += n;
	source->left -= n;
	source->cursor = source->buffer;
	source->end = source->buffer + n;
	return true;
}

static uint64
source_next(Source *source)
{
	if (source->cursor == source->end && !source_refill(source))
		return NO_KEY;
	return *source->cursor++;
}

static Player
merge_replay(Merge *merge, Player player, int node)
{
	Player	   *losers = merge->losers;

	for (node /= 2; node > 0; node /= 2)
	{
		Player		other = losers[node];
		bool		lost = other.key < player.key;

		/* without a branch: which one wins cannot be predicted */
		losers[node].key = lost ? player.key : other.key;
		losers[node].source = lost ? player.source : other.source;
		player.key = lost ? other.key : player.key;
		player.source = lost ? other.source : player.source;
	}
	return player;
}

static void
merge_begin(Merge *merge, Source *sources, int n_sources)
{
	Player	   *winners = palloc(2 * (Size) n_sources * sizeof(Player));

	merge->sources = sources;
	merge->n_sources = n_sources;
	merge->losers = palloc(Max(n_sources, 1) * sizeof(Player));
	merge->winner.key = NO_KEY;
	for (int i = 0; i < n_sources; i++)
	{
		winners[n_sources + i].key = source_next(&sources[i]);
		winners[n_sources + i].source = i;
	}
	for (int node = n_sources - 1; node > 0; node--)
	{
		Player		a = winners[2 * node];
		Player		b = winners[2 * node + 1];

		winners[node] = a.key <= b.key ? a : b;
		merge->losers[node] = a.key <= b.key ? b : a;
	}
	if (n_sources > 0)
		merge->winner = winners[1];
	pfree(winners);
}

/* Writes up to max keys in order; how many, 0 at the end */
static size_t
merge_fill(Merge *merge, uint64 *keys, size_t max)
{
	Player		player = merge->winner;
	size_t		n = 0;

	while (n < max && player.key != NO_KEY)
	{
		keys[n++] = player.key;
		player.key = source_next(&merge->sources[player.source]);
		player = merge_replay(merge, player,
							  merge->n_sources + player.source);
	}
	merge->winner = player;
	return n;
}

static void
source_of_chunk(Source *source, const Chunk *chunk)
{
	memset(source, 0, sizeof(*source));
	source->cursor = chunk->keys;
	source->end = chunk->keys + chunk->n;
}

static void
source_of_run(Source *source, BufFile *file, const Run *run, int buffer_keys)
{
	memset(source, 0, sizeof(*source));
	source->file = file;
	source->position = run->start;
	source->left = run->n;
	source->buffer_keys = buffer_keys;
	source->buffer = palloc(buffer_keys * sizeof(uint64));
}

static int
run_buffer_keys(int n_runs)
{
	Size		keys = work_mem * (Size) 1024 / sizeof(uint64) / Max(n_runs, 1);

	return (int) Max(READ_MIN_KEYS, Min(keys, READ_MAX_KEYS));
}

/* ----------
 * Sorting
 * ----------
 */

static void
sort_chunks(Sample *sample)
{
	uint64	   *scratch = NULL;
	int			room = 0;

	for (int i = 0; i < sample->n_chunks; i++)
	{
		Chunk	   *chunk = &sample->chunks[i];

		CHECK_FOR_INTERRUPTS();
		if (chunk->n > Max(room, RADIX_SORT_SMALL))
		{
			if (scratch != NULL)
				pfree(scratch);
			room = chunk->capacity;
			scratch = palloc(mul_size(room, sizeof(uint64)));
		}
		radix_sort(chunk->keys, scratch, chunk->n);
	}
	if (scratch != NULL)
		pfree(scratch);
}

/* Merges sources to the end of a file; the keys written */
static int64
write_merged(BufFile *file, int64 position, Source *sources, int n_sources)
{
	uint64	   *buffer = palloc(READ_MIN_KEYS * sizeof(uint64));
	int64		start = position;
	Merge		merge;
	size_t		n;

	merge_begin(&merge, sources, n_sources);
	while ((n = merge_fill(&merge, buffer, READ_MIN_KEYS)) > 0)
	{
		/* sources may read the same file in between */
		seek_key(file, position);
		BufFileWrite(file, buffer, n * sizeof(uint64));
		position += n;
	}
	pfree(merge.losers);
	pfree(buffer);
	return position - start;
}

static void
add_run(TwoSample *state, Sample *sample, int64 n)
{
	if (sample->n_runs == sample->max_runs)
	{
		int			max_runs = Max(8, 2 * sample->max_runs);
		Size		size = mul_size(max_runs, sizeof(Run));

		sample->runs = sample->runs == NULL ?
			MemoryContextAlloc(state->context, size) :
			repalloc(sample->runs, size);
		sample->max_runs = max_runs;
	}
	sample->runs[sample->n_runs].start = sample->n_sorted;
	sample->runs[sample->n_runs].n = n;
	sample->n_runs++;
	sample->n_sorted += n;
}

/* Sorts the chunks of a sample and moves them to its file as a run */
static void
write_chunks_as_run(TwoSample *state, int which)
{
	Sample	   *sample = &state->sample[which];
	Source	   *sources;

	if (sample->n_chunks == 0)
		return;
	sort_chunks(sample);
	sources = palloc(sample->n_chunks * sizeof(Source));
	for (int i = 0; i < sample->n_chunks; i++)
		source_of_chunk(&sources[i], &sample->chunks[i]);
	add_run(state, sample,
			write_merged(get_file(state, which, FILE_RUNS), sample->n_sorted,
						 sources, sample->n_chunks));
	pfree(sources);
	free_chunks(state, sample);
}

/* Turns the raw file of a sample, and what is in memory, into runs */
static void
sort_raw_file(TwoSample *state, int which)
{
	Sample	   *sample = &state->sample[which];
	BufFile    *raw = get_file(state, which, FILE_RAW);
	int64		load = work_mem * (int64) 1024 / sizeof(uint64);
	int64		position = 0;

	write_chunks_as_run(state, which);
	while (position < sample->n_raw)
	{
		int64		stop = Min(position + load, sample->n_raw);

		while (position < stop)
		{
			int			n = (int) Min(stop - position, chunk_max_keys());

			CHECK_FOR_INTERRUPTS();
			add_chunk(state, sample, n);
			read_keys(raw, position, sample->next, n);
			sample->chunks[sample->n_chunks - 1].n = n;
			position += n;
		}
		write_chunks_as_run(state, which);
	}
	sample->n_raw = 0;
	BufFileClose(raw);
	state->files->file[which][FILE_RAW] = NULL;
}

/* Merges runs until they can all be read at once */
static void
reduce_runs(TwoSample *state, int which)
{
	Sample	   *sample = &state->sample[which];
	BufFile   **file = state->files->file[which];
	int			fan_in = (int) (work_mem * (Size) 1024 /
								(READ_MIN_KEYS * sizeof(uint64)));

	fan_in = Max(FAN_IN_MIN, Min(fan_in, FAN_IN_MAX));
	while (sample->n_runs > fan_in)
	{
		BufFile    *to = get_file(state, which, FILE_MERGED);
		int			n_runs = sample->n_runs;
		int64		written = 0;
		int			merged = 0;

		for (int first = 0; first < n_runs; first += fan_in)
		{
			int			n = Min(fan_in, n_runs - first);
			Source	   *sources = palloc(n * sizeof(Source));
			int64		keys;

			for (int i = 0; i < n; i++)
				source_of_run(&sources[i], file[FILE_RUNS],
							  &sample->runs[first + i], run_buffer_keys(n));
			keys = write_merged(to, written, sources, n);
			for (int i = 0; i < n; i++)
				pfree(sources[i].buffer);
			pfree(sources);

			/* runs before first + n have been read: their places are free */
			sample->runs[merged].start = written;
			sample->runs[merged].n = keys;
			merged++;
			written += keys;
		}
		sample->n_runs = merged;
		BufFileClose(file[FILE_RUNS]);
		file[FILE_RUNS] = to;
		file[FILE_MERGED] = NULL;
	}
}

/* ----------
 * Scanning tie groups
 * ----------
 */

/* The keys of one sample in order, block by block */
typedef struct Stream
{
	const uint64 *cursor;
	const uint64 *end;
	bool		single;			/* the only source hands out its own blocks */
	Merge		merge;
	uint64	   *buffer;
} Stream;

/* One of few distinct values */
typedef struct Tally
{
	uint64		key;
	int64		n[2];
} Tally;

struct TieScan
{
	MemoryContext context;		/* holds all of the scan */
	Stream		stream[2];
	Tally	   *tallies;		/* in place of streams, or NULL */
	int			n_tallies;
	int			next_tally;
};

/* Fewer rows than this are sorted at once */
#define TALLY_MIN_ROWS		4096
#define TALLY_MAX_VALUES	2048
#define TALLY_SLOTS_LOG2	13

static int
compare_tallies(const void *a, const void *b)
{
	uint64		x = ((const Tally *) a)->key;
	uint64		y = ((const Tally *) b)->key;

	return (x > y) - (x < y);
}

/*
 * Counts the distinct values, in ascending order; NULL as soon as they are too
 * many. Open addressing in a table that is never more than a quarter full.
 */
static Tally *
tally_values(TwoSample *state, const bool *wanted, int *n_values)
{
	Tally	   *slots = palloc(sizeof(Tally) << TALLY_SLOTS_LOG2);
	int			n = 0;
	int			kept = 0;

	for (int i = 0; i < 1 << TALLY_SLOTS_LOG2; i++)
		slots[i].key = NO_KEY;
	for (int which = 0; which < 2 && n <= TALLY_MAX_VALUES; which++)
	{
		KeyReader	reader;
		const uint64 *keys;
		size_t		size;

		if (!wanted[which])
			continue;
		key_reader_begin(&reader, state, which);
		while (n <= TALLY_MAX_VALUES &&
			   (size = key_reader_next(&reader, &keys)) > 0)
		{
			for (size_t i = 0; i < size && n <= TALLY_MAX_VALUES; i++)
			{
				uint64		key = keys[i];
				uint64		slot = (key * UINT64CONST(0x9E3779B97F4A7C15)) >>
					(64 - TALLY_SLOTS_LOG2);

				while (slots[slot].key != key && slots[slot].key != NO_KEY)
					slot = (slot + 1) & ((1 << TALLY_SLOTS_LOG2) - 1);
				if (slots[slot].key == NO_KEY)
				{
					slots[slot].key = key;
					slots[slot].n[REFERENCE] = slots[slot].n[CURRENT] = 0;
					n++;
				}
				slots[slot].n[which]++;
			}
		}
		key_reader_end(&reader);
	}
	if (n > TALLY_MAX_VALUES)
	{
		pfree(slots);
		return NULL;
	}
	for (int i = 0; i < 1 << TALLY_SLOTS_LOG2; i++)
		if (slots[i].key != NO_KEY)
			slots[kept++] = slots[i];
	qsort(slots, kept, sizeof(Tally), compare_tallies);
	*n_values = kept;
	return slots;
}

static bool
stream_refill(Stream *stream)
{
	if (stream->single)
	{
		Source	   *source = &stream->merge.sources[0];

		if (source->cursor == source->end && !source_refill(source))
			return false;
		stream->cursor = source->cursor;
		stream->end = source->cursor = source->end;
		return true;
	}
	CHECK_FOR_INTERRUPTS();
	stream->cursor = stream->buffer;
	stream->end = stream->buffer +
		merge_fill(&stream->merge, stream->buffer, READ_MIN_KEYS);
	return stream->cursor < stream->end;
}

static void
stream_begin(Stream *stream, TwoSample *state, int which)
{
	Sample	   *sample = &state->sample[which];
	Source	   *sources;
	int			n_sources = sample->n_chunks + sample->n_runs;
	int			n = 0;

	sources = palloc0(Max(n_sources, 1) * sizeof(Source));
	for (int i = 0; i < sample->n_chunks; i++)
		source_of_chunk(&sources[n++], &sample->chunks[i]);
	for (int i = 0; i < sample->n_runs; i++)
		source_of_run(&sources[n++],
					  get_file(state, which, FILE_RUNS), &sample->runs[i],
					  run_buffer_keys(sample->n_runs));
	memset(stream, 0, sizeof(*stream));
	if (n_sources <= 1)
	{
		stream->single = true;
		stream->merge.sources = sources;
		return;
	}
	merge_begin(&stream->merge, sources, n_sources);
	stream->buffer = palloc(READ_MIN_KEYS * sizeof(uint64));
}

/* Few: only if the distinct values are few; else NULL */
static TieScan *
begin_scan(TwoSample *state, bool reference, bool current, bool few)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "mlmeta tie scan",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext previous = MemoryContextSwitchTo(context);
	TieScan    *scan = palloc0(sizeof(TieScan));
	const bool	wanted[2] = {reference, current};

	scan->context = context;
	if (few || two_sample_count(state, REFERENCE) +
		two_sample_count(state, CURRENT) >= TALLY_MIN_ROWS)
		scan->tallies = tally_values(state, wanted, &scan->n_tallies);
	for (int which = 0; which < 2; which++)
	{
		Sample	   *sample = &state->sample[which];

		scan->stream[which].single = true;
		scan->stream[which].merge.sources = palloc0(sizeof(Source));
		if (scan->tallies != NULL || few || !wanted[which])
			continue;
		close_chunk(sample);
		if (sample->n_raw > 0)
			sort_raw_file(state, which);
		else
			sort_chunks(sample);
		reduce_runs(state, which);
		stream_begin(&scan->stream[which], state, which);
	}
	MemoryContextSwitchTo(previous);
	if (few && scan->tallies == NULL)
	{
		tie_scan_end(scan);
		return NULL;
	}
	return scan;
}

TieScan *
tie_scan_begin(TwoSample *state)
{
	return begin_scan(state, true, true, false);
}

TieScan *
tie_scan_begin_few(TwoSample *state)
{
	return begin_scan(state, true, true, true);
}

TieScan *
tie_scan_begin_one(TwoSample *state, int sample)
{
	return begin_scan(state, sample == REFERENCE, sample == CURRENT, false);
}

/* The next key without taking it, NO_KEY at the end */
static inline uint64
stream_peek(Stream *stream)
{
	if (stream->cursor == stream->end && !stream_refill(stream))
		return NO_KEY;
	return *stream->cursor;
}

/* Takes all keys that equal key: how many */
static inline int64
stream_take(Stream *stream, uint64 key)
{
	int64		n = 0;

	while (stream_peek(stream) == key)
	{
		const uint64 *first = stream->cursor;

		do
			stream->cursor++;
		while (stream->cursor < stream->end && *stream->cursor == key);
		n += stream->cursor - first;
	}
	return n;
}

bool
tie_scan_next(TieScan *scan, double *value, TieGroup *group)
{
	uint64		reference;
	uint64		current;
	uint64		key;

	if (scan->tallies != NULL)
	{
		const Tally *tally = &scan->tallies[scan->next_tally];

		if (scan->next_tally == scan->n_tallies)
			return false;
		scan->next_tally++;
		*value = float_from_key(tally->key);
		group->reference = tally->n[REFERENCE];
		group->current = tally->n[CURRENT];
		return true;
	}
	reference = stream_peek(&scan->stream[REFERENCE]);
	current = stream_peek(&scan->stream[CURRENT]);
	key = Min(reference, current);
	if (key == NO_KEY)
		return false;
	*value = float_from_key(key);
	group->reference = reference == key ?
		stream_take(&scan->stream[REFERENCE], key) : 0;
	group->current = current == key ?
		stream_take(&scan->stream[CURRENT], key) : 0;
	return true;
}

void
tie_scan_end(TieScan *scan)
{
	MemoryContextDelete(scan->context);
}

void
tie_scan_quantiles(TieScan *scan, int64 n, const double *p, int k,
				   double *quantiles)
{
	double	   *lower = palloc(Max(k, 1) * sizeof(double));
	int64		below = 0;		/* rows up to value */
	double		value = 0;
	TieGroup	group;
	int			i = 0;
	int			j = 0;

	/* lower neighbours and upper ones are met in ascending order each */
	while (j < k)
	{
		if (!tie_scan_next(scan, &value, &group))
			elog(ERROR, "two samples have fewer rows than were counted");
		below += group.reference + group.current;
		for (; i < k && quantile_position(n, p[i]).rank < below; i++)
			lower[i] = value;
		for (; j < k; j++)
		{
			QuantilePosition position = quantile_position(n, p[j]);

			if (position.fraction > 0)
				position.rank++;
			if (position.rank >= below)
				break;
			quantiles[j] = quantile_between(lower[j], value,
											position.fraction);
		}
	}
	pfree(lower);
}

/* ----------
 * The aggregate
 * ----------
 */

PG_FUNCTION_INFO_V1(mlmeta_two_sample_accum);
PG_FUNCTION_INFO_V1(mlmeta_two_sample_accum_options);
PG_FUNCTION_INFO_V1(mlmeta_two_sample_accum_bins);
PG_FUNCTION_INFO_V1(mlmeta_two_sample_accum_bins_options);

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

/* The row of arguments 1 and 2 */
static inline void
add_row(TwoSample *state, FunctionCallInfo fcinfo)
{
	double		value;
	int			which;
	Sample	   *sample;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return;
	value = PG_GETARG_FLOAT8(1);
	which = PG_GETARG_BOOL(2) ? CURRENT : REFERENCE;
	sample = &state->sample[which];
	if (unlikely(isnan(value)))
	{
		sample->n_nan++;
		return;
	}
	if (unlikely(sample->next == sample->end))
		make_room(state, which);
	*sample->next++ = float_key(value);
}

/* The options of the first row; those of all others must be the same */
static void
note_options(TwoSample *state, FunctionCallInfo fcinfo, int argno,
			 bool is_new)
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
				 errmsg("options of a two-sample aggregate differ between "
						"rows of a group")));
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
				 errmsg("bins of a two-sample aggregate differ between rows "
						"of a group"),
				 errdetail("There are %d and %d.", state->bins, bins)));
	if (!PG_ARGISNULL(argno) && (bins < 1 || bins > TWO_SAMPLE_MAX_BINS))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%d is no number of bins", bins),
				 errhint("It must be from 1 to %d.", TWO_SAMPLE_MAX_BINS)));
	state->bins = bins;
}

/* (state, value float8, is_current boolean) */
Datum
mlmeta_two_sample_accum(PG_FUNCTION_ARGS)
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

	note_options(state, fcinfo, 3, is_new);
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
	note_options(state, fcinfo, 4, is_new);
	add_row(state, fcinfo);
	PG_RETURN_POINTER(state);
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
	bool		no_reference = two_sample_count(state, REFERENCE) == 0;
	bool		no_current = two_sample_count(state, CURRENT) == 0;

	if (no_reference && no_current)
		return "both samples are empty";
	if (no_reference)
		return "the reference is empty";
	if (no_current)
		return "the current sample is empty";
	return NULL;
}
