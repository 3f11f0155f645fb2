"""Taking keys: what is understood goes, what is not stays."""

from __future__ import annotations

from typing import Any

import pytest

from farthing.errors import Malformed
from farthing.wire.take import Taker

ALL: dict[str, Any] = {
    "text": "x",
    "whole": 3,
    "number": 0.5,
    "yes": True,
    "null": None,
    "object": {"a": 1},
    "objects": [{"a": 1}, {}],
    "strings": ["a", "b"],
    "mixed": ["a", 1],
    "none": [],
}


def test_what_is_taken_is_gone_and_the_object_is_as_it_was() -> None:
    given = dict(ALL)
    taker = Taker(given)
    assert taker.take("text", str, "") == "x"
    assert taker.maybe("object", dict) == {"a": 1}
    assert taker.objects("objects") == [{"a": 1}, {}]
    assert taker.strings("strings") == ["a", "b"]
    assert taker.left.keys() == ALL.keys() - {"text", "object", "objects", "strings"}
    assert given == ALL


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("missing", str),
        ("null", str),
        ("whole", str),
        ("text", int),
        ("number", int),
        ("yes", int),
        ("yes", float),
        ("whole", bool),
        ("strings", dict),
    ],
)
def test_a_value_of_another_type_stays(key: str, kind: type) -> None:
    taker = Taker(ALL)
    assert taker.take(key, kind, "default") == "default"
    assert taker.maybe(key, kind) is None
    assert taker.left == ALL


def test_a_whole_number_is_a_number_too() -> None:
    taker = Taker(ALL)
    assert (taker.maybe("whole", float), taker.maybe("number", float)) == (3, 0.5)
    assert "whole" not in taker.left


@pytest.mark.parametrize("key", ["missing", "null", "text", "object", "strings", "mixed"])
def test_what_is_no_array_of_objects_stays(key: str) -> None:
    taker = Taker(ALL)
    assert taker.objects(key) is None
    assert taker.left == ALL


@pytest.mark.parametrize("key", ["missing", "null", "text", "object", "objects", "mixed"])
def test_what_is_no_array_of_strings_stays(key: str) -> None:
    taker = Taker(ALL)
    assert taker.strings(key) is None
    assert taker.left == ALL


def test_an_empty_array_is_one_of_anything() -> None:
    assert Taker(ALL).objects("none") == []
    assert Taker(ALL).strings("none") == []


@pytest.mark.parametrize("value", [None, [], "x", 1])
def test_what_is_no_object_is_malformed_and_named(value: object) -> None:
    with pytest.raises(Malformed, match="A message must be a JSON object"):
        Taker(value, "message")
