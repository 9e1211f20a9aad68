/*-------------------------------------------------------------------------
 *
 * restore.h
 *		What a run was: its record, and its code as a tree again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_RESTORE_H
#define MLMETA_RESTORE_H

#include "connection.h"
#include "run.h"

/* What the server knows of a run; texts may be NULL */
typedef struct RunRecord
{
	char		run[RUN_TEXT_SIZE];
	const char *experiment;
	const char *name;
	const char *status;
	const char *repository;
	const char *commit;
	const char *command_line;
	const char *patch;
	json_t	   *source;
	json_t	   *environment;
	json_t	   *params;
} RunRecord;

extern void resolve_run(PGconn *connection, const char *given, char *run);
extern RunRecord *load_run(PGconn *connection, const char *run);
extern const char *record_text(const RunRecord *record, const char *key);

extern char *find_repository(const RunRecord *record, const char *given);
extern bool restore_tree(const RunRecord *record, const char *repository,
						 const char *directory);
extern char *write_tree(const RunRecord *record, const char *repository,
						const char *scratch);

extern int	restore_command(const RunRecord *record, const char *directory,
							char ***command);
extern void repeat_options(const RunRecord *record, RunOptions *options);

/* What is different; lines for people, how many there are */
extern int	compare_environments(const json_t *then, const json_t *now,
								 PQExpBuffer text);

#endif							/* MLMETA_RESTORE_H */
