#!/usr/bin/env bash
# Installs what the demo and the end-to-end tests need besides Rust, below .work/ of this checkout:
# the official MCP clients for Python and TypeScript, official servers, and the MCP Inspector.
#
#   scripts/setup.sh build    what cargo needs: a compiler and libraries for the programs in the kernel
#   scripts/setup.sh demo     what `make demo` needs
#   scripts/setup.sh test     what `make test` needs
#   scripts/setup.sh conformance   what `make conformance` needs
#   scripts/setup.sh bench    what `make bench` compares with
#   scripts/setup.sh agentdojo   what bench/agentdojo/test.sh needs
#   scripts/setup.sh agents   what tests/agents needs: agent frameworks and coding agents (1 GB)
set -euo pipefail
cd "$(dirname "$0")/.."
work=$PWD/.work
want=${1:?say what for: build, demo, test, conformance, bench, agentdojo or agents}
mkdir -p "$work"

say() { printf 'setup: %s\n' "$*" >&2; }

# Installs a package, if this is a Debian with root.
install() {
    local package=$1
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        say "installing $package (Debian package)"
        apt-get update -qq && apt-get install -qq -y "$package" >/dev/null
    else
        say "$package is missing; install it (Debian: apt-get install $package) and run this again"
        exit 1
    fi
}

# Sees to it that a command is there.
need() {
    command -v "$1" >/dev/null || install "$2"
}

# Sees to it that a header is there.
need_header() {
    [ -e "/usr/include/$1" ] || install "$2"
}

# Runs a step once for each content of the files it depends on.
once() {
    local name=$1 stamp="$work/$1.stamp" sum
    shift
    sum=$(sha256sum <"$1")
    shift
    if [ "$(cat "$stamp" 2>/dev/null)" != "$sum" ]; then
        "$@"
        printf '%s\n' "$sum" >"$stamp"
    fi
}

venv() {
    local dir=$1 requirements=$2
    say "installing $(grep -v '^#' "$requirements" | tr '\n' ' ')(pip, into ${dir#"$PWD"/})"
    rm -rf "$dir"
    python3 -m venv "$dir"
    "$dir/bin/pip" install --quiet --disable-pip-version-check -r "$requirements"
}

modules() {
    local dir=$1 from=$2
    say "installing $from/package-lock.json (npm, into ${dir#"$PWD"/})"
    mkdir -p "$dir"
    cp "$from/package.json" "$from/package-lock.json" "$dir/"
    npm ci --prefix "$dir" --silent --no-audit --no-fund
}

if [ "$want" = build ]; then
    need cc gcc
    need make make
    # The names under which crates/kernel-bpf/build.rs looks for it.
    command -v "${CLANG:-clang}" clang-16 clang-15 clang-14 >/dev/null || install clang
    need_header libelf.h libelf-dev
    need_header zlib.h zlib1g-dev
    exit
fi
need python3 python3
python3 -c 'import venv, ensurepip' 2>/dev/null || install python3-venv
if [ "$want" = agentdojo ]; then
    once agentdojo-py bench/agentdojo/requirements.txt \
        venv "$work/agentdojo-py" bench/agentdojo/requirements.txt
    exit
fi
if [ "$want" = bench ]; then
    once bench-py bench/peers/requirements.txt venv "$work/bench-py" bench/peers/requirements.txt
    once bench-litellm-py bench/peers/requirements-litellm.txt \
        venv "$work/bench-litellm-py" bench/peers/requirements-litellm.txt
    exit
fi
need npm npm
need cc gcc

if [ "$want" = conformance ]; then
    once conformance-node tests/conformance/package-lock.json \
        modules "$work/conformance-node" tests/conformance
    exit
fi

if [ "$want" = agents ]; then
    once agents-py tests/agents/requirements.txt \
        venv "$work/agents-py" tests/agents/requirements.txt
    # Claude Code's install script puts its program in place; package.json lets npm run it.
    once agents-node tests/agents/package-lock.json modules "$work/agents-node" tests/agents
    exit
fi

once demo-py examples/invoice-agent/requirements.txt \
    venv "$work/demo-py" examples/invoice-agent/requirements.txt
once steered-py examples/steered-agent/requirements.txt \
    venv "$work/steered-py" examples/steered-agent/requirements.txt
once demo-node examples/invoice-agent/package-lock.json \
    modules "$work/demo-node" examples/invoice-agent
if [ "$want" = test ]; then
    once interop-py1 tests/interop/requirements-1.txt \
        venv "$work/interop-py1" tests/interop/requirements-1.txt
    once interop-node tests/interop/package-lock.json modules "$work/interop-node" tests/interop
fi
