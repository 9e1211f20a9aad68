-- Artifacts, and the edges between them and runs: the stored lineage graph.
--
-- An edge says that a run used an artifact or produced it. What produced an
-- artifact lies upstream of it, what used it downstream. The graph has no
-- cycle: an edge that would close one is refused when it is logged. Two sessions
-- that close one together, each with an edge that the other does not see, are
-- not held up for that: whoever walks the graph ends on cycles anyway.

-- As with patches: a copy for each run (or snapshot, or version) that saw none,
-- so that the first uses of one artifact do not wait for each other.
CREATE TABLE mlmeta.artifact_copies (
	artifact mlmeta.artifact NOT NULL,
	source uuid NOT NULL,
	kind text NOT NULL GENERATED ALWAYS AS (mlmeta.kind(artifact)) STORED,
	name text NOT NULL GENERATED ALWAYS AS (mlmeta.name(artifact)) STORED,
	version text GENERATED ALWAYS AS (mlmeta.version(artifact)) STORED,
	digest text GENERATED ALWAYS AS (mlmeta.digest(artifact)) STORED,
	uri text,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	created_by text NOT NULL DEFAULT mlmeta_internal.actor(),
	PRIMARY KEY (artifact, source)
);

CREATE INDEX artifact_copies_name ON mlmeta.artifact_copies (kind, name);
CREATE INDEX artifact_copies_digest ON mlmeta.artifact_copies (digest)
	WHERE digest IS NOT NULL;

COMMENT ON TABLE mlmeta.artifact_copies IS
	'artifacts as runs, snapshots and model versions named them first; read them through artifacts';
COMMENT ON COLUMN mlmeta.artifact_copies.source IS
	'the run, or the snapshot, that named it; a number of its own for a model version';
COMMENT ON COLUMN mlmeta.artifact_copies.uri IS
	'where it lies, as that one said';

-- Readers do not learn where artifacts lie: the view touches the column only for
-- who asks for it.
CREATE FUNCTION mlmeta_internal.artifact_uri(artifact mlmeta.artifact)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
	SELECT c.uri
	FROM mlmeta.artifact_copies AS c
	WHERE c.artifact OPERATOR(mlmeta.=) artifact_uri.artifact
		AND c.uri IS NOT NULL
	ORDER BY c.created_at, c.source
	LIMIT 1
);

COMMENT ON FUNCTION mlmeta_internal.artifact_uri(mlmeta.artifact) IS
	'where an artifact lies, as said first; NULL when nobody has said';

CREATE VIEW mlmeta.artifacts WITH (security_invoker = true) AS
SELECT c.artifact, c.kind, c.name, c.version, c.digest,
	mlmeta_internal.artifact_uri(c.artifact) AS uri,
	pg_catalog.min(c.created_at) AS created_at,
	(pg_catalog.array_agg(c.created_by ORDER BY c.created_at, c.source))[1]
		AS created_by
FROM mlmeta.artifact_copies AS c
GROUP BY c.artifact, c.kind, c.name, c.version, c.digest;

COMMENT ON VIEW mlmeta.artifacts IS
	'artifacts that runs used or produced: one row a version';
COMMENT ON COLUMN mlmeta.artifacts.artifact IS 'the artifact';
COMMENT ON COLUMN mlmeta.artifacts.kind IS 'kind of artifact, such as model or dataset';
COMMENT ON COLUMN mlmeta.artifacts.name IS 'its name';
COMMENT ON COLUMN mlmeta.artifacts.version IS 'its version; NULL: none';
COMMENT ON COLUMN mlmeta.artifacts.digest IS 'digest of its bytes, sha256:hex';
COMMENT ON COLUMN mlmeta.artifacts.created_at IS 'when it was logged first';
COMMENT ON COLUMN mlmeta.artifacts.uri IS
	'where it lies, as said first; see run_artifacts for the places that runs said';
COMMENT ON COLUMN mlmeta.artifacts.created_by IS
	'the user who logged it first, as the server knows it';

CREATE FUNCTION mlmeta_internal.store_artifact(
	artifact mlmeta.artifact,
	source uuid,
	uri text
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM mlmeta.artifact_copies AS c
			WHERE c.artifact OPERATOR(mlmeta.=) store_artifact.artifact
				AND (store_artifact.uri IS NULL OR c.uri IS NOT NULL)) THEN
		INSERT INTO mlmeta.artifact_copies AS c (artifact, source, uri)
		VALUES (store_artifact.artifact, store_artifact.source,
			store_artifact.uri)
		ON CONFLICT ON CONSTRAINT artifact_copies_pkey DO UPDATE
		SET uri = excluded.uri
		WHERE c.uri IS NULL;
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.store_artifact(mlmeta.artifact, uuid, text) IS
	'stores an artifact, and where it lies, unless that is there; waits for nobody but who stores it for the same source';

CREATE FUNCTION mlmeta_internal.guard_artifacts() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION 'artifact "%" cannot be changed', OLD.artifact
		USING ERRCODE = 'object_not_in_prerequisite_state',
			HINT = 'Only its uri may be set.';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.guard_artifacts() IS
	'trigger that keeps what an artifact is and who logged it';

CREATE TRIGGER guard_artifacts
	BEFORE UPDATE OF artifact, source, created_at, created_by
	ON mlmeta.artifact_copies
	FOR EACH ROW EXECUTE FUNCTION mlmeta_internal.guard_artifacts();

CREATE TRIGGER guard_artifacts_delete
	BEFORE DELETE OR TRUNCATE ON mlmeta.artifact_copies
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta_internal.guard_append_only();

-- What row security says of artifacts, for functions that it does not hold for.
CREATE FUNCTION mlmeta_internal.sees_artifact(artifact mlmeta.artifact)
RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN mlmeta_internal.all_open()
		OR EXISTS (SELECT FROM mlmeta.run_artifacts AS a
			WHERE a.artifact OPERATOR(mlmeta.=) sees_artifact.artifact
				AND mlmeta_internal.permits_run('reader', a.run))
		OR EXISTS (SELECT FROM mlmeta.model_versions AS v
			WHERE v.artifact OPERATOR(mlmeta.=) sees_artifact.artifact
				AND mlmeta_internal.permits_model('reader', v.model_id))
		OR EXISTS (SELECT FROM mlmeta.dataset_snapshots AS s
			WHERE s.artifact OPERATOR(mlmeta.=) sees_artifact.artifact
				AND mlmeta_internal.acts_for(s.owner_id));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.sees_artifact(mlmeta.artifact) IS
	'whether the caller may see an artifact: it belongs to a run, model version or snapshot that he sees';

CREATE TABLE mlmeta.run_artifacts (
	run mlmeta.run NOT NULL,
	artifact mlmeta.artifact NOT NULL,
	direction text NOT NULL
		CHECK (direction = ANY (ARRAY['used', 'produced'])),
	role text NOT NULL DEFAULT '' CHECK (role = '' OR mlmeta_internal.is_name(role)),
	uri text,
	logged_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	PRIMARY KEY (run, direction, artifact, role)
);

CREATE INDEX run_artifacts_artifact ON mlmeta.run_artifacts
	(artifact, direction, run);

COMMENT ON TABLE mlmeta.run_artifacts IS
	'edges of the lineage graph: which run used or produced which artifact';
COMMENT ON COLUMN mlmeta.run_artifacts.direction IS
	'used: the artifact went into the run; produced: it came out of it';
COMMENT ON COLUMN mlmeta.run_artifacts.role IS
	'what the artifact was to the run, such as training, validation, checkpoint; empty when not said';
COMMENT ON COLUMN mlmeta.run_artifacts.uri IS
	'where the run read or wrote it, as it said last; what it said before is in artifact_places';

CREATE TRIGGER guard_run_artifacts
	BEFORE DELETE OR TRUNCATE ON mlmeta.run_artifacts
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta_internal.guard_append_only();

CREATE TRIGGER guard_run_artifacts_update
	BEFORE UPDATE OF run, artifact, direction, role ON mlmeta.run_artifacts
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta_internal.guard_append_only();

CREATE TABLE mlmeta.artifact_places (
	run mlmeta.run NOT NULL,
	artifact mlmeta.artifact NOT NULL,
	direction text NOT NULL,
	role text NOT NULL,
	uri text NOT NULL,
	logged_at timestamptz NOT NULL,
	PRIMARY KEY (run, artifact, direction, role, logged_at)
);

COMMENT ON TABLE mlmeta.artifact_places IS
	'where runs said that an artifact lies, before they said another place';
COMMENT ON COLUMN mlmeta.artifact_places.logged_at IS
	'when the run said so';

CREATE TRIGGER guard_artifact_places
	BEFORE UPDATE OR DELETE OR TRUNCATE ON mlmeta.artifact_places
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta_internal.guard_append_only();

CREATE VIEW mlmeta.lineage_edges WITH (security_invoker = true) AS
SELECT
	CASE e.direction WHEN 'used' THEN e.artifact::text ELSE e.run::text END
		AS source,
	CASE e.direction WHEN 'used' THEN e.run::text ELSE e.artifact::text END
		AS target,
	e.run, e.artifact, e.direction, e.role, e.logged_at
FROM mlmeta.run_artifacts AS e
	JOIN mlmeta.runs AS r ON r.run OPERATOR(mlmeta.=) e.run
	JOIN mlmeta.experiments AS x ON x.experiment_id = r.experiment_id
WHERE r.deleted_at IS NULL AND x.deleted_at IS NULL;

COMMENT ON VIEW mlmeta.lineage_edges IS
	'the stored lineage graph without deleted runs, one edge a row, from source to target in the direction data flows';
COMMENT ON COLUMN mlmeta.lineage_edges.run IS 'the run';
COMMENT ON COLUMN mlmeta.lineage_edges.artifact IS 'the artifact';
COMMENT ON COLUMN mlmeta.lineage_edges.direction IS 'used or produced';
COMMENT ON COLUMN mlmeta.lineage_edges.role IS 'what the artifact was to the run; empty when not said';
COMMENT ON COLUMN mlmeta.lineage_edges.logged_at IS 'when it was logged';
COMMENT ON COLUMN mlmeta.lineage_edges.source IS
	'artifact that was used, or run that produced';
COMMENT ON COLUMN mlmeta.lineage_edges.target IS
	'run that used, or artifact that was produced';

-- No body parsed at installation: pg_upgrade would restore the view that it reads
-- with it, before the operators that the view needs.
CREATE FUNCTION mlmeta.stored_lineage() RETURNS mlmeta.lineage
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT mlmeta.lineage(e.source, e.target)
		FROM mlmeta.lineage_edges AS e
	);
END
$$;

COMMENT ON FUNCTION mlmeta.stored_lineage() IS
	'the whole stored graph as a value, to be drawn, compared or kept; NULL when there are no edges';

-- What searches go along; with attached schemas, theirs too (part 82).
CREATE VIEW mlmeta_internal.lineage_links WITH (security_invoker = true) AS
SELECT e.run, e.artifact, e.direction, true AS is_ours
FROM mlmeta.run_artifacts AS e;

COMMENT ON VIEW mlmeta_internal.lineage_links IS
	'the edges of the stored lineage graph, and whether a run of ours says so';

-- Traversal -------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.too_many_nodes(max_nodes int) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION 'lineage search found more than % nodes', max_nodes
		USING ERRCODE = 'program_limit_exceeded',
			HINT = 'Limit the depth, or allow more with max_nodes.';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.too_many_nodes(int) IS
	'raises the error for a lineage search that goes beyond its limit';

CREATE FUNCTION mlmeta_internal.trace(
	start_run mlmeta.run,
	start_artifact mlmeta.artifact,
	upward boolean,
	max_depth int,
	max_nodes int,
	within text DEFAULT NULL
) RETURNS TABLE (depth int, node text, via text)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100
SET search_path = pg_catalog, pg_temp
-- The planner knows the size of no array: all is to be hashed, nothing sorted.
-- What cannot do without looks dear then, and would be compiled each time.
SET enable_mergejoin = off
SET enable_nestloop = off
SET enable_sort = off
SET jit = off
AS $$
DECLARE
	-- Runs and artifacts alternate: each level is of one kind.
	at_runs boolean := start_run IS NOT NULL;
	runs mlmeta.run[] := ARRAY[start_run];
	artifacts mlmeta.artifact[] := ARRAY[start_artifact];
	seen_runs mlmeta.run[] := runs;
	seen_artifacts mlmeta.artifact[] := artifacts;
	edge text;
	nodes text[];
	vias text[];
	level int := 0;
	total bigint := 0;
	compared bigint := 0;
	rest bigint;
	-- Behind the door row security does not hold.
	sees_all boolean := mlmeta_internal.all_open();
BEGIN
	IF max_depth < 0 OR max_nodes < 0 THEN
		RAISE EXCEPTION 'limits of a lineage search must not be negative'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF at_runs AND EXISTS (SELECT FROM mlmeta.runs AS r
			WHERE r.run OPERATOR(mlmeta.=) start_run AND (
				r.deleted_at IS NOT NULL OR (
					SELECT x.deleted_at
					FROM mlmeta.experiments AS x
					WHERE x.experiment_id = r.experiment_id
				) IS NOT NULL)) THEN
		RETURN;
	END IF;

	WHILE max_depth IS NULL OR level < max_depth LOOP
		-- Each level compares with all that was seen, which is quick while the
		-- graph is wide and not while it is deep. A search that goes on gets
		-- the whole graph in memory instead, and time linear in its edges.
		compared := compared + cardinality(seen_runs)
			+ cardinality(seen_artifacts);
		IF compared > 1000000 AND within IS NULL THEN
			IF upward THEN
				RETURN QUERY SELECT u.depth, u.node, u.via
				FROM mlmeta.upstream(mlmeta.stored_lineage(),
					coalesce(start_run::text, start_artifact::text),
					max_depth) AS u
				WHERE u.depth > level;
			ELSE
				RETURN QUERY SELECT d.depth, d.node, d.via
				FROM mlmeta.downstream(mlmeta.stored_lineage(),
					coalesce(start_run::text, start_artifact::text),
					max_depth) AS d
				WHERE d.depth > level;
			END IF;
			GET DIAGNOSTICS rest = ROW_COUNT;
			total := total + rest;
			IF total > max_nodes THEN
				PERFORM mlmeta_internal.too_many_nodes(max_nodes);
			END IF;
			RETURN;
		END IF;

		level := level + 1;
		edge := CASE WHEN at_runs = upward THEN 'used' ELSE 'produced' END;
		IF at_runs THEN
			SELECT array_agg(n.artifact), array_agg(n.artifact::text),
				array_agg(n.via::text)
			INTO artifacts, nodes, vias
			FROM (
				SELECT e.artifact, mlmeta.min(e.run) AS via
				FROM mlmeta_internal.lineage_links AS e
				WHERE e.run OPERATOR(mlmeta.=) ANY (runs)
					AND e.direction = edge
					AND (sees_all OR NOT e.is_ours
						OR mlmeta_internal.permits_run('reader', e.run))
					AND (within IS NULL OR EXISTS (
						SELECT
						FROM mlmeta.runs AS r
							JOIN mlmeta.experiments AS x
								ON x.experiment_id = r.experiment_id
						WHERE r.run OPERATOR(mlmeta.=) e.run
							AND x.project = within))
					AND NOT EXISTS (
						SELECT FROM unnest(seen_artifacts) AS s (artifact)
						WHERE s.artifact OPERATOR(mlmeta.=) e.artifact
					)
				GROUP BY e.artifact
			) AS n;
			seen_artifacts := seen_artifacts || artifacts;
		ELSE
			SELECT array_agg(n.run), array_agg(n.run::text),
				array_agg(n.via::text)
			INTO runs, nodes, vias
			FROM (
				SELECT e.run, mlmeta.min(e.artifact) AS via
				FROM mlmeta_internal.lineage_links AS e
				WHERE e.artifact OPERATOR(mlmeta.=) ANY (artifacts)
					AND e.direction = edge
					AND (sees_all OR NOT e.is_ours
						OR mlmeta_internal.permits_run('reader', e.run))
					AND (within IS NULL OR EXISTS (
						SELECT
						FROM mlmeta.runs AS r
							JOIN mlmeta.experiments AS x
								ON x.experiment_id = r.experiment_id
						WHERE r.run OPERATOR(mlmeta.=) e.run
							AND x.project = within))
					AND NOT EXISTS (
						SELECT FROM unnest(seen_runs) AS s (run)
						WHERE s.run OPERATOR(mlmeta.=) e.run
					)
				GROUP BY e.run
			) AS n
			-- One look-up each, and no joins: those would be hashed. What attached
			-- schemas say of runs is about none of ours.
			WHERE coalesce((
				SELECT r.deleted_at IS NULL AND (
					SELECT x.deleted_at IS NULL
					FROM mlmeta.experiments AS x
					WHERE x.experiment_id = r.experiment_id
				)
				FROM mlmeta.runs AS r
				WHERE r.run OPERATOR(mlmeta.=) n.run
			), true);
			seen_runs := seen_runs || runs;
		END IF;
		EXIT WHEN nodes IS NULL;

		total := total + cardinality(nodes);
		IF total > max_nodes THEN
			PERFORM mlmeta_internal.too_many_nodes(max_nodes);
		END IF;
		RETURN QUERY SELECT level, n.node, n.via
		FROM unnest(nodes, vias) AS n (node, via)
		ORDER BY n.node COLLATE "C";
		at_runs := NOT at_runs;
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.trace(mlmeta.run, mlmeta.artifact, boolean, int,
	int, text) IS
	'breadth-first search through the stored lineage graph from a run or an artifact, upstream or downstream; within: along the edges of one project alone';

CREATE FUNCTION mlmeta_internal.is_run(node text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN pg_catalog.strpos(node, ':') = 0;

COMMENT ON FUNCTION mlmeta_internal.is_run(text) IS
	'whether a node of the lineage graph, written as text, is a run: an artifact has a colon after its kind';

CREATE FUNCTION mlmeta_internal.find_artifact(artifact mlmeta.artifact)
RETURNS mlmeta.artifact
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	same mlmeta.artifact[];
BEGIN
	IF artifact IS NULL THEN
		RAISE EXCEPTION 'artifact must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	ELSIF EXISTS (SELECT FROM mlmeta.artifact_copies AS c
			WHERE c.artifact OPERATOR(mlmeta.=) find_artifact.artifact)
			AND mlmeta_internal.sees_artifact(artifact) THEN
		RETURN artifact;
	END IF;

	-- Named without its digest it is the one version that has it.
	IF mlmeta.digest(artifact) IS NULL THEN
		SELECT array_agg(a.artifact) INTO same
		FROM (
			SELECT a.artifact
			FROM mlmeta.artifacts AS a
			WHERE a.kind = mlmeta.kind(find_artifact.artifact)
				AND a.name = mlmeta.name(find_artifact.artifact)
				AND a.version IS NOT DISTINCT FROM
					mlmeta.version(find_artifact.artifact)
				AND mlmeta_internal.sees_artifact(a.artifact)
			ORDER BY a.created_at
			LIMIT 4
		) AS a;
	END IF;
	IF cardinality(same) > 1 THEN
		RAISE EXCEPTION 'artifact "%" is several', artifact
			USING ERRCODE = 'ambiguous_parameter',
				DETAIL = format('They are %s.', array_to_string(same[:3], ', ')
					|| CASE WHEN cardinality(same) > 3 THEN ' and others'
						ELSE '' END),
				HINT = 'Name one with its digest.';
	ELSIF same IS NULL THEN
		RAISE EXCEPTION 'artifact "%" does not exist', artifact
			USING ERRCODE = 'undefined_object', HINT = mlmeta_internal.near_names(
				artifact::text, (
					SELECT array_agg(a.artifact::text)
					FROM mlmeta.artifacts AS a
					WHERE a.kind = mlmeta.kind(find_artifact.artifact)
						AND mlmeta_internal.sees_artifact(a.artifact)
				));
	END IF;
	RETURN same[1];
END
$$;

COMMENT ON FUNCTION mlmeta_internal.find_artifact(mlmeta.artifact) IS
	'an artifact that is there: itself, or without a digest the one version that has one; raises an error that says what is near when there is none';

CREATE FUNCTION mlmeta_internal.trace_from(
	origin_run mlmeta.run,
	origin_artifact mlmeta.artifact,
	upward boolean,
	max_depth int,
	max_nodes int
) RETURNS TABLE (depth int, node text, via text)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF origin_run IS NOT NULL THEN
		PERFORM mlmeta_internal.check_known(origin_run);
	ELSE
		origin_artifact := mlmeta_internal.find_artifact(origin_artifact);
	END IF;
	RETURN QUERY SELECT t.depth, t.node, t.via
	FROM mlmeta_internal.trace(origin_run, origin_artifact, upward, max_depth, max_nodes)
		AS t;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.trace_from(mlmeta.run, mlmeta.artifact, boolean,
	int, int) IS
	'trace() from a node that must be there';

CREATE FUNCTION mlmeta.upstream(
	origin mlmeta.run,
	max_depth int DEFAULT NULL,
	max_nodes int DEFAULT 1000000
) RETURNS TABLE (depth int, node text, via text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 100
BEGIN ATOMIC
	SELECT t.depth, t.node, t.via
	FROM mlmeta_internal.trace_from(origin, NULL::mlmeta.artifact,
		true, max_depth, max_nodes) AS t;
END;

COMMENT ON FUNCTION mlmeta.upstream(mlmeta.run, int, int) IS
	'all that went into a run, directly or not, nearest first, with the node it was reached from';

CREATE FUNCTION mlmeta.upstream(
	origin mlmeta.artifact,
	max_depth int DEFAULT NULL,
	max_nodes int DEFAULT 1000000
) RETURNS TABLE (depth int, node text, via text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 100
BEGIN ATOMIC
	SELECT t.depth, t.node, t.via
	FROM mlmeta_internal.trace_from(NULL::mlmeta.run, origin,
		true, max_depth, max_nodes) AS t;
END;

COMMENT ON FUNCTION mlmeta.upstream(mlmeta.artifact, int, int) IS
	'all that went into an artifact, directly or not, nearest first, with the node it was reached from';

CREATE FUNCTION mlmeta.upstream(
	origin text,
	max_depth int DEFAULT NULL,
	max_nodes int DEFAULT 1000000
) RETURNS TABLE (depth int, node text, via text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 100
BEGIN ATOMIC
	SELECT t.depth, t.node, t.via
	FROM mlmeta_internal.trace_from(
		CASE WHEN mlmeta_internal.is_run(origin) THEN origin::mlmeta.run END,
		CASE WHEN NOT mlmeta_internal.is_run(origin) THEN origin::mlmeta.artifact END,
		true, max_depth, max_nodes) AS t;
END;

COMMENT ON FUNCTION mlmeta.upstream(text, int, int) IS
	'all that went into a run or an artifact written as text, directly or not, nearest first, with the node it was reached from';

CREATE FUNCTION mlmeta.downstream(
	origin mlmeta.run,
	max_depth int DEFAULT NULL,
	max_nodes int DEFAULT 1000000
) RETURNS TABLE (depth int, node text, via text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 100
BEGIN ATOMIC
	SELECT t.depth, t.node, t.via
	FROM mlmeta_internal.trace_from(origin, NULL::mlmeta.artifact,
		false, max_depth, max_nodes) AS t;
END;

COMMENT ON FUNCTION mlmeta.downstream(mlmeta.run, int, int) IS
	'all that came out of a run, directly or not, nearest first, with the node it was reached from';

CREATE FUNCTION mlmeta.downstream(
	origin mlmeta.artifact,
	max_depth int DEFAULT NULL,
	max_nodes int DEFAULT 1000000
) RETURNS TABLE (depth int, node text, via text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 100
BEGIN ATOMIC
	SELECT t.depth, t.node, t.via
	FROM mlmeta_internal.trace_from(NULL::mlmeta.run, origin,
		false, max_depth, max_nodes) AS t;
END;

COMMENT ON FUNCTION mlmeta.downstream(mlmeta.artifact, int, int) IS
	'all that came out of an artifact, directly or not, nearest first, with the node it was reached from';

CREATE FUNCTION mlmeta.downstream(
	origin text,
	max_depth int DEFAULT NULL,
	max_nodes int DEFAULT 1000000
) RETURNS TABLE (depth int, node text, via text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 100
BEGIN ATOMIC
	SELECT t.depth, t.node, t.via
	FROM mlmeta_internal.trace_from(
		CASE WHEN mlmeta_internal.is_run(origin) THEN origin::mlmeta.run END,
		CASE WHEN NOT mlmeta_internal.is_run(origin) THEN origin::mlmeta.artifact END,
		false, max_depth, max_nodes) AS t;
END;

COMMENT ON FUNCTION mlmeta.downstream(text, int, int) IS
	'all that came out of a run or an artifact written as text, directly or not, nearest first, with the node it was reached from';

-- Logging edges ---------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.move_artifact(
	run mlmeta.run,
	artifact mlmeta.artifact,
	direction text,
	role text,
	uri text
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old record;
BEGIN
	SELECT e.uri, e.logged_at INTO old
	FROM mlmeta.run_artifacts AS e
	WHERE e.run OPERATOR(mlmeta.=) move_artifact.run
		AND e.artifact OPERATOR(mlmeta.=) move_artifact.artifact
		AND e.direction = move_artifact.direction
		AND e.role = move_artifact.role
	FOR NO KEY UPDATE;
	UPDATE mlmeta.run_artifacts AS e
	SET uri = move_artifact.uri, logged_at = clock_timestamp()
	WHERE e.run OPERATOR(mlmeta.=) move_artifact.run
		AND e.artifact OPERATOR(mlmeta.=) move_artifact.artifact
		AND e.direction = move_artifact.direction
		AND e.role = move_artifact.role;
	IF old.uri IS NOT NULL THEN
		INSERT INTO mlmeta.artifact_places (run, artifact, direction, role, uri,
			logged_at)
		VALUES (move_artifact.run, move_artifact.artifact,
			move_artifact.direction, move_artifact.role, old.uri, old.logged_at)
		ON CONFLICT DO NOTHING;
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.move_artifact(mlmeta.run, mlmeta.artifact, text,
	text, text) IS
	'notes that a run read or wrote an artifact at another place than it said before';

CREATE FUNCTION mlmeta_internal.log_edge(
	run mlmeta.run,
	artifact mlmeta.artifact,
	direction text,
	role text,
	uri text
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	closed boolean;
	-- What others say in their projects cannot close ours to an edge; readers
	-- come to an end on cycles that lead through several.
	project text := (SELECT x.project
		FROM mlmeta.runs AS r
			JOIN mlmeta.experiments AS x ON x.experiment_id = r.experiment_id
		WHERE r.run OPERATOR(mlmeta.=) log_edge.run);
	edge_role text := coalesce(role, '');
	old record;
BEGIN
	PERFORM mlmeta_internal.accept_facts(run);
	IF artifact IS NULL THEN
		RAISE EXCEPTION 'artifact must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF edge_role <> '' THEN
		PERFORM mlmeta_internal.check_name('role', edge_role);
	END IF;
	PERFORM mlmeta_internal.store_artifact(artifact, run::uuid, uri);

	SELECT e.uri INTO old
	FROM mlmeta.run_artifacts AS e
	WHERE e.run OPERATOR(mlmeta.=) log_edge.run
		AND e.artifact OPERATOR(mlmeta.=) log_edge.artifact
		AND e.direction = log_edge.direction AND e.role = edge_role;
	IF FOUND THEN
		-- At another place: the last one counts, the others stay on record.
		IF old.uri IS DISTINCT FROM coalesce(uri, old.uri) THEN
			PERFORM mlmeta_internal.move_artifact(run, artifact, direction, edge_role,
				uri);
		END IF;
		RETURN;
	END IF;

	IF direction = 'used' THEN
		closed := EXISTS (SELECT FROM mlmeta_internal.trace(run, NULL, false, NULL, NULL,
			project) AS t WHERE t.node = artifact::text);
	ELSE
		closed := EXISTS (SELECT FROM mlmeta_internal.trace(NULL, artifact, false, NULL,
			NULL, project) AS t WHERE t.node = run::text);
	END IF;
	IF closed THEN
		RAISE EXCEPTION 'run "%" cannot have % artifact "%": the lineage would have a cycle',
				run, direction, artifact
			USING ERRCODE = 'check_violation',
				DETAIL = CASE direction
					WHEN 'used' THEN 'The artifact came out of that run, directly or not.'
					ELSE 'The artifact went into that run, directly or not.' END,
				HINT = 'Log what comes out as another version of the artifact.';
	END IF;

	INSERT INTO mlmeta.run_artifacts (run, artifact, direction, role, uri)
	VALUES (log_edge.run, log_edge.artifact, log_edge.direction, edge_role,
		log_edge.uri)
	ON CONFLICT DO NOTHING;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.log_edge(mlmeta.run, mlmeta.artifact, text, text,
	text) IS
	'what use_artifact() and log_artifact() have in common';

CREATE FUNCTION mlmeta_internal.use_artifact(
	run mlmeta.run,
	artifact mlmeta.artifact,
	role text DEFAULT NULL
) RETURNS mlmeta.artifact
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.log_edge(run, artifact, 'used', role, NULL);
	RETURN artifact;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.use_artifact(mlmeta.run, mlmeta.artifact, text) IS
	'records that a run uses an artifact, and returns the artifact; an edge that closes a cycle is refused; waits for nobody';

CREATE FUNCTION mlmeta_internal.log_artifact(
	run mlmeta.run,
	artifact mlmeta.artifact,
	uri text DEFAULT NULL,
	role text DEFAULT NULL
) RETURNS mlmeta.artifact
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.log_edge(run, artifact, 'produced', role, uri);
	RETURN artifact;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.log_artifact(mlmeta.run, mlmeta.artifact, text,
	text) IS
	'records that a run produced an artifact and where it lies, and returns the artifact; again at another place: the last one counts; an edge that closes a cycle is refused; waits for nobody';
