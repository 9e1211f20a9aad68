/*-------------------------------------------------------------------------
 *
 * restore.c
 *		What a run was: its record, and its code as a tree again.
 *
 *-------------------------------------------------------------------------
 */
#include "restore.h"

#include <sys/stat.h>
#include <unistd.h>

#include "process.h"
#include "repository.h"

/* Variables that say where things are on one machine, not how they behave */
static const char *const local_variables[] = {"VIRTUAL_ENV",
	"CONDA_DEFAULT_ENV", "SLURM_JOB_ID", "PYTHONPATH", "R_LIBS",
"R_LIBS_USER"};

/*
 * The run that is meant by an id, or by a name that one run alone has, into
 * RUN_TEXT_SIZE bytes; exits when there is none.
 */
void
resolve_run(PGconn *connection, const char *given, char *run)
{
	PGresult   *result;

	if (canonical_run(given, run))
		return;
	result = query1(connection,
					"SELECT r.run FROM mlmeta.runs AS r WHERE r.name = "
					"$1::text AND r.deleted_at IS NULL ORDER BY r.started_at "
					"DESC LIMIT 2",
					given);
	if (PQntuples(result) != 1)
	{
		pg_log_error(PQntuples(result) == 0 ?
					 "there is no run \"%s\"" :
					 "there are several runs named \"%s\"", given);
		pg_log_error_hint("\"mlmeta runs\" lists runs with their ids.");
		exit(EXIT_REFUSED);
	}
	strlcpy(run, PQgetvalue(result, 0, 0), RUN_TEXT_SIZE);
	PQclear(result);
}

static const char *
kept_cell(const PGresult *result, int column)
{
	const char *value = cell(result, 0, column);

	return value == NULL ? NULL : pg_strdup(value);
}

static json_t *
kept_json(const PGresult *result, int column)
{
	const char *value = cell(result, 0, column);
	json_t	   *json = value == NULL ? NULL :
		json_loads(value, JSON_DECODE_ANY, NULL);

	return json == NULL ? json_object() : json;
}

/* The record of a run; exits when there is none. It stays. */
RunRecord *
load_run(PGconn *connection, const char *run)
{
	RunRecord  *record = pg_malloc0(sizeof(RunRecord));
	PGresult   *result = query1(connection,
								"SELECT e.experiment, r.name, r.status, "
								"r.repository, r.git_commit, r.command_line,"
								" (SELECT p.content FROM mlmeta.source_patches "
								"AS p WHERE p.patch = r.patch LIMIT 1),"
								" r.source,"
								" (SELECT v.content FROM mlmeta.environments "
								"AS v WHERE v.environment = r.environment "
								"LIMIT 1),"
								" (SELECT pg_catalog.jsonb_object_agg(p.key, "
								"p.value) FROM mlmeta.run_params AS p WHERE "
								"p.run OPERATOR(mlmeta.=) r.run)"
								" FROM mlmeta.runs AS r JOIN "
								"mlmeta.experiments AS e ON e.experiment_id = "
								"r.experiment_id"
								" WHERE r.run OPERATOR(mlmeta.=) "
								"$1::mlmeta.run",
								run);

	if (PQntuples(result) == 0)
	{
		pg_log_error("there is no run %s", run);
		exit(EXIT_REFUSED);
	}
	strlcpy(record->run, run, sizeof(record->run));
	record->experiment = kept_cell(result, 0);
	record->name = kept_cell(result, 1);
	record->status = kept_cell(result, 2);
	record->repository = kept_cell(result, 3);
	record->commit = kept_cell(result, 4);
	record->command_line = kept_cell(result, 5);
	record->patch = kept_cell(result, 6);
	record->source = kept_json(result, 7);
	record->environment = kept_json(result, 8);
	record->params = kept_json(result, 9);
	PQclear(result);
	return record;
}

/* A text in what else was said about the source; NULL: it is not there */
const char *
record_text(const RunRecord *record, const char *key)
{
	return json_string_value(json_object_get(record->source, key));
}

/* Code -------------------------------------------------------------------- */

static bool
has_commit(const char *directory, const char *commit)
{
	char	   *object = psprintf("%s^{commit}", commit);
	char	   *answer = ask_git(directory,
								 (const char *const[]) {"rev-parse", "--verify", "--quiet", object, NULL});

	pg_free(object);
	return answer != NULL;
}

/*
 * A repository on this machine that has the run's commit: the given one, the
 * one we are in, the one it was run in; NULL when none has. Of a run without a
 * commit, any of them.
 */
char *
find_repository(const RunRecord *record, const char *given)
{
	const char *places[] = {given, ".", record_text(record, "toplevel"),
	record->repository};

	for (int i = 0; i < lengthof(places); i++)
	{
		char	   *top;

		if (places[i] == NULL || access(places[i], R_OK) < 0)
			continue;
		top = ask_git(places[i], (const char *const[]) {"rev-parse", "--show-toplevel", NULL});
		if (top == NULL)
			top = ask_git(places[i], (const char *const[]) {"rev-parse", "--absolute-git-dir", NULL});
		if (top != NULL
			&& (record->commit == NULL || has_commit(top, record->commit)))
			return top;
	}
	return NULL;
}

/* Run git aloud: what it complains about, the user shall read. */
static bool
do_git(const char *directory, char *const *environment, const char *input,
	   const char *const *arguments, char **answer)
{
	Process		process = {
		.directory = directory,
		.arguments = (char *const *) arguments,
		.environment = environment,
		.input = input,
		.input_size = input == NULL ? 0 : strlen(input),
		.show_errors = true,
	};
	bool		good = run_process(&process);

	if (good && answer != NULL)
	{
		*answer = pg_strdup(process.output.data);
		(*answer)[strcspn(*answer, "\n")] = '\0';
	}
	free_process(&process);
	return good;
}

#define GIT(directory, environment, input, answer, ...) \
	do_git(directory, environment, input, \
		   (const char *const[]) {"git", __VA_ARGS__, NULL}, answer)

/*
 * The run's code in a directory that is not there yet: a worktree of the
 * repository, or a clone where repository is NULL and the run names one.
 */
bool
restore_tree(const RunRecord *record, const char *repository,
			 const char *directory)
{
	if (record->commit == NULL)
	{
		if (!GIT(NULL, NULL, NULL, NULL, "init", "--quiet", directory))
			return false;
	}
	else if (repository != NULL)
	{
		if (!GIT(repository, NULL, NULL, NULL, "worktree", "add", "--quiet",
				 "--detach", directory, record->commit))
			return false;
	}
	else if (!GIT(NULL, NULL, NULL, NULL, "clone", "--quiet", "--no-checkout",
				  record->repository, directory)
			 || !GIT(directory, NULL, NULL, NULL, "checkout", "--quiet",
					 "--detach", record->commit))
		return false;
	return record->patch == NULL
		|| GIT(directory, NULL, record->patch, NULL, "apply", "--binary",
			   "--whitespace=nowarn", "-");
}

/*
 * The run's code as a tree object: its id, NULL if it cannot be made. New
 * objects go into scratch, a directory of ours, not into the repository.
 */
char *
write_tree(const RunRecord *record, const char *repository,
		   const char *scratch)
{
	char	   *objects = ask_git(repository,
								  (const char *const[]) {"rev-parse", "--git-path", "objects", NULL});
	char	   *environment[4];
	char	   *tree = NULL;

	if (objects == NULL)
		return NULL;
	if (*objects != '/')
		objects = psprintf("%s/%s", repository, objects);
	environment[0] = psprintf("GIT_INDEX_FILE=%s/index-%s", scratch,
							  record->run);
	environment[1] = psprintf("GIT_OBJECT_DIRECTORY=%s/objects", scratch);
	environment[2] = psprintf("GIT_ALTERNATE_OBJECT_DIRECTORIES=%s", objects);
	environment[3] = NULL;
	mkdir(psprintf("%s/objects", scratch), 0700);
	if (record->commit != NULL
		&& !GIT(repository, environment, NULL, NULL, "read-tree",
				record->commit))
		return NULL;
	if (record->patch != NULL
		&& !GIT(repository, environment, record->patch, NULL, "apply",
				"--cached", "--binary", "--whitespace=nowarn", "-"))
		return NULL;
	GIT(repository, environment, NULL, &tree, "write-tree");
	return tree;
}

/* Command ----------------------------------------------------------------- */

/* An absolute path into the old tree points into the new one. */
static char *
move_path(const char *argument, const char *from, const char *to)
{
	size_t		size = from == NULL ? 0 : strlen(from);

	if (size > 1 && strncmp(argument, from, size) == 0
		&& (argument[size] == '/' || argument[size] == '\0'))
		return psprintf("%s%s", to, argument + size);
	return pg_strdup(argument);
}

/*
 * The words of the run's command, for the code in a directory; how many
 * there are, 0 when the run did not say.
 */
int
restore_command(const RunRecord *record, const char *directory,
				char ***command)
{
	const json_t *arguments = json_object_get(record->source, "arguments");
	size_t		n = json_array_size(arguments);

	*command = pg_malloc0(sizeof(char *) * (n + 4));
	for (size_t i = 0; i < n; i++)
	{
		const char *word = json_string_value(json_array_get(arguments, i));

		(*command)[i] = move_path(word == NULL ? "" : word,
								  record_text(record, "toplevel"), directory);
	}
	if (n == 0 && record->command_line != NULL)
	{
		/* Logged by another client than ours, as a line */
		(*command)[0] = "sh";
		(*command)[1] = "-c";
		(*command)[2] = pg_strdup(record->command_line);
		n = 3;
	}
	return (int) n;
}

static void
add_list(TextList *list, const json_t *object, const char *key)
{
	const json_t *array = json_object_get(object, key);
	size_t		i;
	json_t	   *item;

	json_array_foreach((json_t *) array, i, item)
	{
		if (json_is_string(item))
			list_add(list, json_string_value(item));
	}
}

/* Record what the run recorded, with its parameters and variables. */
void
repeat_options(const RunRecord *record, RunOptions *options)
{
	const json_t *recording = json_object_get(record->source, "recording");
	const json_t *variables = json_object_get(record->environment, "variables");
	const char *name;
	json_t	   *value;

	run_options_init(options);
	options->experiment = record->experiment;
	json_object_update(options->params, record->params);
	add_list(&options->outputs, recording, "outputs");
	add_list(&options->metrics, recording, "metrics");
	add_list(&options->variables, recording, "variables");
	options->step = json_string_value(json_object_get(recording, "step"));

	json_object_foreach((json_t *) variables, name, value)
	{
		bool		local = false;

		for (int i = 0; i < lengthof(local_variables); i++)
			local = local || strcmp(name, local_variables[i]) == 0;
		if (!local && json_is_string(value))
			setenv(name, json_string_value(value), 1);
	}
}

/* Environment ------------------------------------------------------------- */

static int
compare_values(const json_t *then, const json_t *now, const char *path,
			   PQExpBuffer text)
{
	int			n = 0;
	const char *key;
	json_t	   *value;
	char	   *a;
	char	   *b;

	if (json_is_object(then) && (now == NULL || json_is_object(now)))
	{
		json_object_foreach((json_t *) then, key, value)
		{
			char	   *inner = *path == '\0' ? pg_strdup(key) :
				psprintf("%s.%s", path, key);

			n += compare_values(value, json_object_get(now, key), inner, text);
			pg_free(inner);
		}
		json_object_foreach((json_t *) now, key, value)
		{
			if (json_object_get(then, key) == NULL && !json_is_object(value))
			{
				a = dump_json(value);
				appendPQExpBuffer(text, "  %s%s%s: not there then, now %s\n",
								  path, *path == '\0' ? "" : ".", key, a);
				free(a);
				n++;
			}
		}
		return n;
	}
	if (now != NULL && json_equal(then, now))
		return 0;
	a = dump_json(then);
	b = now == NULL ? strdup("not there") : dump_json(now);
	appendPQExpBuffer(text, "  %s: %s then, now %s\n", path, a, b);
	free(a);
	free(b);
	return 1;
}

int
compare_environments(const json_t *then, const json_t *now, PQExpBuffer text)
{
	return compare_values(then, now, "", text);
}
