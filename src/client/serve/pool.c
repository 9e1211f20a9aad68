/*-------------------------------------------------------------------------
 *
 * pool.c
 *		Connections to the database, each of one person.
 *
 * A connection is found again by a salted digest of name and password, so that
 * a wrong password never meets a connection that a right one has opened. Each
 * lives for a minute after its login: a password that was changed or has
 * expired is worth nothing after that. Nobody ever changes the role of one.
 *
 *-------------------------------------------------------------------------
 */
#include "serve.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

/* Microseconds that a login is good for */
#define LOGIN_LIFE	INT64CONST(60000000)
/* Seconds to wait for a connection that others of the same person have */
#define LINK_WAIT	20

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t given = PTHREAD_COND_INITIALIZER;
static Link *idle = NULL;

/* How many connections each person has, idle or not */
typedef struct Holder
{
	unsigned char key[KEY_SIZE];
	int			links;
	struct Holder *next;
} Holder;

static Holder *holders = NULL;
static int	n_links = 0;

static Holder *
holder_of(const unsigned char *key)
{
	Holder	   *holder;

	for (holder = holders; holder != NULL; holder = holder->next)
	{
		if (memcmp(holder->key, key, KEY_SIZE) == 0)
			return holder;
	}
	holder = pg_malloc0(sizeof(Holder));
	memcpy(holder->key, key, KEY_SIZE);
	holder->next = holders;
	holders = holder;
	return holder;
}

static void
release_holder(const unsigned char *key)
{
	Holder	  **at = &holders;

	while (*at != NULL && memcmp((*at)->key, key, KEY_SIZE) != 0)
		at = &(*at)->next;
	n_links--;
	count_links(n_links);
	if (*at != NULL && --(*at)->links == 0)
	{
		Holder	   *gone = *at;

		*at = gone->next;
		free(gone);
	}
}

static void
silence(void *nothing, const PGresult *result)
{
}

/*
 * What libpq says about a failed login holds the SQLSTATE, in whatever
 * language: "FATAL:  28P01: ...". The last one counts; "" for none.
 */
static void
sqlstate_of(const char *message, char *state)
{
	*state = '\0';
	for (const char *c = strstr(message, ":  "); c != NULL;
		 c = strstr(c + 3, ":  "))
	{
		if (strspn(c + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5)
			strlcpy(state, c + 3, 6);
	}
}

/*
 * Connect as a role; password NULL: as the gateway itself would, with what
 * its environment says.
 */
static PGconn *
connect_as(const char *user, const char *password)
{
	const char *keywords[64];
	const char *values[64];
	int			n = 0;
	PGconn	   *connection;
	PostgresPollingStatusType state = PGRES_POLLING_WRITING;
	int64		deadline = now_us() + INT64CONST(10000000);

	for (const PQconninfoOption *o = settings.target->options;
		 o->keyword != NULL; o++)
	{
		if (o->val == NULL || n >= lengthof(keywords) - 8
			|| strcmp(o->keyword, "user") == 0
			|| strcmp(o->keyword, "client_encoding") == 0
			|| strcmp(o->keyword, "fallback_application_name") == 0)
			continue;
		if (password != NULL && (strcmp(o->keyword, "password") == 0
								 || strcmp(o->keyword, "passfile") == 0
								 || strcmp(o->keyword, "sslcert") == 0
								 || strcmp(o->keyword, "sslkey") == 0))
			continue;
		keywords[n] = o->keyword;
		values[n++] = o->val;
	}
	keywords[n] = "user";
	values[n++] = user;
	if (password != NULL)
	{
		/* nobody's password but his: no file, no certificate of ours */
		keywords[n] = "password";
		values[n++] = password;
		keywords[n] = "passfile";
		values[n++] = "/dev/null";
		keywords[n] = "sslcert";
		values[n++] = "/dev/null/none";
	}
	keywords[n] = "client_encoding";
	values[n++] = "UTF8";
	keywords[n] = "fallback_application_name";
	values[n++] = "mlmeta serve";
	keywords[n] = NULL;
	values[n] = NULL;

	connection = PQconnectStartParams(keywords, values, false);
	if (connection == NULL)
		return NULL;
	PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);
	while (PQstatus(connection) != CONNECTION_BAD)
	{
		struct pollfd wait = {.fd = PQsocket(connection)};

		if (state == PGRES_POLLING_OK || state == PGRES_POLLING_FAILED)
			break;
		wait.events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
		if (poll(&wait, 1, 100) == 0 && now_us() < deadline)
			continue;
		if (now_us() > deadline)
			break;
		state = PQconnectPoll(connection);
	}
	return connection;
}

/*
 * Open a connection of a person. Tells apart who is refused from what the
 * server cannot do now.
 */
static PGconn *
login(const Identity *identity, LoginFailure *failure, char **problem)
{
	PGconn	   *connection = connect_as(identity->user, identity->anonymous ?
										NULL : identity->password);
	PGresult   *result;
	char		state[6];
	char		command[128];

	*failure = LOGIN_NO_SERVER;
	if (connection == NULL || PQstatus(connection) != CONNECTION_OK)
	{
		const char *message = connection == NULL ? "out of memory" :
			PQerrorMessage(connection);

		sqlstate_of(message, state);
		/* 28: not authenticated; 42501: may not connect; 3D000 is ours */
		if (strncmp(state, "28", 2) == 0 || strcmp(state, "42501") == 0)
			*failure = LOGIN_REFUSED;
		/* no password where one is asked for comes from libpq itself */
		else if (connection != NULL && PQconnectionNeedsPassword(connection))
			*failure = LOGIN_REFUSED;
		*problem = pg_strdup(*message == '\0' ? "the server does not answer" :
							 message);
		PQfinish(connection);
		return NULL;
	}
	if (!identity->anonymous && !PQconnectionUsedPassword(connection))
	{
		/* else anybody could be anybody, by any password */
		*failure = LOGIN_REFUSED;
		*problem = psprintf("the database let \"%s\" in without asking for the password; pg_hba.conf must ask for one (scram-sha-256) where the gateway connects from",
							identity->user);
		pg_log_warning("%s", *problem);
		PQfinish(connection);
		return NULL;
	}
	PQsetNoticeReceiver(connection, silence, NULL);
	PQsetErrorVerbosity(connection, PQERRORS_DEFAULT);
	snprintf(command, sizeof(command),
			 "SET statement_timeout = '%ds'; SET idle_in_transaction_session_timeout = '60s'",
			 settings.statement_timeout);
	result = PQexec(connection, command);
	if (PQresultStatus(result) == PGRES_COMMAND_OK)
	{
		PQclear(result);
		result = PQprepare(connection, "request",
						   "SELECT status, headers::text, body FROM mlmeta.http_request($1, $2, $3::text::jsonb, $4::text::jsonb, $5)",
						   5, (Oid[]) {25, 25, 25, 25, 17});
	}
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
	{
		const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);

		*problem = pg_strdup(PQresultErrorMessage(result));
		/* a role without rights on the schema, or no extension here */
		if (code != NULL && strcmp(code, "42501") == 0)
			*failure = LOGIN_REFUSED;
		PQclear(result);
		PQfinish(connection);
		return NULL;
	}
	PQclear(result);
	*failure = LOGIN_OK;
	return connection;
}

/*
 * Whether the server has not closed it while it was idle. It says nothing then
 * but that it ends.
 */
static bool
is_alive(PGconn *connection)
{
	struct pollfd wait = {.fd = PQsocket(connection),.events = POLLIN};

	return poll(&wait, 1, 0) == 0
		&& PQtransactionStatus(connection) == PQTRANS_IDLE;
}

/*
 * A connection of a person: one that is idle and young enough, or a new one.
 * NULL, and why, in memory that the caller frees.
 */
Link *
take_link(const Identity *identity, LoginFailure *failure, char **problem)
{
	Link	   *link = NULL;
	PGconn	   *connection;
	struct timespec until;

	*failure = LOGIN_OK;
	*problem = NULL;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += LINK_WAIT;

	pthread_mutex_lock(&lock);
	for (;;)
	{
		Link	  **at = &idle;
		Holder	   *holder;

		while (*at != NULL && memcmp((*at)->key, identity->key, KEY_SIZE) != 0)
			at = &(*at)->next;
		if (*at != NULL)
		{
			link = *at;
			*at = link->next;
			if (link->logged_in + LOGIN_LIFE > now_us()
				&& is_alive(link->connection))
			{
				pthread_mutex_unlock(&lock);
				return link;
			}
			release_holder(link->key);
			PQfinish(link->connection);
			free(link);
			continue;
		}
		holder = holder_of(identity->key);
		if (holder->links < settings.connections)
		{
			holder->links++;
			n_links++;
			count_links(n_links);
			break;
		}
		if (pthread_cond_timedwait(&given, &lock, &until) == ETIMEDOUT)
		{
			pthread_mutex_unlock(&lock);
			*failure = LOGIN_BUSY;
			*problem = psprintf("all %d connections of \"%s\" are busy",
								settings.connections, identity->user);
			return NULL;
		}
	}
	pthread_mutex_unlock(&lock);

	connection = login(identity, failure, problem);
	count_login(*failure);
	if (connection == NULL)
	{
		pthread_mutex_lock(&lock);
		release_holder(identity->key);
		pthread_cond_broadcast(&given);
		pthread_mutex_unlock(&lock);
		return NULL;
	}
	link = pg_malloc0(sizeof(Link));
	link->connection = connection;
	link->logged_in = now_us();
	memcpy(link->key, identity->key, KEY_SIZE);
	return link;
}

/* Give a connection back; one that is not as new is closed. */
void
give_link(Link *link, bool reusable)
{
	bool		keep = reusable && PQstatus(link->connection) == CONNECTION_OK
		&& PQtransactionStatus(link->connection) == PQTRANS_IDLE
		&& link->logged_in + LOGIN_LIFE > now_us();

	pthread_mutex_lock(&lock);
	if (keep)
	{
		link->next = idle;
		idle = link;
	}
	else
		release_holder(link->key);
	pthread_cond_broadcast(&given);
	pthread_mutex_unlock(&lock);
	if (!keep)
	{
		PQfinish(link->connection);
		free(link);
	}
}

/* Close what is idle and too old; called once a second. */
void
sweep_pool(void)
{
	Link	   *gone = NULL;
	Link	  **at = &idle;

	pthread_mutex_lock(&lock);
	while (*at != NULL)
	{
		Link	   *link = *at;

		if (link->logged_in + LOGIN_LIFE > now_us())
		{
			at = &link->next;
			continue;
		}
		*at = link->next;
		release_holder(link->key);
		link->next = gone;
		gone = link;
	}
	pthread_mutex_unlock(&lock);
	while (gone != NULL)
	{
		Link	   *link = gone;

		gone = link->next;
		PQfinish(link->connection);
		free(link);
	}
}

/* When nobody works any more */
void
stop_pool(void)
{
	while (idle != NULL)
	{
		Link	   *link = idle;

		idle = link->next;
		release_holder(link->key);
		PQfinish(link->connection);
		free(link);
	}
}

/* A connection of the gateway's own user; NULL, and why */
PGconn *
own_connection(char **problem)
{
	return try_connect(settings.target, true, problem);
}
