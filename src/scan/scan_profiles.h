/*-------------------------------------------------------------------------
 *
 * scan_profiles.h
 *		Profiles of a relation's rows by window of time and by segment: what
 *		a monitor's check reads, in one scan.
 *
 * The rows are those of
 *
 *		SELECT width_bucket(s.TIME, WINDOWS), (SEGMENT)::text, ..., count(*),
 *			profile(f, BASELINE)
 *		FROM RELATION AS s CROSS JOIN LATERAL (SELECT s.FEATURE, ...) AS f
 *		WHERE s.TIME >= the first of WINDOWS AND s.TIME < the last
 *		GROUP BY 1, (SEGMENT), ...
 *
 * by pages where the planner would read row by row, and otherwise by just this
 * query. Windows are given by their borders, in ascending order: n + 1 of them
 * for n windows. Rows whose time is NULL or outside are left out. Segments are
 * expressions over the columns of s.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_SCAN_SCAN_PROFILES_H
#define MLMETA_SCAN_SCAN_PROFILES_H

#include "core/compat.h"
#include "datatype/timestamp.h"
#include "scan/source.h"
#include "stats/summaries/profile.h"

#define SCAN_MAX_SEGMENTS	8

/*
 * Summaries of one scan: features times windows and segments that have rows.
 * On 240 bins each takes some 5 kB.
 */
#define SCAN_MAX_SUMMARIES	100000

typedef struct ScanGroup
{
	int			window;			/* from 1; 1 where there are no times */
	const char *segments[SCAN_MAX_SEGMENTS];	/* NULL: of NULLs */
	Profile    *profile;
} ScanGroup;

/* Receives a group of rows; the current context is reset behind it */
typedef void (*ScanReceiver) (const ScanGroup *group, void *argument);

typedef struct ScanRequest
{
	ScanSource *source;			/* relation, features, time column */
	int			n_borders;		/* 0: no windows */
	const TimestampTz *borders;
	int			n_segments;
	const char **segments;		/* expressions, as SQL */
	Profile    *baseline;		/* settled; NULL: bins of each group's own */
	bool		detached;		/* profiles are received detached */
} ScanRequest;

/*
 * The tables if they can be read by pages, as source_tables(), else NIL and the
 * reason. Checks the rights of the user, and sets the source's bounds. Raises
 * what parsing the segments raises.
 */
extern List *scan_profiles_tables(const ScanRequest *request,
								  const char **reason);

/*
 * Reads these tables and hands on each group, in the order of windows and then
 * of their first rows. Raises 54000 beyond SCAN_MAX_SUMMARIES.
 */
extern void scan_profiles_by_pages(const ScanRequest *request,
								   const List *tables, ScanReceiver receive,
								   void *argument);

#endif							/* MLMETA_SCAN_SCAN_PROFILES_H */
