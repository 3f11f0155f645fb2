"""What the log says of each entry of the journal: one line of JSON (RFC 8785), or nothing.

Leaves are a function of the journal and of one secret: leaf i of a journal is for ever the same.
"""

from __future__ import annotations

from hashlib import sha256

from farthing.evidence.query import ENDINGS, query_leaf
from farthing.evidence.record import VERSION, encode, record_leaf
from farthing.evidence.tiles import ENTRY_MOST
from farthing.ledger.entry import Entry, Hold, Unresolved


class Leaves:
    """Turns a journal's entries into leaves, in their order; keeps the queries that are open."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._open: dict[str, tuple[int, Hold]] = {}

    def take(self, entry: Entry, position: int) -> bytes | None:
        """Return the leaf of the entry at a position, counted from 1.

        A hold has none: what was held stands in the leaf of its ending.
        """
        kind = type(entry)
        if kind is Hold:
            self._open[entry.id] = (position, entry)  # type: ignore[union-attr,assignment]
            return None
        if kind in ENDINGS:
            leaf = self._ending(entry, position)
        else:
            leaf = record_leaf(entry, position, self._secret)
        return leaf if len(leaf) <= ENTRY_MOST else _too_long(leaf, entry, position)

    def _ending(self, entry: Entry, position: int) -> bytes:
        assert not isinstance(entry, Hold), "that is no ending"
        query: str = entry.id  # type: ignore[union-attr]  # all endings have one
        if isinstance(entry, Unresolved):
            held, hold = self._open[query]  # it will end again
        else:
            held, hold = self._open.pop(query)
        return query_leaf(entry, position, hold, held, self._secret)  # type: ignore[arg-type]


def _too_long(leaf: bytes, entry: Entry, position: int) -> bytes:
    """Return what stands for a leaf that no bundle can hold, such as of a thousand tranches."""
    kind = type(entry).__struct_config__.tag
    digest = sha256(leaf).hexdigest()
    return encode({"entry": position, "kind": kind, "leaf_sha256": digest, "v": VERSION})
