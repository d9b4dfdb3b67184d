"""Descriptors, programs and processes."""

import contextlib
import os
import shutil
import signal
import subprocess
import time

from node import PYTHON, code, expect, install, is_alive, named, until
from trap import TRIED, Place, compared, last_json, outcomes

PROCESSES_MAX = 64


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


TERMINALS = TRIED + """
import os, resource, sys
def own():
    main, side = os.openpty()
    again = os.open(os.ttyname(side), os.O_RDWR | os.O_NOCTTY)
    os.write(again, b"x\\n")
    return "ok" if os.read(main, 8).startswith(b"x") else "mute"
tried("other", lambda: os.write(os.open(open("arguments").read().strip(), os.O_RDWR | os.O_NOCTTY), b"x") and "ok")
tried("own", own)
tried("core", lambda: str(resource.getrlimit(resource.RLIMIT_CORE)[1]))
"""


def trap_terminals(node):
    """Somebody's terminal is not there; the box's own are."""
    with Place("terminals") as place, contextlib.ExitStack() as stack:
        main, side = os.openpty()
        stack.callback(lambda: (os.close(main), os.close(side)))
        os.set_blocking(main, False)
        (place.work / "terminals.py").write_text(TERMINALS)
        place.arguments(os.ttyname(side))
        plain = dict(line.split() for line in place.outside([PYTHON, "terminals.py"]).splitlines())
        expect(plain["other"] == "ok" and os.read(main, 8) == b"x", f"without a box: {plain}")
        boxed = dict(line.split() for line in node.run(place.work, [PYTHON, "terminals.py"]).lines)
        expect(boxed["other"] != "ok", "somebody's terminal is open to it")
        with contextlib.suppress(BlockingIOError):
            expect(not os.read(main, 8), "something is written on somebody's terminal")
        expect(boxed["own"] == "ok", f"a terminal of its own: {boxed['own']}")
        expect(boxed["core"] == "0", f"a core of {boxed['core']} bytes may be written")
        return f"another's {boxed['other']}; its own works; no cores"


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
