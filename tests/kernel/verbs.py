#!/usr/bin/env python3
"""What `pathwarden contain` takes from a busy agent: how soon it is taken, that nothing else is, that the agent
lives, and that everything goes on exactly when it is given back.

    tests/kernel/verbs.py [NAME…]       only those whose name holds one of these words
"""

import contextlib
import json
import mmap
import os
import shutil
import struct
import subprocess
import sys
import threading
import time

from node import (
    BIN, KEEP, PYTHON, WORK, Checks, Failed, Listener, Node, code, expect, ground, install, is_alive, micros,
    skip_unless_root, until,
)

# Two runs of this at a time do not meet.
HERE = WORK / f"verbs-{os.getpid()}"
# As in programs/victim.c.
SLOTS = (
    "connect", "stream", "append", "create", "rename", "folder", "mode", "size", "exec", "read", "compute", "orphan",
)
SLOT = struct.Struct("=6Q")
CHANGES = ("append", "create", "rename", "folder", "mode", "size")
# What stands still for so long has been stopped: the victim does everything each millisecond or two.
QUIET_SECONDS = 0.3
# For so long it is watched that nothing forbidden happens and everything else does.
WATCH_SECONDS = 1.0
# A point that takes longer than this is of no use against something that acts by itself.
EFFECT_MS_MAX = 1_000
# What has been sent arrives, and is noticed here, a little later.
STREAM_US = 100_000

checks = Checks("verb")


class Stream:
    """Takes numbers in order, and notices when one is missing or comes twice."""

    def __init__(self):
        self.last_us = 0
        self.number = 0
        self.broken = None
        self.listener = Listener(self.take)
        self.port = self.listener.port

    def take(self, peer):
        rest = b""
        while True:
            try:
                got = peer.recv(65_536)
            except OSError:
                return
            if not got:
                return
            rest += got
            for at in range(0, len(rest) - 7, 8):
                number = int.from_bytes(rest[at : at + 8], "little")
                if number != self.number + 1:
                    self.broken = f"{number} after {self.number}"
                self.number = number
                self.last_us = micros()
            rest = rest[len(rest) - len(rest) % 8 :]


class Victim:
    """A busy agent in a box, seen from outside."""

    def __init__(self, node, folder, stack, boxed=True):
        self.work = folder / "w"
        shutil.rmtree(folder, ignore_errors=True)
        self.work.mkdir(parents=True)
        if not KEEP:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        for name in ("data", "first", "sized"):
            (self.work / name).write_text("A")
        counters = self.work / "counters"
        counters.write_bytes(bytes(4096))
        with counters.open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 4096, access=mmap.ACCESS_READ)
        self.listener = stack.enter_context(Listener())
        self.stream = Stream()
        stack.enter_context(self.stream.listener)
        words = [install("victim", self.work / "victim"), "counters", self.listener.port, self.stream.port]
        if boxed:
            ports = (self.listener.port, self.stream.port)
            reach = [word for port in ports for word in ("--reach", f"127.0.0.1:{port}")]
            self.run = node.launch(self.work, words, options=reach)
            stack.callback(self.run.close)
        else:
            self.run = None
            process = subprocess.Popen([*map(str, words)], cwd=self.work, start_new_session=True)
            stack.callback(lambda: (kill_all(self.work / "victim"), process.wait(5)))
        self.goes_on(SLOTS, seconds=30)
        self.pids = self.run.pids() if boxed else []
        self.inner = {name: self.slot(name)[5] for name in SLOTS}

    def slot(self, name):
        return SLOT.unpack_from(self.memory, SLOTS.index(name) * SLOT.size)

    def done(self, name):
        return self.stream.number if name == "stream" else self.slot(name)[0]

    def last_us(self, name):
        """What arrives counts: what is sent may wait in the kernel."""
        return self.stream.last_us if name == "stream" else self.slot(name)[1]

    def goes_on(self, names, seconds=10.0, by=20):
        """Waits until each was done so many times more."""
        before = {name: self.done(name) for name in names}
        missing = lambda: [name for name in names if self.done(name) < before[name] + by]
        try:
            until("", lambda: not missing(), seconds)
        except Failed:
            raise Failed(f"not within {seconds:g} s: {', '.join(map(self.told, missing()))}; {self.said()}") from None

    def told(self, name):
        done, _, failed, _, error, _ = self.slot(name)
        return f"{name} ({done} done, {failed} failed, last {code(error) if error else 'no error'})"

    def said(self):
        return self.run.said() if self.run else ""

    def stops(self, names, seconds=10.0):
        """Waits until none of these was done for a while."""
        going = lambda: [name for name in names if micros() - self.last_us(name) < QUIET_SECONDS * 1e6]
        try:
            until("", lambda: not going(), seconds)
        except Failed:
            raise Failed(f"still done after {seconds:g} s: {', '.join(map(self.told, going()))}") from None

    def watch(self, stopped, others):
        """Nothing of one happens, and all of the other."""
        before = {name: self.done(name) for name in (*stopped, *others)}
        until("", lambda end=time.monotonic() + WATCH_SECONDS: time.monotonic() > end, WATCH_SECONDS + 5, every=0.02)
        done = [name for name in stopped if self.done(name) != before[name]]
        expect(not done, f"done although forbidden: {', '.join(map(self.told, done))}")
        still = [name for name in others if self.done(name) < before[name] + 10]
        expect(not still, f"stands still although allowed: {', '.join(map(self.told, still))}")

    def lives(self):
        gone = [pid for pid in self.pids if not is_alive(pid)]
        # A program that it starts in a loop comes and goes; the five processes that do it stay.
        expect(len(self.pids) - len(gone) >= 6, f"{len(gone)} of {len(self.pids)} processes ended; {self.said()}")
        other = [name for name in SLOTS if self.slot(name)[5] != self.inner[name]]
        expect(not other, f"done by other processes than before: {', '.join(other)}")

    def is_whole(self):
        """What it wrote and sent is all there, in order, once."""
        expect(self.stream.broken is None, f"the stream: {self.stream.broken}")
        done = self.done("append")
        lines = (self.work / "log").read_text().splitlines()
        expect([*map(int, lines)] == [*range(1, len(lines) + 1)], "the file's lines are not 1, 2, 3, …")
        expect(len(lines) >= done, f"{len(lines)} lines of {done}")
        return len(lines)


def kill_all(program):
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{entry}/exe") == str(program):
                os.kill(int(entry), 9)


class Order:
    """One order, with the time of its typing and the time at which the node gave it."""

    def __init__(self, node, target, *verbs, ttl="10m"):
        self.typed_us = micros()
        done = node.tried("--json", "contain", target, *verbs, "--ttl", ttl, "--reason", "a test")
        self.returned_us = micros()
        expect(done.stdout.startswith("{"), f"contain {' '.join(verbs)}: status {done.returncode}: {done.stderr[-500:]}")
        self.answer = json.loads(done.stdout)
        points = [point for point in self.answer["points"] if point["session"]]
        late = [f"{point['point']}: {point['failed'] or 'not applied'}" for point in points if not point["applied"]]
        expect(not late, f"contain {' '.join(verbs)}: {', '.join(late)}")
        expect(done.returncode == 0, f"contain {' '.join(verbs)}: status {done.returncode}")
        expect(points, f"contain {' '.join(verbs)}: no enforcement point answered")
        standing = self.answer["standing"]
        expect(standing, f"contain {' '.join(verbs)}: nothing stands")
        self.since_us = max(one["since"] for one in standing) * 1000
        self.after_ms = max(point["after_us"] or 0 for point in points) / 1000


def release(node, target, *verbs):
    start = micros()
    node.cli("release", target, *verbs)
    return start


def on_ledger(node, session, verb, kind):
    """Whether such a record is there; the shape of records is not this test's business."""
    for record in node.records():
        text = json.dumps(record)
        if f'"{kind}"' in text and f'"{verb.replace("-", "_")}"' in text and session in text:
            return True
    return False


def times(victim, order, names):
    """From the order to the last success of what it forbids and the first refusal, in ms."""
    latest = max(victim.last_us(name) for name in names)
    failures = [victim.slot(name)[3] for name in names if name != "stream"]
    failures = [at - order.since_us for at in failures if at >= order.since_us - 1000]
    first = f"{max(0, min(failures)) / 1000:.1f}" if failures else "-"
    return max(0, latest - order.since_us) / 1000, first, max(0, latest - order.typed_us) / 1000


def forbids(node, victim, verb, names, fails=True):
    """One verb: ordered, in force, released, ordered again for two seconds, lapsed."""
    session = victim.run.session
    others = tuple(name for name in SLOTS if name not in names)
    victim.goes_on(SLOTS)
    errors = {name: victim.slot(name)[2] for name in SLOTS}
    order = Order(node, session, verb)
    victim.stops(names)
    victim.watch(names, others)
    last, first, typed = times(victim, order, names)
    expect(last <= EFFECT_MS_MAX, f"the last success came {last:.0f} ms after the order")
    late = [name for name in names if victim.last_us(name) > order.returned_us + (STREAM_US if name == "stream" else 0)]
    expect(not late, f"begun after the order was reported as applied, and done: {', '.join(map(victim.told, late))}")
    if fails:
        silent = [name for name in names if name != "stream" and victim.slot(name)[2] == errors[name]]
        expect(not silent, f"stand still without an error: {', '.join(silent)}")
    victim.lives()
    struck = {name: victim.slot(name)[2] - errors[name] for name in others}
    struck = [f"{name} {times} times" for name, times in struck.items() if times]
    expect(not struck, f"refused although allowed: {', '.join(struck)}")
    started = release(node, session, verb)
    victim.goes_on(SLOTS, seconds=20)
    back = max(victim.last_us(name) for name in names) - started
    lasted = lapses(node, victim, verb, names)
    victim.lives()
    victim.is_whole()
    for kind in ("contained", "released"):
        expect(on_ledger(node, session, verb, kind), f"the ledger has no `{kind}` of it")
    refusals = sorted({code(victim.slot(name)[4]) for name in names if fails and victim.slot(name)[4]})
    return (
        f"last success {last:.1f} ms after the order ({typed:.0f} after it was typed), first refusal {first} ms"
        f"{' (' + ', '.join(refusals) + ')' if refusals else ''}; acknowledged after {order.after_ms:.1f} ms; all on again"
        f" {back / 1000:.0f} ms after release; with --ttl 2s after {lasted:.1f} s"
    )


def lapses(node, victim, verb, names):
    """Ordered for two seconds, it is over by itself; how long it took until all went on."""
    order = Order(node, victim.run.session, verb, ttl="2s")
    victim.stops(names, 1.5)
    before = {name: victim.done(name) for name in names}
    resumed = lambda: all(victim.done(name) > before[name] for name in names)
    until(f"{verb} lapses; {', '.join(map(victim.told, names))}", resumed, 15)
    lasted = (micros() - order.since_us) / 1e6
    expect(lasted >= 1.9, f"it was over after {lasted:.1f} s")
    victim.goes_on(SLOTS, seconds=20)
    return lasted


def verb_plain(node):
    """The victim without a box: it must do all this, and nothing may stop it."""
    with contextlib.ExitStack() as stack:
        victim = Victim(node, HERE / "plain", stack, boxed=False)
        victim.watch((), SLOTS)
        failing = [name for name in SLOTS if victim.slot(name)[2]]
        expect(not failing, f"fails without a box: {', '.join(map(victim.told, failing))}")
        return "the victim without a box does everything: " + ", ".join(f"{victim.done(name)} {name}" for name in SLOTS)


def verb_combined(node, victim):
    """Three at once for the agent by its name; one given back, the others stay."""
    names = ("connect", "stream", "exec", *CHANGES)
    Order(node, "agent:tester", "no-egress", "read-only", "no-exec")
    victim.stops(names)
    victim.watch(names, ("read", "compute", "orphan"))
    listed = node.json("contain", "list")
    expect(len(listed["standing"]) == 3, f"listed: {listed['standing']}")
    release(node, "agent:tester", "read-only")
    victim.goes_on(CHANGES)
    victim.watch(("connect", "stream", "exec"), (*CHANGES, "read", "compute", "orphan"))
    release(node, "agent:tester")
    victim.goes_on(SLOTS, seconds=20)
    expect(not node.json("contain", "list")["standing"], "something stands although all was released")
    victim.lives()
    return f"three verbs, one given back, then all; {victim.is_whole()} lines of the file in order"


def verb_terminate(node, victim):
    run = victim.run
    pids = run.pids()
    order = Order(node, run.session, "terminate")
    gone = until("every process is gone", lambda: not any(map(is_alive, pids)) and micros(), 10, every=0.0005)
    last = max(victim.last_us(name) for name in SLOTS) - order.since_us
    status = run.end(20)
    expect(status != 0, "the run ended with 0")
    expect(on_ledger(node, run.session, "terminate", "contained"), "the ledger has no record of it")
    before = {name: victim.done(name) for name in SLOTS}
    until("", lambda end=time.monotonic() + 0.3: time.monotonic() > end, 5)
    expect(before == {name: victim.done(name) for name in SLOTS}, "something goes on")
    return (
        f"{len(pids)} processes, the detached grandchild among them; last success {max(0, last) / 1000:.1f} ms after"
        f" the order, all gone after at most {(gone - order.since_us) / 1000:.0f} ms; the run ended with {status}"
    )


# Tool servers

AGENT = """
import json, os, socket, subprocess, sys
servers = {}
for name, command in json.loads(sys.argv[1]).items():
    servers[name] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
ids = 0
def ask(name, method, params):
    global ids
    ids += 1
    try:
        request = {"jsonrpc": "2.0", "id": ids, "method": method, "params": params}
        print(json.dumps(request), file=servers[name].stdin, flush=True)
        while True:
            line = servers[name].stdout.readline()
            if not line:
                return {"closed": True}
            answer = json.loads(line)
            if answer.get("id") == ids and "method" not in answer:
                return answer
    except (OSError, ValueError) as error:
        return {"closed": str(error)}
for name, server in servers.items():
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "agent", "version": "1"}}
    assert "result" in ask(name, "initialize", hello), name
    print(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}), file=server.stdin, flush=True)
    ask(name, "tools/list", {})
print("ready", flush=True)
for line in sys.stdin:
    words = json.loads(line)
    if words[0] == "connect":
        try:
            socket.create_connection(("127.0.0.1", words[1]), timeout=5).close()
            print("connected", flush=True)
        except OSError as error:
            print("refused", error.errno, flush=True)
    else:
        print(json.dumps(ask(words[0], "tools/call", {"name": words[1], "arguments": words[2]})), flush=True)
"""

SERVER = """
import json, socket, sys
tool = {
    "name": "reach", "description": "Says whether a port answers.", "annotations": {"readOnlyHint": True},
    "inputSchema": {"type": "object", "properties": {"port": {"type": "integer"}, "call": {"type": "integer"}}},
}
def call(params):
    try:
        socket.create_connection(("127.0.0.1", params["arguments"]["port"]), timeout=5).close()
        text = "connected"
    except OSError as error:
        text = f"refused {error.errno}"
    return {"content": [{"type": "text", "text": text}]}
answers = {
    "initialize": lambda params: {
        "protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}},
        "serverInfo": {"name": "net", "version": "1"},
    },
    "tools/list": lambda params: {"tools": [tool]},
    "tools/call": call,
}
for line in sys.stdin:
    request = json.loads(line)
    if "id" in request and request.get("method") in answers:
        result = answers[request["method"]](request.get("params", {}))
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}), flush=True)
    elif "id" in request and "method" in request:
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": {}}), flush=True)
"""


class ToolAgent:
    """An agent with two tool servers, each behind `pathwarden mcp`."""

    def __init__(self, node, folder, stack):
        work = folder / "w"
        shutil.rmtree(folder, ignore_errors=True)
        work.mkdir(parents=True)
        if not KEEP:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        (work / "agent.py").write_text(AGENT)
        (work / "server.py").write_text(SERVER)
        self.listener = stack.enter_context(Listener())
        self.calls = 0
        gate = [str(BIN / "pathwarden"), "mcp", "--server"]
        servers = {
            "notes": [*gate, "notes", "--", str(BIN / "fixture-mcp")],
            "net": [*gate, "net", "--", PYTHON, str(work / "server.py")],
        }
        options = ["--reach", f"127.0.0.1:{self.listener.port}", "--read", BIN]
        self.run = node.launch(work, [PYTHON, work / "agent.py", json.dumps(servers)], options=options)
        stack.callback(self.run.close)
        self.run.line("ready")

    def call(self, server, tool, **arguments):
        """The text of the answer; `!` and the reason for a refusal. No two calls are alike: what repeats itself is
        refused as a loop."""
        self.calls += 1
        answer = json.loads(self.run.ask(json.dumps([server, tool, arguments | {"call": self.calls}]), 30)[0])
        if "result" not in answer:
            return f"!{json.dumps(answer.get('error') or answer)}"
        texts = [part.get("text", "") for part in answer["result"].get("content", [])]
        return ("!" if answer["result"].get("isError") else "") + " ".join(texts)

    def reach(self):
        return self.call("net", "reach", port=self.listener.port)

    def connect(self):
        return self.run.ask(json.dumps(["connect", self.listener.port]), 15)[0]


def lapsed(ask, is_good):
    """Waits until it is answered again."""
    last = [""]

    def look():
        last[0] = ask()
        return is_good(last[0])

    try:
        until("", look, 10, every=0.5)
    except Failed:
        raise Failed(f"not answered again within 10 s: {last[0][:600]}") from None


def verb_disable_tool(node, agent):
    session = agent.run.session
    for target in (session, "server:notes"):
        before = agent.call("notes", "echo", text="hello")
        expect(not before.startswith("!") and "hello" in before, f"before: {before}")
        order = Order(node, target, "disable-tool", "echo")
        refused = agent.call("notes", "echo", text="hello")
        expect(refused.startswith("!"), f"called although taken away: {refused}")
        other = agent.call("notes", "big", bytes=4)
        expect(other == "xxxx", f"another tool of the server: {other}")
        release(node, target, "disable-tool")
        after = agent.call("notes", "echo", text="hello")
        expect(not after.startswith("!"), f"after: {after}")
    Order(node, session, "disable-tool", "echo", ttl="2s")
    lapsed(lambda: agent.call("notes", "echo", text="hello"), lambda answer: not answer.startswith("!"))
    for kind in ("contained", "released"):
        expect(on_ledger(node, session, "disable-tool", kind), f"the ledger has no `{kind}` of it")
    return f"refused: {refused[:100]}…; another tool answers; acknowledged after {order.after_ms:.1f} ms; lapses"


def verb_server_no_egress(node, agent):
    expect(agent.reach() == "connected", f"before: {agent.reach()}")
    own = agent.connect()
    expect(own == "connected", f"the agent itself, before: {own}")
    order = Order(node, "server:net", "no-egress")
    arrived = agent.listener.arrived
    refused = agent.reach()
    expect(not refused.startswith("connected"), f"the server reached it: {refused}")
    expect(agent.listener.arrived == arrived, "something arrived")
    own = agent.connect()
    expect(own == "connected", f"the agent itself was cut, too: {own}")
    notes = agent.call("notes", "big", bytes=4)
    expect(notes == "xxxx", f"the other server: {notes}")
    release(node, "server:net")
    after = agent.reach()
    expect(after == "connected", f"after release: {after}")
    Order(node, "server:net", "no-egress", ttl="2s")
    lapsed(agent.reach, lambda answer: answer == "connected")
    took = f"acknowledged after {order.after_ms:.1f} ms"
    return f"the server's tool says `{refused}`, the agent and the other server go on; {took}; released and lapsed"


def verb_server_freeze(node, agent):
    Order(node, "server:net", "freeze")
    answer = []
    asking = threading.Thread(target=lambda: answer.append(agent.reach()), daemon=True)
    asking.start()
    asking.join(1)
    expect(not answer or answer[0].startswith("!"), f"it answered: {answer}")
    release(node, "server:net")
    asking.join(15)
    expect(answer, "no answer after release")
    lapsed(agent.reach, lambda answer: answer == "connected")
    return f"a call stands still with it, and is answered after release: {answer[0][:80]}"


def verb_server_terminate(node, agent):
    Order(node, "server:net", "terminate")
    answer = agent.reach()
    expect(answer.startswith("!"), f"it answers: {answer}")
    notes = agent.call("notes", "big", bytes=4)
    expect(notes == "xxxx", f"the other server: {notes}")
    expect(agent.connect() == "connected", "the agent itself is cut off")
    release(node, "server:net")
    return f"a call says {answer[:80]}; the other server and the agent go on"


CONFIG = """
[agents.tester]
owner = "the tests of the kernel plane"
[servers.notes]
inside = true
[servers.notes.tools]
echo = "read"
big = "read"
[servers.net]
inside = true
[servers.net.tools]
reach = "read"
"""


def with_victim(node):
    with contextlib.ExitStack() as stack:
        victim = Victim(node, HERE / "victim", stack)
        session = victim.run.session
        verbs = {
            "no-egress": (("connect", "stream"), True),
            "read-only": (CHANGES, True),
            "no-exec": (("exec",), True),
            "freeze": (SLOTS, False),
        }
        for verb, (names, fails) in verbs.items():
            do = lambda verb=verb, names=names, fails=fails: forbids(node, victim, verb, names, fails)
            checks.check(verb.replace("-", "_"), lambda do=do: given_back(node, session, do))
        checks.check("combined", lambda: given_back(node, "agent:tester", lambda: verb_combined(node, victim)))
        checks.check("terminate", lambda: verb_terminate(node, victim))


def with_tools(node):
    with contextlib.ExitStack() as stack:
        agent = ToolAgent(node, HERE / "tools", stack)
        for verb in (verb_disable_tool, verb_server_no_egress, verb_server_freeze, verb_server_terminate):
            target = "server:notes" if verb is verb_disable_tool else "server:net"
            do = lambda verb=verb: verb(node, agent)
            checks.check(verb.__name__.removeprefix("verb_"), lambda do=do, target=target: given_back(node, target, do))


def main():
    skip_unless_root("verb")
    with ground(HERE):
        checks.check("plain", lambda: verb_plain(None))
        with Node(HERE / "node", CONFIG) as node:
            for part in (with_victim, with_tools):
                # What could not begin is one failed check.
                try:
                    part(node)
                except Exception as fault:
                    checks.check(part.__name__, lambda fault=fault: again(fault))
            checks.check("ledger", lambda: node.cli("ledger", "verify").splitlines()[-1])
    return checks.end()


def given_back(node, target, do):
    """A check after which nothing stands, however it went: the next ones are to begin with everything."""
    try:
        return do()
    finally:
        node.tried("release", target)


def again(fault):
    raise fault


if __name__ == "__main__":
    sys.exit(main())
