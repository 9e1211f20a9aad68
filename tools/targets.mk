# tools/targets.mk: make targets that need nothing installed beforehand.
# Included by the Makefile; each script says at its top what it does.

# Wherever this is included, a plain "make" compiles.
.DEFAULT_GOAL := all

.PHONY: demo demo-stop test bench format sanitize reference deb

demo:
	@tools/demo start

demo-stop:
	@tools/demo stop

test:
	@tools/test

# bench-NAME: the suite test/bench/NAME.sql alone; rows=N sets its size
bench:
	@tools/bench

bench-%:
	@tools/bench $*

format:
	@tools/format

sanitize:
	@tools/sanitize

# doc/reference.md, from the catalog
reference:
	@tools/reference

# packages for Debian and Ubuntu, of the last commit
deb:
	@tools/deb
