# A database owner who is no superuser dumps his database and restores it into
# another of his: every row of the extension and of his own tables with our
# types comes back bit for bit, sequences go on, grants hold; and values of
# every type survive each form of COPY, and a crash.

use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::RealBin/lib";

use MlmetaCluster;
use Test::More;

# A crash may lose nothing here, so commits are flushed.
my $server = MlmetaCluster->new('dump', synchronous_commit => 'on',
	full_page_writes => 'on');
my $files = tempdir(CLEANUP => 1);
my @owner = (user => 'analyst');

$server->query('postgres', <<'SQL');
CREATE ROLE analyst LOGIN;
CREATE ROLE guest LOGIN;
CREATE DATABASE shop OWNER analyst;
CREATE DATABASE from_plain OWNER analyst;
CREATE DATABASE from_custom OWNER analyst;
SQL
$server->query('shop', <<'SQL', @owner);
CREATE EXTENSION mlmeta;
CREATE TABLE orders AS
	SELECT n AS id, (ARRAY['red', 'green', NULL, E'b"l\\ue\t'])[1 + n % 4] AS colour,
		CASE WHEN n % 7 = 0 THEN NULL WHEN n % 11 = 0 THEN 'NaN'::float8
			WHEN n % 13 = 0 THEN 0 ELSE ln(n) / 3 END AS price,
		n % 3 = 0 AS returned, (n % 97) / 97.0::float8 AS score
	FROM generate_series(1, 2000) AS n;
SQL
# The state of the comparisons over rows, which they keep to themselves.
$server->query('shop', <<'SQL');
CREATE SCHEMA states;
GRANT USAGE ON SCHEMA states TO analyst;
CREATE AGGREGATE states.pair_of(value text, is_current boolean) (
	SFUNC = mlmeta_internal.frequency_pair_text_transition, STYPE = mlmeta.frequency_pair);
CREATE AGGREGATE states.pair_of(embedding float8[], is_current boolean) (
	SFUNC = mlmeta_internal.embedding_sketch_transition, STYPE = mlmeta.embedding_sketch);
SQL

#
# Values of every type the extension defines.
#
my %examples = (
	run => [
		"mlmeta.start_run('values')",
		"'0190a5b2-7c3d-7e4f-8a1b-2c3d4e5f6071'::uuid",
		"NULL"
	],
	artifact => [
		"'model:churn/xgb:v12'",
		"('dataset:orders\@sha256:' || repeat('0a', 32))::mlmeta.artifact",
		"NULL"
	],
	lineage => [
		"(SELECT mlmeta.lineage('dataset:a' || n, 'model:b' || n) FROM generate_series(1, 40) AS n)"
	],
	histogram => [
		'(SELECT mlmeta.histogram(price, 240) FROM orders)',
		"(SELECT mlmeta.histogram(price, ARRAY[0.1, 1.0 / 3, 2, 1e300]) FROM orders)",
		'(SELECT mlmeta.histogram(price, 0, 3, 20) FROM orders)',
		'(SELECT mlmeta.histogram(price, (SELECT mlmeta.histogram(price, 50) FROM orders)) FROM orders WHERE id < 100)',
		"(SELECT mlmeta.histogram(x, 10) FROM unnest('{-0.0, 5e-324, 1.7976931348623157e308, -Infinity, NaN}'::float8[]) AS x)",
		'(SELECT mlmeta.histogram(NULL::float8, 10) FROM orders)'
	],
	frequency_table => [
		'(SELECT mlmeta.frequencies(colour) FROM orders)',
		'(SELECT mlmeta.frequencies(id::text, 16) FROM orders)',
		'(SELECT mlmeta.frequencies(returned) FROM orders)'
	],
	profile => [
		'(SELECT mlmeta.profile(orders) FROM orders)',
		'(SELECT mlmeta.profile(orders, (SELECT mlmeta.profile(orders) FROM orders)) FROM orders WHERE id > 1000)'
	],
	classification =>
	  ['(SELECT mlmeta.classification(returned, score) FROM orders)'],
	confusion_matrix => [
		"(SELECT mlmeta.confusion(colour, CASE WHEN returned THEN 'red' ELSE colour END) FROM orders)",
		'(SELECT mlmeta.confusion(colour, colour, score) FROM orders)'
	],
	fingerprint_state =>
	  ['(SELECT mlmeta.fingerprint_part(orders) FROM orders)'],
	frequency_pair => ['(SELECT states.pair_of(colour, returned) FROM orders)'],
	moment_matrix => [
		"(SELECT mlmeta.moments(ARRAY[score, price, id]) FROM orders)",
		"(SELECT mlmeta.moments(ARRAY[x, -x]) FROM unnest('{-0.0, 5e-324, 1.7976931348623157e308, -Infinity, NaN}'::float8[]) AS x)",
		'(SELECT mlmeta.moments(NULL) FROM orders)'
	],
	embedding_sketch => [
		"(SELECT mlmeta.embeddings(ARRAY[score, id], 'sigma=0.5 features=64 seed=7') FROM orders)",
		'(SELECT mlmeta.embeddings(NULL) FROM orders)',
		'(SELECT states.pair_of(ARRAY[score, id], returned) FROM orders)'
	],
	regression =>
	  ["(SELECT mlmeta.regression(score, price) FROM orders WHERE price <> 'NaN')"],
);

my @types = split /\n/, $server->query('shop', <<'SQL');
SELECT t.typname
FROM pg_type AS t
	JOIN pg_depend AS d ON d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
WHERE t.typtype = 'b' AND t.typcategory <> 'A' AND t.typnamespace = 'mlmeta'::regnamespace
ORDER BY t.typname
SQL
cmp_ok(scalar @types, '>', 0, 'the extension defines types');
is(join(' ', grep { !@{ $examples{$_} // [] } } @types),
	'', 'each has an example here');
@types = grep { @{ $examples{$_} // [] } } @types;

# digest(DATABASE, TABLE): one line that changes with any bit of a value, as
# text or as sent, in a table of values.
sub digest
{
	my ($database, $table, $type) = @_;
	return $server->query($database, <<"SQL");
SELECT count(*), md5(string_agg(format('%s %s %s', id, value, mlmeta_internal.${type}_send(value)), ';' ORDER BY id))
FROM $table
SQL
}

for my $type (@types)
{
	my $table = "kept_$type";

	$server->query('shop', <<"SQL", @owner);
CREATE TABLE $table (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, value mlmeta.$type);
SQL
	# The states of aggregates that nobody stores need no operators.
	if ($server->query('shop', "SELECT count(*) FROM pg_opclass WHERE opcintype = 'mlmeta.$type'::regtype") > 0)
	{
		$server->query('shop', "CREATE INDEX ON $table USING hash (value)", @owner);
	}
	$server->succeeds('shop', join('', map { "INSERT INTO $table (value) VALUES ($_);\n" } @{ $examples{$type} }),
		"values of type $type are stored", @owner);
	for my $format ('binary', 'text', 'csv')
	{
		my $file = "$files/$table.$format";

		$server->query('shop', <<"SQL", @owner);
CREATE TABLE copy_${type}_$format (LIKE $table);
\\copy $table TO '$file' (FORMAT $format)
\\copy copy_${type}_$format FROM '$file' (FORMAT $format)
SQL
		is( digest('shop', "copy_${type}_$format", $type),
			digest('shop', $table, $type),
			"type $type survives COPY, format $format");
	}
}

#
# Rows in the tables of the extension.
#
sub work
{
	my ($database, $experiment) = @_;
	return $server->psql($database, <<"SQL", @owner);
SELECT mlmeta.start_run('$experiment', 'parent', '{"depth": 6, "eta": 0.1, "note": "\\u00fc"}',
	'{"team": "risk"}') AS parent \\gset
SELECT mlmeta.start_run('$experiment', params => '{"depth": 8}', parent => :'parent',
	source => '{"repository": "git:models", "commit": "0a1b2c", "patch": "+ a line of $experiment\\n",
		"devices": {"gpu": 1}, "environment": {"python": "3.11", "for": "$experiment"}}') AS child \\gset
SELECT mlmeta.log_params(:'child', '{"rate": 0.25, "layers": [1, 2]}');
SELECT mlmeta.set_tags(:'child', '{"stage": "trial"}');
SELECT mlmeta.log_metrics(:'child', '{"auc": 0.93, "loss": "NaN", "gain": "Infinity"}');
SELECT mlmeta.log_metrics(:'child', '{"auc": 0.94}', 2);
SELECT mlmeta.log_series(:'child', 'epoch_loss', ARRAY[1, 2, 3], '{0.5, NaN, 0.25}'::float8[]);
SELECT mlmeta.log_series(:'child', 'batch_loss', array_agg(i), array_agg(1.0::float8 / i)) FROM generate_series(1, 100) AS i;
SELECT mlmeta.use_artifact(:'child',
	mlmeta.snapshot_dataset('$experiment', 'orders', keys => '{id}'), role => 'training');
SELECT mlmeta.log_samples(:'child', '{1, 2, 3}', '{0.1, 0.9, NaN}', '{0, 1, 1}');
SELECT mlmeta.set_price('gpu', 2.5);
SELECT mlmeta.set_budget(100, '$experiment');
SELECT mlmeta.log_artifact(:'child', 'model:$experiment:v1', 's3://models/1');
SELECT mlmeta.set_metric('$experiment', true);
SELECT mlmeta.log_artifact(:'child', 'model:$experiment:v1', 's3://models/1/moved');
SELECT mlmeta.describe_artifact(:'child', 'model:$experiment:v1', source => 'train.py');
SELECT mlmeta.log_file(:'child', 'plots/roc.png', 100);
SELECT mlmeta.create_logged_model('$experiment', :'child') AS model \\gset
SELECT mlmeta.log_model_file(:'model', 'model/MLmodel', 10, repeat('ab', 32));
SELECT mlmeta.log_run_model(:'child', :'model', 'produced');
SELECT mlmeta.rename_run(:'child', 'child');
SELECT mlmeta.finish_run(:'child');
SELECT mlmeta.log_metrics(:'child', '{"late": 1}');
SELECT mlmeta.finish_run(:'parent', 'failed');
SELECT mlmeta.create_monitor('$experiment', \$q\$SELECT '2024-01-01'::timestamptz + i * interval '1 hour' AS at,
	i + (i / 100) * 1000.0 AS x, i % 2 = 0 AS label, (i % 10) / 10.0 AS score FROM generate_series(0, 239) AS i\$q\$,
	'at', '1 day', label => 'label', score => 'score');
SELECT mlmeta.set_segments('$experiment', '{"half": "x > 0"}');
SELECT mlmeta.add_measure('$experiment', 'largest', 'max(x)');
SELECT mlmeta.set_baseline('$experiment', '2024-01-01', '2024-01-03');
SELECT mlmeta.set_rule('$experiment', measure => 'ks', tolerance => 0.05);
SELECT count(*) FROM mlmeta.check_monitor('$experiment', '2024-01-11');
SELECT count(*) FROM mlmeta.take_alerts('$experiment', 1);
SELECT mlmeta.create_model('$experiment', description => 'a model', tags => '{"\\u00fc": 1}');
SELECT mlmeta.create_event_consumer('$experiment');
SELECT mlmeta.create_model_version('$experiment', :'child', 'model:$experiment:v1',
	profile => (SELECT mlmeta.profile(orders) FROM orders));
SELECT mlmeta.create_model_version('$experiment', NULL, NULL, 's3://models/2');
SELECT mlmeta.set_alias('$experiment', 'candidate', 1);
SELECT mlmeta.set_alias('$experiment', 'candidate', 2);
SELECT mlmeta.set_policy('$experiment', 'production', requester_may_approve => true, alias => 'champion');
SELECT mlmeta.add_gate('$experiment', 'production', 'always', 'SELECT true, now()::text');
SELECT mlmeta.approve(mlmeta.request_transition('$experiment', 1, 'production'), 'fine');
SELECT mlmeta.approve(mlmeta.request_transition('$experiment', 2, 'production'));
SELECT mlmeta.request_transition('$experiment', 1, 'staging');
SELECT mlmeta.acknowledge_event('$experiment', event) FROM mlmeta.take_events('$experiment');
SELECT version, uri FROM mlmeta.resolve_model('$experiment\@champion', 'dump');
SELECT mlmeta.request_retraining('$experiment');
SELECT mlmeta.ingest_openlineage('["$experiment"]'), mlmeta.ingest_openlineage(jsonb_build_object('eventTime', '2024-01-01T00:00:00Z',
	'producer', 'p', 'schemaURL', 's', 'run', jsonb_build_object('runId', md5('$experiment')::uuid, 'facets', '{"f": {"_producer": "p", "_schemaURL": "s"}}'::jsonb),
	'job', '{"namespace": "n", "name": "$experiment"}'::jsonb, 'inputs', '[{"namespace": "n", "name": "a"}]'::jsonb,
	'outputs', '[{"namespace": "n", "name": "b", "facets": {"columnLineage": {"_producer": "p", "_schemaURL": "s", "fields":
		{"x": {"inputFields": [{"namespace": "n", "name": "a", "field": "y"}]}}}}}]'::jsonb));
SELECT mlmeta.add_member('default', 'guest', 'reader');
SQL
}

my ($status, $out, $err) = work('shop', 'churn');
is($status, 0, 'the owner fills the tables of the extension') or diag($err);
$server->query('shop', 'DROP SCHEMA states CASCADE');
$server->succeeds('shop', 'GRANT USAGE ON SCHEMA mlmeta TO guest; GRANT SELECT ON ALL TABLES IN SCHEMA mlmeta TO guest',
	'and grants others to read', @owner);

# contents(DATABASE): name, number of rows and digest of each table and view,
# ours and the user's, and the state of each sequence.
sub contents
{
	my ($database) = @_;
	my $tables = $server->query($database, <<'SQL', @owner);
SELECT format('%I.%I', relnamespace::regnamespace, relname) FROM pg_class
WHERE relkind IN ('r', 'p', 'm', 'v')
	AND relnamespace IN ('mlmeta'::regnamespace, 'mlmeta_internal'::regnamespace, 'public'::regnamespace)
ORDER BY 1
SQL
	my $queries = join "\nUNION ALL ", map {
		"SELECT '$_' AS name, count(*) AS rows, coalesce(md5(string_agg(t::text, ';' ORDER BY t::text COLLATE \"C\")), '') AS digest FROM $_ AS t"
	} split /\n/, $tables;
	# One statement over all views would be compiled for minutes.
	return $server->query($database, <<"SQL", @owner);
SET jit = off;
SELECT * FROM ($queries) AS tables
UNION ALL
SELECT schemaname || '.' || sequencename, last_value, 'sequence' FROM pg_sequences
ORDER BY 1
SQL
}

# A run that is running lasts longer each time one looks.
$server->query('shop', 'SELECT mlmeta.finish_run(run) FROM mlmeta.runs WHERE finished_at IS NULL', @owner);

my $contents = contents('shop');
# That one is empty outside of the transaction that needs it; MLflow's schemas
# have a test of their own.
is(join(' ', grep { !/lifted_guards|\.mlflow_/ } $contents =~ /^(mlmeta\.[^|]*)\|0\|/mg),
	'', 'no table or view of the extension is empty, so that each is tested');

#
# Dump and restore.
#
my ($restored, $said, $complaints);
for my $format ('plain', 'custom')
{
	my $database = "from_$format";
	my $file = "$files/shop.$format";

	($status, $said, $complaints) = $server->program(
		['pg_dump', "--format=$format", "--file=$file", 'shop'], @owner);
	is("$status$complaints", '0', "the owner dumps his database, format $format");

	my @restore = $format eq 'plain'
	  ? ('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, $database)
	  : ('pg_restore', '--exit-on-error', '-d', $database, $file);
	($status, $said, $complaints) = $server->program(\@restore, @owner);
	is("$status$complaints", '0', "and restores it, format $format");

	same_lines(contents($database), $contents,
		"every table, view and sequence holds what it held, format $format");
	is(digest($database, "kept_$_", $_), digest('shop', "kept_$_", $_),
		"values of type $_ are the same, bit for bit")
	  for @types;

	$server->gives($database, 'SELECT count(*) > 0 FROM mlmeta.run_overview', 't',
		'the grants hold', user => 'guest');
	$server->refuses($database, 'DELETE FROM mlmeta.runs', '42501',
		'and grant no more', user => 'guest');

	$server->gives($database, 'SELECT count(*) FROM mlmeta.verify_audit()', '0',
		'the chain of the audit trail is whole', @owner);
	$server->gives($database, <<'SQL', '0', 'also with other settings', @owner);
SET TimeZone = 'Asia/Kathmandu'; SET DateStyle = 'German'; SET IntervalStyle = 'sql_standard';
SET extra_float_digits = -10; SET bytea_output = 'escape';
SELECT count(*) FROM mlmeta.verify_audit()
SQL
	$server->refuses($database, 'TRUNCATE mlmeta.audit_log', '55000',
		'and guarded', @owner);

	($status, $said, $complaints) = work($database, 'afterwards');
	is($status, 0, 'work goes on where it ended') or diag($complaints);
	$server->gives($database, "SELECT mlmeta.create_model_version('churn', NULL, NULL, 's3://3')", '3',
		'version numbers go on without a gap', @owner);
	$server->gives($database, 'SELECT count(*) FROM mlmeta.verify_audit()', '0',
		'so does the chain', @owner);
	$server->refuses($database, 'UPDATE mlmeta.stage_periods SET version = 1', '55000',
		'history is still guarded', @owner);
	$server->gives($database, <<'SQL', 'analyst', 'all is still the owner\'s');
SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class
WHERE relnamespace = 'mlmeta'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
SQL
	$server->succeeds($database, 'DROP EXTENSION mlmeta CASCADE', 'and his to remove', @owner);
}

#
# A crash. Sequences may leave a gap then.
#
$server->restart('immediate');
my ($before, $after) = map { join "\n", grep { !/\|sequence$/ } split /\n/ } ($contents, contents('shop'));
same_lines($after, $before, 'a crash loses nothing');

done_testing;
