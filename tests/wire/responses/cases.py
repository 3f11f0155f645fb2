"""Golden cases: what this dialect's clients and servers write, small and made up."""

from __future__ import annotations

from typing import Any

JSON = dict[str, Any]

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = {"type": "function", "name": "weather", "description": "Tells.", "parameters": SCHEMA}

REQUESTS: dict[str, JSON] = {
    "string": {"model": "m", "input": "Hello"},
    "empty string": {"model": "m", "input": ""},
    "empty list": {"model": "m", "input": []},
    "no input": {"model": "m"},
    "nothing": {},
    "instructions": {"model": "m", "instructions": "Be brief.", "input": "Hello", "stream": False},
    "messages": {
        "model": "m",
        "input": [
            {"role": "system", "content": "Be brief."},
            {"type": "message", "role": "developer", "content": "Be kind.", "status": None},
            {"role": "user", "content": [{"type": "input_text", "text": "Hello"}]},
            {"role": "assistant", "content": "Hi"},
            {"role": "assistant", "content": ""},
            {"role": "user", "content": []},
            {"role": "user"},
        ],
    },
    "media": {
        "model": "m",
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_image", "image_url": "https://h/a.png", "detail": "low"},
                    {"type": "input_image", "image_url": "data:image/png;base64,iVBO"},
                    {"type": "input_image", "image_url": None, "file_id": "file-1"},
                    {
                        "type": "input_file",
                        "file_data": "data:application/pdf;base64,JVBE",
                        "filename": "a.pdf",
                    },
                    {"type": "input_file", "file_data": "JVBE", "filename": "a.pdf"},
                    {"type": "input_file", "file_data": "data:text/plain;base64,SGVsbG8="},
                    {"type": "input_file", "file_data": "data:text/plain;base64,SGVsbG9=="},
                    {"type": "input_file", "file_url": "https://h/a.pdf"},
                    {"type": "input_file", "file_id": "file-2", "detail": "high"},
                    {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
                    {"type": "input_audio", "input_audio": {"data": "UklG", "format": "odd"}},
                    {
                        "type": "input_text",
                        "text": "Look.",
                        "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"},
                    },
                ],
            }
        ],
    },
    "tool loop": {
        "model": "m",
        "input": [
            {"role": "user", "content": "Weather in Rome and Oslo?"},
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [
                    {"type": "summary_text", "text": "First."},
                    {"type": "summary_text", "text": "Then."},
                ],
                "encrypted_content": "gAAA",
            },
            {
                "type": "message",
                "role": "assistant",
                "id": "msg_1",
                "status": "completed",
                "phase": "commentary",
                "content": [{"type": "output_text", "text": "Wait.", "annotations": []}],
            },
            {
                "type": "function_call",
                "call_id": "c1",
                "name": "weather",
                "id": "fc_1",
                "arguments": '{"city": "Rome"}',
                "status": "completed",
            },
            {"type": "function_call", "call_id": "c2", "name": "weather", "arguments": ""},
            {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
            {
                "type": "function_call_output",
                "call_id": "c2",
                "status": None,
                "output": [
                    {"type": "input_text", "text": "snow"},
                    {"type": "input_image", "image_url": "https://h/snow.png"},
                ],
            },
            {"type": "custom_tool_call", "call_id": "c3", "name": "sql", "input": "SELECT 1"},
            {"type": "custom_tool_call_output", "call_id": "c3", "output": ""},
            {"type": "item_reference", "id": "msg_0"},
            {"type": "web_search_call", "id": "ws_1", "status": "completed"},
            {"type": "mcp_approval_response", "approval_request_id": "a", "approve": True},
            {
                "type": "reasoning",
                "summary": [],
                "content": [{"type": "reasoning_text", "text": "Hm."}],
            },
        ],
        "tools": [
            WEATHER,
            {"type": "function", "name": "other", "parameters": None, "strict": None},
            {"type": "custom", "name": "sql", "format": {"type": "text"}},
            {"type": "web_search", "search_context_size": "low"},
        ],
        "tool_choice": {"type": "function", "name": "weather"},
        "parallel_tool_calls": False,
    },
    "settings": {
        "model": "m",
        "input": "Hello",
        "stream": True,
        "text": {
            "format": {
                "type": "json_schema",
                "name": "city",
                "schema": SCHEMA,
                "strict": True,
                "description": None,
            },
            "verbosity": "low",
        },
        "reasoning": {"effort": "high", "summary": "auto"},
        "max_output_tokens": 100,
        "temperature": 0,
        "top_p": 0.5,
        "top_logprobs": 3,
        "include": ["message.output_text.logprobs"],
        "store": False,
        "background": False,
        "truncation": "auto",
        "metadata": {"team": "a"},
        "user": "u1",
        "safety_identifier": "s1",
        "service_tier": "flex",
        "prompt_cache_key": "k",
    },
    "state": {
        "model": "m",
        "input": "And now?",
        "previous_response_id": "resp_1",
        "prompt": {"id": "pmpt_1"},
        "conversation": None,
        "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": []},
    },
    "odd": {
        "model": 3,
        "input": [1],
        "instructions": None,
        "tools": ["x"],
        "tool_choice": "maybe",
        "text": {"format": {"type": "grammar"}},
        "reasoning": [],
        "stream": 1,
        "temperature": "hot",
        "metadata": {"a": 1},
        "future": {"deep": [None]},
    },
}

MESSAGE = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Sunny.", "annotations": [], "logprobs": []}],
}
CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "c1",
    "name": "weather",
    "arguments": '{"city": "Rome"}',
    "status": "completed",
}
THOUGHT = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "Hm."}],
    "encrypted_content": "gAAA",
}
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
REFUSAL = {**MESSAGE, "content": [{"type": "refusal", "refusal": "No."}]}
USAGE = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 15,
}

LINK = {"type": "url_citation", "url": "https://h", "title": "H", "start_index": 0, "end_index": 6}
FILE = {"type": "file_citation", "file_id": "file-1", "filename": "a.pdf", "index": 3}
LOGPROB = {
    "token": "S",
    "logprob": -0.5,
    "bytes": [83],
    "top_logprobs": [{"token": "R", "logprob": -1, "bytes": None}],
}


def response(*output: JSON, **fields: Any) -> JSON:
    """Return a whole answer."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1700000000,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "model": "m",
        "output": list(output),
        "tools": [WEATHER],
        "usage": USAGE,
        **fields,
    }


RESPONSES: dict[str, JSON] = {
    "text": response(MESSAGE),
    "tools": response(THOUGHT, MESSAGE, CALL, SEARCH),
    "refusal": response(REFUSAL),
    "cut": response(
        MESSAGE, status="incomplete", incomplete_details={"reason": "max_output_tokens"}
    ),
    "filtered": response(
        status="incomplete", incomplete_details={"reason": "content_filter", "more": 1}
    ),
    "failed": response(status="failed", error={"code": "server_error", "message": "Oh."}),
    "queued": response(status="queued", usage=None),
    "citations": response(
        {
            **MESSAGE,
            "content": [
                {
                    "type": "output_text",
                    "text": "Sunny.",
                    "annotations": [LINK, FILE],
                    "logprobs": [LOGPROB, {**LOGPROB, "top_logprobs": []}],
                },
                {"type": "output_text", "text": "Yes.", "annotations": [], "logprobs": [LOGPROB]},
            ],
        },
        created_at=1700000000.5,
    ),
    "odd": {"id": 1, "output": "x", "status": 7, "usage": 3, "error": "x"},
    "nothing": {},
}

PROBLEMS: dict[str, tuple[int, JSON]] = {
    "usual": (429, {"error": {"message": "Slow down.", "type": "rate_limit_error",
                              "param": None, "code": "rate_limit_exceeded"}}),
    "param": (400, {"error": {"message": "No.", "type": "invalid_request_error",
                              "param": "input", "code": None, "more": 1}, "request_id": "r"}),
    "detail": (401, {"detail": "Sign in."}),
    "flat": (400, {"code": "invalid-argument", "error": "No such model"}),
    "silent": (500, {"error": {"message": None}}),
    "odd": (500, {"error": None, "x": [1]}),
}  # fmt: skip


def _event(kind: str, **fields: Any) -> JSON:
    return {"type": f"response.{kind}", **fields}


def numbered(*events: JSON) -> list[JSON]:
    """Return events with their numbers."""
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


RUNNING = response(status="in_progress", usage=None)
BLANK = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
TEXT = {"item_id": "msg_1", "output_index": 1, "content_index": 0}
ARGUMENTS = {"item_id": "fc_1", "output_index": 2}
SUMMARY = {"item_id": "rs_1", "output_index": 0, "summary_index": 0}

STREAM = numbered(
    _event("created", response=RUNNING),
    _event("in_progress", response=RUNNING),
    _event("output_item.added", output_index=0, item={**THOUGHT, "summary": []}),
    _event("reasoning_summary_part.added", **SUMMARY, part={"type": "summary_text", "text": ""}),
    _event("reasoning_summary_text.delta", **SUMMARY, delta="Hm", obfuscation="x"),
    _event("reasoning_summary_text.delta", **SUMMARY, delta="."),
    _event("reasoning_summary_text.done", **SUMMARY, text="Hm."),
    _event("reasoning_summary_part.done", **SUMMARY, part={"type": "summary_text", "text": "Hm."}),
    _event("output_item.done", output_index=0, item=THOUGHT),
    _event("output_item.added", output_index=1, item={**MESSAGE, "content": []}),
    _event("content_part.added", **TEXT, part=BLANK),
    _event("output_text.delta", **TEXT, delta="Sun", logprobs=[]),
    _event("output_text.delta", **TEXT, delta="ny.", logprobs=[LOGPROB]),
    _event("output_text.annotation.added", **TEXT, annotation_index=0, annotation=LINK),
    _event("output_text.done", **TEXT, text="Sunny.", logprobs=[]),
    _event("content_part.done", **TEXT, part=MESSAGE["content"][0]),
    _event("output_item.done", output_index=1, item=MESSAGE),
    _event("output_item.added", output_index=2, item={**CALL, "arguments": ""}),
    _event("function_call_arguments.delta", **ARGUMENTS, delta='{"city": '),
    _event("function_call_arguments.delta", **ARGUMENTS, delta='"Rome"}'),
    _event("function_call_arguments.done", **ARGUMENTS, arguments='{"city": "Rome"}'),
    _event("output_item.done", output_index=2, item=CALL),
    _event("output_item.added", output_index=3, item={**SEARCH, "status": "in_progress"}),
    _event("web_search_call.searching", item_id="ws_1", output_index=3),
    _event("output_item.done", output_index=3, item=SEARCH),
    _event("completed", response=RESPONSES["tools"]),
)

STREAMS: dict[str, list[Any]] = {
    "full": STREAM,
    "unnumbered": [{k: v for k, v in e.items() if k != "sequence_number"} for e in STREAM],
    "whole items only": [STREAM[0], STREAM[8], STREAM[16], STREAM[21], STREAM[25]],
    "whole answer only": [STREAM[0], STREAM[25]],
    "nothing begun": STREAM[3:],
    "refused": numbered(
        _event("created", response=RUNNING),
        _event("content_part.added", **TEXT, part={"type": "refusal", "refusal": ""}),
        _event("refusal.delta", **TEXT, delta="No."),
        _event("refusal.done", **TEXT, refusal="No."),
        _event("incomplete", response=RESPONSES["cut"]),
    ),
    "failed": [STREAM[0], *STREAM[9:13], _event("failed", response=RESPONSES["failed"])],
    "error": [STREAM[0], {"type": "error", "code": "c", "message": "Oh.", "param": None}, "[DONE]"],
    "odd": [{"type": 3}, "text", [1], {}, {"type": "response.output_text.delta", "delta": 1}],
}
