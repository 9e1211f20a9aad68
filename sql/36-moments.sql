-- Several numeric features together: the type moment_matrix, the aggregate that
-- builds it from arrays, what can be read from it, and comparisons.

CREATE TYPE mlmeta.moment_matrix;

CREATE FUNCTION mlmeta_internal.moment_matrix_in(text_form cstring) RETURNS mlmeta.moment_matrix
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_moment_matrix_in';
COMMENT ON FUNCTION mlmeta_internal.moment_matrix_in(text_form cstring) IS
	'reads the text form of a moment_matrix';

CREATE FUNCTION mlmeta_internal.moment_matrix_out(summary mlmeta.moment_matrix) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_moment_matrix_out';
COMMENT ON FUNCTION mlmeta_internal.moment_matrix_out(summary mlmeta.moment_matrix) IS
	'writes the text form of a moment_matrix';

CREATE FUNCTION mlmeta_internal.moment_matrix_recv(binary_form internal) RETURNS mlmeta.moment_matrix
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_moment_matrix_recv';
COMMENT ON FUNCTION mlmeta_internal.moment_matrix_recv(binary_form internal) IS
	'reads the binary form of a moment_matrix';

CREATE FUNCTION mlmeta_internal.moment_matrix_send(summary mlmeta.moment_matrix) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_moment_matrix_send';
COMMENT ON FUNCTION mlmeta_internal.moment_matrix_send(summary mlmeta.moment_matrix) IS
	'writes the binary form of a moment_matrix';

CREATE TYPE mlmeta.moment_matrix (
	INPUT = mlmeta_internal.moment_matrix_in,
	OUTPUT = mlmeta_internal.moment_matrix_out,
	RECEIVE = mlmeta_internal.moment_matrix_recv,
	SEND = mlmeta_internal.moment_matrix_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);

COMMENT ON TYPE mlmeta.moment_matrix IS
	'mergeable summary of several numeric features: their means and covariances';

-- Support functions of the aggregates

CREATE FUNCTION mlmeta_internal.moment_matrix_transition(
	state mlmeta.moment_matrix,
	features float8[])
RETURNS mlmeta.moment_matrix
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_moment_matrix_transition';
COMMENT ON FUNCTION mlmeta_internal.moment_matrix_transition(state mlmeta.moment_matrix, features float8[]) IS
	'transition function of moments: adds a row';

CREATE FUNCTION mlmeta_internal.moment_matrix_combine(
	state mlmeta.moment_matrix,
	summary mlmeta.moment_matrix)
RETURNS mlmeta.moment_matrix
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_moment_matrix_combine';
COMMENT ON FUNCTION mlmeta_internal.moment_matrix_combine(state mlmeta.moment_matrix, summary mlmeta.moment_matrix) IS
	'combine function of moments and transition function of merge';

CREATE FUNCTION mlmeta_internal.moment_matrix_final(state mlmeta.moment_matrix) RETURNS mlmeta.moment_matrix
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_moment_matrix_final';
COMMENT ON FUNCTION mlmeta_internal.moment_matrix_final(state mlmeta.moment_matrix) IS
	'final function of moments: the state, for reading';

-- Aggregates

CREATE AGGREGATE mlmeta.moments(features float8[]) (
	SFUNC = mlmeta_internal.moment_matrix_transition,
	STYPE = mlmeta.moment_matrix,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.moment_matrix_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.moment_matrix_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.moments(features float8[]) IS
	'means and covariances of the features of all rows';

CREATE AGGREGATE mlmeta.merge(summary mlmeta.moment_matrix) (
	SFUNC = mlmeta_internal.moment_matrix_combine,
	STYPE = mlmeta.moment_matrix,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.moment_matrix_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.moment_matrix_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.merge(summary mlmeta.moment_matrix) IS
	'sum of values of type moment_matrix';

-- Sums

CREATE FUNCTION mlmeta.plus(
	a mlmeta.moment_matrix,
	b mlmeta.moment_matrix)
RETURNS mlmeta.moment_matrix
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_moment_matrix_plus';
COMMENT ON FUNCTION mlmeta.plus(a mlmeta.moment_matrix, b mlmeta.moment_matrix) IS
	'sum of two values of type moment_matrix';

CREATE OPERATOR mlmeta.+ (
	LEFTARG = mlmeta.moment_matrix,
	RIGHTARG = mlmeta.moment_matrix,
	FUNCTION = mlmeta.plus,
	COMMUTATOR = OPERATOR(mlmeta.+)
);
COMMENT ON OPERATOR mlmeta.+ (mlmeta.moment_matrix, mlmeta.moment_matrix) IS
	'sum of two values of type moment_matrix';

-- Means and covariances

CREATE FUNCTION mlmeta.n(m mlmeta.moment_matrix) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_moment_matrix_n';
COMMENT ON FUNCTION mlmeta.n(m mlmeta.moment_matrix) IS
	'rows that took part';

CREATE FUNCTION mlmeta.null_count(m mlmeta.moment_matrix) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_moment_matrix_null_count';
COMMENT ON FUNCTION mlmeta.null_count(m mlmeta.moment_matrix) IS
	'rows with a NULL, which took no part';

CREATE FUNCTION mlmeta.nan_count(m mlmeta.moment_matrix) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_moment_matrix_nan_count';
COMMENT ON FUNCTION mlmeta.nan_count(m mlmeta.moment_matrix) IS
	'rows with NaN or an infinity, which took no part';

CREATE FUNCTION mlmeta.dimensions(m mlmeta.moment_matrix) RETURNS integer
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_moment_matrix_dimensions';
COMMENT ON FUNCTION mlmeta.dimensions(m mlmeta.moment_matrix) IS
	'how many features; 0 until a row has come';

CREATE FUNCTION mlmeta.means(m mlmeta.moment_matrix) RETURNS float8[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_moment_matrix_means';
COMMENT ON FUNCTION mlmeta.means(m mlmeta.moment_matrix) IS
	'mean of each feature; NULL without rows';

CREATE FUNCTION mlmeta.covariance(m mlmeta.moment_matrix) RETURNS float8[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'mlmeta_moment_matrix_covariance';
COMMENT ON FUNCTION mlmeta.covariance(m mlmeta.moment_matrix) IS
	'sample covariances, divisor n - 1: a square array; NULL with fewer than two rows';

CREATE FUNCTION mlmeta.correlation(m mlmeta.moment_matrix) RETURNS float8[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'mlmeta_moment_matrix_correlation';
COMMENT ON FUNCTION mlmeta.correlation(m mlmeta.moment_matrix) IS
	'Pearson correlations: a square array, with NULL for constant features; NULL with fewer than two rows';

-- Comparisons

CREATE FUNCTION mlmeta.hotelling_t2(
	reference mlmeta.moment_matrix,
	current mlmeta.moment_matrix)
RETURNS mlmeta.test_result
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'mlmeta_hotelling_t2';
COMMENT ON FUNCTION mlmeta.hotelling_t2(reference mlmeta.moment_matrix, current mlmeta.moment_matrix) IS
	'test of equal means of all features at once (Hotelling): statistic T squared, p-value by the F law';

CREATE FUNCTION mlmeta.correlation_drift(
	reference mlmeta.moment_matrix,
	current mlmeta.moment_matrix,
	OUT i integer,
	OUT j integer,
	OUT r_reference float8,
	OUT r_current float8,
	OUT z float8,
	OUT p_value float8)
RETURNS SETOF record
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 100
	AS 'MODULE_PATHNAME', 'mlmeta_correlation_drift';
COMMENT ON FUNCTION mlmeta.correlation_drift(reference mlmeta.moment_matrix, current mlmeta.moment_matrix) IS
	'each pair of features with its two correlations, compared by Fisher''s transformation';

CREATE FUNCTION mlmeta.correlation_test(
	reference mlmeta.moment_matrix,
	current mlmeta.moment_matrix)
RETURNS mlmeta.test_result
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'mlmeta_correlation_test';
COMMENT ON FUNCTION mlmeta.correlation_test(reference mlmeta.moment_matrix, current mlmeta.moment_matrix) IS
	'test of equal correlation matrices (Jennrich): chi-squared';

-- Principal components

CREATE FUNCTION mlmeta.principal_components(
	m mlmeta.moment_matrix,
	components float8 DEFAULT NULL,
	standardize boolean DEFAULT true,
	OUT component integer,
	OUT eigenvalue float8,
	OUT share float8,
	OUT loadings float8[])
RETURNS SETOF record
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 10
	AS 'MODULE_PATHNAME', 'mlmeta_principal_components';
COMMENT ON FUNCTION mlmeta.principal_components(m mlmeta.moment_matrix, components float8, standardize boolean) IS
	'principal components, all or the first ones: a number of them, or a share of the variance below 1';

CREATE FUNCTION mlmeta.reconstruction_error(
	m mlmeta.moment_matrix,
	features float8[],
	components float8 DEFAULT 0.65,
	standardize boolean DEFAULT true)
RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_reconstruction_error';
COMMENT ON FUNCTION mlmeta.reconstruction_error(m mlmeta.moment_matrix, features float8[], components float8, standardize boolean) IS
	'distance of a row from its reconstruction by the first principal components of m';

CREATE FUNCTION mlmeta.reconstruction_mse(
	reference mlmeta.moment_matrix,
	current mlmeta.moment_matrix,
	components float8 DEFAULT 0.65,
	standardize boolean DEFAULT true)
RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'mlmeta_reconstruction_mse';
COMMENT ON FUNCTION mlmeta.reconstruction_mse(reference mlmeta.moment_matrix, current mlmeta.moment_matrix, components float8, standardize boolean) IS
	'mean squared reconstruction error of the rows of current by the components of reference, from the summaries alone';
