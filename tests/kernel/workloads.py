#!/usr/bin/env python3
"""Real work in the box of `pathwarden run`, and the same work without it: a C build, a cargo build, npm and
pip with their registries, git, Python, a shell loop. Everything must succeed in the box, with the same
results; how long it takes stands side by side. Runs take turns; the figures are medians.

    tests/kernel/workloads.py            prints the table
    tests/kernel/workloads.py --write    puts it into docs/PERFORMANCE.md as well
"""

import argparse
import hashlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from node import BIN, ROOT, WORK, Failed, Listener, Node, install, skip_unless_root

HERE = WORK / "workloads"
# Everything is done in this one folder, so that paths in what is built are the same.
SPACE = HERE / "space"
ROUNDS = 3
RUN_SECONDS = 120
PYTHON = os.path.realpath(sys.executable)
C_FILES = 60

# What the job itself takes; making and ending the box is measured by a job of its own.
TIMED = """start=${EPOCHREALTIME/./}
(set -e; source ./job.sh)
status=$?
echo $((${EPOCHREALTIME/./} - start)) >elapsed_us
exit $status
"""


@dataclass
class Workload:
    """One kind of work: what it finds, what it does, and what must come out of it."""

    name: str
    job: str
    prepare: object = None
    environment: dict = field(default_factory=dict)
    reach: tuple = ()
    # What it may read beside its workspace and the system.
    read: tuple = ()
    # Files whose content must be the same, as patterns below the workspace.
    results: tuple = ()


def c_sources(folder):
    names = [f"part{number:02}" for number in range(C_FILES)]
    (folder / "parts.h").write_text("".join(f"unsigned long {name}(unsigned long);\n" for name in names))
    for number, name in enumerate(names):
        steps = "".join(
            f"    for (unsigned long i = 0; i < {step + 3}; i++) x = x * {2 * step + number + 1}u + (x >> {step % 13 + 1});\n"
            for step in range(40)
        )
        text = '#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include "parts.h"\n'
        (folder / f"{name}.c").write_text(f"{text}unsigned long {name}(unsigned long x) {{\n{steps}    return x;\n}}\n")
    calls = "".join(f"    x = {name}(x);\n" for name in names)
    main = '#include <stdio.h>\n#include "parts.h"\nint main(void) {\n    unsigned long x = 1;\n'
    (folder / "main.c").write_text(f'{main}{calls}    printf("%lu\\n", x);\n    return 0;\n}}\n')
    (folder / "Makefile").write_text(
        "CFLAGS = -O1\nobjects = $(patsubst %.c,%.o,$(wildcard *.c))\n"
        "program: $(objects)\n\t$(CC) -o $@ $^\n$(objects): parts.h\n"
    )


def crate(folder):
    """A crate with two dependencies, of the versions that this repository is built with, so that they are here."""
    locked = {entry["name"]: entry["version"] for entry in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]}
    (folder / "Cargo.toml").write_text(
        '[package]\nname = "small"\nversion = "0.1.0"\nedition = "2024"\n[dependencies]\n'
        f'itoa = "={locked["itoa"]}"\nmemchr = "={locked["memchr"]}"\n[workspace]\n'
    )
    (folder / "src").mkdir()
    (folder / "src" / "main.rs").write_text(
        "fn main() {\n    let text = itoa::Buffer::new().format(memchr::memchr(b'w', b\"pathwarden\").unwrap()).to_owned();\n"
        '    println!("{text}");\n}\n'
    )
    outside("cargo", "fetch", cwd=folder)


def packages(folder):
    (folder / "package.json").write_text(
        '{"name": "small", "version": "1.0.0", "private": true,\n'
        ' "dependencies": {"minimist": "1.2.8", "picocolors": "1.1.1", "semver": "7.6.3"}}\n'
    )
    outside("npm", "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder)


def outside(*command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=RUN_SECONDS)
    if done.returncode != 0:
        sys.exit(f"workloads: {' '.join(command)}: {done.stderr[-2000:]}")


WORKLOADS = [
    Workload(
        "C build, 61 files, `make -j2`", "make -j2 -s program\n./program\n",
        prepare=c_sources, results=("program", "*.o"),
    ),
    Workload(
        "`cargo build`, 2 dependencies", "cargo build --quiet\ntarget/debug/small\n",
        prepare=crate, environment={"CARGO_NET_OFFLINE": "true"}, results=("Cargo.lock", "target/debug/small"),
        # cargo looks for its settings in every folder above, and this repository has some.
        read=(ROOT / ".cargo",),
    ),
    Workload(
        "`npm ci`, 3 packages from the registry",
        "npm ci --silent --ignore-scripts --no-audit --no-fund --cache \"$PWD/cache\"\n"
        "node -e 'console.log(require(\"semver\").inc(\"1.2.3\", \"minor\"))'\n",
        prepare=packages, reach=("registry.npmjs.org:443",), results=("node_modules/**/*",),
    ),
    Workload(
        "`python -m venv`, `pip install` from the registry",
        f"{PYTHON} -m venv v\n"
        "v/bin/pip install --quiet --no-cache-dir --disable-pip-version-check idna==3.10\n"
        "v/bin/python -c 'import idna; print(idna.encode(\"bücher.example\").decode())'\n",
        reach=("pypi.org:443", "files.pythonhosted.org:443"), results=("v/lib/*/site-packages/idna/*.py",),
    ),
    Workload(
        "git: 3 commits, branch, merge, log, gc",
        "git init -q -b main .\n"
        "for n in 1 2 3; do echo $n >file$n; git add file$n; git commit -q -m \"change $n\"; done\n"
        "git checkout -q -b side HEAD~1\necho side >side; git add side; git commit -q -m side\n"
        "git checkout -q main; git merge -q --no-edit side\n"
        "git log --format='%H %s'; git gc -q; git fsck\n",
        environment={
            "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@a.example", "GIT_AUTHOR_DATE": "2026-11-01T12:00:00Z",
            "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@a.example",
            "GIT_COMMITTER_DATE": "2026-11-01T12:00:00Z",
        },
        results=("file*", "side", ".git/packed-refs", ".git/HEAD"),
    ),
    Workload(
        "start of Python, 10 times",
        f"for n in {{1..10}}; do {PYTHON} -c 'import asyncio, hashlib, json; print(json.dumps([1, 2]))'; done\n",
    ),
    Workload(
        "shell loop of 17 processes, 10 times",
        "for n in {1..10}; do for i in {1..17}; do /usr/bin/expr $i \\* $n; done; done\n",
    ),
]
EMPTY = Workload("starting and ending a box (`true`)", "true\n")


def lay_out(workload, inputs):
    shutil.rmtree(SPACE, ignore_errors=True)
    if inputs.exists():
        shutil.copytree(inputs, SPACE, symlinks=True)
    else:
        SPACE.mkdir(parents=True)
    (SPACE / "job.sh").write_text(workload.job)
    (SPACE / "timed.sh").write_text(TIMED)


def run(workload, inputs, node):
    """Does the work once, in the box of a node or without one. Returns seconds of the job and of it all, and
    digests of what came out."""
    lay_out(workload, inputs)
    command = ["bash", "timed.sh"]
    environment = os.environ | workload.environment
    if node is not None:
        reach = [word for address in workload.reach for word in ("--reach", address)]
        read = [word for path in workload.read for word in ("--read", str(path))]
        options = ["--agent", "builder", "--task", workload.name, "--workspace", str(SPACE), "-q", *reach, *read]
        command = [str(BIN / "pathwarden"), "run", *options, "--", *command]
        environment = node.env() | workload.environment
    start = time.monotonic()
    done = subprocess.run(command, cwd=SPACE, env=environment, capture_output=True, text=True, timeout=RUN_SECONDS)
    whole = time.monotonic() - start
    if done.returncode != 0:
        raise Failed(f"exit status {done.returncode}: {(done.stdout + done.stderr)[-3000:]}")
    seconds = int((SPACE / "elapsed_us").read_text()) / 1e6
    return seconds, whole, digests(workload, done.stdout)


def digests(workload, printed):
    found = {"(standard output)": hashlib.sha256(printed.encode()).hexdigest()}
    for pattern in workload.results:
        files = [path for path in SPACE.glob(pattern) if path.is_file()]
        if not files:
            raise Failed(f"there is no {pattern}")
        for path in files:
            found[str(path.relative_to(SPACE))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def measure(workload, node, rounds=ROUNDS):
    """Medians of the job plain and governed, and of the whole of both."""
    inputs = HERE / "inputs"
    shutil.rmtree(inputs, ignore_errors=True)
    if workload.prepare:
        inputs.mkdir(parents=True)
        workload.prepare(inputs)
    seconds = {"plain": [], "governed": []}
    wholes = {"plain": [], "governed": []}
    first = None
    for number in range(rounds):
        turns = [("plain", None), ("governed", node)]
        # Who comes second finds the caches warm.
        for mode, by in turns if number % 2 == 0 else reversed(turns):
            try:
                took, whole, came_out = run(workload, inputs, by)
            except subprocess.TimeoutExpired:
                raise Failed(f"{mode}: not done after {RUN_SECONDS} s") from None
            except Failed as failed:
                raise Failed(f"{mode}: {failed}") from None
            first = first or came_out
            other = sorted(name for name in first.keys() | came_out if first.get(name) != came_out.get(name))
            if other:
                raise Failed(f"{mode}: came out otherwise: {', '.join(other[:10])}")
            seconds[mode].append(took)
            wholes[mode].append(whole)
    median = statistics.median
    return [median(seconds[mode]) for mode in seconds], [median(wholes[mode]) for mode in wholes]


def shown(seconds):
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def table(rows):
    lines = ["| workload | plain | governed | ratio |", "|---|---:|---:|---:|"]
    for name, plain, governed in rows:
        lines.append(f"| {name} | {shown(plain)} | {shown(governed)} | {governed / plain:.2f} |")
    return "\n".join(lines)


def calls(node, rounds):
    """What single calls take, plain and governed, in ns, once everything about them is decided."""
    folder = HERE / "calls"
    took = {}
    with Listener() as listener:
        for _ in range(rounds):
            for governed in (False, True):
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                program = install("calls", folder / "calls", "-O2")
                (folder / "arguments").write_text(f"{listener.port}\n")
                if governed:
                    lines = node.run(
                        folder, [program], agent="builder", options=["--reach", f"127.0.0.1:{listener.port}"]
                    ).lines
                else:
                    done = subprocess.run([program], cwd=folder, capture_output=True, text=True, check=True)
                    lines = done.stdout.splitlines()
                for name, nanoseconds in map(str.split, lines):
                    took.setdefault(name, ([], []))[governed].append(int(nanoseconds))
    return [(name.replace("_", " "), *map(statistics.median, both)) for name, both in took.items()]


def calls_table(rows):
    lines = ["| call | plain | governed | ratio |", "|---|---:|---:|---:|"]
    for name, plain, governed in rows:
        lines.append(f"| {name} | {plain / 1000:.2f} µs | {governed / 1000:.2f} µs | {governed / plain:.2f} |")
    return "\n".join(lines)


def machine():
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return f"{os.cpu_count()} cores of {model[1].strip() if model else 'an unnamed processor'}, kernel {os.uname().release}"


def written(rows, single, box, load, rounds):
    """The section of docs/PERFORMANCE.md."""
    version = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
    profile = BIN.name
    return f"""<!-- kernel:begin -->

### The execution plane: real work in the box

The same work in the box of `pathwarden run`, where the node decides every program, file and connection and the kernel's part measures what is done, and without it; {rounds} times each in turns, in the same folder. Everything succeeded in the box, and what came out was the same to the byte. The time is the job's own, from its first process to its last; a new session begins with nothing decided yet. npm and pip fetch from their registries each time. Node and job share the machine's cores. Making a session and its box, running `true` in it and ending both took {shown(box)}.

{table(rows)}

Single calls, once everything about them is decided: a file that was allowed is opened for reading by the kernel alone; opens for writing, changes and connections are answered by the point each time, and carried out by it where the path stands in the caller's memory; a program is asked about each time it starts.

{calls_table(single)}

`tests/kernel/workloads.py --write` with the {profile} build, {date.today()}, version {version}, {machine()}, load average {load:.2f} before the run.

<!-- kernel:end -->
"""


def write(section):
    path = ROOT / "docs" / "PERFORMANCE.md"
    text = path.read_text()
    if "<!-- kernel:begin -->" in text:
        before, rest = text.split("<!-- kernel:begin -->", 1)
        _, after = rest.split("<!-- kernel:end -->\n", 1)
        path.write_text(before + section + after)
        return
    before, after = text.split("## Where the time goes", 1)
    path.write_text(before + section + "\n## Where the time goes" + after)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the table into docs/PERFORMANCE.md")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"how often everything is done [{ROUNDS}]")
    parser.add_argument("--only", default="", help="workloads whose name has this in it")
    parser.add_argument("--plain", action="store_true", help="only look whether the work can be done here")
    arguments = parser.parse_args()
    if not arguments.plain:
        skip_unless_root("workloads")
    load = os.getloadavg()[0]
    chosen = [workload for workload in WORKLOADS if arguments.only in workload.name]
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir(parents=True)
    if arguments.plain:
        for workload in chosen:
            (plain, _), _ = measure(workload, None, arguments.rounds)
            print(f"{workload.name}: {shown(plain)}")
        return 0
    rows, failed = [], 0
    with Node(WORK / "workloads-node", '[agents.builder]\nowner = "the tests of the kernel plane"\n') as node:
        _, (_, box) = measure(EMPTY, node, arguments.rounds)
        for workload in chosen:
            try:
                (plain, governed), _ = measure(workload, node, arguments.rounds)
                rows.append((workload.name, plain, governed))
                print(f"ok    {workload.name}: {shown(plain)} plain, {shown(governed)} governed", flush=True)
            except Failed as fault:
                failed += 1
                print(f"FAIL  {workload.name}: {fault}", flush=True)
        single = calls(node, arguments.rounds) if not arguments.only else []
    print(f"\n{table(rows)}\n\n{calls_table(single)}\n\nstarting and ending a box: {shown(box)}")
    print(f"workloads: {len(rows)} of {len(chosen)} done with the same results")
    if arguments.write and not failed and not arguments.only:
        write(written(rows, single, box, load, arguments.rounds))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
