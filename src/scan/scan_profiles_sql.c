/*-------------------------------------------------------------------------
 *
 * scan_profiles_sql.c
 *		scan_profiles() in SQL.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "catalog/pg_type_d.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "scan/scan_profiles.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(mlmeta_scan_profiles);

#define RESULT_COLUMNS	4		/* window, segments, row_count, profile */

/* ----------
 * Arguments
 * ----------
 */

/* 22023 unless there are two or more and each is after the one before */
static void
take_borders(ScanRequest *request, ArrayType *array)
{
	Datum	   *values;
	bool	   *nulls;
	TimestampTz *borders;
	int			n;

	deconstruct_array(array, TIMESTAMPTZOID, sizeof(TimestampTz),
					  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, &nulls, &n);
	borders = palloc(Max(n, 1) * sizeof(TimestampTz));
	for (int i = 0; i < n; i++)
	{
		borders[i] = DatumGetTimestampTz(values[i]);
		if (nulls[i] || (i > 0 && borders[i] <= borders[i - 1]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("borders of windows must be in ascending order, "
							"without NULL")));
	}
	if (n < 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("windows need two borders or more"),
				 errdetail("There are %d.", n)));
	request->n_borders = n;
	request->borders = borders;
}

static void
take_segments(ScanRequest *request, ArrayType *array)
{
	Datum	   *names;
	bool	   *nulls;
	int			n;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls,
					  &n);
	if (n > SCAN_MAX_SEGMENTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("rows can be grouped by at most %d segments",
						SCAN_MAX_SEGMENTS)));
	request->n_segments = n;
	request->segments = palloc(Max(n, 1) * sizeof(char *));
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a segment must not be null")));
		request->segments[i] = TextDatumGetCString(names[i]);
	}
}

/* ----------
 * Results
 * ----------
 */

typedef struct Sink
{
	ReturnSetInfo *rsinfo;
	int			n_segments;
} Sink;

static void
put_group(const ScanGroup *group, void *argument)
{
	Sink	   *sink = argument;
	Datum		segments[SCAN_MAX_SEGMENTS];
	bool		segment_nulls[SCAN_MAX_SEGMENTS];
	int			dims[1] = {sink->n_segments};
	int			bounds[1] = {1};
	Datum		values[RESULT_COLUMNS];
	bool		nulls[RESULT_COLUMNS] = {false};

	for (int i = 0; i < sink->n_segments; i++)
	{
		segment_nulls[i] = group->segments[i] == NULL;
		segments[i] = segment_nulls[i] ? (Datum) 0 :
			CStringGetTextDatum(group->segments[i]);
	}
	values[0] = Int32GetDatum(group->window);
	values[1] = PointerGetDatum(sink->n_segments == 0 ?
								construct_empty_array(TEXTOID) :
								construct_md_array(segments, segment_nulls, 1,
												   dims, bounds, TEXTOID, -1,
												   false, TYPALIGN_INT));
	values[2] = Int64GetDatum(group->profile->n_rows);
	values[3] = summary_datum(group->profile);
	tuplestore_putvalues(sink->rsinfo->setResult, sink->rsinfo->setDesc,
						 values, nulls);
}

/* ----------
 * By the executor
 * ----------
 */

/* The query in the header of scan_profiles.h: $1, $2 bounds, $3 the borders */
static char *
grouping_query(const ScanRequest *request, bool detached)
{
	const ScanSource *source = request->source;
	const char *profile = request->baseline != NULL ?
		"mlmeta.profile(mlmeta_features, $4)" :
		"mlmeta.profile(mlmeta_features)";
	StringInfoData rows;
	StringInfoData texts;
	StringInfoData keys;

	initStringInfo(&rows);
	initStringInfo(&texts);
	initStringInfo(&keys);
	appendStringInfoString(&rows, "s.*");
	for (int i = 0; i < request->n_segments; i++)
	{
		appendStringInfo(&rows, ", (%s\n) AS mlmeta_segment_%d",
						 request->segments[i], i);
		appendStringInfo(&texts, "%ss.mlmeta_segment_%d::pg_catalog.text",
						 i > 0 ? ", " : "", i);
		appendStringInfo(&keys, ", s.mlmeta_segment_%d", i);
	}
	return psprintf("SELECT %s, ARRAY[%s]::pg_catalog.text[], "
					"pg_catalog.count(*), %s%s%s "
					"FROM (%s) AS s CROSS JOIN LATERAL (SELECT %s) "
					"AS mlmeta_features GROUP BY 1%s",
					request->n_borders == 0 ? "1" :
					psprintf("pg_catalog.width_bucket(s.%s::%s, $3)",
							 quote_identifier(source->time_column),
							 format_type_extended(source->time_type, -1,
												  FORMAT_TYPE_FORCE_QUALIFY)),
					texts.data, detached ? "mlmeta.detach(" : "", profile,
					detached ? ")" : "", source_query(source, rows.data),
					source_column_list(source), keys.data);
}

static Datum
borders_array(const ScanRequest *request, Oid *type)
{
	const ScanSource *source = request->source;
	Oid			element = source->time_column != NULL ? source->time_type :
		TIMESTAMPTZOID;
	Datum	   *values = palloc(Max(request->n_borders, 1) * sizeof(Datum));
	int16		length;
	bool		by_value;
	char		alignment;

	for (int i = 0; i < request->n_borders; i++)
		(void) source_time_number(source, request->borders[i], &values[i]);
	get_typlenbyvalalign(element, &length, &by_value, &alignment);
	*type = get_array_type(element);
	return PointerGetDatum(construct_array(values, request->n_borders, element,
										   length, by_value, alignment));
}

static void
scan_by_executor(const ScanRequest *request, Datum baseline,
				 Oid baseline_type, bool detached, ReturnSetInfo *rsinfo)
{
	const ScanSource *source = request->source;
	Oid			time_type = source->time_column != NULL ? source->time_type :
		TIMESTAMPTZOID;
	Oid			types[4] = {time_type, time_type, InvalidOid, baseline_type};
	Datum		values[4] = {source->since.value, source->before.value,
	(Datum) 0, baseline};
	char		nulls[5] = {source->since.given ? ' ' : 'n',
		source->before.given ? ' ' : 'n', ' ',
	request->baseline != NULL ? ' ' : 'n', '\0'};
	char	   *query = grouping_query(request, detached);

	values[2] = borders_array(request, &types[2]);
	SPI_connect();
	if (SPI_execute_with_args(query, request->baseline != NULL ? 4 : 3, types,
							  values, nulls, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "the profiles of %s could not be made", source->name);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Datum		row[RESULT_COLUMNS];
		bool		row_nulls[RESULT_COLUMNS];

		CHECK_FOR_INTERRUPTS();
		heap_deform_tuple(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, row,
						  row_nulls);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row,
							 row_nulls);
	}
	SPI_finish();
}

/*
 * scan_profiles(relation, features, time_column, borders, segments, baseline,
 * detached)
 */
Datum
mlmeta_scan_profiles(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	bool		detached = !PG_ARGISNULL(6) && PG_GETARG_BOOL(6);
	ScanRequest request = {0};
	const char *reason;
	List	   *tables;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	request.source =
		source_make(PG_GETARG_OID(0),
					PG_ARGISNULL(1) ? NULL : PG_GETARG_ARRAYTYPE_P(1),
					PG_ARGISNULL(2) ? NULL :
					text_to_cstring(PG_GETARG_TEXT_PP(2)));
	if (!PG_ARGISNULL(3))
		take_borders(&request, PG_GETARG_ARRAYTYPE_P(3));
	if (!PG_ARGISNULL(4))
		take_segments(&request, PG_GETARG_ARRAYTYPE_P(4));
	if (!PG_ARGISNULL(5))
		request.baseline = profile_settled(summary_read(PG_GETARG_DATUM(5),
														&profile_type));

	request.detached = detached;
	tables = scan_profiles_tables(&request, &reason);
	if (tables == NIL)
		scan_by_executor(&request, PG_ARGISNULL(5) ? (Datum) 0 :
						 PG_GETARG_DATUM(5),
						 get_fn_expr_argtype(fcinfo->flinfo, 5), detached,
						 rsinfo);
	else
	{
		Sink		sink = {rsinfo, request.n_segments};

		scan_profiles_by_pages(&request, tables, put_group, &sink);
	}
	return (Datum) 0;
}
