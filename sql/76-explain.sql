-- From an alert to its cause.

CREATE FUNCTION mlmeta_internal.moved_bins(
	reference mlmeta.histogram,
	current mlmeta.histogram,
	cells integer DEFAULT 10
) RETURNS TABLE (lower float8, upper float8, share_reference float8,
	share_current float8)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH paired AS (
		SELECT r.bin, r.lower, r.upper, r.share AS p, c.share AS q,
			pg_catalog.sum(r.share) OVER (ORDER BY r.bin) - r.share / 2 AS middle
		FROM mlmeta.bins(reference) AS r
			JOIN mlmeta.bins(current) AS c ON c.bin = r.bin
	)
	SELECT pg_catalog.min(p.lower), pg_catalog.max(p.upper),
		pg_catalog.sum(p.p), pg_catalog.sum(p.q)
	FROM paired AS p
	GROUP BY pg_catalog.floor(least(p.middle, 0.999999) * cells)
	ORDER BY 1;
END;

COMMENT ON FUNCTION mlmeta_internal.moved_bins(mlmeta.histogram, mlmeta.histogram, integer) IS
	'the bins of two histograms on one grid brought together to about so many, each with as much of the reference as the others, and their shares';

-- The grammar of references to models: model@alias, model:version, model/stage.
CREATE FUNCTION mlmeta_internal.model_of_reference(
	reference text,
	OUT model text,
	OUT separator text,
	OUT name text
) RETURNS record
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT coalesce(p.parts[1], reference), p.parts[2], p.parts[3]
	FROM (SELECT pg_catalog.regexp_match(reference, '^(.+)([@:/])([^@:/]+)$') AS parts) AS p;
END;

COMMENT ON FUNCTION mlmeta_internal.model_of_reference(text) IS
	'the parts of a reference such as team/churn@champion: model, @, and what comes after it';

CREATE FUNCTION mlmeta_internal.model_behind(
	reference text,
	at timestamptz
) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted record;
	number integer;
	made_by mlmeta.run;
	data mlmeta.artifact;
BEGIN
	IF reference IS NULL THEN
		RETURN NULL;
	END IF;
	SELECT * INTO wanted FROM mlmeta_internal.model_of_reference(reference);
	IF EXISTS (SELECT FROM mlmeta.models AS m WHERE m.model = reference) THEN
		SELECT reference, NULL, NULL INTO wanted.model, wanted.separator, wanted.name;
	END IF;
	number := CASE wanted.separator
		WHEN ':' THEN CASE WHEN wanted.name ~ '^\d{1,9}$' THEN wanted.name::integer END
		WHEN '@' THEN mlmeta.model_at(wanted.model, wanted.name, at)
		WHEN '/' THEN mlmeta.model_at(wanted.model, wanted.name, at) END;
	SELECT v.run, v.training_data INTO made_by, data
	FROM mlmeta.model_versions AS v
		JOIN mlmeta.models AS m ON m.model_id = v.model_id
	WHERE m.model = wanted.model AND v.version = number;
	RETURN jsonb_build_object('reference', reference, 'model', wanted.model,
		'version', number, 'run', made_by::text, 'training_data', data::text,
		'code', (
			SELECT jsonb_build_object('repository', r.repository,
				'commit', r.git_commit, 'entry_point', r.entry_point)
			FROM mlmeta.runs AS r WHERE r.run OPERATOR(mlmeta.=) made_by
		));
EXCEPTION WHEN undefined_object OR insufficient_privilege THEN
	RETURN jsonb_build_object('reference', reference, 'error', SQLERRM);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.model_behind(text, timestamptz) IS
	'which version of a registered model was live at a time, its run, code and data';

CREATE FUNCTION mlmeta_internal.moved_parts(
	reference mlmeta.profile,
	current mlmeta.profile,
	feature text
) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	numbers mlmeta.histogram;
	result jsonb;
BEGIN
	IF reference IS NULL OR current IS NULL OR NOT EXISTS (
			SELECT FROM mlmeta.columns(reference) AS c
			WHERE c.feature = moved_parts.feature) THEN
		RETURN '[]'::jsonb;
	END IF;
	numbers := mlmeta.histogram_of(reference, feature);
	IF numbers IS NOT NULL THEN
		SELECT jsonb_agg(jsonb_build_object('lower', to_jsonb(b.lower),
				'upper', to_jsonb(b.upper), 'share_reference', b.share_reference,
				'share_current', b.share_current,
				'change', b.share_current - b.share_reference)
			ORDER BY abs(b.share_current - b.share_reference) DESC, b.lower)
		INTO result
		FROM mlmeta_internal.moved_bins(numbers, mlmeta.histogram_of(current, feature)) AS b;
	ELSIF mlmeta.frequencies_of(reference, feature) IS NOT NULL THEN
		SELECT jsonb_agg(jsonb_build_object('value', p.value,
				'share_reference', p.share_reference, 'share_current', p.share_current,
				'change', p.share_current - p.share_reference, 'is_new', p.is_new)
			ORDER BY abs(p.share_current - p.share_reference) DESC, p.value)
		INTO result
		FROM (
			SELECT coalesce(r.value, c.value) AS value,
				coalesce(r.share, 0) AS share_reference,
				coalesce(c.share, 0) AS share_current, r.value IS NULL AS is_new
			FROM mlmeta.categories(mlmeta.frequencies_of(reference, feature)) AS r
				FULL JOIN mlmeta.categories(mlmeta.frequencies_of(current, feature)) AS c
					ON c.value = r.value
			ORDER BY abs(coalesce(c.share, 0) - coalesce(r.share, 0)) DESC
			LIMIT 20
		) AS p;
	END IF;
	RETURN coalesce(result, '[]');
END
$$;

COMMENT ON FUNCTION mlmeta_internal.moved_parts(mlmeta.profile, mlmeta.profile, text) IS
	'the bins or categories of a feature with their shares before and now, those that moved most first';

-- The rows behind an alert: exactly those, or none.
CREATE FUNCTION mlmeta_internal.rows_condition(
	monitor mlmeta_internal.monitors,
	explained text,
	feature text,
	change float8,
	moved jsonb
) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	value text := mlmeta_internal.feature_value(monitor.id, feature);
	kind text := (SELECT f.kind FROM mlmeta.monitor_feature_list AS f
		WHERE f.monitor = (rows_condition.monitor).id AND f.feature = rows_condition.feature);
BEGIN
	RETURN CASE explained
		-- Of values that are missing less often, those that are there now.
		WHEN 'missing' THEN CASE WHEN change < 0 THEN 'NOT ' ELSE '' END
			|| CASE WHEN kind = 'numeric' THEN format('(%1$s IS NULL OR %1$s = ''NaN'')', value)
				WHEN value IS NOT NULL THEN format('(%s IS NULL)', value) END
		WHEN 'values' THEN (
			SELECT string_agg(CASE
					WHEN p.part ? 'value' THEN format('(%s)::text = %L', value, p.part ->> 'value')
					ELSE format('(%1$s >= %2$L AND %1$s %4$s %3$L)', value, p.part ->> 'lower', p.part ->> 'upper',
						CASE WHEN (p.part ->> 'upper')::float8 = 'Infinity' THEN '<=' ELSE '<' END)
				END, ' OR ' ORDER BY p.n)
			FROM jsonb_array_elements(moved) WITH ORDINALITY AS p (part, n)
			WHERE (p.part ->> 'change')::float8 > 0 AND p.n <= 5 AND value IS NOT NULL)
		WHEN 'invalid' THEN mlmeta_internal.invalid_condition(monitor)
		WHEN 'future' THEN format('s.%I > %s', monitor.time_column, CASE WHEN monitor.time_type = 'timestamptz'::regtype
			THEN 'pg_catalog.now()' ELSE format('(pg_catalog.now() AT TIME ZONE %L)', monitor.time_zone) END)
		WHEN 'quality' THEN coalesce(format('s.%I IS NOT NULL', monitor.label_column), 'true')
		WHEN 'rows' THEN 'true' END;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rows_condition(mlmeta_internal.monitors, text, text, float8, jsonb) IS
	'condition for the rows s that a measure speaks of: missing values, the bins or categories that grew, what is invalid; NULL where there are none';

CREATE FUNCTION mlmeta_internal.rows_query(
	monitor mlmeta_internal.monitors,
	segment bigint,
	feature text,
	condition text,
	first_time timestamptz,
	end_time timestamptz
) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.format('SELECT %s FROM (%s
) AS s WHERE %s AND (%s) AND (%s)',
	CASE WHEN (rows_query.monitor).key_columns = '{}' THEN 's.*' ELSE (
		SELECT pg_catalog.string_agg(pg_catalog.format('s.%I', k.name), ', ' ORDER BY k.n)
		FROM pg_catalog.unnest((rows_query.monitor).key_columns || ARRAY(SELECT i.source_column FROM mlmeta.monitor_feature_list AS f
			JOIN mlmeta.monitor_inputs AS i ON i.monitor = f.monitor AND i.name = f.input
			WHERE f.monitor = (rows_query.monitor).id AND f.feature = rows_query.feature
				AND i.source_column <> ALL ((rows_query.monitor).key_columns))) WITH ORDINALITY AS k (name, n)) END,
	(rows_query.monitor).query,
	CASE WHEN first_time IS NULL THEN 'true' ELSE mlmeta_internal.time_condition(rows_query.monitor,
		pg_catalog.format('%L::timestamptz', first_time), pg_catalog.format('%L::timestamptz', end_time)) END,
	mlmeta_internal.segment_condition(rows_query.monitor, segment), condition);

COMMENT ON FUNCTION mlmeta_internal.rows_query(mlmeta_internal.monitors, bigint, text, text, timestamptz, timestamptz) IS
	'the query for the rows of a window and segment that meet a condition: their keys and the feature, or all columns';

CREATE FUNCTION mlmeta.explain_alert(alert bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET extra_float_digits = 1
SET datestyle = 'ISO, MDY'
AS $$
DECLARE
	a mlmeta.alert_states;
	m mlmeta_internal.monitors;
	w mlmeta.monitor_windows;
	b mlmeta.monitor_baselines;
	r mlmeta.drift_history;
	explained text;
	reference mlmeta.profile;
	moved jsonb := '[]'::jsonb;
	condition text;
	model jsonb;
BEGIN
	SELECT x.* INTO a FROM mlmeta.alert_states AS x WHERE x.id = alert;
	SELECT x.* INTO m FROM mlmeta_internal.monitors AS x WHERE x.id = a.monitor;
	IF m.id IS NULL THEN
		RAISE EXCEPTION 'alert % does not exist', coalesce(alert::text, 'NULL')
			USING ERRCODE = 'undefined_object',
				HINT = 'The view mlmeta.alert_open lists those that are open.';
	END IF;
	SELECT x.* INTO w FROM mlmeta.monitor_windows AS x
	WHERE x.monitor = a.monitor AND x.segment = a.segment AND x.window_start = a.last_window;
	SELECT x.* INTO b FROM mlmeta.monitor_baselines AS x
	WHERE x.id = coalesce(w.baseline, (SELECT max(y.id)
		FROM mlmeta.monitor_baselines AS y WHERE y.monitor = a.monitor));
	SELECT x.* INTO r FROM mlmeta.drift_history AS x
	WHERE x.monitor = m.name AND x.window_start = a.last_window AND x.feature = a.feature AND x.measure = a.measure
		AND x.segment = (SELECT g.label FROM mlmeta.segments AS g WHERE g.id = a.segment) LIMIT 1;
	SELECT x.explained INTO explained FROM mlmeta_internal.all_measures AS x
	WHERE x.measure = a.measure AND (x.monitor IS NULL OR x.monitor = a.monitor) LIMIT 1;
	IF w.profile IS NOT NULL AND explained IN ('values', 'missing') THEN
		reference := mlmeta_internal.reference_of(m, b, a.segment, a.last_window, w.season);
		moved := mlmeta_internal.moved_parts(reference, mlmeta.attach(w.profile, b.profile), a.feature);
	END IF;
	IF explained = 'missing' THEN
		SELECT coalesce(jsonb_agg(jsonb_build_object('missing', true,
			'share_reference', s.share, 'share_current', s.share + r.statistic,
			'change', r.statistic)), '[]') || moved
		INTO moved
		FROM (SELECT (c.null_count + c.nan_count)::float8
					/ nullif(c.n + c.null_count + c.nan_count, 0) AS share
			FROM mlmeta.columns(reference) AS c WHERE c.feature = a.feature LIMIT 1) AS s;
	END IF;
	condition := mlmeta_internal.rows_condition(m, explained, a.feature, r.statistic, moved);
	model := mlmeta_internal.model_behind(m.model, coalesce(w.window_end, a.last_window));
	RETURN mlmeta_internal.alert_facts(a, m.name) || jsonb_build_object(
		'result', to_jsonb(r) - ARRAY['monitor', 'position', 'is_primary'],
		'moved', moved,
		'segments', coalesce((
			SELECT jsonb_agg(jsonb_build_object('segment', s.segment,
				'statistic', s.statistic, 'surely_above', s.effect_low,
				'adjusted_p', s.adjusted_p, 'rows', s.n_current,
				'verdict', s.verdict) ORDER BY CASE WHEN explained = 'quality' THEN CASE WHEN s.effect < 0 THEN -s.statistic ELSE s.statistic END
					ELSE s.effect_low END DESC NULLS LAST, s.segment)
			FROM mlmeta.drift_history AS s
			WHERE s.monitor = m.name AND s.window_start = a.last_window
				AND s.feature = a.feature AND s.measure = a.measure
				AND s.segment <> r.segment), '[]'),
		'rows', CASE WHEN condition IS NOT NULL THEN mlmeta_internal.rows_query(m, a.segment, a.feature, condition,
			CASE WHEN explained <> 'future' THEN a.last_window END, coalesce(r.window_end, w.window_end, a.last_window)) END,
		'baseline', jsonb_build_object('number', b.id, 'data_version', b.dataset::text,
			'model_version', b.model_version, 'period_start', b.period_start, 'period_end', b.period_end,
			'trailing_windows', b.trailing_windows, 'season', coalesce(b.season, b.season_expression)),
		'model', model,
		'retrain', jsonb_build_object(
			'reason', a.reason,
			'statement', CASE WHEN model ? 'version' THEN
				format('SELECT mlmeta.request_retraining(%L, %s, %L, %s)',
					model ->> 'model', coalesce(model ->> 'version', 'NULL'),
					format('%s of %s: %s', a.measure, a.feature, a.reason), a.id)
			ELSE format('SELECT mlmeta.schedule_run(%L, %L, tags => %L)',
				m.name,
				format('retrain: %s of %s', a.measure, coalesce(nullif(a.feature, ''), 'the source')),
				jsonb_build_object('monitor', m.name, 'alert', a.id,
					'feature', a.feature, 'measure', a.measure)) END));
END
$$;

COMMENT ON FUNCTION mlmeta.explain_alert(bigint) IS
	'what is behind an alert: the bins or categories that moved, the segments by effect, a query for exactly the rows it speaks of (NULL where there are none), the model version live then with its run, code and data, the baseline, and a statement that asks for retraining';

CREATE FUNCTION mlmeta_internal.alert_facts(alert mlmeta.alert_states, monitor text) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.jsonb_build_object(
	'alert', (alert).id, 'monitor', monitor,
	'segment', (SELECT g.label FROM mlmeta.segments AS g WHERE g.id = (alert).segment),
	'feature', (alert).feature, 'measure', (alert).measure, 'state', (alert).state,
	'severity', (alert).severity, 'owner', (alert).owner,
	'first_window', (alert).first_window, 'last_window', (alert).last_window,
	'windows', (alert).windows, 'reason', (alert).reason);

COMMENT ON FUNCTION mlmeta_internal.alert_facts(mlmeta.alert_states, text) IS
	'an alert of a monitor as a JSON object';
