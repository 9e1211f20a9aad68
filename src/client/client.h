/*-------------------------------------------------------------------------
 *
 * client.h
 *		What every file of the program mlmeta stands on.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_CLIENT_H
#define MLMETA_CLIENT_H

#include "postgres_fe.h"

#include <jansson.h>

#include "common/logging.h"
#include "libpq-fe.h"
#include "pqexpbuffer.h"

/* Exit codes of our own; a child's code is passed on as it is */
#define EXIT_DIFFERENT	1		/* a comparison or check found something */
#define EXIT_PENDING	3		/* facts wait in the spool for the server */
#define EXIT_USAGE		64		/* the command line is wrong */
#define EXIT_NO_SERVER	69		/* the server cannot be reached */
#define EXIT_REFUSED	70		/* the server refused what was asked */
#define EXIT_OURSELVES	125		/* mlmeta run failed before the child began */
#define EXIT_NO_EXEC	126		/* the child cannot be executed */
#define EXIT_NO_COMMAND 127		/* there is no such command */

/* Largest name of an experiment, a metric and the like, in characters */
#define NAME_LIMIT		250

/* text.c */
extern bool is_name(const char *text);
extern bool is_utf8(const char *text, size_t size);
extern char *make_utf8(const char *text, size_t size);
extern char *shell_quote(char *const *arguments);
extern char *read_file(const char *path, size_t limit, size_t *size);
extern bool write_all(int fd, const char *data, size_t size);
extern int64 now_us(void);
extern char *time_text(int64 us);
extern double monotonic_seconds(void);
extern char *human_size(int64 bytes);
extern json_t *json_text(const char *text);
extern char *dump_json(const json_t *value);

/* run_id.c */
#define RUN_TEXT_SIZE	31		/* run_ and 26 digits, and the zero */
#define UUID_TEXT_SIZE	37
extern void make_uuid(char *text);
extern void make_run_id(char *text);
extern bool canonical_run(const char *text, char *run);

#endif							/* MLMETA_CLIENT_H */
