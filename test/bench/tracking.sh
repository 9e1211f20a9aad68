#!/bin/sh
# tracking.sh [POINTS]: what clients feel: points a second logged by single
# prepared INSERTs (one round trip each, one open transaction), the same
# pipelined, log_metrics() and log_series(), and twenty clients on one run.
# Connects as psql does. Makes and drops the database mlmeta_bench_tracking.
# One JSON object per figure; contenders take turns, ratios are medians.

set -eu

points=${1:-1000}
rounds=5
database=mlmeta_bench_tracking
work=$(mktemp -d)
trap 'rm -rf "$work"; psql -qX -d postgres -c "DROP DATABASE IF EXISTS $database" 2>/dev/null' EXIT
export PGOPTIONS='-c search_path=public,mlmeta -c client_min_messages=warning'

psql -qX -d postgres -c "DROP DATABASE IF EXISTS $database" -c "CREATE DATABASE $database"
psql -qX -v ON_ERROR_STOP=1 -d $database >/dev/null <<'SQL'
CREATE EXTENSION mlmeta;
SELECT FROM start_run('bench', id => '00000000-0000-7000-8000-0000000bec40');
CREATE TABLE single (run uuid, key text, step bigint, at timestamptz, value float8,
	PRIMARY KEY (run, key, step));
CREATE SEQUENCE steps;
SQL

run="'00000000-0000-7000-8000-0000000bec40'"
insert="INSERT INTO single VALUES ($run, 'loss', nextval('steps'), clock_timestamp(), 0.5);"
{
	echo 'BEGIN;'
	i=0; while [ $i -lt "$points" ]; do echo "$insert"; i=$((i + 1)); done
	echo 'COMMIT;'
} >"$work/single"
{
	printf '%s\n' '\startpipeline'
	cat "$work/single"
	printf '%s\n' '\endpipeline'
} >"$work/pipelined"
{
	echo 'BEGIN;'
	i=0; while [ $i -lt "$points" ]; do echo "SELECT log_metrics($run, '{\"loss\": 0.5}', $i);"; i=$((i + 1)); done
	echo 'COMMIT;'
} >"$work/log_metrics"
awk -v n="$points" -v run="$run" 'BEGIN {
	for (i = 0; i < n; i++)
	{
		steps = steps (i ? "," : "") i
		values = values (i ? "," : "") sprintf("%.4f", 2 * exp(-i / 300) + rand() / 20)
	}
	printf "SELECT log_series(%s, '\''curve'\'', '\''{%s}'\'', '\''{%s}'\'');\n", run, steps, values
}' >"$work/log_series"

# rate SCRIPT MODE TRANSACTIONS: points a second
rate()
{
	pgbench -n -M "$2" -c 1 -t "$3" -f "$work/$1" $database 2>/dev/null |
		awk -v n="$points" '/^tps/ { printf "%.0f\n", $3 * n }'
}

: >"$work/figures"
round=0
while [ $round -le $rounds ]
do
	single=$(rate single prepared 3)
	pipelined=$(rate pipelined prepared 3)
	metrics=$(rate log_metrics prepared 1)
	series=$(rate log_series simple 30)
	[ $round -eq 0 ] || echo "$single $pipelined $metrics $series" >>"$work/figures"
	round=$((round + 1))
done

awk -v points="$points" '
	function median(a, n,   i, j, t)
	{
		for (i = 2; i <= n; i++)
			for (j = i; j > 1 && a[j - 1] > a[j]; j--) { t = a[j]; a[j] = a[j - 1]; a[j - 1] = t }
		return a[int((n + 1) / 2)]
	}
	{ s[NR] = $1; p[NR] = $2; m[NR] = $3; c[NR] = $4; a[NR] = $4 / $1; b[NR] = $4 / $2 }
	END {
		f = "{\"suite\": \"tracking\", \"name\": \"%s\", \"rows\": %d, \"points_per_second\": %d}\n"
		printf f, "single prepared INSERTs", points, median(s, NR)
		printf f, "pipelined INSERTs", points, median(p, NR)
		printf f, "log_metrics, one metric a call", points, median(m, NR)
		printf f, "log_series", points, median(c, NR)
		f = "{\"suite\": \"tracking\", \"name\": \"%s\", \"rows\": %d, \"ratio\": %.2f, \"goal\": %s}\n"
		printf f, "log_series by single INSERTs", points, median(a, NR), "10"
		printf f, "log_series by pipelined INSERTs", points, median(b, NR), "2.5"
	}' "$work/figures"

# Twenty clients, transactions of several calls, keys in opposite orders.
cat >"$work/clients" <<SQL
\set a random(1, 8)
\set b random(1, 8)
BEGIN;
SELECT log_metrics($run, jsonb_build_object('k' || :a, 1), :b);
SELECT log_metrics($run, jsonb_build_object('k' || :b, 1), :a);
SELECT heartbeat($run);
SELECT log_series($run, 'shared', '{1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20}',
	'{1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20}');
COMMIT;
SQL
before=$(psql -qXAt -d $database -c "SELECT count(*) FROM metric_points WHERE key <> 'loss' AND key <> 'curve'")
pgbench -n -M prepared -c 20 -j 2 -t 100 -f "$work/clients" $database >"$work/out" 2>"$work/err"
after=$(psql -qXAt -d $database -c "SELECT count(*) FROM metric_points WHERE key <> 'loss' AND key <> 'curve'")
deadlocks=$(psql -qXAt -d $database -c "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
echo "{\"suite\": \"tracking\", \"name\": \"twenty clients on one run: points lost\", \"rows\": 44000, \"points\": $((44000 - after + before)), \"goal\": 0}"
echo "{\"suite\": \"tracking\", \"name\": \"twenty clients on one run: deadlocks\", \"rows\": 44000, \"deadlocks\": $deadlocks, \"goal\": 0}"
