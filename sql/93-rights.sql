-- Rights: which rows everybody sees, and which functions everybody may call.
--
-- Row security does not hold for the extension's owner and for superusers: a
-- database with one user notices nothing of it. For others it asks
-- project_members, and not even that as long as every project is open. No role
-- but the owner holds INSERT, UPDATE or DELETE on any table.

-- Defaults --------------------------------------------------------------------

-- ALTER DEFAULT PRIVILEGES may have given the objects above to roles that are
-- not to write, or taken from everybody what all may call. Here both end: the
-- rights are what this part and setup_roles() say, whoever installs.
DO $$
DECLARE
	ours CONSTANT oid[] := ARRAY['mlmeta', 'mlmeta_internal']::pg_catalog.regnamespace[]::oid[];
	command text;
BEGIN
	FOR command IN
		WITH objects AS (
			SELECT 'SCHEMA' AS kind, n.nspname::text AS name, n.nspacl AS acl,
				n.nspowner AS owner
			FROM pg_catalog.pg_namespace AS n
			WHERE n.oid OPERATOR(pg_catalog.=) ANY (ours)
			UNION ALL
			SELECT CASE WHEN c.relkind OPERATOR(pg_catalog.=) 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
				c.oid::pg_catalog.regclass::text, c.relacl, c.relowner
			FROM pg_catalog.pg_class AS c
			WHERE c.relnamespace OPERATOR(pg_catalog.=) ANY (ours)
			UNION ALL
			SELECT 'ROUTINE', p.oid::pg_catalog.regprocedure::text, p.proacl, p.proowner
			FROM pg_catalog.pg_proc AS p
			WHERE p.pronamespace OPERATOR(pg_catalog.=) ANY (ours)
			UNION ALL
			SELECT 'TYPE', t.oid::pg_catalog.regtype::text, t.typacl, t.typowner
			FROM pg_catalog.pg_type AS t
			WHERE t.typnamespace OPERATOR(pg_catalog.=) ANY (ours)
				AND t.typelem OPERATOR(pg_catalog.=) 0
				AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c
					WHERE c.oid OPERATOR(pg_catalog.=) t.typrelid
						AND c.relkind OPERATOR(pg_catalog.<>) 'c')
		)
		SELECT pg_catalog.format('REVOKE ALL ON %s %s FROM %s', o.kind, o.name,
			CASE WHEN a.grantee OPERATOR(pg_catalog.=) 0 THEN 'PUBLIC'
				ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END)
		FROM objects AS o
			CROSS JOIN LATERAL pg_catalog.aclexplode(o.acl) AS a
		WHERE a.grantee OPERATOR(pg_catalog.<>) o.owner
		UNION
		SELECT pg_catalog.format('GRANT %s ON %s %s TO PUBLIC', CASE o.kind
			WHEN 'TYPE' THEN 'USAGE' ELSE 'EXECUTE' END, o.kind, o.name)
		FROM objects AS o
		WHERE o.kind OPERATOR(pg_catalog.=) ANY (ARRAY['TYPE', 'ROUTINE'])
			AND o.acl IS NOT NULL
		-- REVOKE comes after GRANT in the alphabet.
		ORDER BY 1 DESC
	LOOP
		EXECUTE command;
	END LOOP;
END
$$;

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
			('run_files', 'run', 'run'),
			('run_logged_models', 'run', 'run'),
			('run_marks', 'run', 'run'),
			('artifact_places', 'run', 'run'),
			('artifact_details', 'run', 'run'),
			('tracking_changes', 'experiment', 'experiment_id'),
			('logged_models', 'experiment', 'experiment_id'),
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
			('events', 'project', 'project'),
			('model_resolutions', 'model', 'model_id'),
			('retrain_requests', 'model', 'model_id')
		) AS t (name, what, key)
		UNION ALL
		SELECT *
		FROM (VALUES
			('mlmeta', 'projects', 'NOT members_only OR mlmeta_internal.permits_project(''reader'', project)'),
			('mlmeta', 'project_members', 'mlmeta_internal.acts_for(principal)'),
			('mlmeta', 'logged_model_files', 'EXISTS (SELECT FROM mlmeta.logged_models AS m WHERE m.id = logged_model_files.logged_model)'),
			('mlmeta', 'budgets', 'CASE WHEN project IS NULL THEN mlmeta_internal.permits_experiment(''reader'', experiment_id) ELSE mlmeta_internal.permits_project(''reader'', project) END'),
			-- What runs share is seen by who sees one of the runs.
			('mlmeta', 'patch_copies', open || 'EXISTS (SELECT FROM mlmeta.runs AS r WHERE r.patch = patch_copies.patch)'),
			('mlmeta', 'environment_copies', open || 'EXISTS (SELECT FROM mlmeta.runs AS r WHERE r.environment = environment_copies.environment)'),
			('mlmeta', 'artifact_copies', open || 'EXISTS (SELECT FROM mlmeta.run_artifacts AS a WHERE a.artifact OPERATOR(mlmeta.=) artifact_copies.artifact) OR EXISTS (SELECT FROM mlmeta.model_versions AS v WHERE v.artifact OPERATOR(mlmeta.=) artifact_copies.artifact) OR EXISTS (SELECT FROM mlmeta.dataset_snapshots AS s WHERE mlmeta_internal.acts_for(s.owner_id) AND s.artifact OPERATOR(mlmeta.=) artifact_copies.artifact)'),
			('mlmeta', 'dataset_snapshots', open || 'mlmeta_internal.acts_for(owner_id) OR EXISTS (SELECT FROM mlmeta.run_artifacts AS a WHERE a.artifact OPERATOR(mlmeta.=) dataset_snapshots.artifact) OR EXISTS (SELECT FROM mlmeta.model_versions AS v WHERE v.training_data OPERATOR(mlmeta.=) dataset_snapshots.artifact)'),
			('mlmeta', 'dataset_rows', open || 'EXISTS (SELECT FROM mlmeta.dataset_snapshots AS s WHERE s.snapshot = dataset_rows.snapshot)'),
			('mlmeta', 'alias_periods', open || 'EXISTS (SELECT FROM mlmeta.model_aliases AS a WHERE a.alias_id = alias_periods.alias_id)'),
			('mlmeta', 'approvals', open || 'EXISTS (SELECT FROM mlmeta.transition_requests AS r WHERE r.request = approvals.request)'),
			('mlmeta', 'gate_results', open || 'EXISTS (SELECT FROM mlmeta.transition_requests AS r WHERE r.request = gate_results.request)'),
			('mlmeta', 'mlflow_attachments', 'true'),
			('mlmeta', 'event_consumers', 'mlmeta_internal.acts_for(owner_id)'),
			('mlmeta', 'event_deliveries', open || 'EXISTS (SELECT FROM mlmeta.events AS e WHERE e.event = event_deliveries.event)'),
			('mlmeta', 'alert_deliveries', 'mlmeta_internal.acts_for(owner_id)'),
			('mlmeta', 'alert_readers', 'mlmeta_internal.acts_for(owner_id)'),
			-- Who sees its model sees what a monitor found: as sees_monitor().
			('mlmeta_internal', 'monitors', 'mlmeta_internal.acts_for(owner_id) OR CASE WHEN project IS NOT NULL THEN mlmeta_internal.permits_project(''reader'', project) ELSE model IS NULL OR mlmeta_internal.permits_reference(''reader'', model) END'),
			('mlmeta', 'monitor_usual', open || 'EXISTS (SELECT FROM mlmeta.monitor_baselines AS b WHERE b.id = monitor_usual.baseline)'),
			('mlmeta', 'monitor_baseline_segments', open || 'EXISTS (SELECT FROM mlmeta.monitor_baselines AS b WHERE b.id = monitor_baseline_segments.baseline)'),
			('mlmeta', 'alert_events', open || 'EXISTS (SELECT FROM mlmeta.alert_states AS a WHERE a.id = alert_events.alert)'),
			-- Only functions look at these.
			('mlmeta_internal', 'lifted_guards', 'false'),
			('mlmeta_internal', 'run_batches', 'false'),
			('mlmeta_internal', 'mlflow_experiment_copies', 'false'),
			('mlmeta', 'openlineage_rejected', 'rejected_by = mlmeta_internal.actor()'),
			('mlmeta_internal', 'lineage_names', 'mlmeta_internal.permits_project(''reader'', project)'),
			('mlmeta_internal', 'lineage_runs', 'mlmeta_internal.permits_run(''reader'', run)'),
			('mlmeta_internal', 'lineage_io', 'mlmeta_internal.permits_run(''reader'', run)'),
			('mlmeta_internal', 'lineage_job_io', open || 'EXISTS (SELECT FROM mlmeta_internal.lineage_names AS n WHERE n.id = lineage_job_io.job)'),
			('mlmeta_internal', 'lineage_facets', open || 'CASE WHEN subject = ''run'' THEN mlmeta_internal.permits_run(''reader'', id::mlmeta.run) ELSE EXISTS (SELECT FROM mlmeta_internal.lineage_names AS n WHERE n.id = lineage_facets.dataset) END'),
			('mlmeta_internal', 'principals', 'false')
		) AS l (schema, name, sees)
		UNION ALL
		SELECT 'mlmeta', t.name, open || pg_catalog.format('EXISTS (SELECT FROM mlmeta_internal.monitors AS m WHERE m.id = %I.monitor)', t.name)
		FROM pg_catalog.unnest(ARRAY['monitor_segments', 'segments',
			'monitor_inputs', 'monitor_feature_list', 'monitor_measures', 'monitor_rules',
			'monitor_baselines', 'monitor_windows', 'monitor_results', 'monitor_alarms',
			'monitor_checks', 'alert_states']) AS t (name)
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

-- Functions -------------------------------------------------------------------

DO $$
DECLARE
	object record;
BEGIN
	REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA mlmeta_internal FROM PUBLIC;
	-- Parts of views, which ask for rights on the tables below them.
	GRANT SELECT ON mlmeta_internal.live_series, mlmeta_internal.live_runs,
		mlmeta_internal.all_measures, mlmeta_internal.http_errors,
		mlmeta_internal.http_routes, mlmeta_internal.rest_filter_words,
		mlmeta_internal.rest_filter_keys TO PUBLIC;
	GRANT USAGE ON SCHEMA mlmeta_internal TO PUBLIC;
	FOR object IN
		SELECT h.function AS name
		FROM mlmeta_internal.helpers AS h
	LOOP
		EXECUTE pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO PUBLIC',
			object.name);
	END LOOP;
	-- Halves of views: each has the rights of its reader, who must hold those on
	-- the tables anyway.
	FOR object IN
		SELECT c.oid::pg_catalog.regclass AS name
		FROM pg_catalog.pg_class AS c
		WHERE c.relnamespace OPERATOR(pg_catalog.=)
				'mlmeta_internal'::pg_catalog.regnamespace
			AND c.relkind OPERATOR(pg_catalog.=) 'v'
			AND c.relname::pg_catalog.text OPERATOR(pg_catalog.~)
				'^(own|attached)_|^lineage_links$'
	LOOP
		EXECUTE pg_catalog.format('GRANT SELECT ON %s TO PUBLIC', object.name);
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
