# Nobody acts as another: every way to have somebody else's session, or the
# server itself, write or decide is tried.
#
# mal trains and reviews, and has asked for a transition: four eyes must stop
# her own request. rev reviews, postgres is a superuser; both use what is hers.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use MlmetaCluster;
use Test::More;

my $server = MlmetaCluster->new('identities', wal_level => 'logical',
	autovacuum_naptime => '1s', autovacuum_analyze_threshold => 1,
	max_prepared_transactions => 2);
my $db = 'lab';

$server->query('postgres', "CREATE ROLE $_ LOGIN") for qw(mal rev wim ann ada);
$server->query('postgres', "CREATE DATABASE $db");
$server->query($db, <<'SQL');
CREATE EXTENSION mlmeta;
SELECT mlmeta.setup_roles('ml');
GRANT ml_writer, ml_reviewer TO mal;
GRANT ml_reader, ml_reviewer, ml_writer TO rev;
GRANT ml_writer TO wim, ann;
GRANT ml_admin TO ada;
GRANT CREATE ON DATABASE lab TO mal, ada;
SQL
$server->query($db, <<'SQL', user => 'mal');
CREATE SCHEMA m;
GRANT ALL ON SCHEMA m TO PUBLIC;
SELECT mlmeta.create_model('own'), mlmeta.create_model_version('own', NULL, NULL, 'file:///x');
SELECT mlmeta.request_transition('own', 1, 'production');
-- What she would have others run: in whose name she gets through.
CREATE FUNCTION m.attack() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF session_user = 'mal' THEN
		RETURN true;
	END IF;
	BEGIN
		PERFORM mlmeta.approve(1, 'borrowed from ' || session_user);
	EXCEPTION WHEN OTHERS THEN
		RAISE WARNING 'approve: %', SQLSTATE;
	END;
	BEGIN
		PERFORM mlmeta.set_alias('own', 'borrowed', 1);
	EXCEPTION WHEN OTHERS THEN
		RAISE WARNING 'set_alias: %', SQLSTATE;
	END;
	RETURN true;
END $$;
CREATE FUNCTION m.attack_and_log() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF session_user = 'mal' THEN
		RETURN true;
	END IF;
	PERFORM m.attack();
	BEGIN
		PERFORM mlmeta.start_run('borrowed');
	EXCEPTION WHEN OTHERS THEN
		RAISE WARNING 'start_run: %', SQLSTATE;
	END;
	RETURN true;
END $$;
CREATE FUNCTION m.definer() RETURNS boolean LANGUAGE sql SECURITY DEFINER AS $$ SELECT m.attack_and_log() $$;
CREATE FUNCTION m.code(x int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN PERFORM m.attack_and_log(); RETURN x; END $$;
CREATE FUNCTION m.trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM m.attack(); RETURN NULL; END $$;
CREATE FUNCTION m.definer_trigger() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN PERFORM m.attack_and_log(); RETURN NULL; END $$;
SQL

# The state that no way may change, and whether the way was gone at all: each
# says with a warning that it was refused.
my $state = <<'SQL';
SELECT (SELECT string_agg(status, ' ') FROM mlmeta.transition_requests),
	(SELECT count(*) FROM mlmeta.model_aliases),
	(SELECT count(*) FROM mlmeta.runs)
SQL
sub stays
{
	my ($name, $sql, %option) = @_;
	my $refusals = delete $option{refusals} // qr/WARNING:.*approve: 42501/;
	my ($status, $out, $err) = $server->psql($db, $sql, %option);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	like($err, $refusals, "$name: is refused");
	is($server->query($db, $state), 'pending|0|0', "$name: and nothing is different");
	return ($status, $out, $err);
}

#
# Functions with the rights of others
#
for my $who ('rev', 'postgres')
{
	stays("her SECURITY DEFINER function, called by $who", 'SELECT m.definer()', user => $who,
		refusals => qr/start_run: 42501/);
	stays("in a query with a sort and a subquery, called by $who",
		'SELECT count(*) FROM (SELECT m.definer() FROM generate_series(1, 2) ORDER BY 1) AS s', user => $who);
	stays("from a cursor, called by $who", <<'SQL', user => $who);
BEGIN; DECLARE c CURSOR FOR SELECT m.definer() FROM generate_series(1, 3); FETCH 1 FROM c; FETCH 1 FROM c; COMMIT
SQL
	stays("prepared, called by $who", 'PREPARE p AS SELECT m.definer(); EXECUTE p; EXECUTE p', user => $who);
	stays("in DO with a savepoint and an error that is caught, called by $who", <<'SQL', user => $who);
BEGIN; SAVEPOINT a; DO $$ BEGIN PERFORM m.definer(); RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN PERFORM m.definer(); END $$;
ROLLBACK TO a; SELECT m.definer(); COMMIT
SQL
}
$server->query($db, <<'SQL', user => 'mal');
CREATE FUNCTION m.own() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$ SELECT mlmeta.start_run('x') $$;
CREATE VIEW m.lender AS SELECT m.definer() AS x; GRANT SELECT ON m.lender TO PUBLIC;
SQL
$server->refuses($db, 'SELECT m.own()', '42501', 'not even her own, which nobody can tell from that of another', user => 'mal');
stays('a view over it', 'SELECT * FROM m.lender', user => 'rev');

#
# Triggers of a stranger's table run as who writes to it: they may log, which
# is what such triggers are for, and decide nothing.
#
$server->query($db, <<'SQL', user => 'mal');
CREATE TABLE m.box (x int); GRANT ALL ON m.box TO PUBLIC;
CREATE TRIGGER t AFTER INSERT ON m.box FOR EACH ROW EXECUTE FUNCTION m.trigger();
CREATE TABLE m.late (x int); GRANT ALL ON m.late TO PUBLIC;
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON m.late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION m.trigger();
CREATE TABLE m.lent (x int); GRANT ALL ON m.lent TO PUBLIC;
CREATE TRIGGER t AFTER INSERT ON m.lent FOR EACH ROW EXECUTE FUNCTION m.definer_trigger();
CREATE TABLE m.parent (x int PRIMARY KEY); GRANT ALL ON m.parent TO PUBLIC; INSERT INTO m.parent VALUES (1);
CREATE TABLE m.child (x int REFERENCES m.parent ON DELETE CASCADE); INSERT INTO m.child VALUES (1);
CREATE TRIGGER t AFTER DELETE ON m.child FOR EACH ROW EXECUTE FUNCTION m.trigger();
SQL
stays("a trigger, fired by $_", 'INSERT INTO m.box VALUES (1)', user => $_) for 'rev', 'postgres';
stays("a deferred trigger, fired by $_", 'INSERT INTO m.late VALUES (1)', user => $_) for 'rev', 'postgres';
stays('a trigger with her own rights', 'INSERT INTO m.lent VALUES (1)', user => 'rev', refusals => qr/start_run: 42501/);
stays('a trigger behind a cascade', 'DELETE FROM m.parent', user => 'rev');
stays('a trigger of COPY', "COPY m.box FROM STDIN;\n1\n\\.\n", user => 'rev');

#
# Maintenance: what the server or an administrator does for the table's owner
#
$server->query($db, <<'SQL', user => 'mal');
CREATE TABLE m.bait AS SELECT generate_series(1, 100) AS x;
CREATE INDEX bait_code ON m.bait (m.code(x));
CREATE MATERIALIZED VIEW m.summary AS SELECT m.code(1) AS x WITH NO DATA;
SQL
stays("$_ by an administrator", $_) for 'ANALYZE m.bait', 'REINDEX TABLE m.bait', 'VACUUM FULL m.bait', 'CLUSTER m.bait USING bait_code',
  'CREATE INDEX ON m.bait ((m.code(x) + 1))', 'REFRESH MATERIALIZED VIEW m.summary';
$server->query($db, 'INSERT INTO m.bait SELECT generate_series(1, 2000); DROP TABLE IF EXISTS m.nothing', user => 'mal');
my $vacuumed = 0;
for (1 .. 60)
{
	$vacuumed = $server->query($db, "SELECT autoanalyze_count FROM pg_stat_user_tables WHERE relname = 'bait'");
	last if $vacuumed > 0;
	sleep 1;
}
cmp_ok($vacuumed, '>', 0, 'autovacuum has called her function');
is($server->query($db, $state), 'pending|0|0', 'and got nothing done');
like($server->tool('log'), qr/WARNING:  approve: 42501/, 'it was refused');

# A subscription's worker looks like an ordinary session of the subscription's owner.
$server->query('postgres', 'CREATE DATABASE feed');
$server->query('feed', "CREATE TABLE box2 (x int); CREATE PUBLICATION p FOR TABLE box2; SELECT pg_create_logical_replication_slot('s', 'pgoutput')");
$server->query($db, <<"SQL");
CREATE TABLE public.box2 (x int);
CREATE FUNCTION public.fed() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN PERFORM m.attack_and_log(); RETURN NULL; END \$\$;
CREATE TRIGGER t AFTER INSERT ON public.box2 FOR EACH ROW EXECUTE FUNCTION public.fed();
ALTER TABLE public.box2 ENABLE ALWAYS TRIGGER t;
CREATE SUBSCRIPTION s CONNECTION 'host=$server->{host} port=$server->{port} user=postgres dbname=feed'
	PUBLICATION p WITH (create_slot = false, copy_data = false);
SQL
$server->query('feed', 'INSERT INTO box2 VALUES (1)');
my $applied = 0;
for (1 .. 60)
{
	$applied = $server->query($db, 'SELECT count(*) FROM public.box2');
	last if $applied > 0;
	sleep 1;
}
is($applied, 1, 'a subscription has fired a trigger');
is($server->query($db, $state), 'pending|0|0', 'which got nothing done');
like($server->tool('log'), qr/WARNING:  start_run: 42501/, 'it was refused, logging too: nobody is there');
$server->query($db, "DROP SUBSCRIPTION s; DROP TABLE public.box2");

#
# Queries that are stored: monitors, gates and data versions
#
$server->query($db, <<'SQL', user => 'mal');
CREATE DOMAIN m.sly AS int CHECK (m.attack_and_log());
CREATE TABLE m.s AS SELECT now() - g * interval '1 hour' AS at, g AS x FROM generate_series(1, 99) AS g;
SELECT mlmeta.create_monitor('sly', 'SELECT at, x::m.sly AS x FROM m.s', 'at', '1 day');
SELECT mlmeta.create_monitor('sly2', 'SELECT at, m.code(x) AS x FROM m.s', 'at', '1 day', segments => '{"half": "m.code(1) > 0"}');
SQL
stays("the source of a monitor, $_", "SELECT mlmeta.set_baseline('$_', now() - interval '4 days', now() - interval '2 days') > 0; SELECT count(*) FROM mlmeta.check_monitor('$_')")
  for 'sly', 'sly2';
$server->query($db, <<'SQL', user => 'mal');
CREATE VIEW m.data AS SELECT x, m.code(x) AS y FROM m.s LIMIT 1;
GRANT SELECT ON m.data, m.s TO PUBLIC;
SELECT mlmeta.snapshot_dataset('data', 'm.data');
SELECT mlmeta.snapshot_dataset('plain', 'm.s');
SQL
stays('the query of a data version, asked for by an administrator',
	"SELECT mlmeta.dataset_is_current(artifact) FROM mlmeta.dataset_snapshots WHERE source = 'm.data'");
$server->refuses($db, "SELECT mlmeta.dataset_is_current(artifact) FROM mlmeta.dataset_snapshots WHERE source = 'm.data'", '42501',
	'nobody else has it run', user => 'rev');
$server->gives($db, "SELECT mlmeta.dataset_is_current(artifact) FROM mlmeta.dataset_snapshots WHERE source = 'm.s'", 't',
	'a plain table is read by who may read it', user => 'rev');
$server->query($db, 'ALTER TABLE m.s ENABLE ROW LEVEL SECURITY; CREATE POLICY sly ON m.s USING (m.attack())', user => 'mal');
$server->refuses($db, "SELECT mlmeta.dataset_is_current(artifact) FROM mlmeta.dataset_snapshots WHERE source = 'm.s'", '42501',
	'but not where a policy of hers has a say', user => 'rev');
$server->query($db, 'DROP POLICY sly ON m.s; ALTER TABLE m.s DISABLE ROW LEVEL SECURITY; ALTER TABLE m.s RENAME TO s1; CREATE VIEW m.s AS SELECT * FROM m.data; GRANT SELECT ON m.s TO PUBLIC',
	user => 'mal');
$server->refuses($db, "SELECT mlmeta.dataset_is_current(artifact) FROM mlmeta.dataset_snapshots WHERE source = 'm.s'", '42501',
	'nor where a view has taken its place', user => 'rev');
is($server->query($db, $state), 'pending|0|0', 'nothing is different');

# A gate reads, as its owner, and leaves nothing in the session of who decides.
$server->query($db, <<'SQL', user => 'ada');
CREATE SCHEMA a; GRANT USAGE ON SCHEMA a TO PUBLIC;
CREATE FUNCTION a.does(command text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN EXECUTE command; RETURN true; END $$;
SELECT mlmeta.create_model('gated'), mlmeta.create_model_version('gated', NULL, NULL, 'x');
SQL
my %gates = (
	'writes' => [ "CREATE TABLE a.t (x int)", '25006' ],
	'makes a temporary table' => [ "CREATE TEMP TABLE t (x int)", '(25006|42501)' ],
	'draws a number' => [ "SELECT nextval(''a.n'')", '25006' ],
	'opens the transaction for writing' => [ "SET TRANSACTION READ WRITE", '25001' ],
	'does so by the setting' => [ "SET LOCAL transaction_read_only = off", '25001' ],
	'becomes another' => [ "SET ROLE ml_reviewer", '42501' ],
	'becomes who decides' => [ "RESET ROLE", '42501' ],
	'becomes another for the session' => [ "SET SESSION AUTHORIZATION rev", '42501' ],
	'starts a run' => [ "SELECT mlmeta.start_run(''gate'')", '42501' ],
	'approves' => [ "SELECT mlmeta.approve(1)", '42501' ],
	'runs a command behind the door' => [ "SELECT mlmeta_internal.run_command(''SELECT 1'')", '42501' ],
	'runs a query behind the door' => [ "SELECT * FROM mlmeta_internal.run_query(NULL, ''public'', ''SELECT 1'') AS r (x int)", '42501' ],
	'prepares' => [ "PREPARE p AS SELECT 1", '42501' ],
	'listens' => [ "LISTEN c", '42501' ],
	'leaves a cursor' => [ "DECLARE c CURSOR WITH HOLD FOR SELECT 1", '42501' ],
	'ends the transaction' => [ 'DO $x$ BEGIN COMMIT; END $x$', '2D000' ],
	'takes a lock of the session' => [ "SELECT pg_advisory_lock(42)", '25006' ],
	'tries to' => [ "SELECT pg_try_advisory_lock_shared(42)", '25006' ],
	'gives the locks of the session back' => [ "SELECT pg_advisory_unlock_all()", '25006' ],
	'raises' => [ 'DO $x$ BEGIN RAISE EXCEPTION SQLSTATE $e$ZZ123$e$; END $x$', 'ZZ123' ],
	'loads a library' => [ "LOAD ''plpgsql''", '42501' ],
);
$server->query($db, "CREATE SEQUENCE a.n", user => 'ada');
my $gates = join '', map { "SELECT mlmeta.add_gate('gated', 'production', '$_', \$g\$SELECT a.does('$gates{$_}[0]')\$g\$);\n" } sort keys %gates;
$gates .= <<'SQL';
SELECT mlmeta.add_gate('gated', 'production', 'settings', $g$SELECT a.does('SET work_mem = ''99MB''') AND a.does('SELECT set_config(''mlmeta.left'', ''x'', false)')$g$);
SELECT mlmeta.add_gate('gated', 'production', 'who', $g$SELECT current_user = 'ada' AND NOT pg_has_role('rev', 'USAGE') AND mlmeta_internal.caller() = 'ada', current_user::text$g$);
SELECT mlmeta.add_gate('gated', 'production', 'notifies', $g$SELECT a.does('NOTIFY c')$g$);
SELECT mlmeta.add_gate('gated', 'production', 'lock of its own', $g$SELECT a.does('SELECT pg_advisory_xact_lock(43)')$g$);
SELECT mlmeta.add_gate('gated', 'production', 'temporary', $g$SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'pg_stat_activity')$g$);
SQL
$server->query($db, $gates, user => 'ada');
my $decision = $server->query($db, "SELECT mlmeta.request_transition('gated', 1, 'production')", user => 'ada');
my ($status, $out, $err) = $server->psql($db, <<"SQL", user => 'rev');
CREATE TEMP TABLE pg_stat_activity (x int);
LISTEN c;
SELECT pg_advisory_lock(7);
SELECT mlmeta.approve($decision);
SELECT current_user, session_user, current_setting('work_mem'), coalesce(current_setting('mlmeta.left', true), ''),
	(SELECT string_agg(objid::text, ' ') FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
	(SELECT count(*) FROM pg_cursors) + (SELECT count(*) FROM pg_prepared_statements), current_setting('transaction_read_only');
SQL
like($out, qr/^refused\nrev\|rev\|4MB\|\|7\|0\|off$/m, 'a decision leaves the session as it was') or diag($err);
unlike($out, qr/Asynchronous/, 'and sends nothing');
for my $gate (sort keys %gates)
{
	$server->gives($db, "SELECT problem_code ~ '^$gates{$gate}[1]\$' FROM mlmeta.gate_results WHERE request = $decision AND name = '$gate' AND NOT passed",
		't', "a gate that $gate is no gate that says yes");
}
$server->gives($db, "SELECT string_agg(name, ' ' ORDER BY name) FROM mlmeta.gate_results WHERE request = $decision AND passed",
	'lock of its own notifies settings temporary who', 'one that reads is, with its owner\'s rights alone');
$server->query($db, "DELETE FROM mlmeta.gates");
# What cancels the command is not the gate's answer.
$server->query($db, q{SELECT mlmeta.add_gate('gated', 'production', 'for ever', 'SELECT pg_sleep(1000) IS NULL')}, user => 'ada');
$decision = $server->query($db, "SELECT mlmeta.request_transition('gated', 1, 'production')", user => 'ada');
$server->refuses($db, "SET statement_timeout = '300ms'; SELECT mlmeta.approve($decision)", '57014', 'a gate that runs for ever is ended by who decides', user => 'rev');
$server->gives($db, "SELECT status FROM mlmeta.transition_requests WHERE request = $decision", 'pending', 'who has decided nothing');
$server->query($db, "SELECT mlmeta.withdraw($decision)", user => 'ada');

#
# Names: functions, operators and casts in front of ours
#
$server->query($db, <<'SQL', user => 'mal');
CREATE FUNCTION m.sprung() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'her code runs as %', current_user; RETURN 'x'; END $$;
CREATE FUNCTION m.ge(float8, int) RETURNS boolean LANGUAGE sql AS $$ SELECT m.sprung() <> '' $$;
CREATE OPERATOR m.>= (leftarg = float8, rightarg = int, function = m.ge);
CREATE FUNCTION m.cat(text[], text[]) RETURNS text[] LANGUAGE sql AS $$ SELECT ARRAY[m.sprung()] $$;
CREATE OPERATOR m.|| (leftarg = text[], rightarg = text[], function = m.cat);
CREATE FUNCTION m.eq(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT m.sprung() IS NOT NULL $$;
CREATE OPERATOR m.= (leftarg = text, rightarg = text, function = m.eq);
CREATE FUNCTION m.get(jsonb, text) RETURNS text LANGUAGE sql AS $$ SELECT m.sprung() $$;
CREATE OPERATOR m.->> (leftarg = jsonb, rightarg = text, function = m.get);
CREATE FUNCTION m.format(text, VARIADIC text[]) RETURNS text LANGUAGE sql AS $$ SELECT m.sprung() $$;
CREATE FUNCTION m.count(int) RETURNS bigint LANGUAGE sql AS $$ SELECT m.sprung()::bigint $$;
CREATE FUNCTION m.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT m.sprung()::timestamptz $$;
CREATE FUNCTION m.permits_project(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT m.sprung() IS NOT NULL $$;
CREATE FUNCTION m.start_run(text) RETURNS text LANGUAGE sql AS $$ SELECT m.sprung() $$;
CREATE TABLE m.t AS SELECT pg_catalog.now() AS at, 1 AS x, 'a' AS c; GRANT SELECT ON m.t TO PUBLIC;
SQL
my $path = 'SET search_path = m, pg_catalog, mlmeta;';
($status, $out, $err) = $server->psql($db, <<"SQL", user => 'wim');
$path
SELECT mlmeta.create_monitor('named', 'm.t', 'at', '1 hour', segments => '{"c": "c"}');
SELECT mlmeta.set_baseline('named', '2000-01-01', '2100-01-01');
SELECT mlmeta.check_monitor('named');
SELECT mlmeta.start_run('named', params => '{"a": 1}', tags => '{"b": "c"}') AS run \\gset
SELECT mlmeta.log_metrics(:'run', '{"m": 1}'); SELECT mlmeta.log_series(:'run', 's', '{1,2}', '{1,2}');
SELECT mlmeta.snapshot_dataset('named', 'm.t', keys => '{x}') AS data \\gset
SELECT mlmeta.use_artifact(:'run', :'data'); SELECT mlmeta.log_artifact(:'run', 'model:named:1', 's3://n');
SELECT mlmeta.finish_run(:'run'); SELECT mlmeta.dataset_is_current(:'data');
SELECT mlmeta.create_model('named'); SELECT mlmeta.create_model_version('named', :'run', 'model:named:1');
SELECT mlmeta.resolve_model('named:1', 'x'); SELECT length(mlmeta.report('named')) > 0; SELECT mlmeta.upstream('model:named:1');
SELECT mlmeta.worst_segments('m.t', 'x', '{c}'); SELECT mlmeta.training_record('named', 1);
SELECT mlmeta.preview_monitor('named'); SELECT mlmeta.compare_runs(:'run', :'run');
SELECT pg_catalog.count(*) FROM mlmeta.run_overview; SELECT pg_catalog.count(*) FROM mlmeta.model_overview; SELECT pg_catalog.count(*) FROM mlmeta.drift_history;
SQL
is($status, 0, 'all works with a stranger\'s schema in front of the search path') or diag($err);
unlike($err, qr/her code runs/, 'none of whose operators and functions is ever called');
($status, $out, $err) = $server->psql($db, "$path SELECT start_run('x')", user => 'wim');
like($err, qr/her code runs as wim/, '(the trap is armed: who calls without a schema calls hers)');
$server->query($db, "SELECT mlmeta.drop_monitor('named')", user => 'wim');

#
# SET ROLE and SET SESSION AUTHORIZATION are the server's to allow; the person
# stays who he is.
#
$server->query($db, 'CREATE ROLE boss; GRANT ml_reviewer, ml_writer TO boss; GRANT boss TO mal, rev');
$server->refuses($db, 'SET ROLE rev', '42501', 'she does not become another', user => 'mal');
$server->refuses($db, 'SET SESSION AUTHORIZATION rev', '42501', 'in no way', user => 'mal');
$server->refuses($db, 'SET ROLE boss; SELECT mlmeta.approve(1)', '42501', 'a role that she has does not make her two people', user => 'mal');
$server->gives($db, "SET ROLE boss; SELECT mlmeta.request_transition('own', 1, 'staging') > 0; SELECT requested_by FROM mlmeta.transition_requests WHERE stage = 'staging'",
	"t\nmal", 'what she does in it is hers', user => 'mal');
$server->refuses($db, "SELECT mlmeta.approve(max(request)) FROM mlmeta.transition_requests WHERE stage = 'staging'", '42501', 'also afterwards', user => 'mal');
$server->gives($db, "SET ROLE boss; SELECT mlmeta.approve(max(request)) FROM mlmeta.transition_requests WHERE stage = 'staging'", 'completed',
	'another one decides, in the same role', user => 'rev');
$server->gives($db, "SELECT a.user_name, a.role_name FROM mlmeta.approvals AS a JOIN mlmeta.transition_requests AS r USING (request) WHERE r.stage = 'staging'", 'rev|boss', 'and both are on record');

#
# What the victim's own statement runs acts as the victim: nobody can tell. The
# statement is on record.
#
$server->query($db, <<'SQL', user => 'mal');
SELECT mlmeta.request_transition('own', 1, 'archived');
CREATE VIEW m.innocent AS SELECT mlmeta.approve(max(request)) AS x FROM mlmeta.transition_requests WHERE status = 'pending' AND stage = 'archived';
GRANT SELECT ON m.innocent TO PUBLIC;
SQL
$server->query($db, 'SELECT x AS "what is this" FROM m.innocent', user => 'rev');
$server->gives($db, "SELECT user_name, statement FROM mlmeta.audit_trail WHERE model = 'own' AND action = 'transition_approved' ORDER BY n DESC LIMIT 1",
	'rev|SELECT x AS "what is this" FROM m.innocent', 'a view that decides decides as who reads it, whose statement is in the audit trail');

#
# Whoever gets a name later gets nothing of who had it; who is renamed keeps all.
#
$server->query($db, <<'SQL');
CREATE ROLE eva LOGIN; GRANT ml_writer, ml_reviewer TO eva; GRANT CREATE ON DATABASE lab TO eva;
SELECT mlmeta.create_project('vip'), mlmeta.create_experiment('ve', project => 'vip'), mlmeta.start_run('ve');
SELECT mlmeta.create_model('vm', project => 'vip'), mlmeta.create_model_version('vm', NULL, NULL, 's3://vip');
SELECT mlmeta.add_member('vip', 'eva', 'admin'), mlmeta.add_member('vip', 'ada', 'admin');
SELECT mlmeta.set_policy('own', 'none', approver_roles => '{eva}');
SQL
$server->query($db, <<'SQL', user => 'eva');
CREATE SCHEMA e; CREATE TABLE e.s AS SELECT now() - g * interval '1 hour' AS at, g AS x FROM generate_series(1, 99) AS g;
SELECT mlmeta.create_monitor('evas', 'SELECT at, x FROM e.s', 'at', '1 day');
SELECT mlmeta.set_baseline('evas', now() - interval '4 days', now() - interval '3 days') > 0;
SELECT mlmeta.create_event_consumer('evas');
SELECT mlmeta.snapshot_dataset('evas', 'SELECT x FROM e.s');
SELECT mlmeta.request_retraining('own', 1);
SELECT request FROM mlmeta.claim_retraining();
SELECT mlmeta.request_transition('own', 1, 'production');
SELECT count(*) FROM mlmeta.take_alerts('pager');
SQL
my $evas = $server->query($db, "SELECT max(request) FROM mlmeta.transition_requests");
$server->query($db, "ALTER ROLE eva RENAME TO evamaria; CREATE ROLE eva LOGIN; GRANT ml_writer, ml_reviewer TO eva");
my @hers = (
	[ 'sees the runs of her project', "SELECT count(*) FROM mlmeta.runs AS r JOIN mlmeta.experiments AS x USING (experiment_id) WHERE x.project = 'vip'", '1', '0' ],
	[ 'resolves its models', "SELECT uri FROM mlmeta.resolve_model('vm:1', 'x')", 's3://vip', '42704' ],
	[ 'changes her monitor', "SELECT mlmeta.alter_monitor('evas', '{\"q\": 0.1}')", '', '42501' ],
	[ 'has its source read', "SELECT mlmeta.set_baseline('evas', now() - interval '4 days', now() - interval '2 days') > 0", 't', '42501' ],
	[ 'is asked for what is due', "SELECT count(*) FROM mlmeta.due_monitors()", '1', '0' ],
	[ 'takes the events of her consumer', "SELECT count(*) >= 0 FROM mlmeta.take_events('evas')", 't', '42501' ],
	[ 'has her data version read', "SELECT mlmeta.dataset_is_current(artifact) FROM mlmeta.dataset_snapshots WHERE mlmeta.name(artifact) = 'evas'", 't', '' ],
	[ 'ends the retraining that she claimed', "SELECT mlmeta.cancel_retraining(max(request)) FROM mlmeta.retrain_requests", '', '42501' ],
	[ 'withdraws her request', "SELECT mlmeta.withdraw($evas)", '', '42501' ],
);
for my $thing (@hers)
{
	my ($name, $sql, $gives, $else) = @$thing;
	if ($else =~ /^\d{5}$/)
	{
		$server->refuses($db, $sql, $else, "the new eva neither $name", user => 'eva');
	}
	else
	{
		$server->gives($db, $sql, $else, "the new eva neither $name", user => 'eva');
	}
	$server->gives($db, "BEGIN; $sql; ROLLBACK", $gives, "while who was eva $name", user => 'evamaria');
}
$server->refuses($db, "SELECT mlmeta.approve($evas)", '42501', 'her own request she cannot approve under her new name', user => 'evamaria');
$server->gives($db, "SELECT mlmeta_internal.acts_for(approver_ids[1]) FROM mlmeta.transition_policies WHERE approver_ids IS NOT NULL", 't',
	'she is still an approver', user => 'evamaria');
$server->gives($db, "SELECT mlmeta_internal.acts_for(approver_ids[1]) FROM mlmeta.transition_policies WHERE approver_ids IS NOT NULL", 'f',
	'and the new one is none', user => 'eva');
# Who is dropped and comes again has nothing either.
$server->query($db, "REASSIGN OWNED BY evamaria TO postgres; DROP OWNED BY evamaria; DROP ROLE evamaria; CREATE ROLE evamaria LOGIN; GRANT ml_writer TO evamaria");
$server->gives($db, $hers[0][1], '0', 'who is made anew under a name that was dropped sees nothing', user => 'evamaria');
$server->refuses($db, $hers[2][1], '42501', 'and owns nothing', user => 'evamaria');
$server->gives($db, "SELECT member, is_role FROM mlmeta.list_members('vip') WHERE NOT is_role", 'eva|f', 'the admin sees a member who is nobody', user => 'ada');

done_testing();
