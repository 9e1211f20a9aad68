/*-------------------------------------------------------------------------
 *
 * lineage_text.c
 *		A lineage for other programs: JSON, Graphviz, Mermaid.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "miscadmin.h"
#include "types/lineage.h"
#include "utils/builtins.h"
#include "utils/json.h"

PG_FUNCTION_INFO_V1(mlmeta_lineage_to_json);
PG_FUNCTION_INFO_V1(mlmeta_lineage_to_dot);
PG_FUNCTION_INFO_V1(mlmeta_lineage_to_mermaid);

/*
 * to_json(lineage): {"nodes": [{"id", "type", "kind"}], "edges": [{"source",
 * "target", "relation"}]}; source and target are ids.
 */
Datum
mlmeta_lineage_to_json(PG_FUNCTION_ARGS)
{
	Lineage    *lineage = lineage_read(PG_GETARG_DATUM(0));
	StringInfoData out;
	StringInfoData ids;			/* all ids as JSON strings */
	StringInfoData word;
	int		   *id_end;			/* where in ids each ends */

	initStringInfo(&out);
	initStringInfo(&ids);
	initStringInfo(&word);
	id_end = MemoryContextAllocHuge(CurrentMemoryContext,
									(lineage->n_nodes + 1) * sizeof(int));
	id_end[0] = 0;
	appendStringInfoString(&out, "{\"nodes\": [");
	for (int i = 0; i < lineage->n_nodes; i++)
	{
		CHECK_FOR_INTERRUPTS();
		resetStringInfo(&word);
		lineage_append_node(&word, lineage, i);
		escape_json(&ids, word.data);
		id_end[i + 1] = ids.len;

		appendStringInfoString(&out, i == 0 ? "{\"id\": " : ", {\"id\": ");
		appendBinaryStringInfo(&out, ids.data + id_end[i],
							   id_end[i + 1] - id_end[i]);
		if (lineage_is_run(lineage, i))
			appendStringInfoString(&out, ", \"type\": \"run\"}");
		else
		{
			/* a kind has no character that JSON would escape */
			appendStringInfoString(&out,
								   ", \"type\": \"artifact\", \"kind\": \"");
			lineage_append_kind(&out, lineage, i);
			appendStringInfoString(&out, "\"}");
		}
	}
	appendStringInfoString(&out, "], \"edges\": [");
	for (int i = 0; i < lineage->n_edges; i++)
	{
		uint64		edge = lineage->edges[i];
		int			source = edge_source(edge);
		int			target = edge_target(edge);

		CHECK_FOR_INTERRUPTS();
		appendStringInfoString(&out, i == 0 ? "{\"source\": " :
							   ", {\"source\": ");
		appendBinaryStringInfo(&out, ids.data + id_end[source],
							   id_end[source + 1] - id_end[source]);
		appendStringInfoString(&out, ", \"target\": ");
		appendBinaryStringInfo(&out, ids.data + id_end[target],
							   id_end[target + 1] - id_end[target]);
		appendStringInfoString(&out, ", \"relation\": \"");
		appendStringInfoString(&out, lineage_relation(lineage, edge));
		appendStringInfoString(&out, "\"}");
	}
	appendStringInfoString(&out, "]}");
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* to_dot(lineage): a digraph from left to right, runs as ellipses */
Datum
mlmeta_lineage_to_dot(PG_FUNCTION_ARGS)
{
	Lineage    *lineage = lineage_read(PG_GETARG_DATUM(0));
	StringInfoData out;
	StringInfoData word;

	initStringInfo(&out);
	initStringInfo(&word);
	appendStringInfoString(&out, "digraph lineage {\n"
						   "  rankdir=LR;\n"
						   "  node [shape=box];\n");
	for (int i = 0; i < lineage->n_nodes; i++)
	{
		CHECK_FOR_INTERRUPTS();
		appendStringInfo(&out, "  n%d [label=\"", i);
		resetStringInfo(&word);
		lineage_append_node(&word, lineage, i);
		for (const char *c = word.data; *c != '\0'; c++)
		{
			if (*c == '"' || *c == '\\')
				appendStringInfoChar(&out, '\\');
			appendStringInfoCharMacro(&out, *c);
		}
		appendStringInfoString(&out, lineage_is_run(lineage, i) ?
							   "\", shape=ellipse];\n" : "\"];\n");
	}
	for (int i = 0; i < lineage->n_edges; i++)
	{
		CHECK_FOR_INTERRUPTS();
		appendStringInfo(&out, "  n%d -> n%d;\n",
						 edge_source(lineage->edges[i]),
						 edge_target(lineage->edges[i]));
	}
	appendStringInfoString(&out, "}\n");
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/*
 * to_mermaid(lineage): a flowchart from left to right, runs rounded. Inside
 * of quotes Mermaid takes characters as entities written #name;.
 */
Datum
mlmeta_lineage_to_mermaid(PG_FUNCTION_ARGS)
{
	Lineage    *lineage = lineage_read(PG_GETARG_DATUM(0));
	StringInfoData out;
	StringInfoData word;

	initStringInfo(&out);
	initStringInfo(&word);
	appendStringInfoString(&out, "flowchart LR\n");
	for (int i = 0; i < lineage->n_nodes; i++)
	{
		bool		is_run = lineage_is_run(lineage, i);

		CHECK_FOR_INTERRUPTS();
		appendStringInfo(&out, "  n%d%s\"", i, is_run ? "([" : "[");
		resetStringInfo(&word);
		lineage_append_node(&word, lineage, i);
		for (const char *c = word.data; *c != '\0'; c++)
		{
			/* what would end the label or be markup in it */
			if (strchr("\"#&<>`", *c) != NULL)
				appendStringInfo(&out, "#%d;", *c);
			else
				appendStringInfoCharMacro(&out, *c);
		}
		appendStringInfo(&out, "\"%s\n", is_run ? "])" : "]");
	}
	for (int i = 0; i < lineage->n_edges; i++)
	{
		CHECK_FOR_INTERRUPTS();
		appendStringInfo(&out, "  n%d --> n%d\n",
						 edge_source(lineage->edges[i]),
						 edge_target(lineage->edges[i]));
	}
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
