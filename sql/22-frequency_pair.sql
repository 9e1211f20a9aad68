-- Comparisons of categories as exact aggregates over rows; is_current is false
-- for the reference and true for the current sample.

-- ---------------------------------------------------------------------------
-- The state: a frequency table of each side
-- ---------------------------------------------------------------------------

CREATE TYPE mlmeta.frequency_pair;

CREATE FUNCTION mlmeta_internal.frequency_pair_in(cstring) RETURNS mlmeta.frequency_pair
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_pair_in';
CREATE FUNCTION mlmeta_internal.frequency_pair_out(mlmeta.frequency_pair) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_pair_out';
CREATE FUNCTION mlmeta_internal.frequency_pair_recv(internal) RETURNS mlmeta.frequency_pair
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_pair_recv';
CREATE FUNCTION mlmeta_internal.frequency_pair_send(mlmeta.frequency_pair) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_pair_send';

CREATE TYPE mlmeta.frequency_pair (
	INPUT = mlmeta_internal.frequency_pair_in,
	OUTPUT = mlmeta_internal.frequency_pair_out,
	RECEIVE = mlmeta_internal.frequency_pair_recv,
	SEND = mlmeta_internal.frequency_pair_send,
	STORAGE = extended
);

COMMENT ON TYPE mlmeta.frequency_pair IS
	'state of aggregates that compare the categories of two samples: a frequency table of each side, and the options';
COMMENT ON FUNCTION mlmeta_internal.frequency_pair_in(cstring) IS
	'text input of frequency_pair';
COMMENT ON FUNCTION mlmeta_internal.frequency_pair_out(mlmeta.frequency_pair) IS
	'text output of frequency_pair: a JSON object';
COMMENT ON FUNCTION mlmeta_internal.frequency_pair_recv(internal) IS
	'binary input of frequency_pair';
COMMENT ON FUNCTION mlmeta_internal.frequency_pair_send(mlmeta.frequency_pair) IS
	'binary output of frequency_pair';

CREATE FUNCTION mlmeta_internal.frequency_pair_combine(
		state mlmeta.frequency_pair, other mlmeta.frequency_pair)
	RETURNS mlmeta.frequency_pair LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_pair_combine';
COMMENT ON FUNCTION mlmeta_internal.frequency_pair_combine(mlmeta.frequency_pair, mlmeta.frequency_pair) IS
	'support function of comparisons over rows: adds two states';

CREATE FUNCTION mlmeta_internal.frequency_pair_text_transition(
		state mlmeta.frequency_pair, value text, is_current boolean)
	RETURNS mlmeta.frequency_pair LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_pair_text_transition';
COMMENT ON FUNCTION mlmeta_internal.frequency_pair_text_transition(
		mlmeta.frequency_pair, text, boolean) IS
	'support function of comparisons over rows: counts one row';
CREATE FUNCTION mlmeta_internal.frequency_pair_text_transition(
		state mlmeta.frequency_pair, value text, is_current boolean, options text)
	RETURNS mlmeta.frequency_pair LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_pair_text_transition';
COMMENT ON FUNCTION mlmeta_internal.frequency_pair_text_transition(
		mlmeta.frequency_pair, text, boolean, text) IS
	'support function of comparisons over rows: counts one row';
CREATE FUNCTION mlmeta_internal.frequency_pair_boolean_transition(
		state mlmeta.frequency_pair, value boolean, is_current boolean)
	RETURNS mlmeta.frequency_pair LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_pair_boolean_transition';
COMMENT ON FUNCTION mlmeta_internal.frequency_pair_boolean_transition(
		mlmeta.frequency_pair, boolean, boolean) IS
	'support function of comparisons over rows: counts one row';
CREATE FUNCTION mlmeta_internal.frequency_pair_boolean_transition(
		state mlmeta.frequency_pair, value boolean, is_current boolean, options text)
	RETURNS mlmeta.frequency_pair LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_pair_boolean_transition';
COMMENT ON FUNCTION mlmeta_internal.frequency_pair_boolean_transition(
		mlmeta.frequency_pair, boolean, boolean, text) IS
	'support function of comparisons over rows: counts one row';
CREATE FUNCTION mlmeta_internal.frequency_pair_bigint_transition(
		state mlmeta.frequency_pair, value bigint, is_current boolean)
	RETURNS mlmeta.frequency_pair LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_pair_bigint_transition';
COMMENT ON FUNCTION mlmeta_internal.frequency_pair_bigint_transition(
		mlmeta.frequency_pair, bigint, boolean) IS
	'support function of comparisons over rows: counts one row';
CREATE FUNCTION mlmeta_internal.frequency_pair_bigint_transition(
		state mlmeta.frequency_pair, value bigint, is_current boolean, options text)
	RETURNS mlmeta.frequency_pair LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_pair_bigint_transition';
COMMENT ON FUNCTION mlmeta_internal.frequency_pair_bigint_transition(
		mlmeta.frequency_pair, bigint, boolean, text) IS
	'support function of comparisons over rows: counts one row';

-- ---------------------------------------------------------------------------
-- The aggregates
-- ---------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.psi_final(state mlmeta.frequency_pair)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_pair_psi';
COMMENT ON FUNCTION mlmeta_internal.psi_final(mlmeta.frequency_pair) IS
	'support function of psi over rows: the result';
CREATE AGGREGATE mlmeta.psi(value text, is_current boolean) (
	SFUNC = mlmeta_internal.frequency_pair_text_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.psi_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.psi(text, boolean) IS
	'exact population stability index of two samples of categories';
CREATE AGGREGATE mlmeta.psi(value text, is_current boolean, options text) (
	SFUNC = mlmeta_internal.frequency_pair_text_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.psi_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.psi(text, boolean, text) IS
	'exact population stability index of two samples of categories; options rule, epsilon';
CREATE AGGREGATE mlmeta.psi(value boolean, is_current boolean) (
	SFUNC = mlmeta_internal.frequency_pair_boolean_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.psi_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.psi(boolean, boolean) IS
	'exact population stability index of two samples of categories';
CREATE AGGREGATE mlmeta.psi(value boolean, is_current boolean, options text) (
	SFUNC = mlmeta_internal.frequency_pair_boolean_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.psi_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.psi(boolean, boolean, text) IS
	'exact population stability index of two samples of categories; options rule, epsilon';

CREATE FUNCTION mlmeta_internal.kl_divergence_final(state mlmeta.frequency_pair)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_pair_kl';
COMMENT ON FUNCTION mlmeta_internal.kl_divergence_final(mlmeta.frequency_pair) IS
	'support function of kl_divergence over rows: the result';
CREATE AGGREGATE mlmeta.kl_divergence(value text, is_current boolean) (
	SFUNC = mlmeta_internal.frequency_pair_text_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.kl_divergence_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.kl_divergence(text, boolean) IS
	'exact Kullback-Leibler divergence of two samples of categories';
CREATE AGGREGATE mlmeta.kl_divergence(value text, is_current boolean, options text) (
	SFUNC = mlmeta_internal.frequency_pair_text_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.kl_divergence_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.kl_divergence(text, boolean, text) IS
	'exact Kullback-Leibler divergence of two samples of categories; option base';
CREATE AGGREGATE mlmeta.kl_divergence(value boolean, is_current boolean) (
	SFUNC = mlmeta_internal.frequency_pair_boolean_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.kl_divergence_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.kl_divergence(boolean, boolean) IS
	'exact Kullback-Leibler divergence of two samples of categories';
CREATE AGGREGATE mlmeta.kl_divergence(value boolean, is_current boolean, options text) (
	SFUNC = mlmeta_internal.frequency_pair_boolean_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.kl_divergence_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.kl_divergence(boolean, boolean, text) IS
	'exact Kullback-Leibler divergence of two samples of categories; option base';

CREATE FUNCTION mlmeta_internal.js_divergence_final(state mlmeta.frequency_pair)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_pair_js';
COMMENT ON FUNCTION mlmeta_internal.js_divergence_final(mlmeta.frequency_pair) IS
	'support function of js_divergence over rows: the result';
CREATE AGGREGATE mlmeta.js_divergence(value text, is_current boolean) (
	SFUNC = mlmeta_internal.frequency_pair_text_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.js_divergence_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.js_divergence(text, boolean) IS
	'exact Jensen-Shannon divergence of two samples of categories';
CREATE AGGREGATE mlmeta.js_divergence(value text, is_current boolean, options text) (
	SFUNC = mlmeta_internal.frequency_pair_text_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.js_divergence_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.js_divergence(text, boolean, text) IS
	'exact Jensen-Shannon divergence of two samples of categories; option base';
CREATE AGGREGATE mlmeta.js_divergence(value boolean, is_current boolean) (
	SFUNC = mlmeta_internal.frequency_pair_boolean_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.js_divergence_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.js_divergence(boolean, boolean) IS
	'exact Jensen-Shannon divergence of two samples of categories';
CREATE AGGREGATE mlmeta.js_divergence(value boolean, is_current boolean, options text) (
	SFUNC = mlmeta_internal.frequency_pair_boolean_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.js_divergence_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.js_divergence(boolean, boolean, text) IS
	'exact Jensen-Shannon divergence of two samples of categories; option base';

CREATE FUNCTION mlmeta_internal.js_distance_final(state mlmeta.frequency_pair)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_pair_js_distance';
COMMENT ON FUNCTION mlmeta_internal.js_distance_final(mlmeta.frequency_pair) IS
	'support function of js_distance over rows: the result';
CREATE AGGREGATE mlmeta.js_distance(value text, is_current boolean) (
	SFUNC = mlmeta_internal.frequency_pair_text_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.js_distance_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.js_distance(text, boolean) IS
	'exact Jensen-Shannon distance of two samples of categories';
CREATE AGGREGATE mlmeta.js_distance(value text, is_current boolean, options text) (
	SFUNC = mlmeta_internal.frequency_pair_text_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.js_distance_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.js_distance(text, boolean, text) IS
	'exact Jensen-Shannon distance of two samples of categories; option base';
CREATE AGGREGATE mlmeta.js_distance(value boolean, is_current boolean) (
	SFUNC = mlmeta_internal.frequency_pair_boolean_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.js_distance_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.js_distance(boolean, boolean) IS
	'exact Jensen-Shannon distance of two samples of categories';
CREATE AGGREGATE mlmeta.js_distance(value boolean, is_current boolean, options text) (
	SFUNC = mlmeta_internal.frequency_pair_boolean_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.js_distance_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.js_distance(boolean, boolean, text) IS
	'exact Jensen-Shannon distance of two samples of categories; option base';

CREATE FUNCTION mlmeta_internal.hellinger_final(state mlmeta.frequency_pair)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_pair_hellinger';
COMMENT ON FUNCTION mlmeta_internal.hellinger_final(mlmeta.frequency_pair) IS
	'support function of hellinger over rows: the result';
CREATE AGGREGATE mlmeta.hellinger(value text, is_current boolean) (
	SFUNC = mlmeta_internal.frequency_pair_text_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.hellinger_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.hellinger(text, boolean) IS
	'exact Hellinger distance of two samples of categories';
CREATE AGGREGATE mlmeta.hellinger(value boolean, is_current boolean) (
	SFUNC = mlmeta_internal.frequency_pair_boolean_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.hellinger_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.hellinger(boolean, boolean) IS
	'exact Hellinger distance of two samples of categories';

CREATE FUNCTION mlmeta_internal.total_variation_final(state mlmeta.frequency_pair)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_pair_total_variation';
COMMENT ON FUNCTION mlmeta_internal.total_variation_final(mlmeta.frequency_pair) IS
	'support function of total_variation over rows: the result';
CREATE AGGREGATE mlmeta.total_variation(value text, is_current boolean) (
	SFUNC = mlmeta_internal.frequency_pair_text_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.total_variation_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.total_variation(text, boolean) IS
	'exact total variation distance of two samples of categories';
CREATE AGGREGATE mlmeta.total_variation(value boolean, is_current boolean) (
	SFUNC = mlmeta_internal.frequency_pair_boolean_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.total_variation_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.total_variation(boolean, boolean) IS
	'exact total variation distance of two samples of categories';

CREATE FUNCTION mlmeta_internal.l_infinity_final(state mlmeta.frequency_pair)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_pair_l_infinity';
COMMENT ON FUNCTION mlmeta_internal.l_infinity_final(mlmeta.frequency_pair) IS
	'support function of l_infinity over rows: the result';
CREATE AGGREGATE mlmeta.l_infinity(value text, is_current boolean) (
	SFUNC = mlmeta_internal.frequency_pair_text_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.l_infinity_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.l_infinity(text, boolean) IS
	'exact largest difference of shares of two samples of categories';
CREATE AGGREGATE mlmeta.l_infinity(value boolean, is_current boolean) (
	SFUNC = mlmeta_internal.frequency_pair_boolean_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.l_infinity_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.l_infinity(boolean, boolean) IS
	'exact largest difference of shares of two samples of categories';

CREATE FUNCTION mlmeta_internal.chi2_test_final(state mlmeta.frequency_pair)
	RETURNS mlmeta.test_result LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_pair_chi2_test';
COMMENT ON FUNCTION mlmeta_internal.chi2_test_final(mlmeta.frequency_pair) IS
	'support function of chi2_test over rows: the result';
CREATE AGGREGATE mlmeta.chi2_test(value text, is_current boolean) (
	SFUNC = mlmeta_internal.frequency_pair_text_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.chi2_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.chi2_test(text, boolean) IS
	'chi-squared test of homogeneity of two samples of categories';
CREATE AGGREGATE mlmeta.chi2_test(value text, is_current boolean, options text) (
	SFUNC = mlmeta_internal.frequency_pair_text_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.chi2_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.chi2_test(text, boolean, text) IS
	'chi-squared test of homogeneity of two samples of categories; options minimum_expected, yates, method';
CREATE AGGREGATE mlmeta.chi2_test(value boolean, is_current boolean) (
	SFUNC = mlmeta_internal.frequency_pair_boolean_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.chi2_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.chi2_test(boolean, boolean) IS
	'chi-squared test of homogeneity of two samples of categories';
CREATE AGGREGATE mlmeta.chi2_test(value boolean, is_current boolean, options text) (
	SFUNC = mlmeta_internal.frequency_pair_boolean_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.chi2_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.chi2_test(boolean, boolean, text) IS
	'chi-squared test of homogeneity of two samples of categories; options minimum_expected, yates, method';
CREATE AGGREGATE mlmeta.chi2_test(value bigint, is_current boolean) (
	SFUNC = mlmeta_internal.frequency_pair_bigint_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.chi2_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.chi2_test(bigint, boolean) IS
	'chi-squared test of homogeneity of two samples of categories';
CREATE AGGREGATE mlmeta.chi2_test(value bigint, is_current boolean, options text) (
	SFUNC = mlmeta_internal.frequency_pair_bigint_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.chi2_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.chi2_test(bigint, boolean, text) IS
	'chi-squared test of homogeneity of two samples of categories; options minimum_expected, yates, method';

CREATE FUNCTION mlmeta_internal.g_test_final(state mlmeta.frequency_pair)
	RETURNS mlmeta.test_result LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_pair_g_test';
COMMENT ON FUNCTION mlmeta_internal.g_test_final(mlmeta.frequency_pair) IS
	'support function of g_test over rows: the result';
CREATE AGGREGATE mlmeta.g_test(value text, is_current boolean) (
	SFUNC = mlmeta_internal.frequency_pair_text_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.g_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.g_test(text, boolean) IS
	'G test (likelihood ratio) of homogeneity of two samples of categories';
CREATE AGGREGATE mlmeta.g_test(value text, is_current boolean, options text) (
	SFUNC = mlmeta_internal.frequency_pair_text_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.g_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.g_test(text, boolean, text) IS
	'G test (likelihood ratio) of homogeneity of two samples of categories; options minimum_expected, yates';
CREATE AGGREGATE mlmeta.g_test(value boolean, is_current boolean) (
	SFUNC = mlmeta_internal.frequency_pair_boolean_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.g_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.g_test(boolean, boolean) IS
	'G test (likelihood ratio) of homogeneity of two samples of categories';
CREATE AGGREGATE mlmeta.g_test(value boolean, is_current boolean, options text) (
	SFUNC = mlmeta_internal.frequency_pair_boolean_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.g_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.g_test(boolean, boolean, text) IS
	'G test (likelihood ratio) of homogeneity of two samples of categories; options minimum_expected, yates';
CREATE AGGREGATE mlmeta.g_test(value bigint, is_current boolean) (
	SFUNC = mlmeta_internal.frequency_pair_bigint_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.g_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.g_test(bigint, boolean) IS
	'G test (likelihood ratio) of homogeneity of two samples of categories';
CREATE AGGREGATE mlmeta.g_test(value bigint, is_current boolean, options text) (
	SFUNC = mlmeta_internal.frequency_pair_bigint_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.g_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.g_test(bigint, boolean, text) IS
	'G test (likelihood ratio) of homogeneity of two samples of categories; options minimum_expected, yates';

CREATE FUNCTION mlmeta_internal.fisher_test_final(state mlmeta.frequency_pair)
	RETURNS mlmeta.test_result LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_pair_fisher_test';
COMMENT ON FUNCTION mlmeta_internal.fisher_test_final(mlmeta.frequency_pair) IS
	'support function of fisher_test over rows: the result';
CREATE AGGREGATE mlmeta.fisher_test(value boolean, is_current boolean) (
	SFUNC = mlmeta_internal.frequency_pair_boolean_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.fisher_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.fisher_test(boolean, boolean) IS
	'Fishers exact test of two samples of a boolean';
CREATE AGGREGATE mlmeta.fisher_test(value boolean, is_current boolean, options text) (
	SFUNC = mlmeta_internal.frequency_pair_boolean_transition,
	STYPE = mlmeta.frequency_pair,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.fisher_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequency_pair_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.fisher_test(boolean, boolean, text) IS
	'Fishers exact test of two samples of a boolean; option alternative';
