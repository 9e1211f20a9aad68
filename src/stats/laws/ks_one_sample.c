/*
 * ks_one_sample.c
 *		The law of the one-sample Kolmogorov statistic D_n, for finite n.
 */
#include "core/compat.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"

#include "distributions.h"
#include "ks_law.h"

#define PI				3.14159265358979323846
#define SQRT_TWO_PI		2.50662827463100050242
#define EXP_MINUS_ONE	0.36787944117144232160

/* from this n d^2 on, the chance that both sides exceed is negligible */
#define TAIL_START		4.5

/* largest n for Durbin's recursion */
#define DURBIN_MAX		1024

/* jumps of a Poisson(1) walk beyond this have probability below 1e-24 */
#define MAX_JUMP		24

/* sums of more terms than this are taken by the trapezoidal rule */
#define TRAPEZOID_MIN	256
#define TRAPEZOID_NODES 128

/* terms are larger by e to this: the last digits of tiny sums are kept */
#define TERM_SCALE		40.0

/* least n for the bare expansion: it is 1 % off there at worst, and less on */
#define EXPANSION_MIN	25


/*
 * One term of Smirnov's sum, j real: d / (d + j/n) times the binomial
 * probability of j in n at d + j/n, whose mean exceeds j by exactly n d.
 * Scaled by exp(TERM_SCALE).
 */
static double
smirnov_term(double j, double n, double d)
{
	double		shift = n * d;
	double		mean = j + shift;
	double		k = n - j;
	double		rest = k - shift;
	double		log_term;

	if (rest <= 0.0)
		return 0.0;
	log_term = -deviance(j, mean, -shift) - deviance(k, rest, shift);
	if (j > 0.0)
		log_term += stirling_error(n) - stirling_error(j) -
			stirling_error(k) + 0.5 * log(n / (2.0 * PI * j * k));
	return d / (d + j / n) * exp(log_term + TERM_SCALE);
}

/*
 * P(D+_n >= d) = d sum_j C(n, j) (d + j/n)^(j-1) (1 - d - j/n)^(n-j).
 * Needs n d^2 >= TAIL_START or d >= 1/2.  For many rows and d < 1/2 the terms
 * are a smooth bump that vanishes at both ends, and any spacing fine enough
 * for the bump gives the sum; n need not be whole then.
 */
static double
smirnov_sf(double d, double n)
{
	double		last = n * (1.0 - d);
	double		spacing = 1.0;
	double		sum = 0.0;

	if (n >= TRAPEZOID_MIN && d < 0.5)
		spacing = last / TRAPEZOID_NODES;
	for (double j = 0.0; j < last; j += spacing)
		sum += smirnov_term(j, n, d);
	return sum * spacing * exp(-TERM_SCALE);
}

/*
 * P(D_n < d) by Durbin's recursion: n rows as a Poisson process that must stay
 * between two lines, looked at n times.  State i of k = 2 floor(nd) + 1 after
 * a step; a step is a Poisson(1) jump, except that the partial cells next to
 * the lines take away from it.
 */
static double
durbin_cdf(double d, int64 n)
{
	double		shift = (double) n * d;
	int64		centre = (int64) floor(shift);
	int64		size = 2 * centre + 1;
	double		gap = (double) (centre + 1) - shift;
	double		jump[MAX_JUMP + 1];
	double	   *first;			/* from state i to state 0 */
	double	   *from_last;		/* from the last state to state i */
	double	   *state;
	double	   *next;
	double		power;
	double		weight;
	double		result;

	/* state i reaches state j by i - j + 1 arrivals */
	jump[0] = EXP_MINUS_ONE;
	for (int i = 1; i <= MAX_JUMP; i++)
		jump[i] = jump[i - 1] / i;

	first = palloc(sizeof(double) * size);
	from_last = palloc(sizeof(double) * size);
	state = palloc0(sizeof(double) * size);
	next = palloc0(sizeof(double) * size);

	power = 1.0;
	weight = EXP_MINUS_ONE;
	for (int64 i = 0; i < size; i++)
	{
		power *= gap;
		weight /= (double) (i + 1);
		first[i] = weight * (1.0 - power);
		from_last[size - 1 - i] = first[i];
	}
	/* weight and power are now those of the corner */
	first[size - 1] = weight *
		(1.0 - 2.0 * power + pow(Max(0.0, 2.0 * gap - 1.0), (double) size));

	state[centre] = 1.0;
	for (int64 step = 0; step < n; step++)
	{
		double	   *swap;

		CHECK_FOR_INTERRUPTS();
		for (int64 j = 0; j < size; j++)
		{
			int64		last = Min(j - 1 + MAX_JUMP, size - 2);
			double		sum = 0.0;

			if (j == 0)
			{
				for (int64 i = 0; i <= last; i++)
					sum += state[i] * first[i];
				sum += state[size - 1] * first[size - 1];
			}
			else
			{
				for (int64 i = j - 1; i <= last; i++)
					sum += state[i] * jump[i - j + 1];
				sum += state[size - 1] * from_last[j];
			}
			next[j] = sum;
		}
		swap = state;
		state = next;
		next = swap;
	}
	result = state[centre] *
		exp(stirling_error((double) n)) * sqrt(2.0 * PI * (double) n);

	pfree(first);
	pfree(from_last);
	pfree(state);
	pfree(next);
	return Min(result, 1.0);
}

/*
 * Pelz and Good's expansion of P(D_n < z / sqrt(n)) to n^(-3/2), in the form
 * of theta series that converge for small and moderate z.
 */
static double
pelz_good_cdf(double z, double n)
{
	double		z2 = z * z;
	double		z4 = z2 * z2;
	double		z6 = z4 * z2;
	double		p2 = PI * PI;
	double		odd0 = 0.0;
	double		odd1 = 0.0;
	double		odd2 = 0.0;
	double		odd3 = 0.0;
	double		all2 = 0.0;
	double		all3 = 0.0;
	double		k1;
	double		k2;
	double		k3;
	int			k;

	/* 2 k^2 pi^2 / (4 z^2) > 60 ends either sum */
	for (k = 1; k * PI < 12.0 * z; k++)
	{
		double		h2 = p2 * (k - 0.5) * (k - 0.5);
		double		g2 = p2 * k * k;
		double		h4 = h2 * h2;
		double		odd = exp(-h2 / (2.0 * z2));
		double		all = exp(-g2 / (2.0 * z2));

		odd0 += odd;
		odd1 += odd * (h2 - z2);
		odd2 += odd * (6.0 * z6 + 2.0 * z4 + h2 * (2.0 * z4 - 5.0 * z2) +
					   h4 * (1.0 - 2.0 * z2));
		odd3 += odd * (-30.0 * z6 - 90.0 * z4 * z4 +
					   h2 * (135.0 * z4 - 96.0 * z6) +
					   h4 * (212.0 * z4 - 60.0 * z2) +
					   h4 * h2 * (5.0 - 30.0 * z2));
		all2 += all * g2;
		all3 += all * g2 * (3.0 * z2 - g2);
	}
	k1 = odd1 / (6.0 * z4);
	k2 = odd2 / (72.0 * z6 * z) - all2 / (36.0 * z2 * z);
	k3 = odd3 / (6480.0 * z6 * z4) + all3 / (216.0 * z6);
	return SQRT_TWO_PI *
		(odd0 / z + (k1 + (k2 + k3 / sqrt(n)) / sqrt(n)) / sqrt(n));
}

/*
 * P(D_n < z / sqrt(n)) for n > DURBIN_MAX.  The remainder of the expansion is
 * n^-2 times a power series in n^(-1/2); its first coefficients come from the
 * polynomial through the remainders at the smaller n below.
 */
static double
extrapolated_cdf(double z, double n)
{
	static const int roots[] = {16, 20, 25, 32};
	double		s = 1.0 / sqrt(n);
	double		remainder = 0.0;

	for (int i = 0; i < (int) lengthof(roots); i++)
	{
		double		root = roots[i];
		double		count = root * root;
		double		weight = 1.0;

		for (int j = 0; j < (int) lengthof(roots); j++)
		{
			if (j != i)
				weight *= (s - 1.0 / roots[j]) / (1.0 / root - 1.0 / roots[j]);
		}
		remainder += weight * count * count *
			(durbin_cdf(z / root, (int64) count) - pelz_good_cdf(z, count));
	}
	return pelz_good_cdf(z, n) + remainder / n / n;
}

double
ks_one_sample_sf(double d, int64 n)
{
	double		count = (double) n;
	double		cdf;

	if (n < 1 || isnan(d))
		elog(ERROR, "invalid arguments of Kolmogorov's law");
	if (count * d <= 0.5)
		return 1.0;
	if (d >= 1.0)
		return 0.0;
	if (d >= 0.5 || count * d * d >= TAIL_START)
		return Min(2.0 * smirnov_sf(d, count), 1.0);
	if (n <= DURBIN_MAX)
		cdf = durbin_cdf(d, n);
	else if (count * d * d < 0.02)
		return 1.0;				/* P(D_n < d) is below 1e-25 */
	else
		cdf = extrapolated_cdf(d * sqrt(count), count);
	return Min(1.0, Max(0.0, 1.0 - cdf));
}

double
ks_quick_pvalue(double d, int64 n, int64 m)
{
	double		small = (double) Min(n, m);
	double		large = (double) Max(n, m);
	double		effective = small * (large / (small + large));
	double		z2;

	if (n < 1 || m < 1 || !(d >= 0.0 && d <= 1.0))
		elog(ERROR, "invalid arguments of a Kolmogorov-Smirnov law");

	/* the distance comes in steps of 1 / lcm(n, m) */
	d -= 0.5 * (double) greatest_common_divisor(n, m) / (small * large);
	z2 = effective * d * d;
	if (d <= 0.0 || z2 < 0.02)
		return 1.0;				/* P(D < d) is below 1e-25 */
	if (effective < EXPANSION_MIN ||
		(z2 >= TAIL_START && effective < TRAPEZOID_MIN))
		return ks_one_sample_sf(d, Max((int64) rint(effective), 1));
	if (z2 >= TAIL_START)
		return Min(2.0 * smirnov_sf(d, effective), 1.0);
	return Min(1.0, Max(0.0, 1.0 - pelz_good_cdf(sqrt(z2), effective)));
}
