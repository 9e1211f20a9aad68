/*-------------------------------------------------------------------------
 *
 * next_transaction.c
 *		The number that the next transaction gets.
 *
 * A snapshot does not tell: its upper end is the last transaction that has
 * ended, and those that run beyond it are not listed.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "access/transam.h"
#include "miscadmin.h"
#include "utils/xid8.h"

PG_FUNCTION_INFO_V1(mlmeta_next_transaction);

/*
 * next_transaction() -> xid8: greater than the number of every transaction that
 * has one by now. Not on a replica, which gives none.
 */
Datum
mlmeta_next_transaction(PG_FUNCTION_ARGS)
{
	PreventCommandDuringRecovery("next_transaction()");
	PG_RETURN_FULLTRANSACTIONID(ReadNextFullTransactionId());
}
