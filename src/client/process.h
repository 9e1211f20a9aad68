/*-------------------------------------------------------------------------
 *
 * process.h
 *		Other programs that are asked something: git, nvidia-smi, a command.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_PROCESS_H
#define MLMETA_PROCESS_H

#include "client.h"

typedef struct Process
{
	/* what is asked for */
	const char *directory;		/* where it runs; NULL: here */
	char *const *arguments;
	char *const *environment;	/* "NAME=value", added to ours; may be NULL */
	const char *input;			/* for its standard input; may be NULL */
	size_t		input_size;
	size_t		limit;			/* more output than that ends it; 0: no limit */
	double		timeout;		/* seconds; 0: none */
	bool		show_errors;	/* its standard error is ours */
	/* what became of it */
	PQExpBufferData output;
	int			status;			/* of waitpid(); -1: it did not start */
	bool		cut;			/* it was ended at the limit or the timeout */
} Process;

extern bool run_process(Process *process);
extern void free_process(Process *process);
extern bool have_program(const char *name);

#endif							/* MLMETA_PROCESS_H */
