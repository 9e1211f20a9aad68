/*-------------------------------------------------------------------------
 *
 * command_report.c
 *		mlmeta report: a monitor as a page.
 *
 *-------------------------------------------------------------------------
 */
#include "command.h"

#include <unistd.h>

static const Option options[] = {
	{"output", 'o', "FILE", "into a file (default: standard output)"},
	{NULL}
};

static int
report_main(const Command *command, int argc, char **argv)
{
	Scan		scan;
	const char *path = NULL;
	int			id;
	PGconn	   *connection;
	PGresult   *result;
	FILE	   *to = stdout;

	scan_begin(&scan, command, argc, argv);
	while ((id = scan_next(&scan)) != -1)
		path = scan.value;
	scan_arguments(&scan, 1, 1);
	if (path == NULL && isatty(STDOUT_FILENO))
		usage_error(command, "a page of HTML is nothing for a terminal: "
					"--output FILE");
	connection = require_connection(&scan.connection, NULL);
	result = query1(connection, "SELECT mlmeta.report($1::text)",
					scan.rest[0]);
	if (path != NULL && (to = fopen(path, "w")) == NULL)
	{
		pg_log_error("\"%s\" cannot be written: %m", path);
		return EXIT_DIFFERENT;
	}
	fputs(PQgetvalue(result, 0, 0), to);
	if (fflush(to) != 0 || ferror(to))
	{
		pg_log_error("the page cannot be written: %m");
		return EXIT_DIFFERENT;
	}
	return 0;
}

const Command report_command = {
	.name = "report",
	.arguments = "MONITOR",
	.summary = "writes a monitor's report, one page of HTML",
	.options = options,
	.connects = true,
	.run = report_main
};
