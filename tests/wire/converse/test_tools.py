"""Tools and tool choice."""

from __future__ import annotations

from typing import Any

import pytest
from tests.wire.converse.golden import MARK, TOOLS

from farthing.wire.canon import CacheMark, Opaque, Request, Tool, ToolChoice
from farthing.wire.converse.tools import read_tools, write_tools
from farthing.wire.crossing import Crossing
from farthing.wire.take import Taker


def read(section: dict[str, Any]) -> tuple[Request, dict[str, Any]]:
    """Return what is read, and what is left."""
    taker, request = Taker(section), Request(dialect="converse")
    read_tools(taker, request)
    return request, taker.left


def test_tools_are_read() -> None:
    request, left = read({"tools": TOOLS})
    weather, now, grounding = request.tools
    assert isinstance(weather, Tool)
    assert (weather.name, weather.description, weather.strict) == (
        "weather",
        "Tells the weather",
        True,
    )
    assert weather.schema == {"type": "object", "properties": {"city": {}}}
    assert isinstance(now, Tool)
    assert (now.cache, now.strict) == (CacheMark(ttl="1h"), None)
    assert isinstance(grounding, Opaque)
    assert grounding.type == "systemTool"
    assert left == {}


CHOICES: list[tuple[Any, ToolChoice | None]] = [
    ({"auto": {}}, ToolChoice(mode="auto")),
    ({"any": {}}, ToolChoice(mode="required")),
    ({"tool": {"name": "t"}}, ToolChoice(mode="named", name="t")),
    ({"tool": {"name": "t", "odd": 1}}, None),
    ({"tool": {"name": 1}}, None),
    ({"auto": {}, "any": {}}, None),
    ({"auto": {"odd": 1}}, None),
    ("auto", None),
    (None, None),
]


@pytest.mark.parametrize(("told", "choice"), CHOICES)
def test_a_choice_is_read_and_written(told: Any, choice: ToolChoice | None) -> None:
    request, left = read({"toolChoice": told})
    assert request.choice == choice
    assert left == ({} if choice else {"toolChoice": told})
    if choice is not None:
        assert write_tools(request, Crossing("converse", "converse")) == {"toolChoice": told}


def test_what_is_left_of_a_schema_is_kept() -> None:
    section = {"tools": [MARK, {"toolSpec": {"name": "t", "inputSchema": {"json": {}, "odd": 1}}}]}
    request, _ = read(section)
    assert write_tools(request, Crossing("converse", "converse")) == section


def test_a_choice_without_tools_is_not_sent_elsewhere() -> None:
    request = Request(dialect="chat", choice=ToolChoice(mode="auto"))
    assert write_tools(request, Crossing("chat", "converse")) == {}


def test_a_choice_among_some_names_what_it_loses() -> None:
    crossing = Crossing("chat", "converse")
    choice = ToolChoice(mode="auto", rest={"allowed_tools": ["t"]})
    request = Request(dialect="chat", tools=[Tool(name="t", strict=False)], choice=choice)
    told = write_tools(request, crossing)
    assert told["toolChoice"] == {"auto": {}}
    assert "strict" not in told["tools"][0]["toolSpec"]
    assert {loss.what for loss in crossing.losses} == {"tool_choice.allowed_tools"}
