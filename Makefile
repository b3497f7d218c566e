# One command for each habit. Every target sets up what it needs by itself.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# debian PACKAGE,FILES: where none of the files is there, install the package if root may; else
# the tests that need it are skipped and say so.
define debian
@ls $(2) 2>/dev/null | grep -q . || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	&& apt-get update -qq && apt-get install -y -qq --no-install-recommends $(1); } \
	|| echo "$(1) is missing: tests that need it are skipped"
endef

.PHONY: cv ui test test-long test-server test-browser test-clusters lint bench bench-full bench-scale clean

cv: $(VENV)/.installed  ## Cross-validate the default: breast cancer, ten folds
	$(BIN)/python flows/cv.py $(ARGS)

ui: $(VENV)/.installed  ## A Prefect server with its UI, a worker and all deployments, until Ctrl-C
	$(BIN)/python deployments/ui.py $(PORT)

test: $(VENV)/.tested lint  ## Run the whole suite
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(ARGS)

test-long: $(VENV)/.tested  ## What waits for many processes: faults, outages, audits, deployments
	$(BIN)/python -m pytest -m long --numprocesses 2 --dist loadfile $(ARGS)

test-server: $(VENV)/.served  ## A team's set-up for real: PostgreSQL, restarts, no network
	$(call debian,postgresql,/usr/lib/postgresql/*/bin/initdb)
	$(call debian,redis-server,/usr/bin/redis-server)
	$(call debian,strace,/usr/bin/strace)
	$(call debian,iproute2,/usr/sbin/ip /sbin/ip /usr/bin/ip)
	$(BIN)/python -m pytest -m server $(ARGS)

test-browser: $(VENV)/.tested  ## The Prefect UI in a real browser
	$(call debian,chromium,/usr/bin/chromium)
	$(BIN)/python -m pytest -m browser $(ARGS)

test-clusters: $(VENV)/.clustered  ## Run folds on real Dask and Ray clusters
	$(BIN)/python -m pytest -m clusters $(ARGS)

lint: $(VENV)/.tested  ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.benched  ## Measure ours and what people use today, in less than ten minutes
	$(BIN)/python -m tests.bench $(ARGS)

bench-full: $(VENV)/.benched  ## The same with 1,000 folds and 1 GB of features
	$(BIN)/python -m tests.bench --full $(ARGS)

bench-scale: $(VENV)/.clustered  ## Count what 2,000 folds that train nothing cost
	$(BIN)/python -m tests.bench.scale $(ARGS)

clean:  ## Remove the environment and all caches; reports stay
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) --editable .
	touch $@

$(VENV)/.tested: $(VENV)/.installed
	$(INSTALL) --editable '.[test]'
	touch $@

$(VENV)/.served: $(VENV)/.tested
	$(INSTALL) --editable '.[test,store,team]'
	touch $@

$(VENV)/.clustered: $(VENV)/.tested
	$(INSTALL) --editable '.[test,dask,ray]'
	touch $@

$(VENV)/.benched: $(VENV)/.installed
	$(INSTALL) --editable '.[test,bench]'
	touch $@
