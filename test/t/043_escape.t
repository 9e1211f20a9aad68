# Markup is text, wherever it stands: planted in every column of every table, by
# the owner, past all checks, it comes out escaped in every page and drawing, and
# no browser runs it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use File::Temp qw(tempdir);
use IPC::Run qw(run timeout);
use MlmetaCluster;
use Test::More;

my $server = MlmetaCluster->new('escape');
my $planted = q{<planted a=b>"'&lt;<script>document.title='run'</script><img src=x onerror="document.title='run'">};
my $literal = $planted =~ s/'/''/gr;

$server->query('postgres', 'CREATE DATABASE escape');
$server->query('escape', <<'SQL');
CREATE EXTENSION mlmeta;
SET search_path = public, mlmeta;
CREATE TABLE log AS
SELECT '2026-01-01'::timestamptz + i * interval '15 minutes' AS at,
	CASE WHEN i > 3000 THEN 2 ELSE 1 END * (hashint8extended(i, 1) & 65535) / 65536.0::float8 AS x,
	CASE WHEN i > 3200 THEN 'new' ELSE 'plan ' || i % 4 END AS plan,
	(hashint8extended(i, 2) & 65535) / 65536.0::float8 AS score,
	(hashint8extended(i, 3) & 65535) < (hashint8extended(i, 2) & 65535) AS label,
	CASE WHEN i % 2 = 0 THEN 'north' ELSE 'south' END AS region
FROM generate_series(0, 96 * 40) AS i;
SELECT create_model('m'), create_model_version('m', NULL, NULL, 's3://m');
SELECT create_monitor('page', 'log', 'at', '1 day', label => 'label', score => 'score', segments => '{"region": "region"}', model => 'm:1');
SELECT set_baseline('page', '2026-01-01', '2026-01-21');
SELECT count(*) FROM check_monitor('page', '2026-02-09');
SELECT start_run('e', params => '{"a": 1}', tags => '{"b": "c"}') AS run \gset
SELECT log_metrics(:'run', '{"auc": 1}'), log_artifact(:'run', 'model:m:1', 's3://m'), use_artifact(:'run', 'dataset:d'), finish_run(:'run');
SELECT acknowledge_alert(min(id), 'seen') FROM alerts;
SQL

# Text in any form, of every table that holds rows, without what would refuse it.
my @columns = split /\n/, $server->query('escape', <<'SQL');
SELECT format('%s|%I|%s', a.attrelid::regclass, a.attname, a.atttypid::regtype)
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
WHERE c.relnamespace IN ('mlmeta'::regnamespace, 'mlmeta_internal'::regnamespace) AND c.relkind = 'r'
	AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
	AND a.atttypid IN ('text'::regtype, 'text[]'::regtype, 'jsonb'::regtype)
ORDER BY 1
SQL
cmp_ok(scalar @columns, '>', 100, 'there are columns to plant it in');
$server->query('escape', <<'SQL');
DO $$
DECLARE c record;
BEGIN
	FOR c IN SELECT conrelid::regclass AS name, conname FROM pg_constraint
		WHERE contype = 'c' AND connamespace IN ('mlmeta'::regnamespace, 'mlmeta_internal'::regnamespace)
	LOOP
		EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.name, c.conname);
	END LOOP;
END $$;
SQL

sub planting
{
	my ($column, $how) = @_;
	my ($table, $name, $type) = split /\|/, $column;
	my %value = (
		# What is joined is joined still: the same is added everywhere.
		'text' => $how eq 'added' ? "$name || '$literal'" : "'$literal'",
		'text[]' => $how eq 'added' ? "(SELECT array_agg(e || '$literal') FROM unnest($name) AS e)" : "ARRAY['$literal']",
		'jsonb' => "jsonb_build_object('$literal', '$literal')",
	);
	return "UPDATE $table SET $name = coalesce($value{$type}, $name);\n";
}

# Every page and drawing that is made of what is stored; the name of the monitor
# is what it is now.
my @pages = (
	"(SELECT string_agg(mlmeta.report(name), '') FROM mlmeta.monitors)",
	"(SELECT mlmeta.to_svg(mlmeta.lineage(source, target), 'x$literal') FROM mlmeta.lineage_edges)",
	"(SELECT mlmeta.to_svg(mlmeta.lineage('model:' || replace(replace('$literal', ':', ''), '\@', ''), 'dataset:x')))",
	"(SELECT mlmeta.svg(f, f, '$literal') FROM (SELECT mlmeta.frequencies('$literal' || i % 3) AS f FROM generate_series(1, 9) AS i) AS s)",
	"(SELECT mlmeta.svg(h, h, '$literal') FROM (SELECT mlmeta.histogram(i, 3) AS h FROM generate_series(1, 9) AS i) AS s)",
	"(SELECT mlmeta.svg_timeline(ARRAY[now(), now() + interval '1 day'], ARRAY[1, 2], '$literal'))",
);
my $wanted = join ' || ', map { "coalesce($_, '')" } @pages;

# One column at a time: what is chosen by other columns is still chosen.
my $script = '';
for my $column (@columns)
{
	my ($table, $name) = split /\|/, $column;
	next if $table =~ /run|metric|artifact|experiment|patch|environment|event_|stage|approv|transition|retrain|budget|price|dataset|gate|audit/ && $table !~ /alert|monitor/;
	for my $how ('added')
	{
		$script .= "BEGIN; SET LOCAL session_replication_role = replica; SAVEPOINT s;\n"
		  . "DO \$do\$ BEGIN " . planting($column, $how) . " EXCEPTION WHEN unique_violation THEN NULL; END \$do\$;\n"
		  . "DO \$do\$ DECLARE page text; BEGIN page := coalesce($pages[0], ''); IF page ~* '<(planted|script|img)' THEN RAISE WARNING 'in $table.$name ($how): %', substring(page, '.{40}<(?:planted|script|img).{20}'); END IF;\n"
		  # A page that cannot be made of what no function writes says so.
		  . "EXCEPTION WHEN OTHERS THEN IF SQLSTATE !~ '^(22|42|2F|P0)' THEN RAISE WARNING '$table.$name: % %', SQLSTATE, SQLERRM; END IF; END \$do\$; ROLLBACK;\n";
	}
}
my ($status, $out, $err) = $server->psql('escape', $script);
is($status, 0, 'every column was planted with it') or diag($err);
is(join("\n", grep { /WARNING/ } split /\n/, $err), '', 'a report with it in any one column has it as text');

# All at once, and kept
$server->query('escape', join '', "SET session_replication_role = replica;\n",
	map { my $c = $_; my ($t, $n) = split /\|/, $c; "DO \$do\$ BEGIN " . planting($c, 'added') . "EXCEPTION WHEN OTHERS THEN NULL; END \$do\$;\n" }
	grep { !/\|(state|verdict|measure|severity|status|kind|rule|access|query|source|relation|time_column|time_zone|features|label_column|score_column|prediction_column|segment_sets|expression|key_columns|correction|schedule|model|project)\|/ } @columns);
my $html = $server->query('escape', "SELECT $wanted");
like($html, qr/&lt;planted a=b&gt;/, 'the pages hold it, as text');
unlike($html, qr/<(planted|script|img)/i, 'and in no other way');

SKIP:
{
	my ($browser) = grep { -x } map { my $d = $_; map { "$d/$_" } qw(chromium chromium-browser) } split /:/, $ENV{PATH};
	skip 'there is no chromium', 2 unless $browser;
	my $directory = tempdir(CLEANUP => 1);
	my $titles = sub {
		my ($body) = @_;
		my ($dom, $noise) = ('', '');
		open(my $file, '>:raw', "$directory/page.html") or die $!;
		print $file '<!DOCTYPE html><html><head><meta charset="utf-8"><title>still</title></head><body>' . $body . '</body></html>';
		close $file;
		run [ $browser, qw(--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --virtual-time-budget=2000),
			"--user-data-dir=$directory/profile", '--dump-dom', "file://$directory/page.html" ],
		  '<', \undef, '>', \$dom, '2>', \$noise, timeout(120);
		return $dom =~ m{<title>(.*?)</title>} ? $1 : 'no page';
	};
	is($titles->($planted), 'run', 'a browser runs what is not escaped');
	my $body = $html =~ s{<title>.*?</title>}{}grs;
	is($titles->($body), 'still', 'and nothing of the pages');
}

done_testing();
