/*-------------------------------------------------------------------------
 *
 * tie_scan.c
 *		The rows of two samples in ascending order, as tie groups.
 *
 * A scan sorts the chunks in memory and turns what was spilled into sorted
 * runs, unless that has been done, and merges chunks and runs of each sample
 * in a tournament. Of few distinct values it counts each instead.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "core/radix_sort.h"
#include "miscadmin.h"
#include "stats/two_sample/quantile.h"
#include "stats/two_sample/two_sample.h"
#include "stats/two_sample/two_sample_state.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

/* Runs merged at once */
#define FAN_IN_MIN			16
#define FAN_IN_MAX			1024

/* No key is this: it would be a NaN */
#define NO_KEY				PG_UINT64_MAX

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
	Size		keys = work_mem * (Size) 1024 / sizeof(uint64);

	keys /= Max(n_runs, 1);
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
			write_merged(two_sample_file(state, which, FILE_RUNS),
						 sample->n_sorted, sources, sample->n_chunks));
	pfree(sources);
	free_chunks(state, sample);
}

/* Turns the raw file of a sample, and what is in memory, into runs */
static void
sort_raw_file(TwoSample *state, int which)
{
	Sample	   *sample = &state->sample[which];
	BufFile    *raw = two_sample_file(state, which, FILE_RAW);
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
	close_two_sample_file(state, which, FILE_RAW);
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
		BufFile    *to = two_sample_file(state, which, FILE_MERGED);
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
		close_two_sample_file(state, which, FILE_RUNS);
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
	for (int which = 0; which < 2 && n <= TWO_SAMPLE_FEW_VALUES; which++)
	{
		KeyReader	reader;
		const uint64 *keys;
		size_t		size;

		if (!wanted[which])
			continue;
		key_reader_begin(&reader, state, which);
		while (n <= TWO_SAMPLE_FEW_VALUES &&
			   (size = key_reader_next(&reader, &keys)) > 0)
		{
			for (size_t i = 0; i < size && n <= TWO_SAMPLE_FEW_VALUES; i++)
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
	if (n > TWO_SAMPLE_FEW_VALUES)
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
					  two_sample_file(state, which, FILE_RUNS),
					  &sample->runs[i],
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
