# What administrators do to a database loses nothing and leaves work going on:
# a parallel restore, a restore into another cluster, pg_upgrade, a change of
# owner, a publication of all tables, sequences that a switch-over left behind.

use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::RealBin/lib";

use IPC::Run qw(run);
use MlmetaCluster;
use Test::More;

my $files = tempdir('mlmeta-operations-XXXX', DIR => '/var/tmp', CLEANUP => 1);
my $server = MlmetaCluster->new('operations', wal_level => 'logical');
my @owner = (user => 'dora');

# work(SERVER, DATABASE, NAME): something of everything, done by the owner.
sub work
{
	my ($server, $database, $name) = @_;
	return $server->succeeds($database, <<"SQL", "work is done: $name", @owner);
SET search_path = "\$user", public, mlmeta;
CREATE TABLE IF NOT EXISTS source AS
	SELECT '2024-01-01'::timestamptz + i * interval '1 hour' AS at, i + (i / 100) * 1000.0 AS x, i AS id FROM generate_series(0, 239) AS i;
SELECT create_project('$name'), create_experiment('$name', '$name');
SELECT start_run('$name', params => '{"a": 1}', tags => '{"t": "$name"}', source => '{"patch": "+ $name", "environment": {"for": "$name"}}') AS run \\gset
SELECT log_metrics(:'run', '{"auc": 0.9}'), log_series(:'run', 'loss', ARRAY[1, 2, 3], '{3,2,1}');
SELECT snapshot_dataset('$name', 'source', keys => '{id}') AS data \\gset
SELECT use_artifact(:'run', :'data', 'training'), log_artifact(:'run', 'model:$name:1', 's3://$name');
SELECT log_samples(:'run', '{1,2}', '{0.1,0.9}', '{0,1}'), finish_run(:'run');
SELECT create_model('$name', '$name'), create_event_consumer('$name');
SELECT create_model_version('$name', :'run', 'model:$name:1'), create_model_version('$name', NULL, NULL, 's3://2');
SELECT set_alias('$name', 'candidate', 1); SELECT set_alias('$name', 'candidate', 2);
SELECT set_policy('$name', 'production', 0, alias => 'champion');
SELECT add_gate('$name', 'production', 'always', 'SELECT true');
SELECT request_transition('$name', 1, 'production'); SELECT request_transition('$name', 2, 'production');
SELECT acknowledge_event('$name', event) FROM take_events('$name');
SELECT uri FROM resolve_model('$name\@champion', 'work');
SELECT request_retraining('$name');
SELECT create_monitor('$name', 'source', 'at', '1 day', features => '{x}', project => '$name');
SELECT set_baseline('$name', '2024-01-01', '2024-01-03');
SELECT count(*) FROM check_monitor('$name', '2024-01-11');
SELECT count(*) FROM take_alerts('$name');
SELECT compact_series(:'run');
SELECT start_run('$name') AS gone \\gset
SELECT delete_run(:'gone'), purge_runs('0');
SQL
}

# contents(SERVER, DATABASE): rows and digest of every table, state of sequences.
sub contents
{
	my ($server, $database) = @_;
	my $tables = $server->query($database, <<'SQL');
SELECT format('%I.%I', relnamespace::regnamespace, relname) FROM pg_class
WHERE relkind = 'r' AND relnamespace IN ('mlmeta'::regnamespace, 'mlmeta_internal'::regnamespace, 'public'::regnamespace) ORDER BY 1
SQL
	my $queries = join "\nUNION ALL ", map {
		"SELECT '$_', count(*), coalesce(md5(string_agg(t::text, ';' ORDER BY t::text COLLATE \"C\")), '') FROM $_ AS t"
	} split /\n/, $tables;
	return $server->query($database, <<"SQL");
SELECT * FROM ($queries) AS tables
UNION ALL SELECT schemaname || '.' || sequencename, last_value, 'sequence' FROM pg_sequences
ORDER BY 1
SQL
}

# healthy(SERVER, DATABASE): doctor() finds nothing.
sub healthy
{
	my ($server, $database, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return $server->gives($database, 'SELECT * FROM mlmeta.doctor()', '', "$name: the doctor finds nothing");
}

$server->query('postgres', <<'SQL');
CREATE ROLE dora LOGIN; CREATE ROLE ann LOGIN; CREATE ROLE bob LOGIN; CREATE ROLE next_dba LOGIN;
CREATE DATABASE shop OWNER dora; CREATE DATABASE restored OWNER dora;
SQL
$server->query('shop', 'CREATE EXTENSION mlmeta', @owner);
work($server, 'shop', 'first');
# Roles are members, and one is renamed since.
$server->query('shop', "SELECT mlmeta.setup_roles('ml'); GRANT ml_writer TO ann, bob;");
$server->query('shop', "SELECT mlmeta.add_member('first', 'ann', 'writer'), mlmeta.add_member('first', 'bob', 'reader')", @owner);
$server->query('shop', "SELECT mlmeta.create_monitor('anns', 'SELECT now() AS at, 1 AS x', 'at', '1 day')", user => 'ann');
# Enough rows that tables are restored side by side.
$server->query('shop', <<'SQL', @owner);
DO $$
DECLARE r mlmeta.run;
BEGIN
	FOR i IN 1 .. 1500 LOOP
		r := mlmeta.start_run('bulk ' || i % 7, params => jsonb_build_object('i', i), source => jsonb_build_object('patch', i::text));
		PERFORM mlmeta.log_metrics(r, '{"m": 1}');
		PERFORM mlmeta.log_artifact(r, ('model:bulk:' || i)::mlmeta.artifact);
		PERFORM mlmeta.finish_run(r);
	END LOOP;
END $$;
SQL
healthy($server, 'shop', 'before');
my $contents = contents($server, 'shop');
my $full = () = $contents =~ /^mlmeta[^|]*\|[1-9]\d*\|[0-9a-f]{32}$/mg;
cmp_ok($full, '>', 40, 'there is something to lose in most tables');

#
# Parallel restore, by the owner, who is no superuser
#
for my $format ('custom', 'directory')
{
	my ($status, $out, $err) = $server->program([ 'pg_dump', "--format=$format", "--file=$files/shop.$format", 'shop' ], @owner);
	is("$status$err", '0', "a dump, format $format");
	$server->query('postgres', 'DROP DATABASE restored; CREATE DATABASE restored OWNER dora');
	($status, $out, $err) = $server->program([ 'pg_restore', '-j8', '--exit-on-error', '-d', 'restored', "$files/shop.$format" ], @owner);
	is("$status$err", '0', "and its restore with eight jobs, format $format");
	same_lines(contents($server, 'restored'), $contents, 'every row of every table is there');
	healthy($server, 'restored', 'after the restore');
}
work($server, 'restored', 'after a parallel restore');
$server->gives('restored', "SELECT count(*) FROM mlmeta.runs AS r JOIN mlmeta.experiments AS e USING (experiment_id) WHERE e.project = 'first'", '1',
	'members are members, in the same cluster', user => 'ann');

#
# Another cluster: nobody is anybody there until somebody says so.
#
{
	my $other = MlmetaCluster->new('operations-other');
	# Numbers are given out in another order: ann's is dora's here.
	$other->query('postgres', 'CREATE ROLE filler; CREATE ROLE bob LOGIN; CREATE ROLE ann LOGIN; CREATE ROLE dora LOGIN; CREATE DATABASE shop OWNER dora');
	$other->query('postgres', "CREATE ROLE ml_$_") for qw(reader writer reviewer admin);
	$other->query('postgres', 'GRANT ml_reader TO ml_writer; GRANT ml_writer TO ann');
	my ($status, $out, $err) = $other->program([ 'pg_restore', '-j4', '--exit-on-error', '-d', 'shop', "$files/shop.custom" ], @owner);
	is("$status$err", '0', 'a restore into another cluster');
	same_lines(contents($other, 'shop'), $contents, 'every row is there');
	my $seen = "SELECT count(*) FROM mlmeta.runs AS r JOIN mlmeta.experiments AS e USING (experiment_id) WHERE e.project = 'first'";
	$other->gives('shop', $seen, '0', 'a member of there is none here', user => 'ann');
	$other->gives('shop', "SELECT string_agg(object, ' ' ORDER BY object) FROM mlmeta.doctor() WHERE problem ~ '^role'", 'ann bob dora', 'the doctor says who has to be bound', @owner);
	$other->refuses('shop', 'SELECT * FROM mlmeta.rebind_roles()', '42501', 'not everybody says who is who', user => 'ann');
	$other->query('postgres', 'DROP ROLE bob');
	$other->gives('shop', 'SELECT * FROM mlmeta.rebind_roles()', "ann|t\nbob|f\ndora|t", 'the owner does', @owner);
	$other->gives('shop', $seen, '1', 'then members are members', user => 'ann');
	$other->query('postgres', 'CREATE ROLE bob LOGIN; GRANT ml_writer TO bob');
	$other->gives('shop', $seen, '0', 'who comes later is not', user => 'bob');
	$other->gives('shop', 'SELECT name FROM mlmeta.rebind_roles()', 'bob', 'before he is bound too', @owner);
	work($other, 'shop', 'in another cluster');
	$other->stop;
}

#
# pg_upgrade, to the same version: what it restores is the schema alone.
#
sub as_server
{
	my (@command) = @_;
	unshift @command, 'runuser', '-u', 'postgres', '--' if $> == 0;
	my $output = '';
	my $ok = run \@command, '<', \undef, '>&', \$output, init => sub { chdir $files };
	return ($ok, $output);
}
{
	my $bin = $server->{bindir};
	my $port = 5433;

	if ($> == 0)
	{
		chown((getpwnam 'postgres')[ 2, 3 ], $files);
	}
	chmod 0700, $files;
	for my $cluster ('old', 'new')
	{
		my ($ok, $output) = as_server("$bin/initdb", '-D', "$files/$cluster", qw(-U postgres -A trust -N -E UTF8 --locale=C.UTF-8 --no-instructions));
		ok($ok, "a cluster to upgrade: $cluster") or diag($output);
	}
	my $start = "-c unix_socket_directories=$files -c listen_addresses= -c port=$port -c fsync=off";
	my ($ok, $output) = as_server("$bin/pg_ctl", '-D', "$files/old", '-l', "$files/old.log", '-o', $start, qw(-s -w start));
	ok($ok, 'the old one runs') or diag($output);
	my $cluster = bless { host => $files, port => $port, bindir => $bin }, 'MlmetaCluster';
	$cluster->query('postgres', 'CREATE ROLE dora LOGIN; CREATE ROLE ann LOGIN; CREATE ROLE bob LOGIN; CREATE DATABASE shop OWNER dora');
	$cluster->query('shop', 'CREATE EXTENSION mlmeta', @owner);
	work($cluster, 'shop', 'before the upgrade');
	$cluster->query('shop', "SELECT mlmeta.setup_roles('ml'); GRANT ml_writer TO ann, bob");
	$cluster->query('shop', "SELECT mlmeta.add_member('before the upgrade', 'ann', 'writer'), mlmeta.add_member('before the upgrade', 'bob', 'writer')", @owner);
	# She marries, and another takes her name.
	$cluster->query('shop', 'ALTER ROLE ann RENAME TO anna; CREATE ROLE ann LOGIN; GRANT ml_writer TO ann');
	$cluster->query('shop', 'SELECT * FROM mlmeta.rebind_roles()', @owner);
	my $before = contents($cluster, 'shop');
	as_server("$bin/pg_ctl", '-D', "$files/old", qw(-s -m fast -w stop));

	($ok, $output) = as_server("$bin/pg_upgrade", '-b', $bin, '-B', $bin, '-d', "$files/old", '-D', "$files/new",
		'-U', 'postgres', '-s', $files, '-p', $port, '-P', $port + 1);
	ok($ok, 'pg_upgrade comes to its end') or diag($output,
		`grep -rh -A3 'pg_restore: error' $files/new/pg_upgrade_output.d`);
	($ok, $output) = as_server("$bin/pg_ctl", '-D', "$files/new", '-l', "$files/new.log", '-o', $start, qw(-s -w start));
	ok($ok, 'the new one runs') or diag($output);
	same_lines(contents($cluster, 'shop'), $before, 'every row is there');
	my $seen = 'SELECT count(*) FROM mlmeta.runs';
	$cluster->gives('shop', $seen, '1', 'members are members', user => 'bob');
	$cluster->gives('shop', $seen, '1', 'under the name that they have now', user => 'anna');
	$cluster->gives('shop', $seen, '0', 'and nobody else', user => 'ann');
	healthy($cluster, 'shop', 'after the upgrade');
	$cluster->query('shop', 'SELECT * FROM mlmeta.rebind_roles()', @owner);
	$cluster->gives('shop', "$seen", '1', 'also when roles are bound again', user => 'anna');
	$cluster->gives('shop', "$seen", '0', 'to nobody else', user => 'ann');
	work($cluster, 'shop', 'after the upgrade');
	as_server("$bin/pg_ctl", '-D', "$files/new", qw(-s -m fast -w stop));
}

#
# A publication of all tables
#
$server->query('shop', 'CREATE PUBLICATION everything FOR ALL TABLES');
work($server, 'shop', 'published');
$server->succeeds('shop', "SELECT mlmeta.drop_monitor('published'), mlmeta.purge_events('0'), mlmeta.purge_experiment('bulk 1')", 'and is undone', @owner);
$server->succeeds('shop', <<'SQL', 'an alert is handled, a policy changed', @owner);
SELECT mlmeta.resolve_alert(id) FROM mlmeta.alerts LIMIT 1;
SELECT mlmeta.set_policy('first', 'production', 2), mlmeta.drop_gate('first', 'production', 'always'), mlmeta.drop_alias('first', 'candidate');
SELECT mlmeta.remove_member('first', 'bob'), mlmeta.drop_event_consumer('first'), mlmeta.open_project('first');
SQL
$server->query('shop', 'DROP PUBLICATION everything');
healthy($server, 'shop', 'after that');

#
# Sequences behind their tables, as after a switch-over by logical replication
#
$server->query('shop', <<'SQL', @owner);
SELECT setval(pg_get_serial_sequence(a.attrelid::regclass::text, a.attname), 1, false)
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
WHERE c.relnamespace IN ('mlmeta'::regnamespace, 'mlmeta_internal'::regnamespace) AND c.relkind = 'r' AND a.attidentity <> ''
SQL
my %stale = (
	"SELECT mlmeta.start_run('another experiment')" => 'experiments_pkey',
	"SELECT mlmeta.create_model('another model')" => 'models_pkey',
	"SELECT mlmeta.create_monitor('another', 'source', 'at', '1 day')" => 'monitors_pkey',
	"SELECT mlmeta.set_alias('first', 'other', 1)" => '(audit_log|events|model_aliases)_pkey',
);
for my $sql (sort keys %stale)
{
	my ($status, $out, $err) = $server->psql('shop', $sql, @owner);
	like($err, qr/ERROR:  (23505: .*"$stale{$sql}"|55000: the numbers of table .* lag)/, "$sql: the number is said to be taken, not the name");
}
my $lagging = $server->query('shop', "SELECT count(*) FROM mlmeta.doctor() WHERE problem = 'sequence behind its table'", @owner);
cmp_ok($lagging, '>', 5, 'the doctor sees it');
$server->gives('shop', 'SELECT count(*) FROM mlmeta.repair_sequences()', $lagging, 'and it is repaired', @owner);
healthy($server, 'shop', 'then');
work($server, 'shop', 'after a switch-over');

#
# The owner leaves: REASSIGN OWNED, DROP OWNED, DROP ROLE, in each database.
#
$server->query('postgres', 'CREATE DATABASE plain; GRANT CREATE ON DATABASE plain TO dora');
$server->query('plain', 'GRANT CREATE ON SCHEMA public TO dora, next_dba');
$server->query('plain', 'CREATE EXTENSION mlmeta', @owner);
work($server, 'plain', 'by the first owner');
$server->query('plain', "SELECT mlmeta.setup_roles('ml'); SELECT mlmeta.add_member('by the first owner', 'ann', 'writer')");
$server->succeeds('plain', 'REASSIGN OWNED BY dora TO next_dba; DROP OWNED BY dora', 'all that is an owner\'s becomes another\'s');
$server->gives('plain', "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace IN ('mlmeta'::regnamespace, 'mlmeta_internal'::regnamespace) AND relkind IN ('r', 'v', 'S')",
	'next_dba', 'whoever he is');
$server->query($_, 'REASSIGN OWNED BY dora TO postgres; DROP OWNED BY dora') for 'shop', 'restored', 'postgres';
$server->succeeds('plain', 'DROP ROLE dora', 'and the role is gone');
@owner = (user => 'next_dba');
work($server, 'plain', 'by the next owner');
$server->succeeds('plain', "SELECT mlmeta.start_run('by the first owner')", 'members work on', user => 'ann');
$server->gives('plain', 'SELECT count(*) FROM mlmeta.verify_audit()', '0', 'the audit trail is whole', @owner);
$server->gives('plain', "SELECT problem || ': ' || object FROM mlmeta.doctor()", 'role that is not known here: dora', 'the doctor says who is gone', @owner);
my ($status, $out, $err) = $server->psql('plain', "SELECT mlmeta.drop_monitor('by the first owner')", @owner);
is($status, 0, 'what was his to look after, the owner of the extension can end') or diag($err);
work($server, 'shop', 'in the other database') if 0 == (@owner = (user => 'postgres'));
($status, $out, $err) = $server->program([ 'pg_dump', '-Fc', '-f', "$files/plain.custom", 'plain' ], user => 'next_dba');
is("$status$err", '0', 'the next owner dumps it');

done_testing();
