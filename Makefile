# Everything a user or a developer runs. Each target sets up what it needs; see `make help`.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export VENV ?= .venv
BIN := $(VENV)/bin
# One worker a core; tests that share something expensive stay with one worker.
PYTEST = $(BIN)/python -m pytest -n auto --durations 10
PACKAGES := train export codegen firmware_templates host_tools
C_FILES = $(shell find firmware_templates fuzz tests -name "*.[ch]" 2>/dev/null)
BOARD ?= mps2-an386

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

.PHONY: setup
setup: ## Install what is missing (the other targets do it by themselves)
	@.ci/setup

.PHONY: demo
demo: setup ## Checkpoint to firmware to checked, measured, decoded ECG, with a summary; BOARD=name
	@$(BIN)/dynadeep demo --board $(BOARD) --out build/demo

.PHONY: test
test: setup ## Run the whole test suite
	@$(PYTEST)

.PHONY: fast
fast: setup ## Run the tests that need no emulator, TensorFlow or PyTorch (under a minute)
	@$(PYTEST) --fast

.PHONY: nightly
nightly: setup ## Run what is long by nature too, and record it in benchmarks/nightly.json
	@$(BIN)/python -m tests.nightly

.PHONY: check
check: setup ## Check format, lint and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/clang-format --dry-run --Werror $(C_FILES)
	@$(BIN)/mypy $(foreach package,$(PACKAGES),-p dynadeep.$(package)) -p tests
	@PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python
	@$(BIN)/python -m tests.lint

.PHONY: format
format: setup ## Format and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(BIN)/clang-format -i $(C_FILES)

.PHONY: bench
bench: setup ## Measure the emulated boards and rewrite benchmarks/
	@$(BIN)/dynadeep bench --out benchmarks
	@$(BIN)/dynadeep export train/pretrained/mitdb-affine-patient.safetensors --out build/published
	@$(BIN)/dynadeep bench --bundle build/published --board mps2-an386 --out benchmarks/published
	@$(BIN)/python -m tests.firmware.benchmark --out benchmarks
	@$(BIN)/python -m tests.link.benchmark --out benchmarks

.PHONY: bench-cloud
bench-cloud: setup ## Measure what archives take to decode, and what kills on the way lose (15 minutes)
	@$(BIN)/dynadeep export --out build/cloud/bundle
	@$(BIN)/python -m tests.cloud.benchmark --bundle build/cloud/bundle --out benchmarks
	@$(BIN)/python -m tests.cloud.killing --out benchmarks

.PHONY: clean
clean: ## Remove what was built (the environment stays: remove .venv by hand)
	@rm -rf build dist
