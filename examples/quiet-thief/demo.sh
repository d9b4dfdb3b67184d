#!/usr/bin/env bash
# The demo's third act: a tool server that is honest on the wire, and steals behind it. No model; the
# agent (official MCP client), the server (official SDK), the kernel and Pathwarden are real.
# Needs root, and what scripts/setup.sh and `cargo build --release` made; `make demo` sees to both.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
example=$root/examples/quiet-thief
bin=${PATHWARDEN_BIN:-$root/target/release}
work=$root/.work/thief
python=$root/.work/demo-py/bin/python

if [ "$(id -u)" != 0 ]; then
    echo 'skipped: quiet-thief: the kernel lets only root stand between an agent and the machine (try sudo -E)'
    exit 0
fi

export PATHWARDEN_HOME=$work/home PATH=$bin:$PATH PYTHONDONTWRITEBYTECODE=1
unset PATHWARDEN_TOKEN PATHWARDEN_ENDPOINT

step() { printf '\n== %s\n' "$*"; }
run() { printf '$ %s\n' "$*"; "$@"; }
fail() { printf 'quiet-thief: %s\n' "$*" >&2; exit 1; }
wait_for() {
    for _ in $(seq 100); do
        grep -q "$2" "$1" 2>/dev/null && return
        sleep 0.1
    done
    cat "$1" "${1%.out}.log" >&2
    exit 1
}

rm -rf "$work"
mkdir -p "$work"
cp -r "$example/workspace" "$work/workspace"
started=()
stop() { kill "${started[@]}" 2>/dev/null || true; wait 2>/dev/null || true; }
trap stop EXIT

step 'A workspace with notes, and with the key that deploys to the machines'
mkdir "$work/workspace/deploy"
{
    echo '-----BEGIN OPENSSH PRIVATE KEY-----'
    head -c 300 /dev/urandom | base64 -w 70
    echo '-----END OPENSSH PRIVATE KEY-----'
} >"$work/workspace/deploy/id_ed25519"
chmod 600 "$work/workspace/deploy/id_ed25519"
(cd "$work" && find workspace -type f | sort)
"$python" "$example/collector.py" --into "$work/collected" >"$work/collector.out" 2>"$work/collector.log" &
started+=($!)
wait_for "$work/collector.out" :
read -r own backup <"$work/collector.out"
echo "a thief waits at $own, and at $backup, which the operator takes for the notes' backup"

step 'A node. What each tool of the server may do to the machine stands in its effect contract'
pathwarden init >"$work/init.out"
# It names what this kernel lacks; that no node is up yet is all that may be wrong.
tier=$(pathwarden doctor | grep 'pathwarden run' || true)
if ! grep -q 'tier kernel' <<<"$tier"; then
    echo "skipped: quiet-thief: this kernel cannot be asked: $tier"
    exit 0
fi
cat >"$PATHWARDEN_HOME/pathwarden.toml" <<TOML
[agents.scribe]
owner = "plant office"
role = "secretary"
purpose = "reads notes and writes summaries"

[servers.notes]
inside = true
[servers.notes.effects.list_notes]
read = ["workspace"]
[servers.notes.effects.read_note]
read = ["workspace"]
[servers.notes.effects.write_summary]
write = ["workspace"]

[run]
reach = ["$backup"]
read = ["$example", "$root/.work/demo-py"]

[listen]
api = "127.0.0.1:0"
mcp = "127.0.0.1:0"
models = "127.0.0.1:0"
TOML
grep -A 1 effects "$PATHWARDEN_HOME/pathwarden.toml"
pathwarden --json up >"$work/up.out" 2>"$work/up.log" &
started+=($!)
wait_for "$work/up.out" '"ready":true'

step 'The agent works, in a box. It reads three notes; the server takes the key while it serves one of them'
task='Read the notes and write a summary of them.'
printf '$ pathwarden run --agent scribe --workspace workspace --task "%s" -- python agent.py\n' "$task"
server="[\"pathwarden\",\"mcp\",\"--server\",\"notes\",\"--\",\"$python\",\"$example/notes_server.py\",
    \"--folder\",\"$work/workspace\",\"--own\",\"$own\",\"--backup\",\"$backup\"]"
pathwarden run --agent scribe --workspace "$work/workspace" --task "$task" -- \
    "$python" "$example/agent.py" --notes "$server" 2>"$work/agent.log" ||
    { cat "$work/agent.log" >&2; fail 'the agent did not finish'; }
session=$(pathwarden --json session list | "$python" -c '
import json, sys
print(json.load(sys.stdin)[-1]["session"])')

step 'What the gateway saw, what the kernel saw beside it, and how soon the server was cut off'
pathwarden --json path "$session" >"$work/path.json"
"$python" "$example/beside.py" "$work/path.json"

step 'What the thief writes in its diary: the key was read, and nothing of it left'
grep '^thief' "$work/agent.log"
if [ -e "$work/collected" ]; then
    cat "$work/collected" >&2
    fail 'the collector got something'
fi
echo 'collector: nothing arrived'

step 'What was asked for is done'
cat "$work/workspace/summary.md"

step 'The path: calls of the gateway, acts of processes, what was measured, found and taken away'
run pathwarden path "$session"

step 'The finding, and what stands until a person has looked'
run pathwarden findings
run pathwarden contain list

step 'How much of what was seen was decided'
run pathwarden coverage "$session"

step 'The ledger proves it, and every decision comes out the same again'
run pathwarden ledger verify
run pathwarden replay

pathwarden --json findings >"$work/findings.json"
pathwarden --json contain list >"$work/standing.json"
"$python" "$example/beside.py" "$work/path.json" --findings "$work/findings.json" \
    --standing "$work/standing.json" || fail 'it did not go as told above'
[ -s "$work/workspace/summary.md" ] || fail 'there is no summary'
[ ! -e "$work/collected" ] || fail 'the collector got something'
