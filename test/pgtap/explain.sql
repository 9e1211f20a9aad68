-- From an alert to its cause, and on to the retraining: every query and statement
-- that is given is run.
BEGIN;
SET search_path = public, mlmeta;
SET TIME ZONE 'UTC';
SELECT plan(27);

CREATE FUNCTION pg_temp.value_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE query INTO result;
	RETURN result;
END
$$;
CREATE FUNCTION pg_temp.rows_of(query text) RETURNS bigint LANGUAGE sql AS $$
	SELECT pg_temp.value_of(format('SELECT count(*) FROM (%s) AS q', query))::bigint
$$;

-- A model, its run, code and data; then a new version goes live.
CREATE TABLE training AS SELECT i AS id, i / 100.0 AS income FROM generate_series(1, 100) AS i;
SELECT snapshot_dataset('customers', 'training') AS data \gset
SELECT start_run('churn', source => '{"repository": "git@host:churn.git", "commit": "4f2a", "entry_point": "train.py"}') AS run \gset
SELECT use_artifact(:'run', :'data', 'training');
SELECT log_artifact(:'run', 'model:churn:v1', 's3://models/1');
SELECT finish_run(:'run');
SELECT create_model('churn');
SELECT create_model_version('churn', :'run', 'model:churn:v1');
SELECT set_alias('churn', 'champion', 1);

CREATE TABLE logged AS
SELECT i AS id, now() - interval '30 days' + i * interval '3 minutes' AS at,
	(hashint8extended(i, 1) & 65535) / 65536.0 AS income,
	CASE WHEN (hashint8extended(i, 2) & 65535) < 20000 THEN 'pro' ELSE 'free' END AS plan,
	(hashint8extended(i, 3) & 65535) < 30000 AS member,
	(hashint8extended(i, 4) & 65535) / 65536.0::float8 AS score,
	(hashint8extended(i, 5) & 65535) < (hashint8extended(i, 4) & 65535) AS label,
	i % 5 AS town
FROM generate_series(0, 480 * 30 - 1) AS i;
-- The last three days: a unit changes in two towns; a plan is new; values are missing; labels turn.
UPDATE logged SET income = income / 10 WHERE at >= date_trunc('day', now()) - interval '3 days' AND town < 2;
UPDATE logged SET plan = 'trial ''1''' WHERE at >= date_trunc('day', now()) - interval '3 days' AND id % 4 = 0;
UPDATE logged SET member = NULL WHERE at >= date_trunc('day', now()) - interval '3 days' AND id % 3 = 0;
UPDATE logged SET label = NOT label WHERE at >= date_trunc('day', now()) - interval '3 days' AND id % 3 = 0;
SELECT create_monitor('churn', 'logged', 'at', '1 day', features => '{income,plan,member}', label => 'label', score => 'score',
	keys => '{id}', model => 'churn@champion', segments => '{"town": "s.town"}');
SELECT set_baseline('churn', date_trunc('day', now()) - interval '29 days', date_trunc('day', now()) - interval '10 days');
SELECT count(*) FROM check_monitor('churn');

CREATE TEMPORARY TABLE why AS
SELECT a.segment, a.feature, a.measure, a.id, e FROM alerts AS a, explain_alert(a.id) AS e;

-- Numbers: the bins that grew, worst first, and the rows in them.
SELECT id AS alert, e #>> '{rows}' AS rows, e #>> '{retrain,statement}' AS retrain FROM why WHERE feature = 'income' AND segment = '' \gset
SELECT is((SELECT round((e #>> '{moved,0,change}')::numeric, 1) FROM why WHERE id = :alert), 0.4, 'the bin that moved most grew by the share of the rows');
SELECT is((SELECT sum((p ->> 'share_current')::float8)::numeric(5, 3) FROM why, jsonb_array_elements(e -> 'moved') AS p WHERE id = :alert), 1.000, 'shares add up');
SELECT cmp_ok(pg_temp.rows_of(:'rows'), '>=', 190::bigint, 'the query gives the rows in the bins that grew');
SELECT cmp_ok(pg_temp.rows_of(:'rows'), '<', 300::bigint, 'not all rows');
SELECT is(pg_temp.value_of(format('SELECT string_agg(k, '' '' ORDER BY k) FROM (SELECT * FROM (%s) AS q LIMIT 1) AS r, jsonb_object_keys(to_jsonb(r)) AS k', :'rows')),
	'id income', 'with their keys and the feature');
SELECT is((SELECT e #>> '{segments,0,segment}' ~ '^town=[01]$' AND e #>> '{segments,1,segment}' ~ '^town=[01]$' FROM why WHERE id = :alert), true,
	'the worst segments are the two towns');
SELECT is((SELECT count(*) FROM why, jsonb_array_elements(e -> 'segments') AS s WHERE id = :alert AND (s ->> 'adjusted_p')::float8 <= 0.02 AND s ->> 'verdict' = 'drift'),
	2::bigint, 'after correction only they drift');
SELECT is(pg_temp.rows_of(e ->> 'rows') <= (SELECT row_count FROM windows AS w WHERE w.segment = why.segment AND w.window_start = (e ->> 'last_window')::timestamptz), true,
	'the query of ' || segment || ' ' || feature || ' is about its segment')
FROM why WHERE feature = 'income' AND segment <> '' ORDER BY segment;

-- Categories: the new one, quoted as it must be.
SELECT is((SELECT e #>> '{moved,0,value}' FROM why WHERE feature = 'plan' AND segment = ''), 'trial ''1''', 'the category that is new');
SELECT is((SELECT (e #>> '{moved,0,is_new}')::boolean FROM why WHERE feature = 'plan' AND segment = ''), true, 'is said to be');
SELECT is((SELECT pg_temp.rows_of(e ->> 'rows') FROM why WHERE feature = 'plan' AND segment = ''), 120::bigint, 'its rows are found');

-- Missing values
SELECT is((SELECT round((e #>> '{moved,0,share_current}')::numeric, 2) FROM why WHERE feature = 'member' AND measure = 'missing_share' AND segment = ''), 0.33, 'what is missing');
SELECT is((SELECT pg_temp.rows_of(e ->> 'rows') FROM why WHERE feature = 'member' AND measure = 'missing_share' AND segment = ''), 160::bigint, 'and where');
-- Quality: all labelled rows of the window
SELECT is((SELECT pg_temp.rows_of(e ->> 'rows') FROM why WHERE measure = 'roc_auc' AND segment = ''), 480::bigint, 'quality is about all rows');
SELECT is_empty('SELECT id FROM why WHERE pg_temp.rows_of(e ->> ''rows'') IS NULL', 'every query runs');

-- The model live then, and what made it
SELECT is((SELECT e #>> '{model,model}' FROM why WHERE id = :alert), 'churn', 'the model');
SELECT is((SELECT e #>> '{model,version}' FROM why WHERE id = :alert), NULL, 'which had no version live at the end of that window');
UPDATE monitors SET model = 'churn:1';
SELECT explain_alert(:alert) AS e \gset
SELECT is(:'e'::jsonb #>> '{model,version}', '1', 'its version');
SELECT is(:'e'::jsonb #>> '{model,run}', :'run'::text, 'its run');
SELECT is(:'e'::jsonb #>> '{model,code,commit}', '4f2a', 'its code');
SELECT is(:'e'::jsonb #>> '{model,training_data}', :'data'::text, 'its data version');
SELECT matches(:'e'::jsonb #>> '{retrain,statement}', '^SELECT mlmeta.request_retraining\(', 'the retrain request is ready');
SELECT cmp_ok(pg_temp.value_of(:'e'::jsonb #>> '{retrain,statement}')::bigint, '>', 0::bigint, 'and can be filed');
SELECT results_eq('SELECT m.model, r.version, r.alert FROM retrain_requests AS r JOIN models AS m USING (model_id)',
	format('VALUES (''churn'', 1, %s::bigint)', :alert), 'for the version, with the alert');
-- Without a registered model: a run is scheduled.
UPDATE monitors SET model = NULL;
SELECT explain_alert(:alert) AS e \gset
SELECT is(:'e'::jsonb -> 'model', 'null'::jsonb, 'no model, no version');
SELECT matches(pg_temp.value_of(:'e'::jsonb #>> '{retrain,statement}'), '^run_', 'a run is scheduled instead');

SELECT * FROM finish();
ROLLBACK;
