/*-------------------------------------------------------------------------
 *
 * digest.h
 *		SHA-256 of files and texts, and HMAC, by PostgreSQL's common library.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_DIGEST_H
#define MLMETA_DIGEST_H

#include "client.h"

#define DIGEST_TEXT_SIZE	65

extern bool digest_file(const char *path, char *hex, int64 *size);
extern void digest_text(const char *data, size_t size, char *hex);
extern void sign_text(const char *secret, const char *data, size_t size,
					  char *hex);

#endif							/* MLMETA_DIGEST_H */
