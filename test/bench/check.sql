-- What a check costs that profiles and judges thirty daily windows of 20
-- features, by one segment column of 8 values, against one GROUP BY (bucket,
-- segment) with 20 avg() over the same rows. :rows sets the size, 10 million by
-- default.

\ir common.psql
\if :{?rows}
\else
\set rows 10000000
\endif
SET timezone = 'UTC';
-- Groups of the yardstick are hashed as well: both read the rows once.
SET enable_sort = off;
SET work_mem = '64MB';
SELECT setseed(0.7);

SELECT format('CREATE UNLOGGED TABLE public.logged AS
	SELECT ''2026-01-01''::timestamptz + n * (interval ''30 days'' / %s::float8) AS at,
		''s'' || n %% 8 AS segment, %s
	FROM generate_series(0, %1$s - 1) AS n', :rows,
	string_agg(format(CASE WHEN i % 4 = 0 THEN '-ln(1 - random()) AS x%s'
		WHEN i % 4 = 1 THEN 'floor(random() * 50)::float8 AS x%s'
		ELSE 'random() AS x%s' END, i), ', '))
FROM generate_series(1, 20) AS i \gexec
VACUUM ANALYZE public.logged;
CREATE TABLE public.reference AS SELECT * FROM public.logged LIMIT 50000;

SELECT create_monitor('bench', 'public.logged', 'at', '1 day',
	features => ARRAY(SELECT 'x' || i FROM generate_series(1, 20) AS i),
	segments => '{"segment": "segment"}') AS monitor \gset
SELECT artifact AS dataset FROM snapshot_dataset('reference', 'public.reference') AS artifact \gset
SELECT set_baseline('bench', :'dataset'::artifact) AS baseline \gset
UPDATE monitor_baselines SET period_end = '2026-01-01';

SELECT pg_temp.bench('check', :rows,
	(SELECT 'SELECT date_trunc(''day'', at), segment, '
		|| string_agg(format('avg(x%s)', i), ', ') || ' FROM public.logged GROUP BY 1, 2'
		FROM generate_series(1, 20) AS i),
	jsonb_build_object('check_monitor()',
		'DELETE FROM mlmeta.monitor_results; DELETE FROM mlmeta.monitor_windows;
		SELECT count(*) FROM mlmeta.check_monitor(''bench'', ''2026-01-31'')'),
	'{"check_monitor()": 2.5}', 3);
SELECT jsonb_build_object('suite', 'check', 'name', 'windows and segments', 'count', count(*),
	'bytes_per_feature', round(avg(pg_column_size(profile)) / 20))
FROM monitor_windows;
