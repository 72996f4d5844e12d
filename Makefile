# Each target runs its own setup first. Nothing is written outside this folder, not even in the home folder.
#   make run ARGS="--port 9000"    make test ARGS="-k login"    make PYTHON=python3.12 setup

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := test
MAKEFLAGS += --no-print-directory
.PHONY: setup run test quick nightly test-postgresql faults faults-machine faults-long stateful deploy-test clients-test pages-test timing timing-machine check docs bench bench-long lock conformance conformance-postgresql clean

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
JOBS ?= 2
# The first Python that is new enough. PYTHON=… overrides it.
PYTHON ?= $(shell for name in python3 python3.11 python3.12 python3.13 python3.14; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$name"; break; }; done)

# pip runs `rustc --version`, and rustup's rustc then writes into the home folder. So it gets another folder.
export RUSTUP_HOME := $(CURDIR)/$(VENV)/rustup
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --no-cache-dir
# The lock names every package, so nothing is resolved here, and later releases change nothing.
INSTALL := $(PIP) install --quiet --require-hashes --no-deps --only-binary :all:
EDITABLE := $(PIP) install --quiet --no-deps --no-build-isolation --no-index --editable .

setup: $(VENV)/.stamp-test

run: $(VENV)/.stamp-run
	exec $(BIN)/menshen serve $(ARGS)

# The whole of it begins with the pages in a real browser, where there is one.
test: $(VENV)/.stamp-test
	if [[ -n "$(ARGS)" ]]; then true
	elif command -v chromium >/dev/null; then $(MAKE) pages-test
	else echo "LEFT OUT: the pages in a real browser, for this machine has no chromium. 'apt-get install chromium' brings it." >&2; fi
	exec $(BIN)/python -m pytest --numprocesses $(JOBS) $(ARGS)

# The fast tests, for use during a change: under half a minute.
quick: $(VENV)/.stamp-test
	exec $(BIN)/python -m pytest --numprocesses $(JOBS) $(ARGS) \
		tests/core tests/architecture tests/wire/http tests/adapters/storage/test_sqlite.py tests/adapters/storage/test_store_contract.py

# The long tests and the time measurements: some hours, on an idle machine. All targets run, even after a failure.
nightly:
	failed=()
	for target in faults faults-long stateful deploy-test timing timing-machine; do $(MAKE) $$target || failed+=($$target); done
	(( $${#failed[@]} == 0 )) || { echo "failed: $${failed[*]}" >&2; exit 1; }

# The tests of the wire and of flows, on PostgreSQL.
test-postgresql: $(VENV)/.stamp-test
	exec $(BIN)/python -m pytest --numprocesses $(JOBS) --store=postgresql tests/wire tests/end_to_end $(ARGS)

# Kills, restarts, hangs, full disks, clocks, overload, with real processes. `make test` leaves out the tests that need
# root (to mount disks) and libfaketime. Here they fail without them, and name what is missing.
faults: $(VENV)/.stamp-test
	exec $(BIN)/python -m pytest --numprocesses $(JOBS) -m "not long and not timing" tests/faults tests/nodes $(ARGS)

# Only the tests that need root and libfaketime.
faults-machine: $(VENV)/.stamp-test
	exec $(BIN)/python -m pytest --numprocesses $(JOBS) -m "machine and not timing" tests/faults $(ARGS)

# The examples of deploy/ with real programs: nginx and Caddy before two nodes, PgBouncer behind them, systemd's checks. Installs none of them.
deploy-test: $(VENV)/.stamp-test
	$(BIN)/python -m tests.deploy.programs
	exec $(BIN)/python -m pytest --numprocesses $(JOBS) --dist=loadfile -m "deploy and not timing" tests/deploy $(ARGS)

# Clients that four generators make of the weidu document log in. The generators have an environment of their own.
clients-test: $(VENV)/.stamp-test
	$(MAKE) VENV=.venv-clients .venv-clients/.stamp-clients
	exec $(BIN)/python -m pytest --numprocesses $(JOBS) --dist=loadfile -m clients tests/clients $(ARGS)

# A real Chromium before a started server, driven over its own pipe. Installs none.
pages-test: $(VENV)/.stamp-test
	exec $(BIN)/python -m pytest --numprocesses $(JOBS) --dist=loadfile -m pages tests/browser $(ARGS)

faults-long: $(VENV)/.stamp-test
	exec $(BIN)/python -m pytest -s --timeout=7200 -m "long" tests/faults tests/nodes $(ARGS)

# Random actions against a model, new ones each run, on both databases. MENSHEN_EXAMPLES=5000 sets their number.
stateful: $(VENV)/.stamp-test
	exec $(BIN)/python -m pytest -s --timeout=7200 -m "long" tests/stateful $(ARGS)

# All assertions on seconds: if time reveals accounts, how fast revocations arrive, if floods slow others down. The
# machine must be idle.
timing: $(VENV)/.stamp-test
	exec $(BIN)/python -m pytest -s -m "timing and not deploy and not machine" $(ARGS)

# The same, for tests that need root, libfaketime, nginx or Caddy.
timing-machine: $(VENV)/.stamp-test
	exec $(BIN)/python -m pytest -s -m "timing and (deploy or machine)" tests/faults tests/deploy $(ARGS)

check: $(VENV)/.stamp-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The tables of docs, from the code.
docs: $(VENV)/.stamp-test
	$(BIN)/python -m tools.docs

bench: $(VENV)/.stamp-test
	exec $(BIN)/python -m bench $(ARGS)

# A million accounts and five million sessions: some 10 minutes, and 10 GB in the folder for temporary files.
bench-long: $(VENV)/.stamp-test
	exec $(BIN)/python -m bench --long $(ARGS)

conformance: $(VENV)/.stamp-run
	exec tests/conformance/run.sh $(ARGS)

conformance-postgresql: $(VENV)/.stamp-test
	exec $(BIN)/python tests/conformance/on_postgres.py $(ARGS)

lock: $(VENV)/.stamp-pip requirements/lock.txt
	$(INSTALL) -r requirements/lock.txt
	exec requirements/lock.sh $(CURDIR)/$(BIN)/uv

clean:
	rm -rf $(VENV) .venv-newest .venv-clients build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.*

# The editable install writes the command's name and the package's version, so pyproject.toml renews it.
$(VENV)/.stamp-run: requirements/run.txt pyproject.toml $(VENV)/.stamp-pip
	@echo "installing what a server needs into $(VENV)"
	# An older setup has the whole phonenumbers, whose files are those of phonenumberslite and 40 MB more.
	$(PIP) uninstall --quiet --yes phonenumbers 2>/dev/null || true
	$(INSTALL) -r requirements/run.txt
	$(EDITABLE)
	touch $@

$(VENV)/.stamp-test: requirements/test.txt $(VENV)/.stamp-run
	@echo "installing what the tests need into $(VENV)"
	$(INSTALL) -r requirements/test.txt
	touch $@

# One of the generators and the compiler of TypeScript come by npm. Without npm, or its registry, the tests say so.
$(VENV)/.stamp-clients: requirements/clients.txt tests/clients/npm/package-lock.json $(VENV)/.stamp-pip
	@echo "installing the generators of clients into $(VENV)"
	$(INSTALL) -r requirements/clients.txt
	mkdir -p $(VENV)/npm
	cp tests/clients/npm/package.json tests/clients/npm/package-lock.json $(VENV)/npm
	if ! command -v npm >/dev/null; then
		echo "left out: clients in TypeScript, for this machine has no npm"
		# Without a stamp: the next run tries again.
		exit 0
	# Not --prefix: npm would look for the machine's own settings below it.
	elif ! (cd $(VENV)/npm && npm ci --cache cache --ignore-scripts --no-audit --no-fund --no-update-notifier); then
		echo "left out: clients in TypeScript, for npm could not install"
		rm -rf $(VENV)/npm/node_modules
		exit 0
	fi
	touch $@

# The pip of a Python may be old, so the pinned one installs everything else.
$(VENV)/.stamp-pip: requirements/pip.txt | $(VENV)/bin/python
	@echo "installing the pinned pip into $(VENV)"
	# An interrupted setup may have left no pip.
	$(PIP) --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	$(INSTALL) -r requirements/pip.txt
	touch $@

# Debian ships python3 without ensurepip. Root installs it here; other users get an error message.
$(VENV)/bin/python:
	@[[ -n "$(PYTHON)" ]] || { echo "menshen needs Python 3.11 or newer, and found none: install it, or set PYTHON=/path/to/python3." >&2; exit 1; }
	if ! "$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null; then
		if [[ $$(id -u) == 0 ]] && command -v apt-get >/dev/null; then
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
		else
			echo "$(PYTHON) lacks the venv module: install the package python3-venv, then run make again." >&2
			exit 1
		fi
	fi
	"$(PYTHON)" -m venv $(VENV)
