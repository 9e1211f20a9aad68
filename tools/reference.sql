-- The pages of doc/reference.md, made from the catalog: everything that people
-- call and read. tools/reference writes the page, test/t/021_reference.t holds
-- it against the catalog.
\set QUIET on
\pset format unaligned
\pset tuples_only on
\pset pager off
SET search_path = mlmeta, pg_catalog;
CREATE FUNCTION pg_temp.cell(value text) RETURNS text LANGUAGE sql AS
	$$ SELECT replace(replace(coalesce(value, ''), '|', '\|'), E'\n', ' ') $$;

SELECT $page$# Reference

Everything in the schema `mlmeta`, as the catalog has it: what is not here is not meant to be called or read, and may change
without notice. A test holds this page against the catalog; `tools/reference` writes it anew when something is added on purpose.
What each thing is for, with examples, stands on the pages of its area; who may call what that writes is in the last column
of functions ([security](security.md)).

## Types

| type | |
|---|---|$page$;
SELECT format('| `%s` | %s |', t.typname, pg_temp.cell(obj_description(t.oid, 'pg_type')))
FROM pg_type AS t LEFT JOIN pg_class AS c ON c.oid = t.typrelid
WHERE t.typnamespace = 'mlmeta'::regnamespace AND t.typelem = 0
	AND (t.typrelid = 0 OR c.relkind = 'c') AND t.typtype <> 'p'
ORDER BY t.typname COLLATE "C";

SELECT $page$
## Aggregates

| aggregate | returns | |
|---|---|---|$page$;
SELECT format('| `%s(%s)` | `%s` | %s |', p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),
	pg_temp.cell(obj_description(p.oid, 'pg_proc')))
FROM pg_proc AS p
WHERE p.pronamespace = 'mlmeta'::regnamespace AND p.prokind = 'a'
ORDER BY p.proname COLLATE "C", pg_get_function_arguments(p.oid) COLLATE "C";

SELECT $page$
## Functions and procedures

| function | returns | | role |
|---|---|---|---|$page$;
SELECT format('| `%s(%s)` | `%s` | %s | %s |', p.proname, pg_get_function_arguments(p.oid),
	coalesce(pg_get_function_result(p.oid), 'procedure'), pg_temp.cell(obj_description(p.oid, 'pg_proc')), coalesce(d.role, ''))
FROM pg_proc AS p LEFT JOIN mlmeta_internal.doors AS d ON d.name = p.proname
WHERE p.pronamespace = 'mlmeta'::regnamespace AND p.prokind IN ('f', 'p')
ORDER BY p.proname COLLATE "C", pg_get_function_arguments(p.oid) COLLATE "C";

SELECT $page$
## Operators

Each type also has `=`, `<>`, `<`, `<=`, `>`, `>=` with itself.

| operator | result | |
|---|---|---|$page$;
SELECT format('| `%s` | `%s` | %s |', pg_temp.cell(concat_ws(' ', nullif(o.oprleft, 0)::regtype::text, o.oprname, nullif(o.oprright, 0)::regtype::text)),
	o.oprresult::regtype, pg_temp.cell(obj_description(o.oid, 'pg_operator')))
FROM pg_operator AS o
WHERE o.oprnamespace = 'mlmeta'::regnamespace AND o.oprname <> ALL ('{=,<>,<,<=,>,>=}')
ORDER BY o.oprname COLLATE "C", o.oprleft::regtype::text COLLATE "C", o.oprright::regtype::text COLLATE "C";

SELECT $page$
## Views

| view | columns | |
|---|---|---|$page$;
SELECT format('| `%s` | %s | %s |', c.relname, (
	SELECT string_agg(format('`%s` %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
	FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
	pg_temp.cell(obj_description(c.oid, 'pg_class')))
FROM pg_class AS c
WHERE c.relnamespace = 'mlmeta'::regnamespace AND c.relkind = 'v'
ORDER BY c.relname COLLATE "C";

SELECT $page$
## Tables

Written by functions alone; the views above show them as people want them.

| table | columns | |
|---|---|---|$page$;
SELECT format('| `%s` | %s | %s |', c.relname, (
	SELECT string_agg(format('`%s` %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
	FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
	pg_temp.cell(obj_description(c.oid, 'pg_class')))
FROM pg_class AS c
WHERE c.relnamespace = 'mlmeta'::regnamespace AND c.relkind IN ('r', 'p')
ORDER BY c.relname COLLATE "C";
