/*-------------------------------------------------------------------------
 *
 * frequencies.c
 *		Frequency tables: counting, merging, subtracting, stored form.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "common/int.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "port/pg_bswap.h"
#include "stats/summaries/distinct.h"
#include "stats/summaries/frequencies.h"
#include "utils/memutils.h"

#define FREQUENCIES_VERSION	1

#define MIN_ENTRIES		8
#define MIN_BYTES		64

#define KEY_MAX_SIZE	(CATEGORY_MAX_SIZE + CATEGORY_HASH_SIZE)

/* Text input: a prefix in any server encoding */
#define TEXT_MAX_SIZE	(CATEGORY_MAX_SIZE * MAX_CONVERSION_GROWTH)

/* A value on its way into a table */
typedef struct Key
{
	const char *bytes;
	uint64		head;
	uint64		tail;
	uint32		hash;
	uint8		size;
	bool		is_long;
} Key;

static void frequency_summary_archive(Archive *ar, Summary *summary);

const SummaryType frequency_table_type = {
	"frequency_table",
	sizeof(FrequencyTable),
	frequency_summary_archive
};

/* ----------
 * Values
 * ----------
 */

static inline bool
needs_conversion(void)
{
	static int	encoding = -1;	/* never changes in a backend's life */

	if (unlikely(encoding < 0))
		encoding = GetDatabaseEncoding();
	return encoding != PG_UTF8 && encoding != PG_SQL_ASCII;
}

static bool
is_ascii(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (IS_HIGHBIT_SET(bytes[i]))
			return false;
	return true;
}

/*
 * Text of the server as UTF-8, and back; *size follows. A database in
 * SQL_ASCII knows no encoding: its bytes are kept as they are.
 */
static pg_noinline const char *
convert_to_utf8(const char *bytes, size_t *size)
{
	char	   *converted;

	if (is_ascii(bytes, *size))
		return bytes;
	converted = pg_server_to_any(bytes, (int) *size, PG_UTF8);
	if (converted != bytes)
		*size = strlen(converted);
	return converted;
}

static inline const char *
to_utf8(const char *bytes, size_t *size)
{
	return needs_conversion() ? convert_to_utf8(bytes, size) : bytes;
}

static const char *
from_utf8(const char *bytes, size_t *size)
{
	char	   *converted;

	if (!needs_conversion() || is_ascii(bytes, *size))
		return bytes;
	converted = pg_any_to_server(bytes, (int) *size, PG_UTF8);
	if (converted != bytes)
		*size = strlen(converted);
	return converted;
}

static inline uint64
load_word(const char *bytes)
{
	uint64		word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* Up to seven bytes as a number, different for different bytes */
static inline uint64
load_short(const char *bytes, size_t size)
{
	if (size >= 4)
	{
		uint32		first;
		uint32		last;

		memcpy(&first, bytes, sizeof(first));
		memcpy(&last, bytes + size - sizeof(last), sizeof(last));
		return (uint64) last << 32 | first;
	}
	if (size > 0)
		return (uint64) (uint8) bytes[0] |
			(uint64) (uint8) bytes[size >> 1] << 8 |
			(uint64) (uint8) bytes[size - 1] << 16;
	return 0;
}

static inline uint64
mix(uint64 h, uint64 word)
{
	h = (h ^ word) * UINT64CONST(0x9E3779B97F4A7C15);
	return h ^ (h >> 32);
}

/*
 * The words at both ends of a value, which are all of it up to 16 bytes, and a
 * quick hash for the index in memory; that is never stored. Few branches:
 * values of mixed lengths make each of them a misprediction.
 */
static inline void
set_key(Key *key, const char *bytes, size_t size, bool is_long)
{
	uint64		h;

	if (size >= 8)
	{
		key->head = load_word(bytes);
		key->tail = load_word(bytes + size - 8);
	}
	else
	{
		key->head = load_short(bytes, size);
		key->tail = 0;
	}
	h = mix(mix(size, key->head), key->tail);
	if (unlikely(size > 16))
		for (size_t i = 8; i + 8 < size; i += 8)
			h = mix(h, load_word(bytes + i));
	key->bytes = bytes;
	key->hash = (uint32) h;
	key->size = (uint8) size;
	key->is_long = is_long;
}

static void
append_hash(char *to, Hash128 hash)
{
	uint64		words[2] = {pg_hton64(hash.high), pg_hton64(hash.low)};

	memcpy(to, words, sizeof(words));
}

/* A value over CATEGORY_MAX_SIZE bytes: buffer takes prefix and hash */
static void
set_long_key(Key *key, char *buffer, const char *bytes, size_t size)
{
	int			clipped = CATEGORY_MAX_SIZE;

	/* whole characters; what is no UTF-8 has no boundaries */
	while (CATEGORY_MAX_SIZE - clipped < 4 &&
		   ((uint8) bytes[clipped] & 0xC0) == 0x80)
		clipped--;
	if (CATEGORY_MAX_SIZE - clipped == 4)
		clipped = CATEGORY_MAX_SIZE;
	memcpy(buffer, bytes, clipped);
	append_hash(buffer + clipped, hash128(bytes, size));
	set_key(key, buffer, clipped + CATEGORY_HASH_SIZE, true);
}

/* The key of a value in the server's encoding; buffer holds KEY_MAX_SIZE */
static inline void
make_key(Key *key, char *buffer, const char *value, size_t size)
{
	value = to_utf8(value, &size);
	if (likely(size <= CATEGORY_MAX_SIZE))
		set_key(key, value, size, false);
	else
		set_long_key(key, buffer, value, size);
}

static Key
category_key(Category category)
{
	Key			key;

	set_key(&key, category.bytes, category.size, category.is_long);
	return key;
}

static inline int
prefix_size(Category category)
{
	return category.size - (category.is_long ? CATEGORY_HASH_SIZE : 0);
}

/* Byte order of the prefixes; a whole value before longer ones; hashes */
static int
category_compare(Category a, Category b)
{
	int			a_prefix = prefix_size(a);
	int			b_prefix = prefix_size(b);
	int			cmp = memcmp(a.bytes, b.bytes, Min(a_prefix, b_prefix));

	if (cmp != 0)
		return cmp;
	if (a_prefix != b_prefix)
		return a_prefix < b_prefix ? -1 : 1;
	if (a.is_long != b.is_long)
		return a.is_long ? 1 : -1;
	return a.is_long ? memcmp(a.bytes + a_prefix, b.bytes + b_prefix,
							  CATEGORY_HASH_SIZE) : 0;
}

/* The hash of the whole value, for the estimate of distinct values */
static Hash128
category_hash(Category category)
{
	uint64		words[2];
	Hash128		hash;

	if (!category.is_long)
		return hash128(category.bytes, category.size);
	memcpy(words, category.bytes + prefix_size(category), sizeof(words));
	hash.high = pg_ntoh64(words[0]);
	hash.low = pg_ntoh64(words[1]);
	return hash;
}

char *
category_display(Category category)
{
	size_t		size = prefix_size(category);
	const char *prefix = from_utf8(category.bytes, &size);
	Hash128		hash;

	if (!category.is_long)
		return pnstrdup(prefix, size);
	hash = category_hash(category);
	return psprintf("%.*s...%016llx%016llx", (int) size, prefix,
					(unsigned long long) hash.high,
					(unsigned long long) hash.low);
}

/* ----------
 * Entries and their index
 * ----------
 */

static void
drop_index(FrequencyTable *table)
{
	if (table->slots != NULL)
		pfree(table->slots);
	table->slots = NULL;
	table->n_slots = 0;
}

static inline void
index_entry(FrequencyTable *table, int i)
{
	uint32		mask = table->n_slots - 1;
	uint32		slot = table->entries[i].hash & mask;

	while (table->slots[slot] != 0)
		slot = (slot + 1) & mask;
	table->slots[slot] = i + 1;
}

static void
build_index(FrequencyTable *table)
{
	int			wanted = Max(table->max_entries, table->n_entries);

	drop_index(table);
	wanted = Max(wanted, MIN_ENTRIES);
	table->n_slots = (int) pg_nextpower2_32((uint32) wanted) * 2;
	table->slots = MemoryContextAllocZero(table->summary.context,
										  table->n_slots * sizeof(uint32));
	for (int i = 0; i < table->n_entries; i++)
		index_entry(table, i);
}

static inline bool
entry_is(const FrequencyTable *table, const FrequencyEntry *entry,
		 const Key *key)
{
	return entry->head == key->head && entry->tail == key->tail &&
		entry->size == key->size && entry->is_long == key->is_long &&
		(key->size <= 16 ||
		 memcmp(table->bytes + entry->offset + 8, key->bytes + 8,
				key->size - 16) == 0);
}

/* The entry of a value, -1 if it has none */
static inline int
find(FrequencyTable *table, const Key *key)
{
	uint32		mask;
	uint32		slot;

	if (unlikely(table->slots == NULL))
		build_index(table);
	mask = table->n_slots - 1;
	for (slot = key->hash & mask; table->slots[slot] != 0;
		 slot = (slot + 1) & mask)
	{
		int			i = (int) table->slots[slot] - 1;

		if (entry_is(table, &table->entries[i], key))
			return i;
	}
	return -1;
}

/* Makes room for one more entry whose value has size bytes */
static void
reserve(FrequencyTable *table, int size)
{
	if (table->n_entries == table->max_entries)
	{
		table->max_entries = Max(table->max_entries * 2, MIN_ENTRIES);
		if (table->entries == NULL)
			table->entries =
				MemoryContextAlloc(table->summary.context,
								   table->max_entries *
								   sizeof(FrequencyEntry));
		else
			table->entries = repalloc(table->entries, table->max_entries *
									  sizeof(FrequencyEntry));
		if (table->slots != NULL)
			build_index(table);
	}
	if (table->bytes == NULL || table->max_bytes - table->n_bytes < size)
	{
		table->max_bytes = Max(table->max_bytes * 2,
							   Max(MIN_BYTES, table->n_bytes + size));
		if (table->bytes == NULL)
			table->bytes = MemoryContextAlloc(table->summary.context,
											  table->max_bytes);
		else
			table->bytes = repalloc(table->bytes, table->max_bytes);
	}
}

/* A new entry with count 0; returns its number */
static int
append_entry(FrequencyTable *table, const Key *key)
{
	FrequencyEntry *entry;
	int			i;

	reserve(table, key->size);
	i = table->n_entries++;
	entry = &table->entries[i];
	entry->head = key->head;
	entry->tail = key->tail;
	entry->count = 0;
	entry->missed = 0;
	entry->hash = key->hash;
	entry->offset = (uint32) table->n_bytes;
	entry->size = key->size;
	entry->is_long = key->is_long;
	if (key->size > 0)
		memcpy(table->bytes + table->n_bytes, key->bytes, key->size);
	table->n_bytes += key->size;
	table->is_sorted = table->n_entries == 1;
	if (table->slots != NULL)
		index_entry(table, i);
	return i;
}

static int
compare_entries(const void *a, const void *b, void *arg)
{
	const FrequencyTable *table = arg;
	const FrequencyEntry *x = a;
	const FrequencyEntry *y = b;
	Category	first = {table->bytes + x->offset, x->size, x->is_long};
	Category	second = {table->bytes + y->offset, y->size, y->is_long};

	return category_compare(first, second);
}

void
frequency_table_sort(FrequencyTable *table)
{
	if (table->is_sorted || table->form == FREQUENCIES_DETACHED)
		return;
	drop_index(table);
	if (table->n_entries > 1)
		qsort_arg(table->entries, table->n_entries, sizeof(FrequencyEntry),
				  compare_entries, table);
	table->is_sorted = true;
}

/*
 * Keeps the entries that the caller marked by count > 0, packs their values
 * and adds up their counts.
 */
static void
pack_entries(FrequencyTable *table)
{
	char	   *bytes = NULL;
	int			n_bytes = 0;
	int			kept = 0;

	if (table->max_bytes > 0)
		bytes = MemoryContextAlloc(table->summary.context, table->max_bytes);
	table->counted = 0;
	for (int i = 0; i < table->n_entries; i++)
	{
		FrequencyEntry *entry = &table->entries[i];

		if (entry->count == 0)
			continue;
		if (entry->size > 0)
			memcpy(bytes + n_bytes, table->bytes + entry->offset,
				   entry->size);
		entry->offset = (uint32) n_bytes;
		n_bytes += entry->size;
		table->counted += entry->count;
		table->entries[kept++] = *entry;
	}
	if (table->bytes != NULL)
		pfree(table->bytes);
	table->bytes = bytes;
	table->n_bytes = n_bytes;
	table->n_entries = kept;
	drop_index(table);
}

/* ----------
 * The estimate of distinct values
 * ----------
 */

static inline int
sketch_bits(const FrequencyTable *table)
{
	return table->form == FREQUENCIES_OWN ? FREQUENCIES_SKETCH_BITS :
		FREQUENCIES_NEW_SKETCH_BITS;
}

/* A sketch of all entries (own form) or of all examples */
static void
start_sketch(FrequencyTable *table)
{
	int			bits = sketch_bits(table);

	if (table->sketch != NULL)
		return;
	table->sketch = MemoryContextAllocZero(table->summary.context, 1 << bits);
	if (table->form == FREQUENCIES_OWN)
		for (int i = 0; i < table->n_entries; i++)
			distinct_add(table->sketch, bits,
						 category_hash(frequency_table_category(table, i)));
	else
		for (int i = 0; i < table->n_examples; i++)
			distinct_add(table->sketch, bits,
						 category_hash(frequency_table_example(table, i)));
}

static void
drop_sketch(FrequencyTable *table)
{
	if (table->sketch != NULL)
		pfree(table->sketch);
	table->sketch = NULL;
}

static void
sketch_key(FrequencyTable *table, const Key *key)
{
	Category	category = {key->bytes, key->size, key->is_long};

	distinct_add(table->sketch, sketch_bits(table), category_hash(category));
}

int64
frequency_table_distinct(const FrequencyTable *table)
{
	int64		known = 0;
	double		estimate;

	if (table->form == FREQUENCIES_OWN)
		known = table->n_entries;
	else
		for (int i = 0; i < table->n_entries; i++)
			known += table->entries[i].count > 0;

	if (table->sketch == NULL)
		return known + table->n_examples;
	estimate = distinct_estimate(table->sketch, sketch_bits(table));
	if (table->form != FREQUENCIES_OWN)
		return known + (int64) Max(rint(estimate), table->n_examples + 1.0);
	return (int64) Max(rint(estimate), known + 1.0);
}

/* ----------
 * Making tables
 * ----------
 */

void
frequency_table_init(FrequencyTable *table, int capacity)
{
	Assert(capacity >= 1 && capacity <= FREQUENCIES_MAX_CAPACITY);
	table->form = FREQUENCIES_OWN;
	table->capacity = capacity;
	table->is_sorted = true;
}

static void
require_values(const FrequencyTable *table)
{
	if (table->form == FREQUENCIES_DETACHED)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the frequency_table is detached from its baseline"),
				 errdetail("Its values are with the baseline."),
				 errhint("Use attach(frequency_table, baseline).")));
}

/* Copies entries and values of from, with their counts */
static void
copy_entries(FrequencyTable *table, const FrequencyTable *from)
{
	table->n_entries = table->max_entries = from->n_entries;
	table->n_bytes = from->n_bytes;
	table->max_bytes = from->bytes != NULL ? Max(from->n_bytes, 1) : 0;
	if (from->n_entries > 0)
	{
		table->entries = MemoryContextAlloc(table->summary.context,
											from->n_entries *
											sizeof(FrequencyEntry));
		memcpy(table->entries, from->entries,
			   from->n_entries * sizeof(FrequencyEntry));
	}
	if (from->bytes != NULL)
	{
		table->bytes = MemoryContextAlloc(table->summary.context,
										  table->max_bytes);
		memcpy(table->bytes, from->bytes, from->n_bytes);
	}
	table->is_sorted = from->is_sorted;
}

static void
copy_new_values(FrequencyTable *table, const FrequencyTable *from)
{
	MemoryContext context = table->summary.context;

	if (from->sketch != NULL)
	{
		size_t		size = (size_t) 1 << sketch_bits(from);

		table->sketch = MemoryContextAlloc(context, size);
		memcpy(table->sketch, from->sketch, size);
	}
	if (from->n_examples > 0)
	{
		size_t		size = FREQUENCIES_MAX_EXAMPLES * sizeof(FrequencyExample);

		table->examples = MemoryContextAllocZero(context, size);
		memcpy(table->examples, from->examples,
			   from->n_examples * sizeof(FrequencyExample));
		table->n_examples = from->n_examples;
	}
}

void
frequency_table_init_on(FrequencyTable *table, FrequencyTable *baseline)
{
	if (baseline->form == FREQUENCIES_DETACHED)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a detached frequency_table cannot be a baseline"),
				 errdetail("Its values are with its own baseline."),
				 errhint("Use that one, or attach(frequency_table, "
						 "baseline).")));
	table->grid = frequency_table_grid(baseline);
	table->has_grid = true;
	table->form = FREQUENCIES_ON_BASELINE;
	table->capacity = baseline->capacity;
	copy_entries(table, baseline);
	for (int i = 0; i < table->n_entries; i++)
	{
		table->entries[i].count = 0;
		table->entries[i].missed = 0;
	}
}

FrequencyTable *
frequency_table_new(int capacity, MemoryContext context)
{
	FrequencyTable *table = MemoryContextAllocZero(context,
												   sizeof(FrequencyTable));

	table->summary.type = &frequency_table_type;
	table->summary.context = context;
	frequency_table_init(table, capacity);
	return table;
}

FrequencyTable *
frequency_table_new_on(FrequencyTable *baseline, MemoryContext context)
{
	FrequencyTable *table = MemoryContextAllocZero(context,
												   sizeof(FrequencyTable));

	table->summary.type = &frequency_table_type;
	table->summary.context = context;
	frequency_table_init_on(table, baseline);
	return table;
}

/* Everything but the entries */
static void
copy_totals(FrequencyTable *table, const FrequencyTable *from)
{
	table->form = from->form;
	table->capacity = from->capacity;
	table->n = from->n;
	table->nulls = from->nulls;
	table->counted = from->counted;
	table->bound = from->bound;
	table->grid = from->grid;
	table->has_grid = from->has_grid;
	copy_new_values(table, from);
}

FrequencyTable *
frequency_table_copy(FrequencyTable *table, MemoryContext context)
{
	FrequencyTable *copy = frequency_table_new(table->capacity, context);

	copy_totals(copy, table);
	copy_entries(copy, table);
	return copy;
}

/* ----------
 * Counting
 * ----------
 */

static void
overflow(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("a count of a frequency_table is out of range"),
			 errdetail("Counts go up to %lld.", (long long) PG_INT64_MAX)));
}

static int
compare_counts(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x < y) - (x > y);
}

/*
 * Lets the rarer entries go until capacity of them remain, at most. Which ones
 * go is decided by the upper bounds of their counts: the (capacity + 1)-th
 * largest of these becomes the new bound of every value without an entry, and
 * all entries that do not exceed it go, so that ties need no decision.
 *
 * Subtracting that amount from all upper bounds is the step of Misra and
 * Gries, and takes it from at least capacity + 1 values at once: hence
 * bound <= n / (capacity + 1).
 */
static void
compact(FrequencyTable *table)
{
	int64	   *uppers;

	if (table->n_entries <= table->capacity)
		return;
	start_sketch(table);
	uppers = palloc(table->n_entries * sizeof(int64));
	for (int i = 0; i < table->n_entries; i++)
		uppers[i] = table->entries[i].count + table->entries[i].missed;
	qsort(uppers, table->n_entries, sizeof(int64), compare_counts);
	table->bound = Max(table->bound, uppers[table->capacity]);
	pfree(uppers);

	for (int i = 0; i < table->n_entries; i++)
	{
		FrequencyEntry *entry = &table->entries[i];

		if (entry->count + entry->missed <= table->bound)
			entry->count = 0;
	}
	pack_entries(table);
}

bool
frequency_table_is_finished(const FrequencyTable *table)
{
	return table->form != FREQUENCIES_OWN ||
		table->n_entries <= table->capacity;
}

void
frequency_table_finish(FrequencyTable *table)
{
	if (!frequency_table_is_finished(table))
		compact(table);
}

/* Own form: the entry for a value that has none yet */
static int
add_entry(FrequencyTable *table, const Key *key)
{
	int			i;

	if (table->n_entries >= 2 * table->capacity)
		compact(table);
	i = append_entry(table, key);
	table->entries[i].missed = table->bound;
	if (table->sketch != NULL)
		sketch_key(table, key);
	return i;
}

/*
 * count more of a value that is new against the baseline. The examples are the
 * first ones in byte order: a value that is among them in the end was so from
 * its first row on, hence their counts are exact, in any order of the rows.
 */
static void
add_new_value(FrequencyTable *table, Category category, int64 count)
{
	FrequencyExample *example;
	int			i;
	int			cmp = 1;

	if (table->examples == NULL)
		table->examples =
			MemoryContextAllocZero(table->summary.context,
								   FREQUENCIES_MAX_EXAMPLES *
								   sizeof(FrequencyExample));
	for (i = 0; i < table->n_examples; i++)
	{
		cmp = category_compare(category, frequency_table_example(table, i));
		if (cmp <= 0)
			break;
	}
	if (cmp == 0)
	{
		table->examples[i].count += count;
		return;
	}
	if (table->n_examples == FREQUENCIES_MAX_EXAMPLES)
		start_sketch(table);
	if (table->sketch != NULL)
		distinct_add(table->sketch, sketch_bits(table),
					 category_hash(category));
	if (i == FREQUENCIES_MAX_EXAMPLES)
		return;
	if (table->n_examples < FREQUENCIES_MAX_EXAMPLES)
		table->n_examples++;
	example = &table->examples[i];
	memmove(example + 1, example,
			(table->n_examples - 1 - i) * sizeof(FrequencyExample));
	memset(example, 0, sizeof(*example));
	example->count = count;
	example->size = (uint8) category.size;
	example->is_long = category.is_long;
	memcpy(example->bytes, category.bytes, category.size);
}

/* A value without an entry */
static void
add_unknown(FrequencyTable *table, const Key *key)
{
	if (table->form == FREQUENCIES_ON_BASELINE)
	{
		Category	category = {key->bytes, key->size, key->is_long};

		add_new_value(table, category, 1);
	}
	else
	{
		int			i = add_entry(table, key);

		table->entries[i].count = 1;
		table->counted++;
	}
	table->n++;
}

void
frequency_table_add(FrequencyTable *table, const char *value, size_t size)
{
	char		buffer[KEY_MAX_SIZE];
	Key			key;
	int			i;

	if (unlikely(table->n == PG_INT64_MAX))
		overflow();
	if (unlikely(table->form == FREQUENCIES_DETACHED))
		require_values(table);
	make_key(&key, buffer, value, size);
	i = find(table, &key);
	if (likely(i >= 0))
	{
		table->entries[i].count++;
		table->counted++;
		table->n++;
	}
	else
		add_unknown(table, &key);
}

void
frequency_table_add_null(FrequencyTable *table)
{
	if (unlikely(table->nulls == PG_INT64_MAX))
		overflow();
	table->nulls++;
}

static int
find_example(const FrequencyTable *table, Category category)
{
	for (int i = 0; i < table->n_examples; i++)
		if (category_compare(category, frequency_table_example(table, i)) == 0)
			return i;
	return -1;
}

static void
remove_example(FrequencyTable *table, int i)
{
	table->n_examples--;
	memmove(&table->examples[i], &table->examples[i + 1],
			(table->n_examples - i) * sizeof(FrequencyExample));
}

bool
frequency_table_remove(FrequencyTable *table, const char *value, size_t size)
{
	char		buffer[KEY_MAX_SIZE];
	Key			key;
	Category	category;
	int			i;

	/* what was let go, and examples that had to make room, do not return */
	if (table->form != FREQUENCIES_ON_BASELINE)
		return false;
	make_key(&key, buffer, value, size);
	i = find(table, &key);
	if (i >= 0)
	{
		if (table->entries[i].count == 0)
			return false;
		table->entries[i].count--;
		table->counted--;
		table->n--;
		return true;
	}
	if (table->sketch != NULL)
		return false;
	category.bytes = key.bytes;
	category.size = key.size;
	category.is_long = key.is_long;
	i = find_example(table, category);
	if (i < 0)
		return false;
	if (--table->examples[i].count == 0)
		remove_example(table, i);
	table->n--;
	return true;
}

bool
frequency_table_remove_null(FrequencyTable *table)
{
	if (table->nulls == 0)
		return false;
	table->nulls--;
	return true;
}

static int64
example_total(const FrequencyTable *table)
{
	int64		total = 0;

	for (int i = 0; i < table->n_examples; i++)
		total += table->examples[i].count;
	return total;
}

void
frequency_table_lookup(FrequencyTable *table, const char *value, size_t size,
					   int64 *count, int64 *count_high)
{
	char		buffer[KEY_MAX_SIZE];
	Key			key;
	Category	category;
	int			i;

	require_values(table);
	make_key(&key, buffer, value, size);
	i = find(table, &key);
	if (i >= 0)
	{
		*count = table->entries[i].count;
		*count_high = *count + table->entries[i].missed;
		return;
	}
	category.bytes = key.bytes;
	category.size = key.size;
	category.is_long = key.is_long;
	i = find_example(table, category);
	if (i >= 0)
	{
		*count = *count_high = table->examples[i].count;
		return;
	}
	*count = 0;
	*count_high = table->form == FREQUENCIES_OWN ? table->bound :
		frequency_table_other(table) - example_total(table);
}

/* ----------
 * Baselines
 * ----------
 */

Hash128
frequency_table_grid(FrequencyTable *table)
{
	StringInfoData buf;

	if (table->has_grid)
		return table->grid;
	frequency_table_sort(table);
	initStringInfo(&buf);
	for (int i = 0; i < table->n_entries; i++)
	{
		Category	category = frequency_table_category(table, i);

		appendStringInfoCharMacro(&buf, (char) category.size);
		appendStringInfoCharMacro(&buf, category.is_long ? 1 : 0);
		appendBinaryStringInfo(&buf, category.bytes, category.size);
	}
	table->grid = hash128(buf.data, buf.len);
	/* the own form may still get other values */
	table->has_grid = table->form != FREQUENCIES_OWN;
	pfree(buf.data);
	return table->grid;
}

static void
require_grid(FrequencyTable *a, FrequencyTable *b)
{
	/* the hash may come from outside: what is indexed by it is checked */
	if (a->n_entries != b->n_entries ||
		!hash128_equal(frequency_table_grid(a), frequency_table_grid(b)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("frequency_tables are on different baselines"),
				 errdetail("One counts %d values, the other %d, or not the "
						   "same ones.", a->n_entries, b->n_entries),
				 errhint("Count both on the same baseline, or compare tables "
						 "that have their values.")));
}

FrequencyTable *
frequency_table_detach(FrequencyTable *table, MemoryContext context)
{
	FrequencyTable *detached;

	if (table->form == FREQUENCIES_OWN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("frequency_table has no baseline to be detached "
						"from"),
				 errhint("Only tables made with frequencies(value, baseline) "
						 "can be detached.")));
	(void) frequency_table_grid(table);
	frequency_table_sort(table);
	detached = frequency_table_copy(table, context);
	detached->form = FREQUENCIES_DETACHED;
	for (int i = 0; i < detached->n_entries; i++)
	{
		FrequencyEntry *entry = &detached->entries[i];
		int64		count = entry->count;

		memset(entry, 0, sizeof(*entry));
		entry->count = count;
	}
	if (detached->bytes != NULL)
		pfree(detached->bytes);
	detached->bytes = NULL;
	detached->n_bytes = detached->max_bytes = 0;
	return detached;
}

FrequencyTable *
frequency_table_attach(FrequencyTable *table, FrequencyTable *baseline,
					   MemoryContext context)
{
	FrequencyTable *attached;

	if (table->form == FREQUENCIES_OWN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("frequency_table is not on a baseline"),
				 errdetail("It has values of its own.")));
	attached = frequency_table_new_on(baseline, context);
	require_grid(attached, table);
	frequency_table_sort(table);
	frequency_table_sort(attached);
	copy_totals(attached, table);
	attached->form = FREQUENCIES_ON_BASELINE;
	attached->capacity = baseline->capacity;
	for (int i = 0; i < table->n_entries; i++)
		attached->entries[i].count = table->entries[i].count;
	return attached;
}

/* ----------
 * Adding and subtracting tables
 * ----------
 */

static void
require_same_form(FrequencyTable *a, FrequencyTable *b)
{
	bool		a_own = a->form == FREQUENCIES_OWN;
	bool		b_own = b->form == FREQUENCIES_OWN;

	if (a_own != b_own)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("frequency_tables cannot be combined: one is on a "
						"baseline, the other is not"),
				 errhint("Count both on the same baseline, or neither.")));
	if (!a_own)
		require_grid(a, b);
}

/* Turns a detached table into one with the values of other, if that has any */
static void
gain_values(FrequencyTable *table, FrequencyTable *other)
{
	FrequencyEntry *counts = table->entries;

	if (table->form != FREQUENCIES_DETACHED ||
		other->form != FREQUENCIES_ON_BASELINE)
		return;
	frequency_table_sort(other);
	copy_entries(table, other);
	for (int i = 0; i < table->n_entries; i++)
		table->entries[i].count = counts[i].count;
	if (counts != NULL)
		pfree(counts);
	table->form = FREQUENCIES_ON_BASELINE;
	table->capacity = other->capacity;
}

/* On a baseline: into += sign * from, entry by entry */
static bool
combine_counts(FrequencyTable *into, FrequencyTable *from, int sign)
{
	frequency_table_sort(into);
	frequency_table_sort(from);
	for (int i = 0; i < into->n_entries; i++)
	{
		into->entries[i].count += sign * from->entries[i].count;
		if (into->entries[i].count < 0)
			return false;
	}
	into->counted += sign * from->counted;
	return true;
}

static void
merge_own(FrequencyTable *into, FrequencyTable *from)
{
	int64		bound = into->bound;
	int			n_before = into->n_entries;

	into->capacity = Max(into->capacity, from->capacity);
	if (into->sketch != NULL || from->sketch != NULL)
		start_sketch(into);
	if (from->sketch != NULL)
		distinct_merge(into->sketch, from->sketch, FREQUENCIES_SKETCH_BITS);

	if (from->bound > 0)
		for (int i = 0; i < n_before; i++)
			into->entries[i].missed += from->bound;
	for (int j = 0; j < from->n_entries; j++)
	{
		FrequencyEntry *other = &from->entries[j];
		Key			key = category_key(frequency_table_category(from, j));
		int			i = find(into, &key);

		if (i >= 0)
			into->entries[i].missed += other->missed - from->bound;
		else
		{
			i = append_entry(into, &key);
			into->entries[i].missed = other->missed + bound;
			if (into->sketch != NULL && from->sketch == NULL)
				sketch_key(into, &key);
		}
		into->entries[i].count += other->count;
	}
	into->counted += from->counted;
	into->bound += from->bound;
	if (into->n_entries > 2 * into->capacity)
		compact(into);
}

static void
merge_new_values(FrequencyTable *into, FrequencyTable *from)
{
	bool		estimated = into->sketch != NULL || from->sketch != NULL;

	for (int i = 0; i < from->n_examples; i++)
		add_new_value(into, frequency_table_example(from, i),
					  from->examples[i].count);
	if (estimated)
		start_sketch(into);
	if (from->sketch != NULL)
		distinct_merge(into->sketch, from->sketch,
					   FREQUENCIES_NEW_SKETCH_BITS);
}

/*
 * A table and itself (a + a) would change under its own reading: the SQL
 * functions copy, others must not do that.
 */
void
frequency_table_merge(FrequencyTable *into, FrequencyTable *from)
{
	int64		n;
	int64		nulls;

	Assert(into != from);
	require_same_form(into, from);
	if (pg_add_s64_overflow(into->n, from->n, &n) ||
		pg_add_s64_overflow(into->nulls, from->nulls, &nulls))
		overflow();
	if (into->form == FREQUENCIES_OWN)
		merge_own(into, from);
	else
	{
		gain_values(into, from);
		(void) combine_counts(into, from, 1);
		merge_new_values(into, from);
	}
	into->n = n;
	into->nulls = nulls;
}

static void
not_a_part(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("a frequency_table can only be subtracted from one that "
					"contains its rows"),
			 errdetail("A count would become negative.")));
}

/*
 * Each entry's interval becomes that of the difference. What then has no
 * certain row left goes to the other part, whose bound covers it.
 */
static void
subtract_own(FrequencyTable *into, FrequencyTable *from)
{
	int64		other;

	for (int j = 0; j < from->n_entries; j++)
	{
		Key			key = category_key(frequency_table_category(from, j));

		if (from->entries[j].count > into->bound && find(into, &key) < 0)
			not_a_part();
	}
	if (from->bound > 0)
		start_sketch(into);
	for (int i = 0; i < into->n_entries; i++)
	{
		FrequencyEntry *entry = &into->entries[i];
		Key			key = category_key(frequency_table_category(into, i));
		int			j = find(from, &key);
		int64		low = j >= 0 ? from->entries[j].count : 0;
		int64		high = j >= 0 ? low + from->entries[j].missed :
			from->bound;
		int64		upper = entry->count + entry->missed - low;

		if (upper < 0)
			not_a_part();
		entry->count = Max(entry->count - high, 0);
		if (entry->count == 0)
			into->bound = Max(into->bound, upper);
		entry->missed = upper - entry->count;
	}
	pack_entries(into);
	other = into->n - into->counted;
	if (other < 0)
		not_a_part();
	into->bound = Min(into->bound, other);
	for (int i = 0; i < into->n_entries; i++)
		into->entries[i].missed = Min(into->entries[i].missed, other);
	if (other > 0 && into->bound == 0)
		not_a_part();
	if (other > 0)
		start_sketch(into);
	else
		drop_sketch(into);
}

static void
subtract_new_values(FrequencyTable *into, FrequencyTable *from)
{
	for (int j = 0; j < from->n_examples; j++)
	{
		int			i = find_example(into, frequency_table_example(from, j));

		if (i < 0)
			continue;
		if (into->examples[i].count < from->examples[j].count)
			not_a_part();
		into->examples[i].count -= from->examples[j].count;
		if (into->examples[i].count == 0)
			remove_example(into, i);
	}
	if (frequency_table_other(into) < example_total(into))
		not_a_part();
	if (example_total(into) == frequency_table_other(into))
		drop_sketch(into);
	else
		start_sketch(into);
}

void
frequency_table_subtract(FrequencyTable *into, FrequencyTable *from)
{
	Assert(into != from);
	require_same_form(into, from);
	if (into->n < from->n || into->nulls < from->nulls)
		not_a_part();
	into->n -= from->n;
	into->nulls -= from->nulls;
	if (into->form == FREQUENCIES_OWN)
		subtract_own(into, from);
	else
	{
		gain_values(into, from);
		if (!combine_counts(into, from, -1) ||
			frequency_table_other(into) < 0)
			not_a_part();
		subtract_new_values(into, from);
	}
}

/* ----------
 * Common cells of two tables
 * ----------
 */

static void
add_cell(FrequencyCells *cells, int64 reference, int64 current)
{
	if (reference == 0 && current == 0)
		return;
	cells->reference[cells->k] = reference;
	cells->current[cells->k] = current;
	cells->k++;
}

/* A value without an entry certainly did not occur */
static inline bool
knows_all(const FrequencyTable *table)
{
	return frequency_table_other(table) == 0;
}

/* All values that have no cell of their own */
static void
add_last_cell(FrequencyCells *cells, const FrequencyTable *a,
			  const FrequencyTable *b, int64 a_other, int64 b_other)
{
	add_cell(cells, a_other, b_other);
	cells->has_new = (a_other == 0 && b_other > 0 && knows_all(a)) ||
		(b_other == 0 && a_other > 0 && knows_all(b));
}

/* One of them detached: their entries are those of the same baseline */
static void
align_by_number(FrequencyCells *cells, FrequencyTable *a, FrequencyTable *b)
{
	require_grid(a, b);
	for (int i = 0; i < a->n_entries; i++)
		add_cell(cells, a->entries[i].count, b->entries[i].count);
	add_last_cell(cells, a, b, frequency_table_other(a),
				  frequency_table_other(b));
}

static void
align_by_value(FrequencyCells *cells, FrequencyTable *a, FrequencyTable *b)
{
	int64		a_other = frequency_table_other(a);
	int64		b_other = frequency_table_other(b);
	int			i = 0;
	int			j = 0;

	while (i < a->n_entries || j < b->n_entries)
	{
		int			cmp;

		if (i == a->n_entries)
			cmp = 1;
		else if (j == b->n_entries)
			cmp = -1;
		else
			cmp = category_compare(frequency_table_category(a, i),
								   frequency_table_category(b, j));
		if (cmp == 0)
			add_cell(cells, a->entries[i].count, b->entries[j].count);
		else if (cmp < 0 && knows_all(b))
			add_cell(cells, a->entries[i].count, 0);
		else if (cmp < 0)
			a_other += a->entries[i].count;
		else if (knows_all(a))
			add_cell(cells, 0, b->entries[j].count);
		else
			b_other += b->entries[j].count;
		i += cmp <= 0;
		j += cmp >= 0;
	}
	add_last_cell(cells, a, b, a_other, b_other);
}

FrequencyCells
frequency_cells(FrequencyTable *reference, FrequencyTable *current)
{
	FrequencyCells cells;
	int			most = reference->n_entries + current->n_entries + 1;

	cells.k = 0;
	cells.has_new = false;
	cells.reference = palloc(most * sizeof(int64));
	cells.current = palloc(most * sizeof(int64));
	cells.is_exact = (reference->form != FREQUENCIES_OWN ||
					  frequency_table_is_exact(reference)) &&
		(current->form != FREQUENCIES_OWN ||
		 frequency_table_is_exact(current));
	frequency_table_sort(reference);
	frequency_table_sort(current);
	if (reference->form == FREQUENCIES_DETACHED ||
		current->form == FREQUENCIES_DETACHED)
		align_by_number(&cells, reference, current);
	else
		align_by_value(&cells, reference, current);
	return cells;
}

/* ----------
 * The stored form
 * ----------
 */

/*
 * One value; reading fills buffer (KEY_MAX_SIZE). Text is in the server's
 * encoding, the binary form always in UTF-8.
 */
static void
archive_category(Archive *ar, bool long_values, Category *category,
				 char *buffer)
{
	bool		text = ar->mode == ARCHIVE_READ_TEXT ||
		ar->mode == ARCHIVE_WRITE_TEXT;
	const char *bytes = category->bytes;
	size_t		size = 0;
	int			value_size;
	uint8	   *hash = NULL;
	int			hash_size = 0;

	if (!archive_reading(ar))
	{
		size = prefix_size(*category);
		hash = (uint8 *) bytes + size;
		hash_size = category->is_long ? CATEGORY_HASH_SIZE : 0;
		if (text)
			bytes = from_utf8(bytes, &size);
	}
	value_size = (int) size;
	if (text)
		archive_text(ar, "value", (char **) &bytes, &value_size,
					 TEXT_MAX_SIZE);
	else
		archive_bytes(ar, "value", (uint8 **) &bytes, &value_size,
					  CATEGORY_MAX_SIZE);
	if (long_values)
		archive_bytes(ar, "hash", &hash, &hash_size, CATEGORY_HASH_SIZE);
	if (!archive_reading(ar) || ar->failed)
		return;

	size = value_size;
	if (text)
		bytes = to_utf8(bytes, &size);
	category->is_long = hash_size > 0;
	if (size > CATEGORY_MAX_SIZE ||
		(category->is_long && (hash_size != CATEGORY_HASH_SIZE ||
							   size < CATEGORY_MAX_SIZE - 3)))
	{
		archive_fail(ar, "A value of %zu bytes with a hash of %d bytes is "
					 "not how values are kept.", size, hash_size);
		return;
	}
	if (size > 0 &&
		(GetDatabaseEncoding() == PG_SQL_ASCII ?
		 memchr(bytes, 0, size) != NULL :
		 !pg_verify_mbstr(PG_UTF8, bytes, (int) size, true)))
	{
		archive_fail(ar, "A value is not valid UTF8 text.");
		return;
	}
	if (size > 0)
		memcpy(buffer, bytes, size);
	if (category->is_long)
		memcpy(buffer + size, hash, hash_size);
	category->bytes = buffer;
	category->size = (int) size + hash_size;
}

/* The entries, with their values */
static void
archive_entries(Archive *ar, FrequencyTable *table, bool long_values)
{
	bool		own = table->form == FREQUENCIES_OWN;
	int			n = table->n_entries;
	char		buffer[KEY_MAX_SIZE];

	archive_list(ar, "categories", &n, 2 * table->capacity);
	if (archive_reading(ar) && n > 0)
	{
		/* n is bounded by the bytes that are there */
		table->max_entries = n;
		table->entries = palloc(n * sizeof(FrequencyEntry));
	}
	for (int i = 0; i < n && !ar->failed; i++)
	{
		Category	category = {NULL, 0, false};
		int64		count = 0;
		int64		missed = 0;

		if (!archive_reading(ar))
		{
			category = frequency_table_category(table, i);
			count = table->entries[i].count;
			missed = table->entries[i].missed;
		}
		archive_open(ar);
		archive_category(ar, long_values, &category, buffer);
		archive_count(ar, "count", &count);
		if (table->bound > 0)
			archive_count(ar, "missed", &missed);
		archive_close(ar);
		if (archive_reading(ar) && !ar->failed)
		{
			Key			key = category_key(category);

			if (i > 0 &&
				category_compare(frequency_table_category(table, i - 1),
								 category) >= 0)
				archive_fail(ar, "The values are not in byte order.");
			else if (own && count == 0)
				archive_fail(ar, "A value has the count 0.");
			else
			{
				(void) append_entry(table, &key);
				table->entries[i].count = count;
				table->entries[i].missed = missed;
			}
		}
	}
	archive_list_end(ar);
	table->is_sorted = true;
}

/* The entries of a detached table: their counts */
static void
archive_entry_counts(Archive *ar, FrequencyTable *table)
{
	int64	   *counts = NULL;
	int			n = table->n_entries;

	if (!archive_reading(ar) && n > 0)
	{
		counts = palloc(n * sizeof(int64));
		for (int i = 0; i < n; i++)
			counts[i] = table->entries[i].count;
	}
	archive_counts(ar, "counts", &counts, &n, 2 * table->capacity);
	if (archive_reading(ar) && n > 0)
	{
		table->n_entries = table->max_entries = n;
		table->entries = palloc0(n * sizeof(FrequencyEntry));
		for (int i = 0; i < n; i++)
			table->entries[i].count = counts[i];
	}
	if (counts != NULL)
		pfree(counts);
}

static void
archive_examples(Archive *ar, FrequencyTable *table, bool long_values)
{
	int			n = table->n_examples;
	char		buffer[KEY_MAX_SIZE];

	archive_open_field(ar, "new");
	archive_list(ar, "examples", &n, FREQUENCIES_MAX_EXAMPLES);
	if (archive_reading(ar) && n > 0)
		table->examples = palloc0(FREQUENCIES_MAX_EXAMPLES *
								  sizeof(FrequencyExample));
	for (int i = 0; i < n && !ar->failed; i++)
	{
		Category	category = {NULL, 0, false};
		int64		count = 0;

		if (!archive_reading(ar))
		{
			category = frequency_table_example(table, i);
			count = table->examples[i].count;
		}
		archive_open(ar);
		archive_category(ar, long_values, &category, buffer);
		archive_count(ar, "count", &count);
		archive_close(ar);
		if (archive_reading(ar) && !ar->failed)
		{
			FrequencyExample *example = &table->examples[i];

			if (count == 0)
				archive_fail(ar, "A new value has the count 0.");
			else if (i > 0 &&
					 category_compare(frequency_table_example(table, i - 1),
									  category) >= 0)
				archive_fail(ar, "The new values are not in byte order.");
			memcpy(example->bytes, category.bytes, category.size);
			example->size = (uint8) category.size;
			example->is_long = category.is_long;
			example->count = count;
			table->n_examples = i + 1;
		}
	}
	archive_list_end(ar);
	archive_close(ar);
}

static bool
has_long_values(const FrequencyTable *table)
{
	for (int i = 0; i < table->n_entries; i++)
		if (table->entries[i].is_long)
			return true;
	for (int i = 0; i < table->n_examples; i++)
		if (table->examples[i].is_long)
			return true;
	return false;
}

static void
archive_sketch(Archive *ar, FrequencyTable *table)
{
	int			whole = 1 << sketch_bits(table);
	int			size = table->sketch != NULL ? whole : 0;

	archive_bytes(ar, "sketch", &table->sketch, &size, whole);
	if (!archive_reading(ar) || ar->failed || size == 0)
		return;
	if (size != whole)
		archive_fail(ar, "The sketch has %d bytes instead of %d.", size,
					 whole);
	for (int i = 0; i < size; i++)
		if (table->sketch[i] > DISTINCT_MAX_RANK)
			archive_fail(ar, "A register of the sketch is above %d.",
						 DISTINCT_MAX_RANK);
}

static void
archive_grid(Archive *ar, FrequencyTable *table)
{
	uint8		bytes[CATEGORY_HASH_SIZE];
	uint8	   *value = bytes;
	int			size = sizeof(bytes);
	uint64		words[2];

	if (!archive_reading(ar))
		append_hash((char *) bytes, table->grid);
	archive_bytes(ar, "baseline", &value, &size, sizeof(bytes));
	if (!archive_reading(ar) || ar->failed)
		return;
	if (size != sizeof(bytes))
	{
		archive_fail(ar, "The hash of the baseline has %d bytes instead of "
					 "%d.", size, (int) sizeof(bytes));
		return;
	}
	memcpy(words, value, sizeof(words));
	table->grid.high = pg_ntoh64(words[0]);
	table->grid.low = pg_ntoh64(words[1]);
	table->has_grid = true;
}

/* After reading: what the counts owe each other */
static void
validate(Archive *ar, FrequencyTable *table, bool long_values)
{
	int64		other;

	table->counted = 0;
	for (int i = 0; i < table->n_entries; i++)
		if (pg_add_s64_overflow(table->counted, table->entries[i].count,
								&table->counted))
		{
			archive_fail(ar, "The counts overflow.");
			return;
		}
	other = table->n - table->counted;
	if (other < 0)
	{
		archive_fail(ar, "The counts add up to more than n.");
		return;
	}
	if (long_values != has_long_values(table))
		archive_fail(ar, "The flag for long values is wrong.");

	if (table->form == FREQUENCIES_OWN)
	{
		if ((table->bound > 0) != (other > 0) || table->bound > other)
			archive_fail(ar, "The bound does not fit the other part.");
		for (int i = 0; i < table->n_entries; i++)
			if (table->entries[i].missed > other)
				archive_fail(ar, "A value missed more than there was.");
		if ((table->sketch != NULL) != (table->bound > 0))
			archive_fail(ar, "A sketch belongs to a table beyond its "
						 "capacity, and only there.");
		return;
	}

	for (int i = 0; i < table->n_examples; i++)
	{
		if (table->examples[i].count > other)
		{
			archive_fail(ar, "The new values add up to more than there "
						 "were.");
			return;
		}
		other -= table->examples[i].count;
		if (table->form == FREQUENCIES_ON_BASELINE)
		{
			Key			key = category_key(frequency_table_example(table, i));

			if (find(table, &key) >= 0)
				archive_fail(ar, "A new value is one of the baseline's.");
		}
	}
	if ((other > 0 && table->sketch == NULL) ||
		(frequency_table_other(table) == 0 && table->sketch != NULL))
		archive_fail(ar, "The sketch does not fit the new values.");
}

void
frequency_table_archive(Archive *ar, FrequencyTable *table)
{
	static const char *const forms[] = {"own", "on baseline", "detached"};
	int			version = FREQUENCIES_VERSION;
	int			form = (int) table->form;
	int64		capacity = table->capacity;
	bool		long_values = false;

	if (!archive_reading(ar))
	{
		frequency_table_sort(table);
		long_values = has_long_values(table);
	}
	archive_version(ar, FREQUENCIES_VERSION, &version);
	archive_enum(ar, "form", &form, forms, lengthof(forms));
	archive_count(ar, "capacity", &capacity);
	if (archive_reading(ar))
	{
		if (!ar->failed &&
			(capacity < 1 || capacity > FREQUENCIES_MAX_CAPACITY))
			archive_fail(ar, "The capacity is not from 1 to %d.",
						 FREQUENCIES_MAX_CAPACITY);
		if (ar->failed)
			capacity = 1;
		frequency_table_init(table, (int) capacity);
		table->form = (FrequencyForm) form;
	}
	archive_count(ar, "n", &table->n);
	archive_count(ar, "null_count", &table->nulls);
	if (table->form == FREQUENCIES_OWN)
		archive_count(ar, "bound", &table->bound);
	archive_bool(ar, "long_values", &long_values);
	if (table->form == FREQUENCIES_DETACHED)
	{
		archive_grid(ar, table);
		archive_entry_counts(ar, table);
	}
	else
		archive_entries(ar, table, long_values);
	if (table->form != FREQUENCIES_OWN)
		archive_examples(ar, table, long_values);
	archive_sketch(ar, table);
	if (archive_reading(ar) && !ar->failed)
		validate(ar, table, long_values);
}

static void
frequency_summary_archive(Archive *ar, Summary *summary)
{
	archive_open(ar);
	frequency_table_archive(ar, (FrequencyTable *) summary);
	archive_close(ar);
}
