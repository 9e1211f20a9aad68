/*-------------------------------------------------------------------------
 *
 * statistics.c
 *		What the gateway tells of itself: /metrics and the access log.
 *
 *-------------------------------------------------------------------------
 */
#include "serve.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static FILE *access_log = NULL;

/* Upper bounds of the histogram of durations, in microseconds */
static const int64 bounds[] = {1000, 2500, 5000, 10000, 25000, 50000, 100000,
250000, 500000, 1000000, 2500000, 5000000, 10000000};
static const char *const bound_names[] = {"0.001", "0.0025", "0.005", "0.01",
	"0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10"};

static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE",
"other"};

static int64 requests[lengthof(methods)][6];
static int64 durations[lengthof(bounds) + 1];
static int64 duration_sum = 0;
static int64 bytes_received = 0;
static int64 bytes_sent = 0;
static int64 logins[LOGIN_NO_SERVER + 1];
static int	links_open = 0;

void
count_login(LoginFailure outcome)
{
	pthread_mutex_lock(&lock);
	logins[outcome]++;
	pthread_mutex_unlock(&lock);
}

void
count_links(int links)
{
	__atomic_store_n(&links_open, links, __ATOMIC_RELAXED);
}

void
count_request(const Request *request)
{
	int64		took = now_us() - request->begun;
	int			method = 0;
	int			bucket = 0;
	int			class = request->status / 100;

	while (method < lengthof(methods) - 1
		   && strcmp(request->method, methods[method]) != 0)
		method++;
	while (bucket < lengthof(bounds) && took > bounds[bucket])
		bucket++;
	pthread_mutex_lock(&lock);
	requests[method][class >= 1 && class <= 5 ? class : 0]++;
	durations[bucket]++;
	duration_sum += took;
	bytes_received += request->received;
	bytes_sent += request->sent;
	pthread_mutex_unlock(&lock);
}

/* All figures in Prometheus' text format; the caller frees them. */
char *
metrics_text(size_t *size)
{
	static const char *const outcomes[] = {"accepted", "refused", "busy",
	"no_server"};
	PQExpBufferData text;
	int64		sum = 0;

	initPQExpBuffer(&text);
	pthread_mutex_lock(&lock);
	appendPQExpBufferStr(&text, "# HELP mlmeta_requests_total Requests answered, by method and class of status.\n"
						 "# TYPE mlmeta_requests_total counter\n");
	for (int m = 0; m < lengthof(methods); m++)
	{
		for (int c = 0; c < 6; c++)
		{
			if (requests[m][c] == 0)
				continue;
			appendPQExpBuffer(&text, "mlmeta_requests_total{method=\"%s\",status=\"%s\"} " INT64_FORMAT "\n",
							  methods[m], c == 0 ? "none" :
							  (const char *[]) {"", "1xx", "2xx", "3xx", "4xx", "5xx"}[c],
							  requests[m][c]);
		}
	}
	appendPQExpBufferStr(&text, "# HELP mlmeta_request_seconds Time from a request's first line to its answer's last byte.\n"
						 "# TYPE mlmeta_request_seconds histogram\n");
	for (int b = 0; b < lengthof(bounds); b++)
	{
		sum += durations[b];
		appendPQExpBuffer(&text, "mlmeta_request_seconds_bucket{le=\"%s\"} " INT64_FORMAT "\n",
						  bound_names[b], sum);
	}
	sum += durations[lengthof(bounds)];
	appendPQExpBuffer(&text, "mlmeta_request_seconds_bucket{le=\"+Inf\"} " INT64_FORMAT "\n"
					  "mlmeta_request_seconds_sum %.6f\n"
					  "mlmeta_request_seconds_count " INT64_FORMAT "\n",
					  sum, duration_sum / 1e6, sum);
	appendPQExpBuffer(&text, "# HELP mlmeta_received_bytes_total Bytes of bodies received.\n"
					  "# TYPE mlmeta_received_bytes_total counter\n"
					  "mlmeta_received_bytes_total " INT64_FORMAT "\n"
					  "# HELP mlmeta_sent_bytes_total Bytes of bodies sent.\n"
					  "# TYPE mlmeta_sent_bytes_total counter\n"
					  "mlmeta_sent_bytes_total " INT64_FORMAT "\n",
					  bytes_received, bytes_sent);
	appendPQExpBufferStr(&text, "# HELP mlmeta_logins_total Logins to the database, by outcome.\n"
						 "# TYPE mlmeta_logins_total counter\n");
	for (int i = 0; i < lengthof(outcomes); i++)
		appendPQExpBuffer(&text, "mlmeta_logins_total{outcome=\"%s\"} " INT64_FORMAT "\n",
						  outcomes[i], logins[i]);
	pthread_mutex_unlock(&lock);
	appendPQExpBuffer(&text, "# HELP mlmeta_database_connections Connections to the database that are open.\n"
					  "# TYPE mlmeta_database_connections gauge\n"
					  "mlmeta_database_connections %d\n"
					  "# HELP mlmeta_requests_under_way Requests that are not answered yet.\n"
					  "# TYPE mlmeta_requests_under_way gauge\n"
					  "mlmeta_requests_under_way %d\n",
					  __atomic_load_n(&links_open, __ATOMIC_RELAXED),
					  requests_under_way());
	*size = text.len;
	return text.data;
}

/* Open the access log, or open it again after it was moved away. */
void
open_access_log(void)
{
	FILE	   *file;

	if (settings.access_log == NULL)
		return;
	file = strcmp(settings.access_log, "-") == 0 ? stdout :
		fopen(settings.access_log, "ae");
	if (file == NULL)
		pg_log_error("could not open \"%s\": %m", settings.access_log);
	else
	{
		setvbuf(file, NULL, _IOLBF, 0);
		pthread_mutex_lock(&lock);
		if (access_log != NULL && access_log != stdout)
			fclose(access_log);
		access_log = file;
		pthread_mutex_unlock(&lock);
	}
}

static void
address_of(const Request *request, char *text, size_t size)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection,
								MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	*text = '\0';
	if (info == NULL || info->client_addr == NULL)
		return;
	if (info->client_addr->sa_family == AF_INET)
		inet_ntop(AF_INET, &((struct sockaddr_in *) info->client_addr)->sin_addr,
				  text, size);
	else if (info->client_addr->sa_family == AF_INET6)
		inet_ntop(AF_INET6,
				  &((struct sockaddr_in6 *) info->client_addr)->sin6_addr,
				  text, size);
}

/* One line of JSON for a request that has been answered */
void
log_request(const Request *request)
{
	char		address[INET6_ADDRSTRLEN];
	const char *agent = header_of(unconstify(Request *, request),
								  "User-Agent");
	char	   *path;
	char	   *agent_text;
	char	   *user;
	json_t	   *line;
	char	   *text;
	char	   *at;

	if (access_log == NULL)
		return;
	address_of(request, address, sizeof(address));
	path = make_utf8(request->path, strlen(request->path));
	agent_text = make_utf8(agent == NULL ? "" : agent,
						   agent == NULL ? 0 : strlen(agent));
	user = make_utf8(request->identity.user, strlen(request->identity.user));
	at = time_text(request->begun);
	line = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:I, s:I, s:f, s:s}",
					 "at", at, "client", address,
					 "user", user,
					 "method", request->method, "path", path,
					 "status", request->status,
					 "received", (json_int_t) request->received,
					 "sent", (json_int_t) request->sent,
					 "ms", (now_us() - request->begun) / 1000.0,
					 "agent", agent_text);
	text = line == NULL ? NULL : json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(6));
	if (text != NULL)
	{
		pthread_mutex_lock(&lock);
		fprintf(access_log, "%s\n", text);
		pthread_mutex_unlock(&lock);
	}
	free(text);
	json_decref(line);
	free(at);
	free(path);
	free(user);
	free(agent_text);
}
