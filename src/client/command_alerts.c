/*-------------------------------------------------------------------------
 *
 * command_alerts.c
 *		mlmeta alerts: what is open, and what is done about it.
 *
 *-------------------------------------------------------------------------
 */
#include "command.h"

#include "output.h"

enum
{
	OPT_JSON = FIRST_LONG, OPT_UNTIL, OPT_OWNER
};

static const Option options[] = {
	{"comment", 'c', "TEXT", "why"},
	{"until", OPT_UNTIL, "TIME", "end of a snooze, such as tomorrow or "
	"2026-01-31"},
	{"owner", OPT_OWNER, "NAME", "who an alert is assigned to"},
	{"json", OPT_JSON, NULL, "JSON"},
	{NULL}
};

static const char details[] =
"  alerts [MONITOR]        what is open\n"
"  alerts explain ALERT    which bins and segments moved, and the rows, as "
"JSON\n"
"  alerts acknowledge|snooze|resolve|assign ALERT\n"
"The exit code of the list is 1 when there are open alerts.";

/* The functions were renamed once: the newer name where it is there */
static const char *
action_name(PGconn *connection, const char *action)
{
	char	   *newer = psprintf("%s_alert", action);
	PGresult   *result = query1(connection,
								"SELECT EXISTS (SELECT FROM pg_catalog.pg_proc "
								"AS p JOIN pg_catalog.pg_namespace AS n ON "
								"n.oid = p.pronamespace"
								" WHERE n.nspname = 'mlmeta' AND p.proname = "
								"$1::text)",
								newer);

	return *PQgetvalue(result, 0, 0) == 't' ? newer : action;
}

static int
act(const Scan *scan, const char *comment, const char *until,
	const char *owner)
{
	PGconn	   *connection = require_connection(&scan->connection, NULL);
	const char *action = scan->rest[0];
	const char *alert = scan->rest[1];
	char	   *call = psprintf("SELECT mlmeta.%s", action_name(connection, action));

	if (strcmp(action, "explain") == 0)
	{
		printf("%s\n", PQgetvalue(query1(connection,
										 "SELECT "
										 "pg_catalog.jsonb_pretty(mlmeta.explain_alert($1::bigint))",
										 alert), 0, 0));
		return 0;
	}
	if (strcmp(action, "snooze") == 0)
	{
		if (until == NULL)
			usage_error(scan->command, "until when? --until");
		query3(connection, psprintf("%s($1::bigint, $2::timestamptz, $3::text)", call),
			   alert, until, comment);
	}
	else if (strcmp(action, "assign") == 0)
	{
		if (owner == NULL)
			usage_error(scan->command, "to whom? --owner");
		query2(connection, psprintf("%s($1::bigint, $2::text)", call), alert,
			   owner);
	}
	else
		query2(connection, psprintf("%s($1::bigint, $2::text)", call), alert,
			   comment);
	return 0;
}

static int
alerts_main(const Command *command, int argc, char **argv)
{
	static const char *const actions[] = {"explain", "acknowledge", "snooze",
	"resolve", "assign"};
	Scan		scan;
	bool		json = false;
	const char *comment = NULL;
	const char *until = NULL;
	const char *owner = NULL;
	const char *values[1];
	int			id;
	PGconn	   *connection;

	scan_begin(&scan, command, argc, argv);
	while ((id = scan_next(&scan)) != -1)
	{
		switch (id)
		{
			case 'c':
				comment = scan.value;
				break;
			case OPT_UNTIL:
				until = scan.value;
				break;
			case OPT_OWNER:
				owner = scan.value;
				break;
			case OPT_JSON:
				json = true;
				break;
		}
	}
	scan_arguments(&scan, 0, 2);
	for (int i = 0; scan.n_rest == 2 && i < lengthof(actions); i++)
	{
		if (strcmp(scan.rest[0], actions[i]) == 0)
			return act(&scan, comment, until, owner);
	}
	scan_arguments(&scan, 0, 1);
	connection = require_connection(&scan.connection, NULL);
	values[0] = scan.n_rest == 1 ? scan.rest[0] : NULL;
	return show_query(connection, json, NULL, json ?
					  "SELECT a.* FROM mlmeta.alert_open AS a WHERE $1::text "
					  "IS NULL OR a.monitor = $1 ORDER BY a.alert" :
					  "SELECT a.alert, a.severity, a.state, a.monitor, "
					  "a.feature, a.segment, a.measure, "
					  "pg_catalog.to_char(a.first_window, 'YYYY-MM-DD "
					  "HH24:MI') AS since, a.windows, "
					  "pg_catalog.left(a.reason, 60) AS reason"
					  " FROM mlmeta.alert_open AS a WHERE $1::text IS NULL OR "
					  "a.monitor = $1"
					  " ORDER BY a.severity = 'critical' DESC, a.severity = "
					  "'warning' DESC, a.alert",
					  1, values) > 0 ? EXIT_DIFFERENT : 0;
}

const Command alerts_command = {
	.name = "alerts",
	.arguments = "[MONITOR] | ACTION ALERT",
	.summary = "lists open alerts, explains and handles them",
	.options = options,
	.details = details,
	.connects = true,
	.run = alerts_main
};
