-- The gates that the page on the registry recommends, each saying yes and no: the
-- metric is good enough, not worse than the champion on the same data version, the
-- training profile is there, the latest check for drift is fresh and green.
BEGIN;
SET search_path = public, mlmeta;
SELECT plan(15);

SELECT create_model('churn') \gset
-- Registers a version whose run had that AUC on that data.
CREATE FUNCTION pg_temp.trained(auc float8, test_data artifact, profile profile DEFAULT NULL) RETURNS int
LANGUAGE plpgsql AS $body$
DECLARE
	r run := mlmeta.start_run('churn');
BEGIN
	PERFORM mlmeta.log_metrics(r, jsonb_build_object('auc', auc));
	PERFORM mlmeta.use_artifact(r, test_data, 'test');
	PERFORM mlmeta.finish_run(r);
	RETURN mlmeta.create_model_version('churn', r, NULL, 's3://churn', profile => profile);
END
$body$;
CREATE FUNCTION pg_temp.says(gate text, version int) RETURNS text LANGUAGE sql
RETURN (SELECT concat_ws(' ', c.passed, c.detail, c.problem) FROM check_gates('churn', version, 'staging') AS c WHERE c.name = gate);

SELECT add_gate('churn', 'staging', 'auc', $$
	SELECT max(value) BETWEEN 0.8 AND 1, format('auc is %s', max(value))
	FROM mlmeta.metric_latest WHERE run OPERATOR(mlmeta.=) $3 AND key = 'auc' $$) \gset
SELECT add_gate('churn', 'staging', 'not worse than the champion', $$
	SELECT max(old.version) IS NULL OR max(n.value) BETWEEN max(o.value) - 0.005 AND 1,
		format('%s against %s', max(n.value), max(o.value))
	FROM mlmeta.models AS m
		JOIN mlmeta.model_versions AS new ON new.model_id = m.model_id AND new.version = $2
		LEFT JOIN mlmeta.model_aliases AS a ON a.model_id = m.model_id AND a.alias = 'champion'
		LEFT JOIN mlmeta.model_versions AS old ON old.model_id = m.model_id
			AND old.version = a.version AND old.version <> $2
		LEFT JOIN mlmeta.metric_latest AS n ON n.run OPERATOR(mlmeta.=) new.run AND n.key = 'auc'
		LEFT JOIN mlmeta.metric_latest AS o ON o.run OPERATOR(mlmeta.=) old.run AND o.key = 'auc'
			AND EXISTS (SELECT FROM mlmeta.run_artifacts AS x
				JOIN mlmeta.run_artifacts AS y ON y.artifact OPERATOR(mlmeta.=) x.artifact
				WHERE x.run OPERATOR(mlmeta.=) new.run AND y.run OPERATOR(mlmeta.=) old.run
					AND x.role = 'test' AND y.role = 'test')
	WHERE m.model = $1 $$) \gset
SELECT add_gate('churn', 'staging', 'has a profile', $$
	SELECT has_profile FROM mlmeta.version_overview WHERE model = $1 AND version = $2 $$) \gset
SELECT add_gate('churn', 'staging', 'no drift', $$
	SELECT coalesce(max(window_end) > now() - interval '2 days'
			AND NOT bool_or(verdict = 'drift'), false),
		coalesce(string_agg(DISTINCT feature, ', ') FILTER (WHERE verdict = 'drift'), 'no drift')
	FROM mlmeta.drift_latest WHERE monitor = $1 $$) \gset

SELECT is(pg_temp.trained(0.9, 'dataset:test:v1'), 1, 'a version');
SELECT is(pg_temp.says('auc', 1), 't auc is 0.9', 'good enough');
SELECT is(pg_temp.says('auc', pg_temp.trained(0.7, 'dataset:test:v1')), 'f auc is 0.7', 'another is not');
SELECT is(pg_temp.says('auc', pg_temp.trained('NaN', 'dataset:test:v1')), 'f auc is NaN', 'nor is NaN');
SELECT is(pg_temp.says('not worse than the champion', 3), 't NaN against ', 'with nobody to compare with');
SELECT is(pg_temp.says('not worse than the champion', 1), 't 0.9 against ', 'the first has nobody to be worse than');
SELECT set_alias('churn', 'champion', 1) \gset
SELECT is(pg_temp.says('not worse than the champion', 2), 'f 0.7 against 0.9', 'the next has');
SELECT is(pg_temp.says('not worse than the champion', 3), 'f NaN against 0.9', 'NaN beats nobody');
SELECT is(pg_temp.says('not worse than the champion', pg_temp.trained(0.95, 'dataset:test:v1')), 't 0.95 against 0.9', 'and is better');
SELECT is(pg_temp.says('not worse than the champion', pg_temp.trained(0.95, 'dataset:test:v2')), 'f 0.95 against  the gate returned NULL',
	'on other data nobody knows');
SELECT is(pg_temp.says('has a profile', 1), 'f', 'no profile');
SELECT is(pg_temp.says('has a profile', pg_temp.trained(0.9, 'dataset:test:v1', (SELECT profile(t) FROM (VALUES (1)) AS t (x)))), 't', 'a profile');

-- Traffic up to now, alike from day to day, and then not.
CREATE TABLE traffic AS
SELECT now() - interval '10 days' + n * interval '10 minutes' AS at, (n * 37) % 144 AS x FROM generate_series(1, 1440) AS n;
SELECT is(pg_temp.says('no drift', 1), 'f no drift', 'what was never checked is not green');
SELECT create_monitor('churn', 'public.traffic', 'at', '1 day', features => '{x}') \gset
SELECT set_baseline('churn', now() - interval '10 days', now() - interval '5 days') \gset
SELECT count(*) FROM check_monitor('churn') \gset
SELECT is(pg_temp.says('no drift', 1), 't no drift', 'fresh and green');
UPDATE traffic SET x = x + 100 WHERE at > now() - interval '4 days';
SELECT count(*) FROM check_monitor('churn', since => now() - interval '5 days') \gset
SELECT is(pg_temp.says('no drift', 1), 'f x', 'drift, and in what');

SELECT * FROM finish();
ROLLBACK;
