/*-------------------------------------------------------------------------
 *
 * profile.c
 *		Profiles: features, baselines, merging, stored form.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "common/int.h"
#include "miscadmin.h"
#include "stats/summaries/profile.h"
#include "utils/memutils.h"

#define PROFILE_VERSION		1

/*
 * Rows of a batch. A histogram comes into the cache once for each batch, some
 * 8 kB with its grid, so that the largest should hold hundreds of its values.
 */
#define BATCH_MIN_ROWS		8
#define BATCH_MAX_ROWS		512
#define BATCH_MAX_VALUES	65536

/* Columns that are taken out of a batch together: those of a cache line */
#define BATCH_TILE			8

/* Names with room for a schema, or for another encoding */
#define NAME_MAX_SIZE		(4 * NAMEDATALEN)

static void archive_profile(Archive *ar, Summary *summary);

const SummaryType profile_type = {
	"profile", sizeof(Profile), archive_profile
};

/* ----------
 * Features
 * ----------
 */

bool
feature_is_numeric(FeatureKind kind)
{
	return kind <= FEATURE_NORM;
}

bool
feature_is_categorical(FeatureKind kind)
{
	return kind >= FEATURE_BOOLEAN && kind <= FEATURE_JSON;
}

const char *
feature_kind_name(FeatureKind kind)
{
	switch (kind)
	{
		case FEATURE_NUMBER:
		case FEATURE_INTERVAL:
		case FEATURE_LENGTH:
		case FEATURE_NORM:
			return "numeric";
		case FEATURE_TIMESTAMP:
		case FEATURE_TIME:
			return "timestamp";
		case FEATURE_BOOLEAN:
			return "boolean";
		case FEATURE_CATEGORY:
		case FEATURE_JSON:
			return "categorical";
		case FEATURE_OTHER:
			break;
	}
	return "other";
}

static const char *
kind_suffix(FeatureKind kind)
{
	return kind == FEATURE_LENGTH ? ".length" :
		kind == FEATURE_NORM ? ".norm" : "";
}

char *
feature_name(const Feature *feature)
{
	return psprintf("%s%s", feature->column, kind_suffix(feature->kind));
}

int64
feature_count(const Feature *feature)
{
	return feature->histogram ? feature->histogram->n :
		feature->table ? feature->table->n : feature->n;
}

int64
feature_null_count(const Feature *feature)
{
	return feature->histogram ? feature->histogram->null_count :
		feature->table ? feature->table->nulls : feature->nulls;
}

int64
feature_nan_count(const Feature *feature)
{
	return feature->histogram ? feature->histogram->nan_count : 0;
}

int64
feature_rows(const Feature *feature)
{
	return feature_count(feature) + feature_null_count(feature) +
		feature_nan_count(feature);
}

static bool
name_is(const Feature *feature, const char *name)
{
	size_t		size = strlen(feature->column);

	return strncmp(name, feature->column, size) == 0 &&
		strcmp(name + size, kind_suffix(feature->kind)) == 0;
}

Feature *
profile_find(const Profile *profile, const char *name)
{
	Feature    *found = NULL;

	for (int i = 0; i < profile->n_features; i++)
	{
		Feature    *feature = profile->features[i];

		if (!name_is(feature, name))
			continue;
		if (feature_rows(feature) > 0)
			return feature;
		if (found == NULL)
			found = feature;
	}
	return found;
}

/*
 * Which of the first n features, none of those taken, has the column's name and
 * the kind: guess, if it does, else the first one. -1 if none has. The k-th of
 * a name belongs to the k-th of the other side: a row type that a query made
 * can have a name twice.
 */
static int
match_feature(const Profile *profile, const bool *taken, int n, int guess,
			  const char *column, FeatureKind kind)
{
	for (int i = -1; i < n; i++)
	{
		int			at = i < 0 ? guess : i;

		if (at < n && !taken[at] && profile->features[at]->kind == kind &&
			strcmp(profile->features[at]->column, column) == 0)
			return at;
	}
	return -1;
}

/* Room for one more in the list; the profile owns it */
static void
append_feature(Profile *profile, Feature *feature)
{
	if (profile->n_features >= PROFILE_MAX_FEATURES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a profile can have at most %d features",
						PROFILE_MAX_FEATURES)));
	if (profile->n_features == profile->max_features)
	{
		int			wanted = Max(8, profile->max_features * 2);
		Feature   **features =
			MemoryContextAlloc(profile->summary.context,
							   wanted * sizeof(Feature *));

		if (profile->n_features > 0)
			memcpy(features, profile->features,
				   profile->n_features * sizeof(Feature *));
		profile->features = features;
		profile->max_features = wanted;
	}
	profile->features[profile->n_features++] = feature;
}

/* In the current context */
static Feature *
make_feature(const char *column, const char *type_name, FeatureKind kind,
			 bool is_new)
{
	Feature    *feature = palloc0(sizeof(Feature));

	feature->column = pstrdup(column);
	feature->type_name = pstrdup(type_name);
	feature->kind = kind;
	feature->is_new = is_new;
	return feature;
}

/* A new feature without rows, with bins and categories of its own */
static Feature *
add_feature(Profile *profile, const ColumnFeature *wanted)
{
	MemoryContext old = MemoryContextSwitchTo(profile->summary.context);
	Feature    *feature = make_feature(wanted->column, wanted->type_name,
									   wanted->kind,
									   profile->form != PROFILE_OWN);

	if (feature_is_numeric(feature->kind))
	{
		feature->histogram = summary_make(&histogram_type);
		histogram_set_cells(feature->histogram, HISTOGRAM_DEFAULT_BINS);
	}
	else if (feature_is_categorical(feature->kind))
		feature->table = frequency_table_new(FREQUENCIES_DEFAULT_CAPACITY,
											 profile->summary.context);
	append_feature(profile, feature);
	MemoryContextSwitchTo(old);
	return feature;
}

void
profile_bind(Profile *profile, int n, const ColumnFeature *wanted)
{
	MemoryContext context = profile->summary.context;
	int			n_before = profile->n_features;
	bool	   *taken = palloc0((n_before + 1) * sizeof(bool));

	profile_flush(profile);
	if (profile->targets != NULL)
		pfree(profile->targets);
	if (profile->batch != NULL)
		pfree(profile->batch);
	profile->n_targets = n;
	profile->targets = MemoryContextAlloc(context,
										  Max(n, 1) * sizeof(Feature *));
	profile->batch_size = BATCH_MIN_ROWS;
	profile->batch = MemoryContextAlloc(context, (Size) profile->batch_size *
										Max(n, 1) * sizeof(double));
	for (int i = 0; i < n; i++)
	{
		const ColumnFeature *feature = &wanted[i];
		int			at = match_feature(profile, taken, n_before, i,
									   feature->column, feature->kind);

		CHECK_FOR_INTERRUPTS();
		if (at >= 0)
		{
			taken[at] = true;
			profile->targets[i] = profile->features[at];
		}
		else
			profile->targets[i] = add_feature(profile, feature);
	}
	pfree(taken);
}

void
profile_set_baseline(Profile *profile, Profile *baseline)
{
	profile_set_baseline_and_sums(profile, baseline, NULL);
}

void
profile_set_baseline_and_sums(Profile *profile, Profile *baseline,
							  const Profile *sums)
{
	MemoryContext old = MemoryContextSwitchTo(profile->summary.context);

	if (baseline->form == PROFILE_DETACHED)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a detached profile cannot be a baseline"),
				 errdetail("Its bins and categories are with its own "
						   "baseline."),
				 errhint("Use that one, or attach(profile, baseline).")));
	profile->form = PROFILE_ON_BASELINE;
	for (int i = 0; i < baseline->n_features; i++)
	{
		Feature    *from = baseline->features[i];
		Feature    *feature = make_feature(from->column, from->type_name,
										   from->kind, false);

		if (from->histogram != NULL)
		{
			feature->histogram = summary_make(&histogram_type);
			if (sums == NULL)
				histogram_set_grid(feature->histogram, from->histogram->grid);
			else
				histogram_set_grid_and_sums(feature->histogram,
											from->histogram->grid,
											sums->features[i]->histogram->sums);
		}
		else if (from->table != NULL)
			feature->table = frequency_table_new_on(from->table,
													profile->summary.context);
		append_feature(profile, feature);
	}
	MemoryContextSwitchTo(old);
}

/* ----------
 * Settling
 * ----------
 */

void
profile_flush(Profile *profile)
{
	int			n = profile->n_targets;
	int			n_rows = profile->n_batched;
	uint64		values[BATCH_TILE][BATCH_MAX_ROWS];

	for (int first = 0; n_rows > 0 && first < n; first += BATCH_TILE)
	{
		int			width = Min(BATCH_TILE, n - first);
		int			n_values[BATCH_TILE] = {0};

		CHECK_FOR_INTERRUPTS();
		for (int row = 0; row < n_rows; row++)
		{
			const double *next = profile->batch + (Size) row * n + first;

			for (int i = 0; i < width; i++)
			{
				uint64		bits;

				memcpy(&bits, &next[i], sizeof(bits));
				values[i][n_values[i]] = bits;
				n_values[i] += bits != BATCH_NULL_BITS;
			}
		}
		for (int i = 0; i < width; i++)
		{
			Histogram  *histogram = profile->targets[first + i]->histogram;

			if (histogram == NULL)
				continue;
			histogram->null_count += n_rows - n_values[i];
			histogram_add_many(histogram, (double *) values[i], n_values[i]);
		}
	}
	profile->n_batched = 0;
}

void
profile_make_room(Profile *profile)
{
	Size		n = Max(profile->n_targets, 1);
	Size		wanted = (Size) profile->batch_size * 4;

	if (wanted > BATCH_MAX_ROWS || wanted * n > BATCH_MAX_VALUES)
	{
		profile_flush(profile);
		return;
	}
	profile->batch = repalloc(profile->batch, wanted * n * sizeof(double));
	profile->batch_size = (int) wanted;
}

static bool
feature_is_settled(const Feature *feature)
{
	if (feature->histogram != NULL)
		return feature->histogram->form != HISTOGRAM_CELLS;
	return feature->table == NULL ||
		frequency_table_is_finished(feature->table);
}

Profile *
profile_frame(const Profile *profile)
{
	Profile    *copy = summary_make(&profile_type);

	copy->form = profile->form;
	copy->n_rows = profile->n_rows;
	return copy;
}

static Feature *
copy_of_feature(const Feature *feature)
{
	Feature    *copy = palloc(sizeof(Feature));

	*copy = *feature;
	return copy;
}

Profile *
profile_settled(Profile *profile)
{
	Profile    *settled;
	int			i = 0;

	profile_flush(profile);
	while (i < profile->n_features && feature_is_settled(profile->features[i]))
		i++;
	if (i == profile->n_features)
		return profile;

	settled = profile_frame(profile);
	for (i = 0; i < profile->n_features; i++)
	{
		Feature    *feature = profile->features[i];

		CHECK_FOR_INTERRUPTS();
		if (!feature_is_settled(feature))
		{
			feature = copy_of_feature(feature);
			if (feature->histogram != NULL)
				feature->histogram = histogram_settled(feature->histogram);
			else
			{
				feature->table = frequency_table_copy(feature->table,
													  CurrentMemoryContext);
				frequency_table_finish(feature->table);
			}
		}
		append_feature(settled, feature);
	}
	return settled;
}

/* ----------
 * Detaching and attaching
 * ----------
 */

static void
require_baseline(const Profile *profile)
{
	if (profile->form == PROFILE_OWN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("profile has no baseline"),
				 errhint("Only profiles made with profile(record, baseline) "
						 "can be detached and attached.")));
}

/* The same feature without edges and categories */
static Feature *
detached_feature(Feature *feature)
{
	if (feature->is_new || feature->kind == FEATURE_OTHER)
		return feature;
	feature = copy_of_feature(feature);
	if (feature->histogram != NULL)
		feature->histogram = histogram_detached(feature->histogram);
	else
		feature->table = frequency_table_detach(feature->table,
												CurrentMemoryContext);
	return feature;
}

Profile *
profile_detached(Profile *profile)
{
	Profile    *detached;

	require_baseline(profile);
	if (profile->form == PROFILE_DETACHED)
		return profile;
	detached = profile_frame(profile);
	detached->form = PROFILE_DETACHED;
	for (int i = 0; i < profile->n_features; i++)
		append_feature(detached, detached_feature(profile->features[i]));
	return detached;
}

bool
profile_has_column(const Profile *profile, const char *column)
{
	for (int i = 0; i < profile->n_features; i++)
	{
		if (strcmp(profile->features[i]->column, column) == 0)
			return true;
	}
	return false;
}

bool
profile_take_column(Profile *into, const Profile *from, const char *column)
{
	bool		found = false;

	for (int i = 0; i < from->n_features; i++)
	{
		if (strcmp(from->features[i]->column, column) == 0)
		{
			append_feature(into, from->features[i]);
			found = true;
		}
	}
	return found;
}

static void
wrong_baseline(const Feature *feature)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the profile was not made on this baseline"),
			 errdetail("Feature \"%s\" is not on the baseline's bins or "
					   "categories.", feature_name(feature)),
			 errhint("Attach the baseline that it was made with.")));
}

Profile *
profile_attached(Profile *profile, Profile *baseline)
{
	Profile    *attached;

	require_baseline(profile);
	if (profile->form != PROFILE_DETACHED)
		return profile;
	if (baseline->form == PROFILE_DETACHED)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a detached profile cannot be a baseline"),
				 errhint("Attach the baseline that it was made with.")));
	attached = profile_frame(profile);
	attached->form = PROFILE_ON_BASELINE;
	for (int i = 0; i < profile->n_features; i++)
	{
		Feature    *feature = profile->features[i];
		Feature    *from;

		if (feature->is_new || feature->kind == FEATURE_OTHER)
		{
			append_feature(attached, feature);
			continue;
		}
		/* the features of a baseline come first, in its order */
		if (i >= baseline->n_features)
			wrong_baseline(feature);
		from = baseline->features[i];
		if (from->kind != feature->kind ||
			strcmp(from->column, feature->column) != 0)
			wrong_baseline(feature);
		feature = copy_of_feature(feature);
		if (feature->histogram != NULL)
		{
			if (!histogram_same_grid(feature->histogram, from->histogram))
				wrong_baseline(feature);
			feature->histogram = histogram_attached(feature->histogram,
													from->histogram);
		}
		else
		{
			if (feature->table->n_entries != from->table->n_entries ||
				!hash128_equal(frequency_table_grid(feature->table),
							   frequency_table_grid(from->table)))
				wrong_baseline(feature);
			feature->table = frequency_table_attach(feature->table,
													from->table,
													CurrentMemoryContext);
		}
		append_feature(attached, feature);
	}
	return attached;
}

/* ----------
 * Merging
 * ----------
 */

/* The edges that both have, in the current context */
static double *
common_edges(const HistogramGrid *a, const HistogramGrid *b, int *n)
{
	double	   *edges = palloc(Max(a->n_edges, 1) * sizeof(double));
	int			j = 0;

	*n = 0;
	for (int i = 0; i < a->n_edges; i++)
	{
		while (j < b->n_edges && b->edges[j] < a->edges[i])
			j++;
		if (j < b->n_edges && b->edges[j] == a->edges[i])
			edges[(*n)++] = a->edges[i];
	}
	return edges;
}

/*
 * The histogram over fewer edges, all of which are among its own. What is
 * known inside of bins is lost, so that the result depends on the edges alone
 * and not on how they came about.
 */
static Histogram *
with_fewer_edges(const Histogram *histogram, const double *edges, int n_edges)
{
	Histogram  *result = palloc(sizeof(Histogram));
	int			cell = 0;

	*result = *histogram;
	result->grid = histogram_grid_make(edges, n_edges);
	result->n_bins = n_edges + 1;
	result->counts = palloc0(result->n_bins * sizeof(int64));
	result->sums = NULL;
	for (int bin = 0; bin < histogram->n_bins; bin++)
	{
		while (bin > 0 && cell < n_edges &&
			   edges[cell] <= histogram->grid->edges[bin - 1])
			cell++;
		result->counts[cell] += histogram->counts[bin];
	}
	return result;
}

static void
different_bins(const Feature *feature)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("profiles with different bins cannot be merged"),
			 errdetail("Feature \"%s\" has other bins or categories in the "
					   "one than in the other.", feature_name(feature)),
			 errhint("Make them on the same baseline: "
					 "profile(record, baseline).")));
}

/* In the context of into */
static void
merge_histograms(Feature *into, const Feature *from)
{
	Histogram  *a = into->histogram;
	Histogram  *b = from->histogram;
	double	   *edges;
	int			n_edges;

	if (a->form == HISTOGRAM_CELLS && b->form == HISTOGRAM_CELLS)
	{
		histogram_combine(a, b, 1);
		return;
	}
	a = histogram_settled(a);
	b = histogram_settled(b);
	if (!histogram_same_grid(a, b))
	{
		if (!into->is_new)
			different_bins(into);
		edges = common_edges(a->grid, b->grid, &n_edges);
		a = with_fewer_edges(a, edges, n_edges);
		b = with_fewer_edges(b, edges, n_edges);
	}
	histogram_combine(a, b, 1);
	into->histogram = a;
}

static void
merge_tables(Feature *into, const Feature *from)
{
	if (into->table->form != FREQUENCIES_OWN &&
		(into->table->n_entries != from->table->n_entries ||
		 !hash128_equal(frequency_table_grid(into->table),
						frequency_table_grid(from->table))))
		different_bins(into);
	frequency_table_merge(into->table, from->table);
}

/* A feature that into does not have, in the context of into */
static void
adopt_feature(Profile *into, const Feature *from)
{
	Feature    *feature = make_feature(from->column, from->type_name,
									   from->kind, from->is_new);

	feature->n = from->n;
	feature->nulls = from->nulls;
	if (from->histogram != NULL)
		feature->histogram = summary_copy(from->histogram);
	else if (from->table != NULL)
		feature->table = frequency_table_copy(from->table,
											  CurrentMemoryContext);
	append_feature(into, feature);
}

static void
add_rows(int64 *into, int64 from)
{
	if (pg_add_s64_overflow(*into, from, into))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("number of rows of a profile out of range")));
}

void
profile_merge(Profile *into, Profile *from)
{
	MemoryContext old = MemoryContextSwitchTo(into->summary.context);
	int			n_before = into->n_features;
	bool	   *taken = palloc0((n_before + 1) * sizeof(bool));

	Assert(into != from);
	profile_flush(into);
	profile_flush(from);
	if ((into->form == PROFILE_OWN) != (from->form == PROFILE_OWN))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("profiles cannot be merged: one is on a baseline, the "
						"other is not"),
				 errhint("Make both on the same baseline, or neither.")));
	if (into->form == PROFILE_DETACHED && from->form == PROFILE_ON_BASELINE)
		from = profile_detached(from);
	else if (into->form == PROFILE_ON_BASELINE &&
			 from->form == PROFILE_DETACHED)
	{
		for (int i = 0; i < n_before; i++)
			into->features[i] = detached_feature(into->features[i]);
		into->form = PROFILE_DETACHED;
	}

	add_rows(&into->n_rows, from->n_rows);
	for (int i = 0; i < from->n_features; i++)
	{
		const Feature *feature = from->features[i];
		Feature    *target;
		int			at;

		CHECK_FOR_INTERRUPTS();
		at = match_feature(into, taken, n_before, i, feature->column,
						   feature->kind);
		if (at < 0)
		{
			if (into->form != PROFILE_OWN && !feature->is_new)
				different_bins(feature);
			adopt_feature(into, feature);
			continue;
		}
		taken[at] = true;
		target = into->features[at];
		if (target->is_new != feature->is_new)
			different_bins(target);
		if (target->histogram != NULL)
			merge_histograms(target, feature);
		else if (target->table != NULL)
			merge_tables(target, feature);
		else
		{
			add_rows(&target->n, feature->n);
			add_rows(&target->nulls, feature->nulls);
		}
	}
	for (int i = 0; i < n_before; i++)
		if (!taken[i] && into->form != PROFILE_OWN &&
			!into->features[i]->is_new)
			different_bins(into->features[i]);
	pfree(taken);
	into->shape = 0;			/* targets may be other ones now */
	MemoryContextSwitchTo(old);
}

/* ----------
 * The stored form
 * ----------
 */

static void
archive_name_of(Archive *ar, const char *field, char **name)
{
	int			size = archive_reading(ar) ? 0 : (int) strlen(*name);

	archive_text(ar, field, name, &size, NAME_MAX_SIZE);
	if (archive_reading(ar))
		*name = ar->failed || size == 0 ? pstrdup("") : pnstrdup(*name, size);
	if (archive_reading(ar) && memchr(*name, 0, size) != NULL)
		archive_fail(ar, "A name contains a zero byte.");
}

/* Whether the parts of a feature are of the form that the profile's says */
static bool
feature_fits_form(const Feature *feature, ProfileForm form)
{
	bool		own = form == PROFILE_OWN || feature->is_new;
	bool		detached = form == PROFILE_DETACHED && !feature->is_new;

	if (feature->is_new && form == PROFILE_OWN)
		return false;
	if (feature->histogram != NULL)
		return detached == (feature->histogram->form == HISTOGRAM_DETACHED) &&
			(own || feature->histogram->form != HISTOGRAM_CELLS);
	if (feature->table != NULL)
		return own ? feature->table->form == FREQUENCIES_OWN :
			detached ? feature->table->form == FREQUENCIES_DETACHED :
			feature->table->form == FREQUENCIES_ON_BASELINE;
	return true;
}

static void
check_feature(Archive *ar, const Profile *profile, const Feature *feature)
{
	int64		rows;

	if (!feature_fits_form(feature, profile->form))
		archive_fail(ar, "The feature \"%s\" does not fit the form of the "
					 "profile.", feature->column);
	else if (pg_add_s64_overflow(feature_count(feature),
								 feature_null_count(feature), &rows) ||
			 pg_add_s64_overflow(rows, feature_nan_count(feature), &rows) ||
			 rows > profile->n_rows)
		archive_fail(ar, "The feature \"%s\" has more values than there are "
					 "rows.", feature->column);
}

static void
archive_feature(Archive *ar, Feature *feature)
{
	static const char *const kinds[] = {
		"number", "interval", "timestamp", "time", "length", "norm",
		"boolean", "category", "json", "other"
	};
	int			kind = (int) feature->kind;

	archive_name_of(ar, "column", &feature->column);
	archive_name_of(ar, "type", &feature->type_name);
	archive_enum(ar, "kind", &kind, kinds, lengthof(kinds));
	archive_bool(ar, "is_new", &feature->is_new);
	feature->kind = (FeatureKind) kind;
	if (ar->failed)
		return;
	if (feature_is_numeric(feature->kind))
	{
		if (archive_reading(ar))
			feature->histogram = summary_make(&histogram_type);
		archive_name(ar, "histogram");
		histogram_archive(ar, &feature->histogram->summary);
	}
	else if (feature_is_categorical(feature->kind))
	{
		if (archive_reading(ar))
			feature->table = frequency_table_new(1, CurrentMemoryContext);
		archive_name(ar, "frequencies");
		archive_open(ar);
		frequency_table_archive(ar, feature->table);
		archive_close(ar);
	}
	else
	{
		archive_count(ar, "n", &feature->n);
		archive_count(ar, "null_count", &feature->nulls);
	}
}

static void
archive_profile(Archive *ar, Summary *summary)
{
	static const char *const forms[] = {"own", "on baseline", "detached"};
	Profile    *profile = (Profile *) summary;
	int			version = PROFILE_VERSION;
	int			form = (int) profile->form;
	int			n = profile->n_features;

	profile_flush(profile);
	archive_open(ar);
	archive_version(ar, PROFILE_VERSION, &version);
	archive_enum(ar, "form", &form, forms, lengthof(forms));
	profile->form = (ProfileForm) form;
	archive_count(ar, "rows", &profile->n_rows);
	archive_list(ar, "features", &n, PROFILE_MAX_FEATURES);
	for (int i = 0; i < n && !ar->failed; i++)
	{
		Feature    *feature = archive_reading(ar) ? palloc0(sizeof(Feature)) :
			profile->features[i];

		CHECK_FOR_INTERRUPTS();
		archive_open(ar);
		archive_feature(ar, feature);
		archive_close(ar);
		if (!archive_reading(ar) || ar->failed)
			continue;
		check_feature(ar, profile, feature);
		if (i > 0 && !feature->is_new && profile->features[i - 1]->is_new)
			archive_fail(ar, "The new features do not come last.");
		append_feature(profile, feature);
	}
	archive_list_end(ar);
	archive_close(ar);
}
