# make demo   segment the built-in photo; the pictures land in demo/
# make test   lint, types and every test
# Both make .venv themselves. PYTHON=python3.12 picks another interpreter, VENV=path another folder.

PYTHON ?= python3
VENV ?= .venv
# The release that training is tested with; a version that pip can find as a CPU build is enough.
TORCH ?= torch==2.13.0

BIN := $(VENV)/bin

.PHONY: demo test lint types unit api clean

demo: $(VENV)/.base
	$(BIN)/bodypix demo --output demo

test: lint types unit

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

unit: $(VENV)/.dev
	$(BIN)/python -m pytest $(PYTEST_ARGS)

# Accept the public API as it is now (then review the diff of tests/public_api.txt).
api: $(VENV)/.dev
	$(BIN)/python tests/test_public_api.py

$(VENV)/.base: pyproject.toml tools/environment.sh
	@PYTHON="$(PYTHON)" sh tools/environment.sh "$(VENV)" -e .
	@touch $@

$(VENV)/.dev: pyproject.toml tools/environment.sh
	@PYTHON="$(PYTHON)" sh tools/environment.sh "$(VENV)" "$(TORCH)" -e ".[dev,train]"
	@touch $(VENV)/.base $@

clean:
	rm -rf "$(VENV)" build dist .mypy_cache .pytest_cache .ruff_cache
