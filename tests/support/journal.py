"""Read a journal's groups beside whoever writes it."""

from __future__ import annotations

from pathlib import Path

from farthing.ledger.disk import DISK
from farthing.ledger.entry import Entry
from farthing.ledger.groups import read_groups
from farthing.ledger.segments import read_link, segment_numbers


def groups(folder: Path) -> list[list[Entry]]:
    """Return the entries of every group, in all segments."""
    found: list[list[Entry]] = []
    for number in segment_numbers(DISK, folder):
        segment = read_link(DISK, folder, number)
        content = segment.path.read_bytes()
        found += [g for g, _ in read_groups(content, len(segment.link), segment.before)]
    return found
