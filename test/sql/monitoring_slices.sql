-- Slices in which a model is worst.
SET search_path = public, mlmeta;
SET extra_float_digits = 0;
SET client_min_messages = warning;
\set SHOW_CONTEXT never

CREATE FUNCTION toss(i bigint, coin bigint) RETURNS float8 LANGUAGE sql
RETURN (hashint8extended(i, coin) & 2147483647) / 2147483648.0;
CREATE TABLE scored AS
SELECT i AS id, toss(i, 1) AS x, toss(i, 2) AS y, (ARRAY['a', 'b', 'c'])[1 + i % 3] AS plan,
	nullif((toss(i, 3) * 10)::int, 0) AS visits, i % 2 = 0 AS member, toss(i, 4) AS loss, NULL::float8 AS nothing
FROM generate_series(1, 20000) AS i;

-- Nothing is planted: nothing is found.
SELECT segment, n FROM worst_segments('scored', 'loss', '{x,y,plan,visits,member,nothing}');
-- Planted: plan b with a large x, and rows whose visits are missing.
UPDATE scored SET loss = loss + 1 WHERE plan = 'b' AND x >= 0.8;
UPDATE scored SET loss = loss + 0.5 WHERE visits IS NULL;
SELECT segment, n, round(share::numeric, 3) AS share, round(mean_loss::numeric, 2) AS mean_loss,
	round(excess::numeric, 2) AS excess, excess_low < excess AS bounded, adjusted_p < 1e-6 AS sure
FROM worst_segments('SELECT * FROM scored', 'loss', '{x,y,plan,visits,member,nothing}', most => 3);
-- The condition selects just those rows, and the figures are theirs.
SELECT w.condition, w.n, w.mean_loss, w.excess, w.excess_low
FROM worst_segments('scored', 'loss', '{x,plan}', most => 1) AS w \gset
SELECT count(*) FILTER (WHERE :condition) = :n AS n,
	abs(avg(loss) FILTER (WHERE :condition) - :mean_loss) < 1e-12 AS mean_loss,
	abs(avg(loss) FILTER (WHERE :condition) - avg(loss) FILTER (WHERE NOT (:condition)) - :excess) < 1e-12 AS excess,
	abs(:excess - 1.959963984540054 * sqrt(var_samp(loss) FILTER (WHERE :condition) / :n
		+ var_samp(loss) FILTER (WHERE NOT (:condition)) / (count(*) - :n)) - :excess_low) < 1e-12 AS excess_low
FROM scored AS s;
-- Every slice against GROUP BY.
WITH coded AS (
	SELECT ARRAY[(id % 3)::int, (member)::int] AS codes, loss FROM scored
), tests AS (
	SELECT t.* FROM (SELECT mlmeta_internal.slice_sums(codes, loss, '{3,2}') AS sums FROM coded) AS s, mlmeta_internal.slice_tests(s.sums, '{3,2}', 1) AS t
)
SELECT count(*) AS slices, bool_and(t.n = g.n AND abs(t.mean_loss - g.mean_loss) < 1e-12) AS same
FROM tests AS t JOIN (
	SELECT 1 AS f1, codes[1] AS c1, NULL::int AS f2, NULL::int AS c2, count(*) AS n, avg(loss) AS mean_loss FROM coded GROUP BY 2
	UNION ALL SELECT 2, codes[2], NULL, NULL, count(*), avg(loss) FROM coded GROUP BY 2
	UNION ALL SELECT 1, codes[1], 2, codes[2], count(*), avg(loss) FROM coded GROUP BY 2, 4
) AS g ON (t.feature_1, t.code_1) = (g.f1, g.c1) AND (t.feature_2, t.code_2) IS NOT DISTINCT FROM (g.f2, g.c2);
-- A loss may be any expression; rows without one are left out.
SELECT segment, n FROM worst_segments('scored', 'CASE WHEN id > 100 THEN abs(loss - 0.5) END', '{plan,visits}', most => 1);
SELECT segment FROM worst_segments('SELECT * FROM scored WHERE false', 'loss', '{x}');

SELECT * FROM worst_segments('scored', 'no_such', '{x}');
SELECT * FROM worst_segments('scored', 'loss', '{}');
SELECT * FROM worst_segments('scored', 'loss', '{x}', bins => 1);
SELECT * FROM worst_segments('scored', 'loss', '{no_such}');
SELECT mlmeta_internal.slice_sums('{0,2}', 1, '{1,2}');
SELECT mlmeta_internal.slice_sums('{0}', 1, '{1,2}');
SELECT mlmeta_internal.slice_sums('{0,NULL}', 1, '{1,2}');
SELECT mlmeta_internal.slice_sums('{0}', 1, '{600}');
SELECT mlmeta_internal.slice_tests('{1,2}', '{1,2}', 1);
SELECT mlmeta_internal.slice_sums_combine('{1}', '{1,2}');
SELECT mlmeta_internal.slice_sums('{0}', 'NaN', '{1}');

DROP TABLE scored;
DROP FUNCTION toss;
