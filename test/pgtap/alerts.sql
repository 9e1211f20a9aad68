-- The life of an alert, as a scenario.
BEGIN;
SET search_path = public, mlmeta;
SET TIME ZONE 'UTC';
SELECT plan(38);

CREATE TABLE log (at timestamptz, x float8);
CREATE FUNCTION fill(day date, shift float8) RETURNS void LANGUAGE sql AS $$
	INSERT INTO log SELECT day + i * interval '5 minutes',
		(hashint8extended(i, day - date '2000-01-01') & 65535) / 65536.0 + shift
	FROM generate_series(0, 287) AS i
$$;
CREATE FUNCTION state() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(state, ' ' ORDER BY id) FROM mlmeta.alerts WHERE feature = 'x' AND measure = 'ks'
$$;
CREATE FUNCTION check_day(until date) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM mlmeta.check_monitor('log', until)
$$;
SELECT fill('2026-01-01'::date + i, 0) FROM generate_series(0, 9) AS i;
SELECT create_monitor('log', 'log', 'at', '1 day');
SELECT set_baseline('log', '2026-01-01', '2026-01-11');
UPDATE monitors SET alert_k = 2, alert_n = 3;

-- k of the last n
SELECT fill('2026-01-11', 0.5);
SELECT check_day('2026-01-12');
SELECT is(state(), NULL, 'one drifted window of three opens nothing');
SELECT fill('2026-01-12', 0);
SELECT fill('2026-01-13', 0.5);
SELECT check_day('2026-01-14');
SELECT is(state(), 'open', 'two of three do');
SELECT is((SELECT windows FROM alerts WHERE measure = 'ks'), 2::bigint, 'both are counted');
SELECT is((SELECT first_window FROM alerts WHERE measure = 'ks'), '2026-01-11 00:00Z'::timestamptz, 'from the first on');
SELECT is((SELECT owner FROM alerts WHERE measure = 'ks'), current_user::text, 'it is the monitor''s owner''s');
UPDATE monitors SET alert_k = 1, alert_n = 1;

-- One alert, however often the same is found
SELECT check_monitor('log', '2026-01-14', since => '2026-01-11');
SELECT is((SELECT windows FROM alerts WHERE measure = 'ks'), 2::bigint, 'windows checked again count once');
SELECT fill('2026-01-14', 0.6);
SELECT check_day('2026-01-15');
SELECT is(state(), 'open', 'a further window adds to the alert there is');
SELECT is((SELECT windows FROM alerts WHERE measure = 'ks'), 3::bigint, 'and is counted');

-- Acknowledged
SELECT lives_ok($$SELECT acknowledge_alert((SELECT id FROM alerts WHERE measure = 'ks'), 'looking')$$, 'somebody looks after it');
SELECT fill('2026-01-15', 0.5);
SELECT check_day('2026-01-16');
SELECT is(state(), 'acknowledged', 'acknowledged it stays');

-- Snoozed
SELECT throws_ok($$SELECT snooze_alert((SELECT id FROM alerts WHERE measure = 'ks'), '2000-01-01')$$, '22023', NULL, 'no snooze into the past');
SELECT snooze_alert((SELECT id FROM alerts WHERE measure = 'ks'), clock_timestamp() + interval '1 hour');
SELECT fill('2026-01-16', 0.5);
SELECT check_day('2026-01-17');
SELECT is(state(), 'snoozed', 'silence lasts');
UPDATE alert_states SET snoozed_until = clock_timestamp() - interval '1 second';
SELECT fill('2026-01-17', 0.5);
SELECT check_day('2026-01-18');
SELECT is(state(), 'reopened', 'and ends');

-- Resolved, reopened, new
SELECT resolve_alert((SELECT id FROM alerts WHERE measure = 'ks'), 'fixed');
SELECT check_monitor('log', '2026-01-18', since => '2026-01-11');
SELECT is(state(), 'resolved', 'known windows do not reopen it');
UPDATE monitors SET cool_down = '1 hour';
SELECT fill('2026-01-18', 0.5);
SELECT check_day('2026-01-19');
SELECT is(state(), 'resolved', 'nor does anything during the cool-down');
UPDATE monitors SET cool_down = '0';
SELECT fill('2026-01-19', 0.5);
SELECT check_day('2026-01-20');
SELECT is(state(), 'reopened', 'then the same trouble is the same alert');
SELECT resolve_alert((SELECT id FROM alerts WHERE measure = 'ks'));
SELECT fill('2026-01-20'::date + i, 0) FROM generate_series(0, 9) AS i;
SELECT fill('2026-01-30', 0.5);
SELECT check_day('2026-01-31');
SELECT is(state(), 'resolved open', 'long after it is a new one');
SELECT throws_ok($$SELECT acknowledge_alert((SELECT min(id) FROM alerts WHERE measure = 'ks'))$$, '55000', NULL, 'a resolved alert is not acknowledged');

-- By itself
UPDATE monitors SET resolve_after = 2;
SELECT fill('2026-01-31', 0);
SELECT check_day('2026-02-01');
SELECT is(state(), 'resolved open', 'one quiet window is not enough');
SELECT fill('2026-02-01', 0);
SELECT check_day('2026-02-02');
SELECT is(state(), 'resolved resolved', 'two are');

-- No rows, and then rows
SELECT check_day('2026-02-03');
SELECT is((SELECT severity FROM alert_open WHERE measure = 'row_count'), 'critical', 'no rows are critical');
SELECT fill('2026-02-03', 0);
SELECT check_day('2026-02-04');
SELECT is((SELECT count(*) FROM alert_open), 0::bigint, 'and over when rows come');

-- Severity, rules, owner
SELECT set_rule('log', 'x', severity => 'info');
SELECT fill('2026-02-04', 0.5);
SELECT check_day('2026-02-05');
SELECT is((SELECT severity FROM alert_open WHERE feature = 'x'), 'info', 'a rule gives the severity');
SELECT assign_alert((SELECT alert FROM alert_open), 'somebody');
SELECT is((SELECT owner FROM alert_open), 'somebody', 'an alert can be somebody''s');
SELECT resolve_alert((SELECT alert FROM alert_open));
SELECT set_rule('log', is_muted => true);
SELECT fill('2026-02-05', 0.5);
SELECT check_day('2026-02-06');
SELECT is((SELECT verdict FROM drift_latest WHERE measure = 'ks'), 'drift', 'what is muted is judged');
SELECT is((SELECT count(*) FROM alert_open), 0::bigint, 'but opens no alert');

-- History
SELECT is((SELECT string_agg(state, ' ' ORDER BY event) FROM alert_history WHERE alert = (SELECT min(id) FROM alerts WHERE measure = 'ks')),
	'open acknowledged snoozed reopened resolved reopened resolved', 'all of it is on record');
SELECT throws_ok('DELETE FROM mlmeta.alert_events', '55000', NULL, 'and stays there');
SELECT is((SELECT count(*) FROM alert_history WHERE user_name IS NULL OR at IS NULL), 0::bigint, 'with who and when');

-- What is due, retention
SELECT is((SELECT array_agg(monitor) FROM due_monitors()), ARRAY['log'], 'windows up to now are due');
SELECT cmp_ok(check_due(), '=', 1, 'one monitor was checked');
SELECT is(check_due(), 0, 'then nothing is due');
SELECT is(apply_retention('log'), 0::bigint, 'windows are kept as long as nobody says how long');
UPDATE monitors SET keep = '10 days';
SELECT cmp_ok(apply_retention('log'), '>', 0::bigint, 'old windows go');

-- To the model behind it, and to a request for retraining
SELECT start_run('churn', 'training', source => '{"repository": "https://example.org/churn.git", "commit": "4f2c81d"}') AS run \gset
SELECT snapshot_dataset('log', 'SELECT * FROM log') AS data \gset
SELECT use_artifact(:'run', :'data'), log_artifact(:'run', 'model:churn:v1');
SELECT create_model('churn');
SELECT create_model_version('churn', :'run', 'model:churn:v1');
SELECT set_alias('churn', 'champion', 1);
UPDATE monitors SET model = 'churn@champion';
DELETE FROM monitor_rules;
INSERT INTO log SELECT now() + i * interval '10 minutes', 3 FROM generate_series(0, 600) AS i;
SELECT check_monitor('log', now() + interval '3 days');
SELECT explain_alert(max(alert)) AS e FROM alert_open WHERE measure = 'ks' \gset
SELECT is(:'e'::jsonb #>> '{model,version}', '1', 'the version that was live');
SELECT is(:'e'::jsonb #>> '{model,code,commit}', '4f2c81d', 'and its code');
SELECT is(:'e'::jsonb #>> '{model,run}', :'run', 'and its run');
SELECT :'e'::jsonb #>> '{retrain,statement}' AS request \gset
SELECT isnt_empty(:'request', 'the request for retraining can be filed as it is');
SELECT * FROM finish();
ROLLBACK;
