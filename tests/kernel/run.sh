#!/usr/bin/env bash
# The kernel plane on the real kernel, as root: attempts to get past it, what containment takes and gives back,
# the node's death, a corpus of agents' acts, and real work. One line for each check; the last line counts.
# Needs gcc and what `cargo build --workspace` made; PATHWARDEN_BIN names another folder of programs.
set -uo pipefail
cd "$(dirname "$0")/../.."
export PYTHONDONTWRITEBYTECODE=1
unset PATHWARDEN_TOKEN PATHWARDEN_ENDPOINT PATHWARDEN_HOME
# What hangs is ended, with time to clean up.
part_seconds=1800
out=$(mktemp)
running=
stop() {
    [ -z "$running" ] || kill "$running" 2>/dev/null
    wait 2>/dev/null
    rm -f "$out"
}
trap stop EXIT
trap 'exit 130' INT TERM

failed_parts=0
for part in traps verbs daemon corpus workloads; do
    script=tests/kernel/$part.py
    [ -f "$script" ] || continue
    printf '\n== %s\n' "$part"
    timeout --kill-after=60 "$part_seconds" python3 "$script" > >(tee -a "$out") &
    running=$!
    wait "$running"
    status=$?
    running=
    # A part that ended without counting a failure, but not well, is one.
    if [ "$status" != 0 ]; then
        printf 'part %s ended with %s\n' "$part" "$status"
        failed_parts=$((failed_parts + 1))
    fi
done
wait

count() { grep -cE "$1" "$out"; }
# Lines of checks: `trap NAME ok …`, `verb NAME FAILED …`; corpus and workloads begin with the verdict.
passed=$(count '^(trap|verb|daemon) +[^ ]+ +ok( |$)|^(ok|PASS) ')
failed=$(count '^(trap|verb|daemon) +[^ ]+ +FAILED|^(FAIL|FAILED) ')
skipped=$(count '^skipped: ')
if [ "$failed" = 0 ] && [ "$failed_parts" != 0 ]; then failed=$failed_parts; fi
[ "$skipped" = 0 ] || printf '%s skipped\n' "$skipped"
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
