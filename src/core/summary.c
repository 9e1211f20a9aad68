/*-------------------------------------------------------------------------
 *
 * summary.c
 *		Summaries as Datums: expanded aggregate states, flat stored values,
 *		I/O, equality, order and hash.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "core/summary.h"
#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(mlmeta_summary_eq);
PG_FUNCTION_INFO_V1(mlmeta_summary_ne);
PG_FUNCTION_INFO_V1(mlmeta_summary_lt);
PG_FUNCTION_INFO_V1(mlmeta_summary_le);
PG_FUNCTION_INFO_V1(mlmeta_summary_gt);
PG_FUNCTION_INFO_V1(mlmeta_summary_ge);
PG_FUNCTION_INFO_V1(mlmeta_summary_cmp);
PG_FUNCTION_INFO_V1(mlmeta_summary_hash);
PG_FUNCTION_INFO_V1(mlmeta_summary_hash_extended);

/* One block that holds a state of modest size whole, such as twenty bins */
#define STATE_CONTEXT_SIZE	2048

/* ----------
 * Encoding and decoding
 * ----------
 */

/* The stored form, with room for the varlena header in front */
static StringInfo
encode(Summary *summary)
{
	StringInfo	out = makeStringInfo();
	Archive		ar;

	appendStringInfoSpaces(out, VARHDRSZ);
	archive_write(&ar, ARCHIVE_WRITE_BINARY, summary->type->name, out);
	summary->type->archive(&ar, summary);
	SET_VARSIZE(out->data, out->len);
	return out;
}

/* NULL after a soft error */
static Summary *
decode(const SummaryType *type, ArchiveDirection mode, const char *data,
	   size_t size, struct Node *escontext)
{
	Summary    *summary = summary_make(type);
	Archive		ar;

	archive_read(&ar, mode, type->name, data, size, escontext);
	type->archive(&ar, summary);
	archive_finish(&ar);
	return ar.failed ? NULL : summary;
}

void *
summary_make(const SummaryType *type)
{
	Summary    *summary = palloc0(type->struct_size);

	summary->type = type;
	summary->context = CurrentMemoryContext;
	return summary;
}

/* ----------
 * Expanded objects
 * ----------
 */

static Size
get_flat_size(ExpandedObjectHeader *header)
{
	Summary    *summary = (Summary *) header;

	if (summary->flat == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(summary->context);

		summary->flat = encode(summary);
		MemoryContextSwitchTo(old);
	}
	return summary->flat->len;
}

static void
flatten_into(ExpandedObjectHeader *header, void *result, Size size)
{
	Summary    *summary = (Summary *) header;

	Assert(summary->flat != NULL && (Size) summary->flat->len == size);
	memcpy(result, summary->flat->data, size);
}

const ExpandedObjectMethods summary_methods = {
	get_flat_size,
	flatten_into
};

/* The summary behind an expanded Datum, NULL if value is none of ours */
static inline Summary *
expanded_summary(Datum value)
{
	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)))
	{
		Summary    *summary = (Summary *) DatumGetEOHP(value);

		if (summary->header.eoh_methods == &summary_methods)
			return summary;
	}
	return NULL;
}

void *
summary_read(Datum value, const SummaryType *type)
{
	Summary    *summary = expanded_summary(value);
	struct varlena *flat;

	if (summary != NULL)
	{
		Assert(summary->type == type);
		return summary;
	}
	flat = PG_DETOAST_DATUM_PACKED(value);
	summary = decode(type, ARCHIVE_READ_BINARY, VARDATA_ANY(flat),
					 VARSIZE_ANY_EXHDR(flat), NULL);
	if ((Pointer) flat != DatumGetPointer(value))
		pfree(flat);
	return summary;
}

void *
summary_copy(void *object)
{
	Summary    *summary = object;
	StringInfo	bytes = encode(summary);

	return decode(summary->type, ARCHIVE_READ_BINARY, bytes->data + VARHDRSZ,
				  bytes->len - VARHDRSZ, NULL);
}

Datum
summary_datum(void *object)
{
	Summary    *summary = object;

	if (summary->is_expanded)
		return EOHPGetRWDatum(&summary->header);
	return PointerGetDatum(encode(summary)->data);
}

static MemoryContext
require_aggregate(FunctionCallInfo fcinfo, const SummaryType *type)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a support function of an aggregate over type %s was "
						"called outside of one", type->name),
				 errhint("Call the aggregate itself.")));
	return context;
}

void *
summary_new_state(FunctionCallInfo fcinfo, const SummaryType *type,
				  Summary *from)
{
	MemoryContext parent = require_aggregate(fcinfo, type);
	MemoryContext context;
	MemoryContext old;
	Summary    *summary;
	StringInfo	bytes = NULL;

	if (from != NULL)
		bytes = encode(from);

	context = AllocSetContextCreate(parent, "mlmeta summary",
									STATE_CONTEXT_SIZE,
									ALLOCSET_SMALL_INITSIZE,
									ALLOCSET_SMALL_MAXSIZE);
	old = MemoryContextSwitchTo(context);
	if (bytes != NULL)
		summary = decode(type, ARCHIVE_READ_BINARY, bytes->data + VARHDRSZ,
						 bytes->len - VARHDRSZ, NULL);
	else
		summary = summary_make(type);
	MemoryContextSwitchTo(old);

	EOH_init_header(&summary->header, &summary_methods, context);
	summary->is_expanded = true;
	return summary;
}

void *
summary_state(FunctionCallInfo fcinfo, const SummaryType *type)
{
	/*
	 * A read-write pointer to a summary exists only as the state of a running
	 * aggregate, and is ours to change. Anything else (an initial condition,
	 * a state that somebody else can see too) is copied once.
	 */
	if (likely(!PG_ARGISNULL(0) &&
			   VARATT_IS_EXTERNAL_EXPANDED_RW(PG_GETARG_POINTER(0))))
	{
		Summary    *summary = expanded_summary(PG_GETARG_DATUM(0));

		if (likely(summary != NULL))
		{
			if (unlikely(summary->flat != NULL))
			{
				pfree(summary->flat->data);
				pfree(summary->flat);
				summary->flat = NULL;
			}
			return summary;
		}
	}
	(void) require_aggregate(fcinfo, type);
	if (PG_ARGISNULL(0))
		return NULL;
	return summary_new_state(fcinfo, type,
							 summary_read(PG_GETARG_DATUM(0), type));
}

bool
aggregate_argument_is_stable(FunctionCallInfo fcinfo, int argno)
{
	Aggref	   *aggref = AggGetAggref(fcinfo);
	Node	   *node;

	if (aggref == NULL || argno >= list_length(aggref->args))
		return false;
	node = (Node *) ((TargetEntry *) list_nth(aggref->args, argno))->expr;
	node = strip_implicit_coercions(node);
	return IsA(node, Const) || IsA(node, Param);
}

/* ----------
 * Text and binary I/O
 * ----------
 */

Datum
summary_in(FunctionCallInfo fcinfo, const SummaryType *type)
{
	char	   *text = PG_GETARG_CSTRING(0);
	Summary    *summary;

	summary = decode(type, ARCHIVE_READ_TEXT, text, strlen(text),
					 fcinfo->context);
	if (summary == NULL)
		PG_RETURN_NULL();
	return summary_datum(summary);
}

Datum
summary_out(FunctionCallInfo fcinfo, const SummaryType *type)
{
	Summary    *summary = summary_read(PG_GETARG_DATUM(0), type);
	StringInfoData out;
	Archive		ar;

	initStringInfo(&out);
	archive_write(&ar, ARCHIVE_WRITE_TEXT, type->name, &out);
	type->archive(&ar, summary);
	PG_RETURN_CSTRING(out.data);
}

Datum
summary_recv(FunctionCallInfo fcinfo, const SummaryType *type)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			size = buf->len - buf->cursor;
	const char *data = pq_getmsgbytes(buf, size);

	return summary_datum(decode(type, ARCHIVE_READ_BINARY, data, size, NULL));
}

/* The wire form is the stored form. */
Datum
summary_send(FunctionCallInfo fcinfo, const SummaryType *type)
{
	struct varlena *flat = PG_GETARG_VARLENA_PP(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbytes(&buf, VARDATA_ANY(flat), VARSIZE_ANY_EXHDR(flat));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* ----------
 * Comparison, for all summary types alike
 * ----------
 */

static int
compare_arguments(FunctionCallInfo fcinfo)
{
	struct varlena *a = PG_GETARG_VARLENA_PP(0);
	struct varlena *b = PG_GETARG_VARLENA_PP(1);
	size_t		a_size = VARSIZE_ANY_EXHDR(a);
	size_t		b_size = VARSIZE_ANY_EXHDR(b);
	int			cmp = memcmp(VARDATA_ANY(a), VARDATA_ANY(b),
							 Min(a_size, b_size));

	if (cmp == 0)
		cmp = (a_size > b_size) - (a_size < b_size);
	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return cmp;
}

Datum
mlmeta_summary_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) == 0);
}

Datum
mlmeta_summary_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) != 0);
}

Datum
mlmeta_summary_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) < 0);
}

Datum
mlmeta_summary_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) <= 0);
}

Datum
mlmeta_summary_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) > 0);
}

Datum
mlmeta_summary_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) >= 0);
}

Datum
mlmeta_summary_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare_arguments(fcinfo));
}

Datum
mlmeta_summary_hash(PG_FUNCTION_ARGS)
{
	struct varlena *a = PG_GETARG_VARLENA_PP(0);
	Datum		result = hash_any((unsigned char *) VARDATA_ANY(a),
								  VARSIZE_ANY_EXHDR(a));

	PG_FREE_IF_COPY(a, 0);
	return result;
}

Datum
mlmeta_summary_hash_extended(PG_FUNCTION_ARGS)
{
	struct varlena *a = PG_GETARG_VARLENA_PP(0);
	Datum		result = hash_any_extended((unsigned char *) VARDATA_ANY(a),
										   VARSIZE_ANY_EXHDR(a),
										   PG_GETARG_INT64(1));

	PG_FREE_IF_COPY(a, 0);
	return result;
}
