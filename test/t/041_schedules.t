# Scheduled checks: run_due() commits after each monitor, touches only what is the
# current user's, and survives a source that is gone; pg_cron runs it by itself.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use MlmetaCluster;
use POSIX ();
use Test::More;

my $server = MlmetaCluster->new('schedules', synchronous_commit => 'on');
my $have_cron = $server->query('postgres',
	"SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_cron'");

$server->query('postgres', 'CREATE DATABASE due');
$server->query('due', <<'SQL');
CREATE EXTENSION mlmeta;
CREATE ROLE one LOGIN;
CREATE ROLE two LOGIN;
SELECT mlmeta.setup_roles('team');
GRANT team_writer TO one, two;
GRANT CREATE ON SCHEMA public TO one, two;
SQL

# A day of rows, two hours of them the baseline, under a role.
sub monitor
{
	my ($role, $name) = @_;
	$server->query('due', <<SQL, user => $role);
SET search_path = public, mlmeta;
CREATE TABLE $name AS
SELECT now() - interval '1 day' + i * interval '1 minute' AS at, i % 60 AS x
FROM generate_series(0, 1439) AS i;
SELECT create_monitor('$name', '$name', 'at', '1 hour');
SELECT set_baseline('$name', now() - interval '1 day', now() - interval '20 hours');
SQL
}
monitor(one => 'first');
monitor(one => 'broken');
monitor(one => 'last');
monitor(two => 'other');
$server->query('due', 'DROP TABLE broken');

my $counts = 'SELECT m.name, count(w.*) > 15 FROM mlmeta.monitors AS m LEFT JOIN'
  . ' mlmeta.windows AS w ON w.monitor = m.name GROUP BY m.name ORDER BY m.name';
$server->refuses('due', "SELECT mlmeta.check_monitor('other')", '42501',
	'nobody checks the monitor of somebody else', user => 'one');
$server->succeeds('due', 'CALL mlmeta.run_due()', 'run_due() comes to its end', user => 'one');
$server->gives('due', $counts, "broken|f\nfirst|t\nlast|t\nother|f",
	'a monitor whose source is gone does not stop the others, and those of other users are left');
$server->gives('due', "SELECT feature || measure, severity FROM mlmeta.alert_open WHERE monitor = 'broken'",
	'check|critical', 'it has an alert');
$server->gives('due', "SELECT status, sqlstate FROM mlmeta.monitor_checks AS c
	JOIN mlmeta.monitors AS m ON m.id = c.monitor WHERE m.name = 'broken'", 'failed|42P01',
	'and a failed check on record');
$server->gives('due', 'SELECT mlmeta.check_due()', '1', 'what failed is due again, the others are not', user => 'one');
$server->gives('due', 'SELECT mlmeta.check_due()', '1', 'check_due() does it in one transaction', user => 'two');

# Privilege lost
$server->query('due', <<'SQL');
SET search_path = public, mlmeta;
CREATE TABLE lent AS SELECT * FROM first;
GRANT SELECT ON lent TO one;
SQL
$server->query('due', <<'SQL', user => 'one');
SELECT mlmeta.create_monitor('lent', 'lent', 'at', '1 hour');
SELECT mlmeta.set_baseline('lent', now() - interval '1 day', now() - interval '20 hours');
SQL
$server->query('due', 'REVOKE SELECT ON lent FROM one');
$server->gives('due', "SELECT verdict, reason FROM mlmeta.check_monitor('lent')",
	'no data|the check failed: permission denied for table lent (42501)', 'a privilege that is lost is a result',
	user => 'one');

# Without pg_cron
my ($status, $out, $err) = $server->psql('due', "SELECT mlmeta.schedule_monitor('first', '*/5 * * * *') IS NULL", user => 'one');
is($out, 't', 'without pg_cron there is no job');
like($err, qr/NOTICE.*pg_cron is not in this database/s, 'and a notice says so');
$server->refuses('due', "SELECT mlmeta.schedule_monitor('first', 'hourly')", '22023',
	'what is no schedule is refused', user => 'one');
$server->gives('due', "SELECT mlmeta.unschedule_monitor('first')", 't', 'and can be taken back', user => 'one');

# A crash in the middle loses nothing, and a rerun completes.
$server->query('due', <<'SQL', user => 'one');
INSERT INTO first SELECT now() + i * interval '1 minute', 1 FROM generate_series(1, 180) AS i;
SQL
my $before = $server->query('due', 'SELECT count(*) FROM mlmeta.monitor_windows');
$server->psql('due', <<'SQL', user => 'one');
BEGIN;
SELECT count(*) FROM mlmeta.check_monitor('first', now() + interval '2 hours');
SELECT pg_terminate_backend(pg_backend_pid());
SQL
$server->restart('immediate');
$server->gives('due', 'SELECT count(*) FROM mlmeta.monitor_windows', $before, 'a check that was cut off leaves nothing');
$server->gives('due', "SELECT count(DISTINCT window_start) FROM mlmeta.check_monitor('first', now() + interval '2 hours')",
	'2', 'the next one does it all', user => 'one');

# The backend is killed while run_due() reads the second of three monitors: the
# first is done, of the second nothing is there, and a rerun completes.
$server->query('due', <<'SQL', user => 'one');
SET search_path = public, mlmeta;
SELECT drop_monitor(name) FROM monitors WHERE owner = 'one';
SQL
monitor(one => "killed_$_") foreach 1 .. 3;
my $done = "SELECT string_agg(m.name || ' ' || (SELECT count(*) > 15 FROM mlmeta.monitor_windows AS w WHERE w.monitor = m.id)"
  . " || ' ' || (SELECT count(*) > 0 FROM mlmeta.monitor_results AS r WHERE r.monitor = m.id), ', ' ORDER BY m.name)"
  . " FROM mlmeta.monitors AS m WHERE m.owner = 'one'";
$server->query('due', <<'SQL', user => 'one');
ALTER TABLE killed_2 RENAME TO killed_2_rows;
CREATE VIEW killed_2 AS SELECT * FROM killed_2_rows WHERE pg_sleep(0.5) IS NOT NULL;
SQL
my $child = fork() // die $!;
if ($child == 0)
{
	$server->psql('due', 'CALL mlmeta.run_due()', user => 'one');
	POSIX::_exit(0);
}
my $victim = '';
foreach (1 .. 100)
{
	$victim = $server->query('due', "SELECT pid FROM pg_stat_activity WHERE query ~ '^CALL' AND wait_event = 'PgSleep'");
	last if $victim;
	select undef, undef, undef, 0.2;
}
like($victim, qr/^\d+$/, 'run_due() is in the middle of it');
kill 'KILL', $victim;
waitpid $child, 0;
foreach (1 .. 100)
{
	last if ($server->psql('due', 'SELECT 1'))[0] == 0;
	select undef, undef, undef, 0.2;
}
$server->gives('due', $done, 'killed_1 true true, killed_2 false false, killed_3 false false',
	'what was committed stays, what was cut off leaves nothing');
$server->query('due', 'CREATE OR REPLACE VIEW killed_2 AS SELECT * FROM killed_2_rows', user => 'one');
$server->succeeds('due', 'CALL mlmeta.run_due()', 'a rerun comes to its end', user => 'one');
$server->gives('due', $done, 'killed_1 true true, killed_2 true true, killed_3 true true', 'and completes');
$server->gives('due', 'SELECT count(*) FROM mlmeta.due_monitors()', '0', 'nothing is left to do', user => 'one');
$server->stop;

SKIP:
{
	skip 'pg_cron is not installed', 4 unless $have_cron;
	$server = MlmetaCluster->new('cron', shared_preload_libraries => 'pg_cron',
		'cron.database_name' => 'due', 'cron.use_background_workers' => 'on',
		max_worker_processes => 20);
	$server->query('postgres', 'CREATE DATABASE due');
	$server->query('due', 'CREATE EXTENSION mlmeta; CREATE EXTENSION pg_cron');
	monitor(postgres => 'timed');
	$server->gives('due', "SELECT mlmeta.schedule_monitor('timed', '* * * * *') > 0", 't', 'there is a job');
	$server->gives('due', 'SELECT jobname, schedule, command FROM cron.job',
		"mlmeta timed|* * * * *|CALL mlmeta.run_due('timed')", 'it calls run_due()');
	my $there = 'f';
	foreach (1 .. 90)
	{
		$there = $server->query('due', 'SELECT count(*) > 15 FROM mlmeta.monitor_windows');
		last if $there eq 't';
		sleep 1;
	}
	is($there, 't', 'and within the minute the windows are there')
	  or diag($server->query('due', 'SELECT * FROM cron.job_run_details'));
	$server->query('due', "SELECT mlmeta.unschedule_monitor('timed')");
	$server->gives('due', 'SELECT count(*) FROM cron.job', '0', 'the job can be ended');
}

done_testing();
