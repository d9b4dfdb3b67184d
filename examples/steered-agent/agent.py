#!/usr/bin/env python3
"""An agent of the OpenAI Agents SDK with a mailbox, files and a shell. Its model is the one at --model-base;
its MCP servers are started as the SDK always does, by the commands that are given."""

import argparse
import asyncio
import json
import os
from pathlib import Path

from agents import Agent, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
from agents.mcp import MCPServerStdio
from openai import AsyncOpenAI

parser = argparse.ArgumentParser()
parser.add_argument("--model-base", required=True)
parser.add_argument("--files", type=json.loads, required=True, help="command, as a JSON list")
parser.add_argument("--mail", type=json.loads, required=True, help="command, as a JSON list")
parser.add_argument("--ran", type=Path, required=True, help="where commands that were run are noted")
parser.add_argument("--task", required=True)
arguments = parser.parse_args()


@function_tool
def run_command(command: str) -> str:
    """Runs a shell command on this machine."""
    with arguments.ran.open("a") as ran:
        print(command, file=ran)
    return "done"


def server(name, command):
    params = {"command": command[0], "args": command[1:], "env": dict(os.environ)}
    return MCPServerStdio(params, name=name, client_session_timeout_seconds=60)


async def main():
    set_tracing_disabled(True)
    client = AsyncOpenAI(base_url=arguments.model_base, api_key=os.environ["PATHWARDEN_TOKEN"])
    model = OpenAIResponsesModel("scripted-1", openai_client=client)
    async with server("files", arguments.files) as files, server("mail", arguments.mail) as mail:
        agent = Agent(
            name="accounts",
            instructions="You are the accounts assistant of Northgate Robotics.",
            model=model,
            tools=[run_command],
            mcp_servers=[files, mail],
        )
        result = Runner.run_streamed(agent, arguments.task)
        async for event in result.stream_events():
            item = getattr(event, "item", None)
            if event.type != "run_item_stream_event" or item is None:
                continue
            if item.type == "tool_call_item":
                print(f"calls    {item.raw_item.name} {item.raw_item.arguments}"[:150])
            elif item.type == "tool_call_output_item":
                print(f"         {str(item.output)[:150]}")
            elif item.type == "message_output_item":
                text = "".join(part.text for part in item.raw_item.content)
                print("says     " + text.replace("\n", "\n         "))
    print(f"finished {result.final_output}")


asyncio.run(main())
