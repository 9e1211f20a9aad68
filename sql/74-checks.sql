-- Checks: the windows that are complete, profiled and judged, each once.

CREATE TABLE mlmeta.monitor_checks (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	monitor bigint NOT NULL,
	until timestamptz NOT NULL,
	status text NOT NULL CHECK (status IN ('ok', 'partial', 'failed')),
	windows integer NOT NULL,
	rows bigint NOT NULL,
	sqlstate text,
	message text,
	checked_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	duration interval NOT NULL,
	user_name text NOT NULL DEFAULT mlmeta_internal.actor()
);

CREATE INDEX monitor_checks_monitor ON mlmeta.monitor_checks (monitor, id);

COMMENT ON TABLE mlmeta.monitor_checks IS
	'each check that found windows to profile, and each that failed';
COMMENT ON COLUMN mlmeta.monitor_checks.status IS
	'partial: a segment or a feature could not be read, all else was';
COMMENT ON COLUMN mlmeta.monitor_checks.windows IS
	'windows that were new or had changed';
COMMENT ON COLUMN mlmeta.monitor_checks.sqlstate IS
	'of the error by which the source, or the first part of it, could not be read';

CREATE VIEW mlmeta.drift_history WITH (security_invoker = true) AS
SELECT m.name AS monitor, r.window_start, r.window_end, r.segment, r.feature,
	r.measure, r.statistic, r.statistic_low, r.statistic_high, r.p_value,
	r.adjusted_p, r.tolerance, r.detectable, r.n_reference, r.n_current,
	r.verdict, r.reason, r.is_primary, r.position
FROM mlmeta.monitor_results AS r
	JOIN mlmeta_internal.monitors AS m ON m.id = r.monitor;

COMMENT ON VIEW mlmeta.drift_history IS
	'all results of all checks, a row per window, segment, feature and measure';
COMMENT ON COLUMN mlmeta.drift_history.monitor IS 'name of the monitor';
COMMENT ON COLUMN mlmeta.drift_history.window_start IS 'begin of the window';
COMMENT ON COLUMN mlmeta.drift_history.window_end IS 'end of the window, which is no part of it';
COMMENT ON COLUMN mlmeta.drift_history.segment IS 'the segment; empty: all rows';
COMMENT ON COLUMN mlmeta.drift_history.feature IS 'the feature';
COMMENT ON COLUMN mlmeta.drift_history.measure IS 'the measure';
COMMENT ON COLUMN mlmeta.drift_history.statistic IS 'value of the measure';
COMMENT ON COLUMN mlmeta.drift_history.statistic_low IS 'lower bound of the value';
COMMENT ON COLUMN mlmeta.drift_history.statistic_high IS 'upper bound of the value';
COMMENT ON COLUMN mlmeta.drift_history.p_value IS 'p-value of the test, where the measure is one';
COMMENT ON COLUMN mlmeta.drift_history.adjusted_p IS 'p-value adjusted for the number of features';
COMMENT ON COLUMN mlmeta.drift_history.tolerance IS 'what is tolerated';
COMMENT ON COLUMN mlmeta.drift_history.detectable IS 'the least change that so many rows can show';
COMMENT ON COLUMN mlmeta.drift_history.n_reference IS 'rows of the baseline';
COMMENT ON COLUMN mlmeta.drift_history.n_current IS 'rows of the window';
COMMENT ON COLUMN mlmeta.drift_history.verdict IS 'drift, no drift, undecided, too little data, no data or reported';
COMMENT ON COLUMN mlmeta.drift_history.reason IS 'the verdict as a sentence';
COMMENT ON COLUMN mlmeta.drift_history.is_primary IS 'whether the feature is judged by this measure';
COMMENT ON COLUMN mlmeta.drift_history.position IS 'place of the feature among those of the monitor';

-- Which parts of a scan fail, and why: each segment, feature and the quality is
-- read by itself. Costs a scan each, once something is wrong.
CREATE FUNCTION mlmeta_internal.failing_parts(
	monitor mlmeta_internal.monitors,
	first_window timestamptz,
	last_end timestamptz
) RETURNS TABLE (part text, segment text, feature text, sqlstate text, message text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	quality text := mlmeta_internal.part_name('quality', 'of the model');
	probe text;
BEGIN
	FOR part, segment, feature, probe IN
		SELECT mlmeta_internal.part_name('segment', g.name), g.name, '',
			format('(%s)::text', g.expression)
		FROM mlmeta.monitor_segments AS g WHERE g.monitor = monitor.id
		UNION ALL
		SELECT mlmeta_internal.part_name('feature', f.name), '', f.name, format('s.%I', f.name)
		FROM unnest(mlmeta_internal.live_features(monitor)) AS f (name)
		UNION ALL
		SELECT quality, '', coalesce(monitor.score_column, monitor.prediction_column),
			CASE WHEN monitor.score_column IS NULL
				THEN format('s.%I::float8 - s.%I::float8', monitor.label_column, monitor.prediction_column)
				ELSE format('s.%I::integer + s.%I::float8', monitor.label_column, monitor.score_column) END
		WHERE monitor.label_column IS NOT NULL
			AND coalesce(monitor.score_column, monitor.prediction_column) IS NOT NULL
	LOOP
		BEGIN
			PERFORM FROM mlmeta_internal.run_query(monitor.owner_id, 'pg_catalog',
				format('SELECT count(%s) FROM (%s
				) AS s WHERE %s', probe, monitor.query, mlmeta_internal.time_condition(monitor)),
				first_window, last_end) AS r (n bigint);
		EXCEPTION
			WHEN serialization_failure OR deadlock_detected THEN
				RAISE;
			WHEN OTHERS THEN
				GET STACKED DIAGNOSTICS failing_parts.sqlstate = RETURNED_SQLSTATE,
					failing_parts.message = MESSAGE_TEXT;
				RETURN NEXT;
		END;
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.failing_parts(mlmeta_internal.monitors, timestamptz,
	timestamptz) IS
	'the segments and features that cannot be read, and the quality of the model, each with its error';

CREATE FUNCTION mlmeta_internal.needs_parts(label text, without text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN EXISTS (
	SELECT FROM pg_catalog.unnest(without) AS w (part),
		LATERAL (SELECT ' & ' || pg_catalog.substr(w.part, pg_catalog.length('segment ') + 1) AS name) AS n
	WHERE pg_catalog.starts_with(w.part, 'segment ')
		AND (pg_catalog.strpos(' & ' || label, n.name || '=') > 0
			OR pg_catalog.strpos(' & ' || label, n.name || ' is null') > 0)
);

COMMENT ON FUNCTION mlmeta_internal.needs_parts(text, text[]) IS
	'whether a segment is made with one of the parts that are left out';

CREATE FUNCTION mlmeta_internal.is_of_sets(label text, segment_sets text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN label = '' OR EXISTS (
	SELECT FROM pg_catalog.unnest(segment_sets) AS t (set),
		LATERAL (SELECT pg_catalog.regexp_split_to_array(t.set, '\s*,\s*') AS names) AS p
	WHERE (SELECT pg_catalog.bool_and(
			pg_catalog.strpos(' & ' || label, ' & ' || u.name || '=') > 0
				OR pg_catalog.strpos(' & ' || label, ' & ' || u.name || ' is null') > 0)
			FROM pg_catalog.unnest(p.names) AS u (name))
		-- A quoted value may hold anything.
		AND (pg_catalog.strpos(label, '''') > 0 OR pg_catalog.cardinality(p.names)
			= pg_catalog.cardinality(pg_catalog.string_to_array(label, ' & ')))
);

COMMENT ON FUNCTION mlmeta_internal.is_of_sets(text, text[]) IS
	'whether a segment belongs to the sets that a monitor judges';

CREATE FUNCTION mlmeta_internal.profile_windows(
	monitor mlmeta_internal.monitors,
	baseline mlmeta.monitor_baselines,
	first_window timestamptz,
	last_end timestamptz,
	without text[] DEFAULT '{}'
) RETURNS SETOF timestamptz
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	WITH found AS MATERIALIZED (
		SELECT * FROM mlmeta_internal.scan_windows(monitor, monitor.query, first_window,
			last_end, baseline.profile, baseline.quality, without)
	), windows AS (
		SELECT g.at AT TIME ZONE mlmeta_internal.window_zone(monitor) AS window_start,
			(g.at + monitor.granularity) AT TIME ZONE mlmeta_internal.window_zone(monitor) AS window_end
		FROM generate_series(mlmeta.window_start(
				first_window AT TIME ZONE mlmeta_internal.window_zone(monitor), monitor.granularity),
			(last_end AT TIME ZONE mlmeta_internal.window_zone(monitor)) - interval '1 microsecond',
			monitor.granularity) AS g (at)
	), expected AS (
		-- Segments of the baseline that a window lacks, and those whose rows
		-- are gone, are windows without rows.
		SELECT w.window_start, w.window_end, s.segment
		FROM windows AS w, mlmeta.monitor_baseline_segments AS s
		WHERE s.baseline = (profile_windows.baseline).id
			AND NOT mlmeta_internal.needs_parts(s.segment, without)
			AND mlmeta_internal.is_of_sets(s.segment, (profile_windows.monitor).segment_sets)
		UNION
		SELECT w.window_start, w.window_end, x.segment
		FROM windows AS w
			JOIN mlmeta.monitor_windows AS x ON x.window_start = w.window_start
		WHERE x.monitor = (profile_windows.monitor).id
			AND NOT mlmeta_internal.needs_parts(x.segment, without)
	), stored AS (
		INSERT INTO mlmeta.monitor_windows AS w (monitor, segment, window_start,
			window_end, baseline, row_count, profile, quality, errors,
			estimated_roc_auc, estimated_accuracy)
		SELECT monitor.id, coalesce(e.segment, f.segment),
			coalesce(e.window_start, f.window_start),
			coalesce(e.window_end, f.window_end), baseline.id,
			coalesce(f.row_count, 0), f.profile, f.quality, f.errors,
			f.estimated_roc_auc, f.estimated_accuracy
		FROM expected AS e
			FULL JOIN found AS f ON f.window_start = e.window_start
				AND f.segment = e.segment
		ON CONFLICT ON CONSTRAINT monitor_windows_pkey DO UPDATE
		SET baseline = excluded.baseline, row_count = excluded.row_count,
			profile = excluded.profile, quality = excluded.quality,
			errors = excluded.errors,
			estimated_roc_auc = excluded.estimated_roc_auc,
			estimated_accuracy = excluded.estimated_accuracy,
			checked_at = excluded.checked_at
		WHERE w.row_count <> excluded.row_count OR w.baseline <> excluded.baseline
			OR mlmeta_internal.profile_ne(w.profile, excluded.profile)
			OR (w.quality IS NULL) <> (excluded.quality IS NULL)
			OR mlmeta_internal.classification_ne(w.quality, excluded.quality)
			OR (w.errors IS NULL) <> (excluded.errors IS NULL)
			OR mlmeta_internal.regression_ne(w.errors, excluded.errors)
		RETURNING w.window_start
	)
	SELECT DISTINCT s.window_start FROM stored AS s ORDER BY 1;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.profile_windows(mlmeta_internal.monitors, mlmeta.monitor_baselines,
	timestamptz, timestamptz, text[]) IS
	'profiles the windows of a period in one scan, stores what is new or has changed, and returns the starts of those windows; without the parts that cannot be read';

CREATE FUNCTION mlmeta_internal.watch_clock(
	monitor mlmeta_internal.monitors,
	window_start timestamptz,
	window_end timestamptz,
	until timestamptz
) RETURNS SETOF mlmeta.monitor_results
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	zoned text := CASE WHEN monitor.time_type = 'timestamptz'::regtype
		THEN format('s.%I', monitor.time_column)
		ELSE format('(s.%I::timestamp AT TIME ZONE %L)', monitor.time_column,
			monitor.time_zone) END;
	here timestamptz := greatest(until, clock_timestamp());
	bound text := CASE WHEN monitor.time_type = 'timestamptz'::regtype
		THEN '$1' ELSE format('($1 AT TIME ZONE %L)', monitor.time_zone) END;
	future bigint;
	latest timestamptz;
BEGIN
	SELECT r.* INTO future, latest
	FROM mlmeta_internal.run_query(monitor.owner_id, 'pg_catalog', format(
		'SELECT count(*), max(%s) FROM (%s
		) AS s WHERE s.%I > %s', zoned, monitor.query, monitor.time_column, bound),
		here) AS r (n bigint, at timestamptz);
	IF future > 0 THEN
		RETURN QUERY SELECT monitor.id, watch_clock.window_start,
			watch_clock.window_end, '', monitor.time_column, 0, 'future_rows', true,
			future::float8, future::float8, future::float8, NULL::float8,
			NULL::float8, NULL::float8, NULL::float8, 0::float8, NULL::float8,
			NULL::bigint, future, 'drift',
			format('%s rows are in the future, up to %s', future, latest), false;
	END IF;
	IF monitor.freshness IS NOT NULL THEN
		SELECT r.at INTO latest
		FROM mlmeta_internal.run_query(monitor.owner_id, 'pg_catalog', format(
			'SELECT max(%s) FROM (%s
			) AS s WHERE s.%I <= %s', zoned, monitor.query, monitor.time_column, bound),
			until) AS r (at timestamptz);
		RETURN QUERY SELECT monitor.id, watch_clock.window_start,
			watch_clock.window_end, '', monitor.time_column, 0, 'freshness', true,
			age.seconds, age.seconds, age.seconds, NULL::float8, NULL::float8,
			NULL::float8, NULL::float8,
			extract(epoch FROM monitor.freshness)::float8, NULL::float8,
			NULL::bigint, NULL::bigint,
			CASE WHEN latest >= until - monitor.freshness THEN 'no drift' ELSE 'drift' END,
			coalesce(format('the newest row is of %s', latest), 'there are no rows'), false
		FROM (SELECT extract(epoch FROM until - latest)::float8 AS seconds) AS age;
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.watch_clock(mlmeta_internal.monitors, timestamptz, timestamptz,
	timestamptz) IS
	'results about time itself: rows in the future, and whether the newest row is fresh enough';

-- A monitor whose time column is of another type than it was would fail in the
-- middle of a scan, with a message about operators.
CREATE FUNCTION mlmeta_internal.check_time_column(monitor mlmeta_internal.monitors) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_type regtype;
BEGIN
	SELECT a.atttypid::regtype INTO found_type
	FROM pg_attribute AS a
	WHERE a.attrelid = to_regclass(monitor.relation)
		AND a.attname = monitor.time_column AND NOT a.attisdropped;
	IF found_type <> monitor.time_type THEN
		RAISE EXCEPTION 'time column "%" is of type % now, and was of type %',
				monitor.time_column, found_type, monitor.time_type
			USING ERRCODE = 'datatype_mismatch',
				HINT = 'Change the column back, or make the monitor anew.';
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.check_time_column(mlmeta_internal.monitors) IS
	'raises 42804 when the time column of a monitor''s table has another type than when the monitor was made';

CREATE FUNCTION mlmeta_internal.record_failed_check(
	monitor mlmeta_internal.monitors,
	window_start timestamptz,
	segment text,
	feature text,
	sqlstate text,
	message text
) RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	INSERT INTO mlmeta.monitor_results AS r (monitor, window_start, window_end,
		segment, feature, position, measure, is_primary, verdict, reason)
	VALUES ((record_failed_check.monitor).id, record_failed_check.window_start,
		((record_failed_check.window_start AT TIME ZONE mlmeta_internal.window_zone(monitor))
			+ (monitor).granularity) AT TIME ZONE mlmeta_internal.window_zone(monitor),
		record_failed_check.segment, record_failed_check.feature, 0, 'check',
		true, 'no data', pg_catalog.format('%s failed: %s (%s)',
			CASE WHEN record_failed_check.segment <> '' THEN 'the segment'
				WHEN record_failed_check.feature <> '' THEN 'reading'
				ELSE 'the check' END, message, sqlstate))
	ON CONFLICT ON CONSTRAINT monitor_results_pkey DO UPDATE
	SET reason = excluded.reason;
END;

COMMENT ON FUNCTION mlmeta_internal.record_failed_check(mlmeta_internal.monitors, timestamptz, text,
	text, text, text) IS
	'a result that says what could not be read, and why: all of a window, a segment or a feature';

-- One scan, and where it fails another, without the parts that fail by
-- themselves. The windows that lack them are on record, to be read again.
CREATE FUNCTION mlmeta_internal.read_windows(
	monitor mlmeta_internal.monitors,
	baseline mlmeta.monitor_baselines,
	first_window timestamptz,
	last_end timestamptz,
	OUT changed timestamptz[],
	OUT failed jsonb
) RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	failed := '[]';
	changed := ARRAY(
		SELECT mlmeta_internal.profile_windows(monitor, baseline, first_window, last_end));
EXCEPTION
	WHEN serialization_failure OR deadlock_detected THEN
		RAISE;
	WHEN OTHERS THEN
		SELECT coalesce(jsonb_agg(p), '[]') INTO failed
		FROM mlmeta_internal.failing_parts(monitor, first_window, last_end) AS p;
		IF failed = '[]' THEN
			RAISE;
		END IF;
		changed := ARRAY(
			SELECT mlmeta_internal.profile_windows(monitor, baseline, first_window, last_end,
				ARRAY(SELECT p ->> 'part' FROM jsonb_array_elements(failed) AS p)));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.read_windows(mlmeta_internal.monitors, mlmeta.monitor_baselines,
	timestamptz, timestamptz) IS
	'profiles the windows of a period; changed: the starts of those that are new or have changed; failed: the parts that could not be read, with their errors';

CREATE FUNCTION mlmeta_internal.check_monitor(
	monitor text,
	until timestamptz DEFAULT pg_catalog.now(),
	since timestamptz DEFAULT NULL
) RETURNS SETOF mlmeta.drift_history
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	clock CONSTANT text[] := ARRAY['freshness', 'future_rows'];
	m mlmeta_internal.monitors := mlmeta_internal.lock_monitor(monitor);
	b mlmeta.monitor_baselines;
	started timestamptz := clock_timestamp();
	next_window timestamptz;
	first_window timestamptz;
	first_failed timestamptz;
	rolled_up timestamptz;
	last_end timestamptz;
	watched timestamptz;
	look_back interval;
	changed timestamptz[] := '{}';
	again timestamptz[];
	failed jsonb := '[]';
	start timestamptz;
	error_code text;
	error_message text;
BEGIN
	IF until IS NULL OR NOT isfinite(until) THEN
		RAISE EXCEPTION 'monitor "%" cannot be checked until %', m.name,
				coalesce(until::text, 'NULL')
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Give a time; windows that end by then are checked.';
	END IF;
	IF NOT pg_try_advisory_xact_lock(hashtextextended('mlmeta_internal.monitors', m.id)) THEN
		RAISE EXCEPTION 'monitor "%" is being checked by another session', m.name
			USING ERRCODE = 'lock_not_available',
				HINT = 'Its results will be there when that check commits.';
	END IF;
	SELECT * INTO b FROM mlmeta.monitor_baselines AS x
	WHERE x.monitor = m.id ORDER BY x.id DESC LIMIT 1;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'monitor "%" has no baseline', m.name
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Set one with set_baseline().';
	END IF;

	-- The windows that are complete and not yet checked, and those that rows or
	-- labels may still have come to.
	SELECT max(x.window_end) INTO next_window
	FROM mlmeta.monitor_windows AS x WHERE x.monitor = m.id;
	next_window := mlmeta.window_start(
		coalesce(next_window, b.period_end) AT TIME ZONE mlmeta_internal.window_zone(m), m.granularity)
		AT TIME ZONE mlmeta_internal.window_zone(m);
	look_back := greatest(m.look_back, CASE WHEN m.label_delay > '0'
		THEN m.label_delay + m.granularity END, '0');
	-- Windows that were rolled up are not read again.
	SELECT max(x.window_end) INTO rolled_up FROM mlmeta.monitor_windows AS x
	WHERE x.monitor = m.id AND x.merged_windows > 1;
	first_window := greatest(least(next_window - look_back, since),
		least(next_window, b.period_end), rolled_up);
	first_window := mlmeta.window_start(first_window AT TIME ZONE mlmeta_internal.window_zone(m), m.granularity)
		AT TIME ZONE mlmeta_internal.window_zone(m);
	last_end := mlmeta.window_start(until AT TIME ZONE mlmeta_internal.window_zone(m), m.granularity)
		AT TIME ZONE mlmeta_internal.window_zone(m);
	watched := mlmeta.window_start((last_end AT TIME ZONE mlmeta_internal.window_zone(m))
		- interval '1 microsecond', m.granularity) AT TIME ZONE mlmeta_internal.window_zone(m);
	IF first_window >= last_end AND m.freshness IS NULL THEN
		RETURN;
	END IF;

	BEGIN
		PERFORM mlmeta_internal.check_time_column(m);
		IF first_window < last_end THEN
			SELECT r.changed, r.failed INTO changed, failed
			FROM mlmeta_internal.read_windows(m, b, first_window, last_end) AS r;
			-- What could not be read of windows before can be read now.
			SELECT greatest(min(r.window_start), rolled_up) INTO first_failed
			FROM mlmeta.monitor_results AS r
			WHERE r.monitor = m.id AND r.measure = 'check'
				AND (r.segment <> '' OR r.feature <> '');
			IF failed = '[]' AND first_failed < first_window THEN
				SELECT r.changed, r.failed INTO again, failed
				FROM mlmeta_internal.read_windows(m, b, first_failed, first_window) AS r;
				changed := again || changed;
			END IF;
		END IF;
		-- Quality that was too young to judge, and no longer is.
		changed := ARRAY(
			SELECT u.at FROM unnest(changed) AS u (at)
			UNION
			SELECT r.window_start FROM mlmeta.monitor_results AS r
			WHERE r.monitor = m.id AND r.window_start >= first_window
				AND r.measure IN ('roc_auc', 'mae')
				AND r.verdict = 'too little data' AND r.reason LIKE 'labels are%'
				AND r.window_end + m.label_delay <= until
			ORDER BY 1);
		-- The windows after one that changed have it in their reference.
		IF b.trailing_windows IS NOT NULL THEN
			changed := ARRAY(
				SELECT w.window_start FROM mlmeta.monitor_windows AS w
				WHERE w.monitor = m.id AND w.segment = '' AND w.baseline = b.id
					AND w.window_start >= changed[1]
				ORDER BY w.window_start);
		END IF;
		DELETE FROM mlmeta.monitor_results AS r
		WHERE r.monitor = m.id AND (r.window_start = ANY (changed)
			OR r.measure = 'check' AND (failed = '[]' OR r.segment = '' AND r.feature = ''));
		FOREACH start IN ARRAY changed LOOP
			INSERT INTO mlmeta.monitor_results
			SELECT * FROM mlmeta_internal.judge_window(m, b, start, until);
		END LOOP;
		PERFORM mlmeta_internal.record_failed_check(m, u.at, p ->> 'segment', p ->> 'feature',
			p ->> 'sqlstate', p ->> 'message')
		FROM jsonb_array_elements(failed) AS p,
			unnest(CASE WHEN changed = '{}' THEN ARRAY[watched] ELSE changed END) AS u (at);

		IF cardinality(changed) > 0 OR m.freshness IS NOT NULL THEN
			DELETE FROM mlmeta.monitor_results AS r
			WHERE r.monitor = m.id AND r.window_start = watched AND r.measure = ANY (clock);
			INSERT INTO mlmeta.monitor_results
			SELECT * FROM mlmeta_internal.watch_clock(m, watched,
				((watched AT TIME ZONE mlmeta_internal.window_zone(m)) + m.granularity) AT TIME ZONE mlmeta_internal.window_zone(m),
				until);
		END IF;
	EXCEPTION
		WHEN serialization_failure OR deadlock_detected THEN
			RAISE;
		WHEN OTHERS THEN
			-- Nothing of the check remains but that it failed.
			GET STACKED DIAGNOSTICS error_code = RETURNED_SQLSTATE,
				error_message = MESSAGE_TEXT;
			changed := '{}';
			watched := next_window;
			DELETE FROM mlmeta.monitor_results AS r
			WHERE r.monitor = m.id AND r.measure = 'check'
				AND r.segment = '' AND r.feature = '';
			PERFORM mlmeta_internal.record_failed_check(m, next_window, '', '', error_code,
				error_message);
	END;

	FOREACH start IN ARRAY ARRAY(SELECT unnest(changed) UNION SELECT watched ORDER BY 1) LOOP
		PERFORM mlmeta_internal.raise_alerts(m, start);
	END LOOP;
	IF error_code IS NULL THEN
		-- What ends as soon as it is over, not with the next window.
		PERFORM mlmeta_internal.change_alert(a.id, 'resolved', a.severity, NULL,
			CASE a.measure WHEN 'check' THEN 'the check succeeded'
				WHEN 'freshness' THEN 'rows arrive again'
				ELSE 'no rows are in the future' END)
		FROM mlmeta.alerts AS a
		WHERE a.monitor = m.id AND a.state <> 'resolved'
			AND a.measure = ANY (clock || 'check'::text)
			AND NOT EXISTS (
				SELECT FROM mlmeta.monitor_results AS r
				WHERE r.monitor = m.id AND r.segment = a.segment
					AND r.feature = a.feature AND r.measure = a.measure
					AND (r.measure = 'check' OR r.window_start = watched)
					AND mlmeta_internal.is_alarming(r));
	END IF;
	IF cardinality(changed) > 0 OR error_code IS NOT NULL THEN
		INSERT INTO mlmeta.monitor_checks (monitor, until, status, windows, rows,
			sqlstate, message, duration)
		VALUES (m.id, check_monitor.until,
			CASE WHEN error_code IS NOT NULL THEN 'failed'
				WHEN failed <> '[]' THEN 'partial' ELSE 'ok' END,
			cardinality(changed), (SELECT coalesce(sum(w.row_count), 0)
				FROM mlmeta.monitor_windows AS w WHERE w.monitor = m.id
					AND w.segment = '' AND w.window_start = ANY (changed)),
			coalesce(error_code, failed -> 0 ->> 'sqlstate'),
			coalesce(error_message, failed -> 0 ->> 'message'),
			clock_timestamp() - started);
	END IF;
	RETURN QUERY
		SELECT h.* FROM mlmeta.drift_history AS h
		WHERE h.monitor = m.name
			AND (h.window_start = ANY (changed) OR h.window_start = watched
				AND h.measure = ANY (clock || 'check'::text))
		ORDER BY h.window_start, h.segment, h.position, h.is_primary DESC, h.measure;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.check_monitor(text, timestamptz, timestamptz) IS
	'profiles and judges the windows that are complete by then and were not checked yet, raises alerts, and returns the results; windows within the look-back, or since a time, are read again and judged again when they changed; a source, a segment or a feature that cannot be read is a result with the verdict no data; with the monitor''s column freshness set the clock is watched at each call';

CREATE FUNCTION mlmeta.compare_windows(
	monitor text,
	reference_start timestamptz,
	reference_end timestamptz,
	current_start timestamptz,
	current_end timestamptz,
	segment text DEFAULT ''
) RETURNS TABLE (segment_name text, feature text, kind text, measure text,
	statistic float8, statistic_low float8, statistic_high float8, p_value float8,
	n_reference bigint, n_current bigint, status text)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m constant mlmeta_internal.monitors := mlmeta_internal.find_monitor(monitor);
BEGIN
	RETURN QUERY
	SELECT p.segment, d.feature, d.kind, d.measure, d.statistic, d.statistic_low,
		d.statistic_high, d.p_value, d.n_reference, d.n_current, d.status
	FROM (
		SELECT w.baseline, w.segment,
			mlmeta.merge(w.profile) FILTER (WHERE w.window_start >= reference_start
				AND w.window_end <= reference_end) AS reference,
			mlmeta.merge(w.profile) FILTER (WHERE w.window_start >= current_start
				AND w.window_end <= current_end) AS current
		FROM mlmeta.monitor_windows AS w
		WHERE w.monitor = m.id
			AND (compare_windows.segment IS NULL OR w.segment = compare_windows.segment)
			AND w.profile IS NOT NULL
			AND (w.window_start >= reference_start AND w.window_end <= reference_end
				OR w.window_start >= current_start AND w.window_end <= current_end)
		GROUP BY w.baseline, w.segment
	) AS p
		JOIN mlmeta.monitor_baselines AS b ON b.id = p.baseline,
		LATERAL mlmeta.drift(mlmeta.attach(p.reference, b.profile), p.current) AS d
	ORDER BY p.baseline, p.segment;
END
$$;

COMMENT ON FUNCTION mlmeta.compare_windows(text, timestamptz, timestamptz,
	timestamptz, timestamptz, text) IS
	'any two periods of a monitor compared from their stored profiles, a baseline at a time; segment NULL: all segments; reads no rows';
