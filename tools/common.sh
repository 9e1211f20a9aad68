# tools/common.sh: what every script in tools/ stands on. Sourced, never run.
#
# shellcheck shell=bash disable=SC2034

set -euo pipefail

# The checkout, as an absolute path; every script may be called from anywhere.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
tools=$root/tools
self=${0##*/}

# The oldest PostgreSQL whose interfaces the sources use.
oldest_postgres=15

# Called from a make recipe, we inherit make's flags and its job server. The
# makes we start are ours: what the user gave on the command line arrives as
# environment variables and is handed on by name (make_variables).
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

# Settings of libpq that the caller has are meant for other servers than ours.
# PG_CONFIG and its like are not among them.
for variable in $(compgen -e PG)
do
	if [[ $variable != PG_* ]]
	then
		unset "$variable"
	fi
done

# One language for compilers, servers and the patterns that read their output.
unset LANGUAGE
export LC_ALL=C.UTF-8

say()
{
	printf '%s\n' "$*"
}

warn()
{
	printf '%s: %s\n' "$self" "$*" >&2
}

# die MESSAGE [WAY OUT ...]: the error, then one line for each way out of it.
die()
{
	warn "error: $1"
	shift
	local hint
	for hint in "$@"
	do
		printf '    %s\n' "$hint" >&2
	done
	exit 1
}

have()
{
	command -v "$1" >/dev/null 2>&1
}

is_root()
{
	[ "$(id -u)" -eq 0 ]
}

# may_be_root: true if as_root will work; on a terminal sudo may ask for the
# password now.
may_be_root()
{
	is_root || { have sudo && { sudo -n true 2>/dev/null || { [ -t 2 ] && sudo -v; }; }; }
}

# as_root COMMAND ...: run it with the rights of root, through sudo if need be.
as_root()
{
	if is_root
	then
		"$@"
	else
		sudo "$@"
	fi
}

# Major version of the PostgreSQL that the given pg_config belongs to.
major_of()
{
	"$1" --version | sed -n 's/^PostgreSQL \([0-9][0-9]*\).*/\1/p'
}

# find_postgres: sets pg_config, bindir, and puts bindir first in PATH, so that
# every psql, pg_dump and make below means the same PostgreSQL.
find_postgres()
{
	pg_config=$("$tools/pg-config") || exit 1
	bindir=$("$pg_config" --bindir)
	export PG_CONFIG=$pg_config
	export PATH=$bindir:$PATH
}

# Variables for the project's own make, one on a line.
make_variables()
{
	printf '%s\n' "PG_CONFIG=$pg_config"
	if [ -n "${CC:-}" ]
	then
		printf '%s\n' "CC=$CC"
	fi

	# Bitcode for JIT inlining needs the very clang PostgreSQL was built with;
	# a server without it works all the same.
	local clang
	clang=$("$pg_config" --configure | sed -n "s/.*'CLANG=\([^']*\)'.*/\1/p")
	if [ -n "${with_llvm:-}" ]
	then
		printf '%s\n' "with_llvm=$with_llvm"
	elif ! have "${clang:-no-clang-known}"
	then
		printf '%s\n' "with_llvm=no"
	fi
}
