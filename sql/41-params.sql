-- Parameters, immutable, and tags, which may change.

CREATE TABLE mlmeta.run_params (
	run mlmeta.run NOT NULL,
	key text NOT NULL CHECK (mlmeta_internal.is_name(key)),
	value jsonb NOT NULL,
	logged_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (run, key)
);

COMMENT ON TABLE mlmeta.run_params IS
	'parameters of runs: typed (number, text, boolean, array, object, null), of any length up to 64 MB, immutable';

CREATE TRIGGER guard_run_params
	BEFORE UPDATE OR DELETE OR TRUNCATE ON mlmeta.run_params
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta_internal.guard_append_only();

CREATE TABLE mlmeta.run_tags (
	run mlmeta.run NOT NULL,
	key text NOT NULL CHECK (mlmeta_internal.is_name(key)),
	value text NOT NULL,
	set_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (run, key)
);

CREATE INDEX run_tags_key ON mlmeta.run_tags
	(key, pg_catalog.md5(value));

COMMENT ON TABLE mlmeta.run_tags IS
	'tags of runs: what people and programs call them, changeable at any time';

CREATE FUNCTION mlmeta_internal.check_object(
	what text,
	run mlmeta.run,
	content jsonb
) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	largest CONSTANT int := 64 * 1024 * 1024;
	wrong record;
BEGIN
	IF jsonb_typeof(content) <> 'object' THEN
		RAISE EXCEPTION '%s of run "%" must be a JSON object', what, run
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = format('They are a JSON %s.', jsonb_typeof(content));
	END IF;

	-- Sizes are those of the binary form that is stored, before compression.
	SELECT e.key, mlmeta_internal.is_name(e.key) AS named,
		pg_column_size(e.value) AS size
	INTO wrong
	FROM jsonb_each(content) AS e
	WHERE NOT mlmeta_internal.is_name(e.key) OR pg_column_size(e.value) > largest
	LIMIT 1;
	IF FOUND AND NOT wrong.named THEN
		PERFORM mlmeta_internal.check_name(what, wrong.key);
	ELSIF FOUND THEN
		RAISE EXCEPTION '% "%" of run "%" is too long', what, wrong.key, run
			USING ERRCODE = 'program_limit_exceeded',
				DETAIL = format('It has %s bytes; the limit is %s.', wrong.size,
					largest),
				HINT = 'Nothing was stored. Log it as an artifact.';
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.check_object(text, mlmeta.run, jsonb) IS
	'raises an error that names the key unless every key is a name and every value within the limit of 64 MB';

-- Half of what jsonb can hold, so that sessions that log side by side, and do
-- not see each other's values, do not go beyond that.
CREATE FUNCTION mlmeta_internal.check_total(what text, run mlmeta.run, size bigint)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	largest CONSTANT int := 128 * 1024 * 1024;
BEGIN
	IF size > largest THEN
		RAISE EXCEPTION 'all % of run "%" together are too long', what, run
			USING ERRCODE = 'program_limit_exceeded',
				DETAIL = format('They have %s bytes; the limit is %s.', size,
					largest),
				HINT = 'Nothing was stored. Log long ones as artifacts.';
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.check_total(text, mlmeta.run, bigint) IS
	'raises an error when the parameters or tags of a run together are longer than 128 MB: run_overview shows them as one JSON object';

CREATE FUNCTION mlmeta_internal.store_params(run mlmeta.run, params jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	stored bigint;
	other record;
BEGIN
	IF params IS NULL THEN
		RETURN;
	END IF;
	PERFORM mlmeta_internal.check_object('parameter', run, params);

	-- In the order of keys, so that two sessions cannot wait for each other.
	INSERT INTO mlmeta.run_params (run, key, value)
	SELECT store_params.run, e.key, e.value
	FROM jsonb_each(params) AS e
	ORDER BY e.key
	ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS stored = ROW_COUNT;

	-- Small calls are not worth adding up.
	IF stored > 0 AND pg_column_size(params) > 4096 THEN
		PERFORM mlmeta_internal.check_total('parameters', run, (
			SELECT sum(pg_column_size(jsonb_build_array(p.value)))
			FROM mlmeta.run_params AS p
			WHERE p.run OPERATOR(mlmeta.=) store_params.run
		));
	END IF;

	IF stored = (SELECT count(*) FROM jsonb_object_keys(params)) THEN
		RETURN;
	END IF;
	SELECT e.key, p.value AS old, e.value AS new INTO other
	FROM jsonb_each(params) AS e
		JOIN mlmeta.run_params AS p ON p.key = e.key
			AND p.run OPERATOR(mlmeta.=) store_params.run
	WHERE p.value <> e.value
	ORDER BY e.key
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'parameter "%" of run "%" is logged already with another value',
				other.key, run
			USING ERRCODE = 'unique_violation',
				DETAIL = format('It is %s, not %s.',
					left(other.old::text, 200), left(other.new::text, 200)),
				HINT = 'Parameters do not change: start another run, or use a tag.';
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.store_params(mlmeta.run, jsonb) IS
	'stores parameters of a run that the caller has locked, whatever its status; see log_params()';

CREATE FUNCTION mlmeta_internal.log_params(run mlmeta.run, params jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.accept_facts(run);
	PERFORM mlmeta_internal.store_params(run, params);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.log_params(mlmeta.run, jsonb) IS
	'logs parameters of a run from a JSON object, also after its end; the same value once more does nothing, another is an error';

CREATE FUNCTION mlmeta_internal.store_tags(run mlmeta.run, tags jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF tags IS NULL THEN
		RETURN;
	END IF;
	PERFORM mlmeta_internal.check_object('tag', run, tags);

	DELETE FROM mlmeta.run_tags AS t
	USING (
		SELECT l.ctid AS at
		FROM mlmeta.run_tags AS l
			JOIN jsonb_each(tags) AS e ON l.key = e.key AND e.value = 'null'
		WHERE l.run OPERATOR(mlmeta.=) store_tags.run
		ORDER BY l.key
		FOR UPDATE OF l
	) AS locked
	WHERE t.ctid = locked.at;

	INSERT INTO mlmeta.run_tags AS t (run, key, value)
	SELECT store_tags.run, e.key, tags ->> e.key
	FROM jsonb_each(tags) AS e
	WHERE e.value <> 'null'
	ORDER BY e.key
	ON CONFLICT ON CONSTRAINT run_tags_pkey DO UPDATE
	SET value = excluded.value, set_at = excluded.set_at
	WHERE t.value <> excluded.value;

	IF pg_column_size(tags) > 4096 THEN
		PERFORM mlmeta_internal.check_total('tags', run, (
			SELECT sum(octet_length(t.value))
			FROM mlmeta.run_tags AS t
			WHERE t.run OPERATOR(mlmeta.=) store_tags.run
		));
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.store_tags(mlmeta.run, jsonb) IS
	'stores and removes tags of a run whatever its status; see set_tags()';

CREATE FUNCTION mlmeta_internal.set_tags(run mlmeta.run, tags jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	state record;
BEGIN
	PERFORM mlmeta_internal.require_run(run);
	SELECT r.finished_at, r.deleted_at INTO state
	FROM mlmeta.runs AS r
	WHERE r.run OPERATOR(mlmeta.=) set_tags.run;
	IF state.deleted_at IS NOT NULL THEN
		RAISE EXCEPTION 'run "%" is deleted', run
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Bring it back with restore_run().';
	END IF;
	PERFORM mlmeta_internal.store_tags(run, tags);
	-- So that updated_at of the run moves.
	IF state.finished_at IS NOT NULL AND tags IS NOT NULL THEN
		PERFORM mlmeta_internal.mark_run(run, false);
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.set_tags(mlmeta.run, jsonb) IS
	'sets tags of a run, whatever its status, from a JSON object; null removes a tag';

-- Batches -----------------------------------------------------------------------

-- Two sessions that send the same batch wait for each other: that is its use.
CREATE TABLE mlmeta_internal.run_batches (
	run mlmeta.run NOT NULL,
	batch uuid NOT NULL,
	digest bytea NOT NULL,
	logged_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (run, batch)
);

COMMENT ON TABLE mlmeta_internal.run_batches IS
	'batches that log_batch() has stored, so that none is stored twice';
COMMENT ON COLUMN mlmeta_internal.run_batches.batch IS
	'the id that the client gave it';
COMMENT ON COLUMN mlmeta_internal.run_batches.digest IS
	'SHA-256 of its content: another batch of the same id is an error';
