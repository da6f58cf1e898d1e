# `make run` serves the demo, `make test` runs everything. Paths below are relative on purpose, so
# that a checkout in a folder with a space in its name works; set PARTYLINE_VENV for another place.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run cluster test test-cluster check bench faults mutants lock clean venv venv-dev typescript \
	tools-for-tests tools-for-cluster

PORT ?= 8000
HOST ?= 127.0.0.1
PARTYLINE_VENV ?= .venv
PARTYLINE_DEMO ?= 1
export PORT HOST
PY = "$(PARTYLINE_VENV)/bin/python"

help:
	@printf '%s\n' \
	  'make run     serve the demo on http://$(HOST):$(PORT)' \
	  'make cluster the same as many processes behind nginx, from deploy/' \
	  'make test    run the whole test suite' \
	  'make check   style, types, layers, templates, deployment settings' \
	  'make bench   measure' \
	  'make faults  kill processes under load for minutes and count what was lost' \
	  'make mutants put faults into a copy of the code, one at a time, and see a test turn red' \
	  'make lock    write requirements/*.txt from pyproject.toml (ARGS=--upgrade: newest)' \
	  'make clean   remove the virtual environment (never the data)'

run: venv
	@PARTYLINE_DEMO="$(PARTYLINE_DEMO)" exec $(PY) manage.py serve

# The browser tests against a server of many processes.
test-cluster: venv-dev tools-for-tests tools-for-cluster
	@PARTYLINE_TEST_SERVER=cluster $(PY) -m pytest -n 2 --dist loadfile tests/browser $(ARGS)

cluster: venv-dev tools-for-cluster
	@PARTYLINE_DEMO="$(PARTYLINE_DEMO)" PYTHON="$(abspath $(PARTYLINE_VENV))/bin/python" \
	  exec bash deploy/cluster/run.sh

# Tests wait now and then: three at a time keep two processors busy.
test: venv-dev tools-for-tests
	@$(PY) -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

check: venv-dev typescript
	@$(PY) -m config.checks

bench: venv-dev
	@$(PY) -m tests.bench $(ARGS)

faults: venv-dev tools-for-cluster
	@$(PY) -m tests.faults $(ARGS)

mutants: venv-dev
	@$(PY) -m tests.mutants $(ARGS)

lock: venv-dev
	@$(PY) config/lock.py $(ARGS)

clean:
	rm -rf "$(PARTYLINE_VENV)" .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

venv:
	@PYTHON="$(PYTHON)" bash config/prepare.sh "$(PARTYLINE_VENV)" runtime

venv-dev:
	@PYTHON="$(PYTHON)" bash config/prepare.sh "$(PARTYLINE_VENV)" dev

typescript: venv-dev
	@bash config/typescript/install.sh "$(PARTYLINE_VENV)"

tools-for-tests:
	@bash config/packages.sh "the tests" chromium chromium-headless-shell redis-server nginx systemd || \
	  echo "partyline: the tests that need them will fail; the rest runs." >&2

tools-for-cluster:
	@bash config/packages.sh "the cluster" redis-server nginx postgresql
