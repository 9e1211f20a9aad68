-- Results of ended runs: what finish_run() writes so that tables of runs and
-- ranks need no look at histories. Everything here follows from other tables.

CREATE TABLE mlmeta.run_metric_summaries (
	run mlmeta.run NOT NULL,
	experiment_id bigint NOT NULL,
	key text NOT NULL,
	context text NOT NULL,
	n bigint NOT NULL,
	nan_count bigint NOT NULL,
	minimum float8,
	maximum float8,
	last_step bigint NOT NULL,
	last_at timestamptz NOT NULL,
	last_value float8 NOT NULL,
	higher_is_better boolean NOT NULL,
	score float8 GENERATED ALWAYS AS
		(CASE WHEN higher_is_better THEN maximum ELSE - minimum END) STORED,
	PRIMARY KEY (run, key, context)
);

-- Ranks by the best value, or by the last. NaN is no candidate. The score
-- falls in the index as it does in ranks, so that a rank needs no sorting, and
-- what a rank shows is inside.
CREATE INDEX run_metric_summaries_score ON mlmeta.run_metric_summaries
	(experiment_id, key, context, score DESC, run)
	INCLUDE (last_value, higher_is_better) WHERE score IS NOT NULL;
CREATE INDEX run_metric_summaries_last ON mlmeta.run_metric_summaries
	(experiment_id, key, context, last_value, run) WHERE last_value <> 'NaN';

COMMENT ON TABLE mlmeta.run_metric_summaries IS
	'each metric of each ended run that is not deleted in one row';
COMMENT ON COLUMN mlmeta.run_metric_summaries.n IS
	'points, NaN among them';
COMMENT ON COLUMN mlmeta.run_metric_summaries.minimum IS
	'least value that is not NaN; NULL when all are';
COMMENT ON COLUMN mlmeta.run_metric_summaries.maximum IS
	'greatest value that is not NaN; NULL when all are';
COMMENT ON COLUMN mlmeta.run_metric_summaries.higher_is_better IS
	'direction of the metric; set_metric() keeps it up to date';
COMMENT ON COLUMN mlmeta.run_metric_summaries.score IS
	'the best value, negated where lower is better: the greater the better';

CREATE TABLE mlmeta.run_results (
	run mlmeta.run PRIMARY KEY,
	params jsonb NOT NULL,
	metrics jsonb NOT NULL,
	signature bytea NOT NULL,
	written_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);

CREATE INDEX run_results_signature ON mlmeta.run_results (signature);

COMMENT ON TABLE mlmeta.run_results IS
	'parameters and latest metrics of each ended run that is not deleted in one row';
COMMENT ON COLUMN mlmeta.run_results.signature IS
	'digest of code, parameters and data, see run_signature()';

CREATE FUNCTION mlmeta_internal.metric_label(key text, context text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN context = '' THEN key ELSE context || '/' || key END;

COMMENT ON FUNCTION mlmeta_internal.metric_label(text, text) IS
	'how a metric is called in JSON: its key, or context/key';

CREATE FUNCTION mlmeta_internal.params_of(run mlmeta.run) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
	SELECT coalesce(pg_catalog.jsonb_object_agg(p.key, p.value), '{}')
	FROM mlmeta.run_params AS p
	WHERE p.run OPERATOR(mlmeta.=) params_of.run
);

COMMENT ON FUNCTION mlmeta_internal.params_of(mlmeta.run) IS
	'the parameters of a run as a JSON object';

CREATE FUNCTION mlmeta_internal.run_signature(run mlmeta.run) RETURNS bytea
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

COMMENT ON FUNCTION mlmeta_internal.run_signature(mlmeta.run) IS
	'digest of what a run does: repository, commit, entry point, patch, parameters and artifacts used, whatever their role; equal for repeated runs';

-- The run is inside of every part: a join with views over all series would sum
-- up the histories of all runs for the few that are running.
CREATE FUNCTION mlmeta_internal.live_summaries(run mlmeta.run)
RETURNS TABLE (key text, context text, n bigint, nan_count bigint,
	minimum float8, maximum float8, last_step bigint, last_at timestamptz,
	last_value float8)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10
BEGIN ATOMIC
	SELECT s.key, s.context, a.n, a.nan_count, a.minimum, a.maximum, l.step,
		l.at, l.value
	FROM (
			SELECT DISTINCT c.key, c.context
			FROM mlmeta.metric_series AS c
			WHERE c.run OPERATOR(mlmeta.=) live_summaries.run
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
			WHERE c.run OPERATOR(mlmeta.=) live_summaries.run
				AND c.key = s.key AND c.context = s.context
		) AS a
		CROSS JOIN LATERAL (
			SELECT p.step, p.at, p.value
			FROM mlmeta.metric_series AS c
				CROSS JOIN LATERAL (
					(
						SELECT m.step, m.at, m.value
						FROM mlmeta.run_metrics AS m
						WHERE m.series = c.series
						ORDER BY m.step DESC, m.at DESC
						LIMIT 1
					)
					UNION ALL
					(
						SELECT k.last_step, k.last_at, k.last_value
						FROM mlmeta.metric_chunks AS k
						WHERE k.series = c.series
						ORDER BY k.last_step DESC, k.last_at DESC
						LIMIT 1
					)
				) AS p
			WHERE c.run OPERATOR(mlmeta.=) live_summaries.run
				AND c.key = s.key AND c.context = s.context
			ORDER BY p.step DESC, p.at DESC
			LIMIT 1
		) AS l;
END;

COMMENT ON FUNCTION mlmeta_internal.live_summaries(mlmeta.run) IS
	'each metric of one run summed up from its points, with the latest';

CREATE FUNCTION mlmeta_internal.refresh_results(run mlmeta.run) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- A plan made while these tables are small is kept while they grow.
SET enable_seqscan = off
AS $$
BEGIN
	DELETE FROM mlmeta.run_metric_summaries AS s
	WHERE s.run OPERATOR(mlmeta.=) refresh_results.run;
	DELETE FROM mlmeta.run_results AS s
	WHERE s.run OPERATOR(mlmeta.=) refresh_results.run;

	-- Of a run that goes on or is deleted nothing stays written.
	INSERT INTO mlmeta.run_metric_summaries (run, experiment_id, key, context,
		n, nan_count, minimum, maximum, last_step, last_at, last_value,
		higher_is_better)
	SELECT r.run, r.experiment_id, s.key, s.context, s.n, s.nan_count,
		s.minimum, s.maximum, s.last_step, s.last_at, s.last_value,
		mlmeta.higher_is_better(s.key)
	FROM mlmeta.runs AS r
		CROSS JOIN LATERAL mlmeta_internal.live_summaries(refresh_results.run) AS s
	WHERE r.run OPERATOR(mlmeta.=) refresh_results.run
		AND r.finished_at IS NOT NULL AND r.deleted_at IS NULL;

	INSERT INTO mlmeta.run_results (run, params, metrics, signature)
	SELECT r.run, mlmeta_internal.params_of(r.run), (
			SELECT coalesce(jsonb_object_agg(
				mlmeta_internal.metric_label(s.key, s.context),
				to_jsonb(s.last_value)), '{}')
			FROM mlmeta.run_metric_summaries AS s
			WHERE s.run OPERATOR(mlmeta.=) refresh_results.run
		), mlmeta_internal.run_signature(r.run)
	FROM mlmeta.runs AS r
	WHERE r.run OPERATOR(mlmeta.=) refresh_results.run
		AND r.finished_at IS NOT NULL AND r.deleted_at IS NULL;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.refresh_results(mlmeta.run) IS
	'writes the results of an ended run anew, for points that were logged while another session finished it; removes those of a run that goes on or is deleted';

-- A metric's direction holds in all projects.
CREATE FUNCTION mlmeta_internal.rescore(key text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	higher boolean := mlmeta.higher_is_better(key);
BEGIN
	UPDATE mlmeta.run_metric_summaries AS s
	SET higher_is_better = higher
	WHERE s.key = rescore.key AND s.higher_is_better <> higher;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rescore(text) IS
	'brings the scores of a metric into the direction that set_metric() gave it';
