# A session's settings change nothing of what is stored, judged or told: the
# scenarios of pgTAP hold under settings that write numbers, times and names
# otherwise. (What reads the catalog writes names itself, and gates are the
# queries of their owners; those files are not run here. Schemas of a user in
# the search path: 001_install.t, 004_identities.t.)

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use MlmetaCluster;
use Test::More;

my %settings = (
	extra_float_digits => '-15',
	quote_all_identifiers => 'on',
	DateStyle => 'SQL, DMY',
	IntervalStyle => 'sql_standard',
	bytea_output => 'escape',
	TimeZone => 'Asia/Kathmandu',
	array_nulls => 'off',
	transform_null_equals => 'on',
	xmloption => 'document',
	check_function_bodies => 'off',
	backslash_quote => 'on',
	lo_compat_privileges => 'on',
);
my $root = "$FindBin::RealBin/../..";
my $server = MlmetaCluster->new('settings');

$server->query('postgres', 'CREATE DATABASE hostile');
$server->query('hostile', 'CREATE EXTENSION mlmeta; CREATE EXTENSION pgtap');
foreach my $name (sort keys %settings)
{
	$server->query('postgres', "ALTER DATABASE hostile SET $name = "
		. ($name eq 'DateStyle' ? 'SQL, DMY' : "'$settings{$name}'"));
}
foreach my $file (sort glob "$root/test/pgtap/*.sql")
{
	my ($scenario) = $file =~ m{([^/]+)\.sql$};

	next if $scenario =~ /^(?:catalog|rights|plpgsql_check|registry_gates)$/;
	open(my $in, '<:encoding(UTF-8)', $file) or die "$file: $!";
	my $sql = do { local $/; <$in> };
	close $in;
	my (undef, $answer, $errors) = $server->psql('hostile', $sql);
	my @failed = $answer =~ /^(not ok .*\n(?:#.*\n)*)/mg;

	is(join('', @failed) . join('', $errors =~ /^(.*ERROR:.*\n)/mg), '',
		"$scenario: holds");
	cmp_ok(scalar(() = $answer =~ /^ok /mg), '>', 0, "$scenario: was run");
}
$server->stop;
done_testing();
