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
#include "stats/alarms/takeover_summaries.h"
#include "stats/alarms/usual.h"
#include "stats/summaries/frequencies_compare.h"
#include "stats/summaries/histogram_compare.h"
#include "stats/measures.h"
#include "stats/summaries/profile.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(mlmeta_profile_drift);

/* With the bounds of effects, which the form with a level has */
#define DRIFT_COLUMNS			11
#define DRIFT_BOUND_COLUMNS		17

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
	double		alpha;			/* NaN: no bounds are asked for */
	double		missing_reference;	/* shares of the rows */
	double		missing_current;
} Rows;

/*
 * What the alarm rule compares: an effect as windows of a baseline have theirs
 * too, with a sign where it has a direction, and its lower confidence bound
 * when the statistic is as low, and as high, as it can be.
 */
typedef struct Effect
{
	double		effect;
	double		low;
	double		high;
	const char *value;			/* which value, or NULL */
} Effect;

static void
put_effect(Rows *rows, const char *measure, bool is_primary, double statistic,
		   double low, double high, double p_value, const char *status,
		   const Effect *effect)
{
	const double numbers[] = {statistic, low, high, p_value};
	const double bounds[] = {effect->effect, effect->low, effect->high,
	rows->missing_reference, rows->missing_current};
	Datum		values[DRIFT_BOUND_COLUMNS];
	bool		nulls[DRIFT_BOUND_COLUMNS] = {false};

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
	if (!isnan(rows->alpha))
	{
		for (int i = 0; i < (int) lengthof(bounds); i++)
		{
			values[11 + i] = Float8GetDatum(bounds[i]);
			nulls[11 + i] = isnan(bounds[i]);
		}
		nulls[16] = effect->value == NULL;
		if (effect->value != NULL)
			values[16] = CStringGetTextDatum(effect->value);
	}
	tuplestore_putvalues(rows->rsinfo->setResult, rows->rsinfo->setDesc,
						 values, nulls);
}

static void
put_row(Rows *rows, const char *measure, bool is_primary, double statistic,
		double low, double high, double p_value, const char *status)
{
	double		nan = get_float8_nan();

	put_effect(rows, measure, is_primary, statistic, low, high, p_value,
			   status, &(Effect)
			   {
				   nan, nan, nan, NULL
			   });
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

/*
 * The distance at the bins' edges, positive where current values are larger,
 * as windows of a baseline are compared among each other; 0 without common
 * bins.
 */
static double
signed_distance(const Histogram *reference, const Histogram *current)
{
	double		n = (double) reference->n;
	double		m = (double) current->n;
	double		above = 0;
	double		below = 0;
	int64		a = 0;
	int64		b = 0;

	for (int i = 0; i < reference->n_bins; i++)
	{
		double		difference;

		a += reference->counts[i];
		b += current->counts[i];
		difference = (double) a / n - (double) b / m;
		above = Max(above, difference);
		below = Max(below, -difference);
	}
	return above >= below ? above : -below;
}

/* Massart's bound, once for each sample: what chance adds to a distance */
static double
chance_distance(const Rows *rows)
{
	return sqrt(-log(rows->alpha / 2) / 2) *
		sampling_scale((double) rows->n, (double) rows->m);
}

static void
put_ks(Rows *rows, const Histogram *reference, const Histogram *current,
	   const TestResult *ks, bool same_grid, const char *status)
{
	Effect		effect = {0};

	if (isnan(rows->alpha))
		effect.effect = get_float8_nan();
	else
	{
		double		chance = chance_distance(rows);

		effect.effect = same_grid ? signed_distance(reference, current) :
			ks->statistic_low;
		effect.low = Max(0, ks->statistic_low - chance);
		effect.high = Max(0, ks->statistic_high - chance);
	}
	put_effect(rows, "ks", true, ks->statistic, ks->statistic_low,
			   ks->statistic_high, ks->p_value, status, &effect);
}

/* The distance between the quartiles */
static double
quartile_range(const Histogram *histogram)
{
	return histogram_quantile(histogram, 0.75) -
		histogram_quantile(histogram, 0.25);
}

/*
 * Statistic: how many times as far apart the quartiles are. Effect: the
 * logarithm of their distance, which is compared with those of other windows.
 */
static void
put_spread(Rows *rows, const Histogram *reference, const Histogram *current)
{
	double		before = quartile_range(reference);
	double		now = quartile_range(current->grid != NULL ? current :
									 histogram_attached(unconstify(Histogram *, current),
														reference));
	double		nan = get_float8_nan();
	Effect		effect = {nan, nan, nan, NULL};

	if (!(before > 0) || isinf(before) || !(now >= 0) || isinf(now))
	{
		put_status(rows, "spread", true, "constant");
		return;
	}
	if (now > 0)
		effect.effect = log(now);
	put_effect(rows, "spread", true, now / before, now / before, now / before,
			   nan, now > 0 ? "ok" : "constant", &effect);
}

static void
put_takeover(Rows *rows, const Takeover *takeover, const char *value)
{
	double		moved = takeover->share_current - takeover->share_reference;
	Effect		effect = {takeover->effect, 0, 0, value};

	if (takeover->cell < 0)
		moved = 0;
	else
		effect.low = effect.high =
			share_difference_low(takeover->share_reference,
								 takeover->share_current, (double) rows->n,
								 (double) rows->m, rows->alpha);
	put_effect(rows, "takeover", true, moved, moved, moved,
			   takeover->p_value, "ok", &effect);
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

		put_ks(rows, reference, current, &ks, same_grid, status);
	}
	if (!isnan(rows->alpha) && same_grid)
	{
		char	   *value;
		Takeover	takeover = takeover_of_histograms(reference, current,
													  &value);

		if (reference->grid != NULL)
			put_spread(rows, reference, current);
		put_takeover(rows, &takeover, value);
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

/* Effect: the total variation, whatever cells the test has merged */
static void
put_chi2(Rows *rows, const FrequencyCells *cells, const TestResult *test)
{
	double		nan = get_float8_nan();
	Effect		effect = {nan, nan, nan, NULL};

	if (!isnan(rows->alpha))
	{
		effect.effect = measure_total_variation(cells->reference,
												cells->current, cells->k);
		effect.low = effect.high =
			measure_total_variation_low(effect.effect, cells->k, rows->n,
										rows->m, rows->alpha);
	}
	if (cells->k < 2)
		put_effect(rows, "chi2", true, 0, 0, 0, 1, "constant", &effect);
	else if (isnan(test->statistic))
		put_effect(rows, "chi2", true, nan, nan, nan, nan, "too little data",
				   &effect);
	else
		put_effect(rows, "chi2", true, test->statistic, test->statistic_low,
				   test->statistic_high, test->p_value, "ok", &effect);
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
	put_chi2(rows, &cells, &test);
	if (!isnan(rows->alpha))
	{
		char	   *value;
		Takeover	takeover = takeover_of_tables(reference, current, &value);

		put_takeover(rows, &takeover, value);
	}
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
	Effect		effect = {0};

	all.n = feature_rows(reference);
	all.m = feature_rows(current);
	if (all.n == 0 || all.m == 0)
	{
		put_status(&all, "missing_share", true, "no data");
		return;
	}
	difference = rows->missing_current - rows->missing_reference;
	effect.effect = difference;
	effect.low = effect.high =
		isnan(rows->alpha) ? get_float8_nan() :
		share_difference_low(rows->missing_reference, rows->missing_current,
							 (double) all.n, (double) all.m, rows->alpha);
	put_effect(&all, "missing_share", true, difference, difference,
			   difference, missing_p_value(a, all.n, b, all.m), "ok",
			   &effect);
}

/* The share of a feature's rows without a value; NaN without rows */
static double
missing_share(const Feature *feature)
{
	return (double) (feature_null_count(feature) +
					 feature_nan_count(feature)) /
		(double) feature_rows(feature);
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
	rows->missing_reference = missing_share(reference);
	rows->missing_current = missing_share(current);
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
 * drift(reference, current [, alpha]): the reference's features in their order,
 * then
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

	rows.alpha = get_float8_nan();
	if (PG_NARGS() > 2)
	{
		rows.alpha = PG_GETARG_FLOAT8(2);
		measure_check_alpha("drift", rows.alpha);
	}
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
		rows.missing_reference = missing_share(feature);
		rows.missing_current = get_float8_nan();
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
		rows.missing_reference = get_float8_nan();
		rows.missing_current = missing_share(feature);
		put_status(&rows, primary_measure(feature->kind), true, "new column");
	}
	return (Datum) 0;
}
