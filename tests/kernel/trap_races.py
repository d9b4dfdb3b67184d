"""Arguments of a call that change while it is decided."""

import contextlib
import shutil
import socket
import threading
import time

from node import Listener, code, expect, install, until
from trap import Place, last_json

TRIES = 20_000
EXECS = 2_000
# A race that leaks fewer times than this without a box does not show much.
LEAKS_MIN = 1_000
# On busy processors the two threads may take turns too seldom, so it is tried so often.
PLAIN_ROUNDS = 5
# Done beside what is to be refused: an agent that can do nothing leaks nothing.
ALLOWED_MIN = 100
# And the other thread must have had its turn.
REFUSED_MIN = 20


def shown(race):
    words = [f"{race[key]} {key}" for key in ("allowed", "refused", "killed") if race[key]]
    return f"{race['leaked']} of {race['tries']} leaked ({', '.join(words)})"


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


def of_files(kind):
    return lambda node: race(node, kind, TRIES, race_files(kind))


(
    trap_race_read, trap_race_write, trap_race_create, trap_race_unlink, trap_race_rename, trap_race_link,
) = map(of_files, ("read", "write", "create", "unlink", "rename", "link"))


def trap_race_symlink(node):
    return race(node, "symlink", TRIES, race_symlink)


def trap_race_exec(node):
    return race(node, "exec", EXECS, race_exec, leaks_min=100)


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
