-- The type histogram: builders, accessors, merging, round trips, bad input.
SET search_path = public, mlmeta;
\pset null '(null)'

-- Four builders --------------------------------------------------------------

CREATE TEMP TABLE v AS SELECT i::float8 AS x FROM generate_series(1, 1000) AS i;

-- equi-depth over its own data: type-7 quantiles
SELECT edges(h), counts(h), n(h), mean(h), round(stddev(h)::numeric, 10) AS stddev,
	minimum(h), maximum(h)
FROM (SELECT histogram(x, 5) AS h FROM v) AS s;

-- given inner edges: left-closed bins, the outer ones open
SELECT * FROM bins((SELECT histogram(x, ARRAY[100, 200.5, 900]) FROM v));

-- equal width
SELECT edges(h), counts(h)
FROM (SELECT histogram(x, 0, 1000, 4) AS h FROM v) AS s;

-- another histogram's bins
SELECT edges(w) = edges(h) AS same_edges, counts(w)
FROM (SELECT histogram(x, 5) AS h FROM v) AS s,
	LATERAL (SELECT histogram(x + 100, h) AS w FROM v) AS t;

-- int, bigint, real, numeric and domains arrive as float8
CREATE DOMAIN grade AS integer CHECK (VALUE BETWEEN 0 AND 10);
SELECT counts(histogram(i, 0, 10, 2)) AS int, counts(histogram(i::bigint, 0, 10, 2)) AS bigint,
	counts(histogram(i::real, 0, 10, 2)) AS real, counts(histogram(i::numeric, 0, 10, 2)) AS numeric,
	counts(histogram(i::grade, 0, 10, 2)) AS domain
FROM generate_series(0, 9) AS i;

-- Heavy values get a bin of their own ----------------------------------------

SELECT b.bin, b.lower, b.upper > b.lower AND b.upper < b.lower + 1e-9 AS is_point, b.count
FROM (SELECT histogram(CASE WHEN i <= 600 THEN 0 ELSE i END, 4) AS h
	FROM generate_series(1, 1000) AS i) AS s, bins(h) AS b;

-- a constant is one point bin; nothing lies beside it
SELECT counts(h), (edges(h))[1] AS edge, quantile(h, 0.5) FROM (SELECT histogram(7, 10) AS h FROM v) AS s;

-- NULL, NaN, infinities, nothing ----------------------------------------------

SELECT n(h), null_count(h), nan_count(h), counts(h), minimum(h), maximum(h), mean(h), stddev(h)
FROM (SELECT histogram(x, 0, 10, 2) AS h
	FROM unnest('{1,7,NULL,NaN,Infinity,-Infinity,NULL}'::float8[]) AS x) AS s;
SELECT histogram(x, 10) IS NULL AS no_rows_null FROM v WHERE false;
SELECT n(h), null_count(h), counts(h), minimum(h), mean(h), stddev(h), quantile(h, 0.5), cdf(h, 1),
	sparkline(h)
FROM (SELECT histogram(NULL::float8, 10) AS h FROM generate_series(1, 3)) AS s;
SELECT counts(h), edges(h) FROM (SELECT histogram(NULL::float8, ARRAY[1, 2.5]) AS h FROM v) AS s;

-- -0.0 is 0.0
SELECT count(DISTINCT h::text)
FROM (SELECT histogram(x, 3) AS h FROM unnest('{0,1,2,0}'::float8[]) AS x
	UNION ALL SELECT histogram(x, 3) FROM unnest('{-0.0,1,2,-0}'::float8[]) AS x) AS s;

-- Exact moments ----------------------------------------------------------------

-- far from zero, where sums of floats lose everything
SELECT mean(h) AS mean, stddev(h) AS stddev
FROM (SELECT histogram(1e15 + x, 0, 1, 2) AS h FROM unnest('{1,2,3,4}'::float8[]) AS x) AS s;
-- huge and tiny together
SELECT mean(histogram(x, 0, 1, 2)) AS mean
FROM unnest('{1e308,1e308,-1e308,-1e308,4e-300}'::float8[]) AS x;
-- sums and squares that no float holds, of means and deviations that are some
SELECT mean(histogram(x, 3)) AS mean, stddev(histogram(x, 3)) AS stddev, stddev(histogram(x / 1e300, 3)) AS of_1, stddev(histogram(x * 1e-300 * 1e-200, 3)) AS tiny
FROM unnest('{1e308,1.5e308,1.5e308}'::float8[]) AS x;
-- against exact arithmetic, on numbers that numeric and float8 share
SELECT mean(h) = avg AS mean_is_avg, abs(stddev(h) / sd - 1) < 1e-15 AS stddev_is_stddev
FROM (SELECT histogram(x, 10) AS h, avg(x::numeric)::float8 AS avg, stddev(x::numeric)::float8 AS sd
	FROM (SELECT (x * x * x - 1e8) / 1024 AS x FROM v) AS t) AS s;

-- One multiset, one value: order, workers, parts --------------------------------

CREATE TABLE histogram_data AS
SELECT i, (CASE i % 4
	WHEN 0 THEN 1.7e9 + 1000 * ((i::bigint * 7919) % 100003) / 100003.0
	WHEN 1 THEN exp(10 * sin(i))
	WHEN 2 THEN tan(i * 0.7)
	ELSE (i % 37) / 4.0 END)::float8 AS x
FROM generate_series(1, 200000) AS i;
CREATE INDEX ON histogram_data (i);
ALTER TABLE histogram_data SET (parallel_workers = 2);
ANALYZE histogram_data;
CREATE TABLE baseline AS SELECT histogram(x, 240) AS h FROM histogram_data WHERE i % 10 = 0;

-- more than 32,768 distinct values: cells, not values, and still exact counts
CREATE TEMP TABLE results AS
SELECT 'ascending' AS how, histogram(x, 240) AS own, histogram(x, (SELECT h FROM baseline)) AS windowed
FROM (SELECT x FROM histogram_data ORDER BY x) AS s
UNION ALL
SELECT 'shuffled', histogram(x, 240), histogram(x, (SELECT h FROM baseline))
FROM (SELECT x FROM histogram_data ORDER BY hashint4(i)) AS s;
-- INSERT ... SELECT is never parallel, CREATE TABLE AS is: every row read by a worker
CREATE FUNCTION pg_temp.rows_by_worker(statement text) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
DECLARE plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, VERBOSE, FORMAT JSON) ' || statement INTO plan;
	RETURN QUERY SELECT (w ->> 'Actual Rows')::bigint
	FROM jsonb_path_query(plan, 'strict $.** ? (@."Relation Name" == "histogram_data").Workers[*]') AS w;
END $$;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
SELECT count(*) AS workers, bool_and(n > 0) AS none_idle, sum(n) AS rows FROM pg_temp.rows_by_worker(
	'CREATE TEMP TABLE parallel AS SELECT histogram(x, 240) AS own, histogram(x, (SELECT h FROM baseline)) AS windowed FROM histogram_data') AS n;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET parallel_leader_participation;
INSERT INTO results SELECT 'parallel', own, windowed FROM parallel;
DROP TABLE parallel;
INSERT INTO results
SELECT 'merged', NULL, merge(part)
FROM (SELECT histogram(x, (SELECT h FROM baseline)) AS part FROM histogram_data GROUP BY i % 7) AS s;
SELECT count(*), count(DISTINCT own) AS own_values, count(DISTINCT windowed) AS windowed_values,
	bool_and((SELECT sum(c) FROM unnest(counts(windowed)) AS c) = 200000) AS counts_complete,
	bool_and(n(own) = 200000) AS n_complete
FROM results;

-- own bins come of the values alone, whatever their shape, order and parts,
-- and each bin has the values that lie in it
CREATE TABLE histogram_shapes AS
SELECT shape, i, x
FROM (SELECT i, ((hashint8extended(i, 1) & 1048575) + 0.5) / 1048576 AS u, ((hashint8extended(i, 2) & 1048575) + 0.5) / 1048576 AS v
	FROM generate_series(1, 100000) AS i OFFSET 0) AS g,
	LATERAL (VALUES ('normal', sqrt(-2 * ln(u)) * cos(2 * pi() * v)), ('zero-inflated', CASE WHEN v < 0.4 THEN 0 ELSE -ln(u) END),
		('times', 1.7e9 + u * 1000 + v * 1e-4), ('two scales', CASE WHEN v < 0.5 THEN 5 + u * 1e-9 ELSE u * 100 END),
		('many binades', (CASE WHEN v < 0.5 THEN -1 ELSE 1 END) * exp(200 * (u - 0.5))), ('whole numbers', floor(u * 40000))) AS d(shape, x);
ALTER TABLE histogram_shapes SET (parallel_workers = 2);
ANALYZE histogram_shapes;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET parallel_leader_participation = off;
CREATE TEMP TABLE in_parallel AS SELECT shape, histogram(x, 240) AS h FROM histogram_shapes GROUP BY shape;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET parallel_leader_participation;
SELECT shape, p.h = o.ascending AND p.h = o.shuffled AS any_order, o.n = 100000 AS all_there,
	(SELECT array_agg(c ORDER BY b) FROM unnest(counts(p.h)) WITH ORDINALITY AS u(c, b) WHERE c > 0) = w.by_bins AS counts
FROM in_parallel AS p
	JOIN (SELECT shape, histogram(x, 240 ORDER BY x) AS ascending, histogram(x, 240 ORDER BY i * 7919 % 100003) AS shuffled, count(*) AS n
		FROM histogram_shapes GROUP BY shape) AS o USING (shape)
	JOIN (SELECT shape, array_agg(n ORDER BY b) AS by_bins FROM (
		SELECT s.shape, width_bucket(s.x, e.e) AS b, count(*) AS n
		FROM histogram_shapes AS s JOIN (SELECT shape, edges(h) AS e FROM in_parallel OFFSET 0) AS e USING (shape) GROUP BY 1, 2) AS b
		GROUP BY shape) AS w USING (shape)
ORDER BY shape;
DROP TABLE histogram_shapes;

-- the depth of own bins is near 1/240, whatever the scale and the tails
SELECT shape, max(share) * 240 < 1.1 AS none_too_deep, min(share) * 240 > 0.9 AS none_too_flat
FROM (SELECT shape, histogram(x, 240) AS h
	FROM (SELECT (i - 0.5) / 200000 AS u FROM generate_series(1, 200000) AS i) AS g,
		LATERAL (VALUES ('offset', 1.7e9 + 1000 * u), ('exponential', -ln(u)),
			('Cauchy', tan(pi() * (u - 0.5))), ('uniform', u)) AS d(shape, x)
	GROUP BY shape) AS s, bins(h)
GROUP BY shape ORDER BY shape;
-- two scales in one feature are too much for one prefix, and it shows
SELECT max(share) > 0.2 AS visible FROM (SELECT histogram(
	CASE WHEN i % 2 = 0 THEN 5 + i * 1e-12 ELSE (i * 0.618033988749895) % 1 * 100 END, 240) AS h
	FROM generate_series(1, 1000000) AS i) AS s, bins(h);

-- FILTER, GROUPING SETS
SELECT bool_and(by_filter = by_where) AS filter_is_where
FROM (SELECT histogram(x, h) FILTER (WHERE i % 2 = 0) AS by_filter FROM histogram_data, baseline) AS f,
	(SELECT histogram(x, h) AS by_where FROM histogram_data, baseline WHERE i % 2 = 0) AS w;
SELECT merge(part) FILTER (WHERE k IS NOT NULL) = merge(part) FILTER (WHERE k IS NULL) AS rollup_is_merge
FROM (SELECT i % 3 AS k, histogram(x, (SELECT h FROM baseline)) AS part FROM histogram_data
	GROUP BY GROUPING SETS ((i % 3), ())) AS s;

-- Rows that stand for several ------------------------------------------------------

-- the histogram that as many rows would make, to the bit, in each form
CREATE TEMP TABLE weighted AS
SELECT i, CASE WHEN i % 50 = 0 THEN NULL WHEN i % 51 = 0 THEN 'NaN' WHEN i % 52 = 0 THEN '-Infinity' ELSE x END AS x,
	CASE WHEN i % 11 = 0 THEN NULL ELSE i % 5 END AS weight
FROM histogram_data WHERE i <= 50000;
SELECT w.own = r.own AS own, w.edges = r.edges AS edges, w.range = r.range AS range, w.baseline = r.baseline AS baseline, n(w.own) > 80000 AS many
FROM (SELECT histogram(x, 100, weight) AS own, histogram(x, ARRAY[0, 1.5, 1e9], weight) AS edges,
		histogram(x, 0, 100, 10, weight) AS range, histogram(x, h, weight) AS baseline FROM weighted, baseline) AS w,
	(SELECT histogram(x, 100) AS own, histogram(x, ARRAY[0, 1.5, 1e9]) AS edges,
		histogram(x, 0, 100, 10) AS range, histogram(x, h) AS baseline FROM weighted, baseline, generate_series(1, weight)) AS r;
-- in frames that move, in parts, with huge weights and tiny numbers
SELECT bool_and(counts(moving) = counts(whole) AND mean(moving) IS NOT DISTINCT FROM mean(whole) AND null_count(moving) = null_count(whole)
	AND nan_count(moving) = nan_count(whole)) AS moving_is_whole
FROM (SELECT i, histogram(x, ARRAY[0, 10.0, 1000], weight) OVER (ORDER BY i ROWS 9 PRECEDING) AS moving FROM weighted WHERE i <= 300) AS m,
	LATERAL (SELECT histogram(x, ARRAY[0, 10.0, 1000], weight) AS whole FROM weighted AS d WHERE d.i BETWEEN m.i - 9 AND m.i) AS w;
SELECT merge(part) = (SELECT histogram(x, 0, 100, 10, weight) FROM weighted) AS merged_is_whole
FROM (SELECT histogram(x, 0, 100, 10, weight) AS part FROM weighted GROUP BY i % 7) AS s;
SELECT n(h), mean(h), stddev(h), counts(h) FROM (SELECT histogram(x, ARRAY[0, 1], w) AS h
	FROM (VALUES (5e-324, 3::bigint << 60), (-1e300, 1::bigint << 61), (1e300, 1::bigint << 61)) AS t(x, w)) AS s;
SELECT n(histogram(x, 3, 0)) AS weight_0, n(histogram(x, 3, NULL)) AS weight_null FROM v WHERE x < 3;
-- fractions: scaled and rounded
SELECT abs(mean(histogram(x, 10, round(1000 * 0.9 ^ x)::bigint)) - sum(x * 0.9 ^ x) / sum(0.9 ^ x)) < 0.01 AS near FROM generate_series(1, 30) AS x;

-- Sum, difference, detached values -----------------------------------------------

CREATE TEMP TABLE parts AS
SELECT i % 2 AS half, histogram(x, (SELECT h FROM baseline)) AS part FROM histogram_data GROUP BY i % 2;
SELECT a.part + b.part = r.windowed AS sum_is_whole,
	counts(r.windowed - b.part) = counts(a.part) AS counts_subtract,
	mean(r.windowed - b.part) = mean(a.part) AS mean_subtracts,
	stddev(r.windowed - b.part) = stddev(a.part) AS stddev_subtracts,
	minimum(r.windowed - b.part) <= minimum(a.part) AS minimum_covers,
	wasserstein(r.windowed - b.part, b.part) = wasserstein(a.part, b.part) AS sums_subtract
FROM parts AS a, parts AS b, results AS r
WHERE a.half = 0 AND b.half = 1 AND r.how = 'merged';

SELECT counts(attach(detach(part), h)) = counts(part) AS counts_stay,
	edges(attach(detach(part), h)) = edges(part) AS edges_return,
	detach(part) + detach(part) = detach(part + part) AS detached_add,
	ks(h, detach(part)) = ks(h, part) AS ks_needs_no_edges,
	psi(h, detach(part)) = psi(h, part) AS psi_needs_no_edges
FROM parts, baseline;
SELECT max(pg_column_size(part)) <= 400 AS a_window_of_1000_is_small
FROM (SELECT detach(histogram(x, (SELECT h FROM baseline))) AS part FROM histogram_data
	GROUP BY i / 1000) AS s;

-- Moving aggregates ---------------------------------------------------------------

SELECT bool_and(counts(moving) = counts(whole) AND mean(moving) = mean(whole)) AS moving_is_whole
FROM (SELECT i, histogram(x, ARRAY[0, 10.0, 1000]) OVER (ORDER BY i ROWS 9 PRECEDING) AS moving
	FROM histogram_data WHERE i <= 300) AS m
	JOIN LATERAL (SELECT histogram(x, ARRAY[0, 10.0, 1000]) AS whole FROM histogram_data AS d
		WHERE d.i BETWEEN m.i - 9 AND m.i) AS w ON true;
SELECT bool_and(abs(psi(h, moving, 10) - psi(h, whole, 10)) < 1e-15) AS rolling_psi
FROM baseline, LATERAL (SELECT i, histogram(x, h) OVER (ORDER BY i ROWS 99 PRECEDING) AS moving
	FROM histogram_data WHERE i BETWEEN 1 AND 400) AS m
	JOIN LATERAL (SELECT histogram(x, h) AS whole FROM histogram_data AS d
		WHERE d.i BETWEEN m.i - 99 AND m.i) AS w ON true;

-- Round trips ------------------------------------------------------------------------

CREATE TEMP TABLE copies AS SELECT * FROM results WHERE false;
\copy results TO 'results/histogram_copy.bin' (FORMAT binary)
\copy copies FROM 'results/histogram_copy.bin' (FORMAT binary)
SELECT bool_and(c.own IS NOT DISTINCT FROM r.own AND c.windowed IS NOT DISTINCT FROM r.windowed) AS binary_copy,
	bool_and(r.own::text::histogram IS NOT DISTINCT FROM r.own
		AND r.windowed::text::histogram = r.windowed) AS text,
	bool_and(detach(r.windowed)::text::histogram = detach(r.windowed)) AS detached,
	bool_and((r.windowed::text::jsonb ->> 'n')::bigint = 200000) AS text_is_json
FROM results AS r JOIN copies AS c USING (how);

-- golden bytes: every later version reads version 1
SELECT encode(mlmeta_internal.histogram_send(h), 'hex') FROM (SELECT histogram(x, ARRAY[1, 2.5]) AS h
	FROM unnest('{0.5,1,1.75,3,NULL,NaN}'::float8[]) AS x) AS s;
SELECT histogram(x, ARRAY[1, 2.5]) FROM unnest('{0.5,1,1.75,3,NULL,NaN}'::float8[]) AS x;

-- eight counts and more are packed; here are all magnitudes, escapes and lists that are better left as they are
CREATE FUNCTION with_counts(counts bigint[]) RETURNS histogram LANGUAGE sql AS $$
	SELECT format('{"version": 1, "form": "detached", "n": %s, "null_count": 0, "nan_count": 0, '
		'"negative_infinities": 0, "positive_infinities": 0, "minimum": 0, "maximum": 0, "bounds_loose": false, '
		'"sum": {"negative": false, "scale": 0, "magnitude": ""}, "squares": {"negative": false, "scale": 0, "magnitude": ""}, '
		'"grid": "e305eecdbb2f8a6ea16a53a626aefbf7", "counts": [%s]}', sum(c), string_agg(c::text, ',' ORDER BY i))::histogram
	FROM unnest(counts) WITH ORDINALITY AS u (c, i)
$$;
SELECT what, encode(substr(mlmeta_internal.histogram_send(with_counts(counts)),
	position('\xe305eecdbb2f8a6ea16a53a626aefbf7'::bytea IN mlmeta_internal.histogram_send(with_counts(counts))) + 16), 'hex') AS packed
FROM (VALUES ('ones', array_fill(1::bigint, ARRAY[9])),
	('few', array_fill(1::bigint, ARRAY[7])),
	('zeros', array_fill(0::bigint, ARRAY[8])),
	('an escape', ARRAY[0, 1, 2, 3, 4, 5, 6, 1000]::bigint[]),
	('large', ARRAY[1000000, 1000001, 999999, 1000100, 1000000, 999000, 1000000, 1000000]::bigint[]),
	('the largest', ARRAY[9223372036854775807, 0, 0, 0, 0, 0, 0, 0]),
	('small and large', ARRAY[1, 2000000, 3, 1999999, 2, 1900000, 4, 2000001, 1, 1999000])
	) AS v (what, counts);
SELECT setseed(0.25);
SELECT count(*), bool_and(h::text::histogram = h AND h::text = with_counts(counts)::text) AS come_back,
	bool_and(translate(counts::text, '{}', '[]')::jsonb = h::text::jsonb -> 'counts') AS as_given
FROM (SELECT counts, with_counts(counts) AS h
	FROM (SELECT array_agg(floor(exp(random() * 36 * (n % 7) / 6) * CASE WHEN random() < 0.2 THEN 0 ELSE 1 END)::bigint) AS counts
		FROM generate_series(1, 400) AS n, generate_series(1, 1 + n % 60) GROUP BY n) AS c) AS s;
DROP FUNCTION with_counts;

-- Bounds hold at both ends of the floats --------------------------------------------------

-- the values around 0 have point bins like all others
SELECT edges(histogram(x, 3)) AS edges, counts(histogram(x, 3)) AS counts, ks(histogram(x, 3), histogram(-x, 3)) AS ks
FROM unnest('{-5e-324,-5e-324,5e-324,5e-324,0,0}'::float8[]) AS x;
-- no unit, no multiple of it: as over rows
SELECT wasserstein(c, c, normed => true) IS NULL AS of_a_constant, wasserstein_interval(i, i, true) IS NULL AS with_infinities,
	round(wasserstein(t, t2, normed => true)::numeric, 3) AS of_tiny_numbers
FROM (SELECT histogram(7, 3) AS c, histogram('Infinity', 3) AS i FROM v) AS s,
	(SELECT histogram(x * 1e-200, 3) AS t, histogram(2 * x * 1e-200, 3) AS t2 FROM unnest('{1,2}'::float8[]) AS x) AS s2;

-- offsets of many rows from a far edge would overflow, as would twice an integral
WITH samples(reference, current) AS (
	VALUES (array_append(array_fill(-1.5::float8, ARRAY[4]), 1e308),
			array_append(array_fill(0.25::float8, ARRAY[49]), 1e308)),
		(ARRAY[-1.7e308, -1.4e308, -5e307, 0, 2e306, 9e307, 1.7e308]::float8[],
			ARRAY[-1.7e308, -1e307, 0, 1e306, 1.6e308]::float8[]),
		(ARRAY[1e308]::float8[], ARRAY[0.25, 0.5]),
		(ARRAY[-1e-320, 5e-324, 0]::float8[], ARRAY[0, 0, 1e-320]::float8[]),
		(ARRAY[-5e-324, -5e-324, 0]::float8[], ARRAY[0, 0, 5e-324]::float8[]),
		(ARRAY[-1.7e308, -1e308]::float8[], ARRAY[1e307, 5e307]::float8[]))
SELECT bool_and(w BETWEEN wi.low AND wi.high) AS wasserstein_held,
	bool_and(e BETWEEN ei.low AND ei.high) AS energy_distance_held,
	bool_and(w < 'Infinity' AND e < 'Infinity') AS finite
FROM samples, unnest(ARRAY[1, 2, 3, 5, 10, 240]) AS bins,
	LATERAL (SELECT histogram(x, bins) AS r FROM unnest(reference) AS x) AS before,
	LATERAL (SELECT histogram(x, r) AS c FROM unnest(current) AS x) AS now,
	LATERAL (SELECT wasserstein(x, side) AS w, energy_distance(x, side) AS e
		FROM (SELECT unnest(reference), false UNION ALL SELECT unnest(current), true)
			AS rows(x, side)) AS exact,
	wasserstein_interval(r, c) AS wi, energy_distance_interval(r, c) AS ei;

-- Sparklines: one axis for all windows of a baseline; a constant is one column ------------

SELECT sparkline(histogram(i, 0, 10, 10)) AS few_bins,
	sparkline(histogram(i * i, 240), 12) AS falling,
	sparkline(histogram(7, 240)) AS constant,
	sparkline(histogram(1e300 + 0 * i, 240)) AS large_constant
FROM generate_series(1, 100) AS i;
SELECT x, sparkline(histogram(x, h)) AS beside_a_constant
FROM (VALUES (6.9), (7.0), (7.1)) AS v(x), LATERAL (SELECT histogram(7, 240) AS h) AS b
GROUP BY x, h ORDER BY x;

-- Quantiles and distribution function ---------------------------------------------------

SELECT quantile(h, 0) AS q0, quantile(h, 0.25) AS q25, quantile(h, 0.5) AS q50, quantile(h, 1) AS q100,
	cdf(h, 0) AS below, cdf(h, 1000) AS above, round(cdf(h, 500)::numeric, 2) AS middle
FROM (SELECT histogram(x, 4) AS h FROM v) AS s;
SELECT max(abs(quantile(h, p / 240.0) - percentile_cont)) < 1e-9 AS exact_at_edges
FROM (SELECT histogram(x, 240) AS h FROM v) AS s, generate_series(1, 239) AS p,
	LATERAL (SELECT percentile_cont(p / 240.0) WITHIN GROUP (ORDER BY x) FROM v) AS q;

-- Memory: 3,000 groups of 20 edges in less than 10 MB -------------------------------------

CREATE TEMP TABLE grouped AS SELECT i % 3000 AS k, i * 0.618033988749895 % 100 AS x FROM generate_series(1, 60000) AS i;
ANALYZE grouped;
SET enable_sort = off;
SET work_mem = '64MB';
DO $$
DECLARE line text;
BEGIN
	FOR line IN EXPLAIN (ANALYZE, TIMING off) SELECT k, histogram(x, 0, 100, 21) FROM grouped GROUP BY k LOOP
		IF line LIKE '%Memory Usage%' THEN
			RAISE NOTICE 'less than 10 MB: %', substring(line FROM 'Usage: (\d+)kB')::int < 10240;
		END IF;
	END LOOP;
END $$;
RESET enable_sort;
RESET work_mem;

-- Bad input: an error with SQLSTATE, the type's name and a way out ------------------------

CREATE FUNCTION pg_temp.fails(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE state text; message text; hint text; detail text;
BEGIN
	EXECUTE query;
	RETURN 'no error: ' || query;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT,
		detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(E'\n  ', state || ' ' || message, nullif(detail, ''), nullif(hint, ''));
END $$;
\pset format unaligned
\pset tuples_only on
SELECT pg_temp.fails(q) FROM (VALUES
	(1, 'SELECT histogram(x, ARRAY[2, 1.0]) FROM v'),
	(2, 'SELECT histogram(x, ARRAY[1, 1.0]) FROM v'),
	(3, 'SELECT histogram(x, ''{}''::float8[]) FROM v'),
	(4, 'SELECT histogram(x, ARRAY[1.0]) FROM v'),
	(5, 'SELECT histogram(x, ''{1,NaN}''::float8[]) FROM v'),
	(6, 'SELECT histogram(x, ''{1,Infinity}''::float8[]) FROM v'),
	(7, 'SELECT histogram(x, ''{1,NULL}''::float8[]) FROM v'),
	(8, 'SELECT histogram(x, NULL::float8[]) FROM v'),
	(9, 'SELECT histogram(x, 0) FROM v'),
	(10, 'SELECT histogram(x, 1000000000) FROM v'),
	(11, 'SELECT histogram(x, 1, 1, 10) FROM v'),
	(12, 'SELECT histogram(x, 0, ''Infinity'', 10) FROM v'),
	(13, 'SELECT histogram(x, 1, 1.0000000000000002, 10) FROM v'),
	(14, 'SELECT histogram(x, NULL::histogram) FROM v'),
	(15, 'SELECT histogram(x, x::int) FROM v'),
	(16, 'SELECT histogram(x, ARRAY[x, x + 1]) FROM v'),
	(17, 'SELECT histogram(x, detach(h)) FROM v, baseline GROUP BY h'),
	(18, 'SELECT histogram(x, 3) + histogram(x, 4) FROM v'),
	(19, 'SELECT merge(h) FROM (SELECT histogram(x, 3) AS h FROM v UNION ALL SELECT histogram(x, 4) FROM v) AS s'),
	(20, 'SELECT histogram(x, ARRAY[1, 2.5]) - histogram(x + 1, ARRAY[1, 2.5]) FROM v'),
	(21, 'SELECT quantile(histogram(x, 3), 1.5) FROM v'),
	(22, 'SELECT attach(detach(histogram(x, 3)), histogram(x, 4)) FROM v'),
	(23, 'SELECT bins(detach(histogram(x, 3))) FROM v'),
	(24, 'SELECT psi(histogram(x, 3), histogram(x, 4)) FROM v'),
	(25, 'SELECT psi(h, h, rule => ''none of these'') FROM baseline'),
	(26, 'SELECT psi(h, h, -1) FROM baseline'),
	(27, 'SELECT psi(h, h, epsilon => 0) FROM baseline'),
	(28, 'SELECT ks_test(h, h, alternative => ''sideways'') FROM baseline'),
	(29, 'SELECT ks_lower_bound(0.1, 10, 10, 1.5)'),
	(29, 'SELECT ks_lower_bound(1.1, 10, 10)'),
	(29, 'SELECT ks_lower_bound(''NaN'', 10, 10)'),
	(29, 'SELECT ks_detectable(10, 10, -0.1)'),
	(29, 'SELECT ks_detectable(10, 0, 0.1)'),
	(29, 'SELECT total_variation_lower_bound(-1, 3, 10, 10)'),
	(29, 'SELECT share_lower_bound(0.5, 1.5, 10, 10)'),
	(30, 'SELECT sparkline(h, 0) FROM baseline'),
	(31, 'SELECT mlmeta_internal.histogram_combine(h, h) FROM baseline'),
	(32, 'SELECT histogram(x, ARRAY[[1, 2], [3, 4]]) FROM v'),
	(33, 'SELECT histogram(x, 3, -1) FROM v'),
	(34, 'SELECT histogram(x, ARRAY[1, 2.5], -1) OVER (ORDER BY x) FROM v'),
	(35, 'SELECT histogram(x, 0, 1, 10, 9223372036854775807) FROM v'),
	(36, 'SELECT histogram(NULL, 3, 9223372036854775807) FROM v'),
	(37, 'SELECT histogram(x, 3, 0.5) FROM v'),
	(40, $q$SELECT ''::histogram$q$),
	(41, $q$SELECT '{}'::histogram$q$),
	(42, $q$SELECT '{"version": 2, "form": "grid"}'::histogram$q$),
	(43, $q$SELECT replace(h::text, '"n": 20000', '"n": 20001')::histogram FROM baseline$q$),
	(44, $q$SELECT replace(h::text, '"counts": [', '"counts": [1,')::histogram FROM baseline$q$),
	(45, $q$SELECT replace(h::text, '"counts": [', '"counts": [-1,')::histogram FROM baseline$q$),
	(46, $q$SELECT replace(h::text, '"edges": [', '"edges": [1e99,')::histogram FROM baseline$q$),
	(47, $q$SELECT replace(h::text, '"minimum": ', '"minimum": 1')::histogram FROM baseline$q$),
	(48, $q$SELECT (h::text || 'x')::histogram FROM baseline$q$),
	(49, $q$SELECT left(h::text, 500)::histogram FROM baseline$q$),
	(50, $q$SELECT replace(h::text, '"counts": [', '"counts": [9223372036854775807,')::histogram FROM baseline$q$)
) AS t(i, q) ORDER BY i, q;
\pset format aligned
\pset tuples_only off

-- counts near 2^63 overflow into an error, not into nonsense
SELECT pg_temp.fails($q$SELECT merge(h) FROM (SELECT
	'{"version": 1, "form": "grid", "n": 9223372036854775807, "null_count": 0, "nan_count": 0, "negative_infinities": 0, "positive_infinities": 0, "minimum": 1, "maximum": 1, "bounds_loose": false, "sum": {"negative": false, "scale": 1074, "magnitude": "01"}, "squares": {"negative": false, "scale": 2148, "magnitude": "01"}, "edges": [1,2], "counts": [0,9223372036854775807,0], "sums": [], "quantiles": []}'::histogram AS h
	FROM generate_series(1, 2)) AS s$q$);

DROP TABLE histogram_data, baseline;
