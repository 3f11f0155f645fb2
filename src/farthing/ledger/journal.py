"""The journal's file: groups of entries, appended, checksummed, and never changed.

A group is a header and a MessagePack array of entries:

    magic "FGRP" | payload length u32 | CRC-32 u32 | first entry u64 | durable entries u64

little-endian; the checksum covers the two counters and the payload. Entries are numbered from 1
without gaps. "Durable entries" says how many entries were known to be on the disk when the group
was written. It tells a torn tail, which a crash may leave and which is cut off, from damage to
entries that were acknowledged, with which farthing refuses to start.

The file grows by whole extents of zeros that are allocated beforehand, so that appending moves
no metadata, and a disk that is full is noticed before a query is admitted, not while it runs.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from farthing.errors import ConfigError
from farthing.ledger.entry import Entry, decode_many
from farthing.paths import lock, sync_folder

MAGIC = b"FGRP"
HEADER = struct.Struct("<4sIIQQ")
COUNTERS = struct.Struct("<QQ")
EXTENT = 4 * 1024 * 1024
FIRST_SEGMENT = "00000001.journal"

# What a disk says when there is no more room: full, over quota, or over the file's size limit.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class JournalFullError(Exception):
    """There is no room for more; nothing was written."""


class JournalDamagedError(ConfigError):
    """Entries that were acknowledged cannot be read."""


def read_groups(
    buffer: bytes | mmap.mmap, offset: int, position: int
) -> Iterator[tuple[list[Entry], int]]:
    """Yield each whole group from an offset on: its entries, and the offset after it.

    `position` is the number of entries before the offset. Ends at the first byte that is not the
    start of the next whole group.
    """
    while (group := _group_at(buffer, offset, position)) is not None:
        entries, offset, _ = group
        position += len(entries)
        yield entries, offset


def _group_at(
    buffer: bytes | mmap.mmap, offset: int, position: int | None
) -> tuple[list[Entry], int, int] | None:
    """Return the group that begins at an offset: entries, end, durable entries. Or None."""
    head = buffer[offset : offset + HEADER.size]
    if len(head) < HEADER.size:
        return None
    magic, length, checksum, first, durable = HEADER.unpack(head)
    start = offset + HEADER.size
    if magic != MAGIC or start + length > len(buffer):
        return None
    if position is not None and first != position + 1:
        return None
    payload = buffer[start : start + length]
    if zlib.crc32(payload, zlib.crc32(COUNTERS.pack(first, durable))) != checksum:
        return None
    return decode_many(payload), start + length, durable


class Journal:
    """An open journal: recovered first, then appended to. One process at a time."""

    def __init__(self, folder: Path) -> None:
        """Open or make the journal in a folder and take its lock.

        Raises:
            ConfigError: another process has it open.
        """
        folder.mkdir(exist_ok=True, mode=0o700)
        self.path = folder / FIRST_SEGMENT
        self._lock = lock(
            folder / "lock",
            f"the ledger in {folder.parent} is already open in another process; stop that "
            "gateway, or choose another folder with --data",
        )
        self._file = os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600)
        # Each time, since a crash may have come between making a name and syncing it.
        sync_folder(folder)
        sync_folder(folder.parent)
        self.position = 0
        """Entries written."""
        self.durable = 0
        """Entries known to be on the disk."""
        self._end = 0
        self._allocated = 0
        self._recovered = False

    def recover(self) -> Iterator[Entry]:
        """Yield every entry, then cut off a torn tail. To be run to its end before appending.

        Raises:
            JournalDamagedError: what cannot be read was acknowledged once.
        """
        size = os.fstat(self._file).st_size
        if size:
            with mmap.mmap(self._file, size, prot=mmap.PROT_READ) as buffer:
                for entries, self._end in read_groups(buffer, 0, 0):
                    self.position += len(entries)
                    yield from entries
                self._check_tail(buffer)
        os.ftruncate(self._file, self._end)
        self._allocated = self._end
        self._recovered = True
        self.sync()

    def _check_tail(self, buffer: mmap.mmap) -> None:
        """Refuse if a group after the unreadable bytes knew them to be durable."""
        offset = self._end
        while (offset := buffer.find(MAGIC, offset)) >= 0:
            group = _group_at(buffer, offset, None)
            if group is not None and group[2] > self.position:
                raise JournalDamagedError(
                    f"{self.path} is damaged at byte {self._end}: entry {self.position + 1} was "
                    f"acknowledged and cannot be read, and intact entries follow at byte {offset}. "
                    "Nothing was changed. Put back an intact copy of the file."
                )
            offset += 1

    def reserve(self, size: int) -> None:
        """Make sure that this many more bytes can be appended whatever the disk does.

        Raises:
            JournalFullError: the disk has no room for them.
        """
        while self._allocated - self._end < size:
            try:
                os.posix_fallocate(self._file, self._allocated, EXTENT)
            except OSError as error:
                if error.errno not in FULL:
                    raise
                raise JournalFullError(f"no room for the journal: {error.strerror}") from None
            self._allocated += EXTENT

    def append(self, entries: list[bytes]) -> None:
        """Write encoded entries as one group. They survive the process, not yet the power."""
        payload = _array_header(len(entries)) + b"".join(entries)
        first = self.position + 1
        checksum = zlib.crc32(payload, zlib.crc32(COUNTERS.pack(first, self.durable)))
        group = HEADER.pack(MAGIC, len(payload), checksum, first, self.durable) + payload
        self.reserve(len(group))
        written = os.pwrite(self._file, group, self._end)
        if written != len(group):
            raise OSError(errno.EIO, "the journal took only a part of a group")
        self._end += written
        self.position += len(entries)

    def sync(self) -> None:
        """Put everything written on the disk. Safe to call from another thread."""
        position = self.position
        sync_file(self._file)
        self.durable = position

    def close(self) -> None:
        """Give back the unused extent and the lock. What was not recovered is left as it is."""
        if self._recovered:
            os.ftruncate(self._file, self._end)
            sync_file(self._file)
        os.close(self._file)
        os.close(self._lock)


def sync_file(descriptor: int) -> None:
    """Put a file on the disk; macOS needs a call of its own to get past the drive's cache."""
    if hasattr(fcntl, "F_FULLFSYNC"):
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fdatasync(descriptor)


def _array_header(count: int) -> bytes:
    """Return the MessagePack header of an array of that many items."""
    if count < 16:
        return bytes((0x90 | count,))
    return struct.pack(">BH", 0xDC, count) if count < 65536 else struct.pack(">BI", 0xDD, count)
