-- Quality of predicted numbers: the type regression, the aggregates that build
-- it from actual and predicted values, and what can be read from it.

CREATE TYPE mlmeta.regression;

CREATE FUNCTION mlmeta_internal.regression_in(text_form cstring) RETURNS mlmeta.regression
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_in';
COMMENT ON FUNCTION mlmeta_internal.regression_in(text_form cstring) IS
	'reads the text form of a regression';

CREATE FUNCTION mlmeta_internal.regression_out(summary mlmeta.regression) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_out';
COMMENT ON FUNCTION mlmeta_internal.regression_out(summary mlmeta.regression) IS
	'writes the text form of a regression';

CREATE FUNCTION mlmeta_internal.regression_recv(binary_form internal) RETURNS mlmeta.regression
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_recv';
COMMENT ON FUNCTION mlmeta_internal.regression_recv(binary_form internal) IS
	'reads the binary form of a regression';

CREATE FUNCTION mlmeta_internal.regression_send(summary mlmeta.regression) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_send';
COMMENT ON FUNCTION mlmeta_internal.regression_send(summary mlmeta.regression) IS
	'writes the binary form of a regression';

CREATE TYPE mlmeta.regression (
	INPUT = mlmeta_internal.regression_in,
	OUTPUT = mlmeta_internal.regression_out,
	RECEIVE = mlmeta_internal.regression_recv,
	SEND = mlmeta_internal.regression_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);

COMMENT ON TYPE mlmeta.regression IS
	'mergeable summary of actual and predicted numbers';

-- Support functions of the aggregates

CREATE FUNCTION mlmeta_internal.regression_transition(
	state mlmeta.regression,
	actual float8,
	predicted float8)
RETURNS mlmeta.regression
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_transition';
COMMENT ON FUNCTION mlmeta_internal.regression_transition(state mlmeta.regression, actual float8, predicted float8) IS
	'transition function of regression: adds a row';

CREATE FUNCTION mlmeta_internal.regression_transition(
	state mlmeta.regression,
	actual float8,
	predicted float8,
	weight float8)
RETURNS mlmeta.regression
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_transition';
COMMENT ON FUNCTION mlmeta_internal.regression_transition(state mlmeta.regression, actual float8, predicted float8, weight float8) IS
	'transition function of regression: adds a row';

CREATE FUNCTION mlmeta_internal.regression_combine(
	state mlmeta.regression,
	summary mlmeta.regression)
RETURNS mlmeta.regression
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_combine';
COMMENT ON FUNCTION mlmeta_internal.regression_combine(state mlmeta.regression, summary mlmeta.regression) IS
	'combine function of regression and transition function of merge';

CREATE FUNCTION mlmeta_internal.regression_final(state mlmeta.regression) RETURNS mlmeta.regression
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_final';
COMMENT ON FUNCTION mlmeta_internal.regression_final(state mlmeta.regression) IS
	'final function of regression: the state, for reading';

-- Aggregates

CREATE AGGREGATE mlmeta.regression(actual float8, predicted float8) (
	SFUNC = mlmeta_internal.regression_transition,
	STYPE = mlmeta.regression,
	SSPACE = 2048,
	FINALFUNC = mlmeta_internal.regression_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.regression_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.regression(actual float8, predicted float8) IS
	'summary of actual and predicted numbers';

CREATE AGGREGATE mlmeta.regression(actual float8, predicted float8, weight float8) (
	SFUNC = mlmeta_internal.regression_transition,
	STYPE = mlmeta.regression,
	SSPACE = 2048,
	FINALFUNC = mlmeta_internal.regression_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.regression_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.regression(actual float8, predicted float8, weight float8) IS
	'summary of actual and predicted numbers with weights';

CREATE AGGREGATE mlmeta.merge(summary mlmeta.regression) (
	SFUNC = mlmeta_internal.regression_combine,
	STYPE = mlmeta.regression,
	SSPACE = 2048,
	FINALFUNC = mlmeta_internal.regression_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.regression_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.merge(summary mlmeta.regression) IS
	'sum of regressions';

-- Sums

CREATE FUNCTION mlmeta.plus(
	a mlmeta.regression,
	b mlmeta.regression)
RETURNS mlmeta.regression
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_plus';
COMMENT ON FUNCTION mlmeta.plus(a mlmeta.regression, b mlmeta.regression) IS
	'sum of two regressions';

CREATE OPERATOR mlmeta.+ (
	LEFTARG = mlmeta.regression,
	RIGHTARG = mlmeta.regression,
	FUNCTION = mlmeta.plus,
	COMMUTATOR = OPERATOR(mlmeta.+)
);
COMMENT ON OPERATOR mlmeta.+ (mlmeta.regression, mlmeta.regression) IS
	'sum of two regressions';

-- Counts

CREATE FUNCTION mlmeta.n(r mlmeta.regression) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_n';
COMMENT ON FUNCTION mlmeta.n(r mlmeta.regression) IS
	'rows that took part';

CREATE FUNCTION mlmeta.null_count(r mlmeta.regression) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_null_count';
COMMENT ON FUNCTION mlmeta.null_count(r mlmeta.regression) IS
	'rows with a NULL, which took no part';

CREATE FUNCTION mlmeta.nan_count(r mlmeta.regression) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_nan_count';
COMMENT ON FUNCTION mlmeta.nan_count(r mlmeta.regression) IS
	'rows with a NaN or an infinity, which took no part';

CREATE FUNCTION mlmeta.zero_actuals(r mlmeta.regression) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_zero_actuals';
COMMENT ON FUNCTION mlmeta.zero_actuals(r mlmeta.regression) IS
	'rows that took part and have no relative error: the actual value is 0';

CREATE FUNCTION mlmeta.total_weight(r mlmeta.regression) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_total_weight';
COMMENT ON FUNCTION mlmeta.total_weight(r mlmeta.regression) IS
	'sum of the weights of the rows that took part';

-- Errors: predicted - actual

CREATE FUNCTION mlmeta.mae(r mlmeta.regression) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_mae';
COMMENT ON FUNCTION mlmeta.mae(r mlmeta.regression) IS
	'mean absolute error';

CREATE FUNCTION mlmeta.mse(r mlmeta.regression) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_mse';
COMMENT ON FUNCTION mlmeta.mse(r mlmeta.regression) IS
	'mean squared error';

CREATE FUNCTION mlmeta.rmse(r mlmeta.regression) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_rmse';
COMMENT ON FUNCTION mlmeta.rmse(r mlmeta.regression) IS
	'root of the mean squared error';

CREATE FUNCTION mlmeta.mape(r mlmeta.regression) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_mape';
COMMENT ON FUNCTION mlmeta.mape(r mlmeta.regression) IS
	'mean absolute error relative to the actual value, as a fraction; NULL if an actual value is 0';

CREATE FUNCTION mlmeta.smape(r mlmeta.regression) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_smape';
COMMENT ON FUNCTION mlmeta.smape(r mlmeta.regression) IS
	'mean of 2 |error| / (|actual| + |predicted|), from 0 to 2';

CREATE FUNCTION mlmeta.bias(r mlmeta.regression) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_bias';
COMMENT ON FUNCTION mlmeta.bias(r mlmeta.regression) IS
	'mean of predicted - actual';

CREATE FUNCTION mlmeta.max_error(r mlmeta.regression) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_max_error';
COMMENT ON FUNCTION mlmeta.max_error(r mlmeta.regression) IS
	'largest absolute error';

CREATE FUNCTION mlmeta.r2(r mlmeta.regression) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_r2';
COMMENT ON FUNCTION mlmeta.r2(r mlmeta.regression) IS
	'coefficient of determination; NULL for one row';

CREATE FUNCTION mlmeta.explained_variance(r mlmeta.regression) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_explained_variance';
COMMENT ON FUNCTION mlmeta.explained_variance(r mlmeta.regression) IS
	'share of the variance of the actual values that the predictions explain, bias aside';

CREATE FUNCTION mlmeta.pearson(r mlmeta.regression) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_regression_pearson';
COMMENT ON FUNCTION mlmeta.pearson(r mlmeta.regression) IS
	'correlation of actual and predicted; NULL if one of them is constant';
