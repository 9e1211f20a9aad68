/*-------------------------------------------------------------------------
 *
 * takeover.c
 *		The test of single values, exact and corrected for their number.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "miscadmin.h"
#include "stats/alarms/takeover.h"
#include "stats/laws/contingency_law.h"
#include "stats/laws/distributions.h"
#include "utils/float.h"

/* Values whose exact p-value is computed, the most likely ones first */
#define TAKEOVER_CANDIDATES		3

/* x ln(x / expected), 0 for no rows */
static double
deviation(double x, double expected)
{
	return x > 0 ? x * log(x / expected) : 0;
}

/*
 * ln of the weighted p-value, roughly: by the likelihood ratio of the table.
 * It only says which values to look at.
 */
static double
rough_weighted_p(double a, double c, double n, double m)
{
	double		r = a + c;
	double		share = m / (n + m);
	double		ratio = deviation(c, r * share) +
		deviation(a, r * (1 - share)) +
		deviation(m - c, (n + m - r) * share) +
		deviation(n - a, (n + m - r) * (1 - share));

	return log((n + m) / r) - ratio;
}

/* Twice the tail on the side that the counts lie on */
static double
value_pvalue(int64 a, int64 c, int64 n, int64 m)
{
	bool		grew = (double) c * (double) n > (double) a * (double) m;
	double		tail = fisher_pvalue(a, n - a, c, m - c, grew ?
									 ALTERNATIVE_LESS : ALTERNATIVE_GREATER);

	return Min(1, 2 * tail);
}

static double
angle(double share)
{
	return 2 * asin(sqrt(Min(share, 1)));
}

Takeover
takeover_test(const int64 *reference, const int64 *current, int k, int64 n,
			  int64 m)
{
	double		nan = get_float8_nan();
	Takeover	result = {-1, nan, nan, nan, nan};
	int			candidates[TAKEOVER_CANDIDATES];
	double		scores[TAKEOVER_CANDIDATES];
	int			n_candidates = 0;

	if (n == 0 || m == 0)
		return result;
	result.p_value = 1;
	result.effect = 0;
	for (int i = 0; i < k; i++)
	{
		double		p = (double) reference[i] / (double) n;
		double		q = (double) current[i] / (double) m;
		double		score;
		int			place;

		if (i % 65536 == 65535)
			CHECK_FOR_INTERRUPTS();
		/* an angle is at most pi / 2 times its chord */
		if (M_PI * fabs(sqrt(q) - sqrt(p)) > result.effect)
			result.effect = Max(result.effect, fabs(angle(q) - angle(p)));
		if (fabs(q - p) < TAKEOVER_LEAST_DIFFERENCE)
			continue;
		score = rough_weighted_p((double) reference[i], (double) current[i],
								 (double) n, (double) m);
		place = n_candidates;
		while (place > 0 && scores[place - 1] > score)
			place--;
		if (place == TAKEOVER_CANDIDATES)
			continue;
		n_candidates = Min(n_candidates + 1, TAKEOVER_CANDIDATES);
		for (int j = n_candidates - 1; j > place; j--)
		{
			candidates[j] = candidates[j - 1];
			scores[j] = scores[j - 1];
		}
		candidates[place] = i;
		scores[place] = score;
	}
	for (int j = 0; j < n_candidates; j++)
	{
		int			i = candidates[j];
		double		weight = ((double) n + (double) m) /
			((double) reference[i] + (double) current[i]);
		double		p = Min(1, weight * value_pvalue(reference[i], current[i],
													 n, m));

		if (result.cell >= 0 && p >= result.p_value)
			continue;
		result.cell = i;
		result.p_value = p;
		result.share_reference = (double) reference[i] / (double) n;
		result.share_current = (double) current[i] / (double) m;
	}
	return result;
}

static void
wilson_interval(double share, double n, double z, double *low, double *high)
{
	double		centre = share + z * z / (2 * n);
	double		reach = z * sqrt(share * (1 - share) / n +
								 z * z / (4 * n * n));

	*low = Max(0, (centre - reach) / (1 + z * z / n));
	*high = Min(1, (centre + reach) / (1 + z * z / n));
}

double
share_difference_low(double p, double q, double n, double m, double alpha)
{
	double		z = normal_quantile_upper(alpha / 2);
	double		p_low;
	double		p_high;
	double		q_low;
	double		q_high;
	double		bound;

	wilson_interval(p, n, z, &p_low, &p_high);
	wilson_interval(q, m, z, &q_low, &q_high);
	if (q >= p)
		bound = q - p - sqrt((q - q_low) * (q - q_low) +
							 (p_high - p) * (p_high - p));
	else
		bound = p - q - sqrt((p - p_low) * (p - p_low) +
							 (q_high - q) * (q_high - q));
	return Max(0, bound);
}
