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

-- A month of days and eight segments, as a check reads them, against one GROUP BY
-- of both with an avg() of each of the 20 features
SELECT format('CREATE TEMPORARY TABLE scored AS SELECT timestamptz ''2026-01-01'' + n * interval ''30 days'' / %1$s AS at,
	''plan '' || n %% 8 AS plan, %2$s FROM generate_series(0, %1$s - 1) AS n',
	:rows, string_agg(format('(random() * 1000)::float8 AS x%s', i), ', '))
FROM generate_series(1, 20) AS i \gexec
VACUUM ANALYZE scored;
SELECT array_agg('x' || i) AS features, string_agg(format('avg(x%s)', i), ', ') AS means, string_agg(format('s.x%s', i), ', ') AS columns
FROM generate_series(1, 20) AS i \gset
SELECT array_agg(t) AS days FROM generate_series(timestamptz '2026-01-01', '2026-01-31', '1 day') AS t \gset
CREATE TEMPORARY TABLE scored_baseline AS SELECT profile_table('scored', :'features', 'at', '2026-01-01', '2026-01-02') AS p;

SELECT pg_temp.bench('scan', :rows, format('SELECT date_trunc(''day'', at), plan, %s FROM scored GROUP BY 1, 2', :'means'),
	jsonb_build_object(
		'scan_profiles of 20 features, 30 days, 8 segments',
		format('SELECT * FROM mlmeta_internal.scan_profiles(''scored'', %L, ''at'', %L, ''{plan}'', (SELECT p FROM scored_baseline), true)',
			:'features', :'days'),
		'profile(record, baseline) in the GROUP BY',
		format('SELECT date_trunc(''day'', at), plan, detach(profile(f, (SELECT p FROM scored_baseline)))
			FROM scored AS s CROSS JOIN LATERAL (SELECT %s) AS f GROUP BY 1, 2', :'columns')),
	'{"scan_profiles of 20 features, 30 days, 8 segments": 0.4}', 3);
