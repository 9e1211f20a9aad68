/*
 * ad_law.c
 *		P-values of the Anderson-Darling tests.
 */
#include "core/compat.h"

#include <math.h>

#include "ad_law.h"

#define PI				3.14159265358979323846

/* nodes of the quadrature over one interval of the formula */
#define NODES			256

/* the law has less than 1e-20 below this */
#define SMALLEST		0.02

/*
 * N. V. Smirnov's formula: for a sum of Z_k^2 / s_k, s_1 < s_2 < ...,
 *
 *		P(sum >= x) = 1/pi * (I_1 - I_2 + I_3 - ...),
 *		I_j = integral from s_(2j-1) to s_(2j) of
 *				e^(-x s / 2) / (s sqrt(|D(s)|)) ds,
 *
 * D(s) the product of 1 - s / s_k.  Here s_k = k (k+1), and with
 * v = sqrt(1 + 4 s), D = -cos(pi v / 2) / (pi s): the intervals are
 * |v - 4j| <= 1.
 * With v = 4j + cos(theta) the integrand is smooth and periodic, and the
 * midpoint rule converges geometrically.
 */
double
anderson_darling_sf(double x)
{
	double		sum = 0.0;

	if (isnan(x))
		return NAN;
	if (x < SMALLEST)
		return 1.0;
	for (int j = 1;; j++)
	{
		double		part = 0.0;

		for (int i = 0; i < NODES; i++)
		{
			double		theta = PI * (i + 0.5) / NODES;
			double		offset = cos(theta);
			double		half = sin(0.5 * Min(theta, PI - theta));
			double		v = 4.0 * j + offset;
			double		s = 0.25 * (v - 1.0) * (v + 1.0);

			/* cos(pi offset / 2), from the distance to the nearer end */
			double		dip = sin(PI * half * half);

			part += exp(-0.5 * x * s) * v * sin(theta) / sqrt(s * dip);
		}
		part *= 0.5 * sqrt(PI) / NODES;
		sum += (j % 2) ? part : -part;
		if (part <= 1e-17 * sum || part == 0.0)
			break;
	}
	return Min(1.0, sum);
}

double
anderson_darling_two_sample_pvalue(double t)
{
	return anderson_darling_sf(1.0 + sqrt(2.0 * (PI * PI - 9.0) / 3.0) * t);
}
