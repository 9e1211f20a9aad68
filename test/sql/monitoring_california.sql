-- Monitoring on real data: twelve months of a classifier of Californian house
-- prices (NannyML, Apache-2.0, see test/data/california_housing_LICENSE),
-- against what NannyML 0.13.1 found in the same months.
SET search_path = public, mlmeta;
SET TIME ZONE 'UTC';
SET extra_float_digits = 0;
SET datestyle = 'ISO';
\set SHOW_CONTEXT never

CREATE TABLE california (
	id int PRIMARY KEY, "MedInc" float8, "HouseAge" float8, "AveRooms" float8,
	"AveBedrms" float8, "Population" float8, "AveOccup" float8,
	"Latitude" float8, "Longitude" float8, at timestamp, label int,
	y_pred_proba float8, y_pred int);
CREATE TABLE california_late (id int PRIMARY KEY, label int);
\copy california FROM PROGRAM 'gzip -dc test/data/california_housing_reference.csv.gz' WITH (FORMAT csv, HEADER)
\copy california (id, "MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude", at, y_pred_proba, y_pred) FROM PROGRAM 'gzip -dc test/data/california_housing_analysis.csv.gz' WITH (FORMAT csv, HEADER)
\copy california_late FROM PROGRAM 'gzip -dc test/data/california_housing_analysis_gt.csv.gz' WITH (FORMAT csv, HEADER)

SELECT create_monitor('california',
	'SELECT c.*, coalesce(c.label, l.label) AS truth FROM california AS c LEFT JOIN california_late AS l USING (id)',
	'at', '1 month',
	features => ARRAY['MedInc', 'HouseAge', 'AveRooms', 'AveBedrms', 'Population',
		'AveOccup', 'Latitude', 'Longitude', 'y_pred_proba'],
	label => 'truth', score => 'y_pred_proba', threshold => 0.8) > 0 AS created;
SELECT set_baseline('california', '2020-10-01', '2021-06-01') > 0 AS baseline;

-- Only complete windows are checked, and each once.
SELECT count(DISTINCT window_start) AS windows FROM check_monitor('california', '2021-09-30');
SELECT count(DISTINCT window_start) AS windows FROM check_monitor('california', '2022-06-01');
SELECT count(*) AS again FROM check_monitor('california', '2022-06-01');

CREATE TEMP TABLE golden (
	month text, chunk_index int, start_index int, end_index int, period text,
	series text, sampling_error float8, value float8, upper_threshold float8,
	lower_threshold float8, alert boolean);
\copy golden FROM PROGRAM 'gzip -dc test/data/nannyml_california_performance_month.csv.gz' WITH (FORMAT csv, HEADER)
CREATE TEMP TABLE golden_drift (
	month text, chunk_index int, start_index int, end_index int, period text,
	series text, value float8, upper_threshold float8, lower_threshold float8,
	alert boolean);
\copy golden_drift FROM PROGRAM 'gzip -dc test/data/nannyml_california_univariate_month.csv.gz' WITH (FORMAT csv, HEADER)

-- Realised quality: the same numbers, the same limit, the same months.
SELECT count(*) AS months,
	bool_and(abs(q.roc_auc - g.value) < 1e-12) AS roc_auc_agrees,
	bool_and(abs(q.lowest_usual - g.lower_threshold) < 1e-12) AS limit_agrees,
	bool_and((q.verdict = 'drift') = g.alert) AS verdicts_agree,
	string_agg(g.month, ' ' ORDER BY g.month) FILTER (WHERE q.verdict = 'drift') AS fallen
FROM quality_history AS q
	JOIN golden AS g ON g.month = to_char(q.window_start, 'YYYY-MM')
WHERE q.monitor = 'california' AND g.series = 'roc_auc' AND g.period = 'analysis';
SELECT count(*) AS months,
	bool_and(abs(q.accuracy - g.value) < 1e-12) AS accuracy_agrees
FROM quality_history AS q
	JOIN golden AS g ON g.month = to_char(q.window_start, 'YYYY-MM')
WHERE q.monitor = 'california' AND g.series = 'accuracy' AND g.period = 'analysis';

-- KS: the certain bounds hold NannyML's statistic, in every month and feature.
SELECT count(*) AS compared,
	count(*) FILTER (WHERE g.value BETWEEN h.statistic_low - 1e-12 AND h.statistic_high + 1e-12) AS held
FROM drift_history AS h
	JOIN golden_drift AS g ON g.month = to_char(h.window_start, 'YYYY-MM')
		AND g.series = h.feature || '|kolmogorov_smirnov'
WHERE h.monitor = 'california' AND h.measure = 'ks' AND g.period = 'analysis';

-- Verdicts: this reference is itself in geographic order, so that its months
-- differ from each other by nearly any distance and trend as well. NannyML's limit
-- is three standard deviations over those months; with eight windows that depend
-- on each other the rule here knows too little to say that a month is unusual,
-- and says so.
SELECT count(*) FILTER (WHERE g.alert) AS nannyml_alerts, count(*) FILTER (WHERE h.verdict = 'drift') AS ours,
	count(*) FILTER (WHERE h.reason ~ 'autocorrelated|any distance is usual') AS said, count(*)
FROM drift_history AS h
	JOIN golden_drift AS g ON g.month = to_char(h.window_start, 'YYYY-MM')
		AND g.series = h.feature || '|kolmogorov_smirnov'
WHERE h.monitor = 'california' AND h.measure = 'ks' AND g.period = 'analysis';
-- Against a baseline that is mixed, months drift as plainly as they do.
CREATE TABLE mixed AS
SELECT c.*, timestamp '2020-01-01' + interval '1 day' * (c.id * 7919 % 200) AS mixed_at FROM california AS c WHERE label IS NOT NULL
UNION ALL SELECT c.*, c.at FROM california AS c WHERE label IS NULL;
SELECT create_monitor('mixed', 'SELECT mixed_at, "MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude", y_pred_proba FROM mixed',
	'mixed_at', '10 days', features => ARRAY['MedInc', 'HouseAge', 'AveRooms', 'AveBedrms', 'Population',
		'AveOccup', 'Latitude', 'Longitude', 'y_pred_proba']) > 0 AS created;
SELECT set_baseline('mixed', '2020-01-01', '2020-07-10') > 0 AS baseline;
SELECT count(*) > 0 AS checked FROM check_monitor('mixed', '2022-06-01', '2021-06-01');
SELECT feature, string_agg(CASE verdict WHEN 'drift' THEN 'D' WHEN 'no drift' THEN '.' ELSE '?' END, '' ORDER BY window_start) AS windows
FROM drift_history WHERE monitor = 'mixed' AND measure = 'ks'
GROUP BY feature, position ORDER BY position;
SELECT drop_monitor('mixed');
DROP TABLE mixed;

-- The rule, once more in SQL: adjusted p and the lower bound of the effect.
SELECT bool_and((verdict = 'drift') = (adjusted_p <= 0.05
	AND ks_lower_bound(statistic_low, n_reference, n_current) > 0.05)) AS rule_holds
FROM drift_history WHERE monitor = 'california' AND measure = 'ks';

-- Stored windows are small, and say the same as a check of the rows again.
SELECT max(pg_column_size(profile)) <= 400 * 9 AS small FROM windows;
SELECT bool_and(w.profile = detach(p.profile)) AS same_as_rows
FROM windows AS w
	JOIN monitor_baselines AS b ON b.id = w.baseline,
	LATERAL (SELECT profile(f, b.profile) FROM california AS c,
		LATERAL (SELECT c."MedInc", c."HouseAge", c."AveRooms", c."AveBedrms", c."Population",
			c."AveOccup", c."Latitude", c."Longitude", c.y_pred_proba) AS f
		WHERE c.at >= w.window_start AT TIME ZONE 'UTC'
			AND c.at < w.window_end AT TIME ZONE 'UTC') AS p;
-- Months add up: the profile of the quarter is that of its rows.
SELECT row_count(merge(profile)) AS rows, sum(row_count) = row_count(merge(profile)) AS adds_up
FROM windows WHERE window_start < '2021-09-01';

-- One open alert for a monitor, feature and measure.
SELECT feature, measure, windows, to_char(first_window, 'YYYY-MM') AS first, to_char(last_window, 'YYYY-MM') AS last
FROM alert_open WHERE monitor = 'california' ORDER BY feature, measure;

-- From an empty source, and windows without rows ---------------------------------

SELECT create_monitor('quiet', 'SELECT at, "MedInc" FROM california WHERE id < 0', 'at', '1 day') > 0 AS created;
SELECT set_baseline('quiet', '2020-10-01', '2021-06-01');
SELECT create_monitor('gaps', 'SELECT at, "MedInc" FROM california WHERE at < ''2020-10-03'' OR at >= ''2020-10-05''',
	'at', '1 day') > 0 AS created;
SELECT set_baseline('gaps', '2020-10-01', '2020-10-02') > 0 AS baseline;
SELECT window_start::date AS day, verdict, reason FROM check_monitor('gaps', '2020-10-07')
WHERE is_primary AND measure IN ('ks', 'row_count') ORDER BY day, measure;

-- Bad input --------------------------------------------------------------------------

SELECT create_monitor('california', 'california', 'at', '1 month');
SELECT create_monitor('m', 'california', 'at', '1 month 3 days');
SELECT create_monitor('m', 'california', 'at', NULL);
SELECT create_monitor('m', 'california', 'id', '1 day');
SELECT create_monitor('m', 'california', 'at', '1 day', features => ARRAY['NoSuch']);
SELECT create_monitor('m', 'no_such_table', 'at', '1 day');
SELECT create_monitor('m', 'SELECT 1; DROP TABLE california', 'at', '1 day');
SELECT create_monitor('m', 'california', 'at', '1 day', time_zone => 'Nowhere');
SELECT create_monitor('m', 'california', 'at', '1 day', tolerance => -1);
SELECT check_monitor('no such monitor');
SELECT create_monitor('fresh', 'california', 'at', '1 day') > 0 AS created;
SELECT check_monitor('fresh');
SELECT set_baseline('fresh', '2021-01-01', '2020-01-01');
SELECT set_baseline('fresh', 'dataset:none@sha256:0000000000000000000000000000000000000000000000000000000000000000'::artifact);

SELECT drop_monitor(name) FROM monitors;
SELECT count(*) FROM alerts;
DROP TABLE california, california_late;
