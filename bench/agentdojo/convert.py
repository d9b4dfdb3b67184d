#!/usr/bin/env python3
"""Turn the logs of your own AgentDojo runs into the events that `pathwarden eval` reads.

    convert.py RUNS --out events.jsonl.gz [--labels labels.jsonl.gz] [--suite NAME]...

RUNS is the folder that AgentDojo writes: RUNS/<pipeline>/<suite>/<user task>/<attack>/<injection
task>.json. The tool schemas come from the installed `agentdojo` package. The events hold what a
decision point may see; whether a run went well stands in the labels only. A run that cannot be
converted is left out, counted and named by reason, never half written.

Exit code: 0 converted, 1 nothing to convert or a file could not be written, 2 wrong use or
`agentdojo` missing.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import gzip
import itertools
import json
import os
import sys
from pathlib import Path

from runlog import OLDEST_VERSION, LeftOut, Session, label_of, read_log, session_of

INSTALL = """\
the `agentdojo` package is missing; the schemas of the tools come from it. Install it and use that Python:
    python3 -m venv agentdojo-py
    agentdojo-py/bin/pip install agentdojo
    agentdojo-py/bin/python bench/agentdojo/convert.py …"""


def logs(runs: Path):
    """The paths of all logs below `runs`, relative to it. Links to folders are not followed."""

    def refuse(error):
        raise error

    for folder, _, names in os.walk(runs, onerror=refuse):
        for name in names:
            if name.endswith(".json"):
                yield (Path(folder) / name).relative_to(runs).as_posix()


def schemas_of_agentdojo():
    """A function from version and suite to the tools' schemas; says how to install what is missing."""
    try:
        from agentdojo.task_suite import get_suite
    except ModuleNotFoundError as error:
        if error.name == "agentdojo":
            stop(2, INSTALL)
        stop(2, f"the installed `agentdojo` cannot be used: {error}; install it again into a new venv")

    known: dict[tuple[str, str], list] = {}

    def schemas(version: str, suite: str) -> list:
        if (version, suite) not in known:
            try:
                tools = get_suite(version, suite).tools
            except KeyError:
                raise LeftOut(f"suite `{suite}` of `{version}` is not in the installed agentdojo") from None
            known[version, suite] = sorted(map(schema_of, tools), key=lambda tool: tool["name"])
        return known[version, suite]

    return schemas


def schema_of(tool) -> dict:
    schema = tool.parameters.model_json_schema()
    return {"name": tool.name, "description": tool.description, "schema": schema}


class Summary:
    """What was read, written and left out; everything that is not in the output is counted here."""

    def __init__(self):
        self.read = 0
        self.actions = 0
        self.written = collections.Counter()
        self.left_out = collections.Counter()
        self.notes = collections.Counter()

    def __str__(self) -> str:
        written = sum(self.written.values())
        out = [f"logs read: {self.read}", f"sessions written: {written}, with {self.actions} actions"]
        out += [f"  {suite}: {count}" for suite, count in sorted(self.written.items())]
        out.append(f"left out: {sum(self.left_out.values())}")
        out += [f"  {reason}: {count}" for reason, count in sorted(self.left_out.items())]
        out += [f"note: {what}: {count}" for what, count in sorted(self.notes.items())]
        return "\n".join(out)


def convert(runs: Path, schemas, suites=(), user=None, summary=None):
    """Yields (events, label) of each run below `runs` that can be converted, ordered by session id.

    The order of the ids, not of the file names: a name says which attack was tried.
    """
    summary = Summary() if summary is None else summary
    for trace in sorted(logs(runs), key=session_of):
        notes = collections.Counter()
        summary.read += 1
        try:
            run = read_log(runs / trace)
            if suites and run["suite_name"] not in suites:
                raise LeftOut("of another suite than asked for")
            version = run.get("benchmark_version") or OLDEST_VERSION
            tools = schemas(version, run["suite_name"])
            session = session_of(trace)
            events = Session(session, notes).convert(run, tools, user)
        except LeftOut as reason:
            summary.left_out[str(reason)] += 1
            continue
        actions = sum(event["ev"] == "action" for event in events)
        summary.actions += actions
        summary.written[run["suite_name"]] += 1
        summary.notes += notes
        yield events, label_of(session, run, trace, version, actions)


def line(record: dict) -> bytes:
    # Half a surrogate pair, which Python's JSON reader lets in, is not text and becomes `?`.
    return json.dumps(record, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace") + b"\n"


@contextlib.contextmanager
def writing(path: Path | None):
    """A file that appears under its name only when all of it is written; without a time stamp."""
    if path is None:
        yield lambda record: None
        return
    unfinished = path.with_name(path.name + ".part")
    try:
        with open(unfinished, "wb") as file:
            zipped = path.name.endswith(".gz")
            out = gzip.GzipFile("", "wb", fileobj=file, mtime=0) if zipped else contextlib.nullcontext(file)
            with out as sink:
                yield lambda record: sink.write(line(record))
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_all(converted, out: Path, labels: Path | None) -> None:
    with writing(out) as put_event, writing(labels) as put_label:
        for events, label in converted:
            for event in events:
                put_event(event)
            put_label(label)


def stop(code: int, message: str):
    print(f"convert.py: {message}", file=sys.stderr)
    sys.exit(code)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description="Turn the logs of AgentDojo runs into the events that `pathwarden eval` reads."
    )
    parser.add_argument("runs", type=Path, metavar="RUNS", help="the folder that AgentDojo logged to")
    parser.add_argument("--out", type=Path, required=True, help="events, gzipped if the name ends in .gz")
    parser.add_argument("--labels", type=Path, help="how each run went, one line per session")
    parser.add_argument("--suite", action="append", default=[], help="only this suite (may be repeated)")
    parser.add_argument("--user", help="who the user is; otherwise taken from the system prompt")
    arguments = parser.parse_args()
    if arguments.labels == arguments.out:
        parser.error("--labels and --out name the same file: events must not hold labels")
    if not arguments.runs.is_dir():
        parser.error(f"no folder `{arguments.runs}`: name the one that AgentDojo's `--logdir` named")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    schemas = schemas_of_agentdojo()
    summary = Summary()
    converted = convert(arguments.runs, schemas, arguments.suite, arguments.user, summary)
    try:
        first = next(converted, None)
        if first is not None:
            write_all(itertools.chain([first], converted), arguments.out, arguments.labels)
    except OSError as error:
        stop(1, f"{error}")
    print(summary)
    if first is None:
        stop(1, f"nothing to convert in `{arguments.runs}`; no file was written")


if __name__ == "__main__":
    main()
