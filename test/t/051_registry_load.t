# Many clients at once: version numbers without gaps whatever is rolled back,
# exactly one version in production, events to several workers of which some die,
# each at least once and in the order of its model; and a chain that is whole.

use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::RealBin/lib";

use MlmetaCluster;
use Test::More;

my $server = MlmetaCluster->new('load');
my $files = tempdir(CLEANUP => 1);
my $models = 3;

$server->query('postgres', 'CREATE DATABASE load');
$server->query('load', <<SQL);
CREATE EXTENSION mlmeta;
SELECT mlmeta.create_event_consumer('workers');
SELECT mlmeta.create_event_consumer('isolated');
SELECT mlmeta.create_model('m' || n), mlmeta.set_policy('m' || n, 'production', 0, alias => 'champion')
FROM generate_series(1, $models) AS n;
SELECT mlmeta.create_model_version('m' || n, NULL, NULL, 's3://first') FROM generate_series(1, $models) AS n;
CREATE TABLE handled (consumer text, event bigint, model text, worker int, n bigint GENERATED ALWAYS AS IDENTITY);
-- What somebody else was faster with is no failure; what cannot be serialized is
-- for pgbench to try again.
CREATE FUNCTION promote_any(of_model text) RETURNS text LANGUAGE plpgsql AS \$\$
BEGIN
	RETURN mlmeta.request_transition(of_model, v.version, 'production')
		FROM mlmeta.version_overview AS v
		WHERE v.model = of_model AND v.stage <> 'production' ORDER BY random() LIMIT 1;
EXCEPTION WHEN object_not_in_prerequisite_state OR duplicate_object THEN
	RETURN SQLERRM;
END
\$\$;
SQL

# load(NAME, SCRIPT, CLIENTS, TRANSACTIONS): run a pgbench script.
sub load
{
	my ($name, $script, $clients, $transactions) = @_;
	my $file = "$files/$name.sql";

	open my $out, '>', $file or die "$file: $!";
	print $out $script;
	close $out;
	my ($status, $said, $complaints) = $server->program(
		['pgbench', '-n', '-c', $clients, '-j', 2, '-t', $transactions,
			'--max-tries=100', '--random-seed=42', '-f', $file, 'load']);
	is($status, 0, "$name: $clients clients") or diag($said, $complaints);
	like($said, qr/number of failed transactions: 0 /, "$name: none failed");
}

load('register', <<"SQL", 8, 40);
\\set model random(1, $models)
\\set luck random(1, 4)
BEGIN;
SELECT mlmeta.create_model_version('m' || :model, NULL, NULL, 's3://' || :client_id);
\\if :luck = 1
ROLLBACK;
\\else
COMMIT;
\\endif
SQL
$server->gives('load', <<'SQL', '0', 'the numbers of versions have no gap');
SELECT count(*) FROM mlmeta.models AS m
WHERE m.last_version <> (SELECT count(*) FROM mlmeta.model_versions AS v WHERE v.model_id = m.model_id)
	OR m.last_version <> (SELECT max(v.version) FROM mlmeta.model_versions AS v WHERE v.model_id = m.model_id)
SQL
$server->gives('load', 'SELECT sum(last_version) BETWEEN 180 AND 300 FROM mlmeta.models', 't',
	'although a quarter was rolled back');

# Under each isolation level; what cannot be serialized is tried again.
for my $level ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE')
{
	load(lc $level, <<"SQL", 6, 15);
\\set model random(1, $models)
BEGIN ISOLATION LEVEL $level;
SELECT promote_any('m' || :model);
COMMIT;
SQL
}
$server->gives('load', <<'SQL', join("\n", map { "m$_|1|t" } 1 .. $models), 'one version is in production, and is the champion');
SELECT m.model, count(*), bool_and(a.version = v.version)
FROM mlmeta.models AS m JOIN mlmeta.model_versions AS v ON v.model_id = m.model_id AND v.stage = 'production'
	JOIN mlmeta.model_aliases AS a ON a.model_id = m.model_id AND a.alias = 'champion'
GROUP BY 1 ORDER BY 1
SQL
$server->gives('load', <<'SQL', '0|0', 'at no time there were two, nor none since the first');
SELECT count(*) FILTER (WHERE n > 1), count(*) FILTER (WHERE n = 0)
FROM (SELECT h.model, lower(h.valid) AS at, count(*) OVER () AS points,
		(SELECT count(*) FROM mlmeta.model_history AS o WHERE o.model = h.model
			AND o.alias_or_stage = 'production' AND o.valid @> lower(h.valid)) AS n
	FROM mlmeta.model_history AS h WHERE h.alias_or_stage = 'production') AS t
SQL
$server->gives('load', 'SELECT count(*) FROM mlmeta.verify_audit()', '0', 'the chains are whole');

# Stage, alias, evidence, audit rows, events and notifications are one transaction.
my $state = <<'SQL';
SELECT md5(string_agg(t::text, ';' ORDER BY t::text)) FROM (
	SELECT to_jsonb(v) AS t FROM mlmeta.model_versions AS v UNION ALL SELECT to_jsonb(a) FROM mlmeta.model_aliases AS a
	UNION ALL SELECT to_jsonb(p) FROM mlmeta.stage_periods AS p UNION ALL SELECT to_jsonb(p) FROM mlmeta.alias_periods AS p
	UNION ALL SELECT to_jsonb(l) FROM mlmeta.audit_log AS l UNION ALL SELECT to_jsonb(e) FROM mlmeta.events AS e
	UNION ALL SELECT to_jsonb(q) FROM mlmeta.transition_requests AS q UNION ALL SELECT to_jsonb(g) FROM mlmeta.gate_results AS g) AS all_rows
SQL
$server->query('load', "SELECT mlmeta.add_gate('m1', 'production', 'yes', 'SELECT true')");
my $before = $server->query('load', $state);
for my $end ('ROLLBACK', 'COMMIT')
{
	my $said = $server->query('load', <<"SQL");
LISTEN mlmeta_events;
SELECT max(event) AS last FROM mlmeta.events \\gset
BEGIN;
SELECT promote_any('m1') AS done \\gset
$end;
SELECT 'events ' || coalesce(string_agg(event::text, ' ' ORDER BY event), '') FROM mlmeta.events WHERE event > :last;
SQL
	my ($events) = $said =~ /^events (.*)$/m;
	my @notified = $said =~ /notification "mlmeta_events" with payload "(\d+)"/g;

	is("@notified", $events, "$end: each event is notified by its number, and no other");
	cmp_ok(scalar @notified, $end eq 'COMMIT' ? '>=' : '==', $end eq 'COMMIT' ? 4 : 0, "$end: so many");
	my $same = $server->query('load', $state) eq $before;
	is($same, $end eq 'ROLLBACK', "$end: all of it or nothing");
}

# Workers take what there is; every fifth time one loses what it had in hand.
for my $consumer (['workers', 'READ COMMITTED'], ['isolated', 'REPEATABLE READ'])
{
	my ($name, $level) = @$consumer;
	load($name, <<"SQL", 5, 300);
\\set luck random(1, 5)
BEGIN ISOLATION LEVEL $level;
WITH taken AS MATERIALIZED (
	SELECT * FROM mlmeta.take_events('$name', 2)
), done AS (
	INSERT INTO handled (consumer, event, model, worker)
	SELECT '$name', event, model, :client_id FROM taken ORDER BY event RETURNING 1
)
SELECT mlmeta.acknowledge_event('$name', event) FROM taken;
\\if :luck = 1
ROLLBACK;
\\else
COMMIT;
\\endif
SQL
	# What they left, one by one.
	$server->query('load', <<"SQL");
DO \$\$
DECLARE
	e record;
BEGIN
	LOOP
		SELECT * INTO e FROM mlmeta.take_events('$name', 1);
		EXIT WHEN NOT FOUND;
		INSERT INTO handled (consumer, event, model, worker) VALUES ('$name', e.event, e.model, -1);
		PERFORM mlmeta.acknowledge_event('$name', e.event);
	END LOOP;
END
\$\$
SQL
	$server->gives('load', "SELECT events FROM mlmeta.event_backlog WHERE consumer = '$name'", '0',
		"$name: every event was dealt with");
	$server->gives('load', <<"SQL", '0|0', "$name: once, as nobody died after his work was committed, and in order");
SELECT (SELECT count(*) FROM mlmeta.events) - count(DISTINCT event), count(*) FILTER (WHERE event <= before)
FROM (SELECT event, lag(event, 1, 0::bigint) OVER (PARTITION BY model ORDER BY n) AS before
	FROM handled WHERE consumer = '$name') AS h
SQL
	$server->gives('load', "SELECT count(DISTINCT worker) > 3, count(*) FILTER (WHERE worker >= 0) > 100 FROM handled WHERE consumer = '$name'", 't|t',
		"$name: most by several workers");
}

done_testing;
