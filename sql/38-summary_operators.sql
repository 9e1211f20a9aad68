-- Equality, order and hash of all types that are summaries (src/core/summary.h):
-- those of their canonical bytes, so that GROUP BY, DISTINCT and indexes work.
-- The order has no other meaning.
--
-- A new type of summary is a row of the list.

DO $$
DECLARE
	summary record;
	operation record;
BEGIN
	FOR summary IN
		SELECT *
		FROM (VALUES
			('lineage', 'lineages'),
			('fingerprint_state', 'fingerprint states'),
			('histogram', 'histograms'),
			('frequency_table', 'frequency tables'),
			('frequency_pair', 'pairs of frequency tables'),
			('profile', 'profiles'),
			('classification', 'classifications'),
			('regression', 'regressions'),
			('confusion_matrix', 'confusion matrices'),
			('moment_matrix', 'moment matrices'),
			('embedding_sketch', 'embedding sketches')
		) AS s (type, plural)
	LOOP
		FOR operation IN
			SELECT *
			FROM (VALUES
				('=', 'eq', '=', '<>', 'eqsel', 'eqjoinsel', ', HASHES, MERGES', 'are equal'),
				('<>', 'ne', '<>', '=', 'neqsel', 'neqjoinsel', '', 'differ'),
				('<', 'lt', '>', '>=', 'scalarltsel', 'scalarltjoinsel', '', 'are in ascending order of their bytes'),
				('<=', 'le', '>=', '>', 'scalarlesel', 'scalarlejoinsel', '', 'are equal or in ascending order of their bytes'),
				('>', 'gt', '<', '<=', 'scalargtsel', 'scalargtjoinsel', '', 'are in descending order of their bytes'),
				('>=', 'ge', '<=', '<', 'scalargesel', 'scalargejoinsel', '', 'are equal or in descending order of their bytes')
			) AS o (name, suffix, commutator, negator, selectivity, join_selectivity, more, meaning)
		LOOP
			EXECUTE pg_catalog.format(
				'CREATE FUNCTION mlmeta_internal.%1$s_%2$s(a mlmeta.%1$s, b mlmeta.%1$s) RETURNS boolean
				LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
				AS ''MODULE_PATHNAME'', ''mlmeta_summary_%2$s''',
				summary.type, operation.suffix);
			EXECUTE pg_catalog.format(
				'CREATE OPERATOR mlmeta.%2$s (LEFTARG = mlmeta.%1$s, RIGHTARG = mlmeta.%1$s,
					FUNCTION = mlmeta_internal.%1$s_%3$s,
					COMMUTATOR = OPERATOR(mlmeta.%4$s), NEGATOR = OPERATOR(mlmeta.%5$s),
					RESTRICT = pg_catalog.%6$s, JOIN = pg_catalog.%7$s%8$s)',
				summary.type, operation.name, operation.suffix, operation.commutator,
				operation.negator, operation.selectivity, operation.join_selectivity,
				operation.more);
			EXECUTE pg_catalog.format(
				'COMMENT ON FUNCTION mlmeta_internal.%1$s_%2$s(mlmeta.%1$s, mlmeta.%1$s) IS %3$L',
				summary.type, operation.suffix,
				pg_catalog.format('whether two %s %s', summary.plural, operation.meaning));
			EXECUTE pg_catalog.format(
				'COMMENT ON OPERATOR mlmeta.%2$s (mlmeta.%1$s, mlmeta.%1$s) IS %3$L',
				summary.type, operation.name,
				pg_catalog.format('whether two %s %s', summary.plural, operation.meaning));
		END LOOP;

		FOR operation IN
			SELECT *
			FROM (VALUES
				('cmp', 'a mlmeta.%1$s, b mlmeta.%1$s', 'mlmeta.%1$s, mlmeta.%1$s', 'integer',
					'order of two %s by their bytes: negative, 0 or positive'),
				('hash', 'a mlmeta.%1$s', 'mlmeta.%1$s', 'integer',
					'hash of the bytes, for %s'),
				('hash_extended', 'a mlmeta.%1$s, seed bigint', 'mlmeta.%1$s, bigint', 'bigint',
					'hash of the bytes with 64 bits and a seed, for %s')
			) AS o (suffix, arguments, types, result, meaning)
		LOOP
			EXECUTE pg_catalog.format(
				'CREATE FUNCTION mlmeta_internal.%1$s_%2$s(%3$s) RETURNS %4$s
				LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
				AS ''MODULE_PATHNAME'', ''mlmeta_summary_%2$s''',
				summary.type, operation.suffix,
				pg_catalog.format(operation.arguments, summary.type), operation.result);
			EXECUTE pg_catalog.format('COMMENT ON FUNCTION mlmeta_internal.%1$s_%2$s(%3$s) IS %4$L',
				summary.type, operation.suffix,
				pg_catalog.format(operation.types, summary.type),
				pg_catalog.format(operation.meaning, summary.plural));
		END LOOP;

		EXECUTE pg_catalog.format(
			'CREATE OPERATOR CLASS mlmeta.%1$s_btree_ops DEFAULT FOR TYPE mlmeta.%1$s USING btree AS
				OPERATOR 1 mlmeta.<, OPERATOR 2 mlmeta.<=, OPERATOR 3 mlmeta.=,
				OPERATOR 4 mlmeta.>=, OPERATOR 5 mlmeta.>,
				FUNCTION 1 mlmeta_internal.%1$s_cmp(mlmeta.%1$s, mlmeta.%1$s)',
			summary.type);
		EXECUTE pg_catalog.format(
			'CREATE OPERATOR CLASS mlmeta.%1$s_hash_ops DEFAULT FOR TYPE mlmeta.%1$s USING hash AS
				OPERATOR 1 mlmeta.=,
				FUNCTION 1 mlmeta_internal.%1$s_hash(mlmeta.%1$s),
				FUNCTION 2 mlmeta_internal.%1$s_hash_extended(mlmeta.%1$s, bigint)',
			summary.type);
		FOR operation IN
			SELECT *
			FROM (VALUES ('CLASS', 'btree', 'order of %s by their bytes'),
				('FAMILY', 'btree', 'order of %s by their bytes'),
				('CLASS', 'hash', 'hash of %s by their bytes'),
				('FAMILY', 'hash', 'hash of %s by their bytes')
			) AS o (kind, method, meaning)
		LOOP
			EXECUTE pg_catalog.format('COMMENT ON OPERATOR %s mlmeta.%s_%s_ops USING %3$s IS %4$L',
				operation.kind, summary.type, operation.method,
				pg_catalog.format(operation.meaning, summary.plural));
		END LOOP;
	END LOOP;
END
$$;
