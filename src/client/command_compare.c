/*-------------------------------------------------------------------------
 *
 * command_compare.c
 *		mlmeta compare: runs side by side, parameters and metrics.
 *
 *-------------------------------------------------------------------------
 */
#include "command.h"

#include "output.h"
#include "restore.h"

enum
{
	OPT_JSON = FIRST_LONG, OPT_ALL
};

static const Option options[] = {
	{"all", 'a', NULL, "also parameters that are the same in all of them"},
	{"json", OPT_JSON, NULL, "JSON"},
	{NULL}
};

/* A table as wide as there are runs: the query is made for them. */
static char *
comparison(char *const *runs, int n)
{
	PQExpBufferData sql;

	initPQExpBuffer(&sql);
	appendPQExpBufferStr(&sql, "SELECT f.kind, f.key");
	for (int i = 0; i < n; i++)
		appendPQExpBuffer(&sql,
						  ", pg_catalog.min(f.value) FILTER (WHERE f.run "
						  "OPERATOR(mlmeta.=) $%d::mlmeta.run) AS \"%s\"",
						  i + 2, runs[i]);
	appendPQExpBufferStr(&sql,
						 " FROM (SELECT o.run, 'param' AS kind, p.key, p.value "
						 "#>> '{}' AS value FROM mlmeta.run_overview AS o "
						 "CROSS JOIN LATERAL pg_catalog.jsonb_each(o.params) "
						 "AS p"
						 " UNION ALL SELECT o.run, 'metric', m.key, m.value "
						 "#>> '{}' FROM mlmeta.run_overview AS o CROSS JOIN "
						 "LATERAL pg_catalog.jsonb_each(o.metrics) AS m WHERE "
						 "m.key NOT LIKE 'system/%'"
						 " UNION ALL SELECT o.run, 'run', v.key, v.value FROM "
						 "mlmeta.run_overview AS o CROSS JOIN LATERAL (VALUES "
						 "('experiment', o.experiment), ('name', o.name), "
						 "('status', o.status), ('commit', "
						 "pg_catalog.left(o.git_commit, 10)), ('duration', "
						 "pg_catalog.date_trunc('second', o.duration)::text), "
						 "('data', pg_catalog.array_to_string(o.data_versions, "
						 "' '))) AS v (key, value)"
						 ") AS f WHERE f.run OPERATOR(mlmeta.=) ANY (ARRAY[");
	for (int i = 0; i < n; i++)
		appendPQExpBuffer(&sql, "%s$%d::mlmeta.run", i == 0 ? "" : ", ", i + 2);
	appendPQExpBuffer(&sql,
					  "]) GROUP BY f.kind, f.key"
					  " HAVING $1::boolean OR f.kind <> 'param' OR "
					  "count(DISTINCT f.value) > 1 OR count(*) < %d"
					  " ORDER BY pg_catalog.array_position(ARRAY['run', "
					  "'param', 'metric'], f.kind), f.key",
					  n);
	return sql.data;
}

static int
compare_main(const Command *command, int argc, char **argv)
{
	Scan		scan;
	bool		json = false;
	const char *values[65];
	char	   *runs[64];
	int			id;
	PGconn	   *connection;

	values[0] = "false";
	scan_begin(&scan, command, argc, argv);
	while ((id = scan_next(&scan)) != -1)
	{
		if (id == 'a')
			values[0] = "true";
		else if (id == OPT_JSON)
			json = true;
	}
	scan_arguments(&scan, 2, lengthof(runs));
	connection = require_connection(&scan.connection, NULL);
	for (int i = 0; i < scan.n_rest; i++)
	{
		runs[i] = pg_malloc(RUN_TEXT_SIZE);
		resolve_run(connection, scan.rest[i], runs[i]);
		load_run(connection, runs[i]);
		values[i + 1] = runs[i];
	}
	show_query(connection, json, NULL, comparison(runs, scan.n_rest),
			   scan.n_rest + 1, values);
	return 0;
}

const Command compare_command = {
	.name = "compare",
	.arguments = "RUN RUN...",
	.summary = "shows runs side by side",
	.options = options,
	.connects = true,
	.run = compare_main
};
