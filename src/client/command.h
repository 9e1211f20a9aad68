/*-------------------------------------------------------------------------
 *
 * command.h
 *		Commands of the program, and what the table of each says of itself.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_COMMAND_H
#define MLMETA_COMMAND_H

#include "connection.h"

typedef struct Option
{
	const char *name;			/* the long name; NULL ends the list */
	int			id;				/* its letter, or FIRST_LONG and up: no letter */
	const char *argument;		/* NULL: takes none */
	const char *help;
} Option;

#define FIRST_LONG	256

typedef struct Command
{
	const char *name;
	const char *arguments;		/* what follows the options */
	const char *summary;
	const Option *options;
	const char *details;		/* shown below the options; may be NULL */
	bool		stops_early;	/* options end at the first argument */
	bool		connects;
	int			(*run) (const struct Command *command, int argc, char **argv);
} Command;

/* A walk over the options of a command line */
typedef struct Scan
{
	const Command *command;
	int			argc;
	char	  **argv;
	char	   *letters;
	struct option *longs;
	ConnectionOptions connection;
	const char *value;			/* of the option just read */
	int			n_rest;			/* when the walk is over: what is left */
	char	  **rest;
} Scan;

extern const Command *const commands[];
extern const Command *find_command(const char *name);

extern void scan_begin(Scan *scan, const Command *command, int argc,
					   char **argv);
extern int	scan_next(Scan *scan);
extern void scan_arguments(const Scan *scan, int least, int most);
extern void usage_error(const Command *command, const char *format,...)
			pg_attribute_printf(2, 3) __attribute__((noreturn));
extern void show_help(const Command *command);
extern int64 number_argument(const Scan *scan, int64 least, int64 most);
extern int	completion_main(int argc, char **argv);

#endif							/* MLMETA_COMMAND_H */
