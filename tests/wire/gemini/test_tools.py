"""Tools and the choice among them."""

from __future__ import annotations

import pytest
from tests.wire.gemini.golden import CITY, REQUESTS

from farthing.wire.canon import JSON, Opaque, Tool, ToolChoice
from farthing.wire.crossing import Crossing
from farthing.wire.gemini.requests import read_request
from farthing.wire.gemini.tools import write_choice, write_tools


def test_tools_are_read_one_by_one() -> None:
    request = read_request(REQUESTS["tools"])
    a, b, c, search, context, d = request.tools
    assert isinstance(a, Tool) and a.schema == {
        **CITY,
        "properties": {"city": {"type": ["string", "null"]}},
    }
    assert isinstance(b, Tool) and (b.schema, b.description) == (CITY, "")
    assert isinstance(c, Tool) and c.schema == {"type": "object"}
    assert isinstance(search, Opaque) and search.type == "googleSearch"
    assert isinstance(context, Opaque) and context.type == "urlContext"
    assert isinstance(d, Tool) and d.schema is None
    assert request.choice is not None
    assert (request.choice.mode, request.choice.name) == ("named", "a")


def test_tools_that_say_nothing_are_none() -> None:
    request = read_request(REQUESTS["some tools"])
    assert request.tools == []
    assert request.choice is not None and request.choice.mode == "required"


def test_tools_of_another_dialect_are_written() -> None:
    tools: list[Tool | Opaque] = [
        Tool(name="f", schema=CITY),
        Opaque(type="web_search"),
        Tool(name="g", custom=True),
        Tool(name="h"),
    ]
    crossing = Crossing("responses", "gemini")
    assert write_tools(tools, crossing) == [
        {"functionDeclarations": [{"name": "f", "parametersJsonSchema": CITY}, {"name": "h"}]}
    ]
    assert {loss.what: loss.severity for loss in crossing.losses} == {
        "tool web_search": "meaning",
        "custom tool g": "meaning",
    }


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (ToolChoice(mode="auto"), {"mode": "AUTO"}),
        (ToolChoice(mode="required"), {"mode": "ANY"}),
        (ToolChoice(mode="none"), {"mode": "NONE"}),
        (ToolChoice(mode="named", name="f"), {"mode": "ANY", "allowedFunctionNames": ["f"]}),
    ],
)
def test_choices_of_another_dialect_are_written(choice: ToolChoice, told: JSON) -> None:
    written = write_choice(choice, Crossing("chat", "gemini"))
    assert written == {"functionCallingConfig": told}
