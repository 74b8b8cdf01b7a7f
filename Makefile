# What people and CI call. `make demo` needs nothing but Python 3.11 or newer.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test test-all fuzz check format clean

VENV := .venv
BIN := $(VENV)/bin
RECIPE := recipes/redact.yaml
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

help:  ## list these targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 18

demo: $(VENV)/.installed  ## install, then edit the model that ships with editkit
	$(BIN)/editkit apply $(RECIPE)
	@echo
	@echo "The patch is the .editkit.safetensors file here. To look at the run: $(BIN)/editkit ui"

test: check  ## the checks and the quick tests
	$(PYTEST) -m "not slow"

test-all: check  ## the checks and every test, slow ones too
	$(PYTEST)

fuzz: $(VENV)/.installed-dev  ## five minutes of forged patches, headers, manifests and recipes
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[fuzz]"
	mkdir -p build/fuzz && cd build/fuzz && ../../$(BIN)/python ../../benchmarks/fuzz_patch.py -max_total_time=300

check: $(VENV)/.installed-dev  ## lint, format, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

format: $(VENV)/.installed-dev  ## put the code into the house's form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove the environment, caches and builds (never patches or runs)
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are older than their reasons whenever dependencies change: then pip runs again.
$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -c constraints.txt -e ".[dev]"
	@touch $@ $(VENV)/.installed

$(VENV)/bin/python:
	@for python in python3 python3.11 python3.12 python3.13; do \
	  if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then exec $$python -m venv $(VENV); fi; \
	done; \
	echo "No Python 3.11 or newer with venv was found: install one (for example python3.12 and python3.12-venv), then run make again." >&2; \
	exit 1
