/*-------------------------------------------------------------------------
 *
 * artifact.h
 *		The type artifact: a reference to a thing that runs use and produce,
 *		written kind:name[:version][@sha256:hex].
 *
 * Stored form, after the varlena header: the format's version (1), flags, the
 * sizes of kind and version, then kind, name, version and digest without
 * separators. The name takes what is left. Equal references have equal bytes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_TYPES_ARTIFACT_H
#define MLMETA_TYPES_ARTIFACT_H

#include "core/compat.h"
#include "lib/stringinfo.h"

/* Limits in bytes, of the parts themselves, before percent-encoding */
#define ARTIFACT_MAX_KIND		63
#define ARTIFACT_MAX_NAME		1024
#define ARTIFACT_MAX_VERSION	255
#define ARTIFACT_DIGEST_SIZE	32

#define ARTIFACT_FORMAT			1
#define ARTIFACT_HEADER_SIZE	4
#define ARTIFACT_HAS_DIGEST		0x01

#define ARTIFACT_MAX_SIZE \
	(ARTIFACT_HEADER_SIZE + ARTIFACT_MAX_KIND + ARTIFACT_MAX_NAME + \
	 ARTIFACT_MAX_VERSION + ARTIFACT_DIGEST_SIZE)

/* The parts of a reference; pointers lead into somebody else's memory */
typedef struct Artifact
{
	const char *kind;
	const char *name;
	const char *version;
	const uint8 *digest;		/* NULL if there is none */
	int			kind_size;
	int			name_size;
	int			version_size;	/* 0 if there is none */
} Artifact;

/*
 * What is wrong with the parts, as a sentence; NULL when nothing is. Names
 * and versions must be valid in the server's encoding already.
 */
extern const char *artifact_problem(const Artifact *artifact);

/*
 * Reads the text form. The parts point into text or into new memory. On bad
 * input returns false and a sentence that says why.
 */
extern bool artifact_parse(const char *text, size_t size, Artifact *artifact,
						   const char **problem);

/* Appends the canonical text */
extern void artifact_format(const Artifact *artifact, StringInfo out);

/* Stored bytes (without a varlena header), to and from; reading checks */
extern int	artifact_stored_size(const Artifact *artifact);
extern void artifact_store(const Artifact *artifact, char *bytes);
extern bool artifact_load(const char *bytes, size_t size, Artifact *artifact);

/* Total order: kind, name, version in natural order, digest */
extern int	artifact_compare(const Artifact *a, const Artifact *b);

#endif							/* MLMETA_TYPES_ARTIFACT_H */
