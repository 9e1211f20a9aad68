-- Packed series: CPU time against single INSERTs of the same points (in a loop
-- inside the server, which spares them the round trips: a client's take ten
-- times as long), and bytes a point.

\ir common.psql
\if :{?rows}
\else
\set rows 100000
\endif

CREATE TEMPORARY TABLE noise AS
	SELECT i, random() AS u, sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) AS g,
		sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) AS g2
	FROM generate_series(1::bigint, :rows) AS i;
CREATE TEMPORARY TABLE kinds (name text, points text);
INSERT INTO kinds VALUES
	('constant', '0.001'), ('integers', 'floor(1000 * u)'),
	('four decimals', 'round((2 * exp(-i / 30000.0) + 0.05 * g)::numeric, 4)'),
	('float4', '(2 * exp(-i / 30000.0) + 0.05 * g)::float4'),
	('float8', '2 * exp(-i / 30000.0) + 0.05 * g'), ('float8, normal', 'g');
CREATE TEMPORARY TABLE clocks (name text, times text);
INSERT INTO clocks VALUES
	('regular', 'i * 250000'), ('1 ms of jitter', 'i * 250000 + round(1000 * g2)');
CREATE TEMPORARY TABLE arrays (
	name text, chunk bigint, steps bigint[], times timestamptz[], points float8[]);
DO $$
DECLARE
	k record;
BEGIN
	FOR k IN SELECT kinds.name || ', times ' || clocks.name AS name, points, times FROM kinds, clocks LOOP
		EXECUTE format('INSERT INTO arrays
			SELECT %L, i / 1000, array_agg(i ORDER BY i),
				array_agg(''2024-01-01''::timestamptz + interval ''1 us'' * (%s) ORDER BY i),
				array_agg((%s)::float8 ORDER BY i)
			FROM noise GROUP BY i / 1000', k.name, k.times, k.points);
	END LOOP;
END
$$;
CREATE TEMPORARY TABLE chunks AS SELECT name, chunk, pack_series(steps, times, points) AS packed FROM arrays;
ANALYZE arrays, chunks;

SELECT jsonb_build_object('suite', 'series', 'name', 'bytes a point: ' || name, 'rows', :rows,
	'bytes', round(sum(length(packed)) / :rows::numeric, 3), 'goal', 8)
FROM chunks GROUP BY name ORDER BY name;

CREATE TEMPORARY TABLE one_by_one (
	run bigint, key int, step bigint, at timestamptz, value float8, PRIMARY KEY (run, key, step));
CREATE TEMPORARY TABLE packed (run bigint, key int, chunk bigint, packed bytea, PRIMARY KEY (run, key, chunk));
CREATE FUNCTION pg_temp.single_inserts(kind text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	p record;
BEGIN
	TRUNCATE one_by_one;
	FOR p IN SELECT u.* FROM arrays, unnest(steps, times, points) AS u (step, at, value) WHERE name = kind LOOP
		INSERT INTO one_by_one VALUES (1, 1, p.step, p.at, p.value);
	END LOOP;
END
$$;
CREATE FUNCTION pg_temp.packed_inserts(kind text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	p record;
BEGIN
	TRUNCATE packed;
	FOR p IN SELECT * FROM arrays WHERE name = kind LOOP
		INSERT INTO packed VALUES (1, 1, p.chunk, pack_series(p.steps, p.times, p.points));
	END LOOP;
END
$$;
SELECT pg_temp.bench('series', :rows, format('SELECT pg_temp.single_inserts(%L)', k),
	jsonb_build_object(
		'INSERT of packed chunks', format('SELECT pg_temp.packed_inserts(%L)', k),
		'reading unpack_series', format('SELECT count(value) FROM chunks, unpack_series(packed) WHERE name = %L', k),
		'reading one_by_one', 'SELECT count(value) FROM one_by_one'),
	'{}')
FROM (VALUES ('four decimals, times 1 ms of jitter')) AS v (k);
