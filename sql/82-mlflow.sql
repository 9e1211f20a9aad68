-- MLflow's own tables, read where they are: attachments, and views over them.
--
-- An attachment is a row that names a schema. What MLflow wrote is read by
-- functions that look the schema up in the catalog each time, build a query for
-- what they find, and run it with the rights of who asks: MLflow's versions
-- differ in tables and columns, its server changes them while it is upgraded,
-- which no view may stand in the way of, and who may not read the schema sees
-- what he saw before. Only plain tables of built-in types are read: whatever
-- else could bear the names might run somebody's code as the reader.
--
-- The views of runs, ranks, models and lineage cover attached schemas only while
-- there are some: then they are made anew as a union, and nobody else pays for
-- it (see cover_attachments()).

CREATE TABLE mlmeta.mlflow_attachments (
	schema text PRIMARY KEY,
	attached_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	attached_by text NOT NULL DEFAULT mlmeta_internal.actor()
);

COMMENT ON TABLE mlmeta.mlflow_attachments IS
	'schemas in which MLflow keeps its tables and which the views cover, see attach_mlflow()';
COMMENT ON COLUMN mlmeta.mlflow_attachments.schema IS
	'name of the schema in this database';
COMMENT ON COLUMN mlmeta.mlflow_attachments.attached_at IS
	'when it was attached';
COMMENT ON COLUMN mlmeta.mlflow_attachments.attached_by IS
	'the user, as the server knows it';

-- What MLflow's schema looks like ------------------------------------------------

-- As far as it is read here. What every version since 1.29 has is required, what
-- came or went is not: a table that is not there has no rows, a column no values.
CREATE FUNCTION mlmeta_internal.mlflow_columns()
RETURNS TABLE (table_name text, column_name text, type text, required boolean,
	ordinal bigint)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 120
BEGIN ATOMIC
SELECT t.name, pg_catalog.split_part(c.definition, ' ', 1),
	pg_catalog.split_part(c.definition, ' ', 2),
	t.required AND pg_catalog.right(c.definition, 1) <> '?', c.ordinal
FROM (VALUES
	('experiments', true, 'experiment_id bigint,name text,lifecycle_stage text,artifact_location text ?,creation_time bigint ?,last_update_time bigint ?'),
	('experiment_tags', false, 'experiment_id bigint,key text,value text'),
	('runs', true, 'run_uuid text,experiment_id bigint,status text,lifecycle_stage text,start_time bigint,end_time bigint,user_id text,name text ?,deleted_time bigint ?,artifact_uri text ?,source_type text ?,source_name text ?,entry_point_name text ?,source_version text ?'),
	('params', true, 'run_uuid text,key text,value text'),
	('tags', true, 'run_uuid text,key text,value text'),
	('metrics', true, 'run_uuid text,key text,value float8,timestamp bigint,step bigint,is_nan boolean'),
	('latest_metrics', true, 'run_uuid text,key text,value float8,timestamp bigint,step bigint,is_nan boolean'),
	('datasets', false, 'dataset_uuid text,name text,digest text,dataset_source_type text,dataset_source text,dataset_schema text,dataset_profile text'),
	('inputs', false, 'input_uuid text,source_type text,source_id text,destination_type text,destination_id text,step bigint ?'),
	('input_tags', false, 'input_uuid text,name text,value text'),
	('registered_models', false, 'name text,creation_time bigint,last_updated_time bigint,description text'),
	('registered_model_tags', false, 'name text,key text,value text'),
	('registered_model_aliases', false, 'name text,alias text,version integer'),
	('model_versions', false, 'name text,version integer,creation_time bigint,last_updated_time bigint,description text,user_id text,current_stage text,source text,run_id text,status text'),
	('model_version_tags', false, 'name text,version integer,key text,value text'),
	('logged_models', false, 'model_id text,experiment_id bigint,name text,artifact_location text,creation_timestamp_ms bigint,last_updated_timestamp_ms bigint,status integer,lifecycle_stage text,model_type text,source_run_id text'),
	('logged_model_params', false, 'model_id text,param_key text,param_value text'),
	('logged_model_tags', false, 'model_id text,tag_key text,tag_value text'),
	('logged_model_metrics', false, 'model_id text,metric_name text,metric_timestamp_ms bigint,metric_step bigint,metric_value float8,run_id text,dataset_name text,dataset_digest text')
) AS t (name, required, definitions)
	CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.string_to_array(t.definitions, ','))
		WITH ORDINALITY AS c (definition, ordinal);
END;

COMMENT ON FUNCTION mlmeta_internal.mlflow_columns() IS
	'tables and columns of MLflow that are read, the types they are read as, and whether each version since 1.29 has them';

CREATE FUNCTION mlmeta_internal.mlflow_tables(
	schema text,
	role text,
	names text[] DEFAULT NULL
) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	namespace CONSTANT oid := to_regnamespace(quote_ident(schema));
BEGIN
	IF namespace IS NULL OR NOT has_schema_privilege(role, namespace, 'USAGE') THEN
		RETURN '{}';
	END IF;
	-- Without sorting and hashing whole catalogs for a few names.
	RETURN (
		SELECT coalesce(jsonb_object_agg(t.name, t.columns), '{}')
		FROM (
			SELECT n.name, (
					SELECT jsonb_agg(a.attname)
					FROM pg_attribute AS a
					WHERE a.attrelid = c.oid AND a.attnum > 0
						AND NOT a.attisdropped AND (
							SELECT y.typnamespace
							FROM pg_type AS y
							WHERE y.oid = a.atttypid
						) = 'pg_catalog'::regnamespace
				) AS columns
			FROM unnest(coalesce(names, (SELECT array_agg(DISTINCT m.table_name)
					FROM mlmeta_internal.mlflow_columns() AS m))) AS n (name)
				CROSS JOIN LATERAL (
					SELECT r.oid, r.relkind, r.relrowsecurity
					FROM pg_class AS r
					WHERE r.relnamespace = namespace AND r.relname = n.name::name
					LIMIT 1
				) AS c
			WHERE c.relkind IN ('r', 'p', 'f') AND NOT c.relrowsecurity
				AND has_table_privilege(role, c.oid, 'SELECT')
		) AS t
		WHERE t.columns IS NOT NULL
	);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.mlflow_tables(text, text, text[]) IS
	'the tables of MLflow in a schema that a role may read, all or some, and their columns: an object of arrays';

CREATE FUNCTION mlmeta_internal.mlflow_lacks(tables jsonb, names text[] DEFAULT NULL)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
	SELECT pg_catalog.string_agg(pg_catalog.concat_ws('.', m.table_name, m.column_name), ', '
		ORDER BY m.table_name, m.ordinal)
	FROM mlmeta_internal.mlflow_columns() AS m
	WHERE m.required AND NOT coalesce(tables -> m.table_name ? m.column_name, false)
		AND (names IS NULL OR m.table_name = ANY (names))
);

COMMENT ON FUNCTION mlmeta_internal.mlflow_lacks(jsonb, text[]) IS
	'what every schema of MLflow has in its tables, all or some, and this one has not; NULL when nothing is missing';

CREATE FUNCTION mlmeta_internal.mlflow_table(schema text, tables jsonb, name text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
	-- Where there are workspaces, names are one of a kind in each.
	SELECT pg_catalog.format('(SELECT %s%s)', pg_catalog.string_agg(CASE
			WHEN NOT coalesce(t.columns ? m.column_name, false)
				THEN pg_catalog.format('NULL::%s AS %I', m.type, m.column_name)
			WHEN m.column_name = 'name' AND t.columns ? 'workspace'
				THEN 'concat_ws(''/'', nullif(nullif(workspace, ''''), ''default''), name) AS name'
			ELSE pg_catalog.format('%I::%s', m.column_name, m.type)
		END, ', ' ORDER BY m.ordinal),
		CASE WHEN t.columns IS NULL THEN ' WHERE false'
			ELSE pg_catalog.format(' FROM %I.%I', mlflow_table.schema, mlflow_table.name) END)
	FROM mlmeta_internal.mlflow_columns() AS m
		CROSS JOIN (SELECT tables -> mlflow_table.name AS columns) AS t
	WHERE m.table_name = mlflow_table.name
	GROUP BY t.columns
);

COMMENT ON FUNCTION mlmeta_internal.mlflow_table(text, jsonb, text) IS
	'a subquery that reads a table of MLflow with the columns and types that are expected, whatever the version has';

-- Values -----------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.mlflow_run(run_uuid text) RETURNS mlmeta.run
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN run_uuid COLLATE "C" ~ '^[0-9a-f]{32}$' THEN run_uuid::mlmeta.run
	ELSE pg_catalog.md5('mlflow:' || run_uuid)::mlmeta.run END;

COMMENT ON FUNCTION mlmeta_internal.mlflow_run(text) IS
	'the run that MLflow calls so: its 32 hexadecimal digits, of other ids the digest';

CREATE FUNCTION mlmeta_internal.mlflow_time(milliseconds bigint) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.to_timestamp(greatest(least(milliseconds, 253402300799999),
	-62135596800000) / 1000::float8);

COMMENT ON FUNCTION mlmeta_internal.mlflow_time(bigint) IS
	'a time of MLflow, milliseconds since 1970; what lies outside of the years 1 to 9999 is their end';

CREATE FUNCTION mlmeta_internal.mlflow_value(value float8, is_nan boolean) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN is_nan OR value IS NULL THEN 'NaN'
	WHEN value >= 1.7976931348623157e308 THEN 'Infinity'
	WHEN value <= -1.7976931348623157e308 THEN '-Infinity'
	ELSE value END;

COMMENT ON FUNCTION mlmeta_internal.mlflow_value(float8, boolean) IS
	'a value as it was logged: MLflow writes NaN as a mark beside 0, infinities as the greatest numbers there are';

CREATE FUNCTION mlmeta_internal.mlflow_stage(stage text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN stage = 'Deleted_Internal' THEN NULL
	ELSE coalesce(pg_catalog.lower(nullif(stage, '')), 'none') END;

COMMENT ON FUNCTION mlmeta_internal.mlflow_stage(text) IS
	'a stage of MLflow as it is called here; NULL of a version that was deleted';

CREATE FUNCTION mlmeta_internal.mlflow_status(status text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(pg_catalog.lower(nullif(status, '')), 'running');

COMMENT ON FUNCTION mlmeta_internal.mlflow_status(text) IS
	'a status of MLflow as it is called here';

-- Queries, one for each kind of rows -----------------------------------------------

-- All have the same parameters: $1 an experiment, $2 ids of runs, $3 the key of a
-- metric, $4 whether its higher values are better, $5 a time in milliseconds. What
-- is NULL restricts nothing.

CREATE FUNCTION mlmeta_internal.mlflow_names(query text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
	SELECT pg_catalog.array_agg(DISTINCT m.part[1])
	FROM pg_catalog.regexp_matches(query, '\{([a-z_]+)\}', 'g') AS m (part)
	WHERE m.part[1] <> 'schema'
);

COMMENT ON FUNCTION mlmeta_internal.mlflow_names(text) IS
	'the tables of MLflow that a query names in braces';

CREATE FUNCTION mlmeta_internal.mlflow_fill(
	query text,
	names text[],
	schema text,
	tables jsonb
) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result text := replace(query, '{schema}', quote_literal(schema));
	used text;
BEGIN
	FOREACH used IN ARRAY names LOOP
		result := replace(result, '{' || used || '}',
			mlmeta_internal.mlflow_table(schema, tables, used));
	END LOOP;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.mlflow_fill(text, text[], text, jsonb) IS
	'a query with tables of MLflow named in braces, with what a schema has for them';

CREATE FUNCTION mlmeta_internal.mlflow_run_query(kind text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE kind
	WHEN 'experiments' THEN $q$
		SELECT {schema}, e.experiment_id, e.name, e.artifact_location,
			mlmeta_internal.mlflow_time(e.creation_time),
			e.lifecycle_stage = 'deleted', (
				SELECT coalesce(jsonb_object_agg(t.key, t.value), '{}')
				FROM {experiment_tags} AS t
				WHERE t.experiment_id = e.experiment_id)
		FROM {experiments} AS e $q$
	WHEN 'runs' THEN $q$
		SELECT {schema}, mlmeta_internal.mlflow_run(r.run_uuid), r.run_uuid,
			r.experiment_id, e.name, coalesce(nullif(r.name, ''),
				g.tags ->> 'mlflow.runName'),
			mlmeta_internal.mlflow_run(g.tags ->> 'mlflow.parentRunId'),
			mlmeta_internal.mlflow_status(r.status),
			coalesce(nullif(r.user_id, ''), g.tags ->> 'mlflow.user'),
			mlmeta_internal.mlflow_time(r.start_time),
			mlmeta_internal.mlflow_time(nullif(r.end_time, 0)),
			CASE WHEN r.lifecycle_stage = 'deleted'
					OR e.lifecycle_stage = 'deleted'
				THEN mlmeta_internal.mlflow_time(coalesce(r.deleted_time,
					r.end_time, r.start_time, 0)) END,
			coalesce(nullif(r.source_name, ''), g.tags ->> 'mlflow.source.name'),
			coalesce(nullif(r.source_type, ''), g.tags ->> 'mlflow.source.type'),
			coalesce(nullif(r.source_version, ''),
				g.tags ->> 'mlflow.source.git.commit'),
			coalesce(g.tags ->> 'mlflow.source.git.repoURL',
				g.tags ->> 'mlflow.gitRepoURL'),
			coalesce(g.tags ->> 'mlflow.source.git.branch',
				g.tags ->> 'mlflow.gitBranch'),
			coalesce(nullif(r.entry_point_name, ''),
				g.tags ->> 'mlflow.project.entryPoint'),
			r.artifact_uri, (
				SELECT coalesce(jsonb_object_agg(p.key, p.value), '{}')
				FROM {params} AS p
				WHERE p.run_uuid = r.run_uuid), (
				SELECT coalesce(jsonb_object_agg(l.key, to_jsonb(
					mlmeta_internal.mlflow_value(l.value, l.is_nan))), '{}')
				FROM {latest_metrics} AS l
				WHERE l.run_uuid = r.run_uuid), g.tags
		FROM {runs} AS r
			JOIN {experiments} AS e ON e.experiment_id = r.experiment_id
			CROSS JOIN LATERAL (
				SELECT coalesce(jsonb_object_agg(t.key, coalesce(t.value, '')),
					'{}') AS tags
				FROM {tags} AS t
				WHERE t.run_uuid = r.run_uuid) AS g
		WHERE ($1 IS NULL OR r.experiment_id = $1)
			AND ($2 IS NULL OR r.run_uuid = ANY ($2)) $q$
END;

COMMENT ON FUNCTION mlmeta_internal.mlflow_run_query(text) IS
	'queries for experiments and runs of MLflow';

CREATE FUNCTION mlmeta_internal.mlflow_point_query(kind text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE kind
	WHEN 'points' THEN $q$
		SELECT {schema}, mlmeta_internal.mlflow_run(m.run_uuid), m.key, m.step,
			mlmeta_internal.mlflow_time(m.timestamp),
			mlmeta_internal.mlflow_value(m.value, m.is_nan)
		FROM {metrics} AS m
		WHERE $2 IS NULL OR m.run_uuid = ANY ($2) $q$
	WHEN 'series' THEN $q$
		SELECT o.run_uuid, o.key, array_agg(o.step),
			array_agg(mlmeta_internal.mlflow_time(o.timestamp)),
			array_agg(mlmeta_internal.mlflow_value(o.value, o.is_nan) + 0)
		FROM (
			SELECT m.*
			FROM {metrics} AS m
			WHERE m.run_uuid = ANY ($2)
			ORDER BY m.run_uuid, m.key, m.step, m.timestamp, m.is_nan DESC, m.value
		) AS o
		GROUP BY o.run_uuid, o.key $q$
	WHEN 'summaries' THEN $q$
		SELECT o.run_uuid, o.key, count(*), count(*) FILTER (WHERE o.value = 'NaN'),
			min(o.value) FILTER (WHERE o.value <> 'NaN'),
			max(o.value) FILTER (WHERE o.value <> 'NaN'),
			(array_agg(o.step))[count(*)],
			mlmeta_internal.mlflow_time((array_agg(o.timestamp))[count(*)]),
			(array_agg(o.value))[count(*)]
		FROM (
			SELECT m.run_uuid, m.key, m.step, m.timestamp,
				mlmeta_internal.mlflow_value(m.value, m.is_nan) + 0 AS value
			FROM {metrics} AS m
			WHERE m.run_uuid = ANY ($2)
			ORDER BY m.run_uuid, m.key, m.step, m.timestamp, m.is_nan DESC, m.value
		) AS o
		GROUP BY o.run_uuid, o.key $q$
	WHEN 'ids' THEN $q$
		SELECT r.run_uuid
		FROM {runs} AS r
		WHERE $5 IS NULL OR r.end_time IS NULL OR $5 <= greatest(r.start_time,
			r.end_time, r.deleted_time)
		ORDER BY r.run_uuid $q$
	-- Ids that are no 32 digits have no index to be found by.
	WHEN 'run_ids' THEN $q$
		SELECT {schema}, r.run_uuid
		FROM {runs} AS r
		WHERE r.run_uuid = ANY ($2)
		UNION ALL
		SELECT {schema}, r.run_uuid
		FROM {runs} AS r
		WHERE r.run_uuid COLLATE "C" !~ '^[0-9a-f]{32}$'
			AND md5('mlflow:' || r.run_uuid) = ANY ($2) $q$
END;

COMMENT ON FUNCTION mlmeta_internal.mlflow_point_query(text) IS
	'queries for points of metrics of MLflow, one a row or as arrays, and for ids of runs';

CREATE FUNCTION mlmeta_internal.mlflow_rank_query(kind text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE kind
	WHEN 'keys' THEN $q$
		WITH RECURSIVE k AS (
			SELECT (SELECT l.key FROM {latest_metrics} AS l
				ORDER BY l.key LIMIT 1) AS key
			UNION ALL
			SELECT (SELECT l.key FROM {latest_metrics} AS l
				WHERE l.key > k.key ORDER BY l.key LIMIT 1)
			FROM k
			WHERE k.key IS NOT NULL
		)
		SELECT k.key FROM k WHERE k.key IS NOT NULL $q$
	WHEN 'ranks' THEN $q$
		SELECT mlmeta_internal.mlflow_run(s.run_uuid), coalesce(nullif(s.name, ''), (
				SELECT t.value
				FROM {tags} AS t
				WHERE t.run_uuid = s.run_uuid AND t.key = 'mlflow.runName')),
			s.best, s.last, rank() OVER (
				ORDER BY CASE WHEN $4 THEN s.best ELSE - s.best END DESC),
			nullif(s.user_id, ''), mlmeta_internal.mlflow_status(s.status),
			mlmeta_internal.mlflow_time(s.start_time),
			mlmeta_internal.mlflow_time(nullif(s.end_time, 0))
		FROM (
			SELECT r.*, mlmeta_internal.mlflow_value(b.best, false) AS best,
				mlmeta_internal.mlflow_value(l.value, l.is_nan) AS last
			FROM {runs} AS r
				JOIN (
					-- Run by run where the experiment has few of the runs.
					SELECT f.run_uuid, v.best
					FROM {runs} AS f
						CROSS JOIN LATERAL (
							SELECT CASE WHEN $4 THEN max(m.value)
								ELSE min(m.value) END AS best
							FROM {metrics} AS m
							WHERE m.run_uuid = f.run_uuid AND m.key = $3
								AND NOT m.is_nan
						) AS v
					WHERE f.experiment_id = $1 AND (
						SELECT count(*) FILTER (WHERE c.experiment_id = $1) * 4
							< count(*)
						FROM {runs} AS c)
					UNION ALL
					SELECT m.run_uuid, CASE WHEN $4 THEN max(m.value)
						ELSE min(m.value) END
					FROM {metrics} AS m
					WHERE m.key = $3 AND NOT m.is_nan AND (
						SELECT count(*) FILTER (WHERE c.experiment_id = $1) * 4
							>= count(*)
						FROM {runs} AS c)
					GROUP BY m.run_uuid
				) AS b ON b.run_uuid = r.run_uuid
				JOIN {latest_metrics} AS l ON l.key = $3
					AND l.run_uuid = r.run_uuid
			WHERE r.experiment_id = $1 AND r.lifecycle_stage <> 'deleted'
				AND b.best IS NOT NULL
		) AS s $q$
END;

COMMENT ON FUNCTION mlmeta_internal.mlflow_rank_query(text) IS
	'queries for keys of metrics of MLflow and for ranks of runs by one';

CREATE FUNCTION mlmeta_internal.mlflow_edge_query(kind text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE kind
	WHEN 'edges' THEN $q$
		SELECT {schema}, mlmeta_internal.mlflow_run(i.destination_id),
			mlmeta.artifact('dataset', d.name, d.digest), 'used', coalesce((
				SELECT t.value
				FROM {input_tags} AS t
				WHERE t.input_uuid = i.input_uuid
					AND t.name = 'mlflow.data.context'), ''),
			NULL::text, mlmeta_internal.mlflow_time(r.start_time)
		FROM {inputs} AS i
			JOIN {datasets} AS d ON d.dataset_uuid = i.source_id
			JOIN {runs} AS r ON r.run_uuid = i.destination_id
		WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN'
			AND ($2 IS NULL OR i.destination_id = ANY ($2))
		UNION ALL
		SELECT {schema}, mlmeta_internal.mlflow_run(i.source_id),
			mlmeta.artifact('model', l.name, l.model_id), 'used', '', NULL,
			mlmeta_internal.mlflow_time(r.start_time)
		FROM {inputs} AS i
			JOIN {logged_models} AS l ON l.model_id = i.destination_id
			JOIN {runs} AS r ON r.run_uuid = i.source_id
		WHERE i.source_type = 'RUN_INPUT' AND i.destination_type = 'MODEL_INPUT'
			AND ($2 IS NULL OR i.source_id = ANY ($2))
			-- What a run evaluates after making it did not go into it.
			AND l.source_run_id IS DISTINCT FROM i.source_id
		UNION ALL
		SELECT {schema}, mlmeta_internal.mlflow_run(i.source_id),
			mlmeta.artifact('model', l.name, l.model_id), 'produced', '',
			l.artifact_location,
			mlmeta_internal.mlflow_time(l.creation_timestamp_ms)
		FROM {inputs} AS i
			JOIN {logged_models} AS l ON l.model_id = i.destination_id
		WHERE i.source_type = 'RUN_OUTPUT' AND i.destination_type = 'MODEL_OUTPUT'
			AND ($2 IS NULL OR i.source_id = ANY ($2)) $q$
	WHEN 'datasets' THEN $q$
		SELECT DISTINCT ON (d.name, d.digest) {schema},
			mlmeta.artifact('dataset', d.name, d.digest), d.name, d.digest,
			d.dataset_source_type, d.dataset_source, d.dataset_schema,
			d.dataset_profile
		FROM {datasets} AS d
		ORDER BY d.name, d.digest, d.dataset_uuid $q$
	WHEN 'logged_models' THEN $q$
		SELECT {schema}, l.model_id, l.name, l.experiment_id,
			mlmeta_internal.mlflow_run(l.source_run_id),
			CASE l.status WHEN 2 THEN 'ready' WHEN 3 THEN 'failed' ELSE 'pending' END,
			l.model_type, l.artifact_location,
			mlmeta_internal.mlflow_time(l.creation_timestamp_ms),
			l.lifecycle_stage = 'deleted', (
				SELECT coalesce(jsonb_object_agg(p.param_key, p.param_value), '{}')
				FROM {logged_model_params} AS p
				WHERE p.model_id = l.model_id), (
				SELECT coalesce(jsonb_object_agg(t.tag_key, coalesce(t.tag_value, '')), '{}')
				FROM {logged_model_tags} AS t
				WHERE t.model_id = l.model_id)
		FROM {logged_models} AS l $q$
END;

COMMENT ON FUNCTION mlmeta_internal.mlflow_edge_query(text) IS
	'queries for what runs of MLflow used and produced';

CREATE FUNCTION mlmeta_internal.mlflow_model_query(kind text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE kind
	WHEN 'models' THEN $q$
		SELECT {schema}, m.name, m.description,
			mlmeta_internal.mlflow_time(m.creation_time),
			mlmeta_internal.mlflow_time(m.last_updated_time), (
				SELECT coalesce(jsonb_object_agg(t.key, coalesce(t.value, '')), '{}')
				FROM {registered_model_tags} AS t
				WHERE t.name = m.name), (
				SELECT jsonb_object_agg(a.alias, a.version)
				FROM {registered_model_aliases} AS a
				WHERE a.name = m.name)
		FROM {registered_models} AS m $q$
	WHEN 'versions' THEN $q$
		SELECT {schema}, v.name, v.version, mlmeta_internal.mlflow_stage(v.current_stage),
			CASE WHEN v.run_id COLLATE "C" !~ '^REDACTED'
				THEN mlmeta_internal.mlflow_run(nullif(v.run_id, '')) END,
			v.source, v.description, nullif(v.user_id, ''),
			mlmeta_internal.mlflow_time(v.creation_time), (
				SELECT coalesce(jsonb_object_agg(t.key, coalesce(t.value, '')), '{}')
				FROM {model_version_tags} AS t
				WHERE t.name = v.name AND t.version = v.version),
			v.current_stage = 'Deleted_Internal'
		FROM {model_versions} AS v $q$
	WHEN 'aliases' THEN $q$
		SELECT {schema}, a.name, a.alias, a.version
		FROM {registered_model_aliases} AS a $q$
END;

COMMENT ON FUNCTION mlmeta_internal.mlflow_model_query(text) IS
	'queries for the registry of MLflow';

CREATE FUNCTION mlmeta_internal.mlflow_query(kind text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(mlmeta_internal.mlflow_run_query(kind),
	mlmeta_internal.mlflow_point_query(kind), mlmeta_internal.mlflow_rank_query(kind),
	mlmeta_internal.mlflow_edge_query(kind),
	mlmeta_internal.mlflow_model_query(kind));

COMMENT ON FUNCTION mlmeta_internal.mlflow_query(text) IS
	'the query for one kind of rows of MLflow, with its tables named in braces';

CREATE FUNCTION mlmeta_internal.mlflow_ready(kind text, of_schema text DEFAULT NULL)
RETURNS TABLE (schema text, query text)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	template CONSTANT text := mlmeta_internal.mlflow_query(kind);
	names CONSTANT text[] := mlmeta_internal.mlflow_names(template);
	tables jsonb;
BEGIN
	-- Behind the door, where the rights are another's, nothing foreign is read.
	IF mlmeta_internal.caller() <> current_user THEN
		RETURN;
	END IF;
	FOR schema IN
		SELECT a.schema
		FROM mlmeta.mlflow_attachments AS a
		WHERE of_schema IS NULL OR a.schema = of_schema
		ORDER BY a.schema
	LOOP
		tables := mlmeta_internal.mlflow_tables(schema, current_user, names);
		IF mlmeta_internal.mlflow_lacks(tables, names) IS NULL THEN
			query := mlmeta_internal.mlflow_fill(template, names, schema, tables);
			RETURN NEXT;
		END IF;
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.mlflow_ready(text, text) IS
	'the attached schemas, all or one, that the reader may read, and the query for one kind of rows in each';

-- Rows -------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.mlflow_rows(
	kind text,
	experiment bigint DEFAULT NULL,
	runs text[] DEFAULT NULL,
	key text DEFAULT NULL,
	higher boolean DEFAULT NULL,
	of_schema text DEFAULT NULL
) RETURNS SETOF record
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	source text;
BEGIN
	FOR source IN
		SELECT r.query
		FROM mlmeta_internal.mlflow_ready(kind, of_schema) AS r
	LOOP
		RETURN QUERY EXECUTE source
			USING experiment, runs, key, higher, NULL::bigint;
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.mlflow_rows(text, bigint, text[], text, boolean, text) IS
	'rows of one kind out of attached schemas, all or one; the column list of the call says what they are';

CREATE VIEW mlmeta.mlflow_experiments WITH (security_invoker = true) AS
SELECT e.schema, e.experiment_id, e.experiment, e.artifact_uri, e.created_at,
	e.is_deleted, e.tags
FROM mlmeta_internal.mlflow_rows('experiments') AS e (schema text,
	experiment_id bigint, experiment text, artifact_uri text,
	created_at timestamptz, is_deleted boolean, tags jsonb);

CREATE VIEW mlmeta.mlflow_runs WITH (security_invoker = true) AS
SELECT r.schema, r.run, r.run_uuid, r.experiment_id, r.experiment, r.name,
	r.parent, r.status, r.user_name, r.started_at, r.finished_at, r.deleted_at,
	r.source_name, r.source_type, r.git_commit, r.repository, r.branch,
	r.entry_point, r.artifact_uri, r.params, r.metrics, r.tags
FROM mlmeta_internal.mlflow_rows('runs') AS r (schema text, run mlmeta.run,
	run_uuid text, experiment_id bigint, experiment text, name text,
	parent mlmeta.run, status text, user_name text, started_at timestamptz,
	finished_at timestamptz, deleted_at timestamptz, source_name text,
	source_type text, git_commit text, repository text, branch text,
	entry_point text, artifact_uri text, params jsonb, metrics jsonb, tags jsonb);

CREATE VIEW mlmeta.mlflow_points WITH (security_invoker = true) AS
SELECT p.schema, p.run, p.key, p.step, p.at, p.value
FROM mlmeta_internal.mlflow_rows('points') AS p (schema text, run mlmeta.run,
	key text, step bigint, at timestamptz, value float8);

CREATE VIEW mlmeta.mlflow_edges WITH (security_invoker = true) AS
SELECT e.schema, e.run, e.artifact, e.direction, e.role, e.uri AS location, e.logged_at
FROM mlmeta_internal.mlflow_rows('edges') AS e (schema text, run mlmeta.run,
	artifact mlmeta.artifact, direction text, role text, uri text,
	logged_at timestamptz);

CREATE VIEW mlmeta.mlflow_datasets WITH (security_invoker = true) AS
SELECT d.schema, d.artifact, d.name, d.digest, d.source_type, d.source,
	d.columns, d.profile
FROM mlmeta_internal.mlflow_rows('datasets') AS d (schema text,
	artifact mlmeta.artifact, name text, digest text, source_type text,
	source text, columns text, profile text);

CREATE VIEW mlmeta.mlflow_models WITH (security_invoker = true) AS
SELECT m.schema, m.model, m.description, m.created_at, m.changed_at, m.tags,
	m.aliases
FROM mlmeta_internal.mlflow_rows('models') AS m (schema text, model text,
	description text, created_at timestamptz, changed_at timestamptz, tags jsonb,
	aliases jsonb);

CREATE VIEW mlmeta.mlflow_versions WITH (security_invoker = true) AS
SELECT v.schema, v.model, v.version, v.stage, v.run, v.uri AS location, v.description,
	v.user_name, v.created_at, v.tags, v.is_deleted
FROM mlmeta_internal.mlflow_rows('versions') AS v (schema text, model text,
	version int, stage text, run mlmeta.run, uri text, description text,
	user_name text, created_at timestamptz, tags jsonb, is_deleted boolean);

CREATE VIEW mlmeta.mlflow_logged_models WITH (security_invoker = true) AS
SELECT l.schema, l.id, l.name, l.experiment_id, l.run, l.status, l.model_type,
	l.uri AS location, l.created_at, l.is_deleted, l.params, l.tags
FROM mlmeta_internal.mlflow_rows('logged_models') AS l (schema text, id text,
	name text, experiment_id bigint, run mlmeta.run, status text, model_type text,
	uri text, created_at timestamptz, is_deleted boolean, params jsonb,
	tags jsonb);

COMMENT ON VIEW mlmeta.mlflow_experiments IS
	'experiments of attached schemas, as MLflow has them';
COMMENT ON COLUMN mlmeta.mlflow_experiments.schema IS
	'the attached schema';
COMMENT ON COLUMN mlmeta.mlflow_experiments.experiment_id IS
	'number that MLflow gave it';
COMMENT ON COLUMN mlmeta.mlflow_experiments.experiment IS
	'its name';
COMMENT ON COLUMN mlmeta.mlflow_experiments.artifact_uri IS
	'where the files of its runs lie';
COMMENT ON COLUMN mlmeta.mlflow_experiments.created_at IS
	'when MLflow made it';
COMMENT ON COLUMN mlmeta.mlflow_experiments.is_deleted IS
	'whether it is in MLflow''s trash';
COMMENT ON COLUMN mlmeta.mlflow_experiments.tags IS
	'tags, a JSON object';

COMMENT ON VIEW mlmeta.mlflow_runs IS
	'runs of attached schemas, deleted ones too, as MLflow has them; ask by experiment or look at run_overview, which covers them';
COMMENT ON COLUMN mlmeta.mlflow_runs.schema IS
	'the attached schema';
COMMENT ON COLUMN mlmeta.mlflow_runs.run IS
	'the run, MLflow''s id as a number';
COMMENT ON COLUMN mlmeta.mlflow_runs.run_uuid IS
	'the id as MLflow writes it';
COMMENT ON COLUMN mlmeta.mlflow_runs.experiment_id IS
	'number that MLflow gave its experiment';
COMMENT ON COLUMN mlmeta.mlflow_runs.experiment IS
	'name of its experiment';
COMMENT ON COLUMN mlmeta.mlflow_runs.name IS
	'its name';
COMMENT ON COLUMN mlmeta.mlflow_runs.parent IS
	'the run that this one is a part of, from the tag mlflow.parentRunId';
COMMENT ON COLUMN mlmeta.mlflow_runs.status IS
	'scheduled, running, finished, failed or killed';
COMMENT ON COLUMN mlmeta.mlflow_runs.user_name IS
	'the user, as the client said';
COMMENT ON COLUMN mlmeta.mlflow_runs.started_at IS
	'when it began, as the client said';
COMMENT ON COLUMN mlmeta.mlflow_runs.finished_at IS
	'when it ended, as the client said';
COMMENT ON COLUMN mlmeta.mlflow_runs.deleted_at IS
	'when it, or its experiment, went into the trash; NULL: it is there';
COMMENT ON COLUMN mlmeta.mlflow_runs.source_name IS
	'program or notebook';
COMMENT ON COLUMN mlmeta.mlflow_runs.source_type IS
	'kind of source';
COMMENT ON COLUMN mlmeta.mlflow_runs.git_commit IS
	'commit of the source';
COMMENT ON COLUMN mlmeta.mlflow_runs.repository IS
	'where the source comes from';
COMMENT ON COLUMN mlmeta.mlflow_runs.branch IS
	'branch of the source';
COMMENT ON COLUMN mlmeta.mlflow_runs.entry_point IS
	'entry point of the project';
COMMENT ON COLUMN mlmeta.mlflow_runs.artifact_uri IS
	'where its files lie';
COMMENT ON COLUMN mlmeta.mlflow_runs.params IS
	'parameters, a JSON object of strings';
COMMENT ON COLUMN mlmeta.mlflow_runs.metrics IS
	'latest value of each metric, a JSON object';
COMMENT ON COLUMN mlmeta.mlflow_runs.tags IS
	'tags, a JSON object';

COMMENT ON VIEW mlmeta.mlflow_points IS
	'every point of every metric of attached schemas, NaN and infinities as they were logged';
COMMENT ON COLUMN mlmeta.mlflow_points.schema IS
	'the attached schema';
COMMENT ON COLUMN mlmeta.mlflow_points.run IS
	'the run';
COMMENT ON COLUMN mlmeta.mlflow_points.key IS
	'the metric';
COMMENT ON COLUMN mlmeta.mlflow_points.step IS
	'the step';
COMMENT ON COLUMN mlmeta.mlflow_points.at IS
	'when the client says the value was taken';
COMMENT ON COLUMN mlmeta.mlflow_points.value IS
	'the value';

COMMENT ON VIEW mlmeta.mlflow_edges IS
	'what runs of attached schemas used and produced: dataset inputs, logged models';
COMMENT ON COLUMN mlmeta.mlflow_edges.schema IS
	'the attached schema';
COMMENT ON COLUMN mlmeta.mlflow_edges.run IS
	'the run';
COMMENT ON COLUMN mlmeta.mlflow_edges.artifact IS
	'dataset:NAME:DIGEST, or model:NAME:ID of a logged model';
COMMENT ON COLUMN mlmeta.mlflow_edges.direction IS
	'used or produced';
COMMENT ON COLUMN mlmeta.mlflow_edges.role IS
	'context of a dataset, such as training; empty when not said';
COMMENT ON COLUMN mlmeta.mlflow_edges.location IS
	'where a logged model lies';
COMMENT ON COLUMN mlmeta.mlflow_edges.logged_at IS
	'when the run began, or made the model';

COMMENT ON VIEW mlmeta.mlflow_datasets IS
	'datasets of attached schemas, one row a name and digest';
COMMENT ON COLUMN mlmeta.mlflow_datasets.schema IS
	'the attached schema';
COMMENT ON COLUMN mlmeta.mlflow_datasets.artifact IS
	'dataset:NAME:DIGEST';
COMMENT ON COLUMN mlmeta.mlflow_datasets.name IS
	'its name';
COMMENT ON COLUMN mlmeta.mlflow_datasets.digest IS
	'MLflow''s digest';
COMMENT ON COLUMN mlmeta.mlflow_datasets.source_type IS
	'kind of source';
COMMENT ON COLUMN mlmeta.mlflow_datasets.source IS
	'where it comes from, JSON';
COMMENT ON COLUMN mlmeta.mlflow_datasets.columns IS
	'its columns, JSON, as MLflow wrote them';
COMMENT ON COLUMN mlmeta.mlflow_datasets.profile IS
	'counts of rows and the like, JSON, as MLflow wrote them';

COMMENT ON VIEW mlmeta.mlflow_models IS
	'registered models of attached schemas';
COMMENT ON COLUMN mlmeta.mlflow_models.schema IS
	'the attached schema';
COMMENT ON COLUMN mlmeta.mlflow_models.model IS
	'its name';
COMMENT ON COLUMN mlmeta.mlflow_models.description IS
	'its description';
COMMENT ON COLUMN mlmeta.mlflow_models.created_at IS
	'when it was registered';
COMMENT ON COLUMN mlmeta.mlflow_models.changed_at IS
	'when it was changed last';
COMMENT ON COLUMN mlmeta.mlflow_models.tags IS
	'tags, a JSON object';
COMMENT ON COLUMN mlmeta.mlflow_models.aliases IS
	'version by alias, a JSON object';

COMMENT ON VIEW mlmeta.mlflow_versions IS
	'versions of registered models of attached schemas, deleted ones too';
COMMENT ON COLUMN mlmeta.mlflow_versions.schema IS
	'the attached schema';
COMMENT ON COLUMN mlmeta.mlflow_versions.model IS
	'name of the model';
COMMENT ON COLUMN mlmeta.mlflow_versions.version IS
	'its number';
COMMENT ON COLUMN mlmeta.mlflow_versions.stage IS
	'none, staging, production or archived; NULL of a deleted one';
COMMENT ON COLUMN mlmeta.mlflow_versions.run IS
	'the run that it came from; NULL: not said, or redacted';
COMMENT ON COLUMN mlmeta.mlflow_versions.location IS
	'where it lies';
COMMENT ON COLUMN mlmeta.mlflow_versions.description IS
	'its description';
COMMENT ON COLUMN mlmeta.mlflow_versions.user_name IS
	'who registered it, as the client said';
COMMENT ON COLUMN mlmeta.mlflow_versions.created_at IS
	'when it was registered';
COMMENT ON COLUMN mlmeta.mlflow_versions.tags IS
	'tags, a JSON object';
COMMENT ON COLUMN mlmeta.mlflow_versions.is_deleted IS
	'whether MLflow deleted it';

COMMENT ON VIEW mlmeta.mlflow_logged_models IS
	'logged models of attached schemas (MLflow 3)';
COMMENT ON COLUMN mlmeta.mlflow_logged_models.schema IS
	'the attached schema';
COMMENT ON COLUMN mlmeta.mlflow_logged_models.id IS
	'm- and 32 hexadecimal digits';
COMMENT ON COLUMN mlmeta.mlflow_logged_models.name IS
	'its name';
COMMENT ON COLUMN mlmeta.mlflow_logged_models.experiment_id IS
	'number that MLflow gave its experiment';
COMMENT ON COLUMN mlmeta.mlflow_logged_models.run IS
	'the run that logged it';
COMMENT ON COLUMN mlmeta.mlflow_logged_models.status IS
	'pending, ready or failed';
COMMENT ON COLUMN mlmeta.mlflow_logged_models.model_type IS
	'kind of model';
COMMENT ON COLUMN mlmeta.mlflow_logged_models.location IS
	'where it lies';
COMMENT ON COLUMN mlmeta.mlflow_logged_models.created_at IS
	'when it was logged';
COMMENT ON COLUMN mlmeta.mlflow_logged_models.is_deleted IS
	'whether it is in the trash';
COMMENT ON COLUMN mlmeta.mlflow_logged_models.params IS
	'parameters, a JSON object';
COMMENT ON COLUMN mlmeta.mlflow_logged_models.tags IS
	'tags, a JSON object';

-- What the views cover -------------------------------------------------------------

-- One view each for the views that cover attached schemas, with columns of the
-- same names. Runs that were imported are ours, and not shown twice. Conditions
-- on experiment and metric are met before anything of the others is read.

CREATE VIEW mlmeta_internal.attached_run_overview WITH (security_invoker = true) AS
SELECT r.run, r.experiment, r.name, r.status, r.started_at, r.finished_at,
	coalesce(r.finished_at, greatest(pg_catalog.statement_timestamp(),
		r.started_at)) - r.started_at AS duration,
	r.user_name, r.params, r.metrics, r.tags, d.data_versions, d.produced,
	r.schema AS project, r.parent, r.repository, r.git_commit, r.branch,
	r.entry_point, r.artifact_uri, false AS has_patch
FROM mlmeta.mlflow_experiments AS e
	CROSS JOIN LATERAL mlmeta_internal.mlflow_rows('runs', e.experiment_id,
		of_schema => e.schema) AS r (schema text, run mlmeta.run,
		run_uuid text, experiment_id bigint, experiment text, name text,
		parent mlmeta.run, status text, user_name text, started_at timestamptz,
		finished_at timestamptz, deleted_at timestamptz, source_name text,
		source_type text, git_commit text, repository text, branch text,
		entry_point text, artifact_uri text, params jsonb, metrics jsonb,
		tags jsonb)
	LEFT JOIN (
		SELECT a.run, pg_catalog.array_agg(DISTINCT a.artifact::text)
				FILTER (WHERE a.direction = 'used'
					AND mlmeta.kind(a.artifact) = 'dataset') AS data_versions,
			pg_catalog.array_agg(DISTINCT a.artifact::text)
				FILTER (WHERE a.direction = 'produced') AS produced
		FROM mlmeta.mlflow_edges AS a
		GROUP BY a.run
	) AS d ON d.run OPERATOR(mlmeta.=) r.run
WHERE r.deleted_at IS NULL
	AND NOT EXISTS (SELECT FROM mlmeta.runs AS o
		WHERE o.run OPERATOR(mlmeta.=) r.run);

COMMENT ON VIEW mlmeta_internal.attached_run_overview IS
	'what run_overview shows of attached schemas';

CREATE VIEW mlmeta_internal.attached_leaderboard WITH (security_invoker = true) AS
SELECT e.experiment, k.key, '' AS context, r.rank, r.run, r.name, r.best, r.last,
	d.higher AS higher_is_better, r.user_name, r.status, r.started_at,
	r.finished_at, e.schema AS project
FROM mlmeta.mlflow_experiments AS e
	CROSS JOIN LATERAL mlmeta_internal.mlflow_rows('keys', of_schema => e.schema)
		AS k (key text)
	CROSS JOIN LATERAL (SELECT mlmeta.higher_is_better(k.key) AS higher) AS d
	CROSS JOIN LATERAL mlmeta_internal.mlflow_rows('ranks', e.experiment_id, NULL,
		k.key, d.higher, e.schema) AS r (run mlmeta.run, name text, best float8,
		last float8, rank bigint, user_name text, status text,
		started_at timestamptz, finished_at timestamptz)
WHERE NOT e.is_deleted
	AND NOT EXISTS (SELECT FROM mlmeta.runs AS o
		WHERE o.run OPERATOR(mlmeta.=) r.run);

COMMENT ON VIEW mlmeta_internal.attached_leaderboard IS
	'what leaderboard shows of attached schemas';

CREATE VIEW mlmeta_internal.attached_model_overview WITH (security_invoker = true) AS
SELECT m.model, m.schema AS project, m.description, m.tags, v.latest_version,
	m.aliases, v.stages, m.created_at, m.changed_at
FROM mlmeta.mlflow_models AS m
	LEFT JOIN (
		SELECT s.schema, s.model, pg_catalog.max(s.latest) AS latest_version,
			pg_catalog.jsonb_object_agg(s.stage, s.versions)
				FILTER (WHERE s.stage IS NOT NULL) AS stages
		FROM (
			SELECT n.schema, n.model, n.stage, pg_catalog.max(n.version) AS latest,
				pg_catalog.jsonb_agg(n.version ORDER BY n.version) AS versions
			FROM mlmeta.mlflow_versions AS n
			GROUP BY n.schema, n.model, n.stage
		) AS s
		GROUP BY s.schema, s.model
	) AS v ON v.schema = m.schema AND v.model = m.model
WHERE NOT EXISTS (SELECT FROM mlmeta.models AS o WHERE o.model = m.model);

COMMENT ON VIEW mlmeta_internal.attached_model_overview IS
	'what model_overview shows of attached schemas';

CREATE VIEW mlmeta_internal.attached_lineage_edges WITH (security_invoker = true) AS
SELECT
	CASE e.direction WHEN 'used' THEN e.artifact::text ELSE e.run::text END
		AS source,
	CASE e.direction WHEN 'used' THEN e.run::text ELSE e.artifact::text END
		AS target,
	e.run, e.artifact, e.direction, e.role, e.logged_at
FROM mlmeta.mlflow_edges AS e
WHERE NOT EXISTS (SELECT FROM mlmeta.runs AS o
		WHERE o.run OPERATOR(mlmeta.=) e.run);

COMMENT ON VIEW mlmeta_internal.attached_lineage_edges IS
	'what lineage_edges shows of attached schemas';

CREATE VIEW mlmeta_internal.attached_lineage_links WITH (security_invoker = true) AS
SELECT e.run, e.artifact, e.direction, false AS is_ours
FROM mlmeta_internal.attached_lineage_edges AS e;

COMMENT ON VIEW mlmeta_internal.attached_lineage_links IS
	'what lineage_links shows of attached schemas';

CREATE FUNCTION mlmeta_internal.cover_view(name text, is_attached boolean)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	shown regclass := coalesce(to_regclass('mlmeta.' || quote_ident(name)),
		to_regclass('mlmeta_internal.' || quote_ident(name)));
	own text := 'mlmeta_internal.' || quote_ident('own_' || name);
	attached regclass := ('mlmeta_internal.' || quote_ident('attached_' || name))::regclass;
	is_union boolean := EXISTS (SELECT
		FROM pg_rewrite AS w
			JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass
				AND d.objid = w.oid AND d.refobjid = to_regclass(own)
		WHERE w.ev_class = shown);
	query text;
BEGIN
	-- What the view is without attachments, as it was made or changed last.
	IF NOT is_union THEN
		EXECUTE format('CREATE OR REPLACE VIEW %s WITH (security_invoker = true) AS %s',
			own, pg_get_viewdef(shown));
		EXECUTE format('COMMENT ON VIEW %s IS %L', own, format(
			'what %s shows of our own tables', name));
	END IF;
	IF is_attached THEN
		SELECT format('SELECT %s FROM %s AS o UNION ALL SELECT %s FROM %s AS a',
			string_agg(format('o.%I', c.attname), ', ' ORDER BY c.attnum), own,
			string_agg(CASE WHEN a.attname IS NULL THEN 'NULL::'
					|| format_type(c.atttypid, c.atttypmod)
				ELSE format('a.%I::%s', c.attname,
					format_type(c.atttypid, c.atttypmod)) END, ', '
				ORDER BY c.attnum), attached)
		INTO query
		FROM pg_attribute AS c
			LEFT JOIN pg_attribute AS a ON a.attrelid = attached
				AND a.attname = c.attname AND a.attnum > 0
		WHERE c.attrelid = shown AND c.attnum > 0;
	ELSIF is_union THEN
		query := pg_get_viewdef(own::regclass);
	ELSE
		RETURN;
	END IF;
	EXECUTE format('CREATE OR REPLACE VIEW %s WITH (security_invoker = true) AS %s',
		shown, query);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.cover_view(text, boolean) IS
	'makes a view a union of what it shows of our tables and of attached schemas, or what it was before';

CREATE FUNCTION mlmeta_internal.cover_attachments() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	is_attached boolean := EXISTS (SELECT FROM mlmeta.mlflow_attachments);
BEGIN
	PERFORM mlmeta_internal.cover_view(v.name, is_attached)
	FROM unnest(ARRAY['run_overview', 'leaderboard', 'model_overview',
		'lineage_edges', 'lineage_links']) AS v (name);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.cover_attachments() IS
	'makes the views of runs, ranks, models and lineage cover the schemas that are attached; whoever changes one of these views calls it afterwards';

-- A dump has the attachments and not the definitions of our views. This trigger
-- is there for the restore: where rows come in, the views follow. Nothing that
-- goes wrong stops a restore.
CREATE FUNCTION mlmeta_internal.cover_restored() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.cover_attachments();
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	RAISE WARNING 'views do not cover attached schemas: %', SQLERRM
		USING HINT = 'Attach them again with attach_mlflow().';
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.cover_restored() IS
	'trigger that lets views follow attachments, when a dump is restored too';

CREATE TRIGGER cover_restored
	AFTER INSERT ON mlmeta.mlflow_attachments
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta_internal.cover_restored();

-- At installation: what the views are is kept.
DO $$
BEGIN
	PERFORM mlmeta_internal.cover_attachments();
END
$$;

-- Attaching --------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.check_mlflow(schema text) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	who CONSTANT text := mlmeta_internal.caller();
	readable CONSTANT jsonb := mlmeta_internal.mlflow_tables(schema, who);
	lacks CONSTANT text := mlmeta_internal.mlflow_lacks(readable);
	closed CONSTANT regclass := (
		SELECT c.oid
		FROM pg_class AS c
		WHERE c.relnamespace = to_regnamespace(quote_ident(schema))
			AND c.relname IN (SELECT m.table_name
				FROM mlmeta_internal.mlflow_columns() AS m
				WHERE m.required)
			AND NOT has_table_privilege(who, c.oid, 'SELECT')
		ORDER BY c.relname
		LIMIT 1
	);
BEGIN
	IF schema IS NULL OR to_regnamespace(quote_ident(schema)) IS NULL THEN
		RAISE EXCEPTION 'schema % does not exist',
				coalesce('"' || schema || '"', 'NULL')
			USING ERRCODE = 'invalid_schema_name';
	ELSIF NOT has_schema_privilege(who, quote_ident(schema)::regnamespace::oid,
			'USAGE') THEN
		RAISE EXCEPTION 'permission denied for schema "%"', schema
			USING ERRCODE = 'insufficient_privilege';
	ELSIF closed IS NOT NULL THEN
		RAISE EXCEPTION 'permission denied for table %', closed
			USING ERRCODE = 'insufficient_privilege',
				HINT = format('MLflow''s tables are read with the rights of role "%s".', who);
	ELSIF lacks IS NOT NULL THEN
		RAISE EXCEPTION 'schema "%" does not hold tables of MLflow that can be read',
				schema
			USING ERRCODE = 'undefined_table',
				DETAIL = format('Missing: %s.', lacks),
				HINT = CASE WHEN readable = '{}'
					THEN 'Name the schema that MLflow''s server writes to, and let role "'
						|| who || '" read its tables.'
					ELSE 'Only plain tables of built-in types, without row security, that role "'
						|| who || '" may read count; a migration may be under way.' END;
	END IF;
	RETURN readable;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.check_mlflow(text) IS
	'what a schema has of MLflow''s tables, that the caller may read; raises an error that says what is missing unless all is there that each version has';

CREATE FUNCTION mlmeta_internal.attach_mlflow(schema text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.check_mlflow(schema);
	INSERT INTO mlmeta.mlflow_attachments (schema)
	VALUES (attach_mlflow.schema)
	ON CONFLICT DO NOTHING;
	PERFORM mlmeta_internal.cover_attachments();
END
$$;

COMMENT ON FUNCTION mlmeta_internal.attach_mlflow(text) IS
	'lets the views of runs, ranks, models and lineage cover what MLflow keeps in a schema, live; each reader sees it who may read its tables';

CREATE FUNCTION mlmeta_internal.detach_mlflow(schema text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.check_writable();
	DELETE FROM mlmeta.mlflow_attachments AS a
	WHERE a.schema = detach_mlflow.schema;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'schema % is not attached',
				coalesce('"' || schema || '"', 'NULL')
			USING ERRCODE = 'undefined_object', HINT = coalesce((
				SELECT format('Attached are: %s.', string_agg(a.schema, ', '
					ORDER BY a.schema))
				FROM mlmeta.mlflow_attachments AS a
			), 'No schema is.');
	END IF;
	PERFORM mlmeta_internal.cover_attachments();
END
$$;

COMMENT ON FUNCTION mlmeta_internal.detach_mlflow(text) IS
	'ends what attach_mlflow() began; nothing of MLflow''s changes, what was imported stays';

-- One run ------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.attached_run(run mlmeta.run)
RETURNS TABLE (schema text, run_uuid text)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	id CONSTANT text := replace(run::uuid::text, '-', '');
BEGIN
	RETURN QUERY
	SELECT r.schema, r.run_uuid
	FROM mlmeta.mlflow_attachments AS a
		CROSS JOIN LATERAL mlmeta_internal.mlflow_rows('run_ids', NULL, ARRAY[id],
			of_schema => a.schema) AS r (schema text, run_uuid text)
	ORDER BY a.schema
	LIMIT 1;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.attached_run(mlmeta.run) IS
	'the attached schema that has a run, and what it is called there; no row where none has';

CREATE FUNCTION mlmeta_internal.attached_facts(run mlmeta.run)
RETURNS TABLE (kind text, key text, value text)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT f.kind, f.key, f.value
	FROM mlmeta_internal.attached_run(run) AS h
		CROSS JOIN LATERAL mlmeta_internal.mlflow_rows('runs', NULL,
			ARRAY[h.run_uuid], of_schema => h.schema) AS r (schema text,
			run mlmeta.run, run_uuid text, experiment_id bigint, experiment text,
			name text, parent mlmeta.run, status text, user_name text,
			started_at timestamptz, finished_at timestamptz,
			deleted_at timestamptz, source_name text, source_type text,
			git_commit text, repository text, branch text, entry_point text,
			artifact_uri text, params jsonb, metrics jsonb, tags jsonb)
		CROSS JOIN LATERAL (
			SELECT 'run' AS kind, d.key, d.value
			FROM (VALUES ('experiment', r.experiment), ('name', r.name),
				('status', r.status), ('user_name', r.user_name),
				('duration', (r.finished_at - r.started_at)::text)
			) AS d (key, value)
			UNION ALL
			SELECT 'source', d.key, d.value
			FROM (VALUES ('repository', r.repository), ('commit', r.git_commit),
				('branch', r.branch), ('entry_point', r.entry_point),
				('name', r.source_name), ('type', r.source_type)
			) AS d (key, value)
			UNION ALL
			SELECT 'param', p.key, p.value
			FROM jsonb_each_text(r.params) AS p
			UNION ALL
			SELECT 'metric', m.key, m.value
			FROM jsonb_each_text(r.metrics) AS m
			UNION ALL
			SELECT 'tag', t.key, t.value
			FROM jsonb_each_text(r.tags) AS t
			UNION ALL
			SELECT a.direction, concat_ws(' ', mlmeta.any_version(a.artifact)::text,
				nullif(a.role, '')), string_agg(a.artifact::text, ', '
					ORDER BY a.artifact::text)
			FROM mlmeta.mlflow_edges AS a
			WHERE a.schema = h.schema AND a.run OPERATOR(mlmeta.=) r.run
			GROUP BY 1, 2
		) AS f
	WHERE f.value IS NOT NULL;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.attached_facts(mlmeta.run) IS
	'everything known about a run of an attached schema, as run_facts() has it';

