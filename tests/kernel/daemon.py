#!/usr/bin/env python3
"""The node dies while an agent runs, and comes back: nothing opens, what was allowed goes on, and what is new is
decided again.

    tests/kernel/daemon.py [NAME…]      only those whose name holds one of these words
"""

import contextlib
import json
import os
import shutil
import signal
import sys

from node import TESTER, WORK, Checks, Listener, Node, expect, ground, install, skip_unless_root, until

# Two runs of this at a time do not meet.
HERE = WORK / f"daemon-{os.getpid()}"
# Without a node there is nobody to wait for.
QUICK_SECONDS = 2.0

checks = Checks("daemon")


class Scene:
    """An agent that does what it is told to, and what it does it to."""

    def __init__(self, node, stack):
        self.base = HERE / "scene"
        self.work, self.secret = self.base / "w", self.base / "s" / "secret"
        shutil.rmtree(self.base, ignore_errors=True)
        for folder in (self.work, self.secret.parent, self.base / "first", self.base / "second", self.base / "third"):
            folder.mkdir(parents=True)
            (folder / "data").write_text("A")
        self.secret.write_text("SECRET")
        self.known, self.later, self.last, self.never = (stack.enter_context(Listener()) for _ in range(4))
        reach = [word for one in (self.known, self.later, self.last) for word in ("--reach", f"127.0.0.1:{one.port}")]
        read = [word for name in ("first", "second", "third") for word in ("--read", self.base / name)]
        for name in ("one", "two", "three"):
            install("exit", self.work / name, "-static", "-DSTATUS=10")
        self.run = node.launch(self.work, [install("puppet", self.work / "puppet")], options=[*reach, *read])
        stack.callback(self.run.close)
        self.does("pid")

    def does(self, command, seconds=15.0):
        return self.run.ask(command, seconds)[0]

    def is_denied(self):
        """What nobody may, before, during and after."""
        tries = {
            "secret": f"open {self.secret}",
            "overwrite": f"write {self.secret}",
            "plant": f"create {self.secret.parent}/planted",
            "unnamed address": f"connect {self.never.port}",
        }
        seen = {name: self.run.ask(command) for name, command in tries.items()}
        done = [name for name, (answer, _) in seen.items() if answer.startswith("ok")]
        expect(not done and not self.never.arrived, f"allowed: {', '.join(done)}")
        return max(took for _, took in seen.values()), sorted({answer for answer, _ in seen.values()})

    def cached(self):
        """What was done once."""
        return {
            "read in the workspace": f"open {self.work}/data",
            "write in the workspace": f"write {self.work}/data",
            "read what was named": f"open {self.base}/first/data",
            "connect": f"connect {self.known.port}",
            "run": f"exec {self.work}/one",
        }

    def new(self, folder, listener, program):
        """The same, of things that were not asked about yet."""
        return {
            "read what was named": f"open {self.base}/{folder}/data",
            "connect": f"connect {listener.port}",
            "run": f"exec {self.work}/{program}",
        }

    def all_work(self, commands, seconds=0.0):
        for name, command in commands.items():
            last = [""]

            def works(command=command, last=last):
                last[0] = self.does(command)
                return last[0].startswith("ok")

            if seconds:
                with contextlib.suppress(Exception):
                    until(name, works, seconds, every=0.05)
            else:
                works()
            expect(last[0].startswith("ok"), f"{name}: {last[0]}")


def before(node, scene):
    """Everything once, with the node."""
    _, refusals = scene.is_denied()
    scene.all_work(scene.cached())
    expect(scene.known.arrived >= 1, "nothing arrived")
    return f"denied: {', '.join(refusals)}; {len(scene.cached())} things allowed"


def killed(node, scene):
    node.stop(signal.SIGKILL)
    slowest, refusals = scene.is_denied()
    expect(slowest < QUICK_SECONDS, f"a refusal took {slowest:.1f} s")
    scene.all_work(scene.cached())
    new = {name: scene.run.ask(command) for name, command in scene.new("second", scene.later, "two").items()}
    opened = [f"{name} {answer}" for name, (answer, _) in new.items() if answer.startswith("ok")]
    expect(not opened and not scene.later.arrived, f"decided by nobody: {', '.join(opened)}")
    slowest = max(slowest, *(took for _, took in new.values()))
    expect(slowest < QUICK_SECONDS, f"a refusal took {slowest:.1f} s")
    answers = ", ".join(f"{name} {answer}" for name, (answer, _) in new.items())
    return (
        f"denied stays denied ({', '.join(refusals)}), {len(scene.cached())} allowed things go on, new ones: {answers};"
        f" slowest refusal {slowest * 1000:.0f} ms"
    )


def back(node, scene):
    node.start()
    scene.all_work(scene.new("second", scene.later, "two"), seconds=15)
    scene.all_work(scene.new("third", scene.last, "three"), seconds=15)
    scene.all_work(scene.cached())
    _, refusals = scene.is_denied()
    return f"what is new is decided again: allowed what may be, denied the rest ({', '.join(refusals)})"


def standing(node):
    """What stands; while a point has not applied it, the command's status is 1."""
    return json.loads(node.tried("--json", "contain", "list").stdout)


def contained(node, scene):
    """Orders reach the agent of the node that died."""
    session = scene.run.session
    until("the point speaks to the new node", lambda: any(
        point["session"] == session and point["applied"] for point in standing(node)["points"]
    ), 15, every=0.1)
    node.cli("contain", session, "no-egress", "read-only", "--reason", "a test")
    connect = scene.does(f"connect {scene.known.port}")
    write = scene.does(f"write {scene.work}/data")
    read = scene.does(f"open {scene.work}/data")
    expect(not connect.startswith("ok") and not write.startswith("ok"), f"connect {connect}, write {write}")
    expect(read.startswith("ok"), f"read {read}")
    node.cli("release", session)
    scene.all_work(scene.cached(), seconds=10)
    return f"no-egress and read-only: connect {connect}, write {write}, read {read}; released, all goes on"


def contained_while_dead(node, scene):
    """What is taken stays taken while the node is dead, and is given back by the next one."""
    session = scene.run.session
    node.cli("contain", session, "read-only", "--reason", "a test")
    node.stop(signal.SIGKILL)
    write = scene.does(f"write {scene.work}/data")
    expect(not write.startswith("ok"), f"write {write}")
    node.start()
    listed = standing(node)["standing"]
    expect(listed, "the new node does not know of it")
    write = scene.does(f"write {scene.work}/data")
    expect(not write.startswith("ok"), f"write after the restart: {write}")
    node.tried("release", session)
    expect(not standing(node)["standing"], "it still stands")
    scene.all_work(scene.cached(), seconds=10)
    return f"read-only stays ({write}) through the death of the node; the next one gives it back"


def told(node, scene):
    session = scene.run.session
    scene.run.tell("quit")
    scene.run.end(20)
    path = node.cli("path", session)
    expect(session in path, f"the path: {path[:200]}")
    steps = node.json("path", session)
    expect(steps["steps"], "the path has no steps")
    whats = {event["what"] for event in steps["events"]}
    expect({"contained", "released", "point"} <= whats, f"events of the path: {', '.join(sorted(whats))}")
    covered = node.json("coverage", session)[0]
    planes = {plane["plane"]: plane for plane in covered["planes"]}
    missing = {"exec", "open", "connect"} - planes.keys()
    expect(not missing, f"not covered: {', '.join(missing)}")
    counts = [f"{name} {plane['governed']}/{plane['observed']}" for name, plane in sorted(planes.items())]
    expect(all(plane["governed"] == plane["observed"] for plane in planes.values()), f"ungoverned: {', '.join(counts)}")
    return f"{len(steps['steps'])} steps, {len(steps['events'])} events; governed of observed: {', '.join(counts)}"


def ledger(node, scene):
    return node.cli("ledger", "verify").strip().splitlines()[-1]


def main():
    skip_unless_root("daemon")
    with ground(HERE):
        with contextlib.ExitStack() as stack:
            node = stack.enter_context(Node(HERE / "node", TESTER))
            scene = Scene(node, stack)
            # One story: each builds on the one before.
            for part in (before, killed, back, contained, contained_while_dead, told, ledger):
                checks.check(part.__name__, lambda part=part: part(node, scene))
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
