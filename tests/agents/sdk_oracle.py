#!/usr/bin/env python3
"""What the vendors' own clients make of the model's answers, as JSON lines: one for each API, with and
without streaming. Equal lines directly and through a proxy mean that the proxy changes nothing that a
client sees. Each runs two rounds: an answer with text, reasoning and three calls, then, with their
results, a text (the model server refuses a second round that the services would refuse).

Needs a model server with scenarios/sdk.toml, and the environment variables of env.py.
"""

import json
import sys

import anthropic
import openai
from google import genai
from google.genai import types

import env

MODEL = "scripted-1"
TASK = "Read the note, look up the weather, add the numbers."
TEXT, INTEGER, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
PLACE = {"type": "object", "properties": {"city": TEXT, "country": TEXT}}
DAYS = {"type": "array", "items": INTEGER}
SCHEMAS = {
    "read_text_file": {"path": TEXT, "head": INTEGER},
    "get_weather": {"place": PLACE, "days": DAYS, "exact": {"type": "boolean"}},
    "add": {"a": NUMBER, "b": NUMBER, "note": TEXT},
}
RESULTS = {"read_text_file": "a note", "get_weather": "rain", "add": "the sum is -1998.5"}


def schema(name):
    return {"type": "object", "properties": SCHEMAS[name], "required": list(SCHEMAS[name])}


def chat(stream):
    client = openai.OpenAI(base_url=env.openai_base(), api_key=env.key(), max_retries=0)
    functions = [{"name": name, "parameters": schema(name), "strict": True} for name in SCHEMAS]
    tools = [{"type": "function", "function": function} for function in functions]
    messages = [{"role": "system", "content": "You are a test."}, {"role": "user", "content": TASK}]

    def ask():
        asked = {"model": MODEL, "messages": messages, "tools": tools}
        if not stream:
            return client.chat.completions.create(**asked)
        with client.chat.completions.stream(**asked, stream_options={"include_usage": True}) as events:
            return events.get_final_completion()

    first = ask()
    message = first.choices[0].message
    calls = message.tool_calls
    asked = [call.model_dump(include={"id": True, "type": True, "function": {"name", "arguments"}}) for call in calls]
    messages.append({"role": "assistant", "content": message.content, "tool_calls": asked})
    for call in calls:
        messages.append({"role": "tool", "tool_call_id": call.id, "content": RESULTS[call.function.name]})
    last = ask()
    return {
        "text": message.content,
        "reasoning": getattr(message, "reasoning_content", None),
        "calls": [[call.id, call.function.name, json.loads(call.function.arguments)] for call in calls],
        "stop": first.choices[0].finish_reason,
        "has_usage": first.usage is not None,
        "final": last.choices[0].message.content,
        "final_stop": last.choices[0].finish_reason,
        "final_tokens": "".join(token.token for token in last.choices[0].logprobs.content),
    }


def responses(stream):
    client = openai.OpenAI(base_url=env.openai_base(), api_key=env.key(), max_retries=0)
    tools = [{"type": "function", "name": name, "parameters": schema(name), "strict": True} for name in SCHEMAS]
    history = [{"role": "user", "content": TASK}]

    def ask():
        asked = {"model": MODEL, "instructions": "You are a test.", "input": history, "tools": tools}
        if not stream:
            return client.responses.create(**asked)
        with client.responses.stream(**asked) as events:
            return events.get_final_response()

    first = ask()
    calls = [item for item in first.output if item.type == "function_call"]
    # `parsed_arguments` is something that the client adds.
    history.extend(item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in first.output)
    for call in calls:
        history.append({"type": "function_call_output", "call_id": call.call_id, "output": RESULTS[call.name]})
    last = ask()
    return {
        "text": first.output_text,
        "reasoning": "".join(part.text for item in first.output if item.type == "reasoning" for part in item.summary),
        "calls": [[call.call_id, call.name, json.loads(call.arguments)] for call in calls],
        "stop": first.status,
        "has_usage": first.usage is not None,
        "items": [item.type for item in first.output],
        "final": last.output_text,
        "final_stop": last.status,
    }


def messages(stream):
    client = anthropic.Anthropic(base_url=env.anthropic_base(), api_key=env.key(), max_retries=0)
    tools = [{"name": name, "description": name, "input_schema": schema(name)} for name in SCHEMAS]
    history = [{"role": "user", "content": TASK}]

    def ask():
        asked = {"model": MODEL, "max_tokens": 4096, "system": "You are a test.", "messages": history}
        asked |= {"tools": tools, "thinking": {"type": "enabled", "budget_tokens": 2048}}
        if not stream:
            return client.messages.create(**asked)
        with client.messages.stream(**asked) as events:
            return events.get_final_message()

    first = ask()
    calls = [block for block in first.content if block.type == "tool_use"]
    history.append({"role": "assistant", "content": [block.to_dict() for block in first.content]})
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": RESULTS[call.name]} for call in calls]
    history.append({"role": "user", "content": results})
    last = ask()
    thinking = next(block for block in first.content if block.type == "thinking")
    return {
        "text": "".join(block.text for block in first.content if block.type == "text"),
        "reasoning": thinking.thinking,
        "signature": thinking.signature,
        "calls": [[call.id, call.name, call.input] for call in calls],
        "stop": first.stop_reason,
        "has_usage": first.usage.output_tokens > 1,
        "final": "".join(block.text for block in last.content),
        "final_stop": last.stop_reason,
        "counted": client.messages.count_tokens(model=MODEL, messages=history).input_tokens > 0,
    }


def gemini(stream):
    client = genai.Client(api_key=env.key(), http_options={"base_url": env.gemini_base()})
    declared = [{"name": name, "parameters_json_schema": schema(name)} for name in SCHEMAS]
    config = {"system_instruction": "You are a test.", "tools": [{"function_declarations": declared}]}
    config["automatic_function_calling"] = {"disable": True}
    history = [types.UserContent(TASK)]

    def ask():
        asked = {"model": MODEL, "contents": history, "config": config}
        if stream:
            chunks = list(client.models.generate_content_stream(**asked))
        else:
            chunks = [client.models.generate_content(**asked)]
        return chunks[-1], [part for chunk in chunks for part in chunk.candidates[0].content.parts]

    def text_of(parts, thought):
        return "".join(part.text for part in parts if part.text and bool(part.thought) == thought)

    first, parts = ask()
    calls = [part.function_call for part in parts if part.function_call]
    history.append(types.ModelContent(parts))
    results = [
        types.FunctionResponse(id=call.id, name=call.name, response={"result": RESULTS[call.name]})
        for call in calls
    ]
    history.append(types.UserContent([types.Part(function_response=result) for result in results]))
    last, last_parts = ask()
    return {
        "text": text_of(parts, False),
        "reasoning": text_of(parts, True),
        "calls": [[call.id, call.name, call.args] for call in calls],
        "signed": [part.thought_signature is not None for part in parts if part.function_call],
        "stop": first.candidates[0].finish_reason.value,
        "has_usage": first.usage_metadata is not None,
        "final": text_of(last_parts, False),
        "final_stop": last.candidates[0].finish_reason.value,
        "counted": client.models.count_tokens(model=MODEL, contents=TASK).total_tokens > 0,
    }


def main():
    failed = False
    for api in chat, responses, messages, gemini:
        if len(sys.argv) > 1 and api.__name__ not in sys.argv[1:]:
            continue
        for stream in False, True:
            line = {"api": api.__name__, "stream": stream}
            try:
                line.update(api(stream))
            except Exception as error:  # the caller wants one line for each API, whatever happens
                line["error"] = f"{type(error).__name__}: {error}"
                failed = True
            print(json.dumps(line, ensure_ascii=False, sort_keys=True), flush=True)
    sys.exit(failed)


main()
