/*-------------------------------------------------------------------------
 *
 * profile_table.c
 *		profile_table(): the profile of a table's rows, read a page at a time
 *		where that is possible, and by profile(record) where it is not.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "catalog/pg_type_d.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "scan/source.h"
#include "scan/table_profile.h"
#include "stats/summaries/profile.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(mlmeta_profile_table);
PG_FUNCTION_INFO_V1(mlmeta_scan_path);

/* Arguments 1 to 4: columns, time column, since, before */
static ScanSource *
source_of_arguments(FunctionCallInfo fcinfo)
{
	TimestampTz since = PG_ARGISNULL(3) ? 0 : PG_GETARG_TIMESTAMPTZ(3);
	TimestampTz before = PG_ARGISNULL(4) ? 0 : PG_GETARG_TIMESTAMPTZ(4);
	ScanSource *source =
		source_make(PG_GETARG_OID(0),
					PG_ARGISNULL(1) ? NULL : PG_GETARG_ARRAYTYPE_P(1),
					PG_ARGISNULL(2) ? NULL :
					text_to_cstring(PG_GETARG_TEXT_PP(2)));

	source_set_bounds(source, PG_ARGISNULL(3) ? NULL : &since,
					  PG_ARGISNULL(4) ? NULL : &before);
	return source;
}

/* baseline: flat, or NULL */
static Datum
profile_by_pages(const ScanSource *source, const List *tables,
				 struct varlena *baseline, bool *is_null)
{
	Profile    *profile = summary_make(&profile_type);

	if (baseline != NULL)
		profile_set_baseline(profile,
							 profile_settled(summary_read(PointerGetDatum(baseline),
														  &profile_type)));
	profile_add_tables(profile, source, tables, baseline);
	*is_null = profile->n_rows == 0;
	return *is_null ? (Datum) 0 : summary_datum(profile_settled(profile));
}

static Datum
profile_by_executor(const ScanSource *source, const char *rows,
					Datum baseline, Oid baseline_type, bool has_baseline,
					bool *is_null)
{
	Oid			time_type = source->time_column != NULL ? source->time_type :
		TIMESTAMPTZOID;
	Oid			types[] = {time_type, time_type, baseline_type};
	Datum		values[] = {source->since.value, source->before.value,
	baseline};
	char		nulls[] = {source->since.given ? ' ' : 'n',
	source->before.given ? ' ' : 'n', has_baseline ? ' ' : 'n', '\0'};
	char	   *query = psprintf("SELECT mlmeta.profile(mlmeta_row%s) "
								 "FROM (%s) AS mlmeta_row",
								 has_baseline ? ", $3" : "", rows);
	Datum		result;

	SPI_connect();
	if (SPI_execute_with_args(query, has_baseline ? 3 : 2, types, values,
							  nulls, true, 2) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "the profile of %s could not be made", source->name);
	result = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
						   is_null);
	if (!*is_null)
		result = SPI_datumTransfer(result, false, -1);
	SPI_finish();
	return result;
}

/*
 * profile_table(relation, columns, time_column, since, before, baseline): the
 * profile of those columns of the rows from since to before; NULL if there are
 * no rows.
 */
Datum
mlmeta_profile_table(PG_FUNCTION_ARGS)
{
	ScanSource *source;
	List	   *tables;
	char	   *query;
	const char *reason;
	bool		is_null;
	Datum		result;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	source = source_of_arguments(fcinfo);
	query = source_query(source, source_column_list(source));
	tables = source_tables(source, query, &reason);
	if (tables != NIL)
		result = profile_by_pages(source, tables, PG_ARGISNULL(5) ? NULL :
								  PG_DETOAST_DATUM(PG_GETARG_DATUM(5)),
								  &is_null);
	else
		result = profile_by_executor(source, query,
									 PG_ARGISNULL(5) ? (Datum) 0 :
									 PG_GETARG_DATUM(5),
									 get_fn_expr_argtype(fcinfo->flinfo, 5),
									 !PG_ARGISNULL(5), &is_null);
	if (is_null)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(result);
}

/* scan_path(relation, columns, time_column, since, before) */
Datum
mlmeta_scan_path(PG_FUNCTION_ARGS)
{
	ScanSource *source;
	const char *reason;
	List	   *tables;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	source = source_of_arguments(fcinfo);
	tables = source_tables(source,
						   source_query(source, source_column_list(source)),
						   &reason);
	if (tables == NIL)
		PG_RETURN_TEXT_P(cstring_to_text(psprintf("rows: %s", reason ? reason :
												  "no table")));
	PG_RETURN_TEXT_P(cstring_to_text("pages"));
}
