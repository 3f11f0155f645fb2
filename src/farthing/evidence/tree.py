"""A tree that only grows: it keeps its right edge and gives each tile out when it is complete."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from farthing.evidence.merkle import peaks_root, perfect_root
from farthing.evidence.tiles import ENTRIES, ENTRY_MOST, HASH, LENGTH, WIDTH, Tile

TILE = WIDTH * HASH

Piece = tuple[Tile, bytes]
"""A tile, and what is in it."""


class Tree:
    """The leaves so far, by the incomplete tiles at their right edge."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytearray] = [bytearray()]
        self._bundle: list[bytes] = []

    def add(self, entry: bytes) -> list[Piece]:
        """Take an entry in; return what became complete by it."""
        assert len(entry) <= ENTRY_MOST, "a leaf that no bundle can hold"
        self._bundle.append(LENGTH.pack(len(entry)))
        self._bundle.append(entry)
        leaves = self._edge[0]
        leaves += sha256(b"\0" + entry).digest()
        self.size += 1
        return self._completed() if len(leaves) == TILE else []

    def _completed(self) -> list[Piece]:
        pieces: list[Piece] = [(self._named(ENTRIES), b"".join(self._bundle))]
        self._bundle.clear()
        level = 0
        while len(self._edge[level]) == TILE:
            hashes = bytes(self._edge[level])
            pieces.append((self._named(level), hashes))
            self._edge[level].clear()
            level += 1
            if level == len(self._edge):
                self._edge.append(bytearray())
            self._edge[level] += perfect_root(hashes)
        return pieces

    def _named(self, level: int) -> Tile:
        """Return the tile that is complete now."""
        return Tile(level, (self.size >> 8 * (max(level, 0) + 1)) - 1)

    def edge(self) -> Iterator[Piece]:
        """Yield the tiles that are not complete, as they are now."""
        if self._bundle:
            yield self._part(ENTRIES, self.size), b"".join(self._bundle)
        for level, hashes in enumerate(self._edge):
            if hashes:
                yield self._part(level, self.size >> 8 * level), bytes(hashes)

    def _part(self, level: int, hashes: int) -> Tile:
        return Tile(level, *divmod(hashes, WIDTH))

    def root(self) -> bytes:
        """Return the root of all leaves so far."""
        peaks: list[bytes] = []
        for hashes in reversed(self._edge):
            at, left = 0, len(hashes)
            while left:
                # The perfect subtrees in a tile are as many as the ones in its width's binary.
                size = HASH << (left // HASH).bit_length() - 1
                peaks.append(perfect_root(bytes(hashes[at : at + size])))
                at, left = at + size, left - size
        return peaks_root(peaks)
