"""Tool definitions and the choice among them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.chat.crossings import into, lost, same
from tests.wire.chat.golden import WEATHER

from farthing.wire.canon import CacheMark, Opaque, Tool, ToolChoice
from farthing.wire.chat.tools import read_choice, read_tools, write_choice, write_tools
from farthing.wire.take import Taker


def test_tools_are_read() -> None:
    tools = read_tools(Taker({"tools": [WEATHER, {"type": "web_search"}]}))
    assert tools == [
        Tool(
            name="weather",
            description="The weather in a city.",
            schema={"type": "object", "properties": {"city": {"type": "string"}}},
            strict=True,
        ),
        Opaque(type="web_search", rest={"type": "web_search"}),
    ]


@pytest.mark.parametrize(
    "tool",
    [
        WEATHER,
        {"function": {"name": "f", "description": ""}, "cache_control": {"type": "ephemeral"}},
        {"type": "function", "function": {"name": ""}},
        {"type": "custom", "custom": {"name": "f", "format": {"type": "text"}}},
        {"type": None, "function": {"name": "f", "parameters": None}},
    ],
)
def test_tools_are_written_back(tool: dict[str, Any]) -> None:
    assert write_tools(read_tools(Taker({"tools": [tool]})), same()) == {"tools": [tool]}


def test_functions_are_the_older_spelling() -> None:
    told = {"functions": [{"name": "f", "parameters": {}}, {"nameless": 1}]}
    tools = read_tools(Taker(told))
    assert tools[0].name == "f"  # type: ignore[union-attr]
    assert write_tools(tools, same()) == told


def test_another_dialect_s_tools() -> None:
    crossing = into()
    tools: list[Tool | Opaque] = [
        Tool(name="f", schema={"type": "object"}, cache=CacheMark(), rest={"defer": True}),
        Tool(name="sql", custom=True),
        Opaque(type="computer"),
    ]
    assert write_tools(tools, crossing) == {
        "tools": [
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}},
            {"type": "custom", "custom": {"name": "sql"}},
        ]
    }
    assert lost(crossing) == {
        "cache_control": "hint",
        "tool computer": "meaning",
        "tools.defer": "shape",
    }


@pytest.mark.parametrize(
    ("told", "mode", "name"),
    [
        ({"tool_choice": "auto"}, "auto", ""),
        ({"tool_choice": "any"}, "required", ""),
        ({"tool_choice": {"type": "function", "function": {"name": "f"}}}, "named", "f"),
        ({"tool_choice": {"type": "custom", "custom": {"name": "f"}, "x": 1}}, "named", "f"),
        ({"function_call": "none"}, "none", ""),
        ({"function_call": {"name": "f"}}, "named", "f"),
    ],
)
def test_the_choice(told: dict[str, Any], mode: str, name: str) -> None:
    choice = read_choice(Taker(told))
    assert choice is not None
    assert (choice.mode, choice.name) == (mode, name)
    assert write_choice(choice, {}, same()) == told


@pytest.mark.parametrize("odd", ["maybe", 1, {"type": "allowed_tools"}, {"type": "function"}])
def test_another_choice_stays(odd: object) -> None:
    taker = Taker({"tool_choice": odd})
    assert read_choice(taker) is None
    assert taker.left == {"tool_choice": odd}


def test_another_dialect_s_choice() -> None:
    tools = write_tools([Tool(name="f"), Tool(name="sql", custom=True)], into())
    named = ToolChoice(mode="named", name="sql")
    told = {"tool_choice": {"type": "custom", "custom": {"name": "sql"}}}
    assert write_choice(named, tools, into()) == told
    assert write_choice(ToolChoice(mode="required"), tools, into()) == {"tool_choice": "required"}
    assert write_choice(ToolChoice(mode="auto"), {}, into()) == {}
