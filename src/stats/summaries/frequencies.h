/*-------------------------------------------------------------------------
 *
 * frequencies.h
 *		Frequency tables: the summary of a categorical column.
 *
 * A table has one of three forms.
 *
 *	- Own: the values of its own data. Exact up to its capacity of different
 *	  values. Beyond, the rarer ones are let go, as in the summary of J. Misra
 *	  and D. Gries (1982): what was let go is the "other" part, and `bound`
 *	  is the most that any value without an entry can have occurred. An entry
 *	  that came (back) after that has `missed`: its value occurred at least
 *	  `count` and at most `count + missed` times. For a capacity of c,
 *	  bound <= n / (c + 1), also after any merges (P. Agarwal et al.,
 *	  "Mergeable summaries", 2012). The number of different values is then
 *	  estimated.
 *
 *	- On a baseline: the values of another table, counted exactly, even when
 *	  they are absent. All other values are new: counted together, with the
 *	  first few of them in byte order as examples. Such tables add and
 *	  subtract, and their counts stand for the same values.
 *
 *	- Detached: the same without the values, which the baseline has; a hash of
 *	  them says which baseline that is. This is what monitoring stores.
 *
 * Values are compared as UTF-8 bytes. Of a value over CATEGORY_MAX_SIZE bytes,
 * a prefix and a 128-bit hash are kept.
 *
 * A table is an SQL value (a Summary), or owned by another summary; nothing
 * here needs a function call's context. Functions that grow a table allocate
 * in its own context, table->summary.context. Tables given for reading only
 * may be reorganised, never changed in value.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_FREQUENCIES_H
#define MLMETA_STATS_FREQUENCIES_H

#include "core/compat.h"
#include "core/hash128.h"
#include "core/summary.h"

#define FREQUENCIES_DEFAULT_CAPACITY	1000
#define FREQUENCIES_MAX_CAPACITY		100000

/* Bytes kept of a value; those of its hash, when it is longer */
#define CATEGORY_MAX_SIZE	64
#define CATEGORY_HASH_SIZE	16

/* New values kept as examples by a table on a baseline */
#define FREQUENCIES_MAX_EXAMPLES	4

/* Registers of the estimate of distinct values: 2.3 % and 9 % error */
#define FREQUENCIES_SKETCH_BITS			11
#define FREQUENCIES_NEW_SKETCH_BITS		7

typedef enum FrequencyForm
{
	FREQUENCIES_OWN,
	FREQUENCIES_ON_BASELINE,
	FREQUENCIES_DETACHED
} FrequencyForm;

/*
 * A value as it is kept: up to CATEGORY_MAX_SIZE bytes of UTF-8, and behind
 * them, if is_long, the hash of the whole value.
 */
typedef struct Category
{
	const char *bytes;
	int			size;			/* with the hash */
	bool		is_long;
} Category;

typedef struct FrequencyEntry
{
	uint64		head;			/* first and last bytes, for comparing */
	uint64		tail;
	int64		count;
	int64		missed;			/* own form: what may have been let go */
	uint32		hash;
	uint32		offset;			/* of the value in the table's bytes */
	uint8		size;
	bool		is_long;
} FrequencyEntry;

typedef struct FrequencyExample
{
	int64		count;
	uint8		size;
	bool		is_long;
	char		bytes[CATEGORY_MAX_SIZE + CATEGORY_HASH_SIZE];
} FrequencyExample;

typedef struct FrequencyTable
{
	Summary		summary;
	FrequencyForm form;
	int			capacity;		/* own form; a baseline's in the others */
	int64		n;				/* values that are not NULL */
	int64		nulls;
	int64		counted;		/* sum of the entries' counts */
	int64		bound;			/* own form: of any value without an entry */

	FrequencyEntry *entries;
	int			n_entries;
	int			max_entries;	/* allocated */
	bool		is_sorted;		/* entries are in byte order of the values */

	char	   *bytes;			/* the values, one after the other */
	int			n_bytes;
	int			max_bytes;

	uint32	   *slots;			/* hash index: entry + 1; NULL: none yet */
	int			n_slots;		/* a power of 2 */

	uint8	   *sketch;			/* of all values (own), of the new (others) */

	FrequencyExample *examples; /* new values, in byte order */
	int			n_examples;

	Hash128		grid;			/* hash of the baseline's values ... */
	bool		has_grid;		/* ... once it was asked for */
} FrequencyTable;

extern const SummaryType frequency_table_type;

/* An empty table in context; capacity from 1 to FREQUENCIES_MAX_CAPACITY */
extern FrequencyTable *frequency_table_new(int capacity,
										   MemoryContext context);

/*
 * An empty table on the values of baseline (copied), which must not be
 * detached: raises 22023 otherwise.
 */
extern FrequencyTable *frequency_table_new_on(FrequencyTable *baseline,
											  MemoryContext context);

/* Make a zeroed table (such as a fresh aggregate state) one of the above */
extern void frequency_table_init(FrequencyTable *table, int capacity);
extern void frequency_table_init_on(FrequencyTable *table,
									FrequencyTable *baseline);

extern FrequencyTable *frequency_table_copy(FrequencyTable *table,
											MemoryContext context);

/* One value in the server's encoding; one NULL. 22003 beyond 2^63 - 1 rows. */
extern void frequency_table_add(FrequencyTable *table, const char *value,
								size_t size);
extern void frequency_table_add_null(FrequencyTable *table);

/*
 * Takes one value out again that was added: true. False when the table does
 * not know enough to do that exactly, and is then unchanged.
 */
extern bool frequency_table_remove(FrequencyTable *table, const char *value,
								   size_t size);
extern bool frequency_table_remove_null(FrequencyTable *table);

/*
 * into += from, into -= from. Both own, or both on the same baseline: raises
 * 22023 otherwise; 22003 on overflow; 22023 when from is no part of into.
 * The capacity of a union is the greater one.
 *
 * The subtraction of tables beyond their capacity keeps all bounds true; its
 * estimate of distinct values remains that of into.
 */
extern void frequency_table_merge(FrequencyTable *into, FrequencyTable *from);
extern void frequency_table_subtract(FrequencyTable *into,
									 FrequencyTable *from);

/*
 * A table that is still growing has up to twice its capacity of entries, so
 * that the values it ends with depend on the data alone for as long as
 * possible. To be called at the end of an aggregation; is_finished() says that
 * nothing remains to do.
 */
extern bool frequency_table_is_finished(const FrequencyTable *table);
extern void frequency_table_finish(FrequencyTable *table);

/* All fields of a table, inside of an object that the caller opens */
extern void frequency_table_archive(Archive *ar, FrequencyTable *table);

/*
 * What is known of one value in the server's encoding: at least *count, at
 * most *count_high occurrences. Raises 55000 for a detached table.
 */
extern void frequency_table_lookup(FrequencyTable *table, const char *value,
								   size_t size, int64 *count,
								   int64 *count_high);

/* Values in no entry: other (own form), or new (the others) */
static inline int64
frequency_table_other(const FrequencyTable *table)
{
	return table->n - table->counted;
}

/* Whether distinct_count is exact, and every count of the own form */
static inline bool
frequency_table_is_exact(const FrequencyTable *table)
{
	return table->sketch == NULL;
}

extern int64 frequency_table_distinct(const FrequencyTable *table);

/* Entries in byte order of their values */
extern void frequency_table_sort(FrequencyTable *table);

/* The value of an entry, or of an example */
static inline Category
frequency_table_category(const FrequencyTable *table, int i)
{
	const FrequencyEntry *entry = &table->entries[i];
	Category	category = {table->bytes + entry->offset, entry->size,
	entry->is_long};

	return category;
}

static inline Category
frequency_table_example(const FrequencyTable *table, int i)
{
	const FrequencyExample *example = &table->examples[i];
	Category	category = {example->bytes, example->size, example->is_long};

	return category;
}

/*
 * A category for display, in the server's encoding, palloc'ed; of a long one
 * the prefix, "..." and the hash in hexadecimal.
 */
extern char *category_display(Category category);

/* Hash of the table's values, by which detached tables know their baseline */
extern Hash128 frequency_table_grid(FrequencyTable *table);

/*
 * The table without its values, and with them again; copies in context.
 * attach raises 22023 if baseline is not the one that table was detached from.
 * detach raises 22023 for the own form: that would lose the values.
 */
extern FrequencyTable *frequency_table_detach(FrequencyTable *table,
											  MemoryContext context);
extern FrequencyTable *frequency_table_attach(FrequencyTable *table,
											  FrequencyTable *baseline,
											  MemoryContext context);

/*
 * Two tables as two vectors of counts over common cells, in byte order of the
 * values, for measures.h. A value has a cell if both sides know how often it
 * occurred; all that remains is one cell at the end. New values against a
 * baseline hence are one cell, with 0 on the baseline's side. When a table is
 * beyond its capacity, is_exact is false: counts are then the certain ones.
 * Raises 22023 if one is detached and the other on another baseline.
 */
typedef struct FrequencyCells
{
	int			k;
	int64	   *reference;
	int64	   *current;
	bool		is_exact;
	bool		has_new;		/* the last cell is of values that one side
								 * certainly has none of, joined for that */
} FrequencyCells;

extern FrequencyCells frequency_cells(FrequencyTable *reference,
									  FrequencyTable *current);

#endif							/* MLMETA_STATS_FREQUENCIES_H */
