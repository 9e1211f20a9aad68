-- Names with everything in them, and columns of every type: checked, explained,
-- and every query that is given runs.
SET search_path = public, mlmeta;
SET TIME ZONE 'UTC';
SET client_min_messages = warning;
\set SHOW_CONTEXT never

CREATE FUNCTION toss(i bigint, coin bigint) RETURNS float8 LANGUAGE sql
RETURN (hashint8extended(i, coin) & 2147483647) / 2147483648.0;
CREATE TYPE mood AS ENUM ('a', 'b');
CREATE TABLE "T %s ""q""" ("at %L $1" timestamp, "x % $1 ""q""" float8, "select" text, "E e" mood, day date, ts timestamptz, iv interval, tm time,
	b bytea, j jsonb, arr int[], r int4range, u uuid, n numeric(20, 3), i8 bigint, "f.g" int, "a.length" int, flag boolean, label int, "score '" real);
INSERT INTO "T %s ""q"""
SELECT '2026-01-01'::timestamp + i * interval '10 minutes', toss(i, 1) + s, CASE i % 3 WHEN 0 THEN 'a''b' WHEN 1 THEN 'c & d=e' END,
	(ARRAY['a', 'b'])[1 + i % 2]::mood, date '2026-01-01' + i % 7 + 30 * s, '2020-01-01'::timestamptz + (toss(i, 2) + s) * interval '1 day',
	(toss(i, 3) + s) * interval '1 hour', time '00:00' + (toss(i, 4) + s) * interval '1 hour', '\x00', '{}',
	array_fill(1 + s, ARRAY[1 + i % 5 + 3 * s]), int4range(i, i + 1), md5(i::text)::uuid, toss(i, 5) + s, (toss(i, 6) * 1e15)::bigint + s * 1000000000000000,
	i % 9 + 4 * s, i % 9 + 4 * s, toss(i, 7) < 0.3 + 0.4 * s, (toss(i, 8) < 0.5)::int, toss(i, 9)
FROM generate_series(0, 144 * 14 - 1) AS i, LATERAL (SELECT (i >= 144 * 12)::int AS s) AS shifted;
-- From a table and from a query, whose types are not looked up.
SELECT create_monitor('odd %s $1 "q" ' || n, source, 'at %L $1', '1 day', label => 'label', score => 'score ''', keys => '{i8}',
	segments => '{"seg %I $2 ''q''": "\"select\"", "two": "\"E e\""}', segment_sets => ARRAY['seg %I $2 ''q''', 'seg %I $2 ''q'', two']) > 0 AS created,
	set_baseline('odd %s $1 "q" ' || n, '2026-01-01', '2026-01-11') > 0 AS baseline
FROM (VALUES (1, '"T %s ""q"""'), (2, 'SELECT * FROM "T %s ""q"""')) AS v (n, source);
SELECT m.name, verdict, count(*) FROM monitors AS m, check_monitor(m.name, '2026-01-15') WHERE is_primary GROUP BY 1, 2 ORDER BY 1, 2;
SELECT DISTINCT segment FROM windows ORDER BY 1;
CREATE FUNCTION rows_of(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	result bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM (%s) AS q', query) INTO result;
	RETURN result;
END
$$;
-- As many rows as the shares of the bins say.
SELECT m.name, a.feature, a.measure, rows_of(e ->> 'rows') AS rows,
	round((SELECT sum((p.part ->> 'share_current')::float8) FROM jsonb_array_elements(e -> 'moved') WITH ORDINALITY AS p (part, n)
		WHERE (p.part ->> 'change')::float8 > 0 AND p.n <= 5)::numeric * 144, 1) AS told
FROM alerts AS a JOIN monitors AS m ON m.id = a.monitor, explain_alert(a.id) AS e WHERE segment = '' ORDER BY 2, 1;
SELECT count(*) > 100 AS alerts, count(*) FILTER (WHERE rows_of(e ->> 'rows') > 0) = count(*) AS all_run FROM alerts AS a, explain_alert(a.id) AS e;
SELECT length(report(name)) > 10000 AS report, length(preview_monitor(name)) > 1000 AS preview FROM monitors ORDER BY name;
-- What the bins leave open is settled from rows of every kind.
UPDATE monitors SET tolerance = 0.86, q = 0.5;
SELECT j.feature, count(s.n) > 0 AS settled
FROM mlmeta_internal.monitors AS m JOIN monitor_baselines AS b ON b.monitor = m.id,
	LATERAL (SELECT ARRAY(SELECT r FROM unnest(mlmeta_internal.judge_window(m, b, '2026-01-14', '2026-01-15', '{}')) AS r
		JOIN segments AS g ON g.id = r.segment WHERE r.measure = 'ks' AND g.label = '' AND r.n_current > 0) AS judged) AS a,
	LATERAL unnest(a.judged) WITH ORDINALITY AS j (segment, feature, position, measure, is_primary, statistic, statistic_low,
		statistic_high, p_value, p_star, p_row, adjusted_p, effect, effect_low, effect_high, usual, tolerance, n_reference,
		n_current, verdict, status, note, detail, is_exact, n)
	LEFT JOIN LATERAL mlmeta_internal.settle_results(m, b, '2026-01-14', a.judged) AS s ON s.n = j.n
GROUP BY j.feature ORDER BY j.feature;
-- The worst slice of an interval, whose condition selects its rows.
UPDATE "T %s ""q""" SET "score '" = "score '" + 1 WHERE iv > '90 minutes';
SELECT w.segment, w.n, w.condition FROM worst_segments('"T %s ""q"""', '"score ''"', ARRAY['iv', 'x % $1 "q"', 'select', 'E e', 'day', 'ts', 'tm', 'b', 'j', 'arr', 'r', 'u', 'f.g'], most => 1) AS w \gset
SELECT :'segment' AS segment, count(*) = :n AS same FROM "T %s ""q""" AS s WHERE :condition;
SELECT drop_monitor(name) FROM monitors ORDER BY name;
DROP TABLE "T %s ""q""";
DROP TYPE mood;
DROP FUNCTION toss, rows_of;
