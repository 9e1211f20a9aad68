/*
 * rank_law.c
 *		P-values of the Mann-Whitney (Wilcoxon rank sum) test.
 */
#include "core/compat.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "distributions.h"
#include "rank_law.h"

/* additions that are done in about 0.3 s */
#define ADDITION_BUDGET		1.5e9

/* beyond this many rows the number of labellings may not fit a double */
#define MAX_ROWS			1000

/* so that products of counts and doubled ranks do not overflow */
#define MAX_EXACT_ROWS		(INT64CONST(1) << 30)


double
mann_whitney_statistic(const TieGroup *groups, int64 ngroups)
{
	double		u = 0.0;
	int64		below = 0;

	for (int64 g = 0; g < ngroups; g++)
	{
		u += (double) groups[g].reference *
			((double) below + 0.5 * (double) groups[g].current);
		below += groups[g].current;
	}
	return u;
}

double
mann_whitney_tie_sum(const TieGroup *groups, int64 ngroups)
{
	double		sum = 0.0;

	for (int64 g = 0; g < ngroups; g++)
	{
		double		size;

		size = (double) groups[g].reference + (double) groups[g].current;
		sum += (size - 1.0) * size * (size + 1.0);
	}
	return sum;
}

bool
mann_whitney_exact_affordable(int64 n, int64 m)
{
	double		small = (double) Min(n, m);
	double		large = (double) Max(n, m);

	if (n < 1 || m < 1)
		return false;
	if (small + large > MAX_ROWS && small > 20.0)
		return false;
	/* rows, times subset sizes, times half the doubled sums */
	return (small + large) * small * (small * large) <= ADDITION_BUDGET;
}

void
mann_whitney_check_exact(int64 n, int64 m)
{
	if (!mann_whitney_exact_affordable(n, m))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("mann_whitney_test: too many rows for the exact law"),
				 errdetail("There are " INT64_FORMAT " reference and "
						   INT64_FORMAT " current rows.", n, m),
				 errhint("Use the method asymptotic.")));
}

/*
 * The tails of the sum of n ranks drawn from `ngroups` groups of tied rows (no
 * groups: n + m rows without ties): P(2U <= doubled_u) and P(2U >= doubled_u).
 *
 * Counts, for every i, the sets of i rows by the sum of their doubled
 * midranks, one row after the other.  A sum is stored as its distance from the
 * least sum of i rows, in units of what all differences of ranks have in
 * common.
 */
static void
rank_sum_tails(const TieGroup *groups, int64 ngroups, int64 n, int64 m,
			   int64 doubled_u, double *lower, double *upper)
{
	int64		total = n + m;
	int64	   *rank;			/* doubled midranks of the pooled rows */
	int64	   *least;			/* least sum of i ranks */
	int64	   *most;			/* largest sum of i of the rows so far */
	int64	   *most_ever;
	double	  **count;
	int64		unit = 0;
	int64		target;
	int64		row = 0;
	double		below = 0.0;
	double		above = 0.0;
	double		all = 0.0;

	rank = palloc_extended(sizeof(int64) * total, MCXT_ALLOC_HUGE);
	for (int64 g = 0; g < ngroups; g++)
	{
		int64		size = groups ?
			groups[g].reference + groups[g].current : 1;

		for (int64 k = 0; k < size; k++)
			rank[row + k] = 2 * row + size + 1;
		row += size;
	}
	for (int64 k = 1; k < total; k++)
		unit = greatest_common_divisor(unit, rank[k] - rank[k - 1]);
	if (unit == 0)
	{
		/* all rows tie: the sum has but one value */
		pfree(rank);
		*lower = 1.0;
		*upper = 1.0;
		return;
	}

	least = palloc0(sizeof(int64) * (n + 1));
	most = palloc0(sizeof(int64) * (n + 1));
	most_ever = palloc0(sizeof(int64) * (n + 1));
	count = palloc0(sizeof(double *) * (n + 1));
	for (int64 i = 1; i <= n; i++)
	{
		least[i] = least[i - 1] + rank[i - 1];
		most_ever[i] = most_ever[i - 1] + rank[total - i];
	}
	for (int64 i = 0; i <= n; i++)
	{
		int64		length = (most_ever[i] - least[i]) / unit + 1;

		count[i] = palloc_extended(sizeof(double) * length,
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	}
	count[0][0] = 1.0;

	/* most[i] is valid for i up to the number of rows seen */
	for (int64 k = 0; k < total; k++)
	{
		int64		first = Max(1, n - (total - 1 - k));

		/* downwards, so that each row joins a set once */
		for (int64 i = Min(n, k + 1); i >= first; i--)
		{
			double	   *to = count[i];
			const double *from = count[i - 1];
			int64		length = (most[i - 1] - least[i - 1]) / unit + 1;
			int64		shift = (least[i - 1] + rank[k] - least[i]) / unit;

			CHECK_FOR_INTERRUPTS();
			for (int64 x = 0; x < length; x++)
				to[x + shift] += from[x];
			most[i] = most[i - 1] + rank[k];
		}
	}

	/* the sum is n (n + 1) + 2U, but in units from its least value */
	target = n * (n + 1) + doubled_u - least[n];
	for (int64 x = 0; x <= (most_ever[n] - least[n]) / unit; x++)
	{
		double		ways = count[n][x];

		all += ways;
		if (x * unit <= target)
			below += ways;
		if (x * unit >= target)
			above += ways;
	}
	*lower = below / all;
	*upper = above / all;

	for (int64 i = 0; i <= n; i++)
		pfree(count[i]);
	pfree(count);
	pfree(rank);
	pfree(least);
	pfree(most);
	pfree(most_ever);
}

/*
 * The exact p-value of a doubled U.
 */
static double
exact_pvalue(const TieGroup *groups, int64 ngroups, int64 n, int64 m,
			 int64 doubled_u, Alternative alternative)
{
	double		lower;
	double		upper;

	if (n < 1 || m < 1 || n > MAX_EXACT_ROWS || m > MAX_EXACT_ROWS)
		elog(ERROR, "sample sizes " INT64_FORMAT " and " INT64_FORMAT
			 " are outside the exact Mann-Whitney law", n, m);

	/* count the smaller sample: its U is what the other one's lacks */
	if (n <= m)
		rank_sum_tails(groups, ngroups, n, m, doubled_u, &lower, &upper);
	else
		rank_sum_tails(groups, ngroups, m, n, 2 * n * m - doubled_u,
					   &upper, &lower);

	switch (alternative)
	{
		case ALTERNATIVE_LESS:
			return lower;
		case ALTERNATIVE_GREATER:
			return upper;
		case ALTERNATIVE_TWO_SIDED:
			break;
	}
	return Min(1.0, 2.0 * Min(lower, upper));
}

double
mann_whitney_exact_no_ties(double u, int64 n, int64 m,
						   Alternative alternative)
{
	double		centre = 0.5 * (double) n * (double) m;
	double		whole;

	if (isnan(u))
		return NAN;

	/* towards the centre, or for one side, towards its larger p-value */
	if (alternative == ALTERNATIVE_LESS)
		whole = ceil(u);
	else if (alternative == ALTERNATIVE_GREATER)
		whole = floor(u);
	else
		whole = u < centre ? ceil(u) : floor(u);
	return exact_pvalue(NULL, n + m, n, m, 2 * (int64) whole, alternative);
}

double
mann_whitney_exact_tied(const TieGroup *groups, int64 ngroups,
						Alternative alternative)
{
	int64		n;
	int64		m;

	sum_tie_groups(groups, ngroups, &n, &m);
	return exact_pvalue(groups, ngroups, n, m,
						(int64) rint(2.0 *
									 mann_whitney_statistic(groups, ngroups)),
						alternative);
}

/*
 * The variance of U, given the sum of t^3 - t over its groups of ties; 0 where
 * all rows tie, of which rounding may leave a trace.
 */
static double
normal_variance(int64 n, int64 m, double tie_sum)
{
	double		product = (double) n * (double) m;
	double		total = (double) n + (double) m;
	double		variance;

	variance = product / 12.0 *
		((total + 1.0) - tie_sum / total / (total - 1.0));
	return variance > 1e-12 * product * total ? variance : 0.0;
}

/*
 * The p-value of a distance of U from its mean, in the direction of the
 * alternative.
 */
static double
normal_pvalue(double distance, double variance, bool continuity,
			  Alternative alternative)
{
	double		p;

	if (continuity)
		distance -= 0.5;
	p = normal_sf(distance / sqrt(variance));
	return alternative == ALTERNATIVE_TWO_SIDED ? Min(1.0, 2.0 * p) : p;
}

double
mann_whitney_asymptotic(double u, int64 n, int64 m, double tie_sum,
						bool continuity, Alternative alternative)
{
	double		variance;
	double		distance = u - 0.5 * (double) n * (double) m;

	if (n < 1 || m < 1)
		elog(ERROR, "invalid sample sizes of a Mann-Whitney law");
	variance = normal_variance(n, m, tie_sum);
	if (alternative == ALTERNATIVE_LESS)
		distance = -distance;
	else if (alternative == ALTERNATIVE_TWO_SIDED)
		distance = fabs(distance);
	if (variance == 0)
		return 1.0;
	return normal_pvalue(distance, variance, continuity, alternative);
}

/* ----------
 * Rows of which only groups are known
 * ----------
 */

/* What computing bounds in floating point may have cost them, relatively */
#define BOUNDS_SLACK		1e-12

static PValueBounds
widened(PValueBounds bounds)
{
	bounds.low = Max(0.0, bounds.low * (1 - BOUNDS_SLACK));
	bounds.high = Min(1.0, bounds.high * (1 + BOUNDS_SLACK));
	return bounds;
}

static bool
all_are_points(const TieGroup *groups, const bool *is_point, int64 ngroups)
{
	for (int64 g = 0; g < ngroups; g++)
		if (!is_point[g] && (groups[g].reference > 1 || groups[g].current > 1 ||
							 (groups[g].reference == 1 &&
							  groups[g].current == 1)))
			return false;
	return true;
}

void
mann_whitney_bounds(const TieGroup *groups, const bool *is_point,
					int64 ngroups, int128 *doubled_low, int128 *doubled_high)
{
	int64		below = 0;

	*doubled_low = 0;
	*doubled_high = 0;
	for (int64 g = 0; g < ngroups; g++)
	{
		int128		before = (int128) 2 * groups[g].reference * below;
		int128		within = (int128) groups[g].reference * groups[g].current;

		*doubled_low += before + (is_point[g] ? within : 0);
		*doubled_high += before + (is_point[g] ? within : 2 * within);
		below += groups[g].current;
	}
}

/* What the rows of a group that is no point do to each other */
typedef enum Within
{
	WITHIN_BELOW,				/* each reference row is below: adds nothing */
	WITHIN_ABOVE				/* above: each pair counts */
} Within;

/*
 * The tails of the low or the high U of a random labelling, n <= m:
 * P(2U <= lower_target) and P(2U >= upper_target). Counts labellings like
 * rank_sum_tails(), a group after the other.
 */
static void
group_tails(const TieGroup *groups, const bool *is_point, int64 ngroups,
			int64 n, int64 m, Within within, int64 lower_target,
			int64 upper_target, double *lower, double *upper)
{
	int64		unit = 2;
	int64		seen = 0;
	double	  **count = palloc0(sizeof(double *) * (n + 1));
	double		below = 0.0;
	double		above = 0.0;
	double		all = 0.0;

	/* half pairs come from points alone */
	for (int64 g = 0; g < ngroups; g++)
		if (is_point[g] && groups[g].reference + groups[g].current > 1)
			unit = 1;
	for (int64 i = 0; i <= n; i++)
		count[i] = palloc_extended(sizeof(double) * (2 * i * m / unit + 1),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	count[0][0] = 1.0;

	for (int64 g = 0; g < ngroups; g++)
	{
		int64		size = groups[g].reference + groups[g].current;
		int64		each = is_point[g] ? 1 :
			within == WITHIN_ABOVE ? 2 : 0;

		/* downwards, so that each row joins a set once */
		for (int64 i = Min(n, seen + size); i >= Max(1, seen + size - m); i--)
		{
			double		ways = 1.0;

			/* c rows of the group join the i - c chosen before it */
			for (int64 c = 1; c <= Min(i, size); c++)
			{
				int64		others = seen - (i - c);	/* not chosen */
				int64		shift = c * (2 * others + each * (size - c)) / unit;
				int64		length = 2 * (i - c) * Min(others, m) / unit + 1;
				double	   *to = count[i] + shift;
				const double *from = count[i - c];

				CHECK_FOR_INTERRUPTS();
				ways *= (double) (size - c + 1) / (double) c;
				if (others < 0 || others > m)
					continue;
				for (int64 x = 0; x < length; x++)
					to[x] += ways * from[x];
			}
		}
		seen += size;
	}

	for (int64 x = 0; x <= 2 * n * m / unit; x++)
	{
		double		ways = count[n][x];

		all += ways;
		if (x * unit <= lower_target)
			below += ways;
		if (x * unit >= upper_target)
			above += ways;
	}
	*lower = below / all;
	*upper = above / all;

	for (int64 i = 0; i <= n; i++)
		pfree(count[i]);
	pfree(count);
}

PValueBounds
mann_whitney_exact_bounds(const TieGroup *groups, const bool *is_point,
						  int64 ngroups, Alternative alternative)
{
	int128		doubled_low;
	int128		doubled_high;
	PValueBounds lower;			/* of P(U <= u) */
	PValueBounds upper;			/* of P(U >= u) */
	PValueBounds bounds;
	TieGroup   *swapped = NULL;
	int64		n;
	int64		m;
	int64		low;
	int64		high;

	if (all_are_points(groups, is_point, ngroups))
	{
		bounds.low = bounds.high =
			mann_whitney_exact_tied(groups, ngroups, alternative);
		return bounds;
	}
	sum_tie_groups(groups, ngroups, &n, &m);
	if (!mann_whitney_exact_affordable(n, m))
		elog(ERROR, "sample sizes " INT64_FORMAT " and " INT64_FORMAT
			 " are outside the exact Mann-Whitney law", n, m);

	/* count the smaller sample: its U is what the other one's lacks */
	if (n > m)
	{
		int64		size = n;

		swapped = palloc(sizeof(TieGroup) * ngroups);
		for (int64 g = 0; g < ngroups; g++)
		{
			swapped[g].reference = groups[g].current;
			swapped[g].current = groups[g].reference;
		}
		groups = swapped;
		n = m;
		m = size;
	}
	mann_whitney_bounds(groups, is_point, ngroups, &doubled_low,
						&doubled_high);
	low = (int64) doubled_low;
	high = (int64) doubled_high;
	group_tails(groups, is_point, ngroups, n, m, WITHIN_BELOW, high, high,
				&lower.high, &upper.low);
	group_tails(groups, is_point, ngroups, n, m, WITHIN_ABOVE, low, low,
				&lower.low, &upper.high);
	if (swapped != NULL)
	{
		PValueBounds other = lower;

		lower = upper;
		upper = other;
		pfree(swapped);
	}

	switch (alternative)
	{
		case ALTERNATIVE_LESS:
			return widened(lower);
		case ALTERNATIVE_GREATER:
			return widened(upper);
		case ALTERNATIVE_TWO_SIDED:
			break;
	}
	bounds.low = Min(1.0, 2.0 * Min(lower.low, upper.low));
	bounds.high = Min(1.0, 2.0 * Min(lower.high, upper.high));
	return widened(bounds);
}

PValueBounds
mann_whitney_asymptotic_bounds(const TieGroup *groups, const bool *is_point,
							   int64 ngroups, bool continuity,
							   Alternative alternative)
{
	int128		doubled_low;
	int128		doubled_high;
	int128		doubled_mean;
	double		least_ties = 0.0;
	double		most_ties = mann_whitney_tie_sum(groups, ngroups);
	double		distance[2];	/* least and largest */
	double		variance[2];
	PValueBounds bounds = {1.0, 0.0};
	int64		n;
	int64		m;

	sum_tie_groups(groups, ngroups, &n, &m);
	mann_whitney_bounds(groups, is_point, ngroups, &doubled_low,
						&doubled_high);
	if (all_are_points(groups, is_point, ngroups))
	{
		bounds.low = bounds.high =
			mann_whitney_asymptotic((double) doubled_low / 2, n, m, most_ties,
									continuity, alternative);
		return bounds;
	}
	for (int64 g = 0; g < ngroups; g++)
		if (is_point[g])
			least_ties += mann_whitney_tie_sum(&groups[g], 1);

	doubled_mean = (int128) n * m;
	distance[0] = (double) (doubled_low - doubled_mean) / 2;
	distance[1] = (double) (doubled_high - doubled_mean) / 2;
	if (alternative == ALTERNATIVE_LESS ||
		(alternative == ALTERNATIVE_TWO_SIDED && distance[1] < 0))
	{
		double		least = -distance[1];

		distance[1] = -distance[0];
		distance[0] = least;
	}
	else if (alternative == ALTERNATIVE_TWO_SIDED && distance[0] < 0)
	{
		distance[1] = Max(distance[1], -distance[0]);
		distance[0] = 0;
	}

	/* widened by what sums of cubes may lose */
	variance[0] = normal_variance(n, m, most_ties) * (1 - BOUNDS_SLACK) -
		BOUNDS_SLACK * (double) n * (double) m;
	variance[1] = normal_variance(n, m, least_ties) * (1 + BOUNDS_SLACK) +
		BOUNDS_SLACK * (double) n * (double) m;
	for (int i = 0; i < 2; i++)
	{
		for (int j = 0; j < 2; j++)
		{
			double		p;

			/* all rows may tie, or all but a few that are far off */
			if (!(variance[j] > 0))
				p = i == 0 ? 1.0 : 0.0;
			else
				p = normal_pvalue(distance[i], variance[j], continuity,
								  alternative);
			bounds.low = Min(bounds.low, p);
			bounds.high = Max(bounds.high, p);
		}
	}
	return widened(bounds);
}
