-- Fingerprints of rows against sum(x) over the same warm table. The goal is
-- 2.5 times sum(x) for each column hashed. :rows sets the size, one million by
-- default.

\ir common.psql
\if :{?rows}
\else
\set rows 1000000
\endif

CREATE TEMPORARY TABLE sample AS
	SELECT i AS id, i * 7919 AS big, (random() * 1000)::float8 AS x,
		(random() * 10000)::numeric(10, 2) AS price, 'customer ' || i % 5000 AS customer,
		md5(i::text)::varchar AS code, i % 3 = 0 AS paid,
		'2024-01-01'::timestamptz + i * interval '1 s' AS at,
		'2020-01-01'::date + (i % 1000)::int AS day, md5(i::text)::uuid AS key
	FROM generate_series(1::bigint, :rows) AS i;
ANALYZE sample;

SELECT pg_temp.bench('fingerprint', :rows, 'SELECT sum(x) FROM sample',
	jsonb_build_object(
		'fingerprint(t), 10 columns',
		'SELECT fingerprint(s) FROM sample AS s',
		'fingerprint(q), 4 columns',
		'SELECT fingerprint(q) FROM (SELECT id, x, at, paid FROM sample) AS q',
		'fingerprint(q), 1 column',
		'SELECT fingerprint(q) FROM (SELECT x FROM sample) AS q',
		'count of a whole row',
		'SELECT count(s) FROM sample AS s'),
	'{"fingerprint(t), 10 columns": 25, "fingerprint(q), 4 columns": 10, "fingerprint(q), 1 column": 2.5}');
