-- Resolution: the one way for a reader to learn where a model lies, and the
-- record of who went it.

-- No foreign key to the version: its check would lock the row of the version
-- that everybody resolves. No check constraint either: it is planned anew with
-- each row, which takes as long as all the rest; resolve_model() checks.
CREATE TABLE mlmeta.model_resolutions (
	model_id bigint NOT NULL,
	version int NOT NULL,
	at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	user_name text NOT NULL DEFAULT SESSION_USER,
	role_name text NOT NULL,
	client_addr inet DEFAULT pg_catalog.inet_client_addr(),
	application_name text,
	reference text NOT NULL,
	purpose text NOT NULL
);

CREATE INDEX model_resolutions_version ON mlmeta.model_resolutions
	(model_id, version, at);

COMMENT ON TABLE mlmeta.model_resolutions IS
	'who learnt from resolve_model() where a version lies; see the view model_downloads';
COMMENT ON COLUMN mlmeta.model_resolutions.user_name IS
	'the user of the session, as the server knows it';
COMMENT ON COLUMN mlmeta.model_resolutions.role_name IS
	'the role whose rights counted: that of SET ROLE, else the user';
COMMENT ON COLUMN mlmeta.model_resolutions.client_addr IS
	'where the connection came from; NULL for a local one';
COMMENT ON COLUMN mlmeta.model_resolutions.application_name IS
	'what the client calls itself; it may say anything';
COMMENT ON COLUMN mlmeta.model_resolutions.reference IS
	'what was asked for, such as churn@champion';

CREATE TRIGGER guard_model_resolutions
	BEFORE UPDATE OR DELETE OR TRUNCATE ON mlmeta.model_resolutions
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta.guard_audit();

CREATE FUNCTION mlmeta.unresolved(reference text) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted text[] := regexp_match(reference, '^(.+)([@:/])([^@:/]+)$');
	m mlmeta.models;
BEGIN
	IF wanted IS NULL THEN
		RAISE EXCEPTION 'model reference % is not valid',
				coalesce(to_json(reference)::text, 'null')
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Write model@alias, model:version or model/stage.';
	END IF;
	m := mlmeta.find_model(wanted[1]);
	IF wanted[2] = ':' AND wanted[3] ~ '^[0-9]{1,9}$' THEN
		PERFORM mlmeta.find_version(m, wanted[3]::int);
	ELSIF wanted[2] = ':' AND wanted[3] ~ '^[0-9]+$' THEN
		RAISE EXCEPTION 'model "%" has no version %', m.model, wanted[3]
			USING ERRCODE = 'undefined_object';
	ELSIF wanted[2] = ':' THEN
		RAISE EXCEPTION 'version "%" of model "%" is not a number', wanted[3],
				m.model
			USING ERRCODE = 'invalid_parameter_value';
	ELSIF wanted[2] = '/' THEN
		PERFORM mlmeta.find_stage(wanted[3]);
		RAISE EXCEPTION 'model "%" has no version in stage "%"', m.model,
				wanted[3]
			USING ERRCODE = 'undefined_object';
	END IF;
	RAISE EXCEPTION 'model "%" has no alias "%"', m.model, wanted[3]
		USING ERRCODE = 'undefined_object', DETAIL = (
			SELECT coalesce('Its aliases are: '
				|| string_agg(a.alias, ', ' ORDER BY a.alias) || '.',
				'It has no aliases.')
			FROM mlmeta.model_aliases AS a
			WHERE a.model_id = m.model_id AND a.version IS NOT NULL
		);
END
$$;

COMMENT ON FUNCTION mlmeta.unresolved(text) IS
	'raises the error that says what is wrong with a reference that names no version';

CREATE FUNCTION mlmeta.resolve_model(
	reference text,
	purpose text,
	OUT model text,
	OUT version int,
	OUT stage text,
	OUT run mlmeta.run,
	OUT artifact mlmeta.artifact,
	OUT uri text
) RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- The planner thinks little of indexes on small tables; a plan made when there
-- were ten models would still read all of them when there are a thousand.
SET enable_seqscan = off
AS $$
DECLARE
	-- Neither models nor what follows hold @ or :; a model may hold a slash.
	separator text := CASE WHEN strpos(reference, '@') > 0 THEN '@'
		WHEN strpos(reference, ':') > 0 THEN ':' ELSE '/' END;
	tail text := split_part(reference, separator, -1);
	name text := left(reference, - 1 - length(tail));
	-- A regular expression would take a fifth of the time.
	digits CONSTANT text := '0123456789';
	plain CONSTANT text := digits
		|| ' ._-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
	number bigint;
	closed_project text;
BEGIN
	IF current_setting('transaction_read_only') = 'on' THEN
		RAISE EXCEPTION 'cannot resolve a model in a read-only transaction'
			USING ERRCODE = 'read_only_sql_transaction',
				DETAIL = 'Every resolution is recorded.',
				HINT = CASE WHEN pg_is_in_recovery()
					THEN 'This server is a replica: connect to the primary.'
					ELSE 'Start a read-write transaction.' END;
	ELSIF (octet_length(purpose) BETWEEN 1 AND 250
			AND ltrim(purpose, plain) = '') IS NOT TRUE THEN
		-- The long way, for what is not plain.
		PERFORM mlmeta.check_name('purpose', purpose);
	END IF;

	-- A statement for each form: one for all would miss the indexes.
	IF separator = '@' THEN
		SELECT m.model_id, m.model, (
				SELECT p.project
				FROM mlmeta.projects AS p
				WHERE p.project = m.project AND p.members_only
			), v.version, v.stage, v.run, v.artifact, v.uri
		INTO number, model, closed_project, version, stage, run, artifact, uri
		FROM mlmeta.models AS m
			JOIN mlmeta.model_aliases AS a ON a.model_id = m.model_id
			JOIN mlmeta.model_versions AS v ON v.model_id = a.model_id
				AND v.version = a.version
		WHERE m.model = name AND a.alias = tail;
	ELSIF separator = '/' THEN
		-- Of a stage that admits several, the latest version in it.
		SELECT m.model_id, m.model, (
				SELECT p.project
				FROM mlmeta.projects AS p
				WHERE p.project = m.project AND p.members_only
			), v.version, v.stage, v.run, v.artifact, v.uri
		INTO number, model, closed_project, version, stage, run, artifact, uri
		FROM mlmeta.models AS m
			CROSS JOIN LATERAL (
				SELECT l.*
				FROM mlmeta.model_versions AS l
				WHERE l.model_id = m.model_id AND l.stage = tail
				ORDER BY l.version DESC
				LIMIT 1
			) AS v
		WHERE m.model = name;
	ELSIF octet_length(tail) BETWEEN 1 AND 9 AND ltrim(tail, digits) = '' THEN
		SELECT m.model_id, m.model, (
				SELECT p.project
				FROM mlmeta.projects AS p
				WHERE p.project = m.project AND p.members_only
			), v.version, v.stage, v.run, v.artifact, v.uri
		INTO number, model, closed_project, version, stage, run, artifact, uri
		FROM mlmeta.models AS m
			JOIN mlmeta.model_versions AS v ON v.model_id = m.model_id
		WHERE m.model = name AND v.version = tail::int;
	END IF;
	IF number IS NULL OR (closed_project IS NOT NULL
			AND NOT mlmeta.caller_has_access(closed_project, 'reader')) THEN
		PERFORM mlmeta.unresolved(reference);
	END IF;

	INSERT INTO mlmeta.model_resolutions (model_id, version, role_name,
		application_name, reference, purpose)
	VALUES (number, resolve_model.version, mlmeta.caller(),
		nullif(current_setting('application_name'), ''),
		resolve_model.reference, resolve_model.purpose);
END
$$;

COMMENT ON FUNCTION mlmeta.resolve_model(text, text) IS
	'the version that model@alias, model:version or model/stage means now, and where it lies; who asked for it and what for is recorded';

CREATE VIEW mlmeta.model_downloads WITH (security_invoker = true) AS
SELECT m.model, r.version, r.at, r.user_name, r.role_name, r.purpose,
	r.reference, r.client_addr, r.application_name
FROM mlmeta.model_resolutions AS r
	JOIN mlmeta.models AS m ON m.model_id = r.model_id;

COMMENT ON VIEW mlmeta.model_downloads IS
	'who learnt where which version lies, when, from where, and what for';
