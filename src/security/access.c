/*-------------------------------------------------------------------------
 *
 * access.c
 *		What row security asks: may a role do that in this row's project?
 *
 * A policy is asked for every row, and the answer hangs on the row's run, its
 * experiment, the experiment's project and the project's members. A query for
 * each row would cost more than all else, and so would one planned into every
 * statement. So the rows on the way are read here by index, with no regard to
 * rights (only a yes or no comes out), and what they say is kept in a table.
 *
 * What is kept holds for one role and one snapshot within one transaction: an
 * answer is never older than what the statement sees of all other tables. It
 * is forgotten when the role changes, when anything was committed or written
 * since (the snapshot differs), when a subtransaction is undone, and when
 * roles are granted or revoked. Where the tables are is known for the session,
 * until one of them changes.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "executor/nodeHash.h"
#include "miscadmin.h"
#include "nodes/supportnodes.h"
#include "security/access.h"
#include "security/door.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/uuid.h"

PG_FUNCTION_INFO_V1(mlmeta_all_open);
PG_FUNCTION_INFO_V1(mlmeta_permits_project);
PG_FUNCTION_INFO_V1(mlmeta_permits_experiment);
PG_FUNCTION_INFO_V1(mlmeta_permits_run);
PG_FUNCTION_INFO_V1(mlmeta_permits_series);
PG_FUNCTION_INFO_V1(mlmeta_permits_model);
PG_FUNCTION_INFO_V1(mlmeta_permits_reference);
PG_FUNCTION_INFO_V1(mlmeta_permits_support);
PG_FUNCTION_INFO_V1(mlmeta_acts_for);
PG_FUNCTION_INFO_V1(mlmeta_principal_name);
PG_FUNCTION_INFO_V1(mlmeta_principal_role);
PG_FUNCTION_INFO_V1(mlmeta_cluster);

/* What a role may do in a project: a set of these */
#define MAY_READ		(1 << 0)
#define MAY_WRITE		(1 << 1)
#define MAY_REVIEW		(1 << 2)
#define MAY_ADMINISTER	(1 << 3)
#define MAY_ALL			(MAY_READ | MAY_WRITE | MAY_REVIEW | MAY_ADMINISTER)

/* What an answer takes in its table, about: that bounds how many are kept. */
#define ANSWER_BYTES	48

/* The ways from a row to its project: tables, and one column of each */
typedef enum Place
{
	PROJECTS,
	MEMBERS,
	EXPERIMENTS,
	MODELS,
	MODEL_NAMES,
	RUNS,
	SERIES,
	PRINCIPALS,
	N_PLACES
} Place;

/* The type run, which has no number of its own that a compiler could know */
#define RUNOID InvalidOid

static const struct
{
	const char *table;			/* in mlmeta, or in mlmeta_internal */
	const char *index;			/* its first column; NULL: primary key */
	const char *column;			/* what is read of a row */
	Oid			key_type;
	Oid			type;
	Size		key_size;		/* 0: no answers are kept by this key */
}			places[N_PLACES] = {
	[PROJECTS] = {"projects", NULL, "members_only", TEXTOID, BOOLOID, 0},
	[MEMBERS] = {"project_members", NULL, "principal", TEXTOID, INT8OID, 0},
	[EXPERIMENTS] = {"experiments", NULL, "project", INT8OID, TEXTOID,
	sizeof(int64)},
	[MODELS] = {"models", NULL, "project", INT8OID, TEXTOID, sizeof(int64)},
	[MODEL_NAMES] = {"models", "models_model_key", "project", TEXTOID, TEXTOID,
	0},
	[RUNS] = {"runs", NULL, "experiment_id", RUNOID, INT8OID, UUID_LEN},
	[SERIES] = {"metric_series", NULL, "run", INT8OID, RUNOID, sizeof(int64)},
	[PRINCIPALS] = {"principals", NULL, "role", INT8OID, OIDOID, 0},
};

/* How rows of a table are found by the first column of an index */
typedef struct Way
{
	Oid			table;			/* invalid: not yet looked up */
	Oid			index;
	AttrNumber	column;
	ScanKeyData key;
} Way;

/* The columns of principals that are read here; the name is the fourth. */
typedef struct FormData_principal
{
	int64		principal;
	int64		cluster;
	Oid			role;
} FormData_principal;

typedef FormData_principal *Form_principal;

#define Anum_principal_name 4
#define Natts_principal 4

static const Oid principal_types[Natts_principal] = {
	INT8OID, INT8OID, OIDOID, TEXTOID
};

/* An answer: the key, which is first and of the place's size, and the set */
typedef struct Answer
{
	char		key[UUID_LEN];
	int			may;
} Answer;

/* All that is kept. Its memory is the transaction's. */
static struct
{
	bool		holds;
	Oid			role;
	TransactionId xmin;
	TransactionId xmax;
	uint32		xcnt;
	int32		subxcnt;
	CommandId	curcid;
	MemoryContext context;
	bool		all_open;
	bool		is_owner;		/* who is never locked out */
	HTAB	   *answers[N_PLACES];
}			kept;

/* Where the tables are: known until any of them is changed or goes. */
static struct
{
	bool		holds;			/* looked at when a statement begins anew */
	Oid			schema;
	Oid			internal;		/* schema of what nobody reads */
	Oid			closed;			/* index of projects that are closed */
	Way			ways[N_PLACES];
}			known;

/* Forgetting: memory goes when it is needed anew, or with the transaction */
static void
forget_at_end(XactEvent event, void *argument)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT ||
		event == XACT_EVENT_PREPARE || event == XACT_EVENT_PARALLEL_COMMIT ||
		event == XACT_EVENT_PARALLEL_ABORT)
	{
		kept.holds = false;
		kept.context = NULL;
	}
}

static void
forget_undone(SubXactEvent event, SubTransactionId sub,
			  SubTransactionId parent, void *argument)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		kept.holds = false;
}

static void
forget_roles(Datum argument, int cache, uint32 hash)
{
	kept.holds = false;
}

static void
forget_tables(Datum argument, Oid relation)
{
	if (relation == InvalidOid || relation == known.closed)
		known.holds = false;
	for (int i = 0; i < N_PLACES; i++)
	{
		if (relation == known.ways[i].table || relation == known.ways[i].index)
			known.holds = false;
	}
}

static void
pg_attribute_noreturn()
changed(Place place)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" of the extension is not as it was made",
					places[place].table),
			 errhint("Whoever changed it changes it back.")));
}

/*
 * Is a column there, not NULL, and of that type? Tables are their owner's, who
 * may change them: what is read here must not be taken for what it is not.
 */
static bool
has_column(Relation table, AttrNumber column, Oid type)
{
	Form_pg_attribute attribute;

	if (column < 1 || column > RelationGetNumberOfAttributes(table))
		return false;
	if (type == RUNOID)
		type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
							   CStringGetDatum("run"),
							   ObjectIdGetDatum(known.schema));
	attribute = TupleDescAttr(RelationGetDescr(table), column - 1);
	return OidIsValid(type) && attribute->atttypid == type &&
		attribute->attnotnull && !attribute->attisdropped;
}

static bool
is_as_made(Place place, Relation table, AttrNumber column)
{
	if (table->rd_rel->relkind != RELKIND_RELATION ||
		!has_column(table, column, places[place].type))
		return false;
	if (place == MEMBERS)
		return has_column(table,
						  get_attnum(RelationGetRelid(table), "access"),
						  TEXTOID);
	for (int i = 0; place == PRINCIPALS && i < Natts_principal; i++)
	{
		if (!has_column(table, i + 1, principal_types[i]))
			return false;
	}
	return true;
}

/*
 * Look up how to get at rows of a table. Raises 55000 where the table is not
 * as it was made.
 */
static Way *
way_to(Place place)
{
	Way		   *way = &known.ways[place];
	MemoryContext caller_context;
	Relation	table;
	Relation	index;
	Oid			type;
	Oid			equals;
	Oid			oid;
	Oid			schema = place == PRINCIPALS ? known.internal : known.schema;

	if (OidIsValid(way->table))
		return way;

	oid = get_relname_relid(places[place].table, schema);
	if (!OidIsValid(oid))
		changed(place);
	table = table_open(oid, AccessShareLock);
	/* Fills the list of indexes, which names the primary key. */
	list_free(RelationGetIndexList(table));
	way->index = places[place].index == NULL ? table->rd_pkindex :
		get_relname_relid(places[place].index, schema);
	way->column = get_attnum(oid, places[place].column);
	if (!OidIsValid(way->index) || !is_as_made(place, table, way->column))
		changed(place);

	index = index_open(way->index, AccessShareLock);
	type = index->rd_opcintype[0];
	if (index->rd_index->indrelid != oid ||
		index->rd_rel->relam != BTREE_AM_OID ||
		!has_column(table, index->rd_index->indkey.values[0],
					places[place].key_type) ||
		type != TupleDescAttr(RelationGetDescr(table),
							  index->rd_index->indkey.values[0] - 1)->atttypid)
		changed(place);
	equals = get_opfamily_member(index->rd_opfamily[0], type, type,
								 BTEqualStrategyNumber);
	/* The comparison may keep things of its own as long as the key lives. */
	caller_context = MemoryContextSwitchTo(TopMemoryContext);
	ScanKeyEntryInitialize(&way->key, 0, index->rd_index->indkey.values[0],
						   BTEqualStrategyNumber, InvalidOid,
						   index->rd_indcollation[0], get_opcode(equals),
						   (Datum) 0);
	MemoryContextSwitchTo(caller_context);
	index_close(index, AccessShareLock);
	table_close(table, AccessShareLock);
	way->table = oid;
	return way;
}

/*
 * Is no project closed? There is an index of those that are.
 */
static bool
is_all_open(void)
{
	Way		   *way = way_to(PROJECTS);
	Relation	table = table_open(way->table, AccessShareLock);
	SysScanDesc scan;
	HeapTuple	row;
	bool		open = true;

	scan = systable_beginscan(table, known.closed, OidIsValid(known.closed),
							  GetActiveSnapshot(), 0, NULL);
	while (open && HeapTupleIsValid(row = systable_getnext(scan)))
	{
		bool		isnull;

		open = !DatumGetBool(heap_getattr(row, way->column,
										  RelationGetDescr(table), &isnull));
	}
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return open;
}

/*
 * What is kept, good for a role and the active snapshot.
 */
static void
prepare(Oid role)
{
	static bool listening = false;
	Snapshot	now;

	if (!ActiveSnapshotSet())
		elog(ERROR, "no snapshot to ask about rights");
	now = GetActiveSnapshot();
	if (likely(kept.holds && known.holds &&
			   kept.role == role && kept.xmin == now->xmin &&
			   kept.xmax == now->xmax && kept.xcnt == now->xcnt &&
			   kept.subxcnt == now->subxcnt && kept.curcid == now->curcid))
		return;

	if (!listening)
	{
		RegisterXactCallback(forget_at_end, NULL);
		RegisterSubXactCallback(forget_undone, NULL);
		CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, forget_roles, (Datum) 0);
		CacheRegisterSyscacheCallback(AUTHOID, forget_roles, (Datum) 0);
		CacheRegisterRelcacheCallback(forget_tables, (Datum) 0);
		listening = true;
	}
	kept.holds = false;
	if (kept.context == NULL)
		kept.context = AllocSetContextCreate(TopTransactionContext,
											 "mlmeta access",
											 ALLOCSET_SMALL_SIZES);
	else
		MemoryContextReset(kept.context);
	memset(kept.answers, 0, sizeof(kept.answers));
	kept.role = role;
	kept.xmin = now->xmin;
	kept.xmax = now->xmax;
	kept.xcnt = now->xcnt;
	kept.subxcnt = now->subxcnt;
	kept.curcid = now->curcid;
	if (!known.holds)
	{
		memset(&known, 0, sizeof(known));
		known.schema = get_namespace_oid("mlmeta", false);
		known.internal = get_namespace_oid("mlmeta_internal", false);
		known.closed = get_relname_relid("projects_closed", known.schema);
		if (OidIsValid(known.closed) &&
			IndexGetRelation(known.closed, true) !=
			get_relname_relid(places[PROJECTS].table, known.schema))
			known.closed = InvalidOid;
		known.holds = true;
	}
	kept.all_open = is_all_open();
	kept.is_owner = is_owner(role);
	kept.holds = true;
}

/*
 * Begin a scan of the rows with a key in the first column of the index.
 */
static SysScanDesc
begin_scan(Place place, Datum key, Snapshot snapshot, Relation *table)
{
	Way		   *way = way_to(place);
	ScanKeyData scan_key = way->key;

	scan_key.sk_argument = key;
	*table = table_open(way->table, AccessShareLock);
	return systable_beginscan(*table, way->index, true, snapshot, 1,
							  &scan_key);
}

/*
 * Read the column of the row with a key into *value, a copy in the current
 * memory context. False when there is no such row, or the column is NULL.
 *
 * What the statement itself has written it does not see, but it may write what
 * hangs on it: log_metrics() opens a series and logs into it. Then the row is
 * looked for as it is now; *lasting says whether the answer may be kept.
 */
static bool
read_column(Place place, Datum key, Datum *value, bool *lasting)
{
	for (int attempt = 0; attempt < 2; attempt++)
	{
		Snapshot	snapshot = attempt == 0 ? GetActiveSnapshot() :
			SnapshotSelf;
		Relation	table;
		SysScanDesc scan = begin_scan(place, key, snapshot, &table);
		HeapTuple	row = systable_getnext(scan);
		bool		isnull = true;

		if (HeapTupleIsValid(row))
		{
			TupleDesc	columns = RelationGetDescr(table);
			AttrNumber	column = known.ways[place].column;
			Form_pg_attribute attribute = TupleDescAttr(columns, column - 1);

			*value = heap_getattr(row, column, columns, &isnull);
			if (!isnull)
				*value = datumCopy(*value, attribute->attbyval,
								   attribute->attlen);
		}
		systable_endscan(scan);
		table_close(table, AccessShareLock);
		if (!isnull)
			return true;
		*lasting = false;
	}
	return false;
}

/*
 * The role that a principal is, or an invalid one: it was dropped, or the rows
 * were restored into another cluster and nobody has said who is who there. In
 * the cluster where a principal was made its role is known by number, so that
 * it can be renamed; elsewhere only if number and name are what they were.
 */
Oid
role_of_principal(int64 principal)
{
	Relation	table;
	SysScanDesc scan;
	HeapTuple	row;
	Oid			role = InvalidOid;

	if (!known.holds)
		prepare(acting_role());
	for (int attempt = 0; attempt < 2 && !OidIsValid(role); attempt++)
	{
		scan = begin_scan(PRINCIPALS, Int64GetDatum(principal),
						  attempt == 0 ? GetActiveSnapshot() : SnapshotSelf,
						  &table);
		row = systable_getnext(scan);
		if (HeapTupleIsValid(row))
		{
			TupleDesc	columns = RelationGetDescr(table);
			Form_principal form = (Form_principal) GETSTRUCT(row);
			char	   *name = GetUserNameFromId(form->role, true);
			bool		isnull;

			if (name != NULL &&
				(form->cluster == (int64) GetSystemIdentifier() ||
				 strcmp(name, TextDatumGetCString(
					 heap_getattr(row, Anum_principal_name, columns,
								  &isnull))) == 0))
				role = form->role;
			attempt = 1;
		}
		systable_endscan(scan);
		table_close(table, AccessShareLock);
	}
	return role;
}

/*
 * What a principal was called when it was made; NULL when there is none such.
 */
char *
name_of_principal(int64 principal)
{
	Relation	table;
	SysScanDesc scan;
	HeapTuple	row;
	char	   *name = NULL;

	if (!known.holds)
		prepare(acting_role());
	scan = begin_scan(PRINCIPALS, Int64GetDatum(principal),
					  GetActiveSnapshot(), &table);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row))
	{
		bool		isnull;

		name = TextDatumGetCString(heap_getattr(row, Anum_principal_name,
												RelationGetDescr(table),
												&isnull));
	}
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return name;
}

/*
 * What the role may do in a project, given by name.
 */
static int
rights_in_project(Datum project, bool *lasting)
{
	Relation	table;
	SysScanDesc scan;
	HeapTuple	row;
	Datum		members_only;
	AttrNumber	access;
	int			may = 0;

	/* The project that everybody starts with needs no row. */
	if (!read_column(PROJECTS, project, &members_only, lasting))
		return strcmp(TextDatumGetCString(project), "default") == 0 ?
			MAY_ALL : 0;
	if (!DatumGetBool(members_only))
		return MAY_ALL;

	scan = begin_scan(MEMBERS, project, GetActiveSnapshot(), &table);
	access = get_attnum(RelationGetRelid(table), "access");
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		TupleDesc	columns = RelationGetDescr(table);
		bool		isnull;
		char	   *kind;
		Oid			role;

		role = role_of_principal(DatumGetInt64(
			heap_getattr(row, known.ways[MEMBERS].column, columns, &isnull)));
		kind = TextDatumGetCString(heap_getattr(row, access, columns,
												&isnull));
		/* A member that is no role any more is nobody. */
		if (!OidIsValid(role) || !has_privs_of_role(kept.role, role))
			continue;
		may |= MAY_READ;
		if (strcmp(kind, "admin") == 0)
			may |= MAY_ALL;
		else if (strcmp(kind, "writer") == 0)
			may |= MAY_WRITE;
		else if (strcmp(kind, "reviewer") == 0)
			may |= MAY_REVIEW;
	}
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return may;
}

/*
 * What the role may do with what hangs on a row, given by the key of the row:
 * what it may in the place that the row points to, up to the project.
 */
static int
rights_at(Place place, Datum key, bool *lasting)
{
	const void *bytes;
	Datum		next;
	bool		sure = true;
	bool		found;
	Answer	   *answer;
	int			may = 0;

	if (place == PROJECTS)
		return rights_in_project(key, lasting);

	bytes = place == RUNS ? DatumGetPointer(key) : (const void *) &key;
	if (kept.answers[place] != NULL)
	{
		answer = hash_search(kept.answers[place], bytes, HASH_FIND, NULL);
		if (answer != NULL)
			return answer->may;
	}

	if (read_column(place, key, &next, &sure))
		may = rights_at(place == SERIES ? RUNS :
						place == RUNS ? EXPERIMENTS : PROJECTS, next, &sure);

	/* Only what the snapshot shows lasts as long as the snapshot. */
	if (!sure || !kept.holds)
	{
		*lasting = false;
		return may;
	}
	if (kept.answers[place] != NULL &&
		(size_t) hash_get_num_entries(kept.answers[place]) >=
		get_hash_memory_limit() / ANSWER_BYTES)
	{
		hash_destroy(kept.answers[place]);
		kept.answers[place] = NULL;
	}
	if (kept.answers[place] == NULL)
	{
		HASHCTL		control = {
			.keysize = places[place].key_size,
			.entrysize = sizeof(Answer),
			.hcxt = kept.context
		};

		kept.answers[place] = hash_create("mlmeta access", 32, &control,
										  HASH_ELEM | HASH_BLOBS |
										  HASH_CONTEXT);
	}
	answer = hash_search(kept.answers[place], bytes, HASH_ENTER, &found);
	answer->may = may;
	return may;
}

/* The access that a word stands for; raises 22023 for any other */
static int
parse_access(const text *word)
{
	static const struct
	{
		const char *word;
		int			may;
	}			accesses[] = {
		{"reader", MAY_READ}, {"writer", MAY_WRITE},
		{"reviewer", MAY_REVIEW}, {"admin", MAY_ADMINISTER}
	};
	Size		length = VARSIZE_ANY_EXHDR(word);

	for (size_t i = 0; i < lengthof(accesses); i++)
	{
		if (length == strlen(accesses[i].word) &&
			memcmp(VARDATA_ANY(word), accesses[i].word, length) == 0)
			return accesses[i].may;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("access \"%s\" is not known", text_to_cstring(word)),
			 errhint("Use reader, writer, reviewer or admin.")));
	return 0;					/* keep compiler quiet */
}

/*
 * Does the role have that access to what hangs on the row with the key? The
 * extension's owner is never locked out.
 */
static bool
permits(Oid role, const text *access, Place place, Datum key)
{
	int			wanted = parse_access(access);
	bool		lasting = true;

	prepare(role);
	return kept.all_open || kept.is_owner ||
		(rights_at(place, key, &lasting) & wanted) != 0;
}

/*
 * all_open() returns whether no project is closed.
 */
Datum
mlmeta_all_open(PG_FUNCTION_ARGS)
{
	prepare(acting_role());
	PG_RETURN_BOOL(kept.all_open);
}

/*
 * permits_project(access, project), permits_experiment(access, number),
 * permits_run(access, run), permits_series(access, number) and
 * permits_model(access, number): what row security asks of each row, and
 * functions behind the door of what they change, for the acting role. Strict; false when there is no such thing and any project is
 * closed.
 */
Datum
mlmeta_permits_project(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(permits(acting_role(), PG_GETARG_TEXT_PP(0), PROJECTS,
						   PG_GETARG_DATUM(1)));
}

Datum
mlmeta_permits_experiment(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(permits(acting_role(), PG_GETARG_TEXT_PP(0), EXPERIMENTS,
						   PG_GETARG_DATUM(1)));
}

Datum
mlmeta_permits_run(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(permits(acting_role(), PG_GETARG_TEXT_PP(0), RUNS,
						   PG_GETARG_DATUM(1)));
}

Datum
mlmeta_permits_series(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(permits(acting_role(), PG_GETARG_TEXT_PP(0), SERIES,
						   PG_GETARG_DATUM(1)));
}

Datum
mlmeta_permits_model(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(permits(acting_role(), PG_GETARG_TEXT_PP(0), MODELS,
						   PG_GETARG_DATUM(1)));
}

/*
 * permits_reference(access, reference) asks the same about the model that a
 * reference names: model@alias, model:version, model/stage or a bare name.
 * True when there is no such model: nothing is kept secret then.
 */
Datum
mlmeta_permits_reference(PG_FUNCTION_ARGS)
{
	int			wanted = parse_access(PG_GETARG_TEXT_PP(0));
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char	   *tail = strrchr(name, '@');
	Datum		project;
	bool		lasting = true;

	prepare(acting_role());
	if (kept.all_open || kept.is_owner)
		PG_RETURN_BOOL(true);
	if (tail == NULL)
		tail = strrchr(name, ':');
	if (tail == NULL)
		tail = strrchr(name, '/');
	if (tail != NULL)
		*tail = '\0';
	if (!read_column(MODEL_NAMES, CStringGetTextDatum(name), &project,
					 &lasting))
		PG_RETURN_BOOL(true);
	PG_RETURN_BOOL((rights_in_project(project, &lasting) & wanted) != 0);
}

/*
 * acts_for(principal) returns whether the acting role has the rights of a
 * principal's. Strict; false for one that is nobody now.
 */
Datum
mlmeta_acts_for(PG_FUNCTION_ARGS)
{
	Oid			role = role_of_principal(PG_GETARG_INT64(0));

	PG_RETURN_BOOL(OidIsValid(role) &&
				   has_privs_of_role(acting_role(), role));
}

/*
 * principal_role(principal) returns the role, NULL where it is nobody now;
 * principal_name(principal) its name. Strict.
 */
Datum
mlmeta_principal_role(PG_FUNCTION_ARGS)
{
	Oid			role = role_of_principal(PG_GETARG_INT64(0));

	if (!OidIsValid(role))
		PG_RETURN_NULL();
	PG_RETURN_OID(role);
}

Datum
mlmeta_principal_name(PG_FUNCTION_ARGS)
{
	Oid			role = role_of_principal(PG_GETARG_INT64(0));

	if (!OidIsValid(role))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(GetUserNameFromId(role, false)));
}

/*
 * cluster() returns the system identifier of the cluster, in which numbers of
 * roles mean what they mean.
 */
Datum
mlmeta_cluster(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) GetSystemIdentifier());
}

/*
 * Support function of those above: most rows that somebody reads are his to
 * read. Without it the planner would take a third for what is left.
 */
Datum
mlmeta_permits_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);

	if (IsA(request, SupportRequestSelectivity))
	{
		((SupportRequestSelectivity *) request)->selectivity = 0.95;
		PG_RETURN_POINTER(request);
	}
	PG_RETURN_POINTER(NULL);
}
