-- Verdicts: stored summaries measured, and judged by one calibrated rule. Nothing
-- here runs what a user wrote.
--
-- The rule (doc/monitoring.md, "What an ordinary day looks like"): of each feature
-- its tests, rows against rows and windows against windows; now, or two in a row;
-- p-values of a window adjusted together over all features and segments; drift if
-- and only if the adjusted p-value is at most the window's rate and the lower
-- confidence bound of the effect is above the tolerance. Quality is judged by the
-- levels of the baseline's windows. All other measures are reported.
--
-- Verdicts are codes; the sentence is made from them last, by the views.

CREATE TYPE mlmeta_internal.result AS (
	measure text,
	is_primary boolean,
	statistic float8,
	statistic_low float8,
	statistic_high float8,
	p_value float8,
	p_star float8,
	adjusted_p float8,
	effect float8,
	effect_low float8,
	effect_high float8,
	usual float8,
	tolerance float8,
	n_reference bigint,
	n_current bigint,
	verdict text,
	status text,
	note text,
	detail text,
	is_exact boolean
);

COMMENT ON TYPE mlmeta_internal.result IS
	'what a check found of one measure of a feature; p_star: before two in a row and adjustment; status and note: why, as codes; detail: what they speak of';

CREATE TYPE mlmeta_internal.feature_results AS (
	feature text,
	position integer,
	results mlmeta_internal.result[]
);

COMMENT ON TYPE mlmeta_internal.feature_results IS
	'the results of a feature in a window';

CREATE TABLE mlmeta.monitor_results (
	monitor bigint NOT NULL,
	window_start timestamptz NOT NULL,
	segment bigint NOT NULL,
	window_end timestamptz NOT NULL,
	q float8,
	features mlmeta_internal.feature_results[] NOT NULL,
	PRIMARY KEY (monitor, window_start, segment)
);

CREATE INDEX monitor_results_segment ON mlmeta.monitor_results
	(monitor, segment, window_start);

COMMENT ON TABLE mlmeta.monitor_results IS
	'what each check found: a row per window and segment, its results packed; people read the view drift_history';
COMMENT ON COLUMN mlmeta.monitor_results.q IS
	'the false discovery rate that the window was judged by';

CREATE TABLE mlmeta.monitor_alarms (
	monitor bigint NOT NULL,
	segment bigint NOT NULL,
	feature text NOT NULL,
	family text NOT NULL,
	window_start timestamptz NOT NULL,
	measure text NOT NULL,
	statistic float8,
	severity text NOT NULL,
	reason text NOT NULL,
	PRIMARY KEY (monitor, segment, feature, family, window_start)
);

CREATE INDEX monitor_alarms_window ON mlmeta.monitor_alarms
	(monitor, window_start);

COMMENT ON TABLE mlmeta.monitor_alarms IS
	'the results that may open an alert, one a feature and family of measures: what counting windows reads instead of all results';

-- Measuring -------------------------------------------------------------------------------

-- What a window of a segment is compared with: the windows before, another
-- segment, the baseline's windows of the same season, the baseline.
CREATE FUNCTION mlmeta_internal.reference_of(
	monitor mlmeta_internal.monitors,
	baseline mlmeta.monitor_baselines,
	segment bigint,
	window_start timestamptz,
	season text
) RETURNS mlmeta.profile
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result mlmeta.profile;
BEGIN
	IF monitor.reference_segment IS NOT NULL THEN
		SELECT mlmeta.attach(w.profile, baseline.profile) INTO result
		FROM mlmeta.segments AS s
			JOIN mlmeta.monitor_windows AS w ON w.monitor = monitor.id AND w.segment = s.id
				AND w.window_start = reference_of.window_start
		WHERE s.monitor = monitor.id AND s.label = monitor.reference_segment AND s.id <> reference_of.segment;
		RETURN result;
	ELSIF baseline.trailing_windows IS NOT NULL THEN
		SELECT mlmeta.attach(mlmeta.merge(t.profile), baseline.profile) INTO result
		FROM (
			SELECT w.profile
			FROM mlmeta.monitor_windows AS w
			WHERE w.monitor = monitor.id AND w.segment = reference_of.segment
				AND w.window_start < reference_of.window_start AND w.baseline = baseline.id
				AND w.profile IS NOT NULL
			ORDER BY w.window_start DESC LIMIT baseline.trailing_windows
		) AS t;
		IF result IS NOT NULL THEN
			RETURN result;
		END IF;
	END IF;
	SELECT coalesce(mlmeta.attach(s.profile, baseline.profile), baseline.profile) INTO result
	FROM mlmeta.monitor_baseline_segments AS s
	WHERE s.baseline = baseline.id AND s.segment = reference_of.segment
		AND s.season IN ('', reference_of.season)
	ORDER BY s.season = '' LIMIT 1;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.reference_of(mlmeta_internal.monitors, mlmeta.monitor_baselines, bigint, timestamptz, text) IS
	'what a window of a segment is compared with; NULL for a segment that the baseline does not have';

-- p* of the window before, by segment, feature and measure, and the sums of CUSUM.
CREATE FUNCTION mlmeta_internal.results_before(
	monitor bigint,
	window_start timestamptz
) RETURNS TABLE (segment bigint, feature text, measure text, p_star float8, effect float8)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT r.segment, f.feature, x.measure, x.p_star, x.effect
	FROM mlmeta.monitor_results AS r,
		LATERAL pg_catalog.unnest(r.features) AS f,
		LATERAL pg_catalog.unnest(f.results) AS x
	WHERE r.monitor = results_before.monitor
		AND r.window_start = (
			SELECT max(w.window_start) FROM mlmeta.monitor_windows AS w
			WHERE w.monitor = results_before.monitor AND w.window_start < results_before.window_start)
		AND x.p_star IS NOT NULL;
END;

COMMENT ON FUNCTION mlmeta_internal.results_before(bigint, timestamptz) IS
	'what the window before said of each measure that is tested';

CREATE FUNCTION mlmeta_internal.usual_note(windows integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN coalesce(windows, 0) < 8 THEN 'nothing is usual' WHEN windows < 14 THEN 'few windows' END;

COMMENT ON FUNCTION mlmeta_internal.usual_note(integer) IS
	'what so many baseline windows are too few for; NULL: for nothing';

CREATE FUNCTION mlmeta_internal.measure_drift(
	monitor mlmeta_internal.monitors,
	baseline mlmeta.monitor_baselines,
	start timestamptz,
	everything bigint
) RETURNS mlmeta_internal.judged[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN ARRAY(
	WITH compared AS MATERIALIZED (
		SELECT w.segment, w.season, w.profile,
			mlmeta_internal.reference_of(measure_drift.monitor, measure_drift.baseline, w.segment, w.window_start, w.season) AS reference
		FROM mlmeta.monitor_windows AS w
		WHERE w.monitor = (measure_drift.monitor).id AND w.window_start = start AND w.profile IS NOT NULL
	), measured AS MATERIALIZED (
		SELECT w.segment, d.*, pg_catalog.sqrt(1.0 / nullif(d.n_current, 0) + 1.0 / nullif(d.n_reference, 0)) AS scale,
			d.status IN ('missing column', 'new column', 'kind changed') AS is_schema
		FROM compared AS w, LATERAL mlmeta.drift(w.reference, w.profile, (measure_drift.monitor).alpha) AS d
	), tested AS (
		SELECT d.*, a.law, a.judged, u.is_dependent,
			CASE WHEN pg_catalog.cardinality(u.effects) >= 8 THEN u.effects END AS effects, u.scales, u.sizes, u.windows,
			pg_catalog.cardinality(u.effects) AS k, p.p_star AS p_before,
			coalesce(l.position, 1000000) AS place, i.primary_measure, a.family,
			CASE WHEN i.primary_measure IS NOT NULL THEN (SELECT x.family FROM mlmeta_internal.all_measures AS x
				WHERE x.monitor IS NULL AND x.measure = i.primary_measure) END AS primary_family
		FROM measured AS d
			LEFT JOIN mlmeta_internal.all_measures AS a ON a.monitor IS NULL AND a.measure = d.measure
			LEFT JOIN mlmeta.monitor_usual AS u ON u.baseline = (measure_drift.baseline).id AND u.segment = d.segment
				AND u.feature = d.feature AND u.measure = d.measure
			LEFT JOIN mlmeta_internal.results_before((measure_drift.monitor).id, start) AS p ON p.segment = d.segment
				AND p.feature = d.feature AND p.measure = d.measure
			LEFT JOIN mlmeta.monitor_feature_list AS l ON l.monitor = (measure_drift.monitor).id AND l.feature = d.feature
			LEFT JOIN mlmeta.monitor_inputs AS i ON i.monitor = (measure_drift.monitor).id AND i.name = l.input
		WHERE NOT d.is_schema
	), starred AS (
		SELECT t.*, s.difference, s.difference_low,
			CASE WHEN t.judged <> 'test' THEN NULL
				WHEN t.law = 'spread' THEN s.p_value
				WHEN t.p_value IS NULL THEN NULL
				ELSE greatest(t.p_value, mlmeta.usual_p_value(t.effect, t.scale, t.effects, t.scales, t.windows, t.law))
			END AS star
		FROM tested AS t
			LEFT JOIN LATERAL mlmeta.spread_test(CASE t.law WHEN 'spread' THEN t.effect END, t.n_current, t.effects,
				t.sizes, t.windows, (measure_drift.monitor).alpha) AS s ON true
	)
	SELECT ROW(t.segment, t.feature, t.place, t.measure,
		CASE WHEN t.primary_measure IS NULL OR t.judged <> 'test' THEN t.is_primary
			-- of its family the one test that was chosen
			ELSE t.is_primary AND (t.primary_measure = t.measure OR t.family <> t.primary_family) END,
		CASE WHEN t.law = 'spread' THEN coalesce(pg_catalog.exp(t.difference), t.statistic) ELSE t.statistic END,
		CASE WHEN t.law = 'spread' THEN coalesce(pg_catalog.exp(t.difference), t.statistic)
			ELSE coalesce(t.statistic_low, t.statistic) END,
		CASE WHEN t.law = 'spread' THEN coalesce(pg_catalog.exp(t.difference), t.statistic)
			ELSE coalesce(t.statistic_high, t.statistic) END,
		t.p_value, t.star,
		CASE WHEN t.is_dependent THEN t.star ELSE mlmeta.two_in_a_row(t.star, t.p_before) END,
		NULL::float8, t.effect,
		CASE WHEN t.law = 'spread' THEN pg_catalog.exp(t.difference_low) - 1 ELSE t.effect_low END,
		CASE WHEN t.law = 'spread' THEN pg_catalog.exp(t.difference_low) - 1 ELSE t.effect_high END,
		NULL::float8, NULL::float8, t.n_reference, t.n_current,
		CASE WHEN t.judged = 'test' AND t.is_primary THEN NULL ELSE 'reported' END, t.status,
		CASE WHEN t.judged <> 'test' OR t.star IS NULL AND t.law <> 'spread' THEN NULL
			WHEN t.is_dependent THEN 'windows depend'
			ELSE mlmeta_internal.usual_note(t.k) END,
		t.value, false)::mlmeta_internal.judged
	FROM starred AS t
	UNION ALL
	SELECT ROW(d.segment, d.feature, coalesce(l.position, 1000000), s.measure, true, NULL, NULL, NULL, NULL, NULL,
		NULL, NULL, NULL, NULL, NULL, NULL, NULL, d.n_reference, d.n_current, 'drift', d.status, NULL, NULL, false)::mlmeta_internal.judged
	FROM measured AS d
		LEFT JOIN mlmeta.monitor_feature_list AS l ON l.monitor = (measure_drift.monitor).id AND l.feature = d.feature,
		mlmeta_internal.all_measures AS s
	WHERE d.is_schema AND d.segment = everything AND s.monitor IS NULL AND s.family = 'schema'
		AND NOT EXISTS (
			SELECT FROM mlmeta.monitor_windows AS w, LATERAL pg_catalog.jsonb_array_elements(w.trouble) AS t
			WHERE w.monitor = (measure_drift.monitor).id AND w.window_start = start AND w.segment = everything
				AND t ->> 'name' = coalesce(l.input, d.feature)));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.measure_drift(mlmeta_internal.monitors,
	mlmeta.monitor_baselines, timestamptz, bigint) IS
	'the measures of a window''s profiles, segment by segment, with p-values and effects; tests have no verdict yet';

-- A trailing baseline is blind to what moves slowly: the distance to the first
-- one is summed up over windows (CUSUM: what is above mean and half a standard
-- deviation of ordinary windows), and judged where it passes six of them.
CREATE FUNCTION mlmeta_internal.measure_slow_drift(
	monitor mlmeta_internal.monitors,
	baseline mlmeta.monitor_baselines,
	start timestamptz
) RETURNS mlmeta_internal.judged[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN ARRAY(
	SELECT ROW(w.segment, d.feature, coalesce(l.position, 1000000), c.measure, true,
		d.statistic, d.statistic_low, d.statistic_high, NULL::float8,
		CASE WHEN s.sum IS NOT NULL THEN 1 END, NULL::float8, NULL::float8, s.sum, d.effect_low, d.effect_high, 6, NULL::float8,
		d.n_reference, d.n_current, CASE WHEN s.sum IS NULL THEN 'too little data'
			WHEN s.sum > 6 AND d.effect_low > coalesce(r.tolerance, (measure_slow_drift.monitor).tolerance) THEN 'drift' ELSE 'no drift' END,
		CASE WHEN s.sum IS NULL THEN 'few windows for a trend' ELSE 'trend' END, NULL, NULL, false)::mlmeta_internal.judged
	FROM mlmeta.monitor_windows AS w
		JOIN mlmeta.monitor_baseline_segments AS x ON x.baseline = (measure_slow_drift.baseline).id AND x.segment = w.segment AND x.season = ''
		CROSS JOIN LATERAL mlmeta.drift(mlmeta.attach(x.profile, (measure_slow_drift.baseline).profile), w.profile, (measure_slow_drift.monitor).alpha) AS d
		JOIN mlmeta_internal.all_measures AS a ON a.monitor IS NULL AND a.measure = d.measure
			AND a.law = 'distance' AND a.family = 'distribution'
		JOIN mlmeta_internal.all_measures AS c ON c.judged = 'cusum'
		LEFT JOIN mlmeta.monitor_usual AS u ON u.baseline = (measure_slow_drift.baseline).id AND u.segment = w.segment
			AND u.feature = d.feature AND u.measure = d.measure
		LEFT JOIN mlmeta_internal.results_before((measure_slow_drift.monitor).id, start) AS p ON p.segment = w.segment
			AND p.feature = d.feature AND p.measure = c.measure
		LEFT JOIN mlmeta.monitor_feature_list AS l ON l.monitor = (measure_slow_drift.monitor).id AND l.feature = d.feature
		LEFT JOIN LATERAL mlmeta_internal.rule_of((measure_slow_drift.monitor).id, d.feature, c.measure, '', c.unit) AS r ON true,
		LATERAL (
			SELECT greatest(0, coalesce(p.effect, 0) + (pg_catalog.abs(d.effect) - avg(pg_catalog.abs(e)))
				/ nullif(stddev_samp(pg_catalog.abs(e)), 0) - 0.5) AS sum
			FROM pg_catalog.unnest(u.effects) AS e HAVING count(*) >= 4
		) AS s
	WHERE w.monitor = (measure_slow_drift.monitor).id AND w.window_start = start AND w.profile IS NOT NULL
		AND (measure_slow_drift.baseline).trailing_windows IS NOT NULL AND d.effect IS NOT NULL);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.measure_slow_drift(mlmeta_internal.monitors,
	mlmeta.monitor_baselines, timestamptz) IS
	'the distance of a window to the first baseline of a trailing one, summed up over windows';

CREATE TYPE mlmeta_internal.level AS (
	segment bigint,
	window_start timestamptz,
	feature text,
	measure text,
	figure float8,
	error float8,
	n bigint,
	past float8
);

COMMENT ON TYPE mlmeta_internal.level IS
	'quality, an estimate or an own measure of a window: the figure, its standard error, how many rows it is of, and by how much estimates were off before';

CREATE FUNCTION mlmeta_internal.levels_of(
	monitor mlmeta_internal.monitors,
	starts timestamptz[]
) RETURNS mlmeta_internal.level[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result mlmeta_internal.level[];
BEGIN
	IF monitor.task IS NULL AND NOT EXISTS (SELECT FROM mlmeta.monitor_measures AS o
			WHERE o.monitor = (levels_of.monitor).id) THEN
		RETURN '{}';
	END IF;
	EXECUTE format('SELECT array_agg(ROW(l.segment, l.window_start, l.feature, l.measure, l.figure, l.error, l.n, l.past)::mlmeta_internal.level) FROM (%s) AS l',
		mlmeta_internal.level_query(monitor, 'mlmeta.monitor_windows AS w', false))
	INTO result USING monitor.id, starts;
	RETURN coalesce(result, '{}');
END
$$;

COMMENT ON FUNCTION mlmeta_internal.levels_of(mlmeta_internal.monitors, timestamptz[]) IS
	'quality, estimates and own measures of windows, of all of them in one query';

CREATE FUNCTION mlmeta_internal.measure_levels(
	monitor mlmeta_internal.monitors,
	baseline mlmeta.monitor_baselines,
	start timestamptz,
	is_mature boolean,
	levels mlmeta_internal.level[]
) RETURNS mlmeta_internal.judged[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN ARRAY(
	SELECT ROW(l.segment, l.feature, 10000000, l.measure, j.is_level OR a.judged = 'bounds',
		l.figure, l.figure - coalesce(o.past, 0), l.figure + coalesce(o.past, 0), NULL, t.p_value,
		t.p_value, NULL, l.figure - t.mean, l.figure - 1.959964 * l.error,
		l.figure + 1.959964 * l.error, coalesce(t.usual_limit, CASE WHEN l.figure > a.high THEN a.high WHEN l.figure < a.low THEN a.low END),
		NULL, cardinality(u.effects), l.n, CASE
			WHEN a.judged = 'bounds' AND l.figure IS NULL THEN 'no data'
			WHEN a.judged = 'bounds' THEN CASE WHEN l.figure < a.low OR l.figure > a.high THEN 'drift' ELSE 'no drift' END
			WHEN NOT j.is_level THEN 'reported'
			WHEN a.law = 'label' AND NOT is_mature THEN 'too little data'
			WHEN l.figure IS NULL THEN 'no data'
			WHEN a.law = 'label' AND w.labelled < monitor.label_coverage * w.row_count THEN 'too little data'
			WHEN coalesce(cardinality(u.effects), 0) < 2 THEN 'too little data'
		END, CASE
			WHEN a.judged = 'bounds' THEN CASE WHEN l.figure IS NULL THEN 'no figure' ELSE 'bounds' END
			WHEN NOT j.is_level THEN 'ok'
			WHEN a.law = 'label' AND NOT is_mature THEN 'young labels'
			WHEN l.figure IS NULL THEN 'no figure'
			WHEN a.law = 'label' AND w.labelled < monitor.label_coverage * w.row_count THEN 'few labels'
			WHEN coalesce(cardinality(u.effects), 0) < 2 THEN 'few windows with labels'
			ELSE 'level' END,
		CASE WHEN o.past IS NOT NULL THEN 'past error' WHEN cardinality(u.effects) BETWEEN 2 AND 13 THEN 'few windows' END,
		CASE WHEN l.figure < t.usual_limit AND t.usual_limit <= t.mean THEN 'below'
			WHEN l.figure > t.usual_limit AND t.usual_limit >= t.mean THEN 'above' END, false)::mlmeta_internal.judged
	FROM unnest(levels) AS l
		JOIN mlmeta.monitor_windows AS w ON w.monitor = (measure_levels.monitor).id
			AND w.window_start = l.window_start AND w.segment = l.segment
		JOIN mlmeta_internal.all_measures AS a ON a.measure = l.measure
			AND (a.monitor IS NULL OR a.monitor = (measure_levels.monitor).id)
		LEFT JOIN mlmeta.monitor_usual AS u ON u.baseline = (measure_levels.baseline).id
			AND u.segment = l.segment AND u.feature = l.feature AND u.measure = l.measure
		CROSS JOIN LATERAL (SELECT a.judged = 'level'
			AND coalesce((measure_levels.monitor).task = ANY (a.judged_for), a.law = 'own') AS is_level) AS j
		CROSS JOIN LATERAL (SELECT coalesce(l.past, (SELECT avg(e) FROM unnest(u.scales) AS e)) AS past) AS o
		LEFT JOIN LATERAL mlmeta_internal.level_against(l.figure, a.direction, coalesce(o.past, 0), l.error, u.effects) AS t
			ON a.judged = 'level'
	WHERE l.window_start = start);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.measure_levels(mlmeta_internal.monitors,
	mlmeta.monitor_baselines, timestamptz, boolean, mlmeta_internal.level[]) IS
	'quality, estimates and own measures of a window beside the levels of the baseline''s windows; those that are tested have no verdict yet';

-- An estimate must lie beyond what is usual by more than it was off before.
CREATE FUNCTION mlmeta_internal.level_against(
	figure float8,
	direction text,
	past float8,
	error float8,
	levels float8[]
) RETURNS TABLE (mean float8, usual_limit float8, p_value float8)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
	SELECT t.mean, t.usual_limit, CASE direction WHEN 'both' THEN least(1, 2 * t.p_value) ELSE t.p_value END
	FROM (SELECT CASE WHEN direction = 'below' OR direction = 'both' AND figure < (SELECT avg(l) FROM pg_catalog.unnest(levels) AS l)
			THEN -1 ELSE 1 END AS side) AS s,
		LATERAL mlmeta.level_test(figure - s.side * past, s.side, error, levels) AS t;
END;

COMMENT ON FUNCTION mlmeta_internal.level_against(float8, text, float8, float8, float8[]) IS
	'level_test() on the side that is worse, of an estimate less what it was off before';

-- How many rows are usual: from the fewest to the most of the baseline's windows
-- of the same season, each moved out by the tolerance and three standard
-- deviations of a count.
CREATE FUNCTION mlmeta_internal.measure_rows(
	monitor mlmeta_internal.monitors,
	baseline mlmeta.monitor_baselines,
	start timestamptz,
	everything bigint
) RETURNS mlmeta_internal.judged[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN ARRAY(
	WITH judged AS (
		SELECT w.segment, w.row_count, a.measure, s.row_count AS rows_before,
			u.n AS windows, greatest(u.lowest, 0) AS lowest, u.highest, CASE
				-- Of a small segment, no rows may be as usual as some.
				WHEN w.row_count = 0 AND (u.lowest > 0 OR u.n < 3 AND w.segment = everything) THEN 'no data'
				WHEN u.n < 3 THEN 'too little data'
				WHEN w.row_count < u.lowest OR w.row_count > u.highest THEN 'drift'
				ELSE 'no drift'
			END AS verdict
		FROM mlmeta.monitor_windows AS w
			JOIN mlmeta_internal.all_measures AS a ON a.judged = 'range'
			LEFT JOIN mlmeta.monitor_usual AS x ON x.baseline = (measure_rows.baseline).id AND x.segment = w.segment
				AND x.feature = '' AND x.measure = a.measure
			LEFT JOIN mlmeta.monitor_baseline_segments AS s ON s.baseline = (measure_rows.baseline).id
				AND s.segment = w.segment AND s.season = ''
			LEFT JOIN LATERAL mlmeta_internal.rule_of(w.monitor, '', a.measure, (SELECT g.label
				FROM mlmeta.segments AS g WHERE g.id = w.segment), a.unit) AS r ON true,
			LATERAL (SELECT pg_catalog.date_part('epoch', w.window_end - w.window_start) / 86400 AS days,
				coalesce(r.tolerance, a.tolerance) AS tolerance) AS d,
			LATERAL (
				SELECT pg_catalog.min(e.rate) * d.days * (1 - d.tolerance)
						- 3 * pg_catalog.sqrt(pg_catalog.min(e.rate) * d.days) AS lowest,
					pg_catalog.max(e.rate) * d.days * (1 + d.tolerance)
						+ 3 * pg_catalog.sqrt(pg_catalog.max(e.rate) * d.days) AS highest,
					pg_catalog.count(e.rate) AS n
				FROM ROWS FROM (pg_catalog.unnest(x.effects), pg_catalog.unnest(x.seasons)) AS e (rate, season)
				WHERE e.season = w.season OR (SELECT pg_catalog.count(*) FROM pg_catalog.unnest(x.seasons) AS o (season)
					WHERE o.season = w.season) < 3
			) AS u
		WHERE w.monitor = (measure_rows.monitor).id AND w.window_start = start
			AND NOT (w.segment = everything AND coalesce(mlmeta_internal.part_names(w.trouble, 'window') <> '{}', false))
	)
	SELECT ROW(j.segment, '', 0, j.measure, true, j.row_count, j.row_count, j.row_count, NULL::float8,
		NULL::float8, NULL::float8, NULL::float8, NULL::float8, j.lowest, j.highest,
		CASE WHEN j.windows >= 3 THEN CASE WHEN j.row_count > j.highest THEN j.highest ELSE j.lowest END END,
		CASE WHEN j.windows >= 3 THEN CASE WHEN j.row_count > j.highest THEN j.highest ELSE j.lowest END END,
		j.rows_before, j.row_count, j.verdict,
		CASE WHEN j.verdict = 'no data' THEN 'no rows' WHEN j.windows < 3 THEN 'few whole windows' ELSE 'range' END,
		NULL, NULL, false)::mlmeta_internal.judged
	FROM judged AS j
	UNION ALL
	-- A segment that the baseline does not have.
	SELECT ROW(w.segment, '', 0, a.measure, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
		NULL, NULL, 0, w.row_count, 'too little data', 'new segment', NULL, NULL, false)::mlmeta_internal.judged
	FROM mlmeta.monitor_windows AS w
		JOIN mlmeta_internal.all_measures AS a ON a.monitor IS NULL AND a.family = 'segment'
	WHERE w.monitor = (measure_rows.monitor).id AND w.window_start = start AND w.row_count > 0
		AND NOT EXISTS (SELECT FROM mlmeta.monitor_baseline_segments AS s
			WHERE s.baseline = (measure_rows.baseline).id AND s.segment = w.segment));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.measure_rows(mlmeta_internal.monitors,
	mlmeta.monitor_baselines, timestamptz, bigint) IS
	'whether each segment of a window has as many rows as usual, and which segments are new';

-- What is there at all is what is wrong: poison among labels and scores, columns
-- that have changed, what could not be read, rows that came late or are gone.
CREATE FUNCTION mlmeta_internal.measure_facts(
	monitor mlmeta_internal.monitors,
	start timestamptz,
	everything bigint
) RETURNS mlmeta_internal.judged[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN ARRAY(
	SELECT ROW(w.segment, coalesce((measure_facts.monitor).score_column, (measure_facts.monitor).prediction_column, (measure_facts.monitor).probability_columns[1], ''),
		10000000, a.measure, true, w.invalid::float8 / w.row_count, w.invalid::float8 / w.row_count,
		w.invalid::float8 / w.row_count, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8,
		NULL::float8, NULL::float8, NULL::float8, coalesce(r.tolerance, a.tolerance), NULL::bigint, w.row_count,
		CASE WHEN w.invalid::float8 / w.row_count > coalesce(r.tolerance, a.tolerance) THEN 'drift' ELSE 'no drift' END,
		'invalid', NULL::text, w.invalid::text, false)::mlmeta_internal.judged
	FROM mlmeta.monitor_windows AS w
		JOIN mlmeta_internal.all_measures AS a ON a.monitor IS NULL AND a.family = 'invalid'
		LEFT JOIN LATERAL mlmeta_internal.rule_of(w.monitor, coalesce((measure_facts.monitor).score_column,
			(measure_facts.monitor).prediction_column, ''), a.measure, '', a.unit) AS r ON true
	WHERE w.monitor = (measure_facts.monitor).id AND w.window_start = start AND w.invalid > 0 AND w.row_count > 0
	UNION ALL
	SELECT ROW(everything, CASE WHEN t ->> 'kind' IN ('feature', 'schema', 'quality', 'segment', 'measure') THEN t ->> 'name' ELSE '' END,
		coalesce(l.position, 0), a.measure, true, (t ->> 'rows')::float8, (t ->> 'rows')::float8, (t ->> 'rows')::float8,
		NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
		CASE WHEN a.judged = 'report' THEN 'reported' WHEN t ->> 'kind' = 'schema' THEN 'drift' ELSE 'no data' END,
		CASE WHEN t ->> 'kind' = 'schema' THEN t ->> 'problem' ELSE t ->> 'kind' END, NULL,
		coalesce(t ->> 'detail', pg_catalog.format('%s (%s)', t ->> 'message', t ->> 'sqlstate')), false)::mlmeta_internal.judged
	FROM mlmeta.monitor_windows AS w,
		LATERAL pg_catalog.jsonb_array_elements(w.trouble) AS t
		JOIN mlmeta_internal.all_measures AS a ON a.monitor IS NULL AND a.family = CASE t ->> 'kind'
			WHEN 'schema' THEN 'schema' WHEN 'late' THEN 'late' WHEN 'gone' THEN 'gone' ELSE 'check' END
		LEFT JOIN mlmeta.monitor_feature_list AS l ON l.monitor = (measure_facts.monitor).id AND l.feature = t ->> 'name'
	WHERE w.monitor = (measure_facts.monitor).id AND w.window_start = start AND w.segment = everything);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.measure_facts(mlmeta_internal.monitors, timestamptz, bigint) IS
	'what alarms by being there: invalid labels and scores, schema changes, what could not be read; and rows that came late or are gone';

-- Judging ---------------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.p_text(p float8) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN p = 0 THEN '0' WHEN p >= 0.001 THEN pg_catalog.trim_scale(pg_catalog.round(p::numeric, 3))::text
	ELSE pg_catalog.btrim(pg_catalog.to_char(p, '9.9EEEE')) END;

COMMENT ON FUNCTION mlmeta_internal.p_text(float8) IS
	'a p-value for people';

CREATE FUNCTION mlmeta_internal.judge_results(
	monitor mlmeta_internal.monitors,
	baseline bigint,
	measured mlmeta_internal.judged[]
) RETURNS mlmeta_internal.judged[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN ARRAY(
	WITH numbered AS MATERIALIZED (
		SELECT r.*, a.judged AS way, a.law, a.direction, a.judged = 'level' AS is_level,
			coalesce(o.tolerance, CASE WHEN a.unit = 'distance' OR a.tolerance IS NULL THEN (judge_results.monitor).tolerance
				ELSE a.tolerance END) AS limit_of_effect,
			mlmeta_internal.window_q(judge_results.monitor) AS q
		FROM pg_catalog.unnest(measured) WITH ORDINALITY AS r (segment, feature, "position", measure,
			is_primary, statistic, statistic_low, statistic_high, p_value, p_star, p_row, adjusted_p, effect,
			effect_low, effect_high, usual, tolerance, n_reference, n_current, verdict, status, note, detail,
			is_exact, n)
			LEFT JOIN mlmeta_internal.all_measures AS a ON a.measure = r.measure
				AND (a.monitor IS NULL OR a.monitor = (judge_results.monitor).id)
			LEFT JOIN LATERAL (SELECT x.tolerance FROM mlmeta_internal.rule_of((judge_results.monitor).id,
				r.feature, r.measure, (SELECT g.label FROM mlmeta.segments AS g WHERE g.id = r.segment), a.unit) AS x
				WHERE EXISTS (SELECT FROM mlmeta.monitor_rules AS y WHERE y.monitor = (judge_results.monitor).id)) AS o
				ON true
	), tests AS (
		SELECT pg_catalog.array_agg(t.n ORDER BY t.n) AS n, pg_catalog.count(t.p_row) AS tests,
			mlmeta.benjamini_hochberg(pg_catalog.array_agg(t.p_row ORDER BY t.n),
				(judge_results.monitor).correction) AS p
		FROM numbered AS t
		WHERE t.verdict IS NULL
		GROUP BY t.is_level
	), adjusted AS (
		SELECT u.n, u.p, t.tests
		FROM tests AS t, ROWS FROM (pg_catalog.unnest(t.n), pg_catalog.unnest(t.p)) AS u (n, p)
	), decided AS (
		SELECT r.*, a.p AS new_p, a.tests, CASE
				WHEN r.verdict IS NOT NULL THEN r.verdict
				WHEN r.status = 'too little data' THEN 'too little data'
				-- where values do not vary, takeover says so
				WHEN r.law = 'spread' AND r.p_row IS NULL THEN 'too little data'
				WHEN r.status NOT IN ('ok', 'constant', 'level') AND r.p_row IS NULL THEN 'no data'
				WHEN r.is_level THEN CASE WHEN a.p <= r.q AND (r.direction <> 'above' AND r.statistic < r.usual - r.limit_of_effect
						AND r.detail = 'below' OR r.direction <> 'below' AND r.statistic > r.usual + r.limit_of_effect AND r.detail = 'above')
					THEN 'drift' ELSE 'no drift' END
				WHEN a.p <= r.q AND r.effect_low > r.limit_of_effect THEN 'drift'
				WHEN a.p <= r.q AND r.effect_high > r.limit_of_effect THEN 'undecided'
				ELSE 'no drift'
			END AS new_verdict
		FROM numbered AS r
			LEFT JOIN adjusted AS a ON a.n = r.n
	)
	SELECT ROW(j.segment, j.feature, j."position", j.measure, j.is_primary, j.statistic, j.statistic_low,
		j.statistic_high, j.p_value, j.p_star, j.p_row, j.new_p, j.effect, j.effect_low, j.effect_high,
		-- no distance is above 1
		CASE WHEN j.law = 'distance' AND x.usual > 1 THEN 1 ELSE x.usual END,
		CASE WHEN j.is_level AND j.verdict IS NULL THEN j.usual WHEN j.verdict IS NULL OR j.way = 'cusum'
			THEN j.limit_of_effect ELSE j.tolerance END,
		j.n_reference, j.n_current, j.new_verdict,
		CASE WHEN j.verdict IS NULL AND NOT j.is_level AND j.law = 'spread' AND j.p_row IS NULL AND j.status = 'ok' THEN 'few windows for a spread'
			WHEN j.verdict IS NULL AND j.new_verdict = 'no drift' AND j.new_p <= j.q AND NOT j.is_level THEN 'small effect'
			ELSE j.status END,
		CASE WHEN j.law = 'distance' AND x.usual >= 1 THEN 'anything is usual' ELSE j.note END,
		j.detail, j.is_exact)::mlmeta_internal.judged
	FROM decided AS j
		LEFT JOIN mlmeta.monitor_usual AS u ON u.baseline = judge_results.baseline AND u.segment = j.segment
			AND u.feature = j.feature AND u.measure = j.measure,
		LATERAL (SELECT CASE WHEN j.verdict IS NULL AND NOT j.is_level AND j.p_row IS NOT NULL AND j.law <> 'spread'
			THEN mlmeta.usual_effect(j.q / j.tests, pg_catalog.sqrt(1.0 / j.n_reference + 1.0 / j.n_current),
				CASE WHEN pg_catalog.cardinality(u.effects) >= 8 THEN u.effects END, u.scales, u.windows, j.law)
			ELSE j.usual END AS usual) AS x
	ORDER BY j.n);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.judge_results(mlmeta_internal.monitors, bigint, mlmeta_internal.judged[]) IS
	'the verdicts of measured results by the monitor''s rule; p-values of a window are adjusted together, those of features and those of levels each for themselves';

CREATE FUNCTION mlmeta_internal.measure_window(
	monitor mlmeta_internal.monitors,
	baseline mlmeta.monitor_baselines,
	start timestamptz,
	until timestamptz,
	levels mlmeta_internal.level[]
) RETURNS mlmeta_internal.judged[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	everything bigint := (SELECT s.id FROM mlmeta.segments AS s
		WHERE s.monitor = (measure_window.monitor).id AND s.label = '');
	measured mlmeta_internal.judged[] := mlmeta_internal.measure_rows(monitor, baseline, start, everything)
		|| mlmeta_internal.measure_facts(monitor, start, everything)
		|| mlmeta_internal.measure_drift(monitor, baseline, start, everything);
BEGIN
	IF baseline.trailing_windows IS NOT NULL THEN
		measured := measured || mlmeta_internal.measure_slow_drift(monitor, baseline, start);
	END IF;
	IF levels <> '{}' THEN
		measured := measured || mlmeta_internal.measure_levels(monitor, baseline, start,
			mlmeta_internal.windows_on(monitor, start, 1) + monitor.label_delay <= until, levels);
	END IF;
	RETURN ARRAY(SELECT m FROM unnest(measured) AS m
		ORDER BY m.segment, m.position, m.feature, m.is_primary DESC, m.measure);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.measure_window(mlmeta_internal.monitors, mlmeta.monitor_baselines,
	timestamptz, timestamptz, mlmeta_internal.level[]) IS
	'all measures of a stored window, segment by segment; those that are tested have no verdict yet';

-- How many features of how many drifted: the drift of the inputs as a whole.
CREATE FUNCTION mlmeta_internal.sum_up(judged mlmeta_internal.judged[])
RETURNS mlmeta_internal.judged[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN ARRAY(
	SELECT ROW(j.segment, '', 0, s.measure, false, j.drifted::float8 / j.features, j.drifted::float8 / j.features,
		j.drifted::float8 / j.features, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8,
		NULL::float8, NULL::float8, NULL::float8, NULL::float8, j.features, j.drifted, 'reported', 'drifted',
		NULL, NULL, false)::mlmeta_internal.judged
	FROM (
		SELECT r.segment, pg_catalog.count(DISTINCT r.feature) AS features,
			pg_catalog.count(DISTINCT r.feature) FILTER (WHERE r.verdict = 'drift') AS drifted
		FROM pg_catalog.unnest(judged) AS r
			JOIN mlmeta_internal.all_measures AS a ON a.monitor IS NULL AND a.measure = r.measure
		WHERE r.is_primary AND a.family IN ('distribution', 'missing', 'schema')
		GROUP BY r.segment
	) AS j
		JOIN mlmeta_internal.all_measures AS s ON s.monitor IS NULL AND s.family = 'summary');
END
$$;

COMMENT ON FUNCTION mlmeta_internal.sum_up(mlmeta_internal.judged[]) IS
	'of each segment of a window, how many features of how many drifted';

CREATE FUNCTION mlmeta_internal.store_results(
	monitor mlmeta_internal.monitors,
	start timestamptz,
	judged mlmeta_internal.judged[]
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO mlmeta.monitor_results AS r (monitor, window_start, segment, window_end, q, features)
	SELECT (store_results.monitor).id, start, f.segment, mlmeta_internal.windows_on(store_results.monitor, start, 1),
		mlmeta_internal.window_q(store_results.monitor),
		pg_catalog.array_agg(ROW(f.feature, f.position, f.results)::mlmeta_internal.feature_results
			ORDER BY f.position, f.feature)
	FROM (
		SELECT j.segment, j.feature, pg_catalog.min(j.position) AS position,
			pg_catalog.array_agg(ROW(j.measure, j.is_primary, j.statistic, nullif(j.statistic_low, j.statistic),
				nullif(j.statistic_high, j.statistic), j.p_value, j.p_star, j.adjusted_p, j.effect, j.effect_low,
				nullif(j.effect_high, j.effect_low), j.usual, j.tolerance, j.n_reference, j.n_current, j.verdict, j.status, j.note,
				j.detail, nullif(j.is_exact, false))::mlmeta_internal.result ORDER BY j.is_primary DESC, j.measure) AS results
		FROM pg_catalog.unnest(judged) AS j
		GROUP BY j.segment, j.feature
	) AS f
	GROUP BY f.segment
	ON CONFLICT ON CONSTRAINT monitor_results_pkey DO UPDATE
	SET window_end = excluded.window_end, q = excluded.q, features = excluded.features;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.store_results(mlmeta_internal.monitors, timestamptz, mlmeta_internal.judged[]) IS
	'packs the results of a window, a row a segment; what repeats the statistic is NULL in them';

-- In words -------------------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.reason_of(
	result mlmeta_internal.result,
	q float8,
	measure_unit text
) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	r CONSTANT mlmeta_internal.result := result;
	words text;
BEGIN
	words := CASE r.status
		WHEN 'range' THEN format('%s rows, from %s to %s are usual', r.n_current, round(r.effect_low::numeric),
			round(coalesce(r.effect_high, r.effect_low)::numeric))
		WHEN 'no rows' THEN 'no rows in the window'
		WHEN 'few whole windows' THEN 'the baseline has fewer than three whole windows'
		WHEN 'new segment' THEN 'the segment is new: the baseline has no rows of it'
		WHEN 'few windows for a spread' THEN 'the baseline has fewer than eight windows to say what spread is usual'
		WHEN 'few windows for a trend' THEN 'the baseline has fewer than four windows to say what distance is usual'
		WHEN 'trend' THEN format('what is above usual adds up to %s standard deviations over the windows, 6 are tolerated', round(r.effect::numeric, 1))
		WHEN 'invalid' THEN format('%s of %s labels, scores or predictions are none', r.detail, r.n_current)
		WHEN 'drifted' THEN format('%s of %s features', r.n_current, r.n_reference)
		WHEN 'late' THEN format('%s rows came after the window was read for the last time', r.statistic)
		WHEN 'gone' THEN format('%s rows are gone since the window was judged: what was judged stays', r.statistic)
		WHEN 'missing column' THEN 'missing column'
		WHEN 'renamed' THEN format('missing column: it is called "%s" now', r.detail)
		WHEN 'type changed' THEN format('type changed %s', r.detail)
		WHEN 'window' THEN format('the window cannot be read: %s', r.detail)
		WHEN 'failed' THEN format('the check failed: %s', r.detail)
		WHEN 'segment' THEN format('the segment failed: %s', r.detail)
		WHEN 'feature' THEN format('reading failed: %s', r.detail)
		WHEN 'quality' THEN format('reading failed: %s', r.detail)
		WHEN 'measure' THEN format('the measure failed: %s', r.detail)
		WHEN 'fresh' THEN coalesce(format('the newest row is of %s', r.detail), 'there are no rows')
		WHEN 'future' THEN format('%s rows are in the future, up to %s', r.n_current, r.detail)
		WHEN 'bounds' THEN format('%s, bounds are given', round(r.statistic::numeric, 4))
		WHEN 'no figure' THEN CASE measure_unit WHEN 'points' THEN 'no labels of both classes yet' ELSE 'no labels yet' END
		WHEN 'young labels' THEN 'labels are not complete yet'
		WHEN 'few labels' THEN format('%s rows have a label, more are asked for', r.n_current)
		WHEN 'few windows with labels' THEN 'the baseline has fewer than two windows with labels'
		WHEN 'level' THEN format('%s of %s baseline windows%s', CASE
				WHEN r.usual IS NULL THEN 'nothing is usual'
				ELSE format('%s the %s usual %s: three standard deviations from the mean',
					CASE WHEN r.statistic < r.usual THEN 'below' ELSE 'above' END,
					CASE WHEN measure_unit = 'points' OR r.usual < r.statistic - r.effect THEN 'lowest' ELSE 'highest' END,
					round(r.usual::numeric, 4)) END, r.n_reference,
			CASE WHEN r.verdict = 'no drift' AND r.detail IS NOT NULL AND r.adjusted_p > q
				THEN format(', but with %s rows that may be chance: adjusted p %s', r.n_current,
					mlmeta_internal.p_text(r.adjusted_p)) ELSE '' END)
		WHEN 'small effect' THEN format('significant, but not surely above the tolerance of %s', r.tolerance)
		WHEN 'ok' THEN CASE
			WHEN r.verdict = 'drift' THEN format('at least %s %s with confidence 0.95, %s tolerated; adjusted p %s',
				round(r.effect_low::numeric, 3), CASE measure_unit WHEN 'ratio' THEN 'more or less spread' WHEN 'share' THEN 'of the rows' ELSE 'apart' END,
				r.tolerance, mlmeta_internal.p_text(r.adjusted_p))
			WHEN r.verdict = 'undecided' THEN 'the bins leave open whether the tolerance is passed'
			WHEN r.adjusted_p IS NOT NULL THEN format('adjusted p %s', mlmeta_internal.p_text(r.adjusted_p))
			ELSE 'ok' END
		ELSE r.status END;
	RETURN words || CASE WHEN r.is_exact THEN '; settled by the rows' ELSE '' END
		|| CASE WHEN r.detail IS NOT NULL AND r.status = 'ok' THEN format('; %s', r.detail) ELSE '' END
		|| CASE r.note WHEN 'few windows' THEN '; few windows' WHEN 'nothing is usual' THEN '; what is usual between windows is not known'
			WHEN 'windows depend' THEN '; windows are autocorrelated'
			WHEN 'anything is usual' THEN '; baseline windows differ so much from each other that any distance is usual'
			WHEN 'past error' THEN coalesce('; estimates were off by '
				|| round((coalesce(r.statistic_high, r.statistic) - r.statistic)::numeric, 4) || ' on average before', '') ELSE '' END;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.reason_of(mlmeta_internal.result, float8, text) IS
	'why a result has its verdict, in words';

-- The window as it is judged, with what the rows say where the bins leave it open.
CREATE FUNCTION mlmeta_internal.judge_window(
	monitor mlmeta_internal.monitors,
	baseline mlmeta.monitor_baselines,
	start timestamptz,
	until timestamptz,
	levels mlmeta_internal.level[]
) RETURNS mlmeta_internal.judged[]
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	most CONSTANT integer := 100;
	measured mlmeta_internal.judged[] := mlmeta_internal.measure_window(monitor, baseline, start, until, levels);
	judged mlmeta_internal.judged[];
	places integer[];
	settled record;
	one mlmeta_internal.judged;
BEGIN
	judged := mlmeta_internal.judge_results(monitor, baseline.id, measured);
	places := ARRAY(SELECT g FROM generate_subscripts(judged, 1) AS g
		WHERE judged[g].verdict = 'undecided' AND judged[g].statistic_low < judged[g].statistic_high
		ORDER BY g LIMIT most);
	IF places <> '{}' THEN
		FOR settled IN
			SELECT * FROM mlmeta_internal.settle_results(monitor, baseline, start,
				ARRAY(SELECT measured[p] FROM unnest(places) WITH ORDINALITY AS u (p, n) ORDER BY n))
		LOOP
			one := measured[places[settled.n]];
			one.statistic := settled.statistic;
			one.statistic_low := settled.statistic;
			one.statistic_high := settled.statistic;
			one.p_value := settled.p_value;
			one.effect_low := mlmeta.ks_lower_bound(settled.statistic, one.n_reference, one.n_current, monitor.alpha);
			one.effect_high := one.effect_low;
			one.is_exact := true;
			measured[places[settled.n]] := one;
		END LOOP;
		judged := mlmeta_internal.judge_results(monitor, baseline.id, measured);
	END IF;
	RETURN judged || mlmeta_internal.sum_up(judged);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.judge_window(mlmeta_internal.monitors, mlmeta.monitor_baselines,
	timestamptz, timestamptz, mlmeta_internal.level[]) IS
	'the results of a stored window, all segments together; rows are read again only to settle what the bins leave undecided';
