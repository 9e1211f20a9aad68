/*-------------------------------------------------------------------------
 *
 * scan_profiles.c
 *		Grouping the rows of pages by window and segment.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "common/hashfn.h"
#include "miscadmin.h"
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

typedef struct Group
{
	BatchOwner	owner;
	GroupKey	key;
} Group;

typedef struct Grouping
{
	const ScanRequest *request;
	MemoryContext context;
	int			n_borders;
	int64	   *borders;		/* in the time column's type */
	int			window;			/* of the last row */
	KeyColumn  *keys[SCAN_MAX_SEGMENTS];

	int			n_groups;
	int			max_groups;
	Group	  **groups;
	int			n_slots;
	int		   *slots;			/* group + 1, or 0 */
	Group	   *last;
} Grouping;

List *
scan_profiles_tables(const ScanRequest *request, const char **reason)
{
	ScanSource *source = request->source;
	StringInfoData targets;

	if (request->n_borders > 0)
		source_set_bounds(source, &request->borders[0],
						  &request->borders[request->n_borders - 1]);
	initStringInfo(&targets);
	appendStringInfoString(&targets, source_column_list(source));
	for (int i = 0; i < request->n_segments; i++)
	{
		(void) source_attribute(source, request->segments[i]);
		appendStringInfo(&targets, "%ss.%s", targets.len > 0 ? ", " : "",
						 quote_identifier(request->segments[i]));
	}
	return source_tables(source, source_query(source, targets.data), reason);
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
	for (int i = 0; i < request->n_segments; i++)
	{
		Form_pg_attribute attribute =
			TupleDescAttr(source->desc,
						  source_attribute(source, request->segments[i]) - 1);

		grouping->keys[i] = key_column_make(attribute->atttypid,
											attribute->attcollation);
	}
	grouping->max_groups = 64;
	grouping->groups = palloc(grouping->max_groups * sizeof(Group *));
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

static Group *
make_group(Grouping *grouping, const GroupKey *key, RowReader *reader)
{
	MemoryContext old = MemoryContextSwitchTo(grouping->context);
	Group	   *group = palloc0(sizeof(Group));
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
									grouping->max_groups * sizeof(Group *));
	}
	group->key = *key;
	group->owner.profile = summary_make(&profile_type);
	if (baseline != NULL)
		profile_set_baseline(group->owner.profile, baseline);
	column_batch_bind(group->owner.profile, reader);
	grouping->groups[grouping->n_groups++] = group;
	MemoryContextSwitchTo(old);
	return group;
}

static Group *
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
		Group	   *group = grouping->groups[grouping->slots[slot] - 1];

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

/* Reads a table; like: the reader of another one, or NULL */
static RowReader *
add_table(Grouping *grouping, Oid table, RowReader *like, ColumnBatch **batch)
{
	const ScanRequest *request = grouping->request;
	const ScanSource *source = request->source;
	PageScan   *scan = page_scan_begin(source, table);
	TupleDesc	desc = RelationGetDescr(scan->relation);
	RowReader  *reader = table_row_reader(desc, source->columns,
										  source->n_columns, like);
	AttrNumber	segments[SCAN_MAX_SEGMENTS];
	HeapTupleHeader rows[MaxHeapTuplesPerPage];
	BatchOwner *owners[MaxHeapTuplesPerPage];
	HeapTupleData row = {0};
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "mlmeta row",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old;
	int			n;

	for (int i = 0; i < request->n_segments; i++)
		segments[i] = page_scan_attribute(scan, request->segments[i]);
	if (*batch == NULL)
		*batch = column_batch_make(reader);
	old = MemoryContextSwitchTo(context);
	while ((n = page_scan_next(scan, rows)) > 0)
	{
		for (int i = 0; i < n; i++)
		{
			GroupKey	key = {0};

			row.t_data = rows[i];
			key.window = grouping->n_borders == 0 ? 1 :
				find_window(grouping, scan->times[i]);
			for (int j = 0; j < request->n_segments; j++)
			{
				bool		is_null;
				Datum		value = heap_getattr(&row, segments[j], desc,
												 &is_null);

				key.codes[j] = key_column_code(grouping->keys[j], value,
											   is_null);
			}
			owners[i] = &find_group(grouping, &key, reader)->owner;
		}
		column_batch_add(*batch, reader, rows, owners, n);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	page_scan_end(scan);
	return reader;
}

static int
compare_groups(const void *a, const void *b)
{
	const Group *x = *(Group *const *) a;
	const Group *y = *(Group *const *) b;

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
		reader = add_table(grouping, lfirst_oid(cell), reader, &batch);
	if (batch != NULL)
		column_batch_flush(batch);

	context = AllocSetContextCreate(CurrentMemoryContext, "mlmeta group",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	qsort(grouping->groups, grouping->n_groups, sizeof(Group *),
		  compare_groups);
	for (int i = 0; i < grouping->n_groups; i++)
	{
		const Group *group = grouping->groups[i];
		ScanGroup	result = {.window = group->key.window,
		.profile = group->owner.profile};

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < request->n_segments; j++)
			result.segments[j] = key_column_text(grouping->keys[j],
												 group->key.codes[j]);
		receive(&result, argument);
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}
