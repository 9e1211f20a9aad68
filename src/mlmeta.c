/*-------------------------------------------------------------------------
 *
 * mlmeta.c
 *		Module entry: the magic block and the library's version.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#if PG_VERSION_NUM >= 180000
PG_MODULE_MAGIC_EXT(.name = "mlmeta", .version = "0.1.0");
#else
PG_MODULE_MAGIC;
#endif
