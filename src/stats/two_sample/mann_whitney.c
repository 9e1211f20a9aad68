/*-------------------------------------------------------------------------
 *
 * mann_whitney.c
 *		The Mann-Whitney (Wilcoxon rank sum) test over rows.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "stats/laws/rank_law.h"
#include "stats/two_sample/two_sample.h"
#include "storage/shmem.h"

PG_FUNCTION_INFO_V1(mlmeta_mann_whitney_test_final);

typedef enum MannWhitneyMethod
{
	MANN_WHITNEY_AUTO,
	MANN_WHITNEY_EXACT,
	MANN_WHITNEY_EXACT_NO_TIES,
	MANN_WHITNEY_ASYMPTOTIC
} MannWhitneyMethod;

static const char *const methods[] = {
	"auto", "exact", "exact_no_ties", "asymptotic", NULL
};

Datum
mlmeta_mann_whitney_test_final(PG_FUNCTION_ARGS)
{
	TwoSample  *state = two_sample_state(fcinfo);
	int			alternative = ALTERNATIVE_TWO_SIDED;
	int			method = MANN_WHITNEY_AUTO;
	bool		continuity = true;
	const OptionSpec specs[] = {
		{"alternative", OPTION_CHOICE, &alternative, 0, 0,
		alternative_names},
		{"method", OPTION_CHOICE, &method, 0, 0, methods},
		{"continuity", OPTION_BOOL, &continuity, 0, 0, NULL},
	};
	int64		n;
	int64		m;
	int64		below = 0;		/* current rows */
	int128		twice_u = 0;
	double		tie_sum = 0;
	const char *missing;
	TieScan    *scan;
	TieGroup	group;
	TieGroup   *groups = NULL;
	int64		n_groups = 0;
	double		value;
	TestResult	result;

	if (state == NULL)
		PG_RETURN_NULL();
	two_sample_options(state, "mann_whitney_test", specs, lengthof(specs));
	n = two_sample_count(state, REFERENCE);
	m = two_sample_count(state, CURRENT);
	missing = two_sample_missing(state);
	result = test_result_empty(n, m, missing);
	if (missing != NULL)
		return test_result_datum(fcinfo, &result);
	if (method == MANN_WHITNEY_AUTO)
		method = mann_whitney_exact_affordable(n, m) ?
			MANN_WHITNEY_EXACT : MANN_WHITNEY_ASYMPTOTIC;
	else if (method != MANN_WHITNEY_ASYMPTOTIC)
		mann_whitney_check_exact(n, m);
	if (method == MANN_WHITNEY_EXACT)
		groups = palloc(mul_size(n + m, sizeof(TieGroup)));

	scan = tie_scan_begin(state);
	while (tie_scan_next(scan, &value, &group))
	{
		double		size = (double) (group.reference + group.current);

		twice_u += group.reference * (2 * (int128) below + group.current);
		below += group.current;
		if (size > 1)
			tie_sum += size * (size - 1) * (size + 1);
		if (groups != NULL)
			groups[n_groups++] = group;
	}
	tie_scan_end(scan);

	result.statistic = (double) twice_u / 2;
	result.method = methods[method];
	if (method == MANN_WHITNEY_EXACT)
		result.p_value = mann_whitney_exact_tied(groups, n_groups,
												 alternative);
	else if (method == MANN_WHITNEY_EXACT_NO_TIES)
		result.p_value = mann_whitney_exact_no_ties(result.statistic, n, m,
													alternative);
	else
		result.p_value = mann_whitney_asymptotic(result.statistic, n, m,
												 tie_sum, continuity,
												 alternative);
	test_result_is_exact(&result);
	return test_result_datum(fcinfo, &result);
}
