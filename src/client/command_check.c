/*-------------------------------------------------------------------------
 *
 * command_check.c
 *		mlmeta check: checks a monitor, or all that are due.
 *
 *-------------------------------------------------------------------------
 */
#include "command.h"

#include "output.h"

enum
{
	OPT_JSON = FIRST_LONG, OPT_UNTIL, OPT_DUE, OPT_ALL
};

static const Option options[] = {
	{"due", OPT_DUE, NULL, "all monitors of the user that are due"},
	{"until", OPT_UNTIL, "TIME", "windows that end before (default: now)"},
	{"all", 'a', NULL, "show all results, not only drift"},
	{"json", OPT_JSON, NULL, "JSON"},
	{NULL}
};

static const char results[] =
"SELECT c.* FROM mlmeta.check_monitor($1::text, coalesce($2::timestamptz, "
"pg_catalog.now())) AS c WHERE $3::boolean OR c.verdict = 'drift'";

static const char table[] =
"SELECT pg_catalog.to_char(c.window_start, 'YYYY-MM-DD HH24:MI') AS "
"\"window\", c.segment, c.feature, c.measure, "
"pg_catalog.round(c.statistic::numeric, 4) AS statistic, c.verdict, "
"pg_catalog.left(c.reason, 70) AS reason"
" FROM mlmeta.check_monitor($1::text, coalesce($2::timestamptz, "
"pg_catalog.now())) AS c WHERE $3::boolean OR c.verdict = 'drift'";

static int
check_main(const Command *command, int argc, char **argv)
{
	Scan		scan;
	bool		json = false;
	bool		due = false;
	const char *values[3] = {NULL, NULL, "false"};
	int			id;
	int			rows;
	PGconn	   *connection;

	scan_begin(&scan, command, argc, argv);
	while ((id = scan_next(&scan)) != -1)
	{
		switch (id)
		{
			case 'a':
				values[2] = "true";
				break;
			case OPT_UNTIL:
				values[1] = scan.value;
				break;
			case OPT_DUE:
				due = true;
				break;
			case OPT_JSON:
				json = true;
				break;
		}
	}
	scan_arguments(&scan, due ? 0 : 1, due ? 0 : 1);
	connection = require_connection(&scan.connection, NULL);
	if (due)
	{
		/* Commits after each monitor; its notices tell what it does */
		query0(connection, "CALL mlmeta.run_due()");
		return 0;
	}
	values[0] = scan.rest[0];
	rows = show_query(connection, json, NULL, json ? results : table, 3,
					  values);
	return rows > 0 && strcmp(values[2], "false") == 0 ? EXIT_DIFFERENT : 0;
}

const Command check_command = {
	.name = "check",
	.arguments = "MONITOR",
	.summary = "checks a monitor's new windows and shows what drifted",
	.options = options,
	.details = "The exit code is 1 when something drifted (without --all).",
	.connects = true,
	.run = check_main
};
