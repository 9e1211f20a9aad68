-- Whoever installs the extension owns its data. A database owner who is no
-- superuser could otherwise neither write nor dump his own database. pg_dump
-- takes the rows of all tables and the state of all sequences along.
--
-- His too are the functions behind the door, which run as him, and the doors,
-- which he lets others through. What others execute with their own rights is
-- not his to replace, and stays with the server's superuser; so do functions in
-- C, of which an owner can say that they are not STRICT, and end the server
-- with a NULL. None of it needs a grant to him, which would be gone with DROP
-- OWNED and could not be given back.
--
-- Stands after all parts that make objects, and before rights are given:
-- what is granted first would be dumped as a grant of the wrong role.

DO $$
DECLARE
	object record;
BEGIN
	FOR object IN
		SELECT c.relkind, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
		FROM pg_catalog.pg_class AS c
			JOIN pg_catalog.pg_namespace AS n
				ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
		WHERE n.nspname OPERATOR(pg_catalog.=) ANY
				(ARRAY['mlmeta', 'mlmeta_internal']::pg_catalog.name[])
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
			JOIN pg_catalog.pg_language AS l
				ON l.oid OPERATOR(pg_catalog.=) p.prolang
		WHERE n.nspname OPERATOR(pg_catalog.=) 'mlmeta_internal'
			AND l.lanname OPERATOR(pg_catalog.=) ANY
				(ARRAY['sql', 'plpgsql']::pg_catalog.name[])
			AND NOT EXISTS (SELECT FROM mlmeta_internal.helpers AS h
				WHERE h.function::pg_catalog.oid OPERATOR(pg_catalog.=) p.oid)
		UNION ALL
		SELECT p.oid::pg_catalog.regprocedure
		FROM pg_catalog.pg_proc AS p
			JOIN mlmeta_internal.doors AS d
				ON d.name::pg_catalog.name OPERATOR(pg_catalog.=) p.proname
		WHERE p.pronamespace OPERATOR(pg_catalog.=)
			'mlmeta'::pg_catalog.regnamespace
	LOOP
		EXECUTE pg_catalog.format('ALTER ROUTINE %s OWNER TO %s',
			object.name, '@extowner@');
	END LOOP;
END
$$;
