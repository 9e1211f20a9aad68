-- Alerts: what people are told, once, and what they did about it.
--
-- A monitor, segment, feature and measure has at most one alert that is not
-- resolved. Every change of an alert is a row of alert_events, written with the
-- change and announced by NOTIFY mlmeta_alert with the alert's number, all in one
-- transaction: an alert commits with its evidence or not at all.
--
-- Who passes them on reads with take_alerts(), which remembers what each reader
-- has had. Numbers do not tell: of two checks that run at once, the one that drew
-- the lower number may commit last.

CREATE TABLE mlmeta.alerts (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	monitor bigint NOT NULL,
	segment text NOT NULL DEFAULT '',
	feature text NOT NULL,
	measure text NOT NULL,
	state text NOT NULL DEFAULT 'open' CHECK (state IN
		('open', 'acknowledged', 'snoozed', 'resolved', 'reopened')),
	severity text NOT NULL DEFAULT 'warning' CHECK (severity IN
		('info', 'warning', 'critical')),
	owner text NOT NULL,
	first_window timestamptz NOT NULL,
	last_window timestamptz NOT NULL,
	windows bigint NOT NULL DEFAULT 1,
	worst_statistic float8,
	reason text NOT NULL,
	snoozed_until timestamptz,
	opened_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	changed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);

CREATE UNIQUE INDEX alerts_one_open ON mlmeta.alerts
	(monitor, segment, feature, measure) WHERE state <> 'resolved';
CREATE INDEX alerts_monitor ON mlmeta.alerts
	(monitor, segment, feature, measure, last_window);

COMMENT ON TABLE mlmeta.alerts IS
	'alerts, at most one that is not resolved per monitor, segment, feature and measure';
COMMENT ON COLUMN mlmeta.alerts.owner IS
	'who is asked to act: the monitor''s owner, until it is changed';
COMMENT ON COLUMN mlmeta.alerts.windows IS
	'windows since the first that showed it';
COMMENT ON COLUMN mlmeta.alerts.worst_statistic IS
	'the most extreme statistic of these';
COMMENT ON COLUMN mlmeta.alerts.reason IS
	'the reason of the latest window';

CREATE TABLE mlmeta.alert_events (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	alert bigint NOT NULL,
	state text NOT NULL,
	severity text NOT NULL,
	window_start timestamptz,
	comment text,
	at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	user_name text NOT NULL DEFAULT mlmeta_internal.actor()
);

CREATE INDEX alert_events_alert ON mlmeta.alert_events (alert, id);

COMMENT ON TABLE mlmeta.alert_events IS
	'what happened to alerts, append-only; those of one alert are committed in order of id, those of several are not: see take_alerts()';
COMMENT ON COLUMN mlmeta.alert_events.state IS
	'the alert''s state from then on';
COMMENT ON COLUMN mlmeta.alert_events.window_start IS
	'the window that caused it; NULL: a person did';

CREATE TRIGGER guard_alert_events
	BEFORE UPDATE OR DELETE OR TRUNCATE ON mlmeta.alert_events
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta_internal.guard_append_only();

CREATE TABLE mlmeta.alert_deliveries (
	owner_id bigint NOT NULL
		DEFAULT mlmeta_internal.principal(mlmeta_internal.caller()),
	reader text NOT NULL CHECK (mlmeta_internal.is_name(reader)),
	event bigint NOT NULL,
	delivered_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (owner_id, reader, event)
);

CREATE INDEX alert_deliveries_event ON mlmeta.alert_deliveries (event);

COMMENT ON TABLE mlmeta.alert_deliveries IS
	'which changes of alerts a reader has taken, see take_alerts()';
COMMENT ON COLUMN mlmeta.alert_deliveries.owner_id IS
	'the role whose reader it is, whatever it is called now';
COMMENT ON COLUMN mlmeta.alert_deliveries.reader IS
	'a name of the role''s own: pager, mail';

CREATE FUNCTION mlmeta_internal.alert_severity(
	monitor bigint,
	result mlmeta.monitor_results
) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(
	(mlmeta_internal.rule_of(monitor, (result).feature, (result).measure, (result).segment)).severity,
	CASE
		WHEN (result).measure = ANY (ARRAY['check', 'freshness', 'roc_auc', 'mae'])
			OR (result).verdict = 'no data' THEN 'critical'
		WHEN (result).bound_low > 4 * greatest((result).tolerance, 0.02) THEN 'critical'
		WHEN (result).bound_low <= 1.5 * (result).tolerance THEN 'info'
		ELSE 'warning'
	END);

COMMENT ON FUNCTION mlmeta_internal.alert_severity(bigint, mlmeta.monitor_results) IS
	'severity by the rules of the monitor, or from the effect: surely above four tolerances is critical, below one and a half info; fallen quality and missing data are critical';

CREATE FUNCTION mlmeta_internal.change_alert(
	alert bigint,
	state text,
	severity text,
	window_start timestamptz,
	comment text
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE mlmeta.alerts AS a
	SET state = change_alert.state,
		severity = change_alert.severity,
		snoozed_until = CASE WHEN change_alert.state = 'snoozed' THEN a.snoozed_until END,
		changed_at = clock_timestamp()
	WHERE a.id = alert;
	INSERT INTO mlmeta.alert_events (alert, state, severity, window_start, comment)
	VALUES (change_alert.alert, change_alert.state, change_alert.severity,
		change_alert.window_start, change_alert.comment);
	PERFORM pg_notify('mlmeta_alert', alert::text);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.change_alert(bigint, text, text, timestamptz, text) IS
	'gives an alert a state, records that and announces it';

CREATE FUNCTION mlmeta_internal.is_alarming(result mlmeta.monitor_results) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (result).verdict = 'drift' OR (result).verdict = 'no data'
	AND (result).measure = ANY (ARRAY['row_count', 'check']);

COMMENT ON FUNCTION mlmeta_internal.is_alarming(mlmeta.monitor_results) IS
	'whether a result can open an alert: drift, no rows at all, a check that failed';

CREATE FUNCTION mlmeta_internal.raise_alerts(
	monitor mlmeta_internal.monitors,
	window_start timestamptz
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	levels CONSTANT text[] := ARRAY['info', 'warning', 'critical'];
	r mlmeta.monitor_results;
	a mlmeta.alerts;
	level text;
	first timestamptz;
	alarming bigint;
	summary record;
BEGIN
	FOR r IN
		SELECT x.* FROM mlmeta.monitor_results AS x
		WHERE x.monitor = (raise_alerts.monitor).id
			AND x.window_start = raise_alerts.window_start
			AND mlmeta_internal.is_alarming(x)
			AND NOT (mlmeta_internal.rule_of(x.monitor, x.feature, x.measure, x.segment)).is_muted
		ORDER BY x.segment, x.feature, x.measure
	LOOP
		-- A delay filter: k of the last n windows.
		SELECT count(*), min(x.window_start) INTO alarming, first
		FROM mlmeta.monitor_results AS x
		WHERE x.monitor = r.monitor AND x.segment = r.segment
			AND x.feature = r.feature AND x.measure = r.measure
			AND mlmeta_internal.is_alarming(x)
			AND x.window_start IN (
				SELECT w.window_start FROM mlmeta.monitor_windows AS w
				WHERE w.monitor = r.monitor AND w.segment = ''
					AND w.window_start <= r.window_start
				ORDER BY w.window_start DESC LIMIT monitor.alert_n);
		IF alarming < monitor.alert_k AND r.measure NOT IN ('check', 'freshness', 'future_rows') THEN
			CONTINUE;
		END IF;
		level := mlmeta_internal.alert_severity(r.monitor, r);

		SELECT x.* INTO a FROM mlmeta.alerts AS x
		WHERE x.monitor = r.monitor AND x.segment = r.segment
			AND x.feature = r.feature AND x.measure = r.measure
		ORDER BY x.state = 'resolved', x.id DESC LIMIT 1
		FOR UPDATE;
		IF a.state = 'resolved' THEN
			-- What was resolved stays so for the windows it was resolved with,
			-- and for the cool-down; then the same trouble is the same alert.
			CONTINUE WHEN r.window_start <= a.last_window
					AND r.measure NOT IN ('check', 'freshness', 'future_rows')
				OR clock_timestamp() < a.changed_at + monitor.cool_down;
			IF r.window_start > a.last_window + 7 * monitor.granularity THEN
				a := NULL;
			ELSE
				PERFORM mlmeta_internal.change_alert(a.id, 'reopened', level, r.window_start, r.reason);
			END IF;
		ELSIF a.state = 'snoozed' AND a.snoozed_until <= clock_timestamp() THEN
			PERFORM mlmeta_internal.change_alert(a.id, 'reopened', level, r.window_start,
				'the snooze has ended');
		ELSIF array_position(levels, level) > array_position(levels, a.severity) THEN
			PERFORM mlmeta_internal.change_alert(a.id, a.state, level, r.window_start, r.reason);
		END IF;
		IF a.id IS NULL THEN
			INSERT INTO mlmeta.alerts (monitor, segment, feature, measure, severity,
				owner, first_window, last_window, reason)
			VALUES (r.monitor, r.segment, r.feature, r.measure, level,
				monitor.owner, coalesce(first, r.window_start), r.window_start, r.reason)
			RETURNING * INTO a;
			PERFORM mlmeta_internal.change_alert(a.id, 'open', level, r.window_start, r.reason);
		END IF;

		-- Counted anew, so that a window judged again counts once.
		SELECT count(*) AS windows,
			CASE WHEN r.measure = 'roc_auc' THEN min(x.statistic)
				WHEN r.measure = 'row_count' THEN r.statistic
				WHEN max(x.statistic) >= -min(x.statistic) THEN max(x.statistic)
				ELSE min(x.statistic) END AS worst
		INTO summary
		FROM mlmeta.monitor_results AS x
		WHERE x.monitor = r.monitor AND x.segment = r.segment
			AND x.feature = r.feature AND x.measure = r.measure
			AND x.window_start >= least(a.first_window, r.window_start)
			AND mlmeta_internal.is_alarming(x);
		UPDATE mlmeta.alerts AS x
		SET first_window = least(x.first_window, r.window_start),
			last_window = greatest(x.last_window, r.window_start),
			windows = summary.windows,
			worst_statistic = summary.worst,
			reason = CASE WHEN r.window_start >= x.last_window THEN r.reason ELSE x.reason END
		WHERE x.id = a.id;
	END LOOP;

	-- What mends itself: trouble with the source at once, drift after as many
	-- quiet windows as the monitor says.
	FOR a IN
		SELECT x.* FROM mlmeta.alerts AS x
		WHERE x.monitor = (raise_alerts.monitor).id AND x.state <> 'resolved'
			AND x.last_window < raise_alerts.window_start
			AND (x.measure IN ('check', 'freshness', 'future_rows', 'row_count')
				OR monitor.resolve_after IS NOT NULL)
			AND (SELECT count(*) >= CASE WHEN x.measure IN
					('check', 'freshness', 'future_rows', 'row_count')
					THEN 1 ELSE monitor.resolve_after END
				FROM mlmeta.monitor_windows AS w
				WHERE w.monitor = x.monitor AND w.segment = ''
					AND w.window_start > x.last_window
					AND w.window_start <= raise_alerts.window_start)
		FOR UPDATE
	LOOP
		PERFORM mlmeta_internal.change_alert(a.id, 'resolved', a.severity,
			raise_alerts.window_start, 'quiet since');
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.raise_alerts(mlmeta_internal.monitors, timestamptz) IS
	'opens an alert for each drift of a window, adds the window to the alert there is, or reopens it; resolves what has ended';

-- What people do ----------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.handles_monitor(monitor mlmeta_internal.monitors)
RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(mlmeta_internal.acts_for((monitor).owner_id), false)
	OR CASE WHEN (monitor).project IS NOT NULL
			THEN mlmeta_internal.permits_project('writer', (monitor).project)
		ELSE (monitor).model IS NOT NULL
			AND mlmeta_internal.permits_reference('writer', (monitor).model) END;

COMMENT ON FUNCTION mlmeta_internal.handles_monitor(mlmeta_internal.monitors) IS
	'whether the caller may do something about alerts of a monitor: it is his, or he may write in its project or that of its model';

CREATE FUNCTION mlmeta_internal.lock_alert(alert bigint) RETURNS mlmeta.alerts
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_one mlmeta.alerts;
	m mlmeta_internal.monitors;
BEGIN
	PERFORM mlmeta_internal.check_writable();
	SELECT * INTO found_one FROM mlmeta.alerts AS a WHERE a.id = alert FOR UPDATE;
	SELECT * INTO m FROM mlmeta_internal.monitors AS x WHERE x.id = found_one.monitor;
	IF found_one.id IS NULL OR NOT mlmeta_internal.sees_monitor(m) THEN
		RAISE EXCEPTION 'alert % does not exist', coalesce(alert::text, 'NULL')
			USING ERRCODE = 'undefined_object',
				HINT = 'The view mlmeta.alert_open lists those that are open.';
	ELSIF NOT mlmeta_internal.handles_monitor(m) THEN
		RAISE EXCEPTION 'role "%" does not handle alerts of monitor "%"',
				mlmeta_internal.caller(), m.name
			USING ERRCODE = 'insufficient_privilege',
				HINT = CASE WHEN m.project IS NOT NULL OR m.model IS NOT NULL
					THEN 'Writers of its project do.'
					ELSE format('Its owner does, role "%s": it belongs to no project.', m.owner) END;
	END IF;
	RETURN found_one;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.lock_alert(bigint) IS
	'the alert, locked until the end of the transaction; raises an error unless the caller handles alerts of its monitor';

CREATE FUNCTION mlmeta_internal.acknowledge(alert bigint, comment text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	a mlmeta.alerts := mlmeta_internal.lock_alert(alert);
BEGIN
	IF a.state = 'resolved' THEN
		RAISE EXCEPTION 'alert % is resolved', alert
			USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	PERFORM mlmeta_internal.change_alert(a.id, 'acknowledged', a.severity, NULL, comment);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.acknowledge(bigint, text) IS
	'somebody looks after the alert: it stays, and no longer asks for attention';

CREATE FUNCTION mlmeta_internal.snooze(
	alert bigint,
	until timestamptz,
	comment text DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	a mlmeta.alerts := mlmeta_internal.lock_alert(alert);
BEGIN
	IF a.state = 'resolved' THEN
		RAISE EXCEPTION 'alert % is resolved', alert
			USING ERRCODE = 'object_not_in_prerequisite_state';
	ELSIF NOT coalesce(until > clock_timestamp(), false) THEN
		RAISE EXCEPTION 'alert % cannot be snoozed until %', alert,
				coalesce(until::text, 'NULL')
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Give a time in the future.';
	END IF;
	UPDATE mlmeta.alerts AS x SET snoozed_until = until WHERE x.id = a.id;
	PERFORM mlmeta_internal.change_alert(a.id, 'snoozed', a.severity, NULL, comment);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.snooze(bigint, timestamptz, text) IS
	'silence until a time; the first window after it that shows the same reopens the alert';

CREATE FUNCTION mlmeta_internal.resolve(alert bigint, comment text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	a mlmeta.alerts := mlmeta_internal.lock_alert(alert);
BEGIN
	IF a.state <> 'resolved' THEN
		PERFORM mlmeta_internal.change_alert(a.id, 'resolved', a.severity, NULL, comment);
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.resolve(bigint, text) IS
	'the trouble is over; within seven windows the same trouble reopens the alert, later it is a new one';

CREATE FUNCTION mlmeta_internal.assign_alert(alert bigint, owner text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	a mlmeta.alerts := mlmeta_internal.lock_alert(alert);
BEGIN
	UPDATE mlmeta.alerts AS x SET owner = assign_alert.owner WHERE x.id = a.id;
	PERFORM mlmeta_internal.change_alert(a.id, a.state, a.severity, NULL,
		format('assigned to %s', owner));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.assign_alert(bigint, text) IS
	'makes somebody the owner of an alert';
