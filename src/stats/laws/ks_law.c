/*
 * ks_law.c
 *		P-values of the two-sample Kolmogorov-Smirnov test: the exact law as a
 *		random walk, and the asymptotic forms.
 */
#include "core/compat.h"

#include <float.h>
#include <math.h>

#include "common/int.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "distributions.h"
#include "ks_law.h"

/* n * m beyond this could overflow the band's arithmetic */
#define KS_MAX_PRODUCT		(INT64CONST(1) << 61)

/*
 * The walk starts with this mass instead of 1: the states from which a
 * p-value of 1e-308 gathers hold much less than that.
 */
#define WALK_SCALE_BITS		1000

/* no state's mass is followed below this: denormal numbers are slow */
#define WALK_FLOOR			1e-290

/* how far a jump is followed, in its standard deviations, and what it costs */
#define JUMP_REACH			10.0
#define JUMP_STEP_COST		3.0

/* states that are walked through in about 0.3 s */
#define KS_STATE_BUDGET		3e8

/* how many group ends are tried for a lower bound of the p-value */
#define BOUND_TRIALS		256

/*
 * A walk over the number i of rows drawn from the smaller sample (n rows; the
 * other has m), after `drawn` draws from the pooled rows.
 */
typedef struct Walk
{
	int64		n;
	int64		m;
	int64		drawn;
	int64		lo;				/* first and last state with mass */
	int64		hi;
	int64		above;			/* first state beyond the upper border */
	int64		below;			/* last state beyond the lower border */
	int64		s;				/* half width of the band, times n + m */
	bool		has_upper;
	bool		has_lower;
	double		deviation;		/* of one draw */
	double	   *mass;			/* by state, valid in lo..hi */
	double	   *next;
	double	   *index;			/* index[i] = i: converted once */
	double		threshold;		/* states with less mass are given up */
	double		left_band;		/* mass that has left the band */
} Walk;


/*
 * Sizes of the two samples, checked.
 */
static void
check_sizes(int64 n, int64 m)
{
	int64		product;

	if (n < 1 || m < 1 || pg_mul_s64_overflow(n, m, &product) ||
		product > KS_MAX_PRODUCT)
		elog(ERROR, "sample sizes " INT64_FORMAT " and " INT64_FORMAT
			 " are outside the exact Kolmogorov-Smirnov law", n, m);
}

int64
ks_scaled_statistic(const TieGroup *groups, int64 ngroups,
					Alternative alternative)
{
	int64		n;
	int64		m;
	int64		i = 0;
	int64		j = 0;
	int64		highest = 0;
	int64		lowest = 0;

	sum_tie_groups(groups, ngroups, &n, &m);
	if (n == 0 || m == 0)
		return 0;
	check_sizes(n, m);
	for (int64 g = 0; g < ngroups; g++)
	{
		int64		s;

		i += groups[g].reference;
		j += groups[g].current;
		s = i * m - j * n;
		highest = Max(highest, s);
		lowest = Min(lowest, s);
	}
	switch (alternative)
	{
		case ALTERNATIVE_GREATER:
			return highest;
		case ALTERNATIVE_LESS:
			return -lowest;
		case ALTERNATIVE_TWO_SIDED:
			break;
	}
	return Max(highest, -lowest);
}

int64
ks_scale_distance(double d, int64 n, int64 m)
{
	int64		divisor;

	check_sizes(n, m);
	if (!(d >= 0.0 && d <= 1.0))
		elog(ERROR, "a Kolmogorov-Smirnov distance lies between 0 and 1");
	divisor = greatest_common_divisor(n, m);
	return divisor * (int64) rint(d * (double) (n / divisor) * (double) m);
}


/* ----------
 * The walk
 * ----------
 */

/*
 * Moves the borders to the current number of draws: beyond the upper one are
 * the i with i (n+m) - drawn n >= s, beyond the lower one those with <= -s.
 */
static void
move_borders(Walk *walk)
{
	int64		total = walk->n + walk->m;
	int64		centre = walk->drawn * walk->n;

	while (walk->above * total < centre + walk->s)
		walk->above++;
	while ((walk->below + 1) * total <= centre - walk->s)
		walk->below++;
}

/*
 * Takes what lies beyond the borders out of the walk.
 */
static void
leave_band(Walk *walk)
{
	move_borders(walk);
	if (walk->has_upper)
	{
		for (; walk->hi >= walk->above && walk->hi >= walk->lo; walk->hi--)
			walk->left_band += walk->mass[walk->hi];
	}
	if (walk->has_lower)
	{
		for (; walk->lo <= walk->below && walk->lo <= walk->hi; walk->lo++)
			walk->left_band += walk->mass[walk->lo];
	}
}

/*
 * Gives up the outermost states whose mass cannot matter any more.
 */
static void
trim(Walk *walk)
{
	while (walk->lo <= walk->hi && walk->mass[walk->lo] < walk->threshold)
		walk->lo++;
	while (walk->lo <= walk->hi && walk->mass[walk->hi] < walk->threshold)
		walk->hi--;
}

static void
swap_buffers(Walk *walk)
{
	double	   *swap = walk->mass;

	walk->mass = walk->next;
	walk->next = swap;
}

/*
 * Draws one row.
 */
static void
draw_one(Walk *walk)
{
	const double *mass = walk->mass;
	const double *index = walk->index;
	double	   *next = walk->next;
	int64		lo = walk->lo;
	int64		hi = walk->hi;
	double		share = 1.0 / (double) (walk->n + walk->m - walk->drawn);

	/* rows of the other sample still in the urn at state 0, and of this + 1 */
	double		others = (double) (walk->m - walk->drawn);
	double		own = (double) (walk->n + 1);

	next[lo] = mass[lo] * (others + index[lo]) * share;
	for (int64 i = lo + 1; i <= hi; i++)
		next[i] = (mass[i] * (others + index[i]) +
				   mass[i - 1] * (own - index[i])) * share;
	if (hi < walk->n)
	{
		next[hi + 1] = mass[hi] * (own - index[hi + 1]) * share;
		walk->hi++;
	}
	walk->drawn++;
	swap_buffers(walk);
}

/*
 * Draws `size` rows at once: from each state, the hypergeometric law from its
 * mode outwards by ratios, as far as it matters.
 */
static void
draw_many(Walk *walk, int64 size)
{
	double	   *next = walk->next;
	double		cut = walk->threshold * 1e-3;
	double		draws = (double) size;
	int64		last = Min(walk->n, walk->hi + size);

	for (int64 i = walk->lo; i <= last; i++)
		next[i] = 0.0;

	for (int64 i = walk->lo; i <= walk->hi; i++)
	{
		double		own = (double) (walk->n - i);
		double		others = (double) (walk->m - (walk->drawn - i));
		double		mode;
		double		peak;
		double		mass;
		double		t;

		if (walk->mass[i] == 0.0)
			continue;
		CHECK_FOR_INTERRUPTS();

		mode = floor((draws + 1.0) * ((own + 1.0) / (own + others + 2.0)));
		mode = Min(mode, Min(own, draws));
		mode = Max(mode, Max(0.0, draws - others));
		peak = walk->mass[i] *
			hypergeometric_term(mode, draws - mode, own, others);
		mass = peak;
		for (t = mode; mass > cut; t += 1.0)
		{
			next[i + (int64) t] += mass;
			mass *= (own - t) * (draws - t) /
				((t + 1.0) * (others - draws + t + 1.0));
		}
		mass = peak;
		for (t = mode;; t -= 1.0)
		{
			mass *= t * (others - draws + t) /
				((own - t + 1.0) * (draws - t + 1.0));
			if (!(mass > cut))
				break;
			next[i + (int64) t - 1] += mass;
		}
	}
	walk->hi = last;
	walk->drawn += size;
	swap_buffers(walk);
}

/*
 * The cost of crossing a tie group of this size from `width` states, in
 * additions: drawing its rows one by one, or all at once.
 */
static double
steps_cost(const Walk *walk, double size, double width)
{
	return size * (width + Min(size, JUMP_REACH * sqrt(size) *
							   walk->deviation));
}

static double
jump_cost(const Walk *walk, double size, double width)
{
	return width * (100.0 + JUMP_STEP_COST *
					Min(size, 2.0 * JUMP_REACH * sqrt(size) *
						walk->deviation));
}

static int64
group_size(const TieGroup *groups, int64 g)
{
	return groups ? groups[g].reference + groups[g].current : 1;
}

/*
 * A lower bound of the p-value: the probability of the first state beyond the
 * band, at whichever of some group ends it is largest.  States with much less
 * than that need not be followed.
 */
static double
lower_bound(Walk *walk, const TieGroup *groups, int64 ngroups)
{
	int64		stride = Max(ngroups / BOUND_TRIALS, 1);
	double		best = 0.0;
	int64		g;

	for (g = 0; g < ngroups; g++)
	{
		walk->drawn += group_size(groups, g);
		if (g % stride != 0)
			continue;
		move_borders(walk);
		if (walk->has_upper)
			best = Max(best, hypergeometric_term(walk->above,
												 walk->drawn - walk->above,
												 walk->n, walk->m));
		if (walk->has_lower && walk->below >= 0)
			best = Max(best, hypergeometric_term(walk->below,
												 walk->drawn - walk->below,
												 walk->n, walk->m));
	}
	walk->drawn = 0;
	walk->above = 0;
	walk->below = -1;
	return best;
}

/*
 * The probability that a walk over these groups (or, without groups, ngroups
 * single rows) is at least s away from its expected path, times n + m, at the
 * end of some group.
 */
static double
walk_pvalue(const TieGroup *groups, int64 ngroups, int64 n, int64 m,
			int64 s, Alternative alternative)
{
	Walk		walk = {0};
	Size		bytes;
	double		floor_share;

	if (s <= 0)
		return 1.0;
	if (s > n * m)
		return 0.0;

	walk.has_upper = alternative != ALTERNATIVE_LESS;
	walk.has_lower = alternative != ALTERNATIVE_GREATER;
	walk.n = n;
	walk.m = m;
	if (n > m)
	{
		/* count the smaller sample; what was above is then below */
		walk.n = m;
		walk.m = n;
		walk.has_upper = alternative != ALTERNATIVE_GREATER;
		walk.has_lower = alternative != ALTERNATIVE_LESS;
	}
	walk.s = s;
	walk.below = -1;
	walk.deviation = sqrt((double) n * (double) m) / (double) (n + m);

	/* n * m < 2^61 keeps the smaller sample, hence this product, small */
	bytes = sizeof(double) * (Size) (walk.n + 1);
	walk.mass = palloc_extended(bytes, MCXT_ALLOC_HUGE);
	walk.next = palloc_extended(bytes, MCXT_ALLOC_HUGE);
	walk.index = palloc_extended(bytes, MCXT_ALLOC_HUGE);
	for (int64 i = 0; i <= walk.n; i++)
		walk.index[i] = (double) i;

	/* all that is given up along the way is 1e-14 of the answer at most */
	floor_share = lower_bound(&walk, groups, ngroups) * 1e-14 /
		(64.0 * (double) (n + m));
	walk.threshold = Max(ldexp(floor_share, WALK_SCALE_BITS), WALK_FLOOR);

	walk.mass[0] = ldexp(1.0, WALK_SCALE_BITS);
	for (int64 g = 0; g < ngroups && walk.lo <= walk.hi; g++)
	{
		int64		size = group_size(groups, g);
		double		width = (double) (walk.hi - walk.lo + 1);

		if (size > 1 &&
			jump_cost(&walk, size, width) < steps_cost(&walk, size, width))
		{
			draw_many(&walk, size);
			trim(&walk);
		}
		else
		{
			for (int64 k = 0; k < size && walk.lo <= walk.hi; k++)
			{
				draw_one(&walk);
				trim(&walk);
			}
			CHECK_FOR_INTERRUPTS();
		}
		leave_band(&walk);
	}

	pfree(walk.mass);
	pfree(walk.next);
	pfree(walk.index);
	return Min(ldexp(walk.left_band, -WALK_SCALE_BITS), 1.0);
}

double
ks_exact_pvalue_at(const TieGroup *groups, int64 ngroups, int64 s,
				   Alternative alternative)
{
	int64		n;
	int64		m;

	sum_tie_groups(groups, ngroups, &n, &m);
	check_sizes(n, m);
	return walk_pvalue(groups, ngroups, n, m, s, alternative);
}

double
ks_exact_pvalue(const TieGroup *groups, int64 ngroups,
				Alternative alternative)
{
	return ks_exact_pvalue_at(groups, ngroups,
							  ks_scaled_statistic(groups, ngroups,
												  alternative),
							  alternative);
}

double
ks_exact_no_ties_at(int64 s, int64 n, int64 m, Alternative alternative)
{
	check_sizes(n, m);
	return walk_pvalue(NULL, n + m, n, m, s, alternative);
}

double
ks_exact_no_ties(double d, int64 n, int64 m, Alternative alternative)
{
	return ks_exact_no_ties_at(ks_scale_distance(d, n, m), n, m, alternative);
}


/* ----------
 * Which method
 * ----------
 */

bool
ks_exact_affordable(int64 n, int64 m)
{
	int64		product;

	return n >= 1 && m >= 1 && !pg_mul_s64_overflow(n, m, &product) &&
		product <= KS_EXACT_BUDGET && n + m <= KS_EXACT_MAX_ROWS;
}

bool
ks_exact_affordable_tied(const TieGroup *groups, int64 ngroups)
{
	Walk		walk = {0};
	int64		n;
	int64		m;
	double		product;
	double		total;
	double		band;
	double		reach;
	double		drawn = 0.0;
	double		cost = 0.0;

	sum_tie_groups(groups, ngroups, &n, &m);
	if (ks_exact_affordable(n, m))
		return true;
	product = (double) n * (double) m;
	total = (double) n + (double) m;
	if (n < 1 || m < 1 || product > (double) KS_MAX_PRODUCT)
		return false;

	/*
	 * The walk is followed within the band, and as many standard deviations
	 * from its path as leave a trace in the p-value, which is about
	 * exp(-2 s^2 / (n m (n+m))).
	 */
	band = (double) ks_scaled_statistic(groups, ngroups,
										ALTERNATIVE_TWO_SIDED);
	reach = sqrt(2.0 * (32.0 + log(64.0 * total) +
						Min(2.0 * band * band / (product * total), 700.0)));
	walk.deviation = sqrt(product) / total;
	for (int64 g = 0; g < ngroups && cost <= KS_STATE_BUDGET; g++)
	{
		double		size = (double) (groups[g].reference + groups[g].current);
		double		width;

		width = 2.0 * reach * walk.deviation *
			sqrt(Max(drawn, 1.0) * (total - drawn) / total);
		width = Min(width, 2.0 * band / total) + 1.0;
		width = Min(width, (double) Min(n, m) + 1.0);
		cost += Min(steps_cost(&walk, size, width),
					jump_cost(&walk, size, width));
		drawn += size;
	}
	return cost <= KS_STATE_BUDGET;
}


/* ----------
 * Asymptotic forms
 * ----------
 */

double
ks_asymptotic_pvalue(double d, int64 n, int64 m, Alternative alternative)
{
	double		small = (double) Min(n, m);
	double		large = (double) Max(n, m);
	double		effective;
	double		z;

	if (n < 1 || m < 1 || !(d >= 0.0 && d <= 1.0))
		elog(ERROR, "invalid arguments of a Kolmogorov-Smirnov law");

	effective = small * (large / (small + large));
	if (alternative == ALTERNATIVE_TWO_SIDED)
	{
		/* one row in each sample: half a row, which scipy rounds to none */
		return ks_one_sample_sf(d, Max((int64) rint(effective), 1));
	}
	z = sqrt(effective) * d;
	return Min(1.0, exp(-2.0 * z * z - 2.0 * z * (large + 2.0 * small) /
						(3.0 * sqrt(small * large * (small + large)))));
}
