/*-------------------------------------------------------------------------
 *
 * rice.h
 *		Lists of counts in few bits: Rice coding.
 *
 * Counts of bins are small and of one magnitude. A count v is written as
 * v >> k one-bits, a zero-bit, and the last k bits of v; k is the list's, the
 * one that makes it shortest (Golomb 1966, Rice and Plaunt 1971). From
 * RICE_ESCAPE one-bits on, the count follows by its length instead: so many
 * one-bits, its number of bits less one in six bits, its bits. Bits fill bytes
 * from the highest one, the last byte is filled with zeros.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_CORE_RICE_H
#define MLMETA_CORE_RICE_H

#include "core/compat.h"
#include "lib/stringinfo.h"

#define RICE_ESCAPE			16
#define RICE_MAX_PARAMETER	62

/* The k that makes n counts, none negative, shortest, and the bits they take */
extern int	rice_parameter(const int64 *counts, int n, uint64 *n_bits);

extern void rice_write(StringInfo out, const int64 *counts, int n, int k);

/*
 * Reads n counts from the bytes before end; returns where they stop, NULL if
 * there are too few bytes, or a count is not below 2^63.
 */
extern const char *rice_read(const char *bytes, const char *end, int64 *counts,
							 int n, int k);

#endif							/* MLMETA_CORE_RICE_H */
