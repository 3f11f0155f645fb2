"""The log's files: each is there whole or not at all, and on the disk when that is said."""

from __future__ import annotations

import os
from pathlib import Path

from farthing.evidence.tiles import WIDTH, Tile
from farthing.ledger.disk import DISK, Disk

# A file while it is written; left by a crash, it is written over.
NEW = ".new"


class Store:
    """A folder of files that are read while they are made. One process writes it."""

    def __init__(self, root: Path, disk: Disk = DISK) -> None:
        self._root = root
        self._disk = disk
        self._made: set[Path] = set()
        self._unsynced: set[Path] = set()

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes; None if it is not there."""
        try:
            file = self._disk.open(self._root / path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            return self._disk.read(file, self._disk.size(file), 0)
        finally:
            self._disk.close(file)

    def write(self, path: str, data: bytes) -> None:
        """Write a file by another name and rename it; its name is durable after `sync`."""
        place = self._root / path
        self._make(place.parent)
        new = place.with_name(NEW)
        file = self._disk.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        try:
            self._disk.write(file, data, 0)
            self._disk.sync(file)
        finally:
            self._disk.close(file)
        self._disk.rename(new, place)
        self._unsynced.add(place.parent)

    def ensure(self, path: str, data: bytes) -> None:
        """Write a file, unless it is there; its name may not be durable then either."""
        if self.read(path) != data:
            self.write(path, data)
            return
        folder = (self._root / path).parent
        self._make(folder)
        self._unsynced.add(folder)

    def sync(self) -> None:
        """Make the names of what was written durable."""
        for folder in sorted(self._unsynced):
            self._disk.sync_folder(folder)
            self._unsynced.remove(folder)

    def replace(self, path: str, data: bytes) -> None:
        """Write a file, durable when this returns."""
        self.write(path, data)
        self.sync()

    def rename(self, path: str, to: str) -> None:
        """Give a file another name beside it, in place of what had it, durably."""
        place = self._root / to
        self._disk.rename(self._root / path, place)
        self._disk.sync_folder(place.parent)

    def remove(self, path: str) -> None:
        """Remove a file, if it is there; durable when this returns."""
        if self.read(path) is not None:
            self._disk.remove(self._root / path)
            self._disk.sync_folder((self._root / path).parent)

    def remove_parts(self, tile: Tile) -> None:
        """Remove what was published of a tile before it was complete."""
        folder = (self._root / tile._replace(width=1).path).parent
        try:
            names = self._disk.names(folder)
        except FileNotFoundError:
            return
        assert tile.width == WIDTH, "then its parts are needed no more"
        for name in names:
            self._disk.remove(folder / name)
        self._disk.remove_folder(folder)
        self._made.discard(folder)
        self._unsynced.discard(folder)

    def _make(self, folder: Path) -> None:
        if folder in self._made:
            return
        if folder != self._root:
            self._make(folder.parent)
        self._disk.make_folder(folder)
        self._unsynced.add(folder.parent)
        self._made.add(folder)
