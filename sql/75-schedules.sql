-- Schedules: what is due is checked, by pg_cron or any other cron.
--
-- run_due() commits as it goes: after each few windows, so that a check that is
-- cut off keeps what is done. Of two that run at once, each takes the monitors that
-- the other does not have in hand. It begins with the monitor that was least
-- recently tried, so that a slow one starves none, and it checks only what belongs
-- to the current user: nobody's query ever runs with rights of somebody else.

CREATE FUNCTION mlmeta.due_monitors(at timestamptz DEFAULT pg_catalog.now())
RETURNS TABLE (monitor text, window_end timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT m.name, mlmeta_internal.window_of(m, at)
	FROM mlmeta_internal.monitors AS m
		CROSS JOIN LATERAL (
			SELECT b.period_end FROM mlmeta.monitor_baselines AS b
			WHERE b.monitor = m.id ORDER BY b.id DESC LIMIT 1
		) AS b
	WHERE mlmeta_internal.principal_name(m.owner_id) = mlmeta_internal.caller()
		AND m.is_enabled
		AND (m.freshness IS NOT NULL OR mlmeta_internal.window_of(m, at) > coalesce((
			SELECT w.window_end FROM mlmeta.monitor_windows AS w
			WHERE w.monitor = m.id ORDER BY w.window_start DESC LIMIT 1
		), b.period_end))
	ORDER BY m.tried_at NULLS FIRST, m.id;
END;

COMMENT ON FUNCTION mlmeta.due_monitors(timestamptz) IS
	'enabled monitors of the current user with a baseline and a window that is complete and not checked, or with a freshness to watch, with the end of the newest complete window; those that waited longest first';

-- A cancel by the user ends the call; the end of the time that a statement may
-- take is on record as a check that failed.
CREATE FUNCTION mlmeta_internal.is_timeout() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
	SELECT s.setting::float8 > 0 AND pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()
		- pg_catalog.statement_timestamp()) * 1000 >= s.setting::float8 * 0.99
	FROM pg_catalog.pg_settings AS s WHERE s.name = 'statement_timeout'
);

COMMENT ON FUNCTION mlmeta_internal.is_timeout() IS
	'whether the current statement has taken as long as statement_timeout lets it';

CREATE FUNCTION mlmeta_internal.check_quietly(
	monitor text,
	windows integer DEFAULT NULL,
	until timestamptz DEFAULT pg_catalog.now()
) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta_internal.monitors := mlmeta_internal.lock_monitor(monitor);
	started timestamptz := clock_timestamp();
	newest timestamptz;
	code text;
	message text;
	is_over boolean := false;
BEGIN
	IF NOT pg_try_advisory_xact_lock(hashtextextended('mlmeta.monitors', m.id)) THEN
		RETURN 'elsewhere';
	END IF;
	UPDATE mlmeta_internal.monitors AS x SET tried_at = started WHERE x.id = m.id;
	BEGIN
		PERFORM FROM mlmeta_internal.check_monitor(monitor, until, NULL, windows);
		SELECT w.window_end INTO newest FROM mlmeta.monitor_windows AS w
		WHERE w.monitor = m.id ORDER BY w.window_start DESC LIMIT 1;
		IF newest < mlmeta_internal.window_of(m, until) AND NOT EXISTS (
				SELECT FROM mlmeta.monitor_alarms AS x WHERE x.monitor = m.id
					AND x.window_start = newest AND x.family = 'check') THEN
			RETURN 'more';
		END IF;
		PERFORM mlmeta_internal.apply_retention(monitor);
		RETURN 'done';
	EXCEPTION
		WHEN lock_not_available THEN
			RETURN 'elsewhere';
		WHEN serialization_failure OR deadlock_detected THEN
			RAISE;
		WHEN query_canceled THEN
			IF NOT mlmeta_internal.is_timeout() THEN
				RAISE;
			END IF;
			is_over := true;
			GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
		WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
	END;
	SELECT coalesce((SELECT w.window_end FROM mlmeta.monitor_windows AS w WHERE w.monitor = m.id
			ORDER BY w.window_start DESC LIMIT 1),
		(SELECT mlmeta_internal.window_of(m, b.period_end) FROM mlmeta.monitor_baselines AS b
			WHERE b.monitor = m.id ORDER BY b.id DESC LIMIT 1),
		mlmeta_internal.window_of(m, until)) INTO newest;
	PERFORM mlmeta_internal.record_failure(m, newest, until, started, code, message);
	RETURN CASE WHEN is_over THEN 'cut off' ELSE 'failed' END;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.check_quietly(text, integer, timestamptz) IS
	'checks a monitor, at most so many new windows, and never fails: an error, or the end of the time that a statement may take, becomes a failed check and an alert; returns done, more (windows are left), elsewhere (another session has it in hand), failed, cut off';

CREATE FUNCTION mlmeta_internal.check_due() RETURNS integer
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	due text;
	outcome text;
	result integer := 0;
BEGIN
	FOR due IN SELECT d.monitor FROM mlmeta.due_monitors() AS d LOOP
		outcome := mlmeta_internal.check_quietly(due);
		result := result + (outcome <> 'elsewhere')::integer;
		EXIT WHEN outcome = 'cut off';
	END LOOP;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.check_due() IS
	'checks the monitors of the current user that are due, in one transaction, and returns how many';

-- Twice as many windows each time, as long as they take little: an unindexed
-- source is not read once for each window.
CREATE PROCEDURE mlmeta.check_monitor_windows(
	monitor text,
	until timestamptz DEFAULT pg_catalog.now(),
	INOUT outcome text DEFAULT NULL
)
LANGUAGE plpgsql
AS $$
DECLARE
	windows integer := 1;
	started timestamptz;
BEGIN
	-- No SET clause: it would forbid COMMIT. Every name is qualified.
	LOOP
		started := pg_catalog.clock_timestamp();
		outcome := mlmeta.check_quietly(monitor, windows, until);
		COMMIT;
		EXIT WHEN outcome OPERATOR(pg_catalog.<>) 'more';
		IF pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) started OPERATOR(pg_catalog.<) '2 seconds'::pg_catalog.interval THEN
			windows := least(windows OPERATOR(pg_catalog.*) 2, 512);
		END IF;
	END LOOP;
END
$$;

COMMENT ON PROCEDURE mlmeta.check_monitor_windows(text, timestamptz, text) IS
	'checks a monitor as check_monitor() does, a few windows at a time, and commits after each time: what is cut off keeps what is done; outcome: as check_quietly() returns it';

CREATE PROCEDURE mlmeta.run_due(monitor text DEFAULT NULL)
LANGUAGE plpgsql
AS $$
DECLARE
	due text[];
	one text;
	outcome text;
BEGIN
	IF monitor IS NOT NULL THEN
		PERFORM mlmeta_internal.find_monitor(monitor);
	END IF;
	due := ARRAY(
		SELECT d.monitor FROM mlmeta.due_monitors() AS d
		WHERE run_due.monitor IS NULL
			OR d.monitor OPERATOR(pg_catalog.=) run_due.monitor);
	FOREACH one IN ARRAY due LOOP
		CALL mlmeta.check_monitor_windows(one, pg_catalog.now(), outcome);
		-- The time that the call may take is over: the next one begins with those
		-- that waited longest.
		EXIT WHEN outcome OPERATOR(pg_catalog.=) 'cut off';
	END LOOP;
END
$$;

COMMENT ON PROCEDURE mlmeta.run_due(text) IS
	'checks the monitors of the current user that are due, or one of them, those that waited longest first, and commits as it goes: what cron calls';

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

CREATE FUNCTION mlmeta_internal.reschedule_monitor(
	monitor mlmeta_internal.monitors,
	renamed mlmeta_internal.monitors
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	job bigint;
BEGIN
	IF to_regclass('cron.job') IS NOT NULL THEN
		job := mlmeta_internal.scheduled_job(monitor.name);
		IF job IS NOT NULL THEN
			PERFORM mlmeta_internal.run_command(format('SELECT cron.unschedule(%s::bigint)', job));
		END IF;
		PERFORM mlmeta_internal.schedule_monitor(renamed.name, monitor.schedule);
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.reschedule_monitor(mlmeta_internal.monitors, mlmeta_internal.monitors) IS
	'the job of pg_cron goes along with a monitor''s new name';

-- Retention ------------------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.roll_up_windows(monitor mlmeta_internal.monitors) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	until timestamp;
	merged bigint;
BEGIN
	IF monitor.roll_up_after IS NULL OR monitor.roll_up_to <= monitor.granularity THEN
		RETURN 0;
	END IF;
	-- What trailing baselines still compare with stays as it is.
	SELECT mlmeta.window_start(least(max(w.window_end) - monitor.roll_up_after,
			max(w.window_end) - b.trailing_windows * monitor.granularity)
		AT TIME ZONE monitor.time_zone, monitor.roll_up_to) INTO until
	FROM mlmeta.monitor_windows AS w
		LEFT JOIN LATERAL (SELECT x.trailing_windows FROM mlmeta.monitor_baselines AS x
			WHERE x.monitor = monitor.id ORDER BY x.id DESC LIMIT 1) AS b ON true
	WHERE w.monitor = roll_up_windows.monitor.id
	GROUP BY b.trailing_windows;
	IF until IS NULL THEN
		RETURN 0;
	END IF;
	WITH fine AS (
		DELETE FROM mlmeta.monitor_windows AS w
		WHERE w.monitor = roll_up_windows.monitor.id AND w.merged_windows = 1
			AND w.window_end <= until AT TIME ZONE roll_up_windows.monitor.time_zone
		RETURNING w.*
	), rolled AS (
		INSERT INTO mlmeta.monitor_windows (monitor, segment, window_start,
			window_end, baseline, row_count, labelled, invalid, season, profile, quality, errors,
			classes, estimated_roc_auc, estimated_accuracy, checked_at, merged_windows)
		SELECT f.monitor, f.segment, min(f.window_start), max(f.window_end),
			f.baseline, sum(f.row_count), sum(f.labelled), sum(f.invalid), '', mlmeta.merge(f.profile),
			mlmeta.merge(f.quality), mlmeta.merge(f.errors), mlmeta.merge(f.classes),
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
BEGIN
	PERFORM mlmeta_internal.roll_up_windows(m);
	IF m.keep IS NULL THEN
		RETURN 0;
	END IF;
	-- The newest window stays: it says from where to go on.
	SELECT least(max(w.window_start), max(w.window_end) - m.keep) INTO oldest
	FROM mlmeta.monitor_windows AS w WHERE w.monitor = m.id;
	IF oldest IS NULL THEN
		RETURN 0;
	END IF;
	PERFORM mlmeta_internal.remove_alerts(m.id, oldest);
	DELETE FROM mlmeta.monitor_alarms AS x
	WHERE x.monitor = m.id AND x.window_start < oldest;
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
