# mlmeta: builds, installs and tests the extension (PGXS).
#
#   make && sudo make install     build and install into the found PostgreSQL,
#                                 with the program of src/client where its
#                                 libraries are found
#   make installcheck             regression tests against a running server
#   make demo | demo-stop         a private cluster with real data and drift
#   make test                     everything, on a private cluster
#   make bench                    the figures of doc/performance.md, as JSON
#
# The targets that install what they need first live in tools/targets.mk and
# work before PostgreSQL's headers are there.

EXTENSION = mlmeta
EXTVERSION = $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" mlmeta.control)

MODULE_big = mlmeta
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/core/*.c \
	src/types/*.c src/stats/*.c src/stats/*/*.c \
	src/store/*.c src/security/*.c src/scan/*.c src/render/*.c)))

# The install script is the numbered parts of sql/, in order.
SQL_PARTS = $(sort $(wildcard sql/[0-9]*.sql))
DATA_built = mlmeta--$(EXTVERSION).sql
DATA = $(wildcard sql/mlmeta--*--*.sql)
DOCS = $(wildcard doc/*.md)

REGRESS = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --load-extension=mlmeta
ISOLATION = $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --outputdir=. --load-extension=mlmeta

# Only SQL-callable functions leave the module: nothing of ours can clash with
# a symbol of the server or of another extension. (PostgreSQL 16 and later do
# the same by themselves; there PGDLLEXPORT is already defined.)
PG_CPPFLAGS = -I$(srcdir)/src
PG_CFLAGS = -fvisibility=hidden -Wall -Wextra -Wno-unused-parameter
# Walking the exact Kolmogorov-Smirnov law and adding up bins are worth it.
src/stats/laws/ks_law.o src/stats/summaries/histogram.o: \
	CFLAGS += $(CFLAGS_VECTORIZE)

EXTRA_CLEAN = mlmeta--$(EXTVERSION).sql src/*.bc src/*/*.bc src/*/*/*.bc

include tools/targets.mk

PG_CONFIG ?= $(shell tools/pg-config 2>/dev/null || echo pg_config)
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifneq ($(wildcard $(PGXS)),)
include $(PGXS)

# A changed header rebuilds all: the module is small, a stale object is not.
$(OBJS): $(wildcard src/*/*.h src/*/*/*.h)

# The program, which PGXS does not know how to build beside a module.
all: client
install: client-install
uninstall: client-uninstall
clean: client-clean
.PHONY: client client-install client-uninstall client-clean
client:
	@$(MAKE) --no-print-directory -C src/client PG_CONFIG='$(PG_CONFIG)' all
client-install client-uninstall client-clean: client-%:
	@$(MAKE) --no-print-directory -C src/client PG_CONFIG='$(PG_CONFIG)' $*

# The folder counts too: a part that is gone must not live on.
mlmeta--$(EXTVERSION).sql: mlmeta.control sql $(SQL_PARTS)
	cat $(SQL_PARTS) > $@
else
all install installcheck clean:
	@tools/pg-config
endif
