-- Fingerprints: the version of a set of rows, and the hash of one row.

CREATE FUNCTION mlmeta.hash128(data bytea) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_hash128';
COMMENT ON FUNCTION mlmeta.hash128(bytea) IS
	'128-bit hash (SipHash-2-4) under the key of all stored hashes';

CREATE FUNCTION mlmeta.hash128(data bytea, key bytea) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_hash128';
COMMENT ON FUNCTION mlmeta.hash128(bytea, bytea) IS
	'128-bit hash (SipHash-2-4) under a key of 16 bytes: a pseudonym for whoever does not know the key';

CREATE FUNCTION mlmeta.content_hash(rec record) RETURNS uuid
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'mlmeta_content_hash';
COMMENT ON FUNCTION mlmeta.content_hash(record) IS
	'128-bit hash of one row: column names, types and values; the same on every server';

CREATE TYPE mlmeta.fingerprint_state;

CREATE FUNCTION mlmeta.fingerprint_state_in(value cstring)
	RETURNS mlmeta.fingerprint_state
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_fingerprint_state_in';
COMMENT ON FUNCTION mlmeta.fingerprint_state_in(cstring) IS
	'input function of fingerprint_state';

CREATE FUNCTION mlmeta.fingerprint_state_out(value mlmeta.fingerprint_state)
	RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_fingerprint_state_out';
COMMENT ON FUNCTION mlmeta.fingerprint_state_out(mlmeta.fingerprint_state) IS
	'output function of fingerprint_state';

CREATE FUNCTION mlmeta.fingerprint_state_recv(value internal)
	RETURNS mlmeta.fingerprint_state
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_fingerprint_state_recv';
COMMENT ON FUNCTION mlmeta.fingerprint_state_recv(internal) IS
	'binary input function of fingerprint_state';

CREATE FUNCTION mlmeta.fingerprint_state_send(value mlmeta.fingerprint_state)
	RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_fingerprint_state_send';
COMMENT ON FUNCTION mlmeta.fingerprint_state_send(mlmeta.fingerprint_state) IS
	'binary output function of fingerprint_state';

CREATE TYPE mlmeta.fingerprint_state (
	INPUT = mlmeta.fingerprint_state_in,
	OUTPUT = mlmeta.fingerprint_state_out,
	RECEIVE = mlmeta.fingerprint_state_recv,
	SEND = mlmeta.fingerprint_state_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = main
);
COMMENT ON TYPE mlmeta.fingerprint_state IS
	'what a fingerprint is made from: the columns, the number of rows and the sum of their hashes; can be merged and subtracted';

-- Comparison, by bytes

CREATE FUNCTION mlmeta.fingerprint_state_eq(a mlmeta.fingerprint_state,
	b mlmeta.fingerprint_state) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_summary_eq';
COMMENT ON FUNCTION mlmeta.fingerprint_state_eq(mlmeta.fingerprint_state,
	mlmeta.fingerprint_state) IS
	'implementation of the operator =';

CREATE FUNCTION mlmeta.fingerprint_state_ne(a mlmeta.fingerprint_state,
	b mlmeta.fingerprint_state) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_summary_ne';
COMMENT ON FUNCTION mlmeta.fingerprint_state_ne(mlmeta.fingerprint_state,
	mlmeta.fingerprint_state) IS
	'implementation of the operator <>';

CREATE FUNCTION mlmeta.fingerprint_state_lt(a mlmeta.fingerprint_state,
	b mlmeta.fingerprint_state) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_summary_lt';
COMMENT ON FUNCTION mlmeta.fingerprint_state_lt(mlmeta.fingerprint_state,
	mlmeta.fingerprint_state) IS
	'implementation of the operator <';

CREATE FUNCTION mlmeta.fingerprint_state_le(a mlmeta.fingerprint_state,
	b mlmeta.fingerprint_state) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_summary_le';
COMMENT ON FUNCTION mlmeta.fingerprint_state_le(mlmeta.fingerprint_state,
	mlmeta.fingerprint_state) IS
	'implementation of the operator <=';

CREATE FUNCTION mlmeta.fingerprint_state_gt(a mlmeta.fingerprint_state,
	b mlmeta.fingerprint_state) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_summary_gt';
COMMENT ON FUNCTION mlmeta.fingerprint_state_gt(mlmeta.fingerprint_state,
	mlmeta.fingerprint_state) IS
	'implementation of the operator >';

CREATE FUNCTION mlmeta.fingerprint_state_ge(a mlmeta.fingerprint_state,
	b mlmeta.fingerprint_state) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_summary_ge';
COMMENT ON FUNCTION mlmeta.fingerprint_state_ge(mlmeta.fingerprint_state,
	mlmeta.fingerprint_state) IS
	'implementation of the operator >=';

CREATE FUNCTION mlmeta.fingerprint_state_cmp(a mlmeta.fingerprint_state,
	b mlmeta.fingerprint_state) RETURNS integer
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_summary_cmp';
COMMENT ON FUNCTION mlmeta.fingerprint_state_cmp(mlmeta.fingerprint_state,
	mlmeta.fingerprint_state) IS
	'order for btree: less than zero, zero or greater than zero';

CREATE FUNCTION mlmeta.fingerprint_state_hash(value mlmeta.fingerprint_state)
	RETURNS integer
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_summary_hash';
COMMENT ON FUNCTION mlmeta.fingerprint_state_hash(mlmeta.fingerprint_state) IS
	'hash for hash joins and GROUP BY';

CREATE FUNCTION mlmeta.fingerprint_state_hash_extended(
	value mlmeta.fingerprint_state, seed bigint) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_summary_hash_extended';
COMMENT ON FUNCTION mlmeta.fingerprint_state_hash_extended(
	mlmeta.fingerprint_state, bigint) IS
	'seeded hash for hash partitioning';

CREATE OPERATOR mlmeta.= (
	FUNCTION = mlmeta.fingerprint_state_eq,
	LEFTARG = mlmeta.fingerprint_state,
	RIGHTARG = mlmeta.fingerprint_state,
	COMMUTATOR = OPERATOR(mlmeta.=),
	NEGATOR = OPERATOR(mlmeta.<>),
	RESTRICT = pg_catalog.eqsel,
	JOIN = pg_catalog.eqjoinsel,
	HASHES,
	MERGES
);
COMMENT ON OPERATOR mlmeta.= (mlmeta.fingerprint_state,
	mlmeta.fingerprint_state) IS 'equal';

CREATE OPERATOR mlmeta.<> (
	FUNCTION = mlmeta.fingerprint_state_ne,
	LEFTARG = mlmeta.fingerprint_state,
	RIGHTARG = mlmeta.fingerprint_state,
	COMMUTATOR = OPERATOR(mlmeta.<>),
	NEGATOR = OPERATOR(mlmeta.=),
	RESTRICT = pg_catalog.neqsel,
	JOIN = pg_catalog.neqjoinsel
);
COMMENT ON OPERATOR mlmeta.<> (mlmeta.fingerprint_state,
	mlmeta.fingerprint_state) IS 'not equal';

CREATE OPERATOR mlmeta.< (
	FUNCTION = mlmeta.fingerprint_state_lt,
	LEFTARG = mlmeta.fingerprint_state,
	RIGHTARG = mlmeta.fingerprint_state,
	COMMUTATOR = OPERATOR(mlmeta.>),
	NEGATOR = OPERATOR(mlmeta.>=),
	RESTRICT = pg_catalog.scalarltsel,
	JOIN = pg_catalog.scalarltjoinsel
);
COMMENT ON OPERATOR mlmeta.< (mlmeta.fingerprint_state,
	mlmeta.fingerprint_state) IS 'less than';

CREATE OPERATOR mlmeta.<= (
	FUNCTION = mlmeta.fingerprint_state_le,
	LEFTARG = mlmeta.fingerprint_state,
	RIGHTARG = mlmeta.fingerprint_state,
	COMMUTATOR = OPERATOR(mlmeta.>=),
	NEGATOR = OPERATOR(mlmeta.>),
	RESTRICT = pg_catalog.scalarlesel,
	JOIN = pg_catalog.scalarlejoinsel
);
COMMENT ON OPERATOR mlmeta.<= (mlmeta.fingerprint_state,
	mlmeta.fingerprint_state) IS 'less than or equal';

CREATE OPERATOR mlmeta.> (
	FUNCTION = mlmeta.fingerprint_state_gt,
	LEFTARG = mlmeta.fingerprint_state,
	RIGHTARG = mlmeta.fingerprint_state,
	COMMUTATOR = OPERATOR(mlmeta.<),
	NEGATOR = OPERATOR(mlmeta.<=),
	RESTRICT = pg_catalog.scalargtsel,
	JOIN = pg_catalog.scalargtjoinsel
);
COMMENT ON OPERATOR mlmeta.> (mlmeta.fingerprint_state,
	mlmeta.fingerprint_state) IS 'greater than';

CREATE OPERATOR mlmeta.>= (
	FUNCTION = mlmeta.fingerprint_state_ge,
	LEFTARG = mlmeta.fingerprint_state,
	RIGHTARG = mlmeta.fingerprint_state,
	COMMUTATOR = OPERATOR(mlmeta.<=),
	NEGATOR = OPERATOR(mlmeta.<),
	RESTRICT = pg_catalog.scalargesel,
	JOIN = pg_catalog.scalargejoinsel
);
COMMENT ON OPERATOR mlmeta.>= (mlmeta.fingerprint_state,
	mlmeta.fingerprint_state) IS 'greater than or equal';

CREATE OPERATOR CLASS mlmeta.fingerprint_state_btree_ops
	DEFAULT FOR TYPE mlmeta.fingerprint_state USING btree AS
	OPERATOR 1 mlmeta.<,
	OPERATOR 2 mlmeta.<=,
	OPERATOR 3 mlmeta.=,
	OPERATOR 4 mlmeta.>=,
	OPERATOR 5 mlmeta.>,
	FUNCTION 1 mlmeta.fingerprint_state_cmp(mlmeta.fingerprint_state,
		mlmeta.fingerprint_state);
COMMENT ON OPERATOR CLASS mlmeta.fingerprint_state_btree_ops USING btree IS
	'default btree operator class of fingerprint_state';
COMMENT ON OPERATOR FAMILY mlmeta.fingerprint_state_btree_ops USING btree IS
	'btree operator family of fingerprint_state';

CREATE OPERATOR CLASS mlmeta.fingerprint_state_hash_ops
	DEFAULT FOR TYPE mlmeta.fingerprint_state USING hash AS
	OPERATOR 1 mlmeta.=,
	FUNCTION 1 mlmeta.fingerprint_state_hash(mlmeta.fingerprint_state),
	FUNCTION 2 mlmeta.fingerprint_state_hash_extended(
		mlmeta.fingerprint_state, bigint);
COMMENT ON OPERATOR CLASS mlmeta.fingerprint_state_hash_ops USING hash IS
	'default hash operator class of fingerprint_state';
COMMENT ON OPERATOR FAMILY mlmeta.fingerprint_state_hash_ops USING hash IS
	'hash operator family of fingerprint_state';

-- Accessors and arithmetic

CREATE FUNCTION mlmeta.fingerprint(state mlmeta.fingerprint_state) RETURNS text
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_fingerprint_text';
COMMENT ON FUNCTION mlmeta.fingerprint(mlmeta.fingerprint_state) IS
	'the data version of the rows in a state: sha256: and 64 hexadecimal digits';

CREATE FUNCTION mlmeta.n(state mlmeta.fingerprint_state) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_fingerprint_n';
COMMENT ON FUNCTION mlmeta.n(mlmeta.fingerprint_state) IS
	'number of rows in a fingerprint_state';

CREATE FUNCTION mlmeta.plus(a mlmeta.fingerprint_state,
	b mlmeta.fingerprint_state) RETURNS mlmeta.fingerprint_state
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_fingerprint_plus';
COMMENT ON FUNCTION mlmeta.plus(mlmeta.fingerprint_state,
	mlmeta.fingerprint_state) IS
	'the rows of both, duplicates counted';

CREATE FUNCTION mlmeta.minus(a mlmeta.fingerprint_state,
	b mlmeta.fingerprint_state) RETURNS mlmeta.fingerprint_state
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_fingerprint_minus';
COMMENT ON FUNCTION mlmeta.minus(mlmeta.fingerprint_state,
	mlmeta.fingerprint_state) IS
	'the rows of the first without those of the second';

CREATE OPERATOR mlmeta.+ (
	FUNCTION = mlmeta.plus,
	LEFTARG = mlmeta.fingerprint_state,
	RIGHTARG = mlmeta.fingerprint_state,
	COMMUTATOR = OPERATOR(mlmeta.+)
);
COMMENT ON OPERATOR mlmeta.+ (mlmeta.fingerprint_state,
	mlmeta.fingerprint_state) IS
	'the rows of both, duplicates counted';

CREATE OPERATOR mlmeta.- (
	FUNCTION = mlmeta.minus,
	LEFTARG = mlmeta.fingerprint_state,
	RIGHTARG = mlmeta.fingerprint_state
);
COMMENT ON OPERATOR mlmeta.- (mlmeta.fingerprint_state,
	mlmeta.fingerprint_state) IS
	'the rows of the first without those of the second';

-- Aggregates

CREATE FUNCTION mlmeta.fingerprint_transition(state mlmeta.fingerprint_state,
	rec record) RETURNS mlmeta.fingerprint_state
	LANGUAGE C STABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'mlmeta_fingerprint_transition';
COMMENT ON FUNCTION mlmeta.fingerprint_transition(mlmeta.fingerprint_state,
	record) IS
	'transition function of the aggregate fingerprint';

CREATE FUNCTION mlmeta.fingerprint_combine(a mlmeta.fingerprint_state,
	b mlmeta.fingerprint_state) RETURNS mlmeta.fingerprint_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_fingerprint_combine';
COMMENT ON FUNCTION mlmeta.fingerprint_combine(mlmeta.fingerprint_state,
	mlmeta.fingerprint_state) IS
	'combine function of the aggregate fingerprint; transition function of merge';

CREATE FUNCTION mlmeta.fingerprint_self(state mlmeta.fingerprint_state)
	RETURNS mlmeta.fingerprint_state
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_fingerprint_self';
COMMENT ON FUNCTION mlmeta.fingerprint_self(mlmeta.fingerprint_state) IS
	'final function of aggregates that return a fingerprint_state';

CREATE AGGREGATE mlmeta.fingerprint(rec record) (
	STYPE = mlmeta.fingerprint_state,
	SSPACE = 1300,
	SFUNC = mlmeta.fingerprint_transition,
	COMBINEFUNC = mlmeta.fingerprint_combine,
	FINALFUNC = mlmeta.fingerprint,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.fingerprint(record) IS
	'the data version of rows, sha256: and 64 hexadecimal digits: the same for the same rows in any order, on any server; no rows: NULL';

CREATE AGGREGATE mlmeta.fingerprint_part(rec record) (
	STYPE = mlmeta.fingerprint_state,
	SSPACE = 1300,
	SFUNC = mlmeta.fingerprint_transition,
	COMBINEFUNC = mlmeta.fingerprint_combine,
	FINALFUNC = mlmeta.fingerprint_self,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.fingerprint_part(record) IS
	'the state behind fingerprint, to be kept, merged and subtracted; no rows: NULL';

CREATE AGGREGATE mlmeta.merge(state mlmeta.fingerprint_state) (
	STYPE = mlmeta.fingerprint_state,
	SSPACE = 1300,
	SFUNC = mlmeta.fingerprint_combine,
	COMBINEFUNC = mlmeta.fingerprint_combine,
	FINALFUNC = mlmeta.fingerprint_self,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.merge(mlmeta.fingerprint_state) IS
	'the rows of all states together; NULLs are skipped, no rows: NULL';
