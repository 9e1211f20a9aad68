-- The numeric summary: type histogram, its builders, accessors and comparisons.

-- ---------------------------------------------------------------------------
-- The type
-- ---------------------------------------------------------------------------

CREATE TYPE mlmeta.histogram;

CREATE FUNCTION mlmeta_internal.histogram_in(cstring) RETURNS mlmeta.histogram
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_in';
CREATE FUNCTION mlmeta_internal.histogram_out(mlmeta.histogram) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_out';
CREATE FUNCTION mlmeta_internal.histogram_recv(internal) RETURNS mlmeta.histogram
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_recv';
CREATE FUNCTION mlmeta_internal.histogram_send(mlmeta.histogram) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_send';

CREATE TYPE mlmeta.histogram (
	INPUT = mlmeta_internal.histogram_in,
	OUTPUT = mlmeta_internal.histogram_out,
	RECEIVE = mlmeta_internal.histogram_recv,
	SEND = mlmeta_internal.histogram_send,
	STORAGE = extended
);

COMMENT ON TYPE mlmeta.histogram IS
	'mergeable summary of a numeric column: counts over bins, and n, NULL, NaN, minimum, maximum, mean and standard deviation, all exact';
COMMENT ON FUNCTION mlmeta_internal.histogram_in(cstring) IS
	'text input of histogram';
COMMENT ON FUNCTION mlmeta_internal.histogram_out(mlmeta.histogram) IS
	'text output of histogram: a JSON object';
COMMENT ON FUNCTION mlmeta_internal.histogram_recv(internal) IS
	'binary input of histogram';
COMMENT ON FUNCTION mlmeta_internal.histogram_send(mlmeta.histogram) IS
	'binary output of histogram';

-- ---------------------------------------------------------------------------
-- Builders
-- ---------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.histogram_combine(
		state mlmeta.histogram, other mlmeta.histogram)
	RETURNS mlmeta.histogram LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_combine';
COMMENT ON FUNCTION mlmeta_internal.histogram_combine(mlmeta.histogram, mlmeta.histogram) IS
	'combine function of the histogram aggregates, transition function of merge';
CREATE FUNCTION mlmeta_internal.histogram_final(state mlmeta.histogram)
	RETURNS mlmeta.histogram LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_final';
COMMENT ON FUNCTION mlmeta_internal.histogram_final(mlmeta.histogram) IS
	'final function of the histogram aggregates: chooses the edges where none were given';

CREATE FUNCTION mlmeta_internal.histogram_bins_transition(
		state mlmeta.histogram, value float8, bins integer)
	RETURNS mlmeta.histogram LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_bins_transition';
COMMENT ON FUNCTION mlmeta_internal.histogram_bins_transition(mlmeta.histogram, float8, integer) IS
	'transition function of histogram over bins over its own data';
CREATE AGGREGATE mlmeta.histogram(value float8, bins integer) (
	SFUNC = mlmeta_internal.histogram_bins_transition,
	STYPE = mlmeta.histogram,
	SSPACE = 262144,
	FINALFUNC = mlmeta_internal.histogram_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.histogram_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.histogram(float8, integer) IS
	'equi-depth histogram over its own data: exact type-7 quantiles as edges up to 32,768 distinct values, a point bin for each value that holds more than 1/(2 bins) of the rows; the same for any order, number of workers and split into parts';

CREATE FUNCTION mlmeta_internal.histogram_edges_transition(
		state mlmeta.histogram, value float8, edges float8[])
	RETURNS mlmeta.histogram LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_edges_transition';
COMMENT ON FUNCTION mlmeta_internal.histogram_edges_transition(mlmeta.histogram, float8, float8[]) IS
	'transition function of histogram over given edges';
CREATE FUNCTION mlmeta_internal.histogram_edges_inverse(
		state mlmeta.histogram, value float8, edges float8[])
	RETURNS mlmeta.histogram LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_edges_inverse';
COMMENT ON FUNCTION mlmeta_internal.histogram_edges_inverse(mlmeta.histogram, float8, float8[]) IS
	'inverse transition function of histogram over given edges';
CREATE AGGREGATE mlmeta.histogram(value float8, edges float8[]) (
	SFUNC = mlmeta_internal.histogram_edges_transition,
	STYPE = mlmeta.histogram,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.histogram_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.histogram_combine,
	MSFUNC = mlmeta_internal.histogram_edges_transition,
	MINVFUNC = mlmeta_internal.histogram_edges_inverse,
	MSTYPE = mlmeta.histogram,
	MSSPACE = 8192,
	MFINALFUNC = mlmeta_internal.histogram_final,
	MFINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.histogram(float8, float8[]) IS
	'histogram over the given inner edges: bins are left-closed, the outer ones open; at least two edges, finite and strictly increasing';

CREATE FUNCTION mlmeta_internal.histogram_range_transition(
		state mlmeta.histogram, value float8, lo float8, hi float8, bins integer)
	RETURNS mlmeta.histogram LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_range_transition';
COMMENT ON FUNCTION mlmeta_internal.histogram_range_transition(mlmeta.histogram, float8, float8, float8, integer) IS
	'transition function of histogram over equal width';
CREATE FUNCTION mlmeta_internal.histogram_range_inverse(
		state mlmeta.histogram, value float8, lo float8, hi float8, bins integer)
	RETURNS mlmeta.histogram LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_range_inverse';
COMMENT ON FUNCTION mlmeta_internal.histogram_range_inverse(mlmeta.histogram, float8, float8, float8, integer) IS
	'inverse transition function of histogram over equal width';
CREATE AGGREGATE mlmeta.histogram(value float8, lo float8, hi float8, bins integer) (
	SFUNC = mlmeta_internal.histogram_range_transition,
	STYPE = mlmeta.histogram,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.histogram_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.histogram_combine,
	MSFUNC = mlmeta_internal.histogram_range_transition,
	MINVFUNC = mlmeta_internal.histogram_range_inverse,
	MSTYPE = mlmeta.histogram,
	MSSPACE = 8192,
	MFINALFUNC = mlmeta_internal.histogram_final,
	MFINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.histogram(float8, float8, float8, integer) IS
	'histogram with bins of equal width from lo to hi, the outer ones open: inner edges lo + i (hi - lo) / bins';

CREATE FUNCTION mlmeta_internal.histogram_baseline_transition(
		state mlmeta.histogram, value float8, baseline mlmeta.histogram)
	RETURNS mlmeta.histogram LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_baseline_transition';
COMMENT ON FUNCTION mlmeta_internal.histogram_baseline_transition(mlmeta.histogram, float8, mlmeta.histogram) IS
	'transition function of histogram over the bins of a baseline';
CREATE FUNCTION mlmeta_internal.histogram_baseline_inverse(
		state mlmeta.histogram, value float8, baseline mlmeta.histogram)
	RETURNS mlmeta.histogram LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_baseline_inverse';
COMMENT ON FUNCTION mlmeta_internal.histogram_baseline_inverse(mlmeta.histogram, float8, mlmeta.histogram) IS
	'inverse transition function of histogram over the bins of a baseline';
CREATE AGGREGATE mlmeta.histogram(value float8, baseline mlmeta.histogram) (
	SFUNC = mlmeta_internal.histogram_baseline_transition,
	STYPE = mlmeta.histogram,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.histogram_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.histogram_combine,
	MSFUNC = mlmeta_internal.histogram_baseline_transition,
	MINVFUNC = mlmeta_internal.histogram_baseline_inverse,
	MSTYPE = mlmeta.histogram,
	MSSPACE = 8192,
	MFINALFUNC = mlmeta_internal.histogram_final,
	MFINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.histogram(float8, mlmeta.histogram) IS
	'histogram over the bins of another one, so that the two (and all windows over one baseline) compare, add and subtract without loss';

-- ---------------------------------------------------------------------------
-- Rows that stand for several
-- ---------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.histogram_bins_weighted_transition(
		state mlmeta.histogram, value float8, bins integer, weight bigint)
	RETURNS mlmeta.histogram LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_bins_weighted_transition';
COMMENT ON FUNCTION mlmeta_internal.histogram_bins_weighted_transition(mlmeta.histogram, float8, integer, bigint) IS
	'transition function of histogram over bins over its own data, of weighted rows';
CREATE AGGREGATE mlmeta.histogram(value float8, bins integer, weight bigint) (
	SFUNC = mlmeta_internal.histogram_bins_weighted_transition,
	STYPE = mlmeta.histogram,
	SSPACE = 262144,
	FINALFUNC = mlmeta_internal.histogram_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.histogram_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.histogram(float8, integer, bigint) IS
	'equi-depth histogram over its own data, of rows that stand for weight rows each: the histogram that as many rows would make; a weight is not negative (22003), rows of weight 0 or NULL take no part';

CREATE FUNCTION mlmeta_internal.histogram_edges_weighted_transition(
		state mlmeta.histogram, value float8, edges float8[], weight bigint)
	RETURNS mlmeta.histogram LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_edges_weighted_transition';
COMMENT ON FUNCTION mlmeta_internal.histogram_edges_weighted_transition(mlmeta.histogram, float8, float8[], bigint) IS
	'transition function of histogram over given edges, of weighted rows';
CREATE FUNCTION mlmeta_internal.histogram_edges_weighted_inverse(
		state mlmeta.histogram, value float8, edges float8[], weight bigint)
	RETURNS mlmeta.histogram LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_edges_weighted_inverse';
COMMENT ON FUNCTION mlmeta_internal.histogram_edges_weighted_inverse(mlmeta.histogram, float8, float8[], bigint) IS
	'inverse transition function of histogram over given edges, of weighted rows';
CREATE AGGREGATE mlmeta.histogram(value float8, edges float8[], weight bigint) (
	SFUNC = mlmeta_internal.histogram_edges_weighted_transition,
	STYPE = mlmeta.histogram,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.histogram_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.histogram_combine,
	MSFUNC = mlmeta_internal.histogram_edges_weighted_transition,
	MINVFUNC = mlmeta_internal.histogram_edges_weighted_inverse,
	MSTYPE = mlmeta.histogram,
	MSSPACE = 8192,
	MFINALFUNC = mlmeta_internal.histogram_final,
	MFINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.histogram(float8, float8[], bigint) IS
	'histogram over the given inner edges, of rows that stand for weight rows each: the histogram that as many rows would make; a weight is not negative (22003), rows of weight 0 or NULL take no part';

CREATE FUNCTION mlmeta_internal.histogram_range_weighted_transition(
		state mlmeta.histogram, value float8, lo float8, hi float8, bins integer, weight bigint)
	RETURNS mlmeta.histogram LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_range_weighted_transition';
COMMENT ON FUNCTION mlmeta_internal.histogram_range_weighted_transition(mlmeta.histogram, float8, float8, float8, integer, bigint) IS
	'transition function of histogram over equal width, of weighted rows';
CREATE FUNCTION mlmeta_internal.histogram_range_weighted_inverse(
		state mlmeta.histogram, value float8, lo float8, hi float8, bins integer, weight bigint)
	RETURNS mlmeta.histogram LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_range_weighted_inverse';
COMMENT ON FUNCTION mlmeta_internal.histogram_range_weighted_inverse(mlmeta.histogram, float8, float8, float8, integer, bigint) IS
	'inverse transition function of histogram over equal width, of weighted rows';
CREATE AGGREGATE mlmeta.histogram(value float8, lo float8, hi float8, bins integer, weight bigint) (
	SFUNC = mlmeta_internal.histogram_range_weighted_transition,
	STYPE = mlmeta.histogram,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.histogram_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.histogram_combine,
	MSFUNC = mlmeta_internal.histogram_range_weighted_transition,
	MINVFUNC = mlmeta_internal.histogram_range_weighted_inverse,
	MSTYPE = mlmeta.histogram,
	MSSPACE = 8192,
	MFINALFUNC = mlmeta_internal.histogram_final,
	MFINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.histogram(float8, float8, float8, integer, bigint) IS
	'histogram with bins of equal width, of rows that stand for weight rows each: the histogram that as many rows would make; a weight is not negative (22003), rows of weight 0 or NULL take no part';

CREATE FUNCTION mlmeta_internal.histogram_baseline_weighted_transition(
		state mlmeta.histogram, value float8, baseline mlmeta.histogram, weight bigint)
	RETURNS mlmeta.histogram LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_baseline_weighted_transition';
COMMENT ON FUNCTION mlmeta_internal.histogram_baseline_weighted_transition(mlmeta.histogram, float8, mlmeta.histogram, bigint) IS
	'transition function of histogram over the bins of a baseline, of weighted rows';
CREATE FUNCTION mlmeta_internal.histogram_baseline_weighted_inverse(
		state mlmeta.histogram, value float8, baseline mlmeta.histogram, weight bigint)
	RETURNS mlmeta.histogram LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_baseline_weighted_inverse';
COMMENT ON FUNCTION mlmeta_internal.histogram_baseline_weighted_inverse(mlmeta.histogram, float8, mlmeta.histogram, bigint) IS
	'inverse transition function of histogram over the bins of a baseline, of weighted rows';
CREATE AGGREGATE mlmeta.histogram(value float8, baseline mlmeta.histogram, weight bigint) (
	SFUNC = mlmeta_internal.histogram_baseline_weighted_transition,
	STYPE = mlmeta.histogram,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.histogram_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.histogram_combine,
	MSFUNC = mlmeta_internal.histogram_baseline_weighted_transition,
	MINVFUNC = mlmeta_internal.histogram_baseline_weighted_inverse,
	MSTYPE = mlmeta.histogram,
	MSSPACE = 8192,
	MFINALFUNC = mlmeta_internal.histogram_final,
	MFINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.histogram(float8, mlmeta.histogram, bigint) IS
	'histogram over the bins of another one, of rows that stand for weight rows each: the histogram that as many rows would make; a weight is not negative (22003), rows of weight 0 or NULL take no part';

-- ---------------------------------------------------------------------------
-- Merging
-- ---------------------------------------------------------------------------

CREATE AGGREGATE mlmeta.merge(part mlmeta.histogram) (
	SFUNC = mlmeta_internal.histogram_combine,
	STYPE = mlmeta.histogram,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.histogram_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.histogram_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.merge(mlmeta.histogram) IS
	'the histogram of all rows behind the merged ones, which must be on the same bins (22023); NULLs are left out';
CREATE FUNCTION mlmeta.plus(a mlmeta.histogram, b mlmeta.histogram)
	RETURNS mlmeta.histogram LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_plus';
COMMENT ON FUNCTION mlmeta.plus(mlmeta.histogram, mlmeta.histogram) IS
	'sum of two histograms on the same bins (22023 otherwise)';
CREATE FUNCTION mlmeta.minus(a mlmeta.histogram, b mlmeta.histogram)
	RETURNS mlmeta.histogram LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_minus';
COMMENT ON FUNCTION mlmeta.minus(mlmeta.histogram, mlmeta.histogram) IS
	'a without b, which it must contain (22023): counts, mean and standard deviation stay exact, minimum and maximum become bounds';
CREATE OPERATOR mlmeta.+ (
	LEFTARG = mlmeta.histogram, RIGHTARG = mlmeta.histogram,
	FUNCTION = mlmeta.plus, COMMUTATOR = OPERATOR(mlmeta.+)
);
COMMENT ON OPERATOR mlmeta.+ (mlmeta.histogram, mlmeta.histogram) IS
	'sum of two histograms on the same bins';
CREATE OPERATOR mlmeta.- (
	LEFTARG = mlmeta.histogram, RIGHTARG = mlmeta.histogram,
	FUNCTION = mlmeta.minus
);
COMMENT ON OPERATOR mlmeta.- (mlmeta.histogram, mlmeta.histogram) IS
	'a histogram without a part of it';

-- ---------------------------------------------------------------------------
-- Accessors
-- ---------------------------------------------------------------------------

CREATE FUNCTION mlmeta.n(h mlmeta.histogram)
	RETURNS bigint LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_n';
COMMENT ON FUNCTION mlmeta.n(mlmeta.histogram) IS
	'values that took part: neither NULL nor NaN, infinities included';
CREATE FUNCTION mlmeta.null_count(h mlmeta.histogram)
	RETURNS bigint LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_null_count';
COMMENT ON FUNCTION mlmeta.null_count(mlmeta.histogram) IS
	'NULLs';
CREATE FUNCTION mlmeta.nan_count(h mlmeta.histogram)
	RETURNS bigint LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_nan_count';
COMMENT ON FUNCTION mlmeta.nan_count(mlmeta.histogram) IS
	'NaNs';
CREATE FUNCTION mlmeta.minimum(h mlmeta.histogram)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_minimum';
COMMENT ON FUNCTION mlmeta.minimum(mlmeta.histogram) IS
	'smallest value, a lower bound of it after subtraction; NULL without values';
CREATE FUNCTION mlmeta.maximum(h mlmeta.histogram)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_maximum';
COMMENT ON FUNCTION mlmeta.maximum(mlmeta.histogram) IS
	'largest value, an upper bound of it after subtraction; NULL without values';
CREATE FUNCTION mlmeta.mean(h mlmeta.histogram)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_mean';
COMMENT ON FUNCTION mlmeta.mean(mlmeta.histogram) IS
	'mean, rounded once from the exact sum; NULL without values';
CREATE FUNCTION mlmeta.stddev(h mlmeta.histogram)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_stddev';
COMMENT ON FUNCTION mlmeta.stddev(mlmeta.histogram) IS
	'sample standard deviation (n - 1), from exact sums; NULL with fewer than two values, NaN with infinities';
CREATE FUNCTION mlmeta.quantile(h mlmeta.histogram, p float8)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_quantile';
COMMENT ON FUNCTION mlmeta.quantile(mlmeta.histogram, float8) IS
	'type-7 quantile, exact at the edges and to the width of a bin between them; p from 0 to 1 (22003); NULL without values';
CREATE FUNCTION mlmeta.cdf(h mlmeta.histogram, x float8)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_cdf';
COMMENT ON FUNCTION mlmeta.cdf(mlmeta.histogram, float8) IS
	'share of the values at or below x, exact at the edges, interpolated inside a bin; NULL without values';
CREATE FUNCTION mlmeta.edges(h mlmeta.histogram)
	RETURNS float8[] LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_edges';
COMMENT ON FUNCTION mlmeta.edges(mlmeta.histogram) IS
	'inner edges of the bins';
CREATE FUNCTION mlmeta.counts(h mlmeta.histogram)
	RETURNS bigint[] LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_counts';
COMMENT ON FUNCTION mlmeta.counts(mlmeta.histogram) IS
	'counts of the bins, one more than edges; infinities count in the outer ones';
CREATE FUNCTION mlmeta.detach(h mlmeta.histogram)
	RETURNS mlmeta.histogram LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_detach';
COMMENT ON FUNCTION mlmeta.detach(mlmeta.histogram) IS
	'without the edges, for which the content hash of the grid stands: what monitoring stores';
CREATE FUNCTION mlmeta.attach(h mlmeta.histogram, baseline mlmeta.histogram)
	RETURNS mlmeta.histogram LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_attach';
COMMENT ON FUNCTION mlmeta.attach(mlmeta.histogram, mlmeta.histogram) IS
	'a detached histogram with the edges of the baseline it was built on (22023 otherwise)';
CREATE FUNCTION mlmeta.bins(
		h mlmeta.histogram,
		OUT bin integer, OUT lower float8, OUT upper float8,
		OUT count bigint, OUT share float8)
	RETURNS SETOF record LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 240
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_rows';
COMMENT ON FUNCTION mlmeta.bins(mlmeta.histogram) IS
	'the bins as rows, [lower, upper) with their counts and shares; the outer ones reach to infinity';

-- ---------------------------------------------------------------------------
-- Comparisons, reference first
-- ---------------------------------------------------------------------------

CREATE FUNCTION mlmeta.psi(
		reference mlmeta.histogram, current mlmeta.histogram,
		bins integer DEFAULT 10, rule text DEFAULT 'floor',
		epsilon float8 DEFAULT 1e-4)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_psi';
COMMENT ON FUNCTION mlmeta.psi(mlmeta.histogram, mlmeta.histogram, integer, text, float8) IS
	'population stability index over about bins cells of equal share in the reference (0: the bins as they are); rule for empty cells: floor, replace, skip, jeffreys, none; NULL when a side is empty';

CREATE FUNCTION mlmeta.kl_divergence(
		reference mlmeta.histogram, current mlmeta.histogram,
		bins integer DEFAULT 10,
		base float8 DEFAULT exp(1.0::float8))
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_kl';
COMMENT ON FUNCTION mlmeta.kl_divergence(mlmeta.histogram, mlmeta.histogram, integer, float8) IS
	'Kullback-Leibler divergence, the reference weighing, over about bins cells of equal share in the reference (0: the bins as they are); NULL when a side is empty';
CREATE FUNCTION mlmeta.js_divergence(
		reference mlmeta.histogram, current mlmeta.histogram,
		bins integer DEFAULT 10,
		base float8 DEFAULT exp(1.0::float8))
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_js';
COMMENT ON FUNCTION mlmeta.js_divergence(mlmeta.histogram, mlmeta.histogram, integer, float8) IS
	'Jensen-Shannon divergence, over about bins cells of equal share in the reference (0: the bins as they are); NULL when a side is empty';
CREATE FUNCTION mlmeta.js_distance(
		reference mlmeta.histogram, current mlmeta.histogram,
		bins integer DEFAULT 10,
		base float8 DEFAULT exp(1.0::float8))
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_js_distance';
COMMENT ON FUNCTION mlmeta.js_distance(mlmeta.histogram, mlmeta.histogram, integer, float8) IS
	'square root of the Jensen-Shannon divergence, over about bins cells of equal share in the reference (0: the bins as they are); NULL when a side is empty';
CREATE FUNCTION mlmeta.hellinger(
		reference mlmeta.histogram, current mlmeta.histogram,
		bins integer DEFAULT 10)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_hellinger';
COMMENT ON FUNCTION mlmeta.hellinger(mlmeta.histogram, mlmeta.histogram, integer) IS
	'Hellinger distance, over about bins cells of equal share in the reference (0: the bins as they are); NULL when a side is empty';
CREATE FUNCTION mlmeta.total_variation(
		reference mlmeta.histogram, current mlmeta.histogram,
		bins integer DEFAULT 10)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_total_variation';
COMMENT ON FUNCTION mlmeta.total_variation(mlmeta.histogram, mlmeta.histogram, integer) IS
	'total variation distance: half the sum of the differences of shares, over about bins cells of equal share in the reference (0: the bins as they are); NULL when a side is empty';
CREATE FUNCTION mlmeta.l_infinity(
		reference mlmeta.histogram, current mlmeta.histogram,
		bins integer DEFAULT 10)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_l_infinity';
COMMENT ON FUNCTION mlmeta.l_infinity(mlmeta.histogram, mlmeta.histogram, integer) IS
	'largest difference of shares, over about bins cells of equal share in the reference (0: the bins as they are); NULL when a side is empty';
CREATE FUNCTION mlmeta.chi2_test(
		reference mlmeta.histogram, current mlmeta.histogram,
		bins integer DEFAULT 10, minimum_expected float8 DEFAULT 0,
		yates boolean DEFAULT false, method text DEFAULT 'asymptotic')
	RETURNS mlmeta.test_result LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_chi2_test';
COMMENT ON FUNCTION mlmeta.chi2_test(mlmeta.histogram, mlmeta.histogram, integer, float8, boolean, text) IS
	'chi-squared test of homogeneity over about bins cells of equal share in the reference (0: the bins as they are), neighbours merged until each expects minimum_expected; method asymptotic, or calibrated, which keeps its level in small samples';
CREATE FUNCTION mlmeta.g_test(
		reference mlmeta.histogram, current mlmeta.histogram,
		bins integer DEFAULT 10, minimum_expected float8 DEFAULT 0,
		yates boolean DEFAULT false)
	RETURNS mlmeta.test_result LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_g_test';
COMMENT ON FUNCTION mlmeta.g_test(mlmeta.histogram, mlmeta.histogram, integer, float8, boolean) IS
	'G (likelihood ratio) test of homogeneity over about bins cells of equal share in the reference (0: the bins as they are), neighbours merged until each expects minimum_expected';

CREATE FUNCTION mlmeta.ks(
		reference mlmeta.histogram, current mlmeta.histogram,
		alternative text DEFAULT 'two-sided')
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_ks';
COMMENT ON FUNCTION mlmeta.ks(mlmeta.histogram, mlmeta.histogram, text) IS
	'Kolmogorov-Smirnov distance: the lower bound, the rows differ at least this much; NULL when a side is empty';
CREATE FUNCTION mlmeta.ks_test(
		reference mlmeta.histogram, current mlmeta.histogram,
		alternative text DEFAULT 'two-sided', method text DEFAULT 'auto')
	RETURNS mlmeta.test_result LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	COST 10000
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_ks_test';
COMMENT ON FUNCTION mlmeta.ks_test(mlmeta.histogram, mlmeta.histogram, text, text) IS
	'Kolmogorov-Smirnov test with bounds that hold for the rows; alternative two-sided, less, greater; method auto, exact, asymptotic';

CREATE FUNCTION mlmeta.mann_whitney_test(
		reference mlmeta.histogram, current mlmeta.histogram,
		alternative text DEFAULT 'two-sided', method text DEFAULT 'auto',
		continuity boolean DEFAULT true)
	RETURNS mlmeta.test_result LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	COST 10000
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_mann_whitney_test';
COMMENT ON FUNCTION mlmeta.mann_whitney_test(mlmeta.histogram, mlmeta.histogram, text, text, boolean) IS
	'Mann-Whitney test on common bins: U of the reference, pairs within a bin as ties, with bounds that hold for the rows; alternative two-sided, less (the reference is smaller), greater; method auto, exact, exact_no_ties, asymptotic';

CREATE FUNCTION mlmeta.wasserstein(
		reference mlmeta.histogram, current mlmeta.histogram,
		normed boolean DEFAULT false)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_wasserstein';
COMMENT ON FUNCTION mlmeta.wasserstein(mlmeta.histogram, mlmeta.histogram, boolean) IS
	'Wasserstein-1 distance: the middle of wasserstein_interval; normed: in standard deviations of the reference; NULL when a side is empty';
CREATE FUNCTION mlmeta.wasserstein_interval(
		reference mlmeta.histogram, current mlmeta.histogram,
		normed boolean DEFAULT false, OUT low float8, OUT high float8)
	RETURNS record LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_wasserstein_interval';
COMMENT ON FUNCTION mlmeta.wasserstein_interval(mlmeta.histogram, mlmeta.histogram, boolean) IS
	'bounds that hold the Wasserstein-1 distance of the rows; NULL when a side is empty';
CREATE FUNCTION mlmeta.energy_distance(
		reference mlmeta.histogram, current mlmeta.histogram)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_energy_distance';
COMMENT ON FUNCTION mlmeta.energy_distance(mlmeta.histogram, mlmeta.histogram) IS
	'energy distance: the middle of energy_distance_interval; NULL when a side is empty';
CREATE FUNCTION mlmeta.energy_distance_interval(
		reference mlmeta.histogram, current mlmeta.histogram,
		OUT low float8, OUT high float8)
	RETURNS record LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_energy_distance_interval';
COMMENT ON FUNCTION mlmeta.energy_distance_interval(mlmeta.histogram, mlmeta.histogram) IS
	'bounds that hold the energy distance of the rows; NULL when a side is empty';

CREATE FUNCTION mlmeta.ks_lower_bound(
		d_low float8, n_reference bigint, n_current bigint,
		alpha float8 DEFAULT 0.05)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_ks_lower_bound';
COMMENT ON FUNCTION mlmeta.ks_lower_bound(float8, bigint, bigint, float8) IS
	'lower confidence bound, at level 1 - alpha, of the Kolmogorov distance of the populations';
CREATE FUNCTION mlmeta.ks_detectable(
		n_reference bigint, n_current bigint, tolerance float8,
		alpha float8 DEFAULT 0.05, beta float8 DEFAULT 0.1)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_ks_detectable';
COMMENT ON FUNCTION mlmeta.ks_detectable(bigint, bigint, float8, float8, float8) IS
	'smallest Kolmogorov distance of the populations that samples of these sizes show above the tolerance with probability 1 - beta; NULL where no distance is large enough';
