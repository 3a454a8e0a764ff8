# The front door. Each target installs the Debian packages it lacks (scripts/install.sh), then works.
# docs/building.md explains presets and flags.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PORT ?= 8080
DATA ?= data
APPS ?= apps
SEEDS ?= 10000
# Hits that each fault wants in each state; fewer seeds want fewer.
CELLS ?= 50
FIRST ?= 1
MINUTES ?= 10
SESSIONS ?= 10000
export FILES BASE JOBS

.PHONY: help run test build dev models format format-check lint lab fuzz bench chaos soak e2e screenshots clean-clone \
        clean

help: ## List the targets
	@echo "Sidevoice: a runtime for agents that talk and type beside a chat"
	@echo
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

run: build ## Build, then serve apps/ on 127.0.0.1 (PORT=8080 DATA=data APPS=apps)
	build/release/sidevoice serve --config $(APPS) --listen 127.0.0.1:$(PORT) --data $(DATA)

test: ## Build everything and run all tests with sanitizers
	@scripts/install.sh build test
	@scripts/test.sh

build: ## Build build/release/sidevoice (g++, optimised)
	@scripts/install.sh build
	@scripts/build.sh release

dev: ## Build the program and all tests with clang-14 and sanitizers, run nothing
	@scripts/install.sh build test
	@scripts/build.sh dev

models: ## Fetch the models of speech and build whisper.cpp (~/.cache/sidevoice; 150 MB, once)
	@scripts/install.sh build
	@scripts/models.sh --required

format: ## Format all C++ sources in place
	@scripts/install.sh lint
	@scripts/format.sh

format-check: ## Fail if a C++ source is not formatted
	@scripts/install.sh lint
	@scripts/format.sh --check

lint: ## clang-tidy over what changed (BASE=origin/main, or FILES="a.cpp b.cpp")
	@scripts/install.sh build test lint
	@scripts/lint.sh

lab: ## Simulate sessions under faults, many seeds (SEEDS=10000 FIRST=1 CELLS=50; SEED=7 or SCENARIO=file: one again; FAULT=file: those of the server)
	@scripts/install.sh build test
	@scripts/build.sh lab lab_tests
	build/lab/tests/lab_tests $(if $(FAULT),--fault $(FAULT)) $(if $(SCENARIO),--scenario $(SCENARIO), \
	  $(if $(SEED),--seed $(SEED),--seeds $(SEEDS) --first $(FIRST) --jobs $(shell nproc) --table \
	  $(if $(FAULT),,--cells $(CELLS))))

mutants: ## Break the program in known ways; the lab has to notice each (SEEDS=10000)
	@scripts/install.sh build test
	tests/mutants/run --seeds $(SEEDS)

fuzz: ## Run each fuzzer for MINUTES=10, two at a time (FUZZ="http_head app_file" names some)
	@scripts/install.sh build test
	@MINUTES=$(MINUTES) FUZZ="$(FUZZ)" scripts/fuzz.sh

bench: ## Load figures of typed and spoken sessions and of the speech engines, with the machine's load beside them
	@scripts/install.sh build test
	@scripts/models.sh --required
	@scripts/build.sh release sidevoice typed_load steady_load voice_load vad_bench speech_bench
	@scripts/part.sh bench
	@bench/vad.sh
	@bench/speech.sh
	@bench/voice.sh
	@bench/fairness.sh
	@scripts/build.sh lab sidevoice steady_load
	@bench/isolation.sh

chaos: ## Kill, stop, starve and mislead the server, and check what came back (PART="kills clock" names some)
	@scripts/install.sh build test chaos
	@scripts/build.sh lab sidevoice
	@scripts/part.sh chaos $(PART)

soak: ## Open and end many sessions; memory, descriptors, threads, actors must come back (SESSIONS=10000)
	@scripts/install.sh build test
	@scripts/build.sh release sidevoice
	tests/soak/soak.py build/release/sidevoice --sessions $(SESSIONS) --report tests/soak/results.md

e2e: ## The page in a real browser, against the release binary
	@scripts/install.sh build test
	@scripts/build.sh release
	SIDEVOICE_BINARY=build/release/sidevoice sh tests/e2e/run.sh build/js/e2e

screenshots: ## Take the pictures of docs/images from the running page
	@scripts/install.sh build test
	@scripts/build.sh release
	SIDEVOICE_BINARY=build/release/sidevoice sh tests/e2e/run.sh build/js/e2e screenshots.mjs

clean-clone: ## Run `make test` in a fresh clone and record its time (OUT=file, COLD=1: empty ccache)
	@scripts/clean_clone.sh $(if $(COLD),--cold) $(if $(OUT),--out $(OUT))

clean: ## Remove build/ (data/ stays)
	rm -rf build
