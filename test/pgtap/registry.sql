-- The registry as its policies read: who may move a model where, on what
-- evidence, and what is known of it afterwards.
BEGIN;
SET search_path = public, mlmeta;
SELECT plan(121);

CREATE ROLE trainer;
CREATE ROLE anna;
CREATE ROLE ben;
CREATE ROLE cleo;
CREATE ROLE risk_board;
CREATE ROLE boss;
CREATE ROLE visitor;
SELECT setup_roles('t_reg');
GRANT t_reg_writer TO trainer;
GRANT t_reg_reviewer, t_reg_writer TO anna;
GRANT t_reg_reviewer TO ben, cleo;
GRANT risk_board TO cleo;
GRANT t_reg_admin TO boss;
GRANT t_reg_reader TO visitor;

-- Runs SQL as another user, as if he had logged in.
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

CREATE FUNCTION pg_temp.stages(of_model text) RETURNS text LANGUAGE sql
RETURN (SELECT string_agg(v.version || ' ' || v.stage, ', ' ORDER BY v.version)
	FROM version_overview AS v WHERE v.model = of_model);

SELECT start_run('churn', params => '{"depth": 6}') AS run1 \gset
SELECT log_artifact(:'run1', 'model:churn:v1', 's3://models/churn/1') \gset
SELECT log_metrics(:'run1', '{"auc": 0.91}') \gset
SELECT finish_run(:'run1') \gset
SELECT start_run('churn', params => '{"depth": 8}') AS run2 \gset
SELECT log_artifact(:'run2', 'model:churn:v2', 's3://models/churn/2') \gset
SELECT log_metrics(:'run2', '{"auc": 0.78}') \gset
SELECT finish_run(:'run2') \gset

-- Models and versions ---------------------------------------------------------

SELECT lives_ok($$ SELECT pg_temp.as_user('trainer', 'SELECT create_model(''churn'', description => ''who leaves'')') $$,
	'a writer registers a model');
-- What fails from here on leaves its updates of this row in a multixact. Servers
-- with assertions up to 18 die of that when the row moves on to another page,
-- unless the transaction has locked it harder than an update does.
SELECT count(*) AS locked FROM (SELECT FROM models FOR UPDATE) AS m \gset
SELECT throws_ok($$ SELECT create_model('churn') $$, '42710',
	'model "churn" already exists', 'names are one of a kind');
SELECT throws_ok($$ SELECT create_model('churn@home') $$, '22023',
	'model "churn@home" is not valid', 'a name cannot hold what references need');
SELECT throws_ok($$ SELECT create_model(NULL) $$, '22004', NULL, 'nor be NULL');
SELECT throws_ok($$ SELECT create_model('x', 'nowhere') $$, '42704',
	'project "nowhere" does not exist', 'the project must be there');
SELECT is(pg_temp.as_user('trainer', format('SELECT create_model_version(''churn'', %L, ''model:churn:v1'')', :'run1')),
	'1', 'versions begin with 1');
SELECT is(create_model_version('churn', :'run2', 'model:churn:v2'), 2, 'and go on with 2');
SELECT throws_ok(format('SELECT create_model_version(''churn'', %L, ''model:churn:v1'')', :'run2'),
	'23514', NULL, 'an artifact that came out of another run is refused');
SELECT throws_ok($$ SELECT create_model_version('churn', NULL, NULL) $$, '22004', NULL,
	'a version lies somewhere');
SELECT throws_ok(format('SELECT create_model_version(''churn'', %L, ''model:churn:v9'')', new_run()),
	'42704', NULL, 'the run must be there');
SELECT throws_ok($$ SELECT create_model_version('churn', NULL, 'model:churn:v9', training_data => 'dataset:none') $$,
	'42704', NULL, 'training data needs a snapshot');
SELECT is(create_model_version('churn', NULL, 'model:churn:v3', 's3://models/churn/3'), 3,
	'what was refused leaves no gap in the numbers');
SELECT is(pg_temp.stages('churn'), '1 none, 2 none, 3 none',
	'versions begin in the first stage');
SELECT lives_ok($$ SELECT create_model('x''; DROP TABLE mlmeta.models; --"') $$,
	'a name is a name, whatever it looks like');
SELECT lives_ok($$ SELECT create_model_version('x''; DROP TABLE mlmeta.models; --"', NULL, NULL, 'file:/x') $$,
	'also when versions are made of it');
SELECT results_eq($$ SELECT version, uri FROM resolve_model('x''; DROP TABLE mlmeta.models; --":1', 'try') $$,
	$$ VALUES (1, 'file:/x') $$, 'and when it is resolved');
SELECT throws_ok($$ DELETE FROM models $$, '55000', NULL, 'what is registered stays');
SELECT throws_ok($$ UPDATE model_versions SET uri = 's3://elsewhere' $$, '55000', NULL,
	'a version keeps where it lies');
SELECT throws_ok($$ SELECT purge_experiment('churn') $$, '23503', NULL,
	'runs of registered versions stay');

-- Aliases ---------------------------------------------------------------------

SELECT lives_ok($$ SELECT pg_temp.as_user('trainer', 'SELECT set_alias(''churn'', ''candidate'', 1)') $$,
	'a writer sets an alias');
SELECT lives_ok($$ SELECT set_alias('churn', 'candidate', 2, expected => 1) $$, 'and moves it');
SELECT throws_ok($$ SELECT set_alias('churn', 'candidate', 3, expected => 1) $$, '40001', NULL,
	'not when it has moved meanwhile');
SELECT throws_ok($$ SELECT set_alias('churn', 'candidate', 4) $$, '42704',
	'model "churn" has no version 4', 'not to a version of another model or none');
SELECT throws_ok($$ SELECT set_alias('churn', 'production', 1) $$, '42710', NULL,
	'an alias cannot have the name of a stage');
SELECT throws_ok($$ SELECT set_alias('churn', 'a/b', 1) $$, '22023', NULL,
	'nor hold what references need');
SELECT lives_ok($$ SELECT drop_alias('churn', 'candidate') $$, 'it can be dropped');
SELECT throws_ok($$ SELECT drop_alias('churn', 'candidate') $$, '42704', NULL, 'once');
SELECT results_eq(
	$$ SELECT version, upper_inf(valid) FROM model_history WHERE alias_or_stage = 'candidate' ORDER BY valid $$,
	$$ VALUES (1, false), (2, false) $$, 'its history stays');
SELECT throws_ok($$ UPDATE alias_periods SET version = 3 $$, '55000', NULL, 'and cannot be changed');
SELECT throws_ok($$ DELETE FROM alias_periods $$, '55000', NULL, 'nor deleted');
SELECT throws_ok($$ INSERT INTO alias_periods (alias_id, version, valid, begun_by)
		SELECT alias_id, 1, valid, 'me' FROM alias_periods LIMIT 1 $$,
	'23P01', NULL, 'periods of an alias cannot overlap');
SELECT throws_ok($$ INSERT INTO stage_periods (model_id, version, stage, exclusive, valid, begun_by)
		SELECT model_id, version, 'staging', false, tstzrange(now(), now() + '1 day'), 'me' FROM stage_periods LIMIT 1 $$,
	'23P01', NULL, 'nor those of a version');

-- Four eyes -------------------------------------------------------------------

SELECT is(pg_temp.as_user('anna', 'SELECT request_transition(''churn'', 1, ''production'', ''better'')') > '0', true,
	'anna asks for version 1 in production');
SELECT max(request) AS q1 FROM transition_requests \gset
SELECT throws_ok(format('SELECT pg_temp.as_user(''anna'', ''SELECT approve(%s)'')', :q1), '42501',
	format('request %s is your own', :q1), 'who requests does not approve');
SELECT throws_ok(format('SELECT pg_temp.as_user(''anna'', ''SELECT reject(%s)'')', :q1), '42501',
	NULL, 'nor reject');
SELECT throws_ok(format('SELECT pg_temp.as_user(''trainer'', ''SELECT approve(%s)'')', :q1), '42501',
	'permission denied for function approve', 'who is no reviewer does not approve');
SELECT throws_ok($$ SELECT pg_temp.as_user('anna', 'SELECT request_transition(''churn'', 1, ''production'')') $$,
	'42710', NULL, 'one request for one thing');
SELECT is(pg_temp.as_user('ben', format('SELECT approve(%s)', :q1)), 'completed',
	'one approval by another is enough where no policy says otherwise');
SELECT is(pg_temp.stages('churn'), '1 production, 2 none, 3 none', 'and the version moves');
SELECT throws_ok(format('SELECT pg_temp.as_user(''cleo'', ''SELECT approve(%s)'')', :q1), '55000',
	format('request %s is completed already', :q1), 'what is decided is decided');
SELECT results_eq($$ SELECT requested_by, approved_by, status, bypassed FROM request_overview $$,
	$$ VALUES ('anna', ARRAY['ben'], 'completed', false) $$, 'the request says how it went');
-- SET ROLE makes nobody another person.
CREATE ROLE two_hats LOGIN;
GRANT anna, ben TO two_hats;
SELECT lives_ok($$ SELECT pg_temp.as_user('two_hats', 'SELECT request_transition(''churn'', 2, ''staging'')') $$,
	'somebody with two roles asks for a stage');
SELECT max(request) AS q2 FROM transition_requests \gset
SET SESSION AUTHORIZATION two_hats;
SET ROLE ben;
SELECT set_config('test.code', '', false) \gset
DO $$
BEGIN
	PERFORM mlmeta.approve((SELECT max(request) FROM mlmeta.transition_requests));
EXCEPTION WHEN insufficient_privilege THEN
	PERFORM pg_catalog.set_config('test.code', SQLERRM, false);
END
$$;
RESET SESSION AUTHORIZATION;
SELECT is(current_setting('test.code'), format('request %s is your own', :q2),
	'SET ROLE does not make him another');
SELECT throws_ok(format('SELECT pg_temp.as_user(''anna'', ''SELECT withdraw(%s)'')', :q2), '42501',
	NULL, 'others do not withdraw it');
SELECT lives_ok(format('SELECT pg_temp.as_user(''two_hats'', ''SELECT withdraw(%s, ''''changed my mind'''')'')', :q2),
	'he does');

-- Several approvers of a board ------------------------------------------------

SELECT throws_ok($$ SELECT pg_temp.as_user('trainer', 'SELECT set_policy(''churn'', ''production'')') $$,
	'42501', NULL, 'policies are for administrators');
SELECT throws_ok($$ SELECT set_policy('churn', 'produktion') $$, '42704', 'stage "produktion" does not exist',
	'of stages that exist');
SELECT throws_ok($$ SELECT set_policy('churn', 'production', approver_roles => '{nobody_here}') $$, '42704', NULL,
	'and roles that exist');
SELECT throws_ok($$ SELECT set_policy('churn', 'staging', alias => 'trial') $$, '22023', NULL,
	'an alias goes with a stage that holds one version');
SELECT lives_ok($$ SELECT pg_temp.as_user('boss', 'SELECT set_policy(''churn'', ''production'', 2, ''{risk_board, anna}'', alias => ''champion'')') $$,
	'the boss wants two of the board, and the alias to go with the stage');
SELECT throws_ok($$ SELECT set_alias('churn', 'champion', 2) $$, '42501', NULL,
	'from then on nobody sets that alias by hand');
SELECT is(pg_temp.as_user('trainer', 'SELECT request_transition(''churn'', 2, ''production'')') > '0', true,
	'the trainer asks for version 2');
SELECT max(request) AS q3 FROM transition_requests \gset
SELECT throws_ok(format('SELECT pg_temp.as_user(''ben'', ''SELECT approve(%s)'')', :q3), '42501',
	format('role "ben" is no approver of request %s', :q3), 'ben is not on the board');
SELECT is(pg_temp.as_user('cleo', format('SELECT approve(%s, ''looks good'')', :q3)), 'pending',
	'one of two approvals');
SELECT throws_ok(format('SELECT pg_temp.as_user(''cleo'', ''SELECT approve(%s)'')', :q3), '23505',
	format('user "cleo" has approved request %s already', :q3), 'nobody approves twice');
SELECT is(pg_temp.stages('churn'), '1 production, 2 none, 3 none', 'nothing has moved yet');
SELECT is(pg_temp.as_user('anna', format('SELECT approve(%s)', :q3)), 'completed', 'the second moves it');
SELECT is(pg_temp.stages('churn'), '1 archived, 2 production, 3 none',
	'the version that was in production made room');
SELECT results_eq(
	$$ SELECT alias_or_stage, version, lower(valid) = (SELECT upper(valid) FROM model_history
			WHERE model = 'churn' AND alias_or_stage = 'production' AND version = 1)
		FROM model_history WHERE model = 'churn' AND upper_inf(valid)
			AND alias_or_stage IN ('champion', 'production') ORDER BY 1 $$,
	$$ VALUES ('champion', 2, true), ('production', 2, true) $$,
	'stage and alias moved at the moment the other left');

-- Gates -----------------------------------------------------------------------

SELECT throws_ok($$ SELECT add_gate('churn', 'production', 'g', 'INSERT INTO mlmeta.stages VALUES (''x'', 1) RETURNING true') $$,
	'25006', NULL, 'a gate that writes is refused');
SELECT throws_ok($$ SELECT add_gate('churn', 'production', 'g', 'WITH w AS (DELETE FROM mlmeta.run_tags RETURNING 1) SELECT true FROM w') $$,
	'25006', NULL, 'also one that hides it');
SELECT throws_ok($$ SELECT add_gate('churn', 'production', 'g', 'SELECT true; DROP TABLE mlmeta.models') $$,
	'42601', NULL, 'a gate is one query');
SELECT throws_ok($$ SELECT add_gate('churn', 'production', 'g', 'SELECT 1') $$,
	'42804', NULL, 'which says yes or no');
SELECT throws_ok($$ SELECT add_gate('churn', 'production', 'g', 'SELECT no_such_function()') $$,
	'42883', NULL, 'and works');
SELECT throws_ok($$ SELECT pg_temp.as_user('boss', 'SELECT add_gate(''churn'', ''production'', ''g'', ''SELECT true'', owner => ''anna'')') $$,
	'42501', NULL, 'nobody lets others own what he wrote');
SELECT lives_ok($$ SELECT add_gate('churn', 'production', 'auc',
	'SELECT value >= 0.8, format(''auc is %s'', value) FROM metric_latest WHERE run = $3 AND key = ''auc''') $$,
	'production needs an AUC of 0.8');
SELECT throws_ok($$ SELECT add_gate('churn', 'production', 'auc', 'SELECT true') $$, '42710', NULL,
	'a gate is not replaced silently');
SELECT lives_ok($$ SELECT set_policy('churn', 'production', 1, alias => 'champion') $$, 'one approval again');
SELECT results_eq($$ SELECT name, passed, detail FROM check_gates('churn', 2, 'production') $$,
	$$ VALUES ('auc', false, 'auc is 0.78') $$, 'one can ask beforehand');
SELECT request_transition('churn', 3, 'staging') AS q4 \gset
SELECT pg_temp.as_user('ben', format('SELECT approve(%s)', :q4)) AS done \gset
SELECT is(:'done'::text, 'completed', 'gates of one stage do not stand before another');

CREATE TEMP TABLE before AS
SELECT (SELECT jsonb_agg(h ORDER BY h.valid, h.alias_or_stage) FROM model_history AS h WHERE h.model = 'churn') AS history,
	(SELECT jsonb_agg(v ORDER BY v.version) FROM version_overview AS v WHERE v.model = 'churn') AS versions;
SELECT request_transition('churn', 3, 'production') AS q5 \gset
SET client_min_messages = error;
SELECT is(pg_temp.as_user('ben', format('SELECT approve(%s)', :q5)), 'refused',
	'a gate without an answer refuses');
SET client_min_messages = notice;
SELECT results_eq(
	format('SELECT name, passed, problem, problem_code FROM gate_results WHERE request = %s', :q5),
	$$ VALUES ('auc', false, 'the gate returned no row', 'P0002') $$, 'and the evidence says why');
SELECT results_eq($$ SELECT (SELECT jsonb_agg(h ORDER BY h.valid, h.alias_or_stage) FROM model_history AS h WHERE h.model = 'churn'),
		(SELECT jsonb_agg(v ORDER BY v.version) FROM version_overview AS v WHERE v.model = 'churn') $$,
	'SELECT * FROM before', 'a failed gate leaves no trace but the recorded attempt');
SELECT is((SELECT action FROM audit_trail WHERE model = 'churn' ORDER BY n DESC LIMIT 1), 'transition_refused',
	'which is on the record');

-- What a gate may answer, and what comes of it.
CREATE FUNCTION public.sneaky_write() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
	EXECUTE 'DELETE FROM mlmeta.run_tags';
	RETURN true;
END
$$;
CREATE FUNCTION public.volatile_write() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO mlmeta.metric_keys (key) VALUES ('gate was here');
	RETURN true;
END
$$;
CREATE FUNCTION public.break_out() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	SET ROLE postgres;
	RETURN true;
END
$$;
CREATE FUNCTION public.make_writable() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	SET transaction_read_only = off;
	RETURN true;
END
$$;
CREATE FUNCTION pg_temp.gate_says(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	PERFORM mlmeta.add_gate('churn', 'archived', 'tried', query);
	SELECT concat_ws(' ', g.passed, g.detail, g.problem) INTO answer
	FROM mlmeta.check_gates('churn', 1, 'archived') AS g;
	PERFORM mlmeta.drop_gate('churn', 'archived', 'tried');
	RETURN answer;
END
$$;
SELECT is(pg_temp.gate_says('SELECT true'), 't', 'yes');
SELECT is(pg_temp.gate_says('SELECT false, ''too late'''), 'f too late', 'no, with a detail');
SELECT is(pg_temp.gate_says('SELECT $1 = ''churn'' AND $2 = 1 AND $4 = ''archived'', $3::text'), 't ' || :'run1',
	'the parameters are model, version, run and stage');
SELECT is(pg_temp.gate_says('SELECT NULL::boolean'), 'f the gate returned NULL', 'NULL is no yes');
SELECT is(pg_temp.gate_says('SELECT true FROM generate_series(1, 2)'), 'f the gate returned more than one row',
	'two rows are none');
SELECT is(pg_temp.gate_says('SELECT 1 / ($2 - 1) = 0'), 'f division by zero', 'an error is a no');
SELECT alike(pg_temp.gate_says('SELECT public.sneaky_write()'), 'f % is not allowed in a non-volatile function',
	'a write in a STABLE function is a no');
SELECT is(pg_temp.gate_says('SELECT public.volatile_write()'), 'f cannot execute INSERT in a read-only transaction',
	'a write in a VOLATILE one too');
SELECT is(pg_temp.gate_says('SELECT public.break_out()'),
	'f cannot set parameter "role" within security-definer function', 'a gate stays in its role');
SELECT is(pg_temp.gate_says('SELECT public.make_writable()'),
	'f cannot set transaction read-write mode inside a read-only transaction', 'and read-only');
SELECT is_empty($$ SELECT FROM metric_keys WHERE key = 'gate was here' $$, 'nothing was written');
SELECT lives_ok($$ SELECT set_tags(run, '{"still": "writable"}') FROM runs LIMIT 1 $$,
	'the transaction around it still writes');

-- A gate runs with the rights of its owner, whoever decides.
CREATE TABLE public.secrets (ok boolean);
INSERT INTO public.secrets VALUES (true);
GRANT SELECT ON public.secrets TO boss;
SELECT pg_temp.as_user('boss', 'SELECT add_gate(''churn'', ''archived'', ''owned'', ''SELECT ok, current_user::text FROM public.secrets'')') \gset
SELECT results_eq($$ SELECT passed, detail FROM check_gates('churn', 1, 'archived') $$,
	$$ VALUES (true, 'boss') $$, 'a gate has the rights of its owner');
REVOKE SELECT ON public.secrets FROM boss;
SELECT results_eq($$ SELECT passed, problem FROM check_gates('churn', 1, 'archived') $$,
	$$ VALUES (false, 'permission denied for table secrets') $$, 'and no more, also for a superuser');
SELECT drop_gate('churn', 'archived', 'owned') \gset

-- Names mean what they meant to who added the gate, not what is in the session of
-- who decides.
CREATE TABLE public.scores (auc float8);
INSERT INTO public.scores VALUES (0.5);
SELECT add_gate('churn', 'archived', 'table', 'SELECT max(auc) > 0.8, max(auc) FROM scores') \gset
CREATE TEMP TABLE scores (auc float8);
INSERT INTO scores VALUES (0.99);
SELECT results_eq($$ SELECT passed, detail FROM check_gates('churn', 1, 'archived') $$,
	$$ VALUES (false, '0.5') $$, 'a temporary table does not stand in for the one that is meant');
SELECT drop_gate('churn', 'archived', 'table') \gset
SET LOCAL search_path = pg_temp, public, mlmeta;
SELECT throws_ok($$ SELECT add_gate('churn', 'archived', 'table', 'SELECT max(auc) > 0.8 FROM scores') $$, '22023', NULL,
	'nor can a gate ask for that');
SET LOCAL search_path = public, mlmeta;
CREATE FUNCTION pg_temp.add_bare_gate() RETURNS void LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
	PERFORM mlmeta.add_gate('churn', 'archived', 'bare', 'SELECT max(auc) > 0.8 FROM public.scores');
END
$$;
SELECT lives_ok('SELECT pg_temp.add_bare_gate()', 'a gate needs no path');
SELECT results_eq($$ SELECT passed, problem FROM check_gates('churn', 1, 'archived') $$, $$ VALUES (false, NULL::text) $$,
	'to be run');
SELECT drop_gate('churn', 'archived', 'bare') \gset
DROP TABLE pg_temp.scores;

-- An owner that is gone, one that is no longer to be acted for.
CREATE ROLE leaver;
GRANT t_reg_admin TO leaver;
SELECT pg_temp.as_user('leaver', 'SELECT add_gate(''churn'', ''archived'', ''left'', ''SELECT true'')') \gset
DROP ROLE leaver;
SELECT results_eq($$ SELECT passed, problem FROM check_gates('churn', 1, 'archived') $$,
	$$ VALUES (false, 'role "leaver" does not exist') $$, 'a gate whose owner is gone is a no');
SELECT drop_gate('churn', 'archived', 'left') \gset

-- A gate that never ends takes the decision with it, and leaves it as it was.
SELECT add_gate('churn', 'archived', 'endless', 'SELECT true FROM pg_sleep(60)') \gset
SELECT request_transition('churn', 3, 'archived') AS q_endless \gset
-- OTHERS does not catch this one.
CREATE FUNCTION pg_temp.patient(who text, query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN pg_temp.as_user(who, query);
EXCEPTION WHEN query_canceled THEN
	RETURN SQLERRM;
END
$$;
SET LOCAL statement_timeout = '200ms';
SELECT pg_temp.patient('ben', format('SELECT approve(%s)', :q_endless)) AS ended \gset
SET LOCAL statement_timeout = 0;
SELECT is(:'ended'::text, 'canceling statement due to statement timeout', 'an endless gate ends with the statement');
SELECT results_eq(format('SELECT status, approved_by FROM request_overview WHERE request = %s', :q_endless),
	$$ VALUES ('pending', NULL::text[]) $$, 'the request waits on, the approval is not given');
SELECT withdraw(:q_endless) \gset
SELECT drop_gate('churn', 'archived', 'endless') \gset

-- Bypass, rejection, expiry, rollback -----------------------------------------

SELECT request_transition('churn', 3, 'production') AS q6 \gset
SELECT throws_ok(format('SELECT pg_temp.as_user(''ben'', ''SELECT bypass(%s, ''''now'''')'')', :q6), '42501',
	NULL, 'reviewers do not bypass');
SELECT throws_ok(format('SELECT pg_temp.as_user(''boss'', ''SELECT bypass(%s, '''' '''')'')', :q6), '22023',
	NULL, 'nobody does without a reason');
SELECT is(pg_temp.as_user('boss', format('SELECT bypass(%s, ''the site is down'')', :q6)), 'completed',
	'an administrator does');
SELECT results_eq(format('SELECT bypassed, decision, decided_by, gates FROM request_overview WHERE request = %s', :q6),
	$$ VALUES (true, 'the site is down', 'boss', '{"auc": false}'::jsonb) $$,
	'reason and the answers of the gates are kept');
SELECT is(previous_version('churn', 'production'), 2, 'before that version 2 was in production');
SELECT drop_gate('churn', 'production', 'auc') \gset
SELECT request_transition('churn', previous_version('churn', 'production'), 'production', 'rollback') AS q7 \gset
SELECT pg_temp.as_user('ben', format('SELECT approve(%s)', :q7)) \gset
SELECT is(pg_temp.stages('churn'), '1 archived, 2 production, 3 archived', 'rolled back to it');
SELECT is((resolve_model('churn@champion', 'check')).version, 2, 'the alias with it');
SELECT request_transition('churn', 1, 'staging') AS q8 \gset
SELECT pg_temp.as_user('ben', format('SELECT reject(%s, ''no need'')', :q8)) \gset
SELECT results_eq(format('SELECT status, decision, decided_by FROM request_overview WHERE request = %s', :q8),
	$$ VALUES ('rejected', 'no need', 'ben') $$, 'a request is rejected for good');
SELECT set_policy('churn', 'staging', expires_after => '1 microsecond') \gset
SELECT request_transition('churn', 1, 'staging') AS q9 \gset
SELECT throws_ok(format('SELECT pg_temp.as_user(''ben'', ''SELECT approve(%s)'')', :q9), '55000',
	format('request %s has expired', :q9), 'an expired request cannot be approved');
SELECT is(expire_requests(), 1::bigint, 'it is marked as expired');
SELECT is((SELECT status FROM request_overview WHERE request = :q9), 'expired', 'and shows so');
SELECT set_policy('churn', 'staging', approvals => 0) \gset
SELECT request_transition('churn', 1, 'staging') \gset
SELECT is(pg_temp.stages('churn'), '1 staging, 2 production, 3 archived', 'where nobody need approve it moves at once');
SELECT throws_ok($$ SELECT request_transition('churn', 1, 'live') $$, '42704', 'stage "live" does not exist',
	'the stage must be there');
SELECT throws_ok($$ SELECT request_transition('churn', 9, 'production') $$, '42704', 'model "churn" has no version 9',
	'the version must be there');
SELECT throws_ok($$ SELECT approve(-1) $$, '42704', 'request -1 does not exist', 'the request must be there');

-- Evidence is frozen with the request, whatever becomes of gates and policies.
SELECT results_eq(format('SELECT name, passed, detail, query, owner FROM gate_results WHERE request = %s', :q6),
	$$ VALUES ('auc', false, NULL::text, 'SELECT value >= 0.8, format(''auc is %s'', value) FROM metric_latest WHERE run = $3 AND key = ''auc''', 'postgres') $$,
	'the gate is gone, what it said and asked stays');
SELECT throws_ok($$ UPDATE gate_results SET passed = true $$, '55000', NULL, 'and cannot be improved');
SELECT throws_ok($$ DELETE FROM approvals $$, '55000', NULL, 'approvals stay');
SELECT throws_ok($$ INSERT INTO approvals SELECT * FROM approvals $$, '23505', NULL, 'one a person');
SELECT throws_ok(format('UPDATE transition_requests SET bypassed = false WHERE request = %s', :q6), '55000', NULL, 'a decision stays as it was');
SELECT results_eq(format('SELECT detail #>> ''{gates,0,passed}'' FROM audit_trail WHERE detail ->> ''request'' = ''%s'' AND action = ''transition_bypassed''', :q6),
	$$ VALUES ('false') $$, 'the chain has the evidence too');

-- One person is enough where a policy says so, and only there.
SELECT set_policy('churn', 'archived', requester_may_approve => true) \gset
SELECT pg_temp.as_user('anna', 'SELECT request_transition(''churn'', 1, ''archived'')') AS own \gset
SELECT is(pg_temp.as_user('anna', format('SELECT approve(%s)', :own)), 'completed', 'an own request, when the policy allows it');
SELECT set_policy('churn', 'staging', 1, '{boss}') \gset
SELECT pg_temp.as_user('anna', 'SELECT request_transition(''churn'', 1, ''staging'')') AS own \gset
SELECT throws_ok(format('SELECT pg_temp.as_user(''ben'', ''SELECT approve(%s)'')', :own), '42501', NULL, 'a policy of one approver');
SELECT set_policy('churn', 'staging', 1) \gset
SELECT is(pg_temp.as_user('ben', format('SELECT approve(%s)', :own)), 'completed', 'that was changed holds for what is pending');

-- Two requests for one place.
SELECT request_transition('churn', 1, 'production') AS qa \gset
SELECT request_transition('churn', 3, 'production') AS qb \gset
SELECT pg_temp.as_user('ben', format('SELECT approve(%s)', :qa)) \gset
SELECT throws_ok(format('SELECT pg_temp.as_user(''ben'', ''SELECT approve(%s)'')', :qb), '55000',
	format('request %s is superseded already', :qb), 'the first decided wins, the other must ask again');

SELECT is_empty($$ SELECT * FROM verify_audit() $$, 'all this is one whole chain');

SELECT * FROM finish();
ROLLBACK;
