"""What all codecs of embeddings do alike: encodings, base64, and what is named as lost."""

from __future__ import annotations

import base64
import struct

import pytest

from farthing.errors import Malformed
from farthing.wire.crossing import Crossing, Loss
from farthing.wire.embed.canon import SEVERAL, WHOLE, Input, Request, Response, Vector
from farthing.wire.embed.codec import (
    kinds_of,
    lose_rest,
    lose_titles,
    packed,
    read_kinds,
    read_word,
    texts_of,
    told_in,
)
from farthing.wire.take import Taker

FLOATS = {"float": "float"}


def asked(*kinds: str, inputs: int = 1) -> Request:
    return Request(dialect="a", kinds=list(kinds), inputs=[Input(text="x")] * inputs)


def crossing() -> Crossing:
    return Crossing("a", "b")


def test_base64_is_of_32_bit_floats_the_lowest_byte_first() -> None:
    numbers = [0.1, -2.5, 3.0]
    assert base64.b64decode(packed(numbers)) == struct.pack("<3f", *numbers)


@pytest.mark.parametrize("numbers", [["x"], [None], [[1.0]]])
def test_what_is_no_number_is_no_embedding(numbers: list[object]) -> None:
    with pytest.raises(Malformed, match="not of numbers"):
        packed(numbers)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kinds", "words", "lost"),
    [
        ([], ["float"], set()),
        (["base64"], ["float"], set()),
        (["base64", "float"], ["float"], set()),
        (["int8"], [], {Loss("embeddings as int8", "meaning")}),
        (["float", "int8"], ["float"], {Loss("embeddings as int8", "meaning")}),
    ],
)
def test_floats_are_asked_for_base64_and_nothing_for_what_is_not_known(
    kinds: list[str], words: list[str], lost: set[Loss]
) -> None:
    way = crossing()
    assert kinds_of(asked(*kinds), way, FLOATS) == words
    assert way.losses == lost


def test_a_dialect_s_own_word_is_used() -> None:
    assert kinds_of(asked("int8"), crossing(), {"i8": "int8", **FLOATS}) == ["i8"]


def test_an_answer_is_told_in_the_encodings_asked_for() -> None:
    vector = Vector(values={"float": [0.5], "int8": [1]})
    response = Response(dialect="b", vectors=[vector])
    assert told_in(response, asked())[0][1] == {"float": [0.5]}
    assert told_in(response, asked("int8", "base64"))[0][1] == {"int8": [1], "base64": "AAAAPw=="}


@pytest.mark.parametrize(
    ("vectors", "request_"),
    [
        ([], asked()),
        ([Vector(values={"float": [1]})], asked(inputs=2)),
        ([Vector(values={"float": [1]})], asked("int8")),
        ([Vector(values={"float": "x"})], asked("base64")),
        ([Vector()], asked()),
    ],
)
def test_an_answer_of_another_number_or_encoding_is_none(
    vectors: list[Vector], request_: Request
) -> None:
    with pytest.raises(Malformed):
        told_in(Response(dialect="b", vectors=vectors), request_)


def test_a_purpose_that_is_not_known_stays() -> None:
    taker = Taker({"for": "query", "other": "new", "third": 3})
    words = {"query": "query"}
    assert [read_word(taker, key, words) for key in ("for", "other", "third")] == ["query", "", ""]
    assert taker.left == {"other": "new", "third": 3}


def test_encodings_are_taken_when_all_are_known() -> None:
    words = {"i8": "int8", "float": "float"}
    for told, kinds in ((["i8", "float"], ["int8", "float"]), (["i8", "new"], []), ([[]], [])):
        taker = Taker({"types": told})
        assert read_kinds(taker, "types", words) == kinds
        assert taker.left == ({} if kinds else {"types": told})


def test_tokens_are_nothing_to_another_vendor() -> None:
    way = crossing()
    texts_of(Request(dialect="a", inputs=[Input(tokens=[1])]), way)
    assert way.losses == {Loss("input as tokens", "meaning")}


def test_titles_are_named() -> None:
    way = crossing()
    lose_titles(asked(), way)
    assert not way.losses
    lose_titles(Request(dialect="a", inputs=[Input(title="t")]), way)
    assert way.losses == {Loss("title", "shape")}


@pytest.mark.parametrize(
    ("form", "lost"),
    [
        (WHOLE, set()),
        (SEVERAL, {Loss("texts of several parts, joined", "shape")}),
        ("", {Loss("input.content", "shape")}),
    ],
)
def test_of_a_content_only_what_was_not_understood_is_lost(form: str, lost: set[Loss]) -> None:
    way = crossing()
    lose_rest(Input(text="x", form=form, rest={"content": {}}), way)
    assert way.losses == lost


def test_on_the_same_dialect_nothing_is_lost() -> None:
    way = Crossing("a", "a")
    lose_rest(Input(form=SEVERAL, rest={"content": {}, "other": 1}), way)
    assert not way.losses
