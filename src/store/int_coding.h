/*-------------------------------------------------------------------------
 *
 * int_coding.h
 *		Sequences of 64-bit integers in few bits, and the bits themselves.
 *
 * A sequence is coded as what a simple predictor leaves over, in blocks that
 * each choose their code. doc/storage-format.md has the layout.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STORE_INT_CODING_H
#define MLMETA_STORE_INT_CODING_H

#include "core/compat.h"
#include "lib/stringinfo.h"

/* Bits fill bytes from the lowest upwards. */
typedef struct BitWriter
{
	StringInfo	out;
	uint64		word;			/* bits not yet in out */
	int			n_bits;			/* of them, below 64 */
} BitWriter;

extern void bits_begin(BitWriter *writer, StringInfo out);
extern void bits_put_word(BitWriter *writer);
extern void bits_put_varint(BitWriter *writer, uint64 value);
extern void bits_put_signed(BitWriter *writer, int64 value);
extern void bits_finish(BitWriter *writer);

/* Appends the n_bits low bits of value, 0 to 64; the others must be zero. */
static inline void
bits_put(BitWriter *writer, uint64 value, int n_bits)
{
	int			room = 64 - writer->n_bits;

	writer->word |= value << writer->n_bits;
	if (likely(n_bits < room))
	{
		writer->n_bits += n_bits;
		return;
	}
	bits_put_word(writer);
	writer->word = room < 64 ? value >> room : 0;
	writer->n_bits = n_bits - room;
}

/*
 * Reading stops with an error at the end: 22P03, with a sentence of detail.
 */
typedef struct BitReader
{
	const uint8 *bytes;			/* a copy, zeroes follow it */
	uint64		position;		/* in bits */
	uint64		end;
} BitReader;

extern void bits_open(BitReader *reader, const char *data, size_t size);
extern void bits_close(BitReader *reader);
extern uint64 bits_get(BitReader *reader, int n_bits);
extern uint64 bits_get_varint(BitReader *reader);
extern int64 bits_get_signed(BitReader *reader);
extern void series_corrupt(const char *detail);

/* How a sequence is to be written, and how many bits that takes */
typedef struct IntPlan
{
	uint8		predictor;
	bool		exact;			/* nothing is left over */
	uint64		unit;			/* divides all differences */
	int64		first;
	int64		slope;			/* see int_coding.c */
	int64		base;
	uint64		n_bits;
} IntPlan;

extern void int_plan(IntPlan *plan, const int64 *values, int n);
extern void int_put(BitWriter *writer, const IntPlan *plan,
					const int64 *values, int n);
extern void int_get(BitReader *reader, int64 *values, int n);

static inline int
varint_bits(uint64 value)
{
	int			n = 8;

	while (value >= 0x80)
	{
		value >>= 7;
		n += 8;
	}
	return n;
}

static inline uint64
zigzag(int64 value)
{
	return ((uint64) value << 1) ^ (uint64) (value < 0 ? -1 : 0);
}

static inline int64
unzigzag(uint64 value)
{
	return (int64) (value >> 1) ^ -(int64) (value & 1);
}

#endif							/* MLMETA_STORE_INT_CODING_H */
