-- Verdicts: stored summaries measured, and judged by one calibrated rule.
--
-- The rule (doc/statistics.md, "Calibrated alarms"): one primary test a feature
-- and one for its missing values; p-values of a window adjusted together over
-- all features and segments; drift if and only if the adjusted p-value is at
-- most q and the lower confidence bound of the effect is above the tolerance.
-- All other measures are reported.

CREATE TABLE mlmeta.monitor_results (
	monitor bigint NOT NULL,
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
	bound_low float8,
	bound_high float8,
	tolerance float8,
	detectable float8,
	n_reference bigint,
	n_current bigint,
	verdict text NOT NULL CHECK (verdict IN
		('drift', 'no drift', 'undecided', 'too little data', 'no data', 'reported')),
	reason text NOT NULL,
	is_exact boolean NOT NULL DEFAULT false,
	PRIMARY KEY (monitor, window_start, segment, feature, measure)
);

COMMENT ON TABLE mlmeta.monitor_results IS
	'what each check found: a row per window, segment, feature and measure';
COMMENT ON COLUMN mlmeta.monitor_results.feature IS
	'empty: the rows as a whole';
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
COMMENT ON COLUMN mlmeta.monitor_results.bound_low IS
	'lower confidence bound of the effect, when the statistic is as low as it can be; of quality the lower end of its 95 % interval';
COMMENT ON COLUMN mlmeta.monitor_results.bound_high IS
	'the same when the statistic is as high as it can be; of quality the upper end of its 95 % interval';
COMMENT ON COLUMN mlmeta.monitor_results.tolerance IS
	'effect, or for quality and counts the limit, that the verdict compared with';
COMMENT ON COLUMN mlmeta.monitor_results.detectable IS
	'smallest effect that a window of this size shows with probability 0.9';
COMMENT ON COLUMN mlmeta.monitor_results.verdict IS
	'drift, no drift, undecided, too little data, no data; reported: not a primary measure';
COMMENT ON COLUMN mlmeta.monitor_results.reason IS
	'why, in words';
COMMENT ON COLUMN mlmeta.monitor_results.is_exact IS
	'the bins left it undecided, and the rows were read again';

-- Measuring -------------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.reference_of(
	baseline mlmeta.monitor_baselines,
	segment text,
	window_start timestamptz
) RETURNS mlmeta.profile
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(
	CASE WHEN (reference_of.baseline).trailing_windows IS NOT NULL THEN (
		SELECT mlmeta.attach(mlmeta.merge(t.profile), (reference_of.baseline).profile)
		FROM (
			SELECT w.profile
			FROM mlmeta.monitor_windows AS w
			WHERE w.monitor = (reference_of.baseline).monitor AND w.baseline = (reference_of.baseline).id
				AND w.segment = reference_of.segment
				AND w.window_start < reference_of.window_start
				AND w.profile IS NOT NULL
			ORDER BY w.window_start DESC LIMIT (reference_of.baseline).trailing_windows
		) AS t
	) END,
	CASE WHEN segment = '' THEN (reference_of.baseline).profile ELSE (
		SELECT mlmeta.attach(s.profile, (reference_of.baseline).profile)
		FROM mlmeta.monitor_baseline_segments AS s
		WHERE s.baseline = (reference_of.baseline).id AND s.segment = reference_of.segment
	) END);

COMMENT ON FUNCTION mlmeta_internal.reference_of(mlmeta.monitor_baselines, text, timestamptz) IS
	'what a window of a segment is compared with; NULL for a segment that the baseline does not have';

CREATE FUNCTION mlmeta_internal.measure_drift(
	monitor mlmeta_internal.monitors,
	reference mlmeta.profile,
	checked mlmeta.monitor_windows
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
			FROM mlmeta.columns((checked).profile) AS x) AS c ON c.feature = r.feature
	), measured AS (
		SELECT d.feature, d.measure, d.is_primary, d.statistic,
			coalesce(d.statistic_low, d.statistic) AS low,
			coalesce(d.statistic_high, d.statistic) AS high,
			d.p_value, d.n_reference, d.n_current, d.status,
			pg_catalog.array_position((monitor).features, d.feature) AS position,
			d.n_reference > 0 AND d.n_current > 0 AS has_rows,
			pg_catalog.max(d.statistic) FILTER (WHERE d.measure = 'total_variation')
				OVER (PARTITION BY d.feature) AS distance
		FROM mlmeta.drift(reference, (checked).profile) AS d
	)
	SELECT (checked).monitor, (checked).window_start, (checked).window_end,
		(checked).segment, m.feature,
		coalesce(m.position, pg_catalog.cardinality((monitor).features) + 1),
		m.measure, m.is_primary, m.statistic, m.low, m.high, m.p_value,
		NULL::float8, b.low, b.high, NULL::float8, NULL::float8, m.n_reference,
		m.n_current, CASE WHEN NOT m.is_primary THEN 'reported' END, m.status, false
	FROM measured AS m
		LEFT JOIN summarized AS s ON s.feature = m.feature,
		LATERAL (SELECT
			CASE WHEN NOT m.is_primary OR NOT m.has_rows THEN NULL
				WHEN m.measure = 'ks' THEN mlmeta.ks_lower_bound(m.low,
					m.n_reference, m.n_current, (monitor).alpha)
				WHEN m.measure = 'chi2' THEN mlmeta.total_variation_lower_bound(
					m.distance, s.categories::bigint, m.n_reference, m.n_current,
					(monitor).alpha)
				WHEN m.measure = 'missing_share' THEN mlmeta.share_lower_bound(
					s.missing_reference, s.missing_current, m.n_reference,
					m.n_current, (monitor).alpha)
			END AS low
		) AS l,
		LATERAL (SELECT l.low, CASE WHEN m.measure = 'ks' AND m.is_primary AND m.has_rows
			THEN mlmeta.ks_lower_bound(m.high, m.n_reference, m.n_current,
				(monitor).alpha) ELSE l.low END AS high) AS b;
END;

COMMENT ON FUNCTION mlmeta_internal.measure_drift(mlmeta_internal.monitors, mlmeta.profile,
	mlmeta.monitor_windows) IS
	'the measures of two stored profiles; primary ones have no verdict yet, and their status as reason';

CREATE FUNCTION mlmeta_internal.measure_quality(
	monitor mlmeta_internal.monitors,
	baseline mlmeta.monitor_baseline_segments,
	checked mlmeta.monitor_windows,
	past_errors float8[],
	past_windows bigint,
	is_mature boolean
) RETURNS SETOF mlmeta.monitor_results
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH usual AS (
		-- Three standard deviations from the mean of the baseline's windows.
		SELECT pg_catalog.avg(w.figure) + d.side * 3 * pg_catalog.stddev_pop(w.figure) AS bound,
			pg_catalog.avg(w.figure) AS mean, d.side, pg_catalog.count(w.figure) AS windows
		FROM (SELECT CASE WHEN (monitor).score_column IS NULL THEN 1 ELSE -1 END AS side) AS d
			LEFT JOIN pg_catalog.unnest((baseline).window_quality) AS w (figure) ON true
		GROUP BY d.side
	), labelled AS (
		SELECT coalesce(mlmeta.n((checked).quality), mlmeta.n((checked).errors), 0) AS n,
			(checked).row_count AS row_count
	), chance AS (
		-- Standard errors of the window's own figure: of an area under the curve
		-- by Hanley and McNeil (1982), of a mean the usual one.
		SELECT CASE
				WHEN (monitor).score_column IS NULL THEN
					pg_catalog.sqrt(greatest(mlmeta.mse((checked).errors)
						- mlmeta.mae((checked).errors) ^ 2, 0)
						/ nullif(mlmeta.n((checked).errors), 0))
				ELSE pg_catalog.sqrt((a.auc * (1 - a.auc)
					+ (c.ones - 1) * (a.auc / (2 - a.auc) - a.auc ^ 2)
					+ (c.zeros - 1) * (2 * a.auc ^ 2 / (1 + a.auc) - a.auc ^ 2))
					/ (c.ones * c.zeros))
			END AS error
		FROM (SELECT mlmeta.roc_auc((checked).quality) AS auc) AS a,
			(SELECT x.tp + x.fn AS ones, x.fp + x.tn AS zeros
				FROM mlmeta.confusion((checked).quality) AS x) AS c
	), measured AS (
		SELECT v.measure, v.is_primary, v.statistic, l.n,
			CASE WHEN v.is_primary THEN 1.959964 * h.error END AS chance,
			l.n::float8 / nullif(l.row_count, 0) AS coverage
		FROM labelled AS l, chance AS h, LATERAL (VALUES
			('roc_auc', true, mlmeta.roc_auc((checked).quality), 1),
			('estimated_roc_auc', false, (checked).estimated_roc_auc, 1),
			('accuracy', false, mlmeta.accuracy((checked).quality), 1),
			('estimated_accuracy', false, (checked).estimated_accuracy, 1),
			('f1_score', false, mlmeta.f1_score((checked).quality), 1),
			('brier_score', false, mlmeta.brier_score((checked).quality), 1),
			('mae', true, mlmeta.mae((checked).errors), 2),
			('rmse', false, mlmeta.rmse((checked).errors), 2),
			('bias', false, mlmeta.bias((checked).errors), 2),
			('label_share', false, l.n::float8 / nullif(l.row_count, 0), 0)
		) AS v (measure, is_primary, statistic, of)
		WHERE v.of = 0 OR v.of = CASE WHEN (monitor).score_column IS NULL THEN 2 ELSE 1 END
	), judged AS (
		SELECT m.*, u.bound, u.side, u.windows,
			u.side * m.statistic > u.side * u.bound AS is_beyond, CASE
				WHEN NOT m.is_primary THEN 'reported'
				WHEN NOT is_mature THEN 'too little data'
				WHEN m.statistic IS NULL THEN 'no data'
				WHEN m.coverage < (monitor).label_coverage THEN 'too little data'
				WHEN u.bound IS NULL OR u.windows < 2 THEN 'too little data'
				-- Beyond what is usual, and not by the chance of few labels.
				WHEN u.side * m.statistic > u.side * u.bound
					AND u.side * m.statistic - coalesce(m.chance, 0) > u.side * u.mean THEN 'drift'
				ELSE 'no drift'
			END AS verdict
		FROM measured AS m, usual AS u
	)
	SELECT (checked).monitor, (checked).window_start, (checked).window_end,
		(checked).segment, coalesce((monitor).score_column, (monitor).prediction_column),
		pg_catalog.cardinality((monitor).features) + 2, j.measure, j.is_primary,
		j.statistic,
		j.statistic - coalesce(e.error, 0), j.statistic + coalesce(e.error, 0),
		NULL::float8, NULL::float8, j.statistic - j.chance, j.statistic + j.chance,
		CASE WHEN j.is_primary THEN j.bound END, NULL::float8,
		coalesce(mlmeta.n((baseline).quality), mlmeta.n((baseline).errors)), j.n,
		j.verdict,
		CASE
			WHEN e.error IS NOT NULL THEN pg_catalog.format(
				'estimates were off by %s on average in %s windows before',
				pg_catalog.round(e.error::numeric, 4), past_windows)
			WHEN NOT j.is_primary THEN 'ok'
			WHEN NOT is_mature THEN pg_catalog.format(
				'labels are complete %s after the window', (monitor).label_delay)
			WHEN j.statistic IS NULL AND j.measure = 'roc_auc' THEN 'no labels of both classes yet'
			WHEN j.statistic IS NULL THEN 'no labels yet'
			WHEN j.coverage < (monitor).label_coverage THEN pg_catalog.format(
				'%s of %s rows have a label, a share of %s is asked for', j.n,
				(checked).row_count, (monitor).label_coverage)
			WHEN j.bound IS NULL OR j.windows < 2 THEN
				'the baseline has fewer than two windows with labels'
			WHEN j.is_beyond AND j.verdict = 'no drift' THEN pg_catalog.format(
				'%s the %s usual %s, but with %s labels that may be chance',
				CASE WHEN j.statistic < j.bound THEN 'below' ELSE 'above' END,
				CASE WHEN j.side < 0 THEN 'lowest' ELSE 'highest' END,
				pg_catalog.round(j.bound::numeric, 4), j.n)
			ELSE pg_catalog.format(
				'%s the %s usual %s: mean %s three standard deviations of %s baseline windows',
				CASE WHEN j.statistic < j.bound THEN 'below' ELSE 'above' END,
				CASE WHEN j.side < 0 THEN 'lowest' ELSE 'highest' END,
				pg_catalog.round(j.bound::numeric, 4),
				CASE WHEN j.side < 0 THEN 'less' ELSE 'plus' END, j.windows)
		END, false
	FROM judged AS j,
		LATERAL (SELECT CASE j.measure WHEN 'estimated_roc_auc' THEN past_errors[1]
			WHEN 'estimated_accuracy' THEN past_errors[2] END AS error) AS e
	WHERE (monitor).label_column IS NOT NULL
		AND coalesce((monitor).score_column, (monitor).prediction_column) IS NOT NULL;
END;

COMMENT ON FUNCTION mlmeta_internal.measure_quality(mlmeta_internal.monitors,
	mlmeta.monitor_baseline_segments, mlmeta.monitor_windows, float8[], bigint, boolean) IS
	'quality of a window beside what is usual in the baseline''s windows, and the estimates without labels with their mean errors in windows before: of ROC AUC and of accuracy';

CREATE FUNCTION mlmeta_internal.measure_rows(
	monitor mlmeta_internal.monitors,
	baseline mlmeta.monitor_baseline_segments,
	checked mlmeta.monitor_windows
) RETURNS mlmeta.monitor_results
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH usual AS (
		SELECT pg_catalog.min(r.rate) * d.days * (1 - t.tolerance)
				- 3 * pg_catalog.sqrt(pg_catalog.min(r.rate) * d.days) AS lowest,
			pg_catalog.max(r.rate) * d.days * (1 + t.tolerance)
				+ 3 * pg_catalog.sqrt(pg_catalog.max(r.rate) * d.days) AS highest,
			pg_catalog.count(r.rate) AS windows
		FROM (SELECT date_part('epoch', (checked).window_end - (checked).window_start) / 86400 AS days) AS d
			CROSS JOIN (SELECT coalesce((mlmeta_internal.rule_of((monitor).id, '', 'row_count',
				(checked).segment)).tolerance, 0.5) AS tolerance) AS t
			LEFT JOIN pg_catalog.unnest((baseline).window_rows) AS r (rate) ON true
		GROUP BY d.days, t.tolerance
	), judged AS (
		SELECT u.*, CASE
				-- Of a small segment, no rows may be as usual as some.
				WHEN (checked).row_count = 0 AND (u.lowest > 0
					OR u.windows < 3 AND (checked).segment = '') THEN 'no data'
				WHEN u.windows < 3 THEN 'too little data'
				WHEN (checked).row_count < u.lowest OR (checked).row_count > u.highest THEN 'drift'
				ELSE 'no drift'
			END AS verdict
		FROM usual AS u
	)
	SELECT (checked).monitor, (checked).window_start, (checked).window_end,
		(checked).segment, '', 0, 'row_count', true, (checked).row_count::float8,
		(checked).row_count::float8, (checked).row_count::float8, NULL::float8,
		NULL::float8, NULL::float8, NULL::float8,
		CASE WHEN j.windows >= 3 THEN
			CASE WHEN (checked).row_count > j.highest THEN j.highest
				ELSE greatest(j.lowest, 0) END END,
		NULL::float8, (baseline).row_count, (checked).row_count, j.verdict,
		CASE
			WHEN j.verdict = 'no data' THEN 'no rows in the window'
			WHEN j.windows < 3 THEN 'the baseline has fewer than three whole windows'
			ELSE pg_catalog.format('%s rows, from %s to %s are usual', (checked).row_count,
				pg_catalog.round(greatest(j.lowest, 0)::numeric),
				pg_catalog.round(j.highest::numeric))
		END, false
	FROM judged AS j;
END;

COMMENT ON FUNCTION mlmeta_internal.measure_rows(mlmeta_internal.monitors,
	mlmeta.monitor_baseline_segments, mlmeta.monitor_windows) IS
	'whether a window has as many rows as usual: from the fewest to the most of the baseline''s windows, each moved out by the tolerance (half) and three standard deviations of a count';

-- Judging ---------------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.p_text(p float8) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN p >= 0.001 THEN pg_catalog.trim_scale(pg_catalog.round(p::numeric, 3))::text
	ELSE pg_catalog.btrim(pg_catalog.to_char(p, '9.9EEEE')) END;

COMMENT ON FUNCTION mlmeta_internal.p_text(float8) IS
	'a p-value for people';

CREATE FUNCTION mlmeta_internal.judge_results(
	monitor mlmeta_internal.monitors,
	measured mlmeta.monitor_results[]
) RETURNS SETOF mlmeta.monitor_results
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH numbered AS (
		SELECT r.*
		FROM pg_catalog.unnest(measured) WITH ORDINALITY AS r (monitor, window_start,
			window_end, segment, feature, "position", measure, is_primary,
			statistic, statistic_low, statistic_high, p_value, adjusted_p,
			bound_low, bound_high, tolerance, detectable, n_reference,
			n_current, verdict, reason, is_exact, n)
	), tests AS (
		SELECT pg_catalog.array_agg(t.n ORDER BY t.n) AS n,
			mlmeta.benjamini_hochberg(pg_catalog.array_agg(t.p_value ORDER BY t.n),
				(judge_results.monitor).correction) AS p
		FROM numbered AS t
		WHERE t.verdict IS NULL
		GROUP BY t.window_start
	), adjusted AS (
		SELECT u.n, u.p
		FROM tests AS t, ROWS FROM (pg_catalog.unnest(t.n), pg_catalog.unnest(t.p)) AS u (n, p)
	), judged AS (
		SELECT r.*, a.p AS new_p, l.tolerance AS new_tolerance,
			CASE
				WHEN r.verdict IS NOT NULL THEN r.verdict
				WHEN r.reason = 'too little data' THEN 'too little data'
				WHEN r.reason = 'new segment' THEN 'too little data'
				WHEN r.reason <> 'ok' AND r.p_value IS NULL THEN 'no data'
				WHEN a.p <= (judge_results.monitor).q AND r.bound_low > l.tolerance THEN 'drift'
				WHEN r.bound_high > l.tolerance THEN 'undecided'
				ELSE 'no drift'
			END AS new_verdict
		FROM numbered AS r
			LEFT JOIN adjusted AS a ON a.n = r.n,
			LATERAL (SELECT coalesce(CASE WHEN EXISTS (
						SELECT FROM mlmeta.monitor_rules AS x
						WHERE x.monitor = (judge_results.monitor).id)
					THEN (mlmeta_internal.rule_of(r.monitor, r.feature, r.measure, r.segment)).tolerance
				END, (judge_results.monitor).tolerance) AS tolerance
				WHERE r.verdict IS NULL
				UNION ALL SELECT r.tolerance WHERE r.verdict IS NOT NULL) AS l
	)
	SELECT j.monitor, j.window_start, j.window_end, j.segment, j.feature,
		j.position, j.measure, j.is_primary, j.statistic, j.statistic_low,
		j.statistic_high, j.p_value, j.new_p, j.bound_low, j.bound_high,
		j.new_tolerance,
		CASE WHEN j.verdict IS NULL AND j.n_reference > 0 AND j.n_current > 0
			THEN mlmeta.ks_detectable(j.n_reference, j.n_current, j.new_tolerance,
				(judge_results.monitor).alpha) END,
		j.n_reference, j.n_current, j.new_verdict,
		CASE
			WHEN j.verdict IS NOT NULL OR j.new_verdict IN ('no data', 'too little data')
				THEN j.reason
			ELSE CASE
				WHEN j.new_verdict = 'drift' THEN pg_catalog.format(
					'at least %s apart with confidence %s, %s tolerated; adjusted p %s',
					pg_catalog.round(j.bound_low::numeric, 3), 1 - (judge_results.monitor).alpha,
					j.new_tolerance, mlmeta_internal.p_text(j.new_p))
				WHEN j.new_verdict = 'undecided' THEN
					'the bins leave open whether the tolerance is passed'
				WHEN j.new_p <= (judge_results.monitor).q THEN
					pg_catalog.format('significant, but not surely above the tolerance of %s',
						j.new_tolerance)
				WHEN j.new_p IS NULL THEN j.reason
				ELSE pg_catalog.format('adjusted p %s',
					mlmeta_internal.p_text(j.new_p))
			END || CASE WHEN j.is_exact THEN '; settled by the rows' ELSE '' END
		END,
		j.is_exact
	FROM judged AS j
	ORDER BY j.n;
END;

COMMENT ON FUNCTION mlmeta_internal.judge_results(mlmeta_internal.monitors, mlmeta.monitor_results[]) IS
	'the verdicts of measured results by the monitor''s rule; p-values are adjusted together, a window at a time';

CREATE FUNCTION mlmeta_internal.settle_result(
	monitor mlmeta_internal.monitors,
	baseline mlmeta.monitor_baselines,
	undecided mlmeta.monitor_results
) RETURNS mlmeta.monitor_results
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	distance float8;
	p_value float8;
	n_reference bigint;
	n_current bigint;
	settled mlmeta.monitor_results := undecided;
	trails boolean := baseline.trailing_windows IS NOT NULL AND EXISTS (
		SELECT FROM mlmeta.monitor_windows AS w
		WHERE w.monitor = monitor.id AND w.baseline = baseline.id
			AND w.window_start < undecided.window_start);
	label text := coalesce((
		SELECT string_agg(format('WHEN mlmeta_internal.segment_label(%L, ARRAY[%s]) = %L THEN true',
			p.names, (SELECT string_agg(format('s.%I', 'mlmeta_' || u.name), ', ' ORDER BY u.n)
				FROM unnest(p.names) WITH ORDINALITY AS u (name, n)),
			undecided.segment), ' ')
		FROM unnest(monitor.segment_sets) AS t (names),
			LATERAL (SELECT regexp_split_to_array(t.names, '\s*,\s*') AS names) AS p
		WHERE undecided.segment <> ''), '');
BEGIN
	SELECT r.* INTO distance, p_value, n_reference, n_current
	FROM mlmeta_internal.run_query(monitor.owner_id, 'pg_catalog', format(
		'SELECT (t.test).statistic, (t.test).p_value, (t.test).n_reference, (t.test).n_current
		FROM (SELECT mlmeta.ks_test(r.value, r.is_current) AS test
			FROM (SELECT %1$s AS value, false AS is_current FROM %2$s WHERE %4$s
				UNION ALL
				SELECT %1$s, true FROM %3$s WHERE %4$s) AS r) AS t',
		mlmeta_internal.feature_expression(monitor, undecided.feature, (
			SELECT c.kind FROM mlmeta.columns(baseline.profile) AS c
			WHERE c.feature = undecided.feature LIMIT 1)),
		mlmeta_internal.monitor_rows(monitor,
			CASE WHEN trails THEN monitor.query ELSE baseline.query END, 3),
		mlmeta_internal.monitor_rows(monitor, monitor.query),
		CASE WHEN label = '' THEN 'true' ELSE format('CASE %s END', label) END),
		undecided.window_start, undecided.window_end,
		CASE WHEN trails THEN ((undecided.window_start AT TIME ZONE mlmeta_internal.window_zone(monitor))
				- baseline.trailing_windows * monitor.granularity) AT TIME ZONE mlmeta_internal.window_zone(monitor)
			ELSE baseline.period_start END,
		CASE WHEN trails THEN undecided.window_start
			WHEN baseline.dataset IS NULL THEN baseline.period_end END)
		AS r (distance float8, p_value float8, n_reference bigint,
			n_current bigint);
	-- Rows that came or went since: the bins' answer stands.
	IF n_reference IS DISTINCT FROM undecided.n_reference
			OR n_current IS DISTINCT FROM undecided.n_current THEN
		RETURN undecided;
	END IF;
	settled.statistic := distance;
	settled.statistic_low := distance;
	settled.statistic_high := distance;
	settled.p_value := p_value;
	settled.bound_low := mlmeta.ks_lower_bound(distance,
		n_reference, n_current, monitor.alpha);
	settled.bound_high := settled.bound_low;
	settled.is_exact := true;
	RETURN settled;
EXCEPTION WHEN undefined_table OR undefined_column OR insufficient_privilege
		OR cannot_coerce OR datatype_mismatch THEN
	RETURN undecided;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.settle_result(mlmeta_internal.monitors, mlmeta.monitor_baselines,
	mlmeta.monitor_results) IS
	'a measured result with the exact statistic of the rows of that feature, window and segment; unchanged where the baseline''s rows are no longer what they were';

CREATE FUNCTION mlmeta_internal.measure_window(
	monitor mlmeta_internal.monitors,
	baseline mlmeta.monitor_baselines,
	window_start timestamptz,
	until timestamptz
) RETURNS SETOF mlmeta.monitor_results
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	w mlmeta.monitor_windows;
	usual mlmeta.monitor_baseline_segments;
	reference mlmeta.profile;
	past_errors float8[];
	past_windows bigint;
BEGIN
	FOR w IN
		SELECT x.* FROM mlmeta.monitor_windows AS x
		WHERE x.monitor = (measure_window.monitor).id
			AND x.window_start = measure_window.window_start
		ORDER BY x.segment
	LOOP
		SELECT s.* INTO usual FROM mlmeta.monitor_baseline_segments AS s
		WHERE s.baseline = (measure_window.baseline).id AND s.segment = w.segment;
		RETURN NEXT mlmeta_internal.measure_rows(monitor, usual, w);
		IF w.row_count = 0 THEN
			RETURN QUERY
				SELECT w.monitor, w.window_start, w.window_end, w.segment, c.name,
					c.n::integer, 'rows', true, NULL::float8, NULL::float8,
					NULL::float8, NULL::float8, NULL::float8, NULL::float8,
					NULL::float8, NULL::float8, NULL::float8, NULL::bigint, 0::bigint,
					'no data', 'no rows in the window', false
				FROM unnest(monitor.features) WITH ORDINALITY AS c (name, n)
				WHERE w.segment = '';
			CONTINUE;
		END IF;
		reference := mlmeta_internal.reference_of(baseline, w.segment, w.window_start);
		IF reference IS NULL THEN
			RETURN NEXT (w.monitor, w.window_start, w.window_end,
				w.segment, '', 0, 'segment', true, NULL, NULL, NULL, NULL, NULL, NULL,
				NULL, NULL, NULL, 0, w.row_count, 'too little data',
				'the segment is new: the baseline has no rows of it', false)::mlmeta.monitor_results;
		ELSE
			RETURN QUERY SELECT * FROM mlmeta_internal.measure_drift(monitor, reference, w);
		END IF;
		IF monitor.label_column IS NOT NULL THEN
			SELECT ARRAY[avg(abs(x.estimated_roc_auc - mlmeta.roc_auc(x.quality))),
					avg(abs(x.estimated_accuracy - mlmeta.accuracy(x.quality)))],
				count(x.estimated_roc_auc - mlmeta.roc_auc(x.quality))
			INTO past_errors, past_windows
			FROM mlmeta.monitor_windows AS x
			WHERE x.monitor = w.monitor AND x.segment = w.segment
				AND x.window_start < w.window_start AND x.quality IS NOT NULL;
			RETURN QUERY SELECT * FROM mlmeta_internal.measure_quality(monitor, usual, w,
				past_errors, past_windows, w.window_end + monitor.label_delay <= until);
		END IF;
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.measure_window(mlmeta_internal.monitors, mlmeta.monitor_baselines,
	timestamptz, timestamptz) IS
	'all measures of a stored window, segment by segment; primary ones have no verdict yet';

CREATE FUNCTION mlmeta_internal.judge_window(
	monitor mlmeta_internal.monitors,
	baseline mlmeta.monitor_baselines,
	window_start timestamptz,
	until timestamptz
) RETURNS SETOF mlmeta.monitor_results
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	measured mlmeta.monitor_results[];
	judged mlmeta.monitor_results[];
	settled boolean := false;
BEGIN
	measured := ARRAY(SELECT r
		FROM mlmeta_internal.measure_window(monitor, baseline, window_start, until) AS r);
	judged := ARRAY(SELECT r FROM mlmeta_internal.judge_results(monitor, measured) AS r);
	FOR i IN 1 .. cardinality(measured) LOOP
		IF judged[i].verdict = 'undecided' AND judged[i].measure = 'ks' THEN
			measured[i] := mlmeta_internal.settle_result(monitor, baseline, measured[i]);
			settled := settled OR measured[i].is_exact;
		END IF;
	END LOOP;
	IF settled THEN
		judged := ARRAY(SELECT r FROM mlmeta_internal.judge_results(monitor, measured) AS r);
	END IF;
	RETURN QUERY SELECT * FROM unnest(judged);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.judge_window(mlmeta_internal.monitors, mlmeta.monitor_baselines,
	timestamptz, timestamptz) IS
	'the results of a stored window, all segments together; rows are read again only to settle what the bins leave undecided';
