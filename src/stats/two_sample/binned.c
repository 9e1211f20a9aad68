/*-------------------------------------------------------------------------
 *
 * binned.c
 *		PSI and the divergences over rows, on quantile bins of the reference.
 *
 * The inner edges are the type-7 quantiles of the reference at i / bins, equal
 * ones once, none at the minimum (its bin would be empty); bins hold their
 * left edge. Both samples are then counted exactly, and measures.h compares
 * the counts.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "stats/measures.h"
#include "stats/two_sample/two_sample.h"

/* Counts of both samples in the same bins */
typedef struct Binned
{
	int			k;
	int64	   *count[2];
} Binned;

/* The inner edges as keys, ascending and distinct; the reference has rows */
static uint64 *
reference_edges(TwoSample *state, int bins, int *n_edges)
{
	uint64	   *edges = palloc(bins * sizeof(uint64));
	double	   *p = palloc(bins * sizeof(double));
	double	   *quantiles = palloc(bins * sizeof(double));
	TieScan    *scan = tie_scan_begin_one(state, REFERENCE);

	/* the first one is the minimum */
	for (int i = 0; i < bins; i++)
		p[i] = (double) i / bins;
	tie_scan_quantiles(scan, two_sample_count(state, REFERENCE), p, bins,
					   quantiles);
	tie_scan_end(scan);

	*n_edges = 0;
	for (int i = 1; i < bins; i++)
		if (quantiles[i] > quantiles[i - 1])
			edges[(*n_edges)++] = float_key(quantiles[i]);
	pfree(p);
	pfree(quantiles);
	return edges;
}

/* Edges at or below key, which is its bin */
static inline int
find_bin(const uint64 *edges, int n_edges, uint64 key)
{
	int			low = 0;

	while (n_edges > 0)
	{
		int			half = (n_edges + 1) / 2;

		low = edges[low + half - 1] <= key ? low + half : low;
		n_edges -= half;
	}
	return low;
}

/* False when a sample is empty */
static bool
bin_rows(TwoSample *state, int bins, Binned *binned)
{
	uint64	   *edges;
	int			n_edges;

	if (two_sample_missing(state) != NULL)
		return false;
	edges = reference_edges(state, bins, &n_edges);
	binned->k = n_edges + 1;
	for (int which = 0; which < 2; which++)
	{
		int64	   *count = palloc0(binned->k * sizeof(int64));
		KeyReader	reader;
		const uint64 *keys;
		size_t		n;

		key_reader_begin(&reader, state, which);
		while ((n = key_reader_next(&reader, &keys)) > 0)
			for (size_t i = 0; i < n; i++)
				count[find_bin(edges, n_edges, keys[i])]++;
		key_reader_end(&reader);
		binned->count[which] = count;
	}
	pfree(edges);
	return true;
}

/* ----------
 * The aggregates
 * ----------
 */

PG_FUNCTION_INFO_V1(mlmeta_psi_final);
PG_FUNCTION_INFO_V1(mlmeta_kl_divergence_final);
PG_FUNCTION_INFO_V1(mlmeta_js_divergence_final);
PG_FUNCTION_INFO_V1(mlmeta_js_distance_final);
PG_FUNCTION_INFO_V1(mlmeta_hellinger_final);
PG_FUNCTION_INFO_V1(mlmeta_total_variation_final);
PG_FUNCTION_INFO_V1(mlmeta_l_infinity_final);

/* psi(value, is_current [, bins] [, options]); options bins, rule, epsilon */
Datum
mlmeta_psi_final(PG_FUNCTION_ARGS)
{
	TwoSample  *state = two_sample_state(fcinfo);
	int			bins;
	int			rule = EMPTY_FLOOR;
	double		epsilon = PSI_DEFAULT_EPSILON;
	const OptionSpec specs[] = {
		{"bins", OPTION_INT, &bins, 1, TWO_SAMPLE_MAX_BINS, NULL},
		{"rule", OPTION_CHOICE, &rule, 0, 0, empty_rule_names},
		{"epsilon", OPTION_FLOAT, &epsilon, 0, 1, NULL},
	};
	Binned		binned;

	if (state == NULL)
		PG_RETURN_NULL();
	bins = two_sample_bins(state, PSI_DEFAULT_BINS);
	two_sample_options(state, "psi", specs, lengthof(specs));
	measure_check_epsilon("psi", epsilon);
	if (!bin_rows(state, bins, &binned))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(measure_psi(binned.count[REFERENCE],
								 binned.count[CURRENT], binned.k,
								 rule, epsilon));
}

typedef double (*Measure) (const int64 *reference, const int64 *current,
						   int k);

/* A measure with the option bins, and base unless base is NULL */
static bool
measure_final(FunctionCallInfo fcinfo, const char *name, Measure measure,
			  double *base, double *result)
{
	TwoSample  *state = two_sample_state(fcinfo);
	int			bins = PSI_DEFAULT_BINS;
	const OptionSpec specs[] = {
		{"bins", OPTION_INT, &bins, 1, TWO_SAMPLE_MAX_BINS, NULL},
		{"base", OPTION_FLOAT, base, 1, 1e308, NULL},
	};
	Binned		binned;

	if (state == NULL)
		return false;
	two_sample_options(state, name, specs, base == NULL ? 1 : 2);
	if (!bin_rows(state, bins, &binned))
		return false;
	*result = measure(binned.count[REFERENCE], binned.count[CURRENT],
					  binned.k);
	return true;
}

Datum
mlmeta_kl_divergence_final(PG_FUNCTION_ARGS)
{
	double		base = M_E;
	double		result;

	if (!measure_final(fcinfo, "kl_divergence", measure_kl, &base, &result))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(measure_in_base("kl_divergence", result, base));
}

Datum
mlmeta_js_divergence_final(PG_FUNCTION_ARGS)
{
	double		base = M_E;
	double		result;

	if (!measure_final(fcinfo, "js_divergence", measure_js, &base, &result))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(measure_in_base("js_divergence", result, base));
}

Datum
mlmeta_js_distance_final(PG_FUNCTION_ARGS)
{
	double		base = M_E;
	double		result;

	if (!measure_final(fcinfo, "js_distance", measure_js, &base, &result))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(sqrt(measure_in_base("js_distance", result, base)));
}

Datum
mlmeta_hellinger_final(PG_FUNCTION_ARGS)
{
	double		result;

	if (!measure_final(fcinfo, "hellinger", measure_hellinger, NULL, &result))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(result);
}

Datum
mlmeta_total_variation_final(PG_FUNCTION_ARGS)
{
	double		result;

	if (!measure_final(fcinfo, "total_variation", measure_total_variation,
					   NULL, &result))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(result);
}

Datum
mlmeta_l_infinity_final(PG_FUNCTION_ARGS)
{
	double		result;

	if (!measure_final(fcinfo, "l_infinity", measure_l_infinity, NULL,
					   &result))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(result);
}
