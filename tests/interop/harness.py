"""What the checks with the official Python client have in common: a connection, and how they are told.

Each check prints one JSON line {"check", "ok", "detail"}. Works with mcp 2.x and 1.x.
"""

import argparse
import asyncio
import json
import os
from contextlib import AsyncExitStack
from pathlib import Path

import mcp
from mcp import types
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

IS_V2 = hasattr(mcp, "Client")
if IS_V2:
    import httpx2 as httpx
    from mcp import MCPError as ServerError
else:
    import httpx
    from mcp.shared.exceptions import McpError as ServerError

SECONDS_PER_CHECK = 30


class Heard:
    """What the server told the client, by kind."""

    def __init__(self):
        self.logs = []
        self.updates = []
        self.changed = asyncio.Event()

    async def log(self, params):
        self.logs.append(params.data)
        self.changed.set()

    async def message(self, message):
        inner = getattr(message, "root", message)
        if isinstance(inner, types.ResourceUpdatedNotification):
            self.updates.append(str(inner.params.uri))
            self.changed.set()

    async def until(self, condition, seconds=10):
        async with asyncio.timeout(seconds):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


async def answer_model(context, params):
    text = types.TextContent(type="text", text="Paris")
    return types.CreateMessageResult(role="assistant", content=text, model="scripted")


async def answer_user(context, params):
    return types.ElicitResult(action="accept", content={"name": "Ada"})


def either(value, *names):
    """An attribute by its name in 2.x (snake case) or in 1.x (camel case)."""
    for name in names:
        if hasattr(value, name):
            return getattr(value, name)
    raise AttributeError(f"{type(value).__name__} has none of {names}")


def is_error(result):
    return bool(either(result, "is_error", "isError"))


def structured(result):
    return either(result, "structured_content", "structuredContent")


def text_of(result):
    return "".join(part.text for part in result.content if part.type == "text")


class Checks:
    """Checks of one kind of server; `order` names the methods that are."""

    order = ()

    def __init__(self, client, heard, version, options):
        self.client = client
        self.heard = heard
        self.version = version
        self.options = options
        self.failed = 0

    @property
    def is_modern(self):
        return self.version >= "2026-07-28"

    async def names(self):
        return sorted(tool.name for tool in (await self.client.list_tools()).tools)

    async def call(self, name, **arguments):
        """What a tool says that must not fail."""
        result = await self.client.call_tool(name, arguments)
        assert not is_error(result), text_of(result)
        return result

    async def run(self, name, check):
        try:
            async with asyncio.timeout(SECONDS_PER_CHECK):
                detail, ok = await check(), True
        except Exception as error:  # a check that fails in any way is a failed check
            detail, ok = repr(error), False
        self.failed += not ok
        print(json.dumps({"check": name, "ok": ok, "detail": detail}), flush=True)

    async def all(self):
        for name in self.order:
            await self.run(name, getattr(self, name))


async def transport_of(stack, options):
    if options.stdio:
        command, *rest = options.stdio
        server = StdioServerParameters(command=command, args=rest, env=dict(os.environ))
        return stdio_client(server)
    headers = {"Authorization": f"Bearer {options.bearer}"} if options.bearer else {}
    limits = httpx.Timeout(30, read=300)
    http = await stack.enter_async_context(httpx.AsyncClient(headers=headers, timeout=limits))
    return streamable_http_client(options.url, http_client=http)


async def connect(stack, options, heard):
    """A connected client, the revision it agreed on, and the server's name."""
    transport = await transport_of(stack, options)

    async def roots(context):
        return types.ListRootsResult(roots=[types.Root(uri=Path(options.folder).as_uri())])

    callbacks = {
        "list_roots_callback": roots,
        "sampling_callback": answer_model,
        "elicitation_callback": answer_user,
        "logging_callback": heard.log,
        "message_handler": heard.message,
    }
    if IS_V2:
        client = mcp.Client(transport, mode=options.mode, log_level="info", **callbacks)
        client = await stack.enter_async_context(client)
        return client, client.session.protocol_version, client.session.server_info
    read, write, *_ = await stack.enter_async_context(transport)
    session = await stack.enter_async_context(mcp.ClientSession(read, write, **callbacks))
    result = await session.initialize()
    return session, str(result.protocolVersion), result.serverInfo


def parser(description):
    options = argparse.ArgumentParser(description=description)
    where = options.add_mutually_exclusive_group(required=True)
    where.add_argument("--stdio", type=json.loads, metavar="JSON", help="command as a JSON list")
    where.add_argument("--url", help="Streamable HTTP endpoint")
    options.add_argument("--bearer", help="token for the Authorization header")
    options.add_argument("--mode", default="auto",
                         help="2.x only: auto (default), legacy, or a revision such as 2026-07-28")
    options.add_argument("--folder", default=os.getcwd(), help="what the client says is its root")
    return options


async def run(options, kind):
    heard = Heard()
    async with AsyncExitStack() as stack:
        client, version, server = await connect(stack, options, heard)
        detail = f"{version} with {server.name if server else 'an unnamed server'}"
        print(json.dumps({"check": "connect", "ok": True, "detail": detail}), flush=True)
        checks = kind(client, heard, version, options)
        await checks.all()
    return 1 if checks.failed else 0


def main(options, kind):
    """Runs the checks: 0 if all passed, 1 if one failed, 2 if the server could not be reached."""
    try:
        return asyncio.run(run(options, kind))
    except (Exception, BaseExceptionGroup) as error:
        print(json.dumps({"check": "connect", "ok": False, "detail": repr(error)}), flush=True)
        return 2
