# The package mlflow of npm, a client for Node.js that is none of ours, tracks a
# run from end to end. Skipped where npm cannot install it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use File::Temp qw(tempdir);
use MlmetaClient;
use MlmetaCluster;
use MlmetaGateway;
use Test::More;

plan skip_all => 'the program mlmeta is not built' unless MlmetaClient::present();
plan skip_all => 'there is no npm' if system('npm --version >/dev/null 2>&1 && node --version >/dev/null 2>&1') != 0;

my $dir = tempdir(CLEANUP => 1);
plan skip_all => 'npm cannot install the package mlflow'
  if system("cd $dir && timeout 120 npm install --no-audit --no-fund --ignore-scripts mlflow\@2.0.7 >npm.log 2>&1") != 0;

my $server = MlmetaCluster->new('node');
$server->query('postgres', 'CREATE DATABASE ml');
$server->query('postgres', 'ALTER DATABASE ml SET search_path = public, mlmeta');
$server->query('ml', 'CREATE EXTENSION mlmeta');
my $gateway = MlmetaGateway->new($server, 'ml', '--anonymous', 'postgres');

open my $file, '>', "$dir/track.js" or die $!;
print $file <<'JS';
const MLflow = require('mlflow')
const {Experiments, Runs, Metrics} = new MLflow({endpoint: process.argv[2]})
;(async () => {
	const {experiment_id} = await Experiments.create({name: 'from node'})
	const {run} = await Runs.create({experiment_id, start_time: 1700000000000, tags: [{key: 'mlflow.user', value: 'nora'}]})
	const run_id = run.info.run_id
	await Runs.logParameter({run_id, key: 'rate', value: '0.10'})
	for (let step = 0; step < 5; step++)
		await Runs.logMetric({run_id, key: 'loss', value: 1 / (step + 1), timestamp: 1700000000000 + step, step})
	await Runs.logBatch({run_id, metrics: [{key: 'auc', value: 0.5, timestamp: 1700000000000, step: 0}], params: [{key: 'n', value: '3'}], tags: [{key: 'kind', value: 'try'}]})
	await Runs.setTag({run_id, key: 'mlflow.note.content', value: 'from a client of others'})
	await Runs.update({run_id, status: 'FINISHED', end_time: 1700000001000})
	const back = (await Runs.get({run_id})).run
	const {runs} = await Runs.search({experiment_ids: [experiment_id], filter: "metrics.loss < 0.5 and params.rate = '0.10'", run_view_type: 'ACTIVE_ONLY'})
	const {metrics} = await Metrics.getHistory({run_id, metric_key: 'loss'})
	console.log(JSON.stringify({status: back.info.status, user: back.info.user_id, params: back.data.params, found: runs.length, history: metrics.length,
		last: back.data.metrics.find(m => m.key === 'loss').value}))
})().catch(e => { console.error(e); process.exit(1) })
JS
close $file;

my $out = `cd $dir && timeout 120 node track.js $gateway->{url} 2>&1`;
is($? >> 8, 0, 'the client ends well');
# It writes what it sends, too.
my ($last) = $out =~ /^(.*)\n\z/m ? (split /\n/, $out)[-1] : ('');
is_deeply(scalar eval { MlmetaGateway::json()->decode($last) }, { status => 'FINISHED', user => 'nora', found => 1, history => 5, last => 0.2,
		params => [ { key => 'n', value => '3' }, { key => 'rate', value => '0.10' } ] }, 'it reads what it wrote') or diag($out);
is($server->query('ml', "SELECT status || ' ' || (params ->> 'rate')::numeric || ' ' || (params -> 'n')::int || ' ' || duration FROM run_overview WHERE experiment = 'from node'"),
	'finished 0.10 3 00:00:01', 'and SQL has numbers and times');
is($gateway->stop, 0, 'the gateway stops when told');

done_testing();
