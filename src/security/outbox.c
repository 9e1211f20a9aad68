/*-------------------------------------------------------------------------
 *
 * outbox.c
 *		Does a transaction see every consumer that its events are for?
 *
 * An event is delivered to the consumers there are when it is written. Under
 * REPEATABLE READ a transaction may write events after a consumer came into
 * being that its snapshot does not show; the consumer would never get them.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/tuptable.h"
#include "security/door.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(mlmeta_sees_all_rows);

/*
 * sees_all_rows(table) returns whether the snapshot of the statement shows
 * every row that is committed by now. Strict; for functions behind the
 * door: 42501 for others. It reads the whole table, which is meant to be small,
 * unless the isolation level makes the answer plain. Raises 42809 for what
 * holds no rows itself: a view, a foreign or partitioned table.
 */
Datum
mlmeta_sees_all_rows(PG_FUNCTION_ARGS)
{
	Relation	table;
	Snapshot	latest;
	TableScanDesc scan;
	TupleTableSlot *slot;
	bool		seen = true;

	require_owner();
	/* Each statement has a snapshot of its own. */
	if (!IsolationUsesXactSnapshot())
		PG_RETURN_BOOL(true);

	table = table_open(PG_GETARG_OID(0), AccessShareLock);
	if (!RELKIND_HAS_TABLE_AM(table->rd_rel->relkind))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is no table with rows of its own",
						RelationGetRelationName(table))));
	latest = RegisterSnapshot(GetLatestSnapshot());
	slot = table_slot_create(table, NULL);
	scan = table_beginscan(table, latest, 0, NULL);
	while (seen && table_scan_getnextslot(scan, ForwardScanDirection, slot))
		seen = table_tuple_satisfies_snapshot(table, slot,
											  GetActiveSnapshot());
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(latest);
	table_close(table, AccessShareLock);
	PG_RETURN_BOOL(seen);
}
