/*-------------------------------------------------------------------------
 *
 * two_sample_state.h
 *		The state of two samples: for two_sample.c, which collects the rows,
 *		and tie_scan.c, which sorts them; nobody else.
 *
 * Each sample is a multiset of 64-bit keys, kept in up to three places:
 *
 *	- chunks in memory, to which rows are appended; they grow up to
 *	  CHUNK_MAX_KEYS, so that a small group is small and no allocation is ever
 *	  huge;
 *	- a raw file, to which all chunks of the larger sample are appended when
 *	  both together reach work_mem: rows cost a copy, and what can do without
 *	  order never sorts;
 *	- a file of sorted runs, into which the first scan turns the raw file.
 *
 * Chunks live in the aggregate's context, files belong to the resource owner
 * of the query, which removes them on error, and are closed at the end of the
 * group.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_TWO_SAMPLE_STATE_H
#define MLMETA_STATS_TWO_SAMPLE_STATE_H

#include "core/compat.h"

#include "stats/two_sample/two_sample.h"
#include "storage/buffile.h"

#define CHUNK_MAX_KEYS		32768	/* with its scratch, a level 2 cache */

/* Keys read from a file at once */
#define READ_MIN_KEYS		1024
#define READ_MAX_KEYS		32768

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
	FILE_MERGED,				/* the next file of runs */
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

/* The file of a sample in this role; made when first asked for */
extern BufFile *two_sample_file(TwoSample *state, int sample, FileRole role);
extern void close_two_sample_file(TwoSample *state, int sample, FileRole role);

/* Positions in files are counted in keys */
extern void seek_key(BufFile *file, int64 position);
extern void read_keys(BufFile *file, int64 position, uint64 *keys, size_t n);

/* Keys of a full chunk, given work_mem */
extern int	chunk_max_keys(void);

/* Notes what was appended to the last chunk */
extern void close_chunk(Sample *sample);
extern void add_chunk(TwoSample *state, Sample *sample, int capacity);
extern void free_chunks(TwoSample *state, Sample *sample);

#endif							/* MLMETA_STATS_TWO_SAMPLE_STATE_H */
