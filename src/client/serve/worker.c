/*-------------------------------------------------------------------------
 *
 * worker.c
 *		The threads that wait for the database, and the queue before them.
 *
 *-------------------------------------------------------------------------
 */
#include "serve.h"

#include <errno.h>

/* Microseconds that a failed login waits for its answer */
#define REFUSAL_DELAY	INT64CONST(1000000)
/* How often a request is repeated that the database could not serialize */
#define MOST_TRIES		5

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER;
static Request *first = NULL;
static Request **last = &first;
static Request *delayed = NULL;
static bool ending = false;
static pthread_t *threads = NULL;
static pthread_t keeper;

void
enqueue_request(Request *request)
{
	request->next = NULL;
	pthread_mutex_lock(&lock);
	if (ending)
	{
		/* the grace is over, and nobody works any more */
		pthread_mutex_unlock(&lock);
		answer_error(request, MHD_HTTP_SERVICE_UNAVAILABLE,
					 "TEMPORARILY_UNAVAILABLE", "the gateway is stopping");
		resume_request(request);
		return;
	}
	*last = request;
	last = &request->next;
	pthread_cond_signal(&arrived);
	pthread_mutex_unlock(&lock);
}

/*
 * Answer later. Costs no thread, and there are never more of them than
 * connections of clients.
 */
void
enqueue_delayed(Request *request)
{
	request->due = now_us() + REFUSAL_DELAY;
	pthread_mutex_lock(&lock);
	request->next = delayed;
	delayed = request;
	pthread_mutex_unlock(&lock);
}

/*
 * What went wrong around http_request(), which answers for all else: the
 * arguments were no text, the session was ended, the server went away.
 */
static void
answer_failure(Request *request, const PGresult *result,
			   const PGconn *connection)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (state == NULL)
		state = "";
	if (message == NULL)
		message = PQerrorMessage(connection);
	if (strncmp(state, "22", 2) == 0)
		answer_error(request, MHD_HTTP_BAD_REQUEST, "INVALID_PARAMETER_VALUE",
					 message);
	else if (strcmp(state, "54000") == 0)
		answer_error(request, MHD_HTTP_BAD_REQUEST, "INVALID_PARAMETER_VALUE",
					 message);
	else if (strcmp(state, "42501") == 0)
		answer_error(request, MHD_HTTP_FORBIDDEN, "PERMISSION_DENIED",
					 message);
	else
	{
		pg_log_error("%s %s: %s", request->method, request->path, message);
		answer_error(request, MHD_HTTP_SERVICE_UNAVAILABLE,
					 "TEMPORARILY_UNAVAILABLE",
					 "the database did not answer; the request may be repeated");
	}
}

/* Whether the answer asks to be fetched once more */
static bool
asks_again(const PGresult *result)
{
	static const char mark[] = "\"x-mlmeta-again\"";

	return memmem(PQgetvalue(result, 0, 1), PQgetlength(result, 0, 1), mark,
				  sizeof(mark) - 1) != NULL;
}

/* Send a request to the database, and answer with what it says. */
static void
ask_database(Request *request, PGconn *connection)
{
	json_t	   *query = query_of(request);
	json_t	   *headers = headers_of(request);
	char	   *texts[2] = {dump_json(query), dump_json(headers)};
	char	   *path = make_utf8(request->path, strlen(request->path));
	const char *values[5] = {request->method, path, texts[0], texts[1],
	request->body == NULL ? "" : request->body};
	int			lengths[5] = {0, 0, 0, 0, (int) request->size};
	static const int formats[5] = {0, 0, 0, 0, 1};

	for (int try = 1; request->response == NULL; try++)
	{
		PGresult   *result = PQexecPrepared(connection, "request", 5, values,
											lengths, formats, 1);

		if (PQresultStatus(result) != PGRES_TUPLES_OK
			|| PQntuples(result) != 1)
			answer_failure(request, result, connection);
		else if (try >= MOST_TRIES || !asks_again(result))
			answer_result(request, result);
		else
			pg_usleep(try * 5000L + now_us() % 5000);
		PQclear(result);
	}
	json_decref(query);
	json_decref(headers);
	free(texts[0]);
	free(texts[1]);
	free(path);
}

/* A file is whole: put it where it stays. False: an answer is there. */
static bool
keep_file(Request *request)
{
	if (finish_upload(request->upload))
		return true;
	errno = request->upload->error;
	pg_log_error("a file could not be stored: %m");
	answer_error(request, MHD_HTTP_SERVICE_UNAVAILABLE,
				 "TEMPORARILY_UNAVAILABLE",
				 errno == ENOSPC || errno == EDQUOT ?
				 "the disk of the artifact store is full; nothing was stored" :
				 "the artifact store does not take the file; nothing was stored");
	return false;
}

static void
answer_health(Request *request)
{
	const char *keywords[] = {"host", "hostaddr", "port", "dbname",
	"connect_timeout", NULL};
	const char *values[] = {target_value(settings.target, "host"),
		target_value(settings.target, "hostaddr"),
	target_value(settings.target, "port"), "postgres", "3", NULL};

	if (PQpingParams(keywords, values, 0) == PQPING_OK)
		answer_bytes(request, MHD_HTTP_OK, pg_strdup("OK"), 2,
					 "text/plain; charset=utf-8");
	else
		answer_error(request, MHD_HTTP_SERVICE_UNAVAILABLE,
					 "TEMPORARILY_UNAVAILABLE",
					 "the database does not accept connections");
}

/* Answer a request. False: its answer has to wait. */
static bool
work(Request *request)
{
	LoginFailure failure;
	char	   *problem;
	Link	   *link;

	if (strcmp(request->path, "/health") == 0)
	{
		answer_health(request);
		return true;
	}
	/* Who may not come in shall not fill the disk either. */
	link = take_link(&request->identity, &failure, &problem);
	if (link == NULL)
	{
		if (failure == LOGIN_REFUSED)
			answer_error(request, MHD_HTTP_UNAUTHORIZED, "UNAUTHENTICATED",
						 "the database refused the login");
		else
			answer_error(request, MHD_HTTP_SERVICE_UNAVAILABLE,
						 "TEMPORARILY_UNAVAILABLE", failure == LOGIN_BUSY ?
						 problem : "the database cannot be reached");
		if (failure == LOGIN_NO_SERVER)
		{
			pg_strip_crlf(problem);
			pg_log_error("%s", problem);
		}
		free(problem);
		return failure != LOGIN_REFUSED;
	}
	if (request->upload == NULL || keep_file(request))
		ask_database(request, link->connection);
	give_link(link, true);
	return true;
}

static void *
work_on(void *nothing)
{
	for (;;)
	{
		Request    *request;

		pthread_mutex_lock(&lock);
		while (first == NULL && !ending)
			pthread_cond_wait(&arrived, &lock);
		request = first;
		if (request == NULL)
		{
			pthread_mutex_unlock(&lock);
			return NULL;
		}
		first = request->next;
		if (first == NULL)
			last = &first;
		pthread_mutex_unlock(&lock);
		if (work(request))
			resume_request(request);
		else
			enqueue_delayed(request);
	}
}

/* Once in a while: answers that are due, connections that are old */
static void *
keep_house(void *nothing)
{
	for (int tick = 0;; tick++)
	{
		Request   **at = &delayed;
		bool		over;

		pg_usleep(50000);
		pthread_mutex_lock(&lock);
		while (*at != NULL)
		{
			Request    *request = *at;

			if (request->due > now_us() && !ending)
			{
				at = &request->next;
				continue;
			}
			*at = request->next;
			resume_request(request);
		}
		over = ending;
		pthread_mutex_unlock(&lock);
		if (over)
			return NULL;
		if (tick % 20 == 0)
		{
			sweep_pool();
			end_silent_clients();
		}
	}
}

void
start_workers(void)
{
	threads = pg_malloc0(sizeof(pthread_t) * settings.workers);
	for (int i = 0; i < settings.workers; i++)
	{
		if (pthread_create(&threads[i], NULL, work_on, NULL) != 0)
			pg_fatal("could not start a thread: %m");
	}
	if (pthread_create(&keeper, NULL, keep_house, NULL) != 0)
		pg_fatal("could not start a thread: %m");
}

/* When nothing comes in any more; what is queued is still answered. */
void
stop_workers(void)
{
	pthread_mutex_lock(&lock);
	ending = true;
	pthread_cond_broadcast(&arrived);
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < settings.workers; i++)
		pthread_join(threads[i], NULL);
	pthread_join(keeper, NULL);
	free(threads);
}
