/*-------------------------------------------------------------------------
 *
 * options.h
 *		The one "options text" argument of aggregates over rows, such as
 *		'alternative=less method=exact'.
 *
 * PostgreSQL allows neither named notation nor defaults in aggregate calls;
 * this is what stands for them. Pairs are separated by white space or commas;
 * so are the numbers of a list.
 * Each test declares what it knows as a table; an unknown key or a bad value
 * is an error that lists what is known.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_OPTIONS_H
#define MLMETA_STATS_OPTIONS_H

#include "core/compat.h"

typedef enum OptionKind
{
	OPTION_BOOL,				/* on, off, true, false -> bool */
	OPTION_INT,					/* -> int, within [low, high] */
	OPTION_FLOAT,				/* -> double, finite, within [low, high] */
	OPTION_CHOICE,				/* one of choices -> int, its index */
	OPTION_FLOATS				/* such as 0.4,0.8 -> OptionFloats */
} OptionKind;

#define OPTION_MAX_FLOATS	8

/* A list of numbers, each finite and within [low, high] */
typedef struct OptionFloats
{
	int			n;
	double		values[OPTION_MAX_FLOATS];
} OptionFloats;

typedef struct OptionSpec
{
	const char *key;
	OptionKind	kind;
	void	   *target;			/* holds the default before parsing */
	double		low;
	double		high;
	const char *const *choices; /* OPTION_CHOICE: ends with NULL */
} OptionSpec;

/*
 * Parses options (size bytes) into the targets. Raises 22023, naming
 * function_name, for unknown keys, bad values and repeated keys.
 */
extern void options_parse(const char *function_name, const char *options,
						  size_t size, const OptionSpec *specs, int n_specs);

/* The index of value in choices; raises 22023 naming the argument */
extern int	choice_parse(const char *function_name, const char *argument,
						 const char *value, const char *const *choices);

#endif							/* MLMETA_STATS_OPTIONS_H */
