/*-------------------------------------------------------------------------
 *
 * lineage.c
 *		The type lineage: building, storing, uniting and subtracting graphs.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "types/lineage.h"
#include "types/quote.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define LINEAGE_FORMAT		1

#define MIN_NODES			16
#define MIN_EDGES			32
#define MIN_SLOTS			64
#define MIN_KEYS			1024

PG_FUNCTION_INFO_V1(mlmeta_lineage_in);
PG_FUNCTION_INFO_V1(mlmeta_lineage_out);
PG_FUNCTION_INFO_V1(mlmeta_lineage_recv);
PG_FUNCTION_INFO_V1(mlmeta_lineage_send);
PG_FUNCTION_INFO_V1(mlmeta_lineage_combine);
PG_FUNCTION_INFO_V1(mlmeta_lineage_plus);
PG_FUNCTION_INFO_V1(mlmeta_lineage_minus);
PG_FUNCTION_INFO_V1(mlmeta_lineage_n_nodes);
PG_FUNCTION_INFO_V1(mlmeta_lineage_n_edges);

/* ----------
 * Keys
 * ----------
 */

void
lineage_run_key(LineageKey *key, const Run *run)
{
	key->size = 1 + RUN_SIZE;
	key->bytes[0] = LINEAGE_RUN;
	memcpy(key->bytes + 1, run->bytes, RUN_SIZE);
}

/* artifact may have a short header, but is not toasted */
void
lineage_artifact_key(LineageKey *key, struct varlena *artifact)
{
	size_t		size = VARSIZE_ANY_EXHDR(artifact);

	if (size > ARTIFACT_MAX_SIZE)
		elog(ERROR, "a stored value of type artifact has %zu bytes", size);
	key->size = 1 + (int) size;
	key->bytes[0] = LINEAGE_ARTIFACT;
	memcpy(key->bytes + 1, VARDATA_ANY(artifact), size);
}

/*
 * The key of a node given as text. Only an artifact has a colon. Returns
 * false and a sentence if the text is no node.
 */
static bool
parse_node(LineageKey *key, const char *text, size_t size,
		   const char **problem)
{
	if (memchr(text, ':', size) != NULL)
	{
		Artifact	artifact;

		if (!artifact_parse(text, size, &artifact, problem))
			return false;
		key->size = 1 + artifact_stored_size(&artifact);
		key->bytes[0] = LINEAGE_ARTIFACT;
		artifact_store(&artifact, key->bytes + 1);
	}
	else
	{
		Run			run;

		if (!run_parse(text, size, &run))
		{
			*problem = "Without a \":\" it would have to be a run.";
			return false;
		}
		lineage_run_key(key, &run);
	}
	return true;
}

void
lineage_text_key(LineageKey *key, const char *text, size_t size)
{
	const char *problem;

	if (!parse_node(key, text, size, &problem))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid node of type %s: \"%.*s%s\"", "lineage",
						quoted_length(text, size), text,
						quoted_ellipsis(size)),
				 errdetail_internal("%s", problem),
				 errhint("A node is a run, written run_ and 26 base-32 "
						 "digits, or an artifact, written "
						 "kind:name[:version][@sha256:hex].")));
}

static void
load_node(const Lineage *lineage, int node, Artifact *artifact)
{
	if (!artifact_load(lineage_key(lineage, node) + 1,
					   lineage->nodes[node].size - 1, artifact))
		elog(ERROR, "a node of a lineage is damaged");
}

static int
compare_keys(const char *a, int a_size, const char *b, int b_size)
{
	Artifact	a_parts;
	Artifact	b_parts;

	if (a[0] != b[0])
		return a[0] - b[0];
	if (a[0] == LINEAGE_RUN)
		return memcmp(a + 1, b + 1, RUN_SIZE);
	if (!artifact_load(a + 1, a_size - 1, &a_parts) ||
		!artifact_load(b + 1, b_size - 1, &b_parts))
		elog(ERROR, "a node of a lineage is damaged");
	return artifact_compare(&a_parts, &b_parts);
}

static int
compare_nodes(const Lineage *lineage, int a, int b)
{
	return compare_keys(lineage_key(lineage, a), lineage->nodes[a].size,
						lineage_key(lineage, b), lineage->nodes[b].size);
}

/* ----------
 * Building
 * ----------
 */

static void
refuse_size(const char *what, int limit)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("a value of type %s has too many %s", "lineage", what),
			 errdetail("The limit is %d.", limit),
			 errhint("Aggregate a part of the edges: a project, a period, "
					 "or what is near a node.")));
}

/* An array that holds one element more, in the graph's own memory */
static void *
grow(Lineage *lineage, void *array, int *capacity, int minimum,
	 size_t element_size)
{
	Size		size;

	if (array != NULL && *capacity > PG_INT32_MAX / 2)
		elog(ERROR, "a lineage cannot grow beyond %d elements", *capacity);
	*capacity = array == NULL ? minimum : *capacity * 2;
	size = mul_size(*capacity, element_size);
	if (array == NULL)
		return MemoryContextAllocHuge(lineage->summary.context, size);
	return repalloc_huge(array, size);
}

/* The slot that holds the node of that key, or a free one for it */
static uint32
find_slot(const Lineage *lineage, uint32 hash, const char *key, int size)
{
	uint32		mask = lineage->n_slots - 1;
	uint32		slot = hash & mask;

	for (;;)
	{
		int			node = lineage->slots[slot];

		if (node < 0 ||
			(lineage->nodes[node].hash == hash &&
			 lineage->nodes[node].size == size &&
			 memcmp(lineage_key(lineage, node), key, size) == 0))
			return slot;
		slot = (slot + 1) & mask;
	}
}

static uint32
hash_key(const char *key, int size)
{
	return hash_bytes((const unsigned char *) key, size);
}

/* A table with at least as many free slots as taken ones */
static void
build_slots(Lineage *lineage)
{
	uint32		n_slots = MIN_SLOTS;

	while (n_slots < 4 * (uint32) lineage->n_nodes)
		n_slots *= 2;
	if (lineage->n_slots > 0)
		pfree(lineage->slots);
	lineage->n_slots = 0;
	lineage->slots = MemoryContextAllocHuge(lineage->summary.context,
											n_slots * sizeof(int));
	memset(lineage->slots, 0xFF, n_slots * sizeof(int));
	lineage->n_slots = n_slots;

	for (int i = 0; i < lineage->n_nodes; i++)
	{
		LineageNode *node = &lineage->nodes[i];
		const char *key = lineage_key(lineage, i);

		node->hash = hash_key(key, node->size);
		lineage->slots[find_slot(lineage, node->hash, key, node->size)] = i;
	}
}

/* A new node behind all others, known to no table */
static int
append_node(Lineage *lineage, const char *key, int size)
{
	LineageNode *node;

	if (lineage->n_nodes == LINEAGE_MAX_NODES)
		refuse_size("nodes", LINEAGE_MAX_NODES);
	if (lineage->n_nodes == lineage->node_capacity)
		lineage->nodes = grow(lineage, lineage->nodes,
							  &lineage->node_capacity, MIN_NODES,
							  sizeof(LineageNode));
	if (lineage->keys_size + size > lineage->keys_capacity)
	{
		/* offsets have 32 bits; a stored value is far smaller anyway */
		if (lineage->keys_size + size > PG_INT32_MAX)
			refuse_size("bytes in its nodes", PG_INT32_MAX);
		if (lineage->keys == NULL)
		{
			lineage->keys_capacity = Max(MIN_KEYS, size);
			lineage->keys = MemoryContextAlloc(lineage->summary.context,
											   lineage->keys_capacity);
		}
		else
		{
			lineage->keys_capacity = 2 * lineage->keys_capacity + size;
			lineage->keys = repalloc_huge(lineage->keys,
										  lineage->keys_capacity);
		}
	}

	node = &lineage->nodes[lineage->n_nodes];
	node->offset = (uint32) lineage->keys_size;
	node->size = (uint16) size;
	node->hash = 0;
	memcpy(lineage->keys + lineage->keys_size, key, size);
	lineage->keys_size += size;
	lineage->settled = false;
	return lineage->n_nodes++;
}

/*
 * The number of a node, which is added if it is new. Node numbers hold until
 * lineage_settle().
 */
int
lineage_add_node(Lineage *lineage, const char *key, int size)
{
	uint32		hash = hash_key(key, size);
	uint32		slot;
	int			node;

	if (lineage->n_slots < 2 * ((uint32) lineage->n_nodes + 1))
		build_slots(lineage);
	slot = find_slot(lineage, hash, key, size);
	node = lineage->slots[slot];
	if (node < 0)
	{
		node = append_node(lineage, key, size);
		lineage->nodes[node].hash = hash;
		lineage->slots[slot] = node;
	}
	return node;
}

static int
compare_edges(const uint64 *a, const uint64 *b)
{
	return (*a > *b) - (*a < *b);
}

#define ST_SORT sort_edges
#define ST_ELEMENT_TYPE uint64
#define ST_COMPARE(a, b) compare_edges(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * What nodes are sorted by, without a look at their keys in most cases: the
 * first bytes of a run behind a zero, or of an artifact's kind, a zero and its
 * name. When the prefixes differ, they differ as the nodes do.
 */
typedef struct SortedNode
{
	uint64		high;
	uint64		low;
	int			node;
} SortedNode;

static int
compare_sorted(const SortedNode *a, const SortedNode *b,
			   const Lineage *lineage)
{
	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	return compare_nodes(lineage, a->node, b->node);
}

#define ST_SORT sort_nodes
#define ST_ELEMENT_TYPE SortedNode
#define ST_COMPARE_ARG_TYPE const Lineage
#define ST_COMPARE(a, b, lineage) compare_sorted(a, b, lineage)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

static void
make_sorted_node(SortedNode *sorted, const Lineage *lineage, int node)
{
	const char *key = lineage_key(lineage, node);
	char		prefix[16] = {0};
	int			size;

	if (key[0] == LINEAGE_RUN)
		memcpy(prefix + 1, key + 1, sizeof(prefix) - 1);
	else
	{
		Artifact	artifact;

		load_node(lineage, node, &artifact);
		size = Min(artifact.kind_size, (int) sizeof(prefix));
		memcpy(prefix, artifact.kind, size);
		size++;
		if (size < (int) sizeof(prefix))
			memcpy(prefix + size, artifact.name,
				   Min(artifact.name_size, (int) sizeof(prefix) - size));
	}
	memcpy(&sorted->high, prefix, sizeof(uint64));
	memcpy(&sorted->low, prefix + sizeof(uint64), sizeof(uint64));
	sorted->high = pg_ntoh64(sorted->high);
	sorted->low = pg_ntoh64(sorted->low);
	sorted->node = node;
}

/* Sorts the edges and drops repeated ones */
static void
compact_edges(Lineage *lineage)
{
	int			n = 0;

	if (lineage->n_edges == 0)
		return;
	sort_edges(lineage->edges, lineage->n_edges);
	for (int i = 1; i < lineage->n_edges; i++)
		if (lineage->edges[i] != lineage->edges[n])
			lineage->edges[++n] = lineage->edges[i];
	lineage->n_edges = n + 1;
}

/*
 * An edge may come many times: when the array is full the repeated ones go,
 * and it grows if that made little room. So the state is bounded by twice the
 * number of different edges.
 */
void
lineage_add_edge(Lineage *lineage, int source, int target)
{
	if (lineage->n_edges == lineage->edge_capacity)
	{
		compact_edges(lineage);
		if (lineage->n_edges >= LINEAGE_MAX_EDGES)
			refuse_size("edges", LINEAGE_MAX_EDGES);
		if (lineage->n_edges >= lineage->edge_capacity / 2)
			lineage->edges = grow(lineage, lineage->edges,
								  &lineage->edge_capacity, MIN_EDGES,
								  sizeof(uint64));
	}
	lineage->edges[lineage->n_edges++] = (uint64) source << 32 |
		(uint64) target;
	lineage->settled = false;
}

/*
 * Brings nodes and edges into order: the value stays, node numbers change.
 */
void
lineage_settle(Lineage *lineage)
{
	int			n = lineage->n_nodes;
	SortedNode *order;
	int		   *rank;
	LineageNode *nodes;

	if (lineage->settled)
		return;

	order = MemoryContextAllocHuge(CurrentMemoryContext,
								   Max(n, 1) * sizeof(SortedNode));
	rank = MemoryContextAllocHuge(CurrentMemoryContext,
								  Max(n, 1) * sizeof(int));
	nodes = MemoryContextAllocHuge(CurrentMemoryContext,
								   Max(n, 1) * sizeof(LineageNode));
	for (int i = 0; i < n; i++)
		make_sorted_node(&order[i], lineage, i);
	sort_nodes(order, n, lineage);
	for (int i = 0; i < n; i++)
	{
		rank[order[i].node] = i;
		nodes[i] = lineage->nodes[order[i].node];
	}

	/* nothing below can fail half-way but the sort, which keeps all edges */
	if (n > 0)
		memcpy(lineage->nodes, nodes, n * sizeof(LineageNode));
	for (int i = 0; i < lineage->n_edges; i++)
	{
		uint64		edge = lineage->edges[i];

		lineage->edges[i] = (uint64) rank[edge_source(edge)] << 32 |
			(uint64) rank[edge_target(edge)];
	}
	if (lineage->n_slots > 0)
	{
		pfree(lineage->slots);
		lineage->slots = NULL;
		lineage->n_slots = 0;
	}
	pfree(order);
	pfree(rank);
	pfree(nodes);

	compact_edges(lineage);
	lineage->settled = true;
}

/* Adds another graph's edges, in any order */
static void
add_all(Lineage *lineage, const Lineage *other)
{
	int		   *numbers;

	numbers = MemoryContextAllocHuge(CurrentMemoryContext,
									 Max(other->n_nodes, 1) * sizeof(int));
	for (int i = 0; i < other->n_nodes; i++)
	{
		CHECK_FOR_INTERRUPTS();
		numbers[i] = lineage_add_node(lineage, lineage_key(other, i),
									  other->nodes[i].size);
	}
	for (int i = 0; i < other->n_edges; i++)
		lineage_add_edge(lineage, numbers[edge_source(other->edges[i])],
						 numbers[edge_target(other->edges[i])]);
	pfree(numbers);
}

Lineage *
lineage_read(Datum value)
{
	Lineage    *lineage = summary_read(value, &lineage_type);

	lineage_settle(lineage);
	return lineage;
}

int
lineage_find(const Lineage *lineage, const LineageKey *key)
{
	int			low = 0;
	int			high = lineage->n_nodes;

	Assert(lineage->settled);
	while (low < high)
	{
		int			middle = low + (high - low) / 2;
		int			cmp = compare_keys(lineage_key(lineage, middle),
									   lineage->nodes[middle].size,
									   key->bytes, key->size);

		if (cmp == 0)
			return middle;
		if (cmp < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

/* ----------
 * Nodes and edges in words
 * ----------
 */

void
lineage_append_node(StringInfo out, const Lineage *lineage, int node)
{
	if (lineage_is_run(lineage, node))
	{
		char		text[RUN_TEXT_SIZE + 1];
		Run			run;

		memcpy(run.bytes, lineage_key(lineage, node) + 1, RUN_SIZE);
		run_format(&run, text);
		appendBinaryStringInfo(out, text, RUN_TEXT_SIZE);
	}
	else
	{
		Artifact	artifact;

		load_node(lineage, node, &artifact);
		artifact_format(&artifact, out);
	}
}

/* "run", or the kind of the artifact */
void
lineage_append_kind(StringInfo out, const Lineage *lineage, int node)
{
	if (lineage_is_run(lineage, node))
		appendStringInfoString(out, "run");
	else
	{
		Artifact	artifact;

		load_node(lineage, node, &artifact);
		appendBinaryStringInfo(out, artifact.kind, artifact.kind_size);
	}
}

/* Read as: the run ... the artifact; the target ... the source */
const char *
lineage_relation(const Lineage *lineage, uint64 edge)
{
	bool		from_run = lineage_is_run(lineage, edge_source(edge));
	bool		to_run = lineage_is_run(lineage, edge_target(edge));

	if (from_run)
		return to_run ? "triggered" : "produced";
	return to_run ? "used" : "derived";
}

/* ----------
 * Neighbours
 * ----------
 */

static void
allocate_adjacency(const Lineage *lineage, Adjacency *adjacency)
{
	adjacency->first = MemoryContextAllocExtended(CurrentMemoryContext,
												  (lineage->n_nodes + 1) *
												  sizeof(int),
												  MCXT_ALLOC_HUGE |
												  MCXT_ALLOC_ZERO);
	adjacency->neighbours = MemoryContextAllocHuge(CurrentMemoryContext,
												   (lineage->n_edges + 1) *
												   sizeof(int));
}

void
lineage_targets(const Lineage *lineage, Adjacency *adjacency)
{
	allocate_adjacency(lineage, adjacency);
	for (int i = 0; i < lineage->n_edges; i++)
	{
		adjacency->first[edge_source(lineage->edges[i]) + 1]++;
		adjacency->neighbours[i] = edge_target(lineage->edges[i]);
	}
	for (int i = 0; i < lineage->n_nodes; i++)
		adjacency->first[i + 1] += adjacency->first[i];
}

/* A counting sort by target keeps the sources in order */
void
lineage_sources(const Lineage *lineage, Adjacency *adjacency)
{
	int		   *next;

	allocate_adjacency(lineage, adjacency);
	for (int i = 0; i < lineage->n_edges; i++)
		adjacency->first[edge_target(lineage->edges[i]) + 1]++;
	for (int i = 0; i < lineage->n_nodes; i++)
		adjacency->first[i + 1] += adjacency->first[i];

	next = MemoryContextAllocHuge(CurrentMemoryContext,
								  (lineage->n_nodes + 1) * sizeof(int));
	memcpy(next, adjacency->first, (lineage->n_nodes + 1) * sizeof(int));
	for (int i = 0; i < lineage->n_edges; i++)
		adjacency->neighbours[next[edge_target(lineage->edges[i])]++] =
			edge_source(lineage->edges[i]);
	pfree(next);
}

/* ----------
 * Stored, binary and text form
 * ----------
 */

/* On the wire, names are in the client's encoding */
static void
archive_part(Archive *ar, const char *name, const char **part, int *size,
			 int max_size, bool on_wire)
{
	char	   *value = unconstify(char *, *part);

	if (!on_wire)
	{
		archive_text(ar, name, &value, size, max_size);
		*part = value;
		return;
	}
	if (!archive_reading(ar))
	{
		value = pg_server_to_client(value, *size);
		if (value != *part)
			*size = (int) strlen(value);
		archive_bytes(ar, name, (uint8 **) &value, size, max_size);
		return;
	}
	archive_bytes(ar, name, (uint8 **) &value, size,
				  max_size * MAX_CONVERSION_GROWTH);
	if (!ar->failed && *size > 0)
	{
		char	   *converted = pg_client_to_server(value, *size);

		if (converted != value)
			*size = (int) strlen(converted);
		value = converted;
	}
	*part = value;
}

/* Binary: what it is, then a run's bytes or an artifact's parts */
static void
archive_binary_node(Archive *ar, LineageKey *key, bool on_wire)
{
	static const char *const labels[] = {"run", "artifact",
	"artifact with digest"};
	int			label = 0;
	uint8	   *bytes;
	int			size;
	Artifact	artifact = {0};
	const char *problem;

	if (!archive_reading(ar) && key->bytes[0] == LINEAGE_ARTIFACT)
	{
		if (!artifact_load(key->bytes + 1, key->size - 1, &artifact))
			elog(ERROR, "a node of a lineage is damaged");
		label = artifact.digest == NULL ? 1 : 2;
	}
	archive_enum(ar, "type", &label, labels, lengthof(labels));

	if (label == 0)
	{
		bytes = (uint8 *) key->bytes + 1;
		size = RUN_SIZE;
		archive_bytes(ar, "run", &bytes, &size, RUN_SIZE);
		if (!archive_reading(ar) || ar->failed)
			return;
		if (size != RUN_SIZE)
			archive_fail(ar, "A run has %d bytes.", size);
		else
			lineage_run_key(key, (Run *) bytes);
		if (bytes != NULL)
			pfree(bytes);
		return;
	}

	archive_part(ar, "kind", &artifact.kind, &artifact.kind_size,
				 ARTIFACT_MAX_KIND, false);
	archive_part(ar, "name", &artifact.name, &artifact.name_size,
				 ARTIFACT_MAX_NAME, on_wire);
	archive_part(ar, "version", &artifact.version, &artifact.version_size,
				 ARTIFACT_MAX_VERSION, on_wire);
	if (label == 2)
	{
		bytes = unconstify(uint8 *, artifact.digest);
		size = ARTIFACT_DIGEST_SIZE;
		archive_bytes(ar, "digest", &bytes, &size, ARTIFACT_DIGEST_SIZE);
		artifact.digest = bytes;
		if (size != ARTIFACT_DIGEST_SIZE)
			archive_fail(ar, "A digest has %d bytes.", size);
	}
	if (!archive_reading(ar) || ar->failed)
		return;

	problem = artifact_problem(&artifact);
	if (problem != NULL)
	{
		archive_fail(ar, "%s", problem);
		return;
	}
	key->size = 1 + artifact_stored_size(&artifact);
	key->bytes[0] = LINEAGE_ARTIFACT;
	artifact_store(&artifact, key->bytes + 1);
	pfree(unconstify(char *, artifact.kind));
	pfree(unconstify(char *, artifact.name));
	if (artifact.version != NULL)
		pfree(unconstify(char *, artifact.version));
	if (artifact.digest != NULL)
		pfree(unconstify(uint8 *, artifact.digest));
}

static void
archive_text_node(Archive *ar, LineageKey *key, const Lineage *lineage,
				  int node)
{
	char	   *text = NULL;
	int			size = 0;
	const char *problem;

	if (!archive_reading(ar))
	{
		StringInfoData buf;

		initStringInfo(&buf);
		lineage_append_node(&buf, lineage, node);
		archive_text(ar, "node", &buf.data, &buf.len, MaxAllocSize);
		pfree(buf.data);
		return;
	}
	archive_text(ar, "node", &text, &size, 4 * ARTIFACT_MAX_SIZE);
	if (!ar->failed &&
		!parse_node(key, text == NULL ? "" : text, size, &problem))
		archive_fail(ar, "The node \"%.*s%s\" is no run and no artifact. %s",
					 quoted_length(text, size), text, quoted_ellipsis(size),
					 problem);
	if (text != NULL)
		pfree(text);
}

/*
 * The targets of a node: as they are in text, as differences in the binary
 * form. Reading adds edges between positions in the list of nodes.
 */
static void
archive_targets(Archive *ar, Lineage *lineage, int source, int n_nodes,
				int *next_edge)
{
	bool		differences = ar->mode == ARCHIVE_READ_BINARY ||
		ar->mode == ARCHIVE_WRITE_BINARY;
	int64	   *targets = NULL;
	int64		previous = 0;
	int			n = 0;

	if (!archive_reading(ar))
	{
		int			begin = *next_edge;
		int			end = begin;

		while (end < lineage->n_edges &&
			   edge_source(lineage->edges[end]) == source)
			end++;
		n = end - begin;
		*next_edge = end;
		if (n > 0)
			targets = MemoryContextAllocHuge(CurrentMemoryContext,
											 n * sizeof(int64));
		for (int i = 0; i < n; i++)
		{
			targets[i] = edge_target(lineage->edges[begin + i]) - previous;
			if (differences)
				previous += targets[i];
		}
	}
	archive_counts(ar, "targets", &targets, &n, LINEAGE_MAX_EDGES);
	if (archive_reading(ar))
	{
		for (int i = 0; i < n; i++)
		{
			int64		target = targets[i];

			if (differences && i > 0 && target == 0)
			{
				archive_fail(ar, "The targets of node %d repeat.", source);
				break;
			}
			/* neither summand exceeds the number of nodes */
			if (target < n_nodes)
				target += previous;
			if (target >= n_nodes)
			{
				archive_fail(ar, "Node %d has a target beyond the last node, "
							 "%d.", source, n_nodes - 1);
				break;
			}
			lineage_add_edge(lineage, source, (int) target);
			if (differences)
				previous = target;
		}
	}
	if (targets != NULL)
		pfree(targets);
}

/* Every node read must be the end of an edge */
static void
check_use(Archive *ar, const Lineage *lineage, int n_nodes)
{
	bool	   *used = MemoryContextAllocExtended(CurrentMemoryContext,
												  Max(n_nodes, 1),
												  MCXT_ALLOC_HUGE |
												  MCXT_ALLOC_ZERO);

	for (int i = 0; i < lineage->n_edges; i++)
	{
		used[edge_source(lineage->edges[i])] = true;
		used[edge_target(lineage->edges[i])] = true;
	}
	for (int i = 0; i < n_nodes && !ar->failed; i++)
		if (!used[i])
			archive_fail(ar, "Node %d has no edge.", i);
	pfree(used);
}

/*
 * What we stored ourselves must be in order and is taken as it is. Text, and
 * what comes over the wire from a database of perhaps another encoding, may be
 * in any order and name nodes twice.
 */
static void
lineage_archive(Archive *ar, Summary *summary)
{
	Lineage    *lineage = (Lineage *) summary;
	bool		binary = ar->mode == ARCHIVE_READ_BINARY ||
		ar->mode == ARCHIVE_WRITE_BINARY;
	bool		in_order = binary && !lineage->on_wire;
	int			version = LINEAGE_FORMAT;
	int			n_nodes;
	int			next_edge = 0;
	int		   *numbers = NULL;

	if (!archive_reading(ar))
		lineage_settle(lineage);
	n_nodes = lineage->n_nodes;

	archive_open(ar);
	archive_version(ar, LINEAGE_FORMAT, &version);
	archive_list(ar, "nodes", &n_nodes, LINEAGE_MAX_NODES);
	if (archive_reading(ar) && !in_order)
		numbers = MemoryContextAllocHuge(CurrentMemoryContext,
										 Max(n_nodes, 1) * sizeof(int));
	for (int i = 0; i < n_nodes && !ar->failed; i++)
	{
		LineageKey	key;

		CHECK_FOR_INTERRUPTS();
		key.size = 0;
		if (!archive_reading(ar))
		{
			key.size = lineage->nodes[i].size;
			memcpy(key.bytes, lineage_key(lineage, i), key.size);
		}
		archive_open(ar);
		if (binary)
			archive_binary_node(ar, &key, lineage->on_wire);
		else
			archive_text_node(ar, &key, lineage, i);
		if (archive_reading(ar) && !ar->failed)
		{
			if (!in_order)
				numbers[i] = lineage_add_node(lineage, key.bytes, key.size);
			else
			{
				append_node(lineage, key.bytes, key.size);
				if (i > 0 && compare_nodes(lineage, i - 1, i) >= 0)
					archive_fail(ar, "Node %d is out of order.", i);
			}
		}
		archive_targets(ar, lineage, i, n_nodes, &next_edge);
		archive_close(ar);
	}
	archive_list_end(ar);
	archive_close(ar);

	if (!archive_reading(ar) || ar->failed)
		return;
	check_use(ar, lineage, n_nodes);
	if (in_order)
	{
		lineage->settled = true;
		return;
	}
	for (int i = 0; i < lineage->n_edges; i++)
	{
		uint64		edge = lineage->edges[i];

		lineage->edges[i] = (uint64) numbers[edge_source(edge)] << 32 |
			(uint64) numbers[edge_target(edge)];
	}
	lineage->settled = false;
	pfree(numbers);
}

const SummaryType lineage_type = {
	"lineage",
	sizeof(Lineage),
	lineage_archive
};

Datum
mlmeta_lineage_in(PG_FUNCTION_ARGS)
{
	return summary_in(fcinfo, &lineage_type);
}

Datum
mlmeta_lineage_out(PG_FUNCTION_ARGS)
{
	return summary_out(fcinfo, &lineage_type);
}

/* The stored form with names in the client's encoding */
Datum
mlmeta_lineage_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			size = buf->len - buf->cursor;
	Lineage    *lineage = summary_make(&lineage_type);
	Archive		ar;

	lineage->on_wire = true;
	archive_read(&ar, ARCHIVE_READ_BINARY, lineage_type.name,
				 pq_getmsgbytes(buf, size), size, NULL);
	lineage_archive(&ar, &lineage->summary);
	archive_finish(&ar);
	lineage->on_wire = false;
	return summary_datum(lineage);
}

Datum
mlmeta_lineage_send(PG_FUNCTION_ARGS)
{
	StringInfoData buf;
	Lineage    *lineage;
	Archive		ar;

	if (pg_get_client_encoding() == GetDatabaseEncoding())
		return summary_send(fcinfo, &lineage_type);

	lineage = summary_make(&lineage_type);
	add_all(lineage, lineage_read(PG_GETARG_DATUM(0)));
	lineage->on_wire = true;
	pq_begintypsend(&buf);
	archive_write(&ar, ARCHIVE_WRITE_BINARY, lineage_type.name, &buf);
	lineage_archive(&ar, &lineage->summary);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* ----------
 * Aggregates
 *
 * lineage(source, target): the edges of all rows. A row with a NULL counts
 * for nothing, but makes the result an empty graph instead of NULL.
 * ----------
 */

typedef void (*KeyOfArgument) (FunctionCallInfo fcinfo, int n,
							   LineageKey *key);

static inline void
key_of_run(FunctionCallInfo fcinfo, int n, LineageKey *key)
{
	lineage_run_key(key, PG_GETARG_RUN(n));
}

static inline void
key_of_artifact(FunctionCallInfo fcinfo, int n, LineageKey *key)
{
	lineage_artifact_key(key, PG_GETARG_VARLENA_PP(n));
}

static inline void
key_of_text(FunctionCallInfo fcinfo, int n, LineageKey *key)
{
	text	   *value = PG_GETARG_TEXT_PP(n);

	lineage_text_key(key, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

static pg_attribute_always_inline Datum
accumulate(FunctionCallInfo fcinfo, KeyOfArgument source_key,
		   KeyOfArgument target_key)
{
	Lineage    *lineage = summary_state(fcinfo, &lineage_type);

	if (lineage == NULL)
		lineage = summary_new_state(fcinfo, &lineage_type, NULL);
	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
	{
		LineageKey	key;
		int			source;
		int			target;

		source_key(fcinfo, 1, &key);
		source = lineage_add_node(lineage, key.bytes, key.size);
		target_key(fcinfo, 2, &key);
		target = lineage_add_node(lineage, key.bytes, key.size);
		lineage_add_edge(lineage, source, target);
	}
	return summary_datum(lineage);
}

#define LINEAGE_ACCUMULATE(source, target) \
	PG_FUNCTION_INFO_V1(mlmeta_lineage_##source##_##target); \
	Datum \
	mlmeta_lineage_##source##_##target(PG_FUNCTION_ARGS) \
	{ \
		return accumulate(fcinfo, key_of_##source, key_of_##target); \
	} \
	extern int	no_such_variable

LINEAGE_ACCUMULATE(run, run);
LINEAGE_ACCUMULATE(run, artifact);
LINEAGE_ACCUMULATE(run, text);
LINEAGE_ACCUMULATE(artifact, run);
LINEAGE_ACCUMULATE(artifact, artifact);
LINEAGE_ACCUMULATE(artifact, text);
LINEAGE_ACCUMULATE(text, run);
LINEAGE_ACCUMULATE(text, artifact);
LINEAGE_ACCUMULATE(text, text);

/*
 * Transition of merge(lineage) and combination of all aggregates here.
 * NULLs are left out.
 */
Datum
mlmeta_lineage_combine(PG_FUNCTION_ARGS)
{
	Lineage    *lineage = summary_state(fcinfo, &lineage_type);

	if (PG_ARGISNULL(1))
	{
		if (lineage == NULL)
			PG_RETURN_NULL();
		return summary_datum(lineage);
	}
	if (lineage == NULL)
		lineage = summary_new_state(fcinfo, &lineage_type, NULL);
	add_all(lineage, summary_read(PG_GETARG_DATUM(1), &lineage_type));
	return summary_datum(lineage);
}

/* ----------
 * Union, difference, size
 * ----------
 */

Datum
mlmeta_lineage_plus(PG_FUNCTION_ARGS)
{
	Lineage    *result = summary_make(&lineage_type);

	add_all(result, summary_read(PG_GETARG_DATUM(0), &lineage_type));
	add_all(result, summary_read(PG_GETARG_DATUM(1), &lineage_type));
	return summary_datum(result);
}

/*
 * The edges of a that are not in b. Both are sorted in the same way, so that
 * a's edges, in b's numbers, come in b's order too.
 */
Datum
mlmeta_lineage_minus(PG_FUNCTION_ARGS)
{
	Lineage    *a = lineage_read(PG_GETARG_DATUM(0));
	Lineage    *b = lineage_read(PG_GETARG_DATUM(1));
	Lineage    *result = summary_make(&lineage_type);
	int		   *in_b;
	int			j = 0;

	in_b = MemoryContextAllocHuge(CurrentMemoryContext,
								  Max(a->n_nodes, 1) * sizeof(int));
	for (int i = 0; i < a->n_nodes; i++)
	{
		int			cmp = 1;

		while (j < b->n_nodes &&
			   (cmp = compare_keys(lineage_key(b, j), b->nodes[j].size,
								   lineage_key(a, i), a->nodes[i].size)) < 0)
			j++;
		in_b[i] = j < b->n_nodes && cmp == 0 ? j : -1;
	}

	j = 0;
	for (int i = 0; i < a->n_edges; i++)
	{
		int			source = edge_source(a->edges[i]);
		int			target = edge_target(a->edges[i]);
		bool		found = false;

		CHECK_FOR_INTERRUPTS();
		if (in_b[source] >= 0 && in_b[target] >= 0)
		{
			uint64		edge = (uint64) in_b[source] << 32 |
				(uint64) in_b[target];

			while (j < b->n_edges && b->edges[j] < edge)
				j++;
			found = j < b->n_edges && b->edges[j] == edge;
		}
		if (!found)
		{
			source = lineage_add_node(result, lineage_key(a, source),
									  a->nodes[source].size);
			target = lineage_add_node(result, lineage_key(a, target),
									  a->nodes[target].size);
			lineage_add_edge(result, source, target);
		}
	}
	return summary_datum(result);
}

Datum
mlmeta_lineage_n_nodes(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(lineage_read(PG_GETARG_DATUM(0))->n_nodes);
}

Datum
mlmeta_lineage_n_edges(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(lineage_read(PG_GETARG_DATUM(0))->n_edges);
}
