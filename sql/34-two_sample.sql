-- Exact tests and distances of two samples, as aggregates over rows.
--
-- The state is the rows themselves, in memory and beyond work_mem in temporary
-- files, and is shared by all aggregates over the same arguments. SSPACE says
-- that it is large, so that many groups are sorted and not hashed: then there
-- is one state at a time. Final functions may reorder the rows of a state,
-- which changes nothing: they count as read-only.

CREATE FUNCTION mlmeta.two_sample_accum(
	state internal, value float8, is_current boolean)
RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_two_sample_accum';

COMMENT ON FUNCTION mlmeta.two_sample_accum(internal, float8, boolean) IS
	'aggregate transition: collects a row of two samples';

CREATE FUNCTION mlmeta.two_sample_accum(
	state internal, value float8, is_current boolean, options text)
RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_two_sample_accum_options';

COMMENT ON FUNCTION mlmeta.two_sample_accum(internal, float8, boolean, text)
	IS 'aggregate transition: collects a row of two samples';

CREATE FUNCTION mlmeta.ks_final(state internal)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_ks_final';

COMMENT ON FUNCTION mlmeta.ks_final(internal) IS
	'aggregate final: Kolmogorov-Smirnov distance';

CREATE AGGREGATE mlmeta.ks(value float8, is_current boolean) (
	SFUNC = mlmeta.two_sample_accum,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta.ks_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.ks(float8, boolean) IS
	'exact Kolmogorov-Smirnov distance of two samples';

CREATE AGGREGATE mlmeta.ks(
	value float8, is_current boolean, options text) (
	SFUNC = mlmeta.two_sample_accum,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta.ks_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.ks(float8, boolean, text) IS
	'exact Kolmogorov-Smirnov distance of two samples; option alternative';

CREATE FUNCTION mlmeta.ks_test_final(state internal)
RETURNS mlmeta.test_result
LANGUAGE C IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'mlmeta_ks_test_final';

COMMENT ON FUNCTION mlmeta.ks_test_final(internal) IS
	'aggregate final: Kolmogorov-Smirnov test';

CREATE AGGREGATE mlmeta.ks_test(value float8, is_current boolean) (
	SFUNC = mlmeta.two_sample_accum,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta.ks_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.ks_test(float8, boolean) IS
	'Kolmogorov-Smirnov test of two samples';

CREATE AGGREGATE mlmeta.ks_test(
	value float8, is_current boolean, options text) (
	SFUNC = mlmeta.two_sample_accum,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta.ks_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE mlmeta.ks_test(float8, boolean, text) IS
	'Kolmogorov-Smirnov test of two samples; options alternative, method';
