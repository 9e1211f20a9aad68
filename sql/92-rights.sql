-- Rights: which rows everybody sees, what may be called and read by whom.
--
-- Row security does not hold for the extension's owner and for superusers: a
-- database with one user notices nothing of it. For others it asks
-- project_members, and not even that as long as every project is open. No role
-- but the owner holds INSERT, UPDATE or DELETE on any table.

-- Row security ----------------------------------------------------------------

-- Tables hang on one another up to the project: who sees the row there, sees the
-- rows here.
DO $$
DECLARE
	link record;
	-- Asked once for a statement; then the subqueries are not even begun.
	open CONSTANT pg_catalog.text := '(SELECT mlmeta_internal.all_open()) OR ';
BEGIN
	FOR link IN
		-- By the key of what it belongs to.
		SELECT 'mlmeta' AS schema, t.name,
			pg_catalog.format('mlmeta_internal.permits_%s(''reader'', %I)', t.what, t.key) AS sees
		FROM (VALUES ('experiments', 'project', 'project'),
			('runs', 'experiment', 'experiment_id'),
			('run_metric_summaries', 'experiment', 'experiment_id'),
			('run_params', 'run', 'run'),
			('run_tags', 'run', 'run'),
			('metric_series', 'run', 'run'),
			('run_artifacts', 'run', 'run'),
			('run_samples', 'run', 'run'),
			('run_results', 'run', 'run'),
			('run_metrics', 'series', 'series'),
			('metric_chunks', 'series', 'series'),
			('models', 'project', 'project'),
			('model_versions', 'model', 'model_id'),
			('model_aliases', 'model', 'model_id'),
			('stage_periods', 'model', 'model_id'),
			('transition_policies', 'model', 'model_id'),
			('gates', 'model', 'model_id'),
			('transition_requests', 'model', 'model_id'),
			('audit_log', 'model', 'model_id'),
			('events', 'model', 'model_id'),
			('event_deliveries', 'model', 'model_id'),
			('model_resolutions', 'model', 'model_id'),
			('retrain_requests', 'model', 'model_id')
		) AS t (name, what, key)
		UNION ALL
		SELECT *
		FROM (VALUES
			('mlmeta', 'projects', 'NOT members_only OR mlmeta_internal.permits_project(''reader'', project)'),
			('mlmeta', 'project_members', 'mlmeta_internal.acts_for(principal)'),
			('mlmeta', 'budgets', 'CASE WHEN project IS NULL THEN mlmeta_internal.permits_experiment(''reader'', experiment_id) ELSE mlmeta_internal.permits_project(''reader'', project) END'),
			-- What runs share is seen by who sees one of the runs.
			('mlmeta', 'source_patches', open || 'EXISTS (SELECT FROM mlmeta.runs AS r WHERE r.patch = source_patches.patch)'),
			('mlmeta', 'environments', open || 'EXISTS (SELECT FROM mlmeta.runs AS r WHERE r.environment = environments.environment)'),
			('mlmeta', 'artifacts', open || 'EXISTS (SELECT FROM mlmeta.run_artifacts AS a WHERE a.artifact OPERATOR(mlmeta.=) artifacts.artifact) OR EXISTS (SELECT FROM mlmeta.model_versions AS v WHERE v.artifact OPERATOR(mlmeta.=) artifacts.artifact) OR EXISTS (SELECT FROM mlmeta.dataset_snapshots AS s WHERE mlmeta_internal.acts_for(s.owner_id) AND s.artifact OPERATOR(mlmeta.=) artifacts.artifact)'),
			('mlmeta', 'dataset_snapshots', open || 'mlmeta_internal.acts_for(owner_id) OR EXISTS (SELECT FROM mlmeta.run_artifacts AS a WHERE a.artifact OPERATOR(mlmeta.=) dataset_snapshots.artifact) OR EXISTS (SELECT FROM mlmeta.model_versions AS v WHERE v.training_data OPERATOR(mlmeta.=) dataset_snapshots.artifact)'),
			('mlmeta', 'dataset_rows', open || 'EXISTS (SELECT FROM mlmeta.dataset_snapshots AS s WHERE s.snapshot = dataset_rows.snapshot)'),
			('mlmeta', 'alias_periods', open || 'EXISTS (SELECT FROM mlmeta.model_aliases AS a WHERE a.alias_id = alias_periods.alias_id)'),
			('mlmeta', 'approvals', open || 'EXISTS (SELECT FROM mlmeta.transition_requests AS r WHERE r.request = approvals.request)'),
			('mlmeta', 'gate_results', open || 'EXISTS (SELECT FROM mlmeta.transition_requests AS r WHERE r.request = gate_results.request)'),
			('mlmeta', 'event_consumers', 'mlmeta_internal.acts_for(owner_id)'),
			('mlmeta', 'alert_deliveries', 'mlmeta_internal.acts_for(owner_id)'),
			-- Who sees its model sees what a monitor found: as sees_monitor().
			('mlmeta_internal', 'monitors', 'mlmeta_internal.acts_for(owner_id) OR CASE WHEN project IS NOT NULL THEN mlmeta_internal.permits_project(''reader'', project) ELSE model IS NULL OR mlmeta_internal.permits_reference(''reader'', model) END'),
			('mlmeta', 'monitor_baseline_segments', open || 'EXISTS (SELECT FROM mlmeta.monitor_baselines AS b WHERE b.id = monitor_baseline_segments.baseline)'),
			('mlmeta', 'alert_events', open || 'EXISTS (SELECT FROM mlmeta.alerts AS a WHERE a.id = alert_events.alert)'),
			-- Only functions look at these.
			('mlmeta_internal', 'lifted_guards', 'false'),
			('mlmeta_internal', 'principals', 'false')
		) AS l (schema, name, sees)
		UNION ALL
		SELECT 'mlmeta', t.name, open || pg_catalog.format('EXISTS (SELECT FROM mlmeta_internal.monitors AS m WHERE m.id = %I.monitor)', t.name)
		FROM pg_catalog.unnest(ARRAY['monitor_segments', 'monitor_rules',
			'monitor_baselines', 'monitor_windows', 'monitor_results',
			'monitor_checks', 'alerts']) AS t (name)
	LOOP
		EXECUTE pg_catalog.format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY',
			link.schema, link.name);
		EXECUTE pg_catalog.format('CREATE POLICY sees ON %I.%I FOR SELECT TO PUBLIC USING (%s)',
			link.schema, link.name, link.sees);
		EXECUTE pg_catalog.format('COMMENT ON POLICY sees ON %I.%I IS %L',
			link.schema, link.name, 'members see what belongs to their projects, all see what belongs to open ones');
	END LOOP;
END
$$;

-- Everybody -------------------------------------------------------------------

-- What functions that only read call of mlmeta_internal, beside the functions
-- of types, operators, casts, policies and views. None of it shows or changes
-- anything that the caller could not see or change without it.
CREATE VIEW mlmeta_internal.helpers WITH (security_invoker = true) AS
SELECT f.name
FROM pg_catalog.unnest(ARRAY[
	'acts_for', 'all_open', 'artifact_successor', 'audit_hash', 'caller', 'check_known',
	'check_name', 'check_writable', 'data_state', 'expected_quality',
	'feature_expression', 'find_experiment', 'find_monitor', 'higher_by_name',
	'holds_role', 'html_escape', 'html_figure', 'is_of_sets', 'is_run',
	'live_columns', 'live_features', 'metric_label', 'model_behind',
	'monitor_rows', 'moved_bins', 'moved_parts', 'no_such_run', 'params_of',
	'part_name', 'permits_project', 'permits_reference', 'permits_run',
	'principal_name', 'reference_of', 'report_feature', 'require_access',
	'run_facts', 'run_signature', 'scan_query', 'sees_monitor',
	'segment_condition', 'segment_label', 'segment_sets_without', 'slice_sums',
	'svg_cells', 'svg_curve', 'svg_frame', 'svg_number', 'time_condition',
	'too_many_nodes', 'trace', 'window_expression', 'window_zone',
	-- In C, for functions behind the door; they ask for themselves whether the
	-- caller is one.
	'actor', 'caller_path', 'cluster', 'find_relation', 'principal_role',
	'qualify_query', 'run_command', 'run_gate', 'run_query', 'sees_all_rows',
	'slice_tests'
	]) AS f (name);

COMMENT ON VIEW mlmeta_internal.helpers IS
	'functions of mlmeta_internal that everybody may execute because functions that read call them';

DO $$
DECLARE
	object record;
BEGIN
	REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA mlmeta_internal FROM PUBLIC;
	GRANT USAGE ON SCHEMA mlmeta_internal TO PUBLIC;
	FOR object IN
		SELECT p.oid::pg_catalog.regprocedure AS name
		FROM pg_catalog.pg_proc AS p
		WHERE p.pronamespace OPERATOR(pg_catalog.=)
				'mlmeta_internal'::pg_catalog.regnamespace
			AND (EXISTS (SELECT FROM mlmeta_internal.helpers AS h
					WHERE h.name::pg_catalog.name OPERATOR(pg_catalog.=) p.proname)
				OR EXISTS (SELECT FROM pg_catalog.pg_operator AS o
					WHERE o.oprcode::pg_catalog.oid OPERATOR(pg_catalog.=) p.oid)
				OR EXISTS (SELECT FROM pg_catalog.pg_type AS t
					WHERE t.typinput::pg_catalog.oid OPERATOR(pg_catalog.=) p.oid)
				OR EXISTS (SELECT FROM pg_catalog.pg_cast AS c
					WHERE c.castfunc OPERATOR(pg_catalog.=) p.oid)
				OR EXISTS (SELECT FROM pg_catalog.pg_depend AS d
					WHERE d.refclassid OPERATOR(pg_catalog.=)
							'pg_catalog.pg_proc'::pg_catalog.regclass
						AND d.refobjid OPERATOR(pg_catalog.=) p.oid
						AND d.classid OPERATOR(pg_catalog.=) ANY (ARRAY[
							'pg_catalog.pg_rewrite',
							'pg_catalog.pg_policy']::pg_catalog.regclass[])))
	LOOP
		EXECUTE pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO PUBLIC',
			object.name);
	END LOOP;
	FOR object IN
		SELECT p.oid::pg_catalog.regprocedure AS name
		FROM pg_catalog.pg_proc AS p
			JOIN mlmeta_internal.doors AS d
				ON d.name::pg_catalog.name OPERATOR(pg_catalog.=) p.proname
		WHERE p.pronamespace OPERATOR(pg_catalog.=)
				'mlmeta'::pg_catalog.regnamespace
			AND d.role OPERATOR(pg_catalog.<>) 'public'
	LOOP
		EXECUTE pg_catalog.format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC',
			object.name);
	END LOOP;
END
$$;

-- A team ----------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.grant_reading(role text, hidden text[])
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	command text;
BEGIN
	-- A table without hidden columns is granted whole, later columns included.
	FOR command IN
		SELECT CASE WHEN bool_or(a.attname = ANY (hidden))
			THEN format('GRANT SELECT (%s) ON %s TO %I',
				string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
					FILTER (WHERE a.attname <> ALL (hidden)),
				c.oid::regclass, role)
			ELSE format('GRANT SELECT ON %s TO %I', c.oid::regclass, role) END
		FROM pg_class AS c
			JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
				AND NOT a.attisdropped
		WHERE (c.relnamespace = 'mlmeta'::regnamespace
				OR c.oid = 'mlmeta_internal.monitors'::regclass)
			AND c.relkind IN ('r', 'p', 'v', 'm')
		GROUP BY c.oid
		ORDER BY c.oid
	LOOP
		EXECUTE command;
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.grant_reading(text, text[]) IS
	'lets a role read all tables and views but the hidden columns; row security decides on the rows';

CREATE FUNCTION mlmeta_internal.grant_doors(roles jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	door record;
BEGIN
	FOR door IN
		SELECT p.oid::regprocedure AS name, roles ->> d.role AS role
		FROM mlmeta_internal.doors AS d
			JOIN pg_proc AS p ON p.proname = d.name::name
				AND p.pronamespace = 'mlmeta'::regnamespace
		WHERE roles ? d.role
	LOOP
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', door.name,
			door.role);
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.grant_doors(jsonb) IS
	'lets roles through the doors that the list says; the argument says what the list''s roles are called';

CREATE FUNCTION mlmeta.setup_roles(prefix text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	stem text := rtrim(prefix, '_');
	reader text := stem || '_reader';
	writer text := stem || '_writer';
	reviewer text := stem || '_reviewer';
	admin text := stem || '_admin';
	role text;
	granted record;
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.check_name('prefix', stem);
	IF octet_length(reviewer) > 63 THEN
		RAISE EXCEPTION 'prefix "%" is too long', prefix
			USING ERRCODE = 'name_too_long',
				DETAIL = format('"%s" would have %s bytes; the limit is 63.',
					reviewer, octet_length(reviewer));
	END IF;

	-- Roles belong to the cluster: another database may have made them.
	FOREACH role IN ARRAY ARRAY[reader, writer, reviewer, admin] LOOP
		IF to_regrole(quote_ident(role)) IS NULL THEN
			EXECUTE format('CREATE ROLE %I NOLOGIN', role);
		END IF;
	END LOOP;
	FOR granted IN
		SELECT g.given, g.member
		FROM (VALUES (reader, writer), (reader, reviewer), (writer, admin),
			(reviewer, admin)) AS g (given, member)
		WHERE NOT mlmeta_internal.holds_role(g.member, g.given)
	LOOP
		EXECUTE format('GRANT %I TO %I', granted.given, granted.member);
	END LOOP;

	EXECUTE format('GRANT USAGE ON SCHEMA mlmeta TO %I', reader);
	-- Readers learn where a model lies from resolve_model() alone.
	PERFORM mlmeta_internal.grant_reading(reader, ARRAY['uri']);
	EXECUTE format('GRANT SELECT ON mlmeta.artifacts, mlmeta.run_artifacts TO %I',
		writer);
	PERFORM mlmeta_internal.grant_doors(jsonb_build_object('reader', reader,
		'writer', writer, 'reviewer', reviewer, 'admin', admin));
END
$$;

COMMENT ON FUNCTION mlmeta.setup_roles(text) IS
	'makes the roles PREFIX_reader, PREFIX_writer, PREFIX_reviewer and PREFIX_admin where they are not there, and grants them what they need in this database; for the extension''s owner with the right to create roles';
