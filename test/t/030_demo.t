# The demonstration's script runs to its end, and says what is known of its data.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Encode qw(decode);
use MlmetaCluster;
use Test::More;

my $root = "$FindBin::RealBin/../..";
my $server = MlmetaCluster->new('demo');

$server->query('postgres', 'CREATE DATABASE demo');
$server->query('demo', 'CREATE EXTENSION mlmeta');
$server->query('postgres', q{ALTER DATABASE demo SET search_path = "$user", public, mlmeta});
my ($status, $out, $err) = $server->program(
	[qw(psql -X -q -P pager=off -v ON_ERROR_STOP=1), '-v', "data=$root/test/data",
		'-f', "$root/demo/demo.sql"],
	database => 'demo', stdin => '');
is($status, 0, 'the script runs to its end') or diag($err);
is($err, '', 'without a warning');
$out = decode('UTF-8', $out);

like($out, qr/depth 5 +\| finished/, 'the run is tracked');
like($out, qr/ 2 \| dataset:california\/reference\@sha256:[0-9a-f]{64} /,
	'the lineage of the model leads to the data version');
like($out, qr/ t +\| 5832 \| sha256:/, 'which the table still is');
like($out, qr/latitude +\| [^|]+ \| D{12} /, 'latitude drifts in all months');

# NannyML's alerts on realised ROC AUC, test/data/nannyml_california_performance_month.csv.gz
is(join(' ', $out =~ /^ (\d{4}-\d\d) \|.*FALLEN/mg), '2021-08 2021-09 2022-03',
	'quality falls in the months in which it is known to');
like($out, qr/ score +\| roc_auc +\| 2022-03 \| 2022-03 \| +1 /, 'and what is past and over is resolved');

done_testing();
