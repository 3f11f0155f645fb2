"""Spellings of keys, and forms."""

from __future__ import annotations

from typing import Any

import pytest

from farthing.errors import Malformed
from farthing.wire.gemini.spelling import (
    Keys,
    camel,
    compact,
    parse_object,
    snake,
    spelled,
    value_of,
    words_of,
)


def test_spellings_are_each_others_inverse() -> None:
    for key, low in [("topK", "top_k"), ("responseMimeType", "response_mime_type"), ("a", "a")]:
        assert (snake(key), camel(low)) == (low, key)


def test_a_key_is_taken_in_either_spelling_and_written_back() -> None:
    keys = Keys({"top_k": 1, "topP": 2, "other": None})
    assert (keys.number("topK"), keys.number("topP")) == (1, 2)
    assert (keys.left, keys.form) == ({"other": None}, "top_k")
    assert spelled({"topK": 1, "topP": 2}, words_of(keys.form), keys.left) == {
        "top_k": 1,
        "topP": 2,
        "other": None,
    }


def test_of_both_spellings_one_is_understood() -> None:
    keys = Keys({"topK": None, "top_k": 1})
    assert keys.number("topK") is None
    assert (len(keys.left), keys.form) == (2, "")


def test_what_an_inner_object_leaves_is_put_back() -> None:
    keys = Keys({"file_data": {"fileUri": "u", "x": 1}})
    inner = keys.inner("fileData")
    assert inner is not None and inner.text("fileUri") == "u"
    keys.keep("fileData", inner)
    assert keys.left == {"fileData": {"x": 1}}
    made = spelled({"fileData": {"fileUri": "u"}}, words_of(keys.form), keys.left)
    assert made == {"file_data": {"fileUri": "u", "x": 1}}


@pytest.mark.parametrize("value", ["", None, 5])
def test_a_text_that_says_nothing_stays(value: Any) -> None:
    keys = Keys({"text": value})
    assert (keys.text("text"), keys.left) == ("", {"text": value})


def test_values_in_forms() -> None:
    assert value_of("a mode=ANY", "mode") == "ANY"
    assert value_of("a", "mode") == ""


def test_objects_in_texts() -> None:
    assert parse_object("", "It") == {}
    assert parse_object('{"a": 1}', "It") == {"a": 1}
    for text in ("[]", "{", "[" * 100_000):
        with pytest.raises(Malformed, match="It must be"):
            parse_object(text, "It")


def test_json_that_is_too_deep_is_malformed() -> None:
    deep: list[Any] = []
    for _ in range(100):
        deep = [deep]
    with pytest.raises(Malformed):
        compact(deep)
