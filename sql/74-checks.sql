-- Checks: the windows that are complete, profiled and judged, each once.

CREATE TABLE mlmeta.monitor_checks (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	monitor bigint NOT NULL REFERENCES mlmeta.monitors ON DELETE CASCADE,
	until timestamptz NOT NULL,
	status text NOT NULL CHECK (status IN ('ok', 'failed')),
	windows integer NOT NULL,
	rows bigint NOT NULL,
	sqlstate text,
	message text,
	checked_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	duration interval NOT NULL,
	user_name text NOT NULL DEFAULT SESSION_USER
);

CREATE INDEX monitor_checks_monitor ON mlmeta.monitor_checks (monitor, id);

COMMENT ON TABLE mlmeta.monitor_checks IS
	'each check that found windows to profile, and each that failed';
COMMENT ON COLUMN mlmeta.monitor_checks.windows IS
	'windows that were new or had changed';
COMMENT ON COLUMN mlmeta.monitor_checks.sqlstate IS
	'of the error by which the source could not be read';

CREATE VIEW mlmeta.drift_history WITH (security_invoker = true) AS
SELECT m.name AS monitor, r.window_start, r.window_end, r.segment, r.feature,
	r.measure, r.statistic, r.statistic_low, r.statistic_high, r.p_value,
	r.adjusted_p, r.tolerance, r.detectable, r.n_reference, r.n_current,
	r.verdict, r.reason, r.is_primary, r.position
FROM mlmeta.monitor_results AS r
	JOIN mlmeta.monitors AS m ON m.id = r.monitor;

COMMENT ON VIEW mlmeta.drift_history IS
	'all results of all checks, a row per window, segment, feature and measure';

CREATE FUNCTION mlmeta.profile_windows(
	monitor mlmeta.monitors,
	baseline mlmeta.monitor_baselines,
	first_window timestamptz,
	last_end timestamptz
) RETURNS SETOF timestamptz
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	WITH found AS MATERIALIZED (
		SELECT * FROM mlmeta.scan_windows(monitor, monitor.query, first_window,
			last_end, baseline.profile, baseline.quality)
	), windows AS (
		SELECT g.at AT TIME ZONE monitor.time_zone AS window_start,
			(g.at + monitor.granularity) AT TIME ZONE monitor.time_zone AS window_end
		FROM generate_series(mlmeta.window_start(
				first_window AT TIME ZONE monitor.time_zone, monitor.granularity),
			(last_end AT TIME ZONE monitor.time_zone) - interval '1 microsecond',
			monitor.granularity) AS g (at)
	), expected AS (
		-- Segments of the baseline that a window lacks, and those whose rows
		-- are gone, are windows without rows.
		SELECT w.window_start, w.window_end, s.segment
		FROM windows AS w, mlmeta.monitor_baseline_segments AS s
		WHERE s.baseline = (profile_windows.baseline).id
		UNION
		SELECT w.window_start, w.window_end, x.segment
		FROM windows AS w
			JOIN mlmeta.monitor_windows AS x ON x.window_start = w.window_start
		WHERE x.monitor = (profile_windows.monitor).id
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
			OR mlmeta.profile_ne(w.profile, excluded.profile)
			OR (w.quality IS NULL) <> (excluded.quality IS NULL)
			OR mlmeta.classification_ne(w.quality, excluded.quality)
			OR (w.errors IS NULL) <> (excluded.errors IS NULL)
			OR mlmeta.regression_ne(w.errors, excluded.errors)
		RETURNING w.window_start
	)
	SELECT DISTINCT s.window_start FROM stored AS s ORDER BY 1;
END
$$;

COMMENT ON FUNCTION mlmeta.profile_windows(mlmeta.monitors, mlmeta.monitor_baselines,
	timestamptz, timestamptz) IS
	'profiles the windows of a period in one scan, stores what is new or has changed, and returns the starts of those windows';

CREATE FUNCTION mlmeta.watch_clock(
	monitor mlmeta.monitors,
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
	EXECUTE format('SELECT count(*), max(%s) FROM (%s
		) AS s WHERE s.%I > %s', zoned, monitor.query, monitor.time_column, bound)
	INTO future, latest USING here;
	IF future > 0 THEN
		RETURN QUERY SELECT monitor.id, watch_clock.window_start,
			watch_clock.window_end, '', monitor.time_column, 0, 'future_rows', true,
			future::float8, future::float8, future::float8, NULL::float8,
			NULL::float8, NULL::float8, NULL::float8, 0::float8, NULL::float8,
			NULL::bigint, future, 'drift',
			format('%s rows are in the future, up to %s', future, latest), false;
	END IF;
	IF monitor.freshness IS NOT NULL THEN
		EXECUTE format('SELECT max(%s) FROM (%s
			) AS s WHERE s.%I <= %s', zoned, monitor.query, monitor.time_column, bound)
		INTO latest USING until;
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

COMMENT ON FUNCTION mlmeta.watch_clock(mlmeta.monitors, timestamptz, timestamptz,
	timestamptz) IS
	'results about time itself: rows in the future, and whether the newest row is fresh enough';

CREATE FUNCTION mlmeta.check_monitor(
	monitor text,
	until timestamptz DEFAULT pg_catalog.now(),
	since timestamptz DEFAULT NULL
) RETURNS SETOF mlmeta.drift_history
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta.monitors := mlmeta.find_monitor(monitor);
	b mlmeta.monitor_baselines;
	started timestamptz := clock_timestamp();
	next_window timestamptz;
	first_window timestamptz;
	last_end timestamptz;
	look_back interval;
	changed timestamptz[];
	start timestamptz;
	window_end timestamptz;
	error_code text;
	error_message text;
BEGIN
	PERFORM mlmeta.check_writable();
	PERFORM mlmeta.check_monitor_owner(m);
	IF NOT pg_try_advisory_xact_lock(hashtextextended('mlmeta.monitors', m.id)) THEN
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
		coalesce(next_window, b.period_end) AT TIME ZONE m.time_zone, m.granularity)
		AT TIME ZONE m.time_zone;
	look_back := greatest(m.look_back, CASE WHEN m.label_delay > '0'
		THEN m.label_delay + m.granularity END, '0');
	first_window := greatest(least(next_window - look_back, since),
		least(next_window, b.period_end));
	first_window := mlmeta.window_start(first_window AT TIME ZONE m.time_zone, m.granularity)
		AT TIME ZONE m.time_zone;
	last_end := mlmeta.window_start(until AT TIME ZONE m.time_zone, m.granularity)
		AT TIME ZONE m.time_zone;
	IF first_window >= last_end THEN
		RETURN;
	END IF;

	BEGIN
		changed := ARRAY(SELECT mlmeta.profile_windows(m, b, first_window, last_end));
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
		WHERE r.monitor = m.id
			AND (r.window_start = ANY (changed) OR r.measure = 'check');
		FOREACH start IN ARRAY changed LOOP
			INSERT INTO mlmeta.monitor_results
			SELECT * FROM mlmeta.judge_window(m, b, start, until);
		END LOOP;
		IF cardinality(changed) > 0 THEN
			start := changed[cardinality(changed)];
			INSERT INTO mlmeta.monitor_results
			SELECT * FROM mlmeta.watch_clock(m, start,
				((start AT TIME ZONE m.time_zone) + m.granularity) AT TIME ZONE m.time_zone,
				until);
		END IF;
	EXCEPTION
		WHEN serialization_failure OR deadlock_detected THEN
			RAISE;
		WHEN OTHERS THEN
			-- Nothing of the check remains but that it failed.
			GET STACKED DIAGNOSTICS error_code = RETURNED_SQLSTATE,
				error_message = MESSAGE_TEXT;
			changed := ARRAY[next_window];
			window_end := ((next_window AT TIME ZONE m.time_zone) + m.granularity)
				AT TIME ZONE m.time_zone;
			DELETE FROM mlmeta.monitor_results AS r
			WHERE r.monitor = m.id AND r.measure = 'check';
			INSERT INTO mlmeta.monitor_results (monitor, window_start, window_end,
				feature, position, measure, is_primary, verdict, reason)
			VALUES (m.id, next_window, window_end, '', 0, 'check', true, 'no data',
				format('the check failed: %s (%s)', error_message, error_code));
	END;

	FOREACH start IN ARRAY changed LOOP
		PERFORM mlmeta.raise_alerts(m, start);
	END LOOP;
	IF error_code IS NULL THEN
		PERFORM mlmeta.change_alert(a.id, 'resolved', a.severity, NULL, 'the check succeeded')
		FROM mlmeta.alerts AS a
		WHERE a.monitor = m.id AND a.measure = 'check' AND a.state <> 'resolved';
	END IF;
	IF cardinality(changed) > 0 THEN
		INSERT INTO mlmeta.monitor_checks (monitor, until, status, windows, rows,
			sqlstate, message, duration)
		VALUES (m.id, check_monitor.until,
			CASE WHEN error_code IS NULL THEN 'ok' ELSE 'failed' END,
			CASE WHEN error_code IS NULL THEN cardinality(changed) ELSE 0 END,
			CASE WHEN error_code IS NULL THEN (SELECT coalesce(sum(w.row_count), 0)
				FROM mlmeta.monitor_windows AS w WHERE w.monitor = m.id
					AND w.segment = '' AND w.window_start = ANY (changed)) ELSE 0 END,
			error_code, error_message, clock_timestamp() - started);
	END IF;
	RETURN QUERY
		SELECT h.* FROM mlmeta.drift_history AS h
		WHERE h.monitor = m.name AND h.window_start = ANY (changed)
			AND (error_code IS NULL OR h.measure = 'check')
		ORDER BY h.window_start, h.segment, h.position, h.is_primary DESC, h.measure;
END
$$;

COMMENT ON FUNCTION mlmeta.check_monitor(text, timestamptz, timestamptz) IS
	'profiles and judges the windows that are complete by then and were not checked yet, raises alerts, and returns the results; windows within the look-back, or since a time, are read again and judged again when they changed; a source that cannot be read is a result with the verdict no data';

CREATE FUNCTION mlmeta.compare_windows(
	monitor text,
	reference_start timestamptz,
	reference_end timestamptz,
	current_start timestamptz,
	current_end timestamptz,
	segment text DEFAULT ''
) RETURNS TABLE (feature text, kind text, measure text, statistic float8,
	statistic_low float8, statistic_high float8, p_value float8,
	n_reference bigint, n_current bigint, status text)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT d.feature, d.kind, d.measure, d.statistic, d.statistic_low,
		d.statistic_high, d.p_value, d.n_reference, d.n_current, d.status
	FROM (
		SELECT w.baseline,
			mlmeta.merge(w.profile) FILTER (WHERE w.window_start >= reference_start
				AND w.window_end <= reference_end) AS reference,
			mlmeta.merge(w.profile) FILTER (WHERE w.window_start >= current_start
				AND w.window_end <= current_end) AS current
		FROM mlmeta.monitor_windows AS w
			JOIN mlmeta.monitors AS m ON m.id = w.monitor
		WHERE m.name = compare_windows.monitor
			AND w.segment = compare_windows.segment AND w.profile IS NOT NULL
			AND (w.window_start >= reference_start AND w.window_end <= reference_end
				OR w.window_start >= current_start AND w.window_end <= current_end)
		GROUP BY w.baseline
	) AS p
		JOIN mlmeta.monitor_baselines AS b ON b.id = p.baseline,
		LATERAL mlmeta.drift(mlmeta.attach(p.reference, b.profile), p.current) AS d;
END;

COMMENT ON FUNCTION mlmeta.compare_windows(text, timestamptz, timestamptz,
	timestamptz, timestamptz, text) IS
	'any two periods of a monitor compared from their stored profiles, a baseline at a time; reads no rows';
