# Everything a person runs goes through here; `make` alone prints the targets.
.DEFAULT_GOAL := help
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
ATES := $(BIN)/ates

.PHONY: help install demo up down status test lint bench lock clean

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
	@$(BIN)/pytest

lint: $(VENV)/.installed-dev ## formatting, style, types, import rules, contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(ATES) contracts check

bench: $(VENV)/.installed-dev ## print the speed ratios of benchmarks/README.md
	@$(BIN)/python -m benchmarks

lock: $(VENV)/.uv ## resolve the dependencies anew
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-strip-extras --no-annotate pyproject.toml -o requirements/runtime.lock
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-strip-extras --no-annotate pyproject.toml --group dev -c requirements/runtime.lock \
		-o requirements/dev.lock
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate requirements/uv.in -o requirements/uv.lock

clean: ## forget the virtual environment and all state
	@if [ -x $(ATES) ]; then $(ATES) down >/dev/null 2>&1 || true; fi
	@rm -rf $(VENV) .ates

$(VENV)/.uv: requirements/uv.lock
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.lock
	@touch $@

$(VENV)/.installed: $(VENV)/.uv requirements/runtime.lock pyproject.toml
	@echo "installing the locked packages into $(VENV)"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --require-hashes -r requirements/runtime.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements/dev.lock
	@echo "installing the locked development packages into $(VENV)"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --require-hashes -r requirements/dev.lock
	@touch $@
