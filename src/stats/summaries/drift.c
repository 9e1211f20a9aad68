/*-------------------------------------------------------------------------
 *
 * drift.c
 *		drift(reference profile, current profile): every measure of every
 *		feature, as rows.
 *
 * What cannot be measured is a row whose status says why. The primary tests,
 * which alone may open an alarm, are the Kolmogorov-Smirnov test of a numeric
 * feature, the chi-squared test of a categorical one, and the test of the
 * shares of missing values of any.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "stats/summaries/frequencies_compare.h"
#include "stats/summaries/histogram_compare.h"
#include "stats/measures.h"
#include "stats/summaries/profile.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(mlmeta_profile_drift);

#define DRIFT_COLUMNS	11

/* Cells of equal share for the divergences of numeric features */
#define DRIFT_BINS		10

/* The rows of one feature; a NaN is a number that there is not */
typedef struct Rows
{
	ReturnSetInfo *rsinfo;
	char	   *feature;
	const char *kind;
	int64		n;				/* of the values */
	int64		m;
} Rows;

static void
put_row(Rows *rows, const char *measure, bool is_primary, double statistic,
		double low, double high, double p_value, const char *status)
{
	const double numbers[] = {statistic, low, high, p_value};
	Datum		values[DRIFT_COLUMNS];
	bool		nulls[DRIFT_COLUMNS] = {false};

	values[0] = CStringGetTextDatum(rows->feature);
	values[1] = CStringGetTextDatum(rows->kind);
	values[2] = CStringGetTextDatum(measure);
	for (int i = 0; i < (int) lengthof(numbers); i++)
	{
		values[3 + i] = Float8GetDatum(numbers[i]);
		nulls[3 + i] = isnan(numbers[i]);
	}
	values[7] = Int64GetDatum(rows->n);
	values[8] = Int64GetDatum(rows->m);
	values[9] = CStringGetTextDatum(status);
	values[10] = BoolGetDatum(is_primary);
	tuplestore_putvalues(rows->rsinfo->setResult, rows->rsinfo->setDesc,
						 values, nulls);
}

/* A measure without a number */
static void
put_status(Rows *rows, const char *measure, bool is_primary,
		   const char *status)
{
	double		nan = get_float8_nan();

	put_row(rows, measure, is_primary, nan, nan, nan, nan, status);
}

/* A measure that is known exactly and has no test */
static void
put_value(Rows *rows, const char *measure, double value)
{
	put_row(rows, measure, false, value, value, value, get_float8_nan(),
			isnan(value) ? "no data" : "ok");
}

/* ----------
 * Numeric features
 * ----------
 */

/* Both are one and the same value */
static bool
same_constant(const Histogram *a, const Histogram *b)
{
	double		value = histogram_minimum(a);

	return histogram_maximum(a) == value && histogram_minimum(b) == value &&
		histogram_maximum(b) == value;
}

static void
put_wasserstein(Rows *rows, const Histogram *reference,
				const Histogram *current)
{
	DistanceBounds distance;
	DistanceBounds energy;
	double		unit = histogram_spread(reference);

	if (reference->grid == NULL && current->grid == NULL)
		put_status(rows, "wasserstein", false, "not comparable");
	else if (unit == 0)
		put_status(rows, "wasserstein", false, "constant");
	else if (!histogram_distances("drift", reference, current, &distance,
								  &energy))
		put_status(rows, "wasserstein", false, "no data");
	else if (isinf(distance.high))
		put_row(rows, "wasserstein", false, distance.high, distance.low,
				distance.high, get_float8_nan(), "ok");
	else if (isnan(unit))
		/* infinities on both sides: no unit to measure in */
		put_status(rows, "wasserstein", false, "not comparable");
	else
		put_row(rows, "wasserstein", false,
				(distance.low + (distance.high - distance.low) / 2) / unit,
				distance.low / unit, distance.high / unit, get_float8_nan(),
				"ok");
}

static void
put_no_divergence(Rows *rows, const char *status)
{
	put_status(rows, "hellinger", false, status);
	put_status(rows, "js_distance", false, status);
	put_status(rows, "psi", false, status);
}

static void
put_numeric(Rows *rows, const Histogram *reference, const Histogram *current)
{
	bool		same_grid = histogram_same_grid(reference, current);
	const char *status = same_constant(reference, current) ? "constant" :
		"ok";
	AlignedCounts counts = {0};

	if (!same_grid && (reference->grid == NULL || current->grid == NULL))
		put_status(rows, "ks", true, "not comparable");
	else
	{
		TestResult	ks = histogram_ks_test(reference, current,
										   ALTERNATIVE_TWO_SIDED,
										   KS_METHOD_QUICK);

		put_row(rows, "ks", true, ks.statistic, ks.statistic_low,
				ks.statistic_high, ks.p_value, status);
	}
	if (same_grid)
		counts = histogram_align("drift", reference, current, DRIFT_BINS);
	if (!same_grid)
		put_no_divergence(rows, "not comparable");
	else if (counts.k < 2)
		/* one cell holds everything, wherever that may have gone */
		put_no_divergence(rows, "constant");
	else
	{
		put_value(rows, "hellinger",
				  measure_hellinger(counts.reference, counts.current,
									counts.k));
		put_value(rows, "js_distance",
				  sqrt(measure_js(counts.reference, counts.current,
								  counts.k)));
		put_value(rows, "psi",
				  measure_psi(counts.reference, counts.current, counts.k,
							  EMPTY_FLOOR, PSI_DEFAULT_EPSILON));
	}
	if (!same_grid && (reference->grid == NULL || current->grid == NULL))
		put_status(rows, "wasserstein", false, "not comparable");
	else
		put_wasserstein(rows, reference, current);
}

/* ----------
 * Categorical features
 * ----------
 */

static bool
tables_are_comparable(FrequencyTable *reference, FrequencyTable *current)
{
	return (reference->form != FREQUENCIES_DETACHED &&
			current->form != FREQUENCIES_DETACHED) ||
		(reference->n_entries == current->n_entries &&
		 hash128_equal(frequency_table_grid(reference),
					   frequency_table_grid(current)));
}

/*
 * The share of the current rows whose category the reference never saw. Where
 * the reference did not keep all of its categories, the last cell is what is
 * left on both sides, and may be old or new.
 */
static void
put_new_share(Rows *rows, FrequencyTable *reference,
			  const FrequencyCells *cells)
{
	int64		fresh = 0;
	int64		unknown = 0;

	for (int i = 0; i < cells->k; i++)
		if (cells->reference[i] == 0)
			fresh += cells->current[i];
	if (frequency_table_other(reference) > 0 && cells->k > 0)
		unknown = cells->current[cells->k - 1];
	put_row(rows, "new_category_share", false,
			(double) fresh / (double) rows->m,
			(double) fresh / (double) rows->m,
			(double) (fresh + unknown) / (double) rows->m, get_float8_nan(),
			"ok");
}

static void
put_categorical(Rows *rows, FrequencyTable *reference,
				FrequencyTable *current)
{
	static const char *const others[] = {"js_distance", "new_category_share",
	"psi", "total_variation"};
	FrequencyCells cells;
	FrequencyCells merged;
	TestResult	test;

	if (!tables_are_comparable(reference, current))
	{
		put_status(rows, "chi2", true, "not comparable");
		for (int i = 0; i < (int) lengthof(others); i++)
			put_status(rows, others[i], false, "not comparable");
		return;
	}

	/* the test merges rare cells in place */
	cells = frequency_cells(reference, current);
	merged = frequency_cells(reference, current);
	test = category_test("drift", measure_chi2_test, &merged,
						 MEASURE_MIN_EXPECTED, false, CHI2_CALIBRATED);
	if (cells.k < 2)
		put_row(rows, "chi2", true, 0, 0, 0, 1, "constant");
	else if (isnan(test.statistic))
		put_status(rows, "chi2", true, "too little data");
	else
		put_row(rows, "chi2", true, test.statistic, test.statistic_low,
				test.statistic_high, test.p_value, "ok");
	put_value(rows, "js_distance",
			  sqrt(measure_js(cells.reference, cells.current, cells.k)));
	put_new_share(rows, reference, &cells);
	put_value(rows, "psi", measure_psi(cells.reference, cells.current,
									   cells.k, EMPTY_FLOOR,
									   PSI_DEFAULT_EPSILON));
	put_value(rows, "total_variation",
			  measure_total_variation(cells.reference, cells.current,
									  cells.k));
}

/* ----------
 * Missing values
 * ----------
 */

/*
 * The two-proportion test, exact while that is cheap. NaN where nothing or
 * everything is missing, so that there is nothing to test.
 */
static double
missing_p_value(int64 a, int64 n, int64 b, int64 m)
{
	const int64 reference[] = {a, n - a};
	const int64 current[] = {b, m - b};

	if ((a == 0 && b == 0) || (a == n && b == m))
		return get_float8_nan();
	return measure_calibrated_pvalue(reference, current, 2);
}

static void
put_missing(Rows *rows, const Feature *reference, const Feature *current)
{
	Rows		all = *rows;
	int64		a = feature_null_count(reference) +
		feature_nan_count(reference);
	int64		b = feature_null_count(current) + feature_nan_count(current);
	double		difference;

	all.n = feature_rows(reference);
	all.m = feature_rows(current);
	if (all.n == 0 || all.m == 0)
	{
		put_status(&all, "missing_share", true, "no data");
		return;
	}
	difference = (double) b / (double) all.m - (double) a / (double) all.n;
	put_row(&all, "missing_share", true, difference, difference, difference,
			missing_p_value(a, all.n, b, all.m), "ok");
}

/* ----------
 * Features of both profiles
 * ----------
 */

static const char *
primary_measure(FeatureKind kind)
{
	return feature_is_numeric(kind) ? "ks" :
		feature_is_categorical(kind) ? "chi2" : "missing_share";
}

static void
put_feature(Rows *rows, const Feature *reference, const Feature *current)
{
	const char *status = NULL;

	rows->n = feature_count(reference);
	rows->m = feature_count(current);
	if (feature_rows(reference) == 0 || feature_rows(current) == 0)
		status = "no data";
	else if (rows->n == 0 || rows->m == 0)
		status = "all null";
	if (reference->kind != FEATURE_OTHER)
	{
		if (status != NULL)
			put_status(rows, primary_measure(reference->kind), true, status);
		else if (reference->histogram != NULL)
			put_numeric(rows, reference->histogram, current->histogram);
		else
			put_categorical(rows, reference->table, current->table);
	}
	put_missing(rows, reference, current);
}

/* The k-th feature of the profile with the name and kind of this one */
static Feature *
counterpart(const Profile *profile, const Feature *feature, int k)
{
	for (int i = 0; i < profile->n_features; i++)
	{
		Feature    *candidate = profile->features[i];

		if (candidate->kind == feature->kind &&
			strcmp(candidate->column, feature->column) == 0 && k-- == 0)
			return candidate;
	}
	return NULL;
}

/* How many features before number i have its name and kind */
static int
occurrence(const Profile *profile, int i)
{
	const Feature *feature = profile->features[i];
	int			k = 0;

	for (int j = 0; j < i; j++)
		if (profile->features[j]->kind == feature->kind &&
			strcmp(profile->features[j]->column, feature->column) == 0)
			k++;
	return k;
}

static inline bool
is_of_array(FeatureKind kind)
{
	return kind == FEATURE_LENGTH || kind == FEATURE_NORM;
}

/* Whether the column is in the profile's rows, as something else */
static bool
has_other_kind(const Profile *profile, const Feature *feature)
{
	for (int i = 0; i < profile->n_features; i++)
	{
		const Feature *candidate = profile->features[i];

		if (candidate->kind != feature->kind &&
			!(is_of_array(candidate->kind) && is_of_array(feature->kind)) &&
			strcmp(candidate->column, feature->column) == 0 &&
			feature_rows(candidate) > 0)
			return true;
	}
	return false;
}

static bool
is_absent(const Profile *profile, const Feature *feature)
{
	return feature == NULL ||
		(feature_rows(feature) == 0 && profile->n_rows > 0);
}

/*
 * drift(reference, current): the reference's features in their order, then
 * those that only the current profile has; of each feature the primary test
 * first, then the other measures by name.
 */
Datum
mlmeta_profile_drift(PG_FUNCTION_ARGS)
{
	Profile    *reference =
		profile_settled(summary_read(PG_GETARG_DATUM(0), &profile_type));
	Profile    *current =
		profile_settled(summary_read(PG_GETARG_DATUM(1), &profile_type));
	Rows		rows = {0};

	InitMaterializedSRF(fcinfo, 0);
	rows.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	for (int i = 0; i < reference->n_features; i++)
	{
		Feature    *feature = reference->features[i];
		Feature    *other = counterpart(current, feature,
										occurrence(reference, i));

		CHECK_FOR_INTERRUPTS();
		rows.feature = feature_name(feature);
		rows.kind = feature_kind_name(feature->kind);
		if (is_absent(reference, feature))
			continue;
		if (is_absent(current, other))
		{
			rows.n = feature_count(feature);
			rows.m = 0;
			put_status(&rows, primary_measure(feature->kind), true,
					   has_other_kind(current, feature) ? "kind changed" :
					   "missing column");
		}
		else
			put_feature(&rows, feature, other);
	}
	for (int i = 0; i < current->n_features; i++)
	{
		Feature    *feature = current->features[i];

		if (is_absent(current, feature) ||
			!is_absent(reference, counterpart(reference, feature,
											  occurrence(current, i))))
			continue;
		/* told already where the reference's kind was */
		if (has_other_kind(reference, feature))
			continue;
		rows.feature = feature_name(feature);
		rows.kind = feature_kind_name(feature->kind);
		rows.n = 0;
		rows.m = feature_count(feature);
		put_status(&rows, primary_measure(feature->kind), true, "new column");
	}
	return (Datum) 0;
}
