"""Golden cases in the shapes that the vendor documents; each is written back as it was read."""

from __future__ import annotations

from typing import Any

CACHE = {"type": "ephemeral"}
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
WEATHER: dict[str, Any] = {
    "name": "weather",
    "description": "The weather of a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}


def ask(*content: Any, **fields: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": list(content) or "Hi"}]
    return {"model": "m", "max_tokens": 9, "messages": messages, **fields}


REQUESTS: dict[str, dict[str, Any]] = {
    "plain": ask(),
    "sampling": ask(
        temperature=0.5, top_p=1, top_k=5, stop_sequences=["."], stream=False, service_tier="auto"
    ),
    # As a client of version 2026-10-21 says it: no sampling, documents on the user's side alone,
    # citations on the model's alone.
    "the newer version": {
        "model": "m",
        "max_tokens": 9,
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "high"},
        "messages": [
            {
                "role": "user",
                "content": [
                    {
                        "type": "document",
                        "source": {"type": "text", "media_type": "text/plain", "data": "4 is 1."},
                        "citations": {"enabled": True},
                    },
                    {"type": "text", "text": "What do four farthings make?"},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {
                        "type": "text",
                        "text": "A penny.",
                        "citations": [
                            {
                                "type": "char_location",
                                "cited_text": "4 is 1.",
                                "document_index": 0,
                                "document_title": None,
                                "start_char_index": 0,
                                "end_char_index": 7,
                            }
                        ],
                    }
                ],
            },
            {"role": "user", "content": "And eight?"},
        ],
    },
    "system string": ask(system="Be brief."),
    "system blocks": ask(
        system=[
            {"type": "text", "text": "Be brief."},
            {"type": "text", "text": "Long.", "cache_control": {**CACHE, "ttl": "1h"}},
        ]
    ),
    "empty": {"system": [], "messages": [], "tools": [], "stop_sequences": [], "mcp_servers": []},
    "nulls": ask(system=None, tools=None, tool_choice=None, thinking=None, temperature=None),
    "wrong types": {"model": 1, "messages": "x", "tools": [1], "stream": "yes", "thinking": []},
    "empty words": ask(model="", system="", metadata={"user_id": ""}, tool_choice={"type": ""}),
    "media": ask(
        {"type": "image", "source": PNG, "cache_control": CACHE},
        {"type": "image", "source": {"type": "url", "url": "https://a/b.png"}},
        {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
        {"type": "image", "source": {"type": "hologram", "data": "x"}},
        {"type": "image", "source": None},
    ),
    "documents": ask(
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
            "title": "Report",
            "context": "Of last year.",
            "citations": {"enabled": True},
        },
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "Words."},
            "title": None,
        },
        {"type": "document", "source": {"type": "content", "content": "Words."}},
        {
            "type": "document",
            "source": {"type": "content", "content": [{"type": "text", "text": "Words."}]},
        },
        {
            "type": "document",
            "source": {"type": "content", "content": [{"type": "image", "source": PNG}]},
        },
        {"type": "container_upload", "file_id": "file_1"},
    ),
    "tool loop": {
        "model": "m",
        "max_tokens": 9,
        "tools": [
            {**WEATHER, "strict": True, "cache_control": CACHE, "defer_loading": True},
            {**WEATHER, "type": "custom", "description": ""},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
        ],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": False},
        "messages": [
            {"role": "user", "content": "Weather?"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
                    {"type": "redacted_thinking", "data": "c2VjcmV0"},
                    {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Ö"}},
                    {
                        "type": "tool_use",
                        "id": "t2",
                        "name": "weather",
                        "input": {},
                        "caller": {"type": "direct"},
                    },
                    {"type": "tool_use", "id": "t3", "name": "weather"},
                    {"type": "tool_use", "id": "t4", "name": "weather", "input": "x"},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": "Rain."},
                    {"type": "tool_result", "tool_use_id": "t2", "is_error": False},
                    {
                        "type": "tool_result",
                        "tool_use_id": "t3",
                        "is_error": True,
                        "cache_control": CACHE,
                        "content": [
                            {"type": "text", "text": "No."},
                            {"type": "image", "source": PNG},
                            {"type": "tool_reference", "tool_name": "x"},
                        ],
                    },
                    {"type": "tool_result", "tool_use_id": "t4", "content": []},
                    {"type": "text", "text": "Well?"},
                ],
            },
        ],
    },
    "tool choices": ask(tool_choice={"type": "tool", "name": "weather"}, tools=[WEATHER]),
    "must call": ask(tool_choice={"type": "any", "disable_parallel_tool_use": True}),
    "may not call": ask(tool_choice={"type": "none", "name": "odd"}),
    "servers of tools": ask(
        mcp_servers=[{"type": "url", "url": "https://a", "name": "a"}],
        container={"id": "c", "skills": []},
        context_management={"edits": [{"type": "clear_tool_uses_20250919"}]},
    ),
    "thinking with a budget": ask(
        thinking={"type": "enabled", "budget_tokens": 2048, "display": "summarized", "new": 1}
    ),
    "thinking off": ask(thinking={"type": "disabled"}),
    "thinking as it takes": ask(
        thinking={"type": "adaptive"},
        output_config={
            "effort": "high",
            "format": {"type": "json_schema", "schema": {"type": "object"}, "new": None},
            "task_budget": {"total": 5},
        },
    ),
    "unknown thinking": ask(thinking={"type": "deep"}, output_config={}),
    "older structured output": ask(
        output_format={"type": "json_schema", "schema": {"type": "object"}}
    ),
    "both structured outputs": ask(
        output_format={"type": "json_schema", "schema": {"type": "object"}},
        output_config={"format": {"type": "json_schema", "schema": {"type": "array"}}},
    ),
    "user": ask(metadata={"user_id": "u1", "team": "x"}),
    "system in place": {
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "system", "content": "In Spanish.", "clear_at": "never"},
            {"role": "narrator", "content": None},
            {"content": [{"text": "no type"}, {"type": ["odd"]}, {"type": "text", "text": 1}]},
        ]
    },
    "cited": ask(
        {
            "type": "search_result",
            "source": "https://a",
            "title": "A",
            "content": [{"type": "text", "text": "Words."}],
        },
        {"type": "text", "text": "So.", "citations": []},
        {"type": "text", "text": "So.", "citations": None, "cache_control": None},
    ),
}

USAGE = {
    "input_tokens": 10,
    "cache_creation_input_tokens": 5,
    "cache_read_input_tokens": 7,
    "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 3},
    "output_tokens": 20,
    "output_tokens_details": {"thinking_tokens": 4},
    "service_tier": "standard",
}


def told(*content: Any, **fields: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m-1",
        "content": list(content),
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": USAGE,
        **fields,
    }


CITATIONS: list[dict[str, Any]] = [
    {
        "type": "web_search_result_location",
        "url": "https://a",
        "title": "A",
        "cited_text": "Words.",
        "encrypted_index": "eA==",
    },
    {
        "type": "char_location",
        "cited_text": "Words.",
        "document_index": 0,
        "document_title": "D",
        "start_char_index": 0,
        "end_char_index": 6,
        "file_id": None,
    },
    {
        "type": "search_result_location",
        "source": "https://a",
        "title": None,
        "cited_text": "Words.",
        "search_result_index": 0,
        "start_block_index": 0,
        "end_block_index": 1,
    },
    {"type": "page_location", "title": "odd", "document_title": "D"},
    {},
]

ANSWERS: dict[str, dict[str, Any]] = {
    "text": told({"type": "text", "text": "Hello."}),
    "cited": told({"type": "text", "text": "So.", "citations": CITATIONS}),
    "stopped": told(stop_reason="stop_sequence", stop_sequence="###"),
    "refused": told(stop_reason="refusal", stop_details={"type": "refusal", "category": "cyber"}),
    "new reason": told(stop_reason="compaction", container={"id": "c"}),
    "calls": told(
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Ö"}},
        stop_reason="tool_use",
    ),
    "provider's tools": told(
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "a"}},
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
        stop_reason="pause_turn",
    ),
    "bare": {"content": None, "usage": None, "stop_reason": None, "type": "other"},
    "nothing": {},
}


def delta(index: int, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": fields}


def start(index: Any, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def stop(index: Any) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def message_delta(reason: str | None, **fields: Any) -> dict[str, Any]:
    ended = {"stop_reason": reason, "stop_sequence": None}
    return {"type": "message_delta", "delta": ended, "usage": {"output_tokens": 20}, **fields}


BEGIN = {
    "type": "message_start",
    "message": told(stop_reason=None, usage={"input_tokens": 10, "output_tokens": 1}),
}
STOP = {"type": "message_stop"}

STREAMS: dict[str, list[Any]] = {
    "text": [
        BEGIN,
        start(0, type="text", text=""),
        {"type": "ping"},
        delta(0, type="text_delta", text="Hel"),
        delta(0, type="text_delta", text=""),
        delta(0, type="citations_delta", citation=CITATIONS[0]),
        stop(0),
        message_delta("end_turn", context_management=None),
        STOP,
    ],
    "calls": [
        BEGIN,
        start(0, type="thinking", thinking="", signature=""),
        delta(0, type="thinking_delta", thinking="Hm.", estimated_tokens=3),
        delta(0, type="signature_delta", signature="c2ln"),
        stop(0),
        start(1, type="redacted_thinking", data="c2VjcmV0"),
        stop(1),
        start(2, type="tool_use", id="t1", name="weather", input={}),
        delta(2, type="input_json_delta", partial_json='{"city":'),
        delta(2, type="input_json_delta", partial_json='"Ö"}'),
        stop(2),
        start(3, type="tool_use", id="t2", name="weather", input={"city": "Ä"}),
        stop(3),
        message_delta("tool_use"),
        STOP,
    ],
    "provider's tools": [
        BEGIN,
        start(0, type="server_tool_use", id="s1", name="web_search", input={}),
        delta(0, type="input_json_delta", partial_json='{"query":'),
        stop(0),
        message_delta(None),
        {
            "type": "message_delta",
            "delta": {"stop_reason": "pause_turn", "container": {"id": "c"}, "stop_details": None},
        },
        {**STOP, "amazon-bedrock-invocationMetrics": {"inputTokenCount": 10}},
        "[DONE]",
    ],
    "side by side": [
        BEGIN,
        start(0, type="tool_use", id="t1", name="weather", input={}),
        start(1, type="tool_use", id="t2", name="weather", input={}),
        stop(1),
        delta(0, type="input_json_delta", partial_json="{}"),
        stop(0),
        message_delta("tool_use"),
        STOP,
    ],
    "broken off": [
        BEGIN,
        start(0, type="text", text="Hel"),
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    ],
    "out of order": [
        delta(0, type="text_delta", text="x"),
        start(0, type="text", text=""),
        BEGIN,
        BEGIN,
        start(5, type="text", text=""),
        start(5, type="text", text=""),
        start("a", type="text", text=""),
        delta(5, type="thinking_delta", thinking="x"),
        delta(5, type="text_delta", text=1),
        delta(5, type="text_delta", text="x"),
        stop(5),
        stop(5),
        message_delta("end_turn"),
        message_delta("end_turn"),
        {"type": 5},
        {"type": "error"},
        [],
        None,
        STOP,
    ],
}

PROBLEMS: dict[str, tuple[int, Any]] = {
    "documented": (
        429,
        {
            "type": "error",
            "error": {"type": "rate_limit_error", "message": "Slower."},
            "request_id": "req_1",
        },
    ),
    "with more": (
        400,
        {"error": {"type": "invalid_request_error", "message": "No.", "code": "x", "details": {}}},
    ),
    "flat": (403, {"message": "No access."}),
    "a cloud's": (404, {"error": {"code": 404, "message": "No model.", "status": "NOT_FOUND"}}),
    "unknown": (500, {"detail": ["x"]}),
    "nothing": (502, {}),
}
