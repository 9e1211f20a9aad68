/*-------------------------------------------------------------------------
 *
 * kswin.c
 *		KSWIN: the Kolmogorov-Smirnov test of the latest values of a sliding
 *		window against the older ones.
 *
 * Source: C. Raab, M. Heusinger, F.-M. Schleif, "Reactive soft prototype
 * computing for concept drift streams", 2020. There a random sample of the
 * older values is taken; here it is all of them, so that the answer depends on
 * the data alone, and the test is the exact one, given the ties.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "stats/laws/ks_law.h"
#include "stats/streams/stream.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(mlmeta_kswin_transition);

#define MAX_WINDOW	10000

typedef enum KswinMethod
{
	KSWIN_EXACT,				/* conditional on ties */
	KSWIN_EXACT_NO_TIES
} KswinMethod;

static const char *const methods[] = {"exact", "exact_no_ties", NULL};

typedef struct Kswin
{
	double		alpha;
	int			window_size;
	int			stat_size;
	double		min_distance;	/* a distance up to this is no change */
	int			method;

	double	   *ring;			/* the window; the oldest value is at next, */
	int			next;			/* where the next one goes, once it is full */
	int			n;				/* values in the window */
	bool		is_sorted;		/* the window is full and these are kept: */
	double	   *older;			/* window_size - stat_size, ascending */
	double	   *latest;			/* stat_size, ascending */
	TieGroup   *groups;

	/*
	 * What is known of the law without ties, in units of 1 / (n m): it has
	 * p > alpha up to accepted, and p <= alpha from rejected on.
	 */
	int64		accepted;
	int64		rejected;
} Kswin;

static void
kswin_begin(void *detector, const char *options, size_t size)
{
	Kswin	   *kswin = detector;
	const OptionSpec specs[] = {
		{"alpha", OPTION_FLOAT, &kswin->alpha, 1e-300, 0.5, NULL},
		{"window_size", OPTION_INT, &kswin->window_size, 2, MAX_WINDOW, NULL},
		{"stat_size", OPTION_INT, &kswin->stat_size, 1, MAX_WINDOW, NULL},
		{"min_distance", OPTION_FLOAT, &kswin->min_distance, 0, 1, NULL},
		{"method", OPTION_CHOICE, &kswin->method, 0, 0, methods}
	};
	int			n_older;

	kswin->alpha = 0.005;
	kswin->window_size = 100;
	kswin->stat_size = 30;
	kswin->min_distance = 0.1;
	kswin->method = KSWIN_EXACT;
	options_parse("kswin", options, size, specs, lengthof(specs));
	if (kswin->stat_size >= kswin->window_size)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("kswin: stat_size must be less than window_size"),
				 errdetail("They are %d and %d.", kswin->stat_size,
						   kswin->window_size),
				 errhint("The latest stat_size values of the window are "
						 "compared with the others.")));
	n_older = kswin->window_size - kswin->stat_size;
	kswin->ring = palloc(kswin->window_size * sizeof(double));
	kswin->older = palloc(n_older * sizeof(double));
	kswin->latest = palloc(kswin->stat_size * sizeof(double));
	kswin->groups = palloc(kswin->window_size * sizeof(TieGroup));
	kswin->rejected = (int64) n_older * kswin->stat_size + 1;
}

static int
compare_values(const void *a, const void *b)
{
	return float8_cmp_internal(*(const double *) a, *(const double *) b);
}

/* The index of the first of n ascending values that is not below value */
static int
lower_bound(const double *values, int n, double value)
{
	int			low = 0;

	while (n > 0)
	{
		int			half = n / 2;

		if (values[low + half] < value)
		{
			low += half + 1;
			n -= half + 1;
		}
		else
			n = half;
	}
	return low;
}

/* Takes one of n ascending values out and puts another in. */
static void
replace_value(double *values, int n, double out, double in)
{
	int			from = lower_bound(values, n, out);
	int			to = lower_bound(values, n, in);

	if (to > from)
	{
		to--;
		memmove(values + from, values + from + 1,
				(to - from) * sizeof(double));
	}
	else
		memmove(values + to + 1, values + to, (from - to) * sizeof(double));
	values[to] = in;
}

/* The value in the window that has been there for age values */
static inline double
value_of_age(const Kswin *kswin, int age)
{
	int			i = kswin->next - 1 - age;

	return kswin->ring[i < 0 ? i + kswin->window_size : i];
}

/* Puts a value into the window; the oldest one leaves if it is full. */
static void
slide(Kswin *kswin, double value)
{
	int			n_older = kswin->window_size - kswin->stat_size;

	if (kswin->is_sorted)
	{
		double		moves = value_of_age(kswin, kswin->stat_size - 1);

		replace_value(kswin->older, n_older, kswin->ring[kswin->next], moves);
		replace_value(kswin->latest, kswin->stat_size, moves, value);
	}
	kswin->ring[kswin->next] = value;
	kswin->next = (kswin->next + 1) % kswin->window_size;
	kswin->n = Min(kswin->n + 1, kswin->window_size);
	if (kswin->is_sorted || kswin->n < kswin->window_size)
		return;
	for (int i = 0; i < kswin->stat_size; i++)
		kswin->latest[i] = value_of_age(kswin, i);
	for (int i = 0; i < n_older; i++)
		kswin->older[i] = value_of_age(kswin, kswin->stat_size + i);
	qsort(kswin->latest, kswin->stat_size, sizeof(double), compare_values);
	qsort(kswin->older, n_older, sizeof(double), compare_values);
	kswin->is_sorted = true;
}

/* Counts the distinct values of both parts; returns how many they are. */
static int
make_groups(Kswin *kswin)
{
	int			n_older = kswin->window_size - kswin->stat_size;
	int			n_groups = 0;
	int			i = 0;
	int			j = 0;

	while (i < n_older || j < kswin->stat_size)
	{
		TieGroup   *group = &kswin->groups[n_groups++];
		double		value;

		if (j == kswin->stat_size ||
			(i < n_older && kswin->older[i] < kswin->latest[j]))
			value = kswin->older[i];
		else
			value = kswin->latest[j];
		group->reference = group->current = 0;
		for (; i < n_older && kswin->older[i] == value; i++)
			group->reference++;
		for (; j < kswin->stat_size && kswin->latest[j] == value; j++)
			group->current++;
	}
	return n_groups;
}

/* Whether p <= alpha for this statistic if there are no ties */
static bool
rejects_without_ties(Kswin *kswin, int64 statistic)
{
	if (statistic >= kswin->rejected)
		return true;
	if (statistic <= kswin->accepted)
		return false;
	if (ks_exact_no_ties_at(statistic, kswin->window_size - kswin->stat_size,
							kswin->stat_size, ALTERNATIVE_TWO_SIDED) <=
		kswin->alpha)
	{
		kswin->rejected = statistic;
		return true;
	}
	kswin->accepted = statistic;
	return false;
}

static bool
parts_differ(Kswin *kswin)
{
	int			n_groups = make_groups(kswin);
	int64		pairs = (int64) kswin->stat_size *
		(kswin->window_size - kswin->stat_size);
	int64		statistic = ks_scaled_statistic(kswin->groups, n_groups,
												ALTERNATIVE_TWO_SIDED);

	if ((double) statistic / (double) pairs <= kswin->min_distance)
		return false;

	/* Ties only make a distance less likely: what rejects without does. */
	if (rejects_without_ties(kswin, statistic))
		return true;
	if (kswin->method == KSWIN_EXACT_NO_TIES ||
		n_groups == kswin->window_size)
		return false;
	return ks_exact_pvalue(kswin->groups, n_groups,
						   ALTERNATIVE_TWO_SIDED) <= kswin->alpha;
}

static bool
kswin_step(void *detector, double value)
{
	Kswin	   *kswin = detector;

	slide(kswin, value);
	if (!kswin->is_sorted || !parts_differ(kswin))
		return false;

	/* The latest values are the first of the next window. */
	for (int i = 0; i < kswin->stat_size; i++)
		kswin->latest[i] = value_of_age(kswin, kswin->stat_size - 1 - i);
	memcpy(kswin->ring, kswin->latest, kswin->stat_size * sizeof(double));
	kswin->n = kswin->next = kswin->stat_size;
	kswin->is_sorted = false;
	return true;
}

static const Detector kswin = {
	"kswin", sizeof(Kswin), STREAM_RANKS, kswin_begin, kswin_step
};

Datum
mlmeta_kswin_transition(PG_FUNCTION_ARGS)
{
	return stream_add(fcinfo, &kswin);
}
