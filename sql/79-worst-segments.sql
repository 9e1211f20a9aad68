-- Where a model fails: slices of one and two features with the worst loss, found
-- rather than declared, in two scans of the rows.

CREATE FUNCTION mlmeta_internal.slice_sums_transition(
	state float8[], codes integer[], loss float8, levels integer[])
	RETURNS float8[] LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_slice_sums_transition';
COMMENT ON FUNCTION mlmeta_internal.slice_sums_transition(float8[], integer[], float8, integer[]) IS
	'transition function of slice_sums';
CREATE FUNCTION mlmeta_internal.slice_sums_combine(state float8[], other float8[])
	RETURNS float8[] LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_slice_sums_combine';
COMMENT ON FUNCTION mlmeta_internal.slice_sums_combine(float8[], float8[]) IS
	'combine function of slice_sums';
CREATE AGGREGATE mlmeta_internal.slice_sums(codes integer[], loss float8, levels integer[]) (
	SFUNC = mlmeta_internal.slice_sums_transition,
	STYPE = float8[],
	SSPACE = 262144,
	COMBINEFUNC = mlmeta_internal.slice_sums_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta_internal.slice_sums(integer[], float8, integer[]) IS
	'rows, sum and sum of squares of a loss in every slice of one and two features; codes: one a feature, from 0 to its number of levels less 1; read by slice_tests()';

CREATE FUNCTION mlmeta_internal.slice_tests(
		sums float8[], levels integer[], smallest bigint,
		OUT feature_1 integer, OUT code_1 integer,
		OUT feature_2 integer, OUT code_2 integer,
		OUT n bigint, OUT mean_loss float8, OUT excess float8,
		OUT excess_low float8, OUT p_value float8)
	RETURNS SETOF record LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 1000
	AS 'MODULE_PATHNAME', 'mlmeta_slice_tests';
COMMENT ON FUNCTION mlmeta_internal.slice_tests(float8[], integer[], bigint) IS
	'each slice with at least so many rows against all other rows: by how much its mean loss is larger, with the lower bound of that at 97.5 % and the p-value (Welch, normal law)';

-- The code of a feature's value, and what each code means. Code 0 is missing.
CREATE FUNCTION mlmeta_internal.slice_levels(
	summary mlmeta.profile,
	feature text,
	bins integer,
	type text,
	OUT code text,
	OUT labels text[],
	OUT conditions text[]
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	numbers mlmeta.histogram;
	categories mlmeta.frequency_table;
	edges float8[];
	span float8;
	listed text[];
	-- As profiles have it
	number text := format(CASE WHEN type ~ '^(interval|time)\M' AND type !~ '^timestamp'
		THEN 'extract(epoch FROM s.%I)::float8' ELSE 's.%I::float8' END, feature);
BEGIN
	IF EXISTS (SELECT FROM mlmeta.columns(summary) AS c
			WHERE c.feature = slice_levels.feature AND c.kind <> 'timestamp') THEN
		numbers := mlmeta.histogram_of(summary, feature);
		categories := mlmeta.frequencies_of(summary, feature);
	END IF;
	labels := ARRAY[format('%s is missing', feature)];
	conditions := ARRAY[format('s.%I IS NULL', feature)];
	IF numbers IS NOT NULL THEN
		edges := ARRAY(
			SELECT DISTINCT e.edge FROM (
				SELECT mlmeta.quantile(numbers, i::float8 / bins) AS edge
				FROM generate_series(1, bins - 1) AS i) AS e
			WHERE e.edge > mlmeta.minimum(numbers) ORDER BY 1);
		span := edges[cardinality(edges)] - edges[1];
		code := format('CASE WHEN s.%1$I IS NULL OR %3$s = ''NaN'' THEN 0
			ELSE 1 + width_bucket(%3$s, %2$L::float8[]) END', feature, edges, number);
		conditions[1] := format('(s.%1$I IS NULL OR %2$s = ''NaN'')', feature, number);
		FOR i IN 0 .. cardinality(edges) LOOP
			labels := labels || CASE
				WHEN cardinality(edges) = 0 THEN format('%s is there', feature)
				WHEN i = 0 THEN format('%s < %s', feature, mlmeta_internal.svg_number(edges[1], span))
				WHEN i = cardinality(edges)
					THEN format('%s >= %s', feature, mlmeta_internal.svg_number(edges[i], span))
				ELSE format('%s <= %s < %s', mlmeta_internal.svg_number(edges[i], span), feature,
					mlmeta_internal.svg_number(edges[i + 1], span)) END;
			conditions := conditions || concat_ws(' AND ',
				CASE WHEN i = 0 THEN format('s.%I IS NOT NULL', feature)
					ELSE format('%s >= %L', number, edges[i]) END,
				CASE WHEN i < cardinality(edges)
					THEN format('%s < %L', number, edges[i + 1])
					ELSE format('%s <> ''NaN''', number) END);
		END LOOP;
	ELSIF categories IS NOT NULL THEN
		listed := ARRAY(SELECT c.value FROM mlmeta.categories(categories) AS c
			LIMIT 15);
		code := format('CASE WHEN s.%1$I IS NULL THEN 0
			ELSE coalesce(array_position(%2$L::text[], s.%1$I::text), %3$s) END',
			feature, listed, cardinality(listed) + 1);
		FOR i IN 1 .. cardinality(listed) LOOP
			labels := labels || format('%s = %s', feature, listed[i]);
			conditions := conditions || format('s.%I::text = %L', feature, listed[i]);
		END LOOP;
		labels := labels || format('%s is any other', feature);
		conditions := conditions || format('s.%I::text <> ALL (%L::text[])',
			feature, listed);
	ELSE
		code := format('(s.%I IS NOT NULL)::integer', feature);
		labels := labels || format('%s is there', feature);
		conditions := conditions || format('s.%I IS NOT NULL', feature);
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.slice_levels(mlmeta.profile, text, integer, text) IS
	'how the values of a feature are divided into slices: the expression of the code, and of each code its name and condition';

CREATE FUNCTION mlmeta_internal.find_worst_segments(
	query text,
	loss text,
	features text[],
	most integer,
	min_rows bigint,
	bins integer,
	alpha float8,
	columns jsonb
) RETURNS TABLE (segment text, n bigint, share float8, mean_loss float8,
	excess float8, excess_low float8, p_value float8, adjusted_p float8,
	condition text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	summary mlmeta.profile;
	codes text[] := ARRAY[]::text[];
	levels integer[] := ARRAY[]::integer[];
	labels text[] := ARRAY[]::text[];
	conditions text[] := ARRAY[]::text[];
	offsets integer[] := ARRAY[]::integer[];
	feature text;
	one record;
	sums float8[];
	total bigint;
BEGIN
	IF coalesce(cardinality(features), 0) NOT BETWEEN 1 AND 30
			OR coalesce(bins, 0) NOT BETWEEN 2 AND 16 THEN
		RAISE EXCEPTION 'worst_segments() takes from 1 to 30 features and from 2 to 16 bins'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT r.profile INTO summary
	FROM mlmeta_internal.run_query(NULL, 'pg_catalog', format(
		'SELECT mlmeta.profile(mlmeta_features)
		FROM (%s
		) AS s CROSS JOIN LATERAL (SELECT %s) AS mlmeta_features', query, (
		SELECT string_agg(format('s.%I', u.name), ', ' ORDER BY u.n)
		FROM unnest(features) WITH ORDINALITY AS u (name, n))))
		AS r (profile mlmeta.profile);
	IF summary IS NULL THEN
		RETURN;
	END IF;
	FOREACH feature IN ARRAY features LOOP
		SELECT * INTO one FROM mlmeta_internal.slice_levels(summary, feature, bins, (
			SELECT c ->> 'type' FROM jsonb_array_elements(columns) AS c
			WHERE c ->> 'name' = feature));
		offsets := offsets || cardinality(labels);
		codes := codes || one.code;
		levels := levels || cardinality(one.labels);
		labels := labels || one.labels;
		conditions := conditions || one.conditions;
	END LOOP;
	SELECT r.* INTO sums, total
	FROM mlmeta_internal.run_query(NULL, 'pg_catalog', format(
		'SELECT mlmeta_internal.slice_sums(ARRAY[%s], (%s)::float8, $1), count(*)
		FROM (%s
		) AS s', array_to_string(codes, ', '), loss, query), levels)
		AS r (sums float8[], n bigint);

	RETURN QUERY
	WITH tested AS MATERIALIZED (
		SELECT t.*, row_number() OVER () AS i
		FROM mlmeta_internal.slice_tests(sums, levels, min_rows) AS t
	), adjusted AS (
		-- Bonferroni: it holds for whatever is picked from the list, where a false
		-- discovery rate would be spent on slices that are left out below.
		SELECT t.i, least(1, t.p_value * count(*) OVER ()) AS p
		FROM tested AS t
	)
	SELECT labels[offsets[t.feature_1] + t.code_1 + 1]
			|| coalesce(' and ' || labels[offsets[t.feature_2] + t.code_2 + 1], ''),
		t.n, t.n::float8 / total, t.mean_loss, t.excess, t.excess_low,
		t.p_value, a.p, conditions[offsets[t.feature_1] + t.code_1 + 1]
			|| coalesce(' AND ' || conditions[offsets[t.feature_2] + t.code_2 + 1], '')
	FROM tested AS t
		JOIN adjusted AS a ON a.i = t.i
		LEFT JOIN tested AS x ON x.feature_2 IS NULL AND x.feature_1 = t.feature_1
			AND x.code_1 = t.code_1 AND t.feature_2 IS NOT NULL
		LEFT JOIN tested AS y ON y.feature_2 IS NULL AND y.feature_1 = t.feature_2
			AND y.code_1 = t.code_2
	WHERE a.p <= alpha AND t.excess_low > 0
		-- Two features only where they surely say more than each alone.
		AND (t.feature_2 IS NULL
			OR t.excess_low > coalesce(greatest(x.excess, y.excess), 0))
	ORDER BY t.excess_low DESC, t.i
	LIMIT most;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.find_worst_segments(text, text, text[], integer,
	bigint, integer, float8, jsonb) IS
	'worst_segments() of a query and a loss whose names are qualified';

CREATE FUNCTION mlmeta_internal.worst_segments(
	source text,
	loss text,
	features text[],
	most integer DEFAULT 20,
	min_rows bigint DEFAULT 50,
	bins integer DEFAULT 5,
	alpha float8 DEFAULT 0.05
) RETURNS TABLE (segment text, n bigint, share float8, mean_loss float8,
	excess float8, excess_low float8, p_value float8, adjusted_p float8,
	condition text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	resolved record;
	expression text;
BEGIN
	SELECT * INTO resolved
	FROM mlmeta_internal.resolve_source('worst segments', coalesce(loss, 'NULL'), source);
	expression := mlmeta_internal.resolve_expression('worst segments',
		coalesce(loss, 'NULL'), loss, resolved.columns);
	RETURN QUERY SELECT * FROM mlmeta_internal.find_worst_segments(resolved.query,
		expression, features, most, min_rows, bins, alpha, resolved.columns);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.worst_segments(text, text, text[], integer, bigint,
	integer, float8) IS
	'the slices of one and two features in which the loss, an expression over the source''s columns, is surely larger than elsewhere, worst first: their size, mean loss, its excess over all other rows with the lower bound of that, the p-value times the number of slices tried, and an SQL condition; two scans of the source';
