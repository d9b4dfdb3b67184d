#!/usr/bin/env python3
"""Checks `fixture-mcp`, directly or behind a gateway, with the official Python client (mcp 2.x or 1.x).

Prints one JSON line per check: {"check", "ok", "detail"}. Exit code 1 if a check failed, 2 if the
server could not be reached.
"""

import asyncio
import json
import sys
from datetime import timedelta

from harness import IS_V2, Checks, ServerError, either, is_error, main, parser, structured, text_of
from mcp import types

TEXT_URI = "fixture://text"
TRICKY = {
    "text": "Grüße \u2014 \u0000 \U0001f512 \"quoted\" \\ /",
    "nested": {"list": [1, -2, 3.5, None, True, {"deep": []}], "": "empty name"},
    "large": 9007199254740993,
    "number": 1e-7,
}


class Fixture(Checks):
    order = (
        "list_tools", "tool_annotations", "echo", "slow_with_progress", "parallel_calls",
        "timed_out_call_leaves_the_session_usable", "ask_model", "ask_user", "asks_in_results", "log",
        "many_notifications", "big", "fail", "protocol_error", "resources", "unknown_resource",
        "subscription", "prompts", "ping",
    )

    async def list_tools(self):
        names = await self.names()
        assert {"echo", "slow", "ask_model", "ask_user", "fail"} <= set(names), names
        return names

    async def tool_annotations(self):
        tools = {tool.name: tool for tool in (await self.client.list_tools()).tools}
        hint = either(tools["echo"].annotations, "read_only_hint", "readOnlyHint")
        assert hint is True, hint

    async def echo(self):
        result = await self.client.call_tool("echo", TRICKY)
        assert json.loads(text_of(result)) == TRICKY, text_of(result)
        assert structured(result) == TRICKY, structured(result)

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

    async def asks_in_results(self):
        """What a server of the modern era asks stands in a result, and the answer in another call."""
        if not self.is_modern:
            return "not part of this revision"
        arguments = {"message": "Who are you?"}
        session = self.client.session
        asked = await session.call_tool("ask_user", arguments, allow_input_required=True)
        assert isinstance(asked, types.InputRequiredResult), asked
        (name, question), = asked.input_requests.items()
        assert question.params.message == "Who are you?", question
        answer = types.ElicitResult(action="accept", content={"name": "Grace"})
        result = await session.call_tool(
            "ask_user", arguments, input_responses={name: answer}, request_state=asked.request_state
        )
        assert not is_error(result) and "Grace" in text_of(result), text_of(result)
        return f"{question.method} in a result"

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
        if not self.is_modern:
            await self.client.send_ping()
            return "answered"
        try:
            await self.client.send_ping()
        except ServerError as error:
            assert error.error.code == -32601, error.error
            return "not part of this revision"
        raise AssertionError("a ping was answered, which this revision does not know")


if __name__ == "__main__":
    sys.exit(main(parser(__doc__).parse_args(), Fixture))
