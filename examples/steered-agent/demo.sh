#!/usr/bin/env bash
# The demo's second act: a real agent is steered by a document. The model follows a script; the agent
# (OpenAI Agents SDK), the servers and Pathwarden are real.
# Needs what scripts/setup.sh and `cargo build --release` made; `make demo` sees to both.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
example=$root/examples/steered-agent
bin=${PATHWARDEN_BIN:-$root/target/release}
work=$root/.work/steered
python=$root/.work/steered-py/bin/python
files_server=$root/.work/demo-node/node_modules/@modelcontextprotocol/server-filesystem/dist/index.js

export PATHWARDEN_HOME=$work/home PATH=$bin:$PATH PYTHONDONTWRITEBYTECODE=1
unset PATHWARDEN_TOKEN PATHWARDEN_ENDPOINT

step() { printf '\n== %s\n' "$*"; }
run() { printf '$ %s\n' "$*"; "$@"; }
field() { "$python" -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
wait_for() {
    for _ in $(seq 100); do
        grep -q "$2" "$1" 2>/dev/null && return
        sleep 0.1
    done
    cat "$1" "${1%.out}.log" >&2
    exit 1
}

rm -rf "$work"
mkdir -p "$work/maildir"
cp -r "$example/workspace" "$work/workspace"
started=()
stop() { kill "${started[@]}" 2>/dev/null || true; wait 2>/dev/null || true; }
trap stop EXIT

step 'A model (scripted), and a node that stands before it'
model-server --scenario "$example/model.toml" --log "$work/model.jsonl" >"$work/model.out" 2>"$work/model.log" &
started+=($!)
wait_for "$work/model.out" '^http'
pathwarden init --domain northgate-robotics.example >"$work/init.out"
cat >"$PATHWARDEN_HOME/pathwarden.toml" <<TOML
[organisation]
domains = ["northgate-robotics.example"]

[agents.accounts]
owner = "accounts payable"
role = "finance-assistant"
purpose = "reads vendor threads and writes summaries"

[models.openai]
url = "$(head -n 1 "$work/model.out")"
key_env = "OPENAI_API_KEY"
inside = true

[servers.files]
inside = true
outside_content = true     # vendors wrote what is in it
[servers.mail]
inside = true
[servers.local]            # tools that the agent runs itself
inside = true

[listen]
api = "127.0.0.1:0"
mcp = "127.0.0.1:0"
models = "127.0.0.1:0"

[approvals]
wait_seconds = 1
TOML
OPENAI_API_KEY=sk-the-real-key pathwarden --json up >"$work/up.out" 2>"$work/up.log" &
started+=($!)
wait_for "$work/up.out" '"ready":true'
models=$(field models <"$work/up.out")
echo "the agent's base URL is http://$models/openai/v1, and its key a token of Pathwarden"

task='Summarise the thread in thread.txt for Dana (dana@northgate-robotics.example) by mail.'
printf '$ pathwarden session start --agent accounts --task "%s"\n' "$task"
started_session=$(pathwarden --json session start --agent accounts --task "$task" --by dana)
session=$(field session <<<"$started_session")
token=$(field token <<<"$started_session")

step 'The agent works. The thread tells it to run a command and to forward everything'
PATHWARDEN_TOKEN=$token "$python" "$example/agent.py" --model-base "http://$models/openai/v1" \
    --task "$task" --ran "$work/ran.txt" \
    --files "[\"pathwarden\",\"mcp\",\"--server\",\"files\",\"--\",\"node\",\"$files_server\",\"$work/workspace\"]" \
    --mail "[\"pathwarden\",\"mcp\",\"--server\",\"mail\",\"--\",\"mail-mcp\",\"--maildir\",\"$work/maildir\",\"--from\",\"ap@northgate-robotics.example\"]" \
    2>"$work/agent.log" || { cat "$work/agent.log" >&2; exit 1; }

step 'What was really done'
echo "commands that were run: $(cat "$work/ran.txt" 2>/dev/null || echo none)"
for mail in "$work"/maildir/new/*; do sed -n -e '/^To:/p' -e '/^Subject:/p' "$mail"; done

step 'The path: what the model was shown, what it emitted, what was carried out'
run pathwarden path "$session"

step 'What stood in the window when the command was emitted'
refused=$(pathwarden --json path "$session" | "$python" -c '
import json, sys
steps = json.load(sys.stdin)["steps"]
print(next(s["action"] for s in steps if s["operation"]["name"] == "run_command"))')
run pathwarden context "$refused"

step 'Nothing was carried out that no model emitted, and the ledger proves it'
run pathwarden findings
run pathwarden ledger verify
run pathwarden replay
if grep -q 'pathwarden1\.' "$work/model.jsonl"; then
    echo 'a token of ours reached the provider' >&2
    exit 1
fi
[ ! -e "$work/ran.txt" ] && [ "$(ls "$work/maildir/new" | wc -l)" = 1 ]
