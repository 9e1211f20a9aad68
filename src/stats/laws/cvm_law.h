/*
 * cvm_law.h
 *		P-values of the two-sample Cramer-von Mises test.
 *
 * With n reference and m current rows whose ranks among all rows are r_i and
 * s_j in ascending order,
 *
 *		U = n sum (r_i - i)^2 + m sum (s_j - j)^2,
 *		T = U / (n m (n+m)) - (4 n m - 1) / (6 (n+m))
 *
 * (T. W. Anderson, "On the distribution of the two-sample Cramer-von Mises
 * criterion", 1962).  Ties enter U through midranks; the exact law is that of
 * data without ties.
 */
#ifndef MLMETA_CVM_LAW_H
#define MLMETA_CVM_LAW_H

/*
 * True where the exact law is the default: up to 20 rows in each sample, as in
 * scipy, and beyond where n and m have so large a common divisor that it costs
 * no more than about 0.3 s.
 */
extern bool cvm_exact_affordable(int64 n, int64 m);

/*
 * P(U >= u), every assignment of the n + m ranks being equally likely.
 * Relative error 1e-13.  Raises an error when n and m ask for more memory than
 * one allocation may have: only far outside cvm_exact_affordable.
 */
extern double cvm_exact_pvalue(double u, int64 n, int64 m);

/*
 * P-value of T from the limiting law, T having been brought to the mean and
 * variance of that law (1/6 and 1/45) as scipy does.
 */
extern double cvm_asymptotic_pvalue(double t, int64 n, int64 m);

/*
 * P(W^2 >= x) of the limiting law, that of the sum of Z_k^2 / (k pi)^2, by
 * Smirnov's formula; relative error 1e-13 for results down to 1e-300.  1 for
 * x <= 0, NaN for NaN.
 */
extern double cramer_von_mises_sf(double x);

#endif							/* MLMETA_CVM_LAW_H */
