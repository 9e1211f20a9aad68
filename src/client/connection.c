/*-------------------------------------------------------------------------
 *
 * connection.c
 *		Which server is meant, and a connection to it.
 *
 * Who is meant is found out without a connection: facts for a server that
 * cannot be reached need a spool of their own.
 *
 *-------------------------------------------------------------------------
 */
#include "connection.h"

#include <unistd.h>

#include "common/string.h"
#include "fe_utils/cancel.h"

/* Seconds to wait for a server, unless the user says otherwise */
#define CONNECT_TIMEOUT	"10"

static bool
is_conninfo(const char *dbname)
{
	return strncmp(dbname, "postgresql://", 13) == 0
		|| strncmp(dbname, "postgres://", 11) == 0
		|| strchr(dbname, '=') != NULL;
}

static void
set_option(Target *target, const char *keyword, const char *value)
{
	for (int i = 0; target->options[i].keyword != NULL; i++)
	{
		PQconninfoOption *option = &target->options[i];

		if (value != NULL && strcmp(option->keyword, keyword) == 0)
		{
			/* libpq frees it, with free() */
			free(option->val);
			option->val = strdup(value);
			target->given[i] = true;
		}
	}
}

/* What an option of libpq is set to, NULL if it is not */
const char *
target_value(const Target *target, const char *keyword)
{
	for (int i = 0; target->options[i].keyword != NULL; i++)
	{
		if (strcmp(target->options[i].keyword, keyword) == 0)
			return target->options[i].val;
	}
	return NULL;
}

/* A file's name that says which server it is for */
static char *
name_for_file(const char *label)
{
	PQExpBufferData name;

	initPQExpBuffer(&name);
	for (const char *c = label; *c != '\0'; c++)
	{
		if (isalnum((unsigned char) *c) || strchr("_-.@:", *c) != NULL)
			appendPQExpBufferChar(&name, *c);
		else
			appendPQExpBuffer(&name, "%%%02X", (unsigned char) *c);
	}
	/* No file's name may be longer than 255 bytes, .db-wal included */
	if (name.len > 200)
		name.data[200] = '\0';
	return name.data;
}

/*
 * The server that the command line, the environment, a service file and
 * libpq's defaults name together. Exits when they cannot be understood.
 */
Target *
resolve_target(const ConnectionOptions *options)
{
	Target	   *target = pg_malloc0(sizeof(Target));
	PQconninfoOption *parsed = NULL;
	char	   *problem = NULL;
	int			n = 0;
	const char *host;

	if (options->dbname != NULL && is_conninfo(options->dbname))
	{
		parsed = PQconninfoParse(options->dbname, &problem);
		if (parsed == NULL)
		{
			pg_log_error("%s", problem == NULL ? "out of memory" : problem);
			exit(EXIT_USAGE);
		}
		/* libpq looks a service up by the environment */
		for (PQconninfoOption *o = parsed; o->keyword != NULL; o++)
		{
			if (strcmp(o->keyword, "service") == 0 && o->val != NULL)
				setenv("PGSERVICE", o->val, 1);
		}
	}
	target->options = PQconndefaults();
	if (target->options == NULL)
	{
		pg_log_error("the connection's defaults cannot be read: there is no "
					 "such service, or no memory");
		exit(EXIT_USAGE);
	}
	while (target->options[n].keyword != NULL)
		n++;
	target->given = pg_malloc0(sizeof(bool) * n);
	for (PQconninfoOption *o = parsed; o != NULL && o->keyword != NULL; o++)
		set_option(target, o->keyword, o->val);
	PQconninfoFree(parsed);
	if (options->dbname != NULL && !is_conninfo(options->dbname))
		set_option(target, "dbname", options->dbname);
	set_option(target, "host", options->host);
	set_option(target, "port", options->port);
	set_option(target, "user", options->user);
	if (target_value(target, "dbname") == NULL)
	{
		set_option(target, "dbname", target_value(target, "user"));
		for (int i = 0; i < n; i++)
		{
			if (strcmp(target->options[i].keyword, "dbname") == 0)
				target->given[i] = false;
		}
	}

	host = target_value(target, "host");
	if (host == NULL)
		host = target_value(target, "hostaddr");
	target->label = psprintf("%s@%s:%s/%s", target_value(target, "user"),
							 host == NULL ? "local" : host,
							 target_value(target, "port"),
							 target_value(target, "dbname"));
	target->file_name = name_for_file(target->label);
	target->may_prompt = !options->never_prompt && isatty(STDIN_FILENO);
	return target;
}

/* Options of libpq that a spool keeps, so that it knows where it belongs */
char *
target_conninfo(const Target *target)
{
	static const char *const kept[] = {"host", "hostaddr", "port", "user",
	"dbname", "sslmode", "sslrootcert", "sslcert", "sslkey", "passfile"};
	PQExpBufferData text;

	initPQExpBuffer(&text);
	for (int i = 0; i < lengthof(kept); i++)
	{
		const char *value = target_value(target, kept[i]);

		if (value == NULL || *value == '\0')
			continue;
		appendPQExpBuffer(&text, "%s%s='", text.len == 0 ? "" : " ", kept[i]);
		for (const char *c = value; *c != '\0'; c++)
		{
			if (*c == '\'' || *c == '\\')
				appendPQExpBufferChar(&text, '\\');
			appendPQExpBufferChar(&text, *c);
		}
		appendPQExpBufferChar(&text, '\'');
	}
	return text.data;
}

/*
 * Put what the command line said about the server into the environment: what
 * we start talks to the same one.
 */
void
export_target(const Target *target)
{
	for (int i = 0; target->options[i].keyword != NULL; i++)
	{
		const PQconninfoOption *option = &target->options[i];

		if (target->given[i] && option->envvar != NULL && option->val != NULL)
			setenv(option->envvar, option->val, 1);
	}
}

static void
show_notice(void *quiet, const PGresult *result)
{
	const char *severity = PQresultErrorField(result,
											  PG_DIAG_SEVERITY_NONLOCALIZED);

	if (quiet != NULL && severity != NULL && strcmp(severity, "WARNING") != 0)
		return;
	pg_log_warning("%s", PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
}

static PGconn *
connect_once(const Target *target)
{
	const char *keywords[64];
	const char *values[64];
	int			n = 0;
	bool		timeout = false;

	for (int i = 0; target->options[i].keyword != NULL; i++)
	{
		const PQconninfoOption *option = &target->options[i];

		if (option->val == NULL || n >= lengthof(keywords) - 6)
			continue;
		if (strcmp(option->keyword, "client_encoding") == 0
			|| strcmp(option->keyword, "fallback_application_name") == 0)
			continue;
		if (strcmp(option->keyword, "connect_timeout") == 0
			&& *option->val != '\0')
			timeout = true;
		keywords[n] = option->keyword;
		values[n++] = option->val;
	}
	if (!timeout)
	{
		keywords[n] = "connect_timeout";
		values[n++] = CONNECT_TIMEOUT;
	}
	if (target->password != NULL)
	{
		keywords[n] = "password";
		values[n++] = target->password;
	}
	keywords[n] = "client_encoding";
	values[n++] = "UTF8";
	keywords[n] = "fallback_application_name";
	values[n++] = "mlmeta";
	keywords[n] = NULL;
	values[n] = NULL;
	return PQconnectdbParams(keywords, values, false);
}

/*
 * A connection to the target, or NULL and why, which the caller frees. Quiet:
 * shows no notices below warnings.
 */
PGconn *
try_connect(const Target *target, bool quiet, char **problem)
{
	PGconn	   *connection = connect_once(target);

	if (PQstatus(connection) != CONNECTION_OK)
	{
		/* The last line is about the last of the hosts */
		*problem = pg_strdup(PQerrorMessage(connection));
		pg_strip_crlf(*problem);
		PQfinish(connection);
		return NULL;
	}
	PQsetNoticeReceiver(connection, show_notice, quiet ? "" : NULL);
	return connection;
}

/*
 * Version of the extension, which cluster and database this is, and whether
 * a batch of facts has an id there, which every other thing here stands on.
 */
static const char features_query[] =
"SELECT e.extversion,"
" (SELECT s.system_identifier || '/' || d.oid"
"  FROM pg_catalog.pg_control_system() AS s, pg_catalog.pg_database AS d"
"  WHERE d.datname = pg_catalog.current_database()),"
" EXISTS (SELECT FROM pg_catalog.pg_proc AS p"
"  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace"
"  WHERE n.nspname = 'mlmeta' AND p.proname = 'log_batch')"
" FROM pg_catalog.pg_extension AS e WHERE e.extname = 'mlmeta'";

/*
 * What the server can do; false and a problem, which the caller frees, when
 * it has no extension of ours or does not answer.
 */
bool
find_features(PGconn *connection, Features *features, char **problem)
{
	PGresult   *result = PQexec(connection, features_query);

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		*problem = pg_strdup(PQerrorMessage(connection));
		pg_strip_crlf(*problem);
		PQclear(result);
		return false;
	}
	if (PQntuples(result) == 0)
	{
		*problem = psprintf("the extension mlmeta is not installed in database \"%s\" (CREATE EXTENSION mlmeta)",
							PQdb(connection));
		PQclear(result);
		return false;
	}
	if (*PQgetvalue(result, 0, 2) != 't')
	{
		*problem = psprintf("the extension mlmeta has version %s, which is older than this program needs (ALTER EXTENSION mlmeta UPDATE)",
							PQgetvalue(result, 0, 0));
		PQclear(result);
		return false;
	}
	features->extension = pg_strdup(PQgetvalue(result, 0, 0));
	features->identity = pg_strdup(PQgetvalue(result, 0, 1));
	PQclear(result);
	return true;
}

/*
 * A connection, asking for a password where there is a terminal; exits when
 * there is none to be had.
 */
PGconn *
require_connection(const ConnectionOptions *options, Features *features)
{
	Target	   *target = resolve_target(options);
	PGconn	   *connection = connect_once(target);
	Features	ours;
	char	   *problem = NULL;

	if (PQstatus(connection) != CONNECTION_OK
		&& PQconnectionNeedsPassword(connection) && target->may_prompt)
	{
		PQfinish(connection);
		target->password = simple_prompt("Password: ", false);
		connection = connect_once(target);
	}
	if (PQstatus(connection) != CONNECTION_OK)
	{
		problem = pg_strdup(PQerrorMessage(connection));
		pg_strip_crlf(problem);
		pg_log_error("%s", problem);
		exit(EXIT_NO_SERVER);
	}
	PQsetNoticeReceiver(connection, show_notice, NULL);
	if (!find_features(connection, features == NULL ? &ours : features,
					   &problem))
	{
		pg_log_error("%s", problem);
		exit(EXIT_REFUSED);
	}
	SetCancelConn(connection);
	return connection;
}

/* An error of the server with detail and hint, on standard error */
void
report_error(const PGresult *result)
{
	const char *message = PQresultErrorField(result,
											 PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);

	if (message == NULL)
		message = PQresultErrorMessage(result);
	pg_log_error("%s", *message == '\0' ? "the server does not answer" : message);
	if (detail != NULL)
		pg_log_error_detail("%s", detail);
	if (hint != NULL)
		pg_log_error_hint("%s", hint);
}

PGresult *
query(PGconn *connection, const char *sql, int n, const char *const *values)
{
	PGresult   *result = PQexecParams(connection, sql, n, NULL, values, NULL,
									  NULL, 0);

	if (PQresultStatus(result) != PGRES_TUPLES_OK
		&& PQresultStatus(result) != PGRES_COMMAND_OK)
	{
		report_error(result);
		exit(PQstatus(connection) == CONNECTION_OK ? EXIT_REFUSED :
			 EXIT_NO_SERVER);
	}
	return result;
}

/* A value of a result, NULL where it is NULL */
const char *
cell(const PGresult *result, int row, int column)
{
	return PQgetisnull(result, row, column) ? NULL :
		PQgetvalue(result, row, column);
}
