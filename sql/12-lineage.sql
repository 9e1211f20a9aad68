-- The type lineage: a provenance graph as a value.

CREATE TYPE mlmeta.lineage;

CREATE FUNCTION mlmeta_internal.lineage_in(value cstring) RETURNS mlmeta.lineage
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_in';
COMMENT ON FUNCTION mlmeta_internal.lineage_in(cstring) IS 'input function of lineage';

CREATE FUNCTION mlmeta_internal.lineage_out(value mlmeta.lineage) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_out';
COMMENT ON FUNCTION mlmeta_internal.lineage_out(mlmeta.lineage) IS
	'output function of lineage';

CREATE FUNCTION mlmeta_internal.lineage_recv(value internal) RETURNS mlmeta.lineage
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_recv';
COMMENT ON FUNCTION mlmeta_internal.lineage_recv(internal) IS
	'binary input function of lineage';

CREATE FUNCTION mlmeta_internal.lineage_send(value mlmeta.lineage) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_send';
COMMENT ON FUNCTION mlmeta_internal.lineage_send(mlmeta.lineage) IS
	'binary output function of lineage';

CREATE TYPE mlmeta.lineage (
	INPUT = mlmeta_internal.lineage_in,
	OUTPUT = mlmeta_internal.lineage_out,
	RECEIVE = mlmeta_internal.lineage_recv,
	SEND = mlmeta_internal.lineage_send,
	INTERNALLENGTH = VARIABLE,
	STORAGE = extended
);
COMMENT ON TYPE mlmeta.lineage IS
	'provenance graph: runs and artifacts, and edges in the direction in which data flow';

CREATE FUNCTION mlmeta_internal.lineage_transition(state mlmeta.lineage,
	source mlmeta.run, target mlmeta.run) RETURNS mlmeta.lineage
	LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_run_run';
COMMENT ON FUNCTION mlmeta_internal.lineage_transition(mlmeta.lineage, mlmeta.run, mlmeta.run) IS
	'transition function of lineage(run, run)';

CREATE FUNCTION mlmeta_internal.lineage_transition(state mlmeta.lineage,
	source mlmeta.run, target mlmeta.artifact) RETURNS mlmeta.lineage
	LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_run_artifact';
COMMENT ON FUNCTION mlmeta_internal.lineage_transition(mlmeta.lineage, mlmeta.run, mlmeta.artifact) IS
	'transition function of lineage(run, artifact)';

CREATE FUNCTION mlmeta_internal.lineage_transition(state mlmeta.lineage,
	source mlmeta.run, target text) RETURNS mlmeta.lineage
	LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_run_text';
COMMENT ON FUNCTION mlmeta_internal.lineage_transition(mlmeta.lineage, mlmeta.run, text) IS
	'transition function of lineage(run, text)';

CREATE FUNCTION mlmeta_internal.lineage_transition(state mlmeta.lineage,
	source mlmeta.artifact, target mlmeta.run) RETURNS mlmeta.lineage
	LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_artifact_run';
COMMENT ON FUNCTION mlmeta_internal.lineage_transition(mlmeta.lineage, mlmeta.artifact, mlmeta.run) IS
	'transition function of lineage(artifact, run)';

CREATE FUNCTION mlmeta_internal.lineage_transition(state mlmeta.lineage,
	source mlmeta.artifact, target mlmeta.artifact) RETURNS mlmeta.lineage
	LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_artifact_artifact';
COMMENT ON FUNCTION mlmeta_internal.lineage_transition(mlmeta.lineage, mlmeta.artifact, mlmeta.artifact) IS
	'transition function of lineage(artifact, artifact)';

CREATE FUNCTION mlmeta_internal.lineage_transition(state mlmeta.lineage,
	source mlmeta.artifact, target text) RETURNS mlmeta.lineage
	LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_artifact_text';
COMMENT ON FUNCTION mlmeta_internal.lineage_transition(mlmeta.lineage, mlmeta.artifact, text) IS
	'transition function of lineage(artifact, text)';

CREATE FUNCTION mlmeta_internal.lineage_transition(state mlmeta.lineage,
	source text, target mlmeta.run) RETURNS mlmeta.lineage
	LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_text_run';
COMMENT ON FUNCTION mlmeta_internal.lineage_transition(mlmeta.lineage, text, mlmeta.run) IS
	'transition function of lineage(text, run)';

CREATE FUNCTION mlmeta_internal.lineage_transition(state mlmeta.lineage,
	source text, target mlmeta.artifact) RETURNS mlmeta.lineage
	LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_text_artifact';
COMMENT ON FUNCTION mlmeta_internal.lineage_transition(mlmeta.lineage, text, mlmeta.artifact) IS
	'transition function of lineage(text, artifact)';

CREATE FUNCTION mlmeta_internal.lineage_transition(state mlmeta.lineage,
	source text, target text) RETURNS mlmeta.lineage
	LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_text_text';
COMMENT ON FUNCTION mlmeta_internal.lineage_transition(mlmeta.lineage, text, text) IS
	'transition function of lineage(text, text)';

CREATE FUNCTION mlmeta_internal.lineage_combine(state mlmeta.lineage, value mlmeta.lineage)
	RETURNS mlmeta.lineage
	LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_combine';
COMMENT ON FUNCTION mlmeta_internal.lineage_combine(mlmeta.lineage, mlmeta.lineage) IS
	'transition function of merge(lineage), combination of all its aggregates';

CREATE AGGREGATE mlmeta.lineage(source mlmeta.run, target mlmeta.run) (
	SFUNC = mlmeta_internal.lineage_transition, STYPE = mlmeta.lineage,
	COMBINEFUNC = mlmeta_internal.lineage_combine, SSPACE = 16384, PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.lineage(mlmeta.run, mlmeta.run) IS
	'graph of all edges from source to target; rows with a NULL add none';

CREATE AGGREGATE mlmeta.lineage(source mlmeta.run, target mlmeta.artifact) (
	SFUNC = mlmeta_internal.lineage_transition, STYPE = mlmeta.lineage,
	COMBINEFUNC = mlmeta_internal.lineage_combine, SSPACE = 16384, PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.lineage(mlmeta.run, mlmeta.artifact) IS
	'graph of all edges from source to target; rows with a NULL add none';

CREATE AGGREGATE mlmeta.lineage(source mlmeta.run, target text) (
	SFUNC = mlmeta_internal.lineage_transition, STYPE = mlmeta.lineage,
	COMBINEFUNC = mlmeta_internal.lineage_combine, SSPACE = 16384, PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.lineage(mlmeta.run, text) IS
	'graph of all edges from source to target; rows with a NULL add none; text is read as a run or an artifact';

CREATE AGGREGATE mlmeta.lineage(source mlmeta.artifact, target mlmeta.run) (
	SFUNC = mlmeta_internal.lineage_transition, STYPE = mlmeta.lineage,
	COMBINEFUNC = mlmeta_internal.lineage_combine, SSPACE = 16384, PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.lineage(mlmeta.artifact, mlmeta.run) IS
	'graph of all edges from source to target; rows with a NULL add none';

CREATE AGGREGATE mlmeta.lineage(source mlmeta.artifact, target mlmeta.artifact) (
	SFUNC = mlmeta_internal.lineage_transition, STYPE = mlmeta.lineage,
	COMBINEFUNC = mlmeta_internal.lineage_combine, SSPACE = 16384, PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.lineage(mlmeta.artifact, mlmeta.artifact) IS
	'graph of all edges from source to target; rows with a NULL add none';

CREATE AGGREGATE mlmeta.lineage(source mlmeta.artifact, target text) (
	SFUNC = mlmeta_internal.lineage_transition, STYPE = mlmeta.lineage,
	COMBINEFUNC = mlmeta_internal.lineage_combine, SSPACE = 16384, PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.lineage(mlmeta.artifact, text) IS
	'graph of all edges from source to target; rows with a NULL add none; text is read as a run or an artifact';

CREATE AGGREGATE mlmeta.lineage(source text, target mlmeta.run) (
	SFUNC = mlmeta_internal.lineage_transition, STYPE = mlmeta.lineage,
	COMBINEFUNC = mlmeta_internal.lineage_combine, SSPACE = 16384, PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.lineage(text, mlmeta.run) IS
	'graph of all edges from source to target; rows with a NULL add none; text is read as a run or an artifact';

CREATE AGGREGATE mlmeta.lineage(source text, target mlmeta.artifact) (
	SFUNC = mlmeta_internal.lineage_transition, STYPE = mlmeta.lineage,
	COMBINEFUNC = mlmeta_internal.lineage_combine, SSPACE = 16384, PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.lineage(text, mlmeta.artifact) IS
	'graph of all edges from source to target; rows with a NULL add none; text is read as a run or an artifact';

CREATE AGGREGATE mlmeta.lineage(source text, target text) (
	SFUNC = mlmeta_internal.lineage_transition, STYPE = mlmeta.lineage,
	COMBINEFUNC = mlmeta_internal.lineage_combine, SSPACE = 16384, PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.lineage(text, text) IS
	'graph of all edges from source to target; rows with a NULL add none; text is read as a run or an artifact';

CREATE AGGREGATE mlmeta.merge(value mlmeta.lineage) (
	SFUNC = mlmeta_internal.lineage_combine, STYPE = mlmeta.lineage,
	COMBINEFUNC = mlmeta_internal.lineage_combine, SSPACE = 16384, PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.merge(mlmeta.lineage) IS
	'graph of the edges of all graphs; NULLs are left out';

CREATE FUNCTION mlmeta.plus(a mlmeta.lineage, b mlmeta.lineage)
	RETURNS mlmeta.lineage
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_plus';
COMMENT ON FUNCTION mlmeta.plus(mlmeta.lineage, mlmeta.lineage) IS
	'the edges of both graphs';

CREATE FUNCTION mlmeta.minus(a mlmeta.lineage, b mlmeta.lineage)
	RETURNS mlmeta.lineage
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_minus';
COMMENT ON FUNCTION mlmeta.minus(mlmeta.lineage, mlmeta.lineage) IS
	'the edges of a that are not in b';

CREATE OPERATOR mlmeta.+ (
	LEFTARG = mlmeta.lineage, RIGHTARG = mlmeta.lineage,
	FUNCTION = mlmeta.plus, COMMUTATOR = OPERATOR(mlmeta.+)
);
COMMENT ON OPERATOR mlmeta.+ (mlmeta.lineage, mlmeta.lineage) IS
	'union of two graphs';

CREATE OPERATOR mlmeta.- (
	LEFTARG = mlmeta.lineage, RIGHTARG = mlmeta.lineage,
	FUNCTION = mlmeta.minus
);
COMMENT ON OPERATOR mlmeta.- (mlmeta.lineage, mlmeta.lineage) IS
	'edges of the left graph that are not in the right one';

CREATE FUNCTION mlmeta.n_nodes(lineage mlmeta.lineage) RETURNS int
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_n_nodes';
COMMENT ON FUNCTION mlmeta.n_nodes(mlmeta.lineage) IS
	'number of nodes';

CREATE FUNCTION mlmeta.n_edges(lineage mlmeta.lineage) RETURNS int
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_n_edges';
COMMENT ON FUNCTION mlmeta.n_edges(mlmeta.lineage) IS
	'number of edges';

CREATE FUNCTION mlmeta.nodes(lineage mlmeta.lineage)
	RETURNS TABLE (node text, kind text, level int,
	n_sources int, n_targets int)
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_nodes';
COMMENT ON FUNCTION mlmeta.nodes(mlmeta.lineage) IS
	'every node: run or kind of artifact, longest way from a root (NULL on or behind a cycle), edges to and from it';

CREATE FUNCTION mlmeta.edges(lineage mlmeta.lineage)
	RETURNS TABLE (source text, target text, relation text)
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_edges';
COMMENT ON FUNCTION mlmeta.edges(mlmeta.lineage) IS
	'every edge: an artifact was used by a run, a run produced an artifact, triggered a run, an artifact was derived';

CREATE FUNCTION mlmeta.roots(lineage mlmeta.lineage) RETURNS SETOF text
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_roots';
COMMENT ON FUNCTION mlmeta.roots(mlmeta.lineage) IS
	'nodes that no edge leads to';

CREATE FUNCTION mlmeta.leaves(lineage mlmeta.lineage) RETURNS SETOF text
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_leaves';
COMMENT ON FUNCTION mlmeta.leaves(mlmeta.lineage) IS
	'nodes that no edge leaves';

CREATE FUNCTION mlmeta.depth(lineage mlmeta.lineage) RETURNS int
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_depth';
COMMENT ON FUNCTION mlmeta.depth(mlmeta.lineage) IS
	'number of edges on the longest way; NULL if there is a cycle';

CREATE FUNCTION mlmeta.has_cycle(lineage mlmeta.lineage) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_has_cycle';
COMMENT ON FUNCTION mlmeta.has_cycle(mlmeta.lineage) IS
	'whether a way leads from a node back to itself';

CREATE FUNCTION mlmeta.cycle(lineage mlmeta.lineage) RETURNS text[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_cycle';
COMMENT ON FUNCTION mlmeta.cycle(mlmeta.lineage) IS
	'the nodes of one cycle in the direction of its edges; NULL if there is none';

CREATE FUNCTION mlmeta.upstream(lineage mlmeta.lineage, node mlmeta.run,
	max_depth int DEFAULT NULL)
	RETURNS TABLE (depth int, node text, via text)
	LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_upstream_run';
COMMENT ON FUNCTION mlmeta.upstream(mlmeta.lineage, mlmeta.run, int) IS
	'what the node comes from, nearest first, at most max_depth steps away; via is the node next to it on a shortest way';

CREATE FUNCTION mlmeta.upstream(lineage mlmeta.lineage, node mlmeta.artifact,
	max_depth int DEFAULT NULL)
	RETURNS TABLE (depth int, node text, via text)
	LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_upstream_artifact';
COMMENT ON FUNCTION mlmeta.upstream(mlmeta.lineage, mlmeta.artifact, int) IS
	'what the node comes from, nearest first, at most max_depth steps away; via is the node next to it on a shortest way';

CREATE FUNCTION mlmeta.upstream(lineage mlmeta.lineage, node text,
	max_depth int DEFAULT NULL)
	RETURNS TABLE (depth int, node text, via text)
	LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_upstream_text';
COMMENT ON FUNCTION mlmeta.upstream(mlmeta.lineage, text, int) IS
	'what the node comes from, nearest first, at most max_depth steps away; via is the node next to it on a shortest way';

CREATE FUNCTION mlmeta.downstream(lineage mlmeta.lineage, node mlmeta.run,
	max_depth int DEFAULT NULL)
	RETURNS TABLE (depth int, node text, via text)
	LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_downstream_run';
COMMENT ON FUNCTION mlmeta.downstream(mlmeta.lineage, mlmeta.run, int) IS
	'what comes from the node, nearest first, at most max_depth steps away; via is the node next to it on a shortest way';

CREATE FUNCTION mlmeta.downstream(lineage mlmeta.lineage,
	node mlmeta.artifact, max_depth int DEFAULT NULL)
	RETURNS TABLE (depth int, node text, via text)
	LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_downstream_artifact';
COMMENT ON FUNCTION mlmeta.downstream(mlmeta.lineage, mlmeta.artifact, int) IS
	'what comes from the node, nearest first, at most max_depth steps away; via is the node next to it on a shortest way';

CREATE FUNCTION mlmeta.downstream(lineage mlmeta.lineage, node text,
	max_depth int DEFAULT NULL)
	RETURNS TABLE (depth int, node text, via text)
	LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_downstream_text';
COMMENT ON FUNCTION mlmeta.downstream(mlmeta.lineage, text, int) IS
	'what comes from the node, nearest first, at most max_depth steps away; via is the node next to it on a shortest way';

CREATE FUNCTION mlmeta.subgraph(lineage mlmeta.lineage, node mlmeta.run,
	max_depth int DEFAULT NULL)
	RETURNS mlmeta.lineage
	LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_subgraph_run';
COMMENT ON FUNCTION mlmeta.subgraph(mlmeta.lineage, mlmeta.run, int) IS
	'the edges on the ways that lead to the node or leave it, at most max_depth steps away';

CREATE FUNCTION mlmeta.subgraph(lineage mlmeta.lineage, node mlmeta.artifact,
	max_depth int DEFAULT NULL)
	RETURNS mlmeta.lineage
	LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_subgraph_artifact';
COMMENT ON FUNCTION mlmeta.subgraph(mlmeta.lineage, mlmeta.artifact, int) IS
	'the edges on the ways that lead to the node or leave it, at most max_depth steps away';

CREATE FUNCTION mlmeta.subgraph(lineage mlmeta.lineage, node text,
	max_depth int DEFAULT NULL)
	RETURNS mlmeta.lineage
	LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_subgraph_text';
COMMENT ON FUNCTION mlmeta.subgraph(mlmeta.lineage, text, int) IS
	'the edges on the ways that lead to the node or leave it, at most max_depth steps away';

CREATE FUNCTION mlmeta.path(lineage mlmeta.lineage, source mlmeta.run,
	target mlmeta.run)
	RETURNS text[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_path_run_run';
COMMENT ON FUNCTION mlmeta.path(mlmeta.lineage, mlmeta.run, mlmeta.run) IS
	'the nodes of a shortest way along the edges; NULL if there is none';

CREATE FUNCTION mlmeta.path(lineage mlmeta.lineage, source mlmeta.run,
	target mlmeta.artifact)
	RETURNS text[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_path_run_artifact';
COMMENT ON FUNCTION mlmeta.path(mlmeta.lineage, mlmeta.run, mlmeta.artifact) IS
	'the nodes of a shortest way along the edges; NULL if there is none';

CREATE FUNCTION mlmeta.path(lineage mlmeta.lineage, source mlmeta.run,
	target text)
	RETURNS text[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_path_run_text';
COMMENT ON FUNCTION mlmeta.path(mlmeta.lineage, mlmeta.run, text) IS
	'the nodes of a shortest way along the edges; NULL if there is none';

CREATE FUNCTION mlmeta.path(lineage mlmeta.lineage, source mlmeta.artifact,
	target mlmeta.run)
	RETURNS text[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_path_artifact_run';
COMMENT ON FUNCTION mlmeta.path(mlmeta.lineage, mlmeta.artifact, mlmeta.run) IS
	'the nodes of a shortest way along the edges; NULL if there is none';

CREATE FUNCTION mlmeta.path(lineage mlmeta.lineage, source mlmeta.artifact,
	target mlmeta.artifact)
	RETURNS text[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_path_artifact_artifact';
COMMENT ON FUNCTION mlmeta.path(mlmeta.lineage, mlmeta.artifact, mlmeta.artifact) IS
	'the nodes of a shortest way along the edges; NULL if there is none';

CREATE FUNCTION mlmeta.path(lineage mlmeta.lineage, source mlmeta.artifact,
	target text)
	RETURNS text[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_path_artifact_text';
COMMENT ON FUNCTION mlmeta.path(mlmeta.lineage, mlmeta.artifact, text) IS
	'the nodes of a shortest way along the edges; NULL if there is none';

CREATE FUNCTION mlmeta.path(lineage mlmeta.lineage, source text,
	target mlmeta.run)
	RETURNS text[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_path_text_run';
COMMENT ON FUNCTION mlmeta.path(mlmeta.lineage, text, mlmeta.run) IS
	'the nodes of a shortest way along the edges; NULL if there is none';

CREATE FUNCTION mlmeta.path(lineage mlmeta.lineage, source text,
	target mlmeta.artifact)
	RETURNS text[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_path_text_artifact';
COMMENT ON FUNCTION mlmeta.path(mlmeta.lineage, text, mlmeta.artifact) IS
	'the nodes of a shortest way along the edges; NULL if there is none';

CREATE FUNCTION mlmeta.path(lineage mlmeta.lineage, source text, target text)
	RETURNS text[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_path_text_text';
COMMENT ON FUNCTION mlmeta.path(mlmeta.lineage, text, text) IS
	'the nodes of a shortest way along the edges; NULL if there is none';

CREATE FUNCTION mlmeta.to_json(lineage mlmeta.lineage) RETURNS json
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_to_json';
COMMENT ON FUNCTION mlmeta.to_json(mlmeta.lineage) IS
	'{"nodes": [{"id", "type", "kind"}], "edges": [{"source", "target", "relation"}]}';

CREATE FUNCTION mlmeta.to_dot(lineage mlmeta.lineage) RETURNS text
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_to_dot';
COMMENT ON FUNCTION mlmeta.to_dot(mlmeta.lineage) IS
	'the graph in the language of Graphviz';

CREATE FUNCTION mlmeta.to_mermaid(lineage mlmeta.lineage) RETURNS text
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_to_mermaid';
COMMENT ON FUNCTION mlmeta.to_mermaid(mlmeta.lineage) IS
	'the graph as a Mermaid flowchart';

CREATE FUNCTION mlmeta.to_svg(lineage mlmeta.lineage,
	title text DEFAULT 'Lineage')
	RETURNS text
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'mlmeta_lineage_to_svg';
COMMENT ON FUNCTION mlmeta.to_svg(mlmeta.lineage, text) IS
	'a drawing in layers, a document of its own; edges that close a cycle are dashed';
