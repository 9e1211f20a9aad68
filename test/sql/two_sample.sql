-- Exact tests and distances of two samples, as aggregates over rows.
SET search_path = public, mlmeta;

-- ---------------------------------------------------------------------------
-- Kolmogorov-Smirnov: the pruned search, the sorted scan and the scan of
-- spilled runs give what SQL windows give.
-- ---------------------------------------------------------------------------
SELECT setseed(0.25);
CREATE TABLE draws AS
SELECT i, random() < 0.4 AS current, random() AS u,
	sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) AS z
FROM generate_series(1, 70000) AS i;

CREATE TABLE shape AS
SELECT v.name, s.current, v.value
FROM draws AS s, LATERAL (VALUES
	('normal', z),
	('shifted', z + CASE WHEN current THEN 0.3 ELSE 0 END),
	('squeezed', z * CASE WHEN current THEN 1.5 ELSE 1 END),
	('cauchy', tan(pi() * (u - 0.5))),
	('zero inflated', CASE WHEN u < 0.5 THEN 0 ELSE z END),
	('two zeros', CASE WHEN u < 0.3 THEN '-0.0'::float8 WHEN u < 0.6 THEN 0.0
		ELSE z END),
	('rounded', round((10 * z)::numeric)::float8),
	('one value', 7),
	('two values', (u < 0.3)::int),
	('epochs', 1.7e9 + 1000 * u),
	('epochs and a sentinel', CASE WHEN i = 1 THEN -1 ELSE 1.7e9 + 1000 * u END),
	('two scales', CASE WHEN u < 0.5 THEN 5 + 1e-6 * z ELSE 100 * z END),
	('tiny', z * 1e-310::float8),
	('infinite', CASE WHEN u < 0.01 THEN '-Infinity' WHEN u > 0.98
		THEN 'Infinity' ELSE z END)) AS v (name, value);

CREATE TABLE ks_by_windows AS
WITH grouped AS (
	SELECT name, value + 0.0 AS value,
		count(*) FILTER (WHERE NOT current) AS n,
		count(*) FILTER (WHERE current) AS m
	FROM shape GROUP BY name, value + 0.0
), cumulated AS (
	SELECT name, sum(n) OVER below / sum(n) OVER everything AS f,
		sum(m) OVER below / sum(m) OVER everything AS g
	FROM grouped
	WINDOW below AS (PARTITION BY name ORDER BY value),
		everything AS (PARTITION BY name)
)
SELECT name, max(abs(f - g))::float8 AS two_sided,
	greatest(max(f - g), 0)::float8 AS greater,
	greatest(max(g - f), 0)::float8 AS less
FROM cumulated GROUP BY name;

CREATE FUNCTION ks_differences(memory text)
RETURNS TABLE (name text, difference float8)
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('work_mem', memory, true);
	RETURN QUERY
	SELECT w.name, greatest(abs(w.two_sided - k.two_sided),
		abs(w.greater - k.greater), abs(w.less - k.less),
		abs(w.two_sided - k.of_test))
	FROM ks_by_windows AS w JOIN (
		SELECT s.name, ks(value, current) AS two_sided,
			ks(value, current, 'alternative=greater') AS greater,
			ks(value, current, 'alternative=less') AS less,
			(ks_test(value, current, 'method=asymptotic')).statistic AS of_test
		FROM shape AS s GROUP BY s.name) AS k USING (name);
END
$$;

SELECT memory, count(*) AS shapes, count(*) FILTER (
	WHERE difference IS NULL OR difference > 1e-14) AS wrong
FROM unnest(ARRAY['64kB', '64MB']) AS memory, ks_differences(memory)
GROUP BY memory ORDER BY memory;
