-- Resolving a model, against what it does at least: reading the row of the
-- version by index and inserting a row that says so. Both in one session, each
-- statement planned once.
\ir common.psql
\set rows 10000

BEGIN;
SELECT create_model('bench_' || n) FROM generate_series(1, 200) AS n \g /dev/null
SELECT create_model_version('bench_' || n, NULL, NULL, 's3://models/' || n || '/' || v)
FROM generate_series(1, 200) AS n, generate_series(1, 10) AS v \g /dev/null
SELECT set_alias('bench_' || n, 'champion', 5) FROM generate_series(1, 200) AS n \g /dev/null
CREATE TABLE plain_versions AS
SELECT m.model || '@champion' AS reference, v.* FROM model_versions AS v JOIN models AS m USING (model_id) WHERE v.version = 5;
CREATE UNIQUE INDEX ON plain_versions (reference);
CREATE TABLE plain_log (LIKE model_resolutions INCLUDING DEFAULTS INCLUDING IDENTITY);
CREATE INDEX ON plain_log (model_id, version, at);
ANALYZE models, model_versions, model_aliases, projects, plain_versions;

CREATE FUNCTION pg_temp.by_hand(n int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v record;
	wanted text;
BEGIN
	FOR i IN 1 .. n LOOP
		wanted := 'bench_' || 1 + i % 200 || '@champion';
		SELECT p.model_id, p.version, p.stage, p.run, p.artifact, p.uri INTO v
		FROM plain_versions AS p WHERE p.reference = wanted;
		INSERT INTO plain_log (model_id, version, role_name, reference, purpose)
		VALUES (v.model_id, v.version, current_user, wanted, 'bench');
	END LOOP;
END
$$;
CREATE FUNCTION pg_temp.resolved(n int, tail text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v record;
BEGIN
	FOR i IN 1 .. n LOOP
		SELECT r.version, r.stage, r.run, r.artifact, r.uri INTO v
		FROM mlmeta.resolve_model('bench_' || 1 + i % 200 || tail, 'bench') AS r;
	END LOOP;
END
$$;

SELECT pg_temp.bench('registry', :rows, format('SELECT pg_temp.by_hand(%s)', :rows),
	jsonb_build_object(
		'resolve_model, alias', format('SELECT pg_temp.resolved(%s, ''@champion'')', :rows),
		'resolve_model, version', format('SELECT pg_temp.resolved(%s, '':5'')', :rows),
		'resolve_model, stage', format('SELECT pg_temp.resolved(%s, ''/none'')', :rows)),
	'{"resolve_model, alias": 3, "resolve_model, version": 3, "resolve_model, stage": 3}');
ROLLBACK;

-- Row security: what a writer pays against the owner, for whom it does not hold,
-- while every project is open and while one is closed.
BEGIN;
SELECT setup_roles('bench') \g /dev/null
CREATE ROLE bench_member;
GRANT bench_writer TO bench_member;
SELECT create_project('bench') \g /dev/null
SELECT create_experiment('bench_' || n, 'bench') FROM generate_series(1, 100) AS n \g /dev/null
INSERT INTO runs (experiment_id, started_at) SELECT experiment_id, now() FROM experiments, generate_series(1, 200) WHERE project = 'bench';
INSERT INTO run_params (run, key, value) SELECT run, 'p' || k, to_jsonb(k) FROM runs, generate_series(1, 10) AS k ORDER BY run;
SELECT log_metrics(run, '{"a": 1, "b": 2}') FROM (SELECT run FROM runs LIMIT 1) AS r \g /dev/null
SELECT run AS one FROM metric_series LIMIT 1 \gset
SELECT count(*) AS rows FROM run_params \gset
ANALYZE projects, experiments, runs, run_params, metric_series;
INSERT INTO project_members (project, member, access) VALUES ('bench', 'bench_member', 'writer');

CREATE FUNCTION pg_temp.as_member(closed boolean, query text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	UPDATE mlmeta.projects SET members_only = closed WHERE project = 'bench';
	SET LOCAL ROLE bench_member;
	EXECUTE query;
	RESET ROLE;
END
$$;
\set scan 'SELECT count(*) FROM mlmeta.run_params'
SELECT format('SELECT mlmeta.log_metrics(%L, ''{"a": 1, "b": 2}'', n) FROM generate_series(1, 3000) AS n', :'one') AS log \gset
SELECT pg_temp.bench('registry', :rows, :'scan', jsonb_build_object(
		'row security, scan, all open', format('SELECT pg_temp.as_member(false, %L)', :'scan'),
		'row security, scan, closed', format('SELECT pg_temp.as_member(true, %L)', :'scan')),
	'{"row security, scan, all open": 2, "row security, scan, closed": 8}');
SELECT pg_temp.bench('registry', 3000, :'log', jsonb_build_object(
		'row security, log_metrics, all open', format('SELECT pg_temp.as_member(false, %L)', :'log'),
		'row security, log_metrics, closed', format('SELECT pg_temp.as_member(true, %L)', :'log')),
	'{"row security, log_metrics, all open": 1.6, "row security, log_metrics, closed": 2}');
ROLLBACK;
