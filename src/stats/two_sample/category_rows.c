/*-------------------------------------------------------------------------
 *
 * category_rows.c
 *		Comparisons of categories as exact aggregates over rows: psi, the
 *		distances, chi2_test, g_test and fisher_test over (value, is_current).
 *
 * The state is the SQL type frequency_pair: a frequency table of each side and
 * the options. It never goes beyond the largest capacity, so that the answer
 * is always that of all rows.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "stats/summaries/frequencies_compare.h"
#include "stats/laws/contingency_law.h"
#include "stats/options.h"
#include "utils/builtins.h"
#include "utils/float.h"

PG_FUNCTION_INFO_V1(mlmeta_frequency_pair_in);
PG_FUNCTION_INFO_V1(mlmeta_frequency_pair_out);
PG_FUNCTION_INFO_V1(mlmeta_frequency_pair_recv);
PG_FUNCTION_INFO_V1(mlmeta_frequency_pair_send);

PG_FUNCTION_INFO_V1(mlmeta_frequency_pair_text_transition);
PG_FUNCTION_INFO_V1(mlmeta_frequency_pair_boolean_transition);
PG_FUNCTION_INFO_V1(mlmeta_frequency_pair_bigint_transition);
PG_FUNCTION_INFO_V1(mlmeta_frequency_pair_combine);

PG_FUNCTION_INFO_V1(mlmeta_frequency_pair_psi);
PG_FUNCTION_INFO_V1(mlmeta_frequency_pair_kl);
PG_FUNCTION_INFO_V1(mlmeta_frequency_pair_js);
PG_FUNCTION_INFO_V1(mlmeta_frequency_pair_js_distance);
PG_FUNCTION_INFO_V1(mlmeta_frequency_pair_hellinger);
PG_FUNCTION_INFO_V1(mlmeta_frequency_pair_total_variation);
PG_FUNCTION_INFO_V1(mlmeta_frequency_pair_l_infinity);
PG_FUNCTION_INFO_V1(mlmeta_frequency_pair_chi2_test);
PG_FUNCTION_INFO_V1(mlmeta_frequency_pair_g_test);
PG_FUNCTION_INFO_V1(mlmeta_frequency_pair_fisher_test);

#define FREQUENCY_PAIR_VERSION	1
#define OPTIONS_MAX_SIZE		1000

typedef struct FrequencyPair
{
	Summary		summary;
	char	   *options;		/* as given, options_size bytes */
	int			options_size;
	FrequencyTable *reference;
	FrequencyTable *current;
} FrequencyPair;

static void frequency_pair_archive(Archive *ar, Summary *summary);

static const SummaryType frequency_pair_type = {
	"frequency_pair",
	sizeof(FrequencyPair),
	frequency_pair_archive
};

/* ----------
 * The type
 * ----------
 */

static void
archive_side(Archive *ar, const char *name, FrequencyTable **side,
			 MemoryContext context)
{
	if (archive_reading(ar))
		*side = frequency_table_new(1, context);
	archive_open_field(ar, name);
	frequency_table_archive(ar, *side);
	archive_close(ar);
	if (archive_reading(ar) && !ar->failed &&
		((*side)->form != FREQUENCIES_OWN ||
		 !frequency_table_is_exact(*side) ||
		 (*side)->capacity != FREQUENCIES_MAX_CAPACITY))
		archive_fail(ar, "The %s side is not counted exactly.", name);
}

static void
frequency_pair_archive(Archive *ar, Summary *summary)
{
	FrequencyPair *pair = (FrequencyPair *) summary;
	int			version = FREQUENCY_PAIR_VERSION;

	archive_open(ar);
	archive_version(ar, FREQUENCY_PAIR_VERSION, &version);
	archive_text(ar, "options", &pair->options, &pair->options_size,
				 OPTIONS_MAX_SIZE);
	if (pair->options == NULL)
		pair->options = pstrdup("");
	archive_side(ar, "reference", &pair->reference, summary->context);
	archive_side(ar, "current", &pair->current, summary->context);
	archive_close(ar);
}

Datum
mlmeta_frequency_pair_in(PG_FUNCTION_ARGS)
{
	return summary_in(fcinfo, &frequency_pair_type);
}

Datum
mlmeta_frequency_pair_out(PG_FUNCTION_ARGS)
{
	return summary_out(fcinfo, &frequency_pair_type);
}

Datum
mlmeta_frequency_pair_recv(PG_FUNCTION_ARGS)
{
	return summary_recv(fcinfo, &frequency_pair_type);
}

Datum
mlmeta_frequency_pair_send(PG_FUNCTION_ARGS)
{
	return summary_send(fcinfo, &frequency_pair_type);
}

/* ----------
 * Counting
 * ----------
 */

static void
options_differ(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the options of a comparison over rows changed within a "
					"group")));
}

/*
 * The state, made on the first row; options are argument 3, if there is one,
 * and NULL is as good as none.
 */
static FrequencyPair *
pair_state(FunctionCallInfo fcinfo)
{
	FrequencyPair *pair = summary_state(fcinfo, &frequency_pair_type);
	const char *options = "";
	size_t		size = 0;

	if (PG_NARGS() > 3 && !PG_ARGISNULL(3))
	{
		text	   *argument = PG_GETARG_TEXT_PP(3);

		options = VARDATA_ANY(argument);
		size = VARSIZE_ANY_EXHDR(argument);
	}
	if (pair == NULL)
	{
		MemoryContext context;

		if (size > OPTIONS_MAX_SIZE)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("options must not be longer than %d bytes",
							OPTIONS_MAX_SIZE)));
		pair = summary_new_state(fcinfo, &frequency_pair_type, NULL);
		context = pair->summary.context;
		pair->options = MemoryContextAlloc(context, size + 1);
		memcpy(pair->options, options, size);
		pair->options_size = (int) size;
		pair->reference = frequency_table_new(FREQUENCIES_MAX_CAPACITY,
											  context);
		pair->current = frequency_table_new(FREQUENCIES_MAX_CAPACITY,
											context);
	}
	else if (unlikely(pair->options_size != (int) size ||
					  memcmp(pair->options, options, size) != 0))
		options_differ();
	return pair;
}

static void
check_capacity(const FrequencyTable *table)
{
	if (unlikely(!frequency_table_is_finished(table)))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many different values for a comparison over "
						"rows"),
				 errdetail("There are more than %d.",
						   FREQUENCIES_MAX_CAPACITY),
				 errhint("Compare two summaries made with frequencies(), "
						 "which pool the rare values.")));
}

/* The side of this row; NULL when is_current is NULL */
static inline FrequencyTable *
side_of_row(FunctionCallInfo fcinfo, FrequencyPair *pair)
{
	if (PG_ARGISNULL(2))
		return NULL;
	return PG_GETARG_BOOL(2) ? pair->current : pair->reference;
}

static inline void
add_to_side(FrequencyTable *side, const char *value, size_t size)
{
	frequency_table_add(side, value, size);
	check_capacity(side);
}

Datum
mlmeta_frequency_pair_text_transition(PG_FUNCTION_ARGS)
{
	FrequencyPair *pair = pair_state(fcinfo);
	FrequencyTable *side = side_of_row(fcinfo, pair);

	if (side != NULL && PG_ARGISNULL(1))
		frequency_table_add_null(side);
	else if (side != NULL)
	{
		text	   *value = PG_GETARG_TEXT_PP(1);

		add_to_side(side, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	}
	return summary_datum(pair);
}

Datum
mlmeta_frequency_pair_boolean_transition(PG_FUNCTION_ARGS)
{
	FrequencyPair *pair = pair_state(fcinfo);
	FrequencyTable *side = side_of_row(fcinfo, pair);

	if (side != NULL && PG_ARGISNULL(1))
		frequency_table_add_null(side);
	else if (side != NULL && PG_GETARG_BOOL(1))
		add_to_side(side, "true", 4);
	else if (side != NULL)
		add_to_side(side, "false", 5);
	return summary_datum(pair);
}

Datum
mlmeta_frequency_pair_bigint_transition(PG_FUNCTION_ARGS)
{
	FrequencyPair *pair = pair_state(fcinfo);
	FrequencyTable *side = side_of_row(fcinfo, pair);

	if (side != NULL && PG_ARGISNULL(1))
		frequency_table_add_null(side);
	else if (side != NULL)
	{
		char		digits[MAXINT8LEN + 1];

		add_to_side(side, digits, pg_lltoa(PG_GETARG_INT64(1), digits));
	}
	return summary_datum(pair);
}

Datum
mlmeta_frequency_pair_combine(PG_FUNCTION_ARGS)
{
	FrequencyPair *pair = summary_state(fcinfo, &frequency_pair_type);
	FrequencyPair *other;

	if (PG_ARGISNULL(1))
	{
		if (pair == NULL)
			PG_RETURN_NULL();
		return summary_datum(pair);
	}
	other = summary_read(PG_GETARG_DATUM(1), &frequency_pair_type);
	if (pair == NULL)
	{
		pair = summary_new_state(fcinfo, &frequency_pair_type,
								 &other->summary);
		return summary_datum(pair);
	}
	if (pair->options_size != other->options_size ||
		memcmp(pair->options, other->options, pair->options_size) != 0)
		options_differ();
	frequency_table_merge(pair->reference, other->reference);
	frequency_table_merge(pair->current, other->current);
	check_capacity(pair->reference);
	check_capacity(pair->current);
	return summary_datum(pair);
}

/* ----------
 * Results
 * ----------
 */

static FrequencyPair *
pair_argument(FunctionCallInfo fcinfo)
{
	return summary_read(PG_GETARG_DATUM(0), &frequency_pair_type);
}

static FrequencyCells
pair_cells(FrequencyPair *pair)
{
	return frequency_cells(pair->reference, pair->current);
}

static void
parse(const char *function_name, const FrequencyPair *pair,
	  const OptionSpec *specs, int n_specs)
{
	options_parse(function_name, pair->options, pair->options_size, specs,
				  n_specs);
}

static Datum
measure_datum(FunctionCallInfo fcinfo, double value)
{
	if (isnan(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

Datum
mlmeta_frequency_pair_psi(PG_FUNCTION_ARGS)
{
	FrequencyPair *pair = pair_argument(fcinfo);
	FrequencyCells cells = pair_cells(pair);
	int			rule = EMPTY_FLOOR;
	double		epsilon = PSI_DEFAULT_EPSILON;
	const OptionSpec specs[] = {
		{"rule", OPTION_CHOICE, &rule, 0, 0, empty_rule_names},
		{"epsilon", OPTION_FLOAT, &epsilon, 0, 1, NULL}
	};

	parse("psi", pair, specs, lengthof(specs));
	return measure_datum(fcinfo, category_psi("psi", &cells,
											  (EmptyRule) rule, epsilon));
}

typedef double (*Divergence) (const int64 *, const int64 *, int);

/* A divergence in the base that the options give */
static double
divergence_in_base(FunctionCallInfo fcinfo, const char *function_name,
				   Divergence divergence)
{
	FrequencyPair *pair = pair_argument(fcinfo);
	FrequencyCells cells = pair_cells(pair);
	double		base = M_E;
	const OptionSpec specs[] = {
		{"base", OPTION_FLOAT, &base, 1, 1e308, NULL}
	};

	parse(function_name, pair, specs, lengthof(specs));
	return measure_in_base(function_name,
						   divergence(cells.reference, cells.current,
									  cells.k), base);
}

Datum
mlmeta_frequency_pair_kl(PG_FUNCTION_ARGS)
{
	return measure_datum(fcinfo, divergence_in_base(fcinfo, "kl_divergence",
													measure_kl));
}

Datum
mlmeta_frequency_pair_js(PG_FUNCTION_ARGS)
{
	return measure_datum(fcinfo, divergence_in_base(fcinfo, "js_divergence",
													measure_js));
}

Datum
mlmeta_frequency_pair_js_distance(PG_FUNCTION_ARGS)
{
	return measure_datum(fcinfo, sqrt(divergence_in_base(fcinfo,
														 "js_distance",
														 measure_js)));
}

/* A distance without options */
static Datum
distance(FunctionCallInfo fcinfo, const char *function_name,
		 Divergence function)
{
	FrequencyPair *pair = pair_argument(fcinfo);
	FrequencyCells cells = pair_cells(pair);

	parse(function_name, pair, NULL, 0);
	return measure_datum(fcinfo, function(cells.reference, cells.current,
										  cells.k));
}

Datum
mlmeta_frequency_pair_hellinger(PG_FUNCTION_ARGS)
{
	return distance(fcinfo, "hellinger", measure_hellinger);
}

Datum
mlmeta_frequency_pair_total_variation(PG_FUNCTION_ARGS)
{
	return distance(fcinfo, "total_variation", measure_total_variation);
}

Datum
mlmeta_frequency_pair_l_infinity(PG_FUNCTION_ARGS)
{
	return distance(fcinfo, "l_infinity", measure_l_infinity);
}

static Datum
homogeneity_test(FunctionCallInfo fcinfo, const char *function_name,
				 CategoryTest test, bool has_method)
{
	FrequencyPair *pair = pair_argument(fcinfo);
	FrequencyCells cells = pair_cells(pair);
	bool		yates = false;
	double		minimum_expected = 0;
	int			method = CHI2_ASYMPTOTIC;
	const OptionSpec specs[] = {
		{"minimum_expected", OPTION_FLOAT, &minimum_expected, 0, 1e18, NULL},
		{"yates", OPTION_BOOL, &yates, 0, 0, NULL},
		{"method", OPTION_CHOICE, &method, 0, 0, chi2_method_names}
	};
	TestResult	result;

	/* the last one is chi2_test's alone */
	parse(function_name, pair, specs, lengthof(specs) - !has_method);
	result = category_test(function_name, test, &cells, minimum_expected,
						   yates, method);
	return test_result_datum(fcinfo, &result);
}

Datum
mlmeta_frequency_pair_chi2_test(PG_FUNCTION_ARGS)
{
	return homogeneity_test(fcinfo, "chi2_test", measure_chi2_test, true);
}

Datum
mlmeta_frequency_pair_g_test(PG_FUNCTION_ARGS)
{
	return homogeneity_test(fcinfo, "g_test", measure_g_test, false);
}

/* How often the value was counted on one side */
static int64
count_on(FrequencyTable *side, const char *value)
{
	int64		low;
	int64		high;

	frequency_table_lookup(side, value, strlen(value), &low, &high);
	return low;
}

/*
 * fisher_test(boolean, boolean): the statistic is the odds ratio of the table
 * (true, false) x (reference, current), NULL where it is 0/0. 'greater' is a
 * greater share of true in the reference.
 */
Datum
mlmeta_frequency_pair_fisher_test(PG_FUNCTION_ARGS)
{
	FrequencyPair *pair = pair_argument(fcinfo);
	int			alternative = ALTERNATIVE_TWO_SIDED;
	const OptionSpec specs[] = {
		{"alternative", OPTION_CHOICE, &alternative, 0, 0,
		alternative_names}
	};
	int64		n = pair->reference->n;
	int64		m = pair->current->n;
	int64		a = count_on(pair->reference, "true");
	int64		c = count_on(pair->current, "true");
	TestResult	result;

	parse("fisher_test", pair, specs, lengthof(specs));
	if (n == 0 || m == 0)
	{
		result = test_result_empty(n, m, test_result_missing(n, m));
		return test_result_datum(fcinfo, &result);
	}
	result.n_reference = n;
	result.n_current = m;
	result.method = psprintf("fisher exact, %s", alternative_names[alternative]);
	result.statistic = ((double) a / (double) (n - a)) /
		((double) c / (double) (m - c));
	if ((a == 0 && c == 0) || (a == n && c == m))
		result.statistic = get_float8_nan();
	result.p_value = fisher_pvalue(a, n - a, c, m - c,
								   (Alternative) alternative);
	result.statistic_low = result.statistic_high = result.statistic;
	result.p_low = result.p_high = result.p_value;
	return test_result_datum(fcinfo, &result);
}
