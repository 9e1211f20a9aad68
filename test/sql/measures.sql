-- Measures and tests between two samples of categories, over summaries and
-- over rows, against published and derived figures.
SET search_path = public, mlmeta;
SET extra_float_digits = 0;

-- ---------------------------------------------------------------------------
-- Golden figures
-- ---------------------------------------------------------------------------

-- The categories are the numbers of the cells.
CREATE FUNCTION table_of(counts bigint[]) RETURNS frequency_table
LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce(frequencies(cell::text),
		(SELECT frequencies('1') - frequencies('1')))
	FROM unnest(counts) WITH ORDINALITY AS u(c, cell),
		generate_series(1, c) AS i;
$$;

-- Any counts of two categories, in the text form
CREATE FUNCTION big_table(a bigint, b bigint) RETURNS frequency_table
LANGUAGE sql IMMUTABLE AS $$
	SELECT format('{"version": 1, "form": "own", "capacity": 2, "n": %s, "null_count": 0, "bound": 0, "long_values": false, "length": 2, "categories": [{"value": "a", "count": %s}, {"value": "b", "count": %s}], "sketch": ""}',
		a + b, a, b)::frequency_table;
$$;

CREATE TABLE golden (name text, source text, reference bigint[],
	current bigint[]);
INSERT INTO golden VALUES
('evidently_cat', 'Evidently tests/stattests/test_stattests.py',
	'{16,18,16,14,12,12}', '{16,16,16,16,16,8}'),
('tvd_2', 'inputs of Evidently, value derived',
	'{16,18,16,14,12,12}', '{10,24,12,16,8,16}'),
('bundle', 'derived', '{30,50,20}', '{20,45,35}'),
('g_evidently', 'Evidently test_g_test', '{5,5,8}', '{4,6,8}'),
('deequ_deciles', 'Deequ KLLDistanceTest.scala',
	'{428,425,414,427,440,447,380,386,444,386}',
	'{426,437,429,391,469,433,360,443,371,418}'),
('deepchecks_zero', 'rule of Deepchecks: floor of 0.01', '{50,50}', '{100,0}'),
('evidently_zero', 'Evidently tests/multitest/metrics/data_drift.py',
	'{0,2,1}', '{1,1,1}'),
('evidently_small', 'rule of Evidently: get_binned_data',
	'{100000,5,0}', '{99990,5,5}'),
('chronon_action', 'Chronon ApproxPercentilesTest.scala, values as categories',
	'{8,0,0,1,2,2,2}', '{2,2,2,2,2,2,3}'),
('chronon_little', 'Chronon ApproxPercentilesTest.scala, values as categories',
	'{3,2,2,2,2,2,2}', '{2,2,2,2,2,2,3}'),
('deequ_linf_1', 'Deequ KLLDistanceTest.scala',
	'{10,20,25,10,5}', '{11,20,25,10,10}'),
('deequ_linf_2', 'Deequ KLLDistanceTest.scala',
	'{10,20,25,10,5,0}', '{20,0,25,10,10,11}'),
('nannyml_total', 'NannyML test_univariate_drift_methods.py',
	'{2,2,2}', '{0,5,0}'),
('nannyml_new', 'NannyML test_univariate_drift_methods.py',
	'{2,2,2,0}', '{2,2,2,1}'),
('tfdv_linf', 'TFDV anomalies/metrics_test.cc', '{0,9,1}', '{3,7,0}'),
('tfdv_points', 'TFDV MultiplePointBinsPartialOverlap', '{1,1,0}', '{1,0,1}'),
('tfdv_nan', 'TFDV WithNaNs: NaN as a bucket', '{3,1}', '{4,0}'),
('tfdv_range', 'TFDV OneHasOneBucketTheOtherHasMany',
	'{21,0,0,0}', '{0,150,200,20}'),
('tfdv_apart', 'TFDV no overlap', '{2,2,0,0}', '{0,0,2,2}'),
('kl_1', 'scipy test_entropy.py', '{1,6,3}', '{2,3,5}'),
('kl_zero', 'scipy test_entropy.py', '{0,6,3}', '{0,3,5}'),
('kl_inf', 'scipy test_entropy.py', '{1,6,3}', '{0,3,5}'),
('deepchecks_4', 'Deepchecks tests/utils/drift_test.py',
	'{200,800,10,10}', '{400,620,0,0}'),
('deepchecks_null', 'Deepchecks, NULL as a category',
	'{200,800,100}', '{400,600,0}'),
('deepchecks_apart', 'Deepchecks tests/utils/drift_test.py',
	'{1000,0}', '{0,1000}');

CREATE TABLE pair AS
SELECT name, table_of(reference) AS r, table_of(current) AS c FROM golden;

-- Every category has its own cell, on the side where it is absent too.
CREATE TABLE checked AS
SELECT v.*
FROM (SELECT name, r, c FROM pair) AS p,
LATERAL (VALUES
	('evidently_cat', 'chi2', (chi2_test(r, c)).statistic, 1.6224089635854342, 1e-9),
	('evidently_cat', 'chi2 p', (chi2_test(r, c)).p_value, 0.8985262394026607, 1e-9),
	('evidently_cat', 'hellinger', hellinger(r, c), 0.06812, 1e-5),
	('evidently_cat', 'tvd', total_variation(r, c), 0.06818181818181819, 1e-12),
	('tvd_2', 'tvd', total_variation(r, c), 0.1511627906976744, 1e-12),
	('bundle', 'psi', psi(r, c), 0.1297569047840211, 1e-12),
	('bundle', 'psi none', psi(r, c, rule => 'none'), 0.1297569047840211, 1e-12),
	('bundle', 'kl', kl_divergence(r, c), 0.06239663267427792, 1e-12),
	('bundle', 'kl back', kl_divergence(c, r), 0.06736027210974319, 1e-12),
	('bundle', 'js nats', js_divergence(r, c), 0.01605006402984972, 1e-12),
	('bundle', 'js bits', js_divergence(r, c, base => 2), 0.023155347781814516, 1e-12),
	('bundle', 'js distance', js_distance(r, c), 0.12668884729860683, 1e-12),
	('bundle', 'js distance 2', js_distance(r, c, base => 2), 0.15216881343368133, 1e-12),
	('bundle', 'hellinger', hellinger(r, c), 0.1270206502501315, 1e-12),
	('bundle', 'Bhattacharyya', 1 - hellinger(r, c) ^ 2, 0.9838657544100338, 1e-12),
	('bundle', 'tvd', total_variation(r, c), 0.14999999999999997, 1e-12),
	('bundle', 'l_infinity', l_infinity(r, c), 0.14999999999999997, 1e-12),
	('bundle', 'chi2', (chi2_test(r, c)).statistic, 6.354066985645932, 1e-12),
	('bundle', 'chi2 p', (chi2_test(r, c)).p_value, 0.04170920242693336, 1e-12),
	('bundle', 'g', (g_test(r, c)).statistic, 6.42002561193989, 1e-12),
	('bundle', 'g p', (g_test(r, c)).p_value, 0.04035609646976359, 1e-12),
	('bundle', 'cramers_v', cramers_v(r, c), 0.1782423488630849, 1e-12),
	('deequ_deciles', 'psi', psi(r, c, rule => 'none'), 0.007406694184014186, 1e-15),
	-- the psi of which p is 0.0788...: feature-engine's rule, inverted
	('deequ_deciles', 'threshold',
		psi_threshold(10, n(r), n(c), 0.07883585395350584),
		0.007406694184014186, 1e-14),
	('deepchecks_zero', 'psi', psi(r, c, epsilon => 0.01), 2.263464862939764, 1e-12),
	('evidently_zero', 'psi', psi(r, c, rule => 'replace'), 2.93, 0.01),
	-- Evidently fills with a millionth of the least share; here by argument
	('evidently_small', 'psi',
		psi(r, c, rule => 'replace', epsilon => 5.0 / 100005 / 1e6),
		0.0006907798376547397, 1e-12),
	('chronon_action', 'psi > 0.25', (psi(r, c) > 0.25)::int, 1, 0),
	('chronon_little', 'psi < 0.1', (psi(r, c) < 0.1)::int, 1, 0),
	('deequ_linf_1', 'l_infinity', l_infinity(r, c), 0.06015037593984962, 1e-15),
	('deequ_linf_2', 'l_infinity', l_infinity(r, c), 0.2857142857142857, 1e-15),
	('nannyml_total', 'l_infinity', l_infinity(r, c), 0.67, 0.005),
	('nannyml_new', 'l_infinity', l_infinity(r, c), 0.14, 0.005),
	('tfdv_linf', 'l_infinity', l_infinity(r, c), 0.3, 1e-5),
	('tfdv_points', 'js bits', js_divergence(r, c, base => 2), 0.5, 1e-5),
	('tfdv_nan', 'js bits', js_divergence(r, c, base => 2), 0.13792538096, 1e-5),
	('tfdv_range', 'js bits', js_divergence(r, c, base => 2), 1, 1e-5),
	('tfdv_apart', 'js bits', js_divergence(r, c, base => 2), 1, 1e-5),
	('kl_1', 'kl', kl_divergence(r, c), 0.1933259, 1e-6),
	('kl_zero', 'kl', kl_divergence(r, c), 0.17403988, 1e-6),
	('kl_inf', 'kl', kl_divergence(r, c), 'Infinity', 0),
	('deepchecks_4', 'cramers_v', cramers_v(r, c, corrected => true), 0.228, 0.01),
	('deepchecks_null', 'cramers_v', cramers_v(r, c, corrected => true), 0.3, 0.01),
	('deepchecks_apart', 'cramers_v', cramers_v(r, c, corrected => true), 1, 0.01)
) AS v(name, measure, ours, golden, tolerance)
WHERE p.name = v.name;

SELECT name, measure, round(ours::numeric, 6) AS ours
FROM checked WHERE ours <> 'Infinity' ORDER BY name, measure;
-- none:
SELECT * FROM checked
WHERE NOT (ours = golden OR abs(ours - golden) <= tolerance);

-- Known deviations.
-- * Evidently's chi-squared and G are goodness of fit against the scaled
--   reference, as if that had no sampling error: p = 0.67309 and 0.8176. Ours
--   compare two samples:
SELECT name, round((chi2_test(r, c)).p_value::numeric, 5) AS chi2_p,
	round((g_test(r, c)).p_value::numeric, 5) AS g_p
FROM pair WHERE name IN ('evidently_cat', 'g_evidently') ORDER BY name;
-- Its figures follow from the law that it uses:
SELECT round((SELECT sum((16 * o - 16 * e) ^ 2 / (256.0 * e))
	FROM unnest('{16,16,16,16,16,8}'::float8[], '{16,18,16,14,12,12}'::float8[])
		AS t(o, e))::numeric, 4) AS its_statistic_5_df;
-- * The same data doubled on the reference's side leave Evidently's p as it
--   is (chi2_evidently_gof_x2: 0.67309); a larger reference is more evidence:
SELECT round((chi2_test(table_of('{32,36,32,28,24,24}'),
	table_of('{16,16,16,16,16,8}'))).p_value::numeric, 5) AS p;
-- * Deequ's chi-squared is goodness of fit too, and drops categories that the
--   reference lacks (chi2_deequ_missing_bins: 28.18, p = 3.36e-5;
--   chi2_deequ_one_cat: p = 4.3e-8). Here a new category is a cell:
SELECT (t).method, round((t).statistic::numeric, 4) AS statistic,
	(t).p_value::numeric(12, 10) AS p
FROM (VALUES (chi2_test(table_of('{223,20,25,12,13,15,0}'),
		table_of('{207,20,25,14,25,0,13}'))),
	(chi2_test(table_of('{20,20}'), table_of('{30,0}')))) AS v(t);
-- * chi2_deequ_too_few is NaN there: all but one cell are too small. Asked to
--   merge such cells, ours says so:
SELECT chi2_test(table_of('{100,4,3}'), table_of('{100,4,3}'),
	minimum_expected => 10);
-- * chi2_gof_blood, chi2_indep_friendly (a 4 x 4 table), psi_pvalue_normal,
--   nad_tfdv and linf_robust have no counterpart here.

-- ---------------------------------------------------------------------------
-- The same over rows
-- ---------------------------------------------------------------------------

CREATE TABLE sample AS
SELECT name, false AS is_current, cell::text AS v
FROM golden, unnest(reference) WITH ORDINALITY AS u(c, cell),
	generate_series(1, c)
UNION ALL
SELECT name, true, cell::text
FROM golden, unnest(current) WITH ORDINALITY AS u(c, cell),
	generate_series(1, c);

-- Rows and summaries give one answer, to the bit. (no rows)
SELECT p.name
FROM pair AS p JOIN LATERAL (
	SELECT psi(v, is_current) AS psi,
		psi(v, is_current, 'rule=jeffreys') AS psi_j,
		psi(v, is_current, 'rule=replace epsilon=0.001') AS psi_r,
		psi(v, is_current, 'rule=skip') AS psi_s,
		psi(v, is_current, 'rule=none') AS psi_n,
		kl_divergence(v, is_current) AS kl,
		js_divergence(v, is_current, 'base=2') AS js,
		js_distance(v, is_current) AS jsd,
		hellinger(v, is_current) AS h,
		total_variation(v, is_current) AS tv,
		l_infinity(v, is_current) AS linf,
		chi2_test(v, is_current) AS chi2,
		chi2_test(v::bigint, is_current, 'yates=on minimum_expected=5') AS chi2_m,
		g_test(v, is_current, 'yates=on') AS g
	FROM sample AS s WHERE s.name = p.name) AS a ON true
WHERE (psi(r, c), psi(r, c, 10, 'jeffreys'), psi(r, c, 10, 'replace', 0.001),
		psi(r, c, rule => 'skip'), psi(r, c, rule => 'none'),
		kl_divergence(r, c), js_divergence(r, c, 10, 2), js_distance(r, c),
		hellinger(r, c), total_variation(r, c), l_infinity(r, c),
		chi2_test(r, c), chi2_test(r, c, 10, 5, true),
		g_test(r, c, yates => true))
	IS DISTINCT FROM (psi, psi_j, psi_r, psi_s, psi_n, kl, js, jsd, h, tv,
		linf, chi2, chi2_m, g);

-- ---------------------------------------------------------------------------
-- PSI's five rules for cells that are empty on one side
-- ---------------------------------------------------------------------------

SELECT rule, round(psi(r, c, rule => rule)::numeric, 6) AS psi
FROM (SELECT table_of('{50,50,0}') AS r, table_of('{40,0,60}') AS c) AS t,
	unnest('{floor,replace,skip,jeffreys}'::text[]) AS rule;
SELECT psi(table_of('{50,50}'), table_of('{100,0}'), rule => 'none') AS psi;
-- floor lifts small shares that are not zero, replace does not
SELECT round(psi(r, c, epsilon => 0.1)::numeric, 6) AS floor,
	round(psi(r, c, rule => 'replace', epsilon => 0.1)::numeric, 6) AS replace
FROM (SELECT table_of('{99,1}') AS r, table_of('{95,5}') AS c) AS t;
-- epsilon as small as a float can be
SELECT round(psi(table_of('{50,50}'), table_of('{100,0}'), rule => 'replace',
	epsilon => 2.2250738585072014e-308)::numeric, 4) AS psi;

-- ---------------------------------------------------------------------------
-- Yates, merged cells, degenerate tables
-- ---------------------------------------------------------------------------

-- From the definitions: N (|ad - bc| - N/2)^2 over the product of the margins,
-- and 2 sum O ln(O/E) with each O moved by 1/2 towards its E.
SELECT yates, (chi2_test(r, c, yates => yates)).method,
	abs((chi2_test(r, c, yates => yates)).statistic -
		CASE WHEN yates THEN 75 * 412.5 ^ 2 ELSE 75 * 450.0 ^ 2 END
			/ (30.0 * 45 * 40 * 35)) < 1e-12 AS chi2,
	abs((g_test(r, c, yates => yates)).statistic -
		(SELECT 2 * sum((o + s * shift) * ln((o + s * shift) / e))
		FROM (VALUES (10, 16.0, 1), (20, 14.0, -1), (30, 24.0, -1),
			(15, 21.0, 1)) AS cells(o, e, s))) < 1e-12 AS g
FROM (SELECT table_of('{10,20}') AS r, table_of('{30,15}') AS c) AS t,
	(VALUES (false, 0.0), (true, 0.5)) AS y(yates, shift);
-- with more than one degree of freedom it does not apply
SELECT chi2_test(r, c, yates => true) = chi2_test(r, c) AS same
FROM pair WHERE name = 'bundle';

SELECT minimum, (chi2_test(r, c, minimum_expected => minimum)).method,
	round((chi2_test(r, c, minimum_expected => minimum)).statistic::numeric, 6)
		AS statistic
FROM (SELECT table_of('{100,3,2,2,40}') AS r,
		table_of('{90,2,4,1,50}') AS c) AS t,
	unnest('{0,2,5,20,80,1000}'::float8[]) AS minimum;
-- what is merged is that table
SELECT (chi2_test(table_of('{100,3,2,2,40}'), table_of('{90,2,4,1,50}'),
		minimum_expected => 5)).statistic =
	(chi2_test(table_of('{100,40,7}'), table_of('{90,50,7}'))).statistic
	AS same;

-- The calibrated p-value. Of two cells: every table of up to 9 rows a side
-- against rational arithmetic.
CREATE FUNCTION choose(n integer, k integer) RETURNS numeric IMMUTABLE
RETURN factorial(n) / (factorial(k) * factorial(n - k));
SELECT count(*) AS tables, max(abs(ours / exact::float8 - 1)) < 1e-13 AS exact,
	count(*) FILTER (WHERE exact = 1) > 100 AS some_are_1
FROM (SELECT n, m, a, c, (chi2_test(v, s, 'method=calibrated')).p_value AS ours
	FROM generate_series(1, 9) AS n, generate_series(1, 9) AS m, generate_series(0, n) AS a, generate_series(0, m) AS c,
		LATERAL (SELECT i <= a, false FROM generate_series(1, n) AS i
			UNION ALL SELECT i <= c, true FROM generate_series(1, m) AS i) AS r(v, s)
	GROUP BY n, m, a, c) AS t,
	LATERAL (SELECT sum(choose(n, x) * choose(m, a + c - x)) FILTER (WHERE abs(x * (n + m) - (a + c) * n) >= abs(a * (n + m) - (a + c) * n))
			/ sum(choose(n, x) * choose(m, a + c - x)) AS exact
		FROM generate_series(greatest(0, a + c - m), least(n, a + c)) AS x) AS e;
-- of more cells: the law at (N - 1) / N of the statistic
SELECT round((chi2_test(r, c, method => 'calibrated')).p_value::numeric, 9) AS calibrated,
	round(exp(-(chi2_test(r, c)).statistic * 199 / 200 / 2)::numeric, 9) AS by_hand,
	(chi2_test(r, c, method => 'calibrated')).method
FROM pair WHERE name = 'bundle';
-- of two cells with millions of rows too; far tails keep their digits
SELECT (chi2_test(r, c, method => 'calibrated')).method,
	round(((chi2_test(r, c, method => 'calibrated')).p_value / (chi2_test(r, c)).p_value)::numeric, 3) AS near_the_law
FROM (VALUES (3000000, 2996000), (3000000, 2984000), (500, 440)) AS v(a, b),
	LATERAL (SELECT big_table(a, 6000000 - a) AS r, big_table(b, 6000000 - b) AS c) AS t;
SELECT chi2_test(r, c, method => 'guess') FROM pair WHERE name = 'bundle';
SELECT g_test(v, true, 'method=calibrated') FROM (VALUES ('a')) AS t(v);

-- one common category; no rows on one side; no rows at all
SELECT chi2_test(table_of('{5}'), table_of('{7}'));
SELECT chi2_test(table_of('{5}'), table_of('{}'));
SELECT psi(table_of('{5}'), table_of('{}')) IS NULL AS psi,
	hellinger(table_of('{}'), table_of('{5}')) IS NULL AS hellinger,
	cramers_v(table_of('{}'), table_of('{}')) IS NULL AS cramers_v,
	cramers_v(table_of('{5}'), table_of('{7}')) AS one_cell;
SELECT chi2_test(v, b) AS chi2, psi(v, b) AS psi
FROM (VALUES ('a', true)) AS t(v, b) WHERE false;
SELECT g_test(v, b) AS g, psi(v, b) AS psi
FROM (VALUES (NULL, true), (NULL, false), ('a', NULL)) AS t(v, b);
-- NULL values and rows of neither side take no part
SELECT chi2_test(v, b)
FROM (VALUES (true, true), (NULL, true), (false, false), (true, false),
	(true, NULL)) AS t(v, b);

-- A distance far below one row's share keeps its digits: shares differ by
-- 1 / 4e18, and counts are near 2^62.
SELECT total_variation(r, c) * 4e18 AS tv,
	round((hellinger(r, c) * 4e18)::numeric, 6) AS hellinger,
	round((kl_divergence(r, c) * 1.6e37)::numeric, 6) AS kl,
	round((js_divergence(r, c) * 1.6e37)::numeric, 6) AS js,
	round((psi(r, c) * 1.6e37)::numeric, 6) AS psi
FROM (SELECT
	'{"version": 1, "form": "own", "capacity": 2, "n": 4000000000000000000, "null_count": 0, "bound": 0, "long_values": false, "length": 2, "categories": [{"value": "a", "count": 2000000000000000000}, {"value": "b", "count": 2000000000000000000}], "sketch": ""}'::frequency_table AS r,
	'{"version": 1, "form": "own", "capacity": 2, "n": 4000000000000000000, "null_count": 0, "bound": 0, "long_values": false, "length": 2, "categories": [{"value": "a", "count": 2000000000000000001}, {"value": "b", "count": 1999999999999999999}], "sketch": ""}'::frequency_table AS c) AS t;

-- ---------------------------------------------------------------------------
-- Fisher
-- ---------------------------------------------------------------------------

CREATE TABLE fisher_case (name text, a int, b int, c int, d int, p float8,
	tolerance float8);
INSERT INTO fisher_case VALUES
('R 3.6.2', 5, 1, 10, 10, 0.1973244147157191, 1e-10),
('R 3.6.2', 2, 7, 8, 2, 0.02301413756522116, 1e-10),
('Evidently', 90, 60, 60, 90, 0.00078, 0.001),
('Evidently', 3, 3, 6, 0, 0.181, 0.001),
('Evidently', 6, 0, 0, 6, 0.0021, 0.001),
('Evidently', 45, 45, 30, 60, 0.033, 0.001);
SELECT f.name, a, b, c, d, t.method, round(t.statistic::numeric, 6) AS odds,
	round(t.p_value::numeric, 8) AS p, abs(t.p_value - p) <= tolerance AS ok
FROM fisher_case AS f, LATERAL (
	SELECT (fisher_test(v, side)).*
	FROM (SELECT true, false FROM generate_series(1, a)
		UNION ALL SELECT false, false FROM generate_series(1, b)
		UNION ALL SELECT true, true FROM generate_series(1, c)
		UNION ALL SELECT false, true FROM generate_series(1, d))
		AS r(v, side)) AS t
ORDER BY f.name, a, b;
-- exactly: 1 - 5005/230230 and (33033 + 5005)/230230
SELECT round((fisher_test(v, side, 'alternative=less')).p_value::numeric, 10)
		AS less,
	round((fisher_test(v, side, 'alternative=greater')).p_value::numeric, 10)
		AS greater
FROM (SELECT i <= 5, false FROM generate_series(1, 6) AS i
	UNION ALL SELECT i <= 10, true FROM generate_series(1, 20) AS i) AS r(v, side);
SELECT fisher_test(v, side) AS one_side
FROM (VALUES (true, true), (false, true)) AS t(v, side);
SELECT fisher_test(v, side) AS constant
FROM (VALUES (true, true), (true, false)) AS t(v, side);

-- ---------------------------------------------------------------------------
-- Many tests at once; thresholds
-- ---------------------------------------------------------------------------

-- Benjamini and Hochberg 1995: at 0.05 the four smallest of 15 are rejected
SELECT count(*) FILTER (WHERE p <= 0.05) AS rejected
FROM unnest(benjamini_hochberg('{0.0001,0.0004,0.0019,0.0095,0.0201,0.0278,0.0298,0.0344,0.0459,0.324,0.4262,0.5719,0.6528,0.759,1.0}')) AS p;
-- the definition, in SQL, on random p-values with NULLs between them (no rows)
SELECT setseed(0.25);
WITH given AS MATERIALIZED (
	SELECT k, array_agg(CASE WHEN random() < 0.9 THEN random() ^ 3 END) AS p
	FROM generate_series(1, 50) AS k, generate_series(1, k) GROUP BY k),
defined AS (
	SELECT k, i, p AS raw,
		min(least(1, p * m / rank)) OVER w AS bh,
		min(least(1, p * m / rank * h)) OVER w AS by
	FROM (SELECT k, i, v AS p, count(v) OVER (PARTITION BY k) AS m,
			row_number() OVER (PARTITION BY k ORDER BY v) AS rank,
			(SELECT sum(1.0 / j)::float8 FROM generate_series(1,
				(SELECT count(x) FROM unnest(p) AS x)) AS j) AS h
		FROM given, unnest(p) WITH ORDINALITY AS u(v, i)) AS r
	WINDOW w AS (PARTITION BY k, p IS NULL ORDER BY p DESC))
SELECT k, i, raw, bh, adjusted_bh, by, adjusted_by
FROM defined JOIN given USING (k), LATERAL (
	SELECT (benjamini_hochberg(p))[i] AS adjusted_bh,
		(benjamini_hochberg(p, 'by'))[i] AS adjusted_by) AS a
WHERE (raw IS NULL) <> (adjusted_bh IS NULL)
	OR (raw IS NULL) <> (adjusted_by IS NULL)
	OR abs(bh - adjusted_bh) > 1e-12 OR abs(by - adjusted_by) > 1e-12;
SELECT benjamini_hochberg('{}'), benjamini_hochberg('{NULL,NULL}'),
	benjamini_hochberg(NULL) IS NULL AS of_null,
	benjamini_hochberg('[3:4]={0.5,0.01}'), benjamini_hochberg('{0,1}', 'BY');
SELECT benjamini_hochberg('{0.5,1.5}');
SELECT benjamini_hochberg('{NaN}');
SELECT benjamini_hochberg('{{0.5,0.5},{0.1,0.1}}');
SELECT benjamini_hochberg('{0.5}', 'holm');

-- the 95 % quantile of chi-squared with 9 degrees of freedom: 16.918977605
SELECT round((psi_threshold(10, 1000, 2000, 0.05) / (1.0/1000 + 1.0/2000))::numeric, 9) AS quantile,
	psi_threshold(10, 999, 100000, 0.05) AS too_few,
	round(psi_threshold(10, 30, 30, 0.05, 'jeffreys')::numeric, 6) AS jeffreys;
SELECT psi_threshold(1, 1000, 1000, 0.05);
SELECT psi_threshold(10, 1000, 1000, 0);
SELECT psi_threshold(10, 1000, 1000, 'NaN');
SELECT psi_threshold(10, -1, 1000, 0.05);
-- The lower bound is 0 exactly as long as psi does not pass the threshold.
SELECT psi_lower_bound(t * 0.999, 10, 5000, 5000) AS below,
	psi_lower_bound(t * 1.1, 10, 5000, 5000) > 0 AS above,
	psi_lower_bound(0.2, 10, 5000, 5000) < 0.2 AS under_psi,
	psi_lower_bound(0.2, 10, 5000, 5000, 0.01)
		< psi_lower_bound(0.2, 10, 5000, 5000, 0.1) AS more_sure_is_lower,
	psi_lower_bound(0.2, 10, 500, 5000) AS too_few
FROM psi_threshold(10, 5000, 5000) AS t;
SELECT psi_lower_bound(-1, 10, 5000, 5000);

-- The level of the primary test: without drift, chi-squared over cells merged
-- to an expectation of 5 rejects at most alpha = 5 % of samples, plus three
-- Monte-Carlo standard errors. Ten categories, the shares of a geometric law.
SELECT setseed(0.75);
WITH drawn AS MATERIALIZED (
	SELECT size, run, is_current,
		least(10, floor(-2 * ln(1 - random())))::text AS v
	FROM (VALUES (30, 2000), (100, 2000), (1000, 200)) AS s(size, runs),
		generate_series(1, runs) AS run, generate_series(1, size) AS i,
		unnest('{f,t}'::boolean[]) AS is_current),
tested AS (
	SELECT size, run,
		(chi2_test(v, is_current, 'minimum_expected=5')).p_value AS p
	FROM drawn GROUP BY size, run)
SELECT size, count(p) = count(*) AS all_tested,
	avg((p <= 0.05)::int) <= 0.05 + 3 * sqrt(0.05 * 0.95 / count(*)) AS level,
	avg((p <= 0.5)::int) BETWEEN 0.4 AND 0.6 AS half
FROM tested GROUP BY size ORDER BY size;

-- ---------------------------------------------------------------------------
-- Bad arguments
-- ---------------------------------------------------------------------------

SELECT psi(r, c, rule => 'ignore') FROM pair WHERE name = 'bundle';
SELECT psi(r, c, epsilon => 0) FROM pair WHERE name = 'bundle';
SELECT psi(r, c, epsilon => 'NaN') FROM pair WHERE name = 'bundle';
SELECT kl_divergence(r, c, base => 1) FROM pair WHERE name = 'bundle';
SELECT js_distance(r, c, base => -2) FROM pair WHERE name = 'bundle';
SELECT chi2_test(r, c, minimum_expected => -1) FROM pair WHERE name = 'bundle';
SELECT chi2_test(v, is_current, 'yate=on') FROM sample;
SELECT chi2_test(v, is_current, 'yates=perhaps') FROM sample;
SELECT psi(v, is_current, 'rule=none rule=skip') FROM sample;
SELECT psi(v, is_current, 'epsilon=0') FROM sample;
SELECT js_distance(v, is_current, 'base=1') FROM sample;
SELECT fisher_test(true, is_current, 'alternative=both') FROM sample;
SELECT psi(v, is_current, CASE WHEN is_current THEN 'rule=skip' END)
FROM sample;
SELECT psi(v, is_current, repeat(' ', 1001)) FROM sample;
SELECT chi2_test(i, i % 2 = 0) FROM generate_series(1::bigint, 200003) AS i;

DROP TABLE golden, pair, checked, sample, fisher_case;
DROP FUNCTION table_of(bigint[]), big_table(bigint, bigint), choose(integer, integer);
