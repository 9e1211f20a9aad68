-- Exact tests and distances of two samples, as aggregates over rows.
--
-- The state is the rows themselves, in memory and beyond work_mem in temporary
-- files, and is shared by all aggregates over the same arguments. SSPACE says
-- that it is large, so that many groups are sorted and not hashed: then there
-- is one state at a time. Final functions may reorder the rows of a state,
-- which changes nothing: they count as read-only.

CREATE FUNCTION mlmeta_internal.two_sample_transition(
	state internal, value float8, is_current boolean)
RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_two_sample_transition';

COMMENT ON FUNCTION mlmeta_internal.two_sample_transition(internal, float8, boolean)
	IS 'aggregate transition: collects a row of two samples';

CREATE FUNCTION mlmeta_internal.two_sample_transition(
	state internal, value float8, is_current boolean, options text)
RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_two_sample_accum_options';

COMMENT ON FUNCTION mlmeta_internal.two_sample_transition(internal, float8, boolean, text)
	IS 'aggregate transition: collects a row of two samples';

CREATE FUNCTION mlmeta_internal.two_sample_transition(
	state internal, value float8, is_current boolean, bins int)
RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_two_sample_accum_bins';

COMMENT ON FUNCTION mlmeta_internal.two_sample_transition(internal, float8, boolean, int)
	IS 'aggregate transition: collects a row of two samples';

CREATE FUNCTION mlmeta_internal.two_sample_transition(
	state internal, value float8, is_current boolean, bins int, options text)
RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_two_sample_accum_bins_options';

COMMENT ON FUNCTION mlmeta_internal.two_sample_transition(internal, float8, boolean, int, text)
	IS 'aggregate transition: collects a row of two samples';

CREATE FUNCTION mlmeta_internal.ks_final(state internal)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_ks_final';

COMMENT ON FUNCTION mlmeta_internal.ks_final(internal) IS
	'aggregate final: Kolmogorov-Smirnov distance of two samples';

CREATE AGGREGATE mlmeta.ks(value float8, is_current boolean) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.ks_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.ks(float8, boolean) IS
	'Kolmogorov-Smirnov distance of two samples, exact over rows';

CREATE AGGREGATE mlmeta.ks(value float8, is_current boolean, options text) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.ks_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.ks(float8, boolean, text) IS
	'Kolmogorov-Smirnov distance of two samples, exact over rows; option alternative';

CREATE FUNCTION mlmeta_internal.wasserstein_final(state internal)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_wasserstein_final';

COMMENT ON FUNCTION mlmeta_internal.wasserstein_final(internal) IS
	'aggregate final: Wasserstein-1 distance of two samples';

CREATE AGGREGATE mlmeta.wasserstein(value float8, is_current boolean) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.wasserstein_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.wasserstein(float8, boolean) IS
	'Wasserstein-1 distance of two samples, exact over rows';

CREATE AGGREGATE mlmeta.wasserstein(
	value float8, is_current boolean, options text) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.wasserstein_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.wasserstein(float8, boolean, text) IS
	'Wasserstein-1 distance of two samples, exact over rows; option normed';

CREATE FUNCTION mlmeta_internal.energy_distance_final(state internal)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_energy_distance_final';

COMMENT ON FUNCTION mlmeta_internal.energy_distance_final(internal) IS
	'aggregate final: energy distance of two samples';

CREATE AGGREGATE mlmeta.energy_distance(value float8, is_current boolean) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.energy_distance_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.energy_distance(float8, boolean) IS
	'energy distance of two samples, exact over rows';

CREATE AGGREGATE mlmeta.energy_distance(
	value float8, is_current boolean, options text) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.energy_distance_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.energy_distance(float8, boolean, text) IS
	'energy distance of two samples, exact over rows; knows no option';

CREATE FUNCTION mlmeta_internal.psi_final(state internal)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_psi_final';

COMMENT ON FUNCTION mlmeta_internal.psi_final(internal) IS
	'aggregate final: population stability index on quantile bins of the reference';

CREATE AGGREGATE mlmeta.psi(value float8, is_current boolean) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.psi_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.psi(float8, boolean) IS
	'population stability index on quantile bins of the reference, exact over rows';

CREATE AGGREGATE mlmeta.psi(value float8, is_current boolean, options text) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.psi_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.psi(float8, boolean, text) IS
	'population stability index on quantile bins of the reference, exact over rows; options bins, rule, epsilon';

CREATE AGGREGATE mlmeta.psi(value float8, is_current boolean, bins int) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.psi_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.psi(float8, boolean, int) IS
	'population stability index on quantile bins of the reference, exact over rows';

CREATE AGGREGATE mlmeta.psi(
	value float8, is_current boolean, bins int, options text) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.psi_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.psi(float8, boolean, int, text) IS
	'population stability index on quantile bins of the reference, exact over rows; options bins, rule, epsilon';

CREATE FUNCTION mlmeta_internal.kl_divergence_final(state internal)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_kl_divergence_final';

COMMENT ON FUNCTION mlmeta_internal.kl_divergence_final(internal) IS
	'aggregate final: Kullback-Leibler divergence on quantile bins of the reference';

CREATE AGGREGATE mlmeta.kl_divergence(value float8, is_current boolean) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.kl_divergence_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.kl_divergence(float8, boolean) IS
	'Kullback-Leibler divergence on quantile bins of the reference, exact over rows';

CREATE AGGREGATE mlmeta.kl_divergence(
	value float8, is_current boolean, options text) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.kl_divergence_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.kl_divergence(float8, boolean, text) IS
	'Kullback-Leibler divergence on quantile bins of the reference, exact over rows; options bins, base';

CREATE FUNCTION mlmeta_internal.js_divergence_final(state internal)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_js_divergence_final';

COMMENT ON FUNCTION mlmeta_internal.js_divergence_final(internal) IS
	'aggregate final: Jensen-Shannon divergence on quantile bins of the reference';

CREATE AGGREGATE mlmeta.js_divergence(value float8, is_current boolean) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.js_divergence_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.js_divergence(float8, boolean) IS
	'Jensen-Shannon divergence on quantile bins of the reference, exact over rows';

CREATE AGGREGATE mlmeta.js_divergence(
	value float8, is_current boolean, options text) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.js_divergence_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.js_divergence(float8, boolean, text) IS
	'Jensen-Shannon divergence on quantile bins of the reference, exact over rows; options bins, base';

CREATE FUNCTION mlmeta_internal.js_distance_final(state internal)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_js_distance_final';

COMMENT ON FUNCTION mlmeta_internal.js_distance_final(internal) IS
	'aggregate final: Jensen-Shannon distance on quantile bins of the reference';

CREATE AGGREGATE mlmeta.js_distance(value float8, is_current boolean) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.js_distance_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.js_distance(float8, boolean) IS
	'Jensen-Shannon distance on quantile bins of the reference, exact over rows';

CREATE AGGREGATE mlmeta.js_distance(
	value float8, is_current boolean, options text) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.js_distance_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.js_distance(float8, boolean, text) IS
	'Jensen-Shannon distance on quantile bins of the reference, exact over rows; options bins, base';

CREATE FUNCTION mlmeta_internal.hellinger_final(state internal)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_hellinger_final';

COMMENT ON FUNCTION mlmeta_internal.hellinger_final(internal) IS
	'aggregate final: Hellinger distance on quantile bins of the reference';

CREATE AGGREGATE mlmeta.hellinger(value float8, is_current boolean) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.hellinger_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.hellinger(float8, boolean) IS
	'Hellinger distance on quantile bins of the reference, exact over rows';

CREATE AGGREGATE mlmeta.hellinger(
	value float8, is_current boolean, options text) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.hellinger_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.hellinger(float8, boolean, text) IS
	'Hellinger distance on quantile bins of the reference, exact over rows; option bins';

CREATE FUNCTION mlmeta_internal.total_variation_final(state internal)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_total_variation_final';

COMMENT ON FUNCTION mlmeta_internal.total_variation_final(internal) IS
	'aggregate final: total variation distance on quantile bins of the reference';

CREATE AGGREGATE mlmeta.total_variation(value float8, is_current boolean) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.total_variation_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.total_variation(float8, boolean) IS
	'total variation distance on quantile bins of the reference, exact over rows';

CREATE AGGREGATE mlmeta.total_variation(
	value float8, is_current boolean, options text) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.total_variation_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.total_variation(float8, boolean, text) IS
	'total variation distance on quantile bins of the reference, exact over rows; option bins';

CREATE FUNCTION mlmeta_internal.l_infinity_final(state internal)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_l_infinity_final';

COMMENT ON FUNCTION mlmeta_internal.l_infinity_final(internal) IS
	'aggregate final: largest difference of shares on quantile bins of the reference';

CREATE AGGREGATE mlmeta.l_infinity(value float8, is_current boolean) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.l_infinity_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.l_infinity(float8, boolean) IS
	'largest difference of shares on quantile bins of the reference, exact over rows';

CREATE AGGREGATE mlmeta.l_infinity(
	value float8, is_current boolean, options text) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.l_infinity_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.l_infinity(float8, boolean, text) IS
	'largest difference of shares on quantile bins of the reference, exact over rows; option bins';

CREATE FUNCTION mlmeta_internal.ks_test_final(state internal)
RETURNS mlmeta.test_result
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_ks_test_final';

COMMENT ON FUNCTION mlmeta_internal.ks_test_final(internal) IS
	'aggregate final: Kolmogorov-Smirnov test of two samples';

CREATE AGGREGATE mlmeta.ks_test(value float8, is_current boolean) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.ks_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.ks_test(float8, boolean) IS
	'Kolmogorov-Smirnov test of two samples, exact over rows';

CREATE AGGREGATE mlmeta.ks_test(
	value float8, is_current boolean, options text) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.ks_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.ks_test(float8, boolean, text) IS
	'Kolmogorov-Smirnov test of two samples, exact over rows; options alternative, method';

CREATE FUNCTION mlmeta_internal.cvm_test_final(state internal)
RETURNS mlmeta.test_result
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_cvm_test_final';

COMMENT ON FUNCTION mlmeta_internal.cvm_test_final(internal) IS
	'aggregate final: Cramer-von Mises test of two samples';

CREATE AGGREGATE mlmeta.cvm_test(value float8, is_current boolean) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.cvm_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.cvm_test(float8, boolean) IS
	'Cramer-von Mises test of two samples, exact over rows';

CREATE AGGREGATE mlmeta.cvm_test(
	value float8, is_current boolean, options text) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.cvm_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.cvm_test(float8, boolean, text) IS
	'Cramer-von Mises test of two samples, exact over rows; option method';

CREATE FUNCTION mlmeta.cvm_pvalue(u float8, n_reference bigint, n_current bigint)
RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000
AS 'MODULE_PATHNAME', 'mlmeta_cvm_pvalue';

COMMENT ON FUNCTION mlmeta.cvm_pvalue(float8, bigint, bigint) IS
	'exact p-value of the Cramer-von Mises statistic U = n sum (r_i - i)^2 + m sum (s_j - j)^2 of samples without ties';

CREATE FUNCTION mlmeta_internal.ad_test_final(state internal)
RETURNS mlmeta.test_result
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_ad_test_final';

COMMENT ON FUNCTION mlmeta_internal.ad_test_final(internal) IS
	'aggregate final: Anderson-Darling test of two samples';

CREATE AGGREGATE mlmeta.ad_test(value float8, is_current boolean) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.ad_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.ad_test(float8, boolean) IS
	'Anderson-Darling test of two samples, exact over rows';

CREATE AGGREGATE mlmeta.ad_test(
	value float8, is_current boolean, options text) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.ad_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.ad_test(float8, boolean, text) IS
	'Anderson-Darling test of two samples, exact over rows; option variant';

CREATE FUNCTION mlmeta_internal.mann_whitney_test_final(state internal)
RETURNS mlmeta.test_result
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_mann_whitney_test_final';

COMMENT ON FUNCTION mlmeta_internal.mann_whitney_test_final(internal) IS
	'aggregate final: Mann-Whitney test of two samples';

CREATE AGGREGATE mlmeta.mann_whitney_test(value float8, is_current boolean) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.mann_whitney_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.mann_whitney_test(float8, boolean) IS
	'Mann-Whitney test of two samples, exact over rows';

CREATE AGGREGATE mlmeta.mann_whitney_test(
	value float8, is_current boolean, options text) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.mann_whitney_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.mann_whitney_test(float8, boolean, text) IS
	'Mann-Whitney test of two samples, exact over rows; options alternative, method, continuity';

CREATE FUNCTION mlmeta_internal.epps_singleton_test_final(state internal)
RETURNS mlmeta.test_result
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_epps_singleton_test_final';

COMMENT ON FUNCTION mlmeta_internal.epps_singleton_test_final(internal) IS
	'aggregate final: Epps-Singleton test of two samples';

CREATE AGGREGATE mlmeta.epps_singleton_test(value float8, is_current boolean) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.epps_singleton_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.epps_singleton_test(float8, boolean) IS
	'Epps-Singleton test of two samples, exact over rows';

CREATE AGGREGATE mlmeta.epps_singleton_test(
	value float8, is_current boolean, options text) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.epps_singleton_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.epps_singleton_test(float8, boolean, text) IS
	'Epps-Singleton test of two samples, exact over rows; option t';

CREATE FUNCTION mlmeta_internal.t_test_final(state internal)
RETURNS mlmeta.test_result
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_t_test_final';

COMMENT ON FUNCTION mlmeta_internal.t_test_final(internal) IS
	'aggregate final: Welch''s or Student''s t test of two samples';

CREATE AGGREGATE mlmeta.t_test(value float8, is_current boolean) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.t_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.t_test(float8, boolean) IS
	'Welch''s or Student''s t test of two samples, exact over rows';

CREATE AGGREGATE mlmeta.t_test(
	value float8, is_current boolean, options text) (
	SFUNC = mlmeta_internal.two_sample_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.t_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.t_test(float8, boolean, text) IS
	'Welch''s or Student''s t test of two samples, exact over rows; options alternative, equal_variance';

-- One sample, of the same state.

CREATE FUNCTION mlmeta_internal.quantiles_transition(
	state internal, value float8, probabilities float8[])
RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_quantiles_transition';

COMMENT ON FUNCTION mlmeta_internal.quantiles_transition(internal, float8, float8[]) IS
	'aggregate transition: collects a row of quantiles';

CREATE FUNCTION mlmeta_internal.quantiles_final(state internal)
RETURNS float8[]
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_quantiles_final';

COMMENT ON FUNCTION mlmeta_internal.quantiles_final(internal) IS
	'aggregate final: exact quantiles';

CREATE AGGREGATE mlmeta.quantiles(value float8, probabilities float8[]) (
	SFUNC = mlmeta_internal.quantiles_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.quantiles_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.quantiles(float8, float8[]) IS
	'exact type-7 quantiles at the probabilities, as percentile_cont has them, without sorting all rows; NULL and NaN take no part';

-- Weighted rows have a state of their own.

CREATE FUNCTION mlmeta_internal.weighted_transition(
	state internal, value float8, is_current boolean, weight float8)
RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_weighted_transition';

COMMENT ON FUNCTION mlmeta_internal.weighted_transition(internal, float8, boolean, float8)
	IS 'aggregate transition: collects a weighted row of two samples';

CREATE FUNCTION mlmeta_internal.ks_weighted_final(state internal)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_ks_weighted_final';

COMMENT ON FUNCTION mlmeta_internal.ks_weighted_final(internal) IS
	'aggregate final: Kolmogorov-Smirnov distance of two samples of weighted rows';

CREATE AGGREGATE mlmeta.ks(
	value float8, is_current boolean, weight float8) (
	SFUNC = mlmeta_internal.weighted_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.ks_weighted_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.ks(float8, boolean, float8) IS
	'Kolmogorov-Smirnov distance of two samples of weighted rows, exact over rows';

CREATE FUNCTION mlmeta_internal.wasserstein_weighted_final(state internal)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_wasserstein_weighted_final';

COMMENT ON FUNCTION mlmeta_internal.wasserstein_weighted_final(internal) IS
	'aggregate final: Wasserstein-1 distance of two samples of weighted rows';

CREATE AGGREGATE mlmeta.wasserstein(
	value float8, is_current boolean, weight float8) (
	SFUNC = mlmeta_internal.weighted_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.wasserstein_weighted_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.wasserstein(float8, boolean, float8) IS
	'Wasserstein-1 distance of two samples of weighted rows, exact over rows';

CREATE FUNCTION mlmeta_internal.energy_distance_weighted_final(state internal)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_energy_distance_weighted_final';

COMMENT ON FUNCTION mlmeta_internal.energy_distance_weighted_final(internal) IS
	'aggregate final: energy distance of two samples of weighted rows';

CREATE AGGREGATE mlmeta.energy_distance(
	value float8, is_current boolean, weight float8) (
	SFUNC = mlmeta_internal.weighted_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.energy_distance_weighted_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.energy_distance(float8, boolean, float8) IS
	'energy distance of two samples of weighted rows, exact over rows';
