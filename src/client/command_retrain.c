/*-------------------------------------------------------------------------
 *
 * command_retrain.c
 *		mlmeta retrain: takes requests to train a version again, and does it.
 *
 *-------------------------------------------------------------------------
 */
#include "command.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "restore.h"

enum
{
	OPT_STAGE = FIRST_LONG, OPT_MODEL, OPT_LEASE, OPT_REPOSITORY, OPT_WORK,
	OPT_NO_PROMOTE, OPT_POLL
};

static const Option options[] = {
	{"model", OPT_MODEL, "MODEL", "only requests for this model"},
	{"stage", OPT_STAGE, "STAGE", "ask for the new version to move there "
								  "(default: staging)"},
	{"no-promote", OPT_NO_PROMOTE, NULL, "only register the new version"},
	{"repository", OPT_REPOSITORY, "PATH", "a clone that has the commits"},
	{"work", OPT_WORK, "DIRECTORY", "where code is restored (default: .)"},
	{"lease", OPT_LEASE, "INTERVAL", "how long a request is ours before "
									 "training begins (default: 1 hour)"},
	{"follow", 'f', NULL, "do not end; wait for more"},
	{"poll", OPT_POLL, "SECONDS", "with --follow: look at least so often "
								  "(default 60)"},
	{NULL}
};

static const char details[] =
"The version's run is reproduced: its code and parameters, on today's data, of "
"which\n"
"snapshots are taken. The model it makes (the file recorded by --output "
"model:NAME=FILE)\n"
"is registered as a new version.\n"
"The exit code is 0 when all went well or there was nothing to do, 1 when a "
"training failed.";

typedef struct Retraining
{
	const Scan *scan;
	PGconn	   *connection;
	const char *model;
	const char *stage;
	const char *lease;
	const char *repository;
	const char *work;
	bool		promote;
	bool		follow;
	int			poll;
} Retraining;

static volatile sig_atomic_t told_to_end = 0;

static void
on_signal(int signal)
{
	told_to_end = 1;
}

/* One statement; NULL and the error told, when it fails. */
static PGresult *
try_query(Retraining *retraining, const char *sql, int n,
		  const char *const *values)
{
	PGresult   *result = PQexecParams(retraining->connection, sql, n, NULL,
									  values, NULL, NULL, 0);

	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		return result;
	report_error(result);
	PQclear(result);
	return NULL;
}

/* New versions of the data that the old run used, as inputs of the new one */
static bool
take_data(Retraining *retraining, const RunRecord *record, RunOptions *run)
{
	const char *values[] = {record->run};
	PGresult   *data = try_query(retraining,
								 "SELECT coalesce(a.role, ''), a.artifact, "
								 "mlmeta.name(a.artifact), s.source FROM "
								 "mlmeta.run_artifacts AS a"
								 " LEFT JOIN LATERAL (SELECT coalesce(l.query, "
								 "l.source) AS source FROM "
								 "mlmeta.dataset_snapshots AS l"
								 "  WHERE l.artifact OPERATOR(mlmeta.=) "
								 "a.artifact ORDER BY l.taken_at DESC LIMIT 1) "
								 "AS s ON true"
								 " WHERE a.run OPERATOR(mlmeta.=) "
								 "$1::mlmeta.run AND a.direction = 'used' "
								 "ORDER BY a.artifact::text",
								 1, values);

	if (data == NULL)
		return false;
	for (int row = 0; row < PQntuples(data); row++)
	{
		const char *role = PQgetvalue(data, row, 0);
		const char *artifact = PQgetvalue(data, row, 1);

		if (!PQgetisnull(data, row, 3))
		{
			const char *arguments[] = {PQgetvalue(data, row, 2),
			PQgetvalue(data, row, 3)};
			PGresult   *taken = try_query(retraining,
										  "SELECT "
										  "mlmeta.snapshot_dataset($1::text, "
										  "$2::text)",
										  2, arguments);

			if (taken == NULL)
				return false;
			artifact = pg_strdup(PQgetvalue(taken, 0, 0));
			PQclear(taken);
		}
		list_add(&run->inputs, *role == '\0' ? pg_strdup(artifact) :
				 psprintf("%s=%s", role, artifact));
	}
	PQclear(data);
	return true;
}

/*
 * Restore code and command of the old run, and run it as the new one; whether
 * it succeeded. What it made is recorded and with the server then.
 */
static bool
train(Retraining *retraining, const RunRecord *record, const char *new_run)
{
	char	   *repository = find_repository(record, retraining->repository);
	char	   *directory = psprintf("%s/%s", retraining->work, new_run);
	char		real[PATH_MAX];
	char		here[PATH_MAX];
	char	  **command;
	RunOptions	run;
	int			code;

	if (record->commit != NULL && repository == NULL
		&& (record->repository == NULL || *record->repository == '/'))
	{
		pg_log_error("commit %s is in no repository that is known here",
					 record->commit);
		return false;
	}
	if (record->commit == NULL && record->patch == NULL)
		mkdir(directory, 0777);
	else if (!restore_tree(record, repository, directory))
		return false;
	if (realpath(directory, real) == NULL || getcwd(here, sizeof(here)) == NULL
		|| restore_command(record, real, &command) == 0)
	{
		pg_log_error("run %s did not say what its command was", record->run);
		return false;
	}
	repeat_options(record, &run);
	run.run = new_run;
	run.begun = true;
	run.adopted = true;
	run.patience = 120;
	if (!take_data(retraining, record, &run))
		return false;
	if (chdir(psprintf("%s/%s", real, record_text(record, "prefix") == NULL ?
					   "" : record_text(record, "prefix"))) < 0)
	{
		pg_log_error("\"%s\" cannot be entered: %m", real);
		return false;
	}
	code = run_recorded(resolve_target(&retraining->scan->connection), &run,
						command);
	if (chdir(here) < 0)
		pg_fatal("\"%s\" cannot be entered: %m", here);
	if (code != 0)
		pg_log_error("the training ended with code %d", code);
	return code == 0;
}

/* Register what the new run made; the version, or NULL when there is none. */
static char *
register_version(Retraining *retraining, const char *model,
				 const char *new_run, const char *reason)
{
	const char *values[] = {model, new_run,
	psprintf("trained again: %s", reason)};
	PGresult   *result = try_query(retraining,
								   "SELECT "
								   "mlmeta.create_model_version($1::text, "
								   "$2::mlmeta.run, a.artifact, description => "
								   "$3::text)"
								   " FROM (SELECT a.artifact FROM "
								   "mlmeta.run_artifacts AS a WHERE a.run "
								   "OPERATOR(mlmeta.=) $2::mlmeta.run"
								   "  AND a.direction = 'produced' AND "
								   "a.artifact IS NOT NULL"
								   "  ORDER BY mlmeta.kind(a.artifact) <> "
								   "'model', mlmeta.name(a.artifact) <> $1, "
								   "a.artifact::text LIMIT 1) AS a",
								   3, values);
	char	   *version = NULL;

	if (result != NULL && PQntuples(result) == 1)
		version = pg_strdup(PQgetvalue(result, 0, 0));
	else if (result != NULL)
		pg_log_error("run %s made nothing that could be registered: it has no "
					 "--output",
					 new_run);
	PQclear(result);
	return version;
}

/* Start the new run of a claimed request: its id, or NULL */
static char *
start(Retraining *retraining, const char *request)
{
	PGresult   *result = try_query(retraining,
								   "SELECT mlmeta.start_retraining($1::bigint)",
								   1, &request);
	char	   *run = result == NULL ? NULL :
		pg_strdup(PQgetvalue(result, 0, 0));

	PQclear(result);
	return run;
}

/* One claimed request, from its claim to its end; whether all went well */
static bool
retrain(Retraining *retraining, const char *request, const char *model,
		const char *version, const char *reason)
{
	const char *values[] = {model, version};
	const char *outcome[2] = {request};
	PGresult   *old = try_query(retraining,
								"SELECT o.run FROM mlmeta.version_overview AS "
								"o WHERE o.model = $1::text AND o.version = "
								"$2::int AND o.run IS NOT NULL",
								2, values);
	RunRecord  *record;
	char	   *new_run;
	char	   *new_version = NULL;

	pg_log_info("request %s: model \"%s\" version %s is trained again (%s)",
				request, model, version, reason);
	if (old == NULL || PQntuples(old) == 0)
		pg_log_error("version %s of model \"%s\" came out of no run that is "
					 "known",
					 version, model);
	else
	{
		record = load_run(retraining->connection, PQgetvalue(old, 0, 0));
		new_run = start(retraining, request);
		if (new_run != NULL && train(retraining, record, new_run))
			new_version = register_version(retraining, model, new_run, reason);
		else if (new_run != NULL)
			PQclear(PQexecParams(retraining->connection,
								 "SELECT mlmeta.finish_run(r.run, 'failed') "
								 "FROM mlmeta.runs AS r WHERE r.run "
								 "OPERATOR(mlmeta.=) $1::mlmeta.run AND "
								 "r.status = 'running'",
								 1, NULL, (const char *const[]) {new_run}, NULL, NULL, 0));
	}
	PQclear(old);
	outcome[1] = new_version;
	PQclear(try_query(retraining,
					  "SELECT mlmeta.finish_retraining($1::bigint, $2::int)", 2,
					  outcome));
	if (new_version == NULL)
		return false;
	printf("Model \"%s\" version %s replaces version %s\n", model, new_version,
		   version);
	if (retraining->promote)
	{
		const char *arguments[] = {model, new_version, retraining->stage,
		psprintf("trained again: %s", reason)};
		PGresult   *result = try_query(retraining,
									   "SELECT "
									   "mlmeta.request_transition($1::text, "
									   "$2::int, $3::text, $4::text)",
									   4, arguments);

		if (result == NULL)
			return false;
		printf("Request %s: to %s\n", PQgetvalue(result, 0, 0),
			   retraining->stage);
		PQclear(result);
	}
	fflush(stdout);
	return true;
}

/* Claim and do one; 1: there may be more, 0: there is none, -1: it failed. */
static int
take_one(Retraining *retraining)
{
	const char *values[] = {retraining->lease, retraining->model};
	PGresult   *result = try_query(retraining,
								   "SELECT c.request, c.model_name, c.version, "
								   "c.reason FROM "
								   "mlmeta.claim_retraining($1::interval, "
								   "$2::text) AS c",
								   2, values);
	int			n;
	bool		good = true;

	if (result == NULL)
		return -1;
	n = PQntuples(result);
	if (n > 0)
		good = retrain(retraining, PQgetvalue(result, 0, 0),
					   PQgetvalue(result, 0, 1), PQgetvalue(result, 0, 2),
					   PQgetvalue(result, 0, 3));
	PQclear(result);
	return !good ? -1 : n > 0 ? 1 : 0;
}

static void
wait_for_more(Retraining *retraining)
{
	struct pollfd fd = {PQsocket(retraining->connection), POLLIN};
	PGnotify   *notify;

	poll(&fd, 1, retraining->poll * 1000);
	if (fd.revents != 0)
		PQconsumeInput(retraining->connection);
	while ((notify = PQnotifies(retraining->connection)) != NULL)
		PQfreemem(notify);
	if (PQstatus(retraining->connection) != CONNECTION_OK)
		PQreset(retraining->connection);
}

static int
retrain_main(const Command *command, int argc, char **argv)
{
	Scan		scan;
	Retraining	retraining = {.scan = &scan,.stage = "staging",
	.lease = "1 hour",.work = ".",.promote = true,.poll = 60};
	int			id;
	int			outcome;
	int			code = 0;

	scan_begin(&scan, command, argc, argv);
	while ((id = scan_next(&scan)) != -1)
	{
		switch (id)
		{
			case OPT_MODEL:
				retraining.model = scan.value;
				break;
			case OPT_STAGE:
				retraining.stage = scan.value;
				break;
			case OPT_NO_PROMOTE:
				retraining.promote = false;
				break;
			case OPT_REPOSITORY:
				retraining.repository = scan.value;
				break;
			case OPT_WORK:
				retraining.work = scan.value;
				break;
			case OPT_LEASE:
				retraining.lease = scan.value;
				break;
			case 'f':
				retraining.follow = true;
				break;
			case OPT_POLL:
				retraining.poll = (int) number_argument(&scan, 1, 86400);
				break;
		}
	}
	scan_arguments(&scan, 0, 0);
	retraining.connection = require_connection(&scan.connection, NULL);
	if (retraining.follow)
		query0(retraining.connection, "LISTEN mlmeta_retraining");
	for (;;)
	{
		signal(SIGINT, on_signal);
		signal(SIGTERM, on_signal);
		outcome = take_one(&retraining);
		if (outcome < 0)
			code = EXIT_DIFFERENT;
		if (told_to_end || (outcome <= 0 && !retraining.follow))
			break;
		if (outcome == 0
			|| PQstatus(retraining.connection) != CONNECTION_OK)
			wait_for_more(&retraining);
	}
	if (outcome == 0 && code == 0)
		pg_log_info("nothing waits to be trained again");
	fflush(NULL);
	_exit(code);
}

const Command retrain_command = {
	.name = "retrain",
	.arguments = "",
	.summary = "trains versions again that alerts or people asked for",
	.options = options,
	.details = details,
	.connects = true,
	.run = retrain_main
};
