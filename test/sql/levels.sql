-- The levels of the primary tests, by simulation: samples of 30 to 10,000 rows
-- in which nothing drifts, each with a reference of its own. A test at alpha
-- may reject in a share alpha of them, and 3 Monte-Carlo standard errors more.
-- Tests of two cells (a flag, missing values) are enumerated too, without any
-- error.
--
-- MLMETA_SIMULATION_ROUNDS multiplies the numbers of samples. All randomness
-- comes from a hash of counters: no seed of the session, no order of execution
-- changes it.
SET search_path = public, mlmeta;
\set rounds 1
\getenv rounds MLMETA_SIMULATION_ROUNDS

-- A hash of a hash: one alone, of numbers that follow each other, is not random
-- enough for 3,000 of them (Kolmogorov-Smirnov at 0.05 then rejects 45 %).
CREATE FUNCTION uniform(seed bigint, i bigint) RETURNS float8
IMMUTABLE PARALLEL SAFE
RETURN (hashint8extended(hashint8extended(i, seed), 7) & 9007199254740991) / 9007199254740992.0::float8;

-- Numbers without ties, with ties, with a heavy value; categories of which most
-- are rare; a flag; and missing values, few and many. All come from one number
-- a row: each test looks at one of them.
CREATE TABLE simulated (smooth float8, tied float8, heavy float8,
	category text, flag boolean, few_missing boolean, many_missing boolean);
CREATE FUNCTION sample_of(seed bigint, n integer) RETURNS SETOF simulated
IMMUTABLE PARALLEL SAFE LANGUAGE sql
BEGIN ATOMIC
	SELECT u, floor(10 * u), CASE WHEN u < 0.6 THEN 0 ELSE u END,
		floor(40 * u ^ 4)::text, u < 0.15, CASE WHEN u >= 0.03 THEN true END,
		CASE WHEN u >= 0.4 THEN true END
	FROM generate_series(1, n) AS i, LATERAL (SELECT uniform(seed, i) AS u OFFSET 0) AS t;
END;

CREATE TABLE design AS
SELECT n, k, 2000000 + n * 10000::bigint + k AS seed
FROM (VALUES (30, 1000), (100, 600), (300, 200), (1000, 100), (3000, 60), (10000, 30)) AS t(n, samples),
	generate_series(1, samples * :rounds) AS k;

-- ---------------------------------------------------------------------------
-- Each primary test
-- ---------------------------------------------------------------------------

-- Over rows: Kolmogorov-Smirnov exactly and by the finite-n law, chi-squared
-- after merging
CREATE TABLE outcome AS
SELECT n, k, test, p
FROM design, LATERAL (
	SELECT ks_test(smooth, is_current) AS smooth, ks_test(tied, is_current) AS tied,
		ks_test(heavy, is_current) AS heavy,
		ks_test(smooth, is_current, 'method=asymptotic') AS smooth_law,
		ks_test(tied, is_current, 'method=asymptotic') AS tied_law,
		chi2_test(category, is_current, 'minimum_expected=5 method=calibrated') AS category,
		chi2_test(flag, is_current, 'minimum_expected=5 method=calibrated') AS flag
	FROM (SELECT false AS is_current, * FROM sample_of(seed, n)
		UNION ALL SELECT true, * FROM sample_of(-seed, n)) AS r) AS t,
	LATERAL (VALUES ('ks rows, smooth', (smooth).p_value), ('ks rows, tied', (tied).p_value),
		('ks rows, heavy value', (heavy).p_value), ('ks finite-n law, smooth', (smooth_law).p_value),
		('ks finite-n law, tied', (tied_law).p_value), ('chi2 rows, rare categories', (category).p_value),
		('chi2 rows, flag', (flag).p_value)) AS v(test, p);

-- Over summaries: what monitoring does. The current sample is on the bins of
-- the reference.
INSERT INTO outcome
SELECT n, k, measure || ' summaries, ' || feature, p_value
FROM design, LATERAL (SELECT profile(s) AS r FROM sample_of(seed, n) AS s) AS a,
	LATERAL (SELECT profile(s, r) AS c FROM sample_of(-seed, n) AS s) AS b,
	LATERAL drift(r, c)
WHERE is_primary AND measure || feature IN ('kssmooth', 'kstied', 'ksheavy', 'chi2category', 'chi2flag',
	'missing_sharefew_missing', 'missing_sharemany_missing');

-- Too little data for a test is no rejection, and happens only where cells are few.
-- An alpha is judged where at least 1.5 rejections are due.
SELECT test, alpha,
	bool_and(rejected <= alpha + 3 * sqrt(alpha * (1 - alpha) / samples)) AS level_held,
	string_agg(format('n=%s: %s', n, round(rejected, 4)), ', ' ORDER BY n)
		FILTER (WHERE rejected > alpha + 3 * sqrt(alpha * (1 - alpha) / samples)) AS above
FROM (SELECT test, n, alpha, count(*) AS samples, avg((coalesce(p, 1) <= alpha)::int) AS rejected
	FROM outcome, unnest(ARRAY[0.05, 0.01]) AS alpha GROUP BY test, n, alpha
	HAVING count(*) * alpha >= 1.5) AS t
GROUP BY test, alpha ORDER BY test, alpha DESC;
SELECT max(n) <= 300 AS only_small, count(*) > 0 AS some FROM outcome WHERE p IS NULL;

-- The tests are no idle ones: exact p-values without ties are uniform on the
-- values they can have, so that about alpha do reject where n is not small.
SELECT test, count(*) FILTER (WHERE p <= 0.2) / count(*)::numeric BETWEEN 0.14 AND 0.26 AS near_alpha
FROM outcome WHERE n BETWEEN 300 AND 3000
	AND test IN ('ks rows, smooth', 'ks summaries, smooth', 'chi2 rows, rare categories', 'chi2 summaries, category')
GROUP BY test ORDER BY test;

-- A shift of 0.15 of a smooth number, and of a share: found at 1,000 rows
SELECT bool_and(p_value < 0.001) AS found, count(*) = 60 AS all_of_them
FROM generate_series(1, 20) AS k, LATERAL (SELECT profile(s) AS r FROM sample_of(k, 1000) AS s) AS a,
	LATERAL (SELECT profile(t, r) AS c FROM (SELECT smooth + 0.15 AS smooth, tied, heavy, category,
			smooth < 0.3 AS flag, CASE WHEN smooth >= 0.18 THEN true END AS few_missing, many_missing
		FROM sample_of(-k, 1000)) AS t) AS b,
	LATERAL drift(r, c)
WHERE is_primary AND measure || feature IN ('kssmooth', 'chi2flag', 'missing_sharefew_missing');

-- Ten categories that the reference does not have, of 3 % each: found as well
SELECT p_value < 0.001 AS found, status
FROM (SELECT profile(s) AS r FROM sample_of(1, 300) AS s) AS a,
	LATERAL (SELECT profile(t, r) AS c FROM (SELECT smooth, tied, heavy,
			CASE WHEN smooth < 0.3 THEN 'new ' || floor(smooth / 0.03) ELSE category END AS category,
			flag, few_missing, many_missing
		FROM sample_of(-1, 300)) AS t) AS b,
	LATERAL drift(r, c)
WHERE measure || feature = 'chi2category';

-- ---------------------------------------------------------------------------
-- Few rows in few or many cells: where laws are roughest
-- ---------------------------------------------------------------------------

-- Two cells: every pair of counts that two samples can have, with its
-- probability. No share of any size is rejected too often.
CREATE TABLE pairs AS
SELECT n, m, a, b, (chi2_test(r, c, method => 'calibrated')).p_value AS p,
	(chi2_test(r, c)).p_value AS plain
FROM (VALUES (30, 30), (60, 30), (50, 50), (100, 100)) AS t(n, m), generate_series(0, n) AS a, generate_series(0, m) AS b,
	LATERAL (SELECT format('{"version": 1, "form": "own", "capacity": 2, "n": %s, "null_count": 0, "bound": 0, "long_values": false, "length": 2, "categories": [{"value": "no", "count": %s}, {"value": "yes", "count": %s}], "sketch": ""}',
			n, n - a, a)::frequency_table AS r OFFSET 0) AS x,
	LATERAL (SELECT format('{"version": 1, "form": "own", "capacity": 2, "n": %s, "null_count": 0, "bound": 0, "long_values": false, "length": 2, "categories": [{"value": "no", "count": %s}, {"value": "yes", "count": %s}], "sketch": ""}',
			m, m - b, b)::frequency_table AS c OFFSET 0) AS y
WHERE a BETWEEN 1 AND n - 1 AND b BETWEEN 1 AND m - 1;

CREATE FUNCTION binomial(n integer, k integer, share float8) RETURNS float8
IMMUTABLE PARALLEL SAFE
RETURN exp((SELECT coalesce(sum(ln((n - k + i)::float8 / i)), 0) FROM generate_series(1, k) AS i)
	+ k * ln(share) + (n - k) * ln(1 - share));
CREATE TABLE binomials AS
SELECT n, k, share, binomial(n, k, share) AS probability
FROM (VALUES (30), (50), (60), (100)) AS t(n), unnest(ARRAY[0.02, 0.05, 0.1, 0.15, 0.25, 0.4, 0.5]) AS share,
	generate_series(0, n) AS k;
ANALYZE pairs, binomials;
SELECT n, m, max(level_05) <= 0.05 AS holds_05, max(level_01) <= 0.01 AS holds_01,
	round(max(level_05)::numeric, 4) AS largest_05, round(max(level_01)::numeric, 4) AS largest_01,
	round(max(plain_05)::numeric, 4) AS plain_05, round(max(plain_01)::numeric, 4) AS plain_01
FROM (SELECT n, m, share, sum(q) FILTER (WHERE p <= 0.05) AS level_05, sum(q) FILTER (WHERE p <= 0.01) AS level_01,
		sum(q) FILTER (WHERE plain <= 0.05) AS plain_05, sum(q) FILTER (WHERE plain <= 0.01) AS plain_01
	FROM (SELECT pairs.n, m, p, plain, share, r.probability * c.probability AS q
		FROM pairs JOIN binomials AS r ON r.n = pairs.n AND r.k = a
			JOIN binomials AS c USING (share) WHERE c.n = m AND c.k = b) AS s
	GROUP BY n, m, share) AS t
GROUP BY n, m ORDER BY n, m;

-- More cells: even, uneven and many, thousands of samples each
SELECT n, m, cells, bool_and(level <= alpha + 3 * sqrt(alpha * (1 - alpha) / samples)) AS level_held,
	bool_and(level >= alpha / 4) AS not_idle
FROM (SELECT n, m, cells, alpha, count(*) AS samples, avg((coalesce(p, 1) <= alpha)::int) AS level
	FROM (SELECT n, m, cells, k, (chi2_test(floor(cells * uniform(7000000 + 100000 * cells + 10 * k + n % 7, i) ^ power)::bigint, i > n,
				'minimum_expected=5 method=calibrated')).p_value AS p
		FROM (VALUES (30, 30, 3, 1), (50, 50, 5, 1), (100, 30, 4, 2), (100, 100, 12, 1)) AS t(n, m, cells, power),
			generate_series(1, 3000 * :rounds) AS k, generate_series(1, n + m) AS i
		GROUP BY n, m, cells, power, k) AS tests, unnest(ARRAY[0.05, 0.01]) AS alpha
	GROUP BY n, m, cells, alpha) AS s
GROUP BY n, m, cells ORDER BY n, m;

-- ---------------------------------------------------------------------------
-- The whole rule: windows of 100 rows of 20 features, each with a reference of
-- its own. A window alarms if some adjusted p is at most q = 0.02 and the lower
-- bound of the distance is above the tolerance, 0.05.
-- ---------------------------------------------------------------------------

CREATE TABLE tests AS
SELECT w, f, ks_test(r, c) AS t
FROM generate_series(1, 100 * :rounds) AS w, generate_series(1, 20) AS f,
	LATERAL (SELECT histogram(uniform(5000000 + 100 * w + f, i), 240) AS r FROM generate_series(1, 500) AS i) AS a,
	LATERAL (SELECT histogram(uniform(-5000000 - 100 * w - f, i), r) AS c FROM generate_series(1, 100) AS i) AS b;
SELECT alarms / (100.0 * :rounds) <= 0.05 + 3 * sqrt(0.05 * 0.95 / (100 * :rounds)) AS level_held,
	alarms_without_correction > alarms AS correction_matters
FROM (SELECT count(*) FILTER (WHERE alarm) AS alarms, count(*) FILTER (WHERE uncorrected) AS alarms_without_correction
	FROM (SELECT w, bool_or(q <= 0.02 AND ks_lower_bound((t).statistic_low, 500, 100, 0.05) > 0.05) AS alarm,
			bool_or((t).p_value <= 0.02) AS uncorrected
		FROM (SELECT w, t, unnest(benjamini_hochberg(array_agg((t).p_value) OVER (PARTITION BY w))) AS q
			FROM tests) AS adjusted
		GROUP BY w) AS windows) AS counted;

DROP TABLE tests, pairs, binomials, outcome, design;
DROP FUNCTION binomial(integer, integer, float8);
DROP FUNCTION sample_of(bigint, integer);
DROP TABLE simulated;
DROP FUNCTION uniform(bigint, bigint);
