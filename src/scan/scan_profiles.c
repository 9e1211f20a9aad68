/*-------------------------------------------------------------------------
 *
 * scan_profiles.c
 *		Grouping the rows of pages by window and segment.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "access/sysattr.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "optimizer/optimizer.h"
#include "parser/parser.h"
#include "scan/key_column.h"
#include "scan/page_scan.h"
#include "scan/scan_profiles.h"
#include "stats/summaries/profile_rows.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define FIRST_SLOTS		256		/* a power of 2 */

typedef struct GroupKey
{
	int			window;
	int			codes[SCAN_MAX_SEGMENTS];	/* unused ones are 0 */
} GroupKey;

typedef struct RowGroup
{
	BatchOwner	owner;
	GroupKey	key;
} RowGroup;

typedef struct Grouping
{
	const ScanRequest *request;
	MemoryContext context;
	int			n_borders;
	int64	   *borders;		/* in the time column's type */
	int			window;			/* of the last row */
	KeyColumn  *keys[SCAN_MAX_SEGMENTS];
	Profile    *sums;			/* where those of detached profiles go */

	int			n_groups;
	int			max_groups;
	RowGroup	  **groups;
	int			n_slots;
	int		   *slots;			/* group + 1, or 0 */
	RowGroup	   *last;
} Grouping;

/* 42601 unless the text is one expression, and nothing behind it */
static void
check_segment(const char *segment)
{
	char	   *query = psprintf("SELECT (%s\n)", segment);
	ErrorContextCallback callback = {error_context_stack,
	source_query_error, query};
	List	   *statements;
	SelectStmt *select;

	error_context_stack = &callback;
	statements = raw_parser(query, RAW_PARSE_DEFAULT);
	error_context_stack = callback.previous;
	select = (SelectStmt *) linitial_node(RawStmt, statements)->stmt;
	if (list_length(statements) != 1 || !IsA(select, SelectStmt) ||
		list_length(select->targetList) != 1 || select->op != SETOP_NONE ||
		select->fromClause != NIL || select->whereClause != NULL ||
		select->groupClause != NIL || select->havingClause != NULL ||
		select->windowClause != NIL || select->sortClause != NIL ||
		select->limitCount != NULL || select->limitOffset != NULL ||
		select->lockingClause != NIL || select->intoClause != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("segment \"%s\" is not an expression", segment)));
}

/* What a segment is in a table */
static Expr *
segment_of(const ScanRequest *request, const SourceTable *table, int i)
{
	return list_nth_node(TargetEntry, table->targets,
						 request->source->n_columns + i)->expr;
}

/* Of a row on its page, there are the columns and nothing else */
static bool
has_columns_only(const SourceTable *table, Expr *segment)
{
	Bitmapset  *columns = NULL;
	int			member = -1;

	pull_varattnos((Node *) segment, table->number, &columns);
	while ((member = bms_next_member(columns, member)) >= 0)
		if (member + FirstLowInvalidHeapAttributeNumber <= 0)
			return false;
	return true;
}

List *
scan_profiles_tables(const ScanRequest *request, const char **reason)
{
	ScanSource *source = request->source;
	StringInfoData targets;
	List	   *tables;
	ListCell   *cell;

	if (request->n_borders > 0)
		source_set_bounds(source, &request->borders[0],
						  &request->borders[request->n_borders - 1]);
	initStringInfo(&targets);
	appendStringInfoString(&targets, source_column_list(source));
	for (int i = 0; i < request->n_segments; i++)
	{
		check_segment(request->segments[i]);
		appendStringInfo(&targets, "%s(%s\n)", targets.len > 0 ? ", " : "",
						 request->segments[i]);
	}
	tables = source_tables(source, source_query(source, targets.data),
						   reason);
	foreach(cell, tables)
	{
		const SourceTable *table = lfirst(cell);

		for (int i = 0; i < request->n_segments; i++)
		{
			Expr	   *segment = segment_of(request, table, i);

			if (!has_columns_only(table, segment))
				*reason = "segment of whole rows or system columns";
			else if (!key_column_is_possible(exprType((Node *) segment)))
				*reason = "segment without a hash";
			if (*reason != NULL)
				return NIL;
		}
	}
	return tables;
}

/* ----------
 * Groups
 * ----------
 */

static Grouping *
make_grouping(const ScanRequest *request)
{
	Grouping   *grouping = palloc0(sizeof(Grouping));
	const ScanSource *source = request->source;

	grouping->request = request;
	grouping->context = CurrentMemoryContext;
	grouping->n_borders = request->n_borders;
	grouping->borders = palloc(Max(request->n_borders, 1) * sizeof(int64));
	for (int i = 0; i < request->n_borders; i++)
	{
		Datum		unused;

		grouping->borders[i] = source_time_number(source, request->borders[i],
												  &unused);
	}
	if (request->detached && request->baseline != NULL)
	{
		grouping->sums = summary_make(&profile_type);
		profile_set_baseline(grouping->sums, request->baseline);
	}
	grouping->max_groups = 64;
	grouping->groups = palloc(grouping->max_groups * sizeof(RowGroup *));
	grouping->n_slots = FIRST_SLOTS;
	grouping->slots = palloc0(FIRST_SLOTS * sizeof(int));
	return grouping;
}

/* The window of a time, which lies in one: the last border at or before it */
static int
find_window(Grouping *grouping, int64 time)
{
	const int64 *borders = grouping->borders;
	int			low = grouping->window;
	int			high;

	/* rows often come in the order of their times */
	if (low > 0 && borders[low - 1] <= time && time < borders[low])
		return low;
	low = 0;
	high = grouping->n_borders - 1;
	while (high - low > 1)
	{
		int			middle = (low + high) / 2;

		if (borders[middle] <= time)
			low = middle;
		else
			high = middle;
	}
	grouping->window = low + 1;
	return low + 1;
}

static uint32
hash_key(const GroupKey *key)
{
	return hash_bytes((const unsigned char *) key, sizeof(GroupKey));
}

static void
grow_slots(Grouping *grouping)
{
	pfree(grouping->slots);
	grouping->n_slots *= 2;
	grouping->slots = MemoryContextAllocZero(grouping->context,
											 grouping->n_slots * sizeof(int));
	for (int i = 0; i < grouping->n_groups; i++)
	{
		uint32		slot = hash_key(&grouping->groups[i]->key) &
			(grouping->n_slots - 1);

		while (grouping->slots[slot] != 0)
			slot = (slot + 1) & (grouping->n_slots - 1);
		grouping->slots[slot] = i + 1;
	}
}

static RowGroup *
make_group(Grouping *grouping, const GroupKey *key, RowReader *reader)
{
	MemoryContext old = MemoryContextSwitchTo(grouping->context);
	RowGroup	   *group = palloc0(sizeof(RowGroup));
	Profile    *baseline = grouping->request->baseline;
	int			n_features = Max(grouping->request->source->n_columns, 1);

	if ((grouping->n_groups + 1) > SCAN_MAX_SUMMARIES / n_features)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%d windows and segments of %d features are too many "
						"for one scan", grouping->n_groups + 1, n_features),
				 errhint("Read fewer windows at a time, or group by fewer "
						 "columns.")));
	if (grouping->n_groups == grouping->max_groups)
	{
		grouping->max_groups *= 2;
		grouping->groups = repalloc(grouping->groups,
									grouping->max_groups * sizeof(RowGroup *));
	}
	group->key = *key;
	group->owner.profile = summary_make(&profile_type);
	if (baseline != NULL)
		profile_set_baseline_and_sums(group->owner.profile, baseline,
									  grouping->sums);
	column_batch_bind(group->owner.profile, reader);
	grouping->groups[grouping->n_groups++] = group;
	MemoryContextSwitchTo(old);
	return group;
}

static RowGroup *
find_group(Grouping *grouping, const GroupKey *key, RowReader *reader)
{
	uint32		slot;

	if (grouping->last != NULL &&
		memcmp(&grouping->last->key, key, sizeof(GroupKey)) == 0)
		return grouping->last;
	for (slot = hash_key(key) & (grouping->n_slots - 1);
		 grouping->slots[slot] != 0;
		 slot = (slot + 1) & (grouping->n_slots - 1))
	{
		RowGroup	   *group = grouping->groups[grouping->slots[slot] - 1];

		if (memcmp(&group->key, key, sizeof(GroupKey)) == 0)
			return grouping->last = group;
	}
	grouping->last = make_group(grouping, key, reader);
	grouping->slots[slot] = grouping->n_groups;
	if (grouping->n_groups > grouping->n_slots / 2)
		grow_slots(grouping);
	return grouping->last;
}

/* ----------
 * Rows
 * ----------
 */

/* How the segments of a table's rows are found */
typedef struct SegmentReader
{
	TupleDesc	desc;
	AttrNumber	columns[SCAN_MAX_SEGMENTS]; /* 0: an expression */
	EState	   *estate;
	ExprContext *context;
	ExprState  *expressions[SCAN_MAX_SEGMENTS];
	TupleTableSlot *slot;		/* NULL: there are none */
	HeapTupleData row;
} SegmentReader;

static SegmentReader *
make_segment_reader(Grouping *grouping, const SourceTable *table,
					TupleDesc desc)
{
	const ScanRequest *request = grouping->request;
	SegmentReader *reader = palloc0(sizeof(SegmentReader));

	reader->desc = desc;
	reader->estate = CreateExecutorState();
	reader->context = CreateExprContext(reader->estate);
	for (int i = 0; i < request->n_segments; i++)
	{
		Expr	   *segment = segment_of(request, table, i);
		MemoryContext old;

		if (grouping->keys[i] == NULL)
			grouping->keys[i] =
				key_column_make(exprType((Node *) segment),
								exprCollation((Node *) segment));
		if (IsA(segment, Var))
		{
			reader->columns[i] = ((Var *) segment)->varattno;
			continue;
		}
		if (reader->slot == NULL)
			reader->slot = MakeSingleTupleTableSlot(desc, &TTSOpsHeapTuple);
		old = MemoryContextSwitchTo(reader->estate->es_query_cxt);
		reader->expressions[i] = ExecInitExpr(segment, NULL);
		MemoryContextSwitchTo(old);
	}
	return reader;
}

static void
end_segment_reader(SegmentReader *reader)
{
	if (reader->slot != NULL)
		ExecDropSingleTupleTableSlot(reader->slot);
	FreeExecutorState(reader->estate);
	pfree(reader);
}

/* The numbers of a row's segments */
static inline void
read_segments(Grouping *grouping, SegmentReader *reader, HeapTupleHeader row,
			  int *codes)
{
	reader->row.t_data = row;
	if (reader->slot != NULL)
	{
		ExecStoreHeapTuple(&reader->row, reader->slot, false);
		reader->context->ecxt_scantuple = reader->slot;
	}
	for (int i = 0; i < grouping->request->n_segments; i++)
	{
		bool		is_null;
		Datum		value = reader->columns[i] > 0 ?
			heap_getattr(&reader->row, reader->columns[i], reader->desc,
						 &is_null) :
			ExecEvalExprSwitchContext(reader->expressions[i],
									  reader->context, &is_null);

		codes[i] = key_column_code(grouping->keys[i], value, is_null);
	}
	if (reader->slot != NULL)
		ResetExprContext(reader->context);
}

/* Reads a table; like: the reader of another one, or NULL */
static RowReader *
add_table(Grouping *grouping, const SourceTable *table, RowReader *like,
		  ColumnBatch **batch)
{
	const ScanSource *source = grouping->request->source;
	PageScan   *scan = page_scan_begin(source, table->relation, NULL);
	TupleDesc	desc = RelationGetDescr(scan->relation);
	RowReader  *reader = table_row_reader(desc, source->columns,
										  source->n_columns, like);
	SegmentReader *segments = make_segment_reader(grouping, table, desc);
	HeapTupleHeader rows[MaxHeapTuplesPerPage];
	BatchOwner *owners[MaxHeapTuplesPerPage];
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "mlmeta row",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old;
	int			n;

	if (*batch == NULL)
		*batch = column_batch_make(reader);
	old = MemoryContextSwitchTo(context);
	while ((n = page_scan_next(scan, rows)) > 0)
	{
		for (int i = 0; i < n; i++)
		{
			GroupKey	key = {0};

			key.window = grouping->n_borders == 0 ? 1 :
				find_window(grouping, scan->times[i]);
			read_segments(grouping, segments, rows[i], key.codes);
			owners[i] = &find_group(grouping, &key, reader)->owner;
		}
		column_batch_add(*batch, reader, rows, owners, n);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	end_segment_reader(segments);
	page_scan_end(scan);
	return reader;
}

static int
compare_groups(const void *a, const void *b)
{
	const RowGroup *x = *(RowGroup *const *) a;
	const RowGroup *y = *(RowGroup *const *) b;

	for (int i = -1; i < SCAN_MAX_SEGMENTS; i++)
	{
		int			left = i < 0 ? x->key.window : x->key.codes[i];
		int			right = i < 0 ? y->key.window : y->key.codes[i];

		if (left != right)
			return left < right ? -1 : 1;
	}
	return 0;
}

void
scan_profiles_by_pages(const ScanRequest *request, const List *tables,
					   ScanReceiver receive, void *argument)
{
	Grouping   *grouping = make_grouping(request);
	RowReader  *reader = NULL;
	ColumnBatch *batch = NULL;
	MemoryContext context;
	MemoryContext old;
	const ListCell *cell;

	foreach(cell, tables)
		reader = add_table(grouping, lfirst(cell), reader, &batch);
	if (batch != NULL)
		column_batch_flush(batch);

	context = AllocSetContextCreate(CurrentMemoryContext, "mlmeta group",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	qsort(grouping->groups, grouping->n_groups, sizeof(RowGroup *),
		  compare_groups);
	for (int i = 0; i < grouping->n_groups; i++)
	{
		const RowGroup *group = grouping->groups[i];
		ScanGroup	result = {.window = group->key.window};

		CHECK_FOR_INTERRUPTS();
		result.profile = profile_settled(group->owner.profile);
		if (request->detached)
			result.profile = profile_detached(result.profile);
		for (int j = 0; j < request->n_segments; j++)
			result.segments[j] = key_column_text(grouping->keys[j],
												 group->key.codes[j]);
		receive(&result, argument);
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
