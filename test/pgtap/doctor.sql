-- doctor(): nothing to say of what is whole, and a row with a cure for whatever
-- is not; sequences that are behind, as after a logical switch-over.
BEGIN;
SET search_path = public, mlmeta;
SELECT plan(17);

-- The list of what belongs to what.
SELECT is_empty($$
	SELECT l.child, u.name FROM mlmeta_internal.links AS l, unnest(l.child_columns) AS u (name)
	WHERE NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = l.child::regclass AND a.attname = u.name)
	UNION ALL
	SELECT l.parent, u.name FROM mlmeta_internal.links AS l, unnest(l.parent_columns) AS u (name)
	WHERE NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = l.parent::regclass AND a.attname = u.name)
$$, 'every link names columns that are there');
SELECT is_empty($$
	SELECT c.oid::regclass, a.attname FROM pg_class AS c
		JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	WHERE c.relnamespace IN ('mlmeta'::regnamespace, 'mlmeta_internal'::regnamespace) AND c.relkind = 'r'
		AND a.attname IN ('run', 'series', 'experiment_id', 'model_id', 'monitor', 'snapshot', 'alert', 'baseline',
			'owner_id', 'user_id', 'requester_id')
		AND a.attnum <> ALL (coalesce((SELECT i.indkey FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indnatts = 1), '')::int2[])
		-- The alert or model that it was; a row of deliveries has its event's model beside it.
		AND (c.relname, a.attname) NOT IN (('retrain_requests', 'alert'), ('event_deliveries', 'model_id'), ('alert_deliveries', 'owner_id'),
			('run_metric_summaries', 'experiment_id'), ('model_resolutions', 'model_id'), ('stage_periods', 'model_id'),
			('transition_requests', 'model_id'), ('retrain_requests', 'model_id'))
		AND NOT EXISTS (SELECT FROM mlmeta_internal.links AS l
			WHERE l.child::regclass = c.oid AND a.attname = ANY (l.child_columns))
$$, 'every column that names a row of another table is in the list');

SELECT is_empty('SELECT * FROM doctor()', 'an empty database is well');
SELECT start_run('e') AS run \gset
SELECT log_metrics(:'run', '{"auc": 0.9}') \gset
SELECT finish_run(:'run') \gset
SELECT create_model('m') \gset
SELECT create_model_version('m', :'run', 'model:m:1') \gset
SELECT is_empty('SELECT * FROM doctor()', 'and so is one that was used');

SAVEPOINT well;
ALTER TABLE runs DISABLE TRIGGER USER;
DELETE FROM runs;
SELECT is((SELECT string_agg(object || ' ' || n, ', ' ORDER BY object) FROM doctor() WHERE problem = 'rows without what they belong to'),
	'mlmeta.metric_series (run) 1, mlmeta.model_versions (run) 1, mlmeta.run_marks (run) 1, mlmeta.run_metric_summaries (run) 1, mlmeta.run_results (run) 1',
	'rows without their run are found');
SELECT ok(EXISTS (SELECT FROM doctor() WHERE problem = 'disabled trigger' AND object = 'guard_runs on runs'
	AND cure = 'ALTER TABLE runs ENABLE TRIGGER guard_runs;') OR EXISTS (SELECT FROM doctor() WHERE problem = 'disabled trigger'),
	'so are guards that were taken down');
ROLLBACK TO well;

SELECT setval('models_model_id_seq', (SELECT max(model_id) FROM models), false) \gset
SELECT is((SELECT object || ' ' || n FROM doctor()), 'mlmeta.models_model_id_seq 1', 'a sequence that is behind is found');
SAVEPOINT behind;
SELECT throws_ok($$ SELECT create_model('other') $$, '23505', NULL, 'by its own name, not another''s');
ROLLBACK TO behind;
SELECT setval('models_model_id_seq', (SELECT max(model_id) FROM models), false) \gset
SELECT results_eq('SELECT * FROM repair_sequences()', $$ VALUES ('mlmeta.models_model_id_seq', 1::bigint) $$, 'and moved up');
SELECT cmp_ok(create_model('other'), '>', (SELECT max(model_id) FROM models), 'then all goes on');
SELECT is_empty('SELECT * FROM repair_sequences()', 'once');

CREATE ROLE leaver;
SELECT add_member('default', 'leaver', 'reader') \gset
SELECT is_empty('SELECT * FROM doctor()', 'a member is known');
DROP ROLE leaver;
SELECT is((SELECT object FROM doctor()), 'leaver', 'one who was dropped is not');
SELECT open_project('default') \gset
UPDATE mlmeta_internal.principals SET cluster = 1;
SELECT is_empty($$ SELECT * FROM doctor() WHERE object <> 'leaver' $$,
	'rows from another cluster are right while number and name agree');
UPDATE mlmeta_internal.principals SET role = 1;
SELECT ok(bool_and(cure LIKE '%rebind_roles%'), 'and where they do not, somebody must say who is who') FROM doctor() WHERE problem LIKE 'role%';

SAVEPOINT trail;
ALTER TABLE audit_log DISABLE TRIGGER USER;
UPDATE audit_log SET user_name = 'x' WHERE n = 1;
SELECT is((SELECT count(*) FROM doctor() WHERE problem = 'broken audit trail'), 2::bigint, 'a changed audit trail is found');
ROLLBACK TO trail;

CREATE ROLE stranger;
SET SESSION AUTHORIZATION stranger;
SELECT throws_ok('SELECT * FROM mlmeta.doctor()', '42501', NULL, 'it is not for everybody');
RESET SESSION AUTHORIZATION;

SELECT * FROM finish();
ROLLBACK;
