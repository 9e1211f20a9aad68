/*-------------------------------------------------------------------------
 *
 * command_serve.c
 *		mlmeta serve: the gateway for clients that speak HTTP.
 *
 *-------------------------------------------------------------------------
 */
#include "command.h"

#include "serve.h"

#include <errno.h>
#include <netdb.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

Settings	settings = {
	.listen = "127.0.0.1:5000",
	.prefix = "",
	.threads = 2,
	.workers = 16,
	.connections = 8,
	.requests = 1000,
	.timeout = 120,
	.statement_timeout = 100,
	.grace = 30,
	.max_body = INT64CONST(64) << 20,
	.max_file = INT64CONST(1) << 40,
};

volatile sig_atomic_t stopping = 0;
static volatile sig_atomic_t reopening = 0;

enum
{
	OPT_LISTEN = FIRST_LONG, OPT_ARTIFACTS, OPT_ANONYMOUS, OPT_PREFIX,
	OPT_CERT, OPT_KEY, OPT_LOG, OPT_HOST_NAME, OPT_ORIGIN, OPT_THREADS,
	OPT_WORKERS, OPT_CONNECTIONS, OPT_CLIENTS, OPT_TIMEOUT, OPT_STATEMENT,
	OPT_GRACE, OPT_BODY, OPT_FILE, OPT_VERIFY, OPT_REMOVE
};

static const Option options[] = {
	{"listen", OPT_LISTEN, "HOST:PORT", "where to listen (default: 127.0.0.1:5000)"},
	{"artifacts", OPT_ARTIFACTS, "DIR", "keep files of clients in this directory"},
	{"anonymous", OPT_ANONYMOUS, "ROLE", "who acts where a client brings no credentials"},
	{"path-prefix", OPT_PREFIX, "PATH", "serve below this path, as behind a proxy"},
	{"tls-cert", OPT_CERT, "FILE", "certificate chain: speak TLS"},
	{"tls-key", OPT_KEY, "FILE", "the certificate's private key"},
	{"access-log", OPT_LOG, "FILE", "write a line of JSON for each request; - is standard output"},
	{"host-name", OPT_HOST_NAME, "NAME", "a name by which browsers call this server (repeat)"},
	{"allow-origin", OPT_ORIGIN, "ORIGIN", "pages of this origin may call, as https://a.example (repeat)"},
	{"workers", OPT_WORKERS, "N", "requests in the database at one time (default: 16)"},
	{"connections-per-user", OPT_CONNECTIONS, "N", "connections of one role (default: 8)"},
	{"threads", OPT_THREADS, "N", "threads that read and write sockets (default: 2)"},
	{"max-clients", OPT_CLIENTS, "N", "connections of clients (default: 1000)"},
	{"max-body", OPT_BODY, "MB", "largest body of a request (default: 64)"},
	{"max-file", OPT_FILE, "MB", "largest file (default: 1048576)"},
	{"timeout", OPT_TIMEOUT, "SECONDS", "how long a client may be silent (default: 120)"},
	{"statement-timeout", OPT_STATEMENT, "SECONDS", "how long the database may take (default: 100)"},
	{"grace", OPT_GRACE, "SECONDS", "how long requests may take to end at a stop (default: 30)"},
	{"verify", OPT_VERIFY, NULL, "check the files in --artifacts against the database, then exit"},
	{"remove", OPT_REMOVE, NULL, "with --verify: remove files that nobody names any more"},
	{NULL}
};

static void
on_signal(int signal)
{
	if (signal == SIGHUP)
		reopening = 1;
	else
		stopping = 1;
}

static void
set_prefix(const Command *command, const char *value)
{
	char	   *prefix = pg_strdup(value);
	size_t		size = strlen(prefix);

	while (size > 0 && prefix[size - 1] == '/')
		prefix[--size] = '\0';
	if (size > 0 && prefix[0] != '/')
		usage_error(command, "the path prefix must begin with a slash");
	settings.prefix = prefix;
}

/* Listen on HOST:PORT, [ADDRESS]:PORT or :PORT; exits where that fails. */
static int
listen_on(const char *where)
{
	char	   *copy = pg_strdup(where);
	char	   *host = copy;
	char	   *port = strrchr(host, ':');
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
	.ai_flags = AI_PASSIVE};
	struct addrinfo *found;
	int			fd = -1;
	int			problem;

	if (port == NULL)
		pg_fatal("--listen takes HOST:PORT");
	*port++ = '\0';
	if (host[0] == '[' && host[strlen(host) - 1] == ']')
	{
		host[strlen(host) - 1] = '\0';
		host++;
	}
	problem = getaddrinfo(*host == '\0' ? NULL : host, port, &hints, &found);
	if (problem != 0)
		pg_fatal("could not find \"%s\": %s", where, gai_strerror(problem));
	for (struct addrinfo *a = found; a != NULL && fd < 0; a = a->ai_next)
	{
		int			on = 1;

		fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(fd, a->ai_addr, a->ai_addrlen) != 0
			|| listen(fd, SOMAXCONN) != 0)
		{
			close(fd);
			fd = -1;
		}
	}
	if (fd < 0)
		pg_fatal("could not listen on \"%s\": %m", where);
	freeaddrinfo(found);
	free(copy);
	return fd;
}

/* Where we listen, as a client writes it; the port may have been 0 */
static char *
address_of(int listener)
{
	struct sockaddr_storage address;
	socklen_t	size = sizeof(address);
	char		host[NI_MAXHOST];
	char		port[NI_MAXSERV];

	if (getsockname(listener, (struct sockaddr *) &address, &size) != 0
		|| getnameinfo((struct sockaddr *) &address, size, host, sizeof(host),
					   port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return pg_strdup(settings.listen);
	return psprintf(strchr(host, ':') != NULL ? "%s://[%s]:%s%s" : "%s://%s:%s%s",
					settings.tls_cert == NULL ? "http" : "https", host, port,
					settings.prefix);
}

/* Tell systemd, where it started us, as it wants to know */
static void
notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int			fd;

	if (path == NULL || strlen(path) >= sizeof(address.sun_path))
		return;
	strlcpy(address.sun_path, path, sizeof(address.sun_path));
	if (address.sun_path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void) sendto(fd, state, strlen(state), MSG_NOSIGNAL,
				  (struct sockaddr *) &address,
				  offsetof(struct sockaddr_un, sun_path) + strlen(path));
	close(fd);
}

static void
raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0
		&& limit.rlim_cur < limit.rlim_max)
	{
		limit.rlim_cur = limit.rlim_max;
		(void) setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Serve until told to stop; requests under way are answered. */
static int
serve(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	int			listener = listen_on(settings.listen);
	struct MHD_Daemon *daemon;
	char	   *address;
	int64		deadline;

	raise_file_limit();
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	make_salt();
	open_access_log();
	start_workers();
	daemon = start_http(listener);
	address = address_of(listener);
	fprintf(stderr, "mlmeta serve: %s, database %s%s%s\n",
			address, settings.target->label,
			settings.anonymous == NULL ? "" : ", without credentials as ",
			settings.anonymous == NULL ? "" : settings.anonymous);
	free(address);
	notify("READY=1");
	while (!stopping)
	{
		pg_usleep(100000);
		if (reopening)
		{
			reopening = 0;
			open_access_log();
		}
	}

	notify("STOPPING=1");
	listener = MHD_quiesce_daemon(daemon);
	if (listener >= 0)
		close(listener);
	deadline = now_us() + settings.grace * INT64CONST(1000000);
	while (requests_under_way() > 0 && now_us() < deadline)
		pg_usleep(20000);
	stop_workers();
	MHD_stop_daemon(daemon);
	stop_pool();
	return 0;
}

static void
set_option(const Command *command, const Scan *scan, int id)
{
	switch (id)
	{
		case OPT_LISTEN:
			settings.listen = scan->value;
			break;
		case OPT_ARTIFACTS:
			settings.artifacts = scan->value;
			break;
		case OPT_ANONYMOUS:
			if (strlen(scan->value) >= 64)
				usage_error(command, "the role's name is too long");
			settings.anonymous = scan->value;
			break;
		case OPT_PREFIX:
			set_prefix(command, scan->value);
			break;
		case OPT_CERT:
			settings.tls_cert = scan->value;
			break;
		case OPT_KEY:
			settings.tls_key = scan->value;
			break;
		case OPT_LOG:
			settings.access_log = scan->value;
			break;
		case OPT_HOST_NAME:
			if (settings.n_hosts == lengthof(settings.hosts))
				usage_error(command, "too many host names");
			settings.hosts[settings.n_hosts++] = scan->value;
			break;
		case OPT_ORIGIN:
			if (settings.n_origins == lengthof(settings.origins))
				usage_error(command, "too many origins");
			settings.origins[settings.n_origins++] = scan->value;
			break;
		case OPT_THREADS:
			settings.threads = number_argument(scan, 1, 64);
			break;
		case OPT_WORKERS:
			settings.workers = number_argument(scan, 1, 1000);
			break;
		case OPT_CONNECTIONS:
			settings.connections = number_argument(scan, 1, 1000);
			break;
		case OPT_CLIENTS:
			settings.requests = number_argument(scan, 1, 100000);
			break;
		case OPT_TIMEOUT:
			settings.timeout = number_argument(scan, 1, 86400);
			break;
		case OPT_STATEMENT:
			settings.statement_timeout = number_argument(scan, 1, 86400);
			break;
		case OPT_GRACE:
			settings.grace = number_argument(scan, 0, 86400);
			break;
		case OPT_BODY:
			settings.max_body = number_argument(scan, 1, 900) << 20;
			break;
		case OPT_FILE:
			settings.max_file = number_argument(scan, 1, INT64CONST(1) << 40) << 20;
			break;
	}
}

static int
serve_main(const Command *command, int argc, char **argv)
{
	Scan		scan;
	bool		verify = false;
	bool		remove = false;
	int			id;

	scan_begin(&scan, command, argc, argv);
	while ((id = scan_next(&scan)) != -1)
	{
		if (id == OPT_VERIFY)
			verify = true;
		else if (id == OPT_REMOVE)
			remove = true;
		else
			set_option(command, &scan, id);
	}
	scan_arguments(&scan, 0, 0);
	if ((settings.tls_cert == NULL) != (settings.tls_key == NULL))
		usage_error(command, "--tls-cert and --tls-key belong together");
	if (verify && settings.artifacts == NULL)
		usage_error(command, "--verify needs --artifacts");
	if (remove && !verify)
		usage_error(command, "--remove belongs to --verify");
	settings.target = resolve_target(&scan.connection);
	if (settings.artifacts != NULL)
		open_store(settings.artifacts);
	if (verify)
		return verify_store(require_connection(&scan.connection, NULL),
							remove);
	return serve();
}

const Command serve_command = {
	.name = "serve",
	.arguments = "",
	.summary = "lets MLflow clients and OpenLineage emitters log over HTTP",
	.options = options,
	.details = "Credentials of clients are logins of the database (Basic, or Bearer with base64 of\n"
	"ROLE:PASSWORD). TERM and INT stop it when requests under way are answered; HUP opens\n"
	"the access log again. /health and /metrics tell how it is.",
	.connects = true,
	.run = serve_main
};
