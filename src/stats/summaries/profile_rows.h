/*-------------------------------------------------------------------------
 *
 * profile_rows.h
 *		Reading rows into a profile.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_PROFILE_ROWS_H
#define MLMETA_STATS_PROFILE_ROWS_H

#include "core/compat.h"
#include "access/htup.h"
#include "access/tupdesc.h"
#include "stats/summaries/profile.h"

/* How to read rows of one shape: looked up once, used for many rows */
typedef struct RowReader RowReader;

/*
 * The reader for a row, from *cache if that has one, else a new one, which is
 * added there. Readers live in children of context.
 */
extern RowReader *row_reader(RowReader **cache, HeapTupleHeader row,
							 MemoryContext context);

/*
 * The reader for rows as a table holds them, of the columns of these names in
 * this order, all of which it has; in the current context, where desc must live
 * as long. like: NULL, or one of another table with columns of the same names
 * and types, such as a partition: both count for the same features.
 */
extern RowReader *table_row_reader(TupleDesc desc, const char *const *columns,
								   int n, const RowReader *like);

/*
 * Counts a row that the reader was made for. Allocates in the current context,
 * which should be short-lived: detoasted values stay in it.
 */
extern void profile_add_row(Profile *profile, RowReader *reader,
							HeapTupleHeader row);

/*
 * The numbers of the last rows of a profile, column by column. Unlike a
 * profile's own batch, which many groups have, it is large from the start.
 */
#define COLUMN_BATCH_MIN		512
#define COLUMN_BATCH_MAX		1024
#define COLUMN_BATCH_VALUES		65536

typedef struct ColumnBatch
{
	int			size;			/* rows that it has room for */
	size_t		stride;			/* from one column to the next */
	int			n;
	double	   *values;
} ColumnBatch;

/* In the current context, for profiles of the reader's rows */
extern ColumnBatch *column_batch_make(const RowReader *reader);

/* Adds what the batch holds to the histograms; before anybody looks at them */
extern void column_batch_flush(ColumnBatch *batch, Profile *profile);

/*
 * Counts n rows that the reader was made for, and reorders them. Resets the
 * current context, whenever a row has left something in it.
 */
extern void profile_add_rows(Profile *profile, RowReader *reader,
							 ColumnBatch *batch, HeapTupleHeader *rows,
							 int n);

#endif							/* MLMETA_STATS_PROFILE_ROWS_H */
