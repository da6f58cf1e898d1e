# `make run` serves the demo, `make test` runs all tests. The paths below are relative, so that a
# checkout in a folder with a space in its name works. PARTYLINE_VENV names another environment.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run cluster test test-cluster check bench faults mutants lock clean venv venv-dev typescript \
	wheel test-wheel test-image test-browsers tools-for-tests tools-for-cluster tools-for-browsers

PORT ?= 8000
HOST ?= 127.0.0.1
PARTYLINE_VENV ?= .venv
PARTYLINE_DEMO ?= 1
export PORT HOST
PY = "$(PARTYLINE_VENV)/bin/python"

help:
	@printf '%s\n' \
	  'make run           serve the demo on http://$(HOST):$(PORT)' \
	  'make cluster       serve it from many processes behind nginx, with the files in deploy/' \
	  'make test          run the whole test suite' \
	  'make test-cluster  run the browser tests against a cluster' \
	  'make test-browsers run the main journeys in Firefox and WebKit' \
	  'make check         check style, types, layers, templates, migrations, deployment settings' \
	  'make bench         measure speed and memory' \
	  'make faults        kill processes under load for minutes, and count what was lost' \
	  'make wheel         build the package that pip installs, in dist/' \
	  'make test-wheel    install it with all it needs into an empty environment, and try it' \
	  'make test-image    run each instruction of the Dockerfile in an empty Debian, without Docker' \
	  'make mutants       put faults into a copy of the code, each of which must make a test fail' \
	  'make lock          write requirements/*.txt from pyproject.toml (ARGS=--upgrade for the newest)' \
	  'make clean         remove the virtual environment (never the data)'

run: venv
	@PARTYLINE_DEMO="$(PARTYLINE_DEMO)" exec $(PY) manage.py serve

# The browser tests against a cluster.
test-cluster: venv-dev tools-for-tests tools-for-cluster
	@PARTYLINE_TEST_SERVER=cluster $(PY) -m pytest -n 2 --dist loadfile tests/browser $(ARGS)

# The journeys in browsers that are not part of `make test`; ARGS="-k webkit" takes one of them.
test-browsers: venv-dev tools-for-browsers
	@$(PY) -m pytest tests/other_browsers/journeys.py $(ARGS)

wheel: venv-dev
	@rm -rf dist
	@$(PY) -m hatchling build
	@cp requirements/runtime.txt dist/requirements.txt

test-wheel: wheel
	@$(PY) -m tests.installation $(ARGS)

test-image: wheel
	@bash config/packages.sh "an empty Debian" debootstrap
	@$(PY) -m tests.image $(ARGS)

cluster: venv-dev tools-for-cluster
	@PARTYLINE_DEMO="$(PARTYLINE_DEMO)" PYTHON="$(abspath $(PARTYLINE_VENV))/bin/python" \
	  exec bash deploy/cluster/run.sh

# Tests sometimes wait: three at a time keep two processors busy.
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
	@bash config/packages.sh "the tests" chromium chromium-headless-shell redis-server nginx \
	  caddy postgresql systemd || \
	  echo "partyline: the tests that need them will fail; all others run." >&2

tools-for-cluster:
	@bash config/packages.sh "the cluster" redis-server nginx postgresql

tools-for-browsers:
	@bash config/packages.sh "the journeys in other browsers" firefox-esr webkit2gtk-driver xvfb
