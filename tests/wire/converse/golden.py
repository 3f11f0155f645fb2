"""Cases of this dialect's shapes, as its documentation gives them."""

from __future__ import annotations

from typing import Any

PNG = "iVBORw0KGgoAAAANSUhEUg=="

# `block`: all that a message's content may hold.
BLOCKS: dict[str, dict[str, Any]] = {
    "text": {"text": "Hello"},
    "empty text": {"text": ""},
    "image": {"image": {"format": "png", "source": {"bytes": PNG}}},
    "image in a bucket": {
        "image": {
            "format": "jpeg",
            "source": {"s3Location": {"uri": "s3://shelf/cat.jpg", "bucketOwner": "111122223333"}},
        }
    },
    "image of a new format": {"image": {"format": "avif", "source": {"bytes": "AAAA"}}},
    "document": {"document": {"format": "pdf", "name": "Deed 1", "source": {"bytes": "JVBERi0x"}}},
    "document as text": {
        "document": {
            "format": "txt",
            "name": "Note",
            "source": {"text": "Milk\nand eggs"},
            "context": "A shopping list",
            "citations": {"enabled": True},
        }
    },
    "document in pieces": {
        "document": {
            "format": "txt",
            "name": "Rules",
            "source": {"content": [{"text": "Be kind."}, {"text": ""}, {"text": "Be brief."}]},
        }
    },
    "another format as text": {
        "document": {"format": "md", "name": "Page", "source": {"text": "# Übersicht"}}
    },
    "another format in pieces": {
        "document": {
            "format": "html",
            "name": "Page",
            "source": {"content": [{"text": "<p>"}, {"text": "</p>"}]},
        }
    },
    "video": {"video": {"format": "mpg", "source": {"s3Location": {"uri": "s3://shelf/a.mpg"}}}},
    "audio": {"audio": {"format": "wav", "source": {"bytes": "UklGRg=="}}},
    "tool use": {
        "toolUse": {"toolUseId": "tooluse_1", "name": "weather", "input": {"city": "Łódź"}}
    },
    "tool use of no object": {"toolUse": {"toolUseId": "t", "name": "echo", "input": ["a", 1]}},
    "tool use without input": {"toolUse": {"toolUseId": "t", "name": "now", "type": "tool_use"}},
    "tool result": {
        "toolResult": {"toolUseId": "tooluse_1", "content": [{"text": "7 °C"}], "status": "success"}
    },
    "tool result of all kinds": {
        "toolResult": {
            "toolUseId": "tooluse_1",
            "content": [
                {"json": {"celsius": 7.5, "rain": None}},
                {"image": {"format": "gif", "source": {"bytes": "R0lGOD"}}},
                {"document": {"format": "csv", "name": "T", "source": {"bytes": "YSxi"}}},
                {"video": {"format": "mp4", "source": {"bytes": "AAAA"}}},
                {"searchResult": {"source": "https://example.com", "title": "T", "content": []}},
            ],
            "status": "error",
        }
    },
    "tool result without content": {"toolResult": {"toolUseId": "tooluse_1"}},
    "empty tool result": {"toolResult": {"toolUseId": "tooluse_1", "content": []}},
    "reasoning": {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}},
    "unsigned reasoning": {"reasoningContent": {"reasoningText": {"text": "Hm."}}},
    "empty reasoning": {"reasoningContent": {"reasoningText": {}}},
    "redacted reasoning": {"reasoningContent": {"redactedContent": "c2VjcmV0"}},
    "citations": {
        "citationsContent": {
            "content": [{"text": "Twenty "}, {"text": "days."}],
            "citations": [
                {
                    "title": "Policy",
                    "sourceContent": [{"text": "20 days"}, {"text": " of leave"}],
                    "location": {"documentChar": {"documentIndex": 0, "start": 4, "end": 20}},
                },
                {"location": {"web": {"url": "https://example.com/a", "domain": "example.com"}}},
            ],
        }
    },
    "citations without text": {"citationsContent": {"citations": [{"title": "Policy"}]}},
    "guard content": {"guardContent": {"text": {"text": "Check me", "qualifiers": ["query"]}}},
    "search result": {
        "searchResult": {"source": "https://example.com", "title": "T", "content": [{"text": "x"}]}
    },
    "unknown": {"hologram": {"depth": 3}},
    "nothing": {},
    "keys beside": {"toolUse": {"toolUseId": "t", "name": "n", "input": {}, "odd": 1}, "more": 2},
    "text and keys beside": {"text": "Hello", "odd": None},
    "wrong types": {"toolUse": {"toolUseId": 7, "name": None, "input": None}},
    "no object": {"image": "png"},
}

MARK = {"cachePoint": {"type": "default"}}

TOOLS = [
    {
        "toolSpec": {
            "name": "weather",
            "description": "Tells the weather",
            "inputSchema": {"json": {"type": "object", "properties": {"city": {}}}},
            "strict": True,
        }
    },
    {"toolSpec": {"name": "now", "inputSchema": {"json": {"type": "object"}}}},
    {"cachePoint": {"type": "default", "ttl": "1h"}},
    {"systemTool": {"name": "nova_grounding"}},
]


def asking(**fields: Any) -> dict[str, Any]:
    """A request with fields."""
    return {"messages": [{"role": "user", "content": [{"text": "Hi"}]}], **fields}


REQUESTS: dict[str, dict[str, Any]] = {
    "plain": asking(),
    "empty": {},
    "empty sections": {
        "messages": [],
        "system": [],
        "inferenceConfig": {},
        "toolConfig": {},
        "outputConfig": {},
        "additionalModelRequestFields": {},
        "requestMetadata": {},
    },
    "system": asking(system=[{"text": "Be brief."}, MARK, BLOCKS["guard content"]]),
    "marks": {
        "messages": [
            {"role": "user", "content": [MARK, {"text": "a"}, MARK, MARK, BLOCKS["image"], MARK]},
            {"role": "assistant", "content": [BLOCKS["reasoning"], MARK, BLOCKS["tool use"], MARK]},
            {"role": "user", "content": [{"cachePoint": {}}, BLOCKS["tool result"], MARK]},
        ]
    },
    "settings": asking(
        inferenceConfig={
            "maxTokens": 512,
            "temperature": 0.5,
            "topP": 1,
            "stopSequences": ["END"],
            "odd": True,
        },
        additionalModelRequestFields={"top_k": 40, "thinking": {"type": "enabled"}},
        additionalModelResponseFieldPaths=["/stop_sequence"],
        guardrailConfig={"guardrailIdentifier": "g1", "guardrailVersion": "DRAFT"},
        promptVariables={"city": {"text": "Rome"}},
        performanceConfig={"latency": "optimized"},
        serviceTier={"type": "flex"},
        requestMetadata={"team": "blue"},
    ),
    "no stops": asking(inferenceConfig={"stopSequences": []}),
    "tools": asking(toolConfig={"tools": TOOLS, "toolChoice": {"tool": {"name": "weather"}}}),
    "any tool": asking(toolConfig={"tools": TOOLS[:1], "toolChoice": {"any": {}}}),
    "auto tool": asking(toolConfig={"tools": TOOLS[:1], "toolChoice": {"auto": {}}}),
    "new choice": asking(toolConfig={"tools": [MARK], "toolChoice": {"some": {"n": 2}}}),
    "format": asking(
        outputConfig={
            "textFormat": {
                "type": "json_schema",
                "structure": {
                    "jsonSchema": {
                        "schema": '{ "type":"object" }',
                        "name": "city",
                        "description": "A city",
                    }
                },
            }
        }
    ),
    "broken format": asking(
        outputConfig={
            "textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": "{"}}}
        }
    ),
    "odd messages": {
        "messages": [
            {"role": "system", "content": [{"text": "a"}]},
            {"content": "text"},
            {"role": "user"},
            {"role": None, "content": [1], "name": "x"},
            {"role": "user", "content": []},
        ]
    },
    "wrong types": {
        "messages": "hi",
        "system": "be brief",
        "inferenceConfig": {"maxTokens": "many", "temperature": True, "topP": None},
        "toolConfig": {"tools": [7], "toolChoice": "auto"},
        "outputConfig": None,
        "additionalModelRequestFields": {"top_k": "all"},
        "requestMetadata": {"team": 1},
    },
    "every block": {
        "messages": [{"role": "user", "content": [block]} for block in BLOCKS.values()],
        "system": [],
    },
}

USAGE = {"inputTokens": 12, "outputTokens": 5, "totalTokens": 17, "serverToolUsage": {}}


def answering(*content: Any, **fields: Any) -> dict[str, Any]:
    """An answer with content."""
    return {
        "output": {"message": {"role": "assistant", "content": list(content)}},
        "stopReason": "end_turn",
        "usage": USAGE,
        "metrics": {"latencyMs": 321},
        **fields,
    }


ANSWERS: dict[str, dict[str, Any]] = {
    "plain": answering({"text": "Hello"}),
    "every block": answering(*BLOCKS.values()),
    "tools": answering({"text": "Let me see."}, BLOCKS["tool use"], stopReason="tool_use"),
    "filtered": answering(
        {"text": "No."},
        stopReason="guardrail_intervened",
        trace={"guardrail": {"actionReason": "Blocked."}},
    ),
    "stopped": answering(
        {"text": "1, 2"},
        stopReason="stop_sequence",
        additionalModelResponseFields={"stop_sequence": "3"},
    ),
    "new stop": answering({"text": "?"}, stopReason="tea_break"),
    "bare": {"stopReason": "malformed_model_output"},
    "empty": {},
    "roleless": {"output": {"message": {"content": []}, "more": 1}, "usage": None},
    "odd role": {"output": {"message": {"role": "user", "content": []}}, "stopReason": 3},
    "wrong types": {"output": {"message": {"role": "assistant", "content": "Hi"}}, "usage": 7},
    "negative usage": answering(usage={"inputTokens": -1, "outputTokens": 5}),
}

PROBLEMS: dict[str, tuple[int, Any]] = {
    "plain": (400, {"message": "The provided model identifier is invalid."}),
    "capital": (403, {"Message": "User is not authorized."}),
    "typed": (429, {"__type": "com.amazon.coral#ThrottlingException", "message": "Too many"}),
    "bare": (503, {}),
    "both": (400, {"message": None, "Message": "x", "more": []}),
    "text": (502, "Bad gateway"),
    "nothing": (500, None),
    "list": (500, [1]),
}


def event(name: str, **data: Any) -> tuple[str, Any]:
    return name, data


def delta(index: int, told: Any, **more: Any) -> tuple[str, Any]:
    return event("contentBlockDelta", contentBlockIndex=index, delta=told, **more)


def stop(index: int, **more: Any) -> tuple[str, Any]:
    return event("contentBlockStop", contentBlockIndex=index, **more)


START = event("messageStart", role="assistant", p="abcd")
METADATA = event("metadata", usage=USAGE, metrics={"latencyMs": 9}, p="")

STREAMS: dict[str, list[tuple[str, Any]]] = {
    "text": [
        START,
        delta(0, {"text": "Hel"}, p="abc"),
        delta(0, {"text": "lo"}),
        stop(0, p="a"),
        event("messageStop", stopReason="end_turn", p="ab"),
        METADATA,
    ],
    "tools": [
        START,
        delta(0, {"reasoningContent": {"text": "Hm."}}),
        delta(0, {"reasoningContent": {"signature": "c2ln"}}),
        stop(0),
        delta(1, {"text": "Let me see."}),
        stop(1),
        event(
            "contentBlockStart",
            contentBlockIndex=2,
            start={"toolUse": {"toolUseId": "t1", "name": "weather"}},
        ),
        delta(2, {"toolUse": {"input": '{"city":'}}),
        delta(2, {"toolUse": {"input": '"Rome"}'}}),
        stop(2),
        event(
            "contentBlockStart",
            contentBlockIndex=3,
            start={"toolUse": {"toolUseId": "t2", "name": "now", "type": "tool_use"}},
        ),
        stop(3),
        event("messageStop", stopReason="tool_use", additionalModelResponseFields={"a": 1}),
        METADATA,
    ],
    "citations": [
        START,
        delta(
            0,
            {
                "citation": {
                    "title": "Policy",
                    "sourceContent": [{"text": "20 days"}],
                    "location": {"documentPage": {"documentIndex": 0, "start": 1, "end": 2}},
                }
            },
        ),
        delta(0, {"text": "Twenty days."}),
        stop(0),
        event("messageStop", stopReason="end_turn"),
        METADATA,
    ],
    "redacted": [START, delta(0, {"reasoningContent": {"redactedContent": "eA=="}}), stop(0)],
    "broken off": [
        START,
        delta(0, {"text": "Hel"}),
        event("throttlingException", message="Too many requests"),
    ],
    "unclosed": [
        START,
        delta(0, {"text": "a"}),
        event("messageStop", stopReason="max_tokens"),
        stop(0),
        event("contentBlockStart", contentBlockIndex=1, start={"toolUse": {}}),
    ],
    "headless": [delta(0, {"text": "a"}), stop(0), event("messageStop", stopReason=None)],
    "odd": [
        event("messageStart", role="user"),
        START,
        delta(5, {"text": "a"}),
        delta(5, {"toolUse": {"input": "x"}}),
        delta(5, {"hologram": 1}),
        stop(5),
        stop(5),
        delta(5, {"text": "again"}),
        event("contentBlockStart", contentBlockIndex=6, start={"image": {"format": "png"}}),
        delta(6, {"image": {"source": {"bytes": "AAAA"}}}),
        stop(6),
        event("contentBlockStart", contentBlockIndex=7),
        event("contentBlockStart", contentBlockIndex=7, start=None),
        delta(8, {"toolUse": {"input": "{}"}}),
        delta(True, {"text": "a"}),
        event("contentBlockDelta", contentBlockIndex=9),
        delta(9, {"reasoningContent": {"signature": ""}}),
        event("messageStop", p=7),
        event("messageStop", stopReason="end_turn"),
        delta(10, {"text": "late"}),
        event("metadata", metrics={}),
        event("newcomer", x=1),
        ("contentBlockDelta", "text"),
        ("", None),
        ("internalServerException", None),
    ],
}
