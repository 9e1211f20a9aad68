-- Exact two-sample measures over rows against sum(x) over the same warm table;
-- doc/performance.md says what is attainable. :rows sets the size, 10 million
-- by default.

\ir common.psql
\if :{?rows}
\else
\set rows 10000000
\endif

-- x: no drift; y: drift, and a heavy tail; z: integers; w: two scales, of
-- which one holds half of the rows in a millionth of the range
CREATE TEMPORARY TABLE sample AS
	SELECT x, CASE WHEN c THEN exp(2.1 * x) ELSE exp(2 * x) END AS y,
		floor(20 * x) AS z,
		CASE WHEN i % 2 = 0 THEN 5 + 1e-6 * x ELSE 100 * x END AS w, c
	FROM (SELECT i, random() + random() + random() + random() - 2 AS x,
			random() < 0.5 AS c
		FROM generate_series(1, :rows) AS i) AS r;
ANALYZE sample;

SET work_mem = '1GB';
SELECT pg_temp.bench('two_sample', :rows, 'SELECT sum(x) FROM sample',
	jsonb_build_object(
		'ks, no drift', 'SELECT ks(x, c) FROM sample',
		'ks, drift and a heavy tail', 'SELECT ks(y, c) FROM sample',
		'ks, few distinct values', 'SELECT ks(z, c) FROM sample',
		'ks, two scales', 'SELECT ks(w, c) FROM sample',
		'ks_test', 'SELECT ks_test(x, c) FROM sample',
		'wasserstein', 'SELECT wasserstein(x, c) FROM sample',
		'psi', 'SELECT psi(x, c) FROM sample',
		't_test', 'SELECT t_test(x, c) FROM sample',
		'mann_whitney_test', 'SELECT mann_whitney_test(x, c) FROM sample',
		'percentile_disc of 7 quantiles',
		'SELECT percentile_disc(ARRAY[0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
			WITHIN GROUP (ORDER BY x) FROM sample'),
	'{"ks, no drift": 2.0, "ks, drift and a heavy tail": 2.0,
		"ks, few distinct values": 2.0, "ks, two scales": 2.0,
		"ks_test": 2.0}');

SET work_mem = '4MB';
SELECT pg_temp.bench('two_sample spilling', :rows, 'SELECT sum(x) FROM sample',
	jsonb_build_object(
		'ks, no drift', 'SELECT ks(x, c) FROM sample',
		'wasserstein', 'SELECT wasserstein(x, c) FROM sample'),
	'{"ks, no drift": 2.0}');
