-- What the gateway needs of tracking beside what people call: files of logged
-- models, models as inputs and outputs of runs, the experiment 0, and which
-- files there are at all.

-- The experiment of who names none ----------------------------------------------

-- Clients of MLflow log to experiment 0 until they are told otherwise. It is no
-- row of the installation, which a dump would bring once more.
CREATE FUNCTION mlmeta_internal.create_default_experiment() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.require_access('default', 'writer');
	INSERT INTO mlmeta.experiments (experiment_id, experiment)
	VALUES (0, 'Default')
	ON CONFLICT DO NOTHING;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.create_default_experiment() IS
	'makes the experiment "Default", whose number is 0 and which clients of MLflow log to that name none; one that is there stays';

-- Files of logged models --------------------------------------------------------

CREATE TABLE mlmeta.logged_model_files (
	logged_model text NOT NULL,
	path text NOT NULL CHECK (mlmeta_internal.is_path(path)),
	size bigint CHECK (size >= 0),
	sha256 text CHECK (sha256 COLLATE "C" ~ '^[0-9a-f]{64}$'),
	media_type text,
	logged_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (logged_model, path)
);

CREATE INDEX logged_model_files_sha256 ON mlmeta.logged_model_files (sha256)
	WHERE sha256 IS NOT NULL;

COMMENT ON TABLE mlmeta.logged_model_files IS
	'files of logged models, below the uri of the model; the bytes lie elsewhere';
COMMENT ON COLUMN mlmeta.logged_model_files.path IS
	'relative, with slashes';
COMMENT ON COLUMN mlmeta.logged_model_files.size IS
	'in bytes';
COMMENT ON COLUMN mlmeta.logged_model_files.sha256 IS
	'of the bytes, 64 hexadecimal digits';
COMMENT ON COLUMN mlmeta.logged_model_files.logged_at IS
	'when it was logged last';

CREATE TRIGGER guard_logged_model_files
	BEFORE DELETE OR TRUNCATE ON mlmeta.logged_model_files
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta_internal.guard_append_only();

CREATE FUNCTION mlmeta_internal.log_model_file(
	logged_model text,
	path text,
	size bigint DEFAULT NULL,
	sha256 text DEFAULT NULL,
	media_type text DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.find_logged_model(logged_model);
	PERFORM FROM mlmeta.logged_models AS m
	WHERE m.id = log_model_file.logged_model
	FOR KEY SHARE;
	IF mlmeta_internal.is_path(path) IS NOT TRUE THEN
		RAISE EXCEPTION 'path % of logged model "%" is not valid',
				coalesce(to_json(left(path, 60))::text, 'null'), logged_model
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Use a relative path without empty parts, . and ..';
	ELSIF lower(sha256) COLLATE "C" !~ '^[0-9a-f]{64}$' THEN
		RAISE EXCEPTION 'digest of file "%" of logged model "%" is not valid',
				path, logged_model
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'A SHA-256 has 64 hexadecimal digits.';
	END IF;
	INSERT INTO mlmeta.logged_model_files AS f (logged_model, path, size,
		sha256, media_type)
	VALUES (log_model_file.logged_model, log_model_file.path,
		log_model_file.size, lower(log_model_file.sha256),
		log_model_file.media_type)
	ON CONFLICT ON CONSTRAINT logged_model_files_pkey DO UPDATE
	SET size = excluded.size, sha256 = excluded.sha256,
		media_type = coalesce(excluded.media_type, f.media_type),
		logged_at = excluded.logged_at;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.log_model_file(text, text, bigint, text, text) IS
	'records a file of a logged model below its uri; the same path again is the file as it is now';

-- Removing files ----------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.is_below(path text, folder text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN folder = '' OR path = folder
	OR pg_catalog.starts_with(path, folder || '/');

COMMENT ON FUNCTION mlmeta_internal.is_below(text, text) IS
	'whether a path is that of a folder or of something in it; the folder '''' holds all';

CREATE FUNCTION mlmeta_internal.remove_files(run mlmeta.run, path text)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old mlmeta.runs := mlmeta_internal.lock_run(run);
	gone jsonb;
BEGIN
	PERFORM mlmeta_internal.lift_guards();
	WITH removed AS (
		DELETE FROM mlmeta.run_files AS f
		WHERE f.run OPERATOR(mlmeta.=) remove_files.run
			AND mlmeta_internal.is_below(f.path, remove_files.path)
		RETURNING f.path, f.sha256
	)
	SELECT jsonb_object_agg(r.path, r.sha256) INTO gone FROM removed AS r;
	PERFORM mlmeta_internal.restore_guards();
	IF gone IS NULL THEN
		RETURN 0;
	END IF;
	PERFORM mlmeta_internal.record_tracking(old.experiment_id, run,
		'files_removed', jsonb_build_object('files', gone));
	RETURN (SELECT count(*) FROM jsonb_object_keys(gone));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.remove_files(mlmeta.run, text) IS
	'removes a file of a run, or all in a folder, and returns how many; that they were there stays on record';

CREATE FUNCTION mlmeta_internal.remove_model_files(logged_model text, path text)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old mlmeta.logged_models :=
		mlmeta_internal.find_logged_model(logged_model);
	gone jsonb;
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.lift_guards();
	WITH removed AS (
		DELETE FROM mlmeta.logged_model_files AS f
		WHERE f.logged_model = remove_model_files.logged_model
			AND mlmeta_internal.is_below(f.path, remove_model_files.path)
		RETURNING f.path, f.sha256
	)
	SELECT jsonb_object_agg(r.path, r.sha256) INTO gone FROM removed AS r;
	PERFORM mlmeta_internal.restore_guards();
	IF gone IS NULL THEN
		RETURN 0;
	END IF;
	PERFORM mlmeta_internal.record_tracking(old.experiment_id, old.run,
		'files_removed', jsonb_build_object('logged_model', logged_model,
			'files', gone));
	RETURN (SELECT count(*) FROM jsonb_object_keys(gone));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.remove_model_files(text, text) IS
	'removes a file of a logged model, or all in a folder, and returns how many; that they were there stays on record';

CREATE FUNCTION mlmeta_internal.stored_files()
RETURNS TABLE (sha256 text, size bigint, path text)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT f.sha256, f.size, f.run::text || '/' || f.path
	FROM mlmeta.run_files AS f
		JOIN mlmeta.runs AS r ON r.run OPERATOR(mlmeta.=) f.run
	WHERE f.sha256 IS NOT NULL
	UNION ALL
	SELECT f.sha256, f.size, f.logged_model || '/' || f.path
	FROM mlmeta.logged_model_files AS f
		JOIN mlmeta.logged_models AS m ON m.id = f.logged_model
	WHERE f.sha256 IS NOT NULL;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.stored_files() IS
	'every file of every project, for who looks after the directory they lie in';

-- Models as inputs and outputs of runs --------------------------------------------

CREATE TABLE mlmeta.run_logged_models (
	run mlmeta.run NOT NULL,
	logged_model text NOT NULL,
	direction text NOT NULL CHECK (direction = ANY (ARRAY['used', 'produced'])),
	step bigint NOT NULL DEFAULT 0,
	logged_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (run, logged_model, direction, step)
);

CREATE INDEX run_logged_models_model ON mlmeta.run_logged_models (logged_model);

COMMENT ON TABLE mlmeta.run_logged_models IS
	'logged models that runs used or produced; a run may evaluate the very model that it made, which lineage does not admit';
COMMENT ON COLUMN mlmeta.run_logged_models.step IS
	'the step of the training at which it came out';

CREATE TRIGGER guard_run_logged_models
	BEFORE UPDATE OR DELETE OR TRUNCATE ON mlmeta.run_logged_models
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta_internal.guard_append_only();

CREATE FUNCTION mlmeta_internal.log_run_model(
	run mlmeta.run,
	logged_model text,
	direction text,
	step bigint DEFAULT 0
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	model mlmeta.logged_models;
	artifact mlmeta.artifact;
BEGIN
	PERFORM mlmeta_internal.accept_facts(run);
	SELECT m.* INTO model
	FROM mlmeta.logged_models AS m
	WHERE m.id = log_run_model.logged_model
	FOR KEY SHARE;
	IF NOT FOUND OR NOT mlmeta_internal.permits_experiment('reader',
			model.experiment_id) THEN
		RAISE EXCEPTION 'logged model % does not exist',
				coalesce('"' || logged_model || '"', 'NULL')
			USING ERRCODE = 'undefined_object';
	ELSIF direction NOT IN ('used', 'produced') THEN
		RAISE EXCEPTION 'direction % is not known', to_json(direction)
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Use used or produced.';
	END IF;
	INSERT INTO mlmeta.run_logged_models (run, logged_model, direction, step)
	VALUES (log_run_model.run, log_run_model.logged_model,
		log_run_model.direction, coalesce(log_run_model.step, 0))
	ON CONFLICT DO NOTHING;

	-- The graph admits no cycle, as a run that tests what it made would close.
	artifact := mlmeta.artifact('model', model.name, model.id);
	BEGIN
		IF direction = 'used' THEN
			PERFORM mlmeta_internal.use_artifact(run, artifact);
		ELSE
			PERFORM mlmeta_internal.log_artifact(run, artifact, model.uri);
		END IF;
	EXCEPTION WHEN check_violation THEN
		NULL;
	END;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.log_run_model(mlmeta.run, text, text, bigint) IS
	'records that a run used or produced a logged model';

-- Downloads -----------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.record_download(
	run mlmeta.run,
	logged_model text,
	path text,
	purpose text
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	version record;
BEGIN
	FOR version IN
		SELECT m.model, v.version
		FROM mlmeta.model_versions AS v
			JOIN mlmeta.models AS m ON m.model_id = v.model_id
		WHERE v.run OPERATOR(mlmeta.=) record_download.run
			AND mlmeta_internal.is_below(path, coalesce(substring(v.uri
				from '(?:/artifacts/|^runs:/[0-9a-f]{32}/)(.+?)/*$'), ''))
			AND v.uri !~ '^models:' AND v.deleted_at IS NULL AND m.deleted_at IS NULL
			AND mlmeta_internal.permits_project('reader', m.project)
		UNION
		SELECT m.model, v.version
		FROM mlmeta.logged_models AS l
			JOIN mlmeta.model_versions AS v ON v.uri = 'models:/' || l.id
				OR starts_with(v.uri, l.uri || '/') OR v.uri = l.uri
			JOIN mlmeta.models AS m ON m.model_id = v.model_id
		WHERE l.id = record_download.logged_model AND v.deleted_at IS NULL
			AND m.deleted_at IS NULL
			AND v.run OPERATOR(mlmeta.=) coalesce(l.run, v.run)
			AND mlmeta_internal.permits_project('reader', m.project)
		ORDER BY model, version
	LOOP
		PERFORM mlmeta_internal.resolve_model(version.model || ':' || version.version,
			purpose);
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.record_download(mlmeta.run, text, text, text) IS
	'records the download of a file for each registered version that it is part of, as resolve_model() does';
