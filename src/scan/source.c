/*-------------------------------------------------------------------------
 *
 * source.c
 *		What is to be read of a relation, and how the planner would read it.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "access/heapam.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/params.h"
#include "nodes/plannodes.h"
#include "parser/analyze.h"
#include "parser/parsetree.h"
#include "scan/source.h"
#include "tcop/tcopprot.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/timestamp.h"

#define BOUNDS		2

AttrNumber
source_attribute(const ScanSource *source, const char *column)
{
	for (int i = 0; i < source->desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(source->desc, i);

		if (!attribute->attisdropped &&
			strcmp(NameStr(attribute->attname), column) == 0)
			return (AttrNumber) (i + 1);
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("%s has no column \"%s\"", source->name, column)));
	return InvalidAttrNumber;
}

static void
take_all_columns(ScanSource *source)
{
	source->columns = palloc(Max(source->desc->natts, 1) * sizeof(char *));
	for (int i = 0; i < source->desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(source->desc, i);

		if (!attribute->attisdropped)
			source->columns[source->n_columns++] =
				NameStr(attribute->attname);
	}
}

static void
take_columns(ScanSource *source, ArrayType *columns)
{
	bool	   *taken = palloc0((source->desc->natts + 1) * sizeof(bool));
	Datum	   *names;
	bool	   *nulls;
	int			n;

	deconstruct_array(columns, TEXTOID, -1, false, TYPALIGN_INT, &names,
					  &nulls, &n);
	source->columns = palloc(Max(n, 1) * sizeof(char *));
	for (int i = 0; i < n; i++)
	{
		char	   *name;
		AttrNumber	number;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("the name of a column must not be null")));
		name = TextDatumGetCString(names[i]);
		number = source_attribute(source, name);
		if (taken[number])
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("column \"%s\" is named twice", name)));
		taken[number] = true;
		source->columns[source->n_columns++] = name;
	}
	pfree(taken);
}

static void
take_time_column(ScanSource *source, const char *column)
{
	AttrNumber	number = source_attribute(source, column);
	Oid			declared = TupleDescAttr(source->desc, number - 1)->atttypid;
	Oid			type = getBaseType(declared);

	if (type != TIMESTAMPTZOID && type != TIMESTAMPOID && type != DATEOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of %s is not a time", column,
						source->name),
				 errdetail("It is of type %s.", format_type_be(declared)),
				 errhint("A time column is of type timestamptz, timestamp or "
						 "date.")));
	source->time_column = pstrdup(column);
	source->time_type = type;
}

static bool
is_readable(char kind)
{
	return kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE ||
		kind == RELKIND_MATVIEW || kind == RELKIND_VIEW ||
		kind == RELKIND_FOREIGN_TABLE;
}

ScanSource *
source_make(Oid relation, ArrayType *columns, const char *time_column)
{
	Relation	opened = try_relation_open(relation, AccessShareLock);
	ScanSource *source = palloc0(sizeof(ScanSource));
	const char *schema;

	if (opened == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relation)));
	if (!is_readable(opened->rd_rel->relkind))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table or a view",
						RelationGetRelationName(opened))));
	source->relation = relation;
	schema = get_namespace_name(RelationGetNamespace(opened));
	source->name = quote_qualified_identifier(schema,
											  RelationGetRelationName(opened));
	source->desc = CreateTupleDescCopyConstr(RelationGetDescr(opened));
	relation_close(opened, NoLock);
	if (columns == NULL)
		take_all_columns(source);
	else
		take_columns(source, columns);
	if (time_column != NULL)
		take_time_column(source, time_column);
	return source;
}

int64
source_time_number(const ScanSource *source, TimestampTz time, Datum *value)
{
	DateADT		date;

	switch (source->time_type)
	{
		case TIMESTAMPTZOID:
			*value = TimestampTzGetDatum(time);
			return time;
		case TIMESTAMPOID:
			*value = DirectFunctionCall1(timestamptz_timestamp,
										 TimestampTzGetDatum(time));
			return DatumGetTimestamp(*value);
		default:
			/* the first day that begins at the time, or later */
			*value = DirectFunctionCall1(timestamptz_date,
										 TimestampTzGetDatum(time));
			date = DatumGetDateADT(*value);
			if (!DATE_NOT_FINITE(date) &&
				DatumGetTimestampTz(DirectFunctionCall1(date_timestamptz,
														*value)) < time)
				date++;
			*value = DateADTGetDatum(date);
			return date;
	}
}

static void
set_bound(const ScanSource *source, TimeBound *bound, const TimestampTz *time)
{
	bound->given = time != NULL;
	bound->value = (Datum) 0;
	if (time == NULL)
		return;
	if (source->time_column == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rows between two times need a time column"),
				 errhint("Name the column that has the time of a row.")));
	bound->number = source_time_number(source, *time, &bound->value);
}

void
source_set_bounds(ScanSource *source, const TimestampTz *since,
				  const TimestampTz *before)
{
	set_bound(source, &source->since, since);
	set_bound(source, &source->before, before);
}

char *
source_column_list(const ScanSource *source)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < source->n_columns; i++)
		appendStringInfo(&list, "%ss.%s", i > 0 ? ", " : "",
						 quote_identifier(source->columns[i]));
	return list.data;
}

char *
source_query(const ScanSource *source, const char *targets)
{
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT %s FROM %s AS s", targets, source->name);
	if (source->since.given)
		appendStringInfo(&query, " WHERE s.%s OPERATOR(pg_catalog.>=) $1",
						 quote_identifier(source->time_column));
	if (source->before.given)
		appendStringInfo(&query, " %s s.%s OPERATOR(pg_catalog.<) $2",
						 source->since.given ? "AND" : "WHERE",
						 quote_identifier(source->time_column));
	return query.data;
}

/* ----------
 * How the planner would read it
 * ----------
 */

void
source_query_error(void *query)
{
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(query);
	}
}

static PlannedStmt *
plan_query(const ScanSource *source, const char *query)
{
	Oid			type = source->time_column != NULL ? source->time_type :
		TIMESTAMPTZOID;
	const Oid	types[BOUNDS] = {type, type};
	const TimeBound *bounds[BOUNDS] = {&source->since, &source->before};
	ParamListInfo parameters = makeParamList(BOUNDS);
	ErrorContextCallback callback = {error_context_stack,
	source_query_error, unconstify(char *, query)};
	Query	   *analyzed;
	PlannedStmt *plan;

	error_context_stack = &callback;
	analyzed = parse_analyze_fixedparams(linitial_node(RawStmt,
													   pg_parse_query(query)),
										 query, types, BOUNDS, NULL);
	for (int i = 0; i < BOUNDS; i++)
	{
		ParamExternData *parameter = &parameters->params[i];

		parameter->ptype = type;
		parameter->isnull = !bounds[i]->given;
		parameter->value = bounds[i]->value;
		/* so that partitions are left out for the values at hand */
		parameter->pflags = PARAM_FLAG_CONST;
	}
	plan = pg_plan_query(linitial_node(Query, pg_rewrite_query(analyzed)),
						 query, 0, parameters);
	error_context_stack = callback.previous;
	return plan;
}

/* Whether a table's rows can be read from its pages, all of them */
static bool
is_plain_table(Oid relation)
{
	Relation	opened = table_open(relation, NoLock);
	bool		plain = opened->rd_tableam == GetHeapamTableAmRoutine() &&
		(opened->rd_rel->relkind == RELKIND_RELATION ||
		 opened->rd_rel->relkind == RELKIND_MATVIEW);

	table_close(opened, NoLock);
	return plain;
}

static const char *
why_not(const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_IndexScan:
		case T_IndexOnlyScan:
		case T_BitmapHeapScan:
			return "an index serves the times";
		case T_ForeignScan:
			return "foreign table";
		default:
			return "not one table";
	}
}

/* Adds the tables that a plan goes through; false if it does anything else */
static bool
add_tables(const Plan *plan, const List *rtable, List **tables,
		   const char **reason)
{
	const List *children;
	ListCell   *cell;
	SourceTable *table;

	switch (nodeTag(plan))
	{
		case T_SeqScan:
			table = palloc(sizeof(SourceTable));
			table->number = ((const Scan *) plan)->scanrelid;
			table->relation = rt_fetch(table->number, rtable)->relid;
			table->targets = plan->targetlist;
			if (!is_plain_table(table->relation))
			{
				*reason = "not a heap table";
				return false;
			}
			*tables = lappend(*tables, table);
			return true;
		case T_Append:
			children = ((const Append *) plan)->appendplans;
			foreach(cell, children)
				if (!add_tables(lfirst(cell), rtable, tables, reason))
					return false;
			return true;
		default:
			*reason = why_not(plan);
			return false;
	}
}

List *
source_tables(const ScanSource *source, const char *query,
			  const char **reason)
{
	char		kind = get_rel_relkind(source->relation);
	PlannedStmt *plan;
	List	   *tables = NIL;

	*reason = NULL;
	if (kind == RELKIND_VIEW)
		*reason = "view";
	else if (kind == RELKIND_FOREIGN_TABLE)
		*reason = "foreign table";
	else if (check_enable_rls(source->relation, InvalidOid, true) ==
			 RLS_ENABLED)
		*reason = "row security";
	if (*reason != NULL)
		return NIL;

	plan = plan_query(source, query);
	(void) ExecCheckPermissions(plan->rtable, plan->permInfos, true);
	if (plan->subplans != NIL)
	{
		*reason = "subquery";
		return NIL;
	}
	if (!add_tables(plan->planTree, plan->rtable, &tables, reason))
		return NIL;
	return tables;
}
