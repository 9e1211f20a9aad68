/*-------------------------------------------------------------------------
 *
 * lineage_walk.c
 *		Questions to a lineage: what lies upstream and downstream of a node,
 *		paths, roots, leaves, depth, cycles.
 *
 * Every walk is iterative and linear in nodes and edges.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "types/lineage.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(mlmeta_lineage_roots);
PG_FUNCTION_INFO_V1(mlmeta_lineage_leaves);
PG_FUNCTION_INFO_V1(mlmeta_lineage_nodes);
PG_FUNCTION_INFO_V1(mlmeta_lineage_edges);
PG_FUNCTION_INFO_V1(mlmeta_lineage_depth);
PG_FUNCTION_INFO_V1(mlmeta_lineage_has_cycle);
PG_FUNCTION_INFO_V1(mlmeta_lineage_cycle);

/* An array of n numbers, none for n = 0 either way */
static int *
make_numbers(int n)
{
	return MemoryContextAllocHuge(CurrentMemoryContext,
								  (Size) Max(n, 1) * sizeof(int));
}

/* ----------
 * Results
 * ----------
 */

/* The text of a node as a Datum; buf is scratch space */
static Datum
node_datum(const Lineage *lineage, int node, StringInfo buf)
{
	resetStringInfo(buf);
	lineage_append_node(buf, lineage, node);
	return PointerGetDatum(cstring_to_text_with_len(buf->data, buf->len));
}

static Datum
node_array(const Lineage *lineage, const int *nodes, int n)
{
	Datum	   *elements = MemoryContextAllocHuge(CurrentMemoryContext,
												  Max(n, 1) * sizeof(Datum));
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < n; i++)
		elements[i] = node_datum(lineage, nodes[i], &buf);
	return PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

static void
put_row(FunctionCallInfo fcinfo, Datum *values)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	bool		nulls[8] = {false};

	Assert(result->setDesc->natts <= (int) lengthof(nulls));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static void
get_key(FunctionCallInfo fcinfo, int n, LineageArgument kind, LineageKey *key)
{
	switch (kind)
	{
		case LINEAGE_RUN_ARGUMENT:
			lineage_run_key(key, PG_GETARG_RUN(n));
			break;
		case LINEAGE_ARTIFACT_ARGUMENT:
			lineage_artifact_key(key, PG_GETARG_VARLENA_PP(n));
			break;
		case LINEAGE_TEXT_ARGUMENT:
			{
				text	   *value = PG_GETARG_TEXT_PP(n);

				lineage_text_key(key, VARDATA_ANY(value),
								 VARSIZE_ANY_EXHDR(value));
				break;
			}
	}
}

/* ----------
 * Upstream and downstream
 * ----------
 */

/* Breadth-first: nodes in the order in which they were reached */
typedef struct Walk
{
	int		   *queue;
	int			n;				/* nodes reached, the first one included */
	int		   *depth;			/* steps to each node, -1: not reached */
	int		   *via;			/* the node before it, -1 for the first one */
} Walk;

/*
 * Walks from a node to its neighbours, theirs and so on, at most max_depth
 * steps. Stops early when it has reached the node goal (-1: none).
 */
static void
walk_from(const Lineage *lineage, const Adjacency *adjacency, int start,
		  int max_depth, int goal, Walk *walk)
{
	walk->queue = make_numbers(lineage->n_nodes);
	walk->depth = make_numbers(lineage->n_nodes);
	walk->via = make_numbers(lineage->n_nodes);
	memset(walk->depth, 0xFF, lineage->n_nodes * sizeof(int));

	walk->queue[0] = start;
	walk->depth[start] = 0;
	walk->via[start] = -1;
	walk->n = 1;
	for (int i = 0; i < walk->n; i++)
	{
		int			node = walk->queue[i];

		CHECK_FOR_INTERRUPTS();
		if (walk->depth[node] == max_depth || node == goal)
			break;
		for (int j = adjacency->first[node]; j < adjacency->first[node + 1];
			 j++)
		{
			int			next = adjacency->neighbours[j];

			if (walk->depth[next] >= 0)
				continue;
			walk->depth[next] = walk->depth[node] + 1;
			walk->via[next] = node;
			walk->queue[walk->n++] = next;
		}
	}
}

/* A depth limit from an argument; NULL is none */
static int
get_max_depth(FunctionCallInfo fcinfo, int n)
{
	int			depth;

	if (PG_ARGISNULL(n))
		return PG_INT32_MAX;
	depth = PG_GETARG_INT32(n);
	if (depth < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid depth in a walk over a value of type %s",
						"lineage"),
				 errdetail("The depth is %d.", depth),
				 errhint("Give the greatest number of steps, or NULL for "
						 "all.")));
	return depth;
}

/*
 * upstream(lineage, node, depth) and downstream(...) -> rows (depth, node,
 * via): all nodes from which the node's data came, or to which they went, in
 * order of their distance, each with the node next to it on a shortest way.
 * No rows if the node is not in the graph or an argument other than depth is
 * NULL.
 */
static Datum
walk_rows(FunctionCallInfo fcinfo, LineageArgument kind, bool upstream)
{
	Lineage    *lineage;
	LineageKey	key;
	int			start;
	int			max_depth;
	Adjacency	adjacency;
	Walk		walk;
	StringInfoData buf;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	max_depth = get_max_depth(fcinfo, 2);
	get_key(fcinfo, 1, kind, &key);
	lineage = lineage_read(PG_GETARG_DATUM(0));
	start = lineage_find(lineage, &key);
	if (start < 0)
		return (Datum) 0;

	if (upstream)
		lineage_sources(lineage, &adjacency);
	else
		lineage_targets(lineage, &adjacency);
	walk_from(lineage, &adjacency, start, max_depth, -1, &walk);

	initStringInfo(&buf);
	for (int i = 1; i < walk.n; i++)
	{
		int			node = walk.queue[i];
		Datum		values[3];

		CHECK_FOR_INTERRUPTS();
		values[0] = Int32GetDatum(walk.depth[node]);
		values[1] = node_datum(lineage, node, &buf);
		values[2] = node_datum(lineage, walk.via[node], &buf);
		put_row(fcinfo, values);
		pfree(DatumGetPointer(values[1]));
		pfree(DatumGetPointer(values[2]));
	}
	return (Datum) 0;
}

/*
 * path(lineage, source, target) -> text[]: a shortest way along the edges,
 * both ends included; NULL if there is none.
 */
static Datum
shortest_path(FunctionCallInfo fcinfo, LineageArgument source_kind,
			  LineageArgument target_kind)
{
	Lineage    *lineage = lineage_read(PG_GETARG_DATUM(0));
	LineageKey	key;
	int			source;
	int			target;
	Adjacency	adjacency;
	Walk		walk;
	int		   *nodes;
	int			n;

	get_key(fcinfo, 1, source_kind, &key);
	source = lineage_find(lineage, &key);
	get_key(fcinfo, 2, target_kind, &key);
	target = lineage_find(lineage, &key);
	if (source < 0 || target < 0)
		PG_RETURN_NULL();

	lineage_targets(lineage, &adjacency);
	walk_from(lineage, &adjacency, source, PG_INT32_MAX, target, &walk);
	if (walk.depth[target] < 0)
		PG_RETURN_NULL();
	n = walk.depth[target] + 1;
	nodes = make_numbers(n);
	for (int i = n - 1, node = target; i >= 0; i--, node = walk.via[node])
		nodes[i] = node;
	return node_array(lineage, nodes, n);
}

/*
 * subgraph(lineage, node, depth) -> lineage: the edges on the ways that lead
 * to the node and on those that leave it, at most depth steps away. An empty
 * graph if the node is not there; NULL if an argument other than depth is.
 */
static Datum
subgraph(FunctionCallInfo fcinfo, LineageArgument kind)
{
	Lineage    *lineage;
	Lineage    *result;
	LineageKey	key;
	int			start;
	int			max_depth;
	Adjacency	adjacency;
	Walk		up;
	Walk		down;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	max_depth = get_max_depth(fcinfo, 2);
	get_key(fcinfo, 1, kind, &key);
	lineage = lineage_read(PG_GETARG_DATUM(0));
	result = summary_make(&lineage_type);
	start = lineage_find(lineage, &key);
	if (start < 0)
		return summary_datum(result);

	lineage_sources(lineage, &adjacency);
	walk_from(lineage, &adjacency, start, max_depth, -1, &up);
	lineage_targets(lineage, &adjacency);
	walk_from(lineage, &adjacency, start, max_depth, -1, &down);
	for (int i = 0; i < lineage->n_edges; i++)
	{
		int			source = edge_source(lineage->edges[i]);
		int			target = edge_target(lineage->edges[i]);

		CHECK_FOR_INTERRUPTS();
		if ((up.depth[source] < 0 || up.depth[target] < 0) &&
			(down.depth[source] < 0 || down.depth[target] < 0))
			continue;
		source = lineage_add_node(result, lineage_key(lineage, source),
								  lineage->nodes[source].size);
		target = lineage_add_node(result, lineage_key(lineage, target),
								  lineage->nodes[target].size);
		lineage_add_edge(result, source, target);
	}
	return summary_datum(result);
}

/* One C function for each sort of argument */
#define LINEAGE_WALKS(name, kind) \
	PG_FUNCTION_INFO_V1(mlmeta_lineage_upstream_##name); \
	Datum \
	mlmeta_lineage_upstream_##name(PG_FUNCTION_ARGS) \
	{ \
		return walk_rows(fcinfo, kind, true); \
	} \
	PG_FUNCTION_INFO_V1(mlmeta_lineage_downstream_##name); \
	Datum \
	mlmeta_lineage_downstream_##name(PG_FUNCTION_ARGS) \
	{ \
		return walk_rows(fcinfo, kind, false); \
	} \
	PG_FUNCTION_INFO_V1(mlmeta_lineage_subgraph_##name); \
	Datum \
	mlmeta_lineage_subgraph_##name(PG_FUNCTION_ARGS) \
	{ \
		return subgraph(fcinfo, kind); \
	} \
	PG_FUNCTION_INFO_V1(mlmeta_lineage_path_##name##_run); \
	Datum \
	mlmeta_lineage_path_##name##_run(PG_FUNCTION_ARGS) \
	{ \
		return shortest_path(fcinfo, kind, LINEAGE_RUN_ARGUMENT); \
	} \
	PG_FUNCTION_INFO_V1(mlmeta_lineage_path_##name##_artifact); \
	Datum \
	mlmeta_lineage_path_##name##_artifact(PG_FUNCTION_ARGS) \
	{ \
		return shortest_path(fcinfo, kind, LINEAGE_ARTIFACT_ARGUMENT); \
	} \
	PG_FUNCTION_INFO_V1(mlmeta_lineage_path_##name##_text); \
	Datum \
	mlmeta_lineage_path_##name##_text(PG_FUNCTION_ARGS) \
	{ \
		return shortest_path(fcinfo, kind, LINEAGE_TEXT_ARGUMENT); \
	} \
	extern int	no_such_variable

LINEAGE_WALKS(run, LINEAGE_RUN_ARGUMENT);
LINEAGE_WALKS(artifact, LINEAGE_ARTIFACT_ARGUMENT);
LINEAGE_WALKS(text, LINEAGE_TEXT_ARGUMENT);

/* ----------
 * Roots and leaves
 * ----------
 */

/* Nodes without neighbours of the given sort, as rows of text */
static Datum
ends(FunctionCallInfo fcinfo, bool roots)
{
	Lineage    *lineage = lineage_read(PG_GETARG_DATUM(0));
	Adjacency	adjacency;
	StringInfoData buf;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (roots)
		lineage_sources(lineage, &adjacency);
	else
		lineage_targets(lineage, &adjacency);
	initStringInfo(&buf);
	for (int i = 0; i < lineage->n_nodes; i++)
	{
		Datum		value;

		CHECK_FOR_INTERRUPTS();
		if (adjacency.first[i] < adjacency.first[i + 1])
			continue;
		value = node_datum(lineage, i, &buf);
		put_row(fcinfo, &value);
		pfree(DatumGetPointer(value));
	}
	return (Datum) 0;
}

Datum
mlmeta_lineage_roots(PG_FUNCTION_ARGS)
{
	return ends(fcinfo, true);
}

Datum
mlmeta_lineage_leaves(PG_FUNCTION_ARGS)
{
	return ends(fcinfo, false);
}

/* ----------
 * Levels and cycles
 * ----------
 */

/*
 * The longest way from a root to each node, -1 for nodes on a cycle or behind
 * one. Returns how many nodes have a level.
 */
int
lineage_levels(const Lineage *lineage, const Adjacency *targets, int *levels)
{
	int		   *waiting = make_numbers(lineage->n_nodes);
	int		   *queue = make_numbers(lineage->n_nodes);
	int			n = 0;

	memset(waiting, 0, lineage->n_nodes * sizeof(int));
	memset(levels, 0xFF, lineage->n_nodes * sizeof(int));
	for (int i = 0; i < lineage->n_edges; i++)
		waiting[edge_target(lineage->edges[i])]++;
	for (int i = 0; i < lineage->n_nodes; i++)
		if (waiting[i] == 0)
		{
			levels[i] = 0;
			queue[n++] = i;
		}

	/* a node enters the queue after all its sources have left it */
	for (int i = 0; i < n; i++)
	{
		int			node = queue[i];

		CHECK_FOR_INTERRUPTS();
		for (int j = targets->first[node]; j < targets->first[node + 1]; j++)
		{
			int			next = targets->neighbours[j];

			if (--waiting[next] == 0)
			{
				/* by then node is a source of the highest level */
				levels[next] = levels[node] + 1;
				queue[n++] = next;
			}
		}
	}
	pfree(waiting);
	pfree(queue);
	return n;
}

/*
 * nodes(lineage) -> rows (node, kind, level, sources, targets). The level is
 * the longest way from a root, NULL on a cycle or behind one.
 */
Datum
mlmeta_lineage_nodes(PG_FUNCTION_ARGS)
{
	Lineage    *lineage = lineage_read(PG_GETARG_DATUM(0));
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Adjacency	targets;
	Adjacency	sources;
	int		   *levels = make_numbers(lineage->n_nodes);
	StringInfoData buf;

	InitMaterializedSRF(fcinfo, 0);
	lineage_targets(lineage, &targets);
	lineage_sources(lineage, &sources);
	lineage_levels(lineage, &targets, levels);
	initStringInfo(&buf);
	for (int i = 0; i < lineage->n_nodes; i++)
	{
		Datum		values[5];
		bool		nulls[5] = {false};

		CHECK_FOR_INTERRUPTS();
		values[0] = node_datum(lineage, i, &buf);
		resetStringInfo(&buf);
		lineage_append_kind(&buf, lineage, i);
		values[1] = PointerGetDatum(cstring_to_text_with_len(buf.data,
															 buf.len));
		values[2] = Int32GetDatum(levels[i]);
		nulls[2] = levels[i] < 0;
		values[3] = Int32GetDatum(sources.first[i + 1] - sources.first[i]);
		values[4] = Int32GetDatum(targets.first[i + 1] - targets.first[i]);
		tuplestore_putvalues(result->setResult, result->setDesc, values,
							 nulls);
		pfree(DatumGetPointer(values[0]));
		pfree(DatumGetPointer(values[1]));
	}
	return (Datum) 0;
}

/* edges(lineage) -> rows (source, target, relation) */
Datum
mlmeta_lineage_edges(PG_FUNCTION_ARGS)
{
	Lineage    *lineage = lineage_read(PG_GETARG_DATUM(0));
	StringInfoData buf;

	InitMaterializedSRF(fcinfo, 0);
	initStringInfo(&buf);
	for (int i = 0; i < lineage->n_edges; i++)
	{
		uint64		edge = lineage->edges[i];
		Datum		values[3];

		CHECK_FOR_INTERRUPTS();
		values[0] = node_datum(lineage, edge_source(edge), &buf);
		values[1] = node_datum(lineage, edge_target(edge), &buf);
		values[2] = CStringGetTextDatum(lineage_relation(lineage, edge));
		put_row(fcinfo, values);
		for (int j = 0; j < 3; j++)
			pfree(DatumGetPointer(values[j]));
	}
	return (Datum) 0;
}

/*
 * depth(lineage) -> int: edges on the longest way; 0 for an empty graph, NULL
 * for one with a cycle.
 */
Datum
mlmeta_lineage_depth(PG_FUNCTION_ARGS)
{
	Lineage    *lineage = lineage_read(PG_GETARG_DATUM(0));
	Adjacency	targets;
	int		   *levels = make_numbers(lineage->n_nodes);
	int			depth = 0;

	lineage_targets(lineage, &targets);
	if (lineage_levels(lineage, &targets, levels) < lineage->n_nodes)
		PG_RETURN_NULL();
	for (int i = 0; i < lineage->n_nodes; i++)
		depth = Max(depth, levels[i]);
	PG_RETURN_INT32(depth);
}

Datum
mlmeta_lineage_has_cycle(PG_FUNCTION_ARGS)
{
	Lineage    *lineage = lineage_read(PG_GETARG_DATUM(0));
	Adjacency	targets;
	int		   *levels = make_numbers(lineage->n_nodes);

	lineage_targets(lineage, &targets);
	PG_RETURN_BOOL(lineage_levels(lineage, &targets, levels) <
				   lineage->n_nodes);
}

/*
 * cycle(lineage) -> text[]: the nodes of one cycle, in the direction of its
 * edges, each once; NULL if there is none.
 */
Datum
mlmeta_lineage_cycle(PG_FUNCTION_ARGS)
{
	Lineage    *lineage = lineage_read(PG_GETARG_DATUM(0));
	int			n_nodes = lineage->n_nodes;
	Adjacency	targets;
	Adjacency	sources;
	int		   *levels = make_numbers(n_nodes);
	int		   *step;
	int		   *nodes;
	int			node = 0;
	int			n = 0;

	lineage_targets(lineage, &targets);
	if (lineage_levels(lineage, &targets, levels) == n_nodes)
		PG_RETURN_NULL();

	/*
	 * A node without a level has a source without one. Going from one to the
	 * next must come back to a node where it has been, and from there on it
	 * went around a cycle, against its edges.
	 */
	lineage_sources(lineage, &sources);
	step = make_numbers(n_nodes);
	nodes = make_numbers(n_nodes);
	memset(step, 0xFF, n_nodes * sizeof(int));
	while (levels[node] >= 0)
		node++;
	while (step[node] < 0)
	{
		int			j = sources.first[node];

		CHECK_FOR_INTERRUPTS();
		step[node] = n;
		nodes[n++] = node;
		while (levels[sources.neighbours[j]] >= 0)
			j++;
		node = sources.neighbours[j];
	}
	nodes += step[node];
	n -= step[node];
	for (int i = 0; i < n / 2; i++)
	{
		int			other = nodes[i];

		nodes[i] = nodes[n - 1 - i];
		nodes[n - 1 - i] = other;
	}
	return node_array(lineage, nodes, n);
}
