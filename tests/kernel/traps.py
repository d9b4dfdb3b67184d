#!/usr/bin/env python3
"""Attempts to get past `pathwarden run`, on the real kernel, as root. Each program is run without a box first:
there it must succeed, or its failure in the box would show nothing.

    tests/kernel/traps.py [NAME…]       only those whose name holds one of these words
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

from node import (
    KEEP, PYTHON, WORK, Checks, Failed, Listener, Node, cgroup2, code, counters, expect, install, is_alive, members,
    named, skip_unless_root, until,
)

# Two runs of this at a time do not meet.
HERE = WORK / f"traps-{os.getpid()}"
TRIES = 20_000
EXECS = 2_000
PROCESSES_MAX = 64
# A race that leaks fewer times than this without a box does not show much.
LEAKS_MIN = 1_000
# On busy processors the two threads may take turns too seldom, so it is tried so often.
PLAIN_ROUNDS = 5
# Done beside what is to be refused: an agent that can do nothing leaks nothing.
ALLOWED_MIN = 100
# And the other thread must have had its turn.
REFUSED_MIN = 20

checks = Checks("trap")


class Place:
    """A workspace `w`, and beside it `s`, which no agent has anything to do with. They differ in one letter."""

    def __init__(self, name):
        self.base = HERE / name
        self.work, self.secret = self.base / "w", self.base / "s"

    def __enter__(self):
        shutil.rmtree(self.base, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.secret.mkdir()
        (self.work / "data").write_text("A" * 16)
        (self.secret / "secret").write_text("SECRET-OF-ANOTHER")
        return self

    def __exit__(self, *_):
        if not KEEP:
            shutil.rmtree(self.base, ignore_errors=True)

    def arguments(self, *words):
        """For a program that takes them from a file: a command line that names what is forbidden is refused."""
        (self.work / "arguments").write_text("".join(f"{word}\n" for word in words))

    def outside(self, command, seconds=120):
        """Runs a program without a box."""
        done = subprocess.run([*map(str, command)], cwd=self.work, capture_output=True, text=True, timeout=seconds)
        if done.returncode:
            raise Failed(f"without a box: status {done.returncode}: {done.stderr[-300:]}")
        return done.stdout

    def snapshot(self):
        """All that can be seen of `s`."""
        found = {}
        for path in [self.secret, *sorted(self.secret.rglob("*"))]:
            about = path.lstat()
            content = path.read_bytes() if stat.S_ISREG(about.st_mode) else b""
            found[str(path.relative_to(self.base))] = (
                about.st_mode, about.st_uid, about.st_gid, about.st_nlink, about.st_mtime_ns, content,
            )
        return found


def last_json(text):
    return json.loads(text.strip().splitlines()[-1])


def shown(race):
    words = [f"{race[key]} {key}" for key in ("allowed", "refused", "killed") if race[key]]
    return f"{race['leaked']} of {race['tries']} leaked ({', '.join(words)})"


# Racing arguments


def race(node, kind, tries, lay_out, leaks_min=LEAKS_MIN, unharmed=True):
    """One race without a box, and the same in one."""
    with Place(f"race-{kind}") as place:
        program = install("race", place.work / "race")
        place.arguments(kind, tries, *lay_out(place), "planted")
        for _ in range(PLAIN_ROUNDS):
            plain = last_json(place.outside([program], 180))
            if plain["leaked"] >= leaks_min:
                break
            place.arguments(kind, tries, *lay_out(place), "planted")
        expect(plain["leaked"] >= leaks_min, f"without a box only {shown(plain)}: the race shows nothing")
        place.arguments(kind, tries, *lay_out(place))
        before = place.snapshot()
        run = node.run(place.work, [program], seconds=90)
        boxed = last_json(run.out)
        seen = f"{shown(boxed)}; without a box {plain['leaked']}"
        expect(boxed["leaked"] == 0, seen)
        expect(not unharmed or place.snapshot() == before, f"what is outside changed; {seen}")
        least = min(ALLOWED_MIN, tries // 20)
        expect(boxed["refused"] + boxed["killed"] >= REFUSED_MIN, f"hardly anything was refused: {seen}")
        expect(boxed["allowed"] >= least, f"hardly anything was allowed: {shown(boxed)}, errno {code(boxed['errno'])}")
        return seen


def race_files(kind):
    def lay_out(place):
        (place.work / "file").write_text("A")
        (place.secret / "file").write_text("S")
        for folder in (place.work, place.secret):
            (folder / "out").unlink(missing_ok=True)
        return [place.work / "file", place.secret / "file", place.work / "out"]

    def lay_out_new(place):
        words = lay_out(place)
        (place.work / "file").unlink()
        (place.secret / "file").unlink()
        return words

    return lay_out_new if kind == "create" else lay_out


def race_symlink(place):
    """A folder and a symbolic link to the other one, exchanged all the time."""
    for path in (place.work / "one", place.work / "two"):
        if path.is_symlink():
            path.unlink()
        elif path.exists():
            shutil.rmtree(path)
    (place.work / "one").mkdir()
    (place.work / "one" / "data").write_text("A")
    (place.secret / "data").write_text("S")
    (place.work / "two").symlink_to(place.secret)
    return [place.work / "one", place.work / "two", "-"]


def race_exec(place):
    install("exit", place.work / "program", "-static", "-DSTATUS=10")
    install("exit", place.secret / "program", "-static", "-DSTATUS=20")
    return [place.work / "program", place.secret / "program", "-"]


# Where `history -c` succeeds, a shell loses what was typed: no agent may. The other word is no command.
HARMLESS, DOUBTFUL = (f"histor{letter} -c 2>/dev/null || exit 10; exit 20" for letter in "iy")


def trap_race_argv(node):
    with Place("race-argv-control") as place:
        run = node.run(place.work, [install("puppet", place.work / "puppet")], check=False)
        expect(run.status == 0, f"a plain program does not run: {run.said()}")
        run = node.run(place.work, ["/usr/bin/bash", "-c", DOUBTFUL], check=False)
        expect(run.status not in (10, 20), f"the doubtful command line alone ran: status {run.status}")
        run = node.run(place.work, ["/usr/bin/bash", "-c", HARMLESS], check=False)
        expect(run.status == 10, f"the harmless command line does not run: {run.status}: {run.said()}")
    return race(node, "argv", EXECS, lambda place: [HARMLESS, DOUBTFUL, "-"], leaks_min=100)


def trap_race_connect(node):
    with Listener() as allowed, Listener() as collector, Place("race-connect") as place:
        program = install("race", place.work / "race")
        place.arguments("connect", TRIES, allowed.port, collector.port, "-")
        plain = last_json(place.outside([program]))
        until("the collector saw them", lambda: collector.arrived >= plain["leaked"], 30)
        expect(plain["leaked"] >= LEAKS_MIN, f"without a box only {shown(plain)}")
        before = collector.arrived
        reach = ["--reach", f"127.0.0.1:{allowed.port}"]
        boxed = last_json(node.run(place.work, [program], options=reach, seconds=90).out)
        until("the listener saw them", lambda: allowed.arrived >= boxed["allowed"], 30)
        arrived = collector.arrived - before
        seen = f"{arrived} arrived; {shown(boxed)}; without a box {plain['leaked']}"
        expect(arrived == 0 and boxed["leaked"] == 0, seen)
        expect(boxed["allowed"] >= ALLOWED_MIN, f"hardly anything was allowed: {seen}, {code(boxed['errno'])}")
        return seen


class Datagrams:
    """Counts datagrams, whatever they hold."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.arrived = 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while self.socket.recv(16):
                self.arrived += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def trap_race_send(node):
    with Datagrams() as allowed, Datagrams() as collector, Place("race-send") as place:
        program = install("race", place.work / "race")
        place.arguments("send", TRIES, allowed.port, collector.port, "-")
        place.outside([program])
        until("the collector saw many", lambda: collector.arrived >= LEAKS_MIN, 10)
        until("all are counted", settled(collector), 10)
        plain, before = collector.arrived, allowed.arrived
        reach = ["--reach", f"127.0.0.1:{allowed.port}"]
        boxed = last_json(node.run(place.work, [program], options=reach, seconds=90).out)
        until("all are counted", settled(collector), 10)
        arrived = collector.arrived - plain
        seen = f"{arrived} arrived ({allowed.arrived - before} where they may, {boxed['refused']} refused)"
        expect(arrived == 0, f"{seen}; without a box {plain}")
        expect(allowed.arrived - before >= ALLOWED_MIN, f"hardly anything was allowed: {seen}, {code(boxed['errno'])}")
        return f"{seen}; without a box {plain}"


def settled(counter):
    """Whether a count has stood still for a moment."""
    seen = [-1, 0.0]

    def look():
        if counter.arrived != seen[0]:
            seen[:] = counter.arrived, time.monotonic()
        return time.monotonic() - seen[1] > 0.2

    return look


# Paths


def trap_absent_page(node):
    with Place("absent") as place:
        program = install("absent", place.work / "absent")
        (place.work / "path").write_bytes(str(place.secret / "secret").encode() + b"\0")
        (place.work / "good").write_bytes(str(place.work / "data").encode() + b"\0")
        os.sync()
        place.arguments(50, place.work / "path")
        plain = last_json(place.outside([program]))
        expect(plain["absent"] >= 40 and plain["leaked"] == 50, f"without a box: {plain}")
        boxed = last_json(node.run(place.work, [program]).out)
        expect(boxed["leaked"] == 0 and boxed["opened"] == 0, f"leaked: {boxed}")
        expect(boxed["absent"] >= 40, f"the page was there: {boxed}")
        counts = []
        for times in (0, 200):
            place.arguments(times, place.work / "good")
            counts.append(opens(node, node.run(place.work, [program])))
        more = counts[1][0] - counts[0][0]
        expect(more >= 200, f"200 opens of an allowed file, and only {more} more were observed")
        ungoverned = counts[1][0] - counts[1][1]
        expect(ungoverned == counts[0][0] - counts[0][1], f"{ungoverned} opens are not covered by a decision")
        return (
            f"0 of 50 leaked ({code(boxed['errno'])}), page absent {boxed['absent']} times; 200 allowed opens:"
            f" {more} more observed, all governed"
        )


def opens(node, run):
    """Opens of a session that is over, observed and governed."""
    covered = node.json("coverage", run.session)[0]
    for plane in covered["planes"]:
        if plane["plane"] == "open":
            return plane["observed"], plane["governed"]
    raise Failed(f"no opens are covered: {covered}")


def plant_names(place):
    work, secret = place.work, place.secret
    (work / "folder").mkdir()
    (work / "link").symlink_to(secret / "secret")
    (work / "link_relative").symlink_to("../s/secret")
    (work / "link_chain").symlink_to("link_relative")
    (work / "link_folder").symlink_to(secret)
    os.link(secret / "secret", work / "old")


def outcomes(text):
    """Lines of a name and how it went."""
    return dict(line.split(" ", 1) for line in text.strip().splitlines())


def told(found):
    """How often what was the outcome, in few words."""
    counts = {}
    for outcome in found.values():
        word = outcome.replace("errno ", "")
        word = code(word) if word.isdigit() else outcome
        counts[word] = counts.get(word, 0) + 1
    return ", ".join(f"{number} {word}" for word, number in sorted(counts.items(), key=lambda one: -one[1]))


def compared(plain, boxed, bad):
    """All that succeed without a box must fail in it."""
    got_through = [name for name, outcome in boxed.items() if outcome == bad]
    expect(not got_through, f"got through: {', '.join(got_through)}; the others: {told(boxed)}")
    missing = plain.keys() - boxed.keys()
    expect(not missing, f"not tried in the box: {', '.join(missing)}")
    worked = [name for name, outcome in plain.items() if outcome == bad]
    mute = [name for name in plain if name not in worked]
    told_mute = f"; tell nothing, since they fail without a box: {', '.join(mute)}" if mute else ""
    expect(len(worked) > len(plain) // 2, f"only {len(worked)} of {len(plain)} succeed without a box{told_mute}")
    return f"0 of {len(worked)} got through ({told(boxed)}){told_mute}"


def trap_names(node):
    with Place("names") as place:
        program = install("spell", place.work / "spell")
        plant_names(place)
        place.arguments(place.base)
        plain = outcomes(place.outside([program]))
        boxed = outcomes(node.run(place.work, [program]).out)
        return compared(plain, boxed, "leaked")


def plant_changes(place):
    for name in ("other", "third", "victim", "victim2"):
        (place.secret / name).write_text(name)
    (place.secret / "empty").mkdir()
    for name in ("given", "exchanged"):
        (place.work / name).write_text(name)
    (place.work / "dangling").symlink_to(place.secret / "created")
    (place.work / "link").symlink_to(place.secret / "secret")


def trap_changes(node):
    with Place("changes-plain") as place:
        plant_changes(place)
        program = install("spell", place.work / "spell")
        place.arguments(place.base, "changes")
        plain = outcomes(place.outside([program]))
    with Place("changes") as place:
        plant_changes(place)
        program = install("spell", place.work / "spell")
        place.arguments(place.base, "changes")
        before = place.snapshot()
        boxed = outcomes(node.run(place.work, [program]).out)
        after = place.snapshot()
        seen = compared(plain, boxed, "leaked")
        changed = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
        expect(not changed, f"changed although refused: {', '.join(sorted(changed))}")
        stolen = [path.name for path in place.work.glob("stolen*")]
        expect(not stolen, f"taken along: {', '.join(stolen)}")
        return f"{seen}; nothing outside changed"


def trap_hard_link(node):
    """Made by the agent, and made before."""
    with Place("hard-link") as place:
        install("puppet", place.work / "puppet")
        os.link(place.secret / "secret", place.work / "old")
        with contextlib.ExitStack() as stack:
            puppet = Puppet(node, place, stack)
            read = puppet.does(f"open {place.work}/old")
            write = puppet.does(f"write {place.work}/old")
            good = puppet.does(f"open {place.work}/data")
        expect(not read.startswith("ok") and not write.startswith("ok"), f"old link: read {read}, write {write}")
        expect(good == f"ok {ord('A')}", f"an ordinary file: {good}")
        return f"a link from before: read {read}, write {write}; making one is among `changes`"


class Puppet:
    """An agent that does what it is told to."""

    def __init__(self, node, place, stack, options=()):
        program = place.work / "puppet"
        if not program.exists():
            install("puppet", program)
        self.run = node.launch(place.work, [program], options=options)
        stack.callback(self.run.close)
        self.does("pid")

    def does(self, command, seconds=15.0):
        return self.run.ask(command, seconds)[0]


# Descriptors and programs


def trap_descriptors(node):
    with Place("descriptors") as place:
        program = install("descriptors", place.work / "descriptors")
        with (place.secret / "secret").open() as secret:
            os.set_inheritable(secret.fileno(), True)
            place.arguments(secret.fileno(), place.secret / "secret", place.work / "data")
            given = [secret.fileno()]
            done = subprocess.run(
                [program], cwd=place.work, capture_output=True, text=True, pass_fds=given, timeout=30
            )
            plain = [line.split() for line in done.stdout.splitlines()]
            boxed = node.run(place.work, [program], pass_fds=given).lines
        found = {key: value for key, value in plain if key != "open"}
        every = {"inherited": "S", "handed_secret": "S", "handed_path": "S", "handed_data": "A"}
        expect(found == every, f"without a box: {found}")
        boxed = [line.split() for line in boxed]
        found = {key: value for key, value in boxed if key != "open"}
        left = [value for key, value in boxed if key == "open"]
        only = {"inherited": "-", "handed_secret": "-", "handed_path": "-", "handed_data": "A"}
        expect(found == only, f"{found}")
        expect(not left, f"open in the box: {', '.join(left)}")
        return "an inherited one is not there; SCM_RIGHTS hands over what could be opened and nothing else"


def trap_programs(node):
    with Place("programs") as place:
        install("exit", place.secret / "program", "-static", "-DSTATUS=20")
        install("exit", place.work / "copy", "-static", "-DSTATUS=20")
        install("preload", place.secret / "library.so", "-shared", "-fPIC")
        os.link(place.secret / "program", place.work / "old_program")
        (place.work / "link_program").symlink_to("../s/program")
        (place.secret / "script.sh").write_text("exit 20\n")
        (place.secret / "script.py").write_text("raise SystemExit(20)\n")
        (place.work / "hashbang").write_text(f"#!{place.secret}/program\n")
        (place.work / "hashbang").chmod(0o755)
        (place.secret / "script.sh").chmod(0o755)
        program = install("execs", place.work / "execs")
        # The loader starts no static program.
        install("exit", place.secret / "program", "-DSTATUS=20")
        place.arguments(place.base, PYTHON)
        plain = outcomes(place.outside([program]))
        boxed = outcomes(node.run(place.work, [program]).out)
        # A file in /dev/shm is a file like another: temporary, and what the agent makes itself it may run.
        boxed.pop("dev_shm", None)
        shm = plain.pop("dev_shm", None)
        expect(shm is not None, "the program ended early")
        return compared(plain, boxed, "ran")


# Processes


def trap_daemon(node):
    with Place("daemon") as place:
        program = install("daemon", place.work / "daemon")
        marker = f"pathwarden-trap-{os.getpid()}"
        plain = place.work / "plain"
        place.arguments(f"{marker}-plain", place.secret / "secret", plain)
        subprocess.run([program], cwd=place.work, stdout=subprocess.DEVNULL, check=True, timeout=30)
        left = until("the grandchild lives without a box", lambda: named(f"{marker}-plain"), 5)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        expect(plain.read_text() == "read S\n", f"without a box: {plain.read_text()}")
        place.arguments(marker, place.secret / "secret", place.work / "seen")
        run = node.launch(place.work, [program])
        run.line("ready")
        run.end()
        over = time.monotonic()
        seen = (place.work / "seen").read_text().strip()
        expect(seen.startswith("errno"), f"the grandchild: {seen}")
        until("the grandchild is gone", lambda: not named(marker), 2)
        gone = time.monotonic() - over
        return f"the grandchild was refused ({code(seen.split()[1])}), and gone {gone * 1000:.0f} ms after the end"


def trap_fork_bomb(node):
    with Place("bomb") as place:
        program = install("bomb", place.work / "bomb")
        plain = last_json(place.outside([program, 300]))
        expect(plain["made"] == 300, f"without a box: {plain}")
        run = node.launch(place.work, [program])
        run.line("bombing")
        until("the bomb is at its bound", lambda: len(run.pids()) >= PROCESSES_MAX - 8, 20)
        most, slowest = 0, 0.0
        for _ in range(20):
            most = max(most, len(run.pids()))
            start = time.monotonic()
            subprocess.run(["/bin/true"], check=True, timeout=10)
            slowest = max(slowest, time.monotonic() - start)
        pids, start = run.pids(), time.monotonic()
        run.process.terminate()
        run.process.wait(15)
        until("it is gone", lambda: not any(map(is_alive, pids)), 5)
        expect(most <= PROCESSES_MAX, f"{most} processes")
        expect(slowest < 2, f"a program outside took {slowest:.1f} s to run")
        return (
            f"{most} processes at most; a program outside took {slowest * 1000:.0f} ms; all gone"
            f" {time.monotonic() - start:.2f} s after the run was ended"
        )


def trap_busy(node):
    with Place("busy") as place:
        program = install("busy", place.work / "busy")
        folder = place.work / "many"
        folder.mkdir()
        for number in range(1_000):
            (folder / str(number)).write_text("A")
        place.arguments(2_000, folder, place.secret / "secret")
        plain = last_json(place.outside([program]))
        expect(plain["good"] == plain["leaked"] == 1_000, f"without a box: {plain}")
        start = time.monotonic()
        boxed = last_json(node.run(place.work, [program]).out)
        took = time.monotonic() - start
        expect(boxed["leaked"] == 0, f"leaked: {boxed}")
        expect(boxed["good"] == 1_000, f"allowed opens were refused: {boxed}, {code(boxed['errno'])}")
        return f"2,000 opens beside two that burn the processors: all decided rightly, in {took:.1f} s with the start"


def trap_busy_start(node):
    """Programs start, however busy the machine is: what is allowed must not be refused because an answer is late."""
    with Place("busy-start") as place, contextlib.ExitStack() as stack:
        for _ in range(2 * os.cpu_count()):
            burner = subprocess.Popen(["/usr/bin/sha256sum", "/dev/zero"])
            stack.callback(lambda burner=burner: (burner.kill(), burner.wait()))
        command = ["/usr/bin/bash", "-c", "/bin/true && /bin/ls >/dev/null"]
        runs = [node.run(place.work, command, check=False) for _ in range(20)]
        bad = [run.said() for run in runs if run.status]
        expect(not bad, f"{len(bad)} of {len(runs)} runs of allowed programs failed, such as: {bad[:1]}")
        return f"{len(runs)} runs of allowed programs beside {2 * os.cpu_count()} that burn the processors: none failed"


def trap_strace(node):
    if not shutil.which("strace"):
        return "there is no strace here, which is as well"
    with Place("strace") as place:
        done = subprocess.run(["strace", "-o", "/dev/null", "/bin/true"], capture_output=True, timeout=20)
        expect(done.returncode == 0, f"without a box: {done.stderr}")
        run = node.run(place.work, ["strace", "-o", str(place.work / "out"), "/bin/true"], seconds=20, check=False)
        expect(run.status != 0, "it traced")
        run = node.run(place.work, ["/bin/true"], seconds=20)
        return "it cannot trace, and programs run without it"


# What stands while a decision is awaited


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


def syscall_of(pid):
    with contextlib.suppress(OSError, ValueError):
        return int(Path(f"/proc/{pid}/syscall").read_text().split()[0])
    return None


def trap_calls(node):
    with Place("calls") as place:
        program = install("abuse", place.work / "abuse")
        (place.work / "folder").mkdir()
        plain = outcomes(place.outside(["unshare", "-m", program]))
        boxed = outcomes(node.run(place.work, [program]).out)
        expect(boxed.get("openat2_") == "errno 38", f"openat2 answers {boxed.get('openat2_')}, not ENOSYS")
        expect(boxed.get("io_uring") in ("errno 38", "errno 1"), f"io_uring answers {boxed.get('io_uring')}")
        return compared(plain, boxed, "done")


def trap_unshare_tool(node):
    """The program that people use for it."""
    with Place("unshare") as place:
        done = subprocess.run(["unshare", "-Ur", "/bin/true"], capture_output=True, timeout=20)
        expect(done.returncode == 0, f"without a box: {done.stderr}")
        run = node.run(place.work, ["unshare", "-Ur", "/bin/true"], check=False)
        expect(run.status != 0, "a user namespace was made")
        return f"status {run.status}: {run.said()[-120:]}"


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


# Sockets by their path, listeners of others, rights that rise


SOCKETS = """
import ctypes, errno, os, socket, threading
outside, port = open("arguments").read().split()
port = int(port)
libc = ctypes.CDLL(None, use_errno=True)
def tried(name, act):
    try:
        act()
        print(name, "ok", flush=True)
    except OSError as error:
        print(name, os.strerror(error.errno).replace(" ", "_"), flush=True)
def stream(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(5)
        one.connect(path)
def datagram(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.sendto(b"x", path)
def reach(*address):
    with socket.socket() as one:
        one.settimeout(5)
        one.connect(address)
tried("stream", lambda: stream(outside + "/stream"))
tried("temporary", lambda: stream("/var/tmp/pathwarden-trap-stream"))
tried("datagram", lambda: datagram(outside + "/datagram"))
tried("abstract", lambda: stream("\\0pathwarden-trap"))
# Another address on the same port is not the one that is reached.
decoy = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
decoy.bind(("127.0.0.7", port))
tried("decoy", lambda: reach("127.0.0.1", port))
# One byte of the address changes while the call waits: an abstract name, a path.
path = (outside + "/stream").encode()
raw = ctypes.create_string_buffer(b"\\1\\0" + path + b"\\0", 110)
stop = False
def flip():
    while not stop:
        raw[2] = b"\\0"
        raw[2] = b"/"
threading.Thread(target=flip, daemon=True).start()
through = 0
for _ in range(2000):
    with socket.socket(socket.AF_UNIX) as one:
        one.setblocking(False)
        # Nobody accepts: when the queue is full, that is the answer of whoever was reached.
        through += libc.connect(one.fileno(), raw, 3 + len(path)) == 0 or ctypes.get_errno() == errno.EAGAIN
stop = True
print("race", through or "refused", flush=True)
own = socket.socket(socket.AF_UNIX)
own.bind("own.sock")
own.listen()
tried("own", lambda: stream("own.sock"))
"""


def trap_sockets(node):
    """Unix sockets and listeners of others are not reached, and the session's own are."""
    with Place("sockets") as place, contextlib.ExitStack() as stack:
        spare = Path("/var/tmp/pathwarden-trap-stream")
        for path in (place.secret / "stream", spare):
            path.unlink(missing_ok=True)
            one = stack.enter_context(socket.socket(socket.AF_UNIX))
            one.bind(str(path))
            one.listen(64)
        stack.callback(spare.unlink, missing_ok=True)
        datagram = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        datagram.bind(str(place.secret / "datagram"))
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind("\0pathwarden-trap")
        abstract.listen()
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        (place.work / "sockets.py").write_text(SOCKETS)
        place.arguments(place.secret, tcp.getsockname()[1])
        plain = dict(line.split() for line in place.outside([PYTHON, "sockets.py"]).splitlines())
        reached = {name for name, word in plain.items() if word == "ok" or word.isdigit()}
        expect(reached >= {"stream", "temporary", "datagram", "abstract", "decoy", "race"}, f"without a box: {plain}")
        (place.work / "own.sock").unlink()
        boxed = dict(line.split() for line in node.run(place.work, [PYTHON, "sockets.py"]).lines)
        expect(boxed.pop("own", None) == "ok", "its own socket is not reached")
        through = [name for name, word in boxed.items() if word == "ok" or word.isdigit()]
        expect(not through and len(boxed) == 6, f"reached: {through} of {boxed}")
        return f"0 of {len(boxed)} reached ({', '.join(sorted(set(boxed.values())))}); its own is"


RISES = """
import os
def tried(name, act):
    try:
        act()
        print(name, "ok", flush=True)
    except OSError as error:
        print(name, os.strerror(error.errno).replace(" ", "_"), flush=True)
open("tool", "w").close()
tried("chmod", lambda: os.chmod("tool", 0o4755))
tried("create", lambda: os.close(os.open("made", os.O_CREAT | os.O_WRONLY, 0o4755)))
tried("group", lambda: os.chmod("tool", 0o2755))
os.makedirs("git/hooks")
tried("rename", lambda: os.rename("git", ".git"))
tried("hook", lambda: (os.makedirs(".git/hooks", exist_ok=True), open(".git/hooks/pre-commit", "w"))[1].close())
tried("bin", lambda: open(os.path.expanduser("~/.local/bin/git-trap"), "w").close())
tried("shared", lambda: os.chmod("git", 0o2775))
tried("plain", lambda: os.chmod("tool", 0o755))
"""


def trap_rises(node):
    """A file does not become what runs with more rights, or outside of the box."""
    with Place("rises") as place:
        (place.work / "rises.py").write_text(RISES)
        words = dict(line.split() for line in node.run(place.work, [PYTHON, "rises.py"]).lines)
        for harmless in ("plain",):
            expect(words.pop(harmless, None) == "ok", f"{harmless} is refused")
        words.pop("shared", None)
        done = [name for name, word in words.items() if word == "ok"]
        expect(not done and len(words) == 6, f"done: {done} of {words}")
        return f"0 of {len(words)} done ({', '.join(sorted(set(words.values())))})"


def main():
    skip_unless_root("trap")
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir(parents=True)
    config = '[agents.tester]\nowner = "the tests of the kernel plane"\n'
    try:
        with Node(HERE / "node", config, processes_max=PROCESSES_MAX) as node:
            for kind in ("read", "write", "create", "unlink", "rename", "link"):
                checks.check(f"race_{kind}", lambda kind=kind: race(node, kind, TRIES, race_files(kind)))
            checks.check("race_symlink", lambda: race(node, "symlink", TRIES, race_symlink))
            checks.check("race_exec", lambda: race(node, "exec", EXECS, race_exec, leaks_min=100))
            # In the order in which they stand above.
            for name, trap in [*globals().items()]:
                if name.startswith("trap_"):
                    checks.check(name.removeprefix("trap_"), lambda trap=trap: trap(node))
    finally:
        if not KEEP:
            shutil.rmtree(HERE, ignore_errors=True)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
