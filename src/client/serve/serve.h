/*-------------------------------------------------------------------------
 *
 * serve.h
 *		The gateway: what its files share.
 *
 * A request comes in on one of libmicrohttpd's threads (http.c), which reads
 * its body and sleeps while a worker (worker.c) sends it through a connection
 * of the person who asks (pool.c) to mlmeta.http_request(). Files go past the
 * database into a store of their own (store.c). The gateway knows no protocol
 * but HTTP.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_SERVE_H
#define MLMETA_SERVE_H

#include <microhttpd.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <zlib.h>

#include "connection.h"

#include "common/string.h"

/* What the command line says */
typedef struct Settings
{
	Target	   *target;
	const char *listen;
	const char *prefix;			/* "" or "/x/y" */
	const char *artifacts;		/* root of the store; NULL: no files */
	const char *anonymous;		/* role of who brings no credentials */
	const char *access_log;		/* NULL: none; "-": standard output */
	const char *tls_cert;
	const char *tls_key;
	const char *hosts[16];		/* names by which browsers may call us */
	int			n_hosts;
	const char *origins[16];	/* pages of others that may call us */
	int			n_origins;
	int			threads;
	int			workers;
	int			connections;	/* to the database, for one person */
	int			requests;		/* connections of clients */
	int			timeout;		/* seconds a client may be silent */
	int			statement_timeout;	/* seconds a statement may take */
	int			grace;			/* seconds that requests get at the end */
	int64		max_body;
	int64		max_file;
} Settings;

extern Settings settings;

#define KEY_SIZE		32
#define SHA256_TEXT_SIZE 65

/* Who asks: the name and password of a login, checked by the database */
typedef struct Identity
{
	bool		anonymous;
	char		user[64];
	char		password[1024];
	unsigned char key[KEY_SIZE];	/* salted digest of both */
} Identity;

/* A file on its way into the store */
typedef struct Upload
{
	int			fd;
	char		name[64];		/* in the store's directory "incoming" */
	EVP_MD_CTX *digest;
	int64		size;
	char		sha256[SHA256_TEXT_SIZE];
	bool		kept;
	int			error;			/* errno of the first failure */
} Upload;

typedef struct Request
{
	struct MHD_Connection *connection;
	const char *method;
	char	   *path;			/* without the prefix */
	int64		begun;			/* microseconds, as now_us() */
	bool		seen;			/* headers were looked at */
	bool		active;			/* counted among those under way */
	bool		complete;		/* the body is here */
	bool		head;			/* HEAD, which is GET to all others */
	Identity	identity;

	char	   *body;
	size_t		size;
	size_t		room;
	int64		received;
	bool		compressed;		/* the body comes as gzip */
	z_stream	inflater;
	bool		inflating;
	bool		inflated;		/* to the end of the stream */
	Upload	   *upload;
	const char *refusal;		/* what is wrong with the body */
	int			refusal_status;
	const char *refusal_code;

	/* the answer */
	struct MHD_Response *response;
	int			status;
	int64		sent;
	int64		due;			/* when to answer, for failed logins */
	struct Request *next;
} Request;

/* main.c of the gateway: command_serve.c */
extern volatile sig_atomic_t stopping;

/* http.c */
extern struct MHD_Daemon *start_http(int listener);
extern void answer_error(Request *request, int status, const char *code,
						 const char *message);
extern void answer_bytes(Request *request, int status, char *bytes,
						 size_t size, const char *type);
extern void add_header(Request *request, const char *name, const char *value);
extern const char *header_of(Request *request, const char *name);
extern void resume_request(Request *request);
extern int	requests_under_way(void);
extern void end_silent_clients(void);

/* origin.c */
extern bool may_call(Request *request, const char **problem);
extern void add_cors(Request *request);
extern bool is_preflight(Request *request);

/* credentials.c */
extern void make_salt(void);
extern bool read_credentials(Request *request, const char **problem);

/* worker.c */
extern void start_workers(void);
extern void stop_workers(void);
extern void enqueue_request(Request *request);
extern void enqueue_delayed(Request *request);

/* answer.c */
extern void answer_result(Request *request, const PGresult *result);
extern json_t *query_of(Request *request);
extern json_t *headers_of(Request *request);

/* pool.c */
typedef struct Link
{
	PGconn	   *connection;
	unsigned char key[KEY_SIZE];
	int64		logged_in;		/* microseconds */
	struct Link *next;
} Link;

typedef enum LoginFailure
{
	LOGIN_OK, LOGIN_REFUSED, LOGIN_BUSY, LOGIN_NO_SERVER
} LoginFailure;

extern void start_pool(void);
extern void stop_pool(void);
extern void sweep_pool(void);
extern Link *take_link(const Identity *identity, LoginFailure *failure,
					   char **problem);
extern void give_link(Link *link, bool reusable);
extern PGconn *own_connection(char **problem);

/* store.c */
extern void open_store(const char *root);
extern Upload *begin_upload(void);
extern void add_to_upload(Upload *upload, const char *data, size_t size);
extern bool finish_upload(Upload *upload);
extern void drop_upload(Upload *upload);
extern int	open_object(const char *sha256, int64 *size);
extern int	verify_store(PGconn *connection, bool remove);

/* statistics.c */
extern void count_login(LoginFailure outcome);
extern void count_links(int links);
extern void count_request(const Request *request);
extern char *metrics_text(size_t *size);
extern void open_access_log(void);
extern void log_request(const Request *request);

#endif							/* MLMETA_SERVE_H */
