"""What all translations share: refusals by class of loss, errors, and streams nobody asked for."""

from __future__ import annotations

import json

import pytest

from farthing.errors import Malformed, Refused
from farthing.wire.codecs import CODECS
from farthing.wire.crossing import Severity
from farthing.wire.dialect import Answer, Ask
from farthing.wire.embed.tap import no_stream
from farthing.wire.passage import Passage, decoded


def passage() -> Passage:
    return Passage(CODECS["chat"], CODECS["messages"], {}, {})


@pytest.mark.parametrize(
    ("severity", "refused", "refused_strictly"),
    [("hint", False, False), ("shape", False, True), ("meaning", True, True)],
)
def test_what_is_refused(severity: Severity, refused: bool, refused_strictly: bool) -> None:
    for strict, wanted in ((False, refused), (True, refused_strictly)):
        way = passage()
        way.out.lose("it", severity)
        if not wanted:
            way.check(strict=strict)
            continue
        with pytest.raises(Refused, match="`it`") as problem:
            way.check(strict=strict)
        assert problem.value.code == "lossy_crossing"


def test_losses_are_named_both_ways() -> None:
    way = passage()
    way.out.lose("b", "shape")
    way.back.lose("a", "hint")
    assert way.losses() == ("hint answer.a", "shape b")


@pytest.mark.parametrize("body", [b"\xff", b"", b"overloaded", b'{"error":{"message":"no"}}'])
def test_an_error_is_told_whatever_it_is(body: bytes) -> None:
    assert json.loads(passage().problem(500, body))["error"]["message"]


def test_a_stream_that_cannot_be_translated_is_not_passed_on() -> None:
    tap = passage().tap(no_stream(Ask(body=b"", fields={}, model="m")), usage=True)
    with pytest.raises(Malformed, match="not asked for"):
        tap.feed(b"data: {}\n\n")
    assert (tap.rest(), tap.answer()) == (b"", Answer())


@pytest.mark.parametrize("body", [b"", b"{", b"\xff"])
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        decoded(body)
