"""What attempts to get past a box share."""

import json
import os
import shutil
import stat
import subprocess

from node import KEEP, WORK, Failed, code, expect, install

# Two runs of this at a time do not meet.
HERE = WORK / f"traps-{os.getpid()}"


# The beginning of a program for the box: a line for each thing that it tries, with what came of it.
TRIED = """
import os
def tried(name, act):
    try:
        print(name, act() or "ok", flush=True)
    except OSError as error:
        print(name, os.strerror(error.errno).replace(" ", "_"), flush=True)
"""


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
