-- The roles of setup_roles(), and row security by project: what each may see
-- and do, tested as each.
BEGIN;
SET search_path = public, mlmeta;
SELECT plan(81);

SELECT lives_ok($$ SELECT setup_roles('t_reg') $$, 'the roles are made');
SELECT lives_ok($$ SELECT setup_roles('t_reg_') $$, 'once more does nothing');
SELECT throws_ok($$ SELECT setup_roles(repeat('x', 60)) $$, '42622', NULL, 'names have a limit');
SELECT is((SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname LIKE 't\_reg\_%' AND NOT rolcanlogin),
	't_reg_admin t_reg_reader t_reg_reviewer t_reg_writer', 'four roles, none can log in');

CREATE ROLE rita; GRANT t_reg_reader TO rita;
CREATE ROLE wim; GRANT t_reg_writer TO wim;
CREATE ROLE rev; GRANT t_reg_reviewer TO rev;
CREATE ROLE ada; GRANT t_reg_admin TO ada;
CREATE ROLE stranger;

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

-- Denied: the SQLSTATE that a user gets, or what he reads.
CREATE FUNCTION pg_temp.tries(who text, query text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	RETURN coalesce(nullif(pg_temp.as_user(who, query), ''), 'nothing');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;

-- A stranger.
SELECT is(pg_temp.tries('stranger', $$ SELECT count(*) FROM mlmeta.runs $$), '42501', 'without a role nothing is seen');
SELECT is(pg_temp.tries('stranger', $$ SELECT mlmeta.approve(1) $$), '42501', 'nor done');

-- A writer tracks and registers with the tracking functions' own means.
SELECT is(length(pg_temp.as_user('wim', $$ SELECT mlmeta.start_run('fraud', params => '{"depth": 3}', tags => '{"team": "x"}',
	source => '{"commit": "abc", "patch": "+1", "environment": {"python": "3"}}') $$)) > 0, true, 'a writer starts a run');
SELECT run AS r FROM runs \gset
SELECT is(pg_temp.tries('wim', format($$ SELECT mlmeta.log_metrics(%L, '{"auc": 0.9}') $$, :'r')), 'nothing', 'logs metrics');
SELECT is(pg_temp.tries('wim', format($$ SELECT mlmeta.log_series(%L, 'loss', '{1,2}', '{1,2}') $$, :'r')), '2', 'and series');
SELECT is(pg_temp.tries('wim', format($$ SELECT mlmeta.set_tags(%L, '{"team": null, "a": "b"}') $$, :'r')), 'nothing', 'sets tags');
SELECT is(pg_temp.tries('wim', format($$ SELECT mlmeta.log_samples(%L, '{1}', '{0.5}', '{1}') $$, :'r')), '1', 'logs samples');
CREATE TABLE public.orders AS SELECT n FROM generate_series(1, 10) AS n;
GRANT SELECT ON public.orders TO wim;
SELECT pg_temp.as_user('wim', $$ SELECT mlmeta.snapshot_dataset('orders', 'public.orders', keys => '{n}') $$) AS data \gset
SELECT is(pg_temp.tries('wim', format($$ SELECT mlmeta.use_artifact(%L, %L, 'training') $$, :'r', :'data')), :'data'::text, 'uses data');
SELECT is(pg_temp.tries('wim', format($$ SELECT mlmeta.log_artifact(%L, 'model:fraud:v1', 's3://secret/1') $$, :'r')), 'model:fraud:v1',
	'logs a model');
SELECT is(pg_temp.tries('wim', format($$ SELECT mlmeta.finish_run(%L) $$, :'r')), 'nothing', 'finishes');
SELECT is(pg_temp.tries('wim', $$ SELECT mlmeta.create_model('fraud') > 0 $$), 'true', 'registers a model');
SELECT is(pg_temp.tries('wim', format($$ SELECT mlmeta.create_model_version('fraud', %L, 'model:fraud:v1') $$, :'r')), '1', 'and a version');
SELECT is((SELECT training_data::text FROM model_versions WHERE run = :'r'), :'data'::text, 'the data it was trained on is found');
SELECT is(pg_temp.tries('wim', $$ INSERT INTO mlmeta.runs (experiment_id, user_name) SELECT 1, 'rita' $$), '42501', 'not in the name of others');
SELECT is(pg_temp.tries('wim', $$ INSERT INTO mlmeta.dataset_snapshots (artifact, source, query, columns, row_count, fingerprint, owner)
	SELECT artifact, source, query, columns, row_count, fingerprint, 'postgres' FROM mlmeta.dataset_snapshots $$), '42501',
	'nor a query as another''s');
SELECT is(pg_temp.tries('wim', $$ UPDATE mlmeta.model_versions SET stage = 'production' $$), '42501', 'no stage by hand');
SELECT is(pg_temp.tries('wim', $$ INSERT INTO mlmeta.approvals SELECT 1, 'rev', 1, 'rev', true, NULL, now() $$), '42501', 'no approval by hand');
SELECT is(pg_temp.tries('wim', $$ INSERT INTO mlmeta.audit_log SELECT * FROM mlmeta.audit_log $$), '42501', 'no audit row by hand');
SELECT is(pg_temp.tries('wim', $$ SELECT mlmeta_internal.record_change(1, 1, 'x', '{}') $$), '42501', 'nor with the functions inside');
SELECT is(pg_temp.tries('wim', $$ SELECT mlmeta_internal.move_stage(v, s, now(), NULL) FROM mlmeta.version_overview v, mlmeta.stages s $$) IN ('42501', '42883', '42846'), true,
	'of which none lends rights');
SELECT is(pg_temp.tries('wim', $$ SELECT mlmeta.bypass(1, 'x') $$), '42501', 'no bypass');
SELECT is(pg_temp.tries('wim', $$ SELECT mlmeta.set_policy('fraud', 'production', 0) $$), '42501', 'no policy');
SELECT is(pg_temp.tries('wim', $$ SELECT mlmeta.add_gate('fraud', 'production', 'g', 'SELECT true') $$), '42501', 'no gate');
SELECT is(pg_temp.tries('wim', $$ SELECT mlmeta.add_member('default', 'wim', 'admin') $$), '42501', 'no membership');
SELECT is(pg_temp.tries('wim', $$ SELECT mlmeta_internal.run_gate((SELECT min(owner_id) FROM mlmeta.gates), 'public', 'SELECT true', true, NULL, NULL, NULL, NULL) $$), '42501',
	'no query as another');
SELECT is(pg_temp.tries('wim', $$ SELECT mlmeta.request_transition('fraud', 1, 'production') > 0 $$), 'true', 'but he may ask');
SELECT max(request) AS q FROM transition_requests \gset

-- A reader.
SELECT is(pg_temp.tries('rita', $$ SELECT count(*) FROM mlmeta.run_overview $$), '1', 'a reader sees runs');
-- Every view works with a reader's rights, or none does. (Until late in 2024 the
-- minor releases had parallel workers that could not find a new role.)
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT is_empty($$
	SELECT c.relname, t.answer FROM pg_class AS c,
		LATERAL (SELECT pg_temp.tries('rita', format('SELECT count(*) FROM mlmeta.%I', c.relname)) AS answer) AS t
	WHERE c.relnamespace = 'mlmeta'::regnamespace AND c.relkind = 'v' AND t.answer !~ '^\d{1,4}$'
$$, 'and every view');
RESET max_parallel_workers_per_gather;
SELECT is_empty($$
	SELECT a.attrelid::regclass FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
	WHERE c.relnamespace = 'mlmeta'::regnamespace AND c.relkind IN ('r', 'v', 'p', 'm') AND a.attname = 'uri'
		AND has_column_privilege('rita', a.attrelid, a.attnum, 'SELECT')
$$, 'but nowhere the location of a model');
SELECT is(pg_temp.tries('rita', $$ SELECT uri FROM mlmeta.model_versions $$), '42501', 'not from the versions');
SELECT is(pg_temp.tries('rita', $$ SELECT uri FROM mlmeta.artifacts $$), '42501', 'nor the artifacts');
SELECT is(pg_temp.tries('rita', $$ SELECT mlmeta.training_record('fraud', 1, false)::text LIKE '%secret%' $$), 'false',
	'nor the record of the training');
SELECT is(pg_temp.tries('rita', $$ SELECT (mlmeta.training_record('fraud', 1) #> '{data,0}') - ARRAY['artifact', 'columns', 'copy_table', 'fingerprint', 'query', 'source', 'taken_at'] $$),
	'{"role": "training", "reason": "permission denied for table orders", "row_count": 10, "unchanged": null}',
	'which reads the data with the reader''s own rights');
SELECT is(pg_temp.tries('rita', $$ SELECT string_agg(detail::text, '') LIKE '%secret%' FROM mlmeta.audit_trail $$), 'false',
	'nor the audit trail');
SELECT is(pg_temp.tries('rita', $$ SELECT uri FROM mlmeta.resolve_model('fraud:1', 'scoring') $$), 's3://secret/1',
	'only by resolving it');
SELECT results_eq($$ SELECT model, version, user_name, purpose, reference FROM model_downloads $$,
	$$ VALUES ('fraud', 1, 'rita', 'scoring', 'fraud:1') $$, 'which is on the record');
-- Nobody can be kept from rolling his own transaction back; the number is gone then.
SAVEPOINT hidden;
SELECT is(pg_temp.tries('rita', $$ SELECT uri FROM mlmeta.resolve_model('fraud:1', 'secretly') $$), 's3://secret/1', 'who rolls back');
ROLLBACK TO hidden;
SELECT is(pg_temp.tries('rita', $$ SELECT uri FROM mlmeta.resolve_model('fraud:1', 'openly') $$), 's3://secret/1', 'has learnt it too');
SELECT results_eq($$ SELECT max(n) - min(n) + 1 - count(*) FROM model_downloads $$, $$ VALUES (1::bigint) $$, 'and left a gap');
SELECT is(pg_temp.tries('rita', $$ SELECT mlmeta.resolve_model('fraud:1', NULL) $$), '22004', 'with a purpose');
SELECT is(pg_temp.tries('rita', $$ SELECT mlmeta.resolve_model('fraud', 'x') $$), '22023', 'a reference names a version');
SELECT is(pg_temp.tries('rita', $$ SELECT mlmeta.resolve_model('fraud@nobody', 'x') $$), '42704', 'an alias that is there');
SELECT is(pg_temp.tries('rita', $$ SELECT mlmeta.resolve_model('fraud/production', 'x') $$), '42704', 'or a stage that has one');
SELECT is(pg_temp.tries('rita', $$ DELETE FROM mlmeta.model_resolutions $$), '42501', 'he cannot remove that');
SELECT throws_ok($$ DELETE FROM mlmeta.model_resolutions $$, '55000', NULL, 'nor can the owner');
SELECT is(pg_temp.tries('rita', $$ SELECT mlmeta.start_run('x') $$), '42501', 'a reader starts no run');
SELECT is(pg_temp.tries('rita', $$ SELECT mlmeta.create_model('x') $$), '42501', 'and registers nothing');
SELECT is(pg_temp.tries('rita', format($$ SELECT mlmeta.approve(%s) $$, :q)), '42501', 'nor approves');

-- Every column a reader may read of every table and view, and what functions make
-- of them: the location is nowhere, as text, in JSON or in an event.
CREATE FUNCTION pg_temp.leaks(who text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text := '';
	part record;
BEGIN
	FOR part IN
		SELECT c.relname AS name, format('SELECT count(*) FROM (SELECT %s FROM mlmeta.%I) AS t WHERE to_jsonb(t)::text LIKE ''%%secret%%''',
				string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum), c.relname) AS query
		FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.relnamespace = 'mlmeta'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
			AND has_column_privilege(who, c.oid, a.attnum, 'SELECT')
		GROUP BY c.oid, c.relname
		UNION ALL
		SELECT f.name, format('SELECT count(*) FROM (SELECT %s AS x) AS t WHERE to_jsonb(x)::text LIKE ''%%secret%%''', f.query)
		FROM (VALUES ('training_record', 'mlmeta.training_record(''fraud'', 1, false)'),
			('model_behind', 'mlmeta_internal.model_behind(''fraud:1'', now())'),
			('compare_runs', '(SELECT jsonb_agg(c) FROM mlmeta.runs AS r, mlmeta.compare_runs(r.run, r.run) AS c)'),
			('run_facts', '(SELECT jsonb_agg(c) FROM mlmeta.runs AS r, mlmeta_internal.run_facts(r.run) AS c)'),
			('upstream', '(SELECT jsonb_agg(c) FROM mlmeta.upstream(''model:fraud:v1''::mlmeta.artifact) AS c)'),
			('lineage', '(SELECT mlmeta.lineage(source, target) FROM mlmeta.lineage_edges)'),
			('pg_stats', '(SELECT jsonb_agg(to_jsonb(s)) FROM pg_stats AS s WHERE schemaname = ''mlmeta'')')
		) AS f (name, query)
	LOOP
		IF pg_temp.tries(who, part.query) <> '0' THEN
			result := result || part.name || ' ' || pg_temp.tries(who, part.query) || ' ';
		END IF;
	END LOOP;
	RETURN result;
END
$$;
ANALYZE model_versions, artifact_copies, run_artifacts;
SELECT is(pg_temp.leaks('rita'), '', 'no table, view, function or statistic shows a location to a reader');
SELECT is(pg_temp.leaks('rev'), '', 'nor to a reviewer');
SELECT alike(pg_temp.leaks('wim'), '%run_artifacts 1 %', 'while a writer reads what was logged');

-- A reviewer, an administrator.
SELECT is(pg_temp.tries('rev', $$ SELECT mlmeta.create_model('x') $$), '42501', 'a reviewer registers nothing');
SELECT is(pg_temp.tries('rev', format($$ SELECT mlmeta.approve(%s) $$, :q)), 'completed', 'but approves');
SELECT is(pg_temp.tries('ada', $$ SELECT mlmeta.set_policy('fraud', 'staging', 2) $$), 'nothing', 'an administrator sets policies');
SELECT is(pg_temp.tries('ada', $$ SELECT mlmeta.define_stage('shadow', 15) $$), 'nothing', 'and stages');
SELECT is(pg_temp.tries('ada', $$ DELETE FROM mlmeta.audit_log $$), '42501', 'but rewrites no history');
SELECT is(pg_temp.tries('ada', $$ SELECT mlmeta.drop_stage('production') $$), '2BP01', 'nor drops what is in use');

-- Row security ----------------------------------------------------------------

SELECT create_project('closed');
SELECT create_experiment('inside', 'closed') \gset
SELECT start_run('inside', params => '{"secret": 1}', source => '{"patch": "secret", "commit": "s"}') AS inner_run \gset
SELECT log_metrics(:'inner_run', '{"auc": 1}') \gset
SELECT use_artifact(:'inner_run', 'dataset:hidden:v1') \gset
SELECT create_model('vault', 'closed') \gset
SELECT create_model_version('vault', :'inner_run', 'model:vault:v1', 's3://vault') \gset
SELECT set_alias('vault', 'champion', 1) \gset
SELECT is(pg_temp.tries('rita', $$ SELECT count(*) FROM mlmeta.run_overview $$), '2', 'a project without members is open');
SELECT lives_ok($$ SELECT pg_temp.as_user('ada', 'SELECT mlmeta.add_member(''closed'', ''rev'', ''reviewer'')') $$,
	'the first member closes it');
SELECT is(pg_temp.tries('ada', $$ SELECT string_agg(member || ' ' || access, ', ') FROM mlmeta.list_members('closed') $$),
	'ada admin, rev reviewer', 'who closed it stays in');
-- What each sees of every table that row security guards.
CREATE FUNCTION pg_temp.sees(who text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text := '';
	t record;
	n text;
BEGIN
	FOR t IN SELECT relname, (SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
				WHERE attrelid = c.oid AND attnum > 0 AND attname <> 'uri') AS columns
		FROM pg_class AS c
		WHERE relnamespace = 'mlmeta'::regnamespace AND relrowsecurity ORDER BY relname
	LOOP
		n := pg_temp.tries(who, format(
			$q$ SELECT count(*) FROM (SELECT %s FROM mlmeta.%I) AS t WHERE t::text ~ 'secret|inside|closed|vault|hidden' $q$,
			t.columns, t.relname));
		IF n <> '0' THEN
			result := result || t.relname || ' ' || n || ' ';
		END IF;
	END LOOP;
	RETURN result;
END
$$;
SELECT is(pg_temp.sees('rita'), '', 'others see no row of it in any table');
SELECT cmp_ok(length(pg_temp.sees('rev')), '>', 100, 'its members do');
SELECT is(pg_temp.tries('rita', $$ SELECT count(*) FROM mlmeta.run_overview $$), '1', 'others see the rest');
SELECT is(pg_temp.tries('rita', $$ SELECT count(*) FROM mlmeta.metric_points WHERE value = 1 AND key = 'auc' $$), '0', 'not its metrics');
SELECT is(pg_temp.tries('rita', $$ SELECT mlmeta.resolve_model('vault@champion', 'x') $$), '42704', 'its models do not exist for others');
SELECT is(pg_temp.tries('wim', $$ SELECT mlmeta.set_alias('vault', 'champion', 1) $$), '42704', 'nor can they change them');
SELECT is(pg_temp.tries('wim', format($$ SELECT mlmeta.log_metrics(%L, '{"auc": 0}') $$, :'inner_run')), '42704', 'nor its runs');
SELECT is(pg_temp.tries('wim', $$ SELECT mlmeta.start_run('inside') $$) ~ '^(42501|P0002|42704)$', true, 'nor add any');
SELECT is(pg_temp.tries('rev', $$ SELECT uri FROM mlmeta.resolve_model('vault@champion', 'audit') $$), 's3://vault', 'members resolve');
SELECT is(pg_temp.tries('rev', $$ SELECT mlmeta.request_transition('vault', 1, 'production') $$), '42501', 'as far as their access goes');
SELECT add_member('closed', 'wim', 'reader') \gset
SELECT is(pg_temp.tries('wim', $$ SELECT count(*) FROM mlmeta.run_overview $$), '2', 'a writer elsewhere that is a reader here sees');
SELECT is(pg_temp.tries('wim', format($$ SELECT mlmeta.log_metrics(%L, '{"auc": 0}') $$, :'inner_run')), '42501', 'and writes not');
SELECT add_member('closed', 'wim', 'writer') \gset
SELECT is(pg_temp.tries('wim', format($$ SELECT mlmeta.log_metrics(%L, '{"auc": 0}') $$, :'inner_run')), 'nothing', 'as a writer he does');
SELECT remove_member('closed', 'wim') \gset
SELECT remove_member('closed', 'rev') \gset
SELECT remove_member('closed', 'ada') \gset
SELECT is(pg_temp.tries('wim', $$ SELECT count(*) FROM mlmeta.run_overview $$), '1', 'without members it stays closed');
SELECT open_project('closed') \gset
SELECT is(pg_temp.tries('wim', $$ SELECT count(*) FROM mlmeta.run_overview $$), '2', 'until it is opened');
SELECT throws_ok($$ SELECT add_member('closed', 'no_such_role', 'reader') $$, '42704', NULL, 'members are roles');
SELECT throws_ok($$ SELECT add_member('closed', 'wim', 'king') $$, '22023', NULL, 'with one of four accesses');

SELECT * FROM finish();
ROLLBACK;
