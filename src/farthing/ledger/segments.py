"""The journal's files: segments, each linked to the one before it.

`00000001.journal` is a sequence of groups. Each later one begins with a link:

    magic "FSEG" | CRC-32 u32 | its number u64 | entries before it u64 | bytes of the segment
    before it u64 | sum of the segment before it (32 bytes)

little-endian; the checksum covers what follows it. A segment's sum is the SHA-256 of its own link
and of the headers of its groups, each of which carries the checksum of its entries: so a link
vouches for everything before it. A segment that is complete ends with a seal:

    magic "FEND" | CRC-32 u32 | its number u64 | entries up to its end u64

which says that there is a next one. Together they tell when a segment is missing, shortened,
exchanged or of another journal. They are no proof against a forger, who can compute them too.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
import zlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from farthing.errors import ConfigError
from farthing.ledger.disk import FULL, Buffer, Disk
from farthing.ledger.entry import Entry
from farthing.ledger.groups import HEADER, MAGIC, group_at, header_at, read_groups, skip_groups

NAME = re.compile(r"(\d{8})\.journal")
FIRST_SEGMENT = "00000001.journal"
# The next segment while it is being made; left by a crash, it is made anew.
NEXT = "next.journal"

LINK = struct.Struct("<4sIQQQ32s")
LINK_MAGIC = b"FSEG"
SEAL = struct.Struct("<4sIQQ")
SEAL_MAGIC = b"FEND"
MISSING = "is missing, and the segments beside it say that it was there"
CHECKED_FROM = 8  # what stands behind magic and checksum, in both


class JournalDamagedError(ConfigError):
    """Entries that were acknowledged cannot be read."""


def damaged(path: Path, what: str) -> JournalDamagedError:
    """Return the error that says what is wrong with a file, and what to do."""
    return JournalDamagedError(
        f"{path} {what}. Nothing was changed. Put back an intact copy of the file."
    )


class Mark(NamedTuple):
    """A place in the journal: so many entries lie before it, the last in a group of a checksum."""

    position: int = 0
    checksum: int = 0


START = Mark()


class Segment(NamedTuple):
    """One file of the journal, by what its link says; the first one has none."""

    path: Path
    number: int = 1
    before: int = 0
    """Entries in all segments before it."""
    previous_size: int = 0
    """Bytes of the groups (and the link) of the segment before it."""
    previous_sum: bytes = b""

    @property
    def link(self) -> bytes:
        """The bytes it begins with, before its first group."""
        if self.number == 1:
            return b""
        fields = (self.number, self.before, self.previous_size, self.previous_sum)
        return _checked(LINK, LINK_MAGIC, *fields)

    def seal(self, position: int) -> bytes:
        """Return the bytes that stand behind its last group, once there is a next one."""
        return _checked(SEAL, SEAL_MAGIC, self.number, position)


def _checked(form: struct.Struct, magic: bytes, *fields: int | bytes) -> bytes:
    unchecked = form.pack(magic, 0, *fields)
    return form.pack(magic, zlib.crc32(unchecked[CHECKED_FROM:]), *fields)


def segment_path(folder: Path, number: int) -> Path:
    """Return where a segment is."""
    return folder / f"{number:08d}.journal"


def segment_numbers(disk: Disk, folder: Path) -> list[int]:
    """Return the numbers of the segments in a folder, in order; other files are not ours."""
    return sorted(int(found[1]) for name in disk.names(folder) if (found := NAME.fullmatch(name)))


def read_link(disk: Disk, folder: Path, number: int) -> Segment:
    """Return a segment by its link.

    Raises:
        FileNotFoundError: there is none of that number.
        JournalDamagedError: its link cannot be read, or is another one's.
    """
    path = segment_path(folder, number)
    file = disk.open(path, os.O_RDONLY)
    try:
        head = disk.read(file, LINK.size, 0)
    finally:
        disk.close(file)
    if number == 1:
        if head.startswith(LINK_MAGIC):
            raise damaged(path, "is a later segment of a journal, and not the first")
        return Segment(path)
    if len(head) == LINK.size:
        _, _, *fields = LINK.unpack(head)
        segment = Segment(path, *fields)
        if segment.link == head and segment.number == number:
            return segment
        if segment.link == head:
            raise damaged(path, f"is segment {segment.number} of a journal, and not {number}")
    raise damaged(path, "is damaged in its first bytes, which link it to the segment before it")


def read_link_or_refuse(disk: Disk, folder: Path, number: int) -> Segment:
    """Return a segment that must be there.

    Raises:
        JournalDamagedError: it is not, or its link cannot be read.
    """
    try:
        return read_link(disk, folder, number)
    except FileNotFoundError:
        raise damaged(segment_path(folder, number), MISSING) from None


def read_chain(disk: Disk, folder: Path) -> list[Segment]:
    """Return all segments, each checked to be there, in its place and as long as the next says.

    Raises:
        JournalDamagedError: one is missing, shortened or exchanged.
    """
    chain: list[Segment] = []
    for number in range(1, max(segment_numbers(disk, folder), default=0) + 1):
        segment = read_link_or_refuse(disk, folder, number)
        if chain:
            _check_length(disk, chain[-1], segment)
        chain.append(segment)
    return chain


def _check_length(disk: Disk, segment: Segment, following: Segment) -> None:
    """Refuse a segment that is not what the next one says of it; a seal may be missing or torn."""
    size, seal = following.previous_size, segment.seal(following.before)
    file = disk.open(segment.path, os.O_RDONLY)
    try:
        found, length = disk.read(file, len(seal), size), disk.size(file)
        rest = disk.read(file, length, size + len(seal)) if length > size + len(seal) else b""
    finally:
        disk.close(file)
    if length < size:
        raise damaged(segment.path, f"is cut off at byte {length} of {size}")
    torn = all(byte in (0, whole) for byte, whole in zip(found, seal, strict=False))
    if not torn or rest.strip(b"\0") or following.before < segment.before:
        raise damaged(segment.path, f"has other bytes than its seal at byte {size}, its end")


def complete_seal(disk: Disk, segment: Segment, following: Segment) -> None:
    """Seal a segment for ever, if a crash came before that was done."""
    file = disk.open(segment.path, os.O_RDWR)
    try:
        size, seal = following.previous_size, segment.seal(following.before)
        if disk.size(file) != size + len(seal) or disk.read(file, len(seal), size) != seal:
            write_seal(disk, file, size, seal)
    except OSError as error:
        if error.errno not in FULL:
            raise  # for want of room it can wait for the next start: the link says where it ends
    finally:
        disk.close(file)


def write_seal(disk: Disk, file: int, end: int, seal: bytes) -> None:
    """Write a segment's seal and cut off what was allocated behind it."""
    disk.write(file, seal, end)
    disk.truncate(file, end + len(seal))
    disk.sync(file)


class Walk:
    """Reads one segment's groups in order, and sums them up for the next one's link."""

    def __init__(self, segment: Segment, buffer: Buffer) -> None:
        self.segment = segment
        self.position = segment.before
        self.end = len(segment.link)
        self.sum = hashlib.sha256(segment.link)
        self._buffer = buffer
        self._checksum = 0
        self._unproven: deque[tuple[int, int]] = deque()

    @property
    def unproven(self) -> bytes:
        """The last groups, of which no later one says that they are on the disk."""
        return self._buffer[self._unproven[0][0] : self.end] if self._unproven else b""

    def skip(self, mark: Mark) -> None:
        """Pass over what lies before a mark, if it is in this segment, without decoding it.

        Raises:
            JournalDamagedError: another group ends there than the one that was marked.
        """
        self._checksum = mark.checksum
        for start, end, position in skip_groups(
            self._buffer, self.end, self.position, mark.position
        ):
            self._pass(start, end, position)
        if self.position > mark.position > self.segment.before or (
            self.position == mark.position and self._checksum != mark.checksum
        ):
            raise damaged(self.segment.path, f"has not the entry {mark.position} it once had")

    def groups(self) -> Iterator[list[Entry]]:
        """Yield the entries of each whole group that follows."""
        for entries, end in read_groups(self._buffer, self.end, self.position):
            self._pass(self.end, end, self.position + len(entries))
            yield entries

    def _pass(self, start: int, end: int, position: int) -> None:
        header = self._buffer[start : start + HEADER.size]
        (_, _, self._checksum, _, durable) = HEADER.unpack(header)
        self.sum.update(header)
        self.end, self.position = end, position
        self._unproven.append((start, position))
        while self._unproven and self._unproven[0][1] <= durable:
            self._unproven.popleft()

    def check_end(self, following: Segment | None) -> None:
        """Refuse a segment that does not end as the next one says, or is not the last one.

        Raises:
            JournalDamagedError: what was acknowledged cannot be read.
        """
        check_tail(self.segment.path, self._buffer, 0, self.end, self.position)
        if following is None:
            seal = self.segment.seal(self.position)
            if self._buffer[self.end : self.end + len(seal)] == seal:
                path = segment_path(self.segment.path.parent, self.segment.number + 1)
                raise damaged(path, MISSING)
            return
        if (self.position, self.end) != (following.before, following.previous_size):
            raise damaged(
                self.segment.path,
                f"is damaged at byte {self.end}: entry {self.position + 1} was acknowledged and "
                f"cannot be read, and {following.path.name} goes on after entry {following.before}",
            )
        if self.sum.digest() != following.previous_sum:
            raise damaged(
                self.segment.path, f"has other entries than those {following.path.name} follows on"
            )


def check_tail(path: Path, buffer: Buffer, start: int, end: int, position: int) -> None:
    """Refuse if a group after a segment's last whole one knew more entries to be durable.

    `buffer` holds the segment from byte `start` on; its whole groups end at byte `end`.

    Raises:
        JournalDamagedError: an entry after `position` was acknowledged.
    """
    offset = end - start
    while (offset := buffer.find(MAGIC, offset)) >= 0:
        group = group_at(buffer, offset, None)
        if group is not None and group[2] > position:
            raise damaged(
                path,
                f"is damaged at byte {end}: entry {position + 1} was acknowledged and cannot "
                f"be read, and intact entries follow at byte {start + offset}",
            )
        offset += 1


def first_entry(disk: Disk, folder: Path) -> Entry | None:
    """Return the journal's first entry, its genesis; None while it has none."""
    try:
        file = disk.open(folder / FIRST_SEGMENT, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        head = header_at(disk.read(file, HEADER.size, 0), 0)
        group = head and group_at(disk.read(file, HEADER.size + head.length, 0), 0, 0)
    finally:
        disk.close(file)
    return group[0][0] if group else None
