-- The catalog of the whole extension: what every object must have, whichever
-- area it belongs to.
BEGIN;
SET search_path = public, mlmeta;
SELECT plan(26);

-- Every object that CREATE EXTENSION made, by class.
CREATE TEMP VIEW members AS
SELECT d.classid::regclass AS class, d.objid
FROM pg_depend AS d JOIN pg_extension AS e
	ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'mlmeta' AND d.deptype = 'e';

CREATE TEMP VIEW functions AS
SELECT p.*, p.oid::regprocedure::text AS signature, l.lanname
FROM pg_proc AS p
	JOIN members AS m ON m.class = 'pg_proc'::regclass AND m.objid = p.oid
	JOIN pg_language AS l ON l.oid = p.prolang;

CREATE TEMP VIEW relations AS
SELECT c.*, c.oid::regclass::text AS name
FROM pg_class AS c
	JOIN members AS m ON m.class = 'pg_class'::regclass AND m.objid = c.oid;

SELECT cmp_ok((SELECT count(*)::int FROM functions), '>', 300,
	'the views of this test see the functions');
SELECT cmp_ok((SELECT count(*)::int FROM relations), '>', 20,
	'the views of this test see the tables');

-- Comments. Types made by tables, arrays, and what a range or an operator class
-- brings along are not members and need none.
SELECT is_empty($$
	SELECT signature FROM functions AS f
	WHERE obj_description(f.oid, 'pg_proc') IS NULL
$$, 'every function, procedure and aggregate has a comment');

SELECT is_empty($$
	SELECT t.oid::regtype FROM pg_type AS t
		JOIN members AS m ON m.class = 'pg_type'::regclass AND m.objid = t.oid
	WHERE t.typrelid = 0 AND t.typelem = 0
		AND obj_description(t.oid, 'pg_type') IS NULL
$$, 'every type has a comment');

SELECT is_empty($$
	SELECT t.oid::regtype FROM pg_type AS t
		JOIN pg_class AS c ON c.oid = t.typrelid AND c.relkind = 'c'
		JOIN members AS m ON m.class = 'pg_type'::regclass AND m.objid = t.oid
	WHERE obj_description(t.oid, 'pg_type') IS NULL
$$, 'every composite type has a comment');

SELECT is_empty($$
	SELECT name FROM relations
	WHERE relkind IN ('r', 'p', 'v', 'm')
		AND obj_description(oid, 'pg_class') IS NULL
$$, 'every table and view has a comment');

SELECT is_empty($$
	SELECT r.name, a.attname FROM relations AS r
		JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
	WHERE r.relkind = 'v' AND r.relnamespace = 'mlmeta'::regnamespace
		AND col_description(r.oid, a.attnum) IS NULL
$$, 'every column of every view that people read has a comment');

SELECT is_empty($$
	SELECT o.oid::regoperator FROM pg_operator AS o
		JOIN members AS m ON m.class = 'pg_operator'::regclass AND m.objid = o.oid
	WHERE obj_description(o.oid, 'pg_operator') IS NULL
$$, 'every operator has a comment');

SELECT is_empty($$
	SELECT m.class, m.objid FROM members AS m
	WHERE m.class IN ('pg_cast'::regclass, 'pg_opclass'::regclass,
		'pg_opfamily'::regclass)
		AND obj_description(m.objid, m.class::text) IS NULL
$$, 'every cast, operator class and family has a comment');

-- Functions.
SELECT is_empty($$
	SELECT signature FROM functions
	WHERE lanname = 'plpgsql' AND prokind = 'f'
		AND NOT coalesce(proconfig, '{}')
			@> ARRAY['search_path=pg_catalog, pg_temp']
$$, 'every PL/pgSQL function has its search_path pinned');

SELECT is_empty($$
	SELECT signature FROM functions
	WHERE prokind = 'p' AND proconfig IS NOT NULL
$$, 'no procedure has a SET clause: it could not commit');

SELECT is_empty($$
	SELECT signature FROM functions
	WHERE lanname = 'sql' AND prokind = 'f' AND prosqlbody IS NULL
$$, 'every SQL function has a body that was parsed at installation');

SELECT is_empty($$
	SELECT signature FROM functions
	WHERE lanname IN ('sql', 'plpgsql') AND prokind = 'f'
		AND provolatile = 'v' AND proparallel <> 'u'
$$, 'what writes is marked PARALLEL UNSAFE');

SELECT is_empty($$
	SELECT signature FROM functions AS f
	WHERE prokind = 'f' AND provolatile <> 'v' AND proparallel = 'u'
		AND prorettype <> 'trigger'::regtype
		-- Who acts is found out in the leader alone.
		AND prosrc <> ALL (ARRAY['mlmeta_door', 'mlmeta_decision_door'])
		-- A subtransaction cannot begin in a parallel worker: not in the
		-- function, nor in one that it calls.
		AND prosrc !~ '\mEXCEPTION\s+WHEN'
		AND NOT EXISTS (SELECT FROM functions AS called
			WHERE called.proparallel = 'u'
				AND strpos(f.prosrc, 'mlmeta.' || called.proname || '(') > 0)
$$, 'what only reads may run in parallel');

-- A comparison of runs as uuid misses every index. Parsed bodies and views show
-- the cast; PL/pgSQL, where a bare = fails only when it runs, shows in its text.
SELECT is_empty($$
	SELECT name FROM relations
	WHERE relkind = 'v' AND pg_get_viewdef(oid) ~* '::uuid'
$$, 'no view compares runs as uuid');

SELECT is_empty($$
	SELECT signature FROM functions
	WHERE lanname = 'sql' AND prosqlbody IS NOT NULL
		AND pg_get_function_sqlbody(oid) ~* '::uuid' AND proname <> 'run_hex'
$$, 'no SQL function compares runs as uuid');

SELECT is_empty($$
	SELECT signature FROM functions
	WHERE lanname = 'plpgsql'
		AND prosrc ~ '\m(run|artifact|parent)\s*(=|<>|<|>)\s*\w+\.(run|artifact)\M'
$$, 'no PL/pgSQL function compares runs or artifacts with a bare operator');

-- Tables.
SELECT is_empty($$
	SELECT r.name FROM relations AS r
		CROSS JOIN pg_extension AS e
	WHERE e.extname = 'mlmeta' AND r.relkind IN ('r', 'p', 'S')
		AND NOT r.oid = ANY (coalesce(e.extconfig, '{}'))
$$, 'every table and sequence is dumped with its data');

SELECT is_empty($$
	SELECT name FROM relations
	WHERE relkind = 'v' AND NOT coalesce(reloptions, '{}')
		&& ARRAY['security_invoker=true', 'security_invoker=on']
$$, 'every view has the rights of its reader');

SELECT is_empty($$
	SELECT t.tgrelid::regclass, t.tgname FROM pg_trigger AS t
		JOIN relations AS r ON r.oid = t.tgrelid
	WHERE NOT t.tgisinternal AND t.tgtype & 4 <> 0
		-- This one is there for the restore, and stops nothing.
		AND t.tgname <> 'cover_restored'
$$, 'no trigger fires on INSERT: it would on restore');

-- An owner who is no superuser has no right of his own on functions in C: what
-- is called behind the door is everybody's, and asks for itself.
SELECT is_empty($$
	SELECT c.signature FROM functions AS c
	WHERE c.lanname = 'c' AND c.pronamespace = 'mlmeta_internal'::regnamespace
		AND NOT has_function_privilege('public', c.oid, 'EXECUTE')
		AND EXISTS (SELECT FROM functions AS f WHERE f.lanname IN ('sql', 'plpgsql')
			AND (f.prosrc ~ ('mlmeta_internal\.' || c.proname || '\(')
				OR pg_get_function_sqlbody(f.oid) ~ ('mlmeta_internal\.' || c.proname || '\(')))
$$, 'every function in C that a body calls can be called by an owner who is no superuser');

SELECT is_empty($$
	SELECT conrelid::regclass, conname FROM pg_constraint AS c
		JOIN relations AS r ON r.oid = c.conrelid
	WHERE c.contype = 'f'
$$, 'no foreign keys: a parallel restore, which loads tables in any order, would lose every row');

SELECT is_empty($$
	SELECT name FROM relations AS r
	WHERE relkind = 'r' AND relreplident <> 'f'
		AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = r.oid AND i.indisprimary)
$$, 'every table has a primary key or says that whole rows stand for it: a publication of all tables stops nothing');

SELECT is_empty($$
	SELECT a.attrelid::regclass, a.attname FROM pg_attribute AS a
		JOIN relations AS r ON r.oid = a.attrelid
	WHERE r.relkind = 'r' AND a.attnum > 0 AND a.atttypid = ANY
		('{regrole,regnamespace,regproc,regprocedure,regoper,regoperator,regconfig,regdictionary}'::regtype[])
$$, 'no column is lost or aborts a restore where what it names is missing');

SELECT is_empty($$
	SELECT signature FROM functions WHERE prosecdef
$$, 'no SECURITY DEFINER function: the door knows who calls it, they cannot');

-- pg_upgrade restores such a body, and the views that it reads, before operator
-- classes: a view that groups, sorts or unites values of our types cannot be then.
SELECT is_empty($$
	SELECT f.signature, c.oid::regclass
	FROM functions AS f
		JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass
		JOIN pg_class AS c ON c.oid = d.refobjid
	WHERE c.relkind = 'v' AND EXISTS (
			SELECT FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
			WHERE a.attrelid = c.oid AND t.typnamespace = 'mlmeta'::regnamespace AND t.typtype = 'b')
		AND pg_get_viewdef(c.oid) ~* '\m(group by|order by|distinct|intersect|except|union(?! all))\M'
$$, 'no body that is parsed at installation reads a view that compares values of our types');

SELECT * FROM finish();
ROLLBACK;
