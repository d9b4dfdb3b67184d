#!/usr/bin/env python3
"""A small MCP server made with the official Python SDK (mcp 2.x), for the interoperability checks.

Speaks over standard input and output, or with `--http PORT` over Streamable HTTP at /mcp; port 0 is
any. Its address is then the first line that it prints.
"""

import argparse
import asyncio
import socket
from typing import Annotated

import uvicorn
from mcp.server import MCPServer
from mcp.server.mcpserver import Context, Elicit, Resolve, Sample
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CreateMessageResult, SamplingMessage, TextContent
from pydantic import BaseModel

server = MCPServer("python-server", instructions="Adds numbers, keeps notes and greets people.")
notes: dict[str, str] = {}


class Person(BaseModel):
    name: str


def ask_name() -> Elicit[Person]:
    return Elicit("What is your name?", Person)


def ask_capital(country: str) -> Sample:
    question = TextContent(type="text", text=f"What is the capital of {country}?")
    return Sample([SamplingMessage(role="user", content=question)], max_tokens=50)


@server.tool()
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@server.tool()
def write_note(title: str, text: str) -> str:
    """Keeps a note."""
    notes[title] = text
    return f"kept {title}"


@server.tool()
def read_notes() -> dict[str, str]:
    """Gives all notes, by title."""
    return notes


@server.tool()
async def count(steps: int, context: Context) -> str:
    """Counts up, and reports each step."""
    for step in range(steps):
        await asyncio.sleep(0.02)
        await context.report_progress(step + 1, steps)
    return f"counted to {steps}"


@server.tool()
def greet(person: Annotated[Person, Resolve(ask_name)]) -> str:
    """Greets the person, whose name it asks for."""
    return f"Hello, {person.name}!"


@server.tool()
def capital(country: str, answer: Annotated[CreateMessageResult, Resolve(ask_capital)]) -> str:
    """Tells what the model takes for the capital of a country."""
    return f"{country}: {answer.content.text}"


@server.tool()
def divide(a: int, b: int) -> float:
    """Divides one number by another."""
    if b == 0:
        raise ToolError("nothing can be divided by zero")
    return a / b


@server.resource("note://{title}")
def note(title: str) -> str:
    """The text of one note."""
    return notes[title]


@server.prompt()
def summarise(title: str) -> str:
    """Asks for a summary of a note."""
    return f"Summarise the note {title}."


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--http", type=int, metavar="PORT")
    port = parser.parse_args().http
    if port is None:
        server.run()
        return
    listener = socket.create_server(("127.0.0.1", port))
    print("http://127.0.0.1:%d/mcp" % listener.getsockname()[1], flush=True)
    app = server.streamable_http_app()
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    main()
