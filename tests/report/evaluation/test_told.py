"""What parent and child say to each other survives the way there."""

from __future__ import annotations

import msgspec
import pytest

from farthing.ledger.evaluation import Score
from farthing.report.evaluation.told import (
    Began,
    Broke,
    Ended,
    Said,
    Sampled,
    Told,
    decode_said,
    encode,
)


@pytest.mark.parametrize(
    "said",
    [
        Began("t", "1", "ab", 3, 2),
        Sampled(False),
        Ended("x.eval", 2, 3, [Score("s", "m", "0.5", "0", "1", "wilson-95", 2)], "why\nnot"),
        Broke("é"),
    ],
    ids=lambda said: type(said).__name__,
)
def test_what_is_said_is_one_line_and_heard(said: Said) -> None:
    line = encode(said)
    assert b"\n" not in line and decode_said(line) == said


def test_what_it_is_told_is_one_line() -> None:
    told = Told("t.py", {"a": "1\n2"}, "m", "http://h", "k", "tag", "/f", None, 2, 1, None)
    line = encode(told)
    assert b"\n" not in line and msgspec.json.decode(line, type=Told) == told
