"""Entries that change no balance: the state takes them and is what it was."""

from __future__ import annotations

import msgspec
import pytest

from farthing.ledger.entry import Entry, Genesis
from farthing.ledger.reported import Erasure, LogKey, Refusals, Statement
from farthing.ledger.state import State

REPORTED: list[Entry] = [
    Refusals(2, 1, 2, "limit_reached", "team:a", "usd", "day", 7),
    Statement(2, "ann", "customer", "2026", "org:o", "j", "h", "p", 7, "r"),
    LogKey(2, "ann", "new", "old", "word"),
    Erasure(2, "ann", "e1", "request", ("q1",)),
]  # fmt: skip


@pytest.mark.parametrize("entry", REPORTED, ids=lambda entry: type(entry).__name__)
def test_they_are_counted_and_change_nothing_else(entry: Entry) -> None:
    state = State()
    state.apply(Genesis(1, "ledger"))
    before = msgspec.msgpack.decode(state.encoded())
    assert state.apply(entry) is None and state.position == 2 and not state.consequences
    after = msgspec.msgpack.decode(state.encoded())
    assert (before[1], after[1]) == (1, 2), "an image's second item is its position"
    assert after[2:] == before[2:]
