#!/usr/bin/env python3
"""A Pydantic AI agent, with the API of any of three vendors.

  pydantic_agent.py anthropic|google|openai|openai-chat [--stream]    scenarios/invoice.toml

Prints one JSON line with what it answered and called. The environment is that of env.py.
"""

import argparse
import asyncio
import json

from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import ToolCallPart
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider

import env


def model_of(vendor):
    name = "scripted-1"
    match vendor:
        case "anthropic":
            return AnthropicModel(name, provider=AnthropicProvider(base_url=env.anthropic_base(), api_key=env.key()))
        case "google":
            return GoogleModel(name, provider=GoogleProvider(base_url=env.gemini_base(), api_key=env.key()))
        case "openai":
            return OpenAIResponsesModel(name, provider=OpenAIProvider(base_url=env.openai_base(), api_key=env.key()))
        case "openai-chat":
            return OpenAIChatModel(name, provider=OpenAIProvider(base_url=env.openai_base(), api_key=env.key()))


async def take(context, events):
    async for _ in events:
        pass


async def answer(agent, stream):
    # `run_stream` would take the first text for the end, although calls follow it.
    result = await agent.run(env.task(), event_stream_handler=take if stream else None)
    return result.output, result.all_messages()


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("vendor", choices=["anthropic", "google", "openai", "openai-chat"])
    parser.add_argument("--stream", action="store_true")
    arguments = parser.parse_args()
    office = MCPToolset(env.mcp_url(), headers=env.mcp_headers())
    prompt = "You are the accounts assistant of Northgate Robotics."
    agent = Agent(model_of(arguments.vendor), instructions=prompt, toolsets=[office])
    async with agent:
        output, messages = await answer(agent, arguments.stream)
    parts = [part for message in messages for part in message.parts if isinstance(part, ToolCallPart)]
    calls = [[part.tool_name, part.args_as_dict()] for part in parts]
    print(json.dumps({"agent": f"pydantic-ai {arguments.vendor}", "final": output, "calls": calls}))


asyncio.run(main())
