-- scan_profiles() groups by window and segment in one scan: what the query in
-- src/scan/scan_profiles.h gives, to the byte.
SET search_path = public, mlmeta, mlmeta_internal;
SET timezone = 'UTC';

-- Windows and segments where the two differ, and how the rows were read
CREATE FUNCTION compare(relation regclass, features text[], time_column text, borders timestamptz[], segments text[],
	baseline profile DEFAULT NULL, OUT groups bigint, OUT rows numeric, OUT different bigint) LANGUAGE plpgsql AS $$
DECLARE
	chosen text := (SELECT string_agg(format('s.%I', name), ', ' ORDER BY n) FROM unnest(features) WITH ORDINALITY AS u (name, n));
	keys text := (SELECT string_agg(format('s.key_%s', n), ', ' ORDER BY n) FROM unnest(segments) WITH ORDINALITY AS u (name, n));
	texts text := (SELECT string_agg(format('s.key_%s::text', n), ', ' ORDER BY n) FROM unnest(segments) WITH ORDINALITY AS u (name, n));
	added text := coalesce((SELECT string_agg(format(', (%s) AS key_%s', name, n), '' ORDER BY n) FROM unnest(segments) WITH ORDINALITY AS u (name, n)), '');
	is_in text := CASE WHEN borders IS NULL THEN '1' ELSE format('(SELECT count(*)::int FROM unnest($4) AS b WHERE b <= s.%I)', time_column) END;
BEGIN
	EXECUTE format('SELECT count(*), sum(ours.row_count), count(*) FILTER (WHERE (ours.row_count, ours.profile) IS DISTINCT FROM (query.n, query.p))
		FROM scan_profiles($1, $2, $3, $4, $5, $6) AS ours
			FULL JOIN (SELECT %s AS w, ARRAY[%s]::text[] AS k, count(*) AS n, %s AS p
				FROM (SELECT s.*%s FROM %s AS s) AS s CROSS JOIN LATERAL (SELECT %s) AS features WHERE %s GROUP BY 1 %s) AS query
			ON ours.time_window = query.w AND ours.segment IS NOT DISTINCT FROM query.k',
		is_in, coalesce(texts, ''), CASE WHEN baseline IS NULL THEN 'profile(features)' ELSE 'profile(features, $6)' END, added, relation, chosen,
		CASE WHEN borders IS NULL THEN 'true' ELSE format('s.%1$I >= $4[1] AND s.%1$I < $4[cardinality($4)]', time_column) END, ', ' || keys)
	INTO groups, rows, different
	USING relation, features, time_column, borders, segments, baseline;
END $$;

CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE scored AS
SELECT i AS id, CASE WHEN i % 97 <> 0 THEN timestamptz '2026-01-01' + i * interval '13 minutes' END AS at,
	timestamp '2026-01-01' + i * interval '13 minutes' AS local, date '2026-01-01' + i / 110 AS on_day,
	CASE WHEN i % 7 <> 0 THEN 'plan ' || i % 4 END AS plan, i % 3 = 0 AS flag, (i % 5)::smallint AS small, i % 6 AS number, (i % 2)::bigint * 10000000000 AS big,
	CASE i % 3 WHEN 0 THEN 1.0 WHEN 1 THEN 1.00 ELSE 2.50 END AS price, CASE i % 4 WHEN 0 THEN 'NaN' WHEN 1 THEN -0.0 WHEN 2 THEN 0.0 ELSE 1 END::float8 AS real_key,
	CASE i % 2 WHEN 0 THEN 'a' ELSE 'b  ' END::char(5) AS padded, (CASE i % 3 WHEN 0 THEN 'Plan' WHEN 1 THEN 'PLAN' ELSE 'x' END) COLLATE blind AS folded,
	(ARRAY['sad', 'ok'])[1 + i % 2]::mood AS mood, md5((i % 3)::text)::uuid AS u, ('n' || i % 2)::name AS n, repeat('long', 900 * (i % 2)) AS long_text,
	to_jsonb(i % 2) AS document, sin(i) AS x, CASE WHEN i % 11 <> 0 THEN i / 3 END AS y, 'k' || i % 9 AS k, ARRAY[i, 1] AS list
FROM generate_series(1, 5000) AS i;
ALTER TABLE scored ADD later int DEFAULT 5;
UPDATE scored SET x = x + 1 WHERE id % 10 = 0;
DELETE FROM scored WHERE id % 13 = 0;
ANALYZE scored;
SELECT profile(q) AS p FROM (SELECT x, y, k, list FROM scored WHERE id < 1000) AS q \gset
SELECT array_agg(t) AS days FROM generate_series(timestamptz '2026-01-03', '2026-02-03', '1 day') AS t \gset

-- every kind of segment: equal as in GROUP BY, written as a cast to text
SELECT s.name, c.* FROM unnest('{plan,flag,small,number,big,real_key,padded,mood,u,n,long_text,document,on_day,later}'::text[]) AS s(name),
	compare('scored', '{x,y,k,list}', 'at', :'days', ARRAY[s.name], :'p') AS c;
-- which of two equal spellings a group shows is for its first row to say
SELECT time_window, segment, row_count FROM scan_profiles('scored', '{x}', segments => '{price}');
SELECT count(*), count(*) = (SELECT count(DISTINCT folded) FROM scored) AS groups, sum(row_count) AS rows FROM scan_profiles('scored', '{x}', segments => '{folded}');
SELECT compare('scored', '{x,y,k,list}', 'at', :'days', '{plan,flag}', :'p') AS two, compare('scored', '{x,k}', 'at', :'days', '{plan,flag,small,number,big}') AS five,
	compare('scored', '{x,y,k,list}', 'at', :'days', NULL, :'p') AS windows_only, compare('scored', '{x,y,k,list}', NULL, NULL, '{plan}', :'p') AS segments_only,
	compare('scored', '{k,x}', NULL, NULL, NULL) AS neither;
-- a segment that is a feature too, a feature that is the time
SELECT compare('scored', '{plan,at,x}', 'at', :'days', '{plan}');
SELECT time_column, compare('scored', '{x,k}', time_column, :'days', '{flag}') FROM unnest('{at,local,on_day}'::text[]) AS time_column;
SET timezone = 'Asia/Kathmandu';
SELECT time_column, compare('scored', '{x,k}', time_column, :'days', '{flag}') FROM unnest('{at,local,on_day}'::text[]) AS time_column;
SET timezone = 'UTC';
-- windows of any length, with gaps between rows
SELECT compare('scored', '{x}', 'at', ARRAY['2025-01-01', '2026-01-05 00:01', '2026-01-05 00:02', '2026-01-20', '2026-01-20 12:00', 'infinity']::timestamptz[], '{flag}'),
	compare('scored', '{x}', 'at', '{2030-01-01,2031-01-01}', NULL) AS none;
-- rows out of order, and the order of the answer
CREATE TABLE shuffled AS SELECT * FROM scored ORDER BY hashint4(id);
SELECT compare('shuffled', '{x,y,k,list}', 'at', :'days', '{plan,flag}', :'p');
SELECT time_window, segment, row_count FROM scan_profiles('scored', '{x}', 'at', '{2026-01-05,2026-01-06,2026-01-07}', '{flag}');

-- expressions over the columns
SELECT s.expression, c.* FROM unnest(ARRAY['upper(plan)', $$CASE WHEN number > 2 THEN 'many' ELSE 'few' END$$, $$date_part('hour', s.at)::int$$, 'x > 0', '(number, small)',
		$$coalesce(plan, 'none') -- or not$$, 'extract(isodow FROM local)', 'price > 2', 'flag AND later = 5', 'list[2]', $$'all'::text$$, 'NULL::int']) AS s(expression),
	compare('scored', '{x,y,k,list}', 'at', :'days', ARRAY[s.expression || E'\n'], :'p') AS c;
SELECT compare('scored', '{x,k}', 'at', :'days', ARRAY['upper(plan)', 'flag', 'number % 2'], NULL) AS mixed,
	compare('scored', '{x}', 'at', :'days', ARRAY['(SELECT 1)']) AS subquery, compare('scored', '{x}', 'at', :'days', ARRAY['s.tableoid::regclass']) AS system_column,
	compare('scored', '{x}', 'at', :'days', ARRAY['s IS NULL']) AS whole_row;

-- detached, as windows are stored: merging them is merging the rows
SELECT bool_and(d.profile = detach(s.profile)) AS detached, (SELECT merge(profile) FROM scan_profiles('scored', '{x,y,k,list}', 'at', :'days', '{plan}', :'p')) =
	(SELECT profile(f, :'p') FROM scored AS s CROSS JOIN LATERAL (SELECT s.x, s.y, s.k, s.list) AS f WHERE at >= '2026-01-03' AND at < '2026-02-03') AS merged
FROM scan_profiles('scored', '{x,y,k,list}', 'at', :'days', '{plan}', :'p') AS s
	JOIN scan_profiles('scored', '{x,y,k,list}', 'at', :'days', '{plan}', :'p', true) AS d USING (time_window, segment);

-- partitions, views, indexes, row security: the same answer
CREATE TABLE scored_parts (LIKE scored) PARTITION BY RANGE (at);
CREATE TABLE scored_parts_1 PARTITION OF scored_parts FOR VALUES FROM ('2026-01-01') TO ('2026-01-15');
CREATE TABLE scored_parts_2 PARTITION OF scored_parts FOR VALUES FROM ('2026-01-15') TO ('2026-03-01');
INSERT INTO scored_parts SELECT * FROM scored WHERE at < '2026-03-01';
CREATE VIEW seen_scores AS SELECT *, x AS f FROM scored WHERE id % 2 = 0;
ANALYZE scored_parts;
SELECT source, scan_path(source, time_column => 'at', since => (:'days'::timestamptz[])[1]), compare(source, '{x,y,k,list}', 'at', :'days', '{plan}', :'p')
FROM unnest('{scored_parts,scored_parts_2,seen_scores}'::regclass[]) AS source;
SELECT compare('seen_scores', '{f,k}', 'at', :'days', '{plan,upper(plan)}');
-- partitions with their columns in another order
CREATE TABLE moved (k text, gone int, x float8, at timestamptz, plan text);
ALTER TABLE moved DROP gone;
CREATE TABLE mixed_up (at timestamptz, plan text, x float8, k text) PARTITION BY RANGE (at);
CREATE TABLE mixed_up_1 PARTITION OF mixed_up FOR VALUES FROM ('2026-01-01') TO ('2026-01-15');
ALTER TABLE mixed_up ATTACH PARTITION moved FOR VALUES FROM ('2026-01-15') TO ('2026-03-01');
INSERT INTO mixed_up SELECT at, plan, x, k FROM scored WHERE at < '2026-03-01';
ANALYZE mixed_up;
SELECT compare('mixed_up', '{x,k}', 'at', :'days', ARRAY['plan', 'upper(k) || plan', 'x > 0.5'], :'p');
CREATE DOMAIN moment AS timestamptz;
CREATE TABLE domains (at moment, x float8, k text);
INSERT INTO domains SELECT at, x, k FROM scored;
CREATE VIEW domain_view AS SELECT * FROM domains;
SELECT compare('domains', '{x}', 'at', :'days', '{k}') AS pages, compare('domain_view', '{x}', 'at', :'days', '{k}') AS rows;

-- bad input
SELECT * FROM scan_profiles('scored', '{x}', 'at', '{2026-01-01}');
SELECT * FROM scan_profiles('scored', '{x}', 'at', '{2026-01-02,2026-01-01}');
SELECT * FROM scan_profiles('scored', '{x}', 'at', '{2026-01-02,NULL}');
SELECT * FROM scan_profiles('scored', '{x}', NULL, '{2026-01-01,2026-01-02}');
SELECT * FROM scan_profiles('scored', '{x}', segments => '{nothing}');
SELECT * FROM scan_profiles('scored', '{x}', segments => '{NULL}');
SELECT * FROM scan_profiles('scored', '{x}', segments => ARRAY['plan), (flag']);
SELECT * FROM scan_profiles('scored', '{x}', segments => ARRAY['1) FROM pg_class AS s WHERE (true']);
SELECT * FROM scan_profiles('scored', '{x}', segments => ARRAY['1); SELECT (2']);
SELECT * FROM scan_profiles('scored', '{x}', segments => ARRAY['plan +']);
SELECT * FROM scan_profiles('scored', '{x}', segments => ARRAY['count(*)']);
SELECT * FROM scan_profiles('scored', '{x}', segments => ARRAY['1 / (number - number)']);
SELECT * FROM scan_profiles('scored', '{x}', segments => '{plan,flag,small,number,big,price,real_key,padded,mood}');
SELECT * FROM scan_profiles('scored', '{x}', segments => '{plan}', baseline => (SELECT detach(profile(s, :'p')) FROM scored AS s));
CREATE TABLE odd AS SELECT point(1, 1) AS p, 1 AS x;
SELECT * FROM scan_profiles('odd', '{x}', segments => '{p}');
CREATE TABLE many AS SELECT i AS id, i AS a, i AS b, i AS c, i AS d, i AS e, i AS f, i AS g, i AS h, i AS i FROM generate_series(1, 12000) AS i;
SELECT count(*) FROM scan_profiles('many', '{a,b,c,d,e,f,g,h,i}', segments => '{id}');

DROP VIEW seen_scores, domain_view;
DROP TABLE scored, shuffled, scored_parts, domains, odd, many, mixed_up;
DROP FUNCTION compare;
DROP COLLATION blind;
DROP TYPE mood;
DROP DOMAIN moment;
