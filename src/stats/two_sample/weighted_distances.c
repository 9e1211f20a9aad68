/*-------------------------------------------------------------------------
 *
 * weighted_distances.c
 *		Distances of two samples of weighted rows.
 *
 * A row counts as often as its weight says, which need not be whole. Rows go
 * to a tuplestore and are sorted by the server's own sort, by value, sample
 * and weight, so that sums do not depend on their order of arrival. Both spill
 * beyond work_mem.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "catalog/pg_type_d.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "stats/two_sample/difference_integral.h"
#include "stats/two_sample/two_sample.h"
#include "utils/float.h"
#include "utils/tuplesort.h"
#include "utils/tuplestore.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(mlmeta_weighted_transition);
PG_FUNCTION_INFO_V1(mlmeta_ks_weighted_final);
PG_FUNCTION_INFO_V1(mlmeta_wasserstein_weighted_final);
PG_FUNCTION_INFO_V1(mlmeta_energy_distance_weighted_final);

/* Columns of a stored row */
#define ROW_COLUMNS		3

typedef struct WeightedSamples
{
	Tuplestorestate *rows;
	TupleDesc	desc;
} WeightedSamples;

static void
end_rows(Datum arg)
{
	WeightedSamples *state = (WeightedSamples *) DatumGetPointer(arg);

	tuplestore_end(state->rows);
}

/*
 * The rows are freed at the end of the group. In a window they live, like the
 * files of two_sample.c, until the next state is made.
 */
static WeightedSamples *
make_state(FunctionCallInfo fcinfo)
{
	MemoryContext context;
	MemoryContext previous;
	WeightedSamples *state = fcinfo->flinfo->fn_extra;
	WindowAggState *window = NULL;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "weighted samples are collected outside of an aggregate");
	if (IsA(fcinfo->context, WindowAggState))
	{
		if (state != NULL)
		{
			tuplestore_clear(state->rows);
			return state;
		}
		window = (WindowAggState *) fcinfo->context;
		context = window->ss.ps.state->es_query_cxt;
	}
	previous = MemoryContextSwitchTo(context);
	state = palloc(sizeof(WeightedSamples));
	state->desc = CreateTemplateTupleDesc(ROW_COLUMNS);
	TupleDescInitEntry(state->desc, 1, "value", FLOAT8OID, -1, 0);
	TupleDescInitEntry(state->desc, 2, "is_current", BOOLOID, -1, 0);
	TupleDescInitEntry(state->desc, 3, "weight", FLOAT8OID, -1, 0);
	state->rows = tuplestore_begin_heap(false, false, work_mem);
	if (window != NULL)
	{
		RegisterExprContextCallback(window->ss.ps.ps_ExprContext, end_rows,
									PointerGetDatum(state));
		fcinfo->flinfo->fn_extra = state;
	}
	else
		AggRegisterCallback(fcinfo, end_rows, PointerGetDatum(state));
	MemoryContextSwitchTo(previous);
	return state;
}

/*
 * (state, value float8, is_current boolean, weight float8). A row with a NULL
 * or a value that is NaN takes no part, nor does a weight of 0. Raises 22003
 * if the weight is negative or not finite.
 */
Datum
mlmeta_weighted_transition(PG_FUNCTION_ARGS)
{
	WeightedSamples *state = PG_ARGISNULL(0) ? make_state(fcinfo) :
		(WeightedSamples *) PG_GETARG_POINTER(0);
	Datum		values[ROW_COLUMNS];
	bool		nulls[ROW_COLUMNS] = {false};
	double		value;
	double		weight;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		PG_RETURN_POINTER(state);
	value = PG_GETARG_FLOAT8(1);
	weight = PG_GETARG_FLOAT8(3);
	if (!(weight >= 0) || isinf(weight))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("weight %s of a row of two samples is out of range",
						float8out_internal(weight)),
				 errdetail("A weight is a finite number from 0 on.")));
	if (isnan(value) || weight == 0)
		PG_RETURN_POINTER(state);
	values[0] = Float8GetDatum(value + 0.0);	/* no -0.0 */
	values[1] = PG_GETARG_DATUM(2);
	values[2] = PG_GETARG_DATUM(3);
	tuplestore_putvalues(state->rows, state->desc, values, nulls);
	PG_RETURN_POINTER(state);
}

static Tuplesortstate *
sort_rows(WeightedSamples *state, TupleTableSlot *slot)
{
	AttrNumber	columns[ROW_COLUMNS] = {1, 2, 3};
	Oid			less = lookup_type_cache(FLOAT8OID, TYPECACHE_LT_OPR)->lt_opr;
	Oid			operators[ROW_COLUMNS] = {
		less, lookup_type_cache(BOOLOID, TYPECACHE_LT_OPR)->lt_opr, less
	};
	Oid			collations[ROW_COLUMNS] = {0};
	bool		nulls_first[ROW_COLUMNS] = {false};
	Tuplesortstate *sort = tuplesort_begin_heap(state->desc, ROW_COLUMNS,
												columns, operators,
												collations, nulls_first,
												work_mem, NULL,
												TUPLESORT_RANDOMACCESS);

	tuplestore_rescan(state->rows);
	while (tuplestore_gettupleslot(state->rows, true, false, slot))
	{
		CHECK_FOR_INTERRUPTS();
		tuplesort_puttupleslot(sort, slot);
	}
	tuplesort_performsort(sort);
	return sort;
}

static double
row_weight(TupleTableSlot *slot, int *sample, double *value)
{
	slot_getallattrs(slot);
	*value = DatumGetFloat8(slot->tts_values[0]);
	*sample = DatumGetBool(slot->tts_values[1]) ? CURRENT : REFERENCE;
	return DatumGetFloat8(slot->tts_values[2]);
}

typedef enum WeightedMeasure
{
	SUPREMUM,					/* of |F - G| */
	INTEGRAL,					/* of |F - G| */
	INTEGRAL_OF_SQUARE			/* of (F - G)^2: the energy distance */
} WeightedMeasure;

/*
 * What the measure says of F - G; false if a sample weighs nothing.
 */
static bool
weigh(FunctionCallInfo fcinfo, WeightedMeasure measure, double *result)
{
	WeightedSamples *state;
	Tuplesortstate *sort;
	TupleTableSlot *slot;
	DifferenceIntegral integral = {.square = measure == INTEGRAL_OF_SQUARE};
	double		supremum = 0;
	Compensated all[2] = {{0}};
	Compensated below[2] = {{0}};
	double		total[2];
	double		value;
	int			sample;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "weighted samples are compared outside of an aggregate");
	if (PG_ARGISNULL(0))
		return false;
	state = (WeightedSamples *) PG_GETARG_POINTER(0);
	slot = MakeSingleTupleTableSlot(state->desc, &TTSOpsMinimalTuple);
	sort = sort_rows(state, slot);
	while (tuplesort_gettupleslot(sort, true, false, slot, NULL))
	{
		double		weight = row_weight(slot, &sample, &value);

		compensated_add(&all[sample], weight);
	}
	for (int i = 0; i < 2; i++)
	{
		total[i] = compensated_value(&all[i]);
		if (isinf(total[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("the weights of a sample sum to more than a "
							"float8 can hold")));
	}
	if (total[REFERENCE] > 0 && total[CURRENT] > 0)
	{
		tuplesort_rescan(sort);
		while (tuplesort_gettupleslot(sort, true, false, slot, NULL))
		{
			double		weight = row_weight(slot, &sample, &value);

			double		difference =
				compensated_value(&below[REFERENCE]) / total[REFERENCE] -
				compensated_value(&below[CURRENT]) / total[CURRENT];

			/* steps at one value have nothing between them */
			if (integral.any && value != integral.previous)
				supremum = Max(supremum, fabs(difference));
			difference_integral_step(&integral, value, difference);
			compensated_add(&below[sample], weight);
		}
	}
	tuplesort_end(sort);
	ExecDropSingleTupleTableSlot(slot);
	*result = measure == SUPREMUM ? Min(supremum, 1.0) :
		measure == INTEGRAL ? difference_integral_value(&integral) :
		difference_integral_energy(&integral);
	return total[REFERENCE] > 0 && total[CURRENT] > 0;
}

Datum
mlmeta_ks_weighted_final(PG_FUNCTION_ARGS)
{
	double		result;

	if (!weigh(fcinfo, SUPREMUM, &result))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(result);
}

Datum
mlmeta_wasserstein_weighted_final(PG_FUNCTION_ARGS)
{
	double		result;

	if (!weigh(fcinfo, INTEGRAL, &result))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(result);
}

Datum
mlmeta_energy_distance_weighted_final(PG_FUNCTION_ARGS)
{
	double		result;

	if (!weigh(fcinfo, INTEGRAL_OF_SQUARE, &result))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(result);
}
