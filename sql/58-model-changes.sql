-- Models and versions that are renamed, hidden and brought back. What is in the
-- audit trail stays in it, and says so too.

CREATE FUNCTION mlmeta_internal.require_unused(
	m mlmeta.models,
	version int
) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	used record;
BEGIN
	SELECT u.version, u.how INTO used
	FROM (
		SELECT v.version, format('is in stage "%s"', v.stage) AS how
		FROM mlmeta.model_versions AS v
			JOIN mlmeta.stages AS s ON s.stage = v.stage AND s.exclusive
		WHERE v.model_id = m.model_id
		UNION ALL
		SELECT a.version, format('has alias "%s"', a.alias)
		FROM mlmeta.model_aliases AS a
		WHERE a.model_id = m.model_id AND a.version IS NOT NULL
	) AS u
	WHERE u.version = coalesce(require_unused.version, u.version)
	ORDER BY u.version, u.how
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'version % of model "%" is in use', used.version, m.model
			USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = format('It %s.', used.how),
				HINT = 'Move it to another stage, and drop its aliases.';
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.require_unused(mlmeta.models, int) IS
	'raises an error when a version of a model, or any, is in an exclusive stage or under an alias';

CREATE FUNCTION mlmeta_internal.rename_model(model text, new_name text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta.models := mlmeta_internal.lock_model(model, 'writer');
BEGIN
	PERFORM mlmeta_internal.check_model_name(new_name);
	IF m.model = new_name THEN
		RETURN;
	END IF;
	BEGIN
		UPDATE mlmeta.models AS u SET model = new_name
		WHERE u.model_id = m.model_id;
	EXCEPTION WHEN unique_violation THEN
		RAISE EXCEPTION 'model "%" already exists', new_name
			USING ERRCODE = 'duplicate_object',
				HINT = 'Names of models are one of a kind in the database.';
	END;
	-- Monitors name their model.
	UPDATE mlmeta_internal.monitors AS o
	SET model = new_name || substr(o.model, char_length(m.model) + 1)
	WHERE o.model = m.model
		OR left(o.model, char_length(m.model) + 1) = ANY
			(ARRAY[m.model || '@', m.model || ':'])
		-- A model may hold a slash: only a stage can follow this one.
		OR left(o.model, char_length(m.model) + 1) = m.model || '/'
			AND EXISTS (SELECT FROM mlmeta.stages AS s WHERE s.stage
				= substr(o.model, char_length(m.model) + 2))
			AND NOT EXISTS (SELECT FROM mlmeta.models AS n
				WHERE n.model = o.model);
	PERFORM mlmeta_internal.record_change(m.model_id, NULL, 'renamed',
		jsonb_build_object('model', m.model, 'new_name', new_name));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rename_model(text, text) IS
	'gives a model another name; references must say the new one from then on, those of monitors do';

CREATE FUNCTION mlmeta_internal.delete_model(model text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta.models := mlmeta_internal.lock_model(model, 'writer', true);
	at timestamptz;
BEGIN
	IF m.deleted_at IS NOT NULL THEN
		RETURN;
	END IF;
	PERFORM mlmeta_internal.require_unused(m, NULL);
	at := mlmeta_internal.record_change(m.model_id, NULL, 'deleted', '{}');
	UPDATE mlmeta.models AS u SET deleted_at = at
	WHERE u.model_id = m.model_id;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.delete_model(text) IS
	'hides a model of which no version is in an exclusive stage or under an alias; its record and its name stay; restore_model() brings it back';

CREATE FUNCTION mlmeta_internal.restore_model(model text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta.models := mlmeta_internal.lock_model(model, 'writer', true);
BEGIN
	IF m.deleted_at IS NULL THEN
		RETURN;
	END IF;
	PERFORM mlmeta_internal.record_change(m.model_id, NULL, 'restored', '{}');
	UPDATE mlmeta.models AS u SET deleted_at = NULL
	WHERE u.model_id = m.model_id;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.restore_model(text) IS
	'brings a deleted model back';

CREATE FUNCTION mlmeta_internal.delete_version(model text, version int)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta.models := mlmeta_internal.lock_model(model, 'writer');
	v mlmeta.model_versions := mlmeta_internal.find_version(m, version, true);
	at timestamptz;
BEGIN
	IF v.deleted_at IS NOT NULL THEN
		RETURN;
	END IF;
	PERFORM mlmeta_internal.require_unused(m, version);
	IF EXISTS (SELECT FROM mlmeta.transition_requests AS q
			WHERE q.model_id = m.model_id AND q.version = delete_version.version
				AND q.status = 'pending') THEN
		RAISE EXCEPTION 'version % of model "%" is in use', version, m.model
			USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = 'There is a pending request to move it.',
				HINT = 'Withdraw or reject it first.';
	END IF;
	at := mlmeta_internal.record_change(m.model_id, version, 'deleted', '{}');
	UPDATE mlmeta.model_versions AS u SET deleted_at = at
	WHERE u.model_id = m.model_id AND u.version = delete_version.version;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.delete_version(text, int) IS
	'hides a version that is in no exclusive stage and under no alias; its record and its number stay; restore_version() brings it back';

CREATE FUNCTION mlmeta_internal.restore_version(model text, version int)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta.models := mlmeta_internal.lock_model(model, 'writer');
	v mlmeta.model_versions := mlmeta_internal.find_version(m, version, true);
BEGIN
	IF v.deleted_at IS NULL THEN
		RETURN;
	END IF;
	PERFORM mlmeta_internal.record_change(m.model_id, version, 'restored', '{}');
	UPDATE mlmeta.model_versions AS u SET deleted_at = NULL
	WHERE u.model_id = m.model_id AND u.version = restore_version.version;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.restore_version(text, int) IS
	'brings a deleted version back';
