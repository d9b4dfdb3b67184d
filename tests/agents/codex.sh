#!/usr/bin/env bash
# Codex, headless, with a scripted model behind a provider of its own (OpenAI's Responses API) and the
# tools of one MCP server, which it knows as `files`. No account. Prints the final text; with `--json` as
# an argument, its events.
#   MODEL_BASE MODEL_KEY MCP_URL MCP_KEY TASK   as in env.py
#   AGENT_WORK   where it keeps its state (a new folder each time, if not set)
# Arguments are handed to `codex exec`.
set -euo pipefail
cd "$(dirname "$0")/../.."
modules=${AGENTS_NODE:-$PWD/.work/agents-node}
work=${AGENT_WORK:-$(mktemp -d)}
[ -n "${AGENT_WORK:-}" ] || trap 'rm -rf "$work"' EXIT
mkdir -p "$work/home/.codex" "$work/folder"

bearer=
[ -z "${MCP_KEY:-}" ] || bearer='bearer_token_env_var = "MCP_KEY"'
cat >"$work/home/.codex/config.toml" <<TOML
model = "${MODEL:-gpt-5.1-codex}"
model_provider = "scripted"
approval_policy = "never"
check_for_update_on_startup = false

[analytics]
enabled = false

[model_providers.scripted]
name = "scripted"
base_url = "$MODEL_BASE/v1"
env_key = "MODEL_KEY"
wire_api = "responses"
request_max_retries = 1
stream_max_retries = 1

[mcp_servers.files]
url = "$MCP_URL"
required = true
default_tools_approval_mode = "approve"
$bearer
TOML

# Nothing of the caller's own Codex: neither its variables nor its home.
env -i PATH="$PATH" HOME="$work/home" CODEX_HOME="$work/home/.codex" TERM=dumb \
    MODEL_KEY="${MODEL_KEY:-test-key}" MCP_KEY="${MCP_KEY:-}" ${CODEX_ENV:-} \
    timeout "${AGENT_TIMEOUT:-120}" "$modules/node_modules/.bin/codex" exec --skip-git-repo-check \
    --cd "$work/folder" "$@" \
    "${TASK:-Read invoice.txt and confirm it to the address that it names.}" </dev/null
