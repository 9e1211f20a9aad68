/*-------------------------------------------------------------------------
 *
 * compat.h
 *		Differences between PostgreSQL 15 and 18, spelled as 18 spells them.
 *
 * Every file of the module includes this one first; no other file tests
 * PG_VERSION_NUM.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_CORE_COMPAT_H
#define MLMETA_CORE_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "mlmeta needs PostgreSQL 15 or later"
#endif

/* SQL-callable functions stay visible in a module with hidden visibility. */
#if PG_VERSION_NUM < 160000
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

#include "fmgr.h"

#if PG_VERSION_NUM < 160000
#undef PG_FUNCTION_INFO_V1
#define PG_FUNCTION_INFO_V1(function) \
	extern PGDLLEXPORT Datum function(PG_FUNCTION_ARGS); \
	extern PGDLLEXPORT const Pg_finfo_record *pg_finfo_##function(void); \
	const Pg_finfo_record * \
	pg_finfo_##function(void) \
	{ \
		static const Pg_finfo_record record = {1}; \
		return &record; \
	} \
	extern int no_such_variable
#endif

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* mul_size() is declared here, or in utils/palloc.h by later minor releases. */
#include "storage/shmem.h"

#ifndef HAVE_INT128
#error "mlmeta needs a platform with 128-bit integers"
#endif

/*
 * Soft input errors arrived with 16. Before that an input function can only
 * raise, so the context is ignored and the value is never used.
 */
#if PG_VERSION_NUM < 160000
#define errsave(context, ...) \
	do { (void) (context); ereport(ERROR, __VA_ARGS__); } while (0)
#define ereturn(context, value, ...) \
	do { (void) (value); ereport(ERROR, __VA_ARGS__); } while (0)
#else
#include "nodes/miscnodes.h"
#endif

/* Since 16 a plan has a list of permissions, apart from its relations. */
#if PG_VERSION_NUM < 160000
#define ExecCheckPermissions(rtable, permissions, error) \
	ExecCheckRTPerms(rtable, error)
#endif

/* Intervals became infinite with 17. */
#if PG_VERSION_NUM < 170000
#define INTERVAL_IS_NOBEGIN(i)	((void) (i), false)
#define INTERVAL_IS_NOEND(i)	((void) (i), false)
#endif

/* Kinds of processes are told by one set of macros from 17 on. */
#if PG_VERSION_NUM < 170000
#define AmAutoVacuumWorkerProcess() IsAutoVacuumWorkerProcess()
#endif

#endif							/* MLMETA_CORE_COMPAT_H */
