-- Calls of everything in C that SQL can call, with arguments that nobody meant:
-- NULL, extreme numbers, empty and long arrays, summaries of other data, stored
-- forms where whole ones are needed.
--
--	psql -v rounds=25 -v seed=0.25 -f test/fuzz/calls.sql
--
-- Run it as a superuser in a scratch database with the extension. Each function
-- is called :rounds times; outcomes are counted in fuzz.outcome. A function whose
-- calls take two seconds each, or for ever, is missing in fuzz.finished.

\set ON_ERROR_STOP on
SET client_min_messages = error;

CREATE SCHEMA fuzz;
-- A schema of MLflow's, and attached: see the texts below.
CREATE SCHEMA x;
CREATE TABLE x.experiments (experiment_id int, name text, lifecycle_stage text);
CREATE TABLE x.runs (run_uuid text, experiment_id int, status text, lifecycle_stage text, start_time bigint, end_time bigint, user_id text);
CREATE TABLE x.params (run_uuid text, key text, value text);
CREATE TABLE x.tags (run_uuid text, key text, value text);
CREATE TABLE x.metrics (run_uuid text, key text, value float8, timestamp bigint, step bigint, is_nan boolean);
CREATE TABLE x.latest_metrics (LIKE x.metrics);
SELECT mlmeta.attach_mlflow('x');

\ir seeds.sql

CREATE TABLE fuzz.outcome (
	function text NOT NULL,
	sqlstate text NOT NULL,
	n bigint NOT NULL,
	example text NOT NULL,
	message text NOT NULL,
	PRIMARY KEY (function, sqlstate)
);
CREATE TABLE fuzz.finished (function oid PRIMARY KEY);

-- A whole number from 0 to n - 1
CREATE FUNCTION fuzz.below(n int) RETURNS int
LANGUAGE sql VOLATILE
RETURN least(floor(random() * n)::int, n - 1);

-- Expressions to choose arguments from -------------------------------------------

CREATE TABLE fuzz.argument (
	type regtype NOT NULL,
	odd boolean NOT NULL,
	expression text NOT NULL
);

INSERT INTO fuzz.argument
SELECT type, false, format('%L::%s', value, type) FROM fuzz.seed
UNION ALL
SELECT 'mlmeta.histogram', i > 3,
	format('(SELECT h FROM fuzz.histograms LIMIT 1 OFFSET %s)', i)
FROM generate_series(0, 13) AS i
UNION ALL
SELECT 'mlmeta.frequency_table', i > 1,
	format('(SELECT f FROM fuzz.tables LIMIT 1 OFFSET %s)', i)
FROM generate_series(0, 4) AS i
UNION ALL
SELECT v.type::regtype, v.odd, CASE WHEN element ~ '[(]' THEN element
	ELSE format('%L::%s', element, v.type) END
FROM (VALUES
	('boolean', false, ARRAY['true', 'false']),
	('integer', false, '{0,1,0,1,2,10}'),
	('integer', true, '{0,-1,100,2147483647,-2147483648}'),
	('bigint', false, '{1,2,10,1000,1000000}'),
	('bigint', true, '{0,-1,9223372036854775807,-9223372036854775808}'),
	('float8', false, '{0,1,0.5,0.05,0.95,0.7}'),
	('float8', true, '{-0,-1,3.5,10,1e-300,1e300,1.7976931348623157e308,5e-324,NaN,Infinity,-Infinity}'),
	('numeric', false, '{0,1,0.5}'),
	('numeric', true, '{-1,1e400,NaN,Infinity}'),
	-- No options, and what is asked for as an option or a name somewhere
	('text', false, array_fill(''::text, ARRAY[10])),
	('text', false, ARRAY['key 1', 'x', 'i', 't', 'less', 'two-sided', 'exact',
		'asymptotic', 'auto', 'micro', 'equal_width', 'reader', 'm:a', 'dataset:orders', 'default',
		'alternative=less', 'method=exact', 'bins=10 epsilon=0.001', 'base=2',
		'permutations=20 seed=1', 'features=8 seed=1', 'kernel=rbf gamma=2',
		'target=0.5 slack=1', 'min_instances=1', 'window_size=10 stat_size=3',
		'delta=0.002 clock=1', 'direction=up', 't=0.4,0.8', 'equal_variance=on']),
	('text', true, ARRAY['pearson', 'a', 'postgres', 'nobody', 'SELECT true',
		'model:m@champion', 'bins=0', 'yates=on', 'delta=0.5', 'threshold=0.1', 'base=0',
		'bins=NaN', 'no=such', ',=,', 'repeat(''é'', 100000)', 'chr(1)']),
	('text[]', false, ARRAY['{x,t}']),
	('text[]', true, ARRAY['{}', '{NULL}', '{a,b}', '{x,x}', '{{a,b},{c,d}}',
		'array_fill(''i''::text, ARRAY[20000])']),
	('boolean[]', false, ARRAY['{t,f,t}']),
	('boolean[]', true, ARRAY['{}', '{NULL}', '{{t,f},{f,t}}']),
	('integer[]', false, ARRAY['{1,1}', '{0,1}', '{1,2}', '{2,3}', '{1}']),
	('integer[]', true, ARRAY['{}', '{NULL}', '{-1,5}', '{{1,2},{3,4}}',
		'{2147483647,2147483647}', '[5:6]={0,1}', 'array_fill(2, ARRAY[1000])',
		'array_fill(2000000000, ARRAY[70])']),
	('bigint[]', false, ARRAY['{1}', '{1,2,3}', '{3,2,1}']),
	('bigint[]', true, ARRAY['{}', '{NULL}', '{1,1}', '{{1,2},{3,4}}',
		'{-9223372036854775808,9223372036854775807}', 'array_fill(7::bigint, ARRAY[3000])']),
	('float8[]', false, ARRAY['{1}', '{1,2,3}', '{0.1,0.5,0.9}', '{1,2,1,4,2,8}']),
	('float8[]', true, ARRAY['{}', '{NULL}', '{3,2,1}', '{1,1,1}', '{NaN,1}', '{0,0,0}',
		'{-Infinity,0,Infinity}', '{{1,2},{3,4}}', '[5:7]={1,2,3}', '{1e308,-1e308}',
		'{1,2,NULL,4}', '{5e-324,1e-310}', 'array_fill(1e300::float8, ARRAY[12])',
		'array_fill(0.5::float8, ARRAY[3000])',
		'ARRAY(SELECT i / 7.0::float8 FROM generate_series(1, 3000) AS i)']),
	('timestamptz[]', false, ARRAY['{2026-01-01}', '{2026-01-01,2026-01-02,2026-01-02}']),
	('timestamptz[]', true, ARRAY['{}', '{NULL}', '{2026-01-01,2026-01-02,infinity}',
		'{-infinity,4713-01-01 BC,294276-12-31}',
		'array_fill(''2026-01-01''::timestamptz, ARRAY[3000])']),
	('mlmeta.run[]', true, ARRAY['{}', '{NULL}', '{00000000-0000-0000-0000-000000000000}']),
	('timestamptz', false, '{2026-01-01}'),
	('timestamptz', true, '{infinity,-infinity,4713-01-01 BC,294276-12-31}'),
	('timestamp', true, '{2026-01-01,infinity,-infinity,4713-01-01 BC,294276-12-31}'),
	('interval', true, '{0,1 day,-1 day,1 month,178000000 years}'),
	('tstzrange', true, ARRAY['empty', '(,)', '[2026-01-01,2026-02-01)', '[-infinity,infinity]']),
	('jsonb', true, ARRAY['{}', '[]', 'null', '"x"', '{"a": 1}', '[1, "NaN", [2]]']),
	('bytea', false, ARRAY['\x000102030405060708090a0b0c0d0e0f',
		'mlmeta.pack_series(''{1,2,9}'', ''{2026-01-01,2026-01-02,2026-01-02}'', ''{1,NaN,3}'')']),
	('bytea', true, ARRAY['', '\x00', '\x0102030405060708090a', '\xffffffffffffffffffffffff',
		'decode(repeat(''ff'', 100000), ''hex'')', 'decode(repeat(''00'', 100000), ''hex'')']),
	('regclass', true, ARRAY['fuzz.rows', 'pg_catalog.pg_views',
		'pg_catalog.pg_class_oid_index', 'fuzz.parted', 'fuzz.counter', '0::oid::regclass']),
	('record', false, ARRAY['(SELECT r::record FROM fuzz.rows AS r LIMIT 1)',
		'(SELECT r::record FROM fuzz.rows AS r LIMIT 1 OFFSET 1)']),
	('record', true, ARRAY['ROW()', 'ROW(1, 2.5::float8, ''x''::text)', 'ROW(NULL::float8, true)',
		'ROW(''{1,NULL}''::float8[], ROW(1, ''a''::text), ''1 day''::interval)',
		'(SELECT c::record FROM pg_catalog.pg_class AS c LIMIT 1)',
		'(SELECT g::record FROM fuzz.grown AS g LIMIT 1)',
		'(SELECT g::record FROM fuzz.grown AS g LIMIT 1 OFFSET 1)'])
) AS v (type, odd, elements), unnest(v.elements) AS element;

CREATE TABLE fuzz.parted (at timestamptz, x float8) PARTITION BY RANGE (at);
CREATE SEQUENCE fuzz.counter;
-- Columns that are gone, and that came after the row
CREATE TABLE fuzz.grown (gone text, a "char", b float8, c text);
INSERT INTO fuzz.grown VALUES ('x', 'y', 1, 'z');
ALTER TABLE fuzz.grown DROP COLUMN gone;
ALTER TABLE fuzz.grown ADD COLUMN d text DEFAULT 'late', ADD COLUMN e numeric DEFAULT 1.5;
INSERT INTO fuzz.grown DEFAULT VALUES;

-- Summaries on common bins, with and without them
CREATE TABLE fuzz.histograms (h mlmeta.histogram);
INSERT INTO fuzz.histograms
WITH own AS MATERIALIZED (
	SELECT mlmeta.histogram(x, 20) AS h, mlmeta.histogram(NULL, 5) AS empty FROM fuzz.rows
), windows AS MATERIALIZED (
	SELECT g.n, mlmeta.histogram(r.x + g.n, own.h) AS h
	FROM fuzz.rows AS r, own, generate_series(0, 2) AS g (n) GROUP BY g.n
)
SELECT h FROM own
UNION ALL SELECT empty FROM own
UNION ALL SELECT h FROM windows
UNION ALL SELECT mlmeta.detach(h) FROM windows
UNION ALL SELECT mlmeta.histogram(v * 1e307, h) FROM own, generate_series(-9, 9) AS v GROUP BY h
UNION ALL SELECT mlmeta.histogram(x, 0, 10, 1000) FROM fuzz.rows
UNION ALL SELECT mlmeta.detach(mlmeta.histogram(x, 0, 10, 1000)) FROM fuzz.rows
UNION ALL SELECT mlmeta.histogram(sin(i), 240) FROM generate_series(1, 40000) AS i
UNION ALL SELECT mlmeta.histogram(1, 0, 10, 4, 9223372036854775807)
UNION ALL SELECT mlmeta.histogram('NaN', 3);
CREATE TABLE fuzz.tables (f mlmeta.frequency_table);
INSERT INTO fuzz.tables
WITH own AS MATERIALIZED (SELECT mlmeta.frequencies(t) AS f FROM fuzz.rows),
	of_window AS MATERIALIZED (
		SELECT mlmeta.frequencies(upper(r.t), own.f) AS f FROM fuzz.rows AS r, own)
SELECT f FROM own
UNION ALL SELECT f FROM of_window
UNION ALL SELECT mlmeta.detach(f) FROM of_window
UNION ALL SELECT mlmeta.frequencies(i::text) FROM generate_series(1, 5000) AS i
UNION ALL SELECT mlmeta.frequencies(repeat('é', i)) FROM generate_series(0, 300) AS i;

-- One row a type: choosing is an index into it.
CREATE TABLE fuzz.pool AS
SELECT a.type,
	array_agg(a.expression ORDER BY a.expression COLLATE "C") FILTER (WHERE NOT odd) AS plain,
	array_agg(a.expression ORDER BY a.expression COLLATE "C") FILTER (WHERE odd) AS odd
FROM fuzz.argument AS a GROUP BY a.type;
UPDATE fuzz.pool SET plain = coalesce(plain, odd), odd = coalesce(odd, plain);
ALTER TABLE fuzz.pool ADD PRIMARY KEY (type);

-- NULL when there is nothing of that type to choose from
CREATE FUNCTION fuzz.argument(of_type oid, oddness float8) RETURNS text
LANGUAGE sql VOLATILE
BEGIN ATOMIC
	SELECT CASE WHEN random() < oddness / 5 THEN format('NULL::%s', p.type)
		WHEN random() < oddness THEN p.odd[1 + fuzz.below(cardinality(p.odd))]
		ELSE p.plain[1 + fuzz.below(cardinality(p.plain))] END
	FROM fuzz.pool AS p WHERE p.type = of_type;
END;

-- Functions -----------------------------------------------------------------------

-- Steps that an aggregate takes when workers share it, as aggregates of states
SELECT format('CREATE AGGREGATE fuzz.%I(%s) (SFUNC = %s.%I, STYPE = %2$s)',
	'combine with ' || min(p.proname), a.aggtranstype::regtype,
	p.pronamespace::regnamespace, p.proname) AS made
FROM pg_aggregate AS a JOIN pg_proc AS p ON p.oid = a.aggcombinefn
	JOIN pg_proc AS f ON f.oid = a.aggfnoid
WHERE f.pronamespace = 'mlmeta'::regnamespace
	AND a.aggtranstype <> 'internal'::regtype
	AND p.prolang = (SELECT oid FROM pg_language WHERE lanname = 'c')
GROUP BY p.oid, p.proname, p.pronamespace, a.aggtranstype
\gexec

CREATE TABLE fuzz.callee AS
SELECT p.oid, p.oid::regprocedure::text AS signature, p.prokind,
	format('%I.%I', p.pronamespace::regnamespace, p.proname) AS name,
	p.proargtypes::oid[] AS types
FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
WHERE (p.pronamespace = 'mlmeta'::regnamespace
		AND (p.prokind = 'a' OR l.lanname = 'c')
		OR p.pronamespace = 'fuzz'::regnamespace AND p.prokind = 'a')
	AND p.pronargs > 0
	AND NOT p.proargtypes::oid[] && ARRAY['internal', 'cstring']::regtype[]::oid[];

CREATE FUNCTION fuzz.statement(callee fuzz.callee) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	oddness float8 := (ARRAY[0, 0.2, 0.7])[1 + fuzz.below(3)];
	columns text;
	lines text[] := '{}';
	line text;
	-- Most often all rows have the same second argument, as callers mean it,
	-- now and then the same first one.
	constant_ones text[];
BEGIN
	IF callee.prokind = 'f' THEN
		RETURN (SELECT format('SELECT count(r::text) FROM %s(%s) AS r',
				callee.name, string_agg(fuzz.argument(type, oddness), ', ' ORDER BY n))
			FROM unnest(callee.types) WITH ORDINALITY AS u (type, n));
	END IF;
	SELECT array_agg(CASE WHEN random() < CASE WHEN n > 1 THEN 0.9 ELSE 0.2 END
		THEN fuzz.argument(type, oddness) END ORDER BY n)
	INTO constant_ones
	FROM unnest(callee.types) WITH ORDINALITY AS u (type, n)
	WHERE callee.name NOT LIKE 'fuzz.%';
	FOR i IN 1 .. 1 + fuzz.below(CASE WHEN random() < 0.2 THEN 60 ELSE 6 END) LOOP
		SELECT string_agg(CASE WHEN type = 'boolean'::regtype
				THEN format('%L::boolean', random() < 0.5)
				ELSE coalesce(constant_ones[n], fuzz.argument(type, oddness)) END,
			', ' ORDER BY n)
		INTO line
		FROM unnest(callee.types) WITH ORDINALITY AS u (type, n);
		lines := lines || format('(%s)', line);
	END LOOP;
	SELECT string_agg('c' || n, ', ') INTO columns
	FROM generate_series(1, cardinality(callee.types)) AS n;
	RETURN format('SELECT count(r::text) FROM (
		SELECT %s(%s)%s AS r FROM (VALUES %s) AS v (%2$s)) AS q',
		callee.name, columns,
		CASE WHEN random() < 0.3
			THEN ' OVER (ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)' ELSE '' END,
		array_to_string(lines, ', '));
END
$$;

CREATE FUNCTION fuzz.call(function oid, rounds int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	callee fuzz.callee;
	statement text;
	state text;
	message text;
BEGIN
	SELECT * INTO STRICT callee FROM fuzz.callee AS c WHERE c.oid = function;
	FOR i IN 1 .. rounds LOOP
		statement := fuzz.statement(callee);
		IF statement IS NULL THEN
			RAISE 'no arguments for %', callee.signature;
		END IF;
		BEGIN
			EXECUTE statement;
			state := 'accepted';
			message := '';
		EXCEPTION WHEN OTHERS THEN
			state := SQLSTATE;
			message := SQLERRM;
		END;
		INSERT INTO fuzz.outcome AS o
		VALUES (callee.signature, state, 1, left(statement, 3000), message)
		ON CONFLICT ON CONSTRAINT outcome_pkey DO UPDATE SET n = o.n + 1;
	END LOOP;
	INSERT INTO fuzz.finished VALUES (function);
END
$$;

SELECT setseed(:seed);
-- So that what depends on snapshots does all its work
SET default_transaction_isolation = 'repeatable read';
SELECT set_config('statement_timeout', (2 * :rounds) || 's', false);
\set ON_ERROR_STOP off
SELECT format('SELECT fuzz.call(%s, %s)', oid, :rounds)
FROM fuzz.callee ORDER BY signature COLLATE "C"
\gexec
