# Everything a stranger needs: `make run` and `make test`. Only Python 3.11+, git and make must be there before.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Tests are run by two processes; one that is done with its half takes over some of what the other has left.
SHARED := -n 2 --dist worksteal
# Compiled modules are kept: to compile all tests anew in each run takes longer than to collect them.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test check format bench contract prove clean

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' Makefile

run: $(VENV)/installed-run ## Install Serai and start it, with two example agents on the embedded model
	@$(BIN)/serai model pull
	@exec $(BIN)/serai up --starter

test: $(VENV)/installed-dev $(VENV)/home/pulled ## Run all tests, the long proofs in their short form
	@failed=0; \
	$(BIN)/python -m pytest -m "not slow and not prove" $(SHARED) || failed=1; \
	$(BIN)/python -m pytest -m "slow and not prove" $(SHARED) || failed=1; \
	exit $$failed

check: $(VENV)/installed-dev ## Format, lint, strict types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/installed-dev ## Put the code into the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/installed-dev ## Measure against a bare proxy, on this machine, in one run
	$(BIN)/python -m bench

contract: $(VENV)/installed-dev ## Run the platform contract, and write its tables into docs/contract.md
	$(BIN)/python -m tests.contract

prove: $(VENV)/installed-dev ## Run the long proofs in full
	$(BIN)/python -m pytest -m "slow or prove" -s

clean: ## Remove what was installed and built
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis bench/out

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Serai needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/home/pulled: | $(VENV)/installed-dev
	@echo "Fetching the embedded model for its own test ..."
	-@$(BIN)/serai --home $(VENV)/home model pull && touch $@

$(VENV)/installed-run: $(VENV)/bin/python lock/run.txt pyproject.toml
	@echo "Installing Serai into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r lock/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/bin/python lock/dev.txt pyproject.toml
	@echo "Installing Serai and what its tests need into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r lock/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@ $(VENV)/installed-run
