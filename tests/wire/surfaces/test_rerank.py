"""Reranking: by searches or by tokens, each bounded by the question and the documents."""

from __future__ import annotations

import json
from typing import Any

import pytest

from farthing.wire.dialect import Answer, Ask, Usage
from farthing.wire.surfaces.rerank import PAIR_TOKENS, RERANK


def ask(**fields: Any) -> Ask:
    return RERANK.read_request(json.dumps(fields, separators=(",", ":")).encode())


@pytest.mark.parametrize(
    ("documents", "units"),
    [([], 1), (["x"] * 100, 1), (["x"] * 101, 2), (["x" * 5000] * 20, 3), ([{"text": "x"}], 1)],
)
def test_a_unit_is_a_hundred_short_documents(documents: list[Any], units: int) -> None:
    assert ask(query="which?", documents=documents).most == Usage(search_units=units)


def test_a_long_question_leaves_little_room_for_each_document() -> None:
    short, long = ask(query="q", documents=["x" * 600]), ask(query="q" * 600, documents=["x" * 600])
    assert short.most.search_units == 1
    assert long.most.search_units == 7, "as little as a token of it to a piece"


def test_the_question_is_read_with_each_document() -> None:
    assert ask(query="1234", documents=["x"] * 3).extra_input == 3 * (6 + PAIR_TOKENS)
    assert not ask(query="1234", documents=["x"]).makes_output


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        ({"meta": {"billed_units": {"search_units": 2}}}, Usage(search_units=2)),
        ({"usage": {"prompt_tokens": 5, "total_tokens": 5}}, Usage(input=5)),
        ({"usage": {"total_tokens": 17, "cost": 3.4e-07}}, Usage(input=17)),
        ({"usage": {"prompt_tokens": 5, "completion_tokens": 1}}, None),
        ({"meta": {"billed_units": {"search_units": -1}}}, None),
        ({"meta": None, "usage": None}, None),
        ({}, None),
    ],
)
def test_the_usage_of_an_answer(told: dict[str, Any], usage: Usage | None) -> None:
    assert RERANK.read_answer(json.dumps({"id": "r", **told}).encode()).usage == usage


def test_what_is_no_answer_says_nothing() -> None:
    assert RERANK.read_answer(b"nonsense") == Answer()
