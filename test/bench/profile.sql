-- Profiles of a row of 61 columns (50 numeric, 10 text, 1 boolean) against the
-- five built-in aggregates over each of the numeric ones; doc/performance.md
-- says what is attainable. :rows sets the size, 1 million by default.

\ir common.psql
\if :{?rows}
\else
\set rows 1000000
\endif

SELECT format('CREATE TEMPORARY TABLE sample AS SELECT %s, %s, n %% 3 = 0 AS b
	FROM generate_series(1, %s) AS n',
	string_agg(format('(random() * 1000)::float8 AS x%s', i), ', '),
	(SELECT string_agg(format('''category '' || n %% %s AS t%s', 3 + j, j), ', ')
		FROM generate_series(1, 10) AS j), :rows)
FROM generate_series(1, 50) AS i \gexec
CREATE TEMPORARY TABLE baseline AS
	SELECT profile(head) AS p FROM (SELECT * FROM sample LIMIT 30000) AS head;
VACUUM ANALYZE sample;

SELECT 'SELECT ' || string_agg(format(
	'count(x%1$s), min(x%1$s), max(x%1$s), avg(x%1$s), stddev(x%1$s)', i), ', ')
	|| ' FROM sample' AS builtin
FROM generate_series(1, 50) AS i \gset

SELECT pg_temp.bench('profile', :rows, :'builtin',
	jsonb_build_object(
		'profile(t, baseline)',
		'SELECT profile(sample, (SELECT p FROM baseline)) IS NULL FROM sample',
		'profile(t)',
		'SELECT profile(sample) IS NULL FROM sample',
		'count(t)',
		'SELECT count(sample) FROM sample',
		'50 sums',
		(SELECT 'SELECT ' || string_agg(format('sum(x%s)', i), ', ') || ' FROM sample'
			FROM generate_series(1, 50) AS i)),
	'{"profile(t, baseline)": 1.0}', 3);
