-- The probability laws against rational enumeration and series with many
-- digits (test/data/laws.py), tails down to 1e-300 included: every row of the
-- file, through whatever SQL function reads its p-value or bound from them, or
-- by the law's name where none does.
SET search_path = public, mlmeta;

CREATE FUNCTION law_value(law text, arguments float8[]) RETURNS float8
LANGUAGE C STRICT AS '$libdir/mlmeta', 'mlmeta_law_value';

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
WHERE law = 'noncentral_chi2_noncentrality'
UNION ALL
-- S / (n m) as the one step of two histograms, i m - j n = S
SELECT law, arguments, expected, (ks_test(
	histogram(1, ARRAY[1, 2, 3]::float8[], i) + histogram(2, ARRAY[1, 2, 3]::float8[], n - i),
	histogram(1, ARRAY[1, 2, 3]::float8[], j) + histogram(2, ARRAY[1, 2, 3]::float8[], m - j),
	a[4], 'exact_no_ties')).p_value
FROM (
	SELECT DISTINCT ON (law, arguments) law, arguments, expected, a, n, m, i, j
	FROM law_case, string_to_array(arguments, ' ') AS a,
		LATERAL (SELECT a[1]::bigint AS s, a[2]::bigint AS n, a[3]::bigint AS m) AS v,
		LATERAL generate_series(0, n) AS i, LATERAL generate_series(0, m) AS j
	WHERE law = 'ks_exact_no_ties_at' AND
		(CASE a[4] WHEN 'less' THEN j * n - i * m ELSE i * m - j * n END) = s
	ORDER BY law, arguments, i) AS c
GROUP BY law, arguments, expected, a, n, m, i, j
UNION ALL
-- the distance d of a sample of n rows from one that is as good as its law
SELECT law, arguments, expected, (ks_test(
	histogram(1, ARRAY[1, 2, 3]::float8[], (d * 32e12)::bigint) +
		histogram(2, ARRAY[1, 2, 3]::float8[], ((1 - d) * 32e12)::bigint),
	histogram(2, ARRAY[1, 2, 3]::float8[], n), 'two-sided', 'asymptotic')).p_value
FROM law_case, string_to_array(arguments, ' ') AS a,
	LATERAL (SELECT a[1]::float8 AS d, a[2]::bigint AS n) AS v
WHERE law = 'ks_one_sample_sf'
GROUP BY law, arguments, expected
UNION ALL
-- U of n rows and m: whole rows of the reference above all others, one above
-- the rest, and the others below
SELECT law, arguments, expected, CASE alternative
	WHEN 'less' THEN (mann_whitney_test(value, is_current,
		'method=exact_no_ties alternative=less')).p_value
	WHEN 'greater' THEN (mann_whitney_test(value, is_current,
		'method=exact_no_ties alternative=greater')).p_value
	ELSE (mann_whitney_test(value, is_current, 'method=exact_no_ties')).p_value
	END
FROM (
	SELECT law, arguments, expected, a[4] AS alternative, r.value, r.is_current
	FROM law_case, string_to_array(arguments, ' ') AS a,
		LATERAL (SELECT a[1]::int AS u, a[2]::int AS n, a[3]::int AS m) AS v,
		LATERAL (
			SELECT i::float8 AS value, true AS is_current FROM generate_series(1, m) AS i
			UNION ALL
			SELECT CASE WHEN i <= u / m THEN m + i WHEN i = u / m + 1 THEN u % m + 0.5
				ELSE -i END, false FROM generate_series(1, n) AS i) AS r
	WHERE law = 'mann_whitney_exact_no_ties') AS s
GROUP BY law, arguments, expected, alternative
UNION ALL
SELECT law, arguments, expected,
	law_value(law, string_to_array(arguments, ' ')::float8[])
FROM law_case
WHERE law IN ('normal_sf', 'normal_quantile_upper', 'chi2_sf', 'student_two_sided',
	'noncentral_chi2_cdf', 'noncentral_chi2_sf', 'kolmogorov_sf',
	'cramer_von_mises_sf', 'anderson_darling_sf');

SELECT count(*) AS never_compared FROM law_case AS c
WHERE NOT EXISTS (SELECT FROM law_result AS r WHERE r.law = c.law AND r.arguments = c.arguments);

-- what each header promises: 1e-12, or 1e-10 of the one-sample law
CREATE VIEW law_deviation AS
SELECT law, arguments, expected, ours, coalesce(CASE WHEN expected = 0 THEN abs(ours)
	ELSE abs(ours / expected - 1) END > CASE law WHEN 'ks_one_sample_sf' THEN 1e-10 ELSE 1e-12 END, true) AS wrong
FROM law_result;
SELECT law, count(*) AS cases, count(*) FILTER (WHERE wrong) AS wrong
FROM law_deviation GROUP BY law ORDER BY law;

SELECT law, arguments, expected, ours FROM law_deviation WHERE wrong
ORDER BY law, arguments;

-- Anderson's (1962) tables; every U that is at least 0 has p = 1 there
SELECT round(cvm_pvalue(1897, 7, 7)::numeric, 6) AS "7, 7", round(cvm_pvalue(710, 5, 6)::numeric, 6) AS "5, 6",
	round(cvm_pvalue(576, 4, 6)::numeric, 6) AS "4, 6", cvm_pvalue(-1, 4, 6) AS low, cvm_pvalue('Infinity', 4, 6) AS high;
SELECT cvm_pvalue('NaN', 4, 6);
SELECT cvm_pvalue(1, 0, 6);
SELECT cvm_pvalue(1, 1000, 1001);

DROP VIEW law_deviation, law_result, law_rows;
DROP TABLE law_case;
DROP FUNCTION law_value;
