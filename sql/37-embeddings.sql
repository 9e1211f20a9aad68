-- Embeddings: the type embedding_sketch, the aggregates that build it, and the
-- maximum mean discrepancy of two samples, from sketches and over rows.

CREATE TYPE mlmeta.embedding_sketch;

CREATE FUNCTION mlmeta_internal.embedding_sketch_in(text_form cstring) RETURNS mlmeta.embedding_sketch
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_embedding_sketch_in';
COMMENT ON FUNCTION mlmeta_internal.embedding_sketch_in(text_form cstring) IS
	'reads the text form of an embedding_sketch';

CREATE FUNCTION mlmeta_internal.embedding_sketch_out(summary mlmeta.embedding_sketch) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_embedding_sketch_out';
COMMENT ON FUNCTION mlmeta_internal.embedding_sketch_out(summary mlmeta.embedding_sketch) IS
	'writes the text form of an embedding_sketch';

CREATE FUNCTION mlmeta_internal.embedding_sketch_recv(binary_form internal) RETURNS mlmeta.embedding_sketch
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_embedding_sketch_recv';
COMMENT ON FUNCTION mlmeta_internal.embedding_sketch_recv(binary_form internal) IS
	'reads the binary form of an embedding_sketch';

CREATE FUNCTION mlmeta_internal.embedding_sketch_send(summary mlmeta.embedding_sketch) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_embedding_sketch_send';
COMMENT ON FUNCTION mlmeta_internal.embedding_sketch_send(summary mlmeta.embedding_sketch) IS
	'writes the binary form of an embedding_sketch';

CREATE TYPE mlmeta.embedding_sketch (
	INPUT = mlmeta_internal.embedding_sketch_in,
	OUTPUT = mlmeta_internal.embedding_sketch_out,
	RECEIVE = mlmeta_internal.embedding_sketch_recv,
	SEND = mlmeta_internal.embedding_sketch_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);

COMMENT ON TYPE mlmeta.embedding_sketch IS
	'mergeable summary of embeddings for the maximum mean discrepancy: sums of random Fourier features';

-- Support functions of the aggregates

CREATE FUNCTION mlmeta_internal.embedding_sketch_transition(
	state mlmeta.embedding_sketch,
	embedding float8[])
RETURNS mlmeta.embedding_sketch
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_embedding_sketch_transition';
COMMENT ON FUNCTION mlmeta_internal.embedding_sketch_transition(state mlmeta.embedding_sketch, embedding float8[]) IS
	'transition function of embeddings: adds a row';

CREATE FUNCTION mlmeta_internal.embedding_sketch_transition(
	state mlmeta.embedding_sketch,
	embedding float8[],
	options text)
RETURNS mlmeta.embedding_sketch
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_embedding_sketch_transition';
COMMENT ON FUNCTION mlmeta_internal.embedding_sketch_transition(state mlmeta.embedding_sketch, embedding float8[], options text) IS
	'transition function of embeddings: adds a row';

CREATE FUNCTION mlmeta_internal.embedding_sketch_transition(
	state mlmeta.embedding_sketch,
	embedding float8[],
	is_current boolean)
RETURNS mlmeta.embedding_sketch
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_embedding_sketch_add_pair';
COMMENT ON FUNCTION mlmeta_internal.embedding_sketch_transition(state mlmeta.embedding_sketch, embedding float8[], is_current boolean) IS
	'transition function of mmd: adds a row';

CREATE FUNCTION mlmeta_internal.embedding_sketch_transition(
	state mlmeta.embedding_sketch,
	embedding float8[],
	is_current boolean,
	options text)
RETURNS mlmeta.embedding_sketch
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'mlmeta_embedding_sketch_add_pair';
COMMENT ON FUNCTION mlmeta_internal.embedding_sketch_transition(state mlmeta.embedding_sketch, embedding float8[], is_current boolean, options text) IS
	'transition function of mmd: adds a row';

CREATE FUNCTION mlmeta_internal.embedding_sketch_combine(
	state mlmeta.embedding_sketch,
	summary mlmeta.embedding_sketch)
RETURNS mlmeta.embedding_sketch
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_embedding_sketch_combine';
COMMENT ON FUNCTION mlmeta_internal.embedding_sketch_combine(state mlmeta.embedding_sketch, summary mlmeta.embedding_sketch) IS
	'combine function of embeddings and mmd, transition function of merge';

CREATE FUNCTION mlmeta_internal.embedding_sketch_final(state mlmeta.embedding_sketch) RETURNS mlmeta.embedding_sketch
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_embedding_sketch_final';
COMMENT ON FUNCTION mlmeta_internal.embedding_sketch_final(state mlmeta.embedding_sketch) IS
	'final function of embeddings: the state, for reading';

CREATE FUNCTION mlmeta_internal.mmd_final(state mlmeta.embedding_sketch) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_embedding_sketch_mmd_final';
COMMENT ON FUNCTION mlmeta_internal.mmd_final(state mlmeta.embedding_sketch) IS
	'final function of mmd: the distance of the two samples';

CREATE FUNCTION mlmeta_internal.embedding_rows_transition(
	state internal,
	embedding float8[],
	is_current boolean)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_embedding_rows_transition';
COMMENT ON FUNCTION mlmeta_internal.embedding_rows_transition(state internal, embedding float8[], is_current boolean) IS
	'transition function of exact comparisons of embeddings: keeps a row';

CREATE FUNCTION mlmeta_internal.embedding_rows_transition(
	state internal,
	embedding float8[],
	is_current boolean,
	options text)
RETURNS internal
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_embedding_rows_transition';
COMMENT ON FUNCTION mlmeta_internal.embedding_rows_transition(state internal, embedding float8[], is_current boolean, options text) IS
	'transition function of exact comparisons of embeddings: keeps a row';

CREATE FUNCTION mlmeta_internal.mmd2_final(state internal) RETURNS float8
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_mmd2_final';
COMMENT ON FUNCTION mlmeta_internal.mmd2_final(state internal) IS
	'final function of mmd2: the squared distance of the two samples';

CREATE FUNCTION mlmeta_internal.mmd_test_final(state internal) RETURNS mlmeta.test_result
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_mmd_test_final';
COMMENT ON FUNCTION mlmeta_internal.mmd_test_final(state internal) IS
	'final function of mmd_test';

-- Aggregates

CREATE AGGREGATE mlmeta.embeddings(embedding float8[]) (
	SFUNC = mlmeta_internal.embedding_sketch_transition,
	STYPE = mlmeta.embedding_sketch,
	SSPACE = 16384,
	FINALFUNC = mlmeta_internal.embedding_sketch_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.embedding_sketch_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.embeddings(embedding float8[]) IS
	'sketch of the embeddings of all rows';

CREATE AGGREGATE mlmeta.embeddings(embedding float8[], options text) (
	SFUNC = mlmeta_internal.embedding_sketch_transition,
	STYPE = mlmeta.embedding_sketch,
	SSPACE = 16384,
	FINALFUNC = mlmeta_internal.embedding_sketch_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.embedding_sketch_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.embeddings(embedding float8[], options text) IS
	'sketch of the embeddings of all rows; options features, sigma, seed';

CREATE AGGREGATE mlmeta.mmd(embedding float8[], is_current boolean) (
	SFUNC = mlmeta_internal.embedding_sketch_transition,
	STYPE = mlmeta.embedding_sketch,
	SSPACE = 32768,
	FINALFUNC = mlmeta_internal.mmd_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.embedding_sketch_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.mmd(embedding float8[], is_current boolean) IS
	'maximum mean discrepancy of two samples of embeddings, by random features';

CREATE AGGREGATE mlmeta.mmd(embedding float8[], is_current boolean, options text) (
	SFUNC = mlmeta_internal.embedding_sketch_transition,
	STYPE = mlmeta.embedding_sketch,
	SSPACE = 32768,
	FINALFUNC = mlmeta_internal.mmd_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.embedding_sketch_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.mmd(embedding float8[], is_current boolean, options text) IS
	'maximum mean discrepancy of two samples of embeddings, by random features; options features, sigma, seed';

CREATE AGGREGATE mlmeta.mmd2(embedding float8[], is_current boolean) (
	SFUNC = mlmeta_internal.embedding_rows_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.mmd2_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.mmd2(embedding float8[], is_current boolean) IS
	'squared maximum mean discrepancy of two samples of embeddings, unbiased, exact over rows';

CREATE AGGREGATE mlmeta.mmd2(embedding float8[], is_current boolean, options text) (
	SFUNC = mlmeta_internal.embedding_rows_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.mmd2_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.mmd2(embedding float8[], is_current boolean, options text) IS
	'squared maximum mean discrepancy of two samples of embeddings, unbiased, exact over rows; options sigma, kernel, method';

CREATE AGGREGATE mlmeta.mmd_test(embedding float8[], is_current boolean) (
	SFUNC = mlmeta_internal.embedding_rows_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.mmd_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.mmd_test(embedding float8[], is_current boolean) IS
	'permutation test of two samples of embeddings by their maximum mean discrepancy';

CREATE AGGREGATE mlmeta.mmd_test(embedding float8[], is_current boolean, options text) (
	SFUNC = mlmeta_internal.embedding_rows_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = mlmeta_internal.mmd_test_final,
	FINALFUNC_MODIFY = READ_ONLY,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.mmd_test(embedding float8[], is_current boolean, options text) IS
	'permutation test of two samples of embeddings by their maximum mean discrepancy; options sigma, kernel, method, permutations, seed';

CREATE AGGREGATE mlmeta.merge(summary mlmeta.embedding_sketch) (
	SFUNC = mlmeta_internal.embedding_sketch_combine,
	STYPE = mlmeta.embedding_sketch,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.embedding_sketch_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.embedding_sketch_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.merge(summary mlmeta.embedding_sketch) IS
	'sum of values of type embedding_sketch';

-- Sums

CREATE FUNCTION mlmeta.plus(
	a mlmeta.embedding_sketch,
	b mlmeta.embedding_sketch)
RETURNS mlmeta.embedding_sketch
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_embedding_sketch_plus';
COMMENT ON FUNCTION mlmeta.plus(a mlmeta.embedding_sketch, b mlmeta.embedding_sketch) IS
	'sum of two values of type embedding_sketch';

CREATE OPERATOR mlmeta.+ (
	LEFTARG = mlmeta.embedding_sketch,
	RIGHTARG = mlmeta.embedding_sketch,
	FUNCTION = mlmeta.plus,
	COMMUTATOR = OPERATOR(mlmeta.+)
);
COMMENT ON OPERATOR mlmeta.+ (mlmeta.embedding_sketch, mlmeta.embedding_sketch) IS
	'sum of two values of type embedding_sketch';

-- What can be read

CREATE FUNCTION mlmeta.n(sketch mlmeta.embedding_sketch) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_embedding_sketch_n';
COMMENT ON FUNCTION mlmeta.n(sketch mlmeta.embedding_sketch) IS
	'rows that took part';

CREATE FUNCTION mlmeta.null_count(sketch mlmeta.embedding_sketch) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_embedding_sketch_null_count';
COMMENT ON FUNCTION mlmeta.null_count(sketch mlmeta.embedding_sketch) IS
	'rows without a complete, finite embedding, which took no part';

CREATE FUNCTION mlmeta.dimensions(sketch mlmeta.embedding_sketch) RETURNS integer
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_embedding_sketch_dimensions';
COMMENT ON FUNCTION mlmeta.dimensions(sketch mlmeta.embedding_sketch) IS
	'dimensions of the embeddings; 0 until one has come';

CREATE FUNCTION mlmeta.mmd(
	reference mlmeta.embedding_sketch,
	current mlmeta.embedding_sketch)
RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_embedding_sketch_mmd';
COMMENT ON FUNCTION mlmeta.mmd(reference mlmeta.embedding_sketch, current mlmeta.embedding_sketch) IS
	'maximum mean discrepancy of two samples of embeddings, by random features';

CREATE FUNCTION mlmeta.mmd2(
	reference mlmeta.embedding_sketch,
	current mlmeta.embedding_sketch)
RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_embedding_sketch_mmd2';
COMMENT ON FUNCTION mlmeta.mmd2(reference mlmeta.embedding_sketch, current mlmeta.embedding_sketch) IS
	'squared maximum mean discrepancy of two samples of embeddings, by random features, unbiased: may be negative';
