/*-------------------------------------------------------------------------
 *
 * key_column.h
 *		The different values of a column that rows are grouped by, numbered.
 *
 * Values are equal as in GROUP BY. They are looked up by their bytes, which
 * decide at once for most types; the type's own equality is asked for each
 * sequence of bytes that is new.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_SCAN_KEY_COLUMN_H
#define MLMETA_SCAN_KEY_COLUMN_H

#include "core/compat.h"

typedef struct KeyColumn KeyColumn;

/* Whether values of the type can be numbered: it has equality and a hash */
extern bool key_column_is_possible(Oid type);

/* In the current context; of a type for which it is possible */
extern KeyColumn *key_column_make(Oid type, Oid collation);

/* The number of a value: from 0, in the order of their first rows */
extern int	key_column_code(KeyColumn *column, Datum value, bool is_null);

/* A value as a cast to text has it, the first of equal ones; NULL for NULL */
extern const char *key_column_text(const KeyColumn *column, int code);

#endif							/* MLMETA_SCAN_KEY_COLUMN_H */
