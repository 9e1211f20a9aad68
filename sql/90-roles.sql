-- Row security by project, and the roles of a team.
--
-- Row security does not hold for the extension's owner and for superusers: a
-- database with one user notices nothing of it. For others it asks
-- project_members, and not even that as long as every project is open.
--
-- This part stands after all that make tables: each has its policies and its
-- grants here, and a test holds the list.

CREATE FUNCTION mlmeta.list_members(project text)
RETURNS TABLE (member text, access text, added_at timestamptz, added_by text)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED ROWS 10 SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta.find_project(project, 'admin');
	RETURN QUERY
	SELECT m.member, m.access, m.added_at, m.added_by
	FROM mlmeta.project_members AS m
	WHERE m.project = list_members.project
	ORDER BY m.member, m.access;
END
$$;

COMMENT ON FUNCTION mlmeta.list_members(text) IS
	'the members of a project, for its admins';

-- Policies --------------------------------------------------------------------

-- A table that others than the owner write to has four policies, the others one.
-- Tables hang on one another up to the project: who sees the row there, sees the
-- rows here.
DO $$
DECLARE
	link record;
	-- Asked once for a statement; then the subqueries are not even begun.
	open CONSTANT pg_catalog.text := '(SELECT mlmeta.all_open()) OR ';
	own CONSTANT pg_catalog.text := 'EXISTS (SELECT FROM mlmeta.monitors AS m WHERE m.id = %I.monitor AND mlmeta.holds_role(CURRENT_USER::text, m.owner))';
BEGIN
	FOR link IN
		-- By the key of what it belongs to.
		SELECT t.name,
			pg_catalog.format('mlmeta.permits_%s(''reader'', %I)', t.what, t.key) AS sees,
			CASE WHEN t.writes THEN pg_catalog.format('mlmeta.permits_%s(''writer'', %I)', t.what, t.key) END AS writes
		FROM (VALUES ('experiments', 'project', 'project', true),
			('runs', 'experiment', 'experiment_id', true),
			('run_metric_summaries', 'experiment', 'experiment_id', true),
			('run_params', 'run', 'run', true),
			('run_tags', 'run', 'run', true),
			('metric_series', 'run', 'run', true),
			('run_artifacts', 'run', 'run', true),
			('run_samples', 'run', 'run', true),
			('run_results', 'run', 'run', true),
			('run_metrics', 'series', 'series', true),
			('metric_chunks', 'series', 'series', true),
			('models', 'project', 'project', false),
			('model_versions', 'model', 'model_id', false),
			('model_aliases', 'model', 'model_id', false),
			('stage_periods', 'model', 'model_id', false),
			('transition_policies', 'model', 'model_id', false),
			('gates', 'model', 'model_id', false),
			('transition_requests', 'model', 'model_id', false),
			('audit_log', 'model', 'model_id', false),
			('events', 'model', 'model_id', false),
			('event_deliveries', 'model', 'model_id', false),
			('model_resolutions', 'model', 'model_id', false),
			('retrain_requests', 'model', 'model_id', false)
		) AS t (name, what, key, writes)
		UNION ALL
		SELECT *
		FROM (VALUES
			-- A new one has no row yet to be asked about.
			('projects', 'NOT members_only OR mlmeta.permits_project(''reader'', project)',
				'NOT members_only OR mlmeta.permits_project(''admin'', project)'),
			('project_members', 'mlmeta.holds_role(CURRENT_USER::text, member)',
				NULL),
			('budgets', 'CASE WHEN project IS NULL THEN mlmeta.permits_experiment(''reader'', experiment_id) ELSE mlmeta.permits_project(''reader'', project) END',
				'CASE WHEN project IS NULL THEN mlmeta.permits_experiment(''admin'', experiment_id) ELSE mlmeta.permits_project(''admin'', project) END'),
			-- What runs share is seen by who sees one of the runs, and stored
			-- before the run says so.
			('source_patches', open || 'EXISTS (SELECT FROM mlmeta.runs AS r WHERE r.patch = source_patches.patch)',
				'true'),
			('environments', open || 'EXISTS (SELECT FROM mlmeta.runs AS r WHERE r.environment = environments.environment)',
				'true'),
			('artifacts', open || 'created_by = CURRENT_USER::text OR EXISTS (SELECT FROM mlmeta.run_artifacts AS a WHERE a.artifact OPERATOR(mlmeta.=) artifacts.artifact) OR EXISTS (SELECT FROM mlmeta.model_versions AS v WHERE v.artifact OPERATOR(mlmeta.=) artifacts.artifact) OR EXISTS (SELECT FROM mlmeta.dataset_snapshots AS s WHERE s.owner = CURRENT_USER::text AND s.artifact OPERATOR(mlmeta.=) artifacts.artifact)',
				'true'),
			('dataset_snapshots', open || 'owner = CURRENT_USER::text OR EXISTS (SELECT FROM mlmeta.run_artifacts AS a WHERE a.artifact OPERATOR(mlmeta.=) dataset_snapshots.artifact) OR EXISTS (SELECT FROM mlmeta.model_versions AS v WHERE v.training_data OPERATOR(mlmeta.=) dataset_snapshots.artifact)',
				'owner = CURRENT_USER::text'),
			('dataset_rows', open || 'EXISTS (SELECT FROM mlmeta.dataset_snapshots AS s WHERE s.snapshot = dataset_rows.snapshot)',
				-- The keys are stored before the snapshot they belong to.
				open || 'NOT EXISTS (SELECT FROM mlmeta.dataset_snapshots AS s WHERE s.snapshot = dataset_rows.snapshot)'),
			('alias_periods', open || 'EXISTS (SELECT FROM mlmeta.model_aliases AS a WHERE a.alias_id = alias_periods.alias_id)',
				NULL),
			('approvals', open || 'EXISTS (SELECT FROM mlmeta.transition_requests AS r WHERE r.request = approvals.request)',
				NULL),
			('gate_results', open || 'EXISTS (SELECT FROM mlmeta.transition_requests AS r WHERE r.request = gate_results.request)',
				NULL),
			('event_consumers', 'mlmeta.holds_role(CURRENT_USER::text, owner)',
				NULL),
			('alert_deliveries', 'mlmeta.holds_role(CURRENT_USER::text, owner)',
				'mlmeta.holds_role(CURRENT_USER::text, owner)'),
			-- A monitor runs what it stores with its owner's rights: nobody else
			-- writes there. Who sees its model sees what it found.
			('monitors', 'mlmeta.holds_role(CURRENT_USER::text, owner) OR CASE WHEN project IS NOT NULL THEN mlmeta.permits_project(''reader'', project) ELSE model IS NULL OR mlmeta.permits_reference(''reader'', model) END',
				'mlmeta.holds_role(CURRENT_USER::text, owner) AND (project IS NULL OR mlmeta.permits_project(''writer'', project))'),
			('monitor_baseline_segments', open || 'EXISTS (SELECT FROM mlmeta.monitor_baselines AS b WHERE b.id = monitor_baseline_segments.baseline)',
				'EXISTS (SELECT FROM mlmeta.monitor_baselines AS b JOIN mlmeta.monitors AS m ON m.id = b.monitor WHERE b.id = monitor_baseline_segments.baseline AND mlmeta.holds_role(CURRENT_USER::text, m.owner))'),
			-- Whoever sees an alert may look after it.
			('alert_events', open || 'EXISTS (SELECT FROM mlmeta.alerts AS a WHERE a.id = alert_events.alert)',
				'EXISTS (SELECT FROM mlmeta.alerts AS a WHERE a.id = alert_events.alert)')
		) AS l (name, sees, writes)
		UNION ALL
		SELECT t.name, open || pg_catalog.format('EXISTS (SELECT FROM mlmeta.monitors AS m WHERE m.id = %I.monitor)', t.name),
			pg_catalog.format(own, t.name)
		FROM pg_catalog.unnest(ARRAY['monitor_segments', 'monitor_rules',
			'monitor_baselines', 'monitor_windows', 'monitor_results',
			'monitor_checks', 'alerts']) AS t (name)
	LOOP
		EXECUTE pg_catalog.format('ALTER TABLE mlmeta.%I ENABLE ROW LEVEL SECURITY',
			link.name);
		EXECUTE pg_catalog.format('CREATE POLICY sees ON mlmeta.%I FOR SELECT TO PUBLIC USING (%s)',
			link.name, link.sees);
		EXECUTE pg_catalog.format('COMMENT ON POLICY sees ON mlmeta.%I IS %L',
			link.name, 'members see what belongs to their projects, all see what belongs to open ones');
		CONTINUE WHEN link.writes IS NULL;
		EXECUTE pg_catalog.format('CREATE POLICY adds ON mlmeta.%I FOR INSERT TO PUBLIC WITH CHECK (%s)',
			link.name, link.writes);
		EXECUTE pg_catalog.format('CREATE POLICY changes ON mlmeta.%I FOR UPDATE TO PUBLIC USING (%s)',
			link.name, CASE WHEN link.name OPERATOR(pg_catalog.=) 'alerts' THEN link.sees ELSE link.writes END);
		EXECUTE pg_catalog.format('CREATE POLICY removes ON mlmeta.%I FOR DELETE TO PUBLIC USING (%s)',
			link.name, link.writes);
		EXECUTE pg_catalog.format('COMMENT ON POLICY adds ON mlmeta.%I IS %L',
			link.name, 'who may write in the project, or owns the monitor, adds rows, as far as he holds the grants');
		EXECUTE pg_catalog.format('COMMENT ON POLICY changes ON mlmeta.%I IS %L',
			link.name, 'who may write in the project, or owns the monitor, changes rows, as far as he holds the grants');
		EXECUTE pg_catalog.format('COMMENT ON POLICY removes ON mlmeta.%I IS %L',
			link.name, 'who may write in the project, or owns the monitor, removes rows, as far as he holds the grants');
	END LOOP;
END
$$;

-- Roles -----------------------------------------------------------------------

-- What runs with the rights of the extension's owner is not for everybody.
DO $$
DECLARE
	object record;
BEGIN
	FOR object IN
		SELECT p.oid::pg_catalog.regprocedure AS name
		FROM pg_catalog.pg_proc AS p
			JOIN pg_catalog.pg_namespace AS n
				ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
		WHERE n.nspname OPERATOR(pg_catalog.=) 'mlmeta' AND p.prosecdef
			-- set_metric() calls it for all who may call that.
			AND p.proname OPERATOR(pg_catalog.<>) 'rescore'
	LOOP
		EXECUTE pg_catalog.format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC',
			object.name);
	END LOOP;
END
$$;

CREATE FUNCTION mlmeta.grant_columns(
	privilege text,
	tables text[],
	hidden text[],
	role text
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	command text;
BEGIN
	-- A table without hidden columns is granted whole, later columns included.
	FOR command IN
		SELECT CASE WHEN bool_or(a.attname = ANY (hidden))
			THEN format('GRANT %s (%s) ON mlmeta.%I TO %I', privilege,
				string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
					FILTER (WHERE a.attname <> ALL (hidden)),
				c.relname, role)
			ELSE format('GRANT %s ON mlmeta.%I TO %I', privilege, c.relname,
				role) END
		FROM pg_class AS c
			JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
				AND NOT a.attisdropped
		WHERE c.relnamespace = 'mlmeta'::regnamespace
			AND c.relname = ANY (tables)
		GROUP BY c.relname
		ORDER BY c.relname
	LOOP
		EXECUTE command;
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta.grant_columns(text, text[], text[], text) IS
	'grants a privilege on all columns of tables but the hidden ones';

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
	PERFORM mlmeta.check_writable();
	PERFORM mlmeta.check_name('prefix', stem);
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
		WHERE NOT mlmeta.holds_role(g.member, g.given)
	LOOP
		EXECUTE format('GRANT %I TO %I', granted.given, granted.member);
	END LOOP;

	EXECUTE format('GRANT USAGE ON SCHEMA mlmeta TO %I', reader);
	-- Readers learn where a model lies from resolve_model() alone.
	PERFORM mlmeta.grant_columns('SELECT', (
		SELECT array_agg(c.relname::text)
		FROM pg_class AS c
		WHERE c.relnamespace = 'mlmeta'::regnamespace
			AND c.relkind IN ('r', 'p', 'v', 'm')
	), ARRAY['uri'], reader);

	PERFORM mlmeta.grant_columns('SELECT', ARRAY['artifacts', 'run_artifacts'],
		'{}', writer);
	-- What the server records comes from defaults, not from the client.
	FOR granted IN
		SELECT *
		FROM (VALUES
			('INSERT', 'projects', ARRAY['members_only', 'created_at', 'created_by']),
			('INSERT', 'experiments', ARRAY['experiment_id', 'created_at', 'created_by']),
			('INSERT', 'runs', ARRAY['user_name', 'created_at']),
			('INSERT', 'source_patches', ARRAY['created_at']),
			('INSERT', 'environments', ARRAY['created_at']),
			('INSERT', 'run_params', ARRAY['logged_at']),
			('INSERT', 'run_tags', ARRAY['set_at']),
			('INSERT', 'metric_keys', '{}'),
			('INSERT', 'metric_series', ARRAY['series']),
			('INSERT', 'run_metrics', '{}'),
			('INSERT', 'metric_chunks', '{}'),
			('INSERT', 'artifacts', ARRAY['kind', 'name', 'version', 'digest', 'created_at', 'created_by']),
			('INSERT', 'run_artifacts', ARRAY['logged_at']),
			('INSERT', 'dataset_snapshots', ARRAY['transaction_snapshot', 'taken_at', 'user_name', 'owner']),
			('INSERT', 'dataset_rows', '{}'),
			('INSERT', 'run_samples', '{}'),
			('INSERT', 'run_metric_summaries', '{}'),
			('INSERT', 'run_results', ARRAY['written_at']),
			('INSERT', 'monitors', ARRAY['id', 'owner', 'created_at']),
			('INSERT', 'monitor_segments', '{}'),
			('INSERT', 'monitor_rules', '{}'),
			('INSERT', 'monitor_baselines', ARRAY['id', 'set_at', 'user_name']),
			('INSERT', 'monitor_baseline_segments', '{}'),
			('INSERT', 'monitor_windows', ARRAY['checked_at']),
			('INSERT', 'monitor_results', '{}'),
			('INSERT', 'monitor_checks', ARRAY['id', 'checked_at', 'user_name']),
			('INSERT', 'alerts', ARRAY['id', 'opened_at', 'changed_at']),
			('INSERT', 'alert_events', ARRAY['id', 'at', 'user_name']),
			('INSERT', 'alert_deliveries', ARRAY['owner', 'delivered_at']),
			('UPDATE', 'runs', ARRAY['run', 'experiment_id', 'user_name', 'created_at']),
			('UPDATE', 'run_tags', ARRAY['run', 'key']),
			('UPDATE', 'metric_keys', ARRAY['key']),
			('UPDATE', 'artifacts', ARRAY['artifact', 'kind', 'name', 'version', 'digest', 'created_at', 'created_by']),
			('UPDATE', 'monitors', ARRAY['id', 'source', 'relation', 'query', 'owner', 'created_at']),
			('UPDATE', 'monitor_segments', ARRAY['monitor', 'name']),
			('UPDATE', 'monitor_rules', ARRAY['monitor', 'feature', 'measure', 'segment']),
			('UPDATE', 'monitor_baselines', ARRAY['id', 'monitor', 'dataset', 'query', 'profile', 'set_at', 'user_name']),
			('UPDATE', 'monitor_windows', ARRAY['monitor', 'window_start', 'segment']),
			('UPDATE', 'alerts', ARRAY['id', 'monitor', 'segment', 'feature', 'measure', 'opened_at']),
			('DELETE', 'run_tags', '{}'),
			('DELETE', 'run_metric_summaries', '{}'),
			('DELETE', 'run_results', '{}'),
			('DELETE', 'monitors', '{}'),
			('DELETE', 'monitor_segments', '{}'),
			('DELETE', 'monitor_rules', '{}'),
			('DELETE', 'monitor_windows', '{}'),
			('DELETE', 'monitor_results', '{}'),
			('DELETE', 'monitor_checks', '{}'),
			('DELETE', 'alerts', '{}'),
			('DELETE', 'alert_deliveries', '{}')
		) AS g (privilege, name, recorded)
	LOOP
		PERFORM mlmeta.grant_columns(granted.privilege, ARRAY[granted.name],
			granted.recorded::text[], writer);
	END LOOP;

	PERFORM mlmeta.grant_columns('INSERT, UPDATE, DELETE', ARRAY['prices',
		'budgets'], '{}', admin);

	FOR granted IN
		SELECT p.oid::regprocedure AS name, f.role
		FROM (VALUES
			(reader, ARRAY['resolve_model', 'verify_audit', 'take_events',
				'acknowledge_event']),
			(writer, ARRAY['create_model', 'create_model_version', 'set_alias',
				'drop_alias', 'describe_model', 'request_transition',
				'withdraw', 'check_gates', 'request_retraining',
				'claim_retraining', 'link_retraining', 'finish_retraining',
				'cancel_retraining', 'create_event_consumer',
				'drop_event_consumer']),
			(reviewer, ARRAY['approve', 'reject']),
			(admin, ARRAY['bypass', 'set_policy', 'store_gate', 'drop_gate',
				'define_stage', 'drop_stage', 'add_member', 'remove_member',
				'list_members', 'open_project', 'expire_requests',
				'purge_events', 'purge_runs', 'purge_experiment',
				'compact_series'])
		) AS f (role, functions)
			JOIN pg_proc AS p ON p.proname = ANY (f.functions)
				AND p.pronamespace = 'mlmeta'::regnamespace AND p.prosecdef
	LOOP
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', granted.name,
			granted.role);
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta.setup_roles(text) IS
	'makes the roles PREFIX_reader, PREFIX_writer, PREFIX_reviewer and PREFIX_admin where they are not there, and grants them what they need in this database; for the extension''s owner with the right to create roles';
