/*-------------------------------------------------------------------------
 *
 * sender.c
 *		From the spool to the server, in order and exactly once.
 *
 * Each fact is one transaction, which begins with the id of its batch: what
 * the server has had already does nothing. Several are under way at a time
 * (libpq's pipeline mode). What the server will never take is set aside with
 * the reason; what depends on somebody (a privilege, the extension) waits.
 *
 *-------------------------------------------------------------------------
 */
#include "sender.h"

#include <signal.h>
#include <unistd.h>

#include "common/pg_prng.h"
#include "common/string.h"

/* Facts under way at a time */
#define WINDOW			16

/* Seconds between signs of life, and the shortest and longest pause */
#define HEARTBEAT		30
#define IDLE			1.0
#define FIRST_PAUSE		0.5
#define LONGEST_PAUSE	30

/* A statement being put together */
typedef struct Statement
{
	PQExpBufferData sql;
	const char **values;
	int			n;
	int			room;
	json_t	   *body;			/* owns what values point to */
} Statement;

typedef enum Verdict
{
	FACT_STORED,
	FACT_REFUSED,
	FACT_RETRY,
	FACT_STUCK
} Verdict;

void
sender_init(Sender *sender, const Target *target, Spool *spool,
			const char *run)
{
	memset(sender, 0, sizeof(Sender));
	pthread_mutex_init(&sender->mutex, NULL);
	pthread_cond_init(&sender->changed, NULL);
	sender->target = target;
	sender->spool = spool;
	strlcpy(sender->run, run, sizeof(sender->run));
}

void
sender_close(Sender *sender)
{
	PQfinish(sender->connection);
	sender->connection = NULL;
}

/*
 * Say what stands in the way, NULL: nothing any more. A server that restarts
 * has a new message every second: an outage is told once. Takes the text.
 */
static void
set_problem(Sender *sender, char *problem)
{
	if (problem != NULL && sender->problem == NULL)
	{
		pg_log_warning("%s", problem);
		if (!sender->told)
			pg_log_warning_hint(spool_is_lasting(sender->spool) ?
								"What is recorded waits in the spool \"%s\"; "
								"\"mlmeta sync\" sends it." :
								"What is recorded is kept in memory and sent "
								"when that is mended.",
								spool_path(sender->spool));
		sender->told = true;
	}
	else if (problem == NULL && sender->problem != NULL)
		pg_log_info("connected to %s", sender->target->label);
	pg_free(sender->problem);
	sender->problem = problem;
}

/* Connection -------------------------------------------------------------- */

/*
 * Whether the spool is for this server. One that holds nothing but what this
 * process put there follows the server.
 */
static bool
check_identity(Sender *sender)
{
	char	   *known = spool_value(sender->spool, "identity");
	const char *found = sender->features.identity;
	bool		ours;

	if (known != NULL && strcmp(known, found) == 0)
	{
		pg_free(known);
		return true;
	}
	ours = known == NULL || sender->adopt
		|| spool_count(sender->spool, NULL) == 0
		|| (sender->owns_run && spool_count(sender->spool, NULL)
			== spool_count(sender->spool, sender->run));
	if (ours)
		spool_set_value(sender->spool, "identity", found);
	else
		set_problem(sender,
					psprintf("the spool \"%s\" belongs to another server or "
							 "database (%s) than %s (%s); \"mlmeta sync "
							 "--adopt\" sends its facts there all the same",
							 spool_path(sender->spool), known,
							 sender->target->label, found));
	pg_free(known);
	return ours;
}

static SendResult
connect_sender(Sender *sender)
{
	char	   *problem = NULL;

	if (sender->connection != NULL
		&& PQstatus(sender->connection) == CONNECTION_OK)
		return SENT_SOME;
	PQfinish(sender->connection);
	sender->connection = try_connect(sender->target, true, &problem);
	if (sender->connection == NULL)
	{
		set_problem(sender, psprintf("the server %s cannot be reached: %s",
									 sender->target->label, problem));
		pg_free(problem);
		return SEND_LATER;
	}
	if (!find_features(sender->connection, &sender->features, &problem))
	{
		set_problem(sender, problem);
		sender_close(sender);
		return SEND_STUCK;
	}
	if (!check_identity(sender))
	{
		sender_close(sender);
		return SEND_STUCK;
	}
	set_problem(sender, NULL);
	return SENT_SOME;
}

/* Statements -------------------------------------------------------------- */

/* Append a parameter of a type to the statement. */
static void
add_value(Statement *statement, const char *before, const char *value,
		  const char *type)
{
	if (statement->n == statement->room)
	{
		statement->room = Max(16, 2 * statement->room);
		statement->values = pg_realloc(statement->values,
									   sizeof(char *) * statement->room);
	}
	statement->values[statement->n++] = value;
	appendPQExpBuffer(&statement->sql, "%s$%d::%s", before, statement->n, type);
}

/* A text in the body; NULL when it is not there. Others than texts are JSON. */
static const char *
field(Statement *statement, const json_t *object, const char *key)
{
	json_t	   *value = json_object_get(object, key);
	char	   *text;
	char	   *slot;
	json_t	   *copy;

	if (value == NULL || json_is_null(value))
		return NULL;
	if (json_is_string(value))
		return json_string_value(value);
	/* The body keeps the text until the statement is sent */
	text = dump_json(value);
	slot = psprintf("%s as text %p", key, (const void *) value);
	copy = json_string_nocheck(text);
	json_object_set_new(statement->body, slot, copy);
	free(text);
	pg_free(slot);
	return json_string_value(copy);
}

/* What the calls stand on: a row only if the server has not had the batch */
static void
add_guard(const Fact *fact, Statement *statement)
{
	PQExpBuffer sql = &statement->sql;

	appendPQExpBufferStr(sql, "WITH guard AS MATERIALIZED ("
						 "SELECT mlmeta.log_batch(");
	add_value(statement, "", fact->run, "mlmeta.run");
	add_value(statement, ", NULL, NULL, NULL, ", fact->batch, "uuid");
	appendPQExpBufferStr(sql, ") AS fresh) SELECT ");
}

static void
add_points(const Fact *fact, Statement *statement)
{
	size_t		i;
	json_t	   *series;

	json_array_foreach(json_object_get(statement->body, "body"), i, series)
	{
		add_value(statement, i == 0 ? "mlmeta.log_series(" :
				  ", mlmeta.log_series(", fact->run, "mlmeta.run");
		add_value(statement, ", ", field(statement, series, "key"), "text");
		add_value(statement, ", ", field(statement, series, "steps"),
				  "bigint[]");
		add_value(statement, ", ", field(statement, series, "points"),
				  "float8[]");
		add_value(statement, ", ", field(statement, series, "times"),
				  "timestamptz[]");
		add_value(statement, ", ", field(statement, series, "context"),
				  "text");
		appendPQExpBufferChar(&statement->sql, ')');
	}
}

static void
add_start(const Fact *fact, Statement *statement)
{
	static const char *const arguments[][2] = {{"experiment", "text"},
	{"name", "text"}, {"params", "jsonb"}, {"tags", "jsonb"},
	{"parent", "mlmeta.run"}, {"source", "jsonb"}};
	json_t	   *body = json_object_get(statement->body, "body");

	for (int i = 0; i < lengthof(arguments); i++)
	{
		appendPQExpBuffer(&statement->sql, "%s%s => ", i == 0 ?
						  "SELECT mlmeta.start_run(" : ", ", arguments[i][0]);
		add_value(statement, "", field(statement, body, arguments[i][0]),
				  arguments[i][1]);
	}
	add_value(statement, ", id => ", fact->run, "mlmeta.run");
	add_value(statement, ", at => ", field(statement, body, "at"),
			  "timestamptz");
	appendPQExpBufferChar(&statement->sql, ')');
}

static void
add_artifact(const Fact *fact, Statement *statement)
{
	json_t	   *body = json_object_get(statement->body, "body");
	const char *artifact = field(statement, body, "artifact");
	const char *role = field(statement, body, "role");

	if (json_is_true(json_object_get(body, "used")))
	{
		add_value(statement, "mlmeta.use_artifact(", fact->run, "mlmeta.run");
		add_value(statement, ", ", artifact, "mlmeta.artifact");
	}
	else
	{
		add_value(statement, "mlmeta.log_artifact(", fact->run, "mlmeta.run");
		add_value(statement, ", ", artifact, "mlmeta.artifact");
		if (field(statement, body, "uri") != NULL)
			add_value(statement, ", uri => ", field(statement, body, "uri"),
					  "text");
	}
	if (role != NULL)
		add_value(statement, ", role => ", role, "text");
	appendPQExpBufferChar(&statement->sql, ')');
}

/*
 * The statement that stores a fact; false when its kind or body is none that
 * this version writes.
 */
static bool
build_statement(const Fact *fact, Statement *statement)
{
	json_t	   *body = json_loads(fact->body, JSON_DECODE_ANY, NULL);

	memset(statement, 0, sizeof(Statement));
	initPQExpBuffer(&statement->sql);
	statement->body = json_object();
	if (body == NULL)
		return false;
	json_object_set_new(statement->body, "body", body);
	if (strcmp(fact->kind, FACT_START) == 0)
	{
		add_start(fact, statement);
		return true;
	}

	add_guard(fact, statement);
	if (strcmp(fact->kind, FACT_POINTS) == 0)
		add_points(fact, statement);
	else if (strcmp(fact->kind, FACT_ARTIFACT) == 0)
		add_artifact(fact, statement);
	else if (strcmp(fact->kind, FACT_FINISH) == 0)
	{
		add_value(statement, "mlmeta.finish_run(", fact->run, "mlmeta.run");
		add_value(statement, ", ", field(statement, body, "status"), "text");
		add_value(statement, ", at => ", field(statement, body, "at"),
				  "timestamptz");
		appendPQExpBufferChar(&statement->sql, ')');
	}
	else if (strcmp(fact->kind, FACT_SOURCE) == 0
			 || strcmp(fact->kind, FACT_PARAMS) == 0
			 || strcmp(fact->kind, FACT_TAGS) == 0)
	{
		appendPQExpBuffer(&statement->sql, "mlmeta.%s(",
						  strcmp(fact->kind, FACT_SOURCE) == 0 ? "log_source" :
						  strcmp(fact->kind, FACT_PARAMS) == 0 ? "log_params" :
						  "set_tags");
		add_value(statement, "", fact->run, "mlmeta.run");
		add_value(statement, ", ", field(statement, statement->body, "body"),
				  "jsonb");
		appendPQExpBufferChar(&statement->sql, ')');
	}
	else
		return false;
	appendPQExpBufferStr(&statement->sql, " FROM guard WHERE fresh");
	return true;
}

static void
free_statement(Statement *statement)
{
	termPQExpBuffer(&statement->sql);
	pg_free(statement->values);
	json_decref(statement->body);
}

/* Answers ----------------------------------------------------------------- */

static bool
in_class(const char *sqlstate, const char *const *list)
{
	for (; *list != NULL; list++)
	{
		if (strncmp(sqlstate, *list, strlen(*list)) == 0)
			return true;
	}
	return false;
}

/* What an error means for the fact. */
static Verdict
judge(const Fact *fact, const PGresult *result)
{
	/* Connection, resources, shutdown, conflicts, a standby, time-outs */
	static const char *const passing[] = {"08", "53", "57", "58", "40",
	"25006", "55P03", "XX", NULL};
	/* What concerns the fact alone */
	static const char *const final[] = {"22", "23", "54", "55", "42704",
	"2202E", "42P17", NULL};
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (sqlstate == NULL || in_class(sqlstate, passing))
		return FACT_RETRY;
	if (strcmp(fact->kind, FACT_START) == 0)
		return strcmp(sqlstate, "23505") == 0 ? FACT_STORED : FACT_STUCK;
	return in_class(sqlstate, final) ? FACT_REFUSED : FACT_STUCK;
}

static void
refuse_fact(Sender *sender, const Fact *fact, const char *sqlstate,
			const char *message)
{
	spool_refuse(sender->spool, fact, sqlstate, message);
	if (sender->n_refused++ == 0)
	{
		pg_log_warning("the server refused something of run %s (%s): %s",
					   fact->run, fact->kind, message);
		pg_log_warning_hint("It is kept in the spool: \"mlmeta sync "
							"--refused\" shows, \"mlmeta sync --retry\" tries "
							"again.");
	}
}

/*
 * Read the answers to what is under way. Everything up to the fact's own end
 * of the pipeline's part is read, or the connection is lost.
 */
static Verdict
read_answer(Sender *sender, const Fact *fact, PGresult **error)
{
	Verdict		verdict = FACT_STORED;

	*error = NULL;
	for (;;)
	{
		PGresult   *result = PQgetResult(sender->connection);
		ExecStatusType status;

		if (result == NULL)
		{
			/* Between statements; twice in a row only when it is all over */
			if (PQstatus(sender->connection) != CONNECTION_OK)
				return FACT_RETRY;
			continue;
		}
		status = PQresultStatus(result);
		if (status == PGRES_PIPELINE_SYNC)
		{
			PQclear(result);
			return verdict;
		}
		if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK
			&& status != PGRES_PIPELINE_ABORTED && verdict == FACT_STORED)
		{
			verdict = judge(fact, result);
			*error = result;
			continue;
		}
		PQclear(result);
	}
}

static bool
send_one(Sender *sender, Statement *statement)
{
	return PQsendQueryParams(sender->connection, statement->sql.data,
							 statement->n, NULL, statement->values, NULL, NULL,
							 0)
		&& PQpipelineSync(sender->connection);
}

/*
 * Send up to n facts and read what became of each. Behind one that has to
 * wait, what is refused may be refused for that reason: it waits, too.
 */
static Verdict
send_window(Sender *sender, Fact *facts, int n)
{
	Verdict		worst = FACT_STORED;
	int			sent = 0;
	int			stored = 0;
	Fact		done[WINDOW];

	if (!PQenterPipelineMode(sender->connection))
		return FACT_RETRY;
	for (int i = 0; i < n; i++)
	{
		Statement	statement;
		bool		good = build_statement(&facts[i], &statement);

		if (!good)
		{
			free_statement(&statement);
			if (i > 0)
				break;
			refuse_fact(sender, &facts[0], "", "it is nothing that this "
											   "version writes");
			PQexitPipelineMode(sender->connection);
			return FACT_STORED;
		}
		good = send_one(sender, &statement);
		free_statement(&statement);
		if (!good)
			break;
		sent++;
	}
	for (int i = 0; i < sent; i++)
	{
		PGresult   *error;
		Verdict		verdict = read_answer(sender, &facts[i], &error);

		if (verdict == FACT_STORED)
			done[stored++] = facts[i];
		else if (verdict == FACT_REFUSED && worst == FACT_STORED)
			refuse_fact(sender, &facts[i],
						PQresultErrorField(error, PG_DIAG_SQLSTATE),
						PQresultErrorField(error, PG_DIAG_MESSAGE_PRIMARY));
		else if (verdict != FACT_REFUSED)
		{
			const char *message = error == NULL ? NULL :
				PQresultErrorField(error, PG_DIAG_MESSAGE_PRIMARY);

			if (worst == FACT_STORED)
				set_problem(sender, message == NULL ?
							psprintf("the connection to %s is lost",
									 sender->target->label) :
							psprintf("%s says: %s", sender->target->label,
									 message));
			worst = Max(worst, verdict);
		}
		PQclear(error);
		if (PQstatus(sender->connection) != CONNECTION_OK)
			break;
	}
	spool_remove(sender->spool, done, stored);
	/* Read by sender_finish() in another thread */
	pthread_mutex_lock(&sender->mutex);
	sender->n_sent += stored;
	pthread_mutex_unlock(&sender->mutex);
	if (sent < n && PQstatus(sender->connection) != CONNECTION_OK)
		worst = Max(worst, FACT_RETRY);
	if (PQstatus(sender->connection) != CONNECTION_OK
		|| !PQexitPipelineMode(sender->connection))
		sender_close(sender);
	return worst;
}

/* Send some of what waits of the sender's run. */
SendResult
send_facts(Sender *sender)
{
	Fact		facts[WINDOW];
	int			n = spool_read(sender->spool, sender->run, WINDOW, facts);
	int			window = n;
	SendResult	result;

	if (n == 0)
		return SENT_ALL;
	result = connect_sender(sender);
	/* What follows a start is nothing without it */
	if (n > 0 && strcmp(facts[0].kind, FACT_START) == 0)
		window = 1;
	if (result == SENT_SOME)
	{
		switch (send_window(sender, facts, window))
		{
			case FACT_STORED:
			case FACT_REFUSED:
				break;
			case FACT_RETRY:
				result = SEND_LATER;
				break;
			case FACT_STUCK:
				result = SEND_STUCK;
				break;
		}
	}
	for (int i = 0; i < n; i++)
		pg_free(facts[i].body);
	return result;
}

/* The thread -------------------------------------------------------------- */

static void
give_sign_of_life(Sender *sender)
{
	const char *values[] = {sender->run};

	if (sender->connection != NULL || connect_sender(sender) == SENT_SOME)
	{
		PGresult   *result = PQexecParams(sender->connection,
										  "SELECT "
										  "mlmeta.heartbeat($1::mlmeta.run)",
										  1, NULL, values, NULL, NULL, 0);

		PQclear(result);
		if (PQstatus(sender->connection) != CONNECTION_OK)
			sender_close(sender);
	}
}

/* Wait until woken, or for so long; the mutex is held. */
static void
wait_seconds(Sender *sender, double seconds)
{
	struct timespec until;
	int64		us = now_us() + (int64) (seconds * 1000000);

	until.tv_sec = us / 1000000;
	until.tv_nsec = us % 1000000 * 1000;
	pthread_cond_timedwait(&sender->changed, &sender->mutex, &until);
}

static void *
sender_thread(void *argument)
{
	Sender	   *sender = argument;
	double		pause = FIRST_PAUSE;
	double		heartbeat = 0;
	bool		last_try = false;
	pg_prng_state random;

	pg_prng_seed(&random, (uint64) now_us() ^ (uint64) getpid());
	for (;;)
	{
		SendResult	result = spool_lock(sender->spool, sender->run) ?
			send_facts(sender) : SENT_ALL;

		pthread_mutex_lock(&sender->mutex);
		if (result == SENT_SOME)
			pause = FIRST_PAUSE;
		else if (result == SENT_ALL)
		{
			pause = FIRST_PAUSE;
			if (sender->stop
				&& spool_count(sender->spool, sender->run) == 0)
			{
				sender->delivered = true;
				break;
			}
			if (!sender->stop && sender->heartbeats
				&& monotonic_seconds() > heartbeat)
			{
				heartbeat = monotonic_seconds() + HEARTBEAT;
				pthread_mutex_unlock(&sender->mutex);
				give_sign_of_life(sender);
				continue;
			}
			wait_seconds(sender, sender->stop ? 0.05 : IDLE);
		}
		else
		{
			/* When the end is near there is no time to be polite */
			if (sender->stop && last_try && result == SEND_STUCK)
				break;
			last_try = sender->stop;
			wait_seconds(sender, sender->stop ? 0.2 :
						 pause * (0.5 + pg_prng_double(&random)));
			pause = Min(2 * pause, LONGEST_PAUSE);
		}
		pthread_mutex_unlock(&sender->mutex);
	}
	sender->done = true;
	pthread_cond_broadcast(&sender->changed);
	pthread_mutex_unlock(&sender->mutex);
	return NULL;
}

/*
 * Send a run's facts beside what else this process does, as they come.
 */
Sender *
sender_start(const Target *target, const Spool *spool, const char *run,
			 bool owns_run, bool heartbeats)
{
	Sender	   *sender = pg_malloc(sizeof(Sender));
	sigset_t	all;
	sigset_t	before;

	sender_init(sender, target, spool_open_reader(spool), run);
	sender->owns_run = owns_run;
	sender->heartbeats = heartbeats;
	/* Signals are for the thread that waits for the child */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&sender->thread, NULL, sender_thread, sender) != 0)
		pg_fatal("a thread cannot be started");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return sender;
}

/* There is something new in the spool. */
void
sender_wake(Sender *sender)
{
	pthread_mutex_lock(&sender->mutex);
	pthread_cond_broadcast(&sender->changed);
	pthread_mutex_unlock(&sender->mutex);
}

/*
 * Wait until all is with the server, and no longer than for so many seconds
 * in which nothing gets there; whether it is. The thread may be left at work
 * in something that does not end: the caller is about to exit, and what it
 * has not finished is in the spool.
 */
bool
sender_finish(Sender *sender, double seconds)
{
	double		deadline = monotonic_seconds() + seconds;
	int64		before = sender->n_sent;
	bool		delivered;

	pthread_mutex_lock(&sender->mutex);
	sender->stop = true;
	pthread_cond_broadcast(&sender->changed);
	while (!sender->done && monotonic_seconds() < deadline)
	{
		double		left = deadline - monotonic_seconds();

		wait_seconds(sender, Max(Min(left, 0.5), 0.001));
		if (sender->n_sent != before)
			deadline = monotonic_seconds() + seconds;
		before = sender->n_sent;
	}
	delivered = sender->delivered;
	if (sender->done)
	{
		pthread_mutex_unlock(&sender->mutex);
		pthread_join(sender->thread, NULL);
		sender_close(sender);
		spool_close(sender->spool);
		return delivered;
	}
	pthread_mutex_unlock(&sender->mutex);
	return delivered;
}
