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

CREATE FUNCTION mlmeta_internal.model_behind(
	reference text,
	at timestamptz
) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	model text := substring(reference FROM '^[^@:/]+');
	number integer;
	made_by mlmeta.run;
	data mlmeta.artifact;
BEGIN
	IF reference IS NULL OR to_regclass('mlmeta.model_versions') IS NULL THEN
		RETURN NULL;
	END IF;
	number := CASE
		WHEN reference ~ ':\d+$' THEN substring(reference FROM ':(\d+)$')::integer
		WHEN reference ~ '[@/]' THEN mlmeta.model_at(model,
			substring(reference FROM '[@/](.*)$'), at)
	END;
	EXECUTE 'SELECT v.run, v.training_data FROM mlmeta.model_versions AS v
			JOIN mlmeta.models AS m ON m.model_id = v.model_id
		WHERE m.model = $1 AND v.version = $2'
	INTO made_by, data USING model, number;
	RETURN jsonb_build_object('reference', reference, 'model', model,
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
	'which version of a registered model was live at a time, its run, code and data; NULL without a registry';

CREATE FUNCTION mlmeta_internal.moved_parts(
	baseline mlmeta.monitor_baselines,
	checked mlmeta.monitor_windows,
	feature text
) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	reference mlmeta.profile := mlmeta_internal.reference_of(baseline, checked.segment,
		checked.window_start);
	current mlmeta.profile := mlmeta.attach(checked.profile, baseline.profile);
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

COMMENT ON FUNCTION mlmeta_internal.moved_parts(mlmeta.monitor_baselines,
	mlmeta.monitor_windows, text) IS
	'the bins or categories of a feature with their shares before and now, those that moved most first';

CREATE FUNCTION mlmeta_internal.segment_condition(monitor mlmeta_internal.monitors, label text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce((
	SELECT pg_catalog.string_agg(pg_catalog.format(
		'mlmeta_internal.segment_label(%L, ARRAY[%s]) = %L', p.names, e.expressions, label), ' OR ')
	FROM pg_catalog.unnest((monitor).segment_sets) AS t (set),
		LATERAL (SELECT pg_catalog.regexp_split_to_array(t.set, '\s*,\s*') AS names) AS p,
		LATERAL (SELECT pg_catalog.string_agg(pg_catalog.format('(%s)', g.expression), ', ' ORDER BY u.n) AS expressions
			FROM pg_catalog.unnest(p.names) WITH ORDINALITY AS u (name, n)
				JOIN mlmeta.monitor_segments AS g
					ON g.monitor = (segment_condition.monitor).id AND g.name = u.name) AS e
	WHERE label <> '' AND mlmeta_internal.is_of_sets(label, ARRAY[t.set])
), 'true');

COMMENT ON FUNCTION mlmeta_internal.segment_condition(mlmeta_internal.monitors, text) IS
	'condition for the rows s of a segment';

CREATE FUNCTION mlmeta.explain_alert(alert bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	a mlmeta.alerts;
	m mlmeta_internal.monitors;
	w mlmeta.monitor_windows;
	b mlmeta.monitor_baselines;
	r mlmeta.monitor_results;
	moved jsonb := '[]'::jsonb;
	number text;
	condition text;
	model jsonb;
BEGIN
	SELECT x.* INTO a FROM mlmeta.alerts AS x WHERE x.id = alert;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'alert % does not exist', coalesce(alert::text, 'NULL')
			USING ERRCODE = 'undefined_object',
				HINT = 'The view mlmeta.alert_open lists those that are open.';
	END IF;
	SELECT x.* INTO m FROM mlmeta_internal.monitors AS x WHERE x.id = a.monitor;
	SELECT x.* INTO w FROM mlmeta.monitor_windows AS x
	WHERE x.monitor = a.monitor AND x.segment = a.segment
		AND x.window_start = a.last_window;
	SELECT x.* INTO b FROM mlmeta.monitor_baselines AS x
	WHERE x.id = coalesce(w.baseline, (SELECT max(y.id)
		FROM mlmeta.monitor_baselines AS y WHERE y.monitor = a.monitor));
	SELECT x.* INTO r FROM mlmeta.monitor_results AS x
	WHERE x.monitor = a.monitor AND x.segment = a.segment
		AND x.window_start = a.last_window AND x.feature = a.feature
		AND x.measure = a.measure;
	IF w.profile IS NOT NULL AND a.measure IN ('ks', 'chi2', 'missing_share') THEN
		moved := mlmeta_internal.moved_parts(b, w, a.feature);
	END IF;
	IF a.measure = 'missing_share' THEN
		SELECT jsonb_build_array(jsonb_build_object('missing', true,
			'share_reference', s.reference, 'share_current', s.reference + r.statistic,
			'change', r.statistic)) || moved
		INTO moved
		FROM (SELECT (c.null_count + c.nan_count)::float8
					/ nullif(c.n + c.null_count + c.nan_count, 0) AS reference
			FROM mlmeta.columns(mlmeta_internal.reference_of(b, a.segment, a.last_window)) AS c
			WHERE c.feature = a.feature LIMIT 1) AS s;
		moved := coalesce(moved, '[]');
	END IF;

	-- The rows behind it: in the bins or categories that grew.
	SELECT mlmeta_internal.feature_expression(m, a.feature, c.kind) INTO number
	FROM mlmeta.columns(b.profile) AS c WHERE c.feature = a.feature LIMIT 1;
	SELECT string_agg(CASE
			WHEN p.part ? 'value' THEN format('s.%I::text = %L', a.feature, p.part ->> 'value')
			ELSE format('(%1$s >= %2$L AND %1$s %4$s %3$L)', number, p.part ->> 'lower', p.part ->> 'upper',
				CASE WHEN (p.part ->> 'upper')::float8 = 'Infinity' THEN '<=' ELSE '<' END)
		END, ' OR ' ORDER BY p.n)
	INTO condition
	FROM jsonb_array_elements(moved) WITH ORDINALITY AS p (part, n)
	WHERE (p.part ->> 'change')::float8 > 0 AND p.n <= 5;
	condition := CASE
		WHEN a.measure = 'missing_share' THEN format('s.%I IS NULL', a.feature)
		ELSE coalesce(condition, 'true') END;

	model := mlmeta_internal.model_behind(m.model, coalesce(w.window_end, a.last_window));
	RETURN jsonb_build_object(
		'alert', a.id, 'monitor', m.name, 'segment', a.segment,
		'feature', a.feature, 'measure', a.measure, 'state', a.state,
		'severity', a.severity, 'owner', a.owner,
		'first_window', a.first_window, 'last_window', a.last_window,
		'windows', a.windows, 'reason', a.reason,
		'result', to_jsonb(r) - ARRAY['monitor', 'position', 'is_primary'],
		'moved', moved,
		'segments', coalesce((
			SELECT jsonb_agg(jsonb_build_object('segment', s.segment,
				'statistic', s.statistic, 'surely_above', s.bound_low,
				'adjusted_p', s.adjusted_p, 'rows', s.n_current,
				'verdict', s.verdict) ORDER BY CASE a.measure
					WHEN 'roc_auc' THEN -s.statistic WHEN 'mae' THEN s.statistic
					ELSE s.bound_low END DESC NULLS LAST, s.segment)
			FROM mlmeta.monitor_results AS s
			WHERE s.monitor = a.monitor AND s.window_start = a.last_window
				AND s.feature = a.feature AND s.measure = a.measure
				AND s.segment <> a.segment), '[]'),
		'rows', format('SELECT %s FROM (%s
) AS s WHERE %s AND (%s) AND (%s)',
			CASE WHEN m.key_columns = '{}' THEN 's.*' ELSE (
				SELECT string_agg(format('s.%I', k.name), ', ' ORDER BY k.n)
				FROM unnest(m.key_columns || CASE WHEN a.feature = ANY (m.features)
					THEN ARRAY[a.feature] ELSE '{}' END) WITH ORDINALITY AS k (name, n)) END,
			m.query,
			mlmeta_internal.time_condition(m, format('%L::timestamptz', a.last_window),
				format('%L::timestamptz', coalesce(r.window_end, w.window_end, a.last_window))),
			mlmeta_internal.segment_condition(m, a.segment), condition),
		'baseline', jsonb_build_object('number', b.id, 'data_version', b.dataset::text,
			'period_start', b.period_start, 'period_end', b.period_end,
			'trailing_windows', b.trailing_windows),
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
	'what is behind an alert: the bins or categories that moved, the segments by effect, a query for the rows in what grew, the model version live then with its run, code and data, the baseline, and a statement that asks for retraining';
