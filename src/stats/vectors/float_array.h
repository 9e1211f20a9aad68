/*-------------------------------------------------------------------------
 *
 * float_array.h
 *		float8[] arguments as C arrays.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_STATS_FLOAT_ARRAY_H
#define MLMETA_STATS_FLOAT_ARRAY_H

#include "core/compat.h"

#include <math.h>

#include "utils/array.h"

/*
 * The numbers of a one-dimensional float8[] and how many they are, from 1 to
 * max_n; NULL if one of them is NULL. Valid as long as the array. Raises
 * 2202E for other shapes, naming what.
 */
static inline const double *
float_array_values(ArrayType *array, int max_n, const char *what, int *n)
{
	if (unlikely(ARR_NDIM(array) != 1))
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 ARR_NDIM(array) == 0 ? errmsg("%s are empty", what) :
				 errmsg("%s are no one-dimensional array", what)));
	*n = ARR_DIMS(array)[0];
	if (unlikely(*n > max_n))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s have more than %d elements", what, max_n),
				 errdetail("They have %d.", *n)));
	if (ARR_HASNULL(array) && array_contains_nulls(array))
		return NULL;
	return (const double *) ((char *) array +
							 (ARR_HASNULL(array) ? (Size) array->dataoffset :
							  ARR_OVERHEAD_NONULLS(1)));
}

static inline bool
floats_are_finite(const double *values, int n)
{
	for (int i = 0; i < n; i++)
		if (unlikely(!isfinite(values[i])))
			return false;
	return true;
}

#endif							/* MLMETA_STATS_FLOAT_ARRAY_H */
