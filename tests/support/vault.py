"""Vaults for tests: their rules, what is in their files, and gateways that keep."""

from __future__ import annotations

import os
from pathlib import Path

from farthing.ledger.disk import DISK, Disk
from farthing.vault.drafts import SALT_BYTES, Seal
from farthing.vault.keys import Keys
from farthing.vault.segment import Frame, encode, segments, walk
from farthing.vault.writer import Record, Writer

MASTER = b"m" * 32
LEDGER = "ledger-one"
ORG = ("key:k1", "team:legal", "org:acme")

KEEP = '[[contents]]\nkeep = "contents"\n'
COMMIT = '[[contents]]\nkeep = "commitments"\n'


def records(
    query: str, prompt: bytes = b"", answer: bytes = b"", lineage: tuple[str, ...] = ORG
) -> list[Record]:
    """Return what is written of a query whose contents are kept."""
    salts = os.urandom(SALT_BYTES), os.urandom(SALT_BYTES)
    seal = encode(Seal(*salts, len(prompt), len(answer), True))
    return [
        Record(query, lineage, "prompt", 0, prompt),
        Record(query, lineage, "answer", 0, answer),
        Record(query, lineage, "seal", 0, seal),
    ]


def write(
    folder: Path, *some: list[Record], run: str = "w-1", keys: Keys | None = None, disk: Disk = DISK
) -> None:
    """Write records as a process that then ends."""
    writer = Writer(folder, run, LEDGER, keys or Keys(folder, MASTER), disk)
    for group in some:
        writer.write(group)
    writer.close()


def frames(folder: Path, disk: Disk = DISK) -> list[Frame]:
    """Return all frames that are not erased."""
    return [frame for path in segments(disk, folder) for frame in walk(disk, path)]


def queries(folder: Path, disk: Disk = DISK) -> list[str]:
    """Return whose frames there are."""
    return sorted({frame.label.query for frame in frames(folder, disk) if frame.label})


def all_bytes(root: Path) -> bytes:
    """Return the bytes of all files under a folder."""
    return b"\0".join(path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file())
