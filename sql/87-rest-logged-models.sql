-- MLflow: logged models.

-- Readers do not see the column uri: it is asked for only where it can be read.
CREATE FUNCTION mlmeta_internal.rest_logged_model_uri(id text, number bigint)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result text;
BEGIN
	IF has_column_privilege('mlmeta.logged_models', 'uri', 'SELECT') THEN
		SELECT m.uri INTO result
		FROM mlmeta.logged_models AS m
		WHERE m.id = rest_logged_model_uri.id;
	END IF;
	RETURN coalesce(result, coalesce((
		SELECT e.artifact_uri
		FROM mlmeta.experiments AS e
		WHERE e.experiment_id = number
	), 'mlflow-artifacts:/' || number) || '/models/' || id || '/artifacts');
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_logged_model_uri(text, bigint) IS
	'where a logged model lies: as it says, else below its experiment''s place, else with the gateway';

CREATE FUNCTION mlmeta_internal.rest_logged_metrics(id text)
RETURNS TABLE (run mlmeta.run, key text, dataset text, step bigint, at timestamptz,
	value float8)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10
BEGIN ATOMIC
	SELECT DISTINCT ON (s.run::text, s.key, s.context, s.dataset)
		s.run, mlmeta_internal.metric_label(s.key, s.context), s.dataset,
		p.step, p.at, p.value
	FROM mlmeta.metric_series AS s
		CROSS JOIN LATERAL (
			SELECT m.step, m.at, m.value
			FROM mlmeta.run_metrics AS m
			WHERE m.series = s.series
			UNION ALL
			SELECT c.last_step, c.last_at, c.last_value
			FROM mlmeta.metric_chunks AS c
			WHERE c.series = s.series
		) AS p
	WHERE s.logged_model = rest_logged_metrics.id
	ORDER BY s.run::text, s.key, s.context, s.dataset, p.step DESC, p.at DESC,
		nullif(p.value, 'NaN'::float8) DESC NULLS LAST;
END;

COMMENT ON FUNCTION mlmeta_internal.rest_logged_metrics(text) IS
	'the latest point of each metric of a logged model, by run and dataset';

CREATE FUNCTION mlmeta_internal.rest_logged_model_json(id text) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	metrics jsonb;
BEGIN
	SELECT jsonb_agg(jsonb_strip_nulls(mlmeta_internal.rest_metric_json(x.key, x.step,
		x.at, x.value) || jsonb_build_object('model_id', id,
		'run_id', mlmeta_internal.run_hex(x.run),
		'dataset_name', mlmeta.name(x.dataset::mlmeta.artifact),
		'dataset_digest', mlmeta.version(x.dataset::mlmeta.artifact))))
	INTO metrics
	FROM mlmeta_internal.rest_logged_metrics(id) AS x;
	RETURN (
		SELECT jsonb_build_object('info', jsonb_strip_nulls(jsonb_build_object(
			'model_id', m.id, 'experiment_id', m.experiment_id::text, 'name', m.name,
			'creation_timestamp_ms', mlmeta_internal.rest_ms(m.created_at),
			'last_updated_timestamp_ms', mlmeta_internal.rest_ms(m.changed_at),
			'artifact_uri', mlmeta_internal.rest_logged_model_uri(m.id, m.experiment_id),
			'status', 'LOGGED_MODEL_' || CASE m.status WHEN 'failed'
				THEN 'UPLOAD_FAILED' ELSE upper(m.status) END,
			'model_type', coalesce(m.model_type, ''),
			'source_run_id', coalesce(mlmeta_internal.run_hex(m.run), ''),
			'tags', mlmeta_internal.rest_pairs(m.tags))),
			'data', jsonb_strip_nulls(jsonb_build_object(
				'params', mlmeta_internal.rest_pairs(m.params), 'metrics', metrics)))
		FROM mlmeta.logged_models AS m
		WHERE m.id = rest_logged_model_json.id
	);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_logged_model_json(text) IS
	'a logged model as MLflow describes it';

CREATE FUNCTION mlmeta_internal.rest_logged_model_of(request jsonb) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted text := mlmeta_internal.arg_text(request, 'model_id', true);
BEGIN
	IF NOT EXISTS (SELECT FROM mlmeta.logged_models AS m
			WHERE m.id = wanted AND m.deleted_at IS NULL) THEN
		RAISE EXCEPTION 'Logged model with ID ''%'' not found.', left(wanted, 300)
			USING ERRCODE = 'undefined_object';
	END IF;
	RETURN wanted;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_logged_model_of(jsonb) IS
	'the logged model that a request names, which the caller sees';

CREATE FUNCTION mlmeta_internal.rest_create_logged_model(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	experiment mlmeta.experiments := mlmeta_internal.rest_find_experiment(
		mlmeta_internal.arg_text(request, 'experiment_id', true), true);
	source text := nullif(mlmeta_internal.arg_text(request, 'source_run_id'), '');
	name text := coalesce(nullif(mlmeta_internal.arg_text(request, 'name'), ''),
		mlmeta_internal.rest_make_name());
	run mlmeta.runs;
	id text;
BEGIN
	IF source IS NOT NULL THEN
		run := mlmeta_internal.rest_run_of(jsonb_build_object('run_id', source));
		IF run.experiment_id <> experiment.experiment_id THEN
			RAISE EXCEPTION 'Run % belongs to experiment %, not to %.', source,
					run.experiment_id, experiment.experiment_id
				USING ERRCODE = 'invalid_parameter_value';
		END IF;
	END IF;
	IF name ~ '[/:.%"'']' THEN
		RAISE EXCEPTION 'Invalid model name: ''%''. Model name cannot contain the following characters: / : . %% " ''', left(name, 200)
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	id := mlmeta.create_logged_model(name, run.run,
		CASE WHEN run.run IS NULL THEN experiment.experiment END,
		mlmeta_internal.rest_params(mlmeta_internal.arg_list(request, 'params')),
		mlmeta_internal.rest_tags(mlmeta_internal.arg_list(request, 'tags')), NULL,
		nullif(mlmeta_internal.arg_text(request, 'model_type'), ''));
	RETURN jsonb_build_object('model', mlmeta_internal.rest_logged_model_json(id));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_create_logged_model(jsonb) IS
	'POST logged-models';

CREATE FUNCTION mlmeta_internal.rest_get_logged_model(request jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN jsonb_build_object('model', mlmeta_internal.rest_logged_model_json(
		mlmeta_internal.rest_logged_model_of(request)));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_get_logged_model(jsonb) IS
	'GET logged-models/ID';

CREATE FUNCTION mlmeta_internal.rest_finalize_logged_model(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	id text := mlmeta_internal.rest_logged_model_of(request);
	status text;
BEGIN
	status := CASE request ->> 'status'
		WHEN 'LOGGED_MODEL_PENDING' THEN 'pending' WHEN '1' THEN 'pending'
		WHEN 'LOGGED_MODEL_READY' THEN 'ready' WHEN '2' THEN 'ready'
		WHEN 'LOGGED_MODEL_UPLOAD_FAILED' THEN 'failed' WHEN '3' THEN 'failed' END;
	IF status IS NULL THEN
		PERFORM mlmeta_internal.arg_text(request, 'status', true);
		PERFORM mlmeta_internal.http_wrong('status', request -> 'status');
	END IF;
	PERFORM mlmeta.set_logged_model(id, status => status);
	RETURN jsonb_build_object('model', mlmeta_internal.rest_logged_model_json(id));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_finalize_logged_model(jsonb) IS
	'PATCH logged-models/ID';

CREATE FUNCTION mlmeta_internal.rest_delete_logged_model(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta.set_logged_model(mlmeta_internal.rest_logged_model_of(request),
		deleted => true);
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_delete_logged_model(jsonb) IS
	'DELETE logged-models/ID';

CREATE FUNCTION mlmeta_internal.rest_log_logged_model_params(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta.set_logged_model(mlmeta_internal.rest_logged_model_of(request),
		params => mlmeta_internal.rest_params(mlmeta_internal.arg_list(request, 'params')));
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_log_logged_model_params(jsonb) IS
	'POST logged-models/ID/params';

CREATE FUNCTION mlmeta_internal.rest_set_logged_model_tags(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta.set_logged_model(mlmeta_internal.rest_logged_model_of(request),
		tags => mlmeta_internal.rest_tags(mlmeta_internal.arg_list(request, 'tags')));
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_set_logged_model_tags(jsonb) IS
	'PATCH logged-models/ID/tags';

CREATE FUNCTION mlmeta_internal.rest_delete_logged_model_tag(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	model text := mlmeta_internal.rest_logged_model_of(request);
	key text := mlmeta_internal.arg_text(request, 'tag_key', true);
BEGIN
	IF NOT EXISTS (SELECT FROM mlmeta.logged_models AS m
			WHERE m.id = model AND m.tags ? key) THEN
		RAISE EXCEPTION 'No tag with key ''%'' found for model with ID ''%''.', key, model
			USING ERRCODE = 'undefined_object';
	END IF;
	PERFORM mlmeta.set_logged_model(model, tags => jsonb_build_object(key, NULL));
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_delete_logged_model_tag(jsonb) IS
	'DELETE logged-models/ID/tags/KEY';

CREATE FUNCTION mlmeta_internal.rest_list_logged_model_files(request jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	id text := mlmeta_internal.rest_logged_model_of(request);
	folder text := mlmeta_internal.rest_check_folder(coalesce(
		mlmeta_internal.arg_text(request, 'artifact_directory_path'), ''));
BEGIN
	RETURN jsonb_strip_nulls(jsonb_build_object(
		'root_uri', mlmeta_internal.rest_logged_model_json(id) -> 'info' -> 'artifact_uri',
		'files', mlmeta_internal.rest_list(NULL, id, folder,
			CASE WHEN folder = '' THEN '' ELSE folder || '/' END)));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_list_logged_model_files(jsonb) IS
	'GET logged-models/ID/artifacts/directories';

-- Search ------------------------------------------------------------------------

-- $3 are the datasets that metrics must be of, NULL for any.
CREATE FUNCTION mlmeta_internal.rest_logged_metric_conditions(filter text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN coalesce((
		SELECT string_agg(format('EXISTS (SELECT
			FROM mlmeta_internal.rest_logged_metrics(r.id) AS x
			WHERE x.key = %L AND %s AND ($3 IS NULL OR x.dataset = ANY ($3)))',
			c.value ->> 'key',
			mlmeta_internal.rest_number_condition('x.value', c.value)), ' AND ')
		FROM jsonb_array_elements(mlmeta_internal.rest_filter(coalesce(filter, ''),
			'logged_models')) AS c
		WHERE c.value ->> 'type' = 'metric'
	), 'true');
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_logged_metric_conditions(text) IS
	'the condition of SQL for what a filter says of metrics of logged models';

CREATE FUNCTION mlmeta_internal.rest_logged_model_order(clauses jsonb) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	clause jsonb;
	wanted record;
	result text := '';
	expression text;
BEGIN
	FOR clause IN SELECT c.value FROM jsonb_array_elements(clauses) AS c LOOP
		IF jsonb_typeof(clause) <> 'object' THEN
			PERFORM mlmeta_internal.http_wrong('order_by', clauses);
		END IF;
		wanted := mlmeta_internal.rest_order(
			mlmeta_internal.arg_text(clause, 'field_name', true), 'logged_models');
		IF wanted.type = 'metric' THEN
			expression := format('(SELECT nullif(x.value, ''NaN'')
				FROM mlmeta_internal.rest_logged_metrics(r.id) AS x
				WHERE x.key = %L%s ORDER BY x.at DESC LIMIT 1)', wanted.key,
				CASE WHEN clause ->> 'dataset_name' <> '' THEN format(
					' AND mlmeta.name(x.dataset::mlmeta.artifact) = %L AND coalesce(mlmeta.version(x.dataset::mlmeta.artifact) = %L, true)',
					clause ->> 'dataset_name', nullif(clause ->> 'dataset_digest', ''))
					ELSE '' END);
		ELSE
			SELECT k.expression INTO expression
			FROM mlmeta_internal.rest_filter_keys AS k
			WHERE k.search = 'logged_models' AND k.key = wanted.key
				AND wanted.type = 'attribute';
			IF NOT FOUND THEN
				RAISE EXCEPTION 'Invalid order by field name: %', clause ->> 'field_name'
					USING ERRCODE = 'invalid_parameter_value';
			END IF;
		END IF;
		result := result || format('%s %s NULLS LAST, ', expression,
			CASE WHEN clause -> 'ascending' IN ('false', '"false"') THEN 'DESC' ELSE 'ASC' END);
	END LOOP;
	RETURN result || 'r.created_at DESC, r.id';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_logged_model_order(jsonb) IS
	'the ORDER BY of SQL for a list of fields of logged models';

CREATE FUNCTION mlmeta_internal.rest_search_logged_models(request jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted int := mlmeta_internal.rest_max_results(request, 100, 1000);
	skipped bigint := mlmeta_internal.rest_offset(
		mlmeta_internal.arg_text(request, 'page_token'));
	filter text := mlmeta_internal.arg_text(request, 'filter');
	ids text[] := mlmeta_internal.arg_texts(request, 'experiment_ids');
	datasets text[];
	found_ones jsonb;
BEGIN
	SELECT array_agg(mlmeta_internal.rest_dataset(d.value ->> 'dataset_name',
		nullif(d.value ->> 'dataset_digest', ''))::text)
	INTO datasets
	FROM jsonb_array_elements(mlmeta_internal.arg_list(request, 'datasets')) AS d;
	-- The column uri is not for all: columns by name.
	EXECUTE format('SELECT jsonb_agg(mlmeta_internal.rest_logged_model_json(f.id))
		FROM (SELECT r.id
			FROM (SELECT m.id, m.experiment_id, m.name, m.run, m.status, m.params,
					m.tags, m.model_type, m.created_at, m.changed_at
				FROM mlmeta.logged_models AS m
				WHERE m.deleted_at IS NULL AND m.experiment_id::text = ANY ($4)) AS r
			WHERE %s AND %s ORDER BY %s OFFSET $1 LIMIT $2) AS f',
		mlmeta_internal.rest_conditions(filter, 'logged_models'),
		mlmeta_internal.rest_logged_metric_conditions(filter),
		mlmeta_internal.rest_logged_model_order(
			mlmeta_internal.arg_list(request, 'order_by')))
	INTO found_ones USING skipped, wanted + 1, datasets, ids;
	RETURN mlmeta_internal.rest_page('models', found_ones, skipped, wanted);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_search_logged_models(jsonb) IS
	'POST logged-models/search';
