/*-------------------------------------------------------------------------
 *
 * command_runs.c
 *		mlmeta runs: which runs there are.
 *
 *-------------------------------------------------------------------------
 */
#include "command.h"

#include "output.h"

enum
{
	OPT_JSON = FIRST_LONG, OPT_STATUS, OPT_USER, OPT_TAG
};

static const Option options[] = {
	{"limit", 'n', "N", "at most so many (default 20)"},
	{"status", OPT_STATUS, "STATUS", "only those that are running, finished, "
									 "failed, killed or crashed"},
	{"user", OPT_USER, "NAME", "only those of a user"},
	{"tag", OPT_TAG, "KEY=TEXT", "only those with a tag"},
	{"json", OPT_JSON, NULL, "JSON"},
	{NULL}
};

static const char table[] =
"SELECT o.run, o.experiment, o.name, o.status, "
"pg_catalog.to_char(o.started_at, 'YYYY-MM-DD HH24:MI') AS started,"
" pg_catalog.date_trunc('second', o.duration) AS duration, o.user_name AS "
"\"user\","
" pg_catalog.left(coalesce((SELECT pg_catalog.string_agg(m.key || '=' || "
"(m.value #>> '{}'), ' ') FROM pg_catalog.jsonb_each(o.metrics) AS m WHERE "
"m.key NOT LIKE 'system/%'), ''), 40) AS metrics";

static const char columns[] = "SELECT o.*";

static const char rows[] =
" FROM mlmeta.run_overview AS o"
" WHERE ($1::text IS NULL OR o.experiment = $1) AND ($2::text IS NULL OR "
"o.status = $2)"
" AND ($3::text IS NULL OR o.user_name = $3) AND ($4::text IS NULL OR o.tags "
"->> $4 = $5::text)"
" ORDER BY o.started_at DESC LIMIT $6::bigint";

static int
runs_main(const Command *command, int argc, char **argv)
{
	Scan		scan;
	bool		json = false;
	const char *values[] = {NULL, NULL, NULL, NULL, NULL, "20"};
	char	   *key;
	char	   *sql;
	int			id;
	PGconn	   *connection;

	scan_begin(&scan, command, argc, argv);
	while ((id = scan_next(&scan)) != -1)
	{
		switch (id)
		{
			case 'n':
				number_argument(&scan, 1, PG_INT64_MAX);
				values[5] = scan.value;
				break;
			case OPT_STATUS:
				values[1] = scan.value;
				break;
			case OPT_USER:
				values[2] = scan.value;
				break;
			case OPT_TAG:
				key = pg_strdup(scan.value);
				values[3] = key;
				if (strchr(key, '=') == NULL)
					usage_error(command, "\"%s\" is no KEY=TEXT", key);
				values[4] = strchr(key, '=') + 1;
				*strchr(key, '=') = '\0';
				break;
			case OPT_JSON:
				json = true;
				break;
		}
	}
	scan_arguments(&scan, 0, 1);
	values[0] = scan.n_rest == 1 ? scan.rest[0] : NULL;
	connection = require_connection(&scan.connection, NULL);
	sql = psprintf("%s%s", json ? columns : table, rows);
	show_query(connection, json, NULL, sql, lengthof(values), values);
	return 0;
}

const Command runs_command = {
	.name = "runs",
	.arguments = "[EXPERIMENT]",
	.summary = "lists runs, newest first",
	.options = options,
	.connects = true,
	.run = runs_main
};
