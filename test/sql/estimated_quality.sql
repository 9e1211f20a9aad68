-- Quality without labels: estimates from calibrated scores (CBPE), calibration.
SET search_path = public, mlmeta;
SET extra_float_digits = 0;
\pset null '(null)'

-- Case cbpe_mini: NannyML's formulas on four scores
CREATE TEMP TABLE mini AS
SELECT unnest('{0.9,0.8,0.3,0.2}'::float8[]) AS score;
WITH ours AS (
	SELECT estimated_accuracy(score, 0.5) AS accuracy,
		estimated_precision(score, 0.5) AS precision,
		estimated_recall(score, 0.5) AS recall,
		estimated_specificity(score, 0.5) AS specificity,
		estimated_f1(score, 0.5) AS f1, estimated_roc_auc(score) AS roc_auc
	FROM mini
)
SELECT abs(accuracy - 0.8) < 1e-12 AS accuracy,
	abs(precision - 0.8500000000000001) < 1e-12 AS precision,
	abs(recall - 0.7727272727272727) < 1e-12 AS recall,
	abs(specificity - 0.8333333333333334) < 1e-12 AS specificity,
	abs(f1 - 0.8095238095238095) < 1e-12 AS f1,
	abs(roc_auc - 0.8282828282828284) < 1e-12 AS roc_auc
FROM ours;

-- An estimate is what classification says of the expected labels: each row
-- once positive with weight p, once negative with weight 1 - p.
WITH expected AS (
	SELECT classification(label, score, 0.25, CASE WHEN label THEN p
		ELSE 1 - p END) AS c
	FROM (SELECT score, score ^ 2 AS p FROM mini) AS s,
		unnest(ARRAY[true, false]) AS label
)
SELECT abs(accuracy(c) - e.accuracy) < 1e-15 AS accuracy,
	abs(f1_score(c) - e.f1) < 1e-15 AS f1,
	abs(roc_auc(c) - e.roc_auc) < 1e-15 AS roc_auc
FROM expected, (
	SELECT estimated_accuracy(score, 0.25, score ^ 2) AS accuracy,
		estimated_f1(score, 0.25, score ^ 2) AS f1,
		estimated_roc_auc(score, score ^ 2) AS roc_auc
	FROM mini) AS e;

-- Beyond 4,096 distinct scores: the middle of an interval that holds the exact value
WITH s AS (SELECT DISTINCT (hashint8(i) & 1048575) / 1048576.0::float8 AS s FROM generate_series(1, 20000) AS i),
exact AS (SELECT sum(s * (below + 0.5 * (1 - s))) / (sum(s) * sum(1 - s)) AS auc
	FROM (SELECT s, sum(1 - s) OVER (ORDER BY s) - (1 - s) AS below FROM s) AS w),
ours AS (SELECT expected_classification(s, 0.5) AS c, estimated_roc_auc(s) AS auc, estimated_accuracy(s, 0.5) AS accuracy,
	expected_classification(s, 0.5, s) AS by_probability FROM s)
SELECT i.low < i.high AS open, exact.auc BETWEEN i.low AND i.high AS holds, abs(exact.auc - ours.auc) < 1e-3 AS near,
	abs((i.low + i.high) / 2 - ours.auc) < 1e-12 AS middle, accuracy(c) = accuracy AS accuracy, c = by_probability AS same
FROM exact, ours, roc_auc_interval(c) AS i;
SELECT abs(i.low - 0.8282828282828284) < 1e-12 AS exact, i.low = i.high AS closed, c = merged AS merged
FROM (SELECT expected_classification(score, 0.5) AS c FROM mini) AS m, roc_auc_interval(c) AS i,
	(SELECT merge(part) AS merged FROM (SELECT expected_classification(score, 0.5) AS part FROM mini GROUP BY score > 0.5) AS p) AS p;
SELECT expected_classification(score, 0.5), expected_classification(score, 0.5, score) FROM mini WHERE false;

-- Nothing, NULLs, certainty
SELECT estimated_accuracy(score, 0.5), estimated_roc_auc(score)
FROM mini WHERE false;
SELECT estimated_accuracy(NULL, 0.5), estimated_f1(NULL::float8, 0.5),
	estimated_roc_auc(NULL), estimated_accuracy(0.5, 0.5, NULL) FROM mini;
SELECT estimated_accuracy(s, 0.5) = estimated_accuracy(s, 0.5)
	FILTER (WHERE s IS NOT NULL) AS nulls_take_no_part
FROM (SELECT score AS s FROM mini UNION ALL SELECT NULL) AS v;
SELECT estimated_accuracy(s, 0.5), estimated_precision(s, 0.5),
	estimated_recall(s, 0.5), estimated_specificity(s, 0.5),
	estimated_f1(s, 0.5), estimated_roc_auc(s)
FROM unnest('{0,0,1}'::float8[]) AS s;
SELECT estimated_precision(s, 0.9), estimated_f1(s, 0.9), estimated_roc_auc(s)
FROM unnest('{0,0}'::float8[]) AS s;

-- Errors
SELECT estimated_accuracy(1.5, 0.5);
SELECT estimated_accuracy('NaN', 0.5);
SELECT estimated_accuracy(0.5, 1.5);
SELECT estimated_accuracy(0.5, NULL);
SELECT estimated_accuracy(0.5, 0.5, -0.1);
SELECT estimated_roc_auc(0.5, 2);
SELECT estimated_f1(0.5, t) FROM unnest('{0.4,0.5}'::float8[]) AS t;

-- Sampling errors: NannyML's published cases (reference confusion matrix
-- tp 2608, fp 2498, fn 2404, tn 2490; windows of 50 rows)
WITH reference AS (
	SELECT '{"version": 1, "threshold": 0.5, "null_count": 0, "shift": 0,
		"scores": [0,1], "negatives": [2490,2498], "positives": [2404,2608],
		"weighted": false}'::classification AS c
)
SELECT metric, expected, abs(sampling_error(c, metric, 50) - expected) < 5e-5
	AS agrees
FROM reference, (VALUES ('accuracy', 0.0707), ('precision', 0.0989),
	('recall', 0.0998), ('specificity', 0.1001), ('f1', 0.1153))
	AS v(metric, expected);
SELECT sampling_error(c, 'accuracy') = sqrt(0.25 / 4) AS own_rows,
	sampling_error(c, 'precision') AS none_predicted
FROM (SELECT classification(s > 0.5, s / 4) AS c
	FROM unnest('{0.2,0.4,0.6,0.8}'::float8[]) AS s) AS s;

-- ---------------------------------------------------------------------------
-- calibrate: isotonic regression. Scores 1 to 5 tenths with shares of positives
-- 0, 2/3, 1/3, 1/2, 1: the middle three pool to 1/2.
-- ---------------------------------------------------------------------------

CREATE TEMP TABLE seen AS
SELECT classification(label, score) AS c
FROM (VALUES (0, 0.1), (0, 0.1), (1, 0.2), (1, 0.2), (0, 0.2), (0, 0.3),
	(0, 0.3), (1, 0.3), (0, 0.4), (1, 0.4), (1, 0.5)) AS v(label, score);
SELECT s AS score, round(calibrate(c, s)::numeric, 12) AS calibrated
FROM seen, unnest('{0,0.1,0.15,0.2,0.25,0.3,0.4,0.45,0.5,1}'::float8[]) AS s;
SELECT calibrate(c, NULL), calibrate(NULL, 0.5) FROM seen;
SELECT calibrate(classification(NULL::int, 0.5), 0.5);
SELECT calibrate(c, 1.5) FROM seen;
-- a different classification in each row
SELECT i, calibrate(c, 0.5)
FROM (SELECT i, classification(j <= i, 0.5) AS c
	FROM generate_series(0, 4) AS i, generate_series(1, 4) AS j GROUP BY i) AS s
ORDER BY i;

-- Calibrated by what it has seen, a score has no calibration error there, and
-- the estimate equals the realised value.
CREATE FUNCTION pg_temp.uniform(i bigint, seed bigint) RETURNS float8
LANGUAGE sql IMMUTABLE
RETURN ((hashint8extended(i, seed) >> 11) & 9007199254740991)
	/ 9007199254740992.0::float8;
CREATE TABLE quality_estimate AS
SELECT i, score, pg_temp.uniform(i, 2) < score ^ 2 AS label
FROM (SELECT i, round(pg_temp.uniform(i, 1)::numeric, 3)::float8 AS score
	FROM generate_series(1, 20000) AS i) AS s;
ANALYZE quality_estimate;
CREATE TEMP TABLE calibrated AS
SELECT score, label, least(calibrate(c, score), 1) AS p
FROM quality_estimate,
	(SELECT classification(label, score) AS c FROM quality_estimate) AS s;
SELECT ece(classification(label, score)) > 0.1 AS before,
	ece(classification(label, p)) < 1e-15 AS after,
	abs(estimated_accuracy(p, 0.5) - accuracy(classification(label, p)))
		< 1e-15 AS accuracy,
	abs(estimated_f1(p, 0.5) - f1_score(classification(label, p))) < 1e-15 AS f1,
	abs(estimated_roc_auc(p) - roc_auc(classification(label, p))) < 1e-15
		AS roc_auc
FROM calibrated;

-- Parallel = serial, in a plan that has partial aggregates
CREATE FUNCTION pg_temp.create_parallel(query text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
	line text;
	found boolean := false;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
		found := found OR line LIKE '%Partial Aggregate%';
	END LOOP;
	EXECUTE 'CREATE TEMP TABLE parallel AS ' || query;
	RETURN found;
END
$$;
CREATE TEMP TABLE serial AS
SELECT estimated_accuracy(score, 0.3) AS a, estimated_f1(score, 0.3) AS f,
	estimated_roc_auc(score) AS r,
	estimated_roc_auc(sqrt(score * 0.9 + i / 1e9), score ^ 2) AS many
FROM quality_estimate;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
SET max_parallel_workers_per_gather = 2;
SELECT pg_temp.create_parallel('
	SELECT estimated_accuracy(score, 0.3) AS a, estimated_f1(score, 0.3) AS f,
		estimated_roc_auc(score) AS r,
		estimated_roc_auc(sqrt(score * 0.9 + i / 1e9), score ^ 2) AS many
	FROM quality_estimate') AS partial;
SELECT s = p AS equal FROM serial AS s, parallel AS p;
DROP TABLE quality_estimate;
