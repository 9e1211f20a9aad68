-- The categorical summary: type frequency_table, its builders, accessors and
-- comparisons.

-- ---------------------------------------------------------------------------
-- The type
-- ---------------------------------------------------------------------------

CREATE TYPE mlmeta.frequency_table;

CREATE FUNCTION mlmeta_internal.frequency_table_in(cstring) RETURNS mlmeta.frequency_table
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_table_in';
CREATE FUNCTION mlmeta_internal.frequency_table_out(mlmeta.frequency_table) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_table_out';
CREATE FUNCTION mlmeta_internal.frequency_table_recv(internal) RETURNS mlmeta.frequency_table
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_table_recv';
CREATE FUNCTION mlmeta_internal.frequency_table_send(mlmeta.frequency_table) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequency_table_send';

CREATE TYPE mlmeta.frequency_table (
	INPUT = mlmeta_internal.frequency_table_in,
	OUTPUT = mlmeta_internal.frequency_table_out,
	RECEIVE = mlmeta_internal.frequency_table_recv,
	SEND = mlmeta_internal.frequency_table_send,
	STORAGE = extended
);

COMMENT ON TYPE mlmeta.frequency_table IS
	'mergeable summary of a categorical column: how often each value occurred, up to a capacity of different values, with exact bounds beyond it';
COMMENT ON FUNCTION mlmeta_internal.frequency_table_in(cstring) IS
	'text input of frequency_table';
COMMENT ON FUNCTION mlmeta_internal.frequency_table_out(mlmeta.frequency_table) IS
	'text output of frequency_table: a JSON object';
COMMENT ON FUNCTION mlmeta_internal.frequency_table_recv(internal) IS
	'binary input of frequency_table';
COMMENT ON FUNCTION mlmeta_internal.frequency_table_send(mlmeta.frequency_table) IS
	'binary output of frequency_table';

CREATE CAST (mlmeta.frequency_table AS jsonb) WITH INOUT;
COMMENT ON CAST (mlmeta.frequency_table AS jsonb) IS
	'the text form, which is one JSON object';

-- ---------------------------------------------------------------------------
-- Builders
-- ---------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.frequencies_combine(
		state mlmeta.frequency_table, other mlmeta.frequency_table)
	RETURNS mlmeta.frequency_table LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_combine';
COMMENT ON FUNCTION mlmeta_internal.frequencies_combine(mlmeta.frequency_table, mlmeta.frequency_table) IS
	'support function of aggregates over frequency_table: adds two states';
CREATE FUNCTION mlmeta_internal.frequencies_final(state mlmeta.frequency_table)
	RETURNS mlmeta.frequency_table LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_final';
COMMENT ON FUNCTION mlmeta_internal.frequencies_final(mlmeta.frequency_table) IS
	'support function of aggregates over frequency_table: brings a state down to its capacity';

CREATE FUNCTION mlmeta_internal.frequencies_text_transition(
		state mlmeta.frequency_table, value text)
	RETURNS mlmeta.frequency_table LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_text_transition';
COMMENT ON FUNCTION mlmeta_internal.frequencies_text_transition(mlmeta.frequency_table, text) IS
	'support function of frequencies(text): counts one row';
CREATE AGGREGATE mlmeta.frequencies(value text) (
	SFUNC = mlmeta_internal.frequencies_text_transition,
	STYPE = mlmeta.frequency_table,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.frequencies_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequencies_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.frequencies(text) IS
	'how often each value occurred; the 1000 most frequent where there are more different ones';

CREATE FUNCTION mlmeta_internal.frequencies_capacity_transition(
		state mlmeta.frequency_table, value text, capacity integer)
	RETURNS mlmeta.frequency_table LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_capacity_transition';
COMMENT ON FUNCTION mlmeta_internal.frequencies_capacity_transition(mlmeta.frequency_table, text, integer) IS
	'support function of frequencies(text, integer): counts one row';
CREATE AGGREGATE mlmeta.frequencies(value text, capacity integer) (
	SFUNC = mlmeta_internal.frequencies_capacity_transition,
	STYPE = mlmeta.frequency_table,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.frequencies_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequencies_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.frequencies(text, integer) IS
	'how often each value occurred; the given number of most frequent ones where there are more, with bounds for the others';

CREATE FUNCTION mlmeta_internal.frequencies_boolean_transition(
		state mlmeta.frequency_table, value boolean)
	RETURNS mlmeta.frequency_table LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_boolean_transition';
COMMENT ON FUNCTION mlmeta_internal.frequencies_boolean_transition(mlmeta.frequency_table, boolean) IS
	'support function of frequencies(boolean): counts one row';
CREATE AGGREGATE mlmeta.frequencies(value boolean) (
	SFUNC = mlmeta_internal.frequencies_boolean_transition,
	STYPE = mlmeta.frequency_table,
	SSPACE = 1024,
	FINALFUNC = mlmeta_internal.frequencies_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequencies_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.frequencies(boolean) IS
	'how often false and true occurred';

CREATE FUNCTION mlmeta_internal.frequencies_baseline_transition(
		state mlmeta.frequency_table, value text, baseline mlmeta.frequency_table)
	RETURNS mlmeta.frequency_table LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_baseline_transition';
COMMENT ON FUNCTION mlmeta_internal.frequencies_baseline_transition(mlmeta.frequency_table, text, mlmeta.frequency_table) IS
	'support function of frequencies(text, mlmeta.frequency_table): counts one row';
CREATE FUNCTION mlmeta_internal.frequencies_baseline_inverse(
		state mlmeta.frequency_table, value text, baseline mlmeta.frequency_table)
	RETURNS mlmeta.frequency_table LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_baseline_inverse';
COMMENT ON FUNCTION mlmeta_internal.frequencies_baseline_inverse(mlmeta.frequency_table, text, mlmeta.frequency_table) IS
	'support function of frequencies(text, mlmeta.frequency_table): takes one row out again, or NULL where that would not be exact';
CREATE AGGREGATE mlmeta.frequencies(value text, baseline mlmeta.frequency_table) (
	SFUNC = mlmeta_internal.frequencies_baseline_transition,
	STYPE = mlmeta.frequency_table,
	SSPACE = 4096,
	FINALFUNC = mlmeta_internal.frequencies_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequencies_combine,
	MSFUNC = mlmeta_internal.frequencies_baseline_transition,
	MINVFUNC = mlmeta_internal.frequencies_baseline_inverse,
	MSTYPE = mlmeta.frequency_table,
	MSSPACE = 4096,
	MFINALFUNC = mlmeta_internal.frequencies_final,
	MFINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.frequencies(text, mlmeta.frequency_table) IS
	'how often each value of the baseline occurred, and the values that are new: what windows of monitoring are made of';

-- ---------------------------------------------------------------------------
-- Merging
-- ---------------------------------------------------------------------------

CREATE AGGREGATE mlmeta.merge(part mlmeta.frequency_table) (
	SFUNC = mlmeta_internal.frequencies_combine,
	STYPE = mlmeta.frequency_table,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.frequencies_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.frequencies_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.merge(mlmeta.frequency_table) IS
	'sum of frequency tables, as if their rows had been counted together; NULLs are skipped';
CREATE FUNCTION mlmeta.plus(a mlmeta.frequency_table, b mlmeta.frequency_table)
	RETURNS mlmeta.frequency_table LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_plus';
COMMENT ON FUNCTION mlmeta.plus(mlmeta.frequency_table, mlmeta.frequency_table) IS
	'sum of two frequency tables';
CREATE FUNCTION mlmeta.minus(a mlmeta.frequency_table, b mlmeta.frequency_table)
	RETURNS mlmeta.frequency_table LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_minus';
COMMENT ON FUNCTION mlmeta.minus(mlmeta.frequency_table, mlmeta.frequency_table) IS
	'frequency table of the rows of a that are not in b; b must be a part of a';
CREATE OPERATOR mlmeta.+ (
	LEFTARG = mlmeta.frequency_table, RIGHTARG = mlmeta.frequency_table,
	FUNCTION = mlmeta.plus, COMMUTATOR = OPERATOR(mlmeta.+)
);
COMMENT ON OPERATOR mlmeta.+ (mlmeta.frequency_table, mlmeta.frequency_table) IS
	'sum of two frequency tables';
CREATE OPERATOR mlmeta.- (
	LEFTARG = mlmeta.frequency_table, RIGHTARG = mlmeta.frequency_table,
	FUNCTION = mlmeta.minus
);
COMMENT ON OPERATOR mlmeta.- (mlmeta.frequency_table, mlmeta.frequency_table) IS
	'frequency table of the rows of a that are not in b';

-- ---------------------------------------------------------------------------
-- Accessors
-- ---------------------------------------------------------------------------

CREATE FUNCTION mlmeta.n(f mlmeta.frequency_table)
	RETURNS bigint LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_n';
COMMENT ON FUNCTION mlmeta.n(mlmeta.frequency_table) IS
	'number of values that are not NULL';
CREATE FUNCTION mlmeta.null_count(f mlmeta.frequency_table)
	RETURNS bigint LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_null_count';
COMMENT ON FUNCTION mlmeta.null_count(mlmeta.frequency_table) IS
	'number of NULLs';
CREATE FUNCTION mlmeta.distinct_count(f mlmeta.frequency_table)
	RETURNS bigint LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_distinct_count';
COMMENT ON FUNCTION mlmeta.distinct_count(mlmeta.frequency_table) IS
	'number of different values; estimated (error 2.3 %) beyond the capacity';
CREATE FUNCTION mlmeta.other_count(f mlmeta.frequency_table)
	RETURNS bigint LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_other_count';
COMMENT ON FUNCTION mlmeta.other_count(mlmeta.frequency_table) IS
	'number of values that have no row of their own: rare ones beyond the capacity, or those that are new against the baseline';
CREATE FUNCTION mlmeta.count_of(f mlmeta.frequency_table, value text)
	RETURNS bigint LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_count_of';
COMMENT ON FUNCTION mlmeta.count_of(mlmeta.frequency_table, text) IS
	'how often the value occurred, at least';
CREATE FUNCTION mlmeta.count_bound(f mlmeta.frequency_table, value text)
	RETURNS bigint LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_count_bound';
COMMENT ON FUNCTION mlmeta.count_bound(mlmeta.frequency_table, text) IS
	'how often the value occurred, at most; the same as count_of unless the capacity was exceeded';
CREATE FUNCTION mlmeta.detach(f mlmeta.frequency_table)
	RETURNS mlmeta.frequency_table LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_detach';
COMMENT ON FUNCTION mlmeta.detach(mlmeta.frequency_table) IS
	'the table on a baseline without the baselines values, for storing';
CREATE FUNCTION mlmeta.attach(f mlmeta.frequency_table, baseline mlmeta.frequency_table)
	RETURNS mlmeta.frequency_table LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_attach';
COMMENT ON FUNCTION mlmeta.attach(mlmeta.frequency_table, mlmeta.frequency_table) IS
	'a detached table with its values, from the baseline that it was counted on';
CREATE FUNCTION mlmeta.categories(
		f mlmeta.frequency_table,
		OUT value text, OUT count bigint, OUT share float8,
		OUT count_bound bigint, OUT is_new boolean)
	RETURNS SETOF record LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 100
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_categories';
COMMENT ON FUNCTION mlmeta.categories(mlmeta.frequency_table) IS
	'one row per value, the most frequent first: count, share of n, upper bound of the count, and whether it is new against the baseline';

-- ---------------------------------------------------------------------------
-- Comparisons, reference first. bins is for histograms; it is accepted here so
-- that one call serves both.
-- ---------------------------------------------------------------------------

CREATE FUNCTION mlmeta.psi(
		reference mlmeta.frequency_table, current mlmeta.frequency_table,
		bins integer DEFAULT 10,
		rule text DEFAULT 'floor',
		epsilon float8 DEFAULT 1e-4)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_psi';
COMMENT ON FUNCTION mlmeta.psi(
		mlmeta.frequency_table, mlmeta.frequency_table, integer, text, float8) IS
	'population stability index: sum of (q - p) ln(q / p); rule says what becomes of values that are absent on one side';
CREATE FUNCTION mlmeta.kl_divergence(
		reference mlmeta.frequency_table, current mlmeta.frequency_table,
		bins integer DEFAULT 10,
		base float8 DEFAULT exp(1.0::float8))
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_kl';
COMMENT ON FUNCTION mlmeta.kl_divergence(
		mlmeta.frequency_table, mlmeta.frequency_table, integer, float8) IS
	'Kullback-Leibler divergence: sum of p log(p / q), the reference weighs';
CREATE FUNCTION mlmeta.js_divergence(
		reference mlmeta.frequency_table, current mlmeta.frequency_table,
		bins integer DEFAULT 10,
		base float8 DEFAULT exp(1.0::float8))
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_js';
COMMENT ON FUNCTION mlmeta.js_divergence(
		mlmeta.frequency_table, mlmeta.frequency_table, integer, float8) IS
	'Jensen-Shannon divergence';
CREATE FUNCTION mlmeta.js_distance(
		reference mlmeta.frequency_table, current mlmeta.frequency_table,
		bins integer DEFAULT 10,
		base float8 DEFAULT exp(1.0::float8))
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_js_distance';
COMMENT ON FUNCTION mlmeta.js_distance(
		mlmeta.frequency_table, mlmeta.frequency_table, integer, float8) IS
	'Jensen-Shannon distance: the square root of the divergence';
CREATE FUNCTION mlmeta.hellinger(
		reference mlmeta.frequency_table, current mlmeta.frequency_table,
		bins integer DEFAULT 10)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_hellinger';
COMMENT ON FUNCTION mlmeta.hellinger(
		mlmeta.frequency_table, mlmeta.frequency_table, integer) IS
	'Hellinger distance: square root of 1 - sum of sqrt(p q)';
CREATE FUNCTION mlmeta.total_variation(
		reference mlmeta.frequency_table, current mlmeta.frequency_table,
		bins integer DEFAULT 10)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_total_variation';
COMMENT ON FUNCTION mlmeta.total_variation(
		mlmeta.frequency_table, mlmeta.frequency_table, integer) IS
	'total variation distance: half the sum of |p - q|';
CREATE FUNCTION mlmeta.l_infinity(
		reference mlmeta.frequency_table, current mlmeta.frequency_table,
		bins integer DEFAULT 10)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_l_infinity';
COMMENT ON FUNCTION mlmeta.l_infinity(
		mlmeta.frequency_table, mlmeta.frequency_table, integer) IS
	'largest |p - q|';
CREATE FUNCTION mlmeta.chi2_test(
		reference mlmeta.frequency_table, current mlmeta.frequency_table,
		bins integer DEFAULT 10,
		minimum_expected float8 DEFAULT 0,
		yates boolean DEFAULT false,
		method text DEFAULT 'asymptotic')
	RETURNS mlmeta.test_result LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_chi2_test';
COMMENT ON FUNCTION mlmeta.chi2_test(
		mlmeta.frequency_table, mlmeta.frequency_table, integer, float8, boolean, text) IS
	'chi-squared test of homogeneity; rare values are merged until each expectation reaches minimum_expected; method asymptotic, or calibrated, which keeps its level in small samples';
CREATE FUNCTION mlmeta.g_test(
		reference mlmeta.frequency_table, current mlmeta.frequency_table,
		bins integer DEFAULT 10,
		minimum_expected float8 DEFAULT 0,
		yates boolean DEFAULT false)
	RETURNS mlmeta.test_result LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_g_test';
COMMENT ON FUNCTION mlmeta.g_test(
		mlmeta.frequency_table, mlmeta.frequency_table, integer, float8, boolean) IS
	'G test (likelihood ratio) of homogeneity; rare values are merged until each expectation reaches minimum_expected';
CREATE FUNCTION mlmeta.cramers_v(
		reference mlmeta.frequency_table, current mlmeta.frequency_table,
		corrected boolean DEFAULT false)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_cramers_v';
COMMENT ON FUNCTION mlmeta.cramers_v(
		mlmeta.frequency_table, mlmeta.frequency_table, boolean) IS
	'Cramers V of value against side, from 0 to 1; corrected: without its bias in small samples (Bergsma 2013)';
