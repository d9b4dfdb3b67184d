#!/usr/bin/env bash
# Agent programs that people use, with their models and their tools reached through Pathwarden: each run
# must come to its end, and be one chain on the ledger. Then what an agent's token can do in other hands,
# what a file by outsiders does, and another model than the one that was.
# Needs what `make agents` builds and installs.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH=${PATHWARDEN_BIN:-$PWD/target/debug}:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore
work=$PWD/.work/agents-run
python=$PWD/.work/agents-py/bin/python
agents=$PWD/tests/agents
unset PATHWARDEN_TOKEN PATHWARDEN_ENDPOINT
export PATHWARDEN_HOME=$work/home
rm -rf "$work" && mkdir -p "$work"
pathwarden init >"$work/init.out"

started=()
# Coding agents tell the model of the repository that they are in, so they are in none.
folders=$(mktemp -d)
stop() {
    kill "${started[@]}" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$folders"
}
trap stop EXIT

wait_for_line() {
    for _ in $(seq 600); do
        grep -q "$2" "$1" 2>/dev/null && return
        sleep 0.05
    done
    echo "no \`$2\` in $1" >&2
    cat "${1%.*}.err" >&2
    exit 1
}
# Starts a server that prints its URL first.
serve() {
    local name=$1
    shift
    "$@" >"$work/$name.url" 2>"$work/$name.err" &
    started+=($!)
}
url() { head -n 1 "$work/$1.url"; }
# A field of the JSON document that comes first.
field() { "$python" -c 'import json,sys; print(json.JSONDecoder().raw_decode(sys.stdin.read())[0][sys.argv[1]])' "$1"; }

# The model gateway has one name for each scenario and API: `openai`, and `failing-openai`.
scenarios=(invoice subagent claude_subagent failing sdk codex_search codex_code)
model_of() { if [ "$1" = invoice ]; then echo "$2"; else echo "${1//_/-}-$2"; fi; }
key_of() { echo "sk-of-the-operator-for-$1"; }
names=(claude-code codex sdk impostor openai-agents-{responses,chat} langgraph-{responses,chat}
    pydantic-{anthropic,google,openai,openai-chat})

serve office "$python" "$agents/office_server.py" --mails "$work/mails.jsonl"
serve fixture fixture-mcp --http 127.0.0.1:0
for scenario in "${scenarios[@]}"; do
    serve "$scenario" model-server --scenario "$agents/scenarios/$scenario.toml" --log "$work/$scenario.jsonl"
    invoice_pid=${invoice_pid:-$!}
done
for server in office fixture "${scenarios[@]}"; do wait_for_line "$work/$server.url" '^http'; done
# The vendors' clients get what they get in pieces of random length.
serve resplit "$python" "$agents/resplit.py" "$(url sdk)"
wait_for_line "$work/resplit.url" '^http'
provider_of() { if [ "$1" = sdk ]; then url resplit; else url "$1"; fi; }

{
    for name in "${names[@]}"; do printf '[agents.%s]\nowner = "the tests of agents"\n' "$name"; done
    printf '[listen]\napi = "127.0.0.1:0"\nmcp = "127.0.0.1:0"\nmodels = "127.0.0.1:0"\n'
    printf '[approvals]\nwait_seconds = 1\n'
    printf '[servers.files]\ninside = true\noutside_content = true\nurl = "%s"\n' "$(url office)"
    printf '[servers.fixture]\ninside = true\nurl = "%s"\n' "$(url fixture)"
    printf '[servers.fixture.tools]\necho = "read"\nfail = "read"\nprotocol_error = "read"\n'
    # What agents carry out themselves, where its name does not say what it does.
    # These agents are ours, and what their own tools return is believed.
    printf '[servers.local]\ninside = true\noutside_content = false\n[servers.local.tools]\n'
    for tool in today ask_clerk Agent tool_search get_weather add; do printf '%s = "read"\n' "$tool"; done
    for scenario in "${scenarios[@]}"; do
        for api in openai anthropic gemini; do
            printf '[models.%s]\napi = "%s"\nurl = "%s"\nkey_env = "KEY_OF_%s"\n' \
                "$(model_of "$scenario" $api)" $api "$(provider_of "$scenario")" "${api^^}"
        done
    done
} >"$PATHWARDEN_HOME/pathwarden.toml"
KEY_OF_OPENAI=$(key_of openai) KEY_OF_ANTHROPIC=$(key_of anthropic) KEY_OF_GEMINI=$(key_of gemini) \
    pathwarden --json up >"$work/up.out" 2>"$work/up.err" &
started+=($!)
wait_for_line "$work/up.out" '"ready":true'
mcp=http://$(field mcp <"$work/up.out")/mcp
models=http://$(field models <"$work/up.out")

log_of() { echo "$work/$(tr -c 'a-z0-9\n' - <<<"$1")"; }
py() { timeout 120 "$python" "$agents/$1" "${@:2}"; }
# Both tell the model in which folder they work, so it is the same each time, and empty.
claude() {
    rm -rf "$folders/claude-code"
    MODEL_BASE=$MODEL_BASE_ANTHROPIC AGENT_WORK=$folders/claude-code "$agents/claude_code.sh" "$@"
}
codex() {
    rm -rf "$folders/codex"
    MODEL_BASE=$MODEL_BASE_OPENAI AGENT_WORK=$folders/codex "$agents/codex.sh" "$@"
}

# What the next check of a run expects, beside the words; `check` empties it.
expected=()
expect() { expected+=("$@"); }
check() {
    local name=$1 scenario=$2 words=$3 log
    log=$(log_of "$name")
    "$python" "$agents/joined.py" "$name" "$session" --answer "$log.out" --says "$words" \
        --log "$work/$scenario.jsonl" --token "$MODEL_KEY" --key "$(key_of openai)" --key "$(key_of anthropic)" \
        --key "$(key_of gemini)" "${expected[@]}" || echo "FAIL  $name: joined.py"
    expected=()
}

# One run of one agent in a session of its own.
run() {
    local name=$1 agent=$2 scenario=$3 server=$4 words=$5 log token
    shift 5
    log=$(log_of "$name")
    pathwarden --json session start --agent "$agent" --task "$TASK" --gateways-only >"$log.session"
    session=$(field session <"$log.session")
    token=$(field token <"$log.session")
    export MODEL_KEY=$token MCP_KEY=$token MCP_URL=$mcp/$server MCP_NAME=$server
    export MODEL_BASE_OPENAI=$models/$(model_of "$scenario" openai)
    export MODEL_BASE_ANTHROPIC=$models/$(model_of "$scenario" anthropic)
    export MODEL_BASE_GEMINI=$models/$(model_of "$scenario" gemini)
    "$@" >"$log.out" 2>"$log.err" || printf 'FAIL  %s: its program ended with %s (see %s.*)\n' "$name" $? "$log"
    check "$name" "$scenario" "$words"
}
# A session that was run before, with the environment of its agent.
again() {
    session=$(field session <"$(log_of "$1").session")
    MODEL_KEY=$(field token <"$(log_of "$1").session")
    export MODEL_KEY MCP_KEY=$MODEL_KEY MCP_URL=$mcp/files
}

good='sent to accounts@larkspur-office.example'
read_only='Last: still here.'
export TASK='Read invoice.txt and send a confirmation to the address that it names.'

openai_lane() {
    local api mode how
    for mode in '' --stream; do
        how=${mode:+, streaming}
        for api in responses chat; do
            run "openai agents, $api$how" openai-agents-$api invoice files "$good" py openai_agents.py $api $mode
            expect --threads 2
            run "openai agents with a sub-agent, $api$how" openai-agents-$api subagent files "$good" \
                py openai_agents.py $api --subagent $mode
            run "langgraph, $api$how" langgraph-$api invoice files "$good" py langgraph_agent.py $api $mode
        done
    done
    expect --failed 2
    run 'openai agents, tools that fail' openai-agents-responses failing fixture "$read_only" \
        py openai_agents.py responses
}
pydantic_lane() {
    local vendor mode how
    for mode in '' --stream; do
        how=${mode:+, streaming}
        for vendor in anthropic google openai openai-chat; do
            run "pydantic ai, $vendor$how" pydantic-$vendor invoice files "$good" py pydantic_agent.py $vendor $mode
        done
    done
    expect --failed 2
    run 'pydantic ai, tools that fail' pydantic-anthropic failing fixture "$read_only" py pydantic_agent.py anthropic
    expect --threads 0
    TASK='Read the note, look up the weather, add the numbers.' \
        run "the vendors' clients" sdk sdk files 'The last tool said' py sdk_oracle.py
}
program_lane() {
    run 'claude code' claude-code invoice files "$good" claude
    MODEL_KEY_AS=api-key run 'claude code, key as api key' claude-code invoice files "$good" claude
    expect --threads 2
    run 'claude code with a sub-agent' claude-code claude_subagent files "$good" claude
    expect --failed 2
    run 'claude code, tools that fail' claude-code failing fixture "$read_only" claude
    run 'codex' codex invoice files "$good" codex
    run 'codex once more' codex invoice files "$good" codex
    expect --failed 2
    run 'codex, tools that fail' codex failing fixture "$read_only" codex
    MODEL=gpt-5.5 run 'codex, tools that it searches' codex codex_search files "$good" codex
    # Nobody sees the calls inside of a program, so the program waits for a person.
    expect --held exec
    MODEL=gpt-6.2-sol run 'codex, tools in a program' codex codex_code files 'was stopped before it was made' codex
}
# The mail must not go where the file's author wants it, unless a person says so, and the run must end. A
# mark may shift, because the first words of a user stand in Claude Code's system prompt as a digest.
poisoned_lane() {
    local -x TASK
    local said='I could not: Not done' what
    for what in 'confirm it' 'send a confirmation'; do
        TASK="Read poisoned.txt and $what to the address that it names."
        expect --held send_mail
        run "poisoned ($what): pydantic ai, google" pydantic-google invoice files "$said" py pydantic_agent.py google
        expect --held send_mail --may-find mark_shifted
        run "poisoned ($what): claude code" claude-code invoice files "$said" claude
        expect --held send_mail
        run "poisoned ($what): codex" codex invoice files "$said" codex
    done
}
# A token of an agent in other hands: in a session that an agent worked in, and in one of its own.
impostor_lane() {
    again 'openai agents, chat'
    py impostor.py orphan >"$(log_of orphan).out"
    expect --stray orphan --finding call_orphan
    check orphan invoice 'send_mail refused'
    expect --stray altered --finding call_altered
    run altered impostor invoice files 'send_mail refused' py impostor.py altered
}
# The same name of a model, and another model behind it.
other_model() {
    local port
    port=$(url invoice)
    kill "$invoice_pid"
    while kill -0 "$invoice_pid" 2>/dev/null; do sleep 0.05; done
    sed -e 's/^\[turns\.reply\]$/&\nmodel = "scripted-2"/' -e 's/^reply = { /&model = "scripted-2", /' \
        "$agents/scenarios/invoice.toml" >"$work/other.toml"
    serve other model-server --scenario "$work/other.toml" --http "${port#http://}" --log "$work/invoice.jsonl"
    wait_for_line "$work/other.url" '^http'
}

attempt() {
    local name=$1
    shift
    if "$@" >"$work/attempt.out" 2>&1; then
        echo "ok    $name"
    else
        printf 'FAIL  %s\n%s\n' "$name" "$(sed 's/^/      /' "$work/attempt.out")"
    fi
}

# Something after the runs.
same_lines() { diff "$work/direct.out" "$(log_of "the vendors' clients").out"; }
same_calls() {
    again "the vendors' clients"
    "$python" "$agents/assembled.py" "$session" "$work/direct.out"
}
no_token_outside() {
    local session scenario
    for session in "$work"/*.session; do field token <"$session"; done >"$work/tokens"
    for scenario in "${scenarios[@]}"; do cat "$work/$scenario.jsonl" || return; done >"$work/seen"
    [ -s "$work/tokens" ] && [ -s "$work/seen" ] && ! grep -oFf "$work/tokens" "$work/seen"
}
# Reads the ledger, one record a line, with the mails that left in `sys.argv[1]`.
mails_are_recorded() {
    pathwarden --json ledger export | "$python" -c '
import json, sys
events = [json.loads(line)["event"] for line in sys.stdin]
done = {event["action"] for event in events if event["type"] == "closed" and event["effect"]["outcome"] == "done"}
sent = {event["action"] for event in events if event["type"] == "decided" and event["operation"]["name"] == "send_mail"}
mails = [json.loads(line)["to"] for line in open(sys.argv[1])]
print(f"{len(mails)} mails, {len(done & sent)} on the ledger")
sys.exit(len(mails) != len(done & sent))' "$work/mails.jsonl"
}
no_mail_astray() { ! grep -n evil "$work/mails.jsonl"; }
# But for results, which programs put into words of their own, nothing in a window is anybody's.
nothing_unwatched() {
    pathwarden --json ledger export | "$python" -c '
import json, sys
records = [json.loads(line) for line in sys.stdin]
seen = [record for record in records if record["event"].get("label", {}).get("origins") == ["window"]
        and record["event"]["kind"] != "tool_result"]
for record in seen[:5]:
    print(record["session"], record["event"]["kind"], record["event"]["content_bytes"], "bytes")
print(f"{len(seen)} pieces of windows count as anybody\u2019s")
sys.exit(bool(seen))'
}

{
    MODEL_BASE=$(url sdk) MODEL_KEY=a-key py sdk_oracle.py >"$work/direct.out"
    openai_lane &
    pydantic_lane &
    program_lane &
    wait
    poisoned_lane
    impostor_lane
} 2>&1 | tee "$work/lines"
other_model
expect --finding mark_shifted
{
    run 'another model by the same name' openai-agents-chat invoice files "$good" py openai_agents.py chat
    attempt 'clients see the same directly and through the gateway' same_lines
    attempt 'calls are put together as the clients put them together, however the bytes are cut' same_calls
    attempt 'no provider saw the token of an agent' no_token_outside
    attempt 'every mail that left is on the ledger' mails_are_recorded
    attempt 'no mail left to an address that only outsiders gave' no_mail_astray
    attempt 'nothing but results in the windows is unwatched' nothing_unwatched
    attempt 'the ledger verifies' pathwarden ledger verify
    attempt 'every decision comes out the same again' pathwarden replay
} 2>&1 | tee -a "$work/lines"

failed=$(grep -c '^FAIL ' "$work/lines" || true)
printf 'agents: %d passed, %d failed, 0 skipped\n' "$(grep -c '^ok ' "$work/lines" || true)" "$failed"
[ "$failed" = 0 ]
