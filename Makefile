# What a person or CI does with this project. Needs Python 3.11+ and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup run test check fmt screenshots schema lock kill-test prove-delivery bench bench-scores bench-matching

help:
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /	/'

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Fairway needs Python 3.11 or later: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing packages; this happens once …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $(READY)

$(READY).dev: $(READY) requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $(READY).dev

setup: $(READY).dev ## environment and packages, tools included

run: $(READY) ## the whole of Fairway on this machine; Ctrl-C ends it
	@$(BIN)/python manage.py up

test: setup ## the whole suite, on servers of its own
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

kill-test: setup ## workers killed twenty times under every fault, three seeds; takes minutes
	$(BIN)/python -m pytest tests/campaigns/test_kills.py

prove-delivery: setup ## broker and database lost or put back, people leaving, pauses and waits in the middle of runs
	$(BIN)/python -m pytest tests/campaigns/test_proofs.py tests/campaigns/test_crowds.py tests/campaigns/test_backups.py

check: setup ## format, lint, types, import contracts, deployment, migrations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	HTTPS=true $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run

fmt: setup ## format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

screenshots: setup ## photograph the screens of a running stack into docs/screenshots/
	$(BIN)/python manage.py take_screenshots

schema: setup ## write docs/openapi.yaml anew, after a change of the API
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

lock: setup ## pin what pyproject.toml asks for
	$(BIN)/uv pip compile --quiet --no-header --python-version 3.11 pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --no-header --python-version 3.11 --group dev -c requirements.txt -o requirements-dev.txt

bench-scores: $(READY) ## how well predicted value does on CDNOW; SCORES_SCALE=1 also scores a million customers
	@DATA_DIR=$${BENCH_DATA_DIR:-.data/bench} $(BIN)/python manage.py bench_scores --scale $(or $(SCORES_SCALE),0)

SCALE ?= 1
PROFILES ?= 1000000
bench: $(READY) ## speed beside hand-written SQL, with data of its own; SCALE=0.1 is quicker
	@DATA_DIR=$${BENCH_DATA_DIR:-.data/bench} $(BIN)/python manage.py bench --scale $(SCALE)

bench-matching: setup ## quality, time and memory of the scan for duplicates; PROFILES=100000 is quicker
	@$(BIN)/python manage.py bench_matching --profiles $(PROFILES)
