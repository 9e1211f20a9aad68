-- profile_table(), which reads pages: one column against sum(x), 61 columns
-- against the five built-in aggregates over 50 of them, with the aggregates over
-- rows beside it. :rows sets the size of the narrow table, 3 million by default;
-- the wide one has a tenth of that.

\ir common.psql
\if :{?rows}
\else
\set rows 3000000
\endif
SELECT :rows / 10 AS wide_rows \gset

CREATE TEMPORARY TABLE narrow AS
SELECT (random() * 1000)::float8 AS x, n AS id, 'category ' || n % 8 AS k,
	timestamptz '2026-01-01' + n * interval '1 minute' AS at
FROM generate_series(1, :rows) AS n;
VACUUM ANALYZE narrow;
CREATE TEMPORARY TABLE baseline AS
SELECT histogram(x, 240) AS h, frequencies(k) AS f,
	profile_table('narrow', '{x}', 'at', '2026-01-01', '2026-02-01') AS x,
	profile_table('narrow', '{k}', 'at', '2026-01-01', '2026-02-01') AS k
FROM narrow WHERE id < 40000;

SELECT pg_temp.bench('scan', :rows, 'SELECT sum(x) FROM narrow',
	jsonb_build_object(
		'profile_table of x, baseline',
		$$SELECT profile_table('narrow', '{x}', baseline => (SELECT x FROM baseline)) IS NULL$$,
		'profile_table of x, baseline, half by time',
		format($$SELECT profile_table('narrow', '{x}', 'at', '2026-01-01', timestamptz '2026-01-01' + %s * interval '1 minute',
			(SELECT x FROM baseline)) IS NULL$$, :rows / 2),
		'profile_table of x, own bins',
		$$SELECT profile_table('narrow', '{x}') IS NULL$$,
		'profile_table of k, baseline',
		$$SELECT profile_table('narrow', '{k}', baseline => (SELECT k FROM baseline)) IS NULL$$,
		'histogram(x, baseline)',
		'SELECT histogram(x, (SELECT h FROM baseline)) IS NULL FROM narrow',
		'frequencies(k, baseline)',
		'SELECT frequencies(k, (SELECT f FROM baseline)) IS NULL FROM narrow',
		'count(*)',
		'SELECT count(*) FROM narrow'),
	'{"profile_table of x, baseline": 0.6}');

SELECT format('CREATE TEMPORARY TABLE wide AS SELECT %s, %s, n %% 3 = 0 AS b
	FROM generate_series(1, %s) AS n',
	string_agg(format('(random() * 1000)::float8 AS x%s', i), ', '),
	(SELECT string_agg(format('''category '' || n %% %s AS t%s', 3 + j, j), ', ')
		FROM generate_series(1, 10) AS j), :wide_rows)
FROM generate_series(1, 50) AS i \gexec
CREATE TEMPORARY TABLE wide_baseline AS
	SELECT profile(head) AS p FROM (SELECT * FROM wide LIMIT 30000) AS head;
VACUUM ANALYZE wide;

SELECT 'SELECT ' || string_agg(format(
	'count(x%1$s), min(x%1$s), max(x%1$s), avg(x%1$s), stddev(x%1$s)', i), ', ')
	|| ' FROM wide' AS builtin
FROM generate_series(1, 50) AS i \gset

SELECT pg_temp.bench('scan', :wide_rows, :'builtin',
	jsonb_build_object(
		'profile_table of 61 columns, baseline',
		$$SELECT profile_table('wide', baseline => (SELECT p FROM wide_baseline)) IS NULL$$,
		'profile_table of 61 columns, own bins',
		$$SELECT profile_table('wide') IS NULL$$,
		'profile(t, baseline)',
		'SELECT profile(wide, (SELECT p FROM wide_baseline)) IS NULL FROM wide',
		'profile(t)',
		'SELECT profile(wide) IS NULL FROM wide'),
	'{"profile_table of 61 columns, baseline": 0.5}', 5);
