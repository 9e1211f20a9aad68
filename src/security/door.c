/*-------------------------------------------------------------------------
 *
 * door.c
 *		The one entrance through which tables are written.
 *
 * No role but the extension's owner may write a table of ours. A function that
 * writes is declared here twice: in the schema mlmeta, bound to one of the two
 * symbols of this file, and in mlmeta_internal, where its body is. Whoever
 * calls the first comes through the door: it finds out who acts before
 * anything else happens, then calls the second as the extension's owner.
 *
 * A SECURITY DEFINER function could not do that. Inside one nobody can tell a
 * direct call from one that somebody else's SECURITY DEFINER function makes for
 * an unsuspecting user: PostgreSQL keeps the user before the switch on its own
 * stack. So who calls is looked at here, before the switch:
 *
 * - nothing but what the session's user set himself may have changed the user:
 *	 not the definer function of anybody, nor the owner of a table being
 *	 analyzed, indexed or refreshed;
 * - no worker of the server's own acts: neither autovacuum nor the apply worker
 *	 of a subscription is a person;
 * - what decides or records a person (mlmeta_decision_door) is not called by a
 *	 trigger: those of a stranger's table run as who writes to it.
 *
 * Bodies ask whose rights count with mlmeta_internal.caller() and its like,
 * which find it in the frames kept here, and never with current_user.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "access/htup_details.h"
#include "access/parallel.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "parser/parser.h"
#include "postmaster/autovacuum.h"
#include "replication/logicalworker.h"
#include "security/door.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/bytea.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(mlmeta_door);
PG_FUNCTION_INFO_V1(mlmeta_decision_door);
PG_FUNCTION_INFO_V1(mlmeta_caller);
PG_FUNCTION_INFO_V1(mlmeta_actor);
PG_FUNCTION_INFO_V1(mlmeta_caller_path);

/* Somebody inside: whose rights count, and what names mean to him */
typedef struct Frame
{
	Oid			role;
	Oid			owner;
	char	   *search_path;
} Frame;

/* The innermost that is open; NULL outside, and while the door is shut */
static Frame *inside = NULL;

/* What a call keeps in fn_extra: the function behind the door */
typedef struct Behind
{
	Oid			schema;
	FmgrInfo	function;
} Behind;

static Oid
owner_of_schema(Oid schema)
{
	HeapTuple	row = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(schema));
	Oid			owner;

	if (!HeapTupleIsValid(row))
		elog(ERROR, "cache lookup failed for schema %u", schema);
	owner = ((Form_pg_namespace) GETSTRUCT(row))->nspowner;
	ReleaseSysCache(row);
	return owner;
}

Oid
extension_owner(void)
{
	return owner_of_schema(get_namespace_oid("mlmeta_internal", false));
}

bool
is_owner(Oid role)
{
	return superuser_arg(role) || has_privs_of_role(role, extension_owner());
}

void
require_owner(void)
{
	Oid			user = GetUserId();

	if (user != extension_owner() && !superuser_arg(user))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("only functions of the extension call this one")));
}

Oid
acting_role(void)
{
	Oid			user;
	int			security;

	GetUserIdAndSecContext(&user, &security);
	if (inside != NULL && inside->owner == user)
		return inside->role;
	/* A parallel worker has no frames, but knows the user before the switch. */
	if (IsParallelWorker() && (security & SECURITY_LOCAL_USERID_CHANGE) &&
		!(security & SECURITY_RESTRICTED_OPERATION) &&
		user == extension_owner())
		return GetOuterUserId();
	return user;
}

const char *
acting_search_path(void)
{
	return inside != NULL ? inside->search_path : namespace_search_path;
}

void *
shut_door(void)
{
	Frame	   *frame = inside;

	inside = NULL;
	return frame;
}

void
reopen_door(void *frame)
{
	inside = frame;
}

/*
 * Look up the function behind the door: the namesake in mlmeta_internal with
 * the same arguments and result, because the owner, who need not be trusted
 * with the server's memory, could put another there. In the memory of the
 * call's fn_extra.
 */
static Behind *
look_behind(FunctionCallInfo fcinfo)
{
	Behind	   *behind = fcinfo->flinfo->fn_extra;
	HeapTuple	front;
	HeapTuple	back;
	Form_pg_proc form;
	Form_pg_proc inner;
	Oid			schema;

	if (behind != NULL)
		return behind;
	schema = get_namespace_oid("mlmeta_internal", false);
	front = SearchSysCache1(PROCOID, ObjectIdGetDatum(fcinfo->flinfo->fn_oid));
	if (!HeapTupleIsValid(front))
		elog(ERROR, "cache lookup failed for function %u",
			 fcinfo->flinfo->fn_oid);
	form = (Form_pg_proc) GETSTRUCT(front);
	back = SearchSysCache3(PROCNAMEARGSNSP, PointerGetDatum(NameStr(form->proname)),
						   PointerGetDatum(&form->proargtypes),
						   ObjectIdGetDatum(schema));
	inner = HeapTupleIsValid(back) ? (Form_pg_proc) GETSTRUCT(back) : NULL;
	if (inner == NULL || inner->prokind != PROKIND_FUNCTION ||
		inner->prorettype != form->prorettype ||
		inner->proretset != form->proretset)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function %s() has nothing behind it in schema \"%s\"",
						NameStr(form->proname), "mlmeta_internal"),
				 errhint("The extension is not as it was installed: "
						 "ALTER EXTENSION mlmeta UPDATE.")));

	behind = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Behind));
	behind->schema = schema;
	fmgr_info_cxt(inner->oid, &behind->function, fcinfo->flinfo->fn_mcxt);
	fmgr_info_set_expr(fcinfo->flinfo->fn_expr, &behind->function);
	ReleaseSysCache(back);
	ReleaseSysCache(front);
	fcinfo->flinfo->fn_extra = behind;
	return behind;
}

/*
 * Refuse whoever is not acting himself; raises 42501.
 */
static void
check_who_acts(Oid function, Oid user, int security, bool is_decision)
{
	const char *reason = NULL;

	if (AmAutoVacuumWorkerProcess())
		reason = "Autovacuum calls it, which is nobody.";
	else if (IsLogicalWorker())
		reason = "A subscription's worker calls it, which is nobody.";
	else if (security & SECURITY_RESTRICTED_OPERATION)
		reason = "It is called by a command that works for somebody else, "
			"such as ANALYZE, CREATE INDEX or REFRESH.";
	else if (security != 0 || user != GetOuterUserId())
		reason = "It is called by a SECURITY DEFINER function or another one "
			"that changed the user.";
	else if (is_decision &&
			 DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0)) > 0)
		reason = "A trigger calls it.";
	if (reason == NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("function %s() does not know who calls it",
					get_func_name(function)),
			 errdetail_internal("%s", reason),
			 errhint("Call it directly, as the user who answers for it.")));
}

/*
 * What is stored must not depend on how a session likes numbers, times or
 * names to be written: where its settings differ, ours hold until the door
 * closes. Returns the level to go back from, 0 when all was well.
 */
pg_noinline static int
settle_settings(void)
{
	static const struct
	{
		const char *name;
		const char *value;
	}			settings[] = {
		{"extra_float_digits", "1"}, {"datestyle", "ISO, MDY"},
		{"intervalstyle", "postgres"}, {"bytea_output", "hex"},
		{"quote_all_identifiers", "off"},
		{"standard_conforming_strings", "on"},
	};
	int			level;

	if (likely(extra_float_digits >= 1 && DateStyle == USE_ISO_DATES &&
			   IntervalStyle == INTSTYLE_POSTGRES &&
			   bytea_output == BYTEA_OUTPUT_HEX && !quote_all_identifiers &&
			   standard_conforming_strings))
		return 0;
	level = NewGUCNestLevel();
	for (size_t i = 0; i < lengthof(settings); i++)
		(void) set_config_option(settings[i].name, settings[i].value,
								 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
								 true, 0, false);
	return level;
}

/*
 * Through the door: the arguments and what comes back are the inner function's.
 */
static Datum
pass(FunctionCallInfo fcinfo, bool is_decision)
{
	Behind	   *behind = look_behind(fcinfo);
	Frame	   *outer = inside;
	Frame		frame;
	Oid			user;
	int			security;
	int			settings;
	Datum		result;

	LOCAL_FCINFO(call, FUNC_MAX_ARGS);

	GetUserIdAndSecContext(&user, &security);
	check_who_acts(fcinfo->flinfo->fn_oid, user, security, is_decision);

	frame.role = user;
	frame.owner = owner_of_schema(behind->schema);
	frame.search_path = pstrdup(namespace_search_path);
	settings = settle_settings();
	InitFunctionCallInfoData(*call, &behind->function, fcinfo->nargs,
							 fcinfo->fncollation, fcinfo->context,
							 fcinfo->resultinfo);
	memcpy(call->args, fcinfo->args, fcinfo->nargs * sizeof(NullableDatum));

	PG_TRY();
	{
		inside = &frame;
		SetUserIdAndSecContext(frame.owner,
							   security | SECURITY_LOCAL_USERID_CHANGE);
		result = FunctionCallInvoke(call);
		SetUserIdAndSecContext(user, security);
	}
	PG_FINALLY();
	{
		inside = outer;
	}
	PG_END_TRY();
	if (settings != 0)
		AtEOXact_GUC(true, settings);
	pfree(frame.search_path);
	fcinfo->isnull = call->isnull;
	return result;
}

/*
 * What every public function that writes is bound to. Returns what its
 * namesake in mlmeta_internal returns; raises 42501 where nobody in person
 * calls it, and 42883 where there is no namesake.
 */
Datum
mlmeta_door(PG_FUNCTION_ARGS)
{
	return pass(fcinfo, false);
}

/*
 * The same for what decides, or records who did: not inside of triggers.
 */
Datum
mlmeta_decision_door(PG_FUNCTION_ARGS)
{
	return pass(fcinfo, true);
}

/*
 * caller() returns the name of the role whose rights count.
 */
Datum
mlmeta_caller(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(GetUserNameFromId(acting_role(), false)));
}

/*
 * actor() returns the name of the person who answers: the session's user,
 * because nobody becomes another person by SET ROLE. Only a superuser, who may
 * be anybody, is whom he says he is.
 */
Datum
mlmeta_actor(PG_FUNCTION_ARGS)
{
	Oid			person = GetSessionUserId();

	if (superuser_arg(person))
		person = acting_role();
	PG_RETURN_TEXT_P(cstring_to_text(GetUserNameFromId(person, false)));
}

/*
 * caller_path() returns the search_path of who came through the door.
 */
Datum
mlmeta_caller_path(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(acting_search_path()));
}
