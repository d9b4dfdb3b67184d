#!/usr/bin/env python3
"""An agent of the OpenAI Agents SDK, with either of OpenAI's APIs.

  openai_agents.py responses|chat [--stream]                  scenarios/invoice.toml
  openai_agents.py responses|chat [--stream] --subagent       scenarios/subagent.toml

Prints one JSON line with what it answered and called. The environment is that of env.py.
"""

import argparse
import asyncio
import json

from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from agents.mcp import MCPServerStreamableHttp
from openai import AsyncOpenAI

import env

MODELS = {"responses": OpenAIResponsesModel, "chat": OpenAIChatCompletionsModel}


@function_tool
def today() -> str:
    """Tells the date of today."""
    return "2026-11-20"


def agent_for(model, server, subagent):
    clerk = Agent(name="clerk", instructions="You are the clerk. You read files.", model=model, mcp_servers=[server])
    tools = [today]
    if subagent:
        tools.append(clerk.as_tool("ask_clerk", "Asks the clerk, who reads files."))
    instructions = "You are the accounts assistant of Northgate Robotics."
    return Agent(name="accounts", instructions=instructions, model=model, tools=tools, mcp_servers=[server])


async def answer(agent, stream):
    if not stream:
        return await Runner.run(agent, env.task())
    result = Runner.run_streamed(agent, env.task())
    async for _ in result.stream_events():
        pass
    return result


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("api", choices=MODELS)
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("--subagent", action="store_true")
    arguments = parser.parse_args()
    set_tracing_disabled(True)
    client = AsyncOpenAI(base_url=env.openai_base(), api_key=env.key())
    model = MODELS[arguments.api]("scripted-1", openai_client=client)
    params = {"url": env.mcp_url(), "headers": env.mcp_headers()}
    async with MCPServerStreamableHttp(params, name="office", client_session_timeout_seconds=60) as server:
        result = await answer(agent_for(model, server, arguments.subagent), arguments.stream)
    items = [item.raw_item for item in result.new_items if item.type == "tool_call_item"]
    calls = [[item.name, json.loads(item.arguments)] for item in items]
    print(json.dumps({"agent": f"openai-agents {arguments.api}", "final": result.final_output, "calls": calls}))


asyncio.run(main())
