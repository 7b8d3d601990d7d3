# Every target sets up what it needs. A bare machine needs python3 >= 3.11, make, and package registries.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DATA ?= .data
PORT ?= 8080

.PHONY: help setup run demo test test-fast test-wan check fmt clients hostile bench sheets clean

help:
	@echo "make run     start the server on 127.0.0.1:$(PORT)"
	@echo "make demo    send every dialect's own example to a private server and check the MP4s"
	@echo "make test    run the tests"
	@echo "make test-wan the engine for open weights, in an environment with torch of its own"
	@echo "make check   format, lint, types, import layers, dead dependencies, spelling"
	@echo "make hostile the bad inputs: REQUESTS=10000 SEED=any"
	@echo "make bench   the figures of docs/performance.md"
	@echo "make sheets  draw the contact sheets of docs/pictures again"

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt src/kinogate/__init__.py
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Kinogate needs Python 3.11 or newer; try make PYTHON=python3.11"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e . --group dev
	@touch $(STAMP)

run: $(STAMP)
	$(BIN)/kinogate serve --host 127.0.0.1 --port $(PORT) --data-dir $(DATA) --simulate

demo: $(STAMP)
	$(BIN)/kinogate demo --out out

# The vendors' own SDKs, each in a folder of its own: their versions exclude each other.
clients: $(STAMP)
	@$(BIN)/python tools/clients.py

test: $(STAMP) clients
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup

test-fast: $(STAMP)
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup -m "not acceptance"

# Tiny random weights on torch's CPU build: no GPU, no weights, no network. Elsewhere PyPI's torch
# brings CUDA along; TORCH_INDEX=https://download.pytorch.org/whl/cpu takes the small one.
VENV_WAN := .venv-wan
BIN_WAN := $(VENV_WAN)/bin
STAMP_WAN := $(VENV_WAN)/.installed
TORCH := torch==2.13.0
TORCH_INDEX ?=
PIP_WAN := $(BIN_WAN)/python -m pip install --quiet --disable-pip-version-check

test-wan: $(STAMP_WAN)
	$(BIN_WAN)/python -m pytest -q -n 2 tests/wan

$(STAMP_WAN): pyproject.toml constraints.txt src/kinogate/__init__.py
	@test -x $(BIN_WAN)/python || $(PYTHON) -m venv $(VENV_WAN)
	$(PIP_WAN) --upgrade 'pip>=25.1'
	$(PIP_WAN) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) '$(TORCH)'
	$(PIP_WAN) -c constraints.txt '$(TORCH)' -e '.[wan]' --group wan-test
	@touch $(STAMP_WAN)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell src tests docs tools bench examples README.md CONTRIBUTING.md CHANGELOG.md SECURITY.md
	$(BIN)/lint-imports
	$(BIN)/deptry src
	$(BIN)/mypy
	$(BIN)/python tools/house_rules.py

fmt: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Bad requests against a real server, then schemathesis on the native API; the same seed again
# sends the same. Not a part of `make test`.
REQUESTS ?= 10000
SEED ?=
HOSTILE_STAMP := $(VENV)/.hostile

hostile: $(HOSTILE_STAMP)
	$(BIN)/python tests/hostile --requests $(REQUESTS) $(if $(SEED),--seed $(SEED))
	$(BIN)/python tests/hostile/schema.py $(if $(SEED),--seed $(SEED))

$(HOSTILE_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --group hostile
	@touch $(HOSTILE_STAMP)

bench: $(STAMP)
	$(BIN)/python bench/startup.py
	$(BIN)/python bench/latency.py
	$(BIN)/python bench/render.py
	$(BIN)/python bench/render.py --memory
	$(BIN)/python bench/gateway.py
	$(BIN)/python bench/utilisation.py

sheets: $(STAMP)
	$(BIN)/python tools/contact_sheet.py t2v --out docs/pictures/preview-t2v.jpg
	$(BIN)/python tools/contact_sheet_i2v.py

clean:
	rm -rf $(VENV) $(VENV_WAN) .clients out .data .mypy_cache .ruff_cache .pytest_cache
