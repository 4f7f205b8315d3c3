# Everything that is needed is Python 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo

.DEFAULT_GOAL := help
.PHONY: help demo test check bench docs clean

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /	/' | expand -t 10

$(BIN)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(BIN)/.installed ## from nothing to answers, in the folder demo/
	$(BIN)/pozytywka sample $(DEMO)/data
	$(BIN)/pozytywka validate $(DEMO)/data
	$(BIN)/pozytywka transform $(DEMO)/data --artifacts-dir $(DEMO)/artifacts
	$(BIN)/pozytywka train --data-dir $(DEMO)/data --artifacts-dir $(DEMO)/artifacts
	$(BIN)/pozytywka predict --data-dir $(DEMO)/data --artifacts-dir $(DEMO)/artifacts
	$(BIN)/pozytywka recommend 101 -n 5 --data-dir $(DEMO)/data --artifacts-dir $(DEMO)/artifacts
	$(BIN)/pozytywka similar "Rosetta" --artifacts-dir $(DEMO)/artifacts

test: $(BIN)/.installed ## the whole test suite
	$(BIN)/python -m pytest -n 2

check: $(BIN)/.installed ## style, types, import rules, stale reference
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m docs.generate --check

bench: $(BIN)/.installed ## the figures of the README that are ratios or bounds, in one run
	$(BIN)/python -m benchmarks

docs: $(BIN)/.installed ## write the command reference from the help
	$(BIN)/python -m docs.generate

clean: ## remove what the other targets made
	rm -rf $(VENV) $(DEMO) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
