-- Models and the stages their versions pass through.
--
-- Everything that changes a model first locks its row: version numbers have no
-- gaps, periods do not overlap, the audit trail is one chain and events are in
-- order, because two changes of one model never happen side by side.

CREATE FUNCTION mlmeta_internal.is_label(value text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN mlmeta_internal.is_name(value) AND value COLLATE "C" !~ '[@:/]';

COMMENT ON FUNCTION mlmeta_internal.is_label(text) IS
	'whether a text can name a stage or an alias: a name without @, : and /, which references need';

CREATE FUNCTION mlmeta_internal.check_label(kind text, value text) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.check_name(kind, value);
	IF NOT mlmeta_internal.is_label(value) THEN
		RAISE EXCEPTION '% "%" is not valid', kind, value
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = 'It holds one of the characters @ : /, which separate the parts of a reference.';
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.check_label(text, text) IS
	'raises an error that names the kind of object unless the text can name a stage or an alias';

-- Stages ----------------------------------------------------------------------

CREATE TABLE mlmeta.stages (
	stage text PRIMARY KEY CHECK (mlmeta_internal.is_label(stage)),
	rank int NOT NULL UNIQUE,
	exclusive boolean NOT NULL DEFAULT false,
	displaced_to text CHECK (displaced_to <> stage),
	description text
);

COMMENT ON TABLE mlmeta.stages IS
	'stages that versions pass through; none, staging, production and archived come with the first model';
COMMENT ON COLUMN mlmeta.stages.rank IS
	'its place in the order of stages; versions begin in the first';
COMMENT ON COLUMN mlmeta.stages.exclusive IS
	'whether a model has at most one version in it';
COMMENT ON COLUMN mlmeta.stages.displaced_to IS
	'where the version goes that another takes the place of in an exclusive stage';

CREATE FUNCTION mlmeta_internal.add_default_stages() RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	INSERT INTO mlmeta.stages (stage, rank, exclusive, displaced_to,
		description)
	SELECT d.stage, d.rank, d.exclusive, d.displaced_to, d.description
	FROM (VALUES
		('none', 0, false, NULL, 'registered, not yet decided on'),
		('staging', 10, false, NULL, 'under trial'),
		('production', 20, true, 'archived', 'in use'),
		('archived', 30, false, NULL, 'no longer in use')
	) AS d (stage, rank, exclusive, displaced_to, description)
	WHERE NOT EXISTS (SELECT FROM mlmeta.stages)
	ON CONFLICT DO NOTHING;
END;

COMMENT ON FUNCTION mlmeta_internal.add_default_stages() IS
	'adds the stages none, staging, production and archived when there are none at all';

CREATE FUNCTION mlmeta_internal.find_stage(stage text) RETURNS mlmeta.stages
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result mlmeta.stages;
BEGIN
	SELECT s.* INTO result
	FROM mlmeta.stages AS s
	WHERE s.stage = find_stage.stage;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'stage % does not exist',
				coalesce('"' || stage || '"', 'NULL')
			USING ERRCODE = 'undefined_object', HINT = format('Stages are: %s.', (
				SELECT string_agg(s.stage, ', ' ORDER BY s.rank)
				FROM mlmeta.stages AS s
			));
	END IF;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.find_stage(text) IS
	'the row of a stage; raises an error that lists the stages when there is none';

CREATE FUNCTION mlmeta_internal.define_stage(
	stage text,
	rank int,
	exclusive boolean DEFAULT false,
	displaced_to text DEFAULT NULL,
	description text DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	taken text;
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.check_label('stage', stage);
	IF rank IS NULL OR exclusive IS NULL THEN
		RAISE EXCEPTION 'stage "%" needs a rank, and must say whether it is exclusive',
				stage
			USING ERRCODE = 'null_value_not_allowed';
	ELSIF displaced_to = stage THEN
		RAISE EXCEPTION 'versions cannot be displaced from stage "%" to itself',
				stage
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM mlmeta_internal.add_default_stages();
	-- Nobody moves a version meanwhile.
	LOCK TABLE mlmeta.stages IN SHARE ROW EXCLUSIVE MODE;
	LOCK TABLE mlmeta.model_aliases IN SHARE MODE;
	IF EXISTS (SELECT FROM mlmeta.model_aliases AS a
			WHERE a.alias = define_stage.stage) THEN
		RAISE EXCEPTION 'stage "%" has the name of an alias', stage
			USING ERRCODE = 'duplicate_object';
	ELSIF displaced_to IS NOT NULL THEN
		PERFORM mlmeta_internal.find_stage(displaced_to);
	END IF;
	SELECT s.stage INTO taken
	FROM mlmeta.stages AS s
	WHERE s.rank = define_stage.rank AND s.stage <> define_stage.stage;
	IF FOUND THEN
		RAISE EXCEPTION 'rank % is that of stage "%"', rank, taken
			USING ERRCODE = 'duplicate_object',
				HINT = 'Stages are in one order: give it another rank.';
	ELSIF exclusive AND EXISTS (SELECT FROM mlmeta.model_versions AS v
			WHERE v.stage = define_stage.stage
			GROUP BY v.model_id HAVING count(*) > 1) THEN
		RAISE EXCEPTION 'stage "%" cannot be exclusive: a model has several versions in it',
				stage
			USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;

	INSERT INTO mlmeta.stages AS s (stage, rank, exclusive, displaced_to,
		description)
	VALUES (define_stage.stage, define_stage.rank, define_stage.exclusive,
		define_stage.displaced_to, define_stage.description)
	ON CONFLICT ON CONSTRAINT stages_pkey DO UPDATE
	SET rank = excluded.rank, exclusive = excluded.exclusive,
		displaced_to = excluded.displaced_to,
		description = coalesce(excluded.description, s.description);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.define_stage(text, int, boolean, text, text) IS
	'adds a stage or changes its place in the order, whether a model has at most one version in it, and where the version goes that is displaced';

CREATE FUNCTION mlmeta_internal.is_stage_used(stage text) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN EXISTS (SELECT FROM mlmeta.stage_periods AS p
			WHERE p.stage = is_stage_used.stage)
		OR EXISTS (SELECT FROM mlmeta.model_versions AS v
			WHERE v.stage = is_stage_used.stage)
		OR EXISTS (SELECT FROM mlmeta.transition_policies AS p
			WHERE p.stage = is_stage_used.stage)
		OR EXISTS (SELECT FROM mlmeta.gates AS g
			WHERE g.stage = is_stage_used.stage)
		OR EXISTS (SELECT FROM mlmeta.transition_requests AS r
			WHERE is_stage_used.stage IN (r.stage, r.from_stage));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.is_stage_used(text) IS
	'whether a version is or was in a stage, or anything else refers to it';

CREATE FUNCTION mlmeta_internal.lock_stage(stage text) RETURNS mlmeta.stages
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM FROM mlmeta.stages AS s
	WHERE s.stage = lock_stage.stage
	FOR KEY SHARE;
	RETURN mlmeta_internal.find_stage(stage);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.lock_stage(text) IS
	'the row of a stage, which cannot be dropped until the transaction ends';

CREATE FUNCTION mlmeta_internal.drop_stage(stage text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.find_stage(stage);
	IF EXISTS (SELECT FROM mlmeta.stages AS s
			WHERE s.displaced_to = drop_stage.stage) THEN
		RAISE EXCEPTION 'stage "%" is needed: versions are displaced to it',
				stage
			USING ERRCODE = 'dependent_objects_still_exist';
	END IF;
	-- Whoever moves a version into it, or asks to, holds a lock on its row.
	PERFORM FROM mlmeta.stages AS s
	WHERE s.stage = drop_stage.stage
	FOR UPDATE;
	IF mlmeta_internal.is_stage_used(stage) THEN
		RAISE EXCEPTION 'stage "%" is in use', stage
			USING ERRCODE = 'dependent_objects_still_exist',
				HINT = 'A stage that a version is or was in, or that has a policy, a gate or a request, stays.';
	END IF;
	DELETE FROM mlmeta.stages AS s WHERE s.stage = drop_stage.stage;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.drop_stage(text) IS
	'removes a stage that nothing refers to';

-- Models ----------------------------------------------------------------------

CREATE TABLE mlmeta.models (
	model_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	model text NOT NULL UNIQUE
		CHECK (mlmeta_internal.is_name(model) AND model COLLATE "C" !~ '[@:]'),
	project text NOT NULL,
	description text,
	tags jsonb NOT NULL DEFAULT '{}'
		CHECK (pg_catalog.jsonb_typeof(tags) = 'object'),
	last_version int NOT NULL DEFAULT 0,
	changes bigint NOT NULL DEFAULT 0,
	chain_head bytea NOT NULL DEFAULT pg_catalog.sha256(''),
	changed_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	created_by text NOT NULL DEFAULT mlmeta_internal.actor(),
	deleted_at timestamptz
) WITH (fillfactor = 70);

CREATE INDEX models_project ON mlmeta.models (project);

COMMENT ON TABLE mlmeta.models IS
	'registered models; see the view model_overview';
COMMENT ON COLUMN mlmeta.models.model IS
	'its name, one of a kind in the database; without @ and :, which references need';
COMMENT ON COLUMN mlmeta.models.deleted_at IS
	'when delete_model() hid it';
COMMENT ON COLUMN mlmeta.models.last_version IS
	'number of its latest version';
COMMENT ON COLUMN mlmeta.models.changes IS
	'number of rows of its audit trail';
COMMENT ON COLUMN mlmeta.models.chain_head IS
	'hash of the last row of its audit trail';
COMMENT ON COLUMN mlmeta.models.changed_at IS
	'time of its last change; the next one is later, whatever the clock does';

CREATE FUNCTION mlmeta_internal.guard_models() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION 'table "%": % of what is registered is refused',
			TG_TABLE_NAME, TG_OP
		USING ERRCODE = 'object_not_in_prerequisite_state',
			HINT = 'What is registered stays; move versions to the stage archived.';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.guard_models() IS
	'trigger that keeps what the registry has recorded';

CREATE TRIGGER guard_models
	BEFORE UPDATE OF model_id, created_at, created_by ON mlmeta.models
	FOR EACH ROW EXECUTE FUNCTION mlmeta_internal.guard_models();

CREATE TRIGGER guard_models_delete
	BEFORE DELETE OR TRUNCATE ON mlmeta.models
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta_internal.guard_models();

CREATE FUNCTION mlmeta_internal.find_model(
	model text,
	access text DEFAULT 'reader',
	deleted_too boolean DEFAULT false
) RETURNS mlmeta.models
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result mlmeta.models;
BEGIN
	IF model IS NULL THEN
		RAISE EXCEPTION 'model must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	SELECT m.* INTO result
	FROM mlmeta.models AS m
	WHERE m.model = find_model.model;
	-- Others need not learn that a model of a closed project exists.
	IF NOT FOUND OR NOT mlmeta_internal.permits_project('reader', result.project) THEN
		RAISE EXCEPTION 'model "%" does not exist', model
			USING ERRCODE = 'undefined_object',
				HINT = 'Create it with create_model(); it may also belong to a project you are no member of.';
	END IF;
	PERFORM mlmeta_internal.require_access(result.project, access);
	IF result.deleted_at IS NOT NULL AND NOT deleted_too THEN
		RAISE EXCEPTION 'model "%" is deleted', model
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Bring it back with restore_model().';
	END IF;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.find_model(text, text, boolean) IS
	'the row of a model to whose project the caller has that access; raises an error otherwise';

CREATE FUNCTION mlmeta_internal.check_model_name(model text) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.check_name('model', model);
	IF model COLLATE "C" ~ '[@:]' THEN
		RAISE EXCEPTION 'model "%" is not valid', model
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = 'It holds @ or :, which separate the parts of a reference.';
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.check_model_name(text) IS
	'raises an error unless a text can name a model';

CREATE FUNCTION mlmeta_internal.lock_model(
	model text,
	access text,
	deleted_too boolean DEFAULT false
) RETURNS mlmeta.models
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_model mlmeta.models;
	result mlmeta.models;
BEGIN
	PERFORM mlmeta_internal.check_writable();
	found_model := mlmeta_internal.find_model(model, access, deleted_too);
	SELECT m.* INTO STRICT result
	FROM mlmeta.models AS m
	WHERE m.model_id = found_model.model_id
	FOR NO KEY UPDATE;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.lock_model(text, text, boolean) IS
	'the row of a model, locked against all other changes of the model until the end of the transaction';
