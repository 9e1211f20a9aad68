/*-------------------------------------------------------------------------
 *
 * usual.h
 *		What is usual between the windows of a baseline: p-values of an effect
 *		against the effects that ordinary windows show.
 *
 * A test of rows against rows says whether two samples differ; of real data
 * they always do, as days differ. These tests take a window for the unit: the
 * effects of k baseline windows, each against the baseline without it, say how
 * far from the rest an ordinary window lies. Sources, constants and measured
 * levels: doc/monitoring.md, "What is usual".
 *
 * All functions are pure. NaN where there is nothing to compare with: fewer
 * than two windows, or an effect that is NaN.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_ALARMS_USUAL_H
#define MLMETA_STATS_ALARMS_USUAL_H

#include "core/compat.h"

/* Effects of a baseline's windows; those that are NaN do not count */
typedef struct UsualWindows
{
	int			k;
	const double *effects;
	const double *scales;		/* sampling error of each, or NULL */
} UsualWindows;

/*
 * Number, mean and standard deviation (divisor k - 1) of the absolute effects,
 * each made as large as a window with the sampling error "scale" would show
 * it. Without scales, or with a scale of 0, as they are.
 */
typedef struct UsualMoments
{
	int			k;
	double		mean;
	double		sd;
} UsualMoments;

extern UsualMoments usual_moments(const UsualWindows *windows, double scale);

/* The sampling error of a distance between n and m rows: sqrt(1/n + 1/m) */
extern double sampling_scale(double n, double m);

/*
 * P-value of an absolute effect against such moments, exact where the effects
 * are half-normal; windows is their effective number, NaN: their number.
 */
extern double usual_distance_pvalue(double effect, const UsualMoments *usual,
									double windows);

/* The absolute effect with that p-value, the inverse of the above */
extern double usual_distance_at(double p, const UsualMoments *usual,
								double windows);

/* The same for an effect that is the largest of many: Gumbel's law */
extern double usual_maximum_pvalue(double effect, const UsualMoments *usual);
extern double usual_maximum_at(double p, const UsualMoments *usual);

/*
 * A logarithm of a spread against those of the windows: sizes are the windows'
 * rows, n the window's own. Difference from their mean, the lower bound of its
 * absolute value at level 1 - alpha, and the p-value.
 */
typedef struct SpreadResult
{
	double		difference;
	double		low;
	double		p_value;
} SpreadResult;

extern SpreadResult spread_against(double log_spread, double n, int k,
								   const double *log_spreads,
								   const double *sizes, double windows,
								   double alpha);

/*
 * A level, such as a model's quality, against that of the windows, on the side
 * (1: above, -1: below) that is worse: their mean, the limit three standard
 * deviations (divisor k) beyond it, and the p-value, by Student's law for one
 * more window. With the level's own standard error (NaN: none is known) the
 * level must also lie beyond the mean by more than chance.
 */
typedef struct LevelResult
{
	double		mean;
	double		limit;
	double		p_value;
} LevelResult;

extern LevelResult level_against(double level, int side, double error, int k,
								 const double *levels);

/* Lag-one autocorrelation; NaN for fewer than three values, 0 if constant */
extern double lag_one_correlation(const double *values, int k);

/* The t beyond which lies a share q of Student's law: q in (0, 1) */
extern double student_quantile_upper(double q, double df);

#endif							/* MLMETA_STATS_ALARMS_USUAL_H */
