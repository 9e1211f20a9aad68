/*-------------------------------------------------------------------------
 *
 * measures.c
 *		Distances and homogeneity tests between two vectors of counts.
 *
 * Differences of shares are taken in integers: q - p is (d*n - c*m) / (n*m),
 * whose parts are below 2^126. What remains of rounding are sums of terms that
 * are not negative, so every result is accurate relative to itself, however
 * close the two samples are.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "stats/laws/contingency_law.h"
#include "stats/laws/distributions.h"
#include "stats/measures.h"
#include "utils/float.h"

const char *const empty_rule_names[] = {
	"floor", "replace", "skip", "jeffreys", "none", NULL
};

const char *const chi2_method_names[] = {
	"asymptotic", "calibrated", NULL
};

/* The sizes of both samples */
typedef struct Sizes
{
	int64		n;
	int64		m;
	double		nm;				/* n * m */
} Sizes;

/* False when a side is empty */
static bool
count_samples(const int64 *reference, const int64 *current, int k,
			  Sizes *sizes)
{
	sizes->n = 0;
	sizes->m = 0;
	for (int i = 0; i < k; i++)
	{
		Assert(reference[i] >= 0 && current[i] >= 0);
		sizes->n += reference[i];
		sizes->m += current[i];
	}
	sizes->nm = (double) ((int128) sizes->n * sizes->m);
	return sizes->n > 0 && sizes->m > 0;
}

/* d*n - c*m: the difference of the shares q - p, times n*m */
static inline int128
cross_difference(int64 c, int64 d, const Sizes *sizes)
{
	return (int128) d * sizes->n - (int128) c * sizes->m;
}

static inline double
share_difference(int64 c, int64 d, const Sizes *sizes)
{
	return (double) cross_difference(c, d, sizes) / sizes->nm;
}

/* ----------
 * Distances
 * ----------
 */

/* (q - p) ln(q / p) for shares above 0; difference is q - p */
static double
psi_term(double p, double q, double difference)
{
	double		excess = difference / p;
	double		ratio = q / p;

	if (fabs(excess) < 0.5)
		return difference * log1p(excess);
	if (ratio > 0 && isfinite(ratio))
		return difference * log(ratio);
	return difference * (log(q) - log(p));	/* the ratio leaves the range */
}

double
measure_psi(const int64 *reference, const int64 *current, int k,
			EmptyRule rule, double epsilon)
{
	Sizes		sizes;
	double		sum = 0;

	if (!count_samples(reference, current, k, &sizes))
		return get_float8_nan();
	for (int i = 0; i < k; i++)
	{
		int64		c = reference[i];
		int64		d = current[i];
		double		p = (double) c / (double) sizes.n;
		double		q = (double) d / (double) sizes.m;
		double		true_p = p;
		double		true_q = q;

		switch (rule)
		{
			case EMPTY_FLOOR:
				p = Max(p, epsilon);
				q = Max(q, epsilon);
				break;
			case EMPTY_REPLACE:
				p = c == 0 ? epsilon : p;
				q = d == 0 ? epsilon : q;
				break;
			case EMPTY_SKIP:
				if (c == 0 || d == 0)
					continue;
				break;
			case EMPTY_JEFFREYS:
				p = ((double) c + 0.5) / ((double) sizes.n + k / 2.0);
				q = ((double) d + 0.5) / ((double) sizes.m + k / 2.0);
				break;
			case EMPTY_NONE:
				if (c == 0 && d == 0)
					continue;
				if (c == 0 || d == 0)
					return get_float8_infinity();
				break;
		}
		if (p == true_p && q == true_q)
			sum += psi_term(p, q, share_difference(c, d, &sizes));
		else
			sum += psi_term(p, q, q - p);
	}
	return sum;
}

/*
 * The terms p ln(p/q) - p + q are not negative and have the same sum as
 * p ln(p/q), because the shares of both sides sum to 1.
 */
double
measure_kl(const int64 *reference, const int64 *current, int k)
{
	Sizes		sizes;
	double		sum = 0;

	if (!count_samples(reference, current, k, &sizes))
		return get_float8_nan();
	for (int i = 0; i < k; i++)
	{
		double		p = (double) reference[i] / (double) sizes.n;
		double		q = (double) current[i] / (double) sizes.m;

		if (p > 0 && q == 0)
			return get_float8_infinity();
		if (q > 0)
			sum += deviance(p, q, -share_difference(reference[i], current[i],
													&sizes));
	}
	return sum;
}

/* (1+x) ln(1+x) + (1-x) ln(1-x), for -1 <= x <= 1 */
static double
js_kernel(double x)
{
	double		square = x * x;

	/* the logarithms cancel: sum of x^2j / (j (2j - 1)), j = 1, 2, ... */
	if (fabs(x) < 0.05)
		return square * (1 + square * (1.0 / 6 + square *
									   (1.0 / 15 + square *
										(1.0 / 28 + square *
										 (1.0 / 45 + square / 66)))));
	if (fabs(x) >= 1)
		return 2 * M_LN2;
	return (1 + x) * log1p(x) + (1 - x) * log1p(-x);
}

double
measure_js(const int64 *reference, const int64 *current, int k)
{
	Sizes		sizes;
	double		sum = 0;

	if (!count_samples(reference, current, k, &sizes))
		return get_float8_nan();
	for (int i = 0; i < k; i++)
	{
		double		pooled = (double) reference[i] / (double) sizes.n +
			(double) current[i] / (double) sizes.m;

		if (pooled > 0)
			sum += pooled / 4 *
				js_kernel(share_difference(reference[i], current[i], &sizes) /
						  pooled);
	}
	return Min(sum, M_LN2);
}

/* 1 - sum of sqrt(p q) is half the sum of (sqrt p - sqrt q)^2 */
double
measure_hellinger(const int64 *reference, const int64 *current, int k)
{
	Sizes		sizes;
	double		sum = 0;

	if (!count_samples(reference, current, k, &sizes))
		return get_float8_nan();
	for (int i = 0; i < k; i++)
	{
		double		roots = sqrt((double) reference[i] / (double) sizes.n) +
			sqrt((double) current[i] / (double) sizes.m);

		if (roots > 0)
		{
			double		difference = share_difference(reference[i],
													  current[i], &sizes);

			sum += (difference / roots) * (difference / roots);
		}
	}
	return Min(sqrt(sum / 2), 1.0);
}

double
measure_total_variation(const int64 *reference, const int64 *current, int k)
{
	Sizes		sizes;
	uint128		sum = 0;

	if (!count_samples(reference, current, k, &sizes))
		return get_float8_nan();
	for (int i = 0; i < k; i++)
	{
		int128		cross = cross_difference(reference[i], current[i], &sizes);

		sum += (uint128) (cross < 0 ? -cross : cross);
	}
	return (double) (sum / 2) / sizes.nm;	/* the sum is even */
}

double
measure_l_infinity(const int64 *reference, const int64 *current, int k)
{
	Sizes		sizes;
	int128		largest = 0;

	if (!count_samples(reference, current, k, &sizes))
		return get_float8_nan();
	for (int i = 0; i < k; i++)
	{
		int128		cross = cross_difference(reference[i], current[i], &sizes);

		largest = Max(largest, cross < 0 ? -cross : cross);
	}
	return (double) largest / sizes.nm;
}

/* ----------
 * Tests of homogeneity
 * ----------
 */

static int
cells_in_use(const int64 *reference, const int64 *current, int k)
{
	int			used = 0;

	for (int i = 0; i < k; i++)
		used += reference[i] > 0 || current[i] > 0;
	return used;
}

/*
 * In the 2 x k table, the count of the current side minus its expectation is
 * (d*n - c*m) / (n + m), that of the reference the same with the other sign.
 * Yates' correction takes up to 1/2 off that.
 */
static double
excess_over_expected(int64 c, int64 d, const Sizes *sizes, bool corrected)
{
	double		total = (double) sizes->n + (double) sizes->m;
	double		excess = (double) cross_difference(c, d, sizes) / total;

	if (corrected)
		return copysign(Max(fabs(excess) - 0.5, 0.0), excess);
	return excess;
}

static double
chi2_statistic(const int64 *reference, const int64 *current, int k,
			   const Sizes *sizes, bool corrected)
{
	double		n = (double) sizes->n;
	double		m = (double) sizes->m;
	double		sum = 0;

	for (int i = 0; i < k; i++)
	{
		double		pooled = (double) reference[i] + (double) current[i];

		if (pooled > 0)
		{
			double		excess = excess_over_expected(reference[i],
													  current[i], sizes,
													  corrected);

			/* excess^2 / E on both sides, E = n * pooled / (n + m) */
			sum += excess / pooled * excess * ((n + m) / n) * ((n + m) / m);
		}
	}
	return sum;
}

/* 2 * sum of O ln(O/E), in terms that are not negative */
static double
g_statistic(const int64 *reference, const int64 *current, int k,
			const Sizes *sizes, bool corrected)
{
	double		n = (double) sizes->n;
	double		m = (double) sizes->m;
	double		sum = 0;

	for (int i = 0; i < k; i++)
	{
		double		pooled = (double) reference[i] + (double) current[i];
		double		excess;
		double		c;
		double		d;

		if (pooled == 0)
			continue;
		excess = excess_over_expected(reference[i], current[i], sizes,
									  corrected);
		c = (double) reference[i];
		d = (double) current[i];
		if (corrected)
		{
			c = pooled * (n / (n + m)) - excess;
			d = pooled * (m / (n + m)) + excess;
		}
		sum += deviance(c, pooled * (n / (n + m)), -excess);
		sum += deviance(d, pooled * (m / (n + m)), excess);
	}
	return 2 * sum;
}

typedef double (*StatisticFunction) (const int64 *, const int64 *, int,
									 const Sizes *, bool);

static TestResult
homogeneity_test(const char *name, StatisticFunction statistic,
				 const int64 *reference, const int64 *current, int k,
				 bool yates)
{
	TestResult	result;
	Sizes		sizes;
	int			freedom;

	if (!count_samples(reference, current, k, &sizes))
		return test_result_empty(sizes.n, sizes.m,
								 test_result_missing(sizes.n, sizes.m));
	freedom = cells_in_use(reference, current, k) - 1;
	yates = yates && freedom == 1;
	result.n_reference = sizes.n;
	result.n_current = sizes.m;
	result.method = psprintf("%s, %d df%s", name, freedom,
							 yates ? ", Yates" : "");
	result.statistic = freedom == 0 ? 0.0 :
		statistic(reference, current, k, &sizes, yates);
	result.p_value = freedom == 0 ? 1.0 : chi2_sf(result.statistic, freedom);
	result.statistic_low = result.statistic_high = result.statistic;
	result.p_low = result.p_high = result.p_value;
	return result;
}

TestResult
measure_chi2_test(const int64 *reference, const int64 *current, int k,
				  bool yates, Chi2Method method)
{
	TestResult	result = homogeneity_test("chi2", chi2_statistic, reference,
										  current, k, yates);

	if (method == CHI2_CALIBRATED && !isnan(result.statistic))
	{
		result.p_value = measure_calibrated_pvalue(reference, current, k);
		result.p_low = result.p_high = result.p_value;
		result.method = psprintf("%s, calibrated", result.method);
	}
	return result;
}

TestResult
measure_g_test(const int64 *reference, const int64 *current, int k,
			   bool yates, Chi2Method method)
{
	return homogeneity_test("g", g_statistic, reference, current, k, yates);
}

double
measure_calibrated_pvalue(const int64 *reference, const int64 *current, int k)
{
	Sizes		sizes;
	int			used[2];
	int			n_used = 0;
	double		total;
	double		statistic;

	if (!count_samples(reference, current, k, &sizes))
		return get_float8_nan();
	for (int i = 0; i < k; i++)
	{
		if (reference[i] == 0 && current[i] == 0)
			continue;
		if (n_used < 2)
			used[n_used] = i;
		n_used++;
	}
	if (n_used < 2)
		return 1.0;
	if (n_used == 2 &&
		table_law_affordable(reference[used[0]], reference[used[1]],
							 current[used[0]], current[used[1]]))
		return table_chi2_pvalue(reference[used[0]], reference[used[1]],
								 current[used[0]], current[used[1]]);
	total = (double) sizes.n + (double) sizes.m;
	statistic = chi2_statistic(reference, current, k, &sizes, false);
	return chi2_sf(statistic * ((total - 1) / total), n_used - 1);
}

double
measure_cramers_v(const int64 *reference, const int64 *current, int k,
				  bool corrected)
{
	Sizes		sizes;
	double		total;
	double		columns;
	double		phi2;

	if (!count_samples(reference, current, k, &sizes))
		return get_float8_nan();
	columns = cells_in_use(reference, current, k);
	if (columns < 2)
		return 0;
	total = (double) sizes.n + (double) sizes.m;
	phi2 = chi2_statistic(reference, current, k, &sizes, false) / total;
	if (corrected)
	{
		double		rows = 2 - 1 / (total - 1);

		phi2 = Max(0.0, phi2 - (columns - 1) / (total - 1));
		columns -= (columns - 1) * (columns - 1) / (total - 1);
		if (Min(rows, columns) <= 1)
			return 0;
		phi2 /= Min(rows, columns) - 1;
	}
	return Min(sqrt(phi2), 1.0);
}

/* ----------
 * Merging of cells
 * ----------
 */

/* What min(n, m) * pooled share >= minimum asks of a pooled count */
static double
required_count(const Sizes *sizes, double minimum)
{
	double		smaller = (double) Min(sizes->n, sizes->m);

	return minimum * (((double) sizes->n + (double) sizes->m) / smaller);
}

static inline double
pooled_count(const int64 *reference, const int64 *current, int i)
{
	return (double) reference[i] + (double) current[i];
}

int
measure_merge_rare(int64 *reference, int64 *current, int k, int n_rare,
				   double minimum)
{
	Sizes		sizes;
	double		required;
	int64		rare_reference = 0;
	int64		rare_current = 0;
	int			kept = 0;

	if (!count_samples(reference, current, k, &sizes))
		return k;
	required = required_count(&sizes, minimum);
	for (int i = 0; i < k; i++)
	{
		double		pooled = pooled_count(reference, current, i);

		if (pooled > 0 && pooled >= required && i < k - n_rare)
		{
			reference[kept] = reference[i];
			current[kept] = current[i];
			kept++;
		}
		else
		{
			rare_reference += reference[i];
			rare_current += current[i];
		}
	}
	if (rare_reference == 0 && rare_current == 0)
		return kept;

	if ((double) rare_reference + (double) rare_current < required && kept > 0)
	{
		int			rarest = 0;

		/* every other cell is large enough, so that one of them will do */
		for (int i = 1; i < kept; i++)
			if (pooled_count(reference, current, i) <
				pooled_count(reference, current, rarest))
				rarest = i;
		reference[rarest] += rare_reference;
		current[rarest] += rare_current;
		return kept;
	}
	reference[kept] = rare_reference;
	current[kept] = rare_current;
	return kept + 1;
}

int
measure_merge_adjacent(int64 *reference, int64 *current, int k,
					   double minimum)
{
	Sizes		sizes;
	double		required;
	int64		open_reference = 0;
	int64		open_current = 0;
	int			kept = 0;

	if (!count_samples(reference, current, k, &sizes))
		return k;
	required = required_count(&sizes, minimum);
	for (int i = 0; i < k; i++)
	{
		double		pooled;

		open_reference += reference[i];
		open_current += current[i];
		pooled = (double) open_reference + (double) open_current;
		if (pooled > 0 && pooled >= required)
		{
			reference[kept] = open_reference;
			current[kept] = open_current;
			kept++;
			open_reference = open_current = 0;
		}
	}
	if (open_reference == 0 && open_current == 0)
		return kept;
	if (kept == 0)
	{
		reference[0] = open_reference;
		current[0] = open_current;
		return 1;
	}
	reference[kept - 1] += open_reference;
	current[kept - 1] += open_current;
	return kept;
}

/* ----------
 * Calibration of PSI
 * ----------
 */

static bool
psi_law_holds(int k, int64 n, int64 m, EmptyRule rule)
{
	if (k < 2 || n <= 0 || m <= 0)
		return false;
	return rule == EMPTY_JEFFREYS || Min(n, m) / 100 >= k;
}

double
measure_psi_threshold(int k, int64 n, int64 m, double alpha, EmptyRule rule)
{
	if (!psi_law_holds(k, n, m, rule))
		return get_float8_nan();
	return chi2_quantile_upper(alpha, k - 1) *
		(1 / (double) n + 1 / (double) m);
}

double
measure_psi_lower_bound(double psi, int k, int64 n, int64 m, double alpha,
						EmptyRule rule)
{
	double		variance = 1 / (double) n + 1 / (double) m;

	if (!psi_law_holds(k, n, m, rule) || isnan(psi) || psi < 0)
		return get_float8_nan();
	if (isinf(psi))
		return psi;
	return noncentral_chi2_noncentrality(psi / variance, k - 1, alpha) *
		variance;
}

/* ----------
 * Arguments
 * ----------
 */

double
measure_in_base(const char *function_name, double nats, double base)
{
	if (!(base > 1) || isinf(base))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s: the base of the logarithm must be above 1",
						function_name),
				 errdetail("It is %g.", base)));
	return nats / log(base);
}

void
measure_check_epsilon(const char *function_name, double epsilon)
{
	if (!(epsilon > 0 && epsilon < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s: epsilon must be above 0 and below 1",
						function_name),
				 errdetail("It is %g.", epsilon)));
}

void
measure_check_minimum(const char *function_name, double minimum)
{
	if (!(minimum >= 0) || isinf(minimum))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s: minimum_expected must not be negative",
						function_name),
				 errdetail("It is %g.", minimum)));
}

void
measure_check_share(const char *function_name, const char *what, double value)
{
	if (!(value >= 0 && value <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s: %s must be from 0 to 1", function_name, what),
				 errdetail("It is %g.", value)));
}

void
measure_check_alpha(const char *function_name, double alpha)
{
	if (!(alpha > 0 && alpha < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s: alpha must be above 0 and below 1",
						function_name),
				 errdetail("It is %g.", alpha)));
}
