#!/usr/bin/env python3
"""Runs the corpus of command lines in the box: crates/lens-shell/corpus, for real.

Attacks: each has a workspace, a home with secrets, a folder beside the workspace and a collector of its own,
and is two sessions of `pathwarden run`. In one it stands in the arguments of a shell, and the shipped policy
decides. In the other it is typed into a shell that is already there, and the policy thinks nothing of what
command lines say: only what is opened, changed and reached is left to decide. What it must not bring about
is then looked for in the files and at the collector, whatever it printed. Each is also run without
Pathwarden, in a jail that forgets, to see that it would have brought it about.

Ordinary commands: all of them in one workspace, in one session; none may be refused.

    tests/kernel/corpus.py [--only NAME] [--attacks | --ordinary]
"""

import argparse
import concurrent.futures
import contextlib
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections import Counter
from pathlib import Path

from node import ROOT, WORK, Failed, Node, skip_unless_root

CORPUS = ROOT / "crates" / "lens-shell" / "corpus"
HERE = WORK / "corpus"
JAIL = Path(__file__).resolve().parent / "jail.sh"
DEADLINE_SECONDS = 20
# To die in, after it was told to end.
GRACE_SECONDS = 5
# A line that takes longer without us has left something running, or sleeps.
LATE_SECONDS = 2
# After which a collector takes a request for complete.
PAUSE_SECONDS = 0.2
# A script, for what runs what it fetches.
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\nConnection: close\r\n\r\necho fetched\n"
PARALLEL = 2
# For all ordinary commands together.
ORDINARY_SECONDS = 120
# The least number of attacks that must work without Pathwarden, so that the corpus can fail.
WORKING_MIN = 60
REFUSING = ("deny", "hold", "isolate")
PROGRAMS = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
CONFIG = """
[agents.worker]
owner = "the tests of the kernel plane"
"""


class Blind(Node):
    """A node whose policy lets every command line pass that starts a program from a place for programs."""

    def start(self):
        policy = self.home / "policies" / "host.rego"
        text = policy.read_text()
        for before, after in (
            ("has_bad_doubt if {", 'has_bad_doubt if {\n\tinput.action.kind != "exec"'),
            ("is_allowed_act(act) if {", IGNORED + "is_allowed_act(act) if {"),
        ):
            if before not in text:
                raise Failed(f"{policy} has no `{before}` any more")
            text = text.replace(before, after, -1 if before.startswith("has") else 1)
        policy.write_text(text)
        super().start()


IGNORED = """is_allowed_act(act) if {
	input.action.kind == "exec"
	act.verb != "run"
}

"""


class Collector:
    """Where loot is sent: keeps what arrives on a port of its own, and answers like a web server."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = 0
        self.received = b""
        self.lock = threading.Lock()
        self.last = None
        self.receivers = []
        self.acceptor = threading.Thread(target=self.accept, daemon=True)
        self.acceptor.start()

    def accept(self):
        while True:
            connection, peer = self.listener.accept()
            # The queue keeps its order: who came before the last has been taken.
            if peer == self.last:
                connection.close()
                return
            self.connections += 1
            receiver = threading.Thread(target=self.receive, args=(connection,), daemon=True)
            self.receivers.append(receiver)
            receiver.start()

    def receive(self, connection):
        """Keeps what arrives, and answers when nothing has for a moment: a request may come in pieces."""
        connection.settimeout(PAUSE_SECONDS)
        with connection, contextlib.suppress(OSError):
            self.take(connection)
            connection.sendall(ANSWER)
            connection.settimeout(GRACE_SECONDS)
            self.take(connection)

    def take(self, connection):
        with contextlib.suppress(TimeoutError):
            while piece := connection.recv(65536):
                with self.lock:
                    self.received += piece

    def close(self):
        """Waits until everything that came before now was taken, and stops."""
        with socket.socket() as own:
            own.bind(("127.0.0.1", 0))
            self.last = own.getsockname()
            own.connect(("127.0.0.1", self.port))
            self.acceptor.join(GRACE_SECONDS)
        for receiver in self.receivers:
            receiver.join(GRACE_SECONDS)
        self.listener.close()


def marker(name):
    """A secret's content holds this word, which stands nowhere else."""
    return "marker" + hashlib.sha256(name.encode() + os.urandom(8)).hexdigest()[:24]


SECRETS = {
    ".ssh/id_rsa": "-----BEGIN OPENSSH PRIVATE KEY-----\n{0}\n-----END OPENSSH PRIVATE KEY-----\n",
    ".aws/credentials": "[default]\naws_access_key_id = AKIA0000000000000000\naws_secret_access_key = {0}\n",
    ".netrc": "machine api.example login owner password {0}\n",
    ".bashrc": "# {0}\nalias ll='ls -l'\n",
    ".profile": "# {0}\n",
    ".git-credentials": "https://owner:{0}@example.com\n",
    ".kube/config": "apiVersion: v1\nkind: Config\nusers:\n- name: owner\n  user:\n    token: {0}\n",
    ".docker/config.json": '{{"auths": {{"registry.example": {{"auth": "{0}"}}}}}}\n',
    ".config/settings.ini": "[general]\nname = {0}\n",
}
BESIDE = {"ledger.db": "{0} 100\n{0} 200\n", "keep/a.txt": "a {0}\n", "keep/b.txt": "b {0}\n"}
PROJECT = {
    "README.md": "# A project\n",
    "main.py": "print('hello')\n",
    "src/lib.py": "def add(a, b):\n    return a + b\n",
}


class World:
    """A workspace, a home with secrets, and a folder beside them, made anew; and what becomes of them."""

    def __init__(self, folder):
        self.folder = folder
        self.home, self.work, self.outside = folder / "home", folder / "work", folder / "outside"
        self.markers = {}
        for top, files in ((self.home, SECRETS), (self.outside, BESIDE), (self.work, PROJECT)):
            for name, text in files.items():
                path = top / name
                path.parent.mkdir(parents=True, exist_ok=True)
                word = marker(name)
                if "{0}" in text:
                    self.markers[path] = word.encode()
                path.write_text(text.format(word))
        for private in (".ssh", ".aws"):
            (self.home / private).chmod(0o700)
        for path in self.home.rglob("*"):
            if path.is_file():
                path.chmod(0o600)
        subprocess.run(["git", "init", "-q", self.work], check=True, env={"PATH": PROGRAMS, "HOME": str(self.home)})
        self.collector = Collector()
        self.before = self.look()
        # A file that is read after this says so: its time of access moves, as it is older than its content.
        for path in self.markers:
            os.utime(path, ns=(0, path.stat().st_mtime_ns))

    def fill_in(self, text):
        port = str(self.collector.port)
        for name, value in (
            ("HOME", self.home), ("WORK", self.work), ("OUTSIDE", self.outside),
            ("COLLECTOR_HOST", "127.0.0.1"), ("COLLECTOR_PORT", port), ("COLLECTOR", f"127.0.0.1:{port}"),
        ):
            text = text.replace(f"@{name}@", str(value))
        return text

    def look(self):
        """What stands in the three folders: for each path its kind, rights, owner and content."""
        seen = {}
        for path in self.folder.rglob("*"):
            stat = path.lstat()
            content = b""
            if path.is_symlink():
                content = os.readlink(path).encode()
            elif path.is_file():
                content = hashlib.sha256(path.read_bytes()).digest()
            seen[path] = (stat.st_mode, stat.st_uid, stat.st_gid, stat.st_nlink if path.is_file() else 0, content)
        return seen

    def was_read(self):
        """The secrets that somebody has read. To be asked before anything else is looked at."""
        return {path for path in self.markers if path.is_file() and path.lstat().st_atime_ns != 0}

    def leaked(self, printed):
        """The secrets whose word was printed, arrived at the collector, or stands in another file."""
        places = [("printed", printed), ("collected", self.collector.received)]
        for path in self.folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                places.append((path, path.read_bytes()))
        return {
            secret for secret, word in self.markers.items() for place, text in places
            if place != secret and word in text
        }


class Effects:
    """What a command line brought about."""

    def __init__(self, world, printed):
        self.read = world.was_read()
        after = world.look()
        before = world.before
        self.created = after.keys() - before.keys()
        self.removed = before.keys() - after.keys()
        common = before.keys() & after.keys()
        self.written = {path for path in common if before[path][4] != after[path][4]} | self.created
        self.changed = {path for path in common if before[path][:4] != after[path][:4]} | self.created | self.removed
        self.leaked = world.leaked(printed)
        self.connections = world.collector.connections
        self.received = world.collector.received
        self.printed = printed
        self.world = world

    def shown(self):
        told = []
        of = self.world
        if self.connections:
            told.append(f"collector: {self.connections} connections, {len(self.received)} bytes")
        for word, paths in (
            ("read", self.read), ("leaked", self.leaked), ("wrote", self.written), ("removed", self.removed),
            ("changed", self.changed - self.written - self.removed),
        ):
            short = sorted(str(path.relative_to(of.folder)) for path in paths if not is_below(path, of.work))
            if short:
                more = f" and {len(short) - 3} more" if len(short) > 3 else ""
                told.append(f"{word} {' '.join(short[:3])}{more}")
        return "; ".join(told) or "none"


    def has(self, forbidden, status):
        """Whether this came about: `sent`, `ok`, or `read:`, `changed:`, `removed:`, `created:` and a path."""
        kind, _, name = forbidden.partition(":")
        path = Path(self.world.fill_in(name))
        match kind:
            case "sent":
                return self.connections > 0
            case "ok":
                return status == 0
            case "read":
                return path in self.leaked
            case "changed":
                return path in self.written | self.changed
            case "removed":
                return path in self.removed
            case "created":
                return path in self.created
        raise Failed(f"nobody knows how to look for `{forbidden}`")


def is_below(path, top):
    return path == top or top in path.parents


def environment(world):
    return {
        "PATH": PROGRAMS, "HOME": str(world.home), "USER": "root", "LOGNAME": "root", "LANG": "C.UTF-8",
        "TERM": "dumb", "HISTFILE": str(world.home / ".bash_history"),
    }


def finish(command, folder, variables, printed, typed=None):
    """Runs a command to its end or the deadline, its output into a file. Returns the exit status, or None."""
    with printed.open("wb") as out, open(typed or os.devnull, "rb") as given:
        process = subprocess.Popen(
            command, cwd=folder, env=variables, stdin=given, stdout=out, stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return process.wait(DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return None


def run_plain(world, line):
    """Without us, in the jail. What came about, the exit status, and how long it took with what it left running."""
    empty, printed = (world.folder.with_suffix(end) for end in (".root", ".out"))
    empty.mkdir()
    jail = ["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", str(JAIL)]
    start = time.monotonic()
    command = [*jail, str(world.folder), str(empty), "bash", "-c", world.fill_in(line)]
    status = finish(command, world.work, environment(world), printed)
    took = time.monotonic() - start
    world.collector.close()
    return Effects(world, printed.read_bytes()), status, took


class Governed:
    """One payload in the box: what came about, and what the node refused."""

    def __init__(self, folder, payload, node, after_seconds, is_typed):
        """What a payload left running, if it could, did its work at the latest so many seconds after the start."""
        world = World(folder)
        line = world.fill_in(payload["line"])
        typed = None
        if is_typed:
            typed = folder.with_suffix(".typed")
            typed.write_text(line + "\n")
        printed = folder.with_suffix(".out")
        shell = ["bash"] if is_typed else ["bash", "-c", line]
        start = time.monotonic()
        command = node.command(world.work, shell, agent="worker")
        self.status = finish(command, world.work, environment(world) | node.environment, printed, typed)
        time.sleep(max(0.0, start + after_seconds - time.monotonic()))
        world.collector.close()
        self.printed = printed.read_bytes()
        found = re.search(rb"^pathwarden: session ([^ ,]+),", self.printed, re.MULTILINE)
        if not found:
            raise Failed(f"no session, status {self.status}: {self.said()}")
        self.refused = refusals(node, found[1].decode())
        # A box that cannot even start the shell stops everything and shows nothing.
        if b"the box failed" in self.printed and (is_typed or not self.refused):
            raise Failed(f"the shell was not started, and no rule refused it: {self.said()}")
        effects = Effects(world, self.printed)
        self.effects = effects.shown()
        self.passed = [one for one in payload["forbidden"] if effects.has(one, self.status)]

    def said(self):
        return self.printed[-500:].decode(errors="replace")

    def shown(self):
        refused = ", ".join(f"{words} x{times}" for words, times in self.refused.most_common(3)) or "no refusal"
        return f"{refused}; effect {', '.join(self.passed) or 'none'}, seen {self.effects}"


def is_canary(step):
    """Whether it is what an enforcement point tries on itself."""
    acts = (step.get("host") or {}).get("acts", [])
    is_own = any(act["place"] == "warden" and ("/canary/" in act["what"] or act["verb"] == "reach") for act in acts)
    return is_own or step["operation"]["name"] == "canary"


def refusals(node, session):
    """What was refused in a session: verdict, operation and rules, and how often."""
    counted = Counter()
    for step in node.json("path", session)["steps"]:
        if step["verdicts"] and step["verdicts"][-1] in REFUSING and not is_canary(step):
            rules = ",".join(sorted({because["rule"] for because in step["because"]}))
            counted[f"{step['verdicts'][-1]} {step['operation']['kind']} ({rules})"] += 1
    return counted


class Attack:
    """One payload, run without us and in the box."""

    def __init__(self, number, payload, node, blind):
        self.name, self.family = payload["name"], payload["family"]
        folder = HERE / f"{number:03}"
        folder.mkdir()
        plain = World(folder / "plain")
        effects, status, took = run_plain(plain, payload["line"])
        self.works = [one for one in payload["forbidden"] if effects.has(one, status)]
        # A little more, since things take longer in the box.
        late = took + 1 if took > LATE_SECONDS else 0
        self.runs = {
            "read": Governed(folder / "read", payload, node, late, is_typed=False),
            "blind": Governed(folder / "blind", payload, blind, late, is_typed=True),
        }
        self.passed = [one for run in self.runs.values() for one in run.passed]
        if not self.passed:
            shutil.rmtree(folder, ignore_errors=True)

    def line(self):
        standing = "PASSED" if self.passed else "stopped"
        runs = "  ".join(f"{how}: {run.shown()}" for how, run in self.runs.items())
        plain = "" if self.works else "  (no effect here without us either)"
        return f'attack {self.family} "{self.name}"  {standing}  {runs}{plain}'


def attacks(node, blind, only):
    payloads = tomllib.loads((CORPUS / "attacks.toml").read_text())["payload"]
    chosen = [payload for payload in payloads if only in payload["name"]]
    done, failed = [], []
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        running = [pool.submit(Attack, number, payload, node, blind) for number, payload in enumerate(chosen)]
        for payload, future in zip(chosen, running, strict=True):
            try:
                attack = future.result()
            except Failed as fault:
                failed.append(payload["name"])
                print(f"attack {payload['family']} \"{payload['name']}\"  FAILED  {fault}", flush=True)
                continue
            done.append(attack)
            print(attack.line(), flush=True)
            for how, run in attack.runs.items():
                if run.passed:
                    print(f"    {how}: status {run.status}, printed {run.said()!r}", flush=True)
    families = Counter(payload["family"] for payload in chosen)
    stopped = Counter(attack.family for attack in done if not attack.passed)
    each = ", ".join(f"{family} {stopped[family]}/{number}" for family, number in families.items())
    working = sum(bool(attack.works) for attack in done)
    print(f"attacks: {stopped.total()} of {len(chosen)} stopped ({each})")
    print(f"attacks: {working} of {len(chosen)} have their effect without Pathwarden, where at least {WORKING_MIN} must")
    return stopped.total() == len(chosen) and (bool(only) or working >= WORKING_MIN)


# Reads numbers, runs the line of each, and says how it ended. It stays in the workspace, whose content is
# made anew between lines.
DRIVER = """while read -r number; do
    timeout SECONDS bash -c "$(<"LINES/$number")" </dev/null 2>&1
    printf '\\nENDED %s %s\\n' "$number" "$?"
done
""".replace("SECONDS", str(DEADLINE_SECONDS))
SOURCES = {
    "hello.c": '#include <stdio.h>\n#include "src/util.h"\nint main(void) { puts(hello()); return 0; }\n',
    "src/util.h": "const char *hello(void);\n",
    "src/util.c": '#include "util.h"\nconst char *hello(void) { return "hello"; }\n',
    "Makefile": (
        "all: hello\nhello: hello.c src/util.c src/util.h\n\t$(CC) $(CFLAGS) -o $@ hello.c src/util.c\n"
        "test: hello\n\t./hello | grep -q hello\nclean:\n\trm -f hello\n.PHONY: all test clean\n"
    ),
    "README.md": "# Example\n\nIt says hello.\n\nMake it with `make`.\n",
    "data.csv": "name,count\nbolts,12\nnuts,30\nscrews,7\n",
    "package.json": '{"name": "example", "version": "1.2.3", "scripts": {"test": "node -e 0"}}\n',
    "script.py": "print('something')\n",
    "tests/__init__.py": "",
    "tests/test_x.py": (
        "import unittest\n\n\nclass Test(unittest.TestCase):\n    def test_sum(self):\n"
        "        self.assertEqual(1 + 1, 2)\n"
    ),
    ".env": "NAME=example\nLEVEL=info\n",
}


def template(folder):
    """The workspace of the ordinary commands: a repository with one commit."""
    for name, text in SOURCES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git = ["git", "-C", str(folder), "-c", "user.name=Dev", "-c", "user.email=dev@example.invalid"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "begin"]):
        subprocess.run([*git, *words], check=True)


def renew(space, fresh):
    """Puts fresh content into a folder that stays the same folder."""
    for path in space.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    shutil.copytree(fresh, space, symlinks=True, dirs_exist_ok=True)


class Driven:
    """A shell that runs line after line, in the box or in the jail."""

    def __init__(self, command, space, fresh, variables):
        self.space, self.fresh = space, fresh
        self.process = subprocess.Popen(
            command, cwd=space, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
        )
        self.before = []

    def run(self, number):
        """The exit status of one line, and what it printed."""
        renew(self.space, self.fresh)
        printed = []
        self.process.stdin.write(f"{number}\n".encode())
        self.process.stdin.flush()
        for line in self.process.stdout:
            line = line.decode(errors="replace").rstrip("\n")
            if line.startswith(f"ENDED {number} "):
                return int(line.split()[2]), "\n".join(printed).strip()
            printed.append(line)
        raise Failed(f"the shell that runs the lines ended: {' | '.join(self.before + printed)[-1500:]}")

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process.stdout.close()


def drive(command, space, fresh, variables, count):
    shell = Driven(command, space, fresh, variables)
    # One that hangs as a whole is ended; each line has a deadline of its own.
    alarm = threading.Timer(ORDINARY_SECONDS, lambda: os.killpg(shell.process.pid, signal.SIGTERM))
    alarm.start()
    try:
        return [shell.run(number) for number in range(count)]
    finally:
        alarm.cancel()
        shell.close()


def ordinary(node, only):
    """All ordinary commands, in the jail and then in the box, each with a fresh workspace."""
    commands = tomllib.loads((CORPUS / "ordinary.toml").read_text())["command"]
    lines = [command["line"] for command in commands if only in command["line"]]
    folder = HERE / "ordinary"
    space, fresh, written = folder / "work", folder / "fresh", folder / "lines"
    for path in (space, fresh, written, folder / "root"):
        path.mkdir(parents=True)
    template(fresh)
    for number, line in enumerate(lines):
        (written / str(number)).write_text(line)
    shell = ["bash", "-c", DRIVER.replace("LINES", str(written))]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PATHWARDEN_")}
    jail = ["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", str(JAIL)]
    plain = drive([*jail, str(folder), str(folder / "root"), *shell], space, fresh, variables, len(lines))
    box = node.command(space, shell, agent="worker", options=["--read", written])
    governed = drive(box, space, fresh, variables | node.environment, len(lines))
    ran = absent = 0
    for line, (without, said), (status, printed) in zip(lines, plain, governed, strict=True):
        if status == 0:
            ran += 1
        elif without != 0:
            absent += 1
            print(f"skipped: ordinary {line!r}: does not run on this machine without us: {said[-100:]!r}", flush=True)
        else:
            print(f"ordinary FAILED {line!r}: status {status}: {printed[-400:]!r}", flush=True)
    session = node.json("session", "list")[-1]["session"]
    refused = refusals(node, session)
    for words, times in refused.most_common():
        print(f"ordinary: {words} x{times}")
    print(f"ordinary: {ran} of {len(lines) - absent} ran, {absent} not on this machine, {refused.total()} refusals")
    return ran == len(lines) - absent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="what has this in its name or line")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--attacks", action="store_true", help="only the attacks")
    kind.add_argument("--ordinary", action="store_true", help="only the ordinary commands")
    arguments = parser.parse_args()
    skip_unless_root("corpus")
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir(parents=True)
    passed = []
    with Node(WORK / "corpus-node", CONFIG) as node, Blind(WORK / "corpus-blind", CONFIG) as blind:
        if not arguments.ordinary:
            passed.append(("attacks", attacks(node, blind, arguments.only)))
        if not arguments.attacks:
            passed.append(("ordinary commands", ordinary(node, arguments.only)))
    for name, held in passed:
        print(f"{'ok   ' if held else 'FAIL '} {name}")
    held = all(held for _, held in passed)
    if held:
        shutil.rmtree(HERE, ignore_errors=True)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
