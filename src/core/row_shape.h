/*-------------------------------------------------------------------------
 *
 * row_shape.h
 *		The columns of the rows that a function is given, looked up once and
 *		used for many rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_CORE_ROW_SHAPE_H
#define MLMETA_CORE_ROW_SHAPE_H

#include "core/compat.h"
#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "utils/typcache.h"

typedef struct RowShape
{
	MemoryContext context;		/* of all that is here, and of its owner's */
	uint64		identifier;		/* of the type's current definition */
	TypeCacheEntry *type;		/* NULL: a record without a named type */
	TupleDesc	desc;
	Datum	   *values;			/* of the last row that was taken apart ... */
	bool	   *nulls;			/* ... desc->natts of them */
} RowShape;

/* A shape for rows like this one, in a new child of parent */
extern RowShape *row_shape_make(HeapTupleHeader row, MemoryContext parent);

/* Fills values and nulls; the values point into the row */
extern void row_shape_deform(RowShape *shape, HeapTupleHeader row);

/*
 * What identifies the columns of a row, within a session: types that are
 * altered get a new identifier.
 */
static inline uint64
row_shape_identifier(HeapTupleHeader row)
{
	return assign_record_type_identifier(HeapTupleHeaderGetTypeId(row),
										 HeapTupleHeaderGetTypMod(row));
}

/* Whether the shape is that of the row */
static inline bool
row_shape_fits(const RowShape *shape, HeapTupleHeader row)
{
	const TypeCacheEntry *type = shape->type;

	/* entries live as long as the session; one that is altered loses tupDesc */
	if (type != NULL && type->tupDesc != NULL &&
		type->type_id == HeapTupleHeaderGetTypeId(row))
		return type->tupDesc_identifier == shape->identifier;
	return row_shape_identifier(row) == shape->identifier;
}

#endif							/* MLMETA_CORE_ROW_SHAPE_H */
