/*-------------------------------------------------------------------------
 *
 * command_doctor.c
 *		mlmeta doctor: what is not as it should be, and how to mend it.
 *
 *-------------------------------------------------------------------------
 */
#include "command.h"

#include <math.h>
#include <sys/statvfs.h>

#include "output.h"
#include "process.h"
#include "spool.h"

enum
{
	OPT_JSON = FIRST_LONG
};

static const Option options[] = {
	{"json", OPT_JSON, NULL, "JSON"},
	{NULL}
};

typedef enum Health
{
	HEALTHY,
	DOUBTFUL,
	ILL
} Health;

typedef struct Doctor
{
	PGconn	   *connection;
	json_t	   *findings;
	Health		worst;
} Doctor;

static const char *const health_names[] = {"ok", "warning", "problem"};

/* A finding; fix may be NULL. Takes the texts as they are. */
static void
			find(Doctor *doctor, Health health, const char *what, const char *fix,
				 const char *format,...) pg_attribute_printf(5, 6);

static void
find(Doctor *doctor, Health health, const char *what, const char *fix,
	 const char *format,...)
{
	json_t	   *finding = json_object();
	char		detail[2048];
	va_list		arguments;

	va_start(arguments, format);
	vsnprintf(detail, sizeof(detail), format, arguments);
	va_end(arguments);
	json_object_set_new(finding, "health", json_string(health_names[health]));
	json_object_set_new(finding, "what", json_string(what));
	json_object_set_new(finding, "detail", json_text(detail));
	if (fix != NULL && health != HEALTHY)
		json_object_set_new(finding, "fix", json_text(fix));
	json_array_append_new(doctor->findings, finding);
	doctor->worst = Max(doctor->worst, health);
}

/* A query whose failure is a finding, too; NULL then */
static PGresult *
look(Doctor *doctor, const char *what, const char *sql)
{
	PGresult   *result = PQexec(doctor->connection, sql);

	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		return result;
	find(doctor, DOUBTFUL, what, NULL, "cannot be seen: %s",
		 PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
	PQclear(result);
	return NULL;
}

static bool
is_true(const PGresult *result, int column)
{
	return *PQgetvalue(result, 0, column) == 't';
}

/* Server ------------------------------------------------------------------ */

/* Whether there is an extension to go on with */
static bool
check_extension(Doctor *doctor)
{
	PGresult   *result = look(doctor, "extension",
							  "SELECT e.extversion, a.default_version FROM "
							  "pg_catalog.pg_available_extensions AS a"
							  " LEFT JOIN pg_catalog.pg_extension AS e ON "
							  "e.extname = a.name WHERE a.name = 'mlmeta'");
	const char *installed;

	if (result == NULL)
		return false;
	if (PQntuples(result) == 0 || PQgetisnull(result, 0, 0))
	{
		find(doctor, ILL, "extension",
			 PQntuples(result) == 0 ? "install it on the server (make "
			 "install), then CREATE EXTENSION "
			 "mlmeta" :
			 "CREATE EXTENSION mlmeta", "it is not in database \"%s\"",
			 PQdb(doctor->connection));
		PQclear(result);
		return false;
	}
	installed = PQgetvalue(result, 0, 0);
	if (strcmp(installed, PQgetvalue(result, 0, 1)) != 0)
		find(doctor, DOUBTFUL, "extension", "ALTER EXTENSION mlmeta UPDATE",
			 "version %s is installed, the server has %s", installed,
			 PQgetvalue(result, 0, 1));
	else if (strcmp(installed, MLMETA_VERSION) != 0)
		find(doctor, DOUBTFUL, "extension",
			 "install program and extension of one version",
			 "version %s, this program is %s", installed, MLMETA_VERSION);
	else
		find(doctor, HEALTHY, "extension", NULL, "version %s, as this program",
			 installed);
	PQclear(result);
	return true;
}

static void
check_server(Doctor *doctor)
{
	PGresult   *result = look(doctor, "server",
							  "SELECT "
							  "pg_catalog.current_setting('server_version'), "
							  "pg_catalog.pg_is_in_recovery(),"
							  " "
							  "pg_catalog.current_setting('server_version_num')::int "
							  ">= 150000,"
							  " coalesce(extract(epoch FROM pg_catalog.now() - "
							  "pg_catalog.pg_last_xact_replay_timestamp())::int, "
							  "0)");

	if (result == NULL)
		return;
	find(doctor, is_true(result, 2) ? HEALTHY : ILL, "server",
		 "use PostgreSQL 15 or newer", "PostgreSQL %s",
		 PQgetvalue(result, 0, 0));
	if (is_true(result, 1))
		find(doctor, ILL, "replication",
			 "connect to the primary: what runs record cannot be stored on a "
			 "replica",
			 "this is a replica, %s seconds behind", PQgetvalue(result, 0, 3));
	else
		find(doctor, HEALTHY, "replication", NULL, "this is the primary");
	PQclear(result);

	result = look(doctor, "replication",
				  "SELECT count(*), pg_catalog.string_agg(s.slot_name, ', ') "
				  "FROM pg_catalog.pg_replication_slots AS s WHERE NOT "
				  "s.active");
	if (result != NULL && strcmp(PQgetvalue(result, 0, 0), "0") != 0)
		find(doctor, DOUBTFUL, "replication",
			 "start what reads them, or pg_drop_replication_slot(): they hold "
			 "back WAL",
			 "slots that nobody reads: %s", PQgetvalue(result, 0, 1));
	PQclear(result);
}

static void
check_clock(Doctor *doctor)
{
	int64		before = now_us();
	PGresult   *result = look(doctor, "clock",
							  "SELECT (extract(epoch FROM "
							  "pg_catalog.clock_timestamp()) * "
							  "1000000)::bigint");
	int64		after = now_us();
	double		skew;

	if (result == NULL)
		return;
	skew = (atoll(PQgetvalue(result, 0, 0)) - (before + (after - before) / 2))
		/ 1e6;
	find(doctor, fabs(skew) < 1 ? HEALTHY : fabs(skew) < 60 ? DOUBTFUL : ILL,
		 "clock", "synchronise the clocks (NTP) of server and client: metrics "
		 "bear the client's times",
		 "the server's is %.3f seconds %s", fabs(skew), skew < 0 ? "behind" :
		 "ahead");
	PQclear(result);
}

/* What a user of each kind may do; what is missing is one grant away. */
static void
check_privileges(Doctor *doctor)
{
	PGresult   *result = look(doctor, "privileges",
							  "SELECT current_user, "
							  "pg_catalog.has_schema_privilege('mlmeta', "
							  "'USAGE'),"
							  " "
							  "pg_catalog.has_table_privilege('mlmeta.run_overview', "
							  "'SELECT'),"
							  " coalesce(pg_catalog.bool_or(p.proname = "
							  "'start_run' AND "
							  "pg_catalog.has_function_privilege(p.oid, "
							  "'EXECUTE')), false),"
							  " coalesce(pg_catalog.bool_or(p.proname = "
							  "'approve' AND "
							  "pg_catalog.has_function_privilege(p.oid, "
							  "'EXECUTE')), false),"
							  " session_user = current_user"
							  " FROM pg_catalog.pg_proc AS p JOIN "
							  "pg_catalog.pg_namespace AS n ON n.oid = "
							  "p.pronamespace"
							  " WHERE n.nspname = 'mlmeta'");
	bool		reads;
	bool		writes;

	if (result == NULL)
		return;
	reads = is_true(result, 1) && is_true(result, 2);
	writes = reads && is_true(result, 3);
	find(doctor, writes ? HEALTHY : reads ? DOUBTFUL : ILL, "privileges",
		 reads ? "grant the role PREFIX_writer of setup_roles() to who shall "
		 "record runs" :
		 "grant the role PREFIX_reader or PREFIX_writer of setup_roles()",
		 "%s may %s%s%s", PQgetvalue(result, 0, 0), reads ? "read" : "not read",
		 writes ? ", record runs" : "",
		 writes && is_true(result, 4) ? ", call approve()" : "");
	PQclear(result);
}

static void
check_settings(Doctor *doctor)
{
	static const struct
	{
		const char *name;
		const char *bad;
		Health		health;
		const char *why;
	}			settings[] = {
		{"fsync", "off", ILL, "a crash of the machine can destroy the "
		"database: fsync = on"},
		{"full_page_writes", "off", ILL, "a crash of the machine can destroy "
		"pages: full_page_writes = on"},
		{"synchronous_commit", "off", DOUBTFUL, "a crash forgets the last commits, which the spool has given up by then: synchronous_commit = on"},
		{"default_transaction_read_only", "on", ILL, "nothing can be recorded: default_transaction_read_only = off"},
		{"default_transaction_isolation", "serializable", DOUBTFUL, "concurrent runs fail each other and are sent again: READ COMMITTED is enough"},
		{"row_security", "off", DOUBTFUL, "queries on closed projects fail: "
		"row_security = on"},
	};
	int			n = 0;

	for (int i = 0; i < lengthof(settings); i++)
	{
		char	   *sql = psprintf("SELECT pg_catalog.current_setting('%s')",
								   settings[i].name);
		PGresult   *result = look(doctor, "settings", sql);

		if (result != NULL
			&& strcmp(PQgetvalue(result, 0, 0), settings[i].bad) == 0)
		{
			find(doctor, settings[i].health, "settings", settings[i].why,
				 "%s is %s", settings[i].name, settings[i].bad);
			n++;
		}
		PQclear(result);
		pg_free(sql);
	}
	if (n == 0)
		find(doctor, HEALTHY, "settings", NULL,
			 "none of those that matter is wrong");
}

static void
check_schedules(Doctor *doctor)
{
	PGresult   *result = look(doctor, "schedules",
							  "SELECT (SELECT count(*) FROM "
							  "pg_catalog.pg_extension AS e WHERE e.extname = "
							  "'pg_cron'),"
							  " (SELECT count(*) FROM mlmeta.monitors AS m "
							  "WHERE m.is_enabled),"
							  " (SELECT count(*) FROM mlmeta.monitors AS m "
							  "WHERE m.is_enabled AND m.schedule IS NULL)");
	bool		cron;

	if (result == NULL)
		return;
	cron = strcmp(PQgetvalue(result, 0, 0), "0") != 0;
	if (strcmp(PQgetvalue(result, 0, 2), "0") == 0)
		find(doctor, HEALTHY, "schedules", NULL, "%s monitors, all scheduled",
			 PQgetvalue(result, 0, 1));
	else
		find(doctor, DOUBTFUL, "schedules", cron ?
			 "schedule_monitor(monitor, '10 0 * * *'), or \"mlmeta check "
			 "--due\" by another scheduler" :
			 "\"mlmeta check --due\" by cron, or pg_cron in this database and "
			 "schedule_monitor()",
			 "%s of %s monitors have no schedule; pg_cron is %sthere",
			 PQgetvalue(result, 0, 2), PQgetvalue(result, 0, 1),
			 cron ? "" : "not ");
	PQclear(result);
}

static void
check_runs(Doctor *doctor)
{
	PGresult   *result = look(doctor, "runs",
							  "SELECT count(*) FROM mlmeta.runs AS r WHERE "
							  "r.status = 'running' AND r.deleted_at IS NULL"
							  " AND greatest(r.started_at, r.heartbeat_at) < "
							  "pg_catalog.now() - interval '1 hour'");

	if (result != NULL)
		find(doctor, strcmp(PQgetvalue(result, 0, 0), "0") == 0 ? HEALTHY :
			 DOUBTFUL, "runs", "SELECT mlmeta.reap_runs() ends those that give "
			 "no sign of life",
			 "%s running without a heartbeat for an hour",
			 PQgetvalue(result, 0, 0));
	PQclear(result);

	result = look(doctor, "events",
				  "SELECT b.consumer, b.events, coalesce(b.oldest_at < "
				  "pg_catalog.now() - interval '1 hour', false) FROM "
				  "mlmeta.event_backlog AS b ORDER BY 1");
	for (int row = 0; result != NULL && row < PQntuples(result); row++)
		find(doctor, *PQgetvalue(result, row, 2) == 't' ? DOUBTFUL : HEALTHY,
			 "events", "start what takes them (\"mlmeta deliver --follow "
			 "--consumer NAME\"), or drop_event_consumer()",
			 "consumer \"%s\" has %s events to take", PQgetvalue(result, row, 0),
			 PQgetvalue(result, row, 1));
	PQclear(result);
}

/* What the extension itself has to say, where it has such a function */
static void
ask_extension(Doctor *doctor)
{
	PGresult   *result = look(doctor, "extension",
							  "SELECT "
							  "pg_catalog.to_regprocedure('mlmeta.doctor()') "
							  "IS NOT NULL");
	bool		there = result != NULL && is_true(result, 0);

	PQclear(result);
	if (!there)
		return;
	result = look(doctor, "extension",
				  "SELECT pg_catalog.row_to_json(d) FROM mlmeta.doctor() AS d");
	for (int row = 0; result != NULL && row < PQntuples(result); row++)
		find(doctor, DOUBTFUL, "database", NULL, "%s",
			 PQgetvalue(result, row, 0));
	PQclear(result);
}

/* This machine ------------------------------------------------------------ */

static void
check_spool(Doctor *doctor, const Target *target)
{
	char	   *path = psprintf("%s/%s.db", spool_directory(),
								target->file_name);
	char	   *problem;
	Spool	   *spool = spool_open(path, target, &problem);
	struct statvfs space;
	json_t	   *dead;

	if (spool == NULL)
	{
		find(doctor, ILL, "spool", "mend it, move it away, or set MLMETA_SPOOL "
			 "to another directory",
			 "\"%s\" cannot be used: %s", path, problem);
		return;
	}
	find(doctor, spool_count(spool, NULL) == 0 ? HEALTHY : DOUBTFUL, "spool",
		 "mlmeta sync", "%lld facts wait in \"%s\"",
		 (long long) spool_count(spool, NULL), path);
	if (spool_refused(spool) > 0)
		find(doctor, DOUBTFUL, "spool", "\"mlmeta sync --retry\" when the "
			 "cause is mended",
			 "%lld facts were refused by the server",
			 (long long) spool_refused(spool));
	dead = spool_dead_letters(spool);
	if (json_array_size(dead) > 0)
		find(doctor, DOUBTFUL, "spool", "\"mlmeta deliver --dead\" shows them, "
			 "--redeliver tries again",
			 "%d dead letters", (int) json_array_size(dead));
	json_decref(dead);
	spool_close(spool);
	if (statvfs(spool_directory(), &space) == 0)
	{
		int64		room = (int64) space.f_bavail * space.f_frsize;

		find(doctor, room > INT64CONST(1) << 30 ? HEALTHY : DOUBTFUL, "disk",
			 "make room: without a server, what runs record is kept there",
			 "%s free for the spool", human_size(room));
	}
}

static void
check_programs(Doctor *doctor)
{
	find(doctor, have_program("git") ? HEALTHY : DOUBTFUL, "git",
		 "install git: without it no code is recorded", have_program("git") ?
		 "is there" : "is not there");
}

static void
show_findings(const Doctor *doctor)
{
	static const char *const colours[] = {COLOUR_GREEN, COLOUR_YELLOW,
	COLOUR_RED};
	size_t		i;
	json_t	   *finding;

	json_array_foreach(doctor->findings, i, finding)
	{
		const char *health = json_string_value(json_object_get(finding, "health"));
		const char *fix = json_string_value(json_object_get(finding, "fix"));
		int			k = 0;

		while (strcmp(health, health_names[k]) != 0)
			k++;
		printf("%s%-8s%s %-12s %s\n", colour(colours[k]), health, no_colour(),
			   json_string_value(json_object_get(finding, "what")),
			   json_string_value(json_object_get(finding, "detail")));
		if (fix != NULL)
			printf("%-21s -> %s\n", "", fix);
	}
}

static int
doctor_main(const Command *command, int argc, char **argv)
{
	Scan		scan;
	Doctor		doctor = {.findings = json_array()};
	bool		json = false;
	const Target *target;
	char	   *problem;

	scan_begin(&scan, command, argc, argv);
	while (scan_next(&scan) != -1)
		json = true;
	scan_arguments(&scan, 0, 0);
	target = resolve_target(&scan.connection);
	doctor.connection = try_connect(target, true, &problem);
	if (doctor.connection == NULL)
		find(&doctor, ILL, "server", "check host, port, user and password, and "
			 "whether it runs; PG... and the "
			 "connection options say where it is "
			 "looked for",
			 "%s: %s", target->label, problem);
	else
	{
		check_server(&doctor);
		check_clock(&doctor);
		check_settings(&doctor);
		if (check_extension(&doctor))
		{
			check_privileges(&doctor);
			check_schedules(&doctor);
			check_runs(&doctor);
			ask_extension(&doctor);
		}
	}
	check_spool(&doctor, target);
	check_programs(&doctor);
	if (json)
		printf("%s\n", json_dumps(doctor.findings, JSON_INDENT(2)));
	else
		show_findings(&doctor);
	return doctor.worst == ILL ? EXIT_DIFFERENT : 0;
}

const Command doctor_command = {
	.name = "doctor",
	.arguments = "",
	.summary = "says what is not as it should be, and how to mend it",
	.options = options,
	.details = "The exit code is 1 when there is a problem, and 0 with "
	"warnings alone.",
	.connects = true,
	.run = doctor_main
};
