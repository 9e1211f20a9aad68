-- What people and dashboards look at: plain columns of native types.

CREATE VIEW mlmeta.drift_latest WITH (security_invoker = true) AS
SELECT h.monitor, h.window_start, h.window_end, h.segment, h.feature, h.measure,
	h.statistic, h.statistic_low, h.statistic_high, h.p_value, h.adjusted_p,
	h.tolerance, h.detectable, h.n_reference, h.n_current, h.verdict, h.reason,
	h.is_primary, h.position
FROM mlmeta.drift_history AS h
WHERE h.window_start = (
	SELECT max(r.window_start)
	FROM mlmeta.monitor_results AS r
		JOIN mlmeta_internal.monitors AS m ON m.id = r.monitor
	WHERE m.name = h.monitor);

COMMENT ON VIEW mlmeta.drift_latest IS
	'the results of the latest window of each monitor';
COMMENT ON COLUMN mlmeta.drift_latest.monitor IS 'name of the monitor';
COMMENT ON COLUMN mlmeta.drift_latest.window_start IS 'begin of the window';
COMMENT ON COLUMN mlmeta.drift_latest.window_end IS 'end of the window, which is no part of it';
COMMENT ON COLUMN mlmeta.drift_latest.segment IS 'the segment; empty: all rows';
COMMENT ON COLUMN mlmeta.drift_latest.feature IS 'the feature';
COMMENT ON COLUMN mlmeta.drift_latest.measure IS 'the measure';
COMMENT ON COLUMN mlmeta.drift_latest.statistic IS 'value of the measure';
COMMENT ON COLUMN mlmeta.drift_latest.statistic_low IS 'lower bound of the value';
COMMENT ON COLUMN mlmeta.drift_latest.statistic_high IS 'upper bound of the value';
COMMENT ON COLUMN mlmeta.drift_latest.p_value IS 'p-value of the test, where the measure is one';
COMMENT ON COLUMN mlmeta.drift_latest.adjusted_p IS 'p-value adjusted for the number of features';
COMMENT ON COLUMN mlmeta.drift_latest.tolerance IS 'what is tolerated';
COMMENT ON COLUMN mlmeta.drift_latest.detectable IS 'the least change that so many rows can show';
COMMENT ON COLUMN mlmeta.drift_latest.n_reference IS 'rows of the baseline';
COMMENT ON COLUMN mlmeta.drift_latest.n_current IS 'rows of the window';
COMMENT ON COLUMN mlmeta.drift_latest.verdict IS 'drift, no drift, undecided, too little data, no data or reported';
COMMENT ON COLUMN mlmeta.drift_latest.reason IS 'the verdict as a sentence';
COMMENT ON COLUMN mlmeta.drift_latest.is_primary IS 'whether the feature is judged by this measure';
COMMENT ON COLUMN mlmeta.drift_latest.position IS 'place of the feature among those of the monitor';

CREATE VIEW mlmeta.quality_history WITH (security_invoker = true) AS
SELECT m.name AS monitor, w.window_start, w.window_end, w.segment, w.row_count,
	coalesce(mlmeta.n(w.quality), mlmeta.n(w.errors)) AS labelled,
	mlmeta.roc_auc(w.quality) AS roc_auc,
	w.estimated_roc_auc,
	e.statistic_high - e.statistic AS estimate_error,
	mlmeta.accuracy(w.quality) AS accuracy,
	w.estimated_accuracy,
	mlmeta.f1_score(w.quality) AS f1_score,
	mlmeta.brier_score(w.quality) AS brier_score,
	mlmeta.mae(w.errors) AS mae,
	mlmeta.rmse(w.errors) AS rmse,
	mlmeta.bias(w.errors) AS bias,
	CASE WHEN r.measure = 'roc_auc' THEN r.tolerance END AS lowest_usual,
	CASE WHEN r.measure = 'mae' THEN r.tolerance END AS highest_usual,
	r.verdict, r.reason
FROM mlmeta.monitor_windows AS w
	JOIN mlmeta_internal.monitors AS m ON m.id = w.monitor
	LEFT JOIN mlmeta.monitor_results AS r ON r.monitor = w.monitor
		AND r.window_start = w.window_start AND r.window_end = w.window_end
		AND r.segment = w.segment
		AND r.measure IN ('roc_auc', 'mae')
	LEFT JOIN mlmeta.monitor_results AS e ON e.monitor = w.monitor
		AND e.window_start = w.window_start AND e.window_end = w.window_end
		AND e.segment = w.segment
		AND e.measure = 'estimated_roc_auc'
WHERE w.quality IS NOT NULL OR w.errors IS NOT NULL
	OR w.estimated_roc_auc IS NOT NULL;

COMMENT ON VIEW mlmeta.quality_history IS
	'realised and estimated quality of the model, a row per checked window and segment';
COMMENT ON COLUMN mlmeta.quality_history.monitor IS 'name of the monitor';
COMMENT ON COLUMN mlmeta.quality_history.window_start IS 'begin of the window';
COMMENT ON COLUMN mlmeta.quality_history.window_end IS 'end of the window, which is no part of it';
COMMENT ON COLUMN mlmeta.quality_history.segment IS 'the segment; empty: all rows';
COMMENT ON COLUMN mlmeta.quality_history.row_count IS 'rows of the window';
COMMENT ON COLUMN mlmeta.quality_history.roc_auc IS 'area under the ROC curve';
COMMENT ON COLUMN mlmeta.quality_history.accuracy IS 'share of rows predicted right';
COMMENT ON COLUMN mlmeta.quality_history.estimated_accuracy IS 'accuracy as estimated from the scores alone';
COMMENT ON COLUMN mlmeta.quality_history.f1_score IS 'F1 score';
COMMENT ON COLUMN mlmeta.quality_history.brier_score IS 'Brier score';
COMMENT ON COLUMN mlmeta.quality_history.mae IS 'mean absolute error';
COMMENT ON COLUMN mlmeta.quality_history.rmse IS 'root of the mean squared error';
COMMENT ON COLUMN mlmeta.quality_history.bias IS 'mean error, predicted minus actual';
COMMENT ON COLUMN mlmeta.quality_history.verdict IS 'verdict on the quality';
COMMENT ON COLUMN mlmeta.quality_history.reason IS 'the verdict as a sentence';
COMMENT ON COLUMN mlmeta.quality_history.labelled IS
	'rows with a label';
COMMENT ON COLUMN mlmeta.quality_history.estimated_roc_auc IS
	'what the calibrated scores promise, without labels';
COMMENT ON COLUMN mlmeta.quality_history.estimate_error IS
	'by how much estimates were off on average in the windows before';
COMMENT ON COLUMN mlmeta.quality_history.lowest_usual IS
	'the ROC AUC below which the verdict is drift';
COMMENT ON COLUMN mlmeta.quality_history.highest_usual IS
	'the mean absolute error above which the verdict is drift';

CREATE VIEW mlmeta.missing_history WITH (security_invoker = true) AS
SELECT m.name AS monitor, w.window_start, w.window_end, w.segment,
	c.feature, c.kind, w.row_count, c.null_count, c.nan_count,
	(c.null_count + c.nan_count)::float8
		/ nullif(c.n + c.null_count + c.nan_count, 0) AS missing_share,
	r.statistic AS change, r.verdict, r.reason, c.status
FROM mlmeta.monitor_windows AS w
	JOIN mlmeta_internal.monitors AS m ON m.id = w.monitor
	CROSS JOIN LATERAL mlmeta.columns(w.profile) AS c
	LEFT JOIN mlmeta.monitor_results AS r ON r.monitor = w.monitor
		AND r.window_start = w.window_start AND r.window_end = w.window_end
		AND r.segment = w.segment
		AND r.feature = c.feature AND r.measure = 'missing_share';

COMMENT ON VIEW mlmeta.missing_history IS
	'missing values, a row per checked window, segment and feature';
COMMENT ON COLUMN mlmeta.missing_history.monitor IS 'name of the monitor';
COMMENT ON COLUMN mlmeta.missing_history.window_start IS 'begin of the window';
COMMENT ON COLUMN mlmeta.missing_history.window_end IS 'end of the window, which is no part of it';
COMMENT ON COLUMN mlmeta.missing_history.segment IS 'the segment; empty: all rows';
COMMENT ON COLUMN mlmeta.missing_history.feature IS 'the feature';
COMMENT ON COLUMN mlmeta.missing_history.kind IS 'kind of summary that the feature has';
COMMENT ON COLUMN mlmeta.missing_history.row_count IS 'rows of the window';
COMMENT ON COLUMN mlmeta.missing_history.null_count IS 'rows that are NULL';
COMMENT ON COLUMN mlmeta.missing_history.nan_count IS 'rows that are NaN';
COMMENT ON COLUMN mlmeta.missing_history.verdict IS 'verdict on the share of missing values';
COMMENT ON COLUMN mlmeta.missing_history.reason IS 'the verdict as a sentence';
COMMENT ON COLUMN mlmeta.missing_history.status IS 'what is odd about the feature in this window; NULL: nothing';
COMMENT ON COLUMN mlmeta.missing_history.missing_share IS
	'share of the rows in which the feature is NULL or NaN';
COMMENT ON COLUMN mlmeta.missing_history.change IS
	'that share less the baseline''s';

CREATE VIEW mlmeta.alert_open WITH (security_invoker = true) AS
SELECT a.id AS alert, m.name AS monitor, a.segment, a.feature, a.measure,
	a.state, a.first_window, a.last_window, a.windows, a.worst_statistic,
	a.reason, a.opened_at, a.severity, a.owner, a.snoozed_until, a.changed_at
FROM mlmeta.alerts AS a
	JOIN mlmeta_internal.monitors AS m ON m.id = a.monitor
WHERE a.state <> 'resolved';

COMMENT ON VIEW mlmeta.alert_open IS
	'alerts that are not resolved';
COMMENT ON COLUMN mlmeta.alert_open.alert IS 'number of the alert';
COMMENT ON COLUMN mlmeta.alert_open.monitor IS 'name of the monitor';
COMMENT ON COLUMN mlmeta.alert_open.segment IS 'the segment; empty: all rows';
COMMENT ON COLUMN mlmeta.alert_open.feature IS 'the feature';
COMMENT ON COLUMN mlmeta.alert_open.measure IS 'the measure';
COMMENT ON COLUMN mlmeta.alert_open.state IS 'open, acknowledged, snoozed or resolved';
COMMENT ON COLUMN mlmeta.alert_open.first_window IS 'begin of the window that opened it';
COMMENT ON COLUMN mlmeta.alert_open.last_window IS 'begin of the last window that confirmed it';
COMMENT ON COLUMN mlmeta.alert_open.windows IS 'windows that confirmed it';
COMMENT ON COLUMN mlmeta.alert_open.worst_statistic IS 'the worst value so far';
COMMENT ON COLUMN mlmeta.alert_open.reason IS 'why it is open, as a sentence';
COMMENT ON COLUMN mlmeta.alert_open.opened_at IS 'when it was opened';
COMMENT ON COLUMN mlmeta.alert_open.severity IS 'how grave it is';
COMMENT ON COLUMN mlmeta.alert_open.owner IS 'who takes care of it; NULL: nobody yet';
COMMENT ON COLUMN mlmeta.alert_open.snoozed_until IS 'until when it is silent; NULL: it is not';
COMMENT ON COLUMN mlmeta.alert_open.changed_at IS 'when it was changed last';

CREATE VIEW mlmeta.alert_history WITH (security_invoker = true) AS
SELECT e.id AS event, a.id AS alert, m.name AS monitor, a.segment, a.feature,
	a.measure, e.state, e.severity, e.window_start, e.comment, e.at, e.user_name
FROM mlmeta.alert_events AS e
	JOIN mlmeta.alerts AS a ON a.id = e.alert
	JOIN mlmeta_internal.monitors AS m ON m.id = a.monitor;

COMMENT ON VIEW mlmeta.alert_history IS
	'what happened to alerts, a row per change';
COMMENT ON COLUMN mlmeta.alert_history.event IS 'number of the event';
COMMENT ON COLUMN mlmeta.alert_history.alert IS 'number of the alert';
COMMENT ON COLUMN mlmeta.alert_history.monitor IS 'name of the monitor';
COMMENT ON COLUMN mlmeta.alert_history.segment IS 'the segment; empty: all rows';
COMMENT ON COLUMN mlmeta.alert_history.feature IS 'the feature';
COMMENT ON COLUMN mlmeta.alert_history.measure IS 'the measure';
COMMENT ON COLUMN mlmeta.alert_history.state IS 'open, acknowledged, snoozed or resolved';
COMMENT ON COLUMN mlmeta.alert_history.severity IS 'how grave it is';
COMMENT ON COLUMN mlmeta.alert_history.window_start IS 'begin of the window';
COMMENT ON COLUMN mlmeta.alert_history.comment IS 'what was said about it';
COMMENT ON COLUMN mlmeta.alert_history.at IS 'when';
COMMENT ON COLUMN mlmeta.alert_history.user_name IS 'the user, as the server knows it';

CREATE FUNCTION mlmeta_internal.take_alerts(reader text, n integer DEFAULT 100)
RETURNS SETOF mlmeta.alert_history
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	taker bigint := mlmeta_internal.principal(mlmeta_internal.caller());
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.check_name('reader', reader);
	IF NOT coalesce(n > 0, false) THEN
		RAISE EXCEPTION 'reader "%" cannot take % alerts', reader,
				coalesce(n::text, 'NULL')
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	-- Another worker of this reader has them in hand.
	IF NOT pg_try_advisory_xact_lock(
			hashtextextended('mlmeta.alert_deliveries ' || mlmeta_internal.caller(), hashtext(reader))) THEN
		RETURN;
	END IF;
	RETURN QUERY
	WITH taken AS (
		INSERT INTO mlmeta.alert_deliveries (owner_id, reader, event)
		SELECT taker, take_alerts.reader, f.id
		FROM (
			-- Locked, so that nobody removes them with their events meanwhile.
			SELECT e.id
			FROM mlmeta.alert_events AS e
				JOIN mlmeta.alerts AS a ON a.id = e.alert
				JOIN mlmeta_internal.monitors AS m ON m.id = a.monitor
			WHERE mlmeta_internal.sees_monitor(m) AND NOT EXISTS (
				SELECT FROM mlmeta.alert_deliveries AS d
				WHERE d.owner_id = taker AND d.reader = take_alerts.reader
					AND d.event = e.id)
			ORDER BY e.id
			LIMIT n
			FOR KEY SHARE OF a, m
		) AS f
		RETURNING event
	)
	SELECT h.* FROM mlmeta.alert_history AS h
		JOIN taken AS t ON t.event = h.event
	ORDER BY h.event;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.take_alerts(text, integer) IS
	'changes of alerts that this reader of the current role has not had: none is missed, whatever the order in which they commit; taken when the transaction commits, and offered again when it does not';

CREATE VIEW mlmeta.feature_health WITH (security_invoker = true) AS
SELECT m.name AS monitor, f.name AS feature, f.n AS position,
	l.window_start AS last_window, l.verdict, l.measure, l.statistic, l.reason,
	x.missing_share,
	h.windows, h.drifted, h.drifted::float8 / nullif(h.windows, 0) AS drift_share,
	h.largest, (
		SELECT pg_catalog.count(*) FROM mlmeta.alerts AS a
		WHERE a.monitor = m.id AND a.feature = f.name AND a.state <> 'resolved'
	) AS open_alerts
FROM mlmeta_internal.monitors AS m,
	LATERAL pg_catalog.unnest(m.features) WITH ORDINALITY AS f (name, n)
	LEFT JOIN LATERAL (
		SELECT r.window_start, r.verdict, r.measure, r.statistic, r.reason
		FROM mlmeta.monitor_results AS r
		WHERE r.monitor = m.id AND r.feature = f.name AND r.segment = ''
			AND r.measure IN ('ks', 'chi2', 'rows')
		ORDER BY r.window_start DESC LIMIT 1
	) AS l ON true
	LEFT JOIN LATERAL (
		SELECT (c.null_count + c.nan_count)::float8
			/ nullif(c.n + c.null_count + c.nan_count, 0) AS missing_share
		FROM mlmeta.monitor_windows AS w, mlmeta.columns(w.profile) AS c
		WHERE w.monitor = m.id AND w.segment = ''
			AND w.window_start = l.window_start AND c.feature = f.name
		LIMIT 1
	) AS x ON true
	LEFT JOIN LATERAL (
		SELECT pg_catalog.count(*) AS windows,
			pg_catalog.count(*) FILTER (WHERE r.verdict = 'drift') AS drifted,
			pg_catalog.max(r.statistic) FILTER (WHERE r.measure = 'ks') AS largest
		FROM mlmeta.monitor_results AS r
		WHERE r.monitor = m.id AND r.feature = f.name AND r.segment = ''
			AND r.measure IN ('ks', 'chi2')
	) AS h ON true;

COMMENT ON VIEW mlmeta.feature_health IS
	'how each feature of each monitor does: its latest verdict, how often it drifted, what is missing, which alerts are open';
COMMENT ON COLUMN mlmeta.feature_health.monitor IS 'name of the monitor';
COMMENT ON COLUMN mlmeta.feature_health.feature IS 'the feature';
COMMENT ON COLUMN mlmeta.feature_health.position IS 'place of the feature among those of the monitor';
COMMENT ON COLUMN mlmeta.feature_health.last_window IS 'begin of the last window judged';
COMMENT ON COLUMN mlmeta.feature_health.verdict IS 'the last verdict';
COMMENT ON COLUMN mlmeta.feature_health.statistic IS 'the last value';
COMMENT ON COLUMN mlmeta.feature_health.reason IS 'the last verdict as a sentence';
COMMENT ON COLUMN mlmeta.feature_health.windows IS 'windows judged';
COMMENT ON COLUMN mlmeta.feature_health.drifted IS 'windows with drift';
COMMENT ON COLUMN mlmeta.feature_health.drift_share IS 'share of windows with drift';
COMMENT ON COLUMN mlmeta.feature_health.open_alerts IS 'alerts that are not resolved';
COMMENT ON COLUMN mlmeta.feature_health.measure IS
	'the primary measure of the feature';
COMMENT ON COLUMN mlmeta.feature_health.missing_share IS
	'in the latest window';
COMMENT ON COLUMN mlmeta.feature_health.largest IS
	'the largest Kolmogorov distance of any window';
