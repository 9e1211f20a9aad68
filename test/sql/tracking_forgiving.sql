-- What clients do and a tracker must forgive: they come late, send twice, bring
-- their own times, are taken for dead, rename and change their minds.
SET search_path = public, mlmeta;
SET timezone = 'UTC';
SET client_min_messages = warning;

CREATE FUNCTION error_of(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	EXECUTE command;
	RETURN 'none';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n', SQLSTATE || ' ' || regexp_replace(SQLERRM, 'run_01[0-9a-z]+', 'RUN', 'g'), regexp_replace(nullif(detail, ''), 'Near are: .*', 'Near are: ...'), regexp_replace(nullif(hint, ''), 'Near are: .*', 'Near are: ...'));
END $$;

-- Late: facts of an ended run are kept, seen at once, and recognisable.
SELECT start_run('late', 'one', id => '00000000-0000-7000-8010-000000000001') AS r \gset
SELECT log_metrics(:'r', '{"auc": 0.7}', 1), finish_run(:'r');
SELECT log_metrics(:'r', '{"auc": 0.9, "f1": 0.8}', 2), log_params(:'r', '{"late": true}'),
	log_series(:'r', 'curve', '{1,2}', '{1,2}') AS series, log_samples(:'r', '{a}', losses => '{0.5}') AS samples;
SELECT use_artifact(:'r', 'dataset:late:v1'), log_artifact(:'r', 'model:late:v1');
SELECT params, metrics, data_versions, produced FROM run_overview WHERE run = :'r';
SELECT key, n, maximum, last_value FROM metric_summaries WHERE run = :'r' ORDER BY key;
SELECT key, best, last FROM leaderboard WHERE experiment = 'late' ORDER BY key;
SELECT rank, best FROM best_runs('late', 'auc');
SELECT key, step, value FROM late_points WHERE run = :'r' ORDER BY key, step;
SELECT p.logged_at > r.finished_at AS late FROM run_params AS p JOIN runs AS r USING (run) WHERE p.run = :'r';
-- The written results are brought up to date without anybody being told.
SELECT metrics FROM run_results WHERE run = :'r';
CALL settle_results();
CALL settle_results();
SELECT metrics, params FROM run_results WHERE run = :'r';
SELECT count(*) FROM run_marks WHERE run = :'r';
-- Another end is a correction, on record; the same once more is nothing.
SELECT finish_run(:'r'), finish_run(:'r', 'failed'), finish_run(:'r', 'failed');
SELECT status FROM runs WHERE run = :'r';
SELECT action, detail -> 'status' AS status, detail -> 'new_status' AS new_status
FROM tracking_changes WHERE run = :'r';
-- Not so of a deleted one.
SELECT delete_run(:'r');
SELECT error_of($$SELECT log_metrics('00000000-0000-7000-8010-000000000001', '{"a": 1}')$$);
SELECT error_of($$SELECT finish_run('00000000-0000-7000-8010-000000000001')$$);

-- Times of the client's, years ago and to come.
SELECT start_run('late', 'past', at => '2019-05-01 10:00', id => '00000000-0000-7000-8010-000000000002') AS r \gset
SELECT finish_run(:'r', at => '2019-05-01 12:00');
SELECT started_at, finished_at, duration, odd_times FROM run_overview WHERE run = :'r';
SELECT error_of($$SELECT finish_run('00000000-0000-7000-8010-000000000002', at => '2019-05-01 09:00')$$);
SELECT error_of($$SELECT finish_run('00000000-0000-7000-8010-000000000002', at => 'infinity')$$);
SELECT finish_run(:'r', at => '2019-05-01 13:00');
SELECT duration FROM run_overview WHERE run = :'r';
SELECT start_run('late', 'odd', at => '1969-07-20 20:17') AS r \gset
SELECT finish_run(:'r', at => '2999-01-01');
SELECT odd_times FROM run_overview WHERE run = :'r';
-- Whoever says that he began long ago is alive now.
SELECT start_run('reap', 'old', at => '2020-01-01') AS old \gset
SELECT count(*) FROM reap_runs();

-- A run that is taken for dead comes back when it speaks.
SELECT start_run('reap', 'silent', id => '00000000-0000-7000-8010-000000000003') AS r \gset
SELECT log_metrics(:'r', '{"loss": 1}', 1, now() - interval '2 hours');
UPDATE runs SET started_at = now() - interval '3 hours', heartbeat_at = NULL WHERE run = :'r';
SELECT count(*) FROM reap_runs();
SELECT status, reaped FROM runs WHERE run = :'r';
SELECT log_metrics(:'r', '{"loss": 0.1}', 1000);
SELECT status, reaped, finished_at, pauses FROM runs WHERE run = :'r';
SELECT metrics FROM run_overview WHERE run = :'r';
SELECT bool_or(reaped = :'r') AS reaped FROM reap_runs('0 s') AS reaped;
SELECT status FROM runs WHERE run = :'r';
SELECT finish_run(:'r');
SELECT status FROM runs WHERE run = :'r';
-- One that a person ended stays ended.
SELECT log_metrics(:'r', '{"loss": 0.2}', 1001), heartbeat(:'r');
SELECT status FROM runs WHERE run = :'r';

-- Once: a point with the client's time, whatever the path.
SELECT start_run('once') AS r \gset
SELECT log_metrics(:'r', '{"loss": 0.5}', 1, '2024-01-01'), log_metrics(:'r', '{"loss": 0.5}', 1, '2024-01-01'),
	log_metric(:'r', 'loss', 0.5, 1, '2024-01-01'), log_series(:'r', 'loss', '{1}', '{0.5}', '{2024-01-01}');
SELECT log_series(:'r', 'curve', array_agg(i), array_agg(i / 10.0), array_agg('2024-01-01'::timestamptz + i * interval '1 s'))
FROM generate_series(1, 40) AS i, generate_series(1, 2) AS twice;
SELECT log_series(:'r', 'curve', array_agg(i), array_agg(i / 10.0), array_agg('2024-01-01'::timestamptz + i * interval '1 s'))
FROM generate_series(1, 40) AS i;
SELECT key, count(*) FROM metric_points WHERE run = :'r' GROUP BY key ORDER BY key;
SELECT finish_run(:'r');
SELECT log_metrics(:'r', '{"loss": 0.5}', 1, '2024-01-01');
SELECT key, n, late FROM metric_summaries JOIN (SELECT key, bool_or(late) AS late FROM metric_series WHERE run = :'r'
	GROUP BY key) AS s USING (key) WHERE run = :'r' ORDER BY key;
SELECT compact_series(:'r');
SELECT key, late, n, in_order FROM metric_chunks JOIN metric_series USING (series) WHERE run = :'r' ORDER BY key;
SELECT key, n, nan_count FROM metric_summaries WHERE run = :'r' ORDER BY key;
SELECT compact_series(:'r');
-- Without a time a repetition is a new point.
SELECT start_run('once') AS r \gset
SELECT log_metrics(:'r', '{"loss": 0.5}', 1), log_metrics(:'r', '{"loss": 0.5}', 1), log_series(:'r', 'loss', '{1,1}', '{0.5,0.5}');
SELECT count(*) FROM metric_points WHERE run = :'r';

-- A batch is stored once.
SELECT log_batch(:'r', '{"auc": 0.5}', '{"lr": 1}', '{"t": "x"}', '00000000-0000-0000-0000-000000000001'),
	log_batch(:'r', '{"auc": 0.5}', '{"lr": 1}', '{"t": "x"}', '00000000-0000-0000-0000-000000000001');
SELECT log_batch(:'r', '[{"key": "auc", "value": "nan", "step": 2, "timestamp": 1700000000000},
	{"key": "auc", "value": 0.7, "step": 3, "context": "val", "at": "2024-01-01T00:00:00Z"}]');
SELECT key, context, step, value FROM metric_points WHERE run = :'r' AND key = 'auc' ORDER BY context, step;
SELECT error_of(format($$SELECT log_batch(%L, '{"auc": 0.6}', batch => '00000000-0000-0000-0000-000000000001')$$, :'r'));
SELECT left(error_of(format($$SELECT log_batch(%L, '[{"key": "x"}]')$$, :'r')), 5) AS error;
SELECT left(error_of(format($$SELECT log_batch(%L, '{"good": 1, "bad": "x"}', '{"p": 1}')$$, :'r')), 5) AS error,
	(SELECT count(*) FROM run_params WHERE run = :'r' AND key = 'p') AS stored;

-- Resumption by id and by name.
SELECT start_run('resume', 'night', '{"lr": 1}', id => '00000000-0000-7000-8010-000000000004') AS r \gset
SELECT finish_run(:'r');
SELECT start_run('resume', 'night', '{"lr": 1}', resume => 'allow') = :'r' AS same;
SELECT status, params FROM run_overview WHERE run = :'r';
SELECT start_run('resume', id => :'r', resume => 'must') = :'r' AS same;
SELECT error_of($$SELECT start_run('resume', id => '00000000-0000-7000-8010-000000000004')$$);
SELECT error_of($$SELECT start_run('other', id => '00000000-0000-7000-8010-000000000004', resume => 'allow')$$);
SELECT error_of($$SELECT start_run('resume', 'day', resume => 'must')$$);
SELECT error_of($$SELECT start_run('resume', resume => 'allow')$$);
SELECT error_of($$SELECT start_run('resume', 'night', resume => 'yes')$$);
SELECT start_run('resume', 'night', id => '00000000-0000-7000-8010-000000000005');
SELECT error_of($$SELECT start_run('resume', 'night', resume => 'allow')$$);
SELECT create_project('there', if_not_exists => true), create_project('there', if_not_exists => true);
SELECT create_experiment('exists', if_not_exists => true) = create_experiment('exists', if_not_exists => true) AS same;

-- One answer where the latest points share step and time: the greatest value, NaN
-- below all numbers, zero without a sign; in every view, packed or not.
SELECT start_run('ties') AS r \gset
SELECT log_series(:'r', 'loss', '{1,1,1}', '{3,NaN,1}', '{2024-01-01,2024-01-01,2024-01-01}'),
	log_series(:'r', 'zero', '{1}', '{-0}'), log_metrics(:'r', '{"nan": "nan", "inf": "-inf", "minus": -0.0}', 1, '2024-01-01'),
	log_metric(:'r', 'nan', '-Infinity', 1, '2024-01-01');
SELECT key, value FROM metric_latest WHERE run = :'r' ORDER BY key;
SELECT metrics FROM run_overview WHERE run = :'r';
SELECT finish_run(:'r'), compact_series(:'r') AS packed;
SELECT key, l.value, s.last_value, o.metrics -> key AS overview, b.last AS leaderboard
FROM metric_latest AS l JOIN metric_summaries AS s USING (run, key) JOIN run_overview AS o USING (run)
	LEFT JOIN leaderboard AS b USING (run, key) WHERE run = :'r' ORDER BY key;

-- A metric has one name.
SELECT start_run('names') AS r \gset
SELECT log_metrics(:'r', '{"train/loss": 0.1}');
SELECT error_of(format($$SELECT log_metrics(%L, '{"loss": 0.9}', context => 'train')$$, :'r')) LIKE '23505%' AS refused;
SELECT log_metrics(:'r', '{"loss": 0.9}', context => 'val');
SELECT error_of(format($$SELECT log_metric(%L, 'val/loss', 1)$$, :'r')) LIKE '23505%' AS refused;
SELECT metrics FROM run_overview WHERE run = :'r';
SELECT count(*) FROM compare_runs(:'r', :'r') WHERE changed;
-- ... and is found by it, with the context in it or apart.
SELECT * FROM (SELECT value FROM metric_history(:'r', 'val/loss') UNION ALL SELECT value FROM metric_history(:'r', 'loss', context => 'val')
	UNION ALL SELECT value FROM metric_history(:'r', 'loss', context => 'train')) AS h;
SELECT best FROM best_runs('names', 'val/loss');
SELECT error_of(format($$SELECT metric_history(%L, 'los')$$, :'r')) LIKE '42704%Near are: ...' AS near;
SELECT error_of($$SELECT best_runs('names', 'acu')$$) LIKE '42704%' AS unknown;

-- What is deleted is in no view, and comes back; with what is a part of it.
SELECT start_run('gone', 'parent') AS p \gset
SELECT start_run('gone', 'part', parent => :'p') AS k \gset
SELECT start_run('gone', 'part deleted alone', parent => :'p') AS a \gset
SELECT log_metrics(:'k', '{"auc": 0.99}'), log_artifact(:'k', 'model:gone:v1'), log_samples(:'k', '{s}', losses => '{1}'), finish_run(:'k');
SELECT delete_run(:'a'), delete_run(:'p');
CREATE VIEW seen AS SELECT r.name, (SELECT count(*) FROM run_overview AS o WHERE o.run = r.run) AS overview,
	(SELECT count(*) FROM metric_latest AS o WHERE o.run = r.run) AS latest, (SELECT count(*) FROM metric_points AS o WHERE o.run = r.run) AS points,
	(SELECT count(*) FROM metric_summaries AS o WHERE o.run = r.run) AS summaries, (SELECT count(*) FROM leaderboard AS o WHERE o.run = r.run) AS ranks,
	(SELECT count(*) FROM lineage_edges AS o WHERE o.run = r.run) AS edges, (SELECT count(*) FROM upstream('model:gone:v1') AS u WHERE u.node = r.run::text) AS upstream
FROM runs AS r JOIN experiments AS e USING (experiment_id) WHERE e.experiment_id = (SELECT experiment_id FROM runs WHERE name = 'parent');
SELECT * FROM seen ORDER BY name;
SELECT restore_run(:'p');
SELECT * FROM seen ORDER BY name;
SELECT delete_experiment('gone');
SELECT * FROM seen ORDER BY name;
SELECT error_of($$SELECT start_run('gone')$$);
SELECT error_of($$SELECT create_experiment('gone')$$);
SELECT error_of(format($$SELECT log_metric(%L, 'auc', 1)$$, :'k')) LIKE '55000 experiment "gone" %' AS refused;
SELECT restore_experiment('gone');
SELECT * FROM seen ORDER BY name;
DROP VIEW seen;

-- Changing one's mind.
SELECT start_run('mind', 'above', id => '00000000-0000-7000-8010-000000000006') AS a \gset
SELECT start_run('mind', 'below', id => '00000000-0000-7000-8010-000000000007', parent => :'a') AS b \gset
SELECT error_of($$SELECT set_parent('00000000-0000-7000-8010-000000000006', '00000000-0000-7000-8010-000000000006')$$);
SELECT error_of($$SELECT set_parent('00000000-0000-7000-8010-000000000006', '00000000-0000-7000-8010-000000000007')$$);
SELECT set_parent(:'b', NULL), set_parent(:'a', :'b'), rename_run(:'a', 'renamed'), rename_experiment('mind', 'changed');
SELECT error_of($$SELECT rename_experiment('changed', 'late')$$);
SELECT error_of($$SELECT rename_experiment('mind', 'x')$$) LIKE '42704 experiment "mind" does not exist%' AS gone;
SELECT log_metric(:'a', 'los', 0.5, 1), log_metric(:'a', 'los', 7, 2), finish_run(:'a');
SELECT rename_metric('changed', 'los', 'loss'), correct_metric(:'a', 'loss', 2, 0.25);
SELECT experiment, name, parent = :'b' AS below, metrics FROM run_overview WHERE run = :'a';
SELECT error_of($$SELECT correct_metric('00000000-0000-7000-8010-000000000006', 'loss', 3, 1)$$);
SELECT create_experiment('forgiven elsewhere') IS NOT NULL AS made;
SELECT move_runs(ARRAY[:'a', :'b']::run[], 'forgiven elsewhere'), move_runs(ARRAY[:'a']::run[], 'forgiven elsewhere');
SELECT experiment, rank, best FROM leaderboard WHERE run = :'a';
SELECT set_experiment_tags('forgiven elsewhere', '{"team": "a", "x": "y"}'), set_experiment_tags('forgiven elsewhere', '{"x": null}');
SELECT tags, changed_at > created_at AS changed FROM experiments WHERE experiment = 'forgiven elsewhere';
SELECT delete_experiment('forgiven elsewhere');
SELECT error_of($$SELECT move_runs('{}', 'forgiven elsewhere')$$) LIKE '55000%' AS refused;
SELECT action, detail - 'at' AS detail FROM tracking_changes
WHERE run IN (:'a', :'b') OR experiment_id IN (SELECT experiment_id FROM experiments WHERE experiment IN ('changed', 'forgiven elsewhere'))
ORDER BY change;

-- Values as languages write them; one value as float8.
SELECT start_run('values') AS r \gset
SELECT log_metrics(:'r', '{"a": "nan", "b": "inf", "c": "-Infinity", "d": "+Inf", "e": "NAN"}'), log_metric(:'r', 'f', 'NaN'), log_metric(:'r', 'g', 1.5::numeric);
SELECT metrics FROM run_overview WHERE run = :'r';
SELECT left(error_of(format($$SELECT log_metric(%L, 'h', NULL)$$, :'r')), 5) AS error,
	left(error_of(format($$SELECT log_metrics(%L, '{"h": "infinit"}')$$, :'r')), 5) AS error;

-- An artifact without its digest is the one version that has it.
SELECT log_artifact(:'r', 'model:m:v1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef');
SELECT depth, node = :'r' AS made_it FROM upstream('model:m:v1');
SELECT log_artifact(:'r', 'model:m:v1@sha256:ff23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef');
SELECT error_of($$SELECT upstream('model:m:v1')$$) LIKE '42P08%Name one with its digest.' AS several;
SELECT error_of($$SELECT upstream('model:n:v1')$$) LIKE '42704%Near are: ...' AS unknown;

-- Logged again at another place: the last one counts, the first stays on record.
SELECT log_artifact(:'r', 'model:moved', 's3://first'), log_artifact(:'r', 'model:moved', 's3://second'), log_artifact(:'r', 'model:moved');
SELECT uri FROM run_artifacts WHERE artifact = 'model:moved';
SELECT uri FROM artifact_places WHERE run = :'r';

-- Money that is not counted is shown.
SELECT create_project('forgiving'), create_experiment('money2', 'forgiving') IS NOT NULL AS made;
SELECT set_price('b100', 1000, '2020-01-01', 'EUR');
SELECT start_run('money2', at => '2024-01-01 00:00', source => '{"devices": {"b100": 8, "c100": 8}}') AS r \gset
SELECT finish_run(:'r', at => '2024-01-02 00:00');
SELECT set_budget(10, experiment => 'money2') IS NOT NULL AS set;
SELECT cost, currency, unpriced_hours FROM run_overview WHERE run = :'r';
SELECT amount, currency, spent, state, unpriced_hours, other_currencies FROM budget_state WHERE experiment = 'money2';

-- Runs that end badly and budgets that are passed are events, each once.
SELECT create_event_consumer('forgiving'), create_experiment('events', 'forgiving') IS NOT NULL AS made,
	set_price('d100', 1000, '2020-01-01', 'CHF');
SELECT start_run('events', 'a') AS a \gset
SELECT start_run('events', 'b', at => '2024-01-01 00:00', source => '{"devices": {"d100": 1}}') AS b \gset
SELECT set_budget(20000, experiment => 'events', currency => 'CHF') IS NOT NULL AS set;
SELECT finish_run(:'a'), finish_run(:'a', 'failed'), finish_run(:'b', 'crashed', '2024-01-01 17:00');
SELECT state FROM check_budgets();
SELECT state FROM check_budgets();
SELECT finish_run(:'b', 'crashed', '2024-01-02 00:00');
SELECT state FROM check_budgets();
SELECT state FROM check_budgets();
SELECT left(subject, 4) AS subject, action, detail -> 'name' AS name, detail -> 'spent' AS spent FROM events
WHERE detail ->> 'experiment' = 'events' ORDER BY event;
SELECT count(acknowledge_event('forgiving', t.event)) FROM take_events('forgiving', 100) AS t;
SELECT action, model FROM take_events('forgiving', 100) WHERE detail ->> 'experiment' = 'events';
SELECT drop_event_consumer('forgiving');

-- Files, logged models, foreign datasets.
SELECT create_experiment('files', artifact_uri => 's3://bucket/files') IS NOT NULL AS made;
SELECT start_run('files', id => '00000000-0000-7000-8010-000000000008') AS r \gset
SELECT log_file(:'r', 'model/weights.bin', 10, repeat('0A', 32), 'application/octet-stream'), log_file(:'r', 'model/weights.bin', 11, repeat('0b', 32));
SELECT path, size, sha256, media_type FROM run_files WHERE run = :'r';
SELECT artifact_uri FROM run_overview WHERE run = :'r';
SELECT count(*) FROM unnest(ARRAY['', '/a', 'a/', 'a//b', '../a', 'a/..', '.', E'a\nb']) AS p (path)
WHERE error_of(format($$SELECT log_file(%L, %L)$$, :'r', path)) LIKE '22023%';
SELECT create_logged_model('forest', :'r', id => 'm-1', params => '{"depth": 3}'), set_logged_model('m-1', 'ready', tags => '{"a": "b"}', uri => 's3://m');
SELECT log_metric(:'r', 'auc', 0.9, logged_model => 'm-1', dataset => 'dataset:test:v1');
SELECT id, name, status, params, tags, s.key, s.dataset FROM logged_models AS m JOIN metric_series AS s ON s.logged_model = m.id;
SELECT left(error_of($$SELECT set_logged_model('m-1', params => '{"depth": 4}')$$), 5) AS error,
	left(error_of($$SELECT set_logged_model('m-2')$$), 5) AS error, left(error_of($$SELECT set_logged_model('m-1', 'odd')$$), 5) AS error;
SELECT use_artifact(:'r', 'dataset:train:a7092e06', 'training'), use_artifact(:'r', 'dataset:train:a7092e06', 'validation'),
	describe_artifact(:'r', 'dataset:train:a7092e06', 's3', 's3://b/train', '{"columns": 3}', '{"rows": 10}');
SELECT role FROM run_artifacts WHERE run = :'r' ORDER BY role;
SELECT source_type, source, schema, profile FROM artifact_details;
-- A run says nothing of what it has not to do with, and does not change what another said.
SELECT left(error_of(format($$SELECT describe_artifact(%L, 'dataset:test:v1', 's3')$$, :'r')), 5) AS error;

-- Somebody's own table that refers to runs keeps them, and is named.
SET client_min_messages = notice;
CREATE TABLE predictions (id int, run run REFERENCES runs);
INSERT INTO predictions VALUES (1, :'r');
SELECT finish_run(:'r'), delete_run(:'r');
SELECT purge_runs('0') >= 0 AS purged;
SELECT error_of($$SELECT purge_experiment('files')$$);
DROP TABLE predictions;
SELECT purge_experiment('files');

-- Numbers that lag behind rows which were copied in.
SELECT setval(pg_get_serial_sequence('experiments', 'experiment_id'), min(experiment_id), false) IS NOT NULL AS back FROM experiments;
SELECT error_of($$SELECT start_run('lagging')$$) LIKE '55000 the numbers of table "experiments" lag behind its rows%repair_sequences()%' AS told;
SELECT sequence FROM repair_sequences();
SELECT start_run('not lagging') IS NOT NULL AS started;
DROP FUNCTION error_of(text);
