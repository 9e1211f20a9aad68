-- MLflow: registered models and their versions. Stages are entered by requests
-- and policies, aliases and downloads are on record, as for everybody.

CREATE FUNCTION mlmeta_internal.rest_stage(stage text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN stage = ANY (ARRAY['none', 'staging', 'production', 'archived'])
	THEN pg_catalog.initcap(stage) ELSE stage END;

COMMENT ON FUNCTION mlmeta_internal.rest_stage(text) IS
	'a stage as MLflow writes it';

CREATE FUNCTION mlmeta_internal.rest_stage_argument(stage text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result text;
BEGIN
	SELECT s.stage INTO result
	FROM mlmeta.stages AS s
	WHERE s.stage = rest_stage_argument.stage OR s.stage = lower(rest_stage_argument.stage)
	ORDER BY s.stage <> rest_stage_argument.stage
	LIMIT 1;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'Invalid Model Version stage: %. Value must be one of %.', left(stage, 100),
				coalesce((SELECT string_agg(mlmeta_internal.rest_stage(s.stage), ', '
					ORDER BY s.rank) FROM mlmeta.stages AS s),
				'None, Staging, Production, Archived')
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_stage_argument(text) IS
	'the stage that a request means';

-- Who may not see where versions lie learns what to resolve instead, which is
-- on record.
CREATE FUNCTION mlmeta_internal.rest_version_source(model text, id bigint, version int)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result text;
BEGIN
	IF has_column_privilege('mlmeta.model_versions', 'uri', 'SELECT') THEN
		SELECT v.uri INTO result
		FROM mlmeta.model_versions AS v
		WHERE v.model_id = id AND v.version = rest_version_source.version;
	END IF;
	RETURN coalesce(result, format('models:/%s/%s', model, version));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_version_source(text, bigint, int) IS
	'where a version lies, for who may see that';

CREATE FUNCTION mlmeta_internal.rest_version_json(model text, id bigint, version int)
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
	SELECT pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
		'name', model, 'version', v.version::text,
		'creation_timestamp', mlmeta_internal.rest_ms(v.created_at),
		'last_updated_timestamp', mlmeta_internal.rest_ms(coalesce((
			SELECT pg_catalog.max(a.at)
			FROM mlmeta.audit_log AS a
			WHERE a.model_id = v.model_id AND a.version = v.version
		), v.created_at)),
		'current_stage', mlmeta_internal.rest_stage(v.stage),
		'description', coalesce(v.description, ''),
		'source', mlmeta_internal.rest_version_source(model, v.model_id, v.version),
		'run_id', coalesce(mlmeta_internal.run_hex(v.run), ''),
		'run_link', '', 'status', 'READY',
		'tags', mlmeta_internal.rest_pairs(v.tags)))
	FROM mlmeta.model_versions AS v
	WHERE v.model_id = id AND v.version = rest_version_json.version
);

COMMENT ON FUNCTION mlmeta_internal.rest_version_json(text, bigint, int) IS
	'a version as MLflow describes it';

-- Lists of versions leave the aliases out, as MLflow's do.
CREATE FUNCTION mlmeta_internal.rest_version_answer(model mlmeta.models, version int)
RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN jsonb_build_object('model_version', jsonb_strip_nulls(
		mlmeta_internal.rest_version_json(model.model, model.model_id, version)
		|| jsonb_build_object('aliases', (
			SELECT jsonb_agg(l.alias ORDER BY l.alias)
			FROM mlmeta.model_aliases AS l
			WHERE l.model_id = model.model_id AND l.version = rest_version_answer.version
		))));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_version_answer(mlmeta.models, int) IS
	'the answer that is one version, with its aliases';

CREATE FUNCTION mlmeta_internal.rest_latest_of(model text, id bigint, stages text[])
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
	SELECT pg_catalog.jsonb_agg(mlmeta_internal.rest_version_json(model, id, l.version)
		ORDER BY l.version)
	FROM (
		SELECT pg_catalog.max(v.version) AS version
		FROM mlmeta.model_versions AS v
		WHERE v.model_id = id AND v.deleted_at IS NULL
			AND (stages IS NULL OR v.stage = ANY (stages))
		GROUP BY v.stage
	) AS l
);

COMMENT ON FUNCTION mlmeta_internal.rest_latest_of(text, bigint, text[]) IS
	'the latest version of a model in each stage, or in each of some stages';

CREATE FUNCTION mlmeta_internal.rest_model_json(model mlmeta.models) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
	'name', (rest_model_json.model).model,
	'creation_timestamp', mlmeta_internal.rest_ms((rest_model_json.model).created_at),
	'last_updated_timestamp', mlmeta_internal.rest_ms((rest_model_json.model).changed_at),
	'description', nullif((rest_model_json.model).description, ''),
	'latest_versions', mlmeta_internal.rest_latest_of((rest_model_json.model).model,
		(rest_model_json.model).model_id, NULL),
	'tags', mlmeta_internal.rest_pairs((rest_model_json.model).tags),
	'aliases', (
		SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('alias', l.alias,
			'version', l.version::text) ORDER BY l.alias)
		FROM mlmeta.model_aliases AS l
		WHERE l.model_id = (rest_model_json.model).model_id AND l.version IS NOT NULL
	)));

COMMENT ON FUNCTION mlmeta_internal.rest_model_json(mlmeta.models) IS
	'a registered model as MLflow describes it';

CREATE FUNCTION mlmeta_internal.rest_model_of(request jsonb) RETURNS mlmeta.models
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	name text := mlmeta_internal.arg_text(request, 'name', true);
	result mlmeta.models;
BEGIN
	SELECT m.* INTO result
	FROM mlmeta.models AS m
	WHERE m.model = name AND m.deleted_at IS NULL;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'Registered Model with name=% not found', left(name, 300)
			USING ERRCODE = 'undefined_object';
	END IF;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_model_of(jsonb) IS
	'the row of the model that a request names, which the caller sees';

CREATE FUNCTION mlmeta_internal.rest_version_of(request jsonb, model mlmeta.models)
RETURNS int
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	said text := request ->> 'version';
BEGIN
	IF said IS NULL OR said = '' THEN
		PERFORM mlmeta_internal.http_missing('version');
	ELSIF said COLLATE "C" !~ '^[0-9]{1,9}$' THEN
		RAISE EXCEPTION 'Parameter ''version'' must be an integer, got ''%''.', left(said, 100)
			USING ERRCODE = 'invalid_parameter_value';
	ELSIF NOT EXISTS (SELECT FROM mlmeta.model_versions AS v
			WHERE v.model_id = model.model_id AND v.version = said::int
				AND v.deleted_at IS NULL) THEN
		RAISE EXCEPTION 'Model Version (name=%, version=%) not found', model.model, said
			USING ERRCODE = 'undefined_object';
	END IF;
	RETURN said::int;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_version_of(jsonb, mlmeta.models) IS
	'the version of a model that a request names';

-- Models ------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.rest_create_model(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	name text := mlmeta_internal.arg_text(request, 'name', true);
BEGIN
	IF name ~ '[/:]' THEN
		RAISE EXCEPTION 'Invalid registered model name: ''%''. It must not hold / or :.', left(name, 200)
			USING ERRCODE = 'invalid_parameter_value';
	ELSIF EXISTS (SELECT FROM mlmeta.models AS m WHERE m.model = name) THEN
		RAISE EXCEPTION 'Registered Model (name=%) already exists.', name
			USING ERRCODE = 'unique_violation';
	END IF;
	PERFORM mlmeta.create_model(name,
		description => mlmeta_internal.arg_text(request, 'description'),
		tags => mlmeta_internal.rest_tags(mlmeta_internal.arg_list(request, 'tags')));
	RETURN jsonb_build_object('registered_model', mlmeta_internal.rest_model_json(
		mlmeta_internal.rest_model_of(request)));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_create_model(jsonb) IS
	'POST registered-models/create';

CREATE FUNCTION mlmeta_internal.rest_get_model(request jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN jsonb_build_object('registered_model', mlmeta_internal.rest_model_json(
		mlmeta_internal.rest_model_of(request)));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_get_model(jsonb) IS
	'GET registered-models/get';

CREATE FUNCTION mlmeta_internal.rest_update_model(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	model mlmeta.models := mlmeta_internal.rest_model_of(request);
BEGIN
	PERFORM mlmeta.describe_model(model.model,
		coalesce(mlmeta_internal.arg_text(request, 'description'), ''));
	RETURN mlmeta_internal.rest_get_model(request);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_update_model(jsonb) IS
	'PATCH registered-models/update';

CREATE FUNCTION mlmeta_internal.rest_set_model_tag(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	model mlmeta.models := mlmeta_internal.rest_model_of(request);
BEGIN
	PERFORM mlmeta.describe_model(model.model, tags => jsonb_build_object(
		mlmeta_internal.arg_text(request, 'key', true, 250),
		coalesce(mlmeta_internal.arg_text(request, 'value', false, 100000), '')));
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_set_model_tag(jsonb) IS
	'POST registered-models/set-tag';

CREATE FUNCTION mlmeta_internal.rest_delete_model_tag(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	model mlmeta.models := mlmeta_internal.rest_model_of(request);
	key text := mlmeta_internal.arg_text(request, 'key', true);
BEGIN
	-- What is gone is gone; MLflow does not mind.
	IF model.tags ? key THEN
		PERFORM mlmeta.describe_model(model.model, tags => jsonb_build_object(key, NULL));
	END IF;
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_delete_model_tag(jsonb) IS
	'DELETE registered-models/delete-tag';

CREATE FUNCTION mlmeta_internal.rest_rename_model(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	model mlmeta.models := mlmeta_internal.rest_model_of(request);
	new_name text := mlmeta_internal.arg_text(request, 'new_name', true);
BEGIN
	IF new_name <> model.model AND EXISTS (SELECT FROM mlmeta.models AS m
			WHERE m.model = new_name) THEN
		RAISE EXCEPTION 'Registered Model (name=%) already exists.', new_name
			USING ERRCODE = 'unique_violation';
	END IF;
	PERFORM mlmeta.rename_model(model.model, new_name);
	RETURN mlmeta_internal.rest_get_model(jsonb_build_object('name', new_name));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_rename_model(jsonb) IS
	'POST registered-models/rename';

-- Here a deleted model keeps its name; for clients the name is free again. So it
-- is given another one first.
CREATE FUNCTION mlmeta_internal.rest_delete_model(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	model mlmeta.models := mlmeta_internal.rest_model_of(request);
	name text := format('%s (deleted %s)', left(model.model, 200),
		to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYYMMDD HH24MISS.US'));
BEGIN
	PERFORM mlmeta.rename_model(model.model, name);
	PERFORM mlmeta.delete_model(name);
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_delete_model(jsonb) IS
	'DELETE registered-models/delete';

-- Prompts are models with a tag: they are found by who asks for them.
CREATE FUNCTION mlmeta_internal.rest_model_conditions(filter text, search text)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	comparison jsonb;
	result text := 'true';
	prompts text;
BEGIN
	FOR comparison IN SELECT c.value
		FROM jsonb_array_elements(mlmeta_internal.rest_filter(coalesce(filter, ''),
			search)) AS c
	LOOP
		IF comparison ->> 'type' = 'tag' AND comparison ->> 'key' = 'mlflow.prompt.is_prompt' THEN
			prompts := mlmeta_internal.rest_text_condition(
				'coalesce(r.tags ->> ''mlflow.prompt.is_prompt'', ''false'')', comparison);
		ELSIF comparison ->> 'type' = 'tag' THEN
			result := result || ' AND ' || mlmeta_internal.rest_text_condition(
				format('(r.tags ->> %L)', comparison ->> 'key'), comparison);
		ELSE
			result := result || ' AND '
				|| mlmeta_internal.rest_attribute_condition(comparison, search);
		END IF;
	END LOOP;
	RETURN result || ' AND ' || coalesce(prompts,
		'r.tags ->> ''mlflow.prompt.is_prompt'' IS DISTINCT FROM ''true''');
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_model_conditions(text, text) IS
	'the condition of SQL for a filter over models or versions';

CREATE FUNCTION mlmeta_internal.rest_search_models(request jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted int := mlmeta_internal.rest_max_results(request, 100, 1000);
	skipped bigint := mlmeta_internal.rest_offset(
		mlmeta_internal.arg_text(request, 'page_token'));
	found_ones jsonb;
BEGIN
	EXECUTE format('SELECT jsonb_agg(mlmeta_internal.rest_model_json(r))
		FROM (SELECT r.* FROM mlmeta.models AS r WHERE r.deleted_at IS NULL AND %s
			ORDER BY %s OFFSET $1 LIMIT $2) AS r',
		mlmeta_internal.rest_model_conditions(
			mlmeta_internal.arg_text(request, 'filter'), 'models'),
		mlmeta_internal.rest_order_by(mlmeta_internal.arg_texts(request, 'order_by'),
			'models', '{"name": "r.model", "timestamp": "r.changed_at",
				"last_updated_timestamp": "r.changed_at"}', 'r.model'))
	INTO found_ones USING skipped, wanted + 1;
	RETURN mlmeta_internal.rest_page('registered_models', found_ones, skipped, wanted);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_search_models(jsonb) IS
	'GET registered-models/search';

CREATE FUNCTION mlmeta_internal.rest_latest_versions(request jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	model mlmeta.models := mlmeta_internal.rest_model_of(request);
	stages text[];
BEGIN
	SELECT array_agg(mlmeta_internal.rest_stage_argument(s.stage)) INTO stages
	FROM unnest(mlmeta_internal.arg_texts(request, 'stages')) AS s (stage);
	RETURN jsonb_strip_nulls(jsonb_build_object('model_versions',
		mlmeta_internal.rest_latest_of(model.model, model.model_id, stages)));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_latest_versions(jsonb) IS
	'POST registered-models/get-latest-versions';

-- Aliases -----------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.rest_alias_argument(request jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	alias text := mlmeta_internal.arg_text(request, 'alias', true);
BEGIN
	IF lower(alias) = 'latest' THEN
		RAISE EXCEPTION '''latest'' alias name (case insensitive) is reserved.'
			USING ERRCODE = 'invalid_parameter_value';
	ELSIF alias COLLATE "C" ~* '^v[0-9]+$' THEN
		RAISE EXCEPTION 'Version alias name ''%'' is reserved.', alias
			USING ERRCODE = 'invalid_parameter_value';
	ELSIF alias COLLATE "C" !~ '^[[:alnum:]_-]{1,255}$' THEN
		RAISE EXCEPTION 'Invalid alias name: ''%''. Names may only contain alphanumerics, underscores (_) and dashes (-), 255 at most.', left(alias, 300)
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN alias;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_alias_argument(jsonb) IS
	'the alias that a request names, as MLflow lets aliases be called';

CREATE FUNCTION mlmeta_internal.rest_set_alias(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	alias text := mlmeta_internal.rest_alias_argument(request);
	model mlmeta.models := mlmeta_internal.rest_model_of(request);
BEGIN
	PERFORM mlmeta.set_alias(model.model, alias,
		mlmeta_internal.rest_version_of(request, model));
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_set_alias(jsonb) IS
	'POST registered-models/alias';

CREATE FUNCTION mlmeta_internal.rest_delete_alias(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	name text := mlmeta_internal.arg_text(request, 'alias', true);
	model mlmeta.models := mlmeta_internal.rest_model_of(request);
BEGIN
	IF EXISTS (SELECT FROM mlmeta.model_aliases AS a
			WHERE a.model_id = model.model_id AND a.alias = name
				AND a.version IS NOT NULL) THEN
		PERFORM mlmeta.drop_alias(model.model, name);
	END IF;
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_delete_alias(jsonb) IS
	'DELETE registered-models/alias';

CREATE FUNCTION mlmeta_internal.rest_version_by_alias(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	label text := mlmeta_internal.arg_text(request, 'alias', true);
	model mlmeta.models := mlmeta_internal.rest_model_of(request);
	found_one record;
BEGIN
	IF NOT EXISTS (SELECT FROM mlmeta.model_aliases AS a
			WHERE a.model_id = model.model_id AND a.alias = label
				AND a.version IS NOT NULL) THEN
		RAISE EXCEPTION 'Registered model alias % not found.', left(label, 300)
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	found_one := mlmeta.resolve_model(model.model || '@' || label,
		mlmeta_internal.rest_purpose(request, 'alias'));
	RETURN mlmeta_internal.rest_version_answer(model, found_one.version);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_version_by_alias(jsonb) IS
	'GET registered-models/alias, on record';

-- Versions ----------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.rest_check_source(source text) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF source COLLATE "C" !~ '^[A-Za-z][A-Za-z0-9+.-]*:' OR source ~* '^file:' THEN
		RAISE EXCEPTION 'Invalid model version source: ''%''. To use a local path as a model version source, the run_id request parameter has to be specified and the local path has to be contained within the artifact directory of the run specified by the run_id.', left(source, 300)
			USING ERRCODE = 'invalid_parameter_value';
	ELSIF source ~ '(^|[/\\]|%2[fF]|%5[cC])(\.|%2[eE]){2}([/\\]|%2[fF]|%5[cC]|$)' THEN
		RAISE EXCEPTION 'Invalid model version source: ''%''. It must not hold ''..''.', left(source, 300)
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_check_source(text) IS
	'raises the error for a place of a version that means nothing to others, or leads out of one';

CREATE FUNCTION mlmeta_internal.rest_note_version(
	logged_model text,
	model text,
	version int
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old jsonb;
BEGIN
	SELECT mlmeta_internal.rest_parse_json(m.tags ->> 'mlflow.modelVersions') INTO old
	FROM mlmeta.logged_models AS m
	WHERE m.id = rest_note_version.logged_model;
	PERFORM mlmeta.set_logged_model(logged_model, tags => jsonb_build_object(
		'mlflow.modelVersions', (CASE jsonb_typeof(old) WHEN 'array' THEN old ELSE '[]' END
			|| jsonb_build_array(jsonb_build_object('name', model, 'version', version)))::text));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_note_version(text, text, int) IS
	'notes in the tag of a logged model, where clients look, which version is made of it';

CREATE FUNCTION mlmeta_internal.rest_create_version(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	model mlmeta.models := mlmeta_internal.rest_model_of(request);
	source text := mlmeta_internal.arg_text(request, 'source', true);
	run_id text := nullif(mlmeta_internal.arg_text(request, 'run_id'), '');
	logged_model text := coalesce(nullif(mlmeta_internal.arg_text(request, 'model_id'), ''),
		substring(source from '^models:/(m-[^/]+)$'));
	run mlmeta.run;
	number int;
BEGIN
	PERFORM mlmeta_internal.rest_check_source(source);
	IF run_id IS NOT NULL THEN
		run := (mlmeta_internal.rest_run_of(jsonb_build_object('run_id', run_id))).run;
	ELSIF logged_model IS NOT NULL THEN
		-- The run that logged it is where it comes from.
		SELECT m.run INTO run
		FROM mlmeta.logged_models AS m
		WHERE m.id = mlmeta_internal.rest_logged_model_of(
			jsonb_build_object('model_id', logged_model));
	END IF;
	number := mlmeta.create_model_version(model.model, run, NULL, source,
		mlmeta_internal.arg_text(request, 'description'),
		mlmeta_internal.rest_tags(mlmeta_internal.arg_list(request, 'tags')));
	IF logged_model IS NOT NULL THEN
		PERFORM mlmeta_internal.rest_note_version(logged_model, model.model, number);
	END IF;
	RETURN mlmeta_internal.rest_version_answer(model, number);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_create_version(jsonb) IS
	'POST model-versions/create';

CREATE FUNCTION mlmeta_internal.rest_get_version(request jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	name text := mlmeta_internal.arg_text(request, 'name', true);
	model mlmeta.models;
BEGIN
	IF NOT EXISTS (SELECT FROM mlmeta.models AS m
			WHERE m.model = name AND m.deleted_at IS NULL) THEN
		RAISE EXCEPTION 'Model Version (name=%, version=%) not found', left(name, 300),
				left(request ->> 'version', 100)
			USING ERRCODE = 'undefined_object';
	END IF;
	model := mlmeta_internal.rest_model_of(request);
	RETURN mlmeta_internal.rest_version_answer(model,
		mlmeta_internal.rest_version_of(request, model));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_get_version(jsonb) IS
	'GET model-versions/get';

CREATE FUNCTION mlmeta_internal.rest_update_version(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	model mlmeta.models := mlmeta_internal.rest_model_of(request);
BEGIN
	PERFORM mlmeta.describe_model(model.model,
		coalesce(mlmeta_internal.arg_text(request, 'description'), ''),
		version => mlmeta_internal.rest_version_of(request, model));
	RETURN mlmeta_internal.rest_get_version(request);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_update_version(jsonb) IS
	'PATCH model-versions/update';

CREATE FUNCTION mlmeta_internal.rest_delete_version(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	model mlmeta.models := mlmeta_internal.rest_model_of(request);
BEGIN
	PERFORM mlmeta.delete_version(model.model,
		mlmeta_internal.rest_version_of(request, model));
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_delete_version(jsonb) IS
	'DELETE model-versions/delete';

CREATE FUNCTION mlmeta_internal.rest_set_version_tag(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	model mlmeta.models := mlmeta_internal.rest_model_of(request);
BEGIN
	PERFORM mlmeta.describe_model(model.model, tags => jsonb_build_object(
		mlmeta_internal.arg_text(request, 'key', true, 250),
		coalesce(mlmeta_internal.arg_text(request, 'value', false, 100000), '')),
		version => mlmeta_internal.rest_version_of(request, model));
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_set_version_tag(jsonb) IS
	'POST model-versions/set-tag';

CREATE FUNCTION mlmeta_internal.rest_delete_version_tag(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	model mlmeta.models := mlmeta_internal.rest_model_of(request);
	number int := mlmeta_internal.rest_version_of(request, model);
	key text := mlmeta_internal.arg_text(request, 'key', true);
BEGIN
	IF EXISTS (SELECT FROM mlmeta.model_versions AS v
			WHERE v.model_id = model.model_id AND v.version = number AND v.tags ? key) THEN
		PERFORM mlmeta.describe_model(model.model, tags => jsonb_build_object(key, NULL),
			version => number);
	END IF;
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_delete_version_tag(jsonb) IS
	'DELETE model-versions/delete-tag';

CREATE FUNCTION mlmeta_internal.rest_search_versions(request jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted int := mlmeta_internal.rest_max_results(request, 10000, 200000);
	skipped bigint := mlmeta_internal.rest_offset(
		mlmeta_internal.arg_text(request, 'page_token'));
	found_ones jsonb;
BEGIN
	EXECUTE format('SELECT jsonb_agg(mlmeta_internal.rest_version_json(f.model,
			f.model_id, f.version))
		FROM (SELECT m.model, r.model_id, r.version
			FROM mlmeta.models AS m
				JOIN (SELECT v.model_id, v.version, v.run, v.tags, v.created_at
					FROM mlmeta.model_versions AS v
					WHERE v.deleted_at IS NULL) AS r USING (model_id)
			WHERE m.deleted_at IS NULL AND %s ORDER BY %s OFFSET $1 LIMIT $2) AS f',
		mlmeta_internal.rest_model_conditions(
			mlmeta_internal.arg_text(request, 'filter'), 'versions'),
		mlmeta_internal.rest_order_by(mlmeta_internal.arg_texts(request, 'order_by'),
			'versions', '{"name": "m.model", "version_number": "r.version",
				"creation_timestamp": "r.created_at",
				"last_updated_timestamp": "r.created_at"}',
			'm.changed_at DESC, m.model, r.version DESC'))
	INTO found_ones USING skipped, wanted + 1;
	RETURN mlmeta_internal.rest_page('model_versions', found_ones, skipped, wanted);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_search_versions(jsonb) IS
	'GET model-versions/search';

CREATE FUNCTION mlmeta_internal.rest_download_uri(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	model mlmeta.models := mlmeta_internal.rest_model_of(request);
	found_one record;
	uri text;
BEGIN
	found_one := mlmeta.resolve_model(model.model || ':'
		|| mlmeta_internal.rest_version_of(request, model),
		mlmeta_internal.rest_purpose(request, 'download'));
	uri := found_one.uri;
	IF uri ~ '^models:/m-[^/]+$' THEN
		SELECT mlmeta_internal.rest_logged_model_uri(m.id, m.experiment_id) INTO uri
		FROM mlmeta.logged_models AS m
		WHERE m.id = substr(found_one.uri, 9);
	END IF;
	RETURN jsonb_build_object('artifact_uri', coalesce(uri, found_one.uri));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_download_uri(jsonb) IS
	'GET model-versions/get-download-uri, on record';

-- What a policy does not let through at once stays a request: the answer tells
-- its number, and is no error of SQL, which would undo it.
CREATE FUNCTION mlmeta_internal.rest_transition_stage_reply(request jsonb)
RETURNS mlmeta_internal.http_reply
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	model mlmeta.models := mlmeta_internal.rest_model_of(request);
	number int := mlmeta_internal.rest_version_of(request, model);
	target text := mlmeta_internal.rest_stage_argument(
		mlmeta_internal.arg_text(request, 'stage', true));
	asked bigint;
	other int;
BEGIN
	asked := mlmeta_internal.rest_ask_transition(model, number, target);
	IF asked IS NOT NULL THEN
		RETURN mlmeta_internal.http_error('PERMISSION_DENIED', format(
			'Stage %s of model ''%s'' needs approval: request %s asks for it. A reviewer decides with approve(%3$s).',
			mlmeta_internal.rest_stage(target), model.model, asked), 403);
	END IF;
	IF request -> 'archive_existing_versions' IN ('true', '"true"') THEN
		FOR other IN
			SELECT v.version
			FROM mlmeta.model_versions AS v
			WHERE v.model_id = model.model_id AND v.stage = target
				AND v.version <> number AND v.deleted_at IS NULL
			ORDER BY v.version
		LOOP
			PERFORM mlmeta_internal.rest_ask_transition(model, other,
				mlmeta_internal.rest_stage_argument('archived'));
		END LOOP;
	END IF;
	RETURN mlmeta_internal.http_json(jsonb_build_object('model_version',
		mlmeta_internal.rest_version_json(model.model, model.model_id, number)));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_transition_stage_reply(jsonb) IS
	'POST model-versions/transition-stage';

CREATE FUNCTION mlmeta_internal.rest_ask_transition(
	model mlmeta.models,
	version int,
	stage text
) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	asked bigint;
BEGIN
	IF EXISTS (SELECT FROM mlmeta.model_versions AS v
			WHERE v.model_id = model.model_id AND v.stage = rest_ask_transition.stage
				AND v.version = rest_ask_transition.version) THEN
		RETURN NULL;
	END IF;
	SELECT r.request INTO asked
	FROM mlmeta.transition_requests AS r
	WHERE r.model_id = model.model_id AND r.stage = rest_ask_transition.stage
		AND r.version = rest_ask_transition.version AND r.status = 'pending'
		AND r.expires_at > clock_timestamp();
	asked := coalesce(asked, mlmeta.request_transition(model.model, version, stage,
		'asked for by a client of MLflow'));
	RETURN (
		SELECT r.request
		FROM mlmeta.transition_requests AS r
		WHERE r.request = asked AND r.status = 'pending'
	);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_ask_transition(mlmeta.models, int, text) IS
	'asks for a version to enter a stage; the number of the request where it waits for approval, NULL where it is in';
