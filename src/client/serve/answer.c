/*-------------------------------------------------------------------------
 *
 * answer.c
 *		What goes into mlmeta.http_request(), and what came out of it.
 *
 * Headers X-Mlmeta-* are between the gateway and the database: on the way in
 * they tell what file came, on the way out which one is to be sent. Those that
 * a client sends are dropped.
 *
 *-------------------------------------------------------------------------
 */
#include "serve.h"

#include <unistd.h>

#include "port/pg_bswap.h"

/* Bodies smaller than this are not worth compressing */
#define LEAST_TO_COMPRESS	8192

static json_t *
text_value(const char *text)
{
	char	   *clean = make_utf8(text, strlen(text));
	json_t	   *value = json_string(clean);

	free(clean);
	return value;
}

static enum MHD_Result
add_argument(void *arguments, enum MHD_ValueKind kind, const char *name,
			 const char *value)
{
	char	   *key = make_utf8(name, strlen(name));
	json_t	   *values = json_object_get(arguments, key);

	if (values == NULL)
	{
		values = json_array();
		json_object_set_new(arguments, key, values);
	}
	json_array_append_new(values, text_value(value == NULL ? "" : value));
	free(key);
	return MHD_YES;
}

/* The arguments of the query string: each name with a list of values */
json_t *
query_of(Request *request)
{
	json_t	   *arguments = json_object();

	MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND,
							  add_argument, arguments);
	return arguments;
}

static enum MHD_Result
add_request_header(void *headers, enum MHD_ValueKind kind, const char *name,
				   const char *value)
{
	static const char *const ours[] = {"authorization", "cookie",
	"proxy-authorization"};
	char	   *key = make_utf8(name, strlen(name));

	for (char *c = key; *c != '\0'; c++)
		*c = pg_ascii_tolower((unsigned char) *c);
	for (int i = 0; i < lengthof(ours); i++)
	{
		if (strcmp(key, ours[i]) == 0)
			key[0] = '\0';
	}
	if (key[0] != '\0' && strncmp(key, "x-mlmeta-", 9) != 0)
		json_object_set_new(headers, key,
							text_value(value == NULL ? "" : value));
	free(key);
	return MHD_YES;
}

/* The headers, in lower case, but those that hold secrets */
json_t *
headers_of(Request *request)
{
	json_t	   *headers = json_object();

	MHD_get_connection_values(request->connection, MHD_HEADER_KIND,
							  add_request_header, headers);
	if (request->upload != NULL && request->upload->kept)
	{
		json_object_set_new(headers, "x-mlmeta-sha256",
							json_string(request->upload->sha256));
		json_object_set_new(headers, "x-mlmeta-size",
							json_sprintf(INT64_FORMAT, request->upload->size));
	}
	return headers;
}

/* Whether a header lists a coding that it does not weigh with zero */
static bool
accepts_gzip(const char *header)
{
	const char *at = header == NULL ? NULL : strstr(header, "gzip");

	return at != NULL && strncmp(at + 4, ";q=0", 4) != 0;
}

/* Compress; false: it is not worth it, and nothing was done. */
static bool
compress_bytes(char **bytes, size_t *size)
{
	z_stream	stream = {0};
	size_t		room;
	char	   *packed;

	if (deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8,
					 Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	room = deflateBound(&stream, *size);
	packed = malloc(room);
	if (packed == NULL || *size > UINT_MAX || room > UINT_MAX)
	{
		deflateEnd(&stream);
		free(packed);
		return false;
	}
	stream.next_in = (Bytef *) *bytes;
	stream.avail_in = *size;
	stream.next_out = (Bytef *) packed;
	stream.avail_out = room;
	if (deflate(&stream, Z_FINISH) != Z_STREAM_END
		|| stream.total_out >= *size)
	{
		deflateEnd(&stream);
		free(packed);
		return false;
	}
	free(*bytes);
	*bytes = packed;
	*size = stream.total_out;
	deflateEnd(&stream);
	return true;
}

/*
 * Read "bytes=FIRST-LAST" for a file of that size. 1: a part; 0: all of it,
 * also where the header is not understood; -1: nothing lies there.
 */
static int
parse_range(const char *range, int64 size, int64 *first, int64 *last)
{
	char	   *end;

	*first = 0;
	*last = size - 1;
	if (range == NULL || strncmp(range, "bytes=", 6) != 0
		|| strchr(range, ',') != NULL)
		return 0;
	range += 6;
	if (*range == '-')
	{
		int64		tail;

		if (!isdigit((unsigned char) range[1]))
			return 0;
		tail = strtoll(range + 1, &end, 10);
		if (*end != '\0')
			return 0;
		if (tail == 0 || size == 0)
			return -1;
		*first = Max(0, size - tail);
		return 1;
	}
	if (!isdigit((unsigned char) *range))
		return 0;
	*first = strtoll(range, &end, 10);
	if (*end != '-')
		return 0;
	range = end + 1;
	if (*range != '\0')
	{
		if (!isdigit((unsigned char) *range))
			return 0;
		*last = strtoll(range, &end, 10);
		if (*end != '\0' || *last < *first)
			return 0;
		*last = Min(*last, size - 1);
	}
	return *first >= size ? -1 : 1;
}

/* Answer with an object of the store, or the part of it that is asked for. */
static void
answer_file(Request *request, const char *sha256)
{
	int64		size;
	int64		first;
	int64		last;
	int			fd = open_object(sha256, &size);
	int			part;
	char		text[128];
	const char *condition = header_of(request, MHD_HTTP_HEADER_IF_RANGE);
	const char *match = header_of(request, MHD_HTTP_HEADER_IF_NONE_MATCH);

	if (fd < 0)
	{
		pg_log_error("object %s is not in the store", sha256);
		answer_error(request, MHD_HTTP_NOT_FOUND, "RESOURCE_DOES_NOT_EXIST",
					 settings.artifacts == NULL ?
					 "this gateway keeps no files; start it with --artifacts DIR" :
					 "the file is on record, but not in this gateway's directory");
		return;
	}
	snprintf(text, sizeof(text), "\"%s\"", sha256);
	if (match != NULL && strcmp(match, text) == 0)
	{
		close(fd);
		answer_bytes(request, MHD_HTTP_NOT_MODIFIED, NULL, 0, NULL);
		add_header(request, MHD_HTTP_HEADER_ETAG, text);
		return;
	}
	part = condition != NULL && strcmp(condition, text) != 0 ? 0 :
		parse_range(header_of(request, MHD_HTTP_HEADER_RANGE), size, &first,
					&last);
	if (part == 0)
	{
		first = 0;
		last = size - 1;
	}
	if (part < 0)
	{
		close(fd);
		answer_error(request, MHD_HTTP_RANGE_NOT_SATISFIABLE, "BAD_REQUEST",
					 "the file ends before that range");
		snprintf(text, sizeof(text), "bytes */" INT64_FORMAT, size);
		add_header(request, MHD_HTTP_HEADER_CONTENT_RANGE, text);
		return;
	}
	request->response = MHD_create_response_from_fd_at_offset64(last - first + 1,
															   fd, first);
	request->status = part == 1 ? MHD_HTTP_PARTIAL_CONTENT : MHD_HTTP_OK;
	request->sent = request->head ? 0 : last - first + 1;
	add_header(request, MHD_HTTP_HEADER_ETAG, text);
	add_header(request, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
	add_header(request, "X-Content-Type-Options", "nosniff");
	if (part == 1)
	{
		snprintf(text, sizeof(text),
				 "bytes " INT64_FORMAT "-" INT64_FORMAT "/" INT64_FORMAT,
				 first, last, size);
		add_header(request, MHD_HTTP_HEADER_CONTENT_RANGE, text);
	}
}

/* The body of an answer, in memory of its own */
static char *
bytes_of(const PGresult *result, size_t *size)
{
	char	   *bytes;

	*size = PQgetisnull(result, 0, 2) ? 0 : PQgetlength(result, 0, 2);
	bytes = pg_malloc(*size + 1);
	memcpy(bytes, PQgetvalue(result, 0, 2), *size);
	return bytes;
}

/* Answer as http_request() says: columns status, headers and body, binary. */
void
answer_result(Request *request, const PGresult *result)
{
	json_t	   *headers = json_loadb(PQgetvalue(result, 0, 1),
									 PQgetlength(result, 0, 1), 0, NULL);
	const char *file = json_string_value(json_object_get(headers,
														 "x-mlmeta-file"));
	uint32		status;
	const char *name;
	json_t	   *value;

	memcpy(&status, PQgetvalue(result, 0, 0), sizeof(status));
	status = pg_ntoh32(status);
	if (status < 200 || status > 599)
		status = MHD_HTTP_INTERNAL_SERVER_ERROR;
	if (file != NULL)
		answer_file(request, file);
	else
	{
		size_t		size;
		char	   *bytes = bytes_of(result, &size);
		bool		packed = size >= LEAST_TO_COMPRESS
			&& accepts_gzip(header_of(request, MHD_HTTP_HEADER_ACCEPT_ENCODING))
			&& compress_bytes(&bytes, &size);

		answer_bytes(request, status, bytes, size, NULL);
		if (packed)
		{
			add_header(request, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
			add_header(request, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
		}
	}
	json_object_foreach(headers, name, value)
	{
		if (json_is_string(value) && strncmp(name, "x-mlmeta-", 9) != 0
			&& (file == NULL || request->status < 300))
			add_header(request, name, json_string_value(value));
	}
	json_decref(headers);
}
