"""Where hashes and entries are: the paths of c2sp.org/tlog-tiles, and what they hold.

A tile of level L holds up to 256 hashes, each of 256ᴸ leaves; a bundle holds the entries of a
tile of level 0, each behind its length. What is complete never changes; what is not has its width
in its name.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from farthing.evidence.merkle import perfect_root

WIDTH = 256
HASH = 32
LENGTH = struct.Struct(">H")
ENTRY_MOST = 65_535
# A bundle of the largest entries.
TILE_BYTES_MOST = WIDTH * (LENGTH.size + ENTRY_MOST)
ENTRIES = -1
"""The level, here, of what is under tile/entries."""

PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9]|[1-5][0-9]|6[0-3])/"
    r"(?P<number>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)

Fetch = Callable[[str], bytes]
"""Returns a file of the log by its path, such as "checkpoint"; raises FileNotFoundError."""


class TileError(ValueError):
    """A tile or a bundle is not what it must be."""


class Tile(NamedTuple):
    """The name of a tile, or of a bundle of entries."""

    level: int
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Its path, below the log's own."""
        digits = f"{self.number:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        name = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        level = "entries" if self.level == ENTRIES else str(self.level)
        return f"tile/{level}/{name}" + ("" if self.width == WIDTH else f".p/{self.width}")

    @classmethod
    def of(cls, path: str) -> Tile | None:
        """Read a path; None if it is no tile's, or not written as `path` writes it."""
        found = PATH.fullmatch(path)
        if found is None:
            return None
        level = ENTRIES if found["level"] == "entries" else int(found["level"])
        number = int(re.sub("[x/]", "", found["number"]))
        tile = cls(level, number, int(found["width"] or WIDTH))
        return tile if tile.path == path else None


def tile_in(level: int, number: int, size: int) -> Tile:
    """Return the tile of a number as it is in the tree of a size: whole, or as wide as it is."""
    hashes = size if level == ENTRIES else size >> 8 * level
    return Tile(level, number, min(WIDTH, hashes - number * WIDTH))


def bundled(entries: list[bytes]) -> bytes:
    """Return entries one behind the other, each behind its length."""
    return b"".join([LENGTH.pack(len(entry)) + entry for entry in entries])


def unbundled(data: bytes) -> list[bytes]:
    """Return the entries of a bundle.

    Raises:
        TileError: it does not end where an entry ends.
    """
    entries, at = list[bytes](), 0
    while at < len(data):
        if at + LENGTH.size > len(data):
            raise TileError("a bundle of entries is cut off")
        (length,) = LENGTH.unpack_from(data, at)
        at += LENGTH.size + length
        entries.append(data[at - length : at])
    if at != len(data):
        raise TileError("a bundle of entries is cut off")
    return entries


class TreeReader:
    """Reads the tree of a size from its tiles."""

    def __init__(self, fetch: Fetch, size: int) -> None:
        self.size = size
        self._fetch = fetch
        self.tile = lru_cache(64)(self._read)
        """Returns the bytes of a tile by its level and number; raises as `subtree` does."""

    def subtree(self, begin: int, end: int) -> bytes:
        """Return the hash of a perfect subtree.

        Raises:
            FileNotFoundError: its tile is not there.
            TileError: its tile has not the length that it must have.
        """
        level, inner = divmod((end - begin).bit_length() - 1, 8)
        first, count = begin >> 8 * level, 1 << inner
        number, at = divmod(first, WIDTH)
        hashes = self.tile(level, number)[at * HASH : (at + count) * HASH]
        return perfect_root(hashes)

    def entry(self, index: int) -> bytes:
        """Return an entry; raises as `subtree` does."""
        return self.bundle(index // WIDTH)[index % WIDTH]

    def bundle(self, number: int) -> list[bytes]:
        """Return the entries of a bundle; raises as `subtree` does."""
        entries = unbundled(self.tile(ENTRIES, number))
        wanted = tile_in(ENTRIES, number, self.size).width
        if len(entries) < wanted:
            raise TileError(f"bundle {number} has {len(entries)} entries, not {wanted}")
        return entries[:wanted]

    def _read(self, level: int, number: int) -> bytes:
        tile = tile_in(level, number, self.size)
        try:
            data = self._fetch(tile.path)
        except FileNotFoundError:
            if tile.width == WIDTH:
                raise
            tile = Tile(level, number)  # it has become complete since, and the part was removed
            data = self._fetch(tile.path)
        if level != ENTRIES and len(data) != tile.width * HASH:
            raise TileError(f"{tile.path} has {len(data)} bytes, not {tile.width * HASH}")
        return data
