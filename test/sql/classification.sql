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

-- ---------------------------------------------------------------------------
-- Every constructor, and what a summary says
-- ---------------------------------------------------------------------------

CREATE TEMP TABLE tiny (i int, label boolean, score float8, weight float8);
INSERT INTO tiny VALUES
	(1, false, 0.1, 1), (2, false, 0.4, 2), (3, true, 0.35, 0.5),
	(4, true, 0.8, 3), (5, NULL, 0.7, 1), (6, true, NULL, 1);

SELECT classification(label, score) FROM tiny;
SELECT classification(label, score, 0.4) FROM tiny;
SELECT classification(label, score, 0.4, weight) FROM tiny;
SELECT classification(label, score) = classification(label::int, score),
	classification(label, score) = classification(label, score, 0.5),
	classification(label, score) = classification(label, score, 0.5, 1),
	classification(label::int, score, 0.4, weight)
		= classification(label, score, 0.4, weight)
FROM tiny;
SELECT n(c), null_count(c), positives(c), threshold(c), total_weight(c),
	(confusion(c)).*, (roc_auc_interval(c)).*
FROM (SELECT classification(label, score, 0.4, weight) AS c FROM tiny) AS s;
SELECT bin, round(lower::numeric, 2) AS lower, round(upper::numeric, 2) AS upper,
	n, weight, round(mean_score::numeric, 4) AS mean_score,
	round(positive_rate::numeric, 4) AS positive_rate
FROM (SELECT classification(label, score, 0.4, weight) AS c FROM tiny) AS s,
	calibration(c, bins => 4, closed => 'left');

-- Weights that add up to the rows of each score are no weights any more.
WITH s AS (
	SELECT classification(label, score, 0.5, weight) AS c
	FROM (VALUES (true, 0.7, 0.5), (true, 0.7, 1.5), (false, 0.2, 1.25),
		(false, 0.2, 0.75), (false, 0.8, 1)) AS v(label, score, weight)
)
SELECT c, roc_auc(c) = roc_auc(c::text::classification) AS same FROM s;

-- A row without weight takes no part either.
SELECT n(c), null_count(c)
FROM (SELECT classification(label, score, 0.5, nullif(weight, 3)) AS c
	FROM tiny) AS s;

-- Column types that arrive as float8
CREATE DOMAIN probability AS numeric CHECK (VALUE BETWEEN 0 AND 1);
SELECT count(*), count(DISTINCT c)
FROM (SELECT classification(label, score) AS c FROM tiny
	UNION ALL SELECT classification(label, score::numeric) FROM tiny
	UNION ALL SELECT classification(label, score::probability) FROM tiny
	UNION ALL SELECT classification(label::int::smallint, score) FROM tiny)
	AS s;
SELECT classification(label, score::real) = classification(label,
	score::real::float8) FROM tiny;

-- ---------------------------------------------------------------------------
-- Nothing, only NULLs, one class, no weight
-- ---------------------------------------------------------------------------

SELECT classification(label, score) FROM tiny WHERE false;
SELECT classification(NULL::boolean, score) FROM tiny;

CREATE TEMP TABLE edge AS
SELECT 'no labels' AS what, classification(NULL::boolean, score) AS c FROM tiny
UNION ALL
SELECT 'no weight', classification(label, score, 0.5, 0) FROM tiny
UNION ALL
SELECT 'only negatives', classification(false, score) FROM tiny
UNION ALL
SELECT 'only positives', classification(true, score) FROM tiny
UNION ALL
SELECT 'all right', classification(true, 1) FROM tiny;

SELECT what, n(c), accuracy(c), balanced_accuracy(c) AS balanced,
	precision_score(c) AS precision, recall_score(c) AS recall, f1_score(c) AS f1,
	specificity(c) AS spec, mcc(c), kappa(c), jaccard(c)
FROM edge;
SELECT what, roc_auc(c), roc_auc_interval(c), average_precision(c) AS ap,
	ks_score(c) AS ks, round(log_loss(c)::numeric, 12) AS log_loss,
	round(brier_score(c)::numeric, 12) AS brier, round(ece(c)::numeric, 12) AS ece,
	(SELECT count(*) FROM roc(c)) AS roc,
	(SELECT count(*) FROM calibration(c)) AS bins
FROM edge;

-- ---------------------------------------------------------------------------
-- Errors
-- ---------------------------------------------------------------------------

CREATE FUNCTION pg_temp.error_of(query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE query INTO answer;
	RETURN format('no error: %s', answer);
EXCEPTION WHEN OTHERS THEN
	DECLARE
		detail text;
	BEGIN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		RETURN concat_ws(' ', SQLSTATE, SQLERRM || '.', nullif(detail, ''));
	END;
END
$$;

SELECT pg_temp.error_of('SELECT classification(' || arguments || ')')
FROM unnest(ARRAY[
	'true, 1.1', 'true, -0.1', 'true, ''NaN''', 'true, ''Infinity''',
	'true, -1e-300', '2, 0.5', '-1, 0.5', 'true, 0.5, 1.5', 'true, 0.5, NULL',
	'true, 0.5, ''NaN''', 'true, 0.5, 0.5, -1', 'true, 0.5, 0.5, ''NaN''',
	'true, 0.5, 0.5, ''Infinity''', 'true, 0.5, 0.5, 1e13']) AS arguments;

SELECT pg_temp.error_of(query) FROM unnest(ARRAY[
	'SELECT classification(true, 0.5, t) FROM unnest(''{0.5,0.6}''::float8[]) t',
	'SELECT merge(c) FROM (SELECT classification(true, 0.5, t) AS c
		FROM unnest(''{0.5,0.6}''::float8[]) t GROUP BY t) AS s',
	'SELECT plus(classification(true, 0.5, 0.3), classification(true, 0.5))',
	'SELECT mlmeta_internal.classification_transition(NULL, true, 0.5)',
	'SELECT ece(classification(true, 0.5), 0)',
	'SELECT ece(classification(true, 0.5), 10001)',
	'SELECT ece(classification(true, 0.5), 10, ''middle'')',
	'SELECT f_beta(classification(true, 0.5), 0)',
	'SELECT f_beta(classification(true, 0.5), ''NaN'')',
	'SELECT f_beta(classification(true, 0.5), 1e200)',
	'SELECT sampling_error(classification(true, 0.5), ''lift'')',
	'SELECT sampling_error(classification(true, 0.5), ''f1'', 0)',
	-- counts near 2^63
	'SELECT plus(c, c) FROM (SELECT ''{"version": 1, "threshold": 0.5,
		"null_count": 0, "shift": 0, "scores": [0.5],
		"negatives": [9223372036854775807], "positives": [0],
		"weighted": false}''::classification AS c) AS s']) AS query;

-- The largest counts are still exact.
SELECT n(c), accuracy(c), roc_auc(c), brier_score(c), ece(c)
FROM (SELECT '{"version": 1, "threshold": 0.5, "null_count": 9223372036854775807,
	"shift": 0, "scores": [0.25, 0.75],
	"negatives": [4611686018427387904, 0],
	"positives": [0, 4611686018427387903],
	"weighted": false}'::classification AS c) AS s;

-- ---------------------------------------------------------------------------
-- Corrupted values, as text and as bytes
-- ---------------------------------------------------------------------------

SELECT pg_temp.error_of(format('SELECT %L::classification', value))
FROM unnest(ARRAY[
	'', 'null', '{}', '[]', '{"version": 1}',
	'{"version": 2, "threshold": 0.5, "null_count": 0, "shift": 0, "scores": [], "negatives": [], "positives": [], "weighted": false}',
	'{"version": 1, "threshold": "NaN", "null_count": 0, "shift": 0, "scores": [], "negatives": [], "positives": [], "weighted": false}',
	'{"version": 1, "threshold": 0.5, "null_count": -1, "shift": 0, "scores": [], "negatives": [], "positives": [], "weighted": false}',
	'{"version": 1, "threshold": 0.5, "null_count": 0, "shift": 53, "gaps": [], "negatives": [], "positives": [], "weighted": false}',
	'{"version": 1, "threshold": 0.5, "null_count": 0, "shift": 0, "scores": [1.5], "negatives": [1], "positives": [0], "weighted": false}',
	'{"version": 1, "threshold": 0.5, "null_count": 0, "shift": 0, "scores": [0.5,0.4], "negatives": [1,1], "positives": [0,0], "weighted": false}',
	'{"version": 1, "threshold": 0.5, "null_count": 0, "shift": 0, "scores": [0.5,0.5], "negatives": [1,1], "positives": [0,0], "weighted": false}',
	'{"version": 1, "threshold": 0.5, "null_count": 0, "shift": 0, "scores": [0.5], "negatives": [0], "positives": [0], "weighted": false}',
	'{"version": 1, "threshold": 0.5, "null_count": 0, "shift": 0, "scores": [0.5], "negatives": [1,1], "positives": [0], "weighted": false}',
	'{"version": 1, "threshold": 0.5, "null_count": 0, "shift": 0, "scores": [0.5,0.6], "negatives": [9223372036854775807,1], "positives": [0,0], "weighted": false}',
	'{"version": 1, "threshold": 0.5, "null_count": 0, "shift": 0, "scores": [0.5], "negatives": [1], "positives": [0], "weighted": true, "negative_weights": [1], "negative_weights_fraction": [0], "positive_weights": [0], "positive_weights_fraction": [0]}',
	'{"version": 1, "threshold": 0.5, "null_count": 0, "shift": 0, "scores": [0.5], "negatives": [1], "positives": [0], "weighted": true, "negative_weights": [1], "negative_weights_fraction": [0], "positive_weights": [1], "positive_weights_fraction": [0]}',
	'{"version": 1, "threshold": 0.5, "null_count": 0, "shift": 0, "scores": [0.5], "negatives": [1], "positives": [0], "weighted": true, "negative_weights": [1], "negative_weights_fraction": [1152921504606846976], "positive_weights": [0], "positive_weights_fraction": [0]}',
	'{"version": 1, "threshold": 0.5, "null_count": 0, "shift": 0, "scores": [0.5], "negatives": [1], "positives": [0], "weighted": false} '
		|| 'x',
	'{"version": 1, "threshold": 0.5, "null_count": 0, "shift": 52, "gaps": [3000], "negatives": [1], "positives": [0], "weighted": false, "confusion": [1,0,0,0], "confusion_fraction": [0,0,0,0], "loss": {"negative": false, "scale": 0, "magnitude": ""}, "brier": {"negative": false, "scale": 0, "magnitude": ""}}',
	'{"version": 1, "threshold": 0.5, "null_count": 0, "shift": 52, "gaps": [1000], "negatives": [1], "positives": [0], "weighted": false, "confusion": [0,1,0,0], "confusion_fraction": [0,0,0,0], "loss": {"negative": false, "scale": 0, "magnitude": ""}, "brier": {"negative": false, "scale": 0, "magnitude": ""}}',
	'{"version": 1, "threshold": 0.5, "null_count": 0, "shift": 52, "gaps": [1000], "negatives": [1], "positives": [0], "weighted": false, "confusion": [1,0,0,0], "confusion_fraction": [0,0,0,0], "loss": {"negative": false, "scale": 4000, "magnitude": "01"}, "brier": {"negative": false, "scale": 0, "magnitude": ""}}'
	]) WITH ORDINALITY AS v(value, i) ORDER BY i;

-- Bytes from outside arrive through receive, here by binary COPY: the binary
-- form of a bytea is its bytes. A value with one byte changed is either refused
-- or another valid value, which survives both of its forms and all accessors;
-- nothing else happens.
CREATE TEMP TABLE received (c classification);
CREATE FUNCTION pg_temp.receive(body bytea) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	file text := current_setting('data_directory') || '/mlmeta_received';
	answer text;
BEGIN
	TRUNCATE received;
	EXECUTE format('COPY (SELECT %L::bytea) TO %L (FORMAT binary)',
		body, file);
	EXECUTE format('COPY received FROM %L (FORMAT binary)', file);
	SELECT c::text::classification = c AND c + c IS NOT NULL
		AND num_nulls(roc_auc(c), average_precision(c), log_loss(c), mcc(c),
			ece(c), confusion(c), calibrate(c, 0.5)) < 7
		AND 1 <= (SELECT count(*) FROM roc(c))
	INTO STRICT answer FROM received;
	RETURN 'valid ' || answer;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;

-- The stored form of version 1, which every later version reads
SELECT mlmeta_internal.classification_send(classification(label, score)) AS plain,
	mlmeta_internal.classification_send(classification(label, score, 0.4, weight)) AS weighted
FROM tiny;
SELECT pg_temp.receive('\x013fe0000000000000020002'
	'3fb999999999999a3fe999999999999a020100020001'
	'00');

CREATE TEMP TABLE gridded AS
SELECT classification(i % 3 = 0, i / 5000.0) AS c
FROM generate_series(0, 5000) AS i;

WITH original AS (
	SELECT 'exact' AS what, mlmeta_internal.classification_send(c) AS body
	FROM (SELECT classification(label, score, 0.4, weight) AS c FROM tiny) AS s
), changed AS (
	SELECT what, set_byte(body, i, (get_byte(body, i) + delta) % 256) AS body
	FROM original, generate_series(0, octet_length(body) - 1) AS i,
		unnest(ARRAY[1, 128]) AS delta
	UNION ALL
	SELECT 'cut', substr(body, 1, i)
	FROM original, generate_series(0, octet_length(body) - 1) AS i
	UNION ALL
	SELECT 'longer', body || '\x00'::bytea FROM original
	UNION ALL
	SELECT 'whole', body FROM original
	UNION ALL
	SELECT 'whole grid', mlmeta_internal.classification_send(c) FROM gridded
	UNION ALL
	SELECT 'grid', set_byte(b, i, (get_byte(b, i) + 129) % 256)
	FROM (SELECT mlmeta_internal.classification_send(c) AS b FROM gridded) AS s,
		generate_series(0, octet_length(b) - 1, 97) AS i
)
SELECT what, pg_temp.receive(body) AS outcome, count(*) > 0 AS seen
FROM changed GROUP BY what, outcome ORDER BY what, outcome;

-- ---------------------------------------------------------------------------
-- Properties
-- ---------------------------------------------------------------------------

-- Few scores, many scores, with and without weights. The second column of
-- scores has more distinct values than a summary holds.
CREATE FUNCTION pg_temp.uniform(i bigint, seed bigint) RETURNS float8
LANGUAGE sql IMMUTABLE
RETURN ((hashint8extended(i, seed) >> 11) & 9007199254740991)
	/ 9007199254740992.0::float8;
CREATE TEMP TABLE sample AS
SELECT i, i % 7 AS part, pg_temp.uniform(i, 1) < 0.2 + 0.6 * score AS label,
	score, round(score::numeric, 2)::float8 AS rounded,
	3 * pg_temp.uniform(i, 2) AS weight
FROM (SELECT i, pg_temp.uniform(i, 3) ^ (1 + i % 3) AS score
	FROM generate_series(1, 20000) AS i) AS s;
ANALYZE sample;

CREATE TEMP TABLE whole AS
SELECT classification(label, rounded, 0.3) AS few,
	classification(label, score, 0.3) AS many,
	classification(label, rounded, 0.3, weight) AS few_weighted,
	classification(label, score, 0.3, weight) AS many_weighted
FROM sample;

-- merge of parts, in any order = summary of all rows
WITH parts AS (
	SELECT part, classification(label, rounded, 0.3) AS few,
		classification(label, score, 0.3) AS many,
		classification(label, rounded, 0.3, weight) AS few_weighted,
		classification(label, score, 0.3, weight) AS many_weighted
	FROM (SELECT * FROM sample ORDER BY weight) AS shuffled GROUP BY part
), merged AS (
	SELECT merge(few ORDER BY part) AS few,
		merge(many ORDER BY part) AS many,
		merge(few_weighted ORDER BY -part) AS few_weighted,
		merge(many_weighted ORDER BY -part) AS many_weighted
	FROM parts
)
SELECT w.few = m.few, w.many = m.many, w.few_weighted = m.few_weighted,
	w.many_weighted = m.many_weighted
FROM whole AS w, merged AS m;

-- + is merge; a part without labels adds its rows without labels only
SELECT a + b = b + a, a + b = (SELECT many FROM whole),
	null_count(a + none) = null_count(none) AND null_count(none) = 20000,
	n(a + none) = n(a) AND roc_auc(a + none) = roc_auc(a)
FROM (SELECT classification(label, score, 0.3) FILTER (WHERE part < 3) AS a,
		classification(label, score, 0.3) FILTER (WHERE part >= 3) AS b,
		classification(NULL::boolean, score, 0.3) AS none
	FROM sample) AS s;

-- Text and binary forms, equality, hash: values survive
SELECT few::text::classification = few, many::text::classification = many,
	few_weighted::text::classification = few_weighted,
	many_weighted::text::classification = many_weighted,
	pg_temp.receive(mlmeta_internal.classification_send(many_weighted)) AS received
FROM whole;
SELECT count(*) AS rows, count(DISTINCT c) AS different
FROM (SELECT few AS c FROM whole UNION ALL SELECT few FROM whole
	UNION ALL SELECT many FROM whole) AS s;

-- All that does not need the order of scores inside of a cell stays exact:
-- compare with sums over the rows.
SELECT
	abs(log_loss(many) - (
		SELECT avg(-ln(CASE WHEN label THEN score ELSE 1 - score END))
		FROM sample)) < 1e-13 AS log_loss,
	abs(brier_score(many) - (
		SELECT avg((score - label::int) ^ 2) FROM sample)) < 1e-14 AS brier,
	abs(log_loss(many_weighted) - (
		SELECT sum(-weight * ln(CASE WHEN label THEN score ELSE 1 - score END))
			/ sum(weight)
		FROM sample)) < 1e-13 AS weighted_log_loss
FROM whole;
SELECT tp = (SELECT count(*) FROM sample WHERE label AND score >= 0.3),
	fp = (SELECT count(*) FROM sample WHERE NOT label AND score >= 0.3),
	fn = (SELECT count(*) FROM sample WHERE label AND score < 0.3),
	tn = (SELECT count(*) FROM sample WHERE NOT label AND score < 0.3)
FROM whole, confusion(many);
-- Of calibration and average precision, cells blur half a cell.
SELECT abs(ece(many) - (
		SELECT sum(abs(gap)) / 20000 FROM (
			SELECT sum(label::int - score) AS gap FROM sample
			GROUP BY ceil(score * 10)) AS s)) < 2e-4 AS ece,
	abs(average_precision(many) - (
		SELECT sum(hits::float8 / rank) / count(*) FROM (
			SELECT label, row_number() OVER w AS rank,
				count(*) FILTER (WHERE label) OVER w AS hits
			FROM sample WINDOW w AS (ORDER BY score DESC)) AS s
		WHERE label)) < 2e-3 AS average_precision
FROM whole;

-- The interval of the ROC AUC holds the value of the rows, found by ranks; it
-- is a point while the scores fit.
WITH ranked AS (
	SELECT label, rank() OVER (ORDER BY score)
		+ (count(*) OVER (PARTITION BY score) - 1) / 2.0 AS midrank
	FROM sample
), exact AS (
	SELECT (sum(midrank) FILTER (WHERE label)
			- count(*) FILTER (WHERE label)
				* (count(*) FILTER (WHERE label) + 1) / 2.0)
		/ (count(*) FILTER (WHERE label) * count(*) FILTER (WHERE NOT label))
		AS auc
	FROM ranked
)
SELECT auc BETWEEN m.low AND m.high AS holds,
	m.low < m.high AND m.high - m.low < 0.002 AS narrow,
	abs(auc - roc_auc(many)) < 0.0005 AS close, f.low = f.high AS exact
FROM whole, exact, roc_auc_interval(many) AS m, roc_auc_interval(few) AS f;

-- The same over 25 generated samples of scores of every kind: crowded at 0 or
-- 1, tied, hard 0 and 1. 9,000 rows each, more than a summary holds.
CREATE FUNCTION pg_temp.interval_holds(seed int) RETURNS boolean
LANGUAGE sql AS $$
WITH drawn AS (
	SELECT pg_temp.uniform(i, 2 * seed) AS u,
		pg_temp.uniform(i, 2 * seed + 1) AS v
	FROM generate_series(1, 9000) AS i
), scored AS (
	SELECT CASE seed % 5
			WHEN 0 THEN u
			WHEN 1 THEN u ^ 8
			WHEN 2 THEN 1 - u ^ 8
			WHEN 3 THEN CASE WHEN v < 0.2 THEN 0 WHEN v > 0.9 THEN 1 ELSE u END
			ELSE CASE WHEN v < 0.3 THEN round(u::numeric, 1)::float8
				ELSE u / 1e6 END
		END AS score, u + v > 1 AS label
	FROM drawn
), ranked AS (
	SELECT label, score, rank() OVER (ORDER BY score)
		+ (count(*) OVER (PARTITION BY score) - 1) / 2.0 AS midrank
	FROM scored
), answer AS (
	SELECT (sum(midrank) FILTER (WHERE label)
			- count(*) FILTER (WHERE label)
				* (count(*) FILTER (WHERE label) + 1) / 2.0)
		/ (count(*) FILTER (WHERE label) * count(*) FILTER (WHERE NOT label))
		AS auc, roc_auc_interval(classification(label, score)) AS i
	FROM ranked
)
SELECT auc BETWEEN (i).low - 1e-15 AND (i).high + 1e-15
	AND (i).low < (i).high AND (i).high - (i).low < 0.01
FROM answer;
$$;
SELECT count(*) AS samples,
	count(*) FILTER (WHERE pg_temp.interval_holds(seed)) AS hold
FROM generate_series(1, 25) AS seed;

-- FILTER, GROUPING SETS, windows
WITH sets AS (
	SELECT part, classification(label, score, 0.3) AS c FROM sample
	GROUP BY GROUPING SETS ((part), ())
), filtered AS (
	SELECT classification(label, score, 0.3) FILTER (WHERE part = 2) AS c
	FROM sample
)
SELECT (SELECT c FROM sets WHERE part IS NULL) = (SELECT many FROM whole),
	(SELECT c FROM sets WHERE part = 2) = (SELECT c FROM filtered);
SELECT i, n(c), round(roc_auc(c)::numeric, 6) AS roc_auc
FROM (SELECT i, classification(label, score) OVER w AS c
	FROM sample WHERE i <= 12 WINDOW w AS (ORDER BY i)) AS s
WHERE i IN (3, 7, 12);
SELECT count(*) AS same FROM (
	SELECT classification(label, score) OVER (ORDER BY i) AS c, i
	FROM sample WHERE i <= 12) AS s
WHERE c = (SELECT classification(label, score) FROM sample AS r
	WHERE r.i <= s.i);

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
CREATE TABLE quality_parallel AS SELECT * FROM sample;
ANALYZE quality_parallel;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
SET max_parallel_workers_per_gather = 2;
SELECT pg_temp.create_parallel('
	SELECT classification(label, rounded, 0.3) AS few,
		classification(label, score, 0.3) AS many,
		classification(label, rounded, 0.3, weight) AS few_weighted,
		classification(label, score, 0.3, weight) AS many_weighted
	FROM quality_parallel') AS partial;
SELECT p.few = w.few, p.many = w.many, p.few_weighted = w.few_weighted,
	p.many_weighted = w.many_weighted
FROM parallel AS p, whole AS w;
DROP TABLE quality_parallel;

COPY (SELECT WHERE false) TO PROGRAM 'rm -f mlmeta_received';
