"""The journal: groups of entries, appended, checksummed, and never changed.

It is a folder of segments (`segments.py`), each a sequence of groups (`groups.py`). The last one
is appended to until it has reached its size; then it is sealed and never written again. Only the
last one can have a torn tail.

A segment grows by whole extents that are allocated beforehand, so that a disk that is full is
noticed before a query is admitted, not while it runs; and a little ahead of what is appended zeros
are written, so that a sync finds no metadata that it must write as well.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from farthing.errors import ConfigError
from farthing.ledger.disk import DISK, FULL, Disk
from farthing.ledger.entry import Entry
from farthing.ledger.groups import HEADER, encode_group, read_groups
from farthing.ledger.segments import (
    FIRST_SEGMENT,
    NEXT,
    SEAL,
    START,
    JournalDamagedError,
    Mark,
    Segment,
    Walk,
    complete_seal,
    damaged,
    read_chain,
    segment_numbers,
    segment_path,
    write_seal,
)

__all__ = [
    "EXTENT",
    "FIRST_SEGMENT",
    "Journal",
    "JournalDamagedError",
    "JournalFullError",
    "read_groups",
]

log = logging.getLogger("farthing")

EXTENT = 4 * 1024 * 1024
# How far ahead zeros are written: the first write to room that is only allocated changes metadata.
ZEROED = 128 * 1024
# About a quarter of a million queries; what a start with a snapshot passes over is at most this.
SEGMENT = 64 * 1024 * 1024

NO_ROOM = "the disk has no room for the journal; free some, then start again"


class JournalFullError(Exception):
    """There is no room for more; nothing was written."""


class Journal:
    """An open journal: recovered first, then appended to. One process at a time."""

    def __init__(self, folder: Path, segment: int = SEGMENT, disk: Disk = DISK) -> None:
        """Open or make the journal in a folder and take its lock.

        Raises:
            ConfigError: another process has it open, or the disk is full.
        """
        disk.make_folder(folder)
        self.folder = folder
        self.disk = disk
        self._size = segment
        self._lock = disk.lock(
            folder / "lock",
            f"the ledger in {folder.parent} is already open in another process; stop that "
            "gateway, or choose another folder with --data",
        )
        self._use(Segment(segment_path(folder, max(segment_numbers(disk, folder), default=1))))
        try:
            self._file = disk.open(self.path, os.O_CREAT | os.O_RDWR)
        except OSError as error:
            disk.close(self._lock)
            raise (ConfigError(NO_ROOM) if error.errno in FULL else error) from None
        # Each time, since a crash may have come between making a name and syncing it.
        disk.sync_folder(folder)
        disk.sync_folder(folder.parent)
        self.position = 0
        """Entries written."""
        self.durable = 0
        """Entries known to be on the disk."""
        self._end = 0
        self._allocated = 0
        self._zeroed = 0
        """Up to here the file's room was written once."""
        self._promised = 0
        self._sum = hashlib.sha256()
        self._room = threading.Lock()
        self._recovered = False

    def _use(self, segment: Segment) -> None:
        self._segment, self.path = segment, segment.path
        self._roll_at = max(self._size, len(segment.link) + 1)  # not before it holds a group

    def recover(self, after: Mark = START) -> Iterator[Entry]:
        """Yield every entry after a mark, then cut off a torn tail. To be run to its end.

        Raises:
            JournalDamagedError: what cannot be read was acknowledged once.
        """
        chain = read_chain(self.disk, self.folder)
        first = max(n for n, s in enumerate(chain) if n == 0 or s.before < after.position)
        for segment, following in zip(chain[first:], [*chain[first + 1 :], None], strict=True):
            file = self.disk.open(segment.path, os.O_RDONLY)
            try:
                with self.disk.map(file) as buffer:
                    walk = Walk(segment, buffer)
                    walk.skip(after)
                    for entries in walk.groups() if walk.position >= after.position else ():
                        yield from entries
                    walk.check_end(following)
                    unproven = walk.unproven
            finally:
                self.disk.close(file)
        if walk.position < after.position:
            raise damaged(
                walk.segment.path,
                f"ends after entry {walk.position}, but a snapshot was made after entry "
                f"{after.position}: entries that were acknowledged are missing",
            )
        self._begin(chain, walk, unproven)

    def _begin(self, chain: list[Segment], walk: Walk, unproven: bytes) -> None:
        """Append from here on: what a crash left undone is done first.

        The last groups are written again, as they are: after a sync that failed they may be read
        from memory and yet never have reached the disk, and another sync alone would not tell.
        """
        self._use(walk.segment)
        self.position, self._end, self._sum = walk.position, walk.end, walk.sum
        for segment, following in pairwise(chain):
            complete_seal(self.disk, segment, following)
        self.disk.remove(self.folder / NEXT)
        self.disk.truncate(self._file, self._end)
        self.disk.write(self._file, unproven, self._end - len(unproven))
        self._allocated = self._zeroed = self._end
        self._recovered = True
        self.sync()
        if self.roll_due:
            self.roll()

    def reserve(self, size: int) -> None:
        """Make sure that this many more bytes can be appended whatever the disk does.

        What was asked for last holds until the next call, also across segments.

        Raises:
            JournalFullError: the disk has no room for them.
        """
        with self._room:
            self._grow(size)
            self._promised = size

    def _grow(self, size: int) -> None:
        while self._allocated - self._end < size:
            try:
                self.disk.allocate(self._file, self._allocated, EXTENT)
            except OSError as error:
                if error.errno not in FULL:
                    raise
                raise JournalFullError(f"no room for the journal: {error.strerror}") from None
            self._allocated += EXTENT

    def append(self, entries: list[bytes]) -> None:
        """Write encoded entries as one group. They survive the process, not yet the power."""
        group = encode_group(entries, self.position + 1, self.durable)
        self._grow(len(group))
        end = self._end + len(group)
        if end > self._zeroed:
            self._zeroed = min(end + ZEROED, self._allocated)
            group += bytes(self._zeroed - end)
        self.disk.write(self._file, group, self._end)
        self._sum.update(group[: HEADER.size])
        self._end = end
        self.position += len(entries)

    def sync(self) -> None:
        """Put everything written on the disk. Safe to call from another thread."""
        position = self.position
        self.disk.sync(self._file)
        self.durable = position

    @property
    def roll_due(self) -> bool:
        """Whether the segment has reached its size."""
        return self._end >= self._roll_at

    def roll(self) -> None:
        """Seal the segment and go on in a new one; where the disk is full, in this one.

        May be called from another thread, but nothing may be appended or synced meanwhile. What
        was reserved stays reserved at every moment. The order makes it safe to crash anywhere:
        what is in the segment is on the disk before the next one has its name, and that has its
        link and its name on the disk before this one is cut off at its end.
        """
        self.sync()
        number, sums = self._segment.number + 1, (self.position, self._end, self._sum.digest())
        following = Segment(segment_path(self.folder, number), number, *sums)
        sealed, file, end = self._segment, self._file, self._end
        try:
            self._go_on_in(following)
        except (OSError, JournalFullError) as error:
            if isinstance(error, OSError) and error.errno not in FULL:
                raise
            log.warning("no room for the journal's next segment (%s); going on in this", error)
            self._roll_at = self._end + EXTENT
            return
        self.disk.sync_folder(self.folder)
        write_seal(self.disk, file, end, sealed.seal(self.position))
        self.disk.close(file)

    def _go_on_in(self, segment: Segment) -> None:
        """Make a segment and append to it from here on, or change nothing."""
        temporary, link = self.folder / NEXT, segment.link
        file = self.disk.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_RDWR)
        try:
            allocated = self._give_room(file, 0, len(link))
            self.disk.write(file, link, 0)
            self.disk.sync(file)
            with self._room:  # `reserve` waits for the room and the name, never for the disk
                self._grow(SEAL.size)
                allocated = self._give_room(file, allocated, len(link))
                self.disk.rename(temporary, segment.path)
                self._use(segment)
                self._file, self._end, self._allocated = file, len(link), allocated
                self._zeroed = len(link)
                self._sum = hashlib.sha256(link)
        except BaseException:
            self.disk.close(file)
            self.disk.remove(temporary)
            raise

    def _give_room(self, file: int, allocated: int, link: int) -> int:
        """Allocate what a new segment needs to keep what was promised; return its size."""
        while allocated < link + self._promised:
            self.disk.allocate(file, allocated, EXTENT)
            allocated += EXTENT
        return allocated

    def close(self) -> None:
        """Give back the unused extent and the lock. What was not recovered is left as it is."""
        if self._recovered:
            self.disk.truncate(self._file, self._end)
            self.disk.sync(self._file)
        self.disk.close(self._file)
        self.disk.close(self._lock)
