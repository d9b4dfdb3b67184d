#!/usr/bin/env python3
"""A scripted agent (no model) with the official MCP client: lists the notes, reads each of them, and has a
summary written. It knows one server, and starts it by the command that is given.
"""

import argparse
import asyncio
import json
import os
import sys

import mcp
from mcp.client.stdio import StdioServerParameters

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--notes", type=json.loads, required=True, help="command of the server, as a JSON list")
parser.add_argument("--pause", type=float, default=1.0, help="seconds that it thinks between two calls")
arguments = parser.parse_args()


async def call(client, tool, given):
    print(f"calls    {tool} {json.dumps(given)}"[:110], flush=True)
    result = await client.call_tool(tool, given)
    text = "\n".join(part.text for part in result.content if part.type == "text")
    print("         " + text.replace("\n", "\n         "), flush=True)
    if result.is_error:
        sys.exit(f"{tool} was refused")
    await asyncio.sleep(arguments.pause)
    return text


async def main():
    command, *rest = arguments.notes
    async with mcp.Client(StdioServerParameters(command=command, args=rest, env=dict(os.environ))) as client:
        names = (await call(client, "list_notes", {})).split()
        points = []
        for name in names:
            text = await call(client, "read_note", {"name": name})
            points += [line for line in text.splitlines() if line.startswith("- ")]
        await call(client, "write_summary", {"text": "# Summary of November\n\n" + "\n".join(points) + "\n"})
    print(f"done     {len(names)} notes, {len(points)} points")


asyncio.run(main())
