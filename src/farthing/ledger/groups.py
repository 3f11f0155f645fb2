"""Read the journal's groups beside whoever writes it: from the beginning, or from a known place.

Everything that reads the journal's files, but for the ledger itself when it starts, does it here.
It is read, not mapped: the ledger may cut the file's unused end off meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import msgspec

from farthing.ledger.entry import Entry, Genesis
from farthing.ledger.journal import FIRST_SEGMENT, HEADER, MAGIC, read_groups, sync_file

# How much of the journal is read at once: some thousand entries.
PIECE = 1024 * 1024


class Group(msgspec.Struct, frozen=True):
    """A whole group: where it stands, and what it says."""

    offset: int
    end: int
    checksum: int
    first: int
    """The number of its first entry."""
    entries: list[Entry]


class _Raw(msgspec.Struct, frozen=True):
    """A group as bytes, which nobody has checked."""

    offset: int
    content: bytes

    @property
    def checksum(self) -> int:
        return int(HEADER.unpack_from(self.content)[2])

    @property
    def first(self) -> int:
        return int(HEADER.unpack_from(self.content)[3])

    @property
    def durable(self) -> int:
        return int(HEADER.unpack_from(self.content)[4])

    def read(self, position: int) -> Group | None:
        """Return the group if it is whole and follows that many entries."""
        for entries, _ in read_groups(self.content, 0, position):
            end = self.offset + len(self.content)
            return Group(self.offset, end, self.checksum, position + 1, entries)
        return None


class JournalGroups:
    """The journal in a folder, open for reading."""

    def __init__(self, folder: Path) -> None:
        """Open it.

        Raises:
            FileNotFoundError: there is none yet.
        """
        self._file = os.open(folder / FIRST_SEGMENT, os.O_RDONLY)

    def __enter__(self) -> JournalGroups:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    @property
    def size(self) -> int:
        """Bytes of the journal, unused ones included."""
        return os.fstat(self._file).st_size

    def ledger(self) -> str:
        """Return the id of the ledger whose journal it is; "" while it has no first entry."""
        for group in self.read():
            if isinstance(group.entries[0], Genesis):
                return group.entries[0].ledger
            break
        return ""

    def piece(self, offset: int, position: int) -> list[Group]:
        """Return some groups from an offset on, which `position` entries come before.

        Raises:
            msgspec.MsgspecError: the first of them is whole and holds what is no entry.
        """
        groups: list[Group] = []
        for raw in self._piece(offset):
            try:
                group = raw.read(position)
            except msgspec.MsgspecError:
                if groups:
                    break  # what comes before it can be read
                raise
            if group is None:
                break
            position += len(group.entries)
            groups.append(group)
        return groups

    def read(self, offset: int = 0, position: int = 0) -> Iterator[Group]:
        """Yield every whole group from an offset on, until there is none."""
        while groups := self.piece(offset, position):
            yield from groups
            offset, position = groups[-1].end, groups[-1].first + len(groups[-1].entries) - 1

    def has(self, offset: int, checksum: int) -> bool:
        """Return whether a group with that checksum begins there."""
        head = os.pread(self._file, HEADER.size, offset)
        return len(head) == HEADER.size and _Raw(offset, head).checksum == checksum

    def sync(self) -> None:
        """Make sure that what was read is on the disk, and not only on its way there."""
        sync_file(self._file)

    def about(self, query: str) -> Iterator[tuple[int, Entry]]:
        """Yield a query's entries with their numbers, passing over groups that do not name it."""
        name = query.encode()
        for raw in self._raw():
            if name in raw.content and (group := raw.read(raw.first - 1)) is not None:
                for number, entry in enumerate(group.entries, start=group.first):
                    if getattr(entry, "id", None) == query:
                        yield number, entry

    def at(self, number: int) -> Entry | None:
        """Return the entry of a number, if the journal goes that far."""
        found: _Raw | None = None
        for raw in self._raw():
            if raw.first > number:
                break
            found = raw
        group = found.read(found.first - 1) if found is not None else None
        if group is None or not 0 <= number - group.first < len(group.entries):
            return None
        return group.entries[number - group.first]

    def damage(self, offset: int, position: int) -> int | None:
        """Return where an intact group stands that knew an unreadable one at `offset` as durable.

        None where what follows is unused, or a tail that a crash tore: the next start cuts it off.
        """
        content = os.pread(self._file, max(0, self.size - offset), offset)
        place = content.find(MAGIC)
        while place >= 0:
            for raw in _split(content[place:], offset + place)[:1]:
                if raw.read(raw.first - 1) is not None and raw.durable > position:
                    return raw.offset
            place = content.find(MAGIC, place + 1)
        return None

    def tail(self, offset: int) -> int:
        """Return how many bytes from an offset on are not zero, up to the last of them."""
        return len(os.pread(self._file, max(0, self.size - offset), offset).rstrip(b"\0"))

    def _raw(self) -> Iterator[_Raw]:
        offset = 0
        while pieces := self._piece(offset):
            yield from pieces
            offset = pieces[-1].offset + len(pieces[-1].content)

    def _piece(self, offset: int) -> list[_Raw]:
        """Read some of the file: at least the whole group that begins at the offset."""
        head = os.pread(self._file, HEADER.size, offset)
        if len(head) < HEADER.size or not head.startswith(MAGIC):
            return []
        most = self.size - offset  # a header may be torn, and its length anything
        length = HEADER.size + HEADER.unpack(head)[1]
        return _split(os.pread(self._file, min(max(PIECE, length), most), offset), offset)


def _split(content: bytes, offset: int) -> list[_Raw]:
    """Cut what stands at an offset of the file into its groups, as long as they are all there."""
    found, at = list[_Raw](), 0
    while at + HEADER.size <= len(content) and content.startswith(MAGIC, at):
        end = at + HEADER.size + HEADER.unpack_from(content, at)[1]
        if end > len(content):
            break
        found.append(_Raw(offset + at, content[at:end]))
        at = end
    return found


def ledger_in(folder: Path) -> str:
    """Return the id of the ledger whose journal is in a folder; "" while there is none."""
    try:
        with JournalGroups(folder) as groups:
            return groups.ledger()
    except FileNotFoundError:
        return ""
