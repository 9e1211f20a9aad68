-- Quality of binary classifiers: the type classification.
SET search_path = public, mlmeta;
SET extra_float_digits = 0;
\pset null '(null)'

-- ---------------------------------------------------------------------------
-- Golden figures: scikit-learn 1.2.1 (test/data/quality.json.gz)
-- ---------------------------------------------------------------------------

CREATE TEMP TABLE golden_file (body jsonb);
\copy golden_file FROM PROGRAM 'gzip -dc test/data/quality.json.gz | sed "s/\bNaN\b/null/g"' WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')

CREATE TEMP TABLE golden AS
SELECT g ->> 'name' AS name, (g ->> 'threshold')::float8 AS threshold, g
FROM golden_file, jsonb_array_elements(body -> 'cases') AS g
WHERE g ->> 'kind' = 'binary';

SELECT count(*) AS cases FROM golden;

CREATE TEMP TABLE golden_row AS
SELECT name, threshold, y.value::int AS label, p.value::float8 AS score,
	CASE WHEN g -> 'w' <> 'null' THEN (g -> 'w' ->> (y.i::int - 1))::float8
	END AS weight
FROM golden,
	jsonb_array_elements_text(g -> 'y') WITH ORDINALITY AS y(value, i)
	JOIN LATERAL jsonb_array_elements_text(g -> 'p')
		WITH ORDINALITY AS p(value, i) USING (i);

CREATE TEMP TABLE built AS
SELECT name,
	CASE WHEN count(weight) > 0
		THEN classification(label, score, threshold, weight)
		ELSE classification(label = 1, score, threshold) END AS c
FROM golden_row GROUP BY name;

CREATE TEMP TABLE compared AS
WITH ours AS (
	SELECT name, m.*
	FROM built, LATERAL (VALUES
		('roc_auc', roc_auc(c)),
		('average_precision', average_precision(c)),
		('log_loss', log_loss(c)),
		('brier', brier_score(c)),
		('accuracy', accuracy(c)),
		('balanced_accuracy', balanced_accuracy(c)),
		('precision', precision_score(c)),
		('recall', recall_score(c)),
		('f1', f1_score(c)),
		('f2', f_beta(c, 2)),
		('specificity', specificity(c)),
		('mcc', mcc(c)),
		('kappa', kappa(c)),
		('jaccard', jaccard(c)),
		('ks_score', ks_score(c))) AS m(metric, value)
	UNION ALL
	SELECT name, 'confusion ' || m.cell, m.value
	FROM built, confusion(c), LATERAL (VALUES
		('0,0', tn), ('0,1', fp), ('1,0', fn), ('1,1', tp)) AS m(cell, value)
	UNION ALL
	SELECT name, format('%s ece%s %s', kind, bins, closed),
		CASE kind WHEN 'ece' THEN ece(c, bins, closed)
			ELSE mce(c, bins, closed) END
	FROM built, unnest(ARRAY['ece', 'mce']) AS kind,
		unnest(ARRAY[10, 15]) AS bins,
		unnest(ARRAY['left', 'right']) AS closed
), theirs AS (
	SELECT name, key AS metric, value
	FROM golden, jsonb_each(g -> 'expected')
	WHERE jsonb_typeof(value) IN ('number', 'null')
		OR value ? 'error'
	UNION ALL
	SELECT name, format('confusion %s,%s', i, j),
		g -> 'expected' -> 'confusion' -> i -> j
	FROM golden, generate_series(0, 1) AS i, generate_series(0, 1) AS j
	UNION ALL
	SELECT name, format('%s ece%s %s', kind, bins,
			CASE closed WHEN '(lo,hi]' THEN 'right' ELSE 'left' END),
		g -> 'expected' -> ('ece' || bins) -> closed -> kind
	FROM golden, unnest(ARRAY['ece', 'mce']) AS kind,
		unnest(ARRAY[10, 15]) AS bins,
		unnest(ARRAY['(lo,hi]', '[lo,hi)']) AS closed
	WHERE g -> 'expected' ? ('ece' || bins)
)
SELECT name, metric, ours.value AS ours, theirs.value AS theirs,
	CASE WHEN jsonb_typeof(theirs.value) = 'number'
		THEN abs(ours.value - theirs.value::float8)
			<= 1e-12 * abs(theirs.value::float8) + 1e-15
		ELSE ours.value IS NULL END AS agrees
FROM ours JOIN theirs USING (name, metric);

-- Where scikit-learn has an error or nothing, ours is NULL, but for
-- ks_score with weights, which SciPy cannot compute.
SELECT count(*) AS compared, count(DISTINCT metric) AS metrics FROM compared;
SELECT name, metric, ours, theirs FROM compared
WHERE agrees IS NOT TRUE ORDER BY name, metric;

-- Calibration curves: counts, mean score and share of positives of each bin
-- that holds rows
WITH theirs AS (
	SELECT name, bins, closed, g -> 'expected' -> ('ece' || bins) ->
			CASE closed WHEN 'right' THEN '(lo,hi]' ELSE '[lo,hi)' END AS e
	FROM golden, unnest(ARRAY[10, 15]) AS bins,
		unnest(ARRAY['left', 'right']) AS closed
), ours AS (
	SELECT name, bins, closed, r.*,
		row_number() OVER (PARTITION BY name, bins, closed, r.n > 0
			ORDER BY r.bin)::int AS i
	FROM built, unnest(ARRAY[10, 15]) AS bins,
		unnest(ARRAY['left', 'right']) AS closed,
		calibration(c, bins, closed) AS r
)
SELECT count(*) AS compared, count(*) FILTER (WHERE NOT coalesce(
		n = (e -> 'counts' ->> (bin - 1))::bigint
		AND (n = 0 OR
			abs(mean_score - (e -> 'mean_p' ->> (i - 1))::float8) <= 1e-12
			AND abs(positive_rate - (e -> 'frac_pos' ->> (i - 1))::float8)
				<= 1e-12), false)) AS mismatches
FROM ours JOIN theirs USING (name, bins, closed) WHERE e IS NOT NULL;

-- ROC curves. scikit-learn 1.2 puts its first point at 1 + the highest score,
-- ours at Infinity (as scikit-learn does since 1.3). Without negatives the
-- false positive rate is undefined: NULL here, NaN there.
WITH theirs AS (
	SELECT name, i, g -> 'expected' -> 'roc_curve' -> 'fpr' -> i AS fpr,
		g -> 'expected' -> 'roc_curve' -> 'tpr' -> i AS tpr,
		g -> 'expected' -> 'roc_curve' -> 'thresholds' -> i AS threshold
	FROM golden, LATERAL generate_series(0, jsonb_array_length(
		g -> 'expected' -> 'roc_curve' -> 'fpr') - 1) AS i
), ours AS (
	SELECT name, (row_number() OVER (PARTITION BY name))::int - 1 AS i, r.*
	FROM built, roc(c) AS r
	WHERE name IN (SELECT name FROM theirs)
)
SELECT count(*) AS compared, count(*) FILTER (WHERE NOT coalesce(
		abs(o.tpr - t.tpr::float8) <= 1e-15
		AND CASE WHEN jsonb_typeof(t.fpr) = 'number'
			THEN abs(o.fpr - t.fpr::float8) <= 1e-15
			ELSE o.fpr IS NULL END
		AND o.threshold = CASE WHEN i = 0 THEN 'Infinity'
			ELSE t.threshold::float8 END, false)) AS mismatches
FROM theirs AS t FULL JOIN ours AS o USING (name, i);
