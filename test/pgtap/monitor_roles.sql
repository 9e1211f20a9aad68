-- Who sees, checks and handles whose monitors.
BEGIN;
SET search_path = public, mlmeta;
SET TIME ZONE 'UTC';
SELECT plan(35);

SELECT setup_roles('t_mon');
CREATE ROLE una; GRANT t_mon_writer TO una;
CREATE ROLE wes; GRANT t_mon_writer TO wes;
CREATE ROLE rob; GRANT t_mon_reader TO rob;
CREATE ROLE out; GRANT t_mon_writer TO out;

CREATE FUNCTION pg_temp.as_user(who text, query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SET LOCAL SESSION AUTHORIZATION %I', who);
	EXECUTE query INTO result;
	RESET SESSION AUTHORIZATION;
	RETURN result;
END
$$;
CREATE FUNCTION pg_temp.tries(who text, query text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	RETURN coalesce(nullif(pg_temp.as_user(who, query), ''), 'nothing');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;

CREATE TABLE public.logged AS
SELECT '2026-01-01'::timestamptz + i * interval '15 minutes' AS at,
	(hashint8extended(i, 1) & 65535) / 65536.0 + CASE WHEN i >= 96 * 11 THEN 0.5 ELSE 0 END AS x
FROM generate_series(0, 96 * 12 - 1) AS i;
GRANT SELECT ON public.logged TO una, wes, out;
SELECT create_project('team');
SELECT add_member('team', 'una', 'writer');
SELECT add_member('team', 'wes', 'writer');
SELECT add_member('team', 'rob', 'reader');

-- Made, checked and found, with a writer's rights.
SELECT is(pg_temp.tries('una', $$ SELECT mlmeta.create_monitor('hers', 'public.logged', 'at', '1 day', segments => '{"half": "x < 0.5"}', project => 'team') > 0 $$),
	'true', 'a writer makes a monitor');
SELECT is(pg_temp.tries('una', $$ SELECT mlmeta.set_baseline('hers', '2026-01-01', '2026-01-11') > 0 $$), 'true', 'sets its baseline');
SELECT is(pg_temp.tries('una', $$ SELECT mlmeta.set_rule('hers', 'x', tolerance => 0.06) $$), 'nothing', 'sets a rule');
SELECT is(pg_temp.tries('una', $$ SELECT count(*) > 0 FROM mlmeta.check_monitor('hers', '2026-01-13') $$), 'true', 'checks it');
SELECT is(pg_temp.tries('una', $$ SELECT count(*) > 0 FROM mlmeta.alert_open $$), 'true', 'and has an alert');
SELECT id AS alert FROM alerts WHERE feature = 'x' AND segment = '' \gset
SELECT is(pg_temp.tries('una', $$ SELECT mlmeta.create_monitor('open', 'public.logged', 'at', '1 day') > 0 $$), 'true', 'another is in no project');

-- Members see it, others do not.
SELECT is(pg_temp.tries('rob', $$ SELECT string_agg(name, ' ' ORDER BY name) FROM mlmeta.monitors $$), 'hers open', 'a reader of the project sees it');
SELECT is(pg_temp.tries('rob', $$ SELECT count(*) > 0 FROM mlmeta.drift_history WHERE monitor = 'hers' $$), 'true', 'and its results');
SELECT is(pg_temp.tries('rob', format($$ SELECT mlmeta.explain_alert(%s) ->> 'feature' $$, :'alert')), 'x', 'and what is behind an alert');
SELECT is(pg_temp.tries('rob', $$ SELECT length(mlmeta.report('hers')) > 1000 $$), 'true', 'and the report');
SELECT is(pg_temp.tries('out', $$ SELECT string_agg(name, ' ') FROM mlmeta.monitors $$), 'open', 'who is no member sees only the one of no project');
SELECT is(pg_temp.tries('out', format($$ SELECT count(*) FROM mlmeta.%I $$, t.name)), '0', 'nothing of it in ' || t.name)
FROM unnest(ARRAY['monitor_segments', 'monitor_rules', 'monitor_baselines', 'monitor_baseline_segments', 'monitor_windows',
	'monitor_results', 'monitor_checks', 'alert_states', 'alert_events', 'monitor_alarms', 'segments', 'windows']) AS t (name);
SELECT is(pg_temp.tries('out', $$ SELECT mlmeta.check_monitor('hers') $$), '42704', 'nor by its name');
SELECT is(pg_temp.tries('out', format($$ SELECT mlmeta.acknowledge_alert(%s) $$, :'alert')), '42704', 'nor its alerts');

-- What it runs is its owner's.
SELECT is(pg_temp.tries('wes', $$ SELECT mlmeta.check_monitor('hers') $$), '42501', 'another writer does not check it');
SELECT is(pg_temp.tries('wes', $$ WITH u AS (UPDATE mlmeta.monitors SET tolerance = 1 WHERE name = 'hers' RETURNING 1) SELECT count(*) FROM u $$), '42501',
	'nor change it');
SELECT is(pg_temp.tries('wes', $$ WITH u AS (UPDATE mlmeta.monitor_segments SET expression = 'pg_sleep(1)' RETURNING 1) SELECT count(*) FROM u $$), '42501',
	'nor what it runs');
SELECT is(pg_temp.tries('wes', $$ INSERT INTO mlmeta.monitor_segments SELECT id, 'mine', 9, 'now()::text' FROM mlmeta.monitors $$), '42501', 'nor add to it');
SELECT is(pg_temp.tries('una', $$ UPDATE mlmeta.monitors SET query = 'SELECT 1' $$), '42501', 'nobody changes a stored query by hand');
SELECT is(pg_temp.tries('una', $$ UPDATE mlmeta.monitors SET owner = 'wes' $$), '42501', 'or gives it to somebody else');
SELECT is(pg_temp.tries('wes', $$ DELETE FROM mlmeta.alert_events $$), '42501', 'history stays');

-- Alerts are handled by the project's writers.
SELECT is(pg_temp.tries('wes', format($$ SELECT mlmeta.acknowledge_alert(%s, 'mine') $$, :'alert')), 'nothing', 'a writer of the project acknowledges');
SELECT is((SELECT user_name FROM alert_events WHERE comment = 'mine'), 'wes', 'which is on record');
SELECT is(pg_temp.tries('rob', format($$ SELECT mlmeta.resolve_alert(%s) $$, :'alert')), '42501', 'a reader does not');

SELECT * FROM finish();
ROLLBACK;
