/*-------------------------------------------------------------------------
 *
 * usual.c
 *		Effects of windows against those that ordinary windows show.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "stats/alarms/usual.h"
#include "stats/laws/distributions.h"
#include "utils/float.h"

/*
 * Mean and standard deviation of the absolute value of a standard normal
 * variable, sqrt(2/pi) and sqrt(1 - 2/pi), to the digits that the simulations
 * had.
 */
#define HALF_NORMAL_MEAN	0.798
#define HALF_NORMAL_SD		0.603

/* Euler's constant and pi / sqrt(6): mean and deviation of Gumbel's law */
#define GUMBEL_MEAN		0.577
#define GUMBEL_SD		1.283

/* By how much its deviation is widened, for laws with heavier tails */
#define GUMBEL_WIDER	1.15

double
sampling_scale(double n, double m)
{
	return sqrt(1 / n + 1 / m);
}

UsualMoments
usual_moments(const UsualWindows *windows, double scale)
{
	UsualMoments moments = {0, get_float8_nan(), get_float8_nan()};
	double		sum = 0;
	double		squares = 0;

	/* Welford's recurrence: effects may be equal to many digits */
	for (int i = 0; i < windows->k; i++)
	{
		double		effect = fabs(windows->effects[i]);
		double		before;

		if (isnan(effect))
			continue;
		if (windows->scales != NULL && windows->scales[i] > 0 &&
			scale > windows->scales[i])
			effect *= scale / windows->scales[i];
		moments.k++;
		before = effect - sum;
		sum += before / moments.k;
		squares += before * (effect - sum);
	}
	if (moments.k < 2)
		return moments;
	moments.mean = sum;
	moments.sd = sqrt(squares / (moments.k - 1));
	return moments;
}

/* Where all windows are alike, whatever is beyond them never happened */
static bool
is_degenerate(double effect, const UsualMoments *usual, double *p)
{
	if (isnan(effect) || usual->k < 2)
	{
		*p = get_float8_nan();
		return true;
	}
	if (usual->sd == 0)
	{
		*p = effect > usual->mean ? 0 : 1;
		return true;
	}
	return false;
}

double
usual_distance_pvalue(double effect, const UsualMoments *usual,
					  double windows)
{
	double		k = isnan(windows) ? usual->k : windows;
	double		p;
	double		t;

	if (is_degenerate(effect, usual, &p))
		return p;
	if (!(k > 1))
		return 1;
	t = (HALF_NORMAL_MEAN + HALF_NORMAL_SD * (effect - usual->mean) /
		 usual->sd) / sqrt(1 + 1 / k);
	return Min(1, 2 * student_sf(t, k - 1));
}

double
usual_distance_at(double p, const UsualMoments *usual, double windows)
{
	double		k = isnan(windows) ? usual->k : windows;

	if (usual->k < 2 || !(k > 1))
		return get_float8_nan();
	return usual->mean + usual->sd / HALF_NORMAL_SD *
		(student_quantile_upper(p / 2, k - 1) * sqrt(1 + 1 / k) -
		 HALF_NORMAL_MEAN);
}

double
usual_maximum_pvalue(double effect, const UsualMoments *usual)
{
	double		p;
	double		z;

	if (is_degenerate(effect, usual, &p))
		return p;
	z = (effect - usual->mean) / usual->sd;
	return -expm1(-exp(-(GUMBEL_MEAN + GUMBEL_SD * z /
						 (GUMBEL_WIDER * sqrt(1 + 1.0 / usual->k)))));
}

double
usual_maximum_at(double p, const UsualMoments *usual)
{
	if (usual->k < 2)
		return get_float8_nan();
	return usual->mean + usual->sd * GUMBEL_WIDER * sqrt(1 + 1.0 / usual->k) *
		(-log(-log1p(-p)) - GUMBEL_MEAN) / GUMBEL_SD;
}

SpreadResult
spread_against(double log_spread, double n, int k, const double *log_spreads,
			   const double *sizes, double windows, double alpha)
{
	SpreadResult result;
	UsualWindows usual = {k, log_spreads, NULL};
	UsualMoments moments = {0, 0, 0};
	double		size = 0;
	double		squares = 0;
	double		error;
	double		ke;

	result.difference = result.low = result.p_value = get_float8_nan();
	for (int i = 0; i < usual.k; i++)
	{
		double		before;

		if (isnan(log_spreads[i]))
			continue;
		moments.k++;
		before = log_spreads[i] - moments.mean;
		moments.mean += before / moments.k;
		squares += before * (log_spreads[i] - moments.mean);
		size += sizes[i];
	}
	if (moments.k < 2 || isnan(log_spread) || !(n > 0))
		return result;
	moments.sd = sqrt(squares / (moments.k - 1));
	result.difference = log_spread - moments.mean;
	ke = isnan(windows) ? moments.k : windows;
	if (!(ke > 1))
		result.low = 0, result.p_value = 1;
	else if (is_degenerate(fabs(result.difference),
						   &(UsualMoments)
						   {
							   moments.k, 0, moments.sd
						   }, &result.p_value))
		result.low = fabs(result.difference);
	else
	{
		error = moments.sd * sqrt(1 + 1 / ke) *
			Max(1, sqrt(size / moments.k / n));
		result.p_value = student_two_sided(fabs(result.difference) / error,
										   ke - 1);
		result.low = Max(0, fabs(result.difference) - error *
						 student_quantile_upper(alpha / 2, ke - 1));
	}
	return result;
}

LevelResult
level_against(double level, int side, double error, int k,
			  const double *levels)
{
	LevelResult result;
	int			n = 0;
	double		mean = 0;
	double		squares = 0;
	double		beyond;

	result.mean = result.limit = result.p_value = get_float8_nan();
	for (int i = 0; i < k; i++)
	{
		double		before;

		if (isnan(levels[i]))
			continue;
		n++;
		before = levels[i] - mean;
		mean += before / n;
		squares += before * (levels[i] - mean);
	}
	if (n < 2)
		return result;
	result.mean = mean;
	result.limit = mean + side * 3 * sqrt(squares / n);
	if (isnan(level))
		return result;
	beyond = side * (level - mean);
	if (squares > 0)
		result.p_value = student_sf(beyond / sqrt(squares / (n - 1) *
												  (1 + 1.0 / n)), n - 1);
	else
		result.p_value = beyond > 0 ? 0 : 1;
	if (error > 0)
		result.p_value = Max(result.p_value, normal_sf(beyond / error));
	return result;
}

double
lag_one_correlation(const double *values, int k)
{
	double		mean = 0;
	double		squares = 0;
	double		products = 0;

	if (k < 3)
		return get_float8_nan();
	for (int i = 0; i < k; i++)
		mean += (values[i] - mean) / (i + 1);
	for (int i = 0; i < k; i++)
	{
		squares += (values[i] - mean) * (values[i] - mean);
		if (i > 0)
			products += (values[i] - mean) * (values[i - 1] - mean);
	}
	return squares == 0 ? 0 : products / squares;
}

/* The quantile of q <= 1/2, as far as doubles go: the law is monotone */
static double
find_student_quantile(double q, double df)
{
	double		low;
	double		high = 1;

	while (student_sf(high, df) > q && high < 1e300)
		high *= 2;
	low = high > 1 ? high / 2 : 0;
	for (int i = 0; i < 80; i++)
	{
		double		middle = low + (high - low) / 2;

		if (middle <= low || middle >= high)
			break;
		if (student_sf(middle, df) > q)
			low = middle;
		else
			high = middle;
	}
	return low + (high - low) / 2;
}

double
student_quantile_upper(double q, double df)
{
	/* all features of a window ask for the same one */
	static double last_q = 0;
	static double last_df = 0;
	static double last_quantile = 0;

	if (!(q > 0 && q < 1 && df > 0))
		return get_float8_nan();
	if (q > 0.5)
		return -student_quantile_upper(1 - q, df);
	if (q != last_q || df != last_df)
	{
		last_quantile = find_student_quantile(q, df);
		last_q = q;
		last_df = df;
	}
	return last_quantile;
}
