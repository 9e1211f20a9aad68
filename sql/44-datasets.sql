-- Data versions: what exactly a run was trained on.
--
-- A snapshot of a dataset is an artifact dataset:NAME@sha256:DIGEST, the digest
-- being the fingerprint of the very rows. Beside it stand the query, the
-- columns, the number of rows, their profile and, when asked for, a copy of the
-- rows or the keys of the rows.

CREATE TABLE mlmeta.dataset_snapshots (
	snapshot uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
	artifact mlmeta.artifact NOT NULL,
	source text NOT NULL,
	relation text,
	query text NOT NULL,
	columns jsonb NOT NULL,
	row_count bigint NOT NULL,
	fingerprint text NOT NULL,
	profile mlmeta.profile,
	key_columns text[],
	copy_table text,
	transaction_snapshot text NOT NULL
		DEFAULT pg_catalog.pg_current_snapshot()::text,
	taken_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	owner text NOT NULL DEFAULT mlmeta_internal.caller(),
	owner_id bigint NOT NULL
		DEFAULT mlmeta_internal.principal(mlmeta_internal.caller()),
	user_name text NOT NULL DEFAULT mlmeta_internal.actor()
);

CREATE INDEX dataset_snapshots_artifact ON mlmeta.dataset_snapshots
	(artifact, taken_at);

COMMENT ON TABLE mlmeta.dataset_snapshots IS
	'snapshots of datasets: which rows, by which query, seen when';
COMMENT ON COLUMN mlmeta.dataset_snapshots.source IS
	'the table or query as given to snapshot_dataset()';
COMMENT ON COLUMN mlmeta.dataset_snapshots.relation IS
	'the table, with its schema, when the source was one';
COMMENT ON COLUMN mlmeta.dataset_snapshots.query IS
	'the query with every name qualified: it means the same under any search_path';
COMMENT ON COLUMN mlmeta.dataset_snapshots.columns IS
	'array of the columns in order, each with name and type';
COMMENT ON COLUMN mlmeta.dataset_snapshots.fingerprint IS
	'fingerprint of the rows, see fingerprint()';
COMMENT ON COLUMN mlmeta.dataset_snapshots.profile IS
	'profile of the rows, see profile(), columns() and drift(); NULL: there were no rows';
COMMENT ON COLUMN mlmeta.dataset_snapshots.key_columns IS
	'columns whose values are kept in dataset_rows; NULL: none are';
COMMENT ON COLUMN mlmeta.dataset_snapshots.copy_table IS
	'table that holds a copy of the rows; NULL: there is none';
COMMENT ON COLUMN mlmeta.dataset_snapshots.transaction_snapshot IS
	'which transactions were visible, as pg_current_snapshot() writes it';
COMMENT ON COLUMN mlmeta.dataset_snapshots.owner IS
	'what the role was called whose rights the query ran with; nobody else runs it';
COMMENT ON COLUMN mlmeta.dataset_snapshots.owner_id IS
	'the role itself, whatever it is called now';
COMMENT ON COLUMN mlmeta.dataset_snapshots.user_name IS
	'the user, as the server knows it';

CREATE TRIGGER guard_dataset_snapshots
	BEFORE UPDATE OR DELETE OR TRUNCATE ON mlmeta.dataset_snapshots
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta_internal.guard_append_only();

CREATE TABLE mlmeta.dataset_rows (
	snapshot uuid NOT NULL,
	row_key text NOT NULL
);

ALTER TABLE mlmeta.dataset_rows REPLICA IDENTITY FULL;

CREATE INDEX dataset_rows_snapshot ON mlmeta.dataset_rows (snapshot);
CREATE INDEX dataset_rows_key ON mlmeta.dataset_rows USING hash (row_key);

COMMENT ON TABLE mlmeta.dataset_rows IS
	'keys of the rows that snapshots hold, as far as snapshot_dataset() was told to keep them';
COMMENT ON COLUMN mlmeta.dataset_rows.row_key IS
	'the key as text; of several columns a JSON array';

CREATE TRIGGER guard_dataset_rows
	BEFORE UPDATE OR DELETE OR TRUNCATE ON mlmeta.dataset_rows
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta_internal.guard_append_only();

CREATE FUNCTION mlmeta_internal.relation_columns(relation regclass) RETURNS jsonb
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN (
	SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
		'name', a.attname,
		'type', pg_catalog.format_type(a.atttypid, a.atttypmod))
		ORDER BY a.attnum)
	FROM pg_catalog.pg_attribute AS a
	WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
);

COMMENT ON FUNCTION mlmeta_internal.relation_columns(regclass) IS
	'the columns of a table or view in order, a JSON array of names and types';

CREATE FUNCTION mlmeta_internal.qualified_name(relation regclass) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN (
	SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
	FROM pg_catalog.pg_class AS c
		JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
	WHERE c.oid = relation
);

COMMENT ON FUNCTION mlmeta_internal.qualified_name(regclass) IS
	'the name of a table with its schema, quoted where needed';

CREATE FUNCTION mlmeta_internal.store_snapshot(
	name text,
	version text,
	source text,
	relation text,
	query text,
	columns jsonb,
	keys text[],
	copy_table text
) RETURNS mlmeta.artifact
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	number uuid := gen_random_uuid();
	missing text;
	key_expression text;
	-- The copy is made already, and what is said of the rows is said of it.
	kept text := coalesce('SELECT * FROM ' || copy_table, query);
	row_count bigint;
	digest text;
	summary mlmeta.profile;
	result mlmeta.artifact;
BEGIN
	SELECT k.key INTO missing
	FROM unnest(keys) AS k (key)
	WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(columns) AS c
		WHERE c ->> 'name' = k.key);
	IF FOUND THEN
		RAISE EXCEPTION 'dataset "%" has no column %', name,
				coalesce('"' || missing || '"', 'NULL')
			USING ERRCODE = 'undefined_column';
	END IF;

	-- One statement, one scan, with the caller's own rights: rows, count,
	-- profile and keys belong together. (d.* is the row even where it has a
	-- column of the name d.)
	IF cardinality(keys) > 0 THEN
		SELECT CASE WHEN cardinality(keys) = 1
				THEN min(format('(d.%I)::text', k.key))
				ELSE 'jsonb_build_array('
					|| string_agg(format('d.%I', k.key), ', ' ORDER BY k.n)
					|| ')::text'
			END INTO key_expression
		FROM unnest(keys) WITH ORDINALITY AS k (key, n);
		WITH q AS MATERIALIZED (
			SELECT *
			FROM mlmeta_internal.run_query(NULL, 'pg_catalog', format(
				'WITH d AS MATERIALIZED (%s
				)
				SELECT count(*), mlmeta.fingerprint(d.*), mlmeta.profile(d.*),
					NULL
				FROM d
				UNION ALL
				SELECT DISTINCT NULL::bigint, NULL, NULL::mlmeta.profile, %s
				FROM d WHERE %2$s IS NOT NULL', kept, key_expression))
				AS q (n bigint, digest text, summary mlmeta.profile, key text)
		), stored AS (
			INSERT INTO mlmeta.dataset_rows (snapshot, row_key)
			SELECT number, q.key FROM q WHERE q.key IS NOT NULL
		)
		SELECT q.n, q.digest, q.summary INTO row_count, digest, summary
		FROM q
		WHERE q.n IS NOT NULL;
	ELSE
		SELECT q.* INTO row_count, digest, summary
		FROM mlmeta_internal.run_query(NULL, 'pg_catalog', format(
			'SELECT count(*), mlmeta.fingerprint(d.*), mlmeta.profile(d.*)
			FROM (%s
			) AS d', kept))
			AS q (rows bigint, digest text, summary mlmeta.profile);
	END IF;

	-- No rows have no fingerprint: the columns alone are the version.
	digest := coalesce(digest,
		'sha256:' || encode(sha256(convert_to(columns::text, 'UTF8')), 'hex'));
	result := mlmeta.artifact('dataset', name, version, digest);

	PERFORM mlmeta_internal.store_artifact(result, number, NULL);
	INSERT INTO mlmeta.dataset_snapshots (snapshot, artifact, source, relation,
		query, columns, row_count, fingerprint, profile, key_columns,
		copy_table)
	VALUES (number, result, store_snapshot.source, store_snapshot.relation,
		store_snapshot.query, store_snapshot.columns, row_count, digest,
		summary, nullif(keys, '{}'), store_snapshot.copy_table);
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.store_snapshot(text, text, text, text, text, jsonb,
	text[], text) IS
	'reads the rows of a dataset once and stores what snapshot_dataset() promises';

CREATE FUNCTION mlmeta_internal.resolve_source(
	kind text,
	name text,
	source text,
	OUT relation_name text,
	OUT query text,
	OUT columns jsonb
) RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	parts text[];
	relation regclass;
BEGIN
	IF source IS NULL THEN
		RAISE EXCEPTION 'source of % "%" must not be null', kind, name
			USING ERRCODE = 'null_value_not_allowed',
				HINT = 'Give a table or a query.';
	END IF;

	-- What reads as a name is one, all else is a query.
	BEGIN
		parts := parse_ident(source);
	EXCEPTION WHEN invalid_parameter_value THEN
		parts := NULL;
	END;
	IF parts IS NOT NULL THEN
		relation := mlmeta_internal.find_relation(parts);
		IF relation IS NULL OR NOT EXISTS (
				SELECT FROM pg_class AS c
				WHERE c.oid = relation
					AND c.relkind = ANY (ARRAY['r', 'p', 'v', 'm', 'f']::"char"[])) THEN
			RAISE EXCEPTION 'source "%" of % "%" is no table', source, kind, name
				USING ERRCODE = 'undefined_table',
					HINT = 'Give the name of a table or view, or one SELECT.';
		END IF;
		relation_name := mlmeta_internal.qualified_name(relation);
		query := format('SELECT * FROM %s', relation_name);
		columns := mlmeta_internal.relation_columns(relation);
	ELSE
		BEGIN
			SELECT q.query, (
				SELECT jsonb_agg(jsonb_build_object('name', c.name, 'type',
					c.type) ORDER BY c.n)
				FROM unnest(q.names, q.types) WITH ORDINALITY
					AS c (name, type, n))
			INTO resolve_source.query, resolve_source.columns
			FROM mlmeta_internal.qualify_query(source) AS q;
		EXCEPTION WHEN syntax_error OR feature_not_supported
				OR duplicate_column OR undefined_parameter THEN
			RAISE EXCEPTION 'source of % "%" is not one query', kind, name
				USING ERRCODE = 'invalid_parameter_value', DETAIL = SQLERRM,
					HINT = 'Give the name of a table, or one SELECT.';
		END;
	END IF;
	IF columns IS NULL THEN
		RAISE EXCEPTION 'source of % "%" has no columns', kind, name
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.resolve_source(text, text, text) IS
	'what a source, a table or one query, is to who acts: the table''s name, the query with every name qualified, the columns; errors name the object of that kind';

CREATE FUNCTION mlmeta_internal.snapshot_dataset(
	name text,
	source text,
	version text DEFAULT NULL,
	keys text[] DEFAULT NULL,
	copy_to text DEFAULT NULL
) RETURNS mlmeta.artifact
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	resolved record;
	copy_name text;
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.check_name('dataset', name);
	SELECT * INTO resolved
	FROM mlmeta_internal.resolve_source('dataset', name, source);
	IF copy_to IS NOT NULL THEN
		PERFORM mlmeta_internal.run_command(format('CREATE TABLE %s AS %s', (
				SELECT string_agg(quote_ident(p.part), '.' ORDER BY p.n)
				FROM unnest(parse_ident(copy_to))
					WITH ORDINALITY AS p (part, n)
			), resolved.query));
		copy_name := mlmeta_internal.qualified_name(
			mlmeta_internal.find_relation(parse_ident(copy_to)));
	END IF;
	RETURN mlmeta_internal.store_snapshot(name, version, source,
		resolved.relation_name, resolved.query, resolved.columns, keys,
		copy_name);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.snapshot_dataset(text, text, text, text[],
	text) IS
	'fingerprints the rows of a table or query and returns the artifact of that data version; keys: columns whose values are kept for each row; copy_to: table to create with a copy of the rows';

-- What row security says of snapshots, for functions that it does not hold for.
CREATE FUNCTION mlmeta_internal.sees_snapshot(taken mlmeta.dataset_snapshots)
RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN mlmeta_internal.all_open()
		OR coalesce(mlmeta_internal.acts_for(taken.owner_id), false)
		OR EXISTS (SELECT FROM mlmeta.run_artifacts AS a
			WHERE a.artifact OPERATOR(mlmeta.=) taken.artifact
				AND mlmeta_internal.permits_run('reader', a.run))
		OR EXISTS (SELECT FROM mlmeta.model_versions AS v
			WHERE v.training_data OPERATOR(mlmeta.=) taken.artifact
				AND mlmeta_internal.permits_model('reader', v.model_id));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.sees_snapshot(mlmeta.dataset_snapshots) IS
	'whether the caller may see a snapshot: he took it, or it belongs to a run or model version that he sees';

-- What a snapshot was taken by, and what stands in a table's way, may run
-- anything, so it runs only for its owner. Others may ask about a table that
-- they may read, if nobody's view or policy has a say in it.
CREATE FUNCTION mlmeta_internal.snapshot_state(
	taken mlmeta.dataset_snapshots,
	OUT state text,
	OUT reason text
) RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	of_table record;
	is_owner boolean := mlmeta_internal.acts_for(taken.owner_id);
	digest text;
BEGIN
	SELECT c.relkind IN ('r', 'p', 'm') AS is_table, c.relrowsecurity
	INTO of_table
	FROM pg_class AS c
	WHERE c.oid = to_regclass(taken.relation);
	IF taken.relation IS NOT NULL AND NOT FOUND THEN
		state := 'gone';
		RETURN;
	ELSIF is_owner THEN
		SELECT q.digest INTO digest
		FROM mlmeta_internal.run_query(taken.owner_id, 'pg_catalog', format(
			'SELECT mlmeta.fingerprint(d.*) FROM (%s
			) AS d', taken.query)) AS q (digest text);
	ELSIF of_table.is_table THEN
		SELECT q.digest INTO digest
		FROM mlmeta_internal.read_tables(format(
			'SELECT mlmeta.fingerprint(d.*) FROM %s AS d', taken.relation))
			AS q (digest text);
	ELSE
		state := 'foreign';
		RETURN;
	END IF;
	state := CASE WHEN coalesce(digest = taken.fingerprint, taken.row_count = 0)
			THEN 'same'
		-- Its owner may have seen other rows than who asks.
		WHEN of_table.relrowsecurity AND NOT is_owner THEN 'hidden'
		ELSE 'changed' END;
EXCEPTION
	WHEN undefined_table OR undefined_column OR invalid_schema_name THEN
		state := 'gone';
	WHEN insufficient_privilege THEN
		state := 'hidden';
		reason := SQLERRM;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.snapshot_state(mlmeta.dataset_snapshots) IS
	'what became of the rows of a snapshot: same, changed, gone; hidden or foreign when the caller cannot know';

CREATE FUNCTION mlmeta_internal.dataset_is_current(artifact mlmeta.artifact)
RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	taken mlmeta.dataset_snapshots;
	now_is record;
	states text[] := '{}';
	reason text;
BEGIN
	artifact := mlmeta_internal.find_artifact(artifact);
	-- The same rows may have been taken from several places, by several people.
	FOR taken IN
		SELECT s.*
		FROM mlmeta.dataset_snapshots AS s
		WHERE s.artifact OPERATOR(mlmeta.=) dataset_is_current.artifact
			AND mlmeta_internal.sees_snapshot(s)
		ORDER BY mlmeta_internal.acts_for(s.owner_id) DESC, s.taken_at DESC
	LOOP
		now_is := mlmeta_internal.snapshot_state(taken);
		IF now_is.state = 'same' THEN
			RETURN true;
		END IF;
		states := states || now_is.state;
		reason := coalesce(reason, now_is.reason);
	END LOOP;
	IF states = '{}' THEN
		RAISE EXCEPTION 'there is no snapshot of artifact "%"', artifact
			USING ERRCODE = 'undefined_object',
				HINT = 'Take one with snapshot_dataset().';
	ELSIF 'hidden' = ANY (states) THEN
		RAISE EXCEPTION '%', coalesce(reason,
				format('you may not read all rows of dataset "%s"', artifact))
			USING ERRCODE = 'insufficient_privilege',
				DETAIL = format('The dataset is "%s".', artifact),
				HINT = 'Ask who took the snapshot.';
	ELSIF states <@ '{foreign}' THEN
		RAISE EXCEPTION 'the query of dataset "%" belongs to role "%"', artifact,
				taken.owner
			USING ERRCODE = 'insufficient_privilege',
				HINT = 'Ask its owner, or take a snapshot of your own.';
	END IF;
	RETURN false;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.dataset_is_current(mlmeta.artifact) IS
	'whether a source of a dataset still holds exactly those rows: true as long as one of its snapshots that the caller may read does, false also when the table is gone; a query is run only for its owner; an error when rows may be hidden from the caller';

CREATE VIEW mlmeta.dataset_overview WITH (security_invoker = true) AS
SELECT s.artifact, mlmeta.name(s.artifact) AS dataset,
	mlmeta.version(s.artifact) AS version, s.row_count, s.fingerprint,
	s.taken_at, s.user_name, s.source, s.relation, s.columns, s.key_columns,
	s.copy_table, s.snapshot, (
		SELECT pg_catalog.count(DISTINCT a.run)
		FROM mlmeta.run_artifacts AS a
		WHERE a.artifact OPERATOR(mlmeta.=) s.artifact
			AND a.direction = 'used'
	) AS used_by
FROM mlmeta.dataset_snapshots AS s;

COMMENT ON VIEW mlmeta.dataset_overview IS
	'one row a snapshot of a dataset';
COMMENT ON COLUMN mlmeta.dataset_overview.artifact IS 'the artifact';
COMMENT ON COLUMN mlmeta.dataset_overview.dataset IS 'name of the dataset';
COMMENT ON COLUMN mlmeta.dataset_overview.version IS 'its version; NULL: none';
COMMENT ON COLUMN mlmeta.dataset_overview.row_count IS 'rows at that time';
COMMENT ON COLUMN mlmeta.dataset_overview.fingerprint IS 'hash of the rows, whatever their order';
COMMENT ON COLUMN mlmeta.dataset_overview.taken_at IS 'when it was taken';
COMMENT ON COLUMN mlmeta.dataset_overview.user_name IS 'the user, as the server knows it';
COMMENT ON COLUMN mlmeta.dataset_overview.source IS 'table or query that was read';
COMMENT ON COLUMN mlmeta.dataset_overview.relation IS 'the table, where the source is one';
COMMENT ON COLUMN mlmeta.dataset_overview.columns IS 'names and types of the columns, JSON';
COMMENT ON COLUMN mlmeta.dataset_overview.key_columns IS 'columns that tell rows apart';
COMMENT ON COLUMN mlmeta.dataset_overview.copy_table IS 'where the rows were copied to; NULL: nowhere';
COMMENT ON COLUMN mlmeta.dataset_overview.snapshot IS 'number of the snapshot';
COMMENT ON COLUMN mlmeta.dataset_overview.used_by IS
	'number of runs that used it';

CREATE FUNCTION mlmeta.models_that_saw(
	row_key text,
	dataset text DEFAULT NULL
) RETURNS TABLE (model text, dataset_version text, depth int)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- No body parsed at installation: pg_upgrade restores those before the
	-- operators that DISTINCT needs.
	RETURN QUERY
	SELECT t.node, s.artifact::text, min(t.depth)
	FROM (
			SELECT DISTINCT d.artifact
			FROM mlmeta.dataset_rows AS r
				JOIN mlmeta.dataset_snapshots AS d ON d.snapshot = r.snapshot
			WHERE r.row_key = models_that_saw.row_key
				AND (models_that_saw.dataset IS NULL
					OR mlmeta.name(d.artifact) = models_that_saw.dataset)
		) AS s
		CROSS JOIN LATERAL mlmeta.downstream(s.artifact) AS t
	WHERE NOT mlmeta_internal.is_run(t.node)
		AND mlmeta.kind(t.node::mlmeta.artifact) = 'model'
	GROUP BY t.node, s.artifact
	ORDER BY t.node, s.artifact;
END
$$;

COMMENT ON FUNCTION mlmeta.models_that_saw(text, text) IS
	'the models that were made, directly or not, from a data version that holds the row with that key';
