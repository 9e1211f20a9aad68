/*-------------------------------------------------------------------------
 *
 * artifact.c
 *		The type artifact: text and binary I/O, parts, order, containment.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "types/artifact.h"
#include "types/quote.h"
#include "utils/builtins.h"

#define DIGEST_PREFIX		"sha256:"
#define DIGEST_PREFIX_SIZE	7

PG_FUNCTION_INFO_V1(mlmeta_artifact_in);
PG_FUNCTION_INFO_V1(mlmeta_artifact_out);
PG_FUNCTION_INFO_V1(mlmeta_artifact_recv);
PG_FUNCTION_INFO_V1(mlmeta_artifact_send);
PG_FUNCTION_INFO_V1(mlmeta_artifact_eq);
PG_FUNCTION_INFO_V1(mlmeta_artifact_ne);
PG_FUNCTION_INFO_V1(mlmeta_artifact_lt);
PG_FUNCTION_INFO_V1(mlmeta_artifact_le);
PG_FUNCTION_INFO_V1(mlmeta_artifact_gt);
PG_FUNCTION_INFO_V1(mlmeta_artifact_ge);
PG_FUNCTION_INFO_V1(mlmeta_artifact_cmp);
PG_FUNCTION_INFO_V1(mlmeta_artifact_hash);
PG_FUNCTION_INFO_V1(mlmeta_artifact_hash_extended);
PG_FUNCTION_INFO_V1(mlmeta_artifact_smaller);
PG_FUNCTION_INFO_V1(mlmeta_artifact_larger);
PG_FUNCTION_INFO_V1(mlmeta_artifact_make);
PG_FUNCTION_INFO_V1(mlmeta_artifact_kind);
PG_FUNCTION_INFO_V1(mlmeta_artifact_name);
PG_FUNCTION_INFO_V1(mlmeta_artifact_version);
PG_FUNCTION_INFO_V1(mlmeta_artifact_digest);
PG_FUNCTION_INFO_V1(mlmeta_artifact_any_version);
PG_FUNCTION_INFO_V1(mlmeta_artifact_contains);
PG_FUNCTION_INFO_V1(mlmeta_artifact_is_contained);

/* ----------
 * The one validator
 * ----------
 */

const char *
artifact_problem(const Artifact *artifact)
{
	const char *kind = artifact->kind;

	if (artifact->kind_size == 0)
		return "The kind is missing.";
	if (artifact->kind_size > ARTIFACT_MAX_KIND)
		return psprintf("The kind has %d bytes, the limit is %d.",
						artifact->kind_size, ARTIFACT_MAX_KIND);
	for (int i = 0; i < artifact->kind_size; i++)
	{
		bool		letter = kind[i] >= 'a' && kind[i] <= 'z';
		bool		other = (kind[i] >= '0' && kind[i] <= '9') ||
			kind[i] == '_' || kind[i] == '-';

		if (!letter && (i == 0 || !other))
			return "A kind begins with a lower-case letter and goes on with "
				"lower-case letters, digits, \"_\" and \"-\".";
	}

	if (artifact->name_size == 0)
		return "The name is missing.";
	if (artifact->name_size > ARTIFACT_MAX_NAME)
		return psprintf("The name has %d bytes, the limit is %d.",
						artifact->name_size, ARTIFACT_MAX_NAME);
	if (artifact->version_size > ARTIFACT_MAX_VERSION)
		return psprintf("The version has %d bytes, the limit is %d.",
						artifact->version_size, ARTIFACT_MAX_VERSION);
	return NULL;
}

/* ----------
 * Text
 * ----------
 */

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

/* 64 hexadecimal digits to bytes; false if the text is anything else */
static bool
parse_hex_digest(const char *text, size_t size, uint8 *digest)
{
	if (size != 2 * ARTIFACT_DIGEST_SIZE)
		return false;
	for (int i = 0; i < ARTIFACT_DIGEST_SIZE; i++)
	{
		int			high = hex_digit(text[2 * i]);
		int			low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		digest[i] = (uint8) (high << 4 | low);
	}
	return true;
}

static const char *
parse_digest(const char *text, size_t size, Artifact *artifact)
{
	uint8	   *digest = palloc(ARTIFACT_DIGEST_SIZE);

	if (size < DIGEST_PREFIX_SIZE ||
		memcmp(text, DIGEST_PREFIX, DIGEST_PREFIX_SIZE) != 0 ||
		!parse_hex_digest(text + DIGEST_PREFIX_SIZE,
						  size - DIGEST_PREFIX_SIZE, digest))
		return "A digest is \"sha256:\" and 64 hexadecimal digits.";
	artifact->digest = digest;
	return NULL;
}

static inline bool
is_control(char c)
{
	return (unsigned char) c < 0x20 || c == 0x7F;
}

/*
 * Takes the percent-encoding off a name or version. Escaped bytes beyond
 * ASCII are UTF-8, whatever the server's encoding. Returns NULL or a sentence.
 */
static const char *
decode_part(const char *part, const char *text, size_t size,
			const char **decoded, int *decoded_size)
{
	StringInfoData out;
	const char *end = text + size;

	/* the usual case needs no copy */
	if (memchr(text, '%', size) == NULL)
	{
		for (const char *c = text; c < end; c++)
			if (is_control(*c))
				return psprintf("The %s has a control character.", part);
		*decoded = text;
		*decoded_size = (int) size;
		return NULL;
	}

	initStringInfo(&out);
	while (text < end)
	{
		int			start = out.len;
		bool		ascii = true;

		if (*text != '%')
		{
			if (is_control(*text))
				return psprintf("The %s has a control character.", part);
			appendStringInfoCharMacro(&out, *text++);
			continue;
		}

		/* escapes in a row may be one character */
		while (text < end && *text == '%')
		{
			int			high = end - text < 3 ? -1 : hex_digit(text[1]);
			int			low = end - text < 3 ? -1 : hex_digit(text[2]);

			if (high < 0 || low < 0)
				return psprintf("In the %s a \"%%\" is not followed by two "
								"hexadecimal digits.", part);
			if (high == 0 && low == 0)
				return psprintf("The %s has a zero byte.", part);
			if (high >= 8)
				ascii = false;
			appendStringInfoCharMacro(&out, (char) (high << 4 | low));
			text += 3;
		}
		if (!ascii)
		{
			char	   *bytes = out.data + start;
			int			n = out.len - start;
			char	   *converted;

			if (!pg_verify_mbstr(PG_UTF8, bytes, n, true))
				return psprintf("The percent-encoded bytes in the %s are not "
								"UTF-8.", part);
			converted = pg_any_to_server(bytes, n, PG_UTF8);
			if (converted != bytes)
			{
				out.len = start;
				appendStringInfoString(&out, converted);
				pfree(converted);
			}
		}
	}
	*decoded = out.data;
	*decoded_size = out.len;
	return NULL;
}

bool
artifact_parse(const char *text, size_t size, Artifact *artifact,
			   const char **problem)
{
	const char *end = text + size;
	const char *colon = memchr(text, ':', size);
	const char *at;

	memset(artifact, 0, sizeof(*artifact));
	*problem = NULL;
	if (colon == NULL)
	{
		*problem = "There is no \":\" after the kind.";
		return false;
	}
	if (size > PG_INT32_MAX)
	{
		*problem = "The text is too long.";
		return false;
	}
	artifact->kind = text;
	artifact->kind_size = (int) (colon - text);
	text = colon + 1;

	at = memchr(text, '@', end - text);
	if (at != NULL)
	{
		*problem = parse_digest(at + 1, end - at - 1, artifact);
		end = at;
	}

	colon = memchr(text, ':', end - text);
	if (*problem == NULL && colon != NULL)
	{
		if (colon + 1 == end)
			*problem = "The version is empty.";
		else if (memchr(colon + 1, ':', end - colon - 1) != NULL)
			*problem = "There is a \":\" in the version.";
		else
			*problem = decode_part("version", colon + 1, end - colon - 1,
								   &artifact->version,
								   &artifact->version_size);
		end = colon;
	}
	if (*problem == NULL)
		*problem = decode_part("name", text, end - text, &artifact->name,
							   &artifact->name_size);
	if (*problem == NULL)
		*problem = artifact_problem(artifact);
	return *problem == NULL;
}

static void
append_encoded(StringInfo out, const char *text, int size)
{
	static const char hex[] = "0123456789ABCDEF";

	for (int i = 0; i < size; i++)
	{
		unsigned char c = (unsigned char) text[i];

		if (c == ':' || c == '@' || c == '%' || is_control(text[i]))
		{
			appendStringInfoChar(out, '%');
			appendStringInfoChar(out, hex[c >> 4]);
			appendStringInfoChar(out, hex[c & 15]);
		}
		else
			appendStringInfoCharMacro(out, text[i]);
	}
}

static void
append_digest(StringInfo out, const uint8 *digest)
{
	static const char hex[] = "0123456789abcdef";

	appendStringInfoString(out, DIGEST_PREFIX);
	for (int i = 0; i < ARTIFACT_DIGEST_SIZE; i++)
	{
		appendStringInfoChar(out, hex[digest[i] >> 4]);
		appendStringInfoChar(out, hex[digest[i] & 15]);
	}
}

void
artifact_format(const Artifact *artifact, StringInfo out)
{
	appendBinaryStringInfo(out, artifact->kind, artifact->kind_size);
	appendStringInfoChar(out, ':');
	append_encoded(out, artifact->name, artifact->name_size);
	if (artifact->version_size > 0)
	{
		appendStringInfoChar(out, ':');
		append_encoded(out, artifact->version, artifact->version_size);
	}
	if (artifact->digest != NULL)
	{
		appendStringInfoChar(out, '@');
		append_digest(out, artifact->digest);
	}
}

/* ----------
 * Stored bytes
 * ----------
 */

int
artifact_stored_size(const Artifact *artifact)
{
	return ARTIFACT_HEADER_SIZE + artifact->kind_size + artifact->name_size +
		artifact->version_size +
		(artifact->digest == NULL ? 0 : ARTIFACT_DIGEST_SIZE);
}

/* bytes has room for artifact_stored_size() */
void
artifact_store(const Artifact *artifact, char *bytes)
{
	*bytes++ = ARTIFACT_FORMAT;
	*bytes++ = artifact->digest == NULL ? 0 : ARTIFACT_HAS_DIGEST;
	*bytes++ = (char) artifact->kind_size;
	*bytes++ = (char) artifact->version_size;
	memcpy(bytes, artifact->kind, artifact->kind_size);
	bytes += artifact->kind_size;
	memcpy(bytes, artifact->name, artifact->name_size);
	bytes += artifact->name_size;
	if (artifact->version_size > 0)
		memcpy(bytes, artifact->version, artifact->version_size);
	bytes += artifact->version_size;
	if (artifact->digest != NULL)
		memcpy(bytes, artifact->digest, ARTIFACT_DIGEST_SIZE);
}

/*
 * The parts of stored bytes. False if the sizes do not fit together; the
 * contents of the parts are not looked at.
 */
bool
artifact_load(const char *bytes, size_t size, Artifact *artifact)
{
	const uint8 *header = (const uint8 *) bytes;
	size_t		taken;

	if (size < ARTIFACT_HEADER_SIZE || size > ARTIFACT_MAX_SIZE ||
		header[0] != ARTIFACT_FORMAT ||
		(header[1] & ~ARTIFACT_HAS_DIGEST) != 0)
		return false;
	artifact->kind_size = header[2];
	artifact->version_size = header[3];
	taken = ARTIFACT_HEADER_SIZE + artifact->kind_size +
		artifact->version_size +
		(header[1] & ARTIFACT_HAS_DIGEST ? ARTIFACT_DIGEST_SIZE : 0);
	if (taken >= size)
		return false;
	artifact->name_size = (int) (size - taken);

	artifact->kind = bytes + ARTIFACT_HEADER_SIZE;
	artifact->name = artifact->kind + artifact->kind_size;
	artifact->version = artifact->name + artifact->name_size;
	artifact->digest = header[1] & ARTIFACT_HAS_DIGEST ?
		(const uint8 *) artifact->version + artifact->version_size : NULL;
	return true;
}

static Datum
make_datum(const Artifact *artifact)
{
	int			size = VARHDRSZ + artifact_stored_size(artifact);
	struct varlena *result = palloc(size);

	SET_VARSIZE(result, size);
	artifact_store(artifact, VARDATA(result));
	return PointerGetDatum(result);
}

/* The parts of a stored value, which was checked when it came in */
static void
load(const struct varlena *value, Artifact *artifact)
{
	if (!artifact_load(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value),
					   artifact))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("a stored value of type %s is damaged", "artifact"),
				 errdetail("Its %zu bytes are no value of format %d.",
						   (size_t) VARSIZE_ANY_EXHDR(value),
						   ARTIFACT_FORMAT)));
}

/* The parts of argument n, valid as long as the call's memory */
static void
load_argument(FunctionCallInfo fcinfo, int n, Artifact *artifact)
{
	load(PG_GETARG_VARLENA_PP(n), artifact);
}

/* ----------
 * Input and output
 * ----------
 */

Datum
mlmeta_artifact_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	size_t		size = strlen(text);
	Artifact	artifact;
	const char *problem;

	if (!artifact_parse(text, size, &artifact, &problem))
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%.*s%s\"",
						"artifact", quoted_length(text, size), text,
						quoted_ellipsis(size)),
				 errdetail_internal("%s", problem),
				 errhint("An artifact is written kind:name[:version]"
						 "[@sha256:hex]; in name and version write \":\" as "
						 "%%3A, \"@\" as %%40 and \"%%\" as %%25.")));
	return make_datum(&artifact);
}

Datum
mlmeta_artifact_out(PG_FUNCTION_ARGS)
{
	Artifact	artifact;
	StringInfoData out;

	load_argument(fcinfo, 0, &artifact);
	initStringInfo(&out);
	artifact_format(&artifact, &out);
	PG_RETURN_CSTRING(out.data);
}

static void
fail_binary(const char *problem)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid binary representation of type %s", "artifact"),
			 errdetail_internal("%s", problem),
			 errhint("Send a format byte (1), a flag byte, kind, name and "
					 "version as counted strings, and the digest.")));
}

static unsigned int
receive_number(StringInfo buf, int size)
{
	if (buf->len - buf->cursor < size)
		fail_binary("The value ends too early.");
	return pq_getmsgint(buf, size);
}

/* A string behind its size, converted from the client's encoding */
static const char *
receive_string(StringInfo buf, int *size)
{
	unsigned int sent = receive_number(buf, 4);

	if (sent > (unsigned int) (buf->len - buf->cursor))
		fail_binary("A string is longer than the value.");
	return pq_getmsgtext(buf, (int) sent, size);
}

static void
send_string(StringInfo buf, const char *text, int size)
{
	char	   *converted = pg_server_to_client(text, size);

	if (converted != text)
		size = (int) strlen(converted);
	pq_sendint32(buf, (uint32) size);
	pq_sendbytes(buf, converted, size);
}

/*
 * Binary form: format byte, flag byte, kind, name and version as counted
 * strings in the client's encoding, 32 bytes of digest if flagged.
 */
Datum
mlmeta_artifact_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	Artifact	artifact = {0};
	unsigned int format = receive_number(buf, 1);
	unsigned int flags = receive_number(buf, 1);
	const char *problem;

	if (format != ARTIFACT_FORMAT)
		fail_binary(psprintf("The format is %u, the newest known is %d.",
							 format, ARTIFACT_FORMAT));
	if ((flags & ~ARTIFACT_HAS_DIGEST) != 0)
		fail_binary(psprintf("The flags are %u.", flags));
	artifact.kind = receive_string(buf, &artifact.kind_size);
	artifact.name = receive_string(buf, &artifact.name_size);
	artifact.version = receive_string(buf, &artifact.version_size);
	if (buf->len - buf->cursor !=
		(flags & ARTIFACT_HAS_DIGEST ? ARTIFACT_DIGEST_SIZE : 0))
		fail_binary("The digest does not fill the rest of the value.");
	if (flags & ARTIFACT_HAS_DIGEST)
		artifact.digest =
			(const uint8 *) pq_getmsgbytes(buf, ARTIFACT_DIGEST_SIZE);

	problem = artifact_problem(&artifact);
	if (problem != NULL)
		fail_binary(problem);
	return make_datum(&artifact);
}

Datum
mlmeta_artifact_send(PG_FUNCTION_ARGS)
{
	Artifact	artifact;
	StringInfoData buf;

	load_argument(fcinfo, 0, &artifact);
	pq_begintypsend(&buf);
	pq_sendbyte(&buf, ARTIFACT_FORMAT);
	pq_sendbyte(&buf, artifact.digest == NULL ? 0 : ARTIFACT_HAS_DIGEST);
	send_string(&buf, artifact.kind, artifact.kind_size);
	send_string(&buf, artifact.name, artifact.name_size);
	send_string(&buf, artifact.version, artifact.version_size);
	if (artifact.digest != NULL)
		pq_sendbytes(&buf, (const char *) artifact.digest,
					 ARTIFACT_DIGEST_SIZE);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* ----------
 * Making and taking apart
 * ----------
 */

static const char *
text_part(FunctionCallInfo fcinfo, int n, int *size)
{
	text	   *value = PG_GETARG_TEXT_PP(n);

	*size = (int) VARSIZE_ANY_EXHDR(value);
	return VARDATA_ANY(value);
}

/*
 * artifact(kind, name [, version [, digest]]): the parts as they are, without
 * percent-encoding; the digest with or without "sha256:". NULL if kind or name
 * is; a version or digest that is NULL is none.
 */
Datum
mlmeta_artifact_make(PG_FUNCTION_ARGS)
{
	Artifact	artifact = {0};
	const char *problem = NULL;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	artifact.kind = text_part(fcinfo, 0, &artifact.kind_size);
	artifact.name = text_part(fcinfo, 1, &artifact.name_size);
	if (!PG_ARGISNULL(2))
	{
		artifact.version = text_part(fcinfo, 2, &artifact.version_size);
		if (artifact.version_size == 0)
			problem = "The version is empty.";
	}
	if (problem == NULL)
		problem = artifact_problem(&artifact);
	if (problem == NULL && !PG_ARGISNULL(3))
	{
		int			size;
		const char *text = text_part(fcinfo, 3, &size);
		uint8	   *digest = palloc(ARTIFACT_DIGEST_SIZE);

		if (parse_hex_digest(text, size, digest))
			artifact.digest = digest;
		else
			problem = parse_digest(text, size, &artifact);
	}
	if (problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid part of type %s", "artifact"),
				 errdetail_internal("%s", problem),
				 errhint("Give the kind, the name, and the version and "
						 "digest or NULL.")));
	return make_datum(&artifact);
}

Datum
mlmeta_artifact_kind(PG_FUNCTION_ARGS)
{
	Artifact	artifact;

	load_argument(fcinfo, 0, &artifact);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(artifact.kind,
											  artifact.kind_size));
}

Datum
mlmeta_artifact_name(PG_FUNCTION_ARGS)
{
	Artifact	artifact;

	load_argument(fcinfo, 0, &artifact);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(artifact.name,
											  artifact.name_size));
}

Datum
mlmeta_artifact_version(PG_FUNCTION_ARGS)
{
	Artifact	artifact;

	load_argument(fcinfo, 0, &artifact);
	if (artifact.version_size == 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(artifact.version,
											  artifact.version_size));
}

/* As it is written: sha256: and hexadecimal digits */
Datum
mlmeta_artifact_digest(PG_FUNCTION_ARGS)
{
	Artifact	artifact;
	StringInfoData out;

	load_argument(fcinfo, 0, &artifact);
	if (artifact.digest == NULL)
		PG_RETURN_NULL();
	initStringInfo(&out);
	append_digest(&out, artifact.digest);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

Datum
mlmeta_artifact_any_version(PG_FUNCTION_ARGS)
{
	Artifact	artifact;

	load_argument(fcinfo, 0, &artifact);
	artifact.version_size = 0;
	artifact.digest = NULL;
	return make_datum(&artifact);
}

/* ----------
 * Order, hash, containment
 * ----------
 */

static int
compare_bytes(const char *a, int a_size, const char *b, int b_size)
{
	int			cmp = memcmp(a, b, Min(a_size, b_size));

	return cmp != 0 ? cmp : (a_size > b_size) - (a_size < b_size);
}

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Natural order: a version is a sequence of tokens, a token being a maximal
 * run of digits, compared as a number, or one other byte. Numbers and bytes
 * compare by their first byte, which no two of different kind share, so that
 * tokens are totally ordered and so are their sequences. Versions with equal
 * tokens (1 and 01) are told apart by their bytes.
 */
static int
compare_versions(const char *a, int a_size, const char *b, int b_size)
{
	const char *a_at = a;
	const char *b_at = b;
	const char *a_end = a + a_size;
	const char *b_end = b + b_size;

	while (a_at < a_end && b_at < b_end)
	{
		if (is_digit(*a_at) && is_digit(*b_at))
		{
			const char *a_start;
			const char *b_start;
			int			cmp;

			while (a_at < a_end && *a_at == '0')
				a_at++;
			while (b_at < b_end && *b_at == '0')
				b_at++;
			a_start = a_at;
			b_start = b_at;
			while (a_at < a_end && is_digit(*a_at))
				a_at++;
			while (b_at < b_end && is_digit(*b_at))
				b_at++;
			if (a_at - a_start != b_at - b_start)
				return a_at - a_start < b_at - b_start ? -1 : 1;
			cmp = memcmp(a_start, b_start, a_at - a_start);
			if (cmp != 0)
				return cmp;
		}
		else if (*a_at != *b_at)
			return (unsigned char) *a_at < (unsigned char) *b_at ? -1 : 1;
		else
		{
			a_at++;
			b_at++;
		}
	}
	if (a_at < a_end || b_at < b_end)
		return a_at < a_end ? 1 : -1;
	return compare_bytes(a, a_size, b, b_size);
}

int
artifact_compare(const Artifact *a, const Artifact *b)
{
	int			cmp;

	cmp = compare_bytes(a->kind, a->kind_size, b->kind, b->kind_size);
	if (cmp == 0)
		cmp = compare_bytes(a->name, a->name_size, b->name, b->name_size);
	if (cmp == 0)
		cmp = compare_versions(a->version, a->version_size,
							   b->version, b->version_size);
	if (cmp == 0)
	{
		if (a->digest == NULL || b->digest == NULL)
			cmp = (a->digest != NULL) - (b->digest != NULL);
		else
			cmp = memcmp(a->digest, b->digest, ARTIFACT_DIGEST_SIZE);
	}
	return cmp;
}

/* Leaves nothing behind: index builds call it in a long-lived context */
static int
compare_arguments(FunctionCallInfo fcinfo)
{
	struct varlena *a = PG_GETARG_VARLENA_PP(0);
	struct varlena *b = PG_GETARG_VARLENA_PP(1);
	Artifact	a_parts;
	Artifact	b_parts;
	int			cmp;

	load(a, &a_parts);
	load(b, &b_parts);
	cmp = artifact_compare(&a_parts, &b_parts);
	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return cmp;
}

/* Equal references have equal bytes: no need to take them apart */
static bool
arguments_equal(FunctionCallInfo fcinfo)
{
	struct varlena *a = PG_GETARG_VARLENA_PP(0);
	struct varlena *b = PG_GETARG_VARLENA_PP(1);
	bool		equal;

	equal = VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return equal;
}

Datum
mlmeta_artifact_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(arguments_equal(fcinfo));
}

Datum
mlmeta_artifact_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!arguments_equal(fcinfo));
}

Datum
mlmeta_artifact_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) < 0);
}

Datum
mlmeta_artifact_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) <= 0);
}

Datum
mlmeta_artifact_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) > 0);
}

Datum
mlmeta_artifact_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) >= 0);
}

Datum
mlmeta_artifact_cmp(PG_FUNCTION_ARGS)
{
	int			cmp = compare_arguments(fcinfo);

	PG_RETURN_INT32((cmp > 0) - (cmp < 0));
}

Datum
mlmeta_artifact_hash(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	Datum		hash;

	hash = hash_any((unsigned char *) VARDATA_ANY(value),
					(int) VARSIZE_ANY_EXHDR(value));
	PG_FREE_IF_COPY(value, 0);
	return hash;
}

Datum
mlmeta_artifact_hash_extended(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	Datum		hash;

	hash = hash_any_extended((unsigned char *) VARDATA_ANY(value),
							 (int) VARSIZE_ANY_EXHDR(value),
							 PG_GETARG_INT64(1));
	PG_FREE_IF_COPY(value, 0);
	return hash;
}

Datum
mlmeta_artifact_smaller(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(PG_GETARG_DATUM(compare_arguments(fcinfo) <= 0 ? 0 : 1));
}

Datum
mlmeta_artifact_larger(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(PG_GETARG_DATUM(compare_arguments(fcinfo) >= 0 ? 0 : 1));
}

/*
 * Whether b is one of what a refers to: of the same kind and name, and of a's
 * version and digest as far as a has any.
 */
static bool
covers(FunctionCallInfo fcinfo, int a_argument, int b_argument)
{
	Artifact	a;
	Artifact	b;
	bool		result;

	load_argument(fcinfo, a_argument, &a);
	load_argument(fcinfo, b_argument, &b);
	result =
		compare_bytes(a.kind, a.kind_size, b.kind, b.kind_size) == 0 &&
		compare_bytes(a.name, a.name_size, b.name, b.name_size) == 0 &&
		(a.version_size == 0 ||
		 compare_bytes(a.version, a.version_size,
					   b.version, b.version_size) == 0) &&
		(a.digest == NULL ||
		 (b.digest != NULL &&
		  memcmp(a.digest, b.digest, ARTIFACT_DIGEST_SIZE) == 0));
	return result;
}

Datum
mlmeta_artifact_contains(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(covers(fcinfo, 0, 1));
}

Datum
mlmeta_artifact_is_contained(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(covers(fcinfo, 1, 0));
}
