#!/usr/bin/env python3
"""The tier without root: what Landlock, filters and calls that wait for a verdict hold by themselves, for an agent
and a node of somebody who may do nothing special.

    tests/kernel/unprivileged.py [NAME…]      only those whose name holds one of these words
"""

import contextlib
import json
import os
import shutil
import signal
import sys
from pathlib import Path

from node import (
    BIN, PYTHON, TESTER, Checks, Listener, Node, descendants, expect, ground, install, is_alive, skip_unless_root,
    until,
)

NOBODY = 65534
# The user must reach it, whoever owns the repository.
HERE = Path(f"/srv/pathwarden-tests/unprivileged-{os.getpid()}")
TRIES = 20_000

checks = Checks("unprivileged")


class Scene:
    """A workspace, and beside it what no agent has anything to do with; all of it is the user's own."""

    def __init__(self, node, name):
        self.node = node
        self.base = HERE / name
        self.work, self.secret, self.named = self.base / "w", self.base / "s", self.base / "named"
        for folder in (self.base, self.work, self.secret, self.named):
            folder.mkdir(parents=True)
            (folder / "data").write_text("A" * 16)
        install("puppet", self.work / "puppet")
        install("exit", self.work / "one", "-static", "-DSTATUS=10")
        install("exit", self.secret / "one", "-static", "-DSTATUS=20")
        self.give()

    def give(self):
        for path in [self.base, *self.base.rglob("*")]:
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)

    @contextlib.contextmanager
    def agent(self, *options):
        run = self.node.launch(self.work, [self.work / "puppet"], options=["--read", self.named, *options])
        try:
            run.ask("pid", 60)
            yield run
        finally:
            for pid in descendants(run.process.pid):
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            run.close()


def all_ok(run, commands):
    said = {command: run.ask(command)[0] for command in commands}
    wrong = {command: answer for command, answer in said.items() if not answer.startswith("ok")}
    expect(not wrong, f"refused: {wrong}")


def all_refused(run, commands):
    said = {command: run.ask(command)[0] for command in commands}
    done = [command for command, answer in said.items() if answer.startswith("ok")]
    expect(not done, f"done: {done}")
    return sorted(set(said.values()))


def says_tier(node):
    """`doctor` says which tier this is, and what is missing for the other."""
    done = node.tried("--json", "doctor")
    told = json.loads(done.stdout)
    words = json.dumps(told)
    expect("landlock" in words, f"no tier: {words[:300]}")
    text = node.tried("doctor").stdout
    expect("root" in text and "fanotify" in text, f"it does not say what is missing: {text[:400]}")
    return next(line.strip() for line in text.splitlines() if "tier" in line)


def work_goes_on(node):
    """Files, programs and named addresses, as on any day."""
    scene = Scene(node, "work")
    with Listener() as listener, scene.agent("--reach", f"127.0.0.1:{listener.port}") as run:
        work = scene.work
        all_ok(run, [
            f"open {work}/data", f"write {work}/data", f"create {work}/new", f"mkdir {work}/folder",
            f"unlink {work}/new", f"exec {work}/one", f"open {scene.named}/data", f"connect {listener.port}",
        ])
    return "8 of 8 done"


def beyond_is_refused(node):
    """What stands beside the workspace, is nobody's to reach or to run."""
    scene = Scene(node, "beyond")
    with Listener() as listener, scene.agent() as run:
        secret = scene.secret
        said = all_refused(run, [
            f"open {secret}/data", f"write {secret}/data", f"create {secret}/planted", f"mkdir {secret}/folder",
            f"unlink {secret}/data", f"exec {secret}/one", f"write {scene.named}/data", f"connect {listener.port}",
            f"open {scene.work}/../s/data", f"open /proc/self/root{secret}/data", f"open {node.home}/pathwarden.toml",
        ])
        expect(not listener.arrived, "the connection arrived")
    return f"11 of 11 refused ({', '.join(said)})"


def races(node, kind):
    """A name that another thread exchanges while it is decided about."""
    scene = Scene(node, f"race-{kind}")
    program = install("race", scene.work / "race")
    for folder in (scene.work, scene.secret):
        (folder / "file").write_text("A" if folder == scene.work else "S")
    words = [kind, TRIES, scene.work / "file", scene.secret / "file", scene.work / "out"]
    (scene.work / "arguments").write_text("".join(f"{word}\n" for word in words))
    scene.give()
    run = node.run(scene.work, [program], seconds=120)
    told = json.loads(run.out.strip().splitlines()[-1])
    expect(told["leaked"] == 0, f"{told['leaked']} of {told['tries']} leaked")
    expect(told["allowed"] >= 100 and told["refused"] >= 20, f"no race: {told}")
    return f"0 of {told['tries']} leaked ({told['allowed']} allowed, {told['refused']} refused)"


def takes_away(node):
    """What is taken from a live agent here, given back, and what says that it cannot be."""
    scene = Scene(node, "takes")
    with Listener() as listener, scene.agent("--reach", f"127.0.0.1:{listener.port}") as run:
        work, session = scene.work, run.session
        verbs = {
            "no-egress": f"connect {listener.port}", "read-only": f"write {work}/data", "no-exec": f"exec {work}/one",
        }
        for verb, command in verbs.items():
            all_ok(run, [command, f"open {work}/data"])
            node.tried("contain", session, verb, "--by", "operator")
            until(f"{verb} is in force", lambda command=command: not run.ask(command)[0].startswith("ok"), 5)
            all_ok(run, [f"open {work}/data"])
            node.cli("release", session, verb, "--by", "operator")
            until(f"{verb} is given back", lambda command=command: run.ask(command)[0].startswith("ok"), 5)
    return "no-egress, read-only, no-exec: taken and given back, reading goes on"


def stands_still(node):
    """Freezing, and ending the whole tree, also of what has left its parents."""
    scene = Scene(node, "still")
    (scene.work / "tree.py").write_text(TREE)
    scene.give()
    run = node.launch(scene.work, [PYTHON, "tree.py"])
    try:
        run.line("going", 60)
        session, beats = run.session, scene.work / "beats"
        until("it works", lambda: beats.exists() and beats.stat().st_size > 20)
        node.cli("contain", session, "freeze", "--by", "operator")

        def length():
            return beats.stat().st_size

        def is_still(before=[None]):
            before[0], last = length(), before[0]
            return last == before[0]

        until("it stands still", is_still, 5, every=0.3)
        node.cli("release", session, "freeze", "--by", "operator")
        still = length()
        until("it goes on", lambda: length() > still, 5)
        pids = [pid for pid in descendants(run.process.pid)]
        node.cli("contain", session, "terminate", "--by", "operator")
        until("all of it has ended", run.is_over, 10)
        size = length()
        left = [pid for pid in pids if is_alive(pid)]
        expect(not left and length() == size, f"left: {left}")
    finally:
        run.close()
    return f"stood still, went on, ended with {len(pids)} processes, none is left"


TREE = """
import os, subprocess, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            with open("beats", "a") as beats:
                beats.write("x")
            time.sleep(0.01)
    os._exit(0)
print("going", flush=True)
while True:
    time.sleep(1)
"""


def supervisor_dies(node):
    """What was refused stays refused when nobody answers any more."""
    scene = Scene(node, "dies")
    with Listener() as listener, scene.agent() as run:
        pids = descendants(run.process.pid)
        os.kill(run.process.pid, signal.SIGKILL)
        until("the agent ends with it", lambda: not any(map(is_alive, pids)), 10)
        expect(not listener.arrived, "something arrived")
    return f"{len(pids)} processes ended with it"


def main():
    skip_unless_root("unprivileged")
    with ground(HERE):
        HERE.chmod(0o755)
        shutil.copy(BIN / "pathwarden", HERE)
        with Node(HERE / "node", TESTER, programs=HERE, user=NOBODY) as node:
            for do in (says_tier, work_goes_on, beyond_is_refused):
                checks.check(do.__name__, lambda do=do: do(node))
            for kind in ("read", "write", "create", "unlink", "rename", "link"):
                checks.check(f"race_{kind}", lambda kind=kind: races(node, kind))
            for do in (takes_away, stands_still, supervisor_dies):
                checks.check(do.__name__, lambda do=do: do(node))
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
