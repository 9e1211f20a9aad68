# What the program said it has is stored once: whoever is killed, at whatever
# moment. MLMETA_KILLS sets the number of moments (20).

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use IO::Select;
use IPC::Open3;
use MlmetaClient;
use MlmetaCluster;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'the program mlmeta is not built' unless MlmetaClient::present();

my $kills = $ENV{MLMETA_KILLS} // 20;
my $seed = $ENV{MLMETA_SEED} // 20260101;
srand $seed;
diag("seed $seed") if $ENV{MLMETA_SEED};

# The cluster's usual settings forget commits when the server is killed. (What it
# wrote, the system still has.)
my $server = MlmetaCluster->new('durability', synchronous_commit => 'on');
$server->query('postgres', 'CREATE DATABASE ml');
$server->query('ml', 'CREATE EXTENSION mlmeta');
my $client = MlmetaClient->new($server, 'ml');

# A stream: lines go in, the number of lines kept comes out.
my ($pid, $in, $out, $sent_here, $base, $acknowledged);
my $sent = 0;        # steps ever written
my $known = 0;       # steps ever acknowledged, of those that were: a list of ranges
my @ranges;

sub begin
{
	my ($run) = @_;

	$client->in_environment(sub {
		open my $null, '>', '/dev/null' or die $!;
		$pid = open3($in, $out, '>&' . fileno($null), MlmetaClient::program(), 'log', '-', '--acknowledge', '--run', $run);
	});
	$in->autoflush(1);
	($sent_here, $base, $acknowledged) = (0, $sent, 0);
}

# read_acknowledgements(SECONDS): until there are none for so long.
my $pending = '';

sub read_acknowledgements
{
	my ($wait) = @_;
	my $select = IO::Select->new($out);

	while ($select->can_read($wait))
	{
		last unless sysread($out, my $data, 65536);
		$pending .= $data;
		$acknowledged = $1 while $pending =~ s/^(\d+)\n//;
	}
}

sub end
{
	push @ranges, [ $base + 1, $base + $acknowledged ] if $acknowledged > 0;
	$pending = '';
	close $in;
	close $out;
	waitpid($pid, 0);
}

sub write_lines
{
	my ($n) = @_;

	local $SIG{PIPE} = 'IGNORE';
	for (1 .. $n)
	{
		my $step = $sent + 1;
		last unless print $in "step=$step v=$step.5\n";
		$sent++;
	}
}

# The server, without a farewell. The processes below it end when they notice,
# and only then can it be started again: all of them live in its directory.
sub kill_server
{
	my $data = "$server->{host}/data";
	open my $file, '<', "$data/postmaster.pid" or die $!;
	kill 'KILL', <$file> + 0;
	for (1 .. 600)
	{
		last unless grep { (readlink($_) // '') eq $data } glob '/proc/[0-9]*/cwd';
		sleep 0.05;
	}
	# Where init is slow to bury it, the next server would take it for alive.
	unlink "$server->{host}/data/postmaster.pid", glob "$server->{host}/.s.PGSQL.*.lock";
}

sub kill_backend
{
	my $backend = $server->query('postgres',
		q{SELECT pid FROM pg_stat_activity WHERE application_name = 'mlmeta' LIMIT 1});
	kill 'KILL', $backend if $backend;
}

my $run = '00000000000070008000000000000001';
$server->query('ml', "SELECT mlmeta.start_run('durability', id => '$run')");
begin($run);
my %killed;
for my $moment (1 .. $kills)
{
	my $until = time + rand(0.4);
	while (time < $until)
	{
		write_lines(1 + int rand 200);
		read_acknowledgements(rand(0.02));
	}
	my $victim = (qw(client server backend client))[ $moment % 4 ];
	$killed{$victim}++;
	if ($victim eq 'client')
	{
		kill 'KILL', $pid;
		read_acknowledgements(0.01);
		end();
		begin($run);
	}
	elsif ($victim eq 'backend')
	{
		kill_backend();
	}
	else
	{
		kill_server();
		write_lines(100);
		read_acknowledgements(0.1);
		$server->restart('immediate');
	}
}
write_lines(100);
read_acknowledgements(0.5);
end();
my ($status, $out_text, $err) = $client->mlmeta('sync');
is($status, 0, "after $kills kills, all that waits is sent") or diag($out_text, $err);
is(join(' ', $client->spool_count), '0 0', 'nothing waits and nothing was refused');

my %count;
$count{$_}++ for split /\n/, $server->query('ml', 'SELECT step FROM mlmeta.metric_points');
my @lost = grep { !$count{$_} } map { $_->[0] .. $_->[1] } @ranges;
my @doubled = grep { $count{$_} > 1 } sort { $a <=> $b } keys %count;
my $acknowledged_in_all = 0;
$acknowledged_in_all += $_->[1] - $_->[0] + 1 for @ranges;
is(scalar(@lost), 0, "none of $acknowledged_in_all acknowledged points is lost") or diag("step $lost[0] and others");
is(scalar(@doubled), 0, "none of " . keys(%count) . " points is there twice") or diag("step $doubled[0] and others");
cmp_ok($acknowledged_in_all, '>', 1000, 'there were points to be lost');
is($server->query('ml', 'SELECT count(*) FROM mlmeta.metric_points WHERE value <> step + 0.5'),
	0, 'each has its value');
is(join(' ', map { "$_" } sort keys %killed), 'backend client server', 'all were killed');

# A training goes on while the server is away, and is recorded once.
my $child = <<'PERL';
use Time::HiRes qw(sleep);
open my $log, '>>', $ENV{MLMETA_LOG} or die $!;
$log->autoflush(1);
for (1 .. 60) { print $log "{\"loss\": 0.$_, \"step\": $_}\n"; sleep 0.05 }
PERL
my $background = fork // die $!;
if ($background == 0)
{
	sleep 0.8;
	kill_backend();
	sleep 0.5;
	kill_server();
	sleep 0.7;
	$server->restart('immediate');
	require POSIX;
	POSIX::_exit(0);
}
($status, $out_text, $err) = $client->mlmeta('run', '--experiment', 'crash', '--wait', '30', '--', $^X, '-e', $child);
waitpid($background, 0);
is($status, 0, 'a training whose server is killed twice succeeds') or diag($err);
$client->mlmeta('sync');
is( $server->query('ml', q{SELECT count(*), count(DISTINCT p.step), min(r.status) FROM mlmeta.run_overview AS r
		JOIN mlmeta.metric_points AS p ON p.run OPERATOR(mlmeta.=) r.run AND p.key = 'loss' WHERE r.experiment = 'crash'}),
	'60|60|finished', 'each of its points is there once, and its end');

# The same without any server until the end.
$client->{env}{PGPORT} = 1;
($status, $out_text, $err) = $client->mlmeta('run', '--experiment', 'away', '--wait', '1', '--tag', 'where=train',
	'--', $^X, '-e', 'open L, ">", $ENV{MLMETA_LOG}; print L "m=$_\n" for 1..3');
is($status, 0, 'without a server the command runs all the same');
like($err, qr/cannot be reached/, 'it is said that there is none');
like($err, qr/\d+ facts wait in ".*spool.*mlmeta sync/s, 'and what to do later');
my ($waiting) = $client->spool_count;
cmp_ok($waiting, '>=', 4, 'the facts wait');
($status) = $client->mlmeta('sync');
is($status, 69, 'sync without a server is exit code 69');
($status, $out_text, $err) = $client->mlmeta('sync', '--all');
is($status, 69, 'also of all spools');

# A spool belongs to one server.
rename $_, $_ =~ s/%3A1%2F|:1%/:$server->{port}%/r for glob "$client->{home}/spool/*";
$client->{env}{PGPORT} = $server->{port};
($status, $out_text, $err) = $client->mlmeta('sync');
is($status, 0, 'what waited is sent when there is a server') or diag($out_text, $err);
is( $server->query('ml', q{SELECT r.status, r.tags ->> 'where', (SELECT array_agg(p.value ORDER BY p.step) FROM mlmeta.metric_points AS p
		WHERE p.run OPERATOR(mlmeta.=) r.run AND p.key = 'm') FROM mlmeta.run_overview AS r WHERE r.experiment = 'away'}),
	'finished|train|{1,2,3}', 'and is as if it had been there');

done_testing();
