# The owner of the extension, who is no superuser, can do everything with what is
# stored, and with nothing else: what he puts into the tables, behind the doors
# and into the way of an installation gives him no other's rights and none of the
# server's memory. And nobody else becomes an owner by default.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use MlmetaCluster;
use Test::More;

my $server = MlmetaCluster->new('owner');
my @owner = (user => 'dora');

$server->query('postgres', <<'SQL');
CREATE ROLE dora LOGIN; CREATE ROLE wim LOGIN; CREATE ROLE guest LOGIN; CREATE ROLE boss LOGIN SUPERUSER;
CREATE DATABASE shop OWNER dora; CREATE DATABASE given OWNER dora; CREATE DATABASE taken OWNER dora;
CREATE DATABASE watched OWNER dora;
SQL

#
# ALTER DEFAULT PRIVILEGES of who installs gives nobody rights on what is
# ours, and takes from nobody what all may do.
#
my $writers = <<'SQL';
SELECT string_agg(DISTINCT a.grantee::regrole || ' ' || a.privilege_type || ' ' || o.kind, ', ')
FROM (SELECT CASE WHEN relkind = 'v' AND relnamespace = 'mlmeta_internal'::regnamespace AND reloptions @> '{security_invoker=true}'
		THEN 'part of views' ELSE 'relation' END AS kind, relacl AS acl, relowner AS owner FROM pg_class WHERE relnamespace IN ('mlmeta'::regnamespace, 'mlmeta_internal'::regnamespace)
		UNION ALL SELECT 'function', proacl, proowner FROM pg_proc WHERE pronamespace IN ('mlmeta'::regnamespace, 'mlmeta_internal'::regnamespace)
		UNION ALL SELECT 'schema', nspacl, nspowner FROM pg_namespace WHERE nspname IN ('mlmeta', 'mlmeta_internal')
		UNION ALL SELECT 'type', typacl, typowner FROM pg_type WHERE typnamespace IN ('mlmeta'::regnamespace, 'mlmeta_internal'::regnamespace)) AS o,
	aclexplode(o.acl) AS a
WHERE a.grantee <> o.owner AND NOT (a.grantee = 0 AND (o.kind IN ('function', 'type', 'part of views') OR o.kind = 'schema' AND a.privilege_type = 'USAGE'))
SQL
$server->query('given', <<'SQL');
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO guest;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO guest;
ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO guest;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TYPES TO guest;
SQL
$server->query('taken', <<'SQL');
ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON TYPES FROM PUBLIC;
SQL
for my $database ('given', 'taken')
{
	$server->succeeds($database, 'CREATE EXTENSION mlmeta', "it installs where rights are $database by default", @owner);
	$server->gives($database, $writers, '', 'nobody but the owner has rights that were not meant');
	$server->refuses($database, "INSERT INTO mlmeta.projects (project) VALUES ('x')", '42501', 'nobody writes tables', user => 'guest');
	$server->query($database, "SELECT mlmeta.setup_roles('$database'); GRANT ${database}_writer TO wim");
	$server->gives($database, <<'SQL', "1\nt", 'the team works', user => 'wim');
SELECT mlmeta.log_metrics(mlmeta.start_run('e'), '{"a": 1}') IS NULL \g /dev/null
CREATE TEMP TABLE mine (r mlmeta.run, h mlmeta.histogram);
INSERT INTO mine SELECT run, (SELECT mlmeta.histogram(x, 5) FROM generate_series(1, 10) AS x) FROM mlmeta.runs;
SELECT count(*) FROM mlmeta.run_overview WHERE run OPERATOR(mlmeta.=) ANY (SELECT r FROM mine);
SELECT bool_and(h IS NOT NULL) FROM mine;
SQL
	my ($status, $dump, $err) = $server->program([ 'pg_dump', '-s', $database ]);
	unlike($dump =~ s/^ALTER DEFAULT PRIVILEGES.*$//mgr, qr/^(GRANT|REVOKE)(?!.*${database}_(reader|writer|reviewer|admin))/m, 'a dump carries no other rights');
}

#
# Event triggers of the database see the installation, and do not break it.
#
$server->query('watched', <<'SQL');
CREATE TABLE public.seen (tag text);
CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.seen VALUES (tg_tag); END $$;
CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION public.watch();
CREATE FUNCTION public.forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN IF tg_tag = 'CREATE VIEW' THEN RAISE EXCEPTION 'no views here'; END IF; END $$;
CREATE EVENT TRIGGER forbid ON ddl_command_start EXECUTE FUNCTION public.forbid();
SQL
$server->refuses('watched', 'CREATE EXTENSION mlmeta', 'P0001', 'an event trigger may forbid it');
$server->gives('watched', "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'mlmeta%'", '0', 'which leaves nothing half-done');
$server->query('watched', 'DROP EVENT TRIGGER forbid');
$server->succeeds('watched', "CREATE EXTENSION mlmeta; SELECT mlmeta.start_run('e')", 'or look on');

#
# What the owner writes into the tables and behind the doors
#
$server->query('shop', <<'SQL', @owner);
CREATE EXTENSION mlmeta;
SELECT mlmeta.create_model('m'), mlmeta.create_model_version('m', NULL, NULL, 'x'), mlmeta.start_run('e');
CREATE FUNCTION public.rise() RETURNS text LANGUAGE plpgsql AS $$
BEGIN EXECUTE 'ALTER ROLE dora SUPERUSER'; RETURN 'risen'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$;
INSERT INTO mlmeta_internal.principals (principal, role, name) SELECT 1000, oid, rolname FROM pg_roles WHERE rolname = 'boss';
INSERT INTO mlmeta.gates (model_id, stage, name, query, search_path, owner, owner_id, created_by)
	VALUES (1, 'production', 'forged', 'SELECT public.rise() = ''risen'', current_user::text', 'public', 'boss', 1000, 'boss');
INSERT INTO mlmeta_internal.monitors (name, source, query, time_column, time_type, granularity, time_zone, features, owner, owner_id)
	VALUES ('forged', 'x', 'SELECT now() AS at, public.rise() AS x', 'at', 'timestamptz', '1 day', 'UTC', '{x}', 'boss', 1000);
INSERT INTO mlmeta.artifact_copies (artifact, source) VALUES ('dataset:forged', gen_random_uuid());
INSERT INTO mlmeta.dataset_snapshots (artifact, source, query, columns, row_count, fingerprint, owner, owner_id)
	VALUES ('dataset:forged', 'x', 'SELECT public.rise() AS x', '[]', 1, 'x', 'boss', 1000);
-- Behind a door, in whose name comes through it
CREATE OR REPLACE FUNCTION mlmeta_internal.set_note(run mlmeta.run, note text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN PERFORM mlmeta_internal.run_command('SELECT public.rise()'); END $$;
CREATE OR REPLACE FUNCTION mlmeta_internal.heartbeat(run mlmeta.run) RETURNS void LANGUAGE plpgsql AS $$
BEGIN EXECUTE 'RESET ROLE'; PERFORM public.rise(); END $$;
SQL
for my $who ('boss', 'dora')
{
	$server->gives('shop', "SELECT passed FROM mlmeta.check_gates('m', 1, 'production')", 'f', "no gate runs as a superuser, called by $who", user => $who);
	$server->refuses('shop', "SELECT mlmeta.set_baseline('forged', '2000-01-01', '2100-01-01')", '42501', 'no monitor', user => $who);
	$server->refuses('shop', "SELECT mlmeta.dataset_is_current('dataset:forged')", '42501', 'and no data version', user => $who);
	$server->refuses('shop', 'SELECT mlmeta_internal.run_gate(1000, $$public$$, $$SELECT true$$, true, NULL, NULL, NULL, NULL)', '42501',
		'not even by hand', @owner);
}
$server->refuses('shop', "SELECT mlmeta.set_note(NULL, 'x')", '42501', 'a superuser who comes through a door lends nothing', user => 'boss');
$server->refuses('shop', "SELECT mlmeta.heartbeat(NULL)", '42501', 'and cannot be got back', user => 'boss');
$server->refuses('shop', q{SELECT mlmeta.snapshot_dataset('x', 'SELECT public.rise() AS x')}, '42501',
	'nor has he queries of his own run there', user => 'boss');
$server->gives('shop', q{SET ROLE dora; SELECT mlmeta.snapshot_dataset('x', 'SELECT 1 AS x') IS NOT NULL}, 't', 'unless as another', user => 'boss');
$server->gives('shop', "SELECT rolsuper FROM pg_roles WHERE rolname = 'dora'", 'f', 'the owner is no superuser');

# Functions in C read memory: what he may not make of them, and of what they read.
$server->query('shop', <<'SQL', @owner);
DO $$
DECLARE was regprocedure; result text;
BEGIN
	FOR was, result IN VALUES ((SELECT oid FROM pg_proc WHERE proname = 'create_project' AND pronamespace = 'mlmeta_internal'::regnamespace), 'bigint'),
		((SELECT oid FROM pg_proc WHERE proname = 'create_model' AND pronamespace = 'mlmeta_internal'::regnamespace), 'text')
	LOOP
		EXECUTE format('ALTER FUNCTION %s RENAME TO once', was);
		EXECUTE format('CREATE FUNCTION %s RETURNS %s LANGUAGE sql AS $x$ SELECT 4711::%2$s $x$', regexp_replace(was::text, 'once', (ARRAY['create_project', 'create_model'])[1 + (result = 'text')::int]), result);
	END LOOP;
END $$;
ALTER FUNCTION mlmeta_internal.verify_audit(text) RENAME TO verify_audit_once;
CREATE FUNCTION mlmeta_internal.verify_audit(model text, OUT a bigint, OUT b bigint, OUT c bigint) RETURNS SETOF record LANGUAGE sql AS $$ SELECT 4711, 4711, 4711 $$;
SQL
$server->refuses('shop', "SELECT mlmeta.create_project('x')", '42883', 'a function with another result is not behind the door', @owner);
$server->refuses('shop', "SELECT mlmeta.create_model('x')", '42883', 'whatever the result', @owner);
$server->refuses('shop', "SELECT * FROM mlmeta.verify_audit()", '42804', 'rows with other columns are not taken for those', @owner);
$server->refuses('shop', "SELECT $_", '42501', "$_: functions in C are not his to alter", @owner)
  for "1; ALTER FUNCTION mlmeta_internal.principal_name(bigint) CALLED ON NULL INPUT",
  "1; ALTER FUNCTION mlmeta.run_time(mlmeta.run) CALLED ON NULL INPUT",
  "1; ALTER FUNCTION mlmeta_internal.histogram_in(cstring) RENAME TO x",
  "1; ALTER TYPE mlmeta.run RENAME TO walk",
  "1; CREATE FUNCTION public.c() RETURNS int LANGUAGE c AS 'mlmeta', 'mlmeta_door'",
  "1; ALTER EXTENSION mlmeta DROP FUNCTION mlmeta_internal.principal_name(bigint)";
my %changes = (
	'ALTER TABLE mlmeta_internal.principals ALTER COLUMN name TYPE bigint USING 4711' =>
	  "SELECT passed FROM mlmeta.check_gates('m', 1, 'production')",
	'ALTER TABLE mlmeta_internal.principals ALTER COLUMN cluster TYPE text' => 'SELECT mlmeta_internal.principal_name(1000)',
	'ALTER TABLE mlmeta_internal.principals ALTER COLUMN role DROP NOT NULL' => 'SELECT mlmeta_internal.principal_name(1000)',
	'ALTER TABLE mlmeta_internal.principals DROP CONSTRAINT principals_pkey' => 'SELECT mlmeta_internal.principal_name(1000)',
	'ALTER TABLE mlmeta.project_members ALTER COLUMN access TYPE varchar' => "SELECT mlmeta_internal.permits_project('reader', 'closed')",
	'DROP POLICY sees ON mlmeta.projects; ALTER TABLE mlmeta.projects ALTER COLUMN members_only DROP DEFAULT, ALTER COLUMN members_only TYPE bigint USING 1' =>
	  'SELECT mlmeta_internal.all_open()',
	'ALTER TABLE mlmeta.projects RENAME TO projects_once; CREATE VIEW mlmeta.projects AS SELECT 4711::bigint AS project' => 'SELECT mlmeta_internal.all_open()',
	'ALTER INDEX mlmeta.models_model_key RENAME TO x; CREATE INDEX models_model_key ON mlmeta.models (project)' =>
	  "SELECT mlmeta_internal.permits_reference('reader', 'm:1')",
	'ALTER INDEX mlmeta.models_model_key RENAME TO x; CREATE INDEX models_model_key ON mlmeta.runs (experiment_id)' =>
	  "SELECT mlmeta_internal.permits_reference('reader', 'm:1')",
);
$server->query('shop', "INSERT INTO mlmeta.projects (project, members_only) VALUES ('closed', true); GRANT USAGE ON SCHEMA mlmeta TO guest", @owner);
for my $change (sort keys %changes)
{
	my ($status, $out, $err) = $server->psql('shop', "BEGIN; SET LOCAL client_min_messages = error; DROP INDEX IF EXISTS mlmeta.projects_closed; $change; GRANT SELECT ON ALL TABLES IN SCHEMA mlmeta TO guest; $changes{$change}; ROLLBACK", @owner);
	ok($status == 0 || $err =~ /ERROR:  (55000|42P16|0A000)/, "$change: what is read is what it was, or refused") or diag($err);
}
$server->query('shop', 'ALTER INDEX mlmeta.projects_closed RENAME TO pc; CREATE INDEX projects_closed ON mlmeta.models (model_id)', @owner);
$server->gives('shop', 'SELECT mlmeta_internal.all_open()', 'f', 'an index of another table is not asked', @owner);
unlike($server->tool('log'), qr/terminated by signal|PANIC:|TRAP:/, 'no backend died');

#
# An owner who takes rights from himself, and a role without any
#
$server->query('given', <<'SQL', @owner);
REVOKE ALL ON mlmeta.runs FROM dora;
SQL
$server->refuses('given', "SELECT mlmeta.start_run('e')", '42501', 'an owner who revokes his own rights has none', @owner);
$server->refuses('given', "SELECT mlmeta.start_run('e')", '42501', 'nor has anybody through him', user => 'wim');
$server->gives('given', 'SELECT count(*) FROM mlmeta.run_metrics', '1', 'nothing is half-done', user => 'boss');
$server->succeeds('given', "GRANT ALL ON mlmeta.runs TO dora; SELECT mlmeta.start_run('e')", 'until he gives them back', @owner);
$server->refuses('given', $_, '42501', "a role without grants: $_", user => 'guest')
  for 'SELECT * FROM mlmeta.runs', "SELECT mlmeta.start_run('e')", "SELECT 'model:a'::mlmeta.artifact",
  "SELECT * FROM mlmeta_internal.monitors", "SELECT mlmeta_internal.record_change(1, 1, 'x', '{}')";

done_testing();
