"""A refusal on its way from a ledger to its workers, of whatever version either is."""

from __future__ import annotations

import msgspec

from farthing.ledger import entry
from farthing.ledger.refusal import Refusal


def test_a_refusal_says_the_same_after_its_way() -> None:
    said = Refusal("limit_reached", "key:k", "usd", 5, 3, 1, 2, "day", 9, "why")
    data = msgspec.msgpack.encode(said)
    assert msgspec.msgpack.decode(data)[:3] == ["refusal", "limit_reached", "key:k"]
    assert msgspec.msgpack.decode(data, type=Refusal) == said
    short = msgspec.msgpack.encode(["refusal", "duplicate"])
    assert msgspec.msgpack.decode(short, type=Refusal) == Refusal("duplicate")


def test_entries_and_refusals_are_found_in_one_place() -> None:
    assert entry.Refusal is Refusal
