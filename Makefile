# Three commands do everything on a fresh machine: `make demo`, `make notebooks` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
URL    ?= duckdb://
LAB    ?=
PARTS  ?=
# uv, where it is there, installs in a quarter of the time of pip. On a terminal both show what they download.
UV     ?= $(shell command -v uv)
QUIET  := $(shell [ -t 2 ] || echo --quiet)
ifeq ($(UV),)
# Python compiles what it imports: compiling all that is installed takes a third of the time of an installation.
PIP    := $(BIN)/pip install $(QUIET) --disable-pip-version-check --no-compile
else
PIP    := $(UV) pip install $(QUIET) --python $(BIN)/python
endif

.PHONY: demo notebooks lab man test check campaign benchmark clean

demo: $(VENV)/installed
	$(BIN)/meetup2025 demo

notebooks: $(VENV)/noted
	$(BIN)/python notebooks/run.py --url "$(URL)"

lab: $(VENV)/noted
	$(BIN)/jupyter lab $(LAB) notebooks

# A page of the manual for each command, into build/man.
man: $(VENV)/installed
	$(PIP) --upgrade "pip>=25.1"
	$(PIP) --group man
	$(BIN)/python scripts/write_manual.py

# FAST=1 runs the tests on one engine, without those that start a process, compile, or need a browser or torch.
test: $(VENV)/tested check
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist worksteal $(if $(FAST),--fast)

check: $(VENV)/tested
	$(BIN)/ruff check
	$(BIN)/mypy

# Attacks that are no part of the tests: twenty minutes, or some parts of them, PARTS="pictures sql".
campaign: $(VENV)/tested
	$(BIN)/python tests/campaign $(PARTS)

benchmark: $(VENV)/tested
	$(BIN)/python -m benchmarks

# The stamps are made last, so that an interrupted installation starts again.
$(VENV)/installed: pyproject.toml
	@echo "Downloading 0.2 GB of libraries for $(VENV), which takes 0.7 GB of disk." >&2
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	touch $@

$(VENV)/tested: $(VENV)/installed
	$(PIP) --upgrade "pip>=25.1"
	$(PIP) --group dev --group clip
	touch $@

$(VENV)/noted: $(VENV)/installed
	$(PIP) --upgrade "pip>=25.1"
	$(PIP) --group notebooks
	touch $@

clean:
	rm -rf $(VENV) build .mypy_cache .pytest_cache .ruff_cache
