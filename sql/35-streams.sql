-- Change detectors: aggregates over (value ORDER BY time) that return the row
-- numbers, from 1, at which a series changed; over an ordered window, those of
-- the rows so far.
--
-- What a detector sees depends on all rows before, so that states cannot be
-- merged: there are no combine functions. A worker may run a whole aggregate.

CREATE FUNCTION mlmeta.change_points_final(state internal) RETURNS bigint[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_change_points_final';
COMMENT ON FUNCTION mlmeta.change_points_final(state internal) IS
	'final function of change detectors: the change points so far';

-- page_hinkley

CREATE FUNCTION mlmeta.page_hinkley_add(
	state internal,
	value float8)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_page_hinkley_add';
COMMENT ON FUNCTION mlmeta.page_hinkley_add(state internal, value float8) IS
	'transition function of page_hinkley: takes a row';

CREATE AGGREGATE mlmeta.page_hinkley(value float8) (
	SFUNC = mlmeta.page_hinkley_add,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.page_hinkley(value float8) IS
	'change points of a series: its values rise above their running mean (Page-Hinkley)';

CREATE FUNCTION mlmeta.page_hinkley_add(
	state internal,
	value float8,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_page_hinkley_add';
COMMENT ON FUNCTION mlmeta.page_hinkley_add(state internal, value float8, options text) IS
	'transition function of page_hinkley: takes a row';

CREATE AGGREGATE mlmeta.page_hinkley(value float8, options text) (
	SFUNC = mlmeta.page_hinkley_add,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.page_hinkley(value float8, options text) IS
	'change points of a series: its values rise above their running mean (Page-Hinkley); with options';

-- cusum

CREATE FUNCTION mlmeta.cusum_add(
	state internal,
	value float8)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_cusum_add';
COMMENT ON FUNCTION mlmeta.cusum_add(state internal, value float8) IS
	'transition function of cusum: takes a row';

CREATE AGGREGATE mlmeta.cusum(value float8) (
	SFUNC = mlmeta.cusum_add,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.cusum(value float8) IS
	'change points of a series: standardised deviations from a target add up (tabular CUSUM)';

CREATE FUNCTION mlmeta.cusum_add(
	state internal,
	value float8,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_cusum_add';
COMMENT ON FUNCTION mlmeta.cusum_add(state internal, value float8, options text) IS
	'transition function of cusum: takes a row';

CREATE AGGREGATE mlmeta.cusum(value float8, options text) (
	SFUNC = mlmeta.cusum_add,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.cusum(value float8, options text) IS
	'change points of a series: standardised deviations from a target add up (tabular CUSUM); with options';

-- adwin

CREATE FUNCTION mlmeta.adwin_add(
	state internal,
	value float8)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_adwin_add';
COMMENT ON FUNCTION mlmeta.adwin_add(state internal, value float8) IS
	'transition function of adwin: takes a row';

CREATE AGGREGATE mlmeta.adwin(value float8) (
	SFUNC = mlmeta.adwin_add,
	STYPE = internal,
	SSPACE = 8192,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.adwin(value float8) IS
	'change points of a series: two parts of an adaptive window differ in the mean (ADWIN)';

CREATE FUNCTION mlmeta.adwin_add(
	state internal,
	value float8,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_adwin_add';
COMMENT ON FUNCTION mlmeta.adwin_add(state internal, value float8, options text) IS
	'transition function of adwin: takes a row';

CREATE AGGREGATE mlmeta.adwin(value float8, options text) (
	SFUNC = mlmeta.adwin_add,
	STYPE = internal,
	SSPACE = 8192,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.adwin(value float8, options text) IS
	'change points of a series: two parts of an adaptive window differ in the mean (ADWIN); with options';

-- kswin

CREATE FUNCTION mlmeta.kswin_add(
	state internal,
	value float8)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_kswin_add';
COMMENT ON FUNCTION mlmeta.kswin_add(state internal, value float8) IS
	'transition function of kswin: takes a row';

CREATE AGGREGATE mlmeta.kswin(value float8) (
	SFUNC = mlmeta.kswin_add,
	STYPE = internal,
	SSPACE = 8192,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.kswin(value float8) IS
	'change points of a series: the latest values of a window are distributed unlike the older ones (KSWIN)';

CREATE FUNCTION mlmeta.kswin_add(
	state internal,
	value float8,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_kswin_add';
COMMENT ON FUNCTION mlmeta.kswin_add(state internal, value float8, options text) IS
	'transition function of kswin: takes a row';

CREATE AGGREGATE mlmeta.kswin(value float8, options text) (
	SFUNC = mlmeta.kswin_add,
	STYPE = internal,
	SSPACE = 8192,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.kswin(value float8, options text) IS
	'change points of a series: the latest values of a window are distributed unlike the older ones (KSWIN); with options';

-- ddm

CREATE FUNCTION mlmeta.ddm_add(
	state internal,
	error boolean)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_ddm_add_boolean';
COMMENT ON FUNCTION mlmeta.ddm_add(state internal, error boolean) IS
	'transition function of ddm: takes a row';

CREATE AGGREGATE mlmeta.ddm(error boolean) (
	SFUNC = mlmeta.ddm_add,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.ddm(error boolean) IS
	'change points of the errors of a model: their rate rises above its best so far (DDM)';

CREATE FUNCTION mlmeta.ddm_add(
	state internal,
	error boolean,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_ddm_add_boolean';
COMMENT ON FUNCTION mlmeta.ddm_add(state internal, error boolean, options text) IS
	'transition function of ddm: takes a row';

CREATE AGGREGATE mlmeta.ddm(error boolean, options text) (
	SFUNC = mlmeta.ddm_add,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.ddm(error boolean, options text) IS
	'change points of the errors of a model: their rate rises above its best so far (DDM); with options';

CREATE FUNCTION mlmeta.ddm_add(
	state internal,
	error float8)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_ddm_add';
COMMENT ON FUNCTION mlmeta.ddm_add(state internal, error float8) IS
	'transition function of ddm: takes a row';

CREATE AGGREGATE mlmeta.ddm(error float8) (
	SFUNC = mlmeta.ddm_add,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.ddm(error float8) IS
	'change points of the errors of a model, each from 0 to 1: their rate rises above its best so far (DDM)';

CREATE FUNCTION mlmeta.ddm_add(
	state internal,
	error float8,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_ddm_add';
COMMENT ON FUNCTION mlmeta.ddm_add(state internal, error float8, options text) IS
	'transition function of ddm: takes a row';

CREATE AGGREGATE mlmeta.ddm(error float8, options text) (
	SFUNC = mlmeta.ddm_add,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.ddm(error float8, options text) IS
	'change points of the errors of a model, each from 0 to 1: their rate rises above its best so far (DDM); with options';

-- eddm

CREATE FUNCTION mlmeta.eddm_add(
	state internal,
	error boolean)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_eddm_add_boolean';
COMMENT ON FUNCTION mlmeta.eddm_add(state internal, error boolean) IS
	'transition function of eddm: takes a row';

CREATE AGGREGATE mlmeta.eddm(error boolean) (
	SFUNC = mlmeta.eddm_add,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.eddm(error boolean) IS
	'change points of the errors of a model: they follow each other more closely than before (EDDM)';

CREATE FUNCTION mlmeta.eddm_add(
	state internal,
	error boolean,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_eddm_add_boolean';
COMMENT ON FUNCTION mlmeta.eddm_add(state internal, error boolean, options text) IS
	'transition function of eddm: takes a row';

CREATE AGGREGATE mlmeta.eddm(error boolean, options text) (
	SFUNC = mlmeta.eddm_add,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.eddm(error boolean, options text) IS
	'change points of the errors of a model: they follow each other more closely than before (EDDM); with options';

CREATE FUNCTION mlmeta.eddm_add(
	state internal,
	error float8)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_eddm_add';
COMMENT ON FUNCTION mlmeta.eddm_add(state internal, error float8) IS
	'transition function of eddm: takes a row';

CREATE AGGREGATE mlmeta.eddm(error float8) (
	SFUNC = mlmeta.eddm_add,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.eddm(error float8) IS
	'change points of the errors of a model, each 0 or 1: they follow each other more closely than before (EDDM)';

CREATE FUNCTION mlmeta.eddm_add(
	state internal,
	error float8,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_eddm_add';
COMMENT ON FUNCTION mlmeta.eddm_add(state internal, error float8, options text) IS
	'transition function of eddm: takes a row';

CREATE AGGREGATE mlmeta.eddm(error float8, options text) (
	SFUNC = mlmeta.eddm_add,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.eddm(error float8, options text) IS
	'change points of the errors of a model, each 0 or 1: they follow each other more closely than before (EDDM); with options';

-- hddm_a

CREATE FUNCTION mlmeta.hddm_a_add(
	state internal,
	error boolean)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_hddm_a_add_boolean';
COMMENT ON FUNCTION mlmeta.hddm_a_add(state internal, error boolean) IS
	'transition function of hddm_a: takes a row';

CREATE AGGREGATE mlmeta.hddm_a(error boolean) (
	SFUNC = mlmeta.hddm_a_add,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.hddm_a(error boolean) IS
	'change points of the errors of a model: their mean rises, by Hoeffding''s inequality (HDDM_A)';

CREATE FUNCTION mlmeta.hddm_a_add(
	state internal,
	error boolean,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_hddm_a_add_boolean';
COMMENT ON FUNCTION mlmeta.hddm_a_add(state internal, error boolean, options text) IS
	'transition function of hddm_a: takes a row';

CREATE AGGREGATE mlmeta.hddm_a(error boolean, options text) (
	SFUNC = mlmeta.hddm_a_add,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.hddm_a(error boolean, options text) IS
	'change points of the errors of a model: their mean rises, by Hoeffding''s inequality (HDDM_A); with options';

CREATE FUNCTION mlmeta.hddm_a_add(
	state internal,
	error float8)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_hddm_a_add';
COMMENT ON FUNCTION mlmeta.hddm_a_add(state internal, error float8) IS
	'transition function of hddm_a: takes a row';

CREATE AGGREGATE mlmeta.hddm_a(error float8) (
	SFUNC = mlmeta.hddm_a_add,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.hddm_a(error float8) IS
	'change points of the errors of a model, each from 0 to 1: their mean rises, by Hoeffding''s inequality (HDDM_A)';

CREATE FUNCTION mlmeta.hddm_a_add(
	state internal,
	error float8,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_hddm_a_add';
COMMENT ON FUNCTION mlmeta.hddm_a_add(state internal, error float8, options text) IS
	'transition function of hddm_a: takes a row';

CREATE AGGREGATE mlmeta.hddm_a(error float8, options text) (
	SFUNC = mlmeta.hddm_a_add,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.hddm_a(error float8, options text) IS
	'change points of the errors of a model, each from 0 to 1: their mean rises, by Hoeffding''s inequality (HDDM_A); with options';

-- hddm_w

CREATE FUNCTION mlmeta.hddm_w_add(
	state internal,
	error boolean)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_hddm_w_add_boolean';
COMMENT ON FUNCTION mlmeta.hddm_w_add(state internal, error boolean) IS
	'transition function of hddm_w: takes a row';

CREATE AGGREGATE mlmeta.hddm_w(error boolean) (
	SFUNC = mlmeta.hddm_w_add,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.hddm_w(error boolean) IS
	'change points of the errors of a model: their weighted mean rises, by McDiarmid''s inequality (HDDM_W)';

CREATE FUNCTION mlmeta.hddm_w_add(
	state internal,
	error boolean,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_hddm_w_add_boolean';
COMMENT ON FUNCTION mlmeta.hddm_w_add(state internal, error boolean, options text) IS
	'transition function of hddm_w: takes a row';

CREATE AGGREGATE mlmeta.hddm_w(error boolean, options text) (
	SFUNC = mlmeta.hddm_w_add,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.hddm_w(error boolean, options text) IS
	'change points of the errors of a model: their weighted mean rises, by McDiarmid''s inequality (HDDM_W); with options';

CREATE FUNCTION mlmeta.hddm_w_add(
	state internal,
	error float8)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_hddm_w_add';
COMMENT ON FUNCTION mlmeta.hddm_w_add(state internal, error float8) IS
	'transition function of hddm_w: takes a row';

CREATE AGGREGATE mlmeta.hddm_w(error float8) (
	SFUNC = mlmeta.hddm_w_add,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.hddm_w(error float8) IS
	'change points of the errors of a model, each from 0 to 1: their weighted mean rises, by McDiarmid''s inequality (HDDM_W)';

CREATE FUNCTION mlmeta.hddm_w_add(
	state internal,
	error float8,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_hddm_w_add';
COMMENT ON FUNCTION mlmeta.hddm_w_add(state internal, error float8, options text) IS
	'transition function of hddm_w: takes a row';

CREATE AGGREGATE mlmeta.hddm_w(error float8, options text) (
	SFUNC = mlmeta.hddm_w_add,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = mlmeta.change_points_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.hddm_w(error float8, options text) IS
	'change points of the errors of a model, each from 0 to 1: their weighted mean rises, by McDiarmid''s inequality (HDDM_W); with options';
