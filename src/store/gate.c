/*-------------------------------------------------------------------------
 *
 * gate.c
 *		Running a gate: one query with its owner's rights, read-only.
 *
 * Whoever decides on a transition runs queries that others wrote. Four walls
 * stand around such a query:
 *
 * - it runs as its owner in a security-restricted operation, as the query of
 *	 a materialized view does: SET ROLE and the like are refused, so that it
 *	 cannot get back to the rights of who decides;
 * - it runs in a read-only transaction, which also holds for whatever
 *	 functions it calls, and which cannot be undone from within;
 * - it runs in a subtransaction that is rolled back in any case;
 * - its names do not mean temporary tables of the session that it runs in,
 *	 which whoever decides could make to say what he likes.
 *
 * The function gives nobody rights he lacks: it runs queries only for an owner
 * whose rights the current user has anyway.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/resowner.h"

PG_FUNCTION_INFO_V1(mlmeta_run_gate);

#define GATE_PARAMETERS 4
#define GATE_RESULTS 4

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
run_query(FunctionCallInfo fcinfo, Oid owner, const char *search_path,
		  const char *query, bool execute, GateOutcome *outcome,
		  MemoryContext context)
{
	Oid			types[GATE_PARAMETERS];
	Datum		values[GATE_PARAMETERS];
	char		nulls[GATE_PARAMETERS];
	Oid			user;
	int			security;
	SPIPlanPtr	plan;
	MemoryContext spi_context;
	bool		fit;

	for (int i = 0; i < GATE_PARAMETERS; i++)
	{
		types[i] = get_fn_expr_argtype(fcinfo->flinfo, i + 4);
		values[i] = PG_GETARG_DATUM(i + 4);
		nulls[i] = PG_ARGISNULL(i + 4) ? 'n' : ' ';
	}

	(void) set_config_option("search_path", search_path, PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
	XactReadOnly = true;
	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(owner, security | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION);

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
 * The last four are the query's parameters $1 to $4 and may be NULL. An error
 * in the query is an answer, not an error: the decision records it. Only what
 * ends the whole command (a cancel, a deadlock, a serialization failure) is
 * raised on. With execute false the query is only checked, and passed is then
 * true.
 */
Datum
mlmeta_run_gate(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner resource_owner = CurrentResourceOwner;
	GateOutcome outcome = {true, NULL, NULL, NULL};
	TupleDesc	columns;
	Datum		values[GATE_RESULTS];
	bool		nulls[GATE_RESULTS];
	char	   *owner_name;
	char	   *search_path;
	char	   *query;
	bool		execute;
	Oid			owner;

	for (int i = 0; i < 4; i++)
	{
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("owner and query of a gate must not be null")));
	}
	owner_name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	/* A path that does not name pg_temp begins with it. */
	search_path = psprintf("%s, pg_temp",
						   text_to_cstring(PG_GETARG_TEXT_PP(1)));
	query = text_to_cstring(PG_GETARG_TEXT_PP(2));
	execute = PG_GETARG_BOOL(3);

	owner = get_role_oid(owner_name, false);
	if (!is_member_of_role(GetUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" cannot run gates of role \"%s\"",
						GetUserNameFromId(GetUserId(), false), owner_name),
				 errhint("Make it a member, or have the gate owned by "
						 "another role.")));
	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		run_query(fcinfo, owner, search_path, query, execute, &outcome,
				  context);
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = resource_owner;

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
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = resource_owner;

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
