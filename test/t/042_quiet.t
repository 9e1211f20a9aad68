# How often the rule wakes somebody up for nothing, and how surely it finds what
# it promises to find: whole checks of random rows, with a fixed seed. The number
# of windows is MLMETA_QUIET_WINDOWS; the level is judged at 5 % and three
# standard errors of so many windows.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use MlmetaCluster;
use Test::More;

my $windows = $ENV{MLMETA_QUIET_WINDOWS} // 150;
my $server = MlmetaCluster->new('quiet');
my @features = map { sprintf 'f%02d', $_ } 1 .. 20;
my $columns = join ', ', map { "random() AS $_" } @features;

# A baseline of 5,000 rows, then windows of 100: an hour each.
$server->query('postgres', 'CREATE DATABASE quiet');
$server->query('quiet', <<SQL);
CREATE EXTENSION mlmeta;
SET search_path = public, mlmeta;
SELECT setseed(0.42);
CREATE TABLE quiet AS
SELECT '2026-01-01'::timestamptz - interval '50 hours' + i * interval '36 seconds' AS at, $columns
FROM generate_series(0, 5000 + 100 * $windows - 1) AS i;
SELECT create_monitor('quiet', 'quiet', 'at', '1 hour', time_zone => 'UTC');
SELECT set_baseline('quiet', '2025-12-29 22:00Z', '2026-01-01Z');
SELECT count(*) FROM check_monitor('quiet', '2026-01-01Z'::timestamptz + $windows * interval '1 hour');
SQL
my ($judged, $alarms) = split /\|/, $server->query('quiet', <<'SQL');
SELECT count(DISTINCT window_start), count(DISTINCT window_start) FILTER (WHERE verdict = 'drift')
FROM mlmeta.drift_history WHERE monitor = 'quiet'
SQL
# Two a year are promised.
my $promised = $windows * 2 / 8766;
my $allowed = 1 + $promised + 3 * sqrt($promised);
is($judged, $windows, "$windows windows of 20 features were judged");
cmp_ok($alarms, '<=', $allowed, "of quiet windows $alarms alarm");
$server->gives('quiet', 'SELECT max(pg_column_size(profile)) <= 400 * 20 FROM mlmeta.monitor_windows',
	't', 'a stored window takes at most 400 bytes a feature');

# Shifts by half more than what results say is usual at most: the Kolmogorov
# distance of uniform values shifted by d is d.
my ($shift) = $server->query('quiet', "SELECT 1.5 * max(usual) FROM mlmeta.drift_history WHERE measure = 'ks'");
cmp_ok($shift, '>', 0.2, "at 100 rows effects from $shift on are promised");
my $shifted = join ', ', map { "$_ = $_ + $shift" } @features[ 0 .. 4 ];
$server->query('quiet', <<SQL);
SET search_path = public, mlmeta;
UPDATE quiet SET $shifted WHERE at >= '2026-01-01Z' AND at < '2026-01-02 16:00Z';
SELECT count(*) FROM check_monitor('quiet', '2026-01-01Z'::timestamptz + $windows * interval '1 hour',
	since => '2026-01-01Z');
SQL
my ($injected, $found) = split /\|/, $server->query('quiet', <<'SQL');
SELECT count(*), count(*) FILTER (WHERE verdict = 'drift') FROM mlmeta.drift_history
WHERE measure = 'ks' AND feature <= 'f05' AND window_start < '2026-01-02 16:00Z'
SQL
is($injected, 200, '200 shifts of that size');
cmp_ok($found, '>=', 0.9 * $injected, "$found are found");

# Windows of 100,000 rows against a baseline of 5,000: nothing there is nothing
# found, however many rows; and an effect as small as promised is. The rows are
# drawn and profiled without being stored. MLMETA_QUIET_LARGE is the number of
# windows.
my $large = $ENV{MLMETA_QUIET_LARGE} // 10;
$server->query('quiet', <<SQL);
SET search_path = public, mlmeta;
SELECT setseed(0.24);
CREATE TABLE large AS
SELECT '2026-01-01'::timestamptz - interval '50 hours' + i * interval '36 seconds' AS at, $columns
FROM generate_series(0, 4999) AS i;
SELECT create_monitor('large', 'large', 'at', '1 hour', time_zone => 'UTC');
SELECT set_baseline('large', '2025-12-29 22:00Z', '2026-01-01Z');
CREATE FUNCTION draw(first integer, how_many integer, shift float8) RETURNS void LANGUAGE sql AS \$\$
	INSERT INTO monitor_windows (monitor, segment, window_start, window_end, baseline, row_count, profile)
	SELECT b.monitor, (SELECT s.id FROM segments AS s WHERE s.monitor = b.monitor AND s.label = ''), '2026-01-01Z'::timestamptz + w * interval '1 hour', '2026-01-01Z'::timestamptz + (w + 1) * interval '1 hour',
		b.id, 100000, (
			SELECT detach(profile(f, b.profile))
			FROM generate_series(1, 100000) AS i, LATERAL (
				SELECT ${\ join ', ', map { ($_ le 'f05' ? 'shift + ' : '') . "random() AS $_" } @features }
				WHERE i + w > 0) AS f)
	FROM monitor_baselines AS b JOIN monitors AS m ON m.id = b.monitor, generate_series(first, first + how_many - 1) AS w
	WHERE m.name = 'large'
\$\$;
CREATE VIEW judged AS
SELECT w.window_start, r.feature, r.verdict, r.usual, r.n_current
FROM mlmeta_internal.monitors AS m JOIN monitor_baselines AS b ON b.monitor = m.id JOIN monitor_windows AS w ON w.monitor = m.id,
	LATERAL unnest(mlmeta_internal.judge_window(m, b, w.window_start, w.window_end, '{}')) AS r
WHERE m.name = 'large' AND r.measure = 'ks';
SELECT draw(0, $large, 0);
CREATE TABLE quiet_large AS SELECT * FROM judged;
SQL
$server->gives('quiet', q{SELECT count(DISTINCT window_start), count(*), min(n_current) FROM quiet_large},
	join('|', $large, 20 * $large, 100000), "$large windows of 100,000 rows were judged");
$alarms = $server->query('quiet', q{SELECT count(DISTINCT window_start) FROM quiet_large WHERE verdict IN ('drift', 'undecided')});
$promised = $large * 2 / 8766;
$allowed = 1 + $promised + 3 * sqrt($promised);
cmp_ok($alarms, '<=', $allowed, "of these $alarms alarm");
$shift = $server->query('quiet', 'SELECT 1.5 * max(usual) FROM quiet_large');
cmp_ok($shift, '<', 0.5, "at 100,000 rows effects from $shift on are promised");
$server->query('quiet', "SET search_path = public, mlmeta; SELECT draw($large, 10, $shift)");
($injected, $found) = split /\|/, $server->query('quiet', <<SQL);
SELECT count(*), count(*) FILTER (WHERE verdict = 'drift') FROM judged
WHERE feature <= 'f05' AND window_start >= '2026-01-01Z'::timestamptz + $large * interval '1 hour'
SQL
is($injected, 50, '50 shifts of that size');
cmp_ok($found, '>=', 0.9 * $injected, "$found are found");

done_testing();
