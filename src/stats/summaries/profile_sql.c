/*-------------------------------------------------------------------------
 *
 * profile_sql.c
 *		The type profile in SQL: I/O, aggregates, merging, accessors.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "stats/summaries/profile.h"
#include "stats/summaries/profile_rows.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(mlmeta_profile_in);
PG_FUNCTION_INFO_V1(mlmeta_profile_out);
PG_FUNCTION_INFO_V1(mlmeta_profile_recv);
PG_FUNCTION_INFO_V1(mlmeta_profile_send);

PG_FUNCTION_INFO_V1(mlmeta_profile_transition);
PG_FUNCTION_INFO_V1(mlmeta_profile_baseline_transition);
PG_FUNCTION_INFO_V1(mlmeta_profile_combine);
PG_FUNCTION_INFO_V1(mlmeta_profile_final);
PG_FUNCTION_INFO_V1(mlmeta_profile_plus);
PG_FUNCTION_INFO_V1(mlmeta_profile_detach);
PG_FUNCTION_INFO_V1(mlmeta_profile_attach);

PG_FUNCTION_INFO_V1(mlmeta_profile_row_count);
PG_FUNCTION_INFO_V1(mlmeta_profile_columns);
PG_FUNCTION_INFO_V1(mlmeta_profile_histogram_of);
PG_FUNCTION_INFO_V1(mlmeta_profile_frequencies_of);
PG_FUNCTION_INFO_V1(mlmeta_profile_select_columns);

/* ----------
 * Text and binary I/O
 * ----------
 */

Datum
mlmeta_profile_in(PG_FUNCTION_ARGS)
{
	return summary_in(fcinfo, &profile_type);
}

Datum
mlmeta_profile_out(PG_FUNCTION_ARGS)
{
	return summary_out(fcinfo, &profile_type);
}

Datum
mlmeta_profile_recv(PG_FUNCTION_ARGS)
{
	return summary_recv(fcinfo, &profile_type);
}

Datum
mlmeta_profile_send(PG_FUNCTION_ARGS)
{
	return summary_send(fcinfo, &profile_type);
}

/* ----------
 * Where a state's baseline comes from
 *
 * As with histograms: the baseline of an aggregate call is decoded once, and
 * the states of all groups share its grids. Where the argument is no constant,
 * each row's bytes are compared with those that the state was made from.
 * ----------
 */

typedef struct BaselineSource
{
	struct BaselineSource *next;
	size_t		size;
	void	   *raw;			/* the argument's bytes */
	struct varlena *flat;		/* the value */
	Profile    *baseline;
} BaselineSource;

typedef struct CallSite
{
	RowReader  *readers;
	bool		stable;			/* the baseline cannot change in a group */
	BaselineSource *sources;
} CallSite;

static CallSite *
call_site(FunctionCallInfo fcinfo)
{
	CallSite   *site = fcinfo->flinfo->fn_extra;

	if (unlikely(site == NULL))
	{
		site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt,
									  sizeof(CallSite));
		site->stable = PG_NARGS() > 2 &&
			aggregate_argument_is_stable(fcinfo, 1);
		fcinfo->flinfo->fn_extra = site;
	}
	return site;
}

static bool
same_bytes(const void *a, size_t a_size, const void *b, size_t b_size)
{
	return a_size == b_size && memcmp(a, b, a_size) == 0;
}

static const BaselineSource *
find_source(FunctionCallInfo fcinfo, CallSite *site, struct varlena *raw)
{
	size_t		size = VARSIZE_ANY(raw);
	BaselineSource *source;
	struct varlena *flat;
	MemoryContext old;

	for (source = site->sources; source != NULL; source = source->next)
		if (same_bytes(source->raw, source->size, raw, size))
			return source;

	/* equal values can have unequal bytes: compressed, or elsewhere */
	flat = PG_DETOAST_DATUM(PointerGetDatum(raw));
	for (source = site->sources; source != NULL; source = source->next)
		if (same_bytes(source->flat, VARSIZE(source->flat), flat,
					   VARSIZE(flat)))
			return source;

	old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	source = palloc(sizeof(BaselineSource));
	source->flat = palloc(VARSIZE(flat));
	memcpy(source->flat, flat, VARSIZE(flat));
	source->baseline =
		profile_settled(summary_read(PointerGetDatum(source->flat),
									 &profile_type));
	source->raw = palloc(size);
	memcpy(source->raw, raw, size);
	source->size = size;
	source->next = site->sources;
	site->sources = source;
	MemoryContextSwitchTo(old);
	return source;
}

/* The state of argument 0, made if it is NULL, on the baseline in argument 2 */
static Profile *
state_on_baseline(FunctionCallInfo fcinfo, CallSite *site)
{
	Profile    *state = summary_state(fcinfo, &profile_type);
	const BaselineSource *source;
	struct varlena *raw;

	if (likely(state != NULL && state->source != NULL && site->stable))
		return state;
	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the baseline of a profile must not be null"),
				 errhint("Make one with profile(record), which is NULL when "
						 "there are no rows.")));
	raw = (struct varlena *) PG_GETARG_POINTER(2);
	if (VARATT_IS_EXTERNAL_EXPANDED(raw))
		raw = PG_DETOAST_DATUM(PointerGetDatum(raw));
	if (state != NULL && state->source != NULL &&
		same_bytes(state->source->raw, state->source->size, raw,
				   VARSIZE_ANY(raw)))
		return state;

	source = find_source(fcinfo, site, raw);
	if (state == NULL)
	{
		state = summary_new_state(fcinfo, &profile_type, NULL);
		profile_set_baseline(state, source->baseline);
	}
	else if (state->source != NULL && state->source != source)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the baseline of a profile changed within a group"),
				 errhint("All rows of a group must name the same baseline; "
						 "add what distinguishes them to GROUP BY.")));
	state->source = source;
	return state;
}

/* ----------
 * Aggregates
 * ----------
 */

/*
 * Counts the row in argument 1. A record that is NULL (no row of an outer
 * join) is no row; a row of NULLs is one.
 */
static void
count_row(FunctionCallInfo fcinfo, CallSite *site, Profile *state)
{
	HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(1);

	profile_add_row(state, row_reader(&site->readers, row,
									  fcinfo->flinfo->fn_mcxt), row);
}

/* What a transition returns when there was no row: the state as it is */
static Datum
unchanged(FunctionCallInfo fcinfo)
{
	Profile    *state = summary_state(fcinfo, &profile_type);

	if (state == NULL)
		PG_RETURN_NULL();
	return summary_datum(state);
}

/* profile(rec record) */
Datum
mlmeta_profile_transition(PG_FUNCTION_ARGS)
{
	Profile    *state;

	if (PG_ARGISNULL(1))
		return unchanged(fcinfo);
	state = summary_state(fcinfo, &profile_type);
	if (state == NULL)
		state = summary_new_state(fcinfo, &profile_type, NULL);
	count_row(fcinfo, call_site(fcinfo), state);
	return summary_datum(state);
}

/* profile(rec record, baseline profile) */
Datum
mlmeta_profile_baseline_transition(PG_FUNCTION_ARGS)
{
	CallSite   *site = call_site(fcinfo);
	Profile    *state;

	if (PG_ARGISNULL(1))
		return unchanged(fcinfo);
	state = state_on_baseline(fcinfo, site);
	count_row(fcinfo, site, state);
	return summary_datum(state);
}

/*
 * Adds argument 1 to the state: combine function of the builders, transition
 * and combine function of merge(). NULL adds nothing.
 */
Datum
mlmeta_profile_combine(PG_FUNCTION_ARGS)
{
	Profile    *state = summary_state(fcinfo, &profile_type);
	Profile    *other;

	if (PG_ARGISNULL(1))
		return unchanged(fcinfo);
	other = summary_read(PG_GETARG_DATUM(1), &profile_type);
	if (state == NULL)
		state = summary_new_state(fcinfo, &profile_type, &other->summary);
	else
		profile_merge(state, other);
	return summary_datum(state);
}

/*
 * The state itself where nothing remains to be done, else a settled value. In
 * a window the state goes on to change, so that a copy is what is returned.
 */
Datum
mlmeta_profile_final(PG_FUNCTION_ARGS)
{
	Profile    *state;
	Profile    *settled;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = summary_read(PG_GETARG_DATUM(0), &profile_type);
	settled = profile_settled(state);
	if (settled != state)
		return summary_datum(settled);
	if (AggCheckCallContext(fcinfo, NULL) == AGG_CONTEXT_AGGREGATE)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	return summary_datum(summary_copy(state));
}

/* ----------
 * Arithmetic
 * ----------
 */

static Profile *
profile_argument(FunctionCallInfo fcinfo, int argno)
{
	return profile_settled(summary_read(PG_GETARG_DATUM(argno),
										&profile_type));
}

Datum
mlmeta_profile_plus(PG_FUNCTION_ARGS)
{
	Profile    *sum = summary_copy(profile_argument(fcinfo, 0));

	profile_merge(sum, profile_argument(fcinfo, 1));
	return summary_datum(profile_settled(sum));
}

Datum
mlmeta_profile_detach(PG_FUNCTION_ARGS)
{
	return summary_datum(profile_detached(profile_argument(fcinfo, 0)));
}

Datum
mlmeta_profile_attach(PG_FUNCTION_ARGS)
{
	return summary_datum(profile_attached(profile_argument(fcinfo, 0),
										  profile_argument(fcinfo, 1)));
}

/* ----------
 * Accessors
 * ----------
 */

Datum
mlmeta_profile_row_count(PG_FUNCTION_ARGS)
{
	Profile    *profile = summary_read(PG_GETARG_DATUM(0), &profile_type);

	PG_RETURN_INT64(profile->n_rows);
}

/* A float column of a result: NaN where there is none */
static void
set_float(Datum *value, bool *is_null, bool known, double number)
{
	*is_null = !known;
	*value = Float8GetDatum(known ? number : 0);
}

#define COLUMNS_COLUMNS	14

/* columns(profile): one row for each feature */
Datum
mlmeta_profile_columns(PG_FUNCTION_ARGS)
{
	Profile    *profile = profile_argument(fcinfo, 0);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < profile->n_features; i++)
	{
		Feature    *feature = profile->features[i];
		Histogram  *histogram = feature->histogram;
		int64		rows = feature_rows(feature);
		int64		n = feature_count(feature);
		bool		any = histogram != NULL && n > 0;
		const char *status = feature->is_new ? "new column" :
			rows == 0 && profile->n_rows > 0 ? "missing column" :
			n + feature_nan_count(feature) == 0 ? "all null" : "ok";
		Datum		values[COLUMNS_COLUMNS];
		bool		nulls[COLUMNS_COLUMNS] = {false};

		CHECK_FOR_INTERRUPTS();
		values[0] = CStringGetTextDatum(feature_name(feature));
		values[1] = CStringGetTextDatum(feature_kind_name(feature->kind));
		values[2] = Int64GetDatum(n);
		values[3] = Int64GetDatum(feature_null_count(feature));
		set_float(&values[4], &nulls[4], rows > 0,
				  (double) feature_null_count(feature) / (double) rows);
		values[5] = Int64GetDatum(feature_nan_count(feature));
		nulls[6] = feature->table == NULL;
		values[6] = Int64GetDatum(nulls[6] ? 0 :
								  frequency_table_distinct(feature->table));
		set_float(&values[7], &nulls[7], any,
				  any ? histogram_minimum(histogram) : 0);
		set_float(&values[8], &nulls[8], any,
				  any ? histogram_maximum(histogram) : 0);
		set_float(&values[9], &nulls[9], any,
				  any ? histogram_mean(histogram) : 0);
		set_float(&values[10], &nulls[10], any && n > 1,
				  any && n > 1 ? histogram_stddev(histogram) : 0);
		any = any && histogram->grid != NULL;
		set_float(&values[11], &nulls[11], any,
				  any ? histogram_quantile(histogram, 0.5) : 0);
		values[12] = CStringGetTextDatum(feature->type_name);
		values[13] = CStringGetTextDatum(status);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}

/* The features' names, as far as they fit into a message */
static char *
known_names(const Profile *profile)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < profile->n_features; i++)
	{
		if (names.len > 400)
		{
			appendStringInfoString(&names, ", ...");
			break;
		}
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "",
						 feature_name(profile->features[i]));
	}
	return names.data;
}

static Feature *
named_feature(FunctionCallInfo fcinfo)
{
	Profile    *profile = profile_argument(fcinfo, 0);
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	Feature    *feature = profile_find(profile, name);

	if (feature == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("profile has no feature \"%s\"", name),
				 errhint("Its features are: %s.", known_names(profile))));
	return feature;
}

/* histogram_of(profile, column): NULL when it is of another kind */
Datum
mlmeta_profile_histogram_of(PG_FUNCTION_ARGS)
{
	Feature    *feature = named_feature(fcinfo);

	if (feature->histogram == NULL)
		PG_RETURN_NULL();
	return summary_datum(feature->histogram);
}

/* frequencies_of(profile, column): NULL when it is of another kind */
Datum
mlmeta_profile_frequencies_of(PG_FUNCTION_ARGS)
{
	Feature    *feature = named_feature(fcinfo);

	if (feature->table == NULL)
		PG_RETURN_NULL();
	return summary_datum(feature->table);
}

/*
 * select_columns(profile, names): the profile of these columns alone, in this
 * order; NULLs among the names are skipped, one named twice counts once. 42703
 * when there is no such column.
 */
Datum
mlmeta_profile_select_columns(PG_FUNCTION_ARGS)
{
	Profile    *profile = profile_argument(fcinfo, 0);
	Profile    *selected = profile_frame(profile);
	Datum	   *names;
	bool	   *nulls;
	int			n;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false,
					  TYPALIGN_INT, &names, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		char	   *name;

		CHECK_FOR_INTERRUPTS();
		if (nulls[i])
			continue;
		name = TextDatumGetCString(names[i]);
		if (!profile_has_column(selected, name) &&
			!profile_take_column(selected, profile, name))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("profile has no column \"%s\"", name),
					 errhint("Its features are: %s.", known_names(profile))));
		pfree(name);
	}
	return summary_datum(selected);
}
