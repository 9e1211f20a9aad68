/*-------------------------------------------------------------------------
 *
 * hash128.c
 *		SipHash-2-4 with 128-bit output.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "core/hash128.h"

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

/* Takes in whole words; size is a multiple of eight. */
static inline void
absorb(uint64 state[4], const uint8 *bytes, size_t size)
{
	uint64		v[4];

	memcpy(v, state, sizeof(v));
	for (size_t i = 0; i < size; i += 8)
	{
		uint64		word = load_word(bytes + i, 8);

		v[3] ^= word;
		sip_round(v);
		sip_round(v);
		v[0] ^= word;
	}
	memcpy(state, v, sizeof(v));
}

static inline void
start(uint64 v[4], Hash128 key)
{
	v[0] = key.low ^ UINT64CONST(0x736f6d6570736575);
	v[1] = key.high ^ UINT64CONST(0x646f72616e646f6d) ^ 0xee;
	v[2] = key.low ^ UINT64CONST(0x6c7967656e657261);
	v[3] = key.high ^ UINT64CONST(0x7465646279746573);
}

/* The last, up to seven bytes, then the end; size is that of all bytes. */
static inline Hash128
finish(const uint64 state[4], const uint8 *rest, uint64 size)
{
	uint64		word = load_word(rest, (int) (size & 7)) | size << 56;
	uint64		v[4];
	Hash128		result;

	memcpy(v, state, sizeof(v));
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

Hash128
hash128_keyed(const void *data, size_t size, Hash128 key)
{
	const uint8 *bytes = data;
	size_t		whole = size & ~(size_t) 7;
	uint64		v[4];

	start(v, key);
	absorb(v, bytes, whole);
	return finish(v, bytes + whole, size);
}

void
hash128_begin(Hash128Stream *stream, Hash128 key)
{
	start(stream->v, key);
	stream->size = 0;
	stream->used = 0;
}

/* What does not fit in the buffer: fills and empties it, takes in the rest */
void
hash128_put_long(Hash128Stream *stream, const void *data, size_t size)
{
	const uint8 *bytes = data;
	size_t		part = Min(size, HASH128_BUFFER_SIZE - stream->used);

	memcpy(stream->buffer + stream->used, bytes, part);
	stream->used += part;
	if (stream->used < HASH128_BUFFER_SIZE)
		return;
	absorb(stream->v, stream->buffer, HASH128_BUFFER_SIZE);
	bytes += part;
	size -= part;

	part = size & ~(size_t) (HASH128_BUFFER_SIZE - 1);
	absorb(stream->v, bytes, part);
	stream->size += HASH128_BUFFER_SIZE + part;
	stream->used = size - part;
	memcpy(stream->buffer, bytes + part, stream->used);
}

Hash128
hash128_end(Hash128Stream *stream)
{
	size_t		whole = stream->used & ~(size_t) 7;

	absorb(stream->v, stream->buffer, whole);
	return finish(stream->v, stream->buffer + whole,
				  stream->size + stream->used);
}

void
hash128_to_bytes(Hash128 hash, uint8 *bytes)
{
	for (int i = 0; i < 8; i++)
	{
		bytes[i] = (uint8) (hash.low >> (8 * i));
		bytes[8 + i] = (uint8) (hash.high >> (8 * i));
	}
}

Hash128
hash128_from_bytes(const uint8 *bytes)
{
	Hash128		hash;

	hash.low = load_word(bytes, 8);
	hash.high = load_word(bytes + 8, 8);
	return hash;
}
