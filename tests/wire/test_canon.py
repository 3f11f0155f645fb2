"""The canonical model: nodes hold what they are given and share nothing by accident."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec
import pytest

from farthing.wire import canon
from farthing.wire.canon import Node, Request, Text, Turn

NODES = [
    kind
    for _, kind in inspect.getmembers(canon, inspect.isclass)
    if issubclass(kind, Node) and kind is not Node
]


@pytest.mark.parametrize("kind", NODES, ids=lambda kind: kind.__name__)
def test_every_node_keeps_the_rest_and_says_what_it_is(kind: type[Node]) -> None:
    assert {"rest", "form"} <= set(kind.__struct_fields__)
    assert kind.__doc__ and "Struct" not in kind.__doc__


@pytest.mark.parametrize("kind", NODES, ids=lambda kind: kind.__name__)
def test_no_two_nodes_share_what_can_be_changed(kind: type[Node]) -> None:
    needed: dict[str, Any] = {
        field.name: "x"
        for field in msgspec.structs.fields(kind)
        if field.required  # what it is does not matter here
    }
    one, two = kind(**needed), kind(**needed)
    for name in kind.__struct_fields__:
        value = getattr(one, name)
        if isinstance(value, list | dict):
            assert value is not getattr(two, name)


def test_nodes_are_equal_by_what_they_hold() -> None:
    def asked(text: str) -> Request:
        return Request(dialect="chat", turns=[Turn(role="user", parts=[Text(text=text)])])

    assert asked("x") == asked("x") != asked("y")
