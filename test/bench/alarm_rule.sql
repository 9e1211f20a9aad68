-- The alarm rule by simulation: false alarms a year without drift, and how often
-- windows are found after one. The functions of sql/39-alarms.sql on profiles as
-- a monitor stores them, judged as part 72 judges: figures of doc/monitoring.md.
--
-- :kinds names the kinds of data, of iid (independent rows), ar.9 (rows that
-- are AR(1) with rho 0.9), day.1 and day.2 (a normal effect of each day, 0.1 and
-- 0.2 standard deviations), wk.3 (weekends 0.3 higher); :n rows a window,
-- :features, :windows of the baseline, :quiet windows after it, then 40 windows
-- of each of four drifts of one feature: +0.3, +0.5, +1 sd, 1.5 times the spread.

\ir common.psql
\if :{?kinds}
\else
\set kinds 'iid ar.9 day.1'
\endif
\if :{?n}
\else
\set n 1000
\endif
\if :{?features}
\else
\set features 20
\endif
\if :{?windows}
\else
\set windows 28
\endif
\if :{?quiet}
\else
\set quiet 364
\endif
\if :{?seed}
\else
\set seed 0.3
\endif

CREATE FUNCTION pg_temp.normal() RETURNS float8 LANGUAGE sql VOLATILE
RETURN pg_catalog.sqrt(-2 * pg_catalog.ln(1 - pg_catalog.random()))
	* pg_catalog.cos(2 * pg_catalog.pi() * pg_catalog.random());

-- Rows of windows: number, window, a value of each feature.
CREATE FUNCTION pg_temp.make_rows(kind text, n integer, f integer, q integer)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	rho CONSTANT float8 := 0.9;
	day_sd float8 := CASE WHEN kind LIKE 'day%' THEN substr(kind, 4)::float8 ELSE 0 END;
	columns text := (SELECT string_agg(format('x%s', i), ', ' ORDER BY i) FROM generate_series(1, f) AS i);
BEGIN
	DROP TABLE IF EXISTS pg_temp.sim;
	IF kind = 'ar.9' THEN
		EXECUTE format('CREATE TEMP TABLE sim AS
			WITH RECURSIVE r AS (
				SELECT 0 AS i, %s
				UNION ALL
				SELECT i + 1, %s FROM r WHERE i + 1 < %s)
			SELECT i / %s AS w, %s FROM r',
			(SELECT string_agg(format('pg_temp.normal() AS x%s', i), ', ' ORDER BY i) FROM generate_series(1, f) AS i),
			(SELECT string_agg(format('%s * x%s + %s * pg_temp.normal()', rho, i, sqrt(1 - rho * rho)), ', ' ORDER BY i) FROM generate_series(1, f) AS i),
			n * q, n, columns);
	ELSE
		EXECUTE format('CREATE TEMP TABLE sim AS
			SELECT d.w, %s FROM (SELECT w, %s FROM generate_series(0, %s) AS w OFFSET 0) AS d,
				generate_series(1, %s) AS i',
			(SELECT string_agg(format('d.d%s + pg_temp.normal() AS x%1$s', i), ', ' ORDER BY i) FROM generate_series(1, f) AS i),
			(SELECT string_agg(CASE WHEN kind = 'wk.3' THEN format('CASE WHEN w %% 7 >= 5 THEN 0.3 ELSE 0.0 END::float8 AS d%s', i)
				ELSE format('%s * pg_temp.normal() AS d%s', day_sd, i) END, ', ' ORDER BY i) FROM generate_series(1, f) AS i),
			q - 1, n);
	END IF;
END
$$;

CREATE TEMP TABLE base (p profile);
CREATE TEMP TABLE parts (w integer, season integer, rows bigint, p profile);

-- The rule, steps 1 to 7, of stored profiles: w is the window, group_of its
-- season (all one without), is_baseline whether it belongs to the baseline.
CREATE FUNCTION pg_temp.judge(q numeric, k integer, seasons integer, with_spread boolean)
RETURNS TABLE (w integer, feature text, measure text, alarm boolean)
LANGUAGE sql AS $$
WITH total AS MATERIALIZED (
	SELECT p.season, attach(merge(p.p), b.p) AS p, sum(p.rows) AS rows
	FROM parts AS p, base AS b WHERE p.w < k GROUP BY p.season, b.p
), one_out AS MATERIALIZED (
	SELECT p.w, p.rows, t.rows - p.rows AS others, d.feature, d.measure, d.effect, d.n_current
	FROM parts AS p JOIN total AS t USING (season), base AS b,
		drift(minus(t.p, attach(p.p, b.p)), attach(p.p, b.p), 0.05) AS d
	WHERE p.w < k AND d.measure IN ('ks', 'spread')
), usual AS MATERIALIZED (
	SELECT feature, measure, array_agg(effect ORDER BY w) AS effects,
		array_agg(sqrt(1.0 / rows + 1.0 / others)::float8 ORDER BY w) AS scales,
		array_agg(rows::float8 ORDER BY w) AS sizes,
		window_autocorrelation(array_agg(effect ORDER BY w)) AS r
	FROM one_out GROUP BY feature, measure
), guard AS MATERIALIZED (
	SELECT seasons = 1 AND avg(r + 1.0 / k) > greatest(0.15, 2 / sqrt(k * count(*))) AS all_of_them
	FROM usual WHERE measure = 'ks'
), found AS MATERIALIZED (
	SELECT p.w, p.rows, t.rows AS n, d.feature, d.measure, d.effect, d.p_value, d.effect_low
	FROM parts AS p JOIN total AS t USING (season), drift(t.p, p.p, 0.05) AS d
	WHERE p.w >= k AND d.measure IN ('ks', 'spread')
), tested AS MATERIALIZED (
	SELECT f.w, f.feature, f.measure, x.depends,
		CASE f.measure WHEN 'ks' THEN greatest(f.p_value, usual_p_value(f.effect,
			sqrt(1.0 / f.rows + 1.0 / f.n), u.effects, u.scales, x.ke))
			ELSE s.p_value END AS p,
		CASE f.measure WHEN 'ks' THEN f.effect_low > 0.05 ELSE s.difference_low > ln(1.1) END AS is_large
	FROM found AS f JOIN usual AS u USING (feature, measure), guard AS g,
		LATERAL (SELECT d AS depends, CASE WHEN d THEN effective_windows(k, c.r)
				ELSE k - (seasons - 1) END AS ke
			FROM (SELECT v.r, seasons = 1 AND (v.r + 1.0 / k > 2 / sqrt(k) OR g.all_of_them) AS d
				FROM usual AS v WHERE v.feature = f.feature AND v.measure = 'ks') AS c) AS x,
		spread_test(f.effect, f.rows, u.effects, u.sizes, x.ke) AS s
), rowed AS (
	SELECT t.w, t.feature, t.measure, t.is_large, CASE WHEN t.depends AND t.measure = 'ks' THEN t.p
		ELSE two_in_a_row(t.p, lag(t.p) OVER (PARTITION BY t.feature, t.measure ORDER BY t.w)) END AS p
	FROM tested AS t WHERE with_spread OR t.measure = 'ks'
), adjusted AS (
	SELECT r.w, array_agg(r.feature ORDER BY r.feature, r.measure) AS f, array_agg(r.measure ORDER BY r.feature, r.measure) AS m,
		array_agg(r.is_large ORDER BY r.feature, r.measure) AS l,
		benjamini_hochberg(array_agg(r.p ORDER BY r.feature, r.measure)) AS p
	FROM rowed AS r GROUP BY r.w
)
SELECT a.w, u.f, u.m, u.p <= q AND u.l
FROM adjusted AS a, unnest(a.f, a.m, a.l, a.p) AS u (f, m, l, p)
$$;

CREATE FUNCTION pg_temp.simulate(kind text, n integer, f integer, k integer, quiet integer)
RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
DECLARE
	seasons integer := CASE kind WHEN 'wk.3' THEN 7 ELSE 1 END;
	columns text := (SELECT string_agg(format('x%s', i), ', ' ORDER BY i) FROM generate_series(1, f) AS i);
	moved text;
	alarms float8;
	spread_alarms float8;
	power jsonb := '{}';
	one float8;
	two float8;
BEGIN
	PERFORM pg_temp.make_rows(kind, n, f, k + quiet);
	TRUNCATE pg_temp.base, pg_temp.parts;
	EXECUTE format('INSERT INTO base SELECT profile(q) AS p FROM (SELECT %s FROM sim WHERE w < %s) AS q', columns, k);
	EXECUTE format('INSERT INTO parts SELECT s.w, s.w %% %s AS season, count(*) AS rows, detach(profile(q, b.p)) AS p
		FROM sim AS s, base AS b, LATERAL (SELECT %s) AS q GROUP BY s.w, b.p', seasons, columns);
	SELECT count(DISTINCT j.w) * 365.0 / quiet INTO alarms FROM pg_temp.judge(2 / 365.0, k, seasons, false) AS j WHERE j.alarm;
	SELECT count(DISTINCT j.w) * 365.0 / quiet INTO spread_alarms FROM pg_temp.judge(2 / 365.0, k, seasons, true) AS j WHERE j.alarm;
	FOREACH moved IN ARRAY ARRAY['x1 + 0.3', 'x1 + 0.5', 'x1 + 1', 'x1 * 1.5'] LOOP
		DELETE FROM pg_temp.parts WHERE w >= k;
		EXECUTE format('INSERT INTO parts SELECT s.w, s.w %% %s, count(*), detach(profile(q, b.p))
			FROM sim AS s, base AS b, LATERAL (SELECT %s AS x1, %s) AS q WHERE s.w >= %s AND s.w < %s GROUP BY s.w, b.p',
			seasons, moved, substr(columns, 5), k, k + least(40, quiet));
		SELECT avg((j.alarm AND j.measure = 'ks')::integer) INTO one FROM pg_temp.judge(2 / 365.0, k, seasons, false) AS j
		WHERE j.feature = 'x1' AND j.w > k;
		SELECT avg(a::integer) INTO two FROM (SELECT bool_or(j.alarm) AS a FROM pg_temp.judge(2 / 365.0, k, seasons, true) AS j
		WHERE j.feature = 'x1' AND j.w > k GROUP BY j.w) AS j;
		power := power || jsonb_build_object(moved, ARRAY[round(one::numeric, 2), round(two::numeric, 2)]);
	END LOOP;
	RETURN NEXT jsonb_build_object('suite', 'alarm_rule', 'name', kind, 'rows', n, 'features', f, 'baseline', k,
		'windows', quiet, 'false_alarms', round(alarms::numeric, 2), 'with_spread', round(spread_alarms::numeric, 2),
		'error', round((sqrt(greatest(alarms * quiet / 365, 1)) * 365 / quiet)::numeric, 2), 'found', power);
END
$$;

SELECT setseed(:seed);
SELECT pg_temp.simulate(kind, :n, :features, :windows, :quiet)
FROM unnest(string_to_array(:'kinds', ' ')) AS kind;
