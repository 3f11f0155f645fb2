"""Requests: what is read of them, and what others' become."""

from __future__ import annotations

import pytest
from tests.wire.gemini.golden import REQUESTS, SEAL

from farthing.errors import Malformed
from farthing.wire.canon import (
    JSON,
    CacheMark,
    Format,
    Media,
    Opaque,
    Reasoning,
    Request,
    Signature,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from farthing.wire.crossing import Crossing
from farthing.wire.gemini.requests import read_request, write_request


def crossed(request: Request) -> tuple[JSON, dict[str, str]]:
    crossing = Crossing(request.dialect, "gemini")
    return write_request(request, crossing), {x.what: x.severity for x in crossing.losses}


def test_a_tool_loop_is_read() -> None:
    _, calls, results = read_request(REQUESTS["tool loop"]).turns
    thought, first, second, third = calls.parts
    assert isinstance(thought, Reasoning) and thought.text == "Let me think."
    assert isinstance(first, ToolCall) and isinstance(second, ToolCall)
    assert (first.id, first.arguments) == ("call_0", '{"city":"Bern"}')
    assert first.signature == Signature(value=SEAL, vendor="gemini")
    assert (second.id, second.arguments) == ("call_1", '{"city":"Rom"}')
    assert isinstance(third, ToolCall) and (third.id, third.arguments) == ("x", "")
    assert results.role == "tool"
    told = [(r.call, r.parts, r.error) for r in results.parts if isinstance(r, ToolResult)]
    assert [(call, error) for call, _, error in told] == [
        ("call_0", False),
        ("call_1", False),
        ("x", True),
    ]
    texts = [part.text for _, parts, _ in told for part in parts if isinstance(part, Text)]
    assert texts == ["Rain", '{"temperature":20.5,"sky":["blue"]}', "No clock"]


def test_what_only_the_provider_knows_is_a_part_before_all_others() -> None:
    request = read_request(REQUESTS["cached"])
    assert isinstance(request.turns[0].parts[0], Opaque)
    assert request.metadata == {"team": "a"}
    assert list(request.rest) == ["safetySettings"]


def test_system_text_is_a_turn() -> None:
    for name in ("system", "system in snake case"):
        request = read_request(REQUESTS[name])
        assert [turn.role for turn in request.turns] == ["system", "user"]
        assert request.rest == {}


def test_a_tool_loop_of_another_dialect_is_written() -> None:
    seal = Signature(value="theirs", vendor="messages")
    request = Request(
        dialect="chat",
        model="gemini-3-pro",
        turns=[
            Turn(role="system", parts=[Text(text="Be brief.")]),
            Turn(role="user", parts=[Text(text="Weather?", cache=CacheMark())]),
            Turn(
                role="assistant",
                parts=[
                    Reasoning(text="Hm.", signature=seal),
                    ToolCall(id="a", name="weather", arguments='{"city": "Bern"}'),
                    ToolCall(id="b", name="now"),
                ],
            ),
            Turn(role="tool", parts=[ToolResult(call="a", parts=[Text(text="Rain")])]),
            Turn(role="tool", parts=[ToolResult(call="b", parts=[Text(text="No")], error=True)]),
            Turn(role="developer", parts=[Text(text="In German.")]),
        ],
        tools=[Tool(name="weather", description="W.", schema={"type": "object"}, strict=True)],
        choice=ToolChoice(mode="named", name="weather"),
        parallel_calls=False,
        output_cap=5,
        user="u",
        metadata={"a": "b"},
        rest={"store": True, "nothing": None},
    )
    made, losses = crossed(request)
    assert made == {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Weather?"}]},
            {
                "role": "model",
                "parts": [
                    {
                        "functionCall": {"id": "a", "name": "weather", "args": {"city": "Bern"}},
                        "thoughtSignature": "skip_thought_signature_validator",
                    },
                    {"functionCall": {"id": "b", "name": "now", "args": {}}},
                ],
            },
            {
                "role": "user",
                "parts": [
                    {
                        "functionResponse": {
                            "id": "a",
                            "name": "weather",
                            "response": {"output": "Rain"},
                        }
                    },
                    {"functionResponse": {"id": "b", "name": "now", "response": {"error": "No"}}},
                ],
            },
            {"role": "user", "parts": [{"text": "In German."}]},
        ],
        "tools": [
            {
                "functionDeclarations": [
                    {
                        "name": "weather",
                        "description": "W.",
                        "parametersJsonSchema": {"type": "object"},
                    }
                ]
            }
        ],
        "toolConfig": {
            "functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}
        },
        "generationConfig": {"maxOutputTokens": 5},
    }
    assert losses == {
        "cache_control": "hint",
        "reasoning": "hint",
        "system turn in place": "shape",
        "tool.strict": "shape",
        "parallel_tool_calls": "shape",
        "user": "hint",
        "metadata": "hint",
        "store": "shape",
    }


def test_pictures_schema_and_thinking_of_another_dialect_are_written() -> None:
    request = Request(
        dialect="messages",
        turns=[
            Turn(
                role="user",
                parts=[
                    Media(kind="image", data="iVBORw0KGgo="),
                    Media(kind="image", url="https://a.example/b.png", detail="low"),
                    Text(text="What is it?"),
                ],
            ),
        ],
        format=Format(kind="schema", schema={"type": "object"}, name="it"),
        thinking=Thinking(enabled=True, budget=1024),
        temperature=0.5,
        stop=["."],
    )
    made, losses = crossed(request)
    assert made == {
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
                    {"fileData": {"fileUri": "https://a.example/b.png"}},
                    {"text": "What is it?"},
                ],
            }
        ],
        "generationConfig": {
            "temperature": 0.5,
            "stopSequences": ["."],
            "responseMimeType": "application/json",
            "responseJsonSchema": {"type": "object"},
            "thinkingConfig": {"thinkingBudget": 1024, "includeThoughts": True},
        },
    }
    assert losses == {"image.detail": "hint", "response_format.name": "hint"}


def test_results_stand_alone_and_together() -> None:
    results = [ToolResult(call=name, name="f", parts=[Text(text=name)]) for name in "ab"]
    turns = [Turn(role="user", parts=[*results[:1], Text(text="And?"), *results[1:]])]
    contents = crossed(Request(dialect="messages", turns=turns))[0]["contents"]
    assert [len(content["parts"]) for content in contents] == [2, 1]


def test_system_text_alone_becomes_the_contents() -> None:
    turns = [Turn(role="system", parts=[Text(text="Say hi.")])]
    made, losses = crossed(Request(dialect="chat", turns=turns))
    assert made == {"contents": [{"role": "user", "parts": [{"text": "Say hi."}]}]}
    assert losses == {"system turn in place": "shape"}


@pytest.mark.parametrize("arguments", ["[1]", "{", '"a"', "null"])
def test_arguments_that_are_no_object_are_malformed(arguments: str) -> None:
    call = ToolCall(id="a", name="f", arguments=arguments)
    with pytest.raises(Malformed):
        crossed(Request(dialect="chat", turns=[Turn(role="assistant", parts=[call])]))
