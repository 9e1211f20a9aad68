-- Realised and estimated model quality by month on real data, against NannyML
-- 0.13.1: the California housing data of NannyML (Apache-2.0, see
-- test/data/california_housing_LICENSE).
SET search_path = public, mlmeta;
SET extra_float_digits = 0;
\pset null '(null)'

CREATE TEMP TABLE scored (
	id int, med_inc float8, house_age float8, ave_rooms float8,
	ave_bedrms float8, population float8, ave_occup float8, latitude float8,
	longitude float8, at timestamp, label int, score float8, predicted int);
CREATE TEMP TABLE late_label (id int, label int);
\copy scored FROM PROGRAM 'gzip -dc test/data/california_housing_reference.csv.gz' WITH (FORMAT csv, HEADER)
\copy scored (id, med_inc, house_age, ave_rooms, ave_bedrms, population, ave_occup, latitude, longitude, at, score, predicted) FROM PROGRAM 'gzip -dc test/data/california_housing_analysis.csv.gz' WITH (FORMAT csv, HEADER)
\copy late_label FROM PROGRAM 'gzip -dc test/data/california_housing_analysis_gt.csv.gz' WITH (FORMAT csv, HEADER)

CREATE TEMP TABLE golden (
	month text, chunk_index int, start_index int, end_index int, period text,
	series text, sampling_error float8, value float8, upper_threshold float8,
	lower_threshold float8, alert boolean);
\copy golden FROM PROGRAM 'gzip -dc test/data/nannyml_california_performance_month.csv.gz' WITH (FORMAT csv, HEADER)
CREATE TEMP TABLE golden_estimate (
	month text, chunk_index int, start_index int, end_index int, period text,
	series text, value float8, sampling_error float8, realized float8,
	upper_confidence_boundary float8, lower_confidence_boundary float8,
	upper_threshold float8, lower_threshold float8, alert boolean);
\copy golden_estimate FROM PROGRAM 'gzip -dc test/data/nannyml_california_cbpe_month.csv.gz' WITH (FORMAT csv, HEADER)

-- The model's prediction is a score of at least 0.8.
SELECT min(score) FILTER (WHERE predicted = 1) AS lowest_positive,
	max(score) FILTER (WHERE predicted = 0) AS highest_negative
FROM scored;

-- ---------------------------------------------------------------------------
-- Realised: labels that arrived late, joined
-- ---------------------------------------------------------------------------

CREATE TEMP TABLE monthly AS
SELECT to_char(at, 'YYYY-MM') AS month,
	classification(coalesce(s.label, l.label), score, 0.8) AS c
FROM scored AS s LEFT JOIN late_label AS l USING (id)
GROUP BY month;

-- NannyML has no value (NaN) of precision, recall and F1 for months without
-- positive predictions; ours are 0, as scikit-learn's.
CREATE TEMP TABLE compared AS
SELECT month, series, m.value AS ours, g.value AS theirs
FROM monthly CROSS JOIN LATERAL (VALUES
		('accuracy', accuracy(c)), ('precision', precision_score(c)),
		('recall', recall_score(c)), ('specificity', specificity(c)),
		('f1', f1_score(c)), ('roc_auc', roc_auc(c)),
		('average_precision', average_precision(c))) AS m(series, value)
	JOIN golden AS g USING (month, series);
SELECT series, count(*) AS months, count(theirs) AS with_value,
	bool_and(abs(ours - theirs) < 1e-12) AS agree
FROM compared GROUP BY series ORDER BY series;
SELECT month, series, ours, theirs FROM compared
WHERE (abs(ours - theirs) < 1e-12) IS NOT TRUE ORDER BY month, series;

-- Sampling errors: of the metric on the reference, for as many rows as the
-- month has
SELECT series, count(*) AS months, bool_and(abs(sampling_error(r.c, series,
		n(m.c)) - sampling_error) < 1e-12) AS agree
FROM monthly AS m JOIN golden USING (month), (
	SELECT merge(c) AS c FROM monthly WHERE month < '2021-06') AS r
WHERE series NOT IN ('roc_auc', 'average_precision')
GROUP BY series ORDER BY series;

-- Months add up to the whole.
SELECT merge(c) = (SELECT classification(coalesce(s.label, l.label), score, 0.8)
	FROM scored AS s LEFT JOIN late_label AS l USING (id)) AS equal
FROM monthly;

-- ---------------------------------------------------------------------------
-- Estimated: from the scores alone, calibrated on the reference
-- ---------------------------------------------------------------------------

-- NannyML calibrates by isotonic regression on the whole reference. Its
-- estimate of ROC AUC is off by up to 2e-8: rational arithmetic on the
-- calibrated scores of 2020-11 gives our 0.9076245209, not its 0.9076245277.
WITH reference AS (
	SELECT merge(c) AS c FROM monthly WHERE month < '2021-06'
), calibrated AS (
	SELECT to_char(at, 'YYYY-MM') AS month, score,
		calibrate(c, score) AS probability
	FROM scored, reference
), estimated AS (
	SELECT month, estimated_accuracy(score, 0.8, probability) AS accuracy,
		estimated_f1(score, 0.8, probability) AS f1,
		estimated_roc_auc(score, probability) AS roc_auc
	FROM calibrated GROUP BY month
)
SELECT series, count(*) AS months,
	max(abs(m.value - g.value)) < CASE series
		WHEN 'roc_auc' THEN 2e-8 ELSE 1e-12 END AS agree
FROM estimated CROSS JOIN LATERAL (VALUES ('accuracy', accuracy), ('f1', f1),
		('roc_auc', roc_auc)) AS m(series, value)
	JOIN golden_estimate AS g USING (month, series)
GROUP BY series ORDER BY series;
