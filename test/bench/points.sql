-- A run of a million points and a lineage graph of 100,000 edges: latest values
-- of 500 metrics against reading all points, `upstream` against a recursive
-- query, in CPU time. All in a transaction that is rolled back.

\ir common.psql

BEGIN;
SELECT setseed(0.5) \g /dev/null
-- Latest values of 500 metrics of a run with a million points.
SELECT start_run('bench_points') AS points_run \gset
INSERT INTO metric_series (run, key) SELECT :'points_run', 'metric ' || i FROM generate_series(1, 500) AS i;
INSERT INTO run_metrics (series, step, at, value)
SELECT s.series, i, now() + i * interval '1 second', (random() * 2)::numeric(8,4)
FROM metric_series AS s CROSS JOIN generate_series(1, 2000) AS i WHERE s.run = :'points_run';
ANALYZE metric_series, run_metrics, metric_chunks;
SELECT jsonb_build_object('suite', 'points', 'name', 'bytes a point: rows with index', 'rows', count(*), 'bytes',
	round((pg_relation_size('run_metrics') + pg_relation_size('run_metrics_series')) / count(*)::numeric, 1)) FROM run_metrics;
SELECT pg_temp.bench('points', 1000000, format($$
	SELECT count(*) FROM (SELECT DISTINCT ON (s.key) s.key, m.value
		FROM metric_series AS s JOIN run_metrics AS m USING (series)
		WHERE s.run = %L ORDER BY s.key, m.step DESC, m.at DESC) AS l $$, :'points_run'),
	jsonb_build_object('latest of 500 metrics, rows', format('SELECT count(*), sum(value) FROM metric_latest WHERE run = %L', :'points_run')), '{}', 3);
SELECT experiment_id AS experiment FROM experiments WHERE experiment = 'bench_points' \gset

-- Lineage: 20 layers of 1,700 artifacts; each run uses two and makes one.
CREATE TEMPORARY TABLE graph AS
SELECT l, n, new_run() AS run FROM generate_series(1, 20) AS l, generate_series(0, 1699) AS n;
INSERT INTO artifacts (artifact)
SELECT artifact('bench', l || '.' || n) FROM generate_series(0, 20) AS l, generate_series(0, 1699) AS n;
INSERT INTO runs (run, experiment_id, started_at) SELECT run, :experiment, now() FROM graph;
INSERT INTO run_artifacts (run, artifact, direction)
SELECT run, artifact('bench', (l - 1) || '.' || (n * 7 % 1700)), 'used' FROM graph
UNION SELECT run, artifact('bench', (l - 1) || '.' || ((n * 13 + 1) % 1700)), 'used' FROM graph
UNION SELECT run, artifact('bench', l || '.' || n), 'produced' FROM graph;
ANALYZE run_artifacts, artifacts;
SELECT count(*) AS edges FROM run_artifacts \gset
SELECT pg_temp.bench('points', :edges, $$
	WITH RECURSIVE up (run, artifact, depth, via) AS (
		SELECT NULL::run, artifact('bench', '20.0'), 0, NULL::text
		UNION
		SELECT e.run, e.artifact, up.depth + 1, coalesce(up.run::text, up.artifact::text)
		FROM up CROSS JOIN LATERAL (
			SELECT x.run, NULL::artifact AS artifact FROM run_artifacts AS x
			WHERE x.artifact = up.artifact AND x.direction = 'produced'
			UNION ALL
			SELECT NULL, x.artifact FROM run_artifacts AS x
			WHERE x.run = up.run AND x.direction = 'used') AS e
	)
	SELECT count(*) FROM (SELECT DISTINCT ON (node) coalesce(run::text, artifact::text) AS node, depth, via
		FROM up ORDER BY 1, 2, 3) AS n $$,
	'{"upstream": "SELECT count(*) FROM upstream(''bench:20.0'')"}', '{"upstream": 1}');
ROLLBACK;
