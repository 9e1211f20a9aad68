-- Who may do what: members of projects, and the rights of a caller.
--
-- A project is open until it gets its first member: all who hold grants on the
-- extension (see setup_roles()) work in it. With its first member it is closed
-- to all others. The owner of the extension is never locked out.
--
-- Functions behind the door ask for the rights of who came through it: with
-- permits_*(), or with a function that finds an object for a purpose, which
-- says what is not there, or not his to do.

CREATE FUNCTION mlmeta_internal.holds_role(who text, role text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(pg_catalog.pg_has_role(
	pg_catalog.to_regrole(pg_catalog.quote_ident(who))::oid,
	pg_catalog.to_regrole(pg_catalog.quote_ident(role))::oid, 'USAGE'), false);

COMMENT ON FUNCTION mlmeta_internal.holds_role(text, text) IS
	'whether a role has the rights of another; false when either does not exist';

CREATE TABLE mlmeta.project_members (
	project text NOT NULL,
	principal bigint NOT NULL,
	access text NOT NULL CHECK (access
		= ANY (ARRAY['reader', 'writer', 'reviewer', 'admin'])),
	added_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	added_by text NOT NULL DEFAULT mlmeta_internal.actor(),
	PRIMARY KEY (project, principal, access)
);

COMMENT ON TABLE mlmeta.project_members IS
	'which roles work in which projects; row security reads it';
COMMENT ON COLUMN mlmeta.project_members.principal IS
	'a role, whatever it is called now; whoever has its rights is a member';
COMMENT ON COLUMN mlmeta.project_members.access IS
	'reader sees; writer also tracks, registers and requests; reviewer also approves; admin does all';

CREATE INDEX projects_closed ON mlmeta.projects (project) WHERE members_only;

-- What row security asks of each row. The way from a row to its project is
-- walked in C, and answers are kept for the statement: a query for each row
-- costs as much as a thousand rows, subqueries in the policies are planned and
-- set up again with every statement that touches a table.

CREATE FUNCTION mlmeta_internal.permits_support(internal) RETURNS internal
	LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_permits_support';

COMMENT ON FUNCTION mlmeta_internal.permits_support(internal) IS
	'planner support: most rows that somebody reads are his to read';

CREATE FUNCTION mlmeta_internal.all_open() RETURNS boolean
	LANGUAGE C STABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_all_open';

COMMENT ON FUNCTION mlmeta_internal.all_open() IS
	'whether no project has members, so that row security has nothing to ask';

CREATE FUNCTION mlmeta_internal.permits_project(access text, project text)
RETURNS boolean
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10
	SUPPORT mlmeta_internal.permits_support
	AS 'MODULE_PATHNAME', 'mlmeta_permits_project';

COMMENT ON FUNCTION mlmeta_internal.permits_project(text, text) IS
	'whether the role whose rights count may work in a project; this and the next five are what row security asks, and functions behind the door';

CREATE FUNCTION mlmeta_internal.permits_experiment(access text, experiment bigint)
RETURNS boolean
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10
	SUPPORT mlmeta_internal.permits_support
	AS 'MODULE_PATHNAME', 'mlmeta_permits_experiment';

COMMENT ON FUNCTION mlmeta_internal.permits_experiment(text, bigint) IS
	'whether the role whose rights count may work in the project of an experiment, given by its number';

CREATE FUNCTION mlmeta_internal.permits_run(access text, run mlmeta.run)
RETURNS boolean
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10
	SUPPORT mlmeta_internal.permits_support
	AS 'MODULE_PATHNAME', 'mlmeta_permits_run';

COMMENT ON FUNCTION mlmeta_internal.permits_run(text, mlmeta.run) IS
	'whether the role whose rights count may work in the project of a run';

CREATE FUNCTION mlmeta_internal.permits_series(access text, series bigint)
RETURNS boolean
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10
	SUPPORT mlmeta_internal.permits_support
	AS 'MODULE_PATHNAME', 'mlmeta_permits_series';

COMMENT ON FUNCTION mlmeta_internal.permits_series(text, bigint) IS
	'whether the role whose rights count may work in the project of a series of points, given by its number';

CREATE FUNCTION mlmeta_internal.permits_model(access text, model bigint)
RETURNS boolean
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10
	SUPPORT mlmeta_internal.permits_support
	AS 'MODULE_PATHNAME', 'mlmeta_permits_model';

COMMENT ON FUNCTION mlmeta_internal.permits_model(text, bigint) IS
	'whether the role whose rights count may work in the project of a model, given by its number';

CREATE FUNCTION mlmeta_internal.permits_reference(access text, reference text)
RETURNS boolean
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100
	SUPPORT mlmeta_internal.permits_support
	AS 'MODULE_PATHNAME', 'mlmeta_permits_reference';

COMMENT ON FUNCTION mlmeta_internal.permits_reference(text, text) IS
	'whether the role whose rights count may work in the project of the model that a reference such as churn@champion names; true when there is no such model';

CREATE FUNCTION mlmeta_internal.require_access(project text, access text) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT mlmeta_internal.permits_project(access, project) THEN
		RAISE EXCEPTION 'role "%" has no % access to project "%"',
				mlmeta_internal.caller(), access, project
			USING ERRCODE = 'insufficient_privilege',
				HINT = 'An admin of the project gives it with add_member().';
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.require_access(text, text) IS
	'raises 42501 unless the caller has that access to a project';

CREATE FUNCTION mlmeta_internal.find_project(project text, access text)
RETURNS mlmeta.projects
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result mlmeta.projects;
BEGIN
	PERFORM mlmeta_internal.check_name('project', project);
	SELECT p.* INTO result
	FROM mlmeta.projects AS p
	WHERE p.project = find_project.project;
	-- Others need not learn that a closed project exists.
	IF NOT FOUND AND project = 'default' THEN
		result.project := project;
		result.members_only := false;
	ELSIF NOT FOUND
			OR NOT mlmeta_internal.permits_project('reader', project) THEN
		RAISE EXCEPTION 'project "%" does not exist', project
			USING ERRCODE = 'undefined_object',
				HINT = 'Create it with create_project(); it may also be one you are no member of.';
	END IF;
	PERFORM mlmeta_internal.require_access(project, access);
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.find_project(text, text) IS
	'the row of a project to which the caller has that access; raises an error otherwise; the project default is there without a row: to make it at its first use would wait for all others who do';

CREATE FUNCTION mlmeta_internal.record_in_project(
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
		PERFORM mlmeta_internal.record_change(one, NULL, action, detail);
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.record_in_project(text, text, jsonb) IS
	'records in the audit trail of each model of a project what was changed for all of them';

CREATE FUNCTION mlmeta_internal.add_member(project text, member text, access text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner CONSTANT text := current_user;
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.find_project(project, 'admin');
	IF access IS NULL
			OR access NOT IN ('reader', 'writer', 'reviewer', 'admin') THEN
		RAISE EXCEPTION 'access % is not known',
				coalesce(to_json(access)::text, 'null')
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Use reader, writer, reviewer or admin.';
	END IF;

	IF project = 'default' THEN
		INSERT INTO mlmeta.projects (project) VALUES ('default')
		ON CONFLICT DO NOTHING;
	END IF;

	-- Whoever closes a project stays in it.
	UPDATE mlmeta.projects AS p
	SET members_only = true
	WHERE p.project = add_member.project AND NOT p.members_only;
	IF FOUND AND NOT mlmeta_internal.holds_role(mlmeta_internal.caller(),
			owner) THEN
		INSERT INTO mlmeta.project_members (project, principal, access)
		VALUES (add_member.project,
			mlmeta_internal.principal(mlmeta_internal.caller()), 'admin')
		ON CONFLICT DO NOTHING;
	END IF;
	INSERT INTO mlmeta.project_members (project, principal, access)
	VALUES (add_member.project, mlmeta_internal.principal(member),
		add_member.access)
	ON CONFLICT DO NOTHING;
	PERFORM mlmeta_internal.record_in_project(project, 'member_added',
		jsonb_build_object('member', member, 'access', access));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.add_member(text, text, text) IS
	'gives a role reader, writer, reviewer or admin access to a project; the first member closes the project to all others';

CREATE FUNCTION mlmeta_internal.remove_member(
	project text,
	member text,
	access text DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.find_project(project, 'admin');
	DELETE FROM mlmeta.project_members AS m
	WHERE m.project = remove_member.project
		AND (mlmeta_internal.principal_name(m.principal)
				= remove_member.member
			OR (mlmeta_internal.principal_role(m.principal) IS NULL
				AND EXISTS (SELECT FROM mlmeta_internal.principals AS p
					WHERE p.principal = m.principal
						AND p.name = remove_member.member)))
		AND (remove_member.access IS NULL OR m.access = remove_member.access);
	IF NOT FOUND THEN
		RAISE EXCEPTION 'role % has no such access to project "%"',
				coalesce('"' || member || '"', 'NULL'), project
			USING ERRCODE = 'undefined_object';
	END IF;
	PERFORM mlmeta_internal.record_in_project(project, 'member_removed',
		jsonb_build_object('member', member, 'access', access));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.remove_member(text, text, text) IS
	'takes access to a project, or all of it, away from a role; a project without members stays closed, see open_project()';

CREATE FUNCTION mlmeta_internal.open_project(project text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.find_project(project, 'admin');
	DELETE FROM mlmeta.project_members AS m
	WHERE m.project = open_project.project;
	UPDATE mlmeta.projects AS p
	SET members_only = false
	WHERE p.project = open_project.project;
	PERFORM mlmeta_internal.record_in_project(project, 'project_opened', '{}');
END
$$;

COMMENT ON FUNCTION mlmeta_internal.open_project(text) IS
	'removes all members of a project and opens it again to all who hold grants on the extension';

CREATE FUNCTION mlmeta_internal.list_members(project text)
RETURNS TABLE (member text, access text, added_at timestamptz, added_by text,
	is_role boolean)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.find_project(project, 'admin');
	RETURN QUERY
	SELECT coalesce(r.now_called, p.name), m.access, m.added_at, m.added_by,
		r.now_called IS NOT NULL
	FROM mlmeta.project_members AS m
		JOIN mlmeta_internal.principals AS p ON p.principal = m.principal
		CROSS JOIN LATERAL mlmeta_internal.principal_name(m.principal)
			AS r (now_called)
	WHERE m.project = list_members.project
	ORDER BY 1, m.access;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.list_members(text) IS
	'the members of a project, for its admins; is_role: false for who is no role any more, or has to be bound again with rebind_roles()';

CREATE FUNCTION mlmeta_internal.rebind_roles()
RETURNS TABLE (name text, bound boolean)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.check_writable();
	IF NOT mlmeta_internal.holds_role(mlmeta_internal.caller(),
			current_user) THEN
		RAISE EXCEPTION 'role "%" cannot bind roles again',
				mlmeta_internal.caller()
			USING ERRCODE = 'insufficient_privilege',
				HINT = 'The extension''s owner can.';
	END IF;
	-- Who is known here is known by number; elsewhere he will be by his name.
	UPDATE mlmeta_internal.principals AS p
	SET name = r.rolname
	FROM pg_roles AS r
	WHERE p.cluster = mlmeta_internal.cluster() AND r.oid = p.role
		AND p.name <> r.rolname;
	RETURN QUERY
	WITH away AS (
		SELECT p.principal, p.name,
			to_regrole(quote_ident(p.name))::oid AS role
		FROM mlmeta_internal.principals AS p
		WHERE p.cluster <> mlmeta_internal.cluster()
		FOR UPDATE
	), changed AS (
		UPDATE mlmeta_internal.principals AS p
		SET role = a.role, cluster = mlmeta_internal.cluster()
		FROM away AS a
		WHERE p.principal = a.principal AND a.role IS NOT NULL
	)
	SELECT a.name, a.role IS NOT NULL
	FROM away AS a
	ORDER BY a.name;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rebind_roles() IS
	'after a restore into another cluster: members, owners and approvers become the roles that have their names here; for the extension''s owner, who knows that they are the same people. Returns whom it was about, and who has no role here. Before a dump: notes what renamed roles are called now, by which others will find them';
