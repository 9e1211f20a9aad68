/*-------------------------------------------------------------------------
 *
 * frequencies_sql.c
 *		SQL functions of type frequency_table: I/O, aggregates, accessors.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "stats/summaries/frequencies.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(mlmeta_frequency_table_in);
PG_FUNCTION_INFO_V1(mlmeta_frequency_table_out);
PG_FUNCTION_INFO_V1(mlmeta_frequency_table_recv);
PG_FUNCTION_INFO_V1(mlmeta_frequency_table_send);

PG_FUNCTION_INFO_V1(mlmeta_frequencies_text_transition);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_capacity_transition);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_boolean_transition);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_baseline_transition);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_baseline_inverse);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_combine);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_final);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_plus);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_minus);

PG_FUNCTION_INFO_V1(mlmeta_frequencies_n);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_null_count);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_distinct_count);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_other_count);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_count_of);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_count_bound);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_detach);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_attach);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_categories);

/* ----------
 * I/O
 * ----------
 */

Datum
mlmeta_frequency_table_in(PG_FUNCTION_ARGS)
{
	return summary_in(fcinfo, &frequency_table_type);
}

Datum
mlmeta_frequency_table_out(PG_FUNCTION_ARGS)
{
	return summary_out(fcinfo, &frequency_table_type);
}

Datum
mlmeta_frequency_table_recv(PG_FUNCTION_ARGS)
{
	return summary_recv(fcinfo, &frequency_table_type);
}

Datum
mlmeta_frequency_table_send(PG_FUNCTION_ARGS)
{
	return summary_send(fcinfo, &frequency_table_type);
}

/* ----------
 * Aggregates
 * ----------
 */

static FrequencyTable *
table_argument(FunctionCallInfo fcinfo, int argno)
{
	return summary_read(PG_GETARG_DATUM(argno), &frequency_table_type);
}

static inline FrequencyTable *
table_state(FunctionCallInfo fcinfo)
{
	FrequencyTable *table = summary_quick_state(fcinfo);

	return likely(table != NULL) ? table :
		summary_state(fcinfo, &frequency_table_type);
}

/* The same, as what a transition returns */
static inline Datum
table_state_datum(FrequencyTable *table)
{
	return EOHPGetRWDatum(&table->summary.header);
}

static FrequencyTable *
new_table_state(FunctionCallInfo fcinfo)
{
	return summary_new_state(fcinfo, &frequency_table_type, NULL);
}

/* Argument 1, a text, or NULL */
static inline void
add_text_argument(FunctionCallInfo fcinfo, FrequencyTable *table)
{
	text	   *value;

	if (PG_ARGISNULL(1))
	{
		frequency_table_add_null(table);
		return;
	}
	value = PG_GETARG_TEXT_PP(1);
	frequency_table_add(table, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

/* frequencies(value text) */
Datum
mlmeta_frequencies_text_transition(PG_FUNCTION_ARGS)
{
	FrequencyTable *table = table_state(fcinfo);

	if (table == NULL)
	{
		table = new_table_state(fcinfo);
		frequency_table_init(table, FREQUENCIES_DEFAULT_CAPACITY);
	}
	add_text_argument(fcinfo, table);
	return table_state_datum(table);
}

/*
 * frequencies(value text, capacity int). The capacity of the first row counts;
 * a different one later in the group is an error.
 */
Datum
mlmeta_frequencies_capacity_transition(PG_FUNCTION_ARGS)
{
	FrequencyTable *table = table_state(fcinfo);
	int			capacity = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2);

	if (table == NULL)
	{
		if (PG_ARGISNULL(2))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("the capacity of a frequency_table must not be "
							"null")));
		if (capacity < 1 || capacity > FREQUENCIES_MAX_CAPACITY)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a frequency_table cannot have a capacity of %d",
							capacity),
					 errhint("It must be from 1 to %d.",
							 FREQUENCIES_MAX_CAPACITY)));
		table = new_table_state(fcinfo);
		frequency_table_init(table, capacity);
	}
	else if (table->capacity != capacity)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the capacity of a frequency_table changed within a "
						"group"),
				 errdetail("It was %d, and then %d.", table->capacity,
						   capacity)));
	add_text_argument(fcinfo, table);
	return table_state_datum(table);
}

/* frequencies(value boolean): the categories are 'false' and 'true' */
Datum
mlmeta_frequencies_boolean_transition(PG_FUNCTION_ARGS)
{
	FrequencyTable *table = table_state(fcinfo);

	if (table == NULL)
	{
		table = new_table_state(fcinfo);
		frequency_table_init(table, FREQUENCIES_DEFAULT_CAPACITY);
	}
	if (PG_ARGISNULL(1))
		frequency_table_add_null(table);
	else if (PG_GETARG_BOOL(1))
		frequency_table_add(table, "true", 4);
	else
		frequency_table_add(table, "false", 5);
	return table_state_datum(table);
}

/* What a call site remembers of its baseline argument */
typedef struct BaselineSite
{
	bool		is_stable;		/* it cannot change within a group */
	struct varlena *bytes;		/* else the last one, as it was given ... */
	Hash128		grid;			/* ... and the hash of its values */
} BaselineSite;

static BaselineSite *
baseline_site(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
	{
		BaselineSite *site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt,
													sizeof(BaselineSite));

		site->is_stable = aggregate_argument_is_stable(fcinfo, 1);
		fcinfo->flinfo->fn_extra = site;
	}
	return fcinfo->flinfo->fn_extra;
}

/* The hash of the values of argument 2; decodes it only when it is another */
static Hash128
baseline_grid(FunctionCallInfo fcinfo, BaselineSite *site)
{
	struct varlena *bytes = PG_GETARG_VARLENA_PP(2);
	Size		size = VARSIZE_ANY(bytes);
	FrequencyTable *baseline;

	if (site->bytes != NULL && VARSIZE_ANY(site->bytes) == size &&
		memcmp(site->bytes, bytes, size) == 0)
		return site->grid;

	baseline = table_argument(fcinfo, 2);
	site->grid = frequency_table_grid(baseline);
	if (site->bytes != NULL)
		pfree(site->bytes);
	site->bytes = NULL;
	site->bytes = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, size);
	memcpy(site->bytes, bytes, size);
	return site->grid;
}

static void
check_baseline(FunctionCallInfo fcinfo, FrequencyTable *table)
{
	BaselineSite *site = baseline_site(fcinfo);

	if (site->is_stable)
		return;
	if (PG_ARGISNULL(2) ||
		!hash128_equal(baseline_grid(fcinfo, site),
					   frequency_table_grid(table)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the baseline of a frequency_table changed within a "
						"group"),
				 errhint("All rows of a group must name the same baseline; "
						 "add what distinguishes them to GROUP BY.")));
}

/*
 * frequencies(value text, baseline frequency_table). The baseline of the first
 * row counts; a different one later in the group is an error.
 */
Datum
mlmeta_frequencies_baseline_transition(PG_FUNCTION_ARGS)
{
	FrequencyTable *table = table_state(fcinfo);

	if (table == NULL)
	{
		if (PG_ARGISNULL(2))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("the baseline of a frequency_table must not be "
							"null")));
		table = new_table_state(fcinfo);
		frequency_table_init_on(table, table_argument(fcinfo, 2));
	}
	else
		check_baseline(fcinfo, table);
	add_text_argument(fcinfo, table);
	return table_state_datum(table);
}

/* NULL, upon which the window restarts, where it could not be exact */
Datum
mlmeta_frequencies_baseline_inverse(PG_FUNCTION_ARGS)
{
	FrequencyTable *table = table_state(fcinfo);
	bool		removed;

	if (table == NULL)
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
		removed = frequency_table_remove_null(table);
	else
	{
		text	   *value = PG_GETARG_TEXT_PP(1);

		removed = frequency_table_remove(table, VARDATA_ANY(value),
										 VARSIZE_ANY_EXHDR(value));
	}
	if (!removed)
		PG_RETURN_NULL();
	return summary_datum(table);
}

/* Adds two states; also the transition of merge(), which skips NULL */
Datum
mlmeta_frequencies_combine(PG_FUNCTION_ARGS)
{
	FrequencyTable *table = table_state(fcinfo);
	FrequencyTable *other;

	if (PG_ARGISNULL(1))
	{
		if (table == NULL)
			PG_RETURN_NULL();
		return summary_datum(table);
	}
	other = table_argument(fcinfo, 1);
	if (table == NULL)
		table = summary_new_state(fcinfo, &frequency_table_type,
								  &other->summary);
	else
		frequency_table_merge(table, other);
	return summary_datum(table);
}

/*
 * The state itself where nothing remains to be done, else a finished copy. In
 * a window the state goes on to change, so that a copy is what is returned.
 */
Datum
mlmeta_frequencies_final(PG_FUNCTION_ARGS)
{
	FrequencyTable *table;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	table = table_argument(fcinfo, 0);
	if (frequency_table_is_finished(table) &&
		AggCheckCallContext(fcinfo, NULL) == AGG_CONTEXT_AGGREGATE)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	table = frequency_table_copy(table, CurrentMemoryContext);
	frequency_table_finish(table);
	return summary_datum(table);
}

/* ----------
 * Arithmetic
 * ----------
 */

Datum
mlmeta_frequencies_plus(PG_FUNCTION_ARGS)
{
	FrequencyTable *sum = frequency_table_copy(table_argument(fcinfo, 0),
											   CurrentMemoryContext);

	frequency_table_merge(sum, table_argument(fcinfo, 1));
	frequency_table_finish(sum);
	return summary_datum(sum);
}

Datum
mlmeta_frequencies_minus(PG_FUNCTION_ARGS)
{
	FrequencyTable *rest = frequency_table_copy(table_argument(fcinfo, 0),
												CurrentMemoryContext);

	frequency_table_subtract(rest, table_argument(fcinfo, 1));
	frequency_table_finish(rest);
	return summary_datum(rest);
}

Datum
mlmeta_frequencies_detach(PG_FUNCTION_ARGS)
{
	return summary_datum(frequency_table_detach(table_argument(fcinfo, 0),
												CurrentMemoryContext));
}

Datum
mlmeta_frequencies_attach(PG_FUNCTION_ARGS)
{
	return summary_datum(frequency_table_attach(table_argument(fcinfo, 0),
												table_argument(fcinfo, 1),
												CurrentMemoryContext));
}

/* ----------
 * Accessors
 * ----------
 */

Datum
mlmeta_frequencies_n(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(table_argument(fcinfo, 0)->n);
}

Datum
mlmeta_frequencies_null_count(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(table_argument(fcinfo, 0)->nulls);
}

Datum
mlmeta_frequencies_distinct_count(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(frequency_table_distinct(table_argument(fcinfo, 0)));
}

Datum
mlmeta_frequencies_other_count(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(frequency_table_other(table_argument(fcinfo, 0)));
}

/* count_of(f, value): the certain count */
Datum
mlmeta_frequencies_count_of(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(1);
	int64		low;
	int64		high;

	frequency_table_lookup(table_argument(fcinfo, 0), VARDATA_ANY(value),
						   VARSIZE_ANY_EXHDR(value), &low, &high);
	PG_RETURN_INT64(low);
}

/* count_bound(f, value): the most that it can have occurred */
Datum
mlmeta_frequencies_count_bound(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(1);
	int64		low;
	int64		high;

	frequency_table_lookup(table_argument(fcinfo, 0), VARDATA_ANY(value),
						   VARSIZE_ANY_EXHDR(value), &low, &high);
	PG_RETURN_INT64(high);
}

/* One row of categories() */
typedef struct CategoryRow
{
	Category	category;
	int64		count;
	int64		missed;
	bool		is_new;
	int			rank;			/* in byte order */
} CategoryRow;

static int
compare_rows(const void *a, const void *b)
{
	const CategoryRow *x = a;
	const CategoryRow *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return (x->rank > y->rank) - (x->rank < y->rank);
}

/*
 * categories(f): the most frequent first, ties in byte order. The examples of
 * new values follow the values of a baseline.
 */
Datum
mlmeta_frequencies_categories(PG_FUNCTION_ARGS)
{
	FrequencyTable *table = table_argument(fcinfo, 0);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	CategoryRow *rows;
	int			n_rows = table->n_entries + table->n_examples;

	if (table->form == FREQUENCIES_DETACHED)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the frequency_table is detached from its baseline"),
				 errdetail("Its values are with the baseline."),
				 errhint("Use categories(attach(frequency_table, "
						 "baseline)).")));
	InitMaterializedSRF(fcinfo, 0);
	frequency_table_sort(table);
	rows = palloc0(Max(n_rows, 1) * sizeof(CategoryRow));
	for (int i = 0; i < n_rows; i++)
	{
		CategoryRow *row = &rows[i];
		int			example = i - table->n_entries;

		row->rank = i;
		row->is_new = example >= 0;
		if (row->is_new)
		{
			row->category = frequency_table_example(table, example);
			row->count = table->examples[example].count;
		}
		else
		{
			row->category = frequency_table_category(table, i);
			row->count = table->entries[i].count;
			row->missed = table->entries[i].missed;
		}
	}
	qsort(rows, table->n_entries, sizeof(CategoryRow), compare_rows);
	for (int i = 0; i < n_rows; i++)
	{
		Datum		values[5];
		bool		nulls[5] = {false};

		CHECK_FOR_INTERRUPTS();
		values[0] = CStringGetTextDatum(category_display(rows[i].category));
		values[1] = Int64GetDatum(rows[i].count);
		nulls[2] = table->n == 0;
		values[2] = Float8GetDatum(table->n == 0 ? 0.0 :
								   (double) rows[i].count /
								   (double) table->n);
		values[3] = Int64GetDatum(rows[i].count + rows[i].missed);
		values[4] = BoolGetDatum(rows[i].is_new);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}
