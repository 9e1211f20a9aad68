-- Fingerprints of rows: what they depend on, and what they do not.

SET search_path = public, mlmeta;

-- The hash function: published vectors of SipHash-2-4 with 128-bit output
-- (vectors_sip128 of the reference implementation, key 00 01 .. 0f).
SELECT encode(hash128(data, '\x000102030405060708090a0b0c0d0e0f'), 'hex')
FROM (VALUES (1, ''::bytea), (2, '\x00'), (3, '\x0001')) AS v (i, data)
ORDER BY i;
-- without a key: that of stored hashes
SELECT hash128('mlmeta') = hash128('mlmeta', 'mlmeta hash key1') AS default_key;
SELECT hash128('mlmeta', 'too short');
-- pieces of every length, through and around the buffer, hash like the whole
SELECT count(*) AS lengths, bool_and(
	content_hash(ROW(repeat('x', i)::bytea)) =
	encode(hash128(int4send(i) || repeat('x', i)::bytea, key), 'hex')::uuid) AS same
FROM generate_series(0, 3100) AS i, LATERAL (
	SELECT substr(sha256('mlmeta fingerprint 1'::bytea
		|| int4send(2) || 'f1' || int4send(0) || int4send(5) || 'bytea'), 1, 16)
	) AS c (key);

-- The recipe of doc/storage-format.md, in SQL. (A program in another language,
-- written from that page alone, gave the same golden value.)
CREATE FUNCTION field(value bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce(int4send(length(value)) || value, int4send(-1))
$$;
CREATE FUNCTION to_number(value bytea) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	result numeric := 0;
BEGIN
	FOR i IN REVERSE 15..0 LOOP
		result := result * 256 + get_byte(value, i);
	END LOOP;
	RETURN result;
END
$$;
CREATE FUNCTION to_bytes(value numeric) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	result bytea := '';
BEGIN
	FOR i IN 0..15 LOOP
		result := result || set_byte('\x00', 0, mod(value, 256)::int);
		value := div(value, 256);
	END LOOP;
	RETURN result;
END
$$;

CREATE TABLE orders (
	id int, customer text, price float8, ordered_at timestamptz, paid boolean,
	note varchar(20), code uuid, day date, small smallint, big bigint, ratio real
);
INSERT INTO orders
SELECT i, 'customer ' || i % 7, i / 8.0, '2024-01-01 UTC'::timestamptz + i * interval '1 h',
	i % 3 = 0, CASE WHEN i % 5 > 0 THEN repeat('é', i % 5 - 1) END,
	('00000000-0000-0000-0000-' || lpad(i::text, 12, '0'))::uuid,
	date '2024-01-01' + i, i, i * 10000000000, i / 4.0
FROM generate_series(1, 500) AS i;

WITH columns AS (
	SELECT sha256('mlmeta fingerprint 1'::bytea
		|| string_agg(field(column_name::text::bytea) || field('')
			|| field(type::bytea), ''::bytea ORDER BY position)) AS hash
	FROM (VALUES (1, 'id', 'int4'), (2, 'customer', 'text'), (3, 'price', 'float8'),
		(4, 'ordered_at', 'timestamptz'), (5, 'paid', 'bool'), (6, 'note', 'varchar'),
		(7, 'code', 'uuid'), (8, 'day', 'date'), (9, 'small', 'int2'),
		(10, 'big', 'int8'), (11, 'ratio', 'float4')) AS c (position, column_name, type)
), sum AS (
	SELECT count(*) AS n, mod(sum(to_number(hash128(
		field(int4send(id)) || field(convert_to(customer, 'UTF8')) || field(float8send(price))
		|| field(timestamptz_send(ordered_at)) || field(boolsend(paid))
		|| field(convert_to(note, 'UTF8')) || field(uuid_send(code)) || field(date_send(day))
		|| field(int2send(small)) || field(int8send(big)) || field(float4send(ratio)),
		substr(hash, 1, 16)))), 2::numeric ^ 128) AS value
	FROM orders, columns
)
SELECT 'sha256:' || encode(sha256(hash || int8send(n) || to_bytes(value)), 'hex') AS recipe
FROM sum, columns \gset
SELECT fingerprint(o) AS golden, fingerprint(o) = :'recipe' AS as_documented FROM orders AS o;
-- the first 16 bytes of the hash of the columns are the rows' key
SELECT content_hash(o) FROM orders AS o WHERE id <= 2 ORDER BY id;
-- the whole row, a list of all columns, a subquery
SELECT fingerprint(o) = :'recipe' AS same FROM orders AS o;
SELECT fingerprint(o.*) = :'recipe' AS same FROM orders AS o;
SELECT fingerprint(q) = :'recipe' AS same FROM (SELECT * FROM orders OFFSET 0) AS q;

-- No rows, rows that are none, rows of NULLs
SELECT fingerprint(o) FROM orders AS o WHERE false;
SELECT fingerprint(o) FROM generate_series(1, 3) LEFT JOIN orders AS o ON false;
SELECT fingerprint(q) IS NOT NULL AS counted FROM (SELECT NULL::int AS a) AS q;

-- Order does not matter, duplicates and every value do
SELECT fingerprint(o ORDER BY id DESC) = :'recipe' AS descending,
	fingerprint(o ORDER BY note, price) = :'recipe' AS other,
	fingerprint(o) FILTER (WHERE id <> 17) = :'recipe' AS one_missing
FROM orders AS o;
SELECT fingerprint(q) = :'recipe' AS one_twice
FROM (TABLE orders UNION ALL SELECT * FROM orders WHERE id = 3) AS q;
SELECT count(DISTINCT f) AS different
FROM (
	SELECT fingerprint(q) AS f FROM (VALUES (1, 'a')) AS q (a, b)
	UNION ALL SELECT fingerprint(q) FROM (VALUES (1, 'a'), (1, 'a')) AS q (a, b)
	UNION ALL SELECT fingerprint(q) FROM (VALUES (1, 'a'), (1, 'a'), (1, 'a')) AS q (a, b)
	UNION ALL SELECT fingerprint(q) FROM (VALUES (1, '')) AS q (a, b)
	UNION ALL SELECT fingerprint(q) FROM (VALUES (1, NULL::text)) AS q (a, b)
	UNION ALL SELECT fingerprint(q) FROM (VALUES (NULL::int, 'a')) AS q (a, b)
	UNION ALL SELECT fingerprint(q) FROM (VALUES (1, 'A')) AS q (a, b)
	-- names, types and the order of the columns
	UNION ALL SELECT fingerprint(q) FROM (VALUES (1, 'a')) AS q (a, c)
	UNION ALL SELECT fingerprint(q) FROM (VALUES (1::bigint, 'a')) AS q (a, b)
	UNION ALL SELECT fingerprint(q) FROM (VALUES (1, 'a'::varchar)) AS q (a, b)
	UNION ALL SELECT fingerprint(q) FROM (SELECT 'a' AS b, 1 AS a) AS q
	UNION ALL SELECT fingerprint(q) FROM (SELECT 1 AS a) AS q
	-- bytes that move between columns
	UNION ALL SELECT fingerprint(q) FROM (VALUES ('ab', 'c')) AS q (a, b)
	UNION ALL SELECT fingerprint(q) FROM (VALUES ('a', 'bc')) AS q (a, b)
	UNION ALL SELECT fingerprint(q) FROM (VALUES ('c', 'ab')) AS q (a, b)
	-- values that move between rows
	UNION ALL SELECT fingerprint(q) FROM (VALUES (1, 2), (3, 4)) AS q (a, b)
	UNION ALL SELECT fingerprint(q) FROM (VALUES (1, 4), (3, 2)) AS q (a, b)
) AS all_of_them;

-- Equal values are equal
SELECT a, b FROM (VALUES
	('numeric scale', content_hash(ROW(1.0)) = content_hash(ROW(1.00))),
	('numeric', content_hash(ROW(10000.0)) = content_hash(ROW(1e4))),
	('numeric zero', content_hash(ROW(0.000)) = content_hash(ROW(-0.0))),
	('numeric NaN', content_hash(ROW('NaN'::numeric)) = content_hash(ROW('nan'::numeric))),
	('float8 zero', content_hash(ROW(0::float8)) = content_hash(ROW('-0'::float8))),
	('float4 zero', content_hash(ROW(0::float4)) = content_hash(ROW('-0'::float4))),
	('NaN', content_hash(ROW('NaN'::float8)) = content_hash(ROW(-'NaN'::float8))),
	('character', content_hash(ROW('a'::char(3))) = content_hash(ROW('a'::char(9)))),
	('varchar', content_hash(ROW('a'::varchar(3))) = content_hash(ROW('a'::varchar))),
	('jsonb', content_hash(ROW('{"b": 1.0, "a": [1, {}]}'::jsonb))
		= content_hash(ROW('{"a": [1.00, {}],   "b": 1}'::jsonb))),
	('range', content_hash(ROW('[1,5)'::int4range)) = content_hash(ROW('(0,4]'::int4range))),
	('numeric range', content_hash(ROW('[1,5)'::numrange)) = content_hash(ROW('[1.0,5.00)'::numrange))),
	('multirange', content_hash(ROW('{[1,3),[2,5)}'::int4multirange))
		= content_hash(ROW('{[1,5)}'::int4multirange))),
	('array', content_hash(ROW(ARRAY[1.0, NULL])) = content_hash(ROW(ARRAY[1.00, NULL]))),
	('timestamptz', content_hash(ROW('2024-01-01 00:00 UTC'::timestamptz))
		= content_hash(ROW('2024-01-01 02:00+02'::timestamptz))),
	('literal', content_hash(ROW('a')) = content_hash(ROW('a'::text)))
) AS v (a, b);

-- Different values differ, in each type
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE nested AS (p pair, list pair[]);
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE DOMAIN positives AS positive[];
CREATE TYPE moods AS RANGE (subtype = mood);
CREATE FUNCTION hashes(type regtype, VARIADIC texts text[])
RETURNS TABLE (type_name regtype, different int) LANGUAGE plpgsql AS $$
BEGIN
	type_name := type;
	EXECUTE format('SELECT count(DISTINCT content_hash(ROW(t::%s))) FROM unnest($1) AS t', type)
	INTO different USING texts;
	different := different - cardinality(texts);
	RETURN NEXT;
END
$$;
SELECT * FROM hashes('bool', 't', 'f', NULL)
UNION ALL SELECT * FROM hashes('"char"', 'a', 'b', NULL)
UNION ALL SELECT * FROM hashes('int2', '1', '-1', '256', NULL)
UNION ALL SELECT * FROM hashes('int4', '1', '-1', '65536', NULL)
UNION ALL SELECT * FROM hashes('int8', '1', '-1', '4294967297', NULL)
UNION ALL SELECT * FROM hashes('float4', '1', '1.0000001', 'NaN', 'inf', '-inf', '1e-45', '0')
UNION ALL SELECT * FROM hashes('float8', '1', '1.0000000000000002', 'NaN', 'inf', '-inf', '5e-324', '0')
UNION ALL SELECT * FROM hashes('numeric', '1', '-1', '10', '0.1', '1e4', '1.00001', 'NaN', 'inf', '-inf', '0')
UNION ALL SELECT * FROM hashes('text', '', 'a', 'a ', 'b', NULL)
UNION ALL SELECT * FROM hashes('bpchar', '', 'a', 'b', NULL)
UNION ALL SELECT * FROM hashes('name', '', 'a', 'b', NULL)
UNION ALL SELECT * FROM hashes('bytea', '', '\x00', '\x0000', NULL)
UNION ALL SELECT * FROM hashes('uuid', '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000001')
UNION ALL SELECT * FROM hashes('json', '{"a":1}', '{"a": 1}', '1')
UNION ALL SELECT * FROM hashes('jsonb', 'null', '{}', '[]', '[[]]', '[{}]', '1', '"1"', 'true', 'false',
	'"true"', '[1]', '[1,2]', '[[1],2]', '[[1,2]]', '{"a":1}', '{"a":[1]}', '{"a":{"b":1}}',
	'{"a":{},"b":1}', '["a",1]', '""', NULL)
UNION ALL SELECT * FROM hashes('date', '2024-01-01', 'infinity', '-infinity')
UNION ALL SELECT * FROM hashes('time', '00:00', '00:00:00.000001')
UNION ALL SELECT * FROM hashes('timetz', '00:00+00', '00:00+01')
UNION ALL SELECT * FROM hashes('timestamp', '2024-01-01', 'infinity', '-infinity')
UNION ALL SELECT * FROM hashes('interval', '1 day', '24 hours', '1 month', '30 days')
UNION ALL SELECT * FROM hashes('inet', '127.0.0.1', '127.0.0.1/31', '::1')
UNION ALL SELECT * FROM hashes('varbit', '', '0', '00', '1')
UNION ALL SELECT * FROM hashes('tsvector', 'a', 'a:1', 'a b', '')
UNION ALL SELECT * FROM hashes('point', '(0,1)', '(1,0)')
UNION ALL SELECT * FROM hashes('mood', 'sad', 'ok', NULL)
UNION ALL SELECT * FROM hashes('pair', '(1,a)', '(1,)', '(,a)', '(,)', '(1,"")', NULL)
UNION ALL SELECT * FROM hashes('nested', '(,)', '("(1,a)",)', '("(1,a)",{})', '(,"{""(1,a)""}")', '(,"{""(1,a)"",NULL}")')
UNION ALL SELECT * FROM hashes('positive', '1', '2')
UNION ALL SELECT * FROM hashes('positives', '{}', '{1}', '{1,2}', '{2,1}')
UNION ALL SELECT * FROM hashes('int4range', 'empty', '(,)', '[1,)', '(,1]', '[1,2]', '[1,3]', NULL)
UNION ALL SELECT * FROM hashes('numrange', 'empty', '(,)', '[1,2]', '(1,2]', '[1,2)', '(1,2)')
UNION ALL SELECT * FROM hashes('moods', 'empty', '[sad,ok]', '(sad,ok]')
UNION ALL SELECT * FROM hashes('int4multirange', '{}', '{[1,2]}', '{[1,2],[5,6]}', '{(,)}')
UNION ALL SELECT * FROM hashes('int4[]', '{}', '{1}', '{NULL}', '{1,2}', '{{1,2}}', '{{1},{2}}', '[0:1]={1,2}', '{2,1}', '{1,NULL}', '{NULL,1}', NULL)
UNION ALL SELECT * FROM hashes('text[]', '{}', '{""}', '{a}', '{ab}', '{a,b}', '{"a,b"}', NULL);
-- names of types count, of all kinds; a domain is its base type
SELECT count(DISTINCT h) AS different, count(*) AS all FROM (VALUES
	(content_hash(ROW(1::int4))), (content_hash(ROW(1::oid))), (content_hash(ROW(ARRAY[1]))),
	(content_hash(ROW('a'::text))), (content_hash(ROW('a'::name))), (content_hash(ROW('a'::"char"))),
	(content_hash(ROW(ROW(1, 'a'::text)))), (content_hash(ROW(ROW(1, 'a'::text)::pair)))) AS v (h);
SELECT content_hash(ROW(1::positive)) = content_hash(ROW(1)) AS domain,
	content_hash(ROW('{1}'::positives)) = content_hash(ROW('{1}'::int[])) AS domain_over_array,
	content_hash(ROW('{1}'::positive[])) = content_hash(ROW('{1}'::int[])) AS array_of_domain;

-- Settings do not matter, nor does the session's encoding
CREATE TABLE settings AS
SELECT 0.1::float8 AS f, 0.1::float4 AS g, '2024-01-01 12:00 UTC'::timestamptz AS t,
	'1 mon 2 d'::interval AS i, '\x00ff'::bytea AS b, 12.5::money AS m, 'é ü'::text AS s,
	'é'::tsvector AS v, 'sad'::mood AS e, 'é'::name AS "ñ", '{"é": "ü"}'::jsonb AS j;
SELECT fingerprint(r) AS plain FROM settings AS r \gset
SET extra_float_digits = -3;
SET DateStyle = 'SQL, DMY';
SET IntervalStyle = 'iso_8601';
SET TimeZone = 'Asia/Kolkata';
SET bytea_output = 'escape';
SET quote_all_identifiers = on;
SET xmlbinary = 'hex';
SET client_encoding = 'LATIN1';
SELECT fingerprint(r) = :'plain' AS same FROM settings AS r;
SET search_path = mlmeta;
SELECT fingerprint(r) OPERATOR(pg_catalog.=) :'plain' AS same FROM public.settings AS r;
SHOW client_encoding;
RESET ALL;
SET search_path = public, mlmeta;
-- text that the session's encoding does not have
SELECT content_hash(ROW(U&'\65e5\672c'::tsvector)) AS plain \gset
SET client_encoding = 'LATIN1';
SELECT content_hash(ROW(U&'\65e5\672c'::tsvector)) = :'plain' AS same;
SHOW client_encoding;
RESET client_encoding;

-- types of the session's temporary schema, whatever its number
CREATE TEMPORARY TABLE passing (a int, b text);
SELECT content_hash(ROW(p)) FROM (SELECT (1, 'a')::passing AS p) AS q;
DROP TABLE passing;

-- Storage does not matter
CREATE TABLE stored (id int, t text, a int[]);
ALTER TABLE stored ALTER t SET STORAGE EXTERNAL, ALTER a SET STORAGE EXTERNAL;
INSERT INTO stored SELECT i, repeat(md5(i::text), i * 100), array_agg(j)
FROM generate_series(1, 5) AS i, generate_series(1, 3000) AS j GROUP BY i;
CREATE TABLE compressed (LIKE stored);
ALTER TABLE compressed ALTER t SET STORAGE MAIN, ALTER a SET STORAGE EXTENDED;
INSERT INTO compressed TABLE stored;
SELECT (SELECT fingerprint(s) FROM stored AS s) = (SELECT fingerprint(s) FROM compressed AS s) AS same;
-- dropped and added columns
ALTER TABLE compressed ADD dropped text DEFAULT 'x', DROP COLUMN a, ADD added int DEFAULT 7;
ALTER TABLE compressed DROP COLUMN dropped;
SELECT (SELECT fingerprint(s) FROM (SELECT id, t, 7 AS added FROM stored) AS s)
	= (SELECT fingerprint(s) FROM compressed AS s) AS same;
DO $$
DECLARE
	r compressed;
	h uuid;
BEGIN
	SELECT * INTO r FROM compressed WHERE id = 2;
	SELECT content_hash(c) INTO h FROM compressed AS c WHERE id = 2;
	RAISE NOTICE 'a variable: %', content_hash(r) = h;
END
$$;
CREATE TABLE empty_rows ();
INSERT INTO empty_rows DEFAULT VALUES;
SELECT fingerprint(e) IS NOT NULL AS no_columns FROM empty_rows AS e;

-- 100,000 rows: parallel = serial = merged in any grouping
CREATE TABLE many AS
SELECT i AS id, md5(i::text) AS t, (i % 1000) / 8.0 AS n, i / 3.0::float8 AS f,
	to_tsvector('simple', 'é ' || i % 10) AS v
FROM generate_series(1, 100000) AS i;
ALTER TABLE many SET (parallel_workers = 2);
ANALYZE many;
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
END
$$;
SET max_parallel_workers_per_gather = 0;
SELECT fingerprint(m) AS serial FROM many AS m \gset
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT plan_has('SELECT fingerprint(m) FROM many AS m', 'Partial Aggregate') AS partial;
SET client_encoding = 'LATIN1';
SELECT fingerprint(m) = :'serial' AS parallel FROM many AS m;
SELECT fingerprint(q) = :'serial' AS parallel_record
FROM (SELECT id, t, n, f, v FROM many) AS q;
RESET client_encoding;
CREATE TABLE parts AS
SELECT id % 10 AS part, fingerprint_part(m) AS state FROM many AS m GROUP BY 1;
SELECT fingerprint(merge(state)) = :'serial' AS merged, n(merge(state)) FROM parts;
SELECT fingerprint(a.state + b.state) = fingerprint(b.state + a.state) AS commutes,
	a.state + b.state - b.state = a.state AS taken_out,
	fingerprint(a.state + b.state) =
		(SELECT fingerprint(m) FROM many AS m WHERE id % 10 IN (1, 2)) AS sum
FROM parts AS a, parts AS b WHERE a.part = 1 AND b.part = 2;
SELECT fingerprint(merge(state)) = :'serial' AS with_nulls
FROM (SELECT state FROM parts UNION ALL SELECT NULL) AS q;
SELECT merge(state) IS NULL AS nothing FROM parts WHERE false;
-- sliding over days: the state may be read and go on
SELECT bool_and(fingerprint(w) = (SELECT fingerprint(m) FROM many AS m WHERE id % 10 <= part))
FROM (SELECT part, merge(state) OVER (ORDER BY part) AS w FROM parts) AS q;
RESET max_parallel_workers_per_gather;

-- The state as a type
SELECT fingerprint_part(q) AS state FROM (VALUES (1, 'a'), (2, 'b')) AS q (a, b) \gset
SELECT :'state'::fingerprint_state;
SELECT fingerprint(:'state'::fingerprint_state) =
	(SELECT fingerprint(q) FROM (VALUES (2, 'b'), (1, 'a')) AS q (a, b)) AS text_round_trip;
-- golden bytes: version, columns, n, sum
SELECT mlmeta_internal.fingerprint_state_send(:'state'::fingerprint_state);
SELECT count(*) FROM parts AS a JOIN parts AS b USING (state);
SELECT count(*) FROM (SELECT state FROM parts UNION SELECT state FROM parts) AS q;
SELECT a.state < b.state OR a.state > b.state AS ordered, a.state <> b.state AS differs,
	a.state <= a.state AND a.state >= a.state AS reflexive
FROM parts AS a, parts AS b WHERE a.part = 1 AND b.part = 2;
SELECT '{"version": 2}'::fingerprint_state;
SELECT '{"version": 1, "columns": "00", "n": 1, "sum": "00"}'::fingerprint_state;
SELECT replace(:'state', '"n": 2', '"n": 0')::fingerprint_state;
SELECT replace(:'state', '"n": 2', '"n": -2')::fingerprint_state;
SELECT a.state - (b.state + b.state) FROM parts AS a, parts AS b WHERE a.part = 1 AND b.part = 2;
SELECT a.state - b.state FROM parts AS a, parts AS b WHERE a.part = 1 AND b.part = 2;
SELECT n(a.state - a.state) FROM parts AS a WHERE a.part = 1;
SELECT state + :'state'::fingerprint_state FROM parts WHERE part = 1;
SELECT mlmeta_internal.fingerprint_transition(NULL, ROW(1));

-- Errors
SELECT fingerprint(r) FROM (VALUES (ROW(1)), (ROW('a'::text))) AS v (r);
SELECT fingerprint(r) FROM (VALUES (ROW(1)), (ROW(1, 2))) AS v (r);
SELECT fingerprint(q) FROM (SELECT 1 AS id, 'pg_class'::regclass AS "table") AS q;
SELECT fingerprint(q) FROM (SELECT '{pg_class}'::regclass[] AS tables) AS q;
SELECT fingerprint(q) FROM (SELECT ARRAY[makeaclitem(10, 10, 'SELECT', false)] AS acl) AS q;
SELECT content_hash(NULL::orders) IS NULL AS strict;

-- Databases of other encodings agree; SQL_ASCII takes the bytes as they are
SELECT fingerprint(q) AS utf8
FROM (SELECT U&'\00e9' AS a, U&'\00fc'::tsvector AS "n", to_jsonb(U&'\00e9'::text) AS j) AS q \gset
CREATE DATABASE regress_mlmeta_latin1 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
\set main :DBNAME
\c regress_mlmeta_latin1
SET client_min_messages = warning;
CREATE EXTENSION mlmeta;
SET search_path = public, mlmeta;
SELECT fingerprint(q) = :'utf8' AS same
FROM (SELECT U&'\00e9' AS a, U&'\00fc'::tsvector AS "n", to_jsonb(U&'\00e9'::text) AS j) AS q;
SET client_encoding = 'LATIN1';
SELECT fingerprint(q) = :'utf8' AS same
FROM (SELECT U&'\00e9' AS a, U&'\00fc'::tsvector AS "n", to_jsonb(U&'\00e9'::text) AS j) AS q;
\c :main
DROP DATABASE regress_mlmeta_latin1;

SET search_path = public, mlmeta;
DROP TABLE orders, settings, stored, compressed, empty_rows, many, parts;
DROP TYPE moods, nested, pair, mood;
DROP DOMAIN positives, positive;
DROP FUNCTION field, to_number(bytea), to_bytes(numeric), hashes, plan_has;
