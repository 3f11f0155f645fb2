"""Counting tokens: free, recorded, and of the dialect that it counts for."""

from __future__ import annotations

import json

import pytest

from farthing.wire.count.dialects import COUNTING, read_request
from farthing.wire.dialect import Changes, Usage


def test_a_count_makes_nothing_and_costs_nothing() -> None:
    body = b'{"model":"m","messages":[]}'
    ask = read_request(body)
    assert (ask.model, ask.free, ask.makes_output, ask.stream) == ("m", True, False, False)
    assert COUNTING.write_request(ask, Changes()) is ask.body
    assert json.loads(COUNTING.write_request(ask, Changes(model="n")))["model"] == "n"


def test_a_count_used_nothing() -> None:
    assert COUNTING.read_answer(b'{"input_tokens":9}').usage == Usage()


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"input_tokens":"9"}', b'{"input_tokens":-1}']
)
def test_what_is_no_count_is_not_taken_for_one(body: bytes) -> None:
    assert COUNTING.read_answer(body).usage is None
