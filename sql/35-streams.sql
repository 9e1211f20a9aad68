-- Change detectors: aggregates over (value ORDER BY time) that return the row
-- numbers, from 1, at which a series changed; over an ordered window, those of
-- the rows so far.
--
-- What a detector sees depends on all rows before, so that states cannot be
-- merged: there are no combine functions. A worker may run a whole aggregate.

CREATE FUNCTION mlmeta_internal.change_points_final(state internal) RETURNS bigint[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_change_points_final';
COMMENT ON FUNCTION mlmeta_internal.change_points_final(state internal) IS
	'final function of change detectors: the change points so far';

-- page_hinkley

CREATE FUNCTION mlmeta_internal.page_hinkley_transition(
	state internal,
	value float8)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_page_hinkley_transition';
COMMENT ON FUNCTION mlmeta_internal.page_hinkley_transition(state internal, value float8) IS
	'transition function of page_hinkley: takes a row';

CREATE AGGREGATE mlmeta.page_hinkley(value float8) (
	SFUNC = mlmeta_internal.page_hinkley_transition,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.page_hinkley(value float8) IS
	'change points of a series: its values rise above their running mean (Page-Hinkley)';

CREATE FUNCTION mlmeta_internal.page_hinkley_transition(
	state internal,
	value float8,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_page_hinkley_transition';
COMMENT ON FUNCTION mlmeta_internal.page_hinkley_transition(state internal, value float8, options text) IS
	'transition function of page_hinkley: takes a row';

CREATE AGGREGATE mlmeta.page_hinkley(value float8, options text) (
	SFUNC = mlmeta_internal.page_hinkley_transition,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.page_hinkley(value float8, options text) IS
	'change points of a series: its values rise above their running mean (Page-Hinkley); with options';

-- cusum

CREATE FUNCTION mlmeta_internal.cusum_transition(
	state internal,
	value float8)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_cusum_transition';
COMMENT ON FUNCTION mlmeta_internal.cusum_transition(state internal, value float8) IS
	'transition function of cusum: takes a row';

CREATE AGGREGATE mlmeta.cusum(value float8) (
	SFUNC = mlmeta_internal.cusum_transition,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.cusum(value float8) IS
	'change points of a series: standardised deviations from a target add up (tabular CUSUM)';

CREATE FUNCTION mlmeta_internal.cusum_transition(
	state internal,
	value float8,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_cusum_transition';
COMMENT ON FUNCTION mlmeta_internal.cusum_transition(state internal, value float8, options text) IS
	'transition function of cusum: takes a row';

CREATE AGGREGATE mlmeta.cusum(value float8, options text) (
	SFUNC = mlmeta_internal.cusum_transition,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.cusum(value float8, options text) IS
	'change points of a series: standardised deviations from a target add up (tabular CUSUM); with options';

-- adwin

CREATE FUNCTION mlmeta_internal.adwin_transition(
	state internal,
	value float8)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_adwin_transition';
COMMENT ON FUNCTION mlmeta_internal.adwin_transition(state internal, value float8) IS
	'transition function of adwin: takes a row';

CREATE AGGREGATE mlmeta.adwin(value float8) (
	SFUNC = mlmeta_internal.adwin_transition,
	STYPE = internal,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.adwin(value float8) IS
	'change points of a series: two parts of an adaptive window differ in the mean (ADWIN)';

CREATE FUNCTION mlmeta_internal.adwin_transition(
	state internal,
	value float8,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_adwin_transition';
COMMENT ON FUNCTION mlmeta_internal.adwin_transition(state internal, value float8, options text) IS
	'transition function of adwin: takes a row';

CREATE AGGREGATE mlmeta.adwin(value float8, options text) (
	SFUNC = mlmeta_internal.adwin_transition,
	STYPE = internal,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.adwin(value float8, options text) IS
	'change points of a series: two parts of an adaptive window differ in the mean (ADWIN); with options';

-- kswin

CREATE FUNCTION mlmeta_internal.kswin_transition(
	state internal,
	value float8)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_kswin_transition';
COMMENT ON FUNCTION mlmeta_internal.kswin_transition(state internal, value float8) IS
	'transition function of kswin: takes a row';

CREATE AGGREGATE mlmeta.kswin(value float8) (
	SFUNC = mlmeta_internal.kswin_transition,
	STYPE = internal,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.kswin(value float8) IS
	'change points of a series: the latest values of a window are distributed unlike the older ones (KSWIN)';

CREATE FUNCTION mlmeta_internal.kswin_transition(
	state internal,
	value float8,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_kswin_transition';
COMMENT ON FUNCTION mlmeta_internal.kswin_transition(state internal, value float8, options text) IS
	'transition function of kswin: takes a row';

CREATE AGGREGATE mlmeta.kswin(value float8, options text) (
	SFUNC = mlmeta_internal.kswin_transition,
	STYPE = internal,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.kswin(value float8, options text) IS
	'change points of a series: the latest values of a window are distributed unlike the older ones (KSWIN); with options';

-- ddm

CREATE FUNCTION mlmeta_internal.ddm_transition(
	state internal,
	error boolean)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_ddm_add_boolean';
COMMENT ON FUNCTION mlmeta_internal.ddm_transition(state internal, error boolean) IS
	'transition function of ddm: takes a row';

CREATE AGGREGATE mlmeta.ddm(error boolean) (
	SFUNC = mlmeta_internal.ddm_transition,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.ddm(error boolean) IS
	'change points of the errors of a model: their rate rises above its best so far (DDM)';

CREATE FUNCTION mlmeta_internal.ddm_transition(
	state internal,
	error boolean,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_ddm_add_boolean';
COMMENT ON FUNCTION mlmeta_internal.ddm_transition(state internal, error boolean, options text) IS
	'transition function of ddm: takes a row';

CREATE AGGREGATE mlmeta.ddm(error boolean, options text) (
	SFUNC = mlmeta_internal.ddm_transition,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.ddm(error boolean, options text) IS
	'change points of the errors of a model: their rate rises above its best so far (DDM); with options';

CREATE FUNCTION mlmeta_internal.ddm_transition(
	state internal,
	error float8)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_ddm_transition';
COMMENT ON FUNCTION mlmeta_internal.ddm_transition(state internal, error float8) IS
	'transition function of ddm: takes a row';

CREATE AGGREGATE mlmeta.ddm(error float8) (
	SFUNC = mlmeta_internal.ddm_transition,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.ddm(error float8) IS
	'change points of the errors of a model, each from 0 to 1: their rate rises above its best so far (DDM)';

CREATE FUNCTION mlmeta_internal.ddm_transition(
	state internal,
	error float8,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_ddm_transition';
COMMENT ON FUNCTION mlmeta_internal.ddm_transition(state internal, error float8, options text) IS
	'transition function of ddm: takes a row';

CREATE AGGREGATE mlmeta.ddm(error float8, options text) (
	SFUNC = mlmeta_internal.ddm_transition,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.ddm(error float8, options text) IS
	'change points of the errors of a model, each from 0 to 1: their rate rises above its best so far (DDM); with options';

-- eddm

CREATE FUNCTION mlmeta_internal.eddm_transition(
	state internal,
	error boolean)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_eddm_add_boolean';
COMMENT ON FUNCTION mlmeta_internal.eddm_transition(state internal, error boolean) IS
	'transition function of eddm: takes a row';

CREATE AGGREGATE mlmeta.eddm(error boolean) (
	SFUNC = mlmeta_internal.eddm_transition,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.eddm(error boolean) IS
	'change points of the errors of a model: they follow each other more closely than before (EDDM)';

CREATE FUNCTION mlmeta_internal.eddm_transition(
	state internal,
	error boolean,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_eddm_add_boolean';
COMMENT ON FUNCTION mlmeta_internal.eddm_transition(state internal, error boolean, options text) IS
	'transition function of eddm: takes a row';

CREATE AGGREGATE mlmeta.eddm(error boolean, options text) (
	SFUNC = mlmeta_internal.eddm_transition,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.eddm(error boolean, options text) IS
	'change points of the errors of a model: they follow each other more closely than before (EDDM); with options';

CREATE FUNCTION mlmeta_internal.eddm_transition(
	state internal,
	error float8)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_eddm_transition';
COMMENT ON FUNCTION mlmeta_internal.eddm_transition(state internal, error float8) IS
	'transition function of eddm: takes a row';

CREATE AGGREGATE mlmeta.eddm(error float8) (
	SFUNC = mlmeta_internal.eddm_transition,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.eddm(error float8) IS
	'change points of the errors of a model, each 0 or 1: they follow each other more closely than before (EDDM)';

CREATE FUNCTION mlmeta_internal.eddm_transition(
	state internal,
	error float8,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_eddm_transition';
COMMENT ON FUNCTION mlmeta_internal.eddm_transition(state internal, error float8, options text) IS
	'transition function of eddm: takes a row';

CREATE AGGREGATE mlmeta.eddm(error float8, options text) (
	SFUNC = mlmeta_internal.eddm_transition,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.eddm(error float8, options text) IS
	'change points of the errors of a model, each 0 or 1: they follow each other more closely than before (EDDM); with options';

-- hddm_a

CREATE FUNCTION mlmeta_internal.hddm_a_transition(
	state internal,
	error boolean)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_hddm_a_add_boolean';
COMMENT ON FUNCTION mlmeta_internal.hddm_a_transition(state internal, error boolean) IS
	'transition function of hddm_a: takes a row';

CREATE AGGREGATE mlmeta.hddm_a(error boolean) (
	SFUNC = mlmeta_internal.hddm_a_transition,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.hddm_a(error boolean) IS
	'change points of the errors of a model: their mean rises, by Hoeffding''s inequality (HDDM_A)';

CREATE FUNCTION mlmeta_internal.hddm_a_transition(
	state internal,
	error boolean,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_hddm_a_add_boolean';
COMMENT ON FUNCTION mlmeta_internal.hddm_a_transition(state internal, error boolean, options text) IS
	'transition function of hddm_a: takes a row';

CREATE AGGREGATE mlmeta.hddm_a(error boolean, options text) (
	SFUNC = mlmeta_internal.hddm_a_transition,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.hddm_a(error boolean, options text) IS
	'change points of the errors of a model: their mean rises, by Hoeffding''s inequality (HDDM_A); with options';

CREATE FUNCTION mlmeta_internal.hddm_a_transition(
	state internal,
	error float8)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_hddm_a_transition';
COMMENT ON FUNCTION mlmeta_internal.hddm_a_transition(state internal, error float8) IS
	'transition function of hddm_a: takes a row';

CREATE AGGREGATE mlmeta.hddm_a(error float8) (
	SFUNC = mlmeta_internal.hddm_a_transition,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.hddm_a(error float8) IS
	'change points of the errors of a model, each from 0 to 1: their mean rises, by Hoeffding''s inequality (HDDM_A)';

CREATE FUNCTION mlmeta_internal.hddm_a_transition(
	state internal,
	error float8,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_hddm_a_transition';
COMMENT ON FUNCTION mlmeta_internal.hddm_a_transition(state internal, error float8, options text) IS
	'transition function of hddm_a: takes a row';

CREATE AGGREGATE mlmeta.hddm_a(error float8, options text) (
	SFUNC = mlmeta_internal.hddm_a_transition,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.hddm_a(error float8, options text) IS
	'change points of the errors of a model, each from 0 to 1: their mean rises, by Hoeffding''s inequality (HDDM_A); with options';

-- hddm_w

CREATE FUNCTION mlmeta_internal.hddm_w_transition(
	state internal,
	error boolean)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_hddm_w_add_boolean';
COMMENT ON FUNCTION mlmeta_internal.hddm_w_transition(state internal, error boolean) IS
	'transition function of hddm_w: takes a row';

CREATE AGGREGATE mlmeta.hddm_w(error boolean) (
	SFUNC = mlmeta_internal.hddm_w_transition,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.hddm_w(error boolean) IS
	'change points of the errors of a model: their weighted mean rises, by McDiarmid''s inequality (HDDM_W)';

CREATE FUNCTION mlmeta_internal.hddm_w_transition(
	state internal,
	error boolean,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_hddm_w_add_boolean';
COMMENT ON FUNCTION mlmeta_internal.hddm_w_transition(state internal, error boolean, options text) IS
	'transition function of hddm_w: takes a row';

CREATE AGGREGATE mlmeta.hddm_w(error boolean, options text) (
	SFUNC = mlmeta_internal.hddm_w_transition,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.hddm_w(error boolean, options text) IS
	'change points of the errors of a model: their weighted mean rises, by McDiarmid''s inequality (HDDM_W); with options';

CREATE FUNCTION mlmeta_internal.hddm_w_transition(
	state internal,
	error float8)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_hddm_w_transition';
COMMENT ON FUNCTION mlmeta_internal.hddm_w_transition(state internal, error float8) IS
	'transition function of hddm_w: takes a row';

CREATE AGGREGATE mlmeta.hddm_w(error float8) (
	SFUNC = mlmeta_internal.hddm_w_transition,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.hddm_w(error float8) IS
	'change points of the errors of a model, each from 0 to 1: their weighted mean rises, by McDiarmid''s inequality (HDDM_W)';

CREATE FUNCTION mlmeta_internal.hddm_w_transition(
	state internal,
	error float8,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_hddm_w_transition';
COMMENT ON FUNCTION mlmeta_internal.hddm_w_transition(state internal, error float8, options text) IS
	'transition function of hddm_w: takes a row';

CREATE AGGREGATE mlmeta.hddm_w(error float8, options text) (
	SFUNC = mlmeta_internal.hddm_w_transition,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta_internal.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.hddm_w(error float8, options text) IS
	'change points of the errors of a model, each from 0 to 1: their weighted mean rises, by McDiarmid''s inequality (HDDM_W); with options';
