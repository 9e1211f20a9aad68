/*-------------------------------------------------------------------------
 *
 * summary.h
 *		What all mergeable summary types share: the way from a Datum to a
 *		struct and back, aggregate states, text and binary I/O, comparison.
 *
 * A summary type is a varlena whose stored bytes are the binary form of
 * archive.h, behind the usual header. In memory it is a C struct whose first
 * member is a Summary. Aggregate states are expanded objects of the same SQL
 * type, so that a state is updated in place in its own layout, can be shipped
 * between processes as a plain value, and needs no second format.
 *
 * Because the stored form is canonical, two summaries are equal exactly when
 * their bytes are; order and hash are those of the bytes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_CORE_SUMMARY_H
#define MLMETA_CORE_SUMMARY_H

#include "core/compat.h"
#include "core/archive.h"
#include "utils/expandeddatum.h"

typedef struct Summary Summary;

/* One for each type, static */
typedef struct SummaryType
{
	const char *name;			/* the SQL type, for messages */
	size_t		struct_size;	/* of the C struct that begins with Summary */

	/*
	 * Reads or writes all fields. Reading finds a zeroed struct, allocates in
	 * the current context, and must leave a valid value or archive_fail().
	 * Writing may reorganise the struct but not change its value.
	 */
	void		(*archive) (Archive *ar, Summary *summary);
} SummaryType;

struct Summary
{
	ExpandedObjectHeader header;	/* in use only if is_expanded */
	const SummaryType *type;
	MemoryContext context;		/* holds the struct and all it points to */
	bool		is_expanded;	/* an aggregate state, reachable as a Datum */
	StringInfo	flat;			/* bytes for flattening, while unchanged */
};

/* A new, zeroed summary in the current memory context */
extern void *summary_make(const SummaryType *type);

/*
 * The summary in a Datum, to be read only: that of an expanded object itself,
 * else a decoded copy in the current context.
 */
extern void *summary_read(Datum value, const SummaryType *type);

/* A copy in the current context, free to be changed */
extern void *summary_copy(void *summary);

/* The Datum of a summary: an expanded one as such, others flattened */
extern Datum summary_datum(void *summary);

/*
 * Aggregate states. summary_state() returns the state in argument 0, ready to
 * be changed, or NULL if that is NULL; summary_new_state() makes one in the
 * aggregate's context, as a copy of from unless that is NULL. Both raise an
 * error outside of an aggregate. What grows in a state must be allocated in
 * its context.
 */
extern void *summary_state(FunctionCallInfo fcinfo, const SummaryType *type);

/*
 * The quick way to the state of argument 0, for transition functions: NULL
 * unless it is one of ours to be changed as it is. summary_state() is for the
 * other cases.
 */
extern const ExpandedObjectMethods summary_methods;

static inline void *
summary_quick_state(FunctionCallInfo fcinfo)
{
	struct varlena *state = (struct varlena *) PG_GETARG_POINTER(0);
	Summary    *summary;

	if (PG_ARGISNULL(0) || !VARATT_IS_EXTERNAL_EXPANDED_RW(state))
		return NULL;
	summary = (Summary *) DatumGetEOHP(PointerGetDatum(state));
	if (summary->header.eoh_methods != &summary_methods ||
		summary->flat != NULL)
		return NULL;
	return summary;
}

extern void *summary_new_state(FunctionCallInfo fcinfo,
							   const SummaryType *type, Summary *from);

/* Bodies of the type's input, output, receive and send functions */
extern Datum summary_in(FunctionCallInfo fcinfo, const SummaryType *type);
extern Datum summary_out(FunctionCallInfo fcinfo, const SummaryType *type);
extern Datum summary_recv(FunctionCallInfo fcinfo, const SummaryType *type);
extern Datum summary_send(FunctionCallInfo fcinfo, const SummaryType *type);

/*
 * Whether argument argno of an aggregate call is the same for all rows of a
 * group: a constant or a parameter. False when unknown.
 */
extern bool aggregate_argument_is_stable(FunctionCallInfo fcinfo, int argno);

#endif							/* MLMETA_CORE_SUMMARY_H */
