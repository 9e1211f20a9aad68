-- Data versions: snapshots of tables and queries, keys, copies, change.
SET search_path = public, mlmeta;

-- What a statement raises: SQLSTATE, message, detail, hint.
CREATE FUNCTION error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	code text; message text; detail text; hint text;
BEGIN
	EXECUTE statement;
	RETURN 'none';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n', code || ' ' || message, nullif(detail, ''),
		regexp_replace(nullif(hint, ''), 'Near are: .*', 'Near are: ...'));
END $$;

CREATE TABLE orders (id int PRIMARY KEY, customer text, total numeric);
INSERT INTO orders
SELECT i, 'c' || i % 10, i * 1.5 FROM generate_series(1, 100) AS i;

-- A table and a query; the version is the fingerprint of the rows.
SELECT snapshot_dataset('orders', 'orders') AS whole \gset
SELECT kind(:'whole'), name(:'whole'::artifact), digest(:'whole') =
	(SELECT fingerprint(o) FROM orders AS o) AS is_fingerprint;
SELECT dataset, row_count, relation, columns, key_columns, copy_table,
	user_name = session_user AS mine, used_by
FROM dataset_overview WHERE artifact = :'whole';
SELECT snapshot_dataset('small', 'SELECT id, total FROM orders WHERE id <= 10;', 'v1')
	AS part \gset
-- From 16 on, the server leaves out the table's name where there is but one.
SELECT v AS version, source, columns, row_count,
	regexp_replace(replace(query, 'orders.', ''), '\s+', ' ', 'g') AS query
FROM dataset_snapshots JOIN LATERAL version(artifact) AS v ON true
WHERE artifact = :'part';

-- The same rows are the same version, in any order, from any table.
CREATE TABLE shuffled AS SELECT * FROM orders ORDER BY md5(id::text);
SELECT snapshot_dataset('orders', 'shuffled') = :'whole' AS same;
SELECT snapshot_dataset('orders', 'SELECT * FROM orders') = :'whole' AS same;
SELECT count(*) FROM dataset_snapshots WHERE artifact = :'whole';

-- A profile of the rows, from the same scan: what the data looked like then.
SELECT feature, kind, n, minimum, maximum, mean
FROM dataset_snapshots AS s, columns(s.profile) WHERE s.artifact = :'part';
SELECT feature, measure, round(statistic::numeric, 3) AS statistic, status
FROM dataset_snapshots AS r, dataset_snapshots AS c, drift(r.profile, c.profile)
WHERE r.artifact = :'part' AND c.source = 'shuffled' AND is_primary
	AND feature = 'total';
-- A column may have the name that the row has inside.
CREATE TABLE letters (d text, s int);
INSERT INTO letters VALUES ('x', 1), ('y', 2);
SELECT digest(snapshot_dataset('letters', 'letters', keys => '{d}')) =
	(SELECT fingerprint(l) FROM letters AS l) AS is_fingerprint;
DROP TABLE letters;

-- Whether the source is still what it was.
SELECT dataset_is_current(:'part');
UPDATE orders SET total = 1.50 WHERE id = 1;
SELECT dataset_is_current(:'part') AS numeric_scale_is_no_change;
UPDATE orders SET total = 2 WHERE id = 1;
SELECT dataset_is_current(:'part');
UPDATE orders SET total = 1.5 WHERE id = 1;
SELECT dataset_is_current(:'part');
SELECT snapshot_dataset('whole orders', 'orders') AS whole \gset
ALTER TABLE orders ADD COLUMN note text;
SELECT dataset_is_current(:'whole'), dataset_is_current(:'part');
ALTER TABLE orders DROP COLUMN note;
SELECT error_of($$SELECT dataset_is_current('dataset:none')$$);

-- The query means the same under any path.
CREATE SCHEMA elsewhere;
CREATE TABLE elsewhere.orders (id int, total numeric);
SET search_path = elsewhere, public, mlmeta;
SELECT dataset_is_current(:'part');
SET search_path = public, mlmeta;

-- A copy of the rows, and their keys.
SELECT snapshot_dataset('kept', 'SELECT * FROM orders WHERE id <= 20',
	keys => '{customer}', copy_to => 'orders_frozen') AS kept \gset
SELECT count(*) FROM orders_frozen;
SELECT row_count, key_columns, copy_table FROM dataset_overview
WHERE artifact = :'kept';
SELECT fingerprint(f) = digest(:'kept') AS copy_is_it FROM orders_frozen AS f;
SELECT count(*), min(row_key), max(row_key) FROM dataset_rows AS r
	JOIN dataset_snapshots AS s USING (snapshot) WHERE s.artifact = :'kept';
SELECT snapshot_dataset('pairs', 'orders', keys => '{id,customer}') AS pairs \gset
SELECT row_key FROM dataset_rows AS r
	JOIN dataset_snapshots AS s USING (snapshot)
WHERE s.artifact = :'pairs' AND row_key LIKE '[100,%';

-- Which models saw this customer's rows, and which of the business's
-- customers they are.
SELECT start_run('saw') AS run \gset
SELECT use_artifact(:'run', :'kept') = :'kept' AS used;
SELECT log_artifact(:'run', 'model:saw:v1');
SELECT model, dataset_version = :'kept' AS by_kept, depth
FROM models_that_saw('c3');
SELECT count(*) FROM models_that_saw('c3', 'other');
SELECT count(*) FROM models_that_saw('nobody');

-- Empty and odd sources.
SELECT snapshot_dataset('empty', 'SELECT * FROM orders WHERE false') AS none \gset
SELECT row_count, dataset_is_current(artifact) FROM dataset_snapshots
WHERE artifact = :'none';
SELECT snapshot_dataset('values', 'VALUES (1, ''a''), (2, ''b'')') IS NOT NULL AS taken;
SELECT snapshot_dataset('with', E'-- a comment\nWITH w AS (SELECT 1 AS x) SELECT * FROM w -- end')
	IS NOT NULL AS taken;
CREATE TEMP TABLE short_lived AS SELECT 1 AS x;
SELECT snapshot_dataset('temporary', 'short_lived') AS temporary \gset
SELECT dataset_is_current(:'temporary');
DROP TABLE short_lived;
SELECT dataset_is_current(:'temporary');

-- One query and nothing else.
SELECT error_of($$SELECT snapshot_dataset('x', 'SELECT 1; DROP TABLE orders')$$);
SELECT error_of($$SELECT snapshot_dataset('x', 'SELECT 1) AS d; DROP TABLE orders; SELECT (1')$$);
SELECT error_of($$SELECT snapshot_dataset('x', 'WITH d AS (DELETE FROM orders RETURNING *) SELECT * FROM d')$$);
SELECT error_of($$SELECT snapshot_dataset('x', 'SELECT 1 INTO y')$$);
SELECT error_of($$SELECT snapshot_dataset('x', 'no_such_table')$$);
SELECT error_of($$SELECT snapshot_dataset('x', 'DELETE FROM orders')$$);
SELECT error_of($$SELECT snapshot_dataset('x', 'SELECT nothing FROM orders')$$);
SELECT error_of($$SELECT snapshot_dataset('x', NULL)$$);
SELECT error_of($$SELECT snapshot_dataset('x', '')$$);
SELECT error_of($$SELECT snapshot_dataset('x', '-- nothing')$$);
SELECT error_of($$SELECT snapshot_dataset('x', 'orders;')$$);
SELECT error_of($$SELECT snapshot_dataset('x', 'orders_pkey')$$);
SELECT error_of($$SELECT snapshot_dataset('x', 'a.b.c.d')$$);
SELECT error_of($$SELECT snapshot_dataset('x', 'EXPLAIN SELECT 1')$$);
SELECT error_of($$SELECT snapshot_dataset('x', 'SELECT 1 AS x, 2 AS x')$$);
SELECT error_of($$SELECT snapshot_dataset('x', 'SELECT $1')$$);
SELECT error_of($$SELECT snapshot_dataset('x', 'SELECT FROM orders')$$);
SELECT error_of($$SELECT snapshot_dataset('x', 'SELECT 1 / 0 AS x')$$);
SELECT snapshot_dataset('comment', '/* a comment */ SELECT 1 AS x') IS NOT NULL AS taken;
SELECT error_of($$SELECT snapshot_dataset(NULL, 'orders')$$);
SELECT error_of($$SELECT snapshot_dataset('x', 'orders', keys => '{nokey}')$$);
SELECT error_of($$SELECT snapshot_dataset('x', 'orders', copy_to => 'orders')$$);
SELECT count(*) FROM orders;
SELECT to_regclass('pg_temp.mlmeta_dataset_source') IS NULL AS tidy;

-- Nobody runs the query of another: it could do anything with his rights.
CREATE ROLE regress_mlmeta_analyst;
GRANT USAGE ON SCHEMA mlmeta TO regress_mlmeta_analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA mlmeta TO regress_mlmeta_analyst;
GRANT SELECT ON orders TO regress_mlmeta_analyst;
SET ROLE regress_mlmeta_analyst;
SELECT error_of(format('SELECT dataset_is_current(%L)', artifact))
	LIKE '42501 the query of dataset%' AS refused
FROM dataset_snapshots WHERE artifact = :'part';
SELECT dataset_is_current(:'whole');
RESET ROLE;
DROP OWNED BY regress_mlmeta_analyst;
DROP ROLE regress_mlmeta_analyst;

DROP TABLE orders, shuffled, orders_frozen;
SELECT dataset_is_current(:'whole');
DROP SCHEMA elsewhere CASCADE;
-- Several people take a snapshot of the same rows: it is current as long as one
-- that the caller may read holds them; what is gone is false.
CREATE ROLE regress_mlmeta_ann;
CREATE ROLE regress_mlmeta_bob;
GRANT USAGE ON SCHEMA mlmeta TO regress_mlmeta_ann, regress_mlmeta_bob;
GRANT EXECUTE ON FUNCTION snapshot_dataset TO regress_mlmeta_ann, regress_mlmeta_bob;
CREATE TABLE shared AS SELECT i AS id FROM generate_series(1, 10) AS i;
CREATE TABLE shared_copy AS TABLE shared;
GRANT SELECT ON shared, shared_copy TO regress_mlmeta_ann, regress_mlmeta_bob;
SET SESSION AUTHORIZATION regress_mlmeta_ann;
SELECT snapshot_dataset('q', 'SELECT * FROM shared WHERE id > 5') AS q, snapshot_dataset('t', 'shared') AS t \gset
SELECT dataset_is_current(:'q') AS query, dataset_is_current(:'t') AS of_table;
SET SESSION AUTHORIZATION regress_mlmeta_bob;
SELECT snapshot_dataset('q', 'SELECT * FROM shared WHERE id > 5') = :'q' AS same, snapshot_dataset('t', 'shared_copy') = :'t' AS same;
RESET SESSION AUTHORIZATION;
DROP TABLE shared_copy;
SET SESSION AUTHORIZATION regress_mlmeta_ann;
SELECT dataset_is_current(:'q') AS query, dataset_is_current(:'t') AS of_table;
SET SESSION AUTHORIZATION regress_mlmeta_bob;
SELECT dataset_is_current(:'q') AS query, dataset_is_current(:'t') AS of_table;
RESET SESSION AUTHORIZATION;
-- Where rows are hidden from who asks the answer is not false.
ALTER TABLE shared ENABLE ROW LEVEL SECURITY;
CREATE POLICY odd ON shared TO regress_mlmeta_bob USING (id % 2 = 1);
CREATE POLICY all_of_it ON shared TO regress_mlmeta_ann USING (true);
SET SESSION AUTHORIZATION regress_mlmeta_ann;
SELECT dataset_is_current(:'t');
SET SESSION AUTHORIZATION regress_mlmeta_bob;
SELECT error_of(format($$SELECT dataset_is_current(%L)$$, :'t')) LIKE '42501 %The dataset is %' AS refused;
RESET SESSION AUTHORIZATION;
DROP TABLE shared;
SET SESSION AUTHORIZATION regress_mlmeta_ann;
SELECT dataset_is_current(:'t');
RESET SESSION AUTHORIZATION;
DROP OWNED BY regress_mlmeta_ann, regress_mlmeta_bob;
DROP ROLE regress_mlmeta_ann, regress_mlmeta_bob;

DROP FUNCTION error_of(text);
