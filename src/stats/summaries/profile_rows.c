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

struct RowReader
{
	RowReader  *next;
	RowShape   *shape;			/* in its context is all that is here */
	ColumnStep *steps;			/* one for each attribute ... */
	ColumnReader *columns;		/* ... and what else is known of it */
	int			n_features;
	ColumnFeature *features;
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

static void
set_column(RowReader *reader, int number, Form_pg_attribute attribute)
{
	ColumnReader *column = &reader->columns[number];
	ColumnStep *step = &reader->steps[number];
	ColumnFeature *feature = &reader->features[reader->n_features];
	Oid			type;

	step->feature = reader->n_features;
	step->length = attribute->attlen;
	step->alignment = alignment_in_bytes(attribute->attalign);
	column->by_value = attribute->attbyval;
	if (attribute->attisdropped)
	{
		column->method = READ_DROPPED;
		step->method = READ_DROPPED;
		return;
	}

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

static RowReader *
make_reader(HeapTupleHeader row, MemoryContext context)
{
	RowShape   *shape = row_shape_make(row, context);
	MemoryContext old = MemoryContextSwitchTo(shape->context);
	RowReader  *reader = palloc0(sizeof(RowReader));
	int			n = Max(shape->desc->natts, 1);

	reader->shape = shape;
	reader->steps = palloc0(n * sizeof(ColumnStep));
	reader->columns = palloc0(n * sizeof(ColumnReader));
	reader->features = palloc0(2 * n * sizeof(ColumnFeature));
	for (int i = 0; i < shape->desc->natts; i++)
	{
		CHECK_FOR_INTERRUPTS();
		set_column(reader, i, TupleDescAttr(shape->desc, i));
	}
	MemoryContextSwitchTo(old);
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

/* A value that the loop over the row does not take itself */
static void
add_value(Feature **targets, double *places, ColumnReader *column,
		  Datum value)
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
				batch_put(&places[1], norm);
			break;
		default:
			add_category(targets[0]->table, column, value);
			break;
	}
}

static void
add_null(Feature **targets, double *places, const ColumnReader *column)
{
	for (int i = 0; i < column->n_features; i++)
	{
		if (targets[i]->histogram != NULL)
			batch_put_null(&places[i]);
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

/* Columns that were added after the row was made */
static void
add_missing(Profile *profile, RowReader *reader, double *places, int first)
{
	for (int i = first; i < reader->shape->desc->natts; i++)
	{
		int			feature = reader->steps[i].feature;
		bool		is_null;
		Datum		value = getmissingattr(reader->shape->desc, i + 1,
										   &is_null);

		if (is_null)
			add_null(&profile->targets[feature], &places[feature],
					 &reader->columns[i]);
		else
			add_value(&profile->targets[feature], &places[feature],
					  &reader->columns[i], value);
	}
}

/*
 * The row is read where it lies, in one pass: taking it apart first would cost
 * as much as what follows.
 */
void
profile_add_row(Profile *profile, RowReader *reader, HeapTupleHeader row)
{
	int			n = Min(HeapTupleHeaderGetNatts(row),
						reader->shape->desc->natts);
	const bits8 *not_null = (row->t_infomask & HEAP_HASNULL) != 0 ?
		row->t_bits : NULL;
	char	   *data = (char *) row + row->t_hoff;
	uint32		offset = 0;
	double	   *places;

	if (unlikely(profile->shape != reader->shape->identifier))
	{
		/* in this order: an error must not leave half of a binding */
		profile->shape = 0;
		profile_bind(profile, reader->n_features, reader->features);
		profile->shape = reader->shape->identifier;
	}
	places = profile->batch +
		(size_t) profile->n_batched * profile->n_targets;
	for (int i = 0; i < n; i++)
	{
		const ColumnStep step = reader->steps[i];
		int32		integer;
		double		value;

		if (not_null != NULL && att_isnull(i, not_null))
		{
			add_null(&profile->targets[step.feature], &places[step.feature],
					 &reader->columns[i]);
			continue;
		}
		/* a value of varying length is padded unless its header is short */
		if (step.length != -1 || !VARATT_NOT_PAD_BYTE(data + offset))
			offset = TYPEALIGN(step.alignment, offset);
		switch (step.method)
		{
			case READ_FLOAT8:
				memcpy(&value, data + offset, sizeof(value));
				batch_put(&places[step.feature], value);
				break;
			case READ_INT4:
				memcpy(&integer, data + offset, sizeof(integer));
				places[step.feature] = integer;
				break;
			default:
				add_value(&profile->targets[step.feature],
						  &places[step.feature], &reader->columns[i],
						  fetch_att(data + offset, reader->columns[i].by_value,
									step.length));
				break;
		}
		offset = att_addlength_pointer(offset, step.length, data + offset);
	}
	if (unlikely(n < reader->shape->desc->natts))
		add_missing(profile, reader, places, n);
	profile->n_rows++;
	if (++profile->n_batched == profile->batch_size)
		profile_make_room(profile);
}
