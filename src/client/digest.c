/*-------------------------------------------------------------------------
 *
 * digest.c
 *		SHA-256 of files and texts, and HMAC, by PostgreSQL's common library.
 *
 *-------------------------------------------------------------------------
 */
#include "digest.h"

#include <fcntl.h>
#include <unistd.h>

#include "common/cryptohash.h"
#include "common/hmac.h"
#include "common/sha2.h"

static void
write_hex(const uint8 *digest, char *hex)
{
	for (int i = 0; i < PG_SHA256_DIGEST_LENGTH; i++)
		sprintf(hex + 2 * i, "%02x", digest[i]);
}

/*
 * SHA-256 and size of a file, the digest into DIGEST_TEXT_SIZE bytes; false
 * with errno when it cannot be read.
 */
bool
digest_file(const char *path, char *hex, int64 *size)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	uint8		chunk[65536];
	int			fd = open(path, O_RDONLY | O_CLOEXEC);
	pg_cryptohash_ctx *context;
	ssize_t		n;

	if (fd < 0)
		return false;
	context = pg_cryptohash_create(PG_SHA256);
	if (context == NULL || pg_cryptohash_init(context) < 0)
		pg_fatal("SHA-256 is not available");
	*size = 0;
	while ((n = read(fd, chunk, sizeof(chunk))) != 0)
	{
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
		{
			int			saved = errno;

			close(fd);
			pg_cryptohash_free(context);
			errno = saved;
			return false;
		}
		pg_cryptohash_update(context, chunk, n);
		*size += n;
	}
	close(fd);
	pg_cryptohash_final(context, digest, sizeof(digest));
	pg_cryptohash_free(context);
	write_hex(digest, hex);
	return true;
}

void
digest_text(const char *data, size_t size, char *hex)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);

	if (context == NULL || pg_cryptohash_init(context) < 0)
		pg_fatal("SHA-256 is not available");
	pg_cryptohash_update(context, (const uint8 *) data, size);
	pg_cryptohash_final(context, digest, sizeof(digest));
	pg_cryptohash_free(context);
	write_hex(digest, hex);
}

/* HMAC-SHA256 of a text under a secret */
void
sign_text(const char *secret, const char *data, size_t size, char *hex)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	pg_hmac_ctx *context = pg_hmac_create(PG_SHA256);

	if (context == NULL
		|| pg_hmac_init(context, (const uint8 *) secret, strlen(secret)) < 0
		|| pg_hmac_update(context, (const uint8 *) data, size) < 0
		|| pg_hmac_final(context, digest, sizeof(digest)) < 0)
		pg_fatal("HMAC-SHA256 is not available");
	pg_hmac_free(context);
	write_hex(digest, hex);
}
