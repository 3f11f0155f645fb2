"""Tools and the choice among them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.messages.crossings import into, lost
from tests.wire.messages.golden import WEATHER

from farthing.wire.canon import CacheMark, Opaque, Request, Tool, ToolChoice
from farthing.wire.messages.tools import read_choice, read_tools, write_tools
from farthing.wire.take import Taker


def written(losses: dict[str, str], **fields: Any) -> dict[str, Any]:
    crossing = into()
    out: dict[str, Any] = {}
    write_tools(Request(dialect="chat", **fields), crossing, out)
    assert lost(crossing) == losses
    return out


def test_tools_are_read() -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    server = {"type": "url", "url": "https://a", "name": "a"}
    taker = Taker({"tools": [{**WEATHER, "strict": True}, search], "mcp_servers": [server]})
    tools, keys = read_tools(taker)
    assert tools == [
        Tool(
            name="weather",
            description="The weather of a city.",
            schema=WEATHER["input_schema"],
            strict=True,
        ),
        Opaque(type="web_search_20250305", rest=search),
        Opaque(type="mcp_server", form="mcp_servers", rest=server),
    ]
    assert keys == ["tools", "mcp_servers"]
    assert not taker.left


@pytest.mark.parametrize(
    ("told", "choice", "parallel"),
    [
        ({"type": "auto"}, ToolChoice(mode="auto"), None),
        ({"type": "any", "disable_parallel_tool_use": True}, ToolChoice(mode="required"), False),
        ({"type": "tool", "name": "f"}, ToolChoice(mode="named", name="f"), None),
        ({"type": "none"}, ToolChoice(mode="none"), None),
        ({"type": "tool"}, None, None),
        ({"type": "some"}, None, None),
    ],
)
def test_a_choice_is_read(
    told: dict[str, Any], choice: ToolChoice | None, parallel: bool | None
) -> None:
    request = Request(dialect="messages")
    read_choice(Taker({"tool_choice": told}), request)
    assert (request.choice, request.parallel_calls) == (choice, parallel)


def test_tools_cross() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 0}}}
    tools = [
        Tool(name="f", description="F.", schema=schema, strict=False, form="theirs"),
        Tool(name="g", cache=CacheMark(ttl="5m")),
        Tool(name="h", schema=schema, strict=True),
    ]
    assert written({"schema `minimum`": "shape"}, tools=tools)["tools"] == [
        {"name": "f", "description": "F.", "input_schema": schema},
        {
            "name": "g",
            "input_schema": {"type": "object", "properties": {}},
            "cache_control": {"type": "ephemeral", "ttl": "5m"},
        },
        {
            "name": "h",
            "input_schema": {
                "type": "object",
                "properties": {"a": {"type": "integer", "description": '{"minimum": 0}'}},
                "additionalProperties": False,
            },
            "strict": True,
        },
    ]


def test_tools_that_cannot_cross_are_named() -> None:
    tools = [
        Tool(name="c", custom=True),
        Opaque(type="web_search"),
        Tool(name="s", schema={"type": "string"}),
        Tool(name="u", schema={"anyOf": [{"type": "object"}]}),
    ]
    losses = {
        "custom tool `c`": "meaning",
        "tool `web_search`": "meaning",
        "schema of `s`": "meaning",
        "schema of `u`": "meaning",
    }
    assert len(written(losses, tools=tools)["tools"]) == 2


TOOLS = [Tool(name="f")]


@pytest.mark.parametrize(
    ("choice", "parallel", "expected"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice(mode="required"), True, {"type": "any"}),
        (ToolChoice(mode="none"), False, {"type": "none"}),
        (
            ToolChoice(mode="named", name="f"),
            False,
            {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        ),
    ],
)
def test_a_choice_crosses(choice: ToolChoice | None, parallel: bool | None, expected: Any) -> None:
    out = written({}, tools=TOOLS, choice=choice, parallel_calls=parallel)
    assert out.get("tool_choice") == expected


def test_a_choice_without_tools() -> None:
    assert written({}, choice=ToolChoice(mode="auto"), parallel_calls=False) == {}
    assert written({"tool choice": "meaning"}, choice=ToolChoice(mode="required")) == {}
