-- Schedules: what is due is checked, by pg_cron or any other cron.
--
-- run_due() commits after each monitor; of two that run at once, each takes the
-- monitors that the other does not have in hand. It checks only what belongs to
-- the current user, so nobody's query ever runs with rights of somebody else.

CREATE FUNCTION mlmeta.due_monitors(at timestamptz DEFAULT pg_catalog.now())
RETURNS TABLE (monitor text, window_end timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT m.name, mlmeta.window_start(at AT TIME ZONE mlmeta_internal.window_zone(m), m.granularity)
		AT TIME ZONE mlmeta_internal.window_zone(m)
	FROM mlmeta_internal.monitors AS m
	WHERE mlmeta_internal.principal_name(m.owner_id) = mlmeta_internal.caller()
		AND m.is_enabled
		AND (mlmeta.window_start(at AT TIME ZONE mlmeta_internal.window_zone(m), m.granularity)
				AT TIME ZONE mlmeta_internal.window_zone(m) > coalesce((
					SELECT max(w.window_end) FROM mlmeta.monitor_windows AS w
					WHERE w.monitor = m.id
				), (
					SELECT b.period_end FROM mlmeta.monitor_baselines AS b
					WHERE b.monitor = m.id ORDER BY b.id DESC LIMIT 1
				))
			OR m.freshness IS NOT NULL AND EXISTS (
				SELECT FROM mlmeta.monitor_baselines AS b WHERE b.monitor = m.id))
	ORDER BY m.id;
END;

COMMENT ON FUNCTION mlmeta.due_monitors(timestamptz) IS
	'enabled monitors of the current user with a baseline and a window that is complete and not checked, or with a freshness to watch, with the end of the newest complete window';

CREATE FUNCTION mlmeta_internal.check_quietly(monitor text) RETURNS integer
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta_internal.monitors := mlmeta_internal.find_monitor(monitor);
	started timestamptz := clock_timestamp();
	start timestamptz;
	error_code text;
	error_message text;
BEGIN
	BEGIN
		PERFORM FROM mlmeta_internal.check_monitor(monitor);
		PERFORM mlmeta_internal.apply_retention(monitor);
		RETURN 1;
	EXCEPTION
		WHEN lock_not_available THEN
			RETURN 0;
		WHEN serialization_failure OR deadlock_detected THEN
			RAISE;
		WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS error_code = RETURNED_SQLSTATE,
				error_message = MESSAGE_TEXT;
	END;
	start := mlmeta.window_start(now() AT TIME ZONE mlmeta_internal.window_zone(m), m.granularity)
		AT TIME ZONE mlmeta_internal.window_zone(m);
	INSERT INTO mlmeta.monitor_checks (monitor, until, status, windows, rows,
		sqlstate, message, duration)
	VALUES (m.id, now(), 'failed', 0, 0, error_code, error_message,
		clock_timestamp() - started);
	PERFORM mlmeta_internal.record_failed_check(m, start, '', '', error_code, error_message);
	PERFORM mlmeta_internal.raise_alerts(m, start);
	RETURN 1;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.check_quietly(text) IS
	'checks a monitor and never fails: an error becomes a failed check and an alert; returns 0 when another session has it in hand, otherwise 1';

CREATE FUNCTION mlmeta_internal.check_due() RETURNS integer
LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	SELECT coalesce(pg_catalog.sum(mlmeta_internal.check_quietly(d.monitor)), 0)::integer
	FROM mlmeta.due_monitors() AS d;
END;

COMMENT ON FUNCTION mlmeta_internal.check_due() IS
	'checks the monitors of the current user that are due, in one transaction, and returns how many';

CREATE PROCEDURE mlmeta.run_due(monitor text DEFAULT NULL)
LANGUAGE plpgsql
AS $$
DECLARE
	due text;
BEGIN
	-- No SET clause: it would forbid COMMIT. Every name is qualified.
	FOR due IN
		SELECT d.monitor FROM mlmeta.due_monitors() AS d
		WHERE run_due.monitor IS NULL
			OR d.monitor OPERATOR(pg_catalog.=) run_due.monitor
	LOOP
		PERFORM mlmeta.check_quietly(due);
		COMMIT;
	END LOOP;
END
$$;

COMMENT ON PROCEDURE mlmeta.run_due(text) IS
	'checks the monitors of the current user that are due, or one of them, and commits after each: what cron calls';

-- pg_cron -----------------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.scheduled_job(monitor text) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (SELECT r.job
		FROM mlmeta_internal.run_query(NULL, 'pg_catalog', format(
			'SELECT max(j.jobid) FROM cron.job AS j
			WHERE j.jobname = %L AND j.username = current_user',
			'mlmeta ' || monitor)) AS r (job bigint));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.scheduled_job(text) IS
	'the number of the job of pg_cron by which the caller has a monitor checked; NULL when there is none';

CREATE FUNCTION mlmeta_internal.schedule_monitor(monitor text, cron text) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta_internal.monitors := mlmeta_internal.lock_monitor(monitor);
	job bigint;
BEGIN
	IF cron IS NULL OR cron !~ '^\s*(\S+\s+){4}\S+\s*$'
			AND cron !~* '^\s*\d+ seconds?\s*$' THEN
		RAISE EXCEPTION 'monitor "%": "%" is no schedule', monitor,
				coalesce(cron, 'NULL')
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Give the five fields of cron: minute, hour, day, month, weekday, such as ''10 * * * *''.';
	END IF;
	IF to_regclass('cron.job') IS NOT NULL THEN
		-- As the caller: the job is his, and runs as him.
		PERFORM mlmeta_internal.run_command(format(
			'SELECT cron.schedule(%L, %L, %L)', 'mlmeta ' || monitor, cron,
			format('CALL mlmeta.run_due(%L)', monitor)));
		job := mlmeta_internal.scheduled_job(monitor);
	ELSE
		RAISE NOTICE 'pg_cron is not in this database: nothing runs by itself'
			USING HINT = 'Let any cron run: CALL mlmeta.run_due().';
	END IF;
	UPDATE mlmeta_internal.monitors AS x SET schedule = cron WHERE x.id = m.id;
	RETURN job;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.schedule_monitor(text, text) IS
	'lets pg_cron check a monitor, and returns the job''s number; NULL, with a notice, in a database without pg_cron';

CREATE FUNCTION mlmeta_internal.unschedule_monitor(monitor text) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta_internal.monitors := mlmeta_internal.lock_monitor(monitor);
	job bigint;
BEGIN
	IF to_regclass('cron.job') IS NOT NULL THEN
		job := mlmeta_internal.scheduled_job(monitor);
		IF job IS NOT NULL THEN
			PERFORM mlmeta_internal.run_command(format(
				'SELECT cron.unschedule(%s::bigint)', job));
		END IF;
	END IF;
	UPDATE mlmeta_internal.monitors AS x SET schedule = NULL WHERE x.id = m.id;
	RETURN m.schedule IS NOT NULL;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.unschedule_monitor(text) IS
	'ends what schedule_monitor() began; returns whether there was anything';

-- Retention ------------------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.roll_up_windows(monitor mlmeta_internal.monitors) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	until timestamp;
	merged bigint;
BEGIN
	-- What trailing baselines still compare with stays as it is.
	SELECT mlmeta.window_start(least(max(w.window_end) - monitor.roll_up_after,
			max(w.window_end) - b.trailing_windows * monitor.granularity)
		AT TIME ZONE monitor.time_zone, monitor.roll_up_to) INTO until
	FROM mlmeta.monitor_windows AS w
		LEFT JOIN LATERAL (SELECT x.trailing_windows FROM mlmeta.monitor_baselines AS x
			WHERE x.monitor = monitor.id ORDER BY x.id DESC LIMIT 1) AS b ON true
	WHERE w.monitor = roll_up_windows.monitor.id
	GROUP BY b.trailing_windows;
	IF monitor.roll_up_after IS NULL OR until IS NULL
			OR monitor.roll_up_to <= monitor.granularity THEN
		RETURN 0;
	END IF;
	WITH fine AS (
		DELETE FROM mlmeta.monitor_windows AS w
		WHERE w.monitor = roll_up_windows.monitor.id AND w.merged_windows = 1
			AND w.window_end <= until AT TIME ZONE roll_up_windows.monitor.time_zone
		RETURNING w.*
	), rolled AS (
		INSERT INTO mlmeta.monitor_windows (monitor, segment, window_start,
			window_end, baseline, row_count, profile, quality, errors,
			estimated_roc_auc, estimated_accuracy, checked_at, merged_windows)
		SELECT f.monitor, f.segment, min(f.window_start), max(f.window_end),
			f.baseline, sum(f.row_count), mlmeta.merge(f.profile),
			mlmeta.merge(f.quality), mlmeta.merge(f.errors),
			sum(f.estimated_roc_auc * f.row_count) / nullif(sum(f.row_count)
				FILTER (WHERE f.estimated_roc_auc IS NOT NULL), 0),
			sum(f.estimated_accuracy * f.row_count) / nullif(sum(f.row_count)
				FILTER (WHERE f.estimated_accuracy IS NOT NULL), 0),
			max(f.checked_at), count(*)
		FROM fine AS f
		GROUP BY f.monitor, f.segment, f.baseline, mlmeta.window_start(
			f.window_start AT TIME ZONE roll_up_windows.monitor.time_zone,
			roll_up_windows.monitor.roll_up_to)
		RETURNING merged_windows
	)
	SELECT sum(r.merged_windows) INTO merged FROM rolled AS r;
	RETURN coalesce(merged, 0);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.roll_up_windows(mlmeta_internal.monitors) IS
	'merges windows older than the column roll_up_after says into such as long as roll_up_to, segment by segment; returns how many were merged; their results stay';

CREATE FUNCTION mlmeta_internal.apply_retention(monitor text) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta_internal.monitors := mlmeta_internal.lock_monitor(monitor);
	oldest timestamptz;
	removed bigint;
	closed bigint[];
BEGIN
	PERFORM mlmeta_internal.roll_up_windows(m);
	-- The newest window stays: it says from where to go on.
	SELECT least(max(w.window_start), max(w.window_end) - m.keep) INTO oldest
	FROM mlmeta.monitor_windows AS w WHERE w.monitor = m.id;
	IF m.keep IS NULL OR oldest IS NULL THEN
		RETURN 0;
	END IF;
	closed := ARRAY(
		SELECT a.id FROM mlmeta.alerts AS a
		WHERE a.monitor = m.id AND a.state = 'resolved' AND a.last_window < oldest
		FOR UPDATE);
	PERFORM mlmeta_internal.lift_guards();
	DELETE FROM mlmeta.alert_deliveries AS d
	USING mlmeta.alert_events AS e
	WHERE e.id = d.event AND e.alert = ANY (closed);
	DELETE FROM mlmeta.alert_events AS e WHERE e.alert = ANY (closed);
	PERFORM mlmeta_internal.restore_guards();
	DELETE FROM mlmeta.alerts AS a WHERE a.id = ANY (closed);
	DELETE FROM mlmeta.monitor_results AS r
	WHERE r.monitor = m.id AND r.window_start < oldest;
	DELETE FROM mlmeta.monitor_checks AS c
	WHERE c.monitor = m.id AND c.until < oldest;
	DELETE FROM mlmeta.monitor_windows AS w
	WHERE w.monitor = m.id AND w.window_end <= oldest;
	GET DIAGNOSTICS removed = ROW_COUNT;
	RETURN removed;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.apply_retention(text) IS
	'rolls up windows by the monitor''s columns roll_up_after and roll_up_to, and removes what is older than keep says: windows, results, checks and resolved alerts; returns how many windows were removed';
