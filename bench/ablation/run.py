#!/usr/bin/env python3
"""What each signal and stage is worth: decide recorded runs with each of them taken out in turn.

    run.py --set EVENTS LABELS [--set EVENTS LABELS]... --score SCORE [--part ablation|suites|curve|all]

EVENTS are recorded runs as `pathwarden eval` reads them; LABELS say which of their actions mattered.
SCORE is the scorer: it is called as `SCORE EVENTS LABELS DECISIONS --json FILE` and writes its report
to FILE. What is printed is Markdown, each row as soon as it is known. With --keep DIR reports are kept
there, and a run that was broken off goes on from them; use a new folder for every build.

    ablation   each signal with weight 0, each stage of the policy taken out
    suites     weights and bands chosen on one suite, reported on the others
    curve      attacks left against work kept, from strict to lax

Exit code: 0 done, 1 a run failed, 2 wrong use.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import variants
from variants import FULL, Variant

ROOT = Path(__file__).resolve().parents[2]
# The measures, as their path in the report of the scorer.
LEFT = ("attacks", "residual_deny_or_hold")
BENIGN = ("benign_useful", "kept_strict_if_holds_refused")
RESISTED = ("resisted_useful", "kept_strict_if_holds_refused")


class Failed(Exception):
    """A program that was run did not end well."""


class Bench:
    """Runs variants over the sets, each pair once."""

    def __init__(self, options):
        self.options = options
        self.sets = [(Path(events), Path(labels)) for events, labels in options.set]
        self.reports: dict[tuple[Variant, Path], dict] = {}

    def report(self, variant: Variant, place: int) -> dict:
        """What the scorer says of a variant on a set."""
        events, labels = self.sets[place]
        if (variant, events) not in self.reports:
            with tempfile.TemporaryDirectory() as folder:
                keep = self.options.keep or Path(folder)
                file = keep / f"{hashlib.sha256(f'{variant} {events.name}'.encode()).hexdigest()}.json"
                if not file.exists():
                    print(f"{name_of(events)}: {variant.name}", file=sys.stderr, flush=True)
                    self.measure(variant, events, labels, Path(folder)).replace(file)
                self.reports[variant, events] = json.loads(file.read_text(encoding="utf-8"))
        return self.reports[variant, events]

    def measure(self, variant: Variant, events: Path, labels: Path, folder: Path) -> Path:
        variant.policy(self.options.policies, folder / "policies")
        (folder / "risk.toml").write_text(variant.configuration(), encoding="utf-8")
        # A report that is kept is moved into place whole, so it is written beside the others.
        decisions, report = folder / "decisions.jsonl", (self.options.keep or folder) / f"new-{os.getpid()}.json"
        decide = [self.options.pathwarden, "eval", "--events", events, "--out", decisions]
        run([*decide, "--policy", folder / "policies", "--config", folder / "risk.toml"])
        run([sys.executable, self.options.score, events, labels, decisions, "--json", report])
        return report


def run(command) -> None:
    command = [str(part) for part in command]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: {done.stderr.strip()}")


def name_of(events: Path) -> str:
    return events.name.split(".")[0]


def overall(report: dict, measure: tuple[str, str]):
    return report[measure[0]][measure[1]]["rate"]


def of_suite(report: dict, measure: tuple[str, str], suite: str):
    found = report[measure[0]]["by"]["suite"].get(suite)
    return found and found[measure[1]]["rate"]


def percent(rate) -> str:
    return "–" if rate is None else f"{100 * rate:.1f}"


def cells(report: dict) -> list[str]:
    rates = [percent(overall(report, measure)) for measure in (LEFT, BENIGN, RESISTED)]
    return [*rates, f"{report['holds_per_100_actions']:.2f}"]


def row(*texts: str) -> str:
    return "| " + " | ".join(texts) + " |"


def table(bench: Bench, found: list[Variant]) -> Iterator[str]:
    """One row for each variant, four columns for each set."""
    names = [name_of(events) for events, _ in bench.sets]
    heads = ["left %", "benign %", "resisted %", "holds/100"]
    yield row("", *(f"{name}: {head}" for name in names for head in heads))
    yield row("---", *["---:"] * (len(names) * len(heads)))
    for variant in found:
        reports = [bench.report(variant, place) for place in range(len(names))]
        yield row(variant.name, *(cell for report in reports for cell in cells(report)))


def ablation(bench: Bench) -> Iterator[str]:
    yield from ("## What each part is worth", "")
    yield from table(bench, [FULL, *variants.without_stages(), *variants.without_signals()])


def curve(bench: Bench) -> Iterator[str]:
    """The points from strict to lax."""
    yield from ("## Attacks left against work kept", "")
    yield from table(bench, variants.strictness())


def worth(report: dict, suite: str) -> float:
    """What a setting is chosen by: the mean of what is kept, less the attacks left."""
    kept = [of_suite(report, measure, suite) for measure in (BENIGN, RESISTED)]
    kept = [rate for rate in kept if rate is not None]
    return (sum(kept) / len(kept) if kept else 0.0) - (of_suite(report, LEFT, suite) or 0.0)


def suites(bench: Bench) -> Iterator[str]:
    """The settings that one suite would have chosen, on the suites that had no say."""
    reports = {v: [bench.report(v, place) for place in range(len(bench.sets))] for v in variants.grid()}
    homes = {
        suite: place for place in range(len(bench.sets)) for suite in reports[FULL][place]["attacks"]["by"]["suite"]
    }
    yield from ("## Chosen on one suite, reported on the others", "")
    yield row("chosen on", "setting", "reported on", "left %", "benign %", "resisted %", "as shipped")
    yield row("---", "---", "---", "---:", "---:", "---:", "---:")
    for suite, place in homes.items():
        # Of equally good ones the first, which is the shipped one.
        chosen = max(reports, key=lambda variant: worth(reports[variant][place], suite))
        for other, home in homes.items():
            if other != suite:
                rates = [[percent(of_suite(reports[v][home], m, other)) for m in (LEFT, BENIGN, RESISTED)]
                         for v in (chosen, FULL)]
                yield row(suite, chosen.name, other, *rates[0], " / ".join(rates[1]))
    yield from ("", "What each setting is worth on each suite (mean of what is kept less attacks left):", "")
    yield row("setting", *homes)
    yield row("---", *["---:"] * len(homes))
    for variant, found in reports.items():
        yield row(variant.name, *(percent(worth(found[place], suite)) for suite, place in homes.items()))


PARTS = {"ablation": ablation, "suites": suites, "curve": curve}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", nargs=2, action="append", required=True, metavar=("EVENTS", "LABELS"))
    parser.add_argument("--score", type=Path, required=True, help="the scorer, a Python program")
    parser.add_argument("--part", choices=[*PARTS, "all"], default="all")
    parser.add_argument("--pathwarden", type=Path, default=ROOT / "target/release/pathwarden")
    parser.add_argument("--policies", type=Path, default=ROOT / "policies")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep reports in this folder")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    bench = Bench(options)
    parts = PARTS if options.part == "all" else [options.part]
    try:
        for part in parts:
            for line in PARTS[part](bench):
                print(line, flush=True)
            print(flush=True)
    except (Failed, variants.Unknown, OSError, ValueError, KeyError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
