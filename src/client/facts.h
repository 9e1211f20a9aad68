/*-------------------------------------------------------------------------
 *
 * facts.h
 *		Facts as lines, gathered into batches for the spool.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_FACTS_H
#define MLMETA_FACTS_H

#include "spool.h"

/* Points that are put into the spool at once */
#define POINTS_AT_ONCE	8192

/* Longest line that is read */
#define LINE_LIMIT		(1024 * 1024)

typedef struct Series
{
	char	   *key;
	char	   *context;
	uint64		hash;
	int64		next_step;		/* for points that say none */
	int			n;
	int			room;
	int64	   *steps;
	int64	   *times;
	double	   *values;
} Series;

/* What one stream of facts for one run gathers */
typedef struct Facts
{
	Spool	   *spool;
	char		run[RUN_TEXT_SIZE];
	Series	   *series;
	int			n_series;
	int			room;
	int			last;			/* the series found last */
	int			n_points;		/* gathered, not in the spool yet */
	int64		n_lines;		/* read */
	int64		n_bad;			/* not understood */
	char	   *first_bad;		/* the first of these, for people */
	bool		lasting;		/* all that was flushed is on disk */
} Facts;

extern Facts *facts_begin(Spool *spool, const char *run);
extern bool facts_add_point(Facts *facts, const char *key,
							const char *context, const int64 *step, int64 at,
							double value);
extern bool facts_add_line(Facts *facts, const char *line, size_t size);
extern void facts_add(Facts *facts, const char *kind, json_t *body);
extern void facts_flush(Facts *facts);
extern void facts_report_bad(const Facts *facts, const char *where);

extern bool parse_number(const char *text, double *value);
extern json_t *parse_value(const char *text);
extern bool split_assignment(const char *text, char **key, const char **value);

#endif							/* MLMETA_FACTS_H */
