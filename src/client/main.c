/*-------------------------------------------------------------------------
 *
 * main.c
 *		mlmeta: the program. One table of commands.
 *
 *-------------------------------------------------------------------------
 */
#include "command.h"

#include <signal.h>

extern const Command run_command;
extern const Command log_command;
extern const Command sync_command;
extern const Command reproduce_command;
extern const Command diff_command;
extern const Command retrain_command;
extern const Command runs_command;
extern const Command show_command;
extern const Command compare_command;
extern const Command lineage_command;
extern const Command models_command;
extern const Command promote_command;
extern const Command approve_command;
extern const Command alerts_command;
extern const Command check_command;
extern const Command report_command;
extern const Command deliver_command;
extern const Command doctor_command;
extern const Command serve_command;

const Command *const commands[] = {
	&run_command,
	&log_command,
	&sync_command,
	&reproduce_command,
	&diff_command,
	&retrain_command,
	&runs_command,
	&show_command,
	&compare_command,
	&lineage_command,
	&models_command,
	&promote_command,
	&approve_command,
	&alerts_command,
	&check_command,
	&report_command,
	&deliver_command,
	&doctor_command,
	&serve_command,
	NULL
};

const Command *
find_command(const char *name)
{
	for (int i = 0; commands[i] != NULL; i++)
	{
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

static void
show_usage(void)
{
	printf("mlmeta tracks trainings, reproduces them, and works with models "
		   "and monitors in PostgreSQL.\n\n"
		   "Usage:\n  mlmeta COMMAND [OPTION]... [ARGUMENT]...\n\nCommands:\n");
	for (int i = 0; commands[i] != NULL; i++)
		printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
	printf("\nOther:\n"
		   "  completion bash|zsh|fish   print the completions for a shell\n"
		   "  --help                     show this help, then exit\n"
		   "  --version                  output version information, then "
		   "exit\n"
		   "\n\"mlmeta COMMAND --help\" tells a command's options; the manual "
		   "page, all the rest.\n");
}

int
main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	const Command *command;

	/* NO_COLOR is for all programs; PG_COLOR is how PostgreSQL's know it */
	if (getenv("NO_COLOR") != NULL && *getenv("NO_COLOR") != '\0')
		setenv("PG_COLOR", "never", 1);
	pg_logging_init(argv[0]);
	signal(SIGPIPE, SIG_IGN);

	if (strcmp(name, "help") == 0 && argc > 2)
	{
		command = find_command(argv[2]);
		if (command != NULL)
		{
			show_help(command);
			return 0;
		}
		name = argv[2];
	}
	else if (strcmp(name, "--help") == 0 || strcmp(name, "-?") == 0
			 || strcmp(name, "help") == 0)
	{
		show_usage();
		return 0;
	}
	else if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
	{
		printf("mlmeta %s\n", MLMETA_VERSION);
		return 0;
	}
	else if (strcmp(name, "completion") == 0)
		return completion_main(argc - 1, argv + 1);
	else if ((command = find_command(name)) != NULL)
		return command->run(command, argc - 1, argv + 1);

	if (*name == '\0')
		pg_log_error("a command is missing");
	else
		pg_log_error("there is no command \"%s\"", name);
	pg_log_error_hint("Try \"mlmeta --help\" for more information.");
	return EXIT_USAGE;
}
