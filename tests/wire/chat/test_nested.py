"""What is left of inner objects is kept flat, and goes back where it came from."""

from __future__ import annotations

import pytest

from farthing.wire.chat.nested import filled, full, inner, leftover, put_back
from farthing.wire.take import Taker


def test_leftovers_of_an_inner_object_go_back_into_it() -> None:
    taker = Taker({"type": "t", "box": {"a": 1, "b": None}})
    box = inner(taker, "box")
    assert box is not None
    assert box.take("a", int, 0) == 1
    rest = leftover(taker, box=box)
    assert rest == {"type": "t", "box.b": None}
    told = {"type": "t", "box": {"a": 1, "b": None}}
    assert put_back({"box": {"a": 1}}, rest, "box") == told


@pytest.mark.parametrize("odd", [{}, {"box": 1}, {"box": {}, "box.a": 1}])
def test_what_cannot_be_told_apart_stays(odd: dict[str, object]) -> None:
    taker = Taker(odd)
    assert inner(taker, "box") is None
    assert taker.left == odd


def test_a_dot_in_a_key_that_is_no_inner_object_is_a_key() -> None:
    assert put_back({}, {"a.b": 1}, "box") == {"a.b": 1}


def test_empty_texts_stay() -> None:
    taker = Taker({"a": "", "b": "x", "c": 1})
    assert [full(taker, key) for key in "abcd"] == ["", "x", "", ""]
    assert taker.left == {"a": "", "c": 1}


def test_filled_keeps_what_says_something() -> None:
    assert filled(a=0, b=False, c="", d=None, e="x") == {"a": 0, "b": False, "e": "x"}
