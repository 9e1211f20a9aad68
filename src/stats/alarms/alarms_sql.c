/*-------------------------------------------------------------------------
 *
 * alarms_sql.c
 *		The alarm rule's tests in SQL: what is usual between windows, two in
 *		a row, spread, takeover, profiles without one of their windows.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "stats/alarms/takeover_summaries.h"
#include "stats/alarms/usual.h"
#include "stats/measures.h"
#include "stats/options.h"
#include "stats/summaries/frequencies.h"
#include "stats/summaries/histogram_compare.h"
#include "stats/summaries/profile.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(mlmeta_usual_p_value);
PG_FUNCTION_INFO_V1(mlmeta_usual_effect);
PG_FUNCTION_INFO_V1(mlmeta_window_autocorrelation);
PG_FUNCTION_INFO_V1(mlmeta_effective_windows);
PG_FUNCTION_INFO_V1(mlmeta_two_in_a_row);
PG_FUNCTION_INFO_V1(mlmeta_spread_test);
PG_FUNCTION_INFO_V1(mlmeta_level_test);
PG_FUNCTION_INFO_V1(mlmeta_histogram_takeover_test);
PG_FUNCTION_INFO_V1(mlmeta_frequencies_takeover_test);
PG_FUNCTION_INFO_V1(mlmeta_profile_minus);

/* ----------
 * Arguments
 * ----------
 */

/* Numbers of an array, NULLs as NaN; *k is their number */
static double *
numbers_argument(const char *function_name, const char *what, Datum value,
				 int *k)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	Datum	   *values;
	bool	   *nulls;
	double	   *numbers;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s: %s must have one dimension", function_name,
						what)));
	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &values, &nulls, k);
	numbers = palloc(Max(*k, 1) * sizeof(double));
	for (int i = 0; i < *k; i++)
		numbers[i] = nulls[i] ? get_float8_nan() : DatumGetFloat8(values[i]);
	return numbers;
}

static double
optional_number(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) ? get_float8_nan() : PG_GETARG_FLOAT8(i);
}

static void
check_p_value(const char *function_name, double p)
{
	if (!(p >= 0 && p <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s: a p-value must be from 0 to 1", function_name),
				 errdetail("It is %g.", p)));
}

/* Which law the effects of ordinary windows follow */
static const char *const usual_laws[] = {"distance", "maximum", NULL};

/*
 * effects, scales, windows, law at the arguments from first on. Scales may be
 * NULL; there must be as many as effects otherwise.
 */
typedef struct UsualArguments
{
	UsualMoments moments;
	double		windows;
	bool		is_maximum;
} UsualArguments;

static UsualArguments
usual_arguments(FunctionCallInfo fcinfo, const char *function_name,
				double scale, int first)
{
	UsualArguments arguments;
	UsualWindows windows = {0};
	int			k;

	windows.effects = numbers_argument(function_name, "effects",
									   PG_GETARG_DATUM(first), &windows.k);
	if (!PG_ARGISNULL(first + 1))
	{
		windows.scales = numbers_argument(function_name, "scales",
										  PG_GETARG_DATUM(first + 1), &k);
		if (k != windows.k)
			ereport(ERROR,
					(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
					 errmsg("%s: there must be as many scales as effects",
							function_name),
					 errdetail("There are %d and %d.", k, windows.k)));
	}
	arguments.windows = optional_number(fcinfo, first + 2);
	arguments.is_maximum = choice_parse(function_name, "law",
										text_to_cstring(PG_GETARG_TEXT_PP(first + 3)),
										usual_laws) == 1;
	arguments.moments = usual_moments(&windows, scale);
	return arguments;
}

static Datum
number_or_null(FunctionCallInfo fcinfo, double value)
{
	if (isnan(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

/* ----------
 * Usual between windows
 * ----------
 */

/* usual_p_value(effect, scale, effects, scales, windows, law) */
Datum
mlmeta_usual_p_value(PG_FUNCTION_ARGS)
{
	UsualArguments usual;
	double		effect;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(2) || PG_ARGISNULL(5))
		PG_RETURN_NULL();
	usual = usual_arguments(fcinfo, "usual_p_value",
							PG_ARGISNULL(1) ? 0 : PG_GETARG_FLOAT8(1), 2);
	effect = fabs(PG_GETARG_FLOAT8(0));
	return number_or_null(fcinfo, usual.is_maximum ?
						  usual_maximum_pvalue(effect, &usual.moments) :
						  usual_distance_pvalue(effect, &usual.moments,
												usual.windows));
}

/* usual_effect(p, scale, effects, scales, windows, law) */
Datum
mlmeta_usual_effect(PG_FUNCTION_ARGS)
{
	UsualArguments usual;
	double		p;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(2) || PG_ARGISNULL(5))
		PG_RETURN_NULL();
	p = PG_GETARG_FLOAT8(0);
	check_p_value("usual_effect", p);
	usual = usual_arguments(fcinfo, "usual_effect",
							PG_ARGISNULL(1) ? 0 : PG_GETARG_FLOAT8(1), 2);
	if (p == 0 || p == 1)
		PG_RETURN_NULL();
	return number_or_null(fcinfo, usual.is_maximum ?
						  usual_maximum_at(p, &usual.moments) :
						  usual_distance_at(p, &usual.moments,
											usual.windows));
}

/* window_autocorrelation(effects): NULLs are left out */
Datum
mlmeta_window_autocorrelation(PG_FUNCTION_ARGS)
{
	int			k;
	int			n = 0;
	double	   *effects = numbers_argument("window_autocorrelation",
										   "effects", PG_GETARG_DATUM(0), &k);

	for (int i = 0; i < k; i++)
		if (!isnan(effects[i]))
			effects[n++] = effects[i];
	return number_or_null(fcinfo, lag_one_correlation(effects, n));
}

/*
 * effective_windows(windows, autocorrelation): of so many windows as many as
 * independent ones would say as much; the correlation, whose estimate is
 * 1/windows too small on average, is taken from 0 to 1/2.
 */
Datum
mlmeta_effective_windows(PG_FUNCTION_ARGS)
{
	double		k = PG_GETARG_FLOAT8(0);
	double		r = PG_GETARG_FLOAT8(1) + 1 / k;

	if (!(k > 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("effective_windows: there must be windows")));
	r = r > 0 ? Min(r, 0.5) : 0;
	PG_RETURN_FLOAT8(k * (1 - r) / (1 + r));
}

/* two_in_a_row(p, previous): a previous one that is NULL proves nothing */
Datum
mlmeta_two_in_a_row(PG_FUNCTION_ARGS)
{
	double		p;
	double		previous = 1;
	double		both;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	p = PG_GETARG_FLOAT8(0);
	check_p_value("two_in_a_row", p);
	if (!PG_ARGISNULL(1))
	{
		previous = PG_GETARG_FLOAT8(1);
		check_p_value("two_in_a_row", previous);
	}
	both = Max(p, previous);
	PG_RETURN_FLOAT8(Min(1, 2 * Min(p, both * both)));
}

/* A row of three numbers, NaN as NULL */
static Datum
numbers_row(FunctionCallInfo fcinfo, const double *numbers)
{
	TupleDesc	desc;
	Datum		values[3];
	bool		nulls[3];

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	for (int i = 0; i < 3; i++)
	{
		values[i] = Float8GetDatum(numbers[i]);
		nulls[i] = isnan(numbers[i]);
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, nulls)));
}

/* spread_test(log_spread, n, log_spreads, sizes, windows, alpha) */
Datum
mlmeta_spread_test(PG_FUNCTION_ARGS)
{
	double	   *spreads;
	double	   *sizes;
	double		alpha;
	double		numbers[3];
	int			k;
	int			n_sizes;
	SpreadResult result;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) ||
		PG_ARGISNULL(3) || PG_ARGISNULL(5))
		PG_RETURN_NULL();
	spreads = numbers_argument("spread_test", "log_spreads",
							   PG_GETARG_DATUM(2), &k);
	sizes = numbers_argument("spread_test", "sizes", PG_GETARG_DATUM(3),
							 &n_sizes);
	alpha = PG_GETARG_FLOAT8(5);
	measure_check_alpha("spread_test", alpha);
	if (k != n_sizes)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("spread_test: there must be as many sizes as "
						"log_spreads"),
				 errdetail("There are %d and %d.", n_sizes, k)));
	result = spread_against(PG_GETARG_FLOAT8(0),
							(double) PG_GETARG_INT64(1), k, spreads, sizes,
							optional_number(fcinfo, 4), alpha);
	numbers[0] = result.difference;
	numbers[1] = result.low;
	numbers[2] = result.p_value;
	return numbers_row(fcinfo, numbers);
}

/* level_test(level, side, error, levels) */
Datum
mlmeta_level_test(PG_FUNCTION_ARGS)
{
	double		numbers[3];
	double	   *levels;
	int			k;
	int			side;
	LevelResult result;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(3))
		PG_RETURN_NULL();
	side = PG_GETARG_INT32(1);
	if (side != 1 && side != -1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("level_test: side must be 1 or -1"),
				 errdetail("It is %d.", side)));
	levels = numbers_argument("level_test", "levels", PG_GETARG_DATUM(3), &k);
	result = level_against(optional_number(fcinfo, 0), side,
						   optional_number(fcinfo, 2), k, levels);
	numbers[0] = result.mean;
	numbers[1] = result.limit;
	numbers[2] = result.p_value;
	return numbers_row(fcinfo, numbers);
}

/* ----------
 * Takeover
 * ----------
 */

static Datum
takeover_row(FunctionCallInfo fcinfo, Takeover takeover, const char *value,
			 int64 n, int64 m, double alpha)
{
	TupleDesc	desc;
	Datum		values[6];
	bool		nulls[6] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "takeover_test returns no row");
	if (isnan(takeover.p_value))
		PG_RETURN_NULL();
	nulls[0] = value == NULL;
	if (value != NULL)
		values[0] = CStringGetTextDatum(value);
	values[1] = Float8GetDatum(takeover.share_reference);
	values[2] = Float8GetDatum(takeover.share_current);
	values[3] = Float8GetDatum(takeover.p_value);
	values[4] = Float8GetDatum(takeover.cell < 0 ? 0 :
							   share_difference_low(takeover.share_reference,
													takeover.share_current,
													(double) n, (double) m,
													alpha));
	values[5] = Float8GetDatum(takeover.effect);
	nulls[1] = nulls[2] = takeover.cell < 0;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, nulls)));
}

/* takeover_test(histogram, histogram, alpha): over the bins */
Datum
mlmeta_histogram_takeover_test(PG_FUNCTION_ARGS)
{
	Histogram  *reference =
	histogram_settled(summary_read(PG_GETARG_DATUM(0), &histogram_type));
	Histogram  *current =
	histogram_settled(summary_read(PG_GETARG_DATUM(1), &histogram_type));
	double		alpha = PG_GETARG_FLOAT8(2);
	char	   *value;
	Takeover	takeover;

	measure_check_alpha("takeover_test", alpha);
	histogram_check_same_grid("takeover_test", reference, current);
	takeover = takeover_of_histograms(reference, current, &value);
	return takeover_row(fcinfo, takeover, value, reference->n, current->n,
						alpha);
}

/* takeover_test(frequency_table, frequency_table, alpha) */
Datum
mlmeta_frequencies_takeover_test(PG_FUNCTION_ARGS)
{
	FrequencyTable *reference = summary_read(PG_GETARG_DATUM(0),
											 &frequency_table_type);
	FrequencyTable *current = summary_read(PG_GETARG_DATUM(1),
										   &frequency_table_type);
	double		alpha = PG_GETARG_FLOAT8(2);
	char	   *value;
	Takeover	takeover;

	measure_check_alpha("takeover_test", alpha);
	if ((reference->form == FREQUENCIES_DETACHED ||
		 current->form == FREQUENCIES_DETACHED) &&
		(reference->n_entries != current->n_entries ||
		 !hash128_equal(frequency_table_grid(reference),
						frequency_table_grid(current))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("takeover_test: the frequency tables are on different "
						"baselines"),
				 errhint("attach() gives a detached one its values back.")));
	takeover = takeover_of_tables(reference, current, &value);
	return takeover_row(fcinfo, takeover, value, reference->n, current->n,
						alpha);
}

/* ----------
 * A profile without one of its windows
 * ----------
 */

/* The first feature of the profile with the name and kind of this one */
static Feature *
same_feature(const Profile *profile, const Feature *feature)
{
	for (int i = 0; i < profile->n_features; i++)
		if (profile->features[i]->kind == feature->kind &&
			strcmp(profile->features[i]->column, feature->column) == 0)
			return profile->features[i];
	return NULL;
}

/* minus(total, part): what remains of a profile, feature by feature */
Datum
mlmeta_profile_minus(PG_FUNCTION_ARGS)
{
	Profile    *whole = profile_settled(summary_read(PG_GETARG_DATUM(0),
													 &profile_type));
	Profile    *part = profile_settled(summary_read(PG_GETARG_DATUM(1),
													&profile_type));
	Profile    *rest = summary_copy(whole);

	if (part->n_rows > rest->n_rows)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a profile can only be subtracted from one that "
						"contains its rows"),
				 errdetail("A number of rows would become negative.")));
	rest->n_rows -= part->n_rows;
	for (int i = 0; i < rest->n_features; i++)
	{
		Feature    *feature = rest->features[i];
		Feature    *other = i < part->n_features ? part->features[i] : NULL;

		if (other == NULL || other->kind != feature->kind ||
			strcmp(other->column, feature->column) != 0)
			other = same_feature(part, feature);
		if (other == NULL)
			continue;
		if (feature->histogram != NULL)
			histogram_combine(feature->histogram, other->histogram, -1);
		else if (feature->table != NULL)
			frequency_table_subtract(feature->table, other->table);
		else
		{
			feature->n -= other->n;
			feature->nulls -= other->nulls;
		}
	}
	PG_RETURN_DATUM(summary_datum(rest));
}
