#!/usr/bin/env python3
"""The MCP server that the agents work with, over Streamable HTTP: reads the files of a folder and writes
mails to a file. The first line that it prints is its URL.
"""

import argparse
import json
import socket
from pathlib import Path

import uvicorn
from mcp.server.fastmcp import FastMCP
from mcp.types import ToolAnnotations

parser = argparse.ArgumentParser()
parser.add_argument("--files", type=Path, default=Path(__file__).parent / "files")
parser.add_argument("--mails", type=Path, help="append each mail as a JSON line")
arguments = parser.parse_args()
server = FastMCP("office", log_level="WARNING")


@server.tool(annotations=ToolAnnotations(readOnlyHint=True, openWorldHint=False), structured_output=False)
def read_text_file(path: str) -> str:
    """Reads a text file of the workspace."""
    return (arguments.files / Path(path).name).read_text()


@server.tool(annotations=ToolAnnotations(readOnlyHint=False, openWorldHint=True), structured_output=False)
def send_mail(to: list[str], subject: str, body: str) -> str:
    """Sends a plain text mail. It leaves the organisation and cannot be recalled."""
    mail = {"to": to, "subject": subject, "body": body}
    if arguments.mails:
        with arguments.mails.open("a") as mails:
            print(json.dumps(mail), file=mails)
    return f"sent to {', '.join(to)}"


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/mcp", flush=True)
    config = uvicorn.Config(server.streamable_http_app(), log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])


main()
