# 豫链 YuLian. Every target works from a fresh clone; Rust is the only thing you must have installed.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test lint bench check-cargo

# One profile for everything, so that each dependency compiles once; the versions that are committed, no others.
CARGO_FLAGS := --release --locked
# Where `make run` keeps its four nodes; started again on the same folder they go on where they were.
YULIAN_DIR ?= yulian-data
# More options for `yulian up`, for example: make run UP_FLAGS='--fresh --port-base 28000'
UP_FLAGS ?=
# Options for `yulian bench`.
BENCH_FLAGS ?= --nodes 4 --seconds 20 --clients 64

help: ## 显示本说明 / show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: check-cargo ## 编译、启动四个节点并演示，之后保持运行，Ctrl-C 停止 / build, start four nodes, show the journey, stay up until Ctrl-C
	cargo build $(CARGO_FLAGS) --package yulian-cli
	@UP_FLAGS='$(UP_FLAGS)' scripts/run.sh '$(YULIAN_DIR)'

test: check-cargo ## 全部测试（先装好测试所需的工具） / every test, after installing what the tests need
	@scripts/prepare.sh
	cargo test $(CARGO_FLAGS) --workspace --lib --bins --tests --no-fail-fast

lint: check-cargo ## 格式、静态检查、结构与许可证 / format, static checks, structure and licences
	cargo fmt --all --check
	cargo clippy $(CARGO_FLAGS) --workspace --all-targets -- -D warnings
	cargo test $(CARGO_FLAGS) --package xtask

bench: check-cargo ## 性能：整链、国密、状态树 / speed of the whole chain, of the cryptography, of the state tree
	cargo build $(CARGO_FLAGS) --package yulian-cli
	"$$(scripts/target-dir.sh)/release/yulian" bench $(BENCH_FLAGS)
	"$$(scripts/target-dir.sh)/release/yulian" bench --nodes 4 --seconds 20 --clients 1 --wait
	cargo run $(CARGO_FLAGS) --package yulian-crypto --example crypto_bench
	cargo run $(CARGO_FLAGS) --package yulian-state --example tree_bench

check-cargo:
	@command -v cargo > /dev/null || { \
	  echo '需要 Rust（cargo）：见 https://rustup.rs ；安装后重新运行。'; \
	  echo 'Rust (cargo) is needed: see https://rustup.rs ; install it and run this again.'; \
	  exit 2; } >&2
