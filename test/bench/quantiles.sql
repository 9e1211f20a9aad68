-- Exact quantiles over rows against sum(x) over the same warm table;
-- doc/performance.md says what is attainable. :rows sets the size, 10 million
-- by default.

\ir common.psql
\if :{?rows}
\else
\set rows 10000000
\endif

CREATE TEMPORARY TABLE sample AS
	SELECT random() + random() + random() + random() - 2 AS x
	FROM generate_series(1, :rows) AS i;
ANALYZE sample;

SET work_mem = '1GB';
SELECT pg_temp.bench('quantiles', :rows, 'SELECT sum(x) FROM sample',
	jsonb_build_object(
		'7 quantiles',
		'SELECT quantiles(x, ARRAY[0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
			FROM sample',
		'percentile_disc of 7 quantiles',
		'SELECT percentile_disc(ARRAY[0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
			WITHIN GROUP (ORDER BY x) FROM sample'),
	'{"7 quantiles": 1.8}');
SET work_mem = '4MB';
SELECT pg_temp.bench('quantiles spilling', :rows, 'SELECT sum(x) FROM sample',
	jsonb_build_object(
		'7 quantiles',
		'SELECT quantiles(x, ARRAY[0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
			FROM sample'),
	'{"7 quantiles": 1.8}');
