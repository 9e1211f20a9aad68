# Everything in C that SQL can call, called with arguments that nobody meant: it
# answers or refuses, and the server lives on.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use MlmetaCluster;
use Test::More;

my $rounds = $ENV{MLMETA_FUZZ_ROUNDS} // 15;
my $seed = $ENV{MLMETA_FUZZ_SEED} // 0.25;
my $server = MlmetaCluster->new('calls');

$server->query('postgres', 'CREATE DATABASE calls');
$server->query('calls', 'CREATE EXTENSION mlmeta');

my ($status, $out, $err) = $server->program(
	[
		qw(psql -X -q -A -t -o /dev/null),
		'-v', "rounds=$rounds", '-v', "seed=$seed",
		'-f', "$FindBin::RealBin/../fuzz/calls.sql"
	],
	database => 'calls');
is($status, 0, "$rounds rounds with seed $seed came to their end") or diag($err);
unlike($server->tool('log'), qr/terminated by signal|PANIC:|TRAP:/,
	'no backend died');

# An empty answer is the good one.
sub none
{
	my ($sql, $name) = @_;
	return $server->gives('calls', $sql, '', $name);
}

none(<<'SQL', 'every call came back') or diag($err);
SELECT signature FROM fuzz.callee
WHERE oid NOT IN (SELECT function FROM fuzz.finished) ORDER BY 1
SQL
none(<<'SQL', 'no internal error, none of memory or files');
SELECT function, sqlstate, n, message, example FROM fuzz.outcome
WHERE sqlstate ~ '^(XX|53|57|58)' ORDER BY 1, 2
SQL
# Otherwise nothing was tried. What is only for use in an aggregate says 0A000.
none(<<'SQL', 'nine of ten functions also gave an answer');
SELECT string_agg(function, ', ') FROM (
	SELECT function, bool_or(sqlstate = 'accepted') AS answered
	FROM fuzz.outcome WHERE sqlstate <> '0A000'
		-- Doors mostly say that there is no such thing.
		AND function NOT IN (SELECT signature FROM fuzz.callee AS c JOIN pg_proc AS p USING (oid) WHERE p.prosrc ~ '_door$')
	GROUP BY function) AS f
WHERE NOT answered
HAVING count(*) > 0.1 * (SELECT count(*) FROM fuzz.callee AS c JOIN pg_proc AS p USING (oid) WHERE p.prosrc !~ '_door$')
SQL

note($server->query('calls', 'SELECT sqlstate, sum(n), count(*) AS functions
	FROM fuzz.outcome GROUP BY sqlstate ORDER BY sqlstate'));
done_testing();
