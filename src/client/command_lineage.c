/*-------------------------------------------------------------------------
 *
 * command_lineage.c
 *		mlmeta lineage: what a run or artifact came of, or became.
 *
 *-------------------------------------------------------------------------
 */
#include "command.h"

#include "output.h"
#include "restore.h"

enum
{
	OPT_JSON = FIRST_LONG, OPT_DOWN, OPT_DEPTH, OPT_DOT, OPT_MERMAID
};

static const Option options[] = {
	{"downstream", OPT_DOWN, NULL, "what came out of it (default: what went "
	"into it)"},
	{"depth", OPT_DEPTH, "N", "at most so many steps"},
	{"dot", OPT_DOT, NULL, "a graph for Graphviz"},
	{"mermaid", OPT_MERMAID, NULL, "a graph for Mermaid"},
	{"json", OPT_JSON, NULL, "JSON"},
	{NULL}
};

static int
lineage_main(const Command *command, int argc, char **argv)
{
	Scan		scan;
	bool		json = false;
	bool		down = false;
	const char *drawing = NULL;
	const char *values[] = {NULL, NULL};
	char		run[RUN_TEXT_SIZE];
	char	   *sql;
	int			id;
	PGconn	   *connection;

	scan_begin(&scan, command, argc, argv);
	while ((id = scan_next(&scan)) != -1)
	{
		switch (id)
		{
			case OPT_JSON:
				json = true;
				break;
			case OPT_DOWN:
				down = true;
				break;
			case OPT_DEPTH:
				number_argument(&scan, 1, PG_INT32_MAX);
				values[1] = scan.value;
				break;
			case OPT_DOT:
				drawing = "to_dot";
				break;
			case OPT_MERMAID:
				drawing = "to_mermaid";
				break;
		}
	}
	scan_arguments(&scan, 1, 1);
	connection = require_connection(&scan.connection, NULL);
	/* Every artifact has a kind */
	values[0] = scan.rest[0];
	if (strchr(scan.rest[0], ':') == NULL)
	{
		resolve_run(connection, scan.rest[0], run);
		values[0] = run;
	}
	if (drawing == NULL)
	{
		sql = psprintf("SELECT t.depth, t.node, t.via FROM mlmeta.%s($1::text, "
					   "$2::int) AS t",
					   down ? "downstream" : "upstream");
		show_query(connection, json, NULL, sql, 2, values);
	}
	else
	{
		/* What is next to a node on the way back lies on its other side */
		sql = psprintf("SELECT mlmeta.%s(mlmeta.lineage(%s)) FROM "
					   "mlmeta.%s($1::text, $2::int) AS t",
					   drawing, down ? "coalesce(t.via, $1), t.node" :
					   "t.node, coalesce(t.via, $1)",
					   down ? "downstream" : "upstream");
		printf("%s\n", PQgetvalue(query(connection, sql, 2, values), 0, 0));
	}
	return 0;
}

const Command lineage_command = {
	.name = "lineage",
	.arguments = "RUN|ARTIFACT",
	.summary = "shows what a run or artifact was made of, or what was made of "
	"it",
	.options = options,
	.connects = true,
	.run = lineage_main
};
