#!/usr/bin/env python3
"""Check converted events and labels against the logs they were made of; exits 1 with what is wrong.

    check_events.py RUNS EVENTS LABELS

It does not use the converter's code: the logs are read a second way, and counted.
"""

from __future__ import annotations

import collections
import gzip
import json
import sys
from pathlib import Path

FIELDS = {
    "session_start": {"principal", "system", "goal", "tools"},
    "user_message": {"text"},
    "model_output": {"text"},
    "action": {"kind", "tool", "args"},
    "result": {"of", "output", "source", "error"},
}
COMMON = {"id", "session", "seq", "ev", "ts_ms"}
wrong = []


def check(holds, what):
    if not holds:
        wrong.append(what)


def lines(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def check_session(events):
    first, actions, answered = events[0], {}, set()
    check(first["ev"] == "session_start" and first["goal"], f"{first['id']}: no start with a goal")
    check(all(tool["schema"]["type"] == "object" for tool in first["tools"]), f"{first['id']}: schemas")
    for seq, event in enumerate(events):
        name = event["id"]
        check(set(event) == COMMON | FIELDS[event["ev"]], f"{name}: fields {sorted(event)}")
        check(event["seq"] == seq and name == f"{event['session']}#{seq}", f"{name}: numbering")
        check(seq == 0 or event["ts_ms"] > events[seq - 1]["ts_ms"], f"{name}: time does not move on")
        if event["ev"] == "action":
            actions[name] = event
            check(isinstance(event["args"], dict), f"{name}: arguments")
        elif event["ev"] == "result":
            check(event["of"] in actions and event["of"] not in answered, f"{name}: answers {event['of']}")
            answered.add(event["of"])
            check(event["source"] == "tool:" + actions[event["of"]]["tool"], f"{name}: source")
    known = {tool["name"] for tool in first["tools"]}
    worked = {event["source"] for event in events if event["ev"] == "result" and event["error"] is None}
    check(worked <= {f"tool:{name}" for name in known}, f"{first['id']}: a tool without a schema worked")
    check(actions.keys() == answered, f"{first['id']}: calls without a result")


def check_against_log(runs, label, events):
    run = json.loads(Path(runs, label["trace"]).read_text())
    calls = [call for message in run["messages"] for call in message.get("tool_calls") or []]
    actions = [event for event in events if event["ev"] == "action"]
    asked = [(call["function"], call["args"]) for call in calls]
    check([(event["tool"], event["args"]) for event in actions] == asked, f"{label['trace']}: calls")
    check(label["actions"] == len(asked), f"{label['trace']}: count of actions")
    attacked = run["attack_type"] is not None
    check(label["attack_succeeded"] == (attacked and run["security"]), f"{label['trace']}: attack_succeeded")
    check(label["task_useful"] == run["utility"], f"{label['trace']}: task_useful")
    results = [event for event in events if event["ev"] == "result"]
    outputs = [message["content"][0]["content"] for message in run["messages"] if message["role"] == "tool"]
    check([event["output"] for event in results] == outputs, f"{label['trace']}: outputs")
    check(not attacked or injected_text_was_read(run, results), f"{label['trace']}: no injected text in the results")
    return attacked


def injected_text_was_read(run, results):
    # Words, because a tool's output may be wrapped anew (YAML).
    read = [" ".join(event["output"].split()) for event in results]
    return any(" ".join(text.split()) in output for text in run["injections"].values() for output in read)


def check_variety(sessions, labels):
    """The runs hold each case that the converter has to get right; otherwise this showed nothing."""
    for kind in (("benign", False), ("attack", False), ("attack", True)):
        found = any((label["kind"], label["attack_succeeded"]) == kind for label in labels)
        check(found, f"no session that is {kind}")
    kinds = [[event["ev"] for event in events] for events in sessions.values()]
    check(any(("action", "action") in zip(kind, kind[1:]) for kind in kinds), "no parallel calls")
    check(any("user_message" in kind for kind in kinds), "no later message of the user")
    errors = [event for events in sessions.values() for event in events if event.get("error")]
    check(len(errors) >= 2, "no tool errors")


def main():
    runs, events, labels = sys.argv[1], lines(sys.argv[2]), lines(sys.argv[3])
    sessions = collections.defaultdict(list)
    order = [event["session"] for event in events]
    for event in events:
        sessions[event["session"]].append(event)
    changes = sum(before != after for before, after in zip(order, order[1:]))
    check(changes == len(sessions) - 1, "the events of a session do not stand together")
    check([label["session"] for label in labels] == list(sessions), "not one label for each session, in order")
    attacked = 0
    for label in labels:
        check_session(sessions[label["session"]])
        attacked += check_against_log(runs, label, sessions[label["session"]])
    check_variety(sessions, labels)
    for what in wrong:
        print(f"wrong: {what}")
    print(f"checked {len(sessions)} sessions, {len(events)} events; {attacked} read an injected text")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
