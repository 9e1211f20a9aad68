# Twenty clients that send every request twice, in random order, in transactions
# that they keep open, while runs are finished, taken for dead, resumed, packed and
# settled: no request fails, and what is stored are the distinct requests.

use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::RealBin/lib";

use MlmetaCluster;
use Test::More;

my $server = MlmetaCluster->new('trackload');
my $files = tempdir(CLEANUP => 1);
my ($clients, $requests) = (20, 1200);
my $calls = 2 * $requests / $clients / 3;

$server->query('postgres', 'CREATE DATABASE load');
$server->query('load', <<SQL);
CREATE EXTENSION mlmeta;
ALTER DATABASE load SET search_path = public, mlmeta;
SET search_path = public, mlmeta;
SELECT setseed(0.25);
CREATE TABLE runs_of_test AS SELECT n, start_run('load', 'r' || n) AS run FROM generate_series(1, 3) AS n;
-- The same step, time and value under several names; ties, NaN and both zeros.
CREATE TABLE request AS
SELECT i AS n, r.run, 'k' || i % 7 AS key, i / 40 AS step, '2024-01-01'::timestamptz + i / 80 * interval '1 s' AS at,
	(ARRAY[0, '-0', 'NaN', 1, 2, 3.5]::float8[])[1 + i % 6] AS value, i % 4 AS path
FROM generate_series(1, $requests) AS i JOIN runs_of_test AS r ON r.n = 1 + i % 3;
CREATE TABLE turn AS SELECT row_number() OVER (ORDER BY random()) AS turn, n FROM request, generate_series(1, 2) AS twice;
ALTER TABLE turn ADD PRIMARY KEY (turn);
CREATE SEQUENCE turns;
SQL
# A sequence in a WHERE clause would be asked for each row.
$server->query('load', <<'SQL');
CREATE FUNCTION send() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	mine bigint := nextval('turns');
	r request;
BEGIN
	SELECT q.* INTO r FROM turn AS t JOIN request AS q USING (n) WHERE t.turn = mine;
	CASE r.path
		WHEN 0 THEN PERFORM log_metrics(r.run, jsonb_build_object(r.key, to_jsonb(r.value)), r.step, r.at);
		WHEN 1 THEN PERFORM log_metric(r.run, r.key, r.value, r.step, r.at);
		WHEN 2 THEN PERFORM log_series(r.run, r.key, ARRAY[r.step], ARRAY[r.value], ARRAY[r.at]);
		ELSE PERFORM log_batch(r.run, jsonb_build_array(jsonb_build_object('key', r.key, 'value', to_jsonb(r.value),
			'step', r.step, 'at', r.at)), batch => CASE WHEN r.n % 8 = 3 THEN md5(r.n::text)::uuid END);
	END CASE;
END
$$;
SQL

open my $out, '>', "$files/load.sql" or die;
print $out <<'SQL';
\set luck random(1, 12)
\set which random(1, 3)
BEGIN;
SELECT send();
SELECT send();
SELECT pg_sleep(0.002);
SELECT send();
COMMIT;
\if :luck = 1
SELECT finish_run(run) FROM runs_of_test WHERE n = :which;
\elif :luck = 2
SELECT count(*) FROM reap_runs('0');
\elif :luck = 3
SELECT compact_series(run) FROM runs_of_test WHERE n = :which;
\elif :luck = 4
SELECT resume_run(run) FROM runs_of_test WHERE n = :which;
\elif :luck = 5
CALL settle_results();
\elif :luck = 6
SELECT finish_run(run, 'failed') FROM runs_of_test WHERE n = :which;
\endif
SQL
close $out;
my ($status, $said, $complaints) = $server->program(
	['pgbench', '-n', '-c', $clients, '-j', 2, '-t', $calls, '--random-seed=42', '-f', "$files/load.sql", 'load']);
is($status, 0, "$clients clients") or diag($said, $complaints);
like($said, qr/number of failed transactions: 0 /, 'no request failed');
$server->gives('load', 'SELECT last_value FROM turns', 2 * $requests, 'every request was sent twice');

my $distinct = "(SELECT DISTINCT run, key, step, at, value + 0 AS value FROM request)";
sub agree
{
	my ($when) = @_;

	$server->gives('load', <<"SQL", '0|0', "$when: the points are the distinct requests");
SELECT (SELECT count(*) FROM ($distinct EXCEPT ALL SELECT run, key, step, at, value FROM metric_points) AS missing),
	(SELECT count(*) FROM (SELECT run, key, step, at, value FROM metric_points EXCEPT ALL $distinct) AS excess)
SQL
	$server->gives('load', <<"SQL", '0', "$when: latest values and counts are theirs, in every view");
SELECT count(*) FROM (
	SELECT DISTINCT ON (run, key) run, key, value, count(*) OVER (PARTITION BY run, key) AS n
	FROM $distinct AS d ORDER BY run, key, step DESC, at DESC, nullif(value, 'NaN') DESC NULLS LAST) AS d
	LEFT JOIN metric_latest AS l USING (run, key) LEFT JOIN metric_summaries AS s USING (run, key) LEFT JOIN run_overview AS o USING (run)
WHERE (d.value, d.n, d.value, to_jsonb(d.value)) IS DISTINCT FROM (l.value, s.n, s.last_value, o.metrics -> key)
SQL
}
agree('at once');
$server->query('load', 'SELECT finish_run(run) FROM mlmeta.runs');
agree('ended');
$server->query('load', 'CALL settle_results()') for 1 .. 2;
agree('settled');
$server->gives('load', 'SELECT count(*) FROM run_marks', '0', 'nothing is left to settle');
$server->query('load', q{CALL compact_metrics('0')});
agree('packed');
$server->gives('load', 'SELECT count(*) FROM run_metrics', '0', 'no point lies alone');
$server->gives('load', "SELECT sum(n) - (SELECT count(*) FROM $distinct AS d) FROM metric_chunks", '0', 'and none is stored twice');

done_testing;
