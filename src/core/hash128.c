/*-------------------------------------------------------------------------
 *
 * hash128.c
 *		SipHash-2-4 with 128-bit output.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "core/hash128.h"
#include "port/pg_bitutils.h"


/* The ASCII bytes "mlmeta hash key1", read as two little-endian words */
const Hash128 hash128_key = {
	UINT64CONST(0x68206174656d6c6d), UINT64CONST(0x3179656b20687361)
};

static inline uint64
rotate_left(uint64 word, int n)
{
	return (word << n) | (word >> (64 - n));
}

static inline void
sip_round(uint64 v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate_left(v[1], 13) ^ v[0];
	v[3] = rotate_left(v[3], 16) ^ v[2];
	v[0] = rotate_left(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate_left(v[1], 17) ^ v[2];
	v[3] = rotate_left(v[3], 21) ^ v[0];
	v[2] = rotate_left(v[2], 32);
}

/* Up to eight bytes as a little-endian word, on any platform */
static inline uint64
load_word(const uint8 *bytes, int n)
{
	uint64		word = 0;

#ifndef WORDS_BIGENDIAN
	if (n == 8)
	{
		memcpy(&word, bytes, 8);
		return word;
	}
#endif
	for (int i = 0; i < n; i++)
		word |= (uint64) bytes[i] << (8 * i);
	return word;
}

Hash128
hash128_keyed(const void *data, size_t size, Hash128 key)
{
	const uint8 *bytes = data;
	size_t		whole = size & ~(size_t) 7;
	uint64		word;
	Hash128		result;
	uint64		v[4];

	v[0] = key.low ^ UINT64CONST(0x736f6d6570736575);
	v[1] = key.high ^ UINT64CONST(0x646f72616e646f6d) ^ 0xee;
	v[2] = key.low ^ UINT64CONST(0x6c7967656e657261);
	v[3] = key.high ^ UINT64CONST(0x7465646279746573);

	for (size_t i = 0; i < whole; i += 8)
	{
		word = load_word(bytes + i, 8);
		v[3] ^= word;
		sip_round(v);
		sip_round(v);
		v[0] ^= word;
	}

	word = load_word(bytes + whole, (int) (size - whole)) |
		(uint64) size << 56;
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;

	v[2] ^= 0xee;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	result.low = v[0] ^ v[1] ^ v[2] ^ v[3];

	v[1] ^= 0xdd;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	result.high = v[0] ^ v[1] ^ v[2] ^ v[3];
	return result;
}
