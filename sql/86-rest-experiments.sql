-- MLflow: experiments.

CREATE FUNCTION mlmeta_internal.rest_experiment_json(experiment mlmeta.experiments)
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
	'experiment_id', (experiment).experiment_id::text,
	'name', (experiment).experiment,
	'artifact_location', mlmeta_internal.rest_experiment_uri(experiment),
	'lifecycle_stage', CASE WHEN (experiment).deleted_at IS NULL
		THEN 'active' ELSE 'deleted' END,
	'creation_time', mlmeta_internal.rest_ms((experiment).created_at),
	'last_update_time', mlmeta_internal.rest_ms((experiment).changed_at),
	'tags', mlmeta_internal.rest_pairs((experiment).tags)));

COMMENT ON FUNCTION mlmeta_internal.rest_experiment_json(mlmeta.experiments) IS
	'an experiment as MLflow describes it';

CREATE FUNCTION mlmeta_internal.rest_check_experiment_name(name text) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF char_length(name) > 250 THEN
		RAISE EXCEPTION '''name'' exceeds the maximum length of 250 characters'
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = format('It has %s characters.', char_length(name));
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_check_experiment_name(text) IS
	'raises the error for a name that is too long';

CREATE FUNCTION mlmeta_internal.rest_create_experiment(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	name text := mlmeta_internal.arg_text(request, 'name', true);
	uri text := nullif(mlmeta_internal.arg_text(request, 'artifact_location'), '');
	tags jsonb := mlmeta_internal.rest_tags(
		mlmeta_internal.arg_list(request, 'tags'));
	old mlmeta.experiments;
	id bigint;
BEGIN
	PERFORM mlmeta_internal.rest_check_experiment_name(name);
	IF uri ~ '[?#]' AND uri !~ '^(s3|gs|wasbs?|abfss?|https?|hdfs|dbfs|sftp|ftp|file):' THEN
		RAISE EXCEPTION 'Invalid artifact_location: ''%''. It must not hold ? or #.', left(uri, 200)
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF name = 'Default' THEN
		PERFORM mlmeta_internal.rest_default_experiment();
	END IF;
	SELECT e.* INTO old FROM mlmeta.experiments AS e WHERE e.experiment = name;
	IF FOUND THEN
		RAISE EXCEPTION 'Experiment(name=%) already exists.', name
			USING ERRCODE = 'unique_violation', DETAIL = CASE
				WHEN old.deleted_at IS NOT NULL
				THEN format('It is deleted: restore experiment %s or give it another name.',
					old.experiment_id) ELSE '' END;
	END IF;
	id := mlmeta.create_experiment(name, artifact_uri => rtrim(uri, '/'));
	IF tags <> '{}' THEN
		PERFORM mlmeta.set_experiment_tags(name, tags);
	END IF;
	RETURN jsonb_build_object('experiment_id', id::text);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_create_experiment(jsonb) IS
	'POST experiments/create';

CREATE FUNCTION mlmeta_internal.rest_get_experiment(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN jsonb_build_object('experiment', mlmeta_internal.rest_experiment_json(
		mlmeta_internal.rest_find_experiment(
			mlmeta_internal.arg_text(request, 'experiment_id', true))));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_get_experiment(jsonb) IS
	'GET experiments/get';

CREATE FUNCTION mlmeta_internal.rest_get_experiment_by_name(request jsonb)
RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	name text := mlmeta_internal.arg_text(request, 'experiment_name', true);
	experiment mlmeta.experiments;
BEGIN
	IF name = 'Default' THEN
		PERFORM mlmeta_internal.rest_default_experiment();
	END IF;
	SELECT e.* INTO experiment
	FROM mlmeta.experiments AS e
	WHERE e.experiment = name;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'Could not find experiment with name ''%''', name
			USING ERRCODE = 'undefined_object';
	END IF;
	RETURN jsonb_build_object('experiment',
		mlmeta_internal.rest_experiment_json(experiment));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_get_experiment_by_name(jsonb) IS
	'GET experiments/get-by-name';

CREATE FUNCTION mlmeta_internal.rest_delete_experiment(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	experiment mlmeta.experiments := mlmeta_internal.rest_find_experiment(
		mlmeta_internal.arg_text(request, 'experiment_id', true));
BEGIN
	IF experiment.experiment_id = 0 THEN
		RAISE EXCEPTION 'Cannot delete the default experiment ''0''. This is an internally reserved experiment.'
			USING ERRCODE = 'invalid_parameter_value';
	ELSIF experiment.deleted_at IS NOT NULL THEN
		RAISE EXCEPTION 'No Experiment with id=% exists', experiment.experiment_id
			USING ERRCODE = 'undefined_object';
	END IF;
	PERFORM mlmeta.delete_experiment(experiment.experiment);
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_delete_experiment(jsonb) IS
	'POST experiments/delete';

CREATE FUNCTION mlmeta_internal.rest_restore_experiment(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	experiment mlmeta.experiments := mlmeta_internal.rest_find_experiment(
		mlmeta_internal.arg_text(request, 'experiment_id', true));
BEGIN
	PERFORM mlmeta.restore_experiment(experiment.experiment);
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_restore_experiment(jsonb) IS
	'POST experiments/restore';

CREATE FUNCTION mlmeta_internal.rest_update_experiment(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	experiment mlmeta.experiments := mlmeta_internal.rest_find_experiment(
		mlmeta_internal.arg_text(request, 'experiment_id', true));
	name text := nullif(mlmeta_internal.arg_text(request, 'new_name'), '');
BEGIN
	IF experiment.deleted_at IS NOT NULL THEN
		RAISE EXCEPTION 'Cannot rename experiment in non-active lifecycle stage. Current stage: deleted'
			USING ERRCODE = 'object_not_in_prerequisite_state';
	ELSIF name IS NOT NULL THEN
		PERFORM mlmeta_internal.rest_check_experiment_name(name);
		PERFORM mlmeta.rename_experiment(experiment.experiment, name);
	END IF;
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_update_experiment(jsonb) IS
	'POST experiments/update';

CREATE FUNCTION mlmeta_internal.rest_set_experiment_tag(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	experiment mlmeta.experiments := mlmeta_internal.rest_find_experiment(
		mlmeta_internal.arg_text(request, 'experiment_id', true), true);
	key text := mlmeta_internal.arg_text(request, 'key', true);
	value text := coalesce(mlmeta_internal.arg_text(request, 'value'), '');
BEGIN
	PERFORM mlmeta_internal.rest_check_length('key', key, 250);
	PERFORM mlmeta_internal.rest_check_length('value', value, 5000);
	PERFORM mlmeta.set_experiment_tags(experiment.experiment,
		jsonb_build_object(key, value));
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_set_experiment_tag(jsonb) IS
	'POST experiments/set-experiment-tag';

CREATE FUNCTION mlmeta_internal.rest_delete_experiment_tag(request jsonb)
RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	experiment mlmeta.experiments := mlmeta_internal.rest_find_experiment(
		mlmeta_internal.arg_text(request, 'experiment_id', true), true);
	key text := mlmeta_internal.arg_text(request, 'key', true);
BEGIN
	IF NOT experiment.tags ? key THEN
		RAISE EXCEPTION 'No tag with name: % in experiment with id %', key,
				experiment.experiment_id
			USING ERRCODE = 'undefined_object';
	END IF;
	PERFORM mlmeta.set_experiment_tags(experiment.experiment,
		jsonb_build_object(key, NULL));
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_delete_experiment_tag(jsonb) IS
	'POST experiments/delete-experiment-tag';
