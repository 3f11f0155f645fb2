"""Envelopes: the request in them is the dialect's own, and what is beside it is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from farthing.errors import Malformed
from farthing.wire import DIALECTS
from farthing.wire.codecs import CODECS
from farthing.wire.count.envelopes import ENVELOPES, IDLE

X = {"parts": [{"text": "x"}]}


def test_every_dialect_that_counts_has_an_envelope() -> None:
    assert list(ENVELOPES) == [d.name for d in DIALECTS.values() if d.family == "counting"]
    assert all(envelope.of in CODECS for envelope in ENVELOPES.values())


@pytest.mark.parametrize("name", ENVELOPES)
def test_what_is_wrapped_can_be_opened(name: str) -> None:
    request = {"contents": [X], "messages": []} if name != "gemini-counting" else {"contents": [X]}
    told, beside = ENVELOPES[name].open(ENVELOPES[name].wrap(request, "m"))
    assert (told, beside) == (request, [])


@pytest.mark.parametrize("name", ENVELOPES)
def test_a_count_that_is_written_is_read(name: str) -> None:
    told = json.dumps(ENVELOPES[name].write(7)).encode()
    assert DIALECTS[name].read_count(told) == 7
    assert DIALECTS[name].read_answer(told).usage is not None


def test_a_request_with_more_than_contents_stands_nested_with_its_model() -> None:
    envelope = ENVELOPES["gemini-counting"]
    request = {"contents": [X], "tools": []}
    told = envelope.wrap(request, "m")
    assert told == {"generateContentRequest": {"model": "models/m", **request}}
    assert envelope.open(told) == (request, [])
    assert envelope.open({**told, "contents": []}) == (request, ["contents"])


@pytest.mark.parametrize(
    ("told", "beside"),
    [
        ({"input": {"converse": {"messages": []}}}, []),
        ({"input": {"invokeModel": {"body": "e30="}}}, ["input.invokeModel"]),
    ],
)
def test_only_requests_of_the_dialect_can_be_counted_elsewhere(
    told: dict[str, Any], beside: list[str]
) -> None:
    assert ENVELOPES["converse-counting"].open(told)[1] == beside


def test_a_request_without_its_envelope_is_malformed() -> None:
    with pytest.raises(Malformed):
        ENVELOPES["converse-counting"].open({"messages": []})


def test_what_endpoints_take_decides_a_count_and_what_is_idle_does_not() -> None:
    for envelope in ENVELOPES.values():
        assert not (envelope.takes or frozenset()) & IDLE
