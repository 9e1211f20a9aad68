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
 * Counts a row that the reader was made for. Allocates in the current context,
 * which should be short-lived: detoasted values stay in it.
 */
extern void profile_add_row(Profile *profile, RowReader *reader,
							HeapTupleHeader row);

#endif							/* MLMETA_STATS_PROFILE_ROWS_H */
