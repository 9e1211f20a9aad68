/*-------------------------------------------------------------------------
 *
 * lineage.h
 *		The type lineage: a provenance graph as a value.
 *
 * Nodes are runs and artifacts; an edge leads from a source to a target, the
 * way data flow: from an artifact to the run that used it, from a run to the
 * artifact it produced. A lineage is a set of edges, and its nodes are their
 * ends: there is no node without an edge.
 *
 * A node is known by its key: a byte that says what it is, then a run's
 * sixteen bytes or an artifact's stored bytes. While a graph is built its
 * nodes are found by hash and its edges wait unsorted; lineage_settle() brings
 * both into the one order in which they are stored and walked.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_TYPES_LINEAGE_H
#define MLMETA_TYPES_LINEAGE_H

#include "core/compat.h"
#include "core/summary.h"
#include "types/artifact.h"
#include "types/run.h"

#define LINEAGE_MAX_NODES	(1 << 24)
#define LINEAGE_MAX_EDGES	(1 << 26)

/* First byte of a key; runs sort before artifacts */
#define LINEAGE_RUN			0
#define LINEAGE_ARTIFACT	1

#define LINEAGE_MAX_KEY		(1 + ARTIFACT_MAX_SIZE)

typedef struct LineageKey
{
	int			size;
	char		bytes[LINEAGE_MAX_KEY];
} LineageKey;

typedef struct LineageNode
{
	uint32		offset;			/* of the key in keys */
	uint32		hash;
	uint16		size;
} LineageNode;

typedef struct Lineage
{
	Summary		summary;
	LineageNode *nodes;
	int			n_nodes;
	int			node_capacity;
	uint64	   *edges;			/* source << 32 | target, node numbers */
	int			n_edges;
	int			edge_capacity;
	char	   *keys;			/* the keys of all nodes */
	Size		keys_size;
	Size		keys_capacity;
	int		   *slots;			/* hash table of node numbers, -1 is free */
	uint32		n_slots;		/* a power of two; 0: there is no table */
	bool		settled;		/* nodes and edges sorted, edges unique */
	bool		on_wire;		/* archived in the client's encoding */
} Lineage;

extern const SummaryType lineage_type;

/* What an SQL function takes for a node */
typedef enum LineageArgument
{
	LINEAGE_RUN_ARGUMENT,
	LINEAGE_ARTIFACT_ARGUMENT,
	LINEAGE_TEXT_ARGUMENT
} LineageArgument;

/* Keys */
extern void lineage_run_key(LineageKey *key, const Run *run);
extern void lineage_artifact_key(LineageKey *key, struct varlena *artifact);
extern void lineage_text_key(LineageKey *key, const char *text, size_t size);

/* Building */
extern int	lineage_add_node(Lineage *lineage, const char *key, int size);
extern void lineage_add_edge(Lineage *lineage, int source, int target);
extern void lineage_settle(Lineage *lineage);

/* A settled graph, to be read only */
extern Lineage *lineage_read(Datum value);

/* Number of a node of a settled graph, -1 if it is not there */
extern int	lineage_find(const Lineage *lineage, const LineageKey *key);

static inline const char *
lineage_key(const Lineage *lineage, int node)
{
	return lineage->keys + lineage->nodes[node].offset;
}

static inline bool
lineage_is_run(const Lineage *lineage, int node)
{
	return *lineage_key(lineage, node) == LINEAGE_RUN;
}

static inline int
edge_source(uint64 edge)
{
	return (int) (edge >> 32);
}

static inline int
edge_target(uint64 edge)
{
	return (int) (edge & 0xFFFFFFFF);
}

/* Appends a node's text; what sort of node it is; what an edge means */
extern void lineage_append_node(StringInfo out, const Lineage *lineage,
								int node);
extern void lineage_append_kind(StringInfo out, const Lineage *lineage,
								int node);
extern const char *lineage_relation(const Lineage *lineage, uint64 edge);

/*
 * Neighbours of each node of a settled graph: those of node i are
 * neighbours[first[i]] to neighbours[first[i + 1] - 1], in ascending order.
 */
typedef struct Adjacency
{
	int		   *first;
	int		   *neighbours;
} Adjacency;

extern void lineage_targets(const Lineage *lineage, Adjacency *adjacency);
extern void lineage_sources(const Lineage *lineage, Adjacency *adjacency);

/* Longest way from a root to each node, see lineage_walk.c */
extern int	lineage_levels(const Lineage *lineage, const Adjacency *targets,
						   int *levels);

#endif							/* MLMETA_TYPES_LINEAGE_H */
