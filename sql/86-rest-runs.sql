-- MLflow: runs, and what is logged to them.

-- Answers -----------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.rest_status(status text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE status WHEN 'crashed' THEN 'FAILED' ELSE pg_catalog.upper(status) END;

COMMENT ON FUNCTION mlmeta_internal.rest_status(text) IS
	'the status of a run as MLflow calls it, which knows no crash';

CREATE FUNCTION mlmeta_internal.rest_artifact_uri(run mlmeta.runs, experiment_uri text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce((rest_artifact_uri.run).artifact_uri, coalesce(experiment_uri,
	'mlflow-artifacts:/' || (rest_artifact_uri.run).experiment_id) || '/'
	|| mlmeta_internal.run_hex((rest_artifact_uri.run).run) || '/artifacts');

COMMENT ON FUNCTION mlmeta_internal.rest_artifact_uri(mlmeta.runs, text) IS
	'where a run''s files lie: as it says, else below its experiment''s place, else with the gateway';

-- Whom the client says, for filters and pages of clients; who it was, as the
-- database knows it, is runs.user_name.
CREATE FUNCTION mlmeta_internal.rest_user(run mlmeta.runs) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce((
	SELECT t.value
	FROM mlmeta.run_tags AS t
	WHERE t.run OPERATOR(mlmeta.=) (rest_user.run).run AND t.key = 'mlflow.user'
), (rest_user.run).user_name);

COMMENT ON FUNCTION mlmeta_internal.rest_user(mlmeta.runs) IS
	'the user of a run as its client says, else as the database knows it';

CREATE FUNCTION mlmeta_internal.rest_run_info(run mlmeta.runs) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
	'run_id', mlmeta_internal.run_hex((rest_run_info.run).run),
	'run_uuid', mlmeta_internal.run_hex((rest_run_info.run).run),
	'experiment_id', (rest_run_info.run).experiment_id::text,
	'run_name', coalesce((rest_run_info.run).name, ''),
	'user_id', mlmeta_internal.rest_user(run),
	'status', mlmeta_internal.rest_status((rest_run_info.run).status),
	'start_time', mlmeta_internal.rest_ms(
		coalesce((rest_run_info.run).started_at, (rest_run_info.run).created_at)),
	'end_time', mlmeta_internal.rest_ms((rest_run_info.run).finished_at),
	'artifact_uri', mlmeta_internal.rest_artifact_uri(run, (
		SELECT e.artifact_uri
		FROM mlmeta.experiments AS e
		WHERE e.experiment_id = (rest_run_info.run).experiment_id
	)),
	'lifecycle_stage', CASE WHEN (rest_run_info.run).deleted_at IS NULL
		THEN 'active' ELSE 'deleted' END));

COMMENT ON FUNCTION mlmeta_internal.rest_run_info(mlmeta.runs) IS
	'the head of a run as MLflow describes it';

-- The latest point of each metric, also of runs that are deleted or going on,
-- which the views leave out or sum up.
CREATE FUNCTION mlmeta_internal.rest_latest(run mlmeta.run, metric text DEFAULT NULL)
RETURNS TABLE (key text, step bigint, at timestamptz, value float8)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 20
BEGIN ATOMIC
	SELECT DISTINCT ON (mlmeta_internal.metric_label(s.key, s.context))
		mlmeta_internal.metric_label(s.key, s.context), p.step, p.at, p.value
	FROM mlmeta.metric_series AS s
		CROSS JOIN LATERAL (
			(
				SELECT m.step, m.at, m.value
				FROM mlmeta.run_metrics AS m
				WHERE m.series = s.series
				ORDER BY m.step DESC, m.at DESC,
					nullif(m.value, 'NaN'::float8) DESC NULLS LAST
				LIMIT 1
			)
			UNION ALL
			(
				SELECT c.last_step, c.last_at, c.last_value
				FROM mlmeta.metric_chunks AS c
				WHERE c.series = s.series
				ORDER BY c.last_step DESC, c.last_at DESC,
					nullif(c.last_value, 'NaN'::float8) DESC NULLS LAST
				LIMIT 1
			)
		) AS p
	WHERE s.run OPERATOR(mlmeta.=) rest_latest.run
		AND (rest_latest.metric IS NULL OR mlmeta_internal.metric_label(s.key,
			s.context) = rest_latest.metric)
	ORDER BY mlmeta_internal.metric_label(s.key, s.context), p.step DESC,
		p.at DESC, nullif(p.value, 'NaN'::float8) DESC NULLS LAST;
END;

COMMENT ON FUNCTION mlmeta_internal.rest_latest(mlmeta.run, text) IS
	'the latest point of each metric of a run, or of one of them, whatever the state of the run';

CREATE FUNCTION mlmeta_internal.rest_metric_json(
	key text,
	step bigint,
	at timestamptz,
	value float8
) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.jsonb_build_object('key', key, 'value', pg_catalog.to_jsonb(value),
	'timestamp', mlmeta_internal.rest_ms(at), 'step', step);

COMMENT ON FUNCTION mlmeta_internal.rest_metric_json(text, bigint, timestamptz, float8) IS
	'a point of a metric as MLflow describes it; NaN and the infinities are strings';

CREATE FUNCTION mlmeta_internal.rest_run_tags(run mlmeta.runs) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
	SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('key', t.key,
		'value', t.value) ORDER BY t.key)
	FROM (
		SELECT g.key, g.value
		FROM mlmeta.run_tags AS g
		WHERE g.run OPERATOR(mlmeta.=) (rest_run_tags.run).run AND g.key <> 'mlflow.runName'
		UNION ALL
		-- Name and tag are one thing.
		SELECT 'mlflow.runName', (rest_run_tags.run).name
		WHERE (rest_run_tags.run).name IS NOT NULL
	) AS t
);

COMMENT ON FUNCTION mlmeta_internal.rest_run_tags(mlmeta.runs) IS
	'the tags of a run, the name among them';

CREATE FUNCTION mlmeta_internal.rest_run_data(run mlmeta.runs) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
	'metrics', (
		SELECT pg_catalog.jsonb_agg(mlmeta_internal.rest_metric_json(m.key, m.step,
			m.at, m.value))
		FROM mlmeta_internal.rest_latest((rest_run_data.run).run) AS m
	),
	'params', (
		SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('key', p.key,
			'value', p.value #>> '{}') ORDER BY p.key)
		FROM mlmeta.run_params AS p
		WHERE p.run OPERATOR(mlmeta.=) (rest_run_data.run).run
	),
	'tags', mlmeta_internal.rest_run_tags(run)));

COMMENT ON FUNCTION mlmeta_internal.rest_run_data(mlmeta.runs) IS
	'metrics, parameters and tags of a run as MLflow describes them';

-- What a client wrote of a dataset was JSON in a string.
CREATE FUNCTION mlmeta_internal.rest_json_text(content jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN content #>> '{}';

COMMENT ON FUNCTION mlmeta_internal.rest_json_text(jsonb) IS
	'JSON as a text; a string is its content';

CREATE FUNCTION mlmeta_internal.rest_run_inputs(run mlmeta.run) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
	'dataset_inputs', (
		SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_strip_nulls(
			pg_catalog.jsonb_build_object(
				'dataset', pg_catalog.jsonb_build_object(
					'name', mlmeta.name(a.artifact),
					'digest', coalesce(mlmeta.version(a.artifact),
						pg_catalog.left(mlmeta.digest(a.artifact), 8), ''),
					'source_type', coalesce(d.source_type, 'mlmeta'),
					'source', coalesce(d.source, a.artifact::text),
					'schema', mlmeta_internal.rest_json_text(d.schema),
					'profile', mlmeta_internal.rest_json_text(d.profile)),
				'tags', CASE WHEN a.role <> '' THEN pg_catalog.jsonb_build_array(
					pg_catalog.jsonb_build_object('key', 'mlflow.data.context',
						'value', a.role)) END)) ORDER BY a.logged_at)
		FROM mlmeta.run_artifacts AS a
			LEFT JOIN mlmeta.artifact_details AS d
				ON d.run OPERATOR(mlmeta.=) a.run
					AND d.artifact OPERATOR(mlmeta.=) a.artifact
		WHERE a.run OPERATOR(mlmeta.=) rest_run_inputs.run
			AND a.direction = 'used' AND mlmeta.kind(a.artifact) = 'dataset'
	),
	'model_inputs', (
		SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('model_id',
			l.logged_model) ORDER BY l.logged_at, l.logged_model)
		FROM mlmeta.run_logged_models AS l
		WHERE l.run OPERATOR(mlmeta.=) rest_run_inputs.run AND l.direction = 'used'
	)));

COMMENT ON FUNCTION mlmeta_internal.rest_run_inputs(mlmeta.run) IS
	'datasets and models that a run used, as MLflow describes them';

CREATE FUNCTION mlmeta_internal.rest_run_outputs(run mlmeta.run) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object('model_outputs', (
	SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('model_id', l.logged_model,
		'step', l.step) ORDER BY l.step, l.logged_at)
	FROM mlmeta.run_logged_models AS l
	WHERE l.run OPERATOR(mlmeta.=) rest_run_outputs.run AND l.direction = 'produced'
)));

COMMENT ON FUNCTION mlmeta_internal.rest_run_outputs(mlmeta.run) IS
	'logged models that came out of a run, as MLflow describes them';

CREATE FUNCTION mlmeta_internal.rest_run_json(run mlmeta.runs) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.jsonb_build_object(
	'info', mlmeta_internal.rest_run_info(run),
	'data', mlmeta_internal.rest_run_data(run),
	'inputs', mlmeta_internal.rest_run_inputs((rest_run_json.run).run),
	'outputs', mlmeta_internal.rest_run_outputs((rest_run_json.run).run));

COMMENT ON FUNCTION mlmeta_internal.rest_run_json(mlmeta.runs) IS
	'a run as MLflow describes it';

-- Begin, change, end --------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.rest_make_name() RETURNS text
LANGUAGE sql VOLATILE PARALLEL UNSAFE
RETURN (ARRAY['able', 'amber', 'bold', 'brave', 'bright', 'calm', 'clever', 'crisp',
	'dashing', 'eager', 'fancy', 'gentle', 'glad', 'grand', 'hardy', 'honest', 'jolly',
	'keen', 'kind', 'lively', 'lucky', 'mellow', 'merry', 'neat', 'noble', 'patient',
	'proud', 'quick', 'quiet', 'serene', 'sharp', 'silent'])[1 + pg_catalog.floor(
		32 * pg_catalog.random())::int] || '-'
	|| (ARRAY['badger', 'bear', 'bee', 'crane', 'deer', 'dove', 'eagle', 'finch',
	'fox', 'frog', 'goat', 'gull', 'hare', 'hawk', 'heron', 'horse', 'koala', 'lark',
	'lynx', 'mole', 'moose', 'otter', 'owl', 'panda', 'raven', 'robin', 'seal', 'shrew',
	'swan', 'tern', 'toad', 'wren'])[1 + pg_catalog.floor(
		32 * pg_catalog.random())::int] || '-'
	|| pg_catalog.floor(1000 * pg_catalog.random())::int;

COMMENT ON FUNCTION mlmeta_internal.rest_make_name() IS
	'a name for a run that has none: adjective-animal-number';

-- Where a run's code comes from is in tags for MLflow, in columns for us.
CREATE FUNCTION mlmeta_internal.rest_source(tags jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN nullif(pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
	'repository', nullif(coalesce(tags ->> 'mlflow.source.git.repoURL',
		tags ->> 'mlflow.gitRepoURL'), ''),
	'commit', nullif(tags ->> 'mlflow.source.git.commit', ''),
	'branch', nullif(coalesce(tags ->> 'mlflow.source.git.branch',
		tags ->> 'mlflow.gitBranch'), ''),
	'entry_point', nullif(coalesce(tags ->> 'mlflow.project.entryPoint',
		tags ->> 'mlflow.source.name'), ''))), '{}');

COMMENT ON FUNCTION mlmeta_internal.rest_source(jsonb) IS
	'what MLflow''s tags say of where a run''s code comes from, for start_run() and log_source()';

CREATE FUNCTION mlmeta_internal.rest_parent(tags jsonb) RETURNS mlmeta.run
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	id text := tags ->> 'mlflow.parentRunId';
	result mlmeta.run;
BEGIN
	-- A parent that nobody knows is a tag like others, as it is for MLflow.
	IF id COLLATE "C" ~ '^[0-9a-fA-F]{32}$' THEN
		SELECT r.run INTO result
		FROM mlmeta.runs AS r
		WHERE r.run OPERATOR(mlmeta.=) id::mlmeta.run;
	END IF;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_parent(jsonb) IS
	'the run that tags name as the parent; NULL when there is none';

CREATE FUNCTION mlmeta_internal.rest_create_run(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	experiment mlmeta.experiments := mlmeta_internal.rest_find_experiment(
		coalesce(nullif(mlmeta_internal.arg_text(request, 'experiment_id'), ''), '0'),
		true);
	name text := nullif(mlmeta_internal.arg_text(request, 'run_name'), '');
	start_ms bigint := mlmeta_internal.arg_int(request, 'start_time');
	tags jsonb := mlmeta_internal.rest_tags(
		mlmeta_internal.arg_list(request, 'tags'));
	said text := nullif(tags ->> 'mlflow.runName', '');
	made mlmeta.run;
BEGIN
	IF name <> said THEN
		RAISE EXCEPTION 'Both ''run_name'' argument and ''mlflow.runName'' tag are specified, but with different values (run_name=''%'', mlflow.runName=''%'').',
				name, said
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	name := coalesce(name, said, mlmeta_internal.rest_make_name());
	PERFORM mlmeta_internal.rest_check_length('run_name', name, 250);
	made := mlmeta.start_run(experiment.experiment, name,
		tags => tags - 'mlflow.runName',
		parent => mlmeta_internal.rest_parent(tags),
		source => mlmeta_internal.rest_source(tags),
		at => mlmeta_internal.rest_time(nullif(start_ms, 0)));
	RETURN (
		SELECT jsonb_build_object('run', jsonb_build_object(
			'info', mlmeta_internal.rest_run_info(r),
			'data', mlmeta_internal.rest_run_data(r), 'inputs', '{}'::jsonb))
		FROM mlmeta.runs AS r
		WHERE r.run OPERATOR(mlmeta.=) made
	);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_create_run(jsonb) IS
	'POST runs/create';

CREATE FUNCTION mlmeta_internal.rest_set_status(
	run mlmeta.runs,
	status text,
	end_ms bigint
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- Clocks differ: a run does not end before it begins.
	at timestamptz := greatest(mlmeta_internal.rest_time(end_ms), run.started_at);
BEGIN
	IF status NOT IN ('RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED') THEN
		PERFORM mlmeta_internal.http_wrong('status', to_jsonb(status));
	ELSIF status IN ('RUNNING', 'SCHEDULED') THEN
		IF run.status = 'scheduled' AND status = 'RUNNING' THEN
			PERFORM mlmeta.begin_run(run.run);
		ELSIF run.finished_at IS NOT NULL AND status = 'RUNNING' THEN
			PERFORM mlmeta.resume_run(run.run);
		END IF;
	ELSE
		IF run.status = 'scheduled' AND status <> 'KILLED' THEN
			PERFORM mlmeta.begin_run(run.run);
		END IF;
		PERFORM mlmeta.finish_run(run.run, lower(status), at);
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_set_status(mlmeta.runs, text, bigint) IS
	'gives a run the status that MLflow calls so';

CREATE FUNCTION mlmeta_internal.rest_update_run(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old mlmeta.runs := mlmeta_internal.rest_run_of(request);
	name text := nullif(mlmeta_internal.arg_text(request, 'run_name'), '');
	status text := mlmeta_internal.rest_status_argument(request);
	end_ms bigint := nullif(mlmeta_internal.arg_int(request, 'end_time'), 0);
BEGIN
	IF name IS DISTINCT FROM old.name AND name IS NOT NULL THEN
		PERFORM mlmeta_internal.rest_check_length('run_name', name, 250);
		PERFORM mlmeta.rename_run(old.run, name);
	END IF;
	IF status IS NOT NULL THEN
		PERFORM mlmeta_internal.rest_set_status(old, status, end_ms);
	END IF;
	RETURN (
		SELECT jsonb_build_object('run_info', mlmeta_internal.rest_run_info(r))
		FROM mlmeta.runs AS r
		WHERE r.run OPERATOR(mlmeta.=) old.run
	);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_update_run(jsonb) IS
	'POST runs/update';

CREATE FUNCTION mlmeta_internal.rest_status_argument(request jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- Some clients send the number of the status.
	IF jsonb_typeof(request -> 'status') = 'number' THEN
		RETURN coalesce((ARRAY['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED',
			'KILLED'])[(request -> 'status')::int], 'unknown');
	END IF;
	RETURN nullif(mlmeta_internal.arg_text(request, 'status'), '');
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_status_argument(jsonb) IS
	'the status that a request names, by its name or its number';

CREATE FUNCTION mlmeta_internal.rest_delete_run(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old mlmeta.runs := mlmeta_internal.rest_run_of(request, false);
BEGIN
	PERFORM mlmeta.delete_run(old.run);
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_delete_run(jsonb) IS
	'POST runs/delete';

CREATE FUNCTION mlmeta_internal.rest_restore_run(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old mlmeta.runs := mlmeta_internal.rest_run_of(request, false);
BEGIN
	PERFORM mlmeta.restore_run(old.run);
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_restore_run(jsonb) IS
	'POST runs/restore';

CREATE FUNCTION mlmeta_internal.rest_get_run(request jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN jsonb_build_object('run', mlmeta_internal.rest_run_json(
		mlmeta_internal.rest_run_of(request, false)));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_get_run(jsonb) IS
	'GET runs/get';

-- Logging -----------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.rest_dataset(name text, digest text) RETURNS mlmeta.artifact
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN mlmeta.artifact('dataset', name, digest);

COMMENT ON FUNCTION mlmeta_internal.rest_dataset(text, text) IS
	'a dataset of MLflow as an artifact: its digest, which may be anything, is the version';

-- One point, with the names that log_batch() knows.
CREATE FUNCTION mlmeta_internal.rest_point(metric jsonb, path text DEFAULT '')
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	key text;
	value jsonb := metric -> 'value';
	ms bigint;
BEGIN
	IF jsonb_typeof(metric) <> 'object' THEN
		PERFORM mlmeta_internal.http_wrong('metrics' || path, metric);
	END IF;
	key := mlmeta_internal.arg_text(metric, 'key', true);
	PERFORM mlmeta_internal.rest_check_length('Metric name', key, 250);
	IF value IS NULL OR jsonb_typeof(value) = 'null' THEN
		PERFORM mlmeta_internal.http_missing('value');
	ELSIF jsonb_typeof(value) = 'string' AND value #>> '{}' COLLATE "C"
			~ '^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$' THEN
		value := to_jsonb((value #>> '{}')::numeric);
	END IF;
	IF mlmeta_internal.metric_value(value) IS NULL THEN
		PERFORM mlmeta_internal.http_wrong('value', metric -> 'value',
			'It must be a number, or one of the strings NaN, Infinity and -Infinity.');
	END IF;
	ms := mlmeta_internal.arg_int(metric, 'timestamp', true);
	PERFORM mlmeta_internal.rest_time(ms);
	RETURN jsonb_strip_nulls(jsonb_build_object('key', key, 'value', value,
		'step', coalesce(mlmeta_internal.arg_int(metric, 'step'), 0), 'timestamp', ms,
		'logged_model', nullif(mlmeta_internal.arg_text(metric, 'model_id'), ''),
		'dataset', CASE WHEN metric ->> 'dataset_name' <> '' THEN
			mlmeta_internal.rest_dataset(metric ->> 'dataset_name',
				nullif(metric ->> 'dataset_digest', ''))::text END));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_point(jsonb, text) IS
	'a point of a metric as clients send it, checked, in the form of log_batch()';

CREATE FUNCTION mlmeta_internal.rest_log_metric(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	run mlmeta.runs := mlmeta_internal.rest_run_of(request);
	point jsonb := mlmeta_internal.rest_point(request);
BEGIN
	PERFORM mlmeta.log_metric(run.run, point ->> 'key',
		mlmeta_internal.metric_value(point -> 'value'), (point ->> 'step')::bigint,
		mlmeta_internal.rest_time((point ->> 'timestamp')::bigint),
		logged_model => point ->> 'logged_model', dataset => point ->> 'dataset');
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_log_metric(jsonb) IS
	'POST runs/log-metric';

-- The error of a parameter that changes, in the words that clients look for.
CREATE FUNCTION mlmeta_internal.rest_check_params(run mlmeta.run, params jsonb)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	other record;
BEGIN
	SELECT n.key, n.value #>> '{}' AS new, p.value #>> '{}' AS old INTO other
	FROM jsonb_each(params) AS n
		JOIN mlmeta.run_params AS p ON p.key = n.key
			AND p.run OPERATOR(mlmeta.=) rest_check_params.run
	WHERE p.value #>> '{}' <> n.value #>> '{}'
	ORDER BY n.key
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'Changing param values is not allowed. Param with key=''%'' was already logged with value=''%'' for run ID=''%''. Attempted logging new value ''%''.',
				other.key, left(other.old, 500), mlmeta_internal.run_hex(run),
				left(other.new, 500)
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_check_params(mlmeta.run, jsonb) IS
	'raises the error for a parameter that is logged already with another value';

CREATE FUNCTION mlmeta_internal.rest_log_param(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	run mlmeta.runs := mlmeta_internal.rest_run_of(request);
	key text := mlmeta_internal.arg_text(request, 'key', true);
	params jsonb := mlmeta_internal.rest_params(jsonb_build_array(
		jsonb_build_object('key', key, 'value',
			coalesce(mlmeta_internal.arg_text(request, 'value'), ''))));
BEGIN
	PERFORM mlmeta_internal.rest_check_params(run.run, params);
	PERFORM mlmeta.log_params(run.run, params);
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_log_param(jsonb) IS
	'POST runs/log-parameter';

CREATE FUNCTION mlmeta_internal.rest_store_tags(run mlmeta.runs, tags jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	name text := tags ->> 'mlflow.runName';
	source jsonb := mlmeta_internal.rest_source(tags);
	parent mlmeta.run := mlmeta_internal.rest_parent(tags);
BEGIN
	IF name IS DISTINCT FROM run.name AND name <> '' THEN
		PERFORM mlmeta.rename_run(run.run, name);
	END IF;
	IF tags - 'mlflow.runName' <> '{}' THEN
		PERFORM mlmeta.set_tags(run.run, tags - 'mlflow.runName');
	END IF;
	IF parent IS NOT NULL AND NOT coalesce(parent OPERATOR(mlmeta.=) run.parent, false)
			AND NOT parent OPERATOR(mlmeta.=) run.run THEN
		PERFORM mlmeta.set_parent(run.run, parent);
	END IF;
	-- What is recorded already stays; the tags may say something else later.
	source := source - CASE WHEN run.repository IS NULL THEN '' ELSE 'repository' END
		- CASE WHEN run.git_commit IS NULL THEN '' ELSE 'commit' END
		- CASE WHEN run.branch IS NULL THEN '' ELSE 'branch' END
		- CASE WHEN run.entry_point IS NULL THEN '' ELSE 'entry_point' END;
	IF source <> '{}' THEN
		PERFORM mlmeta.log_source(run.run, source);
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_store_tags(mlmeta.runs, jsonb) IS
	'sets tags of a run, and what they mean beside: its name, its parent, where its code comes from';

CREATE FUNCTION mlmeta_internal.rest_set_tag(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	run mlmeta.runs := mlmeta_internal.rest_run_of(request);
	key text := mlmeta_internal.arg_text(request, 'key', true);
	tags jsonb := mlmeta_internal.rest_tags(jsonb_build_array(jsonb_build_object(
		'key', key,
		'value', coalesce(mlmeta_internal.arg_text(request, 'value'), ''))));
BEGIN
	PERFORM mlmeta_internal.rest_store_tags(run, tags);
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_set_tag(jsonb) IS
	'POST runs/set-tag';

CREATE FUNCTION mlmeta_internal.rest_delete_tag(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	run mlmeta.runs := mlmeta_internal.rest_run_of(request);
	name text := mlmeta_internal.arg_text(request, 'key', true);
BEGIN
	IF name = 'mlflow.runName' AND run.name IS NOT NULL THEN
		PERFORM mlmeta.rename_run(run.run, NULL);
		RETURN '{}';
	ELSIF NOT EXISTS (SELECT FROM mlmeta.run_tags AS t
			WHERE t.run OPERATOR(mlmeta.=) run.run
				AND t.key = name) THEN
		RAISE EXCEPTION 'No tag with name: % in run with id %', name,
				mlmeta_internal.run_hex(run.run)
			USING ERRCODE = 'undefined_object';
	END IF;
	PERFORM mlmeta.set_tags(run.run, jsonb_build_object(name, NULL));
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_delete_tag(jsonb) IS
	'POST runs/delete-tag';

CREATE FUNCTION mlmeta_internal.rest_check_batch(what text, n int, most int)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF n > most THEN
		RAISE EXCEPTION 'A batch logging request can contain at most % %. Got % %. Please split up % across multiple requests and try again.',
				most, what, n, what, what
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_check_batch(text, int, int) IS
	'raises the error for a batch that holds too many of something';

-- Whether all points are numbers at times, of the run alone: those are most, and
-- need no look at each.
CREATE FUNCTION mlmeta_internal.rest_are_plain(list jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.jsonb_array_length(list) = pg_catalog.jsonb_array_length(
	pg_catalog.jsonb_path_query_array(list, '$[*] ? (@.key.type() == "string"
		&& @.key != "" && @.value.type() == "number" && @.timestamp.type() == "number"
		&& @.timestamp >= 0 && @.timestamp <= 250000000000000
		&& !exists (@.step ? (@.type() != "number"))
		&& !exists (@.model_id ? (@ != "")) && !exists (@.dataset_name ? (@ != "")))'));

COMMENT ON FUNCTION mlmeta_internal.rest_are_plain(jsonb) IS
	'whether all points of a list, as clients send them, are plain numbers of a run';

-- Many points of one metric are one packed value, see log_series(); of others a
-- row each. The same points again are the same points either way.
CREATE FUNCTION mlmeta_internal.rest_log_points(run mlmeta.run, list jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	many CONSTANT int := 20;
	series record;
	few jsonb;
BEGIN
	IF NOT mlmeta_internal.rest_are_plain(list) THEN
		PERFORM mlmeta.log_batch(run, (
			SELECT jsonb_agg(mlmeta_internal.rest_point(e.metric,
				'[' || (e.n - 1) || ']') ORDER BY e.n)
			FROM jsonb_array_elements(list) WITH ORDINALITY AS e (metric, n)
		));
		RETURN;
	END IF;
	FOR series IN
		SELECT p.key, count(*) AS n, array_agg(coalesce(p.step, 0)) AS steps,
			array_agg(p.value) AS points,
			array_agg(timestamptz '1970-01-01 00:00:00+00'
				+ p."timestamp" * interval '1 millisecond') AS times,
			jsonb_agg(jsonb_build_object('key', p.key, 'value', p.value, 'step',
				coalesce(p.step, 0), 'timestamp', p."timestamp"))
				FILTER (WHERE p.n < many) AS one_by_one
		FROM (
			SELECT q.*, count(*) OVER (PARTITION BY q.key) AS n
			FROM jsonb_to_recordset(list)
				AS q (key text, value float8, step bigint, "timestamp" bigint)
		) AS p
		GROUP BY p.key
		ORDER BY p.key
	LOOP
		PERFORM mlmeta_internal.rest_check_length('Metric name', series.key, 250);
		IF series.n >= many THEN
			PERFORM mlmeta.log_series(run, series.key, series.steps, series.points,
				series.times);
		ELSE
			few := coalesce(few, '[]') || series.one_by_one;
		END IF;
	END LOOP;
	IF few IS NOT NULL THEN
		PERFORM mlmeta.log_batch(run, few);
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_log_points(mlmeta.run, jsonb) IS
	'logs a list of points as clients send them';

CREATE FUNCTION mlmeta_internal.rest_log_batch(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	metrics jsonb := mlmeta_internal.arg_list(request, 'metrics');
	params jsonb := mlmeta_internal.arg_list(request, 'params');
	tags jsonb := mlmeta_internal.arg_list(request, 'tags');
	run mlmeta.runs;
BEGIN
	IF mlmeta_internal.arg_text(request, 'run_id') IS NULL THEN
		PERFORM mlmeta_internal.arg_text(request, 'run_uuid', true);
	END IF;
	PERFORM mlmeta_internal.rest_check_batch('metrics', jsonb_array_length(metrics), 1000);
	PERFORM mlmeta_internal.rest_check_batch('params', jsonb_array_length(params), 100);
	PERFORM mlmeta_internal.rest_check_batch('tags', jsonb_array_length(tags), 100);
	PERFORM mlmeta_internal.rest_check_batch('metrics, params, and tags',
		jsonb_array_length(metrics) + jsonb_array_length(params)
		+ jsonb_array_length(tags), 1000);
	params := mlmeta_internal.rest_params(params);
	tags := mlmeta_internal.rest_tags(tags);
	run := mlmeta_internal.rest_run_of(request);
	IF params <> '{}' THEN
		PERFORM mlmeta_internal.rest_check_params(run.run, params);
	END IF;
	IF params <> '{}' THEN
		PERFORM mlmeta.log_params(run.run, params);
	END IF;
	IF metrics <> '[]' THEN
		PERFORM mlmeta_internal.rest_log_points(run.run, metrics);
	END IF;
	IF tags <> '{}' THEN
		PERFORM mlmeta_internal.rest_store_tags(run, tags);
	END IF;
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_log_batch(jsonb) IS
	'POST runs/log-batch';

-- Inputs and outputs --------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.rest_parse_json(content text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN content::jsonb;
EXCEPTION WHEN data_exception THEN
	RETURN to_jsonb(content);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_parse_json(text) IS
	'a text that should be JSON, as JSON; one that is not, as a string';

CREATE FUNCTION mlmeta_internal.rest_log_dataset(run mlmeta.runs, input jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	dataset jsonb := input -> 'dataset';
	tags jsonb := mlmeta_internal.rest_tags(
		mlmeta_internal.arg_list(input, 'tags'), 'datasets.tags');
	artifact mlmeta.artifact;
BEGIN
	IF jsonb_typeof(dataset) IS DISTINCT FROM 'object' THEN
		PERFORM mlmeta_internal.http_missing('dataset');
	END IF;
	PERFORM mlmeta_internal.rest_check_length('Dataset name',
		mlmeta_internal.arg_text(dataset, 'name', true), 500);
	PERFORM mlmeta_internal.rest_check_length('Dataset digest',
		mlmeta_internal.arg_text(dataset, 'digest', true), 36);
	artifact := mlmeta_internal.rest_dataset(dataset ->> 'name',
		dataset ->> 'digest');
	PERFORM mlmeta.use_artifact(run.run, artifact,
		left(tags ->> 'mlflow.data.context', 250));
	PERFORM mlmeta.describe_artifact(run.run, artifact,
		mlmeta_internal.arg_text(dataset, 'source_type'),
		mlmeta_internal.arg_text(dataset, 'source'),
		mlmeta_internal.rest_parse_json(mlmeta_internal.arg_text(dataset, 'schema')),
		mlmeta_internal.rest_parse_json(mlmeta_internal.arg_text(dataset, 'profile')));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_log_dataset(mlmeta.runs, jsonb) IS
	'records that a run used a dataset, and what the client says of it';

CREATE FUNCTION mlmeta_internal.rest_log_inputs(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	run mlmeta.runs := mlmeta_internal.rest_run_of(request);
BEGIN
	PERFORM mlmeta_internal.rest_log_dataset(run, d.input)
	FROM jsonb_array_elements(mlmeta_internal.arg_list(request, 'datasets'))
		WITH ORDINALITY AS d (input, n)
	ORDER BY d.n;
	PERFORM mlmeta.log_run_model(run.run,
		mlmeta_internal.arg_text(m.input, 'model_id', true), 'used')
	FROM jsonb_array_elements(mlmeta_internal.arg_list(request, 'models')) AS m (input);
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_log_inputs(jsonb) IS
	'POST runs/log-inputs';

CREATE FUNCTION mlmeta_internal.rest_log_outputs(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	run mlmeta.runs := mlmeta_internal.rest_run_of(request);
BEGIN
	PERFORM mlmeta.log_run_model(run.run,
		mlmeta_internal.arg_text(m.output, 'model_id', true), 'produced',
		coalesce(mlmeta_internal.arg_int(m.output, 'step'), 0))
	FROM jsonb_array_elements(mlmeta_internal.arg_list(request, 'models')) AS m (output);
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_log_outputs(jsonb) IS
	'POST runs/outputs';

-- Clients before 3 describe a model in a tag of its run.
CREATE FUNCTION mlmeta_internal.rest_log_model(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	run mlmeta.runs := mlmeta_internal.rest_run_of(request);
	model jsonb := mlmeta_internal.rest_parse_json(
		mlmeta_internal.arg_text(request, 'model_json', true));
	tag CONSTANT text := 'mlflow.log-model.history';
	history jsonb;
BEGIN
	IF jsonb_typeof(model) <> 'object' THEN
		RAISE EXCEPTION 'Malformed model info. % is not valid JSON.',
				left(request ->> 'model_json', 200)
			USING ERRCODE = 'invalid_parameter_value';
	ELSIF NOT model ?& ARRAY['artifact_path', 'flavors', 'utc_time_created', 'run_id'] THEN
		RAISE EXCEPTION 'Model json is missing mandatory fields: artifact_path, flavors, utc_time_created, run_id'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT mlmeta_internal.rest_parse_json(t.value) INTO history
	FROM mlmeta.run_tags AS t
	WHERE t.run OPERATOR(mlmeta.=) run.run AND t.key = tag;
	history := CASE jsonb_typeof(history) WHEN 'array' THEN history ELSE '[]' END;
	-- The same once more is a repetition.
	IF NOT EXISTS (SELECT FROM jsonb_array_elements(history) AS h (entry)
			WHERE h.entry = model) THEN
		PERFORM mlmeta.set_tags(run.run, jsonb_build_object(tag,
			(history || jsonb_build_array(model))::text));
	END IF;
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_log_model(jsonb) IS
	'POST runs/log-model';

-- History -----------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.rest_points_of(run mlmeta.run, metric text)
RETURNS TABLE (step bigint, at timestamptz, value float8)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
BEGIN ATOMIC
	SELECT m.step, m.at, m.value
	FROM mlmeta.metric_series AS s
		JOIN mlmeta.run_metrics AS m ON m.series = s.series
	WHERE s.run OPERATOR(mlmeta.=) rest_points_of.run
		AND mlmeta_internal.metric_label(s.key, s.context) = rest_points_of.metric
	UNION
	SELECT p.step, p.at, p.value
	FROM mlmeta.metric_series AS s
		JOIN mlmeta.metric_chunks AS c ON c.series = s.series
		CROSS JOIN LATERAL mlmeta.unpack_series(c.points) AS p
	WHERE s.run OPERATOR(mlmeta.=) rest_points_of.run
		AND mlmeta_internal.metric_label(s.key, s.context) = rest_points_of.metric;
END;

COMMENT ON FUNCTION mlmeta_internal.rest_points_of(mlmeta.run, text) IS
	'every point of a metric of a run once, also of a deleted one';

CREATE FUNCTION mlmeta_internal.rest_metric_history(request jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	run mlmeta.runs := mlmeta_internal.rest_run_of(request, false);
	key text := mlmeta_internal.arg_text(request, 'metric_key', true);
	wanted bigint := mlmeta_internal.arg_int(request, 'max_results');
	skipped bigint := mlmeta_internal.rest_offset(
		mlmeta_internal.arg_text(request, 'page_token'));
	points jsonb;
	n bigint;
BEGIN
	-- Without a page all come at once, as they do from MLflow.
	IF wanted IS NOT NULL THEN
		wanted := least(mlmeta_internal.rest_max_results(request, 25000, 1000000),
			25000);
	ELSIF skipped > 0 THEN
		wanted := 25000;
	END IF;
	SELECT jsonb_agg(mlmeta_internal.rest_metric_json(key, p.step, p.at, p.value)
		ORDER BY p.at, p.step, p.value), count(*)
	INTO points, n
	FROM (
		SELECT q.step, q.at, q.value
		FROM mlmeta_internal.rest_points_of(run.run, key) AS q
		ORDER BY q.at, q.step, q.value
		OFFSET skipped
		LIMIT wanted + 1
	) AS p;
	IF n > wanted THEN
		RETURN jsonb_build_object('metrics', points - (-1),
			'next_page_token', mlmeta_internal.rest_token(skipped + wanted));
	END IF;
	RETURN jsonb_strip_nulls(jsonb_build_object('metrics', points));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_metric_history(jsonb) IS
	'GET metrics/get-history';

CREATE FUNCTION mlmeta_internal.rest_runs_of(request jsonb, most int)
RETURNS SETOF mlmeta.run
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ids text[] := mlmeta_internal.arg_texts(request,
		CASE WHEN request ? 'run_ids' THEN 'run_ids' ELSE 'run_id' END);
BEGIN
	IF cardinality(ids) = 0 THEN
		RAISE EXCEPTION 'GetMetricHistoryBulk request must specify at least one run_id.'
			USING ERRCODE = 'invalid_parameter_value';
	ELSIF cardinality(ids) > most THEN
		RAISE EXCEPTION 'GetMetricHistoryBulk request cannot specify more than % run_ids. Received % run_ids.',
				most, cardinality(ids)
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN QUERY SELECT (mlmeta_internal.rest_find_run(i.id)).run
	FROM unnest(ids) AS i (id);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_runs_of(jsonb, int) IS
	'the runs that a request for many names';

CREATE FUNCTION mlmeta_internal.rest_metric_history_bulk(request jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	key text := mlmeta_internal.arg_text(request, 'metric_key', true);
	most int := mlmeta_internal.rest_max_results(request, 25000, 25000);
BEGIN
	RETURN (
		SELECT jsonb_build_object('metrics', coalesce(jsonb_agg(
			mlmeta_internal.rest_metric_json(key, p.step, p.at, p.value)
			|| jsonb_build_object('run_id', mlmeta_internal.run_hex(p.run))
			ORDER BY p.run::text, p.at, p.step, p.value), '[]'))
		FROM (
			SELECT r.run, q.step, q.at, q.value
			FROM mlmeta_internal.rest_runs_of(request, 100) AS r (run)
				CROSS JOIN LATERAL mlmeta_internal.rest_points_of(r.run, key) AS q
			ORDER BY r.run::text, q.at, q.step, q.value
			LIMIT most
		) AS p
	);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_metric_history_bulk(jsonb) IS
	'GET metrics/get-history-bulk';

CREATE FUNCTION mlmeta_internal.rest_metric_history_interval(request jsonb)
RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	key text := mlmeta_internal.arg_text(request, 'metric_key', true);
	most int := mlmeta_internal.rest_max_results(request, 320, 2500);
	low bigint := mlmeta_internal.arg_int(request, 'start_step');
	high bigint := mlmeta_internal.arg_int(request, 'end_step');
	result jsonb;
BEGIN
	IF (low IS NULL) <> (high IS NULL) THEN
		RAISE EXCEPTION 'If either start step or end step are specified, both must be specified.'
			USING ERRCODE = 'invalid_parameter_value';
	ELSIF low > high THEN
		RAISE EXCEPTION 'end_step must be greater than start_step. Found start_step=% and end_step=%.', low, high
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	-- Of each run steps at even distances, the first and the last among them
	SELECT jsonb_agg(mlmeta_internal.rest_metric_json(key, p.step, p.at, p.value)
		|| jsonb_build_object('run_id', mlmeta_internal.run_hex(p.run))
		ORDER BY p.run::text, p.step, p.at)
	INTO result
	FROM (
		SELECT r.run, q.step, q.at, q.value,
			dense_rank() OVER (PARTITION BY r.run::text ORDER BY q.step) AS place,
			count(*) OVER (PARTITION BY r.run::text) AS n
		FROM mlmeta_internal.rest_runs_of(request, 100) AS r (run)
			CROSS JOIN LATERAL mlmeta_internal.rest_points_of(r.run, key) AS q
		WHERE q.step BETWEEN coalesce(low, q.step) AND coalesce(high, q.step)
	) AS p
	WHERE p.n <= most OR p.place % ceil(p.n::numeric / most)::bigint = 1
		OR p.place = p.n;
	RETURN jsonb_strip_nulls(jsonb_build_object('metrics', result));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_metric_history_interval(jsonb) IS
	'GET metrics/get-history-bulk-interval';
