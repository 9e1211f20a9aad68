/*-------------------------------------------------------------------------
 *
 * run.c
 *		The type run: making ids, text and binary I/O, order, hash, time.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "types/quote.h"
#include "types/run.h"
#include "utils/sortsupport.h"
#include "utils/timestamp.h"

/* Crockford's base 32, lower case */
static const char run_digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

/* Times of a version 7 id: milliseconds since 1970 in 48 bits ... */
#define RUN_MAX_MS			((INT64CONST(1) << 48) - 1)
/* ... and twelve more bits, which we fill with the fraction of one */
#define RUN_TICKS_PER_MS	4096

#define UNIX_EPOCH_US \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

PG_FUNCTION_INFO_V1(mlmeta_run_in);
PG_FUNCTION_INFO_V1(mlmeta_run_out);
PG_FUNCTION_INFO_V1(mlmeta_run_recv);
PG_FUNCTION_INFO_V1(mlmeta_run_send);
PG_FUNCTION_INFO_V1(mlmeta_run_eq);
PG_FUNCTION_INFO_V1(mlmeta_run_ne);
PG_FUNCTION_INFO_V1(mlmeta_run_lt);
PG_FUNCTION_INFO_V1(mlmeta_run_le);
PG_FUNCTION_INFO_V1(mlmeta_run_gt);
PG_FUNCTION_INFO_V1(mlmeta_run_ge);
PG_FUNCTION_INFO_V1(mlmeta_run_cmp);
PG_FUNCTION_INFO_V1(mlmeta_run_sortsupport);
PG_FUNCTION_INFO_V1(mlmeta_run_hash);
PG_FUNCTION_INFO_V1(mlmeta_run_hash_extended);
PG_FUNCTION_INFO_V1(mlmeta_run_smaller);
PG_FUNCTION_INFO_V1(mlmeta_run_larger);
PG_FUNCTION_INFO_V1(mlmeta_new_run);
PG_FUNCTION_INFO_V1(mlmeta_run_time);
PG_FUNCTION_INFO_V1(mlmeta_run_lower_bound);
PG_FUNCTION_INFO_V1(mlmeta_run_upper_bound);

static void
set_halves(Run *run, uint64 high, uint64 low)
{
	high = pg_hton64(high);
	low = pg_hton64(low);
	memcpy(run->bytes, &high, sizeof(high));
	memcpy(run->bytes + sizeof(high), &low, sizeof(low));
}

/* ----------
 * Text
 * ----------
 */

/* Value of a base-32 digit in either case, -1 if it is none */
static int
base32_digit(char c)
{
	const char *found;

	if (c >= 'A' && c <= 'Z')
		c += 'a' - 'A';
	found = c == '\0' ? NULL : strchr(run_digits, c);
	return found == NULL ? -1 : (int) (found - run_digits);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool
parse_base32(const char *text, size_t size, Run *run)
{
	uint128		value = 0;

	/* 26 digits are 130 bits: the first digit has only three */
	if (size != RUN_DIGITS || text[0] < '0' || text[0] > '7')
		return false;
	for (int i = 0; i < RUN_DIGITS; i++)
	{
		int			digit = base32_digit(text[i]);

		if (digit < 0)
			return false;
		value = (value << 5) | (uint128) digit;
	}
	set_halves(run, (uint64) (value >> 64), (uint64) value);
	return true;
}

/*
 * A uuid as PostgreSQL reads one: 32 hexadecimal digits, a hyphen allowed
 * after each group of four, braces allowed around.
 */
static bool
parse_uuid(const char *text, size_t size, Run *run)
{
	const char *end = text + size;

	if (size >= 2 && text[0] == '{')
	{
		if (end[-1] != '}')
			return false;
		text++;
		end--;
	}
	for (int i = 0; i < RUN_SIZE; i++)
	{
		int			high;
		int			low;

		if (end - text < 2)
			return false;
		high = hex_digit(text[0]);
		low = hex_digit(text[1]);
		if (high < 0 || low < 0)
			return false;
		run->bytes[i] = (uint8) (high << 4 | low);
		text += 2;
		if (text < end && *text == '-' && i % 2 == 1 && i < RUN_SIZE - 1)
			text++;
	}
	return text == end;
}

bool
run_parse(const char *text, size_t size, Run *run)
{
	if (size >= RUN_PREFIX_SIZE &&
		memcmp(text, RUN_PREFIX, RUN_PREFIX_SIZE) == 0)
		return parse_base32(text + RUN_PREFIX_SIZE, size - RUN_PREFIX_SIZE,
							run);
	return parse_uuid(text, size, run);
}

void
run_format(const Run *run, char *text)
{
	uint128		value = (uint128) run_half(run, 0) << 64 | run_half(run, 1);

	memcpy(text, RUN_PREFIX, RUN_PREFIX_SIZE);
	for (int i = RUN_TEXT_SIZE - 1; i >= RUN_PREFIX_SIZE; i--)
	{
		text[i] = run_digits[(int) (value & 31)];
		value >>= 5;
	}
	text[RUN_TEXT_SIZE] = '\0';
}

Datum
mlmeta_run_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	size_t		size = strlen(text);
	Run		   *run = palloc(sizeof(Run));

	if (!run_parse(text, size, run))
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%.*s%s\"", "run",
						quoted_length(text, size), text,
						quoted_ellipsis(size)),
				 errhint("A run is written run_ and 26 base-32 digits, or as "
						 "a uuid, or as 32 hexadecimal digits.")));
	return RunGetDatum(run);
}

Datum
mlmeta_run_out(PG_FUNCTION_ARGS)
{
	char	   *text = palloc(RUN_TEXT_SIZE + 1);

	run_format(PG_GETARG_RUN(0), text);
	PG_RETURN_CSTRING(text);
}

/* ----------
 * Binary: the 16 bytes
 * ----------
 */

Datum
mlmeta_run_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	Run		   *run = palloc(sizeof(Run));
	int			size = buf->len - buf->cursor;

	if (size != RUN_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary representation of type %s", "run"),
				 errdetail("The value has %d bytes instead of %d.", size,
						   RUN_SIZE),
				 errhint("The binary form of a run is that of a uuid.")));
	memcpy(run->bytes, pq_getmsgbytes(buf, RUN_SIZE), RUN_SIZE);
	return RunGetDatum(run);
}

Datum
mlmeta_run_send(PG_FUNCTION_ARGS)
{
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbytes(&buf, (const char *) PG_GETARG_RUN(0)->bytes, RUN_SIZE);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* ----------
 * Order and hash
 * ----------
 */

Datum
mlmeta_run_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(run_compare(PG_GETARG_RUN(0), PG_GETARG_RUN(1)) == 0);
}

Datum
mlmeta_run_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(run_compare(PG_GETARG_RUN(0), PG_GETARG_RUN(1)) != 0);
}

Datum
mlmeta_run_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(run_compare(PG_GETARG_RUN(0), PG_GETARG_RUN(1)) < 0);
}

Datum
mlmeta_run_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(run_compare(PG_GETARG_RUN(0), PG_GETARG_RUN(1)) <= 0);
}

Datum
mlmeta_run_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(run_compare(PG_GETARG_RUN(0), PG_GETARG_RUN(1)) > 0);
}

Datum
mlmeta_run_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(run_compare(PG_GETARG_RUN(0), PG_GETARG_RUN(1)) >= 0);
}

Datum
mlmeta_run_cmp(PG_FUNCTION_ARGS)
{
	int			cmp = run_compare(PG_GETARG_RUN(0), PG_GETARG_RUN(1));

	PG_RETURN_INT32((cmp > 0) - (cmp < 0));
}

static int
sort_compare(Datum a, Datum b, SortSupport ssup)
{
	return run_compare(DatumGetRun(a), DatumGetRun(b));
}

/* The leading bytes hold the time: they nearly always decide */
static Datum
abbreviate(Datum original, SortSupport ssup)
{
	uint64		high = run_half(DatumGetRun(original), 0);

#if SIZEOF_DATUM == 8
	return (Datum) high;
#else
	return (Datum) (high >> 32);
#endif
}

static bool
abort_abbreviation(int n, SortSupport ssup)
{
	return false;
}

Datum
mlmeta_run_sortsupport(PG_FUNCTION_ARGS)
{
	SortSupport ssup = (SortSupport) PG_GETARG_POINTER(0);

	ssup->comparator = sort_compare;
	if (ssup->abbreviate)
	{
		ssup->comparator = ssup_datum_unsigned_cmp;
		ssup->abbrev_converter = abbreviate;
		ssup->abbrev_abort = abort_abbreviation;
		ssup->abbrev_full_comparator = sort_compare;
	}
	PG_RETURN_VOID();
}

Datum
mlmeta_run_hash(PG_FUNCTION_ARGS)
{
	return hash_any(PG_GETARG_RUN(0)->bytes, RUN_SIZE);
}

Datum
mlmeta_run_hash_extended(PG_FUNCTION_ARGS)
{
	return hash_any_extended(PG_GETARG_RUN(0)->bytes, RUN_SIZE,
							 PG_GETARG_INT64(1));
}

Datum
mlmeta_run_smaller(PG_FUNCTION_ARGS)
{
	Run		   *a = PG_GETARG_RUN(0);
	Run		   *b = PG_GETARG_RUN(1);

	return RunGetDatum(run_compare(a, b) <= 0 ? a : b);
}

Datum
mlmeta_run_larger(PG_FUNCTION_ARGS)
{
	Run		   *a = PG_GETARG_RUN(0);
	Run		   *b = PG_GETARG_RUN(1);

	return RunGetDatum(run_compare(a, b) >= 0 ? a : b);
}

/* ----------
 * Making ids, and their time
 * ----------
 */

/* Version 7 and the RFC's variant around a time and filling bits */
static void
make_version_7(Run *run, uint64 ms, uint64 twelve_bits, uint64 sixty_two_bits)
{
	set_halves(run, ms << 16 | UINT64CONST(0x7000) | twelve_bits,
			   UINT64CONST(0x8000000000000000) |
			   (sixty_two_bits & UINT64CONST(0x3FFFFFFFFFFFFFFF)));
}

/*
 * The time of the next id in 1/4096 ms since 1970: the clock's, but always
 * after the one before. When the clock stands still or goes backwards (a
 * leap, an adjustment) the ids go on from where they were.
 */
static uint64
next_tick(void)
{
	static uint64 last = 0;
	int64		us = Max(GetCurrentTimestamp() + UNIX_EPOCH_US, 0);
	uint64		tick;

	tick = (uint64) (us / 1000) * RUN_TICKS_PER_MS +
		(uint64) (us % 1000) * RUN_TICKS_PER_MS / 1000;
	last = Max(tick, last + 1);
	return last;
}

/*
 * new_run() -> run: an id greater than all that this session made before.
 */
Datum
mlmeta_new_run(PG_FUNCTION_ARGS)
{
	Run		   *run = palloc(sizeof(Run));
	uint64		tick = next_tick();
	uint64		random;

	if (!pg_strong_random(&random, sizeof(random)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random bits for a run")));
	make_version_7(run, tick / RUN_TICKS_PER_MS, tick % RUN_TICKS_PER_MS,
				   random);
	return RunGetDatum(run);
}

/*
 * run_time(run) -> timestamptz: when the id was made, in milliseconds; NULL
 * for ids that hold no time (other versions of UUID, foreign bytes).
 */
Datum
mlmeta_run_time(PG_FUNCTION_ARGS)
{
	Run		   *run = PG_GETARG_RUN(0);
	int64		ms = (int64) (run_half(run, 0) >> 16);

	if ((run->bytes[6] & 0xF0) != 0x70 || (run->bytes[8] & 0xC0) != 0x80)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(ms * 1000 - UNIX_EPOCH_US);
}

/*
 * A bound at t, from above or below. Times that no id can hold give the
 * smallest and the largest of all sixteen bytes.
 */
static Datum
make_bound(TimestampTz t, bool upper)
{
	Run		   *run = palloc0(sizeof(Run));

	if (t > RUN_MAX_MS * 1000 - UNIX_EPOCH_US)	/* also infinity */
		memset(run->bytes, 0xFF, RUN_SIZE);
	else if (t >= -UNIX_EPOCH_US)
	{
		uint64		us = (uint64) (t + UNIX_EPOCH_US);

		if (upper)
			make_version_7(run, us / 1000, RUN_TICKS_PER_MS - 1,
						   PG_UINT64_MAX);
		else
			make_version_7(run, (us + 999) / 1000, 0, 0);
	}
	return RunGetDatum(run);
}

/*
 * run_lower_bound(t): for every run r that holds a time,
 * r >= run_lower_bound(t) exactly when run_time(r) >= t.
 */
Datum
mlmeta_run_lower_bound(PG_FUNCTION_ARGS)
{
	return make_bound(PG_GETARG_TIMESTAMPTZ(0), false);
}

/*
 * run_upper_bound(t): for every run r that holds a time,
 * r <= run_upper_bound(t) exactly when run_time(r) <= t.
 */
Datum
mlmeta_run_upper_bound(PG_FUNCTION_ARGS)
{
	return make_bound(PG_GETARG_TIMESTAMPTZ(0), true);
}
