/*-------------------------------------------------------------------------
 *
 * difference_integral.h
 *		The integral over the real line of |F - G|, or of its square, for two
 *		step functions whose steps arrive in ascending order.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_DIFFERENCE_INTEGRAL_H
#define MLMETA_STATS_DIFFERENCE_INTEGRAL_H

#include "core/compat.h"

#include "stats/two_sample/compensated.h"

typedef struct DifferenceIntegral
{
	bool		square;
	bool		any;			/* previous is set */
	double		previous;
	Compensated sum;
} DifferenceIntegral;

/*
 * The next step is at value; F - G is difference from the previous one to
 * here. Where the functions differ up to an infinity the integral is Infinity.
 */
static inline void
difference_integral_step(DifferenceIntegral *integral, double value,
						 double difference)
{
	double		height = fabs(difference);
	double		width = value - integral->previous;

	if (integral->square)
		height *= height;
	if (integral->any && difference != 0 && value != integral->previous)
	{
		if (isfinite(width))
			compensated_add(&integral->sum, height * width);
		else
		{
			/* the width of finite values may overflow, its share need not */
			compensated_add(&integral->sum, height * value);
			compensated_add(&integral->sum, -height * integral->previous);
		}
	}
	integral->previous = value;
	integral->any = true;
}

static inline double
difference_integral_value(const DifferenceIntegral *integral)
{
	return compensated_value(&integral->sum);
}

/* The energy distance, where the integral of the square is known */
static inline double
energy_from_integral(double integral)
{
	/* twice the integral may overflow where its root does not */
	return 2 * sqrt(integral / 2);
}

#endif							/* MLMETA_STATS_DIFFERENCE_INTEGRAL_H */
