#!/usr/bin/env python3
"""Mix the sessions of recorded runs; the events of one session keep their order.

    shuffle.py EVENTS OUT [--seed N]

Decisions about the mixed file have to be those about the first one, in another order.
"""

from __future__ import annotations

import argparse
import collections
import gzip
import json
import random


def opened(path: str, mode: str):
    return gzip.open(path, mode, encoding="utf-8") if path.endswith(".gz") else open(path, mode, encoding="utf-8")


def mixed(lines: list[str], seed: int) -> list[str]:
    """The lines, the sessions interleaved at random."""
    sessions = collections.defaultdict(collections.deque)
    turns = []
    for line in lines:
        session = json.loads(line)["session"]
        sessions[session].append(line)
        turns.append(session)
    random.Random(seed).shuffle(turns)
    return [sessions[session].popleft() for session in turns]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("events")
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with opened(options.events, "rt") as file:
        lines = [line for line in file if line.strip()]
    with opened(options.out, "wt") as file:
        file.writelines(line if line.endswith("\n") else f"{line}\n" for line in mixed(lines, options.seed))


if __name__ == "__main__":
    main()
