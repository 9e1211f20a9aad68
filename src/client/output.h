/*-------------------------------------------------------------------------
 *
 * output.h
 *		Answers: tables for people, JSON for machines.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_OUTPUT_H
#define MLMETA_OUTPUT_H

#include "connection.h"

#define COLOUR_RED		"31"
#define COLOUR_GREEN	"32"
#define COLOUR_YELLOW	"33"
#define COLOUR_BOLD		"1"

extern bool use_colours(void);
extern const char *colour(const char *code);
extern const char *no_colour(void);

/*
 * What a query gives: a table, or with json an array of objects, on standard
 * output. Returns how many rows there are.
 */
extern int	show_query(PGconn *connection, bool json, const char *title,
					   const char *sql, int n, const char *const *values);

#endif							/* MLMETA_OUTPUT_H */
