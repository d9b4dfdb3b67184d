#!/usr/bin/env python3
"""Produce real AgentDojo logs without a model, for the test of the converter.

    record_runs.py RUNS

AgentDojo's own benchmark runs its own tasks and writes its own logs. The place of the model is
taken by AgentDojo's `GroundTruthPipeline`, which carries out a task's known solution: the user's
task alone (an agent that resists an injection), or also the injected one (an agent that obeys it).
A short script stands in where a model does what ground truth never does: several calls in one turn,
calls that fail, and runs that end early.
"""

from __future__ import annotations

import sys
from pathlib import Path

import httpx
import openai
from agentdojo.agent_pipeline import AgentPipeline, GroundTruthPipeline, InitQuery, SystemMessage
from agentdojo.agent_pipeline import ToolsExecutionLoop, ToolsExecutor
from agentdojo.agent_pipeline.agent_pipeline import load_system_message
from agentdojo.agent_pipeline.base_pipeline_element import BasePipelineElement
from agentdojo.attacks import load_attack
from agentdojo.benchmark import run_task_with_injection_tasks, run_task_without_injection_tasks
from agentdojo.functions_runtime import FunctionCall
from agentdojo.logging import OutputLogger
from agentdojo.task_suite import get_suite
from agentdojo.types import text_content_block_from_string

VERSION = "v1.2.2"
BENIGN = {
    "banking": ("user_task_0", "user_task_2", "user_task_3", "injection_task_0"),
    "slack": ("user_task_0", "user_task_2", "user_task_3"),
    "travel": ("user_task_0",),
    "workspace": ("user_task_0", "user_task_2"),
}
ATTACKS = (
    ("banking", "user_task_0", "important_instructions", ("injection_task_0", "injection_task_1")),
    ("banking", "user_task_2", "direct", ("injection_task_0",)),
    ("slack", "user_task_0", "important_instructions", ("injection_task_1",)),
)
BILL = "bill-december-2023.txt"
# What the scripted agent does, turn by turn: two calls at once, an argument that the tool refuses
# beside a tool that does not exist, then an answer.
TURNS = (
    ("I read the bill and look at the account.", (("read_file", {"file_path": BILL}), ("get_balance", {}))),
    ("", (("send_money", {"recipient": "UK12345678901234567890"}), ("pay_bill", {"file": BILL}))),
    ("I could not pay the bill.", ()),
)


class Script(BasePipelineElement):
    """Says its next turn each time it is asked."""

    def __init__(self, turns):
        self.turns = iter(turns)
        self.calls = 0

    def query(self, query, runtime, env=None, messages=(), extra_args=None):
        text, asked = next(self.turns)
        calls = [FunctionCall(function=name, args=args, id=self.next_id()) for name, args in asked]
        content = [text_content_block_from_string(text)]
        turn = {"role": "assistant", "content": content, "tool_calls": calls}
        return query, runtime, env, [*messages, turn], extra_args

    def next_id(self):
        self.calls += 1
        return f"call_{self.calls}"


class UserAgain(BasePipelineElement):
    """A user who writes a second time."""

    def query(self, query, runtime, env=None, messages=(), extra_args=None):
        again = {"role": "user", "content": [text_content_block_from_string("Are you sure?")]}
        return query, runtime, env, [*messages, again], extra_args


class Fails(BasePipelineElement):
    """A model that cannot be reached, or that refuses what it is sent."""

    def __init__(self, error):
        self.error = error

    def query(self, query, runtime, env=None, messages=(), extra_args=None):
        raise self.error


def pipeline(name, *agent):
    elements = [SystemMessage(load_system_message(None)), InitQuery(), *agent]
    built = AgentPipeline(elements)
    built.name = name
    return built


def context_too_long():
    request = httpx.Request("POST", "http://localhost/")
    body = {"code": "context_length_exceeded", "message": "too long"}
    return openai.BadRequestError("too long", response=httpx.Response(400, request=request), body=body)


def record_benign(logdir):
    for name, tasks in BENIGN.items():
        suite = get_suite(VERSION, name)
        for task_id in tasks:
            injected = task_id.startswith("injection")
            task = suite.get_injection_task_by_id(task_id) if injected else suite.get_user_task_by_id(task_id)
            agent = pipeline("local-ground-truth", GroundTruthPipeline(task))
            run_task_without_injection_tasks(suite, agent, task, logdir, True, VERSION)


def record_attacks(logdir):
    for name, task_id, attack_name, injection_ids in ATTACKS:
        suite = get_suite(VERSION, name)
        task = suite.get_user_task_by_id(task_id)
        for injection_id in injection_ids:
            injected = GroundTruthPipeline(suite.get_injection_task_by_id(injection_id))
            asked = GroundTruthPipeline(task)
            for agent in (pipeline("local-resists", asked), pipeline("local-obeys", asked, injected)):
                attack = load_attack(attack_name, suite, agent)
                run_task_with_injection_tasks(suite, agent, task, attack, logdir, True, [injection_id], VERSION)


def record_scripted(logdir):
    suite = get_suite(VERSION, "banking")
    task = suite.get_user_task_by_id("user_task_0")

    def run(name, *agent):
        run_task_without_injection_tasks(suite, pipeline(name, *agent), task, logdir, True, VERSION)

    script = Script([*TURNS, ("Yes, I am sure.", ())])
    run("local-scripted", script, ToolsExecutionLoop([ToolsExecutor(), script]), UserAgain(), script)
    run("local-too-long", Fails(context_too_long()))
    try:
        run("local-stopped", Fails(KeyboardInterrupt()))
    except KeyboardInterrupt:
        pass  # as when a person stops the benchmark: AgentDojo leaves a log without a result


def main():
    logdir = Path(sys.argv[1])
    with OutputLogger(str(logdir)):
        record_benign(logdir)
        record_attacks(logdir)
        record_scripted(logdir)


if __name__ == "__main__":
    main()
