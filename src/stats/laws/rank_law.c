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

double
mann_whitney_asymptotic(double u, int64 n, int64 m, double tie_sum,
						bool continuity, Alternative alternative)
{
	double		ref = (double) n;
	double		cur = (double) m;
	double		total = ref + cur;
	double		variance;
	double		distance = u - 0.5 * ref * cur;
	double		p;

	if (n < 1 || m < 1)
		elog(ERROR, "invalid sample sizes of a Mann-Whitney law");
	variance = ref * cur / 12.0 *
		((total + 1.0) - tie_sum / total / (total - 1.0));
	if (alternative == ALTERNATIVE_LESS)
		distance = -distance;
	else if (alternative == ALTERNATIVE_TWO_SIDED)
		distance = fabs(distance);
	if (continuity)
		distance -= 0.5;

	/* rounding may leave a trace of variance where all rows tie */
	if (!(variance > 1e-12 * ref * cur * total))
		return 1.0;
	p = normal_sf(distance / sqrt(variance));
	return alternative == ALTERNATIVE_TWO_SIDED ? Min(1.0, 2.0 * p) : p;
}
