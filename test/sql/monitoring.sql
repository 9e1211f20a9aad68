-- Monitors: segments, late rows and labels, trouble with the source, rules,
-- baselines that move. The rows are hashes of their numbers: random for every
-- purpose here, and the same each time.
SET search_path = public, mlmeta;
SET TIME ZONE 'UTC';
SET extra_float_digits = 0;
SET datestyle = 'ISO';
SET client_min_messages = warning;
\set SHOW_CONTEXT never

CREATE FUNCTION toss(i bigint, coin bigint) RETURNS float8 LANGUAGE sql
RETURN (hashint8extended(i, coin) & 2147483647) / 2147483648.0;

CREATE TABLE scored (
	id bigint PRIMARY KEY, at timestamptz, x float8, plan text, region text,
	amount int, score float8, label boolean);
CREATE TABLE areas (region text, area text);
INSERT INTO areas VALUES ('n', 'cold'), ('s', 'warm'), ('e', 'warm');
-- 400 rows a day, 2026-01-01 to 2026-01-20
INSERT INTO scored
SELECT i, '2026-01-01'::timestamptz + i * interval '216 seconds',
	toss(i, 1), (ARRAY['free', 'pro'])[1 + (toss(i, 4) > 0.7)::int],
	(ARRAY['n', 's', 'e'])[1 + i % 3], (100 * toss(i, 5))::int,
	toss(i, 2), toss(i, 3) < toss(i, 2)
FROM generate_series(0, 20 * 400 - 1) AS i;

SELECT create_monitor('scored', 'scored', 'at', '1 day', label => 'label',
	score => 'score', keys => '{id}',
	segments => '{"region": "region", "area": "(SELECT a.area FROM areas a WHERE a.region = s.region)", "rich": "CASE WHEN amount > 50 THEN ''yes'' END"}',
	segment_sets => ARRAY['region', 'area', 'area, rich']) > 0 AS created;
SELECT features, all_features, segment_sets FROM monitors;
SELECT name, expression FROM monitor_segments ORDER BY position;
SELECT set_baseline('scored', '2026-01-01', '2026-01-11') > 0 AS baseline;
SELECT g.label AS segment, s.row_count, s.windows
FROM monitor_baseline_segments AS s JOIN segments AS g ON g.id = s.segment ORDER BY g.label;

-- Quiet days, each segment once, and the parts add up.
SELECT verdict, count(*) FROM check_monitor('scored', '2026-01-13') WHERE is_primary GROUP BY verdict ORDER BY verdict;
SELECT segment, count(*), sum(row_count) AS rows FROM windows GROUP BY segment ORDER BY segment;
SELECT bool_and(w.profile = r.profile AND w.quality = r.quality) AS rolls_up
FROM windows AS w JOIN LATERAL (
	SELECT merge(x.profile) AS profile, merge(x.quality) AS quality FROM windows AS x
	WHERE x.monitor = w.monitor AND x.window_start = w.window_start AND x.segment LIKE 'region%') AS r ON true
WHERE w.segment = '';
-- The same numbers as from the rows.
SELECT bool_and(w.profile = detach(p.profile)) AS same_as_rows
FROM windows AS w
	JOIN monitor_baselines AS b ON b.id = w.baseline,
	LATERAL (SELECT profile(f, b.profile) FROM scored AS s,
		LATERAL (SELECT s.x, s.plan, s.region, s.amount, s.score) AS f
		WHERE s.at >= w.window_start AND s.at < w.window_end
			AND 'region=' || s.region = w.segment) AS p
WHERE w.segment LIKE 'region%';

-- One region drifts on the 13th: it is found there, and hardly in all.
UPDATE scored SET x = x * 0.5 WHERE region = 's' AND at >= '2026-01-13' AND at < '2026-01-14';
SELECT segment, feature, measure, round(statistic::numeric, 2) AS statistic, verdict
FROM check_monitor('scored', '2026-01-14') WHERE is_primary AND verdict = 'drift' ORDER BY segment, feature;
SELECT e ->> 'segment' AS segment, e ->> 'feature' AS feature,
	jsonb_path_query_array(e, '$.segments[0 to 1].segment') AS worst,
	(SELECT count(*) FROM jsonb_array_elements(e -> 'moved') AS p WHERE (p ->> 'change')::float8 > 0) AS bins_that_grew
FROM alerts AS a, explain_alert(a.id) AS e ORDER BY 1, 2;
-- The query that it gives returns the rows in the bins that grew.
SELECT e ->> 'rows' AS query FROM alerts AS a, explain_alert(a.id) AS e WHERE a.segment = 'region=s' LIMIT 1 \gset
SELECT count(*) > 30 AS some, max(q.x) < 0.51 AS all_below, count(*) = count(*) FILTER (WHERE s.region = 's') AS of_the_segment FROM (:query) AS q JOIN scored AS s USING (id);

-- Late rows: within the look-back, once; and idempotent.
UPDATE monitors SET look_back = '3 days';
DELETE FROM scored WHERE at >= '2026-01-12' AND at < '2026-01-12 12:00' AND region = 'n';
SELECT count(DISTINCT window_start) AS changed, min(window_start)::date AS day FROM check_monitor('scored', '2026-01-14');
SELECT count(*) AS again FROM check_monitor('scored', '2026-01-14');
SELECT row_count FROM windows WHERE window_start = '2026-01-12' AND segment = 'region=n';
-- A segment that vanished is a window without rows; a new one says so.
UPDATE scored SET region = 'w' WHERE region = 'e' AND at >= '2026-01-14' AND at < '2026-01-15';
SELECT segment, measure, verdict, reason FROM check_monitor('scored', '2026-01-15')
WHERE segment ~ '^region=[ew]' AND is_primary AND measure IN ('row_count', 'segment') ORDER BY 1, 2;

-- Rules: more tolerance for one feature, silence for one segment.
SELECT set_rule('scored', 'x', tolerance => 0.9), set_rule('scored', segment => 'region=s', is_muted => true);
SELECT (mlmeta_internal.rule_of(m.id, 'x', 'ks', 'region=s', 'distance')).*, (mlmeta_internal.rule_of(m.id, 'y', 'ks', '', 'distance')).* FROM monitors AS m;
UPDATE scored SET x = x * 0.5 WHERE region = 'n' AND at >= '2026-01-15' AND at < '2026-01-16';
SELECT segment, feature, tolerance, verdict FROM check_monitor('scored', '2026-01-16')
WHERE feature = 'x' AND measure = 'ks' AND segment = 'region=n' AND window_start = '2026-01-15';

-- A column that vanishes, and one that comes. Segments that read it fail; the
-- others go on.
ALTER TABLE scored DROP COLUMN amount CASCADE;
SELECT window_start::date AS day, segment, feature, verdict, reason FROM check_monitor('scored', '2026-01-17') WHERE measure = 'check' ORDER BY 1, 2;
SELECT segment, row_count FROM windows WHERE window_start = '2026-01-16' ORDER BY 1;
SELECT set_segments('scored', '{"region": "region"}');
ALTER TABLE scored ADD COLUMN fresh int;
UPDATE scored SET fresh = id % 7;
SELECT feature, measure, verdict, reason FROM check_monitor('scored', '2026-01-17', since => '2026-01-16')
WHERE segment = '' AND feature IN ('amount', 'fresh') AND window_start = '2026-01-16' AND is_primary ORDER BY 1, 2;
SELECT segment, feature, measure, state FROM alerts WHERE measure = 'check' ORDER BY id;

-- Trouble with the source is a result and an alert; nothing is half written.
CREATE VIEW source_state AS SELECT (SELECT count(*) FROM windows) AS windows,
	(SELECT count(*) FROM drift_history WHERE measure <> 'check') AS results;
CREATE TABLE before AS SELECT * FROM source_state;
ALTER TABLE scored RENAME COLUMN at TO happened_at;
SELECT verdict, reason FROM check_monitor('scored', '2026-01-18');
ALTER TABLE scored RENAME COLUMN happened_at TO at;
ALTER TABLE scored RENAME TO hidden;
SELECT verdict, reason FROM check_monitor('scored', '2026-01-18');
ALTER TABLE hidden RENAME TO scored;
SELECT s.* = b.* AS nothing_written FROM source_state AS s, before AS b;
SELECT segment, state, windows, reason FROM alerts WHERE measure = 'check' ORDER BY id;
SELECT status, sqlstate FROM monitor_checks ORDER BY id DESC LIMIT 3;
SELECT count(DISTINCT window_start) AS windows FROM check_monitor('scored', '2026-01-18');
SELECT state FROM alerts WHERE measure = 'check' ORDER BY id DESC LIMIT 1;

-- Rows in the future, and a source that has gone stale.
INSERT INTO scored (id, at, x, region) VALUES (-1, '2999-01-01', 0.5, 's'), (-2, 'infinity', 0.5, 's');
UPDATE monitors SET freshness = '12 hours';
SELECT feature, measure, statistic, verdict, reason FROM check_monitor('scored', '2026-01-22')
WHERE measure IN ('future_rows', 'freshness', 'row_count') AND segment = '' AND window_start >= '2026-01-20' ORDER BY window_start, measure;
SELECT measure, severity, reason FROM alert_open WHERE measure IN ('row_count', 'freshness', 'future_rows') AND segment = '' ORDER BY 1;
SELECT drop_monitor('scored');

-- Labels that come late: quality waits for them.
CREATE TABLE late AS SELECT id, at, score, label FROM scored WHERE id >= 0;
UPDATE late SET label = NULL WHERE at >= '2026-01-11';
SELECT create_monitor('late', 'late', 'at', '1 day', features => '{score}', label => 'label', score => 'score',
	label_delay => '2 days') > 0 AS created;
SELECT set_baseline('late', '2026-01-01', '2026-01-11') > 0 AS baseline;
SELECT window_start::date AS day, verdict, reason FROM check_monitor('late', '2026-01-13')
WHERE measure = 'roc_auc' ORDER BY 1;
UPDATE late SET label = id % 2 = 0 WHERE at < '2026-01-12' AND at >= '2026-01-11' AND id % 10 < 4;
SELECT window_start::date AS day, verdict, reason FROM check_monitor('late', '2026-01-13')
WHERE measure = 'roc_auc' ORDER BY 1;
UPDATE late SET label = toss(id, 3) < score WHERE at < '2026-01-12' AND at >= '2026-01-11';
SELECT window_start::date AS day, verdict, round(statistic::numeric, 3) AS roc_auc FROM check_monitor('late', '2026-01-14')
WHERE measure = 'roc_auc' ORDER BY 1;
SELECT window_start::date AS day, labelled, abs(roc_auc - estimated_roc_auc) < 0.05 AS estimate_is_near, verdict
FROM quality_history WHERE monitor = 'late' ORDER BY 1;
SELECT drop_monitor('late');

-- Eight labels a day, all scored right in the baseline: its windows say that
-- nothing but 1 is usual. One mistake may be chance, one label the wrong way
-- round among many others is not.
CREATE TABLE few AS SELECT '2026-01-01'::timestamptz + i * interval '3 hours' AS at, CASE WHEN i % 2 = 0 THEN 0.1 ELSE 0.9 END + i % 8 / 100.0 AS score, i % 2 = 1 AS label
FROM generate_series(0, 8 * 10 - 1) AS i;
UPDATE few SET label = NOT label WHERE at = '2026-01-08 00:00';
UPDATE few SET label = NOT label WHERE at >= '2026-01-09' AND at < '2026-01-10';
SELECT create_monitor('few', 'few', 'at', '1 day', features => '{score}', label => 'label', score => 'score') > 0 AS created;
SELECT set_baseline('few', '2026-01-01', '2026-01-07') > 0 AS baseline;
SELECT window_start::date AS day, round(statistic::numeric, 2) AS roc_auc, tolerance, verdict, reason FROM check_monitor('few', '2026-01-11')
WHERE measure = 'roc_auc' ORDER BY 1;
SELECT window_start::date AS day, measure, statistic_low < statistic AS has_error, reason FROM drift_history
WHERE measure LIKE 'estimated%' AND window_start >= '2026-01-09' ORDER BY 1, 2;
SELECT drop_monitor('few');
DROP TABLE few;

-- The windows before as baseline: a change is news once.
CREATE TABLE step AS SELECT at, CASE WHEN at < '2026-01-10' THEN x ELSE x + 1 END AS x FROM scored WHERE id >= 0;
SELECT create_monitor('step', 'step', 'at', '1 day') > 0 AS created;
SELECT set_baseline('step', '2026-01-01', '2026-01-04', trailing_windows => 1) > 0 AS baseline;
SELECT window_start::date AS day, verdict FROM check_monitor('step', '2026-01-14') WHERE measure = 'ks' AND verdict <> 'no drift' ORDER BY 1;
-- Any two periods, from the stored profiles alone.
DROP TABLE step;
SELECT feature, measure, round(statistic_low::numeric, 3) AS low, round(statistic_high::numeric, 3) AS high, n_reference, n_current
FROM compare_windows('step', '2026-01-04', '2026-01-07', '2026-01-07', '2026-01-10') WHERE measure = 'ks';
SELECT feature, measure, round(statistic::numeric, 3) AS statistic, n_reference, n_current
FROM compare_windows('step', '2026-01-04', '2026-01-10', '2026-01-10', '2026-01-14') WHERE measure = 'ks';
SELECT drop_monitor('step');

-- Baselines of every kind, over sources of every kind.
CREATE TABLE parted (at timestamptz NOT NULL, x float8, plan text) PARTITION BY RANGE (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2026-01-11');
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM ('2026-01-11') TO ('2026-02-01');
INSERT INTO parted SELECT at, x, plan FROM scored WHERE id >= 0;
CREATE MATERIALIZED VIEW kept AS SELECT * FROM parted;
CREATE EXTENSION file_fdw;
SELECT current_setting('data_directory') || '/mlmeta_parted.csv' AS file \gset
SET extra_float_digits = 1;
COPY (SELECT * FROM parted) TO :'file' WITH (FORMAT csv);
SET extra_float_digits = 0;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE remote (at timestamptz, x float8, plan text) SERVER files OPTIONS (filename :'file', format 'csv');
SELECT create_monitor('from ' || source, source, 'at', '1 day', features => '{x,plan}') > 0 AS created
FROM unnest(ARRAY['parted', 'kept', 'remote', 'SELECT * FROM parted WHERE plan IS NOT NULL', 'TABLE parted']) AS s (source);
SELECT name, count(*) AS baseline FROM monitors AS m, set_baseline(m.name, '2026-01-01', '2026-01-11') WHERE name ~ '^from' GROUP BY name ORDER BY name;
SELECT m.name, count(*) FILTER (WHERE r.verdict = 'no drift' AND measure IN ('ks', 'chi2')) AS quiet, count(DISTINCT md5(r::text)) > 10 AS many
FROM monitors AS m, check_monitor(m.name, '2026-01-14') AS r WHERE name ~ '^from' GROUP BY m.name ORDER BY m.name;
SELECT w.window_start::date AS day, count(*) AS monitors, count(DISTINCT w.profile) AS profiles, min(w.row_count), max(w.row_count) FROM windows AS w JOIN monitors AS m ON m.name = w.monitor WHERE m.name ~ '^from' GROUP BY 1 ORDER BY 1;
-- A data version, the data of a run, and of a model; the profile of a model.
SELECT snapshot_dataset('training', 'SELECT * FROM parted WHERE at < ''2026-01-11''') AS data \gset
SELECT start_run('baseline') AS run \gset
SELECT use_artifact(:'run', :'data', 'training') = :'data' AS used;
SELECT log_artifact(:'run', 'model:m:1', 'file:///m1') = 'model:m:1' AS logged;
SELECT create_model('m') > 0 AS model, create_model_version('m', :'run', 'model:m:1') AS version;
SELECT log_artifact(:'run', 'model:m:2', 'file:///m2') = 'model:m:2' AS logged;
SELECT set_baseline('from parted', :'data'::artifact) AS baseline \gset
SELECT period_end::date, dataset = :'data'::artifact AS of_data FROM monitor_baselines WHERE id = :baseline;
SELECT set_baseline_of_run('from parted', :'run') AS baseline \gset
SELECT period_end::date, dataset = :'data'::artifact AS of_data FROM monitor_baselines WHERE id = :baseline;
SELECT set_baseline_of_model('from parted', 'm', 1) AS baseline \gset
SELECT period_end::date, dataset = :'data'::artifact AS of_data FROM monitor_baselines WHERE id = :baseline;
SELECT start_run('elsewhere') AS run \gset
SELECT log_artifact(:'run', 'model:m:3', 'file:///m3') = 'model:m:3' AS logged;
SELECT create_model_version('m', :'run', 'model:m:3', profile => (SELECT profile(f) FROM parted AS p, LATERAL (SELECT p.x, p.plan) AS f WHERE at < '2026-01-11')) AS version;
SELECT set_baseline_of_model('from parted', 'm', 2) IS NOT NULL AS baseline;
UPDATE monitor_baselines SET period_end = '2026-01-11' WHERE id = (SELECT max(id) FROM monitor_baselines);
SELECT verdict, count(*) FROM check_monitor('from parted', '2026-01-14', since => '2026-01-11') WHERE is_primary GROUP BY verdict;
SELECT set_baseline_of_model('from parted', 'm', 9);
SELECT drop_monitor(name) IS NULL FROM monitors WHERE name ~ '^from' ORDER BY name;
COPY (SELECT WHERE false) TO :'file';
DROP FOREIGN TABLE remote;
DROP SERVER files;
DROP EXTENSION file_fdw;
DROP MATERIALIZED VIEW kept;
DROP TABLE parted;

-- Columns with nothing in them, and columns with one value.
CREATE TABLE odd (at timestamp, nothing float8, one int, words text, nan float8, flags boolean, doc jsonb, tags text[]);
INSERT INTO odd SELECT '2026-01-01'::timestamp + i * interval '1 hour', NULL, 7, 'w' || i % 5, 'NaN', i % 2 = 0, '{}', ARRAY['a']
FROM generate_series(0, 24 * 20 - 1) AS i;
UPDATE odd SET one = NULL, words = 'new' WHERE at >= '2026-01-16';
SELECT create_monitor('odd', 'odd', 'at', '5 days') > 0 AS created;
SELECT set_baseline('odd', '2026-01-01', '2026-01-11') > 0 AS baseline;
SELECT window_start::date AS day, feature, measure, verdict, reason FROM check_monitor('odd', '2026-01-26') WHERE is_primary ORDER BY 1, position, measure;
SELECT feature, missing_share, verdict FROM missing_history WHERE window_start = '2026-01-16' ORDER BY feature;
SELECT drop_monitor('odd');

-- Bad input ------------------------------------------------------------------------------

SELECT create_monitor('m', 'scored', 'at', '1 day', segments => '{"a": "no_such_column"}');
SELECT create_monitor('m', 'scored', 'at', '1 day', segments => '{"a": "region) , (plan"}');
SELECT create_monitor('m', 'scored', 'at', '1 day', segments => '{"a": "1); DROP TABLE scored; SELECT (1"}');
SELECT create_monitor('m', 'scored', 'at', '1 day', segments => '{"a": "region"}', segment_sets => '{b}');
SELECT create_monitor('m', 'scored', 'at', '1 day', segments => '[]');
SELECT acknowledge_alert(-1);
SELECT explain_alert(-1);
SELECT count(*) AS monitors FROM monitors;

DROP VIEW source_state;
DROP TABLE scored, areas, late, odd, before;
DROP FUNCTION toss;
