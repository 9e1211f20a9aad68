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
 * scipy's: KS_GREATER looks at max(F - G) (the reference is smaller), KS_LESS
 * at max(G - F), KS_TWO_SIDED at the larger of the two.
 *
 * n * m must fit in 61 bits wherever S is used; the exact laws would take
 * years long before that.
 */
#ifndef MLMETA_KS_LAW_H
#define MLMETA_KS_LAW_H

typedef enum KsAlternative
{
	KS_TWO_SIDED,
	KS_LESS,
	KS_GREATER
} KsAlternative;

/*
 * The rows that share one value (or one bin): how many of each sample.  Arrays
 * of these are in ascending order of the value.
 */
typedef struct TieGroup
{
	int64		reference;
	int64		current;
} TieGroup;

/*
 * Largest n * m for which the exact law is the default: about 0.3 s at worst.
 */
#define KS_EXACT_BUDGET		INT64CONST(400000000)

/*
 * True where the exact law is the default method: n * m within the budget.
 *
 * The second form knows the ties and says yes wherever the walk over these
 * groups costs no more than that: few distinct values make it cheap at any
 * number of rows.
 */
extern bool ks_exact_affordable(int64 n, int64 m);
extern bool ks_exact_affordable_tied(const TieGroup *groups, int64 ngroups);

/*
 * S of the groups, never negative.  Returns 0 for no rows of one kind.
 */
extern int64 ks_scaled_statistic(const TieGroup *groups, int64 ngroups,
								 KsAlternative alternative);

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
 * relative error 1e-12 (compared with rational arithmetic).
 *
 * Time: at most about 2 * D * n * m additions, less where the walk hardly ever
 * goes; memory: 24 bytes times the smaller of n and m.
 */
extern double ks_exact_pvalue(const TieGroup *groups, int64 ngroups,
							  KsAlternative alternative);
extern double ks_exact_pvalue_at(const TieGroup *groups, int64 ngroups,
								 int64 s, KsAlternative alternative);

/*
 * The same for continuous data, where no two rows tie: P(D >= d).  This is
 * scipy's method 'exact'; with ties in the data it is too large.
 */
extern double ks_exact_no_ties(double d, int64 n, int64 m,
							   KsAlternative alternative);
extern double ks_exact_no_ties_at(int64 s, int64 n, int64 m,
								  KsAlternative alternative);

/*
 * Method 'asymptotic'.  Two-sided: the law of the one-sample statistic at
 * (d, round(nm/(n+m))), halves to even as scipy rounds; one-sided: Hodges'
 * approximation exp(-2z^2 - 2z(m+2n)/(3 sqrt(mn(m+n)))), z = d sqrt(mn/(m+n)),
 * m the larger sample (J. L. Hodges, "The significance probability of the
 * Smirnov two-sample test", 1958, equation 5.3).
 */
extern double ks_asymptotic_pvalue(double d, int64 n, int64 m,
								   KsAlternative alternative);

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
 *	 n^(-3/2), whose remainder is extrapolated from Durbin's values at smaller n
 *	 and the same d sqrt(n).
 */
extern double ks_one_sample_sf(double d, int64 n);

#endif							/* MLMETA_KS_LAW_H */
