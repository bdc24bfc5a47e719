# What a person wants from this project, one word each. `make` alone lists it.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
DEMO_OUT ?= demo-out
REAL_DATA ?= $(FAIRAGE_REAL_DATA)

.PHONY: help demo test fuzz lint types bench coverage docs results bare format clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[all]" --group dev
	@touch $@

demo: $(STAMP)  ## the whole way on synthetic faces, offline
	$(BIN)/fairage demo --out $(DEMO_OUT)

test: $(STAMP)  ## the whole test suite
	$(BIN)/python -m pytest -n 2 --dist worksteal -q

fuzz: $(STAMP)  ## 20,000 damaged files, every command killed at each file operation, 2,000 audits read back
	FAIRAGE_FUZZ=1 $(BIN)/python -m pytest -n 2 --dist worksteal -q -rP --timeout 3600 tests/fuzz tests/kills \
		tests/reports/test_consistency.py

lint: $(STAMP)  ## style and spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell src tests docs benchmarks scripts *.md

types: $(STAMP)  ## static types, strict
	$(BIN)/mypy

bench: $(STAMP)  ## measure the speed limits that docs/results/speed.md tells of
	$(BIN)/python benchmarks/synthesize.py
	$(BIN)/python benchmarks/embed.py
	$(BIN)/python benchmarks/audit.py
	$(BIN)/python benchmarks/predict.py

coverage: $(STAMP)  ## what the intervals and verdicts of the audit hold, an hour
	$(BIN)/python benchmarks/coverage.py --json coverage.json --out docs/results/coverage.md

docs: $(STAMP)  ## the documentation site, in site/
	$(BIN)/mkdocs build --quiet --strict

bare: $(STAMP)  ## a bare installation audits a table, with the newest and with the lowest versions
	PYTHON=$(PYTHON) scripts/check_install.sh newest
	PYTHON=$(PYTHON) scripts/check_install.sh lowest
	scripts/check_lowest.sh

results: $(STAMP)  ## the tables of docs/results, from the data in REAL_DATA (or FAIRAGE_REAL_DATA)
	scripts/results.sh "$(REAL_DATA)"

format: $(STAMP)  ## rewrite the code in the house format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove what the other targets made
	rm -rf .venv $(DEMO_OUT) site .pytest_cache .mypy_cache .ruff_cache
