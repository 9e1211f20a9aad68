# Mutated text and bytes through the input of every type: each is taken or
# refused with an error about data, and the server lives on.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use MlmetaCluster;
use Test::More;

my $rounds = $ENV{MLMETA_FUZZ_ROUNDS} // 40;
my $seed = $ENV{MLMETA_FUZZ_SEED} // 0.25;
my $server = MlmetaCluster->new('fuzz');

$server->query('postgres', 'CREATE DATABASE fuzz');
$server->query('fuzz', 'CREATE EXTENSION mlmeta');

my ($status, $out, $err) = $server->program(
	[
		qw(psql -X -q -A -t -o /dev/null),
		'-v', "rounds=$rounds", '-v', "seed=$seed",
		'-f', "$FindBin::RealBin/../fuzz/mutate.sql"
	],
	database => 'fuzz');
is($status, 0, "$rounds rounds with seed $seed came to their end") or diag($err);
unlike($server->tool('log'), qr/terminated by signal|PANIC:|TRAP:/,
	'no backend died');

# What the table says; an empty answer is the good one.
sub none
{
	my ($sql, $name) = @_;
	return $server->gives('fuzz', $sql, '', $name);
}

none(<<'SQL', 'every base type has seeds');
SELECT t.oid::regtype FROM pg_type AS t
WHERE t.typnamespace = 'mlmeta'::regnamespace AND t.typtype = 'b'
	AND t.typcategory <> 'A'
	AND t.oid NOT IN (SELECT type FROM fuzz.seed)
ORDER BY 1
SQL
none(<<'SQL', 'each input took its seeds and refused something');
SELECT type, entrance FROM (SELECT type, count(*) AS n FROM fuzz.seed
		GROUP BY type) AS types
	CROSS JOIN unnest(ARRAY['text input', 'binary input']) AS e (entrance)
WHERE n > (SELECT coalesce(sum(o.n), 0) FROM fuzz.outcome AS o
		WHERE (o.type, o.entrance, o.sqlstate)
			= (types.type, e.entrance, 'accepted'))
	OR NOT EXISTS (SELECT FROM fuzz.outcome AS o
		WHERE (o.type, o.entrance) = (types.type, e.entrance)
			AND o.sqlstate <> 'accepted')
ORDER BY 1, 2
SQL
none(<<'SQL', 'inputs refuse with errors of the classes 22 and 54 only');
SELECT type, entrance, sqlstate, n, message, example FROM fuzz.outcome
WHERE entrance LIKE '%input' AND sqlstate <> 'accepted'
	AND sqlstate !~ '^(22|54)'
ORDER BY type, entrance, sqlstate
SQL
none(<<'SQL', 'what is accepted survives its text and binary form');
SELECT type, entrance, n, example, message FROM fuzz.outcome
WHERE sqlstate = 'differs' ORDER BY type, entrance
SQL
none(<<'SQL', 'soft errors say what errors say');
SELECT type, sqlstate, n, message, example FROM fuzz.outcome
WHERE entrance = 'soft errors' ORDER BY type, sqlstate
SQL
none(<<'SQL', 'functions of what is accepted meet no internal error');
SELECT type, sqlstate, n, message, example FROM fuzz.outcome
-- Doors say that there is no such run or artifact, or that nothing runs there.
WHERE entrance = 'functions' AND sqlstate !~ '^(22|54|0A|55000|42704)'
ORDER BY type, sqlstate
SQL

note($server->query('fuzz',
	'SELECT type, entrance, sqlstate, n FROM fuzz.outcome ORDER BY 1, 2, 3'));
done_testing();
