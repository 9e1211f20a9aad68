-- Merging stored summaries, as dashboards do; the goal is in time, not in
-- ratios: ns_per_row of a summary of 1,000 rows of up to 2,000, which is two
-- microseconds each. The yardstick reads them. :rows sets how many there are,
-- 100,000 by default.

\ir common.psql
\if :{?rows}
\else
\set rows 100000
\endif

CREATE TEMPORARY TABLE baseline AS
	SELECT histogram(x, 20) AS h20, histogram(x, 240) AS h240,
		frequencies((x * 10)::int::text) AS f
	FROM (SELECT random() AS x FROM generate_series(1, 10000)) AS s;
-- a hundred windows, each many times
CREATE TEMPORARY TABLE windows AS
	SELECT k, h20, detach(h240) AS detached, f, c
	FROM (SELECT k, histogram(x, b.h20) AS h20, histogram(x, b.h240) AS h240,
			frequencies((x * 10)::int::text, b.f) AS f,
			classification(x > 0.5, round(x::numeric, 2)) AS c
		FROM baseline AS b, generate_series(1, 100) AS k,
			LATERAL (SELECT random() AS x FROM generate_series(1, 1000 + 0 * k)) AS s
		GROUP BY k) AS w;
CREATE TEMPORARY TABLE stored20 AS SELECT h20 AS s FROM windows, generate_series(1, :rows / 100);
CREATE TEMPORARY TABLE stored240 AS SELECT detached AS s FROM windows, generate_series(1, :rows / 100);
CREATE TEMPORARY TABLE storedf AS SELECT f AS s FROM windows, generate_series(1, :rows / 100);
CREATE TEMPORARY TABLE storedc AS SELECT c AS s FROM windows, generate_series(1, :rows / 100);
ANALYZE stored20, stored240, storedf, storedc;

SELECT pg_temp.bench('merge', :rows, 'SELECT count(s) FROM stored20',
	jsonb_build_object(
		'merge(histogram), 20 bins', 'SELECT merge(s) IS NULL FROM stored20',
		'merge(histogram), 240 bins, detached', 'SELECT merge(s) IS NULL FROM stored240',
		'merge(frequency_table), 11 values', 'SELECT merge(s) IS NULL FROM storedf',
		'merge(classification), 101 scores', 'SELECT merge(s) IS NULL FROM storedc',
		'sum of their sizes', 'SELECT sum(pg_column_size(s)) FROM stored20'),
	'{}');
SELECT jsonb_build_object('suite', 'merge', 'name', name, 'bytes', size)
FROM (VALUES ('histogram, 20 bins', (SELECT max(pg_column_size(s)) FROM stored20)),
	('histogram, 240 bins, detached', (SELECT max(pg_column_size(s)) FROM stored240)),
	('frequency_table, 11 values', (SELECT max(pg_column_size(s)) FROM storedf)),
	('classification, 101 scores', (SELECT max(pg_column_size(s)) FROM storedc))) AS v(name, size);
