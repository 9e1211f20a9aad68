-- Tracking over 100,000 runs of one experiment, a run of a million points and a
-- lineage graph of 100,000 edges. CPU time against the same question asked of
-- tables as MLflow 3 makes them, or of a recursive query. All in a transaction
-- that is rolled back.

\ir common.psql
\if :{?runs}
\else
\set runs 100000
\endif

BEGIN;
SELECT setseed(0.5) \g /dev/null
INSERT INTO projects (project) VALUES ('default') ON CONFLICT DO NOTHING;
INSERT INTO experiments (experiment) VALUES ('bench') RETURNING experiment_id AS experiment \gset

CREATE TEMPORARY TABLE made AS
SELECT i, new_run() AS run, random() AS auc, random() AS loss, random() < 0.01 AS no_number
FROM generate_series(1, :runs) AS i;
INSERT INTO runs (run, experiment_id, name, status, started_at, finished_at)
SELECT run, :experiment, 'run ' || i, 'finished', '2024-01-01'::timestamptz + i * interval '1 minute',
	'2024-01-01'::timestamptz + (i + 50) * interval '1 minute' FROM made;
INSERT INTO run_results (run, params, metrics, signature)
SELECT run, jsonb_build_object('lr', round((i % 97) / 1000.0, 3), 'depth', i % 12, 'model',
		CASE i % 3 WHEN 0 THEN 'xgb' WHEN 1 THEN 'mlp' ELSE 'linear' END, 'seed', i,
		'optimizer', CASE i % 2 WHEN 0 THEN 'adam' ELSE 'sgd' END),
	jsonb_build_object('auc', CASE WHEN no_number THEN 'NaN' ELSE auc END, 'loss', loss, 'epoch', i % 100),
	sha256(i::text::bytea) FROM made;
INSERT INTO run_metric_summaries (run, experiment_id, key, context, n, nan_count, minimum, maximum,
	last_step, last_at, last_value, higher_is_better)
SELECT run, :experiment, k.key, '', 10, 0, k.value - 0.01, k.value + 0.01, 10, now(), k.value, k.key <> 'loss'
FROM made CROSS JOIN LATERAL (VALUES
	('auc', CASE WHEN no_number THEN 'NaN' ELSE auc END), ('loss', loss), ('epoch', i % 100)) AS k (key, value);

-- Their points, too: what is asked of the best runs must not look at them.
INSERT INTO metric_series (run, key) SELECT run, k FROM made, unnest(ARRAY['auc', 'loss', 'epoch']) AS k;
INSERT INTO run_metrics (series, step, at, value)
SELECT series, i, '2024-01-01', 0.5 FROM metric_series, generate_series(1, 3) AS i;
ANALYZE metric_series, run_metrics;

-- What MLflow's own tables hold of the same runs.
CREATE TEMPORARY TABLE mlflow_runs (
	run_uuid varchar(32) PRIMARY KEY, name varchar(250), status varchar(9), start_time bigint,
	end_time bigint, lifecycle_stage varchar(20), experiment_id int);
CREATE TEMPORARY TABLE mlflow_latest_metrics (
	key varchar(250), value float8 NOT NULL, "timestamp" bigint, step bigint NOT NULL,
	is_nan boolean NOT NULL, run_uuid varchar(32), PRIMARY KEY (key, run_uuid));
CREATE INDEX ON mlflow_latest_metrics (run_uuid);
CREATE TEMPORARY TABLE mlflow_params (
	key varchar(250), value varchar(8000) NOT NULL, run_uuid varchar(32), PRIMARY KEY (key, run_uuid));
CREATE INDEX ON mlflow_params (run_uuid);
INSERT INTO mlflow_runs SELECT replace(run::uuid::text, '-', ''), 'run ' || i, 'FINISHED', i, i + 1, 'active', 1 FROM made;
INSERT INTO mlflow_latest_metrics
SELECT k.key, k.value, 0, 10, k.is_nan, replace(run::uuid::text, '-', '')
FROM made CROSS JOIN LATERAL (VALUES ('auc', CASE WHEN no_number THEN 0 ELSE auc END, no_number),
	('loss', loss, false), ('epoch', i % 100, false)) AS k (key, value, is_nan);
INSERT INTO mlflow_params
SELECT p.key, p.value, replace(m.run::uuid::text, '-', '')
FROM made AS m JOIN run_results AS r USING (run) CROSS JOIN LATERAL jsonb_each_text(r.params) AS p;
ANALYZE runs, run_results, run_metric_summaries, mlflow_runs, mlflow_latest_metrics, mlflow_params;

-- The yardstick is MLflow's question; a ratio of 0.05 is 20 times as fast.
SELECT pg_temp.bench('tracking', :runs, $$
	SELECT r.* FROM mlflow_runs AS r
		LEFT JOIN (SELECT run_uuid, value, is_nan FROM mlflow_latest_metrics WHERE key = 'auc') AS m
			ON m.run_uuid = r.run_uuid
	WHERE r.experiment_id = 1 AND r.lifecycle_stage = 'active'
	ORDER BY CASE WHEN m.is_nan THEN 1 WHEN m.value IS NULL THEN 2 ELSE 0 END, m.value DESC, r.start_time DESC, r.run_uuid
	LIMIT 50
$$, '{"50 best runs by last value": "SELECT * FROM best_runs(''bench'', ''auc'', 50, ''last'')",
	"50 best runs by best value": "SELECT * FROM best_runs(''bench'', ''auc'')"}',
	'{"50 best runs by last value": 0.05, "50 best runs by best value": 0.05}');

SELECT pg_temp.bench('tracking', :runs, $$
	SELECT r.run_uuid FROM mlflow_runs AS r
		JOIN mlflow_params AS p ON p.run_uuid = r.run_uuid AND p.key = 'lr' AND p.value = '0.05'
		JOIN mlflow_latest_metrics AS m ON m.run_uuid = r.run_uuid AND m.key = 'loss' AND m.value < 0.1
	WHERE r.experiment_id = 1 AND r.lifecycle_stage = 'active'
$$, '{"runs by parameter and metric": "SELECT run FROM run_overview WHERE experiment = ''bench'' AND params @> ''{\"lr\": 0.05}'' AND (metrics ->> ''loss'')::float8 < 0.1",
	"runs by tag": "SELECT run FROM run_overview WHERE experiment = ''bench'' AND tags ? ''none''",
	"runs by data version": "SELECT run FROM run_overview WHERE experiment = ''bench'' AND ''dataset:none'' = ANY (data_versions)",
	"runs by cost": "SELECT run FROM run_overview WHERE experiment = ''bench'' AND cost > 10",
	"runs by name": "SELECT run FROM run_overview WHERE experiment = ''bench'' AND name LIKE ''%77%''"}', '{}', 3);

-- Latest values of 500 metrics of a run with a million points, as rows and packed.
SELECT start_run('bench_points') AS points_run \gset
INSERT INTO metric_series (run, key) SELECT :'points_run', 'metric ' || i FROM generate_series(1, 500) AS i;
INSERT INTO run_metrics (series, step, at, value)
SELECT s.series, i, now() + i * interval '1 second', (random() * 2)::numeric(8,4)
FROM metric_series AS s CROSS JOIN generate_series(1, 2000) AS i WHERE s.run = :'points_run';
ANALYZE metric_series, run_metrics, metric_chunks;
SELECT jsonb_build_object('suite', 'tracking', 'name', 'bytes a point: rows with index', 'rows', count(*), 'bytes',
	round((pg_relation_size('run_metrics') + pg_relation_size('run_metrics_series')) / count(*)::numeric, 1)) FROM run_metrics;
SELECT pg_temp.bench('tracking', 1000000, format($$
	SELECT count(*) FROM (SELECT DISTINCT ON (s.key) s.key, m.value
		FROM metric_series AS s JOIN run_metrics AS m USING (series)
		WHERE s.run = %L ORDER BY s.key, m.step DESC, m.at DESC) AS l $$, :'points_run'),
	jsonb_build_object('latest of 500 metrics, rows', format('SELECT count(*), sum(value) FROM metric_latest WHERE run = %L', :'points_run')), '{}', 3);
CREATE TEMPORARY TABLE before AS
SELECT key, step, at, float8send(value) AS bits FROM metric_points WHERE run = :'points_run';
SELECT clock_timestamp() AS began \gset
SELECT compact_series(:'points_run') AS packed \gset
SELECT jsonb_build_object('suite', 'tracking', 'name', 'compaction', 'rows', :packed,
	'points_per_second', round(:packed / extract(epoch FROM clock_timestamp() - :'began')));
SELECT jsonb_build_object('suite', 'tracking', 'name', 'bytes a point: compacted, four decimals', 'rows', sum(n), 'bytes',
	round((sum(pg_column_size(c.*)) + 36 * count(*)) / sum(n), 2), 'goal', 8)
FROM metric_chunks AS c JOIN metric_series AS s USING (series) WHERE s.run = :'points_run';
SELECT jsonb_build_object('suite', 'tracking', 'name', 'points that differ after compaction', 'rows', :packed, 'points', count(*), 'goal', 0)
FROM ((TABLE before EXCEPT ALL SELECT key, step, at, float8send(value) FROM metric_points WHERE run = :'points_run')
	UNION ALL (SELECT key, step, at, float8send(value) FROM metric_points WHERE run = :'points_run' EXCEPT ALL TABLE before)) AS d;
ANALYZE metric_chunks;
SELECT pg_temp.bench('tracking', 1000000,
	'SELECT sum(length(bits)) FROM before',
	-- (Latest values of packed series cannot be measured here: the index still
	-- leads to the rows that this transaction deleted.)
	jsonb_build_object('reading all points, packed', format('SELECT sum(value) FROM metric_points WHERE run = %L', :'points_run')), '{}', 3);

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
SELECT pg_temp.bench('tracking', :edges, $$
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
