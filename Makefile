# Everything a person or a build does with Assay. `make help` lists it.
# No target needs anything but make, a POSIX shell and a Python >= 3.12, which .ci/find-python looks for.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input install --quiet --require-hashes
ARGS ?=
PYTEST_ARGS ?= -n 2 --dist loadfile -q
FUZZ_EXAMPLES ?= 6000
UV ?= uv
.DEFAULT_GOAL := help
.PHONY: docs help install run demo test check format bench bench-smoke screenshots chaos fuzz fuzz-guided soak wheel lock clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

# Stamps: a step is repeated only when the file that it installs from is newer than the last time.
$(VENV)/.made: .ci/find-python
	@python=$$(.ci/find-python) || exit 1; \
	 echo "Making $(VENV) with $$python ($$($$python -V))"; \
	 $$python -m venv --clear $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.made requirements.lock
	@echo "Installing what Assay needs (requirements.lock)"
	@$(PIP) -r requirements.lock
	@touch $@

$(VENV)/.dev: $(VENV)/.made requirements-dev.lock
	@echo "Installing what its tests and checks need (requirements-dev.lock)"
	@$(PIP) -r requirements-dev.lock
	@touch $(VENV)/.runtime $@

$(VENV)/.fuzz: $(VENV)/.dev requirements-fuzz.lock
	@echo "Installing what leads a search (requirements-fuzz.lock)"
	@$(PIP) -r requirements-fuzz.lock
	@touch $@

$(VENV)/.project: $(VENV)/.made requirements-build.lock pyproject.toml
	@$(PIP) -r requirements-build.lock
	@$(BIN)/python -m pip --disable-pip-version-check --no-input install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

install: $(VENV)/.runtime $(VENV)/.project $(VENV)/.project ## make .venv and install Assay into it (.venv/bin/assay)
	@echo "Installed: $(BIN)/assay"

run: $(VENV)/.runtime $(VENV)/.project ## start the proxy and the dashboard (ARGS="..." passes options)
	@$(BIN)/assay $(ARGS)

demo: $(VENV)/.runtime $(VENV)/.project ## live traffic within seconds, offline: an API stand-in and scripted clients
	@$(BIN)/assay demo $(ARGS)

test: $(VENV)/.dev $(VENV)/.project ## run all tests (PYTEST_ARGS="..." replaces the options)
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

check: $(VENV)/.dev $(VENV)/.project ## formatting, lint, types, import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.dev ## rewrite the code as `make check` wants it
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/.dev $(VENV)/.project ## measure speed in full
	@$(BIN)/python -m benchmarks $(ARGS)

bench-smoke: $(VENV)/.dev $(VENV)/.project ## measure speed in a minute
	@$(BIN)/python -m benchmarks --smoke $(ARGS)

screenshots: $(VENV)/.dev $(VENV)/.project ## draw screenshots/*.svg anew from a fixture database
	@$(BIN)/python screenshots/render.py $(ARGS)

docs: $(VENV)/.dev $(VENV)/.project ## write help and settings into docs/*.md anew
	@$(BIN)/python docs/render.py

chaos: $(VENV)/.dev $(VENV)/.project ## kill, cut and starve the proxy under load
	@$(BIN)/python -m benchmarks.chaos $(ARGS)

fuzz: $(VENV)/.dev $(VENV)/.project ## search longer for inputs that break a parser
	@FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/python -m pytest -m fuzz $(PYTEST_ARGS) tests/fuzz

fuzz-guided: $(VENV)/.fuzz $(VENV)/.project ## the same, led by the lines of ours that an input reaches (Linux)
	@$(BIN)/python -m tests.fuzz.guided $(ARGS)

soak: $(VENV)/.dev $(VENV)/.project ## run under load for long and watch memory
	@$(BIN)/python -m benchmarks.soak $(ARGS)

wheel: $(VENV)/.project ## build dist/*.whl
	@$(BIN)/python -m pip --disable-pip-version-check wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

# Made with https://docs.astral.sh/uv (UV=/path/to/uv); the product itself does not need it.
lock: ## renew the locks from pyproject.toml
	$(UV) pip compile pyproject.toml --extra serve --universal --python-version 3.12 --generate-hashes --no-header --no-annotate -o requirements.lock
	$(UV) pip compile pyproject.toml --extra serve --group dev --universal --python-version 3.12 --generate-hashes --no-header --no-annotate -o requirements-dev.lock
	printf 'atheris>=3.1; sys_platform == "linux"\n' | $(UV) pip compile - --universal --python-version 3.12 --generate-hashes --no-header --no-annotate -o requirements-fuzz.lock
	printf 'hatchling>=1.27\neditables>=0.5\n' | $(UV) pip compile - --universal --python-version 3.12 --generate-hashes --no-header --no-annotate -o requirements-build.lock

clean: ## remove .venv and everything that was built
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
