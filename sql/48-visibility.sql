-- What people look at: plain columns of native types, made for joins.

CREATE VIEW mlmeta.run_overview WITH (security_invoker = true) AS
SELECT r.run, e.experiment, r.name, r.status, r.started_at, r.finished_at,
	coalesce(r.finished_at, pg_catalog.statement_timestamp()) - r.started_at - r.paused
		AS duration,
	r.user_name,
	-- Ended runs have their results written: filters read them in line.
	CASE WHEN s.run IS NOT NULL THEN s.params ELSE (
		SELECT coalesce(pg_catalog.jsonb_object_agg(p.key, p.value), '{}')
		FROM mlmeta.run_params AS p
		WHERE p.run OPERATOR(mlmeta.=) r.run
	) END AS params,
	CASE WHEN s.run IS NOT NULL THEN s.metrics ELSE (
		SELECT coalesce(pg_catalog.jsonb_object_agg(
			mlmeta.metric_label(l.key, l.context),
			pg_catalog.to_jsonb(l.value)), '{}')
		FROM mlmeta.metric_latest AS l
		WHERE l.run OPERATOR(mlmeta.=) r.run
	) END AS metrics,
	(
		SELECT coalesce(pg_catalog.jsonb_object_agg(t.key, t.value), '{}')
		FROM mlmeta.run_tags AS t
		WHERE t.run OPERATOR(mlmeta.=) r.run
	) AS tags,
	(
		SELECT pg_catalog.array_agg(DISTINCT a.artifact::text)
		FROM mlmeta.run_artifacts AS a
		WHERE a.run OPERATOR(mlmeta.=) r.run AND a.direction = 'used'
			AND mlmeta.kind(a.artifact) = 'dataset'
	) AS data_versions,
	(
		SELECT pg_catalog.array_agg(DISTINCT a.artifact::text)
		FROM mlmeta.run_artifacts AS a
		WHERE a.run OPERATOR(mlmeta.=) r.run AND a.direction = 'produced'
	) AS produced,
	e.project, r.parent, r.repository, r.git_commit, r.branch, r.entry_point,
	r.command_line, r.patch IS NOT NULL AS has_patch, r.devices, r.note,
	r.heartbeat_at, r.experiment_id
FROM mlmeta.runs AS r
	JOIN mlmeta.experiments AS e ON e.experiment_id = r.experiment_id
	LEFT JOIN mlmeta.run_results AS s ON s.run OPERATOR(mlmeta.=) r.run
WHERE r.deleted_at IS NULL;

COMMENT ON VIEW mlmeta.run_overview IS
	'one row a run that is not deleted: who, when, how long, with what, and what came out';
COMMENT ON COLUMN mlmeta.run_overview.duration IS
	'time from start to end, or to now, without pauses';
COMMENT ON COLUMN mlmeta.run_overview.params IS
	'parameters, a JSON object';
COMMENT ON COLUMN mlmeta.run_overview.metrics IS
	'latest value of each metric, a JSON object; in a context as context/key';
COMMENT ON COLUMN mlmeta.run_overview.tags IS
	'tags, a JSON object';
COMMENT ON COLUMN mlmeta.run_overview.data_versions IS
	'artifacts of kind dataset that the run used';
COMMENT ON COLUMN mlmeta.run_overview.produced IS
	'artifacts that came out of the run';
COMMENT ON COLUMN mlmeta.run_overview.has_patch IS
	'whether the code had changes that were not committed';

-- Comparison ------------------------------------------------------------------

CREATE FUNCTION mlmeta.run_facts(run mlmeta.run)
RETURNS TABLE (kind text, key text, value text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 50
BEGIN ATOMIC
	SELECT f.kind, f.key, f.value
	FROM mlmeta.runs AS r
		JOIN mlmeta.experiments AS e ON e.experiment_id = r.experiment_id
		LEFT JOIN mlmeta.environments AS v ON v.environment = r.environment
		CROSS JOIN LATERAL (
			SELECT 'run' AS kind, d.key, d.value
			FROM (VALUES ('experiment', e.experiment), ('name', r.name),
				('status', r.status), ('user_name', r.user_name),
				('duration', pg_catalog.date_trunc('milliseconds',
					r.finished_at - r.started_at - r.paused)::text)
			) AS d (key, value)
			UNION ALL
			SELECT 'source', d.key, d.value
			FROM (VALUES ('repository', r.repository),
				('commit', r.git_commit), ('branch', r.branch),
				('entry_point', r.entry_point),
				('command_line', r.command_line),
				('patch', pg_catalog.encode(r.patch, 'hex'))
			) AS d (key, value)
			UNION ALL
			SELECT 'source', d.key, d.value
			FROM pg_catalog.jsonb_each_text(r.source) AS d
			UNION ALL
			SELECT 'device', d.key, d.value
			FROM pg_catalog.jsonb_each_text(r.devices) AS d
			UNION ALL
			-- One level into packages and the like.
			SELECT 'environment', pg_catalog.concat_ws('.', d.key, i.key),
				coalesce(i.value, d.value #>> '{}')
			FROM pg_catalog.jsonb_each(v.content) AS d
				LEFT JOIN LATERAL pg_catalog.jsonb_each_text(
					CASE pg_catalog.jsonb_typeof(d.value)
						WHEN 'object' THEN d.value END) AS i ON true
			UNION ALL
			-- 1.0 and 1 are one value.
			SELECT 'param', p.key,
				CASE pg_catalog.jsonb_typeof(p.value)
					WHEN 'number'
						THEN pg_catalog.trim_scale(p.value::numeric)::text
					ELSE p.value #>> '{}'
				END
			FROM mlmeta.run_params AS p
			WHERE p.run OPERATOR(mlmeta.=) r.run
			UNION ALL
			SELECT 'metric', mlmeta.metric_label(l.key, l.context),
				l.value::text
			FROM mlmeta.metric_latest AS l
			WHERE l.run OPERATOR(mlmeta.=) r.run
			UNION ALL
			SELECT 'tag', t.key, t.value
			FROM mlmeta.run_tags AS t
			WHERE t.run OPERATOR(mlmeta.=) r.run
			UNION ALL
			-- By name, so that another version of the same data shows as a
			-- change, not as one artifact less and one more.
			SELECT a.direction, pg_catalog.concat_ws(' ',
					mlmeta.any_version(a.artifact)::text,
					nullif(a.role, '')),
				pg_catalog.string_agg(a.artifact::text, ', '
					ORDER BY a.artifact)
			FROM mlmeta.run_artifacts AS a
			WHERE a.run OPERATOR(mlmeta.=) r.run
			GROUP BY 1, 2
		) AS f
	WHERE r.run OPERATOR(mlmeta.=) run_facts.run AND f.value IS NOT NULL;
END;

COMMENT ON FUNCTION mlmeta.run_facts(mlmeta.run) IS
	'everything known about a run as rows of kind (run, source, device, environment, param, metric, tag, used, produced), key and value';

CREATE FUNCTION mlmeta.compare_runs(run_a mlmeta.run, run_b mlmeta.run)
RETURNS TABLE (kind text, key text, a text, b text, changed boolean)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	missing mlmeta.run;
BEGIN
	SELECT w.run INTO missing
	FROM unnest(ARRAY[run_a, run_b]) AS w (run)
	WHERE NOT EXISTS (SELECT FROM mlmeta.runs AS r
		WHERE r.run OPERATOR(mlmeta.=) w.run)
	LIMIT 1;
	IF FOUND THEN
		PERFORM mlmeta.no_such_run(missing);
	END IF;

	RETURN QUERY
	SELECT coalesce(f.kind, g.kind), coalesce(f.key, g.key), f.value, g.value,
		f.value IS DISTINCT FROM g.value
	FROM mlmeta.run_facts(run_a) AS f
		FULL JOIN mlmeta.run_facts(run_b) AS g
			ON g.kind = f.kind AND g.key = f.key
	ORDER BY array_position(ARRAY['run', 'source', 'param', 'used', 'metric',
			'produced', 'tag', 'environment', 'device'],
		coalesce(f.kind, g.kind)), 2;
END
$$;

COMMENT ON FUNCTION mlmeta.compare_runs(mlmeta.run, mlmeta.run) IS
	'two runs side by side: every fact of either, and whether it differs';
