-- The probability laws against rational enumeration and series with many
-- digits (test/data/laws.py), tails down to 1e-300 included, through whatever
-- SQL function reads its p-value or bound from them.
SET search_path = public, mlmeta;

CREATE TABLE law_case (law text, arguments text, expected float8, source text);
\copy law_case FROM 'test/data/laws.csv' WITH (FORMAT csv, HEADER)

SELECT law, count(*) FROM law_case GROUP BY law ORDER BY law;

-- One row for every counted row of a tie group "reference:current".
CREATE VIEW law_rows AS
SELECT c.law, c.arguments, c.expected,
	split_part(c.arguments, ' ', 1) AS alternative,
	g.place::float8 AS value, s.is_current
FROM law_case AS c,
	LATERAL regexp_matches(c.arguments, '(\d+):(\d+)', 'g')
		WITH ORDINALITY AS g(counts, place),
	LATERAL (VALUES (false, g.counts[1]::int), (true, g.counts[2]::int))
		AS s(is_current, n),
	LATERAL generate_series(1, s.n);

CREATE VIEW law_result AS
SELECT law, arguments, expected, CASE alternative
	WHEN 'less' THEN
		(ks_test(value, is_current, 'method=exact alternative=less')).p_value
	WHEN 'greater' THEN
		(ks_test(value, is_current, 'method=exact alternative=greater')).p_value
	ELSE (ks_test(value, is_current, 'method=exact')).p_value
	END AS ours
FROM law_rows WHERE law = 'ks_exact_pvalue'
GROUP BY law, arguments, expected, alternative
UNION ALL
SELECT law, arguments, expected, CASE alternative
	WHEN 'less' THEN (mann_whitney_test(value, is_current,
		'method=exact alternative=less')).p_value
	WHEN 'greater' THEN (mann_whitney_test(value, is_current,
		'method=exact alternative=greater')).p_value
	ELSE (mann_whitney_test(value, is_current, 'method=exact')).p_value
	END
FROM law_rows WHERE law = 'mann_whitney_exact_tied'
GROUP BY law, arguments, expected, alternative
UNION ALL
-- the table a b / c d: the first row is the reference, the first column true
SELECT law, arguments, expected, CASE alternative
	WHEN 'less' THEN
		(fisher_test(value, is_current, 'alternative=less')).p_value
	WHEN 'greater' THEN
		(fisher_test(value, is_current, 'alternative=greater')).p_value
	ELSE (fisher_test(value, is_current)).p_value
	END
FROM (
	SELECT law, arguments, expected, a[5] AS alternative, s.value, s.is_current
	FROM law_case, string_to_array(arguments, ' ') AS a,
		LATERAL (VALUES (true, false, a[1]), (false, false, a[2]),
			(true, true, a[3]), (false, true, a[4]))
			AS s(value, is_current, n),
		LATERAL generate_series(1, s.n::int)
	WHERE law = 'fisher_pvalue') AS f
GROUP BY law, arguments, expected, alternative
UNION ALL
SELECT law, arguments, expected, cvm_pvalue(a[1]::float8, a[2]::bigint, a[3]::bigint)
FROM law_case, string_to_array(arguments, ' ') AS a
WHERE law = 'cvm_exact_pvalue'
UNION ALL
-- psi_threshold is this quantile times 1/n + 1/m, psi_lower_bound the
-- noncentrality of psi over that
SELECT law, arguments, expected,
	psi_threshold(a[2]::int + 1, 50000000, 50000000, a[1]::float8) * 25e6
FROM law_case, string_to_array(arguments, ' ') AS a
WHERE law = 'chi2_quantile_upper'
UNION ALL
SELECT law, arguments, expected, psi_lower_bound(a[1]::float8 / 25e6,
	a[2]::int + 1, 50000000, 50000000, a[3]::float8) * 25e6
FROM law_case, string_to_array(arguments, ' ') AS a
WHERE law = 'noncentral_chi2_noncentrality';

SELECT law, count(*) AS cases,
	count(*) FILTER (WHERE ours IS NULL OR
		abs(ours - expected) > 1e-12 * abs(expected)) AS wrong
FROM law_result GROUP BY law ORDER BY law;

SELECT law, arguments, expected, ours FROM law_result
WHERE ours IS NULL OR abs(ours - expected) > 1e-12 * abs(expected)
ORDER BY law, arguments;

-- Anderson's (1962) tables; every U that is at least 0 has p = 1 there
SELECT round(cvm_pvalue(1897, 7, 7)::numeric, 6) AS "7, 7", round(cvm_pvalue(710, 5, 6)::numeric, 6) AS "5, 6",
	round(cvm_pvalue(576, 4, 6)::numeric, 6) AS "4, 6", cvm_pvalue(-1, 4, 6) AS low, cvm_pvalue('Infinity', 4, 6) AS high;
SELECT cvm_pvalue('NaN', 4, 6);
SELECT cvm_pvalue(1, 0, 6);
SELECT cvm_pvalue(1, 1000, 1001);

DROP VIEW law_result, law_rows;
DROP TABLE law_case;
