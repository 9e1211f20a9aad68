/*-------------------------------------------------------------------------
 *
 * query.c
 *		Running SQL that somebody wrote, with his own rights and no others.
 *
 * Sources of monitors, queries of data versions and gates are run by functions
 * that are behind the door and have the rights of the extension's owner. While
 * such a query runs, the door is shut, and these walls stand around it:
 *
 * - it runs as its owner in a security-restricted operation, as the query of
 *	 a materialized view does: SET ROLE and the like are refused, so that it
 *	 cannot get back to the rights of who asked for it, and so is whatever
 *	 comes to the door;
 * - it runs in a read-only transaction, which also holds for whatever
 *	 functions it calls, and which cannot be undone from within;
 * - it runs in a subtransaction that is rolled back in any case, and with it
 *	 the settings it changed; it can neither take nor give back advisory locks
 *	 of the session, which no rollback touches;
 * - of a gate the names do not mean temporary tables of the session that it
 *	 runs in, which whoever decides could make to say what he likes.
 *
 * Nobody gets rights he lacks: a stored query runs only for an owner whose
 * rights the extension's owner has, or who acts himself; and never with those
 * of a superuser unless the extension's owner is one, because whoever owns the
 * tables and functions that such queries come from can write what he likes
 * there.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tstoreReceiver.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "security/access.h"
#include "security/door.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/regproc.h"
#include "utils/resowner.h"
#include "utils/ruleutils.h"

PG_FUNCTION_INFO_V1(mlmeta_run_gate);
PG_FUNCTION_INFO_V1(mlmeta_run_query);
PG_FUNCTION_INFO_V1(mlmeta_read_tables);
PG_FUNCTION_INFO_V1(mlmeta_run_command);
PG_FUNCTION_INFO_V1(mlmeta_qualify_query);
PG_FUNCTION_INFO_V1(mlmeta_find_relation);

#define GATE_PARAMETERS 4
#define GATE_RESULTS 4

/* What to come back to when somebody's SQL has run */
typedef struct Outside
{
	MemoryContext context;
	ResourceOwner resource_owner;
	void	   *frame;
	int			depth;
	Oid			user;
	int			security;
	int			settings;
} Outside;

/* How many queries of others are under way, one inside the other */
static int	n_outside = 0;

static object_access_hook_type next_access_hook = NULL;

/* Does it take or give back advisory locks that outlive the transaction? */
static bool
touches_session_locks(Oid function)
{
	switch (function)
	{
		case F_PG_ADVISORY_LOCK_INT8:
		case F_PG_ADVISORY_LOCK_INT4_INT4:
		case F_PG_ADVISORY_LOCK_SHARED_INT8:
		case F_PG_ADVISORY_LOCK_SHARED_INT4_INT4:
		case F_PG_TRY_ADVISORY_LOCK_INT8:
		case F_PG_TRY_ADVISORY_LOCK_INT4_INT4:
		case F_PG_TRY_ADVISORY_LOCK_SHARED_INT8:
		case F_PG_TRY_ADVISORY_LOCK_SHARED_INT4_INT4:
		case F_PG_ADVISORY_UNLOCK_INT8:
		case F_PG_ADVISORY_UNLOCK_INT4_INT4:
		case F_PG_ADVISORY_UNLOCK_SHARED_INT8:
		case F_PG_ADVISORY_UNLOCK_SHARED_INT4_INT4:
		case F_PG_ADVISORY_UNLOCK_ALL:
			return true;
		default:
			return false;
	}
}

/* Called for every function that is about to be called */
static void
watch_access(ObjectAccessType access, Oid class_id, Oid object_id,
			 int sub_id, void *argument)
{
	if (next_access_hook != NULL)
		next_access_hook(access, class_id, object_id, sub_id, argument);
	if (n_outside > 0 && access == OAT_FUNCTION_EXECUTE &&
		touches_session_locks(object_id))
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("a stored query cannot call %s()",
						get_func_name(object_id)),
				 errdetail("The lock would be the session's that runs the "
						   "query, and outlive it."),
				 errhint("pg_advisory_xact_lock() ends with the query.")));
}

static void
set_locally(const char *setting, const char *value)
{
	(void) set_config_option(setting, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_LOCAL, true, 0, false);
}

/*
 * From here on the role acts, in a subtransaction of its own, and the door is
 * shut. Whatever happens, come_back() or come_back_with_error() must follow.
 */
static void
go_outside(Outside *outside, Oid role, const char *search_path, bool read_only)
{
	static bool watching = false;

	outside->context = CurrentMemoryContext;
	outside->resource_owner = CurrentResourceOwner;
	if (!watching)
	{
		next_access_hook = object_access_hook;
		object_access_hook = watch_access;
		watching = true;
	}
	outside->depth = n_outside;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(outside->context);
	outside->frame = shut_door();
	outside->settings = NewGUCNestLevel();
	set_locally("search_path", search_path);
	if (read_only)
		XactReadOnly = true;
	GetUserIdAndSecContext(&outside->user, &outside->security);
	SetUserIdAndSecContext(role, outside->security |
						   SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION);
	n_outside++;
}

/*
 * Back behind the door: user, settings and whatever was done are as before,
 * unless keep says that what was done stays.
 */
static void
come_back(Outside *outside, bool keep)
{
	n_outside = outside->depth;
	if (keep)
	{
		/* What a subtransaction that is undone would put back */
		SetUserIdAndSecContext(outside->user, outside->security);
		AtEOXact_GUC(false, outside->settings);
		ReleaseCurrentSubTransaction();
	}
	else
		RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(outside->context);
	CurrentResourceOwner = outside->resource_owner;
	reopen_door(outside->frame);
}

/* The same in a PG_CATCH block; returns the error, which is no longer raised. */
static ErrorData *
come_back_with_error(Outside *outside)
{
	ErrorData  *error;

	MemoryContextSwitchTo(outside->context);
	error = CopyErrorData();
	FlushErrorState();
	come_back(outside, false);
	return error;
}

/*
 * Raises 42501 where a superuser's rights would be lent to what the
 * extension's owner, who is none, may have written.
 */
static void
check_lent_rights(Oid role, Oid extension)
{
	if (superuser_arg(role) && !superuser_arg(extension))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("queries cannot run with the rights of role \"%s\"",
						GetUserNameFromId(role, false)),
				 errdetail("It is a superuser, and the extension's owner is "
						   "none."),
				 errhint("Have them owned by another role, or SET ROLE to "
						 "one.")));
}

/*
 * Who acts, to have SQL of his own run by functions of the extension's owner.
 * The owner can replace these: with other roles that is what anybody risks who
 * calls somebody's functions, with a superuser it would be the cluster.
 */
static Oid
actor_to_run_as(void)
{
	Oid			actor = acting_role();

	require_owner();
	check_lent_rights(actor, extension_owner());
	return actor;
}

/*
 * The role of a stored query's owner, given as principal; NULL stands for who
 * acts. Raises 42704 where the owner is nobody now, and 42501 where his query
 * must not run.
 */
static Oid
role_to_run_as(FunctionCallInfo fcinfo, int argument)
{
	Oid			actor = acting_role();
	Oid			extension = extension_owner();
	Oid			role;

	if (PG_ARGISNULL(argument))
		return actor_to_run_as();
	require_owner();
	role = role_of_principal(PG_GETARG_INT64(argument));
	if (!OidIsValid(role))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\" does not exist",
						name_of_principal(PG_GETARG_INT64(argument))),
				 errdetail("It owns the stored query, and was dropped or has "
						   "not been bound here."),
				 errhint("An admin says with rebind_roles() who is who after "
						 "a restore into another cluster.")));
	check_lent_rights(role, extension);
	if (!has_privs_of_role(actor, role) && !has_privs_of_role(extension, role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" cannot run queries of role \"%s\"",
						GetUserNameFromId(extension, false),
						GetUserNameFromId(role, false)),
				 errhint("Make it a member, or have them owned by another "
						 "role.")));
	return role;
}

/* What came out: a verdict with its detail, or a problem */
typedef struct GateOutcome
{
	bool		passed;
	char	   *detail;
	char	   *problem;
	const char *sqlstate;
} GateOutcome;

static void
fail(GateOutcome *outcome, int sqlstate, const char *problem)
{
	outcome->passed = false;
	outcome->problem = pstrdup(problem);
	outcome->sqlstate = pstrdup(unpack_sql_state(sqlstate));
}

/*
 * Is this a plan that a gate may have? Otherwise says why not, in the current
 * memory context, and returns false.
 */
static bool
plan_is_fit(SPIPlanPtr plan, GateOutcome *outcome)
{
	CachedPlanSource *source;
	TupleDesc	columns;
	ListCell   *cell;

	if (list_length(SPI_plan_get_plan_sources(plan)) != 1)
	{
		fail(outcome, ERRCODE_SYNTAX_ERROR, "the gate is not one query");
		return false;
	}
	source = linitial(SPI_plan_get_plan_sources(plan));
	foreach(cell, source->query_list)
	{
		Query	   *query = lfirst_node(Query, cell);

		if (query->commandType != CMD_SELECT || query->hasModifyingCTE ||
			query->rowMarks != NIL)
		{
			fail(outcome, ERRCODE_READ_ONLY_SQL_TRANSACTION,
				 "the gate is not a query that only reads");
			return false;
		}
	}
	columns = source->resultDesc;
	if (columns == NULL || columns->natts < 1 || columns->natts > 2 ||
		TupleDescAttr(columns, 0)->atttypid != BOOLOID)
	{
		fail(outcome, ERRCODE_DATATYPE_MISMATCH,
			 "the gate does not return a boolean and perhaps a detail");
		return false;
	}
	return true;
}

/* The query's answer, in the given memory context */
static void
take_answer(GateOutcome *outcome, MemoryContext context)
{
	MemoryContext spi_context;
	HeapTuple	row;
	TupleDesc	columns;
	char	   *detail = NULL;
	Datum		verdict = (Datum) 0;
	bool		isnull = true;

	if (SPI_processed == 1)
	{
		row = SPI_tuptable->vals[0];
		columns = SPI_tuptable->tupdesc;
		verdict = SPI_getbinval(row, columns, 1, &isnull);
		if (columns->natts > 1)
			detail = SPI_getvalue(row, columns, 2);
	}

	spi_context = MemoryContextSwitchTo(context);
	if (SPI_processed == 0)
		fail(outcome, ERRCODE_NO_DATA_FOUND, "the gate returned no row");
	else if (SPI_processed > 1)
		fail(outcome, ERRCODE_CARDINALITY_VIOLATION,
			 "the gate returned more than one row");
	else if (isnull)
		fail(outcome, ERRCODE_NULL_VALUE_NOT_ALLOWED,
			 "the gate returned NULL");
	else
		outcome->passed = DatumGetBool(verdict);
	if (detail != NULL)
		outcome->detail = pstrdup(detail);
	MemoryContextSwitchTo(spi_context);
}

/*
 * Prepare the query and, unless it is only to be checked, run it; raises what
 * the query raises. To be called in a subtransaction that ends by a rollback,
 * which restores user, settings and SPI whatever happens here.
 */
static void
ask_gate(FunctionCallInfo fcinfo, const char *query, bool execute,
		 GateOutcome *outcome, MemoryContext context)
{
	Oid			types[GATE_PARAMETERS];
	Datum		values[GATE_PARAMETERS];
	char		nulls[GATE_PARAMETERS];
	SPIPlanPtr	plan;
	MemoryContext spi_context;
	bool		fit;

	for (int i = 0; i < GATE_PARAMETERS; i++)
	{
		types[i] = get_fn_expr_argtype(fcinfo->flinfo, i + 4);
		values[i] = PG_GETARG_DATUM(i + 4);
		nulls[i] = PG_ARGISNULL(i + 4) ? 'n' : ' ';
	}

	SPI_connect();
	plan = SPI_prepare(query, GATE_PARAMETERS, types);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	spi_context = MemoryContextSwitchTo(context);
	fit = plan_is_fit(plan, outcome);
	MemoryContextSwitchTo(spi_context);
	if (fit && execute)
	{
		/* Two rows are enough to know that there is more than one. */
		int			result = SPI_execute_plan(plan, values, nulls, true, 2);

		if (result != SPI_OK_SELECT)
			elog(ERROR, "SPI_execute_plan failed: %s",
				 SPI_result_code_string(result));
		take_answer(outcome, context);
	}
	SPI_finish();
}

/*
 * run_gate(owner, search_path, query, execute, model, version, run, stage)
 * returns (passed, detail, problem, problem_code).
 *
 * The owner is a principal, NULL who acts. The last four are the query's
 * parameters $1 to $4 and may be NULL. An error in the query is an answer, not
 * an error: the decision records it. Only what ends the whole command (a
 * cancel, a deadlock, a serialization failure) is raised on. With execute
 * false the query is only checked, and passed is then true.
 */
Datum
mlmeta_run_gate(PG_FUNCTION_ARGS)
{
	GateOutcome outcome = {true, NULL, NULL, NULL};
	Outside		outside;
	TupleDesc	columns;
	Datum		values[GATE_RESULTS];
	bool		nulls[GATE_RESULTS];
	char	   *search_path;
	char	   *query;
	bool		execute;
	Oid			role;

	for (int i = 1; i < 4; i++)
	{
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("path and query of a gate must not be null")));
	}
	/* A path that does not name pg_temp begins with it. */
	search_path = psprintf("%s, pg_temp",
						   text_to_cstring(PG_GETARG_TEXT_PP(1)));
	query = text_to_cstring(PG_GETARG_TEXT_PP(2));
	execute = PG_GETARG_BOOL(3);
	role = role_to_run_as(fcinfo, 0);
	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	go_outside(&outside, role, search_path, true);
	PG_TRY();
	{
		ask_gate(fcinfo, query, execute, &outcome, outside.context);
		come_back(&outside, false);
	}
	PG_CATCH();
	{
		ErrorData  *error = come_back_with_error(&outside);

		/* What was meant for the whole command is not the query's failure. */
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) ==
			ERRCODE_OPERATOR_INTERVENTION ||
			ERRCODE_TO_CATEGORY(error->sqlerrcode) ==
			ERRCODE_TRANSACTION_ROLLBACK)
			ReThrowError(error);
		outcome.detail = NULL;
		fail(&outcome, error->sqlerrcode, error->message);
		FreeErrorData(error);
	}
	PG_END_TRY();

	values[0] = BoolGetDatum(outcome.passed);
	nulls[0] = false;
	nulls[1] = outcome.detail == NULL;
	if (!nulls[1])
		values[1] = CStringGetTextDatum(outcome.detail);
	nulls[2] = outcome.problem == NULL;
	if (!nulls[2])
		values[2] = CStringGetTextDatum(outcome.problem);
	nulls[3] = outcome.sqlstate == NULL;
	if (!nulls[3])
		values[3] = CStringGetTextDatum(outcome.sqlstate);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns),
													  values, nulls)));
}

/*
 * The arguments from the given one on as parameters of a query
 */
static ParamListInfo
given_parameters(FunctionCallInfo fcinfo, int first)
{
	Datum	   *values;
	bool	   *nulls;
	Oid		   *types;
	int			n = extract_variadic_args(fcinfo, first, false, &values,
										  &types, &nulls);
	ParamListInfo list = makeParamList(Max(n, 0));

	for (int i = 0; i < n; i++)
	{
		list->params[i].value = values[i];
		list->params[i].isnull = nulls[i];
		list->params[i].pflags = PARAM_FLAG_CONST;
		list->params[i].ptype = types[i];
	}
	return list;
}

/*
 * Nothing but the rows of tables is read from here on: where somebody's view,
 * foreign table or row security would have a say, an error is raised.
 */
static void
allow_tables_only(void)
{
	const char *kinds = "restrict_nonsystem_relation_kind";

	set_locally("row_security", "off");
	/* Minor releases before August 2024 have no such setting. */
	if (GetConfigOption(kinds, true, false) != NULL)
		set_locally(kinds, "view, foreign-table");
}

/*
 * Put the rows of a query that only reads into the function's result, run as a
 * role. Raises what the query raises, without its context of generated SQL.
 */
static void
return_rows(FunctionCallInfo fcinfo, Oid role, const char *search_path,
			const char *query, ParamListInfo parameters, bool tables_only)
{
	ReturnSetInfo *set = (ReturnSetInfo *) fcinfo->resultinfo;
	SPIExecuteOptions options = {0};
	Outside		outside;
	DestReceiver *receiver;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	receiver = CreateDestReceiver(DestTuplestore);
	SetTuplestoreDestReceiverParams(receiver, set->setResult,
									CurrentMemoryContext, true, set->setDesc,
									gettext_noop("the query does not return what it is to return"));
	options.params = parameters;
	options.read_only = true;
	options.must_return_tuples = true;
	options.dest = receiver;

	go_outside(&outside, role, search_path, true);
	PG_TRY();
	{
		int			result;

		if (tables_only)
			allow_tables_only();
		SPI_connect();
		result = SPI_execute_extended(query, &options);
		if (result != SPI_OK_SELECT)
			elog(ERROR, "SPI_execute_extended failed: %s",
				 SPI_result_code_string(result));
		SPI_finish();
		come_back(&outside, false);
	}
	PG_CATCH();
	{
		ErrorData  *error = come_back_with_error(&outside);

		error->context = NULL;
		error->internalquery = NULL;
		error->internalpos = 0;
		ReThrowError(error);
	}
	PG_END_TRY();
}

/*
 * run_query(owner, search_path, query, parameters ...) returns the rows of a
 * query that only reads, run as its owner: a principal, or NULL for who acts.
 * The caller's column list says what they are; anything else is 42804.
 */
Datum
mlmeta_run_query(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("path and query must not be null")));
	return_rows(fcinfo, role_to_run_as(fcinfo, 0),
				text_to_cstring(PG_GETARG_TEXT_PP(1)),
				text_to_cstring(PG_GETARG_TEXT_PP(2)),
				given_parameters(fcinfo, 3), false);
	return (Datum) 0;
}

/*
 * read_tables(query) returns the rows of a query of ours over tables of
 * others, run as who acts. Strict. No code of the tables' owners runs: 42501
 * where row security would hold for who acts, 55000 for a view or a foreign
 * table.
 */
Datum
mlmeta_read_tables(PG_FUNCTION_ARGS)
{
	require_owner();
	check_lent_rights(acting_role(), extension_owner());
	return_rows(fcinfo, acting_role(), "pg_catalog",
				text_to_cstring(PG_GETARG_TEXT_PP(0)), NULL, true);
	return (Datum) 0;
}

/*
 * run_command(command) runs one command of whoever acts, with his rights and
 * under his path, and keeps what it does: the copy of a data version. Strict.
 */
Datum
mlmeta_run_command(PG_FUNCTION_ARGS)
{
	char	   *command = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Outside		outside;

	go_outside(&outside, actor_to_run_as(), acting_search_path(), false);
	PG_TRY();
	{
		int			result;

		SPI_connect();
		result = SPI_execute(command, false, 0);
		if (result < 0)
			elog(ERROR, "SPI_execute failed: %s",
				 SPI_result_code_string(result));
		SPI_finish();
		come_back(&outside, true);
	}
	PG_CATCH();
	{
		ErrorData  *error = come_back_with_error(&outside);

		error->context = NULL;
		ReThrowError(error);
	}
	PG_END_TRY();
	PG_RETURN_VOID();
}

/* An array of texts from a list of C strings */
static Datum
text_array(List *strings)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(list_length(strings), 1));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, strings)
		elements[n++] = CStringGetTextDatum(lfirst(cell));
	return PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

/*
 * What one query means to who acts: its text with every name qualified, and
 * the names and types of its columns. In memory of the given context.
 */
static void
qualify(const char *source, MemoryContext context, Datum *values)
{
	List	   *statements = raw_parser(source, RAW_PARSE_DEFAULT);
	RawStmt    *statement;
	Query	   *query;
	List	   *names = NIL;
	List	   *types = NIL;
	char	   *text;
	ListCell   *cell;
	MemoryContext caller;

	if (list_length(statements) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("it is %s",
						statements == NIL ? "empty" : "several commands")));
	statement = linitial_node(RawStmt, statements);
	if (!IsA(statement->stmt, SelectStmt) ||
		((SelectStmt *) statement->stmt)->intoClause != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("it is another command than SELECT")));
	query = parse_analyze_fixedparams(statement, source, NULL, 0, NULL);
	if (query->commandType != CMD_SELECT || query->hasModifyingCTE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("it writes")));

	/* From here on names are written for a reader without a path. */
	set_locally("search_path", "pg_catalog, pg_temp");
	set_locally("quote_all_identifiers", "off");
	set_locally("extra_float_digits", "1");
	set_locally("datestyle", "ISO, MDY");
	set_locally("intervalstyle", "postgres");
	set_locally("bytea_output", "hex");
	set_locally("standard_conforming_strings", "on");

	foreach(cell, query->targetList)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);
		ListCell   *other;

		if (entry->resjunk)
			continue;
		foreach(other, names)
		{
			if (strcmp(lfirst(other), entry->resname) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("column \"%s\" specified more than once",
								entry->resname)));
		}
		names = lappend(names, entry->resname);
		types = lappend(types,
						format_type_with_typemod(exprType((Node *) entry->expr),
												 exprTypmod((Node *) entry->expr)));
	}
	text = pg_get_querydef(query, false);
	caller = MemoryContextSwitchTo(context);
	while (*text == ' ')
		text++;
	values[0] = CStringGetTextDatum(text);
	values[1] = text_array(names);
	values[2] = text_array(types);
	MemoryContextSwitchTo(caller);
}

/*
 * qualify_query(source) returns (query, names, types): one SELECT as whoever
 * acts means it, with every name qualified, so that it means the same under
 * any search_path. Strict. Nothing is run; raises what makes it no query.
 */
Datum
mlmeta_qualify_query(PG_FUNCTION_ARGS)
{
	char	   *source = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Outside		outside;
	TupleDesc	columns;
	Datum		values[3];
	bool		nulls[3] = {false, false, false};

	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	columns = BlessTupleDesc(columns);
	go_outside(&outside, actor_to_run_as(), acting_search_path(), true);
	PG_TRY();
	{
		qualify(source, outside.context, values);
		come_back(&outside, false);
	}
	PG_CATCH();
	{
		ErrorData  *error = come_back_with_error(&outside);

		error->context = NULL;
		ReThrowError(error);
	}
	PG_END_TRY();
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(columns, values,
													  nulls)));
}

/*
 * find_relation(parts) returns the table, view or the like that a name means
 * to who acts, given as parse_ident() takes it apart; NULL when there is none.
 * Strict.
 */
Datum
mlmeta_find_relation(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	Datum	   *parts;
	bool	   *nulls;
	int			n;
	List	   *names = NIL;
	Outside		outside;
	Oid			found = InvalidOid;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &parts, &nulls,
					  &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			PG_RETURN_NULL();
		names = lappend(names, makeString(TextDatumGetCString(parts[i])));
	}
	if (n < 1 || n > 3)
		PG_RETURN_NULL();
	go_outside(&outside, actor_to_run_as(), acting_search_path(), true);
	PG_TRY();
	{
		found = RangeVarGetRelid(makeRangeVarFromNameList(names), NoLock, true);
		come_back(&outside, false);
	}
	PG_CATCH();
	{
		ReThrowError(come_back_with_error(&outside));
	}
	PG_END_TRY();
	if (!OidIsValid(found))
		PG_RETURN_NULL();
	PG_RETURN_OID(found);
}
