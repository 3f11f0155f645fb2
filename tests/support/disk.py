"""A disk in memory that does what disks do: forgets, tears, fails and fills up; by a seed.

What a process wrote is seen by the next one, but only what was synced is certain to be there after
the power was cut: of each file's other writes any may be lost, or kept in a part, and so may each
name that was made or changed since its folder was synced.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
from collections.abc import Iterator
from pathlib import Path

from farthing.ledger.disk import Disk


class PowerCutError(BaseException):
    """The power is gone; so is the process, and whatever it was about to do."""


class File:
    """A file's bytes as they are read, as they are on the platter, and what lies between."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.stable = bytearray()
        self.pending: list[tuple[str, int, bytes]] = []

    def do(self, what: str, at: int, data: bytes = b"") -> None:
        _apply(self.data, what, at, data)
        self.pending.append((what, at, data))

    def sync(self) -> None:
        for what, at, data in self.pending:
            _apply(self.stable, what, at, data)
        self.pending.clear()

    def lose_power(self, draw: random.Random) -> None:
        """Keep any of what was not synced, in its order; of a write perhaps only a part."""
        for what, at, data in self.pending:
            luck = draw.random()
            if luck < 0.4:
                _apply(self.stable, what, at, data)
            elif luck < 0.8 and what == "write":
                first, last = sorted((draw.randint(0, len(data)), draw.randint(0, len(data))))
                _apply(self.stable, what, at + first, data[first:last])
        self.data = bytearray(self.stable)
        self.pending.clear()


def _apply(content: bytearray, what: str, at: int, data: bytes) -> None:
    if what == "cut":
        del content[at:]
    if what != "write" or data:
        content.extend(bytes(max(0, at + len(data) - len(content))))
    if what == "write":
        content[at : at + len(data)] = data


def _bind(names: dict[str, File], change: dict[str, File | None]) -> None:
    for path, file in change.items():
        if file is None:
            names.pop(path, None)
        else:
            names[path] = file


def _is_in(path: str, folder: Path) -> bool:
    return path.rpartition("/")[0] == str(folder)


class SimulatedDisk(Disk):
    """Takes the place of the system's files. One process uses it at a time."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.full = 0.0
        """How likely it is that there is no room."""
        self.calls_left: int | None = None
        """After so many calls that change something the power is cut."""
        self.syncs_left: int | None = None
        """After so many syncs one fails."""
        self.off = False
        self._names: dict[str, File] = {}
        self._stable: dict[str, File] = {}
        self._pending: list[dict[str, File | None]] = []
        self._open: dict[int, File] = {}

    def restart(self, power_lost: bool) -> None:
        """Let the next process come, after the power was cut or only the process killed."""
        if power_lost:
            for change in self._pending:
                if self.draw.random() < 0.5:
                    _bind(self._stable, change)
            self._pending.clear()
            for file in {id(f): f for f in self._stable.values()}.values():
                file.lose_power(self.draw)
            self._names = dict(self._stable)
        self._open.clear()
        self.off, self.full = False, 0.0
        self.calls_left = self.syncs_left = None

    def _name(self, change: dict[str, File | None]) -> None:
        """Change names, all of them or, if the power is cut, none."""
        _bind(self._names, change)
        self._pending.append(change)

    def _change(self) -> None:
        """Count a change, or find that the power is gone."""
        if self.calls_left is not None:
            self.calls_left -= 1
            self.off = self.off or self.calls_left < 0
        if self.off:
            raise PowerCutError

    def _room(self) -> None:
        if self.draw.random() < self.full:
            raise OSError(errno.ENOSPC, "No space left on device")

    def make_folder(self, folder: Path) -> None:
        """There are folders enough."""

    def remove_folder(self, folder: Path) -> None:
        """There are folders enough."""

    def lock(self, path: Path, busy: str) -> int:
        return self.open(path, os.O_CREAT)

    def names(self, folder: Path) -> list[str]:
        return [path.rpartition("/")[2] for path in self._names if _is_in(path, folder)]

    def open(self, path: Path, flags: int) -> int:
        found = self._names.get(str(path))
        if found is None:
            if not flags & os.O_CREAT:
                raise FileNotFoundError(errno.ENOENT, "No such file", str(path))
            self._change()
            self._room()
            found = File()
            self._name({str(path): found})
        elif flags & os.O_TRUNC:
            self._change()
            found.do("cut", 0)
        number = len(self._open) + 3
        while number in self._open:
            number += 1
        self._open[number] = found
        return number

    def close(self, file: int) -> None:
        self._open.pop(file, None)

    def size(self, file: int) -> int:
        return len(self._open[file].data)

    def read(self, file: int, count: int, offset: int) -> bytes:
        return bytes(self._open[file].data[offset : offset + count])

    def write(self, file: int, data: bytes, offset: int) -> None:
        if offset + len(data) > self.size(file):
            self._room()
        self._open[file].do("write", offset, data)
        self._change()

    @contextlib.contextmanager
    def map(self, file: int) -> Iterator[bytes]:
        yield bytes(self._open[file].data)

    def allocate(self, file: int, offset: int, size: int) -> None:
        self._room()
        self._open[file].do("allocate", offset + size)
        self._change()

    def truncate(self, file: int, size: int) -> None:
        self._open[file].do("cut", size)
        self._change()

    def sync(self, file: int) -> None:
        self._change()
        self._fail_if_due(self._open[file])
        self._open[file].sync()

    def _fail_if_due(self, file: File) -> None:
        """Fail as Linux does: what could not be written is forgotten, and read from memory."""
        if self.syncs_left is None:
            return
        self.syncs_left -= 1
        if self.syncs_left < 0:
            file.pending.clear()
            raise OSError(errno.EIO, "Input/output error")

    def sync_folder(self, folder: Path) -> None:
        self._change()
        here = [change for change in self._pending if _is_in(next(iter(change)), folder)]
        for change in here:
            _bind(self._stable, change)
        self._pending = [change for change in self._pending if change not in here]

    def rename(self, path: Path, to: Path) -> None:
        self._room()
        file = self._names[str(path)]
        self._name({str(path): None, str(to): file})
        self._change()

    def remove(self, path: Path) -> None:
        if str(path) in self._names:
            self._name({str(path): None})
            self._change()
