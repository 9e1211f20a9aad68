-- Values far out and close together: neighbouring floats, denormals, widths
-- beyond float8. What is exact elsewhere is exact here.
SET search_path = public, mlmeta;
SET extra_float_digits = 1;

-- ---------------------------------------------------------------------------
-- Distances against whole numbers
--
-- Each sample is (base + k) units, k from 0 to 12, the unit a power of two. With
-- base 2^52 neighbours are neighbouring floats. The exact distance is that of
-- the numbers k, times the unit.
-- ---------------------------------------------------------------------------

CREATE TABLE scales (name text, unit float8, base float8);
INSERT INTO scales VALUES
	('denormals', '5e-324', 0), ('least normals', '5e-324', 4503599627370496),
	('tiny', 9.332636185032189e-302, 3), ('tiny neighbours', 9.332636185032189e-302, 4503599627370496),
	('ones', 1, 0), ('neighbours', 1, 4503599627370496), ('neighbours below 0', 1, -9007199254740990),
	('large', 4.149515568880993e+180, -5), ('large neighbours', 4.149515568880993e+180, 4503599627370496),
	('largest neighbours', 1.99584030953472e+292, 4503599627370496),
	('largest', 1.4980903313896935e+307, -6), ('two octaves', 1, 9007199254740986);

CREATE TABLE draws AS
SELECT seed, i, j.k, i % 3 = 0 AS c
FROM generate_series(1, 40) AS seed, generate_series(1, 12) AS i,
	LATERAL (SELECT (hashint8extended(i, seed) & 1048575) % 13 AS k) AS j;

-- integral of |F - G|, and the root of twice that of its square, in units
CREATE TABLE exact AS
SELECT seed, sum(abs(f - g)) AS w, sqrt(2 * sum((f - g) ^ 2)) AS e
FROM (SELECT seed, at, avg((k <= at)::int) FILTER (WHERE NOT c) AS f, avg((k <= at)::int) FILTER (WHERE c) AS g
	FROM draws, generate_series(0, 12) AS at GROUP BY seed, at) AS s
GROUP BY seed;

-- where floats lie two units apart, only even k are values
CREATE VIEW far AS
SELECT name, unit, seed, c, (base + CASE WHEN name = 'two octaves' THEN 2 * (k / 2) ELSE k END) * unit AS x
FROM scales, draws;

SELECT name, count(*) FILTER (WHERE abs(ours_w / unit / w - 1) > 1e-14) AS wrong_wasserstein,
	count(*) FILTER (WHERE abs(ours_e / sqrt(unit) / e - 1) > 1e-14) AS wrong_energy
FROM (SELECT name, unit, seed, wasserstein(x, c) AS ours_w, energy_distance(x, c) AS ours_e
	FROM far WHERE name NOT IN ('two octaves', 'denormals', 'least normals') GROUP BY name, unit, seed) AS o JOIN exact USING (seed)
GROUP BY name ORDER BY name;
-- a denormal distance has no 53 bits
SELECT name, count(*) FILTER (WHERE abs(ours_w / unit - w) > 0.5) AS wrong_wasserstein,
	count(*) FILTER (WHERE abs(ours_e / sqrt(unit) / e - 1) > 1e-12) AS wrong_energy
FROM (SELECT name, unit, seed, wasserstein(x, c) AS ours_w, energy_distance(x, c) AS ours_e
	FROM far WHERE name IN ('denormals', 'least normals') GROUP BY name, unit, seed) AS o JOIN exact USING (seed)
GROUP BY name ORDER BY name;

-- Bounds from histograms hold the rows' distance: on the same bins, on bins of
-- either sample, and on edges that neighbour each other.
CREATE TABLE far_histograms AS
SELECT name, seed, histogram(x, 240) FILTER (WHERE NOT c) AS r, histogram(x, 2) FILTER (WHERE NOT c) AS r2,
	histogram(x, 240) FILTER (WHERE c) AS q, histogram(x, 4) FILTER (WHERE c) AS q4,
	wasserstein(x, c) AS w, energy_distance(x, c) AS e
FROM far GROUP BY name, seed;
CREATE VIEW far_pairs AS
SELECT name, seed, w, e, p.* FROM far_histograms, LATERAL (VALUES ('own bins', r, q), ('few bins', r2, q4),
	('mixed', r, q4), ('mixed 2', r2, q), ('same bins', r, (SELECT histogram(x, r) FROM far AS f
		WHERE f.name = far_histograms.name AND f.seed = far_histograms.seed AND f.c)),
	('same few bins', r2, (SELECT histogram(x, r2) FROM far AS f
		WHERE f.name = far_histograms.name AND f.seed = far_histograms.seed AND f.c))) AS p(bins, a, b);
SELECT bins, count(*) AS pairs, count(*) FILTER (WHERE NOT (w BETWEEN wi.low AND wi.high)) AS wasserstein_outside,
	count(*) FILTER (WHERE NOT (e BETWEEN ei.low AND ei.high)) AS energy_outside
FROM far_pairs, LATERAL wasserstein_interval(a, b) AS wi, LATERAL energy_distance_interval(a, b) AS ei
GROUP BY bins ORDER BY bins;
-- where all bins are points, nothing is left open
SELECT name, count(*) FILTER (WHERE wi.high - wi.low > 1e-12 * w) AS open
FROM (SELECT name, seed, wasserstein(f.x, f.c) AS w, histogram(f.x, p.all_values) FILTER (WHERE NOT f.c) AS a,
		histogram(f.x, p.all_values) FILTER (WHERE f.c) AS b
	FROM far AS f JOIN (SELECT name, seed, histogram(x, 240) AS all_values FROM far GROUP BY name, seed) AS p USING (name, seed)
	WHERE name IN ('neighbours', 'large neighbours', 'largest neighbours') GROUP BY name, seed) AS s,
	LATERAL wasserstein_interval(a, b) AS wi
GROUP BY name ORDER BY name;

-- bigints around 2^53 as features: 1.5 by whole numbers
WITH v(x, c) AS (VALUES (9007199254740998, false), (9007199254740998, false), (9007199254740992, false),
	(9007199254740990, false), (9007199254740996, true), (9007199254740990, true)),
b AS (SELECT histogram(x, 2) FILTER (WHERE NOT c) AS h, histogram(x, 4) FILTER (WHERE c) AS w FROM v)
SELECT wasserstein(x, c), wi.low <= 1.5 AND wi.high >= 1.5 AS holds
FROM v, b, LATERAL wasserstein_interval(h, w) AS wi GROUP BY wi.low, wi.high;

-- widths that overflow: equal halves on the outermost values
SELECT wasserstein(x, c) AS rows, wi.*, ei.low <= e.d AND e.d <= ei.high AS energy_holds
FROM (VALUES (-1.5e308::float8, false), (1.5e308, false), (-1.5e308, true), (1.5e308, true), (1.5e308, true)) AS v(x, c),
	(SELECT histogram(x, 1) AS a FROM (VALUES (-1.5e308::float8), (1.5e308)) AS r(x)) AS a,
	(SELECT histogram(x, 1) AS b FROM (VALUES (-1.5e308::float8), (1.5e308), (1.5e308)) AS r(x)) AS b,
	LATERAL wasserstein_interval(a, b) AS wi, LATERAL energy_distance_interval(a, b) AS ei,
	(SELECT energy_distance(x, c) AS d FROM (VALUES (-1.5e308::float8, false), (1.5e308, false), (-1.5e308, true),
		(1.5e308, true), (1.5e308, true)) AS v(x, c)) AS e
GROUP BY wi.low, wi.high, ei.low, ei.high, e.d;
-- ... and two that are the same
SELECT w.*, e.* FROM (SELECT histogram(x, 1) AS h FROM (VALUES (-1.5e308::float8), (1.5e308)) AS v(x)) AS s,
	wasserstein_interval(h, h) AS w, energy_distance_interval(h, h) AS e;

-- ---------------------------------------------------------------------------
-- normed: in the deviation of the reference, however far the others are
-- ---------------------------------------------------------------------------

SELECT round(wasserstein(x, c, 'normed=on') / expected) AS ratio, name
FROM (VALUES ('far', 1::float8, 3::float8, 1e300::float8, 1e300::float8),
	('close', 1e200, 1.0000000000000002e200, 3e200, 2e200 / (1.0000000000000002e200::float8 - 1e200) * 2),
	('denormal', '1e-323', '2e-323', '1e-322', 17)) AS s(name, a, b, d, expected),
	LATERAL (VALUES (a, false), (b, false), (d, true)) AS v(x, c)
GROUP BY name, expected ORDER BY name;
-- 1e300 in deviations of 1e-300 is no float8
SELECT wasserstein(x, c, 'normed=on') FROM (VALUES (1e-300, false), (3e-300, false), (1e300, true)) AS v(x, c);
-- the same from histograms: the interval holds what the rows give
SELECT name, wi.low * (1 - 1e-12) <= rows AND rows <= wi.high * (1 + 1e-12) AS holds
FROM (SELECT name, wasserstein(x, c, 'normed=on') AS rows, histogram(x, 240) FILTER (WHERE NOT c) AS r,
		histogram(x, 240) FILTER (WHERE c) AS q
	FROM far WHERE seed = 7 GROUP BY name) AS s, LATERAL wasserstein_interval(r, q, normed => true) AS wi
ORDER BY name;

-- ---------------------------------------------------------------------------
-- Quantiles between values
-- ---------------------------------------------------------------------------

-- Few values, their own bins: those of percentile_cont
SELECT quantile(histogram(x, 240), 0.5) FROM (VALUES (1::float8), (100)) AS v(x);
SELECT count(*), count(*) FILTER (WHERE abs(quantile(h, p) - exact) > 1e-13 * abs(exact)) AS wrong
FROM (SELECT seed, array_agg(x) AS xs, histogram(x, 240) AS h FROM (
		SELECT seed, (hashint8extended(i, seed) % 1000) * (1 + seed % 3) / 4.0::float8 AS x
		FROM generate_series(1, 200) AS seed, LATERAL generate_series(1, 1 + seed % 17) AS i) AS v
	GROUP BY seed) AS s, LATERAL unnest(ARRAY[0, 0.01, 0.25, 0.37, 0.5, 0.75, 0.9, 1]) AS p,
	LATERAL (SELECT percentile_cont(p) WITHIN GROUP (ORDER BY x) AS exact FROM unnest(xs) AS x) AS e;
-- One value a bin, on given edges: at the left edge, or known by the bin's sum
SELECT p, quantile(histogram(x, ARRAY[0, 1, 2, 3, 4]::float8[]), p) AS edges,
	round(quantile(histogram(x + 0.25, ARRAY[0, 1, 2, 3, 4]::float8[]), p)::numeric, 4) AS inside,
	percentile_cont(p) WITHIN GROUP (ORDER BY x) AS exact
FROM (VALUES (-1::float8), (0), (2), (3), (7)) AS v(x), unnest(ARRAY[0, 0.2, 0.5, 0.625, 0.9, 1]) AS p
GROUP BY p ORDER BY p;
SELECT feature, p50 FROM columns((SELECT profile(q) FROM (SELECT i % 2 AS flag, i AS x FROM generate_series(1, 300) AS i) AS q));
-- infinities as for the rows
SELECT p, quantile(histogram(x, 10), p), quantiles(x, ARRAY[p]) AS rows
FROM (VALUES (float8 '-infinity'), (1), (2), ('infinity')) AS v(x), unnest(ARRAY[0, 0.1, 0.4, 0.5, 0.7, 1]) AS p
GROUP BY p ORDER BY p;
SELECT quantile(histogram(x, 10), 0.5) FROM (VALUES (float8 '-infinity'), ('infinity')) AS v(x);
-- ends whose distance overflows
SELECT quantile(histogram(x, 1), 0.5) AS middle, cdf(histogram(x, ARRAY[-1e308, 1e308]::float8[]), 0) AS half
FROM (VALUES (-1.7e308::float8), (-9e307), (9e307), (1.7e308)) AS v(x);

-- ---------------------------------------------------------------------------
-- Ranges whose width overflows
-- ---------------------------------------------------------------------------

SELECT edges(histogram(x, -1e308, 1e308, 4)), counts(histogram(x, -1e308, 1e308, 4))
FROM (VALUES (0::float8), (-1.7e308), (6e307), ('1e308')) AS v(x);
SELECT edges(histogram(x, 0, 1.6e308, 4)), edges(histogram(x, -1.75e308, 1.75e308, 2)) FROM (VALUES (0::float8)) AS v(x);
SELECT array_length(edges(h), 1), (SELECT bool_and(e > before) FROM (SELECT e, lag(e) OVER () AS before FROM unnest(edges(h)) AS e) AS s) AS ascending
FROM (SELECT histogram(0, -1.7976931348623157e308, 1.7976931348623157e308, 32768) AS h) AS s;
SELECT histogram(0, -1e308, 'Infinity', 4);
SELECT histogram(0, 1e308, 1e308, 4);

DROP VIEW far_pairs, far;
DROP TABLE scales, draws, exact, far_histograms;
