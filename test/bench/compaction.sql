-- Five million points of five kinds, compacted: bytes a point (step, time and
-- value packed, with 120 bytes for the row around them and its index entry)
-- against the eight bytes of a raw value alone, what they take on disk with the
-- pages, and points that are not the same bit for bit afterwards. All in a
-- transaction that is rolled back.

\ir common.psql
\if :{?points}
\else
\set points 1000000
\endif

BEGIN;
SELECT setseed(0.5) \g /dev/null
CREATE TEMPORARY TABLE noise AS
SELECT i, random() AS u, sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) AS g
FROM generate_series(1::bigint, :points) AS i;
CREATE TEMPORARY TABLE kinds (n int, name text, formula text, goal float8);
INSERT INTO kinds VALUES
	(1, 'float4', '(2 * exp(-i / 30000.0) + 0.05 * g)::float4', 8),
	(2, 'four decimals', 'round((2 * exp(-i / 30000.0) + 0.05 * g)::numeric, 4)', 8),
	(3, 'integers', 'floor(1000 * u)', 8), (4, 'constant', '0.001', 8),
	-- Raw values plus five in a hundred.
	(5, 'full-precision noise', 'g', 8.4);
SELECT start_run('bench_compaction') AS run \gset
INSERT INTO metric_series (run, key) SELECT :'run', name FROM kinds ORDER BY n;

-- A point every quarter of a second, with a millisecond of jitter.
SELECT format($$
	INSERT INTO run_metrics (series, step, at, value)
	SELECT %s, i, '2024-01-01'::timestamptz + interval '1 us' * (i * 250000 + round(1000 * u)), %s FROM noise$$,
	s.series, k.formula)
FROM kinds AS k JOIN metric_series AS s ON s.key = k.name AND s.run = :'run' ORDER BY k.n \gexec
ANALYZE run_metrics;
SELECT jsonb_build_object('suite', 'compaction', 'name', 'bytes a point: rows with index', 'rows', count(*), 'bytes',
	round((pg_relation_size('run_metrics') + pg_relation_size('run_metrics_series')) / count(*)::numeric, 1)) FROM run_metrics;
CREATE TEMPORARY TABLE before AS
SELECT key, step, at, float8send(value) AS bits FROM metric_points WHERE run = :'run';

CREATE FUNCTION pg_temp.pack(run run, name text, goal float8) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
DECLARE
	size bigint := pg_total_relation_size('metric_chunks');
	started bigint := pg_temp.cpu_ns();
	packed bigint := compact_series(run, name);
	spent float8 := pg_temp.cpu_ns() - started;
BEGIN
	RETURN NEXT jsonb_build_object('suite', 'compaction', 'name', 'bytes a point: ' || name, 'rows', packed,
		'bytes', (SELECT round(sum(octet_length(c.points) + 120) / packed::numeric, 2)
			FROM metric_chunks AS c JOIN metric_series AS s USING (series) WHERE s.run = pack.run AND s.key = name),
		'on_disk', round((pg_total_relation_size('metric_chunks') - size) / packed::numeric, 2), 'goal', goal,
		'ns_per_row', round((spent / packed)::numeric));
	RETURN NEXT (
		SELECT jsonb_build_object('suite', 'compaction', 'name', 'points that differ: ' || name, 'rows', packed,
			'points', count(*), 'goal', 0)
		FROM (
			(SELECT b.step, b.at, b.bits FROM before AS b WHERE b.key = name
				EXCEPT ALL SELECT p.step, p.at, float8send(p.value) FROM metric_points AS p WHERE p.run = pack.run AND p.key = name)
			UNION ALL
			(SELECT p.step, p.at, float8send(p.value) FROM metric_points AS p WHERE p.run = pack.run AND p.key = name
				EXCEPT ALL SELECT b.step, b.at, b.bits FROM before AS b WHERE b.key = name)
		) AS d);
END
$$;
SELECT pg_temp.pack(:'run', name, goal) FROM kinds ORDER BY n;
ROLLBACK;
