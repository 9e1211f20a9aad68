-- Exact quantiles of rows, by selection.
SET search_path = public, mlmeta;

-- Those of percentile_cont, to its rounding, however the data lie, and whether
-- the rows wanted fit into memory, are in files, or have to be sorted all
CREATE TABLE quantile_case AS
SELECT shape, i, x
FROM (SELECT (i - 0.5) / 40011 AS u, i FROM generate_series(1, 40011) AS i) AS g,
	LATERAL (VALUES ('offset', 1.7e9 + 1000 * u), ('exponential', -ln(u)), ('Cauchy', tan(pi() * (u - 0.5))),
		('tied', floor(u * 7)), ('zero-inflated', CASE WHEN u < 0.6 THEN 0 ELSE u END), ('constant', 3),
		('two scales', CASE WHEN i % 2 = 0 THEN 1e300 * u ELSE 1e-300 * u END), ('one outlier', CASE WHEN i = 7 THEN -1e300 ELSE 1 + 1e-9 * u END),
		('negative', -u), ('three', CASE WHEN i <= 3 THEN i END), ('one', CASE WHEN i = 1 THEN 5.5 END)) AS d(shape, x);
CREATE VIEW quantile_result AS
SELECT shape, quantiles(x, ps) AS ours, percentile_cont(ps) WITHIN GROUP (ORDER BY x) AS core,
	quantiles(x, ps ORDER BY i DESC) AS backwards
FROM quantile_case, (SELECT ARRAY[0, 0.001, 0.05, 0.25, 0.5, 0.5, 0.75, 0.95, 0.999, 1]::float8[] AS ps) AS p
GROUP BY shape, ps;
SELECT shape, bool_and(abs(q - c) <= 4e-16 * abs(c)) AS as_percentile_cont, bool_and(ours = backwards) AS in_any_order, count(*)
FROM quantile_result, unnest(ours, core) AS v(q, c) GROUP BY shape ORDER BY shape;
CREATE TABLE in_memory AS SELECT shape, ours FROM quantile_result;
SET work_mem = '64kB';
SELECT count(*), bool_and(r.ours = m.ours) AS spilled_is_the_same FROM quantile_result AS r JOIN in_memory AS m USING (shape);
RESET work_mem;

-- probabilities in any order, NULL among them; NULL and NaN take no part
SELECT quantiles(x, '{0.9,0.1,NULL,0.5}') FROM generate_series(1, 101) AS x;
SELECT quantiles(x, '{0,0.5,1}') FROM unnest('{1,2,Infinity,-Infinity,NULL,NaN}'::float8[]) AS x;
SELECT quantiles(x, '{}') AS none, quantiles(-0.0, '{0.5}') AS zero FROM generate_series(1, 3) AS x;
SELECT quantiles(x, '{0.5}') IS NULL AS without_values FROM (VALUES (NULL::float8), ('NaN')) AS v(x);
SELECT quantiles(1, '{0.5}') IS NULL AS without_rows WHERE false;
SELECT x, quantiles(x, '{0.5}') OVER (ORDER BY x) FROM generate_series(1, 3) AS x;
SELECT k, quantiles(x, '{0.5}') FILTER (WHERE x > 3) FROM generate_series(1, 10) AS x, LATERAL (SELECT x % 2 AS k) AS s
GROUP BY GROUPING SETS ((k), ()) ORDER BY k;

-- bad input
SELECT quantiles(x, NULL) FROM generate_series(1, 3) AS x;
SELECT quantiles(x, '{1.5}') FROM generate_series(1, 3) AS x;
SELECT quantiles(x, '{NaN}') FROM generate_series(1, 3) AS x;
SELECT quantiles(x, '{{0.1,0.2}}') FROM generate_series(1, 3) AS x;
SELECT quantiles(x, ARRAY[x / 10.0]) FROM generate_series(1, 3) AS x;
SELECT quantiles(x, array_fill(0.5::float8, ARRAY[10001])) FROM generate_series(1, 3) AS x;

DROP VIEW quantile_result;
DROP TABLE quantile_case, in_memory;
