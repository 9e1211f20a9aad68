-- Searching runs with filters and orders of MLflow.
SET search_path = public, mlmeta;
SET client_min_messages = warning;

BEGIN;

SELECT create_experiment('http e') AS e, create_experiment('http other') AS o \gset
SELECT set_config('test.e', :'e', false) <> '', set_config('test.o', :'o', false) <> '';

-- r1 to r6, ended but the last; r3 has a NaN, r4 an infinity, r5 no metric
CREATE TABLE made AS
SELECT n, start_run('http e', 'r' || n, jsonb_build_object('lr', round(n::numeric / 10, 1), 'kind', CASE WHEN n % 2 = 0 THEN 'even' ELSE 'Odd' END),
	jsonb_build_object('team', CASE WHEN n < 3 THEN 'a' ELSE 'b' END), at => timestamptz '2024-01-01 00:00+00' + n * interval '1 day') AS run
FROM generate_series(1, 6) AS n;
SELECT count(log_metric(run, 'acc', v, n, timestamptz '2024-02-01 00:00+00')) FROM made JOIN (VALUES (1, 0.5), (2, 0.9), (3, 'NaN'), (4, 'Infinity'), (6, 0.7)) AS x (n, v) USING (n);
SELECT count(log_metric(run, 'acc', 0.1, 0, timestamptz '2024-01-01 00:00+00')), count(log_metric(run, 'acc', n, 1, now(), 'val')) FROM made WHERE n <> 5;
SELECT count(finish_run(run, CASE n WHEN 4 THEN 'failed' ELSE 'finished' END, timestamptz '2024-03-01 00:00+00')) FROM made WHERE n < 6;
SELECT use_artifact(run, 'dataset:train:d1', 'fit'), use_artifact(run, 'dataset:test:d2', 'eval') FROM made WHERE n = 2;
SELECT start_run('http other', 'elsewhere', '{"lr": 0.1}') IS NOT NULL;

-- find(FILTER, ORDER): the names that are found, or the error.
CREATE FUNCTION find(filter text, clauses text[] DEFAULT '{}', more jsonb DEFAULT '{}') RETURNS text
LANGUAGE sql AS $$
	SELECT coalesce(a.answer ->> 'message', (SELECT string_agg(r.value #>> '{info,run_name}', ' ' ORDER BY r.n)
		FROM jsonb_array_elements(a.answer -> 'runs') WITH ORDINALITY AS r (value, n)), 'none')
	FROM (SELECT convert_from(h.body, 'UTF8')::jsonb AS answer
		FROM http_request('POST', '/api/2.0/mlflow/runs/search', '{}', '{}', convert_to((jsonb_build_object('experiment_ids', jsonb_build_array(current_setting('test.e')),
			'filter', $1, 'order_by', to_jsonb($2)) || $3)::text, 'UTF8')) AS h) AS a
$$;

SELECT find(''), find('', '{start_time}'), find('', '{}', '{"experiment_ids": []}'), find('', '{start_time}', jsonb_build_object('experiment_ids', jsonb_build_array(:'e', :'o', 'x')));
-- The latest value counts; NaN is no number, and what is absent is not compared
SELECT f, find(f, '{run_name}') FROM unnest(ARRAY['metrics.acc > 0.6', 'metrics.acc < 1', 'metrics.acc = 0.5', 'metrics.acc != 0.5', 'metrics.acc >= 1e308', 'metrics.acc < 1e999',
	'metrics.none > 0', 'metrics.`val/acc` > 4', 'metrics.acc > 0.6 AND metrics.acc < 0.8', 'metric.acc > 0.1 and metrics."val/acc" = 2']) AS f;
SELECT f, find(f, '{run_name}') FROM unnest(ARRAY['params.lr = ''0.1''', 'params.kind = ''even''', 'params.kind LIKE ''o%''', 'params.kind ILIKE ''o%''', 'params.kind != ''even''', 'params.none != ''x''',
	'tags.team = "a"', 'tags.team != ''a''', 'tags.`team` LIKE ''%''', 'tags.mlflow.runName = ''r2''', 'run_name = ''r3''', 'attributes.status = ''FAILED''', 'status != ''FINISHED''',
	'start_time > 1704326400000', 'end_time > 0', 'created < 1704240000000', 'user_id = ''nobody''', 'artifact_uri LIKE ''mlflow-artifacts:/%/artifacts''',
	'dataset.name = ''train''', 'dataset.digest IN (''d2'', ''x'')', 'dataset.context = ''fit'' AND dataset.name = ''test''', 'dataset.name NOT IN (''train'')']) AS f;
SELECT find(format('run_id = %L', run::uuid::text)), find(format('run_id = %L', replace(run::uuid::text, '-', ''))), find(format('run_id IN (%L, %L)', replace(run::uuid::text, '-', ''), 'x')),
	find(format('run_id NOT IN (%L)', replace(run::uuid::text, '-', '')), '{run_name}'), find(format('run_id LIKE %L', left(replace(run::uuid::text, '-', ''), 31) || '_')) FROM made WHERE n = 2;
-- Numbers, then NaN, then what is missing, both ways
SELECT o, find('', o) FROM (VALUES (ARRAY['metrics.acc']), ('{metrics.acc DESC}'), ('{params.kind,metrics.acc ASC}'), ('{tags.team DESC,start_time}'), ('{end_time,run_name DESC}'), ('{params.none}'), ('{status ASC}')) AS x (o);
SELECT o, find('', o) FROM (VALUES (ARRAY['']), ('{acc}'), ('{metrics.acc DOWN}'), ('{metrics.acc,metrics.acc DESC}'), ('{" start_time"}'), (ARRAY['dataset.name'])) AS x (o);
SELECT f, find(f) FROM unnest(ARRAY['metrics.acc', 'metrics.acc > ''1''', 'params.lr = 1', 'params.lr > ''1''', 'foo = 1', 'metrics.acc ~ 1', 'status IN (''x'')', 'run_id IN ()', ' ', '1 = 1',
	'metrics.acc > 1 OR metrics.acc < 0', 'metrics.acc > 1; SELECT 1', 'tags.x = ''a'' --', 'tags.`x'' OR true` = ''a''', 'tags.x = '''' OR ''''=''''']) AS f;

-- Pages
SELECT find('', '{start_time}', '{"max_results": 2}');
SELECT find('', '{start_time}', jsonb_build_object('max_results', 2, 'page_token', convert_from(h.body, 'UTF8')::jsonb ->> 'next_page_token'))
FROM http_request('POST', '/api/2.0/mlflow/runs/search', '{}', '{}', convert_to(format('{"experiment_ids": ["%s"], "order_by": ["start_time"], "max_results": 2}', :'e'), 'UTF8')) AS h;
SELECT find('', '{}', more) FROM unnest(ARRAY['{"page_token": "x"}', '{"max_results": 0}', '{"max_results": 50001}', '{"max_results": "two"}', '{"run_view_type": "SOME"}', '{"filter": 1}']::jsonb[]) AS more;

-- What is deleted, with its values
SELECT delete_run(run) FROM made WHERE n IN (1, 2);
SELECT find('metrics.acc > 0.4', '{metrics.acc}'), find('metrics.acc > 0.4', '{metrics.acc}', '{"run_view_type": "DELETED_ONLY"}'), find('metrics.acc > 0.4', '{metrics.acc}', '{"run_view_type": "ALL"}');

-- History
SELECT status, m ->> 'value', m ->> 'step' FROM made, http_request('GET', '/ajax-api/2.0/mlflow/metrics/get-history-bulk', jsonb_build_object('metric_key', 'acc', 'run_id',
	jsonb_build_array(run::text))), jsonb_array_elements(convert_from(body, 'UTF8')::jsonb -> 'metrics') AS m WHERE n = 1;
SELECT log_series(run, 'long', array_agg(g), array_agg(g / 10.0), array_agg(timestamptz '2024-01-01' + g * interval '1 s')) FROM made, generate_series(1, 1000) AS g WHERE n = 6 GROUP BY run;
SELECT jsonb_array_length(answer -> 'metrics') AS n, answer ? 'next_page_token' AS more
FROM made, LATERAL (VALUES ('{}'::jsonb), ('{"max_results": "300"}')) AS v (more), LATERAL (SELECT convert_from(body, 'UTF8')::jsonb AS answer FROM http_request('GET', '/api/2.0/mlflow/metrics/get-history',
	jsonb_build_object('metric_key', 'long', 'run_id', run::text) || v.more)) AS h WHERE n = 6;
SELECT jsonb_array_length(answer -> 'metrics') <= 101, answer #> '{metrics,0,step}', answer #> '{metrics,-1,step}'
FROM made, LATERAL (SELECT convert_from(body, 'UTF8')::jsonb AS answer FROM http_request('GET', '/api/2.0/mlflow/metrics/get-history-bulk-interval',
	jsonb_build_object('metric_key', 'long', 'run_ids', run::text, 'max_results', '100', 'start_step', '100', 'end_step', '999'))) AS h WHERE n = 6;

ROLLBACK;
