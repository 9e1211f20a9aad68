-- Checks: each complete window profiled once, judged by one calibrated rule.
--
-- Data's path: rows -> one profile a window, on the baseline's bins, stored
-- detached -> drift() against the baseline -> verdicts -> alerts. Everything
-- after the profile works on stored summaries.
--
-- The rule (doc/statistics.md, "Calibrated alarms"): one primary test a feature
-- and one for its missing values; p-values of a window adjusted together; drift
-- if and only if the adjusted p-value is at most q and the lower confidence bound
-- of the effect is above the tolerance. All other measures are reported.

CREATE TABLE mlmeta.monitor_windows (
	monitor bigint NOT NULL REFERENCES mlmeta.monitors ON DELETE CASCADE,
	segment text NOT NULL DEFAULT '',
	window_start timestamptz NOT NULL,
	window_end timestamptz NOT NULL,
	baseline bigint NOT NULL REFERENCES mlmeta.monitor_baselines,
	row_count bigint NOT NULL,
	profile mlmeta.profile,
	quality mlmeta.classification,
	estimated_roc_auc float8,
	checked_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (monitor, window_start, segment)
);

COMMENT ON TABLE mlmeta.monitor_windows IS
	'the checked windows, as profiles and quality summaries from which any comparison can be made again';
COMMENT ON COLUMN mlmeta.monitor_windows.segment IS
	'empty: all rows of the window';
COMMENT ON COLUMN mlmeta.monitor_windows.profile IS
	'detached: attach(profile, baseline''s profile) gives the edges back; NULL without rows';
COMMENT ON COLUMN mlmeta.monitor_windows.estimated_roc_auc IS
	'ROC AUC to expect of the scores, without labels';

CREATE TABLE mlmeta.monitor_results (
	monitor bigint NOT NULL REFERENCES mlmeta.monitors ON DELETE CASCADE,
	window_start timestamptz NOT NULL,
	window_end timestamptz NOT NULL,
	segment text NOT NULL DEFAULT '',
	feature text NOT NULL,
	position integer NOT NULL,
	measure text NOT NULL,
	is_primary boolean NOT NULL,
	statistic float8,
	statistic_low float8,
	statistic_high float8,
	p_value float8,
	adjusted_p float8,
	tolerance float8,
	detectable float8,
	n_reference bigint,
	n_current bigint,
	verdict text NOT NULL CHECK (verdict IN
		('drift', 'no drift', 'undecided', 'too little data', 'no data', 'reported')),
	reason text NOT NULL,
	PRIMARY KEY (monitor, window_start, segment, feature, measure)
);

COMMENT ON TABLE mlmeta.monitor_results IS
	'what each check found: a row per window, segment, feature and measure';
COMMENT ON COLUMN mlmeta.monitor_results.position IS
	'order of the feature among the monitor''s features';
COMMENT ON COLUMN mlmeta.monitor_results.is_primary IS
	'the measure decides; the others are reported';
COMMENT ON COLUMN mlmeta.monitor_results.statistic_low IS
	'the statistic of the rows is at least this';
COMMENT ON COLUMN mlmeta.monitor_results.statistic_high IS
	'the statistic of the rows is at most this';
COMMENT ON COLUMN mlmeta.monitor_results.adjusted_p IS
	'p-value adjusted over all primary tests of the window';
COMMENT ON COLUMN mlmeta.monitor_results.tolerance IS
	'effect, or for quality the limit, that the verdict compared with';
COMMENT ON COLUMN mlmeta.monitor_results.detectable IS
	'smallest effect that a window of this size shows with probability 0.9';
COMMENT ON COLUMN mlmeta.monitor_results.verdict IS
	'drift, no drift, undecided, too little data, no data; reported: not a primary measure';
COMMENT ON COLUMN mlmeta.monitor_results.reason IS
	'why, in words';

CREATE TABLE mlmeta.alerts (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	monitor bigint NOT NULL REFERENCES mlmeta.monitors ON DELETE CASCADE,
	segment text NOT NULL DEFAULT '',
	feature text NOT NULL,
	measure text NOT NULL,
	state text NOT NULL DEFAULT 'open' CHECK (state IN
		('open', 'acknowledged', 'snoozed', 'resolved')),
	first_window timestamptz NOT NULL,
	last_window timestamptz NOT NULL,
	windows bigint NOT NULL DEFAULT 1,
	worst_statistic float8,
	reason text NOT NULL,
	opened_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);

CREATE UNIQUE INDEX alerts_one_open ON mlmeta.alerts
	(monitor, segment, feature, measure) WHERE state <> 'resolved';

COMMENT ON TABLE mlmeta.alerts IS
	'alerts, at most one that is not resolved per monitor, segment, feature and measure';
COMMENT ON COLUMN mlmeta.alerts.windows IS
	'windows that showed it so far';
COMMENT ON COLUMN mlmeta.alerts.worst_statistic IS
	'the most extreme statistic so far';
COMMENT ON COLUMN mlmeta.alerts.reason IS
	'the reason of the latest window';

-- Checking ------------------------------------------------------------------------------

CREATE VIEW mlmeta.drift_history WITH (security_invoker = true) AS
SELECT m.name AS monitor, r.window_start, r.window_end, r.segment, r.feature,
	r.measure, r.statistic, r.statistic_low, r.statistic_high, r.p_value,
	r.adjusted_p, r.tolerance, r.detectable, r.n_reference, r.n_current,
	r.verdict, r.reason, r.is_primary, r.position
FROM mlmeta.monitor_results AS r
	JOIN mlmeta.monitors AS m ON m.id = r.monitor;

COMMENT ON VIEW mlmeta.drift_history IS
	'all results of all checks, a row per window, segment, feature and measure';

CREATE FUNCTION mlmeta.judge_drift(
	monitor mlmeta.monitors,
	reference mlmeta.profile,
	current mlmeta.profile,
	window_start timestamptz,
	window_end timestamptz,
	segment text
) RETURNS SETOF mlmeta.monitor_results
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH summarized AS (
		SELECT coalesce(r.feature, c.feature) AS feature,
			r.missing_share AS missing_reference,
			c.missing_share AS missing_current,
			greatest(r.distinct_count, c.distinct_count) AS categories
		FROM (SELECT x.feature, x.distinct_count,
				(x.null_count + x.nan_count)::float8
					/ nullif(x.n + x.null_count + x.nan_count, 0) AS missing_share
			FROM mlmeta.columns(reference) AS x) AS r
			FULL JOIN (SELECT x.feature, x.distinct_count,
				(x.null_count + x.nan_count)::float8
					/ nullif(x.n + x.null_count + x.nan_count, 0) AS missing_share
			FROM mlmeta.columns(current) AS x) AS c ON c.feature = r.feature
	), measured AS (
		SELECT d.feature, d.kind, d.measure, d.is_primary, d.statistic,
			coalesce(d.statistic_low, d.statistic) AS low,
			coalesce(d.statistic_high, d.statistic) AS high,
			d.p_value, d.n_reference, d.n_current, d.status,
			pg_catalog.array_position((monitor).features, d.feature) AS position
		FROM mlmeta.drift(reference, current) AS d
	), adjusted AS (
		SELECT a.feature, a.measure, u.p AS adjusted_p
		FROM (
			SELECT pg_catalog.array_agg(m.feature ORDER BY m.feature, m.measure) AS features,
				pg_catalog.array_agg(m.measure ORDER BY m.feature, m.measure) AS measures,
				mlmeta.benjamini_hochberg(pg_catalog.array_agg(m.p_value
					ORDER BY m.feature, m.measure)) AS ps
			FROM measured AS m WHERE m.is_primary
		) AS all_tests,
			ROWS FROM (unnest(all_tests.features), unnest(all_tests.measures),
				unnest(all_tests.ps)) AS u (feature, measure, p),
			LATERAL (SELECT u.feature, u.measure) AS a
	), effects AS (
		-- The effect behind each primary test, its lower confidence bounds at
		-- both ends of what is known of it, and what could be seen at all.
		SELECT m.feature, m.measure, m.statistic AS effect,
			mlmeta.ks_lower_bound(m.low, m.n_reference, m.n_current, (monitor).alpha) AS bound_low,
			mlmeta.ks_lower_bound(m.high, m.n_reference, m.n_current, (monitor).alpha) AS bound_high,
			mlmeta.ks_detectable(m.n_reference, m.n_current, (monitor).tolerance,
				(monitor).alpha) AS detectable
		FROM measured AS m
		WHERE m.measure = 'ks' AND m.n_reference > 0 AND m.n_current > 0
	UNION ALL
		SELECT m.feature, m.measure, v.statistic, b.bound, b.bound,
			mlmeta.ks_detectable(m.n_reference, m.n_current, (monitor).tolerance,
				(monitor).alpha)
		FROM measured AS m
			JOIN measured AS v ON v.feature = m.feature AND v.measure = 'total_variation'
			JOIN summarized AS s ON s.feature = m.feature,
			LATERAL (SELECT mlmeta.total_variation_lower_bound(v.statistic,
				s.categories::bigint, m.n_reference, m.n_current,
				(monitor).alpha) AS bound) AS b
		WHERE m.measure = 'chi2' AND m.n_reference > 0 AND m.n_current > 0
	UNION ALL
		SELECT m.feature, m.measure, m.statistic, b.bound, b.bound,
			mlmeta.ks_detectable(m.n_reference, m.n_current, (monitor).tolerance,
				(monitor).alpha)
		FROM measured AS m
			JOIN summarized AS s ON s.feature = m.feature,
			LATERAL (SELECT mlmeta.share_lower_bound(s.missing_reference,
				s.missing_current, m.n_reference, m.n_current,
				(monitor).alpha) AS bound) AS b
		WHERE m.measure = 'missing_share' AND m.n_reference > 0 AND m.n_current > 0
	), judged AS (
		SELECT m.*, a.adjusted_p, e.effect, e.bound_low, e.detectable,
			CASE
				WHEN NOT m.is_primary THEN 'reported'
				WHEN m.status = 'too little data' THEN 'too little data'
				WHEN m.status <> 'ok' AND m.p_value IS NULL THEN 'no data'
				WHEN a.adjusted_p <= (monitor).q AND e.bound_low > (monitor).tolerance THEN 'drift'
				WHEN e.bound_high > (monitor).tolerance THEN 'undecided'
				ELSE 'no drift'
			END AS verdict
		FROM measured AS m
			LEFT JOIN adjusted AS a ON a.feature = m.feature AND a.measure = m.measure AND m.is_primary
			LEFT JOIN effects AS e ON e.feature = m.feature AND e.measure = m.measure AND m.is_primary
	)
	SELECT (monitor).id, window_start, window_end, segment, j.feature,
		coalesce(j.position, 0), j.measure, j.is_primary, j.statistic, j.low, j.high,
		j.p_value, j.adjusted_p,
		CASE WHEN j.is_primary THEN (monitor).tolerance END,
		j.detectable, j.n_reference, j.n_current, j.verdict,
		CASE
			WHEN j.verdict = 'drift' THEN pg_catalog.format(
				'at least %s apart with confidence %s, %s tolerated; adjusted p %s',
				pg_catalog.round(j.bound_low::numeric, 3), 1 - (monitor).alpha,
				(monitor).tolerance, pg_catalog.btrim(pg_catalog.to_char(j.adjusted_p, '9.9EEEE')))
			WHEN j.verdict = 'undecided' THEN
				'the bins leave open whether the tolerance is passed'
			WHEN j.verdict = 'no drift' AND j.adjusted_p <= (monitor).q THEN
				pg_catalog.format('significant, but not surely above the tolerance of %s',
					(monitor).tolerance)
			WHEN j.verdict = 'no drift' THEN pg_catalog.format(
				'adjusted p %s', pg_catalog.btrim(pg_catalog.to_char(j.adjusted_p, '9.9EEEE')))
			ELSE j.status
		END
	FROM judged AS j;
END;

COMMENT ON FUNCTION mlmeta.judge_drift(mlmeta.monitors, mlmeta.profile,
	mlmeta.profile, timestamptz, timestamptz, text) IS
	'the results of comparing two stored profiles by the monitor''s rule; reads no rows';

CREATE FUNCTION mlmeta.judge_quality(
	monitor mlmeta.monitors,
	baseline mlmeta.monitor_baselines,
	checked mlmeta.monitor_windows
) RETURNS SETOF mlmeta.monitor_results
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH usual AS (
		-- Three standard deviations below the mean of the baseline's windows.
		SELECT pg_catalog.avg(w.auc) - 3 * pg_catalog.stddev_pop(w.auc) AS lowest,
			pg_catalog.count(w.auc) AS windows
		FROM pg_catalog.unnest((baseline).window_quality) AS w (auc)
	), labelled AS (
		SELECT mlmeta.n((checked).quality) AS n,
			(checked).row_count AS row_count
	), measured AS (
		SELECT v.measure, v.is_primary, v.statistic, l.n
		FROM labelled AS l, LATERAL (VALUES
			('roc_auc', true, mlmeta.roc_auc((checked).quality)),
			('estimated_roc_auc', false, (checked).estimated_roc_auc),
			('accuracy', false, mlmeta.accuracy((checked).quality)),
			('f1_score', false, mlmeta.f1_score((checked).quality)),
			('brier_score', false, mlmeta.brier_score((checked).quality)),
			('label_share', false, l.n::float8 / nullif(l.row_count, 0))
		) AS v (measure, is_primary, statistic)
	)
	SELECT (monitor).id, (checked).window_start, (checked).window_end,
		(checked).segment, (monitor).score_column,
		pg_catalog.cardinality((monitor).features) + 1, m.measure, m.is_primary,
		m.statistic, m.statistic, m.statistic, NULL::float8, NULL::float8,
		CASE WHEN m.is_primary THEN u.lowest END, NULL::float8,
		mlmeta.n((baseline).quality), m.n,
		CASE
			WHEN NOT m.is_primary THEN 'reported'
			WHEN m.statistic IS NULL THEN 'no data'
			WHEN u.lowest IS NULL OR u.windows < 2 THEN 'too little data'
			WHEN m.statistic < u.lowest THEN 'drift'
			ELSE 'no drift'
		END,
		CASE
			WHEN NOT m.is_primary THEN 'ok'
			WHEN m.statistic IS NULL THEN 'no labels of both classes yet'
			WHEN u.lowest IS NULL OR u.windows < 2 THEN
				'the baseline has fewer than two windows with labels'
			ELSE pg_catalog.format(
				'%s the lowest usual %s: mean less three standard deviations of %s baseline windows',
				CASE WHEN m.statistic < u.lowest THEN 'below' ELSE 'above' END,
				pg_catalog.round(u.lowest::numeric, 4), u.windows)
		END
	FROM measured AS m, usual AS u
	WHERE (monitor).label_column IS NOT NULL AND (monitor).score_column IS NOT NULL;
END;

COMMENT ON FUNCTION mlmeta.judge_quality(mlmeta.monitors, mlmeta.monitor_baselines,
	mlmeta.monitor_windows) IS
	'quality of a window beside what is usual in the baseline''s windows';

CREATE FUNCTION mlmeta.raise_alerts(monitor bigint, window_start timestamptz)
RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	INSERT INTO mlmeta.alerts AS a (monitor, segment, feature, measure,
		first_window, last_window, worst_statistic, reason)
	SELECT r.monitor, r.segment, r.feature, r.measure, r.window_start,
		r.window_start, r.statistic, r.reason
	FROM mlmeta.monitor_results AS r
	WHERE r.monitor = raise_alerts.monitor
		AND r.window_start = raise_alerts.window_start
		AND r.verdict = 'drift'
	ORDER BY r.segment, r.feature, r.measure
	ON CONFLICT (monitor, segment, feature, measure) WHERE state <> 'resolved'
	DO UPDATE SET
		first_window = least(a.first_window, excluded.first_window),
		last_window = greatest(a.last_window, excluded.last_window),
		windows = a.windows + 1,
		worst_statistic = CASE
			WHEN excluded.measure = 'roc_auc' THEN
				least(a.worst_statistic, excluded.worst_statistic)
			WHEN pg_catalog.abs(excluded.worst_statistic) > pg_catalog.abs(a.worst_statistic)
				THEN excluded.worst_statistic
			ELSE a.worst_statistic END,
		reason = excluded.reason;
END;

COMMENT ON FUNCTION mlmeta.raise_alerts(bigint, timestamptz) IS
	'opens an alert for each drift of a window, or adds the window to the open one';

CREATE FUNCTION mlmeta.check_monitor(
	monitor text,
	until timestamptz DEFAULT pg_catalog.now()
) RETURNS SETOF mlmeta.drift_history
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta.monitors := mlmeta.find_monitor(monitor);
	b mlmeta.monitor_baselines;
	w mlmeta.monitor_windows;
	first_window timestamptz;
	last_end timestamptz;
	columns text := 'NULL::mlmeta.classification, NULL::float8';
BEGIN
	PERFORM mlmeta.check_writable();
	IF m.owner <> current_user THEN
		RAISE EXCEPTION 'monitor "%" belongs to "%"', m.name, m.owner
			USING ERRCODE = 'insufficient_privilege',
				HINT = 'Only its owner runs its source.';
	END IF;
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

	-- The windows that are complete and not yet checked.
	SELECT max(x.window_end) INTO first_window
	FROM mlmeta.monitor_windows AS x WHERE x.monitor = m.id;
	first_window := coalesce(first_window, b.period_end);
	last_end := mlmeta.window_start(until AT TIME ZONE m.time_zone, m.granularity)
		AT TIME ZONE m.time_zone;
	IF m.label_column IS NOT NULL AND m.score_column IS NOT NULL THEN
		columns := format('mlmeta.classification(s.%1$I::integer, s.%2$I, %3$L),
			mlmeta.estimated_roc_auc(s.%2$I, mlmeta.calibrate($4, s.%2$I))',
			m.label_column, m.score_column, m.threshold);
	END IF;

	FOR w.window_start, w.row_count, w.profile, w.quality, w.estimated_roc_auc IN
		EXECUTE format('
			WITH found AS (
				SELECT s.window_start, count(*) AS row_count,
					mlmeta.detach(mlmeta.profile(f, $3)) AS profile, %s
				FROM %s GROUP BY s.window_start
			)
			SELECT g.at AT TIME ZONE %L, coalesce(w.row_count, 0), w.profile, %s
			FROM generate_series(
					mlmeta.window_start(coalesce($1 AT TIME ZONE %3$L,
						(SELECT min(window_start) FROM found)), %5$L),
					($2 AT TIME ZONE %3$L) - interval ''1 microsecond'', %5$L::interval) AS g (at)
				LEFT JOIN found AS w ON w.window_start = g.at
			ORDER BY g.at',
			columns || ' ', mlmeta.monitor_rows(m, m.query), m.time_zone,
			CASE WHEN m.label_column IS NOT NULL AND m.score_column IS NOT NULL
				THEN 'w.classification, w.estimated_roc_auc' ELSE 'NULL, NULL' END,
			m.granularity)
		USING first_window, last_end, b.profile, b.quality
	LOOP
		w.monitor := m.id;
		w.segment := '';
		w.window_end := ((w.window_start AT TIME ZONE m.time_zone) + m.granularity)
			AT TIME ZONE m.time_zone;
		w.baseline := b.id;
		w.checked_at := clock_timestamp();
		INSERT INTO mlmeta.monitor_windows SELECT w.*;
		INSERT INTO mlmeta.monitor_results
		SELECT * FROM mlmeta.judge_drift(m, b.profile, w.profile,
			w.window_start, w.window_end, w.segment)
		WHERE w.row_count > 0
		UNION ALL
		SELECT * FROM mlmeta.judge_quality(m, b, w)
		WHERE w.row_count > 0
		UNION ALL
		SELECT m.id, w.window_start, w.window_end, w.segment, c.name, c.n::integer,
			'rows', true, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0,
			'no data', 'no rows in the window'
		FROM unnest(m.features) WITH ORDINALITY AS c (name, n)
		WHERE w.row_count = 0;
		PERFORM mlmeta.raise_alerts(m.id, w.window_start);
		RETURN QUERY
			SELECT h.* FROM mlmeta.drift_history AS h
			WHERE h.monitor = m.name AND h.window_start = w.window_start
			ORDER BY h.segment, h.position, h.is_primary DESC, h.measure;
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta.check_monitor(text, timestamptz) IS
	'profiles and judges the windows that are complete by then and were not checked yet, raises alerts, and returns the results; one scan of the source';

-- Views -----------------------------------------------------------------------------------

CREATE VIEW mlmeta.drift_latest WITH (security_invoker = true) AS
SELECT h.* FROM mlmeta.drift_history AS h
WHERE h.window_start = (
	SELECT max(r.window_start)
	FROM mlmeta.monitor_results AS r
		JOIN mlmeta.monitors AS m ON m.id = r.monitor
	WHERE m.name = h.monitor);

COMMENT ON VIEW mlmeta.drift_latest IS
	'the results of the latest window of each monitor';

CREATE VIEW mlmeta.quality_history WITH (security_invoker = true) AS
SELECT m.name AS monitor, w.window_start, w.window_end, w.segment, w.row_count,
	mlmeta.n(w.quality) AS labelled,
	mlmeta.roc_auc(w.quality) AS roc_auc,
	w.estimated_roc_auc,
	mlmeta.accuracy(w.quality) AS accuracy,
	mlmeta.f1_score(w.quality) AS f1_score,
	mlmeta.brier_score(w.quality) AS brier_score,
	r.tolerance AS lowest_usual,
	r.verdict
FROM mlmeta.monitor_windows AS w
	JOIN mlmeta.monitors AS m ON m.id = w.monitor
	LEFT JOIN mlmeta.monitor_results AS r ON r.monitor = w.monitor
		AND r.window_start = w.window_start AND r.segment = w.segment
		AND r.measure = 'roc_auc'
WHERE w.quality IS NOT NULL;

COMMENT ON VIEW mlmeta.quality_history IS
	'realised and estimated quality of the model, a row per checked window';
COMMENT ON COLUMN mlmeta.quality_history.estimated_roc_auc IS
	'what the calibrated scores promise, without labels';
COMMENT ON COLUMN mlmeta.quality_history.lowest_usual IS
	'the limit below which the verdict is drift';

CREATE VIEW mlmeta.alert_open WITH (security_invoker = true) AS
SELECT a.id AS alert, m.name AS monitor, a.segment, a.feature, a.measure,
	a.state, a.first_window, a.last_window, a.windows, a.worst_statistic,
	a.reason, a.opened_at
FROM mlmeta.alerts AS a
	JOIN mlmeta.monitors AS m ON m.id = a.monitor
WHERE a.state <> 'resolved';

COMMENT ON VIEW mlmeta.alert_open IS
	'alerts that are not resolved';
