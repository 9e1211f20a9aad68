/*-------------------------------------------------------------------------
 *
 * series.c
 *		Packed metric series, and the SQL functions over them.
 *
 * Steps and times are integer sequences (int_coding.c). Values become one
 * too, whatever they are, by the first of these that is shorter than the
 * others:
 *
 *	- decimals: value * 10^k, k up to 22, if dividing gives the value back;
 *	- floats of four bytes: their bits, which are in order for one sign;
 *	- floats of eight bytes: their bits;
 *	- a dictionary of the distinct values, and each point's place in it;
 *	- the bits as they are, so that nothing ever takes much more.
 *
 * The bits of floats are counted as signed magnitudes, so that zeroes at
 * their end stay factors of all differences; where both signs occur it can
 * be shorter to keep the signs apart. Values that are no decimal (NaN,
 * infinities, -0.0, a stray one) or no float of four bytes are exceptions
 * with all their bits, while they are few. Every way is lossless to the bit.
 *
 * A packed series is a bytea and no type of its own: nobody writes one by
 * hand or compares two, it is a column of one table, and drivers, dumps and
 * replication know bytea. A checksum takes the part that a type's input
 * functions would have: bytes that pack_series() did not make are refused.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "port/pg_crc32c.h"
#include "store/int_coding.h"
#include "store/series.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define FORMAT_VERSION	1
#define CHECKSUM_BYTES	4

/* Powers of ten up to this one, and integers up to 2^53, are exact. */
#define MAX_DIGITS		22
#define MAX_INTEGER		9007199254740992.0

/* Decimals of more digits than fit here are no shorter than floats. */
#define WORTHWHILE_INTEGER	1e14

/* One exception for at least so many points */
#define MANY_POINTS_AN_EXCEPTION	16

#define MAX_DICTIONARY	4096

enum
{
	MODE_RAW,
	MODE_DECIMAL,
	MODE_FLOAT4,
	MODE_FLOAT8,
	MODE_DICTIONARY,
	N_MODES
};

#define MODE_MASK			0x07
#define FLAG_SIGNS_APART	0x08	/* MODE_FLOAT4 and MODE_FLOAT8 */

PG_FUNCTION_INFO_V1(mlmeta_pack_series);
PG_FUNCTION_INFO_V1(mlmeta_unpack_series);
PG_FUNCTION_INFO_V1(mlmeta_series_count);
PG_FUNCTION_INFO_V1(mlmeta_series_steps);
PG_FUNCTION_INFO_V1(mlmeta_series_times);
PG_FUNCTION_INFO_V1(mlmeta_series_points);
PG_FUNCTION_INFO_V1(mlmeta_series_bounds);
PG_FUNCTION_INFO_V1(mlmeta_series_clock);

static const double powers_of_ten[MAX_DIGITS + 1] = {
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22
};

/* How values are to be written, and how many bits that takes */
typedef struct ValuePlan
{
	int			mode;
	bool		signs_apart;
	int			digits;			/* of MODE_DECIMAL */
	bool	   *exceptions;		/* NULL if there are none */
	int64	   *integers;
	IntPlan		integer_plan;
	int64	   *dictionary;		/* bits of values, in order */
	int			n_dictionary;
	IntPlan		dictionary_plan;
	uint64		n_bits;
} ValuePlan;

/* ----------
 * Floats and integers
 * ----------
 */

static inline uint64
float8_bits(double value)
{
	uint64		bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static inline double
bits_float8(uint64 bits)
{
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* The bits of the same number as a float of four bytes; false if none is */
static inline bool
float4_bits(uint64 bits, uint32 *narrow)
{
	double		value = bits_float8(bits);
	float		small;

	if (isnan(value))
	{
		/* in integers: the processor would change some NaNs */
		if ((bits & 0x1FFFFFFF) != 0 ||
			((bits >> 29) & 0x7FFFFF) == 0)
			return false;
		*narrow = (uint32) (bits >> 63) << 31 | 0x7F800000 |
			(uint32) ((bits >> 29) & 0x7FFFFF);
		return true;
	}
	if (isfinite(value) && fabs(value) > 3.4028234663852886e38)
		return false;
	small = (float) value;
	memcpy(narrow, &small, sizeof(small));
	return float8_bits((double) small) == bits;
}

static inline uint64
widen_float4(uint32 narrow)
{
	float		small;

	if ((narrow & 0x7F800000) == 0x7F800000)
		return (uint64) (narrow >> 31) << 63 | UINT64CONST(0x7FF) << 52 |
			(uint64) (narrow & 0x7FFFFF) << 29;
	memcpy(&small, &narrow, sizeof(small));
	return float8_bits((double) small);
}

/*
 * Bits whose highest one is the sign, as a signed number: its own for each,
 * because -0.0 gets the one that no magnitude has. sign_bit is 2^63 or 2^31.
 */
static inline int64
signed_magnitude(uint64 bits, uint64 sign_bit)
{
	if ((bits & sign_bit) == 0)
		return (int64) bits;
	bits ^= sign_bit;
	return bits == 0 ? (int64) -sign_bit : -(int64) bits;
}

/* False if the number is no float's */
static inline bool
undo_signed_magnitude(int64 number, uint64 sign_bit, uint64 *bits)
{
	uint64		magnitude = number < 0 ? -(uint64) number : (uint64) number;

	if (magnitude == sign_bit && number < 0)
		magnitude = 0;
	else if (magnitude >= sign_bit)
		return false;
	*bits = magnitude | (number < 0 ? sign_bit : 0);
	return true;
}

/* value = *integer / 10^digits exactly, and -0.0 does not get lost */
static inline bool
decimal(double value, int digits, int64 *integer)
{
	double		scaled = value * powers_of_ten[digits];
	double		whole;

	if (!(fabs(scaled) < MAX_INTEGER))
		return false;
	whole = rint(scaled);
	*integer = (int64) whole;
	return float8_bits((double) *integer / powers_of_ten[digits]) ==
		float8_bits(value);
}

/* ----------
 * Planning
 * ----------
 */

/* Exceptions take the number before them, so that they cost no difference. */
static void
fill_exceptions(int64 *integers, const bool *exceptions, int n)
{
	int64		last = 0;

	for (int i = 0; i < n; i++)
	{
		if (!exceptions[i])
		{
			last = integers[i];
			break;
		}
	}
	for (int i = 0; i < n; i++)
	{
		if (exceptions[i])
			integers[i] = last;
		else
			last = integers[i];
	}
}

static uint64
exception_bits(const bool *exceptions, int n)
{
	uint64		n_bits = 0;
	int			count = 0;
	int			last = -1;

	if (exceptions == NULL)
		return varint_bits(0);
	for (int i = 0; i < n; i++)
	{
		if (exceptions[i])
		{
			count++;
			n_bits += varint_bits((uint64) (i - last - 1)) + 64;
			last = i;
		}
	}
	return n_bits + varint_bits((uint64) count);
}

static inline void
keep_shorter(ValuePlan *best, const ValuePlan *candidate)
{
	if (candidate->n_bits < best->n_bits)
		*best = *candidate;
}

/*
 * The digits after the point that a value has as a decimal; -1 if it has too
 * many to be worth it, or is no decimal.
 */
static int
digits_of(double value)
{
	int64		integer;

	if (value == 0)
		return signbit(value) ? -1 : 0;
	for (int digits = 0; digits <= MAX_DIGITS; digits++)
	{
		if (decimal(value, digits, &integer))
			return digits;
		if (!(fabs(value) * powers_of_ten[digits] < WORTHWHILE_INTEGER))
			return -1;
	}
	return -1;
}

/* Decimals of a number of digits; the values that are none are exceptions. */
static void
plan_digits(ValuePlan *best, const double *points, int n, int digits)
{
	ValuePlan	plan = {.mode = MODE_DECIMAL};

	plan.digits = digits;
	plan.integers = palloc(n * sizeof(int64));
	for (int i = 0; i < n; i++)
	{
		if (decimal(points[i], digits, &plan.integers[i]))
			continue;
		if (plan.exceptions == NULL)
			plan.exceptions = palloc0(n * sizeof(bool));
		plan.exceptions[i] = true;
	}
	if (plan.exceptions != NULL)
		fill_exceptions(plan.integers, plan.exceptions, n);
	int_plan(&plan.integer_plan, plan.integers, n);
	plan.n_bits = 8 + 8 + exception_bits(plan.exceptions, n) +
		plan.integer_plan.n_bits;
	keep_shorter(best, &plan);
}

/* As many digits as all but a few values need, and as all decimals need */
static void
plan_decimal(ValuePlan *best, const double *points, int n)
{
	int			left = n / MANY_POINTS_AN_EXCEPTION;
	int			count[MAX_DIGITS + 1] = {0};
	int			most;
	int			fewer;

	for (int i = 0; i < n; i++)
	{
		int			digits = digits_of(points[i]);

		if (digits >= 0)
			count[digits]++;
		else if (--left < 0)
			return;
	}
	for (most = MAX_DIGITS; most > 0 && count[most] == 0; most--)
		;
	plan_digits(best, points, n, most);

	/* a few values of many digits may rather be exceptions */
	for (fewer = most; fewer > 0 && count[fewer] <= left; fewer--)
		left -= count[fewer];
	if (fewer < most)
		plan_digits(best, points, n, fewer);
}

/* One float mode, with signs apart and not; n_bits of plan is its rest. */
static void
plan_float(ValuePlan *best, ValuePlan *plan, const double *points, int n,
		   uint64 sign_bit)
{
	ValuePlan	apart = *plan;
	bool		negative = false;
	bool		positive = false;

	for (int i = 0; i < n; i++)
	{
		if (plan->exceptions != NULL && plan->exceptions[i])
			continue;
		if ((uint64) plan->integers[i] & sign_bit)
			negative = true;
		else
			positive = true;
	}

	if (negative && positive)
	{
		apart.signs_apart = true;
		apart.integers = palloc(n * sizeof(int64));
		for (int i = 0; i < n; i++)
			apart.integers[i] = (int64) ((uint64) plan->integers[i] &
										 ~sign_bit);
		if (apart.exceptions != NULL)
			fill_exceptions(apart.integers, apart.exceptions, n);
		int_plan(&apart.integer_plan, apart.integers, n);
		apart.n_bits += 8 + (uint64) n + apart.integer_plan.n_bits;
		keep_shorter(best, &apart);
	}

	for (int i = 0; i < n; i++)
		plan->integers[i] = signed_magnitude((uint64) plan->integers[i],
											 sign_bit);
	if (plan->exceptions != NULL)
		fill_exceptions(plan->integers, plan->exceptions, n);
	int_plan(&plan->integer_plan, plan->integers, n);
	plan->n_bits += 8 + plan->integer_plan.n_bits;
	keep_shorter(best, plan);
}

/* True if all but a few values are floats of four bytes */
static bool
plan_float4(ValuePlan *best, const double *points, int n)
{
	int			n_exceptions = 0;
	ValuePlan	plan = {.mode = MODE_FLOAT4};

	plan.integers = palloc(n * sizeof(int64));
	for (int i = 0; i < n; i++)
	{
		uint32		narrow = 0;

		if (!float4_bits(float8_bits(points[i]), &narrow))
		{
			if (++n_exceptions > n / MANY_POINTS_AN_EXCEPTION)
				return false;
			if (plan.exceptions == NULL)
				plan.exceptions = palloc0(n * sizeof(bool));
			plan.exceptions[i] = true;
			narrow = 0;
		}
		plan.integers[i] = narrow;
	}
	plan.n_bits = exception_bits(plan.exceptions, n);
	plan_float(best, &plan, points, n, UINT64CONST(1) << 31);
	return true;
}

static void
plan_float8(ValuePlan *best, const double *points, int n)
{
	ValuePlan	plan = {.mode = MODE_FLOAT8};

	plan.integers = palloc(n * sizeof(int64));
	memcpy(plan.integers, points, n * sizeof(int64));
	plan_float(best, &plan, points, n, UINT64CONST(1) << 63);
}

typedef struct Entry
{
	int64		key;
	int			place;			/* as found, then in order */
} Entry;

static int
compare_entries(const void *a, const void *b)
{
	int64		x = ((const Entry *) a)->key;
	int64		y = ((const Entry *) b)->key;

	return (x > y) - (x < y);
}

/* A dictionary of at most a quarter as many values as there are points */
static void
plan_dictionary(ValuePlan *best, const double *points, int n)
{
	int			limit = Min(n / 4, MAX_DICTIONARY);
	int			n_slots = 16;
	ValuePlan	plan = {.mode = MODE_DICTIONARY};
	Entry	   *entries;
	int		   *slots;			/* 1 + place, 0 if free */
	int		   *ranks;

	while (n_slots < 2 * limit)
		n_slots *= 2;
	entries = palloc((limit + 1) * sizeof(Entry));
	slots = palloc0(n_slots * sizeof(int));
	plan.integers = palloc(n * sizeof(int64));
	for (int i = 0; i < n; i++)
	{
		int64		key = signed_magnitude(float8_bits(points[i]),
										   UINT64CONST(1) << 63);
		uint32		slot = (uint32) (((uint64) key *
									  UINT64CONST(0x9E3779B97F4A7C15)) >> 32);

		for (slot &= n_slots - 1; slots[slot] != 0;
			 slot = (slot + 1) & (n_slots - 1))
		{
			if (entries[slots[slot] - 1].key == key)
				break;
		}
		if (slots[slot] == 0)
		{
			if (plan.n_dictionary == limit)
				return;
			entries[plan.n_dictionary].key = key;
			entries[plan.n_dictionary].place = plan.n_dictionary;
			slots[slot] = ++plan.n_dictionary;
		}
		plan.integers[i] = slots[slot] - 1;
	}

	qsort(entries, plan.n_dictionary, sizeof(Entry), compare_entries);
	ranks = palloc(plan.n_dictionary * sizeof(int));
	plan.dictionary = palloc(plan.n_dictionary * sizeof(int64));
	for (int i = 0; i < plan.n_dictionary; i++)
	{
		plan.dictionary[i] = entries[i].key;
		ranks[entries[i].place] = i;
	}
	for (int i = 0; i < n; i++)
		plan.integers[i] = ranks[plan.integers[i]];
	int_plan(&plan.dictionary_plan, plan.dictionary, plan.n_dictionary);
	int_plan(&plan.integer_plan, plan.integers, n);
	plan.n_bits = 8 + varint_bits((uint64) plan.n_dictionary) +
		plan.dictionary_plan.n_bits + plan.integer_plan.n_bits;
	keep_shorter(best, &plan);
}

static void
plan_values(ValuePlan *plan, const double *points, int n)
{
	memset(plan, 0, sizeof(*plan));
	plan->mode = MODE_RAW;
	plan->n_bits = 8 + (uint64) n * 64;
	plan_decimal(plan, points, n);
	/* the eight-byte forms of such floats would be no shorter */
	if (!plan_float4(plan, points, n))
		plan_float8(plan, points, n);
	if (n >= 8)
		plan_dictionary(plan, points, n);
}

/* ----------
 * Writing and reading
 * ----------
 */

static void
put_exceptions(BitWriter *writer, const bool *exceptions,
			   const double *points, int n)
{
	int			count = 0;
	int			last = -1;

	for (int i = 0; exceptions != NULL && i < n; i++)
		count += exceptions[i];
	bits_put_varint(writer, (uint64) count);
	for (int i = 0; count > 0 && i < n; i++)
	{
		if (exceptions[i])
		{
			bits_put_varint(writer, (uint64) (i - last - 1));
			bits_put(writer, float8_bits(points[i]), 64);
			last = i;
		}
	}
}

static void
put_values(BitWriter *writer, const ValuePlan *plan, const double *points,
		   int n)
{
	bits_put(writer, plan->mode | (plan->signs_apart ? FLAG_SIGNS_APART : 0),
			 8);
	switch (plan->mode)
	{
		case MODE_RAW:
			for (int i = 0; i < n; i++)
				bits_put(writer, float8_bits(points[i]), 64);
			return;
		case MODE_DECIMAL:
			bits_put(writer, (uint64) plan->digits, 8);
			put_exceptions(writer, plan->exceptions, points, n);
			break;
		case MODE_FLOAT4:
			put_exceptions(writer, plan->exceptions, points, n);
			break;
		case MODE_FLOAT8:
			break;
		case MODE_DICTIONARY:
			bits_put_varint(writer, (uint64) plan->n_dictionary);
			int_put(writer, &plan->dictionary_plan, plan->dictionary,
					plan->n_dictionary);
			break;
	}
	if (plan->signs_apart)
	{
		for (int i = 0; i < n; i++)
			bits_put(writer, float8_bits(points[i]) >> 63, 1);
	}
	int_put(writer, &plan->integer_plan, plan->integers, n);
}

/* Exceptions as they are written: gaps and bits */
typedef struct Exception
{
	int			place;
	uint64		bits;
} Exception;

static Exception *
get_exceptions(BitReader *reader, int n, int *count)
{
	uint64		n_exceptions = bits_get_varint(reader);
	int			place = -1;
	Exception  *exceptions;

	if (n_exceptions > (uint64) n)
		series_corrupt("It has more exceptions than points.");
	*count = (int) n_exceptions;
	exceptions = palloc(Max(*count, 1) * sizeof(Exception));
	for (int i = 0; i < *count; i++)
	{
		uint64		gap = bits_get_varint(reader);

		if (gap >= (uint64) (n - place - 1))
			series_corrupt("An exception lies beyond the last point.");
		place += (int) gap + 1;
		exceptions[i].place = place;
		exceptions[i].bits = bits_get(reader, 64);
	}
	return exceptions;
}

/* Turns the integers of a float mode into the bits of eight-byte floats */
static void
integers_to_bits(int64 *values, const bool *signs, int n, bool narrow)
{
	uint64		sign_bit = UINT64CONST(1) << (narrow ? 31 : 63);

	for (int i = 0; i < n; i++)
	{
		uint64		bits = 0;

		if (signs == NULL)
		{
			if (!undo_signed_magnitude(values[i], sign_bit, &bits))
				series_corrupt("A number is no float.");
		}
		else
		{
			bits = (uint64) values[i];
			if (bits >= sign_bit)
				series_corrupt("A number is no float.");
			if (signs[i])
				bits |= sign_bit;
		}
		values[i] = (int64) (narrow ? widen_float4((uint32) bits) : bits);
	}
}

/* Reads n values, as bits at first, in place */
static void
get_values(BitReader *reader, double *points, int n)
{
	uint64		head = bits_get(reader, 8);
	int			mode = (int) (head & MODE_MASK);
	int			digits = 0;
	int			n_exceptions = 0;
	Exception  *exceptions = NULL;
	int64	   *values = palloc(n * sizeof(int64));
	int64	   *dictionary = NULL;
	int			n_dictionary = 0;
	bool	   *signs = NULL;

	if (mode >= N_MODES || (head & ~(uint64) (MODE_MASK | FLAG_SIGNS_APART)) ||
		((head & FLAG_SIGNS_APART) && mode != MODE_FLOAT4 &&
		 mode != MODE_FLOAT8))
		series_corrupt("The values' mode is unknown.");

	if (mode == MODE_RAW)
	{
		for (int i = 0; i < n; i++)
			points[i] = bits_float8(bits_get(reader, 64));
		pfree(values);
		return;
	}
	if (mode == MODE_DECIMAL)
	{
		digits = (int) bits_get(reader, 8);
		if (digits > MAX_DIGITS)
			series_corrupt("The values have too many digits.");
	}
	if (mode == MODE_DECIMAL || mode == MODE_FLOAT4)
		exceptions = get_exceptions(reader, n, &n_exceptions);
	if (mode == MODE_DICTIONARY)
	{
		uint64		size = bits_get_varint(reader);

		if (size == 0 || size > MAX_DICTIONARY)
			series_corrupt("The size of the dictionary is out of range.");
		n_dictionary = (int) size;
		dictionary = palloc(n_dictionary * sizeof(int64));
		int_get(reader, dictionary, n_dictionary);
		integers_to_bits(dictionary, NULL, n_dictionary, false);
	}
	if (head & FLAG_SIGNS_APART)
	{
		signs = palloc(n * sizeof(bool));
		for (int i = 0; i < n; i++)
			signs[i] = bits_get(reader, 1) != 0;
	}

	int_get(reader, values, n);
	switch (mode)
	{
		case MODE_DECIMAL:
			for (int i = 0; i < n; i++)
				points[i] = (double) values[i] / powers_of_ten[digits];
			break;
		case MODE_DICTIONARY:
			for (int i = 0; i < n; i++)
			{
				if (values[i] < 0 || values[i] >= n_dictionary)
					series_corrupt("A value is not in the dictionary.");
				points[i] = bits_float8((uint64) dictionary[values[i]]);
			}
			break;
		default:
			integers_to_bits(values, signs, n, mode == MODE_FLOAT4);
			memcpy(points, values, n * sizeof(double));
			break;
	}
	for (int i = 0; i < n_exceptions; i++)
		points[exceptions[i].place] = bits_float8(exceptions[i].bits);

	pfree(values);
	if (exceptions != NULL)
		pfree(exceptions);
	if (dictionary != NULL)
		pfree(dictionary);
	if (signs != NULL)
		pfree(signs);
}

static pg_crc32c
checksum(const char *data, size_t size)
{
	pg_crc32c	sum;

	INIT_CRC32C(sum);
	COMP_CRC32C(sum, data, size);
	FIN_CRC32C(sum);
	return sum;
}

bytea *
series_pack(const Series *series)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext,
												  "mlmeta series",
												  ALLOCSET_DEFAULT_SIZES);
	StringInfoData out;
	MemoryContext old;
	BitWriter	writer;
	pg_crc32c	sum;
	int			n = series->n;

	Assert(n >= 0 && n <= SERIES_MAX_POINTS);
	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ);
	old = MemoryContextSwitchTo(scratch);

	bits_begin(&writer, &out);
	bits_put(&writer, FORMAT_VERSION, 8);
	bits_put_varint(&writer, (uint64) n);
	if (n > 0)
	{
		IntPlan		plan;
		ValuePlan	values;

		int_plan(&plan, series->steps, n);
		int_put(&writer, &plan, series->steps, n);
		int_plan(&plan, series->times, n);
		int_put(&writer, &plan, series->times, n);
		plan_values(&values, series->points, n);
		put_values(&writer, &values, series->points, n);
	}
	bits_finish(&writer);
	sum = checksum(out.data + VARHDRSZ, out.len - VARHDRSZ);
	for (int i = 0; i < CHECKSUM_BYTES; i++)
		appendStringInfoCharMacro(&out, (char) (sum >> (8 * i)));

	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
	SET_VARSIZE(out.data, out.len);
	return (bytea *) out.data;
}

/* Opens packed behind its version and number of points, which it returns. */
static int
open_series(BitReader *reader, bytea *packed)
{
	const char *data = VARDATA_ANY(packed);
	size_t		size = VARSIZE_ANY_EXHDR(packed);
	pg_crc32c	sum = 0;
	uint64		n;

	if (size < 2 + CHECKSUM_BYTES)
		series_corrupt("It is too short.");
	if (data[0] != FORMAT_VERSION)
		series_corrupt(psprintf("Version %d is unknown; this mlmeta reads "
								"version %d.", (uint8) data[0],
								FORMAT_VERSION));
	size -= CHECKSUM_BYTES;
	for (int i = 0; i < CHECKSUM_BYTES; i++)
		sum |= (pg_crc32c) (uint8) data[size + i] << (8 * i);
	if (sum != checksum(data, size))
		series_corrupt("Its checksum is wrong.");

	bits_open(reader, data, size);
	(void) bits_get(reader, 8);
	n = bits_get_varint(reader);
	if (n > SERIES_MAX_POINTS)
		series_corrupt(psprintf("It claims " UINT64_FORMAT " points; there "
								"can be %d.", n, SERIES_MAX_POINTS));
	return (int) n;
}

void
series_unpack(Series *series, bytea *packed)
{
	BitReader	reader;
	int			n = open_series(&reader, packed);

	series->n = n;
	series->steps = palloc(Max(n, 1) * sizeof(int64));
	series->times = palloc(Max(n, 1) * sizeof(TimestampTz));
	series->points = palloc(Max(n, 1) * sizeof(double));
	if (n > 0)
	{
		int_get(&reader, series->steps, n);
		int_get(&reader, series->times, n);
		get_values(&reader, series->points, n);
	}
	bits_close(&reader);

	for (int i = 0; i < n; i++)
	{
		if (!IS_VALID_TIMESTAMP(series->times[i]) &&
			!TIMESTAMP_NOT_FINITE(series->times[i]))
			series_corrupt("A time is out of range.");
	}
}

int
series_length(bytea *packed)
{
	BitReader	reader;

	return open_series(&reader, packed);
}

/* ----------
 * SQL functions
 * ----------
 */

/*
 * The elements of an array of eight-byte values without NULLs; name says in
 * messages which one.
 */
static const void *
array_elements(ArrayType *array, const char *name, int *n)
{
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("array \"%s\" of a series has %d dimensions", name,
						ARR_NDIM(array)),
				 errhint("Give arrays of one dimension.")));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("array \"%s\" of a series contains NULL", name),
				 errhint("Leave points without a value out; a point that "
						 "failed can be NaN.")));
	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	return (char *) array + (ARR_HASNULL(array) ? (size_t) array->dataoffset :
							 ARR_OVERHEAD_NONULLS(ARR_NDIM(array)));
}

/*
 * pack_series(steps bigint[], times timestamptz[], points float8[]) -> bytea.
 * Raises 2202E for arrays of different lengths or more than one dimension,
 * 22004 for NULL elements, 54000 for more than SERIES_MAX_POINTS points.
 */
Datum
mlmeta_pack_series(PG_FUNCTION_ARGS)
{
	Series		series;
	int			n_times;
	int			n_points;

	series.steps = unconstify(void *,
							  array_elements(PG_GETARG_ARRAYTYPE_P(0),
											 "steps", &series.n));
	series.times = unconstify(void *,
							  array_elements(PG_GETARG_ARRAYTYPE_P(1),
											 "times", &n_times));
	series.points = unconstify(void *,
							   array_elements(PG_GETARG_ARRAYTYPE_P(2),
											  "points", &n_points));
	if (series.n != n_times || series.n != n_points)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("arrays of a series differ in length"),
				 errdetail("There are %d steps, %d times and %d points.",
						   series.n, n_times, n_points)));
	if (series.n > SERIES_MAX_POINTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a packed series cannot have %d points", series.n),
				 errdetail("The limit is %d.", SERIES_MAX_POINTS),
				 errhint("Cut the series into parts; a few thousand points "
						 "each are enough.")));
	PG_RETURN_BYTEA_P(series_pack(&series));
}

/* unpack_series(bytea) -> rows of step, at, value, in the order packed */
Datum
mlmeta_unpack_series(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Series		series;

	InitMaterializedSRF(fcinfo, 0);
	series_unpack(&series, PG_GETARG_BYTEA_PP(0));
	for (int i = 0; i < series.n; i++)
	{
		Datum		values[3];
		bool		nulls[3] = {false, false, false};

		if ((i & 0xFFF) == 0xFFF)
			CHECK_FOR_INTERRUPTS();
		values[0] = Int64GetDatum(series.steps[i]);
		values[1] = TimestampTzGetDatum(series.times[i]);
		values[2] = Float8GetDatum(series.points[i]);
		tuplestore_putvalues(result->setResult, result->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}

/* series_count(bytea) -> integer: the number of points */
Datum
mlmeta_series_count(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(series_length(PG_GETARG_BYTEA_PP(0)));
}

/* An array of n eight-byte values */
static Datum
array_of(const void *elements, int n, Oid type)
{
	size_t		size = ARR_OVERHEAD_NONULLS(1) + (size_t) n * 8;
	ArrayType  *array;

	if (n == 0)
		return PointerGetDatum(construct_empty_array(type));
	array = palloc0(size);
	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->dataoffset = 0;
	array->elemtype = type;
	ARR_DIMS(array)[0] = n;
	ARR_LBOUND(array)[0] = 1;
	memcpy((char *) array + ARR_OVERHEAD_NONULLS(1), elements, (size_t) n * 8);
	return PointerGetDatum(array);
}

Datum
mlmeta_series_steps(PG_FUNCTION_ARGS)
{
	Series		series;

	series_unpack(&series, PG_GETARG_BYTEA_PP(0));
	return array_of(series.steps, series.n, INT8OID);
}

Datum
mlmeta_series_times(PG_FUNCTION_ARGS)
{
	Series		series;

	series_unpack(&series, PG_GETARG_BYTEA_PP(0));
	return array_of(series.times, series.n, TIMESTAMPTZOID);
}

Datum
mlmeta_series_points(PG_FUNCTION_ARGS)
{
	Series		series;

	series_unpack(&series, PG_GETARG_BYTEA_PP(0));
	return array_of(series.points, series.n, FLOAT8OID);
}

/*
 * series_bounds(bytea) -> one row: n, nan_count, first_step, last_step,
 * first_at, last_at, minimum, maximum, in_order. Minimum and maximum leave NaN
 * out. NULLs where there is no point, or none but NaN. In order: each point is
 * later than the one before by step, then time, so that none is there twice.
 */
Datum
mlmeta_series_bounds(PG_FUNCTION_ARGS)
{
	Series		series;
	TupleDesc	desc;
	Datum		values[9];
	bool		nulls[9] = {false};
	bool		in_order = true;
	int64		nan_count = 0;
	int64		step_range[2] = {PG_INT64_MAX, PG_INT64_MIN};
	TimestampTz time_range[2] = {PG_INT64_MAX, PG_INT64_MIN};
	double		range[2] = {INFINITY, -INFINITY};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "series_bounds does not return a row");
	series_unpack(&series, PG_GETARG_BYTEA_PP(0));
	for (int i = 0; i < series.n; i++)
	{
		step_range[0] = Min(step_range[0], series.steps[i]);
		step_range[1] = Max(step_range[1], series.steps[i]);
		time_range[0] = Min(time_range[0], series.times[i]);
		time_range[1] = Max(time_range[1], series.times[i]);
		if (isnan(series.points[i]))
			nan_count++;
		range[0] = series.points[i] < range[0] ? series.points[i] : range[0];
		range[1] = series.points[i] > range[1] ? series.points[i] : range[1];
		if (i > 0 && (series.steps[i] < series.steps[i - 1] ||
					  (series.steps[i] == series.steps[i - 1] &&
					   series.times[i] <= series.times[i - 1])))
			in_order = false;
	}
	values[0] = Int64GetDatum((int64) series.n);
	values[1] = Int64GetDatum(nan_count);
	values[2] = Int64GetDatum(step_range[0]);
	values[3] = Int64GetDatum(step_range[1]);
	values[4] = TimestampTzGetDatum(time_range[0]);
	values[5] = TimestampTzGetDatum(time_range[1]);
	values[6] = Float8GetDatum(range[0]);
	values[7] = Float8GetDatum(range[1]);
	values[8] = BoolGetDatum(in_order);
	for (int i = 2; i < 8; i++)
		nulls[i] = i < 6 ? series.n == 0 : series.n == nan_count;
	desc = BlessTupleDesc(desc);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/*
 * series_clock(last, n) -> timestamptz[]: n times, a microsecond apart, of
 * which the last is the given one. For points that the client gave no time:
 * they are no repetitions of each other.
 */
Datum
mlmeta_series_clock(PG_FUNCTION_ARGS)
{
	TimestampTz last = PG_GETARG_TIMESTAMPTZ(0);
	int			n = PG_GETARG_INT32(1);
	Datum	   *times;

	if (n < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of times must not be negative")));
	times = palloc(sizeof(Datum) * (Size) Max(n, 1));
	for (int i = 0; i < n; i++)
		times[i] = TimestampTzGetDatum(last - (n - 1 - i));
	PG_RETURN_ARRAYTYPE_P(construct_array(times, n, TIMESTAMPTZOID,
										  sizeof(TimestampTz),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
