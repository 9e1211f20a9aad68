-- Exact tests and distances of two samples, as aggregates over rows.
SET search_path = public, mlmeta;

-- ---------------------------------------------------------------------------
-- Kolmogorov-Smirnov: the pruned search, the sorted scan and the scan of
-- spilled runs give what SQL windows give.
-- ---------------------------------------------------------------------------
SELECT setseed(0.25);
CREATE TABLE draws AS
SELECT i, random() < 0.4 AS current, random() AS u,
	sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) AS z
FROM generate_series(1, 70000) AS i;

CREATE TABLE shape AS
SELECT v.name, s.current, v.value
FROM draws AS s, LATERAL (VALUES
	('normal', z),
	('shifted', z + CASE WHEN current THEN 0.3 ELSE 0 END),
	('squeezed', z * CASE WHEN current THEN 1.5 ELSE 1 END),
	('cauchy', tan(pi() * (u - 0.5))),
	('zero inflated', CASE WHEN u < 0.5 THEN 0 ELSE z END),
	('two zeros', CASE WHEN u < 0.3 THEN '-0.0'::float8 WHEN u < 0.6 THEN 0.0
		ELSE z END),
	('rounded', round((10 * z)::numeric)::float8),
	('one value', 7),
	('two values', (u < 0.3)::int),
	('epochs', 1.7e9 + 1000 * u),
	('epochs and a sentinel', CASE WHEN i = 1 THEN -1 ELSE 1.7e9 + 1000 * u END),
	('two scales', CASE WHEN u < 0.5 THEN 5 + 1e-6 * z ELSE 100 * z END),
	('tiny', z * 1e-310::float8),
	('infinite', CASE WHEN u < 0.01 THEN '-Infinity' WHEN u > 0.98
		THEN 'Infinity' ELSE z END)) AS v (name, value);

CREATE TABLE ks_by_windows AS
WITH grouped AS (
	SELECT name, value + 0.0 AS value,
		count(*) FILTER (WHERE NOT current) AS n,
		count(*) FILTER (WHERE current) AS m
	FROM shape GROUP BY name, value + 0.0
), cumulated AS (
	SELECT name, sum(n) OVER below / sum(n) OVER everything AS f,
		sum(m) OVER below / sum(m) OVER everything AS g
	FROM grouped
	WINDOW below AS (PARTITION BY name ORDER BY value),
		everything AS (PARTITION BY name)
)
SELECT name, max(abs(f - g))::float8 AS two_sided,
	greatest(max(f - g), 0)::float8 AS greater,
	greatest(max(g - f), 0)::float8 AS less
FROM cumulated GROUP BY name;

CREATE FUNCTION ks_differences(memory text)
RETURNS TABLE (name text, difference float8)
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('work_mem', memory, true);
	RETURN QUERY
	SELECT w.name, greatest(abs(w.two_sided - k.two_sided),
		abs(w.greater - k.greater), abs(w.less - k.less),
		abs(w.two_sided - k.of_test))
	FROM ks_by_windows AS w JOIN (
		SELECT s.name, ks(value, current) AS two_sided,
			ks(value, current, 'alternative=greater') AS greater,
			ks(value, current, 'alternative=less') AS less,
			(ks_test(value, current, 'method=asymptotic')).statistic AS of_test
		FROM shape AS s GROUP BY s.name) AS k USING (name);
END
$$;

SELECT memory, count(*) AS shapes, count(*) FILTER (
	WHERE difference IS NULL OR difference > 1e-14) AS wrong
FROM unnest(ARRAY['64kB', '64MB']) AS memory, ks_differences(memory)
GROUP BY memory ORDER BY memory;

-- ---------------------------------------------------------------------------
-- Nothing depends on the order of rows, on work_mem, or on what else is
-- computed from the same rows: all results, to the bit.
-- ---------------------------------------------------------------------------
CREATE FUNCTION everything(query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT row(ks(value, current),
		wasserstein(value, current), energy_distance(value, current),
		psi(value, current), psi(value, current, 20, ''rule=jeffreys''),
		kl_divergence(value, current), js_divergence(value, current),
		js_distance(value, current), hellinger(value, current),
		total_variation(value, current), l_infinity(value, current),
		wasserstein(value, current, ''normed=on''), ks_test(value, current),
		cvm_test(value, current), ad_test(value, current),
		mann_whitney_test(value, current), epps_singleton_test(value, current),
		t_test(value, current))::text FROM (%s) AS q', query)
	INTO result;
	RETURN result;
END
$$;

CREATE TABLE few AS
SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY name) AS i
	FROM shape) AS s WHERE i <= 5000;
CREATE TABLE reference_results AS
SELECT name, everything(format(
	'SELECT value, current FROM few WHERE name = %L', name)) AS result
FROM shape GROUP BY name;

SELECT setting, count(*) AS shapes,
	count(*) FILTER (WHERE changed IS DISTINCT FROM result) AS changed
FROM reference_results, LATERAL (
	VALUES ('64kB', 'i DESC'), ('1MB', 'md5(i::text)')) AS v (memory, ordering),
	LATERAL (SELECT memory || ', ' || ordering AS setting,
		set_config('work_mem', memory, false)) AS s,
	LATERAL everything(format('SELECT value, current FROM few WHERE name = %L
		ORDER BY %s', name, ordering)) AS changed
GROUP BY setting ORDER BY setting;
RESET work_mem;

-- ---------------------------------------------------------------------------
-- Who takes part.
-- ---------------------------------------------------------------------------
CREATE TABLE sampled (value float8, current boolean);
INSERT INTO sampled VALUES (1, false), (2, false), (4, false), (2, true),
	(3, true), (NULL, true), (NULL, false), (7, NULL), (NULL, NULL),
	('NaN', false), ('NaN', true), ('NaN', NULL);

SELECT (ks_test(value, current)).*, ks(value, current) AS ks,
	wasserstein(value, current) AS wasserstein FROM sampled;

-- No rows: NULL. Rows, but no sample or one: NULL, and tests say why.
SELECT ks(value, current), psi(value, current), ks_test(value, current),
	t_test(value, current) FROM sampled WHERE false;

CREATE VIEW tests AS
SELECT g.name, v.test, (v.result).statistic, (v.result).p_value,
	(v.result).n_reference AS n, (v.result).n_current AS m, (v.result).method
FROM (
	SELECT name, ks_test(value, current) AS ks, cvm_test(value, current) AS cvm,
		ad_test(value, current) AS ad, mann_whitney_test(value, current) AS mw,
		epps_singleton_test(value, current) AS es,
		t_test(value, current) AS t,
		t_test(value, current, 'equal_variance=on') AS pooled
	FROM (VALUES
		('all null', '{NULL}'::float8[], '{NULL}'::float8[]),
		('no reference', '{}', '{1,2,3}'),
		('no current', '{1,2,NaN}', '{NaN,NULL}'),
		('one each', '{1}', '{2}'),
		('one and two', '{1}', '{2,4}'),
		('four each', '{1,2,3,4}', '{2,3,4,5}'),
		('the same constant', '{5,5,5,5,5,5}', '{5,5,5,5,5}'),
		('two constants', '{5,5,5,5,5}', '{6,6,6,6,6}'),
		('infinite', '{1,2,3,-Infinity,5,6}', '{2,3,4,5,Infinity,7}'),
		('no quartile range', '{0,0,0,0,0,0,1}', '{0,0,0,0,0,2}'),
		('all there is', '{-1.7e308,-1e308,0,1e308,1.7e308}',
			'{-1.6e308,-0.9e308,0,1.1e308,1.7e308}')) AS s (name, x, y),
		LATERAL (SELECT false, a FROM unnest(x) AS a
			UNION ALL SELECT true, b FROM unnest(y) AS b) AS r (current, value)
	GROUP BY name) AS g,
	LATERAL (VALUES ('ks', ks), ('cvm', cvm), ('ad', ad), ('mw', mw),
		('es', es), ('t', t), ('t pooled', pooled)) AS v (test, result);

SELECT name, test, round(statistic::numeric, 9) AS statistic,
	round(p_value::numeric, 9) AS p_value, n, m, method
FROM tests WHERE statistic IS NULL OR abs(statistic) < 'Infinity'
ORDER BY name, test;
SELECT * FROM tests WHERE abs(statistic) = 'Infinity' ORDER BY name, test;

-- The same for the distances.
SELECT name, round(ks(value, current)::numeric, 9) AS ks,
	wasserstein(value, current) AS wasserstein,
	wasserstein(value, current, 'normed=on') AS normed,
	energy_distance(value, current) AS energy, psi(value, current) AS psi,
	kl_divergence(value, current) AS kl,
	round(hellinger(value, current)::numeric, 9) AS hellinger
FROM (VALUES
	('no reference', '{}'::float8[], '{1,2,3}'::float8[]),
	('the same constant', '{5,5}', '{5,5,5}'),
	('two constants', '{5,5}', '{6,6,6}'),
	('subnormal', '{1e-320,2e-320}', '{3e-320}'),
	('all there is', '{-1.5e308}', '{1.5e308}'),
	('half of it', '{-1.5e308,0}', '{0,1.5e308}'),
	('shares of an infinity differ', '{1,2,Infinity}', '{1,2,3}'),
	('shares of both differ', '{1,-Infinity,Infinity}', '{Infinity,2,3}'),
	('shares are the same', '{1,2,Infinity}', '{1,3,Infinity}'),
	('of both', '{-Infinity,1,2,Infinity}', '{-Infinity,1,3,Infinity}')
	) AS s (name, x, y),
	LATERAL (SELECT false, a FROM unnest(x) AS a
		UNION ALL SELECT true, b FROM unnest(y) AS b) AS r (current, value)
GROUP BY name ORDER BY name;

-- What the libraries do with NaN and infinities (nonfinite.json of the golden
-- files) and what we do: NaN takes no part, infinities are points at the ends.
SELECT name, round(ks(value, current)::numeric, 9) AS ks,
	wasserstein(value, current) AS wasserstein,
	energy_distance(value, current) AS energy,
	round(((cvm_test(value, current)).statistic)::numeric, 9) AS cvm,
	(mann_whitney_test(value, current)).statistic AS mw,
	round(((ad_test(value, current)).statistic)::numeric, 9) AS ad
FROM (VALUES
	('nan_in_a', '{1,2,NaN}'::float8[], '{1,2,3}'::float8[]),
	('inf_in_a', '{1,2,Infinity}', '{1,2,3}'),
	('inf_both', '{1,-Infinity,Infinity}', '{Infinity,2,3}'),
	('empty_b', '{1,2,3}', '{}')) AS s (name, x, y),
	LATERAL (SELECT false, a FROM unnest(x) AS a
		UNION ALL SELECT true, b FROM unnest(y) AS b) AS r (current, value)
GROUP BY name ORDER BY name;

-- ---------------------------------------------------------------------------
-- Bins: type-7 deciles of the reference, an edge at the minimum dropped, one
-- at the maximum kept. 0 x 90, 1 x 10 has one edge: 1.
-- ---------------------------------------------------------------------------
SELECT round(total_variation(value, current)::numeric, 9) AS tv,
	round(l_infinity(value, current)::numeric, 9) AS linf
FROM (SELECT (i > 90)::int::float8, false FROM generate_series(1, 100) AS i
	UNION ALL SELECT (i > 50)::int::float8, true FROM generate_series(1, 100) AS i)
	AS r (value, current);

-- PSI is what its rule says: frouros' sample of cases/, ten cells.
SELECT rule, round(psi(value, current, 'rule=' || rule)::numeric, 6) AS psi
FROM unnest(ARRAY['floor', 'replace', 'skip', 'jeffreys', 'none']) AS rule,
	(SELECT i::float8, false FROM generate_series(1, 50) AS i
	UNION ALL SELECT i::float8, true FROM generate_series(11, 30) AS i)
	AS r (value, current)
GROUP BY rule ORDER BY rule;

SELECT psi(value, current, 5) = psi(value, current, 'bins=5') AS bins_twice,
	js_divergence(value, current) = js_distance(value, current) ^ 2 AS squared,
	abs(js_divergence(value, current, 'base=2') * ln(2::float8)
		- js_divergence(value, current)) < 1e-15 AS base,
	abs(kl_divergence(value, current, 'bins=2,base=10') * ln(10::float8)
		- kl_divergence(value, current, 'bins=2')) < 1e-15 AS base_of_kl
FROM shape WHERE name = 'shifted';

-- ---------------------------------------------------------------------------
-- Alternatives: less and greater change places with the samples.
-- ---------------------------------------------------------------------------
SELECT (ks_test(value, current, 'alternative=less')).p_value
		= (ks_test(value, NOT current, 'alternative=greater')).p_value AS ks,
	(mann_whitney_test(value, current, 'alternative=less')).p_value
		= (mann_whitney_test(value, NOT current, 'alternative=greater')).p_value AS mw,
	(t_test(value, current, 'alternative=less')).p_value
		= (t_test(value, NOT current, 'alternative=greater')).p_value AS t,
	(ks_test(value, current, 'alternative=greater')).p_value < 0.1
		AND (mann_whitney_test(value, current, 'alternative=less')).p_value < 0.1
		AND (t_test(value, current, 'alternative=less')).p_value < 0.1
		AS the_reference_is_smaller
FROM (SELECT i::float8, i > 6 AND i <> 8 FROM generate_series(1, 12) AS i)
	AS r (value, current);

-- Exact laws given the ties, by hand: of the 6 ways to label 1, 1, 2, 2, two
-- have |D| = 1, the others 0; U is 0, 2 or 4 with 1, 4 and 1 of them.
SELECT (ks_test(value, current)).p_value * 6 AS ks,
	(cvm_test(value, current)).p_value * 6 AS cvm,
	(mann_whitney_test(value, current)).p_value * 6 AS mw,
	(mann_whitney_test(value, current, 'alternative=less')).p_value * 6 AS less,
	(mann_whitney_test(value, current, 'alternative=greater')).p_value * 6
		AS greater
FROM (VALUES (1, false), (1, false), (2, true), (2, true)) AS r (value, current);

-- By enumeration: of all 70 labellings of eight rows with ties, those at least
-- as extreme, for each labelling.
CREATE TABLE labelling AS
SELECT label, (ks_test(value, current)).*, 'ks' AS test
FROM (SELECT label, value, (label >> (i::int - 1)) % 2 = 1 AS current
	FROM generate_series(0, 255) AS label,
		unnest('{1,1,2,3,3,3,4,5}'::float8[]) WITH ORDINALITY AS v (value, i)) AS r
GROUP BY label HAVING count(*) FILTER (WHERE current) = 4;
INSERT INTO labelling
SELECT label, (v.result).*, v.test
FROM (SELECT label, cvm_test(value, current) AS cvm,
		mann_whitney_test(value, current) AS mw
	FROM (SELECT label, value, (label >> (i::int - 1)) % 2 = 1 AS current
		FROM generate_series(0, 255) AS label,
			unnest('{1,1,2,3,3,3,4,5}'::float8[]) WITH ORDINALITY AS v (value, i))
		AS r
	GROUP BY label HAVING count(*) FILTER (WHERE current) = 4) AS s,
	LATERAL (VALUES (cvm, 'cvm'), (mw, 'mw')) AS v (result, test);

SELECT test, count(*) AS labellings, count(DISTINCT statistic) AS statistics,
	count(*) FILTER (WHERE method <> 'exact' OR abs(p_value - (
		SELECT CASE l.test WHEN 'mw' THEN least(1, 2 * least(
				avg((a.statistic <= l.statistic)::int),
				avg((a.statistic >= l.statistic)::int)))
			ELSE avg((a.statistic > l.statistic - 1e-12)::int) END
		FROM labelling AS a WHERE a.test = l.test)) > 1e-14) AS wrong
FROM labelling AS l GROUP BY test ORDER BY test;

-- ---------------------------------------------------------------------------
-- Options.
-- ---------------------------------------------------------------------------
SELECT ks(value, current, 'alternatve=less') FROM sampled;
SELECT ks(value, current, 'alternative=up') FROM sampled;
SELECT ks_test(value, current, 'method=exact method=auto') FROM sampled;
SELECT psi(value, current, 'bins=0') FROM sampled;
SELECT psi(value, current, 0) FROM sampled;
SELECT psi(value, current, 10, 'epsilon=-1') FROM sampled;
SELECT energy_distance(value, current, 'bins=3') FROM sampled;
SELECT t_test(value, current, 'equal_variance=perhaps') FROM sampled;
SELECT js_distance(value, current, 'base=1') FROM sampled;
SELECT epps_singleton_test(value, current, 't=0.4,none') FROM sampled;
SELECT epps_singleton_test(value, current, 't=1,2,3,4,5,6,7,8,9') FROM sampled;
SELECT ks(value, current, CASE WHEN value = 1 THEN 'alternative=less'
	ELSE 'alternative=greater' END) FROM sampled;
SELECT psi(value, current, CASE WHEN value = 1 THEN 5 ELSE 6 END) FROM sampled;
SELECT mann_whitney_test(i, i % 2 = 0, 'method=exact')
FROM generate_series(1, 10000) AS i;
SELECT ks(value, current, NULL) = ks(value, current) AS null_options,
	psi(value, current, NULL::int) = psi(value, current) AS null_bins
FROM sampled;
-- a list of numbers, whatever separates them
SELECT (epps_singleton_test(value, current, 't=0.4,0.8')
	= epps_singleton_test(value, current, 't=0.4 0.8')) AS lists,
	epps_singleton_test(value, current)
		= epps_singleton_test(value, current, 't=0.4, 0.8') AS defaults,
	(epps_singleton_test(value, current, 't=0.3')).method AS one_point
FROM shape WHERE name = 'two scales';

-- ---------------------------------------------------------------------------
-- In every kind of query.
-- ---------------------------------------------------------------------------
CREATE TABLE sliced AS
SELECT i % 3 AS part, i % 5 AS slice, ((i * 7919) % 1009)::float8 AS value,
	(i * 31) % 7 < 3 AS current
FROM generate_series(1, 2000) AS i;

-- FILTER is WHERE; groups and grouping sets are separate queries.
SELECT ks(value, current) FILTER (WHERE part = 1) = (
	SELECT ks(value, current) FROM sliced WHERE part = 1) AS filtered
FROM sliced;
SELECT count(*) AS sets, bool_and(distance IS NOT DISTINCT FROM (
	SELECT wasserstein(value, current) FROM sliced AS s
	WHERE (g.part IS NULL OR s.part = g.part)
		AND (g.slice IS NULL OR s.slice = g.slice))) AS same
FROM (SELECT part, slice, wasserstein(value, current) AS distance
	FROM sliced GROUP BY CUBE (part, slice)) AS g;

-- Hashed and sorted groups.
SET enable_hashagg = off;
CREATE TABLE sorted_groups AS
SELECT part, slice, ks_test(value, current)::text AS result
FROM sliced GROUP BY part, slice;
RESET enable_hashagg;
SET enable_sort = off;
SELECT count(*) AS groups, count(*) FILTER (WHERE s.result = h.result) AS same
FROM (SELECT part, slice, ks_test(value, current)::text AS result
	FROM sliced GROUP BY part, slice) AS h JOIN sorted_groups AS s
	USING (part, slice);
RESET enable_sort;

-- DISTINCT
SELECT (ks_test(DISTINCT value, current)).n_reference = count(DISTINCT value)
	FILTER (WHERE NOT current) AS distinct_values FROM sliced;

-- A growing frame asks again and again, and rows follow between.
CREATE TABLE numbered AS
SELECT row_number() OVER () AS i, value, current FROM sliced LIMIT 300;
SELECT count(*) AS frames, count(*) FILTER (WHERE (d, k) IS DISTINCT FROM (
	SELECT (wasserstein(value, current), ks(value, current))
	FROM numbered AS s WHERE s.i <= w.i)) AS wrong
FROM (SELECT i, wasserstein(value, current) OVER (ORDER BY i) AS d,
		ks(value, current) OVER (ORDER BY i) AS k FROM numbered) AS w;

-- A sliding frame starts anew for each row.
SELECT count(*) AS frames, count(*) FILTER (WHERE (d, w, e) IS DISTINCT FROM (
	SELECT (wasserstein(value, current), ks(value, current),
		energy_distance(value, current, 0.5))
	FROM numbered AS s WHERE s.i BETWEEN f.i - 30 AND f.i)) AS wrong
FROM (SELECT i, wasserstein(value, current) OVER frame AS d,
		ks(value, current) OVER frame AS w,
		energy_distance(value, current, 0.5) OVER frame AS e
	FROM numbered
	WINDOW frame AS (ORDER BY i ROWS 30 PRECEDING)) AS f;

-- The same where frames spill: 70,000 rows in 64 kB, in frames that grow, and
-- in some that start anew.
SET work_mem = '64kB';
SELECT count(DISTINCT d) AS frames,
	bool_and(part < 3 OR d = (SELECT wasserstein(value, current) FROM shape
		WHERE name = 'cauchy')) AS last_is_all
FROM (SELECT part, wasserstein(value, current) OVER (ORDER BY part) AS d
	FROM (SELECT row_number() OVER () % 4 AS part, value, current FROM shape
		WHERE name = 'cauchy') AS r) AS w;
CREATE TABLE parted AS
SELECT row_number() OVER () % 4 AS part, value, current FROM shape
WHERE name = 'cauchy';
SELECT count(*) AS frames, count(*) FILTER (WHERE (d, e) IS DISTINCT FROM (
	SELECT (wasserstein(value, current), wasserstein(value, current, 2.0))
	FROM parted AS p WHERE p.part = f.part)) AS wrong
FROM (SELECT DISTINCT part, wasserstein(value, current) OVER frame AS d,
		wasserstein(value, current, 2.0) OVER frame AS e
	FROM parted WINDOW frame AS (ORDER BY part RANGE CURRENT ROW)) AS f;
RESET work_mem;

-- Below a Gather: the aggregate itself runs in the leader.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
CREATE FUNCTION plan_has(query text, node text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		IF line LIKE '%' || node || '%' THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
END
$$;
SELECT plan_has($$SELECT ks(value, current) FROM shape WHERE name = 'cauchy'$$,
	'Gather') AS gathers,
	plan_has($$SELECT ks(value, current) FROM shape WHERE name = 'cauchy'$$,
	'Partial Aggregate') AS splits;
SELECT abs(ks(value, current) - (SELECT two_sided FROM ks_by_windows
	WHERE name = 'cauchy')) < 1e-14 AS parallel FROM shape WHERE name = 'cauchy';

-- Other numeric types arrive as float8.
SELECT ks(i, i > 3) AS int, ks(i::bigint, i > 3) AS bigint,
	ks(i::real, i > 3) AS real, ks(i::numeric, i > 3) AS numeric,
	ks(i::smallint, i > 3) AS smallint
FROM generate_series(1, 5) AS i;

-- ---------------------------------------------------------------------------
-- Distances at both ends of the floats keep their digits: with u = 2^-1074 the
-- root of 2 (u + 2u / 4) = 3u, and that of twice 2.7e308
SELECT energy_distance(x, b) / 2.0::float8 ^ -537 = sqrt(3.0::float8) AS tiny, wasserstein(x, b) = 1e-323 AS tiny_wasserstein,
	energy_distance(x, b, 1) = energy_distance(x, b) AS weighted
FROM (VALUES (5e-324, false), (1e-323, true), (2e-323, true)) AS t(x, b);
SELECT energy_distance(x, b) / sqrt(1.35e308) AS large, wasserstein(x, b) AS beyond FROM (VALUES (-1.35e308, false), (1.35e308, true)) AS t(x, b);

-- Weights: a row of weight k is k rows; the sum of weights does not matter.
-- ---------------------------------------------------------------------------
CREATE TABLE weighted AS
SELECT value, current, (i * 13) % 4 AS weight FROM numbered;
SELECT abs(wasserstein(value, current, weight) - (
		SELECT wasserstein(value, current) FROM weighted,
			generate_series(1, weight))) < 1e-12 AS wasserstein,
	abs(energy_distance(value, current, weight) - (
		SELECT energy_distance(value, current) FROM weighted,
			generate_series(1, weight))) < 1e-12 AS energy,
	abs(ks(value, current, weight) - (SELECT ks(value, current) FROM weighted,
		generate_series(1, weight))) < 1e-15 AS ks,
	wasserstein(value, current, weight)
		= wasserstein(value, current, weight / 1024.0) AS scaled,
	wasserstein(value, current, weight ORDER BY value, weight)
		= wasserstein(value, current, weight ORDER BY weight, value DESC) AS ordered
FROM weighted;
-- a weight of 0, NULLs and NaN take no part; infinities as without weights
SELECT name, ks(value, current, weight) AS ks,
	wasserstein(value, current, weight) AS wasserstein,
	energy_distance(value, current, weight) AS energy
FROM (VALUES
	('weight 0', '{1,2,9}'::float8[], '{1,1,0}'::float8[], '{3}'::float8[], '{1}'::float8[]),
	('not there', '{1,2,NaN,NULL,9}', '{1,1,5,5,NULL}', '{3}', '{0.5}'),
	('a sample of weight 0', '{1}', '{0}', '{2}', '{1}'),
	('shares differ', '{1,Infinity}', '{1,1}', '{1,Infinity}', '{1,2}'),
	('shares are the same', '{1,Infinity,Infinity}', '{1,0.25,0.25}',
		'{3,Infinity}', '{4,2}')) AS s (name, x, xw, y, yw),
	LATERAL (SELECT false, a, w FROM unnest(x, xw) AS u (a, w)
		UNION ALL SELECT true, a, w FROM unnest(y, yw) AS u (a, w))
		AS r (current, value, weight)
GROUP BY name ORDER BY name;
SELECT wasserstein(value, current, -1) FROM sampled;
SELECT energy_distance(value, current, 'NaN'::float8) FROM sampled;
SELECT wasserstein(value, current, 'Infinity'::float8) FROM sampled;
SELECT wasserstein(value, current, 1.7e308) FROM sampled;
SET work_mem = '64kB';
SELECT abs(wasserstein(value, current, 0.1) - wasserstein(value, current)) < 1e-9
	AS spilled
FROM shape WHERE name = 'normal';
RESET work_mem;
SELECT count(*) AS frames, count(*) FILTER (WHERE d IS DISTINCT FROM (
	SELECT wasserstein(value, current, 1.0) FROM numbered AS s WHERE s.i <= w.i))
	AS wrong
FROM (SELECT i, wasserstein(value, current, 1.0) OVER (ORDER BY i) AS d
	FROM numbered) AS w;

-- Support functions are not for calling: no SQL makes such an argument.
SELECT 'mlmeta_internal.ks_final'::regproc::regprocedure AS function;
