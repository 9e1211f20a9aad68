-- The audit trail: what was changed, by whom, in an order that cannot be
-- rewritten unnoticed.
--
-- Each row carries the hash of the row before it, so that the rows of a model
-- are one chain; the model's row knows its end. The hash is taken over values,
-- never over text that depends on settings, nor over OIDs: it is the same after
-- dump and restore.

CREATE TABLE mlmeta.audit_log (
	model_id bigint NOT NULL,
	n bigint NOT NULL,
	at timestamptz NOT NULL,
	user_name text NOT NULL,
	role_name text NOT NULL,
	client_addr inet,
	application_name text,
	version int,
	action text NOT NULL,
	detail jsonb NOT NULL,
	statement text,
	previous bytea NOT NULL,
	hash bytea NOT NULL,
	PRIMARY KEY (model_id, n)
);

COMMENT ON TABLE mlmeta.audit_log IS
	'audit trail, append-only: every change of every model; see the view audit_trail';
COMMENT ON COLUMN mlmeta.audit_log.n IS
	'number of the row in its model''s chain, from 1, without gaps';
COMMENT ON COLUMN mlmeta.audit_log.user_name IS
	'the user of the session, as the server knows it';
COMMENT ON COLUMN mlmeta.audit_log.role_name IS
	'the role whose rights counted: that of SET ROLE, else the user';
COMMENT ON COLUMN mlmeta.audit_log.application_name IS
	'what the client calls itself; it may say anything';
COMMENT ON COLUMN mlmeta.audit_log.statement IS
	'what the client sent, up to 2,000 characters: it shows when somebody else''s code acted in his statement';
COMMENT ON COLUMN mlmeta.audit_log.previous IS
	'hash of the row before; of the first row that of nothing';
COMMENT ON COLUMN mlmeta.audit_log.hash IS
	'SHA-256 over this row and the hash of the row before, see audit_hash()';

CREATE FUNCTION mlmeta_internal.guard_audit() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION 'table "%" is an audit trail: % is refused',
			TG_TABLE_NAME, TG_OP
		USING ERRCODE = 'object_not_in_prerequisite_state';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.guard_audit() IS
	'trigger that refuses UPDATE, DELETE and TRUNCATE to everybody, the owner included';

CREATE TRIGGER guard_audit_log
	BEFORE UPDATE OR DELETE OR TRUNCATE ON mlmeta.audit_log
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta_internal.guard_audit();

CREATE FUNCTION mlmeta_internal.audit_hash(entry mlmeta.audit_log) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.sha256((entry).previous || pg_catalog.convert_to(
	pg_catalog.jsonb_build_array(
		(entry).model_id,
		(entry).n,
		-- Microseconds since 1970: no time zone, no style.
		(EXTRACT(epoch FROM (entry).at) * 1000000)::bigint,
		(entry).user_name,
		(entry).role_name,
		pg_catalog.host((entry).client_addr),
		(entry).application_name,
		(entry).version,
		(entry).action,
		(entry).detail,
		(entry).statement
	)::text, 'UTF8'));

COMMENT ON FUNCTION mlmeta_internal.audit_hash(mlmeta.audit_log) IS
	'the hash that a row of the audit trail must have: SHA-256 of the hash before it and of the text of a JSON array of its values in UTF-8';

CREATE FUNCTION mlmeta_internal.record_change(
	model_id bigint,
	version int,
	action text,
	detail jsonb
) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	entry mlmeta.audit_log;
BEGIN
	-- The caller holds the lock already. The clock may have been set back since
	-- the last change, or two changes fall into one microsecond.
	SELECT m.changes + 1, m.chain_head, greatest(clock_timestamp(),
		m.changed_at + interval '1 microsecond')
	INTO STRICT entry.n, entry.previous, entry.at
	FROM mlmeta.models AS m
	WHERE m.model_id = record_change.model_id
	FOR NO KEY UPDATE;

	entry.model_id := record_change.model_id;
	entry.user_name := session_user;
	entry.role_name := mlmeta_internal.caller();
	entry.client_addr := inet_client_addr();
	entry.application_name := nullif(current_setting('application_name'), '');
	entry.version := record_change.version;
	entry.action := record_change.action;
	entry.detail := record_change.detail;
	entry.statement := left(current_query(), 2000);
	entry.hash := mlmeta_internal.audit_hash(entry);
	INSERT INTO mlmeta.audit_log SELECT entry.*;
	UPDATE mlmeta.models AS m
	SET changes = entry.n, chain_head = entry.hash, changed_at = entry.at
	WHERE m.model_id = record_change.model_id;
	PERFORM mlmeta_internal.publish_event('model:' || m.model_id, m.project,
		m.model_id, record_change.version, record_change.action,
		record_change.detail, entry.at)
	FROM mlmeta.models AS m
	WHERE m.model_id = record_change.model_id;
	RETURN entry.at;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.record_change(bigint, int, text, jsonb) IS
	'appends to the audit trail of a model whose row the caller has locked, publishes the event, and returns the time of the change';

CREATE FUNCTION mlmeta_internal.verify_audit(model text DEFAULT NULL)
RETURNS TABLE (model_name text, n bigint, problem text)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	suspect mlmeta.models;
	entry mlmeta.audit_log;
	expected_n bigint;
	expected_previous bytea;
	wrong text;
BEGIN
	IF verify_audit.model IS NOT NULL THEN
		PERFORM mlmeta_internal.find_model(verify_audit.model, 'reader', true);
	END IF;
	FOR suspect IN
		SELECT m.*
		FROM mlmeta.models AS m
		WHERE (verify_audit.model IS NULL OR m.model = verify_audit.model)
			AND mlmeta_internal.permits_project('reader', m.project)
		ORDER BY m.model_id
	LOOP
		expected_n := 1;
		expected_previous := sha256('');
		wrong := NULL;
		FOR entry IN
			SELECT a.*
			FROM mlmeta.audit_log AS a
			WHERE a.model_id = suspect.model_id
			ORDER BY a.n
		LOOP
			wrong := CASE
				WHEN entry.n <> expected_n
					THEN format('row %s is missing', expected_n)
				WHEN entry.previous <> expected_previous
					THEN 'does not follow from the row before'
				WHEN entry.hash <> mlmeta_internal.audit_hash(entry)
					THEN 'was changed'
			END;
			EXIT WHEN wrong IS NOT NULL;
			expected_n := expected_n + 1;
			expected_previous := entry.hash;
		END LOOP;

		IF wrong IS NULL AND (suspect.changes <> expected_n - 1
				OR suspect.chain_head <> expected_previous) THEN
			wrong := CASE WHEN suspect.changes > expected_n - 1
				THEN format('row %s is missing at the end', expected_n)
				ELSE 'does not end as the model''s row says' END;
			entry.n := expected_n - 1;
		END IF;
		IF wrong IS NOT NULL THEN
			RETURN QUERY SELECT suspect.model, entry.n, wrong;
		END IF;
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.verify_audit(text) IS
	'recomputes the chain of a model''s audit trail, or of all: no row when it is whole, else the first broken row and what is wrong with it';

CREATE VIEW mlmeta.audit_trail WITH (security_invoker = true) AS
SELECT m.model, a.n, a.at, a.user_name, a.role_name, a.action, a.version,
	a.detail, a.client_addr, a.application_name, a.hash, a.statement
FROM mlmeta.audit_log AS a
	JOIN mlmeta.models AS m ON m.model_id = a.model_id;

COMMENT ON VIEW mlmeta.audit_trail IS
	'every change of every model: who, when, from where, what';
COMMENT ON COLUMN mlmeta.audit_trail.model IS 'name of the model';
COMMENT ON COLUMN mlmeta.audit_trail.at IS 'when it was done';
COMMENT ON COLUMN mlmeta.audit_trail.user_name IS 'the user, as the server knows it';
COMMENT ON COLUMN mlmeta.audit_trail.action IS 'what was done';
COMMENT ON COLUMN mlmeta.audit_trail.version IS 'number of the version; NULL: of the model as a whole';
COMMENT ON COLUMN mlmeta.audit_trail.client_addr IS 'address of the client';
COMMENT ON COLUMN mlmeta.audit_trail.application_name IS 'what the client called itself';
COMMENT ON COLUMN mlmeta.audit_trail.hash IS 'hash of the row, which the next one holds';
COMMENT ON COLUMN mlmeta.audit_trail.statement IS 'the statement that did it, its first 2,000 characters';
COMMENT ON COLUMN mlmeta.audit_trail.n IS
	'number of the change in its model''s chain';
COMMENT ON COLUMN mlmeta.audit_trail.role_name IS
	'the role whose rights counted: that of SET ROLE, else the user';
COMMENT ON COLUMN mlmeta.audit_trail.detail IS
	'what the action was about, a JSON object';
