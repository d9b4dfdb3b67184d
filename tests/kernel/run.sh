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

total_passed=0 total_failed=0
for part in traps verbs daemon supply unprivileged corpus workloads; do
    script=tests/kernel/$part.py
    [ -f "$script" ] || continue
    printf '\n== %s\n' "$part"
    : >"$out"
    timeout --kill-after=60 "$part_seconds" python3 "$script" > >(tee -a "$out") &
    running=$!
    wait "$running"
    status=$?
    running=
    wait
    # Each part counts in its last lines: `traps: 29 passed, 0 failed, 0 skipped`, `attacks: 80 of 80 stopped (…`,
    # `ordinary: 200 of 200 ran, …`, `workloads: 7 of 7 done …`.
    read -r passed failed < <(awk '
        /^[a-z]+: [0-9]+ passed, [0-9]+ failed/ { passed += $2; failed += $4 }
        /^[a-z]+: [0-9]+ of [0-9]+ (stopped|ran|done)/ { passed += $2; failed += $4 - $2 }
        END { print passed + 0, failed + 0 }' "$out")
    # One that does not come to its end, or fails without a count of it, is a failure.
    if [ "$status" != 0 ] && [ "$failed" = 0 ]; then
        printf 'part %s  FAILED  status %s\n' "$part" "$status"
        failed=1
    fi
    total_passed=$((total_passed + passed)) total_failed=$((total_failed + failed))
done

printf '\n%s passed, %s failed\n' "$total_passed" "$total_failed"
[ "$total_failed" = 0 ] && [ "$total_passed" != 0 ]
