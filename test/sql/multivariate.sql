-- Several features together: moment matrices, their comparisons, principal
-- components; embeddings and the maximum mean discrepancy.
SET search_path = public, mlmeta;

CREATE FUNCTION noise(seed int, i bigint) RETURNS float8
IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
	SELECT (hashint8extended(i, seed) & 1048575) / 1048576.0::float8
$$;
CREATE FUNCTION normal(seed int, i bigint) RETURNS float8
IMMUTABLE LANGUAGE sql AS $$
	SELECT sqrt(-2 * ln(1 - noise(seed, i))) * cos(2 * pi() * noise(seed, i + 100000))
$$;
-- three features; in the current half, z hangs together with x
CREATE TABLE sample AS
SELECT i, i > 1000 AS is_current, noise(1, i) + noise(2, i) AS x,
	100 * noise(3, i) AS y,
	noise(4, i) + CASE WHEN i > 1000 THEN noise(1, i) ELSE 0 END AS z
FROM generate_series(1, 2000) AS i;
CREATE TABLE summary AS
SELECT is_current, moments(ARRAY[x, y, z]) AS m FROM sample GROUP BY is_current;

-- ---------------------------------------------------------------------------
-- Means, covariances, correlations
-- ---------------------------------------------------------------------------

SELECT n(m), dimensions(m), means(m), covariance(m), correlation(m)
FROM (SELECT moments(v::float8[]) AS m
	FROM (VALUES ('{1,2}'), ('{2,4}'), ('{3,9}'), ('{6,5}')) AS t(v)) AS s;
-- against PostgreSQL's own aggregates
SELECT is_current,
	abs((means(m))[1] / avg(x) - 1) < 1e-14 AS mean,
	abs((covariance(m))[2][2] / var_samp(y) - 1) < 1e-12 AS variance,
	abs((covariance(m))[1][3] / covar_samp(x, z) - 1) < 1e-9 AS covariance,
	abs((correlation(m))[1][3] / corr(x, z) - 1) < 1e-9 AS correlation,
	(correlation(m))[3][1] = (correlation(m))[1][3] AS symmetric
FROM summary JOIN sample USING (is_current) GROUP BY is_current, m::text, m
ORDER BY is_current;
-- Far from zero nothing is lost: all these numbers are exact.
-- to the last bit, whichever of two features comes first
SELECT count(*), count(*) FILTER (WHERE (correlation(m))[i][j] <> (correlation(m))[j][i]
	OR (covariance(m))[i][j] <> (covariance(m))[j][i]) AS asymmetric
FROM (SELECT k, moments(ARRAY[sin(i * k), cos(i * k * 1.7) + sin(i * k), exp(sin(i + k))]) AS m
	FROM generate_series(1, 50) AS i, generate_series(1, 200) AS k GROUP BY k) AS s,
	(VALUES (1, 2), (1, 3), (2, 3)) AS pairs(i, j);
SELECT covariance(m), correlation(m)
FROM (SELECT moments(ARRAY[1e15 + i, -1e15 - 2 * i, 1e-150 * i]) AS m
	FROM generate_series(1, 5) AS i) AS t;

-- Serial, in any order, merged, filtered, grouped: the same bytes
SELECT m = reversed AS reversed, m = merged AS merged, m = filtered AS filtered,
	m = added AS added
FROM (SELECT moments(ARRAY[x, y, z] ORDER BY i) AS m,
		moments(ARRAY[x, y, z] ORDER BY i DESC) AS reversed FROM sample) AS a,
	(SELECT merge(p) AS merged FROM (SELECT moments(ARRAY[x, y, z]) AS p
		FROM sample GROUP BY i % 7) AS parts) AS b,
	(SELECT moments(ARRAY[x, y, z]) FILTER (WHERE is_current) +
		moments(ARRAY[x, y, z]) FILTER (WHERE NOT is_current) AS filtered
	FROM sample) AS c,
	(SELECT plus(r.m, c.m) AS added FROM summary AS r, summary AS c
	WHERE NOT r.is_current AND c.is_current) AS d;
SELECT count(*) AS groups, count(DISTINCT m) AS different
FROM (SELECT moments(ARRAY[x, y, z]) AS m FROM sample
	GROUP BY GROUPING SETS ((is_current), (), (is_current))) AS t;
-- in parallel
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
SET max_parallel_workers_per_gather = 2;
CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE 'EXPLAIN (COSTS off) ' || query;
END $$;
SELECT count(*) FILTER (WHERE p ~ 'Partial Aggregate') AS partial
FROM plan_of('SELECT moments(ARRAY[x, y, z]), mmd(ARRAY[x, z], is_current) FROM sample') AS p;
SELECT m = (SELECT merge(m) FROM summary) AS moments,
	d = (SELECT mmd(ARRAY[x, z], is_current ORDER BY i) FROM sample) AS mmd
FROM (SELECT moments(ARRAY[x, y, z]) AS m, mmd(ARRAY[x, z], is_current) AS d
	FROM sample) AS t;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;

-- The forms: text and bytes
SELECT bool_and(m::text::moment_matrix = m) AS text FROM summary;
SELECT moments(v::float8[]) FROM (VALUES ('{1,-0.5}'), ('{3,2}')) AS t(v);
CREATE TEMP TABLE stored AS SELECT m FROM summary;
SELECT count(*) AS n, sum(pg_column_size(m)) < 400 AS small FROM stored;

-- NULL, NaN, infinities; no rows; one row; constant features
SELECT n(m), null_count(m), nan_count(m), dimensions(m), means(m), covariance(m)
FROM (SELECT moments(v::float8[]) AS m
	FROM (VALUES ('{1,2}'), (NULL), ('{1,NULL}'), ('{NaN,2}'),
		('{1,-Infinity}'), ('{NULL,NaN}')) AS t(v)) AS s;
SELECT n(m), null_count(m), dimensions(m), means(m), correlation(m)
FROM (SELECT moments(NULL) AS m) AS s;
SELECT moments(ARRAY[x]) AS no_rows FROM sample WHERE false;
SELECT covariance(m), correlation(m) FROM (SELECT moments(ARRAY[7, x, 2 * x]) AS m
	FROM (VALUES (1), (2)) AS t(x)) AS s;
SELECT n(moments(NULL) + moments(ARRAY[1.5])) AS n FROM generate_series(1, 3);
-- integers, reals and numerics
SELECT moments(ARRAY[1, 2]) = moments(ARRAY[1.0, 2.0]) AS "numeric",
	moments(ARRAY[1, 2]) = moments(ARRAY[1::real, 2::real]) AS "real";

-- ---------------------------------------------------------------------------
-- Comparisons
-- ---------------------------------------------------------------------------

-- One feature: the t-test, squared
SELECT abs(h.statistic / t.statistic ^ 2 - 1) < 1e-12 AS statistic,
	abs(h.p_value / t.p_value - 1) < 1e-10 AS p, h.n_reference, h.n_current, h.method
FROM (SELECT (hotelling_t2(moments(ARRAY[z]) FILTER (WHERE NOT is_current),
			moments(ARRAY[z]) FILTER (WHERE is_current))).* FROM sample WHERE i % 50 = 0) AS h,
	(SELECT (t_test(z, is_current, 'equal_variance=on')).* FROM sample WHERE i % 50 = 0) AS t;
-- Two features, by the formula with the inverse of a 2x2 matrix. P(F > f) with
-- 2 and k degrees of freedom is (1 + 2 f / k)^(-k/2).
SELECT abs((h).statistic / t2 - 1) < 1e-9 AS statistic,
	abs((h).p_value / (1 + t2 / (n + m - 2)) ^ (-(n + m - 3) / 2) - 1) < 1e-9 AS p
FROM (SELECT n, m, n * m / (n + m) * (dx * dx * syy - 2 * dx * dz * sxy + dz * dz * sxx)
		/ (sxx * syy - sxy * sxy) AS t2, h
	FROM (SELECT n, m, dx, dz, (axx + bxx) / (n + m - 2) AS sxx,
			(azz + bzz) / (n + m - 2) AS syy, (axz + bxz) / (n + m - 2) AS sxy, h
		FROM (SELECT count(*) FILTER (WHERE NOT c) AS n, count(*) FILTER (WHERE c) AS m,
				avg(x) FILTER (WHERE c) - avg(x) FILTER (WHERE NOT c) AS dx,
				avg(z) FILTER (WHERE c) - avg(z) FILTER (WHERE NOT c) AS dz,
				regr_sxx(x, x) FILTER (WHERE NOT c) AS axx, regr_sxx(x, x) FILTER (WHERE c) AS bxx,
				regr_sxx(z, z) FILTER (WHERE NOT c) AS azz, regr_sxx(z, z) FILTER (WHERE c) AS bzz,
				regr_sxy(x, z) FILTER (WHERE NOT c) AS axz, regr_sxy(x, z) FILTER (WHERE c) AS bxz,
				hotelling_t2(moments(ARRAY[x, z]) FILTER (WHERE NOT c),
					moments(ARRAY[x, z]) FILTER (WHERE c)) AS h
			FROM (SELECT x::float8, (z - is_current::int * 0.4)::float8 AS z, is_current AS c FROM sample WHERE i % 20 = 0) AS s)
			AS a) AS b) AS f;
-- The scale of the features does not matter.
SELECT abs(a.statistic / b.statistic - 1) < 1e-10 AS same
FROM (SELECT (hotelling_t2(moments(ARRAY[x, y, z]) FILTER (WHERE NOT is_current),
		moments(ARRAY[x, y, z]) FILTER (WHERE is_current))).* FROM sample) AS a,
	(SELECT (hotelling_t2(moments(ARRAY[1e80 * x, y + 5, -1e-90 * z]) FILTER (WHERE NOT is_current),
		moments(ARRAY[1e80 * x, y + 5, -1e-90 * z]) FILTER (WHERE is_current))).* FROM sample) AS b;
-- Where there is no test it says why.
SELECT t, (hotelling_t2(r, c)).p_value, (hotelling_t2(r, c)).method, (correlation_test(r, c)).method AS correlations
FROM (SELECT t, moments(f) FILTER (WHERE s = 0) AS r, moments(f) FILTER (WHERE s = 1) AS c
	FROM (SELECT 'constant' AS t, i % 2 AS s, ARRAY[x, 3] AS f FROM sample WHERE i <= 40
		UNION ALL SELECT 'sum', i % 2, ARRAY[x, y, x + y] FROM sample WHERE i <= 40
		UNION ALL SELECT 'few', i % 2, ARRAY[x, y, z] FROM sample WHERE i <= 4
		UNION ALL SELECT 'one', i % 2, ARRAY[x, y] FROM sample WHERE i <= 2
		UNION ALL SELECT 'empty', i % 2, CASE WHEN i % 2 = 0 THEN ARRAY[x, y] END FROM sample WHERE i <= 40)
		AS u GROUP BY t) AS v ORDER BY t;

-- Correlations by pair: Fisher's z by the formula
SELECT i, j, round(r_reference::numeric, 4) AS reference, round(r_current::numeric, 4) AS current,
	round(z::numeric, 3) AS z, p_value < 0.001 AS drift,
	abs(z - (atanh(r_current) - atanh(r_reference)) / sqrt(2.0 / 997)) < 1e-12 AS ok
FROM (SELECT d.* FROM summary AS r, summary AS c, correlation_drift(r.m, c.m) AS d
	WHERE NOT r.is_current AND c.is_current) AS t;
SELECT d.* FROM (SELECT moments(ARRAY[x, 2 * x, 5, y]) AS m FROM sample WHERE i <= 20) AS t,
	correlation_drift(m, m) AS d;
SELECT z IS NULL AND p_value IS NULL AS too_few FROM (SELECT moments(ARRAY[x, y]) AS m FROM sample
	WHERE i <= 3) AS t, correlation_drift(m, m);
-- With two features Jennrich's statistic is c (s - r)^2 / (1 - p^2)^2, where p
-- is the pooled correlation and c = n m / (n + m).
SELECT abs(statistic * (1 - p * p) ^ 2 / (500 * (s - r) ^ 2) - 1) < 1e-9 AS statistic,
	p_value < 1e-10 AS drift, method
FROM (SELECT (correlation_test(a.m, b.m)).*, (correlation(a.m))[1][2] AS r,
		(correlation(b.m))[1][2] AS s,
		((correlation(a.m))[1][2] + (correlation(b.m))[1][2]) / 2 AS p
	FROM (SELECT moments(ARRAY[x, z]) AS m FROM sample WHERE NOT is_current) AS a,
		(SELECT moments(ARRAY[x, z]) AS m FROM sample WHERE is_current) AS b) AS t;
-- Levels without drift, for normal features: of 400 tests at 0.05 about 20 reject, at most
-- 20 + 3 * sqrt(19) = 33.
SELECT count(*) FILTER (WHERE (hotelling_t2(r, c)).p_value < 0.05) BETWEEN 7 AND 33 AS hotelling,
	count(*) FILTER (WHERE (correlation_test(r, c)).p_value < 0.05) BETWEEN 7 AND 33 AS correlation,
	count(*) FILTER (WHERE p < 0.05) BETWEEN 7 AND 33 AS pair
FROM (SELECT k, moments(f) FILTER (WHERE i <= 100) AS r, moments(f) FILTER (WHERE i > 100) AS c
	FROM (SELECT k, i, ARRAY[a + b, c, a - b / 2] AS f
		FROM generate_series(1, 400) AS k, generate_series(1, 200) AS i, LATERAL (SELECT normal(k, i) AS a,
			normal(k, i + 1000) AS b, normal(k, i + 2000) AS c) AS s) AS t GROUP BY k) AS u,
	LATERAL (SELECT min(p_value) FILTER (WHERE i = 1 AND j = 3) AS p FROM correlation_drift(r, c)) AS d;

-- ---------------------------------------------------------------------------
-- Principal components
-- ---------------------------------------------------------------------------

-- Correlation 0.6: eigenvalues 1.6 and 0.4
SELECT component, round(eigenvalue::numeric, 12) AS eigenvalue, round(share::numeric, 12) AS share,
	ARRAY(SELECT round(l::numeric, 12) FROM unnest(loadings) AS l) AS loadings
FROM (SELECT moments(v::float8[]) AS m FROM (VALUES ('{1,1}'), ('{1,1}'), ('{1,1}'), ('{1,1}'),
		('{-1,-1}'), ('{-1,-1}'), ('{-1,-1}'), ('{-1,-1}'), ('{1,-1}'), ('{-1,1}')) AS t(v)) AS s,
	principal_components(m);
-- What makes them so: C v = lambda v, the loadings are orthonormal, and the
-- eigenvalues add up to the trace. 30 features, some of which depend on others.
CREATE TABLE wide AS
SELECT moments(f) AS m FROM (SELECT i, array_agg(noise(k, i) * k + noise(k % 7, i) * 20
		+ CASE WHEN k > 25 THEN noise(99, i) * 1000 ELSE 0 END ORDER BY k) AS f
	FROM generate_series(1, 30) AS k, generate_series(1, 400) AS i GROUP BY i) AS t;
CREATE TABLE part AS SELECT p.* FROM wide, principal_components(m, standardize => false) AS p;
WITH c AS (SELECT i, j, (covariance(m))[i][j] AS v FROM wide, generate_series(1, 30) AS i, generate_series(1, 30) AS j),
	axis AS (SELECT component, eigenvalue, j, l FROM part, unnest(loadings) WITH ORDINALITY AS u(l, j)),
	top AS (SELECT max(eigenvalue) AS e FROM part)
SELECT (SELECT max(abs(cv - eigenvalue * l)) < 1e-11 * (SELECT e FROM top)
		FROM (SELECT a.component, a.eigenvalue, c.i, sum(c.v * a.l) AS cv FROM axis AS a JOIN c ON c.j = a.j
			GROUP BY 1, 2, 3) AS t JOIN axis AS b USING (component, eigenvalue) WHERE b.j = t.i) AS vectors,
	(SELECT max(abs(dot - (x = y)::int)) < 1e-13 FROM (SELECT a.component AS x, b.component AS y, sum(a.l * b.l) AS dot
		FROM axis AS a JOIN axis AS b USING (j) GROUP BY 1, 2) AS t) AS orthonormal,
	(SELECT abs(sum(eigenvalue) / (SELECT sum(v) FROM c WHERE i = j) - 1) < 1e-13 FROM part) AS trace,
	(SELECT bool_and(eigenvalue >= next) FROM (SELECT eigenvalue, lead(eigenvalue) OVER (ORDER BY component) AS next
		FROM part) AS t WHERE next IS NOT NULL) AS descending,
	(SELECT abs(sum(share) - 1) < 1e-13 FROM part) AS shares;
-- the first ones, and as many as explain more than a share
SELECT (SELECT count(*) FROM wide, principal_components(m, 4)) AS four,
	(SELECT bool_and(t.loadings = p.loadings) FROM wide, principal_components(m, 4, false) AS t JOIN part AS p USING (component)) AS same,
	(SELECT count(*) FROM wide, principal_components(m, 0.99, false)) =
		(SELECT min(component) FROM (SELECT component, sum(share) OVER (ORDER BY component) AS s FROM part) AS t
		WHERE s > 0.99) AS by_share;
-- constant features, few rows
SELECT p.* FROM (SELECT moments(ARRAY[5, x]) AS m FROM (VALUES (1), (3)) AS t(x)) AS s, principal_components(m) AS p;
SELECT p.* FROM (SELECT moments(ARRAY[5, 6]) AS m FROM generate_series(1, 3)) AS s, principal_components(m) AS p;
SELECT count(*) FROM (SELECT moments(ARRAY[5, 6]) AS m) AS s, principal_components(m);
SELECT count(*) FROM principal_components(NULL);

-- The reconstruction error, case pca_reconstruction_sq of
-- test/data/drift_cases.json.gz: the component (1, 1) / sqrt(2) of features
-- with mean 0 and deviation 1. NannyML takes the mean of the distances.
SELECT abs(avg(e) - 0.47140452079103173) < 1e-12 AS mean_norm,
	abs(avg(e ^ 2) - 0.3333333333333333) < 1e-12 AS mean_squared
FROM (SELECT reconstruction_error(m, v::float8[], 1) AS e
	FROM (SELECT moments(v::float8[]) AS m FROM (VALUES ('{1,1}'), ('{-1,-1}')) AS t(v)) AS r,
		(VALUES ('{1,0}'), ('{0,1}'), ('{2,2}')) AS t(v)) AS s;
-- by definition, from the loadings: the distance is what the components leave
SELECT bool_and(abs(e - sqrt(greatest(0, total - kept))) < 1e-9) AS rows
FROM (SELECT i, reconstruction_error(m, ARRAY[x, y, z], 2) AS e,
		(SELECT sum(s ^ 2) FROM unnest(standard) AS s) AS total,
		(SELECT sum(score ^ 2) FROM (SELECT sum(l * s) AS score FROM principal_components(m, 2),
			unnest(loadings, standard) AS u(l, s) GROUP BY component) AS t) AS kept
	FROM (SELECT s.*, m, ARRAY[(x - mx) / sx, (y - my) / sy, (z - mz) / sz] AS standard
		FROM sample AS s, summary AS r, (SELECT avg(x) AS mx, avg(y) AS my, avg(z) AS mz, stddev_pop(x) AS sx,
			stddev_pop(y) AS sy, stddev_pop(z) AS sz FROM sample WHERE NOT is_current) AS a
		WHERE NOT r.is_current AND i % 100 = 0) AS b) AS c;
-- The mean of the squares needs no rows.
SELECT abs(reconstruction_mse(r.m, c.m, k) - mean) < 1e-10 AS same, round(mean::numeric, 4) AS mean
FROM summary AS r, summary AS c, (VALUES (1), (2), (0.5)) AS t(k),
	LATERAL (SELECT avg(reconstruction_error(r.m, ARRAY[x, y, z], k) ^ 2) AS mean FROM sample WHERE is_current) AS e
WHERE NOT r.is_current AND c.is_current ORDER BY k;
SELECT abs(reconstruction_mse(r.m, c.m, 1, false) - mean) < 1e-9 AS not_standardized
FROM summary AS r, summary AS c,
	LATERAL (SELECT avg(reconstruction_error(r.m, ARRAY[x, y, z], 1, false) ^ 2) AS mean FROM sample WHERE is_current) AS e
WHERE NOT r.is_current AND c.is_current;
-- All components leave nothing; a row with a gap, or moments of one row: NULL.
-- What is kept from row to row is not mistaken for other arguments.
SELECT round(reconstruction_error(m, ARRAY[x, y, z], 3)::numeric, 9) AS nothing,
	reconstruction_error(m, ARRAY[x, NULL, z]) AS gap, reconstruction_error(m, ARRAY[x, 'NaN', z]) AS nan,
	reconstruction_error(moments(ARRAY[x, y, z]), ARRAY[x, y, z]) AS one_row
FROM sample, summary AS s WHERE i = 5 AND NOT s.is_current GROUP BY m::text, m, x, y, z;
SELECT count(DISTINCT round(e::numeric, 9)) AS different FROM (
	SELECT reconstruction_error(m, ARRAY[1, 50, 0.3], k, b) AS e
	FROM summary, (VALUES (1), (2)) AS t(k), (VALUES (true), (false)) AS u(b)) AS v;

-- ---------------------------------------------------------------------------
-- Embeddings
-- ---------------------------------------------------------------------------

-- The cases of test/data/drift_cases.json.gz: one of alibi-detect's
-- definition, five of frouros' tests (published to 8 digits)
CREATE TABLE document (content text);
\copy document FROM PROGRAM 'gzip -dc test/data/drift_cases.json.gz' WITH (FORMAT csv, DELIMITER E'\x02', QUOTE E'\x01')
CREATE TABLE embedding AS
SELECT c ->> 'name' AS name, (c ->> 'expected')::float8 AS expected, (c ->> 'tolerance')::float8 AS tolerance,
	'sigma=' || (c -> 'params' ->> 'sigma') AS options, side = 'cur' AS is_current,
	CASE jsonb_typeof(v) WHEN 'array' THEN ARRAY(SELECT e::float8 FROM jsonb_array_elements_text(v) AS e)
		ELSE ARRAY[v::text::float8] END AS e
FROM document, jsonb_array_elements(content::jsonb) AS c, unnest(ARRAY['ref', 'cur']) AS side,
	jsonb_array_elements(c -> side) AS v
WHERE c ->> 'function' = 'mmd2_unbiased';
SELECT name, count(*) AS rows, round(expected::numeric, 8) AS expected,
	abs(mmd2(e, is_current, options) - expected) <= tolerance AS same,
	mmd2(e, is_current, options || ' kernel=rbf method=exact') = mmd2(e, is_current, options ORDER BY e) AS spelled_out,
	abs(mmd(e, is_current, options || ' features=4096') ^ 2 - greatest(0, expected)) < 0.02 AS sketch,
	(mmd_test(e, is_current, options || ' permutations=199')).p_value < 0.05 AS drift
FROM embedding GROUP BY name, expected, tolerance ORDER BY name;
-- The error of the sketch falls with the features: 20 seeds
SELECT features, bool_and(abs(d) < 4 / sqrt(features)) AS within, abs(avg(d)) < 1 / sqrt(20 * features) AS unbiased
FROM (SELECT features, mmd2(embeddings(e, o) FILTER (WHERE NOT is_current),
		embeddings(e, o) FILTER (WHERE is_current)) - expected AS d
	FROM embedding, unnest(ARRAY[64, 1024]) AS features, generate_series(1, 20) AS seed,
		LATERAL (SELECT format('sigma=1 features=%s seed=%s', features, seed) AS o) AS opts
	WHERE name = 'frouros_mmd_multivariate' GROUP BY features, seed, expected) AS t
GROUP BY features ORDER BY features;
-- Sketches: merged, in any order, by rows or by parts, all the same
SELECT s = reversed AS reversed, s = merged AS merged, s = added AS added, s::text::embedding_sketch = s AS text,
	mmd(r, c) = d AS rows, n(s), null_count(s), dimensions(s)
FROM (SELECT embeddings(e ORDER BY e) AS s, embeddings(e ORDER BY e DESC) AS reversed,
		embeddings(e) FILTER (WHERE is_current) AS c, embeddings(e) FILTER (WHERE NOT is_current) AS r,
		embeddings(e) FILTER (WHERE is_current) + embeddings(e) FILTER (WHERE NOT is_current) AS added,
		mmd(e, is_current) AS d
	FROM embedding WHERE name = 'frouros_mmd_multivariate') AS a,
	(SELECT merge(s) AS merged FROM (SELECT embeddings(e) AS s FROM embedding
		WHERE name = 'frouros_mmd_multivariate' GROUP BY e[1] > 0, is_current) AS p) AS b;
-- Without sigma: the median heuristic
SELECT mmd2(e, is_current) = mmd2(e, is_current, 'sigma=' || sigma) AS same
FROM embedding, (SELECT sqrt(percentile_cont(0.5) WITHIN GROUP (ORDER BY (a.e[1] - b.e[1]) ^ 2) / 2) AS sigma
	FROM (SELECT row_number() OVER () AS i, e FROM embedding WHERE name = 'frouros_mmd_1') AS a,
		(SELECT row_number() OVER () AS i, e FROM embedding WHERE name = 'frouros_mmd_1') AS b
	WHERE a.i < b.i) AS s WHERE name = 'frouros_mmd_1' GROUP BY sigma;
-- The permutation test: its answer does not depend on the order of the rows,
-- and its level is at most alpha: of 200 tests at 0.1 at most 20 + 3 sqrt(18).
SELECT mmd_test(e, is_current, 'permutations=99' ORDER BY e) = mmd_test(e, is_current, 'permutations=99' ORDER BY e DESC) AS same,
	(mmd_test(e, is_current, 'permutations=99')).method
FROM embedding WHERE name = 'frouros_mmd_2';
SELECT count(*) FILTER (WHERE (t).p_value <= 0.1) BETWEEN 7 AND 32 AS level
FROM (SELECT mmd_test(ARRAY[noise(k, i), noise(k, i + 100)], i > 15, 'permutations=99') AS t
	FROM generate_series(1, 200) AS k, generate_series(1, 30) AS i GROUP BY k) AS u;

-- NULL, NaN, few rows
SELECT n(s), null_count(s), dimensions(s) FROM (SELECT embeddings(v::float8[]) AS s
	FROM (VALUES ('{1,2}'), (NULL), ('{1,NULL}'), ('{1,NaN}')) AS t(v)) AS u;
SELECT mmd(v::float8[], b) AS mmd, mmd2(v::float8[], b) AS mmd2, (mmd_test(v::float8[], b)).method
FROM (VALUES ('{1,2}', true), ('{1,3}', true), ('{1,NULL}', false), (NULL, false), ('{4,5}', false), ('{6,7}', NULL)) AS t(v, b);
SELECT mmd(ARRAY[x], is_current) AS mmd, mmd2(ARRAY[x], is_current) AS mmd2, mmd_test(ARRAY[x], is_current) AS test,
	embeddings(ARRAY[x]) AS sketch FROM sample WHERE false;
SELECT mmd2(ARRAY[1], i > 5) AS all_the_same, mmd(ARRAY[1], i > 5) AS distance FROM generate_series(1, 10) AS i;

-- ---------------------------------------------------------------------------
-- Bad input
-- ---------------------------------------------------------------------------

SELECT moments(v::float8[]) FROM (VALUES ('{1,2}'), ('{1}')) AS t(v);
SELECT moments('{}');
SELECT moments('{{1,2},{3,4}}');
SELECT moments(array_fill(1.0, ARRAY[513]));
SELECT moments(ARRAY[1]) + moments(ARRAY[1, 2]);
SELECT hotelling_t2(moments(ARRAY[1]), moments(ARRAY[1, 2]));
SELECT covariance(moments(ARRAY[x])) FROM (VALUES (1e300), (-1e300)) AS t(x);
SELECT principal_components(m, 4) FROM summary;
SELECT principal_components(m, 1.5) FROM summary;
SELECT principal_components(m, 'NaN') FROM summary;
SELECT reconstruction_error(m, ARRAY[1, 2]) FROM summary;
SELECT reconstruction_error(m, ARRAY[1, 2, 3], 0) FROM summary;
SELECT '{"version": 1, "n": 1, "null_count": 0, "nan_count": 0, "dimensions": 600, "length": 0, "sums": []}'::moment_matrix;
SELECT '{"version": 1, "n": 1, "null_count": 0, "nan_count": 0, "dimensions": 0, "length": 0, "sums": [], "length": 0, "products": []}'::moment_matrix;
SELECT '{"version": 1, "n": 1, "null_count": 0, "nan_count": 0, "dimensions": 1, "length": 1, "sums": [{"sum": {"negative": false, "scale": 1075, "magnitude": "03"}}], "length": 1, "products": [{"sum": {"negative": true, "scale": 2149, "magnitude": "07"}}]}'::moment_matrix;
SELECT '{"version": 1, "n": 0, "null_count": 0, "nan_count": 0, "dimensions": 1, "length": 1, "sums": [{"sum": {"negative": false, "scale": 1075, "magnitude": "03"}}], "length": 1, "products": [{"sum": {"negative": false, "scale": 0, "magnitude": ""}}]}'::moment_matrix;
SELECT '{}'::moment_matrix;
SELECT mlmeta_internal.moment_matrix_transition(NULL, '{1}');
SELECT embeddings(ARRAY[x], 'features=4') FROM sample;
SELECT embeddings(ARRAY[x], 'sigma=0') FROM sample;
SELECT embeddings(ARRAY[x], 'gamma=1') FROM sample;
SELECT mmd(ARRAY[x], is_current, 'gamma=1') FROM sample;
SELECT embeddings(ARRAY[x], 'seed=' || i) FROM sample;
SELECT mmd2(ARRAY[x], is_current, 'sigma=' || i) FROM sample;
SELECT mmd2(ARRAY[x], is_current, 'permutations=10') FROM sample WHERE i BETWEEN 990 AND 1010;
SELECT mmd_test(ARRAY[x], is_current, 'kernel=linear') FROM sample WHERE i BETWEEN 990 AND 1010;
SELECT mmd2(ARRAY[1], i > 5) FROM generate_series(1, 3001) AS i;
SELECT embeddings(v::float8[]) FROM (VALUES ('{1,2}'), ('{1}')) AS t(v);
SELECT mmd(embeddings(ARRAY[x], 'sigma=1'), embeddings(ARRAY[x], 'sigma=2')) FROM sample;
SELECT embeddings(ARRAY[1e300], 'sigma=1e-100');
SELECT '{"version": 1, "features": 8, "sigma": 1, "seed": 1, "dimensions": 1, "null_count": 0, "n_reference": 1, "n_current": 0, "reference_sums": [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,9000000000]}'::embedding_sketch;
SELECT '{"version": 1, "features": 8, "sigma": 1, "seed": 1, "dimensions": 1, "null_count": 0, "n_reference": 1, "n_current": 0, "reference_sums": [1]}'::embedding_sketch;

DROP TABLE sample, summary, wide, part, document, embedding;
DROP FUNCTION normal(int, bigint);
DROP FUNCTION noise(int, bigint);
DROP FUNCTION plan_of(text);
