/*-------------------------------------------------------------------------
 *
 * takeover_summaries.h
 *		The test of single values over frequency tables and histograms.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_ALARMS_TAKEOVER_SUMMARIES_H
#define MLMETA_STATS_ALARMS_TAKEOVER_SUMMARIES_H

#include "core/compat.h"
#include "stats/alarms/takeover.h"
#include "stats/summaries/frequencies.h"
#include "stats/summaries/histogram.h"

/*
 * Over the values of two tables; where a detached one takes part, both must be
 * on one baseline (the caller's duty). Of a value that the reference may have
 * let go the most that it can have had counts; of new values those that are
 * known, and that the most frequent of the others has its share of them. *value
 * is the value for display, NULL where that is unknown.
 */
extern Takeover takeover_of_tables(FrequencyTable *reference,
								   FrequencyTable *current, char **value);

/* Over the bins of two histograms on one grid; *value names the bin */
extern Takeover takeover_of_histograms(const Histogram *reference,
									   const Histogram *current,
									   char **value);

#endif							/* MLMETA_STATS_ALARMS_TAKEOVER_SUMMARIES_H */
