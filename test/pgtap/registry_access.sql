-- What row security remembers, and when it must forget: it keeps its answers for
-- a statement, so every case here changes something between two statements of one
-- transaction, or within one.
BEGIN;
SET search_path = public, mlmeta;
SELECT plan(33);

CREATE ROLE t_inside;
CREATE ROLE t_outside;
CREATE ROLE t_team;
SELECT setup_roles('t_acc');
GRANT t_acc_writer TO t_inside, t_outside;

SELECT create_project('vault') \gset
SELECT create_project('garden') \gset
SELECT create_experiment('deep', 'vault') \gset
SELECT create_experiment('green', 'garden') \gset
SELECT count(start_run('deep', params => '{"a": 1}')) FROM generate_series(1, 3) \gset
SELECT count(start_run('green', params => '{"a": 1}')) FROM generate_series(1, 5) \gset
SELECT run AS deep FROM run_overview WHERE experiment = 'deep' LIMIT 1 \gset
SELECT run AS green FROM run_overview WHERE experiment = 'green' LIMIT 1 \gset
SELECT log_metrics(:'deep', '{"auc": 1}') \gset
SELECT create_model('v', 'vault') AS model \gset

-- Runs SQL as a role and gives its result or its SQLSTATE.
CREATE FUNCTION pg_temp.tries(who text, query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', who);
	EXECUTE query INTO result;
	RESET ROLE;
	RETURN coalesce(nullif(result, ''), 'nothing');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
\set count_runs '$$ SELECT count(*) FROM mlmeta.runs $$'

SELECT is(pg_temp.tries('t_outside', :count_runs), '8', 'open projects are seen by all');
SELECT add_member('vault', 't_inside', 'writer') \gset
SELECT is(pg_temp.tries('t_outside', :count_runs), '5', 'a project that was closed a statement ago is not');
SELECT is(pg_temp.tries('t_inside', :count_runs), '8', 'its member sees it, asked in the same session');
SELECT is(pg_temp.tries('t_outside', :count_runs), '5', 'the answer for one role is none for another');

-- What hangs on the runs.
SELECT is(pg_temp.tries('t_outside', $$ SELECT count(*) FROM mlmeta.run_params $$), '5', 'the same holds by run');
SELECT is(pg_temp.tries('t_outside', $$ SELECT count(*) FROM mlmeta.run_metrics $$), '0', 'by series');
SELECT is(pg_temp.tries('t_outside', $$ SELECT count(*) FROM mlmeta.models $$), '0', 'and by model');
SELECT is(pg_temp.tries('t_inside', $$ SELECT count(*) FROM mlmeta.run_metrics $$), '1', 'for members too');

-- What one statement both makes and hangs something on.
SELECT is(pg_temp.tries('t_inside', format($$ SELECT mlmeta.log_metrics(%L, '{"first": 1, "seen": 2}') $$, :'deep')),
	'nothing', 'a member logs metrics that are new');
SELECT is(pg_temp.tries('t_inside', $$ SELECT mlmeta.log_metrics(mlmeta.start_run('deep'), '{"x": 1}') $$),
	'nothing', 'and into a run that the same statement starts');
SELECT is(pg_temp.tries('t_inside', $$ SELECT count(*) FROM mlmeta.metric_points $$), '4', 'and sees them afterwards');
SELECT is(pg_temp.tries('t_outside', format($$ SELECT mlmeta.log_metrics(%L, '{"x": 1}') $$, :'deep')), '42704',
	'others do not');
SELECT is(pg_temp.tries('t_outside', format($$ INSERT INTO mlmeta.metric_series (run, key) VALUES (%L, 'x') $$, :'deep')), '42501',
	'nor with their own INSERT');
SELECT is(pg_temp.tries('t_outside', $$ INSERT INTO mlmeta.run_metrics SELECT max(series), 1, now(), 1 FROM mlmeta.metric_series $$), '42501',
	'nor guessing the number of a series');
SELECT is(pg_temp.tries('t_outside', $$ SELECT mlmeta.create_project('another') $$), 'nothing', 'but they make projects of their own');

-- Undone.
SAVEPOINT before;
SELECT add_member('vault', 't_outside', 'reader') \gset
SELECT is(pg_temp.tries('t_outside', :count_runs), '9', 'a new member sees it');
ROLLBACK TO before;
SELECT is(pg_temp.tries('t_outside', :count_runs), '5', 'unless that is undone');
-- The same, with nothing in between that counts as a command.
SELECT add_member('garden', 't_inside', 'reader') \gset
SELECT is(pg_temp.tries('t_outside', :count_runs), '0', 'another project is closed');
SELECT is(pg_temp.tries('t_outside', $$ SELECT count(*) FROM mlmeta.projects WHERE project IN ('vault', 'garden') $$), '0',
	'nor is the project seen');

-- Roles granted and revoked.
SELECT add_member('vault', 't_team', 'reader') \gset
SELECT is(pg_temp.tries('t_outside', :count_runs), '0', 'a team is a member');
GRANT t_team TO t_outside;
SELECT is(pg_temp.tries('t_outside', :count_runs), '4', 'who joins it sees what it sees');
SELECT is(pg_temp.tries('t_outside', format($$ SELECT mlmeta.log_metrics(%L, '{"x": 1}') $$, :'deep')), '42501',
	'and writes not where the team does not');
REVOKE t_team FROM t_outside;
SELECT is(pg_temp.tries('t_outside', :count_runs), '0', 'who leaves it does not');
SELECT open_project('vault') \gset
SELECT is(pg_temp.tries('t_outside', :count_runs), '4', 'an open project is seen again');

-- One statement that changes rights by a function sees what it began with.
SELECT is(pg_temp.tries('t_inside', $$ SELECT string_agg(n::text, ' ') FROM (
		SELECT count(*) AS n FROM mlmeta.runs UNION ALL SELECT count(*) FROM mlmeta.run_params) AS c $$), '9 8',
	'two tables of one statement agree');

-- More runs than are kept.
SET LOCAL work_mem = '64kB';
SELECT add_member('vault', 't_team', 'reader') \gset
INSERT INTO runs (experiment_id, started_at) SELECT e.experiment_id, now() FROM experiments AS e, generate_series(1, 7000) WHERE experiment = 'deep';
INSERT INTO run_params (run, key, value) SELECT run, 'b', '1' FROM runs;
SELECT is(pg_temp.tries('t_outside', $$ SELECT count(*) FROM mlmeta.run_params $$), '0', 'of 7,000 runs none is seen');
SELECT is(pg_temp.tries('t_inside', $$ SELECT count(*) FROM mlmeta.run_params WHERE key = 'b' $$), '5', 'or those one may see');
GRANT t_team TO t_inside;
SELECT is(pg_temp.tries('t_inside', $$ SELECT count(*) FROM mlmeta.run_params WHERE key = 'b' $$), '7009', 'or all');

-- Events of a model one may no longer see do not stand in the way of others.
SELECT open_project('garden') \gset
SELECT create_model('g', 'garden') \gset
SELECT pg_temp.tries('t_outside', $$ SELECT mlmeta.create_event_consumer('t_outside') $$) \gset
SELECT describe_model('v', 'first') \gset
SELECT describe_model('g', 'second') \gset
SELECT is(pg_temp.tries('t_outside', $$ SELECT string_agg(model || ' ' || action, ', ') FROM mlmeta.take_events('t_outside', 1) $$),
	'g described', 'the oldest event that one may see is taken');
SELECT is(pg_temp.tries('t_inside', $$ SELECT mlmeta.take_events('t_outside', 1) $$), '42501', 'by who owns the consumer');

-- The functions themselves.
SELECT is(pg_temp.tries('t_outside', $$ SELECT mlmeta_internal.permits_project('king', 'vault') $$), '22023', 'an access is one of four');
SELECT is(pg_temp.tries('t_inside', $$ SELECT concat_ws(' ', mlmeta_internal.permits_project('reader', 'vault'), mlmeta_internal.permits_project('admin', 'vault')) $$),
	't f', 'one may ask about oneself');
SELECT is(pg_temp.tries('t_inside', $$ SELECT concat_ws(' ', mlmeta_internal.permits_project('reader', 'nowhere'), mlmeta_internal.permits_project('reader', NULL) IS NULL,
		mlmeta_internal.permits_run('reader', NULL) IS NULL) $$),
	'f t t', 'what is not there permits nothing');

SELECT * FROM finish();
ROLLBACK;
