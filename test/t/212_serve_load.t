# 64 clients at once: no request fails, no point is lost or there twice, and the
# gateway's memory stays what it was.
#
# For MLMETA_LOAD_SECONDS (10); the figures are notes, no test asserts a time.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use MlmetaClient;
use MlmetaCluster;
use MlmetaGateway;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'the program mlmeta is not built' unless MlmetaClient::present();

my $seconds = $ENV{MLMETA_LOAD_SECONDS} // 10;
my $clients = 64;
my $server = MlmetaCluster->new('serveload', max_connections => 100);
$server->query('postgres', 'CREATE DATABASE ml');
$server->query('postgres', 'ALTER DATABASE ml SET search_path = public, mlmeta');
$server->query('ml', 'CREATE EXTENSION mlmeta');
my $gateway = MlmetaGateway->new($server, 'ml', '--anonymous', 'postgres');
my (undef, $answer) = $gateway->api('POST', 'runs/create', { experiment_id => '0' });
my $run = $answer->{run}{info}{run_id};

sub memory
{
	open my $file, '<', "/proc/$gateway->{pid}/status" or return 0;
	return (map { /^VmRSS:\s+(\d+)/ ? $1 : () } <$file>)[0];
}

sub processor
{
	open my $file, '<', "/proc/$gateway->{pid}/stat" or return 0;
	my @fields = split ' ', <$file> =~ s/^.*\) //r;
	return ($fields[11] + $fields[12]) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

# Each client logs points and batches, and tells at the end how many were taken.
sub client
{
	my ($n, $end) = @_;
	my ($points, $wrong) = (0, 0);
	delete $gateway->{http};
	for (my $i = 0; time < $end; $i++)
	{
		my $size = $i % 10 == 9 ? 50 : 1;
		my @metrics = map { { key => "c$n", value => $points + $_, timestamp => 1_700_000_000_000 + $points + $_, step => $points + $_ } } 1 .. $size;
		my ($status) = $size == 1 ? $gateway->api('POST', 'runs/log-metric', { run_id => $run, %{ $metrics[0] } })
		  : $gateway->api('POST', 'runs/log-batch', { run_id => $run, metrics => \@metrics });
		$status == 200 ? ($points += $size) : $wrong++;
	}
	open my $file, '>', "$gateway->{home}/client$n" or die $!;
	print $file "$points $wrong\n";
	close $file;
	POSIX::_exit(0);
}

sub load
{
	my ($for) = @_;
	my $end = time + $for;
	my @children = map { my $n = $_; my $child = fork // die $!; client($n, $end) if !$child; $child } 1 .. $clients;
	waitpid $_, 0 for @children;
	my ($points, $wrong) = (0, 0);
	for my $n (1 .. $clients)
	{
		open my $file, '<', "$gateway->{home}/client$n" or next;
		my ($p, $w) = split ' ', <$file>;
		$points += $p;
		$wrong += $w;
	}
	return ($points, $wrong);
}

my ($warm) = load(2);
my $before = memory();
my $processor = processor();
my ($points, $wrong) = load($seconds);
my $used = processor() - $processor;
my $after = memory();
is($wrong, 0, "no request of $clients clients failed");
# Those of the first load are sent again by the second: they are the same.
is($server->query('ml', "SELECT count(*) = count(DISTINCT (key, step)) FROM metric_points WHERE run = '$run'"), 't', 'no point is there twice');
is($server->query('ml', "SELECT count(*) FROM metric_points WHERE run = '$run'") >= $points ? 'all' : 'less', 'all', 'and none is lost');
cmp_ok($after, '<', $before * 1.25 + 8192, 'memory does not grow');
note(sprintf '%d points in %d s, %.2f ms of the gateway a request, %d kB, then %d kB', $points, $seconds, $used * 1000 / ($points / 5.9 || 1), $before, $after);
is($gateway->stop, 0, 'it stops when told');

done_testing();
