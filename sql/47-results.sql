-- Results of ended runs: what finish_run() writes so that tables of runs and
-- ranks need no look at histories. Everything here follows from other tables.

CREATE TABLE mlmeta.run_metric_summaries (
	run mlmeta.run NOT NULL REFERENCES mlmeta.runs,
	experiment_id bigint NOT NULL REFERENCES mlmeta.experiments,
	key text NOT NULL,
	context text NOT NULL,
	n bigint NOT NULL,
	nan_count bigint NOT NULL,
	minimum float8,
	maximum float8,
	last_step bigint NOT NULL,
	last_at timestamptz NOT NULL,
	last_value float8 NOT NULL,
	PRIMARY KEY (run, key, context)
);

-- Ranks by the best value in either direction, or by the last. NaN is no
-- candidate.
CREATE INDEX run_metric_summaries_maximum ON mlmeta.run_metric_summaries
	(experiment_id, key, context, maximum, run) WHERE maximum IS NOT NULL;
CREATE INDEX run_metric_summaries_minimum ON mlmeta.run_metric_summaries
	(experiment_id, key, context, minimum, run) WHERE minimum IS NOT NULL;
CREATE INDEX run_metric_summaries_last ON mlmeta.run_metric_summaries
	(experiment_id, key, context, last_value, run) WHERE last_value <> 'NaN';

COMMENT ON TABLE mlmeta.run_metric_summaries IS
	'each metric of each ended run in one row';
COMMENT ON COLUMN mlmeta.run_metric_summaries.n IS
	'points, NaN among them';
COMMENT ON COLUMN mlmeta.run_metric_summaries.minimum IS
	'least value that is not NaN; NULL when all are';
COMMENT ON COLUMN mlmeta.run_metric_summaries.maximum IS
	'greatest value that is not NaN; NULL when all are';

CREATE TABLE mlmeta.run_results (
	run mlmeta.run PRIMARY KEY REFERENCES mlmeta.runs,
	params jsonb NOT NULL,
	metrics jsonb NOT NULL,
	signature bytea NOT NULL,
	written_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);

CREATE INDEX run_results_signature ON mlmeta.run_results (signature);

COMMENT ON TABLE mlmeta.run_results IS
	'parameters and latest metrics of each ended run in one row';
COMMENT ON COLUMN mlmeta.run_results.signature IS
	'digest of code, parameters and data, see run_signature()';

CREATE FUNCTION mlmeta.metric_label(key text, context text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN context = '' THEN key ELSE context || '/' || key END;

COMMENT ON FUNCTION mlmeta.metric_label(text, text) IS
	'how a metric is called in JSON: its key, or context/key';

CREATE FUNCTION mlmeta.params_of(run mlmeta.run) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
	SELECT coalesce(pg_catalog.jsonb_object_agg(p.key, p.value), '{}')
	FROM mlmeta.run_params AS p
	WHERE p.run OPERATOR(mlmeta.=) params_of.run
);

COMMENT ON FUNCTION mlmeta.params_of(mlmeta.run) IS
	'the parameters of a run as a JSON object';

CREATE FUNCTION mlmeta.run_signature(run mlmeta.run) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
RETURN (
	SELECT pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.jsonb_build_array(
		r.repository, r.git_commit, r.entry_point, r.patch, (
			-- 0.1 and 0.10 are one value.
			SELECT pg_catalog.jsonb_object_agg(p.key, CASE
				WHEN pg_catalog.jsonb_typeof(p.value) = 'number'
					THEN pg_catalog.to_jsonb(
						pg_catalog.trim_scale(p.value::numeric))
				ELSE p.value END)
			FROM mlmeta.run_params AS p
			WHERE p.run OPERATOR(mlmeta.=) r.run
		), (
			SELECT pg_catalog.jsonb_agg(DISTINCT a.artifact::text)
			FROM mlmeta.run_artifacts AS a
			WHERE a.run OPERATOR(mlmeta.=) r.run AND a.direction = 'used'
		))::text, 'UTF8'))
	FROM mlmeta.runs AS r
	WHERE r.run OPERATOR(mlmeta.=) run_signature.run
);

COMMENT ON FUNCTION mlmeta.run_signature(mlmeta.run) IS
	'digest of what a run does: repository, commit, entry point, patch, parameters and artifacts used, whatever their role; equal for repeated runs';

CREATE FUNCTION mlmeta.drop_results(run mlmeta.run) RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	DELETE FROM mlmeta.run_metric_summaries AS s
	WHERE s.run OPERATOR(mlmeta.=) drop_results.run;
	DELETE FROM mlmeta.run_results AS s
	WHERE s.run OPERATOR(mlmeta.=) drop_results.run;
END;

COMMENT ON FUNCTION mlmeta.drop_results(mlmeta.run) IS
	'removes the written results of a run that goes on; readers take them from its points again';

CREATE VIEW mlmeta.metric_summaries_live WITH (security_invoker = true) AS
SELECT s.run, s.key, s.context, a.n, a.nan_count, a.minimum, a.maximum
FROM (
		SELECT DISTINCT c.run, c.key, c.context FROM mlmeta.metric_series AS c
	) AS s
	CROSS JOIN LATERAL (
		SELECT pg_catalog.sum(t.n)::bigint AS n,
			pg_catalog.sum(t.nan_count)::bigint AS nan_count,
			pg_catalog.min(t.minimum) AS minimum,
			pg_catalog.max(t.maximum) AS maximum
		FROM mlmeta.metric_series AS c
			CROSS JOIN LATERAL (
				SELECT pg_catalog.count(*) AS n,
					pg_catalog.count(*) FILTER (WHERE m.value = 'NaN')
						AS nan_count,
					pg_catalog.min(m.value) FILTER (WHERE m.value <> 'NaN')
						AS minimum,
					pg_catalog.max(m.value) FILTER (WHERE m.value <> 'NaN')
						AS maximum
				FROM mlmeta.run_metrics AS m
				WHERE m.series = c.series
				UNION ALL
				SELECT k.n, k.nan_count, k.minimum, k.maximum
				FROM mlmeta.metric_chunks AS k
				WHERE k.series = c.series
			) AS t
		WHERE c.run OPERATOR(mlmeta.=) s.run AND c.key = s.key
			AND c.context = s.context
	) AS a
WHERE a.n > 0;

COMMENT ON VIEW mlmeta.metric_summaries_live IS
	'each metric of each run summed up from its points; for ended runs run_metric_summaries holds the same';

CREATE FUNCTION mlmeta.refresh_results(run mlmeta.run) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta.drop_results(run);

	INSERT INTO mlmeta.run_metric_summaries (run, experiment_id, key, context,
		n, nan_count, minimum, maximum, last_step, last_at, last_value)
	SELECT r.run, r.experiment_id, l.key, l.context, s.n, s.nan_count,
		s.minimum, s.maximum, l.step, l.at, l.value
	FROM mlmeta.runs AS r
		JOIN mlmeta.metric_latest AS l ON l.run OPERATOR(mlmeta.=) r.run
		JOIN mlmeta.metric_summaries_live AS s
			ON s.run OPERATOR(mlmeta.=) refresh_results.run
			AND s.key = l.key AND s.context = l.context
	WHERE r.run OPERATOR(mlmeta.=) refresh_results.run
		AND l.run OPERATOR(mlmeta.=) refresh_results.run
		AND r.finished_at IS NOT NULL;

	INSERT INTO mlmeta.run_results (run, params, metrics, signature)
	SELECT r.run, mlmeta.params_of(r.run), (
			SELECT coalesce(jsonb_object_agg(
				mlmeta.metric_label(s.key, s.context),
				to_jsonb(s.last_value)), '{}')
			FROM mlmeta.run_metric_summaries AS s
			WHERE s.run OPERATOR(mlmeta.=) r.run
		), mlmeta.run_signature(r.run)
	FROM mlmeta.runs AS r
	WHERE r.run OPERATOR(mlmeta.=) refresh_results.run
		AND r.finished_at IS NOT NULL;
END
$$;

COMMENT ON FUNCTION mlmeta.refresh_results(mlmeta.run) IS
	'writes the results of an ended run anew, for points that were logged while another session finished it';
