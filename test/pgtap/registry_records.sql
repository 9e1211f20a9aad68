-- What the registry keeps: the audit chain, periods, the record of a training,
-- the queue of retraining, events.
BEGIN;
SET search_path = public, mlmeta;
SELECT plan(79);

CREATE TABLE public.orders AS SELECT n AS id, n * 1.5 AS price FROM generate_series(1, 50) AS n;
SELECT start_run('churn', params => '{"depth": 6}', source => '{"repository": "git:churn", "commit": "abc",
	"patch": "+ one line", "command_line": "train.py --depth 6", "environment": {"python": "3.11"}}') AS run \gset
SELECT use_artifact(:'run', snapshot_dataset('orders', 'public.orders'), 'training') AS data \gset
SELECT log_metrics(:'run', '{"auc": 0.91, "loss": "NaN"}') \gset
SELECT log_artifact(:'run', 'model:churn:v1', 's3://models/churn/1') \gset
SELECT finish_run(:'run') \gset
SELECT create_event_consumer('all', true) \gset
SELECT create_model('churn', tags => '{"team": "growth"}') \gset
SELECT create_model_version('churn', :'run', 'model:churn:v1', profile => (SELECT profile(orders) FROM orders)) \gset
SELECT create_model_version('churn', NULL, NULL, 's3://models/churn/2') \gset
SELECT set_policy('churn', 'production', 0, alias => 'champion') \gset
SELECT set_policy('churn', 'archived', 0) \gset

-- Periods ---------------------------------------------------------------------

SELECT request_transition('churn', 1, 'production', 'first') \gset
SELECT clock_timestamp() AS t1 \gset
SELECT request_transition('churn', 2, 'production', 'second') \gset
SELECT clock_timestamp() AS t2 \gset
SELECT request_transition('churn', 2, 'archived') \gset
SELECT clock_timestamp() AS t3 \gset
SELECT is(model_at('churn', 'champion', :'t1'), 1, 'the alias pointed to version 1 first');
SELECT is(model_at('churn', 'production', :'t1'), 1, 'which was in production');
SELECT is(model_at('churn', 'champion', :'t2'), 2, 'then to version 2');
SELECT is(model_at('churn', 'production', :'t2'), 2, 'which took its place');
SELECT is(model_at('churn', 'champion', :'t3'), NULL, 'then to none: its stage was left');
SELECT is(model_at('churn', 'production', '-infinity'), NULL, 'and to none before');
SELECT is(model_at('churn', 'nothing', :'t1'), NULL, 'what never was gives NULL');
SELECT throws_ok($$ SELECT model_at('nothing', 'champion', now()) $$, '42704', NULL, 'a model that never was does not');
SELECT is_empty($$
	SELECT h.* FROM model_history AS h JOIN model_history AS o ON o.model = h.model
		AND o.alias_or_stage = h.alias_or_stage AND o.valid && h.valid AND o.version <> h.version
	WHERE h.alias_or_stage IN ('production', 'champion')
$$, 'no moment has two versions');
SELECT results_eq($$
	SELECT count(*), range_agg(valid) = range_agg(valid) * multirange(tstzrange(min(lower(valid)), NULL)) AND
		(SELECT count(*) FROM unnest(range_agg(h.valid))) = 1
	FROM model_history AS h WHERE model = 'churn' AND kind = 'stage' AND version = 2
$$, $$ VALUES (3::bigint, true) $$, 'the periods of a version have no gap');
SELECT throws_ok($$ UPDATE stage_periods SET valid = tstzrange(lower(valid) - interval '1 day', NULL) $$, '55000', NULL,
	'nobody backdates');
SELECT throws_ok($$ TRUNCATE stage_periods $$, '55000', NULL, 'nor forgets');
SELECT throws_ok($$ SELECT define_stage('champion', 99) $$, '42710', NULL, 'a stage cannot have the name of an alias');
SELECT throws_ok($$ SELECT define_stage('archived', 30, exclusive => true) $$, '55000', NULL,
	'a stage with two versions of a model cannot become exclusive');
SELECT lives_ok($$ SELECT define_stage('shadow', 15, true, 'none', 'silent trial') $$, 'another stage');
SELECT set_policy('churn', 'shadow', 0) \gset
SELECT request_transition('churn', 1, 'shadow') \gset
SELECT request_transition('churn', 2, 'shadow') \gset
SELECT results_eq($$ SELECT version, stage FROM version_overview WHERE model = 'churn' ORDER BY version $$,
	$$ VALUES (1, 'none'), (2, 'shadow') $$, 'which displaces as it was told');
SELECT lives_ok($$ SELECT define_stage('empty', 50) $$, 'a stage that nobody uses');
SELECT lives_ok($$ SELECT drop_stage('empty') $$, 'can go');
SELECT throws_ok($$ SELECT drop_stage('shadow') $$, '2BP01', NULL, 'one that is in use cannot');

-- Audit -----------------------------------------------------------------------

SELECT is_empty($$ SELECT * FROM verify_audit('churn') $$, 'the chain is whole');
SELECT throws_ok($$ SELECT * FROM verify_audit('nothing') $$, '42704', NULL, 'of a model that is there');
SELECT throws_ok($$ UPDATE audit_log SET user_name = 'somebody' $$, '55000', NULL, 'the owner cannot update it');
SELECT throws_ok($$ DELETE FROM audit_log $$, '55000', NULL, 'nor delete from it');
SELECT throws_ok($$ TRUNCATE audit_log $$, '55000', NULL, 'nor truncate it');
SELECT throws_ok($$ INSERT INTO mlmeta_internal.lifted_guards VALUES (pg_current_xact_id()); DELETE FROM mlmeta.audit_log $$, '55000', NULL, 'maintenance opens nothing');
SELECT results_eq($$ SELECT n FROM audit_trail WHERE model = 'churn' ORDER BY n $$,
	$$ SELECT generate_series(1::bigint, (SELECT changes FROM models WHERE model = 'churn')) $$, 'its rows are numbered without gaps');
SET LOCAL TimeZone = 'Asia/Kathmandu';
SET LOCAL DateStyle = 'SQL, DMY';
SET LOCAL extra_float_digits = -15;
SET LOCAL bytea_output = 'escape';
SELECT is_empty($$ SELECT * FROM verify_audit('churn') $$, 'settings do not matter');
RESET TimeZone; RESET DateStyle; RESET extra_float_digits; RESET bytea_output;

-- The superuser does what nobody may, and it shows.
SELECT model_id FROM models WHERE model = 'churn' \gset
SAVEPOINT untouched;
ALTER TABLE audit_log DISABLE TRIGGER USER;
UPDATE audit_log SET detail = detail || '{"approvals": ["somebody"]}' WHERE model_id = :model_id AND n = 5;
SELECT results_eq($$ SELECT n, problem FROM verify_audit('churn') $$, $$ VALUES (5::bigint, 'was changed') $$, 'a changed row is found');
ROLLBACK TO untouched;
ALTER TABLE audit_log DISABLE TRIGGER USER;
UPDATE audit_log SET at = at + interval '1 microsecond' WHERE model_id = :model_id AND n >= 3;
SELECT results_eq($$ SELECT n FROM verify_audit() $$, $$ VALUES (3::bigint) $$, 'the first of several');
ROLLBACK TO untouched;
ALTER TABLE audit_log DISABLE TRIGGER USER;
UPDATE audit_log AS a SET user_name = 'x', hash = mlmeta_internal.audit_hash((a.model_id, a.n, a.at, 'x', a.role_name, a.client_addr,
	a.application_name, a.version, a.action, a.detail, a.statement, a.previous, a.hash)::audit_log) WHERE model_id = :model_id AND n = 4;
SELECT results_eq($$ SELECT n, problem FROM verify_audit('churn') $$, $$ VALUES (5::bigint, 'does not follow from the row before') $$,
	'a hash recomputed breaks the next row');
ROLLBACK TO untouched;
ALTER TABLE audit_log DISABLE TRIGGER USER;
DELETE FROM audit_log WHERE model_id = :model_id AND n = 6;
SELECT results_eq($$ SELECT n, problem FROM verify_audit('churn') $$, $$ VALUES (7::bigint, 'row 6 is missing') $$, 'a missing row is found');
ROLLBACK TO untouched;
ALTER TABLE audit_log DISABLE TRIGGER USER;
DELETE FROM audit_log AS a USING models AS m WHERE a.model_id = m.model_id AND a.n = m.changes;
SELECT matches((SELECT problem FROM verify_audit('churn')), '^row \d+ is missing at the end$', 'also the last');
ROLLBACK TO untouched;
INSERT INTO audit_log SELECT a.model_id, a.n + 1, a.at, a.user_name, a.role_name, a.client_addr, a.application_name, a.version, a.action, a.detail, a.statement, a.hash, a.hash
	FROM audit_log AS a JOIN models AS m ON m.model_id = a.model_id AND m.changes = a.n;
SELECT is((SELECT count(*) FROM verify_audit('churn')), 1::bigint, 'and one too many');
ROLLBACK TO untouched;
ALTER TABLE audit_log DISABLE TRIGGER USER;
UPDATE audit_log SET n = CASE n WHEN 4 THEN -5 ELSE -4 END WHERE model_id = :model_id AND n IN (4, 5);
UPDATE audit_log SET n = - n WHERE model_id = :model_id AND n < 0;
SELECT results_eq($$ SELECT n, problem FROM verify_audit('churn') $$, $$ VALUES (4::bigint, 'does not follow from the row before') $$,
	'rows in another order');
ROLLBACK TO untouched;
SELECT create_model('other') AS other \gset
ALTER TABLE audit_log DISABLE TRIGGER USER;
UPDATE audit_log SET model_id = :other, n = 2 WHERE model_id = :model_id AND n = 4;
SELECT results_eq($$ SELECT model_name, n FROM verify_audit() $$, $$ VALUES ('churn', 5::bigint), ('other', 2) $$, 'a row of another model');
ROLLBACK TO untouched;
ALTER TABLE audit_log DISABLE TRIGGER USER;
DELETE FROM audit_log WHERE model_id = :model_id;
SELECT results_eq($$ SELECT n, problem FROM verify_audit('churn') $$, $$ VALUES (0::bigint, 'row 1 is missing at the end') $$, 'or all of them');
ROLLBACK TO untouched;
-- What no chain shows: all of it written anew, up to the hash in the model's row.
-- A copy of that hash kept elsewhere does show it.
SELECT chain_head AS copy FROM models WHERE model_id = :model_id \gset
ALTER TABLE audit_log DISABLE TRIGGER USER;
UPDATE audit_log SET user_name = 'somebody else' WHERE model_id = :model_id AND n = 4;
CREATE FUNCTION pg_temp.forge(of_model bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	entry mlmeta.audit_log;
	head bytea := sha256('');
BEGIN
	FOR entry IN SELECT a.* FROM mlmeta.audit_log AS a WHERE a.model_id = of_model ORDER BY a.n LOOP
		entry.previous := head;
		head := mlmeta_internal.audit_hash(entry);
		UPDATE mlmeta.audit_log AS a SET previous = entry.previous, hash = head WHERE a.model_id = of_model AND a.n = entry.n;
	END LOOP;
	UPDATE mlmeta.models AS m SET chain_head = head WHERE m.model_id = of_model;
END
$$;
SELECT pg_temp.forge(:model_id) \gset
SELECT is_empty($$ SELECT * FROM verify_audit('churn') $$, 'a superuser who writes all of it anew is not found out here');
SELECT isnt((SELECT chain_head FROM models WHERE model_id = :model_id), :'copy'::bytea, 'but by a copy of the last hash');
ROLLBACK TO untouched;
SELECT is_empty($$ SELECT * FROM verify_audit() $$, 'untouched, all is whole again');

-- The record of a training ----------------------------------------------------

CREATE TEMP TABLE training AS SELECT training_record('churn', 1) AS r;
SELECT is((SELECT r #>> '{code,commit}' FROM training), 'abc', 'the record has the commit');
SELECT is((SELECT r #>> '{code,patch}' FROM training), '+ one line', 'the patch');
SELECT is((SELECT r ->> 'command' FROM training), 'train.py --depth 6', 'the command');
SELECT is((SELECT r -> 'params' FROM training), '{"depth": 6}', 'the parameters');
SELECT is((SELECT r #>> '{environment,python}' FROM training), '3.11', 'the environment');
SELECT is((SELECT r -> 'metrics' FROM training), '{"auc": 0.91, "loss": "NaN"}', 'the metrics');
SELECT is((SELECT r #>> '{data,0,artifact}' FROM training), :'data'::text, 'the data version');
SELECT is((SELECT r #> '{data,0,unchanged}' FROM training), 'true', 'and that the data is still the same');
SELECT is((SELECT r #>> '{lineage,0,node}' FROM training), :'data'::text, 'the lineage');
SELECT is((SELECT jsonb_array_length(r -> 'transitions') FROM training), 2, 'and the transitions');
SELECT delete_run(:'run') \gset
SELECT results_eq($$ SELECT t -> 'params', t -> 'metrics' FROM training_record('churn', 1) AS t $$,
	$$ SELECT r -> 'params', r -> 'metrics' FROM training $$, 'a run that is hidden keeps its record');
SELECT restore_run(:'run') \gset
UPDATE public.orders SET price = 0 WHERE id = 7;
SELECT is(training_record('churn', 1) #> '{data,0,unchanged}', 'false', 'a changed row shows');
DROP TABLE public.orders;
SELECT is(training_record('churn', 1) #> '{data,0,unchanged}', 'false', 'so does a table that is gone');
SELECT is(training_record('churn', 1, false) #> '{data,0,unchanged}', 'null', 'when asked');
SELECT is(training_record('churn', 2) ->> 'run', NULL, 'a version made elsewhere has a record too');
SELECT throws_ok($$ SELECT training_record('churn', 9) $$, '42704', NULL, 'one that is not there has none');

-- The profile of the training becomes a monitor's baseline -------------------

CREATE TABLE public.traffic AS
SELECT '2024-01-01Z'::timestamptz + n * interval '1 hour' AS at, n % 24 + CASE WHEN n >= 96 THEN 20 ELSE 0 END AS x
FROM generate_series(0, 191) AS n;
SELECT create_model('traffic') \gset
SELECT create_model_version('traffic', NULL, NULL, 's3://t/1', profile => (SELECT profile(t) FROM traffic AS t WHERE at < '2024-01-05Z')) \gset
SELECT create_model_version('traffic', NULL, NULL, 's3://t/2') \gset
SELECT create_monitor('by_model', 'public.traffic', 'at', '1 day', features => '{x}', time_zone => 'UTC') \gset
SELECT create_monitor('by_period', 'public.traffic', 'at', '1 day', features => '{x}', time_zone => 'UTC') \gset
SELECT set_baseline('by_period', '2024-01-01Z', '2024-01-05Z') \gset
-- The data is gone by the time that somebody wants to watch.
CREATE TEMP TABLE trained_on AS SELECT * FROM traffic WHERE at < '2024-01-05Z';
DELETE FROM traffic WHERE at < '2024-01-05Z';
SELECT lives_ok($$ SELECT set_baseline_of_model('by_model', 'traffic', 1) $$, 'the stored profile of a version is enough for a baseline');
INSERT INTO traffic SELECT * FROM trained_on;
SELECT count(*) FROM check_monitor('by_model', '2024-01-09Z') \gset
SELECT count(*) FROM check_monitor('by_period', '2024-01-09Z') \gset
SELECT results_eq($$ SELECT window_start, feature, statistic_low, n_reference, n_current, verdict FROM drift_history
		WHERE monitor = 'by_model' AND measure = 'ks' ORDER BY 1 $$,
	$$ SELECT window_start, feature, statistic_low, n_reference, n_current, verdict FROM drift_history
		WHERE monitor = 'by_period' AND measure = 'ks' AND window_start >= '2024-01-05Z' ORDER BY 1 $$,
	'and finds what a baseline of the rows finds');
SELECT results_eq($$ SELECT count(*), bool_and(verdict = 'drift') FROM drift_history WHERE monitor = 'by_model' AND measure = 'ks' $$,
	$$ VALUES (4::bigint, true) $$, 'which is drift');
SELECT throws_ok($$ SELECT set_baseline_of_model('by_model', 'traffic', 2) $$, '42704', NULL, 'a version without profile, data and run is none');
SELECT throws_ok($$ SELECT set_baseline_of_model('by_model', 'traffic', 3) $$, '42704', 'model "traffic" has no version 3', 'nor one that is not there');
SELECT throws_ok($$ SELECT set_baseline_of_model('by_model', 'churn', 1) $$, '42703', NULL, 'nor the profile of other columns');

-- The queue -------------------------------------------------------------------

SELECT request_retraining('churn', 1, 'drift in price', 77) AS again \gset
SELECT is(request_retraining('churn', 1, 'drift in price', 77), :again::bigint, 'an alert files one request');
SELECT throws_ok(format('SELECT start_retraining(%s)', :again), '55000', NULL, 'who trains claims first');
SELECT results_eq($$ SELECT model_name, version, reason, alert FROM claim_retraining() $$,
	$$ VALUES ('churn', 1, 'drift in price', 77::bigint) $$, 'a worker claims it');
SELECT is_empty($$ SELECT * FROM claim_retraining() $$, 'once');
SELECT start_retraining(:again, '{"depth": 7}') AS new_run \gset
SELECT results_eq(format('SELECT experiment, params, tags FROM run_overview WHERE run = %L', :'new_run'),
	format($$ VALUES ('churn', '{"depth": 7}'::jsonb, '{"retrains": "churn:1", "retrain_request": "%s"}'::jsonb) $$, :again),
	'the run goes on where the other was, with what was changed');
SELECT log_artifact(:'new_run', 'model:churn:v3', 's3://models/churn/3') \gset
SELECT create_model_version('churn', :'new_run', 'model:churn:v3') AS v3 \gset
SELECT throws_ok(format('SELECT finish_retraining(%s, 1)', :again), '22023', NULL, 'no version replaces itself');
SELECT finish_retraining(:again, :v3) \gset
SELECT results_eq($$ SELECT status, new_version FROM retrain_queue $$, $$ VALUES ('done', 3) $$, 'what came out is linked');
SELECT results_eq(format($$ SELECT action, version, detail - 'request' FROM audit_trail WHERE action LIKE 'retraining%%' AND detail ->> 'request' = '%s' ORDER BY n $$, :again),
	format($$ VALUES ('retraining_requested', 1, '{"alert": 77, "reason": "drift in price"}'::jsonb),
		('retraining_started', 1, '{"run": "%1$s"}'), ('retraining_done', 1, '{"run": "%1$s", "new_version": %2$s}') $$, :'new_run', :v3),
	'and every step is on the record');
SELECT request_retraining('churn') AS taken_back \gset
SELECT cancel_retraining(:taken_back) \gset
SELECT results_eq(format($$ SELECT action FROM audit_trail WHERE detail ->> 'request' = '%s' AND action LIKE 'retraining%%' ORDER BY n $$, :taken_back),
	$$ VALUES ('retraining_requested'), ('retraining_cancelled') $$, 'also that one was taken back');
SELECT throws_ok(format('SELECT cancel_retraining(%s)', :taken_back), '55000', NULL, 'once');
SELECT throws_ok('SELECT cancel_retraining(-1)', '42704', NULL, 'one that is there');

-- Events ----------------------------------------------------------------------

SELECT results_eq($$ SELECT e.action FROM events AS e ORDER BY e.event $$,
	$$ SELECT a.action FROM audit_trail AS a ORDER BY a.at $$, 'every change is an event, in order');
SELECT throws_ok($$ SELECT acknowledge_event('all', (SELECT max(event) FROM events)) $$, '55000', NULL,
	'events of a model are acknowledged in order');
DO $$
DECLARE
	e record;
BEGIN
	LOOP
		SELECT * INTO e FROM mlmeta.take_events('all', 1);
		EXIT WHEN NOT FOUND;
		PERFORM mlmeta.acknowledge_event('all', e.event);
	END LOOP;
END
$$;
SELECT is((SELECT events FROM event_backlog WHERE consumer = 'all'), 0::bigint, 'until none is left');
SELECT throws_ok($$ SELECT create_event_consumer('all') $$, '42710', 'event consumer "all" already exists', 'names of consumers are one of a kind');
SELECT is(purge_events('0') > 0, true, 'then they can be purged');
SELECT is_empty($$ SELECT * FROM verify_audit() $$, 'the trail keeps them');

SELECT throws_ok($$ SET LOCAL transaction_read_only = on; SELECT mlmeta.resolve_model('churn:1', 'x') $$, '25006', NULL,
	'nobody resolves where it cannot be recorded');

SELECT * FROM finish();
ROLLBACK;
