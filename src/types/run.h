/*-------------------------------------------------------------------------
 *
 * run.h
 *		The type run: the identity of one execution of a training (or other)
 *		job, 16 bytes ordered by the time they were made.
 *
 * Ids that the server makes are version 7 UUIDs (RFC 9562). Ids from
 * elsewhere may be any 16 bytes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_TYPES_RUN_H
#define MLMETA_TYPES_RUN_H

#include "core/compat.h"
#include "port/pg_bswap.h"

#define RUN_SIZE			16
#define RUN_PREFIX			"run_"
#define RUN_PREFIX_SIZE		4
#define RUN_DIGITS			26
#define RUN_TEXT_SIZE		(RUN_PREFIX_SIZE + RUN_DIGITS)

/* What is stored: the same layout as uuid, any alignment */
typedef struct Run
{
	uint8		bytes[RUN_SIZE];
} Run;

#define DatumGetRun(datum)	((Run *) DatumGetPointer(datum))
#define RunGetDatum(run)	PointerGetDatum(run)
#define PG_GETARG_RUN(n)	DatumGetRun(PG_GETARG_DATUM(n))

/* Reads any accepted text form; false if it is none */
extern bool run_parse(const char *text, size_t size, Run *run);

/* Writes the canonical text and a zero byte: RUN_TEXT_SIZE + 1 bytes */
extern void run_format(const Run *run, char *text);

/* The first and the last eight bytes as numbers that order like the bytes */
static inline uint64
run_half(const Run *run, int half)
{
	uint64		bits;

	memcpy(&bits, run->bytes + 8 * half, sizeof(bits));
	return pg_ntoh64(bits);
}

static inline int
run_compare(const Run *a, const Run *b)
{
	return memcmp(a->bytes, b->bytes, RUN_SIZE);
}

#endif							/* MLMETA_TYPES_RUN_H */
