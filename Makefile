# Everything a person runs goes through here; `make` alone prints the targets.
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
ATES := $(BIN)/ates
# `make PYTHON=/path/to/python install` chooses another; 3.11, 3.12 and 3.13 will do.
PYTHON ?=
# One more than two cores: the tests that stop and start servers mostly wait.
TEST_WORKERS ?= 3
# Whatever the shell says: a program that starts again and again is compiled once.
unexport PYTHONDONTWRITEBYTECODE
# Compiled at once: the processes that start by the dozen would else compile Dagster each for itself.
UV_INSTALL := VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --compile-bytecode
UV_LOCK := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate

.PHONY: help install demo up down status test fuzz lint bench lock secrets clean

help: ## print the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

install: $(VENV)/.installed ## create .venv with the locked packages (once)

demo: install ## run the whole business on a real event log, then stay up until Ctrl-C
	@$(ATES) demo

up: install ## start every server and stay in the foreground until Ctrl-C
	@$(ATES) up

down: install ## stop what `make up` or `make demo` started
	@$(ATES) down

status: install ## one row a service
	@$(ATES) status

test: $(VENV)/.installed-dev ## run every test against real servers
	@$(BIN)/pytest -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder

fuzz: $(VENV)/.installed-dev ## send the API much more nonsense than `make test` does (an hour)
	@FUZZ_EXAMPLES=50 $(BIN)/pytest -q tests/ops_api/test_openapi_fuzz.py

lint: $(VENV)/.installed-dev ## formatting, style, types, import rules, contracts, API document
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(ATES) contracts check
	@$(ATES) openapi check

bench: $(VENV)/.installed-dev ## print the speed ratios of benchmarks/README.md
	@$(BIN)/python -m benchmarks

lock: $(VENV)/.uv ## resolve the dependencies anew
	@$(UV_LOCK) --no-strip-extras pyproject.toml -o requirements/runtime.lock
	@$(UV_LOCK) --no-strip-extras pyproject.toml --group dev -c requirements/runtime.lock \
		-o requirements/dev.lock
	@$(UV_LOCK) requirements/uv.in -o requirements/uv.lock

secrets: ## write the secret files that docker-compose.yml reads (once)
	@sh deploy/make-secrets.sh

clean: ## forget the virtual environment and all state
	@if [ -x $(ATES) ]; then $(ATES) down >/dev/null 2>&1 || true; fi
	@rm -rf $(VENV) .ates

# The first Python that really starts and is new enough; a name on the PATH may be a stub.
$(VENV)/.uv: requirements/uv.lock
	@for python in $(PYTHON) python3.11 python3.12 python3.13 python3 python; do \
		"$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
			>/dev/null 2>&1 || continue; \
		"$$python" -c 'import ensurepip, venv' >/dev/null 2>&1 || { \
			echo "$$python has no venv module (Debian and Ubuntu: apt install python3-venv)" >&2; \
			exit 1; }; \
		exec "$$python" -m venv $(VENV); \
	done; \
	echo "No Python 3.11, 3.12 or 3.13 found. Install one, or name it:" >&2; \
	echo "  make PYTHON=/path/to/python3.11 install" >&2; exit 1
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.lock
	@touch $@

$(VENV)/.installed: $(VENV)/.uv requirements/runtime.lock pyproject.toml
	@echo "installing the locked packages into $(VENV) (1.6 GB; minutes the first time)"
	@$(UV_INSTALL) --require-hashes -r requirements/runtime.lock
	@$(UV_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements/dev.lock
	@echo "installing the locked development packages into $(VENV)"
	@$(UV_INSTALL) --require-hashes -r requirements/dev.lock
	@touch $@
