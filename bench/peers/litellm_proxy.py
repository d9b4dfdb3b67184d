#!/usr/bin/env python3
"""LiteLLM's proxy before one provider: what people put in front of models today.

    litellm_proxy.py UPSTREAM_URL KEY MODEL…

Prints the port that it listens on, and serves OpenAI's API for these models to who has the key until it
is killed: one worker, no database, no callbacks, no request logs.
"""

import os
import socket
import sys

import yaml


def main():
    upstream, key, *models = sys.argv[1:]
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()

    def entry(model):
        to = {"model": f"openai/{model}", "api_base": f"{upstream}/v1", "api_key": "none"}
        return {"model_name": model, "litellm_params": to}

    config = {
        "model_list": [entry(model) for model in models],
        "litellm_settings": {"num_retries": 0, "telemetry": False, "turn_off_message_logging": True},
        "general_settings": {"master_key": key, "disable_spend_logs": True},
    }
    # In memory, so that no file is left behind.
    file = os.memfd_create("config.yaml", 0)
    os.write(file, yaml.safe_dump(config).encode())
    # Prices of models are otherwise fetched at start.
    os.environ.update(
        LITELLM_LOCAL_MODEL_COST_MAP="True", LITELLM_LOG="ERROR", LITELLM_MODE="PRODUCTION"
    )
    print(port, flush=True)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    program = os.path.join(os.path.dirname(sys.executable), "litellm")
    options = ["--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
    os.execv(program, [program, "--config", f"/proc/self/fd/{file}", "--telemetry", "False", *options])


main()
