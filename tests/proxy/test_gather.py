"""An answer of farthing's own: gathered whole, handed on piece by piece, ended once."""

from __future__ import annotations

import pytest

from farthing.errors import Failed
from farthing.proxy.gather import Gathered
from farthing.proxy.head import Head

HEAD = Head(200, b"", b"", encoded=False)
BROKEN = Failed("upstream_reset", "it broke")


def test_an_answer_is_gathered() -> None:
    told = Gathered()
    told.head(HEAD)
    assert told.arrived.result() is HEAD
    for piece in (b"a", b"b"):
        told.body(piece)
        told.flush()
    assert not told.finished.done
    told.complete()
    assert (told.finished.done, bytes(told.content)) == (True, b"ab")


def test_each_piece_is_handed_on_as_it_comes() -> None:
    pieces: list[bytes] = []
    told = Gathered(pieces.append)
    told.body(b"a")
    assert pieces == [b"a"]
    told.body(b"b")
    assert (pieces, bytes(told.content)) == ([b"a", b"b"], b"ab")


def test_an_answer_that_does_not_come_fails_whoever_waits() -> None:
    told = Gathered()
    told.broken(BROKEN)
    for waited in (told.arrived, told.finished):
        with pytest.raises(Failed, match="it broke"):
            waited.result()


def test_one_that_breaks_later_has_a_head_and_no_end() -> None:
    told = Gathered()
    told.head(HEAD)
    told.broken(BROKEN)
    assert told.arrived.result() is HEAD
    with pytest.raises(Failed):
        told.finished.result()


def test_what_has_ended_does_not_break() -> None:
    told = Gathered()
    told.complete()
    told.broken(BROKEN)
    assert told.finished.result() is None
