/*-------------------------------------------------------------------------
 *
 * credentials.c
 *		Who says that he asks: the header Authorization.
 *
 *-------------------------------------------------------------------------
 */
#include "serve.h"

#include "common/base64.h"
#include "port.h"

#include <openssl/sha.h>

static unsigned char salt[KEY_SIZE];

/* Drawn anew at each start: digests of passwords are worth nothing elsewhere */
void
make_salt(void)
{
	if (!pg_strong_random(salt, sizeof(salt)))
	{
		pg_log_error("there are no random numbers to be had");
		exit(EXIT_REFUSED);
	}
}

static void
set_key(Identity *identity)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	EVP_DigestInit_ex(context, EVP_sha256(), NULL);
	EVP_DigestUpdate(context, salt, sizeof(salt));
	EVP_DigestUpdate(context, identity->anonymous ? "a" : "p", 1);
	EVP_DigestUpdate(context, identity->user, strlen(identity->user) + 1);
	EVP_DigestUpdate(context, identity->password,
					 strlen(identity->password));
	EVP_DigestFinal_ex(context, identity->key, NULL);
	EVP_MD_CTX_free(context);
}

/*
 * Fill the request's identity from "Basic" or "Bearer" credentials, which are
 * both base64 of ROLE:PASSWORD; without any, from --anonymous. False, and what
 * is wrong, where there is nobody.
 */
bool
read_credentials(Request *request, const char **problem)
{
	Identity   *identity = &request->identity;
	const char *header = header_of(request, "Authorization");
	char		plain[1200];
	char	   *colon;
	int			size;

	if (header == NULL)
	{
		if (settings.anonymous == NULL)
		{
			*problem = "log in: send a role of the database and its password";
			return false;
		}
		identity->anonymous = true;
		strlcpy(identity->user, settings.anonymous, sizeof(identity->user));
		set_key(identity);
		return true;
	}
	*problem = "the header Authorization must be \"Basic\" or \"Bearer\" and base64 of ROLE:PASSWORD";
	if (pg_strncasecmp(header, "basic ", 6) == 0)
		header += 6;
	else if (pg_strncasecmp(header, "bearer ", 7) == 0)
		header += 7;
	else
		return false;
	header += strspn(header, " ");
	if (strlen(header) > 1500)
		return false;
	size = pg_b64_decode(header, strlen(header), plain, sizeof(plain) - 1);
	if (size < 0)
		return false;
	plain[size] = '\0';
	colon = strchr(plain, ':');
	if (colon == NULL || strlen(plain) != size || colon == plain
		|| colon[1] == '\0' || colon - plain >= sizeof(identity->user)
		|| strlen(colon + 1) >= sizeof(identity->password))
	{
		explicit_bzero(plain, sizeof(plain));
		return false;
	}
	*colon = '\0';
	strlcpy(identity->user, plain, sizeof(identity->user));
	strlcpy(identity->password, colon + 1, sizeof(identity->password));
	explicit_bzero(plain, sizeof(plain));
	set_key(identity);
	return true;
}
