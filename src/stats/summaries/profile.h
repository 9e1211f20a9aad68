/*-------------------------------------------------------------------------
 *
 * profile.h
 *		Profiles: one summary for each column of a row type.
 *
 * A column becomes one feature, whose kind says what was summarised: a number
 * by a histogram, a category by a frequency table. An array becomes its length,
 * a vector its length and its Euclidean norm, a JSON document its type; of any
 * other column there is the number of values and of NULLs.
 *
 * Features are known by the name of their column and their kind, not by
 * position or type: integer that became bigint, or an enum that became text,
 * is the same feature, a text that became a number is another one.
 *
 * A profile has one of three forms.
 *
 *	- Own: of its own data, as histogram(x, 240) and frequencies(x) make them.
 *	  Such a profile is a baseline.
 *
 *	- On a baseline: all features of the baseline, in its order, on its bins
 *	  and categories, and behind them, marked, those that are new. A feature
 *	  without a column in the rows has n = 0 and no NULLs.
 *
 *	- Detached: the same without edges and categories, which the baseline has.
 *	  New features keep theirs.
 *
 * While it is an aggregate's state, a profile may hold histograms that have
 * not chosen their bins yet; profile_settled() gives the value that counts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_PROFILE_H
#define MLMETA_STATS_PROFILE_H

#include "core/compat.h"
#include "core/summary.h"
#include "stats/summaries/frequencies.h"
#include "stats/summaries/histogram.h"
#include "utils/float.h"

/* Features of one profile: 1664 columns of a row, each a vector, and more */
#define PROFILE_MAX_FEATURES	8192

/* Stored: new kinds only at the end */
typedef enum FeatureKind
{
	FEATURE_NUMBER,
	FEATURE_INTERVAL,			/* seconds */
	FEATURE_TIMESTAMP,			/* seconds since 1970-01-01 00:00 UTC */
	FEATURE_TIME,				/* seconds since midnight */
	FEATURE_LENGTH,				/* elements of an array */
	FEATURE_NORM,				/* Euclidean norm of a vector */
	FEATURE_BOOLEAN,
	FEATURE_CATEGORY,
	FEATURE_JSON,				/* type of a document */
	FEATURE_OTHER				/* counted only */
} FeatureKind;

typedef enum ProfileForm
{
	PROFILE_OWN,
	PROFILE_ON_BASELINE,
	PROFILE_DETACHED
} ProfileForm;

typedef struct Feature
{
	char	   *column;
	char	   *type_name;		/* of the column, as first seen */
	FeatureKind kind;
	bool		is_new;			/* unknown to the baseline */
	Histogram  *histogram;		/* numeric kinds */
	FrequencyTable *table;		/* categorical kinds */
	int64		n;				/* kind other: values ... */
	int64		nulls;			/* ... and NULLs */
} Feature;

typedef struct Profile
{
	Summary		summary;
	ProfileForm form;
	int64		n_rows;
	int			n_features;
	int			max_features;	/* allocated */
	Feature   **features;

	/* Of a state */
	const struct BaselineSource *source;	/* the call site's */
	uint64		shape;			/* the rows' last one ... */
	int			n_targets;
	Feature   **targets;		/* ... and who receives their values */

	/*
	 * Of a state: the numbers of the last rows, row by row, one for each
	 * target (unused where that has no histogram). They are added to the
	 * histograms in batches, column by column: those of a wide row, or of
	 * many groups, do not fit into a core's cache together. The batch grows
	 * with the rows, so that groups of few rows stay small.
	 */
	double	   *batch;
	int			batch_size;		/* rows that it has room for */
	int			n_batched;
} Profile;

extern const SummaryType profile_type;

/*
 * Adds the batch to the histograms. Values and counts of a state are complete
 * only after this; profile_settled() and profile_merge() call it.
 */
extern void profile_flush(Profile *profile);

/* Makes room in a full batch: a larger one, or an empty one */
extern void profile_make_room(Profile *profile);

/* What stands for NULL in a batch: a NaN that no arithmetic makes */
#define BATCH_NULL_BITS		UINT64CONST(0x7FF4D1E000000000)

static inline void
batch_put_null(double *place)
{
	const uint64 bits = BATCH_NULL_BITS;

	memcpy(place, &bits, sizeof(bits));
}

/* Any NaN becomes the usual one */
static inline void
batch_put(double *place, double value)
{
	*place = likely(value == value) ? value : get_float8_nan();
}

/* Numeric kinds have a histogram, categorical ones a table, other neither */
extern bool feature_is_numeric(FeatureKind kind);
extern bool feature_is_categorical(FeatureKind kind);

/* numeric, timestamp, boolean, categorical or other; a constant */
extern const char *feature_kind_name(FeatureKind kind);

/* The column's name, with ".length" or ".norm"; palloc'ed */
extern char *feature_name(const Feature *feature);

extern int64 feature_count(const Feature *feature);
extern int64 feature_null_count(const Feature *feature);
extern int64 feature_nan_count(const Feature *feature);

/* Rows that had the column: values, NaNs and NULLs */
extern int64 feature_rows(const Feature *feature);

/*
 * The feature of a name, as feature_name() gives it; NULL if there is none.
 * Of several the first one that has rows, if any has.
 */
extern Feature *profile_find(const Profile *profile, const char *name);

/* What a column of a row type becomes */
typedef struct ColumnFeature
{
	const char *column;
	const char *type_name;
	FeatureKind kind;
} ColumnFeature;

/*
 * Makes targets those of a row type's n features, of which targets[i] receives
 * what counts for wanted[i]; features that the profile does not have are added.
 */
extern void profile_bind(Profile *profile, int n, const ColumnFeature *wanted);

/*
 * Makes an empty profile one on the baseline, which must not be detached
 * (22023) and must live as long: its grids are shared.
 */
extern void profile_set_baseline(Profile *profile, Profile *baseline);

/*
 * The same for one of many profiles that are only wanted detached: sums per bin
 * are thrown away then, and go to those of another profile on the baseline.
 */
extern void profile_set_baseline_and_sums(Profile *profile, Profile *baseline,
										  const Profile *sums);

/*
 * into += from. Both own, or both on one baseline, where either may be
 * detached, and the result is then. 22023 otherwise, naming the feature.
 * New features on different bins are brought to the bins that they share.
 */
extern void profile_merge(Profile *into, Profile *from);

/*
 * The profile itself, or where a histogram has no bins yet, or a table is
 * beyond its capacity, one that shares the rest; in the current context.
 */
extern Profile *profile_settled(Profile *profile);

/*
 * Without what the baseline has, and with it again; they share the rest.
 * 22023 for a profile without a baseline, and for a wrong one.
 */
extern Profile *profile_detached(Profile *profile);
extern Profile *profile_attached(Profile *profile, Profile *baseline);

/*
 * A profile of the same rows without features, and the features of a column of
 * another appended to it, shared. False when that has no such column.
 */
extern Profile *profile_frame(const Profile *profile);
extern bool profile_has_column(const Profile *profile, const char *column);
extern bool profile_take_column(Profile *into, const Profile *from,
								const char *column);

#endif							/* MLMETA_STATS_PROFILE_H */
