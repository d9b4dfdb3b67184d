#!/usr/bin/env bash
# The official MCP SDKs against the fixture server, through both of Pathwarden's MCP enforcement
# points, with every check of the clients passing; then the ledger of it all is verified and replayed.
# Needs what `scripts/setup.sh test` and `cargo build --workspace` made.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH=${PATHWARDEN_BIN:-$PWD/target/debug}:$PATH
work=$PWD/.work/interop
python1=.work/interop-py1/bin/python
python2=.work/demo-py/bin/python
modules=.work/interop-node
unset PATHWARDEN_TOKEN PATHWARDEN_ENDPOINT
export PATHWARDEN_HOME=$work/home
passed=0 failed=0

rm -rf "$work" && mkdir -p "$work"
pathwarden init >"$work/init.out"
fixture-mcp --http 127.0.0.1:0 >"$work/fixture.out" 2>"$work/fixture.log" &
fixture=$!
node=
stop() { kill $fixture $node 2>/dev/null || true; wait 2>/dev/null || true; }
trap stop EXIT

wait_for_line() {
    for _ in $(seq 200); do
        grep -q "$2" "$1" 2>/dev/null && return
        sleep 0.05
    done
    echo "no \`$2\` in $1" >&2
    exit 1
}
wait_for_line "$work/fixture.out" '^http'
upstream=$(head -n 1 "$work/fixture.out")

{
    printf '[agents.tester]\nowner = "the interoperability tests"\n'
    printf '[listen]\napi = "127.0.0.1:0"\nmcp = "127.0.0.1:0"\n'
    printf '[servers.fixture]\ninside = true\nurl = "%s"\n[servers.fixture.tools]\n' "$upstream"
    for tool in echo slow ask_model ask_user log big fail emit touch protocol_error; do
        printf '%s = "read"\n' "$tool"
    done
} >"$PATHWARDEN_HOME/pathwarden.toml"
pathwarden --json up >"$work/up.out" 2>"$work/up.log" &
node=$!
wait_for_line "$work/up.out" '"ready":true'
gateway=$($python2 -c 'import json,sys; print(json.load(open(sys.argv[1]))["mcp"])' "$work/up.out")

# One client through one enforcement point, in a session of its own.
check() {
    local name=$1 by=$2 token log
    shift 2
    log=$work/$(tr -c 'a-z0-9\n' - <<<"$name-$by")
    token=$(pathwarden --json session start --agent tester --task "interoperability of $name" |
        $python2 -c 'import json,sys; print(json.load(sys.stdin)["token"])')
    if [ "$by" = stdio ]; then
        set -- "$@" --stdio '["pathwarden","mcp","--server","fixture","--","fixture-mcp"]'
    else
        set -- "$@" --url "http://$gateway/mcp/fixture" --bearer "$token"
    fi
    if PATHWARDEN_TOKEN=$token timeout 120 "$@" >"$log.out" 2>"$log.err"; then
        passed=$((passed + 1))
        echo "ok    $name through $by: $(grep -c '"ok": *true' "$log.out") checks"
    else
        failed=$((failed + 1))
        echo "FAIL  $name through $by (see $log.*)"
        grep -v '"ok": *true' "$log.out" | cut -c1-400 || true
        tail -n 5 "$log.err"
    fi
}

for by in stdio http; do
    check 'python mcp 1.30' $by $python1 tests/interop/python_client.py
    check 'python mcp 2.3' $by $python2 tests/interop/python_client.py
    check 'typescript sdk v1' $by node tests/interop/ts_client.mjs --sdk v1 --modules $modules
    check 'typescript sdk v2' $by node tests/interop/ts_client.mjs --sdk v2 --modules $modules
done

# Something after the clients: what they did is on the ledger, verified, and comes out the same again.
attempt() {
    local name=$1
    shift
    if "$@" >"$work/attempt.out" 2>&1; then
        passed=$((passed + 1))
        echo "ok    $name"
    else
        failed=$((failed + 1))
        echo "FAIL  $name"
        cat "$work/attempt.out"
    fi
}
attempt 'the ledger verifies' pathwarden ledger verify
attempt 'every decision comes out the same again' pathwarden replay
attempt 'the examination finds nothing' pathwarden doctor

printf 'interop: %d passed, %d failed, 0 skipped\n' $passed $failed
[ $failed = 0 ]
