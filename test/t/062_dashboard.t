# doc/grafana-dashboard.json: every query of every panel and variable runs, as a
# reader, and shows something.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use JSON::PP qw(decode_json);
use MlmetaCluster;
use Test::More;

my $server = MlmetaCluster->new('dashboard');
$server->query('postgres', 'CREATE DATABASE shop');
$server->query('shop', <<'SQL');
CREATE EXTENSION mlmeta;
SELECT mlmeta.setup_roles('ml');
CREATE ROLE bi LOGIN;
GRANT ml_reader TO bi;
SELECT mlmeta.set_price('a100', 4, '2000-01-01', 'EUR');
SELECT mlmeta.start_run('churn', 'one', source => '{"devices": {"a100": 2}}', at => now() - interval '2 hours') AS run \gset
SELECT mlmeta.log_series(:'run', 'auc', '{1,2,3}', '{0.7,0.8,0.9}');
SELECT mlmeta.log_artifact(:'run', 'model:churn:v1', 's3://models/churn');
SELECT mlmeta.finish_run(:'run');
SELECT mlmeta.create_model('churn');
SELECT mlmeta.create_model_version('churn', :'run', 'model:churn:v1');
SELECT * FROM mlmeta.resolve_model('churn:1', 'scoring');
SELECT mlmeta.ingest_openlineage('{"eventTime": "2024-01-01T00:00:00Z", "producer": "p", "schemaURL": "s", "eventType": "COMPLETE",
	"run": {"runId": "a43a8523-349f-4296-807f-3354ac491990"}, "job": {"namespace": "n", "name": "j"}}'::jsonb);
CREATE TABLE traffic AS
SELECT date_trunc('day', now()) - interval '10 days' + i * interval '1 hour' AS at, i % 24 + (i / 216) * 1000.0 AS x, (i % 24) / 24.0::float8 AS score, i % 24 > 11 AS label
FROM generate_series(0, 239) AS i;
SELECT mlmeta.create_monitor('traffic', 'traffic', 'at', '1 day', label => 'label', score => 'score', project => 'default');
SELECT mlmeta.set_baseline('traffic', date_trunc('day', now()) - interval '10 days', date_trunc('day', now()) - interval '3 days');
SELECT count(*) FROM mlmeta.check_monitor('traffic');
SQL

open(my $in, '<', "$FindBin::RealBin/../../doc/grafana-dashboard.json") or die 'no dashboard';
my $dashboard = decode_json(do { local $/; <$in> });
close $in;
my %variable = (monitor => 'traffic', experiment => 'churn', metric => 'auc');

# What Grafana makes of a query: the time that is looked at, and its variables.
sub filled
{
	my ($sql) = @_;
	$sql =~ s/\$__timeFilter\((\w+)\)/$1 BETWEEN now() - interval '30 days' AND now()/g;
	$sql =~ s/\$(monitor|experiment|metric)\b/$variable{$1}/g;
	return $sql;
}
my @panels = @{ $dashboard->{panels} };
cmp_ok(scalar @panels, '>', 10, 'there are panels');
for my $panel (@panels)
{
	for my $target (@{ $panel->{targets} })
	{
		my $sql = filled($target->{rawSql});
		unlike($sql, qr/\$/, "$panel->{title}: nothing is left to fill in");
		my ($status, $out, $err) = $server->psql('shop', $sql, user => 'bi');
		is($status, 0, "$panel->{title} runs for a reader") or diag($err);
		isnt($out, '', "$panel->{title} shows something");
	}
}
for my $v (grep { $_->{type} eq 'query' } @{ $dashboard->{templating}{list} })
{
	$server->gives('shop', "SELECT '$variable{$v->{name}}' IN (" . filled($v->{query}) =~ s/ ORDER BY \w+$//r . ')', 't',
		"variable $v->{name}", user => 'bi');
}
done_testing();
