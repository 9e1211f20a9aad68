/*-------------------------------------------------------------------------
 *
 * histogram_compare.c
 *		Comparisons of two histograms: divergences over common bins, and
 *		distances with bounds that hold for the rows behind them.
 *
 * The bounds need no assumption about how values lie inside a bin: at the
 * edges both distribution functions are known exactly, between them they can
 * only rise. Formulas and proofs: doc/statistics.md, "Certified intervals".
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <float.h>
#include <math.h>

#include "core/float_key.h"
#include "funcapi.h"
#include "stats/two_sample/difference_integral.h"
#include "stats/summaries/histogram.h"
#include "stats/summaries/histogram_compare.h"
#include "stats/laws/distributions.h"
#include "stats/laws/ks_law.h"
#include "stats/measures.h"
#include "stats/options.h"
#include "utils/builtins.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(mlmeta_histogram_psi);
PG_FUNCTION_INFO_V1(mlmeta_histogram_kl);
PG_FUNCTION_INFO_V1(mlmeta_histogram_js);
PG_FUNCTION_INFO_V1(mlmeta_histogram_js_distance);
PG_FUNCTION_INFO_V1(mlmeta_histogram_hellinger);
PG_FUNCTION_INFO_V1(mlmeta_histogram_total_variation);
PG_FUNCTION_INFO_V1(mlmeta_histogram_l_infinity);
PG_FUNCTION_INFO_V1(mlmeta_histogram_chi2_test);
PG_FUNCTION_INFO_V1(mlmeta_histogram_g_test);
PG_FUNCTION_INFO_V1(mlmeta_histogram_ks);
PG_FUNCTION_INFO_V1(mlmeta_histogram_ks_test);
PG_FUNCTION_INFO_V1(mlmeta_histogram_wasserstein);
PG_FUNCTION_INFO_V1(mlmeta_histogram_wasserstein_interval);
PG_FUNCTION_INFO_V1(mlmeta_histogram_energy_distance);
PG_FUNCTION_INFO_V1(mlmeta_histogram_energy_distance_interval);
PG_FUNCTION_INFO_V1(mlmeta_ks_lower_bound);
PG_FUNCTION_INFO_V1(mlmeta_ks_detectable);

#define HISTOGRAM_ARG(n) \
	histogram_settled(summary_read(PG_GETARG_DATUM(n), &histogram_type))

/* ----------
 * Divergences over common bins
 * ----------
 */

void
histogram_check_same_grid(const char *function_name,
						  const Histogram *reference,
						  const Histogram *current)
{
	if (!histogram_same_grid(reference, current))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s: the histograms have different bins",
						function_name),
				 errhint("Build the current one on the bins of the "
						 "reference: histogram(value, reference).")));
}

AlignedCounts
histogram_align(const char *function_name, const Histogram *reference,
				const Histogram *current, int bins)
{
	AlignedCounts aligned;
	int		   *cell_of;

	if (bins < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s: the number of bins must not be negative",
						function_name),
				 errhint("0 takes the bins of the histograms as they are.")));
	histogram_check_same_grid(function_name, reference, current);
	cell_of = palloc(reference->n_bins * sizeof(int));
	aligned.k = histogram_coarsen(reference, bins, cell_of);
	aligned.reference = palloc0(aligned.k * sizeof(int64));
	aligned.current = palloc0(aligned.k * sizeof(int64));
	for (int i = 0; i < reference->n_bins; i++)
	{
		aligned.reference[cell_of[i]] += reference->counts[i];
		aligned.current[cell_of[i]] += current->counts[i];
	}
	pfree(cell_of);
	return aligned;
}

/* NULL where a side is empty: the measures give NaN then */
#define RETURN_MEASURE(value) \
	do { \
		double		measure_ = (value); \
		if (isnan(measure_)) \
			PG_RETURN_NULL(); \
		PG_RETURN_FLOAT8(measure_); \
	} while (0)

/* psi(reference, current, bins, rule, epsilon) */
Datum
mlmeta_histogram_psi(PG_FUNCTION_ARGS)
{
	AlignedCounts counts = histogram_align("psi", HISTOGRAM_ARG(0), HISTOGRAM_ARG(1),
								 PG_GETARG_INT32(2));
	EmptyRule	rule = choice_parse("psi", "rule",
									text_to_cstring(PG_GETARG_TEXT_PP(3)),
									empty_rule_names);

	measure_check_epsilon("psi", PG_GETARG_FLOAT8(4));
	RETURN_MEASURE(measure_psi(counts.reference, counts.current, counts.k,
							   rule, PG_GETARG_FLOAT8(4)));
}

Datum
mlmeta_histogram_kl(PG_FUNCTION_ARGS)
{
	AlignedCounts counts = histogram_align("kl_divergence", HISTOGRAM_ARG(0),
								 HISTOGRAM_ARG(1), PG_GETARG_INT32(2));

	RETURN_MEASURE(measure_in_base("kl_divergence",
								   measure_kl(counts.reference,
											  counts.current, counts.k),
								   PG_GETARG_FLOAT8(3)));
}

Datum
mlmeta_histogram_js(PG_FUNCTION_ARGS)
{
	AlignedCounts counts = histogram_align("js_divergence", HISTOGRAM_ARG(0),
								 HISTOGRAM_ARG(1), PG_GETARG_INT32(2));

	RETURN_MEASURE(measure_in_base("js_divergence",
								   measure_js(counts.reference,
											  counts.current, counts.k),
								   PG_GETARG_FLOAT8(3)));
}

Datum
mlmeta_histogram_js_distance(PG_FUNCTION_ARGS)
{
	AlignedCounts counts = histogram_align("js_distance", HISTOGRAM_ARG(0),
								 HISTOGRAM_ARG(1), PG_GETARG_INT32(2));

	RETURN_MEASURE(sqrt(measure_in_base("js_distance",
										measure_js(counts.reference,
												   counts.current, counts.k),
										PG_GETARG_FLOAT8(3))));
}

Datum
mlmeta_histogram_hellinger(PG_FUNCTION_ARGS)
{
	AlignedCounts counts = histogram_align("hellinger", HISTOGRAM_ARG(0),
								 HISTOGRAM_ARG(1), PG_GETARG_INT32(2));

	RETURN_MEASURE(measure_hellinger(counts.reference, counts.current,
									 counts.k));
}

Datum
mlmeta_histogram_total_variation(PG_FUNCTION_ARGS)
{
	AlignedCounts counts = histogram_align("total_variation", HISTOGRAM_ARG(0),
								 HISTOGRAM_ARG(1), PG_GETARG_INT32(2));

	RETURN_MEASURE(measure_total_variation(counts.reference, counts.current,
										   counts.k));
}

Datum
mlmeta_histogram_l_infinity(PG_FUNCTION_ARGS)
{
	AlignedCounts counts = histogram_align("l_infinity", HISTOGRAM_ARG(0),
								 HISTOGRAM_ARG(1), PG_GETARG_INT32(2));

	RETURN_MEASURE(measure_l_infinity(counts.reference, counts.current,
									  counts.k));
}

/*
 * chi2_test and g_test (reference, current, bins, minimum_expected, yates,
 * method), the method chi2_test's alone
 */
static AlignedCounts
align_for_test(const char *function_name, FunctionCallInfo fcinfo)
{
	AlignedCounts counts = histogram_align(function_name, HISTOGRAM_ARG(0),
								 HISTOGRAM_ARG(1), PG_GETARG_INT32(2));
	double		minimum = PG_GETARG_FLOAT8(3);

	measure_check_minimum(function_name, minimum);
	if (minimum > 0)
		counts.k = measure_merge_adjacent(counts.reference, counts.current,
										  counts.k, minimum);
	return counts;
}

Datum
mlmeta_histogram_chi2_test(PG_FUNCTION_ARGS)
{
	AlignedCounts counts = align_for_test("chi2_test", fcinfo);
	Chi2Method	method = choice_parse("chi2_test", "method",
									  text_to_cstring(PG_GETARG_TEXT_PP(5)),
									  chi2_method_names);
	TestResult	result = measure_chi2_test(counts.reference, counts.current,
										   counts.k, PG_GETARG_BOOL(4),
										   method);

	return test_result_datum(fcinfo, &result);
}

Datum
mlmeta_histogram_g_test(PG_FUNCTION_ARGS)
{
	AlignedCounts counts = align_for_test("g_test", fcinfo);
	TestResult	result = measure_g_test(counts.reference, counts.current,
										counts.k, PG_GETARG_BOOL(4),
										CHI2_ASYMPTOTIC);

	return test_result_datum(fcinfo, &result);
}

/* ----------
 * Both distribution functions between common borders
 * ----------
 */

/*
 * One stretch of the line, from left to right border. The counts below each
 * border are exact where the border is an edge of that histogram, else
 * bounded by the edges around it.
 */
typedef struct Stretch
{
	double		left;			/* -Infinity, Infinity: the infinities */
	double		right;
	bool		is_point;		/* one value only */
	int64		reference_low;	/* rows of the reference below right: from */
	int64		reference_high; /* ... to */
	int64		current_low;
	int64		current_high;
	int			bin;			/* of both, on a common grid, or -1 */
} Stretch;

typedef struct Stretches
{
	const Histogram *reference;
	const Histogram *current;
	int64		n;
	int64		m;
	int			n_stretches;
	Stretch    *stretches;
} Stretches;

/* Rows below the border x, between *low and *high */
static void
count_below(const Histogram *histogram, const int64 *below, double x,
			int64 *low, int64 *high)
{
	const HistogramGrid *grid = histogram->grid;
	int			bin = grid_find_bin(grid, x);

	/* bin's left edge is the last edge at or below x */
	*low = bin > 0 ? below[bin] : histogram->negative_infinities;
	if (bin > 0 && grid->edges[bin - 1] == x)
		*high = *low;
	else
		*high = bin < grid->n_edges ? below[bin + 1] :
			histogram->n - histogram->positive_infinities;
	if (histogram_finite_count(histogram) > 0)
	{
		if (x <= histogram->minimum)
			*high = Min(*high, histogram->negative_infinities);
		if (x > histogram->maximum)
			*low = Max(*low, histogram->n - histogram->positive_infinities);
	}
}

/* below[i]: rows in bins before bin i */
static int64 *
running_counts(const Histogram *histogram)
{
	int64	   *below = palloc((histogram->n_bins + 1) * sizeof(int64));

	below[0] = 0;
	for (int i = 0; i < histogram->n_bins; i++)
		below[i + 1] = below[i] + histogram->counts[i];
	return below;
}

/* The edges of both, merged */
static double *
union_of_edges(const HistogramGrid *a, const HistogramGrid *b, int *n)
{
	double	   *edges = palloc((a->n_edges + b->n_edges + 1) *
							   sizeof(double));
	int			i = 0;
	int			j = 0;

	*n = 0;
	while (i < a->n_edges || j < b->n_edges)
	{
		double		edge;

		if (j == b->n_edges ||
			(i < a->n_edges && a->edges[i] <= b->edges[j]))
			edge = a->edges[i];
		else
			edge = b->edges[j];
		while (i < a->n_edges && a->edges[i] == edge)
			i++;
		while (j < b->n_edges && b->edges[j] == edge)
			j++;
		edges[(*n)++] = edge;
	}
	return edges;
}

/*
 * Cuts the line at the edges of both. Detached histograms on one grid are cut
 * at their bins, whose borders are then unknown (NaN).
 */
static Stretches
make_stretches(const char *function_name, const Histogram *reference,
			   const Histogram *current)
{
	bool		same = histogram_same_grid(reference, current);
	const HistogramGrid *grid = reference->grid ? reference->grid :
		current->grid;
	int64	   *reference_below = running_counts(reference);
	int64	   *current_below = running_counts(current);
	double	   *edges = NULL;
	int			n_edges;
	Stretches	result;
	Stretch    *s;

	if (!same && (reference->grid == NULL || current->grid == NULL))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%s: detached histograms of different grids cannot "
						"be compared", function_name),
				 errhint("Give them back their edges with attach(histogram, "
						 "baseline).")));
	if (!same)
		edges = union_of_edges(reference->grid, current->grid, &n_edges);
	else
	{
		n_edges = reference->n_bins - 1;
		if (grid != NULL)
			edges = grid->edges;
	}

	result.reference = reference;
	result.current = current;
	result.n = reference->n;
	result.m = current->n;
	result.n_stretches = n_edges + 3;
	result.stretches = palloc0(result.n_stretches * sizeof(Stretch));

	/* -Infinity is a point before everything else */
	s = result.stretches;
	s->left = s->right = -get_float8_infinity();
	s->is_point = true;
	s->reference_low = s->reference_high = reference->negative_infinities;
	s->current_low = s->current_high = current->negative_infinities;
	s->bin = -1;

	for (int i = 0; i <= n_edges; i++)
	{
		s++;
		s->bin = same ? i : -1;
		s->left = i == 0 ? -get_float8_infinity() :
			edges ? edges[i - 1] : get_float8_nan();
		s->right = i == n_edges ? get_float8_infinity() :
			edges ? edges[i] : get_float8_nan();
		s->is_point = edges != NULL && i > 0 && i < n_edges &&
			float_is_next(edges[i - 1], edges[i]);
		if (i == n_edges)
		{
			s->reference_low = s->reference_high =
				reference->n - reference->positive_infinities;
			s->current_low = s->current_high =
				current->n - current->positive_infinities;
		}
		else if (same)
		{
			s->reference_low = s->reference_high = reference_below[i + 1];
			s->current_low = s->current_high = current_below[i + 1];
		}
		else
		{
			count_below(reference, reference_below, edges[i],
						&s->reference_low, &s->reference_high);
			count_below(current, current_below, edges[i],
						&s->current_low, &s->current_high);
		}
	}

	s++;
	s->left = s->right = get_float8_infinity();
	s->is_point = true;
	s->reference_low = s->reference_high = reference->n;
	s->current_low = s->current_high = current->n;
	s->bin = -1;

	pfree(reference_below);
	pfree(current_below);
	return result;
}

/* ----------
 * Kolmogorov-Smirnov
 * ----------
 */

/* The exact law counts in 61 bits, and would take years long before that */
#define KS_EXACT_LIMIT	(INT64CONST(1) << 60)

/* n * m times the distance, as integers */
typedef struct KsBounds
{
	int128		low;
	int128		high;
} KsBounds;

static inline void
raise_to(int128 *value, int128 candidate)
{
	if (candidate > *value)
		*value = candidate;
}

static KsBounds
ks_bounds(const Stretches *all, Alternative alternative)
{
	KsBounds	bounds = {0, 0};
	int64		n = all->n;
	int64		m = all->m;

	for (int i = 0; i < all->n_stretches; i++)
	{
		const Stretch *s = &all->stretches[i];
		bool		inner = i > 0 && !s->is_point;
		int64		reference_left = inner ? s[-1].reference_low :
			s->reference_low;
		int64		current_left = inner ? s[-1].current_low :
			s->current_low;

		if (alternative != ALTERNATIVE_LESS)
		{
			raise_to(&bounds.low, (int128) s->reference_low * m -
					 (int128) s->current_high * n);
			raise_to(&bounds.high, (int128) s->reference_high * m -
					 (int128) current_left * n);
		}
		if (alternative != ALTERNATIVE_GREATER)
		{
			raise_to(&bounds.low, (int128) s->current_low * n -
					 (int128) s->reference_high * m);
			raise_to(&bounds.high, (int128) s->current_high * n -
					 (int128) reference_left * m);
		}
	}
	return bounds;
}

/* As the exact test over rows divides: equal integers, equal distances */
static double
ks_ratio(int128 scaled, int64 n, int64 m)
{
	return (double) scaled / (double) ((int128) n * m);
}

/* ks(reference, current, alternative): the rows' distance is at least this */
Datum
mlmeta_histogram_ks(PG_FUNCTION_ARGS)
{
	Stretches	all = make_stretches("ks", HISTOGRAM_ARG(0),
									 HISTOGRAM_ARG(1));
	Alternative alternative =
		choice_parse("ks", "alternative",
					 text_to_cstring(PG_GETARG_TEXT_PP(2)), alternative_names);

	if (all.n == 0 || all.m == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(ks_ratio(ks_bounds(&all, alternative).low, all.n,
							  all.m));
}

/* So many rows in bins of unknown ties are laid out one by one */
#define KS_MAX_SINGLES	1000000

/* The ties that are known: the rows of each bin, as if they all tied */
typedef struct KnownTies
{
	TieGroup   *groups;
	int64		n_groups;
	int64		singles;		/* rows that are not in point bins */
	bool		any_point;
	bool		aligned;		/* both histograms have all of these borders */
} KnownTies;

static KnownTies
known_ties(const Stretches *all)
{
	KnownTies	ties = {0};
	int64		reference = 0;
	int64		current = 0;

	ties.groups = palloc(all->n_stretches * sizeof(TieGroup));
	ties.aligned = true;
	for (int i = 0; i < all->n_stretches; i++)
	{
		const Stretch *s = &all->stretches[i];
		TieGroup   *group = &ties.groups[ties.n_groups];

		if (s->reference_low != s->reference_high ||
			s->current_low != s->current_high)
			ties.aligned = false;
		group->reference = s->reference_low - reference;
		group->current = s->current_low - current;
		reference = s->reference_low;
		current = s->current_low;
		if (group->reference + group->current == 0)
			continue;
		ties.n_groups++;
		if (s->is_point)
			ties.any_point = true;
		else
			ties.singles += group->reference + group->current;
	}
	return ties;
}

/*
 * Bounds of the exact p-value of the rows, conditional on their ties, of which
 * the histograms know only some: all rows of a point bin tie, those of another
 * bin may or may not. The mass that leaves a band is the larger the more often
 * the walk is looked at, so looking after each row that is not known to tie
 * bounds it from above (at the lower distance), and looking only at the borders
 * of bins from below (at the upper distance).
 */
static double
ks_exact_low(const KnownTies *ties, KsBounds bounds, Alternative alternative)
{
	return !ties->aligned ? 0.0 :
		ks_exact_pvalue_at(ties->groups, ties->n_groups, (int64) bounds.high,
						   alternative);
}

static double
ks_exact_high(const Stretches *all, const KnownTies *ties, KsBounds bounds,
			  Alternative alternative)
{
	TieGroup   *loose;
	int64		n_loose = 0;
	int			next = 0;
	double		result;

	if (bounds.low == 0)
		return 1.0;
	if (!ties->aligned || !ties->any_point || ties->singles > KS_MAX_SINGLES)
		return ks_exact_no_ties_at((int64) bounds.low, all->n, all->m,
								   alternative);

	loose = palloc((ties->singles + ties->n_groups) * sizeof(TieGroup));
	for (int i = 0; i < all->n_stretches; i++)
	{
		const Stretch *s = &all->stretches[i];
		const TieGroup *group = &ties->groups[next];
		int64		rows = s->reference_low + s->current_low;

		if (i > 0)
			rows -= s[-1].reference_low + s[-1].current_low;
		if (rows == 0)
			continue;
		next++;
		if (s->is_point)
		{
			loose[n_loose++] = *group;
			continue;
		}
		/* only the pooled rows matter: which sample is the same */
		for (int64 j = 0; j < rows; j++)
		{
			loose[n_loose].reference = j < group->reference;
			loose[n_loose].current = j >= group->reference;
			n_loose++;
		}
	}
	result = ks_exact_pvalue_at(loose, n_loose, (int64) bounds.low,
								alternative);
	pfree(loose);
	return result;
}

/* Up to this many pairs of rows the exact law takes some microseconds */
#define KS_QUICK_BUDGET		1e5

/* ... and up to this many, milliseconds: where ties make it another law */
#define KS_QUICK_TIED_BUDGET	1e7
#define KS_QUICK_TIED_SHARE		0.1

/* The upper bound of the p-value, for who asks for hundreds of them */
static double
ks_quick_high(const Stretches *all, KsBounds bounds)
{
	double		pairs = (double) all->n * (double) all->m;
	double		rows = (double) all->n + (double) all->m;
	KnownTies	ties;

	if (bounds.low == 0)
		return 1.0;
	if (pairs <= KS_QUICK_TIED_BUDGET)
	{
		ties = known_ties(all);
		if (pairs <= KS_QUICK_BUDGET ||
			(ties.aligned &&
			 rows - (double) ties.singles >= KS_QUICK_TIED_SHARE * rows))
			return ks_exact_high(all, &ties, bounds, ALTERNATIVE_TWO_SIDED);
	}
	return ks_quick_pvalue(ks_ratio(bounds.low, all->n, all->m), all->n,
						   all->m);
}

/*
 * Beyond the budget of the exact law, few distinct values make it cheap again,
 * and rows use it then. Where all of them are points, so does this, and
 * returns true. Otherwise the lower bound makes room for it.
 */
static bool
ks_few_values(const Stretches *all, KsBounds bounds, Alternative alternative,
			  double *p_low, double *p_high)
{
	KnownTies	ties = known_ties(all);
	bool		cheap = ties.aligned &&
		ks_exact_affordable_tied(ties.groups, ties.n_groups);

	if (cheap)
		*p_low = Min(*p_low, ks_exact_pvalue_at(ties.groups, ties.n_groups,
												(int64) bounds.high,
												alternative));
	if (cheap && ties.singles == 0)
		*p_high = *p_low = ks_exact_pvalue_at(ties.groups, ties.n_groups,
											  (int64) bounds.low,
											  alternative);
	pfree(ties.groups);
	return cheap && ties.singles == 0;
}

/*
 * The test over summaries: statistic and p-value with bounds that hold for the
 * rows behind them.
 */
TestResult
histogram_ks_test(const Histogram *reference, const Histogram *current,
				  Alternative alternative, KsMethod method)
{
	Stretches	all = make_stretches("ks_test", reference, current);
	TestResult	result;
	KsBounds	bounds;

	if (all.n == 0 || all.m == 0)
		return test_result_empty(all.n, all.m,
								 test_result_missing(all.n, all.m));
	bounds = ks_bounds(&all, alternative);
	result.statistic = result.statistic_low =
		ks_ratio(bounds.low, all.n, all.m);
	result.statistic_high = ks_ratio(bounds.high, all.n, all.m);
	result.n_reference = all.n;
	result.n_current = all.m;

	if ((method == KS_METHOD_EXACT || method == KS_METHOD_EXACT_NO_TIES) &&
		(int128) all.n * all.m > KS_EXACT_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("ks_test: too many rows for the exact law"),
				 errdetail("There are " INT64_FORMAT " reference and "
						   INT64_FORMAT " current rows.", all.n, all.m),
				 errhint("Use the method asymptotic.")));
	if (method == KS_METHOD_QUICK)
	{
		Assert(alternative == ALTERNATIVE_TWO_SIDED);
		result.p_low = 0;
		result.p_high = ks_quick_high(&all, bounds);
		result.method = "quick";
	}
	else if (method == KS_METHOD_EXACT ||
			 (method == KS_METHOD_AUTO && ks_exact_affordable(all.n, all.m)))
	{
		KnownTies	ties = known_ties(&all);

		result.p_low = ks_exact_low(&ties, bounds, alternative);
		result.p_high = ks_exact_high(&all, &ties, bounds, alternative);
		result.method = "exact";
	}
	else if (method == KS_METHOD_EXACT_NO_TIES)
	{
		result.p_high = ks_exact_no_ties_at((int64) bounds.low, all.n, all.m,
											alternative);
		result.p_low = ks_exact_no_ties_at((int64) bounds.high, all.n, all.m,
										   alternative);
		result.method = "exact_no_ties";
	}
	else
	{
		result.p_high = bounds.low == 0 ? 1.0 :
			ks_asymptotic_pvalue(result.statistic_low, all.n, all.m,
								 alternative);
		result.p_low = ks_asymptotic_pvalue(result.statistic_high, all.n,
											all.m, alternative);
		result.method = method == KS_METHOD_AUTO &&
			ks_few_values(&all, bounds, alternative, &result.p_low,
						  &result.p_high) ? "exact" : "asymptotic";
	}
	result.p_low = Min(result.p_low, result.p_high);
	result.p_value = result.p_high;
	return result;
}

/* ks_test(reference, current, alternative, method) */
Datum
mlmeta_histogram_ks_test(PG_FUNCTION_ARGS)
{
	static const char *const methods[] =
	{"auto", "exact", "exact_no_ties", "asymptotic", NULL};
	Alternative alternative =
		choice_parse("ks_test", "alternative",
					 text_to_cstring(PG_GETARG_TEXT_PP(2)), alternative_names);
	int			method = choice_parse("ks_test", "method",
									  text_to_cstring(PG_GETARG_TEXT_PP(3)),
									  methods);
	TestResult	result = histogram_ks_test(HISTOGRAM_ARG(0), HISTOGRAM_ARG(1),
										   alternative, method);

	return test_result_datum(fcinfo, &result);
}

static double
check_level(const char *function_name, double alpha)
{
	measure_check_alpha(function_name, alpha);
	return sqrt(-log(alpha / 2) / 2);
}

static double
check_samples(const char *function_name, int64 n, int64 m)
{
	if (n < 1 || m < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s: sample sizes must be positive", function_name)));
	return sqrt(1.0 / (double) n + 1.0 / (double) m);
}

/* ks_lower_bound(d_low, n_reference, n_current, alpha) */
Datum
mlmeta_ks_lower_bound(PG_FUNCTION_ARGS)
{
	double		scale = check_samples("ks_lower_bound", PG_GETARG_INT64(1),
									  PG_GETARG_INT64(2));
	double		level = check_level("ks_lower_bound", PG_GETARG_FLOAT8(3));

	measure_check_share("ks_lower_bound", "d_low", PG_GETARG_FLOAT8(0));
	PG_RETURN_FLOAT8(Max(0.0, PG_GETARG_FLOAT8(0) - level * scale));
}

/*
 * ks_detectable(n_reference, n_current, tolerance, alpha, beta): NULL where
 * that is more than a distance can be
 */
Datum
mlmeta_ks_detectable(PG_FUNCTION_ARGS)
{
	double		scale = check_samples("ks_detectable", PG_GETARG_INT64(0),
									  PG_GETARG_INT64(1));
	double		level = check_level("ks_detectable", PG_GETARG_FLOAT8(3)) +
		check_level("ks_detectable", PG_GETARG_FLOAT8(4));

	if (!(PG_GETARG_FLOAT8(2) >= 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("ks_detectable: tolerance must not be negative"),
				 errdetail("It is %g.", PG_GETARG_FLOAT8(2))));
	if (PG_GETARG_FLOAT8(2) + level * scale > 1)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(PG_GETARG_FLOAT8(2) + level * scale);
}

/* ----------
 * Wasserstein-1 and energy distance
 * ----------
 */

/*
 * Sum of (x - left) over the rows of a bin, divided by the total rows of the
 * histogram: between *low and *high. Divided first, because the sum itself may
 * overflow.
 */
static void
offset_bounds(const Histogram *histogram, const Stretch *s, double total,
			  double width, double *low, double *high)
{
	double		share = (double) histogram->counts[s->bin] / total;
	double		scale = histogram->grid->scale[s->bin];
	double		sum;
	double		error;

	if (histogram->sums == NULL || scale == 0)
	{
		*low = 0;
		*high = share * width;
		return;
	}

	/* each value was rounded to half a quantum; products round once more */
	sum = (double) histogram->sums[s->bin] / total / scale;
	error = share * 0.5 / scale + sum * 4 * DBL_EPSILON;
	*low = Max(0.0, sum - error);
	*high = Min(share * width, sum + error);
}

/* F - G where F counts so many rows of the reference and G of the current */
static double
difference_of(const Stretches *all, int64 reference, int64 current)
{
	return (double) ((int128) reference * all->m - (int128) current * all->n) /
		(double) ((int128) all->n * all->m);
}

/*
 * Bounds of the integrals of |F - G| and of (F - G)^2 over the line, each
 * stretch apart. Outer stretches end at the smallest and largest value.
 */
static void
integrate(const char *function_name, const Stretches *all,
		  DistanceBounds *absolute, DistanceBounds *squared)
{
	const Histogram *r = all->reference;
	const Histogram *c = all->current;
	double		n = (double) all->n;
	double		m = (double) all->m;
	bool		r_any = histogram_finite_count(r) > 0;
	bool		c_any = histogram_finite_count(c) > 0;
	double		minimum = !r_any ? c->minimum : !c_any ? r->minimum :
		Min(r->minimum, c->minimum);
	double		maximum = !r_any ? c->maximum : !c_any ? r->maximum :
		Max(r->maximum, c->maximum);
	double		mean_distance;
	bool		differ = false;

	memset(absolute, 0, sizeof(*absolute));
	memset(squared, 0, sizeof(*squared));
	for (int i = 1; i < all->n_stretches - 1; i++)
	{
		const Stretch *s = &all->stretches[i];
		double		left = Max(s->left, minimum);
		double		right = Min(s->right, maximum);
		double		width = right - left;
		double		most = Max(difference_of(all, s->reference_high,
											 s[-1].current_low),
							   -difference_of(all, s[-1].reference_low,
											  s->current_high));
		double		high;
		double		low = 0;

		if (isnan(width))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("%s needs the edges of the histograms, which are "
							"detached", function_name),
					 errhint("Give one of them back its edges with "
							 "attach(histogram, baseline).")));
		if (s->is_point)
		{
			/*
			 * Constant up to the next float, at values that are known where
			 * both histograms have that edge, and bounded otherwise.
			 */
			double		above = difference_of(all, s->reference_low,
											  s->current_high);
			double		below = difference_of(all, s->reference_high,
											  s->current_low);

			width = s->right - s->left;
			most = Max(below, -above);
			low = width * Max(0.0, Max(above, -below));
		}
		if (!(width > 0 && most > 0))
			continue;
		if (isfinite(width))
			high = width * most;
		else
			high = 2 * ((right / 2 - left / 2) * most);
		if (s->bin > 0 && s->bin < r->n_bins - 1 && !s->is_point &&
			isfinite(s->right - s->left) && r->grid != NULL && c->grid != NULL)
		{
			double		full = s->right - s->left;
			double		f_low;
			double		f_high;
			double		g_low;
			double		g_high;
			double		f_share = (double) r->counts[s->bin] / n;
			double		g_share = (double) c->counts[s->bin] / m;
			double		at_left = difference_of(all, s[-1].reference_low,
												s[-1].current_low);
			double		jump_left = fabs(at_left);
			double		jump_right = fabs(difference_of(all,
														s->reference_high,
														s->current_high));
			double		from_left;
			double		from_right;
			double		signed_low;
			double		signed_high;
			double		rounding = 8 * DBL_EPSILON * full;

			offset_bounds(r, s, n, full, &f_low, &f_high);
			offset_bounds(c, s, m, full, &g_low, &g_high);

			/* A = sum(right - x) / n, R = sum(x - left) / n */
			from_left = full * jump_left +
				(f_share * full - f_low) + (g_share * full - g_low) + rounding;
			from_right = full * jump_right + f_high + g_high + rounding;
			high = Min(high, Min(from_left, from_right));

			/* the integral of F - G itself, over the whole bin */
			signed_low = full * at_left +
				(f_share * full - f_high) - (g_share * full - g_low) -
				rounding;
			signed_high = full * at_left +
				(f_share * full - f_low) - (g_share * full - g_high) +
				rounding;
			if (signed_low > 0)
				low = signed_low;
			else if (signed_high < 0)
				low = -signed_high;
			low = Min(low, high);
			width = full;
		}
		absolute->low += low;
		absolute->high += high;
		differ = true;
		squared->low += low * (low / width);
		squared->high += Min(high * most, width * most * most);
	}

	/* what rounding can have done to sums of this many terms */
	absolute->high *= 1 + 8 * DBL_EPSILON * all->n_stretches;
	squared->high *= 1 + 8 * DBL_EPSILON * all->n_stretches;
	absolute->low *= 1 - 8 * DBL_EPSILON * all->n_stretches;
	squared->low *= 1 - 8 * DBL_EPSILON * all->n_stretches;
	if (differ)
	{
		/* near the least float, rounding is absolute */
		double		least = 4 * DBL_MIN * DBL_EPSILON * all->n_stretches;

		absolute->high += least;
		squared->high += least;
		absolute->low = Max(0.0, absolute->low - least);
		squared->low = Max(0.0, squared->low - least);
	}

	/* the root of twice an integral may be a number where that is none */
	squared->low = Min(squared->low, DBL_MAX);

	/* the means are exact, and no transport moves less than their distance */
	if (histogram_finite_count(r) == r->n && histogram_finite_count(c) == c->n)
	{
		mean_distance = fabs(histogram_mean(r) - histogram_mean(c));
		/* each is rounded; near the least float, by half of that */
		mean_distance -= 4 * DBL_EPSILON *
			(fabs(histogram_mean(r)) + fabs(histogram_mean(c))) +
			2 * DBL_MIN * DBL_EPSILON;
		if (mean_distance > absolute->low)
			absolute->low = Min(mean_distance, absolute->high);
	}
}

/* Infinite when the shares of an infinity differ; equal shares move nothing */
bool
histogram_distances(const char *function_name, const Histogram *r,
					const Histogram *c, DistanceBounds *wasserstein,
					DistanceBounds *energy)
{
	Stretches	all;

	if (r->n == 0 || c->n == 0)
		return false;
	if ((int128) r->negative_infinities * c->n !=
		(int128) c->negative_infinities * r->n ||
		(int128) r->positive_infinities * c->n !=
		(int128) c->positive_infinities * r->n)
	{
		wasserstein->low = wasserstein->high = get_float8_infinity();
		*energy = *wasserstein;
		return true;
	}
	all = make_stretches(function_name, r, c);
	integrate(function_name, &all, wasserstein, energy);
	energy->low = energy_from_integral(energy->low);
	energy->high = energy_from_integral(energy->high);
	return true;
}

static double
middle(DistanceBounds bounds)
{
	return isinf(bounds.high) ? bounds.high :
		bounds.low + (bounds.high - bounds.low) / 2;
}

static Datum
interval_datum(FunctionCallInfo fcinfo, double low, double high)
{
	TupleDesc	desc;
	Datum		values[2];
	bool		nulls[2] = {false, false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "an interval function does not return a row");
	values[0] = Float8GetDatum(low);
	values[1] = Float8GetDatum(high);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values,
											 nulls));
}

/*
 * The bounds in units of the reference's standard deviation (n in the
 * denominator), which need not be a float8 of full precision itself; false
 * where that is none.
 */
static bool
normalise(const Histogram *reference, DistanceBounds *bounds)
{
	double		unit;
	int			exponent;

	if (histogram_finite_count(reference) < reference->n)
		return false;
	unit = exact_moments_spread_parts(&reference->moments, reference->n,
									  reference->n, &exponent);
	if (!(unit > 0))
		return false;
	bounds->low = ldexp(bounds->low, -exponent) / unit;
	bounds->high = ldexp(bounds->high, -exponent) / unit;
	return true;
}

/* wasserstein(reference, current, normed): the middle of the interval */
Datum
mlmeta_histogram_wasserstein(PG_FUNCTION_ARGS)
{
	Histogram  *reference = HISTOGRAM_ARG(0);
	DistanceBounds wasserstein;
	DistanceBounds energy;

	if (!histogram_distances("wasserstein", reference, HISTOGRAM_ARG(1),
							 &wasserstein, &energy))
		PG_RETURN_NULL();
	wasserstein.low = wasserstein.high = middle(wasserstein);
	if (PG_GETARG_BOOL(2) && !normalise(reference, &wasserstein))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(wasserstein.low);
}

Datum
mlmeta_histogram_wasserstein_interval(PG_FUNCTION_ARGS)
{
	Histogram  *reference = HISTOGRAM_ARG(0);
	DistanceBounds wasserstein;
	DistanceBounds energy;

	if (!histogram_distances("wasserstein_interval", reference,
							 HISTOGRAM_ARG(1), &wasserstein, &energy) ||
		(PG_GETARG_BOOL(2) && !normalise(reference, &wasserstein)))
		PG_RETURN_NULL();
	return interval_datum(fcinfo, wasserstein.low, wasserstein.high);
}

/* energy_distance(reference, current): the middle of the interval */
Datum
mlmeta_histogram_energy_distance(PG_FUNCTION_ARGS)
{
	DistanceBounds wasserstein;
	DistanceBounds energy;

	if (!histogram_distances("energy_distance", HISTOGRAM_ARG(0),
							 HISTOGRAM_ARG(1), &wasserstein, &energy))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(middle(energy));
}

Datum
mlmeta_histogram_energy_distance_interval(PG_FUNCTION_ARGS)
{
	DistanceBounds wasserstein;
	DistanceBounds energy;

	if (!histogram_distances("energy_distance_interval", HISTOGRAM_ARG(0),
							 HISTOGRAM_ARG(1), &wasserstein, &energy))
		PG_RETURN_NULL();
	return interval_datum(fcinfo, energy.low, energy.high);
}
