-- Comparing any two months of a monitor of 60 features (50 numeric, 10 text), 8
-- segments and 365 days from its stored profiles, and what judging a feature
-- costs. Thirty days are profiled; the year repeats them. :rows sets their rows,
-- 240,000 by default, which are 1,000 of each day and segment.

\ir common.psql
\if :{?rows}
\else
\set rows 240000
\endif
SET timezone = 'UTC';
SELECT setseed(0.3);

SELECT format('CREATE TABLE public.logged AS
	SELECT ''2026-01-01''::timestamptz + (n %% 30) * interval ''1 day'' + interval ''1 hour'' AS at,
		''s'' || (n / 30) %% 8 AS segment, %s, %s
	FROM generate_series(1, %s) AS n',
	string_agg(format(CASE WHEN i % 5 = 0 THEN '-ln(1 - random()) AS x%s' ELSE 'random() AS x%s' END, i), ', '),
	(SELECT string_agg(format('''category '' || (random() * random() * %s)::int AS t%s', 2 * j, j), ', ')
		FROM generate_series(1, 10) AS j), :rows)
FROM generate_series(1, 50) AS i \gexec
VACUUM ANALYZE public.logged;
SELECT create_monitor('bench', 'public.logged', 'at', '1 day',
	features => ARRAY(SELECT 'x' || i FROM generate_series(1, 50) AS i) || ARRAY(SELECT 't' || i FROM generate_series(1, 10) AS i),
	segments => '{"segment": "segment"}') AS monitor \gset
SELECT set_baseline('bench', '2026-01-01', '2026-01-04') AS baseline \gset
SELECT count(*) AS windows FROM mlmeta_internal.monitors AS m, monitor_baselines AS b,
	LATERAL mlmeta_internal.store_windows(m, b, '2026-01-01', '2026-01-31', true) AS w \gset
INSERT INTO monitor_windows (monitor, segment, window_start, window_end, baseline, row_count, profile)
SELECT w.monitor, w.segment, w.window_start + i * interval '30 days', w.window_end + i * interval '30 days',
	w.baseline, w.row_count, w.profile
FROM monitor_windows AS w, generate_series(1, 12) AS i
WHERE w.window_start + i * interval '30 days' < '2027-01-01';
VACUUM ANALYZE monitor_windows;
SELECT id AS everything FROM segments WHERE monitor = :monitor AND label = '' \gset

-- Two months, every segment against the next one, so that no distance is zero.
CREATE TABLE public.months AS
SELECT w.segment, dense_rank() OVER (ORDER BY w.segment) AS n,
	attach(merge(w.profile) FILTER (WHERE w.window_start < '2026-02-01'), b.profile) AS a,
	merge(w.profile) FILTER (WHERE w.window_start >= '2026-10-01') AS b
FROM monitor_windows AS w JOIN monitor_baselines AS b ON b.id = w.baseline
WHERE w.segment <> :everything AND (w.window_start < '2026-02-01' OR w.window_start >= '2026-10-01' AND w.window_start < '2026-11-01')
GROUP BY w.segment, b.profile;
VACUUM ANALYZE public.months;

CREATE FUNCTION pg_temp.measure(name text, query text, features bigint, goal float8)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	started bigint;
	wall timestamptz;
	seconds float8[];
	walls float8[];
BEGIN
	FOR round IN 0 .. 5 LOOP
		wall := clock_timestamp();
		started := pg_temp.cpu_ns();
		EXECUTE query;
		IF round > 0 THEN
			seconds := seconds || (pg_temp.cpu_ns() - started) / 1e9;
			walls := walls || extract(epoch FROM clock_timestamp() - wall)::float8;
		END IF;
	END LOOP;
	RETURN (SELECT jsonb_build_object('suite', 'monitoring', 'name', name, 'features', features,
			'seconds', round(percentile_cont(0.5) WITHIN GROUP (ORDER BY s)::numeric, 4),
			'seconds_max', round(max(s)::numeric, 4),
			'us_per_feature', round((1e6 * percentile_cont(0.5) WITHIN GROUP (ORDER BY s) / features)::numeric, 1),
			'wall', round((SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY w) FROM unnest(walls) AS w)::numeric, 4),
			'goal', goal)
		FROM unnest(seconds) AS s);
END
$$;

SELECT pg_temp.measure('compare_windows(), two months, 8 segments', $$
	SELECT count(*) FROM compare_windows('bench', '2026-01-01', '2026-02-01', '2026-10-01', '2026-11-01', NULL)
	WHERE segment_name <> ''$$, 480, 1.0);
SELECT pg_temp.measure('drift(), months', $$
	SELECT count(*) FROM public.months AS x JOIN public.months AS y ON y.n = x.n % 8 + 1, drift(x.a, y.b)$$, 480, 0.1);
SELECT pg_temp.measure('drift(), days', $$
	SELECT count(*) FROM windows AS x JOIN windows AS y ON y.segment = x.segment
		AND y.window_start = x.window_start + interval '3 days', drift(x.profile, y.profile)
	WHERE x.window_start = '2026-01-05' AND x.segment <> ''$$, 480, 0.1);
SELECT pg_temp.measure('mlmeta_internal.judge_window(), a day', $$
	SELECT count(*) FROM mlmeta_internal.monitors AS m, monitor_baselines AS b,
		LATERAL unnest(mlmeta_internal.judge_window(m, b, '2026-01-20', '2026-02-01', '{}'))$$, 540, NULL);
SELECT jsonb_build_object('suite', 'monitoring', 'name', 'bytes a feature, stored window', 'rows', :rows / 240,
	'bytes', round(avg(pg_column_size(profile)) / 60), 'bytes_max', max(pg_column_size(profile)) / 60, 'goal', 400)
FROM monitor_windows WHERE segment <> :everything;

SELECT drop_monitor('bench') AS done \gset
DROP TABLE public.logged, public.months;
