-- Type frequency_table: how often each value occurred.
SET search_path = public, mlmeta;
SET extra_float_digits = 0;

-- ---------------------------------------------------------------------------
-- Text form, accessors
-- ---------------------------------------------------------------------------

SELECT frequencies(v) FROM (VALUES ('b'), ('a'), (NULL), ('b'), (''),
	(E'tab\t"quote" \\ é'), ('Ω')) AS t(v);
SELECT frequencies(v) FROM (VALUES (true), (false), (NULL), (true)) AS t(v);
SELECT frequencies(v) FROM (VALUES (NULL::text)) AS t(v);
SELECT frequencies(v) IS NULL AS no_rows
FROM (VALUES ('a')) AS t(v) WHERE false;
SELECT n(f), null_count(f), distinct_count(f), other_count(f),
	count_of(f, 'b'), count_bound(f, 'b'), count_of(f, 'q'),
	count_bound(f, 'q')
FROM (SELECT frequencies(v) AS f
	FROM (VALUES ('b'), ('a'), (NULL), ('b')) AS t(v)) AS t;
SELECT c.* FROM (SELECT frequencies(v) AS f
	FROM (VALUES ('b'), ('a'), (NULL), ('b'), ('')) AS t(v)) AS t, categories(f) AS c;
SELECT c.* FROM (SELECT frequencies(NULL::text) AS f) AS t, categories(f) AS c;
SELECT f::jsonb -> 'categories' AS categories
FROM (SELECT frequencies(v) AS f FROM (VALUES ('b'), ('a')) AS t(v)) AS t;

-- Values of more than 64 bytes: a prefix of whole characters, and a hash
SELECT f, count_of(f, repeat('né', 30)) AS one, count_of(f, repeat('né', 31)) AS two
FROM (SELECT frequencies(v) AS f FROM (VALUES (repeat('né', 30)),
	(repeat('né', 31)), (repeat('né', 31)), (repeat('n', 64)), (repeat('n', 65)))
	AS t(v)) AS t;
SELECT value, count FROM categories((SELECT frequencies(repeat('x', i))
	FROM generate_series(63, 66) AS i)) ORDER BY 1;
SELECT count(*) AS roundtrips FROM (SELECT frequencies(repeat(c, i)) AS f
	FROM unnest('{x,é,€,😀}'::text[]) AS c, generate_series(1, 70) AS i
	GROUP BY c, i) AS t
WHERE f::text::frequency_table = f
	AND n(f) = 1 AND distinct_count(f) = 1;

-- ---------------------------------------------------------------------------
-- Against GROUP BY; merging, any order, parallel
-- ---------------------------------------------------------------------------

SELECT setseed(0.5);
CREATE TABLE sample AS
SELECT i, i % 7 AS part, i % 3 = 0 AS side,
	CASE WHEN random() < 0.05 THEN NULL
		ELSE 'v' || floor(random() ^ 4 * 900)::text END AS v
FROM generate_series(1, 30000) AS i;
ANALYZE sample;

CREATE FUNCTION same_counts(f frequency_table, query text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
	differs bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM
		(SELECT value, count FROM categories($1)) AS a FULL JOIN
		(SELECT v, count(*) FROM (%s) AS q WHERE v IS NOT NULL GROUP BY v) AS b
		ON a.value = b.v WHERE a.count IS DISTINCT FROM b.count', query)
	INTO differs USING f;
	RETURN differs = 0;
END $$;

SELECT same_counts(frequencies(v), 'SELECT v FROM sample') AS counts,
	n(frequencies(v)) = count(v) AS n,
	null_count(frequencies(v)) = count(*) - count(v) AS nulls,
	distinct_count(frequencies(v)) = count(DISTINCT v) AS distinct_values
FROM sample;
-- any order, merged parts, plus and minus: the same bytes
WITH whole AS (SELECT frequencies(v) AS f FROM sample),
parts AS (SELECT part, frequencies(v) AS f FROM sample GROUP BY part)
SELECT (SELECT frequencies(v ORDER BY v) FROM sample) = whole.f AS sorted,
	(SELECT frequencies(v ORDER BY i DESC) FROM sample) = whole.f AS backwards,
	(SELECT merge(f) FROM parts) = whole.f AS merged,
	(SELECT merge(f ORDER BY part DESC) FROM parts) = whole.f AS merged_backwards,
	(SELECT merge(x) FROM (SELECT merge(f) AS x FROM parts GROUP BY part % 2) AS t) = whole.f AS merged_twice,
	(SELECT whole.f - p.f FROM parts AS p WHERE part = 3)
		= (SELECT frequencies(v) FROM sample WHERE part <> 3) AS minus,
	(SELECT minus(whole.f, p.f) + p.f FROM parts AS p WHERE part = 3) = whole.f AS and_plus,
	(SELECT frequencies(v) FILTER (WHERE part = 3) FROM sample)
		= (SELECT f FROM parts WHERE part = 3) AS filter,
	n(whole.f - whole.f) AS nothing, distinct_count(whole.f - whole.f) AS no_values
FROM whole;
SELECT count(*) AS sets, count(DISTINCT f) AS different
FROM (SELECT part, side, frequencies(v) AS f FROM sample
	GROUP BY GROUPING SETS ((part), (side), (part, side), ())) AS t;
-- equality, order, hashing
SELECT count(DISTINCT f), count(*) FILTER (WHERE f >= g) AS pairs
FROM (SELECT frequencies(v) AS f FROM sample GROUP BY part) AS a,
	(SELECT frequencies(v) AS g FROM sample GROUP BY part) AS b
WHERE f = g OR (f < g) = (f > g) OR (f <= g) <> (NOT f > g);
SET enable_sort = off;
SELECT count(*) FROM (SELECT f FROM (SELECT frequencies(v) AS f FROM sample
	GROUP BY part % 3) AS t GROUP BY f) AS t;
RESET enable_sort;

-- In parallel: the same bytes, from partial aggregates
CREATE FUNCTION plan_has(query text, node text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		IF position(node IN line) > 0 THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
END $$;
CREATE TABLE serial AS
SELECT frequencies(v) AS f, frequencies(v, 600) AS over, frequencies(side) AS b,
	psi(v, side) AS p, chi2_test(v, side, 'minimum_expected=5') AS c,
	fisher_test(side, part = 2) AS fisher
FROM sample;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
SET max_parallel_workers_per_gather = 3;
SELECT plan_has('SELECT frequencies(v), frequencies(v, 600), frequencies(side), psi(v, side), chi2_test(v, side, ''yates=on'') FROM sample', 'Partial Aggregate') AS partial,
	plan_has('SELECT frequencies(v, (SELECT f FROM serial)) FROM sample', 'Partial Aggregate') AS partial_on_baseline,
	plan_has('SELECT merge(f) FROM (SELECT f FROM serial) AS s', 'Partial Aggregate') AS partial_merge;
CREATE TABLE parallel AS
SELECT frequencies(v) AS f, frequencies(v, 600) AS over, frequencies(side) AS b,
	psi(v, side) AS p, chi2_test(v, side, 'minimum_expected=5') AS c,
	fisher_test(side, part = 2) AS fisher
FROM sample;
SELECT s.f = p.f AS f, s.over = p.over AS over, s.b = p.b AS b, s.p = p.p AS psi,
	s.c = p.c AS chi2, s.fisher = p.fisher AS fisher
FROM serial AS s, parallel AS p;
-- a baseline that is joined to each row is not the plan's constant
SELECT frequencies(v, (SELECT f FROM serial)) = (SELECT frequencies(v, s.f)
	FROM (SELECT v FROM sample WHERE i % 10 = 0 ORDER BY i) AS t, serial AS s)
	AS on_baseline
FROM sample WHERE i % 10 = 0;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
DROP TABLE parallel;

-- ---------------------------------------------------------------------------
-- Beyond the capacity: bounds that hold
-- ---------------------------------------------------------------------------

-- every value within its bounds, and n / (capacity + 1) for the bound of all
-- others, whatever the order and the merging
CREATE FUNCTION violations(f frequency_table, capacity int, query text)
RETURNS TABLE (wrong bigint, kept bigint, bound_ok boolean, sum_ok boolean)
LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('
		SELECT count(*) FILTER (WHERE NOT (true_count
				BETWEEN count_of($1, v) AND count_bound($1, v))),
			(SELECT count(*) FROM categories($1)),
			count_bound($1, ''never seen'') <= n($1) / ($2 + 1),
			n($1) = other_count($1) + (SELECT coalesce(sum(count), 0) FROM categories($1))
		FROM (SELECT v, count(*) AS true_count FROM (%s) AS q
			WHERE v IS NOT NULL GROUP BY v) AS t', query)
	USING f, capacity;
END $$;
SELECT capacity, order_by, x.*
FROM unnest('{1,2,10,100,300,599}'::int[]) AS capacity,
	unnest('{i,v,i DESC}'::text[]) AS order_by,
	LATERAL (SELECT CASE order_by
		WHEN 'i' THEN (SELECT frequencies(v, capacity ORDER BY i) FROM sample)
		WHEN 'v' THEN (SELECT frequencies(v, capacity ORDER BY v) FROM sample)
		ELSE (SELECT frequencies(v, capacity ORDER BY i DESC) FROM sample) END AS f) AS built,
	violations(f, capacity, 'SELECT v FROM sample') AS x
ORDER BY 1, 2;
SELECT capacity, x.*
FROM unnest('{1,10,100,300}'::int[]) AS capacity,
	LATERAL (SELECT merge(f ORDER BY slice) AS f
		FROM (SELECT i % 31 AS slice, frequencies(v, capacity ORDER BY i) AS f
			FROM sample GROUP BY slice) AS parts) AS built,
	violations(f, capacity, 'SELECT v FROM sample') AS x
ORDER BY 1;
-- different capacities: the greater one stays
SELECT f::jsonb -> 'capacity' AS capacity, x.wrong, x.sum_ok
FROM (SELECT (SELECT frequencies(v, 20) FROM sample WHERE side)
		+ (SELECT frequencies(v, 100) FROM sample WHERE NOT side) AS f) AS t,
	violations(f, 20, 'SELECT v FROM sample') AS x;
-- minus beyond the capacity
SELECT capacity, x.wrong, x.sum_ok
FROM unnest('{5,50,300}'::int[]) AS capacity,
	LATERAL (SELECT (SELECT frequencies(v, capacity) FROM sample)
		- (SELECT frequencies(v, capacity) FROM sample WHERE part < 2) AS f) AS t,
	violations(f, capacity, 'SELECT v FROM sample WHERE part >= 2') AS x;
-- up to twice the capacity, the answer depends on the values alone
SELECT count(DISTINCT f) AS answers, min(distinct_count(f)) AS low, max(distinct_count(f)) AS high
FROM (SELECT frequencies(v, 600 ORDER BY i) AS f FROM sample
	UNION ALL SELECT frequencies(v, 600 ORDER BY v) FROM sample
	UNION ALL SELECT frequencies(v, 600 ORDER BY v DESC) FROM sample) AS t;
-- heavy values in a stream of single ones stay, with close bounds
SELECT value, count, count_bound, true_count
FROM (SELECT frequencies(CASE WHEN i % 10 < 3 THEN 'heavy ' || i % 10
		ELSE i::text END, 50) AS f FROM generate_series(1, 20000) AS i) AS t,
	categories(f), LATERAL (SELECT 2000 AS true_count) AS c
WHERE value LIKE 'heavy%' AND true_count BETWEEN count AND count_bound
	AND count_bound - count < 400
ORDER BY value COLLATE "C";

-- the estimate of distinct values: within 4 standard errors of 2.3 %, and the
-- same for any order and merging
SELECT size, abs(distinct_count(frequencies(i::text, 100)) / size::float8 - 1) < 0.092 AS close
FROM unnest('{101,150,500,2000,10000,50000}'::int[]) AS size,
	generate_series(1, size) AS i
GROUP BY size ORDER BY size;
SELECT count(DISTINCT d) AS estimates FROM (
	SELECT distinct_count(frequencies(v, 50)) AS d FROM sample
	UNION ALL SELECT distinct_count(frequencies(v, 50 ORDER BY v)) FROM sample
	UNION ALL SELECT distinct_count(merge(f)) FROM (SELECT frequencies(v, 50) AS f
		FROM sample GROUP BY part) AS p) AS t;

-- ---------------------------------------------------------------------------
-- On a baseline: windows
-- ---------------------------------------------------------------------------

CREATE TABLE base AS SELECT frequencies(v) AS f
FROM unnest('{red,red,red,green,green,blue,blue}'::text[]) AS v;
CREATE TABLE windows AS SELECT w, frequencies(v, f) AS f
FROM base, (VALUES (1, 'red'), (1, 'green'), (1, 'green'), (1, NULL),
	(2, 'blue'), (2, 'pink'), (2, 'grey'), (2, 'pink'),
	(3, 'a'), (3, 'b'), (3, 'c'), (3, 'd'), (3, 'e'), (3, 'red'), (3, 'a')) AS t(w, v)
GROUP BY w;
SELECT w, f FROM windows ORDER BY w;
SELECT w, c.* FROM windows, categories(f) AS c ORDER BY w, is_new, count DESC, value;
SELECT w, distinct_count(f), other_count(f), count_of(f, 'pink') AS pink,
	count_bound(f, 'pink') AS pink_bound
FROM windows ORDER BY w;
SELECT w, detach(f) FROM windows ORDER BY w;
-- attach gives all back; detached tables add, subtract and compare alike
SELECT w, attach(detach(w.f), b.f) = w.f AS attached, detach(detach(w.f)) = detach(w.f) AS twice,
	chi2_test(b.f, w.f) = chi2_test(b.f, detach(w.f)) AS chi2,
	psi(b.f, w.f) = psi(b.f, detach(w.f)) AS psi,
	(chi2_test(b.f, w.f)).method
FROM windows AS w, base AS b ORDER BY w;
SELECT psi(detach(x.f), detach(y.f)) = psi(x.f, y.f) AS windows_compare,
	detach(x.f) + detach(y.f) = detach(x.f + y.f) AS plus,
	(x.f + y.f) - y.f = x.f AS minus,
	(detach(x.f) + y.f) = x.f + y.f AS gains_values
FROM windows AS x, windows AS y WHERE x.w = 1 AND y.w = 2;
SELECT merge(f) = (SELECT frequencies(v, (SELECT f FROM base)) FROM (VALUES
	('red'), ('green'), ('green'), (NULL), ('blue'), ('pink'), ('grey'), ('pink'))
	AS t(v)) AS merged
FROM windows WHERE w < 3;
SELECT merge(f), distinct_count(merge(f)) FROM windows;
-- new values are one cell, in the answer
SELECT round((t).statistic::numeric, 6) AS statistic, (t).method FROM (SELECT chi2_test(b.f, w.f) AS t
	FROM base AS b, windows AS w WHERE w = 2) AS t;
-- sliding windows: the moving aggregate gives what each window counts
SELECT setseed(0.1);
CREATE TABLE stream AS SELECT i, CASE WHEN random() < 0.1 THEN NULL ELSE
	(ARRAY['red','green','blue','grey','pink','x','y','z','w'])[1 + floor(random() ^ 2 * 9)::int] END AS v
FROM generate_series(1, 400) AS i;
SELECT size, count(*) AS windows,
	count(*) FILTER (WHERE f <> (SELECT frequencies(v, b.f) FROM stream AS s, base AS b
		WHERE s.i BETWEEN t.i - size AND t.i)) AS wrong
FROM (SELECT 3 AS size, i, frequencies(v, (SELECT f FROM base)) OVER
		(ORDER BY i ROWS 3 PRECEDING) AS f FROM stream
	UNION ALL SELECT 60, i, frequencies(v, (SELECT f FROM base)) OVER
		(ORDER BY i ROWS 60 PRECEDING) FROM stream) AS t
GROUP BY size ORDER BY size;
SELECT count(*) FILTER (WHERE f <> (SELECT frequencies(v) FROM stream AS s
		WHERE s.i <= t.i)) AS wrong
FROM (SELECT i, frequencies(v) OVER (ORDER BY i) AS f FROM stream) AS t;
-- a baseline beyond its capacity: what it does not list is its other part
SELECT distinct_count(b), other_count(w),
	(chi2_test(b, w)).method, (chi2_test(b, w)).p_low IS NULL AS no_claim
FROM (SELECT frequencies(v, 10) AS b FROM sample) AS t,
	LATERAL (SELECT frequencies(v, b) AS w FROM sample) AS u;

-- errors
SELECT frequencies(v, (SELECT f FROM base WHERE false)) FROM sample;
SELECT frequencies(v, f) FROM (VALUES ('a', (SELECT f FROM base)),
	('b', (SELECT frequencies('q'::text)))) AS t(v, f);
SELECT detach(f) FROM base;
SELECT attach(f, f) FROM base;
SELECT attach(detach(w.f), (SELECT frequencies('q'::text))) FROM windows AS w WHERE w = 1;
SELECT categories(detach(f)) FROM windows WHERE w = 1;
SELECT count_of(detach(f), 'red') FROM windows WHERE w = 1;
SELECT frequencies('a', detach(f)) FROM windows WHERE w = 1 GROUP BY f;
SELECT b.f + w.f FROM base AS b, windows AS w WHERE w = 1;
SELECT x.f - y.f FROM windows AS x, windows AS y WHERE x.w = 1 AND y.w = 2;
SELECT frequencies('a'::text) - frequencies('b'::text);
SELECT frequencies('a'::text) - frequencies(NULL::text);
SELECT psi(detach(w.f), (SELECT frequencies('q'::text))) FROM windows AS w WHERE w = 1;
SELECT merge(f) FROM (SELECT f FROM base UNION ALL SELECT f FROM windows) AS t;

-- ---------------------------------------------------------------------------
-- Bad input
-- ---------------------------------------------------------------------------

SELECT frequencies(v, 0) FROM sample;
SELECT frequencies(v, NULL::int) FROM sample;
SELECT frequencies(v, 100001) FROM sample;
SELECT frequencies(v, i) FROM sample WHERE i < 3;
SELECT mlmeta_internal.frequencies_combine((SELECT f FROM base), NULL);

CREATE FUNCTION try_text(input text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	state text;
	detail text;
BEGIN
	PERFORM input::frequency_table;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE,
		detail = PG_EXCEPTION_DETAIL;
	RETURN state || ' ' || detail;
END $$;
\set good '{"version": 1, "form": "own", "capacity": 2, "n": 3, "null_count": 1, "bound": 0, "long_values": false, "length": 2, "categories": [{"value": "a", "count": 2}, {"value": "b", "count": 1}], "sketch": ""}'
SELECT what, try_text(replace(:'good', what, instead)), left(instead, 60) AS instead
FROM (VALUES ('nothing', ''),
	('"version": 1', '"version": 2'),
	('"own"', '"hers"'),
	('"capacity": 2', '"capacity": 0'),
	('"capacity": 2', '"capacity": 100001'),
	('"capacity": 2', '"capacity": 1'),
	('"length": 2', '"length": 1'),
	('"length": 2', '"length": 5'),
	('"length": 2', '"length": 1000000000'),
	('"n": 3', '"n": 2'),
	('"n": 3', '"n": 4'),
	('"n": 3', '"n": -3'),
	('"n": 3', '"n": 9223372036854775808'),
	('"n": 3', '"n": 1e3'),
	('"null_count": 1', '"null_count": null'),
	('"bound": 0', '"bound": 1'),
	('"count": 2', '"count": -2'),
	('"count": 2', '"count": 9223372036854775807'),
	('"count": 1', '"count": 0'),
	('"a"', '"b"'),
	('"a"', '"c"'),
	('"a"', '"\u0000"'),
	('"a"', '"' || repeat('a', 65) || '"'),
	('"long_values": false', '"long_values": true'),
	('"sketch": ""', '"sketch": "00"'),
	('"sketch": ""', '"sketch": "zz"'),
	('"sketch": ""', '"sketch": "' || repeat('00', 2048) || '"'),
	('"sketch": ""}', '"sketch": ""} '),
	('"sketch": ""}', '"sketch": ""}}'),
	('"sketch": ""}', '"sketch": ""'),
	('{"version"', '["version"')) AS t(what, instead);
SELECT try_text(NULL), try_text(''), try_text('{}'), try_text('[]');
-- beyond the capacity
SELECT try_text(regexp_replace(f::text, what, instead)) AS result, what, instead
FROM (SELECT frequencies('x' || 100 / i, 3) AS f FROM generate_series(1, 100) AS i) AS t,
	(VALUES ('nothing', ''), ('"missed": \d+', '"missed": 99'),
	('"n": \d+', '"n": 75'), ('"bound": \d+', '"bound": 99'),
	('"bound": \d+', '"bound": 0'), ('"sketch": "..', '"sketch": "ff'),
	('"sketch": ".*"', '"sketch": ""'))
	AS c(what, instead);
-- long values
SELECT try_text(replace(f::text, what, instead)) AS result, what, instead
FROM (SELECT frequencies(repeat('x', 70)) AS f) AS t,
	(VALUES ('nothing', ''), ('xxxx', 'x'),
	('"long_values": true', '"long_values": false')) AS c(what, instead);
-- windows
SELECT try_text(replace(f::text, what, instead)) AS result, what, instead
FROM windows, (VALUES ('nothing', ''), ('"pink"', '"grey"'), ('"pink"', '"blue"'),
	('"count": 2}', '"count": 3}'), ('"count": 2}', '"count": 1}'),
	('"count": 2}', '"count": 0}'), ('"red"', '"grey"')) AS c(what, instead)
WHERE w = 2;
SELECT try_text(replace(detach(f)::text, what, instead)) AS result, what, instead
FROM windows, (VALUES ('nothing', ''), ('"baseline": "', '"baseline": "00'),
	('[1,', '[9,'), ('[1,', '[-1,'), ('[1,', '[1.5,')) AS c(what, instead)
WHERE w = 2;
-- a detached table that claims a baseline with more values than it has counts
SELECT psi(b.f, replace(detach(w.f)::text, '[1,0,0]', '[1]')::frequency_table)
FROM base AS b, windows AS w WHERE w = 2;
SELECT attach(replace(detach(w.f)::text, '[1,0,0]', '[1,0,0,0]')::frequency_table, b.f)
FROM base AS b, windows AS w WHERE w = 2;

-- Counts near 2^63
\set huge '{"version": 1, "form": "own", "capacity": 2, "n": 9223372036854775807, "null_count": 9223372036854775807, "bound": 0, "long_values": false, "length": 1, "categories": [{"value": "a", "count": 9223372036854775807}], "sketch": ""}'
SELECT n(:'huge'::frequency_table), count_of(:'huge', 'a');
SELECT :'huge'::frequency_table + frequencies('a'::text);
SELECT :'huge'::frequency_table + frequencies(NULL::text);
SELECT merge(f) FROM (VALUES (:'huge'::frequency_table), (:'huge')) AS t(f);
SELECT chi2_test(:'huge'::frequency_table, :'huge');
SELECT psi(:'huge'::frequency_table, frequencies('b'::text)) > 18 AS far;

-- Every entrance for bytes: what recv takes is a value, or 22P03. A copy of
-- each value is cut short at every length, and changed at every byte.
CREATE TABLE bytes (f frequency_table);
CREATE TABLE outcome (what text, accepted int, refused int);
DO $$
DECLARE
	path text := current_setting('data_directory') || '/mlmeta_bytes.bin';
	good bytea;
	bad bytea;
	kind text;
	round int;
	accepted int;
	refused int;
BEGIN
	FOR kind, good IN
		SELECT 'own', mlmeta_internal.frequency_table_send(frequencies(v)) FROM sample WHERE i < 8
		UNION ALL SELECT 'long', mlmeta_internal.frequency_table_send(frequencies(repeat('é', 40)))
		UNION ALL SELECT 'window ' || w, mlmeta_internal.frequency_table_send(f) FROM windows WHERE w < 3
		UNION ALL SELECT 'detached ' || w, mlmeta_internal.frequency_table_send(detach(f)) FROM windows WHERE w < 3
		ORDER BY 1
	LOOP
		accepted := 0;
		refused := 0;
		FOR round IN 0 .. 3 * length(good) LOOP
			bad := CASE
				WHEN round <= length(good) THEN substr(good, 1, round)
				WHEN round <= 2 * length(good) THEN
					set_byte(good, round - length(good) - 1,
						(get_byte(good, round - length(good) - 1) + 1) % 256)
				ELSE set_byte(good, round - 2 * length(good) - 1, 255) END;
			EXECUTE format('COPY (SELECT %L::bytea) TO %L (FORMAT binary)', bad, path);
			BEGIN
				EXECUTE format('COPY bytes FROM %L (FORMAT binary)', path);
				accepted := accepted + 1;
			EXCEPTION WHEN invalid_binary_representation THEN
				refused := refused + 1;
			END;
		END LOOP;
		INSERT INTO outcome VALUES (kind, accepted, refused);
	END LOOP;
	EXECUTE format('COPY (SELECT WHERE false) TO PROGRAM %L', 'rm ' || quote_literal(path));
END $$;
-- what was accepted is whole: it can be written, read and used
SELECT count(*) AS broken FROM bytes
WHERE f::text::frequency_table IS DISTINCT FROM f OR n(f + f) <> 2 * n(f);
SELECT what, accepted > 0 AS some, refused > accepted AS most FROM outcome ORDER BY what;

-- Golden bytes: every later version reads version 1.
CREATE FUNCTION from_bytes(given bytea) RETURNS frequency_table
LANGUAGE plpgsql AS $$
DECLARE
	path text := current_setting('data_directory') || '/mlmeta_bytes.bin';
	result frequency_table;
BEGIN
	TRUNCATE bytes;
	EXECUTE format('COPY (SELECT %L::bytea) TO %L (FORMAT binary)', given, path);
	EXECUTE format('COPY bytes FROM %L (FORMAT binary)', path);
	EXECUTE format('COPY (SELECT WHERE false) TO PROGRAM %L', 'rm ' || quote_literal(path));
	SELECT f INTO result FROM bytes;
	RETURN result;
END $$;
CREATE TABLE kept (what text, f frequency_table);
INSERT INTO kept
SELECT 'own', frequencies(v) FROM (VALUES ('b'), ('é'), (NULL), ('b')) AS t(v)
UNION ALL SELECT 'long', frequencies(repeat('é', 33))
UNION ALL SELECT 'window ' || w, f FROM windows
UNION ALL SELECT 'detached ' || w, detach(f) FROM windows;
SELECT what, encode(mlmeta_internal.frequency_table_send(f), 'hex') AS bytes,
	from_bytes(mlmeta_internal.frequency_table_send(f)) = f AS read
FROM kept ORDER BY what COLLATE "C";
SELECT md5(mlmeta_internal.frequency_table_send(f)) AS beyond_capacity,
	from_bytes(mlmeta_internal.frequency_table_send(f)) = f AS read
FROM (SELECT frequencies('x' || 100 / i, 3) AS f FROM generate_series(1, 100) AS i) AS t;
DROP TABLE kept;
DROP FUNCTION from_bytes;

-- The state of comparisons over rows is a value like any other.
\set side '{"version": 1, "form": "own", "capacity": 100000, "n": 3, "null_count": 1, "bound": 0, "long_values": false, "length": 2, "categories": [{"value": "a", "count": 2}, {"value": "b", "count": 1}], "sketch": ""}'
SELECT format('{"version": 1, "options": "yates=on", "reference": %s, "current": %s}', :'side', :'side') AS pair \gset
SELECT :'pair'::frequency_pair::text = :'pair' AS text,
	octet_length(mlmeta_internal.frequency_pair_send(:'pair')) AS bytes,
	(mlmeta_internal.chi2_test_final(:'pair')).method;
SELECT p = :'pair'::frequency_pair AS same, count(*) FROM (VALUES (:'pair'::frequency_pair), (:'pair')) AS t(p) GROUP BY p ORDER BY p;
SELECT replace(:'pair', '"a", "count": 2', '"a", "count": 3')::frequency_pair;
SELECT replace(:'pair', '"capacity": 100000', '"capacity": 1000')::frequency_pair;
SELECT replace(:'pair', 'yates=on', repeat('x', 1001))::frequency_pair;
SELECT mlmeta_internal.psi_final(:'pair'::frequency_pair);
SELECT mlmeta_internal.frequency_pair_combine(:'pair', NULL);

DROP TABLE sample, serial, base, windows, stream, bytes, outcome;
DROP FUNCTION same_counts, plan_has, violations, try_text;

-- ---------------------------------------------------------------------------
-- Another encoding: the same values are the same bytes on the wire
-- ---------------------------------------------------------------------------

SELECT encode(mlmeta_internal.frequency_table_send(frequencies(v)), 'hex') AS utf8_bytes,
	frequencies(v)::text AS utf8_text
FROM (VALUES (U&'caf\00E9'), (repeat(U&'\00E9', 33)), ('plain'), (U&'caf\00E9'))
	AS t(v) \gset
SELECT current_database() AS home \gset
SET client_min_messages = warning;
DROP DATABASE IF EXISTS regression_mlmeta_latin1;
RESET client_min_messages;
CREATE DATABASE regression_mlmeta_latin1 TEMPLATE template0
	ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C';
\c regression_mlmeta_latin1
SET client_encoding = 'UTF8';
SET client_min_messages = warning;
CREATE EXTENSION mlmeta;
SET search_path = public, mlmeta;
SELECT encode(mlmeta_internal.frequency_table_send(f), 'hex') = :'utf8_bytes' AS bytes,
	:'utf8_text'::frequency_table = f AS text_input,
	count_of(f, U&'caf\00E9') AS cafe, count_of(f, repeat(U&'\00E9', 33)) AS long
FROM (SELECT frequencies(v) AS f FROM (VALUES (U&'caf\00E9'),
	(repeat(U&'\00E9', 33)), ('plain'), (U&'caf\00E9')) AS t(v)) AS t;
SELECT value, count FROM (SELECT frequencies(v) AS f FROM (VALUES (U&'caf\00E9'),
	(repeat(U&'\00E9', 33)), ('plain'), (U&'caf\00E9')) AS t(v)) AS t, categories(f);
\c :home
DROP DATABASE regression_mlmeta_latin1;
