/*-------------------------------------------------------------------------
 *
 * text.c
 *		Texts, files and times, as the rest of the program needs them.
 *
 *-------------------------------------------------------------------------
 */
#include "client.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/shortest_dec.h"

/* What stands for a byte that is no text: U+FFFD */
static const char replacement[] = "\xEF\xBF\xBD";

/*
 * Bytes of the UTF-8 character at the start of the text, 0 if it is none.
 * NUL counts as none: neither JSON nor the server can keep one.
 */
static int
character_size(const unsigned char *text, size_t size)
{
	unsigned char c = text[0];
	int			n;

	if (c == 0)
		return 0;
	if (c < 0x80)
		return 1;
	n = c >= 0xC2 && c < 0xE0 ? 2 : c >= 0xE0 && c < 0xF0 ? 3 :
		c >= 0xF0 && c < 0xF5 ? 4 : 0;
	if (n == 0 || size < n)
		return 0;
	for (int i = 1; i < n; i++)
	{
		if ((text[i] & 0xC0) != 0x80)
			return 0;
	}
	/* Overlong forms, surrogates, beyond U+10FFFF */
	if ((c == 0xE0 && text[1] < 0xA0) || (c == 0xED && text[1] > 0x9F)
		|| (c == 0xF0 && text[1] < 0x90) || (c == 0xF4 && text[1] > 0x8F))
		return 0;
	return n;
}

/* Whether all bytes are UTF-8, none of them zero. */
bool
is_utf8(const char *text, size_t size)
{
	for (size_t at = 0; at < size;)
	{
		int			n = character_size((const unsigned char *) text + at,
									   size - at);

		if (n == 0)
			return false;
		at += n;
	}
	return true;
}

/* The text with every byte that is no UTF-8 replaced; the caller frees it. */
char *
make_utf8(const char *text, size_t size)
{
	PQExpBufferData buffer;

	initPQExpBuffer(&buffer);
	for (size_t at = 0; at < size;)
	{
		int			n = character_size((const unsigned char *) text + at,
									   size - at);

		if (n == 0)
			appendPQExpBufferStr(&buffer, replacement);
		else
			appendBinaryPQExpBuffer(&buffer, text + at, n);
		at += Max(n, 1);
	}
	return buffer.data;
}

/*
 * Whether a text can name an experiment, a metric and the like, as the server
 * would say: 1 to 250 characters, none of them a control character.
 */
bool
is_name(const char *text)
{
	size_t		size = strlen(text);
	int			characters = 0;

	if (!is_utf8(text, size))
		return false;
	for (size_t at = 0; at < size; at++)
	{
		unsigned char c = (unsigned char) text[at];

		if (c < 0x20 || c == 0x7F)
			return false;
		if ((c & 0xC0) != 0x80)
			characters++;
	}
	return characters >= 1 && characters <= NAME_LIMIT;
}

static void
append_quoted(PQExpBuffer buffer, const char *argument)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		"@%_-+=:,./";

	if (*argument != '\0' && argument[strspn(argument, plain)] == '\0')
	{
		appendPQExpBufferStr(buffer, argument);
		return;
	}
	appendPQExpBufferChar(buffer, '\'');
	for (const char *c = argument; *c != '\0'; c++)
	{
		if (*c == '\'')
			appendPQExpBufferStr(buffer, "'\\''");
		else
			appendPQExpBufferChar(buffer, *c);
	}
	appendPQExpBufferChar(buffer, '\'');
}

/* A command as a line that a shell reads back; the caller frees it. */
char *
shell_quote(char *const *arguments)
{
	PQExpBufferData buffer;

	initPQExpBuffer(&buffer);
	for (char *const *a = arguments; *a != NULL; a++)
	{
		if (a != arguments)
			appendPQExpBufferChar(&buffer, ' ');
		append_quoted(&buffer, *a);
	}
	return buffer.data;
}

/*
 * The file's content with a zero behind it, which size does not count; at most
 * limit bytes of it. NULL with errno when it cannot be read.
 */
char *
read_file(const char *path, size_t limit, size_t *size)
{
	int			fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	PQExpBufferData buffer;
	char		chunk[16384];

	if (fd < 0)
		return NULL;
	initPQExpBuffer(&buffer);
	while (buffer.len < limit)
	{
		ssize_t		n = read(fd, chunk, Min(sizeof(chunk), limit - buffer.len));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
		{
			int			saved = errno;

			close(fd);
			termPQExpBuffer(&buffer);
			errno = saved;
			return NULL;
		}
		if (n == 0)
			break;
		appendBinaryPQExpBuffer(&buffer, chunk, n);
	}
	close(fd);
	if (size != NULL)
		*size = buffer.len;
	return buffer.data;
}

/* Write all of it, whatever interrupts; false with errno on failure. */
bool
write_all(int fd, const char *data, size_t size)
{
	while (size > 0)
	{
		ssize_t		n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n;
		size -= n;
	}
	return true;
}

/* Microseconds since 1970 */
int64
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* A time as the server reads it under any DateStyle; the caller frees it. */
char *
time_text(int64 us)
{
	int64		seconds = us / 1000000;
	int64		rest = us % 1000000;
	time_t		time;
	struct tm	parts;

	if (rest < 0)
	{
		rest += 1000000;
		seconds--;
	}
	time = (time_t) seconds;
	gmtime_r(&time, &parts);
	return psprintf("%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
					parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
					parts.tm_hour, parts.tm_min, parts.tm_sec, (int) rest);
}

/* Seconds on a clock that nobody sets */
double
monotonic_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* A size for people; the caller frees it. */
char *
human_size(int64 bytes)
{
	static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
	double		size = (double) bytes;
	int			unit = 0;

	while (size >= 1024 && unit < lengthof(units) - 1)
	{
		size /= 1024;
		unit++;
	}
	return unit == 0 ? psprintf("%lld bytes", (long long) bytes) :
		psprintf("%.1f %s", size, units[unit]);
}

/* A JSON string of any bytes; what is no UTF-8 is replaced. */
json_t *
json_text(const char *text)
{
	char	   *clean = make_utf8(text, strlen(text));
	json_t	   *result = json_string_nocheck(clean);

	pg_free(clean);
	return result;
}

/* What stands for a number in a string that holds nothing else */
#define NUMBER_MARK	"\001#"

/* The same as in JSON's text */
#define NUMBER_MARK_JSON	"\"\\u0001#"

/*
 * A copy in which every fraction is a marked string of its shortest digits:
 * jansson would write 0.1 as 0.10000000000000001, and the server, whose
 * numbers are decimal, would keep that.
 */
static json_t *
mark_fractions(const json_t *value)
{
	json_t	   *copy;
	json_t	   *item;
	const char *key;
	size_t		i;

	switch (json_typeof(value))
	{
		case JSON_REAL:
			{
				char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];
				char	   *marked;

				double_to_shortest_decimal_buf(json_real_value(value), digits);
				marked = psprintf(NUMBER_MARK "%s", digits);
				copy = json_string(marked);
				pg_free(marked);
				return copy;
			}
		case JSON_ARRAY:
			copy = json_array();
			json_array_foreach((json_t *) value, i, item)
				json_array_append_new(copy, mark_fractions(item));
			return copy;
		case JSON_OBJECT:
			copy = json_object();
			json_object_foreach((json_t *) value, key, item)
				json_object_set_new_nocheck(copy, key, mark_fractions(item));
			return copy;
		default:
			return json_incref((json_t *) value);
	}
}

/* JSON as text, which the caller frees; fractions as short as they can be */
char *
dump_json(const json_t *value)
{
	json_t	   *marked = mark_fractions(value);
	char	   *result = json_dumps(marked, JSON_COMPACT | JSON_ENCODE_ANY);
	size_t		size = strlen(NUMBER_MARK_JSON);
	char	   *to = result;

	json_decref(marked);
	if (result == NULL)
		pg_fatal("out of memory");
	for (char *from = result; *from != '\0';)
	{
		size_t		n = 0;

		if (strncmp(from, NUMBER_MARK_JSON, size) == 0)
			n = strspn(from + size, "0123456789.e+-");
		if (n > 0 && from[size + n] == '"')
		{
			memmove(to, from + size, n);
			to += n;
			from += size + n + 1;
		}
		else
			*to++ = *from++;
	}
	*to = '\0';
	return result;
}
