--
-- profile: what becomes of each type of column, baselines, merging, stored
-- forms, rows that change their shape, bad input.
--
CREATE SCHEMA profiled;
SET search_path = profiled, public, mlmeta;
SET extra_float_digits = 0;

-- ---------------------------------------------------------------------------
-- A column of every kind. Numbers on the right are known without us: n from 1
-- to 100 has the mean 50.5 and the standard deviation 29.0115.
-- ---------------------------------------------------------------------------

CREATE TYPE mood AS ENUM ('calm', 'cross', 'never');
CREATE DOMAIN price AS numeric(10, 2) CHECK (VALUE >= 0);
CREATE DOMAIN cheap AS price CHECK (VALUE < 1000);
CREATE TYPE pair AS (a int, b text);
CREATE TABLE kinds (
	i2 smallint, i4 integer, i8 bigint, f4 real, f8 float8, num numeric,
	dom cheap, generated float8 GENERATED ALWAYS AS (f8 * 2) STORED,
	span interval, at timestamptz, at_local timestamp, on_day date,
	time_of time, time_tz timetz,
	flag boolean,
	t text, vc varchar(20), bp char(8), c "char", nm name, mood mood, id uuid,
	ip inet, js json, jb jsonb,
	ints int[], floats float8[], words text[], matrix numeric[],
	place point, bytes bytea, many int4range, nested pair, nothing text
);
SET TimeZone = 'UTC';
INSERT INTO kinds (i2, i4, i8, f4, f8, num, dom, span, at, at_local, on_day, time_of,
	time_tz, flag, t, vc, bp, c, nm, mood, id, ip, js, jb, ints, floats, words, matrix,
	place, bytes, many, nested)
SELECT n, n, n, n, n, n, n, n * interval '1 minute',
	timestamptz '1970-01-01 UTC' + n * interval '1 second',
	timestamp '1970-01-01' + n * interval '1 second',
	date '1970-01-01' + n, time '00:00' + n * interval '1 second',
	timetz '00:00+00' + n * interval '1 second',
	n % 4 = 0, 'v' || n % 3, 'v' || n % 3, 'v' || n % 3, 'x', 'v' || n % 3,
	(ARRAY['calm', 'cross'])[1 + n % 2]::mood,
	('00000000-0000-0000-0000-' || lpad((n % 5)::text, 12, '0'))::uuid,
	('10.0.0.' || n % 2)::inet,
	(ARRAY['{"a": 1}', ' [1]', '"s"', '1', 'true', 'null'])[1 + n % 6]::json,
	(ARRAY['{"a": 1}', ' [1]', '"s"', '1', 'true', 'null'])[1 + n % 6]::jsonb,
	ARRAY[3 * n, NULL, 4 * n], ARRAY[n, 0], array_fill('w'::text, ARRAY[n % 3]),
	ARRAY[[n, n], [n, n]], point(n, n), '\x00', int4range(0, n), ROW(n, 'b')::pair
FROM generate_series(1, 100) AS n;

SELECT feature, kind, n, null_count, distinct_count, minimum, maximum,
	round(mean::numeric, 4) AS mean, round(stddev::numeric, 4) AS stddev, p50, type_name, status
FROM columns((SELECT profile(kinds) FROM kinds));

SELECT value, count FROM categories((SELECT frequencies_of(profile(kinds), 'js') FROM kinds))
EXCEPT
SELECT value, count FROM categories((SELECT frequencies_of(profile(kinds), 'jb') FROM kinds));
SELECT value, count FROM categories((SELECT frequencies_of(profile(kinds), 'jb') FROM kinds));
SELECT value, count FROM categories((SELECT frequencies_of(profile(kinds), 'mood') FROM kinds));
SELECT value, count FROM categories((SELECT frequencies_of(profile(kinds), 'bp') FROM kinds));
SELECT value, count FROM categories((SELECT frequencies_of(profile(kinds), 'id') FROM kinds)) ORDER BY value;
SELECT value, count FROM categories((SELECT frequencies_of(profile(kinds), 'ip') FROM kinds));
SELECT bool_and(EXTRACT(epoch FROM iv)::float8 = mean)
FROM (VALUES (interval '1 year 2 months -3 days 04:05:06.789'), ('-5 months'), ('0.000001')) AS v(iv),
	LATERAL (SELECT profile(q) AS p FROM (SELECT iv) AS q) AS one, columns(p);
SELECT bool_and(EXTRACT(epoch FROM at)::float8 = mean AND mean = minimum)
FROM (VALUES ('2024-02-29 12:34:56.789012'::timestamptz), ('1969-12-31 23:59:59.5'),
	('4713-01-01 BC'), ('294276-12-31 23:59:59.999999')) AS v(at),
	LATERAL (SELECT profile(q) AS p FROM (SELECT at) AS q) AS one, columns(p);

-- The histograms and tables are those of the aggregates over the column.
SELECT histogram_of(profile(kinds), 'f8') = histogram(f8, 240) AS numeric_is_histogram,
	histogram_of(profile(kinds), 'dom') = histogram(dom, 240) AS domain_too,
	histogram_of(profile(kinds), 'ints.norm') = histogram(5 * i4, 240) AS norms,
	frequencies_of(profile(kinds), 't') = frequencies(t) AS text_is_frequencies,
	frequencies_of(profile(kinds), 'flag') = frequencies(flag) AS boolean_too,
	frequencies_of(profile(kinds), 'mood') = frequencies(mood::text) AS enum_too
FROM kinds;
SELECT histogram_of(profile(kinds), 't') IS NULL AS not_numeric,
	frequencies_of(profile(kinds), 'f8') IS NULL AS not_categorical,
	histogram_of(profile(kinds), 'place') IS NULL AS other
FROM kinds;
SELECT histogram_of(profile(q), 'x') FROM (SELECT 1 AS a, 2 AS b) AS q;
SELECT frequencies_of(profile(q), 'a.length') FROM (SELECT 1 AS a) AS q;
SELECT histogram_of(profile(kinds), NULL) IS NULL AS strict FROM kinds;

-- ---------------------------------------------------------------------------
-- NULL, NaN, infinities, nothing at all
-- ---------------------------------------------------------------------------

SELECT profile(kinds) IS NULL AS no_rows FROM kinds WHERE false;
SELECT profile(kinds, (SELECT profile(kinds) FROM kinds)) IS NULL AS no_rows FROM kinds WHERE false;
SELECT feature, kind, n, null_count, null_share, nan_count, minimum, maximum, mean, p50, status
FROM columns((SELECT profile(q) FROM (
	SELECT CASE WHEN n % 10 = 0 THEN NULL WHEN n % 10 < 3 THEN 'NaN' ELSE n::float8 END AS nans,
		CASE n % 3 WHEN 0 THEN 'Infinity' WHEN 1 THEN '-Infinity' ELSE n::float8 END AS infinite,
		(CASE n % 3 WHEN 0 THEN 'Infinity' WHEN 1 THEN 'NaN' ELSE '-Infinity' END)::numeric AS numerics,
		'NaN'::float8 AS only_nan, NULL::float8 AS only_null, NULL::text AS no_text, NULL::point AS no_point,
		NULL::boolean AS no_flag, NULL::int[] AS no_array,
		'infinity'::timestamp AS forever, '-infinity'::date AS never, 1e300::numeric * 1e300 AS huge,
		-0.0::float8 AS zero, '{}'::float8[] AS empty, '{NaN,1}'::float4[] AS nan_array,
		'{1e200,1e200}'::float8[] AS far, '{NULL,NULL}'::int[] AS nulls
	FROM generate_series(1, 100) AS n) AS q));
-- A row of NULLs is a row; no row of an outer join is none.
SELECT row_count(profile(b)) AS rows_joined, row_count(profile(ROW(b.i))) AS rows_made
FROM generate_series(1, 5) AS a(i) LEFT JOIN (SELECT i, i AS j FROM generate_series(4, 9) AS i) AS b USING (i);
SELECT row_count(profile(b)) AS none FROM generate_series(1, 5) AS a(i) LEFT JOIN (SELECT 7 AS i) AS b USING (i);
SELECT row_count(profile(NULL::kinds)) FROM kinds;
-- Rows without columns; literals; columns of one name.
CREATE TABLE no_columns ();
INSERT INTO no_columns DEFAULT VALUES;
SELECT row_count(profile(no_columns)), (SELECT count(*) FROM columns(profile(no_columns))) FROM no_columns;
SELECT feature, kind, n FROM columns((SELECT profile(ROW(1, 'a', NULL, true, now() IS NULL))));
SELECT feature, kind, n, mean FROM columns((SELECT profile(q) FROM (SELECT 1 AS a, 2 AS a, 'x' AS a) AS q));

-- ---------------------------------------------------------------------------
-- Names instead of positions: dropped, added, missing and changed columns
-- ---------------------------------------------------------------------------

CREATE TABLE grown (a int, gone text, b float8);
INSERT INTO grown SELECT n, 'x', n / 2.0 FROM generate_series(1, 10) AS n;
CREATE TABLE kept AS SELECT 'before' AS name, profile(grown) AS p FROM grown;
ALTER TABLE grown DROP COLUMN gone;
ALTER TABLE grown ADD COLUMN late int DEFAULT 7;
ALTER TABLE grown ALTER COLUMN a TYPE numeric;
SELECT feature, kind, n, null_count, mean, type_name, status
FROM columns((SELECT profile(grown) FROM grown));
SELECT feature, kind, n, null_count, mean, type_name, status
FROM columns((SELECT profile(grown, (SELECT p FROM kept)) FROM grown));
SELECT feature, kind, n, status
FROM columns((SELECT profile(q, (SELECT p FROM kept)) FROM (SELECT b::text AS a, a AS b FROM grown) AS q));
-- Rows whose shape changes within a group, in any order.
CREATE TABLE other_shape (b float8, a int, extra text);
INSERT INTO other_shape SELECT n / 2.0, n, 'e' FROM generate_series(11, 20) AS n;
SELECT feature, kind, n, mean, status
FROM columns((SELECT profile(r) FROM (
	SELECT i, r FROM (SELECT a AS i, g AS r FROM (SELECT * FROM grown) AS g UNION ALL SELECT a - 10.5, o FROM (SELECT * FROM other_shape) AS o) AS u
	ORDER BY i) AS q));
SELECT DISTINCT feature, kind, n, mean, status
FROM generate_series(1, 12) AS seed,
	LATERAL (SELECT profile(r, (SELECT p FROM kept)) AS p FROM (
		SELECT r FROM (SELECT a AS i, g AS r FROM (SELECT * FROM grown) AS g UNION ALL SELECT a, o FROM (SELECT * FROM other_shape) AS o) AS u
		ORDER BY md5(seed::text || i)) AS q) AS s, columns(p)
ORDER BY feature;
-- More shapes in turn than are remembered.
SELECT string_agg(format('SELECT %s AS i, q AS r FROM (SELECT %s AS c%s, 1 AS common) AS q', i, i, i), ' UNION ALL ') AS shapes
FROM generate_series(1, 20) AS i \gset
SELECT count(*), sum(n) FROM columns((SELECT profile(r) FROM (SELECT r FROM (:shapes) AS u, generate_series(1, 3) AS n ORDER BY n, i) AS q));

-- ---------------------------------------------------------------------------
-- Rows are read in place: whatever stands before a column, and however old the
-- row is, it reads as it does alone.
-- ---------------------------------------------------------------------------

CREATE FUNCTION read_differently(type regclass, of_rows text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	name text;
	features bigint := 0;
	n bigint;
BEGIN
	DROP TABLE IF EXISTS whole;
	EXECUTE format('CREATE TEMP TABLE whole AS SELECT c.* FROM columns((SELECT profile(r) FROM (%s) AS s)) AS c', of_rows);
	FOR name IN SELECT attname FROM pg_attribute WHERE attrelid = type AND attnum > 0 AND NOT attisdropped LOOP
		DROP TABLE IF EXISTS alone;
		EXECUTE format('CREATE TEMP TABLE alone AS SELECT c.* FROM columns((SELECT profile(q) FROM (SELECT (r).%I FROM (%s) AS s) AS q)) AS c', name, of_rows);
		GET DIAGNOSTICS n = ROW_COUNT;
		features := features + n;
		RETURN QUERY SELECT a.feature FROM (SELECT * FROM alone EXCEPT SELECT * FROM whole) AS a;
	END LOOP;
	IF features = 0 OR features <> (SELECT count(*) FROM whole) THEN
		RETURN NEXT 'their number';
	END IF;
END $$;
\set ECHO none
SET client_min_messages = warning;
SELECT format('CREATE TABLE shuffled_%s AS SELECT %s FROM kinds', seed,
	string_agg(format('CASE WHEN (i4 + %s) %% 5 > 0 THEN %I END AS %2$I', row, attname), ', ' ORDER BY row))
FROM (SELECT seed, attname, row_number() OVER (PARTITION BY seed ORDER BY md5(seed || '/' || attname)) AS row
	FROM generate_series(1, 3) AS seed, pg_attribute
	WHERE attrelid = 'kinds'::regclass AND attnum > 0 AND NOT attisdropped) AS s
GROUP BY seed ORDER BY seed \gexec
-- Values of columns that came after a row: of the table's own rows a default, of
-- rows that are held in another table NULL, as the server has it.
SELECT format('ALTER TABLE shuffled_%s DROP COLUMN %I, DROP COLUMN c, ADD COLUMN late numeric DEFAULT 1.5, ADD COLUMN later "char", ADD COLUMN latest text[] DEFAULT ''{a,b}''',
		seed, (ARRAY['i2', 'nm', 'span'])[seed]),
	format('INSERT INTO shuffled_%s (f8, later, latest) VALUES (%1$s, ''l'', NULL)', seed),
	format('CREATE TABLE held_%s (flag boolean, r shuffled_%1$s, more shuffled_%1$s[])', seed),
	format('INSERT INTO held_%s SELECT true, s, ARRAY[s, s] FROM shuffled_%1$s AS s', seed),
	format('ALTER TABLE shuffled_%s DROP COLUMN vc, ADD COLUMN last name, ADD COLUMN last_too float8', seed),
	format('INSERT INTO shuffled_%s (f8, last, last_too) VALUES (%1$s, ''l'', 7)', seed),
	format('INSERT INTO held_%s SELECT false, s, ARRAY[s] FROM shuffled_%1$s AS s', seed)
FROM generate_series(1, 3) AS seed \gexec
\set ECHO all
SELECT count(DISTINCT of_rows) AS sources, count(feature) AS differ
FROM generate_series(1, 3) AS seed
	CROSS JOIN unnest(ARRAY['SELECT s AS r FROM shuffled_%s AS s', 'SELECT r FROM held_%s',
		'SELECT unnest(more) AS r FROM held_%s', 'SELECT q::shuffled_%1$s AS r FROM (SELECT * FROM shuffled_%1$s OFFSET 0) AS q']) AS of_rows
	LEFT JOIN LATERAL read_differently(('shuffled_' || seed)::regclass, format(of_rows, seed)) AS feature ON true;
SELECT feature, n, null_count, minimum FROM columns((SELECT profile(r) FROM held_1)) WHERE feature ~ '^la' ORDER BY feature;
\set ECHO none
SELECT format('DROP TABLE held_%s, shuffled_%1$s', seed) FROM generate_series(1, 3) AS seed \gexec
RESET client_min_messages;
\set ECHO all

-- ---------------------------------------------------------------------------
-- Wide rows
-- ---------------------------------------------------------------------------

\set ECHO none
SELECT format('CREATE TABLE wide (%s)', string_agg(format('c%s %s', i,
	CASE WHEN i % 100 = 0 THEN 'text' WHEN i % 3 = 0 THEN 'int' ELSE 'float4' END), ', '))
FROM generate_series(1, 1600) AS i \gexec
SELECT format('INSERT INTO wide SELECT %s FROM generate_series(1, 30) AS n', string_agg(
	CASE WHEN i % 100 = 0 THEN '''t'' || n % 2' WHEN i % 7 = 0 THEN 'NULLIF(n, 3)' ELSE 'n' END, ', '))
FROM generate_series(1, 1600) AS i \gexec
\set ECHO all
CREATE TABLE wide_profile AS SELECT profile(wide) AS p FROM wide;
SELECT count(*), count(*) FILTER (WHERE kind = 'numeric') AS numbers, sum(n), sum(null_count),
	count(DISTINCT mean) AS means, count(*) FILTER (WHERE status <> 'ok') AS bad
FROM wide_profile, columns(p);
SELECT count(*), sum(n), sum(null_count) FROM columns(
	(SELECT profile(wide, (SELECT p FROM wide_profile)) FROM wide));
SELECT p = p::text::profile AS text_round_trip FROM wide_profile;
SELECT count(*) FILTER (WHERE status = 'ok') AS ok, count(*) FROM drift((SELECT p FROM wide_profile), (SELECT p FROM wide_profile));
DROP TABLE wide, wide_profile;

-- ---------------------------------------------------------------------------
-- One value, however it is computed: order, parts, parallel workers
-- ---------------------------------------------------------------------------

CREATE TABLE events AS
SELECT n AS id, n % 1000 / 7.0 AS x, CASE WHEN n % 11 = 0 THEN NULL ELSE sin(n) END AS y,
	CASE WHEN n % 101 = 0 THEN 'NaN'::float8 ELSE exp(sin(n * n) * 20) END AS z,
	CASE WHEN n % 5 = 0 THEN NULL ELSE 'k' || n % 37 END AS k, 'u' || n AS u, n % 2 = 0 AS b,
	n % 20 AS day, n % 7 AS weekday
FROM generate_series(1, 20000) AS n;
ANALYZE events;
CREATE TABLE base AS SELECT profile(e) AS p FROM (SELECT x, y, z, k, b FROM events WHERE id <= 5000) AS e;
SELECT count(DISTINCT p) AS one_value
FROM (SELECT profile(e) AS p FROM (SELECT x, y, z, k, b FROM events) AS e
	UNION ALL SELECT profile(e) FROM (SELECT x, y, z, k, b FROM events ORDER BY id DESC) AS e
	UNION ALL SELECT profile(e) FROM (SELECT x, y, z, k, b FROM events ORDER BY md5(id::text)) AS e) AS s;
SELECT count(DISTINCT p) AS one_value
FROM (SELECT profile(e, (SELECT p FROM base)) AS p FROM (SELECT x, y, z, k, b, u FROM events WHERE id < 900) AS e
	UNION ALL SELECT profile(e, (SELECT p FROM base)) FROM (SELECT x, y, z, k, b, u FROM events WHERE id < 900 ORDER BY id DESC) AS e
	UNION ALL SELECT profile(e, (SELECT p FROM base)) FROM (SELECT b, u, z, k, y, x FROM events WHERE id < 900 ORDER BY md5(id::text)) AS e) AS s;
-- By day, merged, in any order and grouping; also detached.
CREATE TABLE days AS
	SELECT day, weekday, profile(e, (SELECT p FROM base)) AS p
	FROM (SELECT id, x, y, z, k, b, day, weekday FROM events) AS e GROUP BY day, weekday;
SELECT (SELECT merge(p ORDER BY day, weekday) FROM days) = (SELECT merge(p ORDER BY md5(day::text || weekday)) FROM days) AS order_free,
	(SELECT merge(p) FROM (SELECT merge(p) AS p FROM days GROUP BY day) AS s)
		= (SELECT merge(p) FROM (SELECT merge(p) AS p FROM days GROUP BY weekday) AS s) AS grouping_free,
	detach((SELECT merge(p) FROM days)) = (SELECT merge(detach(p)) FROM days) AS detaching_free,
	(SELECT merge(CASE WHEN day % 2 = 0 THEN p ELSE detach(p) END) FROM days) = (SELECT merge(detach(p)) FROM days) AS mixed;
SELECT bool_and(histogram_of(m.p, c) = histogram_of(w.p, c)) AS histograms_equal,
	bool_and(frequencies_of(m.p, 'k') = frequencies_of(w.p, 'k')) AS tables_equal,
	bool_and(row_count(m.p) = row_count(w.p)) AS rows_equal
FROM (SELECT merge(p) AS p FROM days) AS m,
	(SELECT profile(e, (SELECT p FROM base)) AS p FROM events AS e) AS w,
	unnest(ARRAY['x', 'y', 'z']) AS c;
-- A new column has no common bins: what is exact without them stays exact.
SELECT feature, n, minimum, maximum, round(mean::numeric, 6) AS mean, round(stddev::numeric, 6) AS stddev, status
FROM columns((SELECT merge(p) FROM days)) WHERE status = 'new column';
SELECT (SELECT p FROM days WHERE day = 1 AND weekday = 0) + (SELECT p FROM days WHERE day = 2 AND weekday = 0)
	= (SELECT merge(p) FROM days WHERE day IN (1, 2) AND weekday = 0) AS plus_is_merge,
	plus(p, p) = p + p AS plus, row_count(p + p) = 2 * row_count(p) AS twice
FROM base;
SELECT merge(p) IS NULL AS nothing, merge(NULL::profile) IS NULL AS nulls FROM days WHERE false;
-- GROUPING SETS, FILTER, hashing and sorting
SELECT count(DISTINCT p) AS one_value
FROM (SELECT profile(e, (SELECT p FROM base)) AS p FROM events AS e GROUP BY GROUPING SETS ((), (day))
	HAVING GROUPING(day) = 1
	UNION ALL SELECT profile(e, (SELECT p FROM base)) FILTER (WHERE day >= 0) FROM events AS e
	UNION ALL SELECT merge(p) FROM (SELECT profile(e, (SELECT p FROM base)) AS p FROM (SELECT *, 1 AS g FROM events) AS q(id, x, y, z, k, u, b, day, weekday, g),
		LATERAL (SELECT q.id, q.x, q.y, q.z, q.k, q.u, q.b, q.day, q.weekday) AS e GROUP BY q.g) AS s) AS s;
-- In a window the state goes on to change; what was returned must not.
SELECT count(*) AS rows, count(*) FILTER (WHERE row_count(p) = i AND mean(histogram_of(p, 'i')) = (i + 1) / 2.0) AS right_ones
FROM (SELECT i, profile(q) OVER (ORDER BY i) AS p FROM (SELECT i, 't' || i AS t FROM generate_series(1, 200) AS i) AS q) AS s;
SELECT count(*) AS rows, count(*) FILTER (WHERE row_count(p) = i AND mean(histogram_of(p, 'i')) = (i + 1) / 2.0) AS right_ones
FROM (SELECT i, profile(q, (SELECT profile(r) FROM (SELECT 1 AS i, 't' AS t) AS r)) OVER (ORDER BY i) AS p
	FROM (SELECT i, 't' || i AS t FROM generate_series(1, 200) AS i) AS q) AS s;

-- Parallel plans give the same bytes, and are used. (A frequency table beyond its
-- capacity, as of u, keeps its bounds, not its bytes.)
CREATE VIEW seen AS SELECT id, x, y, z, k, b, day, weekday FROM events;
CREATE FUNCTION uses_partial(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
		IF line ~ 'Partial Aggregate' THEN RETURN true; END IF;
	END LOOP;
	RETURN false;
END $$;
CREATE TABLE serial AS
	SELECT profile(seen) AS own, profile(seen, (SELECT p FROM base)) AS window_of FROM seen;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
SET max_parallel_workers_per_gather = 3;
SELECT uses_partial('SELECT profile(seen) FROM seen') AS own,
	uses_partial('SELECT profile(seen, (SELECT p FROM base)) FROM seen') AS on_baseline,
	uses_partial('SELECT merge(p) FROM days') AS merging;
SELECT (SELECT profile(seen) FROM seen) = own AS own_is_serial,
	(SELECT profile(seen, (SELECT p FROM base)) FROM seen) = window_of AS window_is_serial
FROM serial;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;

-- ---------------------------------------------------------------------------
-- Baselines
-- ---------------------------------------------------------------------------

-- A baseline for each group, from a column.
CREATE TABLE baselines AS SELECT weekday, profile(e) AS p FROM (SELECT x, k, weekday FROM events) AS e GROUP BY weekday;
SELECT count(*), bool_and(g.p = s.p) AS same
FROM (SELECT b.weekday, profile(e, b.p) AS p
		FROM baselines AS b JOIN (SELECT x, y, k, weekday FROM events) AS e USING (weekday) GROUP BY b.weekday) AS g
	JOIN LATERAL (SELECT profile(e, (SELECT p FROM baselines AS b WHERE b.weekday = g.weekday)) AS p
		FROM (SELECT x, y, k, weekday FROM events) AS e WHERE e.weekday = g.weekday) AS s ON true;
SELECT profile(e, b.p) FROM baselines AS b JOIN events AS e USING (weekday);
SELECT profile(e, NULL) FROM events AS e;
SELECT profile(e, (SELECT detach(p) FROM days LIMIT 1)) FROM events AS e;
-- A window can itself be a baseline: of its grid.
SELECT histogram_of(profile(e, (SELECT p FROM days WHERE day = 1 AND weekday = 1)), 'y')
	= histogram_of(profile(e, (SELECT p FROM base)), 'y') AS same
FROM (SELECT x, y, z, k, b FROM events WHERE day = 3) AS e;
-- Categories: exactly the baseline's, the others are new.
SELECT value, count, is_new FROM categories((SELECT frequencies_of(profile(q, (SELECT p FROM base)), 'k')
	FROM (SELECT (ARRAY['k1', 'zebra', 'ant', NULL])[1 + n % 4] AS k FROM generate_series(1, 40) AS n) AS q))
WHERE count > 0;

-- ---------------------------------------------------------------------------
-- Detached
-- ---------------------------------------------------------------------------

CREATE TABLE stored AS
	SELECT day, detach(profile(e, (SELECT p FROM base))) AS p
	FROM (SELECT x, y, z, k, b, day FROM events) AS e GROUP BY day;
-- At most 400 bytes a feature, of a window of 1000 rows, 240 bins and 37 categories.
SELECT row_count(p), pg_column_size(detach(p)) <= 400 * 5 AS small, pg_column_size(p) / 5 > 1000 AS else_large
FROM (SELECT profile(e, (SELECT p FROM base)) AS p FROM (SELECT x, y, z, k, b FROM events WHERE day = 7) AS e) AS s;
SELECT feature, n, null_count, nan_count, distinct_count, round(mean::numeric, 4) AS mean, p50
FROM columns((SELECT p FROM stored WHERE day = 7)) WHERE feature <> 'day';
-- without the sums of the bins, a value alone in its bin is known less well
SELECT bool_and(abs(a.p50 - b.p50) < 0.01 * b.stddev) AS attached_quantiles
FROM stored, columns(attach(p, (SELECT p FROM base))) AS a
	JOIN (SELECT day AS d, c.feature, c.p50, c.stddev
		FROM (SELECT day, profile(e, (SELECT p FROM base)) AS p FROM (SELECT x, y, z, k, b, day FROM events) AS e GROUP BY day) AS w,
			columns(w.p) AS c) AS b USING (feature)
WHERE b.d = day AND a.feature IN ('x', 'y', 'z');
SELECT detach(s.p) = s.p AS unchanged, attach(attach(s.p, b.p), b.p) = attach(s.p, b.p) AS unchanged_too,
	detach(attach(s.p, b.p)) = s.p AS there_and_back
FROM stored AS s, base AS b WHERE s.day = 1;
SELECT detach(p) FROM base;
SELECT attach(p, p) FROM base;
SELECT attach(p, (SELECT profile(q) FROM (SELECT 1 AS x) AS q)) FROM stored WHERE day = 1;
SELECT attach(p, (SELECT profile(q) FROM (SELECT x, y, z, k || '!' AS k, b, day FROM events) AS q)) FROM stored WHERE day = 1;
SELECT attach(a.p, b.p) FROM stored AS a, stored AS b WHERE a.day = 1 AND b.day = 2;
SELECT categories(frequencies_of(p, 'k')) FROM stored WHERE day = 1;
SELECT quantile(histogram_of(p, 'x'), 0.5) FROM stored WHERE day = 1;

-- ---------------------------------------------------------------------------
-- What cannot be merged
-- ---------------------------------------------------------------------------

SELECT merge(p) FROM (SELECT p FROM base UNION ALL SELECT p FROM stored) AS s;
SELECT merge(p) FROM (SELECT profile(q) AS p FROM (SELECT generate_series(1, 5) AS x) AS q
	UNION ALL SELECT profile(q) FROM (SELECT generate_series(1, 6) AS x) AS q) AS s;
SELECT merge(p) FROM (
	SELECT profile(q, (SELECT profile(r) FROM (SELECT 1 AS x) AS r)) AS p FROM (SELECT 2 AS x) AS q
	UNION ALL SELECT profile(q, (SELECT profile(r) FROM (SELECT 1 AS y) AS r)) FROM (SELECT 2 AS x) AS q) AS s;
SELECT merge(p) FROM (
	SELECT profile(q, (SELECT profile(r) FROM (SELECT 'a' AS x) AS r)) AS p FROM (SELECT 'a' AS x) AS q
	UNION ALL SELECT profile(q, (SELECT profile(r) FROM (SELECT 'b' AS x) AS r)) FROM (SELECT 'a' AS x) AS q) AS s;

-- ---------------------------------------------------------------------------
-- Type: forms, comparison, bad input
-- ---------------------------------------------------------------------------

CREATE TABLE forms AS
	SELECT 'own' AS form, own AS p FROM serial UNION ALL SELECT 'window', window_of FROM serial
	UNION ALL SELECT 'detached', p FROM stored WHERE day = 3 UNION ALL SELECT 'kinds', profile(kinds) FROM kinds
	UNION ALL SELECT 'kinds, window', profile(kinds, (SELECT profile(kinds) FROM kinds WHERE i4 < 50)) FROM kinds;
SELECT form, p::text::profile = p AS text, (p::jsonb ->> 'form') AS named,
	p::jsonb -> 'rows' AS rows, jsonb_array_length(p::jsonb -> 'features') AS features
FROM forms;
COPY (SELECT p FROM forms ORDER BY form) TO PROGRAM 'cat > mlmeta_received' (FORMAT binary);
CREATE TABLE copied (p profile);
COPY copied FROM PROGRAM 'cat mlmeta_received' (FORMAT binary);
SELECT count(*) AS back FROM copied JOIN forms USING (p);
SELECT count(*), count(DISTINCT p) FROM (SELECT p FROM forms UNION ALL SELECT p FROM forms) AS s;
SELECT form, p > (SELECT p FROM forms WHERE form = 'own') AS greater FROM forms ORDER BY p, form;
CREATE INDEX ON copied USING hash (p);
SELECT '{"version": 1, "form": "own", "rows": 2, "length": 1, "features": [{"column": "a", "type": "point", "kind": "other", "is_new": false, "n": 1, "null_count": 1}]}'::profile;
DO $$
DECLARE
	good text := '{"version": 1, "form": "on baseline", "rows": 2, "length": 2, "features": [{"column": "a", "type": "point", "kind": "other", "is_new": false, "n": 1, "null_count": 1}, {"column": "b", "type": "text", "kind": "category", "is_new": true, "frequencies": {"version": 1, "form": "own", "capacity": 1000, "n": 1, "null_count": 0, "bound": 0, "long_values": false, "length": 1, "categories": [{"value": "x", "count": 1}], "sketch": ""}}]}';
	edits text[] := ARRAY[
		'"version": 1, "form"', '"version": 2, "form"',
		'"on baseline"', '"own"', '"on baseline"', '"detached"', '"on baseline"', '"elsewhere"',
		'"rows": 2', '"rows": 1', '"rows": 2', '"rows": -1',
		'"length": 2', '"length": 3', '"length": 2', '"length": 9000000', '"length": 2', '"length": 1',
		'"n": 1, "null_count": 1', '"n": 9223372036854775807, "null_count": 1',
		'"kind": "other"', '"kind": "number"', '"kind": "other"', '"kind": "none"',
		'"is_new": true', '"is_new": false', '"is_new": false', '"is_new": true',
		'"column": "a"', '"column": "' || repeat('a', 300) || '"',
		'"capacity": 1000', '"capacity": 0',
		']}', '], "more": 1}', ']}', ']} {}'];
	message text;
	detail text;
BEGIN
	PERFORM good::mlmeta.profile;
	FOR i IN 1 .. array_length(edits, 1) BY 2 LOOP
		IF position(edits[i] IN good) = 0 THEN
			RAISE EXCEPTION 'no % in the text', edits[i];
		END IF;
		BEGIN
			PERFORM replace(good, edits[i], edits[i + 1])::mlmeta.profile;
			RAISE NOTICE '%: accepted', left(edits[i + 1], 40);
		EXCEPTION WHEN others THEN
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
			RAISE NOTICE '%: % (%)', left(edits[i + 1], 40), message, detail;
		END;
	END LOOP;
END $$;
-- Bytes from outside arrive through receive, here by binary COPY: the binary form
-- of a bytea is its bytes. A value with a byte changed, or cut off, is either
-- refused or another valid value, with which everything works.
CREATE TEMPORARY TABLE received (p profile);
CREATE FUNCTION try_bytes(body bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	file text := current_setting('data_directory') || '/mlmeta_received';
	value mlmeta.profile;
BEGIN
	DELETE FROM pg_temp.received;
	EXECUTE format('COPY (SELECT %L::bytea) TO %L (FORMAT binary)', body, file);
	EXECUTE format('COPY pg_temp.received FROM %L (FORMAT binary)', file);
	SELECT p INTO STRICT value FROM pg_temp.received;
	PERFORM mlmeta.columns(value), mlmeta.drift(value, value);
	IF value::text::mlmeta.profile OPERATOR(mlmeta.<>) value THEN
		RETURN 'does not survive its text form';
	END IF;
	BEGIN
		PERFORM mlmeta.plus(value, value);
	EXCEPTION WHEN numeric_value_out_of_range THEN
		RETURN 'valid, but twice is too much';
	END;
	RETURN 'valid';
EXCEPTION WHEN invalid_binary_representation THEN
	RETURN 'refused';
END $$;
WITH small AS (
	SELECT profile(q) AS p FROM (SELECT n / 2.0 AS x, 'k' || n % 3 AS k, point(n, n) AS o FROM generate_series(1, 9) AS n) AS q),
	window_of AS (
	SELECT detach(profile(q, (SELECT p FROM small))) AS p FROM (SELECT n AS x, 'k' || n % 4 AS k, n AS new FROM generate_series(1, 9) AS n) AS q),
	sent AS (SELECT mlmeta_internal.profile_send(p) AS b FROM small UNION ALL SELECT mlmeta_internal.profile_send(p) FROM window_of)
SELECT result, count(*) > 0 AS some
FROM sent, generate_series(0, length(b) - 1) AS at,
	LATERAL (VALUES (substr(b, 1, at)), (set_byte(b, at, get_byte(b, at) # 1)),
		(set_byte(b, at, 255)), (set_byte(b, at, 0))) AS v(changed),
	try_bytes(changed) AS result
WHERE at < 40 OR at % 29 = 0
GROUP BY result ORDER BY result;
COPY (SELECT WHERE false) TO PROGRAM 'rm -f mlmeta_received';
SELECT mlmeta_internal.profile_transition(NULL, ROW(1));
SELECT mlmeta_internal.profile_combine(NULL, NULL);

-- A type named vector is read through its cast to real[], as pgvector's is.
SET client_min_messages = warning;
CREATE TYPE vector;
CREATE FUNCTION vector_in(cstring) RETURNS vector LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION vector_out(vector) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE vector (INPUT = vector_in, OUTPUT = vector_out, LIKE = text);
RESET client_min_messages;
CREATE FUNCTION to_real(v vector, typmod int, explicit boolean) RETURNS real[] LANGUAGE sql IMMUTABLE
	AS $$SELECT string_to_array(trim(BOTH '[]' FROM vector_out(v)::text), ',')::real[]$$;
CREATE CAST (vector AS real[]) WITH FUNCTION to_real(vector, int, boolean) AS IMPLICIT;
SELECT feature, kind, n, null_count, minimum, maximum, type_name
FROM columns((SELECT profile(q) FROM (SELECT v::vector AS embedding FROM (VALUES ('[3,4]'), ('[0,0,2]'), (NULL)) AS s(v)) AS q));

-- The text of an enum does not depend on the search_path; types do not either.
SET search_path = pg_catalog;
SELECT type_name FROM mlmeta.columns((SELECT mlmeta.profile(k) FROM profiled.kinds AS k)) WHERE feature IN ('mood', 'nested', 'i4', 'ints.norm');
SET search_path = profiled, public, mlmeta;
-- A label of an enum that was added, and rows from before.
ALTER TYPE mood ADD VALUE 'glad';
INSERT INTO kinds (mood) VALUES ('glad');
SELECT value, count FROM categories((SELECT frequencies_of(profile(kinds), 'mood') FROM kinds));
SET client_min_messages = warning;
DROP SCHEMA profiled CASCADE;

-- Some of its columns.
WITH p AS (
	SELECT profile(t) AS p FROM (VALUES (1, 'x', true), (2, 'y', NULL)) AS t (a, b, c)
)
SELECT (SELECT string_agg(feature || ' ' || kind, ', ') FROM columns(select_columns(p, '{b,NULL,a,b}'))) AS two,
	row_count(select_columns(p, '{}')) AS rows,
	select_columns(p, '{b,c}')::text::profile = select_columns(p, '{b,c}') AS kept,
	histogram_of(select_columns(p, '{a}'), 'a') = histogram_of(p, 'a') AS same,
	select_columns(p, NULL) IS NULL AS none
FROM p;
SELECT select_columns(profile(t), '{a,z}') FROM (VALUES (1, 2)) AS t (a, b);
