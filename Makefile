# Two commands for newcomers:  make demo   and   make test.
# Each makes .venv first (Python 3.11 or newer, with torch and the development tools), through constraints.txt.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

.PHONY: help demo test test-all lint types generated bench clean
.DEFAULT_GOAL := help

help:
	@echo "make demo      compare six agents on five environments and write a report (about 5 minutes)"
	@echo "make test      ruff, mypy and the fast tests (about 7 minutes)"
	@echo "make test-all  the same with every slow proof"
	@echo "make generated what is derived from the registered ids, after a new one"
	@echo "make bench     speed against peers"

demo: $(READY)
	@echo "==> bellglass demo: six agents, five environments, five seeds; a second call only does what is missing"
	@$(BIN)/bellglass demo

test: lint types
	@echo "==> pytest: the fast tests and the examples in the docstrings"
	@$(BIN)/python -m pytest -q

test-all: lint types
	@echo "==> pytest: everything, the slow proofs included"
	@$(BIN)/python -m pytest -q -m ""

lint: $(READY)
	@echo "==> ruff check, ruff format --check"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(READY)
	@echo "==> mypy --strict"
	@$(BIN)/mypy

generated: $(READY)
	@echo "==> what is derived from the registered ids: thresholds, the page of environments and its picture"
	@$(BIN)/python -m bellglass.experiments.thresholds
	@$(BIN)/python docs/environments_page.py
	@$(BIN)/python examples/contact_sheet.py

bench: $(READY)
	@for file in $$(grep -l __main__ benchmarks/*.py); do echo "==> $$file"; $(BIN)/python $$file || exit 1; done

# The stamp is newer than both files once everything they ask for is installed.  MiniGrid asks for pygame, in whose
# folder pygame-ce lies already: without its dependencies.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "bellglass needs Python 3.11 or newer; say make PYTHON=/path/to/python3.11"; exit 2; }
	@echo "==> making .venv and installing bellglass with the extras deep and dev (one to three minutes, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[deep,dev]'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps minigrid
	@touch $@

clean:
	rm -rf .venv build dist bellglass.egg-info .mypy_cache .pytest_cache .ruff_cache
