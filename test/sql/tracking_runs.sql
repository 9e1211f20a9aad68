-- Runs: start, parameters, tags, statuses, results.
SET search_path = public, mlmeta;
\set VERBOSITY terse

-- A run from start to end.
SELECT start_run('churn', 'first', '{"lr": 0.1, "layers": [64, 32], "model": "xgb"}',
	'{"team": "a"}',
	source => '{"repository": "git@example.org:churn", "commit": "abc123",
		"patch": "diff --git", "environment": {"packages": {"xgboost": "2.0"}},
		"devices": {"a100": 2}, "ticket": 17}') AS run \gset
SELECT experiment, name, status, user_name = session_user AS mine, params, tags,
	project, git_commit, has_patch, devices
FROM run_overview WHERE run = :'run';
SELECT source FROM runs WHERE run = :'run';

-- Parameters: the same again is nothing, another value is refused, by name.
SELECT log_params(:'run', '{"lr": 0.10, "depth": 6}');
SELECT params FROM run_overview WHERE run = :'run';
DO $$
DECLARE
	target run := (SELECT run FROM runs WHERE name = 'first');
	code text; message text; detail text;
BEGIN
	PERFORM log_params(target, '{"depth": 6, "lr": 0.2, "new": 1}');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE,
		message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RAISE NOTICE '% % %', code, replace(message, target::text, 'RUN'), detail;
END $$;
SELECT params ? 'new' AS partly FROM run_overview WHERE run = :'run';

-- Tags change and go.
SELECT set_tags(:'run', '{"team": "b", "seen": true}');
SELECT set_tags(:'run', '{"team": null}');
SELECT tags FROM run_overview WHERE run = :'run';

-- Ending twice the same way is nothing, another way is refused.
SELECT finish_run(:'run');
SELECT finish_run(:'run');
SELECT status, duration >= '0' AS positive FROM run_overview WHERE run = :'run';
SELECT params, metrics FROM run_results WHERE run = :'run';
