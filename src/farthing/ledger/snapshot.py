"""Snapshots: the ledger's state beside its journal, so that a start reads only what follows.

They are no record: each can be deleted, and the journal makes the same state again. A file holds

    magic "FSNP" | SHA-256 of what follows (32 bytes) | a MessagePack array: the journal's id, the
    number of entries in the state, the checksum of the group that ends there, the state's bytes

and is named after the number. It is there whole or not at all. Only what is on the disk is in it:
so a snapshot that is ahead of its journal says that entries are missing that were acknowledged.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, Self, TypeVar

import msgspec

from farthing.ledger.disk import Disk
from farthing.ledger.entry import Entry, Genesis, Refusal
from farthing.ledger.segments import Mark, first_entry

log = logging.getLogger("farthing")

NAME = re.compile(r"(\d{20})\.snapshot")
TEMPORARY = "next.snapshot"
MAGIC = b"FSNP"
DIGEST = hashlib.sha256().digest_size
# The last one, and one to fall back on should it be damaged.
KEPT = 2


class Restorable(Protocol):
    """What is asked of a state that snapshots are made of."""

    position: int
    """How many entries were applied."""

    def apply(self, entry: Entry) -> Refusal | None:
        """Take an entry, or say why not."""

    def encoded(self) -> bytes:
        """Return all of it; the same bytes for the same entries, whatever was decoded between."""

    @classmethod
    def decoded(cls, data: bytes) -> Self:
        """Return the state that was encoded, to go on with. Raises whatever it likes."""


S = TypeVar("S", bound=Restorable)


class SnapshotDamagedError(Exception):
    """A snapshot cannot be read."""


class Snapshot(msgspec.Struct, frozen=True, array_like=True):
    """A state, and where in which journal it was."""

    ledger: str
    position: int
    checksum: int
    state: bytes

    @property
    def mark(self) -> Mark:
        """The place in the journal."""
        return Mark(self.position, self.checksum)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Snapshot).decode


def write_snapshot(disk: Disk, folder: Path, snapshot: Snapshot) -> Path:
    """Write a snapshot beside the journal, then remove all but the last two."""
    path, temporary = folder / snapshot_name(snapshot.position), folder / TEMPORARY
    payload = _encode(snapshot)
    try:
        file = disk.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_RDWR)
        try:
            disk.write(file, MAGIC + hashlib.sha256(payload).digest() + payload, 0)
            disk.sync(file)
        finally:
            disk.close(file)
        disk.rename(temporary, path)
    except OSError:
        disk.remove(temporary)
        raise
    disk.sync_folder(folder)
    for old in snapshot_paths(disk, folder)[KEPT:]:
        disk.remove(old)
    return path


def snapshot_name(position: int) -> str:
    """Return the name of the snapshot of so many entries."""
    return f"{position:020d}.snapshot"


def snapshot_paths(disk: Disk, folder: Path) -> list[Path]:
    """Return the snapshots in a folder, the newest first."""
    names = [name for name in disk.names(folder) if NAME.fullmatch(name)]
    return [folder / name for name in sorted(names, reverse=True)]


def read_snapshot(disk: Disk, path: Path) -> Snapshot:
    """Read a snapshot.

    Raises:
        SnapshotDamagedError: it is not whole, or not what its name says.
    """
    try:
        file = disk.open(path, os.O_RDONLY)
        try:
            raw = disk.read(file, disk.size(file), 0)
        finally:
            disk.close(file)
    except OSError as error:
        raise SnapshotDamagedError(f"it cannot be read ({error.strerror})") from None
    digest, payload = raw[len(MAGIC) : len(MAGIC) + DIGEST], raw[len(MAGIC) + DIGEST :]
    if not raw.startswith(MAGIC) or hashlib.sha256(payload).digest() != digest:
        raise SnapshotDamagedError("its bytes are not those that were written")
    try:
        snapshot = _decode(payload)
    except msgspec.DecodeError as error:
        raise SnapshotDamagedError(f"it is of another version ({error})") from None
    if path.name != snapshot_name(snapshot.position):
        raise SnapshotDamagedError(f"its name is another one's: it is of entry {snapshot.position}")
    return snapshot


def snapshots(disk: Disk, folder: Path) -> Iterator[Snapshot]:
    """Yield the journal's whole snapshots, the newest first; of any other, say why it is not used.

    Where the journal has no first entry every whole snapshot is taken for its own.
    """
    genesis = first_entry(disk, folder)
    ledger = genesis.ledger if isinstance(genesis, Genesis) else None
    for path in snapshot_paths(disk, folder):
        try:
            snapshot = read_snapshot(disk, path)
        except SnapshotDamagedError as problem:
            log.warning("the snapshot %s is not used: %s", path, problem)
            continue
        if ledger in (None, snapshot.ledger):
            yield snapshot
        else:
            log.warning("the snapshot %s is not used: it is another journal's", path)


def restore(disk: Disk, folder: Path, kind: type[S]) -> tuple[S, Mark] | None:
    """Return the state of the newest usable snapshot, and where the journal goes on from there."""
    for snapshot in snapshots(disk, folder):
        try:
            state = kind.decoded(snapshot.state)
        except Exception as problem:  # noqa: BLE001  (of another version: the journal has it all)
            log.warning("the snapshot at entry %d is not used: %r", snapshot.position, problem)
            continue
        if state.position == snapshot.position:
            return state, snapshot.mark
        log.warning("the snapshot at entry %d is not used: its state says entry %d",
                    snapshot.position, state.position)  # fmt: skip
    return None
