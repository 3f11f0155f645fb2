"""Find in a journal what is asked for, without decoding the groups that need not be.

It reads beside whoever writes the journal, from segment to segment, and takes no lock.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from farthing.ledger.cursor import PIECE
from farthing.ledger.disk import DISK, Disk
from farthing.ledger.entry import Entry, Genesis
from farthing.ledger.groups import HEADER, group_at, header_at, skip_groups
from farthing.ledger.reported import Erasure
from farthing.ledger.segments import (
    Segment,
    first_entry,
    read_chain,
    segment_numbers,
    segment_path,
)
from farthing.ledger.window import EVER

T = TypeVar("T", bound=msgspec.Struct)


def ledger_in(folder: Path, disk: Disk = DISK) -> str:
    """Return the id of the ledger whose journal is in a folder; "" while there is none."""
    genesis = first_entry(disk, folder)
    return genesis.ledger if isinstance(genesis, Genesis) else ""


def journal_size(folder: Path) -> int:
    """Return the bytes of all segments, unused ones included."""
    numbers = segment_numbers(DISK, folder)
    return sum(segment_path(folder, number).stat().st_size for number in numbers)


def entries_about(folder: Path, query: str, disk: Disk = DISK) -> Iterator[tuple[int, Entry]]:
    """Yield a query's entries with their numbers, and those of erasures that name it.

    Groups that do not have its id are passed over.

    Raises:
        FileNotFoundError: there is no journal.
        JournalDamagedError: a segment is missing, shortened or exchanged.
    """
    name = query.encode()
    for segment in _segments(folder, disk):
        for group, first in _groups(segment, disk):
            if name in group:
                for number, entry in enumerate(_entries(group, first), start=first):
                    if entry_is_about(entry, query):
                        yield number, entry


def entries_of(folder: Path, kind: type[T], disk: Disk = DISK) -> Iterator[tuple[int, T]]:
    """Yield the entries of a kind with their numbers; raises as `entries_about` does."""
    tag = str(kind.__struct_config__.tag).encode()
    for segment in _segments(folder, disk):
        for group, first in _groups(segment, disk):
            if tag in group:
                for number, entry in enumerate(_entries(group, first), start=first):
                    if isinstance(entry, kind):
                        yield number, entry


def entry_is_about(entry: Entry, query: str) -> bool:
    """Say whether an entry is a query's, or names it as erased."""
    named = entry.queries if isinstance(entry, Erasure) else ()
    return getattr(entry, "id", None) == query or query in named


def entry_at(folder: Path, number: int, disk: Disk = DISK) -> Entry | None:
    """Return the entry of a number, if the journal goes that far.

    Raises:
        FileNotFoundError: there is no journal.
        JournalDamagedError: a segment is missing, shortened or exchanged.
    """
    before = [segment for segment in _segments(folder, disk) if segment.before < number]
    found: tuple[bytes, int] | None = None
    for group, first in _groups(before[-1], disk) if before else ():
        if first > number:
            break
        found = group, first
    entries = _entries(*found) if found else []
    place = number - found[1] if found else 0
    return entries[place] if place < len(entries) else None


def _segments(folder: Path, disk: Disk) -> list[Segment]:
    found = read_chain(disk, folder)
    if not found:
        raise FileNotFoundError(folder)
    return found


def _groups(segment: Segment, disk: Disk) -> Iterator[tuple[bytes, int]]:
    """Yield each group of a segment as bytes, with the number of its first entry."""
    file, position = disk.open(segment.path, os.O_RDONLY), segment.before
    offset = len(segment.link)
    try:
        while head := header_at(disk.read(file, HEADER.size, offset), 0):
            length = min(max(PIECE, HEADER.size + head.length), disk.size(file) - offset)
            piece, began = disk.read(file, length, offset), offset
            for start, end, after in skip_groups(piece, 0, position, EVER):
                yield piece[start:end], position + 1
                offset, position = began + end, after
            if offset == began:
                return
    finally:
        disk.close(file)


def _entries(group: bytes, first: int) -> list[Entry]:
    """Return a group's entries; none of one whose checksum does not hold."""
    found = group_at(group, 0, first - 1)
    return found[0] if found else []
