-- What setup_roles() grants, object by object. The list is written out on purpose:
-- a table or function that is new fails here until somebody has said who may do
-- what with it.
BEGIN;
SET search_path = public, mlmeta;
SELECT plan(31);

SELECT setup_roles('t_reg') \gset
CREATE ROLE stranger;
CREATE ROLE wim; GRANT t_reg_writer TO wim;
CREATE ROLE mia; GRANT t_reg_writer TO mia;
CREATE ROLE rita; GRANT t_reg_reader TO rita;

-- What each role may do with each table beyond what the role below it may.
CREATE FUNCTION pg_temp.rights(t oid, role text, below text) RETURNS text
LANGUAGE sql AS $$
	SELECT string_agg(p.privilege || coalesce('(' || p.columns || ')', ''), ' ' ORDER BY p.n)
	FROM (
		SELECT n, privilege, (
				-- Some columns and not all: these.
				SELECT string_agg(a.attname, ',' ORDER BY a.attnum)
				FROM pg_attribute AS a
				WHERE a.attrelid = t AND a.attnum > 0 AND NOT a.attisdropped
					AND privilege <> 'DELETE'
					AND NOT has_table_privilege(role, t, privilege)
					AND has_column_privilege(role, t, a.attnum, privilege)
			) AS columns
		FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'])
			WITH ORDINALITY AS u (privilege, n)
		WHERE has_table_privilege(role, t, privilege)
			OR (privilege IN ('SELECT', 'INSERT', 'UPDATE') AND has_any_column_privilege(role, t, privilege))
	) AS p
	WHERE NOT (has_table_privilege(below, t, p.privilege)
		OR (p.columns IS NOT NULL AND has_any_column_privilege(below, t, p.privilege)))
$$;
CREATE TEMP VIEW matrix AS
SELECT c.relname, c.relkind, c.relname || ': ' || concat_ws('; ',
	'reader ' || pg_temp.rights(c.oid, 't_reg_reader', 'stranger'),
	'writer ' || pg_temp.rights(c.oid, 't_reg_writer', 't_reg_reader'),
	'reviewer ' || pg_temp.rights(c.oid, 't_reg_reviewer', 't_reg_reader'),
	'admin ' || pg_temp.rights(c.oid, 't_reg_admin', 't_reg_writer')) AS line
FROM pg_class AS c
WHERE c.relnamespace = 'mlmeta'::regnamespace AND c.relkind IN ('r', 'p', 'm', 'v', 'S')
ORDER BY c.relname;

-- Tables ----------------------------------------------------------------------

SELECT is((SELECT string_agg(line, E'\n' ORDER BY line COLLATE "C") FROM matrix WHERE relkind NOT IN ('v', 'S')),
$$alert_deliveries: reader SELECT
alert_events: reader SELECT
alerts: reader SELECT
alias_periods: reader SELECT
approvals: reader SELECT
artifact_copies: reader SELECT(artifact,source,kind,name,version,digest,created_at,created_by)
artifact_details: reader SELECT
artifact_places: reader SELECT(run,artifact,direction,role,logged_at); writer SELECT
audit_log: reader SELECT
budgets: reader SELECT
dataset_rows: reader SELECT
dataset_snapshots: reader SELECT
environment_copies: reader SELECT
event_consumers: reader SELECT
event_deliveries: reader SELECT
events: reader SELECT
experiments: reader SELECT
gate_results: reader SELECT
gates: reader SELECT
logged_models: reader SELECT(id,experiment_id,name,run,status,params,tags,model_type,created_at,changed_at,created_by,deleted_at); writer SELECT
metric_chunks: reader SELECT
metric_key_changes: reader SELECT
metric_keys: reader SELECT
metric_series: reader SELECT
model_aliases: reader SELECT
model_resolutions: reader SELECT
model_versions: reader SELECT(model_id,version,stage,run,artifact,training_data,profile,description,tags,created_at,created_by)
models: reader SELECT
monitor_baseline_segments: reader SELECT
monitor_baselines: reader SELECT
monitor_checks: reader SELECT
monitor_results: reader SELECT
monitor_rules: reader SELECT
monitor_segments: reader SELECT
monitor_windows: reader SELECT
patch_copies: reader SELECT
prices: reader SELECT
project_members: reader SELECT
projects: reader SELECT
retrain_requests: reader SELECT
run_artifacts: reader SELECT(run,artifact,direction,role,logged_at); writer SELECT
run_files: reader SELECT
run_marks: reader SELECT
run_metric_summaries: reader SELECT
run_metrics: reader SELECT
run_params: reader SELECT
run_results: reader SELECT
run_samples: reader SELECT
run_tags: reader SELECT
runs: reader SELECT
stage_periods: reader SELECT
stages: reader SELECT
tracking_changes: reader SELECT
transition_policies: reader SELECT
transition_requests: reader SELECT$$,
	'tables: who may do what');
SELECT is_empty($$ SELECT line FROM matrix WHERE relkind = 'v' AND line <> relname || CASE relname
	WHEN 'artifacts' THEN ': reader SELECT(artifact,kind,name,version,digest,created_at,created_by)'
	ELSE ': reader SELECT' END $$,
	'views: readers read all of them, nobody writes; they show what their reader may see');
SELECT is_empty($$ SELECT line FROM matrix WHERE relkind = 'S' AND line <> relname || ': ' $$,
	'sequences: nobody');
SELECT is((SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
	WHERE relnamespace = 'mlmeta'::regnamespace AND relkind IN ('r', 'p') AND NOT relrowsecurity),
	'metric_key_changes metric_keys prices stages', 'all tables but those that say the same to everybody have row security');
SELECT is_empty($$ SELECT line FROM matrix WHERE line ~ '(INSERT|UPDATE|DELETE|TRUNCATE|REFERENCES|TRIGGER)' $$,
	'no role writes to any of them');
-- Columns in which the server says who did it and when.
SELECT is_empty($$
	SELECT a.attrelid::regclass, a.attname FROM pg_attribute AS a JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
		JOIN pg_class AS c ON c.oid = a.attrelid AND c.relnamespace = 'mlmeta'::regnamespace AND c.relkind = 'r'
	WHERE pg_get_expr(d.adbin, d.adrelid) ~* 'user|now\(\)|clock_timestamp|current_snapshot|nextval|mlmeta\.(kind|name|version|digest)\('
		AND has_column_privilege('wim', a.attrelid, a.attnum, 'INSERT')
$$, 'no writer fills a column that the server fills');
SELECT is_empty($$
	SELECT a.attrelid::regclass, a.attname FROM pg_attribute AS a
		JOIN pg_class AS c ON c.oid = a.attrelid AND c.relnamespace = 'mlmeta'::regnamespace AND c.relkind IN ('r', 'v')
	-- Where a run's files lie is no secret, where a model lies is.
	WHERE a.attname ~ 'uri|location' AND a.attname <> 'artifact_uri' AND has_column_privilege('rita', a.attrelid, a.attnum, 'SELECT')
$$, 'no reader selects a location');

-- Functions -------------------------------------------------------------------

SELECT is_empty($$
	SELECT p.oid::regprocedure FROM pg_proc AS p
		LEFT JOIN mlmeta_internal.doors AS d ON d.name = p.proname
	WHERE p.pronamespace = 'mlmeta'::regnamespace
		AND (coalesce(d.role, 'public') = 'public') <> has_function_privilege('stranger', p.oid, 'EXECUTE')
$$, 'doors are granted, all else runs with the rights of who calls it');
SELECT is((
	SELECT string_agg(r.name || ': ' || (
			SELECT string_agg(DISTINCT p.proname, ' ' ORDER BY p.proname)
			FROM pg_proc AS p
			WHERE p.pronamespace = 'mlmeta'::regnamespace
				AND NOT has_function_privilege('stranger', p.oid, 'EXECUTE')
				AND has_function_privilege('t_reg_' || r.name, p.oid, 'EXECUTE')
				AND (r.name = 'reader' OR NOT has_function_privilege('t_reg_reader', p.oid, 'EXECUTE'))
				AND (r.name <> 'admin' OR NOT has_function_privilege('t_reg_writer', p.oid, 'EXECUTE')
					AND NOT has_function_privilege('t_reg_reviewer', p.oid, 'EXECUTE'))
		), E'\n' ORDER BY r.n)
	FROM unnest(ARRAY['reader', 'writer', 'reviewer', 'admin']) WITH ORDINALITY AS r (name, n)
),
$$reader: acknowledge_event resolve_model take_events verify_audit
writer: acknowledge alter_monitor apply_retention assign_alert begin_run cancel_retraining check_due check_gates check_monitor check_quietly claim_retraining correct_metric create_event_consumer create_experiment create_logged_model create_model create_model_version create_monitor create_project delete_experiment delete_run describe_artifact describe_model drop_alias drop_event_consumer drop_monitor finish_retraining finish_run heartbeat log_artifact log_batch log_file log_metric log_metrics log_params log_samples log_series log_source move_runs reap_runs refresh_results rename_experiment rename_metric rename_run request_retraining request_transition resolve restore_experiment restore_run resume_run schedule_monitor schedule_run set_alias set_baseline set_baseline_of_model set_baseline_of_run set_experiment_tags set_logged_model set_note set_parent set_rule set_segments set_tags settle_run snapshot_dataset snooze start_retraining start_run take_alerts unschedule_monitor unsettled_runs use_artifact withdraw
reviewer: approve reject
admin: add_gate add_member bypass compact_series define_stage doctor drop_gate drop_stage expire_requests list_members open_project purge_events purge_experiment purge_runs remove_member repair_sequences set_budget set_metric set_policy set_price$$,
	'functions: who may call what');
SELECT is((SELECT string_agg(proname, ' ' ORDER BY proname) FROM pg_proc AS p WHERE p.pronamespace = 'mlmeta'::regnamespace
	AND NOT has_function_privilege('t_reg_admin', p.oid, 'EXECUTE')), 'rebind_roles', 'and what only the owner may');

-- Claims ----------------------------------------------------------------------

CREATE FUNCTION pg_temp.tries(who text, query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SET LOCAL SESSION AUTHORIZATION %I', who);
	EXECUTE query INTO result;
	RESET SESSION AUTHORIZATION;
	RETURN coalesce(nullif(result, ''), 'nothing');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
SELECT start_run('e') AS r \gset
SELECT is(pg_temp.tries('wim', $$ INSERT INTO mlmeta.runs (experiment_id, user_name) SELECT min(experiment_id), 'mia' FROM mlmeta.experiments $$),
	'42501', 'nobody starts a run as another');
SELECT is(pg_temp.tries('wim', $$ INSERT INTO mlmeta.runs (experiment_id, created_at) SELECT min(experiment_id), 'epoch' FROM mlmeta.experiments $$),
	'42501', 'nor long ago');
SELECT is(pg_temp.tries('wim', $$ UPDATE mlmeta.runs SET user_name = 'wim' $$), '42501', 'nor takes one over');
SELECT is(pg_temp.tries('wim', $$ INSERT INTO mlmeta.artifact_copies (artifact, source, created_by) VALUES ('model:x', gen_random_uuid(), 'mia') $$), '42501', 'nor makes an artifact as another');
SELECT is(pg_temp.tries('wim', $$ INSERT INTO mlmeta.projects (project, members_only) VALUES ('mine', true) $$), '42501', 'nor closes a project by hand');
SELECT is(pg_temp.tries('wim', $$ UPDATE mlmeta.projects SET members_only = false $$), '42501', 'nor opens one');
SELECT is(pg_temp.tries('wim', $$ INSERT INTO mlmeta.project_members (project, principal, access) VALUES ('default', 1, 'admin') $$), '42501', 'nor joins one');
SELECT is(pg_temp.tries('wim', $$ INSERT INTO mlmeta.metric_series (series, run, key) SELECT 1000000, run, 'x' FROM mlmeta.runs $$), '42501', 'nor takes numbers that others will get');

-- Monitors --------------------------------------------------------------------

CREATE TABLE public.traffic AS
SELECT '2024-01-01'::timestamptz + i * interval '1 hour' AS at, i + (i / 100) * 1000.0 AS x FROM generate_series(0, 239) AS i;
GRANT SELECT ON public.traffic TO wim;
SELECT is(pg_temp.tries('wim', $$ SELECT mlmeta.create_monitor('m', 'public.traffic', 'at', '1 day') > 0 $$), 'true', 'a writer watches a table that he may read');
SELECT pg_temp.tries('mia', $$ SELECT mlmeta.create_monitor('n', 'public.traffic', 'at', '1 day') $$) \gset
SELECT is(pg_temp.tries('mia', $$ SELECT mlmeta.set_baseline('n', '2024-01-01', '2024-01-03') > 0 $$), '42501', 'who may not read it sees nothing of it either');
SELECT is(pg_temp.tries('wim', $$ SELECT mlmeta.set_baseline('m', '2024-01-01', '2024-01-03') > 0 $$), 'true', 'gives it a baseline');
SELECT is(pg_temp.tries('wim', $$ SELECT count(*) > 0 FROM mlmeta.check_monitor('m', '2024-01-11') $$), 'true', 'and checks it');
SELECT id AS alert FROM alerts ORDER BY id LIMIT 1 \gset
SELECT is(pg_temp.tries('mia', format('SELECT mlmeta.acknowledge(%s)', :alert)), '42501', 'another writer does not look after the alert of a monitor without project');
SELECT is(pg_temp.tries('wim', format('SELECT mlmeta.acknowledge(%s)', :alert)), 'nothing', 'its owner does');
SELECT is((SELECT user_name FROM alert_events WHERE alert = :alert ORDER BY id DESC LIMIT 1), 'wim', 'under his own name');
SELECT is(pg_temp.tries('mia', $$ UPDATE mlmeta.monitors SET query = 'SELECT 1' WHERE name = 'm' $$), '42501', 'but does not change what he runs');
SELECT is(pg_temp.tries('mia', $$ WITH u AS (UPDATE mlmeta.monitors SET tolerance = 1 WHERE name = 'm' RETURNING 1) SELECT count(*) FROM u $$), '42501',
	'nor how it is judged');
SELECT is(pg_temp.tries('mia', $$ INSERT INTO mlmeta.monitor_segments SELECT id, 'evil', 9, 'public.evil()' FROM mlmeta.monitors $$), '42501',
	'nor adds to it');
SELECT is(pg_temp.tries('mia', $$ INSERT INTO mlmeta.monitor_baselines (monitor, query, profile)
	SELECT monitor, 'SELECT public.evil()', profile FROM mlmeta.monitor_baselines $$), '42501', 'neither here nor there');
SELECT is(pg_temp.tries('rita', format('SELECT mlmeta.acknowledge(%s)', :alert)), '42501', 'a reader does not');

-- A monitor of a model is seen by who sees the model.
SELECT create_project('closed') \gset
SELECT create_model('team/vault', 'closed') \gset
UPDATE monitors SET model = 'team/vault@champion';
SELECT add_member('closed', 'mia', 'reader') \gset
SELECT is(array(SELECT pg_temp.tries(who, format('SELECT count(*) > 0 FROM mlmeta.%I', name))
	FROM unnest('{rita,mia,wim}'::text[]) AS who, unnest('{monitors,drift_latest,alerts,alert_events,monitor_baseline_segments}'::text[]) AS name),
	'{false,false,false,false,false,true,true,true,true,true,true,true,true,true,true}',
	'its members and the owner see the monitor of a model in a closed project, others nothing of it');

SELECT * FROM finish();
ROLLBACK;
