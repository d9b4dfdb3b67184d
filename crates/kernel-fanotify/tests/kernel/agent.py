# The governed process: one command per line, fields parted by tabs; one answer per line.
import ctypes, mmap, os, shutil, socket, subprocess, sys

kept = {}
libc = ctypes.CDLL(None, use_errno=True)


def as_child(work):
    """What `work` answers in a child of this process."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(theirs, attempt(work).encode())
        os._exit(0)
    os.close(theirs)
    answer = os.read(ours, 4096).decode()
    os.close(ours)
    os.waitpid(child, 0)
    return answer


def attempt(work):
    try:
        return "ok " + str(work())
    except OSError as fault:
        return "err " + str(fault.errno)


def open_file(path, flags="0"):
    descriptor = os.open(path, int(flags), 0o600)
    try:
        return os.fstat(descriptor).st_ino
    finally:
        os.close(descriptor)


def open_many(path, flags, count):
    for _ in range(int(count)):
        open_file(path, flags)
    return count


def keep(name, path, flags):
    kept[name] = os.open(path, int(flags), 0o600)
    return ""


def reopen(name):
    return open_file("/proc/self/fd/" + str(kept[name]))


def read(name):
    return os.pread(kept[name], 100, 0).decode()


def write(name, text):
    return os.pwrite(kept[name], text.encode(), 0)


def mapped_write(name, text):
    with mmap.mmap(kept[name], len(text)) as memory:
        memory[:] = text.encode()
    return ""


def execute(path):
    child = os.posix_spawn(path, [path], os.environ)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def execute_descriptor(name):
    return as_child(lambda: os.execve(kept[name], ["x"], os.environ))


def read_in_child(name):
    return as_child(lambda: read(name))


def pass_to_child(name):
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        _, descriptors, _, _ = socket.recv_fds(theirs, 1, 1)
        theirs.send(os.pread(descriptors[0], 100, 0))
        os._exit(0)
    socket.send_fds(ours, [b"x"], [kept[name]])
    theirs.close()
    answer = ours.recv(100).decode()
    os.waitpid(child, 0)
    return answer


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    return str(done.returncode) + " " + done.stdout.strip()


def bind(source, target):
    if libc.mount(source.encode(), target.encode(), None, 4096, None) != 0:
        raise OSError(ctypes.get_errno(), "")
    return ""


commands = {
    "bind": bind, "exec": execute, "fexec": execute_descriptor, "keep": keep, "mapped_write": mapped_write,
    "open": open_file, "open_many": open_many, "pass": pass_to_child, "read": read,
    "read_in_child": read_in_child, "reopen": reopen, "run": run, "write": write,
}
bind(sys.argv[1], sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    name, *words = line.rstrip("\n").split("\t")
    print(attempt(lambda: commands[name](*words)), flush=True)
