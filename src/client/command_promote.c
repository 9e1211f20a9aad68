/*-------------------------------------------------------------------------
 *
 * command_promote.c
 *		mlmeta promote: asks for a version to move to a stage.
 *
 *-------------------------------------------------------------------------
 */
#include "command.h"

#include "output.h"

enum
{
	OPT_CHECK = FIRST_LONG
};

static const Option options[] = {
	{"comment", 'c', "TEXT", "why"},
	{"check", OPT_CHECK, NULL, "only show what the gates would say now"},
	{NULL}
};

static const char details[] =
"VERSION is a number, an alias, or \"latest\". What the stage's policy asks "
"for (approvals,\n"
"gates) decides; see \"mlmeta approve\".\n"
"The exit code is 0 when the version has moved or the request waits, 1 when it "
"was refused.";

/* The number of a version that is given as such, as alias or as latest */
static const char *
version_number(PGconn *connection, const char *model, const char *given)
{
	PGresult   *result;

	if (given[strspn(given, "0123456789")] == '\0')
		return given;
	result = query2(connection, strcmp(given, "latest") == 0 ?
					"SELECT o.latest_version FROM mlmeta.model_overview AS o "
					"WHERE o.model = $1::text AND $2::text IS NOT NULL" :
					"SELECT mlmeta.model_at($1::text, $2::text)",
					model, given);
	if (PQntuples(result) == 0 || PQgetisnull(result, 0, 0))
	{
		pg_log_error("model \"%s\" has no version \"%s\"", model, given);
		exit(EXIT_REFUSED);
	}
	return PQgetvalue(result, 0, 0);
}

static int
promote_main(const Command *command, int argc, char **argv)
{
	Scan		scan;
	bool		check = false;
	const char *values[4] = {NULL};
	int			id;
	PGconn	   *connection;
	PGresult   *result;
	const char *status;

	scan_begin(&scan, command, argc, argv);
	while ((id = scan_next(&scan)) != -1)
	{
		if (id == 'c')
			values[3] = scan.value;
		else if (id == OPT_CHECK)
			check = true;
	}
	scan_arguments(&scan, 3, 3);
	connection = require_connection(&scan.connection, NULL);
	values[0] = scan.rest[0];
	values[1] = version_number(connection, scan.rest[0], scan.rest[1]);
	values[2] = scan.rest[2];
	if (check)
	{
		show_query(connection, false, NULL,
				   "SELECT g.name AS gate, g.passed, g.detail, g.problem FROM "
				   "mlmeta.check_gates($1::text, $2::int, $3::text) AS g",
				   3, values);
		return 0;
	}
	result = query(connection,
				   "SELECT mlmeta.request_transition($1::text, $2::int, "
				   "$3::text, $4::text)",
				   4, values);
	result = query1(connection,
					"SELECT q.request, q.status, q.approvals_required FROM "
					"mlmeta.request_overview AS q WHERE q.request = "
					"$1::bigint",
					PQgetvalue(result, 0, 0));
	status = PQgetvalue(result, 0, 1);
	if (strcmp(status, "pending") == 0)
		printf("Request %s: version %s of \"%s\" may go to %s when %s "
			   "approve%s\n",
			   PQgetvalue(result, 0, 0), values[1], values[0], values[2],
			   PQgetvalue(result, 0, 2),
			   strcmp(PQgetvalue(result, 0, 2), "1") == 0 ? "s" : "");
	else
		printf("Request %s: %s\n", PQgetvalue(result, 0, 0), status);
	return strcmp(status, "refused") == 0 ? EXIT_DIFFERENT : 0;
}

const Command promote_command = {
	.name = "promote",
	.arguments = "MODEL VERSION STAGE",
	.summary = "asks for a model's version to move to a stage",
	.options = options,
	.details = details,
	.connects = true,
	.run = promote_main
};
