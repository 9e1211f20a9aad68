/*-------------------------------------------------------------------------
 *
 * takeover.h
 *		Whether one value has taken over a share of the rows.
 *
 * Every value v is tested by the hypergeometric law of its count given the
 * pooled one, r_v of n + m. The smallest p_v (n + m) / r_v is a p-value: the
 * weights r_v / (n + m) depend on the pooled rows alone and sum to at most 1,
 * whichever values are looked at. Values that matter little are hence passed
 * over without harm.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_ALARMS_TAKEOVER_H
#define MLMETA_STATS_ALARMS_TAKEOVER_H

#include "core/compat.h"

/* Shares that differ by less are not tested; no tolerance is so small */
#define TAKEOVER_LEAST_DIFFERENCE	0.01

typedef struct Takeover
{
	int			cell;			/* the value with the smallest p; -1: none */
	double		p_value;		/* 1 where no value is tested */
	double		share_reference;
	double		share_current;
	double		effect;			/* most any share moved, |2 asin sqrt q - ...| */
} Takeover;

/*
 * Counts of k values (or bins) among n and m rows, which may have other values
 * too. Everything NaN and cell -1 where a side has no rows.
 */
extern Takeover takeover_test(const int64 *reference, const int64 *current,
							  int k, int64 n, int64 m);

/*
 * Lower end of the interval for the absolute difference of two shares, made of
 * Wilson's score intervals (R. G. Newcombe, 1998, method 10).
 */
extern double share_difference_low(double p, double q, double n, double m,
								   double alpha);

#endif							/* MLMETA_STATS_ALARMS_TAKEOVER_H */
