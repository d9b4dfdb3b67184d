#!/usr/bin/env python3
"""Programs that are not what they were: found before they run again, in another session or in the same one.

    tests/kernel/supply.py [NAME…]      only those whose name holds one of these words
"""

import contextlib
import json
import mmap
import os
import shutil
import sys
from pathlib import Path

from node import TESTER, WORK, Checks, Node, expect, ground, install, skip_unless_root

# Two runs of this at a time do not meet.
HERE = WORK / f"supply-{os.getpid()}"
# What `programs/puppet.c` answers.
FIRST, SECOND = "ok 10", "ok 20"
REFUSED = "EPERM"
# Where packages of the machine put programs for each other.
SYSTEM = "/usr/local/libexec"

checks = Checks("program")


class Bench:
    """A workspace, and a program beside it that a session may read and run."""

    def __init__(self, node, name):
        self.node = node
        self.base = HERE / name
        self.work, self.tools = self.base / "w", self.base / "tools"
        shutil.rmtree(self.base, ignore_errors=True)
        for folder in (self.work, self.tools):
            folder.mkdir(parents=True)
        self.tool = self.tools / "tool"
        install("puppet", self.work / "puppet")

    def put(self, status, to=None):
        """Puts a program there that ends with this status."""
        to = to or self.tool
        to.unlink(missing_ok=True)
        install("exit", to, "-static", f"-DSTATUS={status}")

    @contextlib.contextmanager
    def session(self):
        run = self.node.launch(self.work, [self.work / "puppet"], options=["--read", self.tools])
        try:
            yield lambda path=None: run.ask(f"exec {path or self.tool}")[0]
        finally:
            run.close()

    def once(self, path=None):
        """Runs a program in a session of its own."""
        with self.session() as runs:
            return runs(path)

    def pin(self, path=None):
        path = str(path or self.tool)
        pins = self.node.json("mcp", "pins", "list", "host")
        return next((pin for pin in pins if pin["item"]["name"] == path), None)

    def rule(self, word, path=None):
        self.node.cli("mcp", "pins", word, "host", str(path or self.tool), "--kind", "program", "--by", "operator")


def is_known(bench, path=None):
    pin = bench.pin(path)
    expect(pin is not None, "it is not pinned")
    return pin["trust"] == "known"


def replaced(node):
    """What was replaced between two sessions waits for a person, also when it is what it was again."""
    bench = Bench(node, "replaced")
    bench.put(10)
    expect(bench.once() == FIRST and is_known(bench), "it does not run at first")
    bench.put(20)
    refused = bench.once()
    expect(refused == REFUSED and not is_known(bench), f"replaced, it runs: {refused}")
    found = [one for one in node.json("findings") if one["finding"]["kind"] == "item_changed"]
    expect(any(str(bench.tool) in one["finding"]["subject"] for one in found), f"no finding: {found}")
    bench.put(10)
    expect(bench.once() == REFUSED, "changed back, it runs")
    bench.put(20)
    expect(bench.once() == REFUSED, "before it was accepted, it runs")
    return "refused in the next session, and when it was changed back; a finding names it"


def accepted(node):
    """A person accepts the new form, and withdraws it."""
    bench = Bench(node, "accepted")
    bench.put(10)
    bench.once()
    bench.put(20)
    bench.once()
    shown = node.cli("mcp", "pins", "diff", "host", str(bench.tool), "--kind", "program")
    expect("sha256" in shown and "[-" in shown and "{+" in shown, f"the two forms are not shown: {shown}")
    bench.rule("accept")
    ran = bench.once()
    expect(ran == SECOND and is_known(bench), f"accepted, it does not run: {ran}")
    bench.rule("revoke")
    expect(bench.once() == REFUSED, "withdrawn, it runs")
    return "accepted, it runs; withdrawn, it does not"


def replaced_meanwhile(node):
    """What is replaced while a session runs, which has run it before."""
    bench = Bench(node, "meanwhile")
    bench.put(10)
    with bench.session() as runs:
        expect((runs(), runs()) == (FIRST, FIRST), "it does not run at first")
        bench.put(20)
        after = runs()
        expect(after == REFUSED, f"replaced, it runs: {after}")
        bench.rule("accept")
        after = runs()
        expect(after == SECOND, f"accepted, it does not run: {after}")
    return "refused at once; runs once it was accepted"


def rewritten(node):
    """The same file, with other content and the same length and times."""
    bench = Bench(node, "rewritten")
    bench.put(10)
    about = bench.tool.stat()
    with bench.session() as runs:
        expect(runs() == FIRST, "it does not run at first")
        content = bytearray(bench.tool.read_bytes())
        content[-1] ^= 1
        with bench.tool.open("r+b") as file:
            file.write(content)
        os.utime(bench.tool, ns=(about.st_atime_ns, about.st_mtime_ns))
        now = bench.tool.stat()
        expect((now.st_size, now.st_mtime_ns, now.st_ino) == (about.st_size, about.st_mtime_ns, about.st_ino), "no test")
        after = runs()
        expect(after == REFUSED, f"rewritten, it runs: {after}")
    return "one bit, with length and times as before: refused"


def mapped(node):
    """Through a mapping that was written to before, content changes and the file keeps its times."""
    bench = Bench(node, "mapped")
    bench.put(10)
    with bench.session() as runs:
        expect(runs() == FIRST, "it does not run at first")
        with bench.tool.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
            memory[-1] = memory[-1]
            form = bench.tool.stat().st_ctime_ns
            while_open = runs()
            expect(while_open == "ETXTBSY", f"while it is mapped, it runs: {while_open}")
            memory[-1] ^= 1
        expect(bench.tool.stat().st_ctime_ns == form, "its times changed: no test")
        after = runs()
        expect(after == REFUSED, f"changed, it runs: {after}")
    return f"while it is mapped {while_open}, afterwards refused"


def interpreter(node):
    """A script of the workspace, by an interpreter that was replaced."""
    bench = Bench(node, "interpreter")
    bench.put(10)
    script = bench.work / "script"
    script.write_text(f"#!{bench.tool}\n")
    script.chmod(0o755)
    expect(bench.once(script) == FIRST, "it does not run at first")
    bench.put(20)
    after = bench.once(script)
    expect(after == REFUSED, f"with another interpreter it runs: {after}")
    return "refused with its interpreter"


def built(node):
    """What the agent builds in its workspace changes as it works, and nobody is asked."""
    bench = Bench(node, "built")
    own = bench.work / "own"
    with bench.session() as runs:
        for status in (10, 20, 30):
            bench.put(status, own)
            expect(runs(own) == f"ok {status}", f"build {status} does not run: {runs(own)}")
    expect(bench.pin(own) is None, "it is pinned")
    return "three builds run, none is pinned"


def system(node):
    """A program of the system is updated: found and marked, and work goes on."""
    bench = Bench(node, "system")
    folder = Path(SYSTEM)
    is_new = not folder.exists()
    folder.mkdir(exist_ok=True)
    program = folder / "pathwarden-kernel-test"
    try:
        bench.put(10, program)
        expect(bench.once(program) == FIRST, "it does not run at first")
        bench.put(20, program)
        expect(bench.once(program) == SECOND, "updated, it does not run")
        expect(not is_known(bench, program), "the update is not found")
        rules = [hit["rule"] for record in node.records() for hit in hits(record)]
        expect("host.program_of_system_changed" in rules, "the update is not marked")
    finally:
        program.unlink(missing_ok=True)
        if is_new:
            folder.rmdir()
    return "it runs; the change is a finding, and marked in the record"


def hits(record):
    event = record.get("event", {})
    decided = event.get("decided") or event.get("Decided") or event
    return decided.get("hits", []) if isinstance(decided, dict) else []


def forged(node):
    """An agent that speaks to the node says nothing of the machine's programs."""
    bench = Bench(node, "forged")
    bench.put(10)
    bench.once()
    token = node.cli("agent", "token", "tester").strip()
    session = node.json("session", "start", "--agent", "tester", "--task", "a test")
    content = '{"path":"x","sha256":"y"}'
    body = {
        "session": session["session"], "server": "host", "kind": "catalogue", "content": content,
        "items": [{"kind": "program", "name": str(bench.tool), "start": 0, "end": len(content)}],
    }
    status, said = node.request("POST", "/v1/catalogues", session.get("token", token), json.dumps(body))
    expect(status == 403, f"status {status}: {said[:200]}")
    expect(is_known(bench), "it changed what is known")
    return "a catalogue in the machine's name is refused"


def main():
    skip_unless_root("supply")
    with ground(HERE), Node(HERE / "node", TESTER) as node:
        for do in (replaced, accepted, replaced_meanwhile, rewritten, mapped, interpreter, built, system, forged):
            checks.check(do.__name__, lambda do=do: do(node))
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
