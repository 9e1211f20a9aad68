/*-------------------------------------------------------------------------
 *
 * row_hash.c
 *		Walks a row's columns and hashes each value's binary send form.
 *
 * Values are framed as in binary COPY: a length of four bytes, -1 for NULL,
 * and the bytes that the type's send function makes. Three things would make
 * equal rows differ and are handled here, in one place:
 *
 *	- equal values of unequal bytes: the scale of a numeric, the negative zero
 *	  and the NaNs of floats, the padding of character(n);
 *	- OIDs in the send form: arrays, composites, ranges and multiranges are
 *	  walked instead and enter as a hash of their own, the reg* types are
 *	  refused;
 *	- the session: send functions convert text to the client's encoding, here
 *	  it is always UTF-8.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/tupmacs.h"
#include "catalog/namespace.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "core/row_shape.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "store/row_hash.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/multirangetypes.h"
#include "utils/rangetypes.h"
#include "utils/syscache.h"
#include "utils/typcache.h"
#include "utils/uuid.h"

/* The first bytes of what names the columns; a new format gets a new one. */
#define FORMAT_NAME	"mlmeta fingerprint 1"

typedef enum ValueKind
{
	VALUE_ONE_BYTE,				/* bool, "char" */
	VALUE_TWO_BYTES,			/* int2 */
	VALUE_FOUR_BYTES,			/* int4, date, oid */
	VALUE_EIGHT_BYTES,			/* int8, time, timestamp, timestamptz */
	VALUE_FLOAT4,
	VALUE_FLOAT8,
	VALUE_NUMERIC,
	VALUE_TEXT,					/* and varchar, json, xml */
	VALUE_PADDED_TEXT,			/* bpchar */
	VALUE_NAME,
	VALUE_CSTRING,				/* a literal of unknown type */
	VALUE_BYTEA,
	VALUE_UUID,
	VALUE_JSONB,
	VALUE_ENUM,
	VALUE_ARRAY,
	VALUE_RANGE,
	VALUE_MULTIRANGE,
	VALUE_COMPOSITE,
	VALUE_SENT					/* all others, by their send function */
} ValueKind;

typedef struct ValueCoder
{
	ValueKind	kind;
	int16		typlen;
	bool		typbyval;
	char		typalign;
	FmgrInfo	send;			/* VALUE_SENT; for numbers in numeric, jsonb */
	TypeCacheEntry *range;		/* VALUE_RANGE and VALUE_MULTIRANGE */
	struct ValueCoder *element; /* arrays, ranges and multiranges */
	RowCoder   *row;			/* composites: that of the last value */
	MemoryContext context;		/* where row may be replaced */
} ValueCoder;

struct RowCoder
{
	RowShape   *shape;			/* in its context is all that is here */
	uint8		columns[PG_SHA256_DIGEST_LENGTH];
	Hash128		key;			/* the first half of columns */
	ValueCoder *coders;			/* one for each attribute */
};

static ValueCoder *make_element_coder(Oid type, const char *column,
									  MemoryContext context);
static void put_value(Hash128Stream *stream, ValueCoder *coder, Datum value);

/* ----------
 * Encodings
 * ----------
 */

/* The encoding text is hashed in; SQL_ASCII has no known characters. */
static inline int
hashed_encoding(void)
{
	return GetDatabaseEncoding() == PG_SQL_ASCII ? PG_SQL_ASCII : PG_UTF8;
}

/* Text in the hashed encoding, perhaps text itself; *size in and out */
static const char *
convert(const char *text, size_t *size)
{
	char	   *converted;

	if (GetDatabaseEncoding() == hashed_encoding() || *size == 0)
		return text;
	converted = pg_server_to_any(text, (int) *size, PG_UTF8);
	if (converted != text)
		*size = strlen(converted);
	return converted;
}

/*
 * A value's send form with text as UTF-8, whatever the client's encoding:
 * that of a parallel worker, for one, is not the leader's.
 */
static bytea *
send_value(FmgrInfo *send, Datum value)
{
	int			session_encoding = pg_get_client_encoding();
	int			encoding = hashed_encoding();
	bytea	   *volatile sent = NULL;

	if (session_encoding == encoding)
		return SendFunctionCall(send, value);

	if (PrepareClientEncoding(encoding) < 0 || SetClientEncoding(encoding) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("conversion between %s and %s is not supported",
						GetDatabaseEncodingName(),
						pg_encoding_to_char(encoding))));
	PG_TRY();
	{
		sent = SendFunctionCall(send, value);
	}
	PG_FINALLY();
	{
		(void) SetClientEncoding(session_encoding);
	}
	PG_END_TRY();
	return sent;
}

/* ----------
 * Coders
 * ----------
 */

static void
put_name(StringInfo out, const char *name)
{
	size_t		size = strlen(name);
	const char *converted = convert(name, &size);

	pq_sendint32(out, (uint32) size);
	appendBinaryStringInfo(out, converted, (int) size);
}

/*
 * Appends the name of a type to what names the columns: schema (empty for
 * pg_catalog, pg_temp for any session's temporary one) and name. Arrays are
 * named by their elements, domains by their base type. A typmod is no part of
 * it: the values show what it did.
 */
static void
put_type_name(StringInfo out, Oid type)
{
	Oid			base = getBaseType(type);
	Oid			element = get_element_type(base);
	HeapTuple	tuple;
	Form_pg_type form;
	char	   *schema;
	char	   *name;

	if (OidIsValid(element))
		base = getBaseType(element);
	if (base == UNKNOWNOID)
		base = TEXTOID;

	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(base));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", base);
	form = (Form_pg_type) GETSTRUCT(tuple);
	if (form->typnamespace == PG_CATALOG_NAMESPACE)
		schema = pstrdup("");
	else if (isAnyTempNamespace(form->typnamespace))
		schema = pstrdup("pg_temp");
	else
		schema = get_namespace_name(form->typnamespace);
	name = psprintf("%s%s", NameStr(form->typname),
					OidIsValid(element) ? "[]" : "");
	ReleaseSysCache(tuple);

	if (schema == NULL)
		elog(ERROR, "cache lookup failed for the schema of type %u", base);
	put_name(out, schema);
	put_name(out, name);
	pfree(name);
	pfree(schema);
}

/* How to send a type that needs no care of its own */
static void
find_send_function(ValueCoder *coder, Oid type, const char *column)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	Form_pg_type form;
	bool		is_object_name;
	Oid			function;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", type);
	form = (Form_pg_type) GETSTRUCT(tuple);
	function = form->typsend;
	/* regclass and its like: all of them, and nothing else, begin so */
	is_object_name = form->typnamespace == PG_CATALOG_NAMESPACE &&
		strncmp(NameStr(form->typname), "reg", 3) == 0;
	ReleaseSysCache(tuple);

	if (is_object_name || !OidIsValid(function))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column \"%s\" of type %s cannot be fingerprinted",
						column, format_type_be(type)),
				 is_object_name ?
				 errdetail("Its binary form is an OID, which differs between "
						   "servers and after a restore.") :
				 errdetail("The type has no binary send function."),
				 errhint("Cast the column to text.")));
	fmgr_info_cxt(function, &coder->send, coder->context);
}

/*
 * Fills in how to hash values of a type; allocates in context, in which the
 * coder itself lives.
 */
static void
make_coder(ValueCoder *coder, Oid declared_type, const char *column,
		   MemoryContext context)
{
	Oid			type = getBaseType(declared_type);
	Oid			element = get_element_type(type);

	memset(coder, 0, sizeof(*coder));
	coder->context = context;
	get_typlenbyvalalign(type, &coder->typlen, &coder->typbyval,
						 &coder->typalign);

	if (OidIsValid(element))
	{
		coder->kind = VALUE_ARRAY;
		coder->element = make_element_coder(element, column, context);
		return;
	}

	switch (type)
	{
		case BOOLOID:
		case CHAROID:
			coder->kind = VALUE_ONE_BYTE;
			return;
		case INT2OID:
			coder->kind = VALUE_TWO_BYTES;
			return;
		case INT4OID:
		case DATEOID:
		case OIDOID:
			coder->kind = VALUE_FOUR_BYTES;
			return;
		case INT8OID:
		case TIMEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			coder->kind = VALUE_EIGHT_BYTES;
			return;
		case FLOAT4OID:
			coder->kind = VALUE_FLOAT4;
			return;
		case FLOAT8OID:
			coder->kind = VALUE_FLOAT8;
			return;
		case NUMERICOID:
			coder->kind = VALUE_NUMERIC;
			find_send_function(coder, type, column);
			return;
		case TEXTOID:
		case VARCHAROID:
		case JSONOID:
		case XMLOID:
			coder->kind = VALUE_TEXT;
			return;
		case BPCHAROID:
			coder->kind = VALUE_PADDED_TEXT;
			return;
		case NAMEOID:
			coder->kind = VALUE_NAME;
			return;
		case UNKNOWNOID:
			coder->kind = VALUE_CSTRING;
			return;
		case BYTEAOID:
			coder->kind = VALUE_BYTEA;
			return;
		case UUIDOID:
			coder->kind = VALUE_UUID;
			return;
		case JSONBOID:
			coder->kind = VALUE_JSONB;
			find_send_function(coder, NUMERICOID, column);
			return;
		case RECORDOID:
			coder->kind = VALUE_COMPOSITE;
			return;
		default:
			break;
	}

	switch (get_typtype(type))
	{
		case TYPTYPE_ENUM:
			coder->kind = VALUE_ENUM;
			return;
		case TYPTYPE_COMPOSITE:
			coder->kind = VALUE_COMPOSITE;
			return;
		case TYPTYPE_RANGE:
			coder->kind = VALUE_RANGE;
			coder->range = lookup_type_cache(type, TYPECACHE_RANGE_INFO);
			break;
		case TYPTYPE_MULTIRANGE:
			coder->kind = VALUE_MULTIRANGE;
			coder->range = lookup_type_cache(type,
											 TYPECACHE_MULTIRANGE_INFO);
			coder->range = coder->range->rngtype;
			break;
		default:
			coder->kind = VALUE_SENT;
			find_send_function(coder, type, column);
			return;
	}
	if (coder->range == NULL || coder->range->rngelemtype == NULL)
		elog(ERROR, "type %u is not a range type", type);
	coder->element = make_element_coder(coder->range->rngelemtype->type_id,
										column, context);
}

static ValueCoder *
make_element_coder(Oid type, const char *column, MemoryContext context)
{
	ValueCoder *coder = MemoryContextAlloc(context, sizeof(ValueCoder));

	check_stack_depth();
	make_coder(coder, type, column, context);
	return coder;
}

static RowCoder *
make_row_coder(HeapTupleHeader row, MemoryContext parent)
{
	RowShape   *shape = row_shape_make(row, parent);
	TupleDesc	desc = shape->desc;
	MemoryContext old = MemoryContextSwitchTo(shape->context);
	RowCoder   *coder = palloc0(sizeof(RowCoder));
	StringInfoData columns;

	coder->shape = shape;
	coder->coders = palloc0(Max(desc->natts, 1) * sizeof(ValueCoder));

	initStringInfo(&columns);
	appendStringInfoString(&columns, FORMAT_NAME);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (attribute->attisdropped)
			continue;
		make_coder(&coder->coders[i], attribute->atttypid,
				   NameStr(attribute->attname), shape->context);
		put_name(&columns, NameStr(attribute->attname));
		put_type_name(&columns, attribute->atttypid);
	}
	sha256_of(columns.data, columns.len, coder->columns);
	coder->key = hash128_from_bytes(coder->columns);
	pfree(columns.data);

	MemoryContextSwitchTo(old);
	return coder;
}

RowCoder *
row_coder(RowCoder **cache, HeapTupleHeader row, MemoryContext context)
{
	RowCoder   *coder = *cache;

	if (likely(coder != NULL) && row_shape_fits(coder->shape, row))
		return coder;

	*cache = NULL;
	if (coder != NULL)
		MemoryContextDelete(coder->shape->context);
	*cache = make_row_coder(row, context);
	return *cache;
}

const uint8 *
row_coder_columns(const RowCoder *coder)
{
	return coder->columns;
}

/* ----------
 * Values
 * ----------
 */

static inline void
put_int32(Hash128Stream *stream, int32 value)
{
	uint32		bytes = pg_hton32((uint32) value);

	hash128_put(stream, &bytes, sizeof(bytes));
}

static inline void
put_four_bytes(Hash128Stream *stream, uint32 value)
{
	uint32		bytes[2] = {pg_hton32(4), pg_hton32(value)};

	hash128_put(stream, bytes, sizeof(bytes));
}

static inline void
put_eight_bytes(Hash128Stream *stream, uint64 value)
{
	uint8		bytes[12];
	uint32		size = pg_hton32(8);

	value = pg_hton64(value);
	memcpy(bytes, &size, 4);
	memcpy(bytes + 4, &value, 8);
	hash128_put(stream, bytes, sizeof(bytes));
}

static inline void
put_bytes(Hash128Stream *stream, const void *bytes, size_t size)
{
	put_int32(stream, (int32) size);
	hash128_put(stream, bytes, size);
}

static void
put_text(Hash128Stream *stream, const char *text, size_t size)
{
	const char *converted = convert(text, &size);

	put_bytes(stream, converted, size);
	if (converted != text)
		pfree(unconstify(char *, converted));
}

static inline void
put_hash(Hash128Stream *stream, Hash128 hash)
{
	uint8		bytes[16];

	hash128_to_bytes(hash, bytes);
	put_bytes(stream, bytes, sizeof(bytes));
}

/* The send form with display scale 0: 1.0 and 1.00 are the same value. */
static void
put_numeric(Hash128Stream *stream, FmgrInfo *send, Datum value)
{
	bytea	   *sent = SendFunctionCall(send, value);
	char	   *bytes = VARDATA(sent);

	/* ndigits, weight, sign, dscale, digits: two bytes each */
	Assert(VARSIZE(sent) - VARHDRSZ >= 8);
	memset(bytes + 6, 0, 2);
	put_bytes(stream, bytes, VARSIZE(sent) - VARHDRSZ);
	pfree(sent);
}

static void
put_enum(Hash128Stream *stream, Oid value)
{
	HeapTuple	tuple = SearchSysCache1(ENUMOID, ObjectIdGetDatum(value));
	const char *label;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid internal value for enum: %u", value)));
	label = NameStr(((Form_pg_enum) GETSTRUCT(tuple))->enumlabel);
	put_text(stream, label, strlen(label));
	ReleaseSysCache(tuple);
}

/*
 * A document is a sequence of marks and scalars. Keys come in jsonb's own
 * order, each once.
 */
static Hash128
digest_jsonb(Jsonb *document, FmgrInfo *send_numeric)
{
	bool		is_scalar = JB_ROOT_IS_SCALAR(document);
	JsonbIterator *iterator = JsonbIteratorInit(&document->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	Hash128Stream stream;

	hash128_begin(&stream, hash128_key);
	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		switch (token)
		{
			case WJB_BEGIN_ARRAY:
				if (!is_scalar)
					hash128_put(&stream, "[", 1);
				break;
			case WJB_END_ARRAY:
				if (!is_scalar)
					hash128_put(&stream, "]", 1);
				break;
			case WJB_BEGIN_OBJECT:
				hash128_put(&stream, "{", 1);
				break;
			case WJB_END_OBJECT:
				hash128_put(&stream, "}", 1);
				break;
			case WJB_KEY:
			case WJB_VALUE:
			case WJB_ELEM:
				switch (value.type)
				{
					case jbvNull:
						hash128_put(&stream, "n", 1);
						break;
					case jbvBool:
						hash128_put(&stream, value.val.boolean ? "t" : "f", 1);
						break;
					case jbvString:
						hash128_put(&stream, "s", 1);
						put_text(&stream, value.val.string.val,
								 value.val.string.len);
						break;
					case jbvNumeric:
						hash128_put(&stream, "d", 1);
						put_numeric(&stream, send_numeric,
									NumericGetDatum(value.val.numeric));
						break;
					default:
						elog(ERROR, "unexpected jsonb value of type %d",
							 (int) value.type);
				}
				break;
			default:
				elog(ERROR, "unexpected jsonb token %d", (int) token);
		}
	}
	return hash128_end(&stream);
}

/* Dimensions, lower bounds, elements */
static Hash128
digest_array(ArrayType *array, ValueCoder *element)
{
	int			n_dimensions = ARR_NDIM(array);
	int			n = ArrayGetNItems(n_dimensions, ARR_DIMS(array));
	const bits8 *not_null = ARR_NULLBITMAP(array);
	char	   *data = (char *) array;
	Hash128Stream stream;

	if (not_null != NULL)
		data += array->dataoffset;
	else
		data += ARR_OVERHEAD_NONULLS(n_dimensions);

	hash128_begin(&stream, hash128_key);
	put_int32(&stream, n_dimensions);
	for (int i = 0; i < n_dimensions; i++)
	{
		put_int32(&stream, ARR_DIMS(array)[i]);
		put_int32(&stream, ARR_LBOUND(array)[i]);
	}
	for (int i = 0; i < n; i++)
	{
		if ((i & 0xFFFF) == 0xFFFF)
			CHECK_FOR_INTERRUPTS();
		if (not_null != NULL && (not_null[i >> 3] & (1 << (i & 7))) == 0)
		{
			put_int32(&stream, -1);
			continue;
		}
		put_value(&stream, element,
				  fetch_att(data, element->typbyval, element->typlen));
		data = att_addlength_pointer(data, element->typlen, data);
		data = (char *) att_align_nominal(data, element->typalign);
	}
	return hash128_end(&stream);
}

/* A byte of flags, and the bounds that there are */
static void
put_range(Hash128Stream *stream, ValueCoder *coder, RangeType *range)
{
	RangeBound	lower;
	RangeBound	upper;
	bool		is_empty;
	uint8		flags = 0;

	range_deserialize(coder->range, range, &lower, &upper, &is_empty);
	if (is_empty)
		flags = 1;
	else
		flags = (lower.inclusive ? 2 : 0) | (upper.inclusive ? 4 : 0) |
			(lower.infinite ? 8 : 0) | (upper.infinite ? 16 : 0);
	hash128_put(stream, &flags, 1);
	if (!is_empty && !lower.infinite)
		put_value(stream, coder->element, lower.val);
	if (!is_empty && !upper.infinite)
		put_value(stream, coder->element, upper.val);
}

static Hash128
digest_range(ValueCoder *coder, RangeType *range)
{
	Hash128Stream stream;

	hash128_begin(&stream, hash128_key);
	put_range(&stream, coder, range);
	return hash128_end(&stream);
}

static Hash128
digest_multirange(ValueCoder *coder, MultirangeType *multirange)
{
	Hash128Stream stream;
	RangeType **ranges;
	int32		n;

	multirange_deserialize(coder->range, multirange, &n, &ranges);
	hash128_begin(&stream, hash128_key);
	put_int32(&stream, n);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_range(&stream, coder, ranges[i]);
	}
	return hash128_end(&stream);
}

/* A value with an inner structure, as 16 bytes, or one that must be sent */
static void
put_complex_value(Hash128Stream *stream, ValueCoder *coder, Datum value)
{
	HeapTupleHeader row;
	bytea	   *sent;
	Hash128		hash;

	check_stack_depth();
	switch (coder->kind)
	{
		case VALUE_JSONB:
			hash = digest_jsonb(DatumGetJsonbP(value), &coder->send);
			break;
		case VALUE_ARRAY:
			hash = digest_array(DatumGetArrayTypeP(value), coder->element);
			break;
		case VALUE_RANGE:
			hash = digest_range(coder, DatumGetRangeTypeP(value));
			break;
		case VALUE_MULTIRANGE:
			hash = digest_multirange(coder, DatumGetMultirangeTypeP(value));
			break;
		case VALUE_COMPOSITE:
			row = DatumGetHeapTupleHeader(value);
			hash = row_hash(row_coder(&coder->row, row, coder->context), row);
			break;
		default:
			sent = send_value(&coder->send, value);
			put_bytes(stream, VARDATA(sent), VARSIZE(sent) - VARHDRSZ);
			pfree(sent);
			return;
	}
	put_hash(stream, hash);
}

/* The frame and the bytes of a value that is not NULL */
static void
put_value(Hash128Stream *stream, ValueCoder *coder, Datum value)
{
	switch (coder->kind)
	{
		case VALUE_ONE_BYTE:
			{
				uint8		bytes[5] = {0, 0, 0, 1, (uint8) value};

				hash128_put(stream, bytes, sizeof(bytes));
				break;
			}
		case VALUE_TWO_BYTES:
			{
				uint16		word = (uint16) DatumGetInt16(value);
				uint8		bytes[6] = {0, 0, 0, 2, word >> 8, word & 0xFF};

				hash128_put(stream, bytes, sizeof(bytes));
				break;
			}
		case VALUE_FOUR_BYTES:
			put_four_bytes(stream, (uint32) DatumGetInt32(value));
			break;
		case VALUE_EIGHT_BYTES:
			put_eight_bytes(stream, (uint64) DatumGetInt64(value));
			break;
		case VALUE_FLOAT4:
			{
				float4		number = DatumGetFloat4(value);
				uint32		bits;

				number = isnan(number) ? get_float4_nan() : number + 0.0f;
				memcpy(&bits, &number, sizeof(bits));
				put_four_bytes(stream, bits);
				break;
			}
		case VALUE_FLOAT8:
			{
				float8		number = DatumGetFloat8(value);
				uint64		bits;

				number = isnan(number) ? get_float8_nan() : number + 0.0;
				memcpy(&bits, &number, sizeof(bits));
				put_eight_bytes(stream, bits);
				break;
			}
		case VALUE_NUMERIC:
			put_numeric(stream, &coder->send, value);
			break;
		case VALUE_TEXT:
		case VALUE_PADDED_TEXT:
			{
				struct varlena *text = PG_DETOAST_DATUM_PACKED(value);
				const char *bytes = VARDATA_ANY(text);
				size_t		size = VARSIZE_ANY_EXHDR(text);

				if (coder->kind == VALUE_PADDED_TEXT)
				{
					while (size > 0 && bytes[size - 1] == ' ')
						size--;
				}
				put_text(stream, bytes, size);
				break;
			}
		case VALUE_NAME:
			put_text(stream, NameStr(*DatumGetName(value)),
					 strlen(NameStr(*DatumGetName(value))));
			break;
		case VALUE_CSTRING:
			put_text(stream, DatumGetCString(value),
					 strlen(DatumGetCString(value)));
			break;
		case VALUE_BYTEA:
			{
				struct varlena *bytes = PG_DETOAST_DATUM_PACKED(value);

				put_bytes(stream, VARDATA_ANY(bytes),
						  VARSIZE_ANY_EXHDR(bytes));
				break;
			}
		case VALUE_UUID:
			put_bytes(stream, DatumGetUUIDP(value)->data, UUID_LEN);
			break;
		case VALUE_ENUM:
			put_enum(stream, DatumGetObjectId(value));
			break;
		default:
			put_complex_value(stream, coder, value);
			break;
	}
}

Hash128
row_hash(RowCoder *coder, HeapTupleHeader row)
{
	RowShape   *shape = coder->shape;
	Hash128Stream stream;

	row_shape_deform(shape, row);
	hash128_begin(&stream, coder->key);
	for (int i = 0; i < shape->desc->natts; i++)
	{
		if (TupleDescAttr(shape->desc, i)->attisdropped)
			continue;
		if (shape->nulls[i])
			put_int32(&stream, -1);
		else
			put_value(&stream, &coder->coders[i], shape->values[i]);
	}
	return hash128_end(&stream);
}

void
sha256_of(const void *data, size_t size,
		  uint8 digest[PG_SHA256_DIGEST_LENGTH])
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);

	if (context == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	if (pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, data, size) < 0 ||
		pg_cryptohash_final(context, digest, PG_SHA256_DIGEST_LENGTH) < 0)
	{
		const char *reason = pg_cryptohash_error(context);

		pg_cryptohash_free(context);
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute SHA-256: %s", reason)));
	}
	pg_cryptohash_free(context);
}
