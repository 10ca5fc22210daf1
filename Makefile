# make demo   installs into .venv and runs the example      make test   runs the tests
# Another interpreter: make demo PYTHON=/path/to/python3.12   (3.11 or newer)

.DEFAULT_GOAL := help
.PHONY: help demo test test-all test-matrix docs gallery replays validate bench bench-costs bench-large profile lint format clean

NEWEST_FIRST = python3.13 python3.12 python3.11 python3 python
PYTHON ?= $(shell for p in $(NEWEST_FIRST); do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
PIP = -m pip --disable-pip-version-check
# The data that some tests compare the model with lie beside a checkout, where they are there at all.
export CHURNSIM_DATA ?= $(abspath $(wildcard ../shared/data))
# Tests run in as many processes as there are cores; each stays on one thread.
WORKERS ?= auto

help:
	@sed -n '1,2s/^# //p' Makefile
	@echo "also: make test-all (slow tests too), test-matrix (two Pythons, two Mesas), docs, gallery, replays,"
	@echo "      validate, bench, bench-costs, bench-large, profile, lint, format, clean"

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer found. Install one from python.org or your package manager,"; \
		echo "or name it: make demo PYTHON=/path/to/python3.12"; exit 1; }
	@echo "Creating .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "That Python cannot create virtual environments. On Debian or Ubuntu: apt install python3-venv"; exit 1; }

.venv/installed: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing churnsim and what it needs into .venv (the first time takes a minute or two)"
	@.venv/bin/python $(PIP) install --quiet -e . -c constraints.txt
	@touch $@

.venv/installed-dev: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing churnsim and its test tools into .venv (the first time takes a minute or two)"
	@.venv/bin/python $(PIP) install --quiet -e '.[dev]' -c constraints.txt
	@touch .venv/installed $@

.venv/installed-bench: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing churnsim and the peers it is measured against into .venv"
	@.venv/bin/python $(PIP) install --quiet -e '.[bench]' -c constraints.txt
	@touch .venv/installed $@

demo: .venv/installed
	@.venv/bin/churnsim run two_hotels --seeds 20

test: .venv/installed-dev
	.venv/bin/python -m pytest -n $(WORKERS) -m "not slow"

test-all: .venv/installed-dev
	.venv/bin/python -m pytest -n $(WORKERS)

# Python 3.11 with the oldest Mesa that is supported, and the newest Python with the newest.
test-matrix: .venv-3.11/installed-dev .venv-3.12/installed-dev
	.venv-3.11/bin/python -m pytest -n $(WORKERS) -m "not slow"
	.venv-3.12/bin/python -m pytest -n $(WORKERS) -m "not slow"

.venv-3.11/bin/python: CANDIDATES = python3.11
.venv-3.12/bin/python: CANDIDATES = python3.13 python3.12
.venv-3.11/bin/python .venv-3.12/bin/python:
	@for p in $(CANDIDATES) $$(for q in $(CANDIDATES); do ls -d "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/"$${q#python}".*/bin/python; done 2>/dev/null); do \
		"$$p" -c 'import venv' 2>/dev/null || continue; \
		echo "Creating $(@D:/bin=) with $$("$$p" --version)"; exec "$$p" -m venv $(@D:/bin=); done; \
	echo "No interpreter found for $(@D:/bin=): needs one of $(CANDIDATES), on PATH or under pyenv"; exit 1

.venv-3.11/installed-dev .venv-3.12/installed-dev: .venv-%/installed-dev: pyproject.toml constraints.txt | .venv-%/bin/python
	@echo "Installing churnsim and its test tools into $(@D)"
	@$(@D)/bin/python $(PIP) install --quiet -e '.[dev]' -c constraints.txt
	@touch $@

# The pages that are made from the code.
docs: .venv/installed
	@.venv/bin/python -m churnsim.concepts_page docs/concepts.md
	@.venv/bin/python -m benchmarks.costs --page
	@.venv/bin/python -m churnsim.pages docs

# Every published figure on its preset, and the index of exact limits; writes docs/validation.md in some minutes.
# One figure alone, printed: make validate ONLY="V9 V11"
validate: .venv/installed-dev
	@.venv/bin/python -m benchmarks.targets.page $(ONLY)

# Every figure in both languages, from real runs; a few minutes.
gallery: .venv/installed
	@.venv/bin/python -m churnsim.gallery_page docs/gallery.md

# One page per lesson that opens without server or network, for the first five lessons.
REPLAYED = churn_rate.case why_they_leave.case two_hotels.case etons_dilemma.raise leaky_bucket.case
replays: .venv/installed
	@mkdir -p docs/replays
	@for one in $(REPLAYED); do .venv/bin/churnsim replay lesson:$${one%.*} --arm $${one#*.} --lang en \
		-o docs/replays/$${one%.*}.html || exit 1; done

# What a customer-tick costs, against peers in one interleaved run of some ten minutes; writes benchmarks/latest.json
# and docs/figures/cost_curves.png. Sooner and rougher: make bench QUICK=1
bench: .venv/installed-bench
	@.venv/bin/python -m benchmarks.bench $(if $(QUICK),--quick)

# What each mechanism of dealings adds while it is on, some minutes; writes benchmarks/costs.json and docs/costs.md.
bench-costs: .venv/installed-bench
	@.venv/bin/python -m benchmarks.costs $(if $(QUICK),--quick)

# Ten million customers, two firms, 120 ticks: time and peak memory; writes benchmarks/large.json.
bench-large: .venv/installed
	@.venv/bin/python -m benchmarks.large

# One tick by phase: make profile CUSTOMERS=1000000 FIRMS=4 THREADS=2
profile: .venv/installed
	@.venv/bin/python -m benchmarks.phases $(if $(CUSTOMERS),--customers $(CUSTOMERS)) $(if $(FIRMS),--firms $(FIRMS)) \
		$(if $(THREADS),--threads $(THREADS))

lint: .venv/installed-dev
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m mypy

format: .venv/installed-dev
	.venv/bin/python -m ruff check --fix .
	.venv/bin/python -m ruff format .

clean:
	rm -rf .venv .venv-3.11 .venv-3.12 .pytest_cache .ruff_cache .mypy_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
