# OpenLineage: the official events, in several orders and twice, leave the same
# behind; what is not valid is refused for what is wrong with it; our events are
# valid by the official schema.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use File::Temp qw(tempdir);
use MlmetaCluster;
use Test::More;

my $server = MlmetaCluster->new('openlineage');
my $data = "$FindBin::RealBin/../data";
my $files = tempdir(CLEANUP => 1);

# ingest(DATABASE, ORDER, TIMES): a database with all events of both files.
sub ingest
{
	my ($database, $order, $times) = @_;
	my $events = "COPY official FROM PROGRAM 'gzip -dc $data/openlineage_official.ndjson.gz' (FORMAT csv, DELIMITER e'\\x01', QUOTE e'\\x02');
		COPY pipeline FROM PROGRAM 'gzip -dc $data/openlineage_pipeline.ndjson.gz' (FORMAT csv, DELIMITER e'\\x01', QUOTE e'\\x02');";

	$server->query('postgres', "CREATE DATABASE $database");
	$server->query($database, "CREATE EXTENSION mlmeta; CREATE TABLE official (line text); CREATE TABLE pipeline (line text); $events
		CREATE TABLE events AS
		SELECT line::jsonb -> 'event' AS event, (line::jsonb ->> 'valid')::boolean AS valid, line::jsonb ->> 'errors' AS errors FROM official
		UNION ALL SELECT line::jsonb, true, NULL FROM pipeline;
		CREATE TABLE answers (event jsonb, valid boolean, errors text, answer text)");
	$server->query($database, "INSERT INTO answers SELECT e.*, mlmeta.ingest_openlineage(event)
		FROM (SELECT * FROM events ORDER BY $order) AS e") for 1 .. $times;
	return;
}

# state(DATABASE): all that the events left behind.
sub state_of
{
	my ($database) = @_;
	return $server->query($database, <<'SQL');
SELECT * FROM mlmeta.lineage_jobs ORDER BY namespace, name;
SELECT * FROM mlmeta.lineage_datasets ORDER BY namespace, name;
SELECT * FROM mlmeta.column_lineage AS c ORDER BY c::text;
SELECT * FROM mlmeta.lineage_run_facets ORDER BY run::text, facet;
SELECT * FROM mlmeta_internal.lineage_facets AS f ORDER BY f::text;
SELECT * FROM mlmeta_internal.lineage_runs ORDER BY run::text;
SELECT * FROM mlmeta_internal.lineage_io AS i ORDER BY i::text;
SELECT r.run, e.experiment, r.name, r.parent, r.status, r.started_at, r.finished_at, r.note
FROM mlmeta.runs AS r JOIN mlmeta.experiments AS e USING (experiment_id) ORDER BY r.run::text;
SELECT run, artifact, direction, role, logged_at FROM mlmeta.run_artifacts AS a ORDER BY a::text;
SELECT digest, path, reason, event FROM mlmeta.openlineage_rejected ORDER BY digest;
SQL
}

ingest('forwards', "event ->> 'eventTime', event::text", 1);
$server->gives('forwards', "SELECT valid, answer ~ '^refused: ', count(*) FROM answers GROUP BY 1, 2 ORDER BY 1",
	"f|t|350\nt|f|127", 'what the official schema takes is taken, what it refuses is refused');
$server->gives('forwards', "SELECT path, reason, count(*) FROM mlmeta.openlineage_rejected GROUP BY 1, 2 ORDER BY 3 DESC, 1", <<'ROWS' =~ s/\n\z//r, 'for what is wrong');
$.producer|is missing|219
$.eventTime|is missing|84
$.schemaURL|is missing|37
$.job.facets.jobType._deleted|must be a boolean|5
$.job.facets.dbt_node._deleted|must be a boolean|2
ROWS
my $state = state_of('forwards');
ingest('backwards', "event ->> 'eventTime' DESC, event::text DESC", 1);
same_lines(state_of('backwards'), $state, 'events backwards leave the same behind');
ingest('shuffled', 'md5(event::text)', 2);
same_lines(state_of('shuffled'), $state, 'so do events shuffled and twice');

$server->gives('forwards', "SELECT string_agg(DISTINCT n.name, ', ' ORDER BY n.name) FROM mlmeta.upstream((
		SELECT artifact::text FROM mlmeta.run_artifacts WHERE artifact::text LIKE '%/rf/model.pkl%' AND direction = 'produced' LIMIT 1)) AS u
	JOIN mlmeta.runs AS r ON r.run::text = u.node CROSS JOIN LATERAL (SELECT r.name) AS n",
	'build_features, ingest_reference, split, train.rf', 'upstream of a model are the pipelines that made its data');
$server->gives('forwards', "SELECT DISTINCT input_dataset, input_column FROM mlmeta.column_lineage WHERE output_dataset = 'ml.features.housing' AND output_column = 'MedInc'",
	'ml.raw.housing_reference|MedInc', 'columns come from columns');
$server->gives('forwards', "SELECT DISTINCT p.name, r.status FROM mlmeta.runs AS r JOIN mlmeta.runs AS p ON p.run::text = r.parent::text WHERE r.name = 'train.gb-broken' ORDER BY 2",
	'training_dag|failed', 'runs have parents and ends');

# One thing at a time. The event's JSON is made here.
$server->query('postgres', 'CREATE DATABASE single');
$server->query('single', 'CREATE EXTENSION mlmeta');
$server->query('single', <<'SQL');
CREATE FUNCTION ev(type text, at text, run int, job text, inputs text[], outputs text[], facets jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
	SELECT mlmeta.ingest_openlineage(jsonb_strip_nulls(jsonb_build_object('eventType', type, 'eventTime', at, 'producer', 'urn:test', 'schemaURL', 'urn:test',
		'run', jsonb_build_object('runId', '00000000-0000-0000-0000-' || lpad(run::text, 12, '0'), 'facets', facets),
		'job', jsonb_build_object('namespace', 'test', 'name', job),
		'inputs', (SELECT jsonb_agg(jsonb_build_object('namespace', 'db', 'name', i)) FROM unnest(inputs) AS i),
		'outputs', (SELECT jsonb_agg(jsonb_build_object('namespace', 'db', 'name', o)) FROM unnest(outputs) AS o)))) $$;
CREATE FUNCTION facet(body jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT body || '{"_producer": "urn:test", "_schemaURL": "urn:test"}' $$;
CREATE FUNCTION names(node text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(DISTINCT r.name, ', ' ORDER BY r.name) FROM mlmeta.upstream(node) AS u JOIN mlmeta.runs AS r ON r.run::text = u.node $$;
SQL
$server->gives('single', "SELECT ev('COMPLETE', '2024-01-01T02:00:00Z', 1, 'load', NULL, '{t}')", 'run', 'a run begins with its end');
$server->gives('single', 'SELECT name, status, started_at = finished_at FROM mlmeta.run_overview', 'load|finished|t', 'and is there');
$server->query('single', "SELECT ev('START', '2024-01-01T03:00:00.123456789+02:00', 1, 'load', NULL, NULL)");
$server->gives('single', "SELECT started_at AT TIME ZONE 'UTC', finished_at - started_at, status FROM mlmeta.run_overview",
	'2024-01-01 01:00:00.123456|00:59:59.876544|finished', 'its start comes later, with nanoseconds and a zone');
$server->query('single', "SELECT ev('RUNNING', '2024-01-01T04:00:00', 1, 'load', NULL, NULL)");
$server->gives('single', 'SELECT status FROM mlmeta.run_overview', 'finished', 'a time without a zone is one; what has ended has ended');

# A job that reads what it writes, and readers between its runs.
$server->query('single', "SELECT ev('COMPLETE', '2024-01-02T00:00:00Z', 2, 'merge', '{t}', '{t}'),
	ev('COMPLETE', '2024-01-04T00:00:00Z', 4, 'merge', '{t}', '{t}'), ev('COMPLETE', '2024-01-05T00:00:00Z', 5, 'train', '{t}', '{model}')");
$server->gives('single', "SELECT names('00000000-0000-0000-0000-000000000005'::uuid::mlmeta.run::text)", 'load, merge', 'it makes a version of its own');
$server->gives('single', "SELECT count(*) FROM mlmeta.upstream('00000000-0000-0000-0000-000000000005'::uuid::mlmeta.run::text) WHERE node LIKE 'run%'", '3', 'out of the one before');
$server->gives('single', 'SELECT mlmeta.has_cycle(mlmeta.stored_lineage())', 'f', 'and closes no circle');
$server->query('single', "SELECT ev('COMPLETE', '2024-01-03T00:00:00Z', 3, 'repair', NULL, '{t}')");
$server->gives('single', "SELECT names('00000000-0000-0000-0000-000000000005'::uuid::mlmeta.run::text)", 'merge, repair', 'a write that comes to be known later moves its readers');

# Facets: the latest by the event's time, whenever it comes.
$server->query('single', "SELECT ev('RUNNING', '2024-01-05T00:00:02Z', 5, 'train', NULL, NULL, jsonb_build_object('strange', facet('{\"v\": 2}'))),
	ev('RUNNING', '2024-01-05T00:00:01Z', 5, 'train', NULL, NULL, jsonb_build_object('strange', facet('{\"v\": 1}'), 'parent',
		facet('{\"run\": {\"runId\": \"00000000-0000-0000-0000-000000000009\"}, \"job\": {\"namespace\": \"test\", \"name\": \"dag\"}}')))");
$server->gives('single', "SELECT body -> 'v' FROM mlmeta.lineage_run_facets WHERE facet = 'strange'", '2', 'unknown facets are kept, the latest one');
$server->gives('single', "SELECT parent::uuid, p.run IS NULL FROM mlmeta.run_overview AS r LEFT JOIN LATERAL (SELECT p.run FROM mlmeta.runs AS p WHERE p.run::text = r.parent::text) AS p ON true WHERE name = 'train'",
	'00000000-0000-0000-0000-000000000009|t', 'a parent may come later');
$server->query('single', "SELECT mlmeta.ingest_openlineage(jsonb_build_object('eventTime', '2024-01-06T00:00:00Z', 'producer', 'p', 'schemaURL', 's',
	'dataset', jsonb_build_object('namespace', 'db', 'name', 't', 'facets', jsonb_build_object('a', facet('{}'), 'b', facet('{}'))))),
	mlmeta.ingest_openlineage(jsonb_build_object('eventTime', '2024-01-07T00:00:00Z', 'producer', 'p', 'schemaURL', 's',
	'dataset', jsonb_build_object('namespace', 'db', 'name', 't', 'facets', jsonb_build_object('a', facet('{\"_deleted\": true}')))))");
$server->gives('single', "SELECT string_agg(k, ',') FROM mlmeta.lineage_datasets, jsonb_object_keys(facets) AS k WHERE name = 't'", 'b', 'facets are deleted');

# What is no event.
my $valid = '"eventTime": "2024-01-01T00:00:00Z", "producer": "p", "schemaURL": "s"';
my $job = '"job": {"namespace": "n", "name": "j"}';
my $run = '"run": {"runId": "00000000-0000-0000-0000-00000000000a"}';
for my $case (
	['[]', '$: must be an object'], ['3', '$: must be an object'], ['{}', '$.eventTime: is missing'],
	[q({"eventTime": 1}), '$.eventTime: must be a string'],
	[qq({"eventTime": "yesterday", "producer": "p", "schemaURL": "s", $job}), '$.eventTime: must be a time such as 2020-12-28T19:52:00.001Z'],
	[qq({"eventTime": "2023-02-29T00:00:00Z", "producer": "p", "schemaURL": "s", $job}), '$.eventTime: must be a time such as 2020-12-28T19:52:00.001Z'],
	["{$valid}", '$: names neither run nor job nor dataset'], ["{$valid, $run}", '$.job: is missing'],
	[qq({$valid, $job, "run": {"runId": "x"}}), '$.run.runId: must be a UUID'], [qq({$valid, $job, "run": {}}), '$.run.runId: is missing'],
	[qq({$valid, $job, "run": null}), '$.run: must be an object'],
	[qq({$valid, $job, $run, "eventType": "DONE"}), '$.eventType: must be START, RUNNING, COMPLETE, ABORT, FAIL or OTHER'],
	[qq({$valid, "job": {"namespace": "n"}}), '$.job.name: is missing'], [qq({$valid, "job": {"namespace": 1, "name": "j"}}), '$.job.namespace: must be a string'],
	[qq({$valid, $job, "dataset": {"namespace": "n", "name": "d"}}), '$.dataset: a job event has none'],
	[qq({$valid, $job, "inputs": {}}), '$.inputs: must be an array'], [qq({$valid, $job, "inputs": [{"namespace": "n", "name": "d"}, {"namespace": "n"}]}), '$.inputs[1].name: is missing'],
	[qq({$valid, $job, "outputs": [{"namespace": "n", "name": "d", "facets": {"x": 1}}]}), '$.outputs[0].facets.x: must be an object'],
	[qq({$valid, $job, "outputs": [{"namespace": "n", "name": "d", "outputFacets": {"x": {"_producer": "p"}}}]}), '$.outputs[0].outputFacets.x._schemaURL: is missing'],
	['{"eventTime": "\u0000"}', '$: unsupported Unicode escape sequence'], ['{"eventTime": "\ud800"}', '$: invalid input syntax for type json'],
	['{"eventTime"', '$: invalid input syntax for type json'], ['{"n": 1e999999}', '$: value overflows numeric format'])
{
	my ($event, $fault) = @$case;
	$server->gives('single', 'SELECT mlmeta.ingest_openlineage($event$' . $event . '$event$)', "refused: $fault", "$fault: " . substr($event, 0, 60));
}
$server->gives('single', "BEGIN; CREATE TABLE work (); SELECT left(mlmeta.ingest_openlineage(repeat('[', 1000000)), 40);
	SELECT mlmeta.ingest_openlineage(jsonb_build_object('a', repeat('x', 20000000), 'b', repeat('y', 20000000))) ~ 'which is the limit'; COMMIT; SELECT count(*) FROM work;
	SELECT max(length(event)) FROM mlmeta.openlineage_rejected", "refused: \$: stack depth limit exceeded\nt\n0\n100000", 'deep and long ones leave other work unharmed');
$server->refuses('single', 'SELECT mlmeta.ingest_openlineage(NULL::jsonb)', '22004', 'no event at all');
$server->refuses('single', "SELECT mlmeta.ingest_openlineage('{}'::jsonb, 'nowhere')", '42704', 'a project that is none');

# Rights.
$server->query('single', "SELECT mlmeta.setup_roles('ol'); CREATE ROLE ol_one LOGIN; GRANT ol_writer TO ol_one; CREATE ROLE ol_two LOGIN; GRANT ol_reader TO ol_two;
	SELECT mlmeta.create_project('closed'); SELECT mlmeta.add_member('closed', 'ol_one', 'writer')");
$server->gives('single', "SELECT mlmeta.ingest_openlineage('{$valid, $job, \"inputs\": [{\"namespace\": \"n\", \"name\": \"secret\"}]}'::jsonb, 'closed'); SELECT mlmeta.ingest_openlineage('[]'::jsonb);
	SELECT count(*) FROM mlmeta.lineage_jobs WHERE namespace = 'n'; SELECT count(*) FROM mlmeta.lineage_datasets WHERE name = 'secret'", "job\nrefused: \$: must be an object\n1\n1", 'writers ingest', user => 'ol_one');
$server->refuses('single', "SELECT mlmeta.ingest_openlineage('[]'::jsonb)", '42501', 'readers do not', user => 'ol_two');
$server->gives('single', "SELECT count(*) FROM mlmeta.lineage_jobs WHERE namespace = 'n'; SELECT count(*) FROM mlmeta.lineage_datasets WHERE name = 'secret';
	SELECT count(*) > 2 FROM mlmeta.lineage_jobs WHERE namespace = 'test'; SELECT count(*) FROM mlmeta.openlineage_rejected", "0\n0\nt\n0", 'nor do they see closed projects, or what others sent', user => 'ol_two');

# Events of ours.
$server->query('single', <<'SQL');
SELECT mlmeta.start_run('trial', 'one', '{"lr": 0.1, "none": null}', '{"k": "v"}', source => '{"repository": "git@github.com:a/b.git", "commit": "abc", "branch": "main", "entry_point": "train.py"}', id => '0190a5b2-7c3d-7e4f-8a1b-2c3d4e5f6071') AS run \gset
SELECT mlmeta.use_artifact(:'run', 'dataset:t:v1', 'training'), mlmeta.log_artifact(:'run', ('model:m@sha256:' || repeat('0a', 32))::mlmeta.artifact), mlmeta.start_run('trial', parent => :'run');
SELECT mlmeta.finish_run(:'run');
SQL

# What a monitor found whose baseline is the data that a run was trained on.
$server->query('single', <<'SQL');
CREATE TABLE public.traffic AS
SELECT '2024-01-01'::timestamptz + i * interval '1 hour' AS at, i % 24 + (i / 216) * 1000.0 AS x, i % 7 AS y FROM generate_series(0, 239) AS i;
SELECT mlmeta.start_run('drift', 'trained') AS run \gset
SELECT mlmeta.use_artifact(:'run', mlmeta.snapshot_dataset('traffic', 'SELECT * FROM public.traffic WHERE at < ''2024-01-08'''), 'training');
SELECT mlmeta.finish_run(:'run');
SELECT mlmeta.create_monitor('traffic', 'public.traffic', 'at', '1 day', project => 'default');
SELECT mlmeta.set_baseline_of_run('traffic', :'run');
SELECT count(*) FROM mlmeta.check_monitor('traffic', '2024-01-11');
SQL
$server->gives('single', "SELECT a ->> 'column', a -> 'success' FROM mlmeta.runs AS r
	CROSS JOIN LATERAL jsonb_array_elements(mlmeta.openlineage_event(r.run) #> '{inputs,0,inputFacets,dataQualityAssertions,assertions}') AS a
	WHERE r.name = 'trained' AND a ->> 'column' IN ('x', 'y') AND a ->> 'assertion' = 'ks' ORDER BY 1", "x|false\ny|true", 'drift goes along with the data');
my $emitted = $server->query('single', 'SELECT mlmeta.openlineage_event(run, t.type) FROM mlmeta.runs CROSS JOIN (VALUES (NULL), ($$START$$), ($$FAIL$$)) AS t (type)')
	. "\n" . $server->query('forwards', 'SELECT mlmeta.openlineage_event(run) FROM mlmeta.runs');
cmp_ok(scalar(split /\n/, $emitted), '>', 60, 'runs become events');
$server->gives('single', 'SELECT count(*) FROM mlmeta.runs WHERE mlmeta_internal.event_fault(mlmeta.openlineage_event(run)) IS NOT NULL', '0', 'valid as we see it');
$server->refuses('single', "SELECT mlmeta.openlineage_event(run, 'DONE') FROM mlmeta.runs", '22023', 'of a type that there is');
SKIP:
{
	system("tar -xzf $data/openlineage_schemas.tar.gz -C $files") == 0 or die 'schemas';
	open(my $out, '>:raw', "$files/events") or die;
	print $out "$emitted\n";
	close $out;
	my $found = `python3 $data/openlineage_validate.py $files < $files/events 2>&1`;
	skip 'python3 has no module jsonschema', 1 if $? >> 8 == 77 || $? == -1 || $? >> 8 == 127;
	is($found, '', 'and by the official schemas of events and facets');
}
my $before = $server->query('single', "SELECT r.*, (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM mlmeta.run_artifacts AS a WHERE a.run::text = r.run::text) FROM mlmeta.runs AS r ORDER BY run::text");
$server->query('single', 'SELECT mlmeta.ingest_openlineage(mlmeta.openlineage_event(run)) FROM mlmeta.runs');
same_lines($server->query('single', "SELECT r.*, (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM mlmeta.run_artifacts AS a WHERE a.run::text = r.run::text) FROM mlmeta.runs AS r ORDER BY run::text"),
	$before, 'our own events change nothing when they come back');
done_testing();
