"""Sockets by their path, listeners of others, rights that rise."""

import contextlib
import socket
import subprocess
from pathlib import Path

from node import PYTHON, expect
from trap import TRIED, Place

SOCKETS = TRIED + """
import ctypes, errno, os, socket, threading
outside, port = open("arguments").read().split()
port = int(port)
libc = ctypes.CDLL(None, use_errno=True)
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


LISTENERS = TRIED + """
import os, socket, struct, sys
port, port6, port2, path, spare = open("arguments").read().split()
def stream(address, family=socket.AF_INET):
    with socket.socket(family) as one:
        one.settimeout(5)
        one.connect(address)
def fast_open():
    with socket.socket() as one:
        one.settimeout(5)
        one.sendto(b"x", socket.MSG_FASTOPEN, ("127.0.0.1", int(spare)))
own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
own.bind(("0.0.0.0", int(port)))
own6 = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
own6.bind(("::", int(port6)))
tried("no_host", lambda: stream(("0.0.0.0", int(port))))
tried("no_host_6", lambda: stream(("::", int(port6)), socket.AF_INET6))
beside = socket.create_server(("127.0.0.1", int(port2)))
def bound():
    with socket.socket() as one:
        one.settimeout(5)
        one.bind(("127.0.0.2", 0))
        one.connect(("0.0.0.0", int(port2)))
tried("no_host_bound", bound)
same = socket.socket(socket.AF_UNIX)
same.bind(os.path.basename(path))
same.listen()
tried("linked", lambda: stream(path, socket.AF_UNIX))
mine = socket.create_server(("127.0.0.1", int(spare)))
tried("mine", lambda: stream(("127.0.0.1", int(spare))))
mine.close()
print("closed", "now", flush=True)
sys.stdin.readline()
tried("fast_open", fast_open)
"""


def trap_listeners(node):
    """An own socket beside somebody's does not make theirs reachable: on all addresses, by the same name, before."""
    with Place("listeners") as place, contextlib.ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        tcp2 = stack.enter_context(socket.create_server(("127.0.0.2", 0)))
        tcp6 = stack.enter_context(socket.create_server(("::1", 0), family=socket.AF_INET6))
        (place.secret / "true").mkdir()
        (place.secret / "link").symlink_to("true")
        one = stack.enter_context(socket.socket(socket.AF_UNIX))
        one.bind(str(place.secret / "link" / "one.sock"))
        one.listen()
        with socket.create_server(("127.0.0.1", 0)) as free:
            spare = free.getsockname()[1]
        (place.work / "listeners.py").write_text(LISTENERS)
        ports = [one.getsockname()[1] for one in (tcp, tcp6, tcp2)]
        place.arguments(*ports, place.secret / "true" / "one.sock", spare)
        command = [PYTHON, "listeners.py"]
        plain = subprocess.run(command, cwd=place.work, input="go\n", capture_output=True, text=True, timeout=60).stdout
        reached = {name for name, word in map(str.split, plain.splitlines()) if word == "ok"}
        expect(reached >= {"no_host", "no_host_6", "no_host_bound", "linked"}, f"without a box: {plain}")
        (place.work / "one.sock").unlink()
        run = node.launch(place.work, command)
        stack.callback(run.close)
        run.line("closed")
        later = stack.enter_context(socket.create_server(("127.0.0.1", spare)))
        later.setblocking(False)
        run.tell("go")
        run.end(20)
        boxed = dict(line.split() for line in run.lines)
        expect(boxed.pop("closed", None) == "now" and boxed.pop("mine", None) == "ok", f"its own is not reached: {boxed}")
        through = [name for name, word in boxed.items() if word == "ok"]
        expect(not through and len(boxed) == 5, f"reached: {through} of {boxed}")
        with contextlib.suppress(BlockingIOError):
            expect(not later.accept(), "what listens now where the box did is reached")
        return f"0 of {len(boxed)} reached ({', '.join(sorted(set(boxed.values())))}); its own is"


RISES = TRIED + """
import ctypes, os
open("tool", "w").close()
tried("chmod", lambda: os.chmod("tool", 0o4755))
tried("create", lambda: os.close(os.open("made", os.O_CREAT | os.O_WRONLY, 0o4755)))
tried("nameless", lambda: os.close(os.open(".", os.O_TMPFILE | os.O_RDWR, 0o4755)))
tried("group", lambda: os.chmod("tool", 0o2755))
os.makedirs("git/hooks")
tried("rename", lambda: os.rename("git", ".git"))
tried("hook", lambda: (os.makedirs(".git/hooks", exist_ok=True), open(".git/hooks/pre-commit", "w"))[1].close())
libc = ctypes.CDLL(None, use_errno=True)
def exchange(one, other):
    if libc.renameat2(-100, one, -100, other, 2):
        raise OSError(ctypes.get_errno(), "renameat2")
os.makedirs("plain/.git", exist_ok=True)
tried("exchange", lambda: exchange(b"plain/.git", b"git"))
tried("link", lambda: os.symlink("git", "plain/.vscode"))
os.makedirs("m/hooks")
os.makedirs("plain/.git/modules", exist_ok=True)
tried("module", lambda: os.rename("m", "plain/.git/modules/m"))
tried("swap", lambda: os.rename(os.path.expanduser("~/.cargo/bin"), os.path.expanduser("~/.cargo/old")))
tried("bin", lambda: open(os.path.expanduser("~/.local/bin/git-trap"), "w").close())
tried("plain", lambda: os.chmod("tool", 0o755))
open("plain/.git/index.lock", "w").close()
tried("lock", lambda: os.rename("plain/.git/index.lock", "plain/.git/index"))
"""


def trap_rises(node):
    """A file does not become what runs with more rights, or outside of the box."""
    with Place("rises") as place:
        (place.work / "rises.py").write_text(RISES)
        home = place.base / "home"
        (home / ".cargo" / "bin").mkdir(parents=True)
        run = node.run(place.work, [PYTHON, "rises.py"], extra={"HOME": str(home)})
        words = dict(line.split() for line in run.lines)
        for harmless in ("plain", "lock"):
            expect(words.pop(harmless, None) == "ok", f"{harmless} is refused")
        done = [name for name, word in words.items() if word == "ok"]
        expect(not done and len(words) == 11, f"done: {done} of {words}")
        return f"0 of {len(words)} done ({', '.join(sorted(set(words.values())))})"
