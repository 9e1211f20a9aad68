/*-------------------------------------------------------------------------
 *
 * command_reproduce.c
 *		mlmeta reproduce: a run's code, parameters and data again.
 *
 *-------------------------------------------------------------------------
 */
#include "command.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "environment.h"
#include "restore.h"

enum
{
	OPT_INTO = FIRST_LONG, OPT_EXECUTE, OPT_REPOSITORY
};

static const Option options[] = {
	{"into", OPT_INTO, "DIRECTORY", "where the code goes (default: ./RUN)"},
	{"execute", OPT_EXECUTE, NULL, "run the command there, as a new run that "
	"says which it reproduces"},
	{"repository", OPT_REPOSITORY, "PATH", "a clone that has the commit"},
	{NULL}
};

static const char details[] =
"The code is a worktree of a repository on this machine that has the commit, "
"or a\n"
"clone. What cannot be restored, or is different today, is said.\n"
"The exit code of --execute is the command's; 1 when it succeeds, but gives "
"other\n"
"metrics or files than the run did.";

/* What stands in the way of the same result; how many things there are */
static int
report_losses(PGconn *connection, const RunRecord *record)
{
	const json_t *left_out = json_object_get(record->source, "left_out");
	int			n = 0;
	size_t		i;
	json_t	   *entry;
	PGresult   *data;

	if (record->commit == NULL)
	{
		const char *reason = record_text(record, "no_repository");

		printf("The code cannot be restored: %s.\n", reason != NULL ? reason :
			   record->repository == NULL ? "the run did not say where it "
			   "comes from" :
			   "the repository had no commit; what the patch holds is there");
		n++;
	}
	json_array_foreach((json_t *) left_out, i, entry)
	{
		printf("Not restored: %s (%s)\n",
			   json_string_value(json_object_get(entry, "path")),
			   json_string_value(json_object_get(entry, "reason")));
		n++;
	}
	data = query1(connection,
				  "SELECT a.artifact, a.role, (SELECT count(*) FROM "
				  "mlmeta.dataset_snapshots AS s"
				  "  WHERE s.artifact OPERATOR(mlmeta.=) a.artifact)"
				  " FROM mlmeta.run_artifacts AS a WHERE a.run "
				  "OPERATOR(mlmeta.=) $1::mlmeta.run"
				  " AND a.direction = 'used' AND mlmeta.kind(a.artifact) = "
				  "'dataset' ORDER BY a.artifact::text",
				  record->run);
	for (int row = 0; row < PQntuples(data); row++)
	{
		const char *artifact = PQgetvalue(data, row, 0);
		const char *values[] = {artifact};
		PGresult   *state;

		if (strcmp(PQgetvalue(data, row, 2), "0") == 0)
		{
			printf("Data: %s: of this version no snapshot was taken\n", artifact);
			n++;
			continue;
		}
		state = PQexecParams(connection,
							 "SELECT "
							 "mlmeta.dataset_is_current($1::mlmeta.artifact)",
							 1, NULL, values, NULL, NULL, 0);
		if (PQresultStatus(state) != PGRES_TUPLES_OK)
		{
			printf("Data: %s: cannot be compared with today's: %s\n", artifact,
				   PQresultErrorField(state, PG_DIAG_MESSAGE_PRIMARY));
			n++;
		}
		else if (*PQgetvalue(state, 0, 0) != 't')
		{
			printf("Data: %s: its source holds other rows today\n", artifact);
			n++;
		}
		else
			printf("Data: %s: its source holds the same rows\n", artifact);
		PQclear(state);
	}
	PQclear(data);
	return n;
}

static int
report_environment(const RunRecord *record, char *const *command)
{
	json_t	   *now = describe_environment(command, NULL, NULL);
	PQExpBufferData text;
	int			n;

	if (json_object_size(record->environment) == 0)
	{
		printf("Environment: the run did not say what it ran in\n");
		return 1;
	}
	/* Lock files are in the tree; variables are set as they were */
	json_object_del(now, "locks");
	json_object_del(now, "variables");
	json_object_del(record->environment, "locks");
	json_object_del(record->environment, "variables");
	initPQExpBuffer(&text);
	n = compare_environments(record->environment, now, &text);
	if (n == 0)
		printf("Environment: the same host and packages\n");
	else
		printf("Environment: %d differences\n%s", n, text.data);
	termPQExpBuffer(&text);
	json_decref(now);
	return n;
}

/* Metrics and files of two runs: how many are the same, how many not */
static bool
compare_results(PGconn *connection, const char *old, const char *new)
{
	PGresult   *metrics = query2(connection,
								 "SELECT count(*) FILTER (WHERE a.points IS "
								 "NOT DISTINCT FROM b.points), count(*) FROM"
								 " (SELECT p.key, p.context, "
								 "pg_catalog.array_agg((p.step, p.value)::text "
								 "ORDER BY p.step, p.value) AS points"
								 "  FROM mlmeta.metric_points AS p WHERE p.run "
								 "OPERATOR(mlmeta.=) $1::mlmeta.run AND "
								 "p.context <> 'system' GROUP BY 1, 2) AS a"
								 " FULL JOIN"
								 " (SELECT p.key, p.context, "
								 "pg_catalog.array_agg((p.step, p.value)::text "
								 "ORDER BY p.step, p.value) AS points"
								 "  FROM mlmeta.metric_points AS p WHERE p.run "
								 "OPERATOR(mlmeta.=) $2::mlmeta.run AND "
								 "p.context <> 'system' GROUP BY 1, 2) AS b"
								 " USING (key, context)",
								 old, new);
	PGresult   *files = query2(connection,
							   "SELECT count(*) FILTER (WHERE a.artifact::text "
							   "= b.artifact::text), count(*) FROM"
							   " (SELECT x.artifact FROM mlmeta.run_artifacts "
							   "AS x WHERE x.run OPERATOR(mlmeta.=) "
							   "$1::mlmeta.run AND x.direction = 'produced') "
							   "AS a"
							   " FULL JOIN"
							   " (SELECT x.artifact FROM mlmeta.run_artifacts "
							   "AS x WHERE x.run OPERATOR(mlmeta.=) "
							   "$2::mlmeta.run AND x.direction = 'produced') "
							   "AS b"
							   " ON a.artifact::text = b.artifact::text",
							   old, new);
	bool		same = strcmp(PQgetvalue(metrics, 0, 0),
							  PQgetvalue(metrics, 0, 1)) == 0
	&& strcmp(PQgetvalue(files, 0, 0), PQgetvalue(files, 0, 1)) == 0;

	printf("Result: %s of %s metrics and %s of %s files are the same to the "
		   "bit\n",
		   PQgetvalue(metrics, 0, 0), PQgetvalue(metrics, 0, 1),
		   PQgetvalue(files, 0, 0), PQgetvalue(files, 0, 1));
	PQclear(metrics);
	PQclear(files);
	return same;
}

/* Run the command in the restored tree; the exit code. */
static int
execute(const Scan *scan, PGconn *connection, const RunRecord *record,
		const char *place, char *const *command)
{
	RunOptions	run;
	PGresult   *inputs;
	char	   *tag = pg_strdup(record->run);
	char		new_run[RUN_TEXT_SIZE];
	int			code;

	repeat_options(record, &run);
	make_run_id(new_run);
	run.run = new_run;
	json_object_set_new(run.tags, "reproduces", json_text(tag));
	inputs = query1(connection,
					"SELECT a.artifact, a.role FROM mlmeta.run_artifacts AS a"
					" WHERE a.run OPERATOR(mlmeta.=) $1::mlmeta.run AND "
					"a.direction = 'used' ORDER BY a.artifact::text",
					record->run);
	for (int row = 0; row < PQntuples(inputs); row++)
		list_add(&run.inputs, cell(inputs, row, 1) == NULL ?
				 PQgetvalue(inputs, row, 0) :
				 psprintf("%s=%s", PQgetvalue(inputs, row, 1),
						  PQgetvalue(inputs, row, 0)));
	if (chdir(place) < 0)
	{
		pg_log_error("\"%s\" cannot be entered: %m", place);
		return EXIT_OURSELVES;
	}
	fflush(stdout);
	code = run_recorded(resolve_target(&scan->connection), &run, command);
	if (code == 0 && !compare_results(connection, record->run, new_run))
		code = EXIT_DIFFERENT;
	return code;
}

static int
reproduce_main(const Command *command, int argc, char **argv)
{
	Scan		scan;
	const char *into = NULL;
	const char *given = NULL;
	bool		execute_it = false;
	PGconn	   *connection;
	char		run[RUN_TEXT_SIZE];
	char		real[PATH_MAX];
	RunRecord  *record;
	char	   *repository;
	char	   *place;
	char	  **words;
	char	   *line;
	int			n;
	int			id;
	int			code = 0;

	scan_begin(&scan, command, argc, argv);
	while ((id = scan_next(&scan)) != -1)
	{
		switch (id)
		{
			case OPT_INTO:
				into = scan.value;
				break;
			case OPT_REPOSITORY:
				given = scan.value;
				break;
			case OPT_EXECUTE:
				execute_it = true;
				break;
		}
	}
	scan_arguments(&scan, 1, 1);
	connection = require_connection(&scan.connection, NULL);
	resolve_run(connection, scan.rest[0], run);
	record = load_run(connection, run);
	if (into == NULL)
		into = record->run;
	if (access(into, F_OK) == 0 && rmdir(into) < 0)
	{
		pg_log_error("\"%s\" is there already", into);
		pg_log_error_hint("Give another directory: --into.");
		return EXIT_USAGE;
	}
	repository = find_repository(record, given);
	if (repository == NULL && record->commit != NULL
		&& (record->repository == NULL || *record->repository == '/'))
	{
		pg_log_error("commit %s is in no repository that is known here",
					 record->commit);
		pg_log_error_hint("Fetch it (it was in %s), and name the clone: "
						  "--repository.",
						  record->repository == NULL ? "a repository without a name" : record->repository);
		return EXIT_REFUSED;
	}
	if (record->commit != NULL || record->patch != NULL)
	{
		if (!restore_tree(record, repository, into))
		{
			pg_log_error("the code of run %s cannot be restored in \"%s\"",
						 run, into);
			return EXIT_REFUSED;
		}
		printf("Code: commit %s%s in %s\n", record->commit == NULL ? "(none)" :
			   record->commit, record->patch == NULL ? "" :
			   " with its uncommitted changes", into);
	}
	else
		mkdir(into, 0777);
	if (realpath(into, real) == NULL)
		strlcpy(real, into, sizeof(real));
	place = psprintf("%s/%s", real, record_text(record, "prefix") == NULL ? "" :
					 record_text(record, "prefix"));

	n = restore_command(record, real, &words);
	if (json_object_size(record->params) > 0)
	{
		char	   *params = dump_json(record->params);

		printf("Parameters: %s\n", params);
		free(params);
	}
	report_losses(connection, record);
	if (n == 0)
	{
		printf("The run did not say what its command was.\n");
		return execute_it ? EXIT_REFUSED : 0;
	}
	report_environment(record, words);
	line = shell_quote(words);
	printf("Command: cd %s && %s\n", place, line);
	if (execute_it)
	{
		/* Variables and the like, which the report took out for comparison */
		record = load_run(connection, run);
		code = execute(&scan, connection, record, place, words);
		fflush(NULL);
		_exit(code);
	}
	return code;
}

const Command reproduce_command = {
	.name = "reproduce",
	.arguments = "RUN",
	.summary = "restores a run's code and command, and says what is different "
	"today",
	.options = options,
	.details = details,
	.connects = true,
	.run = reproduce_main
};
