# One command for each habit. Every target sets up what it needs by itself.

SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || echo python3)
VENV := .venv
BIN := $(VENV)/bin

# Install $(WHAT); of what pip says only the large packages are shown, with their sizes.
define install
@echo "installing $(WHAT) ($(if $(findstring gpu,$(WHAT)),several GB,2.8 GB in all), some minutes the first time)" >&2
@set -o pipefail; $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off \
	--constraint constraints.txt --editable '$(WHAT)' \
	| awk '/(Downloading|Using cached).*[0-9][0-9][.0-9]* [MG]B/ { \
	sub(".*/", "", $$(NF-2)); print "  " $$(NF-2), $$(NF-1), $$NF } \
	/^Installing collected/ { print "  unpacking " NF - 3 " packages"} { fflush() }' >&2
endef

# debian PACKAGE,FILES: where none of the files is there, install the package if root may; else
# the tests that need it are skipped and say so.
define debian
@ls $(2) 2>/dev/null | grep -q . || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	&& apt-get update -qq && apt-get install -y -qq --no-install-recommends $(1); } \
	|| echo "$(1) is missing: tests that need it are skipped"
endef

# Lines and branches that the suite reaches, with a floor; of parts of it nothing is measured. What
# runs in worker processes is not counted: they are ended by signals, which costs what they measured.
COVERED = $(if $(ARGS),,--cov --cov-report=)

# Whole files go to the workers of xdist, in the order that tests/conftest.py gives them.
FILES_AT_ONCE = --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: cv ui test test-long test-server test-browser test-clusters test-documents test-gpu lint docs results coverage bench bench-full bench-scale clean

cv: $(VENV)/.installed  ## Cross-validate the default: breast cancer, ten folds
	$(BIN)/python flows/cv.py $(ARGS)

ui: $(VENV)/.installed  ## A Prefect server with its UI, a worker and all deployments, until Ctrl-C
	$(BIN)/python deployments/ui.py $(PORT) $(if $(STUDY),--study '$(STUDY)')

test: $(VENV)/.tested lint  ## Run all tests but those of the next six, which it names at its end
	$(BIN)/python -m pytest $(FILES_AT_ONCE) $(COVERED) $(ARGS)
	$(if $(COVERED),@$(BIN)/python -m coverage report | sed -n '1p;$$p')

test-long: $(VENV)/.tested  ## What waits for many processes: faults, outages, audits, deployments
	$(BIN)/python -m pytest -m long $(FILES_AT_ONCE) $(ARGS)

test-server: $(VENV)/.served  ## A team's set-up for real: PostgreSQL, restarts, no network
	$(call debian,postgresql,/usr/lib/postgresql/*/bin/initdb)
	$(call debian,redis-server,/usr/bin/redis-server)
	$(call debian,strace,/usr/bin/strace)
	$(call debian,iproute2,/usr/sbin/ip /sbin/ip /usr/bin/ip)
	$(BIN)/python -m pytest -m server $(FILES_AT_ONCE) $(or $(ARGS),tests/system)

test-browser: $(VENV)/.tested  ## The Prefect UI in a real browser
	$(call debian,chromium,/usr/bin/chromium)
	$(BIN)/python -m pytest -m browser $(or $(ARGS),tests/system)

test-clusters: $(VENV)/.clustered  ## Run folds on real Dask and Ray clusters
	$(BIN)/python -m pytest -m clusters --numprocesses 2 --dist loadgroup $(or $(ARGS),tests/system)

test-documents: $(VENV)/.tested  ## Run all that docs/ shows, and compare what it prints
	$(BIN)/python -m pytest -m documents --numprocesses 2 $(or $(ARGS),tests/system)

test-gpu:  ## What needs a GPU; where there is none it says so
	@if nvidia-smi -L 2>/dev/null | grep -q '^GPU '; then \
	$(MAKE) --no-print-directory $(VENV)/.cuda && \
	$(BIN)/python -m pytest -m gpu $(or $(ARGS),tests/system); \
	else echo "no GPU here, so nothing of what needs one was tested"; fi

lint: $(VENV)/.tested  ## Check style, types, and that imports point one way
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports

results: $(VENV)/.tested  ## Renew the record of code that decides results, if six models give the same bits
	$(BIN)/python -m tests.results

docs: $(VENV)/.tested  ## Run all that README and docs/ show, and write the outputs anew
	$(BIN)/python -m tests.support.documents $(ARGS)

coverage: $(VENV)/.tested  ## Simulate how often intervals hold the true value, in half an hour
	$(BIN)/python -m tests.bench.interval_coverage $(ARGS)

bench: $(VENV)/.benched  ## Measure ours and what people use today, in less than ten minutes
	$(BIN)/python -m tests.bench $(ARGS)

bench-full: $(VENV)/.benched  ## The same with 1,000 folds, 1 GB of features, and 10 GB on disk
	$(BIN)/python -m tests.bench --full $(ARGS)

bench-scale: $(VENV)/.clustered  ## Count what 2,000 folds that train nothing cost
	$(BIN)/python -m tests.bench.scale $(ARGS)

clean:  ## Remove the environment and all caches; reports stay
	rm -rf $(VENV) build *.egg-info .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis .grimp_cache .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@version=$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null); \
	case "$$version" in 3.11|3.12|3.13) ;; \
	*) echo "make: Python 3.11, 3.12 or 3.13 is needed, found $${version:-none}; set PYTHON=/path/to/python3.11" >&2; exit 2;; esac; \
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	echo "make: Python's venv is missing; install it: apt-get install python$$version-venv" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: WHAT = .
$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(install)
	@touch $@

$(VENV)/.tested: WHAT = .[test]
$(VENV)/.tested: $(VENV)/.installed
	$(install)
	@touch $@

$(VENV)/.served: WHAT = .[test,store,team]
$(VENV)/.served: $(VENV)/.tested
	$(install)
	@touch $@

$(VENV)/.clustered: WHAT = .[test,dask,ray]
$(VENV)/.clustered: $(VENV)/.tested
	$(install)
	@touch $@

$(VENV)/.cuda: WHAT = .[test,gpu]
$(VENV)/.cuda: $(VENV)/.tested
	$(install)
	@touch $@

$(VENV)/.benched: WHAT = .[test,bench]
$(VENV)/.benched: $(VENV)/.installed
	$(install)
	@touch $@
