-- Many tests at once, and thresholds with a known level.

CREATE FUNCTION mlmeta.benjamini_hochberg(
		p_values float8[], method text DEFAULT 'bh')
	RETURNS float8[] LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_benjamini_hochberg';
COMMENT ON FUNCTION mlmeta.benjamini_hochberg(float8[], text) IS
	'adjusted p-values, each at its place, that control the false discovery rate; method bh (Benjamini and Hochberg) or by (Benjamini and Yekutieli, any dependence); NULLs stay NULL and are not counted';

CREATE FUNCTION mlmeta.psi_threshold(
		bins integer, n_reference bigint, n_current bigint,
		alpha float8 DEFAULT 0.05, rule text DEFAULT 'floor')
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_psi_threshold';
COMMENT ON FUNCTION mlmeta.psi_threshold(
		integer, bigint, bigint, float8, text) IS
	'the psi that is passed with probability alpha when nothing drifted; NULL with fewer than 100 rows a bin on either side, unless the rule is jeffreys';

CREATE FUNCTION mlmeta.psi_lower_bound(
		psi float8, bins integer, n_reference bigint, n_current bigint,
		alpha float8 DEFAULT 0.05, rule text DEFAULT 'floor')
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_psi_lower_bound';
COMMENT ON FUNCTION mlmeta.psi_lower_bound(
		float8, integer, bigint, bigint, float8, text) IS
	'lower confidence bound, at level 1 - alpha, of the psi of the populations; NULL where psi_threshold is';

CREATE FUNCTION mlmeta.share_lower_bound(
		share_reference float8, share_current float8,
		n_reference bigint, n_current bigint, alpha float8 DEFAULT 0.05)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_share_lower_bound';
COMMENT ON FUNCTION mlmeta.share_lower_bound(
		float8, float8, bigint, bigint, float8) IS
	'lower confidence bound, at level 1 - alpha, of the difference of two shares, such as those of missing values: Newcombe''s interval of Wilson scores';

CREATE FUNCTION mlmeta.total_variation_lower_bound(
		distance float8, categories bigint,
		n_reference bigint, n_current bigint, alpha float8 DEFAULT 0.05)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_total_variation_lower_bound';
COMMENT ON FUNCTION mlmeta.total_variation_lower_bound(
		float8, bigint, bigint, bigint, float8) IS
	'lower confidence bound, at level 1 - alpha, of the total variation distance of the populations over so many categories';
