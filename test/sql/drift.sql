--
-- drift: every measure of every feature, on real data against NannyML's
-- figures, and what has no figure.
--
SET search_path = public, mlmeta;
SET extra_float_digits = 0;
\pset null '(null)'

-- ---------------------------------------------------------------------------
-- California housing, reference against months: the data and figures of
-- NannyML 0.13.1 (Apache-2.0, see test/data/california_housing_LICENSE).
-- ---------------------------------------------------------------------------

CREATE TEMP TABLE scored (
	id int, "MedInc" float8, "HouseAge" float8, "AveRooms" float8,
	"AveBedrms" float8, "Population" float8, "AveOccup" float8,
	"Latitude" float8, "Longitude" float8, at timestamp, label int,
	y_pred_proba float8, y_pred int);
\copy scored FROM PROGRAM 'gzip -dc test/data/california_housing_reference.csv.gz' WITH (FORMAT csv, HEADER)
CREATE TEMP TABLE baseline AS SELECT profile(scored) AS p FROM scored;
\copy scored (id, "MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude", at, y_pred_proba, y_pred) FROM PROGRAM 'gzip -dc test/data/california_housing_analysis.csv.gz' WITH (FORMAT csv, HEADER)
CREATE TEMP TABLE golden (
	month text, chunk_index int, start_index int, end_index int, period text,
	series text, value float8, upper_threshold float8, lower_threshold float8,
	alert boolean);
\copy golden FROM PROGRAM 'gzip -dc test/data/nannyml_california_univariate_month.csv.gz' WITH (FORMAT csv, HEADER)

CREATE TEMP TABLE monthly AS
	SELECT to_char(at, 'YYYY-MM') AS month, profile(scored, (SELECT p FROM baseline)) AS p
	FROM scored GROUP BY month;
CREATE TEMP TABLE drifted AS
	SELECT m.month, d.* FROM monthly AS m, drift((SELECT p FROM baseline), m.p) AS d;

-- The exact statistic of scipy's ks_2samp lies in our interval, whose width is
-- at most two of 240 bins; every feature and month.
SELECT count(*) AS pairs, count(*) FILTER (WHERE g.value BETWEEN d.statistic_low - 1e-12 AND d.statistic_high + 1e-12) AS contained,
	bool_and(d.statistic_high - d.statistic_low <= 2.0 / 240) AS narrow,
	count(*) FILTER (WHERE d.statistic_high - d.statistic_low < 1e-12) AS exact
FROM golden AS g JOIN drifted AS d ON d.month = g.month AND g.series = d.feature || '|kolmogorov_smirnov'
WHERE d.measure = 'ks';
-- The same of Wasserstein's distance, which ours is in the reference's standard
-- deviations (with n in the denominator) and theirs in the feature's units.
SELECT count(*) AS pairs, count(*) FILTER (WHERE g.value / r.sd BETWEEN d.statistic_low - 1e-12 AND d.statistic_high + 1e-12) AS contained,
	round(max((d.statistic_high - d.statistic_low) / d.statistic_high)::numeric, 2) AS widest
FROM golden AS g JOIN drifted AS d ON d.month = g.month AND g.series = d.feature || '|wasserstein'
	JOIN (SELECT feature, stddev * sqrt((n - 1.0) / n) AS sd FROM baseline, columns(p)) AS r USING (feature)
WHERE d.measure = 'wasserstein';
-- Jensen-Shannon and Hellinger are of other bins: NannyML's are of equal width
-- over reference and current together (numpy's 'doane' rule), in bits; ours are
-- ten of equal share in the reference, frozen, in nats. They agree on what
-- drifts: the rank correlation over all features and months.
WITH pairs AS (
	SELECT d.measure, rank() OVER (PARTITION BY d.measure ORDER BY d.statistic) AS ours,
		rank() OVER (PARTITION BY d.measure ORDER BY g.value) AS theirs,
		abs(d.statistic - g.value) < 1e-9 AS same
	FROM golden AS g JOIN drifted AS d ON d.month = g.month
		AND g.series = d.feature || '|' || CASE d.measure WHEN 'js_distance' THEN 'jensen_shannon' ELSE d.measure END
	WHERE d.measure IN ('js_distance', 'hellinger') AND g.period = 'analysis')
SELECT measure, count(*), round(corr(ours, theirs)::numeric, 1) AS rank_correlation, count(*) FILTER (WHERE same) AS same
FROM pairs GROUP BY measure ORDER BY measure;
-- The measures are those of the functions over the feature's summaries; the
-- p-value of a distance is the quick law's, near the exact one.
SELECT count(*) AS compared, count(*) FILTER (WHERE d.statistic IS NOT DISTINCT FROM direct
	AND (d.measure <> 'ks' OR d.p_value BETWEEN 0.995 * (ks_test(h, c)).p_value AND 1.005 * (ks_test(h, c)).p_value
		OR (ks_test(h, c)).p_value < 1e-6 AND d.p_value < 1e-6)) AS same
FROM monthly AS m, baseline AS b, drift(b.p, m.p) AS d,
	LATERAL (SELECT histogram_of(b.p, d.feature) AS h, histogram_of(m.p, d.feature) AS c) AS s,
	LATERAL (SELECT CASE d.measure WHEN 'ks' THEN ks(h, c) WHEN 'psi' THEN psi(h, c)
		WHEN 'js_distance' THEN js_distance(h, c) WHEN 'hellinger' THEN hellinger(h, c)
		WHEN 'wasserstein' THEN wasserstein(h, c, normed => true) END AS direct) AS f
WHERE m.month IN ('2020-12', '2022-02') AND d.measure <> 'missing_share' AND n(c) > 0;
-- Detached, as monitoring stores windows: all but the per-bin sums.
SELECT count(*) AS rows, bool_and((d.statistic, d.statistic_low, d.p_value, d.status, d.n_current)
		IS NOT DISTINCT FROM (w.statistic, w.statistic_low, w.p_value, w.status, w.n_current)) FILTER (WHERE d.measure <> 'wasserstein') AS same,
	bool_and(d.statistic_low <= w.statistic_low * (1 + 1e-12) AND d.statistic_high >= w.statistic_high * (1 - 1e-12)) FILTER (WHERE d.measure = 'wasserstein') AS wider
FROM monthly AS m, baseline AS b, drift(b.p, detach(m.p)) AS d, drift(b.p, m.p) AS w
WHERE m.month = '2021-12' AND d.feature = w.feature AND d.measure = w.measure;
-- The quick law of a distance beside the exact one, over sizes, distances and
-- ties: within 5 percent down to 1e-6 and mostly above; exact where that takes
-- no time (n m at most 1e5), or a tenth of the rows tie.
CREATE FUNCTION toss(i bigint, coin bigint) RETURNS float8 LANGUAGE sql
RETURN (hashint8extended(i, coin) & 2147483647) / 2147483648.0;
CREATE TABLE sizes (n int, m int, cells int, exact_expected boolean);
INSERT INTO sizes VALUES (5000, 100, 0, false), (5000, 30, 0, false), (5000, 1000, 0, false), (1000, 1000, 0, false),
	(997, 1003, 0, false), (640, 640, 0, false), (300, 300, 0, true), (60, 1500, 0, true), (5000, 100, 8, true), (900, 1100, 5, true);
CREATE TABLE quick AS
WITH tossed AS (
	SELECT z.*, k, i <= n AS is_reference, toss(i, k) + CASE WHEN i > n AND toss(i, k + 100) < (k - 1) / sqrt(m * n::float8 / (n + m)) THEN 0.5 ELSE 0 END AS x
	FROM sizes AS z, generate_series(1, n + m) AS i, generate_series(1, 5) AS k
), rounded AS (
	SELECT n, m, cells, exact_expected, k, is_reference, CASE WHEN cells > 0 THEN floor(cells * x) ELSE x END AS x FROM tossed
), reference AS (
	SELECT n, m, cells, exact_expected, k, profile(f) AS p
	FROM rounded, LATERAL (SELECT x) AS f WHERE is_reference GROUP BY 1, 2, 3, 4, 5
), compared AS (
	SELECT r.*, (SELECT profile(f, r.p) FROM rounded AS c, LATERAL (SELECT c.x) AS f
		WHERE NOT c.is_reference AND (c.n, c.m, c.cells, c.k) = (r.n, r.m, r.cells, r.k)) AS c
	FROM reference AS r
)
SELECT n, m, cells, exact_expected, k, d.p_value AS quick, (ks_test(histogram_of(p, 'x'), histogram_of(c, 'x'), method => 'exact')).p_value AS exact
FROM compared, drift(p, c) AS d WHERE d.measure = 'ks';
SELECT n, m, cells, count(*) FILTER (WHERE exact > 1e-6) AS compared,
	CASE WHEN exact_expected THEN bool_and(quick = exact) ELSE bool_or(quick <> exact) AND bool_and(quick / exact BETWEEN 0.995 AND 1.05) FILTER (WHERE exact > 1e-6) END AS as_promised,
	min(exact) < 0.01 AND max(exact) > 0.1 AS near_and_far
FROM quick GROUP BY n, m, cells, exact_expected ORDER BY n, m, cells;
DROP TABLE sizes, quick;
DROP FUNCTION toss;
-- One month, in order: the primary test of a feature first.
SELECT feature, kind, measure, round(statistic::numeric, 6) AS statistic, round(statistic_low::numeric, 6) AS low,
	round(statistic_high::numeric, 6) AS high, p_value::numeric(10, 6), n_reference, n_current, status, is_primary
FROM drifted WHERE month = '2022-01';

-- ---------------------------------------------------------------------------
-- Categorical: numbers worked out by hand
-- ---------------------------------------------------------------------------

-- 60 : 40 against 45 : 45 : 10. The new category alone expects 5, and so is a cell
-- of its own: expected are 52.5, 42.5 and 5 on either side, and
-- chi2 = 2 * (7.5^2 / 52.5 + 2.5^2 / 42.5 + 25 / 5) = 12.436974790; the plain law has
-- exp(-chi2 / 2) = 0.001992256, the calibrated one, of drift(), exp(-chi2 / 2 * 199 / 200) = 0.002055174.
CREATE FUNCTION pg_temp.of_counts(VARIADIC counts int[]) RETURNS SETOF record LANGUAGE sql
	AS $$SELECT chr(96 + i::int) AS c, i % 2 = 0 AS b FROM unnest(counts) WITH ORDINALITY AS u(n, i), generate_series(1, n)$$;
CREATE TEMP TABLE r AS SELECT c, b FROM pg_temp.of_counts(60, 40) AS t(c text, b boolean);
CREATE TEMP TABLE q AS SELECT c, b FROM pg_temp.of_counts(45, 45, 10) AS t(c text, b boolean);
SELECT d.feature, d.kind, d.measure, round(d.statistic::numeric, 9) AS statistic, round(d.p_value::numeric, 9) AS p_value, d.n_reference, d.n_current, d.status
FROM (SELECT profile(r) AS p FROM r) AS b, LATERAL (SELECT profile(q, b.p) AS p FROM q) AS w, drift(b.p, w.p) AS d;
SELECT round((chi2_test(f, g, minimum_expected => 5)).statistic::numeric, 9) AS chi2,
	round((chi2_test(f, g, minimum_expected => 5)).p_value::numeric, 9) AS p_value,
	round(0.5 * (0.15 + 0.05 + 0.1), 9) AS total_variation,
	round(psi(f, g)::numeric, 9) AS psi, round(js_distance(f, g)::numeric, 9) AS js_distance
FROM (SELECT frequencies(c) AS f FROM r) AS a, LATERAL (SELECT frequencies(c, a.f) AS g FROM q) AS b;
-- With own categories on both sides it is the same.
SELECT count(*), bool_and((o.statistic, o.p_value, o.status) IS NOT DISTINCT FROM (d.statistic, d.p_value, d.status)) AS same
FROM (SELECT profile(r) AS p FROM r) AS b, LATERAL (SELECT profile(q, b.p) AS p FROM q) AS w, (SELECT profile(q) AS p FROM q) AS own,
	drift(b.p, w.p) AS d, drift(b.p, own.p) AS o
WHERE o.feature = d.feature AND o.measure = d.measure;
-- A reference that did not keep all its categories: an interval.
SELECT d.measure, d.statistic, d.statistic_low, d.statistic_high
FROM (SELECT profile(t) AS p FROM (SELECT 'v' || n % 3000 AS v FROM generate_series(1, 10000) AS n) AS t) AS b,
	LATERAL (SELECT profile(t, b.p) AS p FROM (SELECT 'w' || n AS v FROM generate_series(1, 100) AS n) AS t) AS w,
	drift(b.p, w.p) AS d
WHERE d.measure = 'new_category_share';

-- ---------------------------------------------------------------------------
-- Missing values: NULL and NaN together
-- ---------------------------------------------------------------------------

-- 10 % of 1000 against 15 % of 400: z = .05 / sqrt(.1142857 * .8857143 * (1/1000 + 1/400)) = 2.656398, whose law
-- says erfc(z / sqrt(2)) = 0.007898; exact is 0.009216, the sum over all hypergeometric tables as far off (rational
-- arithmetic)
CREATE FUNCTION pg_temp.missing(n int, m int, total int) RETURNS profile LANGUAGE sql
	AS $$SELECT profile(t) FROM (SELECT CASE WHEN i <= n THEN NULL WHEN i <= n + m THEN 'NaN' ELSE i::float8 END AS x FROM generate_series(1, total) AS i) AS t$$;
SELECT round(statistic::numeric, 6) AS statistic, round(p_value::numeric, 6) AS p_value, n_reference, n_current, status, is_primary
FROM drift(pg_temp.missing(60, 40, 1000), pg_temp.missing(0, 60, 400)) WHERE measure = 'missing_share';
-- Few are missing: no table of these is as far off on the other side, so that it is what fisher_test has.
SELECT round(statistic::numeric, 6) AS statistic, round(p_value::numeric, 6) AS p_value,
	round((SELECT (fisher_test(gone, late)).p_value FROM (
		SELECT i <= 2 AS gone, false AS late FROM generate_series(1, 100) AS i
		UNION ALL SELECT i <= 5, true FROM generate_series(1, 50) AS i) AS t)::numeric, 6) AS fisher
FROM drift(pg_temp.missing(1, 1, 100), pg_temp.missing(5, 0, 50)) WHERE measure = 'missing_share';
-- Nothing missing, and everything: nothing to test.
SELECT statistic, p_value, status FROM drift(pg_temp.missing(0, 0, 10), pg_temp.missing(0, 0, 10)) WHERE measure = 'missing_share';
SELECT measure, statistic, p_value, n_reference, n_current, status FROM drift(pg_temp.missing(10, 0, 10), pg_temp.missing(10, 0, 10));
SELECT measure, statistic, p_value, n_reference, n_current, status FROM drift(pg_temp.missing(0, 0, 10), pg_temp.missing(10, 0, 10));

-- ---------------------------------------------------------------------------
-- What cannot be measured is a row with a status
-- ---------------------------------------------------------------------------

CREATE TEMP TABLE old_rows AS
	SELECT n AS same, n AS gone, n AS retyped, 7 AS constant, 7 AS moved, 'x' AS one_text, NULL::float8 AS empty, n::float8 AS emptied,
		CASE WHEN n % 2 = 0 THEN 'Infinity' ELSE '-Infinity' END::float8 AS infinite,
		ARRAY[n] AS list, point(n, n) AS spot, 'NaN'::float8 AS nan, NULL::text AS no_text
	FROM generate_series(1, 40) AS n;
CREATE TEMP TABLE new_rows AS
	SELECT n AS same, 't' || n % 2 AS retyped, 7 AS constant, 8 AS moved, 'x' AS one_text, NULL::float8 AS empty, NULL::float8 AS emptied,
		CASE WHEN n % 2 = 0 THEN 'Infinity' ELSE '-Infinity' END::float8 AS infinite,
		'none' AS list, NULL::point AS spot, 'NaN'::float8 AS nan, NULL::text AS no_text, true AS fresh
	FROM generate_series(1, 40) AS n;
SELECT feature, kind, measure, round(statistic::numeric, 6) AS statistic, round(p_value::numeric, 6) AS p_value, n_reference AS n, n_current AS m, status, is_primary AS "primary"
FROM (SELECT profile(old_rows) AS p FROM old_rows) AS b, LATERAL (SELECT profile(new_rows, b.p) AS p FROM new_rows) AS w, drift(b.p, w.p);
-- The other way round
SELECT feature, measure, status
FROM (SELECT profile(new_rows) AS p FROM new_rows) AS b, LATERAL (SELECT profile(old_rows, b.p) AS p FROM old_rows) AS w, drift(b.p, w.p)
WHERE status <> 'ok';
-- Own bins on both sides: what needs no common bins, and its wider interval.
SELECT measure, round(statistic_low::numeric, 4) AS low, round(statistic_high::numeric, 4) AS high, status
FROM (SELECT profile(t) AS p FROM (SELECT sqrt(n) AS x FROM generate_series(1, 3000) AS n) AS t) AS b,
	(SELECT profile(t) AS p FROM (SELECT sqrt(n) + 1 AS x FROM generate_series(1, 2000) AS n) AS t) AS w, drift(b.p, w.p);
-- Detached on both sides, of one baseline and of two
CREATE TEMP TABLE parts AS
	SELECT n % 2 AS half, detach(profile(t, (SELECT profile(s) FROM (SELECT generate_series(1, 9) AS n, 'c' AS c) AS s))) AS p
	FROM (SELECT n, 'c' AS c FROM generate_series(1, 20) AS n) AS t GROUP BY n % 2;
SELECT d.feature, d.measure, round(d.statistic::numeric, 4) AS statistic, d.status
FROM parts AS a, parts AS b, drift(a.p, b.p) AS d WHERE a.half = 0 AND b.half = 1;
SELECT d.feature, d.measure, d.statistic, d.status
FROM parts AS a, (SELECT detach(profile(t, (SELECT profile(s) FROM (SELECT generate_series(1, 5) AS n, 'd' AS c) AS s))) AS p
	FROM (SELECT 1 AS n, 'c' AS c) AS t) AS b, drift(a.p, b.p) AS d WHERE a.half = 0;
-- No columns, no rows, NULL
SELECT * FROM drift((SELECT profile(ROW())), (SELECT profile(ROW())));
SELECT feature, measure, status FROM drift('{"version": 1, "form": "own", "rows": 0, "length": 1, "features": [{"column": "a", "type": "point", "kind": "other", "is_new": false, "n": 0, "null_count": 0}]}',
	(SELECT profile(t) FROM (SELECT point(1, 1) AS a) AS t));
SELECT count(*) FROM drift((SELECT p FROM baseline), NULL);
