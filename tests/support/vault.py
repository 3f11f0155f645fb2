"""Vaults for tests: their rules, what is in their files, and gateways that keep."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace
from tests.support.evidence import hold, publish, settle
from tests.support.evidence import write as write_journal

from farthing.evidence.identity import identity_of
from farthing.evidence.salt import commitment
from farthing.ledger.disk import DISK, Disk
from farthing.ledger.entry import Entry, Genesis, Key, Scope
from farthing.paths import DataFolder
from farthing.vault.drafts import SALT_BYTES, Seal
from farthing.vault.keys import Keys, master_key
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


class Kept(NamedTuple):
    """A query of a ledger that no gateway runs on."""

    id: str
    user: str
    lineage: tuple[str, ...]
    prompt: bytes = b"ask"
    answer: bytes = b"tell"
    word: str = "kept"


def make_ledger(data: DataFolder, *some: Kept) -> None:
    """Write a journal of queries, their vault and their log."""
    made: list[Entry] = [
        Genesis(1, LEDGER),
        Scope(2, "ann", "org:acme"),
        Scope(2, "ann", "team:legal", "org:acme"),
        Key(3, "ann", "k1", "first", b"1", parent="team:legal"),
        Key(3, "ann", "k2", "second", b"2"),
    ]
    keys = Keys(data.vault, master_key(data))
    for number, each in enumerate(some):
        salts = os.urandom(SALT_BYTES), os.urandom(SALT_BYTES)
        told = commitment(salts[0], each.prompt), commitment(salts[1], each.answer)
        held = hold(number, (*each.lineage, f"user:{each.user}"))
        key = each.lineage[0].removeprefix("key:")
        is_committed = each.word in ("kept", "committed")
        prompt, answer = told if is_committed else (b"", b"")
        ended = replace(
            settle(number), id=each.id, prompt=prompt, answer=answer, contents=each.word
        )
        made += [replace(held, id=each.id, key=key), ended]
        seal = Seal(*salts, len(each.prompt), len(each.answer), each.word == "kept")
        parts = [("prompt", each.prompt), ("answer", each.answer)] if each.word == "kept" else []
        if is_committed:
            parts.append(("seal", encode(seal)))
            group = [Record(each.id, each.lineage, field, 0, part) for field, part in parts]
            write(data.vault, group, run=each.id, keys=keys)
    write_journal(data.journal, made)
    data.log.mkdir()
    publish_log(data)


def publish_log(data: DataFolder) -> None:
    """Bring the log up to the journal."""
    identity = identity_of(data, "")
    assert identity is not None
    publish(data.journal, data.log, identity)
