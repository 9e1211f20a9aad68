-- What is asked of 100,000 runs of one experiment: ranks and filters, in CPU
-- time, against the same questions asked of the tables that MLflow 3.6 makes
-- (its tracking schema as SQLAlchemy writes it for PostgreSQL: columns, primary
-- keys and indexes of six tables; MLflow is under the Apache License 2.0). Both
-- hold the same runs. All in a transaction that is rolled back.

\ir common.psql
\if :{?runs}
\else
\set runs 100000
\endif

BEGIN;
SELECT setseed(0.5) \g /dev/null
INSERT INTO projects (project) VALUES ('default') ON CONFLICT DO NOTHING;
INSERT INTO experiments (experiment) VALUES ('bench') RETURNING experiment_id AS experiment \gset
SELECT set_price('a100', 3, '2023-01-01'), set_price('a100', 4, '2024-02-01'), set_price('h100', 8, '2023-01-01') \g /dev/null

CREATE TEMPORARY TABLE made AS
SELECT i, new_run() AS run, random() AS auc, random() AS loss, random() < 0.01 AS no_number
FROM generate_series(1, :runs) AS i;
INSERT INTO runs (run, experiment_id, name, status, started_at, finished_at, git_commit, devices)
SELECT run, :experiment, 'run ' || i, CASE WHEN i % 10 = 0 THEN 'failed' ELSE 'finished' END,
	'2024-01-01'::timestamptz + i * interval '1 minute',
	'2024-01-01'::timestamptz + (i + 50 + i % 60) * interval '1 minute', md5((i % 500)::text), '{"a100": 2}' FROM made;
INSERT INTO run_params (run, key, value)
SELECT run, p.key, p.value FROM made CROSS JOIN LATERAL jsonb_each(jsonb_build_object(
	'lr', round((i % 97) / 1000.0, 3), 'depth', i % 12, 'seed', i, 'optimizer', CASE i % 2 WHEN 0 THEN 'adam' ELSE 'sgd' END,
	'model', CASE i % 3 WHEN 0 THEN 'xgb' WHEN 1 THEN 'mlp' ELSE 'linear' END)) AS p;
INSERT INTO run_tags (run, key, value)
SELECT run, t.key, t.value FROM made CROSS JOIN LATERAL (VALUES ('team', 't' || i % 7),
	('stage', CASE WHEN i % 1000 = 0 THEN 'keep' ELSE 'try' END)) AS t (key, value);
INSERT INTO artifacts (artifact)
SELECT artifact('dataset', 'orders', 'v' || v) FROM generate_series(0, 49) AS v
UNION ALL SELECT artifact('model', 'm', 'v' || i) FROM made;
INSERT INTO run_artifacts (run, artifact, direction)
SELECT run, artifact('dataset', 'orders', 'v' || i % 50), 'used' FROM made
UNION ALL SELECT run, artifact('model', 'm', 'v' || i), 'produced' FROM made;
INSERT INTO metric_series (run, key) SELECT run, k FROM made, unnest(ARRAY['auc', 'loss', 'epoch']) AS k;
INSERT INTO run_metrics (series, step, at, value)
SELECT s.series, p.step, '2024-01-01'::timestamptz + m.i * interval '1 minute' + p.step * interval '1 second',
	CASE s.key WHEN 'auc' THEN CASE WHEN m.no_number AND p.step = 3 THEN 'NaN' ELSE m.auc - (3 - p.step) / 1000.0 END
		WHEN 'loss' THEN m.loss + (3 - p.step) / 1000.0 ELSE m.i % 100 END
FROM metric_series AS s JOIN made AS m USING (run) CROSS JOIN generate_series(1, 3) AS p (step);
ANALYZE;
-- What finish_run() writes, for all at once.
INSERT INTO run_metric_summaries (run, experiment_id, key, context, n, nan_count, minimum, maximum,
	last_step, last_at, last_value, higher_is_better)
SELECT run, :experiment, key, '', count(*), count(*) FILTER (WHERE value = 'NaN'), min(value) FILTER (WHERE value <> 'NaN'),
	max(value) FILTER (WHERE value <> 'NaN'), 3, max(at), (array_agg(value ORDER BY step DESC))[1], higher_is_better(key)
FROM metric_series JOIN run_metrics USING (series) GROUP BY run, key;
INSERT INTO run_results (run, params, metrics, signature)
SELECT run, mlmeta_internal.params_of(run), (SELECT jsonb_object_agg(key, last_value) FROM run_metric_summaries AS s WHERE s.run = m.run),
	sha256(i::text::bytea) FROM made AS m;

-- MLflow's tables, filled with the same.
CREATE SCHEMA mlflow;
CREATE TABLE mlflow.experiments (
	experiment_id integer PRIMARY KEY, name varchar(256) NOT NULL UNIQUE, artifact_location varchar(256),
	lifecycle_stage varchar(32), creation_time bigint, last_update_time bigint);
CREATE TABLE mlflow.runs (
	run_uuid varchar(32) PRIMARY KEY, name varchar(250), source_type varchar(20), source_name varchar(500),
	entry_point_name varchar(50), user_id varchar(256), status varchar(9), start_time bigint, end_time bigint,
	source_version varchar(50), lifecycle_stage varchar(20), artifact_uri varchar(200),
	experiment_id integer REFERENCES mlflow.experiments, deleted_time bigint);
CREATE TABLE mlflow.metrics (
	key varchar(250), value float8, "timestamp" bigint, run_uuid varchar(32) REFERENCES mlflow.runs,
	step bigint DEFAULT 0, is_nan boolean DEFAULT false, PRIMARY KEY (key, "timestamp", step, run_uuid, value, is_nan));
CREATE INDEX ON mlflow.metrics (run_uuid);
CREATE TABLE mlflow.latest_metrics (
	key varchar(250), value float8 NOT NULL, "timestamp" bigint, step bigint NOT NULL, is_nan boolean NOT NULL,
	run_uuid varchar(32) REFERENCES mlflow.runs, PRIMARY KEY (key, run_uuid));
CREATE INDEX ON mlflow.latest_metrics (run_uuid);
CREATE TABLE mlflow.params (
	key varchar(250), value varchar(8000) NOT NULL, run_uuid varchar(32) REFERENCES mlflow.runs, PRIMARY KEY (key, run_uuid));
CREATE INDEX ON mlflow.params (run_uuid);
CREATE TABLE mlflow.tags (
	key varchar(250), value varchar(8000), run_uuid varchar(32) REFERENCES mlflow.runs, PRIMARY KEY (key, run_uuid));
CREATE INDEX ON mlflow.tags (run_uuid);

INSERT INTO mlflow.experiments (experiment_id, name, lifecycle_stage) VALUES (1, 'bench', 'active');
INSERT INTO mlflow.runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time,
	source_version, lifecycle_stage, artifact_uri, experiment_id)
SELECT replace(run::uuid::text, '-', ''), name, 'LOCAL', 'train.py', '', user_name, upper(status),
	1000 * extract(epoch FROM started_at), 1000 * extract(epoch FROM finished_at), git_commit, 'active',
	'mlflow-artifacts:/1/' || run, 1 FROM runs WHERE experiment_id = :experiment;
INSERT INTO mlflow.metrics (key, value, "timestamp", run_uuid, step, is_nan)
SELECT key, CASE WHEN value = 'NaN' THEN 0 ELSE value END, 1000 * extract(epoch FROM at),
	replace(run::uuid::text, '-', ''), step, value = 'NaN' FROM metric_series JOIN run_metrics USING (series);
INSERT INTO mlflow.latest_metrics (key, value, "timestamp", step, is_nan, run_uuid)
SELECT DISTINCT ON (run_uuid, key) key, value, "timestamp", step, is_nan, run_uuid FROM mlflow.metrics
ORDER BY run_uuid, key, step DESC, "timestamp" DESC, value DESC;
INSERT INTO mlflow.params (key, value, run_uuid) SELECT key, value #>> '{}', replace(run::uuid::text, '-', '') FROM run_params;
INSERT INTO mlflow.tags (key, value, run_uuid) SELECT key, value, replace(run::uuid::text, '-', '') FROM run_tags;
ANALYZE;

-- The yardstick is MLflow's search, best metric first; a ratio of 0.05 is 20
-- times as fast. Both must name the same runs.
CREATE TEMPORARY VIEW mlflow_best AS
SELECT r.* FROM mlflow.runs AS r
	LEFT JOIN (SELECT run_uuid, value, is_nan FROM mlflow.latest_metrics WHERE key = 'auc') AS m
		ON m.run_uuid = r.run_uuid
WHERE r.experiment_id = 1 AND r.lifecycle_stage = 'active'
ORDER BY CASE WHEN m.is_nan THEN 1 WHEN m.value IS NULL THEN 2 ELSE 0 END, m.value DESC, r.start_time DESC, r.run_uuid
LIMIT 50;
SELECT jsonb_build_object('suite', 'overview', 'name', '50 best runs that MLflow names otherwise', 'rows', :runs,
	'runs', count(*), 'goal', 0)
FROM mlflow_best AS m FULL JOIN best_runs('bench', 'auc', 50, 'last') AS b ON m.run_uuid = replace(b.run::uuid::text, '-', '')
WHERE m.run_uuid IS NULL OR b.run IS NULL;
SELECT pg_temp.bench('overview', :runs, 'SELECT * FROM mlflow_best',
	'{"50 best runs by last value": "SELECT * FROM best_runs(''bench'', ''auc'', 50, ''last'')",
	"50 best runs by best value": "SELECT * FROM best_runs(''bench'', ''auc'')",
	"50 first of the view leaderboard": "SELECT * FROM leaderboard WHERE experiment = ''bench'' AND key = ''auc'' AND context = '''' AND rank <= 50"}',
	'{"50 best runs by last value": 0.05, "50 best runs by best value": 0.05}');

-- Filters, against MLflow's search by a parameter and a metric.
SELECT pg_temp.bench('overview', :runs, $$
	SELECT r.run_uuid FROM mlflow.runs AS r
		JOIN mlflow.params AS p ON p.run_uuid = r.run_uuid AND p.key = 'lr' AND p.value = '0.050'
		JOIN mlflow.latest_metrics AS m ON m.run_uuid = r.run_uuid AND m.key = 'loss' AND m.value < 0.1
	WHERE r.experiment_id = 1 AND r.lifecycle_stage = 'active'
$$, jsonb_object_agg('runs by ' || name, format('SELECT run FROM run_overview WHERE experiment = ''bench'' AND %s', filter)), '{}', 3)
FROM (VALUES ('parameter and metric', 'params @> ''{"lr": 0.05}'' AND (metrics ->> ''loss'')::float8 < 0.1'),
	('parameter', 'params @> ''{"depth": 7, "model": "xgb"}'''),
	('metric', '(metrics ->> ''auc'')::float8 > 0.99'), ('tag', 'tags @> ''{"stage": "keep"}'''),
	('data version', '''dataset:orders:v7'' = ANY (data_versions)'), ('what they made', '''model:m:v77'' = ANY (produced)'),
	('cost', 'cost > 14'), ('user', 'user_name = ''nobody'''), ('status', 'status = ''failed'''),
	('name', 'name LIKE ''%77%'''), ('duration', 'duration > ''100 minutes'''), ('commit', 'git_commit = md5(''7'')'),
	('time', 'started_at >= ''2024-03-01''')) AS f (name, filter);
SELECT pg_temp.bench('overview', :runs, 'SELECT * FROM mlflow_best',
	'{"newest 50, all columns": "SELECT * FROM run_overview WHERE experiment = ''bench'' ORDER BY started_at DESC LIMIT 50",
	"who_tried_what, one parameter": "SELECT * FROM who_tried_what WHERE experiment = ''bench'' AND key = ''lr''",
	"spend": "SELECT * FROM spend",
	"parameter_importance, five parameters": "SELECT * FROM parameter_importance(''bench'', ''auc'')"}', '{}', 3);
ROLLBACK;
