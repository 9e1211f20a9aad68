-- Whoever installs the extension owns its data. A database owner who is no
-- superuser could otherwise neither write nor dump his own database. pg_dump
-- takes the rows of all tables and the state of all sequences along.
--
-- The last part of the script: it finds the objects of all parts before it.

DO $$
DECLARE
	object record;
BEGIN
	FOR object IN
		SELECT c.oid, c.relkind,
			pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
		FROM pg_catalog.pg_class AS c
			JOIN pg_catalog.pg_namespace AS n
				ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
		WHERE n.nspname OPERATOR(pg_catalog.=) 'mlmeta'
			AND c.relkind OPERATOR(pg_catalog.=)
				ANY (ARRAY['r', 'p', 'v', 'm', 'S']::"char"[])
		ORDER BY c.relkind OPERATOR(pg_catalog.=) 'S', c.oid
	LOOP
		-- The sequence of an identity column follows its table.
		IF object.relkind OPERATOR(pg_catalog.<>) 'S' THEN
			EXECUTE pg_catalog.format('ALTER %s %s OWNER TO %s',
				CASE
					WHEN object.relkind OPERATOR(pg_catalog.=) 'v' THEN 'VIEW'
					WHEN object.relkind OPERATOR(pg_catalog.=) 'm' THEN 'MATERIALIZED VIEW'
					ELSE 'TABLE'
				END,
				object.name, '@extowner@');
		END IF;
		IF object.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p', 'S']::"char"[]) THEN
			PERFORM pg_catalog.pg_extension_config_dump(
				object.name::pg_catalog.regclass, '');
		END IF;
	END LOOP;

	FOR object IN
		SELECT p.oid::pg_catalog.regprocedure AS name
		FROM pg_catalog.pg_proc AS p
			JOIN pg_catalog.pg_namespace AS n
				ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
		WHERE n.nspname OPERATOR(pg_catalog.=) 'mlmeta' AND p.prosecdef
	LOOP
		EXECUTE pg_catalog.format('ALTER ROUTINE %s OWNER TO %s',
			object.name, '@extowner@');
	END LOOP;
END
$$;
