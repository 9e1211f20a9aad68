/*-------------------------------------------------------------------------
 *
 * int_coding.c
 *		Integer sequences: predictor, remainders, blocks of codes.
 *
 * The differences of a sequence are divided by what divides them all (times
 * in milliseconds are stored in microseconds, decimals of few digits share a
 * factor). One of three predictors is then subtracted:
 *
 *	- a line through all points, right for noise around a trend and for clocks
 *	  that tick regularly but are read late;
 *	- the last value plus the median difference: random walks, durations;
 *	- the last difference: smooth curves.
 *
 * What is left goes into blocks of 64, each in the shortest of four codes:
 * packed (offset from the least in equally many bits: uniform noise), Rice
 * (bell-shaped noise), exponential Golomb (long tails, mostly zeroes) and
 * whole words. The plan is made first by counting bits, all predictors are
 * tried; then the best is written.
 *
 * All arithmetic on values is modulo 2^64, in which adding up differences
 * and multiplying by the unit is exact for every input.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "port/pg_bswap.h"
#include "store/int_coding.h"

#define BLOCK_SIZE	64

/* Differences looked at to find a typical one */
#define SAMPLE_SIZE	127

/* Quotients of Rice codes stay below this; larger ones choose another code */
#define RICE_LIMIT	32

enum
{
	PREDICT_LINE,				/* base + floor(slope * i / (n - 1)) */
	PREDICT_LAST,				/* last value + slope */
	PREDICT_TREND,				/* last value + last difference */
	N_PREDICTORS
};

/* Flags in a sequence's first byte, above the predictor */
#define FLAG_EXACT	0x04
#define FLAG_UNIT	0x08
#define KNOWN_BITS	0x0F

/* A block's first byte: kind * 64 + parameter */
enum
{
	BLOCK_PACKED,				/* parameter: bits of each */
	BLOCK_RICE,					/* parameter: low bits */
	BLOCK_GOLOMB,				/* parameter: low bits */
	BLOCK_WHOLE					/* parameter: zero */
};

typedef struct BlockPlan
{
	int			kind;
	int			parameter;
	int64		least;			/* of BLOCK_PACKED */
	uint64		n_bits;
} BlockPlan;

/* ----------
 * Bits
 * ----------
 */

void
series_corrupt(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid packed series"),
			 errdetail_internal("%s", detail),
			 errhint("Packed series come from pack_series().")));
}

void
bits_begin(BitWriter *writer, StringInfo out)
{
	writer->out = out;
	writer->word = 0;
	writer->n_bits = 0;
}

static inline uint64
little_endian(uint64 word)
{
#ifdef WORDS_BIGENDIAN
	return pg_bswap64(word);
#else
	return word;
#endif
}

/* Moves a full word out */
void
bits_put_word(BitWriter *writer)
{
	uint64		word = little_endian(writer->word);

	appendBinaryStringInfo(writer->out, (char *) &word, sizeof(word));
}

/* Fills the last byte with zeroes. */
void
bits_finish(BitWriter *writer)
{
	uint64		word = little_endian(writer->word);

	appendBinaryStringInfo(writer->out, (char *) &word,
						   (writer->n_bits + 7) / 8);
	writer->word = 0;
	writer->n_bits = 0;
}

void
bits_put_varint(BitWriter *writer, uint64 value)
{
	while (value >= 0x80)
	{
		bits_put(writer, (value & 0x7F) | 0x80, 8);
		value >>= 7;
	}
	bits_put(writer, value, 8);
}

void
bits_put_signed(BitWriter *writer, int64 value)
{
	bits_put_varint(writer, zigzag(value));
}

/* Copies the data, so that whole words can be loaded up to its last bit */
void
bits_open(BitReader *reader, const char *data, size_t size)
{
	uint8	   *bytes = palloc(size + 2 * sizeof(uint64));

	memcpy(bytes, data, size);
	memset(bytes + size, 0, 2 * sizeof(uint64));
	reader->bytes = bytes;
	reader->position = 0;
	reader->end = (uint64) size * 8;
}

/* Nothing but the zeroes that fill the last byte may be left. */
void
bits_close(BitReader *reader)
{
	uint64		left = reader->end - reader->position;

	if (left >= 8 || bits_get(reader, (int) left) != 0)
		series_corrupt("Bytes follow the last point.");
	pfree(unconstify(uint8 *, reader->bytes));
	reader->bytes = NULL;
}

/* The 64 bits from the reader's position on; beyond the end zeroes */
static inline uint64
peek(const BitReader *reader)
{
	const uint8 *from = reader->bytes + (reader->position >> 3);
	int			shift = (int) (reader->position & 7);
	uint64		word;

	memcpy(&word, from, sizeof(word));
	word = little_endian(word);
	if (shift > 0)
		word = word >> shift | (uint64) from[8] << (64 - shift);
	return word;
}

static inline void
skip(BitReader *reader, int n_bits)
{
	if (unlikely((uint64) n_bits > reader->end - reader->position))
		series_corrupt("It ends before its last point.");
	reader->position += n_bits;
}

static inline uint64
mask(uint64 word, int n_bits)
{
	return n_bits < 64 ? word & ((UINT64CONST(1) << n_bits) - 1) : word;
}

static inline uint64
get(BitReader *reader, int n_bits)
{
	uint64		word = peek(reader);

	skip(reader, n_bits);
	return mask(word, n_bits);
}

/* The next n_bits bits, 0 to 64 */
uint64
bits_get(BitReader *reader, int n_bits)
{
	return get(reader, n_bits);
}

uint64
bits_get_varint(BitReader *reader)
{
	uint64		value = 0;

	for (int shift = 0; shift < 64; shift += 7)
	{
		uint64		byte = get(reader, 8);

		if (shift == 63 && byte > 1)
			break;
		value |= (byte & 0x7F) << shift;
		if (byte < 0x80)
			return value;
	}
	series_corrupt("A number has more than 64 bits.");
	return 0;
}

int64
bits_get_signed(BitReader *reader)
{
	return unzigzag(bits_get_varint(reader));
}

/* ----------
 * Blocks
 * ----------
 */

static inline int
bit_length(uint64 value)
{
	return value == 0 ? 0 : pg_leftmost_one_pos64(value) + 1;
}

static inline void
offer(BlockPlan *best, int kind, int parameter, uint64 n_bits)
{
	if (n_bits < best->n_bits)
	{
		best->kind = kind;
		best->parameter = parameter;
		best->n_bits = n_bits;
	}
}

/* Rice codes: the best parameter is a little below the mean's length. */
static void
offer_rice(BlockPlan *best, const uint64 *folded, int n, double sum,
		   uint64 largest)
{
	int			near = bit_length((uint64) (sum * 0.7 / n));

	for (int k = Max(near - 2, 0); k <= Min(near, 62); k++)
	{
		uint64		n_bits = (uint64) n * (k + 1);

		if (largest >> k >= RICE_LIMIT)
			continue;
		for (int i = 0; i < n; i++)
			n_bits += folded[i] >> k;
		offer(best, BLOCK_RICE, k, n_bits);
	}
}

/* Golomb codes: the best parameter is a little below the median length. */
static void
offer_golomb(BlockPlan *best, const uint64 *folded, int n,
			 const int *lengths)
{
	int			middle;
	int			seen = 0;

	for (middle = 0; middle < 63; middle++)
	{
		seen += lengths[middle];
		if (2 * seen >= n)
			break;
	}
	for (int k = Max(middle - 2, 0); k <= Min(middle, 62); k++)
	{
		uint64		n_bits = 0;

		for (int i = 0; i < n; i++)
		{
			uint64		shifted = folded[i] + (UINT64CONST(1) << k);

			n_bits += 2 * pg_leftmost_one_pos64(shifted) - k + 1;
		}
		offer(best, BLOCK_GOLOMB, k, n_bits);
	}
}

/* The shortest code for n remainders, at most BLOCK_SIZE */
static void
plan_block(BlockPlan *best, const int64 *values, int n)
{
	uint64		folded[BLOCK_SIZE];
	int			lengths[65] = {0};	/* how many folded values have each */
	uint64		largest = 0;
	double		sum = 0;
	int64		least = values[0];
	int64		most = values[0];
	int			width;

	for (int i = 0; i < n; i++)
	{
		folded[i] = zigzag(values[i]);
		largest = Max(largest, folded[i]);
		sum += (double) folded[i];
		lengths[bit_length(folded[i])]++;
		least = Min(least, values[i]);
		most = Max(most, values[i]);
	}

	best->kind = BLOCK_WHOLE;
	best->parameter = 0;
	best->least = least;
	best->n_bits = (uint64) n * 64;

	width = bit_length((uint64) most - (uint64) least);
	if (width < 64)
		offer(best, BLOCK_PACKED, width,
			  varint_bits(zigzag(least)) + (uint64) n * width);

	/* above, their sums below would overflow, and nothing is to be gained */
	if (bit_length(largest) < 64)
	{
		offer_rice(best, folded, n, sum, largest);
		offer_golomb(best, folded, n, lengths);
	}
	best->n_bits += 8;
}

/* n ones and a zero, n below 64 */
static inline void
put_unary(BitWriter *writer, int n)
{
	bits_put(writer, (UINT64CONST(1) << n) - 1, n + 1);
}

static void
put_block(BitWriter *writer, const BlockPlan *plan, const int64 *values,
		  int n)
{
	int			k = plan->parameter;

	bits_put(writer, (uint64) (plan->kind << 6 | k), 8);
	if (plan->kind == BLOCK_PACKED)
		bits_put_signed(writer, plan->least);
	for (int i = 0; i < n; i++)
	{
		uint64		folded = zigzag(values[i]);

		switch (plan->kind)
		{
			case BLOCK_PACKED:
				bits_put(writer, (uint64) values[i] - (uint64) plan->least, k);
				break;
			case BLOCK_RICE:
				put_unary(writer, (int) (folded >> k));
				bits_put(writer, mask(folded, k), k);
				break;
			case BLOCK_GOLOMB:
				{
					uint64		shifted = folded + (UINT64CONST(1) << k);
					int			length = pg_leftmost_one_pos64(shifted);

					put_unary(writer, length - k);
					bits_put(writer, mask(shifted, length), length);
					break;
				}
			default:
				bits_put(writer, (uint64) values[i], 64);
				break;
		}
	}
}

/* The number of ones before the next zero, at most limit */
static inline int
get_unary(BitReader *reader, int limit)
{
	uint64		word = ~peek(reader);
	int			n = word == 0 ? 64 : pg_rightmost_one_pos64(word);

	if (unlikely(n > limit))
		series_corrupt("A code is longer than any that is written.");
	skip(reader, n + 1);
	return n;
}

static void
get_block(BitReader *reader, int64 *values, int n)
{
	uint64		head = get(reader, 8);
	int			k = (int) (head & 63);
	uint64		least;

	switch (head >> 6)
	{
		case BLOCK_PACKED:
			least = (uint64) bits_get_signed(reader);
			for (int i = 0; i < n; i++)
				values[i] = (int64) (least + get(reader, k));
			break;
		case BLOCK_RICE:
			for (int i = 0; i < n; i++)
			{
				uint64		high = (uint64) get_unary(reader, RICE_LIMIT - 1);

				values[i] = unzigzag(high << k | get(reader, k));
			}
			break;
		case BLOCK_GOLOMB:
			for (int i = 0; i < n; i++)
			{
				int			length = k + get_unary(reader, 63 - k);
				uint64		top = UINT64CONST(1) << length;

				values[i] = unzigzag((top | get(reader, length)) -
									 (UINT64CONST(1) << k));
			}
			break;
		default:
			if (k != 0)
				series_corrupt("A block's code is unknown.");
			for (int i = 0; i < n; i++)
				values[i] = (int64) get(reader, 64);
			break;
	}
}

/* ----------
 * Sequences
 * ----------
 */

/* Where a line is at each point: base + floor(slope * i / (n - 1)) */
typedef struct Line
{
	uint64		value;
	int64		whole;			/* of each step */
	int64		part;			/* of each step, in n - 1st parts */
	int64		error;
	int64		parts;
} Line;

static inline void
line_start(Line *line, int64 base, int64 slope, int n)
{
	line->value = (uint64) base;
	line->parts = n - 1;
	line->whole = slope / line->parts;
	line->part = slope % line->parts;
	if (line->part < 0)
	{
		line->part += line->parts;
		line->whole--;
	}
	line->error = 0;
}

static inline void
line_step(Line *line)
{
	line->value += (uint64) line->whole;
	line->error += line->part;
	if (line->error >= line->parts)
	{
		line->error -= line->parts;
		line->value++;
	}
}

/* What the plan's predictor leaves over of y, n - 1 numbers */
static void
find_remainders(const IntPlan *plan, const uint64 *y, int n, int64 *remainders)
{
	uint64		difference = (uint64) plan->slope;
	Line		line;

	switch (plan->predictor)
	{
		case PREDICT_LINE:
			line_start(&line, plan->base, plan->slope, n);
			for (int i = 1; i < n; i++)
			{
				line_step(&line);
				remainders[i - 1] = (int64) (y[i] - line.value);
			}
			break;
		case PREDICT_LAST:
			for (int i = 1; i < n; i++)
				remainders[i - 1] = (int64) (y[i] - y[i - 1] - difference);
			break;
		default:
			for (int i = 1; i < n; i++)
			{
				remainders[i - 1] = (int64) (y[i] - y[i - 1] - difference);
				difference = y[i] - y[i - 1];
			}
			break;
	}
}

/* Undoes find_remainders: values holds the remainders, then y */
static void
add_predictions(const IntPlan *plan, int64 *values, int n)
{
	uint64		difference = (uint64) plan->slope;
	uint64		y = 0;
	Line		line;

	values[0] = 0;
	switch (plan->predictor)
	{
		case PREDICT_LINE:
			line_start(&line, plan->base, plan->slope, n);
			for (int i = 1; i < n; i++)
			{
				line_step(&line);
				values[i] = (int64) ((uint64) values[i] + line.value);
			}
			break;
		case PREDICT_LAST:
			for (int i = 1; i < n; i++)
			{
				y += (uint64) values[i] + difference;
				values[i] = (int64) y;
			}
			break;
		default:
			for (int i = 1; i < n; i++)
			{
				difference += (uint64) values[i];
				y += difference;
				values[i] = (int64) y;
			}
			break;
	}
}

static uint64
count_bits(const int64 *remainders, int n)
{
	uint64		n_bits = 0;

	for (int i = 0; i < n; i += BLOCK_SIZE)
	{
		BlockPlan	block;

		CHECK_FOR_INTERRUPTS();
		plan_block(&block, remainders + i, Min(BLOCK_SIZE, n - i));
		n_bits += block.n_bits;
	}
	return n_bits;
}

/* The greatest number that divides all differences; 1 when they are zero */
static uint64
find_unit(const int64 *values, int n)
{
	uint64		unit = 0;

	for (int i = 1; i < n && unit != 1; i++)
	{
		int64		difference = (int64) ((uint64) values[i] -
										  (uint64) values[i - 1]);
		uint64		a = difference < 0 ? -(uint64) difference :
			(uint64) difference;

		while (a != 0)
		{
			uint64		rest = unit % a;

			unit = a;
			a = rest;
			if (unit == 1)
				break;
		}
	}
	/* 2^63 does not fit where it is divided by */
	return unit == 0 || unit > (uint64) PG_INT64_MAX ? 1 : unit;
}

/* y[i] * unit = values[i] - values[0], modulo 2^64 */
static void
find_units(const int64 *values, int n, uint64 unit, uint64 *y)
{
	y[0] = 0;
	for (int i = 1; i < n; i++)
	{
		int64		difference = (int64) ((uint64) values[i] -
										  (uint64) values[i - 1]);

		if (unit > 1)
			difference /= (int64) unit;
		y[i] = y[i - 1] + (uint64) difference;
	}
}

static int
compare_int64(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

/* The median of some of the differences */
static int64
typical_difference(const uint64 *y, int n)
{
	int64		sample[SAMPLE_SIZE];
	int			size = Min(n - 1, SAMPLE_SIZE);

	for (int i = 0; i < size; i++)
	{
		int			at = 1 + (int) ((int64) i * (n - 1) / size);

		sample[i] = (int64) (y[at] - y[at - 1]);
	}
	qsort(sample, size, sizeof(int64), compare_int64);
	return sample[size / 2];
}

/* The line of least squares; false if it leaves the integers */
static bool
fit_line(const uint64 *y, int n, int64 *base, int64 *slope)
{
	double		middle = (n - 1) / 2.0;
	double		sum = 0;
	double		product = 0;
	double		squares = (double) n * ((double) n * n - 1) / 12;
	double		rise;
	double		start;

	for (int i = 0; i < n; i++)
	{
		double		value = (double) (int64) y[i];

		sum += value;
		product += (i - middle) * value;
	}
	rise = product / squares * (n - 1);
	start = sum / n - rise / 2;
	if (!(rise > -9e18 && rise < 9e18 && start > -9e18 && start < 9e18))
		return false;
	*base = (int64) start;
	*slope = (int64) rise;
	return true;
}

static uint64
header_bits(const IntPlan *plan)
{
	uint64		n_bits = 8 + varint_bits(zigzag(plan->first)) +
		varint_bits(zigzag(plan->slope));

	if (plan->unit > 1)
		n_bits += varint_bits(plan->unit);
	if (plan->predictor == PREDICT_LINE)
		n_bits += varint_bits(zigzag(plan->base));
	return n_bits;
}

/* The shortest way to write n values; to be given to int_put() with them */
void
int_plan(IntPlan *plan, const int64 *values, int n)
{
	static const uint8 order[N_PREDICTORS] = {
		PREDICT_LAST, PREDICT_TREND, PREDICT_LINE
	};
	IntPlan		candidate;
	uint64	   *y;
	int64	   *remainders;
	int64		typical;

	memset(plan, 0, sizeof(*plan));
	plan->unit = 1;
	plan->exact = true;
	plan->predictor = PREDICT_LAST;
	if (n == 0)
		return;
	plan->first = values[0];
	plan->n_bits = header_bits(plan);
	if (n == 1)
		return;

	y = palloc(n * sizeof(uint64));
	remainders = palloc(n * sizeof(int64));
	plan->unit = find_unit(values, n);
	find_units(values, n, plan->unit, y);
	typical = typical_difference(y, n);
	candidate = *plan;
	plan->n_bits = PG_UINT64_MAX;

	for (int i = 0; i < N_PREDICTORS && (i == 0 || !plan->exact); i++)
	{
		uint64		left = 0;

		candidate.predictor = order[i];
		candidate.slope = typical;
		candidate.base = 0;
		if (candidate.predictor == PREDICT_LINE &&
			!fit_line(y, n, &candidate.base, &candidate.slope))
			continue;
		find_remainders(&candidate, y, n, remainders);
		for (int j = 0; j < n - 1; j++)
			left |= (uint64) remainders[j];
		candidate.exact = left == 0;
		candidate.n_bits = header_bits(&candidate);
		if (!candidate.exact)
			candidate.n_bits += count_bits(remainders, n - 1);
		if (candidate.n_bits < plan->n_bits)
			*plan = candidate;
	}
	pfree(remainders);
	pfree(y);
}

void
int_put(BitWriter *writer, const IntPlan *plan, const int64 *values, int n)
{
	uint64	   *y;
	int64	   *remainders;

	if (n == 0)
		return;
	bits_put(writer, plan->predictor | (plan->exact ? FLAG_EXACT : 0) |
			 (plan->unit > 1 ? FLAG_UNIT : 0), 8);
	bits_put_signed(writer, plan->first);
	bits_put_signed(writer, plan->slope);
	if (plan->predictor == PREDICT_LINE)
		bits_put_signed(writer, plan->base);
	if (plan->unit > 1)
		bits_put_varint(writer, plan->unit);
	if (plan->exact)
		return;

	y = palloc(n * sizeof(uint64));
	remainders = palloc(n * sizeof(int64));
	find_units(values, n, plan->unit, y);
	find_remainders(plan, y, n, remainders);
	for (int i = 0; i < n - 1; i += BLOCK_SIZE)
	{
		int			size = Min(BLOCK_SIZE, n - 1 - i);
		BlockPlan	block;

		plan_block(&block, remainders + i, size);
		put_block(writer, &block, remainders + i, size);
	}
	pfree(remainders);
	pfree(y);
}

/* Reads n values, the number that int_put() was given */
void
int_get(BitReader *reader, int64 *values, int n)
{
	IntPlan		plan;
	uint64		head;

	if (n == 0)
		return;
	memset(&plan, 0, sizeof(plan));
	head = get(reader, 8);
	plan.predictor = head & 3;
	if (plan.predictor >= N_PREDICTORS || (head & ~(uint64) KNOWN_BITS) != 0)
		series_corrupt("A sequence's predictor is unknown.");
	plan.first = bits_get_signed(reader);
	plan.slope = bits_get_signed(reader);
	if (plan.predictor == PREDICT_LINE)
		plan.base = bits_get_signed(reader);
	plan.unit = (head & FLAG_UNIT) ? bits_get_varint(reader) : 1;

	if (n == 1)
	{
		if ((head & FLAG_EXACT) == 0)
			series_corrupt("A single value has a remainder.");
		values[0] = plan.first;
		return;
	}
	if (head & FLAG_EXACT)
		memset(values, 0, n * sizeof(int64));
	else
	{
		for (int i = 1; i < n; i += BLOCK_SIZE)
		{
			CHECK_FOR_INTERRUPTS();
			get_block(reader, values + i, Min(BLOCK_SIZE, n - i));
		}
	}
	add_predictions(&plan, values, n);
	for (int i = 0; i < n; i++)
		values[i] = (int64) ((uint64) values[i] * plan.unit +
							 (uint64) plan.first);
}
