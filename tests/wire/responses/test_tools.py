"""Tools and the choice among them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.responses.cases import SCHEMA, WEATHER

from farthing.wire.canon import CacheMark, Opaque, Request, Tool, ToolChoice
from farthing.wire.crossing import Crossing, Loss
from farthing.wire.responses.tools import read_choice, read_tools, write_choice, write_tools
from farthing.wire.take import Taker


def test_tools_are_read() -> None:
    taker = Taker({"tools": [WEATHER | {"strict": True}, {"type": "custom", "name": "sql"}]})
    function, custom = read_tools(taker)
    assert isinstance(function, Tool) and isinstance(custom, Tool)
    assert (function.name, function.description, function.schema) == ("weather", "Tells.", SCHEMA)
    assert function.strict is True
    assert custom.custom
    assert taker.left == {}


@pytest.mark.parametrize("tool", [{"type": "web_search"}, {"type": "function"}, {"type": []}])
def test_other_tools_are_opaque(tool: dict[str, Any]) -> None:
    (read,) = read_tools(Taker({"tools": [tool]}))
    assert isinstance(read, Opaque)
    assert read.rest == tool


@pytest.mark.parametrize(
    ("told", "choice"),
    [
        ("auto", ToolChoice(mode="auto")),
        ("required", ToolChoice(mode="required")),
        ("none", ToolChoice(mode="none")),
        ("maybe", None),
        (None, None),
        ([], None),
    ],
)
def test_a_choice_is_read(told: Any, choice: ToolChoice | None) -> None:
    assert read_choice(Taker({"tool_choice": told})) == choice


def test_a_choice_of_a_tool_is_read() -> None:
    choice = read_choice(Taker({"tool_choice": {"type": "function", "name": "weather"}}))
    assert choice is not None
    assert (choice.mode, choice.name, choice.rest) == ("named", "weather", {})


def test_a_choice_of_this_dialect_s_own_is_no_hint() -> None:
    choice = {"type": "allowed_tools", "mode": "auto", "tools": []}
    (read,) = read_tools(Taker({"tool_choice": choice}))
    assert isinstance(read, Opaque)
    assert read.type == "tool_choice"


def test_another_dialect_s_tools_are_written() -> None:
    tools: list[Tool | Opaque] = [
        Tool(name="weather", description="Tells.", schema=SCHEMA, cache=CacheMark()),
        Tool(name="now", strict=True),
        Tool(name="sql", custom=True),
        Opaque(type="computer"),
    ]
    crossing, body = Crossing("messages", "responses"), dict[str, Any]()
    write_tools(Request(dialect="messages", tools=tools), crossing, body)
    assert body["tools"] == [
        WEATHER | {"strict": False},
        {
            "type": "function",
            "name": "now",
            "parameters": {"type": "object", "properties": {}},
            "strict": True,
        },
        {"type": "custom", "name": "sql"},
    ]
    assert crossing.losses == {Loss("cache mark", "hint"), Loss("tool computer", "meaning")}


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        (ToolChoice(mode="required"), "required"),
        (ToolChoice(mode="named", name="now"), {"type": "function", "name": "now"}),
        (ToolChoice(mode="named", name="sql"), {"type": "custom", "name": "sql"}),
    ],
)
def test_another_dialect_s_choice_is_written(choice: ToolChoice, written: Any) -> None:
    tools: list[Tool | Opaque] = [Tool(name="now"), Tool(name="sql", custom=True)]
    request = Request(dialect="chat", tools=tools, choice=choice)
    assert write_choice(request, Crossing("chat", "responses")) == written
