#!/usr/bin/env python3
"""Writes laws.csv: expected values of the probability laws of src/stats/laws.

Nothing here is taken from the code under test. Counting laws are enumerated in
rational arithmetic; continuous ones are summed from their defining series with
mpmath, with enough digits that the cancellation does not matter. Run by hand:

    python3 test/data/laws.py > test/data/laws.csv

Columns: law (the C function), arguments (separated by blanks; a tie group is
reference:current; two-sided, less and greater are words), expected (17 digits),
source.
"""
import csv
import math
import random
import sys
from fractions import Fraction

import mpmath as mp
from mpmath import mpf

RATIONAL = 'rational enumeration'
SERIES = 'series, mpmath'
rows = []


def emit(law, arguments, value, source):
    if isinstance(value, Fraction):
        mp.mp.dps = 60
        value = mpf(value.numerator) / value.denominator
    text = ' '.join(repr(a) if isinstance(a, float) else str(a)
                    for a in arguments)
    rows.append((law, text, mp.nstr(mpf(value), 17, min_fixed=0, max_fixed=0),
                 source))


# ---- continuous laws

def gamma_tails(a, x):
    """P and Q from the series of P, with digits for the smaller of them."""
    a, x = mpf(a), mpf(x)
    mp.mp.dps = 60
    size = abs((a * mp.log(x) - x - mp.loggamma(a + 1)) / mp.log(10))
    mp.mp.dps = int(80 + size)
    term = total = mpf(1)
    k = a
    while term > total * mpf(10) ** (-mp.mp.dps):
        k += 1
        term *= x / k
        total += term
    lower = mp.exp(a * mp.log(x) - x - mp.loggamma(a + 1)) * total
    return lower, 1 - lower


def chi2_sf(x, df):
    return gamma_tails(mpf(df) / 2, mpf(x) / 2)[1]


def solve(function, target, start):
    """The root of ln(function) = ln(target), by secants on logarithms."""
    mp.mp.dps = 40
    goal = mp.log(target)

    def error(u):
        value = mp.log(function(mp.exp(u))) - goal
        mp.mp.dps = 40
        return value
    return mp.exp(mp.findroot(error, (mp.log(start), mp.log(start * 1.01)),
                              tol=mpf(10) ** -30))


def noncentral_tails(x, df, lam):
    mp.mp.dps = 500
    half, nu, h = mpf(x) / 2, mpf(df) / 2, mpf(lam) / 2
    last = int(h + half + 40 * mp.sqrt(h + half) + 200)
    density = mp.exp((nu + last - 1) * mp.log(half) - half -
                     mp.loggamma(nu + last))
    weight = mp.exp(-h + last * mp.log(h) - mp.loggamma(last + 1))
    tail = mp.exp((nu + last) * mp.log(half) - half -
                  mp.loggamma(nu + last + 1)) * mp.hyp1f1(1, nu + last + 1,
                                                          half)
    lower = upper = mpf(0)
    for j in range(last, -1, -1):
        lower += weight * tail
        upper += weight * (1 - tail)
        tail += density
        density *= (nu + j - 1) / half
        weight *= j / h
    return lower, upper


def continuous():
    mp.mp.dps = 60
    for x in (-3.0, 0.0, 0.5, 1.96, 6.0, 20.0, 37.5):
        mp.mp.dps = 60
        emit('normal_sf', [x], mp.erfc(mpf(x) / mp.sqrt(2)) / 2, SERIES)
    for q in (1e-300, 1e-20, 1e-4, 0.025, 0.3, 0.5, 0.9):
        mp.mp.dps = 60
        root = mpf(0) if q == 0.5 else mp.findroot(
            lambda x: mp.log(mp.erfc(x / mp.sqrt(2)) / 2) - mp.log(mpf(q)),
            mp.sqrt(-2 * mp.log(q)) if q < 0.1 else mpf(0.5 - q) * 2.5)
        emit('normal_quantile_upper', [q], root, SERIES)
    for x, df in ((0.1, 1), (3.841458820694124, 1), (1400.0, 1), (0.001, 2),
                  (9.0, 9), (100.0, 9), (1500.0, 9), (150.0, 239),
                  (239.0, 239), (2000.0, 239), (33000.0, 32767),
                  (40000.0, 32767)):
        emit('chi2_sf', [x, df], chi2_sf(x, df), SERIES)
    for q, df, start in ((0.05, 1, 3.8), (0.05, 9, 17.0), (0.01, 239, 290.0),
                         (1e-10, 9, 70.0), (1e-300, 9, 1400.0),
                         (0.95, 9, 3.3), (0.5, 1, 0.45)):
        emit('chi2_quantile_upper', [q, df],
             solve(lambda x: chi2_sf(x, df), mpf(q), start), SERIES)
    for t, df in ((0.5, 1.0), (12.7, 1.0), (1e100, 1.0), (1e200, 1.5),
                  (2.0, 2.5), (3.0, 7.3), (10.0, 30.0), (1.0, 1000.0),
                  (30.0, 1000.0), (0.001, 5.0)):
        mp.mp.dps = 60
        x = mpf(df) / (mpf(df) + mpf(t) ** 2)
        emit('student_two_sided', [t, df],
             mp.betainc(mpf(df) / 2, mpf(1) / 2, 0, x, regularized=True),
             SERIES)
    for x, df, lam in ((1.0, 1, 10.0), (30.0, 9, 10.0), (100.0, 9, 10.0),
                       (10.0, 50, 100.0), (700.0, 9, 600.0),
                       (3000.0, 9, 600.0)):
        lower, upper = noncentral_tails(x, df, lam)
        emit('noncentral_chi2_cdf', [x, df, lam], lower, SERIES)
        emit('noncentral_chi2_sf', [x, df, lam], upper, SERIES)
    for x, df, q, start in ((30.0, 9, 0.05, 9.0), (100.0, 9, 0.05, 60.0),
                            (500.0, 19, 0.025, 400.0),
                            (400.0, 239, 0.05, 100.0)):
        emit('noncentral_chi2_noncentrality', [x, df, q],
             solve(lambda lam: noncentral_tails(x, df, lam)[1], mpf(q),
                   mpf(start)), SERIES)
    for z in (0.2, 0.5, 0.8, 1.3581015157406195, 5.0, 18.0):
        mp.mp.dps = 60
        terms = [(-1) ** (k - 1) * mp.exp(-2 * k * k * mpf(z) ** 2)
                 for k in range(1, 80)]
        emit('kolmogorov_sf', [z], 2 * mp.fsum(terms), SERIES)


# ---- counting laws

def ks_tail(groups, s, alternative):
    n = sum(g[0] for g in groups)
    m = sum(g[1] for g in groups)
    if s <= 0:
        return Fraction(1)
    paths = {0: 1}
    drawn = left = 0
    for a, b in groups:
        for _ in range(a + b):
            step = {}
            for i, ways in paths.items():
                if i < n:
                    step[i + 1] = step.get(i + 1, 0) + ways
                if drawn - i < m:
                    step[i] = step.get(i, 0) + ways
            paths = step
            drawn += 1
        for i in list(paths):
            x = i * m - (drawn - i) * n
            if (alternative != 'less' and x >= s or
                    alternative != 'greater' and x <= -s):
                left += paths.pop(i) * math.comb(n + m - drawn, n - i)
    return Fraction(left, math.comb(n + m, n))


def ks_statistic(groups, alternative):
    n = sum(g[0] for g in groups)
    m = sum(g[1] for g in groups)
    i = j = 0
    high = low = 0
    for a, b in groups:
        i, j = i + a, j + b
        high, low = max(high, i * m - j * n), min(low, i * m - j * n)
    return {'greater': high, 'less': -low}.get(alternative, max(high, -low))


def durbin_cdf(d, n):
    """P(D_n < d) with d a binary fraction, by Durbin's matrix, high digits."""
    mp.mp.dps = 60
    shift = n * mpf(d)
    centre = int(mp.floor(shift))
    size = 2 * centre + 1
    h = centre + 1 - shift
    weight = [1 / mp.factorial(k) for k in range(size + 2)]
    state = [mpf(0)] * size
    state[centre] = mpf(1)
    edge = [(1 - h ** (k + 1)) * weight[k + 1] for k in range(size)]
    corner = (1 - 2 * h ** size + max(mpf(0), 2 * h - 1) ** size)
    corner *= weight[size]
    for _ in range(n):
        new = []
        for j in range(size):
            total = mpf(0)
            for i in range(max(j - 1, 0), size):
                if i == size - 1 and j == 0:
                    w = corner
                elif j == 0:
                    w = edge[i]
                elif i == size - 1:
                    w = edge[size - 1 - j]
                else:
                    w = weight[i - j + 1]
                total += state[i] * w
            new.append(total)
        state = new
    return state[centre] * mp.factorial(n) / mpf(n) ** n


def smirnov_sf(d, n):
    d = Fraction(d)
    total = Fraction(0)
    for j in range(math.floor(n * (1 - d)) + 1):
        p = d + Fraction(j, n)
        total += (math.comb(n, j) * p ** (j - 1) * (1 - p) ** (n - j))
    return d * total


def kolmogorov_smirnov():
    random.seed(20240101)
    shapes = [(6, 3), (10, 1), (10, 4), (4, 20), (15, 12), (3, 150)]
    for count, most in shapes:
        groups = [(random.randint(0, most), random.randint(0, most))
                  for _ in range(count)]
        groups.append((1, 1))
        for alternative in ('two-sided', 'less', 'greater'):
            s = ks_statistic(groups, alternative)
            emit('ks_exact_pvalue',
                 [alternative] + ['%d:%d' % g for g in groups],
                 ks_tail(groups, s, alternative), RATIONAL)
    for groups in ([(9, 0), (0, 7)], [(3, 0), (5, 5), (0, 3)], [(4, 6)],
                   [(300, 0), (100, 100), (0, 400)]):
        s = ks_statistic(groups, 'two-sided')
        emit('ks_exact_pvalue', ['two-sided'] + ['%d:%d' % g for g in groups],
             ks_tail(groups, s, 'two-sided'), RATIONAL)
    for s, n, m in ((6, 3, 4), (30, 10, 7), (45000, 300, 300),
                    (81000, 300, 300), (60000, 40, 3000), (90000, 150, 900),
                    (1, 5, 7)):
        for alternative in ('two-sided', 'less'):
            emit('ks_exact_no_ties_at', [s, n, m, alternative],
                 ks_tail([(1, 0)] * n + [(0, 1)] * m, s, alternative),
                 RATIONAL)
    for d, n in ((0.75, 1), (0.375, 2), (0.3125, 10), (0.125, 50),
                 (0.1875, 50), (0.25, 20), (0.40625, 20), (0.09375, 100)):
        emit('ks_one_sample_sf', [d, n], 1 - durbin_cdf(d, n),
             "Durbin's recursion, mpmath")
    for d, n in ((0.5, 30), (0.625, 100), (0.9375, 100)):
        emit('ks_one_sample_sf', [d, n], 2 * smirnov_sf(d, n), RATIONAL)


def rank_sum_tails(ranks, n, doubled_u):
    counts = [{} for _ in range(n + 1)]
    counts[0][0] = 1
    for rank in ranks:
        for i in range(n, 0, -1):
            for total, ways in counts[i - 1].items():
                key = total + rank
                counts[i][key] = counts[i].get(key, 0) + ways
    target = n * (n + 1) + doubled_u
    every = sum(counts[n].values())
    low = sum(w for t, w in counts[n].items() if t <= target)
    high = sum(w for t, w in counts[n].items() if t >= target)
    return Fraction(low, every), Fraction(high, every)


def mann_whitney():
    random.seed(20240102)

    def three(law, ranks, n, doubled_u, arguments):
        low, high = rank_sum_tails(ranks, n, doubled_u)
        emit(law, arguments('less'), low, RATIONAL)
        emit(law, arguments('greater'), high, RATIONAL)
        emit(law, arguments('two-sided'), min(Fraction(1), 2 * min(low, high)),
             RATIONAL)

    for u, n, m in ((3, 4, 5), (0, 30, 30), (200, 30, 20), (10, 3, 40)):
        three('mann_whitney_exact_no_ties', range(2, 2 * (n + m) + 2, 2), n,
              2 * u, lambda alternative: [u, n, m, alternative])
    for count, most in ((4, 4), (8, 2), (6, 6)):
        groups = [(random.randint(0, most), random.randint(0, most))
                  for _ in range(count)] + [(1, 1)]
        ranks = []
        doubled_u = below = 0
        for a, b in groups:
            ranks += [2 * len(ranks) + a + b + 1] * (a + b)
            doubled_u += a * (2 * below + b)
            below += b
        three('mann_whitney_exact_tied', ranks, sum(g[0] for g in groups),
              doubled_u, lambda alternative: [alternative] +
              ['%d:%d' % g for g in groups])


def cvm_tail(u, n, m):
    """P(U >= u): the sums of squares of Anderson's U along lattice paths."""
    g = math.gcd(n, m)
    a, b = m // g, n // g
    zeta = Fraction((n + m) * (6 * u - n * m * (4 * n * m - 1)), 6 * g * g)
    row = [{} for _ in range(m + 1)]
    row[0] = {0: 1}
    for i in range(n + 1):
        for j in range(m + 1):
            step = (a * i - b * j) ** 2
            cell = {k + step: w for k, w in row[j].items()}
            if j > 0:
                for k, w in row[j - 1].items():
                    cell[k + step] = cell.get(k + step, 0) + w
            row[j] = cell
    return Fraction(sum(w for k, w in row[m].items() if k >= zeta),
                    math.comb(n + m, n))


def cramer_von_mises():
    emit('cvm_exact_pvalue', [1897, 7, 7], cvm_tail(1897, 7, 7), RATIONAL)
    emit('cvm_exact_pvalue', [710, 5, 6], cvm_tail(710, 5, 6), RATIONAL)
    emit('cvm_exact_pvalue', [576, 4, 6], cvm_tail(576, 4, 6), RATIONAL)
    random.seed(20240103)
    for n, m, drift in ((1, 1, 0), (3, 2, 0), (9, 12, 0), (12, 9, 6),
                        (20, 20, 3), (20, 20, 12), (24, 16, 5), (30, 30, 60)):
        places = sorted(range(n + m),
                        key=lambda k: random.random() * (n + m) +
                        (drift if k < n else 0))
        u = 0
        seen = {True: 0, False: 0}
        for rank, k in enumerate(places):
            seen[k < n] += 1
            u += (n if k < n else m) * (rank + 1 - seen[k < n]) ** 2
        emit('cvm_exact_pvalue', [u, n, m], cvm_tail(u, n, m), RATIONAL)


def smirnov_formula(x, first, last, smallest, density):
    """The alternating integrals of N. V. Smirnov's formula, without the factor
    exp(-x smallest / 2), which is put back at the end: the quadrature judges
    errors on the scale of one. A sine squared takes away the singularities at
    both ends; the integral sits next to the first, the more so for large x."""
    mp.mp.dps = 50
    x = mpf(x)
    total = mpf(0)
    splits = [0] + [mp.pi / 2 ** k for k in range(10, 0, -1)]
    for j in range(1, 60):
        lo, hi = first(j), last(j)
        part = mp.quad(lambda w: density(lo + (hi - lo) * mp.sin(w) ** 2, x) *
                       (hi - lo) * mp.sin(2 * w), splits,
                       method='gauss-legendre')
        total += part if j % 2 else -part
        if abs(part) < abs(total) * mpf(10) ** -25:
            break
    return total * mp.exp(-x * smallest / 2)


def limiting():
    mp.mp.dps = 50
    # the law of the sum of Z_k^2 / (k pi)^2
    for x in (0.03, 0.1, 0.46136, 2.0, 20.0, 130.0):
        emit('cramer_von_mises_sf', [x], smirnov_formula(
            x, lambda j: (2 * j - 1) * mp.pi, lambda j: 2 * j * mp.pi,
            mp.pi ** 2,
            lambda v, x: mp.exp(-x * (v * v - mp.pi ** 2) / 2) /
            mp.sqrt(abs(v * mp.sin(v))) * 2 / mp.pi),
            "Smirnov's formula, mpmath")
    # the law of the sum of Z_k^2 / (k (k + 1))
    for x in (0.2, 0.7, 2.492367, 10.0, 100.0, 600.0):
        emit('anderson_darling_sf', [x], smirnov_formula(
            x, lambda j: mpf(4 * j - 1), lambda j: mpf(4 * j + 1), mpf(2),
            lambda v, x: mp.exp(-x * (v * v - 9) / 8) * v *
            mp.sqrt(mp.pi / ((v * v - 1) * abs(mp.cos(mp.pi * v / 2)))) /
            mp.pi), "Smirnov's formula, mpmath")


def fisher():
    tables = ((5, 1, 10, 10), (2, 7, 8, 2), (90, 60, 60, 90), (3, 3, 6, 0),
              (0, 9, 9, 0), (300, 0, 0, 400), (700, 650, 640, 710))
    for a, b, c, d in tables:
        low = max(0, a - d)
        ways = {x: math.comb(a + b, x) * math.comb(c + d, a + c - x)
                for x in range(low, min(a + b, a + c) + 1)}
        every = sum(ways.values())
        emit('fisher_pvalue', [a, b, c, d, 'less'],
             Fraction(sum(w for x, w in ways.items() if x <= a), every),
             RATIONAL)
        emit('fisher_pvalue', [a, b, c, d, 'greater'],
             Fraction(sum(w for x, w in ways.items() if x >= a), every),
             RATIONAL)
        emit('fisher_pvalue', [a, b, c, d, 'two-sided'],
             Fraction(sum(w for w in ways.values() if w <= ways[a]), every),
             RATIONAL)


continuous()
kolmogorov_smirnov()
mann_whitney()
cramer_von_mises()
limiting()
fisher()
writer = csv.writer(sys.stdout, lineterminator='\n')
writer.writerow(('law', 'arguments', 'expected', 'source'))
writer.writerows(rows)
