/*-------------------------------------------------------------------------
 *
 * command_deliver.c
 *		mlmeta deliver: alerts and registry events to whoever must act.
 *
 * What is taken from the server's outboxes is given back as done only when
 * every destination has had it, in one transaction: at least once, in order.
 * What a destination cannot be given after all attempts is a dead letter,
 * kept in the spool, so that what follows is not held up.
 *
 *-------------------------------------------------------------------------
 */
#include "command.h"

#include <curl/curl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "common/pg_prng.h"
#include "deliver.h"
#include "spool.h"

enum
{
	OPT_EXEC = FIRST_LONG, OPT_WEBHOOK, OPT_MAIL, OPT_FORMAT, OPT_SECRET,
	OPT_ROUTING, OPT_CONSUMER, OPT_FROM_START, OPT_NO_ALERTS, OPT_NO_EVENTS,
	OPT_ATTEMPTS, OPT_TIMEOUT, OPT_DEAD, OPT_REDELIVER, OPT_POLL
};

static const Option options[] = {
	{"exec", OPT_EXEC, "COMMAND", "run a shell command for each, JSON on its "
	"standard input"},
	{"webhook", OPT_WEBHOOK, "URL", "post each to a URL"},
	{"mail", OPT_MAIL, "ADDRESS", "mail each through sendmail"},
	{"format", OPT_FORMAT, "FORMAT", "body for the webhooks that follow: json, "
	"slack, teams or pagerduty"},
	{"secret-file", OPT_SECRET, "FILE", "sign bodies by HMAC-SHA256 with the "
	"file's first line"},
	{"routing-key", OPT_ROUTING, "KEY", "PagerDuty's routing key"},
	{"follow", 'f', NULL, "do not end; wait for more"},
	{"consumer", OPT_CONSUMER, "NAME", "who takes them (default: deliver); "
	"each consumer gets all"},
	{"from-start", OPT_FROM_START, NULL, "a new consumer also gets the "
	"registry events of before"},
	{"no-alerts", OPT_NO_ALERTS, NULL, "only registry events"},
	{"no-events", OPT_NO_EVENTS, NULL, "only alerts"},
	{"attempts", OPT_ATTEMPTS, "N", "before a message is a dead letter "
	"(default 8)"},
	{"timeout", OPT_TIMEOUT, "SECONDS", "for one attempt (default 30)"},
	{"poll", OPT_POLL, "SECONDS", "with --follow: look at least so often "
	"(default 30)"},
	{"dead", OPT_DEAD, NULL, "show the dead letters, as JSON"},
	{"redeliver", OPT_REDELIVER, NULL, "try the dead letters again"},
	{NULL}
};

static const char details[] =
"A webhook has the headers X-Mlmeta-Event (alert or registry), "
"X-Mlmeta-Delivery (the\n"
"same for the same event) and, with a secret, X-Mlmeta-Signature: "
"sha256=HEX.\n"
"Delivery is at least once: who receives tells repetitions by "
"X-Mlmeta-Delivery. A\n"
"command finds it in MLMETA_EVENT; it has taken the message when it ends with "
"0.\n"
"The exit code is 1 when there were dead letters.";

#define MOST_DESTINATIONS	16

/* Seconds of the first pause between attempts, and of the longest */
#define FIRST_PAUSE		0.5
#define LONGEST_PAUSE	60

typedef struct Deliverer
{
	const Command *command;
	ConnectionOptions connection_options;
	const Target *target;
	PGconn	   *connection;
	Spool	   *spool;
	Destination destinations[MOST_DESTINATIONS];
	int			n_destinations;
	const char *consumer;
	bool		from_start;
	bool		alerts;
	bool		events;
	bool		follow;
	int			attempts;
	int			poll;
	pg_prng_state random;
	int64		n_delivered;
	int64		n_dead;
} Deliverer;

static volatile sig_atomic_t told_to_end = 0;

static void
on_signal(int signal)
{
	told_to_end = 1;
}

/* Messages ---------------------------------------------------------------- */

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text == NULL ? "" : text;
}

static Message
alert_message(const char *row)
{
	Message		message = {.type = "alert", .action = "trigger"};
	json_t	   *content = json_loads(row, 0, NULL);
	const char *state = text_of(content, "state");
	const char *segment = text_of(content, "segment");
	const char *severity = text_of(content, "severity");

	json_object_set_new(content, "type", json_string("alert"));
	message.content = content;
	message.id = psprintf("alert-%lld",
						  (long long) json_integer_value(json_object_get(content, "event")));
	message.topic = psprintf("mlmeta-alert-%lld",
							 (long long) json_integer_value(json_object_get(content, "alert")));
	message.severity = strcmp(severity, "critical") == 0 ? "critical" :
		strcmp(severity, "info") == 0 ? "info" : "warning";
	if (strcmp(state, "resolved") == 0)
		message.action = "resolve";
	else if (strcmp(state, "acknowledged") == 0
			 || strcmp(state, "snoozed") == 0)
		message.action = "acknowledge";
	message.summary = psprintf("%s alert of monitor %s is %s: %s %s%s%s%s%s%s",
							   *severity == '\0' ? "warning" : severity,
							   text_of(content, "monitor"), state,
							   text_of(content, "feature"),
							   text_of(content, "measure"),
							   *segment == '\0' ? "" : " (", segment,
							   *segment == '\0' ? "" : ")",
							   *text_of(content, "comment") == '\0' ? "" : ": ",
							   text_of(content, "comment"));
	return message;
}

static Message
registry_message(const char *row)
{
	Message		message = {.type = "registry", .action = "trigger",
	.severity = "info"};
	json_t	   *content = json_loads(row, 0, NULL);
	json_t	   *version = json_object_get(content, "version");
	char	   *which = json_is_integer(version) ?
		psprintf(" version %lld", (long long) json_integer_value(version)) :
		pg_strdup("");

	json_object_set_new(content, "type", json_string("registry"));
	message.content = content;
	message.id = psprintf("registry-%lld",
						  (long long) json_integer_value(json_object_get(content, "event")));
	message.topic = psprintf("mlmeta-%s", message.id);
	message.summary = psprintf("model %s%s: %s", text_of(content, "model"),
							   which, text_of(content, "action"));
	for (char *c = strrchr(message.summary, ':'); *c != '\0'; c++)
	{
		if (*c == '_')
			*c = ' ';
	}
	pg_free(which);
	return message;
}

static void
free_message(Message *message)
{
	json_decref(message->content);
	pg_free(message->id);
	pg_free(message->topic);
	pg_free(message->summary);
}

/* Attempts ---------------------------------------------------------------- */

static void
pause_seconds(double seconds)
{
	double		until = monotonic_seconds() + seconds;

	while (!told_to_end && monotonic_seconds() < until)
		pg_usleep((long) (Min(until - monotonic_seconds(), 0.2) * 1000000) + 1);
}

/*
 * Try until it is delivered or a dead letter. False when told to end before
 * that: nothing is decided, and it will be delivered later.
 */
static bool
deliver_body(Deliverer *deliverer, const Destination *destination,
			 const char *id, const char *type, const char *subject,
			 const char *body, bool bury)
{
	double		pause = FIRST_PAUSE;
	char	   *problem = NULL;

	for (int attempt = 1;; attempt++)
	{
		double		retry_after;
		DeliveryResult result = deliver_once(destination, id, type, subject,
											 body, &problem, &retry_after);

		if (result == DELIVERED)
		{
			deliverer->n_delivered++;
			return true;
		}
		pg_log_warning("%s to %s, attempt %d: %s", id, destination->where,
					   attempt, problem);
		if (result == DELIVER_NEVER || attempt >= deliverer->attempts)
			break;
		pg_free(problem);
		pause_seconds(Max(pause * (0.5 + pg_prng_double(&deliverer->random)),
						  Min(retry_after, 3600)));
		pause = Min(2 * pause, LONGEST_PAUSE);
		if (told_to_end)
			return false;
	}
	deliverer->n_dead++;
	if (bury)
	{
		char	   *where = destination_text(destination);
		json_t	   *letter = json_object();
		char	   *text;

		json_object_set_new(letter, "id", json_text(id));
		json_object_set_new(letter, "type", json_text(type));
		json_object_set_new(letter, "subject", json_text(subject));
		json_object_set_new(letter, "body", json_text(body));
		text = dump_json(letter);
		/* Kept, or else not given up: the outbox is all there is then */
		if (!spool_bury(deliverer->spool, where, text, problem))
			pg_fatal("%s cannot be kept as a dead letter in the spool", id);
		pg_log_error("%s is a dead letter now: \"mlmeta deliver --dead\" shows "
					 "it, --redeliver tries again",
					 id);
		free(text);
		json_decref(letter);
		pg_free(where);
	}
	pg_free(problem);
	return true;
}

static bool
deliver_message(Deliverer *deliverer, const Message *message)
{
	for (int i = 0; i < deliverer->n_destinations; i++)
	{
		char	   *body = message_body(message, &deliverer->destinations[i]);
		bool		decided = deliver_body(deliverer,
										   &deliverer->destinations[i],
										   message->id, message->type,
										   message->summary, body, true);

		pg_free(body);
		if (!decided)
			return false;
	}
	return true;
}

/* Outboxes ---------------------------------------------------------------- */

static PGresult *
ask(Deliverer *deliverer, const char *sql, int n, const char *const *values)
{
	PGresult   *result = PQexecParams(deliverer->connection, sql, n, NULL,
									  values, NULL, NULL, 0);

	if (PQresultStatus(result) == PGRES_TUPLES_OK
		|| PQresultStatus(result) == PGRES_COMMAND_OK)
		return result;
	report_error(result);
	if (PQstatus(deliverer->connection) == CONNECTION_OK)
		exit(EXIT_REFUSED);
	PQclear(result);
	return NULL;
}

/*
 * One message in a transaction of its own, by a query that takes and another
 * that acknowledges (or NULL). 1: there may be more; 0: there is none; -1:
 * the connection is lost, or we are told to end.
 */
static int
take_one(Deliverer *deliverer, const char *take, const char *acknowledge,
		 Message (*make) (const char *row))
{
	const char *values[2] = {deliverer->consumer};
	PGresult   *result;
	int			n;

	result = ask(deliverer, "BEGIN", 0, NULL);
	if (result == NULL)
		return -1;
	PQclear(result);
	result = ask(deliverer, take, 1, values);
	if (result == NULL)
		return -1;
	n = PQntuples(result);
	for (int row = 0; row < n; row++)
	{
		Message		message = make(PQgetvalue(result, row, 1));
		bool		decided = deliver_message(deliverer, &message);

		free_message(&message);
		if (!decided)
			return -1;
		if (acknowledge != NULL)
		{
			PGresult   *done;

			values[1] = PQgetvalue(result, row, 0);
			done = ask(deliverer, acknowledge, 2, values);
			if (done == NULL)
				return -1;
			PQclear(done);
		}
	}
	PQclear(result);
	result = ask(deliverer, "COMMIT", 0, NULL);
	if (result == NULL)
		return -1;
	PQclear(result);
	return n > 0 ? 1 : 0;
}

/* Everything that is there; false as in take_one(). */
static bool
drain(Deliverer *deliverer)
{
	int			alerts = deliverer->alerts ? 1 : 0;
	int			events = deliverer->events ? 1 : 0;

	while (!told_to_end && (alerts > 0 || events > 0))
	{
		if (alerts > 0)
			alerts = take_one(deliverer,
							  "SELECT h.event, pg_catalog.row_to_json(h) FROM "
							  "mlmeta.take_alerts($1::text, 1) AS h",
							  NULL, alert_message);
		if (events > 0)
			events = take_one(deliverer,
							  "SELECT e.event, pg_catalog.row_to_json(e) FROM "
							  "mlmeta.take_events($1::text, 1) AS e",
							  "SELECT mlmeta.acknowledge_event($1::text, "
							  "$2::bigint)",
							  registry_message);
		if (alerts < 0 || events < 0)
			return false;
	}
	return !told_to_end;
}

static void
make_consumer(Deliverer *deliverer)
{
	PGresult   *result;

	if (!deliverer->events)
		return;
	result = query1(deliverer->connection,
					"SELECT FROM mlmeta.event_backlog AS b WHERE b.consumer = "
					"$1::text",
					deliverer->consumer);
	if (PQntuples(result) == 0)
	{
		PQclear(query2(deliverer->connection,
					   "SELECT mlmeta.create_event_consumer($1::text, "
					   "$2::boolean)",
					   deliverer->consumer, deliverer->from_start ? "true" : "false"));
		pg_log_info("consumer \"%s\" gets the registry's events from now on%s",
					deliverer->consumer, deliverer->from_start ?
					", and those of before" : "");
	}
	PQclear(result);
}

/* Wait for a notification, the next look, or the end. */
static void
wait_for_more(Deliverer *deliverer)
{
	double		until = monotonic_seconds() + deliverer->poll;
	PGnotify   *notify;
	bool		any = false;

	while (!told_to_end && !any && monotonic_seconds() < until)
	{
		struct pollfd fd = {PQsocket(deliverer->connection), POLLIN};

		poll(&fd, 1, (int) (Min(until - monotonic_seconds(), 1) * 1000) + 1);
		if (fd.revents != 0 && !PQconsumeInput(deliverer->connection))
			return;
		while ((notify = PQnotifies(deliverer->connection)) != NULL)
		{
			any = true;
			PQfreemem(notify);
		}
	}
}

/* Connect again, however long it takes. */
static void
reconnect(Deliverer *deliverer)
{
	double		pause = FIRST_PAUSE;

	PQfinish(deliverer->connection);
	deliverer->connection = NULL;
	while (!told_to_end && deliverer->connection == NULL)
	{
		char	   *problem;

		deliverer->connection = try_connect(deliverer->target, true, &problem);
		if (deliverer->connection != NULL)
			break;
		pg_log_warning("%s", problem);
		pg_free(problem);
		pause_seconds(pause * (0.5 + pg_prng_double(&deliverer->random)));
		pause = Min(2 * pause, LONGEST_PAUSE);
	}
}

static void
follow(Deliverer *deliverer)
{
	while (!told_to_end)
	{
		PQclear(PQexec(deliverer->connection,
					   "LISTEN mlmeta_events; LISTEN mlmeta_alert"));
		while (drain(deliverer))
			wait_for_more(deliverer);
		if (!told_to_end)
			reconnect(deliverer);
	}
}

/* Dead letters ------------------------------------------------------------ */

static void
redeliver(Deliverer *deliverer)
{
	json_t	   *letters = spool_dead_letters(deliverer->spool);
	size_t		i;
	json_t	   *letter;

	json_array_foreach(letters, i, letter)
	{
		json_t	   *content = json_loads(text_of(letter, "body"), 0, NULL);
		const Destination *destination = NULL;
		int64		dead = deliverer->n_dead;

		for (int k = 0; k < deliverer->n_destinations; k++)
		{
			char	   *where = destination_text(&deliverer->destinations[k]);

			if (strcmp(where, text_of(letter, "to")) == 0)
				destination = &deliverer->destinations[k];
			pg_free(where);
		}
		if (destination == NULL)
			pg_log_warning("dead letter %lld is for %s, which is not among the "
						   "destinations",
						   (long long) json_integer_value(json_object_get(letter, "number")),
						   text_of(letter, "to"));
		else if (deliver_body(deliverer, destination, text_of(content, "id"),
							  text_of(content, "type"),
							  text_of(content, "subject"),
							  text_of(content, "body"), false)
				 && deliverer->n_dead == dead)
			spool_forget_letter(deliverer->spool,
								json_integer_value(json_object_get(letter, "number")));
		json_decref(content);
	}
	json_decref(letters);
}

/* ------------------------------------------------------------------------- */

static MessageFormat
parse_format(const Scan *scan)
{
	static const char *const names[] = {"json", "slack", "teams", "pagerduty"};

	for (int i = 0; i < lengthof(names); i++)
	{
		if (strcmp(scan->value, names[i]) == 0)
			return (MessageFormat) i;
	}
	usage_error(scan->command, "there is no format \"%s\"", scan->value);
}

static const char *
read_secret(const Scan *scan)
{
	char	   *text = read_file(scan->value, 4096, NULL);

	if (text == NULL)
	{
		pg_log_error("the secret in \"%s\" cannot be read: %m", scan->value);
		exit(EXIT_USAGE);
	}
	text[strcspn(text, "\r\n")] = '\0';
	if (*text == '\0')
		usage_error(scan->command, "there is no secret in \"%s\"", scan->value);
	return text;
}

static void
add_destination(Deliverer *deliverer, const Scan *scan, DestinationKind kind,
				MessageFormat format)
{
	Destination *destination;

	if (deliverer->n_destinations == MOST_DESTINATIONS)
		usage_error(scan->command, "there are more than %d destinations",
					MOST_DESTINATIONS);
	destination = &deliverer->destinations[deliverer->n_destinations++];
	destination->kind = kind;
	destination->where = scan->value;
	destination->format = kind == TO_WEBHOOK ? format : FORMAT_JSON;
}

static void
scan_options(Scan *scan, Deliverer *deliverer, bool *dead, bool *again)
{
	MessageFormat format = FORMAT_JSON;
	const char *secret = NULL;
	const char *routing = NULL;
	long		timeout = 30;
	int			id;

	while ((id = scan_next(scan)) != -1)
	{
		switch (id)
		{
			case OPT_EXEC:
				add_destination(deliverer, scan, TO_COMMAND, format);
				break;
			case OPT_WEBHOOK:
				add_destination(deliverer, scan, TO_WEBHOOK, format);
				break;
			case OPT_MAIL:
				add_destination(deliverer, scan, TO_MAIL, format);
				break;
			case OPT_FORMAT:
				format = parse_format(scan);
				break;
			case OPT_SECRET:
				secret = read_secret(scan);
				break;
			case OPT_ROUTING:
				routing = scan->value;
				break;
			case 'f':
				deliverer->follow = true;
				break;
			case OPT_CONSUMER:
				deliverer->consumer = scan->value;
				break;
			case OPT_FROM_START:
				deliverer->from_start = true;
				break;
			case OPT_NO_ALERTS:
				deliverer->alerts = false;
				break;
			case OPT_NO_EVENTS:
				deliverer->events = false;
				break;
			case OPT_ATTEMPTS:
				deliverer->attempts = (int) number_argument(scan, 1, 1000);
				break;
			case OPT_TIMEOUT:
				timeout = (long) number_argument(scan, 1, 86400);
				break;
			case OPT_POLL:
				deliverer->poll = (int) number_argument(scan, 1, 86400);
				break;
			case OPT_DEAD:
				*dead = true;
				break;
			case OPT_REDELIVER:
				*again = true;
				break;
		}
	}
	for (int i = 0; i < deliverer->n_destinations; i++)
	{
		deliverer->destinations[i].secret = secret;
		deliverer->destinations[i].routing_key = routing;
		deliverer->destinations[i].timeout = timeout;
	}
}

static int
deliver_main(const Command *command, int argc, char **argv)
{
	Scan		scan;
	Deliverer	deliverer = {.consumer = "deliver", .alerts = true,
	.events = true, .attempts = 8, .poll = 30};
	bool		dead = false;
	bool		again = false;

	scan_begin(&scan, command, argc, argv);
	scan_options(&scan, &deliverer, &dead, &again);
	scan_arguments(&scan, 0, 0);
	if (!dead && deliverer.n_destinations == 0)
		usage_error(command, "where to? --exec, --webhook or --mail");
	deliverer.target = resolve_target(&scan.connection);
	deliverer.spool = spool_open_target(deliverer.target);
	pg_prng_seed(&deliverer.random, (uint64) now_us());
	if (dead)
	{
		printf("%s\n", json_dumps(spool_dead_letters(deliverer.spool),
								  JSON_INDENT(2)));
		return 0;
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGHUP, on_signal);
	if (again)
		redeliver(&deliverer);
	else
	{
		deliverer.connection = require_connection(&scan.connection, NULL);
		make_consumer(&deliverer);
		if (deliverer.follow)
			follow(&deliverer);
		else if (!drain(&deliverer) && !told_to_end)
			return EXIT_NO_SERVER;
	}
	pg_log_info("%lld delivered, %lld dead letters",
				(long long) deliverer.n_delivered, (long long) deliverer.n_dead);
	return deliverer.n_dead > 0 ? EXIT_DIFFERENT : 0;
}

const Command deliver_command = {
	.name = "deliver",
	.arguments = "",
	.summary = "delivers alerts and registry events to commands, webhooks and "
	"mailboxes",
	.options = options,
	.details = details,
	.connects = true,
	.run = deliver_main
};
