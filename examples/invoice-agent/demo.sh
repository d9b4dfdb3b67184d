#!/usr/bin/env bash
# The demo: a scripted invoice agent behind Pathwarden. No model; everything else is real.
# Needs what scripts/setup.sh and `cargo build --release` made; `make demo` sees to both.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
example=$root/examples/invoice-agent
bin=${PATHWARDEN_BIN:-$root/target/release}
work=$root/.work/demo
python=$root/.work/demo-py/bin/python
files_server=$root/.work/demo-node/node_modules/@modelcontextprotocol/server-filesystem/dist/index.js

export PATHWARDEN_HOME=$work/home
unset PATHWARDEN_TOKEN PATHWARDEN_ENDPOINT
export PATH=$bin:$PATH

step() { printf '\n== %s\n' "$*"; }
run() { printf '$ %s\n' "$*"; "$@"; }
field() { "$python" -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

rm -rf "$work"
mkdir -p "$work/maildir"
cp -r "$example/workspace" "$work/workspace"

step 'A node: keys, policy pack, empty ledger'
run pathwarden init --domain northgate-robotics.example
cat >"$PATHWARDEN_HOME/pathwarden.toml" <<'TOML'
[organisation]
domains = ["northgate-robotics.example"]

[agents.invoices]
owner = "accounts payable"
role = "finance-assistant"
purpose = "reads vendor threads and invoices, and writes to vendors"

[servers.files]
inside = true
[servers.mail]
inside = true

[listen]
api = "127.0.0.1:0"
mcp = "127.0.0.1:0"
models = "127.0.0.1:0"
TOML

pathwarden up >"$work/up.out" 2>"$work/up.log" &
node=$!
trap 'kill "$node" 2>/dev/null || true; wait "$node" 2>/dev/null || true' EXIT
for _ in $(seq 100); do
    grep -q '^ready' "$work/up.out" && break
    kill -0 "$node" 2>/dev/null || { cat "$work/up.log" >&2; exit 1; }
    sleep 0.1
done
cat "$work/up.out"

step 'A person starts a session: the statement of the task is part of every decision'
task='Can you notify the vendor we need updated tax documents?'
printf '$ pathwarden session start --agent invoices --task "%s"\n' "$task"
started=$(pathwarden --json session start --agent invoices --task "$task" --by dana)
session=$(field session <<<"$started")
token=$(field token <<<"$started")
echo "session $session"

step 'The agent works. Its two MCP servers stand behind `pathwarden mcp --`'
PATHWARDEN_TOKEN=$token "$python" "$example/agent.py" --workspace "$work/workspace" \
    --files "[\"pathwarden\",\"mcp\",\"--server\",\"files\",\"--\",\"node\",\"$files_server\",\"$work/workspace\"]" \
    --mail "[\"pathwarden\",\"mcp\",\"--server\",\"mail\",\"--\",\"mail-mcp\",\"--maildir\",\"$work/maildir\",\"--from\",\"ap@northgate-robotics.example\"]"

step 'What was really delivered (the Maildir)'
for mail in "$work"/maildir/new/*; do
    sed -n -e '/^To:/p' -e '/^Subject:/p' "$mail"
    sed -e '1,/^\r\{0,1\}$/d' -e 's/^/    /' "$mail"
    echo
done

step 'The action path'
run pathwarden path "$session"

action_with() {
    pathwarden --json path "$session" | "$python" -c '
import json, sys
steps = json.load(sys.stdin)["steps"]
print(next(s["action"] for s in steps if s["verdicts"][-1] == sys.argv[1]))' "$1"
}
step 'Why was the first mail changed?'
constrained=$(action_with constrain)
denied=$(action_with deny)
run pathwarden why "$constrained"

step 'The ledger, checked by a verifier that shares no code with the writer'
run pathwarden ledger verify
run pathwarden ledger prove "$denied" --out "$work/denied.tlog-proof"
run pathwarden-verify proof "$work/denied.tlog-proof" --key "$PATHWARDEN_HOME/keys/ledger.vkey" |
    cut -c1-400

step 'Every decision taken again from the recorded inputs'
run pathwarden replay

step 'Somebody changes one byte in a copy of the log'
cp -r "$PATHWARDEN_HOME/ledger" "$work/tampered"
bundle=$(find "$work/tampered/tile/entries" -type f -printf '%s %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-)
"$python" - "$bundle" <<'PY'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
at = data.index(b'"verdict":"deny"') + len(b'"verdict":"')
data[at] ^= 0x01
open(sys.argv[1], "wb").write(data)
print(f"flipped one bit of byte {at} in {sys.argv[1].split('tampered/')[1]}")
PY
printf '$ pathwarden-verify log tampered --key ledger.vkey\n'
if pathwarden-verify log "$work/tampered" --key "$PATHWARDEN_HOME/keys/ledger.vkey"; then
    echo 'the change was NOT noticed' >&2
    exit 1
fi
echo '(exit code 1: the change is found)'

step 'To look further'
cat <<MORE
The home is .work/demo/home. Start its node again and ask it:
  export PATHWARDEN_HOME=$PATHWARDEN_HOME PATH=$bin:\$PATH
  pathwarden up &
  pathwarden why $denied         the mail to an address that nobody gave
  pathwarden policy show                  every rule with file and line
  pathwarden policy test                  the policy's own tests
  pathwarden ledger export                every record, as JSON lines
  pathwarden --help                       the rest
MORE
