/*-------------------------------------------------------------------------
 *
 * output.c
 *		Answers: tables for people, JSON for machines.
 *
 * Tables are printed by psql's own routines: aligned, paged on a terminal.
 *
 *-------------------------------------------------------------------------
 */
#include "output.h"

#include <unistd.h>

#include "fe_utils/print.h"
#include "mb/pg_wchar.h"

/* Whether to use colours: on a terminal, unless NO_COLOR says no */
bool
use_colours(void)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && (no == NULL || *no == '\0')
		&& (term == NULL || strcmp(term, "dumb") != 0);
}

/* The sequence that begins a colour; empty where there are none */
const char *
colour(const char *code)
{
	static char sequences[4][16];
	static int	next = 0;
	char	   *sequence = sequences[next++ % 4];

	if (!use_colours())
		return "";
	snprintf(sequence, sizeof(sequences[0]), "\033[%sm", code);
	return sequence;
}

const char *
no_colour(void)
{
	return use_colours() ? "\033[0m" : "";
}

/* Words that colour the row they are in, wherever in it they stand */
static const char *
row_colour(const PGresult *result, int row)
{
	static const char *const bad[] = {"failed", "crashed", "killed", "drift",
	"critical", "rejected", "refused", NULL};
	static const char *const good[] = {"production", "running", NULL};

	for (int i = 0; i < PQnfields(result); i++)
	{
		const char *value = PQgetvalue(result, row, i);

		for (const char *const *word = bad; *word != NULL; word++)
		{
			if (strcmp(value, *word) == 0)
				return COLOUR_RED;
		}
		for (const char *const *word = good; *word != NULL; word++)
		{
			if (strcmp(value, *word) == 0)
				return COLOUR_GREEN;
		}
	}
	return NULL;
}

/*
 * Print the table that was drawn, with colours for the rows that have one:
 * the routines that draw would count a colour's bytes as columns.
 */
static void
print_coloured(const PGresult *result, const char *text, int title_lines,
			   FILE *to)
{
	int			line = 0;

	for (const char *at = text; *at != '\0'; line++)
	{
		size_t		size = strcspn(at, "\n");
		int			row = line - title_lines - 2;
		const char *code = row >= 0 && row < PQntuples(result) ?
			row_colour(result, row) : NULL;

		if (row < 0)
			code = COLOUR_BOLD;
		fprintf(to, "%s%.*s%s%s", code == NULL ? "" : colour(code), (int) size,
				at, code == NULL ? "" : no_colour(), at[size] == '\0' ? "" :
				"\n");
		at += size + (at[size] != '\0');
	}
}

static bool
has_newline(const PGresult *result)
{
	for (int row = 0; row < PQntuples(result); row++)
	{
		for (int i = 0; i < PQnfields(result); i++)
		{
			if (strchr(PQgetvalue(result, row, i), '\n') != NULL)
				return true;
		}
	}
	return false;
}

static void
print_table(const PGresult *result, const char *title)
{
	printQueryOpt options = {0};
	char	   *text = NULL;
	size_t		size = 0;
	FILE	   *drawn;
	FILE	   *to;

	options.topt.format = PRINT_ALIGNED;
	options.topt.border = 1;
	options.topt.pager = 1;
	options.topt.default_footer = true;
	options.topt.start_table = true;
	options.topt.stop_table = true;
	options.topt.encoding = PG_UTF8;
	options.title = unconstify(char *, title);
	if (!use_colours() || has_newline(result))
	{
		printQuery(result, &options, stdout, false, NULL);
		return;
	}
	drawn = open_memstream(&text, &size);
	if (drawn == NULL)
		pg_fatal("out of memory");
	printQuery(result, &options, drawn, true, NULL);
	fclose(drawn);
	to = PageOutput(PQntuples(result) + 5, &options.topt);
	print_coloured(result, text, title == NULL ? 0 : 1, to);
	ClosePager(to);
	free(text);
}

int
show_query(PGconn *connection, bool json, const char *title, const char *sql,
		   int n, const char *const *values)
{
	PGresult   *result;
	int			rows;

	if (json)
	{
		char	   *wrapped = psprintf("SELECT "
									   "coalesce(pg_catalog.json_agg(q), "
									   "'[]'), count(*) FROM (%s) AS q",
									   sql);

		result = query(connection, wrapped, n, values);
		rows = atoi(PQgetvalue(result, 0, 1));
		printf("%s\n", PQgetvalue(result, 0, 0));
		pg_free(wrapped);
	}
	else
	{
		result = query(connection, sql, n, values);
		rows = PQntuples(result);
		print_table(result, title);
	}
	PQclear(result);
	return rows;
}
