"""A reader's place in the journal: reads on beside the ledger, from segment to segment.

It takes no lock and changes nothing. It reads files rather than mapping them: the ledger may cut
an unused extent off meanwhile.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from farthing.ledger.disk import DISK, Disk
from farthing.ledger.entry import Entry
from farthing.ledger.groups import HEADER, Header, header_at, read_groups, skip_groups
from farthing.ledger.segments import (
    Mark,
    Segment,
    check_tail,
    damaged,
    read_link,
    read_link_or_refuse,
    segment_numbers,
)
from farthing.ledger.window import EVER

# How much of the journal is read at once: some thousand entries.
PIECE = 1024 * 1024


class Cursor:
    """Reads whole groups. To be closed."""

    def __init__(self, folder: Path, disk: Disk = DISK) -> None:
        """Begin at the journal's first entry.

        Raises:
            FileNotFoundError: there is no journal yet.
        """
        self._folder = folder
        self._disk = disk
        self._open(read_link(disk, folder, 1))
        self.position = 0
        """Entries read, or passed over."""
        self.group = 0
        """Where the last group of them begins in its segment."""
        self.checksum = 0
        """That group's checksum."""
        self.passed = 0
        """Bytes of the segments that it has read to their ends."""

    def _open(self, segment: Segment) -> None:
        self._file = self._disk.open(segment.path, os.O_RDONLY)
        self.segment = segment
        self._sum: hashlib._Hash | None = hashlib.sha256(segment.link)
        self.offset = len(segment.link)
        """Where the next group begins in its segment."""

    def _move(self, segment: Segment) -> None:
        before = self._file
        self._open(segment)
        self._disk.close(before)

    @property
    def mark(self) -> Mark:
        """Where it stands, to come back to."""
        return Mark(self.position, self.checksum)

    def read(self, most: int = PIECE) -> list[Entry]:
        """Return the entries of the next groups, some thousand; none where none are whole yet.

        Raises:
            JournalDamagedError: what follows cannot be read, and later segments are there; or it
                is whole, and says what this version does not know.
        """
        entries = self._read_segment(most)
        while not entries and self._next_segment():
            entries = self._read_segment(most)
        return entries

    def _read_segment(self, most: int) -> list[Entry]:
        entries: list[Entry] = []
        piece, start = self._piece(most), self.offset
        try:
            for group, end in read_groups(piece, 0, self.position):
                entries += group
                self._pass(piece, self.offset - start, start + end, self.position + len(group))
        except msgspec.MsgspecError as error:
            if not entries:  # else what comes before it can be read
                what = f"says at byte {self.offset} what this version does not know ({error})"
                raise damaged(self.segment.path, what) from None
        return entries

    def _pass(self, piece: bytes, begin: int, end: int, position: int) -> None:
        (_, _, self.checksum, _, _) = HEADER.unpack_from(piece, begin)
        if self._sum is not None:
            self._sum.update(piece[begin : begin + HEADER.size])
        self.group, self.offset, self.position = self.offset, end, position

    def go_to(self, mark: Mark) -> None:
        """Go to a mark that was made in this journal, without decoding what lies before it.

        Raises:
            JournalDamagedError: it is not there.
        """
        self._skip(mark.position)
        if mark.position and self.mark != mark:
            what = f"has not the entry {mark.position} that a snapshot was made after"
            raise damaged(self.segment.path, what)

    def go_to_end(self) -> None:
        """Pass over what is there, without decoding it: what is read next came later.

        Where the last segment is made just now, some of what came before may be read as well.
        """
        self._skip(EVER)

    def _skip(self, to: int) -> None:
        self._go_to_segment(to)
        self.position, moved = self.segment.before, True
        while self.position < to and moved:
            piece, start, moved = self._piece(PIECE), self.offset, False
            for begin, end, position in skip_groups(piece, 0, self.position, to):
                self._pass(piece, begin, start + end, position)
                moved = True

    def resume(self, position: int, offset: int, group: int, checksum: int) -> bool:
        """Go on where a reader once stood, if the group that it read last is still there."""
        self._go_to_segment(position)
        head = self._header(group)
        if head is None or head.checksum != checksum:
            return False
        self.position, self.offset, self.group, self.checksum = position, offset, group, checksum
        self._sum = None  # of what lies before, nothing was read
        return True

    def _go_to_segment(self, position: int) -> None:
        """Go to the beginning of the segment that an entry is in."""
        for number in reversed(segment_numbers(self._disk, self._folder)):
            segment = read_link(self._disk, self._folder, number)
            if segment.before < position or number == 1:
                self._move(segment)
                return

    def check_tail(self) -> None:
        """Refuse a last segment that was read to its end, and is not the journal's.

        Raises:
            JournalDamagedError: acknowledged entries follow, or the next segment is missing.
        """
        length = self._disk.size(self._file) - self.offset
        rest = self._disk.read(self._file, length, self.offset)
        if next(read_groups(rest, 0, self.position), None) is not None:
            return  # it was written meanwhile
        check_tail(self.segment.path, rest, self.offset, self.offset, self.position)
        number = self.segment.number + 1
        if rest.startswith(self.segment.seal(self.position)):
            read_link_or_refuse(self._disk, self._folder, number)

    def tail(self) -> int:
        """Return how many bytes after the last whole group are not unused, up to the last of them.

        They are a group that is being written, or one that a crash tore.
        """
        length = self._disk.size(self._file) - self.offset
        rest = self._disk.read(self._file, length, self.offset)
        return 0 if rest.startswith(self.segment.seal(self.position)) else len(rest.rstrip(b"\0"))

    def sync(self) -> None:
        """Put on the disk what was read: segments before this one are there already."""
        self._disk.sync(self._file)

    def close(self) -> None:
        """Close the segment."""
        self._disk.close(self._file)

    def _header(self, offset: int) -> Header | None:
        return header_at(self._disk.read(self._file, HEADER.size, offset), 0)

    def _piece(self, most: int) -> bytes:
        """Read on from the next group: at least all of it, if all of it is there."""
        head = self._header(self.offset)
        if head is None:
            return b""
        # A header may be torn, and its length anything.
        rest = self._disk.size(self._file) - self.offset
        size = min(max(most, HEADER.size + head.length), rest)
        return self._disk.read(self._file, size, self.offset)

    def _next_segment(self) -> bool:
        """Go on in the next segment, if there is one. Says whether there is more to read."""
        try:
            segment = read_link(self._disk, self._folder, self.segment.number + 1)
        except FileNotFoundError:
            return False
        if (segment.before, segment.previous_size) == (self.position, self.offset):
            if self._sum is not None and self._sum.digest() != segment.previous_sum:
                raise damaged(self.segment.path, f"is not what {segment.path.name} follows on")
            self.passed += self.offset
            self._move(segment)
            return True
        # The end may have been written after it was looked for, just before the next was made.
        if next(read_groups(self._piece(0), 0, self.position), None) is None:
            what = f"is damaged at byte {self.offset}: entry {self.position + 1} cannot be read"
            raise damaged(self.segment.path, what)
        return True
