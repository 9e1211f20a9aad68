/*-------------------------------------------------------------------------
 *
 * run.c
 *		A command that is run and recorded.
 *
 * The child comes first: it is started whether there is a server or not, and
 * nothing here waits for one while it runs. What is recorded goes to the
 * spool; a thread sends it on.
 *
 *-------------------------------------------------------------------------
 */
#include "run.h"

#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <regex.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "digest.h"
#include "environment.h"
#include "facts.h"
#include "process.h"
#include "sender.h"

/* Seconds after which what was gathered goes to the spool */
#define FLUSH_SECONDS	1.0

/* Seconds that output may still come when the child has ended */
#define DRAIN_SECONDS	0.2

/*
 * Seconds between looks at the channel, and at output that goes to no
 * terminal: nobody waits for them, and waking up costs. Whoever has much to
 * say is not made to wait.
 */
#define CHANNEL_SECONDS	0.1
#define OUTPUT_SECONDS	0.03
#define MUCH_OUTPUT		16384

/* Longest line of output that is searched for metrics */
#define OUTPUT_LINE		65536

/* The context of what the machine says, not the child */
#define SYSTEM_CONTEXT	"system"

/* A regular expression over the child's output */
typedef struct Pattern
{
	char	   *name;			/* NULL: the expression's first group has it */
	regex_t		expression;
} Pattern;

/* A stream of the child's, taken apart into lines */
typedef struct Stream
{
	int		   *from;			/* in the child; -1: over */
	int			to;				/* -1: to nobody */
	double		rests;			/* until then nothing is read */
	double		hurries;		/* until then it does not rest */
	size_t		n_read;			/* in all */
	PQExpBufferData line;
	bool		too_long;		/* until its end the line is of no interest */
} Stream;

typedef struct Recorder
{
	const RunOptions *options;
	const Target *target;
	Spool	   *spool;
	Facts	   *facts;			/* on the channel and in the output */
	Sender	   *sender;
	char		run[RUN_TEXT_SIZE];
	Child		child;
	Stream		streams[2];
	Stream		channel;
	Pattern    *patterns;
	int			n_patterns;
	Pattern    *step_pattern;
	int64		step;
	bool		has_step;
	char	   *tail;			/* a ring */
	size_t		tail_at;
	bool		tail_full;
	Usage		usage;			/* at the last look */
	double		usage_at;
	double		interval;
	int64		began;
} Recorder;

void
list_add(TextList *list, const char *item)
{
	list->items = pg_realloc(list->items, sizeof(char *) * (list->n + 2));
	list->items[list->n++] = item;
	list->items[list->n] = NULL;
}

void
run_options_init(RunOptions *options)
{
	PatchLimits limits = DEFAULT_PATCH_LIMITS;

	memset(options, 0, sizeof(RunOptions));
	options->params = json_object();
	options->tags = json_object();
	options->source = json_object();
	options->devices = json_object();
	options->limits = limits;
	options->interval = 10;
	options->tail = 65536;
	options->patience = 10;
}

/* Patterns ---------------------------------------------------------------- */

/*
 * [NAME:]REGEX. Without a name it is the word that the expression begins
 * with, or else what its first group matches.
 */
static bool
parse_pattern(const char *text, bool needs_name, Pattern *pattern)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./";
	size_t		size = strspn(text, word);
	const char *expression = text;
	int			code;

	pattern->name = NULL;
	if (size > 0 && text[size] == ':' && strchr(text + size, '(') != NULL
		&& text[size + 1] != ' ' && text[size + 1] != '(')
	{
		pattern->name = psprintf("%.*s", (int) size, text);
		expression = text + size + 1;
	}
	code = regcomp(&pattern->expression, expression, REG_EXTENDED);
	if (code != 0)
	{
		char		message[256];

		regerror(code, &pattern->expression, message, sizeof(message));
		pg_log_error("the expression \"%s\" is none: %s", expression, message);
		return false;
	}
	if (pattern->expression.re_nsub < 1)
	{
		pg_log_error("the expression \"%s\" has no group in parentheses for "
					 "the value",
					 expression);
		return false;
	}
	if (pattern->name == NULL && needs_name
		&& pattern->expression.re_nsub == 1)
	{
		if (size == 0)
		{
			pg_log_error("the expression \"%s\" names no metric", expression);
			pg_log_error_hint("Write NAME:EXPRESSION, or a first group that "
							  "matches the name.");
			return false;
		}
		pattern->name = psprintf("%.*s", (int) size, text);
	}
	return true;
}

static char *
group_text(const char *line, const regmatch_t *group)
{
	return psprintf("%.*s", (int) (group->rm_eo - group->rm_so),
					line + group->rm_so);
}

/* What the expressions find in a line of output; all matches of each. */
static void
search_line(Recorder *recorder, const char *line)
{
	regmatch_t	groups[3];
	int64		at = now_us();

	if (recorder->step_pattern != NULL
		&& regexec(&recorder->step_pattern->expression, line, 2, groups, 0) == 0
		&& groups[1].rm_so >= 0)
	{
		char	   *text = group_text(line, &groups[1]);
		char	   *end;
		long long	step = strtoll(text, &end, 10);

		if (end != text && *end == '\0')
		{
			recorder->step = step;
			recorder->has_step = true;
		}
		pg_free(text);
	}
	for (int i = 0; i < recorder->n_patterns; i++)
	{
		const Pattern *pattern = &recorder->patterns[i];
		const char *rest = line;

		while (*rest != '\0'
			   && regexec(&pattern->expression, rest, 3, groups,
						  rest == line ? 0 : REG_NOTBOL) == 0)
		{
			int			at_value = pattern->name == NULL ? 2 : 1;
			char	   *name;
			char	   *text;
			double		value;

			if (groups[at_value].rm_so < 0)
				break;
			name = pattern->name != NULL ? pg_strdup(pattern->name) :
				group_text(rest, &groups[1]);
			text = group_text(rest, &groups[at_value]);
			if (parse_number(text, &value))
				facts_add_point(recorder->facts, name, "", recorder->has_step ?
								&recorder->step : NULL, at, value);
			pg_free(name);
			pg_free(text);
			rest += Max(groups[0].rm_eo, 1);
		}
	}
}

/* Output ------------------------------------------------------------------ */

static void
keep_tail(Recorder *recorder, const char *data, size_t size)
{
	size_t		room = recorder->options->tail;

	if (room == 0)
		return;
	if (size >= room)
	{
		data += size - room;
		size = room;
	}
	for (size_t done = 0; done < size;)
	{
		size_t		part = Min(size - done, room - recorder->tail_at);

		memcpy(recorder->tail + recorder->tail_at, data + done, part);
		recorder->tail_at += part;
		done += part;
		if (recorder->tail_at == room)
		{
			recorder->tail_at = 0;
			recorder->tail_full = true;
		}
	}
}

/* The last of the output, from the beginning of a line when some is cut off */
static json_t *
tail_text(const Recorder *recorder)
{
	PQExpBufferData buffer;
	const char *start;
	json_t	   *result;
	char	   *clean;

	initPQExpBuffer(&buffer);
	if (recorder->tail_full)
		appendBinaryPQExpBuffer(&buffer, recorder->tail + recorder->tail_at,
								recorder->options->tail - recorder->tail_at);
	appendBinaryPQExpBuffer(&buffer, recorder->tail, recorder->tail_at);
	start = buffer.data;
	if (recorder->tail_full)
	{
		const char *line = memchr(start, '\n', buffer.len);

		if (line != NULL)
			start = line + 1;
	}
	clean = make_utf8(start, buffer.data + buffer.len - start);
	result = json_string_nocheck(clean);
	free(clean);
	termPQExpBuffer(&buffer);
	return result;
}

static void
end_line(Recorder *recorder, Stream *stream)
{
	if (stream == &recorder->channel)
	{
		if (stream->too_long)
			facts_add_line(recorder->facts, "\n?", 2);
		else
			facts_add_line(recorder->facts, stream->line.data,
						   stream->line.len);
	}
	else if (!stream->too_long && stream->line.len > 0)
		search_line(recorder, stream->line.data);
	resetPQExpBuffer(&stream->line);
	stream->too_long = false;
}

/* Take what was read apart into lines; a carriage return ends one, too. */
static void
take_lines(Recorder *recorder, Stream *stream, const char *data, size_t size)
{
	size_t		limit = stream == &recorder->channel ? LINE_LIMIT :
		OUTPUT_LINE;

	while (size > 0)
	{
		size_t		n = 0;

		while (n < size && data[n] != '\n' && data[n] != '\r')
			n++;
		if (stream->line.len + n > limit)
			stream->too_long = true;
		else
			appendBinaryPQExpBuffer(&stream->line, data, n);
		if (n < size)
		{
			end_line(recorder, stream);
			n++;
		}
		data += n;
		size -= n;
	}
}

/* Read what there is; false when there is nothing more for now. */
static bool
read_stream(Recorder *recorder, Stream *stream)
{
	char		chunk[65536];
	ssize_t		n;

	if (*stream->from < 0)
		return false;
	n = read(*stream->from, chunk, sizeof(chunk));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0)
	{
		/* EIO is how a terminal ends */
		close(*stream->from);
		*stream->from = -1;
		return false;
	}
	stream->n_read += n;
	if (stream == &recorder->channel)
	{
		take_lines(recorder, stream, chunk, n);
		return true;
	}
	keep_tail(recorder, chunk, n);
	if (recorder->n_patterns > 0 || recorder->step_pattern != NULL)
		take_lines(recorder, stream, chunk, n);
	if (stream->to >= 0 && !write_all(stream->to, chunk, n))
	{
		/* Nobody reads us: the child shall notice as it would have */
		close(*stream->from);
		*stream->from = -1;
		return false;
	}
	return true;
}

/* The machine ------------------------------------------------------------- */

static void
add_system(Recorder *recorder, const char *key, double value)
{
	facts_add_point(recorder->facts, key, SYSTEM_CONTEXT, NULL, now_us(),
					value);
}

static void
add_gpus(Recorder *recorder)
{
	static char *const ask[] = {"nvidia-smi",
		"--query-gpu=utilization.gpu,memory.used",
	"--format=csv,noheader,nounits", NULL};
	static int	present = -1;
	Process		process = {.arguments = ask,.timeout = 2};

	if (present < 0)
		present = have_program("nvidia-smi");
	if (!present)
		return;
	if (run_process(&process))
	{
		char	   *rest = process.output.data;
		char	   *line;

		for (int gpu = 0; (line = strsep(&rest, "\n")) != NULL; gpu++)
		{
			double		percent;
			double		megabytes;
			char		key[64];

			if (sscanf(line, "%lf , %lf", &percent, &megabytes) != 2)
				continue;
			snprintf(key, sizeof(key), "gpu%d_percent", gpu);
			add_system(recorder, key, percent);
			snprintf(key, sizeof(key), "gpu%d_memory_bytes", gpu);
			add_system(recorder, key, megabytes * 1024 * 1024);
		}
	}
	else
		present = false;
	free_process(&process);
}

/* Look how much the child takes, less often where looking costs much. */
static void
look_at_usage(Recorder *recorder)
{
	double		now = monotonic_seconds();
	double		passed = now - recorder->usage_at;
	Usage		usage;

	if (!take_usage(recorder->child.pid, &usage))
		return;
	add_system(recorder, "cpu_percent",
			   100 * Max(usage.cpu_seconds - recorder->usage.cpu_seconds, 0)
			   / Max(passed, 0.001));
	add_system(recorder, "memory_bytes", (double) usage.memory_bytes);
	add_system(recorder, "processes", usage.processes);
	add_system(recorder, "read_bytes_per_second",
			   Max(usage.read_bytes - recorder->usage.read_bytes, 0)
			   / Max(passed, 0.001));
	add_system(recorder, "written_bytes_per_second",
			   Max(usage.written_bytes - recorder->usage.written_bytes, 0)
			   / Max(passed, 0.001));
	add_gpus(recorder);
	recorder->usage = usage;
	recorder->usage_at = now;
	if (monotonic_seconds() - now > recorder->interval / 1000)
		recorder->interval *= 2;
}

/* The start --------------------------------------------------------------- */

/* The name of a file as the name in an artifact */
static char *
artifact_name(const char *path)
{
	const char *name = strrchr(path, '/') == NULL ? path :
		strrchr(path, '/') + 1;
	char	   *clean = make_utf8(name, strlen(name));
	PQExpBufferData result;

	initPQExpBuffer(&result);
	for (const char *c = clean; *c != '\0'; c++)
	{
		if (strchr(":@%", *c) != NULL || (unsigned char) *c < 0x20 || *c == 0x7F)
			appendPQExpBuffer(&result, "%%%02X", (unsigned char) *c);
		else
			appendPQExpBufferChar(&result, *c);
	}
	free(clean);
	return result.data;
}

/*
 * An artifact for a file that is there, as the spool keeps it: its digest,
 * and where it lies. [KIND:NAME[:VERSION]=]FILE.
 */
json_t *
describe_file(const char *given, bool used, bool *found)
{
	const char *path = given;
	const char *sign = strchr(given, '=');
	char		digest[DIGEST_TEXT_SIZE];
	char		host[256] = "";
	char		real[PATH_MAX];
	char	   *prefix = NULL;
	char	   *artifact;
	int64		size;
	json_t	   *body;
	struct stat status;

	if (access(given, F_OK) != 0 && sign != NULL)
	{
		prefix = psprintf("%.*s", (int) (sign - given), given);
		path = sign + 1;
	}
	*found = stat(path, &status) == 0 && S_ISREG(status.st_mode)
		&& digest_file(path, digest, &size);
	if (!*found)
		return NULL;
	if (prefix == NULL || strchr(prefix, ':') == NULL)
		prefix = psprintf("file:%s", prefix != NULL ? prefix :
						  artifact_name(path));
	artifact = psprintf("%s@sha256:%s", prefix, digest);
	gethostname(host, sizeof(host) - 1);
	body = json_object();
	json_object_set_new(body, "artifact", json_text(artifact));
	json_object_set_new(body, "used", json_boolean(used));
	if (realpath(path, real) != NULL)
	{
		char	   *uri = psprintf("file://%s%s", host, real);

		json_object_set_new(body, "uri", json_text(uri));
		pg_free(uri);
	}
	pg_free(artifact);
	pg_free(prefix);
	return body;
}

/* [ROLE=]ARTIFACT or [ROLE=]FILE */
static void
add_input(Recorder *recorder, const char *given)
{
	const char *sign = access(given, F_OK) == 0 ? NULL : strchr(given, '=');
	const char *reference = sign == NULL ? given : sign + 1;
	bool		found;
	json_t	   *body = describe_file(reference, true, &found);

	if (body == NULL)
	{
		body = json_object();
		json_object_set_new(body, "artifact", json_text(reference));
		json_object_set_new(body, "used", json_true());
	}
	if (sign != NULL)
	{
		char	   *role = psprintf("%.*s", (int) (sign - given), given);

		json_object_set_new(body, "role", json_text(role));
		pg_free(role);
	}
	facts_add(recorder->facts, FACT_ARTIFACT, body);
}

/* --lr 0.1, --lr=0.1, --verbose and lr=0.1 among the command's words */
static void
params_of_command(json_t *params, char *const *command)
{
	for (char *const *word = command + 1; *word != NULL; word++)
	{
		const char *name = *word;
		char	   *key;
		const char *value;

		if (strcmp(name, "--") == 0)
			continue;
		if (strncmp(name, "--", 2) == 0)
			name += 2;
		if (split_assignment(name, &key, &value))
		{
			if (strpbrk(key, "/ ") == NULL)
				json_object_set_new(params, key, parse_value(value));
			pg_free(key);
		}
		else if (name != *word && is_name(name))
		{
			const char *next = word[1];
			double		number;

			if (next != NULL && (*next != '-' || parse_number(next, &number)))
			{
				json_object_set_new(params, name, parse_value(next));
				word++;
			}
			else
				json_object_set_new(params, name, json_true());
		}
	}
}

/* The script among the words, or the program: what the run is about */
static const char *
entry_point(char *const *command)
{
	for (char *const *word = command + 1; *word != NULL; word++)
	{
		struct stat status;

		if (**word != '-' && strchr(*word, '.') != NULL
			&& stat(*word, &status) == 0 && S_ISREG(status.st_mode))
			return *word;
	}
	return command[0];
}

static void
set_list(json_t *object, const char *key, const TextList *list)
{
	json_t	   *array = json_array();

	for (int i = 0; i < list->n; i++)
		json_array_append_new(array, json_text(list->items[i]));
	if (list->n > 0)
		json_object_set(object, key, array);
	json_decref(array);
}

/* What is recorded and how, for who runs it again */
static json_t *
describe_recording(const RunOptions *options)
{
	json_t	   *recording = json_object();

	set_list(recording, "inputs", &options->inputs);
	set_list(recording, "snapshots", &options->snapshots);
	set_list(recording, "outputs", &options->outputs);
	set_list(recording, "metrics", &options->metrics);
	set_list(recording, "variables", &options->variables);
	if (options->step != NULL)
		json_object_set_new(recording, "step", json_text(options->step));
	return recording;
}

static json_t *
describe_source(const RunOptions *options, char *const *command)
{
	json_t	   *source = json_copy(options->source);
	json_t	   *arguments = json_array();
	char		directory[PATH_MAX];
	char	   *line = shell_quote(command);

	describe_repository(source, &options->limits);
	json_object_set_new(source, "command_line", json_text(line));
	for (char *const *word = command; *word != NULL; word++)
		json_array_append_new(arguments, json_text(*word));
	json_object_set_new(source, "arguments", arguments);
	json_object_set_new(source, "entry_point",
						json_text(entry_point(command)));
	if (getcwd(directory, sizeof(directory)) != NULL)
		json_object_set_new(source, "directory", json_text(directory));
	json_object_set_new(source, "environment",
						describe_environment(command,
											 json_string_value(json_object_get(source, "toplevel")),
											 options->variables.items));
	if (json_object_size(options->devices) > 0)
		json_object_set(source, "devices", options->devices);
	json_object_set_new(source, "recording", describe_recording(options));
	json_object_set_new(source, "client",
						json_string("mlmeta " MLMETA_VERSION));
	free(line);
	return source;
}

/* The experiment's name where none is given: the project's, or directory's */
static char *
default_experiment(const json_t *source)
{
	const char *path = json_string_value(json_object_get(source, "toplevel"));

	if (path == NULL)
		path = json_string_value(json_object_get(source, "directory"));
	if (path != NULL && strrchr(path, '/') != NULL)
		path = strrchr(path, '/') + 1;
	return pg_strdup(path == NULL || !is_name(path) ? "default" : path);
}

/*
 * Data versions are made now or not at all: later the data is another.
 * False: they could not be made, and options ask for a server.
 */
static bool
take_snapshots(Recorder *recorder)
{
	const RunOptions *options = recorder->options;
	char	   *problem = NULL;
	PGconn	   *connection;
	bool		good = true;

	if (options->snapshots.n == 0 && !options->require_server)
		return true;
	connection = try_connect(recorder->target, true, &problem);
	if (connection == NULL)
	{
		pg_log_error("the server %s cannot be reached: %s",
					 recorder->target->label, problem);
		if (options->snapshots.n > 0 && !options->require_server)
			pg_log_error_detail("No snapshot is taken of \"%s\".",
								options->snapshots.items[0]);
		return false;
	}
	for (int i = 0; i < options->snapshots.n; i++)
	{
		char	   *name;
		const char *source;
		PGresult   *result;

		if (!split_assignment(options->snapshots.items[i], &name, &source))
		{
			name = pg_strdup(options->snapshots.items[i]);
			source = name;
		}
		result = PQexecParams(connection,
							  "SELECT mlmeta.snapshot_dataset($1::text, "
							  "$2::text)",
							  2, NULL, (const char *const[]) {name, source},
							  NULL, NULL, 0);
		if (PQresultStatus(result) == PGRES_TUPLES_OK)
		{
			json_t	   *body = json_object();

			json_object_set_new(body, "artifact",
								json_text(PQgetvalue(result, 0, 0)));
			json_object_set_new(body, "used", json_true());
			json_object_set_new(body, "role", json_string("training"));
			facts_add(recorder->facts, FACT_ARTIFACT, body);
		}
		else
		{
			report_error(result);
			good = false;
		}
		PQclear(result);
		pg_free(name);
	}
	PQfinish(connection);
	return good;
}

/* Record the start; false when the run shall not take place. */
static bool
record_start(Recorder *recorder, char *const *command)
{
	const RunOptions *options = recorder->options;
	json_t	   *source = describe_source(options, command);
	json_t	   *params = options->params;
	const char *parent = options->parent;
	char		parent_run[RUN_TEXT_SIZE];

	if (options->params_from_command)
	{
		json_t	   *found = json_object();

		params_of_command(found, command);
		/* What is said in so many words counts more */
		json_object_update(found, params);
		params = found;
	}
	/* A run inside of a run is a part of it */
	if (parent == NULL && getenv("MLMETA_RUN") != NULL
		&& canonical_run(getenv("MLMETA_RUN"), parent_run)
		&& strcmp(parent_run, recorder->run) != 0)
		parent = parent_run;

	if (options->begun)
	{
		/* What was recorded when it first began stays: this is one more key */
		char	   *at = time_text(recorder->began);
		json_t	   *more = json_object();

		if (options->adopted)
			json_object_update(more, source);
		else
		{
			json_object_del(source, "environment");
			json_object_del(source, "devices");
			json_object_set(more, psprintf("resumed %s", at), source);
		}
		json_decref(source);
		facts_add(recorder->facts, FACT_SOURCE, more);
		if (json_object_size(params) > 0 && !options->adopted)
			facts_add(recorder->facts, FACT_PARAMS, json_incref(params));
		if (json_object_size(options->tags) > 0)
			facts_add(recorder->facts, FACT_TAGS, json_incref(options->tags));
	}
	else
	{
		char	   *experiment = options->experiment != NULL ?
			pg_strdup(options->experiment) : default_experiment(source);
		json_t	   *body = json_object();
		char	   *at = time_text(recorder->began);

		json_object_set_new(body, "experiment", json_text(experiment));
		if (options->name != NULL)
			json_object_set_new(body, "name", json_text(options->name));
		json_object_set(body, "params", params);
		json_object_set(body, "tags", options->tags);
		if (parent != NULL)
			json_object_set_new(body, "parent", json_text(parent));
		json_object_set_new(body, "source", source);
		json_object_set_new(body, "at", json_text(at));
		facts_add(recorder->facts, FACT_START, body);
		if (!options->quiet)
			pg_log_info("run %s of experiment \"%s\"", recorder->run,
						experiment);
		pg_free(experiment);
		pg_free(at);
	}
	for (int i = 0; i < options->inputs.n; i++)
		add_input(recorder, options->inputs.items[i]);
	return take_snapshots(recorder) || !options->require_server;
}

/* The end ----------------------------------------------------------------- */

static void
record_outputs(Recorder *recorder)
{
	const TextList *outputs = &recorder->options->outputs;

	for (int i = 0; i < outputs->n; i++)
	{
		bool		found;
		json_t	   *body = describe_file(outputs->items[i], false, &found);

		if (body != NULL)
			facts_add(recorder->facts, FACT_ARTIFACT, body);
		else
			pg_log_warning("the output \"%s\" is not there, or is no file that "
						   "can be read",
						   outputs->items[i]);
	}
}

static const char *
status_name(const Child *child)
{
	int			signal;

	if (child->exec_error != 0)
		return "failed";
	if (WIFEXITED(child->status))
		return WEXITSTATUS(child->status) == 0 ? "finished" : "failed";
	signal = WTERMSIG(child->status);
	return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL
		|| signal == SIGFPE || signal == SIGABRT || signal == SIGSYS
		? "crashed" : "killed";
}

static void
record_end(Recorder *recorder)
{
	const Child *child = &recorder->child;
	int64		now = now_us();
	char	   *at = time_text(now);
	json_t	   *end = json_object();
	json_t	   *source = json_object();
	json_t	   *body = json_object();

	if (child->exec_error != 0)
		json_object_set_new(end, "problem",
							json_text(strerror(child->exec_error)));
	else if (WIFEXITED(child->status))
		json_object_set_new(end, "exit_code",
							json_integer(WEXITSTATUS(child->status)));
	else
	{
		char	   *name = psprintf("SIG%s",
									sigabbrev_np(WTERMSIG(child->status)) == NULL ? "?" :
									sigabbrev_np(WTERMSIG(child->status)));

		json_object_set_new(end, "signal", json_string(name));
		pg_free(name);
	}
	json_object_set_new(end, "seconds",
						json_real((now - recorder->began) / 1e6));
	json_object_set_new(end, "cpu_user_seconds", json_real(child->cpu_user));
	json_object_set_new(end, "cpu_system_seconds",
						json_real(child->cpu_system));
	json_object_set_new(end, "memory_max_bytes",
						json_integer(child->memory_max));
	if (recorder->options->tail > 0)
		json_object_set_new(end, "log_tail", tail_text(recorder));
	json_object_set_new(source, recorder->options->begun
						&& !recorder->options->adopted ?
						psprintf("end %s", at) : "end", end);
	facts_add(recorder->facts, FACT_SOURCE, source);
	json_object_set_new(body, "status", json_string(status_name(child)));
	json_object_set_new(body, "at", json_text(at));
	facts_add(recorder->facts, FACT_FINISH, body);
	pg_free(at);
}

/* The exit code of the child, as a shell would tell it */
static int
exit_code(const Child *child)
{
	if (child->exec_error != 0)
		return child->exec_error == ENOENT ? EXIT_NO_COMMAND : EXIT_NO_EXEC;
	return WIFEXITED(child->status) ? WEXITSTATUS(child->status) :
		128 + WTERMSIG(child->status);
}

/* Read what a stream has for now; whether there was anything. */
static bool
look_at_stream(Recorder *recorder, Stream *stream)
{
	size_t		before = stream->n_read;
	bool		any = false;
	double		now;

	/* The channel has no other end to wait for, so it is read empty */
	while (read_stream(recorder, stream))
	{
		any = true;
		if (stream != &recorder->channel)
			break;
	}
	now = monotonic_seconds();
	if (stream->n_read - before >= MUCH_OUTPUT)
		stream->hurries = now + 1;
	if (stream == &recorder->channel)
		stream->rests = now + CHANNEL_SECONDS;
	else if (!recorder->child.terminal && now >= stream->hurries)
		stream->rests = now + OUTPUT_SECONDS;
	return any;
}

/* Between start and end, everything the child does comes through here. */
static void
follow_child(Recorder *recorder)
{
	Child	   *child = &recorder->child;
	Stream	   *streams[] = {&recorder->streams[0], &recorder->streams[1],
	&recorder->channel};
	double		flush = monotonic_seconds() + FLUSH_SECONDS;
	double		look = monotonic_seconds() + Min(recorder->interval, 1.0);
	double		drained = 0;

	recorder->usage_at = monotonic_seconds();
	for (;;)
	{
		double		now = monotonic_seconds();
		bool		any = false;
		struct pollfd fds[4] = {{child->signals, POLLIN}};
		double		until = Min(flush, recorder->options->interval > 0 ? look :
								flush);

		for (int i = 0; i < 3; i++)
		{
			bool		rests = now < streams[i]->rests && !child->ended;

			fds[i + 1].fd = rests ? -1 : *streams[i]->from;
			fds[i + 1].events = POLLIN;
			if (rests)
				until = Min(until, streams[i]->rests);
		}
		if (child->ended)
			until = Min(until, drained);
		poll(fds, 4, (int) Max(ceil((until - now) * 1000), 0));
		if (fds[0].revents != 0)
		{
			child_signal(child);
			if (child->ended && drained == 0)
				drained = monotonic_seconds() + DRAIN_SECONDS;
		}
		for (int i = 0; i < 3; i++)
		{
			if (fds[i + 1].revents != 0)
				any = look_at_stream(recorder, streams[i]) || any;
		}

		now = monotonic_seconds();
		if (recorder->options->interval > 0 && now >= look && !child->ended)
		{
			look_at_usage(recorder);
			look = monotonic_seconds() + recorder->interval;
		}
		if (now >= flush)
		{
			facts_flush(recorder->facts);
			sender_wake(recorder->sender);
			flush = now + FLUSH_SECONDS;
		}
		if (!child->ended)
			continue;
		if (!any && child->out < 0 && child->err < 0)
			break;
		if (now >= drained + (any ? 60 : 0))
		{
			/* A grandchild that goes on holds the other end */
			pg_log_warning("the command has ended, but a process that it "
						   "started still holds its output, which is recorded "
						   "no longer");
			break;
		}
	}
	/* Whatever was written before the end is there by now */
	while (read_stream(recorder, &recorder->channel))
		;
	if (recorder->channel.line.len > 0 || recorder->channel.too_long)
		end_line(recorder, &recorder->channel);
	for (int i = 0; i < 2; i++)
	{
		if (recorder->streams[i].line.len > 0)
			end_line(recorder, &recorder->streams[i]);
	}
}

static void
say_what_waits(Recorder *recorder, bool delivered)
{
	int64		waiting;

	if (delivered)
		return;
	waiting = spool_count(recorder->spool, recorder->run);
	if (spool_is_lasting(recorder->spool))
	{
		pg_log_warning("run %s is recorded, but not all of it is with the "
					   "server yet: %lld facts wait in \"%s\"",
					   recorder->run, (long long) waiting,
					   spool_path(recorder->spool));
		pg_log_warning_hint("\"mlmeta sync\" sends them.");
	}
	else
		pg_log_error("%lld facts of run %s are lost: neither the server nor "
					 "the disk could take them",
					 (long long) waiting, recorder->run);
}

static void
init_streams(Recorder *recorder)
{
	recorder->streams[0].from = &recorder->child.out;
	recorder->streams[0].to = STDOUT_FILENO;
	recorder->streams[1].from = &recorder->child.err;
	recorder->streams[1].to = STDERR_FILENO;
	recorder->channel.from = &recorder->child.log;
	recorder->channel.to = -1;
	for (int i = 0; i < 2; i++)
		initPQExpBuffer(&recorder->streams[i].line);
	initPQExpBuffer(&recorder->channel.line);
}

static bool
init_patterns(Recorder *recorder)
{
	const RunOptions *options = recorder->options;

	recorder->patterns = pg_malloc0(sizeof(Pattern) * (options->metrics.n + 1));
	for (int i = 0; i < options->metrics.n; i++)
	{
		if (!parse_pattern(options->metrics.items[i], true,
						   &recorder->patterns[recorder->n_patterns++]))
			return false;
	}
	if (options->step != NULL)
	{
		recorder->step_pattern = pg_malloc0(sizeof(Pattern));
		return parse_pattern(options->step, false, recorder->step_pattern);
	}
	return true;
}

/*
 * Run a command, record it, and return its exit code, or EXIT_OURSELVES when
 * it was not to be run without a server. The process is as good as over then:
 * the sender may still be at work.
 */
int
run_recorded(const Target *target, RunOptions *options, char *const *command)
{
	Recorder   *recorder = pg_malloc0(sizeof(Recorder));
	bool		delivered;
	int			code;

	recorder->options = options;
	recorder->target = target;
	recorder->interval = options->interval;
	recorder->tail = pg_malloc0(options->tail + 1);
	if (options->run != NULL)
		strlcpy(recorder->run, options->run, sizeof(recorder->run));
	else
		make_run_id(recorder->run);
	if (!init_patterns(recorder))
		return EXIT_USAGE;
	recorder->spool = spool_open_target(target);
	recorder->facts = facts_begin(recorder->spool, recorder->run);
	recorder->began = now_us();
	if (!record_start(recorder, command))
		return EXIT_OURSELVES;

	child_prepare(&recorder->child);
	init_streams(recorder);
	recorder->sender = sender_start(target, recorder->spool, recorder->run,
									!options->begun, true);
	export_target(target);
	setenv("MLMETA_RUN", recorder->run, 1);
	if (child_start(&recorder->child, command))
		follow_child(recorder);
	else
		pg_log_error("\"%s\" cannot be executed: %s", command[0],
					 strerror(recorder->child.exec_error));
	record_outputs(recorder);
	record_end(recorder);
	child_clean_up(&recorder->child);
	facts_report_bad(recorder->facts, "MLMETA_LOG");
	code = exit_code(&recorder->child);

	delivered = sender_finish(recorder->sender, options->patience);
	say_what_waits(recorder, delivered);
	fflush(NULL);
	return code;
}
