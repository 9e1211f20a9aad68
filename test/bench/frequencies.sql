-- Frequencies of text against PostgreSQL's own GROUP BY over the same warm
-- table, which is the yardstick here; doc/performance.md says what is
-- attainable. :rows sets the size, 10 million by default.

\ir common.psql
\if :{?rows}
\else
\set rows 10000000
\endif

-- t: 8 values; u: 500 values, some frequent and most not; b: a flag
CREATE TEMPORARY TABLE sample AS
	SELECT 'category ' || floor(8 * x)::int AS t,
		'value ' || floor(500 * x ^ 3)::int AS u, x < 0.3 AS b
	FROM (SELECT random() AS x FROM generate_series(1, :rows)) AS r;
CREATE TEMPORARY TABLE baseline AS
	SELECT frequencies(t) AS f FROM (SELECT t FROM sample LIMIT 30000) AS head;
ANALYZE sample;

SELECT pg_temp.bench('frequencies', :rows,
	'SELECT count(*) FROM (SELECT t, count(*) FROM sample GROUP BY t) AS s',
	jsonb_build_object(
		'frequencies(t), 8 values',
		'SELECT frequencies(t) IS NULL FROM sample',
		'frequencies(t, baseline), 8 values',
		'SELECT frequencies(t, (SELECT f FROM baseline)) IS NULL FROM sample',
		'count(t)', 'SELECT count(t) FROM sample'),
	'{"frequencies(t), 8 values": 0.6, "frequencies(t, baseline), 8 values": 0.6}');
SELECT pg_temp.bench('frequencies', :rows,
	'SELECT count(*) FROM (SELECT u, count(*) FROM sample GROUP BY u) AS s',
	jsonb_build_object(
		'frequencies(u), 500 values',
		'SELECT frequencies(u) IS NULL FROM sample'), '{}');
SELECT pg_temp.bench('frequencies', :rows,
	'SELECT count(*) FROM (SELECT b, count(*) FROM sample GROUP BY b) AS s',
	jsonb_build_object(
		'frequencies(b)', 'SELECT frequencies(b) IS NULL FROM sample'), '{}');
