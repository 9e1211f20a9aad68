/*-------------------------------------------------------------------------
 *
 * difference_integral.h
 *		The integral over the real line of |F - G|, or of its square, for two
 *		step functions whose steps arrive in ascending order.
 *
 * Widths far from 1 are summed apart, in units of another power of two, so
 * that no product leaves the range of normal floats.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_DIFFERENCE_INTEGRAL_H
#define MLMETA_STATS_DIFFERENCE_INTEGRAL_H

#include "core/compat.h"

#include "stats/two_sample/compensated.h"

#define INTEGRAL_SHIFT	538		/* even: roots are taken of such units */

/* Powers of two: the indenter does not know how C writes them */
#define INTEGRAL_TINY		3.054936363499605e-151	/* 2^-500 */
#define INTEGRAL_HUGE		3.273390607896142e150	/* 2^500 */

typedef struct DifferenceIntegral
{
	bool		square;
	bool		any;			/* previous is set */
	double		previous;
	Compensated small;			/* of widths below 2^-500, times 2^SHIFT */
	Compensated sum;
	Compensated large;			/* of widths above 2^500, over 2^SHIFT */
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
		if (width < INTEGRAL_TINY)
			compensated_add(&integral->small,
							height * ldexp(width, INTEGRAL_SHIFT));
		else if (width <= INTEGRAL_HUGE)
			compensated_add(&integral->sum, height * width);
		else
		{
			/*
			 * The width of finite values may overflow, its share need not.
			 * Subtracted first: neighbours differ exactly, their shares not.
			 */
			width = ldexp(value, -INTEGRAL_SHIFT) -
				ldexp(integral->previous, -INTEGRAL_SHIFT);
			compensated_add(&integral->large, height * width);
		}
	}
	integral->previous = value;
	integral->any = true;
}

/* The integral as a number times 2^*exponent, of normal size or 0 */
static inline double
difference_integral_parts(const DifferenceIntegral *integral, int *exponent)
{
	double		small = compensated_value(&integral->small);
	double		sum = compensated_value(&integral->sum);
	double		large = compensated_value(&integral->large);

	if (large != 0)
	{
		*exponent = INTEGRAL_SHIFT;
		return large + ldexp(sum, -INTEGRAL_SHIFT);
	}
	if (sum != 0)
	{
		*exponent = 0;
		return sum + ldexp(small, -INTEGRAL_SHIFT);
	}
	*exponent = -INTEGRAL_SHIFT;
	return small;
}

static inline double
difference_integral_value(const DifferenceIntegral *integral)
{
	int			exponent;
	double		value = difference_integral_parts(integral, &exponent);

	return ldexp(value, exponent);
}

/* The energy distance, where the integral of the square is known */
static inline double
energy_from_integral(double integral)
{
	/* twice the integral may overflow where its root does not */
	return 2 * sqrt(integral / 2);
}

/* ... and from the steps themselves */
static inline double
difference_integral_energy(const DifferenceIntegral *integral)
{
	int			exponent;
	double		value = difference_integral_parts(integral, &exponent);

	return ldexp(energy_from_integral(value), exponent / 2);
}

#endif							/* MLMETA_STATS_DIFFERENCE_INTEGRAL_H */
