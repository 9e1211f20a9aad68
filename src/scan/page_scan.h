/*-------------------------------------------------------------------------
 *
 * page_scan.h
 *		The rows of heap tables that the active snapshot sees, a page at a
 *		time and without an executor.
 *
 * Visibility, serializable reads and interrupts are the table access method's.
 * Rows lie on their page, which stays pinned until the next one is asked for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_SCAN_PAGE_SCAN_H
#define MLMETA_SCAN_PAGE_SCAN_H

#include "core/compat.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/tableam.h"
#include "scan/source.h"
#include "utils/rel.h"

typedef struct PageScan
{
	Relation	relation;
	TableScanDesc scan;

	HeapTupleData row;			/* for reading its time */

	/* Rows count whose time is known and from first to last */
	AttrNumber	time_number;	/* 0: all do */
	bool		time_is_date;
	int64		first;
	int64		last;
	int64		times[MaxHeapTuplesPerPage];	/* of the rows of a page */
} PageScan;

/*
 * Begins to read a table, one of source_tables(), between the source's bounds;
 * shared: NULL, or the scan that several processes make of it together. The
 * columns of a partition are found by name.
 */
extern PageScan *page_scan_begin(const ScanSource *source, Oid table,
								 ParallelTableScanDesc shared);
extern void page_scan_end(PageScan *scan);

/* The number of a column of the table that is read, by name */
extern AttrNumber page_scan_attribute(const PageScan *scan,
									  const char *column);

/*
 * The rows of the next page that has any, at most MaxHeapTuplesPerPage; their
 * number, 0 at the end. They stay where they are until the next call.
 */
extern int	page_scan_next(PageScan *scan, HeapTupleHeader *rows);

#endif							/* MLMETA_SCAN_PAGE_SCAN_H */
