/*-------------------------------------------------------------------------
 *
 * archive.c
 *		The bounded reader and writer behind every type's stored, wire and
 *		text form.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "core/archive.h"
#include "core/rice.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/json.h"

/* No description nests deeper than this; forged text might. */
#define ARCHIVE_MAX_DEPTH	8

/* LEB128 of 64 bits takes at most this many bytes */
#define MAX_VARINT_BYTES	10

/* ----------
 * Beginning, ending, failing
 * ----------
 */

void
archive_write(Archive *ar, ArchiveDirection mode, const char *type_name,
			  StringInfo out)
{
	memset(ar, 0, sizeof(*ar));
	ar->mode = mode;
	ar->type_name = type_name;
	ar->out = out;
	ar->first = true;
}

/* The text of ARCHIVE_READ_TEXT must be followed by a zero byte. */
void
archive_read(Archive *ar, ArchiveDirection mode, const char *type_name,
			 const char *data, size_t size, struct Node *escontext)
{
	memset(ar, 0, sizeof(*ar));
	ar->mode = mode;
	ar->type_name = type_name;
	ar->cursor = data;
	ar->end = data + size;
	ar->first = true;
	ar->escontext = escontext;
}

/*
 * Raises (or notes) that the input is no value of the type. detail says what
 * is wrong, as a sentence.
 */
void
archive_fail(Archive *ar, const char *detail,...)
{
	StringInfoData buf;
	bool		binary = ar->mode == ARCHIVE_READ_BINARY;

	if (ar->failed)
		return;
	ar->failed = true;

	initStringInfo(&buf);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, detail);
		needed = appendStringInfoVA(&buf, detail, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&buf, needed);
	}

	errsave(ar->escontext,
			(errcode(binary ? ERRCODE_INVALID_BINARY_REPRESENTATION :
					 ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg(binary ? "invalid binary representation of type %s" :
					"invalid input syntax for type %s", ar->type_name),
			 errdetail_internal("%s", buf.data),
			 errhint("Values of type %s come from its constructors or "
					 "aggregates; their text form is one JSON object.",
					 ar->type_name)));
}

/* ----------
 * Binary primitives
 * ----------
 */

static void
write_varint(Archive *ar, uint64 value)
{
	char		bytes[MAX_VARINT_BYTES];
	int			n = 0;

	while (value >= 0x80)
	{
		bytes[n++] = (char) (value | 0x80);
		value >>= 7;
	}
	bytes[n++] = (char) value;
	appendBinaryStringInfo(ar->out, bytes, n);
}

static uint64
read_varint(Archive *ar)
{
	uint64		value = 0;
	int			shift = 0;

	while (!ar->failed)
	{
		uint8		byte;

		if (ar->cursor >= ar->end)
		{
			archive_fail(ar, "The value ends inside a number.");
			break;
		}
		byte = (uint8) *ar->cursor++;
		if (shift == 63 && byte > 1)
		{
			archive_fail(ar, "A number has more than 64 bits.");
			break;
		}
		value |= (uint64) (byte & 0x7F) << shift;
		if ((byte & 0x80) == 0)
		{
			if (byte == 0 && shift > 0)
			{
				archive_fail(ar, "A number is not in its shortest form.");
				break;
			}
			return value;
		}
		shift += 7;
	}
	return 0;
}

static bool
has_left(Archive *ar, size_t size)
{
	if (ar->failed)
		return false;
	if ((size_t) (ar->end - ar->cursor) < size)
	{
		archive_fail(ar, "Bytes missing at the end of the value: %zu.",
					 size - (size_t) (ar->end - ar->cursor));
		return false;
	}
	return true;
}

static void
write_float(Archive *ar, double value)
{
	uint64		bits;

	memcpy(&bits, &value, sizeof(bits));
	bits = pg_hton64(bits);
	appendBinaryStringInfo(ar->out, (char *) &bits, sizeof(bits));
}

static double
read_float(Archive *ar)
{
	uint64		bits;
	double		value;

	if (!has_left(ar, sizeof(bits)))
		return 0;
	memcpy(&bits, ar->cursor, sizeof(bits));
	ar->cursor += sizeof(bits);
	bits = pg_ntoh64(bits);
	memcpy(&value, &bits, sizeof(value));
	/* one bit pattern for each value, or equal values had unequal bytes */
	if (isnan(value))
		value = get_float8_nan();
	return value + 0.0;
}

/* ----------
 * Text primitives
 * ----------
 */

static void
skip_space(Archive *ar)
{
	while (ar->cursor < ar->end &&
		   (*ar->cursor == ' ' || *ar->cursor == '\t' ||
			*ar->cursor == '\n' || *ar->cursor == '\r'))
		ar->cursor++;
}

/* What comes next, for a message: up to 20 bytes, whole characters */
static char *
what_is_next(Archive *ar)
{
	int			size = (int) Min(ar->end - ar->cursor, 20);

	if (size == 0)
		return pstrdup("the end of the value");
	size = pg_mbcliplen(ar->cursor, (int) (ar->end - ar->cursor), size);
	return psprintf("\"%.*s\"", size, ar->cursor);
}

static void
expect(Archive *ar, char c)
{
	if (ar->failed)
		return;
	skip_space(ar);
	if (ar->cursor >= ar->end || *ar->cursor != c)
		archive_fail(ar, "Expected \"%c\" before %s.", c, what_is_next(ar));
	else
		ar->cursor++;
}

static bool
next_is(Archive *ar, char c)
{
	if (ar->failed)
		return false;
	skip_space(ar);
	return ar->cursor < ar->end && *ar->cursor == c;
}

/* Text: the comma, name and colon in front of a field */
static void
field_name(Archive *ar, const char *name)
{
	size_t		size = strlen(name);

	if (ar->mode == ARCHIVE_WRITE_TEXT)
	{
		if (!ar->first)
			appendStringInfoString(ar->out, ", ");
		appendStringInfo(ar->out, "\"%s\": ", name);
		ar->first = false;
		return;
	}

	if (!ar->first)
		expect(ar, ',');
	ar->first = false;
	if (ar->failed)
		return;
	skip_space(ar);
	if ((size_t) (ar->end - ar->cursor) < size + 2 ||
		ar->cursor[0] != '"' || memcmp(ar->cursor + 1, name, size) != 0 ||
		ar->cursor[size + 1] != '"')
	{
		archive_fail(ar, "Expected the field \"%s\" before %s.", name,
					 what_is_next(ar));
		return;
	}
	ar->cursor += size + 2;
	expect(ar, ':');
}

static void
write_text_float(Archive *ar, double value)
{
	if (isfinite(value))
	{
		char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

		double_to_shortest_decimal_buf(value, digits);
		appendStringInfoString(ar->out, digits);
	}
	else
		appendStringInfoString(ar->out, isnan(value) ? "\"NaN\"" :
							   value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
}

/* Length of the JSON number at the cursor, 0 if there is none */
static size_t
number_length(Archive *ar)
{
	skip_space(ar);
	return strspn(ar->cursor, "+-.0123456789eE");
}

static double
read_text_float(Archive *ar)
{
	static const struct
	{
		const char *text;
		int			sign;
	}			specials[] = {{"\"NaN\"", 0}, {"\"Infinity\"", 1},
							  {"\"-Infinity\"", -1}};
	size_t		size;
	char	   *stop;
	double		value;

	if (ar->failed)
		return 0;
	size = number_length(ar);
	for (int i = 0; i < (int) lengthof(specials); i++)
	{
		size_t		length = strlen(specials[i].text);

		if (strncmp(ar->cursor, specials[i].text, length) == 0)
		{
			ar->cursor += length;
			return specials[i].sign == 0 ? get_float8_nan() :
				specials[i].sign * get_float8_infinity();
		}
	}
	value = strtod(ar->cursor, &stop);
	if (size == 0 || stop != ar->cursor + size || !isfinite(value))
	{
		archive_fail(ar, "Expected a number before %s.", what_is_next(ar));
		return 0;
	}
	ar->cursor = stop;
	return value + 0.0;
}

static int64
read_text_int(Archive *ar)
{
	size_t		size;
	char	   *stop;
	int64		value;

	if (ar->failed)
		return 0;
	size = number_length(ar);
	errno = 0;
	value = strtoll(ar->cursor, &stop, 10);
	if (size == 0 || stop != ar->cursor + size || errno != 0)
	{
		archive_fail(ar, "Expected an integer before %s.", what_is_next(ar));
		return 0;
	}
	ar->cursor = stop;
	return value;
}

/* A JSON string, unescaped, in palloc'ed memory followed by a zero byte */
static char *
read_text_string(Archive *ar, int max_size, int *size)
{
	StringInfoData buf;

	initStringInfo(&buf);
	expect(ar, '"');
	while (!ar->failed)
	{
		char		c;

		if (ar->cursor >= ar->end)
		{
			archive_fail(ar, "A string is not closed.");
			break;
		}
		c = *ar->cursor++;
		if (c == '"')
			break;
		if (c == '\\' && ar->cursor < ar->end)
		{
			static const char from[] = "\"\\/bfnrt";
			static const char to[] = "\"\\/\b\f\n\r\t";
			const char *escape;

			c = *ar->cursor++;
			if (c == 'u' && ar->end - ar->cursor >= 4)
			{
				char		hex[5] = {0};
				char	   *stop;
				unsigned long code;

				/* Our own output escapes control characters alone this way */
				memcpy(hex, ar->cursor, 4);
				code = strtoul(hex, &stop, 16);
				if (stop != hex + 4 || code == 0 || code > 0x7F)
				{
					archive_fail(ar, "Unknown escape \"\\u%s\" in a string.",
								 hex);
					break;
				}
				ar->cursor += 4;
				c = (char) code;
			}
			else if (c != 0 && (escape = strchr(from, c)) != NULL)
				c = to[escape - from];
			else
			{
				archive_fail(ar, "Unknown escape in a string.");
				break;
			}
		}
		else if ((uint8) c < 0x20)
		{
			archive_fail(ar, "A control character in a string is not escaped.");
			break;
		}
		appendStringInfoChar(&buf, c);
		if (buf.len > max_size)
		{
			archive_fail(ar, "A string is longer than %d bytes.", max_size);
			break;
		}
	}
	*size = ar->failed ? 0 : buf.len;
	return buf.data;
}

/* ----------
 * Objects
 * ----------
 */

void
archive_open(Archive *ar)
{
	if (ar->mode == ARCHIVE_WRITE_TEXT)
	{
		if (!ar->first)
			appendStringInfoString(ar->out, ", ");
		appendStringInfoChar(ar->out, '{');
	}
	else if (ar->mode == ARCHIVE_READ_TEXT)
	{
		if (!ar->first)
			expect(ar, ',');
		expect(ar, '{');
		if (++ar->depth > ARCHIVE_MAX_DEPTH)
			archive_fail(ar, "Objects are nested too deeply.");
	}
	ar->first = true;
}

void
archive_name(Archive *ar, const char *name)
{
	if (ar->mode == ARCHIVE_WRITE_TEXT || ar->mode == ARCHIVE_READ_TEXT)
	{
		field_name(ar, name);
		ar->first = true;
	}
}

void
archive_open_field(Archive *ar, const char *name)
{
	archive_name(ar, name);
	archive_open(ar);
}

void
archive_close(Archive *ar)
{
	if (ar->mode == ARCHIVE_WRITE_TEXT)
		appendStringInfoChar(ar->out, '}');
	else if (ar->mode == ARCHIVE_READ_TEXT)
	{
		expect(ar, '}');
		ar->depth--;
	}
	ar->first = false;
}

/* Reading only: nothing but white space may follow the value. */
void
archive_finish(Archive *ar)
{
	if (!archive_reading(ar) || ar->failed)
		return;
	if (ar->mode == ARCHIVE_READ_TEXT)
		skip_space(ar);
	if (ar->cursor < ar->end)
		archive_fail(ar, "Bytes to spare after the value: %zu.",
					 (size_t) (ar->end - ar->cursor));
}

/* ----------
 * Fields
 * ----------
 */

/* Integers from 0 to 2^63 - 1 */
static void
archive_unnamed_count(Archive *ar, int64 *value)
{
	switch (ar->mode)
	{
		case ARCHIVE_WRITE_BINARY:
			Assert(*value >= 0);
			write_varint(ar, (uint64) *value);
			break;
		case ARCHIVE_READ_BINARY:
			{
				uint64		number = read_varint(ar);

				if (number > (uint64) PG_INT64_MAX)
				{
					archive_fail(ar, "A count is above 2^63 - 1.");
					number = 0;
				}
				*value = (int64) number;
				break;
			}
		case ARCHIVE_WRITE_TEXT:
			appendStringInfo(ar->out, INT64_FORMAT, *value);
			break;
		case ARCHIVE_READ_TEXT:
			*value = read_text_int(ar);
			if (*value < 0)
			{
				archive_fail(ar, "A count is negative.");
				*value = 0;
			}
			break;
	}
}

void
archive_count(Archive *ar, const char *name, int64 *value)
{
	if (ar->mode == ARCHIVE_WRITE_TEXT || ar->mode == ARCHIVE_READ_TEXT)
		field_name(ar, name);
	archive_unnamed_count(ar, value);
}

/* Signed integers: zigzag in the binary form */
void
archive_int(Archive *ar, const char *name, int64 *value)
{
	switch (ar->mode)
	{
		case ARCHIVE_WRITE_BINARY:
			write_varint(ar, ((uint64) *value << 1) ^
						 (uint64) (*value < 0 ? -1 : 0));
			break;
		case ARCHIVE_READ_BINARY:
			{
				uint64		number = read_varint(ar);

				*value = (int64) (number >> 1) ^ -(int64) (number & 1);
				break;
			}
		case ARCHIVE_WRITE_TEXT:
			field_name(ar, name);
			appendStringInfo(ar->out, INT64_FORMAT, *value);
			break;
		case ARCHIVE_READ_TEXT:
			field_name(ar, name);
			*value = read_text_int(ar);
			break;
	}
}

void
archive_bool(Archive *ar, const char *name, bool *value)
{
	switch (ar->mode)
	{
		case ARCHIVE_WRITE_BINARY:
			appendStringInfoCharMacro(ar->out, *value ? 1 : 0);
			break;
		case ARCHIVE_READ_BINARY:
			*value = false;
			if (has_left(ar, 1))
			{
				if ((uint8) *ar->cursor > 1)
					archive_fail(ar, "A flag is neither 0 nor 1.");
				*value = *ar->cursor++ == 1;
			}
			break;
		case ARCHIVE_WRITE_TEXT:
			field_name(ar, name);
			appendStringInfoString(ar->out, *value ? "true" : "false");
			break;
		case ARCHIVE_READ_TEXT:
			field_name(ar, name);
			*value = false;
			if (ar->failed)
				break;
			skip_space(ar);
			if (strncmp(ar->cursor, "true", 4) == 0)
			{
				*value = true;
				ar->cursor += 4;
			}
			else if (strncmp(ar->cursor, "false", 5) == 0)
				ar->cursor += 5;
			else
				archive_fail(ar, "Expected true or false before %s.",
							 what_is_next(ar));
			break;
	}
}

/* The version of the format, from 1 to newest; the first field of a value */
void
archive_version(Archive *ar, int newest, int *value)
{
	int64		version = *value;

	archive_count(ar, "version", &version);
	if (archive_reading(ar) && !ar->failed &&
		(version < 1 || version > newest))
	{
		archive_fail(ar, "Version " INT64_FORMAT " is unknown; this mlmeta "
					 "reads versions 1 to %d.", version, newest);
		version = newest;
	}
	*value = (int) version;
}

/* One of a few labels: its index in binary, the label in text */
void
archive_enum(Archive *ar, const char *name, int *value,
			 const char *const *labels, int n_labels)
{
	switch (ar->mode)
	{
		case ARCHIVE_WRITE_BINARY:
			appendStringInfoCharMacro(ar->out, (char) *value);
			break;
		case ARCHIVE_READ_BINARY:
			*value = 0;
			if (has_left(ar, 1))
			{
				*value = (uint8) *ar->cursor++;
				if (*value >= n_labels)
				{
					archive_fail(ar, "The %s %d is unknown.", name, *value);
					*value = 0;
				}
			}
			break;
		case ARCHIVE_WRITE_TEXT:
			field_name(ar, name);
			appendStringInfo(ar->out, "\"%s\"", labels[*value]);
			break;
		case ARCHIVE_READ_TEXT:
			{
				int			size;
				char	   *label;

				field_name(ar, name);
				*value = 0;
				label = read_text_string(ar, NAMEDATALEN, &size);
				if (ar->failed)
					break;
				for (int i = 0; i < n_labels; i++)
				{
					if (strcmp(label, labels[i]) == 0)
					{
						*value = i;
						return;
					}
				}
				archive_fail(ar, "The %s \"%s\" is unknown.", name, label);
				break;
			}
	}
}

static void
archive_unnamed_float(Archive *ar, double *value)
{
	switch (ar->mode)
	{
		case ARCHIVE_WRITE_BINARY:
			write_float(ar, *value);
			break;
		case ARCHIVE_READ_BINARY:
			*value = read_float(ar);
			break;
		case ARCHIVE_WRITE_TEXT:
			write_text_float(ar, *value);
			break;
		case ARCHIVE_READ_TEXT:
			*value = read_text_float(ar);
			break;
	}
}

void
archive_float(Archive *ar, const char *name, double *value)
{
	if (ar->mode == ARCHIVE_WRITE_TEXT || ar->mode == ARCHIVE_READ_TEXT)
		field_name(ar, name);
	archive_unnamed_float(ar, value);
}

/* Arbitrary bytes: hexadecimal in text */
void
archive_bytes(Archive *ar, const char *name, uint8 **value, int *size,
			  int max_size)
{
	switch (ar->mode)
	{
		case ARCHIVE_WRITE_BINARY:
			write_varint(ar, (uint64) *size);
			appendBinaryStringInfo(ar->out, (char *) *value, *size);
			break;
		case ARCHIVE_READ_BINARY:
			{
				uint64		length = read_varint(ar);

				*value = NULL;
				*size = 0;
				if (length > (uint64) max_size)
					archive_fail(ar, "The field \"%s\" is longer than %d "
								 "bytes.", name, max_size);
				else if (length > 0 && has_left(ar, length))
				{
					*value = palloc(length);
					memcpy(*value, ar->cursor, length);
					ar->cursor += length;
					*size = (int) length;
				}
				break;
			}
		case ARCHIVE_WRITE_TEXT:
			field_name(ar, name);
			appendStringInfoChar(ar->out, '"');
			for (int i = 0; i < *size; i++)
				appendStringInfo(ar->out, "%02x", (*value)[i]);
			appendStringInfoChar(ar->out, '"');
			break;
		case ARCHIVE_READ_TEXT:
			{
				int			length;
				char	   *hex;

				field_name(ar, name);
				*value = NULL;
				*size = 0;
				hex = read_text_string(ar, max_size * 2, &length);
				if (ar->failed || length == 0)
					break;
				if (length % 2 != 0 ||
					strspn(hex, "0123456789abcdefABCDEF") != (size_t) length)
				{
					archive_fail(ar, "The field \"%s\" is not hexadecimal.",
								 name);
					break;
				}
				*value = palloc(length / 2);
				*size = (int) hex_decode(hex, length, (char *) *value);
				break;
			}
	}
}

/*
 * Text in the server's encoding. The stored form keeps the server's bytes
 * (a database never changes its encoding); what arrives is verified.
 */
void
archive_text(Archive *ar, const char *name, char **value, int *size,
			 int max_size)
{
	switch (ar->mode)
	{
		case ARCHIVE_WRITE_BINARY:
		case ARCHIVE_READ_BINARY:
			archive_bytes(ar, name, (uint8 **) value, size, max_size);
			break;
		case ARCHIVE_WRITE_TEXT:
			{
				char	   *terminated = pnstrdup(*value ? *value : "", *size);

				field_name(ar, name);
				escape_json(ar->out, terminated);
				pfree(terminated);
				break;
			}
		case ARCHIVE_READ_TEXT:
			field_name(ar, name);
			*value = read_text_string(ar, max_size, size);
			break;
	}
	if (archive_reading(ar) && !ar->failed && *size > 0 &&
		!pg_verifymbstr(*value, *size, true))
		archive_fail(ar, "The field \"%s\" is not valid %s text.", name,
					 GetDatabaseEncodingName());
}

/* ----------
 * Arrays and lists
 * ----------
 */

/*
 * The length of an array. Binary: read and checked against the bytes that are
 * left, each element taking at least min_bytes. Text: unknown until its end.
 */
static int
read_length(Archive *ar, const char *name, int max_n, int min_bytes)
{
	uint64		n = read_varint(ar);

	if (n > (uint64) max_n)
		archive_fail(ar, "The field \"%s\" has more than %d elements.", name,
					 max_n);
	else if (has_left(ar, n * min_bytes))
		return (int) n;
	return 0;
}

/* Text: another element follows; has skipped the comma before it */
static bool
another_element(Archive *ar, const char *name, int n, int max_n)
{
	if (ar->failed)
		return false;
	if (next_is(ar, ']'))
		return false;
	if (n > 0)
		expect(ar, ',');
	if (n >= max_n)
		archive_fail(ar, "The field \"%s\" has more than %d elements.", name,
					 max_n);
	return !ar->failed;
}

#define ARCHIVE_ARRAY(element_type, element_function, min_bytes) \
	switch (ar->mode) \
	{ \
		case ARCHIVE_WRITE_BINARY: \
			write_varint(ar, (uint64) *n); \
			for (int i = 0; i < *n; i++) \
				element_function(ar, &(*values)[i]); \
			break; \
		case ARCHIVE_READ_BINARY: \
			*n = read_length(ar, name, max_n, min_bytes); \
			*values = *n > 0 ? palloc(*n * sizeof(element_type)) : NULL; \
			for (int i = 0; i < *n; i++) \
				element_function(ar, &(*values)[i]); \
			break; \
		case ARCHIVE_WRITE_TEXT: \
			field_name(ar, name); \
			appendStringInfoChar(ar->out, '['); \
			for (int i = 0; i < *n; i++) \
			{ \
				if (i > 0) \
					appendStringInfoChar(ar->out, ','); \
				element_function(ar, &(*values)[i]); \
			} \
			appendStringInfoChar(ar->out, ']'); \
			break; \
		case ARCHIVE_READ_TEXT: \
			{ \
				int			capacity = 64; \
				\
				field_name(ar, name); \
				expect(ar, '['); \
				*n = 0; \
				*values = palloc(capacity * sizeof(element_type)); \
				while (another_element(ar, name, *n, max_n)) \
				{ \
					if (*n == capacity) \
					{ \
						CHECK_FOR_INTERRUPTS(); \
						capacity *= 2; \
						*values = repalloc(*values, \
										   capacity * sizeof(element_type)); \
					} \
					element_function(ar, &(*values)[*n]); \
					(*n)++; \
				} \
				expect(ar, ']'); \
				break; \
			} \
	} \
	if (ar->failed) \
		*n = 0

void
archive_floats(Archive *ar, const char *name, double **values, int *n,
			   int max_n)
{
	ARCHIVE_ARRAY(double, archive_unnamed_float, (int) sizeof(double));
}

/* Fewer counts follow one by one; so do others, where this stands for k */
#define MIN_PACKED_COUNTS	8
#define COUNTS_NOT_PACKED	0xFF

static int
varint_size(uint64 value)
{
	return pg_leftmost_one_pos64(value | 1) / 7 + 1;
}

static void
write_counts(Archive *ar, const int64 *values, int n)
{
	uint64		n_bits;
	uint64		n_bytes = 0;

	write_varint(ar, (uint64) n);
	if (n >= MIN_PACKED_COUNTS)
	{
		int			k = rice_parameter(values, n, &n_bits);

		for (int i = 0; i < n; i++)
			n_bytes += varint_size((uint64) values[i]);
		if (n_bits <= 8 * n_bytes)
		{
			appendStringInfoCharMacro(ar->out, (char) k);
			rice_write(ar->out, values, n, k);
			return;
		}
		appendStringInfoCharMacro(ar->out, (char) COUNTS_NOT_PACKED);
	}
	for (int i = 0; i < n; i++)
		write_varint(ar, (uint64) values[i]);
}

static int64 *
read_counts(Archive *ar, const char *name, int *n, int max_n)
{
	uint64		length = read_varint(ar);
	int64	   *values;
	const char *next;
	int			k = COUNTS_NOT_PACKED;

	*n = 0;
	if (length > (uint64) max_n)
		archive_fail(ar, "The field \"%s\" has more than %d elements.", name,
					 max_n);
	/* a count takes one bit at least, or a byte */
	if (length == 0 ||
		!has_left(ar, length < MIN_PACKED_COUNTS ? length : 1 + length / 8))
		return NULL;
	values = palloc(length * sizeof(int64));
	if (length >= MIN_PACKED_COUNTS)
		k = (uint8) *ar->cursor++;
	if (k == COUNTS_NOT_PACKED)
	{
		for (uint64 i = 0; i < length; i++)
			archive_unnamed_count(ar, &values[i]);
	}
	else
	{
		next = k > RICE_MAX_PARAMETER ? NULL :
			rice_read(ar->cursor, ar->end, values, (int) length, k);
		if (next == NULL)
			archive_fail(ar, "The field \"%s\" is not %d packed counts.",
						 name, (int) length);
		else
			ar->cursor = next;
	}
	*n = (int) length;
	return values;
}

void
archive_counts(Archive *ar, const char *name, int64 **values, int *n,
			   int max_n)
{
	switch (ar->mode)
	{
		case ARCHIVE_WRITE_BINARY:
			write_counts(ar, *values, *n);
			break;
		case ARCHIVE_READ_BINARY:
			*values = read_counts(ar, name, n, max_n);
			if (ar->failed)
				*n = 0;
			break;
		default:
			{
				ARCHIVE_ARRAY(int64, archive_unnamed_count, 1);
				break;
			}
	}
}

/*
 * A list of objects. In text its length is written in front of it, because
 * the description's loop needs it: {"n": 2, "items": [...]} would be the
 * alternative for every reader.
 */
void
archive_list(Archive *ar, const char *name, int *n, int max_n)
{
	switch (ar->mode)
	{
		case ARCHIVE_WRITE_BINARY:
			write_varint(ar, (uint64) *n);
			break;
		case ARCHIVE_READ_BINARY:
			*n = read_length(ar, name, max_n, 1);
			break;
		case ARCHIVE_WRITE_TEXT:
			{
				int64		length = *n;

				archive_count(ar, "length", &length);
				field_name(ar, name);
				appendStringInfoChar(ar->out, '[');
				ar->first = true;
				break;
			}
		case ARCHIVE_READ_TEXT:
			{
				int64		length = 0;

				archive_count(ar, "length", &length);
				if (length > max_n || length > ar->end - ar->cursor)
					archive_fail(ar, "The field \"%s\" has more than %d "
								 "elements.", name, max_n);
				*n = (int) length;
				field_name(ar, name);
				expect(ar, '[');
				ar->first = true;
				break;
			}
	}
	if (ar->failed)
		*n = 0;
}

void
archive_list_end(Archive *ar)
{
	if (ar->mode == ARCHIVE_WRITE_TEXT)
		appendStringInfoChar(ar->out, ']');
	else if (ar->mode == ARCHIVE_READ_TEXT)
		expect(ar, ']');
	ar->first = false;
}
