"""A conversation held with an official client library; prints what the library made of it.

Runs as a program of its own, since some libraries live in an environment of their own:

    python sdk.py LIBRARY ADDRESS KEY MODEL
"""

from __future__ import annotations

import json
import sys
from typing import Any

QUESTION = "What do four farthings make?"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WHAT = "The weather of a city"


def chat(address: str, key: str, model: str) -> dict[str, Any]:
    """OpenAI's library, Chat Completions."""
    import openai

    return _chat(openai.OpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0), model)


def azure(address: str, key: str, model: str) -> dict[str, Any]:
    """OpenAI's library, as it asks Azure."""
    import openai

    client = openai.AzureOpenAI(
        azure_endpoint=address, api_key=key, api_version="2024-10-21", max_retries=0
    )
    return _chat(client, model)


def _chat(client: Any, model: str) -> dict[str, Any]:
    import openai

    asked: Any = [{"role": "user", "content": QUESTION}]
    function = {"name": "weather", "description": WHAT, "parameters": SCHEMA}
    tools: Any = [{"type": "function", "function": function}]
    whole = client.chat.completions.create(model=model, messages=asked)
    options: Any = {"include_usage": True}
    chunks = list(
        client.chat.completions.create(
            model=model, messages=asked, stream=True, stream_options=options
        )
    )
    called = client.chat.completions.create(model=model, messages=asked, tools=tools)
    call = called.choices[0].message.tool_calls[0]
    result = {"role": "tool", "tool_call_id": call.id, "content": "21 degrees"}
    messages = [*asked, called.choices[0].message, result]
    after = client.chat.completions.create(model=model, messages=messages, tools=tools)
    with client.chat.completions.stream(model=model, messages=asked, tools=tools) as stream:
        final = stream.get_final_completion()
    late = final.choices[0].message.tool_calls[0]
    try:
        client.chat.completions.create(model="nobody/nothing", messages=asked)
    except openai.NotFoundError as problem:
        error = str(problem)
    return {
        "whole": whole.choices[0].message.content,
        "stop": whole.choices[0].finish_reason == "stop",
        "usage": [whole.usage.prompt_tokens, whole.usage.completion_tokens],
        "stream": "".join(c.choices[0].delta.content or "" for c in chunks if c.choices),
        "stream_usage": [chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens],
        "call": [call.function.name, json.loads(call.function.arguments)],
        "after": after.choices[0].message.content,
        "stream_call": [late.function.name, json.loads(late.function.arguments)],
        "error": "nobody/nothing" in error,
    }


def responses(address: str, key: str, model: str) -> dict[str, Any]:
    """OpenAI's library, Responses."""
    import openai

    client: Any = openai.OpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0)
    tool = {"type": "function", "name": "weather", "description": WHAT, "parameters": SCHEMA}
    tools: Any = [{**tool, "strict": False}]
    whole = client.responses.create(model=model, input=QUESTION)
    with client.responses.stream(model=model, input=QUESTION) as stream:
        text = "".join(e.delta for e in stream if e.type == "response.output_text.delta")
        last = stream.get_final_response()
    called = client.responses.create(model=model, input=QUESTION, tools=tools)
    call = next(item for item in called.output if item.type == "function_call")
    items: Any = [{"role": "user", "content": QUESTION}, *called.output]
    items += [{"type": "function_call_output", "call_id": call.call_id, "output": "21 degrees"}]
    after = client.responses.create(model=model, input=items, tools=tools)
    with client.responses.stream(model=model, input=QUESTION, tools=tools) as stream:
        final = stream.get_final_response()
    late = next(item for item in final.output if item.type == "function_call")
    try:
        client.responses.create(model="nobody/nothing", input=QUESTION)
    except openai.NotFoundError as problem:
        error = str(problem)
    return {
        "whole": whole.output_text,
        "stop": whole.status == "completed",
        "usage": [whole.usage.input_tokens, whole.usage.output_tokens],
        "stream": text,
        "stream_usage": [last.usage.input_tokens, last.usage.output_tokens],
        "call": [call.name, json.loads(call.arguments)],
        "after": after.output_text,
        "stream_call": [late.name, json.loads(late.arguments)],
        "error": "nobody/nothing" in error,
    }


def messages(address: str, key: str, model: str) -> dict[str, Any]:
    """Anthropic's library."""
    import anthropic

    client: Any = anthropic.Anthropic(base_url=address, api_key=key, max_retries=0)
    asked: Any = [{"role": "user", "content": QUESTION}]
    tools: Any = [{"name": "weather", "description": WHAT, "input_schema": SCHEMA}]
    common: Any = {"model": model, "max_tokens": 50}
    whole = client.messages.create(messages=asked, **common)
    with client.messages.stream(messages=asked, **common) as stream:
        text = "".join(stream.text_stream)
        last = stream.get_final_message()
    called = client.messages.create(messages=asked, tools=tools, **common)
    call = next(block for block in called.content if block.type == "tool_use")
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "21 degrees"}
    turns = [*asked, {"role": "assistant", "content": called.content}]
    turns += [{"role": "user", "content": [result]}]
    after = client.messages.create(messages=turns, tools=tools, **common)
    with client.messages.stream(messages=asked, tools=tools, **common) as stream:
        final = stream.get_final_message()
    late = next(block for block in final.content if block.type == "tool_use")
    try:
        client.messages.create(messages=asked, model="nobody/nothing", max_tokens=5)
    except anthropic.NotFoundError as problem:
        error = str(problem)
    return {
        "whole": whole.content[0].text,
        "stop": whole.stop_reason == "end_turn",
        "usage": [whole.usage.input_tokens, whole.usage.output_tokens],
        "stream": text,
        "stream_usage": [last.usage.input_tokens, last.usage.output_tokens],
        "call": [call.name, call.input],
        "after": after.content[0].text,
        "stream_call": [late.name, late.input],
        "error": "nobody/nothing" in error,
    }


def gemini(address: str, key: str, model: str) -> dict[str, Any]:
    """Google's library."""
    from google import genai
    from google.genai import errors, types

    client: Any = genai.Client(api_key=key, http_options=types.HttpOptions(base_url=address))
    declared: Any = {"name": "weather", "description": WHAT, "parameters_json_schema": SCHEMA}
    tools = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[declared])],
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    ask = client.models.generate_content
    whole = ask(model=model, contents=QUESTION)
    chunks = list(client.models.generate_content_stream(model=model, contents=QUESTION))
    called = ask(model=model, contents=QUESTION, config=tools)
    call = called.function_calls[0]
    answered = types.FunctionResponse(id=call.id, name="weather", response={"result": "21 degrees"})
    turns: Any = [
        types.Content(role="user", parts=[types.Part(text=QUESTION)]),
        called.candidates[0].content,
        types.Content(role="user", parts=[types.Part(function_response=answered)]),
    ]
    after = ask(model=model, contents=turns, config=tools)
    late = [
        found
        for chunk in client.models.generate_content_stream(
            model=model, contents=QUESTION, config=tools
        )
        for found in chunk.function_calls or []
    ]
    try:
        ask(model="nothing", contents=QUESTION)
    except errors.ClientError as problem:
        error = problem.code == 404
    used, last = whole.usage_metadata, chunks[-1].usage_metadata
    return {
        "whole": whole.text,
        "stop": whole.candidates[0].finish_reason == types.FinishReason.STOP,
        "usage": [used.prompt_token_count, used.candidates_token_count],
        "stream": "".join(chunk.text or "" for chunk in chunks),
        "stream_usage": [last.prompt_token_count, last.candidates_token_count],
        "call": [call.name, call.args],
        "after": after.text,
        "stream_call": [late[0].name, late[0].args],
        "error": error,
    }


def _amazon(address: str, key: str) -> Any:
    """Amazon's library. It sends a bearer key over TLS alone, so here it is a header."""
    import boto3
    from botocore import UNSIGNED
    from botocore.config import Config

    client: Any = boto3.client(
        "bedrock-runtime",
        endpoint_url=address,
        region_name="us-east-1",
        config=Config(retries={"max_attempts": 1}, signature_version=UNSIGNED),
    )

    def add(request: Any, **_: Any) -> None:
        request.headers["x-api-key"] = key

    client.meta.events.register("before-send.bedrock-runtime.*", add)
    return client


def converse(address: str, key: str, model: str) -> dict[str, Any]:
    """Amazon's library, Converse."""
    from botocore.exceptions import ClientError

    client = _amazon(address, key)
    asked = [{"role": "user", "content": [{"text": QUESTION}]}]
    spec = {"name": "weather", "description": WHAT, "inputSchema": {"json": SCHEMA}}
    tools = {"tools": [{"toolSpec": spec}]}
    whole = client.converse(modelId=model, messages=asked)
    events = list(client.converse_stream(modelId=model, messages=asked)["stream"])
    deltas = [e["contentBlockDelta"]["delta"] for e in events if "contentBlockDelta" in e]
    last = next(e["metadata"]["usage"] for e in events if "metadata" in e)
    called = client.converse(modelId=model, messages=asked, toolConfig=tools)
    content = called["output"]["message"]["content"]
    call = next(block["toolUse"] for block in content if "toolUse" in block)
    result = {"toolUseId": call["toolUseId"], "content": [{"text": "21 degrees"}]}
    turns = [*asked, called["output"]["message"]]
    turns += [{"role": "user", "content": [{"toolResult": result}]}]
    after = client.converse(modelId=model, messages=turns, toolConfig=tools)
    late = list(client.converse_stream(modelId=model, messages=asked, toolConfig=tools)["stream"])
    starts = [e["contentBlockStart"]["start"] for e in late if "contentBlockStart" in e]
    name = next(start["toolUse"]["name"] for start in starts if "toolUse" in start)
    inputs = [
        e["contentBlockDelta"]["delta"].get("toolUse") for e in late if "contentBlockDelta" in e
    ]
    arguments = json.loads("".join(piece["input"] for piece in inputs if piece))
    try:
        client.converse(modelId="nobody/nothing", messages=asked)
    except ClientError as problem:
        error = problem.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    used = whole["usage"]
    return {
        "whole": whole["output"]["message"]["content"][0]["text"],
        "stop": whole["stopReason"] == "end_turn",
        "usage": [used["inputTokens"], used["outputTokens"]],
        "stream": "".join(delta.get("text", "") for delta in deltas),
        "stream_usage": [last["inputTokens"], last["outputTokens"]],
        "call": [call["name"], call["input"]],
        "after": after["output"]["message"]["content"][0]["text"],
        "stream_call": [name, arguments],
        "error": error,
    }


def embeddings(address: str, key: str, model: str) -> dict[str, Any]:
    """OpenAI's library, embeddings: it asks for base64 unless told otherwise."""
    import openai

    client: Any = openai.OpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0)
    usual = client.embeddings.create(model=model, input=QUESTION)
    plain = client.embeddings.create(model=model, input=[QUESTION], encoding_format="float")
    try:
        client.embeddings.create(model="nobody/nothing", input=QUESTION)
    except openai.NotFoundError as problem:
        error = "nobody/nothing" in str(problem)
    return {
        "vectors": [usual.data[0].embedding, plain.data[0].embedding],
        "usage": usual.usage.prompt_tokens,
        "error": error,
    }


def gemini_embeddings(address: str, key: str, model: str) -> dict[str, Any]:
    """Google's library, embeddings."""
    from google import genai
    from google.genai import errors, types

    client: Any = genai.Client(api_key=key, http_options=types.HttpOptions(base_url=address))
    config = types.EmbedContentConfig(task_type="RETRIEVAL_DOCUMENT")
    usual = client.models.embed_content(model=model, contents=QUESTION)
    plain = client.models.embed_content(model=model, contents=[QUESTION], config=config)
    try:
        client.models.embed_content(model="nothing", contents=QUESTION)
    except errors.ClientError as problem:
        error = problem.code == 404
    return {
        "vectors": [usual.embeddings[0].values, plain.embeddings[0].values],
        "usage": usual.usage_metadata.prompt_token_count,
        "error": error,
    }


def counting(address: str, key: str, model: str) -> dict[str, Any]:
    """Anthropic's library, counts."""
    import anthropic

    client: Any = anthropic.Anthropic(base_url=address, api_key=key, max_retries=0)
    asked: Any = [{"role": "user", "content": QUESTION}]
    tools: Any = [{"name": "weather", "description": WHAT, "input_schema": SCHEMA}]
    count = client.messages.count_tokens(model=model, messages=asked, system="Be brief.")
    more = client.messages.count_tokens(model=model, messages=asked, tools=tools)
    return {"counts": [count.input_tokens, more.input_tokens]}


def responses_counting(address: str, key: str, model: str) -> dict[str, Any]:
    """OpenAI's library, counts."""
    import openai

    client: Any = openai.OpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0)
    tools: Any = [{"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}]
    ask = client.responses.input_tokens.count
    count = ask(model=model, input=QUESTION, instructions="Be brief.")
    more = ask(model=model, input=QUESTION, tools=tools)
    return {"counts": [count.input_tokens, more.input_tokens]}


def gemini_counting(address: str, key: str, model: str) -> dict[str, Any]:
    """Google's library, counts: of contents alone."""
    from google import genai
    from google.genai import types

    client: Any = genai.Client(api_key=key, http_options=types.HttpOptions(base_url=address))
    ask = client.models.count_tokens
    count = ask(model=model, contents=QUESTION)
    turns = [types.Content(role="user", parts=[types.Part(text=QUESTION)])]
    more = ask(model=model, contents=turns)
    return {"counts": [count.total_tokens, more.total_tokens]}


def converse_counting(address: str, key: str, model: str) -> dict[str, Any]:
    """Amazon's library, counts and embeddings."""

    client = _amazon(address, key)
    converse: Any = {"messages": [{"role": "user", "content": [{"text": QUESTION}]}]}
    count = client.count_tokens(modelId=model, input={"converse": converse})
    converse["system"] = [{"text": "Be brief."}]
    more = client.count_tokens(modelId=model, input={"converse": converse})
    return {"counts": [count["inputTokens"], more["inputTokens"]]}


def bedrock_embeddings(address: str, key: str, model: str) -> dict[str, Any]:
    """Amazon's library, embeddings in both forms."""
    from botocore.exceptions import ClientError

    client = _amazon(address, key)

    def invoke(model: str, **body: Any) -> Any:
        return json.loads(client.invoke_model(modelId=model, body=json.dumps(body))["body"].read())

    one = invoke(model, inputText=QUESTION)
    if "titan" in model:  # whose own provider takes no other form
        many = {"embeddings": [invoke(model, inputText=QUESTION)["embedding"]]}
    else:
        many = invoke(model, texts=[QUESTION], input_type="search_document")
    try:
        invoke("nobody/no-embeddings", inputText=QUESTION)
    except ClientError as problem:
        error = problem.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    return {
        "vectors": [one["embedding"], many["embeddings"][0]],
        "usage": one["inputTextTokenCount"],
        "error": error,
    }


if __name__ == "__main__":
    library, *where = sys.argv[1:]
    print(json.dumps(globals()[library](*where)))
