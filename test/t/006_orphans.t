# Nothing is left behind: eight clients add to projects, experiments, runs,
# models and monitors, at every isolation level, while others remove for good what
# they add to. No row is without what it belongs to, though no foreign key says so.

use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::RealBin/lib";

use MlmetaCluster;
use Test::More;

my $server = MlmetaCluster->new('orphans', deadlock_timeout => '100ms');
my $files = tempdir(CLEANUP => 1);
my $transactions = $ENV{MLMETA_ORPHAN_TRANSACTIONS} // 60;

$server->query('postgres', 'CREATE DATABASE load');
$server->query('load', <<'SQL');
CREATE EXTENSION mlmeta;
CREATE TABLE source AS SELECT now() - g * interval '1 hour' AS at, g AS x FROM generate_series(1, 200) AS g;
CREATE TABLE did (what text, outcome text, n bigint, PRIMARY KEY (what, outcome));
-- What somebody removed meanwhile is not there; what cannot be serialized, or
-- waits for itself, would be tried again. All else fails the test.
CREATE FUNCTION note(what text, outcome text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO public.did AS d VALUES (what, outcome, 1) ON CONFLICT ON CONSTRAINT did_pkey DO UPDATE SET n = d.n + 1 $$;
CREATE PROCEDURE attempt(what text, command text) LANGUAGE plpgsql AS $$
DECLARE
	outcome text := 'done';
BEGIN
	BEGIN
		EXECUTE command;
	EXCEPTION WHEN OTHERS THEN
		outcome := SQLSTATE || CASE WHEN SQLSTATE ~ '^(42704|42710|55000|40001|40P01|23503|55P03|25001|22004)' THEN '' ELSE ' ' || SQLERRM END;
	END;
	PERFORM set_config('load.outcome', outcome, false), set_config('load.what', what, false);
END $$;
SQL

# Each script is one transaction at the isolation level; what came of it is
# noted in another, so that nothing else waits.
my %scripts = (
	add => <<'SQL',
\set experiment random(1, 4)
\set part random(1, 9)
BEGIN ISOLATION LEVEL :level;
CALL attempt('add', format($c$
DO $d$
DECLARE r mlmeta.run; other mlmeta.run; data mlmeta.artifact;
BEGIN
	-- An own snapshot that is old, where the level keeps one
	PERFORM count(*) FROM mlmeta.runs;
	PERFORM pg_sleep(random() / 50);
	r := mlmeta.start_run('e' || %1$s, params => '{"a": 1}', tags => '{"b": "c"}', source => jsonb_build_object('patch', 'p' || %2$s, 'environment', jsonb_build_object('e', %2$s)));
	PERFORM mlmeta.log_metrics(r, '{"m": 1}'), mlmeta.log_series(r, 's', '{1,2,3}', '{1,2,3}');
	SELECT run INTO other FROM mlmeta.runs WHERE deleted_at IS NULL ORDER BY random() LIMIT 1;
	IF %2$s < 3 THEN
		PERFORM mlmeta.delete_run(r);
	ELSIF %2$s < 5 THEN
		PERFORM mlmeta.finish_run(r);
	ELSIF %2$s < 8 AND other IS NOT NULL THEN
		PERFORM pg_sleep(random() / 50);
		PERFORM mlmeta.log_params(other, jsonb_build_object('k' || %2$s, 1)), mlmeta.log_metrics(other, '{"n": 2}'), mlmeta.set_tags(other, '{"x": "y"}');
		PERFORM mlmeta.use_artifact(other, ('dataset:d:' || %2$s)::mlmeta.artifact), mlmeta.log_artifact(other, ('model:m:' || other::text)::mlmeta.artifact, 's3://x');
		PERFORM mlmeta.log_samples(other, '{1,2}', '{0.1,0.9}', '{0,1}');
	END IF;
END $d$ $c$, :experiment, :part));
COMMIT;
SELECT note(current_setting('load.what'), current_setting('load.outcome'));
SQL
	register => <<'SQL',
\set model random(1, 3)
BEGIN ISOLATION LEVEL :level;
CALL attempt('register', format($c$
DO $d$
DECLARE r mlmeta.run;
BEGIN
	SELECT run INTO r FROM mlmeta.runs WHERE deleted_at IS NULL ORDER BY random() LIMIT 1;
	PERFORM pg_sleep(random() / 30);
	PERFORM mlmeta.create_model_version('m' || %1$s, r, NULL, 's3://x');
	PERFORM mlmeta.request_retraining('m' || %1$s);
	PERFORM mlmeta.set_alias('m' || %1$s, 'newest', 1);
END $d$ $c$, :model));
COMMIT;
SELECT note(current_setting('load.what'), current_setting('load.outcome'));
SQL
	watch => <<'SQL',
\set monitor random(1, 3)
BEGIN ISOLATION LEVEL :level;
CALL attempt('watch', format($c$
DO $d$
BEGIN
	IF NOT EXISTS (SELECT FROM mlmeta.monitors WHERE name = 'w' || %1$s) THEN
		PERFORM mlmeta.create_monitor('w' || %1$s, 'source', 'at', '1 day', segments => '{"odd": "x %% 2"}');
	END IF;
	PERFORM mlmeta.set_baseline('w' || %1$s, now() - interval '9 days', now() - interval '6 days');
	PERFORM mlmeta.set_rule('w' || %1$s, measure => 'ks', tolerance => random());
	PERFORM pg_sleep(random() / 50);
	PERFORM count(*) FROM mlmeta.check_monitor('w' || %1$s);
	PERFORM count(*) FROM mlmeta.take_alerts('pager');
END $d$ $c$, :monitor));
COMMIT;
SELECT note(current_setting('load.what'), current_setting('load.outcome'));
SQL
	remove => <<'SQL',
\set experiment random(1, 4)
\set part random(1, 10)
BEGIN ISOLATION LEVEL :level;
CALL attempt('remove', CASE WHEN :part < 5 THEN 'SELECT mlmeta.purge_runs(''0'')'
	WHEN :part < 8 THEN format('SELECT mlmeta.purge_experiment(''e%s'')', :experiment)
	ELSE format('SELECT mlmeta.drop_monitor(''w%s'')', 1 + :experiment % 3) END);
COMMIT;
SELECT note(current_setting('load.what') || ' ' || current_setting('transaction_isolation'), current_setting('load.outcome'));
SQL
);
$server->query('load', "SELECT mlmeta.create_model('m' || n) FROM generate_series(1, 3) AS n");
for my $script (keys %scripts)
{
	open(my $file, '>', "$files/$script.sql") or die $!;
	print $file $scripts{$script};
	close $file;
}

for my $level ('read committed', 'repeatable read', 'serializable')
{
	# Removing on an old snapshot is refused, so each level has removers that
	# can, and one that is refused.
	my ($status, $out, $err) = $server->program(
		[
			'pgbench', '-n', '-c8', '-j2', '-t', $transactions, '--max-tries=5', '-D', "level=$level",
			'-f', "$files/add.sql\@5", '-f', "$files/register.sql\@1", '-f', "$files/watch.sql\@1",
			'-f', "$files/remove.sql\@1", 'load'
		]) if $level eq 'read committed';
	if ($level ne 'read committed')
	{
		# Two kinds of clients at once: those who add, on old snapshots, and those
		# who remove.
		require IPC::Run;
		local %ENV = %ENV;
		@ENV{qw(PGHOST PGPORT PGUSER)} = ($server->{host}, $server->{port}, 'postgres');
		my ($said, $removed) = ('', '');
		my $removers = IPC::Run::start([ "$server->{bindir}/pgbench", '-n', '-c2', '-t', $transactions, '-D', 'level=read committed', '-f', "$files/remove.sql", 'load' ],
			'<', \undef, '>&', \$removed);
		my $adders = IPC::Run::start([ "$server->{bindir}/pgbench", '-n', '-c6', '-j2', '-t', $transactions, '--max-tries=5', '-D', "level=$level",
				'-f', "$files/add.sql\@6", '-f', "$files/register.sql\@1", '-f', "$files/watch.sql\@1", '-f', "$files/remove.sql\@1", 'load' ],
			'<', \undef, '>&', \$said);
		$removers->finish;
		$adders->finish;
		($status, $err) = ($adders->full_result(0), "$said$removed");
	}
	is($status, 0, "$level: the clients come to their end") or diag($err);
	$server->gives('load', "SELECT what, outcome FROM did WHERE outcome ~ ' '", '', "$level: no other error");
	$server->gives('load', 'SELECT * FROM mlmeta_internal.orphans()', '', "$level: no row is without what it belongs to");
}
cmp_ok($server->query('load', "SELECT sum(n) FROM did WHERE what LIKE 'remove%' AND outcome = 'done'"), '>', 20, 'something was removed');
cmp_ok($server->query('load', "SELECT sum(n) FROM did WHERE what = '$_' AND outcome = 'done'"), '>', 10, "and some did $_")
  for qw(add register watch);
note($server->query('load', 'SELECT * FROM did ORDER BY 1, 2'));
$server->gives('load', 'SELECT problem, object FROM mlmeta.doctor()', '', 'the doctor finds nothing');

done_testing();
