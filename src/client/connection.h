/*-------------------------------------------------------------------------
 *
 * connection.h
 *		Which server is meant, and a connection to it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_CONNECTION_H
#define MLMETA_CONNECTION_H

#include "client.h"

/* What the command line says, as to psql; NULL where it says nothing */
typedef struct ConnectionOptions
{
	const char *host;
	const char *port;
	const char *user;
	const char *dbname;			/* a name, a connection string or a URI */
	bool		never_prompt;
} ConnectionOptions;

/* The same with environment, service and defaults looked up */
typedef struct Target
{
	PQconninfoOption *options;	/* libpq's list with our values */
	bool	   *given;			/* which of them the command line gave */
	char	   *label;			/* "user@host:port/database", for people */
	char	   *file_name;		/* the same as the name of a file */
	bool		may_prompt;
	char	   *password;		/* what was typed */
} Target;

/* What the server at the other end can do */
typedef struct Features
{
	char	   *extension;		/* version of the extension */
	char	   *identity;		/* of cluster and database */
} Features;

extern Target *resolve_target(const ConnectionOptions *options);
extern const char *target_value(const Target *target, const char *keyword);
extern char *target_conninfo(const Target *target);
extern void export_target(const Target *target);
extern PGconn *try_connect(const Target *target, bool quiet, char **problem);
extern bool find_features(PGconn *connection, Features *features,
						  char **problem);

/* A connection for a command that is nothing without one */
extern PGconn *require_connection(const ConnectionOptions *options,
								  Features *features);

/* One statement with text parameters; reports an error and exits with it. */
extern PGresult *query(PGconn *connection, const char *sql, int n,
					   const char *const *values);
#define query0(connection, sql) query(connection, sql, 0, NULL)
#define query1(connection, sql, a) \
	query(connection, sql, 1, (const char *const[]) {a})
#define query2(connection, sql, a, b) \
	query(connection, sql, 2, (const char *const[]) {a, b})
#define query3(connection, sql, a, b, c) \
	query(connection, sql, 3, (const char *const[]) {a, b, c})

extern void report_error(const PGresult *result);
extern const char *cell(const PGresult *result, int row, int column);

#endif							/* MLMETA_CONNECTION_H */
