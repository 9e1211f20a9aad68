/*-------------------------------------------------------------------------
 *
 * slices.c
 *		Sums of a loss over all slices of one and two features, in one scan.
 *
 * Every row has a code for each feature, below the feature's number of levels.
 * The state is a float8 array, a square of cells over all levels of all
 * features, of which only the upper triangle is used: on the diagonal the rows
 * with one level, elsewhere those with two levels of different features. A cell
 * has the number of rows, the sum of the loss and that of its square.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "stats/laws/distributions.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(mlmeta_slice_sums_transition);
PG_FUNCTION_INFO_V1(mlmeta_slice_sums_combine);
PG_FUNCTION_INFO_V1(mlmeta_slice_tests);

#define MAX_FEATURES	128
#define MAX_LEVELS		512		/* of all features together */
#define CELL_NUMBERS	3		/* rows, sum, sum of squares */
#define TEST_COLUMNS	9

/* Beyond it, a double does not count */
#define MAX_ROWS		9007199254740992.0

/* Of arrays without NULLs; ARR_DATA_PTR compares signed with unsigned */
#define ARRAY_START(array) \
	((char *) (array) + ARR_OVERHEAD_NONULLS(ARR_NDIM(array)))

/* Two-sided 95 % limit of the normal law, one side of which is used */
#define BOUND_DEVIATIONS	1.959963984540054

typedef struct Levels
{
	int			n_features;
	int			total;
	int			first[MAX_FEATURES + 1];	/* of each feature */
} Levels;

/* The elements of an integer array without NULLs; 22004 or 2202E otherwise */
static const int32 *
integers(ArrayType *array, const char *what, int *n)
{
	if (ARR_NDIM(array) > 1 || ARR_ELEMTYPE(array) != INT4OID)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s of slices must be an integer array of one dimension",
						what)));
	if (ARR_HASNULL(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s of slices must not be null", what)));
	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	return *n == 0 ? NULL : (const int32 *) ARRAY_START(array);
}

/* 22023 for too many or too few of anything */
static void
read_levels(ArrayType *array, Levels *levels)
{
	const int32 *counts = integers(array, "levels", &levels->n_features);

	if (levels->n_features < 1 || levels->n_features > MAX_FEATURES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("slices need from 1 to %d features, not %d",
						MAX_FEATURES, levels->n_features)));
	levels->total = 0;
	for (int i = 0; i < levels->n_features; i++)
	{
		if (counts[i] < 1 || counts[i] > MAX_LEVELS - levels->total)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("slices need from 1 to %d levels of all features together",
							MAX_LEVELS)));
		levels->first[i] = levels->total;
		levels->total += counts[i];
	}
	levels->first[levels->n_features] = levels->total;
}

/* The numbers of a state; 22023 unless it belongs to so many levels */
static double *
state_numbers(ArrayType *state, int total)
{
	int			wanted = total * total * CELL_NUMBERS;

	if (ARR_NDIM(state) != 1 || ARR_ELEMTYPE(state) != FLOAT8OID ||
		ARR_HASNULL(state) ||
		ArrayGetNItems(1, ARR_DIMS(state)) != wanted)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("sums of slices are not of these levels")));
	return (double *) ARRAY_START(state);
}

static ArrayType *
empty_state(int total)
{
	int			n = total * total * CELL_NUMBERS;
	Size		size = ARR_OVERHEAD_NONULLS(1) + sizeof(double) * n;
	ArrayType  *state = palloc0(size);

	SET_VARSIZE(state, size);
	state->ndim = 1;
	state->elemtype = FLOAT8OID;
	ARR_DIMS(state)[0] = n;
	ARR_LBOUND(state)[0] = 1;
	return state;
}

/*
 * slice_sums(state, codes, loss, levels): a row whose codes or loss are NULL, or
 * whose loss is not finite, is left out. In place inside an aggregate.
 */
Datum
mlmeta_slice_sums_transition(PG_FUNCTION_ARGS)
{
	bool		in_place = AggCheckCallContext(fcinfo, NULL) != 0;
	ArrayType  *state;
	Levels		levels;
	const int32 *codes;
	double	   *numbers;
	double		loss;
	int			places[MAX_FEATURES];
	int			n;

	if (PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("levels of slices must not be null")));
	read_levels(PG_GETARG_ARRAYTYPE_P(3), &levels);
	if (PG_ARGISNULL(0))
		state = empty_state(levels.total);
	else
		state = in_place ? PG_GETARG_ARRAYTYPE_P(0) :
			PG_GETARG_ARRAYTYPE_P_COPY(0);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) ||
		!isfinite(loss = PG_GETARG_FLOAT8(2)))
		PG_RETURN_ARRAYTYPE_P(state);

	numbers = state_numbers(state, levels.total);
	codes = integers(PG_GETARG_ARRAYTYPE_P(1), "codes", &n);
	if (n != levels.n_features)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a row of slices has %d codes for %d features", n,
						levels.n_features)));
	for (int i = 0; i < n; i++)
	{
		if (codes[i] < 0 || codes[i] >= levels.first[i + 1] - levels.first[i])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("code %d of feature %d of slices is out of range",
							codes[i], i + 1)));
		places[i] = levels.first[i] + codes[i];
	}
	for (int i = 0; i < n; i++)
	{
		double	   *row = numbers + (Size) places[i] * levels.total * CELL_NUMBERS;

		for (int j = i; j < n; j++)
		{
			double	   *cell = row + places[j] * CELL_NUMBERS;

			cell[0] += 1;
			cell[1] += loss;
			cell[2] += loss * loss;
		}
	}
	PG_RETURN_ARRAYTYPE_P(state);
}

/* The sum of two states; of one and NULL, that one */
Datum
mlmeta_slice_sums_combine(PG_FUNCTION_ARGS)
{
	ArrayType  *state;
	ArrayType  *other;
	double	   *into;
	double	   *from;
	int			n;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	if (PG_ARGISNULL(0))
		PG_RETURN_DATUM(PG_GETARG_DATUM(1));
	state = AggCheckCallContext(fcinfo, NULL) ? PG_GETARG_ARRAYTYPE_P(0) :
		PG_GETARG_ARRAYTYPE_P_COPY(0);
	other = PG_GETARG_ARRAYTYPE_P(1);
	n = ArrayGetNItems(ARR_NDIM(state), ARR_DIMS(state));
	if (ARR_ELEMTYPE(state) != FLOAT8OID || ARR_ELEMTYPE(other) != FLOAT8OID ||
		ARR_HASNULL(state) || ARR_HASNULL(other) ||
		ArrayGetNItems(ARR_NDIM(other), ARR_DIMS(other)) != n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("sums of slices are not of the same levels")));
	into = (double *) ARRAY_START(state);
	from = (double *) ARRAY_START(other);
	for (int i = 0; i < n; i++)
		into[i] += from[i];
	PG_RETURN_ARRAYTYPE_P(state);
}

/*
 * One slice against all other rows, by Welch's statistic and the normal law: the
 * excess of its mean, a lower bound of that at 97.5 %, the p-value of "no more".
 */
static void
put_test(ReturnSetInfo *rsinfo, const double *cell, const double *all,
		 const int32 *places)
{
	Datum		values[TEST_COLUMNS];
	bool		nulls[TEST_COLUMNS] = {false};
	double		n = cell[0];
	double		m = all[0] - cell[0];
	double		mean = cell[1] / n;
	double		rest = (all[1] - cell[1]) / m;
	double		squares = cell[2] - n * mean * mean;
	double		rest_squares = all[2] - cell[2] - m * rest * rest;
	double		error = sqrt(Max(squares, 0) / (n - 1) / n +
							 Max(rest_squares, 0) / (m - 1) / m);
	double		excess = mean - rest;

	for (int i = 0; i < 4; i++)
		values[i] = Int32GetDatum(places[i]);
	nulls[2] = nulls[3] = places[2] < 0;
	values[4] = Int64GetDatum((int64) n);
	values[5] = Float8GetDatum(mean);
	values[6] = Float8GetDatum(excess);
	values[7] = Float8GetDatum(excess - BOUND_DEVIATIONS * error);
	values[8] = Float8GetDatum(error > 0 ? normal_sf(excess / error) :
							   excess > 0 ? 0 : 1);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * slice_tests(sums, levels, smallest): a row for each slice that has at least so
 * many rows, and leaves as many others. 22023 for sums that no rows have.
 */
Datum
mlmeta_slice_tests(PG_FUNCTION_ARGS)
{
	Levels		levels;
	double	   *numbers;
	double		smallest = Max(PG_GETARG_INT64(2), 2);
	double		all[CELL_NUMBERS] = {0};

	read_levels(PG_GETARG_ARRAYTYPE_P(1), &levels);
	numbers = state_numbers(PG_GETARG_ARRAYTYPE_P(0), levels.total);
	InitMaterializedSRF(fcinfo, 0);

	/* every row has one level of the first feature */
	for (int i = 0; i < levels.first[1]; i++)
		for (int k = 0; k < CELL_NUMBERS; k++)
			all[k] += numbers[((Size) i * levels.total + i) * CELL_NUMBERS + k];

	for (int a = 0; a < levels.n_features; a++)
		for (int b = a; b < levels.n_features; b++)
			for (int i = levels.first[a]; i < levels.first[a + 1]; i++)
			{
				CHECK_FOR_INTERRUPTS();
				for (int j = a == b ? i : levels.first[b];
					 j < (a == b ? i + 1 : levels.first[b + 1]); j++)
				{
					const double *cell = numbers +
						((Size) i * levels.total + j) * CELL_NUMBERS;
					int32		places[4];

					if (!(cell[0] >= 0 && cell[0] <= MAX_ROWS))
						ereport(ERROR,
								(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
								 errmsg("sums of slices have no number of rows")));
					if (cell[0] < smallest || all[0] - cell[0] < smallest)
						continue;
					places[0] = a + 1;
					places[1] = i - levels.first[a];
					places[2] = a == b ? -1 : b + 1;
					places[3] = a == b ? -1 : j - levels.first[b];
					put_test((ReturnSetInfo *) fcinfo->resultinfo, cell, all,
							 places);
				}
			}
	return (Datum) 0;
}
