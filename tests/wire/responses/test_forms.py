"""Spellings: what means nothing elsewhere goes into the form, the rest stays."""

from __future__ import annotations

from typing import Any

import pytest

from farthing.wire.responses.forms import Spelling, keep, spelling, word


def test_blanks_handles_and_usual_values_are_hidden() -> None:
    left: dict[str, Any] = {
        "a": None,
        "b": [],
        "c": {},
        "d": "",
        "id": "x",
        "tier": "auto",
        "more": 1,
    }
    form, rest = keep(left, "word", {"tier": ("auto",)})
    assert rest == {"more": 1}
    hidden = {key: value for key, value in left.items() if key != "more"}
    assert spelling(form) == Spelling("word", hidden)


@pytest.mark.parametrize("value", [0, False, 1, "x", [0], {"a": None}])
def test_what_says_something_is_not_hidden(value: Any) -> None:
    assert keep({"key": value})[1] == {"key": value}


def test_a_handle_that_is_no_string_is_not_hidden() -> None:
    assert keep({"id": 3})[1] == {"id": 3}


def test_what_only_repeats_the_request_is_hidden() -> None:
    form, rest = keep({"tools": [{"a": 1}], "x": 1}, echoes={"tools"})
    assert rest == {"x": 1}
    assert spelling(form) == Spelling("", {"tools": [{"a": 1}]})


def test_no_form_is_no_spelling() -> None:
    assert spelling("") is None
    assert spelling("text") == Spelling("text", {})


def test_a_form_survives_any_string() -> None:
    hidden = {"id": "\ud800 \n x"}
    assert spelling(keep(hidden)[0]) == Spelling("", hidden)


@pytest.mark.parametrize(("value", "taken"), [("x", "x"), ("", ""), (None, ""), (3, ""), ([], "")])
def test_only_a_string_that_is_not_empty_is_taken(value: Any, taken: str) -> None:
    left = {"key": value}
    assert word(left, "key") == taken
    assert ("key" in left) == (taken == "")
