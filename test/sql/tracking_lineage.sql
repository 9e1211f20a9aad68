-- Lineage: edges, traversal both ways, cycles, limits.
SET search_path = public, mlmeta;
\set etl '00000000-0000-7000-8002-000000000001'
\set train '00000000-0000-7000-8002-000000000002'
\set eval '00000000-0000-7000-8002-000000000003'

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
	RETURN concat_ws(E'\n', code || ' ' || message, regexp_replace(nullif(detail, ''), 'Near are: .*', 'Near are: ...'),
		regexp_replace(nullif(hint, ''), 'Near are: .*', 'Near are: ...'));
END $$;

-- Raw data, a preparation, a training, an evaluation.
SELECT start_run('lineage', id => r::uuid::run)
FROM unnest(ARRAY[:'etl', :'train', :'eval']) AS r;
SELECT use_artifact(:'etl', 'dataset:raw:v1');
SELECT log_artifact(:'etl', 'dataset:features:v1', 's3://lake/features/1');
SELECT use_artifact(:'train', 'dataset:features:v1', 'training');
SELECT use_artifact(:'train', 'dataset:holdout:v1', 'validation');
SELECT log_artifact(:'train', 'model:lineage:v1', 's3://models/1', 'final');
SELECT log_artifact(:'train', 'model:lineage:v1', 's3://copy/1', 'copy');
SELECT use_artifact(:'eval', 'model:lineage:v1');
SELECT use_artifact(:'eval', 'dataset:holdout:v1');
SELECT log_artifact(:'eval', 'report:lineage:v1');

-- The same edge again is nothing.
SELECT use_artifact(:'etl', 'dataset:raw:v1');
SELECT artifact, direction, role, uri FROM run_artifacts
WHERE run IN (:'etl', :'train', :'eval') ORDER BY run, direction, artifact, role;
SELECT artifact, kind, name, version, digest, uri FROM artifacts
WHERE name IN ('raw', 'features', 'lineage') ORDER BY artifact;

-- Both ways, from each kind of node, with the depth limited.
SELECT * FROM upstream('report:lineage:v1');
SELECT * FROM upstream(:'train'::run);
SELECT * FROM upstream('model:lineage:v1'::artifact, 2);
SELECT * FROM downstream('dataset:raw:v1');
SELECT * FROM downstream('dataset:raw:v1', 1);
SELECT * FROM downstream('run_0000000000e00800g000000002');
SELECT count(*) FROM upstream('dataset:raw:v1');
SELECT error_of($$SELECT downstream('model:unknown:v1')$$);
SELECT count(*) FROM upstream('report:lineage:v1', 0);
SELECT error_of($$SELECT upstream('report:lineage:v1', max_nodes => 3)$$);
SELECT error_of($$SELECT upstream('report:lineage:v1', -1)$$);
SELECT error_of($$SELECT upstream('run_nonsense')$$);
SELECT error_of($$SELECT upstream('no kind:')$$);

-- Which data version is behind which model, and back, in one look.
SELECT node FROM downstream('dataset:raw:v1')
WHERE node LIKE 'model:%';
SELECT data_versions, produced FROM run_overview WHERE run = :'train';
SELECT source, target, role FROM lineage_edges WHERE run = :'train'
ORDER BY source, target, role;

-- Cycles are refused, short and long, and leave no edge behind.
SELECT error_of($$SELECT log_artifact('00000000-0000-7000-8002-000000000001',
	'dataset:raw:v1')$$);
SELECT error_of($$SELECT use_artifact('00000000-0000-7000-8002-000000000001',
	'dataset:features:v1')$$);
SELECT error_of($$SELECT use_artifact('00000000-0000-7000-8002-000000000001',
	'report:lineage:v1')$$);
SELECT error_of($$SELECT log_artifact('00000000-0000-7000-8002-000000000003',
	'dataset:raw:v1')$$);
SELECT count(*) FROM run_artifacts WHERE run IN (:'etl', :'train', :'eval');

-- The same content made twice is no cycle.
SELECT log_artifact(:'eval', 'dataset:features:v2');
SELECT log_artifact(:'train', 'dataset:features:v2');
SELECT depth, node, via FROM upstream('dataset:features:v2', 1);

-- Bad input.
SELECT error_of($$SELECT use_artifact('00000000-0000-7000-8002-000000000001',
	'orders')$$);
SELECT error_of($$SELECT use_artifact('00000000-0000-7000-8002-000000000001',
	NULL)$$);
SELECT error_of($$SELECT use_artifact('00000000-0000-7000-8002-000000000001',
	'dataset:x', E'a\nb')$$);
SELECT error_of($$SELECT use_artifact('00000000-0000-7000-8002-0000000000ff',
	'dataset:x')$$);
SELECT error_of($$UPDATE artifact_copies SET created_by = 'x'
	WHERE name = 'raw'$$);
SELECT error_of($$UPDATE run_artifacts SET role = 'x'$$);
SELECT finish_run(:'etl');
SELECT error_of($$SELECT log_artifact('00000000-0000-7000-8002-000000000001',
	'dataset:late')$$);

-- A random acyclic graph: both searches equal a plain recursive query.
CREATE TEMP TABLE random_edges AS
SELECT setseed(0.25)::text, NULL::int AS a, NULL::int AS b LIMIT 0;
SELECT setseed(0.25);
INSERT INTO random_edges (a, b)
SELECT DISTINCT ON (low, high) low, high
FROM (SELECT least(a, b) AS low, greatest(a, b) AS high
	FROM (SELECT (random() * 60)::int AS a, (random() * 60)::int AS b
		FROM generate_series(1, 150)) AS r
	WHERE a <> b) AS e;
-- Each edge a -> b becomes: a run that uses artifact a and produces b.
SELECT count(use_artifact(r.run, artifact('node', r.a::text)))
	+ count(log_artifact(r.run, artifact('node', r.b::text))) > 0 AS logged
FROM (SELECT start_run('random') AS run, a, b FROM random_edges) AS r;
WITH RECURSIVE reached AS (
	SELECT a AS origin, b AS node FROM random_edges
	UNION
	SELECT r.origin, e.b FROM reached AS r JOIN random_edges AS e ON e.a = r.node
), found AS (
	SELECT n AS origin, name(d.node::artifact)::int AS node
	FROM generate_series(0, 60) AS n
		CROSS JOIN LATERAL downstream(artifact('node', n::text)) AS d
	WHERE NOT mlmeta_internal.is_run(d.node)
), back AS (
	SELECT name(u.node::artifact)::int AS origin, n AS node
	FROM generate_series(0, 60) AS n
		CROSS JOIN LATERAL upstream(artifact('node', n::text)) AS u
	WHERE NOT mlmeta_internal.is_run(u.node)
)
SELECT (SELECT count(*) > 100 FROM reached) AS many,
	(SELECT count(*) FROM (TABLE reached EXCEPT TABLE found) AS x) AS missed,
	(SELECT count(*) FROM (TABLE found EXCEPT TABLE reached) AS x) AS invented,
	(SELECT count(*) FROM (TABLE reached EXCEPT TABLE back) AS x) AS missed_back,
	(SELECT count(*) FROM (TABLE back EXCEPT TABLE reached) AS x) AS invented_back;

DROP FUNCTION error_of(text);
