# The commands of this checkout. Each sets itself up first (bootstrap.sh does nothing when .venv is up to date).
#
# make turns every failure of a command into its own exit code 2. For sluiceway's own codes (2 input, 3 refused, 1 failed)
# call .venv/bin/sluiceway.

.DEFAULT_GOAL := help
.PHONY: help setup run up down test check lint types arrows bench
MAKEFLAGS += --no-print-directory
BIN := .venv/bin
USE_CASE ?= taxi
ARGS ?=
STACK := state/deploy/compose
GATEWAY := sluiceway/gateway:0.1.0

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*  ## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 16

setup:  ## build or refresh .venv; SLUICEWAY_PYTHON=/path/to/python3.x chooses the interpreter
	@./bootstrap.sh

run: setup  ## data to live model; USE_CASE=taxi, ARGS='--set thresholds.auc=0.7'
	@$(BIN)/sluiceway run $(USE_CASE) $(ARGS)

up: setup  ## gateway, page and model server in containers, with what is published; MONITORING=1 adds Prometheus and Grafana
	@docker build --quiet -f serving/deploy/gateway.Dockerfile -t $(GATEWAY) . >/dev/null
	@$(BIN)/sluiceway deploy render --overlay compose -o $(STACK) $(ARGS)
	@docker compose -f $(STACK)/compose.yaml $(if $(MONITORING),--profile monitoring) up --detach --wait
	@echo "the page: http://$$(docker compose -f $(STACK)/compose.yaml port traefik 8080)"

down:  ## take it down again
	@docker compose -f $(STACK)/compose.yaml --profile monitoring down

test: setup  ## all tests; ARGS='tests/unit -k store'
	@$(BIN)/python -m pytest $(ARGS)

check: lint types arrows  ## ruff, mypy, import-linter

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup
	@$(BIN)/mypy

arrows: setup
	@$(BIN)/lint-imports

bench: setup  ## wall seconds of sluiceway run taxi beside TFX's own taxi example
	@$(BIN)/python -m benchmarks.run_time $(ARGS)
