/*-------------------------------------------------------------------------
 *
 * run.h
 *		A command that is run and recorded, by "run", "reproduce", "retrain".
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_RUN_H
#define MLMETA_RUN_H

#include "connection.h"
#include "repository.h"

typedef struct TextList
{
	const char **items;			/* ends with NULL */
	int			n;
} TextList;

extern void list_add(TextList *list, const char *item);

typedef struct RunOptions
{
	const char *run;			/* NULL: a new id */
	bool		begun;			/* the server knows the run already */
	bool		adopted;		/* and nothing of its source yet */
	const char *experiment;
	const char *name;
	const char *parent;
	json_t	   *params;
	json_t	   *tags;
	json_t	   *source;			/* more about the source */
	TextList	inputs;
	TextList	outputs;
	TextList	snapshots;
	TextList	metrics;
	TextList	variables;
	const char *step;
	json_t	   *devices;
	PatchLimits limits;
	int			interval;		/* seconds between system metrics; 0: none */
	int			tail;			/* bytes of output that are kept */
	int			patience;		/* seconds to wait for the server at the end */
	bool		params_from_command;
	bool		require_server;
	bool		quiet;
} RunOptions;

extern void run_options_init(RunOptions *options);
extern int	run_recorded(const Target *target, RunOptions *options,
						 char *const *command);
extern json_t *describe_file(const char *given, bool used, bool *found);

#endif							/* MLMETA_RUN_H */
