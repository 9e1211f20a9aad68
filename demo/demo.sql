-- The demonstration: a real model tracked, and its real drift found.
--
-- A classifier of Californian house prices scores every hour. Its reference
-- period, 2020-10 to 2021-05, was fine; labels of the months after came late.
-- Run by "make demo" in a database of its own; psql's variable data names the
-- folder of the data (Apache-2.0, see test/data).

\set ON_ERROR_STOP 1
\set QUIET 1
\pset footer off
\pset null '-'
SET client_min_messages = warning;
SET TIME ZONE 'UTC';
SET extra_float_digits = 0;
\cd :data

-- What a team has anyway: logged predictions, and labels that arrive later -----

CREATE TABLE predictions (
	id integer PRIMARY KEY,
	median_income float8,
	house_age float8,
	average_rooms float8,
	average_bedrooms float8,
	population float8,
	average_occupancy float8,
	latitude float8,
	longitude float8,
	predicted_at timestamptz NOT NULL,
	expensive boolean,
	score float8,
	predicted_expensive boolean
);
CREATE TABLE late_labels (id integer PRIMARY KEY, expensive boolean);

\copy predictions FROM PROGRAM 'gzip -dc california_housing_reference.csv.gz' (FORMAT csv, HEADER)
\copy predictions (id, median_income, house_age, average_rooms, average_bedrooms, population, average_occupancy, latitude, longitude, predicted_at, score, predicted_expensive) FROM PROGRAM 'gzip -dc california_housing_analysis.csv.gz' (FORMAT csv, HEADER)
\copy late_labels FROM PROGRAM 'gzip -dc california_housing_analysis_gt.csv.gz' (FORMAT csv, HEADER)

CREATE VIEW scored AS
SELECT p.id, p.median_income, p.house_age, p.average_rooms, p.average_bedrooms,
	p.population, p.average_occupancy, p.latitude, p.longitude, p.score,
	p.predicted_at, coalesce(p.expensive, l.expensive) AS expensive
FROM predictions AS p LEFT JOIN late_labels AS l USING (id);

-- Tracking: which code, parameters and rows made the model -----------------------

\echo
\echo '== A model is trained on the reference period, and the run is tracked'
SELECT snapshot_dataset('california/reference',
	$$SELECT * FROM scored WHERE predicted_at < '2021-06-01'$$) AS reference \gset

SELECT start_run('california', 'depth 3',
	'{"model": "gradient boosting", "max_depth": 3, "learning_rate": 0.1}') AS first_run \gset
SELECT use_artifact(:'first_run', :'reference'),
	log_metrics(:'first_run', '{"roc_auc": 0.861, "loss": 0.44}'),
	finish_run(:'first_run') \g /dev/null

SELECT start_run('california', 'depth 5',
	'{"model": "gradient boosting", "max_depth": 5, "learning_rate": 0.1}',
	'{"owner": "pricing"}',
	source => '{"repository": "https://example.org/pricing.git", "commit": "4f2c81d0c6e1a7c2b7f6f8a92f5c1f6f0d3b9a11", "entry_point": "train.py"}') AS run \gset
SELECT use_artifact(:'run', :'reference'),
	log_series(:'run', 'loss', ARRAY[1, 2, 3, 4, 5], ARRAY[0.69, 0.52, 0.44, 0.41, 0.40]),
	log_metrics(:'run', (SELECT jsonb_build_object('roc_auc', roc_auc(c), 'brier_score', brier_score(c))
		FROM (SELECT classification(expensive, score) AS c FROM scored
			WHERE predicted_at < '2021-06-01') AS s)),
	log_artifact(:'run', 'model:california:v1', 's3://models/california/v1'),
	finish_run(:'run') \g /dev/null

SELECT run, name, status, params ->> 'max_depth' AS max_depth,
	round((metrics ->> 'roc_auc')::numeric, 4) AS roc_auc
FROM run_overview ORDER BY started_at;

\echo
\echo '== What the two runs differ in'
SELECT kind, key, a, b FROM compare_runs(:'first_run', :'run')
WHERE changed AND kind IN ('param', 'metric', 'tag') ORDER BY kind DESC, key;

\echo
\echo '== Where the model comes from: its lineage'
SELECT depth, node, via FROM upstream('model:california:v1') ORDER BY depth;

\echo
\echo '== Is the training data still what the model was trained on?'
SELECT dataset_is_current(:'reference') AS unchanged,
	row_count AS rows, left(fingerprint, 20) || '...' AS fingerprint
FROM dataset_snapshots WHERE artifact = :'reference';

-- Monitoring: the months after, against the training data -------------------------

SELECT create_monitor('california', 'scored', 'predicted_at', '1 month',
	features => ARRAY['median_income', 'house_age', 'average_rooms', 'average_bedrooms',
		'population', 'average_occupancy', 'latitude', 'longitude', 'score'],
	label => 'expensive', score => 'score', threshold => 0.8) AS monitor \gset
-- The training data are in the order of places, not of time: how their months
-- differ from each other says nothing about what is usual.
SELECT set_baseline('california', '2020-10-01', '2021-06-01', usual => false) AS baseline \gset
SELECT count(*) AS results FROM check_monitor('california', '2022-06-01') \gset

\echo
\echo '== Which features drifted when: KS against the training data, with its certain bounds'
SELECT to_char(window_start, 'YYYY-MM') AS month, feature,
	format('%s .. %s', round(ks.statistic_low::numeric, 3), round(ks.statistic_high::numeric, 3)) AS ks,
	round(p.statistic::numeric, 2) AS psi,
	sparkline(histogram_of(attach(w.profile, b.profile), feature), 20) AS histogram
FROM drift_history AS ks
	JOIN drift_history AS p USING (monitor, window_start, segment, feature)
	JOIN windows AS w USING (monitor, window_start, segment)
	JOIN monitor_baselines AS b ON b.id = w.baseline
WHERE ks.monitor = 'california' AND ks.measure = 'ks' AND p.measure = 'psi'
	AND ks.verdict = 'drift' AND window_start IN ('2021-06-01', '2021-10-01', '2022-04-01')
ORDER BY window_start, ks.position;

\echo
\echo '== The same, a line per feature: each month''s verdict'
\echo '   (D drift, . no drift)'
SELECT feature, sparkline(histogram_of(b.profile, feature), 20) AS reference,
	string_agg(CASE verdict WHEN 'drift' THEN 'D' WHEN 'no drift' THEN '.' ELSE '?' END, ''
		ORDER BY window_start) AS "2021-06 .. 2022-05",
	round(max(statistic)::numeric, 3) AS largest_ks,
	(SELECT sum(null_count) FROM windows AS w, columns(w.profile) AS c
		WHERE w.monitor = r.monitor AND c.feature = r.feature) AS missing
FROM drift_history AS r, monitor_baselines AS b
WHERE r.monitor = 'california' AND b.id = :baseline AND measure = 'ks'
GROUP BY r.monitor, feature, position, b.profile
ORDER BY position;

\echo
\echo '== Realised and estimated quality by month'
SELECT to_char(window_start, 'YYYY-MM') AS month, row_count AS rows, labelled,
	round(roc_auc::numeric, 4) AS roc_auc,
	round(estimated_roc_auc::numeric, 4) AS estimated,
	round(lowest_usual::numeric, 4) AS lowest_usual,
	round(accuracy::numeric, 4) AS accuracy, round(f1_score::numeric, 4) AS f1,
	CASE verdict WHEN 'drift' THEN 'FALLEN' ELSE verdict END AS verdict
FROM quality_history WHERE monitor = 'california' ORDER BY window_start;

\echo
\echo '== Open alerts'
SELECT alert, coalesce(nullif(feature, ''), 'all rows') AS feature, measure, to_char(first_window, 'YYYY-MM') AS first,
	to_char(last_window, 'YYYY-MM') AS last, windows,
	round(worst_statistic::numeric, 3) AS worst, reason
FROM alert_open WHERE monitor = 'california' ORDER BY alert;
