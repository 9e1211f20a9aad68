# mlmeta run and log: the child is left as it is, whatever happens to us, and
# what happens to it is recorded.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Digest::SHA qw(sha256_hex);
use File::Copy qw(copy);
use IPC::Run qw(start finish timeout);
use MlmetaClient;
use MlmetaCluster;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'the program mlmeta is not built' unless MlmetaClient::present();

my $server = MlmetaCluster->new('run');
$server->query('postgres', 'CREATE DATABASE ml');
$server->query('postgres', 'ALTER DATABASE ml SET search_path = public, mlmeta');
$server->query('ml', 'CREATE EXTENSION mlmeta');
my $client = MlmetaClient->new($server, 'ml');
my ($status, $out, $err);

# recorded(NAME, EXPRESSION): an expression over the run of that name.
sub recorded
{
	my ($name, $expression) = @_;

	return $server->query('ml', "SELECT $expression FROM runs AS r JOIN run_overview AS o ON o.run = r.run WHERE r.name = '$name'");
}

# Exit codes and outcomes --------------------------------------------------------

for ([ 'good', 'exit 0', 0, 'finished', 'exit_code', 0 ],
	[ 'bad', 'exit 3', 3, 'failed', 'exit_code', 3 ],
	[ 'terminated', 'kill -TERM $$', 143, 'killed', 'signal', 'SIGTERM' ],
	[ 'crashed', 'kill -SEGV $$', 139, 'crashed', 'signal', 'SIGSEGV' ])
{
	my ($name, $script, $code, $outcome, $key, $value) = @$_;
	($status) = $client->mlmeta('run', '-n', $name, '-e', 'codes', '--', 'sh', '-c', $script);
	is($status, $code, "$name: the exit code is the child's");
	is(recorded($name, "r.status || ' ' || (r.source #>> '{end,$key}')"), "$outcome $value", "$name: the outcome is recorded");
}
($status, $out, $err) = $client->mlmeta('run', '-n', 'nothing', '--', 'there-is-no-such-command');
is($status, 127, 'a command that is not there is 127');
like($err, qr/cannot be executed: No such file/, 'and that is said');
is(recorded('nothing', 'r.status'), 'failed', 'and recorded as failed');
$client->write('plain.txt', 'text');
($status) = $client->mlmeta('run', '--', './plain.txt');
is($status, 126, 'what cannot be executed is 126');
($status, $out, $err) = $client->mlmeta('run');
is($status, 64, 'no command at all is wrong usage');

# Input, output, arguments ---------------------------------------------------------

my $bytes = join '', map { chr } 0 .. 255;
($status, $out, $err) = $client->mlmeta('run', '-q', '-n', 'bytes', '--', 'sh', '-c', 'cat; printf "on\377err" >&2', { stdin => $bytes x 1000 });
is($out, $bytes x 1000, 'standard input and output pass as they are');
like($err, qr/on\xFFerr/, 'and so does standard error');
unlike($out, qr/on\xFFerr/, 'apart from each other');
like(recorded('bytes', "length(r.source #>> '{end,log_tail}') > 1000"), qr/t/, 'the tail is text whatever was written');
$client->mlmeta('run', '-n', 'words', '--', 'printf', '%s', 'a b', '', "it's", '--', 'x');
is(recorded('words', 'r.command_line'), q{printf %s 'a b' '' 'it'\''s' -- x}, 'the command line can be given to a shell');

SKIP:
{
	skip 'IO::Pty is not installed', 2 unless eval { require IO::Pty };
	my ($screen, $all) = ('', '');
	$client->in_environment(sub {
		my $h = start([ MlmetaClient::program(), 'run', '-q', '-n', 'terminal', '--', 'sh', '-c', 'test -t 1 && test -t 2 && echo a terminal' ],
			'<pty<', \undef, '>pty>', \$screen, timeout(60));
		finish $h;
	});
	like($screen, qr/a terminal\r\n/, 'where we have a terminal, the child has one');
	is(recorded('terminal', 'r.status'), 'finished', 'and is recorded');
}

# Signals ----------------------------------------------------------------------------

{
	my $h;
	my ($o, $e) = ('', '');
	$client->in_environment(sub {
		$h = start([ MlmetaClient::program(), 'run', '-n', 'told', '--', $^X, '-e',
			'$SIG{TERM} = sub { print "asked to end\n"; exit 7 }; $| = 1; print "ready\n"; sleep 30' ],
			'<', \undef, '>', \$o, '2>', \$e, timeout(60));
		$h->pump until $o =~ /ready/;
		$h->signal('TERM');
		$h->finish;
	});
	is($h->result(0), 7, 'a signal is passed on, and the child decides');
	like($o, qr/asked to end/, 'and has its say');
}

# A child that forks and dies
my $began = time;
($status, $out, $err) = $client->mlmeta('run', '-n', 'forks', '--', 'sh', '-c', 'sleep 60 & echo started', { timeout => 50 });
is("$status $out", "0 started\n", 'a child that forks and dies has ended');
cmp_ok(time - $began, '<', 30, 'although another process holds its output');
like($err, qr/a process that it started still holds its output/, 'and that is said');

# Places -------------------------------------------------------------------------------

is(recorded('good', "r.source ->> 'no_repository'"), 'not in a git repository', 'outside of a repository there is no code');
{
	local $client->{env}{PATH} = "$client->{home}/bin";
	mkdir "$client->{home}/bin";
	symlink "/bin/$_", "$client->{home}/bin/$_" for qw(sh true);
	($status) = $client->mlmeta('run', '-n', 'gitless', '--', 'true');
	is($status, 0, 'without git the command runs');
	is(recorded('gitless', "r.source ->> 'no_repository'"), 'git is not installed', 'and that is recorded');
}
$client->git('init', '-q');
$client->write('a.txt', "new\n");
$client->mlmeta('run', '-n', 'unborn', '--', 'true');
is(recorded('unborn', "o.has_patch || ' ' || coalesce(r.git_commit, 'none')"), 'true none', 'a repository without a commit is all patch');
$client->git('add', 'a.txt');
$client->git('commit', '-q', '-m', 'one');
$client->git('remote', 'add', 'origin', 'https://anna:secret@example.org/code.git');
$client->mlmeta('run', '-n', 'clean', '--', 'true');
is(recorded('clean', "r.repository || ' ' || o.has_patch"), 'https://example.org/code.git true', 'the address is recorded without the password');
$client->write("many/$_.txt", 'x' x 100 . "\n") for 1 .. 20;
($status) = $client->mlmeta('run', '-n', 'limits', '--patch-limit', '500', '--untracked-limit', '3', '--', 'true');
is($status, 0, 'a patch over its limit stops nothing');
is(recorded('limits', "(r.source ->> 'left_out_count')::int >= 18 AND NOT o.has_patch"), 't', 'what is left out is listed');

# The channel, and mlmeta log inside of a run ----------------------------------------------

($status, $out, $err) = $client->mlmeta('run', '-n', 'channel', '--tag', 'a=b', '--env', 'MLMETA_TEST', '--', $^X, '-e', <<'PERL');
open my $log, '>', $ENV{MLMETA_LOG} or die $!;
print $log qq({"loss": 0.5, "step": 1, "context": "train"}\n);
print $log qq({"loss": NaN, "acc": -Infinity, "step": 2, "context": "train", "nested": {"x": 1}}\n);
print $log "\x00\xFF\x01junk\n", "\n", "not = a number x\n", qq({"broken": \n);
print $log 'y' x (2 * 1024 * 1024), "\n";
print $log qq({"params": {"depth": 6, "rate": 0.1, "name": "x"}, "tags": {"kind": "t"}}\n);
print $log "m=1\nm=2\nm=3 step=10\nm=4";
PERL
is($status, 0, 'whatever is written to the channel, the command runs');
like($err, qr/4 of \d+ lines on MLMETA_LOG were not understood; the first: "\\x00|4 of \d+ lines on MLMETA_LOG were not understood/, 'what is no fact is counted and said');
is( $server->query('ml', "SELECT context, key, step, value FROM metric_points AS p JOIN runs AS r ON r.run = p.run WHERE r.name = 'channel' AND context <> 'system' ORDER BY 1, 2, 3"),
	join("\n", '|m|0|1', '|m|1|2', '|m|10|3', '|m|11|4', 'train|acc|2|-Infinity', 'train|loss|1|0.5', 'train|loss|2|NaN'),
	'what is one is kept, NaN and infinities too; steps that are not said follow');
is(recorded('channel', 'o.tags'), '{"a": "b", "kind": "t"}', 'tags of the command line and of the channel');
is(recorded('channel', 'o.params'), '{"name": "x", "rate": 0.1, "depth": 6}', 'a fraction is the number that was written');
cmp_ok($server->query('ml', "SELECT count(DISTINCT key) FROM metric_points AS p JOIN runs AS r ON r.run = p.run WHERE context = 'system'"),
	'>=', 0, 'the machine is looked at');

my $program = MlmetaClient::program();
$client->write('model.bin', 'weights');
($status, $out, $err) = $client->mlmeta('run', '-n', 'script', '--interval', '1', '--params-from-command',
	'--', 'sh', '-c', <<"SH", '--', '--lr', '0.1', 'k=v', '--deep', '--n=3');
set -e
$program log metric loss=0.25 acc=nan --step 4 --context test
$program log param epochs=10
$program log tag mood=good
$program log artifact model:churn:v1=model.bin --role best
$program log artifact dataset:orders:v3 --used
printf '{"s": 1, "step": 1}\\nbad line\\ns=2\\n' | $program log - || test \$? -eq 1
sleep 1.5
SH
is($status, 0, 'a script logs by itself') or diag($err);
is( $server->query('ml', "SELECT context, key, step, value FROM metric_points AS p JOIN runs AS r ON r.run = p.run WHERE r.name = 'script' AND context <> 'system' ORDER BY 1, 2, 3"),
	"|s|1|1\n|s|2|2\ntest|acc|4|NaN\ntest|loss|4|0.25", 'metrics');
is(recorded('script', "o.params::text"), '{"k": "v", "n": 3, "lr": 0.1, "deep": true, "epochs": 10}', 'parameters, those of the command line too');
is(recorded('script', "o.tags ->> 'mood'"), 'good', 'tags');
is( $server->query('ml', "SELECT direction, role, artifact FROM run_artifacts AS a JOIN runs AS r ON r.run = a.run WHERE r.name = 'script' ORDER BY 1"),
	"produced|best|model:churn:v1\@sha256:" . sha256_hex('weights') . "\nused||dataset:orders:v3", 'artifacts');
is( $server->query('ml', "SELECT string_agg(DISTINCT key, ' ' ORDER BY key) FROM metric_points AS p JOIN runs AS r ON r.run = p.run WHERE r.name = 'script' AND context = 'system' AND key !~ '^gpu'"),
	'cpu_percent memory_bytes processes read_bytes_per_second written_bytes_per_second', 'the machine is looked at');
is(recorded('script', 'r.heartbeat_at IS NOT NULL'), 't', 'and gives signs of life');

# A run inside of a run
$client->mlmeta('run', '-n', 'outer', '--', $program, 'run', '-q', '-n', 'inner', '--', 'true');
is($server->query('ml', "SELECT i.parent = o.run FROM runs AS i, runs AS o WHERE i.name = 'inner' AND o.name = 'outer'"), 't', 'a run inside of a run is a part of it');

# Going on with a run
my $run = $server->query('ml', "SELECT run FROM runs WHERE name = 'bad'");
($status, $out, $err) = $client->mlmeta('run', '--resume', $run, '--', 'sh', '-c', 'echo "r=1" > $MLMETA_LOG');
is($status, 0, 'a run is gone on with') or diag($err);
is(recorded('bad', 'r.status'), 'finished', 'and ends again');
is($server->query('ml', "SELECT value FROM metric_latest WHERE run = '$run' AND key = 'r'"), 1, 'with what was logged since');

# Wrong usage ----------------------------------------------------------------------------------

for ([ 'run', '--metric', '(', 'true' ], [ 'run', '--metric', 'x=1', 'true' ], [ 'run', '--bogus', 'true' ],
	[ 'run', '--experiment', "a\nb", 'true' ], [ 'run', '--param', 'x', 'true' ], [ 'run', '--interval', 'x', 'true' ],
	[ 'log', 'metric', 'x=1' ], [ 'log', 'metric', 'x=y', '--run', $run ], [ 'log', 'nothing', 'x', '--run', $run ], [ 'bogus' ], [])
{
	($status, $out, $err) = $client->mlmeta(@$_);
	is($status, 64, join(' ', map { s/\n/\\n/r } 'mlmeta', @$_) . ' is wrong usage');
	like($err, qr/^mlmeta: error: /, 'which is said');
}

# Servers that will not -------------------------------------------------------------------------

($status, $out, $err) = $client->mlmeta('run', '-d', 'postgres', '--wait', '1', '--', 'true');
is($status, 0, 'a database without the extension stops nothing');
like($err, qr/the extension mlmeta is not installed in database "postgres"/, 'and that is said');
($status, $out, $err) = $client->mlmeta('run', '-d', 'postgres', '--require-server', '-p', '1', '--', 'echo', 'ran');
is("$status $out", '125 ', 'unless a server was required');
$server->query('ml', q{CREATE ROLE mia LOGIN});
($status, $out, $err) = $client->mlmeta('run', '-U', 'mia', '-n', 'mia', '--wait', '1', '--', 'true');
is($status, 0, 'a missing privilege stops nothing');
like($err, qr/permission denied/, 'and is said');
$server->query('ml', q{SELECT setup_roles('ml'); GRANT ml_writer TO mia});
($status, $out, $err) = $client->mlmeta('sync', '-U', 'mia');
is($status, 0, 'when it is granted, what waited is sent') or diag($out, $err);
is(recorded('mia', "r.status || ' ' || r.user_name"), 'finished mia', 'in the name of who ran it');

# What the server refuses is set aside with the reason, and holds up nothing.
($status) = $client->mlmeta('log', 'param', 'epochs=11', '--run', $server->query('ml', "SELECT run FROM runs WHERE name = 'script'"));
is($status, 70, 'who logs another value of a parameter is told');
($status, $out, $err) = $client->mlmeta('sync', '--refused');
is($status, 1, 'a parameter of another value is refused');
like($out, qr/1 refused, 0 waiting/, 'and set aside');
($status, $out) = $client->mlmeta('sync', '--retry');
is($status, 1, 'and refused again');

# A spool that will not ---------------------------------------------------------------------------

sub with_spool
{
	my ($name, $prepare, $message) = @_;

	local $client->{env}{MLMETA_SPOOL} = "$client->{home}/spool-$name";
	$client->mlmeta('run', '-q', '--', 'true');
	my ($file) = glob "$client->{env}{MLMETA_SPOOL}/*.db";
	$prepare->($file);
	($status, $out, $err) = $client->mlmeta('run', '-n', "spool $name", '--', 'echo', 'ran');
	is("$status $out", "0 ran\n", "a spool that $message: the command runs");
	like($err, qr/the spool .* cannot be used: /, 'and it is said');
	is(recorded("spool $name", 'r.status'), 'finished', 'and it is recorded, by way of memory');
}

with_spool('garbage', sub { unlink "$_[0]-wal"; open my $f, '>', $_[0]; print $f 'no database at all ' x 500 }, 'is none');
with_spool('version', sub { system('python3', '-c', 'import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute("PRAGMA user_version = 99"); d.commit()', $_[0]) },
	'another version wrote');

SKIP:
{
	my $small = "$client->{home}/small";
	mkdir $small;
	skip 'only root can make a small disk', 3
	  unless $> == 0 && system("mount -t tmpfs -o size=256k none '$small' 2>/dev/null") == 0;
	local $client->{env}{MLMETA_SPOOL} = $small;
	my $rows = 20_000;
	($status, $out, $err) = $client->mlmeta('run', '-n', 'full', '-h', "$client->{home}/nowhere", '--wait', '1',
		'--', $^X, '-e', "open L, '>', \$ENV{MLMETA_LOG}; print L \"v=\$_\\n\" for 1 .. $rows; print 'ran'");
	is("$status $out", '0 ran', 'a full disk stops nothing');
	like($err, qr/cannot be written: .*full/, 'and is said');
	system('umount', $small);
	mkdir "$small/x";
	system("mount -t tmpfs -o size=256k none '$small'");
	($status, $out, $err) = $client->mlmeta('run', '-n', 'full with server', '--wait', '60',
		'--', $^X, '-e', "open L, '>', \$ENV{MLMETA_LOG}; print L \"v=\$_\\n\" for 1 .. $rows; print 'ran'");
	is($server->query('ml', "SELECT count(*), sum(value) FROM metric_points AS p JOIN runs AS r ON r.run = p.run WHERE r.name = 'full with server' AND key = 'v'"),
		"$rows|" . $rows * ($rows + 1) / 2, 'nothing is lost where there is a server');
	system('umount', $small);
}

# A spool of another server, or of a database made anew
{
	local $client->{env}{PGDATABASE} = 'again';
	$server->query('postgres', 'CREATE DATABASE again');
	$server->query('again', 'CREATE EXTENSION mlmeta');
	$client->mlmeta('run', '-q', '--', 'true');
	# One more fact, for a server that is not there now
	$server->query('postgres', 'ALTER DATABASE again WITH ALLOW_CONNECTIONS false');
	$client->mlmeta('run', '-q', '-n', 'meant for another', '--wait', '0', '--', 'true');
	$server->query('postgres', 'DROP DATABASE again');
	$server->query('postgres', 'CREATE DATABASE again');
	$server->query('again', 'CREATE EXTENSION mlmeta');
	($status, $out, $err) = $client->mlmeta('sync');
	is($status, 69, 'what was meant for another database is not sent');
	like($err, qr/belongs to another server or database/, 'and that is said');
	($status) = $client->mlmeta('sync', '--adopt');
	is($status, 0, 'unless it is wished');
	is($server->query('again', 'SELECT count(*) FROM mlmeta.runs'), 1, 'then it is there');
}

# As an ordinary user, where the tests are run by root
SKIP:
{
	skip 'the tests are run by an ordinary user already', 2 if $> != 0;
	my $place = "$client->{home}/ordinary";
	mkdir $place;
	copy($program, "$place/mlmeta") or die $!;
	chmod 0755, "$place/mlmeta", $client->{home}, $place;
	system('chown', '-R', 'postgres:', $place);
	local @{ $client->{env} }{qw(HOME MLMETA_SPOOL)} = ($place, "$place/spool");
	($status, $out, $err) = $client->command([ 'runuser', '-u', 'postgres', '--', "$place/mlmeta", 'run', '-n', 'ordinary', '--', 'id', '-un' ], in => $place);
	is("$status $out", "0 postgres\n", 'an ordinary user runs a command') or diag($err);
	is(recorded('ordinary', 'r.status'), 'finished', 'which is recorded');
}

done_testing();
