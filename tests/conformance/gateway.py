#!/usr/bin/env python3
"""A node with a gateway in front of one server.

As a program, `gateway.py URL` is a client for the conformance suite: it starts such a node in front
of the server at URL, and `conformance-client` in front of that.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

SECONDS_TO_START = 20

# The suite waits for 30 s, and then for ever, if only the process that it started is gone.
SECONDS_TO_PLAY = 25

# Tools of the servers that the suite starts for its client scenarios.
CLIENT_SCENARIO_TOOLS = """
add_numbers test_client_elicitation_defaults test_reconnection test_headers my-hyphenated-tool
test_mrtr_echo_state test_mrtr_no_state test_mrtr_unrelated test_mrtr_no_result_type
test_custom_headers test_custom_headers_null valid_tool lookup_user
json_schema_2020_12_tool json_schema_echo
invalid_empty_header invalid_object_header invalid_array_header invalid_null_header
invalid_number_header invalid_duplicate_same_case invalid_duplicate_diff_case
invalid_space_in_name invalid_colon_in_name invalid_non_ascii_name invalid_control_char_name
""".split()

# What a person must let happen: a server could fetch a link that nobody named.
APPROVED = {"https://example.com/resource?id=123"}


class Gateway:
    """Runs while the `with` block does; `url` is where the server is, seen through it."""

    def __init__(self, upstream, tools):
        self.upstream, self.tools = upstream, tools
        self.ended = threading.Event()

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="pathwarden-conformance-")
        home = Path(self.folder.name) / "home"
        self.environment = {**os.environ, "PATHWARDEN_HOME": str(home)}
        for name in ("PATHWARDEN_TOKEN", "PATHWARDEN_ENDPOINT"):
            self.environment.pop(name, None)
        self.command("init")
        (home / "pathwarden.toml").write_text(self.configuration())
        self.log = open(Path(self.folder.name) / "log", "w+")
        self.node = subprocess.Popen(
            ["pathwarden", "--json", "up"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=self.log,
        )
        self.url = f"http://{self.address()}/mcp/conformance"
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.node.terminate()
        self.node.wait()
        self.log.close()
        self.folder.cleanup()

    def command(self, *arguments):
        """What a command of the node says."""
        return subprocess.run(
            ["pathwarden", *arguments], env=self.environment, check=True, stdout=subprocess.PIPE
        ).stdout

    def answer_questions(self):
        """Is the person who answers what is held, until the gateway ends."""
        while not self.ended.wait(0.2):
            for question in json.loads(self.command("--json", "approvals", "list")):
                shown = question["shown"] or {"action": {"name": ""}}
                if shown["action"]["name"] in APPROVED:
                    self.command("approvals", "approve", question["approval"])

    def configuration(self):
        lines = [
            '[agents.tester]\nowner = "the conformance suite"',
            '[listen]\napi = "127.0.0.1:0"\nmcp = "127.0.0.1:0"\nmodels = "127.0.0.1:0"',
            # The suite sends no tokens.
            '[danger]\nanonymous_agent = "tester"',
            f"[servers.conformance]\ninside = true\nurl = {json.dumps(self.upstream)}",
            "[servers.conformance.tools]",
            *(f'{json.dumps(tool)} = "read"' for tool in self.tools),
        ]
        return "\n".join(lines) + "\n"

    def address(self):
        """Where the gateway listens, as the node says when it is ready."""
        ends = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < ends:
            line = self.node.stdout.readline()
            if not line:
                break
            said = json.loads(line)
            if said.get("ready"):
                return said["mcp"]
        self.node.kill()
        self.log.seek(0)
        raise RuntimeError(f"the node did not start: {self.log.read()[-2000:]}")


if __name__ == "__main__":
    with Gateway(sys.argv[1], CLIENT_SCENARIO_TOOLS) as gateway:
        person = threading.Thread(target=gateway.answer_questions, daemon=True)
        person.start()
        client = ["conformance-client", gateway.url]
        code = subprocess.run(client, timeout=SECONDS_TO_PLAY).returncode
        gateway.ended.set()
        person.join()
    sys.exit(code)
