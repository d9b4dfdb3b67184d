#!/usr/bin/env python3
"""Prints what the gateway saw of each call, and beside it what the kernel saw. With the findings and with
what is contained, it checks the story instead, and fails where it went otherwise.
"""

import argparse
import json
import sys
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("path", type=Path, help="what `pathwarden --json path` printed")
parser.add_argument("--findings", type=Path, help="what `pathwarden --json findings` printed")
parser.add_argument("--standing", type=Path, help="what `pathwarden --json contain list` printed")
arguments = parser.parse_args()

SERVER = "notes"
STRANGE = {"effect_orphan", "effect_deviation"}
# What every program of this kind does, and says nothing here.
USUAL = {"system", "toolchain", "temporary", "device", "process", "named"}


def load(path):
    return json.loads(path.read_text())


def shown(act, refused=False):
    what = act["what"].rsplit("/workspace/", 1)[-1].replace("**", "files")
    return f"{act['verb']} {act['place']} {what}" + (" (refused)" if refused else "")


def kernel(step):
    """What the kernel measured of a call, without what is usual."""
    acts = (step.get("measured") or {}).get("acts", [])
    told = [shown(act, act.get("refused")) for act in acts if act["verb"] == "reach" or act["place"] not in USUAL]
    return told or ["nothing but its own programs and libraries"]


def is_call(step):
    return step["operation"]["server"] == SERVER and step["operation"]["kind"] == "tool_call"


def is_effect(step):
    return step["operation"]["kind"] == "effect"


def beside(steps):
    row = "{:<16} {:<18} {}".format
    print(row("call", "the gateway", "the kernel"))
    for step in steps:
        if is_call(step):
            gateway = f"{step['verdicts'][-1]}, {step['outcome']}"
            first, *more = kernel(step)
            print(row(step["operation"]["name"], gateway, first))
            for line in more:
                print(row("", "", line))
        elif is_effect(step) and step["verdicts"][-1] == "deny":
            rules = ", ".join(because["rule"] for because in step["because"])
            for act in step["host"]["acts"]:
                print(row("", "(not visible)", f"{shown(act)}: deny, {rules}"))


def how_soon(steps, events):
    """From the decision about the key to the cut."""
    theft = next((step["at"] for step in steps if any(is_theft(act) for act in (step["host"] or {}).get("acts", []))), None)
    cut = next((event["at"] for event in events if event["what"] == "contained"), None)
    if theft is not None and cut is not None:
        print(f"{cut - theft} ms after the key was opened, nothing could leave the server any more")


def is_theft(act):
    return act["verb"] == "read" and act["what"].endswith("id_ed25519")


def faults(steps):
    calls = [step for step in steps if is_call(step)]
    if len(calls) != 5 or any(step["verdicts"] != ["allow"] or step["outcome"] != "done" for step in calls):
        yield "not every call was allowed and done"
    strange = [row["finding"] for row in load(arguments.findings) if row["finding"]["kind"] in STRANGE]
    if not any(finding["server"] == SERVER and "id_ed25519" in json.dumps(finding) for finding in strange):
        yield "the theft of the key is no finding"
    standing = load(arguments.standing)["standing"]
    if not any(
        one["verb"] == "no_egress" and one["target"] == {"kind": "server", "server": SERVER} for one in standing
    ):
        yield "the server's egress is not cut"


path = load(arguments.path)
steps = sorted(path["steps"], key=lambda step: (step["at"], step["index"]))
if arguments.findings is None:
    beside(steps)
    how_soon(steps, path["events"])
    sys.exit()
wrong = list(faults(steps))
for fault in wrong:
    print(f"quiet-thief: {fault}", file=sys.stderr)
sys.exit(bool(wrong))
