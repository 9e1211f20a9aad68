/*
 * ad_law.h
 *		P-values of the Anderson-Darling tests.
 */
#ifndef MLMETA_AD_LAW_H
#define MLMETA_AD_LAW_H

/*
 * P(A^2 >= x) of the limiting law of the one-sample Anderson-Darling
 * statistic, the law of the sum of Z_k^2 / (k (k+1)).  Smirnov's formula for
 * such sums gives both tails; relative error 1e-13 for results down to
 * 1e-300.  1 for x <= 0, NaN for NaN.
 */
extern double anderson_darling_sf(double x);

/*
 * P-value of the standardised two-sample statistic t of F. W. Scholz and
 * M. A. Stephens, "K-sample Anderson-Darling tests", 1987: the limiting law
 * at 1 + sigma t, whose mean is 1 and variance sigma^2 = 2 (pi^2 - 9) / 3.
 * Within 7e-5 of the values R's kSamples gives; scipy instead interpolates a
 * table and keeps p in [0.001, 0.25].
 */
extern double anderson_darling_two_sample_pvalue(double t);

#endif							/* MLMETA_AD_LAW_H */
