"""Where the model and the tools are, from the environment.

MODEL_BASE   the model's base URL without `/v1`; all APIs, unless one has a base of its own:
             MODEL_BASE_OPENAI, MODEL_BASE_ANTHROPIC, MODEL_BASE_GEMINI
MODEL_KEY    what is sent as the provider's key
MCP_URL      a Streamable HTTP endpoint of an MCP server
MCP_KEY      its bearer token, if it wants one
TASK         what the agent is asked to do
"""

import os

DEFAULT_TASK = "Read invoice.txt and confirm it to the address that it names."


def base(api):
    return (os.environ.get(f"MODEL_BASE_{api}") or os.environ["MODEL_BASE"]).rstrip("/")


def openai_base():
    return base("OPENAI") + "/v1"


def anthropic_base():
    return base("ANTHROPIC")


def gemini_base():
    return base("GEMINI")


def key():
    return os.environ.get("MODEL_KEY", "test-key")


def mcp_url():
    return os.environ["MCP_URL"]


def mcp_headers():
    bearer = os.environ.get("MCP_KEY")
    return {"Authorization": f"Bearer {bearer}"} if bearer else {}


def task():
    return os.environ.get("TASK", DEFAULT_TASK)
