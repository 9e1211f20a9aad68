/*-------------------------------------------------------------------------
 *
 * series.h
 *		Packed metric series: steps, times and values of points as bytes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STORE_SERIES_H
#define MLMETA_STORE_SERIES_H

#include "core/compat.h"
#include "datatype/timestamp.h"

/* Points of one packed series; bounds what a few forged bytes can unfold to */
#define SERIES_MAX_POINTS	(1 << 20)

typedef struct Series
{
	int			n;
	int64	   *steps;
	TimestampTz *times;
	double	   *points;
} Series;

/* In the order given, bit for bit; allocated in the current context */
extern bytea *series_pack(const Series *series);

/* Raises 22P03 for whatever series_pack() did not make. */
extern void series_unpack(Series *series, bytea *packed);

/* The number of points alone; the rest of the bytes may still be invalid */
extern int	series_length(bytea *packed);

#endif							/* MLMETA_STORE_SERIES_H */
