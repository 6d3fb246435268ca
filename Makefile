# make demo: set up a fresh machine and run the main job.   make test: set up and run the checks.
# make test-all: the long ones as well, as continuous integration does.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-all lint format benchmark clean

demo: .venv/ready
	$(BIN)/otgan check mnist:3 mnist:8

test: lint .venv/warm
	$(BIN)/pytest -n 2 -m "not long"

test-all: lint .venv/warm
	$(BIN)/pytest -n 2

lint: .venv/ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/pyright --pythonpath $(BIN)/python

format: .venv/ready
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

benchmark: .venv/ready
	$(BIN)/python benchmarks/import_time.py
	$(BIN)/python benchmarks/line.py

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

# Kernels, compiled once on all cores: processes that test would compile the same ones each.
.venv/warm: .venv/ready $(wildcard otgan/kernels/*.py)
	$(BIN)/otgan warmup
	touch $@

clean:
	rm -rf .venv build dist .pytest_cache .ruff_cache .import_linter_cache
