# MLflow's own tables, live and imported: databases that MLflow 1.29 and 3.6
# wrote are compared with what the views show and with what import_mlflow() makes
# of them, fact for fact.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use File::Temp qw(tempdir);
use MlmetaCluster;
use Test::More;

my $server = MlmetaCluster->new('mlflow');
my $data = "$FindBin::RealBin/../data";
my $files = tempdir(CLEANUP => 1);

# MLflow's facts out of its own tables, and the same out of a relation of ours.
my $decoded = "CASE WHEN is_nan THEN 'NaN'::float8 WHEN value >= 1.7976931348623157e308 THEN 'Infinity'
	WHEN value <= -1.7976931348623157e308 THEN '-Infinity' ELSE value END";
my %theirs = (
	points => "SELECT run_uuid, key, step, timestamp, $decoded FROM mlflow.metrics",
	latest => "SELECT run_uuid, key, to_jsonb($decoded) FROM mlflow.latest_metrics",
	params => 'SELECT run_uuid, key, value FROM mlflow.params',
	tags => "SELECT run_uuid, key, coalesce(value, '') FROM mlflow.tags",
	runs => "SELECT r.run_uuid, e.name, coalesce(nullif(r.name, ''), n.value), lower(r.status), r.start_time,
			r.user_id, r.lifecycle_stage = 'deleted' OR e.lifecycle_stage = 'deleted', p.value
		FROM mlflow.runs AS r JOIN mlflow.experiments AS e USING (experiment_id)
			LEFT JOIN mlflow.tags AS n ON n.run_uuid = r.run_uuid AND n.key = 'mlflow.runName'
			LEFT JOIN mlflow.tags AS p ON p.run_uuid = r.run_uuid AND p.key = 'mlflow.parentRunId'",
	versions => "SELECT name, version, lower(current_stage), run_id, source, coalesce(description, ''), (
			SELECT coalesce(jsonb_object_agg(t.key, t.value), '{}') FROM mlflow.model_version_tags AS t
			WHERE t.name = v.name AND t.version = v.version)
		FROM mlflow.model_versions AS v WHERE current_stage <> 'Deleted_Internal'");
my $hex = "replace(run::uuid::text, '-', '')";
my $ms = '(extract(epoch FROM %s) * 1000)::bigint';
my %live = (
	points => "SELECT $hex, key, step, ${\sprintf($ms, 'at')}, value FROM mlflow_points",
	latest => 'SELECT run_uuid, m.key, m.value FROM mlflow_runs, jsonb_each(metrics) AS m',
	params => 'SELECT run_uuid, m.key, m.value FROM mlflow_runs, jsonb_each_text(params) AS m',
	tags => 'SELECT run_uuid, m.key, m.value FROM mlflow_runs, jsonb_each_text(tags) AS m',
	runs => "SELECT run_uuid, experiment, name, status, ${\sprintf($ms, 'started_at')}, user_name,
		deleted_at IS NOT NULL, replace(parent::uuid::text, '-', '') FROM mlflow_runs",
	versions => "SELECT model, version, stage, $hex, location, coalesce(description, ''), tags FROM mlflow_versions
		WHERE NOT is_deleted");
my $all = 'metric_series AS s LEFT JOIN run_metrics AS m USING (series)';
my %copied = (
	points => "SELECT $hex, key, step, ${\sprintf($ms, 'at')}, value FROM (
			SELECT s.run, s.key, m.step, m.at, m.value FROM metric_series AS s JOIN run_metrics AS m USING (series)
			UNION ALL
			SELECT s.run, s.key, u.step, u.at, u.value FROM metric_series AS s JOIN metric_chunks AS c USING (series)
				CROSS JOIN LATERAL unpack_series(c.points) AS u) AS p",
	latest => "SELECT replace(r.run::uuid::text, '-', ''), m.key, m.value FROM run_overview AS r, jsonb_each(r.metrics) AS m",
	params => "SELECT $hex, key, value #>> '{}' FROM run_params",
	tags => "SELECT $hex, key, value FROM run_tags",
	runs => "SELECT $hex, e.experiment, r.name, r.status, ${\sprintf($ms, 'r.started_at')}, r.user_name,
		r.deleted_at IS NOT NULL, replace(r.parent::uuid::text, '-', '')
		FROM runs AS r JOIN experiments AS e USING (experiment_id)",
	versions => "SELECT m.model, v.version, v.stage, $hex, v.uri, coalesce(v.description, ''), v.tags
		FROM model_versions AS v JOIN models AS m USING (model_id)");

# equal(DATABASE, FACTS, RELATION, NAME, CONDITION): both hold the same rows, as often.
sub equal
{
	my ($database, $kind, $ours, $name, $where) = @_;
	my $theirs = $theirs{$kind} . ($where // '');
	my $rows = $server->query($database, "SET search_path = mlmeta, public;
		WITH theirs AS ($theirs), ours AS ($ours->{$kind})
		SELECT (SELECT count(*) > 0 FROM theirs),
			(SELECT count(*) FROM (TABLE theirs EXCEPT ALL TABLE ours) AS x),
			(SELECT count(*) FROM (TABLE ours EXCEPT ALL TABLE theirs) AS x)");
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is($rows, 't|0|0', $name);
}

for my $version ('1.29', '3.6')
{
	my $database = "m$version";
	$server->query('postgres', qq(CREATE DATABASE "$database"));
	my $dump = `gzip -dc $data/mlflow-$version.sql.gz`;
	$server->query($database, $dump);
	$server->query($database, 'ALTER SCHEMA public RENAME TO mlflow; CREATE SCHEMA public; CREATE EXTENSION mlmeta SCHEMA pg_catalog');
	my $before = $server->query($database, "SELECT string_agg(pg_get_viewdef(v::regclass), '' ORDER BY v)
		FROM unnest(ARRAY['mlmeta.run_overview', 'mlmeta.leaderboard', 'mlmeta.model_overview', 'mlmeta.lineage_edges']) AS v");
	$server->query($database, "SELECT mlmeta.attach_mlflow('mlflow')");

	# Live.
	equal($database, $_, \%live, "$version live: $_") for sort keys %theirs;
	$server->gives($database, 'SELECT count(*) = (SELECT count(*) FROM mlflow.runs JOIN mlflow.experiments AS e USING (experiment_id)
			WHERE runs.lifecycle_stage = $$active$$ AND e.lifecycle_stage = $$active$$), count(DISTINCT run) = count(*)
		FROM mlmeta.run_overview', 't|t', "$version: run_overview covers what is not in the trash, once");
	$server->gives($database, "WITH ours AS (
			SELECT experiment, key, run::text, best, rank FROM mlmeta.leaderboard
		), theirs AS (
			SELECT e.name, m.key, m.run_uuid::mlmeta.run::text, CASE WHEN h THEN max(v) ELSE min(v) END AS best,
				rank() OVER (PARTITION BY e.name, m.key ORDER BY CASE WHEN h THEN max(v) ELSE - min(v) END DESC)
			FROM (SELECT run_uuid, key, $decoded AS v, mlmeta.higher_is_better(key) AS h FROM mlflow.metrics) AS m
				JOIN mlflow.runs AS r USING (run_uuid) JOIN mlflow.experiments AS e USING (experiment_id)
			WHERE v <> 'NaN' AND r.lifecycle_stage = 'active' AND e.lifecycle_stage = 'active'
			GROUP BY e.name, m.key, m.run_uuid, h
		) SELECT (SELECT count(*) > 500 FROM theirs), count(*) FROM (
			(TABLE ours EXCEPT TABLE theirs) UNION ALL (TABLE theirs EXCEPT TABLE ours)) AS x",
		't|0', "$version: leaderboard ranks them as MLflow's own points say");
	$server->gives($database, "SELECT count(*) FROM mlmeta.compare_runs(
			(SELECT min(run_uuid) FROM mlflow.params)::mlmeta.run, (SELECT max(run_uuid) FROM mlflow.params)::mlmeta.run)
		WHERE kind = 'param' AND (a IS DISTINCT FROM (SELECT value FROM mlflow.params AS p
				WHERE p.key = compare_runs.key AND run_uuid = (SELECT min(run_uuid) FROM mlflow.params))
			OR changed <> (a IS DISTINCT FROM b))", '0', "$version: compare_runs compares them");
	$server->refuses($database, "SELECT * FROM mlmeta.compare_runs(repeat('0a', 16)::mlmeta.run, repeat('0a', 16)::mlmeta.run)",
		'42704', "$version: a run that nobody has is none");

	# What MLflow's server does with its schema while it is attached: nothing is in its way.
	$server->succeeds($database, 'BEGIN; ALTER TABLE mlflow.runs DROP COLUMN source_name;
		ALTER TABLE mlflow.metrics ALTER COLUMN key TYPE varchar(500); SELECT count(*) FROM mlmeta.run_overview; ROLLBACK',
		"$version: MLflow migrates an attached schema");
	$server->gives($database, 'BEGIN; DROP TABLE mlflow.latest_metrics; SELECT count(*) FROM mlmeta.run_overview; ROLLBACK', '0',
		"$version: and a schema that is half migrated shows nothing");

	# Who may not read MLflow's tables sees what he saw before.
	$server->query($database, 'CREATE ROLE mlflow_reader') if $version eq '1.29';
	$server->query($database, 'GRANT USAGE ON SCHEMA mlmeta TO mlflow_reader; GRANT SELECT ON ALL TABLES IN SCHEMA mlmeta TO mlflow_reader');
	$server->gives($database, 'SET ROLE mlflow_reader; SELECT count(*) FROM mlmeta.run_overview; SELECT count(*) FROM mlmeta.leaderboard;
		SELECT count(*) FROM mlmeta.mlflow_points; SELECT count(*) FROM mlmeta.model_overview', "0\n0\n0\n0",
		"$version: others' rights hold for others");

	# Dump and restore.
	my $dumped = "$files/$version";
	my ($status, undef, $err) = $server->program(['pg_dump', '-Fc', '-f', $dumped], database => $database);
	is($status, 0, "$version is dumped") or diag($err);
	$server->query('postgres', qq(CREATE DATABASE "restored$version"));
	($status, undef, $err) = $server->program(['pg_restore', '-j2', '-d', "restored$version", $dumped]);
	is($status, 0, "$version is restored") or diag($err);
	$server->gives("restored$version", 'SELECT count(*) FROM mlmeta.run_overview',
		$server->query($database, 'SELECT count(*) FROM mlmeta.run_overview'), "$version: attachments survive");
	equal("restored$version", 'latest', \%live, "$version restored: latest");

	# Copied.
	$server->query($database, "SELECT * FROM mlmeta.import_mlflow('mlflow')");
	equal($database, $_, \%copied, "$version imported: $_") for grep { $_ ne 'latest' } sort keys %theirs;
	$server->gives($database, 'SELECT count(*) = count(DISTINCT run) FROM mlmeta.run_overview', 't',
		"$version: what is imported is not shown twice");
	$server->query($database, "SELECT mlmeta.detach_mlflow('mlflow')");
	equal($database, 'latest', \%copied, "$version imported: latest", ' JOIN mlflow.runs AS r USING (run_uuid)
		JOIN mlflow.experiments AS e USING (experiment_id) WHERE r.lifecycle_stage = $$active$$ AND e.lifecycle_stage = $$active$$');
	$server->gives($database, "SELECT string_agg(pg_get_viewdef(v::regclass), '' ORDER BY v)
		FROM unnest(ARRAY['mlmeta.run_overview', 'mlmeta.leaderboard', 'mlmeta.model_overview', 'mlmeta.lineage_edges']) AS v",
		$before, "$version: without attachments the views are what they were");
	my $results = 'SELECT md5(string_agg(s::text, $$,$$ ORDER BY s::text)) FROM mlmeta.run_metric_summaries AS s;
		SELECT md5(string_agg((s.run, s.params, s.metrics, s.signature, s.stored_rows)::text, $$,$$ ORDER BY s.run::text)) FROM mlmeta.run_results AS s';
	my $written = $server->query($database, $results);
	$server->query($database, 'SELECT mlmeta.refresh_results(run) FROM mlmeta.runs WHERE finished_at IS NOT NULL');
	$server->gives($database, $results, $written, "$version: results are those that refresh_results() writes");

	# Once more, and what is new.
	$server->gives($database, "SELECT sum(added) FROM mlmeta.import_mlflow('mlflow')", '0', "$version: importing again adds nothing");
	$server->query($database, <<'SQL');
UPDATE mlflow.runs SET status = 'FAILED', end_time = 1795407999000
WHERE run_uuid = (SELECT min(run_uuid) FROM mlflow.runs WHERE status = 'RUNNING' AND lifecycle_stage = 'active');
INSERT INTO mlflow.metrics (run_uuid, key, value, timestamp, step, is_nan)
SELECT run_uuid, 'late', n, 1795408000000 + n, n, false
FROM (SELECT min(run_uuid) AS run_uuid FROM mlflow.metrics) AS r, generate_series(1, 40) AS n;
INSERT INTO mlflow.metrics (run_uuid, key, value, timestamp, step, is_nan)
SELECT run_uuid, key, -1.7976931348623157e308, 1795408000000, 99999, false
FROM (SELECT run_uuid, key FROM mlflow.metrics WHERE key <> 'late' GROUP BY run_uuid, key ORDER BY count(*) DESC, 1, 2 LIMIT 1) AS r;
SQL
	$server->gives($database, "SELECT string_agg(what || ' ' || added, ', ') FROM mlmeta.import_mlflow('mlflow') WHERE added > 0",
		'points 41', "$version: what is new is added");
	equal($database, $_, \%copied, "$version imported again: $_") for qw(points runs);
	$server->gives($database, "SELECT sum(added) FROM mlmeta.import_mlflow('mlflow', '2100-01-01')", '0', "$version: since then nothing happened");
	$server->gives($database, 'SELECT count(*) FROM mlmeta.verify_audit()', '0', "$version: audit trails of imported models are whole");
}

# What 3.x has besides.
$server->gives('m3.6', "SELECT count(*), count(*) FILTER (WHERE direction = 'used' AND role <> '') FROM mlmeta.run_artifacts",
	$server->query('m3.6', "SELECT count(*) FILTER (WHERE NOT (i.source_type = 'RUN_INPUT' AND l.source_run_id = i.source_id)),
			count(t.value) FROM mlflow.inputs AS i LEFT JOIN mlflow.logged_models AS l ON l.model_id = i.destination_id
			LEFT JOIN mlflow.input_tags AS t ON t.input_uuid = i.input_uuid AND t.name = 'mlflow.data.context'"),
	'datasets with their contexts and logged models became edges');
$server->gives('m3.6', "SELECT string_agg(concat_ws(' ', m.model, a.alias, a.version), ', ' ORDER BY m.model, a.alias)
	FROM mlmeta.model_aliases AS a JOIN mlmeta.models AS m USING (model_id)",
	$server->query('m3.6', "SELECT string_agg(concat_ws(' ', a.name, a.alias, a.version), ', ' ORDER BY a.name, a.alias)
		FROM mlflow.registered_model_aliases AS a JOIN mlflow.model_versions AS v USING (name, version)
		WHERE v.current_stage <> 'Deleted_Internal'"), 'aliases of versions that are there');
$server->gives('m3.6', "SELECT count(*) FROM mlmeta.logged_models", '18', 'logged models');
$server->gives('m3.6', "SELECT count(*) FROM (SELECT name, digest, dataset_source FROM mlflow.datasets EXCEPT
	SELECT mlmeta.name(artifact), mlmeta.version(artifact), source FROM mlmeta.artifact_details) AS x", '0', 'datasets are described');

# What is no schema of MLflow's, or not for the one who asks.
$server->query('m3.6', <<'SQL');
CREATE SCHEMA empty;
CREATE SCHEMA views;
CREATE VIEW views.runs AS TABLE mlflow.runs;
CREATE VIEW views.experiments AS TABLE mlflow.experiments;
CREATE VIEW views.metrics AS TABLE mlflow.metrics;
CREATE VIEW views.latest_metrics AS TABLE mlflow.latest_metrics;
CREATE VIEW views.params AS TABLE mlflow.params;
CREATE VIEW views.tags AS TABLE mlflow.tags;
SQL
$server->refuses('m3.6', "SELECT mlmeta.attach_mlflow('nowhere')", '3F000', 'a schema that is none');
$server->refuses('m3.6', "SELECT mlmeta.attach_mlflow(NULL)", '3F000', 'no schema');
$server->refuses('m3.6', "SELECT mlmeta.attach_mlflow('empty')", '42P01', 'a schema without tables of MLflow');
$server->refuses('m3.6', "SELECT mlmeta.import_mlflow('empty')", '42P01', 'the same to import');
$server->refuses('m3.6', "SELECT mlmeta.attach_mlflow('views')", '42P01', 'views might run anything');
$server->refuses('m3.6', "BEGIN; ALTER TABLE mlflow.tags RENAME key TO name; SELECT mlmeta.attach_mlflow('mlflow')", '42P01', 'a column is missing');
$server->refuses('m3.6', "BEGIN; ALTER TABLE mlflow.runs ENABLE ROW LEVEL SECURITY; SELECT mlmeta.attach_mlflow('mlflow')", '42P01', 'policies might run anything');
$server->refuses('m3.6', "SELECT mlmeta.detach_mlflow('empty')", '42704', 'a schema that is not attached');
$server->gives('m3.6', "BEGIN; DROP TABLE mlflow.inputs, mlflow.registered_model_aliases, mlflow.logged_models CASCADE;
	SELECT mlmeta.attach_mlflow('mlflow'); SELECT count(*) > 0 FROM mlmeta.mlflow_runs; SELECT count(*) FROM mlmeta.mlflow_edges; ROLLBACK",
	"\nt\n0", 'without tables that came later there is the rest');
$server->query('m3.6', "SELECT mlmeta.setup_roles('team'); CREATE ROLE team_lead LOGIN; GRANT team_admin TO team_lead");
$server->refuses('m3.6', "SELECT mlmeta.attach_mlflow('mlflow')", '42501', 'rights of the extension\'s owner help nobody to read', user => 'team_lead');
$server->refuses('m3.6', "SELECT * FROM mlmeta.import_mlflow('mlflow')", '42501', 'nor to import', user => 'team_lead');
$server->query('m3.6', 'GRANT USAGE ON SCHEMA mlflow TO team_lead; GRANT SELECT ON ALL TABLES IN SCHEMA mlflow TO team_lead');
$server->succeeds('m3.6', "SELECT mlmeta.attach_mlflow('mlflow'); SELECT * FROM mlmeta.import_mlflow('mlflow')", 'who may read them attaches and imports', user => 'team_lead');
done_testing();
