/*-------------------------------------------------------------------------
 *
 * command_approve.c
 *		mlmeta approve: what waits for approval, and decisions.
 *
 *-------------------------------------------------------------------------
 */
#include "command.h"

#include "output.h"

enum
{
	OPT_JSON = FIRST_LONG, OPT_REJECT
};

static const Option options[] = {
	{"comment", 'c', "TEXT", "why"},
	{"reject", OPT_REJECT, NULL, "reject it, for good"},
	{"json", OPT_JSON, NULL, "JSON, for the list"},
	{NULL}
};

static int
approve_main(const Command *command, int argc, char **argv)
{
	Scan		scan;
	bool		json = false;
	bool		reject = false;
	const char *values[2] = {NULL};
	int			id;
	PGconn	   *connection;
	PGresult   *result;
	const char *status;

	scan_begin(&scan, command, argc, argv);
	while ((id = scan_next(&scan)) != -1)
	{
		switch (id)
		{
			case 'c':
				values[1] = scan.value;
				break;
			case OPT_REJECT:
				reject = true;
				break;
			case OPT_JSON:
				json = true;
				break;
		}
	}
	scan_arguments(&scan, reject ? 1 : 0, 1);
	connection = require_connection(&scan.connection, NULL);
	if (scan.n_rest == 0)
	{
		show_query(connection, json, NULL, json ?
				   "SELECT q.* FROM mlmeta.request_overview AS q WHERE "
				   "q.status = 'pending' ORDER BY q.request" :
				   "SELECT q.request, q.model, q.version, q.from_stage AS "
				   "\"from\", q.stage AS \"to\", q.requested_by AS by, "
				   "q.comment,"
				   " pg_catalog.cardinality(q.approved_by) || ' of ' || "
				   "q.approvals_required AS approvals, "
				   "pg_catalog.to_char(q.expires_at, 'YYYY-MM-DD') AS expires"
				   " FROM mlmeta.request_overview AS q WHERE q.status = "
				   "'pending' ORDER BY q.request",
				   0, NULL);
		return 0;
	}
	values[0] = scan.rest[0];
	if (values[0][strspn(values[0], "0123456789")] != '\0')
		usage_error(command, "\"%s\" is no number of a request", values[0]);
	result = query(connection, reject ?
				   "SELECT mlmeta.reject($1::bigint, $2::text)" :
				   "SELECT mlmeta.approve($1::bigint, $2::text)", 2, values);
	status = reject ? "rejected" : PQgetvalue(result, 0, 0);
	printf("Request %s: %s\n", values[0], status);
	return strcmp(status, "refused") == 0 ? EXIT_DIFFERENT : 0;
}

const Command approve_command = {
	.name = "approve",
	.arguments = "[REQUEST]",
	.summary = "lists requests for approval, approves or rejects one",
	.options = options,
	.details = "The exit code is 1 when a gate refused what was approved.",
	.connects = true,
	.run = approve_main
};
