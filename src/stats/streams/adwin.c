/*-------------------------------------------------------------------------
 *
 * adwin.c
 *		ADWIN: a window that grows while its mean stands still, and lets go of
 *		its oldest values when two parts of it differ.
 *
 * Source: A. Bifet and R. Gavalda, "Learning from time-changing data with
 * adaptive windowing", 2007. The window is an exponential histogram: level k
 * holds up to max_buckets buckets of 2^k values each, so that a window of n
 * values takes O(max_buckets * log n) space.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "stats/streams/stream.h"

PG_FUNCTION_INFO_V1(mlmeta_adwin_transition);

#define MAX_LEVELS	62

/* Of its values: the number, the mean, the squared deviations from it */
typedef RunningMoments Bucket;

typedef struct Adwin
{
	double		delta;
	int			clock;			/* values between two looks for a change */
	int			max_buckets;	/* on a level, when nothing is pending */
	int			min_window;		/* values in each part, at least */
	int			grace_period;	/* values before the first look */

	int64		seen;
	int			n_levels;
	int			n_buckets[MAX_LEVELS];
	Bucket	   *buckets[MAX_LEVELS];	/* the oldest of a level first */
} Adwin;

static void
adwin_begin(void *detector, const char *options, size_t size)
{
	Adwin	   *adwin = detector;
	const OptionSpec specs[] = {
		{"delta", OPTION_FLOAT, &adwin->delta, 1e-300, 1, NULL},
		{"clock", OPTION_INT, &adwin->clock, 1, 1e9, NULL},
		{"max_buckets", OPTION_INT, &adwin->max_buckets, 2, 100, NULL},
		{"min_window", OPTION_INT, &adwin->min_window, 1, 1e9, NULL},
		{"grace_period", OPTION_INT, &adwin->grace_period, 1, 1e9, NULL}
	};

	adwin->delta = 0.002;
	adwin->clock = 32;
	adwin->max_buckets = 5;
	adwin->min_window = 5;
	adwin->grace_period = 10;
	options_parse("adwin", options, size, specs, lengthof(specs));
}

/* The moments of the values of two buckets together */
static Bucket
join_buckets(const Bucket *a, const Bucket *b)
{
	Bucket		sum;
	double		distance = b->mean - a->mean;

	if (a->n == 0)
		return *b;
	sum.n = a->n + b->n;
	sum.mean = a->mean + distance * ((double) b->n / (double) sum.n);
	sum.deviation = a->deviation + b->deviation +
		distance * distance * ((double) a->n / (double) sum.n) *
		(double) b->n;
	return sum;
}

static void
remove_oldest(Adwin *adwin, int level, int n)
{
	adwin->n_buckets[level] -= n;
	memmove(adwin->buckets[level], adwin->buckets[level] + n,
			adwin->n_buckets[level] * sizeof(Bucket));
}

/*
 * Adds a bucket to a level. A level that is too full hands its two oldest, as
 * one, to the next.
 */
static void
add_bucket(Adwin *adwin, Bucket bucket)
{
	for (int level = 0; level < MAX_LEVELS; level++)
	{
		Bucket	   *buckets;

		if (adwin->buckets[level] == NULL)
			adwin->buckets[level] = palloc((adwin->max_buckets + 1) *
										   sizeof(Bucket));
		adwin->n_levels = Max(adwin->n_levels, level + 1);
		buckets = adwin->buckets[level];
		buckets[adwin->n_buckets[level]++] = bucket;
		if (adwin->n_buckets[level] <= adwin->max_buckets)
			return;
		bucket = join_buckets(&buckets[0], &buckets[1]);
		remove_oldest(adwin, level, 2);
	}
}

static Bucket
whole_window(const Adwin *adwin)
{
	Bucket		window = {0};

	for (int level = adwin->n_levels - 1; level >= 0; level--)
		for (int i = 0; i < adwin->n_buckets[level]; i++)
			window = join_buckets(&window, &adwin->buckets[level][i]);
	return window;
}

/* Lets go of the oldest bucket. */
static void
shrink(Adwin *adwin)
{
	while (adwin->n_levels > 0 &&
		   adwin->n_buckets[adwin->n_levels - 1] == 0)
		adwin->n_levels--;
	if (adwin->n_levels > 0)
		remove_oldest(adwin, adwin->n_levels - 1, 1);
}

/*
 * Whether the window can be cut between two buckets so that the means of the
 * parts differ by more than chance allows.
 */
static bool
can_cut(const Adwin *adwin)
{
	Bucket		window = whole_window(adwin);
	Bucket		old = {0};
	double		width = (double) window.n;
	double		variance = window.deviation / width;
	double		log_term;

	if (window.n <= adwin->grace_period ||
		window.n < 2 * (int64) adwin->min_window)
		return false;
	log_term = log(2 * log(width) / adwin->delta);
	for (int level = adwin->n_levels - 1; level >= 0; level--)
	{
		for (int i = 0; i < adwin->n_buckets[level]; i++)
		{
			double		n_old;
			double		n_new;
			double		distance;
			double		inverse;
			double		bound;

			old = join_buckets(&old, &adwin->buckets[level][i]);
			if (old.n < adwin->min_window)
				continue;
			if (window.n - old.n < adwin->min_window)
				return false;
			n_old = (double) old.n;
			n_new = width - n_old;

			/* the mean of the rest minus the mean of the old part */
			distance = (window.mean - old.mean) * (width / n_new);
			inverse = 1 / (n_old - adwin->min_window + 1) +
				1 / (n_new - adwin->min_window + 1);
			bound = sqrt(2 * inverse * variance * log_term) +
				2.0 / 3 * inverse * log_term;
			if (fabs(distance) > bound)
				return true;
		}
	}
	return false;
}

static bool
adwin_step(void *detector, double value)
{
	Adwin	   *adwin = detector;
	Bucket		bucket = {1, value, 0};
	bool		changed = false;

	add_bucket(adwin, bucket);
	if (++adwin->seen % adwin->clock != 0)
		return false;
	while (can_cut(adwin))
	{
		shrink(adwin);
		changed = true;
	}
	return changed;
}

static const Detector adwin = {
	"adwin", sizeof(Adwin), STREAM_NUMBERS, adwin_begin, adwin_step
};

Datum
mlmeta_adwin_transition(PG_FUNCTION_ARGS)
{
	return stream_add(fcinfo, &adwin);
}
