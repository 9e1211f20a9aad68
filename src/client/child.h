/*-------------------------------------------------------------------------
 *
 * child.h
 *		The command that is run: its start, its output, its end.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_CHILD_H
#define MLMETA_CHILD_H

#include <signal.h>

#include "client.h"

typedef struct Child
{
	pid_t		pid;
	int			out;			/* where its standard output is read; -1: over */
	int			err;			/* the same of its errors; -1: over, or in out */
	int			log;			/* what it says on MLMETA_LOG */
	int			signals;		/* signals to us */
	sigset_t	before;			/* those blocked by others than us */
	char	   *log_directory;
	char	   *log_path;		/* NULL: there is no such channel */
	bool		terminal;		/* its output goes to a terminal of ours */
	bool		ended;
	int			status;			/* of waitpid() */
	int			exec_error;		/* errno when it could not begin */
	double		cpu_user;		/* seconds, with all it waited for */
	double		cpu_system;
	int64		memory_max;		/* bytes */
} Child;

/* What the whole family of a process takes at a moment */
typedef struct Usage
{
	double		cpu_seconds;
	int64		memory_bytes;
	int64		read_bytes;
	int64		written_bytes;
	int			processes;
} Usage;

extern void child_prepare(Child *child);
extern bool child_start(Child *child, char *const *command);
extern void child_signal(Child *child);
extern void child_clean_up(Child *child);
extern bool take_usage(pid_t pid, Usage *usage);

#endif							/* MLMETA_CHILD_H */
