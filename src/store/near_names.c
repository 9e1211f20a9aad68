/*-------------------------------------------------------------------------
 *
 * near_names.c
 *		How far two names are apart, for hints that say what is near.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "utils/builtins.h"
#include "utils/varlena.h"

PG_FUNCTION_INFO_V1(mlmeta_edit_distance);

/*
 * edit_distance(a, b) -> int: the least number of characters to insert, delete
 * or replace to make one of the other. Time goes with the product of their
 * lengths: callers cut them.
 */
Datum
mlmeta_edit_distance(PG_FUNCTION_ARGS)
{
	text	   *a = PG_GETARG_TEXT_PP(0);
	text	   *b = PG_GETARG_TEXT_PP(1);

	PG_RETURN_INT32(varstr_levenshtein(VARDATA_ANY(a), VARSIZE_ANY_EXHDR(a),
									   VARDATA_ANY(b), VARSIZE_ANY_EXHDR(b),
									   1, 1, 1, false));
}
