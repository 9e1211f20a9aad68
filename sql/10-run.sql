-- The type run: the identity of one execution of a job.

CREATE TYPE mlmeta.run;

CREATE FUNCTION mlmeta_internal.run_in(value cstring) RETURNS mlmeta.run
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_run_in';
COMMENT ON FUNCTION mlmeta_internal.run_in(cstring) IS 'input function of run';

CREATE FUNCTION mlmeta_internal.run_out(value mlmeta.run) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_run_out';
COMMENT ON FUNCTION mlmeta_internal.run_out(mlmeta.run) IS 'output function of run';

CREATE FUNCTION mlmeta_internal.run_recv(value internal) RETURNS mlmeta.run
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_run_recv';
COMMENT ON FUNCTION mlmeta_internal.run_recv(internal) IS
	'binary input function of run';

CREATE FUNCTION mlmeta_internal.run_send(value mlmeta.run) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_run_send';
COMMENT ON FUNCTION mlmeta_internal.run_send(mlmeta.run) IS
	'binary output function of run';

CREATE TYPE mlmeta.run (
	INPUT = mlmeta_internal.run_in,
	OUTPUT = mlmeta_internal.run_out,
	RECEIVE = mlmeta_internal.run_recv,
	SEND = mlmeta_internal.run_send,
	INTERNALLENGTH = 16,
	ALIGNMENT = char,
	STORAGE = plain
);
COMMENT ON TYPE mlmeta.run IS
	'identity of a run: 16 bytes ordered by time (UUIDv7), written run_ and 26 base-32 digits';

CREATE FUNCTION mlmeta_internal.run_eq(a mlmeta.run, b mlmeta.run) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
	AS 'MODULE_PATHNAME', 'mlmeta_run_eq';
COMMENT ON FUNCTION mlmeta_internal.run_eq(mlmeta.run, mlmeta.run) IS
	'implementation of the operator =';

CREATE FUNCTION mlmeta_internal.run_ne(a mlmeta.run, b mlmeta.run) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
	AS 'MODULE_PATHNAME', 'mlmeta_run_ne';
COMMENT ON FUNCTION mlmeta_internal.run_ne(mlmeta.run, mlmeta.run) IS
	'implementation of the operator <>';

CREATE FUNCTION mlmeta_internal.run_lt(a mlmeta.run, b mlmeta.run) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
	AS 'MODULE_PATHNAME', 'mlmeta_run_lt';
COMMENT ON FUNCTION mlmeta_internal.run_lt(mlmeta.run, mlmeta.run) IS
	'implementation of the operator <';

CREATE FUNCTION mlmeta_internal.run_le(a mlmeta.run, b mlmeta.run) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
	AS 'MODULE_PATHNAME', 'mlmeta_run_le';
COMMENT ON FUNCTION mlmeta_internal.run_le(mlmeta.run, mlmeta.run) IS
	'implementation of the operator <=';

CREATE FUNCTION mlmeta_internal.run_gt(a mlmeta.run, b mlmeta.run) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
	AS 'MODULE_PATHNAME', 'mlmeta_run_gt';
COMMENT ON FUNCTION mlmeta_internal.run_gt(mlmeta.run, mlmeta.run) IS
	'implementation of the operator >';

CREATE FUNCTION mlmeta_internal.run_ge(a mlmeta.run, b mlmeta.run) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
	AS 'MODULE_PATHNAME', 'mlmeta_run_ge';
COMMENT ON FUNCTION mlmeta_internal.run_ge(mlmeta.run, mlmeta.run) IS
	'implementation of the operator >=';

CREATE FUNCTION mlmeta_internal.run_cmp(a mlmeta.run, b mlmeta.run) RETURNS int
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
	AS 'MODULE_PATHNAME', 'mlmeta_run_cmp';
COMMENT ON FUNCTION mlmeta_internal.run_cmp(mlmeta.run, mlmeta.run) IS
	'-1, 0 or 1: order of two values';

CREATE FUNCTION mlmeta_internal.run_hash(value mlmeta.run) RETURNS int
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
	AS 'MODULE_PATHNAME', 'mlmeta_run_hash';
COMMENT ON FUNCTION mlmeta_internal.run_hash(mlmeta.run) IS
	'hash of a value';

CREATE FUNCTION mlmeta_internal.run_hash_extended(value mlmeta.run, seed bigint)
	RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
	AS 'MODULE_PATHNAME', 'mlmeta_run_hash_extended';
COMMENT ON FUNCTION mlmeta_internal.run_hash_extended(mlmeta.run, bigint) IS
	'hash of a value with a seed';

CREATE OPERATOR mlmeta.= (
	LEFTARG = mlmeta.run, RIGHTARG = mlmeta.run, FUNCTION = mlmeta_internal.run_eq,
	COMMUTATOR = OPERATOR(mlmeta.=), NEGATOR = OPERATOR(mlmeta.<>),
	RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR mlmeta.= (mlmeta.run, mlmeta.run) IS 'equal';

CREATE OPERATOR mlmeta.<> (
	LEFTARG = mlmeta.run, RIGHTARG = mlmeta.run, FUNCTION = mlmeta_internal.run_ne,
	COMMUTATOR = OPERATOR(mlmeta.<>), NEGATOR = OPERATOR(mlmeta.=),
	RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel
);
COMMENT ON OPERATOR mlmeta.<> (mlmeta.run, mlmeta.run) IS 'not equal';

CREATE OPERATOR mlmeta.< (
	LEFTARG = mlmeta.run, RIGHTARG = mlmeta.run, FUNCTION = mlmeta_internal.run_lt,
	COMMUTATOR = OPERATOR(mlmeta.>), NEGATOR = OPERATOR(mlmeta.>=),
	RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel
);
COMMENT ON OPERATOR mlmeta.< (mlmeta.run, mlmeta.run) IS 'less than';

CREATE OPERATOR mlmeta.<= (
	LEFTARG = mlmeta.run, RIGHTARG = mlmeta.run, FUNCTION = mlmeta_internal.run_le,
	COMMUTATOR = OPERATOR(mlmeta.>=), NEGATOR = OPERATOR(mlmeta.>),
	RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel
);
COMMENT ON OPERATOR mlmeta.<= (mlmeta.run, mlmeta.run) IS 'less than or equal';

CREATE OPERATOR mlmeta.> (
	LEFTARG = mlmeta.run, RIGHTARG = mlmeta.run, FUNCTION = mlmeta_internal.run_gt,
	COMMUTATOR = OPERATOR(mlmeta.<), NEGATOR = OPERATOR(mlmeta.<=),
	RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel
);
COMMENT ON OPERATOR mlmeta.> (mlmeta.run, mlmeta.run) IS 'greater than';

CREATE OPERATOR mlmeta.>= (
	LEFTARG = mlmeta.run, RIGHTARG = mlmeta.run, FUNCTION = mlmeta_internal.run_ge,
	COMMUTATOR = OPERATOR(mlmeta.<=), NEGATOR = OPERATOR(mlmeta.<),
	RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel
);
COMMENT ON OPERATOR mlmeta.>= (mlmeta.run, mlmeta.run) IS
	'greater than or equal';

CREATE FUNCTION mlmeta_internal.run_sortsupport(internal) RETURNS void
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_run_sortsupport';
COMMENT ON FUNCTION mlmeta_internal.run_sortsupport(internal) IS
	'sort support of run';

CREATE OPERATOR CLASS mlmeta.run_btree_ops
	DEFAULT FOR TYPE mlmeta.run USING btree AS
	OPERATOR 1 mlmeta.<,
	OPERATOR 2 mlmeta.<=,
	OPERATOR 3 mlmeta.=,
	OPERATOR 4 mlmeta.>=,
	OPERATOR 5 mlmeta.>,
	FUNCTION 1 mlmeta_internal.run_cmp(mlmeta.run, mlmeta.run),
	FUNCTION 2 mlmeta_internal.run_sortsupport(internal),
	FUNCTION 4 pg_catalog.btequalimage(oid);
COMMENT ON OPERATOR CLASS mlmeta.run_btree_ops USING btree IS
	'order of run, for btree indexes and sorting';
COMMENT ON OPERATOR FAMILY mlmeta.run_btree_ops USING btree IS
	'order of run';

CREATE OPERATOR CLASS mlmeta.run_hash_ops
	DEFAULT FOR TYPE mlmeta.run USING hash AS
	OPERATOR 1 mlmeta.=,
	FUNCTION 1 mlmeta_internal.run_hash(mlmeta.run),
	FUNCTION 2 mlmeta_internal.run_hash_extended(mlmeta.run, bigint);
COMMENT ON OPERATOR CLASS mlmeta.run_hash_ops USING hash IS
	'equality of run, for hash indexes, joins and grouping';
COMMENT ON OPERATOR FAMILY mlmeta.run_hash_ops USING hash IS
	'equality of run';

CREATE OPERATOR CLASS mlmeta.run_minmax_ops
	DEFAULT FOR TYPE mlmeta.run USING brin AS
	OPERATOR 1 mlmeta.<,
	OPERATOR 2 mlmeta.<=,
	OPERATOR 3 mlmeta.=,
	OPERATOR 4 mlmeta.>=,
	OPERATOR 5 mlmeta.>,
	FUNCTION 1 pg_catalog.brin_minmax_opcinfo(internal),
	FUNCTION 2 pg_catalog.brin_minmax_add_value(internal, internal,
		internal, internal),
	FUNCTION 3 pg_catalog.brin_minmax_consistent(internal, internal, internal),
	FUNCTION 4 pg_catalog.brin_minmax_union(internal, internal, internal);
COMMENT ON OPERATOR CLASS mlmeta.run_minmax_ops USING brin IS
	'ranges of run, for brin indexes on tables filled in order of time';
COMMENT ON OPERATOR FAMILY mlmeta.run_minmax_ops USING brin IS
	'ranges of run';

-- The layout of a run is that of a uuid. Drivers send ids as uuid, to functions
-- and to compare with: that way is the implicit one, and finds the functions and
-- the indexes. Both ways implicit would make run = uuid ambiguous.

CREATE CAST (uuid AS mlmeta.run) WITHOUT FUNCTION AS IMPLICIT;
COMMENT ON CAST (uuid AS mlmeta.run) IS 'the same 16 bytes';

CREATE CAST (mlmeta.run AS uuid) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (mlmeta.run AS uuid) IS 'the same 16 bytes';

CREATE FUNCTION mlmeta_internal.run_smaller(a mlmeta.run, b mlmeta.run)
	RETURNS mlmeta.run
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_run_smaller';
COMMENT ON FUNCTION mlmeta_internal.run_smaller(mlmeta.run, mlmeta.run) IS
	'the smaller of two values';

CREATE AGGREGATE mlmeta.min(value mlmeta.run) (
	SFUNC = mlmeta_internal.run_smaller, STYPE = mlmeta.run,
	COMBINEFUNC = mlmeta_internal.run_smaller,
	SORTOP = OPERATOR(mlmeta.<), PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.min(mlmeta.run) IS
	'the smallest value; NULLs are left out';

CREATE FUNCTION mlmeta_internal.run_larger(a mlmeta.run, b mlmeta.run)
	RETURNS mlmeta.run
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_run_larger';
COMMENT ON FUNCTION mlmeta_internal.run_larger(mlmeta.run, mlmeta.run) IS
	'the larger of two values';

CREATE AGGREGATE mlmeta.max(value mlmeta.run) (
	SFUNC = mlmeta_internal.run_larger, STYPE = mlmeta.run,
	COMBINEFUNC = mlmeta_internal.run_larger,
	SORTOP = OPERATOR(mlmeta.>), PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.max(mlmeta.run) IS
	'the largest value; NULLs are left out';

CREATE FUNCTION mlmeta.new_run() RETURNS mlmeta.run
	LANGUAGE C VOLATILE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_new_run';
COMMENT ON FUNCTION mlmeta.new_run() IS
	'a new run, greater than all that this session made before';

CREATE FUNCTION mlmeta.run_time(run mlmeta.run) RETURNS timestamptz
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_run_time';
COMMENT ON FUNCTION mlmeta.run_time(mlmeta.run) IS
	'when a run''s id was made, in milliseconds; NULL if the id is no UUIDv7';

CREATE FUNCTION mlmeta.run_lower_bound(at timestamptz) RETURNS mlmeta.run
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_run_lower_bound';
COMMENT ON FUNCTION mlmeta.run_lower_bound(timestamptz) IS
	'run >= run_lower_bound(at) says the same as run_time(run) >= at, and can use an index';

CREATE FUNCTION mlmeta.run_upper_bound(at timestamptz) RETURNS mlmeta.run
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_run_upper_bound';
COMMENT ON FUNCTION mlmeta.run_upper_bound(timestamptz) IS
	'run <= run_upper_bound(at) says the same as run_time(run) <= at, and can use an index';
