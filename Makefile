# Few verbs. `make up` and `make test` are the two a newcomer needs; README.md shows them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export PYTHONDONTWRITEBYTECODE :=
# Formatting an Output into a string is a mistake that otherwise ends as text in a manifest.
export PULUMI_ERROR_OUTPUT_STRING := true

PYTHON := .venv/bin/python
READY := .venv/.ready
POLICY_READY := policy/.venv/.ready
SCANNERS_READY := tests/scanners/.venv/.ready
# For tests that share nothing; those of one file stay together, since they share what it sets up.
SIDE_BY_SIDE := --numprocesses auto --maxprocesses 4 --dist loadscope

.PHONY: help up down check test soak bench-stack bench-db bench-program lock

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): requirements-dev.txt twin/toolchain/requirements.txt pyproject.toml
	@bash twin/bootstrap.sh
	@touch $@

# An environment of its own, as `pulumi install` makes it in policy/: its SDK wants an older protobuf.
$(POLICY_READY): policy/requirements.txt $(READY)
	@$(PYTHON) -m venv policy/.venv
	@policy/.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# Likewise: checkov pins old versions of much, and is asked by `make test` alone.
$(SCANNERS_READY): tests/scanners/requirements.txt $(READY)
	@$(PYTHON) -m venv tests/scanners/.venv
# A hundred packages: uv takes seconds where pip takes a minute, but knows nothing of a mirror in pip's configuration.
	@.venv/bin/uv pip install --quiet --python tests/scanners/.venv/bin/python --no-deps --require-hashes -r $< || \
		tests/scanners/.venv/bin/python -m pip install --quiet --no-deps --require-hashes -r $<
	@touch $@

up: $(READY) ## start the twin, deploy the stack to it, check it, print the addresses
	@.venv/bin/twin up
	@$(PYTHON) -m twin.deploy

down: $(READY) ## stop the twin; its data stays until `twin reset`
	@.venv/bin/twin down

check: $(READY) $(POLICY_READY) ## lint, types and the tests that need neither root nor a cluster; minutes
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@$(PYTHON) -m pytest $(SIDE_BY_SIDE) tests/unit tests/plugins tests/secrets

test: check $(SCANNERS_READY) ## everything: the fast part, SQL, checks and alerts on real processes, then the twin end to end
	@$(PYTHON) -m pytest $(SIDE_BY_SIDE) tests/sql
	@$(PYTHON) -m pytest $(SIDE_BY_SIDE) tests/checks tests/monitoring tests/scanners
	@.venv/bin/twin up --replace
	@status=0; $(PYTHON) -m pytest tests/twin || status=$$?; .venv/bin/twin down; exit $$status

soak: $(READY) $(POLICY_READY) ## the same code over the full matrices; hours
	@$(PYTHON) -m pytest tests/unit tests/sql tests/checks --soak
	@.venv/bin/twin up --replace
	@status=0; $(PYTHON) -m pytest tests/twin --soak || status=$$?; .venv/bin/twin down; exit $$status

bench-stack: up ## how long the verbs of the stack take on the twin
	@$(PYTHON) -m benchmarks.stack

bench-db: $(READY) ## measure the migration on a million events, ours beside the naive way; minutes
	@$(PYTHON) -m benchmarks.db

bench-program: $(READY) ## what the program's own process costs, beside the same without typed SDK or trimming
	@$(PYTHON) -m benchmarks.program

# No addresses and no comments: the files say what is installed, not where from.
COMPILE := .venv/bin/uv pip compile --quiet --generate-hashes --no-header --no-annotate --no-emit-index-url \
	--python-version 3.11
# The images' locks hold one extra alone, without the program's own dependencies.
EXTRA = $(PYTHON) -c 'import sys, tomllib; \
	print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"][sys.argv[1]], sep="\n")'

lock: ## compile the hashed locks from pyproject.toml
	@$(COMPILE) pyproject.toml -o requirements.txt
	@$(COMPILE) pyproject.toml --extra dev -o requirements-dev.txt
	@$(EXTRA) ops | $(COMPILE) - -o ops/requirements.txt
	@$(EXTRA) policy | $(COMPILE) - -o policy/requirements.txt
	@$(EXTRA) scanners | $(COMPILE) - -o tests/scanners/requirements.txt
	@$(EXTRA) workload | $(COMPILE) - -o twin/workload/requirements.txt
