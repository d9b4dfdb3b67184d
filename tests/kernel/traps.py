#!/usr/bin/env python3
"""Attempts to get past `pathwarden run`, on the real kernel, as root. Each program is run without a box first:
there it must succeed, or its failure in the box would show nothing.

    tests/kernel/traps.py [NAME…]       only those whose name holds one of these words
"""

import sys

import trap_paths
import trap_programs
import trap_races
import trap_sockets
import trap_supervisor
from node import TESTER, Checks, Node, ground, skip_unless_root
from trap import HERE


def traps():
    """Each with its name, as they stand in their files."""
    for module in (trap_races, trap_paths, trap_programs, trap_supervisor, trap_sockets):
        for name, trap in vars(module).items():
            if name.startswith("trap_"):
                yield name.removeprefix("trap_"), trap


def main():
    skip_unless_root("trap")
    checks = Checks("trap")
    with ground(HERE), Node(HERE / "node", TESTER, processes_max=trap_programs.PROCESSES_MAX) as node:
        for name, trap in traps():
            checks.check(name, lambda trap=trap: trap(node))
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
