-- Quality of classifiers of many classes: the type confusion_matrix.
SET search_path = public, mlmeta;
SET extra_float_digits = 0;
\pset null '(null)'

-- ---------------------------------------------------------------------------
-- Published examples: scikit-learn's user guide and docstrings
-- ---------------------------------------------------------------------------

CREATE TEMP TABLE published AS
SELECT name, confusion(actual, predicted) AS m
FROM (VALUES
	-- classification_report: classes 0, 1, 2
	('report', '{0,1,2,2,2}'::text[], '{0,0,2,2,1}'::text[]),
	-- precision_score, recall_score, f1_score
	('scores', '{0,1,2,0,1,2}', '{0,2,1,0,0,1}'),
	-- matthews_corrcoef
	('mcc', '{+1,+1,+1,-1}', '{+1,-1,+1,+1}'),
	-- balanced_accuracy_score
	('balanced', '{0,1,0,0,1,0}', '{0,1,0,0,0,1}'),
	-- cohen_kappa_score
	('kappa', '{negative,positive,negative,neutral,positive}',
		'{negative,positive,negative,neutral,negative}'))
	AS v(name, a, p), unnest(a, p) AS u(actual, predicted)
GROUP BY name;

-- precision 0.50, 0.00, 1.00; recall 1.00, 0.00, 0.67; f1 0.67, 0.00, 0.80
SELECT class, support, predicted, hits, round(precision::numeric, 2) AS precision,
	round(recall::numeric, 2) AS recall, round(f1::numeric, 2) AS f1
FROM published, by_class(m) WHERE name = 'report';
-- accuracy 0.60; macro 0.50, 0.56, 0.49; weighted 0.70, 0.60, 0.61
SELECT average, round(accuracy(m)::numeric, 2) AS accuracy,
	round(precision_score(m, average)::numeric, 2) AS precision,
	round(recall_score(m, average)::numeric, 2) AS recall,
	round(f1_score(m, average)::numeric, 2) AS f1
FROM published, unnest('{macro,micro,weighted}'::text[]) AS average
WHERE name = 'report';
-- precision 0.22, 0.33, 0.22; recall 0.33, 0.33, 0.33; f1 0.26, 0.33, 0.26
SELECT average, round(precision_score(m, average)::numeric, 3) AS precision,
	round(recall_score(m, average)::numeric, 3) AS recall,
	round(f1_score(m, average)::numeric, 3) AS f1
FROM published, unnest('{macro,micro,weighted}'::text[]) AS average
WHERE name = 'scores';
-- -0.33, 0.625, 0.6875
SELECT round(mcc(m)::numeric, 2) AS mcc FROM published WHERE name = 'mcc';
SELECT balanced_accuracy(m) FROM published WHERE name = 'balanced';
SELECT kappa(m) FROM published WHERE name = 'kappa';

-- Two classes: the same numbers as classification, whose goldens are tested
CREATE TEMP TABLE two AS
SELECT i, i % 3 = 0 AS label, (i * 37 % 100) / 100.0 AS score,
	(1 + i % 5) / 8.0 AS weight
FROM generate_series(1, 200) AS i;
WITH built AS (
	SELECT confusion(label::text, (score >= 0.4)::text, weight) AS m,
		classification(label, score, 0.4, weight) AS c
	FROM two
)
SELECT accuracy(m) = accuracy(c) AS accuracy,
	abs(balanced_accuracy(m) - balanced_accuracy(c)) < 1e-15 AS balanced,
	abs(mcc(m) - mcc(c)) < 1e-15 AS mcc, abs(kappa(m) - kappa(c)) < 1e-15 AS kappa,
	p.precision = precision_score(c) AS precision, p.recall = recall_score(c) AS
	recall, p.f1 = f1_score(c) AS f1, total_weight(m) = total_weight(c) AS weight
FROM built, by_class(m) AS p WHERE class = 'true';

-- ---------------------------------------------------------------------------
-- What a summary says
-- ---------------------------------------------------------------------------

CREATE TEMP TABLE tiny (actual text, predicted text, weight float8);
INSERT INTO tiny VALUES ('cat', 'cat', 1), ('cat', 'dog', 0.5), ('', 'cat', 1),
	('dog', 'dog', 2), ('dog', 'dog', 2), ('é"\', 'é"\', 1), (NULL, 'cat', 1),
	('dog', NULL, 1);
SELECT confusion(actual, predicted) FROM tiny;
SELECT confusion(actual, predicted, weight) FROM tiny;
SELECT n(m), null_count(m), total_weight(m), classes(m)
FROM (SELECT confusion(actual, predicted, weight) AS m FROM tiny) AS s;
SELECT cells.*
FROM (SELECT confusion(actual, predicted, weight) AS m FROM tiny) AS s, cells(m);
SELECT n(m), null_count(m)
FROM (SELECT confusion(actual, predicted, nullif(weight, 2)) AS m FROM tiny) AS s;
-- the name confusion reads a classification, too
SELECT confusion(classification(true, 0.7));

-- Nothing, only NULLs, no weight, one class
SELECT confusion(actual, predicted) FROM tiny WHERE false;
SELECT what, n(m), classes(m), accuracy(m), balanced_accuracy(m) AS balanced,
	precision_score(m) AS precision, f1_score(m, 'weighted') AS f1, kappa(m),
	mcc(m), (SELECT count(*) FROM cells(m)) AS cells
FROM (SELECT 'only NULLs' AS what, confusion(NULL, predicted) AS m FROM tiny
	UNION ALL SELECT 'no weight', confusion(actual, predicted, 0) FROM tiny
	UNION ALL SELECT 'one class', confusion('a', 'a') FROM tiny
	UNION ALL SELECT 'one truth', confusion('a', predicted) FROM tiny) AS s;

-- ---------------------------------------------------------------------------
-- Errors
-- ---------------------------------------------------------------------------

CREATE FUNCTION pg_temp.error_of(query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	answer text;
	detail text;
BEGIN
	EXECUTE query INTO answer;
	RETURN format('no error: %s', left(answer, 60));
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' ', SQLSTATE, SQLERRM || '.', nullif(detail, ''));
END
$$;

SELECT pg_temp.error_of(query) FROM unnest(ARRAY[
	'SELECT confusion(''a'', ''b'', -1)',
	'SELECT confusion(''a'', ''b'', ''NaN'')',
	'SELECT confusion(repeat(''é'', 600), ''b'')',
	'SELECT n(confusion(repeat(''a'', 1024), ''b''))',
	'SELECT n(confusion(i::text, ''1'')) FROM generate_series(1, 1024) AS i',
	'SELECT n(confusion(i::text, ''1'')) FROM generate_series(1, 1025) AS i',
	'SELECT f1_score(confusion(''a'', ''b''), ''samples'')',
	'SELECT mlmeta_internal.confusion_matrix_transition(NULL, ''a'', ''b'')']) AS query;

-- ---------------------------------------------------------------------------
-- Corrupted values, as text and as bytes
-- ---------------------------------------------------------------------------

CREATE TEMP TABLE good AS
SELECT confusion(actual, predicted)::text AS value FROM tiny WHERE actual <> 'é"\';
SELECT value FROM good;
SELECT pg_temp.error_of(format('SELECT %L::confusion_matrix',
	replace(value, what, instead)))
FROM good, (VALUES
	(1, '"version": 1', '"version": 3'), (2, '"null_count": 1', '"null_count": -1'),
	(3, '"class": "cat"', '"class": "dog"'),
	(4, '"class": "cat"', '"class": "z"'),
	(5, '"class": "cat"', '"class": 1'),
	(6, '"length": 3', '"length": 2'), (7, '"length": 3', '"length": 4'),
	(8, '"length": 3', '"length": 99999'),
	(9, '"gaps": [1', '"gaps": [9'), (10, '"counts": [1', '"counts": [0'),
	(11, '"counts": [1', '"counts": [1,1'),
	(12, '"counts": [1', '"counts": [9223372036854775807'),
	(13, '"gaps": [1', '"gaps": [9223372036854775807'),
	(14, '"weighted": false', '"weighted": true')) AS v(i, what, instead)
ORDER BY i;
-- a class without rows
SELECT '{"version": 1, "null_count": 0, "length": 2, "classes": [{"class": "a"}, {"class": "b"}], "gaps": [0], "counts": [1], "weighted": false}'::confusion_matrix;

CREATE TEMP TABLE received (m confusion_matrix);
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
	SELECT m::text::confusion_matrix = m AND m + m IS NOT NULL
		AND num_nulls(accuracy(m), f1_score(m), kappa(m), mcc(m)) < 4
		AND 1 <= (SELECT count(*) FROM by_class(m))
	INTO STRICT answer FROM received;
	RETURN 'valid ' || answer;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;

-- The stored form of version 1, which every later version reads
SELECT mlmeta_internal.confusion_matrix_send(confusion(actual, predicted)) AS plain,
	mlmeta_internal.confusion_matrix_send(confusion(actual, predicted, weight)) AS weighted
FROM tiny WHERE actual IN ('cat', 'dog');

-- Any byte changed: refused, or another valid value, which survives both of
-- its forms and all accessors; nothing else happens.
WITH original AS (
	SELECT mlmeta_internal.confusion_matrix_send(confusion(actual, predicted, weight)) AS body
	FROM tiny
), changed AS (
	SELECT 'changed' AS what,
		set_byte(body, i, (get_byte(body, i) + delta) % 256) AS body
	FROM original, generate_series(0, octet_length(body) - 1) AS i,
		unnest(ARRAY[1, 128]) AS delta
	UNION ALL
	SELECT 'cut', substr(body, 1, i)
	FROM original, generate_series(0, octet_length(body) - 1) AS i
	UNION ALL
	SELECT 'longer', body || '\x00'::bytea FROM original
	UNION ALL
	SELECT 'whole', body FROM original
)
SELECT what, pg_temp.receive(body) AS outcome, count(*) > 0 AS seen
FROM changed GROUP BY what, outcome ORDER BY what, outcome;

-- ---------------------------------------------------------------------------
-- Properties
-- ---------------------------------------------------------------------------

CREATE TABLE confusion_sample AS
SELECT i, i % 7 AS part, (hashint4(i) & 63)::text AS actual,
	(hashint4(i) & 63 & ~(hashint4(i + 1) & 3))::text AS predicted,
	(hashint4(i + 2) & 1023) / 100.0 AS weight
FROM generate_series(1, 20000) AS i;
ANALYZE confusion_sample;
CREATE TEMP TABLE whole AS
SELECT confusion(actual, predicted) AS plain,
	confusion(actual, predicted, weight) AS weighted
FROM confusion_sample;

-- merge of parts, in any order = matrix of all rows
WITH parts AS (
	SELECT part, confusion(actual, predicted) AS plain,
		confusion(actual, predicted, weight) AS weighted
	FROM (SELECT * FROM confusion_sample ORDER BY weight) AS shuffled
	GROUP BY part
)
SELECT w.plain = merge(p.plain ORDER BY part),
	w.weighted = merge(p.weighted ORDER BY -part),
	w.plain::text::confusion_matrix = w.plain,
	w.weighted::text::confusion_matrix = w.weighted
FROM whole AS w, parts AS p GROUP BY w.plain, w.weighted;
SELECT a + b = b + a, plus(a, b) = (SELECT plain FROM whole)
FROM (SELECT confusion(actual, predicted) FILTER (WHERE part < 3) AS a,
		confusion(actual, predicted) FILTER (WHERE part >= 3) AS b
	FROM confusion_sample) AS s;

-- The cells are those of GROUP BY.
SELECT count(*) AS cells, bool_and(c.n = g.n AND abs(c.weight - g.weight) < 1e-9)
	AS equal
FROM (SELECT cells.* FROM whole, cells(weighted)) AS c
	FULL JOIN (SELECT actual, predicted, count(*) AS n, sum(weight) AS weight
		FROM confusion_sample GROUP BY actual, predicted) AS g
	USING (actual, predicted);

-- FILTER, GROUPING SETS, windows
WITH sets AS (
	SELECT part, confusion(actual, predicted) AS m FROM confusion_sample
	GROUP BY GROUPING SETS ((part), ())
), filtered AS (
	SELECT confusion(actual, predicted) FILTER (WHERE part = 2) AS m
	FROM confusion_sample
)
SELECT (SELECT m FROM sets WHERE part IS NULL) = (SELECT plain FROM whole),
	(SELECT m FROM sets WHERE part = 2) = (SELECT m FROM filtered);
SELECT count(*) AS same FROM (
	SELECT confusion(actual, predicted) OVER (ORDER BY i) AS m, i
	FROM confusion_sample WHERE i <= 12) AS s
WHERE m = (SELECT confusion(actual, predicted) FROM confusion_sample AS t
	WHERE t.i <= s.i);

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
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
SET max_parallel_workers_per_gather = 2;
SELECT pg_temp.create_parallel('
	SELECT confusion(actual, predicted) AS plain,
		confusion(actual, predicted, weight) AS weighted
	FROM confusion_sample') AS partial;
SELECT p.plain = w.plain, p.weighted = w.weighted FROM parallel AS p, whole AS w;
DROP TABLE confusion_sample;
COPY (SELECT WHERE false) TO PROGRAM 'rm -f mlmeta_received';
