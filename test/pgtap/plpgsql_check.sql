-- What PL/pgSQL finds out only when a line runs, found before: plpgsql_check
-- walks every branch of every function and looks its names, types and
-- assignments up.
BEGIN;
SET search_path = public, mlmeta;
SET client_min_messages = warning;

SELECT EXISTS (SELECT FROM pg_available_extensions
	WHERE name = 'plpgsql_check') AS available \gset
\if :available
SELECT plan(9);
CREATE EXTENSION plpgsql_check WITH SCHEMA public;

CREATE TEMP VIEW functions AS
SELECT p.oid, p.prorettype = 'trigger'::regtype AS is_trigger
FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
WHERE l.lanname = 'plpgsql' AND p.pronamespace IN ('mlmeta'::regnamespace, 'mlmeta_internal'::regnamespace);

-- A trigger function has no row type but its table's: each pair is checked.
CREATE TEMP VIEW checked AS
SELECT oid, 0::oid AS relation FROM functions WHERE NOT is_trigger
UNION
SELECT f.oid, t.tgrelid
FROM functions AS f JOIN pg_trigger AS t ON t.tgfoid = f.oid
WHERE f.is_trigger;

CREATE TEMP VIEW findings AS
SELECT c.oid::regprocedure AS function, nullif(c.relation, 0)::regclass AS relation,
	f.lineno, f.level, f.sqlstate, f.message, f.detail, f.hint, f.query
FROM checked AS c CROSS JOIN plpgsql_check_function_tb(c.oid, c.relation,
	extra_warnings => true, security_warnings => true) AS f
-- What dynamic SQL gives is beyond what it can see; a literal is a text to it,
-- which PL/pgSQL reads as what is needed; pg_cron need not be there.
WHERE concat(f.message, f.detail) !~ 'result of dynamic SQL|cast "text" value'
	AND f.message NOT LIKE 'relation "cron.%" does not exist';

SELECT cmp_ok((SELECT count(*)::int FROM functions), '>', 50,
	'this test sees the functions');
SELECT is_empty('SELECT oid::regprocedure FROM functions
	WHERE oid NOT IN (SELECT oid FROM checked)',
	'every trigger function has a table to be checked with');
SELECT is_empty($$SELECT * FROM findings WHERE level = 'error'$$,
	'no function has an error');
SELECT is_empty($$SELECT * FROM findings WHERE level = 'warning'$$,
	'no function deserves a warning');
SELECT is_empty($$SELECT * FROM findings WHERE level = 'warning extra'$$,
	'nothing is unused, shadowed, unset or never returned');

-- The text of a query that the caller hands over, or handed over before, runs
-- with the rights of the caller and of nobody else.
SELECT is_empty($$SELECT f.* FROM findings AS f
		JOIN pg_proc AS p ON p.oid = f.function
	WHERE f.level = 'security' AND p.prosecdef$$,
	'no function with its owner''s rights runs SQL that is not quoted');

-- A subtransaction cannot start in parallel mode.
SELECT is_empty($$SELECT p.oid::regprocedure FROM functions AS f
		JOIN pg_proc AS p ON p.oid = f.oid
	WHERE p.prosrc ~ '\mEXCEPTION\s+WHEN\M' AND p.proparallel <> 'u'$$,
	'functions that catch errors are parallel unsafe');

-- Of what it calls, a function is never the safer or the steadier one.
SELECT is_empty($$
	WITH callers AS MATERIALIZED (
		SELECT p.* FROM functions AS f JOIN pg_proc AS p ON p.oid = f.oid
		WHERE NOT f.is_trigger
	), calls AS (
		SELECT c.oid AS caller, d.oid AS callee
		FROM callers AS c CROSS JOIN plpgsql_show_dependency_tb(c.oid) AS d
		WHERE d.type = 'FUNCTION'
		UNION ALL
		SELECT d.objid, d.refobjid FROM pg_depend AS d
		WHERE d.classid = 'pg_proc'::regclass
			AND d.refclassid = 'pg_proc'::regclass
	)
	SELECT p.oid::regprocedure, q.oid::regprocedure
	FROM calls AS c JOIN pg_proc AS p ON p.oid = c.caller
		JOIN pg_proc AS q ON q.oid = c.callee
	WHERE p.pronamespace = 'mlmeta'::regnamespace AND p.prokind <> 'a'
		AND (strpos('urs', q.proparallel::text) < strpos('urs', p.proparallel::text)
			OR strpos('vsi', q.provolatile::text) < strpos('vsi', p.provolatile::text))
$$, 'what a function calls is at least as parallel safe, and no more volatile');

-- That the checker looks at what it is given.
CREATE FUNCTION mlmeta.broken() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	IF false THEN
		PERFORM no_such_column FROM mlmeta.runs;
	END IF;
	RETURN 1;
END
$$;
SELECT isnt_empty($$SELECT FROM findings WHERE level = 'error'
	AND function = 'mlmeta.broken()'::regprocedure$$,
	'an error in a branch that never runs is found');
\else
SELECT plan(1);
SELECT skip('the extension plpgsql_check is not installed', 1);
\endif

SELECT * FROM finish();
ROLLBACK;
