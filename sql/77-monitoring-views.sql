-- What people and dashboards look at: plain columns of native types.

-- With the owner as he is called now.
CREATE VIEW mlmeta.monitors WITH (security_invoker = true) AS
SELECT m.id, m.name, m.source, m.relation, m.query, m.time_column, m.time_type,
	m.granularity, m.time_zone, m.features, m.all_features, m.label_column,
	m.score_column, m.prediction_column, m.key_columns, m.threshold,
	m.segment_sets, m.tolerance, m.q, m.correction, m.alpha, m.look_back,
	m.label_delay, m.label_coverage, m.freshness, m.alert_k, m.alert_n,
	m.resolve_after, m.cool_down, m.keep, m.roll_up_after, m.roll_up_to,
	m.schedule, m.is_enabled, m.model, m.project,
	mlmeta_internal.principal_name(m.owner_id) AS owner, m.created_at,
	m.false_alarms, m.categorical, m.probability_columns, m.task,
	m.reference_segment, m.tried_at
FROM mlmeta_internal.monitors AS m;

COMMENT ON VIEW mlmeta.monitors IS
	'what is watched and how; alter_monitor() changes it';
COMMENT ON COLUMN mlmeta.monitors.id IS 'its number';
COMMENT ON COLUMN mlmeta.monitors.name IS 'its name';
COMMENT ON COLUMN mlmeta.monitors.source IS 'table or query that it watches, as given';
COMMENT ON COLUMN mlmeta.monitors.relation IS 'the table, where the source is one';
COMMENT ON COLUMN mlmeta.monitors.query IS 'the query that is run';
COMMENT ON COLUMN mlmeta.monitors.time_column IS 'column by which rows fall into windows';
COMMENT ON COLUMN mlmeta.monitors.time_type IS 'type of that column';
COMMENT ON COLUMN mlmeta.monitors.granularity IS 'length of a window';
COMMENT ON COLUMN mlmeta.monitors.time_zone IS 'zone in which windows of days and more begin';
COMMENT ON COLUMN mlmeta.monitors.features IS 'features that it watches';
COMMENT ON COLUMN mlmeta.monitors.all_features IS 'whether it watches all columns of the source';
COMMENT ON COLUMN mlmeta.monitors.label_column IS 'column with the true outcome';
COMMENT ON COLUMN mlmeta.monitors.score_column IS 'column with the predicted probability';
COMMENT ON COLUMN mlmeta.monitors.prediction_column IS 'column with the prediction';
COMMENT ON COLUMN mlmeta.monitors.key_columns IS 'columns that tell rows apart';
COMMENT ON COLUMN mlmeta.monitors.threshold IS 'score from which a row counts as positive';
COMMENT ON COLUMN mlmeta.monitors.segment_sets IS 'sets of columns by which rows are split';
COMMENT ON COLUMN mlmeta.monitors.tolerance IS 'what is tolerated unless a rule says otherwise';
COMMENT ON COLUMN mlmeta.monitors.q IS 'share of false alarms among alarms that is accepted';
COMMENT ON COLUMN mlmeta.monitors.correction IS
	'how p-values are adjusted for the number of features';
COMMENT ON COLUMN mlmeta.monitors.alpha IS 'level of single tests';
COMMENT ON COLUMN mlmeta.monitors.look_back IS 'how far back a check goes';
COMMENT ON COLUMN mlmeta.monitors.label_delay IS 'how long labels take to come';
COMMENT ON COLUMN mlmeta.monitors.label_coverage IS
	'share of rows with labels from which quality is judged';
COMMENT ON COLUMN mlmeta.monitors.freshness IS 'after how long without rows it is an alarm';
COMMENT ON COLUMN mlmeta.monitors.alert_k IS 'windows with drift that open an alert';
COMMENT ON COLUMN mlmeta.monitors.alert_n IS 'out of so many';
COMMENT ON COLUMN mlmeta.monitors.resolve_after IS 'quiet windows that resolve an alert';
COMMENT ON COLUMN mlmeta.monitors.cool_down IS
	'how long no alert is opened after one was resolved';
COMMENT ON COLUMN mlmeta.monitors.keep IS 'how long windows are kept';
COMMENT ON COLUMN mlmeta.monitors.roll_up_after IS 'after how long windows are put together';
COMMENT ON COLUMN mlmeta.monitors.roll_up_to IS 'into windows of that length';
COMMENT ON COLUMN mlmeta.monitors.schedule IS 'when it is checked, as cron has it';
COMMENT ON COLUMN mlmeta.monitors.is_enabled IS 'whether scheduled checks check it';
COMMENT ON COLUMN mlmeta.monitors.model IS 'the model that it is about, a reference';
COMMENT ON COLUMN mlmeta.monitors.project IS 'the project that it belongs to; NULL: by its model';
COMMENT ON COLUMN mlmeta.monitors.created_at IS 'when it was made';
COMMENT ON COLUMN mlmeta.monitors.false_alarms IS
	'so many windows a year may alarm though nothing drifted; NULL: q says it for a window';
COMMENT ON COLUMN mlmeta.monitors.categorical IS
	'features whose numbers are codes: judged as categories';
COMMENT ON COLUMN mlmeta.monitors.probability_columns IS
	'the model''s probabilities of the classes: a column each, or one array';
COMMENT ON COLUMN mlmeta.monitors.task IS
	'what label and prediction make: binary (label and score), regression (numbers), classes (values of any other type)';
COMMENT ON COLUMN mlmeta.monitors.reference_segment IS
	'the segment of the same window that all others are compared with, such as the model in use beside its challenger; NULL: the baseline';
COMMENT ON COLUMN mlmeta.monitors.tried_at IS
	'when a check of it began last: those that waited longest are checked first';
COMMENT ON COLUMN mlmeta.monitors.owner IS
	'the role with whose rights the source is read; NULL: it is no role any more';

-- An update of the view is what alter_monitor() does, with its checks.
CREATE FUNCTION mlmeta_internal.update_monitor() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	changed jsonb := (SELECT coalesce(jsonb_object_agg(n.key, n.value), '{}')
		FROM jsonb_each(to_jsonb(NEW)) AS n
		WHERE n.value IS DISTINCT FROM to_jsonb(OLD) -> n.key);
BEGIN
	PERFORM mlmeta_internal.alter_monitor(OLD.name, changed);
	RETURN NEW;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.update_monitor() IS
	'trigger function: an update of the view monitors changes what differs, as alter_monitor() does';

CREATE TRIGGER update_monitor
	INSTEAD OF UPDATE ON mlmeta.monitors
	FOR EACH ROW EXECUTE FUNCTION mlmeta_internal.update_monitor();

CREATE VIEW mlmeta.measures WITH (security_invoker = true) AS
SELECT m.name AS monitor, a.measure AS name, a.family, a.unit, a.direction, a.tolerance,
	a.judged, a.tasks, a.judged_for, a.severity, a.k_of_n, a.heals, a.explained, a.low,
	a.high, a.description, a.position
FROM mlmeta_internal.all_measures AS a
	LEFT JOIN mlmeta_internal.monitors AS m ON m.id = a.monitor
WHERE a.monitor IS NULL OR m.id IS NOT NULL;

COMMENT ON VIEW mlmeta.measures IS
	'what is measured and how it is judged: built in, and each monitor''s own';
COMMENT ON COLUMN mlmeta.measures.name IS 'its name';
COMMENT ON COLUMN mlmeta.measures.unit IS 'unit of its values';
COMMENT ON COLUMN mlmeta.measures.direction IS 'whether more, less or both is drift';
COMMENT ON COLUMN mlmeta.measures.tasks IS 'the tasks of models that have it';
COMMENT ON COLUMN mlmeta.measures.judged_for IS 'the tasks for which it is judged';
COMMENT ON COLUMN mlmeta.measures.severity IS 'how grave its alerts are';
COMMENT ON COLUMN mlmeta.measures.k_of_n IS 'whether several windows must drift before an alert opens';
COMMENT ON COLUMN mlmeta.measures.low IS 'what is least tolerated';
COMMENT ON COLUMN mlmeta.measures.high IS 'what is most tolerated';
COMMENT ON COLUMN mlmeta.measures.description IS 'what it says';
COMMENT ON COLUMN mlmeta.measures.position IS 'place among the measures';
COMMENT ON COLUMN mlmeta.measures.monitor IS
	'NULL: built in, of every monitor';
COMMENT ON COLUMN mlmeta.measures.family IS
	'measures that make one alert';
COMMENT ON COLUMN mlmeta.measures.tolerance IS
	'in its unit; NULL: that of the monitor';
COMMENT ON COLUMN mlmeta.measures.judged IS
	'test: p-value and effect; level: against the baseline''s windows; range: within what they had; cusum: summed up over windows; bounds: given; fact: whatever is there alarms; report: never';
COMMENT ON COLUMN mlmeta.measures.heals IS
	'its alerts resolve themselves as soon as it is over';
COMMENT ON COLUMN mlmeta.measures.explained IS
	'which rows explain_alert() gives';

CREATE VIEW mlmeta.monitor_features WITH (security_invoker = true) AS
SELECT m.name AS monitor, f.feature, coalesce(i.source_column, f.input) AS "column", f.kind,
	f.position, i.primary_measure, i.note
FROM mlmeta.monitor_feature_list AS f
	JOIN mlmeta_internal.monitors AS m ON m.id = f.monitor
	LEFT JOIN mlmeta.monitor_inputs AS i ON i.monitor = f.monitor AND i.name = f.input;

COMMENT ON VIEW mlmeta.monitor_features IS
	'the features of each monitor as the newest profile has them, the parts of arrays, ranges and documents one by one';
COMMENT ON COLUMN mlmeta.monitor_features.monitor IS 'name of the monitor';
COMMENT ON COLUMN mlmeta.monitor_features.feature IS 'the feature';
COMMENT ON COLUMN mlmeta.monitor_features.kind IS 'kind of summary that it has';
COMMENT ON COLUMN mlmeta.monitor_features.position IS 'place among the features of the monitor';
COMMENT ON COLUMN mlmeta.monitor_features.primary_measure IS
	'the measure by which it is judged; NULL: the usual one';
COMMENT ON COLUMN mlmeta.monitor_features."column" IS
	'of the source';
COMMENT ON COLUMN mlmeta.monitor_features.note IS
	'what is not watched of it';

CREATE VIEW mlmeta.windows WITH (security_invoker = true) AS
SELECT m.name AS monitor, w.window_start, w.window_end, g.label AS segment, w.row_count,
	w.labelled, w.invalid, nullif(w.season, '') AS season, w.baseline, w.profile, w.quality, w.errors,
	w.classes, w.estimated_roc_auc, w.estimated_accuracy, w.own, w.trouble, w.checked_at,
	w.merged_windows
FROM mlmeta.monitor_windows AS w
	JOIN mlmeta_internal.monitors AS m ON m.id = w.monitor
	JOIN mlmeta.segments AS g ON g.id = w.segment;

COMMENT ON VIEW mlmeta.windows IS
	'the checked windows of each monitor, a row per window and segment, with the summaries from which any comparison can be made again';
COMMENT ON COLUMN mlmeta.windows.monitor IS 'name of the monitor';
COMMENT ON COLUMN mlmeta.windows.window_start IS 'begin of the window';
COMMENT ON COLUMN mlmeta.windows.window_end IS 'end of the window, which is no part of it';
COMMENT ON COLUMN mlmeta.windows.segment IS 'the segment; empty: all rows';
COMMENT ON COLUMN mlmeta.windows.row_count IS 'rows of the window';
COMMENT ON COLUMN mlmeta.windows.labelled IS 'rows with a label';
COMMENT ON COLUMN mlmeta.windows.invalid IS 'values that could not be read, by input';
COMMENT ON COLUMN mlmeta.windows.season IS
	'the season that the window belongs to; NULL: there are none';
COMMENT ON COLUMN mlmeta.windows.baseline IS 'number of the baseline that it was compared with';
COMMENT ON COLUMN mlmeta.windows.profile IS 'summaries of the features';
COMMENT ON COLUMN mlmeta.windows.quality IS 'summary of scores and labels';
COMMENT ON COLUMN mlmeta.windows.errors IS 'summary of the errors of a regression';
COMMENT ON COLUMN mlmeta.windows.classes IS 'summary of the predicted and the true classes';
COMMENT ON COLUMN mlmeta.windows.estimated_roc_auc IS
	'area under the ROC curve as estimated from the scores alone';
COMMENT ON COLUMN mlmeta.windows.estimated_accuracy IS
	'accuracy as estimated from the scores alone';
COMMENT ON COLUMN mlmeta.windows.own IS 'measures of the monitor''s own, by name';
COMMENT ON COLUMN mlmeta.windows.trouble IS
	'of all rows: what could not be read, whose schema has changed, how many rows came late or are gone';
COMMENT ON COLUMN mlmeta.windows.checked_at IS 'when it was checked last';
COMMENT ON COLUMN mlmeta.windows.merged_windows IS 'how many windows were put together into it';

-- What a monitor promises, and why: a bound under an assumption, no measurement.
CREATE VIEW mlmeta.monitor_promises WITH (security_invoker = true) AS
SELECT m.name AS monitor, mlmeta_internal.windows_a_year(m.granularity) AS windows_a_year,
	mlmeta_internal.window_q(m) AS q, m.false_alarms, b.windows AS baseline_windows, b.seasons,
	b.is_dependent, CASE
		WHEN b.id IS NULL THEN NULL
		WHEN b.windows < 8 THEN m.false_alarms
		WHEN b.is_dependent THEN CASE WHEN b.windows < 14 THEN 12 WHEN b.windows < 28 THEN 10 ELSE 7 END
		WHEN b.windows < 14 THEN 12 WHEN b.windows < 28 THEN 10 ELSE 7 END
		* mlmeta_internal.windows_a_year(m.granularity) / 365.25 AS expected_false_alarms, CASE
		WHEN b.id IS NULL THEN 'no baseline is set'
		WHEN b.windows < 8 THEN 'holds for independent rows alone: the baseline has too few windows to know what is usual'
		WHEN b.is_dependent THEN 'windows that follow each other are alike: fewer of them count'
		ELSE 'holds where days differ by chance, as those of the baseline did; not for trends, nor for days with heavy tails'
		END || CASE WHEN b.windows BETWEEN 8 AND 13 THEN '; few windows: 28 are recommended' ELSE '' END AS assumption
FROM mlmeta_internal.monitors AS m
	LEFT JOIN LATERAL (
		SELECT x.* FROM mlmeta.monitor_baselines AS x
		WHERE x.monitor = m.id ORDER BY x.id DESC LIMIT 1
	) AS b ON true;

COMMENT ON VIEW mlmeta.monitor_promises IS
	'how many windows a year alarm though nothing drifted, at most, and under what assumption: at most false_alarms for independent rows, what simulations of days that differ had otherwise (doc/monitoring.md)';
COMMENT ON COLUMN mlmeta.monitor_promises.monitor IS 'name of the monitor';
COMMENT ON COLUMN mlmeta.monitor_promises.windows_a_year IS 'windows that a year has';
COMMENT ON COLUMN mlmeta.monitor_promises.false_alarms IS
	'so many windows a year may alarm though nothing drifted, as it was set';
COMMENT ON COLUMN mlmeta.monitor_promises.baseline_windows IS 'windows of the baseline';
COMMENT ON COLUMN mlmeta.monitor_promises.seasons IS 'seasons of the baseline';
COMMENT ON COLUMN mlmeta.monitor_promises.is_dependent IS
	'whether windows that follow each other are alike';
COMMENT ON COLUMN mlmeta.monitor_promises.assumption IS 'under what assumption';
COMMENT ON COLUMN mlmeta.monitor_promises.q IS
	'false discovery rate of a window';
COMMENT ON COLUMN mlmeta.monitor_promises.expected_false_alarms IS
	'the bound of the simulations for such a baseline, a year; no measurement of this monitor';

CREATE VIEW mlmeta.drift_latest WITH (security_invoker = true) AS
SELECT h.*
FROM mlmeta_internal.monitors AS m
	CROSS JOIN LATERAL (
		SELECT r.window_start FROM mlmeta.monitor_results AS r
		WHERE r.monitor = m.id ORDER BY r.window_start DESC LIMIT 1
	) AS l
	JOIN mlmeta.drift_history AS h ON h.monitor_id = m.id AND h.window_start = l.window_start;

COMMENT ON VIEW mlmeta.drift_latest IS
	'the results of the latest window of each monitor';
COMMENT ON COLUMN mlmeta.drift_latest.effect IS
	'what windows are compared by: the signed distance, of levels the difference from their mean';
COMMENT ON COLUMN mlmeta.drift_latest.effect_low IS
	'its lower confidence bound, which must be above the tolerance';
COMMENT ON COLUMN mlmeta.drift_latest.usual IS
	'the effect from which on a window is no ordinary one, of levels the limit: the line that a dashboard draws';
COMMENT ON COLUMN mlmeta.drift_latest.status IS 'the reason as a code';
COMMENT ON COLUMN mlmeta.drift_latest.value IS
	'the value, bin or detail that the result speaks of';
COMMENT ON COLUMN mlmeta.drift_latest.monitor_id IS 'number of the monitor';
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
SELECT m.name AS monitor, w.window_start, w.window_end, g.label AS segment, w.row_count,
	coalesce(mlmeta.n(w.quality), mlmeta.n(w.errors), mlmeta.n(w.classes)) AS labelled,
	mlmeta.roc_auc(w.quality) AS roc_auc,
	w.estimated_roc_auc,
	e.past AS estimate_error,
	coalesce(mlmeta.accuracy(w.quality), mlmeta.accuracy(w.classes)) AS accuracy,
	w.estimated_accuracy,
	coalesce(mlmeta.f1_score(w.quality), mlmeta.f1_score(w.classes, 'macro')) AS f1_score,
	mlmeta.brier_score(w.quality) AS brier_score,
	mlmeta.mae(w.errors) AS mae,
	mlmeta.rmse(w.errors) AS rmse,
	mlmeta.bias(w.errors) AS bias,
	CASE WHEN r.direction = 'below' THEN r.tolerance END AS lowest_usual,
	CASE WHEN r.direction = 'above' THEN r.tolerance END AS highest_usual,
	r.verdict, r.reason, w.invalid, w.classes
FROM mlmeta.monitor_windows AS w
	JOIN mlmeta_internal.monitors AS m ON m.id = w.monitor
	JOIN mlmeta.segments AS g ON g.id = w.segment
	LEFT JOIN mlmeta.monitor_results AS p ON p.monitor = w.monitor
		AND p.window_start = w.window_start AND p.window_end = w.window_end AND p.segment = w.segment
	LEFT JOIN LATERAL (
		SELECT x.tolerance, x.verdict, mlmeta_internal.reason_of(x, p.q, a.unit) AS reason, a.direction
		FROM pg_catalog.unnest(p.features) AS f,
			LATERAL pg_catalog.unnest(f.results) AS x
			JOIN mlmeta_internal.all_measures AS a ON a.monitor IS NULL AND a.measure = x.measure
		WHERE a.law = 'label' AND m.task = ANY (a.judged_for) AND a.expression IS NOT NULL
		ORDER BY a.position LIMIT 1
	) AS r ON true
	LEFT JOIN LATERAL (
		SELECT x.statistic_high - x.statistic AS past
		FROM pg_catalog.unnest(p.features) AS f,
			LATERAL pg_catalog.unnest(f.results) AS x
			JOIN mlmeta_internal.all_measures AS a ON a.monitor IS NULL AND a.measure = x.measure
		WHERE a.law = 'estimate'
		ORDER BY a.position LIMIT 1
	) AS e ON true
WHERE w.quality IS NOT NULL OR w.errors IS NOT NULL OR w.classes IS NOT NULL
	OR w.estimated_roc_auc IS NOT NULL OR w.estimated_accuracy IS NOT NULL;

COMMENT ON VIEW mlmeta.quality_history IS
	'realised and estimated quality of the model, a row per checked window and segment';
COMMENT ON COLUMN mlmeta.quality_history.invalid IS
	'rows whose label, score or prediction is none, left out of quality';
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
	'the ROC AUC, or accuracy, below which the verdict is drift';
COMMENT ON COLUMN mlmeta.quality_history.highest_usual IS
	'the mean absolute error above which the verdict is drift';
COMMENT ON COLUMN mlmeta.quality_history.classes IS
	'confusion matrix of a model of classes: cells(), by_class()';

CREATE VIEW mlmeta.missing_history WITH (security_invoker = true) AS
SELECT m.name AS monitor, w.window_start, w.window_end, g.label AS segment,
	c.feature, c.kind, w.row_count, c.null_count, c.nan_count,
	(c.null_count + c.nan_count)::float8
		/ nullif(c.n + c.null_count + c.nan_count, 0) AS missing_share,
	r.statistic AS change, r.verdict, r.reason, c.status
FROM mlmeta.monitor_windows AS w
	JOIN mlmeta_internal.monitors AS m ON m.id = w.monitor
	JOIN mlmeta.segments AS g ON g.id = w.segment
	CROSS JOIN LATERAL mlmeta.columns(w.profile) AS c
	LEFT JOIN mlmeta.monitor_results AS p ON p.monitor = w.monitor
		AND p.window_start = w.window_start AND p.window_end = w.window_end AND p.segment = w.segment
	LEFT JOIN LATERAL (
		SELECT x.statistic, x.verdict, mlmeta_internal.reason_of(x, p.q, a.unit) AS reason
		FROM pg_catalog.unnest(p.features) AS f,
			LATERAL pg_catalog.unnest(f.results) AS x
			JOIN mlmeta_internal.all_measures AS a ON a.monitor IS NULL AND a.measure = x.measure
		WHERE f.feature = c.feature AND a.family = 'missing' LIMIT 1
	) AS r ON true;

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

CREATE VIEW mlmeta.alerts WITH (security_invoker = true) AS
SELECT a.id, a.monitor, g.label AS segment, a.feature, a.measure, a.state, a.severity,
	a.owner, a.first_window, a.last_window, a.windows, a.worst_statistic, a.reason,
	a.snoozed_until, a.opened_at, a.changed_at, a.family, a.backfilled
FROM mlmeta.alert_states AS a
	JOIN mlmeta.segments AS g ON g.id = a.segment;

COMMENT ON VIEW mlmeta.alerts IS
	'all alerts, those that are resolved too';
COMMENT ON COLUMN mlmeta.alerts.id IS 'number of the alert';
COMMENT ON COLUMN mlmeta.alerts.segment IS 'the segment; empty: all rows';
COMMENT ON COLUMN mlmeta.alerts.feature IS 'the feature; empty: the rows';
COMMENT ON COLUMN mlmeta.alerts.measure IS 'the measure';
COMMENT ON COLUMN mlmeta.alerts.state IS 'open, acknowledged, snoozed or resolved';
COMMENT ON COLUMN mlmeta.alerts.severity IS 'how grave it is';
COMMENT ON COLUMN mlmeta.alerts.owner IS 'who takes care of it; NULL: nobody yet';
COMMENT ON COLUMN mlmeta.alerts.first_window IS 'begin of the window that opened it';
COMMENT ON COLUMN mlmeta.alerts.last_window IS 'begin of the last window that confirmed it';
COMMENT ON COLUMN mlmeta.alerts.windows IS 'windows that confirmed it';
COMMENT ON COLUMN mlmeta.alerts.worst_statistic IS 'the worst value so far';
COMMENT ON COLUMN mlmeta.alerts.reason IS 'why it is open, as a sentence';
COMMENT ON COLUMN mlmeta.alerts.snoozed_until IS 'until when it is silent; NULL: it is not';
COMMENT ON COLUMN mlmeta.alerts.opened_at IS 'when it was opened';
COMMENT ON COLUMN mlmeta.alerts.changed_at IS 'when it was changed last';
COMMENT ON COLUMN mlmeta.alerts.family IS
	'family of the measure: alerts of one family, segment and feature are one';
COMMENT ON COLUMN mlmeta.alerts.backfilled IS
	'opened for a window that was long past: history, announced to nobody';
COMMENT ON COLUMN mlmeta.alerts.monitor IS
	'number of the monitor';

CREATE VIEW mlmeta.alert_open WITH (security_invoker = true) AS
SELECT a.id AS alert, m.name AS monitor, g.label AS segment, a.feature, a.measure,
	a.state, a.first_window, a.last_window, a.windows, a.worst_statistic,
	a.reason, a.opened_at, a.severity, a.owner, a.snoozed_until, a.changed_at,
	a.backfilled
FROM mlmeta.alert_states AS a
	JOIN mlmeta_internal.monitors AS m ON m.id = a.monitor
	JOIN mlmeta.segments AS g ON g.id = a.segment
WHERE a.state <> 'resolved';

COMMENT ON VIEW mlmeta.alert_open IS
	'alerts that are not resolved';
COMMENT ON COLUMN mlmeta.alert_open.backfilled IS
	'opened for a window that was long past: history, announced to nobody';
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
SELECT e.id AS event, a.id AS alert, m.name AS monitor, g.label AS segment, a.feature,
	a.measure, e.state, e.severity, e.window_start, e.comment, e.at, e.user_name,
	a.backfilled
FROM mlmeta.alert_events AS e
	JOIN mlmeta.alert_states AS a ON a.id = e.alert
	JOIN mlmeta_internal.monitors AS m ON m.id = a.monitor
	JOIN mlmeta.segments AS g ON g.id = a.segment;

COMMENT ON VIEW mlmeta.alert_history IS
	'what happened to alerts, a row per change';
COMMENT ON COLUMN mlmeta.alert_history.backfilled IS
	'opened for a window that was long past: history, announced to nobody';
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

-- Changes under way when a reader comes are not laid out for it. It waits for none of
-- them: until there was a moment without any, it looks through all changes, and
-- remembers which ones it had.
CREATE FUNCTION mlmeta_internal.settle_reader(owner_id bigint, reader text) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	is_quiet boolean := true;
BEGIN
	IF EXISTS (SELECT FROM mlmeta.alert_readers AS r WHERE r.owner_id = settle_reader.owner_id
			AND r.reader = settle_reader.reader AND r.is_settled) THEN
		RETURN true;
	END IF;
	-- somebody else is at it
	IF NOT pg_try_advisory_xact_lock(hashtextextended('mlmeta.alert_readers ' || owner_id || ' ' || reader, 0)) THEN
		RETURN false;
	END IF;
	BEGIN
		LOCK TABLE mlmeta.alert_events IN SHARE MODE NOWAIT;
	EXCEPTION
		WHEN lock_not_available THEN
			is_quiet := false;
	END;
	INSERT INTO mlmeta.alert_readers AS r (owner_id, reader, is_settled)
	VALUES (settle_reader.owner_id, settle_reader.reader, is_quiet)
	ON CONFLICT ON CONSTRAINT alert_readers_pkey DO UPDATE SET is_settled = is_quiet;
	INSERT INTO mlmeta.alert_deliveries (owner_id, reader, event)
	SELECT settle_reader.owner_id, settle_reader.reader, f.id
	FROM (
		-- Locked, so that nobody removes them with their events meanwhile.
		SELECT e.id
		FROM mlmeta.alert_events AS e
			JOIN mlmeta.alert_states AS a ON a.id = e.alert
		WHERE NOT a.backfilled
		FOR KEY SHARE OF a
	) AS f
	ON CONFLICT DO NOTHING;
	IF is_quiet THEN
		DELETE FROM mlmeta.alert_deliveries AS d
		WHERE d.owner_id = settle_reader.owner_id AND d.reader = settle_reader.reader AND d.is_taken;
	END IF;
	RETURN true;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.settle_reader(bigint, text) IS
	'makes a reader of alerts known, and lays out what it may have missed; false: another session does';

CREATE FUNCTION mlmeta_internal.take_alerts(reader text, n integer DEFAULT 100)
RETURNS SETOF mlmeta.alert_history
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	caller CONSTANT bigint := mlmeta_internal.principal(mlmeta_internal.caller());
	taken bigint[];
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.check_name('reader', reader);
	IF NOT coalesce(n > 0, false) THEN
		RAISE EXCEPTION 'reader "%" cannot take % alerts', reader,
				coalesce(n::text, 'NULL')
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF NOT mlmeta_internal.settle_reader(caller, reader) THEN
		RETURN;
	END IF;
	taken := ARRAY(
		SELECT x.event
		FROM mlmeta.alert_deliveries AS x
			JOIN mlmeta.alert_events AS e ON e.id = x.event
			JOIN mlmeta.alert_states AS a ON a.id = e.alert
			JOIN mlmeta_internal.monitors AS m ON m.id = a.monitor
		WHERE x.owner_id = caller AND x.reader = take_alerts.reader AND NOT x.is_taken
			AND mlmeta_internal.sees_monitor(m)
		ORDER BY x.event
		LIMIT n
		FOR UPDATE OF x SKIP LOCKED);
	IF EXISTS (SELECT FROM mlmeta.alert_readers AS r
			WHERE r.owner_id = caller AND r.reader = take_alerts.reader AND r.is_settled) THEN
		DELETE FROM mlmeta.alert_deliveries AS d
		WHERE d.owner_id = caller AND d.reader = take_alerts.reader AND d.event = ANY (taken);
	ELSE
		UPDATE mlmeta.alert_deliveries AS d SET is_taken = true
		WHERE d.owner_id = caller AND d.reader = take_alerts.reader AND d.event = ANY (taken);
	END IF;
	RETURN QUERY
	SELECT h.* FROM mlmeta.alert_history AS h
	WHERE h.event = ANY (taken)
	ORDER BY h.event;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.take_alerts(text, integer) IS
	'changes of alerts that this reader of the current role has not had: none is missed, whatever the order in which they commit; taken when the transaction commits, and offered again when it does not';

CREATE VIEW mlmeta.feature_health WITH (security_invoker = true) AS
SELECT m.name AS monitor, f.feature, f.position,
	l.window_start AS last_window,
	CASE WHEN v.verdict IS NOT NULL THEN v.verdict
		WHEN i.note IS NOT NULL OR f.kind = 'other' THEN 'not watched'
		WHEN l.window_start IS NOT NULL AND f.kind <> 'unknown' THEN 'no data' END AS verdict,
	v.measure, v.statistic, coalesce(v.reason, i.note) AS reason,
	x.missing_share,
	coalesce(h.windows, 0) AS windows, coalesce(h.drifted, 0) AS drifted,
	h.drifted::float8 / nullif(h.windows, 0) AS drift_share,
	h.largest, (
		SELECT pg_catalog.count(*) FROM mlmeta.alert_states AS a
		WHERE a.monitor = m.id AND a.feature = f.feature AND a.state <> 'resolved'
	) AS open_alerts
FROM mlmeta_internal.monitors AS m
	JOIN mlmeta.segments AS g ON g.monitor = m.id AND g.label = ''
	JOIN mlmeta.monitor_feature_list AS f ON f.monitor = m.id
	LEFT JOIN mlmeta.monitor_inputs AS i ON i.monitor = f.monitor AND i.name = f.input
	LEFT JOIN LATERAL (
		SELECT r.window_start, r.features, r.q FROM mlmeta.monitor_results AS r
			JOIN mlmeta.monitor_windows AS w ON w.monitor = r.monitor AND w.segment = r.segment
				AND w.window_start = r.window_start
		WHERE r.monitor = m.id AND r.segment = g.id
		ORDER BY r.window_start DESC LIMIT 1
	) AS l ON true
	LEFT JOIN LATERAL (
		SELECT x.verdict, x.measure, x.statistic, mlmeta_internal.reason_of(x, l.q, a.unit) AS reason
		FROM pg_catalog.unnest(l.features) AS y,
			LATERAL pg_catalog.unnest(y.results) AS x
			JOIN mlmeta_internal.all_measures AS a ON a.monitor IS NULL AND a.measure = x.measure
		WHERE y.feature = f.feature AND x.is_primary AND a.family IN ('distribution', 'schema', 'missing', 'check')
			AND (a.family IN ('distribution', 'schema', 'check') OR x.verdict = 'drift')
		ORDER BY x.verdict = 'drift' DESC, x.verdict = 'no drift' DESC, a.position LIMIT 1
	) AS v ON true
	LEFT JOIN (
		SELECT w.monitor, w.window_start, w.segment, c.feature, pg_catalog.min((c.null_count + c.nan_count)::float8
			/ nullif(c.n + c.null_count + c.nan_count, 0)) AS missing_share
		FROM mlmeta_internal.monitors AS n
			JOIN mlmeta.segments AS s ON s.monitor = n.id AND s.label = ''
			CROSS JOIN LATERAL (
				SELECT x.* FROM mlmeta.monitor_windows AS x
				WHERE x.monitor = n.id AND x.segment = s.id ORDER BY x.window_start DESC LIMIT 1
			) AS w
			CROSS JOIN LATERAL mlmeta.columns(w.profile) AS c
		GROUP BY w.monitor, w.window_start, w.segment, c.feature
	) AS x ON x.monitor = m.id AND x.feature = f.feature
	LEFT JOIN (
		SELECT r.monitor, r.segment, y.feature, pg_catalog.count(z.is_judged) AS windows,
			pg_catalog.count(*) FILTER (WHERE z.drifted) AS drifted, pg_catalog.max(z.largest) AS largest
		FROM mlmeta.segments AS s
			JOIN mlmeta.monitor_results AS r ON r.monitor = s.monitor AND r.segment = s.id
			CROSS JOIN LATERAL pg_catalog.unnest(r.features) AS y
			CROSS JOIN LATERAL (
				SELECT pg_catalog.bool_or(true) AS is_judged, pg_catalog.bool_or(x.verdict = 'drift') AS drifted,
					pg_catalog.max(pg_catalog.abs(x.effect)) FILTER (WHERE x.measure = ANY (ARRAY(
						SELECT a.measure FROM mlmeta_internal.all_measures AS a
						WHERE a.monitor IS NULL AND a.law = 'distance' AND a.family = 'distribution'))) AS largest
				FROM pg_catalog.unnest(y.results) AS x
				WHERE x.is_primary AND x.measure = ANY (ARRAY(
					SELECT a.measure FROM mlmeta_internal.all_measures AS a
					WHERE a.monitor IS NULL AND a.family IN ('distribution', 'schema') AND a.judged <> 'report'))
			) AS z
		WHERE s.label = ''
		GROUP BY r.monitor, r.segment, y.feature
	) AS h ON h.monitor = m.id AND h.segment = g.id AND h.feature = f.feature;

COMMENT ON VIEW mlmeta.feature_health IS
	'how each feature of each monitor does: its latest verdict, how often it drifted, what is missing, which alerts are open; not watched: its contents cannot be read';
COMMENT ON COLUMN mlmeta.feature_health.monitor IS 'name of the monitor';
COMMENT ON COLUMN mlmeta.feature_health.feature IS 'the feature';
COMMENT ON COLUMN mlmeta.feature_health.position IS
	'place of the feature among those of the monitor';
COMMENT ON COLUMN mlmeta.feature_health.last_window IS 'begin of the last window judged';
COMMENT ON COLUMN mlmeta.feature_health.verdict IS 'the last verdict';
COMMENT ON COLUMN mlmeta.feature_health.statistic IS 'the last value';
COMMENT ON COLUMN mlmeta.feature_health.reason IS 'the last verdict as a sentence';
COMMENT ON COLUMN mlmeta.feature_health.windows IS 'windows judged';
COMMENT ON COLUMN mlmeta.feature_health.drifted IS 'windows with drift';
COMMENT ON COLUMN mlmeta.feature_health.drift_share IS 'share of windows with drift';
COMMENT ON COLUMN mlmeta.feature_health.open_alerts IS 'alerts that are not resolved';
COMMENT ON COLUMN mlmeta.feature_health.measure IS
	'the measure that the verdict is of';
COMMENT ON COLUMN mlmeta.feature_health.missing_share IS
	'in the latest window';
COMMENT ON COLUMN mlmeta.feature_health.largest IS
	'the largest distance from the baseline of any window';
