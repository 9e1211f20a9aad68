-- Sparklines: numbers as a line of block characters.

CREATE FUNCTION mlmeta.sparkline(h mlmeta.histogram, width integer DEFAULT 24)
	RETURNS text LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_sparkline_histogram';
COMMENT ON FUNCTION mlmeta.sparkline(mlmeta.histogram, integer) IS
	'the shape of a histogram in block characters, on an axis that belongs to its bins, so that windows over one baseline compare';
CREATE FUNCTION mlmeta.sparkline(series float8[])
	RETURNS text LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_sparkline_values';
COMMENT ON FUNCTION mlmeta.sparkline(float8[]) IS
	'numbers as block characters, the largest at full height; NULL and NaN are gaps, zero and less are blank';
