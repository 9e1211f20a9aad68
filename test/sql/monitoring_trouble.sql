-- What goes wrong with a source, one thing after the other: a clear status and an
-- alert, nothing half written, the other monitor goes on, and the next good check
-- makes up for what was missed and resolves.
SET search_path = public, mlmeta;
SET TIME ZONE 'UTC';
SET extra_float_digits = 0;
SET datestyle = 'ISO';
SET client_min_messages = warning;
\set SHOW_CONTEXT never

CREATE TABLE rides (id bigint, at timestamptz, x float8, y float8, town text, score float8, label boolean);
INSERT INTO rides
SELECT i, '2026-01-01'::timestamptz + i * interval '15 minutes', (hashint8extended(i, 1) & 65535) / 65536.0,
	(hashint8extended(i, 2) & 65535) / 65536.0, (ARRAY['n', 's'])[1 + i % 2],
	(hashint8extended(i, 3) & 65535) / 65536.0, (hashint8extended(i, 4) & 65535) < (hashint8extended(i, 3) & 65535)
FROM generate_series(0, 96 * 40 - 1) AS i;
CREATE VIEW seen AS SELECT id, at, x, y, 1 / (id + 1) AS inverse, town, score, label FROM rides;
SELECT create_monitor('good', 'rides', 'at', '1 day', features => '{x,y}') > 0 AS good,
	create_monitor('sick', 'seen', 'at', '1 day', features => '{x,y,inverse}', label => 'label', score => 'score',
		segments => '{"town": "town", "half": "y < 0.5"}') > 0 AS sick;
SELECT set_baseline('good', '2026-01-01', '2026-01-11') > 0 AS good, set_baseline('sick', '2026-01-01', '2026-01-11') > 0 AS sick;
-- Both are checked a day further; what is said about the sick one.
CREATE FUNCTION next_day() RETURNS TABLE (monitor text, day date, segment text, feature text, measure text, verdict text, reason text)
LANGUAGE plpgsql AS $$
DECLARE
	until timestamptz := (SELECT coalesce(max(w.window_end), '2026-01-11') + interval '1 day' FROM windows AS w
		JOIN monitors AS m ON m.name = w.monitor WHERE m.name = 'good');
BEGIN
	RETURN QUERY SELECT r.monitor, r.window_start::date, r.segment, r.feature, r.measure, r.verdict, r.reason
		FROM check_monitor('sick', until) AS r
		WHERE r.measure IN ('check', 'future_rows', 'freshness') OR r.verdict IN ('drift') OR r.verdict = 'no data' AND r.is_primary AND r.segment = '';
	RETURN QUERY SELECT r.monitor, r.window_start::date, ''::text, ''::text, ''::text, min(r.verdict), count(*)::text FROM check_monitor('good', until) AS r
		WHERE r.is_primary GROUP BY 1, 2;
END $$;
CREATE VIEW sick_alerts AS SELECT a.segment, a.feature, a.measure, a.state, a.severity FROM alerts AS a JOIN monitors AS m ON m.id = a.monitor
WHERE m.name = 'sick' ORDER BY a.id;
CREATE VIEW sick_windows AS SELECT w.window_start::date AS day, string_agg(w.segment, ', ' ORDER BY w.segment) AS segments
FROM windows AS w JOIN monitors AS m ON m.name = w.monitor WHERE m.name = 'sick' GROUP BY 1 ORDER BY 1 DESC LIMIT 3;
SELECT * FROM next_day();

-- A segment's expression fails: that segment alone, and twice.
UPDATE monitor_segments SET expression = '(1 / (s.id - s.id))::text' WHERE name = 'half';
SELECT * FROM next_day();
SELECT * FROM next_day();
SELECT * FROM sick_alerts;
SELECT * FROM sick_windows;
SELECT status, sqlstate, message FROM monitor_checks AS c JOIN monitors AS m ON m.id = c.monitor WHERE m.name = 'sick' ORDER BY c.id DESC LIMIT 1;
UPDATE monitor_segments SET expression = '((s.y < 0.5))::text' WHERE name = 'half';
SELECT * FROM next_day();
SELECT * FROM sick_alerts;
SELECT * FROM sick_windows;

-- A column of the view fails in some rows: that feature alone.
CREATE OR REPLACE VIEW seen AS SELECT id, at, x, y, CASE WHEN at < '2026-01-15' THEN 1 ELSE 1 / (id - id)::int END::bigint AS inverse, town, score, label FROM rides;
SELECT * FROM next_day();
CREATE OR REPLACE VIEW seen AS SELECT id, at, x, y, 1 / (id + 1) AS inverse, town, score, label FROM rides;
SELECT * FROM next_day();
SELECT * FROM sick_alerts;

-- The label becomes a text: quality alone.
DROP VIEW seen;
CREATE VIEW seen AS SELECT id, at, x, y, 1 / (id + 1) AS inverse, town, score, CASE WHEN label THEN 'yes' ELSE 'no' END AS label FROM rides;
SELECT * FROM next_day();
-- A feature is renamed, another comes: rows with a status.
DROP VIEW seen;
CREATE VIEW seen AS SELECT id, at, x, y AS why, 1 / (id + 1) AS inverse, town, score, label FROM rides;
SELECT * FROM next_day();
-- The time column gets another type, or name.
DROP VIEW seen;
CREATE VIEW seen AS SELECT id, at::text AS at, x, y, 1 / (id + 1) AS inverse, town, score, label FROM rides;
SELECT * FROM next_day();
DROP VIEW seen;
CREATE VIEW seen AS SELECT id, at AS time, x, y, 1 / (id + 1) AS inverse, town, score, label FROM rides;
SELECT * FROM next_day();
-- The source is gone.
DROP VIEW seen;
SELECT * FROM next_day();
SELECT * FROM sick_windows;
-- All is well again: every window that was missed is there.
CREATE VIEW seen AS SELECT id, at, x, y, 1 / (id + 1) AS inverse, town, score, label FROM rides;
SELECT * FROM next_day();
SELECT count(DISTINCT day) AS days, bool_and(segments = ', half=false, half=true, town=n, town=s') AS whole
FROM (SELECT w.window_start::date AS day, string_agg(w.segment, ', ' ORDER BY w.segment) AS segments
	FROM windows AS w JOIN monitors AS m ON m.name = w.monitor WHERE m.name = 'sick' GROUP BY 1) AS d;
SELECT * FROM sick_alerts WHERE state <> 'resolved';

-- A clock that is ahead.
INSERT INTO rides (id, at, x, y, town) VALUES (-2, now() + interval '1 year', 0.5, 0.5, 'n');
SELECT day, feature, measure, verdict, reason ~ '^1 rows are in the future' AS says_so FROM next_day() WHERE monitor = 'sick';
SELECT * FROM sick_alerts WHERE state <> 'resolved';
DELETE FROM rides WHERE id = -2;
SELECT * FROM next_day();
SELECT * FROM sick_alerts WHERE state <> 'resolved';

-- No rows arrive, and no window ends: the clock is watched at each check.
UPDATE monitors SET freshness = '6 hours' WHERE name = 'good';
CREATE VIEW good_clock AS SELECT a.measure, a.state FROM alerts AS a JOIN monitors AS m ON m.id = a.monitor WHERE m.name = 'good' ORDER BY a.id;
SELECT max(at) AS newest FROM rides;
SELECT count(*) FROM check_monitor('good', '2026-02-10 05:00');
SELECT window_start, measure, round(statistic / 3600) AS hours, verdict, reason FROM check_monitor('good', '2026-02-10 05:00');
SELECT * FROM good_clock;
SELECT window_start, measure, round(statistic / 3600) AS hours, verdict, reason FROM check_monitor('good', '2026-02-10 06:00');
SELECT * FROM good_clock;
SELECT monitor FROM due_monitors('2026-02-10 07:00');
INSERT INTO rides (id, at, x, y, town) VALUES (-3, '2026-02-10 06:30', 0.5, 0.5, 'n');
SELECT window_start, measure, verdict FROM check_monitor('good', '2026-02-10 07:00');
SELECT * FROM good_clock;

-- Monitors without a baseline, or of no name, say so.
SELECT create_monitor('bare', 'rides', 'at', '1 day') > 0 AS bare;
SELECT check_monitor('bare');
SELECT check_monitor(NULL);
SELECT check_monitor('no such');
SELECT check_monitor('good', NULL);
SELECT check_monitor('good', 'infinity');
SELECT report(NULL);
SELECT explain_alert(NULL);
SELECT acknowledge_alert(NULL);
SELECT snooze_alert(NULL, NULL);
SELECT resolve_alert(NULL);
SELECT assign_alert(NULL, NULL);
SELECT set_rule(NULL);
SELECT set_rule('good', NULL);
SELECT set_rule('good', 'no_such', tolerance => 0.1);
SELECT set_rule('good', measure => 'psi', tolerance => 0.1);
SELECT set_rule('good', severity => 'loud');
SELECT set_rule('good', tolerance => -1);
SELECT set_baseline('good', NULL);
SELECT set_baseline('good', NULL, NULL);
SELECT set_segments('good', NULL);
SELECT set_segments('good', '{"a": null}');
SELECT set_segments('good', '{"a, b": "town"}');
SELECT compare_windows(NULL, NULL, NULL, NULL, NULL);
SELECT preview_monitor(NULL);
SELECT apply_retention(NULL);
SELECT schedule_monitor(NULL, '* * * * *');
SELECT drop_monitor(NULL);
SELECT worst_segments(NULL, NULL, NULL);
SELECT create_monitor(NULL, 'rides', 'at', '1 day');
SELECT create_monitor('m', NULL, 'at', '1 day');
SELECT create_monitor('m', 'rides', NULL, '1 day');
SELECT create_monitor('m', 'rides', 'at', NULL);
SELECT create_monitor('m', 'rides', 'at', '-1 day');
SELECT create_monitor('m', 'rides', 'town', '1 day');
SELECT create_monitor('m', 'rides', 'at', '1 day', time_zone => 'Mars/Phobos');
SELECT create_monitor('m', 'rides', 'at', '1 day', time_zone => NULL);
SELECT create_monitor('m', 'rides', 'at', '1 day', features => '{x,x}');
SELECT create_monitor('m', 'rides', 'at', '1 day', tolerance => 'NaN');
SELECT create_monitor('m', 'rides', 'at', '1 day', label => 'label');
SELECT create_monitor('m', 'rides', 'at', '1 day', look_back => '-1 day');
SELECT create_monitor('m', 'rides', 'at', '1 day', freshness => '-1 day');
SELECT create_monitor('m', 'rides', 'at', '1 day', threshold => NULL);
SELECT create_monitor('good', 'rides', 'at', '1 day');
SELECT create_monitor('m', 'no_such_table', 'at', '1 day');
SELECT create_monitor('m', 'SELECT 1; SELECT 2', 'at', '1 day');
SELECT name FROM monitors ORDER BY name;

SELECT drop_monitor(name) FROM monitors ORDER BY name;
DROP VIEW seen, sick_alerts, sick_windows, good_clock;
DROP TABLE rides;
DROP FUNCTION next_day;
