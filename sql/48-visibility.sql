-- What people look at: plain columns of native types, made for joins.

CREATE VIEW mlmeta.run_overview WITH (security_invoker = true) AS
SELECT r.run, e.experiment, r.name, r.status, r.started_at, r.finished_at,
	coalesce(r.finished_at, greatest(pg_catalog.statement_timestamp(),
		r.started_at)) - r.started_at - CASE WHEN r.pauses = '{}'
			THEN '0'::interval ELSE coalesce((
				SELECT pg_catalog.sum(pg_catalog.upper(p.pause)
					- pg_catalog.lower(p.pause))
				FROM pg_catalog.unnest(r.pauses * tstzmultirange(tstzrange(
					r.started_at, coalesce(r.finished_at, greatest(
						pg_catalog.statement_timestamp(), r.started_at)))))
					AS p (pause)
			), '0') END AS duration,
	r.user_name,
	-- Ended runs have their results written: filters read them in line.
	CASE WHEN s.run IS NOT NULL THEN s.params
		ELSE mlmeta_internal.params_of(r.run) END AS params,
	CASE WHEN s.run IS NOT NULL THEN s.metrics
		ELSE mlmeta_internal.live_metrics(r.run) END AS metrics,
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
	c.cost, c.currency,
	e.project, r.parent, r.repository, r.git_commit, r.branch, r.entry_point,
	r.command_line, r.patch IS NOT NULL AS has_patch, r.devices, r.note,
	r.heartbeat_at, r.experiment_id,
	coalesce(r.artifact_uri, e.artifact_uri || '/'
		|| mlmeta_internal.run_hex(r.run) || '/artifacts')
		AS artifact_uri,
	CASE WHEN r.status = 'running' THEN pg_catalog.statement_timestamp()
		ELSE greatest(r.changed_at, e.changed_at, s.written_at, (
			SELECT pg_catalog.max(m.marked_at)
			FROM mlmeta.run_marks AS m
			WHERE m.run OPERATOR(mlmeta.=) r.run
		)) END AS updated_at,
	nullif(pg_catalog.array_remove(ARRAY[
		CASE WHEN r.started_at < '1970-01-01 00:00:00+00'
			THEN 'started_at before 1970' END,
		CASE WHEN r.started_at > pg_catalog.statement_timestamp()
			+ '1 minute'::interval THEN 'started_at in the future' END,
		CASE WHEN r.finished_at > pg_catalog.statement_timestamp()
			+ '1 minute'::interval THEN 'finished_at in the future' END
	], NULL), '{}') AS odd_times,
	c.unpriced_hours
FROM mlmeta.runs AS r
	JOIN mlmeta.experiments AS e ON e.experiment_id = r.experiment_id
	LEFT JOIN mlmeta.run_results AS s ON s.run OPERATOR(mlmeta.=) r.run
		AND r.finished_at IS NOT NULL AND NOT (s.run OPERATOR(mlmeta.=) ANY (
			SELECT m.run FROM mlmeta.run_marks AS m))
	LEFT JOIN LATERAL (
		SELECT CASE WHEN pg_catalog.count(DISTINCT d.currency) = 1
				THEN pg_catalog.sum(d.cost) END AS cost,
			CASE WHEN pg_catalog.count(DISTINCT d.currency) = 1
				THEN pg_catalog.min(d.currency) END AS currency,
			pg_catalog.sum(d.unpriced_hours) AS unpriced_hours
		FROM mlmeta.run_costs AS d
		WHERE d.run OPERATOR(mlmeta.=) r.run
	) AS c ON r.devices IS NOT NULL
WHERE r.deleted_at IS NULL AND e.deleted_at IS NULL;

COMMENT ON VIEW mlmeta.run_overview IS
	'one row a run that is not deleted: who, when, how long, with what, and what came out';
COMMENT ON COLUMN mlmeta.run_overview.run IS 'the run';
COMMENT ON COLUMN mlmeta.run_overview.experiment IS 'name of its experiment';
COMMENT ON COLUMN mlmeta.run_overview.name IS 'its name';
COMMENT ON COLUMN mlmeta.run_overview.status IS 'scheduled, running, finished, failed, killed or crashed';
COMMENT ON COLUMN mlmeta.run_overview.started_at IS 'when it began';
COMMENT ON COLUMN mlmeta.run_overview.finished_at IS 'when it ended; NULL: not yet';
COMMENT ON COLUMN mlmeta.run_overview.user_name IS 'who started it, as the server knows it';
COMMENT ON COLUMN mlmeta.run_overview.currency IS 'currency of the cost';
COMMENT ON COLUMN mlmeta.run_overview.project IS 'the project that it belongs to';
COMMENT ON COLUMN mlmeta.run_overview.parent IS 'the run that it is a part of';
COMMENT ON COLUMN mlmeta.run_overview.repository IS 'where its source comes from';
COMMENT ON COLUMN mlmeta.run_overview.git_commit IS 'commit of its source';
COMMENT ON COLUMN mlmeta.run_overview.branch IS 'branch of its source';
COMMENT ON COLUMN mlmeta.run_overview.entry_point IS 'the program that was run';
COMMENT ON COLUMN mlmeta.run_overview.command_line IS 'how it was called';
COMMENT ON COLUMN mlmeta.run_overview.devices IS 'devices it occupies and how many of each, a JSON object';
COMMENT ON COLUMN mlmeta.run_overview.note IS 'what somebody wrote down about it';
COMMENT ON COLUMN mlmeta.run_overview.heartbeat_at IS 'its last sign of life';
COMMENT ON COLUMN mlmeta.run_overview.experiment_id IS 'number of its experiment';
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
COMMENT ON COLUMN mlmeta.run_overview.cost IS
	'what the run cost, or has cost up to now; NULL without a price, and in several currencies: see run_costs';
COMMENT ON COLUMN mlmeta.run_overview.artifact_uri IS
	'where its files lie: as the run says, else a folder of its experiment; NULL: nobody has said';
COMMENT ON COLUMN mlmeta.run_overview.updated_at IS
	'when anything of the run last changed; a running run changes all the time';
COMMENT ON COLUMN mlmeta.run_overview.odd_times IS
	'times that are kept as the client gave them and can hardly be true; NULL: none';
COMMENT ON COLUMN mlmeta.run_overview.unpriced_hours IS
	'device hours that had no price, and are not in the cost';
COMMENT ON COLUMN mlmeta.run_overview.has_patch IS
	'whether the code had changes that were not committed';

-- Comparison ------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.run_facts(run mlmeta.run)
RETURNS TABLE (kind text, key text, value text)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- No body parsed at installation: pg_upgrade restores those before the
	-- operators that ORDER BY needs.
	RETURN QUERY
	SELECT f.kind, f.key, f.value
	FROM mlmeta.runs AS r
		JOIN mlmeta.experiments AS e ON e.experiment_id = r.experiment_id
		LEFT JOIN LATERAL (
			SELECT x.content
			FROM mlmeta.environment_copies AS x
			WHERE x.environment = r.environment
			LIMIT 1
		) AS v ON true
		CROSS JOIN LATERAL (
			SELECT 'run' AS kind, d.key, d.value
			FROM (VALUES ('experiment', e.experiment), ('name', r.name),
				('status', r.status), ('user_name', r.user_name),
				('duration', pg_catalog.date_trunc('milliseconds', (
					SELECT pg_catalog.sum(pg_catalog.upper(w.part)
						- pg_catalog.lower(w.part))
					FROM pg_catalog.unnest(tstzmultirange(tstzrange(
						r.started_at, r.finished_at)) - r.pauses) AS w (part)
					WHERE r.finished_at IS NOT NULL
				))::text)
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
			SELECT 'metric', mlmeta_internal.metric_label(l.key, l.context),
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
	IF NOT FOUND THEN
		RETURN QUERY
		SELECT a.kind, a.key, a.value
		FROM mlmeta_internal.attached_facts(run) AS a;
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.run_facts(mlmeta.run) IS
	'everything known about a run as rows of kind (run, source, device, environment, param, metric, tag, used, produced), key and value';

CREATE FUNCTION mlmeta.compare_runs(run_a mlmeta.run, run_b mlmeta.run)
RETURNS TABLE (kind text, key text, a text, b text, changed boolean)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.check_known(run_a);
	PERFORM mlmeta_internal.check_known(run_b);
	RETURN QUERY
	SELECT coalesce(f.kind, g.kind), coalesce(f.key, g.key), f.value, g.value,
		f.value IS DISTINCT FROM g.value
	FROM mlmeta_internal.run_facts(run_a) AS f
		FULL JOIN mlmeta_internal.run_facts(run_b) AS g
			ON g.kind = f.kind AND g.key = f.key
	ORDER BY array_position(ARRAY['run', 'source', 'param', 'used', 'metric',
			'produced', 'tag', 'environment', 'device'],
		coalesce(f.kind, g.kind)), 2;
END
$$;

COMMENT ON FUNCTION mlmeta.compare_runs(mlmeta.run, mlmeta.run) IS
	'two runs side by side: every fact of either, and whether it differs';

CREATE FUNCTION mlmeta.compare_to_previous(run mlmeta.run)
RETURNS TABLE (kind text, key text, a text, b text, changed boolean)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	previous mlmeta.run;
BEGIN
	SELECT p.run INTO previous
	FROM mlmeta.runs AS r
		JOIN mlmeta.runs AS p ON p.experiment_id = r.experiment_id
			AND (p.started_at < r.started_at OR (p.started_at = r.started_at
				AND p.run OPERATOR(mlmeta.<) r.run))
	WHERE r.run OPERATOR(mlmeta.=) compare_to_previous.run
		AND p.status = 'finished' AND p.deleted_at IS NULL
	ORDER BY p.started_at DESC, p.run DESC
	LIMIT 1;
	IF FOUND THEN
		RETURN QUERY SELECT c.kind, c.key, c.a, c.b, c.changed
		FROM mlmeta.compare_runs(previous, run) AS c;
	ELSE
		PERFORM mlmeta_internal.check_known(run);
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta.compare_to_previous(mlmeta.run) IS
	'a run beside the last finished one of its experiment that started before it, which is a; no rows for the first';

CREATE FUNCTION mlmeta.duplicates_of(original mlmeta.run)
RETURNS TABLE (run mlmeta.run, experiment text, name text, user_name text,
	status text, started_at timestamptz, finished_at timestamptz)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted bytea := mlmeta_internal.run_signature(original);
BEGIN
	IF wanted IS NULL THEN
		PERFORM mlmeta_internal.no_such_run(original);
	END IF;

	-- Ended runs have their signature written; of the others there are few, and
	-- each is worked out once.
	RETURN QUERY
	WITH same AS MATERIALIZED (
		SELECT s.run
		FROM mlmeta.run_results AS s
		WHERE s.signature = wanted AND NOT (s.run OPERATOR(mlmeta.=) ANY (
			SELECT m.run FROM mlmeta.run_marks AS m))
		UNION ALL
		SELECT o.run
		FROM mlmeta_internal.live_runs AS o
		WHERE mlmeta_internal.run_signature(o.run) = wanted
	)
	SELECT r.run, e.experiment, r.name, r.user_name, r.status, r.started_at,
		r.finished_at
	FROM same AS d
		JOIN mlmeta.runs AS r ON r.run OPERATOR(mlmeta.=) d.run
		JOIN mlmeta.experiments AS e ON e.experiment_id = r.experiment_id
	WHERE r.deleted_at IS NULL AND e.deleted_at IS NULL
		AND r.run OPERATOR(mlmeta.<>) original
	ORDER BY r.started_at, r.run;
END
$$;

COMMENT ON FUNCTION mlmeta.duplicates_of(mlmeta.run) IS
	'other runs with the same code, parameters and data, ended or running';

CREATE VIEW mlmeta.who_tried_what WITH (security_invoker = true) AS
SELECT e.project, e.experiment, p.key, p.value,
	pg_catalog.count(*) AS runs,
	pg_catalog.array_agg(DISTINCT r.user_name) AS users,
	pg_catalog.min(r.started_at) AS first_tried,
	pg_catalog.max(r.started_at) AS last_tried
FROM mlmeta.runs AS r
	JOIN mlmeta.experiments AS e ON e.experiment_id = r.experiment_id
	JOIN mlmeta.run_params AS p ON p.run OPERATOR(mlmeta.=) r.run
WHERE r.deleted_at IS NULL AND e.deleted_at IS NULL
GROUP BY e.project, e.experiment, p.key, p.value;

COMMENT ON VIEW mlmeta.who_tried_what IS
	'every value of every parameter that an experiment has seen, by whom and when';
COMMENT ON COLUMN mlmeta.who_tried_what.project IS 'the project that it belongs to';
COMMENT ON COLUMN mlmeta.who_tried_what.experiment IS 'name of its experiment';
COMMENT ON COLUMN mlmeta.who_tried_what.key IS 'name of the parameter';
COMMENT ON COLUMN mlmeta.who_tried_what.runs IS 'number of runs with this value';
COMMENT ON COLUMN mlmeta.who_tried_what.users IS 'who tried it';
COMMENT ON COLUMN mlmeta.who_tried_what.first_tried IS 'when it was tried first';
COMMENT ON COLUMN mlmeta.who_tried_what.last_tried IS 'when it was tried last';
COMMENT ON COLUMN mlmeta.who_tried_what.value IS
	'the parameter''s value, JSON';

-- Ranks -----------------------------------------------------------------------

-- What is not to be believed is left out above the union: with a condition of
-- its own, or a join, the table would lose the order of its index.
CREATE VIEW mlmeta.metric_summaries WITH (security_invoker = true) AS
SELECT u.run, u.experiment_id, u.key, u.context, u.n, u.nan_count, u.minimum,
	u.maximum, u.last_step, u.last_at, u.last_value, u.higher_is_better,
	u.score
FROM (
		SELECT s.run, s.experiment_id, s.key, s.context, s.n, s.nan_count,
			s.minimum, s.maximum, s.last_step, s.last_at, s.last_value,
			s.higher_is_better, s.score, false AS is_live
		FROM mlmeta.run_metric_summaries AS s
		UNION ALL
		SELECT r.run, r.experiment_id, v.key, v.context, v.n, v.nan_count,
			v.minimum, v.maximum, v.last_step, v.last_at, v.last_value,
			d.higher, CASE WHEN d.higher THEN v.maximum ELSE - v.minimum END,
			true
		FROM mlmeta_internal.live_runs AS r
			CROSS JOIN LATERAL mlmeta_internal.live_summaries(r.run) AS v
			CROSS JOIN LATERAL (
				SELECT mlmeta.higher_is_better(v.key) AS higher
			) AS d
	) AS u
WHERE u.is_live OR NOT (u.run OPERATOR(mlmeta.=) ANY (
		SELECT m.run FROM mlmeta.run_marks AS m))
	AND NOT (u.experiment_id = ANY (SELECT e.experiment_id
		FROM mlmeta.experiments AS e
		WHERE e.deleted_at IS NOT NULL));

COMMENT ON VIEW mlmeta.metric_summaries IS
	'each metric of each run that is not deleted in one row: of ended runs as written, of running and marked ones as it stands';
COMMENT ON COLUMN mlmeta.metric_summaries.run IS 'the run';
COMMENT ON COLUMN mlmeta.metric_summaries.experiment_id IS 'number of its experiment';
COMMENT ON COLUMN mlmeta.metric_summaries.key IS 'name of the metric';
COMMENT ON COLUMN mlmeta.metric_summaries.context IS 'what the metric was taken over; empty when not said';
COMMENT ON COLUMN mlmeta.metric_summaries.n IS 'points, NaN among them';
COMMENT ON COLUMN mlmeta.metric_summaries.nan_count IS 'points that are NaN';
COMMENT ON COLUMN mlmeta.metric_summaries.minimum IS 'least value that is not NaN';
COMMENT ON COLUMN mlmeta.metric_summaries.maximum IS 'greatest value that is not NaN';
COMMENT ON COLUMN mlmeta.metric_summaries.last_step IS 'step of the latest point';
COMMENT ON COLUMN mlmeta.metric_summaries.last_at IS 'time of the latest point';
COMMENT ON COLUMN mlmeta.metric_summaries.last_value IS 'value of the latest point';
COMMENT ON COLUMN mlmeta.metric_summaries.higher_is_better IS 'whether higher values of the metric are better';
COMMENT ON COLUMN mlmeta.metric_summaries.score IS
	'the best value, negated where lower is better: the greater the better';

-- Ranks are given inside, by experiment, where the index has their order; what
-- else is shown of a run is looked up for those that are left.
CREATE VIEW mlmeta.leaderboard WITH (security_invoker = true) AS
SELECT e.experiment, s.key, s.context, s.rank, r.run, r.name,
	CASE WHEN s.higher_is_better THEN s.score ELSE - s.score END AS best,
	s.last_value AS last, s.higher_is_better, r.user_name, r.status,
	r.started_at, r.finished_at, e.project,
	CASE WHEN r.status = 'running' THEN pg_catalog.statement_timestamp()
		ELSE greatest(r.changed_at, e.changed_at, (
			SELECT w.written_at
			FROM mlmeta.run_results AS w
			WHERE w.run OPERATOR(mlmeta.=) r.run
		), (
			SELECT pg_catalog.max(k.marked_at)
			FROM mlmeta.run_marks AS k
			WHERE k.run OPERATOR(mlmeta.=) r.run
		)) END AS updated_at
FROM mlmeta.experiments AS e
	CROSS JOIN LATERAL (
		SELECT m.run, m.key, m.context, m.score, m.last_value,
			m.higher_is_better, pg_catalog.rank() OVER (
				PARTITION BY m.key, m.context ORDER BY m.score DESC) AS rank
		FROM mlmeta.metric_summaries AS m
		WHERE m.experiment_id = e.experiment_id AND m.score IS NOT NULL
	) AS s
	JOIN mlmeta.runs AS r ON r.run OPERATOR(mlmeta.=) s.run
WHERE e.deleted_at IS NULL;

COMMENT ON VIEW mlmeta.leaderboard IS
	'runs ranked within their experiment by the best value of each metric, in the metric''s own direction; NaN takes no part; the first few by index: WHERE experiment = ... AND key = ... AND rank <= ...';
COMMENT ON COLUMN mlmeta.leaderboard.experiment IS 'name of its experiment';
COMMENT ON COLUMN mlmeta.leaderboard.key IS 'name of the metric';
COMMENT ON COLUMN mlmeta.leaderboard.context IS 'what the metric was taken over; empty when not said';
COMMENT ON COLUMN mlmeta.leaderboard.rank IS 'place among the runs of the experiment by the metric, 1 is the best';
COMMENT ON COLUMN mlmeta.leaderboard.run IS 'the run';
COMMENT ON COLUMN mlmeta.leaderboard.name IS 'name of the run';
COMMENT ON COLUMN mlmeta.leaderboard.higher_is_better IS 'whether higher values of the metric are better';
COMMENT ON COLUMN mlmeta.leaderboard.user_name IS 'who started the run, as the server knows it';
COMMENT ON COLUMN mlmeta.leaderboard.status IS 'status of the run';
COMMENT ON COLUMN mlmeta.leaderboard.started_at IS 'when the run began';
COMMENT ON COLUMN mlmeta.leaderboard.finished_at IS 'when the run ended; NULL: not yet';
COMMENT ON COLUMN mlmeta.leaderboard.project IS 'the project that it belongs to';
COMMENT ON COLUMN mlmeta.leaderboard.best IS
	'the best value the run had at any step';
COMMENT ON COLUMN mlmeta.leaderboard.updated_at IS
	'when anything of the run last changed, see run_overview';
COMMENT ON COLUMN mlmeta.leaderboard.last IS
	'the value at the highest step, perhaps NaN';

CREATE FUNCTION mlmeta_internal.has_metric(number bigint, key text, context text)
RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN EXISTS (
	SELECT
	FROM mlmeta.run_metric_summaries AS s
	WHERE s.experiment_id = number AND s.key = has_metric.key
		AND s.context = has_metric.context AND s.score IS NOT NULL
) OR EXISTS (
	SELECT
	FROM mlmeta.runs AS r
		JOIN mlmeta.metric_series AS s ON s.run OPERATOR(mlmeta.=) r.run
	WHERE r.experiment_id = number AND s.key = has_metric.key
		AND s.context = has_metric.context
);

COMMENT ON FUNCTION mlmeta_internal.has_metric(bigint, text, text) IS
	'whether a run of an experiment has that metric, by index where one has ended';

CREATE FUNCTION mlmeta_internal.experiment_metric(
	number bigint,
	INOUT key text,
	INOUT context text
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted CONSTANT text := mlmeta_internal.metric_label(key, coalesce(context, ''));
	parts text[];
BEGIN
	context := coalesce(context, '');
	IF mlmeta_internal.has_metric(number, key, context) THEN
		RETURN;
	END IF;
	-- The form context/key is as good as the two apart, and the other way round.
	parts := string_to_array(wanted, '/');
	FOR n IN 0 .. cardinality(parts) - 1 LOOP
		context := array_to_string(parts[:n], '/');
		key := array_to_string(parts[n + 1:], '/');
		IF mlmeta_internal.has_metric(number, key, context) THEN
			RETURN;
		END IF;
	END LOOP;
	RAISE EXCEPTION 'no run of experiment "%" has a metric %', (
			SELECT e.experiment
			FROM mlmeta.experiments AS e
			WHERE e.experiment_id = number
		), coalesce('"' || wanted || '"', 'NULL')
		USING ERRCODE = 'undefined_object', HINT = mlmeta_internal.near_names(wanted, (
			SELECT array_agg(DISTINCT mlmeta_internal.metric_label(s.key, s.context))
			FROM mlmeta.runs AS r
				JOIN mlmeta.metric_series AS s ON s.run OPERATOR(mlmeta.=) r.run
			WHERE r.experiment_id = number
		));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.experiment_metric(bigint, text, text) IS
	'key and context of a metric that a run of an experiment has, of which the key may also be given as context/key; raises an error that says what is near when none has it';

CREATE FUNCTION mlmeta.best_runs(
	experiment text,
	key text,
	n int DEFAULT 50,
	by text DEFAULT 'best',
	context text DEFAULT '',
	higher_is_better boolean DEFAULT NULL
) RETURNS TABLE (rank bigint, run mlmeta.run, name text, best float8,
	last float8, user_name text, status text, started_at timestamptz)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	experiment_number bigint := mlmeta_internal.find_experiment(experiment);
	named record := mlmeta_internal.experiment_metric(experiment_number, key, context);
	own boolean := mlmeta.higher_is_better(named.key);
	higher boolean := coalesce(higher_is_better, own);
	direction text := CASE WHEN higher THEN 'DESC' ELSE 'ASC' END;
	best_column text := CASE WHEN higher THEN 'maximum' ELSE 'minimum' END;
	shown text := CASE WHEN by = 'last' THEN 'last_value' ELSE 'best' END;
	candidates text;
	wanted text;
BEGIN
	IF by IS NULL OR by NOT IN ('best', 'last') THEN
		RAISE EXCEPTION 'runs are ranked by best or by last, not by %',
				coalesce(to_json(by)::text, 'NULL')
			USING ERRCODE = 'invalid_parameter_value';
	ELSIF n < 0 THEN
		RAISE EXCEPTION 'number of best runs must not be negative'
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = format('It is %s.', n);
	END IF;

	-- Conditions and orders are those of the indexes, read forwards or
	-- backwards; only against the metric's own direction there is none.
	IF by = 'last' THEN
		candidates := 's.last_value <> ''NaN''';
		wanted := format('s.last_value %1$s, s.run %1$s', direction);
	ELSIF higher = own THEN
		candidates := 's.score IS NOT NULL';
		wanted := 's.score DESC, s.run';
	ELSE
		candidates := 's.score IS NOT NULL';
		wanted := format('s.%I %s, s.run', best_column, direction);
	END IF;
	RETURN QUERY EXECUTE format($query$
		SELECT c.rank, r.run, r.name, c.best, c.last_value, r.user_name,
			r.status, r.started_at
		FROM (
			SELECT b.run, b.best, b.last_value,
				rank() OVER (ORDER BY b.%2$I %3$s) AS rank
			FROM (
				SELECT s.run, s.%1$I AS best, s.last_value
				FROM mlmeta.metric_summaries AS s
				WHERE s.experiment_id = $1 AND s.key = $2 AND s.context = $3
					AND %4$s
				ORDER BY %5$s
				LIMIT $4
			) AS b
		) AS c
			JOIN mlmeta.runs AS r ON r.run OPERATOR(mlmeta.=) c.run
		ORDER BY c.rank, c.run $query$,
		best_column, shown, direction, candidates, wanted)
	USING experiment_number, named.key, named.context, n;
END
$$;

COMMENT ON FUNCTION mlmeta.best_runs(text, text, int, text, text, boolean) IS
	'the best runs of an experiment by a metric, by index: by the best value a run had or by its last; NaN takes no part';

CREATE FUNCTION mlmeta.spend_gain(
	experiment text,
	key text,
	context text DEFAULT ''
) RETURNS TABLE (run mlmeta.run, started_at timestamptz, user_name text,
	currency text, cost numeric, total_cost numeric, value float8,
	best_so_far float8, gain float8)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	experiment_number bigint := mlmeta_internal.find_experiment(experiment);
	named record := mlmeta_internal.experiment_metric(experiment_number, key, context);
	higher boolean := mlmeta.higher_is_better(named.key);
BEGIN
	RETURN QUERY
	WITH steps AS (
		SELECT r.run, r.started_at, r.user_name, c.currency, c.cost,
			CASE WHEN higher THEN s.maximum ELSE s.minimum END AS value
		FROM mlmeta.runs AS r
			LEFT JOIN mlmeta.metric_summaries AS s
				ON s.run OPERATOR(mlmeta.=) r.run
				AND s.experiment_id = experiment_number
				AND s.key = named.key AND s.context = named.context
			LEFT JOIN (
				SELECT o.run, o.currency, sum(o.cost) AS cost
				FROM mlmeta.runs AS q
					JOIN mlmeta.run_costs AS o
						ON o.run OPERATOR(mlmeta.=) q.run
				WHERE q.experiment_id = experiment_number
					AND o.currency IS NOT NULL
				GROUP BY o.run, o.currency
			) AS c ON c.run OPERATOR(mlmeta.=) r.run
		WHERE r.experiment_id = experiment_number AND r.deleted_at IS NULL
			AND r.started_at IS NOT NULL
	), so_far AS (
		SELECT t.*, sum(t.cost) OVER (PARTITION BY t.currency
				ORDER BY t.started_at, t.run) AS total_cost,
			CASE WHEN higher THEN max(t.value) OVER earlier
				ELSE min(t.value) OVER earlier END AS best
		FROM steps AS t
		WINDOW earlier AS (ORDER BY t.started_at, t.run)
	)
	SELECT f.run, f.started_at, f.user_name, f.currency, f.cost, f.total_cost,
		f.value, f.best, abs(f.best - lag(f.best) OVER (
			ORDER BY f.started_at, f.run))
	FROM so_far AS f
	ORDER BY f.started_at, f.run;
END
$$;

COMMENT ON FUNCTION mlmeta.spend_gain(text, text, text) IS
	'the runs of an experiment in time with what was spent up to each and what the best value of a metric gained by it';

CREATE FUNCTION mlmeta.parameter_importance(
	experiment text,
	metric text,
	context text DEFAULT ''
) RETURNS TABLE (param text, kind text, n bigint, distinct_values bigint,
	correlation float8, importance float8)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	experiment_number bigint := mlmeta_internal.find_experiment(experiment);
	named record := mlmeta_internal.experiment_metric(experiment_number, metric, context);
BEGIN
	RETURN QUERY
	WITH outcomes AS MATERIALIZED (
		-- Average ranks: ties share theirs.
		SELECT s.run, s.last_value, rank() OVER (ORDER BY s.last_value)
			+ (count(*) OVER (PARTITION BY s.last_value) - 1)::float8 / 2
				AS y_rank
		FROM mlmeta.metric_summaries AS s
			JOIN mlmeta.runs AS r ON r.run OPERATOR(mlmeta.=) s.run
		WHERE s.experiment_id = experiment_number AND s.key = named.key
			AND s.context = named.context AND s.last_value <> 'NaN'
			AND r.finished_at IS NOT NULL
	), logged AS MATERIALIZED (
		SELECT p.key, p.value, o.last_value, o.y_rank
		FROM outcomes AS o
			JOIN mlmeta.run_params AS p ON p.run OPERATOR(mlmeta.=) o.run
	), everywhere AS (
		SELECT l.key
		FROM logged AS l
		GROUP BY l.key
		HAVING count(*) = (SELECT count(*) FROM outcomes)
	), pairs AS (
		-- What only some of the runs have is ranked among these.
		SELECT l.key, l.value, l.y_rank
		FROM logged AS l
		WHERE l.key IN (SELECT e.key FROM everywhere AS e)
		UNION ALL
		SELECT l.key, l.value, rank() OVER (PARTITION BY l.key
				ORDER BY l.last_value)
			+ (count(*) OVER (PARTITION BY l.key, l.last_value) - 1)::float8 / 2
		FROM logged AS l
		WHERE l.key NOT IN (SELECT e.key FROM everywhere AS e)
	), tried AS (
		-- From here on there is one row for each value that was tried.
		SELECT q.key, q.value, count(*)::float8 AS n, sum(q.y_rank) AS y_sum,
			sum(q.y_rank * q.y_rank) AS y_squares
		FROM pairs AS q
		GROUP BY q.key, q.value
	), ranked AS (
		-- Order and equality of jsonb numbers are those of the numbers.
		SELECT t.key, t.value, t.n, t.y_squares, t.y_sum - t.n * m.mean AS y,
			sum(t.n) OVER (PARTITION BY t.key ORDER BY t.value)
				- (t.n - 1) / 2 - m.mean AS x, m.total, m.mean
		FROM tried AS t
			JOIN (
				SELECT k.key, sum(k.n) AS total, (sum(k.n) + 1) / 2 AS mean
				FROM tried AS k
				GROUP BY k.key
			) AS m ON m.key = t.key
	), summed AS (
		SELECT r.key, bool_and(jsonb_typeof(r.value) = 'number') AS is_number,
			r.total, count(*) AS distinct_values, sum(r.x * r.y) AS xy,
			sum(r.n * r.x * r.x) AS xx, sum(r.y * r.y / r.n) AS between_groups,
			sum(r.y_squares) - r.total * r.mean * r.mean AS yy
		FROM ranked AS r
		GROUP BY r.key, r.total, r.mean
	), judged AS (
		-- Rounding must not lead beyond 1.
		SELECT s.*, CASE WHEN s.xx > 0 AND s.yy > 0
				THEN greatest(least(s.xy / sqrt(s.xx * s.yy), 1), -1) END AS rho,
			CASE WHEN s.yy > 0
				THEN sqrt(least(s.between_groups / s.yy, 1)) END AS eta
		FROM summed AS s
	)
	SELECT j.key, CASE WHEN j.is_number THEN 'number' ELSE 'category' END,
		j.total::bigint, j.distinct_values, CASE WHEN j.is_number THEN j.rho END,
		CASE WHEN j.distinct_values < 2 THEN NULL
			WHEN j.is_number THEN abs(j.rho) ELSE j.eta END
	FROM judged AS j
	ORDER BY 6 DESC NULLS LAST, j.key;
END
$$;

COMMENT ON FUNCTION mlmeta.parameter_importance(text, text, text) IS
	'how strongly the last value of a metric goes with each parameter over the ended runs of an experiment: numbers by Spearman''s rank correlation, categories by the correlation ratio of the ranks';
