-- What is wrong with what is stored, and how to mend it.
--
-- No foreign keys stand among our tables (part 40 says why): here is the list of
-- what belongs to what, by which rows without a parent are found.

CREATE VIEW mlmeta_internal.links WITH (security_invoker = true) AS
SELECT l.child, l.child_columns, l.parent, l.parent_columns
FROM (VALUES
	('mlmeta.experiments', '{project}'::text[], 'mlmeta.projects', '{project}'::text[]),
	('mlmeta.project_members', '{project}', 'mlmeta.projects', '{project}'),
	('mlmeta.project_members', '{principal}', 'mlmeta_internal.principals', '{principal}'),
	('mlmeta.runs', '{experiment_id}', 'mlmeta.experiments', '{experiment_id}'),
	('mlmeta.runs', '{patch}', 'mlmeta.patch_copies', '{patch}'),
	('mlmeta.runs', '{environment}', 'mlmeta.environment_copies', '{environment}'),
	('mlmeta.run_params', '{run}', 'mlmeta.runs', '{run}'),
	('mlmeta.run_tags', '{run}', 'mlmeta.runs', '{run}'),
	('mlmeta.metric_series', '{run}', 'mlmeta.runs', '{run}'),
	('mlmeta.run_metrics', '{series}', 'mlmeta.metric_series', '{series}'),
	('mlmeta.metric_chunks', '{series}', 'mlmeta.metric_series', '{series}'),
	('mlmeta.run_artifacts', '{run}', 'mlmeta.runs', '{run}'),
	('mlmeta.run_artifacts', '{artifact}', 'mlmeta.artifact_copies', '{artifact}'),
	('mlmeta.run_samples', '{run}', 'mlmeta.runs', '{run}'),
	('mlmeta.run_metric_summaries', '{run}', 'mlmeta.runs', '{run}'),
	('mlmeta.run_results', '{run}', 'mlmeta.runs', '{run}'),
	('mlmeta.run_files', '{run}', 'mlmeta.runs', '{run}'),
	('mlmeta.run_logged_models', '{run}', 'mlmeta.runs', '{run}'),
	('mlmeta.run_logged_models', '{logged_model}', 'mlmeta.logged_models', '{id}'),
	('mlmeta.logged_model_files', '{logged_model}', 'mlmeta.logged_models', '{id}'),
	('mlmeta.run_marks', '{run}', 'mlmeta.runs', '{run}'),
	('mlmeta_internal.run_batches', '{run}', 'mlmeta.runs', '{run}'),
	('mlmeta_internal.lineage_runs', '{run}', 'mlmeta.runs', '{run}'),
	('mlmeta_internal.lineage_io', '{run}', 'mlmeta.runs', '{run}'),
	('mlmeta_internal.mlflow_experiment_copies', '{experiment_id}', 'mlmeta.experiments', '{experiment_id}'),
	('mlmeta.artifact_places', '{run}', 'mlmeta.runs', '{run}'),
	('mlmeta.artifact_details', '{run}', 'mlmeta.runs', '{run}'),
	('mlmeta.patch_copies', '{run}', 'mlmeta.runs', '{run}'),
	('mlmeta.environment_copies', '{run}', 'mlmeta.runs', '{run}'),
	('mlmeta.tracking_changes', '{experiment_id}', 'mlmeta.experiments', '{experiment_id}'),
	('mlmeta.tracking_changes', '{run}', 'mlmeta.runs', '{run}'),
	('mlmeta.logged_models', '{experiment_id}', 'mlmeta.experiments', '{experiment_id}'),
	('mlmeta.logged_models', '{run}', 'mlmeta.runs', '{run}'),
	('mlmeta.dataset_snapshots', '{artifact}', 'mlmeta.artifact_copies', '{artifact}'),
	('mlmeta.dataset_snapshots', '{owner_id}', 'mlmeta_internal.principals', '{principal}'),
	('mlmeta.dataset_rows', '{snapshot}', 'mlmeta.dataset_snapshots', '{snapshot}'),
	('mlmeta.budgets', '{project}', 'mlmeta.projects', '{project}'),
	('mlmeta.budgets', '{experiment_id}', 'mlmeta.experiments', '{experiment_id}'),
	('mlmeta_internal.mlflow_experiment_copies', '{experiment_id}', 'mlmeta.experiments', '{experiment_id}'),
	('mlmeta.models', '{project}', 'mlmeta.projects', '{project}'),
	('mlmeta.audit_log', '{model_id}', 'mlmeta.models', '{model_id}'),
	('mlmeta.events', '{model_id}', 'mlmeta.models', '{model_id}'),
	('mlmeta.event_consumers', '{owner_id}', 'mlmeta_internal.principals', '{principal}'),
	('mlmeta.event_deliveries', '{consumer}', 'mlmeta.event_consumers', '{consumer}'),
	('mlmeta.model_versions', '{model_id}', 'mlmeta.models', '{model_id}'),
	('mlmeta.model_versions', '{stage}', 'mlmeta.stages', '{stage}'),
	('mlmeta.model_versions', '{run}', 'mlmeta.runs', '{run}'),
	('mlmeta.model_versions', '{artifact}', 'mlmeta.artifact_copies', '{artifact}'),
	('mlmeta.model_versions', '{training_data}', 'mlmeta.artifact_copies', '{artifact}'),
	('mlmeta.model_aliases', '{model_id}', 'mlmeta.models', '{model_id}'),
	('mlmeta.model_aliases', '{model_id,version}', 'mlmeta.model_versions', '{model_id,version}'),
	('mlmeta.stage_periods', '{model_id,version}', 'mlmeta.model_versions', '{model_id,version}'),
	('mlmeta.stage_periods', '{stage}', 'mlmeta.stages', '{stage}'),
	('mlmeta.alias_periods', '{alias_id}', 'mlmeta.model_aliases', '{alias_id}'),
	('mlmeta.transition_policies', '{model_id}', 'mlmeta.models', '{model_id}'),
	('mlmeta.transition_policies', '{stage}', 'mlmeta.stages', '{stage}'),
	('mlmeta.gates', '{model_id}', 'mlmeta.models', '{model_id}'),
	('mlmeta.gates', '{stage}', 'mlmeta.stages', '{stage}'),
	('mlmeta.gates', '{owner_id}', 'mlmeta_internal.principals', '{principal}'),
	('mlmeta.transition_requests', '{model_id,version}', 'mlmeta.model_versions', '{model_id,version}'),
	('mlmeta.transition_requests', '{stage}', 'mlmeta.stages', '{stage}'),
	('mlmeta.transition_requests', '{from_stage}', 'mlmeta.stages', '{stage}'),
	('mlmeta.transition_requests', '{requester_id}', 'mlmeta_internal.principals', '{principal}'),
	('mlmeta.approvals', '{request}', 'mlmeta.transition_requests', '{request}'),
	('mlmeta.approvals', '{user_id}', 'mlmeta_internal.principals', '{principal}'),
	('mlmeta.gate_results', '{request}', 'mlmeta.transition_requests', '{request}'),
	('mlmeta.model_resolutions', '{model_id,version}', 'mlmeta.model_versions', '{model_id,version}'),
	('mlmeta.retrain_requests', '{model_id,version}', 'mlmeta.model_versions', '{model_id,version}'),
	('mlmeta.retrain_requests', '{model_id,new_version}', 'mlmeta.model_versions', '{model_id,version}'),
	('mlmeta.retrain_requests', '{run}', 'mlmeta.runs', '{run}'),
	('mlmeta_internal.monitors', '{project}', 'mlmeta.projects', '{project}'),
	('mlmeta_internal.monitors', '{owner_id}', 'mlmeta_internal.principals', '{principal}'),
	('mlmeta.alert_readers', '{owner_id}', 'mlmeta_internal.principals', '{principal}'),
	('mlmeta.monitor_segments', '{monitor}', 'mlmeta_internal.monitors', '{id}'),
	('mlmeta.segments', '{monitor}', 'mlmeta_internal.monitors', '{id}'),
	('mlmeta.monitor_inputs', '{monitor}', 'mlmeta_internal.monitors', '{id}'),
	('mlmeta.monitor_feature_list', '{monitor}', 'mlmeta_internal.monitors', '{id}'),
	('mlmeta.monitor_measures', '{monitor}', 'mlmeta_internal.monitors', '{id}'),
	('mlmeta.monitor_rules', '{monitor}', 'mlmeta_internal.monitors', '{id}'),
	('mlmeta.monitor_baselines', '{monitor}', 'mlmeta_internal.monitors', '{id}'),
	('mlmeta.monitor_baseline_segments', '{baseline}', 'mlmeta.monitor_baselines', '{id}'),
	('mlmeta.monitor_baseline_segments', '{segment}', 'mlmeta.segments', '{id}'),
	('mlmeta.monitor_usual', '{baseline}', 'mlmeta.monitor_baselines', '{id}'),
	('mlmeta.monitor_usual', '{segment}', 'mlmeta.segments', '{id}'),
	('mlmeta.monitor_windows', '{monitor}', 'mlmeta_internal.monitors', '{id}'),
	('mlmeta.monitor_windows', '{segment}', 'mlmeta.segments', '{id}'),
	('mlmeta.monitor_windows', '{baseline}', 'mlmeta.monitor_baselines', '{id}'),
	('mlmeta.monitor_results', '{monitor}', 'mlmeta_internal.monitors', '{id}'),
	('mlmeta.monitor_results', '{segment}', 'mlmeta.segments', '{id}'),
	('mlmeta.monitor_alarms', '{monitor}', 'mlmeta_internal.monitors', '{id}'),
	('mlmeta.monitor_checks', '{monitor}', 'mlmeta_internal.monitors', '{id}'),
	('mlmeta.alert_states', '{monitor}', 'mlmeta_internal.monitors', '{id}'),
	('mlmeta.alert_states', '{segment}', 'mlmeta.segments', '{id}'),
	('mlmeta.alert_events', '{alert}', 'mlmeta.alert_states', '{id}'),
	('mlmeta.alert_deliveries', '{event}', 'mlmeta.alert_events', '{id}')
) AS l (child, child_columns, parent, parent_columns);

COMMENT ON VIEW mlmeta_internal.links IS
	'which columns of a table name a row of another: what would be foreign keys';

CREATE FUNCTION mlmeta_internal.orphans()
RETURNS TABLE (object text, n bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	link record;
BEGIN
	FOR link IN
		SELECT l.*, (
				SELECT string_agg(format('p.%I OPERATOR(%I.=) c.%I', u.parent,
					t.typnamespace::regnamespace::text, u.child), ' AND ')
				FROM unnest(l.child_columns, l.parent_columns) AS u (child, parent)
					JOIN pg_attribute AS a ON a.attrelid = l.child::regclass
						AND a.attname = u.child
					JOIN pg_type AS t ON t.oid = a.atttypid
			) AS condition, (
				-- The project default needs no row.
				SELECT string_agg(format(CASE u.child WHEN 'project'
					THEN 'c.%I <> ''default''' ELSE 'c.%I IS NOT NULL' END,
					u.child), ' AND ')
				FROM unnest(l.child_columns) AS u (child)
			) AS given
		FROM mlmeta_internal.links AS l
	LOOP
		EXECUTE format('SELECT count(*) FROM %s AS c
			WHERE %s AND NOT EXISTS (SELECT FROM %s AS p WHERE %s)',
			link.child, link.given, link.parent, link.condition)
		INTO n;
		object := format('%s (%s)', link.child,
			array_to_string(link.child_columns, ', '));
		IF n > 0 THEN
			RETURN NEXT;
		END IF;
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.orphans() IS
	'rows that belong to a row that is not there, by table and column';

CREATE FUNCTION mlmeta_internal.lagging_sequences()
RETURNS TABLE (object text, n bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owned record;
BEGIN
	FOR owned IN
		SELECT a.attrelid::regclass AS relation, a.attname AS field,
			pg_get_serial_sequence(a.attrelid::regclass::text, a.attname) AS name
		FROM pg_attribute AS a
			JOIN pg_class AS c ON c.oid = a.attrelid
		WHERE c.relnamespace IN ('mlmeta'::regnamespace,
				'mlmeta_internal'::regnamespace)
			AND c.relkind = 'r' AND a.attidentity <> ''
	LOOP
		EXECUTE format('SELECT max(t.%I) - (SELECT CASE WHEN s.is_called
				THEN s.last_value ELSE s.last_value - 1 END FROM %s AS s)
			FROM %s AS t', owned.field, owned.name, owned.relation)
		INTO n;
		object := owned.name;
		IF n > 0 THEN
			RETURN NEXT;
		END IF;
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.lagging_sequences() IS
	'sequences that are behind the numbers in their tables, and by how much';

CREATE FUNCTION mlmeta_internal.repair_sequences()
RETURNS TABLE (sequence text, moved_by bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.check_writable();
	FOR sequence, moved_by IN
		SELECT s.object, s.n FROM mlmeta_internal.lagging_sequences() AS s
	LOOP
		EXECUTE format('SELECT setval(%L, %s + (SELECT CASE WHEN s.is_called
			THEN s.last_value ELSE s.last_value - 1 END FROM %s AS s))',
			sequence, moved_by, sequence);
		RETURN NEXT;
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.repair_sequences() IS
	'moves sequences that are behind their tables up to them, as after a logical switch-over, which carries no sequences; returns which';

CREATE FUNCTION mlmeta_internal.doctor()
RETURNS TABLE (problem text, object text, n bigint, cure text)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT 'rows without what they belong to', o.object, o.n,
		'Restore the missing rows, or have the owner remove these.'
	FROM mlmeta_internal.orphans() AS o
	UNION ALL
	SELECT 'sequence behind its table', s.object, s.n,
		'SELECT * FROM mlmeta.repair_sequences();'
	FROM mlmeta_internal.lagging_sequences() AS s
	UNION ALL
	SELECT 'role that is not known here', p.name, 1::bigint,
		CASE WHEN p.cluster = mlmeta_internal.cluster()
			THEN 'It was dropped: give what it owned or was a member of to others.'
			ELSE 'The rows come from another cluster: SELECT * FROM mlmeta.rebind_roles();' END
	FROM mlmeta_internal.principals AS p
	WHERE mlmeta_internal.principal_role(p.principal) IS NULL
	UNION ALL
	SELECT 'role that was renamed', p.name, 1::bigint,
		format('Another cluster would not know %s by that name: before a dump for it, SELECT * FROM mlmeta.rebind_roles();',
			mlmeta_internal.principal_name(p.principal))
	FROM mlmeta_internal.principals AS p
	WHERE mlmeta_internal.principal_name(p.principal) <> p.name
	UNION ALL
	SELECT 'disabled trigger', format('%s on %s', t.tgname, t.tgrelid::regclass),
		1::bigint, format('ALTER TABLE %s ENABLE TRIGGER %I;',
			t.tgrelid::regclass, t.tgname)
	FROM pg_trigger AS t
		JOIN pg_class AS c ON c.oid = t.tgrelid
	WHERE c.relnamespace = 'mlmeta'::regnamespace AND NOT t.tgisinternal
		AND t.tgenabled = 'D'
	UNION ALL
	SELECT 'owned by another than its schema', c.oid::regclass::text, 1::bigint,
		format('ALTER TABLE %s OWNER TO %s;', c.oid::regclass,
			s.nspowner::regrole)
	FROM pg_class AS c
		JOIN pg_namespace AS s ON s.oid = c.relnamespace
	WHERE s.nspname IN ('mlmeta', 'mlmeta_internal')
		AND c.relkind IN ('r', 'v') AND c.relowner <> s.nspowner
	UNION ALL
	SELECT 'broken audit trail', v.model_name, 1::bigint,
		format('Compare with a backup from row %s on: %s.', v.n, v.problem)
	FROM mlmeta_internal.verify_audit() AS v
	UNION ALL
	-- An admin need not be a member of all projects.
	SELECT 'cycle in the lineage', CASE WHEN mlmeta_internal.all_open()
			OR mlmeta_internal.holds_role(mlmeta_internal.caller(), current_user)
			THEN c.node ELSE 'ask the owner' END, 1::bigint,
		'An edge was logged twice at once, or in two projects; readers end on it.'
	FROM (
		SELECT (mlmeta.cycle(mlmeta.stored_lineage()))[1] AS node
	) AS c
	WHERE c.node IS NOT NULL;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.doctor() IS
	'what is wrong with what is stored, with the cure for each: no row when all is well. Reads every table';
