# Two commands on a fresh machine: `make serve` and `make test`. `make` alone lists the rest.
PYTHON ?= python3
ARGS ?=
TORCH ?=
# Processes that share the tests; 0 runs them all in one.
TEST_JOBS ?= 2
DATA := $(or $(SWITCHYARD_DATA_DIR),.switchyard)
BIN := .venv/bin
INSTALL := PYTHON="$(PYTHON)" scripts/install.sh

# No model hub and no telemetry, whatever the shell says.
export HF_HUB_OFFLINE := 1
export ORT_DISABLE_TELEMETRY := 1
export LANGSMITH_TRACING := false
export LANGGRAPH_STRICT_MSGPACK := true
export LANGGRAPH_CLI_NO_ANALYTICS := 1
export LANGGRAPH_NO_VERSION_CHECK := true

# Bytecode is written on first import (scripts/install.sh); without it every start compiles all libraries again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help serve test lint finetune adapter bench crash reliability eval studio phoenix docs lock audit sbom clean
.SILENT:
.DEFAULT_GOAL := help

help: ## print this list
	grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-11s %s\n", $$1, $$2}'

serve: .venv/.base ## install what is needed, index the samples on first start, serve on port 8000 (ARGS="--port 8001")
	exec $(BIN)/switchyard serve $(ARGS)

test: .venv/.dev .venv/.finetune .venv-studio/.studio tests/js/node_modules ## install everything, run all tests, print the coverage (at least 80%)
	$(BIN)/python -m pytest -n $(TEST_JOBS) --dist loadfile --no-loadscope-reorder --cov --cov-report=term --cov-fail-under=80 $(ARGS)

lint: .venv/.dev .venv/.finetune ## ruff, formatting, pyright (strict), directions of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

finetune: .venv/.finetune ## install what trains adapters (TORCH=-cuda takes the build for NVIDIA GPUs), show the commands
	$(BIN)/python -m finetune --help

adapter: .venv/.finetune ## train the packaged fraud adapter anew (under an hour on two cores), measure it, write all its pages
	scripts/adapter.sh $(ARGS)

bench: .venv/.dev ## measure latency, throughput, start and memory, with the raw model beside them
	$(BIN)/python -m eval.bench $(ARGS)

crash: .venv/.dev ## kill the server at chosen points 300 times, check what is left, write docs/reliability.md (ARGS="--scenarios 30")
	$(BIN)/python -m tests.crash $(ARGS)

# Parts: fuzz, load, soak, contract, checks.
reliability: .venv/.dev ## cut readers off, load, soak, check the contract, write docs/reliability.md (ARGS="soak --minutes 60")
	$(if $(ARGS),$(BIN)/python -m tests.reliability $(ARGS),\
		for part in fuzz load soak contract checks; do $(BIN)/python -m tests.reliability $$part || exit 1; done)

eval: .venv/.base ## replay the golden queries through the graph (ARGS="--quick")
	$(BIN)/switchyard eval run $(ARGS)

studio: .venv-studio/.studio ## LangGraph's development server on port 2024, with data of its own
	LOG_COLOR=false SWITCHYARD_DATA_DIR=$(DATA)-studio exec .venv-studio/bin/langgraph dev --no-browser --no-reload $(ARGS)

phoenix: .venv/.dev ## Arize Phoenix, the user interface for traces, on port 6006
	echo "For traces start the server with: SWITCHYARD_PHOENIX_ENDPOINT=http://localhost:6006 make serve"
	mkdir -p $(DATA)/phoenix
	PHOENIX_TELEMETRY_ENABLED=false PHOENIX_ALLOW_EXTERNAL_RESOURCES=false PHOENIX_HOST=127.0.0.1 PHOENIX_PORT=6006 \
		PHOENIX_WORKING_DIR=$(abspath $(DATA))/phoenix exec $(BIN)/phoenix serve

docs: .venv/.base ## write docs/openapi.json from the server's routes
	$(BIN)/python scripts/openapi.py
	$(BIN)/python scripts/readme.py

lock: ## resolve pyproject.toml into locks/ with uv (ARGS=--upgrade takes newer versions)
	scripts/lock.sh $(ARGS)

audit: .venv/.base ## ask the public database about holes in the locked packages (needs a network; ARGS="--lock dev")
	$(BIN)/python scripts/audit.py $(ARGS)

sbom: .venv/.base ## write the bill of materials of a lock as CycloneDX to sbom.json (ARGS="--lock dev --output FILE")
	$(BIN)/python scripts/sbom.py $(ARGS)

clean: ## remove environments, caches and build output; data stays
	rm -rf .venv .venv-studio tests/js/node_modules build *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage* htmlcov .langgraph_api
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.base: locks/base.txt locks/build.txt pyproject.toml
	$(INSTALL) .venv base

# The dev lock is a superset with the same versions: after it, serve has nothing to install.
.venv/.dev: locks/dev.txt locks/build.txt pyproject.toml
	$(INSTALL) .venv dev
	touch .venv/.base

# The same versions as dev, without hashes: torch's build is chosen per machine.
.venv/.finetune: locks/finetune$(TORCH).txt locks/build.txt pyproject.toml
	$(INSTALL) .venv finetune$(TORCH)
	touch .venv/.finetune

# The official JavaScript client and its React hook, which tests drive; Node comes with pyright. Without an npm registry
# those tests are skipped.
tests/js/node_modules: tests/js/package-lock.json .venv/.dev
	scripts/javascript.sh

.venv-studio/.studio: locks/studio.txt locks/build.txt pyproject.toml
	$(INSTALL) .venv-studio studio
