/*
 * ks_law.h
 *		P-values of the two-sample Kolmogorov-Smirnov test.
 *
 * The statistic lives in integers: with n reference and m current rows, of
 * which i and j are at or below a value,
 *
 *		s = i * m - j * n,		F - G = s / (n * m),
 *
 * so that S = n * m * D is compared without rounding.  The alternatives are
 * scipy's: "greater" looks at max(F - G), which is large when the reference is
 * smaller, "less" at max(G - F), "two-sided" at the larger of the two.
 *
 * n * m must fit in 61 bits wherever S is used; the exact laws would take
 * years long before that.
 */
#ifndef MLMETA_KS_LAW_H
#define MLMETA_KS_LAW_H

#include "two_sample.h"

/*
 * Bounds within which the exact law is the default method: at worst, for
 * p-values around 1e-280, it then takes about 0.3 s; for p > 1e-10 a tenth.
 */
#define KS_EXACT_BUDGET		INT64CONST(1000000000)	/* n * m */
#define KS_EXACT_MAX_ROWS	INT64CONST(2000000)		/* n + m */

/*
 * True where the exact law is the default: n * m and n + m within the bounds.
 *
 * The second form knows the ties and says yes also wherever the walk over
 * these groups costs no more than that: few distinct values make it cheap at
 * any number of rows.  (Two-sided; a one-sided walk may take twice that.)
 */
extern bool ks_exact_affordable(int64 n, int64 m);
extern bool ks_exact_affordable_tied(const TieGroup *groups, int64 ngroups);

/*
 * S of the groups, never negative.  Returns 0 for no rows of one kind.
 */
extern int64 ks_scaled_statistic(const TieGroup *groups, int64 ngroups,
								 Alternative alternative);

/*
 * The attainable S nearest to a distance d that was computed in floating
 * point (S is a multiple of the greatest common divisor of n and m).
 */
extern int64 ks_scale_distance(double d, int64 n, int64 m);

/*
 * Exact p-value conditional on the ties: the probability that a random
 * labelling of the pooled rows, the ties as they are, gives at least S (that
 * of the groups, or the one given).  S <= 0 gives 1.
 *
 * A random walk draws the labels from an urn in ascending order of the value;
 * p is the mass that leaves the band |s| < S, looked at where a tie group
 * ends.  Only positive numbers are added, so p = 1e-300 has its digits:
 * relative error 1e-13 or so, 1e-14 where rational arithmetic was compared.
 *
 * Time: at most about 2 * D * n * m additions, less where the walk hardly ever
 * goes; memory: 24 bytes times the smaller of n and m.
 */
extern double ks_exact_pvalue(const TieGroup *groups, int64 ngroups,
							  Alternative alternative);
extern double ks_exact_pvalue_at(const TieGroup *groups, int64 ngroups,
								 int64 s, Alternative alternative);

/*
 * The same for continuous data, where no two rows tie: P(D >= d).  This is
 * scipy's method 'exact'; with ties in the data it is too large.
 */
extern double ks_exact_no_ties(double d, int64 n, int64 m,
							   Alternative alternative);
extern double ks_exact_no_ties_at(int64 s, int64 n, int64 m,
								  Alternative alternative);

/*
 * Method 'asymptotic'.  Two-sided: the law of the one-sample statistic at
 * (d, round(nm/(n+m))), halves to even as scipy rounds; one-sided: Hodges'
 * approximation exp(-2z^2 - 2z(m+2n)/(3 sqrt(mn(m+n)))), z = d sqrt(mn/(m+n)),
 * m the larger sample (J. L. Hodges, "The significance probability of the
 * Smirnov two-sample test", 1958, equation 5.3).
 */
extern double ks_asymptotic_pvalue(double d, int64 n, int64 m,
								   Alternative alternative);

/*
 * The two-sided p-value of a distance without ties in some microseconds,
 * whatever n and m, for whoever judges thousands of them: the one-sample law
 * at nm/(n+m) rows, half a step of the attainable distances below d.  From
 * n m = 1e5 and min(n, m) = 30 on it is within 5 % of the exact law for
 * p > 1e-6, mostly above; for 5,000 against 100 rows within 0.5 %.
 */
extern double ks_quick_pvalue(double d, int64 n, int64 m);

/*
 * P(D_n >= d) of the one-sample Kolmogorov statistic of n >= 1 rows.
 * Relative error below 1e-10 wherever the result is a normal double:
 *
 * - n d^2 >= 4.5 or d >= 1/2: twice Smirnov's one-sided law, of which the
 *	 two-sided one differs by less than 2e-12 there; a sum of positive terms,
 *	 for large n by the trapezoidal rule, which is spectrally accurate on it;
 * - n <= 1024: Durbin's recursion (as in G. Marsaglia, W. W. Tsang, J. Wang,
 *	 "Evaluating Kolmogorov's distribution", 2003), a vector through n banded
 *	 steps in place of a matrix power;
 * - else the expansion of W. Pelz and I. J. Good, "Approximating the lower
 *	 tail-areas of the Kolmogorov-Smirnov one-sample statistic", 1976, to
 *	 n^(-3/2), whose remainder is extrapolated from Durbin's values at the
 *	 same d sqrt(n) and smaller n.
 */
extern double ks_one_sample_sf(double d, int64 n);

#endif							/* MLMETA_KS_LAW_H */
