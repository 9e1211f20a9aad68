/*-------------------------------------------------------------------------
 *
 * command_log.c
 *		mlmeta log: metrics, parameters, tags and artifacts from scripts.
 *
 *-------------------------------------------------------------------------
 */
#include "command.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "facts.h"
#include "run.h"
#include "sender.h"

enum
{
	OPT_RUN = FIRST_LONG, OPT_STEP, OPT_CONTEXT, OPT_ROLE, OPT_URI, OPT_USED,
	OPT_ACKNOWLEDGE, OPT_WAIT
};

static const Option options[] = {
	{"run", 'r', "RUN", "the run (default: $MLMETA_RUN)"},
	{"step", OPT_STEP, "N", "step of the metrics (default 0)"},
	{"context", OPT_CONTEXT, "NAME", "what they were taken over, such as train"},
	{"role", OPT_ROLE, "NAME", "role of the artifact, such as training"},
	{"uri", OPT_URI, "URI", "where the artifact lies"},
	{"used", OPT_USED, NULL, "the run used the artifact; it did not make it"},
	{"acknowledge", OPT_ACKNOWLEDGE, NULL, "with -: print how many lines are "
	"safely kept, again and again"},
	{"wait", OPT_WAIT, "SECONDS", "for the server, when nothing gets there (default 10)"},
	{NULL}
};

static const char details[] =
"What to log:\n"
"  metric KEY=NUMBER...       values of metrics\n"
"  param KEY=VALUE...         parameters\n"
"  tag KEY=TEXT...            tags\n"
"  artifact FILE|ARTIFACT...  files with their digests, or references\n"
"  -                          lines from standard input: {\"loss\": 0.25, "
"\"step\": 7}, or\n"
"                             {\"metrics\": {...}, \"params\": {...}, "
"\"tags\": {...}}, or loss=0.25 step=7\n"
"\n"
"When the command ends with 0, what it was given is stored, or safely in the "
"spool.";

typedef struct LogOptions
{
	char		run[RUN_TEXT_SIZE];
	int64		step;
	const char *context;
	const char *role;
	const char *uri;
	bool		used;
	bool		acknowledge;
	int			wait;
} LogOptions;

/* Metrics, parameters and tags: assignments on the command line */
static void
log_assignments(const Scan *scan, const LogOptions *log, Facts *facts)
{
	const char *what = scan->rest[0];
	json_t	   *object = json_object();

	for (int i = 1; i < scan->n_rest; i++)
	{
		char	   *key;
		const char *value;
		double		number;

		if (!split_assignment(scan->rest[i], &key, &value))
			usage_error(scan->command, "\"%s\" is no KEY=VALUE", scan->rest[i]);
		if (strcmp(what, "metric") != 0)
		{
			json_object_set_new(object, key, strcmp(what, "tag") == 0 ?
								json_text(value) : parse_value(value));
			continue;
		}
		if (!parse_number(value, &number))
			usage_error(scan->command, "\"%s\" is no number", value);
		if (!facts_add_point(facts, key, log->context, &log->step, now_us(),
							 number))
			usage_error(scan->command, "\"%s\" is no name of a context",
						log->context);
	}
	if (json_object_size(object) > 0)
		facts_add(facts, strcmp(what, "tag") == 0 ? FACT_TAGS : FACT_PARAMS,
				  object);
	else
		facts_flush(facts);
}

static void
log_artifacts(const Scan *scan, const LogOptions *log, Facts *facts)
{
	for (int i = 1; i < scan->n_rest; i++)
	{
		bool		found;
		json_t	   *body = describe_file(scan->rest[i], log->used, &found);

		if (body == NULL && strchr(scan->rest[i], ':') == NULL)
			usage_error(scan->command, "\"%s\" is neither a file nor an "
						"artifact such as model:churn:v1",
						scan->rest[i]);
		if (body == NULL)
		{
			body = json_object();
			json_object_set_new(body, "artifact", json_text(scan->rest[i]));
			json_object_set_new(body, "used", json_boolean(log->used));
		}
		if (log->uri != NULL)
			json_object_set_new(body, "uri", json_text(log->uri));
		if (log->role != NULL)
			json_object_set_new(body, "role", json_text(log->role));
		facts_add(facts, FACT_ARTIFACT, body);
	}
}

/* Tell how many lines are kept; when nobody listens, go on all the same. */
static void
acknowledge(const LogOptions *log, const Facts *facts, int64 lines)
{
	if (log->acknowledge && facts->lasting)
	{
		printf("%lld\n", (long long) lines);
		fflush(stdout);
	}
}

/*
 * Lines from standard input, until its end. A batch goes to the spool when it
 * is full, or when nothing more comes for the moment.
 */
static void
log_stream(const LogOptions *log, Facts *facts, Sender *sender)
{
	static char chunk[1 << 18];
	PQExpBufferData rest;
	int64		lines = 0;
	int64		told = 0;
	double		flushed = monotonic_seconds();

	initPQExpBuffer(&rest);
	for (;;)
	{
		struct pollfd in = {STDIN_FILENO, POLLIN};
		int			ready = poll(&in, 1, facts->n_points > 0 || told < lines ?
								 20 : -1);
		ssize_t		n = 0;
		char	   *at;
		char	   *newline;

		if (ready > 0)
		{
			n = read(STDIN_FILENO, chunk, sizeof(chunk));
			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				break;
			appendBinaryPQExpBuffer(&rest, chunk, n);
			if (PQExpBufferBroken(&rest))
				pg_fatal("out of memory");
		}
		at = rest.data;
		while ((newline = memchr(at, '\n', rest.data + rest.len - at)) != NULL)
		{
			facts_add_line(facts, at, newline - at);
			lines++;
			at = newline + 1;
		}
		rest.len -= at - rest.data;
		memmove(rest.data, at, rest.len + 1);
		if (rest.len > LINE_LIMIT)
		{
			/* A line without an end: it is counted as bad, and forgotten */
			facts_add_line(facts, rest.data, rest.len);
			resetPQExpBuffer(&rest);
		}
		if (ready == 0 || monotonic_seconds() - flushed > 0.2)
		{
			facts_flush(facts);
			sender_wake(sender);
			acknowledge(log, facts, lines);
			told = lines;
			flushed = monotonic_seconds();
		}
	}
	if (rest.len > 0)
	{
		facts_add_line(facts, rest.data, rest.len);
		lines++;
	}
	facts_flush(facts);
	acknowledge(log, facts, lines);
	termPQExpBuffer(&rest);
}

static void
scan_options(Scan *scan, LogOptions *log)
{
	const char *run = getenv("MLMETA_RUN");
	int			id;

	while ((id = scan_next(scan)) != -1)
	{
		switch (id)
		{
			case 'r':
				run = scan->value;
				break;
			case OPT_STEP:
				log->step = number_argument(scan, PG_INT64_MIN, PG_INT64_MAX);
				break;
			case OPT_CONTEXT:
				log->context = scan->value;
				break;
			case OPT_ROLE:
				log->role = scan->value;
				break;
			case OPT_URI:
				log->uri = scan->value;
				break;
			case OPT_USED:
				log->used = true;
				break;
			case OPT_ACKNOWLEDGE:
				log->acknowledge = true;
				break;
			case OPT_WAIT:
				log->wait = (int) number_argument(scan, 0, 86400);
				break;
		}
	}
	if (run == NULL)
		usage_error(scan->command, "no run is given, by --run or in MLMETA_RUN");
	if (!canonical_run(run, log->run))
		usage_error(scan->command, "\"%s\" is no run", run);
}

/*
 * Where another process sends this run's facts, as "mlmeta run" does, it will
 * send ours, too: no need to wait for it.
 */
static int
end_log(const LogOptions *log, Spool *spool, Facts *facts, Sender *sender)
{
	bool		others = !spool_lock(spool, log->run);
	bool		delivered = sender_finish(sender, others ? 0 : log->wait);
	int64		waiting = spool_count(spool, log->run);

	facts_report_bad(facts, "standard input");
	if (sender->n_refused > 0)
		return EXIT_REFUSED;
	if (delivered || waiting == 0 || (others && facts->lasting))
		return facts->n_bad > 0 ? EXIT_DIFFERENT : 0;
	if (facts->lasting)
	{
		pg_log_warning("%lld facts of run %s wait in the spool \"%s\"",
					   (long long) waiting, log->run, spool_path(spool));
		return 0;
	}
	pg_log_error("neither the server nor the disk could take what was to be "
				 "logged");
	return EXIT_NO_SERVER;
}

static int
log_main(const Command *command, int argc, char **argv)
{
	Scan		scan;
	LogOptions	log = {.context = "", .wait = 10};
	const Target *target;
	Spool	   *spool;
	Facts	   *facts;
	Sender	   *sender = NULL;
	const char *what;
	int			code;

	scan_begin(&scan, command, argc, argv);
	scan_options(&scan, &log);
	scan_arguments(&scan, 1, -1);
	what = scan.rest[0];

	target = resolve_target(&scan.connection);
	spool = spool_open_target(target);
	facts = facts_begin(spool, log.run);
	if (strcmp(what, "-") == 0)
	{
		scan_arguments(&scan, 1, 1);
		sender = sender_start(target, spool, log.run, false, true);
		log_stream(&log, facts, sender);
	}
	else
	{
		scan_arguments(&scan, 2, -1);
		if (strcmp(what, "metric") == 0 || strcmp(what, "param") == 0
			|| strcmp(what, "tag") == 0)
			log_assignments(&scan, &log, facts);
		else if (strcmp(what, "artifact") == 0)
			log_artifacts(&scan, &log, facts);
		else
			usage_error(command, "\"%s\" is nothing that can be logged", what);
		sender = sender_start(target, spool, log.run, false, false);
	}
	code = end_log(&log, spool, facts, sender);
	fflush(NULL);
	_exit(code);
}

const Command log_command = {
	.name = "log",
	.arguments = "metric|param|tag|artifact|- [ARGUMENT]...",
	.summary = "logs metrics, parameters, tags and artifacts of a run",
	.options = options,
	.details = details,
	.connects = true,
	.run = log_main
};
