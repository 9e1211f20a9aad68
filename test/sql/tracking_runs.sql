-- Runs: start, parameters, tags, statuses, resume, nesting, deletion.
SET search_path = public, mlmeta;
\set VERBOSITY terse
\set run '00000000-0000-7000-8000-000000000001'
\set child '00000000-0000-7000-8000-000000000002'
\set later '00000000-0000-7000-8000-000000000003'
\set nobody '00000000-0000-7000-8000-0000000000ff'

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
	RETURN concat_ws(E'\n', code || ' '
		|| regexp_replace(message, 'run_01[0-9a-z]+', 'RUN', 'g'), regexp_replace(nullif(detail, ''), 'Near are: .*', 'Near are: ...'),
		regexp_replace(nullif(hint, ''), 'Near are: .*', 'Near are: ...'));
END $$;

-- A run from start to end.
SELECT start_run('churn', 'first',
	'{"lr": 0.1, "layers": [64, 32], "model": "xgb"}', '{"team": "a"}',
	source => '{"repository": "git@example.org:churn", "commit": "abc123",
		"branch": "main", "entry_point": "train.py",
		"command_line": "python train.py --lr 0.1", "patch": "diff --git",
		"environment": {"packages": {"xgboost": "2.0"}, "host": "gpu-1"},
		"devices": {"a100": 2}, "ticket": 17}', id => :'run');
SELECT experiment, name, status, user_name = session_user AS mine, params, tags,
	project, git_commit, has_patch, devices
FROM run_overview WHERE run = :'run';
SELECT source FROM runs WHERE run = :'run';
SELECT p.content, e.content
FROM runs AS r
	JOIN source_patches AS p ON p.patch = r.patch
	JOIN environments AS e ON e.environment = r.environment
WHERE r.run = :'run';

-- Defaults: an id of the server's own, in the order of time.
SELECT a < b AS in_order, (a::uuid)::text ~ '^........-....-7' AS version_7
FROM (SELECT start_run('ids') AS a, start_run('ids') AS b OFFSET 0) AS s;
SELECT count(*), min(status), count(name) FROM run_overview
WHERE experiment = 'ids';

-- Parameters: the same again is nothing, another value is refused by name and
-- nothing of that call is kept.
SELECT log_params(:'run', '{"lr": 0.10, "depth": 6, "nothing": null, "seed": "x"}');
SELECT error_of($$SELECT log_params('00000000-0000-7000-8000-000000000001',
	'{"depth": 6, "lr": 0.2, "new": 1}')$$);
SELECT key, value, jsonb_typeof(value) FROM run_params WHERE run = :'run'
ORDER BY key;

-- Any length up to the limit of 64 MB.
SELECT log_params(:'run', jsonb_build_object('prompt', repeat('x', 1000000)));
SELECT length(params ->> 'prompt') FROM run_overview WHERE run = :'run';
SELECT error_of($$SELECT log_params('00000000-0000-7000-8000-000000000001',
	jsonb_build_object('huge', repeat('x', 64 * 1024 * 1024)))$$);

-- Names.
SELECT error_of($$SELECT log_params('00000000-0000-7000-8000-000000000001',
	'{"a\nb": 1}')$$);
SELECT error_of($$SELECT log_params('00000000-0000-7000-8000-000000000001',
	'{"": 1}')$$);
SELECT error_of($$SELECT log_params('00000000-0000-7000-8000-000000000001',
	jsonb_build_object(repeat('k', 251), 1))$$);
SELECT error_of($$SELECT log_params('00000000-0000-7000-8000-000000000001',
	'[1]')$$);
SELECT error_of($$SELECT start_run(NULL)$$);
SELECT error_of($$SELECT start_run('')$$);
SELECT error_of($$SELECT start_run('churn', E'a\tb')$$);

-- Runs that are not there.
SELECT error_of($$SELECT log_params('00000000-0000-7000-8000-0000000000ff',
	'{"a": 1}')$$);
SELECT error_of($$SELECT set_tags('00000000-0000-7000-8000-0000000000ff',
	'{"a": 1}')$$);
SELECT error_of($$SELECT heartbeat(NULL)$$);
SELECT error_of($$SELECT finish_run('00000000-0000-7000-8000-0000000000ff')$$);
SELECT error_of($$SELECT start_run('churn',
	parent => '00000000-0000-7000-8000-0000000000ff')$$);
SELECT error_of($$SELECT start_run('churn',
	id => '00000000-0000-7000-8000-000000000001')$$);

-- Source: types are checked, facts are completed and never changed.
SELECT error_of($$SELECT start_run('churn', source => '{"commit": 5}')$$);
SELECT error_of($$SELECT start_run('churn', source => '["x"]')$$);
SELECT error_of($$SELECT start_run('churn',
	source => '{"devices": {"a100": -1}}')$$);
SELECT log_source(:'run', '{"commit": "abc123", "devices": {"a100": 4}}');
SELECT git_commit, devices FROM runs WHERE run = :'run';
SELECT error_of($$SELECT log_source('00000000-0000-7000-8000-000000000001',
	'{"commit": "def"}')$$);
SELECT error_of($$UPDATE runs SET user_name = 'somebody'
	WHERE run = '00000000-0000-7000-8000-000000000001'$$);
SELECT error_of($$UPDATE run_params SET value = '1'$$);
SELECT error_of($$DELETE FROM run_params$$);
-- which tables it would cascade to is their own business
SET client_min_messages = warning;
SELECT error_of($$TRUNCATE runs CASCADE$$);
RESET client_min_messages;

-- One patch and one environment, however many runs.
SELECT start_run('churn', 'child', parent => :'run', id => :'child',
	source => '{"patch": "diff --git",
		"environment": {"host": "gpu-1", "packages": {"xgboost": "2.0"}}}')
	IS NOT NULL AS started;
SELECT count(DISTINCT patch) AS patches, count(DISTINCT environment) AS environments,
	count(*) AS runs
FROM runs WHERE run IN (:'run', :'child');
SELECT name, parent = :'run' AS nested FROM run_overview
WHERE experiment = 'churn' ORDER BY run;

-- Tags change and go, before the end and after it.
SELECT set_tags(:'run', '{"team": "b", "seen": true, "a": "1"}');
SELECT set_tags(:'run', '{"team": null, "a": "2"}');
SELECT tags FROM run_overview WHERE run = :'run';
SELECT set_note(:'run', 'the one in the paper');
SELECT note FROM run_overview WHERE run = :'run';

-- Ending: the same way twice is nothing, another way is refused.
SELECT error_of($$SELECT finish_run('00000000-0000-7000-8000-000000000001',
	'done')$$);
SELECT heartbeat(:'run');
SELECT finish_run(:'run');
SELECT finish_run(:'run');
SELECT error_of($$SELECT finish_run('00000000-0000-7000-8000-000000000001',
	'failed')$$);
SELECT error_of($$SELECT log_params('00000000-0000-7000-8000-000000000001',
	'{"late": 1}')$$);
SELECT error_of($$SELECT heartbeat('00000000-0000-7000-8000-000000000001')$$);
SELECT set_tags(:'run', '{"late": "yes"}');
SELECT status, duration >= '0' AS positive, tags FROM run_overview
WHERE run = :'run';
SELECT params - 'prompt' AS params, metrics FROM run_results
WHERE run = :'run';

-- Going on.
SELECT resume_run(:'run');
SELECT resume_run(:'run');
SELECT status, finished_at, pauses <> '{}' AS paused FROM runs
WHERE run = :'run';
-- What was written is not believed.
SELECT metrics = live.value AS same FROM run_overview,
	mlmeta_internal.live_metrics(:'run') AS live (value) WHERE run = :'run';
SELECT log_params(:'run', '{"resumed": true}');
SELECT finish_run(:'run', 'failed');
SELECT status, params -> 'resumed' AS resumed FROM run_overview
WHERE run = :'run';

-- A clock that goes backwards: no negative duration.
SELECT start_run('clock', id => :'later') IS NOT NULL AS started;
UPDATE runs SET started_at = now() + interval '1 day' WHERE run = :'later';
SELECT finish_run(:'later');
SELECT duration FROM run_overview WHERE run = :'later';

-- Scheduled runs.
SELECT schedule_run('nightly', 'planned', '{"lr": 1}') AS planned \gset
SELECT status, started_at, params FROM run_overview WHERE run = :'planned';
SELECT left(error_of(format('SELECT log_metrics(%L, ''{"a": 1}'')', :'planned')), 9)
	|| 'has not begun' AS error;
SELECT begin_run(:'planned');
SELECT status, started_at IS NOT NULL AS begun FROM run_overview
WHERE run = :'planned';
SELECT left(error_of(format('SELECT begin_run(%L)', :'planned')), 5) AS error;

-- Silent runs are reaped, ended at their last sign of life; a metric is one.
SELECT start_run('silent', 'dead') AS dead \gset
SELECT start_run('silent', 'logs') AS logs \gset
SELECT start_run('silent', 'beats') AS beats \gset
UPDATE runs SET started_at = now() - interval '1 day' WHERE name IN ('dead', 'logs', 'beats');
SELECT log_metrics(:'logs', '{"loss": 1}');
SELECT heartbeat(:'beats');
SELECT count(*) FROM reap_runs('1 hour') AS r WHERE r = :'dead';
SELECT name, status, duration FROM run_overview WHERE run = :'dead';
SELECT name, status FROM run_overview WHERE experiment = 'silent'
ORDER BY name;
SELECT count(*) FROM reap_runs('1 hour') AS r WHERE r = :'logs';

-- Deleting hides, restoring shows, purging removes for good.
SELECT delete_run(:'child');
SELECT count(*) FROM run_overview WHERE run = :'child';
SELECT error_of($$SELECT log_metrics('00000000-0000-7000-8000-000000000002',
	'{"a": 1}')$$);
SELECT restore_run(:'child');
SELECT count(*) FROM run_overview WHERE run = :'child';
SELECT log_metrics(:'child', '{"a": 1}');
SELECT log_artifact(:'child', 'model:purged:v1');
SELECT delete_run(:'child');
SELECT purge_runs('1 day') >= 0 AS purged;
SELECT purge_runs('0') >= 1 AS purged;
SELECT (SELECT count(*) FROM runs WHERE run = :'child') AS runs,
	(SELECT count(*) FROM metric_series WHERE run = :'child') AS series,
	(SELECT count(*) FROM run_artifacts WHERE run = :'child') AS edges,
	(SELECT count(*) FROM source_patches WHERE content = 'diff --git') AS patches;
SELECT error_of($$DELETE FROM run_metrics$$);
SELECT purge_experiment('silent');
SELECT count(*) FROM experiments WHERE experiment = 'silent';
SELECT error_of($$SELECT purge_experiment('silent')$$);

-- Projects.
SELECT create_project('fraud', 'card fraud');
SELECT create_experiment('cards', 'fraud') IS NOT NULL AS created;
SELECT error_of($$SELECT create_experiment('other', 'nowhere')$$);
SELECT error_of($$SELECT create_experiment('cards')$$);
SELECT start_run('cards') IS NOT NULL AS started;
SELECT project, experiment FROM run_overview WHERE experiment = 'cards';

-- A read-only transaction, as on a replica.
BEGIN READ ONLY;
SELECT error_of($$SELECT start_run('churn')$$);
SELECT error_of($$SELECT log_metrics('00000000-0000-7000-8000-000000000001',
	'{"a": 1}')$$);
SELECT count(*) FROM run_overview WHERE experiment = 'cards';
COMMIT;

-- Who may call the functions needs no right on any table but to read; the server
-- records who he is.
CREATE ROLE regress_mlmeta_trainer;
GRANT USAGE ON SCHEMA mlmeta TO regress_mlmeta_trainer;
GRANT SELECT ON ALL TABLES IN SCHEMA mlmeta TO regress_mlmeta_trainer;
GRANT EXECUTE ON FUNCTION start_run, log_metrics, use_artifact, finish_run
	TO regress_mlmeta_trainer;
SET SESSION AUTHORIZATION regress_mlmeta_trainer;
SELECT start_run('theirs', params => '{"a": 1}') AS theirs \gset
SELECT log_metrics(:'theirs', '{"loss": 1}');
SELECT use_artifact(:'theirs', 'dataset:orders:v1');
SELECT finish_run(:'theirs');
SELECT user_name, metrics FROM run_overview WHERE experiment = 'theirs';
SELECT error_of($$INSERT INTO runs (experiment_id, user_name)
	SELECT min(experiment_id), 'x' FROM experiments$$);
RESET SESSION AUTHORIZATION;
DROP OWNED BY regress_mlmeta_trainer;
DROP ROLE regress_mlmeta_trainer;

DROP FUNCTION error_of(text);
