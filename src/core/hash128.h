/*-------------------------------------------------------------------------
 *
 * hash128.h
 *		A 128-bit hash of bytes that never changes: SipHash-2-4 with 128-bit
 *		output and a fixed key.
 *
 * Used where a hash is stored or compared across servers: fingerprints of
 * rows, content hashes of grids, long categories. Source: J.-P. Aumasson and
 * D. J. Bernstein, "SipHash: a fast short-input PRF", 2012; its published
 * vectors for the 128-bit output are in the tests.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_CORE_HASH128_H
#define MLMETA_CORE_HASH128_H

#include "core/compat.h"

typedef struct Hash128
{
	uint64		low;
	uint64		high;
} Hash128;

/* The key that all stored hashes use; a part of the storage format */
extern const Hash128 hash128_key;

extern Hash128 hash128_keyed(const void *data, size_t size, Hash128 key);

static inline Hash128
hash128(const void *data, size_t size)
{
	return hash128_keyed(data, size, hash128_key);
}

static inline bool
hash128_equal(Hash128 a, Hash128 b)
{
	return a.low == b.low && a.high == b.high;
}

#endif							/* MLMETA_CORE_HASH128_H */
