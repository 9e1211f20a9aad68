-- Quality of predicted numbers: the type regression.
SET search_path = public, mlmeta;
SET extra_float_digits = 0;
\pset null '(null)'

-- ---------------------------------------------------------------------------
-- Golden figures: scikit-learn 1.2.1 (test/data/quality.json.gz)
-- ---------------------------------------------------------------------------

CREATE TEMP TABLE golden_file (body jsonb);
\copy golden_file FROM PROGRAM 'gzip -dc test/data/quality.json.gz | sed "s/\bNaN\b/null/g"' WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')

CREATE TEMP TABLE golden AS
SELECT g ->> 'name' AS name, g
FROM golden_file, jsonb_array_elements(body -> 'cases') AS g
WHERE g ->> 'kind' = 'regression';

CREATE TEMP TABLE built AS
SELECT name, regression(y.value::float8, p.value::float8) AS r
FROM golden,
	jsonb_array_elements_text(g -> 'y') WITH ORDINALITY AS y(value, i)
	JOIN LATERAL jsonb_array_elements_text(g -> 'pred')
		WITH ORDINALITY AS p(value, i) USING (i)
GROUP BY name;

SELECT count(*) AS cases FROM built;

-- The one deviation: with_zero_truth has an actual value of 0. scikit-learn
-- divides by 2^-52 there and answers 1.5e14; ours is NULL, and zero_actuals
-- counts such rows. r2 of one row is NULL on both sides. Not offered, because
-- they do not merge or are not in the type: medae, spearman, d2_absolute
-- (order statistics), msle, pinball, Poisson deviance.
CREATE TEMP TABLE compared AS
SELECT name, m.metric, m.value AS ours, g -> 'expected' -> m.metric AS theirs
FROM built JOIN golden USING (name), LATERAL (VALUES
	('mae', mae(r)), ('mse', mse(r)), ('rmse', rmse(r)), ('r2', r2(r)),
	('mape_fraction', mape(r)), ('smape', smape(r)), ('mean_bias', bias(r)),
	('max_error', max_error(r)),
	('explained_variance', explained_variance(r)),
	('pearson', pearson(r))) AS m(metric, value);

SELECT count(*) AS compared FROM compared;
SELECT name, metric, ours, theirs FROM compared
WHERE (CASE WHEN jsonb_typeof(theirs) = 'number'
		THEN abs(ours - theirs::float8) <= 1e-12 * abs(theirs::float8) + 1e-15
		ELSE ours IS NULL END) IS NOT TRUE
ORDER BY name, metric;

SELECT zero_actuals(r) FROM built WHERE name = 'with_zero_truth';

-- ---------------------------------------------------------------------------
-- Every constructor, and what a summary says
-- ---------------------------------------------------------------------------

CREATE TEMP TABLE tiny (i int, actual float8, predicted float8, weight float8);
INSERT INTO tiny VALUES
	(1, 3, 2.5, 1), (2, -0.5, 0, 2), (3, 2, 2, 0.5), (4, 7, 8, 3),
	(5, NULL, 1, 1), (6, 1, NULL, 1), (7, 'NaN', 1, 1), (8, 1, '-Infinity', 1);

SELECT regression(actual, predicted) FROM tiny WHERE i <= 2;
SELECT regression(actual, predicted, weight) FROM tiny WHERE i <= 2;
SELECT regression(actual, predicted) = regression(actual, predicted, 1),
	regression(actual::numeric, predicted::real) = regression(actual, predicted)
FROM tiny WHERE i <= 6;

-- The first four rows are scikit-learn's example for its regression metrics:
-- mae 0.5, mse 0.375, r2 0.9486..., explained variance 0.957..., max error 1.
SELECT n(r), null_count(r), nan_count(r), zero_actuals(r), total_weight(r),
	mae(r), mse(r), round(r2(r)::numeric, 12) AS r2,
	round(explained_variance(r)::numeric, 12) AS explained_variance,
	max_error(r), bias(r), round(mape(r)::numeric, 12) AS mape
FROM (SELECT regression(actual, predicted) AS r FROM tiny) AS s;

-- Weights count rows: weights 2, 4, 1, 6 are so many rows.
WITH weighted AS (
	SELECT regression(actual, predicted, 2 * weight) AS r FROM tiny
), repeated AS (
	SELECT regression(actual, predicted) AS r
	FROM tiny, generate_series(1, (2 * weight)::int)
)
SELECT total_weight(w.r), n(w.r), n(p.r), mae(w.r) = mae(p.r),
	mse(w.r) = mse(p.r), r2(w.r) = r2(p.r), smape(w.r) = smape(p.r),
	mape(w.r) = mape(p.r), bias(w.r) = bias(p.r),
	explained_variance(w.r) = explained_variance(p.r),
	pearson(w.r) = pearson(p.r)
FROM weighted AS w, repeated AS p;

-- ---------------------------------------------------------------------------
-- Nothing, only NULLs, one row, constants, no weight
-- ---------------------------------------------------------------------------

SELECT regression(actual, predicted) FROM tiny WHERE false;
CREATE TEMP TABLE edge AS
SELECT 1 AS i, 'only NULLs' AS what, regression(NULL, predicted) AS r FROM tiny
UNION ALL
SELECT 2, 'only NaN', regression('NaN', predicted) FROM tiny
UNION ALL
SELECT 3, 'no weight', regression(actual, predicted, 0) FROM tiny
UNION ALL
SELECT 4, 'one row', regression(actual, predicted) FROM tiny WHERE i = 1
UNION ALL
SELECT 5, 'constant truth', regression(0.1, predicted) FROM tiny
UNION ALL
SELECT 6, 'constant, perfect', regression(0.1, 0.1) FROM generate_series(1, 7)
UNION ALL
SELECT 7, 'constant, weighted', regression(0.1, 0.3, i / 10.0)
FROM generate_series(1, 7) AS i
UNION ALL
SELECT 8, 'all zero', regression(0, 0) FROM generate_series(1, 7);
SELECT what, n(r), mae(r), rmse(r), mape(r), smape(r), bias(r), max_error(r),
	r2(r), explained_variance(r), pearson(r)
FROM edge ORDER BY i;

-- ---------------------------------------------------------------------------
-- Exactness: values far from zero, large next to small, tiny, huge
-- ---------------------------------------------------------------------------

-- Variance of the actual values and errors of known size on an offset that
-- leaves 20 bits to them: r2 = 1 - 2^-20 / ((1000^2 - 1) / 12).
SELECT r2(r) = 1 - 2::float8 ^ -20 / ((1000::float8 ^ 2 - 1) / 12) AS r2,
	mse(r) = 2::float8 ^ -20 AS mse, bias(r) = 0 AS bias
FROM (SELECT regression(1e9 + i, 1e9 + i
		+ CASE WHEN i % 2 = 0 THEN 1 ELSE -1 END * 2::float8 ^ -10) AS r
	FROM generate_series(1, 1000) AS i) AS s;
SELECT mae(r), bias(r), mse(r) > 0 AS mse
FROM (SELECT regression(a, a + e) AS r
	FROM (VALUES (0, 1e15), (0, 1.0), (0, -1e15)) AS v(a, e)) AS s;
-- The squares of these are too large for a float8; roots and ratios are not.
SELECT rmse(r) / huge AS rmse, r2(r), explained_variance(r)
FROM (SELECT 2::float8 ^ 600 AS huge) AS t, LATERAL (
	SELECT regression(y, 0) AS r FROM unnest(ARRAY[huge, 0, 0, 0]) AS y) AS s;
-- The squares of these are too small for a float8; the metrics are not.
SELECT mae(r) = 2 * tiny AS mae, rmse(r) / tiny AS rmse, r2(r),
	explained_variance(r), pearson(r), mape(r), smape(r)
FROM (SELECT 2::float8 ^ -1000 AS tiny) AS t, LATERAL (
	SELECT regression(a * tiny, 2 * a * tiny) AS r
	FROM unnest('{1,2,3}'::float8[]) AS a) AS s;
SELECT pearson(r) FROM (SELECT regression(a * 2::float8 ^ -1000, a) AS r
	FROM unnest('{1,2,3}'::float8[]) AS a) AS s;
SELECT mape(r), smape(r) FROM (SELECT regression(1.5e308, -1.5e308) AS r) AS s;
-- a relative error that no float8 holds counts like one of a zero
SELECT mape(r), zero_actuals(r) FROM (SELECT regression(1e-320, 1e10) AS r) AS s;

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
	RETURN format('no error: %s', answer);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' ', SQLSTATE, SQLERRM || '.', nullif(detail, ''));
END
$$;

SELECT pg_temp.error_of(query) FROM unnest(ARRAY[
	'SELECT regression(1, 1, -1)',
	'SELECT regression(1, 1, ''NaN'')',
	'SELECT regression(1, 1, 1e13)',
	'SELECT regression(1e308, 1, 100)',
	'SELECT mse(regression(1e200, 0))',
	'SELECT mae(regression(1.7e308, -1.7e308))',
	'SELECT mlmeta_internal.regression_transition(NULL, 1, 1)']) AS query;

-- ---------------------------------------------------------------------------
-- Corrupted values, as text and as bytes
-- ---------------------------------------------------------------------------

CREATE TEMP TABLE good AS
SELECT regression(actual, predicted)::text AS value FROM tiny WHERE i <= 2;
SELECT pg_temp.error_of(format('SELECT %L::regression',
	replace(value, what, instead)))
FROM good, (VALUES
	(1, '"version": 1', '"version": 2'), (2, '"n": 2', '"n": 0'),
	(3, '"n": 2', '"n": -2'), (4, '"zero_actuals": 0', '"zero_actuals": 3'),
	(5, '"max_error": 0.5', '"max_error": -1'),
	(6, '"max_error": 0.5', '"max_error": "NaN"'),
	(7, '"weighted": false', '"weighted": true'),
	(8, '"actual_square": {"negative": false',
		'"actual_square": {"negative": true'),
	(9, '"negative": false, "scale": 2147', '"negative": false, "scale": 5000'),
	(10, '}}', '}'), (11, '}}', '}} x')) AS v(i, what, instead)
ORDER BY i;
-- sums that no rows have: an error of the accessor at worst
SELECT pg_temp.error_of(format('SELECT r2(%L)', regexp_replace(value,
	'"actual": {"negative": false, "scale": \d+',
	'"actual": {"negative": false, "scale": 4300')))
FROM good;

CREATE TEMP TABLE received (r regression);
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
	SELECT r::text::regression = r AND r + r IS NOT NULL
		AND num_nulls(r2(r), rmse(r), mae(r), explained_variance(r), pearson(r),
			bias(r), smape(r)) < 7
	INTO STRICT answer FROM received;
	RETURN 'valid ' || answer;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;

-- The stored form of version 1, which every later version reads
SELECT mlmeta_internal.regression_send(regression(actual, predicted)) AS plain,
	mlmeta_internal.regression_send(regression(actual, predicted, weight)) AS weighted
FROM tiny WHERE i IN (1, 3, 5);

-- Any byte changed: refused, or another valid value, which survives both of
-- its forms and all accessors, or overflows there; nothing else happens.
WITH original AS (
	SELECT mlmeta_internal.regression_send(regression(actual, predicted, weight)) AS body
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

-- Values over 600 orders of magnitude, of both signs
CREATE FUNCTION pg_temp.uniform(i bigint, seed bigint) RETURNS float8
LANGUAGE sql IMMUTABLE
RETURN ((hashint8extended(i, seed) >> 11) & 9007199254740991)
	/ 9007199254740992.0::float8;
CREATE TABLE regression_sample AS
SELECT i, i % 7 AS part,
	CASE WHEN i % 2 = 0 THEN 1 ELSE -1 END * pg_temp.uniform(i, 1)
		* 10.0::float8 ^ (280 * (2 * pg_temp.uniform(i, 2) - 1)) AS actual,
	pg_temp.uniform(i, 3) * 10.0::float8 ^ (280 * (2 * pg_temp.uniform(i, 4) - 1))
		AS predicted,
	pg_temp.uniform(i, 5) AS x, pg_temp.uniform(i, 6) AS y,
	3 * pg_temp.uniform(i, 7) AS weight
FROM generate_series(1, 20000) AS i;
ANALYZE regression_sample;

CREATE TEMP TABLE whole AS
SELECT regression(actual, predicted) AS wild, regression(x, y) AS tame,
	regression(x, y, weight) AS weighted
FROM regression_sample;

WITH parts AS (
	SELECT part, regression(actual, predicted) AS wild,
		regression(x, y) AS tame, regression(x, y, weight) AS weighted
	FROM (SELECT * FROM regression_sample ORDER BY weight) AS shuffled
	GROUP BY part
), merged AS (
	SELECT merge(wild ORDER BY part) AS wild, merge(tame ORDER BY -part) AS tame,
		merge(weighted) AS weighted
	FROM parts
)
SELECT w.wild = m.wild, w.tame = m.tame, w.weighted = m.weighted,
	w.wild::text::regression = w.wild, w.weighted::text::regression = w.weighted
FROM whole AS w, merged AS m;

SELECT a + b = b + a, a + b = (SELECT tame FROM whole), plus(a, none) = a
FROM (SELECT regression(x, y) FILTER (WHERE part < 3) AS a,
		regression(x, y) FILTER (WHERE part >= 3) AS b,
		regression(x, y) FILTER (WHERE part = 0) AS c
	FROM regression_sample) AS s,
	(SELECT '{"version": 1, "n": 0, "null_count": 0, "nan_count": 0,
		"zero_actuals": 0, "max_error": 0, "weighted": false,
		"actual": {"negative": false, "scale": 0, "magnitude": ""},
		"predicted": {"negative": false, "scale": 0, "magnitude": ""},
		"actual_square": {"negative": false, "scale": 0, "magnitude": ""},
		"product": {"negative": false, "scale": 0, "magnitude": ""},
		"predicted_square": {"negative": false, "scale": 0, "magnitude": ""},
		"absolute_error": {"negative": false, "scale": 0, "magnitude": ""},
		"relative_error": {"negative": false, "scale": 0, "magnitude": ""},
		"symmetric_error": {"negative": false, "scale": 0, "magnitude": ""}}'
		::regression AS none) AS e;

-- The same numbers as PostgreSQL's own aggregates, where those are accurate
SELECT abs(mae(tame) - avg(abs(y - x))) < 1e-13 AS mae,
	abs(mse(tame) - avg((y - x) ^ 2)) < 1e-13 AS mse,
	abs(bias(tame) - avg(y - x)) < 1e-13 AS bias,
	abs(r2(tame) - (1 - avg((y - x) ^ 2) / var_pop(x))) < 1e-12 AS r2,
	abs(pearson(tame) - corr(x, y)) < 1e-12 AS pearson,
	abs(explained_variance(tame) - (1 - var_pop(y - x) / var_pop(x))) < 1e-12
		AS explained_variance,
	abs(mape(tame) - avg(abs(y - x) / x)) < 1e-9 * mape(tame) AS mape,
	abs(smape(tame) - avg(2 * abs(y - x) / (x + y))) < 1e-13 AS smape,
	abs(mae(weighted) - sum(weight * abs(y - x)) / sum(weight)) < 1e-13
		AS weighted_mae
FROM whole, regression_sample GROUP BY tame, weighted;

-- FILTER, GROUPING SETS, windows
WITH sets AS (
	SELECT part, regression(x, y) AS r FROM regression_sample
	GROUP BY GROUPING SETS ((part), ())
), filtered AS (
	SELECT regression(x, y) FILTER (WHERE part = 2) AS r FROM regression_sample
)
SELECT (SELECT r FROM sets WHERE part IS NULL) = (SELECT tame FROM whole),
	(SELECT r FROM sets WHERE part = 2) = (SELECT r FROM filtered);
SELECT count(*) AS same FROM (
	SELECT regression(x, y) OVER (ORDER BY i) AS r, i
	FROM regression_sample WHERE i <= 12) AS s
WHERE r = (SELECT regression(x, y) FROM regression_sample AS t
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
	SELECT regression(actual, predicted) AS wild, regression(x, y) AS tame,
		regression(x, y, weight) AS weighted
	FROM regression_sample') AS partial;
SELECT p.wild = w.wild, p.tame = w.tame, p.weighted = w.weighted
FROM parallel AS p, whole AS w;
DROP TABLE regression_sample;
COPY (SELECT WHERE false) TO PROGRAM 'rm -f mlmeta_received';
