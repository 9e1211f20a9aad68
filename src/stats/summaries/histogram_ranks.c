/*-------------------------------------------------------------------------
 *
 * histogram_ranks.c
 *		The Mann-Whitney test over two histograms.
 *
 * Rows in different bins are ordered, rows in one bin of many values are not:
 * each such pair counts as anything from 0 to 1, so that U of the rows is
 * known but for half the pairs within bins. See doc/statistics.md,
 * "Certified intervals".
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "stats/laws/rank_law.h"
#include "stats/options.h"
#include "stats/summaries/histogram.h"
#include "stats/summaries/histogram_compare.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(mlmeta_histogram_mann_whitney_test);

typedef enum RankMethod
{
	RANK_METHOD_AUTO,
	RANK_METHOD_EXACT,
	RANK_METHOD_EXACT_NO_TIES,
	RANK_METHOD_ASYMPTOTIC
} RankMethod;

static const char *const methods[] = {
	"auto", "exact", "exact_no_ties", "asymptotic", NULL
};

typedef struct RankGroups
{
	int64		n;
	TieGroup   *groups;
	bool	   *is_point;
} RankGroups;

static void
add_group(RankGroups *all, int64 reference, int64 current, bool is_point)
{
	if (reference == 0 && current == 0)
		return;
	all->groups[all->n].reference = reference;
	all->groups[all->n].current = current;
	all->is_point[all->n] = is_point;
	all->n++;
}

/* Bins with rows in ascending order, the infinities as points at the ends */
static RankGroups
rank_groups(const Histogram *reference, const Histogram *current)
{
	const HistogramGrid *grid = reference->grid ? reference->grid :
		current->grid;
	int			last = reference->n_bins - 1;
	RankGroups	all = {0};

	all.groups = palloc((reference->n_bins + 2) * sizeof(TieGroup));
	all.is_point = palloc((reference->n_bins + 2) * sizeof(bool));
	add_group(&all, reference->negative_infinities,
			  current->negative_infinities, true);
	for (int i = 0; i <= last; i++)
	{
		int64		c = reference->counts[i];
		int64		d = current->counts[i];

		if (i == 0)
		{
			c -= reference->negative_infinities;
			d -= current->negative_infinities;
		}
		if (i == last)
		{
			c -= reference->positive_infinities;
			d -= current->positive_infinities;
		}
		add_group(&all, c, d,
				  grid != NULL && histogram_bin_is_point(grid, i));
	}
	add_group(&all, reference->positive_infinities,
			  current->positive_infinities, true);
	return all;
}

/* The law without ties knows no groups: it only falls away from the middle */
static PValueBounds
no_ties_bounds(double low, double high, int64 n, int64 m,
			   Alternative alternative)
{
	double		at_low = mann_whitney_exact_no_ties(low, n, m, alternative);
	double		at_high = mann_whitney_exact_no_ties(high, n, m, alternative);
	double		middle = 0.5 * (double) n * (double) m;
	PValueBounds bounds;

	bounds.low = Min(at_low, at_high);
	bounds.high = Max(at_low, at_high);
	if (alternative == ALTERNATIVE_TWO_SIDED && low <= middle &&
		high >= middle)
		bounds.high = 1.0;
	return bounds;
}

/*
 * mann_whitney_test(reference, current, alternative, method, continuity): U of
 * the reference, pairs within a bin as ties, with the interval that holds that
 * of the rows; the p-value is the upper bound.
 */
Datum
mlmeta_histogram_mann_whitney_test(PG_FUNCTION_ARGS)
{
	Histogram  *reference =
		histogram_settled(summary_read(PG_GETARG_DATUM(0), &histogram_type));
	Histogram  *current =
		histogram_settled(summary_read(PG_GETARG_DATUM(1), &histogram_type));
	Alternative alternative =
		choice_parse("mann_whitney_test", "alternative",
					 text_to_cstring(PG_GETARG_TEXT_PP(2)), alternative_names);
	RankMethod	method =
		choice_parse("mann_whitney_test", "method",
					 text_to_cstring(PG_GETARG_TEXT_PP(3)), methods);
	bool		continuity = PG_GETARG_BOOL(4);
	RankGroups	all;
	PValueBounds p;
	TestResult	result;
	int128		doubled_low;
	int128		doubled_high;

	histogram_check_same_grid("mann_whitney_test", reference, current);
	if (reference->n == 0 || current->n == 0)
	{
		result = test_result_empty(reference->n, current->n,
								   test_result_missing(reference->n,
													   current->n));
		return test_result_datum(fcinfo, &result);
	}
	if (method == RANK_METHOD_AUTO)
		method = mann_whitney_exact_affordable(reference->n, current->n) ?
			RANK_METHOD_EXACT : RANK_METHOD_ASYMPTOTIC;
	else if (method != RANK_METHOD_ASYMPTOTIC)
		mann_whitney_check_exact(reference->n, current->n);

	all = rank_groups(reference, current);
	mann_whitney_bounds(all.groups, all.is_point, all.n, &doubled_low,
						&doubled_high);
	result.statistic_low = (double) doubled_low / 2;
	result.statistic_high = (double) doubled_high / 2;
	result.statistic =
		(double) (doubled_low + (doubled_high - doubled_low) / 2) / 2;
	result.n_reference = reference->n;
	result.n_current = current->n;
	result.method = methods[method];
	if (method == RANK_METHOD_EXACT)
		p = mann_whitney_exact_bounds(all.groups, all.is_point, all.n,
									  alternative);
	else if (method == RANK_METHOD_EXACT_NO_TIES)
		p = no_ties_bounds(result.statistic_low, result.statistic_high,
						   reference->n, current->n, alternative);
	else
		p = mann_whitney_asymptotic_bounds(all.groups, all.is_point, all.n,
										   continuity, alternative);
	result.p_low = p.low;
	result.p_high = result.p_value = p.high;
	return test_result_datum(fcinfo, &result);
}
