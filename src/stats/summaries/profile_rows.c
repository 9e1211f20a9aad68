/*-------------------------------------------------------------------------
 *
 * profile_rows.c
 *		Reading rows into a profile: what a column of a type becomes.
 *
 * A column of a type that nothing is known about is counted; no type is an
 * error. Values are read from the row in place, detoasted where that is needed.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <float.h>
#include <math.h>

#include "access/tupmacs.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "catalog/namespace.h"
#include "core/row_shape.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "stats/summaries/profile_rows.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#define EPOCH_DAYS	(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)

/* Shapes that are remembered, where the rows of one call differ */
#define MAX_READERS		8

/* Labels that are remembered for each enum column; a power of two */
#define ENUM_CACHE_SIZE		64

typedef enum ReadMethod
{
	READ_DROPPED,
	READ_OTHER,
	READ_INT2,
	READ_INT4,
	READ_INT8,
	READ_FLOAT4,
	READ_FLOAT8,
	READ_NUMERIC,
	READ_INTERVAL,
	READ_DATE,
	READ_TIMESTAMP,
	READ_TIME,
	READ_TIMETZ,
	READ_BOOL,
	READ_TEXT,
	READ_PADDED_TEXT,
	READ_NAME,
	READ_CSTRING,
	READ_CHAR,
	READ_UUID,
	READ_ENUM,
	READ_OUTPUT,				/* text of the type's output function */
	READ_JSON,
	READ_JSONB,
	READ_ARRAY,
	READ_VECTOR					/* by a cast to an array of real */
} ReadMethod;

typedef struct EnumLabel
{
	Oid			value;
	NameData	label;
} EnumLabel;

/* What each row needs of a column: as little as there is, for wide rows */
typedef struct ColumnStep
{
	int32		feature;		/* of its first feature in the targets */
	int16		length;			/* as pg_attribute has it ... */
	uint8		alignment;		/* ... and this in bytes */
	uint8		method;
} ColumnStep;

typedef struct ColumnReader
{
	ReadMethod	method;
	int			n_features;
	bool		by_value;
	FmgrInfo	function;		/* READ_OUTPUT, READ_VECTOR */
	EnumLabel  *labels;			/* READ_ENUM */

	/* READ_ARRAY and READ_VECTOR: of the elements */
	ReadMethod	element;		/* READ_OTHER: no numbers */
	int16		typlen;
	bool		typbyval;
	char		typalign;
} ColumnReader;

/*
 * Attributes at fixed offsets that are read alike: several only of double
 * precision or of integer, side by side, in the row and among the features.
 */
typedef struct ColumnRun
{
	int32		first;
	int32		n;
	int32		offset;
	int32		feature;
	uint8		method;
} ColumnRun;

struct RowReader
{
	RowReader  *next;
	RowShape   *shape;			/* in its context is all that is here; NULL of
								 * the rows of a table */
	TupleDesc	desc;
	uint64		identifier;		/* of the binding to a profile; never 0 */
	int			n_attributes;	/* up to the last one that is read */
	ColumnStep *steps;			/* one for each attribute ... */
	ColumnReader *columns;		/* ... and what else is known of it */
	int			n_features;
	ColumnFeature *features;

	/* The attributes before the first one of varying length, if not NULL */
	int			n_leading;
	uint32		leading_size;
	int			n_runs;
	ColumnRun  *runs;
};

/* ----------
 * What becomes of a column
 * ----------
 */

/* The name of a type for display, the same under every search_path */
static char *
name_of_type(Oid type)
{
	Oid			base = getBaseType(type);
	Oid			element = get_element_type(base);
	HeapTuple	tuple;
	Form_pg_type form;
	char	   *schema = NULL;
	char	   *name;

	if (OidIsValid(element))
		base = getBaseType(element);
	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(base));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", base);
	form = (Form_pg_type) GETSTRUCT(tuple);
	if (isAnyTempNamespace(form->typnamespace))
		schema = pstrdup("pg_temp");
	else if (form->typnamespace != PG_CATALOG_NAMESPACE)
		schema = get_namespace_name(form->typnamespace);
	name = psprintf("%s%s%s%s", schema ? schema : "", schema ? "." : "",
					NameStr(form->typname), OidIsValid(element) ? "[]" : "");
	ReleaseSysCache(tuple);
	return name;
}

static ReadMethod
method_of_type(Oid type)
{
	char		category;
	bool		preferred;

	switch (type)
	{
		case INT2OID:
			return READ_INT2;
		case INT4OID:
			return READ_INT4;
		case INT8OID:
			return READ_INT8;
		case FLOAT4OID:
			return READ_FLOAT4;
		case FLOAT8OID:
			return READ_FLOAT8;
		case NUMERICOID:
			return READ_NUMERIC;
		case INTERVALOID:
			return READ_INTERVAL;
		case DATEOID:
			return READ_DATE;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return READ_TIMESTAMP;
		case TIMEOID:
			return READ_TIME;
		case TIMETZOID:
			return READ_TIMETZ;
		case BOOLOID:
			return READ_BOOL;
		case TEXTOID:
		case VARCHAROID:
			return READ_TEXT;
		case BPCHAROID:
			return READ_PADDED_TEXT;
		case NAMEOID:
			return READ_NAME;
		case UNKNOWNOID:
			return READ_CSTRING;
		case CHAROID:
			return READ_CHAR;
		case UUIDOID:
			return READ_UUID;
		case JSONOID:
			return READ_JSON;
		case JSONBOID:
			return READ_JSONB;
		default:
			break;
	}
	if (OidIsValid(get_element_type(type)))
		return READ_ARRAY;
	if (get_typtype(type) == TYPTYPE_ENUM)
		return READ_ENUM;

	/* citext and its like, network addresses */
	get_type_category_preferred(type, &category, &preferred);
	if (get_typtype(type) == TYPTYPE_BASE &&
		(category == TYPCATEGORY_STRING || category == TYPCATEGORY_NETWORK))
		return READ_OUTPUT;
	return READ_OTHER;
}

static FeatureKind
kind_of_method(ReadMethod method)
{
	switch (method)
	{
		case READ_INT2:
		case READ_INT4:
		case READ_INT8:
		case READ_FLOAT4:
		case READ_FLOAT8:
		case READ_NUMERIC:
			return FEATURE_NUMBER;
		case READ_INTERVAL:
			return FEATURE_INTERVAL;
		case READ_DATE:
		case READ_TIMESTAMP:
			return FEATURE_TIMESTAMP;
		case READ_TIME:
		case READ_TIMETZ:
			return FEATURE_TIME;
		case READ_BOOL:
			return FEATURE_BOOLEAN;
		case READ_TEXT:
		case READ_PADDED_TEXT:
		case READ_NAME:
		case READ_CSTRING:
		case READ_CHAR:
		case READ_UUID:
		case READ_ENUM:
		case READ_OUTPUT:
			return FEATURE_CATEGORY;
		case READ_JSON:
		case READ_JSONB:
			return FEATURE_JSON;
		case READ_ARRAY:
		case READ_VECTOR:
			return FEATURE_LENGTH;
		case READ_DROPPED:
		case READ_OTHER:
			break;
	}
	return FEATURE_OTHER;
}

/* How to read the elements of an array, if they are numbers */
static void
set_element(ColumnReader *column, Oid declared_type)
{
	Oid			type = getBaseType(declared_type);
	ReadMethod	method = method_of_type(type);

	get_typlenbyvalalign(type, &column->typlen, &column->typbyval,
						 &column->typalign);
	column->element = kind_of_method(method) == FEATURE_NUMBER ? method :
		READ_OTHER;
}

/*
 * pgvector's types, wherever they are installed, and whatever else has the
 * name and can be cast to real[] by a function.
 */
static bool
set_vector(ColumnReader *column, Oid type, MemoryContext context)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	char	   *name;
	bool		is_vector;
	Oid			function;

	if (!HeapTupleIsValid(tuple))
		return false;
	name = NameStr(((Form_pg_type) GETSTRUCT(tuple))->typname);
	is_vector = strcmp(name, "vector") == 0 || strcmp(name, "halfvec") == 0;
	ReleaseSysCache(tuple);
	if (!is_vector ||
		find_coercion_pathway(FLOAT4ARRAYOID, type, COERCION_EXPLICIT,
							  &function) != COERCION_PATH_FUNC)
		return false;
	fmgr_info_cxt(function, &column->function, context);
	set_element(column, FLOAT4OID);
	column->method = READ_VECTOR;
	return true;
}

static uint8
alignment_in_bytes(char typalign)
{
	switch (typalign)
	{
		case TYPALIGN_DOUBLE:
			return ALIGNOF_DOUBLE;
		case TYPALIGN_INT:
			return ALIGNOF_INT;
		case TYPALIGN_SHORT:
			return ALIGNOF_SHORT;
		default:
			return 1;
	}
}

/* How to step over an attribute; it is not read */
static void
set_step(RowReader *reader, int number)
{
	Form_pg_attribute attribute = TupleDescAttr(reader->desc, number);
	ColumnStep *step = &reader->steps[number];

	step->length = attribute->attlen;
	step->alignment = alignment_in_bytes(attribute->attalign);
	step->method = READ_DROPPED;
	reader->columns[number].by_value = attribute->attbyval;
	reader->columns[number].method = READ_DROPPED;
}

/* ... and what becomes of it: the reader's next features */
static void
set_column(RowReader *reader, int number)
{
	Form_pg_attribute attribute = TupleDescAttr(reader->desc, number);
	ColumnReader *column = &reader->columns[number];
	ColumnStep *step = &reader->steps[number];
	ColumnFeature *feature = &reader->features[reader->n_features];
	Oid			type;

	type = getBaseType(attribute->atttypid);
	column->method = method_of_type(type);
	if (column->method == READ_ARRAY)
		set_element(column, get_element_type(type));
	else if (column->method == READ_ENUM)
		column->labels = palloc0(ENUM_CACHE_SIZE * sizeof(EnumLabel));
	else if (column->method == READ_OUTPUT)
	{
		Oid			function;
		bool		is_varlena;

		getTypeOutputInfo(type, &function, &is_varlena);
		fmgr_info_cxt(function, &column->function, CurrentMemoryContext);
	}
	else if (column->method == READ_OTHER)
		(void) set_vector(column, type, CurrentMemoryContext);

	step->method = (uint8) column->method;
	step->feature = reader->n_features;
	column->n_features = 1;
	feature->column = pstrdup(NameStr(attribute->attname));
	feature->type_name = name_of_type(type);
	feature->kind = kind_of_method(column->method);
	if (feature->kind == FEATURE_LENGTH && column->element != READ_OTHER)
	{
		feature[1] = feature[0];
		feature[1].kind = FEATURE_NORM;
		column->n_features = 2;
	}
	reader->n_features += column->n_features;
}

static bool
continues_run(const RowReader *reader, const ColumnRun *run, int number,
			  uint32 offset)
{
	const ColumnStep *step = &reader->steps[number];

	return (step->method == READ_FLOAT8 || step->method == READ_INT4) &&
		step->method == run->method && run->first + run->n == number &&
		run->feature + run->n == step->feature &&
		run->offset + run->n * step->length == (int32) offset;
}

/* What can be read without looking at what comes before it */
static void
set_runs(RowReader *reader)
{
	uint32		offset = 0;
	ColumnRun  *run = NULL;

	reader->runs = palloc(Max(reader->n_attributes, 1) * sizeof(ColumnRun));
	for (int i = 0; i < reader->n_attributes; i++)
	{
		const ColumnStep *step = &reader->steps[i];

		if (step->length <= 0)
			break;
		offset = TYPEALIGN(step->alignment, offset);
		if (run != NULL && continues_run(reader, run, i, offset))
			run->n++;
		else if (step->method != READ_DROPPED)
		{
			run = &reader->runs[reader->n_runs++];
			run->first = i;
			run->n = 1;
			run->offset = (int32) offset;
			run->feature = step->feature;
			run->method = step->method;
		}
		offset += step->length;
		reader->n_leading = i + 1;
		reader->leading_size = offset;
	}
}

/* A reader that steps over everything, in the current context */
static RowReader *
new_reader(TupleDesc desc)
{
	RowReader  *reader = palloc0(sizeof(RowReader));
	int			n = Max(desc->natts, 1);

	reader->desc = desc;
	reader->steps = palloc0(n * sizeof(ColumnStep));
	reader->columns = palloc0(n * sizeof(ColumnReader));
	reader->features = palloc0(2 * n * sizeof(ColumnFeature));
	for (int i = 0; i < desc->natts; i++)
		set_step(reader, i);
	return reader;
}

static RowReader *
make_reader(HeapTupleHeader row, MemoryContext context)
{
	RowShape   *shape = row_shape_make(row, context);
	MemoryContext old = MemoryContextSwitchTo(shape->context);
	RowReader  *reader = new_reader(shape->desc);

	reader->shape = shape;
	reader->identifier = shape->identifier;
	for (int i = 0; i < shape->desc->natts; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!TupleDescAttr(shape->desc, i)->attisdropped)
			set_column(reader, i);
	}
	reader->n_attributes = shape->desc->natts;
	set_runs(reader);
	MemoryContextSwitchTo(old);
	return reader;
}

RowReader *
table_row_reader(TupleDesc desc, const char *const *columns, int n,
				 const RowReader *like)
{
	RowReader  *reader = new_reader(desc);

	reader->identifier = like != NULL ? like->identifier :
		(uint64) (uintptr_t) reader;
	for (int i = 0; i < n; i++)
	{
		int			at = 0;

		CHECK_FOR_INTERRUPTS();
		while (at < desc->natts &&
			   (TupleDescAttr(desc, at)->attisdropped ||
				strcmp(NameStr(TupleDescAttr(desc, at)->attname),
					   columns[i]) != 0))
			at++;
		if (at == desc->natts)
			elog(ERROR, "a table has no column \"%s\"", columns[i]);
		set_column(reader, at);
		reader->n_attributes = Max(reader->n_attributes, at + 1);
	}
	set_runs(reader);
	return reader;
}

RowReader *
row_reader(RowReader **cache, HeapTupleHeader row, MemoryContext context)
{
	RowReader **link = cache;
	RowReader  *reader = *cache;
	int			n = 1;

	if (likely(reader != NULL && row_shape_fits(reader->shape, row)))
		return reader;
	while (*link != NULL && !row_shape_fits((*link)->shape, row))
	{
		if (++n > MAX_READERS)
		{
			/* full: the one that was not used for longest makes room */
			MemoryContextDelete((*link)->shape->context);
			*link = NULL;
			break;
		}
		link = &(*link)->next;
	}
	reader = *link;
	if (reader != NULL)
		*link = reader->next;
	else
		reader = make_reader(row, context);
	reader->next = *cache;
	*cache = reader;
	return reader;
}

/* ----------
 * Values
 * ----------
 */

static double
interval_seconds(const Interval *interval)
{
	/* as EXTRACT(epoch FROM interval) has it */
	double		days = (interval->month / MONTHS_PER_YEAR) * DAYS_PER_YEAR +
		(interval->month % MONTHS_PER_YEAR) * (double) DAYS_PER_MONTH +
		interval->day;

	if (INTERVAL_IS_NOBEGIN(interval))
		return -get_float8_infinity();
	if (INTERVAL_IS_NOEND(interval))
		return get_float8_infinity();
	return days * SECS_PER_DAY + (double) interval->time / USECS_PER_SEC;
}

/* Seconds since 1970; the sum in whole seconds cannot overflow */
static double
timestamp_seconds(Timestamp timestamp)
{
	if (TIMESTAMP_IS_NOBEGIN(timestamp))
		return -get_float8_infinity();
	if (TIMESTAMP_IS_NOEND(timestamp))
		return get_float8_infinity();
	return (double) (timestamp / USECS_PER_SEC +
					 (int64) EPOCH_DAYS * SECS_PER_DAY) +
		(double) (timestamp % USECS_PER_SEC) / USECS_PER_SEC;
}

static double
date_seconds(DateADT date)
{
	if (DATE_IS_NOBEGIN(date))
		return -get_float8_infinity();
	if (DATE_IS_NOEND(date))
		return get_float8_infinity();
	return ((double) date + EPOCH_DAYS) * SECS_PER_DAY;
}

static double
read_number(ReadMethod method, Datum value)
{
	switch (method)
	{
		case READ_INT2:
			return DatumGetInt16(value);
		case READ_INT4:
			return DatumGetInt32(value);
		case READ_INT8:
			return (double) DatumGetInt64(value);
		case READ_FLOAT4:
			return DatumGetFloat4(value);
		case READ_FLOAT8:
			return DatumGetFloat8(value);
		case READ_NUMERIC:
			return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
													  value));
		case READ_INTERVAL:
			return interval_seconds(DatumGetIntervalP(value));
		case READ_DATE:
			return date_seconds(DatumGetDateADT(value));
		case READ_TIMESTAMP:
			return timestamp_seconds(DatumGetTimestamp(value));
		case READ_TIME:
			return (double) DatumGetTimeADT(value) / USECS_PER_SEC;
		case READ_TIMETZ:
			{
				TimeTzADT  *time = DatumGetTimeTzADTP(value);

				return (double) time->time / USECS_PER_SEC + time->zone;
			}
		default:
			elog(ERROR, "read method %d is not one of numbers", (int) method);
	}
	return 0;
}

/* The Euclidean norm, without overflow on the way */
static double
norm_of(const double *values, int n)
{
	double		sum = 0;
	double		largest = 0;

	for (int i = 0; i < n; i++)
		sum += values[i] * values[i];
	if (sum >= DBL_MIN && sum <= DBL_MAX)
		return sqrt(sum);
	for (int i = 0; i < n; i++)
	{
		if (isnan(values[i]))
			return get_float8_nan();
		largest = Max(largest, fabs(values[i]));
	}
	if (largest == 0 || isinf(largest))
		return largest;
	sum = 0;
	for (int i = 0; i < n; i++)
		sum += (values[i] / largest) * (values[i] / largest);
	return largest * sqrt(sum);
}

/* Number of elements, and the norm of those that are not NULL */
static int
read_array(const ColumnReader *column, Datum value, double *norm)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	const bits8 *not_null = ARR_NULLBITMAP(array);
	char	   *data = (char *) array;
	double	   *values;
	int			n_values = 0;

	if (column->element == READ_OTHER)
		return n;
	if (not_null != NULL)
		data += array->dataoffset;
	else
		data += ARR_OVERHEAD_NONULLS(ARR_NDIM(array));
	values = palloc(Max(n, 1) * sizeof(double));
	for (int i = 0; i < n; i++)
	{
		if ((i & 0xFFFF) == 0xFFFF)
			CHECK_FOR_INTERRUPTS();
		if (not_null != NULL && (not_null[i / 8] & (1 << (i % 8))) == 0)
			continue;
		values[n_values++] = read_number(column->element,
										 fetch_att(data, column->typbyval,
												   column->typlen));
		data = att_addlength_pointer(data, column->typlen, data);
		data = (char *) att_align_nominal(data, column->typalign);
	}
	*norm = norm_of(values, n_values);
	pfree(values);
	return n;
}

static const char *
enum_label(ColumnReader *column, Oid value)
{
	EnumLabel  *cached = &column->labels[value & (ENUM_CACHE_SIZE - 1)];
	HeapTuple	tuple;

	if (likely(cached->value == value))
		return NameStr(cached->label);
	tuple = SearchSysCache1(ENUMOID, ObjectIdGetDatum(value));
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid internal value for enum: %u", value)));
	cached->label = ((Form_pg_enum) GETSTRUCT(tuple))->enumlabel;
	cached->value = value;
	ReleaseSysCache(tuple);
	return NameStr(cached->label);
}

/* As uuid's output function writes it */
static void
add_uuid(FrequencyTable *table, const pg_uuid_t *uuid)
{
	static const char digits[] = "0123456789abcdef";
	char		text[2 * UUID_LEN + 4];
	int			n = 0;

	for (int i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[n++] = '-';
		text[n++] = digits[uuid->data[i] >> 4];
		text[n++] = digits[uuid->data[i] & 0x0F];
	}
	frequency_table_add(table, text, n);
}

/* Names as jsonb_typeof() has them */
static const char *
json_type(const char *text, size_t size)
{
	size_t		i = 0;

	while (i < size && strchr(" \t\r\n", text[i]) != NULL)
		i++;
	switch (i < size ? text[i] : 0)
	{
		case '{':
			return "object";
		case '[':
			return "array";
		case '"':
			return "string";
		case 't':
		case 'f':
			return "boolean";
		case 'n':
			return "null";
		default:
			return "number";
	}
}

static const char *
jsonb_type(Jsonb *document)
{
	JsonbValue	value;

	if (JB_ROOT_IS_OBJECT(document))
		return "object";
	if (!JB_ROOT_IS_SCALAR(document))
		return "array";
	(void) JsonbExtractScalar(&document->root, &value);
	switch (value.type)
	{
		case jbvString:
			return "string";
		case jbvBool:
			return "boolean";
		case jbvNull:
			return "null";
		default:
			return "number";
	}
}

static inline void
add_string(FrequencyTable *table, const char *text)
{
	frequency_table_add(table, text, strlen(text));
}

static void
add_text(FrequencyTable *table, Datum value, bool padded)
{
	struct varlena *text = PG_DETOAST_DATUM_PACKED(value);
	const char *bytes = VARDATA_ANY(text);
	size_t		size = VARSIZE_ANY_EXHDR(text);

	while (padded && size > 0 && bytes[size - 1] == ' ')
		size--;
	frequency_table_add(table, bytes, size);
	if ((Pointer) text != DatumGetPointer(value))
		pfree(text);
}

static void
add_category(FrequencyTable *table, ColumnReader *column, Datum value)
{
	switch (column->method)
	{
		case READ_BOOL:
			if (DatumGetBool(value))
				frequency_table_add(table, "true", 4);
			else
				frequency_table_add(table, "false", 5);
			break;
		case READ_TEXT:
			add_text(table, value, false);
			break;
		case READ_PADDED_TEXT:
			add_text(table, value, true);
			break;
		case READ_NAME:
			add_string(table, NameStr(*DatumGetName(value)));
			break;
		case READ_CSTRING:
			add_string(table, DatumGetCString(value));
			break;
		case READ_CHAR:
			add_string(table,
					   DatumGetCString(DirectFunctionCall1(charout, value)));
			break;
		case READ_UUID:
			add_uuid(table, DatumGetUUIDP(value));
			break;
		case READ_ENUM:
			add_string(table, enum_label(column, DatumGetObjectId(value)));
			break;
		case READ_OUTPUT:
			add_string(table, OutputFunctionCall(&column->function, value));
			break;
		case READ_JSON:
			{
				struct varlena *text = PG_DETOAST_DATUM_PACKED(value);

				add_string(table, json_type(VARDATA_ANY(text),
											VARSIZE_ANY_EXHDR(text)));
				break;
			}
		case READ_JSONB:
			add_string(table, jsonb_type(DatumGetJsonbP(value)));
			break;
		default:
			elog(ERROR, "read method %d is not one of categories",
				 (int) column->method);
	}
}

static Datum
cast_vector(ColumnReader *column, Datum value)
{
	/* the casts of a type with a length take it, and whether asked for */
	if (column->function.fn_nargs == 3)
		return FunctionCall3(&column->function, value, Int32GetDatum(-1),
							 BoolGetDatum(true));
	if (column->function.fn_nargs == 2)
		return FunctionCall2(&column->function, value, Int32GetDatum(-1));
	return FunctionCall1(&column->function, value);
}

/*
 * A value that the loop over the row does not take itself; the places of
 * neighbouring features lie a stride apart.
 */
static void
add_value(Feature **targets, double *places, size_t stride,
		  ColumnReader *column, Datum value)
{
	double		norm = 0;

	switch (column->method)
	{
		case READ_DROPPED:
			break;
		case READ_OTHER:
			targets[0]->n++;
			break;
		case READ_INT2:
		case READ_INT4:
		case READ_INT8:
		case READ_FLOAT4:
		case READ_FLOAT8:
		case READ_NUMERIC:
		case READ_INTERVAL:
		case READ_DATE:
		case READ_TIMESTAMP:
		case READ_TIME:
		case READ_TIMETZ:
			batch_put(places, read_number(column->method, value));
			break;
		case READ_ARRAY:
		case READ_VECTOR:
			if (column->method == READ_VECTOR)
				value = cast_vector(column, value);
			places[0] = read_array(column, value, &norm);
			if (column->n_features > 1)
				batch_put(&places[stride], norm);
			break;
		default:
			add_category(targets[0]->table, column, value);
			break;
	}
}

static void
add_null(Feature **targets, double *places, size_t stride,
		 const ColumnReader *column)
{
	for (int i = 0; i < column->n_features; i++)
	{
		if (targets[i]->histogram != NULL)
			batch_put_null(&places[i * stride]);
		else if (targets[i]->table != NULL)
			frequency_table_add_null(targets[i]->table);
		else
			targets[i]->nulls++;
	}
}

/* ----------
 * Rows
 * ----------
 */

/*
 * Where the numbers of a row go: that of a feature is at places, so many
 * strides after that of the first one. Row by row in a profile's own batch,
 * column by column where a page is read at once.
 */
typedef struct Places
{
	double	   *first;
	size_t		stride;
} Places;

static inline double *
place_of(Places places, int32 feature)
{
	return places.first + feature * places.stride;
}

/* Columns that were added after the row was made */
static void
add_missing(Profile *profile, RowReader *reader, Places places, int first)
{
	for (int i = first; i < reader->n_attributes; i++)
	{
		int			feature = reader->steps[i].feature;
		bool		is_null;
		Datum		value = getmissingattr(reader->desc, i + 1, &is_null);

		if (is_null)
			add_null(&profile->targets[feature], place_of(places, feature),
					 places.stride, &reader->columns[i]);
		else
			add_value(&profile->targets[feature], place_of(places, feature),
					  places.stride, &reader->columns[i], value);
	}
}

/* Whether the row has all leading attributes, and none of them is NULL */
static inline bool
leading_are_there(const RowReader *reader, HeapTupleHeader row)
{
	int			n = reader->n_leading;
	const bits8 *not_null = row->t_bits;

	if ((int) HeapTupleHeaderGetNatts(row) < n)
		return false;
	if ((row->t_infomask & HEAP_HASNULL) == 0)
		return true;
	for (int i = 0; i < n / 8; i++)
		if (not_null[i] != 0xFF)
			return false;
	return n % 8 == 0 || (~not_null[n / 8] & ((1 << n % 8) - 1)) == 0;
}

static inline void
add_run_value(Profile *profile, RowReader *reader, const ColumnRun *run,
			  const char *data, Places places)
{
	add_value(&profile->targets[run->feature],
			  place_of(places, run->feature), places.stride,
			  &reader->columns[run->first],
			  fetch_att(data + run->offset,
						reader->columns[run->first].by_value,
						reader->steps[run->first].length));
}

/* The leading attributes of a row that has them all */
static inline void
add_leading(Profile *profile, RowReader *reader, HeapTupleHeader row,
			Places places)
{
	const char *data = (const char *) row + row->t_hoff;

	for (int i = 0; i < reader->n_runs; i++)
	{
		const ColumnRun run = reader->runs[i];
		const char *from = data + run.offset;
		double	   *to = place_of(places, run.feature);

		if (run.method == READ_FLOAT8)
			for (int j = 0; j < run.n; j++)
			{
				double		value;

				memcpy(&value, from + j * sizeof(value), sizeof(value));
				batch_put(&to[j * places.stride], value);
			}
		else if (run.method == READ_INT4)
			for (int j = 0; j < run.n; j++)
			{
				int32		integer;

				memcpy(&integer, from + j * sizeof(integer), sizeof(integer));
				to[j * places.stride] = integer;
			}
		else
			add_run_value(profile, reader, &reader->runs[i], data, places);
	}
}

/* A row from its attribute first on, which begins after offset */
static inline void
add_rest(Profile *profile, RowReader *reader, HeapTupleHeader row,
		 Places places, int first, uint32 offset)
{
	int			n = Min((int) HeapTupleHeaderGetNatts(row),
						reader->n_attributes);
	const bits8 *not_null = (row->t_infomask & HEAP_HASNULL) != 0 ?
		row->t_bits : NULL;
	char	   *data = (char *) row + row->t_hoff;

	for (int i = first; i < n; i++)
	{
		const ColumnStep step = reader->steps[i];
		int32		integer;
		double		value;

		if (not_null != NULL && att_isnull(i, not_null))
		{
			add_null(&profile->targets[step.feature],
					 place_of(places, step.feature), places.stride,
					 &reader->columns[i]);
			continue;
		}
		/* a value of varying length is padded unless its header is short */
		if (step.length != -1 || !VARATT_NOT_PAD_BYTE(data + offset))
			offset = TYPEALIGN(step.alignment, offset);
		switch (step.method)
		{
			case READ_DROPPED:
				break;
			case READ_FLOAT8:
				memcpy(&value, data + offset, sizeof(value));
				batch_put(place_of(places, step.feature), value);
				break;
			case READ_INT4:
				memcpy(&integer, data + offset, sizeof(integer));
				*place_of(places, step.feature) = integer;
				break;
			default:
				add_value(&profile->targets[step.feature],
						  place_of(places, step.feature), places.stride,
						  &reader->columns[i],
						  fetch_att(data + offset, reader->columns[i].by_value,
									step.length));
				break;
		}
		offset = att_addlength_pointer(offset, step.length, data + offset);
	}
	if (unlikely(n < reader->n_attributes))
		add_missing(profile, reader, places, Max(n, first));
}

static void
bind_to(Profile *profile, RowReader *reader)
{
	/* in this order: an error must not leave half of a binding */
	profile->shape = 0;
	profile_bind(profile, reader->n_features, reader->features);
	profile->shape = reader->identifier;
}

/*
 * The row is read where it lies, in one pass: taking it apart first would cost
 * as much as what follows.
 */
void
profile_add_row(Profile *profile, RowReader *reader, HeapTupleHeader row)
{
	Places		places;

	if (unlikely(profile->shape != reader->identifier))
		bind_to(profile, reader);
	places.stride = 1;
	places.first = profile->batch +
		(size_t) profile->n_batched * profile->n_targets;
	if (likely(leading_are_there(reader, row)))
	{
		add_leading(profile, reader, row, places);
		add_rest(profile, reader, row, places, reader->n_leading,
				 reader->leading_size);
	}
	else
		add_rest(profile, reader, row, places, 0, 0);
	profile->n_rows++;
	if (++profile->n_batched == profile->batch_size)
		profile_make_room(profile);
}

/* ----------
 * Pages of rows
 * ----------
 */

/* The numbers of one run of leading attributes, of all rows given */
static inline void
add_run(const ColumnRun *run, HeapTupleHeader *rows, int n, double *to,
		size_t stride)
{
	for (int j = 0; j < run->n; j++, to += stride)
	{
		if (run->method == READ_FLOAT8)
			for (int i = 0; i < n; i++)
			{
				const char *data = (const char *) rows[i] + rows[i]->t_hoff;
				double		value;

				memcpy(&value, data + run->offset + j * sizeof(value),
					   sizeof(value));
				batch_put(&to[i], value);
			}
		else
			for (int i = 0; i < n; i++)
			{
				const char *data = (const char *) rows[i] + rows[i]->t_hoff;
				int32		integer;

				memcpy(&integer, data + run->offset + j * sizeof(integer),
					   sizeof(integer));
				to[i] = integer;
			}
	}
}

/* Lets go of what reading a row has allocated */
static inline void
forget_row(void)
{
	if (unlikely(!CurrentMemoryContext->isReset))
		MemoryContextReset(CurrentMemoryContext);
}

static inline Profile *
owner_of(const ColumnBatch *batch, int row)
{
	return batch->owners[row]->profile;
}

/* The n rows that come next in the batch, and have all leading attributes */
static void
add_plain_rows(ColumnBatch *batch, RowReader *reader, HeapTupleHeader *rows,
			   int n)
{
	double	   *first = batch->values + batch->n;
	size_t		stride = batch->stride;

	for (int i = 0; i < reader->n_runs; i++)
	{
		const ColumnRun *run = &reader->runs[i];

		if (run->method == READ_FLOAT8 || run->method == READ_INT4)
			add_run(run, rows, n, first + run->feature * stride, stride);
		else
			for (int j = 0; j < n; j++)
			{
				Places		row = {first + j, stride};

				add_run_value(owner_of(batch, batch->n + j), reader, run,
							  (const char *) rows[j] + rows[j]->t_hoff, row);
				forget_row();
			}
	}
	if (reader->n_leading < reader->n_attributes)
		for (int j = 0; j < n; j++)
		{
			Places		row = {first + j, stride};

			add_rest(owner_of(batch, batch->n + j), reader, rows[j], row,
					 reader->n_leading, reader->leading_size);
			forget_row();
		}
}

ColumnBatch *
column_batch_make(const RowReader *reader)
{
	ColumnBatch *batch = palloc(sizeof(ColumnBatch));
	size_t		n = Max(reader->n_features, 1);

	/* an odd number of cache lines, so that neighbours do not share a set */
	batch->size = Max(COLUMN_BATCH_MIN,
					  Min(COLUMN_BATCH_MAX, (int) (COLUMN_BATCH_VALUES / n)));
	batch->stride = batch->size + 8;
	batch->n = 0;
	batch->mixed = false;
	batch->n_features = reader->n_features;
	batch->values = palloc(n * batch->stride * sizeof(double));
	batch->owners = palloc(batch->size * sizeof(BatchOwner *));
	batch->order = palloc(batch->size * sizeof(int));
	batch->touched = palloc(batch->size * sizeof(BatchOwner *));
	batch->gathered = palloc(batch->size * sizeof(double));
	return batch;
}

void
column_batch_bind(Profile *profile, RowReader *reader)
{
	if (profile->shape != reader->identifier)
		bind_to(profile, reader);
}

/*
 * The rows of each owner, one owner after the other: order has their places.
 * Returns the number of owners; with one of them the places are in order.
 */
static int
sort_by_owner(ColumnBatch *batch)
{
	int			n_owners = 0;
	int			first = 0;

	if (!batch->mixed && batch->n > 0)
	{
		BatchOwner *owner = batch->owners[0];

		owner->n = batch->n;
		owner->profile->n_rows += owner->n;
		batch->touched[0] = owner;
		return 1;
	}
	for (int i = 0; i < batch->n; i++)
	{
		BatchOwner *owner = batch->owners[i];

		if (owner->n++ == 0)
			batch->touched[n_owners++] = owner;
	}
	for (int i = 0; i < n_owners; i++)
	{
		BatchOwner *owner = batch->touched[i];

		owner->first = first;
		first += owner->n;
		owner->profile->n_rows += owner->n;
		owner->n = 0;
	}
	for (int i = 0; i < batch->n; i++)
	{
		BatchOwner *owner = batch->owners[i];

		batch->order[owner->first + owner->n++] = i;
	}
	return n_owners;
}

/* The values at these places, without NULLs, to the histogram of a feature */
static inline void
add_column(Histogram *histogram, const double *values, const int *order,
		   int n, double *gathered)
{
	int			n_values = 0;

	for (int i = 0; i < n; i++)
	{
		double		value = values[order != NULL ? order[i] : i];
		uint64		bits;

		memcpy(&bits, &value, sizeof(bits));
		gathered[n_values] = value;
		n_values += bits != BATCH_NULL_BITS;
	}
	histogram->null_count += n - n_values;
	histogram_add_many(histogram, gathered, n_values);
}

void
column_batch_flush(ColumnBatch *batch)
{
	int			n_owners = sort_by_owner(batch);

	for (int i = 0; i < batch->n_features; i++)
	{
		const double *values = batch->values + i * batch->stride;

		/* the cells of all columns are folded at the same row */
		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < n_owners; j++)
		{
			BatchOwner *owner = batch->touched[j];
			Histogram  *histogram = owner->profile->targets[i]->histogram;

			if (histogram != NULL)
				add_column(histogram, values, n_owners > 1 ?
						   batch->order + owner->first : NULL, owner->n,
						   batch->gathered);
		}
	}
	for (int i = 0; i < n_owners; i++)
		batch->touched[i]->n = 0;
	batch->n = 0;
	batch->mixed = false;
}

void
column_batch_add(ColumnBatch *batch, RowReader *reader,
				 HeapTupleHeader *rows, BatchOwner *const *owners, int n)
{
	while (n > 0)
	{
		int			taken = Min(n, batch->size - batch->n);
		int			n_plain = 0;
		const BatchOwner *one = batch->n > 0 ? batch->owners[0] : owners[0];

		/* those with all leading attributes first, the others one by one */
		for (int i = 0; i < taken; i++)
		{
			HeapTupleHeader row = rows[i];

			batch->mixed |= owners[i] != one;
			if (likely(leading_are_there(reader, row)))
			{
				batch->owners[batch->n + n_plain] = owners[i];
				rows[n_plain++] = row;
			}
			else
			{
				int			place = batch->n + taken - 1 - (i - n_plain);
				Places		places = {batch->values + place, batch->stride};

				batch->owners[place] = owners[i];
				add_rest(owners[i]->profile, reader, row, places, 0, 0);
				forget_row();
			}
		}
		add_plain_rows(batch, reader, rows, n_plain);
		batch->n += taken;
		rows += taken;
		owners += taken;
		n -= taken;
		if (batch->n == batch->size)
			column_batch_flush(batch);
	}
}
