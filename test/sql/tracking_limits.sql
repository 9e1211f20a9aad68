-- Clocks that go wrong, facts that are completed, and how much a run can hold.
SET search_path = public, mlmeta;
SET timezone = 'UTC';
CREATE FUNCTION error_code(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	RETURN 'none';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;

-- A run that started later than now has no negative duration.
SELECT start_run('limits', 'early') AS early \gset
UPDATE runs SET started_at = now() + interval '1 hour' WHERE run = :'early';
SELECT duration FROM run_overview WHERE run = :'early';
SELECT finish_run(:'early');
SELECT duration FROM run_overview WHERE run = :'early';
SELECT resume_run(:'early');
SELECT duration FROM run_overview WHERE run = :'early';

-- Who logs is alive: with steps that fall, with a clock that is late or fast.
SELECT start_run('limits', 'falling steps') AS falling \gset
SELECT start_run('limits', 'late clock') AS late \gset
SELECT start_run('limits', 'late series') AS series \gset
SELECT start_run('limits', 'fast clock') AS fast \gset
SELECT start_run('limits', 'silent') AS silent \gset
SELECT log_series(:'falling', 'loss', '{9,8}', '{1,1}',
	ARRAY[now() - interval '3 hours', now()]);
UPDATE runs SET started_at = now() - interval '1 day', heartbeat_at = NULL
WHERE run = ANY (ARRAY[:'falling', :'late', :'series', :'fast', :'silent']::run[]);
SELECT log_metrics(:'late', '{"loss": 1}', 1, now() - interval '3 hours');
SELECT log_series(:'series', 'loss', '{1,2}', '{1,1}',
	ARRAY[now() - interval '4 hours', now() - interval '3 hours']);
SELECT log_metrics(:'fast', '{"loss": 1}', 1, now() + interval '10 minutes');
SELECT count(*) FROM reap_runs() AS r WHERE r IN (:'falling', :'late', :'series', :'fast', :'silent');
SELECT name, status FROM run_overview WHERE experiment = 'limits' ORDER BY name;
-- A point of the far future keeps no run alive for ever; one of no time at all
-- is refused.
SELECT start_run('limits', 'future') AS future \gset
SELECT log_metrics(:'future', '{"loss": 1}', 1, '9999-01-01');
SELECT error_code(format('SELECT log_metrics(%L, ''{"loss": 1}'', 1, ''infinity'')', :'future'));
SELECT error_code(format('SELECT log_series(%L, ''loss'', ''{1}'', ''{1}'', ''{-infinity}'')', :'future'));
UPDATE runs SET started_at = now() - interval '1 day', heartbeat_at = NULL WHERE run = :'future';
SELECT count(*) FROM reap_runs() AS r WHERE r = :'future';
SELECT status, duration < '1 second' AS at_its_last_sign FROM run_overview WHERE run = :'future';
-- A time close to now is sign enough.
SELECT start_run('limits', 'exact') AS exact \gset
SELECT log_metrics(:'exact', '{"loss": 1}', 1, now());
SELECT heartbeat_at FROM run_overview WHERE run = :'exact';

-- What a source holds is completed, not changed.
SELECT start_run('limits', source => '{"ticket": 17}') AS run \gset
SELECT log_source(:'run', '{"image": "trainer:4", "ticket": 17}');
SELECT error_code(format('SELECT log_source(%L, ''{"ticket": 18}'')', :'run'));
SELECT error_code(format('UPDATE runs SET source = NULL WHERE run = %L', :'run'));
SELECT source FROM runs WHERE run = :'run';

-- All parameters of a run have up to 128 MB together, so that run_overview can
-- show them. (Two go in beside the functions: it is the third that counts.)
INSERT INTO run_params (run, key, value)
SELECT :'run', k, to_jsonb(repeat('x', 62 * 1024 * 1024)) FROM unnest('{a,b}'::text[]) AS k;
SELECT error_code(format('SELECT log_params(%L, jsonb_build_object(''c'', 1, ''d'', x))
	FROM repeat(''x'', 5 * 1024 * 1024) AS x', :'run'));
SELECT error_code(format('SELECT mlmeta_internal.check_total(''tags'', %L, 134217729)', :'run'));
SELECT log_params(:'run', '{"c": 1}');
SELECT string_agg(p, ' ' ORDER BY p) AS params, tags
FROM run_overview AS o, jsonb_object_keys(o.params) AS p WHERE o.run = :'run' GROUP BY o.tags;

-- A history of no run is an error, not an empty one.
SELECT error_code('SELECT * FROM metric_history(new_run(), ''loss'')');
SELECT count(*) FROM metric_points WHERE run = :'run';
SELECT purge_experiment('limits');
DROP FUNCTION error_code;
