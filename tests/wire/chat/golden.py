"""Golden cases: requests, answers, streams and errors as vendors of this dialect spell them."""

from __future__ import annotations

from typing import Any

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        "strict": True,
    },
}


def call(name: str, arguments: str, ident: str = "call_1", **more: object) -> dict[str, Any]:
    told = {"name": name, "arguments": arguments}
    return {"id": ident, "type": "function", "function": told, **more}


def user(*parts: object) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(parts)}]}


REQUESTS: dict[str, dict[str, Any]] = {
    "text": {"model": "m", "messages": [{"role": "user", "content": "Hello"}]},
    "nothing": {},
    "no messages": {"messages": []},
    "messages that are none": {"messages": ["Hello", 1]},
    "an unknown role": {"messages": [{"role": "critic", "content": "No."}, {"content": "?"}]},
    "settings": {
        "model": "m",
        "messages": [],
        "max_tokens": 5,
        "max_completion_tokens": 9,
        "temperature": 0,
        "top_p": 0.5,
        "top_k": 4,
        "stop": ["a", "b"],
        "n": 2,
        "seed": 7,
        "frequency_penalty": 0.5,
        "presence_penalty": -1,
        "logprobs": True,
        "top_logprobs": 0,
        "user": "u",
        "metadata": {"a": "b"},
        "service_tier": "flex",
        "stream": True,
        "stream_options": {"include_usage": True},
        "parallel_tool_calls": False,
    },
    "settings that say nothing": {
        "messages": [],
        "stream": False,
        "stop": None,
        "logprobs": False,
        "tools": [],
        "n": None,
        "temperature": "hot",
        "seed": True,
        "metadata": {"a": 1},
        "user": "",
        "stream_options": {"include_usage": False},
    },
    "one stop": {"messages": [], "stop": "x", "random_seed": 3, "logprobs": True},
    "a tool loop": {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Weather?", "name": "ann"},
            {"role": "assistant", "content": None, "tool_calls": [call("weather", "{}", index=0)]},
            {"role": "tool", "tool_call_id": "call_1", "content": "Rain"},
            {"role": "assistant", "content": "", "tool_calls": [], "refusal": None},
            {"role": "tool", "content": [{"type": "text", "text": "x"}], "name": "weather"},
        ],
        "tools": [WEATHER, {"type": "web_search"}, {"function": {"name": "bare"}}],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
    },
    "the older spelling": {
        "messages": [
            {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "1"},
        ],
        "functions": [{"name": "f", "description": "", "parameters": {}}, {"name": ""}],
        "function_call": {"name": "f"},
    },
    "custom tools": {
        "messages": [
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "c", "type": "custom", "custom": {"name": "sql", "input": "select 1"}},
                    {"id": "d", "type": "other"},
                ],
            }
        ],
        "tools": [{"type": "custom", "custom": {"name": "sql", "format": {"type": "text"}}}],
        "tool_choice": "any",
    },
    "media": user(
        {"type": "text", "text": "Look", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"type": "image_url", "image_url": {"url": "https://e.x/a.png", "detail": "low"}},
        {"type": "image_url", "image_url": "data:image/png;base64,AAAA"},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mpeg"}},
        {"type": "input_audio", "input_audio": "AAAA"},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA", "filename": "f"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "file", "file": {"file_data": "AA"}},
        {"type": "video_url", "video_url": {"url": "https://e.x/a.mp4"}},
        {"type": "document_url", "document_url": "https://e.x/a.pdf", "document_name": "a"},
        {"type": "image_url", "image_url": {"uri": "x"}},
        {"type": "text", "text": 5},
        {"type": ["odd"]},
    ),
    "marks": {
        "messages": [
            {"role": "system", "content": "S", "cache_control": {"type": "ephemeral"}},
            {"role": "user", "content": "U", "cache_control": {"type": "other", "x": 1}},
            {"role": "user", "content": [], "cache_control": {"type": "ephemeral"}},
        ]
    },
    "reasoning": {
        "messages": [
            {"role": "assistant", "content": "a", "reasoning": "hm", "reasoning_content": "hm"},
            {"role": "assistant", "content": "a", "reasoning": "hm", "reasoning_content": "ha"},
            {
                "role": "assistant",
                "content": "a",
                "reasoning": "one two",
                "reasoning_details": [
                    {"type": "reasoning.text", "text": "one ", "signature": "S", "index": 0},
                    {"type": "reasoning.summary", "summary": "two", "format": "f", "id": "r"},
                    {"type": "reasoning.encrypted", "data": "E", "id": None},
                    {"type": "reasoning.text", "text": "", "signature": ""},
                ],
            },
            {"role": "assistant", "reasoning_details": [{"type": "new"}], "reasoning": "x"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                    {"type": "thinking", "thinking": [{"type": "text", "text": "a", "b": 1}] * 2},
                    {"type": "thinking", "thinking": "hm", "signature": "S", "closed": True},
                    {"type": "refusal", "refusal": "No"},
                ],
                "refusal": "No!",
                "audio": {"id": "audio_1"},
            },
        ],
        "reasoning": {"effort": "low", "max_tokens": 9, "enabled": True, "exclude": False},
        "thinking": {"type": "enabled"},
    },
    "effort": {"messages": [], "reasoning_effort": "none"},
    "switched": {
        "messages": [],
        "thinking": {"type": "disabled", "clear_thinking": False},
        "reasoning_effort": "high",
    },
    "flagged": {"messages": [], "enable_thinking": True, "thinking_budget": 5},
    "a schema": {
        "messages": [],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "a", "description": "d", "schema": {}, "strict": False},
        },
    },
    "JSON": {"messages": [], "response_format": {"type": "json_object", "schema": {}}},
    "plain text": {"messages": [], "response_format": {"type": "text"}},
    "a grammar": {"messages": [], "response_format": {"type": "grammar", "grammar": "x"}},
}

USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 5,
    "total_tokens": 15,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 2},
    "cost": 0.5,
}


def answer(*choices: object, **more: object) -> dict[str, Any]:
    told = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m"}
    return {**told, "choices": list(choices), "usage": USAGE, **more}


def choice(message: object, stop: object = "stop", **more: object) -> dict[str, Any]:
    return {"index": 0, "message": message, "finish_reason": stop, **more}


NOTE = {"type": "url_citation", "url_citation": {"url": "https://e.x", "start_index": 0}}
TOKEN = {"token": "a", "logprob": -0.5, "bytes": [97]}

ANSWERS: dict[str, dict[str, Any]] = {
    "text": answer(choice({"role": "assistant", "content": "Hi", "refusal": None})),
    "a refusal": answer(choice({"role": "assistant", "content": None, "refusal": "No."})),
    "calls": answer(
        choice({"role": "assistant", "content": "", "tool_calls": [call("f", "{}")]}, "tool_calls")
    ),
    "two": answer(
        choice({"content": "a"}), choice({"role": "model", "content": "b"}, "new") | {"index": 1}
    ),
    "citations": answer(
        choice({"role": "assistant", "content": "Hi", "annotations": [NOTE, NOTE]}),
        choice({"role": "assistant", "content": "Hi", "annotations": [NOTE, {"type": "file"}]}),
        choice({"role": "assistant", "content": None, "annotations": [NOTE]}),
    ),
    "log-probabilities": answer(
        choice(
            {"role": "assistant", "content": "a"},
            logprobs={"content": [TOKEN | {"top_logprobs": [TOKEN]}, TOKEN], "refusal": None},
        ),
        choice({"role": "assistant"}, logprobs={"content": [{"token": 1}]}),
        choice({"role": "assistant"}, logprobs=None),
        choice({"role": "assistant"}, logprobs={}),
    ),
    "sound": answer(
        choice(
            {
                "role": "assistant",
                "content": None,
                "audio": {"id": "audio_1", "data": "AA", "transcript": "Hi", "expires_at": 5},
            }
        )
    ),
    "content of other types": answer(
        choice({"role": "assistant", "content": {"a": 1}, "function_call": {"name": ""}}, None),
        choice({"role": "assistant", "content": []}, ""),
    ),
    "no choices": {"id": "", "object": "list", "choices": [{"text": "a"}], "usage": None},
    "nothing": {},
}


def chunk(*choices: object, **more: object) -> dict[str, Any]:
    told = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return {**told, "choices": list(choices), **more}


def delta(_index: int = 0, _stop: object = None, **told: object) -> dict[str, Any]:
    return {"index": _index, "delta": told, "finish_reason": _stop, "logprobs": None}


def piece(index: object, name: object = None, arguments: str = "", **more: object) -> Any:
    function = {"arguments": arguments} | ({"name": name} if name is not None else {})
    return {"index": index, "function": function, **more}


STREAMS: dict[str, list[Any]] = {
    "text": [
        chunk(prompt_filter_results=[]),
        chunk(delta(role="assistant", content="")),
        chunk(delta(content="Hel"), obfuscation="x"),
        chunk(delta(content="lo")),
        chunk(delta(content="!")),
        chunk(delta(_stop="stop")),
        chunk(usage=USAGE),
        "[DONE]",
    ],
    "two answers": [
        chunk(delta(content="a"), delta(1, content="b")),
        chunk(delta(1, content="c"), usage=USAGE),
        chunk(delta(1, "length", refusal="no"), usage=USAGE),
        chunk(delta(0, "stop"), usage=USAGE),
        "[DONE]",
    ],
    "parallel calls": [
        chunk(delta(content="Well")),
        chunk(delta(tool_calls=[piece(0, "f", id="c0"), piece(1, "g", id="c1")])),
        chunk(delta(tool_calls=[piece(1, None, '{"b"')])),
        chunk(delta(tool_calls=[piece(0, None, '{"a":1}')])),
        chunk(delta(tool_calls=[piece(1, None, ":2}")])),
        chunk(delta(_stop="tool_calls")),
        "[DONE]",
    ],
    "calls one by one, each ended": [
        chunk(delta(_stop="tool_calls", tool_calls=[piece(0, "f", "{}", id="c0")])),
        chunk(delta(_stop="tool_calls", tool_calls=[piece(0, "g", "{}", id="c1")])),
        chunk(),
        "[DONE]",
    ],
    "reasoning": [
        chunk(delta(reasoning_content="h", reasoning=None)),
        chunk(delta(content="x")),
        chunk(
            delta(
                reasoning="mm",
                reasoning_details=[{"type": "reasoning.text", "text": "mm", "index": 0}],
            )
        ),
        chunk(delta(reasoning_details=[{"type": "reasoning.text", "signature": "S", "index": 0}])),
        chunk(delta(reasoning_details=[{"type": "reasoning.encrypted", "data": "E"}])),
        chunk(delta(content=[{"type": "thinking", "thinking": [{"text": "a"}, {"text": "b"}]}])),
        chunk(delta(content=[{"type": "text", "text": "y"}, {"type": "reference"}, 1])),
        chunk(delta(audio={"transcript": "z", "data": "AA"}, annotations=[NOTE, 1])),
        "[DONE]",
    ],
    "odd": [
        5,
        None,
        "words",
        chunk(),
        {"choices": [1, {"index": "x"}, {"index": 0}, {"delta": {"content": 5}}]},
        chunk(delta(function_call={"name": "f", "arguments": "{"})),
        chunk(delta(function_call={"arguments": "}"})),
        chunk(delta(tool_calls=[{"function": {"arguments": "x"}}, 1, {}])),
        chunk(delta(tool_calls=[{"id": "q", "custom": {"name": "s", "input": "y"}}])),
        {"error": {"message": "Over", "code": 429}},
        chunk(delta(content="late")),
        "[DONE]",
        chunk(delta(content="later")),
    ],
}

PROBLEMS: dict[str, Any] = {
    "the vendor's": {
        "error": {"message": "No", "type": "invalid_request_error", "param": None, "code": "c"}
    },
    "a number as code": {"error": {"message": "No", "code": 429, "metadata": {}}, "user_id": "u"},
    "text": {"error": "No"},
    "detail": {"detail": "No"},
    "details": {"detail": [{"msg": "No"}]},
    "flat": {"object": "error", "message": "No", "type": "t", "code": None},
    "an array": [{"error": {"message": "No"}}],
    "words": "No",
    "nothing": None,
}
