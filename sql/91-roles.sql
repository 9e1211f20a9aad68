-- Roles: what everybody may execute of mlmeta_internal, and the roles of a team.

-- What everybody executes of mlmeta_internal: functions of types, operators,
-- casts, policies and views, and what functions that only read call. None of it
-- shows or changes anything that the caller could not see or change without it.
CREATE VIEW mlmeta_internal.helpers WITH (security_invoker = true) AS
SELECT p.oid::pg_catalog.regprocedure AS function
FROM pg_catalog.pg_proc AS p
WHERE p.pronamespace OPERATOR(pg_catalog.=)
		'mlmeta_internal'::pg_catalog.regnamespace
	AND (EXISTS (SELECT FROM pg_catalog.pg_operator AS o
			WHERE o.oprcode::pg_catalog.oid OPERATOR(pg_catalog.=) p.oid)
		-- A list of nine and more is hashed, and the function that does it asked for.
		OR EXISTS (SELECT FROM pg_catalog.pg_amproc AS a
				JOIN pg_catalog.pg_opfamily AS f
					ON f.oid OPERATOR(pg_catalog.=) a.amprocfamily
				JOIN pg_catalog.pg_am AS m
					ON m.oid OPERATOR(pg_catalog.=) f.opfmethod
			WHERE m.amname OPERATOR(pg_catalog.=) 'hash'
				AND a.amprocnum OPERATOR(pg_catalog.=) 1
				AND a.amproc::pg_catalog.oid OPERATOR(pg_catalog.=) p.oid)
		OR EXISTS (SELECT FROM pg_catalog.pg_type AS t
			WHERE p.oid OPERATOR(pg_catalog.=) ANY (ARRAY[t.typinput,
				t.typoutput]::pg_catalog.oid[]))
		OR EXISTS (SELECT FROM pg_catalog.pg_cast AS c
			WHERE c.castfunc OPERATOR(pg_catalog.=) p.oid)
		OR EXISTS (SELECT FROM pg_catalog.pg_depend AS d
			WHERE d.refclassid OPERATOR(pg_catalog.=)
					'pg_catalog.pg_proc'::pg_catalog.regclass
				AND d.refobjid OPERATOR(pg_catalog.=) p.oid
				AND d.classid OPERATOR(pg_catalog.=) ANY (ARRAY[
					'pg_catalog.pg_rewrite',
					'pg_catalog.pg_policy']::pg_catalog.regclass[]))
		OR p.proname OPERATOR(pg_catalog.=) ANY (ARRAY[
			'acts_for', 'all_open', 'artifact_successor', 'attached_facts',
			'is_path', 'metric_value', 'run_hex',
			'attached_run', 'edit_distance',
			'experiment_metric', 'find_artifact', 'has_metric', 'near_names',
			'run_metric', 'sees_artifact', 'trace_from', 'audit_hash', 'caller', 'check_known',
			'alert_facts', 'assertions_of', 'check_name', 'check_writable',
			'column_inputs', 'data_state', 'dataset_of', 'datasets_of',
			'event_time', 'expected_quality', 'facet', 'feature_value',
			'find_experiment', 'find_monitor', 'higher_by_name', 'holds_role',
			'html_escape', 'html_figure', 'invalid_condition', 'is_run', 'job_of',
			'likeliest', 'live_inputs', 'metric_label', 'model_of_reference',
			'run_facets', 'run_uuid',
			'mlflow_columns', 'mlflow_edge_query', 'mlflow_fill', 'mlflow_lacks',
			'mlflow_model_query', 'mlflow_names', 'mlflow_point_query', 'mlflow_query', 'mlflow_rank_query',
			'mlflow_ready', 'mlflow_rows', 'mlflow_run', 'mlflow_run_query',
			'mlflow_stage', 'mlflow_status', 'mlflow_table', 'mlflow_tables',
			'mlflow_time', 'mlflow_value', 'model_behind',
			'monitor_rows', 'moved_bins', 'moved_parts', 'no_such_run', 'params_of',
			'p_text', 'permits_project', 'permits_reference', 'permits_run',
			'principal_name', 'quality_columns', 'reason_of', 'reference_of', 'report_alerts', 'report_feature',
			'report_features', 'report_head', 'report_quality', 'report_rows', 'report_segments',
			'require_access', 'rows_condition', 'rows_query',
			'run_facts', 'run_signature', 'scan_query', 'sees_monitor',
			'segment_condition', 'segment_label', 'segment_names', 'slice_sums',
			'svg_cells', 'svg_curve', 'svg_frame', 'svg_number', 'time_condition',
			'too_many_nodes', 'trace', 'window_expression', 'window_of', 'window_q', 'window_zone',
			'windows_a_year', 'zero_or_one',
			-- In C, for functions behind the door; they ask for themselves whether the
			-- caller is one.
			'actor', 'caller_path', 'cluster', 'find_relation', 'next_transaction',
			'principal_role',
			'qualify_query', 'read_tables', 'run_command', 'run_gate', 'run_query',
			'scan_profiles', 'sees_all_rows', 'series_clock', 'slice_tests'
			]::pg_catalog.name[])
		-- What answers requests does so with the rights of who asks.
		OR p.proname::pg_catalog.text ~ '^(http|rest|arg)_');

COMMENT ON VIEW mlmeta_internal.helpers IS
	'functions of mlmeta_internal that everybody may execute, because types, views, policies or functions that read need them';

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
				OR c.oid = 'mlmeta_internal.monitors'::regclass
				OR c.relnamespace = 'mlmeta_internal'::regnamespace
				AND c.relname ~ '^lineage_')
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
	-- Readers learn where a model lies from resolve_model() alone. Writers see
	-- what their runs said; what was said first of an artifact may have been
	-- said in a project that is closed to them.
	PERFORM mlmeta_internal.grant_reading(reader, ARRAY['uri']);
	EXECUTE format('GRANT SELECT ON mlmeta.run_artifacts, mlmeta.artifact_places,
		mlmeta.logged_models, mlmeta.model_versions TO %I', writer);
	PERFORM mlmeta_internal.grant_doors(jsonb_build_object('reader', reader,
		'writer', writer, 'reviewer', reviewer, 'admin', admin));
END
$$;

COMMENT ON FUNCTION mlmeta.setup_roles(text) IS
	'makes the roles PREFIX_reader, PREFIX_writer, PREFIX_reviewer and PREFIX_admin where they are not there, and grants them what they need in this database; for the extension''s owner with the right to create roles';
