/*-------------------------------------------------------------------------
 *
 * quote.h
 *		Input quoted in messages: all of it when short, else its beginning.
 *
 * For use with "%.*s%s": length, text, ellipsis.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_TYPES_QUOTE_H
#define MLMETA_TYPES_QUOTE_H

#include "core/compat.h"
#include "mb/pg_wchar.h"

#define QUOTED_MAX		100

static inline int
quoted_length(const char *text, size_t size)
{
	if (size <= QUOTED_MAX)
		return (int) size;
	return pg_mbcliplen(text, (int) size, QUOTED_MAX);
}

static inline const char *
quoted_ellipsis(size_t size)
{
	return size <= QUOTED_MAX ? "" : "...";
}

#endif							/* MLMETA_TYPES_QUOTE_H */
