/*-------------------------------------------------------------------------
 *
 * row_hash.h
 *		The 128-bit content hash of a row, the same on every server.
 *
 * What is hashed, byte by byte, is described in doc/storage-format.md.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STORE_ROW_HASH_H
#define MLMETA_STORE_ROW_HASH_H

#include "core/compat.h"
#include "access/htup.h"
#include "common/sha2.h"
#include "core/hash128.h"

/* How to hash rows of one shape: looked up once, used for many rows */
typedef struct RowCoder RowCoder;

/*
 * The coder for a row, from *cache if that still fits the row's type, else a
 * new one, which takes its place there. Coders live in a child of context.
 * Raises 0A000 for a column whose type has no stable binary form.
 */
extern RowCoder *row_coder(RowCoder **cache, HeapTupleHeader row,
						   MemoryContext context);

/* SHA-256 of the format version and of the columns' names and types */
extern const uint8 *row_coder_columns(const RowCoder *coder);

/*
 * The hash of a row that the coder was made for. Allocates in the current
 * context, which should be short-lived: detoasted values stay in it.
 */
extern Hash128 row_hash(RowCoder *coder, HeapTupleHeader row);

/* SHA-256 of bytes */
extern void sha256_of(const void *data, size_t size,
					  uint8 digest[PG_SHA256_DIGEST_LENGTH]);

#endif							/* MLMETA_STORE_ROW_HASH_H */
