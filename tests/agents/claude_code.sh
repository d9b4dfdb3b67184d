#!/usr/bin/env bash
# Claude Code, headless, with a scripted model and the tools of one MCP server, which it knows as
# `files`, or as MCP_NAME. Prints what `claude --output-format json` prints: `result` is the final text.
#   MODEL_BASE MODEL_KEY MCP_URL MCP_KEY TASK   as in env.py
#   MODEL_KEY_AS=api-key   sends the key as `x-api-key` instead of as a bearer token
#   AGENT_WORK             where it keeps its state (a new folder each time, if not set)
# Arguments are handed to `claude`.
set -euo pipefail
cd "$(dirname "$0")/../.."
modules=${AGENTS_NODE:-$PWD/.work/agents-node}
work=${AGENT_WORK:-$(mktemp -d)}
[ -n "${AGENT_WORK:-}" ] || trap 'rm -rf "$work"' EXIT
mkdir -p "$work/home" "$work/folder"

case ${MODEL_KEY_AS:-bearer} in
    bearer) key=ANTHROPIC_AUTH_TOKEN ;;
    api-key) key=ANTHROPIC_API_KEY ;;
    *) echo 'MODEL_KEY_AS is none of bearer, api-key' >&2 && exit 2 ;;
esac

headers=
[ -z "${MCP_KEY:-}" ] || headers=", \"headers\": { \"Authorization\": \"Bearer $MCP_KEY\" }"
name=${MCP_NAME:-files}
printf '{ "mcpServers": { "%s": { "type": "http", "url": "%s"%s } } }\n' "$name" "$MCP_URL" "$headers" \
    >"$work/mcp.json"

# Nothing of the caller's own Claude Code: neither its variables nor its home.
cd "$work/folder"
env -i PATH="$PATH" HOME="$work/home" TERM=dumb IS_SANDBOX=1 \
    ANTHROPIC_BASE_URL="$MODEL_BASE" "$key=${MODEL_KEY:-test-key}" \
    ANTHROPIC_MODEL="${MODEL:-claude-sonnet-4-5}" \
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 DISABLE_AUTOUPDATER=1 DISABLE_TELEMETRY=1 \
    DISABLE_ERROR_REPORTING=1 API_TIMEOUT_MS=60000 MCP_TIMEOUT=30000 ${CLAUDE_ENV:-} \
    timeout "${AGENT_TIMEOUT:-120}" "$modules/node_modules/.bin/claude" \
    -p "${TASK:-Read invoice.txt and confirm it to the address that it names.}" \
    --output-format json --mcp-config "$work/mcp.json" --strict-mcp-config \
    --allowedTools "mcp__${name}__*" "$@" </dev/null
