/*
 * distributions.c
 *		The classical laws that p-values and confidence bounds are read from.
 */
#include "core/compat.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"

#include "distributions.h"

#define SQRT_HALF		0.70710678118654752440
/* what SQRT_HALF lacks of the square root of one half */
#define SQRT_HALF_REST	(-4.8336466567264567e-17)
#define TWO_PI			6.28318530717958647693
#define SQRT_TWO_PI		2.50662827463100050242
#define PI				3.14159265358979323846

/*
 * Below this share of a sum, further terms no longer change it.  The loops
 * that wait for it are written so that a NaN ends them.
 */
#define NEGLIGIBLE		1e-17
#define TINY			1e-300


/* ----------
 * Building blocks
 * ----------
 */

double
stirling_error(double z)
{
	double		shifted = 0.0;
	double		z2;

	if (!(z > 0.0))
		return NAN;

	/*
	 * The asymptotic series has all its digits from 16 on; below, climb with
	 * the functional equation of Gamma, whose steps are small numbers.
	 */
	while (z < 16.0)
	{
		shifted += (z + 0.5) * log1p(1.0 / z) - 1.0;
		z += 1.0;
	}
	z2 = z * z;
	return shifted +
		(1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - (1.0 / 1188 -
		 691.0 / 360360 / z2) / z2) / z2) / z2) / z2) / z;
}

double
deviance(double x, double mean, double diff)
{
	double		ratio;
	double		sum;
	double		term;
	int			j;

	if (x == 0.0)
		return mean;
	if (fabs(diff) >= 0.4 * (x + mean))
		return x * log(x / mean) - diff;

	/* near the mean: expand the logarithm as an inverse hyperbolic tangent */
	ratio = diff / (x + mean);
	sum = diff * ratio;
	term = 2.0 * x * ratio;
	ratio *= ratio;
	for (j = 3;; j += 2)
	{
		double		before = sum;

		term *= ratio;
		sum += term / j;
		if (sum == before)
			return sum;
	}
}

double
poisson_term(double k, double mean)
{
	if (!(k >= 0.0 && mean >= 0.0))
		return NAN;
	if (mean == 0.0)
		return k == 0.0 ? 1.0 : 0.0;
	if (isinf(mean) || isinf(k))
		return 0.0;
	if (k == 0.0)
		return exp(-mean);
	return exp(-stirling_error(k) - deviance(k, mean, k - mean)) /
		(SQRT_TWO_PI * sqrt(k));
}

double
binomial_term(double a, double b, double x, double y)
{
	double		n = a + b;

	if (!(a >= 0.0 && b >= 0.0 && x >= 0.0 && y >= 0.0))
		return NAN;
	if (x == 0.0)
		return a == 0.0 ? 1.0 : 0.0;
	if (y == 0.0)
		return b == 0.0 ? 1.0 : 0.0;
	if (a == 0.0)
		return exp(b * (x < 0.5 ? log1p(-x) : log(y)));
	if (b == 0.0)
		return exp(a * (y < 0.5 ? log1p(-y) : log(x)));

	/* a - n x = a y - b x, which keeps the digits that n x would round off */
	return exp(stirling_error(n) - stirling_error(a) - stirling_error(b) -
			   deviance(a, n * x, a * y - b * x) -
			   deviance(b, n * y, b * x - a * y)) *
		sqrt(n / a / b / TWO_PI);
}

/*
 * ln of z! / (z/e)^z.
 */
static double
factorial_excess(double z)
{
	return z == 0.0 ? 0.0 : stirling_error(z) + 0.5 * log(TWO_PI * z);
}

double
hypergeometric_term(double i, double j, double n, double m)
{
	double		k = n - i;
	double		l = m - j;
	double		drawn = i + j;
	double		left = k + l;
	double		total = n + m;
	double		share;
	double		rest;
	double		product;
	double		diff;

	if (isnan(i + j + n + m))
		return NAN;
	if (i < 0.0 || j < 0.0 || k < 0.0 || l < 0.0)
		return 0.0;
	if (drawn == 0.0 || left == 0.0 || n == 0.0 || m == 0.0)
		return 1.0;

	/* i - n drawn / total = (i m - j n) / total, without rounding i m, j n */
	product = j * n;
	diff = (fma(i, m, -product) - fma(j, n, -product)) / total;
	share = drawn / total;
	rest = left / total;
	return exp(factorial_excess(n) + factorial_excess(m) +
			   factorial_excess(drawn) + factorial_excess(left) -
			   factorial_excess(total) -
			   factorial_excess(i) - factorial_excess(j) -
			   factorial_excess(k) - factorial_excess(l) -
			   deviance(i, n * share, diff) - deviance(j, m * share, -diff) -
			   deviance(k, n * rest, -diff) - deviance(l, m * rest, diff));
}

double
log_choose(double n, double k)
{
	double		rest = n - k;

	if (isnan(n) || isnan(k))
		return NAN;
	if (k < 0.0 || rest < 0.0)
		return -INFINITY;
	if (k == 0.0 || rest == 0.0)
		return 0.0;
	if (k > rest)
	{
		double		swap = k;

		k = rest;
		rest = swap;
	}
	return k * log(n / k) - rest * log1p(-k / n) +
		0.5 * log(n / k / rest / TWO_PI) +
		stirling_error(n) - stirling_error(k) - stirling_error(rest);
}


/* ----------
 * Normal law
 * ----------
 */

double
normal_sf(double x)
{
	double		scaled = x * SQRT_HALF;
	double		rest;
	double		tail = 0.5 * erfc(scaled);

	/*
	 * In the tail the rounding of the scaled argument, magnified by its
	 * square, is the whole error: put back to first order what it lost.
	 */
	if (scaled > 1.0 && tail > 0.0)
	{
		rest = fma(x, SQRT_HALF, -scaled) + x * SQRT_HALF_REST;
		tail -= rest * exp(-scaled * scaled) / sqrt(PI);
	}
	return tail;
}

double
normal_cdf(double x)
{
	return normal_sf(-x);
}

double
normal_quantile_upper(double q)
{
	double		x;
	double		log_q;
	int			i;

	if (!(q >= 0.0 && q <= 1.0))
		return NAN;
	if (q == 0.0)
		return INFINITY;
	if (q == 1.0)
		return -INFINITY;
	if (q > 0.5)
		return -normal_quantile_upper(1.0 - q);

	if (q > 0.25)
	{
		/* around the centre, Newton on the odd part, which has no offset */
		double		target = 0.5 - q;

		x = target * SQRT_TWO_PI;
		for (i = 0; i < 20; i++)
		{
			double		step;

			step = (0.5 * erf(x * SQRT_HALF) - target) *
				SQRT_TWO_PI * exp(0.5 * x * x);
			x -= step;
			if (fabs(step) <= 1e-16 * fabs(x))
				break;
		}
		return x;
	}

	/* in the tail, Newton on the logarithm, which is concave: it converges */
	log_q = log(q);
	x = -2.0 * log_q;
	x = sqrt(fmax(x - log(TWO_PI * x), 0.4));
	for (i = 0; i < 50; i++)
	{
		double		tail = normal_sf(x);
		double		step;

		if (tail < DBL_MIN)
		{
			/* overshot where the tail has no digits: come back a little */
			if (q >= DBL_MIN)
			{
				x *= 0.999;
				continue;
			}
			return x;
		}
		step = (log(tail) - log_q) *
			SQRT_TWO_PI * exp(log(tail) + 0.5 * x * x);
		x += step;
		if (fabs(step) <= 4e-16 * x)
			break;
	}
	return x;
}

double
normal_quantile(double p)
{
	return -normal_quantile_upper(p);
}


/* ----------
 * Incomplete gamma and beta functions
 * ----------
 */

/*
 * P(a, x) / (x^a e^-x / Gamma(a+1)) = 1 + x/(a+1) + x^2/((a+1)(a+2)) + ...
 * All terms are positive; meant for x not much above a.
 */
static double
gamma_p_ratio(double a, double x)
{
	double		sum = 1.0;
	double		term = 1.0;
	double		k = a;

	for (;;)
	{
		k += 1.0;
		term *= x / k;
		sum += term;
		/* what is left is at most a geometric series of ratio x/(k+1) */
		if (!(term * x >= NEGLIGIBLE * sum * (k + 1.0 - x)))
			return sum;
		CHECK_FOR_INTERRUPTS();
	}
}

/*
 * Q(a, x) / (x^a e^-x / Gamma(a+1)), meant for x > a and x not small.
 */
static double
gamma_q_ratio(double a, double x)
{
	double		b = x + 1.0 - a;
	double		c = 1.0 / TINY;
	double		d = 1.0 / b;
	double		fraction = d;
	double		i;

	if (a >= 64.0)
	{
		/*
		 * a/x + a(a-1)/x^2 + ..., as when integrating by parts: the terms
		 * are positive and fall until the numerator runs out, by which time
		 * they are below e^-a.
		 */
		double		term = a / x;
		double		sum = term;

		for (i = 1.0; i < a; i += 1.0)
		{
			term *= (a - i) / x;
			sum += term;
			if (!(term * (a - i) >= NEGLIGIBLE * sum * (x - a + i)))
				break;
			CHECK_FOR_INTERRUPTS();
		}
		return sum;
	}

	/* Legendre's continued fraction, Lentz's evaluation */
	for (i = 1.0;; i += 1.0)
	{
		double		numerator = -i * (i - a);
		double		factor;

		b += 2.0;
		d = numerator * d + b;
		if (fabs(d) < TINY)
			d = TINY;
		c = b + numerator / c;
		if (fabs(c) < TINY)
			c = TINY;
		d = 1.0 / d;
		factor = d * c;
		fraction *= factor;
		if (!(fabs(factor - 1.0) > 2.0 * DBL_EPSILON))
			return fraction * a;
		CHECK_FOR_INTERRUPTS();
	}
}

/*
 * Computes the smaller-cost one of P and Q and says which it was.
 */
static double
gamma_tail(double a, double x, bool *is_lower)
{
	double		term = poisson_term(a, x);

	*is_lower = x <= a || x < 1.0;
	if (term == 0.0)
		return 0.0;
	return term * (*is_lower ? gamma_p_ratio(a, x) : gamma_q_ratio(a, x));
}

double
gamma_p(double a, double x)
{
	bool		is_lower;
	double		tail;

	if (!(a > 0.0 && x >= 0.0) || isinf(a))
		return NAN;
	tail = gamma_tail(a, x, &is_lower);
	return is_lower ? tail : 1.0 - tail;
}

double
gamma_q(double a, double x)
{
	bool		is_lower;
	double		tail;

	if (!(a > 0.0 && x >= 0.0) || isinf(a))
		return NAN;
	tail = gamma_tail(a, x, &is_lower);
	return is_lower ? 1.0 - tail : tail;
}

/*
 * I_x(a, b) / (x^a y^b / B(a, b)): the even part of the classical continued
 * fraction (A. R. DiDonato, A. H. Morris, "Significant digit computation of
 * the incomplete beta function ratios", 1992), in which x and y enter only
 * through differences that keep their digits.  Lentz's evaluation; converges
 * fast for x < (a+1)/(a+b+2).
 */
static double
beta_fraction(double a, double b, double x, double y)
{
	double		excess = a * y - b * x + 1.0;	/* a - (a + b) x + 1 */
	double		value = a * excess / (a + 1.0);
	double		c;
	double		d = 0.0;
	double		n;

	if (fabs(value) < TINY)
		value = TINY;
	c = value;
	for (n = 1.0;; n += 1.0)
	{
		double		odd = a + 2.0 * n - 1.0;
		double		alpha;
		double		beta;
		double		factor;

		alpha = ((a + n - 1.0) / odd) * ((a + b + n - 1.0) / odd) *
			n * (b - n) * x * x;
		beta = n + n * (b - n) * x / odd +
			(a + n) / (odd + 2.0) * (excess + n * (1.0 + y));
		d = beta + alpha * d;
		if (fabs(d) < TINY)
			d = TINY;
		c = beta + alpha / c;
		if (fabs(c) < TINY)
			c = TINY;
		d = 1.0 / d;
		factor = d * c;
		value *= factor;
		if (!(fabs(factor - 1.0) > 2.0 * DBL_EPSILON))
			return 1.0 / value;
		CHECK_FOR_INTERRUPTS();
	}
}

double
beta_regularized(double a, double b, double x, double y)
{
	double		term;

	if (!(a > 0.0 && b > 0.0 && x >= 0.0 && y >= 0.0) ||
		isinf(a) || isinf(b))
		return NAN;
	if (x == 0.0)
		return 0.0;
	if (y == 0.0)
		return 1.0;
	term = binomial_term(a, b, x, y);
	if (x < (a + 1.0) / (a + b + 2.0))
	{
		if (term == 0.0)
			return 0.0;
		return term * a * (b / (a + b)) * beta_fraction(a, b, x, y);
	}
	if (term == 0.0)
		return 1.0;
	return 1.0 - term * a * (b / (a + b)) * beta_fraction(b, a, y, x);
}


/* ----------
 * Chi-squared law
 * ----------
 */

double
chi2_cdf(double x, double df)
{
	if (x <= 0.0 && df > 0.0)
		return 0.0;
	return gamma_p(0.5 * df, 0.5 * x);
}

double
chi2_sf(double x, double df)
{
	if (x <= 0.0 && df > 0.0)
		return 1.0;
	return gamma_q(0.5 * df, 0.5 * x);
}

/*
 * The x at which one tail of the chi-squared law is `tail`, 0 < tail < 1: the
 * lower tail if is_lower.  Newton's method on ln(tail) against ln(x), kept
 * inside a bracket that halves when a step leaves it.
 */
static double
chi2_invert(double tail, double df, bool is_lower)
{
	double		a = 0.5 * df;
	double		log_tail = log(tail);
	double		lo = -INFINITY;
	double		hi = INFINITY;
	double		guess;
	double		u;
	int			i;

	/* Wilson and Hilferty's cube root; for small df the power law at zero */
	guess = normal_quantile_upper(tail) * (is_lower ? -1.0 : 1.0);
	guess = 1.0 - 2.0 / (9.0 * df) + guess * sqrt(2.0 / (9.0 * df));
	if (guess > 0.1)
		u = log(a * guess * guess * guess);
	else
		u = (log_tail + 0.5 * log(TWO_PI * a) + stirling_error(a) +
			 a * log(a) - a) / a;

	for (i = 0; i < 200; i++)
	{
		double		x = exp(u);
		double		density = poisson_term(a, x) * a;	/* per unit of u */
		double		value = is_lower ? gamma_p(a, x) : gamma_q(a, x);
		double		error;
		double		next;

		/* too small to see counts as beyond the root */
		error = value > 0.0 ? log(value) - log_tail : -INFINITY;
		if ((error < 0.0) == is_lower)
			lo = u;
		else
			hi = u;
		if (error == 0.0)
			break;

		if (value > 0.0 && density > 0.0)
			next = u - error * value / density * (is_lower ? 1.0 : -1.0);
		else
			next = is_lower ? u + 1.0 : u - 1.0;
		if (next <= lo || next >= hi || fabs(next - u) > 5.0)
		{
			if (isinf(lo))
				next = hi - 5.0;
			else if (isinf(hi))
				next = lo + 5.0;
			else
				next = 0.5 * (lo + hi);
		}
		if (fabs(next - u) <= 2e-16 * fmax(1.0, fabs(u)))
		{
			u = next;
			break;
		}
		u = next;
	}
	return 2.0 * exp(u);
}

double
chi2_quantile(double p, double df)
{
	if (!(p >= 0.0 && p <= 1.0 && df > 0.0) || isinf(df))
		return NAN;
	if (p == 0.0)
		return 0.0;
	if (p == 1.0)
		return INFINITY;
	return p <= 0.5 ? chi2_invert(p, df, true) :
		chi2_invert(1.0 - p, df, false);
}

double
chi2_quantile_upper(double q, double df)
{
	if (!(q >= 0.0 && q <= 1.0 && df > 0.0) || isinf(df))
		return NAN;
	if (q == 0.0)
		return INFINITY;
	if (q == 1.0)
		return 0.0;
	return q <= 0.5 ? chi2_invert(q, df, false) :
		chi2_invert(1.0 - q, df, true);
}


/* ----------
 * Student's law
 * ----------
 */

double
student_two_sided(double t, double df)
{
	double		a = 0.5 * df;
	double		r;
	double		r2;

	if (isnan(t) || !(df > 0.0))
		return NAN;
	t = fabs(t);
	/* from the normal law it differs by t^4 / (4 df) of itself */
	if (df > 1e22)
		return 2.0 * normal_sf(t);
	if (isinf(t))
		return 0.0;
	if (t == 0.0)
		return 1.0;

	/* p = I_x(df/2, 1/2), x = 1/(1 + t^2/df) */
	r = t / sqrt(df);
	r2 = r * r;
	if (r > 1e100)
	{
		/*
		 * The square may overflow.  To all digits, p = r^-df / (a B(a, 1/2));
		 * the term at 1/2 gives the beta function, times 2^(a + 1/2).
		 */
		if (df > 8.0)
			return 0.0;
		return binomial_term(a, 0.5, 0.5, 0.5) * 0.5 / (a + 0.5) *
			exp2(a + 0.5) * pow(r, -df);
	}
	if (r > 1.0)
		return Min(1.0, beta_regularized(a, 0.5, 1.0 / r2 / (1.0 + 1.0 / r2),
										 1.0 / (1.0 + 1.0 / r2)));
	return beta_regularized(a, 0.5, 1.0 / (1.0 + r2), r2 / (1.0 + r2));
}

double
student_sf(double t, double df)
{
	double		half = 0.5 * student_two_sided(t, df);

	return t >= 0.0 ? half : 1.0 - half;
}

double
fisher_f_sf(double x, double df1, double df2)
{
	double		ratio = df1 * x / df2;

	if (!(df1 > 0.0 && df2 > 0.0))
		return NAN;
	if (x <= 0.0)
		return 1.0;
	if (isinf(ratio))
		return 0.0;
	return beta_regularized(0.5 * df2, 0.5 * df1, 1.0 / (1.0 + ratio),
							ratio / (1.0 + ratio));
}


/* ----------
 * Noncentral chi-squared law
 * ----------
 */

/*
 * The mixture sum over j of Poisson(j; hl) times the lower (P) or upper (Q)
 * incomplete gamma function at (nu + j, hx), all terms positive.
 *
 * Carried as w_j r_j, where w_j is the product of the Poisson weight and
 * D_j = hx^a e^-hx / Gamma(a+1), a = nu + j, and r_j the tail over D_j.  The
 * recurrences P_j = P_{j+1} + D_j and Q_{j+1} = Q_j + D_j are followed in the
 * direction in which they add.  Needs a side that is not much above one half,
 * or the ratios would be huge.
 */
static double
noncentral_mixture(double hx, double nu, double hl, bool is_lower)
{
	double		saddle;
	double		peak;
	double		j;
	double		ratio;
	double		weight = 1.0;
	double		bound = 1.0;
	double		sum = 0.0;
	double		scale;

	/* where the product of the two densities is largest */
	saddle = 2.0 * hl * hx / (nu + sqrt(nu * nu + 4.0 * hl * hx));
	peak = floor(is_lower ? fmin(saddle, hl) : fmax(saddle, hl));
	scale = poisson_term(peak, hl) * poisson_term(nu + peak, hx);
	if (scale == 0.0)
		return 0.0;

	if (is_lower)
	{
		/* go up until what lies beyond cannot matter, then come down */
		for (j = peak; bound > NEGLIGIBLE * 0.01; j += 1.0)
		{
			bound *= hl / (j + 1.0) * fmin(1.0, hx / (nu + j + 1.0));
			weight *= hl / (j + 1.0) * (hx / (nu + j + 1.0));
			CHECK_FOR_INTERRUPTS();
		}
		ratio = gamma_p_ratio(nu + j, hx);
		for (;; j -= 1.0)
		{
			double		term = weight * ratio;

			sum += term;
			if (j == 0.0 || (j < peak && term < NEGLIGIBLE * 0.01 * sum))
				break;
			weight *= j / hl * ((nu + j) / hx);
			ratio = 1.0 + ratio * hx / (nu + j);
			CHECK_FOR_INTERRUPTS();
		}
	}
	else
	{
		for (j = peak; j > 0.0 && bound > NEGLIGIBLE * 0.01; j -= 1.0)
		{
			bound *= j / hl * fmin(1.0, (nu + j) / hx);
			weight *= j / hl * ((nu + j) / hx);
			CHECK_FOR_INTERRUPTS();
		}
		ratio = gamma_q(nu + j, hx) / poisson_term(nu + j, hx);
		for (;; j += 1.0)
		{
			double		term = weight * ratio;

			sum += term;
			if (j > peak && term < NEGLIGIBLE * 0.01 * sum)
				break;
			weight *= hl / (j + 1.0) * (hx / (nu + j + 1.0));
			ratio = (ratio + 1.0) * (nu + j + 1.0) / hx;
			CHECK_FOR_INTERRUPTS();
		}
	}
	return sum * scale;
}

double
noncentral_chi2_cdf(double x, double df, double lambda)
{
	if (isnan(x) || !(df > 0.0 && lambda >= 0.0) || isinf(df) || isinf(lambda))
		return NAN;
	if (x <= 0.0)
		return 0.0;
	if (isinf(x))
		return 1.0;
	if (lambda == 0.0)
		return chi2_cdf(x, df);
	if (x < df + lambda)
		return noncentral_mixture(0.5 * x, 0.5 * df, 0.5 * lambda, true);
	return 1.0 - noncentral_mixture(0.5 * x, 0.5 * df, 0.5 * lambda, false);
}

double
noncentral_chi2_sf(double x, double df, double lambda)
{
	if (isnan(x) || !(df > 0.0 && lambda >= 0.0) || isinf(df) || isinf(lambda))
		return NAN;
	if (x <= 0.0)
		return 1.0;
	if (isinf(x))
		return 0.0;
	if (lambda == 0.0)
		return chi2_sf(x, df);
	if (x < df + lambda)
		return 1.0 - noncentral_mixture(0.5 * x, 0.5 * df, 0.5 * lambda, true);
	return noncentral_mixture(0.5 * x, 0.5 * df, 0.5 * lambda, false);
}

/*
 * The normal score of the noncentral law at noncentrality s^2, minus that of
 * q: nearly linear in s, which is what makes the root finder below quick.
 */
static double
noncentrality_error(double s, double x, double df, double score)
{
	double		lambda = s * s;

	if (x < df + lambda)
		return normal_quantile(noncentral_chi2_cdf(x, df, lambda)) - score;
	return normal_quantile_upper(noncentral_chi2_sf(x, df, lambda)) - score;
}

double
noncentral_chi2_noncentrality(double x, double df, double q)
{
	double		score;
	double		lo = 0.0;
	double		hi;
	double		error_lo;
	double		error_hi;
	int			side = 0;
	int			i;

	if (isnan(x) || !(df > 0.0 && q > 0.0 && q < 1.0) || isinf(x) || isinf(df))
		return NAN;
	if (chi2_sf(x, df) >= q)
		return 0.0;

	/* the error falls from positive at lo to negative at hi */
	score = normal_quantile_upper(q);
	error_lo = noncentrality_error(lo, x, df, score);
	hi = sqrt(x) + fmax(0.0, -score) + 1.0;
	error_hi = noncentrality_error(hi, x, df, score);
	while (error_hi > 0.0)
	{
		lo = hi;
		error_lo = error_hi;
		hi *= 1.5;
		error_hi = noncentrality_error(hi, x, df, score);
	}

	for (i = 0; i < 200 && hi - lo > 1e-13 * hi; i++)
	{
		double		s;
		double		error;

		/* false position, halving the stale end's weight (Illinois) */
		if (isfinite(error_lo) && isfinite(error_hi) && i % 8 != 7)
			s = lo + (hi - lo) * (error_lo / (error_lo - error_hi));
		else
			s = 0.5 * (lo + hi);
		if (s <= lo || s >= hi)
			break;
		error = noncentrality_error(s, x, df, score);
		if (error == 0.0)
			return s * s;
		if (error > 0.0)
		{
			lo = s;
			error_lo = error;
			if (side > 0)
				error_hi *= 0.5;
			side = 1;
		}
		else
		{
			hi = s;
			error_hi = error;
			if (side < 0)
				error_lo *= 0.5;
			side = -1;
		}
	}
	/* the end whose error is smaller */
	return fabs(error_lo) < fabs(error_hi) ? lo * lo : hi * hi;
}


/* ----------
 * Kolmogorov's limiting law
 * ----------
 */

double
kolmogorov_sf(double z)
{
	double		sum = 0.0;
	int			k;

	if (isnan(z))
		return NAN;
	if (z <= 0.0)
		return 1.0;
	if (z < 0.8)
	{
		double		base = -PI * PI / (8.0 * z * z);

		for (k = 1;; k += 2)
		{
			double		term = exp(base * k * k);

			sum += term;
			if (term <= NEGLIGIBLE * sum)
				break;
		}
		return 1.0 - SQRT_TWO_PI / z * sum;
	}
	for (k = 1;; k++)
	{
		double		term = exp(-2.0 * z * z * k * k);

		sum += (k % 2) ? term : -term;
		if (term <= NEGLIGIBLE * sum || term == 0.0)
			break;
	}
	return 2.0 * sum;
}
