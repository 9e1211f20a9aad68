-- Who may do what: members of projects, and the rights of a caller.
--
-- A project is open until it gets its first member: all who hold grants on the
-- extension (see setup_roles()) work in it. With its first member it is closed
-- to all others. The owner of the extension is never locked out.
--
-- The functions of the registry that write run with the rights of the
-- extension's owner and test the caller's. Whose rights count is caller(): the
-- role set with SET ROLE, else the session's user. Who answers for a deed is
-- actor(): the session's user, because nobody becomes another person by SET
-- ROLE; only for a superuser, who may be anybody, it is the role he has set.

CREATE FUNCTION mlmeta.caller() RETURNS text
LANGUAGE sql STABLE PARALLEL RESTRICTED
RETURN coalesce(
	nullif(pg_catalog.current_setting('role'), 'none'), SESSION_USER::text);

COMMENT ON FUNCTION mlmeta.caller() IS
	'the role whose rights count: that of SET ROLE, else the user of the session; also inside of functions that run with the rights of the extension''s owner';

CREATE FUNCTION mlmeta.actor() RETURNS text
LANGUAGE sql STABLE PARALLEL RESTRICTED
RETURN CASE
	WHEN (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r
			WHERE r.rolname = SESSION_USER)
		THEN mlmeta.caller()
	ELSE SESSION_USER::text
END;

COMMENT ON FUNCTION mlmeta.actor() IS
	'the person who answers for what is done: the user of the session; for a superuser the role of SET ROLE';

CREATE FUNCTION mlmeta.holds_role(who text, role text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(pg_catalog.pg_has_role(
	pg_catalog.to_regrole(pg_catalog.quote_ident(who))::oid,
	pg_catalog.to_regrole(pg_catalog.quote_ident(role))::oid, 'USAGE'), false);

COMMENT ON FUNCTION mlmeta.holds_role(text, text) IS
	'whether a role has the rights of another; false when either does not exist';

CREATE TABLE mlmeta.project_members (
	project text NOT NULL REFERENCES mlmeta.projects ON UPDATE CASCADE,
	member text NOT NULL,
	access text NOT NULL CHECK (access
		= ANY (ARRAY['reader', 'writer', 'reviewer', 'admin'])),
	added_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	added_by text NOT NULL DEFAULT SESSION_USER,
	PRIMARY KEY (project, member, access)
);

COMMENT ON TABLE mlmeta.project_members IS
	'which roles work in which projects; row security reads it';
COMMENT ON COLUMN mlmeta.project_members.member IS
	'name of a role; whoever has its rights is a member';
COMMENT ON COLUMN mlmeta.project_members.access IS
	'reader sees; writer also tracks, registers and requests; reviewer also approves; admin does all';

CREATE INDEX projects_closed ON mlmeta.projects (project) WHERE members_only;

-- What row security asks of each row. The way from a row to its project is
-- walked in C, and answers are kept for the statement: a query for each row
-- costs as much as a thousand rows, subqueries in the policies are planned and
-- set up again with every statement that touches a table.

CREATE FUNCTION mlmeta.permits_support(internal) RETURNS internal
	LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_permits_support';

COMMENT ON FUNCTION mlmeta.permits_support(internal) IS
	'planner support: most rows that somebody reads are his to read';

CREATE FUNCTION mlmeta.all_open() RETURNS boolean
	LANGUAGE C STABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_all_open';

COMMENT ON FUNCTION mlmeta.all_open() IS
	'whether no project has members, so that row security has nothing to ask';

CREATE FUNCTION mlmeta.permits(who text, access text, project text)
RETURNS boolean
	LANGUAGE C STABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'mlmeta_permits';

COMMENT ON FUNCTION mlmeta.permits(text, text, text) IS
	'whether a role may work in a project: it is open, or the role is a member with that access or one that includes it';

-- Who is a member of what is not for everybody to ask.
REVOKE EXECUTE ON FUNCTION mlmeta.permits(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mlmeta.permits(text, text, text) TO @extowner@;

CREATE FUNCTION mlmeta.permits_project(access text, project text)
RETURNS boolean
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10
	SUPPORT mlmeta.permits_support
	AS 'MODULE_PATHNAME', 'mlmeta_permits_project';

COMMENT ON FUNCTION mlmeta.permits_project(text, text) IS
	'whether the current user may work in a project; this and the next four are what row security asks';

CREATE FUNCTION mlmeta.permits_experiment(access text, experiment bigint)
RETURNS boolean
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10
	SUPPORT mlmeta.permits_support
	AS 'MODULE_PATHNAME', 'mlmeta_permits_experiment';

COMMENT ON FUNCTION mlmeta.permits_experiment(text, bigint) IS
	'whether the current user may work in the project of an experiment, given by its number';

CREATE FUNCTION mlmeta.permits_run(access text, run mlmeta.run)
RETURNS boolean
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10
	SUPPORT mlmeta.permits_support
	AS 'MODULE_PATHNAME', 'mlmeta_permits_run';

COMMENT ON FUNCTION mlmeta.permits_run(text, mlmeta.run) IS
	'whether the current user may work in the project of a run';

CREATE FUNCTION mlmeta.permits_series(access text, series bigint)
RETURNS boolean
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10
	SUPPORT mlmeta.permits_support
	AS 'MODULE_PATHNAME', 'mlmeta_permits_series';

COMMENT ON FUNCTION mlmeta.permits_series(text, bigint) IS
	'whether the current user may work in the project of a series of points, given by its number';

CREATE FUNCTION mlmeta.permits_model(access text, model bigint)
RETURNS boolean
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10
	SUPPORT mlmeta.permits_support
	AS 'MODULE_PATHNAME', 'mlmeta_permits_model';

COMMENT ON FUNCTION mlmeta.permits_model(text, bigint) IS
	'whether the current user may work in the project of a model, given by its number';

CREATE FUNCTION mlmeta.permits_reference(access text, reference text)
RETURNS boolean
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100
	SUPPORT mlmeta.permits_support
	AS 'MODULE_PATHNAME', 'mlmeta_permits_reference';

COMMENT ON FUNCTION mlmeta.permits_reference(text, text) IS
	'whether the current user may work in the project of the model that a reference such as churn@champion names; true when there is no such model';

-- Called by functions that run with the rights of the extension's owner.
CREATE FUNCTION mlmeta.caller_has_access(project text, access text)
RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	who text := mlmeta.caller();
BEGIN
	RETURN mlmeta.permits(who, access, project)
		OR mlmeta.holds_role(who, current_user);
END
$$;

COMMENT ON FUNCTION mlmeta.caller_has_access(text, text) IS
	'whether the caller of a function that runs as the extension''s owner may work in a project; the owner may in all';

CREATE FUNCTION mlmeta.require_access(project text, access text) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT mlmeta.caller_has_access(project, access) THEN
		RAISE EXCEPTION 'role "%" has no % access to project "%"',
				mlmeta.caller(), access, project
			USING ERRCODE = 'insufficient_privilege',
				HINT = 'An admin of the project gives it with add_member().';
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta.require_access(text, text) IS
	'raises 42501 unless the caller of a function that runs as the extension''s owner has that access to a project';

CREATE FUNCTION mlmeta.find_project(project text, access text)
RETURNS mlmeta.projects
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result mlmeta.projects;
BEGIN
	PERFORM mlmeta.check_name('project', project);
	SELECT p.* INTO result
	FROM mlmeta.projects AS p
	WHERE p.project = find_project.project;
	-- Others need not learn that a closed project exists.
	IF NOT FOUND OR NOT mlmeta.caller_has_access(project, 'reader') THEN
		RAISE EXCEPTION 'project "%" does not exist', project
			USING ERRCODE = 'undefined_object',
				HINT = 'Create it with create_project(); it may also be one you are no member of.';
	END IF;
	PERFORM mlmeta.require_access(project, access);
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta.find_project(text, text) IS
	'the row of a project to which the caller has that access; raises an error otherwise';

CREATE FUNCTION mlmeta.record_in_project(
	project text,
	action text,
	detail jsonb
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	one bigint;
BEGIN
	-- In one order for all, so that two of these cannot wait for each other.
	FOR one IN
		SELECT m.model_id
		FROM mlmeta.models AS m
		WHERE m.project = record_in_project.project
		ORDER BY m.model_id
		FOR NO KEY UPDATE
	LOOP
		PERFORM mlmeta.record_change(one, NULL, action, detail);
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta.record_in_project(text, text, jsonb) IS
	'records in the audit trail of each model of a project what was changed for all of them';

CREATE FUNCTION mlmeta.add_member(project text, member text, access text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	who text := mlmeta.caller();
BEGIN
	PERFORM mlmeta.check_writable();
	PERFORM mlmeta.find_project(project, 'admin');
	IF access IS NULL
			OR access NOT IN ('reader', 'writer', 'reviewer', 'admin') THEN
		RAISE EXCEPTION 'access % is not known',
				coalesce(to_json(access)::text, 'null')
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Use reader, writer, reviewer or admin.';
	ELSIF member IS NULL OR to_regrole(quote_ident(member)) IS NULL THEN
		RAISE EXCEPTION 'role % does not exist',
				coalesce('"' || member || '"', 'NULL')
			USING ERRCODE = 'undefined_object';
	END IF;

	-- Whoever closes a project stays in it.
	UPDATE mlmeta.projects AS p
	SET members_only = true
	WHERE p.project = add_member.project AND NOT p.members_only;
	IF FOUND AND NOT mlmeta.holds_role(who, current_user) THEN
		INSERT INTO mlmeta.project_members (project, member, access)
		VALUES (add_member.project, who, 'admin')
		ON CONFLICT DO NOTHING;
	END IF;
	INSERT INTO mlmeta.project_members (project, member, access)
	VALUES (add_member.project, add_member.member, add_member.access)
	ON CONFLICT DO NOTHING;
	PERFORM mlmeta.record_in_project(project, 'member_added',
		jsonb_build_object('member', member, 'access', access));
END
$$;

COMMENT ON FUNCTION mlmeta.add_member(text, text, text) IS
	'gives a role reader, writer, reviewer or admin access to a project; the first member closes the project to all others';

CREATE FUNCTION mlmeta.remove_member(
	project text,
	member text,
	access text DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta.check_writable();
	PERFORM mlmeta.find_project(project, 'admin');
	DELETE FROM mlmeta.project_members AS m
	WHERE m.project = remove_member.project
		AND m.member = remove_member.member
		AND (remove_member.access IS NULL OR m.access = remove_member.access);
	IF NOT FOUND THEN
		RAISE EXCEPTION 'role % has no such access to project "%"',
				coalesce('"' || member || '"', 'NULL'), project
			USING ERRCODE = 'undefined_object';
	END IF;
	PERFORM mlmeta.record_in_project(project, 'member_removed',
		jsonb_build_object('member', member, 'access', access));
END
$$;

COMMENT ON FUNCTION mlmeta.remove_member(text, text, text) IS
	'takes access to a project, or all of it, away from a role; a project without members stays closed, see open_project()';

CREATE FUNCTION mlmeta.open_project(project text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta.check_writable();
	PERFORM mlmeta.find_project(project, 'admin');
	DELETE FROM mlmeta.project_members AS m
	WHERE m.project = open_project.project;
	UPDATE mlmeta.projects AS p
	SET members_only = false
	WHERE p.project = open_project.project;
	PERFORM mlmeta.record_in_project(project, 'project_opened', '{}');
END
$$;

COMMENT ON FUNCTION mlmeta.open_project(text) IS
	'removes all members of a project and opens it again to all who hold grants on the extension';
