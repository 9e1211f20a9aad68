# From drifted rows to an alert, from the alert to a new version in staging:
# trained by the old version's code on today's data.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use IPC::Run qw(start);
use MlmetaClient;
use MlmetaCluster;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'the program mlmeta is not built' unless MlmetaClient::present();

my $server = MlmetaCluster->new('retrain');
$server->query('postgres', 'CREATE DATABASE ml');
$server->query('postgres', 'ALTER DATABASE ml SET search_path = public, mlmeta');
$server->query('ml', 'CREATE EXTENSION mlmeta');
my $client = MlmetaClient->new($server, 'ml');
my ($status, $out, $err);

$server->query('ml', <<'SQL');
CREATE TABLE scored AS SELECT n AS id, '2026-01-01'::timestamptz + n * interval '10 minutes' AS at,
	(hashint8(n) & 1023) / 10.0 AS income
FROM generate_series(0, 144 * 8 - 1) AS n;
SQL

# The training: the mean of all incomes, by psql, which knows no mlmeta
$client->git('init', '-q');
$client->write('train.sh', qq{set -e\n$server->{bindir}/psql -XAtc 'SELECT round(avg(income), 6) FROM public.scored' > model\necho "mean=\$(cat model)"\n});
$client->git('add', '.');
$client->git('commit', '-q', '-m', 'training');
$client->write('train.sh', "# uncommitted\n" . $client->read('train.sh'));
($status, $out, $err) = $client->mlmeta('run', '-e', 'income', '-n', 'first', '--param', 'kind=mean',
	'--snapshot', 'scored=SELECT * FROM public.scored', '--output', 'model:income=model', '--metric', 'mean=([0-9.]+)', '--', 'sh', 'train.sh');
is($status, 0, 'a model is trained') or diag($err);
$server->query('ml', <<'SQL');
SELECT create_model('income');
SELECT create_model_version('income', r.run, a.artifact) FROM runs AS r
	JOIN run_artifacts AS a ON a.run = r.run AND a.direction = 'produced';
SELECT set_policy('income', 'staging', approvals => 0);
SELECT create_monitor('income', 'scored', 'at', '1 day', model => 'income');
SELECT set_baseline('income', '2026-01-01', '2026-01-07');
INSERT INTO scored SELECT n, '2026-01-01'::timestamptz + n * interval '10 minutes', 150 + (hashint8(n) & 1023) / 10.0
FROM generate_series(144 * 8, 144 * 10 - 1) AS n;
SQL

($status) = $client->mlmeta('retrain');
is($status, 0, 'while nobody asks, nothing is trained');
($status, $out) = $client->mlmeta('check', 'income', '--until', '2026-01-11');
is($status, 1, 'the check finds the drift');
like($out, qr/income.*drift/, 'and shows it');
($status, $out) = $client->mlmeta('alerts', 'income', '--json');
is($status, 1, 'there is an alert');
my $alert = $1 if $out =~ /"alert":\s*(\d+)/;
$server->query('ml', "SELECT request_retraining('income', reason => 'drift in income', alert => $alert)");

($status, $out, $err) = $client->mlmeta('retrain', '--work', $client->{home});
is($status, 0, 'the model is trained again') or diag($out, $err);
like($out, qr/Model "income" version 2 replaces version 1/, 'as a new version');
is($server->query('ml', q{SELECT stage FROM version_overview WHERE model = 'income' AND version = 2}), 'staging', 'which is in staging');
is( $server->query('ml', 'SELECT status, new_version FROM retrain_queue'), 'done|2', 'and the request is done');
my $new = $server->query('ml', q{SELECT run FROM version_overview WHERE model = 'income' AND version = 2});
is( $server->query('ml', "SELECT status, experiment, params, tags ->> 'retrains' FROM run_overview WHERE run = '$new'"),
	'finished|income|{"kind": "mean"}|income:1', 'by a run with the same parameters that says what for');
is( $server->query('ml', "SELECT count(DISTINCT patch), count(DISTINCT git_commit) FROM runs"), '1|1', 'with the very code, uncommitted changes included');
is( $server->query('ml', q{SELECT (SELECT value FROM metric_latest WHERE run = o.run AND key = 'mean') > 60 FROM version_overview AS o WHERE version = 2}),
	't', 'on the data of today');
is( $server->query('ml', q{SELECT count(DISTINCT data_versions) FROM run_overview}), 2, 'of which there is a new data version');
is( $server->query('ml', q{SELECT training_data = (SELECT data_versions[1] FROM run_overview WHERE run = '} . $new . q{')::artifact FROM version_overview WHERE version = 2}),
	't', 'that the new version knows');

# A training that fails, and one that nobody can do
$client->write('train.sh', "exit 3\n");
$client->mlmeta('run', '-e', 'income', '-n', 'bad', '--output', 'model:bad=model', '--', 'sh', 'train.sh');
$server->query('ml', <<'SQL');
SELECT create_model('bad');
SELECT create_model_version('bad', r.run, NULL, 's3://bad') FROM runs AS r WHERE r.name = 'bad';
SELECT create_model_version('bad', NULL, NULL, 's3://elsewhere');
SELECT request_retraining('bad', 1);
SELECT request_retraining('bad', 2);
SQL
($status, $out, $err) = $client->mlmeta('retrain', '--work', $client->{home});
is($status, 1, 'a training that fails is told');
like($err, qr/ended with code 3/, 'with its code');
($status, $out, $err) = $client->mlmeta('retrain', '--work', $client->{home});
is($status, 1, 'a version that no run made cannot be trained again');
is( $server->query('ml', q{SELECT string_agg(status, ' ' ORDER BY request) FROM retrain_queue WHERE model = 'bad'}), 'failed failed', 'both requests have failed');

# To follow
{
	my $h;
	my ($o, $e) = ('', '');
	$client->in_environment(sub {
		$h = start([ MlmetaClient::program(), 'retrain', '--follow', '--no-promote', '--work', $client->{home} ],
			'<', \undef, '>', \$o, '2>', \$e, init => sub { chdir $client->{work} });
	});
	sleep 0.5;
	$server->query('ml', q{SELECT request_retraining('income', 2)});
	my $until = time + 30;
	sleep 0.2 until $server->query('ml', q{SELECT count(*) FROM retrain_queue WHERE status = 'done'}) == 2 or time > $until;
	is($server->query('ml', q{SELECT max(version) FROM version_overview WHERE model = 'income'}), 3, 'who follows trains when he is asked');
	$h->signal('TERM');
	$h->finish;
	is($h->result(0), 0, 'and ends when told to');
}

done_testing();
