#!/usr/bin/env python3
"""Whether one run of an agent is whole on the ledger: each model call, each tool call that the model
emitted, and each that was carried out are one chain, and nothing else happened.

Prints `ok` or `FAIL` and what is wrong. Asks the node of PATHWARDEN_HOME, and waits until it has closed
every permit of the session.
"""

import argparse
import hashlib
import json
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

RELEASED = {"allow", "constrain"}
PATIENCE_SECONDS = 10
CREDENTIALS = ("authorization", "x-api-key", "x-goog-api-key", "x-pathwarden-token")


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("session")
    parser.add_argument("--answer", type=Path, required=True, help="what the agent printed")
    parser.add_argument("--says", required=True, help="words of its answer")
    parser.add_argument("--log", type=Path, required=True, help="of the model server")
    parser.add_argument("--token", required=True, help="the agent's, which no provider may see")
    parser.add_argument("--key", action="append", required=True, help="the provider's, which it must see")
    parser.add_argument("--threads", type=int, default=1, help="conversations with models; 0 for any number")
    parser.add_argument("--failed", type=int, default=0, help="calls that end as failed")
    parser.add_argument("--held", help="a tool whose call a person must answer")
    parser.add_argument("--stray", choices=["orphan", "altered"], help="a call that is not as a model emitted it")
    parser.add_argument("--finding", action="append", default=[], help="what must be found; nothing else may be")
    parser.add_argument("--may-find", action="append", default=[], help="what may be found")
    return parser.parse_args()


class Run:
    """The records of one session."""

    def __init__(self, session):
        export = subprocess.run(["pathwarden", "--json", "ledger", "export"], capture_output=True, check=True)
        records = [json.loads(line) for line in export.stdout.splitlines()]
        events = [record["event"] for record in records if record["session"] == session]
        of = lambda kind: [event for event in events if event["type"] == kind]
        self.decided = of("decided")
        self.emitted = {event["action"]: event for event in of("emitted")}
        self.closed = {event["action"]: event["effect"]["outcome"] for event in of("closed")}
        self.found = of("found")
        self.windows = [event for event in of("observed") if event["kind"] == "window"]
        is_model = lambda event: event["operation"]["kind"] == "model_call"
        self.model_calls = {event["action"]: event for event in self.decided if is_model(event)}
        # A call that was decided more than once stands as it was decided last.
        self.tool_calls = {event["action"]: event for event in self.decided if not is_model(event)}

    def open(self):
        return [event["action"] for event in self.released() if event["action"] not in self.closed]

    def released(self):
        return [event for event in self.decided if event["verdict"] in RELEASED]

    def executed(self):
        """Calls that an MCP server carried out."""
        is_theirs = lambda call: call["kind"] == "tool_call" and call["server"] != "local"
        actions = {event["action"] for event in self.released() if is_theirs(event["operation"])}
        return actions & set(self.closed)


def payloads(home):
    """Content that records name, by digest; the format is told in crates/verify/src/frames.rs."""
    contents = {}
    for segment in sorted((home / "ledger/segments").glob("*.seg")):
        data, at = segment.read_bytes(), 64
        while at + 20 <= len(data):
            length, _, kind = struct.unpack_from("<IIB", data, at)
            if length == 0:
                break
            digest, content = data[at + 20 : at + 52], data[at + 52 : at + 20 + length]
            if kind == 2 and hashlib.sha256(content).digest() == digest:
                contents[digest.hex()] = content
            at += (20 + length + 7) // 8 * 8
    return contents


def threads(run):
    """The windows, as they were placed, by their conversation."""
    contents, found = payloads(Path(os.environ["PATHWARDEN_HOME"])), {}
    for window in run.windows:
        placed = json.loads(contents[window["content"]])
        found.setdefault(placed["thread"], []).append((window["action"], placed))
    return found


def chain(run, stray):
    """What a model emitted and what was carried out are the same calls."""
    for action, call in run.emitted.items():
        tool = call["operation"]["name"]
        decided = run.tool_calls.get(action)
        if call["model_call"] not in run.model_calls:
            yield f"the call of {tool} was emitted by no model call that was decided"
        if decided is None:
            if not is_replaced(run, call, stray):
                yield f"nobody claimed the emitted call of {tool} {action}"
            continue
        same = ["canonical", "operation"]
        yield from (f"{key} of {tool} is not as emitted" for key in same if decided[key] != call[key])
        if decided["position"]["parent"] != call["model_call"]:
            yield f"the parent of {tool} is not the model call that emitted it"
    for action, decided in run.tool_calls.items():
        if is_stray(run, action, stray):
            continue
        if decided["claim"] != "emitted" or action not in run.emitted:
            tool = decided["operation"]["name"]
            yield f"{tool} {action} is claimed as {decided['claim']}, and no model emitted it so"


def is_stray(run, action, stray):
    """A call that no model asked for has an identity of its own."""
    return run.tool_calls[action]["claim"] == stray and action not in run.emitted


def is_replaced(run, call, stray):
    """An altered call stands in the place of the one that was emitted, below the same model call."""
    made = [run.tool_calls[action] for action in run.tool_calls if is_stray(run, action, stray)]
    return stray == "altered" and any(
        decided["operation"] == call["operation"] and decided["position"]["parent"] == call["model_call"]
        for decided in made)


def strays(run, stray):
    """A call that no model asked for is found, and held."""
    calls = [action for action in run.tool_calls if is_stray(run, action, stray)]
    if len(calls) != 1:
        yield f"{len(calls)} calls are {stray}"
    for action in calls:
        if action not in [found["action"] for found in run.found if found["kind"] == f"call_{stray}"]:
            yield f"the {stray} call was not found"
        if action in [event["action"] for event in run.released()]:
            yield f"the {stray} call was let through"


def effects(run, failed, held):
    """What was let through came to its end; nothing else was stopped than what had to be."""
    yield from (f"the permit of {action} is not closed" for action in run.open())
    ends = [run.closed[event["action"]] for event in run.released() if event["action"] in run.closed]
    if sorted(set(ends) - {"done", "failed"}) or ends.count("failed") != failed:
        yield f"outcomes are {ends}"
    stopped = [event for event in run.model_calls.values() if event["verdict"] not in RELEASED]
    tools = [call for call in run.tool_calls.values() if call["verdict"] not in RELEASED and call["claim"] == "emitted"]
    names = [event["operation"]["name"] for event in stopped + tools]
    if names != ([held] if held else []):
        yield f"stopped were {names}"


def findings(run, wanted, allowed):
    found = sorted(finding["kind"] for finding in run.found if finding["kind"] not in allowed)
    if found != sorted(wanted):
        subjects = [f"{finding['kind']} ({finding['subject']})" for finding in run.found]
        yield f"found: {', '.join(subjects) or 'nothing'}"


def provider(run, session, log, token, keys):
    """The provider saw each model call once, with its own key, and never the agent's token."""
    lines = [line for line in log.read_text().splitlines() if f'"00-{session}-' in line]
    asked = [json.loads(line) for line in lines]
    spans = sorted(request["headers"]["traceparent"].split("-")[2] for request in asked)
    if spans != sorted(run.model_calls):
        yield f"the provider saw {len(spans)} calls, and {len(run.model_calls)} are on the ledger"
    shown = [[request["headers"].get(name) for name in CREDENTIALS] for request in asked]
    shown = [[value.removeprefix("Bearer ") for value in values if value] for values in shown]
    if not all(len(values) == 1 and values[0] in keys for values in shown):
        yield "the provider did not see its key, and it alone"
    if any(token in line for line in lines):
        yield "the provider saw the agent's token"


def conversations(run, wanted):
    """A sub-agent has a conversation of its own, which the call began that told it what to do."""
    if wanted == 0:
        return
    found = threads(run)
    if len(found) != wanted:
        changes = [placed["change"] for windows in found.values() for _, placed in windows]
        yield f"conversations are {len(found)} and not {wanted}: windows are {', '.join(changes)}"
    by = [windows[0][1].get("spawned_by") for windows in found.values()]
    spawned = [action for action in by if action]
    if len(spawned) != wanted - 1 or not all(action in run.emitted for action in spawned):
        yield f"{len(spawned)} conversations were begun by a call of a model"
    for thread, windows in found.items():
        told_by = run.emitted.get(windows[0][1].get("spawned_by"))
        calls = [action for action, _ in windows]
        emits = any(call["model_call"] in calls for call in run.emitted.values())
        if told_by and (told_by["model_call"] in calls or not emits):
            yield f"the conversation {thread} is not the one that was begun"


def main():
    wanted = arguments()
    until = time.monotonic() + PATIENCE_SECONDS
    while (run := Run(wanted.session)).open() and time.monotonic() < until:
        time.sleep(0.1)
    wrong = [] if wanted.says in wanted.answer.read_text() else [f"the answer does not say `{wanted.says}`"]
    wrong += chain(run, wanted.stray)
    wrong += strays(run, wanted.stray) if wanted.stray else []
    wrong += effects(run, wanted.failed, wanted.held)
    wrong += findings(run, wanted.finding, wanted.may_find)
    wrong += provider(run, wanted.session, wanted.log, wanted.token, wanted.key)
    wrong += conversations(run, wanted.threads)
    counts = f"{len(run.model_calls)} model calls, {len(run.emitted)} emitted, {len(run.executed())} executed"
    good = f"the {wanted.stray} call held" if wanted.stray else "joined"
    lines = [f"FAIL  {wanted.name}: {counts} (session {wanted.session})", *(f"      {line}" for line in wrong)]
    said = "\n".join(lines) if wrong else f"ok    {wanted.name}: {counts}, {good}"
    # In one piece: several of these write to one pipe, and a line that does not begin with its verdict is not counted.
    sys.stdout.write(said + "\n")


main()
