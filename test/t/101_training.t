# A small real model is trained under "mlmeta run" in a dirty repository, in
# four languages, none of which knows mlmeta, and reproduced to the bit.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use File::Copy qw(copy);
use MlmetaClient;
use MlmetaCluster;
use Test::More;

plan skip_all => 'the program mlmeta is not built' unless MlmetaClient::present();

my $server = MlmetaCluster->new('training');
$server->query('postgres', 'CREATE DATABASE ml');
$server->query('postgres', 'ALTER DATABASE ml SET search_path = public, mlmeta');
$server->query('ml', 'CREATE EXTENSION mlmeta');
my $client = MlmetaClient->new($server, 'ml');
my $data = MlmetaClient::root() . '/test/data/training';

# The repository: programs committed, the learning rate changed since, and the
# points, a note in UTF-8 and one in Latin-1 never added.
sub make_repository
{
	mkdir $client->{work};
	$client->git('init', '-q', '-b', 'main');
	copy("$data/$_", "$client->{work}/$_") or die $! for qw(train.c train.awk train.py train.R);
	$client->write('rate.txt', "0.5\n");
	$client->write('.gitignore', "model*\ntrainer\n");
	$client->write('latin.txt', "caf\xE9\n");
	$client->git('add', '.');
	$client->git('commit', '-q', '-m', 'programs');
	$client->write('rate.txt', "0.75\n");
	$client->write('latin.txt', "caf\xE9, na\xEFf\n");
	$client->write('notes/größe.txt', "größer\n");
	my ($status, $points) = $client->command([ 'awk', '-f', "$data/points.awk" ]);
	$client->write('points.csv', $points);
	$client->write('picture.bin', "\x00\x01\x02");
	$client->write('large.txt', 'x' x (2 * 1024 * 1024));
}

make_repository();

my %languages = (
	c => [ 'sh', '-c', 'cc -O1 -o trainer train.c -lm && ./trainer model.c 20' ],
	awk => [ 'awk', '-v', 'model=model.awk', '-v', 'epochs=20', '-f', 'train.awk' ],
	python => [ 'python3', 'train.py', 'model.python', '--epochs', '20' ],
	r => [ 'Rscript', 'train.R', 'model.r', '20' ],
);
my $commit = $client->git('rev-parse', 'HEAD');
my @before = ($client->git('status', '--porcelain'), $client->git('diff', '--cached'));

for my $language (sort keys %languages)
{
  SKIP:
	{
		my @command = @{ $languages{$language} };
		my ($missing) = $client->command([ 'sh', '-c', "command -v $command[0] && { [ $language != c ] || command -v cc; }" ]);
		skip "$command[0] is not installed", 12 if $missing != 0;

		my ($status, $out, $err) = $client->mlmeta('run', '--experiment', $language, '--name', "$language once",
			'--metric', 'loss=([0-9.e+-]+)', '--step', 'epoch ([0-9]+)', '--param', 'note=a b',
			'--params-from-command', '--output', "model:$language=model.$language", '--', @command);
		is($status, 0, "$language: the training succeeds") or diag($err);
		is(() = $out =~ /^epoch \d+ loss=/mg, 20, "$language: its output is as it would be");
		is(join('|', $client->git('status', '--porcelain'), $client->git('diff', '--cached')), join('|', @before),
			"$language: repository and index are untouched");

		my $run = $server->query('ml', "SELECT run FROM mlmeta.runs WHERE name = '$language once'");
		is( $server->query('ml', "SELECT status, git_commit, branch, has_patch, params ->> 'note' FROM mlmeta.run_overview WHERE run = '$run'"),
			"finished|$commit|main|t|a b", "$language: commit, branch and outcome are recorded");
		is( $server->query('ml', "SELECT key, count(*), min(step), max(step) FROM mlmeta.metric_points WHERE run OPERATOR(mlmeta.=) '$run' AND context = '' AND key IN ('loss', 'w') GROUP BY key ORDER BY key"),
			"loss|20|1|20\nw|20|1|20", "$language: metrics from the output and from the channel");
		my $loss = $1 if $out =~ /loss=(\S+)\s*\z/;
		cmp_ok($server->query('ml', "SELECT value FROM mlmeta.metric_latest WHERE run OPERATOR(mlmeta.=) '$run' AND key = 'loss'"),
			'==', $loss, "$language: the loss to the bit");
		is( $server->query('ml', "SELECT jsonb_path_query_array(source, '\$.left_out[*].path') FROM mlmeta.runs WHERE run = '$run'"),
			'["large.txt", "picture.bin"]', "$language: what the patch leaves out is listed");

		my $model = $client->read("model.$language");
		my $into = "$client->{home}/again-$language";
		($status, $out, $err) = $client->mlmeta('reproduce', $run, '--into', $into, '--execute');
		is($status, 0, "$language: the run is reproduced") or diag($out, $err);
		is($client->read("model.$language", $into), $model, "$language: the model is the same to the bit");
		like($out, qr/Result: (\d+) of \1 metrics and 1 of 1 files are the same/, "$language: and it says so");
		is( join('|', map { $client->read($_, $into) } 'rate.txt', 'latin.txt', 'notes/größe.txt'),
			"0.75\n|caf\xE9, na\xEFf\n|größer\n", "$language: changes and untracked files, in any encoding, are back");
		like($out, qr/Not restored: picture.bin.*not text/, "$language: what is not, is said");
	}
}

# A run whose code differs, side by side with the one before
$client->write('train.awk', $client->read('train.awk') =~ s/epoch %d/age %d/r);
$client->mlmeta('run', '--experiment', 'awk', '--name', 'awk twice', '--param', 'note=c', '--', @{ $languages{awk} });
my ($status, $out, $err) = $client->mlmeta('diff', 'awk once', 'awk twice');
is($status, 0, 'two runs are compared') or diag($err);
like($out, qr/^\+.*age %d/m, 'the difference of their code, committed or not');
like($out, qr/param\s*\|\s*note\s*\|\s*a b\s*\|\s*c/, 'and of their parameters');
is($client->git('status', '--porcelain') =~ /train.awk/ ? 1 : 0, 1, 'the working tree is untouched');

# What goes wrong in the restoring
($status, $out, $err) = $client->mlmeta('reproduce', 'awk once', '--into', $client->{work});
is($status, 64, 'a directory that holds something is not written into');
like($err, qr/is there already/, 'and that is said');
($status, $out, $err) = $client->mlmeta('reproduce', 'no such run');
is($status, 70, 'a run that is not there');
rename $client->{work}, "$client->{work}-gone" or die $!;
mkdir $client->{work};
($status, $out, $err) = $client->mlmeta('reproduce', 'awk once');
is($status, 70, 'a commit that is nowhere');
like($err, qr/commit $commit is in no repository that is known here.*--repository/s, 'it is said what to do');

# Data versions that are compared with today's
$server->query('ml', 'CREATE TABLE orders AS SELECT n, n * 2 AS price FROM generate_series(1, 100) AS n');
$client->mlmeta('run', '--experiment', 'data', '--name', 'data', '--snapshot', 'orders=SELECT * FROM public.orders', '--', 'true');
($status, $out) = $client->mlmeta('reproduce', 'data', '--into', 'a');
like($out, qr/its source holds the same rows/, 'data that is the same');
$server->query('ml', 'UPDATE orders SET price = 0 WHERE n = 7');
($status, $out) = $client->mlmeta('reproduce', 'data', '--into', 'b');
like($out, qr/its source holds other rows today/, 'data that changed');
like($out, qr/The code cannot be restored: not in a git repository/, 'a run outside of any repository');

done_testing();
