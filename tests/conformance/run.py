#!/usr/bin/env python3
"""Runs the official MCP conformance suite directly and through the gateway, and compares every check.

Fails if a check that passes directly does not pass through the gateway, or if the gateway lets
through what DNS rebinding sends. Needs what `make conformance` sets up and builds.
"""

import argparse
import collections
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from gateway import Gateway

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
MODULES = ROOT / ".work/conformance-node/node_modules"
WORK = ROOT / ".work/conformance"

OLD, NEW = "2025-11-25", "2026-07-28"
REBINDING = "dns-rebinding-protection"
MISSING = "missing"
# From bad to good. `INFO` says that something was not tested, so it counts as missing.
ORDER = ["FAILURE", MISSING, "WARNING", "SKIPPED", "SUCCESS"]


class Suite(NamedTuple):
    """What is run at once, and counted as one row."""

    name: str
    package: str
    mode: str
    runs: tuple[tuple[str, ...], ...]
    quick: bool = False


def scenarios(revision, names):
    return tuple(("--spec-version", revision, "--scenario", name) for name in names.split())


SUITES = [
    Suite("server, 0.1.16, all", "conformance-0.1", "server", (("--suite", "all"),)),
    Suite(
        f"server, 0.2.0-alpha.12, {OLD}", "conformance-0.2", "server", (("--requirements", OLD),), True
    ),
    Suite(
        f"server, 0.2.0-alpha.12, {NEW}", "conformance-0.2", "server", (("--requirements", NEW),), True
    ),
    # Every client scenario of the suite but those of authorisation: they are about the token that a
    # client gets for this very server, and a gateway must never pass a client's token on.
    Suite(
        f"client, 0.2.0-alpha.12, {OLD}",
        "conformance-0.2",
        "client",
        scenarios(
            OLD,
            "initialize tools_call elicitation-sep1034-client-defaults sse-retry"
            " json-schema-2020-12-preservation",
        ),
    ),
    Suite(
        f"client, 0.2.0-alpha.12, {NEW}",
        "conformance-0.2",
        "client",
        scenarios(
            NEW,
            "tools_call request-metadata sep-2322-client-request-state http-standard-headers"
            " http-custom-headers http-invalid-tool-headers json-schema-ref-no-deref"
            " json-schema-2020-12-preservation",
        ),
    ),
]


class Check(NamedTuple):
    """The outcome of one check: which, how, and the suite's words about it."""

    status: str
    words: str


def run_suite(suite, target, directory):
    """Runs the suite against a server's URL, or with a client's command; its checks by their key."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    program = ["node", MODULES / suite.package / "dist/index.js", suite.mode]
    aim = ["--url" if suite.mode == "server" else "--command", target]

    def run(place):
        number, arguments = place
        output = directory / str(number)
        with open(directory / f"{number}.log", "w") as log:
            return subprocess.run(
                [*program, *aim, *arguments, "-o", output], stdout=log, stderr=subprocess.STDOUT
            ).returncode

    with ThreadPoolExecutor(max_workers=2) as pool:
        codes = list(pool.map(run, enumerate(suite.runs)))
    checks = read_checks(directory)
    for number, code in enumerate(codes):
        status = "SUCCESS" if code == 0 else "FAILURE"
        checks["the suite itself", "exit", str(number), 0] = Check(status, f"exit code {code}")
    return checks


def read_checks(directory):
    checks = {}
    for path in sorted(directory.rglob("checks.json")):
        scenario = re.sub(r"-\d{4}-\d\d-\d\dT[\d-]+Z$", "", path.parent.name)
        scenario = scenario.removeprefix("server-")
        seen = collections.Counter()
        for check in json.loads(path.read_text()):
            if check["status"] == "INFO":
                continue
            which = (scenario, check["id"], check["name"])
            checks[*which, seen[which]] = Check(check["status"], check.get("errorMessage") or "")
            seen[which] += 1
    return checks


def compare(direct, through):
    """What differs: whether it is worse, which check, both outcomes, and what the suite says."""
    none = Check(MISSING, "")
    for which in sorted(direct.keys() | through.keys()):
        before, after = direct.get(which, none), through.get(which, none)
        rebound = which[0] == REBINDING and after.status != "SUCCESS"
        if before.status == after.status and not rebound:
            continue
        worse = rebound or ORDER.index(after.status) < ORDER.index(before.status)
        # A check that appears only through the gateway is good news only if it passes.
        worse = worse or before.status == MISSING and after.status == "WARNING"
        yield {
            "worse": worse,
            "scenario": which[0],
            "check": f"{which[1]} ({which[2]})",
            "direct": before.status,
            "gateway": after.status,
            "words": after.words,
        }


def count(checks, status):
    return sum(
        check.status == status for which, check in checks.items() if which[0] != "the suite itself"
    )


def listed_tools(url):
    """The names of the server's tools."""
    revision = {"io.modelcontextprotocol/protocolVersion": NEW}
    body = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/list",
        "params": {"_meta": {**revision, "io.modelcontextprotocol/clientCapabilities": {}}},
    }
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": NEW,
        "Mcp-Method": "tools/list",
    }
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        for line in response.read().decode().splitlines():
            line = line.removeprefix("data:").strip()
            if line.startswith("{"):
                return [tool["name"] for tool in json.loads(line)["result"]["tools"]]
    raise RuntimeError(f"{url} lists no tools")


def row_of(suite, ways):
    """Runs one suite by each way, and says what came out."""
    results = [
        run_suite(suite, target, WORK / re.sub(r"\W+", "-", suite.name) / way)
        for way, target in ways[suite.mode].items()
    ]
    for way, checks in zip(ways[suite.mode], results):
        if count(checks, "SUCCESS") == 0:
            sys.exit(f"conformance: `{suite.name}` ran no check {way} (see {WORK})")
    row = {"suite": suite.name, "differences": []}
    for way, checks in zip(ways[suite.mode], results):
        row[way] = {"passed": count(checks, "SUCCESS"), "failed": count(checks, "FAILURE")}
    if len(results) == 2:
        row["differences"] = list(compare(*results))
    return row


def print_table(rows, markdown):
    cells = [("suite", "directly", "through the gateway", "worse", "better")]
    for row in rows:
        worse = sum(difference["worse"] for difference in row["differences"])
        outcomes = (row["direct"], row.get("gateway"))
        both = (f"{it['passed']} / {it['failed']}" if it else "not run" for it in outcomes)
        cells.append((row["suite"], *both, str(worse), str(len(row["differences"]) - worse)))
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    for place, line in enumerate(cells):
        padded = [cell.ljust(width) for cell, width in zip(line, widths)]
        print(f"| {' | '.join(padded)} |" if markdown else "  ".join(padded).rstrip())
        if markdown and place == 0:
            print(f"|{'|'.join('-' * (width + 2) for width in widths)}|")
    print("\nChecks passed / failed.")
    for row in rows:
        for it in row["differences"]:
            what = "worse " if it["worse"] else "better"
            outcome = f"{it['direct']} directly, {it['gateway']} through the gateway"
            print(f"{what}  {row['suite']}: {it['scenario']}: {it['check']}: {outcome}")
            if it["worse"] and it["words"]:
                print(f"        {it['words'][:400]}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="only the server suites of both eras")
    parser.add_argument("--only", metavar="WORD", default="", help="only suites with WORD in their name")
    parser.add_argument("--direct", action="store_true", help="without the gateway")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the table to FILE")
    return parser.parse_args()


def main():
    asked = arguments()
    programs = os.environ.get("PATHWARDEN_BIN", str(ROOT / "target/debug"))
    os.environ["PATH"] = os.pathsep.join([str(MODULES / ".bin"), programs, os.environ["PATH"]])
    suites = [it for it in SUITES if asked.only in it.name and (it.quick or not asked.quick)]
    server = subprocess.Popen(
        ["conformance-server", "--http", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True
    )
    try:
        url = server.stdout.readline().strip()
        ways = {"server": {"direct": url}, "client": {"direct": "conformance-client"}}
        if asked.direct:
            rows = [row_of(suite, ways) for suite in suites]
        else:
            with Gateway(url, listed_tools(url)) as gateway:
                ways["server"]["gateway"] = gateway.url
                ways["client"]["gateway"] = f"{sys.executable} {HERE / 'gateway.py'}"
                rows = [row_of(suite, ways) for suite in suites]
    finally:
        server.terminate()
        server.wait()
    print_table(rows, asked.markdown)
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=2) + "\n")
    if asked.direct:
        failed = sum(row["direct"]["failed"] for row in rows)
    else:
        failed = sum(it["worse"] for row in rows for it in row["differences"])
    passed = sum(row["direct" if asked.direct else "gateway"]["passed"] for row in rows)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
