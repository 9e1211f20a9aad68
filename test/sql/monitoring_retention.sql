-- Old windows are rolled up, and older ones removed: nothing that is compared
-- over whole months changes, and checks go on.
SET search_path = public, mlmeta;
SET TIME ZONE 'Europe/Berlin';
SET extra_float_digits = 0;
SET datestyle = 'ISO';
SET client_min_messages = warning;
\set SHOW_CONTEXT never

CREATE TABLE scored AS
SELECT '2026-01-01'::timestamptz + i * interval '30 minutes' AS at, (hashint8extended(i, 1) & 65535) / 65536.0 * (1 + i / 9600.0) AS x,
	(ARRAY['n', 's'])[1 + i % 2] AS town, (hashint8extended(i, 2) & 65535) / 65536.0::float8 AS score,
	(hashint8extended(i, 3) & 65535) < (hashint8extended(i, 2) & 65535) AS label
FROM generate_series(0, 48 * 130) AS i;
SELECT create_monitor('m', 'scored', 'at', '1 day', label => 'label', score => 'score', segments => '{"town": "town"}') > 0 AS created;
SELECT set_baseline('m', '2026-01-01', '2026-01-16') > 0 AS baseline;
SELECT count(DISTINCT window_start) FROM check_monitor('m', '2026-05-01');
CREATE TABLE before AS
SELECT * FROM compare_windows('m', '2026-02-01', '2026-03-01', '2026-03-01', '2026-04-01', NULL);
CREATE TABLE february AS
SELECT segment, sum(row_count) AS n, merge(profile) AS p, merge(quality) AS q, sum(estimated_roc_auc * row_count) / sum(row_count) AS e
FROM windows WHERE window_start >= '2026-02-01' AND window_end <= '2026-03-01' GROUP BY segment;
CREATE TABLE results AS SELECT count(*) AS n FROM drift_history;
CREATE TABLE sizes AS SELECT sum(pg_column_size(profile)) AS bytes FROM windows WHERE window_end <= '2026-04-01';

-- Nothing is done unasked, nor by others than the owner.
SELECT apply_retention('m');
SELECT count(*) FROM windows;
-- A month is rolled up when all of it is so old.
UPDATE monitors SET roll_up_after = '20 days';
SELECT apply_retention('m') AS removed, apply_retention('m') AS again;
SELECT window_start, window_end, segment, merged_windows, row_count FROM windows
WHERE merged_windows > 1 ORDER BY 1, 3;
SELECT count(*) AS others, min(window_start) FROM windows WHERE merged_windows = 1;
-- The same to the bit.
SELECT count(*) AS measures, bool_and(b = a) AS same FROM before AS b
	JOIN compare_windows('m', '2026-02-01', '2026-03-01', '2026-03-01', '2026-04-01', NULL) AS a USING (segment_name, feature, measure);
SELECT bool_and(w.row_count = f.n AND w.profile = f.p AND w.quality = f.q AND abs(w.estimated_roc_auc - f.e) < 1e-12) AS same
FROM windows AS w JOIN february AS f ON f.segment = w.segment WHERE w.window_start = '2026-02-01';
SELECT r.n = (SELECT count(*) FROM drift_history) AS results_stay FROM results AS r;
SELECT sum(pg_column_size(profile)) < bytes / 8 AS smaller FROM windows, sizes WHERE merged_windows > 1 GROUP BY bytes;
-- A row of a view is of one window.
SELECT count(*) AS rows, count(DISTINCT (window_start, segment)) AS windows FROM quality_history;

-- What was rolled up is not read again; the rest is, and new windows come.
INSERT INTO scored SELECT '2026-02-10', 1e9 FROM generate_series(1, 50);
INSERT INTO scored SELECT '2026-04-10 12:00', 1e9 FROM generate_series(1, 50);
SELECT string_agg(DISTINCT window_start::date::text, ' ') AS days FROM check_monitor('m', '2026-05-03', since => '2026-01-01');

-- What trailing baselines need is left.
SELECT set_baseline('m', '2026-01-01', '2026-01-16', trailing_windows => 3) > 0 AS baseline;
UPDATE monitors SET roll_up_after = '1 day', roll_up_to = '7 days';
SELECT mlmeta_internal.roll_up_windows(m) AS merged FROM mlmeta_internal.monitors AS m;
SELECT min(window_start) FROM windows WHERE merged_windows = 1;
-- Older ones go, as do their results.
UPDATE monitors SET keep = '45 days';
SELECT apply_retention('m') AS removed;
SELECT min(window_start), max(window_end) FROM windows;
SELECT min(window_start) >= '2026-03-01' AS results_too FROM drift_history;

-- Clocks are put forward and back: days have 23 and 25 hours, hours 60 minutes,
-- each row is in one window.
CREATE TABLE clock AS SELECT at, at AT TIME ZONE 'Europe/Berlin' AS local, i % 50 AS x
FROM generate_series(0, 60 * 24 * 9 - 1) AS i, LATERAL (VALUES ('2026-03-23'::timestamptz + i * interval '1 minute'), ('2026-10-19'::timestamptz + i * interval '1 minute')) AS t (at);
SELECT create_monitor(format('%s of %s', every, time), 'clock', time, every, features => '{x}') > 0 AS created
FROM unnest('{at,local}'::text[]) AS c (time), unnest('{1 hour,1 day}'::interval[]) AS g (every);
SELECT count(set_baseline(name, '2026-03-23', '2026-03-28')) AS baselines FROM monitors WHERE name ~ ' of ';
SELECT m.name, count(*) FILTER (WHERE measure = 'row_count') AS windows, count(*) FILTER (WHERE measure = 'check') AS failed
FROM monitors AS m, check_monitor(m.name, '2026-03-31') AS r WHERE name ~ ' of ' GROUP BY 1 ORDER BY 1;
SELECT m.name, sum(row_count) AS rows, string_agg(DISTINCT (window_end - window_start)::text, ', ') AS lengths,
	count(*) FILTER (WHERE row_count <> extract(epoch FROM window_end - window_start) / 60) AS wrong
FROM windows AS w JOIN monitors AS m ON m.name = w.monitor WHERE name ~ ' of ' GROUP BY 1 ORDER BY 1;
UPDATE monitor_baselines SET period_end = '2026-10-24' WHERE monitor IN (SELECT id FROM monitors WHERE name ~ ' of ');
DELETE FROM mlmeta.monitor_windows WHERE monitor IN (SELECT id FROM monitors WHERE name ~ ' of ');
SELECT m.name, count(*) FILTER (WHERE measure = 'row_count') AS windows, count(*) FILTER (WHERE measure = 'check') AS failed
FROM monitors AS m, check_monitor(m.name, '2026-10-27') AS r WHERE name ~ ' of ' GROUP BY 1 ORDER BY 1;
-- Local times that come twice are those of the second hour.
SELECT m.name, sum(row_count) AS rows, string_agg(DISTINCT (window_end - window_start)::text, ', ') AS lengths,
	count(*) FILTER (WHERE row_count <> extract(epoch FROM window_end - window_start) / 60) AS wrong
FROM windows AS w JOIN monitors AS m ON m.name = w.monitor WHERE name ~ ' of ' GROUP BY 1 ORDER BY 1;
SELECT drop_monitor(name) FROM monitors WHERE name ~ ' of ' ORDER BY name;

SELECT drop_monitor('m');
DROP TABLE clock, scored, before, february, results, sizes;
