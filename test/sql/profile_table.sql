-- profile_table() reads pages; profile(record) through the executor is what it
-- must equal, to the byte, for every table, type and bound.
SET search_path = public, mlmeta;
SET timezone = 'UTC';

-- What profile(record) says of the same rows, columns and times.
CREATE FUNCTION by_rows(relation regclass, columns text[], time_column text, since timestamptz, before timestamptz, baseline profile)
RETURNS profile LANGUAGE plpgsql AS $$
DECLARE
	result profile;
	bounds text := coalesce((SELECT string_agg(format('%I %s %L::timestamptz', time_column, o.operator, o.bound), ' AND ')
		FROM (VALUES ('>=', since), ('<', before)) AS o (operator, bound) WHERE o.bound IS NOT NULL), 'true');
	chosen text := (SELECT string_agg(quote_ident(name), ', ' ORDER BY n) FROM unnest(coalesce(columns,
		(SELECT array_agg(attname ORDER BY attnum) FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped)))
		WITH ORDINALITY AS u (name, n));
BEGIN
	EXECUTE format('SELECT %s FROM (SELECT %s FROM %s WHERE %s) AS q', CASE WHEN baseline IS NULL THEN 'profile(q)' ELSE 'profile(q, $1)' END,
		coalesce(chosen, ''), relation, bounds) INTO result USING baseline;
	RETURN result;
END $$;
-- same: equal in every form: all columns, some in another order, on a baseline
CREATE FUNCTION same(relation regclass, columns text[] DEFAULT NULL, time_column text DEFAULT NULL,
	since timestamptz DEFAULT NULL, before timestamptz DEFAULT NULL, baseline profile DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT CASE WHEN profile_table($1, $2, $3, $4, $5, $6) IS NOT DISTINCT FROM by_rows($1, $2, $3, $4, $5, $6)
	THEN 'same' ELSE 'DIFFERENT' END || ', ' || scan_path($1, $2, $3, $4, $5) $$;

-- ---------------------------------------------------------------------------
-- Every type that profiles know, with NULLs, NaN, infinities, dead rows,
-- columns dropped and added, values out of line and compressed
-- ---------------------------------------------------------------------------

CREATE TYPE color AS ENUM ('red', 'green', 'blue');
CREATE DOMAIN price AS numeric CHECK (VALUE > -1e9);
CREATE TYPE pair AS (a int, b text);
CREATE TABLE every_type (id int, gone int, i2 smallint, i8 bigint, f4 real, f8 float8, num numeric, dom price, span interval,
	on_day date, at timestamptz, local timestamp, time_of time, time_tz timetz, flag boolean, "a text" text, v varchar(20), padded char(8), n name,
	c "char", u uuid, e color, net inet, j json, jb jsonb, ints int[], floats float8[], matrix numeric[], words text[], p pair, b bytea,
	gone_too text, bits bit(3), doubled bigint GENERATED ALWAYS AS (i8 * 2) STORED);
ALTER TABLE every_type ALTER "a text" SET STORAGE EXTERNAL;
INSERT INTO every_type
SELECT i, i, i % 100, i * 1e10, i / 7.0, CASE i % 50 WHEN 0 THEN 'NaN' WHEN 1 THEN 'Infinity' WHEN 2 THEN '-Infinity' WHEN 3 THEN -0.0 ELSE sin(i) END,
	CASE i % 40 WHEN 0 THEN 'NaN' WHEN 1 THEN 1e400 ELSE i / 3.0 END, i, i * interval '1 hour 3 days', date '2026-01-01' + i % 90,
	CASE i % 60 WHEN 0 THEN 'infinity' WHEN 1 THEN '-infinity' ELSE timestamptz '2026-01-01' + i * interval '1 hour' END,
	timestamp '2026-01-01' + i * interval '1 hour', time '00:00' + i * interval '7 minutes', ((time '00:00' + i * interval '7 minutes')::text || '+02')::timetz,
	i % 3 = 0, repeat('long ' || i % 20, CASE WHEN i % 100 = 0 THEN 2000 ELSE 1 END), 'v' || i % 7, 'p' || i % 5, 'n' || i % 4, chr(65 + i % 26),
	md5((i % 30)::text)::uuid, (ARRAY['red', 'green', 'blue'])[1 + i % 3]::color, ('10.0.0.' || i % 200)::inet,
	CASE i % 4 WHEN 0 THEN '[1]' WHEN 1 THEN '{}' WHEN 2 THEN '"s"' ELSE '1' END::json, to_jsonb(repeat('x', CASE WHEN i % 300 = 0 THEN 9000 ELSE i % 5 END)),
	ARRAY[i, i % 3, NULL], (SELECT array_agg(sin(k * i)) FROM generate_series(1, CASE WHEN i % 250 = 0 THEN 3000 ELSE i % 4 END) AS k), ARRAY[[i, 1], [2, 3]],
	ARRAY['w'], ROW(i, 'x'::text)::pair, '\x01', 'gone', (i % 8)::bit(3)
FROM generate_series(1, 2000) AS i;
INSERT INTO every_type (id) SELECT i FROM generate_series(2001, 2100) AS i;
ALTER TABLE every_type DROP gone, DROP gone_too;
ALTER TABLE every_type ADD later float8 DEFAULT 2.5, ADD later_text text DEFAULT 'default', ADD later_null int, ADD later_array int[] DEFAULT '{1,2}';
INSERT INTO every_type (id, i8, later, later_text) SELECT i, i, i, 'given' FROM generate_series(2101, 2200) AS i;
UPDATE every_type SET f8 = NULL, "a text" = upper("a text") WHERE id % 9 = 0;
DELETE FROM every_type WHERE id % 11 = 0;
ANALYZE every_type;

SELECT same('every_type') AS all_columns, same('every_type', '{f8}') AS one, same('every_type', '{later_text,"a text",floats,f8,i2}') AS some,
	same('every_type', '{}') AS none, same('every_type', '{later_array,id}') AS around;
SELECT same('every_type', baseline => b) AS on_baseline, same('every_type', '{i8,f8,e,later}', baseline => b) AS some, same('every_type', '{id}', baseline => b) AS new_and_gone
FROM (SELECT profile(q) AS b FROM (SELECT f8, num, "a text", e, jb, floats, at FROM every_type WHERE id < 500) AS q) AS s;
SELECT count(*), count(*) FILTER (WHERE same('every_type', ARRAY[attname]) <> 'same, pages') AS different
FROM pg_attribute WHERE attrelid = 'every_type'::regclass AND attnum > 0 AND NOT attisdropped;
-- after a rewrite, all-visible pages, frozen rows
VACUUM FREEZE every_type;
SELECT same('every_type');

-- ---------------------------------------------------------------------------
-- Times
-- ---------------------------------------------------------------------------

SELECT time_column, since, before, same('every_type', NULL, time_column, since, before),
	row_count(profile_table('every_type', NULL, time_column, since, before)) AS rows
FROM unnest(ARRAY['at', 'local', 'on_day']) AS time_column, (VALUES (timestamptz '2026-01-10', timestamptz '2026-02-01'), (NULL, '2026-01-10 12:30'),
	('2026-03-01 00:00:01', NULL), (NULL, NULL), ('-infinity', 'infinity'), ('infinity', NULL), (NULL, '-infinity'), (NULL, 'infinity'), ('2026-02-01', '2026-02-01')) AS b (since, before);
-- a bound becomes one of the column's type, in the session's time zone
SET timezone = 'America/New_York';
SELECT time_column, same('every_type', '{id}', time_column, since, since + interval '5 days') FROM unnest(ARRAY['at', 'local', 'on_day']) AS time_column,
	(VALUES (timestamptz '2026-02-01 00:00+00'), ('2026-02-01 05:00+00'), ('2026-02-01 05:00:00.000001+00')) AS b (since);
SET timezone = 'UTC';
SELECT same('every_type', time_column => 'at') AS no_bounds, profile_table('every_type', NULL, 'at', '1999-01-01', '2000-01-01') IS NULL AS no_rows,
	profile_table(NULL) IS NULL AS no_relation;
CREATE INDEX every_at ON every_type (at);
ANALYZE every_type;
-- few rows of many: an index finds them for less
CREATE TABLE indexed AS SELECT timestamptz '2026-01-01' + i * interval '1 minute' AS at, i AS x, repeat('y', 100) AS y FROM generate_series(1, 20000) AS i;
CREATE INDEX ON indexed (at);
ANALYZE indexed;
SELECT same('indexed', NULL, 'at', '2026-01-03', '2026-01-03 01:00'), same('indexed', NULL, 'at', '2026-01-01', '2027-01-01');

-- ---------------------------------------------------------------------------
-- What the transaction and its snapshot see
-- ---------------------------------------------------------------------------

CREATE TABLE seen (x int);
SELECT profile_table('seen') IS NULL AS no_rows, scan_path('seen');
BEGIN;
INSERT INTO seen SELECT generate_series(1, 100);
SELECT same('seen'), row_count(profile_table('seen'));
SAVEPOINT a;
DELETE FROM seen WHERE x > 50;
SELECT same('seen'), row_count(profile_table('seen'));
ROLLBACK TO a;
SELECT same('seen'), row_count(profile_table('seen'));
-- the rows of a statement's own snapshot, while the statement writes
INSERT INTO seen SELECT row_count(profile_table('seen')) FROM generate_series(1, 3);
SELECT count(*) FILTER (WHERE x = 100) AS each_saw_100, same('seen') FROM seen;
DECLARE before_the_rest CURSOR FOR SELECT row_count(profile_table('seen'));
INSERT INTO seen SELECT generate_series(1, 1000);
FETCH before_the_rest;
COMMIT;
CREATE TEMP TABLE mine AS SELECT i AS x FROM generate_series(1, 10) AS i;
CREATE UNLOGGED TABLE unlogged_one AS SELECT i AS x FROM generate_series(1, 10) AS i;
CREATE MATERIALIZED VIEW materialized AS SELECT i AS x FROM generate_series(1, 10) AS i;
SELECT same('mine') AS temporary, same('unlogged_one') AS unlogged, same('materialized') AS materialized;

-- ---------------------------------------------------------------------------
-- Partitions and children
-- ---------------------------------------------------------------------------

CREATE TABLE parted (at timestamptz, gone int, x float8, k text) PARTITION BY RANGE (at);
ALTER TABLE parted DROP gone;
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE parted_2 (k text, extra int, x float8, at timestamptz NOT NULL);
ALTER TABLE parted_2 DROP extra;
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE TABLE parted_3 PARTITION OF parted FOR VALUES FROM ('2026-03-01') TO ('2026-04-01') PARTITION BY LIST (k);
CREATE TABLE parted_3a PARTITION OF parted_3 FOR VALUES IN ('a', 'b');
CREATE TABLE parted_3b PARTITION OF parted_3 DEFAULT;
INSERT INTO parted SELECT timestamptz '2026-01-01' + i * interval '1 hour', sin(i), chr(97 + i % 5) FROM generate_series(0, 2000) AS i;
ALTER TABLE parted ADD late int DEFAULT 7;
INSERT INTO parted SELECT timestamptz '2026-02-01' + i * interval '1 hour', NULL, 'new', i FROM generate_series(0, 300) AS i;
ANALYZE parted;
SELECT same('parted') AS all, same('parted', '{k,x}') AS some, same('parted', '{x,k,late}', 'at', '2026-01-20', '2026-02-10') AS two_months,
	same('parted', NULL, 'at', '2030-01-01') AS none, same('parted_3') AS one, same('parted', NULL, 'at', '2026-02-03', '2026-02-04',
	(SELECT profile(p) FROM parted AS p WHERE at < '2026-02-01')) AS on_baseline;
CREATE TABLE parent (x int, y text);
CREATE TABLE child (z int) INHERITS (parent);
INSERT INTO parent SELECT i, 'p' FROM generate_series(1, 50) AS i;
INSERT INTO child SELECT i, 'c', i FROM generate_series(1, 70) AS i;
SELECT same('parent'), row_count(profile_table('parent')), same('child', '{z,y}');

-- ---------------------------------------------------------------------------
-- Left to the executor, with the same answer
-- ---------------------------------------------------------------------------

CREATE VIEW evens AS SELECT id, f8, e FROM every_type WHERE id % 2 = 0;
CREATE TABLE guarded (owner name, x int);
INSERT INTO guarded SELECT (ARRAY['regress_scan_reader', 'somebody'])[1 + i % 2], i FROM generate_series(1, 100) AS i;
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON guarded USING (owner = CURRENT_USER);
CREATE EXTENSION file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE remote (law text, arguments text, expected float8, source text) SERVER files
	OPTIONS (program 'printf "a,1,0.5,s\nb,2,1.5,s\n"', format 'csv');
CREATE TABLE mixed (law text, arguments text, expected float8, source text) PARTITION BY LIST (law);
CREATE FOREIGN TABLE mixed_remote PARTITION OF mixed FOR VALUES IN ('a', 'b') SERVER files OPTIONS (program 'printf "a,1,0.5,s\nb,2,1.5,s\n"', format 'csv');
CREATE TABLE mixed_local PARTITION OF mixed DEFAULT;
INSERT INTO mixed_local VALUES ('c', '3', 2.5, 's');
SELECT same('evens') AS view, same('guarded') AS superuser, same('remote') AS foreign, same('mixed') AS mixed, same('pg_class', '{relname,relkind}') AS catalog;

CREATE ROLE regress_scan_reader;
GRANT USAGE ON SCHEMA mlmeta TO regress_scan_reader;
GRANT SELECT ON guarded, evens TO regress_scan_reader;
GRANT SELECT (id, f8) ON every_type TO regress_scan_reader;
SET ROLE regress_scan_reader;
SELECT same('guarded') AS row_security, row_count(profile_table('guarded')) AS own_rows, same('every_type', '{f8}') AS granted, same('evens') AS view;
SELECT profile_table('every_type');
SELECT profile_table('every_type', '{f8,num}');
SELECT profile_table('every_type', '{f8}', 'at', '2026-01-01');
SELECT profile_table('parted');
SELECT profile_table('evens', '{id}') IS NOT NULL AS readable;
RESET ROLE;
ALTER TABLE guarded FORCE ROW LEVEL SECURITY;
SELECT same('guarded') AS superuser_bypasses;

-- ---------------------------------------------------------------------------
-- With parallel workers
-- ---------------------------------------------------------------------------

SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
SELECT profile(q) AS b FROM (SELECT f8, num, "a text", e, jb, floats, at FROM every_type WHERE id < 500) AS q \gset
ALTER TABLE every_type SET (parallel_workers = 2);
ALTER TABLE parted_1 SET (parallel_workers = 2);
BEGIN;
SELECT pg_stat_get_xact_tuples_returned('every_type'::regclass) AS before \gset
SELECT row_count(profile_table('every_type')) AS rows \gset
SELECT :rows AS rows, pg_stat_get_xact_tuples_returned('every_type'::regclass) - :before AS read_by_leader;
COMMIT;
SELECT same('every_type') AS own_bins, same('every_type', baseline => :'b') AS on_baseline, same('every_type', '{f8,"a text",on_day}', 'on_day', '2026-01-10', '2026-02-01', :'b') AS some,
	same('every_type', NULL, 'at', '1999-01-01', '2000-01-01') AS no_rows, same('parted') AS partitions, same('parted', '{k,x}', 'at', '2026-01-20', '2026-02-10') AS two_months;
-- what the transaction changed, and no rows for some worker
BEGIN;
ALTER TABLE seen SET (parallel_workers = 2);
INSERT INTO seen SELECT generate_series(1, 500);
SAVEPOINT a;
UPDATE seen SET x = x + 1 WHERE x < 10;
DELETE FROM seen WHERE x > 300;
SELECT same('seen', baseline => (SELECT profile(s) FROM seen AS s)), row_count(profile_table('seen'));
ROLLBACK TO a;
SELECT same('seen'), row_count(profile_table('seen'));
INSERT INTO seen SELECT row_count(profile_table('seen')) FROM generate_series(1, 3);
COMMIT;
-- inside of a parallel plan, and of a function that catches errors
SELECT count(DISTINCT profile_table('seen')) FROM every_type WHERE id < 10;
DO $$
BEGIN
	PERFORM profile_table('seen', '{x,y}');
EXCEPTION WHEN undefined_column THEN
	RAISE NOTICE 'rows: %', row_count(profile_table('seen'));
END $$;
RESET min_parallel_table_scan_size;
RESET parallel_leader_participation;

-- ---------------------------------------------------------------------------
-- Schemas by chance
-- ---------------------------------------------------------------------------

CREATE FUNCTION pg_temp.chance(n int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT floor(random() * n)::int';
CREATE PROCEDURE fuzz(number int) LANGUAGE plpgsql AS $$
DECLARE
	kinds text[] := ARRAY['float8', 'int', 'smallint', 'bigint', 'real', 'numeric', 'boolean', 'text', 'date', 'timestamptz', 'char(5)', 'int[]',
		'"char"', 'uuid', 'interval', 'jsonb', 'float8[]', 'name', 'timetz', 'color'];
	makers text[] := ARRAY['random() * 100', 'pg_temp.chance(50)', 'pg_temp.chance(9)', 'pg_temp.chance(1000) * 10000000000', 'random()', 'round((random() * 100)::numeric, pg_temp.chance(6))',
		'random() < 0.3', 'repeat(chr(97 + pg_temp.chance(8)), pg_temp.chance(12) * (1 + 400 * (pg_temp.chance(40) / 39)))', 'date ''2026-01-01'' + pg_temp.chance(60)',
		'timestamptz ''2026-01-01'' + random() * interval ''60 days''', 'pg_temp.chance(999)::text', 'ARRAY[pg_temp.chance(9), NULL, i]', 'chr(65 + pg_temp.chance(20))::"char"',
		'md5(pg_temp.chance(9)::text)::uuid', 'random() * interval ''9 days''', 'to_jsonb(pg_temp.chance(9))', '(SELECT array_agg(random()) FROM generate_series(1, pg_temp.chance(6)))',
		'(''n'' || pg_temp.chance(5))::name', '(time ''10:00'' + random() * interval ''9 hours'')::timetz', '(ARRAY[''red'', ''green''])[1 + pg_temp.chance(2)]::color'];
	n int := 1 + pg_temp.chance(14);
	chosen int[] := ARRAY(SELECT 1 + pg_temp.chance(cardinality(kinds)) FROM generate_series(1, n));
	nulls float8 := pg_temp.chance(4) / 5.0;
	fill text := (SELECT string_agg(format('CASE WHEN random() >= %s THEN %s END', nulls, makers[chosen[c]]), ', ') FROM generate_series(1, n) AS c);
	answers text[];
BEGIN
	IF number > 1 THEN
		DROP TABLE fuzzed;
	END IF;
	EXECUTE format('CREATE TABLE fuzzed (at timestamptz, %s)', (SELECT string_agg(format('c%s %s', c, kinds[chosen[c]]), ', ') FROM generate_series(1, n) AS c));
	EXECUTE format('INSERT INTO fuzzed SELECT timestamptz ''2026-01-01'' + random() * interval ''40 days'', %s FROM generate_series(1, %s) AS i', fill, 1 + pg_temp.chance(900));
	IF n > 2 AND pg_temp.chance(2) = 0 THEN
		EXECUTE format('ALTER TABLE fuzzed DROP c%s', 1 + pg_temp.chance(n));
	END IF;
	IF pg_temp.chance(2) = 0 THEN
		EXECUTE format('ALTER TABLE fuzzed ADD d1 %s, ADD d2 float8 DEFAULT 4.5', kinds[1 + pg_temp.chance(cardinality(kinds))]);
		UPDATE fuzzed SET d2 = random() WHERE random() < 0.3;
	END IF;
	IF pg_temp.chance(2) = 0 THEN
		DELETE FROM fuzzed WHERE random() < 0.3;
	END IF;
	SELECT ARRAY[same('fuzzed'), same('fuzzed', columns), same('fuzzed', columns, 'at', since, since + interval '10 days'),
		same('fuzzed', NULL, 'at', since, NULL, (SELECT profile(f) FROM fuzzed AS f WHERE f.at < since))]
	INTO answers
	FROM (SELECT array_agg(attname ORDER BY random()) FILTER (WHERE random() < 0.6) AS columns, timestamptz '2026-01-01' + random() * interval '30 days' AS since
		FROM pg_attribute WHERE attrelid = 'fuzzed'::regclass AND attnum > 0 AND NOT attisdropped) AS s;
	IF NOT answers <@ ARRAY['same, pages', 'same, rows: no table'] THEN
		RAISE NOTICE 'table %: % %', number, answers, chosen;
	END IF;
END $$;
SELECT setseed(0.25);
DO $$ BEGIN FOR i IN 1 .. 60 LOOP CALL fuzz(i); END LOOP; END $$;

-- ---------------------------------------------------------------------------
-- Bad input
-- ---------------------------------------------------------------------------

SELECT profile_table('every_type', '{id,nothing}');
SELECT profile_table('every_type', '{id,gone}');
SELECT profile_table('every_type', '{id,id}');
SELECT profile_table('every_type', '{id,NULL}');
SELECT profile_table('every_type', NULL, 'id', '2026-01-01');
SELECT profile_table('every_type', NULL, 'nothing');
SELECT profile_table('every_type', since => '2026-01-01');
SELECT profile_table(1);
SELECT profile_table('every_at');
SELECT profile_table('pair');
SELECT profile_table('every_type', baseline => detach(p)) FROM (SELECT profile(q, (SELECT profile(r) FROM seen AS r)) AS p FROM seen AS q) AS s;
-- a scan is given up when it is cancelled
CREATE TABLE much AS SELECT i AS id, sin(i) AS a, cos(i) AS b, tan(i) AS c, i % 7 AS d, sin(i) * i AS e FROM generate_series(1, 300000) AS i;
SET statement_timeout = '5ms';
SELECT profile_table('much');
SET parallel_leader_participation = off;
ALTER TABLE much SET (parallel_workers = 2);
SELECT profile_table('much');
RESET statement_timeout;
RESET parallel_leader_participation;
SELECT same('much', '{d,a}');

DROP TABLE every_type, indexed, seen, unlogged_one, parted, child, parent, guarded, mixed, much, fuzzed CASCADE;
DROP MATERIALIZED VIEW materialized;
DROP FOREIGN TABLE remote;
DROP EXTENSION file_fdw CASCADE;
DROP PROCEDURE fuzz;
DROP FUNCTION same, by_rows;
DROP TYPE color, pair;
DROP DOMAIN price;
REVOKE ALL ON SCHEMA mlmeta FROM regress_scan_reader;
DROP OWNED BY regress_scan_reader;
DROP ROLE regress_scan_reader;
