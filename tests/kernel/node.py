"""What the tests of the kernel plane share: a node of their own, agents in its boxes, C programs, and how a
check is printed.

Everything is below `.work/kernel` of this repository: where a file is decides what may be done to it. What is
in /tmp may be read and changed by anybody, so for a repository there it is a folder of /srv. It must be a file
system that asks before files are opened (ext4).
"""

import atexit
import contextlib
import errno
import functools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = ("/tmp", "/var/tmp", "/dev/shm", "/run")
WORK = Path("/srv/pathwarden-tests") if str(ROOT).startswith(SHARED) else ROOT / ".work" / "kernel"
# For who has to look at what a failed check left.
KEEP = "PATHWARDEN_KEEP" in os.environ
# Kept by the distribution, so it is a program of the system wherever the tests were started with.
PYTHON = "/usr/bin/python3"
# Generous: another build may have the machine.
START_SECONDS = 60
RUN_SECONDS = 60


def programs():
    """The folder of our programs; $PATHWARDEN_BIN may also name `pathwarden` itself."""
    given = os.environ.get("PATHWARDEN_BIN")
    found = Path(given).resolve() if given else ROOT / "target" / "debug"
    return found.parent if found.is_file() else found


BIN = programs()


class Failed(Exception):
    """A check that did not hold, with what was seen instead."""


class Skipped(Exception):
    """A check that cannot be made here, with the reason."""


def until(what, look, seconds=10.0, every=0.005):
    """Waits until `look` gives something true, and gives that."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise Failed(f"not within {seconds:g} s: {what}")
        time.sleep(every)


def micros():
    return time.time_ns() // 1000


# Processes


def stat_of(pid):
    """State and parent of a process; None when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rsplit(")", 1)[1].split()
    return fields[0], int(fields[1])


def is_alive(pid):
    found = stat_of(pid)
    return found is not None and found[0] not in "ZX"


def descendants(pid):
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (found := stat_of(entry)):
            parents.setdefault(found[1], []).append(int(entry))
    below, look = [], [pid]
    while look:
        children = parents.get(look.pop(), [])
        below += children
        look += children
    return below


def named(marker):
    """Living processes with this word in their command line."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            with contextlib.suppress(OSError):
                if marker.encode() in Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0") and is_alive(entry):
                    found.append(int(entry))
    return found


def cgroup2():
    """Where the cgroup v2 hierarchy is mounted."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        if fields[fields.index("-") + 1] == "cgroup2" and fields[3] == "/":
            return Path(fields[4])
    raise Skipped("there is no cgroup2 mount")


def counters():
    """Where the hierarchy of v1 that counts processes is mounted, if it is."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        after = fields[fields.index("-") + 1 :]
        if after[0] == "cgroup" and "pids" in after[2].split(","):
            yield Path(fields[4])


def cgroup_of(pid):
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        if line.startswith("0::"):
            return cgroup2() / line[3:].lstrip("/")
    raise Failed(f"process {pid} is in no cgroup")


def members(cgroup):
    """Processes of a cgroup and all below it."""
    pids = []
    for procs in [cgroup / "cgroup.procs", *cgroup.glob("*/**/cgroup.procs")]:
        with contextlib.suppress(OSError):
            pids += [int(pid) for pid in procs.read_text().split()]
    return sorted(set(pids))


# Programs


@functools.cache
def compiled(name, *options):
    """A program of `programs/`, compiled once; statically, so that nothing else is opened or mapped."""
    folder = WORK / f"bin-{os.getpid()}"
    if not folder.exists():
        folder.mkdir(parents=True)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    program = folder / f"{name}{len(list(folder.iterdir()))}"
    source = ROOT / "tests" / "kernel" / "programs" / f"{name}.c"
    command = ["gcc", "-O1", "-Wall", "-Werror", "-pthread", str(source), "-o", str(program), *(options or ("-static",))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise Failed(f"gcc: {done.stderr[-800:]}")
    return program


def install(name, to, *options):
    shutil.copy(compiled(name, *options), to)
    return to


# Reaching something


class Listener:
    """Accepts and counts; keeps what was sent where `takes` is given."""

    def __init__(self, takes=None):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self.socket.getsockname()[1]
        self.arrived = 0
        self.takes = takes
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            self.arrived += 1
            if self.takes:
                threading.Thread(target=self.takes, args=(peer,), daemon=True).start()
            else:
                peer.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


class UnixConnection(HTTPConnection):
    """HTTP over the node's own socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


# The node


class Node:
    """A node with a home of its own, on ports that are free. Its folder is removed at the end."""

    def __init__(self, folder, config="", processes_max=None, programs=BIN, user=None):
        self.folder = Path(folder)
        self.own = [str(programs / "pathwarden")]
        if user:
            self.own = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *self.own]
        self.user = user
        self.home = self.folder / "home"
        self.config = config
        self.processes_max = processes_max
        self.process = None
        self.ready = {}
        self.runs = []
        # Neither a token nor an endpoint of whoever runs the tests.
        self.environment = {"PATHWARDEN_HOME": str(self.home)}

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        if self.user:
            os.chown(self.folder, self.user, self.user)
        try:
            self.cli("init")
            (self.home / "pathwarden.toml").write_text(self.configuration())
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def configuration(self):
        most = f"[run]\nprocesses_max = {self.processes_max}\n" if self.processes_max else ""
        return (
            '[listen]\napi = "127.0.0.1:0"\nmcp = "127.0.0.1:0"\nmodels = "127.0.0.1:0"\n'
            f"[approvals]\nwait_seconds = 1\n{most}{self.config}"
        )

    def __exit__(self, *_):
        for run in self.runs:
            run.close()
        self.stop()
        if not KEEP:
            shutil.rmtree(self.folder, ignore_errors=True)

    def env(self):
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PATHWARDEN_")}
        return clean | self.environment

    def start(self):
        """Starts it and waits until it says that it is ready."""
        out, log = self.folder / "up.out", self.folder / "up.log"
        with out.open("w") as stdout, log.open("a") as stderr:
            command = [*self.own, "--json", "up"]
            self.process = subprocess.Popen(command, stdout=stdout, stderr=stderr, env=self.env())
        self.ready = until(f"the node is ready\n{self.log()}", self.says_ready, START_SECONDS)

    def says_ready(self):
        if self.process.poll() is not None:
            raise Failed(f"the node ended with {self.process.returncode}: {self.log()}")
        lines = (self.folder / "up.out").read_text().splitlines()
        documents = [json.loads(line) for line in lines if line.startswith("{")]
        return next((one for one in documents if one.get("ready")), None)

    def log(self):
        with contextlib.suppress(OSError):
            return (self.folder / "up.log").read_text()[-1500:]
        return ""

    def stop(self, number=signal.SIGTERM):
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self.process = None

    def cli(self, *words, seconds=30):
        """Runs a command of ours as the operator; fails as a check when it fails."""
        done = self.tried(*words, seconds=seconds)
        if done.returncode:
            raise Failed(f"pathwarden {' '.join(words)}: status {done.returncode}: {(done.stdout + done.stderr)[-800:]}")
        return done.stdout

    def tried(self, *words, seconds=30):
        return subprocess.run([*self.own, *words], env=self.env(), capture_output=True, text=True, timeout=seconds)

    def json(self, *words):
        return json.loads(self.cli("--json", *words))

    def request(self, method, path, token=None, body=None):
        """Asks the node's API on TCP; status and body."""
        host, port = self.ready["api"].rsplit(":", 1)
        connection = HTTPConnection(host, int(port), timeout=20)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def records(self):
        return [json.loads(line) for line in self.cli("ledger", "export").splitlines() if line.startswith("{")]

    # Agents

    def command(self, workspace, command, agent="tester", options=()):
        own = [*self.own, "run", "--agent", agent, "--task", "a test", "--workspace", str(workspace)]
        return [*own, *map(str, options), "--", *map(str, command)]

    def launch(self, workspace, command, agent="tester", options=(), extra=None, pass_fds=()):
        """Starts an agent in a box; what it prints can be read while it runs."""
        run = Run(self, self.command(workspace, command, agent, options), workspace, extra or {}, pass_fds)
        self.runs.append(run)
        return run

    def run(self, workspace, command, seconds=RUN_SECONDS, check=True, **how):
        """Runs an agent in a box to its end, and gives what it printed."""
        run = self.launch(workspace, command, **how)
        try:
            run.end(seconds)
        finally:
            run.close()
        if check and run.status != 0:
            raise Failed(f"status {run.status} of {Path(str(command[0])).name}: {run.said()}")
        return run


class Run:
    """An agent in a box."""

    def __init__(self, node, command, workspace, extra, pass_fds):
        self.node = node
        self.lines, self.errors = [], []
        self.status = None
        self.known = set()
        self.place = None
        self.process = subprocess.Popen(
            command, cwd=workspace, env=node.env() | extra, pass_fds=pass_fds, text=True, errors="replace",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        self.readers = [
            threading.Thread(target=self.keep, args=(stream, lines), daemon=True)
            for stream, lines in ((self.process.stdout, self.lines), (self.process.stderr, self.errors))
        ]
        for reader in self.readers:
            reader.start()

    def keep(self, stream, lines):
        for line in stream:
            lines.append(line.rstrip("\n"))

    @property
    def out(self):
        return "\n".join(self.lines)

    def said(self):
        return ("\n".join(self.lines[-10:]) + "\n" + "\n".join(self.errors[-10:])).strip()

    def is_over(self):
        return self.process.poll() is not None

    @property
    def session(self):
        """The session's id, from the line that `run` prints first."""

        def look():
            found = [re.match(r"pathwarden: session ([^ ,]+),", line) for line in self.errors]
            found = [one.group(1) for one in found if one]
            if not found and self.is_over():
                raise Failed(f"`pathwarden run` ended with {self.process.returncode}: {self.said()}")
            return found and found[0]

        return until(f"`pathwarden run` names its session; it said: {self.said()}", look, START_SECONDS)

    @property
    def cgroup(self):
        """The session's cgroup, of v2."""

        def look():
            for pid in descendants(self.process.pid):
                with contextlib.suppress(OSError, Failed):
                    found = cgroup_of(pid)
                    parts = found.relative_to(cgroup2()).parts
                    if "pathwarden" in parts:
                        at = parts.index("pathwarden") + 2
                        if len(parts) >= at:
                            return cgroup2().joinpath(*parts[:at])
            if self.is_over():
                raise Failed(f"the run is over: {self.said()}")
            return None

        self.place = self.place or until("the session has a cgroup", look)
        return self.place

    def pids(self):
        found = members(self.cgroup)
        self.known.update(found)
        return found

    def line(self, begins, seconds=RUN_SECONDS, after=0):
        """The first line, after so many, that begins like this."""

        def look():
            for line in self.lines[after:]:
                if line.startswith(begins):
                    return line
            if self.is_over() and not any(reader.is_alive() for reader in self.readers):
                raise Failed(f"no `{begins}…` before the end, status {self.process.returncode}: {self.said()}")
            return None

        return until(f"a line `{begins}…`; there was: {self.said()}", look, seconds)

    def ask(self, command, seconds=15.0):
        """Lets a puppet do something; what it answers, and how long that took in s."""
        before = len(self.lines)
        start = time.monotonic()
        self.tell(command)
        until_line = functools.partial(lambda: self.lines[before:] or (self.is_over() and self.fail()))
        answer = until(f"an answer to `{command}`; {self.said()}", until_line, seconds, every=0.0005)[0]
        return answer, time.monotonic() - start

    def fail(self):
        raise Failed(f"the run ended with {self.process.returncode}: {self.said()}")

    def tell(self, command):
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()

    def end(self, seconds=RUN_SECONDS):
        """Waits until it is over."""
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failed(f"not over after {seconds:g} s: {self.said()}") from None
        for reader in self.readers:
            reader.join(5)
        return self.status

    def close(self):
        """Ends it, whatever it does, and leaves nothing of it."""
        if self.process.poll() is None:
            with contextlib.suppress(Exception):
                self.pids()
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
        self.sweep()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.close()

    def sweep(self):
        """What a supervisor that was killed leaves behind."""
        if not self.place or not self.place.exists():
            return
        with contextlib.suppress(OSError):
            (self.place / "cgroup.kill").write_text("1")
        with contextlib.suppress(OSError):
            (self.place / "cgroup.freeze").write_text("0")
        with contextlib.suppress(Failed):
            until("the cgroup is empty", lambda: not members(self.place), 5)
        legacy = [counter / "pathwarden" / self.place.name for counter in counters()]
        for folder in [*sorted([self.place, *self.place.glob("**/")], reverse=True), *legacy]:
            with contextlib.suppress(OSError):
                folder.rmdir()
        shutil.rmtree(Path("/var/lib/pathwarden/run") / self.place.name, ignore_errors=True)


# Checks


class Checks:
    """Runs checks and prints a line for each."""

    def __init__(self, kind):
        self.kind = kind
        self.passed = self.failed = self.skipped = 0
        # One or a few by name, for who looks into one.
        self.only = sys.argv[1:]

    def wants(self, name):
        return not self.only or any(word in name for word in self.only)

    def check(self, name, do):
        if not self.wants(name):
            return
        try:
            seen = do()
        except Skipped as reason:
            self.skipped += 1
            print(f"skipped: {name}: {reason}", flush=True)
            return
        except Exception as fault:  # the next check must run whatever this one met
            self.failed += 1
            told = str(fault) if isinstance(fault, Failed) else f"{type(fault).__name__}: {fault}"
            self.say(name, "FAILED", told)
            if KEEP and not isinstance(fault, Failed):
                import traceback

                traceback.print_exc()
            return
        self.passed += 1
        self.say(name, "ok", seen or "")

    def say(self, name, verdict, seen):
        seen = " | ".join(line.strip() for line in str(seen).splitlines() if line.strip())
        print(f"{self.kind} {name:24} {verdict:6} {seen}", flush=True)

    def end(self):
        """The counts, for run.sh, and the exit code."""
        print(f"{self.kind}s: {self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        return 1 if self.failed else 0


# Of a node for an agent `tester`.
TESTER = '[agents.tester]\nowner = "the tests of the kernel plane"\n'


@contextlib.contextmanager
def ground(folder):
    """An empty folder, which is removed with all that is made in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        if not KEEP:
            shutil.rmtree(folder, ignore_errors=True)


def skip_unless_root(kind):
    """Ends the program, where nothing of it can be checked."""
    if os.geteuid() != 0:
        print(f"skipped: {kind}: root is needed to ask in the kernel")
        sys.exit(0)


def expect(holds, seen):
    if not holds:
        raise Failed(seen)


def code(answer):
    """The error that a C program printed by number, as a name."""
    return errno.errorcode.get(int(answer), str(answer))


def interrupted(*_):
    raise KeyboardInterrupt


# Told to stop, the tests still clean up.
signal.signal(signal.SIGTERM, interrupted)
