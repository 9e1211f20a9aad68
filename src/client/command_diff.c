/*-------------------------------------------------------------------------
 *
 * command_diff.c
 *		mlmeta diff: two runs, their code included.
 *
 *-------------------------------------------------------------------------
 */
#include "command.h"

#include <sys/wait.h>
#include <unistd.h>

#include "output.h"
#include "process.h"
#include "restore.h"

enum
{
	OPT_JSON = FIRST_LONG, OPT_ALL, OPT_NO_CODE, OPT_STAT, OPT_REPOSITORY
};

static const Option options[] = {
	{"all", 'a', NULL, "also what is the same"},
	{"no-code", OPT_NO_CODE, NULL, "leave the code out"},
	{"stat", OPT_STAT, NULL, "of the code only which files differ, and how "
	"much"},
	{"repository", OPT_REPOSITORY, "PATH", "a clone that has both commits"},
	{"json", OPT_JSON, NULL, "JSON, without the code"},
	{NULL}
};

/* How a run ended always differs, and how it is recorded is no result */
#define DIFFERENCES \
" FROM mlmeta.compare_runs($1::mlmeta.run, $2::mlmeta.run) AS c" \
" WHERE $3::boolean OR (c.changed" \
"  AND NOT (c.kind = 'source' AND c.key IN ('end', 'recording')))"

static const char facts[] =
"SELECT c.kind, c.key, c.a, c.b, c.changed" DIFFERENCES;

static const char table[] =
"SELECT c.kind, c.key,"
" CASE WHEN pg_catalog.length(c.a) > 50"
"  THEN pg_catalog.left(c.a, 47) || '...' ELSE c.a END AS a,"
" CASE WHEN pg_catalog.length(c.b) > 50"
"  THEN pg_catalog.left(c.b, 47) || '...' ELSE c.b END AS b"
DIFFERENCES;

static void
remove_tree(const char *directory)
{
	char	   *arguments[] = {"rm", "-rf", "--", unconstify(char *, directory),
	NULL};
	Process		process = {.arguments = arguments};

	run_process(&process);
	free_process(&process);
}

/* git's own diff of the two trees, its colours and pager included */
static void
show_code(PGconn *connection, const char *run_a, const char *run_b,
		  const char *given, bool stat)
{
	RunRecord  *a = load_run(connection, run_a);
	RunRecord  *b = load_run(connection, run_b);
	char	   *repository_a = find_repository(a, given);
	char	   *repository_b = find_repository(b, given);
	char	   *scratch = psprintf("%s/mlmeta-XXXXXX", getenv("TMPDIR") != NULL ?
								   getenv("TMPDIR") : "/tmp");
	char	   *tree_a;
	char	   *tree_b;
	pid_t		pid;
	int			status;

	if (a->commit == NULL || b->commit == NULL)
	{
		printf("Code: %s says no commit\n", a->commit == NULL ? run_a : run_b);
		return;
	}
	if (repository_a == NULL || repository_b == NULL
		|| strcmp(repository_a, repository_b) != 0)
	{
		printf("Code: there is no repository here that has both %s and %s\n",
			   a->commit, b->commit);
		return;
	}
	if (mkdtemp(scratch) == NULL)
		pg_fatal("\"%s\" cannot be made: %m", scratch);
	tree_a = write_tree(a, repository_a, scratch);
	tree_b = write_tree(b, repository_a, scratch);
	if (tree_a == NULL || tree_b == NULL)
		printf("Code: the trees cannot be made\n");
	else
	{
		fflush(NULL);
		pid = fork();
		if (pid == 0)
		{
			/* Where write_tree() put the objects */
			setenv("GIT_ALTERNATE_OBJECT_DIRECTORIES",
				   psprintf("%s/objects", scratch), 1);
			execlp("git", "git", "-C", repository_a, "diff", stat ? "--stat" :
				   "--patch", tree_a, tree_b, (char *) NULL);
			_exit(EXIT_NO_COMMAND);
		}
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	remove_tree(scratch);
}

static int
diff_main(const Command *command, int argc, char **argv)
{
	Scan		scan;
	bool		all = false;
	bool		json = false;
	bool		code = true;
	bool		stat = false;
	const char *repository = NULL;
	char		run_a[RUN_TEXT_SIZE];
	char		run_b[RUN_TEXT_SIZE];
	PGconn	   *connection;
	int			id;
	const char *values[3];

	scan_begin(&scan, command, argc, argv);
	while ((id = scan_next(&scan)) != -1)
	{
		switch (id)
		{
			case 'a':
				all = true;
				break;
			case OPT_JSON:
				json = true;
				break;
			case OPT_NO_CODE:
				code = false;
				break;
			case OPT_STAT:
				stat = true;
				break;
			case OPT_REPOSITORY:
				repository = scan.value;
				break;
		}
	}
	scan_arguments(&scan, 2, 2);
	connection = require_connection(&scan.connection, NULL);
	resolve_run(connection, scan.rest[0], run_a);
	resolve_run(connection, scan.rest[1], run_b);
	values[0] = run_a;
	values[1] = run_b;
	values[2] = all ? "true" : "false";
	show_query(connection, json, NULL, json ? facts : table, 3, values);
	if (code && !json)
		show_code(connection, run_a, run_b, repository, stat);
	return 0;
}

const Command diff_command = {
	.name = "diff",
	.arguments = "RUN RUN",
	.summary = "shows what differs between two runs: parameters, metrics, "
	"data, environment, code",
	.options = options,
	.connects = true,
	.run = diff_main
};
