/*-------------------------------------------------------------------------
 *
 * origin.c
 *		Which pages may make a browser call us.
 *
 * A browser sends what any page asks it to, with the credentials that it has
 * stored for us. What changes something must come from a page of ours: its
 * origin has the host that is asked. And the host must be one that names us,
 * or a page could have its own name point here. Programs, which send no such
 * headers, are not concerned.
 *
 *-------------------------------------------------------------------------
 */
#include "serve.h"

#include <arpa/inet.h>

static bool
is_our_name(const char *host)
{
	char		name[256];
	char	   *end;
	unsigned char address[16];

	strlcpy(name, host[0] == '[' ? host + 1 : host, sizeof(name));
	end = host[0] == '[' ? strchr(name, ']') : strrchr(name, ':');
	if (end != NULL)
		*end = '\0';
	if (pg_strcasecmp(name, "localhost") == 0
		|| inet_pton(AF_INET, name, address) == 1
		|| inet_pton(AF_INET6, name, address) == 1)
		return true;
	for (int i = 0; i < settings.n_hosts; i++)
	{
		if (pg_strcasecmp(name, settings.hosts[i]) == 0)
			return true;
	}
	return false;
}

static bool
is_allowed_origin(const char *origin)
{
	for (int i = 0; i < settings.n_origins; i++)
	{
		if (strcmp(origin, settings.origins[i]) == 0)
			return true;
	}
	return false;
}

/*
 * Whether a request may be served, as far as it comes from a browser's page;
 * false and why.
 */
bool
may_call(Request *request, const char **problem)
{
	const char *origin = header_of(request, "Origin");
	const char *site = header_of(request, "Sec-Fetch-Site");
	const char *host = header_of(request, "Host");
	bool		reads = strcmp(request->method, "GET") == 0
		|| strcmp(request->method, "HEAD") == 0
		|| strcmp(request->method, "OPTIONS") == 0;
	const char *authority;

	if (origin == NULL && site == NULL)
		return true;
	if (origin != NULL && is_allowed_origin(origin))
		return true;
	if (host == NULL || !is_our_name(host))
	{
		*problem = "browsers may call this server only by an address, localhost or a name given by --host-name";
		return false;
	}
	if (reads)
		return true;
	*problem = "a page of another origin asks for a change; --allow-origin allows an origin";
	if (origin == NULL)
		return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
	authority = strstr(origin, "://");
	return authority != NULL && pg_strcasecmp(authority + 3, host) == 0;
}

/* What lets a page of an allowed origin read the answer */
void
add_cors(Request *request)
{
	const char *origin = header_of(request, "Origin");

	if (origin == NULL || !is_allowed_origin(origin))
		return;
	add_header(request, "Access-Control-Allow-Origin", origin);
	add_header(request, "Access-Control-Allow-Credentials", "true");
	add_header(request, "Vary", "Origin");
}

/* Whether a browser asks for an allowed page what it may send; then answers. */
bool
is_preflight(Request *request)
{
	const char *origin = header_of(request, "Origin");

	if (strcmp(request->method, "OPTIONS") != 0 || origin == NULL
		|| header_of(request, "Access-Control-Request-Method") == NULL
		|| !is_allowed_origin(origin))
		return false;
	answer_bytes(request, MHD_HTTP_NO_CONTENT, NULL, 0, NULL);
	add_header(request, "Access-Control-Allow-Methods",
			   "GET, POST, PUT, PATCH, DELETE");
	add_header(request, "Access-Control-Allow-Headers",
			   "Authorization, Content-Type");
	add_header(request, "Access-Control-Max-Age", "600");
	return true;
}
