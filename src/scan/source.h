/*-------------------------------------------------------------------------
 *
 * source.h
 *		A relation whose rows are to be summarised: which columns, between
 *		which times, and whether they can be read without an executor.
 *
 * The rows are always those of source_query(), whoever reads them. The planner
 * is asked how it would read them; where its answer is to go through whole
 * heap tables row by row (source_tables()), page_scan.h does that for less.
 * Views, foreign tables, row security, other access methods, subqueries and
 * conditions that an index serves are left to the executor.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_SCAN_SOURCE_H
#define MLMETA_SCAN_SOURCE_H

#include "core/compat.h"
#include "access/tupdesc.h"
#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

/* A bound in the type of the time column: parameter $1 or $2 of the query */
typedef struct TimeBound
{
	bool		given;
	Datum		value;
	int64		number;			/* microseconds, or days of a date */
} TimeBound;

typedef struct ScanSource
{
	Oid			relation;
	char	   *name;			/* qualified and quoted */
	TupleDesc	desc;			/* a copy */
	int			n_columns;
	const char **columns;
	const char *time_column;	/* NULL: none */
	Oid			time_type;		/* timestamptz, timestamp or date */
	TimeBound	since;			/* the first ... */
	TimeBound	before;			/* ... and the end of those that count */
} ScanSource;

/*
 * A source in the current context. columns: a text[], or NULL for all in their
 * order; time_column: NULL, or a column of a time type, for bounds. Raises
 * 42P01, 42809, 42703, 42701 for a column named twice, 22004 for one that is
 * NULL, 42804 for a time column that is none, 22023 for bounds without one.
 */
extern ScanSource *source_make(Oid relation, ArrayType *columns,
							   const char *time_column);
extern void source_set_bounds(ScanSource *source, const TimestampTz *since,
							  const TimestampTz *before);

/* The number of an attribute of the source's relation; 42703 if it has none */
extern AttrNumber source_attribute(const ScanSource *source,
								   const char *column);

/* A time in the time column's type, as a number that compares alike */
extern int64 source_time_number(const ScanSource *source, TimestampTz time,
								Datum *value);

/*
 * SELECT of what is given from the source, called s, between the bounds, which
 * are parameters $1 and $2 of source->time_type.
 */
extern char *source_query(const ScanSource *source, const char *targets);

/* The quoted columns of the source, separated by commas */
extern char *source_column_list(const ScanSource *source);

/*
 * An error context callback for what parses and plans a query of ours: places
 * in it are shown there, not in the statement of the session.
 */
extern void source_query_error(void *query);

/* A heap table that the query goes through; it is locked */
typedef struct SourceTable
{
	Oid			relation;
	Index		number;			/* of its columns' Vars ... */
	const List *targets;		/* ... in the query's targets */
} SourceTable;

/*
 * The tables whose rows are those of the query, as SourceTable; or NIL and the
 * reason why the executor must read them. Raises 42501 where the user may not
 * read what the query reads.
 */
extern List *source_tables(const ScanSource *source, const char *query,
						   const char **reason);

#endif							/* MLMETA_SCAN_SOURCE_H */
