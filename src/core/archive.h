/*-------------------------------------------------------------------------
 *
 * archive.h
 *		One description of a type's fields for its binary and its text form,
 *		in both directions.
 *
 * A type describes itself in one function that calls the archive_* functions
 * below for each field, in a fixed order. The same function then serves
 *
 *	- the stored and wire form: fields in order without names, unsigned
 *	  integers as LEB128 of minimal length, floats as eight bytes in network
 *	  order. It has no padding, no pointers and no OIDs, so that it is the same
 *	  on every platform and equal values have equal bytes;
 *	- the text form: a JSON object with the names as keys, in the same order,
 *	  floats in their shortest exact form ("NaN", "Infinity" and "-Infinity"
 *	  as strings).
 *
 * Reading trusts nothing: every length is checked against what is left of the
 * input and against the caller's maximum before memory is allocated. On bad
 * input archive_fail() raises (or, on servers with soft errors, notes) an
 * error that names the type; after a noted error every further call yields
 * zero or an empty array, so that descriptions need no error paths.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_CORE_ARCHIVE_H
#define MLMETA_CORE_ARCHIVE_H

#include "core/compat.h"
#include "lib/stringinfo.h"

typedef enum ArchiveDirection
{
	ARCHIVE_WRITE_BINARY,
	ARCHIVE_READ_BINARY,
	ARCHIVE_WRITE_TEXT,
	ARCHIVE_READ_TEXT
} ArchiveDirection;

typedef struct Archive
{
	ArchiveDirection mode;
	const char *type_name;		/* SQL name of the type, for messages */
	StringInfo	out;			/* what is written */
	const char *cursor;			/* what is read: from here ... */
	const char *end;			/* ... to here */
	bool		first;			/* text: no comma before the next item */
	bool		failed;			/* a soft error was noted */
	int			depth;			/* nesting of objects, bounded on reading */
	struct Node *escontext;		/* where soft errors go, or NULL */
} Archive;

extern void archive_write(Archive *ar, ArchiveDirection mode,
						  const char *type_name, StringInfo out);
extern void archive_read(Archive *ar, ArchiveDirection mode, const char *type_name,
						 const char *data, size_t size,
						 struct Node *escontext);
extern void archive_finish(Archive *ar);
extern void archive_fail(Archive *ar, const char *detail,...)
			pg_attribute_printf(2, 3);

static inline bool
archive_reading(const Archive *ar)
{
	return ar->mode == ARCHIVE_READ_BINARY || ar->mode == ARCHIVE_READ_TEXT;
}

/* Objects: the whole value, and items of lists */
extern void archive_open(Archive *ar);
extern void archive_close(Archive *ar);

/* A named object inside an object (no bytes in the binary form) */
extern void archive_open_field(Archive *ar, const char *name);

/* Names the object that whoever is called next opens (no bytes in binary) */
extern void archive_name(Archive *ar, const char *name);

/* Single fields */
extern void archive_bool(Archive *ar, const char *name, bool *value);
extern void archive_version(Archive *ar, int newest, int *value);
extern void archive_enum(Archive *ar, const char *name, int *value,
						 const char *const *labels, int n_labels);
extern void archive_count(Archive *ar, const char *name, int64 *value);
extern void archive_int(Archive *ar, const char *name, int64 *value);
extern void archive_float(Archive *ar, const char *name, double *value);
extern void archive_bytes(Archive *ar, const char *name, uint8 **value,
						  int *size, int max_size);
extern void archive_text(Archive *ar, const char *name, char **value,
						 int *size, int max_size);

/* Arrays; reading allocates in the current context, NULL when empty */
extern void archive_floats(Archive *ar, const char *name, double **values,
						   int *n, int max_n);
extern void archive_counts(Archive *ar, const char *name, int64 **values,
						   int *n, int max_n);

/* Lists of objects: the caller loops over *n, opening and closing each */
extern void archive_list(Archive *ar, const char *name, int *n, int max_n);
extern void archive_list_end(Archive *ar);

#endif							/* MLMETA_CORE_ARCHIVE_H */
