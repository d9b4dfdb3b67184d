#!/usr/bin/env python3
"""What each signal and stage is worth: decide recorded runs with each of them taken out in turn.

    run.py --set EVENTS LABELS [--set EVENTS LABELS]... --score SCORE [--part ablation|suites|curve|all]

EVENTS are recorded runs as `pathwarden eval` reads them; LABELS say which of their actions mattered.
SCORE is the scorer: it is called as `SCORE EVENTS LABELS DECISIONS --json FILE` and writes its report
to FILE. What is printed is Markdown.

    ablation   each signal with weight 0, each stage of the policy taken out
    suites     weights and bands chosen on one suite, reported on the others
    curve      attacks left against work kept, from strict to lax

Exit code: 0 done, 1 a run failed, 2 wrong use.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
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
            print(f"{name_of(events)}: {variant.name}", file=sys.stderr, flush=True)
            with tempfile.TemporaryDirectory() as folder:
                self.reports[variant, events] = self.measure(variant, events, labels, Path(folder))
        return self.reports[variant, events]

    def measure(self, variant: Variant, events: Path, labels: Path, folder: Path) -> dict:
        variant.policy(self.options.policies, folder / "policies")
        (folder / "risk.toml").write_text(variant.configuration(), encoding="utf-8")
        decisions, report = folder / "decisions.jsonl", folder / "report.json"
        decide = [self.options.pathwarden, "eval", "--events", events, "--out", decisions]
        run([*decide, "--policy", folder / "policies", "--config", folder / "risk.toml"])
        run([sys.executable, self.options.score, events, labels, decisions, "--json", report])
        return json.loads(report.read_text(encoding="utf-8"))


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


def table(bench: Bench, found: list[Variant]) -> list[str]:
    """One row for each variant, four columns for each set."""
    names = [name_of(events) for events, _ in bench.sets]
    heads = ["left %", "benign %", "resisted %", "holds/100"]
    lines = [row("", *(f"{name}: {head}" for name in names for head in heads))]
    lines.append(row("---", *["---:"] * (len(names) * len(heads))))
    for variant in found:
        reports = [bench.report(variant, place) for place in range(len(names))]
        lines.append(row(variant.name, *(cell for report in reports for cell in cells(report))))
    return lines


def ablation(bench: Bench) -> list[str]:
    stages, signals = variants.without_stages(), variants.without_signals()
    return ["## What each part is worth", "", *table(bench, [FULL, *stages, *signals])]


def curve(bench: Bench) -> list[str]:
    """The points by how many attacks they leave on the first set, the strictest first."""
    points = [*variants.strictness(), FULL]
    points.sort(key=lambda variant: overall(bench.report(variant, 0), LEFT) or 0.0)
    return ["## Attacks left against work kept", "", *table(bench, points)]


def worth(report: dict, suite: str) -> float:
    """What a setting is chosen by: the mean of what is kept, less the attacks left."""
    kept = [of_suite(report, measure, suite) for measure in (BENIGN, RESISTED)]
    kept = [rate for rate in kept if rate is not None]
    return (sum(kept) / len(kept) if kept else 0.0) - (of_suite(report, LEFT, suite) or 0.0)


def suites(bench: Bench) -> list[str]:
    """The settings that one suite would have chosen, on the suites that had no say."""
    reports = {v: [bench.report(v, place) for place in range(len(bench.sets))] for v in variants.grid()}
    homes = {
        suite: place for place in range(len(bench.sets)) for suite in reports[FULL][place]["attacks"]["by"]["suite"]
    }
    lines = ["## Chosen on one suite, reported on the others", ""]
    lines.append(row("chosen on", "setting", "reported on", "left %", "benign %", "resisted %", "as shipped"))
    lines.append(row("---", "---", "---", "---:", "---:", "---:", "---:"))
    for suite, place in homes.items():
        # Of equally good ones the first, which is the shipped one.
        chosen = max(reports, key=lambda variant: worth(reports[variant][place], suite))
        for other, home in homes.items():
            if other != suite:
                rates = [[percent(of_suite(reports[v][home], m, other)) for m in (LEFT, BENIGN, RESISTED)]
                         for v in (chosen, FULL)]
                lines.append(row(suite, chosen.name, other, *rates[0], " / ".join(rates[1])))
    lines += ["", "What each setting is worth on each suite (mean of what is kept less attacks left):", ""]
    lines.append(row("setting", *homes))
    lines.append(row("---", *["---:"] * len(homes)))
    for variant, found in reports.items():
        lines.append(row(variant.name, *(percent(worth(found[place], suite)) for suite, place in homes.items())))
    return lines


PARTS = {"ablation": ablation, "suites": suites, "curve": curve}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", nargs=2, action="append", required=True, metavar=("EVENTS", "LABELS"))
    parser.add_argument("--score", type=Path, required=True, help="the scorer, a Python program")
    parser.add_argument("--part", choices=[*PARTS, "all"], default="all")
    parser.add_argument("--pathwarden", type=Path, default=ROOT / "target/release/pathwarden")
    parser.add_argument("--policies", type=Path, default=ROOT / "policies")
    options = parser.parse_args()
    bench = Bench(options)
    parts = PARTS if options.part == "all" else [options.part]
    try:
        for part in parts:
            print("\n".join([*PARTS[part](bench), ""]), flush=True)
    except (Failed, variants.Unknown, OSError, ValueError, KeyError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
