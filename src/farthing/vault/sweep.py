"""What policy says is erased when its time is over, and what crashes left is cleared away."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NamedTuple

from farthing import clock
from farthing.ledger.disk import DISK, Disk
from farthing.vault import segment
from farthing.vault.erase import Eraser, Intent
from farthing.vault.rules import Rules
from farthing.vault.segment import (
    BEGINS,
    NAME,
    Frame,
    end_of,
    is_dead,
    run_of,
    segments,
    walk,
)

log = logging.getLogger("farthing")

# A segment as young as this may have been made this moment, and not be locked yet.
YOUNG = 60 * clock.SECOND

GATEWAY = "farthing"


class Survey(NamedTuple):
    """What a look at all frames found."""

    over: list[str]
    """The queries whose time is over."""
    orphans: list[Frame]
    """Parts of queries that never came to an end in the vault, of runs that are over."""


def sweep(vault: Path, rules: Rules, eraser: Eraser, now: int, disk: Disk = DISK) -> int:
    """Erase what is over at a moment, and clear away; return how many queries were erased.

    Raises:
        ConfigError: another process erases, or the journal does not take the entry.
        OSError: the disk fails.
    """
    with eraser.alone():
        found = survey(vault, rules, now, disk)
        if found.over:
            eraser.erase(Intent(now, GATEWAY, "retention", found.over))
        if found.orphans:
            log.warning("%d pieces of interrupted queries leave the vault", len(found.orphans))
            segment.erase(disk, found.orphans)
        _clear(vault, now, disk)
    return len(found.over)


def survey(vault: Path, rules: Rules, now: int, disk: Disk = DISK) -> Survey:
    """Look at all frames."""
    paths = segments(disk, vault)
    living = {run_of(path) for path in paths if not is_dead(disk, path)}
    over: dict[str, None] = {}
    parts: dict[str, list[Frame]] = {}
    for path in paths:
        for frame in walk(disk, path):
            label = frame.label
            if label is None:
                continue
            if label.field != "seal":
                parts.setdefault(label.query, []).append(frame)
                continue
            parts.pop(label.query, None)  # they come before it
            if rules.is_over(label.lineage, label.at, now):
                over[label.query] = None
    left = (frame for frames in parts.values() for frame in frames)
    return Survey(list(over), [frame for frame in left if run_of(frame.path) not in living])


def _clear(vault: Path, now: int, disk: Disk) -> None:
    """Delete segments in which nothing is left, and what a crash left at the end of others."""
    for path in segments(disk, vault):
        match = NAME.fullmatch(path.name)
        assert match is not None, "segments have such names"
        if int(match[1], 16) > now - YOUNG or not is_dead(disk, path):
            continue
        if next(walk(disk, path), None) is None:
            disk.remove(path)
            disk.sync_folder(vault)
        else:
            _cut(path, disk)


def _cut(path: Path, disk: Disk) -> None:
    file = disk.lock(path, "a worker writes it")
    try:
        end = end_of(disk, path)
        if BEGINS <= end < disk.size(file):
            disk.truncate(file, end)
            disk.sync(file)
    finally:
        disk.close(file)
