/*-------------------------------------------------------------------------
 *
 * artifact_index.c
 *		Lets a btree index answer "which are the versions of this artifact".
 *
 * In the order of artifacts all versions of one stand together. So what
 * artifact <@ reference asks for lies between the reference without version
 * and the first thing of a greater name, and the planner may look there.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "access/stratnum.h"
#include "catalog/pg_am.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "parser/parse_func.h"
#include "types/artifact.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(mlmeta_artifact_successor);
PG_FUNCTION_INFO_V1(mlmeta_contains_support);
PG_FUNCTION_INFO_V1(mlmeta_is_version_of_support);

/*
 * artifact_successor(artifact): greater than all versions of the artifact and
 * than nothing else: of its kind, its name and one more character, the least.
 * (That may be longer than a name can be. Only comparisons see it.)
 */
Datum
mlmeta_artifact_successor(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	struct varlena *result;
	Artifact	artifact;
	char	   *name;
	int			size;

	if (!artifact_load(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value),
					   &artifact))
		elog(ERROR, "a stored value of type artifact is damaged");
	name = palloc(artifact.name_size + 1);
	memcpy(name, artifact.name, artifact.name_size);
	name[artifact.name_size] = 1;
	artifact.name = name;
	artifact.name_size++;
	artifact.version_size = 0;
	artifact.digest = NULL;

	size = VARHDRSZ + artifact_stored_size(&artifact);
	result = palloc(size);
	SET_VARSIZE(result, size);
	artifact_store(&artifact, VARDATA(result));
	PG_RETURN_POINTER(result);
}

/* indexed OPERATOR schema.function(reference), NULL if either is not there */
static Expr *
make_bound(SupportRequestIndexCondition *request, Node *indexed,
		   Node *reference, StrategyNumber strategy, char *schema,
		   char *function)
{
	Oid			type = exprType(indexed);
	Oid			operator_oid;
	Oid			function_oid;
	FuncExpr   *bound;

	operator_oid = get_opfamily_member(request->opfamily, type, type,
									   strategy);
	function_oid = LookupFuncName(list_make2(makeString(schema),
											 makeString(function)),
								  1, &type, true);
	if (!OidIsValid(operator_oid) || !OidIsValid(function_oid))
		return NULL;
	bound = makeFuncExpr(function_oid, type, list_make1(reference),
						 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
	return make_opclause(operator_oid, BOOLOID, false, (Expr *) indexed,
						 (Expr *) bound, InvalidOid, InvalidOid);
}

/*
 * The planner's question for a function of two artifacts of which the one at
 * position indexed_argument is what is looked for.
 */
static Datum
index_condition(FunctionCallInfo fcinfo, int indexed_argument)
{
	Node	   *raw_request = (Node *) PG_GETARG_POINTER(0);
	SupportRequestIndexCondition *request;
	List	   *arguments;
	Node	   *indexed;
	Node	   *reference;
	Expr	   *lower;
	Expr	   *upper;

	if (!IsA(raw_request, SupportRequestIndexCondition))
		PG_RETURN_POINTER(NULL);
	request = (SupportRequestIndexCondition *) raw_request;
	if (request->indexarg != indexed_argument ||
		request->index->relam != BTREE_AM_OID)
		PG_RETURN_POINTER(NULL);

	if (is_opclause(request->node))
		arguments = ((OpExpr *) request->node)->args;
	else if (is_funcclause(request->node))
		arguments = ((FuncExpr *) request->node)->args;
	else
		PG_RETURN_POINTER(NULL);
	if (list_length(arguments) != 2)
		PG_RETURN_POINTER(NULL);
	indexed = list_nth(arguments, indexed_argument);
	reference = list_nth(arguments, 1 - indexed_argument);
	if (exprType(indexed) != exprType(reference) ||
		!is_pseudo_constant_for_index(request->root, reference,
									  request->index))
		PG_RETURN_POINTER(NULL);

	lower = make_bound(request, indexed, reference,
					   BTGreaterEqualStrategyNumber, "mlmeta",
					   "any_version");
	upper = make_bound(request, indexed, reference, BTLessStrategyNumber,
					   "mlmeta_internal", "artifact_successor");
	if (lower == NULL || upper == NULL)
		PG_RETURN_POINTER(NULL);

	/* a version or digest in the reference is still to be looked at */
	request->lossy = true;
	PG_RETURN_POINTER(list_make2(lower, upper));
}

/* Planner support of contains(a, b), which is a @> b */
Datum
mlmeta_contains_support(PG_FUNCTION_ARGS)
{
	return index_condition(fcinfo, 1);
}

/* Planner support of is_version_of(a, b), which is a <@ b */
Datum
mlmeta_is_version_of_support(PG_FUNCTION_ARGS)
{
	return index_condition(fcinfo, 0);
}
