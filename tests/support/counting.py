"""A state that only counts what it takes: enough for snapshots to be made of it."""

from __future__ import annotations

import zlib
from typing import Self

import msgspec

from farthing.ledger.entry import Entry, Refusal, encode


class Counting:
    """How many entries it took, and a sum of them in their order."""

    def __init__(self, position: int = 0, sum_: int = 0) -> None:
        self.position = position
        self.sum = sum_

    @classmethod
    def of(cls, entries: list[Entry]) -> Self:
        """Return what some entries make."""
        state = cls()
        for entry in entries:
            state.apply(entry)
        return state

    def apply(self, entry: Entry) -> Refusal | None:
        """Take anything."""
        self.position += 1
        self.sum = zlib.crc32(encode(entry), self.sum)
        return None

    def encoded(self) -> bytes:
        """Both numbers."""
        return msgspec.msgpack.encode((self.position, self.sum))

    @classmethod
    def decoded(cls, data: bytes) -> Self:
        """The state that was encoded."""
        return cls(*msgspec.msgpack.decode(data, type=tuple[int, int]))
