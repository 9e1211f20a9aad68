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
CREATE TABLE plain_log (LIKE model_resolutions INCLUDING DEFAULTS);
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
