/*-------------------------------------------------------------------------
 *
 * rice.c
 *		Rice coding of lists of counts.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "core/rice.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "port/pg_bswap.h"

/* The bits of the length of a count that is escaped, and of a count */
#define LENGTH_BITS		6
#define MAX_COUNT_BITS	63

/* ----------
 * Writing
 * ----------
 */

static inline int
bit_length(uint64 count)
{
	return count == 0 ? 1 : pg_leftmost_one_pos64(count) + 1;
}

static inline uint64
cost_of(uint64 count, int k)
{
	uint64		quotient = count >> k;

	return quotient < RICE_ESCAPE ? quotient + 1 + k :
		(uint64) (RICE_ESCAPE + LENGTH_BITS + bit_length(count));
}

/*
 * No parameter beyond the one of the mean can be better by more than it costs:
 * each bit more is one for every count. Below it any can be, where a few large
 * counts have made the mean.
 */
int
rice_parameter(const int64 *counts, int n, uint64 *n_bits)
{
	double		sum = 0;
	int			last;
	int			best = 0;

	for (int i = 0; i < n; i++)
		sum += (double) counts[i];
	last = bit_length((uint64) (sum / Max(n, 1)));
	last = Min(last, RICE_MAX_PARAMETER);
	*n_bits = PG_UINT64_MAX;
	for (int k = 0; k <= last; k++)
	{
		uint64		bits = 0;

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n && bits < *n_bits; i++)
			bits += cost_of((uint64) counts[i], k);
		if (bits < *n_bits)
		{
			*n_bits = bits;
			best = k;
		}
	}
	return best;
}

typedef struct BitWriter
{
	StringInfo	out;
	uint64		window;			/* the last bits, in its lowest places ... */
	int			n;				/* ... so many of them, below eight */
} BitWriter;

/* n <= 56 bits */
static void
put_bits(BitWriter *writer, uint64 bits, int n)
{
	writer->window = (writer->window << n) | bits;
	writer->n += n;
	while (writer->n >= 8)
	{
		writer->n -= 8;
		appendStringInfoCharMacro(writer->out,
								  (char) (writer->window >> writer->n));
	}
}

static void
put_long(BitWriter *writer, uint64 bits, int n)
{
	if (n > 32)
	{
		put_bits(writer, bits >> 32, n - 32);
		n = 32;
		bits &= PG_UINT32_MAX;
	}
	put_bits(writer, bits, n);
}

void
rice_write(StringInfo out, const int64 *counts, int n, int k)
{
	const uint64 low_bits = (UINT64CONST(1) << k) - 1;
	BitWriter	writer = {.out = out};

	for (int i = 0; i < n; i++)
	{
		uint64		count = (uint64) counts[i];
		uint64		quotient = count >> k;

		if (quotient < RICE_ESCAPE)
		{
			/* ones and a zero */
			put_bits(&writer, (UINT64CONST(2) << quotient) - 2,
					 (int) quotient + 1);
			put_long(&writer, count & low_bits, k);
		}
		else
		{
			int			length = bit_length(count);

			put_bits(&writer, (UINT64CONST(1) << RICE_ESCAPE) - 1,
					 RICE_ESCAPE);
			put_bits(&writer, length - 1, LENGTH_BITS);
			put_long(&writer, count, length);
		}
	}
	if (writer.n > 0)
		put_bits(&writer, 0, 8 - writer.n);
}

/* ----------
 * Reading
 * ----------
 */

typedef struct BitReader
{
	const char *next;
	const char *end;
	uint64		window;			/* the next bits, in its highest places ... */
	int			n;				/* ... so many of them */
	int			missing;		/* of them, those after the end: zeros */
} BitReader;

/* At least 56 bits */
static inline void
refill(BitReader *reader)
{
	if (likely(reader->end - reader->next >= 8))
	{
		uint64		bits;

		memcpy(&bits, reader->next, sizeof(bits));
		reader->window |= pg_ntoh64(bits) >> reader->n;
		reader->next += (63 - reader->n) >> 3;
		reader->n |= 56;
		return;
	}
	while (reader->n <= 56)
	{
		if (reader->next < reader->end)
			reader->window |= (uint64) (uint8) *reader->next++ <<
				(56 - reader->n);
		else
			reader->missing += 8;
		reader->n += 8;
	}
}

/* 0 <= n < 64 bits that are in the window */
static inline uint64
take_bits(BitReader *reader, int n)
{
	uint64		bits = (reader->window >> 1) >> (63 - n);

	reader->window <<= n;
	reader->n -= n;
	return bits;
}

static uint64
take_long(BitReader *reader, int n)
{
	uint64		bits = 0;

	if (n > 32)
	{
		refill(reader);
		bits = take_bits(reader, n - 32) << 32;
		n = 32;
	}
	refill(reader);
	return bits | take_bits(reader, n);
}

/* A count that does not come as ones, a zero and up to 32 bits */
static bool
read_odd_count(BitReader *reader, int ones, int k, uint64 *count)
{
	int			length;

	refill(reader);
	if (ones < RICE_ESCAPE)
	{
		(void) take_bits(reader, ones + 1);
		if (ones >> (MAX_COUNT_BITS - k) != 0)
			return false;
		*count = ((uint64) ones << k) | take_long(reader, k);
		return true;
	}
	(void) take_bits(reader, RICE_ESCAPE);
	length = (int) take_bits(reader, LENGTH_BITS) + 1;
	if (length > MAX_COUNT_BITS)
		return false;
	*count = take_long(reader, length);
	return true;
}

const char *
rice_read(const char *bytes, const char *end, int64 *counts, int n, int k)
{
	BitReader	reader = {.next = bytes,.end = end};
	const int	enough = k <= 32 ? RICE_ESCAPE + k : 64;
	uint64		window = 0;		/* the reader's, in registers */
	int			left = 0;

	for (int i = 0; i < n; i++)
	{
		int			ones;

		/* seldom: each refill has to wait for the count before it */
		if (left < enough)
		{
			reader.window = window;
			reader.n = left;
			refill(&reader);
			if (unlikely(reader.missing > reader.n))
				return NULL;
			window = reader.window;
			left = reader.n;
		}
		/* the last bit is never looked at, so that there is a zero */
		ones = 63 - pg_leftmost_one_pos64(~window | 1);
		if (likely(ones < RICE_ESCAPE && k <= 32))
		{
			uint64		low = (window << (ones + 1)) >> 1 >> (63 - k);

			counts[i] = (int64) (((uint64) ones << k) | low);
			window <<= ones + 1 + k;
			left -= ones + 1 + k;
		}
		else
		{
			uint64		count;

			reader.window = window;
			reader.n = left;
			if (!read_odd_count(&reader, ones, k, &count))
				return NULL;
			counts[i] = (int64) count;
			window = reader.window;
			left = reader.n;
		}
	}
	reader.n = left;
	if (reader.missing > reader.n)
		return NULL;
	/* whole bytes that were not used */
	return reader.next - (reader.n - reader.missing) / 8;
}
