-- Who may do what: the one written list, for every table, view, sequence and
-- function of both schemas. It is written out on purpose: what is new fails here
-- until somebody has said who may do what with it. What the list says is
-- compared with what is granted, and tried: each command on each table and a
-- call of each function, by each of these roles.
--
--	stranger	a login and nothing else
--	member		the admin of a project, without a role of the team: membership
--				says which rows, not which commands
--	reader, writer, reviewer, admin		as setup_roles() makes them
BEGIN;
SET search_path = public, mlmeta;
SELECT plan(42);

SELECT setup_roles('t_reg') \gset
CREATE ROLE stranger;
CREATE ROLE member;
CREATE ROLE wim; GRANT t_reg_writer TO wim;
CREATE ROLE mia; GRANT t_reg_writer TO mia;
CREATE ROLE rita; GRANT t_reg_reader TO rita;
CREATE ROLE rev; GRANT t_reg_reviewer TO rev;
CREATE ROLE ada; GRANT t_reg_admin TO ada;
SELECT create_project('theirs'), add_member('theirs', 'member', 'admin') \gset

CREATE TEMP TABLE persons (who text, role text, includes text[]);
INSERT INTO persons VALUES
	('stranger', 'stranger', '{public}'),
	('member', 'member', '{public}'),
	('rita', 'reader', '{public,reader}'),
	('wim', 'writer', '{public,reader,writer}'),
	('rev', 'reviewer', '{public,reader,reviewer}'),
	('ada', 'admin', '{public,reader,writer,reviewer,admin}');

-- The list --------------------------------------------------------------------

-- No role writes to any table: functions do. Readers read all, but not where
-- models and artifacts lie; members_only and the like decide on the rows.
CREATE TEMP TABLE tables AS
SELECT split_part(line, ': ', 1) AS name, r[1] AS role, string_to_array(r[2], ',') AS columns
FROM regexp_split_to_table($list$mlmeta.alert_deliveries: reader SELECT
mlmeta.alert_events: reader SELECT
mlmeta.alert_readers: reader SELECT
mlmeta.alert_states: reader SELECT
mlmeta.alias_periods: reader SELECT
mlmeta.approvals: reader SELECT
mlmeta.artifact_copies: reader SELECT(artifact,source,kind,name,version,digest,created_at,created_by)
mlmeta.artifact_details: reader SELECT
mlmeta.artifact_places: reader SELECT(run,artifact,direction,role,logged_at); writer SELECT
mlmeta.audit_log: reader SELECT
mlmeta.budgets: reader SELECT
mlmeta.dataset_rows: reader SELECT
mlmeta.dataset_snapshots: reader SELECT
mlmeta.environment_copies: reader SELECT
mlmeta.event_consumers: reader SELECT
mlmeta.event_deliveries: reader SELECT
mlmeta.events: reader SELECT
mlmeta.experiments: reader SELECT
mlmeta.gate_results: reader SELECT
mlmeta.gates: reader SELECT
mlmeta.logged_model_files: reader SELECT
mlmeta.logged_models: reader SELECT(id,experiment_id,name,run,status,params,tags,model_type,created_at,changed_at,created_by,deleted_at); writer SELECT
mlmeta.metric_chunks: reader SELECT
mlmeta.metric_key_changes: reader SELECT
mlmeta.metric_keys: reader SELECT
mlmeta.metric_series: reader SELECT
mlmeta.mlflow_attachments: reader SELECT
mlmeta.model_aliases: reader SELECT
mlmeta.model_resolutions: reader SELECT
mlmeta.model_versions: reader SELECT(model_id,version,stage,run,artifact,training_data,profile,description,tags,created_at,created_by,place_from,other_places,deleted_at); writer SELECT
mlmeta.models: reader SELECT
mlmeta.monitor_alarms: reader SELECT
mlmeta.monitor_baseline_segments: reader SELECT
mlmeta.monitor_baselines: reader SELECT
mlmeta.monitor_checks: reader SELECT
mlmeta.monitor_feature_list: reader SELECT
mlmeta.monitor_inputs: reader SELECT
mlmeta.monitor_measures: reader SELECT
mlmeta.monitor_results: reader SELECT
mlmeta.monitor_rules: reader SELECT
mlmeta.monitor_segments: reader SELECT
mlmeta.monitor_usual: reader SELECT
mlmeta.monitor_windows: reader SELECT
mlmeta.patch_copies: reader SELECT
mlmeta.prices: reader SELECT
mlmeta.project_members: reader SELECT
mlmeta.projects: reader SELECT
mlmeta.retrain_requests: reader SELECT
mlmeta.run_artifacts: reader SELECT(run,artifact,direction,role,logged_at); writer SELECT
mlmeta.run_files: reader SELECT
mlmeta.run_logged_models: reader SELECT
mlmeta.run_marks: reader SELECT
mlmeta.run_metric_summaries: reader SELECT
mlmeta.run_metrics: reader SELECT
mlmeta.run_params: reader SELECT
mlmeta.run_results: reader SELECT
mlmeta.run_samples: reader SELECT
mlmeta.run_tags: reader SELECT
mlmeta.runs: reader SELECT
mlmeta.segments: reader SELECT
mlmeta.stage_periods: reader SELECT
mlmeta.stages: reader SELECT
mlmeta.tracking_changes: reader SELECT
mlmeta.transition_policies: reader SELECT
mlmeta.transition_requests: reader SELECT
mlmeta.mlflow_attachments: reader SELECT
mlmeta.openlineage_rejected: reader SELECT
mlmeta_internal.lineage_facets: reader SELECT
mlmeta_internal.lineage_io: reader SELECT
mlmeta_internal.lineage_job_io: reader SELECT
mlmeta_internal.lineage_names: reader SELECT
mlmeta_internal.lineage_runs: reader SELECT
mlmeta_internal.monitors: reader SELECT$list$, E'\n') AS line,
	regexp_matches(line, '(\w+) SELECT(?:\(([\w,]+)\))?', 'g') AS r;
-- Not to be read by anybody but the owner
CREATE TEMP TABLE hidden_tables AS
SELECT unnest('{mlmeta_internal.lifted_guards,mlmeta_internal.principals,mlmeta_internal.run_batches,mlmeta_internal.mlflow_experiment_copies}'::text[]) AS name;
-- Views show what their reader may see of the tables, but no column uri.
-- These are parts of others, which ask for rights on the tables below:
CREATE TEMP TABLE open_views AS
SELECT 'mlmeta_internal.' || unnest(string_to_array('all_measures http_errors http_routes rest_filter_keys rest_filter_words live_runs live_series lineage_links attached_run_overview attached_leaderboard attached_model_overview attached_lineage_edges attached_lineage_links own_run_overview own_leaderboard own_model_overview own_lineage_edges own_lineage_links', ' ')) AS name;
-- And these say something to nobody:
CREATE TEMP TABLE hidden_views AS
SELECT unnest('{mlmeta_internal.links,mlmeta_internal.doors,mlmeta_internal.helpers}'::text[]) AS name;

-- Functions of mlmeta: these are doors. All others everybody may call who may
-- use the schema, with his own rights.
CREATE TEMP TABLE doors AS
SELECT 'mlmeta' AS schema, split_part(line, ': ', 1) AS role, unnest(string_to_array(split_part(line, ': ', 2), ' ')) AS name
FROM regexp_split_to_table($list$public: dataset_is_current worst_segments
reader: acknowledge_event record_download resolve_model take_events verify_audit
writer: acknowledge_alert add_measure alter_monitor apply_retention assign_alert begin_run cancel_retraining check_budgets check_due check_gates check_monitor check_quietly claim_retraining correct_metric create_default_experiment create_event_consumer create_experiment create_logged_model create_model create_model_version create_monitor create_project delete_experiment delete_model delete_run delete_version describe_artifact describe_model drop_alias drop_event_consumer drop_measure drop_monitor finish_retraining finish_run heartbeat ingest_openlineage log_artifact log_batch log_file log_metric log_metrics log_model_file log_params log_run_model log_samples log_series log_source move_runs reap_runs refresh_results remove_files remove_model_files rename_experiment rename_feature rename_metric rename_model rename_run request_retraining request_transition resolve_alert restore_experiment restore_model restore_run restore_version resume_run schedule_monitor schedule_run set_alias set_baseline set_baseline_of_model set_baseline_of_run set_experiment_tags set_logged_model set_note set_parent set_rule set_segments set_tags settle_run snapshot_dataset snooze_alert start_retraining start_run take_alerts unschedule_monitor unsettled_runs use_artifact withdraw
reviewer: approve reject
admin: add_gate add_member attach_mlflow bypass compact_series define_stage detach_mlflow doctor drop_gate drop_stage expire_requests import_mlflow list_members open_project purge_events purge_experiment purge_runs remove_member repair_sequences set_budget set_metric set_policy set_price stored_files
owner: rebind_roles$list$, E'\n') AS line;

-- Functions of mlmeta_internal that everybody may call, beside the input and
-- output, operators, hashes and casts of the types: readers' functions and
-- policies do.
CREATE TEMP TABLE helpers AS
SELECT unnest(string_to_array('actor acts_for alert_facts all_open arg_int arg_list arg_text arg_texts artifact_successor artifact_uri assertions_of attached_facts attached_run audit_hash caller caller_path check_known check_name check_writable cluster column_inputs data_state dataset_artifact dataset_of datasets_of direction_words edit_distance event_time expected_quality experiment_metric facet facets_of feature_value find_artifact find_experiment find_monitor find_relation has_metric higher_by_name holds_role hours_in html_escape html_figure http_answer http_body http_dispatch http_error http_failure http_find_route http_json http_lineage_reply http_missing http_not_implemented_reply http_path_arguments http_query http_short_path http_text http_version_reply http_wrong invalid_condition is_path is_run job_datasets job_of likeliest live_inputs live_metrics live_summaries metric_label metric_value mlflow_columns mlflow_edge_query mlflow_fill mlflow_lacks mlflow_model_query mlflow_names mlflow_point_query mlflow_query mlflow_rank_query mlflow_ready mlflow_rows mlflow_run mlflow_run_query mlflow_stage mlflow_status mlflow_table mlflow_tables mlflow_time mlflow_value model_behind model_of_reference monitor_rows moved_bins moved_parts near_names next_transaction no_such_run openlineage_at p_text params_of permits_experiment permits_model permits_project permits_reference permits_run permits_series principal_name principal_role qualify_query quality_columns read_tables reason_of reference_of report_alerts report_feature report_features report_head report_quality report_rows report_segments require_access rest_alias_argument rest_are_plain rest_artifact_uri rest_ask_transition rest_attribute_condition rest_check_batch rest_check_experiment_name rest_check_folder rest_check_length rest_check_params rest_check_source rest_conditions rest_create_experiment rest_create_logged_model rest_create_model rest_create_run rest_create_version rest_dataset rest_default_experiment rest_delete_alias rest_delete_experiment rest_delete_experiment_tag rest_delete_files rest_delete_logged_model rest_delete_logged_model_tag rest_delete_model rest_delete_model_tag rest_delete_run rest_delete_tag rest_delete_version rest_delete_version_tag rest_download_uri rest_experiment_json rest_experiment_uri rest_file_owner rest_file_reply rest_files rest_filter rest_finalize_logged_model rest_find_experiment rest_find_run rest_float rest_get_artifact_reply rest_get_experiment rest_get_experiment_by_name rest_get_file_reply rest_get_logged_model rest_get_model rest_get_run rest_get_version rest_identifier rest_is_number rest_is_string rest_json_text rest_latest rest_latest_of rest_latest_versions rest_list rest_list_files rest_list_logged_model_files rest_list_run_files rest_log_batch rest_log_dataset rest_log_inputs rest_log_logged_model_params rest_log_metric rest_log_model rest_log_outputs rest_log_param rest_log_points rest_logged_metric_conditions rest_logged_metrics rest_logged_model_json rest_logged_model_of rest_logged_model_order rest_logged_model_uri rest_make_name rest_max_results rest_media_type rest_metric_history rest_metric_history_bulk rest_metric_history_interval rest_metric_json rest_metric_keys rest_metric_relation rest_model_conditions rest_model_json rest_model_of rest_ms rest_no_clause rest_no_comparator rest_note_version rest_number_condition rest_number_value rest_object rest_offset rest_order rest_order_by rest_page rest_pairs rest_params rest_parent rest_parse_json rest_point rest_points_of rest_purpose rest_put_file rest_rename_model rest_restore_experiment rest_restore_run rest_run_condition rest_run_data rest_run_expression rest_run_info rest_run_inputs rest_run_json rest_run_of rest_run_order rest_run_outputs rest_run_query rest_run_tags rest_runs_of rest_search_datasets rest_search_experiments rest_search_logged_models rest_search_models rest_search_runs rest_search_versions rest_send_file rest_set_alias rest_set_experiment_tag rest_set_logged_model_tags rest_set_model_tag rest_set_status rest_set_tag rest_set_version_tag rest_source rest_stage rest_stage_argument rest_status rest_status_argument rest_store_tags rest_string_value rest_strings rest_tags rest_text_condition rest_time rest_token rest_tokens rest_transition_stage_reply rest_typed rest_unquote rest_update_experiment rest_update_model rest_update_run rest_update_version rest_url_text rest_user rest_value rest_version_answer rest_version_by_alias rest_version_json rest_version_of rest_version_source rest_view_condition rows_condition rows_query run_command run_facets run_facts run_gate run_hex run_metric run_query run_signature run_uuid scan_profiles scan_query sees_all_rows sees_artifact sees_monitor segment_condition segment_label segment_names series_clock slice_sums slice_tests svg_cells svg_curve svg_frame svg_number time_condition too_many_nodes trace trace_from window_expression window_of window_q window_zone windows_a_year zero_or_one', ' ')) AS name;

CREATE TEMP VIEW functions AS
SELECT p.oid, p.oid::regprocedure AS function, p.proname::text AS name, p.pronamespace::regnamespace::text AS schema, p.prokind,
	CASE WHEN p.pronamespace = 'mlmeta'::regnamespace
			THEN coalesce((SELECT d.role FROM doors AS d WHERE d.name = p.proname), 'public')
		WHEN p.proname::text IN (SELECT name FROM helpers)
			OR EXISTS (SELECT FROM pg_operator AS o WHERE o.oprcode = p.oid)
			OR EXISTS (SELECT FROM pg_cast AS c WHERE c.castfunc = p.oid)
			OR EXISTS (SELECT FROM pg_amproc AS a JOIN pg_opfamily AS f ON f.oid = a.amprocfamily JOIN pg_am AS m ON m.oid = f.opfmethod
				WHERE m.amname = 'hash' AND a.amprocnum = 1 AND a.amproc = p.oid)
			OR EXISTS (SELECT FROM pg_type AS t WHERE p.oid IN (t.typinput, t.typoutput)) THEN 'public'
		ELSE 'owner' END AS role,
	-- Constants would be folded, and nobody asked whether he may.
	(SELECT format('SELECT %I.%I(%s) FROM (SELECT %s OFFSET 0) AS a', p.pronamespace::regnamespace, p.proname,
			string_agg('a' || a.n, ', ' ORDER BY a.n), string_agg(format('NULL::%s AS a%s', format_type(a.type, NULL), a.n), ', ' ORDER BY a.n))
		FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (type, n)) AS call,
	-- What cannot be called by itself
	p.prokind = 'f' AND NOT EXISTS (
		SELECT FROM unnest(p.proargtypes::oid[] || p.prorettype) AS a (type)
			JOIN pg_type AS t ON t.oid = a.type
		WHERE t.typtype = 'p' AND t.typname <> ALL ('{record,void,cstring}')) AS is_callable
FROM pg_proc AS p
WHERE p.pronamespace IN ('mlmeta'::regnamespace, 'mlmeta_internal'::regnamespace);

CREATE TEMP VIEW relations AS
SELECT c.oid, c.oid::regclass::text AS shown, format('%s.%I', c.relnamespace::regnamespace, c.relname) AS name, c.relkind
FROM pg_class AS c
WHERE c.relnamespace IN ('mlmeta'::regnamespace, 'mlmeta_internal'::regnamespace) AND c.relkind IN ('r', 'p', 'm', 'v', 'S', 'f');

-- What is granted -------------------------------------------------------------

SELECT is_empty($$
	SELECT name FROM relations WHERE relkind IN ('r', 'p', 'm', 'f')
	EXCEPT (SELECT name FROM tables UNION SELECT name FROM hidden_tables)
$$, 'every table is on the list');
SELECT is_empty($$
	(SELECT name FROM tables UNION SELECT name FROM hidden_tables UNION SELECT name FROM hidden_views)
	EXCEPT SELECT name FROM relations
$$, 'and nothing else is');
SELECT is_empty($$
	SELECT p.who, r.name, a.attname
	FROM persons AS p CROSS JOIN relations AS r
		JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
	WHERE r.relkind IN ('r', 'p', 'm', 'f')
		AND has_column_privilege(p.who, r.oid, a.attnum, 'SELECT') <> EXISTS (
			SELECT FROM tables AS t WHERE t.name = r.name AND t.role = ANY (p.includes)
				AND (t.columns IS NULL OR a.attname::text = ANY (t.columns)))
$$, 'tables: each role reads the columns that the list says');
SELECT is_empty($$
	SELECT p.who, r.name, w.privilege
	FROM persons AS p CROSS JOIN relations AS r
		CROSS JOIN unnest('{INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) AS w (privilege)
	WHERE r.relkind <> 'S' AND (has_table_privilege(p.who, r.oid, w.privilege)
		OR w.privilege IN ('INSERT', 'UPDATE', 'REFERENCES') AND has_any_column_privilege(p.who, r.oid, w.privilege))
$$, 'tables and views: no role has any other right');
SELECT is_empty($$
	SELECT p.who, r.name, a.attname
	FROM persons AS p CROSS JOIN relations AS r
		JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0
	WHERE r.relkind = 'v' AND has_column_privilege(p.who, r.oid, a.attnum, 'SELECT') <> (
		r.name IN (SELECT name FROM open_views)
		OR 'reader' = ANY (p.includes) AND r.name NOT IN (SELECT name FROM hidden_views) AND a.attname <> 'uri')
$$, 'views: readers read them');
SELECT is_empty($$
	SELECT c.oid::regclass FROM relations AS r JOIN pg_class AS c USING (oid)
	WHERE r.relkind = 'v' AND 'security_invoker=true' <> ALL (coalesce(c.reloptions, '{}'))
$$, 'all with their own rights');
SELECT is_empty($$
	SELECT p.who, r.name FROM persons AS p CROSS JOIN relations AS r
	WHERE r.relkind = 'S' AND has_sequence_privilege(p.who, r.oid, 'USAGE, SELECT, UPDATE')
$$, 'sequences: nobody');
SELECT is((SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
	WHERE relnamespace IN ('mlmeta'::regnamespace, 'mlmeta_internal'::regnamespace) AND relkind IN ('r', 'p') AND NOT relrowsecurity),
	'metric_key_changes metric_keys prices stages', 'all tables but those that say the same to everybody have row security');
SELECT is_empty($$
	SELECT DISTINCT a.grantee::regrole, a.privilege_type, o.name
	FROM (SELECT name, relacl AS acl, relowner AS owner FROM relations JOIN pg_class AS c USING (oid)
			UNION ALL SELECT function::text, proacl, proowner FROM functions JOIN pg_proc AS p USING (oid)
			UNION ALL SELECT nspname, nspacl, nspowner FROM pg_namespace WHERE nspname IN ('mlmeta', 'mlmeta_internal')) AS o,
		aclexplode(o.acl) AS a
	WHERE a.grantee <> o.owner AND a.grantee <> 0 AND a.grantee::regrole::text NOT LIKE 't\_reg\_%'
		OR a.is_grantable AND a.grantee <> o.owner
$$, 'nobody else has been given anything, and nobody passes it on');
SELECT is_empty($$ SELECT name FROM doors EXCEPT SELECT name FROM functions WHERE schema = 'mlmeta' $$, 'every door on the list is there');
SELECT is_empty($$ SELECT name FROM helpers EXCEPT SELECT name FROM functions WHERE schema = 'mlmeta_internal' $$, 'so is everything that helps');
SELECT is_empty($$
	SELECT p.who, f.schema, f.function, f.role FROM persons AS p CROSS JOIN functions AS f
	WHERE has_function_privilege(p.who, f.oid, 'EXECUTE') <> (f.role = ANY (p.includes))
$$, 'functions: each role executes what the list says');
-- They stay with the superuser who installed, and bodies run as the owner.
SELECT is_empty($$
	WITH called AS MATERIALIZED (
		SELECT DISTINCT (regexp_matches(coalesce(pg_get_function_sqlbody(p.oid), p.prosrc), 'mlmeta_internal\.(\w+)\(', 'g'))[1] AS name
		FROM functions AS f JOIN pg_proc AS p USING (oid)
	)
	SELECT f.function
	FROM functions AS f JOIN pg_proc AS p USING (oid) JOIN pg_language AS l ON l.oid = p.prolang
	WHERE f.schema = 'mlmeta_internal' AND l.lanname = 'c' AND f.role = 'owner' AND f.name IN (SELECT name FROM called)
$$, 'what bodies call of functions in C, an owner who is no superuser may execute');
SELECT is_empty($$
	SELECT p.who FROM persons AS p WHERE has_schema_privilege(p.who, 'mlmeta', 'USAGE') <> ('reader' = ANY (p.includes))
	UNION ALL
	SELECT p.who FROM persons AS p WHERE has_schema_privilege(p.who, 'mlmeta', 'CREATE') OR has_schema_privilege(p.who, 'mlmeta_internal', 'CREATE')
$$, 'schemas: the team uses mlmeta, nobody makes anything there');
-- Columns in which a reader could learn a location.
SELECT is_empty($$
	SELECT r.name, a.attname FROM relations AS r JOIN pg_attribute AS a ON a.attrelid = r.oid
	-- Where a run's files lie is no secret, where a model lies is. MLflow's own
	-- tables are read with the reader's own rights on them.
	WHERE a.attname ~ 'uri|location' AND a.attname <> 'artifact_uri' AND r.name NOT LIKE '%.mlflow_%' AND has_column_privilege('rita', r.oid, a.attnum, 'SELECT')
$$, 'no reader selects a location');

-- And tried -------------------------------------------------------------------

-- What becomes of a command: fine, why it was denied, or its SQLSTATE. It is
-- undone in any case.
CREATE FUNCTION pg_temp.outcome(who text, command text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SET LOCAL SESSION AUTHORIZATION %I', who);
	EXECUTE command;
	RAISE EXCEPTION USING ERRCODE = 'ZZ000';
EXCEPTION
	WHEN SQLSTATE 'ZZ000' THEN
		RETURN 'fine';
	WHEN insufficient_privilege THEN
		RETURN SQLERRM;
	WHEN OTHERS THEN
		RETURN SQLSTATE;
END
$$;
SET LOCAL search_path = public;
CREATE TEMP TABLE attempts AS
SELECT p.who, r.name, c.command, pg_temp.outcome(p.who, format(c.command, r.name, (
		SELECT string_agg(quote_ident(a.attname), ', ') FROM pg_attribute AS a
		WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
			AND (c.command NOT LIKE 'SELECT%' OR has_column_privilege(p.who, r.oid, a.attnum, 'SELECT'))), (
		SELECT quote_ident(a.attname) FROM pg_attribute AS a
		WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity <> 'a'
		ORDER BY a.attnum LIMIT 1))) AS outcome
FROM persons AS p
	CROSS JOIN relations AS r
	CROSS JOIN unnest(ARRAY['SELECT %2$s FROM %1$s', 'INSERT INTO %1$s DEFAULT VALUES', 'UPDATE %1$s SET %3$s = NULL',
		'DELETE FROM %s', 'TRUNCATE %s',
		'LOCK %s IN ACCESS EXCLUSIVE MODE', 'ALTER TABLE %s DISABLE TRIGGER ALL']) AS c (command)
WHERE r.relkind IN ('r', 'p');
SELECT is_empty($$
	SELECT who, name, command, outcome FROM attempts AS a
	WHERE outcome !~ '^(permission denied for |must be owner of table )' AND NOT (outcome = 'fine' AND command LIKE 'SELECT%' AND EXISTS (
		SELECT FROM tables AS t JOIN persons AS p ON t.role = ANY (p.includes) WHERE p.who = a.who AND t.name = a.name))
$$, 'tables: whatever is tried is denied, but reading what the list says');
SELECT is((SELECT count(*) FROM attempts WHERE outcome = 'fine'),
	(SELECT count(DISTINCT (p.who, t.name)) FROM tables AS t JOIN persons AS p ON t.role = ANY (p.includes)), 'which works');
CREATE TEMP TABLE calls AS
SELECT p.who, f.function, f.role = ANY (p.includes) AS may,
	-- Bodies may be denied what they read for who calls them; that is not meant.
	o.outcome IN ('permission denied for schema mlmeta', format('permission denied for function %s', f.name)) AS is_denied, o.outcome
FROM persons AS p CROSS JOIN functions AS f CROSS JOIN LATERAL pg_temp.outcome(p.who, f.call) AS o (outcome)
WHERE f.is_callable AND 'reader' = ANY (p.includes);
SELECT is_empty($$ SELECT who, function, outcome FROM calls WHERE is_denied = may $$,
	'functions: a call is denied to whom the list does not name, and to nobody else');
SELECT cmp_ok((SELECT count(*) FROM calls WHERE is_denied), '>', 1000::bigint, 'of which there are many');
SELECT is_empty($$
	SELECT f.function, o.outcome
	FROM persons AS p CROSS JOIN functions AS f CROSS JOIN LATERAL pg_temp.outcome(p.who, f.call) AS o (outcome)
	WHERE f.is_callable AND f.schema = 'mlmeta' AND p.role IN ('stranger', 'member') AND o.outcome <> 'permission denied for schema mlmeta'
$$, 'who has no role of the team calls nothing of mlmeta');

-- Whatever the server does with values of our types, a reader may have done.
CREATE FUNCTION pg_temp.values_of(type text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY EXECUTE format('SELECT x::text FROM public.of_%s', type); END $$;
CREATE TEMP TABLE uses AS
SELECT t.typname::text AS type, u.query
FROM pg_type AS t, (VALUES
		('SELECT count(*) FROM %1$s WHERE x IN (%2$s)'), ('SELECT count(*) FROM %1$s WHERE x NOT IN (%2$s)'), ('SELECT count(DISTINCT x) FROM %1$s'), ('SELECT x FROM %1$s GROUP BY x'),
		('SELECT a.x FROM %1$s AS a JOIN %1$s AS b ON a.x = b.x'), ('SELECT a.x FROM %1$s AS a, LATERAL (SELECT b.n FROM %1$s AS b WHERE b.x = a.x LIMIT 1) AS c'),
		('SELECT greatest(x, x), least(x, x), nullif(x, x) FROM %1$s'), ('SELECT (x, n) < (x, n + 1), (x, n) IN (SELECT x, n FROM %1$s) FROM %1$s'),
		('SELECT array_agg(x) = array_agg(x), array_agg(x) @> array_agg(x) FROM %1$s'), ('SELECT row_number() OVER (PARTITION BY x ORDER BY x) FROM %1$s'),
		('SELECT x FROM %1$s UNION SELECT x FROM %1$s'), ('SELECT x FROM %1$s INTERSECT SELECT x FROM %1$s'), ('SELECT x::text, x::text::%3$s FROM %1$s'),
		('CREATE TEMP TABLE u (x %3$s UNIQUE); CREATE INDEX ON u USING hash (x); INSERT INTO u SELECT DISTINCT x FROM %1$s'),
		('CREATE TEMP TABLE p (x %3$s) PARTITION BY HASH (x); CREATE TEMP TABLE p0 PARTITION OF p FOR VALUES WITH (modulus 1, remainder 0); INSERT INTO p SELECT x FROM %1$s')) AS u (query)
WHERE t.typnamespace = 'mlmeta'::regnamespace AND t.typtype = 'b' AND t.typcategory <> 'A'
	AND EXISTS (SELECT FROM pg_opclass AS c JOIN pg_am AS m ON m.oid = c.opcmethod WHERE c.opcintype = t.oid AND m.amname = 'hash')
	AND EXISTS (SELECT FROM pg_opclass AS c JOIN pg_am AS m ON m.oid = c.opcmethod WHERE c.opcintype = t.oid AND m.amname = 'btree');
SET LOCAL search_path = public, mlmeta;
CREATE TABLE public.of_run AS SELECT n, new_run() AS x FROM generate_series(1, 3) AS n;
CREATE TABLE public.of_artifact AS SELECT n, ('model:m:' || n)::artifact AS x FROM generate_series(1, 3) AS n;
CREATE TABLE public.of_histogram AS SELECT n, (SELECT histogram(y * n, 5) FROM generate_series(1, 20) AS y) AS x FROM generate_series(1, 3) AS n;
CREATE TABLE public.of_lineage AS SELECT n, (SELECT lineage('model:a', 'model:b' || y * n) FROM generate_series(1, 20) AS y) AS x FROM generate_series(1, 3) AS n;
GRANT SELECT ON public.of_run, public.of_artifact, public.of_histogram, public.of_lineage TO PUBLIC;
SELECT is_empty($$
	SELECT u.type, o.outcome, u.query
	FROM uses AS u, LATERAL pg_temp.outcome('rita', (SELECT format(u.query, 'public.of_' || u.type, string_agg(l.literal, ', '), 'mlmeta.' || u.type)
		FROM (SELECT quote_literal(v.value) || '::mlmeta.' || u.type AS literal
			FROM pg_temp.values_of(u.type) AS v (value), generate_series(1, 4)) AS l)) AS o (outcome)
	WHERE u.type IN ('run', 'artifact', 'histogram', 'lineage') AND o.outcome <> 'fine'
$$, 'joins, groups, long lists, indexes and the like of our types need no rights');

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
SELECT is(pg_temp.tries('mia', format('SELECT mlmeta.acknowledge_alert(%s)', :alert)), '42501', 'another writer does not look after the alert of a monitor without project');
SELECT is(pg_temp.tries('wim', format('SELECT mlmeta.acknowledge_alert(%s)', :alert)), 'nothing', 'its owner does');
SELECT is((SELECT user_name FROM alert_events WHERE alert = :alert ORDER BY id DESC LIMIT 1), 'wim', 'under his own name');
SELECT is(pg_temp.tries('mia', $$ UPDATE mlmeta.monitors SET query = 'SELECT 1' WHERE name = 'm' $$), '42501', 'but does not change what he runs');
SELECT is(pg_temp.tries('mia', $$ WITH u AS (UPDATE mlmeta.monitors SET tolerance = 1 WHERE name = 'm' RETURNING 1) SELECT count(*) FROM u $$), '42501',
	'nor how it is judged');
SELECT is(pg_temp.tries('mia', $$ INSERT INTO mlmeta.monitor_segments SELECT id, 'evil', 9, 'public.evil()' FROM mlmeta.monitors $$), '42501',
	'nor adds to it');
SELECT is(pg_temp.tries('mia', $$ INSERT INTO mlmeta.monitor_baselines (monitor, query, profile)
	SELECT monitor, 'SELECT public.evil()', profile FROM mlmeta.monitor_baselines $$), '42501', 'neither here nor there');
SELECT is(pg_temp.tries('rita', format('SELECT mlmeta.acknowledge_alert(%s)', :alert)), '42501', 'a reader does not');

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
