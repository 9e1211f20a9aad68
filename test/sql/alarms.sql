-- The alarm rule's tests: what is usual between windows, two in a row, spread,
-- takeover by one value, a profile less one of its windows. The laws are
-- compared with the definitions of doc/monitoring.md, and their levels by
-- simulation: a test at alpha may reject in a share alpha of the cases, and 3
-- Monte-Carlo standard errors more. All randomness comes from a hash.
SET search_path = public, mlmeta;
SET extra_float_digits = -3;

-- Usual: moments by PostgreSQL's own aggregates; with a mean effect, t is
-- 0.798 / sqrt(1 + 1/k)
WITH e AS (SELECT ARRAY[0.01, -0.02, 0.015, 0.03, -0.02]::float8[] AS effects),
	m AS (SELECT avg(abs(u)) AS mean, stddev_samp(abs(u)) AS sd FROM e, unnest(e.effects) AS u)
SELECT usual_p_value(m.mean, NULL, e.effects) AS at_the_mean,
	usual_p_value(m.mean + 2 * m.sd, NULL, e.effects) AS two_above,
	usual_p_value(-(m.mean + 2 * m.sd), NULL, e.effects) AS sign_does_not_count,
	usual_p_value(m.mean + 2 * m.sd, NULL, e.effects, windows => 2.5) AS fewer_windows,
	usual_p_value(m.mean, NULL, e.effects, law => 'maximum') AS largest_of_many,
	abs(usual_effect(usual_p_value(0.06, NULL, e.effects), NULL, e.effects) - 0.06) < 1e-12 AS inverse,
	abs(usual_effect(usual_p_value(0.06, NULL, e.effects, law => 'maximum'), NULL, e.effects, law => 'maximum') - 0.06) < 1e-12 AS inverse_maximum
FROM e, m;
-- Small windows are allowed more: twice the sampling error, twice the effects
SELECT usual_p_value(0.12, 0.2, effects, ARRAY[0.1, 0.1, 0.1, 0.1]) = usual_p_value(0.06, 0.1, effects, ARRAY[0.1, 0.1, 0.1, 0.1]) AS same,
	usual_p_value(0.06, 0.05, effects, ARRAY[0.1, 0.1, 0.1, 0.1]) = usual_p_value(0.06, NULL, effects) AS large_ones_not_less
FROM (SELECT ARRAY[0.01, 0.02, 0.04, 0.03]::float8[] AS effects) AS e;
-- Windows that are all alike; too few; NULL among them
SELECT usual_p_value(0.1, NULL, ARRAY[0, 0, 0]), usual_p_value(0, NULL, ARRAY[0, 0, 0]),
	usual_p_value(0.1, NULL, ARRAY[0.1]), usual_p_value(0.1, NULL, '{}'), usual_p_value(NULL, NULL, ARRAY[0.1, 0.2]),
	usual_p_value(0.3, NULL, ARRAY[0.1, NULL, 0.2]) = usual_p_value(0.3, NULL, ARRAY[0.1, 0.2]) AS null_left_out;
SELECT usual_p_value(0.1, 1, ARRAY[0.1, 0.2], ARRAY[1.0]);
SELECT usual_p_value(0.1, 1, ARRAY[0.1, 0.2], law => 'gamma');
SELECT two_in_a_row(0.01, 0.02), two_in_a_row(0.01, 0.5), two_in_a_row(0.01, NULL), two_in_a_row(0.8, 0.9), two_in_a_row(NULL, 0.1);
SELECT two_in_a_row(1.5, 0.1);
SELECT effective_windows(28, 0), effective_windows(28, -0.9), effective_windows(28, 5), effective_windows(10, 0.2);
SELECT window_autocorrelation(ARRAY[1, 2, 3, 4, 5, 6]), window_autocorrelation(ARRAY[1, -1, 1, -1]), window_autocorrelation(ARRAY[2, 2, 2]), window_autocorrelation(ARRAY[1, 2]);

-- Spread: 1.5 times that of 28 windows that differ by 2 %; a window of a quarter
-- of the rows is allowed twice as much
SELECT (a.s).difference, (a.s).difference_low, (a.s).p_value, (b.s).p_value AS smaller_window
FROM (SELECT spread_test(ln(1.5::float8), 1000, array_agg(0.02 * sin(i)), array_agg(1000.0::float8)) AS s FROM generate_series(1, 28) AS i) AS a,
	(SELECT spread_test(ln(1.5::float8), 250, array_agg(0.02 * sin(i)), array_agg(1000.0::float8)) AS s FROM generate_series(1, 28) AS i) AS b;
SELECT spread_test(0.1, 10, ARRAY[0.1, 0.1], ARRAY[5, 5]), spread_test(0.2, 10, ARRAY[0.1, 0.1], ARRAY[5, 5]), spread_test(0.2, 10, ARRAY[0.1], ARRAY[5]);

-- Level: the limit is the mean less three standard deviations; few windows prove
-- little; a level that chance explains
SELECT abs((t.l).mean - 0.8) < 1e-12 AS mean, abs((t.l).usual_limit - (0.8 - 3 * 0.01 * sqrt(2.0 / 3))) < 1e-12 AS usual_limit, (t.l).p_value, (u.l).p_value AS with_error, (v.l).p_value AS other_side
FROM (SELECT level_test(0.75, -1, NULL, ARRAY[0.79, 0.8, 0.81]) AS l) AS t, (SELECT level_test(0.75, -1, 0.1, ARRAY[0.79, 0.8, 0.81]) AS l) AS u,
	(SELECT level_test(0.75, 1, NULL, ARRAY[0.79, 0.8, 0.81]) AS l) AS v;
SELECT level_test(0.5, -1, NULL, ARRAY[0.8]), level_test(0.5, -1, NULL, ARRAY[0.8, 0.8]), level_test(NULL, -1, NULL, ARRAY[0.8, 0.8]);
SELECT level_test(0.5, 0, NULL, ARRAY[0.8]);

-- Takeover: a new value in 10 of 100 rows. By the law: all 10 of 5,100 pooled
-- rows in the window, twice, times 5,100 / 10.
SELECT t.value, t.share_current, t.p_value / (2 * 510 * exp(sum(ln((100 - j) / (5100.0 - j))))) AS of_the_law, t.difference_low
FROM (SELECT frequencies('v' || i % 300) AS f FROM generate_series(1, 5000) AS i) AS r,
	(SELECT frequencies(CASE WHEN i <= 10 THEN 'new' ELSE 'v' || i % 300 END) AS f FROM generate_series(1, 100) AS i) AS c,
	takeover_test(r.f, c.f) AS t, generate_series(0, 9) AS j
GROUP BY t.value, t.share_current, t.p_value, t.difference_low;
-- The same detached, on a baseline: values as the baseline has them, new ones from the examples
WITH r AS (SELECT frequencies('v' || i % 300) AS f FROM generate_series(1, 5000) AS i),
	c AS (SELECT frequencies(CASE WHEN i <= 10 THEN 'new' ELSE 'v' || i % 300 END, r.f) AS f FROM generate_series(1, 100) AS i, r GROUP BY r.f)
SELECT t.value, (t.p_value - u.p_value) AS difference FROM r, c, takeover_test(r.f, detach(c.f)) AS t, takeover_test(r.f, c.f) AS u;
-- Twenty new values, of which the examples are few: the most frequent has its share at least
WITH r AS (SELECT frequencies('v' || i % 3) AS f FROM generate_series(1, 5000) AS i),
	c AS (SELECT frequencies('w' || i % 20, r.f) AS f FROM generate_series(1, 1000) AS i, r GROUP BY r.f)
SELECT t.value IS NULL OR t.value LIKE 'w%' OR t.value LIKE 'v%' AS named, t.p_value < 1e-20 AS found FROM r, c, takeover_test(r.f, detach(c.f)) AS t;
-- A default that is written in takes 9 % of 100,000 rows of a number
WITH b AS (SELECT histogram(sin(i) * i, 240) AS h FROM generate_series(1, 5000) AS i),
	w AS (SELECT histogram(CASE WHEN i % 100 < 9 THEN 0 ELSE sin(i) * i / 20 END, b.h) AS h FROM generate_series(1, 100000) AS i, b GROUP BY b.h)
SELECT t.value, t.p_value < 1e-100 AS found, round(t.difference_low::numeric, 3) FROM b, w, takeover_test(b.h, w.h) AS t;
-- Nothing moved, one side empty, other bins
SELECT takeover_test(h, h), takeover_test(h, g) FROM (SELECT histogram(i::float8, ARRAY[5.0, 7.0]) AS h, histogram(i::float8, ARRAY[5.0, 7.0]) FILTER (WHERE i < 0) AS g FROM generate_series(1, 10) AS i) AS q;
SELECT takeover_test(histogram(i::float8, ARRAY[5.0, 7.0]), histogram(i::float8, ARRAY[6.0, 7.0])) FROM generate_series(1, 10) AS i;

-- A profile less one of its windows is the profile of the others
CREATE TABLE rows_of AS SELECT i % 4 AS w, i AS x, 'c' || i % 7 AS c, i % 3 = 0 AS flag, CASE WHEN i % 5 > 0 THEN point(i, i) END AS p FROM generate_series(1, 4000) AS i;
WITH b AS (SELECT profile(q) AS p FROM (SELECT x, c, flag, p FROM rows_of) AS q),
	parts AS (SELECT r.w, profile(q, b.p) AS p FROM rows_of AS r, b, LATERAL (SELECT r.x, r.c, r.flag, r.p) AS q GROUP BY r.w, b.p)
SELECT count(*) FILTER (WHERE d.statistic <> 0) AS differ, count(*) FILTER (WHERE d.statistic = 0) AS equal, min(d.n_reference), max(d.n_current)
FROM (SELECT minus(merge(p), merge(p) FILTER (WHERE w = 2)) AS rest, merge(p) FILTER (WHERE w <> 2) AS others FROM parts) AS m,
	drift(m.rest, m.others) AS d WHERE d.is_primary;
WITH b AS (SELECT profile(q) AS p FROM (SELECT x FROM rows_of) AS q)
SELECT minus(w.p, m.p) FROM b, (SELECT profile(q, b.p) AS p FROM b, (SELECT x FROM rows_of LIMIT 5) AS q GROUP BY b.p) AS w,
	(SELECT profile(q, b.p) AS p FROM b, (SELECT x FROM rows_of) AS q GROUP BY b.p) AS m;

-- drift() with a level: the bounds are those of the functions that give them
WITH b AS (SELECT profile(q) AS p FROM (SELECT x::float8, c, CASE WHEN x % 10 > 0 THEN x END AS gaps FROM rows_of) AS q),
	w AS (SELECT profile(q, b.p) AS p FROM b, (SELECT x + 700.0::float8 AS x, CASE WHEN x % 2 = 0 THEN 'other' ELSE c END AS c, CASE WHEN x % 2 > 0 THEN x END AS gaps FROM rows_of LIMIT 1000) AS q GROUP BY b.p)
SELECT d.feature, d.measure, d.status, d.effect > 0 AS up, d.value,
	abs(d.effect_low - CASE d.measure WHEN 'ks' THEN ks_lower_bound(d.statistic_low, d.n_reference, d.n_current, 0.05)
		WHEN 'chi2' THEN total_variation_lower_bound(d.effect, 8, d.n_reference, d.n_current, 0.05)
		WHEN 'missing_share' THEN share_lower_bound(d.missing_reference, d.missing_current, d.n_reference, d.n_current, 0.05) END) < 1e-12 AS bound,
	round(d.missing_current::numeric, 2) AS missing
FROM b, w, drift(b.p, detach(w.p), 0.05) AS d WHERE d.is_primary;
SELECT * FROM drift((SELECT profile(q) FROM (SELECT 1 AS x) AS q), (SELECT profile(q) FROM (SELECT 1 AS x) AS q), 1.5);

-- Levels -------------------------------------------------------------------------
CREATE FUNCTION uniform(seed bigint, i bigint) RETURNS float8
IMMUTABLE PARALLEL SAFE
RETURN (hashint8extended(hashint8extended(i, seed), 7) & 9007199254740991) / 9007199254740992.0::float8;

-- Usual: half-normal effects, for which the law is exact
WITH drawn AS (
	SELECT k, r, array_agg(abs(sqrt(-2 * ln(1 - uniform(k * 100000 + r, 2 * i))) * cos(2 * pi() * uniform(k * 100000 + r, 2 * i + 1)))) AS e
	FROM (VALUES (8), (14), (28)) AS t (k), generate_series(1, 4000) AS r, generate_series(0, k) AS i GROUP BY k, r
), tested AS (
	SELECT k, usual_p_value(e[k + 1], NULL, e[1:k]) AS p FROM drawn
)
SELECT k, alpha, CASE WHEN avg((p <= alpha)::integer) <= alpha + 3 * sqrt(alpha * (1 - alpha) / 4000) THEN 'holds'
	ELSE avg((p <= alpha)::integer)::text END AS level
FROM tested, unnest(ARRAY[0.05, 0.01, 0.001]) AS alpha GROUP BY k, alpha ORDER BY k, alpha;

-- Takeover: 60 values with a long tail, both sides anew each time; and its power
-- for a new value in 10 % of 100 rows
WITH drawn AS (
	SELECT r, (SELECT frequencies(floor(60 * uniform(r, i) ^ 3)::text) FROM generate_series(1, 2000) AS i) AS a,
		(SELECT frequencies(floor(60 * uniform(-r, i) ^ 3)::text) FROM generate_series(1, 100) AS i) AS b,
		(SELECT frequencies(CASE WHEN i % 10 = 0 THEN 'new' ELSE floor(60 * uniform(-r, i) ^ 3)::text END) FROM generate_series(1, 100) AS i) AS c
	FROM generate_series(1, 500) AS r
), tested AS (
	SELECT (takeover_test(a, b)).p_value AS p, (takeover_test(a, c)).p_value AS moved FROM drawn
)
SELECT alpha, avg((p <= alpha)::integer) <= alpha + 3 * sqrt(alpha * (1 - alpha) / 500) AS holds,
	avg((moved <= alpha)::integer) >= 0.97 AS found
FROM tested, unnest(ARRAY[0.05, 0.01, 0.001]) AS alpha GROUP BY alpha ORDER BY alpha;

-- The rule: 6 features, 14 baseline windows of 60 rows, 100 windows after them:
-- quiet, and with one feature 1.2 standard deviations higher
CREATE TABLE drawn AS
SELECT d.w, d.s, sqrt(-2 * ln(1 - uniform(d.w * 7 + 1, 2 * i))) * cos(2 * pi() * uniform(d.w * 7 + 1, 2 * i + 1)) + d.s AS a,
	sqrt(-2 * ln(1 - uniform(d.w * 7 + 2, 2 * i))) * cos(2 * pi() * uniform(d.w * 7 + 2, 2 * i + 1)) AS b,
	-ln(1 - uniform(d.w * 7 + 3, i)) AS c, uniform(d.w * 7 + 4, i) AS d, floor(20 * uniform(d.w * 7 + 5, i)) AS e, uniform(d.w * 7 + 6, i) AS f
FROM (SELECT w, CASE WHEN w < 114 THEN 0 ELSE 1.2 END::float8 AS s FROM generate_series(0, 133) AS w) AS d, generate_series(1, 60) AS i;
WITH base AS MATERIALIZED (
	SELECT profile(q) AS p FROM (SELECT a, b, c, d, e, f FROM drawn WHERE w < 14) AS q
), parts AS MATERIALIZED (
	SELECT w, detach(profile(q, base.p)) AS p FROM drawn, base, LATERAL (SELECT a, b, c, d, e, f) AS q GROUP BY w, base.p
), total AS MATERIALIZED (
	SELECT attach(merge(parts.p), base.p) AS p FROM parts, base WHERE w < 14 GROUP BY base.p
), usual AS MATERIALIZED (
	SELECT d.feature, array_agg(d.effect ORDER BY w) AS effects, array_agg(sqrt(1.0 / 60 + 1.0 / 780)::float8) AS scales
	FROM parts, total, base, drift(minus(total.p, attach(parts.p, base.p)), attach(parts.p, base.p), 0.05) AS d
	WHERE w < 14 AND d.measure = 'ks' GROUP BY d.feature
), tested AS (
	SELECT w, d.feature, d.effect_low, two_in_a_row(g.p, lag(g.p) OVER (PARTITION BY d.feature ORDER BY w)) AS p
	FROM parts, total, drift(total.p, parts.p, 0.05) AS d JOIN usual AS u USING (feature),
		LATERAL (SELECT greatest(d.p_value, usual_p_value(d.effect, sqrt(1.0 / 60 + 1.0 / 840), u.effects, u.scales)) AS p) AS g
	WHERE w >= 14 AND d.measure = 'ks'
), judged AS (
	SELECT w, array_agg(feature ORDER BY feature) AS f, array_agg(effect_low ORDER BY feature) AS l,
		benjamini_hochberg(array_agg(p ORDER BY feature)) AS p FROM tested GROUP BY w
)
SELECT count(*) FILTER (WHERE w < 114) AS false_alarms, count(*) FILTER (WHERE w > 114 AND u.f = 'a') >= 17 AS found_again_and_again
FROM judged, unnest(f, l, p) AS u (f, l, p) WHERE u.p <= 2 / 365.0 AND u.l > 0.05;
DROP FUNCTION uniform;
DROP TABLE rows_of, drawn;
