/*-------------------------------------------------------------------------
 *
 * page_scan.c
 *		Going through the pages of a table.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "access/table.h"
#include "catalog/pg_type_d.h"
#include "pgstat.h"
#include "scan/page_scan.h"
#include "storage/bufmgr.h"
#include "utils/snapmgr.h"

AttrNumber
page_scan_attribute(const PageScan *scan, const char *column)
{
	TupleDesc	desc = RelationGetDescr(scan->relation);

	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped &&
			strcmp(NameStr(TupleDescAttr(desc, i)->attname), column) == 0)
			return (AttrNumber) (i + 1);
	elog(ERROR, "table \"%s\" has no column \"%s\"",
		 RelationGetRelationName(scan->relation), column);
	return InvalidAttrNumber;
}

PageScan *
page_scan_begin(const ScanSource *source, Oid table,
				ParallelTableScanDesc shared)
{
	PageScan   *scan = palloc0(sizeof(PageScan));

	/* the planner has locked it */
	scan->relation = table_open(table, NoLock);
	scan->first = source->since.given ? source->since.number : PG_INT64_MIN;
	scan->last = !source->before.given ? PG_INT64_MAX :
		source->before.number - (source->before.number > PG_INT64_MIN);
	if (source->before.given && source->before.number == PG_INT64_MIN)
		scan->first = PG_INT64_MAX; /* nothing lies before -infinity */
	if (source->since.given || source->before.given)
	{
		scan->time_number = page_scan_attribute(scan, source->time_column);
		scan->time_is_date = source->time_type == DATEOID;
	}
	scan->scan = shared != NULL ?
		table_beginscan_parallel(scan->relation, shared) :
		table_beginscan(scan->relation, GetActiveSnapshot(), 0, NULL);
	return scan;
}

/*
 * The scan has found the visible rows of a page once it gives the first of
 * them. The others are taken from its list, and it goes on behind the last.
 */
static int
rows_of_page(PageScan *scan, HeapTupleHeader *rows)
{
	HeapScanDesc heap = (HeapScanDesc) scan->scan;
	HeapTuple	first = heap_getnext(scan->scan, ForwardScanDirection);
	Page		page;
	int			from;
	int			n;

	if (first == NULL)
		return 0;
	if ((scan->scan->rs_flags & SO_ALLOW_PAGEMODE) == 0)
	{
		rows[0] = first->t_data;
		return 1;
	}
	page = BufferGetPage(heap->rs_cbuf);
	from = (int) heap->rs_cindex;
	n = (int) heap->rs_ntuples - from;
	for (int i = 0; i < n; i++)
	{
		ItemId		item = PageGetItemId(page, heap->rs_vistuples[from + i]);

		rows[i] = (HeapTupleHeader) PageGetItem(page, item);
	}
	heap->rs_cindex = heap->rs_ntuples - 1;
	/* the first one was counted */
	pgstat_count_index_tuples(scan->relation, n - 1);
	return n;
}

static bool
time_fits(PageScan *scan, HeapTupleHeader row, int64 *time)
{
	bool		is_null;
	Datum		value;

	scan->row.t_data = row;
	value = heap_getattr(&scan->row, scan->time_number,
						 RelationGetDescr(scan->relation), &is_null);
	if (is_null)
		return false;
	*time = scan->time_is_date ? DatumGetInt32(value) : DatumGetInt64(value);
	return *time >= scan->first && *time <= scan->last;
}

int
page_scan_next(PageScan *scan, HeapTupleHeader *rows)
{
	int			n;

	while ((n = rows_of_page(scan, rows)) > 0)
	{
		int			n_fit = 0;

		if (scan->time_number == 0)
			return n;
		for (int i = 0; i < n; i++)
			if (time_fits(scan, rows[i], &scan->times[n_fit]))
				rows[n_fit++] = rows[i];
		if (n_fit > 0)
			return n_fit;
	}
	return 0;
}

void
page_scan_end(PageScan *scan)
{
	table_endscan(scan->scan);
	table_close(scan->relation, NoLock);
	pfree(scan);
}
