/*-------------------------------------------------------------------------
 *
 * command.c
 *		Command lines: one table of options per command serves getopt_long(),
 *		--help and the completions of shells.
 *
 *-------------------------------------------------------------------------
 */
#include "command.h"

#include <getopt.h>

/* Every command that connects has these, as psql has */
static const Option connection_options[] = {
	{"host", 'h', "HOSTNAME", "database server host or socket directory"},
	{"port", 'p', "PORT", "database server port"},
	{"username", 'U', "USERNAME", "database user name"},
	{"dbname", 'd', "DBNAME", "database, connection string or URI"},
	{"no-password", 'w', NULL, "never prompt for password"},
	{NULL}
};

static const Option help_option[] = {
	{"help", '?', NULL, "show this help, then exit"},
	{NULL}
};

/* The lists of a command's options */
static void
option_lists(const Command *command, const Option *lists[3])
{
	int			n = 0;

	if (command->options != NULL)
		lists[n++] = command->options;
	lists[n++] = help_option;
	if (command->connects)
		lists[n++] = connection_options;
	while (n < 3)
		lists[n++] = NULL;
}

void
scan_begin(Scan *scan, const Command *command, int argc, char **argv)
{
	const Option *lists[3];
	PQExpBufferData letters;
	int			n = 0;

	memset(scan, 0, sizeof(Scan));
	scan->command = command;
	scan->argc = argc;
	scan->argv = argv;
	scan->longs = pg_malloc0(sizeof(struct option) * 64);
	initPQExpBuffer(&letters);
	/* A leading "+" ends options at the first argument, ":" tells errors */
	appendPQExpBufferStr(&letters, command->stops_early ? "+:" : ":");
	option_lists(command, lists);
	for (int i = 0; i < 3 && lists[i] != NULL; i++)
	{
		for (const Option *o = lists[i]; o->name != NULL; o++)
		{
			Assert(n < 63);
			scan->longs[n].name = o->name;
			scan->longs[n].has_arg = o->argument == NULL ? no_argument :
				required_argument;
			scan->longs[n++].val = o->id;
			if (o->id < FIRST_LONG)
				appendPQExpBuffer(&letters, "%c%s", o->id,
								  o->argument == NULL ? "" : ":");
		}
	}
	scan->letters = letters.data;
	optind = 1;
	opterr = 0;
}

/*
 * The id of the next option, its argument in scan->value; -1 at the end, when
 * scan->rest has the arguments. Options of all commands are dealt with here.
 */
int
scan_next(Scan *scan)
{
	int			id = getopt_long(scan->argc, scan->argv, scan->letters,
								 scan->longs, NULL);

	scan->value = optarg;
	switch (id)
	{
		case -1:
			scan->rest = scan->argv + optind;
			scan->n_rest = scan->argc - optind;
			free(scan->letters);
			pg_free(scan->longs);
			return -1;
		case ':':
			usage_error(scan->command, "option \"%s\" needs an argument",
						scan->argv[optind - 1]);
		case '?':
			/* getopt_long() says the same of an option it does not know */
			if (optopt == 0 || optopt == '?')
			{
				const char *given = scan->argv[optind - 1];

				if (strncmp(given, "--he", 4) == 0 || strcmp(given, "-?") == 0)
				{
					show_help(scan->command);
					exit(0);
				}
				usage_error(scan->command, "there is no option \"%s\"", given);
			}
			usage_error(scan->command, "there is no option \"-%c\"", optopt);
		case 'h':
		case 'p':
		case 'U':
		case 'd':
		case 'w':
			if (!scan->command->connects)
				return id;
			if (id == 'h')
				scan->connection.host = optarg;
			else if (id == 'p')
				scan->connection.port = optarg;
			else if (id == 'U')
				scan->connection.user = optarg;
			else if (id == 'd')
				scan->connection.dbname = optarg;
			else
				scan->connection.never_prompt = true;
			return scan_next(scan);
		default:
			return id;
	}
}

/* Exits unless there are so many arguments; most < 0: any number. */
void
scan_arguments(const Scan *scan, int least, int most)
{
	if (scan->n_rest < least)
		usage_error(scan->command, "an argument is missing: %s",
					scan->command->arguments);
	if (most >= 0 && scan->n_rest > most)
		usage_error(scan->command, "there is an argument too many: \"%s\"",
					scan->rest[most]);
}

void
usage_error(const Command *command, const char *format,...)
{
	va_list		arguments;
	char		message[1024];

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	pg_log_error("%s", message);
	pg_log_error_hint("Try \"mlmeta %s --help\" for more information.",
					  command->name);
	exit(EXIT_USAGE);
}

/* The number in scan->value; exits when it is none, or out of range. */
int64
number_argument(const Scan *scan, int64 least, int64 most)
{
	char	   *end;
	long long	value;

	errno = 0;
	value = strtoll(scan->value, &end, 10);
	if (end == scan->value || *end != '\0' || errno != 0
		|| value < least || value > most)
		usage_error(scan->command,
					"\"%s\" is no number between %lld and %lld", scan->value,
					(long long) least, (long long) most);
	return value;
}

static void
show_options(const char *title, const Option *options)
{
	printf("\n%s:\n", title);
	for (const Option *o = options; o->name != NULL; o++)
	{
		char	   *left = psprintf("%s--%s%s%s", o->id < FIRST_LONG ?
									psprintf("-%c, ", o->id) : "    ", o->name,
									o->argument == NULL ? "" : "=",
									o->argument == NULL ? "" : o->argument);

		if (strlen(left) > 26)
			printf("  %s\n  %-26s %s\n", left, "", o->help);
		else
			printf("  %-26s %s\n", left, o->help);
	}
}

/* Help in the manner of psql's, on standard output */
void
show_help(const Command *command)
{
	printf("mlmeta %s %s.\n\nUsage:\n  mlmeta %s [OPTION]...%s%s\n",
		   command->name, command->summary, command->name,
		   *command->arguments == '\0' ? "" : " ", command->arguments);
	if (command->options != NULL)
		show_options("Options", command->options);
	show_options("Other", help_option);
	if (command->connects)
		show_options("Connection options", connection_options);
	if (command->details != NULL)
		printf("\n%s\n", command->details);
}

/* Completions ------------------------------------------------------------- */

static void
print_words(const Command *command, const char *separator)
{
	const Option *lists[3];

	option_lists(command, lists);
	for (int i = 0; i < 3 && lists[i] != NULL; i++)
	{
		for (const Option *o = lists[i]; o->name != NULL; o++)
			printf("--%s%s", o->name, separator);
	}
}

static void
complete_bash(void)
{
	printf("# Completion of mlmeta for bash; written by \"mlmeta completion "
		   "bash\".\n"
		   "_mlmeta()\n{\n"
		   "	local word=${COMP_WORDS[COMP_CWORD]} words=\"\" i\n"
		   "	if [ \"$COMP_CWORD\" -eq 1 ]\n	then\n		words=\"");
	for (int i = 0; commands[i] != NULL; i++)
		printf("%s%s", i == 0 ? "" : " ", commands[i]->name);
	printf(" --help --version\"\n	else\n"
		   "		# Behind \"run ... --\" everything is another program's.\n"
		   "		for ((i = 2; i < COMP_CWORD; i++))\n		do\n"
		   "			if [ \"${COMP_WORDS[i]}\" = -- ]\n			then\n"
		   "				COMPREPLY=($(compgen -A command -A file -- \"$word\"))\n"
		   "				return\n			fi\n		done\n"
		   "		case ${COMP_WORDS[1]} in\n");
	for (int i = 0; commands[i] != NULL; i++)
	{
		printf("			%s) words=\"", commands[i]->name);
		print_words(commands[i], " ");
		printf("\" ;;\n");
	}
	printf("		esac\n	fi\n"
		   "	case $word in\n"
		   "		-*) COMPREPLY=($(compgen -W \"$words\" -- \"$word\")) ;;\n"
		   "		*)\n"
		   "			if [ \"$COMP_CWORD\" -eq 1 ]\n			then\n"
		   "				COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
		   "			else\n"
		   "				COMPREPLY=($(compgen -A file -- \"$word\"))\n"
		   "			fi ;;\n	esac\n}\n"
		   "complete -o filenames -F _mlmeta mlmeta\n");
}

/* A text inside single quotes of zsh and fish */
static void
print_single_quoted(const char *text, const char *escaped)
{
	for (const char *c = text; *c != '\0'; c++)
	{
		if (*c == '\'')
			printf("%s", escaped);
		else if (strchr("[]:", *c) != NULL && *escaped == '\'')
			printf("\\%c", *c);
		else
			putchar(*c);
	}
}

static void
complete_zsh(void)
{
	printf("#compdef mlmeta\n"
		   "# Completion of mlmeta for zsh; written by \"mlmeta completion "
		   "zsh\".\n"
		   "_mlmeta()\n{\n	local -a commands\n	commands=(\n");
	for (int i = 0; commands[i] != NULL; i++)
	{
		printf("		'%s:", commands[i]->name);
		print_single_quoted(commands[i]->summary, "'\\''");
		printf("'\n");
	}
	printf("	)\n	if (( CURRENT == 2 ))\n	then\n"
		   "		_describe command commands\n		return\n	fi\n"
		   "	local command=$words[2]\n	shift words\n	(( CURRENT-- ))\n"
		   "	case $command in\n");
	for (int i = 0; commands[i] != NULL; i++)
	{
		const Option *lists[3];

		option_lists(commands[i], lists);
		printf("		%s) _arguments -S", commands[i]->name);
		for (int k = 0; k < 3 && lists[k] != NULL; k++)
		{
			for (const Option *o = lists[k]; o->name != NULL; o++)
			{
				printf(" \\\n			'*--%s%s[", o->name,
					   o->argument == NULL ? "" : "=");
				print_single_quoted(o->help, "'\\''");
				printf("]%s%s%s'", o->argument == NULL ? "" : ":",
					   o->argument == NULL ? "" : o->argument,
					   o->argument == NULL ? "" : ":_files");
			}
		}
		printf(" \\\n			'*:argument:_files' ;;\n");
	}
	printf("	esac\n}\n_mlmeta \"$@\"\n");
}

static void
complete_fish(void)
{
	printf("# Completion of mlmeta for fish; written by \"mlmeta completion "
		   "fish\".\n");
	for (int i = 0; commands[i] != NULL; i++)
	{
		const Option *lists[3];

		printf("complete -c mlmeta -n __fish_use_subcommand -f -a %s -d '",
			   commands[i]->name);
		print_single_quoted(commands[i]->summary, "\\'");
		printf("'\n");
		option_lists(commands[i], lists);
		for (int k = 0; k < 3 && lists[k] != NULL; k++)
		{
			for (const Option *o = lists[k]; o->name != NULL; o++)
			{
				printf("complete -c mlmeta -n '__fish_seen_subcommand_from %s' "
					   "-l %s%s -d '",
					   commands[i]->name, o->name,
					   o->argument == NULL ? "" : " -r");
				print_single_quoted(o->help, "\\'");
				printf("'\n");
			}
		}
	}
}

/* mlmeta completion SHELL: the completions for it, on standard output */
int
completion_main(int argc, char **argv)
{
	const char *shell = argc == 2 ? argv[1] : "";

	if (strcmp(shell, "bash") == 0)
		complete_bash();
	else if (strcmp(shell, "zsh") == 0)
		complete_zsh();
	else if (strcmp(shell, "fish") == 0)
		complete_fish();
	else
	{
		pg_log_error("usage: mlmeta completion bash|zsh|fish");
		return EXIT_USAGE;
	}
	return 0;
}
