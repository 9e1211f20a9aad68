# doc/reference.md is the list of what is public: adding to it, or taking away
# from it, is deliberate. Where this fails, tools/reference writes the page.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use Encode qw(decode);
use MlmetaCluster;
use Test::More;

my $root = "$FindBin::RealBin/../..";
my $server = MlmetaCluster->new('reference');
$server->query('postgres', 'CREATE DATABASE reference');
$server->query('reference', 'CREATE EXTENSION mlmeta');
my ($status, $out, $err) = $server->program(
	['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$root/tools/reference.sql"],
	database => 'reference');
is($status, 0, 'the catalog is read') or diag($err);

open(my $in, '<:encoding(UTF-8)', "$root/doc/reference.md") or die "doc/reference.md: $!";
my @page = <$in>;
close $in;
my @catalog = split /^/, decode('UTF-8', $out);

# missing(A, B): lines of A that B lacks
sub missing
{
	my ($of, $in) = @_;
	my %there = map { $_ => 1 } @$in;
	return join '', grep { !$there{$_} } @$of;
}
is(missing(\@catalog, \@page), '', 'everything public is on the page: what is new is new on purpose');
is(missing(\@page, \@catalog), '', 'and nothing that is gone, or has changed, is on it');
cmp_ok(scalar @catalog, '>', 500, 'the page is whole');

# Two schemas: what people need, and what they need not see.
is($server->query('reference', <<'SQL'), '', 'nobody but the owner executes what is internal, unless a list says so');
SELECT p.oid::regprocedure FROM pg_proc AS p
WHERE p.pronamespace = 'mlmeta_internal'::regnamespace AND p.prokind IN ('f', 'a', 'p')
	AND has_function_privilege('public', p.oid, 'EXECUTE')
	AND p.oid NOT IN (SELECT h.function::oid FROM mlmeta_internal.helpers AS h)
SQL
done_testing();
