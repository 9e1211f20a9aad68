-- http_request(): what clients of MLflow send, and what comes back.
SET search_path = public, mlmeta;
SET client_min_messages = warning;

BEGIN;

-- say(METHOD, PATH below /api/2.0/mlflow/, BODY or arguments): status and answer.
CREATE FUNCTION say(method text, path text, content jsonb DEFAULT '{}', OUT status int, OUT answer jsonb)
LANGUAGE sql AS $$
	SELECT r.status, replace(convert_from(r.body, 'UTF8'), format('"experiment_id": "%s"', i.id), '"experiment_id": "EXP"')::jsonb
	FROM (SELECT coalesce(current_setting('test.experiment', true), '') AS id) AS i
		CROSS JOIN LATERAL (SELECT replace($3::text, '"EXP"', format('"%s"', i.id)) AS text) AS c
		CROSS JOIN LATERAL http_request($1, '/api/2.0/mlflow/' || $2, CASE $1 WHEN 'GET' THEN c.text::jsonb ELSE '{}' END, '{}',
			convert_to(CASE $1 WHEN 'GET' THEN '' ELSE c.text END, 'UTF8')) AS r
$$;
CREATE FUNCTION code(method text, path text, content jsonb DEFAULT '{}') RETURNS text
LANGUAGE sql AS $$ SELECT regexp_replace(concat_ws(' ', s.status, s.answer ->> 'error_code', s.answer ->> 'message'), format('(experiment (with id )?|id=)%s\M', coalesce(nullif(current_setting('test.experiment', true), ''), '?')), '\1EXP') FROM say($1, $2, $3) AS s $$;

-- Routes
SELECT status, convert_from(body, 'UTF8') FROM http_request('GET', '/version');
SELECT code('GET', 'experiments/nothing');
SELECT code('PUT', 'experiments/create');
SELECT status FROM http_request('post', '/ajax-api/2.0/mlflow/experiments/search/');
SELECT status, headers FROM http_request('POST', '/api/2.0/mlflow/experiments/search', NULL, NULL, NULL);
SELECT code('POST', 'traces'), code('GET', 'traces/tr-1/info');

-- Experiments: 0 is there for who names none
SELECT answer #>> '{experiment,name}' FROM say('GET', 'experiments/get', '{"experiment_id": ["0"]}');
SELECT code('POST', 'experiments/delete', '{"experiment_id": "0"}');
SELECT set_config('test.experiment', answer ->> 'experiment_id', false) <> '' FROM say('POST', 'experiments/create', '{"name": "http a", "tags": [{"key": "k", "value": "v"}], "unknown": 1}');
SELECT code('POST', 'experiments/create', '{"name": "http a"}');
SELECT code('POST', 'experiments/create', body) FROM (VALUES ('{}'::jsonb), ('{"name": ""}'), ('{"name": 123}'), ('{"name": "x", "tags": "5"}'),
	('{"name": "x", "artifact_location": 9.5}'), (jsonb_build_object('name', repeat('x', 251)))) AS b (body);
SELECT code('GET', 'experiments/get', '{"experiment_id": "99999"}'), code('GET', 'experiments/get', '{"experiment_id": "x"}'),
	code('GET', 'experiments/get-by-name', '{"experiment_name": "http b"}');
SELECT code('POST', 'experiments/set-experiment-tag', '{"experiment_id": "EXP", "key": "q", "value": "w"}');
SELECT code('POST', 'experiments/delete-experiment-tag', '{"experiment_id": "EXP", "key": "z"}');
SELECT code('POST', 'experiments/update', '{"experiment_id": "EXP", "new_name": "http b"}');
SELECT code('POST', 'experiments/delete', '{"experiment_id": "EXP"}'), code('POST', 'experiments/delete', '{"experiment_id": "EXP"}');
SELECT code('POST', 'runs/create', '{"experiment_id": "EXP"}');
SELECT code('POST', 'experiments/restore', '{"experiment_id": "EXP"}');
SELECT e -> 'name', e -> 'lifecycle_stage', e -> 'tags' FROM say('POST', 'experiments/search', '{"filter": "name LIKE ''http b%'' AND tags.q = ''w''"}'),
	jsonb_array_elements(answer -> 'experiments') AS e;

-- A run
SELECT answer #>> '{run,info,run_id}' AS run FROM say('POST', 'runs/create', '{"experiment_id": "EXP", "user_id": "u", "start_time": 1700000000000,
	"tags": [{"key": "mlflow.user", "value": "ann"}, {"key": "mlflow.runName", "value": "first"}, {"key": "mlflow.source.git.commit", "value": "abc"}]}') \gset
SELECT name, started_at AT TIME ZONE 'UTC', git_commit FROM runs WHERE run = :'run';
SELECT code('POST', 'runs/create', '{"experiment_id": "EXP", "run_name": "a", "tags": [{"key": "mlflow.runName", "value": "b"}]}');
SELECT set_config('test.run', :'run', false) = '';
CREATE FUNCTION to_run(method text, path text, content text) RETURNS text
LANGUAGE sql AS $$ SELECT replace(code($1, $2, jsonb_build_object('run_id', current_setting('test.run')) || $3::jsonb), current_setting('test.run'), 'RUN') $$;

-- Points: numbers, their texts, and what is none
SELECT v, to_run('POST', 'runs/log-metric', '{"key": "m", "timestamp": 1700000000000, "step": 1, "value": ' || v || '}')
FROM unnest(ARRAY['1', '"2"', '"NaN"', '"Infinity"', '"-Infinity"', '"1e3"', '"x"', 'true', 'null', '[]', '1e999']) AS v;
SELECT to_run('POST', 'runs/log-metric', body) FROM (VALUES ('{"key": 31, "value": 1, "timestamp": 1}'), ('{"value": 1, "timestamp": 1}'),
	('{"key": "m", "timestamp": 1}'), ('{"key": "m", "value": 1}'), ('{"key": "m", "value": 1, "timestamp": 1, "step": "x"}'),
	('{"key": "m", "value": 1, "timestamp": 1.5}'), ('{"key": "m", "value": 1, "timestamp": 9000000000000000000}')) AS b (body);
SELECT code('POST', 'runs/log-metric', '{"run_id": 31, "key": "m", "value": 1, "timestamp": 1}'),
	code('POST', 'runs/log-metric', '{"key": "m", "value": 1, "timestamp": 1}'),
	code('POST', 'runs/log-metric', '{"run_id": "nope", "key": "m", "value": 1, "timestamp": 1}');

-- What is sent again is there once, whatever way it took
SELECT to_run('POST', 'runs/log-batch', body)
FROM (SELECT jsonb_build_object('metrics', jsonb_agg(jsonb_build_object('key', CASE WHEN g <= 30 THEN 'many' ELSE 'few' END, 'value', g,
	'timestamp', 1700000000000 + g, 'step', g)))::text AS body FROM generate_series(1, 33) AS g) AS b, generate_series(1, 2);
SELECT to_run('POST', 'runs/log-metric', '{"key": "many", "value": 5, "timestamp": 1700000000005, "step": 5}');
SELECT key, count(*), max(value) FROM metric_points WHERE run = :'run' GROUP BY key ORDER BY key;
SELECT to_run('POST', 'runs/log-batch', '{"metrics": [{"key": "n", "value": "NaN", "timestamp": 1}], "params": [{"key": "p", "value": "1"}]}');
SELECT to_run('POST', 'runs/log-batch', body) FROM (VALUES ('{"metrics": "foo"}'), ('{"metrics": [{"key": "x", "value": 1}]}'), ('{"metrics": [1]}'),
	('{"params": [{"value": "x"}]}'), ('{"params": [{"key": "q", "value": "1"}, {"key": "q", "value": "2"}]}'), ('{"tags": [{"key": "a", "value": 1}]}')) AS b (body);
SELECT to_run('POST', 'runs/log-batch', jsonb_build_object('metrics', jsonb_agg(jsonb_build_object('key', 'k', 'value', 1, 'timestamp', 1)))::text)
FROM generate_series(1, 1001);

-- A parameter is a number for SQL where it is written as one; clients read what they wrote
SELECT to_run('POST', 'runs/log-parameter', jsonb_build_object('key', 'v' || n, 'value', v)::text) = '200'
FROM unnest(ARRAY['0.1', '3', '0.10', '-2', '1e3', '01', '+1', '.5', '5.', 'None', '', ' 1', 'NaN', '123456789012345678901234567890.5', '-0']) WITH ORDINALITY AS x (v, n);
SELECT p.key, jsonb_typeof(p.value), a ->> 'value' FROM run_params AS p
	JOIN LATERAL (SELECT x.value AS a FROM say('GET', 'runs/get', jsonb_build_object('run_uuid', :'run')), jsonb_array_elements(answer #> '{run,data,params}') AS x) AS x
		ON a ->> 'key' = p.key
WHERE p.run = :'run' AND p.key LIKE 'v%' ORDER BY length(p.key), p.key;
SELECT to_run('POST', 'runs/log-parameter', '{"key": "v1", "value": "0.1"}'), to_run('POST', 'runs/log-parameter', '{"key": "v1", "value": "0.10"}');

-- Tags, the name among them
SELECT to_run('POST', 'runs/set-tag', '{"key": "mlflow.runName", "value": "second"}'), to_run('POST', 'runs/set-tag', '{"key": "t", "value": ""}');
SELECT name FROM runs WHERE run = :'run';
SELECT to_run('POST', 'runs/delete-tag', '{"key": "t"}'), to_run('POST', 'runs/delete-tag', '{"key": "t"}');
SELECT x ->> 'key', x ->> 'value' FROM say('GET', 'runs/get', jsonb_build_object('run_id', :'run')), jsonb_array_elements(answer #> '{run,data,tags}') AS x ORDER BY 1;

-- The end, and after it
SELECT to_run('POST', 'runs/update', '{"status": "FINISHED", "end_time": 1600000000000}');
SELECT status, finished_at = started_at FROM runs WHERE run = :'run';
SELECT to_run('POST', 'runs/log-metric', '{"key": "late", "value": 1, "timestamp": 1700000000000}');
SELECT to_run('POST', 'runs/update', '{"status": "gone"}');
SELECT to_run('POST', 'runs/update', '{"status": 4, "end_time": "1700000005000", "run_name": "third"}');
SELECT answer #>> '{run,info,status}', answer #>> '{run,info,end_time}', answer #>> '{run,info,run_name}' FROM say('GET', 'runs/get', jsonb_build_object('run_id', :'run'));
SELECT to_run('POST', 'runs/delete', '{}'), to_run('POST', 'runs/log-metric', '{"key": "late", "value": 1, "timestamp": 1}');
SELECT answer #>> '{run,info,lifecycle_stage}', jsonb_array_length(answer #> '{run,data,metrics}') FROM say('GET', 'runs/get', jsonb_build_object('run_id', :'run'));
SELECT to_run('POST', 'runs/restore', '{}');

-- Parts, whose parent may be named later
SELECT answer #>> '{run,info,run_id}' AS child FROM say('POST', 'runs/create', jsonb_build_object('experiment_id', 'EXP',
	'tags', jsonb_build_array(jsonb_build_object('key', 'mlflow.parentRunId', 'value', :'run')))) \gset
SELECT parent = :'run' FROM runs WHERE run = :'child';
SELECT code('POST', 'runs/set-tag', jsonb_build_object('run_id', :'run', 'key', 'mlflow.parentRunId', 'value', :'run'));

-- Datasets and models in and out
SELECT to_run('POST', 'runs/log-inputs', '{"datasets": [{"tags": [{"key": "mlflow.data.context", "value": "train"}],
	"dataset": {"name": "d", "digest": "5a5c", "source_type": "s3", "source": "{\"uri\": \"s3://b\"}", "schema": "{\"a\": 1}", "profile": "no json"}}]}')
FROM generate_series(1, 2);
SELECT answer #> '{run,inputs}' FROM say('GET', 'runs/get', jsonb_build_object('run_id', :'run'));
SELECT answer FROM say('POST', 'experiments/search-datasets', '{"experiment_ids": ["EXP"]}');
SELECT answer #>> '{model,info,model_id}' AS model FROM say('POST', 'logged-models', jsonb_build_object('experiment_id', 'EXP', 'name', 'lm', 'source_run_id', :'run',
	'params', '[{"key": "C", "value": "1.0"}]'::jsonb)) \gset
SELECT to_run('POST', path, jsonb_build_object('models', jsonb_build_array(jsonb_build_object('model_id', :'model')))::text)
FROM unnest(ARRAY['runs/outputs', 'runs/log-inputs', 'runs/outputs']) AS path;
SELECT jsonb_array_length(answer #> '{run,inputs,model_inputs}'), answer #> '{run,outputs,model_outputs,0,step}' FROM say('GET', 'runs/get', jsonb_build_object('run_id', :'run'));
SELECT count(*) FROM downstream((:'run')::run) WHERE depth = 1 AND node LIKE 'model:lm:%' AND node LIKE '%' || :'model';
SELECT to_run('POST', 'runs/log-metric', jsonb_build_object('key', 'acc', 'value', 0.9, 'timestamp', 1700000000000, 'model_id', :'model', 'dataset_name', 'd', 'dataset_digest', '5a5c')::text);
SELECT m #>> '{data,params,0,value}', m #> '{data,metrics,0,value}', m #>> '{data,metrics,0,dataset_name}', m #>> '{info,status}'
FROM say('POST', 'logged-models/search', '{"experiment_ids": ["EXP"], "filter": "metrics.acc > 0.5 AND params.C = ''1.0''", "order_by": [{"field_name": "metrics.acc", "ascending": false}]}'),
	jsonb_array_elements(answer -> 'models') AS m;
SELECT answer FROM say('POST', 'logged-models/search', '{"experiment_ids": ["EXP"], "filter": "name = ''other''"}');
SELECT answer #>> '{model,info,status}' FROM say('PATCH', 'logged-models/' || :'model', '{"status": "LOGGED_MODEL_READY"}');
SELECT code('PATCH', 'logged-models/' || :'model' || '/tags', '{"tags": [{"key": "a/b", "value": "1"}]}'),
	code('DELETE', 'logged-models/' || :'model' || '/tags/a/b'), code('DELETE', 'logged-models/' || :'model' || '/tags/a/b') LIKE '404 RESOURCE_DOES_NOT_EXIST%';
SELECT code('GET', 'logged-models/m-none');

-- The registry
SELECT code('POST', 'registered-models/create', '{"name": "reg"}'), code('POST', 'registered-models/create', '{"name": "reg"}');
SELECT answer #>> '{model_version,version}', answer #>> '{model_version,run_id}' = :'run', answer #>> '{model_version,source}' = 'models:/' || :'model'
FROM say('POST', 'model-versions/create', jsonb_build_object('name', 'reg', 'source', 'models:/' || :'model'));
SELECT code('POST', 'model-versions/create', '{"name": "reg", "source": "/tmp/x"}') LIKE '400 INVALID_PARAMETER_VALUE Invalid model version source%',
	code('POST', 'model-versions/create', '{"name": "reg", "source": "s3://b/../c"}') LIKE '400 INVALID_PARAMETER_VALUE Invalid model version source%';
SELECT code('POST', 'registered-models/alias', jsonb_build_object('name', 'reg', 'alias', a, 'version', '1')) FROM unnest(ARRAY['champion', 'Latest', 'v1', 'a:b', '']) AS a;
SELECT answer #>> '{model_version,version}', answer #> '{model_version,aliases}' FROM say('GET', 'registered-models/alias', '{"name": "reg", "alias": "champion"}');
SELECT code('GET', 'registered-models/alias', '{"name": "reg", "alias": "none"}'), code('GET', 'model-versions/get', '{"name": "reg", "version": "7"}'),
	code('GET', 'model-versions/get', '{"name": "reg", "version": "x"}'), code('GET', 'registered-models/get', '{"name": "none"}');
SELECT answer ->> 'artifact_uri' = format('mlflow-artifacts:/%s/models/%s/artifacts', current_setting('test.experiment'), :'model') FROM say('GET', 'model-versions/get-download-uri', '{"name": "reg", "version": "1"}');
SELECT reference, purpose FROM model_resolutions WHERE reference LIKE 'reg%' ORDER BY n;
SELECT code('POST', 'model-versions/transition-stage', '{"name": "reg", "version": "1", "stage": "Nowhere"}');
SELECT code('POST', 'model-versions/transition-stage', '{"name": "reg", "version": "1", "stage": "Production"}') LIKE '403 PERMISSION_DENIED Stage Production of model ''reg'' needs approval: request % asks for it.%';
SELECT q.status, q.stage FROM transition_requests AS q JOIN models AS m USING (model_id) WHERE m.model = 'reg';
SELECT set_policy('reg', 'staging', 0);
SELECT answer #>> '{model_version,current_stage}' FROM say('POST', 'model-versions/transition-stage', '{"name": "reg", "version": "1", "stage": "Staging", "archive_existing_versions": true}');
SELECT code('DELETE', 'registered-models/delete', '{"name": "reg"}') LIKE '400 INVALID_PARAMETER_VALUE version 1 of model %';
SELECT code('DELETE', 'registered-models/alias', '{"name": "reg", "alias": "champion"}'), code('DELETE', 'registered-models/alias', '{"name": "reg", "alias": "champion"}');
SELECT answer #>> '{registered_model,name}' FROM say('POST', 'registered-models/rename', '{"name": "reg", "new_name": "new"}');
SELECT code('DELETE', 'registered-models/delete', '{"name": "new"}'), code('POST', 'registered-models/create', '{"name": "new"}'), code('GET', 'model-versions/get', '{"name": "new", "version": "1"}');

-- Events of OpenLineage
SELECT h.status, e.n FROM (VALUES (1, '{"eventType": "COMPLETE", "eventTime": "2024-05-01T12:05:00Z", "producer": "https://example.com/dags",
	"schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent", "run": {"runId": "a43a8523-349f-4296-807f-3354ac491990"},
	"job": {"namespace": "shop", "name": "load"}}'), (2, '{"job": {}}'), (3, 'none')) AS e (n, event)
	CROSS JOIN LATERAL http_request('POST', '/api/v1/lineage', '{}', '{"user-agent": "x"}', convert_to(e.event, 'UTF8')) AS h ORDER BY e.n;

-- Files are taken where the gateway has stored them, and nowhere else
SELECT status FROM http_request('PUT', format('/api/2.0/mlflow-artifacts/artifacts/1/%s/artifacts/a.txt', :'run'));
SELECT status FROM http_request('PUT', format('/api/2.0/mlflow-artifacts/artifacts/1/%s/artifacts/a.txt', :'run'), '{}',
	jsonb_build_object('x-mlmeta-sha256', repeat('ab', 32), 'x-mlmeta-size', '3'));
SELECT status, headers ->> 'x-mlmeta-file' = repeat('ab', 32), headers ->> 'content-type' FROM http_request('GET', format('/api/2.0/mlflow-artifacts/artifacts/1/%s/artifacts/a.txt', :'run'));
SELECT answer -> 'files' FROM say('GET', 'artifacts/list', jsonb_build_object('run_id', :'run'));
SELECT status FROM http_request('GET', '/get-artifact', jsonb_build_object('run_uuid', :'run', 'path', '../a.txt'));

ROLLBACK;
