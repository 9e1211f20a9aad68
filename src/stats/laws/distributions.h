/*
 * distributions.h
 *		The classical laws that p-values and confidence bounds are read from.
 *
 * All functions are pure: no memory, no state, no error.  An argument that is
 * NaN, or outside the stated domain, gives NaN.  "Accurate" below means the
 * relative error of the result itself, tails included: a tail probability of
 * 1e-300 has its digits.  What falls under the smallest normal double
 * (2.2e-308) loses digits gradually and ends as 0.
 *
 * Nothing here takes differences of lgamma() values: the factors x^a e^-x /
 * Gamma(a+1) and their relatives are evaluated from Stirling's error and the
 * deviance (C. Loader, "Fast and accurate computation of binomial
 * probabilities", 2000), which keeps its digits for large parameters and does
 * not touch the signgam global.
 */
#ifndef MLMETA_DISTRIBUTIONS_H
#define MLMETA_DISTRIBUTIONS_H

/*
 * Building blocks.
 *
 * stirling_error(z), z > 0: ln Gamma(z+1) - (z+1/2) ln z + z - ln(2 pi)/2,
 * absolute error below 2e-15.
 *
 * deviance(x, mean, diff), x >= 0, mean > 0: x ln(x/mean) - diff, where the
 * caller hands over diff = x - mean as exactly as it can.
 *
 * poisson_term(k, mean), real k >= 0, mean >= 0: mean^k e^-mean / Gamma(k+1).
 *
 * binomial_term(a, b, x, y), real a, b >= 0, x + y = 1, both given so that
 * neither loses digits: Gamma(a+b+1) / (Gamma(a+1) Gamma(b+1)) x^a y^b.
 *
 * hypergeometric_term(i, j, n, m), whole numbers below 2^53: the probability
 * that drawing i + j balls from an urn of n and m takes i of the n and j of
 * the m; 0 where that is impossible.
 *
 * log_choose(n, k), 0 <= k <= n: ln of the binomial coefficient; -infinity
 * outside.
 *
 * Accuracy of the terms: 1e-14 near the centre, 3e-13 where they are 1e-300.
 */
extern double stirling_error(double z);
extern double deviance(double x, double mean, double diff);
extern double poisson_term(double k, double mean);
extern double binomial_term(double a, double b, double x, double y);
extern double hypergeometric_term(double i, double j, double n, double m);
extern double log_choose(double n, double k);

/*
 * Normal law.  Accurate to 1e-15 in the body, 1e-13 in the far tails.
 *
 * normal_quantile(p) is the x with cdf(x) = p, normal_quantile_upper(q) the x
 * with sf(x) = q: use the second for small upper tails.  0 and 1 give the
 * infinities.
 */
extern double normal_cdf(double x);
extern double normal_sf(double x);
extern double normal_quantile(double p);
extern double normal_quantile_upper(double q);

/*
 * Regularised incomplete gamma functions, a > 0, x >= 0: P(a, x) and
 * Q(a, x) = 1 - P.  Accurate to 1e-13 (series with positive terms, continued
 * fraction); Q for a < 0.1 and x < 1 is only 1 - P.  Cost grows with sqrt(a).
 *
 * Regularised incomplete beta I_x(a, b), a, b > 0, with y = 1 - x given apart.
 */
extern double gamma_p(double a, double x);
extern double gamma_q(double a, double x);
extern double beta_regularized(double a, double b, double x, double y);

/*
 * Chi-squared law with real df > 0.  Quantiles: chi2_quantile(p, df) has
 * cdf = p, chi2_quantile_upper(q, df) has sf = q.
 */
extern double chi2_cdf(double x, double df);
extern double chi2_sf(double x, double df);
extern double chi2_quantile(double p, double df);
extern double chi2_quantile_upper(double q, double df);

/*
 * Student's law with real df > 0 (infinite: normal).  student_two_sided is
 * P(|T| >= |t|).
 */
extern double student_sf(double t, double df);
extern double student_two_sided(double t, double df);

/*
 * P(F >= x) of Fisher's law with real df1, df2 > 0.
 */
extern double fisher_f_sf(double x, double df1, double df2);

/*
 * Noncentral chi-squared law, df > 0, noncentrality lambda >= 0: a mixture of
 * central laws with Poisson weights, summed in positive terms on the side that
 * is small.  Accurate to 1e-12; cost grows with sqrt(lambda).
 *
 * noncentral_chi2_noncentrality(x, df, q) is the lambda at which
 * P(X >= x) = q; 0 when even the central law has more than q beyond x.  It is
 * the lower confidence bound of lambda at level 1 - q when x was observed.
 * Relative error 1e-11.
 */
extern double noncentral_chi2_cdf(double x, double df, double lambda);
extern double noncentral_chi2_sf(double x, double df, double lambda);
extern double noncentral_chi2_noncentrality(double x, double df, double q);

/*
 * Kolmogorov's limiting law, P(K >= z): Jacobi's theta series in the form that
 * converges.  1 for z <= 0.
 */
extern double kolmogorov_sf(double z);

#endif							/* MLMETA_DISTRIBUTIONS_H */
