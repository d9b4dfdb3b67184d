#!/usr/bin/env python3
"""Checks an official server, directly or behind a gateway, with the official Python client (mcp 2.x).

Prints one JSON line per check: {"check", "ok", "detail"}. Exit code 1 if a check failed, 2 if the
server could not be reached.
"""

import asyncio
import json
import sys
from pathlib import Path

from harness import Checks, ServerError, is_error, main, parser, structured, text_of
from mcp import types

TEXT = "Grüße \u2014 \U0001f512 \"quoted\" \\ /\nsecond line\n"


class Filesystem(Checks):
    order = ("list_tools", "write_and_read", "edit", "list_folder", "missing_file", "outside_is_refused")

    @property
    def path(self):
        return str(Path(self.options.folder) / "python.txt")

    async def list_tools(self):
        names = await self.names()
        assert {"read_text_file", "write_file", "edit_file", "list_directory"} <= set(names), names
        return names

    async def write_and_read(self):
        await self.call("write_file", path=self.path, content=TEXT)
        assert Path(self.path).read_text() == TEXT
        result = await self.call("read_text_file", path=self.path)
        assert text_of(result) == TEXT and structured(result) == {"content": TEXT}, result

    async def edit(self):
        edits = [{"oldText": "second", "newText": "2nd"}]
        result = await self.call("edit_file", path=self.path, edits=edits)
        assert "+2nd line" in text_of(result), text_of(result)
        assert "2nd line" in Path(self.path).read_text()

    async def list_folder(self):
        listed = text_of(await self.call("list_directory", path=self.options.folder))
        assert "[FILE] python.txt" in listed.splitlines(), listed

    async def missing_file(self):
        result = await self.client.call_tool("read_text_file", {"path": self.path + ".missing"})
        assert is_error(result) and "ENOENT" in text_of(result), text_of(result)

    async def outside_is_refused(self):
        result = await self.client.call_tool("read_text_file", {"path": "/usr/share/doc/elsewhere"})
        assert is_error(result) and "outside allowed directories" in text_of(result), text_of(result)


class Memory(Checks):
    order = ("list_tools", "create_and_read", "search")

    async def list_tools(self):
        names = await self.names()
        assert {"create_entities", "create_relations", "read_graph", "search_nodes"} <= set(names), names
        return names

    async def create_and_read(self):
        entities = [
            {"name": "ada", "entityType": "person", "observations": ["writes programs"]},
            {"name": "engine", "entityType": "machine", "observations": ["has no electricity"]},
        ]
        relation = {"from": "ada", "to": "engine", "relationType": "describes"}
        await self.call("create_entities", entities=entities)
        await self.call("create_relations", relations=[relation])
        graph = structured(await self.call("read_graph"))
        assert relation in graph["relations"], graph
        assert all(entity in graph["entities"] for entity in entities), graph

    async def search(self):
        found = structured(await self.call("search_nodes", query="electricity"))
        assert [entity["name"] for entity in found["entities"]] == ["engine"], found


class Everything(Checks):
    order = (
        "list_tools", "echo", "sum", "structured", "image", "links", "long_operation", "elicitation",
        "sampling", "roots", "bad_arguments", "resources", "subscription", "prompts", "completion",
    )

    async def list_tools(self):
        wanted = {"echo", "get-sum", "trigger-elicitation-request", "trigger-sampling-request"}
        names = await self.names()
        assert wanted <= set(names), names
        return names

    async def echo(self):
        assert text_of(await self.call("echo", message=TEXT)) == f"Echo: {TEXT}"

    async def sum(self):
        assert text_of(await self.call("get-sum", a=2, b=40)) == "The sum of 2 and 40 is 42."

    async def structured(self):
        result = await self.call("get-structured-content", location="Chicago")
        assert structured(result)["humidity"] == 82, structured(result)
        assert json.loads(text_of(result)) == structured(result), text_of(result)

    async def image(self):
        result = await self.call("get-tiny-image")
        kinds = [part.type for part in result.content]
        assert kinds == ["text", "image", "text"], kinds
        assert result.content[1].data.startswith("iVBORw0KGgo"), result.content[1].data[:20]

    async def links(self):
        result = await self.call("get-resource-links", count=4)
        links = [str(part.uri) for part in result.content if part.type == "resource_link"]
        assert len(links) == 4, links
        return links

    async def long_operation(self):
        seen = []

        async def progress(value, total, message):
            seen.append((value, total))

        result = await self.client.call_tool(
            "trigger-long-running-operation", {"duration": 0.4, "steps": 4}, progress_callback=progress
        )
        assert "completed" in text_of(result), text_of(result)
        assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)], seen

    async def elicitation(self):
        text = text_of(await self.call("trigger-elicitation-request"))
        assert "User provided" in text and "Name: Ada" in text, text

    async def sampling(self):
        text = text_of(await self.call("trigger-sampling-request", prompt="Capital of France?"))
        assert "Paris" in text, text

    async def roots(self):
        text = text_of(await self.call("get-roots-list"))
        assert Path(self.options.folder).as_uri() in text, text

    async def bad_arguments(self):
        result = await self.client.call_tool("get-sum", {"a": "two"})
        assert is_error(result) and "-32602" in text_of(result), text_of(result)

    async def resources(self):
        listed = [str(resource.uri) for resource in (await self.client.list_resources()).resources]
        assert "demo://resource/static/document/features.md" in listed, listed
        contents = (await self.client.read_resource("demo://resource/dynamic/text/3")).contents
        assert contents[0].text.startswith("Resource 3"), contents
        contents = (await self.client.read_resource("demo://resource/dynamic/blob/4")).contents
        assert contents[0].blob, contents

    async def subscription(self):
        uri = "demo://resource/dynamic/text/1"
        await self.client.subscribe_resource(uri)
        await self.call("toggle-subscriber-updates")
        await self.heard.until(lambda: uri in self.heard.updates)
        await self.call("toggle-subscriber-updates")
        await self.client.unsubscribe_resource(uri)

    async def prompts(self):
        names = {prompt.name for prompt in (await self.client.list_prompts()).prompts}
        assert {"simple-prompt", "args-prompt"} <= names, names
        result = await self.client.get_prompt("args-prompt", {"city": "Lyon"})
        assert result.messages[0].content.text == "What's weather in Lyon?", result

    async def completion(self):
        prompt = types.PromptReference(type="ref/prompt", name="completable-prompt")
        result = await self.client.complete(prompt, {"name": "department", "value": "Eng"})
        assert result.completion.values == ["Engineering"], result


class Python(Checks):
    order = (
        "list_tools", "add", "notes", "count", "greet", "capital", "failure", "resource", "prompt",
    )

    async def list_tools(self):
        names = await self.names()
        wanted = ["add", "capital", "count", "divide", "greet", "read_notes", "write_note"]
        assert names == wanted, names

    async def add(self):
        result = await self.call("add", a=2, b=40)
        assert text_of(result) == "42" and structured(result) == {"result": 42}, result

    async def notes(self):
        await self.call("write_note", title="python", text=TEXT)
        assert structured(await self.call("read_notes"))["python"] == TEXT

    async def count(self):
        seen = []

        async def progress(value, total, message):
            seen.append((value, total))

        result = await self.client.call_tool("count", {"steps": 3}, progress_callback=progress)
        assert text_of(result) == "counted to 3", text_of(result)
        assert seen == [(1, 3), (2, 3), (3, 3)], seen

    async def greet(self):
        assert text_of(await self.call("greet")) == "Hello, Ada!"

    async def capital(self):
        assert text_of(await self.call("capital", country="France")) == "France: Paris"

    async def failure(self):
        result = await self.client.call_tool("divide", {"a": 1, "b": 0})
        assert is_error(result) and "divided by zero" in text_of(result), text_of(result)

    async def resource(self):
        await self.call("write_note", title="kept", text="a note")
        assert (await self.client.read_resource("note://kept")).contents[0].text == "a note"
        try:
            await self.client.read_resource("note://nothing")
        except ServerError as error:
            return error.error.code
        raise AssertionError("no error came back")

    async def prompt(self):
        result = await self.client.get_prompt("summarise", {"title": "kept"})
        assert result.messages[0].content.text == "Summarise the note kept.", result


class All(Checks):
    """Everything and Python behind one endpoint, where a tool is called SERVER__TOOL."""

    order = ("list_tools", "call_each", "unknown_server")

    async def list_tools(self):
        names = await self.names()
        assert {"everything__echo", "everything__get-sum", "python__add", "python__count"} <= set(names), names
        assert all(name.startswith(("everything__", "python__")) for name in names), names
        return names

    async def call_each(self):
        assert text_of(await self.call("everything__echo", message=TEXT)) == f"Echo: {TEXT}"
        result = await self.call("python__add", a=2, b=40)
        assert text_of(result) == "42" and structured(result) == {"result": 42}, result

    async def unknown_server(self):
        try:
            result = await self.client.call_tool("memory__read_graph", {})
        except ServerError as error:
            return error.error.message
        assert is_error(result), text_of(result)
        return text_of(result)


KINDS = {
    "filesystem": Filesystem,
    "memory": Memory,
    "everything": Everything,
    "python": Python,
    "all": All,
}

if __name__ == "__main__":
    options = parser(__doc__)
    options.add_argument("kind", choices=KINDS)
    options = options.parse_args()
    sys.exit(main(options, KINDS[options.kind]))
