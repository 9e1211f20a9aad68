-- Files that runs logged, models that they logged, and what foreign datasets
-- are: what clients of MLflow keep beside runs.

CREATE FUNCTION mlmeta_internal.is_path(path text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.char_length(path) BETWEEN 1 AND 1024
	AND path COLLATE "C" !~ '[[:cntrl:]]'
	AND path COLLATE "C" !~ '(^|/)(\.\.?)?(/|$)';

COMMENT ON FUNCTION mlmeta_internal.is_path(text) IS
	'whether a text is a relative path of 1 to 1024 characters without empty parts, . and ..';

CREATE TABLE mlmeta.run_files (
	run mlmeta.run NOT NULL,
	path text NOT NULL CHECK (mlmeta_internal.is_path(path)),
	size bigint CHECK (size >= 0),
	sha256 text CHECK (sha256 COLLATE "C" ~ '^[0-9a-f]{64}$'),
	media_type text,
	logged_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (run, path)
);

CREATE INDEX run_files_sha256 ON mlmeta.run_files (sha256)
	WHERE sha256 IS NOT NULL;

COMMENT ON TABLE mlmeta.run_files IS
	'files that runs logged, below the artifact_uri of the run; the bytes lie elsewhere';
COMMENT ON COLUMN mlmeta.run_files.path IS
	'relative, with slashes, as the run said it';
COMMENT ON COLUMN mlmeta.run_files.size IS
	'in bytes';
COMMENT ON COLUMN mlmeta.run_files.sha256 IS
	'of the bytes, 64 hexadecimal digits';
COMMENT ON COLUMN mlmeta.run_files.logged_at IS
	'when the run logged it last';

CREATE TRIGGER guard_run_files
	BEFORE DELETE OR TRUNCATE ON mlmeta.run_files
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta_internal.guard_append_only();

CREATE FUNCTION mlmeta_internal.log_file(
	run mlmeta.run,
	path text,
	size bigint DEFAULT NULL,
	sha256 text DEFAULT NULL,
	media_type text DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.accept_facts(run);
	IF mlmeta_internal.is_path(path) IS NOT TRUE THEN
		RAISE EXCEPTION 'path % of run "%" is not valid',
				coalesce(to_json(left(path, 60))::text, 'null'), run
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Use a relative path without empty parts, . and ..';
	ELSIF size < 0 THEN
		RAISE EXCEPTION 'size of file "%" of run "%" must not be negative',
				path, run
			USING ERRCODE = 'invalid_parameter_value';
	ELSIF lower(sha256) COLLATE "C" !~ '^[0-9a-f]{64}$' THEN
		RAISE EXCEPTION 'digest of file "%" of run "%" is not valid', path, run
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'A SHA-256 has 64 hexadecimal digits.';
	END IF;
	INSERT INTO mlmeta.run_files AS f (run, path, size, sha256, media_type)
	VALUES (log_file.run, log_file.path, log_file.size, lower(log_file.sha256),
		log_file.media_type)
	ON CONFLICT ON CONSTRAINT run_files_pkey DO UPDATE
	SET size = excluded.size, sha256 = excluded.sha256,
		media_type = coalesce(excluded.media_type, f.media_type),
		logged_at = excluded.logged_at;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.log_file(mlmeta.run, text, bigint, text, text) IS
	'records a file that a run wrote below its artifact_uri; the same path again is the file as it is now';

-- Logged models -----------------------------------------------------------------

CREATE TABLE mlmeta.logged_models (
	id text PRIMARY KEY CHECK (mlmeta_internal.is_name(id)),
	experiment_id bigint NOT NULL,
	name text NOT NULL CHECK (mlmeta_internal.is_name(name)),
	run mlmeta.run,
	status text NOT NULL DEFAULT 'pending' CHECK (status
		= ANY (ARRAY['pending', 'ready', 'failed'])),
	params jsonb NOT NULL DEFAULT '{}'
		CHECK (pg_catalog.jsonb_typeof(params) = 'object'),
	tags jsonb NOT NULL DEFAULT '{}'
		CHECK (pg_catalog.jsonb_typeof(tags) = 'object'),
	uri text,
	model_type text,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	changed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	created_by text NOT NULL DEFAULT mlmeta_internal.actor(),
	deleted_at timestamptz
);

CREATE INDEX logged_models_run ON mlmeta.logged_models (run);
CREATE INDEX logged_models_experiment ON mlmeta.logged_models
	(experiment_id, created_at);

COMMENT ON TABLE mlmeta.logged_models IS
	'models that runs logged, registered or not; metric_series and run_artifacts may name them';
COMMENT ON COLUMN mlmeta.logged_models.id IS
	'm- and 32 hexadecimal digits, unless the client made another';
COMMENT ON COLUMN mlmeta.logged_models.run IS
	'the run that logged it; NULL: none';
COMMENT ON COLUMN mlmeta.logged_models.uri IS
	'where it lies';
COMMENT ON COLUMN mlmeta.logged_models.created_by IS
	'the user, as the server knows it';

CREATE FUNCTION mlmeta_internal.create_logged_model(
	name text,
	run mlmeta.run DEFAULT NULL,
	experiment text DEFAULT NULL,
	params jsonb DEFAULT NULL,
	tags jsonb DEFAULT NULL,
	uri text DEFAULT NULL,
	model_type text DEFAULT NULL,
	id text DEFAULT NULL
) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	number bigint;
	result text := coalesce(id,
		'm-' || replace(gen_random_uuid()::text, '-', ''));
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.check_name('logged model', name);
	PERFORM mlmeta_internal.check_name('id of logged model', result);
	IF jsonb_typeof(coalesce(params, '{}')) <> 'object'
			OR jsonb_typeof(coalesce(tags, '{}')) <> 'object' THEN
		RAISE EXCEPTION 'parameters and tags of logged model "%" must be JSON objects',
				name
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF run IS NOT NULL THEN
		PERFORM mlmeta_internal.accept_facts(run);
		SELECT r.experiment_id INTO number
		FROM mlmeta.runs AS r
		WHERE r.run OPERATOR(mlmeta.=) create_logged_model.run;
	ELSIF experiment IS NULL THEN
		RAISE EXCEPTION 'logged model "%" needs a run or an experiment', name
			USING ERRCODE = 'null_value_not_allowed';
	ELSE
		number := mlmeta_internal.open_experiment(experiment);
		IF number IS NULL THEN
			number := mlmeta_internal.find_experiment(experiment);
		END IF;
	END IF;
	INSERT INTO mlmeta.logged_models (id, experiment_id, name, run, params,
		tags, uri, model_type)
	VALUES (result, number, create_logged_model.name, create_logged_model.run,
		coalesce(create_logged_model.params, '{}'),
		coalesce(create_logged_model.tags, '{}'), create_logged_model.uri,
		create_logged_model.model_type)
	ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'logged model "%" already exists', result
			USING ERRCODE = 'unique_violation';
	END IF;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.create_logged_model(text, mlmeta.run, text, jsonb,
	jsonb, text, text, text) IS
	'records a model that a run, or somebody in an experiment, logs, and returns its id; it is pending until set_logged_model() says more';

CREATE FUNCTION mlmeta_internal.find_logged_model(id text)
RETURNS mlmeta.logged_models
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result mlmeta.logged_models;
BEGIN
	SELECT m.* INTO result
	FROM mlmeta.logged_models AS m
	WHERE m.id = find_logged_model.id;
	IF NOT FOUND OR NOT mlmeta_internal.permits_experiment('reader',
			result.experiment_id) THEN
		RAISE EXCEPTION 'logged model % does not exist',
				coalesce('"' || id || '"', 'NULL')
			USING ERRCODE = 'undefined_object';
	END IF;
	PERFORM mlmeta_internal.require_access(e.project, 'writer')
	FROM mlmeta.experiments AS e
	WHERE e.experiment_id = result.experiment_id;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.find_logged_model(text) IS
	'the row of a logged model in whose project the caller may write; raises an error otherwise';

CREATE FUNCTION mlmeta_internal.set_logged_model(
	id text,
	status text DEFAULT NULL,
	params jsonb DEFAULT NULL,
	tags jsonb DEFAULT NULL,
	uri text DEFAULT NULL,
	deleted boolean DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old mlmeta.logged_models := mlmeta_internal.find_logged_model(id);
	clash text;
BEGIN
	PERFORM mlmeta_internal.check_writable();
	IF status NOT IN ('pending', 'ready', 'failed') THEN
		RAISE EXCEPTION 'status % of logged model "%" is not known',
				to_json(status), id
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Use pending, ready or failed.';
	ELSIF jsonb_typeof(coalesce(params, '{}')) <> 'object'
			OR jsonb_typeof(coalesce(tags, '{}')) <> 'object' THEN
		RAISE EXCEPTION 'parameters and tags of logged model "%" must be JSON objects',
				id
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT p.key INTO clash
	FROM jsonb_each(params) AS p
	WHERE old.params -> p.key <> p.value
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'parameter "%" of logged model "%" is logged already with another value',
				clash, id
			USING ERRCODE = 'unique_violation';
	END IF;
	UPDATE mlmeta.logged_models AS m
	SET status = coalesce(set_logged_model.status, m.status),
		params = m.params || coalesce(set_logged_model.params, '{}'),
		tags = jsonb_strip_nulls(m.tags
			|| coalesce(set_logged_model.tags, '{}')),
		uri = coalesce(set_logged_model.uri, m.uri),
		deleted_at = CASE set_logged_model.deleted
			WHEN true THEN coalesce(m.deleted_at, clock_timestamp())
			WHEN false THEN NULL ELSE m.deleted_at END,
		changed_at = clock_timestamp()
	WHERE m.id = set_logged_model.id;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.set_logged_model(text, text, jsonb, jsonb, text,
	boolean) IS
	'sets status, tags and place of a logged model and adds parameters; deleted hides it and brings it back; what is NULL stays';

-- Foreign datasets ----------------------------------------------------------------

-- By run: a name is anybody's, what was said of it only of who sees the run.
CREATE TABLE mlmeta.artifact_details (
	run mlmeta.run NOT NULL,
	artifact mlmeta.artifact NOT NULL,
	source_type text,
	source text,
	schema jsonb,
	profile jsonb,
	described_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	described_by text NOT NULL DEFAULT mlmeta_internal.actor(),
	PRIMARY KEY (run, artifact)
);

COMMENT ON TABLE mlmeta.artifact_details IS
	'what runs said of artifacts that come from elsewhere, such as datasets of MLflow';
COMMENT ON COLUMN mlmeta.artifact_details.run IS
	'the run that used or made it';
COMMENT ON COLUMN mlmeta.artifact_details.source_type IS
	'kind of source, such as s3, delta_table, local';
COMMENT ON COLUMN mlmeta.artifact_details.schema IS
	'its columns, as the client said';
COMMENT ON COLUMN mlmeta.artifact_details.profile IS
	'counts and the like, as the client said';

CREATE FUNCTION mlmeta_internal.describe_artifact(
	run mlmeta.run,
	artifact mlmeta.artifact,
	source_type text DEFAULT NULL,
	source text DEFAULT NULL,
	schema jsonb DEFAULT NULL,
	profile jsonb DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.accept_facts(run);
	artifact := mlmeta_internal.find_artifact(artifact);
	IF NOT EXISTS (SELECT FROM mlmeta.run_artifacts AS a
			WHERE a.run OPERATOR(mlmeta.=) describe_artifact.run
				AND a.artifact OPERATOR(mlmeta.=) describe_artifact.artifact) THEN
		RAISE EXCEPTION 'run % neither used nor made artifact "%"', run, artifact
			USING ERRCODE = 'undefined_object',
				HINT = 'Call use_artifact() or log_artifact() first.';
	END IF;
	INSERT INTO mlmeta.artifact_details AS d (run, artifact, source_type, source,
		schema, profile)
	VALUES (describe_artifact.run, describe_artifact.artifact,
		describe_artifact.source_type, describe_artifact.source, describe_artifact.schema,
		describe_artifact.profile)
	ON CONFLICT ON CONSTRAINT artifact_details_pkey DO UPDATE
	SET source_type = coalesce(excluded.source_type, d.source_type),
		source = coalesce(excluded.source, d.source),
		schema = coalesce(excluded.schema, d.schema),
		profile = coalesce(excluded.profile, d.profile),
		described_at = excluded.described_at
	WHERE (d.source_type, d.source, d.schema, d.profile) IS DISTINCT FROM (
		coalesce(excluded.source_type, d.source_type),
		coalesce(excluded.source, d.source),
		coalesce(excluded.schema, d.schema),
		coalesce(excluded.profile, d.profile));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.describe_artifact(mlmeta.run, mlmeta.artifact, text,
	text, jsonb, jsonb) IS
	'says where an artifact of a run comes from and what it is; what is NULL stays';
