#!/bin/sh
# client.sh [POINTS]: what the program mlmeta costs: points a second that
# "mlmeta log -" brings from lines of JSON into the database, by the CPU of the
# backend, by that of the program and by the clock; and the CPU of "mlmeta run"
# beside a child of ten seconds that logs a hundred points a second, in a
# repository with changes. Connects as psql does; reads /proc, where the server
# must be. Nothing is measured where the program was not built.
# One JSON object per figure, medians of the rounds.

set -eu

points=${1:-500000}
rounds=5
root=$(cd "$(dirname "$0")/../.." && pwd)
program=$root/src/client/mlmeta
[ -x "$program" ] || exit 0
database=mlmeta_bench_client
work=$(mktemp -d)
trap 'rm -rf "$work"; psql -qX -d postgres -c "DROP DATABASE IF EXISTS $database" 2>/dev/null' EXIT
export MLMETA_SPOOL="$work/spool"
psql -qX -d postgres -c "DROP DATABASE IF EXISTS $database" -c "CREATE DATABASE $database"
psql -qX -d $database -c 'CREATE EXTENSION mlmeta'
export PGDATABASE=$database

awk -v n="$points" 'BEGIN {
	for (i = 0; i < n / 2; i++)
		printf "{\"loss\": %.4f, \"acc\": %.4f, \"step\": %d}\n", 2 * exp(-i / 300) + rand() / 20, rand(), i
}' >"$work/lines"

# cpu PID: seconds that a process has taken so far
cpu()
{
	awk '{ printf "%.6f\n", $1 / 1e9 }' "/proc/$1/schedstat" 2>/dev/null
}

# log_once: seconds of backend, program and clock for all points
log_once()
{
	run=$(psql -XAtc "SELECT mlmeta.start_run('bench')")
	began=$(date +%s.%N)
	"$program" log - --run "$run" <"$work/lines" &
	client=$!
	backend='' backend_cpu=0 client_cpu=0
	while kill -0 $client 2>/dev/null
	do
		[ -n "$backend" ] ||
			backend=$(psql -XAtc "SELECT pid FROM pg_stat_activity WHERE application_name = 'mlmeta' LIMIT 1")
		backend_cpu=$(cpu "${backend:-none}" || echo "$backend_cpu")
		client_cpu=$(cat /proc/$client/task/*/schedstat 2>/dev/null | awk '{ s += $1 } END { if (s) printf "%.6f\n", s / 1e9 }')
		[ -z "$client_cpu" ] || last_cpu=$client_cpu
		[ -z "$backend_cpu" ] || last_backend=$backend_cpu
		sleep 0.02
	done
	wait $client
	ended=$(date +%s.%N)
	echo "$last_backend $last_cpu $(echo "$began $ended" | awk '{ print $2 - $1 }')"
}

median()
{
	sort -g | awk '{ v[NR] = $1 } END { printf "%.0f %.0f %.0f\n", v[int((NR + 1) / 2)], v[1], v[NR] }'
}

: >"$work/log"
round=0
while [ $round -lt $rounds ]
do
	log_once >>"$work/log"
	round=$((round + 1))
done
i=1
for by in 'backend CPU' 'program CPU' clock
do
	awk -v n="$points" -v i=$i '{ print n / $i }' "$work/log" | median |
		awk -v by="$by" '{ printf "{\"suite\": \"client\", \"name\": \"log -, by %s\", \"points_per_second\": %s, \"min\": %s, \"max\": %s}\n", by, $1, $2, $3 }'
	i=$((i + 1))
done

# The program beside a child: what all took, less what the child took.
cd "$work"
git init -q .
cp "$root"/src/client/*.c .
git add .
git -c user.name=bench -c user.email=bench@example.org commit -q -m bench
for file in *.c; do echo '/* changed */' >>"$file"; done
cp "$root"/doc/*.md .
cat >child.pl <<'PERL'
use Time::HiRes qw(sleep);
open my $log, '>', $ENV{MLMETA_LOG} or die $!;
$log->autoflush(1);
for my $step (1 .. 1000) { print $log qq({"loss": 0.$step, "step": $step}\n); print "step $step\n"; sleep 0.01 }
PERL
cat >measure.pl <<'PERL'
my @before = times;
system @ARGV;
my @after = times;
printf "%.3f\n", $after[2] + $after[3] - $before[2] - $before[3];
PERL
for kind in quiet talking
do
	case $kind in
		quiet) set -- sleep 10 ;;
		talking) set -- perl child.pl ;;
	esac
	perl measure.pl "$program" run -q -n $kind --metric 'step ([0-9]+)' -- "$@" | tail -n 1 >"$work/all"
	child=$(psql -XAtc "SELECT (source #>> '{end,cpu_user_seconds}')::float8 + (source #>> '{end,cpu_system_seconds}')::float8 FROM mlmeta.runs WHERE name = '$kind'")
	awk -v child="$child" -v kind=$kind '{ printf "{\"suite\": \"client\", \"name\": \"mlmeta run beside a %s child of ten seconds\", \"percent_of_cpu\": %.2f, \"goal\": 1}\n", kind, ($1 - child) * 10 }' "$work/all"
done
