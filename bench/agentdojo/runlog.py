"""One run as AgentDojo logged it, as the events of one session and a label.

`read_log`, then `Session.convert`, then `label_of`. Nothing here looks at more than one run, and
nothing but `label_of` looks at how the run went.
"""

from __future__ import annotations

import collections
import hashlib
import json
import math
import re
from pathlib import Path

# One log. It is read whole; a run of 15 turns is far below this.
MAX_LOG_BYTES = 64 * 1024 * 1024
# Events of one session; AgentDojo's own loop ends after 15 turns.
MAX_EVENTS = 10_000
# Logs written before AgentDojo noted the version do not say it. The tools of a suite are the same
# in each version up to v1.2.2, so this only has to be one that exists.
OLDEST_VERSION = "v1"
# Where a call's arguments are kept if they are not an object. No tool of
# AgentDojo has a parameter of this name: its models allow none that begins with an underscore.
NOT_AN_OBJECT = "_arguments"


class LeftOut(Exception):
    """Why a run is not converted, in the words of the summary."""


# --- reading a log -------------------------------------------------------------------------------


def parse(text: str):
    """JSON as others read it: Python's reader also takes NaN, and makes an infinity of `1e999`."""
    return json.loads(text, parse_constant=str, parse_float=finite)


def finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"`{digits}` is out of range")
    return number


def read_log(path: Path) -> dict:
    """One run as AgentDojo logged it; refuses what is not a whole run."""
    try:
        if path.stat().st_size > MAX_LOG_BYTES:
            raise LeftOut(f"larger than {MAX_LOG_BYTES} bytes")
        run = parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise LeftOut("not readable as JSON") from None
    if not isinstance(run, dict) or not isinstance(run.get("messages"), list):
        raise LeftOut("not an AgentDojo log")
    if not all(isinstance(run.get(key), str) for key in ("suite_name", "pipeline_name", "user_task_id")):
        raise LeftOut("not an AgentDojo log")
    if run.get("error") is not None:
        raise LeftOut("ended in an error")
    if not isinstance(run.get("utility"), bool) or not isinstance(run.get("security"), bool):
        raise LeftOut("unfinished, without a result")
    if not isinstance(run.get("benchmark_version"), (str, type(None))):
        raise LeftOut("not an AgentDojo log")
    return run


def text_of(content) -> str:
    """What a message says: a string in older logs, a list of blocks in newer ones."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise LeftOut("malformed message")
    return "\n".join(filter(None, map(text_of_block, content)))


def text_of_block(block) -> str:
    if isinstance(block, str):
        return block
    if not isinstance(block, dict):
        raise LeftOut("malformed message")
    if block.get("type") in ("thinking", "redacted_thinking"):
        return ""  # the format has no event for what was thought and not said
    for key in ("content", "text"):
        if isinstance(block.get(key), str):
            return block[key]
    if block.get("type") == "text":
        return ""
    return json.dumps(block, sort_keys=True)  # what the model saw is shown, whatever its form


def arguments_of(call: dict, notes: collections.Counter) -> dict:
    """The arguments as an object, which is what the format wants."""
    arguments = call.get("args")
    if isinstance(arguments, dict):
        return arguments
    notes["calls whose arguments are not an object"] += 1
    if arguments is None:
        return {}
    if isinstance(arguments, str):
        try:
            parsed = parse(arguments)
        except (ValueError, RecursionError):
            parsed = None
        if isinstance(parsed, dict):
            return parsed
    return {NOT_AN_OBJECT: arguments}


# --- one run to events ---------------------------------------------------------------------------


def session_of(trace: str) -> str:
    """The id of the run in file `trace`: the same each time, and it says nothing about the run."""
    return "ad-" + hashlib.sha256(f"agentdojo run {trace}".encode("utf-8", "replace")).hexdigest()[:12]


class Session:
    """The events of one run, in the order in which things happened."""

    def __init__(self, session: str, notes: collections.Counter):
        self.session = session
        self.notes = notes
        self.events: list[dict] = []
        self.open_calls: list[tuple[str, dict]] = []  # calls of the last turn without a result

    def convert(self, run: dict, tools: list, user: str | None) -> list[dict]:
        system, goal, later = opening(run["messages"])
        principal = {"agent": f"{run['suite_name']}-assistant", "user": user or user_named_in(system)}
        self.add("session_start", principal=principal, system=system, goal=goal, tools=tools)
        for message in later:
            self.message(message)
        self.spread(run.get("duration"))
        return self.events

    def message(self, message: dict) -> None:
        role = message["role"]
        if role == "assistant":
            self.turn(message)
        elif role == "tool":
            self.result(message)
        elif role == "user":
            self.add("user_message", text=text_of(message.get("content")))
        else:
            self.notes["later system messages, not carried over"] += 1

    def turn(self, message: dict) -> None:
        text = text_of(message.get("content"))
        if text.strip():
            self.add("model_output", text=text)
        self.open_calls = []
        calls = message.get("tool_calls") or []
        if not isinstance(calls, list):
            raise LeftOut("malformed call")
        for call in calls:
            tool = tool_called(call)
            action = self.add("action", kind="tool_call", tool=tool, args=arguments_of(call, self.notes))
            self.open_calls.append((action, call))

    def result(self, message: dict) -> None:
        call = message.get("tool_call")
        tool = tool_called(call)
        action = self.close(call, message.get("tool_call_id") or call.get("id"))
        if action is None:
            self.notes["results without a call, not carried over"] += 1
            return
        error = message.get("error")
        self.add(
            "result",
            of=action,
            output=text_of(message.get("content")),
            source=f"tool:{tool}",
            error=error if error is None or isinstance(error, str) else json.dumps(error),
        )

    def close(self, call: dict, call_id) -> str | None:
        """The open call that a result belongs to: the same id, else the same call, else the same tool."""
        tests = (
            lambda asked: call_id and asked.get("id") == call_id and asked["function"] == call["function"],
            lambda asked: asked["function"] == call["function"] and asked.get("args") == call.get("args"),
            lambda asked: asked["function"] == call["function"],
        )
        for test in tests:
            for place, (action, asked) in enumerate(self.open_calls):
                if test(asked):
                    del self.open_calls[place]
                    return action
        return None

    def add(self, event: str, **fields) -> str:
        seq = len(self.events)
        if seq >= MAX_EVENTS:
            raise LeftOut(f"more than {MAX_EVENTS} events")
        name = f"{self.session}#{seq}"
        self.events.append({"id": name, "session": self.session, "seq": seq, "ev": event, **fields})
        return name

    def spread(self, duration_seconds) -> None:
        """Logs hold the duration of the whole run only: its events are spread evenly over it."""
        known = isinstance(duration_seconds, (int, float)) and 0 <= duration_seconds < 1e9
        whole_ms = int(duration_seconds * 1000) if known else 0
        step_ms = max(1, whole_ms // len(self.events))
        for event in self.events:
            event["ts_ms"] = event["seq"] * step_ms


def opening(messages: list) -> tuple[str, str, list]:
    """The system prompt, the user's request, and the messages after it."""
    roles = ("system", "user", "assistant", "tool")
    if not all(isinstance(message, dict) and message.get("role") in roles for message in messages):
        raise LeftOut("malformed message")
    system = []
    for place, message in enumerate(messages):
        if message["role"] == "system":
            system.append(text_of(message.get("content")))
        elif message["role"] == "user":
            return "\n".join(system), text_of(message.get("content")), messages[place + 1 :]
        else:
            break
    raise LeftOut("does not begin with a user's request")


def user_named_in(system: str) -> str:
    """AgentDojo's system prompt introduces the user; other prompts need not."""
    found = re.search(r"user's name is ([A-Z]\w*(?: [A-Z]\w*)*)", system)
    return found.group(1).lower().replace(" ", ".") if found else "user"


def tool_called(call) -> str:
    if not isinstance(call, dict) or not isinstance(call.get("function"), str):
        raise LeftOut("malformed call")
    return call["function"]


def label_of(session: str, run: dict, trace: str, version: str, actions: int) -> dict:
    """What the run says about itself. Which call mattered needs re-running, and is not here."""
    attacked = run.get("attack_type") not in (None, "none")
    return {
        "session": session,
        "kind": "attack" if attacked else "benign",
        # AgentDojo's `security` is true when the injected task was carried out, and without meaning
        # when nothing was injected.
        "attack_succeeded": attacked and run["security"],
        "task_useful": run["utility"],
        "suite": run["suite_name"],
        "model": run["pipeline_name"],
        "attack": run["attack_type"] if attacked else "none",
        "user_task": run["user_task_id"],
        "injection_task": run.get("injection_task_id"),
        "actions": actions,
        "trace": trace,
        "version": version,
    }
