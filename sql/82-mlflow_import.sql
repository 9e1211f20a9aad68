-- Copying what MLflow wrote: import_mlflow().
--
-- Runs keep their ids, times and users. What is there already is compared with
-- what MLflow has now, and only what is new is written: importing again after an
-- hour brings the hour. Tables of MLflow are read with the rights of who imports
-- (see run_query()), ours are written behind the door.

CREATE TABLE mlmeta_internal.mlflow_experiment_copies (
	schema text NOT NULL,
	mlflow_id bigint NOT NULL,
	experiment_id bigint NOT NULL,
	made boolean NOT NULL,
	PRIMARY KEY (schema, mlflow_id)
);

COMMENT ON TABLE mlmeta_internal.mlflow_experiment_copies IS
	'which experiment of ours an imported experiment of MLflow became: it may be renamed on either side';
COMMENT ON COLUMN mlmeta_internal.mlflow_experiment_copies.made IS
	'whether it was made for it, and goes with it into the trash; false where one of the name was there';

CREATE FUNCTION mlmeta_internal.mlflow_name(name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
	WHEN mlmeta_internal.is_name(name) THEN name
	WHEN name <> '' THEN pg_catalog.left(pg_catalog.regexp_replace(name,
		'[[:cntrl:]]', ' ', 'g'), 240) || '~' || pg_catalog.left(pg_catalog.md5(name), 8)
END;

COMMENT ON FUNCTION mlmeta_internal.mlflow_name(text) IS
	'a name of MLflow as a name of ours: what is longer than 250 characters or holds control characters is cut and told apart by a digest';

CREATE FUNCTION mlmeta_internal.import_experiment(
	schema text,
	mlflow_id bigint,
	label text,
	project text
) RETURNS mlmeta_internal.mlflow_experiment_copies
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result mlmeta_internal.mlflow_experiment_copies;
	there record;
BEGIN
	SELECT c.* INTO result
	FROM mlmeta_internal.mlflow_experiment_copies AS c
		JOIN mlmeta.experiments AS x ON x.experiment_id = c.experiment_id
	WHERE c.schema = import_experiment.schema
		AND c.mlflow_id = import_experiment.mlflow_id;
	IF FOUND THEN
		RETURN result;
	END IF;
	SELECT x.experiment_id, x.project INTO there
	FROM mlmeta.experiments AS x
	WHERE x.experiment = label
	FOR KEY SHARE;
	IF FOUND THEN
		PERFORM mlmeta_internal.require_access(there.project, 'admin');
		result.experiment_id := there.experiment_id;
		result.made := false;
	ELSE
		result.experiment_id := mlmeta_internal.create_experiment(label, project);
		result.made := true;
	END IF;
	INSERT INTO mlmeta_internal.mlflow_experiment_copies AS c (schema, mlflow_id,
		experiment_id, made)
	VALUES (import_experiment.schema, import_experiment.mlflow_id,
		result.experiment_id, result.made)
	ON CONFLICT ON CONSTRAINT mlflow_experiment_copies_pkey DO UPDATE
	SET experiment_id = excluded.experiment_id, made = excluded.made
	RETURNING c.* INTO result;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.import_experiment(text, bigint, text, text) IS
	'which experiment of ours an experiment of MLflow is, one of its name or a new one';

CREATE FUNCTION mlmeta_internal.import_experiments(
	schema text,
	tables jsonb,
	project text
) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	given record;
	copy mlmeta_internal.mlflow_experiment_copies;
	old bigint := (SELECT count(*) FROM mlmeta.experiments);
BEGIN
	FOR given IN
		SELECT e.*, mlmeta_internal.mlflow_name(e.name) AS label
		FROM mlmeta_internal.run_query(NULL, 'pg_catalog',
			mlmeta_internal.mlflow_source('experiments', schema, tables)) AS e (schema text,
			id bigint, name text, uri text, created_at timestamptz,
			is_deleted boolean, tags jsonb)
		ORDER BY e.id
	LOOP
		copy := mlmeta_internal.import_experiment(schema, given.id, given.label,
			project);
		UPDATE mlmeta.experiments AS x
		SET tags = x.tags || given.tags,
			artifact_uri = coalesce(x.artifact_uri, given.uri),
			changed_at = clock_timestamp()
		WHERE x.experiment_id = copy.experiment_id
			AND (x.tags || given.tags, coalesce(x.artifact_uri, given.uri))
				IS DISTINCT FROM (x.tags, x.artifact_uri);
		CONTINUE WHEN NOT copy.made;
		UPDATE mlmeta.experiments AS x
		SET experiment = given.label,
			created_at = coalesce(given.created_at, x.created_at),
			deleted_at = CASE WHEN given.is_deleted
				THEN coalesce(x.deleted_at, clock_timestamp()) END,
			changed_at = clock_timestamp()
		WHERE x.experiment_id = copy.experiment_id
			AND (given.label, coalesce(given.created_at, x.created_at), given.is_deleted)
				IS DISTINCT FROM (x.experiment, x.created_at, x.deleted_at IS NOT NULL)
			AND NOT EXISTS (SELECT FROM mlmeta.experiments AS y
				WHERE y.experiment = given.label
					AND y.experiment_id <> copy.experiment_id);
	END LOOP;
	RETURN (SELECT count(*) FROM mlmeta.experiments) - old;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.import_experiments(text, jsonb, text) IS
	'makes the experiments of a schema of MLflow that are not there yet and returns how many; one of the same name is taken for the same';

CREATE FUNCTION mlmeta_internal.mlflow_source(kind text, schema text, tables jsonb)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	template CONSTANT text := mlmeta_internal.mlflow_query(kind);
BEGIN
	RETURN mlmeta_internal.mlflow_fill(template,
		mlmeta_internal.mlflow_names(template), schema, tables);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.mlflow_source(text, text, jsonb) IS
	'the query for one kind of rows of MLflow in a schema, as far as it has them';

-- Runs -------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.mlflow_given(schema text, tables jsonb, ids text[])
RETURNS TABLE (run mlmeta.run, experiment_id bigint, name text, parent mlmeta.run,
	status text, user_name text, started_at timestamptz, finished_at timestamptz,
	deleted_at timestamptz, git_commit text, repository text, branch text,
	entry_point text, artifact_uri text, source jsonb, params jsonb, tags jsonb)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT r.run, c.experiment_id, mlmeta_internal.mlflow_name(r.name), r.parent,
		r.status, coalesce(r.user_name, 'mlflow'),
		coalesce(r.started_at, r.finished_at, 'epoch'),
		CASE WHEN r.status <> ALL ('{scheduled,running}')
			THEN greatest(r.finished_at, coalesce(r.started_at, 'epoch')) END,
		r.deleted_at, r.git_commit, r.repository, r.branch, r.entry_point,
		r.artifact_uri, nullif(jsonb_strip_nulls(jsonb_build_object('name',
			r.source_name, 'type', r.source_type, 'mlflow_run', r.run_uuid)), '{}'),
		r.params, r.tags
	FROM mlmeta_internal.run_query(NULL, 'pg_catalog',
			mlmeta_internal.mlflow_source('runs', schema, tables), NULL::bigint, ids)
			AS r (schema text, run mlmeta.run, run_uuid text, mlflow_id bigint,
			experiment text, name text, parent mlmeta.run, status text,
			user_name text, started_at timestamptz, finished_at timestamptz,
			deleted_at timestamptz, source_name text, source_type text,
			git_commit text, repository text, branch text, entry_point text,
			artifact_uri text, params jsonb, metrics jsonb, tags jsonb)
		JOIN mlmeta_internal.mlflow_experiment_copies AS c
			ON c.schema = r.schema AND c.mlflow_id = r.mlflow_id;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.mlflow_given(text, jsonb, text[]) IS
	'runs of a schema of MLflow as rows that ours could be, with parameters and tags';

CREATE FUNCTION mlmeta_internal.import_runs(
	schema text,
	tables jsonb,
	ids text[],
	OUT fresh mlmeta.run[],
	OUT changed mlmeta.run[]
) RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	WITH added AS (
		INSERT INTO mlmeta.runs AS r (run, experiment_id, name, parent, status,
			user_name, created_at, started_at, finished_at, deleted_at, git_commit,
			repository, branch, entry_point, artifact_uri, source)
		SELECT g.run, g.experiment_id, g.name, g.parent, g.status, g.user_name,
			g.started_at, g.started_at, g.finished_at, g.deleted_at, g.git_commit,
			g.repository, g.branch, g.entry_point, g.artifact_uri, g.source
		FROM mlmeta_internal.mlflow_given(schema, tables, ids) AS g
		WHERE mlmeta_internal.permits_experiment('admin', g.experiment_id)
		ON CONFLICT ON CONSTRAINT runs_pkey DO NOTHING
		RETURNING r.run
	)
	SELECT coalesce(array_agg(a.run), '{}') INTO fresh
	FROM added AS a;

	SELECT coalesce(array_agg(r.run), '{}') INTO changed
	FROM mlmeta_internal.mlflow_given(schema, tables, ids) AS g
		JOIN mlmeta.runs AS r ON r.run OPERATOR(mlmeta.=) g.run
	WHERE (r.status, r.finished_at, r.started_at, r.name, r.deleted_at)
			IS DISTINCT FROM (g.status, g.finished_at, g.started_at, g.name, g.deleted_at)
		-- A run that is not begun any more is nowhere.
		AND (g.status <> 'scheduled' OR r.status = 'scheduled')
		AND mlmeta_internal.permits_run('admin', r.run);
	IF changed <> '{}' THEN
		-- What was scheduled begins before it ends.
		UPDATE mlmeta.runs AS r
		SET status = 'running'
		FROM mlmeta_internal.mlflow_given(schema, tables, ids) AS g
		WHERE r.run OPERATOR(mlmeta.=) g.run
			AND r.run OPERATOR(mlmeta.=) ANY (changed)
			AND r.status = 'scheduled' AND g.status <> 'scheduled';
		UPDATE mlmeta.runs AS r
		SET name = g.name, parent = coalesce(r.parent, g.parent), status = g.status,
			started_at = g.started_at, finished_at = g.finished_at,
			deleted_at = g.deleted_at, reaped = false,
			changed_at = clock_timestamp()
		FROM mlmeta_internal.mlflow_given(schema, tables, ids) AS g
		WHERE r.run OPERATOR(mlmeta.=) g.run
			AND r.run OPERATOR(mlmeta.=) ANY (changed);
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.import_runs(text, jsonb, text[]) IS
	'adds the runs of MLflow that are not there yet, brings the others up to date, and returns which are new and which have changed';

CREATE FUNCTION mlmeta_internal.import_params(
	schema text,
	tables jsonb,
	ids text[],
	OUT made bigint,
	OUT touched mlmeta.run[]
) RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	WITH given AS MATERIALIZED (
		SELECT g.run, g.params, g.tags
		FROM mlmeta_internal.mlflow_given(schema, tables, ids) AS g
		WHERE mlmeta_internal.permits_run('admin', g.run)
	), added AS (
		INSERT INTO mlmeta.run_params AS o (run, key, value)
		SELECT g.run, mlmeta_internal.mlflow_name(p.key), p.value
		FROM given AS g
			CROSS JOIN LATERAL jsonb_each(g.params) AS p
		ON CONFLICT DO NOTHING
		RETURNING o.run
	), tagged AS (
		INSERT INTO mlmeta.run_tags AS o (run, key, value)
		SELECT g.run, mlmeta_internal.mlflow_name(t.key), t.value
		FROM given AS g
			CROSS JOIN LATERAL jsonb_each_text(g.tags) AS t
		ON CONFLICT ON CONSTRAINT run_tags_pkey DO UPDATE
		SET value = excluded.value
		WHERE o.value <> excluded.value
	)
	SELECT count(*), coalesce(array_agg(DISTINCT a.run::uuid)::mlmeta.run[], '{}')
	INTO made, touched
	FROM added AS a;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.import_params(text, jsonb, text[]) IS
	'adds parameters of runs of MLflow and sets their tags; returns how many parameters are new, and of which runs';

-- Points -----------------------------------------------------------------------

-- No body parsed at installation: pg_upgrade would restore the view that it reads
-- with it, before the operators that the view needs.
CREATE FUNCTION mlmeta_internal.known_points(run mlmeta.run, key text)
RETURNS TABLE (step bigint, at timestamptz, value float8)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT p.step, p.at, p.value
	FROM mlmeta.metric_points AS p
	WHERE p.run OPERATOR(mlmeta.=) known_points.run
		AND p.key = known_points.key AND p.context = '';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.known_points(mlmeta.run, text) IS
	'the points of a metric without context that are stored';

CREATE FUNCTION mlmeta_internal.known_series(
	run mlmeta.run,
	key text,
	OUT series bigint,
	OUT n bigint
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	SELECT min(s.series) FILTER (WHERE s.logged_model IS NULL
			AND s.dataset IS NULL), coalesce(sum((
			SELECT count(*)
			FROM mlmeta.run_metrics AS m
			WHERE m.series = s.series
		) + (
			SELECT coalesce(sum(c.n), 0)
			FROM mlmeta.metric_chunks AS c
			WHERE c.series = s.series
		)), 0)
	INTO series, n
	FROM mlmeta.metric_series AS s
	WHERE s.run OPERATOR(mlmeta.=) known_series.run
		AND s.key = known_series.key AND s.context = '';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.known_series(mlmeta.run, text) IS
	'the first series of a metric without context, and how many points all of them have';

CREATE FUNCTION mlmeta_internal.store_loose(
	series bigint[],
	steps bigint[],
	times timestamptz[],
	points float8[]
) RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	INSERT INTO mlmeta.run_metrics (series, step, at, value)
	SELECT l.series, l.step, l.at, l.value
	FROM ROWS FROM (pg_catalog.unnest(store_loose.series), pg_catalog.unnest(steps),
		pg_catalog.unnest(times), pg_catalog.unnest(points))
		AS l (series, step, at, value);
END;

COMMENT ON FUNCTION mlmeta_internal.store_loose(bigint[], bigint[], timestamptz[],
	float8[]) IS
	'stores points of several series one by one';

CREATE FUNCTION mlmeta_internal.new_points(
	run mlmeta.run,
	key text,
	INOUT steps bigint[],
	INOUT times timestamptz[],
	INOUT points float8[]
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	SELECT coalesce(array_agg(n.step), '{}'), coalesce(array_agg(n.at), '{}'),
		coalesce(array_agg(n.value), '{}')
	INTO steps, times, points
	FROM (
		SELECT * FROM unnest(steps, times, points) AS u (step, at, value)
		EXCEPT
		SELECT k.step, k.at, k.value
		FROM mlmeta_internal.known_points(run, key) AS k
		ORDER BY step, at, value
	) AS n;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.new_points(mlmeta.run, text, bigint[], timestamptz[],
	float8[]) IS
	'those of the given points that the metric has not';

CREATE FUNCTION mlmeta_internal.import_points(
	schema text,
	tables jsonb,
	ids text[],
	fresh mlmeta.run[],
	OUT made bigint,
	OUT touched mlmeta.run[]
) RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- As log_series() does it.
	smallest_chunk CONSTANT int := 16;
	largest_chunk CONSTANT int := 8192;
	-- Of runs that were not there nothing is known.
	is_fresh CONSTANT jsonb := to_jsonb(fresh::text[]);
	given record;
	-- Not for long: arrays that grow are copied each time.
	loose_series bigint[] := '{}';
	loose_steps bigint[] := '{}';
	loose_times timestamptz[] := '{}';
	loose_points float8[] := '{}';
	number bigint;
	size int;
BEGIN
	made := 0;
	touched := '{}';
	FOR given IN
		SELECT mlmeta_internal.mlflow_run(q.run_uuid) AS run,
			mlmeta_internal.mlflow_name(q.key) AS key, q.steps, q.times, q.points
		FROM mlmeta_internal.run_query(NULL, 'pg_catalog',
			mlmeta_internal.mlflow_source('series', schema, tables), NULL::bigint, ids)
			AS q (run_uuid text, key text, steps bigint[], times timestamptz[],
			points float8[])
	LOOP
		number := NULL;
		size := 0;
		IF NOT is_fresh ? given.run::text THEN
			SELECT s.series, s.n INTO number, size
			FROM mlmeta_internal.known_series(given.run, given.key) AS s;
			CONTINUE WHEN size = cardinality(given.steps)
				OR NOT mlmeta_internal.permits_run('admin', given.run);
		END IF;
		IF size > 0 THEN
			SELECT n.steps, n.times, n.points
			INTO given.steps, given.times, given.points
			FROM mlmeta_internal.new_points(given.run, given.key, given.steps,
				given.times, given.points) AS n;
			CONTINUE WHEN given.steps = '{}';
		END IF;
		IF number IS NULL THEN
			INSERT INTO mlmeta.metric_series AS s (run, key)
			VALUES (given.run, given.key)
			RETURNING s.series INTO number;
		END IF;
		size := cardinality(given.steps);
		made := made + size;
		touched := touched || given.run;
		IF size < smallest_chunk THEN
			loose_series := loose_series || array_fill(number, ARRAY[size]);
			loose_steps := loose_steps || given.steps;
			loose_times := loose_times || given.times;
			loose_points := loose_points || given.points;
			IF cardinality(loose_steps) > 1000 THEN
				PERFORM mlmeta_internal.store_loose(loose_series, loose_steps,
					loose_times, loose_points);
				SELECT '{}', '{}', '{}', '{}'
				INTO loose_series, loose_steps, loose_times, loose_points;
			END IF;
		ELSE
			PERFORM mlmeta_internal.store_chunk(number,
				given.steps[low + 1 : low + largest_chunk],
				given.times[low + 1 : low + largest_chunk],
				given.points[low + 1 : low + largest_chunk])
			FROM generate_series(0, size - 1, largest_chunk) AS low;
		END IF;
	END LOOP;
	PERFORM mlmeta_internal.store_loose(loose_series, loose_steps, loose_times,
		loose_points);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.import_points(text, jsonb, text[], mlmeta.run[]) IS
	'adds points of metrics of runs of MLflow that are not there yet and returns how many, and of which runs';

-- What finish_run() writes, of runs that have nothing but what was imported: as
-- write_results() would, for all of them at once.
CREATE FUNCTION mlmeta_internal.import_results(
	schema text,
	tables jsonb,
	ids text[],
	fresh mlmeta.run[]
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	WITH given AS MATERIALIZED (
		SELECT mlmeta_internal.mlflow_run(q.run_uuid) AS run, q.key, q.n, q.nan_count,
			q.minimum, q.maximum, q.last_step, q.last_at, q.last_value
		FROM mlmeta_internal.run_query(NULL, 'pg_catalog',
			mlmeta_internal.mlflow_source('summaries', schema, tables), NULL::bigint,
			ids) AS q (run_uuid text, key text, n bigint, nan_count bigint,
			minimum float8, maximum float8, last_step bigint, last_at timestamptz,
			last_value float8)
	), directions AS MATERIALIZED (
		SELECT k.key, mlmeta_internal.mlflow_name(k.key) AS name,
			mlmeta.higher_is_better(mlmeta_internal.mlflow_name(k.key)) AS higher
		FROM (SELECT DISTINCT g.key FROM given AS g) AS k
	)
	INSERT INTO mlmeta.run_metric_summaries (run, experiment_id, key, context, n,
		nan_count, minimum, maximum, last_step, last_at, last_value,
		higher_is_better)
	SELECT r.run, r.experiment_id, d.name, '', g.n, g.nan_count, g.minimum,
		g.maximum, g.last_step, g.last_at, g.last_value, d.higher
	FROM given AS g
		JOIN directions AS d ON d.key = g.key
		JOIN mlmeta.runs AS r ON r.run OPERATOR(mlmeta.=) g.run
	WHERE r.run OPERATOR(mlmeta.=) ANY (fresh) AND r.finished_at IS NOT NULL
		AND r.deleted_at IS NULL;

	INSERT INTO mlmeta.run_results (run, params, metrics, signature, stored_rows)
	SELECT r.run, mlmeta_internal.params_of(r.run), (
			SELECT coalesce(jsonb_object_agg(s.key, to_jsonb(s.last_value)), '{}')
			FROM mlmeta.run_metric_summaries AS s
			WHERE s.run OPERATOR(mlmeta.=) r.run
		), mlmeta_internal.run_signature(r.run), mlmeta_internal.stored_rows(r.run)
	FROM mlmeta.runs AS r
	WHERE r.run OPERATOR(mlmeta.=) ANY (fresh) AND r.finished_at IS NOT NULL
		AND r.deleted_at IS NULL;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.import_results(text, jsonb, text[], mlmeta.run[]) IS
	'writes the results of runs that were imported as a whole';

-- Lineage ------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.import_edges(
	schema text,
	tables jsonb,
	ids text[],
	OUT made bigint,
	OUT touched mlmeta.run[]
) RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	WITH given AS MATERIALIZED (
		SELECT e.run, e.artifact, e.direction,
			coalesce(mlmeta_internal.mlflow_name(e.role), '') AS role, e.uri,
			e.logged_at
		FROM mlmeta_internal.run_query(NULL, 'pg_catalog',
			mlmeta_internal.mlflow_source('edges', schema, tables), NULL::bigint, ids)
			AS e (schema text, run mlmeta.run, artifact mlmeta.artifact,
			direction text, role text, uri text, logged_at timestamptz)
		WHERE mlmeta_internal.permits_run('admin', e.run)
	), known AS MATERIALIZED (
		SELECT g.*
		FROM given AS g
			CROSS JOIN LATERAL mlmeta_internal.store_artifact(g.artifact, g.run::uuid,
				g.uri)
	), added AS (
		INSERT INTO mlmeta.run_artifacts AS a (run, artifact, direction, role, uri,
			logged_at)
		SELECT k.run, k.artifact, k.direction, k.role, k.uri, k.logged_at
		FROM known AS k
		ON CONFLICT DO NOTHING
		RETURNING a.run
	)
	SELECT count(*), coalesce(array_agg(DISTINCT a.run::uuid)::mlmeta.run[], '{}')
	INTO made, touched
	FROM added AS a;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.import_edges(text, jsonb, text[]) IS
	'adds what runs of MLflow used and produced and returns how much of it is new, and of which runs';

CREATE FUNCTION mlmeta_internal.mlflow_json(value text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN value::jsonb;
EXCEPTION WHEN OTHERS THEN
	-- Cut off by a column's limit, as a rule.
	RETURN to_jsonb(value);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.mlflow_json(text) IS
	'JSON that MLflow keeps as text; what is none becomes a string';

CREATE FUNCTION mlmeta_internal.import_details(schema text, tables jsonb) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	made bigint;
BEGIN
	INSERT INTO mlmeta.artifact_details (run, artifact, source_type, source,
		schema, profile)
	SELECT DISTINCT ON (a.run, a.artifact) a.run, a.artifact, d.source_type, d.source,
		mlmeta_internal.mlflow_json(d.columns), mlmeta_internal.mlflow_json(d.profile)
	FROM mlmeta_internal.run_query(NULL, 'pg_catalog',
			mlmeta_internal.mlflow_source('datasets', schema, tables)) AS d (schema text,
			artifact mlmeta.artifact, name text, digest text, source_type text,
			source text, columns text, profile text)
		JOIN mlmeta.run_artifacts AS a ON a.artifact OPERATOR(mlmeta.=) d.artifact
			AND a.direction = 'used'
		JOIN mlmeta.runs AS r ON r.run OPERATOR(mlmeta.=) a.run
		JOIN mlmeta_internal.mlflow_experiment_copies AS c
			ON c.schema = d.schema AND c.experiment_id = r.experiment_id
	ORDER BY a.run, a.artifact, d.source
	ON CONFLICT DO NOTHING;
	INSERT INTO mlmeta.logged_models AS o (id, experiment_id, name, run, status,
		params, tags, uri, model_type, created_at, deleted_at)
	SELECT mlmeta_internal.mlflow_name(l.id), c.experiment_id,
		mlmeta_internal.mlflow_name(l.name), l.run, l.status, l.params, l.tags,
		l.uri, nullif(l.model_type, ''), l.created_at,
		CASE WHEN l.is_deleted THEN clock_timestamp() END
	FROM mlmeta_internal.run_query(NULL, 'pg_catalog',
			mlmeta_internal.mlflow_source('logged_models', schema, tables)) AS l (schema text,
			id text, name text, experiment_id bigint, run mlmeta.run, status text,
			model_type text, uri text, created_at timestamptz, is_deleted boolean,
			params jsonb, tags jsonb)
		JOIN mlmeta_internal.mlflow_experiment_copies AS c
			ON c.schema = l.schema AND c.mlflow_id = l.experiment_id
	WHERE mlmeta_internal.permits_experiment('admin', c.experiment_id)
	ON CONFLICT ON CONSTRAINT logged_models_pkey DO UPDATE
	SET status = excluded.status, params = excluded.params, tags = excluded.tags,
		changed_at = clock_timestamp()
	WHERE (o.status, o.params, o.tags)
		IS DISTINCT FROM (excluded.status, excluded.params, excluded.tags);
	GET DIAGNOSTICS made = ROW_COUNT;
	RETURN made;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.import_details(text, jsonb) IS
	'adds what MLflow says of datasets, and its logged models, and returns how many of these are new or changed';

-- Registry -----------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.import_models(
	schema text,
	tables jsonb,
	project text
) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	given record;
	old mlmeta.models;
	made bigint := 0;
BEGIN
	FOR given IN
		SELECT m.*
		FROM mlmeta_internal.run_query(NULL, 'pg_catalog',
			mlmeta_internal.mlflow_source('models', schema, tables)) AS m (schema text,
			model text, description text, created_at timestamptz,
			changed_at timestamptz, tags jsonb, aliases jsonb)
		WHERE mlmeta_internal.is_importable(m.model)
		ORDER BY m.model
	LOOP
		SELECT m.* INTO old FROM mlmeta.models AS m WHERE m.model = given.model;
		IF NOT FOUND THEN
			PERFORM mlmeta_internal.create_model(given.model, project,
				nullif(given.description, ''), given.tags);
			made := made + 1;
		ELSIF (coalesce(nullif(given.description, ''), old.description), old.tags
				|| given.tags) IS DISTINCT FROM (old.description, old.tags) THEN
			PERFORM mlmeta_internal.find_model(given.model, 'admin');
			PERFORM mlmeta_internal.describe_model(given.model,
				nullif(given.description, ''), given.tags);
		END IF;
	END LOOP;
	RETURN made;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.import_models(text, jsonb, text) IS
	'registers the models of MLflow that are not there yet, describes the others, and returns how many are new';

CREATE FUNCTION mlmeta_internal.is_importable(model text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF mlmeta_internal.is_name(model) AND model COLLATE "C" !~ '[@:]' THEN
		RETURN true;
	END IF;
	RAISE WARNING 'model % is not imported', to_json(model)
		USING DETAIL = 'Names of models have 1 to 250 characters without @ and :, which separate the parts of a reference.';
	RETURN false;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.is_importable(text) IS
	'whether a model of MLflow can be called so here; warns otherwise';

CREATE FUNCTION mlmeta_internal.import_version(
	model text,
	version int,
	run mlmeta.run,
	uri text,
	description text,
	tags jsonb
) RETURNS mlmeta.model_versions
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta.models := mlmeta_internal.lock_model(model, 'admin');
	result mlmeta.model_versions;
BEGIN
	SELECT v.* INTO result
	FROM mlmeta.model_versions AS v
	WHERE v.model_id = m.model_id AND v.version = import_version.version;
	IF FOUND THEN
		IF (coalesce(nullif(description, ''), result.description),
				result.tags || tags) IS DISTINCT FROM (result.description, result.tags) THEN
			PERFORM mlmeta_internal.describe_model(model, nullif(description, ''),
				tags, version);
		END IF;
		RETURN result;
	ELSIF version <= m.last_version THEN
		RAISE WARNING 'version % of model "%" is not imported', version, model
			USING DETAIL = format('Later versions, up to %s, were registered here.',
				m.last_version);
		RETURN NULL;
	END IF;
	-- Numbers stay: those that MLflow deleted are left out.
	UPDATE mlmeta.models AS u
	SET last_version = import_version.version - 1
	WHERE u.model_id = m.model_id;
	PERFORM mlmeta_internal.create_model_version(model, (
			SELECT r.run
			FROM mlmeta.runs AS r
			WHERE r.run OPERATOR(mlmeta.=) import_version.run
				AND r.deleted_at IS NULL
		), CASE WHEN uri ~ '^models:/m-[^/@]+$'
			THEN mlmeta_internal.logged_model_artifact(substr(uri, 9)) END,
		coalesce(uri, ''), nullif(description, ''), tags);
	SELECT v.* INTO result
	FROM mlmeta.model_versions AS v
	WHERE v.model_id = m.model_id AND v.version = import_version.version;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.import_version(text, int, mlmeta.run, text, text,
	jsonb) IS
	'the row of a version of an imported model, made under its number where it is not there yet';

CREATE FUNCTION mlmeta_internal.logged_model_artifact(id text) RETURNS mlmeta.artifact
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT a.artifact
		FROM mlmeta.artifact_copies AS a
		WHERE a.kind = 'model' AND a.version = id
		LIMIT 1
	);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.logged_model_artifact(text) IS
	'the artifact that a logged model is, found by its id';

CREATE FUNCTION mlmeta_internal.import_versions(schema text, tables jsonb)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	given record;
	v mlmeta.model_versions;
	s mlmeta.stages;
	at timestamptz;
	made bigint := 0;
BEGIN
	FOR given IN
		SELECT q.*
		FROM mlmeta_internal.run_query(NULL, 'pg_catalog',
			mlmeta_internal.mlflow_source('versions', schema, tables)) AS q (schema text,
			model text, version int, stage text, run mlmeta.run, uri text,
			description text, user_name text, created_at timestamptz, tags jsonb,
			is_deleted boolean)
			JOIN mlmeta.models AS m ON m.model = q.model
		WHERE NOT q.is_deleted
		ORDER BY q.model, q.version
	LOOP
		v := mlmeta_internal.import_version(given.model, given.version, given.run,
			given.uri, given.description, given.tags);
		CONTINUE WHEN v.version IS NULL OR v.stage = given.stage;
		SELECT t.* INTO s FROM mlmeta.stages AS t WHERE t.stage = given.stage;
		IF NOT FOUND OR s.exclusive AND EXISTS (SELECT FROM mlmeta.model_versions AS o
				WHERE o.model_id = v.model_id AND o.stage = s.stage) THEN
			RAISE WARNING 'version % of model "%" stays in stage "%"', given.version,
					given.model, v.stage
				USING DETAIL = format('In MLflow it is in stage "%s", which %s.',
					given.stage, CASE WHEN s.stage IS NULL THEN 'does not exist here'
					ELSE 'has one version of a model at most' END);
			CONTINUE;
		END IF;
		at := mlmeta_internal.record_change(v.model_id, v.version, 'stage_imported',
			jsonb_build_object('from', v.stage, 'stage', s.stage, 'schema', schema));
		PERFORM mlmeta_internal.move_stage(v, s, at, NULL);
		made := made + 1;
	END LOOP;
	RETURN made;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.import_versions(text, jsonb) IS
	'registers the versions of models of MLflow that are not there yet, moves them to their stages, and returns how many were moved; the audit trail says that they were imported';

CREATE FUNCTION mlmeta_internal.import_aliases(schema text, tables jsonb)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	given record;
	made bigint := 0;
BEGIN
	FOR given IN
		SELECT q.model, q.alias, q.version, m.model_id, m.project, a.version AS old
		FROM mlmeta_internal.run_query(NULL, 'pg_catalog',
			mlmeta_internal.mlflow_source('aliases', schema, tables)) AS q (schema text,
			model text, alias text, version int)
			JOIN mlmeta.models AS m ON m.model = q.model
			JOIN mlmeta.model_versions AS v ON v.model_id = m.model_id
				AND v.version = q.version
			LEFT JOIN mlmeta.model_aliases AS a ON a.model_id = m.model_id
				AND a.alias = q.alias
		WHERE a.version IS DISTINCT FROM q.version
		ORDER BY q.model, q.alias
	LOOP
		PERFORM mlmeta_internal.require_access(given.project, 'admin');
		IF NOT mlmeta_internal.is_label(given.alias) OR EXISTS (
				SELECT FROM mlmeta.stages AS s WHERE s.stage = given.alias) THEN
			RAISE WARNING 'alias % of model "%" is not imported',
					to_json(given.alias), given.model
				USING DETAIL = 'It has the name of a stage, or holds one of the characters @ : /.';
			CONTINUE;
		END IF;
		PERFORM mlmeta_internal.set_alias(given.model, given.alias, given.version);
		made := made + 1;
	END LOOP;
	RETURN made;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.import_aliases(text, jsonb) IS
	'sets the aliases that point elsewhere in MLflow and returns how many';

-- All of it ----------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.import_mlflow(
	schema text,
	since timestamptz DEFAULT NULL,
	project text DEFAULT 'default'
) RETURNS TABLE (what text, added bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 9
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	batch_size CONSTANT int := 500;
	tables CONSTANT jsonb := mlmeta_internal.check_mlflow(schema);
	experiments bigint;
	runs bigint := 0;
	params bigint := 0;
	points bigint := 0;
	edges bigint := 0;
	ids text[];
	batch text[];
	r record;
	p record;
	m record;
	e record;
	run mlmeta.run;
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.find_project(project, 'admin');
	experiments := mlmeta_internal.import_experiments(schema, tables, project);
	SELECT coalesce(array_agg(q.id), '{}') INTO ids
	FROM mlmeta_internal.run_query(NULL, 'pg_catalog',
		mlmeta_internal.mlflow_source('ids', schema, tables), NULL::bigint,
		NULL::text[], NULL::text, NULL::boolean,
		(extract(epoch FROM since) * 1000)::bigint) AS q (id text);
	FOR low IN 1 .. cardinality(ids) BY batch_size LOOP
		batch := ids[low : low + batch_size - 1];
		r := mlmeta_internal.import_runs(schema, tables, batch);
		p := mlmeta_internal.import_params(schema, tables, batch);
		m := mlmeta_internal.import_points(schema, tables, batch, r.fresh);
		e := mlmeta_internal.import_edges(schema, tables, batch);
		PERFORM mlmeta_internal.import_results(schema, tables, batch, r.fresh);
		runs := runs + cardinality(r.fresh);
		params := params + p.made;
		points := points + m.made;
		edges := edges + e.made;
		FOR run IN
			SELECT DISTINCT t.run::uuid
			FROM unnest(r.changed || p.touched || m.touched || e.touched) AS t (run)
			WHERE t.run OPERATOR(mlmeta.<>) ALL (r.fresh)
		LOOP
			PERFORM mlmeta_internal.refresh_results(run);
		END LOOP;
	END LOOP;
	RETURN QUERY VALUES ('experiments', experiments), ('runs', runs),
		('params', params), ('points', points),
		('edges', edges),
		('logged models', mlmeta_internal.import_details(schema, tables)),
		('models', mlmeta_internal.import_models(schema, tables, project)),
		('stages', mlmeta_internal.import_versions(schema, tables)),
		('aliases', mlmeta_internal.import_aliases(schema, tables));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.import_mlflow(text, timestamptz, text) IS
	'copies what MLflow keeps in a schema and is not here yet, or has changed, and returns how much was new; since: runs that began, ended or were deleted later, and those that run';
