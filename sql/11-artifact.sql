-- The type artifact: a reference to what runs use and produce.

CREATE TYPE mlmeta.artifact;

CREATE FUNCTION mlmeta_internal.artifact_in(value cstring) RETURNS mlmeta.artifact
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_in';
COMMENT ON FUNCTION mlmeta_internal.artifact_in(cstring) IS
	'input function of artifact';

CREATE FUNCTION mlmeta_internal.artifact_out(value mlmeta.artifact) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_out';
COMMENT ON FUNCTION mlmeta_internal.artifact_out(mlmeta.artifact) IS
	'output function of artifact';

CREATE FUNCTION mlmeta_internal.artifact_recv(value internal) RETURNS mlmeta.artifact
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_recv';
COMMENT ON FUNCTION mlmeta_internal.artifact_recv(internal) IS
	'binary input function of artifact';

CREATE FUNCTION mlmeta_internal.artifact_send(value mlmeta.artifact) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_send';
COMMENT ON FUNCTION mlmeta_internal.artifact_send(mlmeta.artifact) IS
	'binary output function of artifact';

CREATE TYPE mlmeta.artifact (
	INPUT = mlmeta_internal.artifact_in,
	OUTPUT = mlmeta_internal.artifact_out,
	RECEIVE = mlmeta_internal.artifact_recv,
	SEND = mlmeta_internal.artifact_send,
	INTERNALLENGTH = VARIABLE,
	STORAGE = main
);
COMMENT ON TYPE mlmeta.artifact IS
	'reference to an artifact, written kind:name[:version][@sha256:hex], for example model:churn/xgb:v12';

CREATE FUNCTION mlmeta_internal.artifact_eq(a mlmeta.artifact, b mlmeta.artifact)
	RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_eq';
COMMENT ON FUNCTION mlmeta_internal.artifact_eq(mlmeta.artifact, mlmeta.artifact) IS
	'implementation of the operator =';

CREATE FUNCTION mlmeta_internal.artifact_ne(a mlmeta.artifact, b mlmeta.artifact)
	RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_ne';
COMMENT ON FUNCTION mlmeta_internal.artifact_ne(mlmeta.artifact, mlmeta.artifact) IS
	'implementation of the operator <>';

CREATE FUNCTION mlmeta_internal.artifact_lt(a mlmeta.artifact, b mlmeta.artifact)
	RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_lt';
COMMENT ON FUNCTION mlmeta_internal.artifact_lt(mlmeta.artifact, mlmeta.artifact) IS
	'implementation of the operator <';

CREATE FUNCTION mlmeta_internal.artifact_le(a mlmeta.artifact, b mlmeta.artifact)
	RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_le';
COMMENT ON FUNCTION mlmeta_internal.artifact_le(mlmeta.artifact, mlmeta.artifact) IS
	'implementation of the operator <=';

CREATE FUNCTION mlmeta_internal.artifact_gt(a mlmeta.artifact, b mlmeta.artifact)
	RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_gt';
COMMENT ON FUNCTION mlmeta_internal.artifact_gt(mlmeta.artifact, mlmeta.artifact) IS
	'implementation of the operator >';

CREATE FUNCTION mlmeta_internal.artifact_ge(a mlmeta.artifact, b mlmeta.artifact)
	RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_ge';
COMMENT ON FUNCTION mlmeta_internal.artifact_ge(mlmeta.artifact, mlmeta.artifact) IS
	'implementation of the operator >=';

CREATE FUNCTION mlmeta_internal.artifact_cmp(a mlmeta.artifact, b mlmeta.artifact)
	RETURNS int
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_cmp';
COMMENT ON FUNCTION mlmeta_internal.artifact_cmp(mlmeta.artifact, mlmeta.artifact) IS
	'-1, 0 or 1: order of two values';

CREATE FUNCTION mlmeta_internal.artifact_hash(value mlmeta.artifact) RETURNS int
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_hash';
COMMENT ON FUNCTION mlmeta_internal.artifact_hash(mlmeta.artifact) IS
	'hash of a value';

CREATE FUNCTION mlmeta_internal.artifact_hash_extended(value mlmeta.artifact,
	seed bigint)
	RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_hash_extended';
COMMENT ON FUNCTION mlmeta_internal.artifact_hash_extended(mlmeta.artifact, bigint) IS
	'hash of a value with a seed';

CREATE OPERATOR mlmeta.= (
	LEFTARG = mlmeta.artifact, RIGHTARG = mlmeta.artifact,
	FUNCTION = mlmeta_internal.artifact_eq,
	COMMUTATOR = OPERATOR(mlmeta.=), NEGATOR = OPERATOR(mlmeta.<>),
	RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR mlmeta.= (mlmeta.artifact, mlmeta.artifact) IS 'equal';

CREATE OPERATOR mlmeta.<> (
	LEFTARG = mlmeta.artifact, RIGHTARG = mlmeta.artifact,
	FUNCTION = mlmeta_internal.artifact_ne,
	COMMUTATOR = OPERATOR(mlmeta.<>), NEGATOR = OPERATOR(mlmeta.=),
	RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel
);
COMMENT ON OPERATOR mlmeta.<> (mlmeta.artifact, mlmeta.artifact) IS
	'not equal';

CREATE OPERATOR mlmeta.< (
	LEFTARG = mlmeta.artifact, RIGHTARG = mlmeta.artifact,
	FUNCTION = mlmeta_internal.artifact_lt,
	COMMUTATOR = OPERATOR(mlmeta.>), NEGATOR = OPERATOR(mlmeta.>=),
	RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel
);
COMMENT ON OPERATOR mlmeta.< (mlmeta.artifact, mlmeta.artifact) IS 'less than';

CREATE OPERATOR mlmeta.<= (
	LEFTARG = mlmeta.artifact, RIGHTARG = mlmeta.artifact,
	FUNCTION = mlmeta_internal.artifact_le,
	COMMUTATOR = OPERATOR(mlmeta.>=), NEGATOR = OPERATOR(mlmeta.>),
	RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel
);
COMMENT ON OPERATOR mlmeta.<= (mlmeta.artifact, mlmeta.artifact) IS
	'less than or equal';

CREATE OPERATOR mlmeta.> (
	LEFTARG = mlmeta.artifact, RIGHTARG = mlmeta.artifact,
	FUNCTION = mlmeta_internal.artifact_gt,
	COMMUTATOR = OPERATOR(mlmeta.<), NEGATOR = OPERATOR(mlmeta.<=),
	RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel
);
COMMENT ON OPERATOR mlmeta.> (mlmeta.artifact, mlmeta.artifact) IS
	'greater than';

CREATE OPERATOR mlmeta.>= (
	LEFTARG = mlmeta.artifact, RIGHTARG = mlmeta.artifact,
	FUNCTION = mlmeta_internal.artifact_ge,
	COMMUTATOR = OPERATOR(mlmeta.<=), NEGATOR = OPERATOR(mlmeta.<),
	RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel
);
COMMENT ON OPERATOR mlmeta.>= (mlmeta.artifact, mlmeta.artifact) IS
	'greater than or equal';

CREATE OPERATOR CLASS mlmeta.artifact_btree_ops
	DEFAULT FOR TYPE mlmeta.artifact USING btree AS
	OPERATOR 1 mlmeta.<,
	OPERATOR 2 mlmeta.<=,
	OPERATOR 3 mlmeta.=,
	OPERATOR 4 mlmeta.>=,
	OPERATOR 5 mlmeta.>,
	FUNCTION 1 mlmeta_internal.artifact_cmp(mlmeta.artifact, mlmeta.artifact),
	FUNCTION 4 pg_catalog.btequalimage(oid);
COMMENT ON OPERATOR CLASS mlmeta.artifact_btree_ops USING btree IS
	'order of artifact, for btree indexes and sorting';
COMMENT ON OPERATOR FAMILY mlmeta.artifact_btree_ops USING btree IS
	'order of artifact';

CREATE OPERATOR CLASS mlmeta.artifact_hash_ops
	DEFAULT FOR TYPE mlmeta.artifact USING hash AS
	OPERATOR 1 mlmeta.=,
	FUNCTION 1 mlmeta_internal.artifact_hash(mlmeta.artifact),
	FUNCTION 2 mlmeta_internal.artifact_hash_extended(mlmeta.artifact, bigint);
COMMENT ON OPERATOR CLASS mlmeta.artifact_hash_ops USING hash IS
	'equality of artifact, for hash indexes, joins and grouping';
COMMENT ON OPERATOR FAMILY mlmeta.artifact_hash_ops USING hash IS
	'equality of artifact';

CREATE FUNCTION mlmeta_internal.artifact_smaller(a mlmeta.artifact, b mlmeta.artifact)
	RETURNS mlmeta.artifact
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_smaller';
COMMENT ON FUNCTION mlmeta_internal.artifact_smaller(mlmeta.artifact, mlmeta.artifact) IS
	'the smaller of two values';

CREATE AGGREGATE mlmeta.min(value mlmeta.artifact) (
	SFUNC = mlmeta_internal.artifact_smaller, STYPE = mlmeta.artifact,
	COMBINEFUNC = mlmeta_internal.artifact_smaller,
	SORTOP = OPERATOR(mlmeta.<), PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.min(mlmeta.artifact) IS
	'the smallest value; NULLs are left out';

CREATE FUNCTION mlmeta_internal.artifact_larger(a mlmeta.artifact, b mlmeta.artifact)
	RETURNS mlmeta.artifact
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_larger';
COMMENT ON FUNCTION mlmeta_internal.artifact_larger(mlmeta.artifact, mlmeta.artifact) IS
	'the larger of two values';

CREATE AGGREGATE mlmeta.max(value mlmeta.artifact) (
	SFUNC = mlmeta_internal.artifact_larger, STYPE = mlmeta.artifact,
	COMBINEFUNC = mlmeta_internal.artifact_larger,
	SORTOP = OPERATOR(mlmeta.>), PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.max(mlmeta.artifact) IS
	'the largest value; NULLs are left out';

CREATE FUNCTION mlmeta.artifact(kind text, name text, version text DEFAULT NULL,
	digest text DEFAULT NULL)
	RETURNS mlmeta.artifact
	LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_make';
COMMENT ON FUNCTION mlmeta.artifact(text, text, text, text) IS
	'an artifact from its parts, as they are, without percent-encoding; NULL if kind or name is NULL';

CREATE FUNCTION mlmeta.kind(artifact mlmeta.artifact) RETURNS text
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_kind';
COMMENT ON FUNCTION mlmeta.kind(mlmeta.artifact) IS
	'the kind of an artifact, for example model or dataset';

CREATE FUNCTION mlmeta.name(artifact mlmeta.artifact) RETURNS text
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_name';
COMMENT ON FUNCTION mlmeta.name(mlmeta.artifact) IS
	'the name of an artifact, without percent-encoding';

CREATE FUNCTION mlmeta.version(artifact mlmeta.artifact) RETURNS text
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_version';
COMMENT ON FUNCTION mlmeta.version(mlmeta.artifact) IS
	'the version of an artifact, without percent-encoding; NULL if it has none';

CREATE FUNCTION mlmeta.digest(artifact mlmeta.artifact) RETURNS text
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_digest';
COMMENT ON FUNCTION mlmeta.digest(mlmeta.artifact) IS
	'the digest of an artifact as sha256: and hexadecimal digits; NULL if it has none';

CREATE FUNCTION mlmeta.any_version(artifact mlmeta.artifact)
	RETURNS mlmeta.artifact
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_any_version';
COMMENT ON FUNCTION mlmeta.any_version(mlmeta.artifact) IS
	'the artifact without version and digest, which contains every version of it';

CREATE FUNCTION mlmeta_internal.artifact_successor(artifact mlmeta.artifact)
	RETURNS mlmeta.artifact
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_successor';
COMMENT ON FUNCTION mlmeta_internal.artifact_successor(mlmeta.artifact) IS
	'bound of index scans: greater than all versions of the artifact, less than what follows them';

CREATE FUNCTION mlmeta_internal.contains_support(request internal) RETURNS internal
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_contains_support';
COMMENT ON FUNCTION mlmeta_internal.contains_support(internal) IS
	'lets a btree index find what an artifact contains';

CREATE FUNCTION mlmeta_internal.is_version_of_support(request internal) RETURNS internal
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_is_version_of_support';
COMMENT ON FUNCTION mlmeta_internal.is_version_of_support(internal) IS
	'lets a btree index find the versions of an artifact';

CREATE FUNCTION mlmeta.contains(a mlmeta.artifact, b mlmeta.artifact)
	RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	SUPPORT mlmeta_internal.contains_support
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_contains';
COMMENT ON FUNCTION mlmeta.contains(mlmeta.artifact, mlmeta.artifact) IS
	'whether b is of a''s kind and name, and of its version and digest if a has any';

CREATE FUNCTION mlmeta.is_version_of(a mlmeta.artifact, b mlmeta.artifact)
	RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	SUPPORT mlmeta_internal.is_version_of_support
	AS 'MODULE_PATHNAME', 'mlmeta_artifact_is_contained';
COMMENT ON FUNCTION mlmeta.is_version_of(mlmeta.artifact, mlmeta.artifact) IS
	'whether a is of b''s kind and name, and of its version and digest if b has any';

CREATE OPERATOR mlmeta.@> (
	LEFTARG = mlmeta.artifact, RIGHTARG = mlmeta.artifact,
	FUNCTION = mlmeta.contains, COMMUTATOR = OPERATOR(mlmeta.<@),
	RESTRICT = pg_catalog.contsel, JOIN = pg_catalog.contjoinsel
);
COMMENT ON OPERATOR mlmeta.@> (mlmeta.artifact, mlmeta.artifact) IS
	'contains: the right artifact is a version of the left one';

CREATE OPERATOR mlmeta.<@ (
	LEFTARG = mlmeta.artifact, RIGHTARG = mlmeta.artifact,
	FUNCTION = mlmeta.is_version_of, COMMUTATOR = OPERATOR(mlmeta.@>),
	RESTRICT = pg_catalog.contsel, JOIN = pg_catalog.contjoinsel
);
COMMENT ON OPERATOR mlmeta.<@ (mlmeta.artifact, mlmeta.artifact) IS
	'is a version of the right artifact';
