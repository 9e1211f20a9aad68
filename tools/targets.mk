# tools/targets.mk: make targets that need nothing installed beforehand.
# Included by the Makefile; each script says at its top what it does.

# Wherever this is included, a plain "make" compiles.
.DEFAULT_GOAL := all

.PHONY: demo demo-stop test format

demo:
	@tools/demo start

demo-stop:
	@tools/demo stop

test:
	@tools/test

format:
	@tools/format
