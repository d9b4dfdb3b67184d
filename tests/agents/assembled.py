#!/usr/bin/env python3
"""Whether the calls on record are those that the vendors' clients put together from the same streams.

  assembled.py SESSION FILE       FILE has the lines of sdk_oracle.py
"""

import json
import subprocess
import sys


def pathwarden(*arguments):
    done = subprocess.run(["pathwarden", "--json", *arguments], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def main():
    session, lines = sys.argv[1], [json.loads(line) for line in open(sys.argv[2])]
    theirs = sorted(json.dumps(call[1:], sort_keys=True) for line in lines for call in line["calls"])
    steps = pathwarden("path", session)["steps"]
    said = [pathwarden("context", step["action"])["said"] for step in steps if step["window"]]
    calls = [call for one in said if one for call in one["calls"]]
    ours = sorted(json.dumps([call["name"], json.loads(call["arguments"])], sort_keys=True) for call in calls)
    print(f"{len(theirs)} calls put together by the clients, {len(ours)} on record")
    sys.exit(not theirs or ours != theirs)


main()
