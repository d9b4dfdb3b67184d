#!/usr/bin/env python3
"""Checks an MCP server with the official Python client (mcp 2.x or 1.x).

Prints one JSON line per check: {"check", "ok", "detail"}. Exit code 1 if a check failed, 2 if the
server could not be reached. The server is `fixture-mcp`, directly or behind a gateway.
"""

import argparse
import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from datetime import timedelta

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

TEXT_URI = "fixture://text"
TRICKY = {
    "text": "Grüße \u2014 \u0000 \U0001f512 \"quoted\" \\ /",
    "nested": {"list": [1, -2, 3.5, None, True, {"deep": []}], "": "empty name"},
    "large": 9007199254740993,
    "number": 1e-7,
}


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


def text_of(result):
    return "".join(part.text for part in result.content if part.type == "text")


class Checks:
    def __init__(self, client, heard, version):
        self.client = client
        self.heard = heard
        self.version = version
        self.failed = 0

    @property
    def is_modern(self):
        return self.version >= "2026-07-28"

    async def run(self, name, check):
        try:
            async with asyncio.timeout(30):
                detail, ok = await check(), True
        except Exception as error:  # a check that fails in any way is a failed check
            detail, ok = repr(error), False
        self.failed += not ok
        print(json.dumps({"check": name, "ok": ok, "detail": detail}), flush=True)

    async def list_tools(self):
        names = sorted(tool.name for tool in (await self.client.list_tools()).tools)
        assert {"echo", "slow", "ask_model", "ask_user", "fail"} <= set(names), names
        return names

    async def tool_annotations(self):
        tools = {tool.name: tool for tool in (await self.client.list_tools()).tools}
        hint = either(tools["echo"].annotations, "read_only_hint", "readOnlyHint")
        assert hint is True, hint

    async def echo(self):
        result = await self.client.call_tool("echo", TRICKY)
        assert json.loads(text_of(result)) == TRICKY, text_of(result)
        structured = either(result, "structured_content", "structuredContent")
        assert structured == TRICKY, structured

    async def slow_with_progress(self):
        seen = []

        async def progress(value, total, message):
            seen.append((value, total))

        arguments = {"steps": 4, "delay_ms": 20}
        result = await self.client.call_tool("slow", arguments, progress_callback=progress)
        assert text_of(result) == "done after 4 steps", text_of(result)
        assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)], seen

    async def parallel_calls(self):
        async def one(place):
            return text_of(await self.client.call_tool("echo", {"place": place}))

        answers = await asyncio.gather(*(one(place) for place in range(20)))
        assert [json.loads(answer)["place"] for answer in answers] == list(range(20)), answers

    async def timed_out_call_leaves_the_session_usable(self):
        limit = 0.3 if IS_V2 else timedelta(seconds=0.3)
        arguments = {"steps": 100, "delay_ms": 100}
        try:
            await self.client.call_tool("slow", arguments, read_timeout_seconds=limit)
        except ServerError as error:
            await self.echo()
            return str(error)
        raise AssertionError("the call did not time out")

    async def ask_model(self):
        result = await self.client.call_tool("ask_model", {"question": "Capital of France?"})
        assert not is_error(result) and "Paris" in text_of(result), text_of(result)
        return text_of(result)

    async def ask_user(self):
        result = await self.client.call_tool("ask_user", {"message": "Who are you?"})
        assert not is_error(result) and "Ada" in text_of(result), text_of(result)
        return text_of(result)

    async def log(self):
        if not self.is_modern:
            await self.client.set_logging_level("info")
        await self.client.call_tool("log", {"message": "hello log"})
        await self.heard.until(lambda: "hello log" in self.heard.logs)

    async def many_notifications(self):
        self.heard.logs.clear()
        await self.client.call_tool("emit", {"count": 200})
        await self.heard.until(lambda: len(self.heard.logs) >= 200)
        assert self.heard.logs == list(range(200)), self.heard.logs

    async def big(self):
        result = await self.client.call_tool("big", {"bytes": 1_000_000})
        assert len(text_of(result)) == 1_000_000, len(text_of(result))

    async def fail(self):
        result = await self.client.call_tool("fail", {"message": "as asked"})
        assert is_error(result) and text_of(result) == "as asked", text_of(result)

    async def protocol_error(self):
        try:
            await self.client.call_tool("protocol_error", {})
        except ServerError as error:
            assert error.error.code == -32602 and error.error.data == {"n": 1}, error.error
            return error.error.message
        raise AssertionError("no error came back")

    async def resources(self):
        listed = [str(resource.uri) for resource in (await self.client.list_resources()).resources]
        assert TEXT_URI in listed, listed
        contents = (await self.client.read_resource(TEXT_URI)).contents
        assert contents[0].text == "a text resource", contents
        contents = (await self.client.read_resource("fixture://binary")).contents
        assert contents[0].blob == "AAECAwT/", contents

    async def unknown_resource(self):
        try:
            await self.client.read_resource("fixture://nothing")
        except ServerError as error:
            return error.error.code
        raise AssertionError("no error came back")

    async def subscription(self):
        if self.is_modern:
            async with self.client.listen(resource_subscriptions=[TEXT_URI]) as events:
                touching = asyncio.create_task(self.keep_touching())
                try:
                    return repr(await anext(aiter(events)))
                finally:
                    touching.cancel()
        await self.client.subscribe_resource(TEXT_URI)
        await self.client.call_tool("touch", {})
        await self.heard.until(lambda: TEXT_URI in self.heard.updates)
        await self.client.unsubscribe_resource(TEXT_URI)

    async def keep_touching(self):
        """A server may acknowledge a subscription a little before it serves it."""
        while True:
            await self.client.call_tool("touch", {})
            await asyncio.sleep(0.1)

    async def prompts(self):
        names = [prompt.name for prompt in (await self.client.list_prompts()).prompts]
        assert names == ["remind"], names
        result = await self.client.get_prompt("remind", {"topic": "a W-9"})
        assert result.messages[0].content.text == "Write a short reminder about a W-9.", result

    async def ping(self):
        if self.is_modern:
            return "not part of this revision"
        await self.client.send_ping()

    async def all(self):
        for check in [
            self.list_tools, self.tool_annotations, self.echo, self.slow_with_progress,
            self.parallel_calls, self.timed_out_call_leaves_the_session_usable, self.ask_model,
            self.ask_user, self.log, self.many_notifications, self.big, self.fail,
            self.protocol_error, self.resources, self.unknown_resource, self.subscription,
            self.prompts, self.ping,
        ]:
            await self.run(check.__name__, check)


async def transport_of(stack, arguments):
    if arguments.stdio:
        command, *rest = arguments.stdio
        server = StdioServerParameters(command=command, args=rest, env=dict(os.environ))
        return stdio_client(server)
    headers = {"Authorization": f"Bearer {arguments.bearer}"} if arguments.bearer else {}
    limits = httpx.Timeout(30, read=300)
    http = await stack.enter_async_context(httpx.AsyncClient(headers=headers, timeout=limits))
    return streamable_http_client(arguments.url, http_client=http)


async def connect(stack, arguments, heard):
    """A connected client, the revision it agreed on, and the server's name."""
    transport = await transport_of(stack, arguments)
    callbacks = {
        "sampling_callback": answer_model,
        "elicitation_callback": answer_user,
        "logging_callback": heard.log,
        "message_handler": heard.message,
    }
    if IS_V2:
        client = mcp.Client(transport, mode=arguments.mode, log_level="info", **callbacks)
        client = await stack.enter_async_context(client)
        return client, client.session.protocol_version, client.session.server_info
    read, write, *_ = await stack.enter_async_context(transport)
    session = await stack.enter_async_context(mcp.ClientSession(read, write, **callbacks))
    result = await session.initialize()
    return session, str(result.protocolVersion), result.serverInfo


async def run(arguments):
    heard = Heard()
    async with AsyncExitStack() as stack:
        client, version, server = await connect(stack, arguments, heard)
        detail = f"{version} with {server.name if server else 'an unnamed server'}"
        print(json.dumps({"check": "connect", "ok": True, "detail": detail}), flush=True)
        checks = Checks(client, heard, version)
        await checks.all()
    return 1 if checks.failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--stdio", type=json.loads, metavar="JSON", help="command as a JSON list")
    where.add_argument("--url", help="Streamable HTTP endpoint")
    parser.add_argument("--bearer", help="token for the Authorization header")
    parser.add_argument("--mode", default="auto",
                        help="2.x only: auto (default), legacy, or a revision such as 2026-07-28")
    arguments = parser.parse_args()
    try:
        return asyncio.run(run(arguments))
    except (Exception, BaseExceptionGroup) as error:
        print(json.dumps({"check": "connect", "ok": False, "detail": repr(error)}), flush=True)
        return 2


if __name__ == "__main__":
    sys.exit(main())
