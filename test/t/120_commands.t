# The commands that show and decide: tables for people, JSON for machines, help
# for who asks; and no access to memory that is not the program's.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use JSON::PP qw(decode_json);
use MlmetaClient;
use MlmetaCluster;
use Test::More;

plan skip_all => 'the program mlmeta is not built' unless MlmetaClient::present();

my $server = MlmetaCluster->new('commands');
$server->query('postgres', 'CREATE DATABASE ml');
$server->query('ml', 'CREATE EXTENSION mlmeta');
my $client = MlmetaClient->new($server, 'ml');
my $root = MlmetaClient::root();
my ($status, $out, $err);

# Help, manual page, completions ---------------------------------------------------------

($status, $out) = $client->mlmeta('--help');
my @commands = $out =~ /^  (\w+) +\S/mg;
@commands = grep { $_ ne 'mlmeta' && $_ ne 'completion' } @commands;
cmp_ok(scalar(@commands), '>=', 18, 'the program lists its commands');
my $manual = $client->read('mlmeta.1', "$root/src/client");
(my $plain = $manual) =~ s/\\-/-/g;
for my $command (@commands)
{
	($status, $out) = $client->mlmeta($command, '--help');
	is($status, 0, "mlmeta $command --help");
	my @options = $out =~ m{^\s+(?:-\S, |    )--([a-z][a-z-]+)}mg;
	like($out, qr/^mlmeta $command .*\.\n\nUsage:\n  mlmeta $command \[OPTION\]/, "$command: help in the manner of psql's");
	my @absent = grep { $plain !~ /--\Q$_\E\b/ } @options;
	is("@absent", '', "$command: all its options are in the manual page");
	is((grep { length > 110 } split /\n/, $out)[0], undef, "$command: no line of help is too long");
	like($plain, qr/^\.SS "?mlmeta $command\b/m, "$command: is in the manual page");
}
for my $shell (qw(bash zsh fish))
{
	($status, $out) = $client->mlmeta('completion', $shell);
	is((grep { $out !~ /\b$_\b/ } @commands)[0], undef, "completions for $shell know all commands");
	like($out, qr/params-from-command/, "and options");
  SKIP:
	{
		skip "$shell is not installed", 1 if ($client->command([ 'sh', '-c', "command -v $shell" ]))[0] != 0;
		my ($bad, undef, $why) = $client->command([ $shell, '-n', $client->write("completion.$shell", $out) ]);
		is($bad, 0, "$shell reads them") or diag($why);
	}
}
($status, $out) = $client->command([ 'bash', '-c', '. ./completion.bash; COMP_WORDS=(mlmeta run --para); COMP_CWORD=2; _mlmeta; echo "${COMPREPLY[@]}"' ]);
is($out, "--param --params-from-command\n", 'bash completes an option');
SKIP:
{
	skip 'mandoc is not installed', 1 if ($client->command([ 'sh', '-c', 'command -v mandoc' ]))[0] != 0;
	($status, $out, $err) = $client->command([ 'mandoc', '-T', 'lint', '-W', 'warning', "$root/src/client/mlmeta.1" ]);
	is($out, '', 'the manual page is well made');
}
is(($client->mlmeta('--version'))[1], "mlmeta " . $server->query('ml', q{SELECT extversion FROM pg_extension WHERE extname = 'mlmeta'}) . "\n", 'version');

# Building and installing: where a library is missing, one line says so, and no more.
{
	my $make = "make --no-print-directory -s -C '$root/src/client' PG_CONFIG='$server->{bindir}/pg_config'";
	($status, $out, $err) = $client->command([ 'sh', '-c', "$make missing=libjansson-dev install" ]);
	is("$status $out$err", "0 the program mlmeta is not built, for want of libjansson-dev; the extension needs none of them\n",
		'without a library nothing fails');
	($status, $out, $err) = $client->command([ 'sh', '-c', "$make DESTDIR='$client->{home}/stage' install && find '$client->{home}/stage' -type f" ]);
	is(scalar(() = $out =~ m{/(?:bin/mlmeta|man1/mlmeta\.1|completions/mlmeta|_mlmeta|mlmeta\.fish)$}mg), 5,
		'program, manual page and completions are installed') or diag($out, $err);
}

# Something to show ----------------------------------------------------------------------------

$client->write('model.bin', 'weights');
$client->mlmeta('run', '-e', 'churn', '-n', 'one', '--param', 'depth=6', '--input', 'dataset:orders:v1', '--output', 'model:churn:v1=model.bin',
	'--metric', 'loss=([0-9.]+)', '--', 'sh', '-c', 'for i in 9 7 5 3 1; do echo loss=0.$i; done');
$client->mlmeta('run', '-e', 'churn', '-n', 'two', '--param', 'depth=7', '--tag', 'who=anna', '--metric', 'loss=([0-9.]+)', '--', 'sh', '-c', 'echo loss=0.2; exit 1');
my $one = $server->query('ml', q{SELECT run FROM mlmeta.runs WHERE name = 'one'});
my $two = $server->query('ml', q{SELECT run FROM mlmeta.runs WHERE name = 'two'});
$server->query('ml', <<SQL);
SELECT mlmeta.create_model('churn');
SELECT mlmeta.create_model_version('churn', '$one', ('model:churn:v1\@sha256:' || encode(sha256('weights'), 'hex'))::mlmeta.artifact);
SELECT mlmeta.create_model_version('churn', NULL, NULL, 's3://2');
CREATE TABLE predictions AS SELECT '2026-01-01'::timestamptz + n * interval '10 minutes' AS at,
	(hashint8(n) & 1023) / 10.0 + CASE WHEN n > 144 * 8 THEN 60 ELSE 0 END AS score
FROM generate_series(0, 144 * 10) AS n;
SELECT mlmeta.create_monitor('scores', 'public.predictions', 'at', '1 day');
SELECT mlmeta.set_baseline('scores', '2026-01-01', '2026-01-06');
CREATE ROLE ben LOGIN;
SQL
$server->query('ml', q{SELECT mlmeta.setup_roles('ml'); GRANT ml_reviewer TO ben});

# shows([ARGUMENT, ...], STATUS, PATTERN, ...): each pattern is in the output.
sub shows
{
	my ($arguments, $wanted, @patterns) = @_;

	($status, $out, $err) = $client->mlmeta(@$arguments);
	is($status, $wanted, "mlmeta @$arguments") or diag($err);
	like($out, $_, '... shows what it should') for @patterns;
}

# gives([ARGUMENT, ...], CODE): JSON of which the code says true.
sub gives
{
	my ($arguments, $code) = @_;

	($status, $out, $err) = $client->mlmeta(@$arguments, '--json');
	my $json = eval { decode_json($out) };
	ok($json, "mlmeta @$arguments --json is JSON") or diag($out, $err);
	ok($json && $code->($json), '... that says what it should') or diag($out);
}

shows([ 'runs' ], 0, qr/two .*failed.*\n.*one .*finished/s, qr/^\(2 rows\)/m, qr/loss=0.1/);
shows([ 'runs', 'churn', '--status', 'failed' ], 0, qr/^\(1 row\)/m);
shows([ 'runs', 'churn', '--tag', 'who=anna', '-n', '1' ], 0, qr/^\(1 row\)/m);
shows([ 'runs', 'nothing' ], 0, qr/^\(0 rows\)/m);
gives([ 'runs', 'churn' ], sub { $_[0][1]{name} eq 'one' && $_[0][1]{params}{depth} == 6 });
shows([ 'show', 'one' ], 0, qr/status\s+\| finished/, qr/param \| depth \| 6/, qr/loss\s+\|\s+4 \|\s+0.1 \| █▇▅▃▁/);
shows([ 'show', $one, '--log' ], 0, qr/^loss=0.9\nloss=0.7/);
shows([ 'show', $one, '--patch' ], 1);
shows([ 'show', 'two', '--environment' ], 0, qr/"cpus":/);
gives([ 'show', $two ], sub { $_[0][0]{source}{end}{exit_code} == 1 && $_[0][0]{environment}{host}{name} });
shows([ 'compare', 'one', 'two' ], 0, qr/param\s*\| depth\s*\| 6\s*\| 7/, qr/metric\s*\| loss\s*\| 0.1\s*\| 0.2/);
gives([ 'compare', 'one', 'two' ], sub { (grep { $_->{key} eq 'depth' && $_->{$one} eq '6' } @{ $_[0] }) });
shows([ 'diff', 'one', 'two' ], 0, qr/param\s*\| depth\s*\| 6\s*\| 7/, qr/Code: .* says no commit/);
gives([ 'diff', 'one', 'two' ], sub { (grep { $_->{kind} eq 'param' && $_->{b} eq '7' } @{ $_[0] }) });
shows([ 'lineage', 'one' ], 0, qr/dataset:orders:v1/);
shows([ 'lineage', 'dataset:orders:v1', '--downstream' ], 0, qr/model:churn:v1/);
shows([ 'lineage', 'dataset:orders:v1', '--downstream', '--dot' ], 0, qr/digraph/, qr/model:churn/);
shows([ 'lineage', $one, '--mermaid' ], 0, qr/dataset:orders/);
gives([ 'lineage', $one ], sub { $_[0][0]{node} eq 'dataset:orders:v1' });
shows([ 'models' ], 0, qr/churn \| default\s*\|\s+2/);
shows([ 'models', 'churn' ], 0, qr/^\s+1 \| none/m, qr/model:churn:v1/);
shows([ 'models', 'nothing' ], 1);
shows([ 'models', 'churn', '--record', '1' ], 0, qr/"params": \{"depth": 6\}/);
shows([ 'promote', 'churn', 'latest', 'staging', '--comment', 'try' ], 0, qr/^Request 1: version 2 of "churn" may go to staging when 1 approves/);
shows([ 'promote', 'churn', '1', 'staging', '--check' ], 0);
shows([ 'promote', 'churn', 'no-alias', 'staging' ], 70);
shows([ 'approve' ], 0, qr/1 \| churn \|\s+2 \| none \| staging/);
gives([ 'approve' ], sub { $_[0][0]{status} eq 'pending' });
shows([ 'approve', '1', '-U', 'ben' ], 0, qr/^Request 1: completed/);
shows([ 'models', 'churn', '--history' ], 0, qr/staging \|\s+2/);
$client->mlmeta('promote', 'churn', '1', 'production');
shows([ 'approve', '2', '--reject', '-c', 'no', '-U', 'ben' ], 0, qr/^Request 2: rejected/);
shows([ 'alerts' ], 0, qr/^\(0 rows\)/m);
shows([ 'check', 'scores', '--until', '2026-01-11' ], 1, qr/score\s*\| ks\s.*drift/);
shows([ 'check', 'scores', '--until', '2026-01-11', '--all' ], 0);
shows([ 'check', '--due' ], 0);
shows([ 'check', 'nothing' ], 70);
gives([ 'alerts', 'scores' ], sub { $_[0][0]{feature} eq 'score' });
my $alert = decode_json($out)->[0]{alert};
shows([ 'alerts' ], 1, qr/scores\s+\| score/);
shows([ 'alerts', 'explain', $alert ], 0, qr/"feature": "score"/);
shows([ 'alerts', 'acknowledge', $alert, '-c', 'seen' ], 0);
shows([ 'alerts', 'snooze', $alert, '--until', '2030-01-01' ], 0);
shows([ 'alerts', 'snooze', $alert ], 64);
shows([ 'alerts', 'resolve', $alert ], 0);
shows([ 'report', 'scores', '-o', 'scores.html' ], 0);
like($client->read('scores.html'), qr/^<!doctype html>.*<\/html>\s*\z/is, '... a page');
shows([ 'doctor' ], 1, qr/problem\s+settings\s+fsync is off\n\s+-> .*fsync = on/, qr/ok\s+extension/, qr/ok\s+clock/, qr/ok\s+privileges\s+postgres may read, record runs/);
gives([ 'doctor' ], sub { (grep { $_->{what} eq 'spool' && $_->{health} eq 'ok' } @{ $_[0] }) });
shows([ 'doctor', '-U', 'ben' ], 1, qr/warning\s+privileges\s+ben may read/);
shows([ 'doctor', '-d', 'postgres' ], 1, qr/problem\s+extension.*\n\s+-> CREATE EXTENSION mlmeta/);
shows([ 'doctor', '-p', '1' ], 1, qr/problem\s+server/);
shows([ 'runs', '-d', "host=$server->{host} port=$server->{port} user=postgres dbname=ml" ], 0, qr/^\(2 rows\)/m);
shows([ 'runs', '-d', "postgresql:///ml?host=$server->{host}&port=$server->{port}&user=postgres" ], 0, qr/^\(2 rows\)/m);
shows([ 'runs', '-d', 'postgres' ], 70);
shows([ 'runs', '-p', '1' ], 69);
shows([ 'runs', '-d', 'service=nowhere' ], 69);

# Colours on a terminal alone
SKIP:
{
	skip 'IO::Pty is not installed', 2 unless eval { require IO::Pty };
	my @screens;
	for my $no ('', '1')
	{
		local @{ $client->{env} }{qw(NO_COLOR TERM PAGER)} = ($no, 'xterm', 'cat');
		my $screen = '';
		$client->in_environment(sub {
			IPC::Run::run([ MlmetaClient::program(), 'runs' ], '<', \undef, '>pty>', \$screen, IPC::Run::timeout(60));
		});
		push @screens, $screen;
	}
	like($screens[0], qr/\e\[31m.*failed.*\e\[0m/, 'a failed run is red on a terminal');
	unlike($screens[1], qr/\e\[/, 'unless NO_COLOR says no');
}
unlike(($client->mlmeta('runs'))[1], qr/\e\[/, 'and nowhere else');

# Valgrind -----------------------------------------------------------------------------------------

SKIP:
{
	my @calls = (
		[ 'run', '-q', '--param', 'a=0.1', '--metric', 'x=([0-9]+)', '--input', 'dataset:a', '--output', 'model.bin', '--params-from-command',
			'--', 'sh', '-c', 'echo x=1 --a b; echo "{\"loss\": NaN}" > $MLMETA_LOG; printf "\377\n" > $MLMETA_LOG' ],
		[ 'run', '-q', '--', 'there-is-no-such-command' ], [ 'run', '-q', '--wait', '1', '-p', '1', '--', 'true' ],
		[ 'log', 'metric', 'a=1', '--run', $one ], [ 'log', '-', '--run', $one ], [ 'sync' ], [ 'runs' ], [ 'runs', '--json' ], [ 'show', 'one' ],
		[ 'compare', 'one', 'two' ], [ 'diff', 'one', 'two' ], [ 'reproduce', 'one', '--into', 'again' ], [ 'lineage', 'one' ], [ 'models', 'churn' ],
		[ 'alerts' ], [ 'approve' ], [ 'doctor' ], [ 'deliver', '--exec', 'cat', '--from-start' ], [ 'retrain' ], [ 'run', '--help' ], [ 'completion', 'zsh' ]);
	skip 'valgrind is not installed', scalar(@calls) if ($client->command([ 'sh', '-c', 'command -v valgrind' ]))[0] != 0;
	for my $call (@calls)
	{
		($status, $out, $err) = $client->command(
			[ 'valgrind', '-q', '--error-exitcode=99', '--leak-check=no', '--child-silent-after-fork=yes', MlmetaClient::program(), @$call ],
			stdin => qq({"a": 1.5, "step": 3}\nb=2\n), timeout => 120);
		unlike($err, qr/^==\d+==/m, "valgrind finds nothing wrong with mlmeta @$call");
	}
}

done_testing();
