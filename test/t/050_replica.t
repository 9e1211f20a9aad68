# A hot standby: everything that only reads works there, row security included;
# what must write fails with 25006 and says where to go.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use MlmetaCluster;
use Test::More;

my $server = MlmetaCluster->new('replica');

$server->query('postgres', 'CREATE DATABASE shop');
$server->query('shop', <<'SQL');
CREATE EXTENSION mlmeta;
ALTER DATABASE shop SET search_path = public, mlmeta;
SQL
$server->query('shop', <<'SQL');
SELECT setup_roles('ml');
CREATE ROLE rita LOGIN; GRANT ml_reader TO rita;
CREATE ROLE wim LOGIN; GRANT ml_writer TO wim;
CREATE ROLE rev LOGIN; GRANT ml_reviewer TO rev;
CREATE TABLE orders AS
SELECT n AS id, n * 1.5 AS price, '2024-01-01'::timestamptz + n * interval '1 hour' AS at FROM generate_series(0, 239) AS n;
GRANT SELECT ON orders TO rita, wim;
SELECT start_run('churn', params => '{"depth": 6}', source => '{"commit": "abc", "environment": {"python": "3"}}') AS run \gset
SELECT use_artifact(:'run', snapshot_dataset('orders', 'orders'), 'training');
SELECT log_metrics(:'run', '{"auc": 0.9}');
SELECT log_artifact(:'run', 'model:churn:v1', 's3://1');
SELECT finish_run(:'run');
SELECT create_model('churn');
SELECT create_model_version('churn', :'run', 'model:churn:v1', profile => (SELECT profile(orders) FROM orders));
SELECT set_policy('churn', 'production', 1, alias => 'champion');
SELECT add_gate('churn', 'production', 'auc', 'SELECT max(value) >= 0.8, max(value) FROM metric_latest WHERE run OPERATOR(mlmeta.=) $3');
SELECT set_policy('churn', 'staging', 0);
SELECT request_transition('churn', 1, 'staging');
SELECT request_transition('churn', 1, 'production');
SELECT set_alias('churn', 'trial', 1);
SELECT create_event_consumer('mailer', true);
SELECT request_retraining('churn');
SELECT create_monitor('orders', 'orders', 'at', '1 day', model => 'churn@trial');
SELECT set_baseline('orders', '2024-01-01', '2024-01-03');
SELECT count(*) FROM check_monitor('orders', '2024-01-10');
SELECT create_project('closed');
SELECT create_experiment('inside', 'closed');
SELECT start_run('inside');
SELECT add_member('closed', 'rev', 'reader');
SQL

# The server becomes a standby that waits for what no primary sends.
sub standby
{
	my ($wanted) = @_;
	$server->query('postgres', $wanted
		? q{DO $$ BEGIN EXECUTE format('COPY (SELECT 1) TO %L', current_setting('data_directory') || '/standby.signal'); END $$}
		: 'SELECT pg_promote()');
	$server->restart if $wanted;
	$server->gives('postgres', 'SELECT pg_is_in_recovery()', $wanted ? 't' : 'f',
		$wanted ? 'the server is a standby' : 'the server is a primary again');
}
standby(1);

# What reads.
my $run = $server->query('shop', "SELECT run FROM mlmeta.model_versions");
my %reads = (
	"verify_audit()" => "SELECT count(*) FROM verify_audit()",
	"model_at()" => "SELECT model_at('churn', 'trial', now())",
	"previous_version()" => "SELECT previous_version('churn', 'production')",
	"check_gates()" => "SELECT name, passed FROM check_gates('churn', 1, 'production')",
	"training_record() with its data" => "SELECT training_record('churn', 1) #> '{data,0,unchanged}'",
	"run_overview" => "SELECT count(*) FROM run_overview",
	"compare_runs()" => "SELECT count(*) FROM compare_runs('$run', '$run')",
	"duplicates_of()" => "SELECT count(*) FROM duplicates_of('$run')",
	"best_runs()" => "SELECT count(*) FROM best_runs('churn', 'auc')",
	"metric_history()" => "SELECT count(*) FROM metric_history('$run', 'auc')",
	"upstream()" => "SELECT count(*) FROM upstream('$run'::run)",
	"downstream()" => "SELECT count(*) FROM downstream('$run'::run)",
	"lineage()" => "SELECT lineage(source, target) IS NOT NULL FROM lineage_edges",
	"dataset_is_current()" => "SELECT bool_and(dataset_is_current(artifact)) FROM dataset_snapshots",
	"explain_alert()" => "SELECT jsonb_typeof(explain_alert(min(id))) FROM alerts",
	"report()" => "SELECT length(report('orders')) > 1000",
	"preview_monitor()" => "SELECT length(preview_monitor('orders')) > 100",
	"fingerprint()" => "SELECT fingerprint(orders) IS NOT NULL FROM orders",
	"ks_test()" => "SELECT (ks_test(price, id > 100)).p_value < 1 FROM orders",
);
my %answers = ("verify_audit()" => '0', "model_at()" => '1', "previous_version()" => '',
	"check_gates()" => 'auc|t', "training_record() with its data" => 'true', "run_overview" => '2',
	"dataset_is_current()" => 't');
for my $what (sort keys %reads)
{
	my ($status, $out, $err) = $server->psql('shop', $reads{$what});
	is($err, '', "$what works on a standby");
	is($out, $answers{$what}, "and says the same") if exists $answers{$what};
}
my $views = $server->query('shop', <<'SQL');
SELECT string_agg(format('SELECT count(*) FROM mlmeta.%I', relname), '; ')
FROM pg_class WHERE relnamespace = 'mlmeta'::regnamespace AND relkind = 'v'
SQL
$server->succeeds('shop', $views, 'every view does', user => 'rita');
$server->gives('shop', 'SELECT count(*) FROM runs', '1', 'row security closes a project there too', user => 'rita');
$server->gives('shop', 'SELECT count(*) FROM runs', '2', 'and lets its members in', user => 'rev');
$server->gives('shop', "SELECT name, passed FROM check_gates('churn', 1, 'production')", 'auc|t',
	'a writer asks what the gates say', user => 'wim');

# What writes.
my %writes = (
	rita => ["SELECT resolve_model('churn\@trial', 'scoring')", "SELECT resolve_model('nothing', '')",
		"SELECT take_events('mailer')", "SELECT acknowledge_event('mailer', 1)"],
	wim => ["SELECT start_run('x')", "SELECT log_metrics('$run', '{\"auc\": 1}')", "SELECT create_model('x')",
		"SELECT create_model_version('churn', NULL, NULL, 's3://2')", "SELECT set_alias('churn', 'a', 1)",
		"SELECT drop_alias('churn', 'trial')", "SELECT describe_model('churn', 'x')",
		"SELECT request_transition('churn', 1, 'archived')", "SELECT withdraw(1)", "SELECT request_retraining('churn')",
		"SELECT claim_retraining()", "SELECT start_retraining(1)", "SELECT finish_retraining(1)", "SELECT cancel_retraining(1)",
		"SELECT create_event_consumer('c')", "SELECT drop_event_consumer('mailer')",
		"SELECT snapshot_dataset('o', 'orders')", "SELECT create_monitor('o', 'orders', 'at', '1 day')"],
	rev => ["SELECT approve(2)", "SELECT reject(2)"],
	postgres => ["SELECT bypass(2, 'now')", "SELECT set_policy('churn', 'staging')", "SELECT add_gate('churn', 'staging', 'g', 'SELECT true')",
		"SELECT drop_gate('churn', 'production', 'auc')", "SELECT define_stage('x', 1)", "SELECT drop_stage('none')",
		"SELECT add_member('closed', 'wim', 'reader')", "SELECT remove_member('closed', 'rev')", "SELECT open_project('closed')",
		"SELECT expire_requests()", "SELECT purge_events()", "SELECT setup_roles('x')"],
);
for my $user (sort keys %writes)
{
	for my $sql (@{ $writes{$user} })
	{
		my ($status, $out, $err) = $server->psql('shop', $sql, user => $user);
		like($err, qr/ERROR:  25006: .*\n(DETAIL: .*\n)?HINT:  This server is a replica: connect to the primary\./,
			"$sql is refused on a standby");
	}
}
$server->refuses('shop', 'INSERT INTO model_resolutions SELECT * FROM model_resolutions', '25006', 'so is a bare INSERT');

# Promoted, it writes.
standby(0);
$server->gives('shop', "SELECT version, uri FROM resolve_model('churn\@trial', 'scoring')", '1|s3://1',
	'once promoted it resolves', user => 'rita');
$server->gives('shop', 'SELECT count(*) FROM verify_audit()', '0', 'and the chain is whole');

done_testing;
