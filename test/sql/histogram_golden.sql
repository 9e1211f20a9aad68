-- Golden figures over histograms: scipy 1.10.1 on 34 pairs of samples
-- (test/data/drift_pairs.json.gz), binned measures and certified intervals.
SET search_path = public, mlmeta;
SET extra_float_digits = 0;

CREATE TEMP TABLE golden_file (body jsonb);
\copy golden_file FROM PROGRAM 'gzip -dc test/data/drift_pairs.json.gz | sed "s/-Infinity/\"-Infinity\"/g; s/\([ :]\)Infinity/\1\"Infinity\"/g; s/NaN/\"NaN\"/g"' WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')
CREATE TEMP TABLE golden AS
SELECT g ->> 'name' AS name,
	ARRAY(SELECT x::float8 FROM jsonb_array_elements_text(g -> 'a') AS x) AS a,
	ARRAY(SELECT x::float8 FROM jsonb_array_elements_text(g -> 'b') AS x) AS b,
	g -> 'expected' AS e
FROM golden_file, jsonb_array_elements(body -> 'pairs') AS g;
SELECT count(*) AS pairs FROM golden;

CREATE FUNCTION pg_temp.near(a float8, b float8, tolerance float8) RETURNS boolean LANGUAGE sql
RETURN a IS NOT DISTINCT FROM b OR abs(a - b) <= tolerance * greatest(1, abs(b));

-- Measures over the bins that scipy and numpy were given -----------------------
-- (one edge and none are no histograms of ours: bernoulli, tiny_1_1, const_same)

CREATE TEMP TABLE binned AS
SELECT name, kind, edges, expected, r, c
FROM golden, jsonb_each(e) AS x(kind, expected),
	LATERAL (SELECT ARRAY(SELECT y::float8 FROM jsonb_array_elements_text(expected -> 'inner_edges') AS y) AS edges) AS g,
	LATERAL (SELECT histogram(v, edges) AS r FROM unnest(a) AS v WHERE cardinality(edges) > 1) AS rs,
	LATERAL (SELECT histogram(v, edges) AS c FROM unnest(b) AS v WHERE cardinality(edges) > 1) AS cs
WHERE kind IN ('binned_ref_deciles', 'binned_equal_width_10') AND cardinality(edges) > 1;

CREATE TEMP TABLE measured AS
SELECT name, kind, m.measure, m.ours, (expected #>> m.path)::float8 AS theirs
FROM binned, LATERAL (VALUES
	('psi floor 1e-4', psi(r, c), '{psi_floor_1e-4}'::text[]),
	('psi floor 1e-6', psi(r, c, epsilon => 1e-6), '{psi_floor_1e-6}'),
	('psi replace', psi(r, c, rule => 'replace'), '{psi_zero_replaced_1e-4}'),
	('psi skip', psi(r, c, rule => 'skip'), '{psi_skip_empty}'),
	('js distance', js_distance(r, c), '{js_distance_base_e}'),
	('js distance in bits', js_distance(r, c, base => 2), '{js_distance_base2}'),
	('hellinger', hellinger(r, c), '{hellinger}'),
	('total variation', total_variation(r, c), '{total_variation}'),
	('l infinity', l_infinity(r, c), '{linf}'),
	('kl of the reference', kl_divergence(r, c), '{kl_a_from_b}'),
	('kl of the current', kl_divergence(c, r), '{kl_b_from_a}'),
	('chi2', (chi2_test(r, c)).statistic, '{chi2_contingency,statistic}'),
	('chi2 p', (chi2_test(r, c)).p_value, '{chi2_contingency,pvalue}'),
	('g', (g_test(r, c)).statistic, '{g_test,statistic}'),
	('g p', (g_test(r, c)).p_value, '{g_test,pvalue}')) AS m(measure, ours, path);
SELECT count(*) AS compared, count(ours) AS with_a_number FROM measured;
SELECT bool_and(counts(r) = ARRAY(SELECT x::bigint FROM jsonb_array_elements_text(expected -> 'counts_a') AS x)
	AND counts(c) = ARRAY(SELECT x::bigint FROM jsonb_array_elements_text(expected -> 'counts_b') AS x)) AS counts_equal
FROM binned;
-- no row: all equal within 1e-12
SELECT * FROM measured WHERE NOT pg_temp.near(ours, theirs, 1e-12) OR (ours IS NULL) <> (theirs IS NULL);

-- Own bins, coarsened to deciles, are the deciles ----------------------------------

CREATE TEMP TABLE own AS
SELECT name, e, r, c, ten_r, ten_c
FROM golden, LATERAL (SELECT histogram(v, 240) AS r, histogram(v, 10) AS ten_r FROM unnest(a) AS v) AS rs,
	LATERAL (SELECT histogram(v, r) AS c, histogram(v, ten_r) AS ten_c FROM unnest(b) AS v) AS cs;
SELECT count(*) FILTER (WHERE psi(r, c) = psi(ten_r, ten_c)) AS same_from_240_and_10,
	count(*) FILTER (WHERE pg_temp.near(psi(r, c), (e #>> '{binned_ref_deciles,psi_floor_1e-4}')::float8, 1e-12)) AS as_golden
FROM own;
-- An edge equal to the maximum is kept here and dropped in the golden figures,
-- so that the golden file has one bin for bernoulli and for constants.
SELECT name, round(psi(r, c)::numeric, 6) AS ours, (e #>> '{binned_ref_deciles,psi_floor_1e-4}')::numeric AS theirs
FROM own
WHERE NOT pg_temp.near(psi(r, c), (e #>> '{binned_ref_deciles,psi_floor_1e-4}')::float8, 1e-12)
ORDER BY name;

-- Certified intervals hold the exact values of the rows -------------------------------

CREATE TEMP TABLE intervals AS
SELECT name, what, exact, low, high, bins
FROM (SELECT name, e, 240 AS bins, r, c FROM own UNION ALL SELECT name, e, 10, ten_r, ten_c FROM own) AS o,
	LATERAL (VALUES
		('ks', coalesce(e #>> '{ks_2samp.two-sided.exact,statistic}', e #>> '{ks_2samp.two-sided.asymp,statistic}')::float8, (ks_test(r, c)).statistic_low, (ks_test(r, c)).statistic_high),
		('ks less', coalesce(e #>> '{ks_2samp.less.exact,statistic}', e #>> '{ks_2samp.less.asymp,statistic}')::float8, (ks_test(r, c, 'less')).statistic_low, (ks_test(r, c, 'less')).statistic_high),
		('ks greater', coalesce(e #>> '{ks_2samp.greater.exact,statistic}', e #>> '{ks_2samp.greater.asymp,statistic}')::float8, (ks_test(r, c, 'greater')).statistic_low, (ks_test(r, c, 'greater')).statistic_high),
		('wasserstein', (e #>> '{wasserstein_distance,value}')::float8, (wasserstein_interval(r, c)).low, (wasserstein_interval(r, c)).high),
		('energy', (e #>> '{energy_distance,value}')::float8, (energy_distance_interval(r, c)).low, (energy_distance_interval(r, c)).high))
		AS i(what, exact, low, high);
SELECT what, bins, count(*) AS pairs,
	count(*) FILTER (WHERE exact BETWEEN low - 1e-14 * abs(exact) AND high + 1e-14 * abs(exact)) AS held,
	round(avg(high - low) FILTER (WHERE what LIKE 'ks%')::numeric, 4) AS mean_width
FROM intervals GROUP BY what, bins ORDER BY what, bins;
SELECT * FROM intervals
WHERE NOT exact BETWEEN low - 1e-14 * abs(exact) AND high + 1e-14 * abs(exact);
-- against the baseline, at most 2/240 wide
SELECT max(high - low) <= 2 / 240.0 AS narrow
FROM intervals WHERE what = 'ks' AND bins = 240 AND name NOT LIKE 'tiny%' AND name <> 'unequal_7_5000';

-- p-values: where the bins hold one value each the interval is a point, exact
-- with ties, which scipy ignores (bernoulli, four_levels)
SELECT name, round((ks_test(r, c)).p_low::numeric, 10) AS p_low, round((ks_test(r, c)).p_high::numeric, 10) AS p_high,
	round((e #>> '{ks_2samp.two-sided.exact,pvalue}')::numeric, 10) AS scipy
FROM own WHERE name IN ('bernoulli', 'four_levels', 'tiny_5_5', 'normal_same', 'permuted') ORDER BY name;

-- The case ks_interval_from_grid of the derivation: its bins are (a, b], ours
-- [a, b): the edges move by one unit in the last place.
SELECT round((ks_test(r, c)).statistic_low::numeric, 12) AS d_lo, round((ks_test(r, c)).statistic_high::numeric, 12) AS d_hi,
	counts(r), counts(c)
FROM (SELECT histogram(x, ARRAY[5e-324, 1.0000000000000002, 2.0000000000000004, 3.0000000000000004]) AS r
	FROM unnest('{0.1,0.2,0.3,0.4,1.2,1.4,1.9,2.5}'::float8[]) AS x) AS a,
	LATERAL (SELECT histogram(x, r) AS c FROM unnest('{0.15,0.9,1.0,1.1,1.5,1.8,2.1,2.2}'::float8[]) AS x) AS b;

-- Different bins: a wider interval that still holds
SELECT bool_and(coalesce(e #>> '{ks_2samp.two-sided.exact,statistic}', e #>> '{ks_2samp.two-sided.asymp,statistic}')::float8
	BETWEEN t.statistic_low - 1e-15 AND t.statistic_high + 1e-15) AS held,
	count(*)
FROM golden, LATERAL (SELECT histogram(v, 10) AS r FROM unnest(a) AS v) AS rs,
	LATERAL (SELECT histogram(v, 12) AS c FROM unnest(b) AS v) AS cs, ks_test(r, c) AS t;

-- Infinities are points for rank statistics; distances are infinite when shares differ
SELECT (ks_test(r, c)).statistic, wasserstein(r, c), energy_distance(r, c), wasserstein(r, r)
FROM (SELECT histogram(x, ARRAY[0, 2.5]) AS r FROM unnest('{1,2,Infinity}'::float8[]) AS x) AS a,
	LATERAL (SELECT histogram(x, r) AS c FROM unnest('{1,2,3}'::float8[]) AS x) AS b;

-- Calibration
SELECT round(ks_lower_bound(0.2, 5000, 1000)::numeric, 6) AS lcb, round(ks_detectable(5000, 1000, 0.05)::numeric, 6) AS mde;
-- no distance is larger than 1: samples of these sizes show none
SELECT ks_detectable(750, 5, 0.05), ks_detectable(1, 1, 0.05), ks_detectable(750, 10, 0.05) BETWEEN 0.8 AND 1 AS just, ks_detectable(1000, 1000, 1.5);
