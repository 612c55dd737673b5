# One entry point for people and for CI.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help install check test bench

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

install: $(VENV)/installed ## create the environment

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[anthropic]' --group dev
	@touch $@

check: install ## lint, types, import directions, migrations and documents in step
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m django makemigrations --check --dry-run --settings tests.settings agent

test: install ## the whole suite, on every database and service that is there
	$(BIN)/python -m tests

bench: install ## measure, each figure beside a reference in the same run
	$(BIN)/python -m benchmarks.imports
	$(BIN)/python -m benchmarks.overhead
	$(BIN)/python -m benchmarks.http_client
	$(BIN)/python -m benchmarks.cache
