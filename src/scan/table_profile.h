/*-------------------------------------------------------------------------
 *
 * table_profile.h
 *		Profiles of heap tables by their pages, alone or with workers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_SCAN_TABLE_PROFILE_H
#define MLMETA_SCAN_TABLE_PROFILE_H

#include "core/compat.h"
#include "access/relscan.h"
#include "scan/source.h"
#include "stats/summaries/profile.h"
#include "stats/summaries/profile_rows.h"

/*
 * Counts the rows of a table that lie between the source's bounds. like: the
 * reader of another table of the source, or NULL; shared: NULL, or what the
 * processes that read the table together share. Returns this table's reader.
 */
extern RowReader *profile_add_table(Profile *profile,
									const ScanSource *source, Oid table,
									const RowReader *like,
									ParallelTableScanDesc shared);

/*
 * Counts the rows of all tables, of which there is one at least, with as many
 * parallel workers as the planner would take for tables of their size and as
 * there are. baseline: that of the profile, flat, or NULL.
 */
extern void profile_add_tables(Profile *profile, const ScanSource *source,
							   const List *tables, struct varlena *baseline);

#endif							/* MLMETA_SCAN_TABLE_PROFILE_H */
