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

/*
 * The same hash of bytes that arrive piece by piece: begin, put any number of
 * times, end. How the bytes are cut into pieces does not matter.
 */
#define HASH128_BUFFER_SIZE	1024

typedef struct Hash128Stream
{
	uint64		v[4];
	uint64		size;			/* bytes that went into v */
	size_t		used;			/* bytes that wait in buffer */
	uint8		buffer[HASH128_BUFFER_SIZE];
} Hash128Stream;

extern void hash128_begin(Hash128Stream *stream, Hash128 key);
extern void hash128_put_long(Hash128Stream *stream, const void *data,
							 size_t size);
extern Hash128 hash128_end(Hash128Stream *stream);

static inline void
hash128_put(Hash128Stream *stream, const void *data, size_t size)
{
	if (likely(size <= HASH128_BUFFER_SIZE - stream->used))
	{
		memcpy(stream->buffer + stream->used, data, size);
		stream->used += size;
	}
	else
		hash128_put_long(stream, data, size);
}

/* The 16 bytes of a hash, as published vectors and stored forms have them */
extern void hash128_to_bytes(Hash128 hash, uint8 *bytes);
extern Hash128 hash128_from_bytes(const uint8 *bytes);

static inline bool
hash128_equal(Hash128 a, Hash128 b)
{
	return a.low == b.low && a.high == b.high;
}

#endif							/* MLMETA_CORE_HASH128_H */
