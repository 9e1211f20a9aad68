-- What the functions that speak MLflow share: how its ids, times, tags and
-- parameters are read and written, and rights asked.

CREATE FUNCTION mlmeta_internal.rest_time(ms bigint) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF abs(ms) > 250000000000000 THEN
		RAISE EXCEPTION 'Invalid timestamp %: expected milliseconds since 1970.', ms
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN timestamptz '1970-01-01 00:00:00+00' + ms * interval '1 millisecond';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_time(bigint) IS
	'milliseconds since 1970 as a time';

CREATE FUNCTION mlmeta_internal.rest_ms(at timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.floor(EXTRACT(epoch FROM at) * 1000)::bigint;

COMMENT ON FUNCTION mlmeta_internal.rest_ms(timestamptz) IS
	'a time as milliseconds since 1970';

-- Tags, parameters: JSON objects here, lists of keys and values there -------------

CREATE FUNCTION mlmeta_internal.rest_pairs(content jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
	SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('key', e.key,
		'value', e.value) ORDER BY e.key)
	FROM pg_catalog.jsonb_each_text(content) AS e
);

COMMENT ON FUNCTION mlmeta_internal.rest_pairs(jsonb) IS
	'a JSON object as a list of objects with key and value; NULL for an empty one';

-- A number stands for a text only where that is the very text it is written as:
-- so clients read what they wrote, and SQL compares numbers.
CREATE FUNCTION mlmeta_internal.rest_typed(value text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value COLLATE "C" ~ '^-?(0|[1-9][0-9]*)(\.[0-9]+)?$'
		AND pg_catalog.octet_length(value) <= 300
		AND (value::numeric)::text = value
	THEN pg_catalog.to_jsonb(value::numeric) ELSE pg_catalog.to_jsonb(value) END;

COMMENT ON FUNCTION mlmeta_internal.rest_typed(text) IS
	'the text of a parameter: as a number where it is written as the number is, else as a string';

CREATE FUNCTION mlmeta_internal.rest_check_length(what text, value text, longest int)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF char_length(value) > longest THEN
		RAISE EXCEPTION '''%'' exceeds the maximum length of % characters', what, longest
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_check_length(text, text, int) IS
	'raises the error for a text that is too long';

-- One list of pairs as an object; of one key twice the last counts, for tags.
CREATE FUNCTION mlmeta_internal.rest_object(list jsonb, name text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wrong jsonb;
	result jsonb;
BEGIN
	SELECT e.pair INTO wrong
	FROM jsonb_array_elements(list) AS e (pair)
	WHERE jsonb_typeof(e.pair) <> 'object'
		OR coalesce(jsonb_typeof(e.pair -> 'key'), '') <> 'string'
		OR coalesce(jsonb_typeof(e.pair -> 'value'), 'string') <> 'string'
	LIMIT 1;
	IF FOUND THEN
		PERFORM mlmeta_internal.http_missing(name || '.key')
		WHERE jsonb_typeof(wrong) = 'object' AND NOT wrong ? 'key';
		PERFORM mlmeta_internal.http_wrong(name, list);
	END IF;
	SELECT jsonb_object_agg(e.pair ->> 'key', coalesce(e.pair ->> 'value', ''))
	INTO result
	FROM jsonb_array_elements(list) AS e (pair);
	RETURN coalesce(result, '{}');
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_object(jsonb, text) IS
	'a list of objects with key and value as a JSON object';

-- Parameters of one request: each once, as long as MLflow allows.
CREATE FUNCTION mlmeta_internal.rest_params(list jsonb, name text DEFAULT 'params')
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	object jsonb := mlmeta_internal.rest_object(list, name);
	clash text;
	result jsonb;
BEGIN
	IF (SELECT count(*) FROM jsonb_object_keys(object)) < jsonb_array_length(list) THEN
		SELECT e.pair ->> 'key' INTO clash
		FROM jsonb_array_elements(list) AS e (pair)
		GROUP BY e.pair ->> 'key'
		HAVING count(DISTINCT coalesce(e.pair ->> 'value', '')) > 1
		LIMIT 1;
		IF FOUND THEN
			RAISE EXCEPTION 'Duplicate parameter keys have been submitted: [''%'']. Please ensure the request contains only one param value per param key.', clash
				USING ERRCODE = 'invalid_parameter_value';
		END IF;
	END IF;
	-- MLflow cuts long values off; here they are kept.
	PERFORM mlmeta_internal.rest_check_length('Param key', p.key, 250)
	FROM jsonb_each_text(object) AS p;
	SELECT jsonb_object_agg(p.key, mlmeta_internal.rest_typed(p.value))
	INTO result
	FROM jsonb_each_text(object) AS p;
	RETURN coalesce(result, '{}');
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_params(jsonb, text) IS
	'a list of parameters as the JSON object that log_params() takes';

CREATE FUNCTION mlmeta_internal.rest_tags(list jsonb, name text DEFAULT 'tags')
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	object jsonb := mlmeta_internal.rest_object(list, name);
BEGIN
	PERFORM mlmeta_internal.rest_check_length('Tag key', t.key, 250)
	FROM jsonb_each_text(object) AS t;
	RETURN object;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_tags(jsonb, text) IS
	'a list of tags as a JSON object';

-- Pages -------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.rest_offset(token text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result bigint;
BEGIN
	IF token IS NULL OR token = '' THEN
		RETURN 0;
	ELSIF token COLLATE "C" ~ '^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$' THEN
		result := substring(encode(decode(token, 'base64'), 'escape')
			from '^\{"offset": ?([0-9]{1,18})\}$')::bigint;
	END IF;
	IF result IS NULL THEN
		RAISE EXCEPTION 'Invalid page token, could not base64-decode or parse it: ''%''',
				left(token, 200)
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_offset(text) IS
	'how many rows come before the page that a token stands for';

CREATE FUNCTION mlmeta_internal.rest_token("offset" bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.encode(pg_catalog.convert_to('{"offset": ' || "offset" || '}',
	'UTF8'), 'base64');

COMMENT ON FUNCTION mlmeta_internal.rest_token(bigint) IS
	'the token of the page that begins after so many rows';

CREATE FUNCTION mlmeta_internal.rest_max_results(request jsonb, usual int, most int)
RETURNS int
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result bigint := coalesce(mlmeta_internal.arg_int(request, 'max_results'), usual);
BEGIN
	IF result < 1 THEN
		RAISE EXCEPTION 'Invalid value % for parameter ''max_results'' supplied. It must be a positive integer.', result
			USING ERRCODE = 'invalid_parameter_value';
	ELSIF result > most THEN
		RAISE EXCEPTION 'Invalid value % for parameter ''max_results'' supplied. It must be at most %.', result, most
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_max_results(jsonb, int, int) IS
	'how many results a page may have';

-- Objects -----------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.rest_find_run(id text) RETURNS mlmeta.runs
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result mlmeta.runs;
BEGIN
	-- Also ours, with which people come from SQL
	IF id COLLATE "C" ~ '^([0-9a-fA-F]{32}|run_[0-9a-z]{26})$' THEN
		SELECT r.* INTO result
		FROM mlmeta.runs AS r
		WHERE r.run OPERATOR(mlmeta.=) id::mlmeta.run;
	END IF;
	IF result.run IS NULL THEN
		RAISE EXCEPTION 'Run with id=% not found', left(id, 300)
			USING ERRCODE = 'undefined_object';
	END IF;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_find_run(text) IS
	'the row of a run that the caller sees, deleted or not';

CREATE FUNCTION mlmeta_internal.rest_run_of(request jsonb, active boolean DEFAULT true)
RETURNS mlmeta.runs
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	id text := coalesce(nullif(mlmeta_internal.arg_text(request, 'run_id'), ''),
		mlmeta_internal.arg_text(request, 'run_uuid'));
	result mlmeta.runs;
BEGIN
	IF id IS NULL OR id = '' THEN
		PERFORM mlmeta_internal.http_missing('run_id');
	END IF;
	result := mlmeta_internal.rest_find_run(id);
	IF active AND result.deleted_at IS NOT NULL THEN
		RAISE EXCEPTION 'The run % must be in the ''active'' state. Current state is deleted.', id
			USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_run_of(jsonb, boolean) IS
	'the run that a request names by run_id or, as old clients do, run_uuid';

CREATE FUNCTION mlmeta_internal.rest_default_experiment() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- Who may not write, or may not now, does without.
	IF NOT EXISTS (SELECT FROM mlmeta.experiments AS e WHERE e.experiment_id = 0)
			AND has_function_privilege('mlmeta.create_default_experiment()', 'EXECUTE')
			AND current_setting('transaction_read_only') = 'off' THEN
		PERFORM mlmeta.create_default_experiment();
	END IF;
EXCEPTION WHEN insufficient_privilege THEN
	NULL;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_default_experiment() IS
	'makes experiment 0 where it is not there and the caller may';

CREATE FUNCTION mlmeta_internal.rest_find_experiment(
	id text,
	active boolean DEFAULT false
) RETURNS mlmeta.experiments
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result mlmeta.experiments;
BEGIN
	IF id = '0' THEN
		PERFORM mlmeta_internal.rest_default_experiment();
	END IF;
	IF id COLLATE "C" ~ '^[0-9]{1,18}$' THEN
		SELECT e.* INTO result
		FROM mlmeta.experiments AS e
		WHERE e.experiment_id = id::bigint;
	END IF;
	IF result.experiment_id IS NULL THEN
		RAISE EXCEPTION 'No Experiment with id=% exists', left(id, 300)
			USING ERRCODE = 'undefined_object';
	ELSIF active AND result.deleted_at IS NOT NULL THEN
		RAISE EXCEPTION 'The experiment % must be in the ''active'' state. Current state is deleted.', id
			USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_find_experiment(text, boolean) IS
	'the row of an experiment that the caller sees, by its number';

CREATE FUNCTION mlmeta_internal.rest_experiment_uri(experiment mlmeta.experiments)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce((experiment).artifact_uri,
	'mlflow-artifacts:/' || (experiment).experiment_id);

COMMENT ON FUNCTION mlmeta_internal.rest_experiment_uri(mlmeta.experiments) IS
	'where an experiment''s files lie: as it says, else with the gateway';
