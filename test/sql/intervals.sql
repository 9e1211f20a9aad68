-- Certified intervals: what two histograms say of the rows behind them holds
-- for the rows, over thousands of generated pairs of samples. All randomness
-- comes from a hash of counters.
SET search_path = public, mlmeta;
SET extra_float_digits = -2;

CREATE FUNCTION uniform(seed bigint, i bigint) RETURNS float8
IMMUTABLE PARALLEL SAFE
RETURN ((hashint8extended(hashint8extended(i, seed), 7) & 9007199254740991) + 0.5) / 9007199254740992.0::float8;

-- From one row to 30 a side, seldom to 100; samples of their own kinds, shifted
-- against each other or not
CREATE TABLE design AS
SELECT seed, (ARRAY['smooth', 'tied', 'heavy tail', 'heavy value', 'two scales', 'extremes', 'few', 'constant'])[1 + seed % 8] AS kind,
	1 + floor(uniform(seed, -1) * CASE WHEN seed % 50 = 0 THEN 100 ELSE 30 END)::int AS n,
	1 + floor(uniform(seed, -2) * CASE WHEN seed % 50 = 0 THEN 100 ELSE 30 END)::int AS m,
	floor(uniform(seed, -3) * 3) / 4 AS shift,
	(ARRAY[1, 2, 3, 5, 10, 30, 240])[1 + floor(uniform(seed, -4) * 7)::int] AS bins
FROM generate_series(1, 3000) AS seed;

CREATE TABLE rows_of AS
SELECT seed, is_current, (CASE kind
	WHEN 'smooth' THEN u
	WHEN 'tied' THEN floor(12 * u)
	WHEN 'heavy tail' THEN tan(pi() * (u - 0.5)) ^ 3
	WHEN 'heavy value' THEN CASE WHEN u < 0.6 THEN 0.25 ELSE u END
	WHEN 'two scales' THEN CASE WHEN u < 0.5 THEN 5 + u * 1e-6 ELSE 200 * u - 100 END
	WHEN 'extremes' THEN (ARRAY['-Infinity', -1.7e308, -1e300, -1e-320, -5e-324, 0, 5e-324, 1e-310, 1, 1e15, 1.7e308, 'Infinity']::float8[])[1 + floor(u * 11.99)::int]
	WHEN 'few' THEN floor(3 * u)
	ELSE 7 END + CASE WHEN is_current AND kind <> 'extremes' THEN shift ELSE 0 END)::float8 AS x
FROM design, (VALUES (false), (true)) AS side(is_current),
	LATERAL generate_series(1, CASE WHEN is_current THEN m ELSE n END) AS i,
	LATERAL (SELECT uniform(CASE WHEN is_current THEN -seed ELSE seed END, i) AS u OFFSET 0) AS t;

CREATE INDEX ON rows_of (seed);
ANALYZE rows_of;

-- Half of the pairs on the reference's own bins, the others on given edges that
-- know nothing of the data
CREATE TABLE summary AS
SELECT seed, kind, r, c
FROM design, LATERAL (SELECT histogram(x, bins) AS own, histogram(x, ARRAY[-1, 0, 0.3, 0.30000001, 5.5]) AS given
		FROM rows_of AS s WHERE s.seed = design.seed AND NOT is_current) AS before,
	LATERAL (SELECT CASE WHEN seed / 8 % 2 = 0 THEN own ELSE given END AS r) AS chosen,
	LATERAL (SELECT histogram(x, r) AS c FROM rows_of AS s WHERE s.seed = design.seed AND is_current) AS now;

CREATE TABLE exact AS
SELECT seed, ks_test(x, is_current) AS ks, ks_test(x, is_current, 'alternative=less') AS ks_less,
	ks_test(x, is_current, 'alternative=greater') AS ks_greater, ks_test(x, is_current, 'method=asymptotic') AS ks_law,
	ks_test(x, is_current, 'method=exact_no_ties') AS ks_no_ties,
	mann_whitney_test(x, is_current) AS u, mann_whitney_test(x, is_current, 'alternative=less') AS u_less,
	mann_whitney_test(x, is_current, 'alternative=greater') AS u_greater,
	mann_whitney_test(x, is_current, 'method=asymptotic') AS u_law,
	mann_whitney_test(x, is_current, 'method=asymptotic alternative=less continuity=off') AS u_law_less,
	mann_whitney_test(x, is_current, 'method=asymptotic alternative=greater') AS u_law_greater,
	mann_whitney_test(x, is_current, 'method=exact_no_ties') FILTER (WHERE seed % 50 <> 0) AS u_no_ties,
	wasserstein(x, is_current) AS w, energy_distance(x, is_current) AS e
FROM rows_of GROUP BY seed;

CREATE TABLE bounds AS
SELECT seed, kind, measure, t, b
FROM summary JOIN exact USING (seed), LATERAL (VALUES
	('ks', ks, ks_test(r, c)), ('ks less', ks_less, ks_test(r, c, 'less')),
	('ks greater', ks_greater, ks_test(r, c, 'greater')),
	('ks law', ks_law, ks_test(r, c, method => 'asymptotic')),
	('ks no ties', ks_no_ties, ks_test(r, c, method => 'exact_no_ties')),
	('ks, detached', ks, ks_test(detach(r), c)),
	('u', u, mann_whitney_test(r, c)), ('u less', u_less, mann_whitney_test(r, c, 'less')),
	('u greater', u_greater, mann_whitney_test(r, c, 'greater')),
	('u law', u_law, mann_whitney_test(r, c, method => 'asymptotic')),
	('u law less', u_law_less, mann_whitney_test(r, c, 'less', 'asymptotic', false)),
	('u law greater', u_law_greater, mann_whitney_test(r, c, 'greater', 'asymptotic')),
	('u no ties', u_no_ties, CASE WHEN u_no_ties IS NOT NULL THEN mann_whitney_test(r, c, method => 'exact_no_ties') END),
	('u, detached', u, mann_whitney_test(detach(r), detach(c)))) AS v(measure, t, b)
WHERE t IS NOT NULL;

-- Statistics and p-values: the interval holds that of the rows, all of them
SELECT measure, count(*) >= 2900 AS thousands,
	count(*) FILTER (WHERE NOT (t).statistic BETWEEN (b).statistic_low AND (b).statistic_high) AS statistic_missed,
	count(*) FILTER (WHERE NOT (t).p_value BETWEEN (b).p_low * (1 - 1e-12) AND (b).p_high * (1 + 1e-12)) AS p_missed,
	count(*) FILTER (WHERE (t).method <> (b).method) AS other_method,
	count(*) FILTER (WHERE (b).p_low > 0 AND (b).p_high < 1) > 500 AS many_say_something
FROM bounds GROUP BY measure ORDER BY measure;
-- ks() is the lower bound, in each direction
SELECT bool_and(ks(r, c) = (ks_test(r, c)).statistic_low AND ks(r, c, 'less') = (ks_test(r, c, 'less')).statistic_low
	AND ks(r, c, alternative => 'greater') = (ks_test(r, c, 'greater')).statistic_low) AS the_same FROM summary WHERE seed <= 500;
SELECT kind, measure, seed, t, b FROM bounds
WHERE NOT ((t).statistic BETWEEN (b).statistic_low AND (b).statistic_high
	AND (t).p_value BETWEEN (b).p_low * (1 - 1e-12) AND (b).p_high * (1 + 1e-12))
ORDER BY seed, measure LIMIT 10;

-- Where every value has a bin of its own, the interval is a point and that of
-- the rows, to the bit
SELECT measure, count(*) > 20 AS many, bool_and(t = b) AS the_same
FROM bounds JOIN design USING (seed)
WHERE bounds.kind IN ('few', 'tied', 'constant') AND seed / 8 % 2 = 0 AND bins = 240
	AND measure IN ('ks', 'ks less', 'u', 'u less', 'u law')
	AND (SELECT array_agg(x) FILTER (WHERE is_current) <@ array_agg(x) FILTER (WHERE NOT is_current)
		FROM rows_of AS s WHERE s.seed = design.seed)
GROUP BY measure ORDER BY measure;

-- Distances
SELECT kind, count(*) AS pairs,
	count(*) FILTER (WHERE NOT w BETWEEN (wi).low AND (wi).high) AS wasserstein_missed,
	count(*) FILTER (WHERE NOT e BETWEEN (ei).low AND (ei).high) AS energy_missed,
	count(*) FILTER (WHERE (wi).high < 'Infinity') > 100 AS some_are_finite
FROM (SELECT kind, w, e, wasserstein_interval(r, c) AS wi, energy_distance_interval(r, c) AS ei
	FROM summary JOIN exact USING (seed)) AS s
GROUP BY kind ORDER BY kind;

-- On bins of their own on either side the intervals are wider, and hold
SELECT count(*) AS pairs,
	count(*) FILTER (WHERE NOT (ks).statistic BETWEEN (k).statistic_low AND (k).statistic_high) AS ks_missed,
	count(*) FILTER (WHERE NOT (ks).p_value BETWEEN (k).p_low * (1 - 1e-12) AND (k).p_high * (1 + 1e-12)) AS p_missed,
	count(*) FILTER (WHERE NOT w BETWEEN (wi).low AND (wi).high) AS wasserstein_missed,
	count(*) FILTER (WHERE NOT e BETWEEN (ei).low AND (ei).high) AS energy_missed
FROM (SELECT ks, w, e, ks_test(r, own) AS k, wasserstein_interval(r, own) AS wi, energy_distance_interval(r, own) AS ei
	FROM summary JOIN exact USING (seed),
		LATERAL (SELECT histogram(x, 5) AS own FROM rows_of AS s WHERE s.seed = summary.seed AND is_current) AS o) AS s;

-- The formula: U +- half the pairs within bins of more than one value
SELECT mann_whitney_test(r, c), mann_whitney_test(c, r, 'less', 'asymptotic'), mann_whitney_test(r, c, 'less', 'asymptotic', continuity => false)
FROM (SELECT histogram(x, ARRAY[1,1.0000000000000002,2]) AS r FROM unnest('{0,0.5,1,1,1.5,3}'::float8[]) AS x) AS a,
	(SELECT histogram(x, ARRAY[1,1.0000000000000002,2]) AS c FROM unnest('{0.25,1,1.25,1.75,4}'::float8[]) AS x) AS b;

-- Few distinct values are exact at any number of rows, as they are over rows
SELECT (ks_test(h, h2)).method, (ks_test(h, h2)) = ks_rows AS the_same
FROM (SELECT histogram(v, 10) FILTER (WHERE NOT b) AS h, histogram(v, ARRAY[0, 5e-324, 1, 1.0000000000000002, 2, 2.0000000000000004]::float8[]) FILTER (WHERE b) AS h2,
		ks_test(v, b) AS ks_rows
	FROM (SELECT (i * 7919 % 1000 / 400)::int AS v, i % 2 = 0 AS b FROM generate_series(1, 200000) AS i) AS s) AS t;

-- Empty sides, other bins, bad arguments, counts near 2^63
SELECT mann_whitney_test(r, c), mann_whitney_test(c, r), mann_whitney_test(c, c), ks_test(r, c)
FROM (SELECT histogram(1, '{1,2}'::float8[]) AS r, histogram(NULL, '{1,2}'::float8[]) AS c) AS t;
SELECT mann_whitney_test(histogram(i, 3), histogram(i, 4)) FROM generate_series(1, 9) AS i;
SELECT mann_whitney_test(histogram(i, 3), histogram(i, 3), 'sideways') FROM generate_series(1, 9) AS i;
SELECT mann_whitney_test(histogram(i, 3), histogram(i, 3), method => 'guess') FROM generate_series(1, 9) AS i;
SELECT mann_whitney_test(histogram(i, 3), histogram(i, 3), method => 'exact') FROM generate_series(1, 9000) AS i;
SELECT mann_whitney_test(h, h), (ks_test(h, h)).p_value FROM (SELECT
	'{"version": 1, "form": "grid", "n": 9223372036854775807, "null_count": 0, "nan_count": 0, "negative_infinities": 0, "positive_infinities": 0, "minimum": 1, "maximum": 1, "bounds_loose": false, "sum": {"negative": false, "scale": 1074, "magnitude": "01"}, "squares": {"negative": false, "scale": 2148, "magnitude": "01"}, "edges": [1,2], "counts": [0,9223372036854775807,0], "sums": [], "quantiles": []}'::histogram AS h) AS t;

DROP TABLE bounds, exact, summary, rows_of, design;
DROP FUNCTION uniform(bigint, bigint);
