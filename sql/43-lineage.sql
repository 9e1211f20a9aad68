-- Artifacts, and the edges between them and runs: the stored lineage graph.
--
-- An edge says that a run used an artifact or produced it. What produced an
-- artifact lies upstream of it, what used it downstream. The graph has no
-- cycle: an edge that would close one is refused when it is logged.

CREATE TABLE mlmeta.artifacts (
	artifact mlmeta.artifact PRIMARY KEY,
	kind text NOT NULL GENERATED ALWAYS AS (mlmeta.kind(artifact)) STORED,
	name text NOT NULL GENERATED ALWAYS AS (mlmeta.name(artifact)) STORED,
	version text GENERATED ALWAYS AS (mlmeta.version(artifact)) STORED,
	digest text GENERATED ALWAYS AS (mlmeta.digest(artifact)) STORED,
	uri text,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	created_by text NOT NULL DEFAULT mlmeta_internal.actor()
);

CREATE INDEX artifacts_name ON mlmeta.artifacts (kind, name);
CREATE INDEX artifacts_digest ON mlmeta.artifacts (digest)
	WHERE digest IS NOT NULL;

COMMENT ON TABLE mlmeta.artifacts IS
	'artifacts that runs used or produced: one row a version';
COMMENT ON COLUMN mlmeta.artifacts.uri IS
	'where it lies, as said first; see run_artifacts for other places';
COMMENT ON COLUMN mlmeta.artifacts.created_by IS
	'the user who logged it first, as the server knows it';

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
	BEFORE UPDATE OF artifact, created_at, created_by ON mlmeta.artifacts
	FOR EACH ROW EXECUTE FUNCTION mlmeta_internal.guard_artifacts();

CREATE TRIGGER guard_artifacts_delete
	BEFORE DELETE OR TRUNCATE ON mlmeta.artifacts
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
	logged_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
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
	'where the run read or wrote it';

CREATE TRIGGER guard_run_artifacts
	BEFORE UPDATE OR DELETE OR TRUNCATE ON mlmeta.run_artifacts
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta_internal.guard_append_only();

CREATE VIEW mlmeta.lineage_edges WITH (security_invoker = true) AS
SELECT
	CASE e.direction WHEN 'used' THEN e.artifact::text ELSE e.run::text END
		AS source,
	CASE e.direction WHEN 'used' THEN e.run::text ELSE e.artifact::text END
		AS target,
	e.run, e.artifact, e.direction, e.role, e.logged_at
FROM mlmeta.run_artifacts AS e;

COMMENT ON VIEW mlmeta.lineage_edges IS
	'the stored lineage graph, one edge a row, from source to target in the direction data flows';
COMMENT ON COLUMN mlmeta.lineage_edges.source IS
	'artifact that was used, or run that produced';
COMMENT ON COLUMN mlmeta.lineage_edges.target IS
	'run that used, or artifact that was produced';

CREATE FUNCTION mlmeta.stored_lineage() RETURNS mlmeta.lineage
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
	SELECT mlmeta.lineage(e.source, e.target)
	FROM mlmeta.lineage_edges AS e
);

COMMENT ON FUNCTION mlmeta.stored_lineage() IS
	'the whole stored graph as a value, to be drawn, compared or kept; NULL when there are no edges';

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
SET enable_mergejoin = off
SET enable_nestloop = off
SET enable_sort = off
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
				FROM mlmeta.run_artifacts AS e
				WHERE e.run OPERATOR(mlmeta.=) ANY (runs)
					AND e.direction = edge
					AND (sees_all
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
				FROM mlmeta.run_artifacts AS e
				WHERE e.artifact OPERATOR(mlmeta.=) ANY (artifacts)
					AND e.direction = edge
					AND (sees_all
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
			) AS n;
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

CREATE FUNCTION mlmeta.upstream(
	origin mlmeta.run,
	max_depth int DEFAULT NULL,
	max_nodes int DEFAULT 1000000
) RETURNS TABLE (depth int, node text, via text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 100
BEGIN ATOMIC
	SELECT t.depth, t.node, t.via
	FROM mlmeta_internal.trace(origin, NULL::mlmeta.artifact,
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
	FROM mlmeta_internal.trace(NULL::mlmeta.run, origin,
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
	FROM mlmeta_internal.trace(
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
	FROM mlmeta_internal.trace(origin, NULL::mlmeta.artifact,
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
	FROM mlmeta_internal.trace(NULL::mlmeta.run, origin,
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
	FROM mlmeta_internal.trace(
		CASE WHEN mlmeta_internal.is_run(origin) THEN origin::mlmeta.run END,
		CASE WHEN NOT mlmeta_internal.is_run(origin) THEN origin::mlmeta.artifact END,
		false, max_depth, max_nodes) AS t;
END;

COMMENT ON FUNCTION mlmeta.downstream(text, int, int) IS
	'all that came out of a run or an artifact written as text, directly or not, nearest first, with the node it was reached from';

-- Logging edges ---------------------------------------------------------------

-- Rows of a subtransaction count as known: that costs a lock, nothing else.
CREATE FUNCTION mlmeta_internal.is_known(run mlmeta.run, artifact mlmeta.artifact)
RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF run IS NOT NULL THEN
		RETURN NOT EXISTS (
			SELECT FROM mlmeta.runs AS r
			WHERE r.run OPERATOR(mlmeta.=) is_known.run
				AND r.created_at = now() AND r.xmin = pg_current_xact_id()::xid
		);
	END IF;
	RETURN NOT EXISTS (
		SELECT FROM mlmeta.artifacts AS a
		WHERE a.artifact OPERATOR(mlmeta.=) is_known.artifact
			AND a.created_at = now() AND a.xmin = pg_current_xact_id()::xid
	);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.is_known(mlmeta.run, mlmeta.artifact) IS
	'whether other transactions can know a run or an artifact: false when this one made it';

CREATE FUNCTION mlmeta_internal.touches_known(
	run mlmeta.run,
	artifact mlmeta.artifact,
	upward boolean
) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- What others know is next to what they do not: the first level tells as
	-- a rule.
	RETURN mlmeta_internal.is_known(run, artifact) OR EXISTS (
		SELECT FROM mlmeta_internal.trace(run, artifact, upward, 1, NULL) AS t
		WHERE mlmeta_internal.is_known(
			CASE WHEN mlmeta_internal.is_run(t.node) THEN t.node::mlmeta.run END,
			CASE WHEN NOT mlmeta_internal.is_run(t.node)
				THEN t.node::mlmeta.artifact END)
	) OR EXISTS (
		SELECT FROM mlmeta_internal.trace(run, artifact, upward, NULL, NULL) AS t
		WHERE t.depth > 1 AND mlmeta_internal.is_known(
			CASE WHEN mlmeta_internal.is_run(t.node) THEN t.node::mlmeta.run END,
			CASE WHEN NOT mlmeta_internal.is_run(t.node)
				THEN t.node::mlmeta.artifact END)
	);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.touches_known(mlmeta.run, mlmeta.artifact, boolean)
	IS
	'whether a node of the stored lineage graph, or one upstream or downstream of it, is known to other transactions';

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
BEGIN
	PERFORM mlmeta_internal.check_running(run);
	IF artifact IS NULL THEN
		RAISE EXCEPTION 'artifact must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF edge_role <> '' THEN
		PERFORM mlmeta_internal.check_name('role', edge_role);
	END IF;

	INSERT INTO mlmeta.artifacts AS a (artifact, uri)
	VALUES (log_edge.artifact, log_edge.uri)
	ON CONFLICT DO NOTHING;
	IF NOT FOUND AND uri IS NOT NULL THEN
		UPDATE mlmeta.artifacts AS a
		SET uri = log_edge.uri
		WHERE a.artifact OPERATOR(mlmeta.=) log_edge.artifact
			AND a.uri IS NULL
			AND mlmeta_internal.sees_artifact(a.artifact);
	END IF;

	IF EXISTS (SELECT FROM mlmeta.run_artifacts AS e
			WHERE e.run OPERATOR(mlmeta.=) log_edge.run
				AND e.artifact OPERATOR(mlmeta.=) log_edge.artifact
				AND e.direction = log_edge.direction
				AND e.role = edge_role) THEN
		RETURN;
	END IF;

	-- Two edges that only together close a cycle must not be logged side by
	-- side, so edges wait for each other until commit. Not so an edge that is on
	-- no way from and to nodes that others know: either nothing of theirs leads
	-- to it, or nothing of theirs lies behind it. A training run that logs its
	-- own results in one long transaction therefore holds up nobody. (That the
	-- run is new does not do: it may join two artifacts that are not.)
	IF direction = 'used' AND mlmeta_internal.touches_known(run, NULL, false)
			AND mlmeta_internal.touches_known(NULL, artifact, true)
			OR direction = 'produced' AND mlmeta_internal.touches_known(run, NULL, true)
			AND mlmeta_internal.touches_known(NULL, artifact, false) THEN
		PERFORM pg_advisory_xact_lock(hashtextextended('mlmeta.lineage', 0));
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
	'records that a running run uses an artifact, and returns the artifact; an edge that closes a cycle is refused';

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
	'records that a running run produced an artifact and where it lies, and returns the artifact; an edge that closes a cycle is refused';
