/*-------------------------------------------------------------------------
 *
 * options.c
 *		Parsing of 'key=value' options and of choices.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <ctype.h>
#include <math.h>

#include "lib/stringinfo.h"
#include "stats/options.h"
#include "utils/builtins.h"

static char *
list_choices(const char *const *choices)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; choices[i] != NULL; i++)
		appendStringInfo(&buf, "%s\"%s\"", i > 0 ? ", " : "", choices[i]);
	return buf.data;
}

static char *
list_keys(const OptionSpec *specs, int n_specs)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < n_specs; i++)
		appendStringInfo(&buf, "%s\"%s\"", i > 0 ? ", " : "", specs[i].key);
	return buf.data;
}

int
choice_parse(const char *function_name, const char *argument,
			 const char *value, const char *const *choices)
{
	for (int i = 0; choices[i] != NULL; i++)
		if (pg_strcasecmp(value, choices[i]) == 0)
			return i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s: unknown %s \"%s\"", function_name, argument, value),
			 errhint("It may be %s.", list_choices(choices))));
}

static void
bad_number(const char *function_name, const OptionSpec *spec,
		   const char *value)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s: \"%s\" is no value for option \"%s\"",
					function_name, value, spec->key),
			 spec->kind == OPTION_FLOATS ?
			 errhint("It must be up to %d numbers from %g to %g.",
					 OPTION_MAX_FLOATS, spec->low, spec->high) :
			 errhint("It must be %s from %g to %g.",
					 spec->kind == OPTION_INT ? "an integer" : "a number",
					 spec->low, spec->high)));
}

static void
set_option(const char *function_name, const OptionSpec *spec,
		   const char *value)
{
	static const char *const booleans[] = {"off", "on", "false", "true", NULL};
	double		number;
	char	   *stop;
	OptionFloats *list;

	switch (spec->kind)
	{
		case OPTION_BOOL:
			*(bool *) spec->target =
				choice_parse(function_name, spec->key, value, booleans) % 2;
			break;
		case OPTION_CHOICE:
			*(int *) spec->target =
				choice_parse(function_name, spec->key, value, spec->choices);
			break;
		case OPTION_INT:
		case OPTION_FLOAT:
		case OPTION_FLOATS:
			number = strtod(value, &stop);
			if (*value == '\0' || *stop != '\0' ||
				!(number >= spec->low && number <= spec->high) ||
				(spec->kind == OPTION_INT && number != floor(number)))
				bad_number(function_name, spec, value);
			if (spec->kind == OPTION_INT)
				*(int *) spec->target = (int) number;
			else if (spec->kind == OPTION_FLOAT)
				*(double *) spec->target = number;
			else
			{
				list = spec->target;
				if (list->n == OPTION_MAX_FLOATS)
					bad_number(function_name, spec, value);
				list->values[list->n++] = number;
			}
			break;
	}
}

static bool
is_separator(char c)
{
	return c == ',' || isspace((unsigned char) c);
}

void
options_parse(const char *function_name, const char *options, size_t size,
			  const OptionSpec *specs, int n_specs)
{
	char	   *copy = pnstrdup(options, size);
	char	   *cursor = copy;
	const OptionSpec *list = NULL;
	uint64		seen = 0;

	Assert(n_specs <= 64);
	for (;;)
	{
		char	   *key;
		char	   *equals;
		int			i;

		while (is_separator(*cursor))
			cursor++;
		if (*cursor == '\0')
			break;
		key = cursor;
		while (*cursor != '\0' && !is_separator(*cursor))
			cursor++;
		if (*cursor != '\0')
			*cursor++ = '\0';

		equals = strchr(key, '=');
		if (equals == NULL && list != NULL)
		{
			set_option(function_name, list, key);
			continue;
		}
		list = NULL;
		if (equals != NULL)
			*equals = '\0';
		for (i = 0; i < n_specs; i++)
			if (pg_strcasecmp(key, specs[i].key) == 0)
				break;
		if (equals == NULL || i == n_specs)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 equals == NULL ?
					 errmsg("%s: option \"%s\" has no value",
							function_name, key) :
					 errmsg("%s: unknown option \"%s\"", function_name, key),
					 n_specs == 0 ? errhint("It knows no options.") :
					 errhint("Options are written key=value, separated by "
							 "spaces; known keys are %s.",
							 list_keys(specs, n_specs))));
		if (seen & (UINT64CONST(1) << i))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s: option \"%s\" is given twice",
							function_name, key)));
		seen |= UINT64CONST(1) << i;
		if (specs[i].kind == OPTION_FLOATS)
		{
			list = &specs[i];
			((OptionFloats *) list->target)->n = 0;
		}
		set_option(function_name, &specs[i], equals + 1);
	}
	pfree(copy);
}
