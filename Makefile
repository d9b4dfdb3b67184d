# Everything a newcomer needs: `make help`.
SHELL := /bin/bash
CRASH_ROUNDS ?= 200

.DEFAULT_GOAL := help
.PHONY: help demo build test check unit e2e kernel agents conformance crash bench clean

help: ## Show this list
	@grep -E '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9]+):.*## (.*)/  make \1\t\2/' | expand -t 20

demo: ## Set up, build, and show a governed agent on real components (a minute once built)
	scripts/setup.sh build
	scripts/setup.sh demo
	cargo build --release --bin pathwarden --bin pathwarden-verify --bin mail-mcp --bin model-server
	examples/invoice-agent/demo.sh
	examples/steered-agent/demo.sh
	examples/quiet-thief/demo.sh

build: ## Build the programs into target/release
	scripts/setup.sh build
	cargo build --release --bin pathwarden --bin pathwarden-verify

test: check unit e2e ## Set up and pass every test

check: ## Formatting, architecture, lints, documentation
	scripts/setup.sh build
	cargo fmt --all --check
	cargo xtask tidy
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --quiet

unit: ## Unit, law, simulation and integration tests
	scripts/setup.sh build
	cargo build --workspace
	cargo test --workspace --quiet

e2e: ## The official SDKs, real agents and the conformance suite through the gateways, the kernel, the demo, a short crash loop
	scripts/setup.sh build
	scripts/setup.sh test
	cargo build --workspace
	target/debug/pathwarden policy test policies
	tests/interop/run.sh
	scripts/setup.sh agents
	tests/agents/run.sh
	scripts/setup.sh conformance
	tests/conformance/run.py
	tests/kernel/run.sh
	PATHWARDEN_BIN=$(CURDIR)/target/debug examples/invoice-agent/demo.sh >/dev/null
	PATHWARDEN_BIN=$(CURDIR)/target/debug examples/steered-agent/demo.sh >/dev/null
	PATHWARDEN_BIN=$(CURDIR)/target/debug examples/quiet-thief/demo.sh >/dev/null
	target/debug/crash --rounds 10

kernel: ## Attacks, ordinary commands and real work of agents in the box that `pathwarden run` makes
	scripts/setup.sh build
	scripts/setup.sh demo
	cargo build --bin pathwarden --bin pathwarden-verify
	tests/kernel/run.sh

agents: ## Claude Code, Codex and agent frameworks through the gateways, each run one chain on the ledger
	scripts/setup.sh build
	scripts/setup.sh agents
	cargo build --bin pathwarden --bin pathwarden-verify --bin model-server --bin fixture-mcp
	tests/agents/run.sh

conformance: ## The official MCP conformance suite, directly and through the gateway
	scripts/setup.sh build
	scripts/setup.sh conformance
	cargo build --bin pathwarden --bin conformance-server --bin conformance-client
	tests/conformance/run.py

crash: ## Kill the daemon at random moments, 200 times; nothing acknowledged is lost
	scripts/setup.sh build
	cargo build --release --bin pathwarden --bin pathwarden-verify --bin crash
	target/release/crash --rounds $(CRASH_ROUNDS)

bench: ## Measure, beside baselines, and print the tables of docs/PERFORMANCE.md
	scripts/setup.sh build
	scripts/setup.sh bench
	cargo xtask bench

clean: ## Remove what was built and installed
	cargo clean
	rm -rf .work
