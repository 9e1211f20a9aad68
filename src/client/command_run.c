/*-------------------------------------------------------------------------
 *
 * command_run.c
 *		mlmeta run: a command, run and recorded.
 *
 *-------------------------------------------------------------------------
 */
#include "command.h"

#include <unistd.h>

#include "facts.h"
#include "run.h"

enum
{
	OPT_NAME = FIRST_LONG, OPT_PARAM, OPT_TAG, OPT_INPUT, OPT_OUTPUT,
	OPT_SNAPSHOT, OPT_METRIC, OPT_STEP, OPT_FROM_COMMAND, OPT_PARENT,
	OPT_RESUME, OPT_DEVICE, OPT_ENV, OPT_INTERVAL, OPT_TAIL, OPT_PATIENCE,
	OPT_REQUIRE_SERVER, OPT_FILE_LIMIT, OPT_PATCH_LIMIT, OPT_UNTRACKED,
	OPT_RUN
};

static const Option options[] = {
	{"experiment", 'e', "NAME", "experiment (default: name of the repository "
								"or directory)"},
	{"name", 'n', "NAME", "name of the run"},
	{"param", OPT_PARAM, "KEY=VALUE", "a parameter"},
	{"params-from-command", OPT_FROM_COMMAND, NULL, "parameters from the command line: --lr 0.1, --lr=0.1, lr=0.1"},
	{"tag", OPT_TAG, "KEY=VALUE", "a tag"},
	{"input", OPT_INPUT, "[ROLE=]ARTIFACT", "what the run uses: an artifact "
											"such as dataset:orders:v3, or a "
											"file"},
	{"snapshot", OPT_SNAPSHOT, "NAME=SOURCE", "take a data version of a table "
											  "or query, and use it"},
	{"output", OPT_OUTPUT, "[KIND:NAME=]FILE", "a file that the run makes, "
											   "such as "
											   "model:churn=model.bin"},
	{"metric", OPT_METRIC, "[NAME:]REGEX", "metrics in the output; the group "
										   "is the value: "
										   "'loss=([0-9.e+-]+)'"},
	{"step", OPT_STEP, "REGEX", "the step in the output: 'epoch ([0-9]+)'"},
	{"parent", OPT_PARENT, "RUN", "the run this one is a part of (default: "
								  "$MLMETA_RUN)"},
	{"run", OPT_RUN, "RUN", "id of the new run (default: made here)"},
	{"resume", OPT_RESUME, "RUN", "go on with a run"},
	{"device", OPT_DEVICE, "NAME=N", "devices the run occupies, for costs: "
									 "a100=4"},
	{"env", OPT_ENV, "NAME", "record this variable of the environment"},
	{"interval", OPT_INTERVAL, "SECONDS", "between looks at CPU, memory and "
										  "GPUs (default 10; 0: never)"},
	{"log-tail", OPT_TAIL, "BYTES", "how much of the end of the output is kept "
									"(default 65536)"},
	{"file-limit", OPT_FILE_LIMIT, "BYTES", "largest changed or untracked file "
											"in the patch (default 1 MB)"},
	{"patch-limit", OPT_PATCH_LIMIT, "BYTES", "largest patch (default 16 MB)"},
	{"untracked-limit", OPT_UNTRACKED, "N", "most untracked files in the patch "
											"(default 1000)"},
	{"wait", OPT_PATIENCE, "SECONDS", "for the server, at the end, when nothing gets there (default 10)"},
	{"require-server", OPT_REQUIRE_SERVER, NULL, "do not run the command when the server cannot be reached"},
	{"quiet", 'q', NULL, "do not tell the run's id"},
	{NULL}
};

static const char details[] =
"The command runs whether the server can be reached or not; what is recorded\n"
"waits in a spool. The command finds in its environment\n"
"  MLMETA_RUN  the run\n"
"  MLMETA_LOG  a FIFO for lines such as {\"loss\": 0.25, \"step\": 7} or "
"loss=0.25 step=7\n"
"  PG...       the connection\n"
"The exit code is the command's; 128 + n when signal n ended it; 126 or 127 "
"when\n"
"it cannot be executed; 125 when mlmeta itself fails before.";

static void
set_assignment(const Scan *scan, json_t *object, bool text_only)
{
	char	   *key;
	const char *value;

	if (!split_assignment(scan->value, &key, &value))
		usage_error(scan->command, "\"%s\" is no KEY=VALUE", scan->value);
	json_object_set_new(object, key, text_only ? json_text(value) :
						parse_value(value));
	pg_free(key);
}

static char *
run_argument(const Scan *scan)
{
	char	   *run = pg_malloc(RUN_TEXT_SIZE);

	if (!canonical_run(scan->value, run))
		usage_error(scan->command, "\"%s\" is no run", scan->value);
	return run;
}

static void
scan_options(Scan *scan, RunOptions *run, const char **resume)
{
	int			id;

	while ((id = scan_next(scan)) != -1)
	{
		switch (id)
		{
			case 'e':
				run->experiment = scan->value;
				break;
			case 'n':
				run->name = scan->value;
				break;
			case 'q':
				run->quiet = true;
				break;
			case OPT_PARAM:
				set_assignment(scan, run->params, false);
				break;
			case OPT_TAG:
				set_assignment(scan, run->tags, true);
				break;
			case OPT_DEVICE:
				set_assignment(scan, run->devices, false);
				break;
			case OPT_FROM_COMMAND:
				run->params_from_command = true;
				break;
			case OPT_INPUT:
				list_add(&run->inputs, scan->value);
				break;
			case OPT_OUTPUT:
				list_add(&run->outputs, scan->value);
				break;
			case OPT_SNAPSHOT:
				list_add(&run->snapshots, scan->value);
				break;
			case OPT_METRIC:
				list_add(&run->metrics, scan->value);
				break;
			case OPT_ENV:
				list_add(&run->variables, scan->value);
				break;
			case OPT_STEP:
				run->step = scan->value;
				break;
			case OPT_PARENT:
				run->parent = run_argument(scan);
				break;
			case OPT_RUN:
				run->run = run_argument(scan);
				break;
			case OPT_RESUME:
				*resume = run->run = run_argument(scan);
				break;
			case OPT_INTERVAL:
				run->interval = (int) number_argument(scan, 0, 86400);
				break;
			case OPT_TAIL:
				run->tail = (int) number_argument(scan, 0, 16 * 1024 * 1024);
				break;
			case OPT_FILE_LIMIT:
				run->limits.file = number_argument(scan, 0, PG_INT64_MAX);
				break;
			case OPT_PATCH_LIMIT:
				/* The server takes no more than 64 MB */
				run->limits.total = number_argument(scan, 0, 60 * 1024 * 1024);
				break;
			case OPT_UNTRACKED:
				run->limits.untracked = (int) number_argument(scan, 0, 1000000);
				break;
			case OPT_PATIENCE:
				run->patience = (int) number_argument(scan, 0, 86400);
				break;
			case OPT_REQUIRE_SERVER:
				run->require_server = true;
				break;
		}
	}
}

static void
check_names(const Command *command, const RunOptions *run)
{
	if (run->experiment != NULL && !is_name(run->experiment))
		usage_error(command, "\"%s\" cannot be the name of an experiment: 1 to "
							 "250 characters, none of them a control "
							 "character",
					run->experiment);
	if (run->name != NULL && !is_name(run->name))
		usage_error(command, "\"%s\" cannot be the name of a run: 1 to 250 "
							 "characters, none of them a control character",
					run->name);
}

static int
run_main(const Command *command, int argc, char **argv)
{
	Scan		scan;
	RunOptions	run;
	const char *resume = NULL;
	int			code;

	run_options_init(&run);
	scan_begin(&scan, command, argc, argv);
	scan_options(&scan, &run, &resume);
	scan_arguments(&scan, 1, -1);
	check_names(command, &run);
	if (resume != NULL)
	{
		PGconn	   *connection = require_connection(&scan.connection, NULL);

		PQclear(query1(connection, "SELECT mlmeta.resume_run($1::mlmeta.run)",
					   resume));
		PQfinish(connection);
		run.begun = true;
	}
	code = run_recorded(resolve_target(&scan.connection), &run, scan.rest);
	/* Not exit(): the sender may still be inside of a library */
	_exit(code);
}

const Command run_command = {
	.name = "run",
	.arguments = "[--] COMMAND [ARGUMENT]...",
	.summary = "runs a command and records code, environment, metrics and "
			   "outcome",
	.options = options,
	.details = details,
	.stops_early = true,
	.connects = true,
	.run = run_main
};
