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

CREATE FUNCTION mlmeta_internal.fingerprint_state_in(value cstring)
	RETURNS mlmeta.fingerprint_state
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_fingerprint_state_in';
COMMENT ON FUNCTION mlmeta_internal.fingerprint_state_in(cstring) IS
	'input function of fingerprint_state';

CREATE FUNCTION mlmeta_internal.fingerprint_state_out(value mlmeta.fingerprint_state)
	RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_fingerprint_state_out';
COMMENT ON FUNCTION mlmeta_internal.fingerprint_state_out(mlmeta.fingerprint_state) IS
	'output function of fingerprint_state';

CREATE FUNCTION mlmeta_internal.fingerprint_state_recv(value internal)
	RETURNS mlmeta.fingerprint_state
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_fingerprint_state_recv';
COMMENT ON FUNCTION mlmeta_internal.fingerprint_state_recv(internal) IS
	'binary input function of fingerprint_state';

CREATE FUNCTION mlmeta_internal.fingerprint_state_send(value mlmeta.fingerprint_state)
	RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_fingerprint_state_send';
COMMENT ON FUNCTION mlmeta_internal.fingerprint_state_send(mlmeta.fingerprint_state) IS
	'binary output function of fingerprint_state';

CREATE TYPE mlmeta.fingerprint_state (
	INPUT = mlmeta_internal.fingerprint_state_in,
	OUTPUT = mlmeta_internal.fingerprint_state_out,
	RECEIVE = mlmeta_internal.fingerprint_state_recv,
	SEND = mlmeta_internal.fingerprint_state_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = main
);
COMMENT ON TYPE mlmeta.fingerprint_state IS
	'what a fingerprint is made from: the columns, the number of rows and the sum of their hashes; can be merged and subtracted';

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

CREATE FUNCTION mlmeta_internal.fingerprint_transition(state mlmeta.fingerprint_state,
	rec record) RETURNS mlmeta.fingerprint_state
	LANGUAGE C STABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'mlmeta_fingerprint_transition';
COMMENT ON FUNCTION mlmeta_internal.fingerprint_transition(mlmeta.fingerprint_state,
	record) IS
	'transition function of the aggregate fingerprint';

CREATE FUNCTION mlmeta_internal.fingerprint_combine(a mlmeta.fingerprint_state,
	b mlmeta.fingerprint_state) RETURNS mlmeta.fingerprint_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_fingerprint_combine';
COMMENT ON FUNCTION mlmeta_internal.fingerprint_combine(mlmeta.fingerprint_state,
	mlmeta.fingerprint_state) IS
	'combine function of the aggregate fingerprint; transition function of merge';

CREATE FUNCTION mlmeta_internal.fingerprint_self(state mlmeta.fingerprint_state)
	RETURNS mlmeta.fingerprint_state
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_fingerprint_self';
COMMENT ON FUNCTION mlmeta_internal.fingerprint_self(mlmeta.fingerprint_state) IS
	'final function of aggregates that return a fingerprint_state';

CREATE AGGREGATE mlmeta.fingerprint(rec record) (
	STYPE = mlmeta.fingerprint_state,
	SSPACE = 1300,
	SFUNC = mlmeta_internal.fingerprint_transition,
	COMBINEFUNC = mlmeta_internal.fingerprint_combine,
	FINALFUNC = mlmeta.fingerprint,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.fingerprint(record) IS
	'the data version of rows, sha256: and 64 hexadecimal digits: the same for the same rows in any order, on any server; no rows: NULL';

CREATE AGGREGATE mlmeta.fingerprint_part(rec record) (
	STYPE = mlmeta.fingerprint_state,
	SSPACE = 1300,
	SFUNC = mlmeta_internal.fingerprint_transition,
	COMBINEFUNC = mlmeta_internal.fingerprint_combine,
	FINALFUNC = mlmeta_internal.fingerprint_self,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.fingerprint_part(record) IS
	'the state behind fingerprint, to be kept, merged and subtracted; no rows: NULL';

CREATE AGGREGATE mlmeta.merge(state mlmeta.fingerprint_state) (
	STYPE = mlmeta.fingerprint_state,
	SSPACE = 1300,
	SFUNC = mlmeta_internal.fingerprint_combine,
	COMBINEFUNC = mlmeta_internal.fingerprint_combine,
	FINALFUNC = mlmeta_internal.fingerprint_self,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.merge(mlmeta.fingerprint_state) IS
	'the rows of all states together; NULLs are skipped, no rows: NULL';
