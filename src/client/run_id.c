/*-------------------------------------------------------------------------
 *
 * run_id.c
 *		Ids of runs and batches: UUIDs of version 7, and a run's own text.
 *
 * A run's id is made here and not by the server, so that a run can begin
 * when there is none to be reached.
 *
 *-------------------------------------------------------------------------
 */
#include "client.h"

/* Crockford's base 32, as in the type mlmeta.run */
static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

#define RUN_PREFIX		"run_"
#define RUN_DIGITS		26

/* Version 7: milliseconds since 1970, then random bits. */
static void
make_bytes(unsigned char *bytes)
{
	uint64		ms = (uint64) (now_us() / 1000);

	if (!pg_strong_random(bytes, 16))
		pg_fatal("the system has no random bytes");
	for (int i = 0; i < 6; i++)
		bytes[i] = (unsigned char) (ms >> (8 * (5 - i)));
	bytes[6] = 0x70 | (bytes[6] & 0x0F);
	bytes[8] = 0x80 | (bytes[8] & 0x3F);
}

static void
format_run(const unsigned char *bytes, char *text)
{
	/* 26 digits are 130 bits: two zeros go before the 128 */
	strcpy(text, RUN_PREFIX);
	for (int i = 0; i < RUN_DIGITS; i++)
	{
		int			digit = 0;

		for (int bit = 5 * i - 2; bit < 5 * i + 3; bit++)
			digit = (digit << 1) |
				(bit < 0 ? 0 : (bytes[bit / 8] >> (7 - bit % 8)) & 1);
		text[strlen(RUN_PREFIX) + i] = digits[digit];
	}
	text[RUN_TEXT_SIZE - 1] = '\0';
}

/* A new UUID into UUID_TEXT_SIZE bytes */
void
make_uuid(char *text)
{
	unsigned char bytes[16];
	char	   *at = text;

	make_bytes(bytes);
	for (int i = 0; i < 16; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		at += sprintf(at, "%02x", bytes[i]);
	}
}

/* A new run's id into RUN_TEXT_SIZE bytes */
void
make_run_id(char *text)
{
	unsigned char bytes[16];

	make_bytes(bytes);
	format_run(bytes, text);
}

static bool
parse_digits(const char *text, unsigned char *bytes)
{
	memset(bytes, 0, 16);
	if (strlen(text) != RUN_DIGITS || text[0] > '7')
		return false;
	for (int i = 0; i < RUN_DIGITS; i++)
	{
		const char *found = strchr(digits, pg_tolower(text[i]));

		if (found == NULL)
			return false;
		for (int k = 0; k < 5; k++)
		{
			int			bit = 5 * i - 2 + k;

			if (bit >= 0 && (((found - digits) >> (4 - k)) & 1) != 0)
				bytes[bit / 8] |= 1 << (7 - bit % 8);
		}
	}
	return true;
}

static bool
parse_hex(const char *text, unsigned char *bytes)
{
	int			n = 0;

	memset(bytes, 0, 16);
	for (const char *c = text; *c != '\0'; c++)
	{
		static const char hex[] = "0123456789abcdef";
		const char *found;

		if (*c == '-')
			continue;
		found = strchr(hex, pg_tolower(*c));
		if (found == NULL || n == 32)
			return false;
		bytes[n / 2] = (bytes[n / 2] << 4) | (unsigned char) (found - hex);
		n++;
	}
	return n == 32;
}

/*
 * The canonical text of a run that is given as run_..., as a uuid or as 32
 * hexadecimal digits, into RUN_TEXT_SIZE bytes. False: it is none of them.
 */
bool
canonical_run(const char *text, char *run)
{
	unsigned char bytes[16];
	bool		good;

	if (pg_strncasecmp(text, RUN_PREFIX, strlen(RUN_PREFIX)) == 0)
		good = parse_digits(text + strlen(RUN_PREFIX), bytes);
	else
		good = parse_hex(text, bytes);
	if (good)
		format_run(bytes, run);
	return good;
}
