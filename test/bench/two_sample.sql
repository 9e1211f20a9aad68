-- Exact two-sample tests over rows against sum(x) over the same warm table;
-- doc/performance.md says what is attainable. :rows sets the size, 10 million
-- by default. work_mem holds both samples; spilling is another test's subject.

\ir common.psql
\if :{?rows}
\else
\set rows 10000000
\endif
SET work_mem = '1GB';

CREATE TEMPORARY TABLE sample AS
	SELECT (random() * 1000)::float8 AS x, random() < 0.5 AS is_current
	FROM generate_series(1, :rows);
ANALYZE sample;

SELECT pg_temp.bench('two_sample', :rows, 'SELECT sum(x) FROM sample',
	jsonb_build_object(
		'ks(x, is_current)', 'SELECT ks(x, is_current) FROM sample',
		'ks_test(x, is_current)', 'SELECT ks_test(x, is_current) FROM sample',
		'wasserstein(x, is_current)', 'SELECT wasserstein(x, is_current) FROM sample',
		'percentile_disc of 7 quantiles',
		'SELECT percentile_disc(ARRAY[0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
			WITHIN GROUP (ORDER BY x) FROM sample'),
	'{"ks(x, is_current)": 2.2, "ks_test(x, is_current)": 2.2}');
