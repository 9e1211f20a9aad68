-- Metrics: points, series, latest and best values, history, ranks.
SET search_path = public, mlmeta;
\set run '00000000-0000-7000-8001-000000000001'
\set other '00000000-0000-7000-8001-000000000002'

-- What a statement raises: SQLSTATE, message, detail, hint.
CREATE FUNCTION error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	code text; message text; detail text; hint text;
BEGIN
	EXECUTE statement;
	RETURN 'none';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n', code || ' ' || message, regexp_replace(nullif(detail, ''), 'Near are: .*', 'Near are: ...'),
		regexp_replace(nullif(hint, ''), 'Near are: .*', 'Near are: ...'));
END $$;

SELECT start_run('metrics', 'first', id => :'run') IS NOT NULL AS started;

-- Steps in any order, several values a step, NaN and infinities.
SELECT log_metrics(:'run', '{"loss": 1.5, "auc": "NaN"}', 3);
SELECT log_metrics(:'run', '{"loss": 0.5, "auc": 0.7}', 1);
SELECT log_metrics(:'run', '{"loss": "Infinity", "auc": 0.6}', 2,
	'2024-01-01 00:00+00');
SELECT log_metrics(:'run', '{"loss": "-Infinity"}', 2, '2023-01-01 00:00+00');
SELECT log_metrics(:'run', '{"loss": 0.25}', 1, context => 'validation');
SELECT log_metrics(:'run', '{"final": 9007199254740993, "tiny": 5e-324, "zero": -0.0, "large": -1.7976931348623157e308}');
SELECT log_metrics(:'run', '{}');
SELECT key, context, step, value FROM metric_points WHERE run = :'run'
ORDER BY key, context, step, at;
SELECT key, context, step, value FROM metric_latest WHERE run = :'run';
SELECT metrics - 'tiny' - 'large' AS metrics FROM run_overview
WHERE run = :'run';

-- The same step and time twice: both stay.
SELECT log_metrics(:'run', '{"again": 1}', 5, '2024-01-01 00:00+00');
SELECT log_metrics(:'run', '{"again": 1}', 5, '2024-01-01 00:00+00');
SELECT count(*) FROM metric_points WHERE run = :'run' AND key = 'again';

-- Whatever is wrong is named, and nothing of that call is stored.
SELECT error_of($$SELECT log_metrics('00000000-0000-7000-8001-000000000001',
	'{"a": 1, "bad": "12"}')$$);
SELECT error_of($$SELECT log_metrics('00000000-0000-7000-8001-000000000001',
	'{"bad": null}')$$);
SELECT error_of($$SELECT log_metrics('00000000-0000-7000-8001-000000000001',
	'{"bad": 2e308}')$$);
SELECT error_of($$SELECT log_metrics('00000000-0000-7000-8001-000000000001',
	'{"bad": 1e-400}')$$);
SELECT error_of($$SELECT log_metrics('00000000-0000-7000-8001-000000000001',
	'{"bad\tname": 1}')$$);
SELECT error_of($$SELECT log_metrics('00000000-0000-7000-8001-000000000001',
	'[1]')$$);
SELECT error_of($$SELECT log_metrics('00000000-0000-7000-8001-000000000001',
	NULL)$$);
SELECT error_of($$SELECT log_metrics('00000000-0000-7000-8001-000000000001',
	'{"a": 1}', context => E'\x01')$$);
SELECT error_of($$SELECT log_metrics('00000000-0000-7000-8001-0000000000ff',
	'{"a": 1}')$$);
SELECT count(*) FROM metric_series WHERE run = :'run' AND key IN ('a', 'bad');

-- Many points in one call.
SELECT log_series(:'run', 'curve', array_agg(i), array_agg(sin(i / 100.0)))
FROM generate_series(0, 9999) AS i;
SELECT log_series(:'run', 'timed', '{1,2}', '{1,NaN}',
	'{2024-01-01 00:00+00,2024-01-02 00:00+00}', 'train');
SELECT log_series(:'run', 'curve', '{}', '{}');
SELECT key, context, step, at = '2024-01-02 00:00+00' AS at, value
FROM metric_points WHERE run = :'run' AND key = 'timed' ORDER BY step;
SELECT error_of($$SELECT log_series('00000000-0000-7000-8001-000000000001',
	'curve', '{1,2}', '{1}')$$);
SELECT error_of($$SELECT log_series('00000000-0000-7000-8001-000000000001',
	'curve', '{1,2}', '{1,NULL}')$$);
SELECT error_of($$SELECT log_series('00000000-0000-7000-8001-000000000001',
	'curve', NULL, '{1}')$$);
SELECT error_of($$SELECT log_series('00000000-0000-7000-8001-000000000001',
	E'cur\nve', '{1}', '{1}')$$);
SELECT error_of($$SELECT log_series('00000000-0000-7000-8001-0000000000ff',
	'curve', '{1}', '{1}')$$);

SELECT error_of($$SELECT log_series('00000000-0000-7000-8001-000000000001',
	'curve', '{{1,2}}', '{{1,2}}')$$);

-- Arrays that count from elsewhere, in no order, with ties: the latest point
-- is that of the highest step and time.
SELECT log_series(:'run', 'odd', ('[0:19]={5,9,' || repeat('1,', 17) || '9}')::bigint[],
	('[7:26]={1,2,' || repeat('0,', 17) || '3}')::float8[]);
SELECT log_series(:'run', 'odd', ('{5,9,' || repeat('1,', 17) || '9}')::bigint[],
	('{1,4,' || repeat('0,', 17) || '3}')::float8[],
	('{2040-01-01,2040-01-02,' || repeat('2040-01-01,', 17) || '2040-01-01}')::timestamptz[]);
SELECT step, value FROM metric_latest WHERE run = :'run' AND key = 'odd';
SELECT step, value, count(*) FROM metric_points WHERE run = :'run' AND key = 'odd'
GROUP BY step, value ORDER BY step, value;

-- History: all, or few points that keep ends, minima and maxima.
SELECT count(*), min(step), max(step) FROM metric_history(:'run', 'curve');
SELECT h.points, count(*) <= h.points AS within, min(value) = s.least AS least,
	max(value) = s.greatest AS greatest, min(step) AS first, max(step) AS last
FROM unnest(ARRAY[4, 5, 100, 101, 9999, 20000]) AS h (points)
	CROSS JOIN LATERAL metric_history(:'run', 'curve', h.points)
	CROSS JOIN (SELECT min(value) AS least, max(value) AS greatest
		FROM metric_history(:'run', 'curve')) AS s
GROUP BY h.points, s.least, s.greatest ORDER BY h.points;
SELECT count(*), min(value) < -0.99999 AS least, max(value) > 0.99999 AS greatest
FROM metric_history(:'run', 'curve', 2);
SELECT step, value FROM metric_history(:'run', 'timed', 4, 'train');
SELECT bool_and(step >= before) AS ordered FROM (
	SELECT step, lag(step) OVER () AS before
	FROM metric_history(:'run', 'curve', 50)) AS h;
SELECT error_of($$SELECT metric_history(
	'00000000-0000-7000-8001-000000000001', 'curve', 1)$$);
SELECT error_of(format($$SELECT metric_history(%L, 'acu')$$, :'run'));

-- What is written at the end equals what the points say.
CREATE TEMP TABLE live AS
SELECT key, context, n, nan_count, minimum, maximum, last_step, last_value
FROM metric_summaries WHERE run = :'run';
SELECT * FROM live ORDER BY key, context;
SELECT finish_run(:'run');
SELECT count(*) FROM (
	(SELECT * FROM live EXCEPT SELECT key, context, n, nan_count, minimum,
		maximum, last_step, last_value FROM run_metric_summaries
		WHERE run = :'run')
	UNION ALL
	(SELECT key, context, n, nan_count, minimum, maximum, last_step, last_value
		FROM run_metric_summaries WHERE run = :'run' EXCEPT SELECT * FROM live)
) AS differences;
SELECT error_of($$SELECT log_metrics('00000000-0000-7000-8001-000000000001',
	'{"loss": 1}')$$);
SELECT error_of($$SELECT log_series('00000000-0000-7000-8001-000000000001',
	'loss', '{1}', '{1}')$$);

-- A point that another session logged while the run was finished: no reader
-- misses it but the results, which can be written anew.
INSERT INTO run_metrics (series, step, at, value)
SELECT series, 99, now(), 0.125 FROM metric_series
WHERE run = :'run' AND key = 'loss' AND context = '';
SELECT value FROM metric_latest
WHERE run = :'run' AND key = 'loss' AND context = '';
SELECT mlmeta_internal.refresh_results(:'run');
SELECT metrics -> 'loss' AS loss FROM run_overview WHERE run = :'run';

-- Compaction: points, latest values and results stay, bit for bit.
SELECT start_run('compaction', id => :'other') IS NOT NULL AS started;
SELECT count(log_metrics(:'other', jsonb_build_object('loss', CASE i % 7
		WHEN 3 THEN '"NaN"'::jsonb WHEN 4 THEN '"Infinity"'
		ELSE to_jsonb(sin(i)) END, 'lr', 0.1), (i * 37) % 300))
FROM generate_series(1, 300) AS i;
SELECT log_series(:'other', 'loss', array_agg(i), array_agg(cos(i)))
FROM generate_series(200, 260) AS i;
SELECT log_series(:'other', 'loss', '{1}', '{1}', context => 'validation');
CREATE TEMP TABLE before AS
SELECT key, context, step, at, float8send(value) AS bits FROM metric_points
WHERE run = :'other';
CREATE TEMP TABLE latest_before AS
SELECT * FROM metric_latest WHERE run = :'other';
SELECT finish_run(:'other');
CREATE TEMP TABLE results_before AS
SELECT * FROM run_metric_summaries WHERE run = :'other';
SELECT count(*) FROM run_metrics JOIN metric_series USING (series)
WHERE run = :'other';
SELECT compact_series(:'other', 'lr');
SELECT compact_series(:'other');
SELECT compact_series(:'other');
SELECT key, context, sum(n) AS points, count(*) AS chunks
FROM metric_chunks JOIN metric_series USING (series) WHERE run = :'other'
GROUP BY key, context ORDER BY key, context;
SELECT count(*) FROM run_metrics JOIN metric_series USING (series)
WHERE run = :'other';
SELECT (SELECT count(*) FROM before) AS points, count(*) AS differences FROM (
	(TABLE before EXCEPT ALL SELECT key, context, step, at, float8send(value)
		FROM metric_points WHERE run = :'other')
	UNION ALL
	(SELECT key, context, step, at, float8send(value) FROM metric_points
		WHERE run = :'other' EXCEPT ALL TABLE before)) AS d;
SELECT count(*) FROM (TABLE latest_before EXCEPT
	SELECT * FROM metric_latest WHERE run = :'other') AS d;
SELECT count(*) FROM (TABLE results_before EXCEPT
	SELECT * FROM run_metric_summaries WHERE run = :'other') AS d;

-- More points after it are found beside the chunks and join them.
SELECT resume_run(:'other');
SELECT log_metrics(:'other', '{"loss": 42}', 1000);
SELECT value FROM metric_latest
WHERE run = :'other' AND key = 'loss' AND context = '';
SELECT finish_run(:'other');
CALL compact_metrics('0');
SELECT count(*) FROM run_metrics JOIN metric_series USING (series)
WHERE run = :'other';
SELECT value FROM metric_latest
WHERE run = :'other' AND key = 'loss' AND context = '';
SELECT count(*) FROM metric_history(:'other', 'loss');
SELECT error_of($$DELETE FROM metric_chunks$$);

-- Ranks: NaN takes no part, the direction is the metric's own.
SELECT start_run('ranks', 'r' || i, jsonb_build_object('i', i)) AS run, i
INTO TEMP ranked FROM generate_series(1, 6) AS i;
SELECT count(log_metrics(run, jsonb_build_object('accuracy', CASE i
		WHEN 3 THEN '"NaN"'::jsonb WHEN 5 THEN '0.9'
		ELSE to_jsonb(i / 10.0) END, 'val_loss', i), i))
FROM ranked;
SELECT log_metrics(run, '{"accuracy": 0.05, "val_loss": 0.5}', 10)
FROM ranked WHERE i = 5;
SELECT count(finish_run(run)) FROM ranked WHERE i <> 6;
SELECT rank, name, best, last, status FROM best_runs('ranks', 'accuracy');
SELECT rank, name, best, last FROM best_runs('ranks', 'accuracy', 2, 'last');
SELECT rank, name, best, last FROM best_runs('ranks', 'val_loss', 2);
SELECT rank, name, best FROM best_runs('ranks', 'val_loss', 2,
	higher_is_better => true);
SELECT error_of($$SELECT best_runs('ranks', 'accuracy', context => 'none')$$);
SELECT error_of($$SELECT best_runs('ranks', 'accuracy', by => 'first')$$);
SELECT error_of($$SELECT best_runs('no such', 'accuracy')$$);
SELECT rank, key, name, best, last, higher_is_better FROM leaderboard
WHERE experiment = 'ranks' ORDER BY key, rank;
SELECT set_metric('val_loss', true, 'nats', 'cross entropy');
SELECT rank, name, best FROM leaderboard
WHERE experiment = 'ranks' AND key = 'val_loss' AND rank <= 2 ORDER BY rank;
SELECT set_metric('val_loss', false);
SELECT key, higher_is_better, unit FROM metric_keys WHERE key = 'val_loss';
-- What is deleted leaves no gap in the ranks, and comes back to its own.
SELECT delete_run(run) FROM ranked WHERE i IN (5, 6);
SELECT rank, name FROM best_runs('ranks', 'accuracy', 1);
SELECT rank, name FROM leaderboard
WHERE experiment = 'ranks' AND key = 'accuracy' ORDER BY rank;
SELECT restore_run(run) FROM ranked WHERE i IN (5, 6);
SELECT rank, name FROM leaderboard
WHERE experiment = 'ranks' AND key = 'accuracy' ORDER BY rank;
SELECT error_of($$SELECT best_runs('ranks', 'accuracy', -1)$$);

-- Directions by name.
SELECT key, mlmeta_internal.higher_by_name(key) FROM unnest(ARRAY['loss', 'val_loss',
	'validation/RMSE', 'mae', 'log_loss', 'loss_validation', 'error_rate',
	'accuracy', 'auc', 'r2', 'lossless', 'f1', 'brier', 'power', 'wer', 'val-wer']) AS k (key);

DROP FUNCTION error_of(text);
