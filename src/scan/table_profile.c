/*-------------------------------------------------------------------------
 *
 * table_profile.c
 *		Reading tables into a profile, with parallel workers where that pays.
 *
 * Every process takes part in the scan of each table, block by block, and has a
 * profile of its own; the leader merges them. A profile depends on the rows
 * alone, so that it does not matter who read which.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "access/parallel.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "scan/page_scan.h"
#include "scan/table_profile.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "storage/shm_mq.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* Parts of the shared memory */
#define KEY_SCAN		UINT64CONST(0xA100000000000001)
#define KEY_NAMES		UINT64CONST(0xA100000000000002)
#define KEY_TABLES		UINT64CONST(0xA100000000000003)
#define KEY_SCANS		UINT64CONST(0xA100000000000004)
#define KEY_BASELINE	UINT64CONST(0xA100000000000005)
#define KEY_QUEUES		UINT64CONST(0xA100000000000006)

#define QUEUE_SIZE		65536

/*
 * Without a baseline, so many times more pages make a worker worth it, and of
 * more columns than these what it sends may be more than a value can hold.
 */
#define OWN_BINS_FACTOR			16
#define OWN_BINS_MAX_COLUMNS	256

/* What a worker must know; names are those of the columns and of the time */
typedef struct SharedScan
{
	int			n_tables;
	int			n_columns;
	bool		has_time;
	bool		has_baseline;
	Oid			time_type;
	TimeBound	since;
	TimeBound	before;
} SharedScan;

typedef struct SharedTable
{
	Oid			relation;
	Size		offset;			/* of its scan */
} SharedTable;

extern PGDLLEXPORT void mlmeta_profile_worker(dsm_segment *segment,
											  shm_toc *toc);

RowReader *
profile_add_table(Profile *profile, const ScanSource *source, Oid table,
				  const RowReader *like, ParallelTableScanDesc shared)
{
	PageScan   *scan = page_scan_begin(source, table, shared);
	RowReader  *reader = table_row_reader(RelationGetDescr(scan->relation),
										  source->columns, source->n_columns,
										  like);
	ColumnBatch *batch = column_batch_make(reader);
	BatchOwner	owner = {.profile = profile};
	BatchOwner *owners[MaxHeapTuplesPerPage];
	HeapTupleHeader rows[MaxHeapTuplesPerPage];
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "mlmeta row",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old;
	int			n;

	for (int i = 0; i < (int) lengthof(owners); i++)
		owners[i] = &owner;
	while ((n = page_scan_next(scan, rows)) > 0)
	{
		column_batch_bind(profile, reader);
		old = MemoryContextSwitchTo(context);
		column_batch_add(batch, reader, rows, owners, n);
		MemoryContextSwitchTo(old);
	}
	column_batch_flush(batch);
	MemoryContextDelete(context);
	page_scan_end(scan);
	return reader;
}

/* ----------
 * How many workers
 * ----------
 */

/*
 * As the planner counts them: one more for each threefold of the least size,
 * which is larger where each worker sends cells of its own, megabytes of them.
 */
static int
workers_for_pages(BlockNumber pages, int wanted, bool own_bins)
{
	int			workers = wanted;
	uint64		threshold = (uint64) Max(min_parallel_table_scan_size, 1) *
		(own_bins ? OWN_BINS_FACTOR : 1);

	if (workers < 0)
		for (workers = pages >= threshold ? 1 : 0;
			 pages >= threshold * 3 && workers < max_parallel_workers_per_gather;
			 threshold *= 3)
			workers++;
	return Min(workers, max_parallel_workers_per_gather);
}

/* Of the largest table; none where they cannot be had */
static int
count_workers(const List *tables, bool own_bins)
{
	const ListCell *cell;
	int			most = 0;

	if (max_parallel_workers_per_gather == 0 || IsInParallelMode() ||
		IsParallelWorker())
		return 0;
	foreach(cell, tables)
	{
		Relation	relation =
			table_open(((const SourceTable *) lfirst(cell))->relation, NoLock);
		bool		temporary =
			relation->rd_rel->relpersistence == RELPERSISTENCE_TEMP;
		int			workers =
			workers_for_pages(RelationGetNumberOfBlocks(relation),
							  RelationGetParallelWorkers(relation, -1),
							  own_bins);

		table_close(relation, NoLock);
		if (temporary)
			return 0;
		most = Max(most, workers);
	}
	return most;
}

/* ----------
 * The leader
 * ----------
 */

static Size
names_size(const ScanSource *source)
{
	Size		size = source->time_column != NULL ?
		strlen(source->time_column) + 1 : 1;

	for (int i = 0; i < source->n_columns; i++)
		size = add_size(size, strlen(source->columns[i]) + 1);
	return size;
}

static void
write_names(char *to, const ScanSource *source)
{
	for (int i = 0; i < source->n_columns; i++)
	{
		strcpy(to, source->columns[i]);
		to += strlen(to) + 1;
	}
	strcpy(to, source->time_column != NULL ? source->time_column : "");
}

/* The sizes of the tables' shared scans, and where each begins */
static SharedTable *
place_scans(const List *tables, Snapshot snapshot, Size *total)
{
	SharedTable *places = palloc(list_length(tables) * sizeof(SharedTable));
	const ListCell *cell;
	int			i = 0;

	*total = 0;
	foreach(cell, tables)
	{
		Oid			oid = ((const SourceTable *) lfirst(cell))->relation;
		Relation	relation = table_open(oid, NoLock);

		places[i].relation = oid;
		places[i++].offset = *total;
		*total = add_size(*total,
						  MAXALIGN(table_parallelscan_estimate(relation,
															   snapshot)));
		table_close(relation, NoLock);
	}
	return places;
}

/* Shares all that workers need, in a context whose memory is there */
static void
share(ParallelContext *pcxt, const ScanSource *source, int n_tables,
	  const SharedTable *places, Size scans_size, Snapshot snapshot,
	  struct varlena *baseline)
{
	SharedScan *scan = shm_toc_allocate(pcxt->toc, sizeof(SharedScan));
	char	   *names = shm_toc_allocate(pcxt->toc, names_size(source));
	SharedTable *tables = shm_toc_allocate(pcxt->toc,
										   n_tables * sizeof(SharedTable));
	char	   *scans = shm_toc_allocate(pcxt->toc, scans_size);

	scan->n_tables = n_tables;
	scan->n_columns = source->n_columns;
	scan->has_time = source->time_column != NULL;
	scan->has_baseline = baseline != NULL;
	scan->time_type = source->time_type;
	scan->since = source->since;
	scan->before = source->before;
	shm_toc_insert(pcxt->toc, KEY_SCAN, scan);
	write_names(names, source);
	shm_toc_insert(pcxt->toc, KEY_NAMES, names);
	memcpy(tables, places, n_tables * sizeof(SharedTable));
	shm_toc_insert(pcxt->toc, KEY_TABLES, tables);
	for (int i = 0; i < n_tables; i++)
	{
		Relation	relation = table_open(places[i].relation, NoLock);

		table_parallelscan_initialize(relation, (ParallelTableScanDesc)
									  (scans + places[i].offset), snapshot);
		table_close(relation, NoLock);
	}
	shm_toc_insert(pcxt->toc, KEY_SCANS, scans);
	if (baseline != NULL)
	{
		char	   *copy = shm_toc_allocate(pcxt->toc, VARSIZE(baseline));

		memcpy(copy, baseline, VARSIZE(baseline));
		shm_toc_insert(pcxt->toc, KEY_BASELINE, copy);
	}
}

static shm_mq_handle **
make_queues(ParallelContext *pcxt)
{
	char	   *queues = shm_toc_allocate(pcxt->toc,
										  mul_size(pcxt->nworkers,
												   QUEUE_SIZE));
	shm_mq_handle **handles = palloc(pcxt->nworkers *
									 sizeof(shm_mq_handle *));

	for (int i = 0; i < pcxt->nworkers; i++)
	{
		shm_mq	   *queue = shm_mq_create(queues + (Size) i * QUEUE_SIZE,
										  QUEUE_SIZE);

		shm_mq_set_receiver(queue, MyProc);
		handles[i] = shm_mq_attach(queue, pcxt->seg, NULL);
	}
	shm_toc_insert(pcxt->toc, KEY_QUEUES, queues);
	return handles;
}

/* Merges what the workers found; nothing from those that found no rows */
static void
receive(ParallelContext *pcxt, shm_mq_handle **handles, Profile *profile)
{
	for (int i = 0; i < pcxt->nworkers_launched; i++)
	{
		Size		size;
		void	   *data;
		struct varlena *copy;

		shm_mq_set_handle(handles[i], pcxt->worker[i].bgwhandle);
		if (shm_mq_receive(handles[i], &size, &data, false) != SHM_MQ_SUCCESS)
		{
			/* raises what the worker raised */
			WaitForParallelWorkersToFinish(pcxt);
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("lost connection to parallel worker")));
		}
		if (size <= VARHDRSZ)
			continue;
		copy = palloc(size);
		memcpy(copy, data, size);
		profile_merge(profile, summary_read(PointerGetDatum(copy),
											&profile_type));
		pfree(copy);
	}
}

static void
add_shared_tables(Profile *profile, const ScanSource *source,
				  const SharedTable *tables, int n, char *scans)
{
	const RowReader *reader = NULL;

	for (int i = 0; i < n; i++)
		reader = profile_add_table(profile, source, tables[i].relation,
								   reader, (ParallelTableScanDesc)
								   (scans + tables[i].offset));
}

static void
add_tables_in_parallel(Profile *profile, const ScanSource *source,
					   const List *tables, struct varlena *baseline,
					   int n_workers)
{
	Snapshot	snapshot = RegisterSnapshot(GetActiveSnapshot());
	int			n_tables = list_length(tables);
	Size		scans_size;
	SharedTable *places = place_scans(tables, snapshot, &scans_size);
	ParallelContext *pcxt;
	shm_mq_handle **handles;

	EnterParallelMode();
	pcxt = CreateParallelContext("mlmeta", "mlmeta_profile_worker",
								 n_workers);
	shm_toc_estimate_chunk(&pcxt->estimator, sizeof(SharedScan));
	shm_toc_estimate_chunk(&pcxt->estimator, names_size(source));
	shm_toc_estimate_chunk(&pcxt->estimator, n_tables * sizeof(SharedTable));
	shm_toc_estimate_chunk(&pcxt->estimator, scans_size);
	if (baseline != NULL)
		shm_toc_estimate_chunk(&pcxt->estimator, VARSIZE(baseline));
	shm_toc_estimate_chunk(&pcxt->estimator,
						   mul_size(n_workers, QUEUE_SIZE));
	shm_toc_estimate_keys(&pcxt->estimator, 6);
	InitializeParallelDSM(pcxt);
	share(pcxt, source, n_tables, places, scans_size, snapshot, baseline);
	handles = make_queues(pcxt);
	LaunchParallelWorkers(pcxt);

	if (parallel_leader_participation || pcxt->nworkers_launched == 0)
		add_shared_tables(profile, source, places, n_tables,
						  shm_toc_lookup(pcxt->toc, KEY_SCANS, false));
	receive(pcxt, handles, profile);
	WaitForParallelWorkersToFinish(pcxt);
	DestroyParallelContext(pcxt);
	ExitParallelMode();
	UnregisterSnapshot(snapshot);
}

void
profile_add_tables(Profile *profile, const ScanSource *source,
				   const List *tables, struct varlena *baseline)
{
	const RowReader *reader = NULL;
	const ListCell *cell;
	int			n_workers = baseline == NULL &&
		source->n_columns > OWN_BINS_MAX_COLUMNS ? 0 :
		count_workers(tables, baseline == NULL);

	if (n_workers > 0)
	{
		add_tables_in_parallel(profile, source, tables, baseline, n_workers);
		return;
	}
	foreach(cell, tables)
	{
		const SourceTable *table = lfirst(cell);

		reader = profile_add_table(profile, source, table->relation, reader,
								   NULL);
	}
}

/* ----------
 * Workers
 * ----------
 */

/* What the leader has asked for */
static ScanSource *
read_source(const SharedScan *shared, const char *names)
{
	ScanSource *source = palloc0(sizeof(ScanSource));

	source->n_columns = shared->n_columns;
	source->columns = palloc(Max(shared->n_columns, 1) * sizeof(char *));
	for (int i = 0; i < shared->n_columns; i++)
	{
		source->columns[i] = names;
		names += strlen(names) + 1;
	}
	source->time_column = shared->has_time ? names : NULL;
	source->time_type = shared->time_type;
	source->since = shared->since;
	source->before = shared->before;
	return source;
}

void
mlmeta_profile_worker(dsm_segment *segment, shm_toc *toc)
{
	SharedScan *shared = shm_toc_lookup(toc, KEY_SCAN, false);
	char	   *names = shm_toc_lookup(toc, KEY_NAMES, false);
	SharedTable *tables = shm_toc_lookup(toc, KEY_TABLES, false);
	char	   *scans = shm_toc_lookup(toc, KEY_SCANS, false);
	char	   *queues = shm_toc_lookup(toc, KEY_QUEUES, false);
	shm_mq	   *queue = (shm_mq *) (queues +
									(Size) ParallelWorkerNumber * QUEUE_SIZE);
	shm_mq_handle *handle;
	Profile    *profile = summary_make(&profile_type);
	struct varlena *result = palloc0(VARHDRSZ);

	shm_mq_set_sender(queue, MyProc);
	handle = shm_mq_attach(queue, segment, NULL);
	SET_VARSIZE(result, VARHDRSZ);
	if (shared->has_baseline)
	{
		struct varlena *baseline = shm_toc_lookup(toc, KEY_BASELINE, false);

		profile_set_baseline(profile,
							 profile_settled(summary_read(PointerGetDatum(baseline),
														  &profile_type)));
	}
	for (int i = 0; i < shared->n_tables; i++)
		LockRelationOid(tables[i].relation, AccessShareLock);
	add_shared_tables(profile, read_source(shared, names), tables,
					  shared->n_tables, scans);
	if (profile->n_rows > 0)
		result = (struct varlena *) DatumGetPointer(summary_datum(profile));
	(void) shm_mq_send(handle, VARSIZE(result), result, false, true);
	shm_mq_detach(handle);
}
