"""Embeddings: priced by their input alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from farthing.wire.dialect import Answer, Ask, Changes, Usage
from farthing.wire.embed.openai import EMBEDDINGS, read_answer, read_ask, write_ask


def ask(**fields: Any) -> Ask:
    return read_ask(json.dumps(fields, separators=(",", ":")).encode())


@pytest.mark.parametrize("given", ["x", ["x", "y"], [1, 2], [[1], [2]]])
def test_a_request_makes_no_output(given: object) -> None:
    of = ask(model="m", input=given)
    assert (of.model, of.makes_output, of.stream, of.unbounded) == ("m", False, False, ())


def test_only_the_model_s_name_is_ever_changed() -> None:
    of = ask(model="m", input="x", dimensions=9)
    assert write_ask(of, Changes(output_cap=5)) is of.body
    assert json.loads(write_ask(of, Changes(model="n"))) == {
        "model": "n",
        "input": "x",
        "dimensions": 9,
    }


def test_the_usage_of_an_answer() -> None:
    told = {"model": "m-1", "data": [], "usage": {"prompt_tokens": 5, "total_tokens": 5}}
    assert read_answer(json.dumps(told).encode()) == Answer(Usage(input=5), "m-1")


@pytest.mark.parametrize(
    "usage", [None, {}, {"prompt_tokens": -1}, {"prompt_tokens": 5, "completion_tokens": 1}]
)
def test_a_usage_that_says_less_or_more_than_input_is_unknown(usage: object) -> None:
    assert read_answer(json.dumps({"usage": usage}).encode()).usage is None


def test_nothing_is_known_of_a_stream() -> None:
    seen = EMBEDDINGS.tap(ask(input="x"))
    assert seen.feed(b"data: {}\n\n") == b"data: {}\n\n"
    assert seen.answer() == Answer()
