/*-------------------------------------------------------------------------
 *
 * row_shape.c
 *		Taking rows of any type apart.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "catalog/pg_type.h"
#include "core/row_shape.h"
#include "utils/memutils.h"

RowShape *
row_shape_make(HeapTupleHeader row, MemoryContext parent)
{
	Oid			type = HeapTupleHeaderGetTypeId(row);
	int32		typmod = HeapTupleHeaderGetTypMod(row);
	MemoryContext context = AllocSetContextCreate(parent, "mlmeta row shape",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RowShape   *shape = palloc0(sizeof(RowShape));
	TupleDesc	desc = lookup_rowtype_tupdesc(type, typmod);

	shape->context = context;
	/* with its constraints: they hold the values of columns added later */
	shape->desc = CreateTupleDescCopyConstr(desc);
	ReleaseTupleDesc(desc);
	/* only now: looking a record up may have given it its identifier */
	shape->identifier = row_shape_identifier(row);
	if (type != RECORDOID)
		shape->type = lookup_type_cache(type, TYPECACHE_TUPDESC);
	shape->values = palloc(Max(shape->desc->natts, 1) * sizeof(Datum));
	shape->nulls = palloc(Max(shape->desc->natts, 1) * sizeof(bool));
	MemoryContextSwitchTo(old);
	return shape;
}

void
row_shape_deform(RowShape *shape, HeapTupleHeader row)
{
	HeapTupleData tuple;

	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = row;
	heap_deform_tuple(&tuple, shape->desc, shape->values, shape->nulls);
}
