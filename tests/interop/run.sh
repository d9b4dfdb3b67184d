#!/usr/bin/env bash
# The official MCP clients through both of Pathwarden's MCP enforcement points, with every check of the
# clients passing: the SDKs against the fixture server and against official servers, and the MCP
# Inspector. Then the ledger of it all is verified and replayed.
# Needs what `scripts/setup.sh test` and `cargo build --workspace` made.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH=${PATHWARDEN_BIN:-$PWD/target/debug}:$PATH
work=$PWD/.work/interop
python1=$PWD/.work/interop-py1/bin/python
python2=$PWD/.work/demo-py/bin/python
modules=$PWD/.work/interop-node
official=$modules/node_modules/@modelcontextprotocol
unset PATHWARDEN_TOKEN PATHWARDEN_ENDPOINT
export PATHWARDEN_HOME=$work/home PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore

rm -rf "$work" && mkdir -p "$work/files" "$work/inspector"
pathwarden init >"$work/init.out"

started=()
stop() { kill "${started[@]}" 2>/dev/null || true; wait 2>/dev/null || true; }
trap stop EXIT

wait_for_line() {
    for _ in $(seq 200); do
        grep -q "$2" "$1" 2>/dev/null && return
        sleep 0.05
    done
    echo "no \`$2\` in $1" >&2
    exit 1
}

# The servers that speak HTTP. `everything` takes a port and does not say which it got if that is 0.
fixture-mcp --http 127.0.0.1:0 >"$work/fixture.out" 2>"$work/fixture.log" &
started+=($!)
$python2 tests/interop/python_server.py --http 0 >"$work/python.out" 2>"$work/python.log" &
started+=($!)
port=$($python2 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
PORT=$port node "$official/server-everything/dist/index.js" streamableHttp >"$work/everything.out" 2>&1 &
started+=($!)
wait_for_line "$work/fixture.out" '^http'
wait_for_line "$work/python.out" '^http'
wait_for_line "$work/everything.out" 'listening on port'

# A server that the gateway reaches, and the same program where a client starts it. The tools are those
# whose names do not say what they do; the tasks below say what else is meant to be done.
server() {
    local name=$1 url=$2 tool
    shift 2
    printf '[servers.%s]\ninside = true\n' "$name"
    [ -z "$url" ] || printf 'url = "%s"\n' "$url"
    printf '[servers.%s.tools]\n' "$name"
    for tool in "$@"; do printf '%s = "read"\n' "$tool"; done
    [ -z "$url" ] || server "$name-local" '' "$@"
}
{
    printf '[agents.tester]\nowner = "the interoperability tests"\n'
    printf '[listen]\napi = "127.0.0.1:0"\nmcp = "127.0.0.1:0"\nmodels = "127.0.0.1:0"\n'
    printf '[endpoints.all]\nservers = ["everything", "python"]\n'
    server fixture "$(head -n 1 "$work/fixture.out")" \
        echo slow ask_model ask_user log big fail emit touch protocol_error
    server everything "http://127.0.0.1:$port/mcp" \
        echo trigger-{elicitation-request,long-running-operation,sampling-request}
    server python "$(head -n 1 "$work/python.out")" greet capital divide
    server filesystem-local ''
    server memory-local ''
} >"$PATHWARDEN_HOME/pathwarden.toml"
pathwarden --json up >"$work/up.out" 2>"$work/up.log" &
started+=($!)
wait_for_line "$work/up.out" '"ready":true'
gateway=$($python2 -c 'import json,sys; print(json.load(open(sys.argv[1]))["mcp"])' "$work/up.out")

# Each server's command as JSON, and what the agent is asked to do with it.
export MEMORY_FILE_PATH=$work/memory.jsonl
declare -A program=(
    [fixture]='"fixture-mcp"'
    [filesystem]="\"node\",\"$official/server-filesystem/dist/index.js\",\"$work/files\""
    [memory]="\"node\",\"$official/server-memory/dist/index.js\""
    [everything]="\"node\",\"$official/server-everything/dist/index.js\""
    [python]="\"$python2\",\"$PWD/tests/interop/python_server.py\""
)
declare -A task=(
    [fixture]='Check what the fixture does'
    [filesystem]="Write a file to $work/files, edit it and read it back"
    [memory]='Create entities and relations in the knowledge graph and read it'
    [everything]='Try everything'
    [python]='Write notes and add numbers'
    [all]='Try everything and add numbers'
)

passed() { echo "ok    $1"; }
# In one piece, because lanes write side by side.
failed() { printf '%s\n' "$(printf 'FAIL  %s\n' "$1" && shift && printf '%s\n' "$@")"; }
log_of() { echo "$work/$(tr -c 'a-z0-9\n' - <<<"$1")"; }

session() {
    pathwarden --json session start --agent tester --task "${task[$1]}" |
        $python2 -c 'import json,sys; print(json.load(sys.stdin)["token"])'
}

# One client with one server through one enforcement point, in a session of its own.
check() {
    local name=$1 by=$2 server=$3 token log
    shift 3
    log=$(log_of "$name-$server-$by")
    token=$(session "$server")
    set -- "$@" --folder "$work/files"
    if [ "$by" = stdio ]; then
        set -- "$@" --stdio "[\"pathwarden\",\"mcp\",\"--server\",\"$server-local\",\"--\",${program[$server]}]"
    else
        set -- "$@" --url "http://$gateway/mcp/$server" --bearer "$token"
    fi
    if INTEROP_RUN=$$ PATHWARDEN_TOKEN=$token timeout 120 "$@" >"$log.out" 2>"$log.err"; then
        passed "$name with $server through $by: $(grep -c '"ok": *true' "$log.out") checks"
    else
        failed "$name with $server through $by (see $log.*)" \
            "$(grep -v '"ok": *true' "$log.out" | cut -c1-400)" "$(tail -n 5 "$log.err")"
    fi
}

# One call with the Inspector, whose answer must hold the given words.
inspect() {
    local name=$1 words=$2 log
    shift 2
    log=$(log_of "$name")
    if HOME=$work/inspector MCP_INSPECTOR_SECRET_STORE=memory timeout 60 \
        "$modules"/node_modules/node-linux-*/bin/node "$official/inspector/clients/launcher/build/index.js" \
        --cli --format json "$@" >"$log.out" 2>"$log.err" && grep -qF "$words" "$log.out"; then
        passed "$name"
    else
        failed "$name (see $log.*)" "$(cut -c1-400 "$log.out")" "$(tail -n 5 "$log.err")"
    fi
}

# A list and a call with the Inspector through both enforcement points.
inspector() {
    local server=$1 era=$2 tool=$3 words=$4 name="the inspector with $1, $2 era" token
    token=$(session "$server")
    local call=(--method tools/call --tool-name "$tool" --tool-arg a=2 b=40)
    local http=(--protocol-era "$era" --server-url "http://$gateway/mcp/$server" --transport http
        --header "Authorization: Bearer $token")
    local stdio=(--protocol-era "$era" -e "PATHWARDEN_HOME=$PATHWARDEN_HOME" -e "PATHWARDEN_TOKEN=$token"
        -e "INTEROP_RUN=$$")
    local command
    mapfile -t command < <($python2 -c 'import json,sys; print(*json.loads(sys.argv[1]), sep="\n")' \
        "[\"pathwarden\",\"mcp\",\"--server\",\"$server-local\",\"--\",${program[$server]}]")
    inspect "$name: list through stdio" "\"name\":\"$tool\"" "${stdio[@]}" --method tools/list -- "${command[@]}"
    inspect "$name: call through stdio" "$words" "${stdio[@]}" "${call[@]}" -- "${command[@]}"
    inspect "$name: list through http" "\"name\":\"$tool\"" "${http[@]}" --method tools/list
    inspect "$name: call through http" "$words" "${http[@]}" "${call[@]}"
}

ts() { echo node tests/interop/ts_"$1".mjs --sdk "$2" --modules "$modules"; }

# Every SDK with the fixture server; those of 2026-07-28 also as if they did not know it.
sdks() {
    local by=$1
    check 'python mcp 1.30' $by fixture $python1 tests/interop/python_client.py
    check 'python mcp 2.3' $by fixture $python2 tests/interop/python_client.py
    check 'python mcp 2.3, legacy era' $by fixture $python2 tests/interop/python_client.py --mode legacy
    check 'typescript sdk v1' $by fixture $(ts client v1)
    check 'typescript sdk v2' $by fixture $(ts client v2)
    check 'typescript sdk v2, legacy era' $by fixture $(ts client v2) --mode legacy
}

# Official servers with an SDK of each language.
servers() {
    local by=$1 server
    shift
    for server in "$@"; do
        check 'python mcp 2.3' $by $server $python2 tests/interop/python_servers.py $server
        check 'typescript sdk v1' $by $server $(ts servers v1) $server
    done
}

# Side by side, in lanes.
{
    sdks stdio &
    sdks http &
    servers stdio filesystem memory everything python &
    {
        servers http everything python
        check 'python mcp 2.3' http all $python2 tests/interop/python_servers.py all
        inspector everything legacy get-sum 'The sum of 2 and 40 is 42.'
        inspector python modern add '"structuredContent":{"result":42}'
    } &
    wait
} 2>&1 | tee "$work/lines"

# Something after the clients: what they did is on the ledger, verified, and comes out the same again.
attempt() {
    local name=$1
    shift
    if "$@" >"$work/attempt.out" 2>&1; then
        passed "$name"
    else
        failed "$name" "$(cat "$work/attempt.out")"
    fi
}

# Clients end what they started, so nothing that they started may be left.
left() { grep -lz "^INTEROP_RUN=$$\$" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3; }
nothing_left() {
    local pids
    for _ in $(seq 200); do
        pids=$(left || true)
        [ -n "$pids" ] || return 0
        sleep 0.05
    done
    ps -o pid,ppid,args -p "${pids//$'\n'/,}" || return 0
    kill $pids
    return 1
}
# The fixture and `everything` both have a tool `echo`, which is said of the second and holds nothing up.
nothing_suspect() {
    pathwarden findings
    pathwarden mcp pins list --open
    [ "$(pathwarden --json mcp pins list --open)" = '[]' ] && pathwarden --json findings | $python2 -c '
import json, sys
findings = [row["finding"] for row in json.load(sys.stdin)]
is_echo = lambda finding: finding["kind"] == "item_shadows" and finding["subject"].endswith(" tool echo")
sys.exit(not all(map(is_echo, findings)))'
}
nothing_waits() { pathwarden approvals list && [ "$(pathwarden --json approvals list)" = '[]' ]; }
{
    attempt 'no server outlives its client' nothing_left
    attempt 'nothing that the servers offer or ask is suspect' nothing_suspect
    attempt 'nothing waits for a person' nothing_waits
    attempt 'the ledger verifies' pathwarden ledger verify
    attempt 'every decision comes out the same again' pathwarden replay
    attempt 'the examination finds nothing' pathwarden doctor
} | tee -a "$work/lines"

"$python1" tests/interop/memory_story.py "$work/memory-story" "$official" | tee -a "$work/lines" || true

bad=$(grep -c '^FAIL ' "$work/lines" || true)
printf 'interop: %d passed, %d failed, 0 skipped\n' "$(grep -c '^ok ' "$work/lines" || true)" "$bad"
[ "$bad" = 0 ]
