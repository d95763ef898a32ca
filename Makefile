# Every target installs what it needs first, and is quick when nothing changed.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TOOLS := $(VENV)/.tools-installed
BUILT := $(VENV)/.isthmus-built
RUST_SOURCES := $(shell find rust -name '*.rs' -not -path '*/target/*' 2>/dev/null) $(wildcard Cargo.* rust/*/Cargo.toml)
# One more than there are cores: the tests with real peers mostly wait.
PYTEST_WORKERS ?= $(shell expr $$(nproc) + 1)
SEEDS ?= 500

.PHONY: help build demo check test test-rust test-python sweep bench bench-publish bench-flame bench-tunnel clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | column -t -s '|'

build: $(BUILT) ## the gateway, ready as .venv/bin/isthmus

demo: $(BUILT) ## two sites on this machine, a tunnel between them, and proof that it hides the traffic (root)
	@$(BIN)/isthmus demo

check: $(BUILT) ## formats, lints, types, layers, size budget
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/budget.py
	cargo fmt --all --check
	cargo clippy --quiet --release --all-targets --locked -- -D warnings

test: check test-rust test-python ## the checks, then the Rust, Python, simulation and interop tests

test-rust: $(BUILT)
	cargo test --quiet --release --locked

test-python: $(BUILT)
	tools/test-packages
	$(BIN)/pytest -n $(PYTEST_WORKERS) --dist worksteal

sweep: $(BUILT) ## the simulation at large: every scenario, and each short one by 500 seeds (ten minutes; less: SEEDS=50)
	@$(BIN)/isthmus sim --all --seeds $(SEEDS)

bench: $(BUILT) ## speed beside wireguard-go, strongSwan and the bare wire; packets, set-ups, scale (root; twenty minutes)
	@$(BIN)/python -m bench --output bench/results $(BENCH)
	@$(BIN)/python -m bench.packets --output bench/results
	@$(BIN)/python -m bench.setups --count 200 --rounds 1 --output bench/results
	@$(BIN)/python -m bench.scale --output bench/results
	@$(BIN)/python -m bench.simulated_scale --minutes 5 --output bench/results

bench-publish: $(BUILT) ## what the last bench measured, into README and docs/bench
	@$(BIN)/python -m bench.publish

bench-flame: $(BUILT) ## where the time of both gateways goes under load, as flame graphs (root, with linux-perf)
	@$(BIN)/python -m bench.flame --output bench/results

bench-tunnel: $(BUILT) ## what one tunnel costs on this machine (root)
	@$(BIN)/python bench/tunnel.py

clean: ## what the other targets made, except the virtual environment
	rm -rf target .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache $(BUILT)
	rm -f src/isthmus/_esp*.so

$(TOOLS): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Isthmus needs Python 3.11 or later: make PYTHON=/path/to/python3 build" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	    { echo "Python's venv is missing: apt-get install python3-venv" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	touch $@

$(BUILT): $(TOOLS) pyproject.toml $(RUST_SOURCES)
	@command -v cargo >/dev/null || \
	    { echo "Rust is missing: install it as https://rustup.rs says (or: apt-get install cargo), then run make again" >&2; exit 1; }
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    --no-deps --no-build-isolation --editable .
	touch $@
