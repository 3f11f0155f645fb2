"""How nested objects fold into flat nodes, and unfold again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.errors import Malformed
from farthing.wire.converse.unions import (
    OUTER,
    as_object,
    decode,
    decode_object,
    encode,
    filled,
    fold,
    folded,
    join_texts,
    merge,
    split_texts,
    unfold,
)
from farthing.wire.take import Taker

json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(json)
def test_json_is_text_and_back(value: Any) -> None:
    assert decode(encode(value)) == value


@given(st.lists(st.text()), st.sampled_from(["", "\n", "--"]))
def test_texts_are_joined_and_split(texts: list[str], between: str) -> None:
    items = [{"text": text} for text in texts]
    joined = join_texts(items, between)
    assert joined is not None
    assert joined[0] == between.join(texts)
    assert split_texts(*joined, between) == items


@pytest.mark.parametrize(
    "value", [None, {}, "a", ["a"], [{}], [{"text": 1}], [{"text": "", "b": 1}]]
)
def test_what_is_no_array_of_texts(value: Any) -> None:
    assert join_texts(value) is None


@given(st.dictionaries(st.sampled_from(["part", "other", OUTER]), json))
def test_what_is_unfolded_is_folded_again(block: dict[str, Any]) -> None:
    found = unfold(block, "part")
    if found is None:
        assert not isinstance(block.get("part"), dict) or OUTER in block["part"]
    else:
        assert fold("part", {}, folded(*found)) == block


def test_an_empty_text_stays() -> None:
    taker = Taker({"a": "", "b": "x", "c": 1, "d": None})
    assert [filled(taker, key) for key in "abcde"] == ["", "x", "", "", ""]
    assert taker.left == {"a": "", "c": 1, "d": None}


def test_merging_changes_nothing_of_what_it_merges() -> None:
    kept = {"a": {"b": 1}, "c": 2}
    assert merge(kept, {"a": {"d": 3}}) == {"a": {"b": 1, "d": 3}, "c": 2}
    assert kept == {"a": {"b": 1}, "c": 2}
    assert merge(None, {"a": {}}) == {"a": {}}
    assert as_object(kept) == kept
    assert as_object([1]) == {}


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_a_text_that_is_no_json(text: str) -> None:
    with pytest.raises(Malformed):
        decode(text)


def test_arguments() -> None:
    assert decode_object("", "It") == {}
    assert decode_object('{"a":1}', "It") == {"a": 1}
    with pytest.raises(Malformed, match="It must be a JSON object"):
        decode_object("[]", "It")
