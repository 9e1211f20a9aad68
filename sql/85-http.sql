-- HTTP: one request is one call of http_request().
--
-- A route table says which function answers; a function takes the arguments of
-- the request as one JSON object and returns the answer as another, or raises an
-- error, whose SQLSTATE one table turns into a status and a code. All of it runs
-- with the rights of who asks: reading under row security, writing through the
-- doors. So everybody may execute all functions here.

CREATE TYPE mlmeta_internal.http_reply AS (
	status int,
	headers jsonb,
	body bytea
);

COMMENT ON TYPE mlmeta_internal.http_reply IS
	'what a request is answered with';

-- Errors ------------------------------------------------------------------------

-- The longest match counts. Codes are those that clients of MLflow know: they
-- repeat 5xx for minutes, so that only what can pass is one.
CREATE VIEW mlmeta_internal.http_errors WITH (security_invoker = true) AS
SELECT e.sqlstate, e.status, e.error_code
FROM (VALUES
	('', 500, 'INTERNAL_ERROR'),
	('0A000', 501, 'NOT_IMPLEMENTED'),
	('22', 400, 'INVALID_PARAMETER_VALUE'),
	('23', 400, 'INVALID_PARAMETER_VALUE'),
	('23505', 400, 'RESOURCE_ALREADY_EXISTS'),
	('25006', 400, 'BAD_REQUEST'),
	('28', 401, 'UNAUTHENTICATED'),
	('40', 503, 'TEMPORARILY_UNAVAILABLE'),
	('42501', 403, 'PERMISSION_DENIED'),
	('42704', 404, 'RESOURCE_DOES_NOT_EXIST'),
	('42710', 400, 'RESOURCE_ALREADY_EXISTS'),
	('53', 503, 'TEMPORARILY_UNAVAILABLE'),
	('54', 400, 'INVALID_PARAMETER_VALUE'),
	('55', 400, 'INVALID_PARAMETER_VALUE'),
	('55P03', 503, 'TEMPORARILY_UNAVAILABLE'),
	('57', 503, 'TEMPORARILY_UNAVAILABLE'),
	('58', 503, 'TEMPORARILY_UNAVAILABLE'),
	('P0001', 400, 'INVALID_PARAMETER_VALUE'),
	('08', 503, 'TEMPORARILY_UNAVAILABLE')
) AS e (sqlstate, status, error_code);

COMMENT ON VIEW mlmeta_internal.http_errors IS
	'SQLSTATE, or its beginning, and the status and code that stand for it';

CREATE FUNCTION mlmeta_internal.http_text(content text, media_type text,
	status int DEFAULT 200)
RETURNS mlmeta_internal.http_reply
LANGUAGE sql STABLE PARALLEL SAFE
RETURN ROW(status, pg_catalog.jsonb_build_object('content-type', media_type),
	pg_catalog.convert_to(content, 'UTF8'))::mlmeta_internal.http_reply;

COMMENT ON FUNCTION mlmeta_internal.http_text(text, text, int) IS
	'a reply with a text of a media type';

CREATE FUNCTION mlmeta_internal.http_json(answer jsonb, status int DEFAULT 200)
RETURNS mlmeta_internal.http_reply
LANGUAGE sql STABLE PARALLEL SAFE
RETURN mlmeta_internal.http_text(answer::text, 'application/json', status);

COMMENT ON FUNCTION mlmeta_internal.http_json(jsonb, int) IS
	'a reply with a JSON object';

CREATE FUNCTION mlmeta_internal.http_error(error_code text, message text, status int)
RETURNS mlmeta_internal.http_reply
LANGUAGE sql STABLE PARALLEL SAFE
RETURN mlmeta_internal.http_json(pg_catalog.jsonb_build_object('error_code',
	error_code, 'message', message), status);

COMMENT ON FUNCTION mlmeta_internal.http_error(text, text, int) IS
	'a reply that says what is wrong, as clients of MLflow read it';

CREATE FUNCTION mlmeta_internal.http_failure(
	state text,
	message text,
	detail text,
	hint text
) RETURNS mlmeta_internal.http_reply
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	meant record;
	reply mlmeta_internal.http_reply;
BEGIN
	SELECT e.status, e.error_code INTO STRICT meant
	FROM mlmeta_internal.http_errors AS e
	WHERE starts_with(state, e.sqlstate)
	ORDER BY length(e.sqlstate) DESC
	LIMIT 1;
	reply := mlmeta_internal.http_error(meant.error_code, concat_ws(' ',
		CASE WHEN nullif(concat(detail, hint), '') IS NULL THEN message
			ELSE rtrim(message, '.') || '.' END,
		nullif(detail, ''), nullif(hint, '')), meant.status);
	-- The gateway does these again by itself.
	IF state IN ('40001', '40P01') THEN
		reply.headers := reply.headers || '{"x-mlmeta-again": "1"}';
	END IF;
	RETURN reply;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.http_failure(text, text, text, text) IS
	'the reply for an error of SQL';

-- Arguments ---------------------------------------------------------------------

-- Not IMMUTABLE: the planner would raise the error before it is known whether it
-- is called at all.
CREATE FUNCTION mlmeta_internal.http_missing(name text) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION 'Missing value for required parameter ''%''. See the API docs for more information about request parameters.',
			name
		USING ERRCODE = 'null_value_not_allowed';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.http_missing(text) IS
	'raises the error for an argument that must be there';

CREATE FUNCTION mlmeta_internal.http_wrong(name text, value jsonb, hint text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION 'Invalid value % for parameter ''%'' supplied.%',
			left(coalesce(value::text, 'null'), 200), name,
			coalesce(' ' || hint, ' See the API docs for more information about request parameters.')
		USING ERRCODE = 'invalid_parameter_value';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.http_wrong(text, jsonb, text) IS
	'raises the error for an argument that cannot be understood';

CREATE FUNCTION mlmeta_internal.arg_text(
	request jsonb,
	name text,
	required boolean DEFAULT false,
	longest int DEFAULT NULL
) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	value jsonb := request -> name;
BEGIN
	IF value IS NULL OR jsonb_typeof(value) = 'null' THEN
		PERFORM mlmeta_internal.http_missing(name) WHERE required;
		RETURN NULL;
	ELSIF jsonb_typeof(value) <> 'string' THEN
		PERFORM mlmeta_internal.http_wrong(name, value);
	ELSIF required AND value = '""' THEN
		PERFORM mlmeta_internal.http_missing(name);
	ELSIF char_length(value #>> '{}') > longest THEN
		RAISE EXCEPTION '''%'' exceeds the maximum length of % characters',
				name, longest
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN value #>> '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.arg_text(jsonb, text, boolean, int) IS
	'an argument that is a text; NULL where there is none';

CREATE FUNCTION mlmeta_internal.arg_int(
	request jsonb,
	name text,
	required boolean DEFAULT false
) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	value jsonb := request -> name;
	number numeric;
BEGIN
	IF value IS NULL OR jsonb_typeof(value) = 'null' THEN
		PERFORM mlmeta_internal.http_missing(name) WHERE required;
		RETURN NULL;
	ELSIF jsonb_typeof(value) = 'number' THEN
		number := value::numeric;
	ELSIF jsonb_typeof(value) = 'string'
			AND value #>> '{}' COLLATE "C" ~ '^\s*[+-]?[0-9]{1,19}\s*$' THEN
		number := (value #>> '{}')::numeric;
	END IF;
	IF number IS NULL OR number <> trunc(number)
			OR number NOT BETWEEN -9223372036854775808 AND 9223372036854775807 THEN
		PERFORM mlmeta_internal.http_wrong(name, value);
	END IF;
	RETURN number::bigint;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.arg_int(jsonb, text, boolean) IS
	'an argument that is an integer of 64 bits, written as a number or as a text';

CREATE FUNCTION mlmeta_internal.arg_list(
	request jsonb,
	name text,
	required boolean DEFAULT false
) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	value jsonb := request -> name;
BEGIN
	IF value IS NULL OR jsonb_typeof(value) = 'null' THEN
		PERFORM mlmeta_internal.http_missing(name) WHERE required;
		RETURN '[]';
	ELSIF jsonb_typeof(value) = 'array' THEN
		RETURN value;
	ELSIF jsonb_typeof(value) = 'string' AND request ? '$query' THEN
		-- One of an argument that may come several times
		RETURN jsonb_build_array(value);
	END IF;
	PERFORM mlmeta_internal.http_wrong(name, value);
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.arg_list(jsonb, text, boolean) IS
	'an argument that is a list, empty where there is none';

CREATE FUNCTION mlmeta_internal.arg_texts(request jsonb, name text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	list jsonb := mlmeta_internal.arg_list(request, name);
BEGIN
	IF EXISTS (SELECT FROM jsonb_array_elements(list) AS e (value)
			WHERE jsonb_typeof(e.value) <> 'string') THEN
		PERFORM mlmeta_internal.http_wrong(name, list);
	END IF;
	RETURN ARRAY(SELECT e.value
		FROM jsonb_array_elements_text(list) WITH ORDINALITY AS e (value, n)
		ORDER BY e.n);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.arg_texts(jsonb, text) IS
	'an argument that is a list of texts';

-- Routes ------------------------------------------------------------------------

-- Paths below /api/V/ and /ajax-api/V/ are the same without that beginning. A
-- part in braces is an argument; {name*} takes all that follows. A function that
-- ends in _reply returns a reply, all others the JSON of one.
CREATE VIEW mlmeta_internal.http_routes WITH (security_invoker = true) AS
SELECT r.method, r.path, r.function
FROM (VALUES
	('GET', '/version', 'http_version_reply'),
	('POST', 'lineage', 'http_lineage_reply'),
	('POST', 'mlflow/experiments/create', 'rest_create_experiment'),
	('POST', 'mlflow/experiments/search', 'rest_search_experiments'),
	('GET', 'mlflow/experiments/search', 'rest_search_experiments'),
	('GET', 'mlflow/experiments/list', 'rest_search_experiments'),
	('GET', 'mlflow/experiments/get', 'rest_get_experiment'),
	('GET', 'mlflow/experiments/get-by-name', 'rest_get_experiment_by_name'),
	('POST', 'mlflow/experiments/delete', 'rest_delete_experiment'),
	('POST', 'mlflow/experiments/restore', 'rest_restore_experiment'),
	('POST', 'mlflow/experiments/update', 'rest_update_experiment'),
	('POST', 'mlflow/experiments/set-experiment-tag', 'rest_set_experiment_tag'),
	('POST', 'mlflow/experiments/delete-experiment-tag', 'rest_delete_experiment_tag'),
	('POST', 'mlflow/experiments/search-datasets', 'rest_search_datasets'),
	('POST', 'mlflow/runs/create', 'rest_create_run'),
	('POST', 'mlflow/runs/update', 'rest_update_run'),
	('POST', 'mlflow/runs/delete', 'rest_delete_run'),
	('POST', 'mlflow/runs/restore', 'rest_restore_run'),
	('GET', 'mlflow/runs/get', 'rest_get_run'),
	('POST', 'mlflow/runs/search', 'rest_search_runs'),
	('POST', 'mlflow/runs/log-metric', 'rest_log_metric'),
	('POST', 'mlflow/runs/log-parameter', 'rest_log_param'),
	('POST', 'mlflow/runs/log-batch', 'rest_log_batch'),
	('POST', 'mlflow/runs/set-tag', 'rest_set_tag'),
	('POST', 'mlflow/runs/delete-tag', 'rest_delete_tag'),
	('POST', 'mlflow/runs/log-inputs', 'rest_log_inputs'),
	('POST', 'mlflow/runs/log-model', 'rest_log_model'),
	('POST', 'mlflow/runs/outputs', 'rest_log_outputs'),
	('GET', 'mlflow/metrics/get-history', 'rest_metric_history'),
	('GET', 'mlflow/metrics/get-history-bulk', 'rest_metric_history_bulk'),
	('GET', 'mlflow/metrics/get-history-bulk-interval', 'rest_metric_history_interval'),
	('GET', 'mlflow/artifacts/list', 'rest_list_run_files'),
	('GET', '/get-artifact', 'rest_get_artifact_reply'),
	('GET', 'mlflow-artifacts/artifacts', 'rest_list_files'),
	('GET', 'mlflow-artifacts/artifacts/{path*}', 'rest_get_file_reply'),
	('PUT', 'mlflow-artifacts/artifacts/{path*}', 'rest_put_file'),
	('DELETE', 'mlflow-artifacts/artifacts/{path*}', 'rest_delete_files'),
	('POST', 'mlflow-artifacts/mpu/{path*}', 'http_not_implemented_reply'),
	('POST', 'mlflow/logged-models', 'rest_create_logged_model'),
	('POST', 'mlflow/logged-models/search', 'rest_search_logged_models'),
	('GET', 'mlflow/logged-models/{model_id}', 'rest_get_logged_model'),
	('PATCH', 'mlflow/logged-models/{model_id}', 'rest_finalize_logged_model'),
	('DELETE', 'mlflow/logged-models/{model_id}', 'rest_delete_logged_model'),
	('POST', 'mlflow/logged-models/{model_id}/params', 'rest_log_logged_model_params'),
	('PATCH', 'mlflow/logged-models/{model_id}/tags', 'rest_set_logged_model_tags'),
	('DELETE', 'mlflow/logged-models/{model_id}/tags/{tag_key*}', 'rest_delete_logged_model_tag'),
	('GET', 'mlflow/logged-models/{model_id}/artifacts/directories', 'rest_list_logged_model_files'),
	('POST', 'mlflow/registered-models/create', 'rest_create_model'),
	('POST', 'mlflow/registered-models/rename', 'rest_rename_model'),
	('PATCH', 'mlflow/registered-models/update', 'rest_update_model'),
	('DELETE', 'mlflow/registered-models/delete', 'rest_delete_model'),
	('GET', 'mlflow/registered-models/get', 'rest_get_model'),
	('GET', 'mlflow/registered-models/search', 'rest_search_models'),
	('POST', 'mlflow/registered-models/search', 'rest_search_models'),
	('POST', 'mlflow/registered-models/get-latest-versions', 'rest_latest_versions'),
	('GET', 'mlflow/registered-models/get-latest-versions', 'rest_latest_versions'),
	('POST', 'mlflow/registered-models/set-tag', 'rest_set_model_tag'),
	('DELETE', 'mlflow/registered-models/delete-tag', 'rest_delete_model_tag'),
	('POST', 'mlflow/registered-models/alias', 'rest_set_alias'),
	('DELETE', 'mlflow/registered-models/alias', 'rest_delete_alias'),
	('GET', 'mlflow/registered-models/alias', 'rest_version_by_alias'),
	('POST', 'mlflow/model-versions/create', 'rest_create_version'),
	('PATCH', 'mlflow/model-versions/update', 'rest_update_version'),
	('POST', 'mlflow/model-versions/transition-stage', 'rest_transition_stage_reply'),
	('DELETE', 'mlflow/model-versions/delete', 'rest_delete_version'),
	('GET', 'mlflow/model-versions/get', 'rest_get_version'),
	('GET', 'mlflow/model-versions/search', 'rest_search_versions'),
	('GET', 'mlflow/model-versions/get-download-uri', 'rest_download_uri'),
	('POST', 'mlflow/model-versions/set-tag', 'rest_set_version_tag'),
	('DELETE', 'mlflow/model-versions/delete-tag', 'rest_delete_version_tag'),
	-- Clients go on without traces, at the cost of a warning.
	('GET', 'mlflow/traces/{rest*}', 'http_not_implemented_reply'),
	('POST', 'mlflow/traces/{rest*}', 'http_not_implemented_reply'),
	('PATCH', 'mlflow/traces/{rest*}', 'http_not_implemented_reply'),
	('DELETE', 'mlflow/traces/{rest*}', 'http_not_implemented_reply'),
	('GET', 'mlflow/traces', 'http_not_implemented_reply'),
	('POST', 'mlflow/traces', 'http_not_implemented_reply'),
	('POST', '/v1/traces', 'http_not_implemented_reply')
) AS r (method, path, function);

COMMENT ON VIEW mlmeta_internal.http_routes IS
	'which function of mlmeta_internal answers which request';

CREATE FUNCTION mlmeta_internal.http_short_path(path text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.regexp_replace(pg_catalog.regexp_replace(path,
	'(.)/+$', '\1'), '^/(ajax-)?api/(2\.0(/preview)?|3\.0|v1)/', '');

COMMENT ON FUNCTION mlmeta_internal.http_short_path(text) IS
	'a path as routes have it, without what all versions of a protocol share';

-- The arguments in a path that has the form of a route's; NULL when it has not.
CREATE FUNCTION mlmeta_internal.http_path_arguments(path text, route text)
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	parts text[] := string_to_array(path, '/');
	wanted text[] := string_to_array(route, '/');
	result jsonb := '{}';
BEGIN
	FOR i IN 1 .. cardinality(wanted) LOOP
		IF wanted[i] LIKE '{%*}' THEN
			RETURN result || jsonb_build_object(btrim(wanted[i], '{*}'),
				array_to_string(parts[i:], '/'));
		ELSIF parts[i] IS NULL THEN
			RETURN NULL;
		ELSIF wanted[i] LIKE '{%}' THEN
			result := result || jsonb_build_object(btrim(wanted[i], '{}'),
				parts[i]);
		ELSIF wanted[i] <> parts[i] THEN
			RETURN NULL;
		END IF;
	END LOOP;
	RETURN CASE WHEN cardinality(parts) = cardinality(wanted) THEN result END;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.http_path_arguments(text, text) IS
	'what a path holds in place of the parts of a route that stand in braces; NULL when it is not of that form';

CREATE FUNCTION mlmeta_internal.http_find_route(
	method text,
	path text,
	OUT function text,
	OUT arguments jsonb
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	SELECT r.function, '{}' INTO function, arguments
	FROM mlmeta_internal.http_routes AS r
	WHERE r.path = http_find_route.path AND r.method = http_find_route.method;
	IF NOT FOUND THEN
		SELECT r.function, a.found INTO function, arguments
		FROM mlmeta_internal.http_routes AS r
			CROSS JOIN LATERAL (
				SELECT mlmeta_internal.http_path_arguments(http_find_route.path,
					r.path) AS found
			) AS a
		WHERE r.method = http_find_route.method AND r.path LIKE '%{%'
			AND a.found IS NOT NULL
		ORDER BY length(r.path) DESC
		LIMIT 1;
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.http_find_route(text, text) IS
	'the function that answers a request, and the arguments in its path; NULL when there is none';

-- Requests ----------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.http_query(query jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
	SELECT coalesce(pg_catalog.jsonb_object_agg(q.key,
		CASE WHEN pg_catalog.jsonb_typeof(q.value) = 'array'
				AND pg_catalog.jsonb_array_length(q.value) = 1
			THEN q.value -> 0 ELSE q.value END), '{}')
	FROM pg_catalog.jsonb_each(query) AS q
);

COMMENT ON FUNCTION mlmeta_internal.http_query(jsonb) IS
	'the arguments of a query string, where those that came once are no lists';

CREATE FUNCTION mlmeta_internal.http_body(body bytea) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result jsonb;
BEGIN
	IF octet_length(body) = 0 THEN
		RETURN '{}';
	END IF;
	result := convert_from(body, 'UTF8')::jsonb;
	-- Old clients write JSON as a string in JSON.
	IF jsonb_typeof(result) = 'string' THEN
		result := (result #>> '{}')::jsonb;
	END IF;
	IF jsonb_typeof(result) <> 'object' THEN
		RAISE EXCEPTION 'the body of the request is no JSON object'
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = format('It is a JSON %s.', jsonb_typeof(result));
	END IF;
	RETURN result;
EXCEPTION WHEN invalid_text_representation OR untranslatable_character
		OR character_not_in_repertoire OR numeric_value_out_of_range THEN
	RAISE EXCEPTION 'the body of the request is no JSON: %', SQLERRM
		USING ERRCODE = 'invalid_parameter_value';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.http_body(bytea) IS
	'the JSON object that a body holds, {} for an empty one';

CREATE FUNCTION mlmeta_internal.http_dispatch(
	method text,
	path text,
	query jsonb,
	headers jsonb,
	body bytea
) RETURNS mlmeta_internal.http_reply
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	short text := mlmeta_internal.http_short_path(path);
	route record;
	request jsonb;
	answer jsonb;
	reply mlmeta_internal.http_reply;
BEGIN
	route := mlmeta_internal.http_find_route(method, short);
	IF route.function IS NULL THEN
		RETURN mlmeta_internal.http_error('ENDPOINT_NOT_FOUND', format(
			'There is no %s %s here.', method, left(path, 200)), 404);
	END IF;
	request := mlmeta_internal.http_query(query);
	IF method = 'GET' THEN
		request := request || '{"$query": true}';
	ELSIF method <> 'PUT' THEN
		request := request || mlmeta_internal.http_body(body);
	END IF;
	-- Ours, and not the client's to say
	request := request || route.arguments || jsonb_strip_nulls(jsonb_build_object(
		'$agent', headers -> 'user-agent', '$type', headers -> 'content-type',
		'$sha256', headers -> 'x-mlmeta-sha256',
		'$size', headers -> 'x-mlmeta-size'));
	IF route.function LIKE '%\_reply' THEN
		EXECUTE format('SELECT (r).* FROM mlmeta_internal.%I($1) AS r',
			route.function)
		INTO reply USING request;
		RETURN reply;
	END IF;
	EXECUTE format('SELECT mlmeta_internal.%I($1)', route.function)
	INTO answer USING request;
	RETURN mlmeta_internal.http_json(answer);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.http_dispatch(text, text, jsonb, jsonb, bytea) IS
	'answers a request; raises an error for what cannot be answered';

CREATE FUNCTION mlmeta_internal.http_answer(
	method text,
	path text,
	query jsonb,
	headers jsonb,
	body bytea
) RETURNS mlmeta_internal.http_reply
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	RETURN mlmeta_internal.http_dispatch(upper(method), path,
		coalesce(query, '{}'), coalesce(headers, '{}'), coalesce(body, ''));
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN mlmeta_internal.http_failure(SQLSTATE, message, detail, hint);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.http_answer(text, text, jsonb, jsonb, bytea) IS
	'answers a request; what cannot be answered is undone, and its error the answer';

-- PL/pgSQL does not let a column have the name of an argument.
CREATE FUNCTION mlmeta.http_request(
	method text,
	path text,
	query jsonb DEFAULT '{}',
	headers jsonb DEFAULT '{}',
	body bytea DEFAULT '',
	OUT status int,
	OUT headers jsonb,
	OUT body bytea
) RETURNS record
LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	SELECT a.status, a.headers, a.body
	FROM mlmeta_internal.http_answer($1, $2, $3, $4, $5) AS a;
END;

COMMENT ON FUNCTION mlmeta.http_request(text, text, jsonb, jsonb, bytea) IS
	'answers an HTTP request as mlmeta serve gets it: method, path, arguments of the query string, headers in lower case, body; with the rights of who calls';

-- What answers for itself ---------------------------------------------------------

-- Clients that read 3.4 or more here would send traces as protobuf.
CREATE FUNCTION mlmeta_internal.http_version_reply(request jsonb)
RETURNS mlmeta_internal.http_reply
LANGUAGE sql STABLE PARALLEL SAFE
RETURN mlmeta_internal.http_text('3.3.0', 'text/plain; charset=utf-8');

COMMENT ON FUNCTION mlmeta_internal.http_version_reply(jsonb) IS
	'the version of MLflow whose protocol is spoken';

CREATE FUNCTION mlmeta_internal.http_not_implemented_reply(request jsonb)
RETURNS mlmeta_internal.http_reply
LANGUAGE sql STABLE PARALLEL SAFE
RETURN mlmeta_internal.http_error('NOT_IMPLEMENTED',
	'mlmeta does not keep this; what was logged otherwise is kept', 501);

COMMENT ON FUNCTION mlmeta_internal.http_not_implemented_reply(jsonb) IS
	'refuses what is left out, in the way that lets clients go on without it';

-- Emitters repeat 429 and 5xx, and drop what is refused: it is kept, and said.
CREATE FUNCTION mlmeta_internal.http_lineage_reply(request jsonb)
RETURNS mlmeta_internal.http_reply
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	said text := mlmeta.ingest_openlineage(request - ARRAY['$agent', '$type']);
BEGIN
	IF starts_with(said, 'refused: ') THEN
		RETURN mlmeta_internal.http_error('INVALID_PARAMETER_VALUE', said, 400);
	END IF;
	RETURN mlmeta_internal.http_text('', 'application/json', 201);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.http_lineage_reply(jsonb) IS
	'POST lineage: an event of OpenLineage';
