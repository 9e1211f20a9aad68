-- Packed metric series: points of one metric as one value.

CREATE FUNCTION mlmeta.pack_series(steps bigint[], times timestamptz[],
	points float8[]) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'mlmeta_pack_series';
COMMENT ON FUNCTION mlmeta.pack_series(bigint[], timestamptz[], float8[]) IS
	'packs the points of a metric, bit for bit and in the order given, into a fraction of their size; at most 1048576 points';

CREATE FUNCTION mlmeta.unpack_series(series bytea)
	RETURNS TABLE (step bigint, at timestamptz, value float8)
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 1000
	AS 'MODULE_PATHNAME', 'mlmeta_unpack_series';
COMMENT ON FUNCTION mlmeta.unpack_series(bytea) IS
	'the points of a packed series, in the order packed';

CREATE FUNCTION mlmeta.series_steps(series bytea) RETURNS bigint[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'mlmeta_series_steps';
COMMENT ON FUNCTION mlmeta.series_steps(bytea) IS
	'the steps of a packed series, in the order packed';

CREATE FUNCTION mlmeta.series_times(series bytea) RETURNS timestamptz[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'mlmeta_series_times';
COMMENT ON FUNCTION mlmeta.series_times(bytea) IS
	'the times of a packed series, in the order packed';

CREATE FUNCTION mlmeta.series_points(series bytea) RETURNS float8[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'mlmeta_series_points';
COMMENT ON FUNCTION mlmeta.series_points(bytea) IS
	'the values of a packed series, in the order packed';

CREATE FUNCTION mlmeta.series_count(series bytea) RETURNS integer
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_series_count';
COMMENT ON FUNCTION mlmeta.series_count(bytea) IS
	'number of points of a packed series';

CREATE FUNCTION mlmeta.series_bounds(series bytea, OUT n bigint,
	OUT nan_count bigint, OUT first_step bigint, OUT last_step bigint,
	OUT first_at timestamptz, OUT last_at timestamptz, OUT minimum float8,
	OUT maximum float8, OUT in_order boolean)
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'mlmeta_series_bounds';
COMMENT ON FUNCTION mlmeta.series_bounds(bytea) IS
	'number of points of a packed series, how many of them are NaN, the smallest and largest step, time and value (without NaN), and whether each point is later than the one before by step, then time';

CREATE FUNCTION mlmeta_internal.series_clock(last timestamptz, n int)
	RETURNS timestamptz[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_series_clock';
COMMENT ON FUNCTION mlmeta_internal.series_clock(timestamptz, int) IS
	'so many times a microsecond apart, the given one last';
