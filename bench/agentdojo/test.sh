#!/usr/bin/env bash
# Tests the converter: single logs as data, then real logs. AgentDojo itself writes those, without a
# model (record_runs.py); they are converted and checked against what was logged.
# Needs Python 3 and, once, the Python package registry for `agentdojo` (below .work/ of this checkout).
set -euo pipefail
cd "$(dirname "$0")/../.."
here=bench/agentdojo
work=$PWD/.work/agentdojo
python=.work/agentdojo-py/bin/python
step() { printf '== %s\n' "$*"; }
fail() { printf 'FAILED %s\n' "$*"; exit 1; }

step "single logs, as data"
python3 -m unittest discover -s "$here"

step "a missing agentdojo is said, with how to install it"
rm -rf "$work" && mkdir -p "$work/empty"
code=0
python3 -S -E "$here/convert.py" "$work/empty" --out "$work/never.jsonl" 2>"$work/missing" || code=$?
[ "$code" = 2 ] && grep -q "pip install agentdojo" "$work/missing" || fail "missing agentdojo: exit $code"
[ ! -e "$work/never.jsonl" ] || fail "missing agentdojo: wrote a file"

# Most modules of the package's dependencies are never imported: compiling them all takes longest.
export PIP_NO_COMPILE=1 PIP_RETRIES=1 PIP_DEFAULT_TIMEOUT=10
if ! scripts/setup.sh agentdojo; then
    wanted=$(grep -v '^#' "$here/requirements.txt")
    if python3 -m venv "$work/probe" && ! "$work/probe/bin/pip" download --quiet --disable-pip-version-check \
        --no-deps --dest "$work/probe" "$wanted" >"$work/probe.log" 2>&1; then
        echo "SKIPPED real AgentDojo logs: the Python package registry cannot be reached for $wanted"
        exit 0
    fi
    fail "scripts/setup.sh agentdojo"
fi

convert() { "$python" "$here/convert.py" "$@"; }

step "AgentDojo writes real logs"
"$python" -W ignore "$here/record_runs.py" "$work/runs" 2>"$work/record.log" ||
    { cat "$work/record.log"; fail "record_runs.py"; }
step "they convert"
convert "$work/runs" --out "$work/events.jsonl.gz" --labels "$work/labels.jsonl.gz" | tee "$work/summary"
grep -qx "  ended in an error: 1" "$work/summary" || fail "the run that ended in an error was not counted"
grep -qx "  unfinished, without a result: 1" "$work/summary" || fail "the unfinished run was not counted"
"$python" "$here/check_events.py" "$work/runs" "$work/events.jsonl.gz" "$work/labels.jsonl.gz" ||
    fail "check_events.py"

step "same logs elsewhere, with every outcome turned round: the same bytes of events"
cp -r "$work/runs" "$work/turned"
find "$work/turned" -name '*.json' -exec sed -i -E \
    '/^    "(utility|security)": /{s/true/TURNED/; s/false/true/; s/TURNED/false/}' {} +
diff -rq "$work/runs" "$work/turned" >/dev/null && fail "no outcome was turned round"
convert "$work/turned" --out "$work/turned.jsonl.gz" --labels "$work/turned-labels.jsonl.gz" >"$work/turned.out"
cmp "$work/events.jsonl.gz" "$work/turned.jsonl.gz" || fail "the events tell the outcome"
cmp -s "$work/labels.jsonl.gz" "$work/turned-labels.jsonl.gz" && fail "the labels do not tell the outcome"

step "one suite alone: the same sessions as among all"
convert "$work/runs" --suite slack --out "$work/slack.jsonl" >"$work/slack.out"
gzip -dc "$work/events.jsonl.gz" >"$work/events.jsonl"
[ -s "$work/slack.jsonl" ] || fail "no session of slack"
[ "$(grep -cvxFf "$work/events.jsonl" "$work/slack.jsonl")" = 0 ] || fail "--suite changes sessions"
[ "$(grep -c '"agent": "slack-assistant"' "$work/events.jsonl")" = "$(grep -c session_start "$work/slack.jsonl")" ] ||
    fail "--suite loses sessions"
echo "PASSED"
