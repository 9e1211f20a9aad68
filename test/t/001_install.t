# Installation: by a database owner who is no superuser, under hostile
# conditions, and without a trace after DROP EXTENSION.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use MlmetaCluster;
use Test::More;

my $server = MlmetaCluster->new('install');

# A name that must be quoted, as roles are named in the field.
my $owner = 'Anna-Lena Data';
my $quoted = '"Anna-Lena Data"';

$server->query('postgres', <<"SQL");
CREATE ROLE $quoted LOGIN;
CREATE ROLE guest LOGIN;
CREATE DATABASE shop OWNER $quoted;
CREATE DATABASE hostile OWNER $quoted;
CREATE DATABASE odd_path OWNER $quoted;
SQL

# What a database holds: each row names one object or one thing said about one.
my $inventory = <<'SQL';
SELECT format('%s %s', tableoid::regclass, oid) FROM pg_class
UNION ALL SELECT format('%s %s', tableoid::regclass, oid) FROM pg_proc
UNION ALL SELECT format('%s %s', tableoid::regclass, oid) FROM pg_type
UNION ALL SELECT format('%s %s', tableoid::regclass, oid) FROM pg_namespace
UNION ALL SELECT format('%s %s', tableoid::regclass, oid) FROM pg_operator
UNION ALL SELECT format('%s %s', tableoid::regclass, oid) FROM pg_opclass
UNION ALL SELECT format('%s %s', tableoid::regclass, oid) FROM pg_opfamily
UNION ALL SELECT format('%s %s', tableoid::regclass, oid) FROM pg_amop
UNION ALL SELECT format('%s %s', tableoid::regclass, oid) FROM pg_amproc
UNION ALL SELECT format('%s %s', tableoid::regclass, oid) FROM pg_cast
UNION ALL SELECT format('%s %s', tableoid::regclass, oid) FROM pg_constraint
UNION ALL SELECT format('%s %s', tableoid::regclass, oid) FROM pg_trigger
UNION ALL SELECT format('%s %s', tableoid::regclass, oid) FROM pg_event_trigger
UNION ALL SELECT format('%s %s', tableoid::regclass, oid) FROM pg_policy
UNION ALL SELECT format('%s %s', tableoid::regclass, oid) FROM pg_rewrite
UNION ALL SELECT format('%s %s', tableoid::regclass, oid) FROM pg_extension
UNION ALL SELECT format('%s %s', tableoid::regclass, oid) FROM pg_attrdef
UNION ALL SELECT format('%s %s', tableoid::regclass, oid) FROM pg_enum
UNION ALL SELECT format('%s %s', tableoid::regclass, oid) FROM pg_default_acl
UNION ALL SELECT format('%s %s', tableoid::regclass, a.*) FROM pg_aggregate AS a
UNION ALL SELECT format('%s %s', tableoid::regclass, d.*) FROM pg_depend AS d
UNION ALL SELECT format('%s %s', tableoid::regclass, d.*) FROM pg_description AS d
UNION ALL SELECT format('%s %s', tableoid::regclass, i.*) FROM pg_init_privs AS i
UNION ALL SELECT format('%s %s', tableoid::regclass, s.*) FROM pg_shdepend AS s
UNION ALL SELECT format('%s %s', tableoid::regclass, oid) FROM pg_authid
ORDER BY 1
SQL

# What a user does first, in the database $database.
sub first_steps
{
	my ($database) = @_;

	$server->succeeds($database, <<'SQL', "the owner works in $database", user => $owner);
SELECT mlmeta.start_run('first', params => '{"depth": 6}') AS run \gset
SELECT mlmeta.log_params(:'run', '{"rate": 0.1}');
SELECT mlmeta.log_metrics(:'run', '{"auc": 0.93}');
SELECT mlmeta.log_metrics(:'run', '{"auc": 0.94}', 2);
SELECT mlmeta.finish_run(:'run');
SQL
	$server->gives($database, <<'SQL', "first|finished|0.94", "and reads it back in $database", user => $owner);
SELECT experiment, status, metrics OPERATOR(pg_catalog.->>) 'auc' FROM mlmeta.run_overview
SQL
}

#
# A database owner installs, works, and removes.
#
my $before = $server->query('shop', $inventory);

$server->refuses('shop', 'CREATE EXTENSION mlmeta', '42501',
	'a role without rights in the database cannot install', user => 'guest');
$server->succeeds('shop', 'CREATE EXTENSION mlmeta',
	'the owner of a database installs, being no superuser', user => $owner);

$server->gives('shop', <<'SQL', $owner, 'the extension is the owner\'s');
SELECT pg_get_userbyid(extowner) FROM pg_extension WHERE extname = 'mlmeta'
SQL
$server->gives('shop', <<"SQL", '', 'so are the schema, every table, view and sequence');
SELECT 'schema ' || nspname FROM pg_namespace
WHERE nspname IN ('mlmeta', 'mlmeta_internal') AND pg_get_userbyid(nspowner) <> '$owner'
UNION ALL
SELECT 'relation ' || relname FROM pg_class
WHERE relnamespace IN ('mlmeta'::regnamespace, 'mlmeta_internal'::regnamespace)
	AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
	AND pg_get_userbyid(relowner) <> '$owner'
SQL
$server->gives('shop', <<"SQL", '', 'and every function that runs as him, and every door to one');
SELECT p.oid::regprocedure FROM pg_proc AS p
	JOIN pg_language AS l ON l.oid = p.prolang
WHERE (p.pronamespace = 'mlmeta_internal'::regnamespace AND l.lanname <> 'c' AND p.prokind <> 'a'
		AND NOT has_function_privilege('public', p.oid, 'EXECUTE')
		OR p.prosrc IN ('mlmeta_door', 'mlmeta_decision_door'))
	AND pg_get_userbyid(p.proowner) <> '$owner'
SQL
$server->gives('shop', <<'SQL', '', 'nothing of the extension lies outside its schemas');
SELECT pg_describe_object(d.classid, d.objid, 0)
FROM pg_depend AS d
	JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	LEFT JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
	LEFT JOIN pg_proc AS p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
	LEFT JOIN pg_type AS t ON d.classid = 'pg_type'::regclass AND t.oid = d.objid
	LEFT JOIN pg_operator AS o ON d.classid = 'pg_operator'::regclass AND o.oid = d.objid
WHERE e.extname = 'mlmeta' AND d.deptype = 'e'
	AND coalesce(c.relnamespace, p.pronamespace, t.typnamespace, o.oprnamespace)
		<> ALL (ARRAY['mlmeta', 'mlmeta_internal']::regnamespace[]::oid[])
SQL
$server->gives('shop', <<'SQL', '', 'a role without grants can write to no table of it');
SELECT relname FROM pg_class
WHERE relnamespace IN ('mlmeta'::regnamespace, 'mlmeta_internal'::regnamespace)
	AND relkind IN ('r', 'p')
	AND (has_table_privilege('guest', oid, 'INSERT')
		OR has_table_privilege('guest', oid, 'UPDATE')
		OR has_table_privilege('guest', oid, 'DELETE')
		OR has_table_privilege('guest', oid, 'TRUNCATE'))
SQL

first_steps('shop');

$server->refuses('shop', 'DROP EXTENSION mlmeta', '42501',
	'others cannot remove it', user => 'guest');
$server->succeeds('shop', 'DROP EXTENSION mlmeta',
	'the owner removes it, his runs with it', user => $owner);
same_lines($server->query('shop', $inventory), $before, 'nothing of it is left');

$server->succeeds('shop', <<'SQL', 'remove and install again in one session', user => $owner);
CREATE EXTENSION mlmeta;
SELECT mlmeta.start_run('before');
DROP EXTENSION mlmeta;
CREATE EXTENSION mlmeta;
SELECT mlmeta.start_run('after');
DROP EXTENSION mlmeta;
SQL
same_lines($server->query('shop', $inventory), $before, 'and nothing is left again');

$server->succeeds('shop', <<'SQL', 'an installation that is rolled back', user => $owner);
BEGIN;
CREATE EXTENSION mlmeta;
SELECT mlmeta.start_run('undone');
ROLLBACK;
SQL
same_lines($server->query('shop', $inventory), $before, 'leaves nothing either');

$server->refuses('shop', 'CREATE EXTENSION mlmeta SCHEMA public', '0A000',
	'it cannot be put into another schema', user => $owner);

#
# Somebody made a schema of our name first.
#
$server->query('hostile', <<'SQL');
GRANT CREATE ON DATABASE hostile TO guest;
SET ROLE guest;
CREATE SCHEMA mlmeta;
CREATE FUNCTION mlmeta.start_run(experiment text) RETURNS text
	LANGUAGE sql AS $$ SELECT 'trapped' $$;
SQL
$before = $server->query('hostile', $inventory);
for my $user ($owner, 'postgres')
{
	$server->refuses('hostile', 'CREATE EXTENSION mlmeta', '42P06',
		"a schema that was there makes CREATE EXTENSION fail for $user", user => $user);
}
same_lines($server->query('hostile', $inventory), $before, 'which then changes nothing');

#
# The search path names a schema that shadows what everybody calls.
#
$server->query('odd_path', <<"SQL");
CREATE SCHEMA trap AUTHORIZATION guest;
SET ROLE guest;
CREATE FUNCTION trap.sprung() RETURNS boolean LANGUAGE plpgsql
	AS \$\$ BEGIN RAISE EXCEPTION 'the trap is sprung'; END \$\$;
CREATE FUNCTION trap.text_equal(text, text) RETURNS boolean
	LANGUAGE sql RETURN trap.sprung();
CREATE FUNCTION trap.number_equal(bigint, bigint) RETURNS boolean
	LANGUAGE sql RETURN trap.sprung();
CREATE FUNCTION trap.json_get(jsonb, text) RETURNS text
	LANGUAGE sql RETURN trap.sprung()::text;
CREATE OPERATOR trap.= (FUNCTION = trap.text_equal, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR trap.<> (FUNCTION = trap.text_equal, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR trap.= (FUNCTION = trap.number_equal, LEFTARG = bigint, RIGHTARG = bigint);
CREATE OPERATOR trap.->> (FUNCTION = trap.json_get, LEFTARG = jsonb, RIGHTARG = text);
CREATE FUNCTION trap.now() RETURNS timestamptz
	LANGUAGE sql RETURN trap.sprung()::text::timestamptz;
CREATE FUNCTION trap.lower(text) RETURNS text LANGUAGE sql RETURN trap.sprung()::text;
CREATE FUNCTION trap.format(text, VARIADIC text[]) RETURNS text LANGUAGE sql RETURN trap.sprung()::text;
CREATE DOMAIN trap.jsonb AS pg_catalog.text CHECK (trap.sprung());
CREATE DOMAIN trap.run AS pg_catalog.text CHECK (trap.sprung());
CREATE TABLE trap.runs (note text);
RESET ROLE;
GRANT USAGE ON SCHEMA trap TO PUBLIC;
ALTER DATABASE odd_path SET search_path = trap, pg_catalog, public;
SQL
$server->refuses('odd_path', "SELECT 'a'::pg_catalog.text = 'b'", 'P0001',
	'the trap is armed', user => $owner);
$server->succeeds('odd_path', 'CREATE EXTENSION mlmeta',
	'the extension installs under a search path that shadows pg_catalog', user => $owner);
first_steps('odd_path');

$server->query('postgres', "ALTER DATABASE odd_path SET search_path = ''");
$server->succeeds('odd_path', 'DROP EXTENSION mlmeta; CREATE EXTENSION mlmeta',
	'it installs under an empty search path', user => $owner);
first_steps('odd_path');

#
# Other encodings: the script and what it says must hold in each.
#
for my $encoding ('SQL_ASCII', 'LATIN1', 'EUC_JP')
{
	my $database = 'in_' . lc $encoding;

	$server->query('postgres', <<"SQL");
CREATE DATABASE $database TEMPLATE template0 ENCODING '$encoding' LOCALE 'C' OWNER $quoted
SQL
	$server->succeeds($database, 'CREATE EXTENSION mlmeta',
		"it installs in a database in $encoding", user => $owner);
	first_steps($database);
}

done_testing;
