/*-------------------------------------------------------------------------
 *
 * key_column.c
 *		Numbering the values of a column.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "scan/key_column.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#define FIRST_SLOTS		64		/* a power of 2 */

typedef struct KeyValue
{
	Datum		value;
	char	   *text;
	uint32		hash;			/* by the type's function, where it decides */
	int			next;			/* of that bucket, or -1 */
} KeyValue;

/* A sequence of bytes that was seen */
typedef struct KeyImage
{
	uint32		hash;
	int			code;			/* -1: the slot is free */
	uint32		size;
	const void *bytes;
} KeyImage;

struct KeyColumn
{
	MemoryContext context;
	Oid			type;
	Oid			collation;
	int16		length;
	bool		by_value;
	bool		bytes_decide;
	TypeCacheEntry *cache;
	FmgrInfo	output;

	int			null_code;		/* -1: none yet */
	int			n;
	int			max;			/* of values and buckets; a power of 2 */
	KeyValue   *values;
	int		   *buckets;		/* by hash, where the type decides; or -1 */

	int			n_images;
	int			n_slots;
	KeyImage   *slots;
	const KeyImage *last;		/* where the last value was found */
};

/* Whether values of the type are equal exactly if their bytes are */
static bool
bytes_decide(Oid type, Oid collation)
{
	switch (type)
	{
		case BOOLOID:
		case CHAROID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case OIDOID:
		case DATEOID:
		case TIMEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
		case UUIDOID:
		case BYTEAOID:
			return true;
		case TEXTOID:
		case VARCHAROID:
			return !OidIsValid(collation) ||
				get_collation_isdeterministic(collation);
		default:
			return get_typtype(type) == TYPTYPE_ENUM;
	}
}

static KeyImage *
new_slots(MemoryContext context, int n)
{
	KeyImage   *slots = MemoryContextAlloc(context, n * sizeof(KeyImage));

	for (int i = 0; i < n; i++)
		slots[i].code = -1;
	return slots;
}

bool
key_column_is_possible(Oid type)
{
	TypeCacheEntry *cache = lookup_type_cache(getBaseType(type),
											  TYPECACHE_EQ_OPR |
											  TYPECACHE_HASH_PROC);

	return OidIsValid(cache->eq_opr) && OidIsValid(cache->hash_proc);
}

KeyColumn *
key_column_make(Oid declared_type, Oid collation)
{
	Oid			type = getBaseType(declared_type);
	KeyColumn  *column = palloc0(sizeof(KeyColumn));
	Oid			output;
	bool		is_varlena;

	column->context = CurrentMemoryContext;
	column->type = type;
	column->collation = collation;
	get_typlenbyval(type, &column->length, &column->by_value);
	column->bytes_decide = bytes_decide(type, collation);
	column->cache = lookup_type_cache(type, TYPECACHE_EQ_OPR_FINFO |
									  TYPECACHE_HASH_PROC_FINFO);
	getTypeOutputInfo(type, &output, &is_varlena);
	fmgr_info(output, &column->output);
	column->null_code = -1;
	column->max = FIRST_SLOTS;
	column->values = palloc(column->max * sizeof(KeyValue));
	column->buckets = palloc(column->max * sizeof(int));
	memset(column->buckets, 0xFF, column->max * sizeof(int));
	column->n_slots = FIRST_SLOTS;
	column->slots = new_slots(column->context, FIRST_SLOTS);
	return column;
}

/* As a cast to text, which differs from output for these two */
static char *
text_of(KeyColumn *column, Datum value)
{
	char	   *text;

	if (column->type == BOOLOID)
		return pstrdup(DatumGetBool(value) ? "true" : "false");
	text = OutputFunctionCall(&column->output, value);
	if (column->type == BPCHAROID)
	{
		size_t		size = strlen(text);

		while (size > 0 && text[size - 1] == ' ')
			size--;
		text[size] = '\0';
	}
	return text;
}

static void
link_value(KeyColumn *column, int code)
{
	int		   *bucket =
		&column->buckets[column->values[code].hash & (column->max - 1)];

	column->values[code].next = *bucket;
	*bucket = code;
}

static void
grow_values(KeyColumn *column)
{
	column->max *= 2;
	column->values = repalloc_huge(column->values,
								   column->max * sizeof(KeyValue));
	pfree(column->buckets);
	column->buckets = palloc_extended(column->max * sizeof(int),
									  MCXT_ALLOC_HUGE);
	memset(column->buckets, 0xFF, column->max * sizeof(int));
	for (int i = 0; i < column->n; i++)
		if (i != column->null_code && !column->bytes_decide)
			link_value(column, i);
}

static int
add_value(KeyColumn *column, Datum value, bool is_null, uint32 hash)
{
	MemoryContext old = MemoryContextSwitchTo(column->context);
	KeyValue   *added;

	if (column->n == column->max)
		grow_values(column);
	added = &column->values[column->n];
	added->hash = hash;
	added->next = -1;
	if (!is_null && !column->bytes_decide)
		link_value(column, column->n);
	added->value = is_null ? (Datum) 0 :
		datumCopy(value, column->by_value, column->length);
	added->text = is_null ? NULL : text_of(column, added->value);
	MemoryContextSwitchTo(old);
	return column->n++;
}

/* The code of a value whose bytes were not seen before */
static int
code_of_new_image(KeyColumn *column, Datum value)
{
	uint32		hash;

	if (column->bytes_decide)
		return add_value(column, value, false, 0);
	hash = DatumGetUInt32(FunctionCall1Coll(&column->cache->hash_proc_finfo,
											column->collation, value));
	for (int i = column->buckets[hash & (column->max - 1)]; i >= 0;
		 i = column->values[i].next)
		if (column->values[i].hash == hash &&
			DatumGetBool(FunctionCall2Coll(&column->cache->eq_opr_finfo,
										   column->collation,
										   column->values[i].value, value)))
			return i;
	return add_value(column, value, false, hash);
}

static void
grow(KeyColumn *column)
{
	KeyImage   *old = column->slots;
	int			n_old = column->n_slots;

	column->n_slots *= 2;
	column->slots = new_slots(column->context, column->n_slots);
	for (int i = 0; i < n_old; i++)
		if (old[i].code >= 0)
		{
			uint32		slot = old[i].hash & (column->n_slots - 1);

			while (column->slots[slot].code >= 0)
				slot = (slot + 1) & (column->n_slots - 1);
			column->slots[slot] = old[i];
		}
	column->last = NULL;
	pfree(old);
}

/* The code of a value with these bytes */
static int
code_of_bytes(KeyColumn *column, Datum value, const void *bytes, uint32 size)
{
	uint32		hash;
	uint32		slot;
	KeyImage   *image;
	void	   *copy;

	if (column->last != NULL && column->last->size == size &&
		memcmp(column->last->bytes, bytes, size) == 0)
		return column->last->code;
	hash = hash_bytes(bytes, (int) size);
	for (slot = hash & (column->n_slots - 1);
		 column->slots[slot].code >= 0;
		 slot = (slot + 1) & (column->n_slots - 1))
	{
		image = &column->slots[slot];
		if (image->hash == hash && image->size == size &&
			memcmp(image->bytes, bytes, size) == 0)
		{
			column->last = image;
			return image->code;
		}
	}
	copy = MemoryContextAlloc(column->context, Max(size, 1));
	memcpy(copy, bytes, size);
	image = &column->slots[slot];
	image->hash = hash;
	image->size = size;
	image->bytes = copy;
	image->code = code_of_new_image(column, value);
	column->last = image;
	if (++column->n_images > column->n_slots / 2)
	{
		int			code = image->code;

		grow(column);
		return code;
	}
	return image->code;
}

int
key_column_code(KeyColumn *column, Datum value, bool is_null)
{
	if (is_null)
	{
		if (column->null_code < 0)
			column->null_code = add_value(column, value, true, 0);
		return column->null_code;
	}
	if (column->by_value)
		return code_of_bytes(column, value, &value, sizeof(value));
	if (column->length == -1)
	{
		struct varlena *flat = PG_DETOAST_DATUM_PACKED(value);

		return code_of_bytes(column, PointerGetDatum(flat), VARDATA_ANY(flat),
							 (uint32) VARSIZE_ANY_EXHDR(flat));
	}
	return code_of_bytes(column, value, DatumGetPointer(value),
						 column->length > 0 ? (uint32) column->length :
						 (uint32) strlen(DatumGetCString(value)) + 1);
}

const char *
key_column_text(const KeyColumn *column, int code)
{
	return column->values[code].text;
}
