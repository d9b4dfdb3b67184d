#!/usr/bin/env python3
"""A LangChain agent (on LangGraph), with MCP tools through langchain-mcp-adapters.

  langgraph_agent.py [chat|responses] [--stream]              scenarios/invoice.toml

Prints one JSON line with what it answered and called. The environment is that of env.py.
"""

import argparse
import asyncio
import json

from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_openai import ChatOpenAI

import env


async def answer(agent, stream):
    asked = {"messages": [{"role": "user", "content": env.task()}]}
    if not stream:
        return await agent.ainvoke(asked)
    state = None
    async for mode, piece in agent.astream(asked, stream_mode=["messages", "values"]):
        if mode == "values":
            state = piece
    return state


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("api", nargs="?", choices=["chat", "responses"], default="chat")
    parser.add_argument("--stream", action="store_true")
    arguments = parser.parse_args()
    office = {"transport": "streamable_http", "url": env.mcp_url(), "headers": env.mcp_headers()}
    tools = await MultiServerMCPClient({"office": office}).get_tools()
    model = ChatOpenAI(
        model="scripted-1",
        base_url=env.openai_base(),
        api_key=env.key(),
        use_responses_api=arguments.api == "responses",
        streaming=arguments.stream,
    )
    prompt = "You are the accounts assistant of Northgate Robotics."
    state = await answer(create_agent(model, tools, system_prompt=prompt), arguments.stream)
    said = [message for message in state["messages"] if isinstance(message, AIMessage)]
    calls = [[call["name"], call["args"]] for message in said for call in message.tool_calls]
    print(json.dumps({"agent": f"langgraph {arguments.api}", "final": said[-1].text, "calls": calls}))


asyncio.run(main())
