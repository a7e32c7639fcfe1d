# Everything here needs Python 3.11 or later, make and git; the rest comes from PyPI into .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest

.PHONY: help demo test lint format bench soak mutants check clean

help:
	@echo "make demo    the main job end to end, against the embedded simulator"
	@echo "make test    all tests (under 10 minutes on 2 cores)"
	@echo "make lint    ruff, mypy strict, import contracts"
	@echo "make check   lint, then test"
	@echo "make soak    the long forms of what tries to break the promise (under 60 minutes on 2 cores)"
	@echo "make mutants each guard taken out in a copy: a test must notice"
	@echo "make bench   how long the usual commands take"

# What a user needs, and on top of it what a developer needs.
$(VENV)/.runtime: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.developer: $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(VENV)/.runtime
	@$(BIN)/reconciler demo

# More workers than the two cores this is meant for: many tests wait for processes and databases.
test: $(VENV)/.developer
	$(PYTEST) -n 5 --dist worksteal

lint: $(VENV)/.developer
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.developer
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

check: lint test

# The simulation takes longest, so it begins first.
soak: mutants
	RECONCILER_SOAK_FACTOR=20 $(PYTEST) -n auto --dist worksteal tests/crash/test_simulation.py tests/crash tests/property tests/hostile tests/unit/specs tests/unit/documents tests/unit/state

mutants: $(VENV)/.developer
	$(BIN)/python -m tests.crash.mutants

bench: $(VENV)/.developer
	$(BIN)/python tests/bench/run.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
