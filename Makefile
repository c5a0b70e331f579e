# make demo   segment the built-in photo into demo/, build the page that `bodypix serve` serves
# make test   lint, types and every test, also those of the page, in Chromium
# make web    the page alone
# The first two make .venv themselves. PYTHON=python3.12 picks another interpreter, VENV=path another
# folder. The page is built with Node and npm.

PYTHON ?= python3
VENV ?= .venv
# The release that training is tested with; a version that pip can find as a CPU build is enough.
TORCH ?= torch==2.13.0

BIN := $(VENV)/bin

PAGE := src/bodypix/serve/page/index.html
PAGE_SOURCES := $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/dist/*') \
	$(wildcard src/bodypix/weights/*) tools/web.sh

.PHONY: demo test lint types web web-test browser unit api clean

demo: $(VENV)/.base
	$(BIN)/bodypix demo --output demo
	@$(MAKE) --no-print-directory web
	@echo "bodypix: see it live: $(BIN)/bodypix serve"

test: lint types web-test browser unit

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

web: $(PAGE)

$(PAGE): $(PAGE_SOURCES)
	@sh tools/web.sh
	@touch $@

web-test: web $(VENV)/.dev
	@cd web && npm run --silent types && PYTHON="$(abspath $(BIN))/python" npm test --silent

browser:
	@sh tools/browser.sh >/dev/null

unit: $(VENV)/.dev
	$(BIN)/python -m pytest $(PYTEST_ARGS)

# Accept the public API as it is now (then review the diff of tests/public_api.txt).
api: $(VENV)/.dev
	$(BIN)/python tests/test_public_api.py

$(VENV)/.base: pyproject.toml tools/environment.sh
	@PYTHON="$(PYTHON)" sh tools/environment.sh "$(VENV)" -e ".[serve]"
	@touch $@

$(VENV)/.dev: pyproject.toml tools/environment.sh
	@PYTHON="$(PYTHON)" sh tools/environment.sh "$(VENV)" "$(TORCH)" -e ".[dev,train,synthetic]"
	@touch $(VENV)/.base $@

clean:
	rm -rf "$(VENV)" build dist .mypy_cache .pytest_cache .ruff_cache
	rm -rf web/node_modules web/dist src/bodypix/serve/page
