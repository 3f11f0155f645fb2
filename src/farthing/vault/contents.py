"""Read what the vault has of a query, and hold it against the commitments in the ledger."""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag

from farthing.evidence.salt import commitment
from farthing.ledger.disk import DISK, Disk
from farthing.ledger.entry import Entry, Settle, Unresolved
from farthing.ledger.reported import Erasure
from farthing.ledger.search import entries_about
from farthing.vault.drafts import Seal
from farthing.vault.keys import Keys
from farthing.vault.segment import Frame, segment_id, segments, walk
from farthing.vault.writer import opened

FIELDS = ("prompt", "answer")

_seal = msgspec.msgpack.Decoder(Seal).decode


class Content(NamedTuple):
    """A prompt or an answer, as far as it is kept."""

    salt: bytes
    size: int
    """How long it was."""
    data: bytes | None
    """What is kept of it, from its beginning on; None where only its salt was."""

    @property
    def whole(self) -> bool:
        """Whether all of it is there."""
        return self.data is not None and len(self.data) == self.size

    def opens(self, committed: bytes) -> bool:
        """Say whether it is what was committed to."""
        assert self.data is not None, "there is something to compare"
        return hmac.compare_digest(commitment(self.salt, self.data), committed)


class Story(NamedTuple):
    """What the journal says of a query's contents."""

    ending: Settle | Unresolved | None
    """The entry with the commitments; None if there are none."""
    position: int
    erased: list[tuple[int, Erasure]]
    """The erasures that name it, with their positions."""
    known: bool
    """Whether there is such a query at all."""


def story(journal: Path, query: str) -> Story:
    """Return what the journal says of a query's contents.

    Raises:
        FileNotFoundError: there is no journal.
        JournalDamagedError: it cannot be read.
    """
    entries = list(entries_about(journal, query))
    ends = [(n, e) for n, e in entries if isinstance(e, Settle | Unresolved) and e.contents]
    position, ending = ends[0] if ends else (0, None)
    erased = [(number, entry) for number, entry in entries if isinstance(entry, Erasure)]
    return Story(ending, position, erased, any(_is_of(entry, query) for _, entry in entries))


def _is_of(entry: Entry, query: str) -> bool:
    return getattr(entry, "id", None) == query


def read_contents(
    folder: Path, keys: Keys, ledger: str, query: str, disk: Disk = DISK
) -> dict[str, Content] | None:
    """Return a query's prompt and answer; None if the vault has nothing, or no key to it.

    Raises:
        InvalidTag: a record was changed.
    """
    frames = [
        frame
        for path in segments(disk, folder)
        for frame in walk(disk, path)
        if frame.label is not None and frame.label.query == query
    ]
    data: dict[tuple[str, int], bytes] = {}
    for frame in frames:
        assert frame.label is not None, "they were chosen by it"
        found = _open(frame, keys, ledger, disk)
        if found is not None:
            data[frame.label.field, frame.label.part] = found
    if ("seal", 0) not in data:
        return None
    seal = _seal(data["seal", 0])
    salts, sizes = (seal.prompt_salt, seal.answer_salt), (seal.prompt_bytes, seal.answer_bytes)
    return {
        field: Content(salt, size, _joined(data, field) if seal.kept else None)
        for field, salt, size in zip(FIELDS, salts, sizes, strict=True)
    }


def _open(frame: Frame, keys: Keys, ledger: str, disk: Disk) -> bytes | None:
    assert frame.label is not None, "it was chosen by it"
    key = keys.all().get(frame.label.key)
    if key is None:
        return None
    segment = segment_id(disk, frame.path)
    label, sealed = frame.read(disk)
    try:
        return opened(key, segment, ledger, label, sealed)
    except InvalidTag:
        if not any(sealed):  # it was erased just now
            return None
        raise


def _joined(data: dict[tuple[str, int], bytes], field: str) -> bytes:
    """Return a field's parts, up to the first that is missing."""
    parts: list[bytes] = []
    while (part := data.get((field, len(parts)))) is not None:
        parts.append(part)
    return b"".join(parts)
