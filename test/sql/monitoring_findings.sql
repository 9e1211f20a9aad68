-- What monitors got wrong once, in data of this file's own: each is found, or
-- left in peace, for the reason that it should be.
SET search_path = public, mlmeta;
SET TIME ZONE 'UTC';
SET datestyle = 'ISO';
SET extra_float_digits = 0;
SET client_min_messages = warning;
\set VERBOSITY terse
\set SHOW_CONTEXT never

CREATE FUNCTION u(i bigint, coin bigint) RETURNS float8 LANGUAGE sql
RETURN (hashint8extended(i, coin) & 1048575) / 1048576.0;
-- 40 days of 288 rows, from a Thursday on; weekends are busier and higher.
CREATE TABLE log AS
SELECT i AS id, '2026-01-01'::timestamptz + i * interval '5 minutes' AS at, '2026-01-01'::timestamptz + i * interval '5 minutes' + interval '1 second' AS written_at,
	u(i, 1) AS x, u(i, 2) + CASE WHEN (3 + i / 288) % 7 IN (5, 6) THEN 0.3 ELSE 0 END AS weekly,
	'c' || (5 * u(i, 3))::int AS c, (4 * u(i, 4))::int AS code, ARRAY[u(i, 5), u(i, 6)] AS pair,
	u(i, 7) AS score, u(i, 8) < u(i, 7) AS label, 10 * u(i, 9) AS amount,
	CASE WHEN u(i, 10) < 0.5 THEN 'cat' WHEN u(i, 10) < 0.8 THEN 'dog' ELSE 'bird' END AS animal,
	'cat'::text AS guess, i % 2 AS half, point(0, 0) AS place
FROM generate_series(0, 40 * 288 - 1) AS i;
UPDATE log SET guess = CASE WHEN u(id, 11) < 0.9 THEN animal ELSE 'dog' END;
CREATE VIEW told AS
SELECT monitor, window_start::date AS day, segment, feature, measure, verdict, status, value
FROM drift_history WHERE is_primary AND verdict IN ('drift', 'no data', 'undecided');

-- What is watched, and what is not --------------------------------------------------

SET client_min_messages = notice;
SELECT create_monitor('all', 'log', 'at', '1 day', keys => '{id}', label => 'label', score => 'score', categorical => '{code}') > 0 AS made;
SET client_min_messages = warning;
SELECT set_baseline('all', '2026-01-01', '2026-01-29') > 0 AS baseline;
SELECT feature, kind FROM monitor_features WHERE monitor = 'all' ORDER BY position, feature;
SELECT count(*) > 0 AS checked FROM check_monitor('all', '2026-02-01');
SELECT * FROM told ORDER BY day, feature, measure;
SELECT feature, verdict FROM feature_health WHERE monitor = 'all' ORDER BY position, feature;
SELECT baseline_windows, round(windows_a_year) AS windows, round(q::numeric, 4) AS q, is_dependent FROM monitor_promises;

-- A value takes over, in numbers and categories ----------------------------------------

UPDATE log SET x = 0.5 WHERE at >= '2026-02-01' AND at < '2026-02-02' AND id % 5 = 0;
UPDATE log SET c = 'new' WHERE at >= '2026-02-02' AND at < '2026-02-03' AND id % 5 = 0;
UPDATE log SET code = 4 WHERE at >= '2026-02-03' AND at < '2026-02-04' AND id % 2 = 0;
-- Spread
UPDATE log SET x = 0.5 + (x - 0.5) * 1.8 WHERE at >= '2026-02-04' AND at < '2026-02-05';
-- Elements of an array that change places leave its length and norm alone.
UPDATE log SET pair = ARRAY[pair[1] + 1, pair[2]] WHERE at >= '2026-02-05' AND at < '2026-02-06';
-- What is none of what it should be
UPDATE log SET score = CASE id % 3 WHEN 0 THEN 'NaN'::float8 WHEN 1 THEN 'Infinity'::float8 ELSE 2 END WHERE at >= '2026-02-06' AND at < '2026-02-06 02:00';
SELECT count(*) > 0 AS checked FROM check_monitor('all', '2026-02-07');
SELECT day, feature, measure, verdict, status, value FROM told WHERE day >= '2026-02-01' ORDER BY day, feature, measure;
SELECT invalid, row_count FROM windows WHERE monitor = 'all' AND segment = '' AND window_start = '2026-02-06';

-- Columns that go, come, are renamed or of another type ---------------------------------

ALTER TABLE log RENAME amount TO price;
ALTER TABLE log ALTER code TYPE text;
ALTER TABLE log ADD fresh int DEFAULT 1;
SELECT count(*) > 0 AS checked FROM check_monitor('all', '2026-02-08');
SELECT feature, measure, verdict, status, value FROM told WHERE day = '2026-02-07' ORDER BY feature, measure;
SELECT feature, measure, state FROM alert_open WHERE monitor = 'all' AND measure = 'schema' ORDER BY feature;
-- what was judged before stays
SELECT count(*) > 5 AS stays FROM drift_history WHERE monitor = 'all' AND feature = 'amount' AND measure = 'ks';
SELECT rename_feature('all', 'amount', 'price');
SELECT count(*) > 0 AS checked FROM check_monitor('all', '2026-02-09');
SELECT measure, verdict FROM drift_history WHERE monitor = 'all' AND feature = 'amount' AND measure IN ('ks', 'schema') AND window_start = '2026-02-08';
SELECT feature, "column" FROM monitor_features WHERE feature = 'amount';
ALTER TABLE log RENAME price TO amount;
SELECT drop_monitor('all');

-- Seasons -------------------------------------------------------------------------------

SELECT create_monitor(n, 'log', 'at', '1 day', features => '{weekly}') > 0 AS made FROM unnest('{flat,weekdays}'::text[]) AS n;
SELECT set_baseline('flat', '2026-01-01', '2026-01-29') > 0 AS flat,
	set_baseline('weekdays', '2026-01-01', '2026-01-29', season => 'day_of_week') > 0 AS weekdays;
UPDATE log SET weekly = weekly + 0.25 WHERE at >= '2026-02-04' AND at < '2026-02-05';
SELECT count(*) > 0 AS checked FROM monitors AS m, check_monitor(m.name, '2026-02-09');
SELECT DISTINCT monitor, day FROM told WHERE measure = 'ks' AND feature = 'weekly' ORDER BY 1, 2;
SELECT set_baseline('flat', '2026-01-01', '2026-01-29', season => 'moon');
SELECT set_baseline('flat', '2026-01-01', '2026-01-29', season => 'hour_of_day');
SELECT set_baseline('flat', '2026-01-01', '2026-01-29', season_expression => 'date_part(''dow'', window_start) IN (0, 6)') > 0 AS weekends;
SELECT drop_monitor(name) FROM monitors ORDER BY name;

-- Classes of any type, with probabilities -------------------------------------------------

ALTER TABLE log ADD p float8[];
UPDATE log SET p = CASE guess WHEN 'bird' THEN ARRAY[0.9, 0.05, 0.05] WHEN 'cat' THEN ARRAY[0.05, 0.9, 0.05] ELSE ARRAY[0.1, 0.2, 0.7] END;
SELECT create_monitor('animals', 'log', 'at', '1 day', features => '{x}', label => 'animal', prediction => 'guess', probabilities => 'p') > 0 AS made;
SELECT set_baseline('animals', '2026-01-01', '2026-01-29') > 0 AS baseline;
UPDATE log SET guess = 'bird' WHERE at >= '2026-02-05' AND id % 2 = 0;
SELECT count(*) > 0 AS checked FROM check_monitor('animals', '2026-02-07');
SELECT day, feature, measure, verdict FROM told WHERE measure NOT IN ('takeover', 'chi2', 'spread', 'ks') ORDER BY day, feature, measure;
SELECT round(accuracy::numeric, 1) AS accuracy FROM quality_history WHERE monitor = 'animals' AND window_start IN ('2026-02-01', '2026-02-05') ORDER BY window_start;
SELECT drop_monitor('animals');

-- Measures of one's own ----------------------------------------------------------------

SELECT create_monitor('own', 'log', 'at', '1 day', features => '{x}', segments => '{"half": "half"}') > 0 AS made;
SELECT add_measure('own', 'revenue', 'sum(amount)', direction => 'below');
SELECT add_measure('own', 'most', 'max(s.amount)', by => 'bounds', high => 20);
SELECT add_measure('own', 'slow', 'count(*) + pg_sleep(1)::text::int');
SELECT add_measure('own', 'words', 'min(c)');
SELECT add_measure('own', 'rows', 'generate_series(1, 2)');
SELECT add_measure('own', 'ks', 'count(*)');
SELECT add_measure('own', 'two', 'count(*)), (SELECT 1');
SELECT add_measure('own', 'nothing', 'count(*)', by => 'bounds');
SELECT measure FROM (SELECT m.name AS measure FROM measures AS m WHERE m.monitor = 'own' ORDER BY 1) AS m;
SELECT set_baseline('own', '2026-01-01', '2026-01-29') > 0 AS baseline;
UPDATE log SET amount = amount / 3 WHERE at >= '2026-02-02' AND at < '2026-02-03';
UPDATE log SET amount = 21 WHERE at = '2026-02-03';
SELECT count(*) > 0 AS checked FROM check_monitor('own', '2026-02-05', since => '2026-02-02');
SELECT day, segment, measure, verdict FROM told WHERE feature NOT IN ('x') ORDER BY day, segment, measure;
SELECT drop_measure('own', 'most');
SELECT drop_measure('own', 'most');

-- Tolerances are of a measure, and in its unit ---------------------------------------------

SELECT set_rule('own', '*', 'ks', tolerance => 0.1);
SELECT set_rule('own', 'x', tolerance => 10);
SELECT set_rule('own', measure => 'row_count', tolerance => 2);
SELECT (mlmeta_internal.rule_of(m.id, '', 'row_count', '', 'share')).tolerance IS NULL AS rows_are_left FROM mlmeta_internal.monitors AS m;
SELECT alter_monitor('own', '{"tolerance": 5}');
SELECT alter_monitor('own', '{"tolerence": 0.5}');
SELECT alter_monitor('own', '{"name": "mine", "false_alarms": 4, "keep": "1 year"}');
SELECT name, false_alarms, keep FROM monitors;
SELECT drop_monitor('mine');

-- One segment is the reference of the others, window by window ------------------------------

SELECT create_monitor('ab', 'log', 'at', '1 day', features => '{x}', segments => '{"half": "half"}') > 0 AS made;
SELECT alter_monitor('ab', '{"reference_segment": "half=0"}');
SELECT set_baseline('ab', '2026-01-01', '2026-01-29') > 0 AS baseline;
UPDATE log SET x = x + 0.5 WHERE at >= '2026-02-07' AND at < '2026-02-08';
UPDATE log SET x = x + 0.5 WHERE at >= '2026-02-08' AND at < '2026-02-09' AND half = 1;
SELECT count(*) > 0 AS checked FROM check_monitor('ab', '2026-02-09', since => '2026-02-07');
SELECT day, segment, feature, measure FROM told WHERE day >= '2026-02-07' AND measure = 'ks' ORDER BY 1, 2;
SELECT drop_monitor('ab');

-- What was judged stays: rows go, rows come late ---------------------------------------------

SELECT create_monitor('kept', 'log', 'at', '1 day', features => '{weekly}', look_back => '10 days') > 0 AS made;
SELECT set_baseline('kept', '2026-01-01', '2026-01-29') > 0 AS baseline;
SELECT count(*) > 0 AS checked FROM check_monitor('kept', '2026-02-07');
CREATE TABLE judged AS SELECT window_start, feature, measure, verdict FROM drift_history WHERE monitor = 'kept' AND is_primary;
DELETE FROM log WHERE at < '2026-02-05';
SELECT count(*) > 0 AS checked FROM check_monitor('kept', '2026-02-08');
SELECT count(*) AS taken_back FROM judged AS j LEFT JOIN drift_history AS h USING (window_start, feature, measure) WHERE h.verdict IS DISTINCT FROM j.verdict;
SELECT count(DISTINCT window_start) AS windows_with_rows_gone FROM drift_history WHERE measure = 'rows_gone';
DROP TABLE judged;
SELECT drop_monitor('kept');

-- Nobody compares the name of a measure but the table of measures -----------------------------

SELECT p.oid::regprocedure, a.measure
FROM pg_proc AS p, mlmeta_internal.all_measures AS a
WHERE p.pronamespace IN ('mlmeta'::regnamespace, 'mlmeta_internal'::regnamespace)
	AND p.prolang <> (SELECT oid FROM pg_language WHERE lanname = 'c')
	AND p.prokind IN ('f', 'p') AND a.measure <> ALL (ARRAY[a.family, a.law, 'invalid'])
	AND p.proname <> 'training_record'
	AND pg_get_functiondef(p.oid) ~ ('''' || a.measure || '''');

DROP VIEW told;
DROP TABLE log;
DROP FUNCTION u;
