/*-------------------------------------------------------------------------
 *
 * repository.h
 *		The code that runs: commit, branch, and what is not committed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_REPOSITORY_H
#define MLMETA_REPOSITORY_H

#include "client.h"

typedef struct PatchLimits
{
	int64		file;			/* largest changed or untracked file, in bytes */
	int64		total;			/* largest patch */
	int			untracked;		/* most untracked files */
} PatchLimits;

#define DEFAULT_PATCH_LIMITS	{1024 * 1024, 16 * 1024 * 1024, 1000}

/* What git answers, without the newline at its end; NULL: it does not. */
extern char *ask_git(const char *directory, const char *const *arguments);

extern void describe_repository(json_t *source, const PatchLimits *limits);

#endif							/* MLMETA_REPOSITORY_H */
