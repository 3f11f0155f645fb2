"""What a worker and the follower say to each other: what is sent is what is read."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from farthing.ledger.lookup import Found, Lookup, decode_found, decode_lookup, encode
from farthing.ledger.records import queries


def test_a_question_is_its_number_the_query_and_whose_it_must_be() -> None:
    """In this order on the wire, where a worker and a follower of two versions may meet."""
    asked = Lookup(number=2**40, query="q1", key="k1")
    assert msgspec.msgpack.decode(encode(asked)) == [2**40, "q1", "k1"]
    assert decode_lookup(encode(asked)) == asked


@pytest.mark.parametrize(
    "record",
    [
        None,
        {column.name: None for column in queries.columns},
        {"id": "q1", "cost": 2**63 - 1, "stream": True, "reason": "gone – “so”", "overrun": 0},
    ],
)
def test_an_answer_is_the_number_it_was_asked_with_and_the_record(
    record: dict[str, Any] | None,
) -> None:
    found = Found(number=7, record=record)
    assert msgspec.msgpack.decode(encode(found)) == [7, record]
    assert decode_found(encode(found)) == found


@pytest.mark.parametrize("told", [[1, "q1"], ["1", "q1", "k1"], [1, None, "k1"], {"query": "q1"}])
def test_a_question_that_is_none_is_not_taken(told: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_lookup(encode(told))
