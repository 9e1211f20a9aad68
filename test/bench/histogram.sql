-- Histograms against sum(x) over the same warm table; doc/performance.md says
-- what is attainable. :rows sets the size, 10 million by default.

\ir common.psql
\if :{?rows}
\else
\set rows 10000000
\endif

CREATE TEMPORARY TABLE sample AS
	SELECT (random() * 1000)::float8 AS x FROM generate_series(1, :rows);
CREATE TEMPORARY TABLE baseline AS
	SELECT histogram(x, 240) AS h
	FROM (SELECT x FROM sample LIMIT 30000) AS head;
ANALYZE sample;

SELECT pg_temp.bench('histogram', :rows, 'SELECT sum(x) FROM sample',
	jsonb_build_object(
		'histogram(x, lo, hi, 20)',
		'SELECT histogram(x, 0, 1000, 20) IS NULL FROM sample',
		'histogram(x, baseline of 240 bins)',
		'SELECT histogram(x, (SELECT h FROM baseline)) IS NULL FROM sample',
		'histogram(x, 240)',
		'SELECT histogram(x, 240) IS NULL FROM sample',
		'width_bucket and GROUP BY',
		'SELECT width_bucket(x, 0, 1000, 20), count(*) FROM sample GROUP BY 1'),
	'{"histogram(x, lo, hi, 20)": 1.3, "histogram(x, baseline of 240 bins)": 1.5}');
