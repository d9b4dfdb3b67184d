"""The node, the supervisor and the box itself as what is attacked."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from node import PYTHON, cgroup2, counters, expect, install, is_alive, members, named, until
from trap import Place, Puppet


def trap_freeze_waiting(node):
    with Place("freeze") as place, contextlib.ExitStack() as stack:
        puppet = Puppet(node, place, stack)
        run = puppet.run
        cgroup = run.cgroup
        node.process.send_signal(signal.SIGSTOP)
        stack.callback(node.process.send_signal, signal.SIGCONT)
        before = len(run.lines)
        run.tell("connect 443 203.0.113.7")
        until("the process waits in connect", lambda: any(syscall_of(pid) == 42 for pid in members(cgroup)), 4)
        start = time.monotonic()
        (cgroup / "cgroup.freeze").write_text("1")
        until("the cgroup is frozen", lambda: "frozen 1" in (cgroup / "cgroup.events").read_text(), 3, every=0.0002)
        took = time.monotonic() - start
        (cgroup / "cgroup.freeze").write_text("0")
        node.process.send_signal(signal.SIGCONT)
        answer = until("an answer", lambda: run.lines[before:], 15)[0]
        expect(not answer.startswith("ok"), f"the connection: {answer}")
        return f"frozen {took * 1000:.1f} ms after the order, with a process in connect, whose wait has a deadline of 2 s; afterwards {answer}"


def trap_hung(node):
    """A call that waits for others for ever does not keep its process from standing still, or ending."""
    with Place("hung") as place, contextlib.ExitStack() as stack:
        os.mkfifo(place.work / "fifo")
        script = "(echo x >fifo) & while :; do echo tick; sleep 0.1; done"
        run = node.launch(place.work, ["/bin/sh", "-c", script])
        stack.callback(run.close)
        run.line("tick")
        until("a process hangs", lambda: any(syscall_of(pid) in (2, 257) for pid in members(run.cgroup)), 4)
        orders = []
        for verb in ("freeze", "terminate"):
            start = time.monotonic()
            done = node.tried("contain", run.session, verb, "--ttl", "1m")
            expect(done.returncode == 0, f"{verb}: {done.stdout}{done.stderr}")
            orders.append(f"{verb} {(time.monotonic() - start) * 1000:.0f} ms")
            expect(verb == "terminate" or "frozen 1" in (run.cgroup / "cgroup.events").read_text(), "it moves")
        run.end(5)
        return f"{', '.join(orders)}, the command's own time included"


def trap_ended(node):
    """With its session a box ends, whoever ends it."""
    with Place("ended") as place, contextlib.ExitStack() as stack:
        run = node.launch(place.work, ["/bin/sh", "-c", "echo up; exec sleep 60"])
        stack.callback(run.close)
        run.line("up")
        start = time.monotonic()
        node.cli("session", "end", run.session)
        run.end(10)
        return f"ended {(time.monotonic() - start) * 1000:.0f} ms after the order, the command's own time included"


def syscall_of(pid):
    with contextlib.suppress(OSError, ValueError):
        return int(Path(f"/proc/{pid}/syscall").read_text().split()[0])
    return None


def trap_signals(node):
    """To a process outside, and to the supervisor."""
    with Place("signals") as place, contextlib.ExitStack() as stack:
        victim = subprocess.Popen(["sleep", "60"])
        stack.callback(lambda: (victim.kill(), victim.wait()))
        puppet = Puppet(node, place, stack)
        targets = {
            "a process outside": victim.pid, "the supervisor": puppet.run.process.pid, "the node": node.process.pid,
            "these tests": os.getpid(),
        }
        seen = {name: puppet.does(f"kill {pid} {signal.SIGCONT}") for name, pid in targets.items()}
        reached = [name for name, answer in seen.items() if answer.startswith("ok")]
        expect(not reached, f"reached: {', '.join(reached)}")
        parent = puppet.does(f"kill 1 {signal.SIGKILL}")
        expect(puppet.does("pid").startswith("ok"), "the box is gone")
        puppet.run.process.stdin.write(f"kill -1 {signal.SIGKILL}\n")
        puppet.run.process.stdin.flush()
        puppet.run.end(20)
        expect(all(map(is_alive, (victim.pid, node.process.pid))), "a process outside was killed")
        words = ", ".join(f"{name} {answer}" for name, answer in seen.items())
        return f"{words}; the box's first process: {parent}; kill(-1) ended the box alone"


def trap_node_files(node):
    """The node's home, its keys and its socket, and sockets of the system."""
    with Place("node-files") as place, contextlib.ExitStack() as stack:
        files = [path for path in node.home.rglob("*") if path.is_file()]
        expect(any("key" in path.name for path in files), f"no keys in the home: {files}")
        listener = socket.socket(socket.AF_UNIX)
        stack.callback(listener.close)
        manager = Path(f"/run/pathwarden-test-{os.getpid()}.sock")
        stack.callback(manager.unlink, missing_ok=True)
        listener.bind(str(manager))
        listener.listen()
        abstract = socket.socket(socket.AF_UNIX)
        stack.callback(abstract.close)
        puppet = Puppet(node, place, stack)
        read = [path.name for path in files if puppet.does(f"open {path}").startswith("ok")]
        expect(not read, f"read from the node's home: {', '.join(read)}")
        write = [path.name for path in files if puppet.does(f"write {path}").startswith("ok")]
        expect(not write, f"opened for writing in the node's home: {', '.join(write)}")
        made = puppet.does(f"create {node.home}/planted")
        expect(not (node.home / "planted").exists(), "a file was planted in the node's home")
        node_socket = puppet.does(f"unix {node.ready['socket']}")
        expect(not node_socket.startswith("ok"), f"the node's socket: {node_socket}")
        system = puppet.does(f"unix {manager}")
        expect(not system.startswith("ok"), f"a socket in /run: {system}")
        sockets = f"the node's socket {node_socket}, one in /run {system}"
        return f"{len(files)} files of the home refused, planting {made}; {sockets}"


RELAY = """
import http.client, json, os, socket, sys
endpoint = os.environ["PATHWARDEN_ENDPOINT"]
class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(endpoint)
token = os.environ.get("PATHWARDEN_TOKEN", "")
session = os.environ.get("TRAP_SESSION", "")
by = {"by": "tester"}
asks = [
    ("GET", "/v1/containments", None),
    ("GET", "/v1/sessions", None),
    ("POST", "/v1/containments/release", {"target": sys.argv[1], "verbs": [], **by}),
    ("POST", "/v1/points/orders", {"session": sys.argv[1], "point": "mine", "applied": 9, "failed": [], "up_to_ms": 0}),
    ("POST", "/v1/approvals/x/answer", {}),
    ("POST", "/v1/sessions", {"agent": "tester", "task": "", "stated_by": "tester"}),
    ("POST", "/v1/policy/reload", {}),
]
host, port = sys.argv[2].rsplit(":", 1)
for make in (lambda: Unix("localhost", timeout=10), lambda: http.client.HTTPConnection(host, int(port), timeout=10)):
    for method, path, body in asks:
        try:
            connection = make()
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               {"Authorization": "Bearer " + token, "Content-Type": "application/json"})
            print(method + path, connection.getresponse().status, flush=True)
        except (PermissionError, ConnectionResetError, BrokenPipeError, http.client.RemoteDisconnected):
            print(method + path, "refused", flush=True)
"""


def trap_relay(node):
    """What of the node can be reached from inside: nothing of what operators may do."""
    with Place("relay") as place:
        (place.work / "relay.py").write_text(RELAY)
        with contextlib.ExitStack() as stack:
            other = Puppet(node, place, stack)
            target, api = other.run.session, node.ready["api"]
            run = node.run(place.work, [PYTHON, place.work / "relay.py", target, api])
            answers = [line.split() for line in run.lines]
            expect(len(answers) == 14, f"not all was asked: {run.said()}")
            is_refused = lambda status: status == "refused" or 400 <= int(status) < 500
            taken = [f"{path} {status}" for path, status in answers if not is_refused(status)]
            expect(not taken, f"answered: {', '.join(taken)}")
        words = ", ".join(sorted({status for _, status in answers}))
        return f"{len(answers)} requests through its socket and the node's port: {words}"


def trap_cgroup_files(node):
    with Place("cgroup-files") as place, contextlib.ExitStack() as stack:
        puppet = Puppet(node, place, stack)
        own, root = puppet.run.cgroup, cgroup2()
        tries = {
            "leaving": (root / "cgroup.procs", "0"), "freezing": (own / "cgroup.freeze", "0"),
            "leaving threads": (root / "cgroup.threads", "0"),
        }
        for counter in counters():
            tries["leaving the counter"] = (counter / "cgroup.procs", "0")
        seen = {name: puppet.does(f"put {path} {text}") for name, (path, text) in tries.items()}
        seen["a cgroup of its own"] = puppet.does(f"mkdir {own}/mine")
        done = [name for name, answer in seen.items() if answer.startswith("ok")]
        expect(not done, f"done: {', '.join(done)}")
        expect(len(puppet.run.pids()) >= 1 and puppet.run.process.poll() is None, "it is not where it was")
        return ", ".join(f"{name} {answer}" for name, answer in seen.items())


def trap_killed_supervisor(node):
    with Place("killed") as place, contextlib.ExitStack() as stack:
        program = install("daemon", place.work / "daemon")
        marker = f"pathwarden-killed-{os.getpid()}"
        place.arguments(marker, place.secret / "secret", place.work / "seen", "stay")
        run = node.launch(place.work, [program])
        stack.callback(run.close)
        run.line("ready")
        pids = run.pids()
        expect(len(pids) >= 2 and set(named(marker)) & set(pids), f"the grandchild is not in the cgroup: {pids}")
        start = time.monotonic()
        run.process.kill()
        until("everything in the box is gone", lambda: not any(map(is_alive, pids)) and not named(marker), 2)
        return f"{len(pids)} processes gone {(time.monotonic() - start) * 1000:.0f} ms after SIGKILL of the supervisor"


DYING = """
import os, signal, socket
outside, port = open("arguments").read().split()
for number in (signal.SIGHUP, signal.SIGQUIT):
    signal.signal(number, signal.SIG_IGN)
log = os.open("log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(30):
    if os.fork() == 0:
        break
else:
    print("ready", flush=True)
while True:
    try:
        descriptor = os.open(outside + "/secret", os.O_RDONLY)
        os.write(log, b"READ ")
        os.close(descriptor)
    except OSError:
        pass
    try:
        datagrams.sendto(b"x", ("127.0.0.1", int(port)))
    except OSError:
        pass
"""


def trap_dying_supervisor(node):
    """Nothing opens while the supervisor dies: by a signal to its terminal's job, or killed."""
    with Place("dying") as place, contextlib.ExitStack() as stack:
        (place.work / "dying.py").write_text(DYING)
        collector = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        collector.bind(("127.0.0.1", 0))
        collector.setblocking(False)
        place.arguments(place.secret, collector.getsockname()[1])
        for number in (signal.SIGHUP, signal.SIGKILL, signal.SIGKILL, signal.SIGKILL):
            run = node.launch(place.work, [PYTHON, "dying.py"])
            stack.callback(run.close)
            run.line("ready")
            pids = run.pids()
            run.process.send_signal(number)
            until("everything in the box is gone", lambda: not any(map(is_alive, pids)), 5)
            leaked = (place.work / "log").read_text()
            expect(not leaked, f"read {leaked.count('READ')} times after signal {int(number)}")
            with contextlib.suppress(BlockingIOError):
                expect(not collector.recv(16), f"a datagram arrived after signal {int(number)}")
        return "0 reads and 0 datagrams of 31 processes that tried while it died, 4 times"
