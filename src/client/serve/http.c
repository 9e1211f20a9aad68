/*-------------------------------------------------------------------------
 *
 * http.c
 *		Requests as libmicrohttpd hands them over, up to when they are whole.
 *
 * A body stays in memory up to --max-body; that of a PUT is a file and goes
 * straight into the store. Then the connection sleeps until a worker has the
 * answer: a thread here never waits for the database.
 *
 *-------------------------------------------------------------------------
 */
#include "serve.h"

#include <errno.h>
#include <sys/socket.h>

/* Bodies in memory at one time, all together */
#define MEMORY_LIMIT	(INT64CONST(1) << 30)
/* What is too much by less than that is still read, so that a client that only
 * listens when it has sent all hears the answer */
#define SPARE_BYTES	(INT64CONST(64) << 20)
/* Seconds after which a body must come at a kilobyte a second at least */
#define SLOW_GRACE		60
/* Seconds in which a connection must bring the first line and all headers */
#define HEADER_TIME		150

static int64 memory_used = 0;
static int	under_way = 0;

/* A client's connection, for those that are silent */
typedef struct Client
{
	struct MHD_Connection *connection;
	int			socket;
	int64		since;			/* when it was last seen to send a request */
	bool		busy;
	struct Client *next;
	struct Client **at;
} Client;

static pthread_mutex_t clients_lock = PTHREAD_MUTEX_INITIALIZER;
static Client *clients = NULL;

int
requests_under_way(void)
{
	return __atomic_load_n(&under_way, __ATOMIC_RELAXED);
}

const char *
header_of(Request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
									   name);
}

void
add_header(Request *request, const char *name, const char *value)
{
	if (request->response != NULL)
		MHD_add_response_header(request->response, name, value);
}

/* Answer with bytes, which are freed with the answer. */
void
answer_bytes(Request *request, int status, char *bytes, size_t size,
			 const char *type)
{
	if (request->response != NULL)
		MHD_destroy_response(request->response);
	request->response = MHD_create_response_from_buffer(size,
														bytes == NULL ? "" : bytes,
														bytes == NULL ? MHD_RESPMEM_PERSISTENT :
														MHD_RESPMEM_MUST_FREE);
	request->status = status;
	request->sent = request->head ? 0 : size;
	if (type != NULL)
		add_header(request, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	add_header(request, "X-Content-Type-Options", "nosniff");
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		add_header(request, MHD_HTTP_HEADER_RETRY_AFTER, "2");
	if (status == MHD_HTTP_UNAUTHORIZED)
		add_header(request, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
				   "Basic realm=\"mlmeta\", charset=\"UTF-8\"");
}

/* Answer that something went wrong before or around the database */
void
answer_error(Request *request, int status, const char *code,
			 const char *message)
{
	char	   *text = make_utf8(message, strlen(message));
	json_t	   *json = json_pack("{s:s, s:s}", "error_code", code, "message",
								 text);
	char	   *bytes = json_dumps(json, 0);

	answer_bytes(request, status, bytes, strlen(bytes), "application/json");
	json_decref(json);
	free(text);
}

/* The connection goes on: its answer is there. */
void
resume_request(Request *request)
{
	MHD_resume_connection(request->connection);
}

static enum MHD_Result
send_answer(Request *request)
{
	enum MHD_Result result;

	add_cors(request);
	if (stopping)
		add_header(request, MHD_HTTP_HEADER_CONNECTION, "close");
	result = MHD_queue_response(request->connection, request->status,
								request->response);
	MHD_destroy_response(request->response);
	request->response = NULL;
	return result;
}

/* What the gateway answers by itself; false: what the database must answer */
static bool
is_ours(Request *request)
{
	size_t		size;
	char	   *text;

	if (strcmp(request->path, "/metrics") == 0
		&& strcmp(request->method, "GET") == 0)
	{
		text = metrics_text(&size);
		answer_bytes(request, MHD_HTTP_OK, text, size,
					 "text/plain; version=0.0.4; charset=utf-8");
		return true;
	}
	return is_preflight(request);
}

/* The path below the prefix; NULL: it is not below it */
static char *
path_of(const char *url)
{
	size_t		size = strlen(settings.prefix);

	if (strncmp(url, settings.prefix, size) != 0
		|| (url[size] != '/' && url[size] != '\0'))
		return NULL;
	return pg_strdup(url[size] == '\0' ? "/" : url + size);
}

static const char *
too_large(bool is_file)
{
	return is_file ? "the file is larger than --max-file allows" :
		"the body is larger than --max-body allows";
}

/*
 * Look at a request's head. True: go on with its body; false: an answer is
 * there already.
 */
static bool
accept_head(Request *request)
{
	const char *problem = NULL;
	const char *length = header_of(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
	const char *coding = header_of(request, MHD_HTTP_HEADER_CONTENT_ENCODING);
	bool		is_file = strcmp(request->method, "PUT") == 0;
	int64		limit = is_file ? settings.max_file : settings.max_body;

	if (stopping)
		answer_error(request, MHD_HTTP_SERVICE_UNAVAILABLE,
					 "TEMPORARILY_UNAVAILABLE", "the gateway is stopping");
	else if (request->path == NULL)
	{
		request->path = pg_strdup("");
		answer_error(request, MHD_HTTP_NOT_FOUND, "ENDPOINT_NOT_FOUND",
					 "nothing is served outside of the path prefix");
	}
	else if (!may_call(request, &problem))
		answer_error(request, MHD_HTTP_FORBIDDEN, "PERMISSION_DENIED",
					 problem);
	else if (is_ours(request))
		return false;
	else if (length != NULL && strtoll(length, NULL, 10) > limit + SPARE_BYTES)
		answer_error(request, MHD_HTTP_CONTENT_TOO_LARGE, "BAD_REQUEST",
					 too_large(is_file));
	else if (coding != NULL && pg_strcasecmp(coding, "identity") != 0
			 && pg_strcasecmp(coding, "gzip") != 0
			 && pg_strcasecmp(coding, "x-gzip") != 0)
		answer_error(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "BAD_REQUEST",
					 "the content encoding is not known; use gzip or none");
	else if (is_file && settings.artifacts == NULL)
		answer_error(request, MHD_HTTP_NOT_IMPLEMENTED, "NOT_IMPLEMENTED",
					 "this gateway keeps no files; start it with --artifacts DIR");
	else if (strcmp(request->path, "/health") != 0
			 && !read_credentials(request, &problem))
		answer_error(request, MHD_HTTP_UNAUTHORIZED, "UNAUTHENTICATED",
					 problem);
	else
	{
		request->compressed = coding != NULL
			&& pg_strcasecmp(coding, "identity") != 0;
		if (is_file)
			request->upload = begin_upload();
		return true;
	}
	return false;
}

static void
refuse_body(Request *request, int status, const char *code,
			const char *problem)
{
	if (request->refusal != NULL)
		return;
	request->refusal = problem;
	request->refusal_status = status;
	request->refusal_code = code;
}

/* Bytes of the body as they are meant */
static void
add_plain(Request *request, const char *data, size_t size)
{
	int64		limit = request->upload != NULL ? settings.max_file :
		settings.max_body;

	if (request->refusal != NULL)
		return;
	if ((request->upload != NULL ? request->upload->size : request->size)
		+ size > limit)
	{
		refuse_body(request, MHD_HTTP_CONTENT_TOO_LARGE, "BAD_REQUEST",
					too_large(request->upload != NULL));
		return;
	}
	if (request->upload != NULL)
	{
		add_to_upload(request->upload, data, size);
		return;
	}
	if (request->size + size > request->room)
	{
		size_t		room = Max(request->room * 2, request->size + size + 1024);

		if (__atomic_add_fetch(&memory_used, room - request->room,
							   __ATOMIC_RELAXED) > MEMORY_LIMIT)
		{
			__atomic_sub_fetch(&memory_used, room - request->room,
							   __ATOMIC_RELAXED);
			refuse_body(request, MHD_HTTP_SERVICE_UNAVAILABLE,
						"TEMPORARILY_UNAVAILABLE",
						"too many large requests at once");
			return;
		}
		request->body = request->body == NULL ? pg_malloc(room) :
			pg_realloc(request->body, room);
		request->room = room;
	}
	memcpy(request->body + request->size, data, size);
	request->size += size;
}

static void
add_compressed(Request *request, const char *data, size_t size)
{
	char		chunk[16384];
	int			state = Z_OK;

	if (!request->inflating)
	{
		if (inflateInit2(&request->inflater, 15 + 16) != Z_OK)
			pg_fatal("out of memory");
		request->inflating = true;
	}
	request->inflater.next_in = (Bytef *) data;
	request->inflater.avail_in = size;
	while (request->refusal == NULL && request->inflater.avail_in > 0)
	{
		/* members may follow one another */
		if (request->inflated)
		{
			inflateReset(&request->inflater);
			request->inflated = false;
		}
		do
		{
			request->inflater.next_out = (Bytef *) chunk;
			request->inflater.avail_out = sizeof(chunk);
			state = inflate(&request->inflater, Z_NO_FLUSH);
			if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR)
			{
				refuse_body(request, MHD_HTTP_BAD_REQUEST, "BAD_REQUEST",
							"the body is no gzip");
				return;
			}
			add_plain(request, chunk,
					  sizeof(chunk) - request->inflater.avail_out);
		} while (request->refusal == NULL && state == Z_OK
				 && request->inflater.avail_out == 0);
		if (state == Z_STREAM_END)
			request->inflated = true;
		else if (state == Z_BUF_ERROR)
			break;
	}
}

/* Part of a body; false: the client is cut off. */
static bool
add_part(Request *request, const char *data, size_t size)
{
	int64		limit = request->upload != NULL ? settings.max_file :
		settings.max_body;
	int64		took = (now_us() - request->begun) / 1000000;

	request->received += size;
	/* Who does not stop though nobody listens, or dribbles, is let go. */
	if (request->received > limit + SPARE_BYTES
		|| (took > SLOW_GRACE && request->received / took < 1024))
		return false;
	if (request->compressed)
		add_compressed(request, data, size);
	else
		add_plain(request, data, size);
	return true;
}

/* The body is here: hand the request to a worker, or refuse it. */
static void
complete_body(Request *request)
{
	request->complete = true;
	if (request->compressed && request->inflating && !request->inflated)
		refuse_body(request, MHD_HTTP_BAD_REQUEST, "BAD_REQUEST",
					"the body is no whole gzip");
	if (request->refusal != NULL)
	{
		answer_error(request, request->refusal_status, request->refusal_code,
					 request->refusal);
		return;
	}
	MHD_suspend_connection(request->connection);
	enqueue_request(request);
}

static void
set_busy(struct MHD_Connection *connection, bool busy)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	Client	   *client = info == NULL ? NULL : info->socket_context;

	if (client == NULL)
		return;
	pthread_mutex_lock(&clients_lock);
	client->busy = busy;
	client->since = now_us();
	pthread_mutex_unlock(&clients_lock);
}

/* libmicrohttpd has read a first line: a request begins. */
static void *
begin_request(void *nothing, const char *uri, struct MHD_Connection *connection)
{
	Request    *request = pg_malloc0(sizeof(Request));

	request->connection = connection;
	request->begun = now_us();
	request->method = "";
	return request;
}

static enum MHD_Result
handle(void *nothing, struct MHD_Connection *connection, const char *url,
	   const char *method, const char *version, const char *data,
	   size_t *size, void **state)
{
	Request    *request = *state;

	if (!request->seen)
	{
		request->seen = true;
		request->head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
		request->method = request->head ? MHD_HTTP_METHOD_GET : method;
		request->path = path_of(url);
		request->active = true;
		__atomic_add_fetch(&under_way, 1, __ATOMIC_RELAXED);
		set_busy(connection, true);
		if (!accept_head(request))
			return send_answer(request);
		return MHD_YES;
	}
	if (*size > 0)
	{
		bool		go_on = add_part(request, data, *size);

		*size = 0;
		return go_on ? MHD_YES : MHD_NO;
	}
	if (!request->complete)
		complete_body(request);
	return request->response != NULL ? send_answer(request) : MHD_YES;
}

static void
end_request(void *nothing, struct MHD_Connection *connection, void **state,
			enum MHD_RequestTerminationCode reason)
{
	Request    *request = *state;

	if (request == NULL)
		return;
	if (request->active)
	{
		count_request(request);
		log_request(request);
		__atomic_sub_fetch(&under_way, 1, __ATOMIC_RELAXED);
		set_busy(connection, false);
	}
	if (request->response != NULL)
		MHD_destroy_response(request->response);
	if (request->inflating)
		inflateEnd(&request->inflater);
	if (request->upload != NULL)
		drop_upload(request->upload);
	__atomic_sub_fetch(&memory_used, request->room, __ATOMIC_RELAXED);
	free(request->body);
	free(request->path);
	explicit_bzero(&request->identity, sizeof(request->identity));
	free(request);
	*state = NULL;
}

static void
watch_connection(void *nothing, struct MHD_Connection *connection,
				 void **context, enum MHD_ConnectionNotificationCode what)
{
	Client	   *client;

	if (what == MHD_CONNECTION_NOTIFY_STARTED)
	{
		const union MHD_ConnectionInfo *info =
			MHD_get_connection_info(connection,
									MHD_CONNECTION_INFO_CONNECTION_FD);

		client = pg_malloc0(sizeof(Client));
		client->connection = connection;
		client->socket = info == NULL ? -1 : info->connect_fd;
		client->since = now_us();
		pthread_mutex_lock(&clients_lock);
		client->next = clients;
		client->at = &clients;
		if (clients != NULL)
			clients->at = &client->next;
		clients = client;
		pthread_mutex_unlock(&clients_lock);
		*context = client;
		return;
	}
	client = *context;
	if (client == NULL)
		return;
	pthread_mutex_lock(&clients_lock);
	*client->at = client->next;
	if (client->next != NULL)
		client->next->at = client->at;
	pthread_mutex_unlock(&clients_lock);
	free(client);
	*context = NULL;
}

/*
 * Cut off who has sent no whole head of a request for long: libmicrohttpd
 * counts each byte as a sign of life. Called once a second.
 */
void
end_silent_clients(void)
{
	int64		oldest = now_us() - HEADER_TIME * INT64CONST(1000000);

	pthread_mutex_lock(&clients_lock);
	for (Client *client = clients; client != NULL; client = client->next)
	{
		if (!client->busy && client->since < oldest && client->socket >= 0)
			shutdown(client->socket, SHUT_RDWR);
	}
	pthread_mutex_unlock(&clients_lock);
}

static void
log_problem(void *nothing, const char *format, va_list arguments)
{
	char		text[512];

	vsnprintf(text, sizeof(text), format, arguments);
	pg_strip_crlf(text);
	pg_log_debug("%s", text);
}

static char *
read_secret(const char *path)
{
	size_t		size;
	char	   *text = read_file(path, 1 << 20, &size);

	if (text == NULL)
		pg_fatal("could not read \"%s\": %m", path);
	return text;
}

/* Begin to listen; exits where that cannot be. */
struct MHD_Daemon *
start_http(int listener)
{
	unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD
		| MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem options[3] = {{MHD_OPTION_END, 0, NULL}};
	struct MHD_Daemon *daemon;

	if (settings.tls_cert != NULL)
	{
		if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
			pg_fatal("libmicrohttpd of this system knows no TLS");
		flags |= MHD_USE_TLS;
		options[0] = (struct MHD_OptionItem) {MHD_OPTION_HTTPS_MEM_CERT, 0,
		read_secret(settings.tls_cert)};
		options[1] = (struct MHD_OptionItem) {MHD_OPTION_HTTPS_MEM_KEY, 0,
		read_secret(settings.tls_key)};
		options[2].option = MHD_OPTION_END;
	}
	daemon = MHD_start_daemon(flags, 0, NULL, NULL, handle, NULL,
							  MHD_OPTION_EXTERNAL_LOGGER, log_problem, NULL,
							  MHD_OPTION_LISTEN_SOCKET, (MHD_socket) listener,
							  MHD_OPTION_THREAD_POOL_SIZE,
							  (unsigned int) settings.threads,
							  MHD_OPTION_CONNECTION_LIMIT,
							  (unsigned int) settings.requests,
							  MHD_OPTION_CONNECTION_TIMEOUT,
							  (unsigned int) settings.timeout,
							  MHD_OPTION_CONNECTION_MEMORY_LIMIT,
							  (size_t) 65536,
							  MHD_OPTION_URI_LOG_CALLBACK, begin_request, NULL,
							  MHD_OPTION_NOTIFY_COMPLETED, end_request, NULL,
							  MHD_OPTION_NOTIFY_CONNECTION, watch_connection, NULL,
							  MHD_OPTION_ARRAY, options,
							  MHD_OPTION_END);
	if (daemon == NULL)
		pg_fatal("could not start to listen on %s%s", settings.listen,
				 settings.tls_cert != NULL ?
				 ": is the certificate one, and the key its own?" : "");
	return daemon;
}
