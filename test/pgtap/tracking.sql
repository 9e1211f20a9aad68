-- Tracking as its users meet it: a training that can be reproduced, runs that
-- are compared, views whose columns others rely on.
BEGIN;
SET search_path = public, mlmeta;
SELECT plan(62);

-- The columns that dashboards rely on, in order.
SELECT columns_are('mlmeta', v.name::name, string_to_array(v.columns, ' ')::name[])
FROM (VALUES
	('run_overview', 'run experiment name status started_at finished_at duration user_name params metrics tags data_versions produced cost currency project parent repository git_commit branch entry_point command_line has_patch devices note heartbeat_at experiment_id artifact_uri updated_at odd_times unpriced_hours'),
	('metric_latest', 'run key step at value context'),
	('metric_points', 'run key context step at value'),
	('leaderboard', 'experiment key context rank run name best last higher_is_better user_name status started_at finished_at project updated_at'),
	('who_tried_what', 'project experiment key value runs users first_tried last_tried'),
	('spend', 'project experiment user_name month device currency runs device_hours cost unpriced_hours'),
	('run_costs', 'run device currency device_hours cost unpriced_hours'),
	('late_points', 'run key context step at value'),
	('run_files', 'run path size sha256 media_type logged_at'),
	('metric_directions', 'words meaning'),
	('budget_state', 'budget_id project experiment period amount currency spent share state unpriced_hours other_currencies'),
	('dataset_overview', 'artifact dataset version row_count fingerprint taken_at user_name source relation columns key_columns copy_table snapshot used_by'),
	('lineage_edges', 'source target run artifact direction role logged_at')
) AS v (name, columns);

-- The calls that scripts rely on, by name and argument order.
SELECT has_function('mlmeta', f.name::name, string_to_array(f.arguments, ', ')::name[], NULL)
FROM (VALUES
	('start_run', 'text, text, jsonb, jsonb, mlmeta.run, jsonb, mlmeta.run, timestamp with time zone, text, text'),
	('log_params', 'mlmeta.run, jsonb'),
	('set_tags', 'mlmeta.run, jsonb'),
	('log_metrics', 'mlmeta.run, jsonb, bigint, timestamp with time zone, text, text, text'),
	('log_metric', 'mlmeta.run, text, double precision, bigint, timestamp with time zone, text, text, text'),
	('log_batch', 'mlmeta.run, jsonb, jsonb, jsonb, uuid'),
	('log_series', 'mlmeta.run, text, bigint[], double precision[], timestamp with time zone[], text'),
	('heartbeat', 'mlmeta.run'),
	('finish_run', 'mlmeta.run, text, timestamp with time zone'),
	('use_artifact', 'mlmeta.run, mlmeta.artifact, text'),
	('log_artifact', 'mlmeta.run, mlmeta.artifact, text, text'),
	('compare_runs', 'mlmeta.run, mlmeta.run'),
	('compare_to_previous', 'mlmeta.run'),
	('duplicates_of', 'mlmeta.run')
) AS f (name, arguments);

-- A training: what stands in the database is enough to do it again.
CREATE TABLE readings (id int PRIMARY KEY, temperature float8, failed boolean);
INSERT INTO readings
SELECT i, 20 + i % 15, i % 11 = 0 FROM generate_series(1, 500) AS i;

CREATE TEMP TABLE story AS
SELECT start_run('pumps', 'baseline', '{"depth": 3, "seed": 42}', '{"team": "ops"}',
	source => '{"repository": "git@example.org:pumps", "commit": "77ab01",
		"command_line": "train.py --depth 3", "patch": "--- a/train.py",
		"environment": {"packages": {"sklearn": "1.4"}}}') AS run;
ALTER TABLE story ADD COLUMN data artifact;
UPDATE story SET data = snapshot_dataset('readings',
	'SELECT * FROM readings WHERE id <= 400', keys => '{id}',
	copy_to => 'readings_as_trained');
SELECT use_artifact(run, data, 'training') FROM story;
SELECT log_metrics(run, '{"auc": 0.8}') FROM story;
SELECT log_artifact(run, 'model:pumps:v1') FROM story;
SELECT finish_run(run) FROM story;

SELECT results_eq($$
	SELECT o.git_commit, p.content, o.command_line, v.content #>> '{packages,sklearn}'
	FROM run_overview AS o JOIN runs AS r USING (run)
		JOIN source_patches AS p ON p.patch = r.patch
		JOIN environments AS v ON v.environment = r.environment
	WHERE o.run = (SELECT run FROM story)
$$, $$ VALUES ('77ab01', '--- a/train.py', 'train.py --depth 3', '1.4') $$,
	'the code, its uncommitted changes and the packages are there');
SELECT is((SELECT digest(data) FROM story),
	(SELECT fingerprint(r) FROM readings_as_trained AS r),
	'the copy holds the very rows of the data version');
SELECT ok(dataset_is_current(data), 'the data is current') FROM story;
UPDATE readings SET temperature = 0 WHERE id = 450;
SELECT ok(dataset_is_current(data), 'a change elsewhere is none') FROM story;
DELETE FROM readings WHERE id = 1;
SELECT ok(NOT dataset_is_current(data), 'a row less is noticed') FROM story;
SELECT results_eq($$ SELECT model FROM models_that_saw('1', 'readings') $$,
	$$ VALUES ('model:pumps:v1') $$, 'who trained on a row that is gone is known');
SELECT is_empty($$ SELECT model FROM models_that_saw('450') $$,
	'a row outside the data version was not seen');
SELECT is((SELECT array_agg(node ORDER BY depth) FROM upstream('model:pumps:v1')),
	(SELECT ARRAY[run::text, data::text] FROM story),
	'from the model back to the data');

-- A second try: what is different, who is better, was it tried before?
CREATE TEMP TABLE second AS
SELECT start_run('pumps', 'deeper', '{"depth": 6, "seed": 42}',
	source => '{"repository": "git@example.org:pumps", "commit": "77ab01",
		"patch": "--- a/train.py"}') AS run;
UPDATE runs SET started_at = started_at + interval '1 second'
WHERE run = (SELECT run FROM second);
SELECT use_artifact(second.run, data, 'training') FROM second, story;
SELECT log_metrics(run, '{"auc": 0.9}') FROM second;
SELECT results_eq($$
	SELECT key, a, b FROM second, compare_to_previous(second.run)
	WHERE changed AND kind IN ('param', 'metric', 'used')
$$, $$ VALUES ('depth', '3', '6'), ('auc', '0.8', '0.9') $$,
	'compared with the run before, a running run differs in depth and result');
SELECT is_empty($$ SELECT d.run FROM second, duplicates_of(second.run) AS d $$,
	'it repeats no other run');
SELECT results_eq($$ SELECT name, rank FROM best_runs('pumps', 'auc') $$,
	$$ VALUES ('deeper', 1::bigint), ('baseline', 2) $$,
	'a running run takes part in the ranking');
SELECT results_eq($$
	SELECT runs, users = ARRAY[session_user::text] FROM who_tried_what
	WHERE experiment = 'pumps' AND key = 'seed' AND value = '42'
$$, $$ VALUES (2::bigint, true) $$, 'who tried this seed');
SELECT throws_ok($$ SELECT log_params((SELECT run FROM second), '{"depth": 7}') $$,
	'23505', NULL, 'a parameter does not change its value');

-- What was recorded cannot be changed behind the functions' back.
SELECT throws_ok($$ UPDATE run_metrics SET value = 1 $$, '55000', NULL,
	'points are append-only');
SELECT throws_ok($$ DELETE FROM run_artifacts $$, '55000', NULL,
	'edges are append-only');
SELECT throws_ok($$ UPDATE runs SET user_name = 'somebody' $$, '55000', NULL,
	'the user of a run stays');
SELECT throws_ok($$ UPDATE runs SET status = 'scheduled' $$, '55000', NULL,
	'a status follows the order of statuses');
SELECT lives_ok($$
	SELECT delete_run(run) FROM story
$$, 'a run is deleted');
SELECT is_empty($$
	SELECT 1 FROM run_overview WHERE name = 'baseline' AND experiment = 'pumps'
	UNION ALL SELECT 1 FROM leaderboard WHERE name = 'baseline' AND experiment = 'pumps'
	UNION ALL SELECT 1 FROM best_runs('pumps', 'auc') WHERE name = 'baseline'
	UNION ALL SELECT 1 FROM who_tried_what WHERE experiment = 'pumps' AND value = '3'
$$, 'and no view shows it');

-- The guards cannot be talked into letting rows go.
SELECT throws_ok($$ DELETE FROM run_metrics $$, '55000', NULL,
	'the owner deletes no points');
SELECT throws_ok($$ SET LOCAL mlmeta.maintenance = on; DELETE FROM mlmeta.run_metrics $$,
	'55000', NULL, 'a setting opens nothing');
SELECT throws_ok($$ UPDATE runs SET started_at = NULL $$, '23514', NULL,
	'a run that has begun did so at some time');
SELECT throws_ok($$ UPDATE runs SET finished_at = NULL $$, '23514', NULL,
	'and has ended at some');
SELECT throws_ok($$ UPDATE runs SET started_at = '-infinity' $$, '23514', NULL,
	'which is not infinitely long ago');
SELECT setup_roles('regress_mlmeta_tap');
CREATE ROLE regress_mlmeta_keeper;
CREATE ROLE regress_mlmeta_guest;
GRANT regress_mlmeta_tap_admin TO regress_mlmeta_keeper;
GRANT regress_mlmeta_tap_reader TO regress_mlmeta_guest;
GRANT DELETE ON ALL TABLES IN SCHEMA mlmeta TO regress_mlmeta_keeper;
GRANT SELECT, INSERT ON second TO regress_mlmeta_keeper;
SET SESSION AUTHORIZATION regress_mlmeta_keeper;
SELECT throws_ok($$ DELETE FROM mlmeta.run_metrics $$, '55000', NULL,
	'whoever may delete rows deletes no points either');
SELECT throws_ok($$ INSERT INTO mlmeta_internal.lifted_guards VALUES (pg_current_xact_id()) $$,
	'42501', NULL, 'nor lifts the guards');
SELECT throws_ok($$ SELECT mlmeta_internal.lift_guards() $$, '42501', NULL, 'by no function');
CREATE TEMP TABLE lever (i int);
CREATE FUNCTION pg_temp.pull() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM mlmeta.run_metrics;
	RETURN NULL;
END $$;
CREATE TRIGGER pull AFTER INSERT ON lever EXECUTE FUNCTION pg_temp.pull();
SELECT throws_ok($$ INSERT INTO lever VALUES (1) $$, '55000', NULL,
	'nor by a trigger of his own');
SELECT lives_ok($$ SELECT finish_run(run) FROM second $$, 'he ends a run');
SELECT is((SELECT compact_series(run) FROM second), 1::bigint, 'packs its points');
SELECT throws_ok($$ DELETE FROM mlmeta.metric_chunks $$, '55000', NULL,
	'and the guards stand again');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION regress_mlmeta_guest;
SELECT throws_ok($$ SELECT purge_experiment('pumps') $$, '42501', NULL,
	'a reader purges nothing');
RESET SESSION AUTHORIZATION;
SELECT add_member('default', 'regress_mlmeta_guest', 'writer');
SET SESSION AUTHORIZATION regress_mlmeta_keeper;
SELECT throws_ok($$ SELECT purge_experiment('pumps') $$, '42704', NULL,
	'who is no member purges nothing, and learns of nothing');
RESET SESSION AUTHORIZATION;
SELECT open_project('default');
SET SESSION AUTHORIZATION regress_mlmeta_keeper;
SELECT is(purge_experiment('pumps'), 2::bigint, 'a whole experiment goes');
RESET SESSION AUTHORIZATION;
SELECT is_empty($$ SELECT FROM mlmeta_internal.lifted_guards $$, 'nothing is left open');

SELECT * FROM finish();
ROLLBACK;
