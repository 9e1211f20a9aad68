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
 * Rows of one or many profiles, read a page at a time: the numbers of the last
 * rows, column by column. It is large from the start, unlike a profile's own
 * batch, and each row says whose it is.
 */
#define COLUMN_BATCH_MIN		512
#define COLUMN_BATCH_MAX		2048
#define COLUMN_BATCH_VALUES		65536

typedef struct BatchOwner
{
	Profile    *profile;
	int			n;				/* the batch's: its rows there, 0 outside */
	int			first;			/* ... and where they begin in the order */
} BatchOwner;

typedef struct ColumnBatch
{
	int			size;			/* rows that it has room for */
	size_t		stride;			/* from one column to the next */
	int			n;
	int			n_features;
	double	   *values;
	BatchOwner **owners;		/* of each row */
	bool		mixed;			/* not all are the same */

	/* room for sorting the rows by owner */
	int		   *order;
	BatchOwner **touched;
	double	   *gathered;
} ColumnBatch;

/* In the current context, for rows of the reader and of others like it */
extern ColumnBatch *column_batch_make(const RowReader *reader);

/* Prepares a profile for being an owner of such rows */
extern void column_batch_bind(Profile *profile, RowReader *reader);

/*
 * Counts n rows that the reader was made for, owners[i] being the owner of
 * rows[i]; reorders the rows. Resets the current context, whenever a row has
 * left something in it.
 */
extern void column_batch_add(ColumnBatch *batch, RowReader *reader,
							 HeapTupleHeader *rows,
							 BatchOwner *const *owners, int n);

/* Brings all rows to their owners; before anybody looks at those */
extern void column_batch_flush(ColumnBatch *batch);

#endif							/* MLMETA_STATS_PROFILE_ROWS_H */
